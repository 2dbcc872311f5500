# SPDX-License-Identifier: GPL-2.0-only
"""Hold message.py to subjects and texts a maintainer would take."""

from __future__ import annotations

import unittest
from dataclasses import replace
from pathlib import Path

from write import message
from read.census import Site
from run.rules import Rule
from judge.counts import Count, Kind, Why
from judge.ledger import Entry
from judge.walks import Walk
from write.message import Check, Making, Prefix, Shape, Words

LOG = {
    "a.c": ["media: ipu3-cio2: Use the helper", "media: ipu3-cio2: Fix it",
            "treewide: kzalloc()", "media: ipu3-cio2: Add a driver"],
    "none.c": ["Merge branch", "tree as released", ""],
}


def rule(name: str, summary: str, body: str) -> Rule:
    path = Path(f"/x/cocci/sg-dma-page/migrate/{name}.cocci")
    return Rule(name, path, "migrate",
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

    def test_capital_of_a_subsystem_is_known_without_a_log(self) -> None:
        for file, capital in (("drivers/gpu/drm/i915/i915_gem_gtt.c", True),
                              ("drivers/gpu/drm/vmwgfx/a.c", False)):
            with self.subTest(file):
                self.assertEqual(message.guess([file], []).capital, capital)

    def test_rule_for_the_count_alone_names_no_patch(self) -> None:
        walk = rule("local-walk", "walk it", "Body.")
        count = replace(rule("count-passed", "pass it", "Body."), counts=True)
        self.assertEqual(message.subject(Prefix("a: ", False, "log"),
                                         [count, walk]), "a: walk it")

    def test_subject_stays_within_75_columns(self) -> None:
        for length in (10, 40, 60, 90):
            prefix = Prefix("x" * length + ": ", False, "path")
            with self.subTest(length):
                self.assertLessEqual(len(message.subject(prefix, [])), 75)


def walk(count: Count, **more: object) -> Walk:
    return Walk("a.c", "f", count, **more)  # type: ignore[arg-type]


MAPPED = Count("t->nents", Kind.MAPPED, Why.RETURNED)
UNKNOWN = Count("n", Kind.UNKNOWN, Why.NOTHING)
BUILT = Check(("a.o builds",), ("not run on hardware",))


class MessageTest(unittest.TestCase):

    def user(self, rules: list[Rule], entries: list[Entry],
             walks: list[Walk] | None = None, check: Check = BUILT,
             fixes: str = "") -> Words:
        return message.user("a: walk", ["a.c"], entries, rules, walks or [],
                            Making("make series", "1.1.1"), check, fixes)

    def test_lines_that_end_a_mail_early_are_taken_for_text(self) -> None:
        body = "--- a/x\n\ndiff --git a/x b/x\n\nFrom: someone"
        text = self.user([rule("r", "walk", body)], []).text
        for line in text.split("\n")[1:]:
            self.assertNotRegex(line, r"^(---|diff -|From:)")
        for word in ("--- a/x", "diff --git", "From: someone"):
            self.assertIn(word, text)

    def test_text_of_two_rules_is_said_once_each(self) -> None:
        words = self.user([rule("r", "walk", "One text."),
                           rule("s", "walk", "One text."),
                           rule("t", "walk", "Another.")], [])
        self.assertEqual(words.text.count("One text."), 1)
        self.assertIn("Made with Coccinelle 1.1.1 and "
                      "cocci/sg-dma-page/migrate/r.cocci, "
                      "cocci/sg-dma-page/migrate/s.cocci and "
                      "cocci/sg-dma-page/migrate/t.cocci of "
                      "sgwalk,", " ".join(words.notes.split()))

    def test_history_keeps_no_word_on_tools_checks_and_questions(self
                                                                 ) -> None:
        words = self.user([rule("r", "walk", "One text.")], [],
                          [walk(UNKNOWN, room=True)])
        for word in ("Made", "sgwalk", "Checked", "builds", "hardware",
                     "confirm", "can be more"):
            self.assertNotIn(word, words.text)
            self.assertIn(word, words.notes)
        self.assertIn("Compile tested only.", " ".join(words.text.split()))
        for word in ("make series", "Link:"):
            self.assertNotIn(word, words.text + words.notes)

    def test_what_was_not_built_is_not_said_to_be_compiled(self) -> None:
        words = self.user([], [], check=Check(
            (), ("not built, not run on hardware",)))
        self.assertNotIn("ompile", words.text)
        self.assertIn("Not built, not run on hardware.", words.notes)

    def test_mistake_without_an_origin_is_not_claimed_to_happen(self) -> None:
        line = 'Fixes: 123456789abc ("a: walk")'
        weak = " ".join(self.user([], []).text.split())
        self.assertIn("Found by inspection, and not known to happen with "
                      "this device.", weak)
        self.assertNotIn("Fixes", weak)
        named = self.user([], [], fixes=line).text
        self.assertNotIn("not known", named)
        self.assertTrue(named.endswith(f"\n\n{line}\n"))

    def test_count_is_said_with_its_witness(self) -> None:
        cases = [
            (walk(MAPPED), "f() walks t->nents segments, which is what "
             "dma_map_sg() returned."),
            (walk(MAPPED, was="t->orig_nents"), "f() walks t->nents "
             "segments, which is what dma_map_sg() returned, and no longer "
             "t->orig_nents entries."),
            (walk(Count("t->nents", Kind.MAPPED, Why.STORED,
                        "dma_map_sgtable")), "f() walks t->nents segments, "
             "which dma_map_sgtable() stored there."),
            (walk(Count("t->nents", Kind.MAPPED, Why.IMPORTED,
                        "dma_buf_map_attachment")), "f() walks t->nents "
             "segments, whose table came mapped from "
             "dma_buf_map_attachment()."),
            (walk(UNKNOWN, stored="vb2-dma-sg", mapper="dma_map_sg_attrs()"),
             "f() walks 'n' segments: vb2-dma-sg stores there what "
             "dma_map_sg_attrs() returned."),
            (walk(Count("t->orig_nents", Kind.UNMAPPED, Why.ORIG)),
             "t->orig_nents counts the entries from before mapping, which "
             "may be more than the segments. Entries without a segment have "
             "a DMA length of 0 in a list that is mapped once, and the walk "
             "steps over them."),
            (walk(Count("sg_nents(l)", Kind.UNMAPPED, Why.ENTRIES)),
             "sg_nents() counts all entries, which may be more than the "
             "segments. Entries"),
            (walk(Count("sg_nents(l)", Kind.UNKNOWN, Why.NOTHING)),
             "sg_nents() counts all entries, which may be more than the "
             "segments. Entries"),
            (walk(MAPPED, bound="'pages' runs out"), "The loop in f() ends "
             "when 'pages' runs out, whatever the list has.")]
        for one, said in cases:
            with self.subTest(said):
                words = self.user([], [], [one])
                self.assertIn(said, " ".join(words.text.split()))
                self.assertNotIn("confirm", words.text + words.notes)

    def test_what_is_not_known_is_a_question_below_the_line(self) -> None:
        cases = [
            (walk(UNKNOWN), "Please confirm that 'n' in f() is what "
             "dma_map_sg() returned."),
            (walk(MAPPED, room=True), "The walk in f() now visits every DMA "
             "page, which can be more than before."),
            (walk(Count("t->nents", Kind.MAPPED, Why.RETURNED,
                        offset="off")), "The offset off in f() now counts "
             "DMA pages and not pages in memory.")]
        for one, said in cases:
            with self.subTest(said):
                words = self.user([], [], [one])
                self.assertIn(said, " ".join(words.notes.split()))
                self.assertNotIn(said, " ".join(words.text.split()))

    def test_offset_into_a_list_of_whole_pages_asks_nothing(self) -> None:
        words = self.user([], [], [walk(
            Count("t->nents", Kind.MAPPED, Why.RETURNED, offset="off"),
            builder="sg_alloc_table_from_pages()")])
        self.assertIn("The list is built by sg_alloc_table_from_pages() with "
                      "offset 0 and whole pages, so the offset off skips the "
                      "same pages as before.", " ".join(words.text.split()))
        self.assertNotIn("confirm", words.notes)

    def test_functions_with_the_same_fact_share_a_sentence(self) -> None:
        words = self.user([], [], [
            walk(MAPPED), Walk("a.c", "g", MAPPED), walk(MAPPED)])
        self.assertIn("f() and g() walk t->nents segments,",
                      " ".join(words.text.split()))

    def test_what_is_left_is_said_with_its_reason(self) -> None:
        text = " ".join(self.user([], [
            entry("a.c", 3, "f", "converted", "local-walk: it follows"),
            entry("a.c", 9, "g", "kept", "page-walk: it gives pages"),
            entry("a.c", 12, "g", "kept", "page-walk: it gives pages"),
            entry("a.c", 20, "h", "manual", "mixed: split it"),
            entry("b.c", 20, "k", "manual", "mixed: of another file")]
        ).text.split())
        self.assertIn("The page walk in g() stays as it is: it gives pages.", text)
        self.assertIn("Not converted, in h(): split it.", text)
        self.assertNotIn("another file", text)

    def test_what_is_left_in_two_functions_is_said_in_the_plural(self
                                                                 ) -> None:
        text = " ".join(self.user([], [
            entry("a.c", 9, "g", "kept", "page-walk: it gives pages"),
            entry("a.c", 12, "h", "kept", "page-walk: it gives pages")]
        ).text.split())
        self.assertIn("The page walks in g() and h() stay as they are: they give "
                      "pages.", text)

    def test_core_lines_of_a_rule_are_in_the_notes(self) -> None:
        one = replace(rule("r", "walk", "Text."), rewrites=(
            ("struct sg_page_iter", "struct sg_dma_page_iter"),
            ("table->orig_nents", "count"),
            ("for_each_sg_dma_page(l)", "for_each_sg_page(l)")))
        notes = self.user([one], []).notes
        self.assertIn("\n  - struct sg_page_iter\n"
                      "  + struct sg_dma_page_iter", notes)
        for word in ("orig_nents", "for_each_sg_page"):
            self.assertNotIn(word, notes)

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
        words = self.user([rule("r", "walk", "word " * 80)], [], [walk(
            Count("a_rather_long_name->of_a_count", Kind.UNKNOWN,
                  Why.NOTHING), room=True)])
        for text in (words.text, words.notes):
            self.assertLessEqual(max(map(len, text.split("\n"))), 75)


def shape(**facts: object) -> Shape:
    values: dict[str, object] = {
        "adds": False, "mends": (), "users": (), "ends": False, "left": 0,
        "lone": False, **facts}
    return Shape(**values)  # type: ignore[arg-type]


class CoreTest(unittest.TestCase):

    def test_first_posting_is_linked_where_the_iterator_is_added(self
                                                                 ) -> None:
        for first in (True, False):
            text = message.core("lib: t", "Text.\n\nFixes: 123 (\"x\")",
                                Check((), ()), first).text
            self.assertEqual("\nFixes: 123 (\"x\")\nLink: " in text, first)
            self.assertEqual("Link: " in text, first)


class CoverTest(unittest.TestCase):
    """A cover speaks of the patches that are sent, and of no others."""

    WHOLE = shape(adds=True, users=(2, 3), ends=True)
    MENDED = shape(mends=(1, 2), subject="lib/scatterlist: count right",
                   opening="A walk can lose pages.")

    def test_whole_series_says_what_upstream_did(self) -> None:
        text = " ".join(message.story(self.WHOLE).split())
        for part in ("Patch 1 adds", "Patches 2 and 3 convert the callers, "
                     "one per subsystem.", "Until patch 4 the accessor",
                     "commit d901b2760dc6", "A plain backport would not do"):
            self.assertIn(part, text)
        self.assertEqual(message.cover_title(self.WHOLE), "lib/scatterlist: "
                         "add a DMA page iterator and convert its users")

    def test_correction_tells_its_own_story(self) -> None:
        text = message.story(self.MENDED)
        self.assertEqual(text, "A walk can lose pages.")
        self.assertEqual(message.cover_title(self.MENDED),
                         "lib/scatterlist: count right")

    def test_callers_alone_need_no_other_patch(self) -> None:
        users = shape(users=(1, 2))
        self.assertNotIn("adds", message.story(users))
        self.assertIn("do not depend on each other",
                      " ".join(message.plan_of_merge(users).split()))

    def test_one_tree_is_suggested_where_patches_need_each_other(self
                                                                 ) -> None:
        text = " ".join(message.plan_of_merge(self.WHOLE).split())
        self.assertIn("Patches 2 and 3 need patch 1, and patch 4 needs all "
                      "others. I suggest that one tree takes the series, "
                      "with acks from the maintainers of the drivers.", text)
        self.assertNotIn("Andrew", text)

    def test_library_without_a_maintainer_is_said_to_have_none(self) -> None:
        text = " ".join(message.plan_of_merge(shape(
            adds=True, users=(2,), ends=True, lone=True)).split())
        self.assertIn("has no maintainer in MAINTAINERS; Andrew Morton "
                      "usually takes lib/.", text)

    def test_one_patch_says_that_it_converts_all_callers(self) -> None:
        words = message.whole(
            "lib: all", "Core text.\n\nFixes: 123456789abc (\"x\")", ["a.c"],
            [], [rule("r", "walk", "Rule text.")], [], Making("m", "1.1.1"),
            Check((), ()), True)
        self.assertIn("Core text.\n\nConvert all callers in the same "
                      "step.\n\nRule text.\n\nFixes: 123456789abc", words.text)


if __name__ == "__main__":
    unittest.main()
