# SPDX-License-Identifier: GPL-2.0-only
"""The page: sums, rows, sides of a diff, escapes, and files of two runs."""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from judge import ledger
from show import page, rows, runs, sides
from show.rows import RowsError
from show.runs import Run, RunsError

HEAD = "\t".join(ledger.HEAD).encode() + b"\n"
DIFF = (b"diff --git a/drivers/net/a.c b/drivers/net/a.c\n"
        b"--- a/drivers/net/a.c\n+++ b/drivers/net/a.c\n"
        b"@@ -3,4 +3,4 @@\n same\n-old one\n+new one\n+new two\n tail\n"
        b"-gone\n")
EDGE = "</script><!--<b>&\u2028"
CHANGE = Run("apply", "/src/linux", "5.0.0", "sg-dma-page", notes=(
    "drivers/net/a.c:4: f(): Is 'n' what dma_map_sg() returned?",),
    time="2026-01-02 03:04:05 UTC")
CHECK = Run("check", "/src/linux", "5.0.0", time="2026-01-02 03:04:04 UTC")


def line(*cells: str) -> bytes:
    return b"\t".join(map(os.fsencode, cells)) + b"\n"


LEDGER = HEAD + line(
    "drivers/net/a.c", "4", "2", "f", "for_each_sg_page", "converted", "walk",
    "walk: count a ? b : c: mapped, it is what dma_map_sg() returned at line "
    "2") + line(
    "drivers/net/b.c", "9", "2", "g", "struct sg_page_iter", "manual", "",
    "escapes: it is handed on; convert " + EDGE) + line(
    "drivers/net/b.c", "12", "2", "g", "struct sg_page_iter", "manual", "",
    "escapes: it is handed on; convert " + EDGE) + line(
    "lib/x.c", "7", "2", "", "struct sg_page_iter", "unread", "",
    "macro: in the body of a macro; convert it by hand") + line(
    "include/linux/scatterlist.h", "1", "2", "", "struct sg_page_iter",
    "kept", "", "api: this is the page iterator itself") + line(
    "sound/pci/o\udcffdd\\n.c", "3", "1", "h", ".sg", "kept", "",
    "page-walk: it reads pages")


def findings(*found: dict[str, object]) -> bytes:
    return json.dumps({"findings": found, "rules": [
        {"name": "dropped", "help": "Why.\n\nKeep the\nresult."}],
        "hidden": 2, "skipped": [{"rule": "r", "reason": "old"}]}).encode()


FINDING = {"file": "drivers/mmc/m.c", "line": 20, "column": 3,
           "rule": "dropped", "kind": "misuse", "level": "high",
           "message": "dropped: the result is lost", "text": "x();",
           "source": "\tx();", "notes": [
               {"line": 12, "column": 2, "text": "maps sgl with n",
                "source": "\tmap(sgl);"}]}


class OutTest(unittest.TestCase):

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.out = Path(scratch.name)

    def put(self, name: str, run: Run, **files: bytes) -> None:
        """Write files as a run does; a _ in a name is a dot."""
        named = {key.replace("_", "."): data for key, data in files.items()}
        for each, data in named.items():
            (self.out / each).write_bytes(data)
        (self.out / name).write_bytes(runs.about(run, named))

    def change(self, data: bytes = LEDGER, diff: bytes = DIFF,
               run: Run = CHANGE) -> None:
        self.put(runs.CHANGE, run, ledger_tsv=data, edits_patch=diff)

    def check(self, *found: dict[str, object], run: Run = CHECK) -> None:
        self.put(runs.CHECK, run, findings_json=findings(*found))

    def rows(self, verdict: str) -> list[rows.Json]:
        return [row for row in rows.read(self.out).rows
                if row["v"] == verdict]


