# SPDX-License-Identifier: GPL-2.0-only
"""tree: what is a kernel tree, what is dirty, and what is never read."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from read.tree import (Tree, TreeError, open_kernel, open_tree, read,
                       refuse_dirty)

MAKEFILE = b"""# SPDX-License-Identifier: GPL-2.0
VERSION = 4
PATCHLEVEL = 20
SUBLEVEL = 1
EXTRAVERSION =
NAME = Some Animal
"""


def git(where: Path, *words: str) -> str:
    """Run git as a stranger to this machine's configuration."""
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull,
           "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(
        ["git", "-c", "user.name=T", "-c", "user.email=t@example.org",
         "-c", "init.defaultBranch=main", "-C", str(where), *words],
        env=env, check=True, capture_output=True, text=True).stdout


def make_tree(root: Path) -> None:
    for rel, content in (("Makefile", MAKEFILE),
                         ("include/linux/scatterlist.h", b"/* api */\n"),
                         ("drivers/a.c", b"int a;\n"),
                         ("drivers/b.c", b"int b;\n")):
        (root / rel).parent.mkdir(parents=True, exist_ok=True)
        (root / rel).write_bytes(content)


class TreeCase(unittest.TestCase):

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = Path(scratch.name).resolve()
        self.root = self.scratch / "linux"
        make_tree(self.root)

    def commit(self) -> Tree:
        git(self.root, "init", "-q")
        git(self.root, "add", "-A", "-f")
        git(self.root, "commit", "-q", "-m", "all")
        return open_tree(str(self.root))

    def refused(self, *path: str) -> str:
        with self.assertRaises(TreeError) as caught:
            open_tree(*path)
        text = str(caught.exception)
        self.assertNotIn("\n", text)
        return text


class OpenTest(TreeCase):

    def test_kernel_tree_has_its_makefiles_version(self) -> None:
        self.assertEqual(open_tree(str(self.root)),
                         Tree(self.root, "4.20.1", False))

    def test_release_candidate_keeps_its_suffix(self) -> None:
        (self.root / "Makefile").write_bytes(
            MAKEFILE.replace(b"EXTRAVERSION =", b"EXTRAVERSION = -rc3"))
        self.assertEqual(open_tree(str(self.root)).version, "4.20.1-rc3")

    def test_makefile_with_crlf_has_a_version(self) -> None:
        (self.root / "Makefile").write_bytes(
            MAKEFILE.replace(b"\n", b"\r\n"))
        self.assertEqual(open_tree(str(self.root)).version, "4.20.1")

    def test_no_such_folder_is_refused_by_name(self) -> None:
        self.assertEqual(self.refused("/no/where"), "/no/where: no such folder")

    def test_empty_name_is_not_the_current_folder(self) -> None:
        self.assertEqual(self.refused(""), "no tree is named")

    def test_file_is_not_a_tree(self) -> None:
        path = str(self.root / "Makefile")
        self.assertEqual(self.refused(path), f"{path}: not a folder")

    def test_link_to_itself_is_refused(self) -> None:
        loop = self.scratch / "loop"
        loop.symlink_to(loop)
        self.assertIn(str(loop), self.refused(str(loop)))

    def test_folder_without_makefile_is_not_a_kernel_tree(self) -> None:
        self.assertIn("not a kernel tree", self.refused(str(self.scratch)))

    def test_makefile_without_version_is_not_a_kernel_tree(self) -> None:
        (self.root / "Makefile").write_bytes(b"all:\n")
        self.assertIn("names no version", self.refused(str(self.root)))

    def test_tree_without_scatterlist_header_is_not_a_kernel_tree(
            self) -> None:
        (self.root / "include/linux/scatterlist.h").unlink()
        self.assertIn("include/linux/scatterlist.h", self.refused(
            str(self.root)))

    def test_root_that_is_a_link_is_resolved_once(self) -> None:
        link = self.scratch / "link"
        link.symlink_to(self.root)
        self.assertEqual(open_tree(str(link)).root, self.root)

    def test_module_is_the_tree_and_kernel_gives_the_version(self) -> None:
        module = self.scratch / "module"
        module.mkdir()
        self.assertEqual(open_tree(str(self.root), str(module)),
                         Tree(module, "4.20.1", False))
        self.assertEqual(open_tree("", str(module)).version, "")

    def test_module_that_is_missing_is_refused(self) -> None:
        self.assertEqual(self.refused("", "/no/module"),
                         "/no/module: no such folder")


