# SPDX-License-Identifier: GPL-2.0-only
"""scan.holders(): what holds a word, and that a second look reads nothing."""

from __future__ import annotations

import os
import subprocess
import tempfile
import unittest
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

from run import scan
import smalltree
from read import tree as trees
from run.cache import Cache

WORDS = ("dma_map_sg", "orig_nents", "sgwalk:")
HELD = {"a.c": ("dma_map_sg",), "d/two\nlines.h": ("orig_nents", "sgwalk:")}
FILES = {"a.c": b"int n = dma_map_sg(d);\n",
         "d/two\nlines.h": b"/* sgwalk: allow N1: why */ t->orig_nents;\n",
         "part.c": b"dma_map_sg_attrs(my_orig_nents);\n",
         "other.S": b"dma_map_sg\n", "none.c": b"\n"}


class ScanTest(unittest.TestCase):

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.top = smalltree.make(Path(scratch.name) / "tree", FILES)
        (self.top / "link.c").symlink_to("a.c")
        self.tree = trees.open_tree(str(self.top))
        self.cache = Cache(Path(scratch.name) / "cache")
        # Files of this very second count as old here.
        racy = mock.patch.object(scan, "_RACY_S", -3600.0)
        racy.start()
        self.addCleanup(racy.stop)

    def outside(self, command: Sequence[str]) -> bytes:
        return subprocess.run(command, cwd=self.top, check=True,
                              stdout=subprocess.PIPE).stdout

    def look(self, words: Sequence[str] = WORDS, under: str = "") -> tuple[
            dict[str, tuple[str, ...]], list[str]]:
        """Return what holds the words, and which files were read for it."""
        asked: list[str] = []
        read = trees.read

        def note(tree: trees.Tree, file: str) -> bytes:
            asked.append(file)
            return read(tree, file)

        with mock.patch.object(trees, "read", note):
            found = scan.holders(self.tree, words, scan.state(self.outside),
                                 self.outside, self.cache, under)
        return {file: held for file, held in found.items()
                if not file.startswith(("include/", "lib/"))}, sorted(asked)

    def test_whole_words_count_and_links_do_not(self) -> None:
        for few in (0, 500):
            with mock.patch.object(scan, "_FEW", few):
                self.assertEqual(HELD, self.look(WORDS + (f"w{few}",))[0])

    def test_a_second_look_reads_nothing_and_says_the_same(self) -> None:
        self.look()
        self.assertEqual((HELD, []), self.look())

    def test_only_what_changed_is_read(self) -> None:
        self.look()
        (self.top / "a.c").unlink()
        (self.top / "none.c").write_bytes(b"orig_nents")
        (self.top / "d/new.inc").write_bytes(b"dma_map_sg")
        found, read = self.look()
        self.assertEqual({
            "d/new.inc": ("dma_map_sg",), "none.c": ("orig_nents",),
            "d/two\nlines.h": HELD["d/two\nlines.h"]}, found)
        self.assertEqual(["d/new.inc", "none.c"], read)
        self.assertEqual((found, []), self.look())

    def test_the_same_size_and_time_with_another_ctime_is_a_change(
            self) -> None:
        self.look()
        file = self.top / "none.c"
        facts = file.stat()
        file.write_bytes(b"orig_nents"[:facts.st_size])
        os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
        self.assertEqual(["none.c"], self.look()[1])

    def test_a_file_of_this_moment_is_read_again(self) -> None:
        with mock.patch.object(scan, "_RACY_S", 2.0):
            self.look()
            self.assertIn("a.c", self.look()[1])

    def test_other_words_and_a_folder_have_an_answer_of_their_own(
            self) -> None:
        self.look()
        self.assertEqual({"part.c": ("my_orig_nents",)},
                         self.look(("my_orig_nents",))[0])
        self.assertEqual({"d/two\nlines.h": HELD["d/two\nlines.h"]},
                         self.look(under="d")[0])
        self.assertEqual((HELD, []), self.look())


if __name__ == "__main__":
    unittest.main()
