# SPDX-License-Identifier: GPL-2.0-only
"""Hold the next version of a series to what became of the one before."""

from __future__ import annotations

import unittest
from pathlib import Path

from write import reroll
import smalltree
from write.reroll import RerollError
from write.series import Series
from seriestree import SeriesCase, am, commit, make, section, walk

THREE = {f"drivers/{top}/{name}.c": walk(name) for top, name in
         (("misc", "opal"), ("spi", "onyx"), ("video", "jade"))}
OWNERS = "".join(section(Path(name).stem, name) for name in THREE)
REVIEW = "Reviewed-by: Opal Smith <opal@x.example>"


class RerollTest(SeriesCase):

    def setUp(self) -> None:
        super().setUp()
        self.root = make(self.scratch / "tree", THREE, OWNERS)
        self.first = self.write(self.root)

    def give(self, made: Series, start: str, trailer: str) -> None:
        """Add a trailer to a kept mail, as its keeper would."""
        path, = made.folder.glob(f"{start}*.patch")
        text = path.read_text()
        head, end, rest = text.partition("\n---\n")
        path.write_text(f"{head}\n{trailer}{end}{rest}")

    def upstream_takes(self, numbers: list[int]) -> None:
        """Apply patches of the first version to the user's branch."""
        am(self.root, [self.first.folder / self.first.mails[number]
                       for number in numbers])
        smalltree.git(self.root, "merge", "-q", "--ff-only",
                      smalltree.git(self.scratch / "am", "rev-parse",
                                    "HEAD").strip())
        smalltree.git(self.root, "worktree", "remove", "--force",
                      str(self.scratch / "am"))

    def test_trailer_is_carried_where_the_patch_is_the_same(self) -> None:
        self.give(self.first, "0002", REVIEW)
        second = self.write(self.root, version=2)
        self.assertIn(f"{REVIEW}\n---\n", self.text(second, "v2-0002"))
        self.assertNotIn(REVIEW, self.text(second, "v2-0003"))
        self.assertIn("[PATCH v2 2/5]", self.text(second, "v2-0002"))
        self.assertIn("1 trailer carried from v1", second.notes)

    def test_trailer_of_a_changed_patch_is_named_and_not_carried(self
                                                                 ) -> None:
        self.give(self.first, "0002", REVIEW)
        name = "drivers/misc/opal.c"
        (self.root / name).write_bytes(
            (self.root / name).read_bytes().replace(b"sgt->nents",
                                                    b"sgt->orig_nents"))
        commit(self.root, "Start again")
        second = self.write(self.root, version=2)
        whole = "".join(self.text(second, f"v2-000{number}")
                        for number in range(1, 6))
        self.assertNotIn(REVIEW, whole)
        cover = " ".join(self.text(second, "v2-0000").split())
        self.assertIn(f"not carried, since the patch changed: {REVIEW}",
                      cover)

    def test_patch_of_another_name_is_known_by_what_it_changes(self) -> None:
        self.give(self.first, "0002", REVIEW)
        driver = self.root / "drivers/misc/opal.c"
        code = driver.read_bytes()
        for what, text in (("Add", code + b"/* comment */\n"),
                           ("Remove", code)):
            driver.write_bytes(text)
            commit(self.root, f"media: opal: {what} a comment")
        second = self.write(self.root, version=2)
        mail = self.text(second, "v2-0002")
        self.assertIn("] media: opal: Use the DMA", mail)
        self.assertIn(f"{REVIEW}\n---\n", mail)
        self.assertIn("named anew since v1: media: opal: Use the DMA page "
                      "iterator for DMA addresses, which was misc/opal: ",
                      " ".join(second.notes))

    def test_patches_that_the_tree_has_all_are_named(self) -> None:
        self.upstream_takes([1, 2, 3, 4, 5])
        second = self.write(self.root, version=2)
        self.assertEqual(second.mails, ())
        self.assertIn("nothing to send", second.notes[0])
        self.assertEqual([note.rpartition(": ")[2]
                          for note in second.notes[1:6]],
                         ["the tree has it already"] * 5)

    def test_version_after_this_one_is_kept(self) -> None:
        self.write(self.root, version=2)
        again = self.write(self.root)
        self.assertEqual({path.name for path in again.folder.iterdir()
                          if path.is_dir()},
                         {"state", "v1", "v2"})

    def test_patch_that_the_tree_has_is_dropped_and_named(self) -> None:
        self.upstream_takes([1, 2])
        second = self.write(self.root, version=2)
        self.assertEqual(len(second.mails), 4)
        dropped = [note for note in second.notes if "dropped" in note]
        self.assertEqual(dropped, [
            "dropped since v1: lib/scatterlist: add a page iterator for DMA "
            "addresses: the tree has it already",
            "dropped since v1: misc/opal: use the DMA page iterator for DMA "
            "addresses: the tree has it already"])
        self.assertIn("dropped since v1: misc/opal:", " ".join(
            self.text(second, "v2-0000").split()))

    def test_cover_has_a_range_diff_and_the_change_id_stays(self) -> None:
        self.upstream_takes([1])
        second = self.write(self.root, version=2)
        cover = self.text(second, "v2-0000")
        self.assertIn("Range-diff against v1:\n\n1: ", cover)
        self.assertIn(" < -:", cover)
        ids = {text.partition("change-id: ")[2].strip() for text in
               (cover, (second.folder / "v1/0000-cover-letter.patch")
                .read_text())}
        self.assertEqual(len(ids), 1)

    def test_version_that_changes_nothing_says_so(self) -> None:
        cover = self.text(self.write(self.root, version=2), "v2-0000")
        self.assertIn("\nChanges since v1:\n\n- no changes\n\n", cover)
        self.assertNotIn("Range-diff", cover)

    def test_one_mail_is_followed_by_one_mail(self) -> None:
        first = self.write(self.root, shape="single")
        self.assertIn("[PATCH] ", self.text(first, "0001"))
        second = self.write(self.root, shape="single", version=2)
        self.assertEqual(len(second.mails), 1)
        mail = self.text(second, "v2-0001")
        self.assertIn("\nSubject: [PATCH v2] lib/scatterlist: ", mail)
        self.assertIn("- no changes\n", mail.partition("\n---\n")[2])

    def test_branch_of_a_second_version_is_its_patches(self) -> None:
        second = self.write(self.root, version=2, branch="walks")
        am(self.root, [second.folder / name for name in second.mails[1:]])
        self.assertEqual(
            smalltree.git(self.root, "rev-parse", "walks^{tree}"),
            smalltree.git(self.scratch / "am", "rev-parse", "HEAD^{tree}"))
        self.assertIn("v2", second.mails[0])

    def test_first_version_is_kept_and_serves_again(self) -> None:
        self.give(self.first, "0002", REVIEW)
        second = self.write(self.root, version=2)
        self.assertEqual(len(list((second.folder / "v1").glob("*.patch"))),
                         6)
        self.assertTrue(all(name.startswith("v2-") for name in second.mails))
        again = self.write(self.root, version=2)
        self.assertIn(REVIEW, self.text(again, "v2-0002"))
        third = self.write(self.root, version=3)
        self.assertIn(REVIEW, self.text(third, "v3-0002"))
        self.assertEqual({path.name for path in third.folder.iterdir()
                          if path.is_dir()},
                         {"state", "v1", "v2"})

    def test_version_that_follows_none_is_refused(self) -> None:
        with self.assertRaisesRegex(RerollError, "no version 3 is kept"):
            self.write(self.root, version=4)

    def test_signature_of_the_sender_is_not_carried_as_a_trailer(self
                                                                 ) -> None:
        self.give(self.first, "0002", "Signed-off-by: Ada <ada@x.example>")
        mails = reroll.read(self.first.folder, 2).patches
        self.assertEqual([mail.trailers for mail in mails], [()] * 5)

    def test_base_that_is_gone_leaves_the_range_diff_out(self) -> None:
        kept = self.first.folder / reroll.STATE / "v1"
        text = kept.read_text()
        base = text.partition("base-commit: ")[2].partition("\n")[0]
        kept.write_text(text.replace(base, "0" * len(base)))
        second = self.write(self.root, version=2)
        self.assertIn("No range-diff: v1 starts at a commit that is not "
                      "here", self.text(second, "v2-0000"))


if __name__ == "__main__":
    unittest.main()
