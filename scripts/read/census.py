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

import functools
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Collection, Optional, Sequence

from host import scratch
from read import campaigns
from read.campaign import Campaign

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
# What the program finds by itself.
SUFFIXES = (".c", ".h", ".S", ".inc")
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


@functools.lru_cache(maxsize=None)
def default() -> Campaign:
    """Return the campaign that counts where none is named."""
    return campaigns.load()


def options(campaign: Campaign) -> list[str]:
    """Return the options that give the program the names of a campaign."""
    if not campaign.table.exists():
        return []
    new = ["--new", campaign.new.word] if campaign.new else []
    return ["--names", os.fspath(campaign.table), *new]


def take(program: Path, root: Path, jobs: int,
         files: Optional[Collection[str]] = None,
         campaign: Optional[Campaign] = None) -> tuple[Site, ...]:
    """Return the sites of a tree, or of some of its files.

    campaign: the default one where none is given.
    """
    campaign = campaign or default()
    command = [os.fspath(program), *options(campaign), "-j", str(jobs)]
    if files is not None:
        return _run([*command, "--files"], root, files)
    found = _run(command, root)
    hidden = fragments(root, campaign)
    if hidden:
        found += _run([*command, "--any"], root, hidden)
    return tuple(sorted(found))


def named(program: Path, root: Path, jobs: int, names: Collection[str],
          files: Optional[Collection[str]] = None) -> tuple[Site, ...]:
    """Return the sites of some names, of a tree or of some of its files.

    A name is a word, or with a point in front the name of a member.
    """
    table = "".join(
        f"{name}\tfield\tany\t-\t-\n" if name.startswith(".")
        else f"{name}\tcall\t-\t-\t-\n" for name in sorted(names))
    with scratch.folder() as folder:
        (folder / "names.tsv").write_text(table)
        command = [os.fspath(program), "--names",
                   os.fspath(folder / "names.tsv"), "-j", str(jobs)]
        return _run([*command, "--files"] if files is not None else command,
                    root, files or ())


def fragments(root: Path, campaign: Campaign) -> list[str]:
    """Return the files with a name of the API that only an #include reads.

    Their names end in anything but SUFFIXES. What nothing includes, a patch,
    a tags file or documentation, is no code, except for the *_shipped files,
    which the build copies to the name in front of that.
    """
    words = [part for name in campaign.names
             if name.kind.counted and not name.declared
             for part in ("-e", name.word)]
    if not words:
        return []
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


def _run(command: Sequence[str], root: Path,
         files: Collection[str] = ()) -> tuple[Site, ...]:
    feed = b"".join(os.fsencode(file) + b"\0" for file in sorted(files))
    try:
        done = subprocess.run([*command, os.fspath(root)], input=feed,
                              capture_output=True, check=False)
    except OSError as error:
        raise CensusError(
            f"{command[0]}: {error.strerror}: make builds it; start this by "
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
