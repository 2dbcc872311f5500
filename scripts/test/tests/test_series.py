# SPDX-License-Identifier: GPL-2.0-only
"""Hold series.py to what its patches are, say and leave behind."""

from __future__ import annotations

import email
import email.policy
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path
from typing import Sequence
from unittest import mock

from host import gitsafe, output
from write import series
import sgpage
import smalltree
from read import tree as trees
from prove import builds
from host.output import OutputError
from host.repo import RepoError
from judge.ledger import Ledger
from judge.plan import Plan
from write.maintainers import MaintainersError
from write.reroll import RerollError
from write.series import Series, SeriesError
from seriestree import (PAGES, SeriesCase, am, commit, make, picture, section,
                        walk)
from read.tree import TreeError

TWO = {"drivers/misc/opal.c": walk("opal"),
       "drivers/video/jade.c": walk("jade")}
OWNERS = section("opal", "drivers/misc/opal.c") \
    + section("jade", "drivers/video/")


def as_in_v5_1(root: Path) -> dict[str, bytes]:
    """Return the core's files of the tree, with the iterator of v5.1."""
    strict = sgpage.install(root, sgpage.STRICT)
    strict[sgpage.HEADER] = strict[sgpage.HEADER].replace(
        b"((dma_addr_t)dma_iter", b"(dma_iter")
    strict[sgpage.LIBRARY] = re.sub(
        rb"(?s)/\*\n \* Return how many pages.*?\n(?=bool __sg_page_iter_dma)",
        b"static int sg_dma_page_count(struct scatterlist *sg)\n{\n"
        b"\treturn PAGE_ALIGN(sg->offset + sg_dma_len(sg)) >> PAGE_SHIFT;"
        b"\n}\n\n", strict[sgpage.LIBRARY])
    return strict


_MADE: list[tuple[Path, Series]] = []


def two(case: SeriesCase) -> tuple[Path, Series]:
    """Return a tree of two drivers and its series, for tests that read."""
    if not _MADE:
        folder = Path(tempfile.mkdtemp(prefix="sgwalk-two.",
                                       dir=case.scratch.parent))
        unittest.addModuleCleanup(shutil.rmtree, folder)
        root = make(folder / "tree", TWO, OWNERS)
        _MADE.append((root, series.write(
            trees.open_tree(str(root)), case.plan(root),
            replace(case.settings(), out=folder / "out"))))
    return _MADE[0]


