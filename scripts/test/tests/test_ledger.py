# SPDX-License-Identifier: GPL-2.0-only
"""ledger.Ledger: an account that does not add up cannot be made."""

import unittest

from read.census import Site
from judge.ledger import Entry, Ledger, LedgerError

ONE = Site("a.c", 3, 2, "f", "for_each_sg_page", "code")
TWO = Site("a.c", 30, 2, "f", "sg_page_iter_page", "code")
KEPT = "page-walk: it gives pages"


class LedgerTest(unittest.TestCase):

    def test_sum_names_every_verdict(self) -> None:
        ledger = Ledger((ONE, TWO), [
            Entry(TWO, "kept", "", KEPT),
            Entry(ONE, "converted", "local-walk", "local-walk: done")])
        self.assertEqual(ledger.sums(), "sites 2: 1 converted, 1 kept, "
                         "0 manual, 0 unread")

    def test_rows_are_sorted_by_number_and_not_as_text(self) -> None:
        ledger = Ledger((TWO, ONE), [Entry(TWO, "kept", "", KEPT),
                                     Entry(ONE, "kept", "", KEPT)])
        rows = ledger.tsv().splitlines()
        self.assertEqual(rows[0].split(b"\t")[0], b"file")
        self.assertEqual([row.split(b"\t")[1] for row in rows[1:]],
                         [b"3", b"30"])

    def test_site_without_a_verdict_raises(self) -> None:
        with self.assertRaisesRegex(LedgerError, "a.c:30:2.* 0 verdicts"):
            Ledger((ONE, TWO), [Entry(ONE, "kept", "", KEPT)])

    def test_site_with_two_verdicts_raises(self) -> None:
        with self.assertRaisesRegex(LedgerError, "2 verdicts"):
            Ledger((ONE,), [Entry(ONE, "kept", "", KEPT),
                            Entry(ONE, "manual", "", "x: y")])

    def test_verdict_without_a_site_raises(self) -> None:
        with self.assertRaisesRegex(LedgerError, "without a site"):
            Ledger((ONE,), [Entry(ONE, "kept", "", KEPT),
                            Entry(TWO, "kept", "", KEPT)])

    def test_verdict_without_a_reason_raises(self) -> None:
        with self.assertRaises(LedgerError):
            Ledger((ONE,), [Entry(ONE, "kept", "", "")])
        with self.assertRaises(LedgerError):
            Ledger((ONE,), [Entry(ONE, "skipped", "", KEPT)])

    def test_odd_bytes_of_a_name_are_spelled_out(self) -> None:
        site = Site("a\tb\n\udce9.c", 1, 1, "", "?", "unlexed: x")
        row = Ledger((site,), [Entry(site, "unread", "", "x: y")]).tsv() \
            .splitlines()[1]
        self.assertTrue(row.startswith(b"a\\tb\\n\xe9.c\t1\t1\t"))


if __name__ == "__main__":
    unittest.main()
