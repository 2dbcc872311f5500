# SPDX-License-Identifier: GPL-2.0-only
"""Ask the census for every site of a tree.

The census is scripts/census.c; this module starts it and reads its rows. It
is the denominator of every promise: a site that is not in it is not accounted
for, so a row that cannot be read is an error, never skipped.

Data:   tree folder -> tuple[Site, ...], sorted by file, line and column.
Units:  line and column from 1, columns in bytes.
Errors: CensusError, when the program is missing, fails or prints a bad row.
Source: the row format at the top of scripts/census.c.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Collection, Optional

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_PLAIN = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}


class CensusError(Exception):
    """The census could not be taken; the message says why."""


@dataclass(frozen=True, order=True)
class Site:
    """One occurrence of an API name outside comments and strings."""

    file: str                # relative to the tree
    line: int
    column: int
    function: str            # empty outside of one
    token: str               # as design.md names it, "?" for what is unread
    place: str               # code, macro, if0, directive, unlexed: WHY, ...


def take(program: Path, root: Path, jobs: int,
         files: Optional[Collection[str]] = None) -> tuple[Site, ...]:
    """Return the sites of a tree, or of some of its files."""
    command = [os.fspath(program), "-j", str(jobs)]
    feed = b""
    if files is not None:
        command.append("--files")
        feed = b"".join(os.fsencode(file) + b"\0" for file in sorted(files))
    try:
        done = subprocess.run([*command, os.fspath(root)], input=feed,
                              capture_output=True, check=False)
    except OSError as error:
        raise CensusError(
            f"{program}: {error.strerror}: make builds it; start this by "
            "make") from error
    if done.returncode != 0:
        said = os.fsdecode(done.stderr).strip().splitlines()
        raise CensusError(said[-1] if said else
                          f"census: ended with {done.returncode}")
    return tuple(sorted(_site(row) for row in done.stdout.split(b"\n") if row))


def _site(row: bytes) -> Site:
    cells = [_ESCAPE.sub(lambda at: _PLAIN.get(at[1], at[0]), os.fsdecode(cell))
             for cell in row.split(b"\t")]
    if len(cells) != 6 or not (cells[1].isdigit() and cells[2].isdigit()):
        raise CensusError(f"census: row is not one: {os.fsdecode(row)!r}")
    return Site(cells[0], int(cells[1]), int(cells[2]), *cells[3:])
