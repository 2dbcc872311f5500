# SPDX-License-Identifier: GPL-2.0-only
"""Walk random lists with a tree's own lib/scatterlist.c, in user space.

    harness.py [--lists N] [--seed S] [--class NAME] [--as-is] [--table]
               [--width 32] [TREE]

The library and its header are compiled as they are, behind the shim of
kernel-patch/sg-dma-page/harness, with ASan and UBSan, and walked beside a brute-force
model. TREE is fixtures/sg-dma-page/tree by default; any kernel from v3.10 will do. A tree
without the API gets it as make apply installs it, and a tree with the API gets
the corrections of FIX=1, in memory, unless --as-is is given. --width 32 builds
the walks for a 32-bit machine whose DMA addresses have 64 bits, as i386 with PAE
or ARM with LPAE: there offset_in_page() and PAGE_SIZE have 32 bits. It needs
gcc-multilib.

Data:   tree -> KTAP on stdout; with --table the classes as a table instead.
Errors: HarnessError, when something does not compile. Exit status 0 all
        right, 1 a walk is wrong, 2 it could not be tried.
Source: the shim and the walks in kernel-patch/sg-dma-page/harness; core.py.
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

from read import core
from prove import ktap

ROOT = Path(__file__).resolve().parents[2]
EMBEDDED = ROOT / "fixtures/sg-dma-page/tree"
HARNESS = core.PATCHES / "harness"

# Before v4.2 an architecture declared the entry, and nearly all took this.
ENTRY = "include/asm-generic/scatterlist.h"

# In each class; the table in README.md has the numbers of this many.
LISTS = 200000

# Each has its reason: as much optimizing as ASan's reports bear, for half of a
# short run is the compiler's; the options that give the lists lengths of their
# own and links; the checks; and the warnings that kbuild does not ask for either.
FLAGS = ("-std=gnu11", "-O1", "-g", "-fno-strict-aliasing",
         "-DCONFIG_NEED_SG_DMA_LENGTH", "-DCONFIG_ARCH_HAS_SG_CHAIN",
         "-DARCH_HAS_SG_CHAIN",
         "-DCONFIG_DEBUG_SG",
         "-Wall", "-Werror", "-Wno-unused-value", "-Wno-unused-variable",
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


def contents(tree: Path, as_is: bool = False) -> dict[str, bytes]:
    """Return header and library, with the core API unless as_is."""
    if as_is and core.probe(tree) is not core.State.STRICT:
        raise HarnessError(f"{tree}: has no DMA page iterator to try as it is")
    files = {name: (tree / name).read_bytes()
             for name in (core.HEADER, core.LIBRARY, ENTRY)
             if name != ENTRY or (tree / name).exists()}
    if not as_is:
        # A tree that lacks the API gets it as make apply installs it, and a
        # tree that has it what FIX=1 corrects.
        files.update(core.install(
            tree, core.Form.STRICT,
            fix=core.probe(tree) is core.State.STRICT))
    return files


def lay_out(files: dict[str, bytes], folder: Path) -> Path:
    """Write the files and a shim for each header that they include.

    Return the library; its folder is the one to include from.
    """
    library = folder / Path(core.LIBRARY).name
    library.write_bytes(files[core.LIBRARY])
    headers = {folder / "linux/scatterlist.h": files[core.HEADER]}
    if ENTRY in files:
        headers[folder / "asm/scatterlist.h"] = files[ENTRY]
    for header, text in headers.items():
        header.parent.mkdir(parents=True, exist_ok=True)
        header.write_bytes(text)
    for text in files.values():
        for name in _INCLUDE.findall(text):
            shim = folder / name.decode()
            if shim not in headers:
                shim.parent.mkdir(parents=True, exist_ok=True)
                shim.write_text('#include "shim.h"\n')
    return library


def build(files: dict[str, bytes], folder: Path, compiler: str = "cc",
          width: int = 0) -> Path:
    """Return the program that walks with these files.

    width is that of a long, in bits: the machine's own unless it is given.
    """
    library = lay_out(files, folder)
    program = folder / "walk"
    command = [compiler, *FLAGS, *SANITIZE,
               *([f"-m{width}"] if width else []), "-include", "shim.h",
               f"-I{HARNESS}", f"-I{folder}", "-o", str(program),
               str(HARNESS / "walk.c"), str(library)]
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
        description="Walk random lists with a tree's own lib/scatterlist.c.")
    parser.add_argument("tree", type=Path, nargs="?", default=EMBEDDED)
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
            program = build(contents(asked.tree, asked.as_is), Path(folder),
                            asked.compiler, asked.width)
            text = run(program, asked.lists, asked.seed, asked.only)
    except (HarnessError, core.CoreError, OSError) as error:
        print(f"sgwalk: {error}", file=sys.stderr)
        return 2
    report = ktap.parse(text)
    print(table(counts(report)) if asked.table else text.rstrip())
    for complaint in report.complaints:
        print(f"sgwalk: {complaint}", file=sys.stderr)
    return 0 if report.holds else 1


if __name__ == "__main__":
    sys.exit(main())
