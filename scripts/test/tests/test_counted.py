# SPDX-License-Identifier: GPL-2.0-only
"""plan and the count rules: what is claimed of counts, and what is changed.

One plan of a small tree answers for all of them.
"""

import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from run import rules
from judge import plan
import smalltree
from read import tree as trees
from judge.counts import Count, Kind, Why
from judge.ledger import Entry
from judge.plan import Plan

HEAD = """#include <linux/dma-mapping.h>
#include <linux/scatterlist.h>

"""
WALK = """	for_each_sg_page(LIST, &it, COUNT, 0)
		*out++ = sg_page_iter_dma_address(&it);
"""


def function(name: str, middle: str, sgl: str = "sgl", count: str = "n",
             declared: str = "") -> str:
    return (f"int {name}(struct device *dev, struct scatterlist *sgl, int n,\n"
            f"\t\tstruct sg_table *t, struct sg_table *u, u64 *out)\n{{\n"
            f"\tstruct sg_page_iter it;\n{declared}\n{middle}"
            + WALK.replace("LIST", sgl).replace("COUNT", count)
            + "\treturn 0;\n}\n")


MAP = "\tn = dma_map_sg(dev, sgl, n, DMA_TO_DEVICE);\n"
TABLE = "\tt->nents = dma_map_sg(dev, t->sgl, t->orig_nents, DMA_TO_DEVICE);\n"
KEPT = "\tm = dma_map_sg(dev, sgl, n, DMA_TO_DEVICE);\n"
STARTED = """void f(struct sg_table *t, u64 *out)
{
DECLARED
	__sg_page_iter_start(&b, t->sgl, t->nents, 0);
	while (__sg_page_iter_next(&b))
		*out++ = sg_page_iter_dma_address(&b);
	for_each_sg_page(t->sgl, &a, t->orig_nents, 0)
		*out++ = sg_page_iter_dma_address(&a);
}
"""
ENDED = """int f(struct device *dev, struct sg_table *t, u64 *out)
{
	struct sg_page_iter it;

	if (dev) {
		int n = dma_map_sg(dev, t->sgl, t->orig_nents, DMA_TO_DEVICE);

		if (!n)
			return 1;
	}
	for_each_sg_page(t->sgl, &it, t->orig_nents, 0)
		*out++ = sg_page_iter_dma_address(&it);
	return 0;
}
"""
SECOND = """void f(struct device *dev, struct sg_table *t, struct page **p, u64 *out)
{
	struct sg_page_iter it;

	for_each_sg_page(t->sgl, &it, t->orig_nents, 0) {
		*p++ = sg_page_iter_page(&it);
	}
	t->nents = dma_map_sg(dev, t->sgl, t->orig_nents, DMA_TO_DEVICE);
	for_each_sg_page(t->sgl, &it, t->nents, 0) {
		*out++ = sg_page_iter_dma_address(&it);
	}
}
"""
FILES = {
    "mapped.c": function("f", MAP),
    "table.c": function("f", TABLE, "t->sgl", "t->nents"),
    "other.c": function("f", MAP, "t->sgl"),
    "branch.c": function("f", "\tif (dev)\n\t" + MAP),
    "macro.c": "#define CLEAR (n = 1)\n\n" + function("f", MAP
                                                      + "\tCLEAR;\n"),
    "header.c": "#include \"local.h\"\n\n" + function("f", MAP
                                                      + "\tclear();\n"),
    "ifdef.c": function("f", MAP + "#ifdef CONFIG_A\n\tn = 1;\n#endif\n"),
    "asm.c": function("f", MAP + "\tasm(\"\" : \"+r\" (n));\n"),
    "alias.c": function("f", MAP + "\tdma_unmap_sg(dev, o, 1, 0);\n",
                        declared="\tstruct scatterlist *o = sgl;\n"),
    "alias_table.c": function(
        "f", "\tif (dma_map_sgtable(dev, t, 0, 0))\n\t\treturn 1;\n"
        "\tdma_unmap_sgtable(dev, u, 0, 0);\n", "t->sgl", "t->nents"),
    "left.c": function("f", MAP + "\tif (!n) {\n\t\tdma_unmap_sg(dev, u->sgl,"
                       " 1, 0);\n\t\treturn 1;\n\t}\n"),
    "bits.c": "struct s { unsigned int k : 2; };\n\n" + function(
        "f", "\ts.k = dma_map_sg(dev, sgl, n, 0);\n", count="s.k",
        declared="\tstruct s s;\n"),
    "union.c": "union s { int k; char c[4]; };\n\n" + function(
        "f", "\ts.k = dma_map_sg(dev, sgl, n, 0);\n\ts.c[0] = 1;\n",
        count="s.k", declared="\tunion s s;\n"),
    "field.c": "struct s { int k; };\n\n" + function(
        "f", "\ts.k = dma_map_sg(dev, sgl, n, 0);\n", count="s.k",
        declared="\tstruct s s;\n"),
    "passed.c": function("f", KEPT, declared="\tint m;\n"),
    "hidden.c": function("f", KEPT + "#ifdef CONFIG_A\n\tm = 1;\n#endif\n",
                         declared="\tint m;\n"),
    "orig.c": function("f", "", "t->sgl", "t->orig_nents"),
    "entries.c": function("f", "", "t->sgl", "sg_nents(t->sgl)"),
    "ended.c": ENDED,
    "second.c": SECOND,
    "order1.c": STARTED.replace("DECLARED", "\tstruct sg_page_iter a;\n"
                                "\tstruct sg_page_iter b;\n"),
    "order2.c": STARTED.replace("DECLARED", "\tstruct sg_page_iter b;\n"
                                "\tstruct sg_page_iter a;\n"),
    # A walk of its own, which stays what it is.
    "before.c": function("f", KEPT, declared="\tint m;\n").replace(
        "sg_page_iter it", "sg_dma_page_iter it").replace(
            "for_each_sg_page", "for_each_sg_dma_page"),
}


