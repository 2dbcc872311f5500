# SPDX-License-Identifier: GPL-2.0-only
"""Keep the findings of today, so that check can leave them out tomorrow.

A known finding is known by its rule, its file and the text of its line, so
that it stays known when lines above it come and go. What is known three times
in a file is left out three times; the fourth is new.

Data:   findings -> a text file, one TAB separated row an identity, sorted:
        count, rule, file, text; bytes not decoded.
Errors: BaselineError, for a file that is not one of these.
Source: findings.identity().
"""

from __future__ import annotations

import collections
import os
import re
from pathlib import Path
from typing import Iterable

from check.findings import Finding, identity

HEAD = b"count\trule\tfile\ttext\n"
_PLAIN = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r"}


class BaselineError(Exception):
    """The baseline cannot be read; the message names the file and the line."""


Known = collections.Counter[tuple[str, str, str]]


def write(findings: Iterable[Finding]) -> bytes:
    count = Known(identity(found) for found in findings)
    rows = sorted((name, number) for name, number in count.items())
    return HEAD + b"".join(
        b"\t".join([str(number).encode(), *map(_cell, name)]) + b"\n"
        for name, number in rows)


def read(file: Path) -> Known:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BaselineError(f"{file}: {error.strerror}: make it with "
                            f"`make baseline BASELINE={file}`") from error
    if not data.startswith(HEAD):
        raise BaselineError(f"{file}: line 1 is not a baseline's head")
    known = Known()
    rows = data.split(b"\n")[1:]
    for number, row in enumerate(rows, start=2):
        if not row and number == len(rows) + 1:
            break
        cells = row.split(b"\t")
        if len(cells) != 4 or not cells[0].isdigit():
            raise BaselineError(f"{file}: line {number} is not count, rule, "
                                "file and text")
        rule, name, text = map(_text, cells[1:])
        known[rule, name, text] += int(cells[0])
    return known


def new(findings: Iterable[Finding], known: Known) -> list[Finding]:
    """Return the findings that are not known, in their order."""
    left = known.copy()
    found = []
    for finding in findings:
        name = identity(finding)
        if left[name] > 0:
            left[name] -= 1
        else:
            found.append(finding)
    return found


def _cell(text: str) -> bytes:
    for plain, spelled in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"),
                           ("\r", "\\r")):
        text = text.replace(plain, spelled)
    return os.fsencode(text)


def _text(cell: bytes) -> str:
    return re.sub(r"\\(.)", lambda at: _PLAIN.get(at[1], at[0]),
                  os.fsdecode(cell), flags=re.S)
