# SPDX-License-Identifier: GPL-2.0-only
"""Nothing that a tree names runs, and no change hides from check BASE=."""

from __future__ import annotations

import os
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

from host import gitsafe
from read import changed
import smalltree
from read import tree as trees
from read.changed import ChangedError, Since
from smalltree import git

C = b"int a;\nint b;\nint c;\n"


class GitCase(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name).resolve()
        self.root = smalltree.make(self.folder / "linux", {
            "a.c": C, "sub/b.c": C, "gone.c": C})
        smalltree.commit(self.root)
        self.ran = self.folder / "RAN"
        self.program = self.folder / "program"
        self.program.write_text(f"#!/bin/sh\necho \"$0\" >>{self.ran}\ncat\n")
        self.program.chmod(0o755)

    def differ(self, *files: str) -> list[str]:
        since = Since(trees.open_tree(str(self.root)), "HEAD")
        return since.load(files or ("a.c", "sub/b.c", "gone.c"))


class RunsNothing(GitCase):
    SETTINGS = {
        "filter.x.clean": "PROGRAM", "filter.x.smudge": "PROGRAM",
        "core.fsmonitor": "PROGRAM", "core.sshCommand": "PROGRAM",
        "core.pager": "PROGRAM", "diff.external": "PROGRAM",
        "diff.x.textconv": "PROGRAM", "diff.x.command": "PROGRAM",
        "alias.status": "!PROGRAM", "alias.ls-tree": "!PROGRAM",
        "core.gitProxy": "PROGRAM", "core.alternateRefsCommand": "PROGRAM",
        "gpg.program": "PROGRAM", "core.askPass": "PROGRAM",
        "remote.origin.uploadpack": "PROGRAM", "remote.origin.url": "HERE",
        "remote.origin.promisor": "true", "extensions.partialClone": "origin",
        "remote.origin.partialclonefilter": "blob:none",
    }

    def arm(self, **more: str) -> None:
        """Name a program wherever a repository can, and make git look."""
        for key, value in {**self.SETTINGS, **more}.items():
            git(self.root, "config", key, value.replace(
                "PROGRAM", str(self.program)).replace("HERE", str(self.root)))
        hooks = self.root / ".git/hooks"
        hooks.mkdir(exist_ok=True)
        for name in ("post-index-change", "reference-transaction",
                     "post-checkout", "fsmonitor-watchman"):
            (hooks / name).write_bytes(self.program.read_bytes())
            (hooks / name).chmod(0o755)
        (self.root / ".git/info").mkdir(exist_ok=True)
        (self.root / ".git/info/attributes").write_text("* filter=x diff=x\n")
        (self.root / ".gitattributes").write_text("* filter=x diff=x\n")
        for path in (self.root / "a.c", self.root / "sub/b.c"):
            os.utime(path, (1, 1))
        self.ran.unlink(missing_ok=True)

    def assert_quiet(self) -> None:
        said = self.ran.read_text() if self.ran.exists() else ""
        self.assertEqual("", said)

    def test_base_of_check(self) -> None:
        self.arm()
        (self.root / "a.c").write_bytes(C + b"int d;\n")
        self.assertEqual(["a.c"], self.differ())
        self.assert_quiet()

    def test_a_process_filter(self) -> None:
        self.arm(**{"filter.x.process": "PROGRAM",
                    "filter.x.required": "true"})
        self.assertEqual([], self.differ())
        trees.refuse_dirty(trees.open_tree(str(self.root)))
        trees.refuse_dirty(trees.open_tree(str(self.root)), ["a.c"])
        self.assert_quiet()

    def test_local_changes(self) -> None:
        self.arm()
        tree = trees.open_tree(str(self.root))
        trees.refuse_dirty(tree)
        trees.refuse_dirty(tree, ["a.c", "sub/b.c"])
        self.assert_quiet()
        (self.root / "a.c").write_bytes(C + b"int d;\n")
        with self.assertRaisesRegex(trees.TreeError, "local changes in a.c"):
            trees.refuse_dirty(tree)
        self.assert_quiet()

    def test_an_object_that_is_missing_is_not_fetched(self) -> None:
        self.arm()
        blob = git(self.root, "rev-parse", "HEAD:a.c").strip()
        (self.root / ".git/objects" / blob[:2] / blob[2:]).unlink()
        (self.root / "a.c").write_bytes(C + b"int d;\n")
        with self.assertRaisesRegex(ChangedError, "missing"):
            self.differ()
        self.ran.unlink(missing_ok=True)     # by git rev-parse above
        for revision in ("HEAD~9", "1234567", "0" * 40):
            with self.assertRaises(ChangedError):
                Since(trees.open_tree(str(self.root)), revision)
        self.assert_quiet()

    def test_the_programs_would_have_run(self) -> None:
        # What a plain git does, so that the tests above can fail.
        self.arm()
        git(self.root, "status")
        self.assertIn("program", self.ran.read_text())


