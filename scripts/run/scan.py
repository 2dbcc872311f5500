# SPDX-License-Identifier: GPL-2.0-only
"""Find the files of a tree that hold some words, and remember which they are.

A file's size and times stand for its content, as they do for make and git: a
second look at an unchanged tree lists it and reads nothing. A file that changed
within the last seconds is not remembered, since it may change again within the
same tick of the clock.

Data:   tree, words -> {file: the words in it}, for files with at least one.
Units:  times in seconds since 1970, as find prints them.
Errors: those of `run`, which starts find and grep in the tree.
Source: racy entries as in git's Documentation/technical/racy-git.txt.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from read import tree as trees
from read.tree import Tree
from run.cache import Cache, key

SUFFIXES = (".c", ".h", ".inc")
# Below so many it takes less time to read them than to have grep walk a tree.
_FEW = 500
_RACY_S = 2.0
_WORD = re.compile(rb"[A-Za-z_]\w*")
_ENTRY = b"sgwalk-scan-1"

# Starts a program in the tree's folder and returns what it prints.
Run = Callable[[Sequence[str]], bytes]
# name -> size and times
State = Mapping[bytes, bytes]


def state(run: Run, under: str = "") -> State:
    """Return size and times of every regular file that can hold C."""
    said = run(["find", f"./{under}", "-name", ".git", "-prune", "-o", "-type",
                "f", "(", "-name", "*.c", "-o", "-name", "*.h", "-o", "-name",
                "*.S", "-o", "-name", "*.inc", ")", "-printf",
                "%p\\0%s %T@ %C@\\0"])
    parts = said.split(b"\0")
    return dict(zip(parts[0:-1:2], parts[1:-1:2]))


def holders(tree: Tree, words: Collection[str], now: State, run: Run,
            cache: Cache, under: str = "") -> dict[str, tuple[str, ...]]:
    """Return the files below a folder that hold a word, and which they hold.

    `now` is the state of the whole tree.
    """
    name = key(_ENTRY, os.fsencode(tree.root), os.fsencode(under),
               "\0".join(sorted(words)).encode())
    if under:
        now = {raw: facts for raw, facts in now.items()
               if raw.startswith(_raw(under) + b"/")}
    # Before the first file is read: what changes later has another time.
    last = time.time() - _RACY_S
    known, held, same = _remembered(cache.get(name), now)
    if same:
        return held
    held = {file: found for file, found in held.items()
            if known.get(_raw(file)) == now.get(_raw(file), b"")}
    stale = [file for file in map(_name, (
        raw for raw, facts in now.items() if known.get(raw) != facts))
        if file.endswith(SUFFIXES)]
    if len(stale) > _FEW:
        some = _grep(words, run, under)
        stale = [file for file in stale if file in some]
    lost = set()
    for file in stale:
        try:
            found = present(trees.read(tree, file), words)
        except trees.TreeError:
            # Whoever reads the files says why; a word may be in it.
            lost.add(_raw(file))
            found = tuple(words)
        if found:
            held[file] = found
    held = dict(sorted(held.items(), key=lambda item: _raw(item[0])))
    cache.put(name, json.dumps(held).encode() + b"\n" + _packed({
        raw: facts for raw, facts in now.items() if raw not in lost
        and float(facts.rsplit(b" ", 1)[1]) < last}))
    return held


def present(data: bytes, words: Iterable[str]) -> tuple[str, ...]:
    """Return those of the words that a file holds, whole words as such."""
    there = set(_WORD.findall(data))
    return tuple(word for word in words
                 if (word.encode() in there if word.isidentifier()
                     else word.encode() in data))


def _remembered(entry: bytes | None, now: State) -> tuple[
        dict[bytes, bytes], dict[str, tuple[str, ...]], bool]:
    """Return a state, who held what in it, and whether it is that of now."""
    if entry is None:
        return {}, {}, False
    first, _, rest = entry.partition(b"\n")
    held = {file: tuple(found) for file, found in json.loads(first).items()}
    if rest == _packed(now):
        return {}, held, True
    parts = rest.split(b"\0")
    return dict(zip(parts[0::2], parts[1::2])), held, False


def _packed(state: State) -> bytes:
    return b"\0".join(part for pair in state.items() for part in pair)


def _grep(words: Collection[str], run: Run, under: str) -> set[str]:
    """Return the files with one of the words, by one pass of grep.

    grep walks the tree itself and reads regular files only: links are not
    followed, and no name meets a shell. A word that holds another one finds
    nothing that the other does not.
    """
    command = ["grep", "-rlFZ", "-D", "skip", "--exclude-dir=.git",
               *(f"--include=*{suffix}" for suffix in SUFFIXES)]
    for word in words:
        if not any(other in word for other in words if other != word):
            command += ["-e", word]
    return {_name(raw) for raw in run(
        [*command, "--", f"./{under}"]).split(b"\0")}


def _name(raw: bytes) -> str:
    return os.fsdecode(raw).removeprefix("./")


def _raw(file: str) -> bytes:
    return b"./" + os.fsencode(file)
