# SPDX-License-Identifier: GPL-2.0-only
"""Find the files of a tree that have certain words, and the words that fit.

grep walks the tree itself and reads regular files only: links are not
followed, and no name of the tree reaches a shell.

Data:   root + words -> names of files; root + patterns -> words.
Errors: WordsError, when grep is missing or does not take a pattern.
Source: grep(1); the suffixes of design.md.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Collection
from pathlib import Path

SUFFIXES = (".c", ".h", ".S", ".inc")
_ANY = re.compile(rb"[A-Za-z_]\w*")
# More than these a pattern does not name; it would be every word of a tree.
MOST = 5000


class WordsError(Exception):
    """grep could not be used; the message says why."""


def holders(root: Path, words: Collection[str]) -> list[str]:
    """Return the files of a tree that have one of the words, sorted."""
    if not words:
        return []
    found = _grep(root, ["-rlwFZ"], [
        part for word in sorted(words) for part in ("-e", word)])
    return sorted(os.fsdecode(name.removeprefix(b"./"))
                  for name in found.split(b"\0") if name)


def fitting(root: Path, pattern: str) -> list[str]:
    """Return the words of a tree in which a regular expression is found.

    The pattern is that of a constraint in a rule: `^` and `$` are the ends of
    the word.
    """
    try:
        whole = re.compile(pattern, re.ASCII)
    except re.error as error:
        raise WordsError(f"=~ \"{pattern}\": {error}") from error
    inner = re.sub(r"(?<!\\)(?<!\[)[\^$]", "", pattern)
    lines = _grep(root, ["-rhP"], ["-e", inner])
    found = sorted(word for word in {
        word.decode() for word in _ANY.findall(lines)} if whole.search(word))
    if len(found) > MOST:
        raise WordsError(f"=~ \"{pattern}\": names {len(found)} words of the "
                         f"tree, more than {MOST}")
    return found


def present(data: bytes, words: Collection[str]) -> bool:
    """Tell whether a text has one of the words."""
    return not {word.encode() for word in words}.isdisjoint(
        _ANY.findall(data))


def _grep(root: Path, options: list[str], patterns: list[str]) -> bytes:
    try:
        done = subprocess.run(
            ["grep", *options, "-D", "skip", "--exclude-dir=.git",
             *(f"--include=*{suffix}" for suffix in SUFFIXES), *patterns,
             "--", "."], cwd=root, capture_output=True, check=False,
            stdin=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C"})
    except OSError as error:
        raise WordsError(f"grep: {error.strerror}") from error
    said = os.fsdecode(done.stderr).strip().splitlines()
    if done.returncode not in (0, 1) and not done.stdout and said \
            and not said[0].endswith(("Permission denied", "No such file or "
                                      "directory")):
        raise WordsError(said[0])
    return done.stdout
