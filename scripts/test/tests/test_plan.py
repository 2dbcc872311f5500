# SPDX-License-Identifier: GPL-2.0-only
"""plan.make_plan(): every site of a tree gets the right verdict."""

import tempfile
import unittest
from pathlib import Path
from typing import Any, Mapping
from unittest import mock

from read import core
from judge import plan
import sgpage
import smalltree
from read import tree as trees
from judge.judge import Verdict
from judge.ledger import LedgerError
from judge.plan import Plan

WALK = b"""#include <linux/scatterlist.h>

void NAME(struct sg_table *t, u64 *out)
{
	struct sg_page_iter it;

	for_each_sg_page(t->sgl, &it, t->nents, 0)
		*out++ = sg_page_iter_dma_address(&it);
}
"""
PAGES = WALK.replace(b"sg_page_iter_dma_address", b"sg_page_iter_page")
NEW = WALK.replace(b"sg_page_iter it", b"sg_dma_page_iter it").replace(
    b"for_each_sg_page", b"for_each_sg_dma_page")


class PlanTest(unittest.TestCase):

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = Path(scratch.name)

    def plan(self, files: Mapping[str, bytes], jobs: int = 2) -> Plan:
        made = smalltree.make(self.root, files)
        return plan.make_plan(trees.open_tree(str(made)), smalltree.settings(
            jobs, cache=smalltree.CACHE if jobs == 2 else None))

    def verdicts(self, found: Plan, file: str) -> list[str]:
        return [entry.verdict for entry in found.ledger.entries
                if entry.site.file == file]

    def codes(self, found: Plan, file: str) -> set[str]:
        return {entry.code for entry in found.ledger.entries
                if entry.site.file == file}

    def test_what_coccinelle_passes_over_is_unread_with_its_line(self) -> None:
        hidden = b"_Generic(*out, u64: sg_page_iter_dma_address(&it))"
        found = self.plan({
            "d.c": WALK.replace(b"sg_page_iter_dma_address(&it)", hidden),
            "e.c": WALK.replace(b"sg_page_iter_dma_address(&it)",
                                b"_Generic(*out, u64: 1) + ((u64)"
                                b"sg_page_iter_dma_address(&it))")})
        self.assertEqual(["unread"] * 3, self.verdicts(found, "d.c"))
        self.assertEqual({
            "unparsed: Coccinelle passes over what stands in a _Generic(), "
            "line 8 of d.c; read it by hand"}, {
                entry.reason for entry in found.ledger.entries
                if entry.site.file == "d.c"})
        self.assertEqual(["converted"] * 3, self.verdicts(found, "e.c"))

    def test_dma_walk_is_converted_and_page_walk_kept(self) -> None:
        found = self.plan({"d.c": WALK, "p.c": PAGES})
        self.assertEqual(found.after["d.c"], NEW)
        self.assertNotIn("p.c", found.after)
        self.assertEqual(self.verdicts(found, "d.c"), ["converted"] * 3)
        self.assertEqual(self.verdicts(found, "p.c"), ["kept"] * 3)
        self.assertEqual([rule.name for rule in found.rules["d.c"]],
                         ["local-walk"])

    def test_a_file_that_is_too_large_is_said_not_read(self) -> None:
        found = self.plan({"d.c": WALK, "l.c": WALK + b"/*" + bytes(
            b"x" * (8 << 20)) + b"*/\n"})
        self.assertEqual(self.verdicts(found, "l.c"), ["unread"] * 3)
        self.assertEqual(self.codes(found, "l.c"), {"too-large"})
        self.assertEqual(set(found.after) - set(found.core), {"d.c"})

    def test_conditionals_beyond_the_bound_are_said_not_guessed(self) -> None:
        deep = b"#if A\n" * 20_000 + WALK + b"#endif\n" * 20_000
        found = self.plan({"d.c": WALK, "n.c": deep})
        self.assertEqual(set(self.verdicts(found, "n.c")), {"unread"})
        self.assertIn("conditionals", self.codes(found, "n.c"))
        self.assertNotIn("n.c", found.after)

    def test_strict_core_comes_when_nothing_is_left(self) -> None:
        found = self.plan({"d.c": WALK})
        self.assertEqual(found.form, sgpage.STRICT)
        self.assertIn("include/linux/scatterlist.h", found.core)

    def test_transitional_core_comes_when_a_dma_site_is_left(self) -> None:
        mixed = WALK.replace(b"(&it);\n", b"(&it) + (u64)"
                             b"sg_page_iter_page(&it);\n")
        found = self.plan({"d.c": WALK, "m.c": mixed})
        self.assertEqual(self.verdicts(found, "m.c"), ["manual"] * 4)
        self.assertEqual(found.form, sgpage.TRANSITIONAL)

    def test_an_address_in_an_unknown_spelling_is_not_called_a_page(
            self) -> None:
        odd = WALK.replace(
            b"sg_page_iter_dma_address(&it);", b"sg_dma_address(it.sg) +\n"
            b"\t\t\t (u64)(it.sg_pgoffset << PAGE_SHIFT);")
        page = odd.replace(b"*out++ =", b"*out++ = it.sg->length +")
        member = (b"#include <linux/scatterlist.h>\n"
                  b"struct walk { struct sg_page_iter it; };\n"
                  b"u64 one(struct walk *w)\n{\n\treturn "
                  b"w->it.sg->dma_address + (w->it.sg_pgoffset << 12);\n}\n")
        found = self.plan({"o.c": odd, "p.c": page, "w.c": member})
        self.assertEqual(self.verdicts(found, "o.c"), ["manual"] * 4)
        self.assertEqual(self.codes(found, "o.c"), {"spelt"})
        self.assertEqual(self.codes(found, "p.c"), {"both-sides"})
        self.assertEqual(self.verdicts(found, "w.c"), ["manual"] * 3)
        self.assertNotIn("o.c", found.after)

    def test_dead_code_does_not_hold_the_strict_core_back(self) -> None:
        found = self.plan({"d.c": b"#if 0\n" + WALK + b"#endif\n"})
        self.assertEqual(self.verdicts(found, "d.c"), ["unread"] * 3)
        self.assertEqual(found.form, sgpage.STRICT)

    def test_function_that_spatch_skips_is_unread(self) -> None:
        found = self.plan({"d.c": WALK.replace(b"*out++", b"{{ *out++")
                           + PAGES.replace(b"NAME", b"other")})
        self.assertEqual(self.verdicts(found, "d.c")[:3], ["unread"] * 3)
        self.assertEqual(self.codes(found, "d.c") & {"unparsed"},
                         {"unparsed"})

    def test_what_the_preprocessor_reaches_is_left(self) -> None:
        loop = b"\n\t\t*out++ = sg_page_iter_dma_address(&it);"
        more = WALK.replace(loop, b" {" + loop + b"\n\t\tMORE\n\t}")
        found = self.plan({
            "a.c": b"#define PG() put(sg_page_iter_page(&it))\n"
                   + more.replace(b"MORE", b"PG();"),
            "b.c": more.replace(b"\t\tMORE", b'#include "b.tpl"'),
            "b.tpl": b"\t\tput(it.__nents);\n",
            "c.c": WALK.replace(b"t->nents", b"\n#ifdef X\n\t\t1\n#else\n"
                                b"\t\tt->nents\n#endif\n\t\t"),
            "d.c": WALK.replace(b"\n\tfor_", b"\n\tB(sizeof(struct "
                                b"sg_page_iter));\n\tfor_"),
            "e.c": b"#define READ(i) sg_page_iter_dma_address(i)\n"
                   + WALK.replace(b"sg_page_iter_dma_address", b"READ")})
        self.assertEqual(self.codes(found, "a.c"), {"macro", "macro-use"})
        self.assertEqual(self.codes(found, "b.c"), {"fragment"})
        self.assertEqual(self.codes(found, "c.c"), {"ifdef-split"})
        self.assertEqual(set(self.verdicts(found, "d.c")), {"manual"})
        self.assertEqual(set(self.verdicts(found, "e.c")),
                         {"unread", "manual"})
        self.assertEqual(set(found.after) - set(found.core), set())
        assert found.form is not None
        self.assertEqual(found.form.name, "transitional")

    def test_site_that_is_left_and_edited_ends_the_run(self) -> None:
        decide = plan._decide

        def keep(*words: Any) -> dict[int, Verdict]:
            return {number: Verdict("kept", "", "page-walk: it is not")
                    for number in decide(*words)}

        with mock.patch.object(plan, "_decide", keep), \
                self.assertRaisesRegex(LedgerError,
                                       r"d\.c:5:2: .* kept and an edit"):
            self.plan({"d.c": WALK})

    def test_site_that_is_converted_by_no_edit_ends_the_run(self) -> None:
        decide = plan._decide

        def convert(*words: Any) -> dict[int, Verdict]:
            return {number: verdict if verdict.reason.startswith("api") else
                    Verdict("converted", "local-walk", "")
                    for number, verdict in decide(*words).items()}

        def forget(work: Any, *words: Any) -> dict[int, Verdict]:
            found = decide(work, *words)
            work.edits.clear()
            return found

        for change, data in ((convert, PAGES), (forget, WALK)):
            with mock.patch.object(plan, "_decide", change), \
                    self.assertRaisesRegex(
                        LedgerError, r"p\.c:5:2: .* converted and no edit"):
                self.plan({"p.c": data})

    def test_file_that_is_only_included_is_in_the_account(self) -> None:
        loop = b"\t*p++ = sg_page_iter_dma_address(&it);\n"
        found = self.plan({
            "d.c": b'int f(void)\n{\n#include "all.tpl"\n}\n',
            "all.tpl": loop, "tags": loop, "x_c.c_shipped": loop})
        self.assertEqual(self.codes(found, "all.tpl"), {"fragment"})
        self.assertEqual(self.codes(found, "x_c.c_shipped"), {"fragment"})
        self.assertEqual(self.codes(found, "tags"), set())
        assert found.form is not None
        self.assertEqual(found.form.name, "transitional")

    def test_macro_body_is_unread_and_compat_header_kept(self) -> None:
        found = self.plan({
            "m.h": b"#define ADDR(i) sg_page_iter_dma_address(i)\n",
            "c.h": b"#ifndef for_each_sg_dma_page\n"
                   b"#define sg_dma_page_iter sg_page_iter\n#endif\n"})
        self.assertEqual(self.codes(found, "m.h"), {"macro"})
        self.assertEqual(self.verdicts(found, "c.h"), ["kept"] * 3)

    def test_copy_that_would_clash_with_the_core_is_refused(self) -> None:
        copy = b"#define for_each_sg_dma_page for_each_sg_page\n"
        with self.assertRaisesRegex(core.CoreError, "^c.h:1: defines"):
            self.plan({"c.h": copy, "d.c": WALK})
        self.plan({"c.h": b"#ifndef for_each_sg_dma_page\n" + copy
                   + b"#endif\n"})

    def test_rewritten_tree_has_nothing_left_to_do(self) -> None:
        files = {"d.c": WALK, "p.c": PAGES}
        first = self.plan(files)
        for name, data in first.after.items():
            (self.root / name).write_bytes(data)
        second = plan.make_plan(trees.open_tree(str(self.root)), smalltree.settings())
        self.assertEqual(second.after, {})
        self.assertEqual(second.state, sgpage.STRICT)

    def test_unit_that_another_hides_is_converted_in_the_same_run(self) -> None:
        shadowed = WALK.replace(b"\n\tfor", b"""
	if (out) {
		struct sg_page_iter it;

		for_each_sg_page(t->sgl, &it, t->nents, 0)
			out[1] = (u64)sg_page(it.sg);
	}
	for""", 1)
        helper = (b"static inline u64 one(struct sg_page_iter *p)\n{\n"
                  b"\treturn sg_page_iter_dma_address(p);\n}\n\n")
        caller = WALK.replace(b"NAME", b"call").replace(
            b"sg_page_iter_dma_address", b"one")
        found = self.plan({"d.c": shadowed + helper + caller})
        self.assertEqual(self.verdicts(found, "d.c").count("manual"), 0)
        self.assertEqual(self.verdicts(found, "d.c").count("kept"), 3)
        self.assertIn(b"one(struct sg_dma_page_iter *p)", found.after["d.c"])
        self.assertEqual({rule.name for rule in found.rules["d.c"]},
                         {"local-walk", "pointer-walk"})

    def test_crlf_latin1_and_missing_newline_survive(self) -> None:
        odd = (b"/* gr\xfc\xdfe */" + WALK).replace(b"\n", b"\r\n")[:-2]
        found = self.plan({"d.c": odd})
        self.assertEqual(found.after["d.c"], (b"/* gr\xfc\xdfe */" + NEW)
                         .replace(b"\n", b"\r\n")[:-2])

    def test_odd_file_names_are_only_names(self) -> None:
        names = ["a b.c", "q'\".c", "s;touch x.c", "$(touch y).c", "n\nl.c",
                 "-x.c", "l\udce9.c"]
        found = self.plan({name: WALK for name in names})
        for name in names:
            self.assertEqual(found.after[name], NEW, name)
        self.assertFalse((self.root / "x.c").exists())

    def test_two_files_do_not_leak_into_each_other(self) -> None:
        found = self.plan({
            "a.c": WALK.replace(b"u64 *out", b"struct sg_page_iter *out"),
            "b.c": WALK})
        self.assertEqual(found.after["b.c"], NEW)

    def test_header_and_its_users_change_together(self) -> None:
        found = self.plan({
            "v.h": b"struct v {\n\tstruct sg_page_iter it;\n};\n",
            "a.c": b"#include \"v.h\"\nvoid a(struct v *v, struct sg_table *t)"
                   b"\n{\n\t__sg_page_iter_start(&v->it, t->sgl, t->nents, 0);"
                   b"\n}\nbool b(struct v *v)\n{\n"
                   b"\treturn __sg_page_iter_next(&v->it);\n}\n",
            "b.c": b"#include \"v.h\"\nu64 c(struct v *v)\n{\n"
                   b"\treturn sg_page_iter_dma_address(&v->it);\n}\n"})
        verdicts = {entry.verdict for entry in found.ledger.entries
                    if entry.site.file in ("v.h", "a.c", "b.c")}
        self.assertEqual(verdicts, {"converted"})
        self.assertEqual(found.groups, (("a.c", "v.h"),))

    def test_caller_in_an_unseen_file_stops_a_chain(self) -> None:
        helper = (b"u64 h(struct sg_page_iter *p)\n{\n"
                  b"\treturn sg_page_iter_dma_address(p);\n}\n")
        found = self.plan({"h.c": helper, "u.c": b"void u(struct v *v)\n{\n"
                           b"\th(&v->it);\n}\n"})
        self.assertEqual(self.verdicts(found, "h.c"), ["manual"] * 2)
        self.assertNotIn("h.c", found.after)

    def test_number_of_processes_changes_no_byte(self) -> None:
        files = {f"d{n}.c": WALK for n in range(9)}
        once = self.plan(files, jobs=1)
        again = self.plan(files, jobs=8)
        self.assertEqual(once.ledger.tsv(), again.ledger.tsv())
        self.assertEqual(once.after, again.after)


if __name__ == "__main__":
    unittest.main()
