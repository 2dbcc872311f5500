# SPDX-License-Identifier: GPL-2.0-only
"""roundtrip.travel(): new code goes back to the old API and forth again."""

import tempfile
import unittest
from pathlib import Path

import roundtrip
import sgpage
import smalltree
from test_plan import NEW, PAGES

HAND = NEW.replace(
    b"\tfor_each_sg_dma_page(t->sgl, &it, t->nents, 0)\n",
    b"\t__sg_page_iter_start(&it.base, t->sgl, t->nents, 0);\n"
    b"\twhile (__sg_page_iter_dma_next(&it))\n")
TABLE = NEW.replace(b"for_each_sg_dma_page(t->sgl, &it, t->nents, 0)",
                    b"for_each_sgtable_dma_page(t, &it, 0)")


class TravelTest(unittest.TestCase):

    def test_every_form_the_old_api_has_comes_back(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            root = smalltree.make(Path(folder), {
                "loop.c": NEW, "hand.c": HAND, "pages.c": PAGES,
                "table.c": TABLE})
            for name, data in sgpage.install(root, sgpage.STRICT).items():
                (root / name).write_bytes(data)
            trip = roundtrip.travel(root, 2)
        self.assertEqual(trip.back, ("hand.c", "loop.c"))
        self.assertEqual(list(trip.exceptions), ["table.c"])
        self.assertEqual(trip.differ, {})


if __name__ == "__main__":
    unittest.main()
