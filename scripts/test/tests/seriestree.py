# SPDX-License-Identifier: GPL-2.0-only
"""Make git trees for the tests of series.py, and look at what a run leaves.

Data:   {driver: contents} -> a committed kernel tree with MAINTAINERS; a
        tree -> a picture of its repository that two runs can be compared by.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path
from typing import Mapping
from unittest import mock

from judge import plan as planning
from write import series
import smalltree
from read import tree as trees
from judge.plan import Plan
from write.series import Series, Settings

WALK = b"""#include <linux/scatterlist.h>

/* Fills a table with the addresses of a mapped list. */
void NAME_fill(struct sg_table *sgt, u64 *out)
{
	struct sg_page_iter it;

	for_each_sg_page(sgt->sgl, &it, sgt->nents, 0)
		*out++ = sg_page_iter_dma_address(&it);
}
"""
PAGES = WALK.replace(b"sg_page_iter_dma_address(&it)",
                     b"(u64)sg_page_iter_page(&it)")


def walk(name: str) -> bytes:
    return WALK.replace(b"NAME", name.encode())


def section(name: str, pattern: str) -> str:
    return (f"{name.upper()} DRIVER\nM:\t{name.title()} Smith <{name}@x.example>"
            f"\nL:\t{name}@lists.example\nS:\tMaintained\nF:\t{pattern}\n\n")


def make(root: Path, files: Mapping[str, bytes],
         maintainers: str = "") -> Path:
    """Write a kernel tree and commit it under a name of its own."""
    script = smalltree.EMBEDDED / "scripts/get_maintainer.pl"
    head = "List of maintainers\n===================\n\n"
    rest = "THE REST\nL:\tkernel@lists.example\nS:\tOdd\nF:\t*\nF:\t*/\n"
    smalltree.make(root, {
        "MAINTAINERS": (head + maintainers + rest).encode(),
        "scripts/get_maintainer.pl": script.read_bytes(), **files})
    smalltree.git(root, "init", "-q", "-b", "main")
    commit(root, "Start of the tree")
    return root


def commit(root: Path, subject: str) -> None:
    smalltree.git(root, "add", "-A", "-f", ".")
    smalltree.git(root, "-c", "commit.gpgSign=false", "commit", "-q",
                  "--date=2019-01-04T10:00:00Z", "-m", subject)


_PLANS: dict[tuple[object, ...], Plan] = {}


class SeriesCase(unittest.TestCase):
    """A scratch folder, a user with a name, and a place for the private."""

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory(prefix="sgwalk-test.")
        self.addCleanup(scratch.cleanup)
        self.scratch = Path(scratch.name).resolve()
        self.out = self.scratch / "out"
        self.temp = self.scratch / "temp"
        self.temp.mkdir()
        smalltree.census()       # outlives this test, so not below temp
        user = self.scratch / "gitconfig"
        user.write_text("[user]\n\tname = Ada Sender\n"
                        "\temail = ada@sender.example\n")
        self.set_environment(GIT_CONFIG_GLOBAL=str(user),
                             GIT_CONFIG_NOSYSTEM="1",
                             GIT_COMMITTER_DATE="2019-01-04T10:00:00Z",
                             SOURCE_DATE_EPOCH="1546596000",
                             HOME=str(self.scratch), TMPDIR=str(self.temp))
        for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "EMAIL"):
            os.environ.pop(name, None)
        # The private repository has to be gone whatever happens.
        was, tempfile.tempdir = tempfile.tempdir, str(self.temp)
        self.addCleanup(setattr, tempfile, "tempdir", was)

    def set_environment(self, **values: str) -> None:
        patch = mock.patch.dict(os.environ, values)
        patch.start()
        self.addCleanup(patch.stop)

    def plan(self, root: Path, fix: bool = False) -> Plan:
        """Return the plan of a tree; trees that are alike share one."""
        tree = trees.open_tree(str(root))
        key = (fix, *(path.read_bytes() for path in sorted(
            root.rglob("*.[ch]"))), *sorted(map(str, (
                path.relative_to(root) for path in root.rglob("*.[ch]")))))
        if key not in _PLANS:
            _PLANS[key] = planning.make_plan(tree, smalltree.settings(
                rules=tuple(
                    smalltree.ROOT / f"cocci/sg-dma-page/migrate/{name}.cocci"
                    for name in ("local-walk", "page-walk")), fix=fix))
        return replace(_PLANS[key], tree=tree)

    def settings(self, **more: object) -> Settings:
        values: dict[str, object] = {"build": False, "spatch": "1.1.1",
                                     **more}
        return Settings(self.out, 2, **values)  # type: ignore[arg-type]

    def write(self, root: Path, plan: Plan | None = None,
              **more: object) -> Series:
        return series.write(trees.open_tree(str(root)),
                            plan or self.plan(root), self.settings(**more))

    def text(self, made: Series, start: str) -> str:
        """Return the one mail whose name starts like this."""
        name, = [name for name in made.mails if name.startswith(start)]
        return (made.folder / name).read_text("utf-8")

    def nothing_private_is_left(self) -> None:
        self.assertEqual(os.listdir(self.temp), [])
        if self.out.exists():
            self.assertEqual([name for name in os.listdir(self.out)
                              if name.startswith("series.")], [])


def picture(root: Path) -> dict[str, bytes]:
    """Return everything of a repository but its objects."""
    git = root / ".git"
    return {str(path.relative_to(git)): path.read_bytes()
            for path in sorted(git.rglob("*")) if path.is_file()
            and path.relative_to(git).parts[0] != "objects"}


def am(root: Path, mails: list[Path], *options: str) -> str:
    """Apply mails on a worktree of their own; return its last tree."""
    place = root.parent / "am"
    shutil.rmtree(place, ignore_errors=True)
    smalltree.git(root, "worktree", "prune")
    smalltree.git(root, "worktree", "add", "-q", "--detach", str(place))
    subprocess.run(["git", "-c", "user.name=T", "-c", "user.email=t@x",
                    "-C", str(place), "am", "-q", *options,
                    *map(str, mails)], check=True, capture_output=True)
    return smalltree.git(place, "rev-parse", "HEAD^{tree}").strip()
