# SPDX-License-Identifier: GPL-2.0-only
"""fixtures: each way in which a case can fail, with spatch and gcc."""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

SCRIPTS = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SCRIPTS))

from test import fixtures  # noqa: E402
from test.fixtures import FixtureError  # noqa: E402

ROOT = SCRIPTS.parent

FACTS = """\
// SPDX-License-Identifier: GPL-2.0-only
/*
 * case: one loop
 * shape: S01
{more} */
#include <linux/scatterlist.h>

"""
OLD = FACTS + """\
void fill(struct sg_table *sgt, dma_addr_t *out)
{{
	struct sg_page_iter it;

	for_each_sg_page(sgt->sgl, &it, sgt->nents, 0)
		*out++ = sg_page_iter_dma_address(&it);
}}
"""
NEW = OLD.replace("sg_page_iter it", "sg_dma_page_iter it") \
    .replace("for_each_sg_page", "for_each_sg_dma_page")
PAGES = FACTS + """\
void fill(struct sg_table *sgt, struct page **out)
{{
	struct sg_page_iter it;

	for_each_sg_page(sgt->sgl, &it, sgt->orig_nents, 0)
		*out++ = sg_page_iter_page(&it);
}}
"""
# The rule for local iterators leaves a parameter alone.
STEP = FACTS + """\
dma_addr_t step(struct sg_page_iter *it);
dma_addr_t step(struct sg_page_iter *it)
{{
	return sg_page_iter_dma_address(it);
}}
"""
STEPPED = STEP.replace("sg_page_iter *", "sg_dma_page_iter *")
REPORT = "{name}.before.c:10:8-20: local-walk: step with " \
    "for_each_sg_dma_page()\n"

TWICE = """\
// SPDX-License-Identifier: GPL-2.0-only
/// Count before each step
///
/// For a test: the rule finds its own result.
///
// Shape: S01
// Confidence: High
// Options: --no-includes
// Requires: 1.0.8
// Verdict: converted

virtual patch
virtual context
virtual org
virtual report

// next: every call
@depends on patch@
expression e;
@@
+ sg_nents(e);
  return sg_next(e);
"""
ONCE = FACTS + """\
struct scatterlist *f(struct scatterlist *sg);
struct scatterlist *f(struct scatterlist *sg)
{{
	return sg_next(sg);
}}
"""


class FixturesTest(unittest.TestCase):

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory(prefix="sgwalk.")
        self.addCleanup(scratch.cleanup)
        self.root = Path(scratch.name)
        (self.root / "scripts").symlink_to(SCRIPTS)
        self.cases = self.root / "fixtures/sg-dma-page/local-walk"
        self.cases.mkdir(parents=True)
        for name in ("include", "tree"):
            (self.cases.parent / name).symlink_to(
                ROOT / "fixtures/sg-dma-page" / name)
        rules = self.root / "cocci/sg-dma-page/migrate"
        rules.mkdir(parents=True)
        (rules / "local-walk.cocci").write_bytes(
            (ROOT / "cocci/sg-dma-page/migrate/local-walk.cocci").read_bytes())

    def pair(self, name: str, before: str = OLD, after: str = NEW,
             report: str = REPORT, more: str = "") -> None:
        more = f" * {more}\n" if more else ""
        (self.cases / f"{name}.before.c").write_text(before.format(more=more))
        (self.cases / f"{name}.after.c").write_text(after.format(more=more))
        if report:
            line = before.format(more=more).split("\n").index(
                "\tstruct sg_page_iter it;") + 1
            (self.cases / f"{name}.report").write_text(
                report.format(name=name).replace(":10:", f":{line}:"))

    def same(self, name: str, text: str = PAGES, more: str = "") -> None:
        more = f" * {more}\n" if more else ""
        (self.cases / f"{name}.same.c").write_text(text.format(more=more))

    def check(self) -> dict[str, list[str]]:
        found = fixtures.check(fixtures.load(self.root), self.root)
        return {name.rpartition("/")[2]: texts
                for name, texts in found.items()}

    def one(self, texts: list[str]) -> str:
        self.assertEqual(len(texts), 1, texts)
        return texts[0]


