# SPDX-License-Identifier: GPL-2.0-only
"""Hold comments.py to change what a conversion makes untrue, and no more."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

from judge import comments, plan as planning
import smalltree
from read import tree as trees
from judge import units as iterators
from read.ctext import Text
from judge.edits import Edit, render

PAGE = b"sg_page_iter"


def mend(source: str, pairs: tuple[tuple[str, str], ...] = (),
         convert: bool = True) -> str:
    """Convert all page iterators of a source, its comments with them."""
    text = Text(source.encode())
    edits = [Edit(token.start, token.end, b"sg_dma_page_iter", (PAGE,),
                  (b"sg_dma_page_iter",), False)
             for token in text.tokens if token.text == PAGE] \
        if convert else []
    decls = [decl for unit in iterators.bind({"a.c": text})
             for decl in unit.decls]
    return render(text, [*edits, *comments.mended(text, edits, decls, pairs)]
                  ).decode()


MEMBER = """/**
 * struct chalk - a walk
 *
 * @at: the page iterator that
 * is stepped. A struct sg_page_iter.
 * @page: page iterator of somebody else
 * @n: how far the page iterator is
 */
struct chalk {
	struct sg_page_iter at;	/* no page iterator yet */
	void *page;
	int n;
};
"""
PARAM = """/**
 * chalk_next - step
 * @it:	page iterator holding the page
 *
 * The page iterator is stepped.
 */
static bool chalk_next(struct sg_page_iter *it)
{
	return true;
}
"""


class DocumentedTest(unittest.TestCase):

    def test_member_is_described_as_what_it_is(self) -> None:
        self.assertEqual(mend(MEMBER), MEMBER.replace(
            "@at: the page iterator", "@at: the DMA page iterator").replace(
            "struct sg_page_iter.", "struct sg_dma_page_iter.").replace(
            "struct sg_page_iter at", "struct sg_dma_page_iter at"))

    def test_parameter_is_described_as_what_it_is(self) -> None:
        self.assertEqual(mend(PARAM), PARAM.replace(
            "@it:	page", "@it:	DMA page").replace(
            "struct sg_page_iter *it", "struct sg_dma_page_iter *it"))

    def test_description_beside_a_member_is_found(self) -> None:
        source = ("struct chalk {\n\t/** @at: page iterator */\n"
                  "\tstruct sg_page_iter at;\n};\n")
        self.assertIn("/** @at: DMA page iterator */", mend(source))

    def test_what_is_true_or_not_converted_stays(self) -> None:
        done = mend(MEMBER)
        self.assertEqual(mend(done), done)
        self.assertEqual(mend(MEMBER, convert=False), MEMBER)

    def test_line_that_grows_too_wide_is_broken(self) -> None:
        source = MEMBER.replace(
            "the page iterator that\n",
            "what is stepped by all of it, which is the page iterator of a "
            "big chalk,\n")
        self.assertLessEqual(max(map(len, source.split("\n"))), 80)
        text = mend(source)
        self.assertLessEqual(max(map(len, text.split("\n"))), 80)
        self.assertIn("which is the DMA page iterator\n * of a big "
                      "chalk,\n * is stepped.", text)

    def test_line_ends_of_the_file_are_kept(self) -> None:
        crlf = MEMBER.replace("\n", "\r\n")
        self.assertEqual(mend(crlf), mend(MEMBER).replace("\n", "\r\n"))


class RewordedTest(unittest.TestCase):

    OLD = ("/*\n * Picks one of these by\n * the mode, so that the mode "
           "counts.\n */\nint chalk;\n")
    PAIR = (("Picks one of these by the mode,", "There is one,"),)

    def test_words_are_found_across_lines(self) -> None:
        self.assertEqual(
            mend(self.OLD, self.PAIR),
            "/*\n * There is one, so that the mode counts.\n */\n"
            "int chalk;\n")

    def test_words_that_stand_twice_or_in_code_stay(self) -> None:
        for source in (self.OLD * 2, 'char *s = "Picks one of these by the '
                       'mode,";\n', "int chalk;\n"):
            with self.subTest(source):
                self.assertEqual(mend(source, self.PAIR), source)

    def test_longer_words_go_on_in_the_next_line(self) -> None:
        text = mend(self.OLD, (("Picks one of these by", "word " * 20),))
        self.assertLessEqual(max(map(len, text.split("\n"))), 80)
        self.assertNotIn("\nword", text)
        self.assertEqual(text.count("word"), 20)


class ConversionTest(unittest.TestCase):
    """The rule for vmwgfx, on the names and words of that driver."""

    def test_comments_and_name_of_vmwgfx_follow_the_conversion(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        fixture = smalltree.ROOT / "fixtures/sg-dma-page/vmwgfx/four-modes.c"
        code = fixture.with_suffix(".before.c").read_text().replace(
            "four-modes.h", "drill.h").replace(
            "drill_array_page", "__vmw_piter_non_sg_page").replace(
            "static struct page *__vmw", "/**\n * Helper functions to return "
            "a pointer to the current page.\n *\n * These functions return a "
            "pointer to the page currently\n * pointed to by @viter. "
            "Functions are selected depending on\n * the current mapping "
            "mode.\n */\nstatic struct page *__vmw", 1)
        head = fixture.with_suffix(".before.h").read_text().replace(
            "struct drill_iter {", "/**\n * struct drill_iter - walk\n *\n"
            " * @list: Scatter-gather page iterator.\n"
            " * @pos: Current position in arrays.\n */\n"
            "struct drill_iter {", 1)
        root = smalltree.make(Path(scratch.name), {
            "drivers/misc/drill.c": code.encode(),
            "drivers/misc/drill.h": head.encode()})
        after = planning.make_plan(
            trees.open_tree(str(root)), smalltree.settings(
                rules=(smalltree.ROOT / "cocci/sg-dma-page/migrate/"
                       "vmwgfx.cocci",))).after
        code = after["drivers/misc/drill.c"].decode()
        self.assertIn("/**\n * Helper function to return a pointer to the "
                      "current page.\n *\n * This function returns a pointer "
                      "to the page currently pointed to by @viter.\n * The "
                      "array of pages is there in every mapping mode.\n */\n"
                      "static struct page *__vmw_piter_page(struct", code)
        self.assertNotIn("non_sg_page", code)
        self.assertEqual(code.count("__vmw_piter_page"), 4)
        self.assertIn(" * @list: Scatter-gather DMA page iterator.\n * @pos: "
                      "Current position in the arrays, whatever the mapping "
                      "mode.\n", after["drivers/misc/drill.h"].decode())


if __name__ == "__main__":
    unittest.main()
