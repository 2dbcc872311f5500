# SPDX-License-Identifier: GPL-2.0-only
"""Run a bare rule on a small folder, and read the account.

Data:   {file: bytes} + a rule -> what was printed, the ledger's rows.
Source: smalltree.py for the program and the command line.
"""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path
from typing import Optional, Sequence

import smalltree

RENAME = "@@\nexpression E;\n@@\n- old_call(E)\n+ new_call(E)\n"


class Case(unittest.TestCase):
    """A folder to write a tree into, and to run rules on."""

    def setUp(self) -> None:
        kept = tempfile.TemporaryDirectory(prefix="sgwalk-bare-")
        self.addCleanup(kept.cleanup)
        self.folder = Path(kept.name)
        self.tree = self.folder / "tree"
        self.tree.mkdir()
        self.said = ""

    def write(self, name: str, data: bytes) -> None:
        place = self.tree / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)

    def read(self, name: str) -> bytes:
        return (self.tree / name).read_bytes()

    def files(self) -> dict[str, bytes]:
        return {str(path.relative_to(self.tree)): path.read_bytes()
                for path in sorted(self.tree.rglob("*")) if path.is_file()}

    def rule(self, name: str, text: str) -> Path:
        path = self.folder / f"{name}.cocci"
        path.write_text(text)
        return path

    def preview(self, rule: str, *words: str,
                rules: Sequence[Path] = (), status: Optional[int] = 0,
                out: Optional[Path] = None, **more: str) -> None:
        self.run_on("preview", [self.rule("rule", rule), *rules], *words,
                    status=status, out=out, **more)

    def apply(self, rule: str, *words: str,
              rules: Sequence[Path] = ()) -> None:
        self.run_on("apply", [self.rule("rule", rule), *rules], *words)

    def run_on(self, verb: str, rules: Sequence[Path], *words: str,
               status: Optional[int] = 0, out: Optional[Path] = None,
               **more: str) -> None:
        """Run a verb; its output goes to `said`."""
        self.out = out or self.folder / "out"
        done = smalltree.migrate(
            verb, f"--kernel={self.tree}",
            f"--rules={' '.join(map(str, rules))}", *words, out=self.out,
            **more)
        self.said = done.stdout + done.stderr
        if status is not None:
            self.assertEqual(done.returncode, status, self.said)

    def rows(self) -> list[list[str]]:
        lines = (self.out / "ledger.tsv").read_text().splitlines()[1:]
        return [line.split("\t") for line in lines]

    def verdicts(self) -> list[tuple[int, str, str]]:
        """Return line, verdict and the code of the reason of every site."""
        return [(int(row[1]), row[5], row[7].partition(":")[0])
                for row in self.rows()]