class CheckTest(FixturesTest):

    def test_each_broken_promise_is_found_and_a_good_case_is_not(
            self) -> None:
        self.pair("good")
        self.same("silent", more="api: old, new, transitional")
        self.pair("missed", STEP, STEPPED, "", "known-miss: a parameter")
        self.pair("found", more="known-miss: it is not")
        self.pair("reflowed", after=NEW.replace("*out++ =", "*out++  ="))
        self.pair("untyped", after=NEW.replace("sg_dma_page_iter it",
                                               "sg_page_iter it"))
        self.pair("unreported", report="")
        self.same("changed", OLD)
        self.pair("page-walk", PAGES, PAGES, "")
        self.pair("guarded", STEP.replace(
            "dma_addr_t step(", "#ifndef OLD_API\n#error old\n#endif\n"
            "dma_addr_t step(", 1).replace("sg_page_iter *", "page *")
            .replace("sg_page_iter_dma_address(it)", "it == NULL"),
            STEPPED, "")
        self.pair("accepted", more="accepted: it is not")
        self.same("old-only", OLD, "api: old, new")
        found = self.check()
        self.assertEqual([name for name, texts in found.items()
                          if not texts],
                         ["good", "missed", "silent", "local-walk"])
        self.assertIn("it is found now", found["found"][0])
        self.assertRegex(self.one(found["reflowed"]),
                         r"^rewrite of reflowed.before.c\n")
        self.assertRegex(found["untyped"][0], "^rewrite")
        self.assertRegex(found["untyped"][1],
                         "^after.c does not compile with the new API")
        self.assertRegex(self.one(found["unreported"]), "^report\n")
        self.assertRegex(found["changed"][0], "^rewrite")
        self.assertRegex(self.one(found["page-walk"]),
                         "^before.c compiles with the new API: there was")
        self.assertTrue(any("for another reason" in text
                            for text in found["guarded"]), found["guarded"])
        self.assertRegex(self.one(found["accepted"]),
                         "^before.c does not compile with the new API")
        self.assertTrue(any(text.startswith("before.c does not compile with "
                                            "the new API")
                            for text in found["old-only"]))

    def test_rule_that_finds_its_own_result_or_never_speaks_is_found(
            self) -> None:
        (self.root / "cocci/sg-dma-page/misuse").mkdir()
        (self.root / "cocci/sg-dma-page/misuse/twice.cocci").write_text(TWICE)
        self.cases = self.root / "fixtures/sg-dma-page/twice"
        self.cases.mkdir()
        self.pair("next", ONCE, ONCE.replace(
            "\treturn", "\tsg_nents(sg);\n\treturn"), "")
        found = self.check()
        self.assertRegex(self.one(found["next"]), "^second run:\n---")
        self.assertEqual(found["twice"], ["no case that the rule reports"])
        self.assertEqual(found["local-walk"],
                         ["no case that the rule reports",
                          "no case that the rule is silent on"])

    def test_a_rule_that_rewrites_findings_needs_a_pair(self) -> None:
        (self.root / "cocci/sg-dma-page/misuse").mkdir()
        rule = self.root / "cocci/sg-dma-page/misuse/twice.cocci"
        self.cases = self.root / "fixtures/sg-dma-page/twice"
        self.cases.mkdir()
        self.same("quiet")
        rule.write_text(TWICE.replace(
            "Verdict: converted",
            "Verdict: finding\n// Reason: twice: it is\n// Tokens: sg_next"))
        self.assertIn("no case that the rule rewrites", self.check()["twice"])

    def test_header_belongs_to_the_unit(self) -> None:
        header = "struct held { struct sg_page_iter iter; };\n"
        source = OLD.replace("#include <linux/scatterlist.h>\n",
                             "#include <linux/scatterlist.h>\n"
                             "#include \"held.h\"\n")
        self.pair("held", source, NEW.replace(
            "#include <linux/scatterlist.h>\n",
            "#include <linux/scatterlist.h>\n#include \"held.h\"\n"))
        (self.cases / "held.same.h").write_text(header)
        self.same("silent")
        self.assertEqual(self.check()["held"], [])
        (self.cases / "held.same.h").unlink()
        self.assertIn("held.h: No such file", self.check()["held"][0])

    def test_case_for_the_driver_is_held_to_its_plan(self) -> None:
        self.pair("good", more="plain: a test")
        # Each has names of its own, as they are one tree.
        self.pair("doubted", OLD.replace("fill(", "fill_2("),
                  NEW.replace("fill(", "fill_2("),
                  more="plain: a test\n * verdict: kept")
        self.pair("unchanged", OLD.replace("fill(", "fill_3("),
                  OLD.replace("fill(", "fill_3("), more="plain: a test")
        found = self.check()
        self.assertEqual(found["good"], [])
        self.assertRegex(found["doubted"][0], "converted, not kept")
        self.assertRegex(found["unchanged"][0], "^plan of drivers/")

    def test_bless_writes_what_the_rule_says(self) -> None:
        self.pair("good")
        wanted = {file.name: file.read_bytes()
                  for file in self.cases.iterdir()}
        (self.cases / "good.report").unlink()
        (self.cases / "good.after.c").write_bytes(wanted["good.before.c"])
        self.same("silent")
        (self.cases / "silent.report").write_text("silent.same.c:1:1-1: x\n")
        written = fixtures.bless(fixtures.load(self.root))
        self.assertEqual({file.name for file in written},
                         {"good.report", "good.after.c", "silent.report"})
        for name, text in wanted.items():
            self.assertEqual((self.cases / name).read_bytes(), text)
        self.assertFalse((self.cases / "silent.report").exists())


