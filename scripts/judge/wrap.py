# SPDX-License-Identifier: GPL-2.0-only
"""Keep lines that a rewrite made longer within 80 columns.

A line is broken behind a comma, and what follows it starts below the first
argument, as the kernel's coding style has it. A line that was too long before,
or that has no such comma, stays.

Data:   bytes + offsets in lines that were rewritten -> bytes.
Units:  columns as seen, a tab up to the next multiple of 8.
Errors: none.
Source: Documentation/process/coding-style.rst.
"""

from __future__ import annotations

from collections.abc import Iterable

WIDTH = 80


def seen(line: bytes) -> int:
    """Return how wide a line is on a screen."""
    return len(line.expandtabs(8))


def wrapped(data: bytes, offsets: Iterable[int]) -> bytes:
    """Break the lines at these offsets that are too long."""
    for offset in sorted(set(offsets), reverse=True):
        start = data.rfind(b"\n", 0, offset) + 1
        end = data.find(b"\n", offset)
        end = len(data) if end < 0 else end
        line = data[start:end].rstrip(b"\r")
        if seen(line) > WIDTH:
            data = data[:start] + _broken(line) + data[start + len(line):]
    return data


def _broken(line: bytes) -> bytes:
    """Return a line in two, or as it is."""
    opens: list[int] = []
    best = None
    quote = 0
    for at, byte in enumerate(line):
        if quote:
            quote = 0 if byte == quote and line[at - 1:at] != b"\\" else quote
        elif byte in b"\"'":
            quote = byte
        elif byte == ord("("):
            opens.append(at)
        elif byte == ord(")") and opens:
            opens.pop()
        elif byte == ord(",") and opens and seen(line[:at + 1]) <= WIDTH:
            best = at + 1, opens[-1]
    if best is None:
        return line
    cut, opened = best
    column = seen(line[:opened + 1])
    rest = b"\t" * (column // 8) + b" " * (column % 8) + line[cut:].lstrip()
    return line[:cut] + b"\n" + (rest if seen(rest) <= WIDTH
                                 else _broken(rest))
