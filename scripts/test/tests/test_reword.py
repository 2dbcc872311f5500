# SPDX-License-Identifier: GPL-2.0-only
"""Reword every sentence of a plan, and get the same decisions.

What one module tells another is data: a verdict, a rule, a code, a kind. Here
each sentence is replaced by another one where it is made, so that a decision
that reads a sentence comes out otherwise.
"""

from __future__ import annotations

import contextlib
import string
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path
from typing import Iterator
from unittest import mock

import smalltree
from judge import counts, judge, plan as planning, units
from judge.judge import Split, Verdict
from judge.plan import Plan
from judge.reach import Found
from read import api, campaigns, tree as trees
from read.campaign import SAYINGS
from run import rules
from test_plan import PAGES, WALK

NEW = "another sentence"
FILES = {
    "walk.c": WALK,
    "pages.c": PAGES,
    "both.c": WALK.replace(
        b"(&it);\n", b"(&it) + (u64)sg_page_iter_page(&it);\n"),
    "macro.c": b"#define ADDRESS(p) sg_page_iter_dma_address(p)\n" + WALK,
    "dead.c": b"""#include <linux/scatterlist.h>

static void dead_use(struct sg_page_iter *p)
{
#if 0
	keep(p);
#endif
	use(sg_page_iter_page(p));
}
""",
    "split.c": WALK.replace(b"\tfor_each", b"#ifdef CONFIG_X\n\tfor_each", 1)
    .replace(b"(&it);\n", b"(&it);\n#endif\n", 1),
    "escape.c": WALK.replace(b"\tfor_each", b"\tkeep(&it);\n\tfor_each", 1),
}


def reworded(reason: str) -> str:
    """Return a reason with its code and another sentence."""
    return f"{reason.partition(':')[0]}: {NEW}" if reason else ""


def saying(sentence: str) -> str:
    """Return another sentence with the words of one."""
    return " ".join([NEW, *(f"{{{field}}}" for _, field, _, _ in
                            string.Formatter().parse(sentence) if field)])


@contextlib.contextmanager
def other_words() -> Iterator[None]:
    """Replace each sentence where it is made."""
    def verdict(what: str, rule: str, reason: str) -> Verdict:
        return Verdict(what, rule, reworded(reason))

    trouble, header = units.trouble, rules._reason
    with contextlib.ExitStack() as stack:
        for module in (judge, planning):
            stack.enter_context(mock.patch.object(module, "Verdict", verdict))
        stack.enter_context(mock.patch.object(
            judge, "Split", lambda dead, sentence: Split(dead, NEW)))
        stack.enter_context(mock.patch.object(
            units, "trouble", lambda unit: trouble(unit) and NEW))
        stack.enter_context(mock.patch.object(
            rules, "_reason", lambda *words: reworded(header(*words))))
        stack.enter_context(mock.patch.object(
            counts, "because", lambda count: NEW))
        stack.enter_context(mock.patch.object(
            planning, "_about", lambda became: NEW))
        stack.enter_context(mock.patch.object(
            Found, "reason", property(lambda self: f"{self.code}: {NEW}")))
        yield


class RewordTest(unittest.TestCase):

    def plan(self, root: Path, words: bool) -> Plan:
        own = campaigns.load()
        self.addCleanup(api.use, own)
        if not words:
            return planning.make_plan(trees.open_tree(str(root)),
                                      smalltree.settings())
        with other_words():
            return planning.make_plan(
                trees.open_tree(str(root)), replace(
                    smalltree.settings(), campaign=replace(own, sayings={
                        code: saying(sentence)
                        for code, sentence in SAYINGS.items()})))

    def test_decisions_do_not_hang_on_words(self) -> None:
        with tempfile.TemporaryDirectory(prefix="sgwalk-test.") as folder:
            root = smalltree.make(Path(folder).resolve() / "linux", FILES)
            mine, other = self.plan(root, False), self.plan(root, True)
        self.assertEqual(mine.after, other.after)
        self.assertEqual(mine.groups, other.groups)
        decided = [[(entry.site, entry.verdict, entry.rule, entry.code,
                     entry.count, entry.became)
                    for entry in made.ledger.entries]
                   for made in (mine, other)]
        self.assertEqual(*decided)
        self.assertEqual({entry.verdict for entry in mine.ledger.entries},
                         {"converted", "kept", "manual", "unread"})
        # The case for which a decision was once read from a sentence.
        self.assertIn(("dead.c", "manual", "ifdef-split"), [
            (entry.site.file, entry.verdict, entry.code)
            for entry in mine.ledger.entries])
        said = [entry.reason for entry in other.ledger.entries
                if NEW not in entry.reason]
        self.assertEqual(said, [])


if __name__ == "__main__":
    unittest.main()
