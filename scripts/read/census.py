# SPDX-License-Identifier: GPL-2.0-only
"""Ask the census for every site of a tree.

scripts/reader/ takes the census; this module starts it and reads its rows. It
is the denominator of every promise: a site that is not in it is not accounted
for, so a row that cannot be read is an error, never skipped.

Data:   tree folder -> tuple[Site, ...], sorted by file, line and column.
Units:  line and column from 1, columns in bytes.
Errors: CensusError, when the program is missing, fails or prints a bad row.
Source: the row format at the top of scripts/reader/main.c.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Collection, Optional

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
# What the program finds by itself, and what a name of the API begins with.
SUFFIXES = (".c", ".h", ".S", ".inc")
_NAMES = ("for_each_sg_page", "for_each_sg_dma_page", "sg_page_iter",
          "sg_dma_page_iter", "sg_page_iter_page", "sg_page_iter_dma_address",
          "__sg_page_iter_start", "__sg_page_iter_next",
          "__sg_page_iter_dma_next", "sg_pgoffset")
_SPECIAL = re.compile(r"[][.*^$+?(){}|\\]")
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
    if files is not None:
        return _run(program, root, jobs, "--files", files)
    found = _run(program, root, jobs)
    hidden = fragments(root)
    if hidden:
        found += _run(program, root, jobs, "--any", hidden)
    return tuple(sorted(found))


def fragments(root: Path) -> list[str]:
    """Return the files with a name of the API that only an #include reads.

    Their names end in anything but SUFFIXES. What nothing includes, a patch,
    a tags file or documentation, is no code, except for the *_shipped files,
    which the build copies to the name in front of that.
    """
    words = [part for name in _NAMES for part in ("-e", name)]
    # The last two are in every kernel tree, and a search for who includes
    # them would read all of it once more.
    others = (*(f"*{suffix}" for suffix in SUFFIXES), ".clang-format", "*.rst")
    named = _grep(root, "-rlIwFZ",
                  *(f"--exclude={name}" for name in others), *words)
    named = [file for file in named if "\n" not in file]
    if not named:
        return []
    names = "|".join(sorted({_SPECIAL.sub(r"\\\g<0>", os.path.basename(file))
                             for file in named}))
    including = _grep(
        root, "-rhoE", *(f"--include=*{suffix}" for suffix in SUFFIXES),
        *(f"--include={os.path.basename(file)}" for file in named), "-e",
        f"(#|%:)[[:space:]]*include[[:space:]]*[\"<]([^\">]*/)?({names})[\">]")
    included = {re.split(r"[\"</>]", line.rstrip('">'))[-1]
                for line in including}
    return sorted(file for file in named
                  if os.path.basename(file) in included
                  or file.endswith("_shipped"))


def _grep(root: Path, *words: str) -> list[str]:
    """Return what grep prints about a tree, apart by NUL or newline.

    What it cannot read the program says.
    """
    try:
        done = subprocess.run(
            ["grep", "--exclude-dir=.git", *words, "--", "."], cwd=root,
            capture_output=True, check=False,
            env={**os.environ, "LC_ALL": "C"})
    except OSError as error:
        raise CensusError(f"grep: {error.strerror}") from error
    end = b"\0" if any(word.endswith("Z") for word in words) else b"\n"
    rows = done.stdout.split(end)
    return [os.fsdecode(row.removeprefix(b"./")) for row in rows if row]


def _run(program: Path, root: Path, jobs: int, option: str = "",
         files: Collection[str] = ()) -> tuple[Site, ...]:
    command = [os.fspath(program), "-j", str(jobs), *([option] if option
                                                      else [])]
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
                          f"reader: ended with {done.returncode}")
    return tuple(sorted(_site(row) for row in done.stdout.split(b"\n") if row))


def _site(row: bytes) -> Site:
    cells = [_ESCAPE.sub(lambda at: _PLAIN.get(at[1], at[0]), os.fsdecode(cell))
             for cell in row.split(b"\t")]
    if len(cells) != 6 or not (cells[1].isdigit() and cells[2].isdigit()):
        raise CensusError(f"reader: row is not one: {os.fsdecode(row)!r}")
    return Site(cells[0], int(cells[1]), int(cells[2]), *cells[3:])
