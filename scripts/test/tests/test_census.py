# SPDX-License-Identifier: GPL-2.0-only
"""The census: every kind of site, counted by hand, in two builds of it.

setUpModule() compiles scripts/reader/*.c as make does, and once more under ASan
and UBSan. Every case runs both, the first on one thread and the second on
two, and insists that they say the same.

Data:   files that each case writes to a folder of its own -> rows, written
        here as "line:column function token place", - for no function.
Errors: a case that differs from what was counted fails with both lists.
Source: what counts as a site is in the head of scripts/reader/main.c.
"""

from __future__ import annotations

import os
import random
import re
import resource
import shutil
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Callable, Optional

ROOT = Path(__file__).resolve().parents[3]
NAMES = (
    "for_each_sg_page", "for_each_sg_dma_page", "sg_page_iter_dma_address",
    "sg_page_iter_page", "__sg_page_iter_start", "__sg_page_iter_next",
    "__sg_page_iter_dma_next", "sg_page_iter", "sg_dma_page_iter",
)
MIB = 1 << 20
# The names of the default campaign.
TABLE = ("--names", str(ROOT / "cocci/sg-dma-page/names.tsv"), "--new", "dma")

# Declares the member that weak candidates need: v->iter.sg is a site then.
MEMBER = b"struct view { struct sg_page_iter iter; };\n"

_bin = tempfile.TemporaryDirectory()
PLAIN = os.path.join(_bin.name, "reader")
CHECKED = os.path.join(_bin.name, "reader-checked")


def setUpModule() -> None:
    common = ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-pthread",
              *map(str, sorted(ROOT.glob("scripts/reader/*.c")))]
    builds = [
        subprocess.Popen([*common, "-O2", "-o", PLAIN]),
        subprocess.Popen([*common, "-O1", "-g", "-fsanitize=address,undefined",
                          "-fno-sanitize-recover=all", "-o", CHECKED]),
    ]
    if any([build.wait() for build in builds]):
        raise RuntimeError("scripts/reader: does not compile")


def tearDownModule() -> None:
    _bin.cleanup()


