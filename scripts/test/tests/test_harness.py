# SPDX-License-Identifier: GPL-2.0-only
"""Hold the core patch to the model, and the harness to finding what is wrong.

make test also runs harness.py itself, with all of its lists. The tests here
change the library as a slip would, and must turn red, with few lists.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))

from read import core  # noqa: E402
import sgpage  # noqa: E402
from sgpage import HEADER, LIBRARY  # noqa: E402
from prove import harness  # noqa: E402
from prove import ktap  # noqa: E402
from prove.harness import HarnessError  # noqa: E402

SOME = 20000
FEW = 500

# Lines of the DMA step, which has its like in the page step.
STEP = b"\t\tpiter->sg_pgoffset -= sg_dma_page_count(piter->sg);\n"
COUNT = b"\t\tif (!--piter->__nents)\n\t\t\treturn false;\n"

# What fails where page 2^20 of a segment gets the address of page 0.
NARROW = {"page_4_gib_into_a_segment_has_its_own_address",
          "a segment of nearly 4 GiB"}

# Where a count from sg->offset is right, and must be said to be.
POSTED_RIGHT = {"direct, offsets below a page", "merged, all offsets 0",
                "merged, only the first entry has an offset"}


def walked(files: dict[str, bytes], lists: int = FEW, seed: int = 1,
           only: str = "") -> str:
    with tempfile.TemporaryDirectory() as folder:
        return harness.run(harness.build(sgpage.CAMPAIGN, files,
                                         Path(folder)), lists, seed,
                           only)


def failed(text: str) -> set[str]:
    report = ktap.parse(text)
    return {test.name for test in report.tests
            if test.verdict is ktap.Verdict.FAILED}


def add_row(table: Path, text: str) -> None:
    """Put the row that a run has printed into a table of cases."""
    row = "".join(re.findall(r"(?m)^# (\t.*\n)", text))
    cases = table.read_text()
    at = cases.index("walk_cases[] = {\n") + len("walk_cases[] = {\n")
    table.write_text(f'{cases[:at]}\t{{\n.name = "printed",\n{row}\t}},\n'
                     + cases[at:])


class Right(unittest.TestCase):
    def test_ours_is_right_on_every_list_and_the_others_are_not(self) -> None:
        text = walked(harness.contents(sgpage.CAMPAIGN,
                                       sgpage.CAMPAIGN.tree), SOME)
        report = ktap.parse(text)
        self.assertEqual(report.complaints, (), text)
        self.assertTrue(report.holds, text)
        classes = harness.counts(report)
        self.assertGreaterEqual(len(classes), 11)
        for one in classes:
            with self.subTest(one.name):
                self.assertEqual((one.lists, one.tree), (SOME, 0))
                self.assertEqual(one.posted == 0, one.name in POSTED_RIGHT)
                self.assertEqual(
                    one.old == 0, one.name == "direct, offsets below a page")

    def test_a_run_is_of_200_000_lists_unless_told_otherwise(self) -> None:
        self.assertGreaterEqual(harness.LISTS, 200000)

    def test_a_seed_repeats_a_run_and_another_does_not(self) -> None:
        files = harness.contents(sgpage.CAMPAIGN, sgpage.CAMPAIGN.tree)
        first, again = walked(files, seed=7), walked(files, seed=7)
        self.assertEqual(first, again)
        self.assertNotEqual(first.replace("seed 7", "seed 8"),
                            walked(files, seed=8))

    def test_one_class_can_be_walked_alone(self) -> None:
        files = harness.contents(sgpage.CAMPAIGN, sgpage.CAMPAIGN.tree)
        one = harness.counts(ktap.parse(walked(files, only="merged, "
                                                           "odd offsets")))
        self.assertEqual([c.name for c in one], ["merged, odd offsets"])

    def test_an_entry_that_the_architecture_declares_is_the_trees_own(
            self) -> None:
        """As before v4.2."""
        files = harness.contents(sgpage.CAMPAIGN, sgpage.CAMPAIGN.tree)
        entry = re.search(rb"struct scatterlist \{.*?\n\};\n", files[HEADER],
                          re.DOTALL)
        assert entry is not None
        files[HEADER] = files[HEADER].replace(
            entry[0], b"#include <asm/scatterlist.h>\n")
        files["include/asm-generic/scatterlist.h"] = entry[0]
        self.assertTrue(ktap.parse(walked(files, 1)).holds)

    def test_a_class_that_is_not_there_is_no_success(self) -> None:
        files = harness.contents(sgpage.CAMPAIGN, sgpage.CAMPAIGN.tree)
        self.assertFalse(ktap.parse(walked(files, only="none")).holds)


class Wrong(unittest.TestCase):
    def setUp(self) -> None:
        self.files = harness.contents(sgpage.CAMPAIGN, sgpage.CAMPAIGN.tree)

    def change(self, name: str, old: bytes, new: bytes) -> None:
        self.assertEqual(self.files[name].count(old), 1, old)
        self.files[name] = self.files[name].replace(old, new)

    def test_a_count_from_the_offset_of_the_entry(self) -> None:
        self.change(LIBRARY, b"offset_in_page(sg_dma_address(sg)) + len",
                    b"sg->offset + len")
        text = walked(self.files)
        self.assertLessEqual(
            {"offset_of_another_entry_loses_no_page",
             "offset_of_another_entry_adds_no_page",
             # The memory corruption of 2026.
             "each_page_of_a_folio_is_walked_once",
             "pages_of_a_folio_merged_in_pairs_are_walked_once",
             "merged, odd offsets"}, failed(text))
        self.assertFalse(failed(text) & POSTED_RIGHT)

    def test_a_sum_of_32_bits(self) -> None:
        self.change(LIBRARY, b"\tu64 len = sg_dma_len(sg);",
                    b"\tu32 len = sg_dma_len(sg);")
        self.change(LIBRARY, b"return PFN_UP(offset_in_page(sg_dma_address("
                    b"sg)) + len);", b"return PAGE_ALIGN((u32)("
                    b"offset_in_page(sg_dma_address(sg)) + len)) >> "
                    b"PAGE_SHIFT;")
        self.assertEqual(failed(walked(self.files)), {
            "segment_within_a_page_of_4_gib_is_not_skipped",
            "page_4_gib_into_a_segment_has_its_own_address",
            "a segment of nearly 4 GiB"})

    def test_an_empty_entry_that_has_a_page(self) -> None:
        self.change(LIBRARY, b"\tif (!len)\n\t\treturn 0;\n", b"")
        self.assertLessEqual({"entries_without_a_segment_are_stepped_over",
                              "entries_left_over_by_merging_have_no_page",
                              "entries of length 0"},
                             failed(walked(self.files)))

    def test_a_step_that_stops_at_an_empty_entry(self) -> None:
        self.change(LIBRARY, STEP, b"\t\tif (!sg_dma_len(piter->sg))\n"
                    b"\t\t\treturn false;\n" + STEP)
        self.assertIn("entries_without_a_segment_are_stepped_over",
                      failed(walked(self.files)))

    def test_a_step_that_skips_one_empty_entry_but_not_the_next(self) -> None:
        self.change(LIBRARY, STEP, b"\t\tif (tries++ > 1)\n"
                    b"\t\t\treturn false;\n" + STEP)
        self.change(LIBRARY, b"*piter = &dma_iter->base;\n",
                    b"*piter = &dma_iter->base;\n\tint tries = 0;\n")
        self.assertIn("entries_without_a_segment_are_stepped_over",
                      failed(walked(self.files)))

    def test_a_count_that_is_not_heeded(self) -> None:
        self.change(LIBRARY, STEP + COUNT, STEP + b"\t\t--piter->__nents;\n")
        self.assertLessEqual({"count_below_the_list_ends_the_walk",
                              "count is too small"},
                             failed(walked(self.files)))

    def test_a_read_behind_the_list_is_seen_by_asan(self) -> None:
        self.change(LIBRARY, STEP + COUNT + b"\n\t\tpiter->sg = sg_next("
                    b"piter->sg);\n", STEP + COUNT + b"\t\tpiter->sg++;\n")
        text = walked(self.files)
        self.assertIn("heap-buffer-overflow", text)
        self.assertFalse(ktap.parse(text).holds)

    def test_an_export_of_the_wrong_symbol_does_not_link(self) -> None:
        self.change(LIBRARY, b"EXPORT_SYMBOL(__sg_page_iter_dma_next);",
                    b"EXPORT_SYMBOL(__sg_page_iter_next);")
        with self.assertRaisesRegex(HarnessError, "exported_"):
            walked(self.files)

    def test_a_missing_export_does_not_link(self) -> None:
        self.change(LIBRARY, b"EXPORT_SYMBOL(__sg_page_iter_dma_next);", b"")
        with self.assertRaisesRegex(HarnessError, "exported_"):
            walked(self.files)

    def test_a_loop_that_forgets_where_to_start(self) -> None:
        self.change(HEADER, b"(dma_nents), (pgoffset));\t\t\\\n",
                    b"(dma_nents), 0);\t\t\\\n")
        self.assertIn("walk_starts_inside_a_segment",
                      failed(walked(self.files)))

    def test_a_shift_of_32_bits_is_wrong_for_page_2_20_alone(self) -> None:
        self.change(HEADER, b"(dma_addr_t)dma_iter->base.sg_pgoffset",
                    b"dma_iter->base.sg_pgoffset")
        self.assertEqual(failed(walked(self.files)), NARROW)

    def test_the_transitional_accessor_still_shifts_in_32_bits(self) -> None:
        """Its message says so, and the step that ends the transition mends
        it."""
        both = sgpage.install(sgpage.CAMPAIGN.tree, sgpage.TRANSITIONAL)
        self.assertEqual(failed(walked({**self.files, **both})), NARROW)
        ended = core.apply(both, sgpage.REMOVAL)
        self.assertEqual(failed(walked({**both, **ended})), set())

    def test_the_count_of_v5_1_gives_the_numbers_of_the_posted_walk(
            self) -> None:
        self.count_from_the_offset()
        report = ktap.parse(walked(self.files))
        for one in harness.counts(report):
            # The shift is wide, so the address is right where the count is.
            if one.name != "a segment of nearly 4 GiB":
                self.assertEqual(one.tree, one.posted, one.name)

    def test_a_walk_begun_anew_that_does_not_start_over(self) -> None:
        """Its iterator is left from another walk, and not cleared."""
        self.change(LIBRARY, b"\tpiter->__pg_advance = 0;\n",
                    b"\tif (piter->__pg_advance != 1)\n"
                    b"\t\tpiter->__pg_advance = 0;\n")
        self.assertIn("direct, offsets below a page",
                      failed(walked(self.files)))

    def test_a_row_that_is_printed_is_a_case_for_the_table(self) -> None:
        """It fails where the list failed, and holds with the right walk."""
        right = dict(self.files)
        self.count_from_the_offset()
        for only in ("merged, odd offsets", "a segment of nearly 4 GiB"):
            with self.subTest(only), \
                    tempfile.TemporaryDirectory() as folder:
                patches = Path(folder) / "kernel-patch"
                shutil.copytree(sgpage.CAMPAIGN.patches, patches)
                add_row(patches / "walk_cases.h",
                        walked(self.files, FEW, 1, only))
                with mock.patch.object(
                        sgpage, "CAMPAIGN",
                        replace(sgpage.CAMPAIGN, patches=patches)):
                    self.assertIn("printed", failed(walked(self.files, 1)))
                    self.assertEqual(failed(walked(right, 1)), set())

    def test_no_list_is_made_small_by_making_it_another_class(self) -> None:
        """An empty entry fails as well, but is not what failed here."""
        self.count_from_the_offset()
        text = walked(self.files, only="merged, odd offsets")
        self.assertRegex(text, r"(?m)^# \t\t\{ ")
        self.assertNotRegex(text, r"(?m)^# \t\t\{ \w+, 0, ")

    def count_from_the_offset(self) -> None:
        """Make it v5.1's count: in 32 bits, and of the wrong offset."""
        text = self.files[LIBRARY]
        start = text.index(b"\tu64 len = sg_dma_len(sg);")
        end = text.index(b"\n}\n", start)
        self.files[LIBRARY] = text[:start] + (
            b"\treturn PAGE_ALIGN(sg->offset + sg_dma_len(sg)) >> PAGE_SHIFT;"
            ) + text[end:]

    def test_a_failing_list_is_made_small_and_printed_as_c(self) -> None:
        self.change(LIBRARY, b"offset_in_page(sg_dma_address(sg)) + len",
                    b"sg->offset + len")
        text = walked(self.files, only="direct, offsets of a page or more")
        self.assertRegex(text, r"(?m)^# \t\.nents = 1, \.count = 1, "
                               r"\.skip = 0, \.chain = 0, \.npages = \d,$")
        self.assertRegex(text, r"(?m)^# \t\t\{ 0x[0-9a-f]+, 0x1, "
                               r"0x[0-9a-f]+, 0x1 \},$")


