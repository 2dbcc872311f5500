# SPDX-License-Identifier: GPL-2.0-only
"""apply: all files or none, whatever happens in between.

The sweeps stop or fail a run at each of its steps in turn. A step is one call
that changes the disk, counted in a child process, which is killed with
SIGKILL as a user or the kernel would do it.
"""

import contextlib
import dataclasses
import errno
import os
import resource
import signal
import stat
import subprocess
import tempfile
import traceback
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from write import apply, swap as swapping
from read.tree import Tree
from write.apply import (as_placed, hold, place, placed, recover, still,
                         unfinished)
from write.stage import ApplyError

BEFORE = {"a.c": b"old a\n", "deep/b.c": b"old b\r\n", "deep/c.h": b"old c"}
AFTER = {rel: text.replace(b"old", b"new") for rel, text in BEFORE.items()}
# What changes the disk; each call of one is a step.
STEPS = ("mkdir", "open", "link", "rename", "fsync", "fchmod", "unlink",
         "rmdir")
# The two calls of renameat2(); where a file system has them.
MOVES = ("exchange", "move_to_free")
NOBODY = 65534


@contextlib.contextmanager
def lacking(*names: str) -> Iterator[None]:
    """Be on a file system that cannot do these of MOVES."""
    with contextlib.ExitStack() as patched:
        for name in names:
            patched.enter_context(mock.patch.object(
                swapping, name, lambda *where: False))
        yield


# Every file system that there is, as far as MOVES go.
SYSTEMS = ((), ("exchange",), MOVES)


class Dead(BaseException):
    """What a step raises when the run is taken for killed."""


class Steps:
    """Count steps, and do something before or after the chosen one.

    From step `dead` on, every step raises and none changes the disk, which
    is what a kill looks like to the next run, and takes no child.
    """

    def __init__(self, at: int, late: bool, act: Callable[[], None],
                 dead: int = 0) -> None:
        self.count = 0
        self.at, self.late, self.act, self.dead = at, late, act, dead

    def wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **named: Any) -> Any:
            self.count += 1
            if self.dead and self.count >= self.dead:
                raise Dead
            mine = self.count == self.at
            if mine and not self.late:
                self.act()
            done = call(*args, **named)
            if mine and self.late:
                self.act()
            return done
        return step

    @contextlib.contextmanager
    def counting(self) -> Iterator[None]:
        with contextlib.ExitStack() as patched:
            for module, names in ((os, STEPS), (swapping, MOVES)):
                for name in names:
                    patched.enter_context(mock.patch.object(
                        module, name, self.wrap(getattr(module, name))))
            yield


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fail() -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def fill() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def interrupt() -> None:
    raise KeyboardInterrupt


def in_child(work: Callable[[], None]) -> int:
    """Run work in a child; return 0, 1 for an exception, or 128 + signal."""
    child = os.fork()
    if not child:
        status = 1
        try:
            work()
            status = 0
        except ApplyError:
            pass             # the status says so
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    _, told = os.waitpid(child, 0)
    return (128 + os.WTERMSIG(told) if os.WIFSIGNALED(told)
            else os.WEXITSTATUS(told))


class ApplyCase(unittest.TestCase):

    def setUp(self) -> None:
        # Memory, where there is some: a sweep syncs thousands of times.
        shm = "/dev/shm"
        scratch = tempfile.TemporaryDirectory(
            dir=shm if os.access(shm, os.W_OK) else None)
        self.addCleanup(scratch.cleanup)
        self.scratch = Path(scratch.name).resolve()
        self.scratch.chmod(0o755)
        self.reset()

    def reset(self) -> None:
        """Make the tree as it was; only the scratch folder is as new."""
        self.root = self.scratch / "linux"
        self.tree = Tree(self.root, "", False)
        self.beside = self.scratch / ".linux.sgwalk"
        self.inside = self.root / ".sgwalk"
        for rel, text in BEFORE.items():
            (self.root / rel).parent.mkdir(parents=True, exist_ok=True)
            (self.root / rel).write_bytes(text)

    def contents(self) -> dict[str, bytes]:
        """Return every file under the scratch folder, stages included."""
        return {os.path.relpath(path, self.root): path.read_bytes()
                for path in self.scratch.rglob("*") if path.is_file()}

    def run_once(self) -> None:
        with hold(self.tree):
            recover(self.tree)
            place(self.tree, BEFORE, AFTER)

    def refuses(self, work: Callable[[], object]) -> str:
        with self.assertRaises(ApplyError) as caught:
            work()
        text = str(caught.exception)
        self.assertNotIn("\n", text)
        return text

    def place(self) -> None:
        place(self.tree, BEFORE, AFTER)


