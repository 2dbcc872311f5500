# SPDX-License-Identifier: GPL-2.0-only
"""A diff of spatch, put into the bytes of a file."""

from __future__ import annotations

import difflib
import unittest

from judge import splice
from judge.splice import Edit, SpliceError
from run import hunks


def diff(source: bytes, after: str) -> bytes:
    """Return the diff that spatch prints, against its own copy."""
    before = hunks.sanitise(source).decode().splitlines(keepends=True)
    return "".join(
        line if line.endswith("\n") else line + "\n"
        for line in difflib.unified_diff(
            before, after.splitlines(keepends=True), "a", "b")).encode()


def spliced(source: bytes, after: str) -> bytes:
    changes = diff(source, after)
    result = splice.apply(source, splice.edits(source, changes))
    if not splice.agrees(source, changes, result):
        raise AssertionError(result)
    return result


class BytesTest(unittest.TestCase):
    def test_only_what_differs_is_taken(self) -> None:
        self.assertEqual(
            spliced(b"x  =  old( a ,b ) ;\t/* caf\xe9 */\n",
                    "x = fresh(a, b); /* caf? */\n"),
            b"x  =  fresh( a ,b ) ;\t/* caf\xe9 */\n")

    def test_line_ends_and_a_missing_last_one_stay(self) -> None:
        self.assertEqual(spliced(b"f();\r\nold();\r\ng();", "f();\nfresh();\n"
                                 "more();\ng();"),
                         b"f();\r\nfresh();\r\nmore();\r\ng();")

    def test_the_last_line_can_change(self) -> None:
        self.assertEqual(spliced(b"f();\nold();", "f();\nfresh();"),
                         b"f();\nfresh();")

    def test_a_line_goes_as_a_whole(self) -> None:
        self.assertEqual(spliced(b"\tf();\n\told();\n\tg();\n",
                                 "\tf();\n\tg();\n"), b"\tf();\n\tg();\n")

    def test_an_argument_goes_with_its_blank(self) -> None:
        self.assertEqual(spliced(b"f(a, b, c);\n", "f(a, c);\n"),
                         b"f(a, c);\n")

    def test_a_call_that_is_written_again_is_on_one_line(self) -> None:
        self.assertEqual(
            spliced(b"\tp = old(sizeof(*p),\n\t\tK);\n",
                    "\tp = fresh(*p, K);\n"), b"\tp = fresh(*p, K);\n")

    def test_own_bytes_move_with_what_is_written_again(self) -> None:
        self.assertEqual(
            spliced(b"f(old, \"caf\xe9\");\n", "f(\"caf?\");\n"),
            b"f(\"caf\xe9\");\n")

    def test_a_nul_stays(self) -> None:
        self.assertEqual(spliced(b"a\0= old();\n", "a = fresh();\n"),
                         b"a\0= fresh();\n")


class LossTest(unittest.TestCase):
    def test_a_comment_that_goes_is_told(self) -> None:
        source = b"old(a, /* why */ b);\n"
        self.assertEqual([edit.loses for edit in splice.edits(
            source, diff(source, "fresh(a, b);\n")) if edit.loses],
            ["a comment"])

    def test_a_comment_of_a_line_that_goes_is_told(self) -> None:
        source = b"f();\nold(); // why\n"
        self.assertEqual([edit.loses for edit in splice.edits(
            source, diff(source, "f();\n"))], ["a comment"])

    def test_a_byte_that_spatch_does_not_know_is_told(self) -> None:
        source = b"f(\"caf\xe9\");\nold();\n"
        self.assertIn("a byte beyond ASCII", [
            edit.loses for edit in splice.edits(source, diff(
                source, "f(\"caf?\");\nnew(\"caf?\");\n"))])

    def test_a_large_change_is_made_as_a_whole(self) -> None:
        source = b"".join(b"a(%d);\n" % n for n in range(2000))
        after = source.decode().replace("a(", "b(")
        self.assertEqual(spliced(source, after), after.encode())
        wide = source.replace(b"a(7)", b"a(\"\xe9\")")
        self.assertEqual([edit.loses for edit in splice.edits(
            wide, diff(wide, after))], ["a byte beyond ASCII"])

    def test_a_comment_that_stays_is_no_loss(self) -> None:
        source = b"old(a); /* why */\n"
        self.assertEqual([edit.loses for edit in splice.edits(
            source, diff(source, "fresh(a); /* why */\n"))], [""])

    def test_a_diff_of_another_file_is_refused(self) -> None:
        with self.assertRaises(SpliceError):
            splice.edits(b"other();\n", diff(b"old();\n", "fresh();\n"))

    def test_edits_that_overlap_are_refused(self) -> None:
        with self.assertRaises(SpliceError):
            splice.apply(b"abcdef", [Edit(0, 3, b"x"), Edit(2, 4, b"y")])


class PlaceTest(unittest.TestCase):
    def test_an_offset_follows_the_edits_before_it(self) -> None:
        edits = [Edit(2, 4, b"long"), Edit(8, 8, b"in")]
        self.assertEqual([splice.moved(edits, at) for at in (1, 2, 4, 8)],
                         [1, None, 6, 12])

    def test_an_argument_belongs_to_its_call(self) -> None:
        cut = splice.Cut.of(b"swap_in(a, (b), c); d();")
        self.assertTrue(splice.reaches(cut, 0, Edit(16, 17, b"x")))
        self.assertFalse(splice.reaches(cut, 0, Edit(20, 21, b"x")))


if __name__ == "__main__":
    unittest.main()