class HidesNothing(GitCase):
    def change(self) -> None:
        (self.root / "a.c").write_bytes(C + b"int d;\n")

    def assert_seen(self) -> None:
        since = Since(trees.open_tree(str(self.root)), "HEAD")
        self.assertTrue(changed.touches(since, "a.c", 4, 4))
        self.assertFalse(changed.touches(since, "a.c", 1, 1))
        self.assertFalse(changed.touches(since, "sub/b.c", 1, 9))

    def test_attributes_of_the_tree(self) -> None:
        for text in ("*.c -diff\n", "*.c binary\n", "* diff=x -text\n"):
            with self.subTest(text):
                (self.root / ".gitattributes").write_text(text)
                (self.root / ".git/info/attributes").write_text(text)
                self.change()
                self.assert_seen()

    def test_a_nul_byte(self) -> None:
        (self.root / "a.c").write_bytes(C + b"/* \0 */ int d;\n")
        self.assert_seen()

    def test_another_work_tree(self) -> None:
        clean = smalltree.make(self.folder / "clean", {"a.c": C})
        git(self.root, "config", "core.worktree", str(clean))
        self.change()
        self.assert_seen()

    def test_flags_of_the_index(self) -> None:
        for flag in ("--assume-unchanged", "--skip-worktree"):
            with self.subTest(flag):
                git(self.root, "update-index", flag, "a.c")
                self.change()
                self.assert_seen()
                git(self.root, "update-index", "--no" + flag[1:], "a.c")

    def test_an_index_that_has_the_change_or_is_gone(self) -> None:
        self.change()
        git(self.root, "add", "a.c")
        self.assert_seen()
        (self.root / ".git/index").unlink()
        self.assert_seen()

    def test_the_same_time_and_size(self) -> None:
        facts = (self.root / "a.c").stat()
        (self.root / "a.c").write_bytes(C.replace(b"b", b"x"))
        os.utime(self.root / "a.c", ns=(facts.st_atime_ns, facts.st_mtime_ns))
        self.assertEqual(["a.c"], self.differ())

    def test_a_new_file_that_the_change_ignores(self) -> None:
        (self.root / ".gitignore").write_text("*\n")
        (self.root / "new.c").write_bytes(C)
        since = Since(trees.open_tree(str(self.root)), "HEAD")
        self.assertTrue(changed.touches(since, "new.c", 1, 1))

    def test_renamed_and_deleted_files(self) -> None:
        (self.root / "gone.c").rename(self.root / "moved.c")
        self.assertEqual(["moved.c"], self.differ("gone.c", "moved.c", "a.c"))

    def test_a_link_that_became_a_file(self) -> None:
        (self.root / "l.c").symlink_to("a.c")
        git(self.root, "add", "l.c")
        git(self.root, "commit", "-qm", "link")
        (self.root / "l.c").unlink()
        (self.root / "l.c").write_bytes(C)
        self.assertEqual(["l.c"], self.differ("l.c"))

    def test_a_replaced_object(self) -> None:
        # By what has the change already, and by what differs elsewhere.
        for other in (C + b"int d;\n", C.replace(b"a", b"x") + b"int d;\n"):
            with self.subTest(other):
                (self.folder / "other").write_bytes(other)
                git(self.root, "replace", "-f",
                    git(self.root, "rev-parse", "HEAD:a.c").strip(),
                    git(self.root, "hash-object", "-w",
                        str(self.folder / "other")).strip())
                self.change()
                self.assert_seen()

    def test_odd_names_and_carriage_returns(self) -> None:
        names = ["a b.c", "q\"\\.c", "n\nl.c", "\udcff.c", "-x.c", ":(top)y.c"]
        for name in names:
            (self.root / name).write_bytes(C)
        git(self.root, "add", "-A", "-f", ".")
        git(self.root, "commit", "-qm", "names")
        for name in names:
            (self.root / name).write_bytes(C.replace(b"b;\n", b"b;\r\n"))
        since = Since(trees.open_tree(str(self.root)), "HEAD")
        self.assertEqual(names, since.load(names))
        for name in names:
            self.assertTrue(changed.touches(since, name, 2, 2))
            self.assertFalse(changed.touches(since, name, 3, 3))


