# SPDX-License-Identifier: GPL-2.0-only
"""Walk random lists with the library of a tree, in user space.

    harness.py [--lists N] [--seed S] [--class NAME] [--as-is] [--table]
               [--width 32] [--campaign NAME] [TREE]

The library and the header that define the API of a campaign are compiled as
they are, behind the shim in harness/ of its patches, with ASan and UBSan, and
walked beside a brute-force model. TREE is the campaign's small tree by default.
A tree without the API gets it as make apply installs it, and a tree with the
API gets the corrections of FIX=1, in memory, unless --as-is is given. --width
32 builds the walks for a 32-bit machine whose DMA addresses have 64 bits, as
i386 with PAE or ARM with LPAE: there offset_in_page() and PAGE_SIZE have 32
bits. It needs gcc-multilib.

Data:   tree -> KTAP on stdout; with --table the classes as a table instead.
Errors: HarnessError, when something does not compile. Exit status 0 all
        right, 1 a walk is wrong, 2 it could not be tried.
Source: the shim and the walks in harness/ of the campaign's patches; core.py.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

if not __package__:                  # run as a program
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from read import campaigns, core
from read.campaign import Callers, Campaign
from prove import ktap

# In each class; the table in README.md has the numbers of this many.
LISTS = 200000

# Each has its reason: as much optimizing as ASan's reports bear, for half of a
# short run is the compiler's; and the warnings that kbuild does not ask for
# either.
FLAGS = ("-std=gnu11", "-O1", "-g", "-fno-strict-aliasing", "-Wall",
         "-Werror", "-Wno-unused-value", "-Wno-unused-variable",
         "-Wno-unused-but-set-variable", "-Wno-unused-function")
SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")

_INCLUDE = re.compile(rb"^#include <([\w/.-]+)>", re.MULTILINE)
_COUNTS = re.compile(r"^lists: (\d+), tree wrong: (\d+), "
                     r"posted wrong: (\d+), old wrong: (\d+)$")


class HarnessError(Exception):
    """The walks could not be compiled; the message has the compiler's."""


@dataclass(frozen=True)
class Counts:
    """How many lists of a class each walk gets wrong."""

    name: str
    lists: int
    tree: int
    posted: int
    old: int


@dataclass(frozen=True)
class Shim:
    """What a campaign adds to the files that are compiled."""

    folder: Path             # of shim.h and walk.c
    flags: tuple[str, ...]
    # file of a tree that may be there -> what the others include it as
    headers: tuple[tuple[str, str], ...]


def shim(campaign: Campaign) -> Shim:
    """Return the harness of a campaign."""
    folder = campaign.patches / "harness"
    table = folder / "harness.tsv"
    if not table.is_file():
        raise HarnessError(f"{table}: the campaign has no harness")
    flags, headers = [], []
    for number, (key, *cells) in campaigns.rows(table):
        if key == "flag" and len(cells) == 1:
            flags.append(cells[0])
        elif key == "header" and len(cells) == 2:
            headers.append((cells[0], cells[1]))
        else:
            raise HarnessError(f"{table}:{number}: not `flag OPTION` and not "
                               "`header FILE NAME`")
    return Shim(folder, tuple(flags), tuple(headers))


def contents(campaign: Campaign, tree: Path,
             as_is: bool = False) -> dict[str, bytes]:
    """Return header and library, with the core API unless as_is."""
    state, strict = core.probe(campaign, tree), campaign.state(Callers.NEW)
    if as_is and state != strict:
        raise HarnessError(f"{tree}: has no {campaign.new_term} to try as it "
                           "is")
    more = [name for name, _ in shim(campaign).headers
            if (tree / name).exists()]
    files = {name: (tree / name).read_bytes()
             for name in (*campaign.api, *more)}
    if not as_is and strict is not None:
        # A tree that lacks the API gets it as make apply installs it, and a
        # tree that has it what FIX=1 corrects.
        files.update(core.install(campaign, tree, strict,
                                  fix=state == strict))
    return files


