# SPDX-License-Identifier: GPL-2.0-only
"""What check is made of: suppressions, baseline, changed lines, cache."""

from __future__ import annotations

import datetime
import os
import tempfile
import threading
import unittest
from pathlib import Path

from read import changed
from check import baseline
import smalltree
from read import tree as trees
from check import suppress
from read.changed import ChangedError
from run.cache import Cache, key
from check.baseline import BaselineError
from check.findings import Finding

DAY = datetime.date(2026, 6, 15)
SHAPES = {"dma-walk-orig-nents": ("M3",)}


def found(line: int, file: str = "a.c", text: str = "t") -> Finding:
    return Finding(file, line, 1, "dma-walk-orig-nents", "m", "misuse",
                   "high", text)


class Suppress(unittest.TestCase):
    def left(self, source: bytes, *lines: int) -> list[tuple[int, str]]:
        left, _ = suppress.judge(map(found, lines),
                                 suppress.read("a.c", source), SHAPES, DAY)
        return [(one.line, one.rule) for one in left]

    def test_a_comment_of_its_own_covers_the_line_below(self) -> None:
        self.assertEqual([], self.left(
            b"/* sgwalk: allow M3: bounded by the caller */\nx;\n", 2))

    def test_a_comment_behind_code_covers_its_own_line_only(self) -> None:
        self.assertEqual([(2, "dma-walk-orig-nents")], self.left(
            b"x; // sgwalk: allow dma-walk-orig-nents: bounded\ny;\n", 1, 2))

    def test_another_rule_is_not_covered(self) -> None:
        self.assertEqual([(1, "suppression"), (2, "dma-walk-orig-nents")],
                         self.left(b"/* sgwalk: allow M4: why */\nx;\n", 2))

    def test_no_reason_is_a_finding_and_allows_nothing(self) -> None:
        for comment in (b"/* sgwalk: allow M3 */", b"/* sgwalk: allow M3: */",
                        b"/* sgwalk: allow M3: until 2027-01 */",
                        b"/* sgwalk: alow M3: why */"):
            self.assertEqual([(1, "suppression"), (2, "dma-walk-orig-nents")],
                             self.left(comment + b"\nx;\n", 2))

    def test_the_last_day_counts_and_the_day_after_does_not(self) -> None:
        def at(until: bytes) -> list[tuple[int, str]]:
            return self.left(b"/* sgwalk: allow M3: why until " + until
                             + b" */\nx;\n", 2)

        self.assertEqual([], at(b"2026-06-15"))
        self.assertEqual([], at(b"2026-06"))
        self.assertEqual([(1, "suppression"), (2, "dma-walk-orig-nents")],
                         at(b"2026-06-14"))
        self.assertEqual([(1, "suppression"), (2, "dma-walk-orig-nents")],
                         at(b"2026-13"))

    def test_a_comment_that_allows_nothing_is_a_finding(self) -> None:
        self.assertEqual([(1, "suppression")], self.left(
            b"/* sgwalk: allow M3: why */\nx;\n"))

    def test_a_string_is_no_comment(self) -> None:
        self.assertEqual([(1, "dma-walk-orig-nents")], self.left(
            b'f("/* sgwalk: allow M3: why */");\n', 1))

    def test_a_comment_over_several_lines_is_read(self) -> None:
        self.assertEqual([], self.left(
            b"/*\n * sgwalk: allow M3: the caller\n * bounds it\n */\nx;\n",
            5))


