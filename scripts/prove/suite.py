# SPDX-License-Identifier: GPL-2.0-only
"""Make the KUnit suite a patch, or put it into the files of a tree.

The suite and the table of cases are files of this project, which the harness
uses too. What wires them into a kernel, Kconfig and Makefile, is wiring.patch.
A kernel is given both as one patch, and this module makes it:

    python3 scripts/prove/suite.py >new.patch    # move it over the old one

Data:   kunit/ of the campaign and the shared headers -> a patch on stdout, or
        the new contents of a tree's files.
Errors: SuiteError, where the wiring does not fit.
Source: git's format for new files; tests/test_boot.py fails when the patch in
        kernel-patch/ is stale.
"""

from __future__ import annotations

import sys
from pathlib import Path

if not __package__:                  # run as a program
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from read import core

FOLDER = core.PATCHES / "kunit"
SHARED = (core.PATCHES / "walk_cases.h", core.PATCHES / "walk_check.h")
SOURCES = (FOLDER / "sg_dma_walk_test.c", *SHARED)
WIRING = FOLDER / "wiring.patch"
PATCH = core.PATCHES / "0005-lib-test-the-DMA-page-iterator-with-KUnit.patch"


class SuiteError(Exception):
    """The suite does not fit; the message starts with the file."""


def install(tree: Path) -> dict[str, bytes]:
    """Return the files that give the tree the suite."""
    files = {f"lib/{path.name}": path.read_bytes() for path in SOURCES}
    wired = {hunk.file for hunk in core.hunks(WIRING)}
    try:
        files.update(core.apply({name: (tree / name).read_bytes()
                                 for name in wired}, WIRING))
    except OSError as error:
        raise SuiteError(f"{error.filename}: {error.strerror}") from error
    return files


def fits(tree: Path) -> bool:
    """Return whether the patch suits the tree, which lacks it yet."""
    header = tree / "include/kunit/test.h"
    if not header.is_file() or (tree / "lib" / SOURCES[0].name).exists() \
            or b"define KUNIT_ARRAY_PARAM(" not in header.read_bytes():
        return False
    try:
        install(tree)
    except (SuiteError, core.CoreError):
        return False
    return True


def patch() -> bytes:
    """Return the patch: the message it has, the wiring, the sources."""
    head, _, _ = PATCH.read_bytes().partition(b"\ndiff ")
    wiring = WIRING.read_bytes()
    parts = [head + b"\n", wiring[wiring.index(b"diff --git"):]]
    for path in SOURCES:
        name = f"lib/{path.name}"
        lines = path.read_bytes().splitlines(keepends=True)
        parts.append(f"diff --git a/{name} b/{name}\nnew file mode 100644\n"
                     f"--- /dev/null\n+++ b/{name}\n"
                     f"@@ -0,0 +1,{len(lines)} @@\n".encode())
        parts += [b"+" + line for line in lines]
    return b"".join(parts) + b"-- \n\n"


if __name__ == "__main__":
    sys.stdout.buffer.write(patch())
