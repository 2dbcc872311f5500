# SPDX-License-Identifier: GPL-2.0-only
"""ctext.Text: tokens, functions and branches of files that are hard to read."""

import os
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from read import conditionals  # noqa: E402
import smalltree  # noqa: E402
from read import reader  # noqa: E402
from read.census import CensusError  # noqa: E402
from read.ctext import Text  # noqa: E402
from judge import units  # noqa: E402


def setUpModule() -> None:
    conditionals.use(smalltree.census())


def words(data: bytes) -> list[bytes]:
    return [token.text for token in Text(data).tokens]


class TokensTest(unittest.TestCase):

    def test_comments_and_white_space_are_not_tokens(self) -> None:
        self.assertEqual(words(b"a /* b */ c // d\\\n e\nf"),
                         [b"a", b"c", b"f"])

    def test_names_in_strings_and_characters_are_not_words(self) -> None:
        self.assertEqual(words(b"f(\"a \\\" b\", 'c')"),
                         [b"f", b"(", b'"a \\" b"', b",", b"'c'", b")"])

    def test_spliced_name_is_one_word_and_keeps_its_bytes(self) -> None:
        text = Text(b"x sg_\\\npage\\\r\n_iter y")
        self.assertEqual(text.tokens[1].text, b"sg_page_iter")
        self.assertEqual((text.tokens[1].start, text.tokens[1].end), (2, 19))

    def test_digraphs_are_spelled_out(self) -> None:
        self.assertEqual(words(b"int f(void) <% a<:0:>; %>"),
                         [b"int", b"f", b"(", b"void", b")", b"{", b"a", b"[",
                          b"0", b"]", b";", b"}"])

    def test_unterminated_string_ends_with_its_line(self) -> None:
        self.assertEqual(words(b'a "b\nc')[-1], b"c")

    def test_position_is_in_bytes_from_one(self) -> None:
        text = Text(b"/* \xe9 */ a\r\n\tb\n")
        self.assertEqual([text.position(t.start) for t in text.tokens],
                         [(1, 9), (2, 2)])
        self.assertEqual(text.offset(2, 2), text.tokens[1].start)

    def test_directive_with_its_continuation_is_one_token(self) -> None:
        text = Text(b"#define A(x) \\\n\tf(x) /* c\n d */\nint a;\n")
        self.assertEqual(text.tokens[0].kind, "directive")
        self.assertEqual(text.text(1), b"int")

    def test_line_count_counts_a_last_line_without_newline(self) -> None:
        self.assertEqual(Text(b"a\nb").line_count, 2)
        self.assertEqual(Text(b"a\nb\n").line_count, 2)


