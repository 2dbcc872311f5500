# SPDX-License-Identifier: GPL-2.0-only
"""What the minus lines of a rule take away."""

from __future__ import annotations

import unittest

from run import minus
from run.minus import Taken


def taken(text: str) -> Taken:
    return minus.taken(text.encode())


def names(body: str, declared: str = "expression E, F;") -> list[str]:
    return sorted(taken(f"@@\n{declared}\n@@\n{body}").names)


class NamesTest(unittest.TestCase):
    def test_a_metavariable_and_a_keyword_are_no_names(self) -> None:
        self.assertEqual(names("- E = old(sizeof(F));\n+ E = fresh(F);\n"),
                         ["old"])

    def test_what_a_plus_line_writes_again_is_not_taken(self) -> None:
        found = taken("@@\nexpression E;\n@@\n- old(E, GFP_KERNEL)\n"
                      "+ fresh(E, GFP_KERNEL)\n")
        self.assertEqual(found.names, {"old"})
        self.assertEqual(found.brings, {"fresh"})

    def test_all_count_where_the_plus_lines_write_all_again(self) -> None:
        found = taken("@@\nexpression E, F;\n@@\n- swap_in(E, F)\n"
                      "+ swap_in(F, E)\n")
        self.assertEqual(found.names, {"swap_in"})
        self.assertEqual(found.stay, {"swap_in"})

    def test_each_change_is_looked_at_by_itself(self) -> None:
        self.assertEqual(names(
            "(\n- one(E)\n+ two(E)\n|\n- two(E)\n+ three(E)\n)\n"),
            ["one", "two"])

    def test_a_change_over_several_lines_is_one(self) -> None:
        self.assertEqual(names("- old(E,\n+ fresh(E,\n- \tLATE)\n"
                               "+ \tLATE)\n"), ["old"])

    def test_a_member_has_a_point_in_front(self) -> None:
        self.assertEqual(names("- (E->last - E.head) + 1\n+ size(E)\n",
                               "struct range *E;"), [".head", ".last"])

    def test_strings_comments_and_context_lines_are_no_names(self) -> None:
        self.assertEqual(names(
            '  context(E);\n- old("text %s", E); // note\n+ fresh(E);\n'
            "/* - gone(E) */\n"), ["old"])

    def test_a_position_is_no_name(self) -> None:
        self.assertEqual(names("- old@p(E)\n+ fresh(E)\n",
                               "expression E; position p;"), ["old"])

    def test_declared_names_are_names(self) -> None:
        self.assertEqual(names(
            "- each_old(E) S\n+ each_new(E) S\n", "expression E; statement S;"
            "\niterator name each_old, each_new;"), ["each_old"])

    def test_a_list_of_names_counts_for_its_metavariable(self) -> None:
        self.assertEqual(names("- f(E)\n+ fresh(E)\n",
                               "identifier f = {one, two}; expression E;"),
                         ["one", "two"])

    def test_a_pattern_is_kept_for_the_tree(self) -> None:
        found = taken("@a@\nidentifier f =~ \"^get_.*$\", g;\n@@\nf(...)\n\n"
                      "@b@\nidentifier a.f;\n@@\n- f(...)\n+ fresh()\n")
        self.assertEqual((found.names, found.patterns),
                         (frozenset(), {"^get_.*$"}))

    def test_typed_metavariables_are_no_names(self) -> None:
        self.assertEqual(names(
            "- old(E, x, n, es)\n+ fresh(E)\n",
            "struct thing *E; local idexpression u32 x; "
            "expression list[n] es;"), ["old"])


class ModeTest(unittest.TestCase):
    def test_a_part_of_another_mode_counts_for_nothing(self) -> None:
        found = taken("virtual patch\nvirtual report\n\n@depends on patch@\n"
                      "@@\n- old()\n+ fresh()\n\n@r depends on report@\n@@\n"
                      "- other()\n\n@depends on r@\n@@\n- third()\n")
        self.assertEqual(found.names, {"old"})

    def test_a_rule_without_minus_lines_is_known(self) -> None:
        self.assertFalse(taken("@@\n@@\n* old()\n").minus)
        self.assertTrue(taken("@@\n@@\n- old()\n").minus)

    def test_parts_that_inherit_are_not_local(self) -> None:
        self.assertTrue(taken("@a@\n@@\n- old()\n\n@b@\n@@\n- other()\n")
                        .local)
        self.assertFalse(taken("@a@\nidentifier f;\n@@\n- old(f)\n\n@b@\n"
                               "identifier a.f;\n@@\n- other(f)\n").local)

    def test_a_part_that_names_nothing_is_named(self) -> None:
        found = taken("@@\nexpression E;\n@@\n- old(E)\n\n@@\nexpression E;\n"
                      "@@\n- E + 0\n+ E\n")
        self.assertEqual(found.nameless, (6,))


if __name__ == "__main__":
    unittest.main()
