# SPDX-License-Identifier: GPL-2.0-only
"""The command line on a tree, a change or an environment made to mislead it."""

from __future__ import annotations

import os
import subprocess
import unittest

import smalltree
from smalltree import git
from test_check import RIGHT, WRONG
from test_migrate import CommandTest, MIXED
from test_plan import WALK

ODD = "d\x1b]0;owned\x07\x1b[2J\u202e\x9b.c"


class Terminal(CommandTest):
    """No name of a file reaches a terminal as it is."""

    def seen(self, done: "subprocess.CompletedProcess[str]",
             named: bool = True) -> None:
        for text in (done.stdout, done.stderr):
            self.assertEqual([], [one for one in text if one not in "\n\t"
                                  and not one.isprintable()])
        if named:
            self.assertIn("d\\x1b]0;owned\\x07", done.stdout + done.stderr)

    def test_apply_and_preview(self) -> None:
        self.make()
        (self.tree / ODD).write_bytes(WALK + MIXED.split(b"\n\n", 1)[1]
                                      .replace(b"void ", b"void more_"))
        done = self.run_on("preview")
        self.assertEqual(0, done.returncode, done.stderr)
        self.seen(done, named=False)
        done = self.run_on("apply")
        self.assertEqual(0, done.returncode, done.stderr)
        self.seen(done)

    def test_check_in_every_format(self) -> None:
        self.make()
        (self.tree / ODD).write_bytes(WRONG)
        for form in ("text", "gcc", "json", "sarif", "github", "gitlab",
                     "junit"):
            with self.subTest(form):
                done = self.run_on("check", f"--format={form}")
                self.assertEqual(1, done.returncode, done.stderr)
                self.seen(done, named=form in ("text", "gcc", "github",
                                               "junit"))

    def test_a_refusal(self) -> None:
        self.make()
        (self.tree / ODD).write_bytes(WALK)
        smalltree.commit(self.tree)
        (self.tree / ODD).write_bytes(WALK + b"\n")
        done = self.run_on("apply")
        self.assertEqual(2, done.returncode, done.stderr)
        self.seen(done)


class Blind(CommandTest):
    """check BASE= finds what a change breaks, whatever else it holds."""

    def setUp(self) -> None:
        super().setUp()
        self.make(a_c=RIGHT, b_c=RIGHT)
        smalltree.commit(self.tree)
        self.ran = self.folder / "RAN"

    def found(self, *files: str) -> None:
        done = self.run_on("check", "--base=HEAD", "--format=github")
        self.assertEqual(1, done.returncode, done.stderr + done.stdout)
        for file in files:
            self.assertIn(f"::error file={file},line=9,", done.stdout)
        self.assertFalse(self.ran.exists())

    def test_by_attributes_and_filters(self) -> None:
        (self.tree / ".gitattributes").write_text("*.c -diff filter=x\n")
        for key in ("filter.x.clean", "filter.x.process", "core.fsmonitor",
                    "diff.external", "core.sshCommand"):
            git(self.tree, "config", key, f"touch {self.ran}; cat")
        (self.tree / "a.c").write_bytes(WRONG)
        self.found("a.c")

    def test_by_a_byte_a_flag_a_folder_and_a_name(self) -> None:
        (self.tree / "a.c").write_bytes(WRONG + b"/* \0 */\n")
        git(self.tree, "update-index", "--assume-unchanged", "b.c")
        (self.tree / "b.c").write_bytes(WRONG)
        (self.tree / ".gitignore").write_text("new.c\n.gitignore\n")
        (self.tree / "new.c").write_bytes(WRONG)
        clean = smalltree.make(self.folder / "clean", {"a.c": RIGHT})
        git(self.tree, "config", "core.worktree", str(clean))
        self.found("a.c", "b.c", "new.c")

    def test_a_byte_does_not_make_old_lines_new(self) -> None:
        wrong = WRONG + b"/* \0 */\n"
        (self.tree / "a.c").write_bytes(wrong)
        smalltree.commit(self.tree)
        (self.tree / "a.c").write_bytes(wrong + b"\n")
        done = self.run_on("check", "--base=HEAD")
        self.assertEqual(0, done.returncode, done.stderr + done.stdout)

    def test_a_change_without_a_fault_is_good(self) -> None:
        (self.tree / "a.c").write_bytes(RIGHT + b"\n")
        done = self.run_on("check", "--base=HEAD")
        self.assertEqual(0, done.returncode, done.stderr + done.stdout)

    def test_a_changed_file_that_nobody_can_read_is_named(self) -> None:
        if not os.geteuid():
            self.skipTest("root can read all files")
        (self.tree / "a.c").chmod(0)
        done = self.run_on("check", "--base=HEAD", "--unread=error")
        self.assertEqual(1, done.returncode, done.stderr)
        self.assertIn("not read", done.stdout)

    @unittest.skipIf(os.geteuid(), "only root can give a tree away")
    def test_a_tree_of_somebody_else_is_refused(self) -> None:
        for path in (self.tree, self.tree / ".git"):
            os.chown(path, 65534, 65534)
        (self.tree / "a.c").write_bytes(WRONG)
        more = {"SUDO_UID": "", "GIT_CONFIG_GLOBAL": os.devnull}
        done = self.run_on("check", "--base=HEAD", **more)
        self.refused(done, 2, "dubious ownership")
        done = self.run_on("check", "--base=HEAD", "--trust", **more)
        self.assertEqual(1, done.returncode, done.stderr)
        for verb in ("series", "verify", "boot"):
            self.refused(self.run_on(verb, **more), 2, "TRUST=1")


class Environment(CommandTest):
    def test_a_date_that_no_calendar_has(self) -> None:
        self.make(a_c=RIGHT)
        for epoch in ("9" * 30, "99999999999999", "-99999999999999", "x",
                      "\u00b2", "1e9"):
            with self.subTest(epoch):
                self.refused(self.run_on("check", SOURCE_DATE_EPOCH=epoch), 2,
                             "SOURCE_DATE_EPOCH=")


if __name__ == "__main__":
    unittest.main()