class Places(GitCase):
    def test_a_worktree_and_an_upstream(self) -> None:
        git(self.root, "update-ref", "refs/remotes/origin/main", "HEAD")
        git(self.root, "worktree", "add", "-q", "-b", "x",
            str(self.folder / "wt"))
        for key, value in (("branch.x.remote", "origin"),
                           ("branch.x.merge", "refs/heads/main"),
                           ("remote.origin.url", "/nowhere"),
                           ("remote.origin.fetch",
                            "+refs/heads/*:refs/remotes/origin/*")):
            git(self.root, "config", key, value)
        (self.folder / "wt/a.c").write_bytes(b"int x;\n")
        tree = trees.open_tree(str(self.folder / "wt"))
        for revision in ("HEAD", "@{upstream}", "origin/main"):
            self.assertEqual(["a.c"], Since(tree, revision).load(
                ["a.c", "sub/b.c"]))

    def test_what_was_fetched_and_a_shallow_clone(self) -> None:
        there = self.folder / "clone"
        git(self.folder, "clone", "-q", "--depth=1", f"file://{self.root}",
            str(there))
        git(there, "fetch", "-q", "--depth=1", "origin", "HEAD")
        (there / "a.c").write_bytes(b"int x;\n")
        tree = trees.open_tree(str(there))
        for revision in ("HEAD", "FETCH_HEAD"):
            self.assertEqual(["a.c"], Since(tree, revision).load(
                ["a.c", "sub/b.c"]))
        with self.assertRaises(ChangedError):
            Since(tree, "HEAD~")

    def test_objects_of_another_repository(self) -> None:
        there = self.folder / "clone"
        git(self.folder, "clone", "-q", "--shared", str(self.root), str(there))
        (there / "a.c").write_bytes(b"int x;\n")
        self.assertEqual(["a.c"], Since(
            trees.open_tree(str(there)), "HEAD").load(["a.c", "sub/b.c"]))

    def test_sha_256(self) -> None:
        root = smalltree.make(self.folder / "sha", {"a.c": C})
        git(root, "init", "-q", "--object-format=sha256")
        git(root, "add", "-A", "-f", ".")
        git(root, "commit", "-qm", "tree")
        tree = trees.open_tree(str(root))
        self.assertEqual([], Since(tree, "HEAD").load(["a.c"]))
        (root / "a.c").write_bytes(b"int x;\n")
        self.assertEqual(["a.c"], Since(tree, "HEAD").load(["a.c"]))

    def test_a_folder_below_a_repository_and_none(self) -> None:
        inner = smalltree.make(self.root / "inner", {"a.c": C})
        with self.assertRaisesRegex(ChangedError, "not the top"):
            Since(trees.open_tree(str(inner)), "HEAD")
        alone = smalltree.make(self.folder / "alone", {})
        with self.assertRaisesRegex(ChangedError, "not a git repository"):
            Since(trees.open_tree(str(alone)), "HEAD")

    @unittest.skipIf(os.geteuid(), "only root can give a tree away")
    def test_a_tree_of_somebody_else_is_gits_to_refuse(self) -> None:
        for path in (self.root, self.root / ".git"):
            os.chown(path, 65534, 65534)
        kept = {"SUDO_UID": "", "GIT_CONFIG_GLOBAL": os.devnull}
        tree = trees.open_tree(str(self.root))
        with mock.patch.dict(os.environ, kept):
            with self.assertRaisesRegex(ChangedError, "dubious ownership"):
                Since(tree, "HEAD")
            self.assertFalse(gitsafe.belongs(self.root))
            gitsafe.trust(self.root)
            self.assertTrue(gitsafe.belongs(self.root))
            self.assertEqual([], Since(tree, "HEAD").load(["a.c"]))

    def test_many_files_take_one_git_each_way(self) -> None:
        for number in range(600):
            (self.root / f"{number}.c").write_bytes(C)
        git(self.root, "add", "-A", "-f", ".")
        git(self.root, "commit", "-qm", "many")
        names = [f"{number}.c" for number in range(600)]
        for name in names:
            (self.root / name).write_bytes(C + b"int d;\n")
        start = time.monotonic()
        self.assertEqual(names, self.differ(*names))
        self.assertLess(time.monotonic() - start, 10)


if __name__ == "__main__":
    unittest.main()
