# SPDX-License-Identifier: GPL-2.0-only
"""Hold message.py to subjects and texts a maintainer would take."""

from __future__ import annotations

import unittest
from pathlib import Path

import message
from census import Site
from ledger import Entry
from message import Check, Making, Prefix
from rules import Rule

LOG = {
    "a.c": ["media: ipu3-cio2: Use the helper", "media: ipu3-cio2: Fix it",
            "treewide: kzalloc()", "media: ipu3-cio2: Add a driver"],
    "none.c": ["Merge branch", "tree as released", ""],
}


def rule(name: str, summary: str, body: str) -> Rule:
    return Rule(name, Path(f"/x/cocci/migrate/{name}.cocci"), "migrate",
                summary, body, frozenset(("patch",)), "High", (), "1.0.8",
                ("S01",), "converted", "")


def entry(file: str, line: int, function: str, verdict: str,
          reason: str) -> Entry:
    return Entry(Site(file, line, 1, function, "for_each_sg_page", "code"),
                 verdict, "local-walk", reason)


class PrefixTest(unittest.TestCase):

    def test_most_frequent_prefix_of_the_log_is_taken(self) -> None:
        self.assertEqual(message.learn({"a.c": LOG["a.c"]}),
                         Prefix("media: ipu3-cio2: ", True, "log"))

    def test_log_without_a_prefix_teaches_nothing(self) -> None:
        self.assertIsNone(message.learn({"none.c": LOG["none.c"]}))

    def test_files_of_two_drivers_share_what_their_prefixes_share(self
                                                                  ) -> None:
        found = message.learn({"a.c": ["RDMA/mlx5: fix"],
                               "b.c": ["RDMA/cxgb4: fix"]})
        self.assertEqual(found and found.text, "RDMA: ")

    def test_old_bracket_prefix_survives_git_am(self) -> None:
        found = message.learn({"a.c": ["[media] ipu3: fix the walk"]})
        self.assertEqual(found and found.text, "media: ipu3: ")

    def test_crypto_dash_is_part_of_the_prefix(self) -> None:
        found = message.learn({"a.c": ["crypto: talc - fix the walk"]})
        self.assertEqual(found and found.text, "crypto: talc - ")

    def test_list_names_the_subsystem_where_the_log_does_not(self) -> None:
        self.assertEqual(
            message.guess(["drivers/media/pci/intel/ipu3/ipu3-cio2.c"],
                          ["linux-media@vger.kernel.org"]),
            Prefix("media: ipu3-cio2: ", False, "MAINTAINERS"))

    def test_path_is_the_last_resort(self) -> None:
        self.assertEqual(
            message.guess(["drivers/gpu/drm/vmwgfx/vmwgfx_drv.h",
                           "drivers/gpu/drm/vmwgfx/vmwgfx_ttm_buffer.c"],
                          ["dri-devel@lists.freedesktop.org"]).text,
            "drm/vmwgfx: ")

    def test_part_of_a_driver_goes_by_the_drivers_name(self) -> None:
        self.assertEqual(
            message.guess(["drivers/gpu/drm/i915/i915_gem_gtt.c"],
                          ["intel-gfx@lists.freedesktop.org"]).text,
            "drm/i915: ")

    def test_subject_stays_within_75_columns(self) -> None:
        for length in (10, 40, 60, 90):
            prefix = Prefix("x" * length + ": ", False, "path")
            with self.subTest(length):
                self.assertLessEqual(len(message.subject(prefix, [])), 75)


class MessageTest(unittest.TestCase):

    def user(self, rules: list[Rule], entries: list[Entry]) -> str:
        return message.user("a: walk", ["a.c"], entries, rules,
                            Making("make series", "1.1.1"),
                            Check(("a.o builds",), ("hardware",)))

    def test_lines_that_end_a_mail_early_are_taken_for_text(self) -> None:
        body = "--- a/x\n\ndiff --git a/x b/x\n\nFrom: someone"
        text = self.user([rule("r", "walk", body)], [])
        for line in text.split("\n")[1:]:
            self.assertNotRegex(line, r"^(---|diff -|From:)")
        for word in ("--- a/x", "diff --git", "From: someone"):
            self.assertIn(word, text)

    def test_text_of_two_rules_is_said_once_each(self) -> None:
        text = self.user([rule("r", "walk", "One text."),
                          rule("s", "walk", "One text."),
                          rule("t", "walk", "Another.")], [])
        self.assertEqual(text.count("One text."), 1)
        self.assertIn("Made with sgwalk's cocci/migrate/r.cocci, "
                      "cocci/migrate/s.cocci and cocci/migrate/t.cocci, and "
                      "spatch 1.1.1:",
                      " ".join(text.split()))

    def test_count_is_said_with_its_class(self) -> None:
        reasons = {
            "count t->nents: mapped, it is what the mapping returned; x":
                "f() walks t->nents entries, which is what the mapping "
                "returned.",
            "count t->orig_nents: unmapped, pass; x":
                "f() walks t->orig_nents entries, which is the count before "
                "mapping, not what dma_map_sg() returned.",
            "count n: unknown, check; offset off now counts DMA pages; x":
                "f() walks n entries, and nothing here shows whether that is "
                "what dma_map_sg() returned; offset off now counts DMA "
                "pages."}
        for reason, said in reasons.items():
            with self.subTest(reason):
                text = self.user([], [entry("a.c", 3, "f", "converted",
                                            f"local-walk: {reason}")])
                self.assertIn(said, " ".join(text.split()))

    def test_what_is_left_is_said_with_its_reason(self) -> None:
        text = " ".join(self.user([], [
            entry("a.c", 3, "f", "converted", "local-walk: it follows"),
            entry("a.c", 9, "g", "kept", "page-walk: it gives pages"),
            entry("a.c", 12, "g", "kept", "page-walk: it gives pages"),
            entry("a.c", 20, "h", "manual", "mixed: split it"),
            entry("b.c", 20, "k", "manual", "mixed: of another file")]
        ).split())
        self.assertIn("Left as it is, in g(): it gives pages.", text)
        self.assertIn("Left to a person, in h(): split it.", text)
        self.assertNotIn("another file", text)

    def test_trailers_go_to_the_end_once(self) -> None:
        text = message.with_trailers("a\n\nLink: x\n", ["Acked-by: A <a@b>",
                                                        "Link: x"])
        self.assertEqual(text, "a\n\nLink: x\nAcked-by: A <a@b>\n")

    def test_long_command_can_be_copied_from_the_mail(self) -> None:
        words = ["make", "series", *(f"RULES=cocci/{n}" for n in range(9))]
        lines = message.typed(" ".join(words)).split("\n")
        self.assertLessEqual(max(map(len, lines)), 72)
        self.assertEqual(" ".join(lines).replace(" \\", "").split(), words)

    def test_no_line_is_wider_than_75_columns(self) -> None:
        text = self.user([rule("r", "walk", "word " * 80)], [
            entry("a.c", 3, "f", "converted",
                  "local-walk: count a_rather_long_name->of_a_count: unknown, "
                  "x")])
        self.assertLessEqual(max(map(len, text.split("\n"))), 75)


if __name__ == "__main__":
    unittest.main()
