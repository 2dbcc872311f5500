# SPDX-License-Identifier: GPL-2.0-only
"""Series of repairs: one patch a driver, its evidence, and that it applies."""

from __future__ import annotations

import unittest
from pathlib import Path

from judge import mappings
from judge.plan import Plan, Settings
from read import campaigns, tree as trees
import seriestree
import smalltree
from test_mappings import HEAD, NEAR, STRUCT

SECTIONS = seriestree.section("oak", "drivers/oak/")


class RepairSeriesTest(seriestree.SeriesCase):
    def tree(self) -> Path:
        return seriestree.make(self.scratch / "tree", {
            f"drivers/oak/{name}.c": HEAD + STRUCT + NEAR.replace(
                b"near", name.encode()) for name in ("bark", "leaf")},
            SECTIONS)

    def repairs(self, root: Path) -> Plan:
        campaign = campaigns.load("sg-counts")
        return mappings.make_plan(trees.open_tree(str(root)), Settings(
            smalltree.census(), campaign.misuse, 2, campaign=campaign,
            cache=smalltree.CACHE))

    def test_there_is_one_patch_a_driver_with_its_evidence(self) -> None:
        root = self.tree()
        made = self.write(root, self.repairs(root))
        self.assertEqual(len(made.mails), 3)
        text = self.text(made, "0001")
        flat = " ".join(text.split())
        for part in ("unmap with the count that was mapped",
                     "dma_unmap_sg() takes the count that dma_map_sg() was "
                     "given",
                     "bark() maps data->sg with data->sg_len in line 17, and "
                     "bark() hands over n in line 20, which is what that "
                     "returned",
                     "Where entries were merged, all of the list is unmapped "
                     "now",
                     "unmap-mapped-count.cocci"):
            self.assertIn(part, flat)
        self.assertNotIn("iterator", flat)
        self.assertNotIn("leaf", flat.partition("diff --git")[2])
        self.assertNotIn("iterator", self.text(made, "0000"))
        mails = [made.folder / name for name in made.mails
                 if not name.endswith("cover-letter.patch")]
        seriestree.am(root, mails)
        self.assertIn(
            b"data->sg, data->sg_len, DMA_TO_DEVICE);",
            (root.parent / "am/drivers/oak/leaf.c").read_bytes())

    def test_the_files_of_one_object_are_one_patch(self) -> None:
        root = self.tree()
        (root / "drivers/oak/Makefile").write_text(
            "obj-m += oak.o\noak-y := bark.o leaf.o\n")
        smalltree.commit(root)
        made = self.write(root, self.repairs(root))
        self.assertEqual(len(made.mails), 1)


if __name__ == "__main__":
    unittest.main()