class Narrow(unittest.TestCase):
    """A machine of 32 bits whose DMA addresses have 64.

    gcc's code for one shows it. Where gcc has none, a compiler for 64 bits
    does, with a PAGE_SIZE and an offset_in_page() of 32 bits.
    """

    def setUp(self) -> None:
        self.files = harness.contents(sgpage.CAMPAIGN, sgpage.CAMPAIGN.tree)

    def walked(self, width: int) -> str:
        with tempfile.TemporaryDirectory() as folder:
            try:
                program = harness.build(sgpage.CAMPAIGN, self.files,
                                        Path(folder), width=width)
            except HarnessError as error:
                if width != 32 or not re.search(
                        r"stubs-32\.h|cannot find|skipping incompatible"
                        r"|-m32|not supported", str(error)):
                    raise
                self.skipTest("no compiler for 32 bits: install gcc-multilib")
            return harness.run(program, FEW, 1)

    def mock(self) -> None:
        """Give the page macros of the shim a long of 32 bits."""
        for name in (HEADER, LIBRARY):
            self.files[name] = (
                b"#undef PAGE_SIZE\n#undef offset_in_page\n"
                b"#define PAGE_SIZE (1U << PAGE_SHIFT)\n"
                b"#define offset_in_page(p) \\\n"
                b"\t((u32)(unsigned long)(p) & (PAGE_SIZE - 1))\n"
                + self.files[name])

    def spoil(self) -> None:
        """Count in a long, as is right where it has 64 bits."""
        old = b"\tu64 len = sg_dma_len(sg);"
        self.assertEqual(self.files[LIBRARY].count(old), 1)
        self.files[LIBRARY] = self.files[LIBRARY].replace(
            old, b"\tunsigned long len = sg_dma_len(sg);")

    def test_the_walk_is_right_in_code_for_32_bits(self) -> None:
        text = self.walked(32)
        self.assertTrue(ktap.parse(text).holds, text)

    def test_a_count_in_a_long_is_wrong_in_code_for_32_bits(self) -> None:
        self.spoil()
        self.assertIn("segment_within_a_page_of_4_gib_is_not_skipped",
                      failed(self.walked(32)))

    def test_a_count_in_a_long_is_right_in_code_for_64_bits(self) -> None:
        self.spoil()
        self.assertTrue(ktap.parse(self.walked(0)).holds)

    def test_the_walk_is_right_with_page_macros_of_32_bits(self) -> None:
        self.mock()
        text = self.walked(0)
        self.assertTrue(ktap.parse(text).holds, text)

    def test_a_count_of_32_bits_is_wrong_with_such_macros(self) -> None:
        self.mock()
        self.spoil()
        self.files[LIBRARY] = self.files[LIBRARY].replace(
            b"unsigned long len", b"unsigned int len")
        self.assertIn("segment_within_a_page_of_4_gib_is_not_skipped",
                      failed(self.walked(0)))


class Unfit(unittest.TestCase):
    def test_an_old_tree_cannot_be_walked_as_it_is(self) -> None:
        with self.assertRaisesRegex(HarnessError, "no DMA page iterator"):
            harness.contents(sgpage.CAMPAIGN, sgpage.CAMPAIGN.tree, as_is=True)

    def test_a_library_that_does_not_compile_says_why(self) -> None:
        files = harness.contents(sgpage.CAMPAIGN, sgpage.CAMPAIGN.tree)
        files[LIBRARY] += b"\n#error spoilt\n"
        with self.assertRaisesRegex(HarnessError, "spoilt"):
            walked(files)


if __name__ == "__main__":
    unittest.main()
