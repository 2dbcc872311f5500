# SPDX-License-Identifier: GPL-2.0-only
"""Read the diffs that spatch prints, against the copies that it reads.

Data:   bytes of a unified diff -> hunks, marked lines, the changed text.
Units:  lines, from 1.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from run.jobs import SpatchError, Work


def sanitise(source: bytes) -> bytes:
    """Return source as spatch can read it, each byte on its line and column.

    A carriage return before a line feed goes, bytes from 0x80 become `?`
    (spatch's Python dies of them), NUL becomes a blank (its lexer stops).
    """
    return source.replace(b"\r\n", b"\n").translate(_ASCII)


def marked_lines(diff: bytes) -> tuple[int, ...]:
    """Return the lines of the original that a diff marks with a minus."""
    found = []
    for start, lines in hunks(diff):
        at = start
        for line in lines:
            if line.startswith(b"-"):
                found.append(at)
            at += line[:1] in (b"-", b" ")
    return tuple(found)


def patched(text: bytes, diff: bytes) -> bytes:
    """Return what a result's diff makes of sanitise(source)."""
    old = text.split(b"\n")
    new: list[bytes] = []
    at = 0
    for start, lines in hunks(diff):
        if not at <= start - 1 <= len(old):
            raise SpatchError("a diff does not fit its source: "
                              f"line {start}")
        new += old[at:start - 1]
        at = start - 1
        for line in lines:
            if line[:1] in (b"-", b" "):
                if old[at:at + 1] != [line[1:]]:
                    raise SpatchError("a diff does not fit its source: "
                                      f"line {at + 1}")
                at += 1
            if line[:1] in (b"+", b" "):
                new.append(line[1:])
    return b"\n".join(new + old[at:])


_ASCII = bytes(0x20 if byte == 0 else byte if byte < 0x80 else ord("?")
               for byte in range(256))


def split_diffs(stdout: bytes,
                chatty: bool = False) -> dict[str, bytes] | None:
    """Return file -> hunks, or None where there is anything else.

    chatty: lines in front of a diff are what a script of the rule printed.
    """
    found: dict[str, bytes] = {}
    lines = stdout.split(b"\n")
    at = 0
    while at < len(lines) - 1:
        head = lines[at:at + 3]
        match = re.fullmatch(rb"diff -u -p (?:a/)?(f\d{5}\.[ch]) \S+",
                             head[0])
        if match is None and chatty and not head[0].startswith(b"diff -u"):
            at += 1
            continue
        if (match is None or match[1].decode() in found or len(head) < 3
                or not head[1].startswith(b"--- ")
                or not head[2].startswith(b"+++ ")):
            return None
        first = at = at + 3
        while at < len(lines) and (hunk := _HUNK.match(lines[at])):
            end = _hunk_end(lines, at + 1, hunk)
            if end is None:
                return None
            at = end
            while at < len(lines) and lines[at].startswith(b"\\"):
                at += 1
        found[match[1].decode()] = b"\n".join(lines[first:at]) + b"\n"
    return found if lines[at:] == [b""] else None

_HUNK = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? "
                   rb"\+(\d{1,9})(?:,(\d{1,9}))? @@")


def _hunk_end(lines: list[bytes], at: int,
              hunk: re.Match[bytes]) -> int | None:
    """Return where a hunk's lines end, None where they are not its lines."""
    old, new = (1 if hunk[number] is None else int(hunk[number])
                for number in (2, 4))
    while old > 0 or new > 0:
        sign = lines[at][:1] if at < len(lines) else b""
        if sign not in (b" ", b"-", b"+", b"\\"):
            return None
        old -= sign in (b" ", b"-")
        new -= sign in (b" ", b"+")
        at += 1
    return at if old == new == 0 else None


def hunks(diff: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """Yield (first old line, lines) of every hunk."""
    lines = diff.split(b"\n")
    at = 0
    while at < len(lines):
        hunk = _HUNK.match(lines[at])
        at += 1
        if hunk is None:
            continue
        end = _hunk_end(lines, at, hunk)
        if end is None:
            raise SpatchError(f"a diff ends inside a hunk: line {at}")
        # A hunk without old lines stands behind the line that it names.
        yield int(hunk[1]) + (hunk[2] == b"0"), lines[at:end]
        at = end


def fits(work: Work, short: str, diff: bytes) -> bool:
    try:
        patched(b"\n".join(work.lines[short]), diff)
    except SpatchError:
        return False
    return True


def with_names(name: str, hunks: bytes) -> bytes:
    """Put git's header above hunks; odd names are quoted as git does."""
    def quoted(side: str) -> bytes:
        text = os.fsencode(f"{side}/{name}")
        if re.search(rb'[\x00-\x1f"\\\x7f-\xff]', text):
            return b'"' + re.sub(
                rb'[\x00-\x1f"\\\x7f-\xff]',
                lambda match: b"\\%03o" % match[0][0], text) + b'"'
        return text + (b"\t" if b" " in text else b"")
    return b"--- %s\n+++ %s\n%s" % (quoted("a"), quoted("b"), hunks)
