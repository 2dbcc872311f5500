# SPDX-License-Identifier: GPL-2.0-only
"""Series that bare rules make: subjects, messages, and that they apply."""

from __future__ import annotations

import unittest
from pathlib import Path

from run import bare as rulebook
from run.rules import Rule
from judge import bare
from judge.plan import Plan
from write import barewords
from write.message import Prefix
import seriestree
import smalltree
from baretree import RENAME
from read import tree as trees

CALL = b"int NAME(void)\n{\n\treturn old_call(1);\n}\n"
SECTIONS = seriestree.section("oak", "drivers/oak/") \
    + seriestree.section("elm", "drivers/elm/")


class BareSeriesTest(seriestree.SeriesCase):
    def tree(self) -> Path:
        return seriestree.make(self.scratch / "tree", {
            f"drivers/{name}/{name}.c": CALL.replace(b"NAME", name.encode())
            for name in ("oak", "elm")}, SECTIONS)

    def bare(self, root: Path, text: str) -> Plan:
        path = self.scratch / "calls.cocci"
        path.write_text(text)
        found, _ = rulebook.load([(path, True)], False, "high")
        return bare.make_plan(trees.open_tree(str(root)), bare.Settings(
            smalltree.census()), found)

    def test_there_is_one_patch_a_subsystem_and_they_apply(self) -> None:
        root = self.tree()
        made = self.write(root, self.bare(root, RENAME))
        self.assertEqual(len(made.mails), 3)
        mails = [made.folder / name for name in made.mails
                 if not name.endswith("cover-letter.patch")]
        seriestree.am(root, mails)
        self.assertEqual(
            (root.parent / "am/drivers/oak/oak.c").read_bytes(),
            CALL.replace(b"NAME", b"oak").replace(b"old", b"new"))

    def test_a_rule_without_a_text_is_named(self) -> None:
        root = self.tree()
        made = self.write(root, self.bare(root, RENAME))
        text = self.text(made, "0001")
        self.assertIn("replace old_call with new_call\n", text)
        self.assertIn("The semantic patch calls.cocci replaces old_call with "
                      "new_call.", text)
        self.assertNotIn("iterator", text)
        self.assertIn("calls.cocci", self.text(made, "0000"))
        self.assertNotIn("iterator", self.text(made, "0000"))

    def test_the_text_of_a_rule_is_the_message(self) -> None:
        root = self.tree()
        made = self.write(root, self.bare(
            root, "/// Call new_call\n/// in place of the old one\n///\n"
            "/// The old one is slow.\n" + RENAME))
        text = self.text(made, "0002")
        self.assertIn("call new_call in place of the old one\n", text)
        self.assertIn("\nCall new_call in place of the old one\n\nThe old one "
                      "is slow.\n", text)

    def test_a_series_of_nothing_has_no_patch(self) -> None:
        root = self.tree()
        made = self.write(root, self.bare(
            root, RENAME.replace("old_call", "no_call")))
        self.assertEqual(made.mails, ())

    def test_one_patch_has_the_treewide_subject(self) -> None:
        root = self.tree()
        made = self.write(root, self.bare(root, RENAME), shape="single")
        self.assertIn("treewide: replace old_call with new_call",
                      self.text(made, "0001"))


class SubjectTest(unittest.TestCase):
    def test_a_long_subject_gives_way_to_a_short_one(self) -> None:
        rule = Rule("x", Path("x.cocci"), "", "s" * 80, "", frozenset(),
                    "High", (), "1.0.8", (), "converted", "",
                    fallback="replace a and others")
        self.assertEqual(barewords.subject(Prefix("a: ", True, "log"), [rule]),
                         "a: Replace a and others")


if __name__ == "__main__":
    unittest.main()
