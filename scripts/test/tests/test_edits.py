# SPDX-License-Identifier: GPL-2.0-only
"""edits: what a diff does to tokens, and that nothing else changes."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from read import conditionals  # noqa: E402
from write import diffs  # noqa: E402
import smalltree  # noqa: E402
from read.ctext import Text  # noqa: E402
from judge.edits import Edit, from_diff, permitted, render, spoils  # noqa: E402


def setUpModule() -> None:
    conditionals.use(smalltree.census())


OLD = b"""void f(struct sg_table *t, u64 *out)
{
	struct sg_page_iter /* kept */ it __maybe_unused;	/* too */

	for_each_sg_page(t->sgl, /* list */ &it,
			 t->nents, 0) {
		*out++ = sg_page_iter_dma_address(&it);
	}
}
"""


def renamed(data: bytes) -> bytes:
    return data.replace(b"struct sg_page_iter", b"struct sg_dma_page_iter") \
        .replace(b"for_each_sg_page", b"for_each_sg_dma_page")


def edits(old: bytes, new: bytes) -> list[Edit]:
    plain = old.replace(b"\r\n", b"\n")
    return from_diff(Text(old), diffs.unified({"f.c": plain}, {"f.c": new}))


class FromDiffTest(unittest.TestCase):

    def test_lost_comments_and_attributes_are_kept(self) -> None:
        spoiled = renamed(OLD).replace(b" /* kept */", b"").replace(
            b"/* list */ ", b"")
        got = render(Text(OLD), edits(OLD, spoiled))
        self.assertIn(b"struct sg_dma_page_iter /* kept */ it __maybe", got)
        self.assertIn(b"for_each_sg_dma_page(t->sgl, /* list */ &it,", got)

    def test_reflowed_arguments_stay_where_they_were(self) -> None:
        spoiled = renamed(OLD).replace(b"&it,\n\t\t\t t->nents",
                                       b"&it, t->nents")
        got = render(Text(OLD), edits(OLD, spoiled))
        self.assertEqual(got.count(b"\n"), OLD.count(b"\n"))

    def test_aligned_continuation_moves_with_its_parenthesis(self) -> None:
        got = render(Text(OLD), edits(OLD, renamed(OLD)))
        self.assertIn(b"&it,\n\t\t\t     t->nents, 0) {", got)

    def test_continuation_that_was_not_aligned_stays(self) -> None:
        old = OLD.replace(b"\t\t\t t->nents", b"\t\tt->nents")
        got = render(Text(old), edits(old, renamed(old)))
        self.assertIn(b"&it,\n\t\tt->nents", got)

    def test_comment_behind_a_line_keeps_its_column(self) -> None:
        for line, now in (
                (b"\tstruct sg_page_iter it;\t\t/* walks */\n",
                 b"\tstruct sg_dma_page_iter it;\t/* walks */\n"),
                (b"\tstruct sg_page_iter it;      // walks\n",
                 b"\tstruct sg_dma_page_iter it;  // walks\n"),
                (b"\tstruct sg_page_iter it;\t/* walks */\n",
                 b"\tstruct sg_dma_page_iter it;\t/* walks */\n"),
                (b"\tstruct sg_page_iter it; /* walks */\n",
                 b"\tstruct sg_dma_page_iter it; /* walks */\n")):
            with self.subTest(line):
                old = b"void f(void)\n{\n" + line + b"}\n"
                self.assertEqual(
                    render(Text(old), edits(old, renamed(old))),
                    b"void f(void)\n{\n" + now + b"}\n")

    def test_comment_is_not_copied_to_a_new_declaration(self) -> None:
        for comment in (b" /* both */", b"\t// both"):
            old = (b"void f(void)\n{\n\tstruct sg_page_iter it;" + comment
                   + b"\n\tint n;\n}\n")
            new = old.replace(b"\tint", b"\tstruct sg_dma_page_iter dma_it;"
                              + comment + b"\n\tint")
            self.assertEqual(render(Text(old), edits(old, new)), old.replace(
                b"\tint", b"\tstruct sg_dma_page_iter dma_it;\n\tint"))

    def test_header_that_grows_past_80_columns_is_broken(self) -> None:
        old = (b"\tfor_each_sg_page(buffer->table->sgl, &walker,"
               b" buffer->table->nents, 0)\n")
        self.assertIn(len(old) + 6, range(77, 81))
        got = render(Text(old), edits(old, renamed(old)))
        self.assertEqual(got, b"\tfor_each_sg_dma_page(buffer->table->sgl, "
                         b"&walker,\n\t\t\t     buffer->table->nents, 0)\n")

    def test_start_that_grows_past_80_columns_is_broken(self) -> None:
        old = (b"\t__sg_page_iter_start(&sg_iter, pages->sgl, "
               b"sg_nents(pages->sgl), off1);\n")
        self.assertIn(len(old) + 6, range(76, 81))
        got = render(Text(old), edits(old, old.replace(
            b"&sg_iter", b"&sg_iter.base")))
        self.assertEqual(got, b"\t__sg_page_iter_start(&sg_iter.base, "
                         b"pages->sgl,\n\t\t\t     sg_nents(pages->sgl), "
                         b"off1);\n")

    def test_crlf_latin1_and_missing_newline_survive(self) -> None:
        old = OLD.replace(b"kept", b"gr\xfc\xdfe").replace(b"\n", b"\r\n")[:-2]
        shown = old.replace(b"\r\n", b"\n").replace(b"\xfc\xdf", b"??")
        new = renamed(shown)
        got = render(Text(old), from_diff(
            Text(old), diffs.unified({"f.c": shown}, {"f.c": new})))
        self.assertEqual(got.replace(b"struct sg_dma_page", b"struct sg_page")
                         .replace(b"sg_dma_page(", b"sg_page(")
                         .replace(b"\t     t->", b"\t t->"), old)
        self.assertNotEqual(got, old)

    def test_declaration_is_inserted_as_a_line_of_its_own(self) -> None:
        new = OLD.replace(b"/* too */\n", b"/* too */\n"
                          b"\tstruct sg_dma_page_iter dma_it;\n")
        found = edits(OLD, new)
        self.assertEqual([permitted(edit) for edit in found], ["declare"])
        self.assertEqual(render(Text(OLD), found), new)


class PermittedTest(unittest.TestCase):

    def kinds(self, old: bytes, new: bytes) -> list[str]:
        return [permitted(edit) for edit in edits(old, new)]

    def test_renames_and_base_are_permitted(self) -> None:
        self.assertEqual(self.kinds(OLD, renamed(OLD)), ["rename"] * 2)
        self.assertEqual(self.kinds(b"s(&it, a);\n", b"s(&it.base, a);\n"),
                         ["base"])

    def test_written_out_sum_becomes_the_accessor(self) -> None:
        old = (b"x = (sg_dma_address(it.sg) +\n"
               b"     (it.sg_pgoffset << PAGE_SHIFT));\n")
        new = b"x = (sg_page_iter_dma_address(&it));\n"
        self.assertEqual(render(Text(old), edits(old, new)), new)
        self.assertEqual(self.kinds(old, new), ["address"])

    def test_comment_inside_of_a_replaced_sum_is_noticed(self) -> None:
        old = (b"x = sg_dma_address(it.sg) + /* why */ "
               b"(it.sg_pgoffset << PAGE_SHIFT);\n")
        new = b"x = sg_page_iter_dma_address(&it);\n"
        self.assertTrue(any(spoils(Text(old), edit)
                            for edit in edits(old, new)))

    def test_anything_else_is_not(self) -> None:
        for new in (b"\tg(b);\n", b"\tf(a, b);\n", b"\tf();\n", b""):
            self.assertIn("", self.kinds(b"\tf(a);\n", new), new)


if __name__ == "__main__":
    unittest.main()
