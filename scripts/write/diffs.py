# SPDX-License-Identifier: GPL-2.0-only
"""Write a change as the unified diff that git apply and patch read.

Bytes in, bytes out: a file in Latin-1, one with CR LF and one whose last line
has no newline come out as they are. Names that git would quote are quoted as
git does it, so that a newline in a name is not a line of the diff.

Data:   {file: bytes} before and after -> bytes, files in byte order.
Errors: none.
Source: "Generating patch text with -p" in git-diff(1).
"""

from __future__ import annotations

import difflib
import os
from typing import Iterable, Mapping

_ESCAPES = {7: b"\\a", 8: b"\\b", 9: b"\\t", 10: b"\\n", 11: b"\\v",
            12: b"\\f", 13: b"\\r", 34: b'\\"', 92: b"\\\\"}


def unified(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> bytes:
    """Return the diff of every file of `after` that differs."""
    return b"".join(
        piece for file in sorted(after, key=os.fsencode)
        if before.get(file, b"") != after[file]
        for piece in _file(file, before.get(file, b""), after[file]))


def _file(file: str, old: bytes, new: bytes) -> Iterable[bytes]:
    name = os.fsencode(file)
    a, b = quoted(b"a/" + name), quoted(b"b/" + name)
    yield b"diff --git " + a + b" " + b + b"\n"
    for row in difflib.diff_bytes(
            difflib.unified_diff, _lines(old), _lines(new), a, b,
            lineterm=b"\n"):
        if row.endswith(b"\n"):
            yield row
        else:
            yield row + b"\n\\ No newline at end of file\n"


def _lines(data: bytes) -> list[bytes]:
    """Split at LF only: a lone CR or a form feed does not end a line."""
    rows = data.split(b"\n")
    last = rows.pop()
    return [row + b"\n" for row in rows] + ([last] if last else [])


def quoted(name: bytes) -> bytes:
    """Return a path as git writes it in a diff."""
    if all(32 <= byte < 127 and byte not in b'"\\' for byte in name):
        return name
    return b'"' + b"".join(
        _ESCAPES.get(byte, b"\\%03o" % byte if byte < 32 or byte > 126
                     else bytes([byte])) for byte in name) + b'"'