class CensusTest(unittest.TestCase):
    """A folder to write a tree in, and the census of it."""

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.tree = Path(scratch.name) / "tree"
        self.tree.mkdir()
        os.chmod(scratch.name, 0o755)

    def put(self, name: str | bytes, text: bytes) -> None:
        path = os.path.join(os.fsencode(self.tree), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(text)

    def run_one(self, binary: str, *args: str, stdin: bytes = b"",
                user: Optional[int] = None) -> bytes:
        done = subprocess.run([binary, *TABLE, *args, str(self.tree)],
                              input=stdin,
                              capture_output=True, user=user)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done.stdout

    def census(self, *args: str, stdin: bytes = b"",
               user: Optional[int] = None) -> list[list[bytes]]:
        """The rows, in fields, of both builds."""
        plain = self.run_one(PLAIN, "-j1", *args, stdin=stdin, user=user)
        checked = self.run_one(CHECKED, "-j", "2", *args, stdin=stdin,
                               user=user)
        self.assertEqual(plain, checked)
        rows = [line.split(b"\t") for line in plain.split(b"\n")[:-1]]
        for row in rows:
            self.assertEqual(len(row), 6, row)
        return rows

    def expect(self, text: bytes, *wanted: str, name: str = "x.c") -> None:
        """The sites of one file, beside whatever else the tree holds."""
        self.put(name, text)
        found = []
        for file, line, column, function, token, place in self.census():
            if os.fsdecode(file) == name:
                found.append(os.fsdecode(b" ".join((
                    line + b":" + column, function or b"-", token, place))))
        self.assertEqual(found, list(wanted))

    def expect_tokens(self, text: bytes, *wanted: str,
                      name: str = "x.c") -> None:
        """The same, without function and place."""
        self.put(name, text)
        found = [os.fsdecode(row[1] + b":" + row[2] + b" " + row[4])
                 for row in self.census() if os.fsdecode(row[0]) == name]
        self.assertEqual(found, list(wanted))


class TokenTest(CensusTest):
    """Which bytes are a name."""

    def test_every_name_is_a_site(self) -> None:
        text = "".join(f"{name};\n" for name in NAMES)
        self.expect(text.encode(), *(f"{line}:1 - {name} code" for line, name
                                     in enumerate(NAMES, start=1)))

    def test_a_name_inside_a_longer_word_is_not_a_site(self) -> None:
        text = "".join(f"x{name}; {name}x; _{name}; {name}_; 9{name}; "
                       f"{name}9;\n" for name in NAMES
                       if not name.startswith("sg_"))
        self.expect(text.encode() + b"expect_pfn_sg_page_iter;")

    def test_a_word_goes_on_with_what_compilers_allow_in_one(self) -> None:
        for more in (b"$", b"\xc3\xa9", b"\xe9", b"\\u00e9"):
            self.expect(b"for_each_sg_page" + more + b" for_each_sg_page;",
                        f"1:{18 + len(more)} - for_each_sg_page code")
        self.expect(b"x $for_each_sg_page", "1:4 - for_each_sg_page code",
                    name="x.S")

    def test_a_name_may_be_the_whole_file(self) -> None:
        self.expect(b"for_each_sg_page", "1:1 - for_each_sg_page code")

    def test_an_empty_file_has_no_site(self) -> None:
        self.expect(b"")

    def test_comments_are_not_code(self) -> None:
        self.expect(
            b"/* for_each_sg_page */ // for_each_sg_page\n"
            b"/** for_each_sg_page ** / for_each_sg_page **/\n"
            b"/*/ for_each_sg_page */ for_each_sg_page\n"
            b"// for_each_sg_page /*\n"
            b"for_each_sg_page // */ \n"
            b"/* // */ for_each_sg_page\n"
            b"a / * for_each_sg_page * / b\n",
            "3:25 - for_each_sg_page code", "5:1 - for_each_sg_page code",
            "6:10 - for_each_sg_page code", "7:7 - for_each_sg_page code")

    def test_strings_and_character_constants_are_not_code(self) -> None:
        self.expect(
            b'"for_each_sg_page" L"for_each_sg_page" \'for_each_sg_page\'\n'
            b'"\\"for_each_sg_page" "\\\\" for_each_sg_page "\\\\"\n'
            b"'\"' for_each_sg_page '\"' '\\'' for_each_sg_page '\\\\'\n"
            b'"/*" for_each_sg_page "*/" "//" for_each_sg_page\n'
            b"/* \" */ for_each_sg_page /* ' */ for_each_sg_page // \" '\n"
            b'"\'" for_each_sg_page "\'"\n',
            "2:27 - for_each_sg_page code", "3:5 - for_each_sg_page code",
            "3:31 - for_each_sg_page code", "4:6 - for_each_sg_page code",
            "4:33 - for_each_sg_page code", "5:9 - for_each_sg_page code",
            "5:34 - for_each_sg_page code", "6:5 - for_each_sg_page code")

    def test_a_splice_may_be_anywhere(self) -> None:
        self.expect(
            b"for_each\\\n_sg_page /\\\n* for_each_sg_page *\\\n/ "
            b"for_each_sg_page\n"
            b"/\\\n/ for_each_sg_page\n"
            b"// a \\\nfor_each_sg_page \\\r\nfor_each_sg_page \\ \t\n"
            b"for_each_sg_page\n"
            b'"a\\\n" for_each_sg_page "\\\\\n" for_each_sg_page "\n'
            b"sg_page_i\\\r\nter f\\\n\\\nor_each_sg_page\n",
            "1:1 - for_each_sg_page code", "4:3 - for_each_sg_page code",
            "12:3 - for_each_sg_page code", "14:1 - sg_page_iter code",
            "15:5 - for_each_sg_page code")

    def test_a_backslash_that_is_no_splice_ends_a_word(self) -> None:
        self.expect(b"#define A for_each\\x_sg_page\\\n"
                    b"b sg_page_iter\\c\\\n",
                    "2:3 - sg_page_iter macro")

    def test_a_splice_at_any_place_of_any_name_is_seen(self) -> None:
        wanted = set()
        for name in NAMES:
            for at in range(1, len(name)):
                for kind, splice in enumerate(("\\\n", "\\\r\n", "\\ \n",
                                               "\\\n\\\n")):
                    file = f"{name}/{at}-{kind}.c"
                    self.put(file, f"x {name[:at]}{splice}{name[at:]};\n"
                             .encode())
                    wanted.add((file, name))
        found = {(os.fsdecode(row[0]), os.fsdecode(row[4]))
                 for row in self.census()}
        self.assertEqual(found, wanted)

    def test_columns_are_bytes_and_lines_end_at_newline(self) -> None:
        self.expect(
            b"\tfor_each_sg_page\r\n"
            b"\xe9\xa9 for_each_sg_page\r"
            b"for_each_sg_page\n"
            b"/*\r\n\n\xff*/for_each_sg_page\v\f\nsg_page_iter",
            "1:2 - for_each_sg_page code", "2:4 - for_each_sg_page code",
            "2:21 - for_each_sg_page code", "5:4 - for_each_sg_page code",
            "6:1 - sg_page_iter code")

    def test_a_byte_order_mark_is_not_part_of_the_first_token(self) -> None:
        self.expect(b"\xef\xbb\xbf#if 0\nfor_each_sg_page\n#endif\n",
                    "2:1 - for_each_sg_page if0")

    def test_digraphs_are_brackets_and_trigraphs_are_not(self) -> None:
        self.expect(
            b"%:define A for_each_sg_page\n"
            b"int f(int a<:2:>)\n<%\n\tstruct sg_page_iter it<:2:>;\n"
            b"\tit<:0:>.sg = 0;\n%>\n"
            b"??=define B for_each_sg_page\n",
            "1:12 - for_each_sg_page macro", "4:2 f struct sg_page_iter code",
            "5:10 f .sg code", "7:13 - for_each_sg_page code")

    def test_a_number_takes_the_letters_behind_it(self) -> None:
        self.expect(b"1for_each_sg_page 0x1e+sg_page_iter .5sg_page_iter\n"
                    b"1 for_each_sg_page 2+sg_page_iter\n",
                    "2:3 - for_each_sg_page code", "2:22 - sg_page_iter code")

    def test_a_tag_counts_from_its_keyword(self) -> None:
        self.expect(
            b"struct sg_page_iter a;\n"
            b"struct/* c */sg_dma_page_iter b;\n"
            b"  struct\n\n\tsg_page_iter c;\n"
            b"str\\\nuct \\\nsg_page\\\n_iter d;\n"
            b"struct // c\n sg_dma_page_iter e;\n"
            b"struct __attribute__((packed)) sg_page_iter {};\n",
            "1:1 - struct sg_page_iter code",
            "2:1 - struct sg_dma_page_iter code",
            "3:3 - struct sg_page_iter code",
            "6:1 - struct sg_page_iter code",
            "10:1 - struct sg_dma_page_iter code",
            "12:1 - struct sg_page_iter code")

    def test_a_tag_without_its_keyword_is_bare(self) -> None:
        self.expect(
            b"#define sg_dma_page_iter sg_page_iter\n"
            b"union sg_page_iter u; sg_dma_page_iter *p; x.sg_page_iter;\n",
            "1:9 - sg_dma_page_iter macro", "1:26 - sg_page_iter macro",
            "2:7 - sg_page_iter code", "2:23 - sg_dma_page_iter code",
            "2:46 - sg_page_iter code")

    def test_the_name_of_an_included_file_is_not_a_site(self) -> None:
        self.expect(b"#include <sg_page_iter.h>\n"
                    b'#include "sg_page_iter.h"\n'
                    b"#include <a.h> /* for_each_sg_page\n */ sg_page_iter\n"
                    b"for_each_sg_page\n",
                    "4:5 - sg_page_iter directive",
                    "5:1 - for_each_sg_page code")

    def test_one_line_may_be_very_long(self) -> None:
        filler = b"a b c d " * (MIB // 4)
        self.expect(filler + b"for_each_sg_page " + filler + b"sg_page_iter",
                    f"1:{len(filler) + 1} - for_each_sg_page code",
                    f"1:{2 * len(filler) + 18} - sg_page_iter code")


class UnlexedTest(CensusTest):
    """What cannot be lexed is a row, and hides no name."""

    def test_a_nul_byte_is_a_row_where_it_begins(self) -> None:
        self.expect(b"for_each_sg_page\n a\0\0\0b for_each\0_sg_page\n",
                    "1:1 - for_each_sg_page code", "2:3 - ? unlexed: nul byte",
                    "2:16 - ? unlexed: nul byte")

    def test_a_nul_byte_in_a_comment_or_string_is_no_row(self) -> None:
        self.expect(b"/* \0 */ \"\0\" '\0' for_each_sg_page // \0\n",
                    "1:17 - for_each_sg_page code")

    def test_a_comment_that_does_not_end_is_a_row_with_its_names(self) -> None:
        self.expect(
            b"int f(void)\n{\n\t/* don't \"for_each_sg_page\n"
            b" * struct sg_page_iter it; // it->sg_pgoffset\n}\n#if 0\n"
            b"int g(void) { sg_page_iter_page }",
            "3:2 f ? unlexed: unterminated comment",
            "3:12 f for_each_sg_page unlexed: unterminated comment",
            "4:4 f struct sg_page_iter unlexed: unterminated comment",
            "4:35 f .sg_pgoffset unlexed: unterminated comment",
            "7:15 f sg_page_iter_page unlexed: unterminated comment")

    def test_a_quote_that_does_not_end_is_a_row_and_ends_with_its_line(
            self) -> None:
        self.expect(
            b'char *a = "for_each_sg_page;\nsg_page_iter "\nsg_page_iter;\n'
            b"char b = 'for_each_sg_page;\nfor_each_sg_page;\n"
            b'"a \\\nfor_each_sg_page\nsg_page_iter; "\\',
            "1:11 - ? unlexed: unterminated string",
            "1:12 - for_each_sg_page unlexed: unterminated string",
            "2:1 - sg_page_iter code",
            "2:14 - ? unlexed: unterminated string",
            "3:1 - sg_page_iter code",
            "4:10 - ? unlexed: unterminated character constant",
            "4:11 - for_each_sg_page unlexed: unterminated character constant",
            "5:1 - for_each_sg_page code",
            "6:1 - ? unlexed: unterminated string",
            "7:1 - for_each_sg_page unlexed: unterminated string",
            "8:1 - sg_page_iter code",
            "8:15 - ? unlexed: unterminated string")

    def test_an_apostrophe_in_dead_text_or_a_message_is_no_row(self) -> None:
        self.expect(
            b"#error don't\n"
            b"# warning can't \"for_each_sg_page\n"
            b"#if 0\n"
            b"don't use for_each_sg_page, \"ever\n"
            b"it's /* a comment, for gcc not */ for_each_sg_page\n"
            b"#error isn't\n"
            b"#endif\n"
            b"for_each_sg_page\n",
            "2:18 - for_each_sg_page directive",
            "4:11 - for_each_sg_page if0", "5:35 - for_each_sg_page if0",
            "8:1 - for_each_sg_page code")

    def test_an_apostrophe_in_a_macro_is_a_row(self) -> None:
        self.expect(b"#define A don't\nfor_each_sg_page\n",
                    "1:14 - ? unlexed: unterminated character constant",
                    "2:1 - for_each_sg_page code")

    def test_a_file_without_a_name_has_no_row(self) -> None:
        self.put("member.h", MEMBER)
        self.expect(b"don't \"\n\0 x->sg; /* no end")
        self.expect(b"don't\n/* for_each_sg_page */\n",
                    "1:4 - ? unlexed: unterminated character constant")
        self.expect(b"don't\n x->iter.sg\n",
                    "1:4 - ? unlexed: unterminated character constant",
                    "2:10 - .sg code")

    def test_assembly_has_comments_and_strings_but_no_characters(self) -> None:
        self.expect(
            b"# don't for_each_sg_page\n"
            b"@ can't sg_page_iter; won't /* for_each_sg_page */\n"
            b'\t.ascii "for_each_sg_page" // for_each_sg_page\n'
            b"#if 0\n# it's for_each_sg_page\n#else /* */\n"
            b"\tmov $sg_page_iter, %eax ; isn't \"for_each_sg_page\n"
            b"#endif\n#define A for_each_sg_page\n"
            b"%:define B for_each_sg_page\n",
            "1:9 - for_each_sg_page code", "2:9 - sg_page_iter code",
            "5:8 - for_each_sg_page if0", "7:7 - sg_page_iter code",
            "7:34 - ? unlexed: unterminated string",
            "7:35 - for_each_sg_page unlexed: unterminated string",
            "9:11 - for_each_sg_page macro", "10:12 - for_each_sg_page code",
            name="x.S")

    def test_an_unbalanced_conditional_is_a_row(self) -> None:
        self.expect(
            b"#endif\n#else\n#elif 0\nfor_each_sg_page\n  #if 0\n#if A\n"
            b"sg_page_iter\n",
            "1:1 - ? unlexed: conditional without #if",
            "2:1 - ? unlexed: conditional without #if",
            "3:1 - ? unlexed: conditional without #if",
            "4:1 - for_each_sg_page code",
            "5:3 - ? unlexed: unterminated conditional",
            "6:1 - ? unlexed: unterminated conditional",
            "7:1 - sg_page_iter if0")

    def test_nesting_too_deep_is_a_row(self) -> None:
        deep = 4096
        for name, opening, ending in (("a.c", b"{", b"}"), ("b.c", b"(", b")"),
                                      ("c.c", b"#if 1\n", b"#endif\n")):
            self.put(name, opening * (deep + 9) + b"for_each_sg_page\n" +
                     ending * (deep + 9) + b"sg_page_iter\n")
        self.put("d.c", b"int f(void)\n" + b"{" * 9999 + b"}" * 9998 +
                 b"for_each_sg_page }\nsg_page_iter\n")
        self.put("e.c", b"#if " + b"(" * 999999 + b"0\nsg_page_iter\n#endif")
        found = [os.fsdecode(b" ".join(row[:3] + row[4:]))
                 for row in self.census()]
        self.assertEqual(found, [
            "a.c 1 4097 ? unlexed: nesting too deep",
            "a.c 1 4106 for_each_sg_page code",
            "a.c 2 4106 sg_page_iter code",
            "b.c 1 4097 ? unlexed: nesting too deep",
            "b.c 1 4106 for_each_sg_page code",
            "b.c 2 4106 sg_page_iter code",
            "c.c 4097 1 ? unlexed: nesting too deep",
            "c.c 4106 1 for_each_sg_page code",
            "c.c 8212 1 sg_page_iter code",
            "d.c 2 4097 ? unlexed: nesting too deep",
            "d.c 2 19998 for_each_sg_page code",
            "d.c 3 1 sg_page_iter code",
            "e.c 1 4101 ? unlexed: nesting too deep",
            "e.c 2 1 sg_page_iter code"])
        self.assertEqual([row[3] for row in self.census() if row[0] == b"d.c"],
                         [b"f", b"f", b""])


class PlaceTest(CensusTest):
    """Code, macro, directive, or dead."""

    def test_a_macro_reaches_to_the_end_of_its_spliced_line(self) -> None:
        self.expect(
            b"#define A(for_each_sg_page) x \\\n\tfor_each_sg_page /* \n"
            b"*/ sg_page_iter \\\r\n  for_each_sg_page // \\\n sg_page_iter\n"
            b"for_each_sg_page\n"
            b"/* */ # /* */ define B sg_page_iter\n"
            b"x # define C sg_page_iter\n",
            "1:11 - for_each_sg_page macro", "2:2 - for_each_sg_page macro",
            "3:4 - sg_page_iter macro", "4:3 - for_each_sg_page macro",
            "6:1 - for_each_sg_page code", "7:24 - sg_page_iter macro",
            "8:14 - sg_page_iter code")

    def test_other_preprocessor_lines_are_directives(self) -> None:
        self.expect(
            b"#ifdef sg_page_iter\n#elif defined(for_each_sg_page)\n#else\n"
            b"#endif sg_page_iter\n#undef for_each_sg_dma_page\n"
            b"#if defined for_each_sg_page && !defined(for_each_sg_dma_page)\n"
            b"#endif\n#pragma sg_page_iter\n#nonsense sg_page_iter\n"
            b"#\n# 12 \"x\" sg_page_iter\n",
            "1:8 - sg_page_iter directive",
            "2:15 - for_each_sg_page directive",
            "4:8 - sg_page_iter directive",
            "5:8 - for_each_sg_dma_page directive",
            "6:13 - for_each_sg_page directive",
            "6:42 - for_each_sg_dma_page directive",
            "8:9 - sg_page_iter directive", "9:11 - sg_page_iter directive",
            "11:10 - sg_page_iter directive")

    def test_only_a_literal_makes_dead(self) -> None:
        cases = {
            "0": "if0", "(0)": "if0", "!1": "if0", "0x0uL": "if0",
            "00": "if0", "0 && A": "if0", "A && 0": "if0", "!(1 || A)": "if0",
            "0 || 0": "if0", "0 /* 1 */": "if0", "!!0": "if0",
            "(A) && (0)": "if0", "0 && A == 1": "if0",
            "0 && (A || 1 > 2)": "if0", "0 || (A && 0)": "if0",
            "1": "code", "A": "code", "defined(A)": "code", "0 == A": "code",
            "0 + 1": "code", "0 ? 0 : 1": "code", "A && (0 ? 0 : 1)": "code",
            "0 || A": "code", "!0": "code", "0x10": "code", "0b1": "code",
            "'a'": "code", "-0": "if0", "": "code", "0 && 0 ? 0 : 1": "code",
            "0\\\n": "if0", "0\\\n0\\\r\n": "if0", "1\\\n": "code",
            "(0": "if0", "0)": "code", "0, 1": "code", "1 && !A": "code",
            "1 || 0 && A": "code", "0 && V(4, 1) > B": "if0", "A(0)": "code", "~0": "code",
        }
        for number, condition in enumerate(cases):
            self.put(f"{number:02}.c",
                     f"#if {condition}\nfor_each_sg_page\n#endif\n".encode())
        found = [os.fsdecode(row[5]) for row in self.census()]
        self.assertEqual(dict(zip(cases, found)), cases)
        self.assertEqual(len(found), len(cases))

    def test_each_branch_is_dead_or_not_by_itself(self) -> None:
        self.expect(
            b"#if 1\nfor_each_sg_page\n#elif A\nfor_each_sg_page\n#else\n"
            b"for_each_sg_page\n#endif\n"
            b"#if 0\nfor_each_sg_page\n#elif 0\nfor_each_sg_page\n#elif 1\n"
            b"for_each_sg_page\n#else\nfor_each_sg_page\n#endif\n"
            b"#ifdef A\nfor_each_sg_page\n#elif 0\nfor_each_sg_page\n#else\n"
            b"for_each_sg_page\n#endif\n"
            b"#if 0\n#else\nfor_each_sg_page\n#endif\n",
            "2:1 - for_each_sg_page code", "4:1 - for_each_sg_page if0",
            "6:1 - for_each_sg_page if0", "9:1 - for_each_sg_page if0",
            "11:1 - for_each_sg_page if0", "13:1 - for_each_sg_page code",
            "15:1 - for_each_sg_page if0", "18:1 - for_each_sg_page code",
            "20:1 - for_each_sg_page if0", "22:1 - for_each_sg_page code",
            "26:1 - for_each_sg_page code")

    def test_all_within_dead_text_is_dead(self) -> None:
        self.expect(
            b"#if 0\n#ifdef A\nfor_each_sg_page\n#else\nfor_each_sg_page\n"
            b"#endif\n#if 1\nfor_each_sg_page\n#elif sg_page_iter\n#endif\n"
            b"#define B for_each_sg_page\n#undef sg_page_iter\n"
            b"/* #endif */ for_each_sg_page\n"
            b"#elif sg_page_iter\nfor_each_sg_page\n#endif for_each_sg_page\n"
            b"for_each_sg_page\n",
            "3:1 - for_each_sg_page if0", "5:1 - for_each_sg_page if0",
            "8:1 - for_each_sg_page if0", "9:7 - sg_page_iter if0",
            "11:11 - for_each_sg_page if0", "12:8 - sg_page_iter if0",
            "13:14 - for_each_sg_page if0",
            "14:7 - sg_page_iter directive", "15:1 - for_each_sg_page code",
            "16:8 - for_each_sg_page directive",
            "17:1 - for_each_sg_page code")


class FunctionTest(CensusTest):
    """The enclosing function."""

    def functions(self, text: bytes, *wanted: str) -> None:
        """The function of each site, - for none."""
        self.put("x.c", text)
        self.assertEqual([os.fsdecode(row[3]) or "-" for row in self.census()],
                         list(wanted))

    def test_file_scope_and_prototypes_have_none(self) -> None:
        self.functions(
            b"struct sg_page_iter *a, b = { 1, { 2 } };\n"
            b"bool f(struct sg_page_iter *it);\n"
            b"bool g(struct sg_page_iter *it) __must_check;\n"
            b"struct s { struct sg_page_iter it; int (*f)(int); };\n"
            b"enum e { A = sizeof(struct sg_page_iter) };\n"
            b"int t[] = { f(1), [2] = { sizeof(struct sg_page_iter) }, };\n"
            b"EXPORT_SYMBOL(for_each_sg_page);\n"
            b"typedef int (*h)(struct sg_page_iter *);\n"
            b"int (*j)(void) = for_each_sg_page;\n",
            *"---------")

    def test_header_and_body_belong_to_the_function(self) -> None:
        self.functions(
            b"struct sg_page_iter *f(struct sg_page_iter *it,\n"
            b"\t\tint (*cb)(struct sg_page_iter *))\n"
            b"{\n\tif (a) {\n\t\tfor_each_sg_page\n\t}\n"
            b"\tfor_each_sg_page\n}\n"
            b"struct sg_page_iter b;\n"
            b"static int g(void) { for_each_sg_page }\n"
            b"struct sg_page_iter c;\n",
            "f", "f", "f", "f", "f", "-", "g", "-")

    def test_attributes_do_not_name_a_function(self) -> None:
        texts = (
            b"static __printf(1, 2) int f(char *a, ...) { X }",
            b"int f(int a) __acquires(a) __releases(b) { X }",
            b"int f(int a) __no_such_thing(b) { X }",
            b"int f(int a) __acquires(a) __no_such_thing(b) { X }",
            b"__no_such_thing(b) static int f(int a) { X }",
            b"__attribute__((cold)) int f(void) { X }",
            b"int __attribute__((cold, format(a, 1, 2))) f(void) { X }",
            b"int f(void) __must_check { X }",
            b"static int __init __must_check f(void) { X }",
            b"MODULE_LICENSE(\"GPL\")\nstatic int f(void) { X }",
            b"DEFINE_THING(a, b)\nint f(void) { X }",
            b"typeof(a) f(void) { X }",
            b"struct s f(void) { X }",
            b"enum e *f(struct s { int a; } b) { X }",
            b"f(a) { X }",
            b"int f(a, b) int a; struct s *b; { X }",
            b"int f(a)\n\tint (*a)();\n{ X }",
            b"int (*f(int a))(int b) { X }",
            b"int (f)(int a) { X }",
            b"int (*f(int a, int (*b)(void)))(struct s *) { X }",
            b"foo_t *(*f(void))[2] { X }",
            b"SYSCALL_DEFINE2(f, int, a, char *, b) { X }",
            b"asmlinkage COMPAT_SYSCALL_DEFINE0(f) { X }",
            b"static u32 FN(f)(int a) { X }",
            b"extern \"C\" { int a; int f(void) { X } }",
            b"int a; ; int f(void) { X }",
            b"struct s { int a; } f(void) { X }",
            b"int a[] = { 1 }; int f(void) { X }",
            b"int g(a) int a; int f(void) { X }",
        )
        for number, text in enumerate(texts):
            self.put(f"{number:02}.c",
                     text.replace(b"X", b"for_each_sg_page"))
        named = {row[0]: row[3] for row in self.census()}
        for number, text in enumerate(texts):
            self.assertEqual(named[f"{number:02}.c".encode()], b"f", text)

    def test_assembly_has_no_functions(self) -> None:
        self.put("x.S", b"ENTRY(f)\n\tpush {sg_page_iter, r0}\n")
        self.assertEqual([row[3] for row in self.census()], [b""])

    def test_old_style_parameters_belong_to_the_function(self) -> None:
        self.functions(
            b"int f(a, b)\n\tstruct sg_page_iter *a;\n\tint b;\n"
            b"{ for_each_sg_page }\n"
            b"int g(size_t) __pure;\nstruct sg_page_iter c;\n"
            b"int h(int d) { for_each_sg_page }\n",
            "f", "f", "-", "h")

    def test_an_upper_case_function_keeps_its_name(self) -> None:
        self.functions(b"u32 CRC(u8 *x) { for_each_sg_page }\n"
                       b"u32 SUM(void) { for_each_sg_page }\n", "CRC", "SUM")

    def test_braces_of_one_branch_do_not_skew_another(self) -> None:
        self.functions(
            b"#ifdef A\nint f(int a)\n{\n\tif (a) {\n\t\tfor_each_sg_page\n"
            b"#else\nint g(struct sg_page_iter *b)\n{\n"
            b"\t{{ for_each_sg_page\n#endif\n"
            b"\t\tfor_each_sg_page\n\t}\n\tfor_each_sg_page\n}\n"
            b"struct sg_page_iter c;\n",
            "f", "g", "g", "f", "f", "-")
        self.functions(
            b"#ifdef A\nint f(struct sg_page_iter *a);\n#else\n"
            b"int f(struct sg_page_iter *a) { return 0; }\n#endif\n", "-", "f")

    def test_a_dead_branch_leaves_the_braces_alone(self) -> None:
        self.functions(
            b"int f(void)\n{\n#if 0\n\t} } (((\n\tfor_each_sg_page\n#endif\n"
            b"\tfor_each_sg_page\n#if 0\n\t{{\n#else\n\t{\n#endif\n\t}\n"
            b"\tfor_each_sg_page\n}\nstruct sg_page_iter c;\n",
            "-", "f", "f", "-")

    def test_a_brace_in_column_one_ends_a_function(self) -> None:
        self.functions(
            b"int f(void)\n{\n\tif (a) {{ ((\n\tfor_each_sg_page\n}\n"
            b"struct sg_page_iter c;\n"
            b"int g(void)\n{\n\tfor_each_sg_page\n}\n"
            b"int h((int a);\n"
            b"int i(void)\n{\n\tfor_each_sg_page\n}\n"
            b"int j(void)\n{\n\tfor_each_sg_page\n}\n",
            "f", "-", "g", "h", "j")

    def test_brackets_within_a_function_do_not_end_it(self) -> None:
        self.functions(
            b"int f(void)\n{\n\tint a = ({ int b = 1; b; });\n"
            b"\tstruct s { int a; } c = (struct s){ .a = 1 };\n"
            b"\tswitch (a) { case '}': g(\"}\", (int[]){ 1, }); }\n"
            b"\tdo { /* } */ } while (0);\n\t} } ;\n }\n\tfor_each_sg_page\n",
            "-")
        self.functions(
            b"int f(void)\n{\n\tint a = ({ int b = 1; b; });\n"
            b"\tstruct s { int a; } c = (struct s){ .a = 1 };\n"
            b"\tswitch (a) { case '}': g(\"}\", (int[]){ 1, }); }\n"
            b"\tdo { /* } */ } while (0);\n\tfor_each_sg_page\n}\n", "f")

    def test_a_macro_is_in_a_function_if_it_is_defined_in_one(self) -> None:
        self.functions(
            b"#define A int f(void) { for_each_sg_page }\n"
            b"int g(void)\n{\n#define B } for_each_sg_page\n"
            b"#ifdef sg_page_iter\n#endif\n\tfor_each_sg_page\n}\n"
            b"static\n#define C for_each_sg_page\nint h(void) {}\n",
            "-", "g", "g", "g", "-")


class FieldTest(CensusTest):
    """.sg counts where its object is an iterator, .sg_pgoffset anywhere."""

    def fields(self, text: bytes, *lines: int) -> None:
        """The lines with a .sg; the file must name an iterator itself."""
        self.put("x.c", text)
        self.assertEqual([int(row[1]) for row in self.census()
                          if row[4] == b".sg"], list(lines))

    def test_any_pgoffset_reached_by_dot_or_arrow_counts(self) -> None:
        self.expect(
            b"unsigned int sg_pgoffset;\nx.sg_pgoffset; y -> \n"
            b"sg_pgoffset; z. /* */ sg_pgoffset; { .sg_pgoffset = 1 }\n"
            b"sg_pgoffset->z; f(sg_pgoffset); x...sg_pgoffset;\n",
            "2:3 - .sg_pgoffset code", "3:1 - .sg_pgoffset code",
            "3:23 - .sg_pgoffset code", "3:39 - .sg_pgoffset code")

    def test_every_spelling_of_the_object_counts(self) -> None:
        self.fields(
            b"void f(struct sg_page_iter *p, struct sg_dma_page_iter q)\n{\n"
            b"\tstruct sg_page_iter it, a[2], *b[2], *c = g(1, 2), d;\n"
            b"\tit.sg;\n\tp->sg;\n\ta[0].sg;\n\tb[f(x, 1)]->sg;\n"
            b"\t(*p).sg;\n\t(&it)->sg;\n\t((it)).sg;\n\tq.base.sg;\n"
            b"\t(&q)->base.sg;\n\t(*b[1]).sg;\n\tc->sg;\n\td.sg;\n"
            b"\t((struct sg_page_iter *)x)->sg;\n"
            b"\tcontainer_of(x, struct sg_dma_page_iter, base)->base.sg;\n"
            b"\tit /* */ . // x\n\t\tsg;\n\t(a + 1)->sg;\n"
            b"\treturn (*p).sg;\n\tif (x) (*p).sg;\n\t(x ? p : p)->sg;\n"
            b"\t(&q.base)->sg;\n\t(*(&(it))).sg;\n\t(int)(it).sg;\n"
            b"\tx(1)[it.sg];\n\tp++->sg + --c->sg;\n\tx-- - p->sg;\n}\n",
            *range(4, 18), 19, *range(20, 29), 28, 29)

    def test_another_object_does_not_count(self) -> None:
        self.fields(
            b"void f(struct sg_page_iter *p, struct host *host)\n{\n"
            b"\tstruct sg_page_iter it;\n"
            b"\thost->sg;\n\tx->it.sg;\n\tx.p->sg;\n\tit.x.sg;\n"
            b"\tx(it).sg;\n\tx[p].sg;\n\tit.sgl;\n\tit.xsg;\n\tsg;\n"
            b"\tit, sg;\n\tx->base.sg;\n\t(it, x).sg;\n\tit ? .sg : 0;\n"
            b"\tit\n.\nsgx;\n}\n")

    def test_a_name_is_bound_in_its_own_function(self) -> None:
        self.fields(
            b"void f(void)\n{\n\tstruct sg_page_iter it;\n\tit.sg;\n}\n"
            b"void g(struct thing *it)\n{\n\tit->sg;\n}\n"
            b"void h(void)\n{\n\tstruct thing it;\n\tit.sg;\n}\n"
            b"void i(struct sg_page_iter *it);\n"
            b"void j(void)\n{\n\tit->sg;\n}\n"
            b"void k(struct sg_page_iter *it) { it->sg; }\n"
            b"void l(it) struct sg_page_iter *it; { it->sg; }\n"
            b"void m(void) { it->sg; }\n"
            b"void n(struct sg_page_iter *a, thing_t *it) { it->sg; }\n"
            b"#define A struct sg_page_iter it; it.sg;\n"
            b"void o(void) { it->sg; }\n", 4, 20, 21, 24)

    def test_the_innermost_scope_decides(self) -> None:
        self.fields(
            b"static struct sg_page_iter it;\n"
            b"void f(void)\n{\n\tit.sg;\n\t{\n\t\tstruct thing *it;\n"
            b"\t\tit->sg;\n\t\t{\n\t\t\tstruct sg_page_iter it;\n"
            b"\t\t\tit.sg;\n\t\t}\n\t\tit->sg;\n\t}\n\tit.sg;\n}\n"
            b"void g(thing_t *it)\n{\n\tit->sg;\n}\n"
            b"void h(void)\n{\n\tthing_t *it = 0;\n\tit->sg;\n}\n"
            b"void i(void)\n{\n\tx = y * it.sg;\n}\n"
            b"void j(int x, const thing_t it, int y)\n{\n\tit.sg;\n}\n",
            4, 10, 14, 27)

    def test_both_branches_of_an_ifdef_declare(self) -> None:
        self.fields(
            b"void f(void)\n{\n#ifdef A\n\tstruct sg_dma_page_iter it;\n"
            b"#else\n\tstruct thing it;\n\tstruct sg_page_iter b;\n#endif\n"
            b"\tit.sg;\n\tb.sg;\n}\n"
            b"void g(void) { b.sg; }\n", 9, 10)
        self.fields(
            b"static struct sg_page_iter it;\n"
            b"void f(void)\n{\n#ifdef A\n\t{\n\t\tthing_t it;\n#else\n"
            b"\tthing_t b;\n\t{\n#endif\n\t}\n\tit.sg;\n}\n", 12)

    def test_each_branch_names_the_tag_of_one_struct(self) -> None:
        self.expect(
            b"struct\n#ifdef A\nsg_page_iter\n#elif B\nsg_dma_page_iter\n"
            b"#else\n\tsg_page_iter\n#endif\nit;\n",
            "1:1 - struct sg_page_iter code", "5:1 - sg_dma_page_iter code",
            "7:2 - sg_page_iter code")

    def test_every_kind_of_declaration_counts(self) -> None:
        self.fields(
            b"struct sg_page_iter g1, *g2;\n"
            b"static const struct sg_page_iter g3 = { 0 }, g4[] = { { 0 } };\n"
            b"struct sg_page_iter *make(struct thing *x);\n"
            b"void f(struct sg_page_iter (*p)[2], int (*cb)(struct thing *))\n"
            b"{\n\tstatic struct sg_page_iter __maybe_unused a;\n"
            b"\tstruct sg_page_iter *const b = 0, c __maybe_unused;\n"
            b"\tregister struct sg_page_iter __attribute__((x)) d, e;\n"
            b"\tfor (struct sg_page_iter h, *i;;) { h.sg; i->sg; }\n"
            b"\tg1.sg; g2->sg;\n\tg3.sg; g4[0].sg;\n\tmake(x)->sg;\n"
            b"\t(*p)[0].sg;\n\ta.sg; b->sg;\n\tc.sg; d.sg;\n\te.sg;\n"
            b"\tsg_page_iter *t; t->sg;\n"
            b"\tstruct sg_page_iter\n\t\tj; j.sg;\n}\n",
            9, 9, 10, 10, 11, 11, 12, 13, 14, 14, 15, 15, 16, 17, 19)

    def test_a_type_made_of_an_iterator_declares_one(self) -> None:
        self.fields(
            b"typedef struct sg_page_iter iter_t, *iter_p;\n"
            b"void f(iter_t *a)\n{\n\titer_t const b;\n\titer_p c = a, d;\n"
            b"\ta->sg;\n\tb.sg;\n\tc->sg;\n\t{ thing_t a; a->sg; }\n}\n",
            6, 7, 8)

    def test_file_scope_is_told_from_old_style_parameters(self) -> None:
        self.fields(
            b"DEFINE_X(x)\nint y;\nstatic struct sg_page_iter a;\n"
            b"static struct sg_page_iter b = { 0 };\n"
            b"void f(void) { a.sg; b.sg; }\n"
            b"DEFINE_X(x)\nstatic struct sg_page_iter c = { 0 };\n"
            b"void g(void) { c.sg; a.sg; }\n"
            b"DEFINE_X(x)\nstatic struct sg_page_iter d;\n"
            b"void h(e) struct sg_page_iter *e; { d.sg; e->sg; }\n"
            b"void i(void) { d.sg; e->sg; }\n",
            5, 5, 8, 8, 11, 11, 12)

    def test_a_member_declared_anywhere_in_the_tree_counts(self) -> None:
        self.put("z/deep.h", b"#ifdef X\nstruct a { union { struct { int b; "
                 b"struct sg_page_iter deep, *ptr; } c; }; };\n#endif\n"
                 b"struct PACKED b { struct sg_page_iter packed; };\n")
        self.put("y.h", MEMBER)
        self.put("dma.h", b"struct sg_dma_page_iter "
                 b"{ struct sg_page_iter base; };\n")
        self.fields(
            b"miter->iter.sg;\nx.c.deep.sg = (&a->ptr[1])->sg;\n"
            b"v->iter.base.sg;\niter.sg; iter.base.sg;\n"
            b"x->base.sg; host->sg;\n"
            b"x->other.sg; x->iter.other.sg; f(x)->iter.sg;\n"
            b"{ .iter.sg = 1, .iter = { .sg = 1 }, .other = { .sg = 1 } };\n"
            b"#define A(x) ((x)->iter.sg)\nx->packed.sg;\n",
            1, 2, 2, 3, 6, 7, 7, 8, 9)

    def test_a_local_of_the_name_of_a_member_is_not_that_member(self) -> None:
        self.put("y.h", MEMBER)
        self.fields(b"void f(struct thing *iter)\n{\n\titer->sg;\n"
                    b"\tx->iter->sg;\n}\n", 4)

    def test_base_counts_when_some_structure_declares_it(self) -> None:
        self.put("y.h", b"struct foo { struct sg_page_iter base; };\n")
        self.fields(b"x->base.sg; y.base.sg; z->foo.base.sg;\n", 1, 1, 1)

    def test_a_designator_counts_in_an_iterator(self) -> None:
        self.fields(
            b"struct sg_page_iter a = { .sg = 1 };\n"
            b"struct sg_dma_page_iter b = { .base = { .sg = 1 } };\n"
            b"struct sg_dma_page_iter c = { .base.sg = 1 };\n"
            b"struct sg_page_iter d[] = { { .sg = 1 }, [1] = { .sg = 1 } };\n"
            b"struct thing e = { .sg = 1, .x = { .sg = 1 } };\n"
            b"void f(void)\n{\n"
            b"\tg((struct sg_page_iter){ .x = 1, .sg = 1 });\n"
            b"\tg(&(struct thing){ .sg = 1 });\n"
            b"\tstruct sg_page_iter h = { .sg = 1 };\n"
            b"\th = (struct thing){ .sg = 1 };\n"
            b"\tif (h.x) { .sg; }\n}\n",
            1, 2, 3, 4, 4, 8, 10)

    def test_nothing_between_object_and_field_hides_it(self) -> None:
        self.put("member.h", MEMBER)
        gaps = (b"", b" ", b"\n\t", b"/* */", b"\n\n/*\n*/\n", b" // x\n",
                b"// x \\\n y\n", b"\\\n", b"\\ \n \\\r\n", b"\n#define A\n",
                b"\n#define A \\\n b\n\n", b"\n#if 0\nx\n#endif\n", b"\0",
                b"\n%:undef X\n", b"\r\n\v\f", b"\n#if 1\n", b"\n // ' \n",
                b"/*\n*/ \\\n")
        wanted = []
        for i, gap in enumerate(gaps):
            for j, sign in enumerate((b".", b"->", b"-\\\n>", b"-\\\r\n>")):
                for k, word in enumerate((b"sg", b"s\\\ng", b"s\\ \n\\\ng")):
                    name = f"{i:02}{j}{k}.c"
                    self.put(name, b"v->iter" + sign + gap + word + b" = 0;\n")
                    wanted.append(name)
        found = [os.fsdecode(row[0]) for row in self.census()
                 if row[4] == b".sg"]
        self.assertEqual(found, wanted)


class WalkTest(CensusTest):
    """Which files are read."""

    SITE = b"for_each_sg_page\n"

    def files(self, *args: str, stdin: bytes = b"") -> list[bytes]:
        return [row[0] for row in self.census(*args, stdin=stdin)]

    def test_four_suffixes_are_searched(self) -> None:
        for name in ("a.c", "b.h", "c.S", "d.inc", ".c", "e.c.h", "f.s", "g.C",
                     "h.cc", "i.c~", "j.inc.txt", "k", "c", "l.dts", "m.hc"):
            self.put(name, self.SITE)
        self.assertEqual(self.files(), [b".c", b"a.c", b"b.h", b"c.S",
                                        b"d.inc", b"e.c.h"])

    def test_only_git_folders_are_left_out(self) -> None:
        self.put(".gitignore", b"*\n")
        for name in (".git/a.c", "b/.git/c.c", "b/.gitx/d.c", "out/e.c",
                     ".hidden/f.c", "Documentation/g.c", "h.c/i.c"):
            self.put(name, self.SITE)
        self.assertEqual(self.files(), [
            b".hidden/f.c", b"Documentation/g.c", b"b/.gitx/d.c",
            b"h.c/i.c", b"out/e.c"])

    def test_links_and_special_files_are_left_out(self) -> None:
        self.put("a/x.c", self.SITE)
        outside = self.tree.parent / "outside"
        outside.mkdir()
        (outside / "y.c").write_bytes(self.SITE)
        (self.tree / "file.c").symlink_to("a/x.c")
        (self.tree / "out.c").symlink_to(outside / "y.c")
        (self.tree / "broken.c").symlink_to("nowhere.c")
        (self.tree / "loop").symlink_to(".")
        (self.tree / "folder").symlink_to(outside)
        os.mkfifo(self.tree / "pipe.c")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.tree / "socket.c"))
            self.assertEqual(self.files(), [b"a/x.c"])

    def test_the_tree_itself_may_be_a_link(self) -> None:
        self.put("x.c", self.SITE)
        link = self.tree.parent / "link"
        link.symlink_to(self.tree)
        self.tree = link
        self.assertEqual(self.files(), [b"x.c"])

    def test_odd_names_are_escaped(self) -> None:
        for name in (b"a b.c", b"$(x);'\".c", b"tab\there.c", b"new\nline.c",
                     b"back\\slash.c", b"re\rturn.c", b"latin-\xe9.c",
                     b"-j.c", b"%s.c", b"dir\n/t.c"):
            self.put(name, self.SITE)
        self.assertEqual(self.files(), [
            b"$(x);'\".c", b"%s.c", b"-j.c", b"a b.c", b"back\\\\slash.c",
            b"dir\\n/t.c", b"latin-\xe9.c", b"new\\nline.c", b"re\\rturn.c",
            b"tab\\there.c"])

    def test_rows_are_sorted_by_bytes(self) -> None:
        for name in ("b.c", "B.c", "a/z.c", "a.c", "a-b/c.c", "a/b/c.c",
                     "\xe9.c"):
            self.put(name, self.SITE * 11)
        rows = self.census()
        self.assertEqual(rows, sorted(
            rows, key=lambda row: (row[0], int(row[1]), int(row[2]))))
        self.assertEqual(len(rows), 77)

    def test_what_cannot_be_read_is_a_row(self) -> None:
        self.put("a.c", self.SITE)
        self.put("closed.c", self.SITE)
        self.put("shut/b.c", self.SITE)
        self.put("open/c.c", self.SITE)
        (self.tree / "closed.c").chmod(0)
        (self.tree / "shut").chmod(0)
        nobody = 65534 if os.geteuid() == 0 else None
        os.chmod(_bin.name, 0o755)
        rows = [b" ".join(row) for row in self.census(user=nobody)]
        (self.tree / "shut").chmod(0o755)
        self.assertEqual(rows, [
            b"a.c 1 1  for_each_sg_page code",
            b"closed.c 1 1  ? unread: Permission denied",
            b"open/c.c 1 1  for_each_sg_page code",
            b"shut 1 1  ? unread: Permission denied"])

    def test_a_file_of_more_than_a_gibibyte_is_a_row(self) -> None:
        with open(self.tree / "huge.c", "wb") as file:
            file.truncate((1 << 30) + 1)
        self.assertEqual([row[5] for row in self.census()],
                         [b"unread: File too large"])

    def test_a_list_takes_the_place_of_the_walk(self) -> None:
        for name in ("a.c", "b/c.h", "b/d.c", "e.txt"):
            self.put(name, self.SITE)
        (self.tree / "link.c").symlink_to("a.c")
        (self.tree / "way").symlink_to("b")
        names = (b"b/c.h", b"e.txt", b"a.c", b"a.c", b"link.c", b"", b"b",
                 b"gone.c", b"way/d.c", b"/a.c", b"b/../a.c", b"gone/x.c")
        rows = self.census("--files", stdin=b"\0".join(names) + b"\0")
        self.assertEqual([b" ".join((row[0], row[5])) for row in rows], [
            b"/a.c unread: Invalid argument",
            b"a.c code",
            b"b/../a.c unread: Invalid argument",
            b"b/c.h code",
            b"gone.c unread: No such file or directory",
            b"gone/x.c unread: No such file or directory",
            b"way/d.c unread: Not a directory"])
        self.assertEqual(self.files("--files", stdin=b"a.c"), [b"a.c"])
        self.assertEqual(self.files("--files"), [])
        self.assertEqual(self.files("--any", stdin=b"e.txt"), [b"e.txt"])

    def test_folders_may_be_many_and_deep(self) -> None:
        here = os.getcwd()
        self.addCleanup(os.chdir, here)
        os.chdir(self.tree)
        for _ in range(60):
            os.mkdir("d" * 100)
            os.chdir("d" * 100)
        Path("x.c").write_bytes(self.SITE)
        os.chdir(here)
        for number in range(200):
            (self.tree / f"{number}").mkdir()
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (24, limit[1]))
        try:
            found = self.files()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limit)
            shutil.rmtree(self.tree)
        self.assertEqual(found, [b"/".join([b"d" * 100] * 60 + [b"x.c"])])


