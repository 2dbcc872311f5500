# SPDX-License-Identifier: GPL-2.0-only
"""Make the KUnit suite a patch, or put it into the files of a tree.

The suite and the table of cases are files of this project, which the harness
uses too. What wires them into a kernel, Kconfig and Makefile, is wiring.patch.
A kernel is given both as one patch, and this module makes it:

    python3 scripts/prove/suite.py [CAMPAIGN] >new.patch   # move it over

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

from read import campaigns, core
from read.campaign import Campaign


class SuiteError(Exception):
    """The suite does not fit; the message starts with the file."""


class Suite:
    """The KUnit suite of a campaign: kunit/ beside its patches."""

    def __init__(self, campaign: Campaign) -> None:
        folder = campaign.patches / "kunit"
        self.config = folder / "kunitconfig"
        # The headers beside the patches are shared with the harness.
        self.shared = tuple(sorted(campaign.patches.glob("*.h")))
        self.sources = (*sorted(folder.glob("*_test.c")), *self.shared)
        self.wiring = folder / "wiring.patch"
        # The last patch is the one that no state of a tree waits for.
        known = {step.path for step in campaign.chain} | {
            fix.path for fix in campaign.fixes}
        self.patch = max((path for path in campaign.patches.glob("*.patch")
                          if path not in known), default=Path())

    def install(self, tree: Path) -> dict[str, bytes]:
        """Return the files that give the tree the suite."""
        if not self.wiring.is_file():
            raise SuiteError(f"{self.wiring}: the campaign has no KUnit suite")
        files = {f"lib/{path.name}": path.read_bytes()
                 for path in self.sources}
        wired = {hunk.file for hunk in core.hunks(self.wiring)}
        try:
            files.update(core.apply({name: (tree / name).read_bytes()
                                     for name in wired}, self.wiring))
        except OSError as error:
            raise SuiteError(f"{error.filename}: {error.strerror}") from error
        return files

    def fits(self, tree: Path) -> bool:
        """Return whether the patch suits the tree, which lacks it yet."""
        header = tree / "include/kunit/test.h"
        if not self.wiring.is_file() or not header.is_file() or \
                (tree / "lib" / self.sources[0].name).exists() \
                or b"define KUNIT_ARRAY_PARAM(" not in header.read_bytes():
            return False
        try:
            self.install(tree)
        except (SuiteError, core.CoreError):
            return False
        return True

    def made(self) -> bytes:
        """Return the patch: the message it has, the wiring, the sources."""
        head, _, _ = self.patch.read_bytes().partition(b"\ndiff ")
        wiring = self.wiring.read_bytes()
        parts = [head + b"\n", wiring[wiring.index(b"diff --git"):]]
        for path in self.sources:
            name = f"lib/{path.name}"
            lines = path.read_bytes().splitlines(keepends=True)
            parts.append(
                f"diff --git a/{name} b/{name}\nnew file mode 100644\n"
                f"--- /dev/null\n+++ b/{name}\n"
                f"@@ -0,0 +1,{len(lines)} @@\n".encode())
            parts += [b"+" + line for line in lines]
        return b"".join(parts) + b"-- \n\n"


if __name__ == "__main__":
    sys.stdout.buffer.write(Suite(campaigns.load("".join(
        sys.argv[1:]))).made())