class CountedTest(unittest.TestCase):
    plan: Plan

    @classmethod
    def setUpClass(cls) -> None:
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        root = Path(scratch.name) / "linux"
        files = {file: (HEAD + text).encode()
                 for file, text in FILES.items()}
        smalltree.make(root, {**files, "local.h": b"#define clear() (n = 1)\n"})
        cls.plan = plan.make_plan(trees.open_tree(str(root)), smalltree.settings())

    def entries(self, file: str) -> list[Entry]:
        return [entry for entry in self.plan.ledger.entries
                if entry.site.file == file and entry.count is not None]

    def count(self, file: str) -> Count:
        entry, = self.entries(file)
        self.assertEqual(entry.verdict, "converted")
        assert entry.count is not None
        return entry.count

    def line(self, file: str, words: str) -> int:
        return (HEAD + FILES[file]).split("\n").index(words.strip("\n")) + 1

    def test_value_of_the_mapping_is_mapped_and_names_its_line(self) -> None:
        self.assertEqual(self.count("mapped.c"), Count(
            "n", Kind.MAPPED, Why.RETURNED, "dma_map_sg",
            self.line("mapped.c", MAP)))
        self.assertEqual(self.count("table.c").line,
                         self.line("table.c", TABLE))

    def test_witness_is_the_line_before_the_run(self) -> None:
        # A declaration comes in above it.
        count = self.count("second.c")
        self.assertIs(count.kind, Kind.MAPPED)
        self.assertEqual(count.line, self.line("second.c", TABLE))
        self.assertIn(f"returned at line {count.line};",
                      self.entries("second.c")[0].reason)

    def test_what_is_not_proven_is_unknown(self) -> None:
        for file in ("other.c", "branch.c", "macro.c", "header.c", "ifdef.c",
                     "asm.c", "alias.c", "alias_table.c", "bits.c",
                     "union.c"):
            with self.subTest(file):
                self.assertIs(self.count(file).kind, Kind.UNKNOWN)

    def test_what_looks_like_these_is_proven(self) -> None:
        for file in ("left.c", "field.c"):
            with self.subTest(file):
                self.assertIs(self.count(file).kind, Kind.MAPPED)

    def test_count_of_entries_is_unmapped(self) -> None:
        self.assertIs(self.count("orig.c").why, Why.ORIG)
        self.assertIs(self.count("entries.c").why, Why.ENTRIES)

    def test_count_that_is_at_hand_is_passed(self) -> None:
        self.assertIn(b"for_each_sg_dma_page(sgl, &it, m, 0)",
                      self.plan.after["passed.c"])
        self.assertEqual(self.count("passed.c"), Count(
            "m", Kind.MAPPED, Why.RETURNED, "dma_map_sg",
            self.line("passed.c", KEPT)))
        self.assertIn("count-passed", [rule.name for rule
                                       in self.plan.rules["passed.c"]])

    def test_count_is_not_passed_past_the_preprocessor(self) -> None:
        self.assertIn(b"&it, n, 0)", self.plan.after["hidden.c"])

    def test_count_in_an_ended_block_costs_no_rename(self) -> None:
        self.assertIn(b"for_each_sg_dma_page(t->sgl, &it, t->orig_nents, 0)",
                      self.plan.after["ended.c"])
        self.assertIs(self.count("ended.c").kind, Kind.UNMAPPED)

    def test_order_of_declarations_changes_no_claim(self) -> None:
        for file in ("order1.c", "order2.c"):
            with self.subTest(file):
                self.assertEqual(
                    [(entry.site.line, entry.count.expression,
                      entry.count.kind) for entry in self.entries(file)
                     if entry.count],
                    [(9, "t->nents", Kind.UNKNOWN),
                     (12, "t->orig_nents", Kind.UNMAPPED)])

    def test_walk_that_the_tree_had_is_left(self) -> None:
        self.assertNotIn("before.c", self.plan.after)


class RulesTest(unittest.TestCase):
    """Rule files stand alone, so they repeat each other: in the same words."""

    def test_parts_of_one_name_are_the_same(self) -> None:
        folder = smalltree.ROOT / "cocci/sg-dma-page/migrate"
        for name in ("reads", "copies", "syncs", "tells", "tries", "errs",
                     "odd", "narrow", "handed", "loaned", "aliased",
                     "entered", "twice", "over", "counter", "ended"):
            texts = {re.sub(r"\s+", " ", part.head + part.declared + part.body)
                     for file in folder.glob("count-*.cocci")
                     for part in rules.parts(file) if part.name == name}
            with self.subTest(name):
                self.assertEqual(len(texts), 1)

    def test_no_rule_fails_on_a_count_in_an_ended_block(self) -> None:
        folder = smalltree.ROOT / "cocci/sg-dma-page/migrate"
        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch) / "ended.c"
            file.write_text(HEAD + ENDED)
            for rule in ("local-walk", "count-passed"):
                done = subprocess.run(
                    ["spatch", "--very-quiet", "--no-includes", "-D", "patch",
                     "--sp-file", str(folder / f"{rule}.cocci"), str(file)],
                    capture_output=True, text=True, check=False)
                with self.subTest(rule):
                    self.assertEqual(done.returncode, 0)
                    self.assertNotIn("inconsistent", done.stderr)
                    self.assertEqual("sg_dma_page_iter" in done.stdout,
                                     rule == "local-walk")


if __name__ == "__main__":
    unittest.main()
