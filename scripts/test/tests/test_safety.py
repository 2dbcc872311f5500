# SPDX-License-Identifier: GPL-2.0-only
"""The command line: what is not ours is never lost, and no account is untrue.

Most cases run migrate.main() in a child of this process, with a plan that was
made once: so a run can be stopped at each of its steps, as in test_apply, and
none of them waits for spatch.
"""

import contextlib
import errno
import functools
import io
import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn
from unittest import mock

from write import apply, swap
import migrate
from host import output
from judge import plan as planning
import smalltree
from read import tree as trees
from judge.plan import Plan
from check.check import CheckError
from test_apply import Steps, die, fail, fill
from test_plan import NEW, PAGES, WALK

# As in test_apply, and what else writes below OUT.
STEPS = ("mkdir", "open", "link", "rename", "replace", "fsync", "fchmod",
         "unlink", "rmdir")
MOVES = ("exchange", "move_to_free")
THESIS = b"the thesis\n"


@functools.lru_cache(maxsize=None)
def plans() -> dict[bytes, bytes]:
    """Return the plan for d.c as it was, and the one for it as it is then."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        root = smalltree.make(Path(folder).resolve() / "linux",
                              {"d.c": WALK, "p.c": PAGES})
        settings = smalltree.settings()
        for text in (WALK, NEW):
            made = planning.make_plan(trees.open_tree(str(root)), settings)
            found[text] = pickle.dumps(made)
            for name, data in made.after.items():
                (root / name).write_bytes(data)
    return found


def plan_of(tree: trees.Tree, settings: planning.Settings) -> Plan:
    """Return what make_plan() would, for a tree that is old or new."""
    del settings
    made = pickle.loads(plans()[(tree.root / "d.c").read_bytes()])
    assert isinstance(made, Plan)
    if any((tree.root / name).read_bytes() != data
           for name, data in made.before.items()):
        raise AssertionError("a tree that is half of each was judged")
    return made


def setUpModule() -> None:
    """Use the cache below OUT: a fault there is one of those tried here."""
    os.environ.pop("SGWALK_CACHE", None)


class Said:
    """What a run printed, and how it ended."""

    def __init__(self, status: int, output: str, errors: str) -> None:
        self.status, self.output, self.errors = status, output, errors

    @property
    def sum(self) -> str:
        lines = self.output.splitlines()
        return lines[-1] if lines else ""


class SafetyCase(unittest.TestCase):

    def setUp(self) -> None:
        plans()
        shm = "/dev/shm"
        scratch = tempfile.TemporaryDirectory(
            dir=shm if os.access(shm, os.W_OK) else None)
        self.addCleanup(scratch.cleanup)
        self.scratch = Path(scratch.name).resolve()
        self.root = self.scratch / "linux"
        self.out = self.scratch / "out"
        self.reset()

    def reset(self) -> None:
        for path in list(self.scratch.iterdir()):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        smalltree.make(self.root, {"d.c": WALK, "p.c": PAGES})

    def run_main(self, verb: str, *words: str, out: Path | None = None,
                 steps: Steps | None = None, tree: bool = True) -> Said:
        """Run a verb in a child; a status of 128 and up is a signal's."""
        told = self.scratch.with_name(self.scratch.name + ".told")
        errors = told.with_suffix(".errors")
        for file in (told, errors):
            file.write_bytes(b"")
            self.addCleanup(file.unlink, missing_ok=True)
        child = os.fork()
        if not child:
            status = 70
            try:
                for file, fd in ((told, 1), (errors, 2)):
                    os.dup2(os.open(file, os.O_WRONLY | os.O_APPEND), fd)
                sys.stdout = io.TextIOWrapper(io.FileIO(1, "w"))
                sys.stderr = io.TextIOWrapper(io.FileIO(2, "w"),
                                              write_through=True)
                with mock.patch.object(planning, "make_plan", plan_of), \
                        self.counting(steps):
                    status = migrate.main([
                        verb, f"--out={out or self.out}",
                        *([f"--kernel={self.root}"] if tree else []), *words])
            finally:
                sys.stdout.flush()
                os._exit(status)
        _, ended = os.waitpid(child, 0)
        status = (128 + os.WTERMSIG(ended) if os.WIFSIGNALED(ended)
                  else os.WEXITSTATUS(ended))
        return Said(status, told.read_text(), errors.read_text())

    @contextlib.contextmanager
    def counting(self, steps: Steps | None) -> Iterator[None]:
        with contextlib.ExitStack() as patched:
            if steps:
                for module, names in ((os, STEPS), (swap, MOVES)):
                    for name in names:
                        patched.enter_context(mock.patch.object(
                            module, name, steps.wrap(getattr(module, name))))
            yield

    def total(self, *words: str) -> int:
        """Return how many steps an apply takes."""
        self.reset()
        steps = Steps(0, False, die)
        with mock.patch.object(planning, "make_plan", plan_of), \
                contextlib.redirect_stdout(io.StringIO()), \
                contextlib.redirect_stderr(io.StringIO()), \
                self.counting(steps):
            old = [signal.getsignal(each) for each in migrate._SIGNALS]
            status = migrate.main(["apply", f"--out={self.out}",
                                   f"--kernel={self.root}", *words])
            for each, handler in zip(migrate._SIGNALS, old):
                signal.signal(each, handler)
        self.assertEqual(status, 0)
        return steps.count

    def is_new(self) -> bool:
        """Say which of two a tree is, and fail where it is neither."""
        old = pickle.loads(plans()[WALK])
        files = {name: (self.root / name).read_bytes() for name in old.after}
        self.assertIn(files, (old.before, old.after))
        return bool(files == old.after)

    def claims(self) -> bool:
        """Say whether the ledger has a site as converted."""
        ledger = self.out / "ledger.tsv"
        return ledger.exists() and b"\tconverted\t" in ledger.read_bytes()

    def refused(self, said: Said, what: str) -> None:
        self.assertEqual(said.status, 2, said.errors)
        last = said.errors.splitlines()[-1]
        self.assertTrue(last.startswith("sgwalk: exit 2: "), said.errors)
        self.assertIn(what, last)
        self.assertNotIn("Traceback", said.errors)