class RunTest(CensusTest):
    """The command line, and what stops a run."""

    def fails(self, *args: str, says: str,
              before: Optional[Callable[[], None]] = None,
              stdout: int = subprocess.PIPE, only: Optional[str] = None) -> None:
        for binary in (only,) if only else (PLAIN, CHECKED):
            done = subprocess.run([binary, *TABLE, *args],
                                  stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
                                  preexec_fn=before)
            self.assertEqual(done.returncode, 2)
            self.assertRegex(done.stderr.decode(), f"^reader: {says}\n$")
            self.assertFalse(done.stdout)

    def test_a_tree_that_is_none_is_an_error(self) -> None:
        self.put("x.c", b"")
        for name, why in (("nowhere", "No such file or directory"),
                          ("x.c", "Not a directory")):
            path = str(self.tree / name)
            self.fails(path, says=re.escape(f"{path}: {why}"))
            self.fails("--files", path, says=re.escape(f"{path}: {why}"))

    def test_a_wrong_command_line_is_an_error(self) -> None:
        tree = str(self.tree)
        for args in ((), (tree, tree), ("-x", tree), ("--files",), ("-j",),
                     ("-j", "2"), ("--", tree, tree)):
            self.fails(*args, says=".*usage: .*")
        for number in ("0", "-1", "x", "2x", "1025", " 1", "", "9" * 30):
            self.fails("-j", number, tree, says="-j .*: not a number .*")

    def test_a_full_disk_is_an_error(self) -> None:
        self.put("x.c", b"for_each_sg_page\n" * 9999)
        with open("/dev/full", "wb") as full:
            self.fails(str(self.tree), says="stdout: No space left on device",
                       stdout=full.fileno())

    def test_no_memory_is_an_error(self) -> None:
        with open(self.tree / "x.c", "wb") as file:
            file.truncate(300 * MIB)
        self.fails("-j1", str(self.tree), says="memory: .*", only=PLAIN,
                   before=lambda: resource.setrlimit(resource.RLIMIT_AS,
                                                     (100 * MIB, 100 * MIB)))

    def test_the_number_of_threads_changes_nothing(self) -> None:
        texts = (b"for_each_sg_page\n", MEMBER, b"x->iter.sg;\n", b"x->sg;\n",
                 b"don't for_each_sg_page\n", b"int x;\n")
        for number in range(600):
            self.put(f"{number % 37}/{number % 5}/{number}.c",
                     texts[number % len(texts)] * (number % 7 + 1))
        found = {self.run_one(binary, "-j", threads)
                 for binary, repeat in ((PLAIN, 4), (CHECKED, 1))
                 for threads in ("1", "2", "8") for _ in range(repeat)}
        self.assertEqual(len(found), 1)
        self.assertGreater(len(found.pop()), 9999)

    def test_a_hundred_megabytes_are_read(self) -> None:
        line = b" * for_each_sg_page in a comment, 'of' \"no\" interest * /\n"
        code = b"\tx = (y[0] + z->it.sg) ? \"a\\n\" : 'b'; if (x) { y(); }\n"
        count = 99 * MIB // len(line)
        number = MIB // len(code)
        with open(self.tree / "x.c", "wb") as file:
            file.write(b"/*\n" + line * count + b" */ for_each_sg_page;\n")
            file.write(b"int f(struct sg_page_iter *it)\n{\n")
            file.write(code * number + b"\tit->sg;\n}\n")
            file.write(b"\0" * MIB + b"sg_page_iter")
        self.assertGreater((self.tree / "x.c").stat().st_size, 100 * 1000000)
        self.assertEqual([b" ".join(row[1:]).decode()
                          for row in self.census()], [
            f"{count + 2} 5  for_each_sg_page code",
            f"{count + 3} 7 f struct sg_page_iter code",
            f"{count + 5 + number} 6 f .sg code",
            f"{count + 7 + number} 1  ? unlexed: nul byte",
            f"{count + 7 + number} {MIB + 1}  sg_page_iter code"])


