# SPDX-License-Identifier: GPL-2.0-only
"""Say which lines of a tree a change touched.

From a revision: what differs between the blobs that it holds and the bytes of
the files as they are now. git is asked for the blobs and for nothing else,
since its own comparison is led by what the change can hold: attributes, ignore
files, a NUL byte, flags of the index, core.worktree. Or from a unified diff,
for a clone too shallow to have the revision.

Data:   tree + revision -> Since; diff bytes -> {file: ranges of lines, from 1}.
Errors: ChangedError, when git does not know the revision or the tree is not
        its own repository, and for input that is not a unified diff.
Source: git-ls-tree(1), git-cat-file(1); an object's name is the hash of
        "blob SIZE\\0" and its bytes.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Mapping

from host import gitsafe, scratch
from read import tree as trees
from host.scratch import ScratchError
from read.tree import Tree, TreeError

Ranges = tuple[tuple[int, int], ...]
EVERY = ((1, 1 << 30),)      # the whole file
# Files of which two versions are held at a time.
_AT_ONCE = 512

_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_OCTAL = re.compile(rb'\\([0-7]{3}|[abtnvfr"\\])')
_PLAIN = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v",
          b"f": b"\f", b"r": b"\r", b'"': b'"', b"\\": b"\\"}


class ChangedError(Exception):
    """It is not known what changed; the message says why."""


class Since:
    """What differs between a revision and the files of a tree.

    A file is compared when it is first asked about, or many by load().
    """

    def __init__(self, tree: Tree, revision: str) -> None:
        self._tree = tree
        self._known: dict[str, Ranges] = {}
        if gitsafe.top(tree.root) not in (None, tree.root):
            raise ChangedError(f"{tree.root}: not the top of a git repository")
        name = _git(tree, "rev-parse", "--verify", "--quiet",
                    "--end-of-options",
                    f"{revision}^{{commit}}").decode().strip()
        self._blobs: dict[bytes, bytes] = {}
        for row in _git(tree, "ls-tree", "-r", "-z", "--full-tree",
                        name).split(b"\0"):
            facts, _, file = row.partition(b"\t")
            kind, _, blob = facts.partition(b" blob ")
            if kind in (b"100644", b"100755", b"100664"):
                self._blobs[file] = blob

    def get(self, file: str, default: Ranges = ()) -> Ranges:
        """Return the lines of a file that differ; a mapping's get()."""
        if file not in self._known:
            self.load([file])
        return self._known.get(file, default)

    def load(self, files: Iterable[str]) -> list[str]:
        """Compare files, and return those that differ, in their order.

        One that is not there does not; one that cannot be read does, since
        nobody can say that it is the same.
        """
        asked = list(files)
        old: dict[str, bytes] = {}
        new: dict[str, bytes] = {}
        for file in asked:
            if file in self._known:
                continue
            blob = self._blobs.get(os.fsencode(file))
            try:
                data = trees.read(self._tree, file)
            except TreeError:
                self._known[file] = EVERY if _regular(self._tree, file) else ()
                continue
            if blob is None:
                self._known[file] = EVERY
            elif _id(data, len(blob)) == blob:
                self._known[file] = ()
            else:
                old[file], new[file] = blob, data
        for at in range(0, len(old), _AT_ONCE):
            some = list(old)[at:at + _AT_ONCE]
            self._known |= self._lines(some, [old[file] for file in some],
                                       [new[file] for file in some])
        return [file for file in asked if self._known[file]]

    def _lines(self, files: list[str], old: list[bytes],
               new: list[bytes]) -> dict[str, Ranges]:
        """Return the lines in which contents differ from blobs."""
        said = _git(self._tree, "cat-file", "--batch",
                    stdin=b"".join(blob + b"\n" for blob in old))
        at = 0
        try:
            with scratch.folder() as folder:
                for side in "ab":
                    (folder / side).mkdir()
                for number, data in enumerate(new):
                    end = said.index(b"\n", at)
                    facts = said[at:end].split()
                    if facts[1:2] != [b"blob"]:
                        raise ChangedError(
                            f"{self._tree.root}: git cannot read "
                            f"{files[number]} of the revision: "
                            + os.fsdecode(said[at:end]))
                    at = end + 1 + int(facts[2]) + 1
                    (folder / f"a/{number}").write_bytes(said[end + 1:at - 1])
                    (folder / f"b/{number}").write_bytes(data)
                found = read(gitsafe.compare(folder, "a", "b"))
        except (OSError, ScratchError) as error:
            raise ChangedError(f"{self._tree.root}: {error}") from error
        # A file that differs in a way that no line shows is judged in full.
        return {file: found.get(str(number)) or EVERY
                for number, file in enumerate(files)}


def _id(data: bytes, digits: int) -> bytes:
    """Return the name that git has for a file's content."""
    make = hashlib.sha1 if digits == 40 else hashlib.sha256
    return make(b"blob %d\0" % len(data) + data).hexdigest().encode()


def _regular(tree: Tree, file: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(tree.root / file).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True


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


def touches(changed: Mapping[str, Ranges] | Since, file: str, first: int,
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


def _git(tree: Tree, *words: str, stdin: bytes | None = None) -> bytes:
    try:
        done = gitsafe.run(tree.root, *words, stdin=stdin)
    except FileNotFoundError as error:
        raise ChangedError("git is not installed: run `make deps`") from error
    except (OSError, ScratchError) as error:
        raise ChangedError(f"{tree.root}: {error}") from error
    if done.returncode != 0:
        said = os.fsdecode(done.stderr).strip().splitlines()
        raise ChangedError(f"{tree.root}: git {words[0]}: "
                           + (said[0] if said else
                              f"no such revision: {words[-1]}"))
    return done.stdout
