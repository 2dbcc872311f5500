# SPDX-License-Identifier: GPL-2.0-only
"""check.check(): a tree is judged in full, twice the same, and by its change."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from dataclasses import replace
from pathlib import Path
from unittest import mock

from read import campaigns, changed
from run import jobs, scan
from judge import plan
from check import check
import smalltree
from run import spatch
import test_smpl
from read import tree as trees
from check.check import Answer, Settings
from check.findings import Finding
from smalltree import ROOT

WRONG = b"""#include <linux/dma-mapping.h>

int use(struct device *dev, struct sg_table *sgt)
{
	int err = dma_map_sgtable(dev, sgt, DMA_TO_DEVICE, 0);

	if (err)
		return err;
	dma_unmap_sg(dev, sgt->sgl, sgt->nents, DMA_TO_DEVICE);
	return 0;
}
"""
RIGHT = WRONG.replace(b"sgt->nents, DMA", b"sgt->orig_nents, DMA")
REWRITE = b"""#include <linux/scatterlist.h>

void fill(struct sg_table *sgt, dma_addr_t *out)
{
	struct sg_dma_page_iter it;

	for_each_sg_dma_page(sgt->sgl, &it, sgt->orig_nents, 0)
		*out++ = sg_page_iter_dma_address(&it);
}
"""
LOST = WRONG.replace(b"int err =", b"int err = ] @ (")
OLD = b"""#include <linux/scatterlist.h>

void old(struct sg_table *t, dma_addr_t *out)
{
	struct sg_page_iter it;

	for_each_sg_page(t->sgl, &it, t->nents, 0)
		*out++ = sg_page_iter_dma_address(&it);
}
"""
FILES = {"drivers/wrong.c": WRONG, "drivers/right.c": RIGHT,
         "drivers/rewrite.c": REWRITE, "drivers/lost.c": LOST,
         "drivers/old.c": OLD}

PYTHON_RULE = b"""/// say where dma_map_sgtable() is
// Confidence: Moderate
// Options: --no-includes --include-headers
virtual report
@r@
position p;
@@
dma_map_sgtable@p(...)
@script:python depends on report@
p << r.p;
@@
coccilib.report.print_report(p[0], "WARNING: here it is")
"""
# Its statement ends below the line of the finding.
LONG = b"""#include <linux/scatterlist.h>

