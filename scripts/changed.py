# SPDX-License-Identifier: GPL-2.0-only
"""Say which lines of a tree a change touched.

From a revision, asked of git: what differs between it and the files as they
are now, files that git does not track yet included. Or from a unified diff,
for a clone too shallow to have the revision.

Data:   tree + revision, or diff bytes -> {file: ranges of lines, from 1}.
Errors: ChangedError, when git does not know the revision or the tree is not
        its own repository, and for input that is not a unified diff.
Source: git-diff(1), with the configuration of users shut out.
"""

from __future__ import annotations

import os
import re
import subprocess
from typing import Mapping

from tree import Tree

Ranges = tuple[tuple[int, int], ...]
EVERY = ((1, 1 << 30),)      # the whole file

_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_OCTAL = re.compile(rb'\\([0-7]{3}|[abtnvfr"\\])')
_PLAIN = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v",
          b"f": b"\f", b"r": b"\r", b'"': b'"', b"\\": b"\\"}


class ChangedError(Exception):
    """It is not known what changed; the message says why."""


def since(tree: Tree, revision: str) -> dict[str, Ranges]:
    """Return what differs between a revision and the files of the tree."""
    top = _git(tree, "rev-parse", "--show-prefix")
    if top.strip():
        raise ChangedError(f"{tree.root}: not the top of a git repository")
    name = _git(tree, "rev-parse", "--verify", "--quiet", "--end-of-options",
                f"{revision}^{{commit}}").decode().strip()
    found = read(_git(tree, "diff", "--no-ext-diff", "--no-textconv",
                      "--no-color", "--no-renames", "--src-prefix=a/",
                      "--dst-prefix=b/", "-U0", name, "--"))
    fresh = _git(tree, "ls-files", "-z", "--others", "--exclude-standard")
    for file in fresh.split(b"\0"):
        if file:
            found[os.fsdecode(file)] = EVERY
    return found


def read(diff: bytes) -> dict[str, Ranges]:
    """Return the lines that a unified diff's new side adds or changes."""
    found: dict[str, list[tuple[int, int]]] = {}
    lines = diff.replace(b"\r\n", b"\n").split(b"\n")
    file = None
    at = hunks = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if line.startswith(b"+++ ") and lines[at - 2].startswith(b"--- "):
            file = _name(line[4:])
            if file is not None:
                found.setdefault(file, [])
        elif match := _HUNK.match(line):
            hunks += 1
            old = int(match[1]) if match[1] is not None else 1
            new = int(match[3]) if match[3] is not None else 1
            at = _hunk(lines, at, int(match[2]), old, new,
                       found[file] if file is not None else [])
    if diff.strip() and not hunks and not re.search(
            rb"^(Binary files|diff --git|GIT binary)", diff, re.M):
        raise ChangedError("the input is not a unified diff")
    return {name: tuple(ranges) for name, ranges in found.items()}


def touches(changed: Mapping[str, Ranges], file: str, first: int,
            last: int) -> bool:
    return any(first <= high and low <= last
               for low, high in changed.get(file, ()))


def _hunk(lines: list[bytes], at: int, number: int, old: int, new: int,
          ranges: list[tuple[int, int]]) -> int:
    """Add the lines a hunk touches; return where it ends."""
    while (old > 0 or new > 0) and at < len(lines):
        sign = lines[at][:1]
        at += 1
        if sign == b"+":
            ranges.append((number, number))
            number += 1
            new -= 1
        elif sign == b"-":
            # What followed a line that went stands in new company.
            ranges.append((max(number - 1, 1), number))
            old -= 1
        elif sign == b"\\":
            continue
        else:
            number += 1
            old -= 1
            new -= 1
    if old or new:
        raise ChangedError("the diff ends inside a hunk")
    return at


def _name(raw: bytes) -> str | None:
    """Return a +++ line's file, None for /dev/null."""
    if raw.startswith(b'"'):
        raw = _OCTAL.sub(
            lambda at: _PLAIN.get(at[1]) or bytes([int(at[1], 8)]),
            raw[1:raw.rindex(b'"')])
    else:
        raw = raw.split(b"\t")[0]
    if raw == b"/dev/null":
        return None
    return os.fsdecode(raw[2:] if raw[1:2] == b"/" else raw)


def _git(tree: Tree, *words: str) -> bytes:
    env = {name: value for name, value in os.environ.items()
           if not name.startswith("GIT_")}
    env.update(GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL=os.devnull,
               LC_ALL="C", GIT_OPTIONAL_LOCKS="0")
    try:
        done = subprocess.run(
            ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=",
             "-c", f"safe.directory={tree.root}", "-C",
             os.fspath(tree.root), *words],
            stdin=subprocess.DEVNULL, capture_output=True, check=False,
            env=env)
    except FileNotFoundError as error:
        raise ChangedError("git is not installed: run `make deps`") from error
    if done.returncode != 0:
        said = os.fsdecode(done.stderr).strip().splitlines()
        raise ChangedError(f"{tree.root}: git {words[0]}: "
                           + (said[-1] if said else
                              f"no such revision: {words[-1]}"))
    return done.stdout
