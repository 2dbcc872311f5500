# SPDX-License-Identifier: GPL-2.0-only
"""rules: the header contract, and the lint on every rule of the project."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SCRIPTS))

from run import rules  # noqa: E402
from run import spatch  # noqa: E402
from run.rules import RuleError  # noqa: E402

COCCI = SCRIPTS.parent / "cocci"

GOOD = """\
// SPDX-License-Identifier: GPL-2.0-only
/// Walk DMA addresses with the DMA page iterator
///
/// The first line of the body.
///
/// The last line of the body.
///
//# Left alone: other code.
//
// Shape: S01, S35b, B
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: kept
// Reason: page-walk: a walk that
//   reads pages only
// Tokens: sg_page_iter .sg_pgoffset

virtual patch
virtual context
virtual org
virtual report

// call: any call
@call@
identifier fn;
position p;
@@
fn@p(...)
"""


class RulesTest(unittest.TestCase):

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory(prefix="sgwalk.")
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)

    def write(self, text: str, name: str = "call.cocci") -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode("latin-1"))
        return path

    def refused(self, text: str, said: str, name: str = "call.cocci") -> None:
        path = self.write(text, name)
        with self.assertRaisesRegex(RuleError, f"^{path}: {said}"):
            rules.load([path])


class HeaderTest(RulesTest):

    def test_header_is_read_whole(self) -> None:
        path = self.write(GOOD, "migrate/call.cocci")
        rule, = rules.load([path])
        self.assertEqual(
            (rule.name, rule.path, rule.folder), ("call", path, "migrate"))
        self.assertEqual(rule.summary,
                         "Walk DMA addresses with the DMA page iterator")
        self.assertEqual(rule.body, "The first line of the body.\n\n"
                         "The last line of the body.")
        self.assertEqual(rule.modes, {"patch", "context", "org", "report"})
        self.assertEqual((rule.confidence, rule.requires, rule.verdict),
                         ("High", "1.0.8", "kept"))
        self.assertEqual(rule.options, ("--no-includes", "--include-headers"))
        self.assertEqual(rule.shape, ("S01", "S35b", "B"))
        self.assertEqual(rule.reason,
                         "page-walk: a walk that reads pages only")
        self.assertEqual(rule.tokens, ("sg_page_iter", ".sg_pgoffset"))

    def test_each_slip_in_a_header_is_refused(self) -> None:
        slips = {
            ("// SPDX-License-Identifier: GPL-2.0-only\n", ""): "line 1 is",
            ("// Verdict: kept", "// Veridct: kept"):
                "line 14: unknown key: Veridct",
            ("// Verdict: kept\n", ""): "no Verdict",
            ("// Confidence: High", "// Confidence: High\n"
             "// Confidence: High"): "line 12: a second Confidence",
            ("Confidence: High", "Confidence: Certain"):
                "Confidence is `Certain`, not one of High, Moderate, Low",
            ("Verdict: kept", "Verdict: left"): "Verdict is `left`",
            ("Shape: S01", "Shape: local-walk"): "Shape cannot hold",
            ("Shape: S01, ", "Shape: S01,, "): "Shape cannot hold",
            ("Requires: 1.0.8", "Requires: 1"): "Requires cannot hold",
            ("Requires: 1.0.8", "Requires: 1.0.8 1.1.1"):
                "Requires holds more",
            ("Options: --no", "Options: $(touch hit) --no"):
                "Options cannot hold",
            ("// Reason: page-walk: a walk that\n//   reads pages only\n",
             ""): "no Reason, and its verdict is kept",
            ("Reason: page-walk: a", "Reason: a"): "Reason is not",
            ("Verdict: kept", "Verdict: converted"): "a Reason, but",
            ("Tokens: sg_page_iter", "Tokens: sg-page"): "Tokens cannot",
            ("/// Walk DMA", "/// " + "x" * 40 + " Walk DMA"):
                "the summary has 86 columns",
            ("///\n/// The first", "/// The first"): "the /// lines are not",
            ("/// Walk", "///Walk"): "line 2: no blank after ///",
            ("//# Left alone: other code.", "// other code"): "line 8: not",
            ("//# Left alone", "// Left"): "line 8: unknown key: Left",
            ("virtual", "virtuel"): "declares no virtual mode",
            ("other code", "\xf6ther code"): "byte .* is not ASCII",
        }
        for (old, new), said in slips.items():
            with self.subTest(old=old, new=new):
                self.assertIn(old, GOOD)
                self.refused(GOOD.replace(old, new), said)

    def test_folder_stands_for_its_rules_but_those_under_work(self) -> None:
        for name in ("b.cocci", "a.cocci", "c.pending.cocci", "kernel.h"):
            self.write(GOOD, name)
        self.assertEqual([rule.name for rule in rules.load([self.folder])],
                         ["a", "b"])
        pending, = rules.load([self.folder / "c.pending.cocci"])
        self.assertEqual(pending.name, "c.pending")

    def test_folder_without_rules_is_refused(self) -> None:
        with self.assertRaisesRegex(RuleError, "no rule"):
            rules.load([self.folder])

    def test_rule_that_is_not_there_is_refused(self) -> None:
        with self.assertRaisesRegex(RuleError, "No such file"):
            rules.load([self.folder / "none.cocci"])

    def test_two_rules_of_one_name_are_refused(self) -> None:
        one = self.write(GOOD, "migrate/call.cocci")
        two = self.write(GOOD, "misuse/call.cocci")
        with self.assertRaisesRegex(RuleError, f"^{two}: {one} has the same"):
            rules.load([one, two])


class LintTest(RulesTest):

    def lint(self, body: str) -> list[str]:
        return rules.lint(self.write(GOOD + body))

    def test_good_rule_has_no_complaint(self) -> None:
        self.assertEqual(self.lint(
            "\n// more: what it inherits, and what constrains it\n@more "
            "depends on patch@\nidentifier call.fn, x != {a, b};\n"
            "position call.p;\nposition q != call.p;\n"
            "local idexpression struct sg_page_iter it;\n"
            "expression list[n] es;\ntypedef u99;\nu99 y;\n"
            "iterator name for_each;\ntype T;\nT *ptr;\n@@\n"
            "fn@p(x@q, it, es, y, ptr, (T)0)\n"), [])

    def test_kind_that_spatch_takes_for_a_type_is_found(self) -> None:
        self.assertEqual(
            self.lint("// bad: a slip\n@@\nexpresion e;\n@@\nf(e)\n"),
            ["line 31: `expresion e`: no such kind of metavariable"])

    def test_metavariable_that_nothing_uses_is_found(self) -> None:
        self.assertEqual(
            self.lint("// bad: e is left over\n@@\nexpression e, f;\n@@\n"
                      "g(f)\n"), ["line 31: metavariable e is not used"])

    def test_use_in_a_comment_is_no_use(self) -> None:
        self.assertEqual(
            self.lint("// bad: e\n@@\nexpression e;\n@@\ng(1) // e\n"),
            ["line 31: metavariable e is not used"])

    def test_use_by_a_later_rule_is_a_use(self) -> None:
        self.assertEqual(
            self.lint("// one: binds p\n@one@\nidentifier f;\nposition p;\n"
                      "@@\nf@p()\n// say: uses it\n@script:python depends on "
                      "report@\np << one.p;\n@@\nprint(p)\n"), [])

    def test_use_as_the_tag_of_a_type_is_a_use(self) -> None:
        self.assertEqual(
            self.lint("// held: by a structure\n@@\nidentifier tag;\n"
                      "struct tag *ptr;\n@@\nf(ptr)\n"), [])

    def test_named_part_without_a_comment_is_found(self) -> None:
        path = self.write(
            GOOD + "// first, second: named together\n@first@\n@@\nf(1)\n\n"
            "@second@\n@@\nf(2)\n\n@third@\n@@\nf(3)\n\n"
            "@depends on patch@\n@@\n- f(4)\n")
        self.assertEqual(
            rules.uncommented(path),
            ["line 39: no comment says what third is evidence of"])

    def test_missing_mode_is_found(self) -> None:
        path = self.write(GOOD.replace("virtual org\n", ""))
        self.assertEqual(rules.lint(path), ["virtual org is missing"])


class ProjectTest(unittest.TestCase):
    """Every rule that is shipped."""

    def test_rules_load_together(self) -> None:
        self.assertGreater(len(rules.load([COCCI])), 0)

    def test_rules_have_no_complaint(self) -> None:
        for path in sorted(COCCI.rglob("*.cocci")):
            with self.subTest(path.name):
                self.assertEqual(rules.lint(path), [])

    def test_spatch_accepts_each_mode_of_each_rule(self) -> None:
        wanted = [(path, mode) for path in sorted(COCCI.rglob("*.cocci"))
                  for mode in rules.MODES]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for (path, mode), why in zip(wanted, pool.map(
                    lambda pair: spatch.refusal(*pair), wanted)):
                with self.subTest(path.name, mode=mode):
                    self.assertEqual(why, "")

    def test_what_count_rules_share_is_the_same(self) -> None:
        """Which fields hold a mapped count is one question, asked six times.

        A rule file stands on its own, so each has its copy of the answer.
        """
        shared = ("whole", "one", "holder", "stored", "again", "later",
                  "held", "small", "back", "other", "given", "muddy",
                  "unclear", "doubled", "double_cnt", "twofold")
        # iommu_map_sg() is judged by the call alone.
        files = sorted(
            path for path in COCCI.glob("*/misuse/*-mapped-count.cocci")
            if path.stem != "iommu-map-mapped-count")
        self.assertEqual(len(files), 6)
        first, *others = [
            {part.name: (part.head, part.declared, part.body.strip())
             for part in rules.parts(path) if part.name in shared}
            for path in files]
        self.assertEqual(sorted(first), sorted(shared))
        for path, other in zip(files[1:], others):
            with self.subTest(path.name):
                self.assertEqual(other, first)

    def test_repairs_of_the_two_calls_are_the_same(self) -> None:
        """What a mapping was given is one question for unmap and for sync."""
        def proof(path: Path) -> list[tuple[str, str, str]]:
            parts = rules.parts(path)
            first = next(at for at, part in enumerate(parts)
                         if part.name == "called")
            # The names of the calls are all that may differ.
            return [(part.head, re.sub(
                r"identifier (?:un)?(?:map|sync) = \{[^}]*\};", "",
                part.declared).strip(), re.sub(
                    r"^(?:unmap|sync)\(", "call(", part.body, flags=re.M
                ).strip()) for part in parts[first:]
                if "report" not in part.head and "org" not in part.head
                and "context" not in part.head]

        folder = COCCI / "sg-counts/misuse"
        self.assertEqual(proof(folder / "unmap-mapped-count.cocci"),
                         proof(folder / "sync-mapped-count.cocci"))


if __name__ == "__main__":
    unittest.main()