class PlaceTest(ApplyCase):

    def test_all_files_are_new_and_nothing_is_left_behind(self) -> None:
        self.run_once()
        self.assertEqual(self.contents(), AFTER)
        self.assertEqual(os.listdir(self.scratch), ["linux"])
        self.assertEqual(sorted(os.listdir(self.root)), ["a.c", "deep"])

    def test_second_run_changes_nothing(self) -> None:
        place(self.tree, BEFORE, AFTER)
        facts = (self.root / "a.c").stat()
        place(self.tree, AFTER, AFTER)
        self.assertEqual((self.root / "a.c").stat(), facts)

    def test_mode_and_attributes_are_kept(self) -> None:
        file = self.root / "a.c"
        file.chmod(0o4751)
        with contextlib.suppress(OSError):
            os.setxattr(file, "user.note", b"mine")
        marks = os.listxattr(file)
        self.place()
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o4751)
        self.assertEqual(os.listxattr(file), marks)

    @unittest.skipUnless(os.geteuid() == 0, "only root gives files away")
    def test_owner_and_group_are_kept(self) -> None:
        os.chown(self.root / "a.c", 1234, 2345)
        self.place()
        facts = (self.root / "a.c").stat()
        self.assertEqual((facts.st_uid, facts.st_gid), (1234, 2345))

    def test_hard_link_outside_keeps_the_old_bytes(self) -> None:
        other = self.scratch / "other.c"
        os.link(self.root / "a.c", other)
        self.place()
        self.assertEqual(other.read_bytes(), BEFORE["a.c"])
        self.assertEqual((self.root / "a.c").read_bytes(), AFTER["a.c"])

    def test_copy_serves_where_hard_links_are_refused(self) -> None:
        denied = OSError(errno.EPERM, "denied")
        times = (self.root / "a.c").stat().st_mtime_ns
        steps = Steps(0, False, fail)
        with mock.patch.object(os, "link", side_effect=denied):
            with mock.patch.object(os, "rename", steps.wrap(os.rename)):
                self.place()
            self.assertEqual(self.contents(), AFTER)
            self.reset()
            os.utime(self.root / "a.c", ns=(times, times))
            # Renames: the journal's, one a file behind its exchange, done;
            # that of the last file fails.
            broken = Steps(4, False, fail)
            with mock.patch.object(os, "rename", broken.wrap(os.rename)):
                self.refuses(self.place)
        self.assertEqual(steps.count, 5)
        self.assertEqual(self.contents(), BEFORE)
        self.assertEqual((self.root / "a.c").stat().st_mtime_ns, times)

    def test_odd_names_are_only_names(self) -> None:
        names = [os.fsdecode(name) for name in (
            b"a b.c", b"q'\".c", b"$(touch x).c", b";.c", b"line\nend.c",
            b"\xe9.c", b"-r.c", b"new.0", b"journal")]
        for name in names:
            (self.root / name).write_bytes(b"1")
        place(self.tree, dict.fromkeys(names, b"1"), dict.fromkeys(names, b"2"))
        self.assertEqual({(self.root / name).read_bytes() for name in names},
                         {b"2"})

    def test_name_with_a_line_break_is_recovered(self) -> None:
        name = os.fsdecode(b"deep/line\n\xff\tend.c")
        (self.root / name).write_bytes(b"1")

        def work() -> None:
            place(self.tree, {**BEFORE, name: b"1"}, {**AFTER, name: b"2"})
        with mock.patch.object(os, "rename", Steps(
                5, True, die).wrap(os.rename)):
            self.assertEqual(in_child(work), 128 + signal.SIGKILL)
        self.assertEqual((self.root / name).read_bytes(), b"2")
        recover(self.tree)
        self.assertEqual(self.contents(), {**BEFORE, name: b"1"})

    def test_stage_is_used_by_rename_and_not_by_copy(self) -> None:
        seen = []

        def look(name: str, *args: Any, **named: Any) -> None:
            seen.append((name, {(self.root / rel).read_bytes() for rel in
                                AFTER}, (self.beside / "journal").exists()))
            rename(name, *args, **named)

        def swap(stage: int, name: str, *where: Any) -> bool:
            seen.append((f"swap {name}", {
                (self.root / rel).read_bytes() for rel in AFTER},
                (self.beside / "journal").exists()))
            return exchange(stage, name, *where)
        rename, exchange = os.rename, swapping.exchange
        with mock.patch.object(os, "rename", look), \
                mock.patch.object(swapping, "exchange", swap):
            self.place()
        # Nothing is new before the journal is there, and all of it is new
        # before the journal goes: files are not written one by one.
        self.assertEqual([name for name, _, _ in seen],
                         ["journal.new", "swap new.0", "new.0", "swap new.1",
                          "new.1", "swap new.2", "new.2", "journal"])
        self.assertEqual(seen[0][1:], (set(BEFORE.values()), False))
        self.assertEqual(seen[1][1:], (set(BEFORE.values()), True))
        self.assertEqual(seen[7][1:], (set(AFTER.values()), True))

    def test_disk_has_each_step_before_the_next_is_taken(self) -> None:
        done: list[str] = []

        def sync(fd: int) -> None:
            done.append("sync " + os.path.relpath(
                os.readlink(f"/proc/self/fd/{fd}"), self.scratch))

        def move(old: str, new: str, **where: int) -> None:
            done.append(f"move {old} {new}")
            rename(old, new, **where)

        def swap(stage: int, name: str, *where: Any) -> bool:
            done.append(f"swap {name}")
            return exchange(stage, name, *where)
        rename, exchange = os.rename, swapping.exchange
        with mock.patch.multiple(os, fsync=sync, rename=move), \
                mock.patch.object(swapping, "exchange", swap):
            place(self.tree, BEFORE, AFTER, lambda: done.append("record"))
        stage = ".linux.sgwalk"
        begun = done.index("move journal.new journal")
        told = done.index("record")
        self.assertEqual(done[told + 1], "move journal done")
        self.assertLess(done.index("sync ."), begun)
        for name in ("new.0", "new.1", "new.2", "journal.new"):
            self.assertLess(done.index(f"sync {stage}/{name}"), begun)
        self.assertEqual(done[begun + 1], f"sync {stage}")
        last = [at for at, word in enumerate(done)
                if word.startswith("swap new.")]
        self.assertEqual(len(last), 3)
        for folder in ("linux", "linux/deep"):
            self.assertIn(f"sync {folder}", done[last[-1]:told])

    def test_every_file_system_gives_the_same_tree(self) -> None:
        for names in SYSTEMS:
            with self.subTest(names), lacking(*names):
                self.reset()
                self.run_once()
                self.assertEqual(self.contents(), AFTER)
                self.assertEqual(os.listdir(self.scratch), ["linux"])
        # This one can do all, or the sweeps below sweep less than they say.
        self.reset()
        self.assertTrue(swapping._renameat2(
            *self.names("a.c", "deep/b.c"), swapping._EXCHANGE))
        with self.assertRaises(FileExistsError):
            swapping._renameat2(*self.names("a.c", "deep/b.c"), swapping._NOREPLACE)

    def names(self, old: str, new: str) -> tuple[int, str, int, str]:
        fd = os.open(self.root, os.O_RDONLY)
        self.addCleanup(os.close, fd)
        return fd, old, fd, new

    def test_account_is_written_when_all_is_in_place(self) -> None:
        seen: list[dict[str, bytes]] = []
        place(self.tree, BEFORE, AFTER,
              lambda: seen.append({rel: (self.root / rel).read_bytes()
                                   for rel in AFTER}), self.fail)
        self.assertEqual(seen, [AFTER])

    def test_account_is_written_where_nothing_changes_too(self) -> None:
        seen: list[str] = []
        place(self.tree, {}, {}, lambda: seen.append("told"), self.fail)
        self.assertEqual(seen, ["told"])

    def test_account_that_cannot_be_written_undoes_the_change(self) -> None:
        seen: list[str] = []
        for end in (fill, interrupt):
            with self.assertRaises((ApplyError, KeyboardInterrupt)):
                place(self.tree, BEFORE, AFTER, end,
                      lambda: seen.append("withdrawn"))
            self.assertEqual(self.contents(), BEFORE)
        self.assertEqual(seen, ["withdrawn"] * 2)