void start(struct sg_dma_page_iter *it, struct sg_table *sgt)
{
	__sg_page_iter_start(&it->base, sgt->sgl,
			     sgt->orig_nents, 0);
}
"""
CONTEXT_RULE = PYTHON_RULE.replace(b"virtual report", b"""virtual report
virtual context
@depends on context@
@@
* dma_map_sgtable(...)
""")


def settings(folder: Path) -> Settings:
    return Settings(
        plan.Settings(smalltree.census(),
                      (ROOT / "cocci/sg-dma-page/migrate",), jobs=2,
                      timeout=120),
        cache=folder / "cache", misuse=campaigns.every_misuse())


class CheckTest(unittest.TestCase):
    folder: Path
    top: Path
    _scratch: "tempfile.TemporaryDirectory[str]"

    @classmethod
    def setUpClass(cls) -> None:
        cls._scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls._scratch.cleanup)
        cls.folder = Path(cls._scratch.name)
        cls.top = smalltree.make(cls.folder / "tree", FILES)
        smalltree.commit(cls.top)

    def setUp(self) -> None:
        for name, data in FILES.items():
            (self.top / name).write_bytes(data)

    def check(self, diff: bytes = b"", **chosen: object) -> Answer:
        return check.check(trees.open_tree(str(self.top)),
                           replace(settings(self.folder),
                                   **chosen), diff)

    @staticmethod
    def places(answer: Answer) -> set[tuple[str, int, str]]:
        return {(one.file, one.line, one.rule)
                for one in answer.report.findings
                if one.file.startswith("drivers/")}

    def test_misuse_old_callers_and_unread_code_are_found(self) -> None:
        self.assertEqual(
            {("drivers/wrong.c", 9, "unmap-mapped-count"),
             ("drivers/rewrite.c", 7, "dma-walk-orig-nents"),
             ("drivers/lost.c", 1, "unread"), ("drivers/old.c", 5, "old-api")},
            self.places(self.check()))

    def test_a_second_run_starts_no_spatch_and_says_the_same(self) -> None:
        first = self.check()
        with mock.patch.object(spatch, "collect",
                               side_effect=AssertionError("started")):
            self.assertEqual(first.output, self.check().output)

    def test_a_changed_file_is_the_only_one_that_is_run(self) -> None:
        self.check()
        (self.top / "drivers/wrong.c").write_bytes(RIGHT + b"\n")
        asked: list[str] = []
        run = spatch.run

        def note(sources: dict[str, bytes], jobs: list[jobs.Job],
                 **rest: object) -> list[jobs.Result]:
            asked.extend(job.files[0] for job in jobs
                         if job.rule and job.rule.folder == "misuse")
            return run(sources, jobs, **rest)  # type: ignore[arg-type]

        with mock.patch.object(spatch, "run", note):
            answer = self.check()
        self.assertEqual({"drivers/wrong.c"}, set(asked))
        self.assertNotIn("drivers/wrong.c",
                         {place[0] for place in self.places(answer)})

    def test_the_answer_is_no_at_or_above_the_level(self) -> None:
        self.assertTrue(self.check().no)
        for name in FILES:
            if name not in ("drivers/right.c", "drivers/lost.c"):
                (self.top / name).unlink()
        self.assertEqual("", self.check().no)
        self.assertTrue(self.check(unread="error").no)

    def test_a_baseline_leaves_out_what_it_knows_and_no_more(self) -> None:
        file = self.folder / "baseline"
        file.write_bytes(check.baseline(trees.open_tree(str(self.top)),
                                        settings(self.folder)))
        (self.top / "drivers/wrong.c").write_bytes(b"\n\n" + WRONG)
        answer = self.check(baseline=str(file), unread="error")
        self.assertEqual((set(), ""), (self.places(answer), answer.no))
        (self.top / "drivers/right.c").write_bytes(WRONG)
        self.assertEqual(
            {("drivers/right.c", 9, "unmap-mapped-count")},
            self.places(self.check(baseline=str(file))))

    def test_a_revision_or_a_diff_leaves_what_did_not_change(self) -> None:
        (self.top / "drivers/right.c").write_bytes(WRONG)
        wanted = {("drivers/right.c", 9, "unmap-mapped-count")}
        self.assertEqual(wanted, self.places(self.check(base="HEAD")))
        diff = smalltree.git(self.top, "diff").encode()
        self.assertEqual(wanted, self.places(self.check(diff, base="-")))

    def test_a_folder_of_the_tree_is_judged_alone(self) -> None:
        (self.top / "drivers/part").mkdir(exist_ok=True)
        self.addCleanup(shutil.rmtree, self.top / "drivers/part")
        (self.top / "drivers/part/old.c").write_bytes(OLD)
        tree = trees.open_tree(str(self.top))
        under = trees.inside(tree, "./drivers/part")
        self.assertEqual("drivers/part", under)
        answer = self.check(under=under)
        self.assertEqual({("drivers/part/old.c", 5, "old-api")},
                         self.places(answer))
        self.assertTrue(answer.report.sums.startswith("sites 3: 3 converted"))
        for outside in (".", "..", "no-such-folder", "/"):
            self.assertEqual("", trees.inside(tree, outside))

    def test_a_base_that_comes_in_is_no_high_finding(self) -> None:
        """A step function may get the base of a DMA iterator."""
        cast = self.top / "drivers/cast.c"
        cast.write_bytes(b"""\
