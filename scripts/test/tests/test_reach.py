# SPDX-License-Identifier: GPL-2.0-only
"""reach: what gets at an iterator through the preprocessor is found."""

import tempfile
import unittest
from pathlib import Path
from typing import Optional

from judge import units
from read.ctext import Text
from judge.reach import Found, Reach, splits

BODY = b"""
int fill(struct table *t, u64 *out)
{
	struct sg_page_iter cursor;

	for_each_sg_page(t->sgl, &cursor, t->nents, 0) {
		*out++ = sg_page_iter_dma_address(&cursor);
		EXTRA
	}
	return 0;
}
"""


class ReachTest(unittest.TestCase):

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = Path(scratch.name)

    def read(self, name: str) -> Optional[bytes]:
        place = self.root / name
        return place.read_bytes() if place.is_file() else None

    def found(self, extra: bytes, before: bytes = b"", far: bool = False,
              body: bytes = BODY, **files: bytes) -> Optional[Found]:
        """Ask about fill() with some code in its loop; __ is / and _ is ."""
        for name, data in files.items():
            place = self.root / name.replace("__", "/").replace("_", ".")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        texts = {"d/f.c": Text(before + body.replace(b"EXTRA", extra))}
        asked = Reach(self.root, texts, self.read)
        answers = (asked.of(unit, far) for unit in units.bind(texts))
        return next((answer for answer in answers if answer is not None),
                    None)

    def assertReached(self, code: str, what: str,
                      found: Optional[Found]) -> None:
        assert found is not None
        self.assertEqual(found.code, code)
        self.assertIn(what, found.sentence)

    def test_macro_that_names_the_variable_reaches_it(self) -> None:
        for define, use in (
                (b"#define PG() sg_page_iter_page(&cursor)\n", b"put(PG());"),
                (b"#define PG sg_page_iter_page(&cursor)\n", b"put(PG);"),
                (b"#define PG cursor\n", b"put(PG.__nents);"),
                (b"%:define PG (cursor.__nents)\n", b"put(PG);"),
                (b"#define PG() \\\n\tput( \\\n\t\t&cursor)\n", b"PG();"),
                (b"#define PG() \\ \t\n\tput(&cur\\ \nsor)\n", b"PG();"),
                (b"#ifdef X\n#define PG()\n#else\n"
                 b"#define PG() put(&cursor)\n#endif\n", b"PG();")):
            with self.subTest(define):
                self.assertReached("macro-use", "PG, defined at d/f.c:",
                                   self.found(use, define))

    def test_macro_may_have_a_name_beyond_ascii(self) -> None:
        for name in (b"zeiger\xc3\xa4", b"\xc3\xa4", b"\\u00e4", b"\xe4_"):
            with self.subTest(name):
                self.assertReached("macro-use", "defined at d/f.c:", self.found(
                    b"put(" + name + b".__nents);",
                    b"#define " + name + b" cursor\n"))

    def test_macro_is_followed_through_others(self) -> None:
        found = self.found(
            b"OUTER();", b"#define OUTER() INNER()\n"
            b"#define INNER() put(&cursor)\n")
        self.assertReached(
            "macro-use", "INNER, defined at d/f.c:2 and used through OUTER",
            found)

    def test_macro_of_a_header_beside_the_file_is_seen(self) -> None:
        self.assertReached(
            "macro-use", "CUR, defined at d/in.h:1", self.found(
                b"put(CUR);", b'#include "out.h"\n',
                d__out_h=b'#include "in.h"\n', d__in_h=b"#define CUR &cursor\n"))

    def test_macro_of_a_header_of_the_tree_is_seen_far_only(self) -> None:
        header = b"#define CUR &cursor\n"
        use = (b"put(CUR);", b"#include <linux/dbg.h>\n")
        self.assertIsNone(self.found(*use, include__linux__dbg_h=header))
        self.assertReached("macro-use", "include/linux/dbg.h:1",
                           self.found(*use, far=True,
                                      include__linux__dbg_h=header))

    def test_header_is_read_as_the_preprocessor_reads_it(self) -> None:
        body = b"PG() put(&cursor)\n"
        for line, define in (
                (1, b"/* a */ #define " + body),
                (2, b"/* a\n * b */ #define " + body),
                (4, b"char *s = \"/*\";\n// it's \\\n/*\n#define " + body),
                (2, b"char c = '\"';\n#define " + body),
                (1, b"# /* a\n */ define " + body),
                (1, b"#def\\\nine PG() put(&cur\\\nsor)\n"),
                (1, b"#define PG() /* a\n */ put(&cursor)\n"),
                (1, b"#define PG() \\ \n\tput(&cursor)\n")):
            with self.subTest(define):
                self.assertReached(
                    "macro-use", f"PG, defined at d/dbg.h:{line},", self.found(
                        b"PG();", b"#include \"dbg.h\"\n", d__dbg_h=define))
        self.assertReached("macro-use", "defined at d/in.h:1", self.found(
            b"PG();", b"#include \"dbg.h\"\n", d__in_h=b"#define " + body,
            d__dbg_h=b"/* a */ #inc\\\nlude \"in.h\"\n"))
        self.assertIsNone(self.found(
            b"PG();", b"#include \"dbg.h\"\n",
            d__dbg_h=b"/*\n#define " + body + b"*/\n"))

    def test_pasted_name_is_put_together(self) -> None:
        for define, use in (
                (b"#define F(a, b) (a##b.__nents)\n", b"put(F(cur, sor));"),
                (b"#define F(a) put(&a ## sor)\n", b"F(cur);"),
                (b"%:define F(a) put(&a%:%:sor)\n", b"F(cur);"),
                (b"#define F_(a, b) a##b\n#define F(a, b) F_(a, b)\n",
                 b"put(F(cur, sor).__nents);")):
            with self.subTest(define):
                self.assertReached("macro-use", "pastes tokens into cursor",
                                   self.found(use, define))

    def test_list_of_an_x_macro_is_followed(self) -> None:
        self.assertReached("macro-use", "ALL", self.found(
            b"ALL(READ)", b"#define ALL(X) X(cursor)\n"
            b"#define READ(i) put(&i);\n"))

    def test_macro_that_only_shares_the_word_does_not_reach(self) -> None:
        for define, use in (
                (b"#define M(cursor) put(cursor)\n", b"M(1);"),
                (b"#define M(x) put((x)->cursor)\n", b"M(t);"),
                (b"#define M() ({ int cursor = 1; put(cursor); })\n",
                 b"M();"),
                (b"#define M() ({ struct a *cursor = t; put(cursor); })\n",
                 b"M();"),
                (b"#define M() put(&cursor)\n", b"other();"),
                (b"#define M(a, b) a##b\n", b"put(M(sor, cur));")):
            with self.subTest(define):
                self.assertIsNone(self.found(use, define))

    def test_macro_with_the_variables_own_name_is_found(self) -> None:
        self.assertReached("macro-use", "cursor is a macro", self.found(
            b"", b"#define cursor other_cursor\n"))

    def test_macro_that_names_the_type_is_found(self) -> None:
        self.assertReached("macro-use", "names sg_page_iter", self.found(
            b"put(sizeof(KIND));", b"#define KIND struct sg_page_iter\n"))

    def test_macro_that_is_given_the_iterator_is_found(self) -> None:
        self.assertReached("macro-use", "is given the iterator", self.found(
            b"put(PAGE_OF(&cursor));",
            b"#define PAGE_OF(i) sg_page_iter_page(i)\n"))

    def test_macro_that_calls_a_helper_is_found(self) -> None:
        helper = (b"static void one(struct sg_page_iter *p)\n{\n"
                  b"\tput(sg_page_iter_dma_address(p));\n}\n")
        self.assertReached("macro-use", "calls one()", self.found(
            b"one(&cursor);", helper + b"#define ONE(p) one(p)\n"))

    def test_file_included_into_the_function_is_read(self) -> None:
        for name in ("part.inc", "part.h", "part.tpl", "part.c_shipped"):
            with self.subTest(name):
                (self.root / "d").mkdir(exist_ok=True)
                (self.root / "d" / name).write_bytes(b"put(&cursor);\n")
                line = b'\n#include "%s"\n' % name.encode()
                self.assertReached("fragment", f"d/{name}, which line 9",
                                   self.found(line))

    def test_included_file_that_does_not_name_it_is_harmless(self) -> None:
        self.assertIsNone(self.found(b'\n#include "x.inc"\n',
                                     d__x_inc=b"put(1);\n"))

    def test_file_that_is_not_found_may_do_anything(self) -> None:
        for line in (b'\n#include "gone.inc"\n', b"\n#include NAME\n"):
            self.assertReached("fragment", "is not found", self.found(line))
        # At file scope it is a generated header, which knows no local name.
        self.assertIsNone(self.found(b"", b'#include "gone.h"\n'))

    def test_file_included_behind_a_declaration_may_use_it(self) -> None:
        body = (b"static struct sg_page_iter cursor;\n"
                b'#include "rest.tpl"\n')
        self.assertReached("fragment", "d/rest.tpl", self.found(
            b"", body=body, d__rest_tpl=b"int n(void)\n{\n\treturn "
            b"cursor.__nents;\n}\n"))
        self.assertIsNone(self.found(
            b"", body=b'#include "rest.tpl"\n'
            b"static struct sg_page_iter cursor;\n",
            d__rest_tpl=b"int n(int cursor);\n"))

    def test_member_is_reached_by_its_name_only(self) -> None:
        body = (b"struct w {\n\tstruct sg_page_iter cursor;\n};\n"
                b"void g(struct w *w)\n{\n\tUSE(w);\n}\n")
        self.assertReached("macro-use", "USE", self.found(
            b"", b"#define USE(w) put(&(w)->cursor)\n", body=body))
        self.assertIsNone(self.found(
            b"", b"#define USE(w) put(w, 1 + cursor)\n", body=body))

    def test_what_it_reads_is_known(self) -> None:
        found = self.found(b"PG();", b"#define PG() put(A(&cursor))\n"
                           b"#define A(i) sg_page_iter_dma_address(i)\n")
        assert found is not None
        self.assertTrue(found.reads)
        found = self.found(b"PG();", b"#define PG() put(A(&cursor))\n"
                           b"#define A(i) sg_page_iter_page(i)\n")
        assert found is not None
        self.assertFalse(found.reads)


class SplitTest(unittest.TestCase):

    def split(self, data: bytes) -> str:
        text = Text(data)
        return next((found for unit in units.bind({"f.c": text})
                     if (found := splits(text, unit, "f.c"))), "")

    def test_if_inside_of_a_header_splits(self) -> None:
        for old, new in ((b"t->nents", b"\n#ifdef A\nt->nents\n#else\n1\n"
                          b"#endif\n"),
                         (b"&cursor)", b"\n%: if A\n&cursor\n#endif\n)"),
                         (b"cursor;", b"cursor\n#ifdef A\n__used\n#endif\n;"
                          )):
            with self.subTest(new):
                self.assertIn("stands inside of", self.split(
                    BODY.replace(old, new, 1)))

    def test_if_inside_of_the_body_does_not(self) -> None:
        self.assertEqual(self.split(BODY.replace(
            b"EXTRA", b"\n#ifdef A\nput(1);\n#endif\n")), "")


if __name__ == "__main__":
    unittest.main()