class RefuseTest(ApplyCase):

    def untouched(self, text: str, *words: str) -> None:
        for word in words:
            self.assertIn(word, text)
        self.assertEqual(self.contents(), BEFORE)
        self.assertFalse(self.beside.exists() or self.inside.exists())

    def test_file_that_changed_since_it_was_read_stops_all(self) -> None:
        (self.root / "deep/c.h").write_bytes(b"somebody's\n")
        text = self.refuses(self.place)
        self.assertIn("deep/c.h: changed since it was read", text)
        self.assertEqual(self.contents(),
                         {**BEFORE, "deep/c.h": b"somebody's\n"})

    def test_file_that_changes_while_others_are_placed_stops_all(self) -> None:
        for step in range(1, 5):
            with self.subTest(step=step):
                self.reset()
                last = self.root / "deep/c.h"

                def edit_it() -> None:
                    last.write_bytes(b"mine\n")
                edit = Steps(step, True, edit_it)
                with mock.patch.object(os, "rename", edit.wrap(os.rename)):
                    if step < 4:
                        self.refuses(self.place)
                        self.assertEqual(self.contents(), {
                            **BEFORE, "deep/c.h": b"mine\n"})
                    else:
                        # Its new bytes are in place: this is an edit of them.
                        self.place()
                        self.assertEqual(self.contents(), {
                            **AFTER, "deep/c.h": b"mine\n"})

    def save(self, rel: str, text: bytes = b"mine\n") -> None:
        """Do what an editor does that writes a new file and renames it."""
        (self.scratch / "new").write_bytes(text)
        os.replace(self.scratch / "new", self.root / rel)

    def test_file_that_an_editor_renames_into_place_is_not_lost(self) -> None:
        """The window is between the last look and the exchange."""
        for names in SYSTEMS:
            for step, rel in enumerate(sorted(AFTER), 1):
                for late in (False, True):
                    with self.subTest(names=names, rel=rel, late=late), \
                            lacking(*names):
                        self.reset()
                        self.saved_at(step, rel, late, bool(names))

    def saved_at(self, step: int, rel: str, late: bool, by_move: bool) -> None:
        """Save a file before it changes place, or the last one after the
        place of another has changed."""
        module, name = (os, "rename") if by_move else (swapping, "exchange")
        # Renames: the journal comes before the files.
        save = Steps(step + by_move, late,
                     lambda: self.save("deep/c.h" if late else rel))
        last = late and rel == "deep/c.h"
        with mock.patch.object(module, name,
                               save.wrap(getattr(module, name))):
            if last and not by_move:
                self.place()         # an edit of the new file, and kept
            else:
                text = self.refuses(self.place)
                self.assertRegex(text, "changed since it was read|exists")
        mine = "deep/c.h" if late else rel
        self.assertEqual(self.contents(), {
            **(AFTER if last and not by_move else BEFORE), mine: b"mine\n"})
        self.assertFalse(self.beside.exists())

    def test_file_that_is_saved_again_while_it_is_put_back_is_not_lost(
            self) -> None:
        for at in (1, 2, 3, 4, 5):
            with self.subTest(at=at):
                self.reset()
                saves: list[bytes] = []

                def swap(*where: Any) -> bool:
                    saves.append(b"save %d\n" % len(saves))
                    if len(saves) <= at:
                        self.save("a.c", saves[-1])
                    return exchange(*where)
                exchange = swapping.exchange
                with mock.patch.object(swapping, "exchange", swap):
                    self.assertIn("changed since", self.refuses(self.place))
                self.assertEqual(self.contents(), {
                    **BEFORE, "a.c": b"save %d\n" % (at - 1)})

    def test_what_is_no_file_any_more_comes_back_as_it_is(self) -> None:
        def link() -> None:
            (self.root / "a.c").unlink()
            (self.root / "a.c").symlink_to("deep/b.c")

        def folder() -> None:
            (self.root / "a.c").unlink()
            (self.root / "a.c").mkdir()
            (self.root / "a.c/x").write_bytes(b"mine\n")
        for names in SYSTEMS:
            for make in (link, folder):
                with self.subTest(names=names, make=make), lacking(*names):
                    if make is folder and names == MOVES:
                        continue     # has no name that link() gives
                    self.reset()
                    module, name = (os, "rename") if names else (
                        swapping, "exchange")
                    late = Steps(1 + bool(names), False, make)
                    with mock.patch.object(module, name, late.wrap(
                            getattr(module, name))):
                        self.refuses(self.place)
                    if make is link:
                        self.assertEqual(os.readlink(self.root / "a.c"),
                                         "deep/b.c")
                        (self.root / "a.c").unlink()
                    else:
                        self.assertEqual((self.root / "a.c/x").read_bytes(),
                                         b"mine\n")
                        (self.root / "a.c/x").unlink()
                        (self.root / "a.c").rmdir()
                    self.assertEqual(self.contents(), {
                        rel: text for rel, text in BEFORE.items()
                        if rel != "a.c"})

    def test_file_that_is_made_where_one_was_moved_out_is_kept(self) -> None:
        for names in SYSTEMS[1:]:
            with self.subTest(names), lacking(*names):
                self.reset()
                late = Steps(2, True, lambda: self.save("a.c"))
                with mock.patch.object(os, "rename", late.wrap(os.rename)):
                    self.refuses(self.place)
                self.assertEqual(self.contents(),
                                 {**BEFORE, "a.c": b"mine\n"})

    def test_write_to_an_old_file_that_is_being_replaced_is_not_lost(
            self) -> None:
        with open(self.root / "a.c", "r+b", buffering=0) as editor:
            def edit_it() -> None:
                editor.write(b"mine!\n")
            late = Steps(2, True, edit_it)
            with mock.patch.object(os, "rename", late.wrap(os.rename)):
                text = self.refuses(self.place)
        self.assertIn("a.c: changed since it was read", text)
        self.assertEqual(self.contents(), {**BEFORE, "a.c": b"mine!\n"})

    def test_name_that_is_a_link_is_not_followed(self) -> None:
        outside = self.scratch / "outside.c"
        outside.write_bytes(BEFORE["a.c"])
        (self.root / "a.c").unlink()
        (self.root / "a.c").symlink_to(outside)
        self.assertIn("a symbolic link", self.refuses(self.place))
        self.assertEqual(outside.read_bytes(), BEFORE["a.c"])

    def test_folder_that_is_a_link_is_not_followed(self) -> None:
        (self.root / "deep").rename(self.scratch / "elsewhere")
        (self.root / "deep").symlink_to(self.scratch / "elsewhere")
        self.assertIn("symbolic link", self.refuses(self.place))
        self.assertEqual((self.scratch / "elsewhere/b.c").read_bytes(),
                         BEFORE["deep/b.c"])

    def test_names_that_climb_are_refused(self) -> None:
        (self.scratch / "x.c").write_bytes(b"1")
        for rel in ("../x.c", str(self.scratch / "x.c"), "deep/../a.c"):
            self.assertIn("not a name in the tree", self.refuses(
                lambda: place(self.tree, {rel: b"1"}, {rel: b"2"})))
        self.assertEqual((self.scratch / "x.c").read_bytes(), b"1")

    def test_file_on_one_side_only_is_refused(self) -> None:
        self.assertIn("b.c", self.refuses(
            lambda: place(self.tree, {}, {"b.c": b"2"})))

    def test_file_that_is_gone_is_refused(self) -> None:
        (self.root / "a.c").unlink()
        self.assertIn("a.c: no such file", self.refuses(self.place))

    def test_tree_that_nobody_may_write_is_refused_at_once(self) -> None:
        self.root.chmod(0o555)
        self.addCleanup(self.root.chmod, 0o755)
        text = self.refuses(hold(self.tree).__enter__)
        self.untouched(text, str(self.root), "read-only")

    def test_file_or_folder_that_nobody_may_write_is_refused(self) -> None:
        for rel, mode in (("deep/b.c", 0o444), ("deep", 0o555)):
            (self.root / rel).chmod(mode)
            text = self.refuses(self.place)
            (self.root / rel).chmod(0o755)
            self.untouched(text, "deep/b.c", "read-only")

    def test_own_file_without_a_write_bit_is_replaced_in_a_git_tree(
            self) -> None:
        self.tree = dataclasses.replace(self.tree, git=True)
        (self.root / "deep/b.c").chmod(0o444)
        self.place()
        self.assertEqual(AFTER["deep/b.c"],
                         (self.root / "deep/b.c").read_bytes())
        self.assertEqual(0o444, stat.S_IMODE(
            (self.root / "deep/b.c").stat().st_mode))
        # Nobody but root may make a file in such a folder.
        (self.root / "deep").chmod(0o555)
        self.addCleanup((self.root / "deep").chmod, 0o755)
        if os.geteuid() == 0:
            place(self.tree, AFTER, BEFORE)
            self.assertEqual(BEFORE["deep/b.c"],
                             (self.root / "deep/b.c").read_bytes())
        else:
            self.assertIn("read-only", self.refuses(lambda: place(
                self.tree, AFTER, BEFORE)))

    def test_second_run_on_one_tree_stops_with_one_sentence(self) -> None:
        link = self.scratch / "same"
        link.symlink_to(self.root)
        with hold(self.tree):
            text = self.refuses(hold(Tree(link.resolve(), "", False))
                                .__enter__)
        self.untouched(text, "another run is at work")

    def test_lock_goes_with_the_process_that_held_it(self) -> None:
        def work() -> None:
            with hold(self.tree):
                self.refuses(lambda: in_child(lambda: None) or
                             hold(self.tree).__enter__())
                die()
        self.assertEqual(in_child(work), 128 + signal.SIGKILL)
        with hold(self.tree):
            pass

    def test_lock_is_not_handed_to_a_command(self) -> None:
        with hold(self.tree):
            with subprocess.Popen(["sleep", "60"]) as command:
                self.addCleanup(command.kill)
                held = os.listdir(f"/proc/{command.pid}/fd")
                roots = [fd for fd in held if os.path.realpath(
                    f"/proc/{command.pid}/fd/{fd}") == str(self.root)]
                command.kill()
        self.assertEqual(roots, [])

    def test_full_disk_leaves_the_tree_as_it_was(self) -> None:
        """A limit on the size of files stands for the end of the disk."""
        big = {rel: text * 5000 for rel, text in AFTER.items()}

        def work() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))
            text = self.refuses(lambda: place(self.tree, BEFORE, big))
            self.untouched(text, "nothing was changed", "too large")
        self.assertEqual(in_child(work), 0)
        self.untouched("")

    def test_full_file_system_leaves_the_tree_as_it_was(self) -> None:
        disk = self.scratch / "disk"
        disk.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)],
            capture_output=True, check=False)
        if mounted.returncode:
            self.skipTest("a small file system needs root to mount it")
        self.addCleanup(subprocess.check_call, ["umount", str(disk)])
        self.scratch = disk
        self.reset()
        big = {rel: text * 6000 for rel, text in AFTER.items()}
        text = self.refuses(lambda: place(self.tree, BEFORE, big))
        self.untouched(text, "no space left", "nothing was changed")
        self.place()
        self.assertEqual(self.contents(), AFTER)


