# SPDX-License-Identifier: GPL-2.0-only
"""output: what lies below OUT and is not ours is neither changed nor gone.

Each case puts something of somebody else's where a run would write, and looks
at it afterwards. A picture is every name below the scratch folder, with what
it holds or points to.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Callable
from pathlib import Path

from host import output
from host.output import MARK, OutputError

TEXT = b"the thesis\n"


def picture(top: Path) -> dict[str, bytes]:
    found = {}
    for path in sorted(top.rglob("*")):
        if path.is_symlink():
            found[str(path)] = b"-> " + os.fsencode(os.readlink(path))
        else:
            found[str(path)] = path.read_bytes() if path.is_file() else b"/"
    return found


class OutputCase(unittest.TestCase):

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = Path(scratch.name).resolve()
        self.out = self.scratch / "out"
        self.source = self.scratch / "source"
        (self.source / "deep").mkdir(parents=True)
        (self.source / "a.c").write_bytes(b"a\n")
        (self.source / "deep/b.c").write_bytes(b"b\n")
        (self.source / "link").symlink_to("a.c")
        self.works: dict[str, Callable[[], object]] = {
            "ledger.tsv": lambda: output.keep(self.out, "ledger.tsv", b"x"),
            "ledger.tsv.new": lambda: output.keep(self.out, "ledger.tsv",
                                                  b"x"),
            "ledger.tsv.old": lambda: output.set_aside(self.out,
                                                       "ledger.tsv"),
            "cache": lambda: output.folder(self.out, "cache"),
            "series": lambda: output.patches(self.out, "series"),
            "tree": lambda: output.copy(self.out, "tree", self.source)}

    def refused(self, work: Callable[[], object], what: str) -> None:
        before = picture(self.scratch)
        with self.assertRaises(OutputError) as caught:
            work()
        self.assertEqual(picture(self.scratch), before)
        text = str(caught.exception)
        self.assertIn(what, text)
        self.assertNotIn("\n", text)

    def put(self, name: str, kind: str) -> None:
        path = self.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "file":
            path.write_bytes(TEXT)
        elif kind == "folder":
            path.mkdir()
            (path / "thesis").write_bytes(TEXT)
        elif kind == "fifo":
            os.mkfifo(path)
        else:
            target = self.scratch / f"{kind} of {name}"
            if kind == "link to file":
                target.write_bytes(TEXT)
            elif kind == "link to folder":
                target.mkdir()
                (target / "thesis").write_bytes(TEXT)
            path.symlink_to(target)

    KINDS = ("file", "folder", "fifo", "link to file", "link to folder",
             "link to nothing")


class ForeignTest(OutputCase):

    def test_nothing_of_somebody_elses_is_touched_in_a_folder_of_theirs(
            self) -> None:
        for name, work in self.works.items():
            for kind in self.KINDS:
                with self.subTest(name=name, kind=kind):
                    self.put(name, kind)
                    self.refused(work, f"out/{name}")
                    self.tearDownOut()

    def test_nor_in_a_folder_that_is_ours(self) -> None:
        for name, work in self.works.items():
            for kind in self.KINDS:
                with self.subTest(name=name, kind=kind):
                    output.keep(self.out, "edits.patch", b"ours")
                    self.put(name, kind)
                    self.refused(work, f"out/{name}")
                    self.tearDownOut()

    def test_nor_what_took_the_place_of_ours(self) -> None:
        for name, work in self.works.items():
            if name == "ledger.tsv.new":
                continue         # may be half of what a killed run wrote
            for kind in self.KINDS:
                with self.subTest(name=name, kind=kind):
                    output.keep(self.out, "ledger.tsv", b"ours")
                    work()
                    output.patches(self.out, "series", claim=True)
                    if name == "tree":
                        output.seal(self.out, name)
                    path = self.out / name
                    if path.is_dir():
                        shutil.rmtree(path)
                    elif path.exists():
                        path.unlink()
                    self.put(name, kind)
                    self.refused(work, f"out/{name}")
                    self.tearDownOut()

    def test_link_for_what_a_killed_run_left_is_not_followed(self) -> None:
        output.keep(self.out, "ledger.tsv", b"one")
        for kind in self.KINDS[1:]:
            with self.subTest(kind):
                self.put("ledger.tsv.new", kind)
                self.refused(self.works["ledger.tsv.new"], "ledger.tsv.new")
                path = self.out / "ledger.tsv.new"
                shutil.rmtree(path) if kind == "folder" else path.unlink()

    def test_mark_that_is_none_is_refused(self) -> None:
        for kind in self.KINDS[1:]:
            for name, work in self.works.items():
                with self.subTest(kind=kind, name=name):
                    self.put(MARK, kind)
                    self.refused(work, MARK)
                    self.tearDownOut()

    def test_out_that_is_no_folder_is_refused(self) -> None:
        for kind in ("file", "fifo", "link to file"):
            for name, work in self.works.items():
                with self.subTest(kind=kind, name=name):
                    self.out = self.scratch / "away/out"
                    self.out.parent.mkdir(exist_ok=True)
                    if kind == "link to file":
                        self.out.symlink_to(self.source / "a.c")
                    else:
                        self.put("", kind)
                    self.refused(work, "out: not a folder")
                    self.out.unlink()

    def tearDownOut(self) -> None:
        shutil.rmtree(self.out)
        for path in self.scratch.iterdir():
            if path.name.startswith("link"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def test_file_that_was_edited_since_is_left_alone(self) -> None:
        output.keep(self.out, "ledger.tsv", b"ours")
        (self.out / "ledger.tsv").write_bytes(b"ours, with notes")
        self.refused(self.works["ledger.tsv"], "changed since sgwalk wrote it")
        self.refused(lambda: output.drop(self.out, "ledger.tsv"), "changed")
        self.refused(lambda: output.set_aside(self.out, "ledger.tsv"),
                     "changed")

    def test_tree_with_a_file_that_was_edited_or_added_is_left_alone(
            self) -> None:
        for rel, made in (("a.c", False), ("deep/mine.c", True)):
            with self.subTest(rel):
                self.works["tree"]()
                output.seal(self.out, "tree")
                (self.out / "tree" / rel).write_bytes(TEXT)
                self.refused(self.works["tree"], f"tree/{rel}")
                shutil.rmtree(self.out)
        self.works["tree"]()
        output.seal(self.out, "tree")
        (self.out / "tree/link").unlink()
        (self.out / "tree/link").symlink_to("deep/b.c")
        self.refused(self.works["tree"], "tree/link")

    def test_series_with_a_file_of_the_users_is_left_alone(self) -> None:
        folder = output.patches(self.out, "series", claim=True)
        for name in ("notes.txt", "my.patch", "0001.patch", ".hidden"):
            with self.subTest(name):
                folder.mkdir()
                (folder / "0000-cover-letter.patch").write_bytes(b"")
                (folder / "v2-0001-a.patch").write_bytes(b"")
                (folder / "v1").mkdir()
                output.patches(self.out, "series")
                (folder / name).write_bytes(TEXT)
                self.refused(self.works["series"], f"series/{name}")
                shutil.rmtree(folder)


class OursTest(OutputCase):

    def test_file_is_written_again_and_again(self) -> None:
        for text in (b"one", b"two", b"", b"one", b"\xff\n"):
            output.keep(self.out, "ledger.tsv", text)
            self.assertEqual((self.out / "ledger.tsv").read_bytes(), text)
        self.assertEqual(sorted(os.listdir(self.out)), [MARK, "ledger.tsv"])

    def test_file_is_put_beside_what_is_there(self) -> None:
        self.put("thesis", "file")
        output.keep(self.out, "ledger.tsv", b"one")
        output.keep(self.out, "ledger.tsv", b"two")
        self.assertEqual((self.out / "thesis").read_bytes(), TEXT)

    def test_same_bytes_add_nothing_to_the_mark(self) -> None:
        for _ in range(3):
            output.keep(self.out, "ledger.tsv", b"one")
            output.keep(self.out, "edits.patch", b"two")
            output.folder(self.out, "cache")
        self.assertEqual(len((self.out / MARK).read_text().splitlines()), 5)

    def test_half_written_file_of_a_killed_run_is_replaced(self) -> None:
        output.keep(self.out, "ledger.tsv", b"one")
        (self.out / "ledger.tsv.new").write_bytes(b"ha")
        output.keep(self.out, "ledger.tsv", b"two")
        self.assertEqual(sorted(os.listdir(self.out)), [MARK, "ledger.tsv"])

    def test_line_that_a_full_disk_cut_short_spoils_no_other(self) -> None:
        output.keep(self.out, "ledger.tsv", b"one")
        with open(self.out / MARK, "ab") as stream:
            stream.write(b"wrote 12")
        output.keep(self.out, "ledger.tsv", b"two")
        output.keep(self.out, "ledger.tsv", b"three")

    def test_folder_is_given_again_with_what_it_holds(self) -> None:
        for _ in range(2):
            (output.folder(self.out, "cache") / "x").write_bytes(b"x")
        self.assertEqual(sorted(os.listdir(self.out / "cache")), [MARK, "x"])

    def test_folder_that_was_killed_before_its_mark_is_ours(self) -> None:
        output.start(self.out)
        (self.out / "cache").mkdir()
        output.folder(self.out, "cache")

    def test_out_that_was_moved_is_still_ours(self) -> None:
        self.works["tree"]()
        output.seal(self.out, "tree")
        output.keep(self.out, "ledger.tsv", b"one")
        output.folder(self.out, "cache")
        moved = self.scratch / "restored"
        shutil.copytree(self.out, moved, symlinks=True)
        self.out = moved
        output.keep(self.out, "ledger.tsv", b"two")
        output.folder(self.out, "cache")
        output.copy(self.out, "tree", self.source)

    def test_copy_is_made_anew(self) -> None:
        for _ in range(3):
            tree = output.copy(self.out, "tree", self.source)
            self.assertEqual(os.readlink(tree / "link"), "a.c")
            (tree / "a.c").write_bytes(b"changed by the run\n")
            (tree / "a.o").write_bytes(b"built by it\n")
            output.seal(self.out, "tree")
        (tree / "a.o").unlink()      # what is gone is nobody's loss
        tree = output.copy(self.out, "tree", self.source)
        self.assertEqual((tree / "a.c").read_bytes(), b"a\n")
        self.assertEqual(sorted(os.listdir(tree)), ["a.c", "deep", "link"])

    def test_copy_that_was_killed_half_way_is_made_anew(self) -> None:
        tree = output.copy(self.out, "tree", self.source)
        output.seal(self.out, "tree")
        tree = output.copy(self.out, "tree", self.source)
        (tree / "a.c").write_bytes(b"half")
        output.copy(self.out, "tree", self.source)
        self.assertEqual((tree / "a.c").read_bytes(), b"a\n")

    def test_two_runs_do_not_make_one_copy(self) -> None:
        with output.hold(self.out):
            with self.assertRaisesRegex(OutputError, "another run"):
                with output.hold(self.out):
                    self.fail("both are at work")
        with output.hold(self.out):
            pass

    def test_account_is_set_aside_under_a_name(self) -> None:
        output.keep(self.out, "ledger.tsv", b"one")
        output.set_aside(self.out, "ledger.tsv", "edits.patch")
        self.assertFalse((self.out / "ledger.tsv").exists())
        self.assertEqual((self.out / "ledger.tsv.old").read_bytes(), b"one")
        output.keep(self.out, "ledger.tsv", b"two")
        output.set_aside(self.out, "ledger.tsv")
        self.assertEqual((self.out / "ledger.tsv.old").read_bytes(), b"two")
        output.drop(self.out, "ledger.tsv.old", "ledger.tsv")
        self.assertEqual(os.listdir(self.out), [MARK])

    def test_account_of_a_change_that_may_be_undone_is_known(self) -> None:
        self.assertFalse(output.begun(self.out, "ledger.tsv"))
        for _ in range(2):
            output.begin(self.out, "ledger.tsv")
            self.assertTrue(output.begun(self.out, "ledger.tsv"))
            output.end(self.out, "ledger.tsv")
            self.assertFalse(output.begun(self.out, "ledger.tsv"))

    def test_out_of_an_earlier_version_is_taken_over(self) -> None:
        """Its mark was an empty file, and make has written to it since."""
        for text in ("", "made .\nmade bin\nadopt\n"):
            with self.subTest(text):
                for name in ("ledger.tsv", "edits.patch", "series/0001-a.patch",
                             "tree/a.c", "verify/src/x", "cache/ab/cd"):
                    (self.out / name).parent.mkdir(parents=True, exist_ok=True)
                    (self.out / name).write_bytes(b"old")
                (self.out / MARK).write_text(text)
                for name in ("ledger.tsv", "cache", "series", "tree"):
                    self.works[name]()
                output.folder(self.out, "verify")
                # But what comes later is not.
                self.put("boot", "folder")
                self.refused(lambda: output.folder(self.out, "boot"), "boot")
                shutil.rmtree(self.out)


class PutTest(OutputCase):

    def test_file_of_the_users_naming_is_replaced_when_it_is_of_its_kind(
            self) -> None:
        file = self.scratch / "known.tsv"
        for text in (b"head\none\n", b"head\ntwo\n", b"head\n"):
            output.put(file, text, b"head\n", "a list")
            self.assertEqual(file.read_bytes(), text)
        file.write_bytes(b"")
        file.chmod(0o640)
        output.put(file, b"head\n", b"head\n", "a list")
        self.assertEqual(file.stat().st_mode & 0o777, 0o640)
        link = self.scratch / "link.tsv"
        link.symlink_to("known.tsv")
        output.put(link, b"head\nx\n", b"head\n", "a list")
        self.assertEqual(file.read_bytes(), b"head\nx\n")
        self.assertTrue(link.is_symlink())
        self.assertEqual(sorted(os.listdir(self.scratch)),
                         ["known.tsv", "link.tsv", "source"])

    def test_file_of_another_kind_is_left_alone(self) -> None:
        self.out.mkdir()
        for kind in self.KINDS[:5]:
            with self.subTest(kind):
                self.put("x", kind)
                self.refused(lambda: output.put(
                    self.out / "x", b"head\n", b"head\n", "a list"), "x: not")
                shutil.rmtree(self.out)

    def test_file_that_lies_beside_is_left_alone(self) -> None:
        self.out.mkdir()
        self.put("known.tsv.new", "link to file")
        output.put(self.out / "known.tsv", b"head\n", b"head\n", "a list")
        self.assertEqual((self.out / "known.tsv.new").read_bytes(), TEXT)


class CleanTest(OutputCase):

    def full(self) -> None:
        for name in ("ledger.tsv", "cache", "tree"):
            self.works[name]()
        output.seal(self.out, "tree")
        series = output.patches(self.out, "series", claim=True)
        series.mkdir()
        (series / "0001-a.patch").write_bytes(b"")
        (self.out / "cache/x").write_bytes(b"")
        (self.out / "deps").write_bytes(b" run \n")
        with open(self.out / MARK, "a") as mark:
            mark.write("made bin\n")
        (self.out / "bin").mkdir()
        (self.out / "bin/reader").write_bytes(b"")

    def test_what_was_made_here_is_removed_whole(self) -> None:
        self.full()
        output.clean(self.out)
        self.assertEqual(os.listdir(self.scratch), ["source"])
        output.clean(self.out)

    def test_out_within_out_goes_with_it(self) -> None:
        self.full()
        output.keep(self.out / "one", "ledger.tsv", b"x")
        (self.out / "one/thesis").write_bytes(TEXT)
        self.refused(lambda: output.clean(self.out), "one/thesis")
        (self.out / "one/thesis").unlink()
        output.clean(self.out)
        self.assertFalse(self.out.exists())

    def test_nothing_goes_where_something_is_not_ours(self) -> None:
        for name in ("thesis", "tree/a.c", "tree/mine.c", "series/notes",
                     "bin/tool", "ledger.tsv", "boot/x"):
            with self.subTest(name):
                self.full()
                (self.out / name).parent.mkdir(exist_ok=True)
                (self.out / name).write_bytes(TEXT)
                self.refused(lambda: output.clean(self.out),
                             name.replace("boot/x", "boot"))
                shutil.rmtree(self.out)

    def test_link_is_not_followed(self) -> None:
        self.full()
        self.put("verify", "link to folder")
        self.refused(lambda: output.clean(self.out), "verify")

    def test_folder_that_was_not_made_here_is_left_whole(self) -> None:
        self.out.mkdir()
        output.keep(self.out, "ledger.tsv", b"x")
        self.refused(lambda: output.clean(self.out), "not made here")

    def test_command_ends_with_one_sentence(self) -> None:
        self.out.mkdir()
        for words, status, said in ((("clean", str(self.out)), 2, "not made"),
                                    (("clean", "/no/where"), 0, ""),
                                    (("clean",), 2, "say clean OUT")):
            done = subprocess.run(
                [sys.executable, output.__file__, *words],
                capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stdout), (status, ""))
            self.assertIn(said, done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1 if said else 0)


if __name__ == "__main__":
    unittest.main()
