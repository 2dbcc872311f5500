# SPDX-License-Identifier: GPL-2.0-only
"""Find the changed lines that no build compiled.

The preprocessor is asked which lines of a file an object contains. A line of
an inline function counts as compiled where some object calls the function.

Data:   contents before and after -> lines.
Units:  lines from 1, in the file as a step leaves it.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping, Sequence

from prove.builds import Room

_MARKER = re.compile(r'^# (\d+) "([^"]*)"')
CONDITION = re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b(.*)$")
# An inline function of a header, and a macro with arguments. Comments and
# strings are blank by then.
INLINE = re.compile(r"^static\s[^;{}()#]*\binline\b[^;{}()#]*?"
                    r"\b(?P<name>\w+)\s*\((?P<args>[^;{}]*)\)\s*"
                    r"\{.*?^\}", re.MULTILINE | re.DOTALL)


def changed_lines(old: bytes, new: bytes) -> list[int]:
    """Return the lines of new, 1-based, that old does not have."""
    a, b = old.split(b"\n"), new.split(b"\n")
    head = 0
    while head < min(len(a), len(b)) and a[head] == b[head]:
        head += 1
    tail = 0
    while tail < min(len(a), len(b)) - head and a[-1 - tail] == b[-1 - tail]:
        tail += 1
    match = difflib.SequenceMatcher(None, a[head:len(a) - tail],
                                    b[head:len(b) - tail], autojunk=False)
    return [head + line + 1 for tag, _, _, low, high in match.get_opcodes()
            if tag in ("replace", "insert") for line in range(low, high)]


def code_lines(content: bytes, lines: Iterable[int]) -> list[int]:
    """Return those of the lines that hold more than comment and space."""
    bare = without_comments(content.decode("latin-1")).split("\n")
    return [line for line in lines if line <= len(bare)
            and bare[line - 1].strip(" \t\r\\")]


def without_comments(code: str) -> str:
    """Blank comments, keeping strings and the place of every line."""
    return re.sub(
        r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'",
        lambda found: re.sub(r"[^\n]", " ", found[0])
        if found[0].startswith("/") else found[0], code, flags=re.DOTALL)


def unreached(room: Room, objects: Sequence[str],
              contents: Mapping[str, bytes],
              changed: Mapping[str, Sequence[int]]
              ) -> tuple[tuple[str, int], ...]:
    """Return the changed lines that no build compiles.

    Those that the preprocessor let through nowhere, and those of inline
    functions that no file calls which is built.
    """
    seen: dict[str, set[int]] = {name: set() for name in contents}
    inlines = {name: _inlines(content) for name, content in contents.items()
               if name.endswith(".h")}
    names = {function for inside in inlines.values() for function in inside}
    called: set[str] = set()
    for name in objects:
        path = room.build / (name[:-2] + ".i")
        if path.is_file():
            _scan(room, path.read_text("latin-1"), seen, names, called)
    _follow(inlines, contents, called)
    idle = {name: {line for function, (first, last) in inside.items()
                   if function not in called
                   for line in range(first, last + 1)}
            for name, inside in inlines.items()}
    return tuple(
        (name, line) for name, lines in sorted(changed.items())
        for line in sorted({*lines} - (_spread(contents[name], seen[name])
                                       - idle.get(name, set()))))


def _inlines(content: bytes) -> dict[str, tuple[int, int]]:
    """Return the first and last line of each inline function."""
    bare = without_comments(content.decode("latin-1"))
    return {found["name"]: (bare.count("\n", 0, found.start()) + 1,
                            bare.count("\n", 0, found.end()) + 1)
            for found in INLINE.finditer(bare)}


def _follow(inlines: Mapping[str, Mapping[str, tuple[int, int]]],
            contents: Mapping[str, bytes], called: set[str]) -> None:
    """Add the inline functions that a called one of the headers calls."""
    bodies = {}
    for name, inside in inlines.items():
        rows = without_comments(contents[name].decode("latin-1")).split("\n")
        bodies.update({function: {*re.findall(
            r"\w+", "\n".join(rows[first - 1:last]))}
            for function, (first, last) in inside.items()})
    while True:
        more = {other for function in called for other in bodies
                if other in bodies.get(function, ())} - called
        if not more:
            return
        called |= more


def _scan(room: Room, output: str, seen: Mapping[str, set[int]],
          names: set[str], called: set[str]) -> None:
    """Note which lines of the files stand in a preprocessor's output.

    Of the names, those go into called that a line of a C file has.
    """
    known: dict[str, set[int] | None] = {}
    lines: set[int] | None = None
    number = 0
    source = False
    for line in output.split("\n"):
        marker = _MARKER.match(line)
        if marker:
            number = int(marker[1])
            name = marker[2]
            if name not in known:
                real = os.path.normpath(os.path.join(room.build, name))
                inside = os.path.relpath(real, room.src)
                if not os.path.exists(real):     # named from the source
                    inside = os.path.normpath(name)
                known[name] = seen.get(inside)
            lines = known[name]
            source = name.endswith(".c")
            continue
        if lines is not None and line.strip():
            lines.add(number)
        if source and names and not line.startswith("#"):
            called.update(names.intersection(re.findall(r"\w+", line)))
        number += 1


def _spread(content: bytes, lines: set[int]) -> set[int]:
    """Add the lines that the preprocessor folds into one of the lines.

    The arguments of a macro come out where its name stands, and a
    definition where it begins. Conditions come out nowhere.
    """
    rows = without_comments(content.decode("latin-1")).split("\n")
    reached = set(lines)
    depth = 0
    for number, row in enumerate(rows, 1):
        above = number > 1 and (depth > 0 or rows[number - 2].rstrip("\r")
                                .endswith("\\"))
        if above and number - 1 in reached and not CONDITION.match(row):
            reached.add(number)
        if CONDITION.match(row):
            reached.add(number)
            continue
        plain = re.sub(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", "", row)
        depth = max(0, depth + plain.count("(") - plain.count(")"))
        if row.lstrip().startswith("#"):
            depth = 0
    return reached