class OrderTest(SeriesCase):
    """Which patches there are, and in which order."""

    def make_two(self) -> Path:
        return make(self.scratch / "tree", TWO, OWNERS)

    def subjects(self, made: Series) -> list[str]:
        found = []
        for name in made.mails:
            head = (made.folder / name).read_text().partition("\n\n")[0]
            subject = re.search(r"^Subject: (.*(?:\n .*)*)", head,
                                re.MULTILINE)
            assert subject is not None
            found.append(subject[1].replace("\n", ""))
        return found

    def test_core_users_removal_in_this_order(self) -> None:
        _, made = two(self)
        self.assertEqual(self.subjects(made)[1:], [
            "[PATCH 1/4] lib/scatterlist: add a page iterator for DMA "
            "addresses",
            "[PATCH 2/4] misc/opal: use the DMA page iterator for DMA "
            "addresses",
            "[PATCH 3/4] video/jade: use the DMA page iterator for DMA "
            "addresses",
            "[PATCH 4/4] lib/scatterlist: accept only the DMA iterator for "
            "DMA addresses"])
        first = self.text(made, "0001")
        self.assertIn("union sg_any_page_iter", first)
        self.assertNotIn("(dma_addr_t)dma_iter", first)
        last = self.text(made, "0004")
        self.assertIn("-union sg_any_page_iter", last)
        self.assertIn("((dma_addr_t)dma_iter->base.sg_pgoffset", last)
        self.assertNotIn("no code changes", last.lower())

    def test_patches_applied_by_hand_are_the_plan(self) -> None:
        root, made = two(self)
        am(root, [made.folder / name for name in made.mails[1:]])
        for name, content in self.plan(root).after.items():
            self.assertEqual((root.parent / "am" / name).read_bytes(),
                             content)

    def test_no_last_patch_while_a_site_is_left_to_a_person(self) -> None:
        mixed = walk("onyx").replace(b"(&it);", b"(&it) + "
                                     b"(u64)sg_page_iter_page(&it);")
        root = make(self.scratch / "tree",
                    {**TWO, "drivers/misc/onyx.c": mixed}, OWNERS)
        made = self.write(root)
        self.assertEqual(len(made.mails), 4)
        cover = " ".join(self.text(made, "0000").split())
        self.assertIn("The accessor still accepts both types afterwards, "
                      "because 4 places below need a person.", cover)
        self.assertIn("drivers/misc/onyx.c line 6, 8, 9 (manual): ", cover)

    def test_single_is_one_patch_with_the_strict_api(self) -> None:
        root = self.make_two()
        made = self.write(root, shape="single")
        self.assertEqual(len(made.mails), 1)
        only = self.text(made, "0001")
        self.assertNotIn("sg_any_page_iter", only)
        self.assertIn("\nSubject: [PATCH] lib/scatterlist: add a DMA page "
                      "iterator and convert its users\n", only)
        history, _, notes = only.partition("\n---\n")
        self.assertIn("\n\nConvert all callers in the same step.\n\n",
                      history)
        for word in ("transitional", "come after", "Testing:", "sgwalk"):
            self.assertNotIn(word, history)
        self.assertIn("Testing:", notes)
        self.assertNotIn("In-Reply-To", only)
        am(root, [made.folder / made.mails[0]])

    def test_core_alone_is_strict_at_once(self) -> None:
        root = make(self.scratch / "tree", {"drivers/misc/opal.c": PAGES})
        plan = self.plan(root)
        both = sgpage.install(root, sgpage.STRICT)
        made = self.write(root, replace(
            plan, core=both, after=both, form=sgpage.STRICT,
            before={name: (root / name).read_bytes() for name in both}))
        self.assertEqual(len(made.mails), 1)
        self.assertNotIn("sg_any_page_iter", self.text(made, "0001"))

    def test_tree_with_the_api_gets_only_the_callers(self) -> None:
        root = self.make_two()
        for name, content in sgpage.install(root, sgpage.STRICT).items():
            (root / name).write_bytes(content)
        commit(root, "lib/scatterlist: provide a DMA page iterator")
        made = self.write(root)
        self.assertEqual(len(made.mails), 3)
        self.assertNotIn("lib/scatterlist.c", "".join(
            self.text(made, f"000{number}") for number in (1, 2)))

    def test_tree_in_transition_gets_callers_and_the_end(self) -> None:
        root = self.make_two()
        for name, content in sgpage.install(root,
                                          sgpage.TRANSITIONAL).items():
            (root / name).write_bytes(content)
        commit(root, "lib/scatterlist: provide a DMA page iterator")
        made = self.write(root)
        self.assertEqual(
            [re.sub(r".*\] ([^:]*):.*", r"\1", one)
             for one in self.subjects(made)[1:]],
            ["misc/opal", "video/jade", "lib/scatterlist"])

    def test_corrections_of_the_iterator_are_patches_with_their_trailers(
            self) -> None:
        """The shift comes first: the count makes its fault reachable."""
        root = self.make_two()
        for name, content in as_in_v5_1(root).items():
            (root / name).write_bytes(content)
        commit(root, "lib/scatterlist: provide a DMA page iterator")
        fix = sgpage.fix(root)
        plan = self.plan(root)
        made = self.write(root, replace(
            plan, core=fix, after={**plan.after, **fix},
            before={**plan.before,
                    **{name: (root / name).read_bytes() for name in fix}}))
        self.assertEqual(
            [re.sub(r".*\] ([^:]*):.*", r"\1", one)
             for one in self.subjects(made)[1:]],
            ["lib/scatterlist", "lib/scatterlist", "misc/opal", "video/jade"])
        self.assertIn("(dma_addr_t)", self.text(made, "0001"))
        self.assertNotIn("Fixes:", self.text(made, "0001"))
        self.assertRegex(self.text(made, "0002"),
                         r"\n\nFixes: d901b2760dc6 .*\nCc: stable@.*\n")
        cover = " ".join(self.text(made, "0000").split())
        self.assertIn("Patches 1 and 2 correct the iterator", cover)
        self.assertNotIn("adds an iterator", cover)

    def test_corrections_alone_have_a_cover_of_their_own(self) -> None:
        root = make(self.scratch / "tree", {"drivers/misc/opal.c": PAGES})
        for name, content in as_in_v5_1(root).items():
            (root / name).write_bytes(content)
        commit(root, "lib/scatterlist: provide a DMA page iterator")
        fix = sgpage.fix(root)
        self.assertEqual(len(fix), 2)
        made = self.write(root, replace(
            self.plan(root), core=fix, after=fix, form=sgpage.STRICT,
            state=sgpage.STRICT,
            before={name: (root / name).read_bytes() for name in fix}))
        cover = self.text(made, "0000")
        last = self.text(made, "0002")
        title = re.search(r"^Subject: \[PATCH 2/2\] (.*)$", last, re.M)
        assert title is not None
        self.assertIn(f"\nSubject: [PATCH 0/2] {title[1]}\n", cover)
        text = cover.partition("\n\n")[2]
        said = last.partition("\n\n")[2]
        self.assertEqual(text.partition("\n\n")[0].split(),
                         said.partition("\n\n")[0].split())
        self.assertNotIn("for_each_sg_page()", cover)
        self.assertNotIn("kept manual", cover)

    def test_tree_that_needs_nothing_is_told_so(self) -> None:
        root = make(self.scratch / "tree", {"drivers/misc/opal.c": PAGES})
        plan = replace(self.plan(root), after={}, core={}, before={})
        made = self.write(root, plan)
        self.assertEqual(series.text(made), "note: nothing to send: the tree "
                         "needs no change\n")
        self.assertFalse(made.folder.exists())

    def test_file_of_two_sections_stays_in_one_patch_with_its_header(self
                                                                     ) -> None:
        root = self.make_two()
        plan = replace(self.plan(root), groups=(tuple(TWO),))
        made = self.write(root, plan)
        self.assertEqual(len(made.mails), 4)
        both = self.text(made, "0002")
        for name in TWO:
            self.assertIn(f"+++ b/{name}", both)