class StageTest(ApplyCase):
    """Where the stage lies, and whose it is."""

    def as_nobody(self, work: Callable[[], None]) -> int:
        """Run work as a user without rights of root's."""
        def child() -> None:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresgid(NOBODY, NOBODY, NOBODY)
                os.setresuid(NOBODY, NOBODY, NOBODY)
            work()
        if os.geteuid() == 0:
            for path in [self.root, *self.root.rglob("*")]:
                os.chown(path, NOBODY, NOBODY)
        else:
            self.scratch.chmod(0o555)
            self.addCleanup(self.scratch.chmod, 0o755)
        return in_child(child)

    def where(self) -> list[bool]:
        """Return whether the stage is beside and inside, while it is used."""
        seen: list[bool] = []

        def look(name: str, *args: Any, **named: Any) -> None:
            seen[:] = [self.beside.is_dir(), self.inside.is_dir()]
            rename(name, *args, **named)
        rename = os.rename
        with mock.patch.object(os, "rename", look):
            self.place()
        return seen

    def test_stage_lies_beside_the_tree(self) -> None:
        self.assertEqual(self.where(), [True, False])

    def test_stage_lies_inside_where_beside_is_not_writable(self) -> None:
        def work() -> None:
            self.assertEqual(self.where(), [False, True])
        self.assertEqual(self.as_nobody(work), 0)
        self.assertEqual(self.contents(), AFTER)

    def test_stage_inside_is_recovered_too(self) -> None:
        def work() -> None:
            with mock.patch.object(os, "rename", Steps(
                    3, True, die).wrap(os.rename)):
                self.place()
        self.assertEqual(self.as_nobody(work), 128 + signal.SIGKILL)
        self.assertTrue(self.inside.is_dir())
        self.assertIn("undid", recover(self.tree) or "")
        self.assertEqual(self.contents(), BEFORE)

    @unittest.skipUnless(os.geteuid() == 0, "only root gives files away")
    def test_owner_that_cannot_be_kept_stops_all(self) -> None:
        def work() -> None:
            self.assertIn("not permitted", self.refuses(self.place))
        for path in [self.root, *self.root.rglob("*")]:
            path.chmod(0o777)
        self.as_nobody_of(work)

    def as_nobody_of(self, work: Callable[[], None]) -> None:
        def child() -> None:
            os.setgroups([])
            os.setresuid(NOBODY, NOBODY, NOBODY)
            work()
        self.assertEqual(in_child(child), 0)
        self.assertEqual(self.contents(), BEFORE)
        self.assertFalse(self.beside.exists() or self.inside.exists())

    @unittest.skipUnless(os.geteuid() == 0, "only root gives files away")
    def test_stage_of_a_stranger_is_not_believed(self) -> None:
        self.beside.mkdir(0o700)
        os.chown(self.beside, 4321, 4321)
        self.assertIn("in the way", self.refuses(lambda: recover(self.tree)))

    def test_link_in_the_place_of_the_stage_is_not_followed(self) -> None:
        target = self.scratch / "target"
        target.mkdir(0o700)
        (target / "journal").write_bytes(b"precious")
        self.beside.symlink_to(target)
        self.assertIn("in the way", self.refuses(lambda: recover(self.tree)))
        self.assertIn("exists", self.refuses(self.place))
        self.assertEqual((target / "journal").read_bytes(), b"precious")

    def test_folder_with_files_of_somebody_elses_is_not_removed(self) -> None:
        self.beside.mkdir(0o700)
        for name in ("precious", "new.x", "journal.old", "old.1\n"):
            with self.subTest(name):
                (self.beside / name).write_bytes(b"mine")
                self.assertIn("in the way", self.refuses(
                    lambda: recover(self.tree)))
                self.assertEqual((self.beside / name).read_bytes(), b"mine")
                (self.beside / name).unlink()
        self.assertIsNone(unfinished(self.tree))

    def test_journal_that_names_a_file_outside_writes_nothing(self) -> None:
        outside = self.scratch / "outside.c"
        outside.write_bytes(b"1")
        self.beside.mkdir(0o700)
        (self.beside / "journal").write_bytes(
            b"sgwalk 1\n" + b"\0".join([b"0" * 64, b"1" * 64,
                                        b"../outside.c", b""]))
        (self.beside / "new.0").write_bytes(b"2")
        self.refuses(lambda: recover(self.tree))
        self.assertEqual(outside.read_bytes(), b"1")

    def test_journal_that_is_not_ours_is_refused_and_kept(self) -> None:
        for text in (b"", b"sgwalk 2\n", b"sgwalk 1\nabc", b"sgwalk 1\na\0b\0"):
            self.beside.mkdir(0o700)
            (self.beside / "journal").write_bytes(text)
            self.assertIn("not a journal", self.refuses(
                lambda: recover(self.tree)))
            (self.beside / "journal").unlink()
            self.beside.rmdir()


