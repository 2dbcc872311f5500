# SPDX-License-Identifier: GPL-2.0-only
"""Ask about a walk what the tree does not show, and nothing else."""

from __future__ import annotations

import sys
import unittest
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SCRIPTS))

from read.census import Site  # noqa: E402
from judge.counts import Count, Kind, Why  # noqa: E402
from judge import review  # noqa: E402
from judge.ledger import Entry  # noqa: E402
from judge.walks import Walk  # noqa: E402


def asked(count: Count, **facts: object) -> list[str]:
    """Return what is asked of a walk with these facts."""
    site = Site("drivers/ore/tin.c", 7, 2, "fill", "for_each_sg_page", "code")
    walk = Walk("drivers/ore/tin.c", "fill", count,
                **facts) if facts else None  # type: ignore[arg-type]
    return review.questions(
        Entry(site, "converted", "local-walk", "", count), walk)


class ReviewTest(unittest.TestCase):
    def test_a_proven_count_and_a_bound_loop_ask_nothing(self) -> None:
        self.assertEqual([], asked(
            Count("n", Kind.MAPPED, Why.RETURNED, "dma_map_sg", 3),
            room=False))

    def test_an_unknown_count_is_asked_for_unless_a_framework_stored_it(
            self) -> None:
        count = Count("t->nents", Kind.UNKNOWN, Why.NOTHING)
        self.assertEqual(["Is 't->nents' what dma_map_sg() returned?"],
                         asked(count, room=False))
        self.assertEqual([], asked(count, room=False, stored="vb2-dma-sg"))

    def test_a_count_from_before_the_mapping_is_said_to_be_one(self) -> None:
        said, = asked(Count("t->orig_nents", Kind.UNMAPPED, Why.ORIG),
                      room=False)
        self.assertIn("'t->orig_nents' is the count from before", said)

    def test_an_offset_is_named_unless_entries_are_whole_pages(self) -> None:
        count = Count("n", Kind.MAPPED, Why.RETURNED, offset="first")
        self.assertEqual(["The offset 'first' counts DMA pages now."],
                         asked(count, room=False))
        self.assertEqual([], asked(
            count, room=False, builder="sg_alloc_table_from_pages()"))

    def test_room_is_asked_for_where_nothing_bounds_the_loop(self) -> None:
        count = Count("n", Kind.MAPPED, Why.RETURNED)
        for said in (asked(count), asked(count, room=True)):
            self.assertEqual(1, len(said))
            self.assertIn("large enough?", said[0])