class KernelTest(TreeCase):
    """The kernel that a module is built for need not be a whole tree."""

    def setUp(self) -> None:
        super().setUp()
        self.module = self.scratch / "module"
        self.module.mkdir()

    def version(self, kernel: Path) -> str:
        tree = open_tree(str(kernel), str(self.module))
        self.assertEqual(tree.root, self.module)
        return tree.version

    def package(self, line: str, name: str = "headers") -> Path:
        package = self.scratch / name
        package.mkdir()
        (package / "Makefile").write_text(line)
        return package

    def test_package_whose_makefile_includes_the_common_one(self) -> None:
        for number, line in enumerate((
                f"include {self.root}/Makefile\n",
                "include ../linux/Makefile\n",
                f"# Automatically generated: don't edit\n\ninclude "
                f"{self.root}/Makefile")):
            package = self.package(line, f"headers{number}")
            self.assertEqual(self.version(package), "4.20.1")
            self.assertEqual(open_kernel(str(package)).root, self.root)

    def test_package_with_headers_of_its_own_keeps_them(self) -> None:
        package = self.package(f"include {self.root}/Makefile\n")
        (package / "include/linux").mkdir(parents=True)
        (package / "include/linux/scatterlist.h").write_text("")
        self.assertEqual(open_kernel(str(package)).root, package)

    def test_package_that_is_made_of_links(self) -> None:
        package = self.scratch / "headers"
        package.mkdir()
        (package / "Makefile").symlink_to("../linux/Makefile")
        (package / "include").mkdir()
        (package / "include/linux").symlink_to(self.root / "include/linux")
        self.assertEqual(self.version(package), "4.20.1")
        self.assertEqual(open_kernel(str(package)).root, self.root)

    def test_what_is_no_kernel_is_refused_in_one_sentence(self) -> None:
        for number, line in enumerate((
                "include /no/where/Makefile\n", "all:\n", "include Makefile\n",
                "include $(shell touch bad)\n",
                f"include {self.root}/Makefile\nall:\n")):
            with self.assertRaisesRegex(TreeError, "not a kernel tree") as told:
                open_kernel(str(self.package(line, f"bad{number}")))
            self.assertNotIn("\n", str(told.exception))
        with self.assertRaisesRegex(TreeError, "no such folder"):
            open_kernel("/no/where")
        self.assertFalse(Path("bad").exists())

    def test_package_is_no_tree_to_work_on(self) -> None:
        package = self.package(f"include {self.root}/Makefile\n")
        self.assertIn("M=", self.refused(str(package)))


class ReadTest(TreeCase):

    def setUp(self) -> None:
        super().setUp()
        self.tree = open_tree(str(self.root))
        (self.scratch / "secret").write_bytes(b"outside\n")

    def refuses(self, rel: str, why: str) -> None:
        with self.assertRaises(TreeError) as caught:
            read(self.tree, rel)
        self.assertEqual(str(caught.exception), f"{rel}: {why}")

    def test_bytes_come_back_as_they_are(self) -> None:
        content = bytes(range(256)) + b"\r\n"
        (self.root / "drivers/odd.c").write_bytes(content)
        self.assertEqual(read(self.tree, "drivers/odd.c"), content)

    def test_odd_names_are_only_names(self) -> None:
        for name in (b"a b.c", b"a'\".c", b"$(id).c", b";x.c", b"\n.c",
                     b"\xe9.c", b"-x.c", b"*.c"):
            rel = os.fsdecode(b"drivers/" + name)
            (self.root / rel).write_bytes(name)
            self.assertEqual(read(self.tree, rel), name)

    def test_link_to_a_file_outside_is_refused(self) -> None:
        (self.root / "drivers/l.c").symlink_to(self.scratch / "secret")
        self.refuses("drivers/l.c", "a symbolic link")

    def test_folder_that_links_outside_is_refused(self) -> None:
        (self.root / "out").symlink_to(self.scratch)
        self.refuses("out/secret", "out is a symbolic link, or no folder")

    def test_names_that_climb_are_refused(self) -> None:
        for rel in ("../secret", "drivers/../../secret", "/etc/passwd", "",
                    "./Makefile", "drivers//a.c", "drivers/", "a\0b"):
            self.refuses(rel, "not a name in the tree")

    def test_fifo_and_folder_are_not_files(self) -> None:
        os.mkfifo(self.root / "fifo.c")
        self.refuses("fifo.c", "not a regular file")
        self.refuses("drivers", "not a regular file")

    def test_missing_file_is_named(self) -> None:
        self.refuses("drivers/z.c", "no such file or directory")

    def test_no_descriptor_stays_open(self) -> None:
        before = sorted(os.listdir("/proc/self/fd"))
        read(self.tree, "drivers/a.c")
        with self.assertRaises(TreeError):
            read(self.tree, "drivers/z/y.c")
        self.assertEqual(sorted(os.listdir("/proc/self/fd")), before)