class RowsTest(OutTest):

    def test_sum_leaves_out_what_is_the_api_itself(self) -> None:
        self.change()
        part, = rows.read(self.out).parts
        self.assertEqual(dict(part.counts), {
            "converted": 1, "manual": 2, "unread": 1, "kept": 1})
        self.assertEqual((part.total, part.beside), (5, 1))
        self.assertEqual(dict(part.by_folder["drivers/net"]),
                         {"converted": 1, "manual": 2})
        self.assertNotIn("include/linux", part.by_folder)

    def test_edit_has_rule_count_witness_and_question(self) -> None:
        self.change()
        row, = self.rows("converted")
        self.assertEqual((row["r"], row["s"], row["n"]),
                         (["walk"], "drivers/net", 4))
        self.assertEqual(row["sites"][0]["count"], [
            "a ? b : c", "mapped",
            "it is what dma_map_sg() returned at line 2"])
        self.assertEqual(row["ask"], [
            "line 4: f(): Is 'n' what dma_map_sg() returned?"])

    def test_manual_sites_with_one_reason_are_one_row_with_what_to_do(
            self) -> None:
        self.change()
        row, = self.rows("manual")
        self.assertEqual([site["n"] for site in row["sites"]], [9, 12])
        self.assertEqual(row["m"], "It is handed on")
        self.assertTrue(row["do"].startswith("Convert </script>"), row["do"])

    def test_identifier_at_the_start_keeps_its_letters(self) -> None:
        self.change(HEAD + line("a.c", "1", "1", "f", "x", "manual", "",
                                "macro-use: my_each, is given it; see to it"))
        row, = self.rows("manual")
        self.assertEqual((row["m"], row["do"]),
                         ("my_each, is given it", "See to it"))

    def test_converted_site_outside_the_diff_is_a_row_too(self) -> None:
        self.change(diff=b"")
        row, = self.rows("converted")
        self.assertEqual(len(row["sites"]), 1)

    def test_odd_bytes_are_escapes(self) -> None:
        self.change()
        row, = self.rows("kept")
        self.assertEqual(row["f"], "sound/pci/o\\xffdd\n.c")

    def test_finding_has_its_path_and_its_repair(self) -> None:
        self.check(FINDING)
        row, = self.rows("high")
        self.assertEqual(row["m"], "The result is lost")
        self.assertEqual(row["do"], "Keep the result.")
        self.assertEqual(row["path"], [
            [12, 2, "Maps sgl with n", "map(sgl);"]])
        self.assertEqual(row["src"], "\tx();")
        part, = rows.read(self.out).parts
        self.assertEqual((part.beside, part.skipped), (2, ["r: old"]))

    def test_unread_code_is_no_level(self) -> None:
        self.check({**FINDING, "kind": "unread", "level": "low"})
        self.assertEqual(len(self.rows("unread")), 1)
        self.assertEqual(self.rows("low"), [])


class SidesTest(unittest.TestCase):

    def test_old_is_left_and_new_is_right(self) -> None:
        hunk, = sides.read(DIFF)
        self.assertEqual((hunk.file, hunk.line, hunk.start, hunk.end),
                         ("drivers/net/a.c", 4, 3, 6))
        self.assertEqual(
            [(row.kind, row.old_line, row.old, row.new_line, row.new)
             for row in hunk.rows], [
                ("same", 3, "same", 3, "same"),
                ("changed", 4, "old one", 4, "new one"),
                ("added", 0, "", 5, "new two"),
                ("same", 5, "tail", 6, "tail"),
                ("removed", 6, "gone", 0, "")])

    def test_line_that_looks_like_a_header_is_a_line(self) -> None:
        hunk, = sides.read(b"--- a/x\n+++ b/x\n@@ -1,1 +1,1 @@\n--- a/y\n"
                           b"+++ b/y\n")
        self.assertEqual((hunk.file, hunk.rows[0].old, hunk.rows[0].new),
                         ("x", "-- a/y", "++ b/y"))

    def test_missing_newline_and_name_in_quotes(self) -> None:
        hunk, = sides.read(b'--- "a/o\\377\\nd"\n+++ "b/o\\377\\nd"\n'
                           b"@@ -1 +1 @@\n-a\n\\ No newline at end of file\n"
                           b"+b\n\\ No newline at end of file\n")
        self.assertEqual(hunk.file, "o\udcff\nd")
        self.assertEqual(hunk.rows[0].old, "a \\ no newline")

    def test_cut_hunk_is_refused(self) -> None:
        with self.assertRaises(sides.SidesError):
            sides.read(DIFF[:-6])


