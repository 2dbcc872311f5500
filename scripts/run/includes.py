# SPDX-License-Identifier: GPL-2.0-only
"""Let spatch read the headers that a file of a bare rule includes.

A rule of ours has all that it needs in the files of a unit. Somebody else's
may need the type of a member, which a header has: its Options name the ones
to read, and where they do not, spatch reads those beside the file. Their folders
are links in the folder of the run, so that no name of the tree reaches a
command line. Headers are read in the tree as it is before the run.

Data:   options of a rule -> the option for spatch; files -> links.
Errors: OSError, where a link cannot be made.
Source: scripts/coccicheck and LINUXINCLUDE of the kernel's Makefile.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

_CHOICES = ("--no-includes", "--local-includes", "--all-includes",
            "--recursive-includes")
_TYPES = "--include-headers-for-types"
# Where a header in angle brackets is looked for, as the kernel's build does.
_COMMON = ("include", "include/uapi")


def wanted(options: Sequence[str]) -> tuple[str, ...] | None:
    """Return the options about includes, None where none is to be read."""
    chosen = [word for word in options if word in _CHOICES]
    if "--no-includes" in chosen:
        return None
    return tuple(chosen[-1:])


def options(chosen: Sequence[str], links: Sequence[str]) -> list[str]:
    """Return the options for one folder, whose own link is the first.

    A local header is looked for beside the file only, and its copy is in
    another folder: with one -I, all headers are those that are there. What a
    rule matches in a header is found where the header is the file itself;
    here it would be changed anew for each file that includes it.
    """
    if not {"--all-includes", "--recursive-includes"} & set(chosen):
        chosen, links = ("--all-includes",), links[:1]
    return [*chosen, _TYPES,
            *(word for short in links for word in ("-I", short))]


def folder_of(file: str) -> str:
    """Return what files have in common that look for headers alike."""
    return os.path.dirname(file)


def link(folder: Path, root: Path, files: Iterable[str],
         known: dict[str, list[str]]) -> None:
    """Make the links for some files; note for each folder which it has."""
    for file in files:
        below = folder_of(file)
        if below in known:
            continue
        parts = below.split("/")
        arch = parts[1] if parts[0] == "arch" and parts[1:] else "x86"
        names = [below, f"arch/{arch}/include", f"arch/{arch}/include/uapi",
                 *_COMMON]
        known[below] = []
        for name in names:
            place = root / name
            if not place.is_dir():
                continue
            short = "i" + hashlib.sha256(os.fsencode(name)).hexdigest()[:12]
            if not os.path.lexists(folder / short):
                os.symlink(place, folder / short)
            known[below].append(short)


def state(root: Path) -> bytes:
    """Return a hash of the names, sizes and times of all headers."""
    found = hashlib.sha256()
    for where, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(files):
            if name.endswith(".h"):
                facts = os.lstat(os.path.join(where, name))
                found.update(os.fsencode(
                    f"{where}/{name}\0{facts.st_size}\0"
                    f"{facts.st_mtime_ns}\0{facts.st_ctime_ns}\0"))
    return found.digest()