class TableTest(CensusTest):
    """The names are what a table lists, whatever they are."""

    def rows(self, table: str, text: bytes, *, name: str = "x.c"
             ) -> list[str]:
        """Return the sites of a file by a table, from both builds."""
        self.put(name, text)
        path = self.tree / "names.tsv"
        path.write_text(table)
        found = set()
        for binary in (PLAIN, CHECKED):
            done = subprocess.run(
                [binary, "--names", str(path), "--new", "new",
                 str(self.tree)], capture_output=True, check=True)
            found.add(done.stdout)
        self.assertEqual(len(found), 1)
        return [" ".join((cells[1] + ":" + cells[2], *cells[4:]))
                for cells in (line.split("\t") for line in
                              found.pop().decode().splitlines())]

    def test_each_kind_of_a_table_is_counted(self) -> None:
        table = ("# a comment\n\n"
                 "union walk\ttype\t-\told\tstruct stroll\n"
                 "struct stroll\ttype\t-\tnew\t-\n"
                 "kick\tcall\t-\told\t-\n"
                 ".q\tfield\tdeclared\told\t-\n"
                 ".of_walk\tfield\tany\told\t-\n"
                 ".inner\tbase\tdeclared\tnew\t-\n"
                 ".rest\tmember\t-\told\t-\n"
                 "struct keeps\tholder\t-\told\t-\n"
                 "each_walk\twrapper\t1\told\t-\n"
                 "has_walk\tguard\t4.2\told\t-\n")
        self.assertEqual(self.rows(table, (
            b"int f(union walk *w, struct walk *v, struct stroll s)\n{\n"
            b"\tkick(w->q, v->q, s.inner.q, v->of_walk);\n"
            b"\teach_walk(w) kicks(w->rest, (struct keeps *)0);\n}\n")), [
            "1:7 union walk code", "1:29 walk code",
            "1:38 struct stroll code", "3:2 kick code", "3:10 .q code",
            "3:27 .q code", "3:33 .of_walk code"])

    def test_names_without_a_pair_of_bytes_in_common_are_found(self) -> None:
        words = ["alpha", "bravo", "Charlie", "delta_9", "echo", "fox",
                 "golf_", "h", "india", "Juliett", "kilo", "lima"]
        table = "".join(f"{word}\tcall\t-\t-\t-\n" for word in words)
        for number, word in enumerate(words):
            with self.subTest(word):
                self.assertEqual(
                    self.rows(table, b"\n" * 70 + b"x(%s);" % word.encode()),
                    [f"71:3 {word} code"])

    def test_what_no_table_lists_is_no_site(self) -> None:
        text = b"for_each_sg_page(a, b, c, d) e;\n"
        self.assertEqual(self.rows("", text), [])
        self.assertEqual(subprocess.run(
            [PLAIN, str(self.tree)], capture_output=True, check=True).stdout,
            b"")

    def test_a_row_that_cannot_be_read_ends_the_run(self) -> None:
        path = self.tree / "names.tsv"
        for row, why in (
                ("a\tcall\t-\t-", "4 cells; a row has 5"),
                ("a\tcall\t-\t-\t-\t-", "6 cells; a row has 5"),
                ("a\tcalls\t-\t-\t-", "unknown kind: calls"),
                ("a b\tcall\t-\t-\t-", "not a name of a call: a b"),
                ("a\tfield\tany\t-\t-", "not a name of a field: a"),
                ("enum a\ttype\t-\t-\t-", "not a name of a type: enum a"),
                ("a" * 65 + "\tcall\t-\t-\t-", "not a name of a call: a+"),
                ("a\tloop\tx\t-\t-", "object x does not fit a loop"),
                ("a\tguard\t5\t-\t-", "object 5 does not fit a guard")):
            path.write_text("# names\n" + row + "\n")
            for binary in (PLAIN, CHECKED):
                done = subprocess.run([binary, "--names", str(path),
                                       str(self.tree)], capture_output=True)
                self.assertEqual(done.returncode, 2)
                self.assertRegex(
                    done.stderr.decode(),
                    f"^reader: {re.escape(str(path))}:2: {why}\n$")


