# SPDX-License-Identifier: GPL-2.0-only
"""Hold core.py and the patches it applies to their promises.

Every tree here is a copy of the two files of fixtures/sg-dma-page/tree, bent to what the
test's name says.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))

from read import campaigns, core  # noqa: E402
import sgpage  # noqa: E402
from read.campaign import Callers, State  # noqa: E402
from read.core import CoreError  # noqa: E402
from sgpage import HEADER, LIBRARY  # noqa: E402
from prove import twin  # noqa: E402

# The walk that v5.1 and later have, where it differs from 0001's.
UPSTREAM_COUNT = b"""static int sg_dma_page_count(struct scatterlist *sg)
{
	return PAGE_ALIGN(sg->offset + sg_dma_len(sg)) >> PAGE_SHIFT;
}

bool __sg_page_iter_dma_next("""


class Trees(unittest.TestCase):
    """A copy of the embedded tree's core, and what is done to it."""

    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.tree = Path(self.folder.name) / "tree"
        for name in (HEADER, LIBRARY):
            (self.tree / name).parent.mkdir(parents=True)
            shutil.copyfile(ROOT / "fixtures/sg-dma-page/tree" / name, self.tree / name)

    def read(self, name: str) -> bytes:
        return (self.tree / name).read_bytes()

    def change(self, name: str, old: bytes, new: bytes) -> None:
        text = self.read(name)
        self.assertEqual(text.count(old), 1, old)
        (self.tree / name).write_bytes(text.replace(old, new))

    def place(self, files: dict[str, bytes]) -> None:
        for name, content in files.items():
            (self.tree / name).write_bytes(content)

    def install(self, form: State) -> None:
        self.place(sgpage.install(self.tree, form))

    def make_upstream(self) -> None:
        """Turn the installed strict form into what v5.1 has."""
        self.install(sgpage.STRICT)
        self.change(HEADER, b"(dma_addr_t)dma_iter->base.sg_pgoffset",
                    b"dma_iter->base.sg_pgoffset")
        text = self.read(LIBRARY)
        start = text.index(b"/*\n * Return how many pages the DMA segment")
        end = text.index(b"bool __sg_page_iter_dma_next(")
        self.place({LIBRARY: text[:start] + UPSTREAM_COUNT
                    + text[end + len(b"bool __sg_page_iter_dma_next("):]})

    def refused(self, form: State = sgpage.STRICT) -> str:
        """Return the sentence; the tree must be as it was."""
        before = {name: self.read(name) for name in (HEADER, LIBRARY)}
        with self.assertRaises(CoreError) as caught:
            sgpage.install(self.tree, form)
        self.assertEqual(before, {name: self.read(name) for name in before})
        sentence = str(caught.exception)
        self.assertNotIn("\n", sentence)
        self.assertIn(sentence.split(":")[0], (HEADER, LIBRARY))
        return sentence


class Installing(Trees):
    def test_a_tree_is_asked_for_declarations_not_for_its_version(self) -> None:
        self.assertEqual(sgpage.probe(self.tree), sgpage.ABSENT)
        self.install(sgpage.TRANSITIONAL)
        self.assertEqual(sgpage.probe(self.tree), sgpage.TRANSITIONAL)
        self.install(sgpage.STRICT)
        self.assertEqual(sgpage.probe(self.tree), sgpage.STRICT)

    def test_a_tree_that_has_the_form_needs_nothing(self) -> None:
        for form in sgpage.FORMS:
            self.install(form)
            self.assertEqual(sgpage.install(self.tree, form), {})

    def test_a_strict_tree_never_goes_back(self) -> None:
        self.install(sgpage.STRICT)
        self.assertEqual(sgpage.install(self.tree, sgpage.TRANSITIONAL), {})

    def test_both_roads_to_strict_end_in_the_same_bytes(self) -> None:
        direct = sgpage.install(self.tree, sgpage.STRICT)
        self.install(sgpage.TRANSITIONAL)
        self.install(sgpage.STRICT)
        self.assertEqual(direct, {name: self.read(name) for name in direct})

    def test_git_and_patch_make_the_same_of_each_form(self) -> None:
        for form in sgpage.FORMS:
            wanted = sgpage.install(self.tree, form)
            for tool in (["git", "apply", "-p1"], ["patch", "-p1", "-F0", "-s"]):
                with tempfile.TemporaryDirectory() as folder:
                    shutil.copytree(self.tree, folder, dirs_exist_ok=True)
                    with sgpage.PATCH[form].open("rb") as patch:
                        subprocess.run(tool, cwd=folder, stdin=patch,
                                       check=True)
                    for name, content in wanted.items():
                        self.assertEqual((Path(folder) / name).read_bytes(),
                                         content, tool)

    def test_crlf_stays_crlf_in_every_line(self) -> None:
        plain = sgpage.install(self.tree, sgpage.STRICT)
        for name in (HEADER, LIBRARY):
            self.place({name: self.read(name).replace(b"\n", b"\r\n")})
        dos = sgpage.install(self.tree, sgpage.STRICT)
        self.assertEqual(dos, {name: text.replace(b"\n", b"\r\n")
                               for name, text in plain.items()})
        self.place(dos)
        self.assertEqual(sgpage.probe(self.tree), sgpage.STRICT)

    def test_a_line_that_is_not_changed_keeps_its_own_ending(self) -> None:
        end = b"EXPORT_SYMBOL(__sg_page_iter_next);\n"
        self.change(LIBRARY, end, end.replace(b"\n", b"\r\n"))
        text = sgpage.install(self.tree, sgpage.STRICT)[LIBRARY]
        start = text.index(b"EXPORT_SYMBOL(__sg_page_iter_next);")
        self.assertEqual(text[:start], self.read(LIBRARY)[:start])
        self.assertNotIn(b"\r", text[text.index(
            b"EXPORT_SYMBOL(__sg_page_iter_dma_next);") + 60:])

    def test_bytes_that_are_not_utf8_survive(self) -> None:
        self.change(LIBRARY, b"EXPORT_SYMBOL(__sg_page_iter_next);\n",
                    b"EXPORT_SYMBOL(__sg_page_iter_next);\n\n/* \xfcber */\n")
        self.assertIn(b"/* \xfcber */",
                      sgpage.install(self.tree, sgpage.STRICT)[LIBRARY])

    def test_a_missing_last_newline_stays_missing(self) -> None:
        self.place({LIBRARY: self.read(LIBRARY).rstrip(b"\n")})
        text = sgpage.install(self.tree, sgpage.STRICT)[LIBRARY]
        self.assertFalse(text.endswith(b"\n"))


class Forks(Trees):
    def test_a_reworded_comment_stays_and_the_rest_fits(self) -> None:
        self.change(HEADER, b"Iterates over sg entries page-by-page.",
                    b"Goes through sg entries page by page.")
        self.change(HEADER, b" * the page iterator.\n", b" * the walk.\n")
        self.install(sgpage.TRANSITIONAL)
        self.assertIn(b"Goes through", self.read(HEADER))
        self.assertNotIn(b"the walk.", self.read(HEADER))
        self.install(sgpage.STRICT)
        self.assertEqual(sgpage.probe(self.tree), sgpage.STRICT)

    def test_a_gpl_export_and_an_extern_prototype_are_anchors(self) -> None:
        self.change(LIBRARY, b"EXPORT_SYMBOL(__sg_page_iter_next);",
                    b"EXPORT_SYMBOL_GPL(__sg_page_iter_next);")
        self.change(HEADER, b"\nbool __sg_page_iter_next(struct sg_page_iter "
                    b"*piter);", b"\nextern bool __sg_page_iter_next("
                    b"struct sg_page_iter *p);")
        self.install(sgpage.STRICT)
        self.assertEqual(sgpage.probe(self.tree), sgpage.STRICT)

    def test_a_loop_macro_of_another_shape_is_an_anchor(self) -> None:
        self.change(HEADER, b"\t     __sg_page_iter_next(piter);)\n",
                    b"\t     __sg_page_iter_next((piter)); \\\n\t    )\n")
        self.install(sgpage.STRICT)
        text = self.read(HEADER)
        self.assertLess(text.index(b"\t    )\n"),
                        text.index(b"#define for_each_sg_dma_page("))

    def test_an_anchor_that_is_there_twice_is_refused(self) -> None:
        line = b"EXPORT_SYMBOL(__sg_page_iter_next);\n"
        self.change(LIBRARY, line, line + b"\n" + line)
        self.assertIn("2 times", self.refused())

    def test_an_anchor_that_is_gone_is_refused(self) -> None:
        self.change(LIBRARY, b"EXPORT_SYMBOL(__sg_page_iter_next);\n", b"")
        self.assertIn("does not fit", self.refused())

    def test_an_accessor_that_computes_otherwise_is_refused(self) -> None:
        self.change(HEADER, b"(piter->sg_pgoffset << PAGE_SHIFT);",
                    b"(piter->sg_pgoffset << PAGE_SHIFT) + quirk;")
        self.assertIn("does not fit near 'sg_page_iter_dma_address",
                      self.refused())

    def test_half_an_api_is_refused_by_name(self) -> None:
        for name in (b"struct sg_dma_page_iter {\n\tstruct sg_page_iter base;"
                     b"\n};\n",
                     b"bool __sg_page_iter_dma_next(struct sg_page_iter *p);\n",
                     b"#define sg_dma_page_iter sg_page_iter\n",
                     b"#define for_each_sg_dma_page(a, b, c, d) \\\n"
                     b"\tfor_each_sg_page(a, b, c, d)\n"):
            with self.subTest(name):
                old = self.read(HEADER)
                self.change(HEADER, b"\nbool __sg_page_iter_next(",
                            b"\n" + name + b"\nbool __sg_page_iter_next(")
                self.assertIn("person", self.refused())
                self.place({HEADER: old})

    def test_a_name_in_a_comment_is_no_api(self) -> None:
        self.change(HEADER, b"\nbool __sg_page_iter_next(",
                    b"\n/* struct sg_dma_page_iter { came later; "
                    b"#define for_each_sg_dma_page( too */\n"
                    b"bool __sg_page_iter_next(")
        self.assertEqual(sgpage.probe(self.tree), sgpage.ABSENT)

    def test_a_definition_without_a_declaration_is_refused(self) -> None:
        strict = sgpage.install(self.tree, sgpage.STRICT)
        old = self.read(LIBRARY)
        self.place({LIBRARY: strict[LIBRARY]})
        self.assertIn("defined but not declared", self.refused())
        self.place({HEADER: strict[HEADER], LIBRARY: old})
        self.assertIn("declared but not defined", self.refused())

    def test_a_step_that_is_not_exported_is_refused(self) -> None:
        """A module that was converted to it would not load."""
        export = b"EXPORT_SYMBOL(__sg_page_iter_dma_next);"
        self.install(sgpage.STRICT)
        for other in (b"", b"EXPORT_SYMBOL(__sg_page_iter_next);",
                      b"/* " + export + b" */"):
            with self.subTest(other):
                old = self.read(LIBRARY)
                self.change(LIBRARY, export, other)
                self.assertIn("is not exported", self.refused())
                self.place({LIBRARY: old})
        self.change(LIBRARY, export, export.replace(b"SYMBOL", b"SYMBOL_GPL"))
        self.assertEqual(sgpage.probe(self.tree), sgpage.STRICT)

    def test_a_name_that_the_patch_would_declare_again_is_refused(
            self) -> None:
        self.change(LIBRARY, b"EXPORT_SYMBOL(__sg_page_iter_next);\n",
                    b"EXPORT_SYMBOL(__sg_page_iter_next);\n\n"
                    b"int sg_dma_page_count(struct scatterlist *sg);\n")
        self.assertEqual(self.refused(), f"{LIBRARY}: has a sg_dma_page_count "
                         "of its own; a person must rename it")

    def test_an_unknown_accessor_is_refused(self) -> None:
        self.install(sgpage.TRANSITIONAL)
        self.change(HEADER, b"(union sg_any_page_iter dma_iter)",
                    b"(void *dma_iter)")
        self.assertIn("takes (void *dma_iter)", self.refused())

    def test_a_tree_before_the_page_iterator_is_refused(self) -> None:
        self.place({HEADER: b"struct scatterlist {\n};\n"})
        self.assertIn("v3.10", self.refused())


class Unfit(Trees):
    def test_a_symbolic_link_is_refused(self) -> None:
        outside = Path(self.folder.name) / "outside.h"
        (self.tree / HEADER).rename(outside)
        (self.tree / HEADER).symlink_to(outside)
        self.assertIn("symbolic link", self.refused())

    def test_a_symbolic_link_on_the_way_is_refused(self) -> None:
        outside = Path(self.folder.name) / "outside"
        (self.tree / "include").rename(outside)
        (self.tree / "include").symlink_to(outside)
        self.assertIn("include is a symbolic link", self.refused())

    def test_a_folder_in_place_of_the_header_is_refused(self) -> None:
        (self.tree / HEADER).unlink()
        (self.tree / HEADER).mkdir()
        with self.assertRaisesRegex(CoreError, "not a regular file"):
            sgpage.probe(self.tree)

    def test_a_missing_file_is_named(self) -> None:
        (self.tree / LIBRARY).unlink()
        with self.assertRaisesRegex(CoreError, f"^{LIBRARY}: No such file"):
            sgpage.install(self.tree, sgpage.STRICT)


class Fixing(Trees):
    def test_the_count_of_v5_1_is_corrected_to_the_bytes_of_0001(self) -> None:
        self.install(sgpage.STRICT)
        ours = self.read(LIBRARY)
        self.make_upstream()
        fixed = sgpage.fix(self.tree)
        self.assertEqual(set(fixed), {HEADER, LIBRARY})
        for text in (ours, fixed[LIBRARY]):
            self.assertEqual(text.count(b"sg->offset + sg_dma_len"), 0)
        start, end = b"/*\n * Return how many pages", b"\n}\n"
        body = ours[ours.index(start):]
        self.assertIn(body[:body.index(end) + len(end)], fixed[LIBRARY])
        self.place(fixed)
        self.assertEqual(sgpage.fix(self.tree), {})

    def test_our_own_strict_form_needs_no_fix(self) -> None:
        for first in (sgpage.STRICT, sgpage.TRANSITIONAL):
            with self.subTest(first):
                self.setUp()
                self.install(first)
                self.install(sgpage.STRICT)
                self.assertIn(b"((dma_addr_t)dma_iter->base.sg_pgoffset "
                              b"<< PAGE_SHIFT)", self.read(HEADER))
                self.assertEqual(sgpage.fix(self.tree), {})

    def test_a_right_count_with_a_narrow_shift_needs_the_shift_alone(
            self) -> None:
        """As a tree that has another correction of the count."""
        self.install(sgpage.STRICT)
        wide = self.read(HEADER)
        self.change(HEADER, b"(dma_addr_t)dma_iter->base.sg_pgoffset",
                    b"dma_iter->base.sg_pgoffset")
        self.assertEqual(sgpage.fix(self.tree), {HEADER: wide})

    def test_the_shift_is_the_first_patch_of_the_two(self) -> None:
        """The count makes reachable what the shift would cut off."""
        rows = (sgpage.CAMPAIGN.patches / "series").read_text().splitlines()
        self.assertLess(rows.index(sgpage.WIDTH_FIX.name),
                        rows.index(sgpage.COUNT_FIX.name))
        self.assertLess(sgpage.WIDTH_FIX.name, sgpage.COUNT_FIX.name)

    def test_a_tree_without_the_strict_form_needs_no_fix(self) -> None:
        self.assertEqual(sgpage.fix(self.tree), {})
        self.install(sgpage.TRANSITIONAL)
        self.assertEqual(sgpage.fix(self.tree), {})

    def test_install_can_bring_the_fix_along(self) -> None:
        self.make_upstream()
        both = sgpage.install(self.tree, sgpage.STRICT, fix=True)
        self.assertEqual(both, sgpage.fix(self.tree))
        self.place(both)
        self.assertEqual(sgpage.install(self.tree, sgpage.STRICT, fix=True), {})
        self.assertEqual(
            sgpage.install(self.tree, sgpage.TRANSITIONAL, fix=True), {})

    def test_a_count_nobody_knows_is_refused(self) -> None:
        self.make_upstream()
        self.change(LIBRARY, b"sg->offset + sg_dma_len(sg)",
                    b"sg->offset + quirk + sg_dma_len(sg)")
        with self.assertRaisesRegex(
                CoreError, f"^{LIBRARY}: .* does not fit near 'static int "
                r"sg_dma_page_count\("):
            sgpage.fix(self.tree)


class Patches(unittest.TestCase):
    def test_the_transitional_twin_is_what_its_source_makes(self) -> None:
        self.assertEqual(
            twin.twin(sgpage.CAMPAIGN),
            sgpage.PATCH[sgpage.TRANSITIONAL].read_bytes(),
            "run scripts/prove/twin.py and keep what it prints")

    def test_the_forms_differ_in_the_accessor_and_its_type_only(self) -> None:
        added = {form: [line for hunk in core.hunks(sgpage.PATCH[form])
                        for line in hunk.added] for form in sgpage.FORMS}
        only = [line for line in added[sgpage.TRANSITIONAL]
                if line not in added[sgpage.STRICT]]
        union = [line for line in only if b"return sg_dma" not in line
                 and b"PAGE_SHIFT" not in line
                 and b"sg_page_iter_dma_address(union" not in line]
        self.assertEqual(len(only) - len(union), 3)
        # The wide shift comes with the strict form: it changes callers.
        self.assertEqual(
            [[line for line in added[form] if b"PAGE_SHIFT" in line]
             for form in (sgpage.STRICT, sgpage.TRANSITIONAL)],
            [[b"\t       ((dma_addr_t)dma_iter->base.sg_pgoffset << "
              b"PAGE_SHIFT);"],
             [b"\t       (dma_iter.page->sg_pgoffset << PAGE_SHIFT);"]])
        self.assertEqual(union[-4:], [
            b"union sg_any_page_iter {",
            b"\tstruct sg_dma_page_iter *dma;",
            b"\tstruct sg_page_iter *page;",
            b"} __attribute__((__transparent_union__));"])
        for old, new in zip(core.hunks(sgpage.PATCH[sgpage.STRICT]),
                            core.hunks(sgpage.PATCH[sgpage.TRANSITIONAL])):
            self.assertEqual(old.before, new.before)

    def test_next_has_an_export_of_its_own(self) -> None:
        for form in sgpage.FORMS:
            exports = [line for hunk in core.hunks(sgpage.PATCH[form])
                       for line in hunk.added if b"EXPORT" in line]
            self.assertEqual(exports,
                             [b"EXPORT_SYMBOL(__sg_page_iter_dma_next);"])

    def test_the_diffstat_of_each_message_is_true(self) -> None:
        for patch in sgpage.CAMPAIGN.patches.glob("*.patch"):
            with tempfile.TemporaryDirectory() as folder:
                told = subprocess.run(
                    ["git", "apply", "--stat", str(patch)], cwd=folder,
                    check=True, capture_output=True, text=True).stdout
            self.assertIn(told.splitlines()[-1],
                          patch.read_text(encoding="utf-8"), patch.name)

    def test_each_patch_says_where_it_applies_and_what_upstream_has(
            self) -> None:
        for patch in sgpage.CAMPAIGN.patches.glob("*.patch"):
            head = patch.read_text(encoding="utf-8").partition("\n\n")[0]
            for key in ("SPDX-License-Identifier", "Applies", "Upstream"):
                self.assertRegex(head, rf"(?m)^{key}: \S", patch.name)
            message = core.letter(patch)
            self.assertLessEqual(len(message.subject), 75)
            self.assertNotIn("Signed-off-by", message.body)
            for line in message.body.splitlines():
                # git wants a tag on one line.
                self.assertTrue(len(line) <= 75 or line.startswith("Fixes: "),
                                (patch.name, line))
                # Whoever reads the patch in git has no file names of ours.
                self.assertNotRegex(line, r"\b000[1-9]\b|transitional|strict",
                                    patch.name)

    def test_series_names_every_patch_once(self) -> None:
        rows = (sgpage.CAMPAIGN.patches / "series").read_text().splitlines()
        names = [row for row in rows if row and not row.startswith("#")]
        self.assertEqual(sorted(names),
                         sorted(patch.name for patch in
                                sgpage.CAMPAIGN.patches.glob("*.patch")))

    def test_a_hunk_that_is_cut_short_is_an_error(self) -> None:
        text = sgpage.REMOVAL.read_bytes()
        with tempfile.TemporaryDirectory() as folder:
            short = Path(folder) / "short.patch"
            short.write_bytes(text[:text.index(b" bool __sg_page")])
            with self.assertRaisesRegex(CoreError, "cut short"):
                core.hunks(short)


class OtherApi(unittest.TestCase):
    """A campaign of another API, whose chain has two steps."""

    HEADER = "include/tick.h"
    TABLE = """\
title\tTICK
summary\tmove a tree to tock
unit\ttype
old\ttick\ttick\t-
new\ttock\ttock\t-
api\tinclude/tick.h
state\tplain\told\tinclude/tick.h\t^struct tick;
state\thalf\tboth\tinclude/tick.h\t^union tick;
state\tfull\tnew\tinclude/tick.h\t^struct tock;
patch\tplain\thalf\t1.patch
patch\thalf\tfull\t2.patch
"""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        for number, (old, new) in enumerate((
                ("struct tick;", "union tick;"),
                ("union tick;", "struct tock;")), 1):
            self.write(f"kernel-patch/{number}.patch",
                       "--- a/include/tick.h\n+++ b/include/tick.h\n"
                       f"@@ -1 +1 @@\n-{old}\n+{new}\n")
        self.write("migrate/tock.cocci", "@@ @@\n- tick\n")
        self.write(self.HEADER, "struct tick;\n")
        self.write("campaign.tsv", self.TABLE)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def state(self) -> str:
        found = core.probe(campaigns.load(str(self.folder)), self.folder)
        return found.name if found else ""

    def install(self, callers: Callers) -> dict[str, bytes]:
        campaign = campaigns.load(str(self.folder))
        state = campaign.state(callers)
        assert state is not None
        return core.install(campaign, self.folder, state)

    def test_the_chain_is_walked_from_where_the_tree_is(self) -> None:
        self.assertEqual(self.state(), "plain")
        whole = self.install(Callers.NEW)
        self.assertEqual(whole, {self.HEADER: b"struct tock;\n"})
        self.write(self.HEADER, "union tick;\n")
        self.assertEqual(self.state(), "half")
        self.assertEqual(self.install(Callers.NEW), whole)

    def test_a_tree_in_two_states_is_refused(self) -> None:
        self.write(self.HEADER, "struct tick;\nstruct tock;\n")
        with self.assertRaisesRegex(
                CoreError, "^include/tick.h: declares the plain and the full "
                "form of the API; a person must say which one it has$"):
            self.state()

    def test_a_tree_in_no_state_is_refused(self) -> None:
        self.write(self.HEADER, "/* struct tick; */\n")
        with self.assertRaisesRegex(CoreError, "^include/tick.h: declares "
                                    "nothing that a state"):
            self.state()

    def test_a_patch_that_leads_elsewhere_is_refused(self) -> None:
        self.write("kernel-patch/2.patch",
                   "--- a/include/tick.h\n+++ b/include/tick.h\n"
                   "@@ -1 +1 @@\n-union tick;\n+struct tick;\n")
        with self.assertRaisesRegex(CoreError, "left it without the full"):
            self.install(Callers.NEW)

    def test_a_campaign_without_states_never_changes_the_api(self) -> None:
        self.write("campaign.tsv", "title\tT\nsummary\tS\nunit\tcall\n")
        self.assertEqual(self.state(), "")
        self.assertEqual(core.fix(campaigns.load(str(self.folder)),
                                  self.folder), {})


if __name__ == "__main__":
    unittest.main()