class AccountTest(SafetyCase):
    """ledger.tsv says what has happened."""

    def test_killed_at_any_step_the_same_command_does_the_job(self) -> None:
        total = self.total()
        self.assertGreater(total, 60)
        again = set()
        for at in [*range(1, total - 12, 2), *range(total - 12, total + 1)]:
            with self.subTest(at=at):
                self.reset()
                # git takes its time; it matters once files have changed.
                if at % 7 == 0 or at > total - 12:
                    smalltree.commit(self.root)
                said = self.run_main("apply", steps=Steps(at, True, die))
                if not said.status:
                    continue     # a step that failed, as it may, and was last
                self.assertEqual(said.status, 128 + signal.SIGKILL)
                if self.claims():
                    self.assertTrue(self.is_new())
                stage = self.scratch / ".linux.sgwalk"
                ended = not stage.exists() or not os.listdir(stage)
                half = apply.unfinished(
                    trees.open_tree(str(self.root)))
                was_new = None if half else self.is_new()
                if half:
                    verb = ("preview", "check", "baseline")[at % 3]
                    self.refused(self.run_main(verb), "make apply finishes it")
                said = self.run_main("apply")
                if ended and was_new and (self.root / ".git").exists():
                    # Nothing was left of the run but its last words.
                    self.refused(said, "local changes")
                    continue
                self.assertEqual(said.status, 0, said.errors)
                self.assertTrue(self.is_new())
                self.assertRegex(said.sum, r"^sites \d+: [03] converted, ")
                again.add(said.sum.split()[2])
                self.assertEqual(self.claims(), not was_new)
                self.assertFalse(stage.exists())
                self.assertFalse((self.out / "ledger.tsv.old").exists())
        self.assertEqual(again, {"0", "3"})

    def failing(self, end: Callable[[], None], late: bool,
                first: int = 1) -> None:
        total = self.total()
        # test_apply has each step with each error; here are those of OUT too.
        for at in range(first, total + 1, 2):
            with self.subTest(at=at, end=end, late=late):
                self.reset()
                said = self.run_main("apply", steps=Steps(at, late, end))
                new = self.is_new()
                self.assertEqual(self.claims(), new, said.errors)
                self.assertEqual(said.status, 0 if new else 2, said.errors)
                if not new:
                    self.refused(said, "")
                self.assertEqual(self.run_main("apply").status, 0)

    def test_full_disk_at_any_step_leaves_no_untrue_account(self) -> None:
        self.failing(fill, False)

    def test_error_of_the_disk_at_any_step_leaves_none_either(self) -> None:
        self.failing(fail, False, 2)

    def test_step_that_fails_when_it_is_done_leaves_none_either(self) -> None:
        self.failing(fail, True, 2)

    def test_interrupted_at_any_step_there_is_one_last_line(self) -> None:
        total = self.total()
        for at in range(1, total + 1, 4):
            with self.subTest(at=at):
                self.reset()
                said = self.run_main("apply", steps=Steps(
                    at, True, lambda: os.kill(os.getpid(), signal.SIGTERM)))
                self.assertNotIn("Traceback", said.errors)
                if said.status:
                    self.refused(said, "interrupted")
                self.assertEqual(self.claims(), self.is_new())

    def test_account_of_an_earlier_run_is_kept_under_another_name(
            self) -> None:
        self.run_main("preview")
        before = (self.out / "ledger.tsv").read_bytes()
        self.assertTrue(self.claims())
        total = self.total_after_preview()
        said = self.run_main("apply", steps=Steps(total // 2, False, fill))
        self.refused(said, "ledger.tsv.old")
        self.assertFalse((self.out / "ledger.tsv").exists())
        self.assertEqual((self.out / "ledger.tsv.old").read_bytes(), before)
        # It outlives a second one that fails.
        self.run_main("preview")
        self.refused(self.run_main("apply", steps=Steps(
            total // 2, False, fill)), "ledger.tsv.old")
        self.assertEqual((self.out / "ledger.tsv.old").read_bytes(), before)
        self.assertEqual(self.run_main("apply").status, 0)
        self.assertFalse((self.out / "ledger.tsv.old").exists())
        self.assertTrue(self.claims())

    def total_after_preview(self) -> int:
        steps = Steps(10 ** 6, False, die)
        with tempfile.TemporaryDirectory() as name:
            count = Path(name) / "count"

            def note() -> None:
                count.write_text(str(steps.count))
            copy = self.scratch / "copy"
            shutil.copytree(self.root, copy)
            out = self.scratch / "out2"
            self.run_main("preview", out=out)
            with mock.patch("migrate._left", lambda *words: note()):
                self.run_main("apply", out=out, steps=steps)
            shutil.rmtree(self.root)
            copy.rename(self.root)
            return int(count.read_text())

    def test_apply_that_is_refused_leaves_the_account_alone(self) -> None:
        smalltree.commit(self.root)
        self.run_main("preview")
        before = (self.out / "ledger.tsv").read_bytes()
        (self.root / "p.c").write_bytes(PAGES + b"\n")
        self.refused(self.run_main("apply"), "local changes in p.c")
        self.assertEqual((self.out / "ledger.tsv").read_bytes(), before)

    def test_account_in_another_out_is_not_that_of_the_killed_run(
            self) -> None:
        other = self.scratch / "other"
        self.run_main("preview", out=other)
        before = (other / "ledger.tsv").read_bytes()
        total = self.total()
        self.reset()
        self.run_main("preview", out=other)
        self.run_main("apply", steps=Steps(total // 2, True, die))
        with mock.patch.object(apply, "recover", side_effect=fail):
            self.run_main("apply", out=other)
        self.assertEqual((other / "ledger.tsv").read_bytes(), before)

    def test_output_that_is_lost_is_told_of_a_change_that_is_in_place(
            self) -> None:
        def full(*words: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with mock.patch("migrate._summary", full):
            said = self.run_main("apply")
        self.refused(said, "the change is in place, but the output is lost: "
                     "no space left on device")
        self.assertTrue(self.is_new() and self.claims())


class DirtyTest(SafetyCase):
    """What git could not bring back is not rewritten."""

    def setUp(self) -> None:
        super().setUp()
        (self.root / ".gitignore").write_text("/ignored.c\n")
        smalltree.commit(self.root)

    def stays(self, what: str) -> None:
        before = (self.root / "d.c").read_bytes()
        self.refused(self.run_main("apply"), what)
        self.assertEqual((self.root / "d.c").read_bytes(), before)
        self.assertFalse(self.claims())
        self.assertEqual(self.run_main("apply", "--dirty").status, 0)
        self.assertTrue(self.is_new())

    def test_file_that_is_not_tracked(self) -> None:
        smalltree.git(self.root, "rm", "-q", "--cached", "d.c")
        smalltree.git(self.root, "commit", "-qm", "untracked")
        self.stays("local changes in d.c")

    def test_file_that_is_ignored(self) -> None:
        (self.root / ".gitignore").write_text("/d.c\n")
        smalltree.git(self.root, "rm", "-q", "--cached", "d.c")
        smalltree.git(self.root, "commit", "-qam", "ignored")
        self.stays("local changes in d.c")

    def test_file_that_git_is_told_not_to_look_at(self) -> None:
        for flag in ("--assume-unchanged", "--skip-worktree"):
            with self.subTest(flag):
                smalltree.git(self.root, "checkout", "-q", ".")
                shutil.rmtree(self.out, ignore_errors=True)
                smalltree.git(self.root, "update-index", flag, "d.c")
                self.stays("local changes in d.c")
                smalltree.git(self.root, "update-index",
                              flag.replace("--", "--no-"), "d.c")

    def test_such_a_file_with_a_change_that_no_rule_is_about(self) -> None:
        smalltree.git(self.root, "update-index", "--skip-worktree", "p.c")
        (self.root / "p.c").write_bytes(PAGES + b"\n")
        self.stays("local changes in p.c")


class OutTest(SafetyCase):
    """What lies below OUT and is not ours."""

    KINDS = ("file", "folder", "link to file", "link to folder")

    def foreign(self, name: str, kind: str) -> Path:
        path = self.out / name
        target = self.scratch / "target"
        if kind.startswith("link"):
            path.symlink_to(target)
        else:
            target = path
        if kind.endswith("file"):
            target.write_bytes(THESIS)
            return target
        target.mkdir()
        (target / "thesis").write_bytes(THESIS)
        return target / "thesis"

    def test_each_verb_refuses_what_it_would_overwrite(self) -> None:
        cases = (("apply", "ledger.tsv"), ("apply", "ledger.tsv.new"),
                 ("apply", "ledger.tsv.old"), ("apply", "edits.patch"),
                 ("apply", "edits.patch.new"), ("preview", "ledger.tsv"),
                 ("preview", "edits.patch"), ("series", "ledger.tsv"),
                 ("series", "series"), ("series", "series.tmp"),
                 ("series", "verify.txt"), ("verify", "verify"),
                 ("verify", "ledger.tsv"), ("boot", "boot"),
                 ("check", "cache"), ("baseline", "cache"),
                 ("apply", "change.json"), ("check", "check.json"),
                 ("check", "findings.json"), ("report", "report.html"),
                 ("demo", "tree"), ("demo", "ledger.tsv"))
        for verb, name in cases:
            for kind in self.KINDS:
                with self.subTest(verb=verb, name=name, kind=kind):
                    self.reset()
                    if verb == "series":
                        smalltree.commit(self.root)
                    self.out.mkdir()
                    kept = self.foreign(name, kind)
                    said = self.run_main("apply", tree=False) \
                        if verb == "demo" else self.run_main(verb)
                    self.refused(said, f"out/{name}")
                    self.assertEqual(kept.read_bytes(), THESIS)
                    self.assertFalse(self.is_new())

    def test_what_lies_beside_is_left_alone(self) -> None:
        self.out.mkdir()
        kept = [self.foreign("thesis", "file"),
                self.foreign("series.new.mine", "folder")]
        self.assertEqual(self.run_main("preview").status, 0)
        self.assertEqual(self.run_main("apply").status, 0)
        self.assertEqual([path.read_bytes() for path in kept], [THESIS] * 2)

    def test_baseline_overwrites_no_file_of_another_kind(self) -> None:
        file = self.scratch / "thesis.txt"
        file.write_bytes(THESIS)
        said = self.run_main("baseline", f"--baseline={file}")
        self.refused(said, "thesis.txt: not a baseline")
        self.assertEqual(file.read_bytes(), THESIS)

    def test_cache_that_cannot_be_written_is_none(self) -> None:
        def check(tree: trees.Tree, settings: Any, diff: bytes) -> NoReturn:
            del tree, diff
            raise CheckError(f"the cache is {settings.cache}")
        with mock.patch.object(output, "folder", side_effect=OSError(
                errno.EROFS, "read-only")), \
                mock.patch("check.check.check", check):
            self.refused(self.run_main("check"), "the cache is None")


class ReadersTest(SafetyCase):
    """A tree that is half of each is not judged."""

    def test_each_verb_refuses_a_tree_that_is_half_changed(self) -> None:
        total = self.total()
        self.reset()
        smalltree.commit(self.root)
        at = total // 2
        while True:
            self.run_main("apply", steps=Steps(at, True, die))
            if apply.unfinished(trees.open_tree(str(self.root))):
                break
            at += 2
        for verb in ("preview", "check", "baseline", "series", "verify",
                     "boot", "bench"):
            with self.subTest(verb):
                self.refused(self.run_main(verb), "make apply finishes it")
        self.refused(self.run_main("check", "--m=lib"),
                     "make apply finishes it")
        # A module is judged by what its kernel has.
        module = self.scratch / "module"
        module.mkdir()
        (module / "m.c").write_bytes(WALK)
        for verb in ("preview", "check", "apply"):
            self.refused(self.run_main(verb, f"--m={module}"),
                         "make apply finishes it")
        self.assertEqual((module / "m.c").read_bytes(), WALK)


class SignalTest(unittest.TestCase):
    """A run that is told to stop ends with its last line, told once or more."""

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = smalltree.make(Path(scratch.name) / "linux",
                                   {f"{n}.c": WALK for n in range(30)})
        self.out = Path(scratch.name) / "out"
        (self.out / "bin").mkdir(parents=True)
        shutil.copy(smalltree.census(), self.out / "bin/reader")

    def told(self, wait: float, number: int) -> tuple[int, bytes]:
        with subprocess.Popen(
                [sys.executable, str(smalltree.ROOT / "scripts/migrate.py"),
                 "preview", f"--kernel={self.root}", f"--out={self.out}"],
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as run:
            time.sleep(wait)
            for _ in range(300):
                run.send_signal(number)
                time.sleep(0.002)
                if run.poll() is not None:
                    break
            assert run.stderr is not None
            errors = run.stderr.read()
            return run.wait(60), errors

    def test_signals_that_go_on_break_no_last_line(self) -> None:
        for wait, number in ((0.3, signal.SIGTERM), (1, signal.SIGTERM),
                             (1, signal.SIGINT), (1, signal.SIGHUP)):
            with self.subTest(wait=wait, number=number):
                status, errors = self.told(wait, number)
                self.assertNotIn(b"Traceback", errors)
                self.assertEqual(status, 2, errors)
                self.assertRegex(errors.splitlines()[-1],
                                 rb"^sgwalk: exit 2: interrupted; n")

    def main(self, *words: str, after: str = "") -> "tuple[int, str]":
        done = subprocess.run(
            ["sh", "-c", f'exec "$@" {after}', "sh", sys.executable,
             str(smalltree.ROOT / "scripts/migrate.py"), *words],
            capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout + done.stderr

    def test_output_that_is_closed_or_full_is_no_traceback(self) -> None:
        for after in (">&-", "2>&-", ">&- 2>&-", "2>/dev/full", "<&- >&- 2>&-",
                      ">/dev/full 2>/dev/full"):
            with self.subTest(after):
                status, said = self.main("preview", "--out=/dev/null/x",
                                         f"--kernel={self.root}", after=after)
                self.assertEqual(status, 2, said)
                self.assertNotIn("Traceback", said)
                self.assertNotIn("Exception ignored", said)
                if "2>" not in after:
                    self.assertIn("sgwalk: exit 2: ", said)

    def test_bug_ends_with_the_last_line_too(self) -> None:
        def slip(options: migrate.Options) -> None:
            raise KeyError("no")
        errors = io.StringIO()
        with mock.patch.dict(migrate._COMMANDS, {
                "check": slip}), \
                mock.patch.object(migrate, "_prepare"), \
                mock.patch.object(migrate, "_deafen"), \
                contextlib.redirect_stderr(errors):
            self.assertEqual(migrate.main(["check"]), 2)
        self.assertRegex(errors.getvalue().splitlines()[-1],
                         "^sgwalk: exit 2: a bug in sgwalk: KeyError: 'no'$")


if __name__ == "__main__":
    unittest.main()