def lay_out(campaign: Campaign, files: dict[str, bytes],
            folder: Path) -> Path:
    """Write the files and a shim for each header that they include.

    Return the library; its folder is the one to include from.
    """
    source = campaign.home[0]
    library = folder / Path(source).name
    library.write_bytes(files[source])
    names = {name: name.removeprefix("include/") for name in campaign.api
             if name != source}
    names.update(shim(campaign).headers)
    headers = {folder / name: files[file] for file, name in names.items()
               if file in files}
    for header, text in headers.items():
        header.parent.mkdir(parents=True, exist_ok=True)
        header.write_bytes(text)
    for text in files.values():
        for name in _INCLUDE.findall(text):
            stand_in = folder / name.decode()
            if stand_in not in headers:
                stand_in.parent.mkdir(parents=True, exist_ok=True)
                stand_in.write_text('#include "shim.h"\n')
    return library


def build(campaign: Campaign, files: dict[str, bytes], folder: Path,
          compiler: str = "cc", width: int = 0) -> Path:
    """Return the program that walks with these files.

    width is that of a long, in bits: the machine's own unless it is given.
    """
    library, ours = lay_out(campaign, files, folder), shim(campaign)
    program = folder / "walk"
    command = [compiler, *FLAGS, *ours.flags, *SANITIZE,
               *([f"-m{width}"] if width else []), "-include", "shim.h",
               f"-I{ours.folder}", f"-I{folder}", "-o", str(program),
               str(ours.folder / "walk.c"), str(library)]
    done = subprocess.run(command, capture_output=True, text=True,
                          errors="replace")
    if done.returncode:
        raise HarnessError(f"{compiler} does not compile the walks:\n"
                           + done.stderr.strip())
    return program


def run(program: Path, lists: int, seed: int, only: str = "") -> str:
    """Return what the walks print; a check that fires is a complaint of KTAP,
    since the tests behind it are never told."""
    command = [str(program), str(lists), str(seed)] + ([only] if only else [])
    done = subprocess.run(command, capture_output=True, text=True,
                          errors="replace")
    if done.returncode not in (0, 1) or done.stderr:
        return done.stdout + "".join(f"# {line}\n"
                                     for line in done.stderr.splitlines())
    return done.stdout


def counts(report: ktap.Report) -> list[Counts]:
    """Return the classes of a report, in its order."""
    found = []
    for test in report.tests:
        for note in test.notes:
            told = _COUNTS.match(note)
            if told is not None:
                found.append(Counts(test.name, *map(int, told.groups())))
    return found


def table(classes: list[Counts]) -> str:
    """Return the classes as a table for README.md."""
    rows = ["| lists | ours wrong | first posting, v5.1 to today | "
            "before the iterator |",
            "|---|---:|---:|---:|"]
    rows += [f"| {one.name} | {one.tree:,} | {one.posted:,} | {one.old:,} |"
             for one in classes]
    return "\n".join(rows)


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Walk random lists with the library of a tree.")
    parser.add_argument("tree", type=Path, nargs="?")
    parser.add_argument("--campaign", default="")
    parser.add_argument("--lists", type=int, default=LISTS,
                        help="random lists in each class (%(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--class", dest="only", default="")
    parser.add_argument("--compiler", default="cc")
    parser.add_argument("--width", type=int, choices=(32, 64), default=0,
                        help="bits of a long (this machine's)")
    parser.add_argument("--as-is", action="store_true",
                        help="without the corrections of FIX=1")
    parser.add_argument("--table", action="store_true")
    asked = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="sgwalk-") as folder:
            campaign = campaigns.load(asked.campaign)
            program = build(campaign, contents(
                campaign, asked.tree or campaign.tree, asked.as_is),
                            Path(folder), asked.compiler, asked.width)
            text = run(program, asked.lists, asked.seed, asked.only)
    except (HarnessError, campaigns.CampaignError, core.CoreError,
            OSError) as error:
        print(f"sgwalk: {error}", file=sys.stderr)
        return 2
    report = ktap.parse(text)
    print(table(counts(report)) if asked.table else text.rstrip())
    for complaint in report.complaints:
        print(f"sgwalk: {complaint}", file=sys.stderr)
    return 0 if report.holds else 1


if __name__ == "__main__":
    sys.exit(main())