class LoadTest(FixturesTest):

    def refused(self, said: str) -> None:
        with self.assertRaisesRegex(FixtureError, said):
            fixtures.load(self.root)

    def test_slip_in_the_facts_is_refused(self) -> None:
        for old, new, said in (
                ("case:", "caes:", "unknown key: caes"),
                (" * case: one loop\n", "", "no case"),
                (" * shape: S01\n", "", "no shape"),
                ("S01", "S18", "no such shape: S18"),
                ("S01", "S01, S39", "no such shape: S39"),
                ("{more}", " * case: another\n", "a second case"),
                ("{more}", " * api: newest\n", "no such api: newest"),
                ("{more}", " * verdict: kept\n", "a verdict, and not plain"),
                ("{more}", " * plain: x\n * verdict: left\n",
                 "no such verdict: left"),
                ("{more}", " and more\n", "line 5 is no `key: value`"),
                ("// SPDX", "// spdx", "line 1 is not the SPDX"),
                ("/*\n", "\n", "line 2 does not open")):
            with self.subTest(new=new):
                self.same("x", PAGES.replace(old, new, 1))
                self.refused(f"x.same.c: .*{said}")

    def test_value_goes_on_in_an_indented_line(self) -> None:
        self.same("x", more="known-miss: one\n *   two")
        case, = fixtures.load(self.root)
        self.assertEqual(case.fact("known-miss"), "one two")

    def test_incomplete_set_of_files_is_refused(self) -> None:
        for names, said in (
                (("x.before.c",), "x: not a before.c and an after.c"),
                (("x.before.c", "x.after.c", "x.same.c"), "x: not a before"),
                (("x.report",), "x: not a before.c"),
                (("x.same.c", "x.before.h"), "x: not a before.h and an"),
                (("x.same.c", "x.before.h", "x.after.h"), "x: the header"),
                (("x.smae.c",), "x.smae.c: not a name")):
            with self.subTest(names=names):
                for name in names:
                    (self.cases / name).write_text(PAGES.format(more=""))
                self.refused(said)
                for name in names:
                    (self.cases / name).unlink()

    def test_cases_without_a_rule_are_refused(self) -> None:
        self.cases = self.root / "fixtures/sg-dma-page/local-wlak"
        self.cases.mkdir()
        self.same("x")
        self.refused("local-wlak: cases, and no rule of that name")

    def test_ids_without_a_case_are_named(self) -> None:
        self.same("x", PAGES.replace("S01", "S01, B, S31"))
        cases = fixtures.load(self.root)
        missing = fixtures.ids_without_case(cases)
        self.assertEqual(len(missing), 20 + 1 + 9 - 3)
        self.assertNotIn("S31", missing)
        self.assertIn("S30", missing)
        self.assertIn("N8", fixtures.ids_without_case(cases, ("E",)))

    def test_misuse_needs_a_hit_and_a_look_alike_an_id(self) -> None:
        cases = fixtures.load()
        self.assertEqual([], fixtures.one_sided(cases))
        self.assertEqual(
            ["N8: no case that is reported"], fixtures.one_sided(
                [case for case in cases
                 if "N8" not in case.shape or not case.report]))
        self.assertEqual(
            ["M5: no look-alike that stays silent"], fixtures.one_sided(
                [case for case in cases
                 if "M5" not in case.shape or case.report]))


class MainTest(unittest.TestCase):

    def run_main(self, *words: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), \
                contextlib.redirect_stderr(err):
            status = fixtures.main(words)
        return status, out.getvalue(), err.getvalue()

    def test_one_case_of_the_project_passes(self) -> None:
        first = str(fixtures.load()[0])
        self.assertEqual(self.run_main(first), (0, "1 passed, 0 failed\n", ""))

    def test_case_that_is_not_there_is_an_error(self) -> None:
        with self.assertRaisesRegex(FixtureError, "no-such/case"):
            self.run_main("no-such/case")

    def test_fewer_cases_than_the_floor_fail(self) -> None:
        with mock.patch.object(fixtures, "FLOOR", 10 ** 6), \
                mock.patch.object(fixtures, "check", lambda cases: {}):
            status, out, err = self.run_main()
        self.assertEqual((status, out), (1, "1 passed, 1 failed\n"))
        self.assertRegex(err, "^floor: .* fewer than 1000000")


if __name__ == "__main__":
    unittest.main()