class BranchTest(unittest.TestCase):

    def test_code_under_a_literal_zero_is_dead(self) -> None:
        text = Text(b"#if 0\na don't\n#else\nb\n#endif\nc\n")
        self.assertEqual([t.text for t in text.tokens if t.kind == "id"],
                         [b"b", b"c"])
        self.assertEqual(len(text.dead), 1)

    def test_else_of_a_literal_one_is_dead(self) -> None:
        text = Text(b"#if 1\na\n#elif X\nb\n#else\nc\n#endif\n")
        self.assertEqual([t.text for t in text.tokens if t.kind == "id"],
                         [b"a"])

    def test_what_the_census_calls_dead_is_no_code(self) -> None:
        for condition in ("!1", "defined(X) && !1", "2 - 2", "0 ? 1 : 0"):
            text = Text(f"#if {condition}\na\n#elif !1\nb\n#else\nc\n"
                        "#endif\n".encode())
            self.assertEqual([t.text for t in text.tokens if t.kind == "id"],
                             [b"c"], condition)

    def test_a_brace_in_a_dead_branch_is_not_matched(self) -> None:
        text = Text(b"int f(int x)\n{\n#if !1\n\tif (x) {\n#else\n"
                    b"\tx++;\n#endif\n\treturn x;\n}\nint g(void)\n{\n}\n")
        self.assertEqual([f.name for f in text.functions], [b"f", b"g"])

    def test_more_conditionals_than_are_followed_are_said(self) -> None:
        text = Text(b"#if A\n" * 20_000 + b"x\n" + b"#endif\n" * 20_000)
        self.assertIn("more #if", text.unknown)
        self.assertEqual(Text(b"#if A\n#endif\n").unknown, "")

    def test_time_is_linear_in_conditionals_and_declarations(self) -> None:
        def took(data: bytes) -> float:
            started = time.process_time()
            text = Text(data)
            units.bind({"f.c": text})
            return time.process_time() - started

        for unit in (b"#if A\nint a;\n#else\nint b;\n#endif\n",
                     b"struct sg_page_iter it;\n", b"#define A\nf(a) int b;\n",
                     b"struct s { struct sg_page_iter it; };\n"):
            small = took(unit * 800)
            self.assertLess(took(unit * 8_000), 30 * small + 1, unit)

    def test_branches_of_one_group_differ_in_number_only(self) -> None:
        text = Text(b"#ifdef A\na\n#else\nb\n#endif\nc\n")
        ids = [t for t in text.tokens if t.kind == "id"]
        self.assertEqual([t.branch and (t.branch.group, t.branch.nth)
                          for t in ids], [(0, 0), (0, 1), None])
        self.assertEqual(text.groups[0].conditions, [b"ifdef A", b"else "])

    def test_brace_opened_in_both_branches_counts_once(self) -> None:
        text = Text(b"int f(int x)\n{\n#ifdef A\n\tif (x) {\n#else\n"
                    b"\twhile (x) {\n#endif\n\t\tx--;\n\t}\n\treturn x;\n}\n"
                    b"int g(void) { return 1; }\n")
        self.assertEqual([f.name for f in text.functions], [b"f", b"g"])


class FunctionTest(unittest.TestCase):

    def names(self, data: bytes) -> list[bytes]:
        return [function.name for function in Text(data).functions]

    def test_attributes_around_a_name_are_not_the_name(self) -> None:
        self.assertEqual(self.names(
            b"static __printf(1, 2) int __must_check f(int a) "
            b"__acquires(&lock)\n{\n}\n"), [b"f"])

    def test_old_style_definition_is_a_function(self) -> None:
        self.assertEqual(self.names(b"int f(a, b)\n\tint a;\n\tchar *b;\n"
                                    b"{\n\treturn a;\n}\n"), [b"f"])

    def test_macro_that_defines_gives_its_first_word(self) -> None:
        self.assertEqual(self.names(b"SYSCALL_DEFINE1(sync, int, fd)\n{\n}\n"),
                         [b"sync"])

    def test_table_and_structure_are_not_functions(self) -> None:
        text = Text(b"struct s { int (*f)(int); };\n"
                    b"static const struct s t = { .f = g };\n")
        self.assertEqual(text.functions, [])
        self.assertEqual([s.tag for s in text.structures], [b"s"])

    def test_arguments_are_split_at_outer_commas_only(self) -> None:
        text = Text(b"f(a, g(b, c), (d, e)[0])")
        self.assertEqual([text.words(*part) for part in text.arguments(1)][1],
                         (b"g", b"(", b"b", b",", b"c", b")"))
        self.assertEqual(len(text.arguments(1)), 3)


class StrayQuoteTest(unittest.TestCase):

    def test_quote_that_stays_open_in_dead_code_is_found(self) -> None:
        self.assertEqual(Text(b'int a;\n#if 0\nlex "this\n#endif\n'
                              b"int b;\n").stray_quote(), 3)
        for data in (b'#if 0\n"it\'s" "\\"" don\'t /* " */ // "\n#endif\n',
                     b'#ifdef A\nlex "this\n#endif\n', b'#error "x\n'):
            self.assertEqual(Text(data).stray_quote(), 0, data)