class DirtyTest(TreeCase):

    def refuses(self, tree: Tree, *files: str) -> str:
        with self.assertRaises(TreeError) as caught:
            refuse_dirty(tree, files or None)
        return str(caught.exception)

    def test_clean_tree_passes(self) -> None:
        tree = self.commit()
        self.assertTrue(tree.git)
        refuse_dirty(tree)
        refuse_dirty(tree, ["drivers/a.c"])
        refuse_dirty(tree, [])

    def test_changed_file_is_named(self) -> None:
        tree = self.commit()
        (self.root / "drivers/a.c").write_bytes(b"int mine;\n")
        self.assertIn("drivers/a.c", self.refuses(tree))
        self.assertIn("DIRTY=1", self.refuses(tree, "drivers/a.c"))
        refuse_dirty(tree, ["drivers/b.c"])

    def test_staged_and_deleted_files_count(self) -> None:
        tree = self.commit()
        (self.root / "drivers/a.c").unlink()
        (self.root / "drivers/new.c").write_bytes(b"int n;\n")
        git(self.root, "add", "drivers/new.c")
        self.assertIn("drivers/a.c, drivers/new.c", self.refuses(tree))

    def test_many_changed_files_are_counted(self) -> None:
        tree = self.commit()
        for number in range(5):
            (self.root / f"{number}.c").write_bytes(b"")
        git(self.root, "add", ".")
        self.assertIn("0.c, 1.c, 2.c and 2 more", self.refuses(tree))

    def test_untracked_file_counts_only_when_it_would_be_changed(self) -> None:
        tree = self.commit()
        (self.root / "drivers/mine.c").write_bytes(b"int m;\n")
        refuse_dirty(tree)
        self.assertIn("drivers/mine.c", self.refuses(tree, "drivers/mine.c"))

    def test_ignored_file_counts_when_it_would_be_changed(self) -> None:
        (self.root / ".gitignore").write_text("mine.c\n")
        tree = self.commit()
        (self.root / "drivers/mine.c").write_bytes(b"int m;\n")
        self.assertIn("drivers/mine.c", self.refuses(tree, "drivers/mine.c"))

    def mark(self, flag: str, rel: str) -> None:
        git(self.root, "update-index", flag, rel)

    def test_file_that_git_is_told_not_to_look_at_counts(self) -> None:
        for flag in ("--assume-unchanged", "--skip-worktree"):
            with self.subTest(flag):
                if not (self.root / ".git").exists():
                    self.commit()
                tree = open_tree(str(self.root))
                self.mark(flag, "drivers/a.c")
                # Nothing is lost yet, but what is written there would be.
                refuse_dirty(tree)
                refuse_dirty(tree, ["drivers/b.c"])
                self.assertIn("drivers/a.c",
                              self.refuses(tree, "drivers/a.c"))
                (self.root / "drivers/a.c").write_bytes(b"int mine;\n")
                self.assertEqual(git(self.root, "status", "--porcelain"), "")
                self.assertIn("drivers/a.c", self.refuses(tree))
                (self.root / "drivers/a.c").write_bytes(b"int a;\r\n")
                refuse_dirty(tree)
                self.mark(flag.replace("--", "--no-"), "drivers/a.c")
                git(self.root, "checkout", "-q", ".")

    def test_file_with_both_marks_counts(self) -> None:
        tree = self.commit()
        self.mark("--assume-unchanged", "drivers/a.c")
        self.mark("--skip-worktree", "drivers/a.c")
        self.assertIn("drivers/a.c", self.refuses(tree, "drivers/a.c"))

    def test_sparse_checkout_is_clean(self) -> None:
        tree = self.commit()
        git(self.root, "sparse-checkout", "set", "--no-cone", "/*",
            "!/drivers/b.c")
        self.assertFalse((self.root / "drivers/b.c").exists())
        refuse_dirty(tree)
        refuse_dirty(tree, ["drivers/a.c"])

    def test_ignored_folder_counts_when_it_would_be_changed(self) -> None:
        (self.root / ".gitignore").write_text("vendor/\n")
        tree = self.commit()
        (self.root / "drivers/vendor").mkdir()
        (self.root / "drivers/vendor/m.c").write_bytes(b"int m;\n")
        refuse_dirty(tree)
        self.assertIn("drivers/vendor",
                      self.refuses(tree, "drivers/vendor/m.c"))

    def inner(self, name: str) -> Path:
        """Make a repository in the tree, with one file."""
        inner = self.root / name
        inner.mkdir(parents=True)
        (inner / "in.c").write_bytes(b"int in;\n")
        git(inner, "init", "-q")
        git(inner, "add", ".")
        git(inner, "commit", "-q", "-m", "all")
        return inner

    def test_file_in_a_repository_inside_the_tree_is_asked_of_that(
            self) -> None:
        tree = self.commit()
        inner = self.inner("drivers/vendor")
        refuse_dirty(tree, ["drivers/vendor/in.c", "drivers/a.c"])
        (inner / "in.c").write_bytes(b"int mine;\n")
        self.assertIn("local changes in drivers/vendor/in.c", self.refuses(
            tree, "drivers/vendor/in.c", "drivers/a.c"))
        git(inner, "checkout", "-q", ".")
        git(inner, "update-index", "--skip-worktree", "in.c")
        self.assertIn("drivers/vendor/in.c", self.refuses(
            tree, "drivers/vendor/in.c"))
        (inner / "new.c").write_bytes(b"int new;\n")
        self.assertIn("drivers/vendor/new.c", self.refuses(
            tree, "drivers/vendor/new.c"))

    def test_repository_in_a_tree_without_git_is_asked(self) -> None:
        tree = open_tree(str(self.root))
        inner = self.inner("drivers/vendor")
        refuse_dirty(tree, ["drivers/vendor/in.c", "drivers/a.c"])
        (inner / "in.c").write_bytes(b"int mine;\n")
        self.assertIn("drivers/vendor/in.c", self.refuses(
            tree, "drivers/vendor/in.c", "drivers/a.c"))

    def test_submodule_is_a_repository_inside_the_tree(self) -> None:
        source = self.inner("../vendor")
        self.commit()
        git(self.root, "-c", "protocol.file.allow=always", "submodule",
            "--quiet", "add", str(source), "drivers/vendor")
        git(self.root, "commit", "-q", "-m", "submodule")
        tree = open_tree(str(self.root))
        self.assertTrue((self.root / "drivers/vendor/.git").is_file())
        refuse_dirty(tree)
        refuse_dirty(tree, ["drivers/vendor/in.c"])
        (self.root / "drivers/vendor/in.c").write_bytes(b"int mine;\n")
        self.assertIn("drivers/vendor", self.refuses(tree))
        self.assertIn("drivers/vendor/in.c",
                      self.refuses(tree, "drivers/vendor/in.c"))

    def test_tree_that_is_a_submodule_works(self) -> None:
        self.commit()
        outer = self.scratch / "outer"
        outer.mkdir()
        git(outer, "init", "-q")
        git(outer, "-c", "protocol.file.allow=always", "submodule",
            "--quiet", "add", str(self.root), "linux")
        tree = open_tree(str(outer / "linux"))
        self.assertTrue(tree.git)
        refuse_dirty(tree)
        refuse_dirty(tree, ["drivers/a.c"])
        (outer / "linux/drivers/a.c").write_bytes(b"int mine;\n")
        self.assertIn("drivers/a.c", self.refuses(tree))

    def test_marked_file_in_a_worktree_of_git_counts(self) -> None:
        self.commit()
        other = self.scratch / "other"
        git(self.root, "worktree", "add", "-q", str(other))
        tree = open_tree(str(other))
        git(other, "update-index", "--assume-unchanged", "drivers/a.c")
        refuse_dirty(tree)
        (other / "drivers/a.c").write_bytes(b"int mine;\n")
        self.assertIn("drivers/a.c", self.refuses(tree))
        refuse_dirty(open_tree(str(self.root)))

    def test_many_files_are_asked_about(self) -> None:
        tree = self.commit()
        names = [f"drivers/{'n' * 200}{number}.c" for number in range(2000)]
        for name in names:
            (self.root / name).write_bytes(b"")
        self.assertIn("and 1997 more", self.refuses(tree, *names))

    def test_changes_that_are_ours_do_not_count(self) -> None:
        tree = self.commit()
        (self.root / "drivers/a.c").write_bytes(b"int ours;\n")
        refuse_dirty(tree, but=["drivers/a.c"])
        (self.root / "drivers/b.c").write_bytes(b"int mine;\n")
        with self.assertRaisesRegex(TreeError, "changes in drivers/b.c:"):
            refuse_dirty(tree, but=["drivers/a.c"])

    def test_file_names_are_not_patterns(self) -> None:
        tree = self.commit()
        (self.root / "drivers/a.c").write_bytes(b"int mine;\n")
        refuse_dirty(tree, ["drivers/*.c", ":(top)drivers"])

    def test_tree_without_git_is_never_dirty(self) -> None:
        tree = open_tree(str(self.root))
        self.assertFalse(tree.git)
        refuse_dirty(tree)

    def test_tree_that_git_ignores_is_a_tree_without_git(self) -> None:
        (self.root / ".gitignore").write_text("/*\n")
        git(self.root, "init", "-q")
        tree = open_tree(str(self.root))
        self.assertFalse(tree.git)
        refuse_dirty(tree)

    def test_tree_inside_a_repository_that_ignores_it_is_without_git(
            self) -> None:
        git(self.scratch, "init", "-q")
        (self.scratch / ".gitignore").write_text("linux/\n")
        self.assertFalse(open_tree(str(self.root)).git)

    def test_tree_that_an_outer_repository_tracks_can_be_dirty(self) -> None:
        git(self.scratch, "init", "-q")
        git(self.scratch, "add", ".")
        git(self.scratch, "commit", "-q", "-m", "all")
        tree = open_tree(str(self.root))
        (self.scratch / "beside.c").write_bytes(b"")
        git(self.scratch, "add", "beside.c")
        refuse_dirty(tree)
        (self.root / "drivers/a.c").write_bytes(b"")
        self.assertIn("linux/drivers/a.c", self.refuses(tree))

    def test_worktree_of_git_is_a_tree_with_git(self) -> None:
        self.commit()
        other = self.scratch / "other"
        git(self.root, "worktree", "add", "-q", str(other))
        tree = open_tree(str(other))
        self.assertTrue((other / ".git").is_file())
        self.assertTrue(tree.git)
        refuse_dirty(tree)
        (other / "drivers/a.c").write_bytes(b"")
        self.assertIn("drivers/a.c", self.refuses(tree))

    def test_worktree_whose_repository_is_gone_is_refused(self) -> None:
        (self.root / ".git").write_text("gitdir: /no/where\n")
        self.assertIn("not a git repository",
                      self.refuses(open_tree(str(self.root))))

    def test_another_repository_in_the_environment_is_not_asked(self) -> None:
        tree = self.commit()
        (self.root / "drivers/a.c").write_bytes(b"")
        os.environ["GIT_DIR"] = str(self.scratch / "none")
        self.addCleanup(os.environ.pop, "GIT_DIR")
        self.assertIn("drivers/a.c", self.refuses(tree))

    def test_git_missing_is_said_and_not_taken_for_clean(self) -> None:
        self.commit()
        path = os.environ["PATH"]
        self.addCleanup(os.environ.__setitem__, "PATH", path)
        os.environ["PATH"] = str(self.scratch)
        tree = open_tree(str(self.root))
        self.assertIn("git: no such file", self.refuses(tree))

    def test_asking_writes_nothing(self) -> None:
        tree = self.commit()
        os.utime(self.root / "drivers/a.c", (1, 1))
        before = {path: path.stat().st_mtime_ns
                  for path in [self.root, *self.root.rglob("*")]}
        refuse_dirty(tree)
        after = {path: path.stat().st_mtime_ns
                 for path in [self.root, *self.root.rglob("*")]}
        self.assertEqual(after, before)

    def test_command_in_the_trees_configuration_is_not_run(self) -> None:
        tree = self.commit()
        proof = self.scratch / "ran"
        git(self.root, "config", "core.fsmonitor", f"touch {proof};:")
        refuse_dirty(tree)
        self.assertFalse(proof.exists())


if __name__ == "__main__":
    unittest.main()
