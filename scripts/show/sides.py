# SPDX-License-Identifier: GPL-2.0-only
"""Read a unified diff as pairs of lines, old on the left and new on the right.

Data:   edits.patch -> Hunks in its order, each with its rows.
Units:  lines from 1; 0 where a side has no line.
Errors: SidesError, when the bytes are no diff of ours.
Source: write/diffs.py writes it; a name in quotes is read as git reads it.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)")
_PLAIN = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v",
          b"f": b"\f", b"r": b"\r"}


class SidesError(Exception):
    """A diff is not as sgwalk writes it; the message has the line."""


@dataclass(frozen=True)
class Row:
    """One line of a hunk. `kind`: same, changed, removed or added."""

    kind: str
    old_line: int
    old: str
    new_line: int
    new: str


@dataclass(frozen=True)
class Hunk:
    file: str
    line: int                # the first line that differs, on the old side
    start: int               # first line of the old side
    end: int                 # last line of the old side
    rows: tuple[Row, ...]


def read(diff: bytes) -> list[Hunk]:
    """Return every hunk of a diff."""
    found: list[Hunk] = []
    file = ""
    lines = diff.split(b"\n")[:-1]
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if line.startswith(b"--- "):
            file = _name(line[4:])
        elif head := _HUNK.match(line):
            old, new = int(head[1]), int(head[3])
            left = int(head[2] or 1)
            right = int(head[4] or 1)
            body: list[tuple[bytes, str]] = []
            while left > 0 or right > 0 or lines[at:at + 1] == [
                    b"\\ No newline at end of file"]:
                if at == len(lines) or lines[at][:1] not in (
                        b" ", b"-", b"+", b"\\"):
                    raise SidesError(f"edits.patch:{at}: a hunk is cut short")
                sign, text = lines[at][:1], os.fsdecode(lines[at][1:])
                at += 1
                if sign == b"\\":
                    last, had = body[-1]
                    body[-1] = last, had + " \\ no newline"
                    continue
                left -= sign in b" -"
                right -= sign in b" +"
                body.append((sign, text))
            found.append(_hunk(file, old, new, body))
    return found


def _hunk(file: str, old: int, new: int,
          body: list[tuple[bytes, str]]) -> Hunk:
    """Pair the lines of a hunk: the first removed with the first added."""
    rows: list[Row] = []
    start = old
    first = 0
    gone: list[tuple[int, str]] = []
    come: list[tuple[int, str]] = []

    def settle() -> None:
        for index in range(max(len(gone), len(come))):
            was = gone[index] if index < len(gone) else None
            now = come[index] if index < len(come) else None
            kind = "changed" if was and now else "removed" if was else "added"
            rows.append(Row(kind, *(was or (0, "")), *(now or (0, ""))))
        gone.clear()
        come.clear()

    for sign, text in body:
        if sign == b" ":
            settle()
            rows.append(Row("same", old, text, new, text))
        elif sign == b"-":
            if come:
                settle()
            gone.append((old, text))
        else:
            come.append((new, text))
        if sign != b" " and not first:
            first = old
        old += sign != b"+"
        new += sign != b"-"
    settle()
    return Hunk(file, first or start, start, max(start, old - 1), tuple(rows))


def _name(text: bytes) -> str:
    """Return the path behind `a/`, out of quotes where it is in some."""
    text = text.split(b"\t")[0]
    if text.startswith(b'"'):
        text = _ESCAPE.sub(lambda at: bytes([int(at[1], 8)]) if at[1].isdigit()
                           else _PLAIN.get(at[1], at[1]), text[1:-1])
    return os.fsdecode(text.removeprefix(b"a/"))