class KillTest(ApplyCase):
    """Stop a run at every step, and look at what the next one finds."""

    def steps_of(self, work: Callable[[], None]) -> int:
        self.reset()
        steps = Steps(0, False, die)
        with steps.counting():
            work()
        return steps.count

    def whole(self) -> tuple[str, str]:
        """Recover; return the state it is in, one of two, and what is said."""
        with hold(self.tree):
            told = recover(self.tree) or ""
        self.assertIsNone(unfinished(self.tree))
        self.assertEqual(os.listdir(self.scratch), ["linux"])
        found = self.contents()
        self.assertIn(found, (BEFORE, AFTER))
        return "old" if found == BEFORE else "new", told.split(": ")[-1]

    def recorded(self) -> None:
        """Do what a run does, with an account that is a file."""
        with hold(self.tree):
            recover(self.tree)
            place(self.tree, BEFORE, AFTER, self.record, self.withdraw)

    def record(self) -> None:
        with open(os.open(self.account, os.O_WRONLY | os.O_CREAT), "wb") as to:
            to.write(b"new\n")
            os.fsync(to.fileno())

    def withdraw(self) -> None:
        self.account.unlink(missing_ok=True)

    @property
    def account(self) -> Path:
        return self.scratch.with_name(self.scratch.name + ".account")

    def reset(self) -> None:
        super().reset()
        self.withdraw()
        self.addCleanup(self.withdraw)

    def test_killed_at_any_step_the_next_run_makes_it_whole(self) -> None:
        for names in SYSTEMS:
            with lacking(*names):
                self.killed_at_any_step()

    def killed_at_any_step(self) -> None:
        total = self.steps_of(self.recorded)
        self.assertGreater(total, 60)
        ends, said = [], set()
        for at in range(1, total + 1):
            def work() -> None:
                with Steps(at, True, die).counting():
                    self.recorded()
            with self.subTest(at=at):
                self.reset()
                self.assertEqual(in_child(work), 128 + signal.SIGKILL)
                told = unfinished(self.tree)
                if self.account.exists():
                    # By then all is in place, and nothing has gone back.
                    self.assertEqual({rel: (self.root / rel).read_bytes()
                                      for rel in AFTER}, AFTER)
                if not told:
                    # Whoever reads it now reads a tree that is whole.
                    self.assertIn({rel: (self.root / rel).read_bytes()
                                   for rel in AFTER}, (BEFORE, AFTER))
                ours = as_placed(self.tree, placed(self.tree))
                end, told = self.whole()
                if ours:
                    self.assertEqual((ours, end), (set(AFTER), "new"))
                ends.append(end)
                said.add(told)
        # Once it is new it stays so: old ... old new ... new.
        self.assertEqual(ends, sorted(ends, reverse=True))
        self.assertEqual(set(ends), {"old", "new"})
        self.assertEqual(said, {
            "", "removed what a killed run left",
            "undid the change of a run that was killed"})

    def test_killed_again_while_recovering_it_is_made_whole(self) -> None:
        for names in SYSTEMS:
            with lacking(*names):
                self.killed_again(3 if names else 1)

    def killed_again(self, stride: int) -> None:
        total = self.steps_of(self.run_once)
        for at in range(1, total + 1, stride):
            again, ended = 1, False
            while not ended:
                self.reset()
                with contextlib.suppress(Dead), hold(self.tree):
                    with Steps(0, True, die, at).counting():
                        place(self.tree, BEFORE, AFTER)
                with contextlib.suppress(Dead), hold(self.tree):
                    with Steps(0, True, die, again).counting():
                        recover(self.tree)
                    ended = True
                with self.subTest(at=at, again=again):
                    self.whole()
                again += 2

    def test_failing_at_any_step_it_is_undone_or_done(self) -> None:
        for names in SYSTEMS:
            for end in (fail, fill):
                with lacking(*names):
                    self.failing_at_any_step(end)

    def failing_at_any_step(self, end: Callable[[], None]) -> None:
        total = self.steps_of(self.recorded)
        for at in range(1, total + 1):
            with self.subTest(at=at, end=end):
                self.reset()
                try:
                    with Steps(at, False, end).counting():
                        with hold(self.tree):
                            recover(self.tree)
                            told = place(self.tree, BEFORE, AFTER, self.record,
                                         self.withdraw)
                except (ApplyError, OSError) as error:
                    self.assertEqual(self.contents(), BEFORE, str(error))
                    self.assertFalse(self.account.exists())
                    self.assertEqual(os.listdir(self.scratch), ["linux"])
                else:
                    # The change is in place, and only the stage is left.
                    self.assertIn("cannot be removed", told or "")
                    self.assertTrue(self.account.exists())
                    self.assertEqual(self.whole()[0], "new")

    def test_step_that_fails_when_it_is_done_is_undone_too(self) -> None:
        for names in SYSTEMS:
            with lacking(*names):
                self.failing_late()

    def failing_late(self) -> None:
        total = self.steps_of(self.recorded)
        for at in range(1, total + 1):
            with self.subTest(at=at):
                self.reset()
                new = True
                with Steps(at, True, fail).counting():
                    try:
                        self.recorded()
                    except (ApplyError, OSError):
                        new = False
                self.assertEqual(self.account.exists(), new)
                self.assertEqual(self.whole()[0], "new" if new else "old")

    def test_killed_while_undoing_the_next_run_makes_it_whole(self) -> None:
        for names in SYSTEMS:
            with lacking(*names):
                self.killed_while_undoing(3 if names else 1)

    def killed_while_undoing(self, stride: int) -> None:
        total = self.steps_of(self.run_once)
        for at in range(total // 3, total + 1, stride):
            for then in range(1, 20):
                self.reset()
                with contextlib.suppress(Dead, ApplyError):
                    with Steps(at, False, fail, at + then).counting():
                        self.run_once()
                with self.subTest(at=at, then=then):
                    self.whole()

    def test_interrupted_at_any_step_it_is_undone(self) -> None:
        for names in SYSTEMS:
            with lacking(*names):
                self.interrupted_at_any_step()

    def interrupted_at_any_step(self) -> None:
        total = self.steps_of(self.recorded)
        for at in range(1, total + 1):
            with self.subTest(at=at):
                self.reset()
                with self.assertRaises(KeyboardInterrupt):
                    with Steps(at, False, interrupt).counting():
                        self.recorded()
                self.assertEqual(self.whole()[0], "new" if
                                 self.account.exists() else "old")

    def half_placed(self) -> None:
        """Leave a tree in which a.c is new and the others are not yet."""
        def work() -> None:
            with mock.patch.object(os, "rename", Steps(
                    2, True, die).wrap(os.rename)):
                self.place()
        self.assertEqual(in_child(work), 128 + signal.SIGKILL)
        self.assertEqual((self.root / "a.c").read_bytes(), AFTER["a.c"])

    def test_edit_of_a_new_file_after_a_kill_is_left_to_a_person(self) -> None:
        self.half_placed()
        (self.root / "a.c").write_bytes(b"mine\n")
        before = self.contents()
        text = self.refuses(lambda: recover(self.tree))
        self.assertIn("a.c: edited after a run was killed", text)
        self.assertEqual(self.contents(), before)
        # What the sentence says is so, and helps.
        kept = Path(text.split("bytes are ")[1].split(": ")[0])
        self.assertEqual(kept.read_bytes(), BEFORE["a.c"])
        (self.root / "a.c").write_bytes(kept.read_bytes())
        self.assertIn("undid", recover(self.tree) or "")
        self.assertEqual(self.contents(), BEFORE)

    def test_edit_of_an_old_file_after_a_kill_undoes_the_others(self) -> None:
        self.half_placed()
        (self.root / "deep/c.h").write_bytes(b"mine\n")
        self.assertIn("undid", recover(self.tree) or "")
        self.assertEqual(self.contents(), {**BEFORE, "deep/c.h": b"mine\n"})
        self.assertFalse(self.beside.exists())

    def test_damaged_stage_is_not_placed(self) -> None:
        self.half_placed()
        (self.beside / "new.2").write_bytes(b"garbage")
        self.assertIn("undid", recover(self.tree) or "")
        self.assertEqual(self.contents(), BEFORE)

    def test_new_file_that_is_damaged_on_the_disk_stops_all(self) -> None:
        def damage() -> None:
            (self.beside / "new.2").write_bytes(b"garbage")
        late = Steps(2, True, damage)
        with mock.patch.object(os, "rename", late.wrap(os.rename)):
            self.assertIn("new.2: damaged", self.refuses(self.place))
        self.assertEqual(self.contents(), BEFORE)

    def test_stage_of_a_run_before_there_was_an_exchange_is_undone(
            self) -> None:
        self.half_placed()
        (self.beside / "was.0").unlink()
        self.assertIn("undid", recover(self.tree) or "")
        self.assertEqual(self.contents(), BEFORE)

    def test_those_that_read_are_told_of_a_killed_run(self) -> None:
        self.assertIsNone(unfinished(self.tree))
        with still(self.tree):
            pass
        self.half_placed()
        self.assertIn("make apply finishes it", unfinished(self.tree) or "")
        text = self.refuses(still(self.tree).__enter__)
        self.assertIn("make apply finishes it", text)
        # And so is who reads a folder of it.
        text = self.refuses(still(Tree(self.root / "deep", "", False))
                            .__enter__)
        self.assertIn(str(self.beside), text)

    def test_those_that_read_keep_those_that_write_away(self) -> None:
        with still(self.tree), still(self.tree):
            self.assertIn("another run", self.refuses(
                hold(self.tree).__enter__))
        with hold(self.tree):
            self.assertIn("another run is changing", self.refuses(
                still(self.tree).__enter__))


if __name__ == "__main__":
    unittest.main()