class FuzzTest(CensusTest):
    """Files that no one would write."""

    PIECES = tuple(name.encode() for name in NAMES) + (
        b"struct sg_page_iter it;", b"it->sg", b"v->iter.sg", b".base", b".sg",
        b"sg", b".sg_pgoffset", b"struct", b"int f(void)", b"{", b"}", b"\n}",
        b"\n{\n", b"(", b")", b"[", b"]", b";", b",", b"=", b"*", b"->", b".",
        b"/*", b"*/", b"//", b"'", b'"', b"\\", b"\\\n", b"\\\r\n", b"\n",
        b"\r\n", b"\t", b" ", b"\0", b"\xe9", b"\n#", b"\n#if 0\n",
        b"\n#if ((0 && ", b"\n#else\n", b"\n#elif 1\n", b"\n#endif\n",
        b"\n#define A ", b"\n#include <", b"<:", b"%>", b"%:", b"0x1", b"...",
        b"f(a) int a;", b"#error don't", b'extern "C" {',
    )

    def make(self, chance: random.Random) -> bytes:
        text = b"".join(chance.choice(self.PIECES) + chance.choice(
            (b"", b" ", b"\n")) for _ in range(chance.randrange(120)))
        for _ in range(chance.randrange(4)):
            at = chance.randrange(len(text) + 1)
            text = (text[:at] + bytes([chance.randrange(256)]) +
                    text[at + chance.randrange(3):])
        return text[:chance.randrange(len(text) + 1)]

    def test_every_row_is_where_it_says(self) -> None:
        chance = random.Random(20190110)
        texts = {}
        for number in range(2000):
            name = f"{number:04}.{chance.choice(('c', 'h', 'S'))}".encode()
            texts[name] = self.make(chance)
            self.put(name, texts[name])
        rows = self.census()
        for row in rows:
            text = texts[row[0]]
            line = text.split(b"\n")[int(row[1]) - 1:]
            here = re.sub(rb"\\[ \t\r\v\f]*\n", b"",
                          b"\n".join(line)[int(row[2]) - 1:])
            token = row[4].split()[0].lstrip(b".")
            if token != b"?":
                self.assertTrue(here.startswith(token), (row, text))
            else:
                self.assertIn(here[:1], b"'\"/#%\0({[", (row, text))
        self.assertEqual(rows, sorted(
            rows, key=lambda row: (row[0], int(row[1]), int(row[2]))))
        self.assertGreater(len(rows), 2000)

    def test_no_name_is_lost_outside_comments_and_quotes(self) -> None:
        chance = random.Random(20190111)
        wanted = {}
        quotes = (b"'", b'"', b"/", b"\\")
        for number in range(500):
            text = self.make(chance)
            for byte in quotes:
                text = text.replace(byte, b"")
            name = f"{number:03}.c".encode()
            self.put(name, text)
            words = re.sub(rb"#[ \t]*include[ \t]*<[^>\n]*>", b"", text)
            words = re.sub(rb"(?<![\w$\x80-\xff])\.?\d(?:[eEpP][+-]|[\w.])*", b" ", words)
            wanted[name] = len(re.findall(
                rb"(?<![\w$\x80-\xff])(?:for_each_sg_(?:dma_)?page|"
                rb"__sg_page_iter_(?:start|next|dma_next))(?![\w$\x80-\xff])",
                words, re.ASCII))
        found = dict.fromkeys(wanted, 0)
        for row in self.census():
            found[row[0]] += row[4].startswith((b"for_", b"__"))
        self.assertEqual(found, wanted)
        self.assertGreater(sum(wanted.values()), 500)


if __name__ == "__main__":
    unittest.main()