class RunsTest(OutTest):

    def test_two_runs_on_one_tree_are_both_named(self) -> None:
        self.change()
        self.check(FINDING)
        made = rows.read(self.out)
        self.assertEqual([part.title for part in made.parts],
                         ["Change", "Check"])
        self.assertIn("from two runs", made.warnings[0])
        self.assertIn("from before the change", made.warnings[0])

    def test_runs_on_two_trees_are_never_one_page(self) -> None:
        self.change()
        self.check(FINDING, run=Run("check", "/src/other", "6.0.0",
                                    time="2026-01-03 00:00:00 UTC"))
        made = rows.read(self.out)
        self.assertEqual([part.title for part in made.parts], ["Check"])
        self.assertIn("/src/linux", made.warnings[0])

    def test_file_of_another_run_is_refused(self) -> None:
        self.change()
        (self.out / "edits.patch").write_bytes(b"")
        with self.assertRaisesRegex(RunsError, "not of the run"):
            rows.read(self.out)
        (self.out / runs.CHANGE).unlink()
        with self.assertRaisesRegex(RunsError, "missing"):
            rows.read(self.out)

    def test_empty_out_names_the_next_step(self) -> None:
        with self.assertRaisesRegex(RowsError, "make preview"):
            rows.read(self.out)


class RenderTest(OutTest):

    def setUp(self) -> None:
        super().setUp()
        try:
            import jinja2
        except ImportError:
            self.skipTest("jinja2 is missing")
        del jinja2

    def text(self) -> str:
        return page.write(self.out)[0].decode("utf-8")

    def test_data_cannot_end_its_script(self) -> None:
        self.change()
        text = self.text()
        block = re.search(r'id="data">(.*?)</script>', text, re.DOTALL)
        assert block is not None
        self.assertNotIn("<", block[1])
        self.assertNotIn("\u2028", text)
        said = [row["do"] for row in json.loads(block[1])["rows"]
                if row["v"] == "manual"]
        self.assertTrue(said[0].startswith("Convert </script><!--<b>&"))

    def test_names_are_escaped_in_the_frame(self) -> None:
        self.change(LEDGER + line(
            "<i>/<b>.c", "3", "1", "h", ".sg", "unread", "",
            "macro: <u>; convert it"))
        text = self.text()
        for tag in ("<i>/", "<b>.c", "<u>"):
            self.assertNotIn(tag, text)
        self.assertIn("&lt;i&gt;", text)

    def test_unread_code_is_in_the_frame_and_not_folded(self) -> None:
        self.change()
        text = self.text()
        frame = text[text.index("unread-code"):text.index("Subsystems")]
        self.assertIn("lib/x.c", frame)
        self.assertNotIn("<details", text)

    def test_page_refers_to_nothing_outside(self) -> None:
        self.change()
        self.check(FINDING)
        for word in ("http:", "https:", "file:/", "src=", "@import", "url("):
            self.assertTrue(word not in self.text(), word)

    def test_odd_bytes_reach_every_part_of_the_page_as_escapes(self) -> None:
        odd = "o\udcff\x1b.c"
        self.change(HEAD + line(odd, "3", "1", odd, odd, "unread", odd,
                                f"macro: {odd}"), b"", Run(
            "apply", f"/{odd}", "5", "x", remarks=(odd,), notes=(
                f"{odd}:3: {odd}",), time="2026"))
        text = self.text()
        self.assertIn("o\\xff\\x1b.c", text)
        self.assertNotIn("\x1b", text)

    def test_empty_run_has_a_page(self) -> None:
        self.change(HEAD, b"")
        text = self.text()
        self.assertIn("0 sites", text)
        self.assertIn("No site and no finding", text)

    def test_same_out_gives_the_same_bytes(self) -> None:
        self.change()
        self.assertEqual(self.text(), self.text())

    def test_links_name_what_needs_a_person(self) -> None:
        self.change()
        self.check(FINDING)
        self.assertEqual([each.split(":")[0] for each in page.links(
            rows.read(self.out))], [
                f"report.html#verdict={word}"
                for word in ("unread", "manual", "high", "check")])


class MissingTest(OutTest):

    def test_missing_jinja2_is_one_sentence(self) -> None:
        self.change()
        with mock.patch.dict(sys.modules, {"jinja2": None}):
            with self.assertRaisesRegex(page.PageError, "python3-jinja2"):
                page.write(self.out)


if __name__ == "__main__":
    unittest.main()
