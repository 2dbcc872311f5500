# SPDX-License-Identifier: GPL-2.0-only
"""Hold the series of fixtures/sg-dma-page/tree to fixtures/sg-dma-page/series, byte for byte.

The embedded tree gets its log (treegit.py), and the whole way is gone: plan,
build of each step, mails, git am. What a compiler or machine is called is
taken out on both sides. After a change that is meant, read the diff of

    SGWALK_BLESS=1 python3 -m unittest test_series_golden

run in scripts/test/tests with PYTHONPATH=..:. and commit it.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from judge import plan as planning
from write import series
import smalltree
from read import tree as trees
import treegit

GOLDEN = Path(__file__).resolve().parents[3] / "fixtures/sg-dma-page/series"
RULES = smalltree.MIGRATE


def neutral(mail: bytes) -> bytes:
    """Take out what differs from one good machine to the next."""
    said = mail.decode("utf-8", "surrogateescape")
    said = re.sub(r"\bgcc\s+\d+(\.\d+)*", "gcc VERSION", said)
    said = re.sub(rf"\b{re.escape(platform.machine())}\b", "MACHINE", said)
    # The ids are of the bytes of the mails, the compiler's version among them.
    said = re.sub(r"(-v1-\d+-)[0-9a-f]{12}@", r"\1DIGEST@", said)
    # A version of another length moves the breaks of a paragraph.
    return re.sub(
        r"(?m)^((?:- |  )?\S.*\b(?:MACHINE|VERSION)\b.*)(?:\n(?!-|\n).+)*",
        lambda found: " ".join(found[0].split()), said).encode(
            "utf-8", "surrogateescape")


class GoldenTest(unittest.TestCase):

    folder: Path
    mails: dict[int, dict[str, bytes]]

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(tempfile.mkdtemp(prefix="sgwalk-golden-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        root = cls.folder / "tree"
        shutil.copytree(smalltree.EMBEDDED, root)
        treegit.make_history(root)
        user = cls.folder / "gitconfig"
        user.write_text("[user]\n\tname = Ada Sender\n"
                        "\temail = ada@sender.example\n")
        cls.mails = {}
        with mock.patch.dict(os.environ, GIT_CONFIG_GLOBAL=str(user),
                             GIT_CONFIG_NOSYSTEM="1",
                             SOURCE_DATE_EPOCH="1546596000"):
            for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "EMAIL"):
                os.environ.pop(name, None)
            for jobs in (1, 8):
                cls.mails[jobs] = cls.write(root, jobs)
        if os.environ.get("SGWALK_BLESS") == "1":
            for path in GOLDEN.glob("*.patch"):
                path.unlink()
            for name, mail in cls.mails[8].items():
                (GOLDEN / name).write_bytes(mail)

    @classmethod
    def write(cls, root: Path, jobs: int) -> dict[str, bytes]:
        tree = trees.open_tree(str(root))
        plan = planning.make_plan(tree, smalltree.settings(
            jobs, RULES, cache=None if jobs == 8 else smalltree.CACHE))
        made = series.write(tree, plan, series.Settings(
            cls.folder / "out", jobs, spatch="1.1.1"))
        return {name: neutral((made.folder / name).read_bytes())
                for name in made.mails}

    def text(self, start: str) -> str:
        name, = [name for name in self.mails[8] if start in name]
        return self.mails[8][name].decode("utf-8", "surrogateescape")

    def test_series_is_the_golden_one(self) -> None:
        golden = {path.name: path.read_bytes()
                  for path in sorted(GOLDEN.glob("*.patch"))}
        self.assertEqual(sorted(golden), sorted(self.mails[8]))
        self.maxDiff = None
        for name in golden:
            with self.subTest(name):
                self.assertEqual(
                    self.mails[8][name].decode("utf-8", "replace"),
                    golden[name].decode("utf-8", "replace"))

    def test_jobs_change_no_byte(self) -> None:
        self.assertEqual(self.mails[1], self.mails[8])

    def test_series_is_wide_enough_to_show_something(self) -> None:
        patches = [name for name in self.mails[8] if "0000" not in name]
        self.assertGreaterEqual(len(patches), 12)
        touched = {tuple(name.split("/")[:2]) for mail in
                   self.mails[8].values() for name in
                   re.findall(r"^\+\+\+ b/(\S+)", mail.decode("latin-1"),
                              re.MULTILINE)}
        self.assertGreaterEqual(len(touched), 6)

    def test_file_in_no_entry_goes_to_the_list_alone(self) -> None:
        self.assertIn("\nTo: kernel@lists.example.org\nMessage-ID: ",
                      self.text("misc-basalt"))

    def test_excluded_file_is_not_sent_to_the_media_maintainer(self
                                                               ) -> None:
        opal = self.text("media-platform-opal")
        self.assertIn("\nTo: Hana Ito <hana@opal.example>\n", opal)
        self.assertNotIn("clara@media.example", opal)

    def test_log_in_latin_1_teaches_its_prefix(self) -> None:
        done = subprocess.run(
            ["git", "-C", str(self.folder / "tree"), "log", "--format=%an",
             "--", "drivers/media/pci/quartz/quartz_buf.c"],
            capture_output=True, check=True)
        self.assertIn("Ren\u00e9".encode("latin-1"), done.stdout)
        self.assertIn("Subject: [PATCH", self.text("media-quartz"))
        self.assertIn("] media: quartz: ", self.text("media-quartz"))

    def test_every_step_was_built(self) -> None:
        cover = " ".join(self.text("0000-cover").split())
        self.assertIn("each step builds for MACHINE with gcc VERSION", cover)
        self.assertIn("was compiled", cover)

    def test_no_mail_has_a_word_of_this_machine_or_of_its_make(self) -> None:
        for name, mail in self.mails[8].items():
            for word in (str(self.folder), tempfile.gettempdir(),
                         str(smalltree.ROOT), os.path.expanduser("~") + "/",
                         "make[", "make apply"):
                with self.subTest(name, word=word):
                    self.assertNotIn(word.encode(), mail)


if __name__ == "__main__":
    unittest.main()
