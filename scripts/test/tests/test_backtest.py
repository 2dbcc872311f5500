# SPDX-License-Identifier: GPL-2.0-only
"""Make fixes in an archive and a snapshot of our own, and score them."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SCRIPTS))
sys.path.insert(0, str(SCRIPTS / "test/tests"))

from prove import backtest  # noqa: E402
import smalltree  # noqa: E402
from prove.backtest import BacktestError, Fix  # noqa: E402

OLD = "".join(f"line {n}\n" for n in range(1, 21))
NEW = OLD.replace("line 9\n", "line nine\n")
PATCH = """\
diff --git a/drivers/ore/tin.c b/drivers/ore/tin.c
--- a/drivers/ore/tin.c
+++ b/drivers/ore/tin.c
@@ -7,5 +7,5 @@
 line 7
 line 8
-line 9
+line nine
 line 10
 line 11
"""
MAIL = """\
From: A B <a@example.org>
Subject: [PATCH] ore: tin: say nine
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

It said 9.
---
""" + PATCH + """\
--
2.39
"""


class BacktestTest(unittest.TestCase):
    def setUp(self) -> None:
        with contextlib.ExitStack() as stack:
            self.mirror = Path(stack.enter_context(
                tempfile.TemporaryDirectory()))
            self.addCleanup(stack.pop_all().close)
        self.seen: list[dict[str, str]] = []

    def archive(self, mail: str = MAIL) -> str:
        folder = self.mirror / "list"
        folder.mkdir(exist_ok=True)
        if not (folder / "m").exists() or \
                (folder / "m").read_text() != mail:
            (folder / "m").write_text(mail)
            smalltree.commit(folder)
        return smalltree.git(folder, "rev-parse", "HEAD").strip()

    def snapshot(self, text: str) -> None:
        place = self.mirror / "kernel/drivers/ore/tin.c"
        place.parent.mkdir(parents=True)
        place.write_text(text)
        smalltree.commit(self.mirror / "kernel")

    def score(self, *lines: tuple[int, ...], kind: str = "nine",
              commit: str = "") -> backtest.Score:
        """Score one fix; lines are those of the findings in each tree."""
        answers = iter(lines or ((), ()))

        def judge(tree: Path) -> list[tuple[str, int, str]]:
            self.seen.append({str(file.relative_to(tree)): file.read_text()
                              for file in tree.glob("drivers/*/*.c")})
            return [("drivers/7/tin.c", line, "rule") for line in
                    next(answers)]

        return backtest.run(
            [Fix("7", kind, "list", commit or self.archive(), "kernel")],
            self.mirror, judge)

    def test_a_mended_snapshot_and_a_broken_one_give_the_same_trees(
            self) -> None:
        for number, text in enumerate((NEW, OLD)):
            with self.subTest(number=number):
                self.mirror = self.mirror / str(number)
                self.mirror.mkdir()
                self.snapshot(text)
                self.assertEqual((), self.score().left)
                self.assertEqual([{"drivers/7/tin.c": OLD},
                                  {"drivers/7/tin.c": NEW}], self.seen[-2:])

    def test_a_patch_that_brought_the_bug_in_is_turned_round(self) -> None:
        self.snapshot(OLD)
        self.score(kind="nine-after")
        self.assertEqual([{"drivers/7/tin.c": NEW},
                          {"drivers/7/tin.c": OLD}], self.seen)

    def test_a_finding_four_lines_off_counts_and_one_more_does_not(
            self) -> None:
        self.snapshot(OLD)
        for line, found in ((4, False), (5, True), (9, True), (13, True),
                            (14, False)):
            with self.subTest(line=line):
                score = self.score((line,), ())
                self.assertEqual(found, score.found == {"7"})
                self.assertEqual(frozenset(), score.loud)

    def test_a_finding_that_stays_is_loud(self) -> None:
        self.snapshot(OLD)
        score = self.score((9,), (9,))
        self.assertEqual(({"7"}, {"7"}), (score.found, score.loud))
        self.assertIn("  loud   1  still 7\n", backtest.text(score))
        self.assertIn("backtest 1: 1 found, 1 loud after the fix, 0 not made",
                      backtest.text(score))

    def test_a_repair_is_compared_with_the_fix_token_by_token(self) -> None:
        self.snapshot(OLD)
        fix = Fix("7", "nine", "list", self.archive(), "kernel")
        for text, verdict in (
                (NEW, ["equal"]),
                # Broken in another place, it is the same.
                (NEW.replace("line nine\n", "line\n  nine\n"), ["equal"]),
                (OLD.replace("line 9\n", "line ten\n"), ["other"]),
                (OLD.replace("line 15\n", "line 50\n"), ["beyond"]),
                (NEW.replace("line 15\n", "line 50\n"),
                 ["equal", "beyond"]),
                (OLD, [])):
            with self.subTest(verdict=verdict):
                score = backtest.run(
                    [fix], self.mirror, lambda tree: [],
                    lambda tree: {"drivers/7/tin.c": text.encode()})
                self.assertEqual(verdict, [each.verdict
                                           for each in score.repairs])
        self.assertNotIn("repairs", backtest.text(score))
        self.assertIn("repair equal  7 drivers/7/tin.c:9\n"
                      "repairs 1: 1 equal, 0 other, 0 beyond\n",
                      backtest.text(backtest.run(
                          [fix], self.mirror, lambda tree: [],
                          lambda tree: {"drivers/7/tin.c": NEW.encode()})))

    def test_what_cannot_be_made_is_named_with_the_reason(self) -> None:
        self.snapshot("another file\n")
        good = self.archive()
        for commit, why in ((good, "the patch does not fit kernel"),
                            ("0" * 40, "no mail in list"),
                            (self.archive("Subject: hello\n\nno patch\n"),
                             "the mail holds no patch of a file")):
            with self.subTest(why=why):
                score = self.score(commit=commit)
                self.assertEqual((("7", why),), score.left)
                self.assertIn(f"not made 7: {why}\n", backtest.text(score))

    def test_a_table_with_a_slip_is_refused(self) -> None:
        table = self.mirror / "fixes.tsv"
        head = "\t".join(backtest.COLUMNS) + "\n"
        for rows, why in (("id\n", "the first line has to be"),
                          (head + "1\tx\n", ":2: not 5 words"),
                          (head + f"1\tx\t../a\t{'0' * 40}\tb\n",
                           ":2: not the name of a commit"),
                          (head + "1\tx\ta\tHEAD\tb\n",
                           ":2: not the name of a commit")):
            with self.subTest(rows=rows), \
                    self.assertRaisesRegex(BacktestError, why):
                table.write_text(rows)
                backtest.read(table)
        with self.assertRaisesRegex(BacktestError, "no such folder"):
            backtest.run([], self.mirror / "none", lambda tree: [])