class MailTest(SeriesCase):
    """What a mail says and to whom."""

    def test_maintainers_get_their_patch_the_core_and_the_cover(self
                                                                ) -> None:
        _, made = two(self)
        opal, jade = "Opal Smith <opal@x.example>", \
            "Jade Smith <jade@x.example>"
        self.assertIn(f"\nTo: {opal}\nCc: kernel@lists.example,\n "
                      "opal@lists.example\nMessage-ID: ",
                      self.text(made, "0002"))
        self.assertNotIn(jade, self.text(made, "0002"))
        for number in ("0000", "0001", "0004"):
            head = self.text(made, number).partition("\n\n")[0]
            for who in (opal, jade, "jade@lists.example"):
                self.assertIn(who, head)

    def test_nothing_is_signed_unless_asked(self) -> None:
        root, made = two(self)
        self.assertNotIn("Signed-off-by", "".join(
            self.text(made, name) for name in made.mails))
        made = self.write(root, signoff=True)
        for name in made.mails[1:]:
            self.assertIn("Signed-off-by: Ada Sender <ada@sender.example>\n"
                          "---\n", self.text(made, name))

    def test_message_says_what_was_converted_and_how(self) -> None:
        _, made = two(self)
        self.assertIn("\nnot proven: building was skipped: it was not asked "
                      "for\n", series.text(made))
        history, _, notes = self.text(made, "0002").partition("\n---\n")
        notes = " ".join(notes.partition("\ndiff --git")[0].split())
        for part in ("Please confirm that sgt->nents in opal_fill() is what "
                     "dma_map_sg() returned.",
                     "Please confirm that what is filled has room",
                     "Not built, not run on hardware.",
                     "Made with Coccinelle 1.1.1 and "
                     "cocci/sg-dma-page/migrate/local-walk.cocci of sgwalk,"):
            self.assertIn(part, notes)
            self.assertNotIn(part, " ".join(history.split()))
        for word in ("sgwalk", "make", "hardware", "confirm"):
            self.assertNotIn(word, history)

    def test_subject_is_at_most_75_columns(self) -> None:
        name = "drivers/misc/a-driver-with-an-uncommonly-long-name.c"
        made = self.write(make(self.scratch / "tree", {name: walk("opal")},
                               section("opal", name)))
        subject = self.text(made, "0002").partition("Subject: ")[2]
        title = re.sub(r"\n ", " ", subject).partition("] ")[2]
        self.assertLessEqual(len(title.partition("\n")[0]), 75)

    def test_prefix_comes_from_the_log(self) -> None:
        root = make(self.scratch / "tree", TWO, OWNERS)
        for number in range(2):
            with (root / "drivers/misc/opal.c").open("a") as file:
                file.write(f"/* {number} */\n")
            commit(root, f"media: opal: Add comment {number}")
        made = self.write(root)
        self.assertIn("] media: opal: Use the DMA", self.text(made, "0002"))
        self.assertIn("OPAL DRIVER: subject prefix \"media: opal:\" from the "
                      "log", made.notes)

    def test_latin_1_line_crosses_the_mail_unchanged(self) -> None:
        code = walk("opal").replace(b"a mapped", b"caf\xe9's mapped")
        root = make(self.scratch / "tree", {"drivers/misc/opal.c": code})
        made = self.write(root)
        mail = (made.folder / made.mails[2]).read_bytes()
        self.assertIn(b"caf\xe9", mail)
        self.assertIn(b"charset=ISO-8859-1", mail)

    def test_crlf_file_asks_for_keep_cr_and_crosses_unchanged(self) -> None:
        code = walk("opal").replace(b"\n", b"\r\n")
        root = make(self.scratch / "tree", {"drivers/misc/opal.c": code})
        made = self.write(root)
        self.assertIn("git am --keep-cr", made.proof[0].text)

    def test_sender_has_one_name_in_cover_and_patches(self) -> None:
        root = make(self.scratch / "tree", {"drivers/misc/opal.c":
                                            walk("opal")})
        plan = self.plan(root)
        for name in ('A. "Bo" Sender', "Zo\u00eb Sender"):
            with self.subTest(name):
                self.set_environment(GIT_AUTHOR_NAME=name)
                made = self.write(root, plan)
                for number in (0, 1):
                    head = email.message_from_string(
                        self.text(made, f"000{number}"),
                        policy=email.policy.default)
                    self.assertEqual(
                        [(one.display_name, one.addr_spec)
                         for one in head["From"].addresses],
                        [(name, "ada@sender.example")])

    def test_name_beyond_ascii_is_encoded_in_headers(self) -> None:
        owners = section("opal", "drivers/misc/").replace(
            "Opal Smith", "J\u00f6rg Smith")
        made = self.write(make(
            self.scratch / "tree", {"drivers/misc/opal.c": walk("opal")},
            owners))
        head = self.text(made, "0002").partition("\n\n")[0]
        self.assertTrue(head.isascii())
        self.assertIn("To: =?utf-8?", head)

    def test_checkpatch_of_the_tree_is_asked_and_its_cache_stays_out(
            self) -> None:
        script = b"""use strict;
open(my $c, '>', '.checkpatch-camelcase.x'); close($c);
my $f = $ARGV[-1] eq '--no-signoff' ? $ARGV[-2] : $ARGV[-1];
open(my $in, '<', $f) or die "$f: $!"; local $/; my $t = <$in>;
print "$f:1: WARNING:OLD: was there\\n" if $t =~ /opal_fill/;
print "$f:1: ERROR:NEW: is new\\n" if $t =~ /for_each_sg_dma_page\\(sgt/;
exit 1 if $t =~ /opal_fill|for_each_sg_dma_page\\(sgt/;
"""
        root = make(self.scratch / "tree", {
            **TWO, "scripts/checkpatch.pl": script}, OWNERS)
        made = self.write(root)
        line, = [one for one in made.proof
                 if one.text.startswith("checkpatch --strict")]
        self.assertIn("patch 2: ERROR NEW", line.text)
        self.assertNotIn("patch 1: ERROR NEW", line.text)
        self.assertEqual(list(root.rglob(".checkpatch*")), [])

    def test_send_email_accepts_the_folder_as_it_is(self) -> None:
        root, made = two(self)
        tools = subprocess.run(["git", "--exec-path"], capture_output=True,
                               text=True, check=True).stdout.strip()
        if not os.path.exists(f"{tools}/git-send-email"):
            self.skipTest("git send-email is not installed")
        done = subprocess.run(
            ["git", "send-email", "--dry-run", str(made.folder)], cwd=root,
            capture_output=True, text=True, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.count("Result: OK"), 5)
        ids = re.findall(r"^Message-ID: (\S+)$", done.stdout, re.M | re.I)
        self.assertEqual(ids, [self.header(made, name, "Message-ID")
                               for name in made.mails])
        self.assertEqual(re.findall(r"^In-Reply-To: (\S+)$", done.stdout,
                                    re.M), ids[:1] * 4)

    def header(self, made: Series, name: str, key: str) -> str:
        return str(email.message_from_string(self.text(made, name))[key])

    def test_each_mail_has_an_id_and_answers_the_cover(self) -> None:
        _, made = two(self)
        ids = [self.header(made, name, "Message-ID") for name in made.mails]
        self.assertEqual(len(set(ids)), 5)
        for number, (name, one) in enumerate(zip(made.mails, ids)):
            self.assertRegex(one, rf"^<\d{{8}}-sg-dma-page-iter-v1-{number}-"
                             r"[0-9a-f]{12}@sender\.example>$")
            if number:
                for key in ("In-Reply-To", "References"):
                    self.assertEqual(self.header(made, name, key), ids[0])

    def test_subject_stands_on_one_line(self) -> None:
        _, made = two(self)
        for name in made.mails:
            self.assertNotRegex(self.text(made, name).partition("\n\n")[0],
                                r"Subject: [^\n]*\n ")

    def test_mails_are_dated_by_the_run_and_not_by_the_base(self) -> None:
        root = make(self.scratch / "tree", TWO, OWNERS)
        plan = self.plan(root)
        for epoch, date in (("1700000000", "Tue, 14 Nov 2023 22:13:20 +0000"),
                            ("", "")):
            self.set_environment(SOURCE_DATE_EPOCH=epoch)
            made = self.write(root, plan)
            dates = {self.header(made, name, "Date") for name in made.mails}
            self.assertEqual(len(dates), 1)
            self.assertEqual(dates == {date}, bool(epoch))
            self.assertNotIn("2019", dates.pop())
        self.set_environment(SOURCE_DATE_EPOCH="9" * 30)
        with self.assertRaisesRegex(SeriesError, "SOURCE_DATE_EPOCH=9"):
            self.write(root, plan)

    @unittest.skipUnless(shutil.which("b4"), "b4 is not installed")
    def test_b4_reads_the_folder(self) -> None:
        root, made = two(self)
        folder = self.scratch / "mbox"
        folder.mkdir()
        (folder / "all").write_bytes(b"".join(
            (made.folder / name).read_bytes() for name in made.mails))
        done = subprocess.run(
            ["b4", "--no-stdin", "--offline-mode", "am", "-m",
             str(folder / "all"), "-o", str(folder)], cwd=root, text=True,
            capture_output=True, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Total patches: 4", done.stderr)
        mbox, = folder.glob("*.mbx")
        plan = self.plan(root)
        am(root, [mbox])
        for name, content in plan.after.items():
            self.assertEqual((root.parent / "am" / name).read_bytes(),
                             content)

    def test_base_that_nobody_has_is_named_by_its_version(self) -> None:
        root = make(self.scratch / "tree", TWO, OWNERS)
        plan = self.plan(root)
        cover = self.text(self.write(root, plan), "0000")
        self.assertNotIn("base-commit", cover)
        self.assertIn("git am on v4.20\n", cover)
        base = smalltree.git(root, "rev-parse", "HEAD").strip()
        self.assertNotIn(base[:12], cover)
        # A release is known to others, the first commit never is.
        smalltree.git(root, "tag", "v4.20")
        self.assertNotIn("base-commit", self.text(self.write(root, plan),
                                                  "0000"))
        (root / "more").write_text("more\n")
        commit(root, "more")
        self.assertNotIn("base-commit", self.text(self.write(root), "0000"))
        smalltree.git(root, "tag", "v4.20.1")
        base = smalltree.git(root, "rev-parse", "HEAD").strip()
        cover = self.text(self.write(root), "0000")
        self.assertIn(f"\n\nbase-commit: {base}\nchange-id: ", cover)
        self.assertIn(f"git am on {base[:12]}\n", cover)

    def test_walk_that_one_commit_wrote_is_a_fix_of_it(self) -> None:
        root = make(self.scratch / "tree", {"drivers/misc/opal.c": PAGES},
                    OWNERS)
        driver = root / "drivers/misc/opal.c"
        driver.write_bytes(walk("opal"))
        commit(root, "misc: opal: fill a table")
        smalltree.git(root, "mv", "drivers/misc/opal.c",
                      "drivers/misc/opal2.c")
        commit(root, "misc: opal: rename the file")
        wrote = smalltree.git(root, "rev-parse", "HEAD~1").strip()
        mail = self.text(self.write(root), "0002")
        # The line with the walk is older than what made a mistake of it.
        self.assertNotIn("Fixes:", mail)
        self.assertIn("not known to happen", " ".join(mail.split()))
        driver = root / "drivers/misc/opal2.c"
        driver.write_bytes(b"int opal;\n")
        commit(root, "misc: opal: empty")
        driver.write_bytes(walk("opal"))
        commit(root, "misc: opal: fill it again")
        wrote = smalltree.git(root, "rev-parse", "HEAD").strip()
        mail = self.text(self.write(root), "0002")
        self.assertIn(f'\n\nFixes: {wrote[:12]} ("misc: opal: fill it '
                      'again")\n---\n', mail)
        self.assertNotIn("not known to happen", " ".join(mail.split()))
        driver.write_bytes(walk("opal").replace(b"sgt->nents, 0)",
                                                b"sgt->nents, 0x0)"))
        commit(root, "misc: opal: reword the walk")
        self.assertNotIn("Fixes:", self.text(self.write(root), "0002"))

    def test_core_goes_to_the_people_of_the_iterator(self) -> None:
        _, made = two(self)
        head = self.text(made, "0001").partition("\n\n")[0]
        self.assertIn("\nTo: Andrew Morton <akpm@linux-foundation.org>\n",
                      head)
        for who in ("jgg@nvidia.com", "hch@lst.de", "iommu@lists.linux.dev"):
            self.assertIn(who, head)
            self.assertNotIn(who, self.text(made, "0002"))
        self.assertIn("Andrew Morton usually takes lib/", " ".join(
            self.text(made, "0000").split()))


    def test_mistake_beside_the_walk_is_named_in_the_cover(self) -> None:
        code = walk("opal") + (
            b"\nvoid opal_unmap(struct device *dev, struct sg_table *t)\n{\n"
            b"\tt->nents = dma_map_sg(dev, t->sgl, t->orig_nents, 1);\n"
            b"\tif (!t->nents)\n\t\treturn;\n"
            b"\tdma_unmap_sg(dev, t->sgl, t->nents, 1);\n}\n")
        root = make(self.scratch / "tree", {"drivers/misc/opal.c": code},
                    OWNERS)
        cover = self.text(self.write(root, look=True), "0000")
        seen = cover.partition("Seen in these files, and not mended here:"
                               "\n\n")[2].partition("\n\n")[0]
        self.assertIn("- drivers/misc/opal.c: opal_unmap(): ", seen)
        self.assertEqual(seen.count("- drivers"), 1)


class LongTest(SeriesCase):

    def test_more_than_fifteen_patches_are_parts_that_apply_in_order(
            self) -> None:
        names = [*(f"drivers/misc/a{n}.c" for n in range(9)),
                 *(f"drivers/video/b{n}.c" for n in range(7))]
        root = make(self.scratch / "tree",
                    {name: walk(Path(name).stem) for name in names},
                    "".join(section(Path(name).stem, name)
                            for name in names))
        made = self.write(root)
        parts = sorted({name.partition("/")[0] for name in made.mails})
        self.assertEqual(parts, ["01-core", "02-drivers-misc",
                                 "03-drivers-video", "04-end"])
        self.assertEqual(len([name for name in made.mails
                              if "0000-cover" in name]), 4)
        self.assertIn("more than 15 patches, so 4 folders to send one after "
                      "the other: " + ", ".join(parts), made.notes)
        cover = self.text(made, "03-drivers-video/0000")
        self.assertEqual(cover.count("prerequisite-patch-id: "), 10)
        self.assertIn("[PATCH 0/7] drivers/video:", cover)
        am(root, [made.folder / name for name in made.mails
                  if "0000-cover" not in name])


class BranchTest(SeriesCase):

    def test_checkout_index_and_branches_are_as_before(self) -> None:
        root = make(self.scratch / "tree", TWO, OWNERS)
        before = picture(root)
        self.write(root, branch="walks")
        after = picture(root)
        new = {name for name in after if after[name] != before.get(name)}
        self.assertLessEqual(new, {"refs/heads/walks",
                                   "logs/refs/heads/walks", "config"})
        self.assertEqual(smalltree.git(root, "status", "--porcelain"), "")
        self.nothing_private_is_left()

    def test_branch_ends_in_the_plan_and_no_hook_is_run(self) -> None:
        root = make(self.scratch / "tree", TWO, OWNERS)
        for name in ("reference-transaction", "applypatch-msg",
                     "post-applypatch", "pre-commit", "post-commit",
                     "post-checkout"):
            hook = root / ".git/hooks" / name
            hook.parent.mkdir(exist_ok=True)
            hook.write_text(f"#!/bin/sh\ntouch {self.scratch}/hook-ran\n"
                            "exit 1\n")
            hook.chmod(0o755)
        plan = self.plan(root)
        self.write(root, plan, branch="walks")
        for name, content in plan.after.items():
            self.assertEqual(smalltree.git(root, "show", f"walks:{name}"),
                             content.decode())
        self.assertFalse((self.scratch / "hook-ran").exists())

    @unittest.skipUnless(shutil.which("b4"), "b4 is not installed")
    def test_b4_knows_the_branch_as_prepared(self) -> None:
        root = make(self.scratch / "tree", TWO, OWNERS)
        made = self.write(root, branch="walks")
        place = self.scratch / "walks"
        smalltree.git(root, "worktree", "add", "-q", str(place), "walks")
        done = subprocess.run(["b4", "prep", "--show-info"], cwd=place,
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("cover-subject: lib/scatterlist: add a DMA", done.stdout)
        self.assertIn("base-branch: main", done.stdout)
        change = re.search(r"change-id: (\S+)", self.text(made, "0000"))
        assert change is not None
        self.assertIn(f"change-id: {change[1]}\n", done.stdout)
        self.assertEqual(done.stdout.count("\ncommit-"), 4)

    @unittest.skipIf(shutil.which("b4") is None, "b4 is not installed")
    def test_without_b4_the_branch_has_the_patches_alone(self) -> None:
        root = make(self.scratch / "tree", TWO, OWNERS)
        with mock.patch("write.series._b4", return_value=False):
            made = self.write(root, branch="walks")
        self.assertEqual(
            smalltree.git(root, "rev-list", "--count", "main..walks"), "4\n")
        self.assertIn("b4 is not here", made.notes[-1])


class FailureTest(SeriesCase):
    """One sentence, and nothing left behind."""

    plan_of_two: Plan

    def setUp(self) -> None:
        super().setUp()
        self.root = make(self.scratch / "tree", TWO, OWNERS)
        self.made = self.plan(self.root)

    def refuse(self, error: type[Exception], why: str, root: Path,
               **more: object) -> None:
        before = picture(root) if (root / ".git").is_dir() else {}
        tree = replace(self.made.tree, root=root)
        with self.assertRaisesRegex(error, why) as caught:
            series.write(tree, replace(self.made, tree=tree),
                         self.settings(**more))
        self.assertNotIn("\n", str(caught.exception))
        if before:
            self.assertEqual(picture(root), before)
        self.assertFalse((self.out / "series").exists())
        self.nothing_private_is_left()

    def test_no_git_program(self) -> None:
        empty = self.scratch / "empty"
        empty.mkdir()
        with mock.patch.dict(os.environ, PATH=str(empty)):
            self.refuse(RepoError, "git: not found", self.root)

    def test_tree_without_git(self) -> None:
        bare = self.scratch / "bare"
        shutil.copytree(self.root, bare,
                        ignore=shutil.ignore_patterns(".git"))
        self.refuse(RepoError, "not a git repository", bare)

    def test_tree_below_another_repository(self) -> None:
        outer = self.scratch / "outer"
        shutil.copytree(self.root, outer / "linux",
                        ignore=shutil.ignore_patterns(".git"))
        smalltree.commit(outer)
        self.refuse(RepoError, "not the top", outer / "linux")

    def test_shallow_clone(self) -> None:
        commit_two = self.root / "drivers/misc/more.c"
        commit_two.write_text("int more;\n")
        commit(self.root, "misc: add more")
        clone = self.scratch / "clone"
        smalltree.git(self.scratch, "clone", "-q", "--depth=1",
                      f"file://{self.root}", str(clone))
        self.refuse(RepoError, "shallow clone", clone)

    def test_detached_head_is_no_start_for_a_branch(self) -> None:
        smalltree.git(self.root, "checkout", "-q", "--detach")
        self.refuse(RepoError, "BRANCH=x: HEAD is detached", self.root,
                    branch="x")
        self.assertTrue(self.write(self.root).mails)

    @unittest.skipIf(os.geteuid(), "only root can give a tree away")
    def test_tree_of_somebody_else(self) -> None:
        os.environ.pop("SUDO_UID", None)
        for path in (self.root, self.root / ".git"):
            os.chown(path, 65534, 65534)
        self.refuse(RepoError, "dubious ownership", self.root)
        gitsafe.trust(self.root)
        self.assertTrue(self.write(self.root, branch="x").mails)

    def test_repository_without_a_commit(self) -> None:
        bare = self.scratch / "bare"
        shutil.copytree(self.root, bare,
                        ignore=shutil.ignore_patterns(".git"))
        smalltree.git(bare, "init", "-q")
        self.refuse(RepoError, "names no commit", bare)

    def test_dirty_tree(self) -> None:
        (self.root / "Makefile").write_text("# mine\n")
        self.refuse(TreeError, "local changes in Makefile: commit or stash "
                    "them$", self.root)

    def test_no_user_name(self) -> None:
        self.set_environment(GIT_CONFIG_GLOBAL=os.devnull)
        self.refuse(RepoError, "no user.name", self.root)

    def test_failing_get_maintainer(self) -> None:
        (self.root / "scripts/get_maintainer.pl").write_text(
            'die "broken\\n";\n')
        commit(self.root, "scripts: break it")
        self.refuse(MaintainersError, "get_maintainer.pl: broken", self.root)

    def test_absent_get_maintainer(self) -> None:
        (self.root / "scripts/get_maintainer.pl").unlink()
        commit(self.root, "scripts: remove it")
        self.refuse(MaintainersError, "no scripts/get_maintainer.pl",
                    self.root)

    def test_patch_that_stops_applying_half_way(self) -> None:
        def spoil(*args: object) -> list[Path]:
            mails = made(*args)  # type: ignore[arg-type]
            mails[2].write_bytes(mails[2].read_bytes().replace(
                b" void jade_fill", b" void jade_gone"))
            return mails

        made = series._format
        with mock.patch("write.series._format", spoil):
            self.refuse(SeriesError, "^patch 3 of 4 does not apply: 0003-.*"
                        "error: patch failed", self.root, branch="walks")

    def test_mail_that_git_am_reads_otherwise(self) -> None:
        def spoil(*args: object) -> list[Path]:
            mails = made(*args)  # type: ignore[arg-type]
            mails[1].write_bytes(mails[1].read_bytes().replace(
                b"Found by", b"---\nFound by"))
            return mails

        made = series._format
        with mock.patch("write.series._format", spoil):
            self.refuse(SeriesError, "git am makes something else",
                        self.root)

    def test_interrupt_leaves_nothing_behind(self) -> None:
        before = picture(self.root)
        with mock.patch("write.series._checkpatch", side_effect=KeyboardInterrupt):
            with self.assertRaises(KeyboardInterrupt):
                self.write(self.root, self.made, branch="walks")
        self.assertEqual(picture(self.root), before)
        self.assertFalse((self.out / "series").exists())
        self.nothing_private_is_left()

    def test_folder_that_cannot_be_placed_takes_its_branch_back(self) -> None:
        before = picture(self.root)
        with mock.patch("write.series._put_in_place", side_effect=OSError("full")):
            with self.assertRaises(OSError):
                self.write(self.root, self.made, branch="walks")
        self.assertEqual(picture(self.root), before)
        self.nothing_private_is_left()

    def test_second_run_in_one_folder_waits_for_no_one(self) -> None:
        with series.hold(self.out):
            with self.assertRaisesRegex(SeriesError, "another run is at "
                                        "work"):
                with series.hold(self.out):
                    self.fail("both are at work")
        with series.hold(self.out):
            pass

    def test_next_run_clears_what_a_killed_one_left(self) -> None:
        output.patches(self.out, "series", claim=True)
        room = output.folder(self.out, "series.tmp")
        for name in ("series.new.a", "series.new.a.old", "series.git.b"):
            (room / name).mkdir()
            (room / name / "0001-a.patch").write_text(name)
        ours = [output.MARK, "series"]
        with series.hold(self.out):
            self.assertEqual(sorted(os.listdir(self.out)), ours)
        self.assertEqual((self.out / "series/0001-a.patch").read_text(),
                         "series.new.a.old")
        (output.folder(self.out, "series.tmp") / "series.new.c.old").mkdir()
        with series.hold(self.out):
            self.assertEqual(sorted(os.listdir(self.out)), ours)

    def test_folders_of_the_users_own_are_left_alone(self) -> None:
        for name in ("series.new.a", "series.git.b"):
            (self.out / name).mkdir(parents=True)
        for name in ("series", "series.tmp"):
            with self.subTest(name):
                (self.out / name).mkdir()
                (self.out / name / "0001-a.patch").write_text("mine")
                with self.assertRaisesRegex(OutputError, f"out/{name}: not "
                                            "made by sgwalk"):
                    with series.hold(self.out):
                        self.fail("the folder is not ours")
                self.assertEqual((self.out / name / "0001-a.patch")
                                 .read_text(), "mine")
                shutil.rmtree(self.out / name)
        with series.hold(self.out):
            self.assertEqual(sorted(os.listdir(self.out)), [
                "series.git.b", "series.new.a"])

    def test_damaged_repository_is_named_in_gits_own_words(self) -> None:
        (self.root / ".git/config").write_text("[core\n")
        self.refuse(RepoError, "fatal: bad config line 1", self.root)

    def test_branch_that_exists(self) -> None:
        smalltree.git(self.root, "branch", "walks")
        self.refuse(RepoError, "BRANCH=walks: the branch exists", self.root,
                    branch="walks")

    def test_branch_name_that_git_refuses(self) -> None:
        for name in ("a..b", "-x", "a b"):
            with self.subTest(name):
                self.refuse(RepoError, "not a name for a branch", self.root,
                            branch=name)

    def test_branch_below_one_that_exists(self) -> None:
        smalltree.git(self.root, "branch", "walks")
        self.refuse(RepoError, "branch walks/dma: ", self.root,
                    branch="walks/dma")

    def test_first_version_that_is_not_kept(self) -> None:
        self.refuse(RerollError, "no version 1 is kept",
                    self.root, version=2)

    def test_shape_that_is_unknown(self) -> None:
        self.refuse(SeriesError, "SHAPE=both: give one of: series, single",
                    self.root, shape="both")

    def test_checkout_that_is_not_what_git_keeps(self) -> None:
        name = "drivers/misc/opal.c"
        self.made = replace(self.made, before={
            **self.made.before, name: b"another\n"})
        self.refuse(SeriesError, f"^{name}: the checkout differs", self.root)

    def test_step_that_does_not_build(self) -> None:
        name = "drivers/misc/opal.c"
        shutil.copytree(smalltree.EMBEDDED, self.scratch / "full",
                        ignore=shutil.ignore_patterns(".git"))
        full = self.scratch / "full"
        smalltree.git(full, "init", "-q", "-b", "main")
        commit(full, "Start of the tree")
        name = "drivers/misc/basalt.c"
        old = (full / name).read_bytes()
        self.made = replace(self.made, tree=trees.open_tree(str(full)),
                            before={name: old}, core={}, form=None,
                            state=sgpage.STRICT,
                            after={name: old + b"\nint wrong = it;\n"})
        self.refuse(SeriesError, "^patch 1/1: drivers/misc/basalt.o does not "
                    "build: .*error", full, build=True)

    def test_environment_of_a_hook_does_not_lead_astray(self) -> None:
        other = make(self.scratch / "other", {"drivers/misc/x.c": PAGES})
        before = picture(other)
        self.set_environment(GIT_DIR=str(other / ".git"),
                             GIT_INDEX_FILE=str(other / ".git/index"),
                             GIT_WORK_TREE=str(other))
        made = series.write(self.made.tree, self.made, self.settings())
        self.assertEqual(len(made.mails), 5)
        self.assertEqual(picture(other), before)


class BuiltTest(unittest.TestCase):

    def test_functions_are_changed_new_or_gone(self) -> None:
        def one(functions: str, added: str = "", gone: str = ""
                ) -> builds.Object:
            return builds.Object("a.o", tuple(functions.split()),
                                 tuple(added.split()), tuple(gone.split()),
                                 (), False)

        for objects, said in (
                ([one("")], "no code changes"),
                ([one("a"), one("b.isra.0")],
                 "only the code of a() and b() changes"),
                ([one("a b c", "b", "c")], "only the code of a() changes, "
                 "b() is new and c() is gone"),
                ([one("b c", "b c")],
                 "b() and c() are new and no other code changes"),
                ([one("a a.part.0", "", "a.part.0")],
                 "only the code of a() changes"),
                ([one("a b c d e f g h i")],
                 "the code of 9 functions changes")):
            with self.subTest(said):
                self.assertEqual(series._code(objects), said)


class PrivateTest(SeriesCase):
    """What belongs to this machine is told on it, and is in no mail."""

    def test_no_mail_of_any_series_has_a_path_or_a_make_error(self) -> None:
        mixed = walk("onyx").replace(b"(&it);", b"(&it) + "
                                     b"(u64)sg_page_iter_page(&it);")
        root = make(self.scratch / "tree",
                    {**TWO, "drivers/misc/onyx.c": mixed}, OWNERS)
        plan = self.plan(root)
        # A file that could not be read, as tree.py says it.
        book = Ledger([entry.site for entry in plan.ledger.entries], [
            replace(entry, verdict="unread", reason="unreadable: "
                    f"{root}/{entry.site.file}: Input/output error: "
                    f"{self.temp}/x.c")
            if entry.site.file.endswith("onyx.c") else entry
            for entry in plan.ledger.entries])
        plan = replace(plan, ledger=book)
        why = (f"make defconfig: make[2]: *** [{self.out}/verify/src/scripts/"
               "kconfig/Makefile:82: defconfig] Error 1")
        kinds: dict[str, dict[str, object]] = {
            "series": {}, "second version": {"version": 2},
            "single": {"shape": "single"}, "branch": {"branch": "walks"}}
        for kind, more in kinds.items():
            with self.subTest(kind), mock.patch(
                    "prove.verify.run", side_effect=builds.VerifyError(why)):
                made = self.write(root, plan, build=True, **more)
                self.assertIn(why, series.text(made))
                mails = "".join((made.folder / name).read_text()
                                for name in made.mails)
                if more.get("branch"):
                    mails += smalltree.git(root, "log", "--format=%B",
                                           "main..walks")
                mails = " ".join(mails.split())
                self.assertIn("Input/output error", mails)
                for word in (str(self.scratch), str(smalltree.ROOT),
                             "make[", "Makefile:82", "Error 1"):
                    self.assertNotIn(word, mails)
                self.assertIn("not built", mails.lower())

    def test_object_that_never_built_is_named_without_its_error(self) -> None:
        report = builds.Report("x86_64", "gcc 12", (), (
            ("drivers/misc/opal.o", f"{self.out}/verify/src/x.h: No such "
             "file"),), ())
        line = series._built(report)[-1]
        self.assertIn("No such file", line.text)
        self.assertNotIn("No such file", line.told)
        self.assertIn("drivers/misc/opal.o", line.told)


class SafetyTest(SeriesCase):

    def test_file_name_never_reaches_a_shell(self) -> None:
        name = "drivers/misc/a $(touch owned);'b.c"
        root = make(self.scratch / "tree", {name: walk("odd")})
        here = os.getcwd()
        os.chdir(self.scratch)
        self.addCleanup(os.chdir, here)
        plan = self.plan(root)
        old = (root / name).read_bytes()
        if name not in plan.after:       # spatch is not handed such a name
            new = old.replace(b"sg_page_iter it", b"sg_dma_page_iter it")
            plan = replace(plan, before={name: old}, core={}, form=None,
                           after={name: new}, state=sgpage.STRICT)
        made = self.write(root, plan)
        am(root, [made.folder / one for one in made.mails[1:]])
        self.assertEqual([path for path in self.scratch.rglob("owned")], [])

    def test_users_configuration_changes_no_byte(self) -> None:
        root = make(self.scratch / "tree", TWO, OWNERS)
        plan = self.plan(root)
        plain = self.read_all(self.write(root, plan))
        with (self.scratch / "gitconfig").open("a") as file:
            file.write("[format]\n\tsignature = me\n\tsubjectPrefix = X\n"
                       "\tthread = true\n\tpretty = oneline\n"
                       "[diff]\n\tnoprefix = true\n"
                       "\talgorithm = patience\n\texternal = false\n"
                       "\tmnemonicPrefix = true\n\tcolor = always\n"
                       "[color]\n\tui = always\n[core]\n\tabbrev = 7\n"
                       "\tautocrlf = input\n\tfsmonitor = false\n"
                       "[commit]\n\tgpgSign = true\n[log]\n\tdate = iso\n")
        smalltree.git(root, "config", "diff.context", "1")
        self.assertEqual(self.read_all(self.write(root, plan)), plain)

    def read_all(self, made: Series) -> Sequence[bytes]:
        return [(made.folder / name).read_bytes() for name in made.mails]


if __name__ == "__main__":
    unittest.main()