#include <linux/scatterlist.h>
static bool leap(struct sg_page_iter *page)
{
	struct sg_dma_page_iter *dma;

	dma = container_of(page, struct sg_dma_page_iter, base);
	return __sg_page_iter_dma_next(dma);
}
""")
        self.addCleanup(cast.unlink)
        found = [one for one in self.check().report.findings
                 if one.file == "drivers/cast.c"]
        self.assertEqual([("old-api", "moderate"),
                          ("base-to-dma-iterator", "moderate")],
                         [(one.rule, one.level) for one in found])

    def test_a_line_break_in_a_name_makes_no_second_finding(self) -> None:
        odd = self.top / "drivers/two\nlines.c"
        odd.write_bytes(WRONG)
        self.addCleanup(odd.unlink)
        self.assertEqual(
            {("drivers/two\nlines.c", 9, "unmap-mapped-count")},
            {place for place in self.places(self.check())
             if "two" in place[0]})

    def test_a_tree_that_the_core_cannot_suit_is_judged(self) -> None:
        standin = self.top / "drivers/standin.c"
        standin.write_bytes(b"#define for_each_sg_dma_page(l, i, n, o) \\\n"
                            b"\tfor_each_sg_page(l, i, n, o)\n" + WRONG)
        self.addCleanup(standin.unlink)
        header = self.top / "include/linux/scatterlist.h"
        whole = header.read_bytes()
        self.addCleanup(header.write_bytes, whole)
        for text in (whole, whole.replace(b"sg_page_iter", b"sg_leaf_iter")):
            header.write_bytes(text)
            found = self.places(self.check())
            self.assertIn(("drivers/standin.c", 11, "unmap-mapped-count"),
                          found)
            self.assertIn(("drivers/old.c", 5, "old-api"), found)

    def test_a_search_that_was_cut_off_is_an_error(self) -> None:
        for name, last in (("grep", "kill -KILL $$"), ("find", "exit 1")):
            bin = self.folder / f"bin-{name}"
            bin.mkdir()
            (bin / name).write_text(f"#!/bin/sh\n{last}\n")
            (bin / name).chmod(0o755)
            with mock.patch.dict(os.environ, {
                    "PATH": f"{bin}{os.pathsep}{os.environ['PATH']}"}), \
                    mock.patch.object(scan, "_FEW", 0), \
                    self.assertRaises(check.CheckError):
                self.check(cache=None)

    def test_an_unknown_revision_is_an_error(self) -> None:
        with self.assertRaises(changed.ChangedError):
            self.check(base="no-such-revision")

    def test_a_comment_in_the_source_allows_a_finding(self) -> None:
        (self.top / "drivers/wrong.c").write_bytes(WRONG.replace(
            b"\tdma_unmap_sg", b"\t/* sgwalk: allow N1: nothing merges */\n"
            b"\tdma_unmap_sg"))
        answer = self.check()
        self.assertNotIn("drivers/wrong.c",
                         {place[0] for place in self.places(answer)})
        self.assertEqual(1, answer.report.hidden)

    def test_a_rewrite_below_the_findings_line_is_found(self) -> None:
        (self.top / "drivers/right.c").write_bytes(LONG)
        fixes = self.check(form="json").report.fixes
        self.assertEqual({("drivers/right.c", 5): (6, 6)}, {
            (found.file, found.line): (fix.start, fix.end)
            for found, fix in fixes.items()
            if found.file == "drivers/right.c"})

    def test_sarif_has_the_rewrite_and_every_unread_file(self) -> None:
        answer = self.check(form="sarif")
        run = json.loads(answer.output)["runs"][0]
        fixes = {one["ruleId"]: one["fixes"][0]["artifactChanges"][0]
                 for one in run["results"] if "fixes" in one}
        self.assertEqual({"dma-walk-orig-nents", "unmap-mapped-count"}, set(fixes))
        place, = fixes["dma-walk-orig-nents"]["replacements"]
        self.assertEqual(
            "\tfor_each_sg_dma_page(sgt->sgl, &it, sgt->nents, 0)\n",
            place["insertedContent"]["text"])
        notes = {note["locations"][0]["physicalLocation"]["artifactLocation"]
                 ["uri"] for note in
                 run["invocations"][0]["toolExecutionNotifications"]}
        self.assertEqual({one.file for one in answer.report.findings
                          if one.kind == "unread"}, notes)
        self.assertIn("drivers/lost.c", notes)


class Foreign(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.top = smalltree.make(self.folder / "tree",
                                  {"drivers/wrong.c": WRONG})
        self.rules = self.folder / "rules"
        self.rules.mkdir()

    def check(self, scripts: bool = False) -> Answer:
        return check.check(
            trees.open_tree(str(self.top)),
            replace(settings(self.folder), foreign=(self.rules,),
                    scripts=scripts))

    @staticmethod
    def said(answer: Answer) -> list[Finding]:
        return [one for one in answer.report.findings
                if one.file == "drivers/wrong.c"]

    def test_a_script_is_refused_and_counted_unless_allowed(self) -> None:
        (self.rules / "here.cocci").write_bytes(PYTHON_RULE)
        answer = self.check()
        self.assertEqual([], self.said(answer))
        (name, why), = answer.report.skipped
        self.assertEqual("here", name)
        self.assertIn("SCRIPTS=allow", why)
        found, = self.said(self.check(scripts=True))
        self.assertEqual(("here", 5, 12, "moderate", "WARNING: here it is"),
                         (found.rule, found.line, found.column, found.level,
                          found.message))

    def test_context_mode_stands_in_for_a_script(self) -> None:
        (self.rules / "here.cocci").write_bytes(CONTEXT_RULE)
        found, = self.said(self.check())
        self.assertEqual((5, "here: say where dma_map_sgtable() is"),
                         (found.line, found.message))

    def test_no_script_runs_however_its_head_is_written(self) -> None:
        for name, text in test_smpl.ATTACKS.items():
            (self.rules / f"{name}.cocci").write_bytes(
                text.replace(b"RAN", os.fsencode(self.folder / "RAN")))
        (self.rules / "other.cocci").write_bytes(
            b"@initialize:python@\n@@\nopen('%s', 'w')\n"
            % os.fsencode(self.folder / "RAN"))
        answer = self.check()
        self.assertFalse((self.folder / "RAN").exists())
        self.assertEqual({*test_smpl.ATTACKS, "other"},
                         {name for name, _ in answer.report.skipped})

    def test_a_rule_that_cannot_be_read_costs_no_other(self) -> None:
        (self.rules / "here.cocci").write_bytes(CONTEXT_RULE)
        (self.rules / "gone.cocci").symlink_to("nowhere")
        os.mkfifo(self.rules / "pipe.cocci")
        answer = self.check()
        self.assertEqual(1, len(self.said(answer)))
        self.assertEqual(["gone", "pipe"],
                         [name for name, _ in answer.report.skipped])

    def test_marks_in_report_mode_are_not_taken_for_findings(self) -> None:
        (self.rules / "here.cocci").write_bytes(PYTHON_RULE.replace(
            b"dma_map_sgtable@p", b"* dma_map_sgtable@p"))
        found, = self.said(self.check(scripts=True))
        self.assertEqual((5, "WARNING: here it is"),
                         (found.line, found.message))

    def test_what_spatch_refuses_is_counted_and_the_rest_is_run(self) -> None:
        (self.rules / "here.cocci").write_bytes(PYTHON_RULE)
        (self.rules / "bad.cocci").write_bytes(b"virtual report\n@@\n)(\n")
        (self.rules / "new.cocci").write_bytes(
            b"// Requires: 99.1\n" + PYTHON_RULE)
        (self.rules / "odd.cocci").write_bytes(
            PYTHON_RULE.replace(b"--include-headers", b"--cmd=x"))
        (self.rules / "latin.cocci").write_bytes(
            b"// Author: \xe9\n" + PYTHON_RULE)
        answer = self.check(scripts=True)
        self.assertEqual({"bad", "new", "odd"},
                         {name for name, _ in answer.report.skipped})
        self.assertEqual({"here", "latin"},
                         {one.rule for one in self.said(answer)})


DRIVER = """
import sys
from dataclasses import replace
from pathlib import Path
sys.path[:0] = [{scripts!r}, {tests!r}]
from check import check
from judge import plan
from read import campaigns, tree
from check.check import Settings
done = check.check(tree.open_tree({top!r}), Settings(
    plan.Settings(Path({census!r}), (Path({rules!r}),), jobs=2, timeout=120),
    cache=Path({cache!r}), misuse=campaigns.every_misuse()))
sys.stdout.buffer.write(done.output)
"""


class Rough(unittest.TestCase):
    """Runs that are killed, and runs side by side."""

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.top = smalltree.make(self.folder / "tree", FILES)

    def start(self, cache: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-c", DRIVER.format(
                scripts=str(ROOT / "scripts"), top=str(self.top),
                tests=str(ROOT / "scripts/test/tests"),
                census=str(smalltree.census()),
                rules=str(ROOT / "cocci/sg-dma-page/migrate"),
                cache=str(self.folder / cache))],
            stdout=subprocess.PIPE, start_new_session=True)

    def test_two_at_once_and_one_after_a_kill_say_the_same(self) -> None:
        pair = [self.start("shared"), self.start("shared")]
        outputs = [process.communicate()[0] for process in pair]
        self.assertIn(b"unmap-mapped-count", outputs[0])
        self.assertEqual(outputs[0], outputs[1])
        for seconds in (0.3, 2.0):
            process = self.start("killed")
            time.sleep(seconds)
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        self.assertEqual(outputs[0], self.start("killed").communicate()[0])


if __name__ == "__main__":
    unittest.main()
