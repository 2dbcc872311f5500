# SPDX-License-Identifier: GPL-2.0-only
"""counts: a class is data, and one sentence is made of it."""

import unittest

from judge import counts
from judge.counts import Count, Kind, Why


class AboutTest(unittest.TestCase):

    def test_witness_is_in_the_sentence(self) -> None:
        self.assertEqual(
            counts.about(Count("n", Kind.MAPPED, Why.RETURNED, "dma_map_sg",
                               12)),
            "count n: mapped, it is what dma_map_sg() returned at line 12")
        self.assertEqual(
            counts.about(Count("t->nents", Kind.MAPPED, Why.RETURNED,
                               "dma_map_sg", 12, "lib/a.c")),
            "count t->nents: mapped, it is what dma_map_sg() returned at "
            "lib/a.c line 12")

    def test_every_reason_has_a_sentence_that_starts_with_its_class(
            self) -> None:
        for why in Why:
            for kind in Kind:
                said = counts.about(Count("n", kind, why, "map", 3))
                self.assertTrue(said.startswith(f"count n: {kind.value}, "))
                self.assertNotIn("  ", said)


if __name__ == "__main__":
    unittest.main()