class LineTest(unittest.TestCase):
    """A preprocessor line has tokens of its own."""

    def line(self, data: bytes) -> tuple[str, list[tuple[str, bytes]]]:
        text = Text(data)
        found = text.line(0)
        assert found is not None
        for token in found.tokens:
            self.assertEqual(text.data[token.start:token.end].replace(
                b"\\\n", b""), token.text)
        return found.directive, [(token.kind, token.text)
                                 for token in found.tokens]

    def test_a_define_has_its_body(self) -> None:
        self.assertEqual(self.line(
            b"#/**/def\\\nine A(x) /* it's */ x \\\n ## 'b' \"c\"\nd\n"), (
            "define", [("id", b"define"), ("id", b"A"), ("punct", b"("),
                       ("id", b"x"), ("punct", b")"), ("id", b"x"),
                       ("punct", b"##"), ("chr", b"'b'"), ("str", b'"c"')]))

    def test_a_header_is_one_token(self) -> None:
        for name, kind in ((b"<a/don't.h>", "header"), (b'"b.h"', "str")):
            self.assertEqual(self.line(b"# include /**/ " + name + b" // x\n"),
                             ("include", [("id", b"include"), (kind, name)]))
        self.assertEqual(self.line(b"#include NAME(<x>)"), (
            "include", [("id", b"include"), ("id", b"NAME"), ("punct", b"("),
                        ("punct", b"<"), ("id", b"x"), ("punct", b">"),
                        ("punct", b")")]))

    def test_each_line_has_its_kind(self) -> None:
        for word, kind in ((b"if", "if"), (b"ifndef", "ifdef"),
                           (b"undef", "undef"), (b"import", "include"),
                           (b"error", "message"), (b"pragma", "other"),
                           (b"", "other")):
            self.assertEqual(self.line(b"#" + word)[0], kind)
        self.assertIsNone(Text(b"x").line(0))

    def test_comments_are_known(self) -> None:
        text = Text(b"a /* b */ c // d\n#if 0 // e\n/* f */\n#endif /* g\n */")
        self.assertEqual([text.data[start:end] for start, end
                          in text.comments],
                         [b"/* b */", b"// d", b"// e", b"/* g\n */"])


class ProcessTest(unittest.TestCase):
    """One process reads all texts, and a new one if it has to."""

    def test_one_process_reads_many_texts(self) -> None:
        Text(b"a")
        first = reader._process
        for number in range(50):
            self.assertEqual(Text(b"b%d;" % number * number).text(0),
                             b"b%d" % number if number else b"")
        self.assertIs(reader._process, first)

    def test_an_ended_process_is_an_error_once(self) -> None:
        Text(b"a")
        assert reader._process is not None
        reader._process.stdin.write(b"what 3\nabc")     # type: ignore
        with self.assertRaisesRegex(CensusError, "stdin: not a request: what"):
            Text(b"b")
        self.assertEqual(Text(b"c").text(0), b"c")

    def test_a_missing_program_is_an_error(self) -> None:
        program, campaign = reader._program, reader._campaign
        self.addCleanup(reader.use, program, campaign)
        reader.use(Path("/nowhere/reader"))
        with self.assertRaisesRegex(CensusError, "/nowhere/reader: No such"):
            Text(b"a")

    def test_a_text_beyond_the_bound_has_no_tokens(self) -> None:
        text = Text(b"int x;\n" * (10 << 20))
        self.assertEqual((len(text.tokens), text.unknown),
                         (0, "it is longer than any source file"))



class PiecesTest(unittest.TestCase):
    def test_all_but_white_space_is_in_a_piece(self) -> None:
        data = (b"#define X(a) a /* c */ + 1 \\\n 2\n#if 0\nit's\n#endif\n"
                b"char *s = \"a b\"; // why\nint caf\xe9;\n")
        pieces = Text(data).pieces()
        self.assertEqual(pieces, sorted(pieces))
        self.assertTrue(all(a[1] <= b[0] for a, b in zip(pieces, pieces[1:])))
        words = [data[start:end] for start, end in pieces]
        self.assertEqual(b"".join(b"".join(words).split()),
                         b"".join(data.split()))
        for word in (b'"a b"', b"/* c */", b"// why", b"define"):
            self.assertIn(word, words)


if __name__ == "__main__":
    unittest.main()