class Baseline(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.file = Path(scratch.name) / "baseline"

    def test_what_is_written_is_known_wherever_it_moves(self) -> None:
        odd = found(3, "a\tb\\n\udcff\n.c", "x = \\t")
        self.file.write_bytes(baseline.write([odd, found(1)]))
        known = baseline.read(self.file)
        moved = Finding(odd.file, 90, 9, odd.rule, "other words", "misuse",
                        "high", odd.text)
        self.assertEqual([], baseline.new([moved, found(7)], known))

    def test_one_more_of_the_same_is_new(self) -> None:
        self.file.write_bytes(baseline.write([found(1)]))
        self.assertEqual([found(9)], baseline.new(
            [found(1), found(9)], baseline.read(self.file)))

    def test_a_file_that_is_none_is_refused(self) -> None:
        for data in (b"", b"x\n", baseline.HEAD + b"1\tr\tf\n",
                     baseline.HEAD + b"one\tr\tf\tt\n"):
            self.file.write_bytes(data)
            with self.assertRaises(BaselineError):
                baseline.read(self.file)

    def test_no_file_says_how_to_make_it(self) -> None:
        with self.assertRaisesRegex(BaselineError, "make baseline"):
            baseline.read(self.file)


class Changed(unittest.TestCase):
    def test_added_lines_and_the_neighbours_of_removed_ones(self) -> None:
        diff = (b"--- a/x y.c\t2026\n+++ b/x y.c\t2026\n"
                b"@@ -3,3 +3,3 @@\n a\n-b\n+c\n d\n")
        lines = changed.read(diff)
        self.assertTrue(changed.touches(lines, "x y.c", 4, 4))
        self.assertFalse(changed.touches(lines, "x y.c", 7, 9))
        self.assertFalse(changed.touches(lines, "z.c", 4, 4))

    def test_a_removed_file_is_not_in_it(self) -> None:
        self.assertEqual({}, changed.read(
            b"--- a/x.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"))

    def test_a_quoted_name_is_unquoted(self) -> None:
        diff = (b'--- /dev/null\n+++ "b/a\\tb\\303\\274.c"\n'
                b"@@ -0,0 +1 @@\n+x\n")
        self.assertEqual(["a\tb\u00fc.c"], list(changed.read(diff)))

    def test_a_line_that_looks_like_a_header_stays_in_its_hunk(self) -> None:
        diff = (b"--- a/x.c\n+++ b/x.c\n@@ -1,2 +1,2 @@\n"
                b"--- a/y.c\n+++ b/y.c\n z\n")
        self.assertEqual(["x.c"], list(changed.read(diff)))

    def test_words_and_half_a_hunk_are_refused(self) -> None:
        for diff in (b"hello\n", b"--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@\n a\n"):
            with self.assertRaises(ChangedError):
                changed.read(diff)

    def test_git_says_what_changed_and_what_is_new(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = smalltree.make(Path(name), {"a.c": b"1\n2\n3\n",
                                                 "b.c": b"1\n"})
            smalltree.commit(folder)
            (folder / "a.c").write_bytes(b"1\n2\nX\n")
            (folder / "new.c").write_bytes(b"1\n")
            tree = trees.open_tree(name)
            lines = changed.Since(tree, "HEAD")
            self.assertEqual(["a.c", "new.c"],
                             lines.load(["a.c", "b.c", "new.c"]))
            self.assertTrue(changed.touches(lines, "a.c", 3, 3))
            self.assertFalse(changed.touches(lines, "a.c", 1, 1))
            for revision in ("no-such", "--output=x"):
                with self.assertRaises(ChangedError):
                    changed.Since(tree, revision)
            self.assertFalse((folder / "x").exists())


class Entries(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name) / "cache"

    def test_what_is_put_is_got_by_another_run(self) -> None:
        Cache(self.folder).put(key(b"a"), b"value")
        self.assertEqual(b"value", Cache(self.folder).get(key(b"a")))

    def test_the_borders_of_a_key_count(self) -> None:
        self.assertNotEqual(key(b"ab", b"c"), key(b"a", b"bc"))

    def test_a_damaged_or_short_entry_is_not_there(self) -> None:
        cache = Cache(self.folder)
        cache.put(key(b"a"), b"value")
        path, = self.folder.glob("??/*")
        for data in (b"", path.read_bytes()[:-1], b"x" * 40):
            path.write_bytes(data)
            self.assertIsNone(Cache(self.folder).get(key(b"a")))

    def test_the_oldest_go_first_when_it_is_full(self) -> None:
        cache = Cache(self.folder, cap=4000)
        names = [key(b"%d" % number) for number in range(10)]
        for age, name in enumerate(names):
            cache.put(name, b"x" * 500)
            path = self.folder / name[:2] / name[2:]
            os.utime(path, (age, age))
        cache.prune()
        left = [Cache(self.folder).get(name) is not None for name in names]
        self.assertEqual(sorted(left), left)
        self.assertLess(sum(left), 8)
        self.assertTrue(left[-1])

    def test_two_writers_leave_whole_entries(self) -> None:
        value = b"v" * 100000

        def write() -> None:
            for _ in range(20):
                Cache(self.folder).put(key(b"same"), value)

        threads = [threading.Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        seen = {Cache(self.folder).get(key(b"same")) for _ in range(200)}
        for thread in threads:
            thread.join()
        self.assertLessEqual(seen, {None, value})
        self.assertEqual(1, len(list(self.folder.glob("??/*"))))

    def test_a_folder_that_cannot_be_made_is_a_slower_run(self) -> None:
        self.folder.write_bytes(b"a file")
        cache = Cache(self.folder / "below")
        cache.put(key(b"a"), b"value")
        self.assertIsNone(cache.get(key(b"a")))


if __name__ == "__main__":
    unittest.main()
