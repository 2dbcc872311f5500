# SPDX-License-Identifier: GPL-2.0-only
"""Run what the snippets in scripts/ci run: the lines themselves, with make."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import smalltree
from smalltree import ROOT

WRONG = b"""#include <linux/scatterlist.h>

void fill(struct sg_table *sgt, dma_addr_t *out)
{
	struct sg_dma_page_iter it;

	for_each_sg_dma_page(sgt->sgl, &it, sgt->orig_nents, 0)
		*out++ = sg_page_iter_dma_address(&it);
}
"""
RIGHT = WRONG.replace(b"orig_nents", b"nents")


def scripts(file: str) -> list[str]:
    """Return the shell text of each `run: |` or `- |` of a snippet."""
    text = (ROOT / "scripts/ci" / file).read_text()
    found = []
    for match in re.finditer(r"^( *)(?:run|-)(?::| ) *\|\n", text, re.M):
        deep = len(match[1])
        lines = []
        for line in text[match.end():].split("\n"):
            if line.strip() and len(line) - len(line.lstrip()) <= deep:
                break
            lines.append(line.strip())
        found.append("\n".join(lines))
    return [one for one in found if not re.search(r"\bdeps\b", one)]


class CiTest(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.top = smalltree.make(self.folder / "linux",
                                  {"drivers/a.c": RIGHT})
        smalltree.commit(self.top)
        (self.folder / "sgwalk").symlink_to(ROOT)
        self.base = smalltree.git(self.top, "rev-parse", "HEAD").strip()

    def change(self, data: bytes) -> None:
        (self.top / "drivers/a.c").write_bytes(data)
        smalltree.git(self.top, "commit", "-aqm", "change")

    def run_in(self, folder: Path, *words: str) -> tuple[int, str, str]:
        kept = {name: value for name, value in os.environ.items()
                if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
        done = subprocess.run(
            words, cwd=folder, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL,
            env={**kept, "OUT": str(self.folder / "out"),
                 "CI_PROJECT_DIR": str(self.top),
                 "CI_MERGE_REQUEST_DIFF_BASE_SHA": self.base,
                 "SGWALK": str(ROOT), "GIT_AUTHOR_NAME": "T",
                 "GIT_AUTHOR_EMAIL": "t@example.org"})
        return done.returncode, done.stdout, done.stderr

    def test_github_uploads_sarif_and_annotates_what_is_new(self) -> None:
        self.change(WRONG)
        scanning, annotating = scripts("github.yml")
        code, _, said = self.run_in(self.folder, "bash", "-ec", scanning)
        self.assertEqual(0, code, said)
        log = json.loads((self.folder / "sgwalk.sarif").read_text())
        self.assertEqual(["dma-walk-orig-nents"], [
            one["ruleId"] for one in log["runs"][0]["results"]])
        code, shown, said = self.run_in(self.folder, "bash", "-ec", annotating)
        self.assertNotEqual(0, code)
        self.assertIn("::error file=drivers/a.c,line=7,", shown)
        self.assertIn("sgwalk: exit 1: 1 findings", said)

    def test_gitlab_writes_a_report_and_fails_with_what_is_new(self) -> None:
        self.change(WRONG)
        script, = scripts("gitlab.yml")
        code, _, said = self.run_in(self.folder, "sh", "-ec", script)
        self.assertNotEqual(0, code, said)
        found, = json.loads(
            (self.folder / "gl-code-quality-report.json").read_text())
        self.assertEqual("drivers/a.c", found["location"]["path"])
        self.change(RIGHT)
        code, _, said = self.run_in(self.folder, "sh", "-ec", script)
        self.assertEqual(0, code, said)

    def test_a_push_of_misuse_is_refused_and_of_its_repair_is_not(
            self) -> None:
        there = self.folder / "there.git"
        smalltree.git(self.folder, "init", "-q", "--bare", str(there))
        smalltree.git(self.top, "remote", "add", "origin", str(there))
        smalltree.git(self.top, "push", "-q", "origin", "HEAD:main")
        (self.top / ".git/hooks").mkdir(exist_ok=True)
        (self.top / ".git/hooks/pre-push").symlink_to(
            ROOT / "scripts/ci/pre-push")
        self.change(WRONG)
        push = ("git", "push", "-q", "origin", "HEAD:main")
        code, shown, said = self.run_in(self.top, *push)
        self.assertNotEqual(0, code, shown + said)
        self.assertIn("dma-walk-orig-nents", shown + said)
        self.assertEqual(self.base, smalltree.git(
            there, "rev-parse", "main").strip())
        self.change(RIGHT)
        code, shown, said = self.run_in(self.top, *push)
        self.assertEqual(0, code, shown + said)


if __name__ == "__main__":
    unittest.main()
