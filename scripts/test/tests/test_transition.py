# SPDX-License-Identifier: GPL-2.0-only
"""Show that the steps of a series change no code but their own.

Every object of fixtures/sg-dma-page/tree is built before the iterator comes, with the
transitional accessor, with the callers that a rename converts, and with the
strict one. scripts/prove/transition.py shows the same on a real tree.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))

import sgpage  # noqa: E402
from prove import builds, transition  # noqa: E402

LIBRARY = "lib/scatterlist.o"

# What the DMA iterator's names are made of, in a file that reads no page.
_RENAMES = ((rb"\bstruct sg_page_iter\b", b"struct sg_dma_page_iter"),
            (rb"\bfor_each_sg_page\b", b"for_each_sg_dma_page"))
_SIMPLE = re.compile(rb"\bfor_each_sg_page\b[^;]*"
                     rb"\bsg_page_iter_dma_address\b", re.DOTALL)
_NOT_SIMPLE = re.compile(rb"\bsg_page_iter_page\b|^#\s*if", re.MULTILINE)
# A caller that has the new names already is other code once they are there.
_NEW = re.compile(rb"\bfor_each_sg_dma_page\b")
_CALLS = re.compile(rb"\bsg_page_iter_dma_address\b")


class Transition(unittest.TestCase):
    folder: tempfile.TemporaryDirectory[str]
    old: dict[str, bytes]            # objects by name, after each step
    transitional: dict[str, bytes]
    moved: dict[str, bytes]
    strict: dict[str, bytes]
    converted: set[str]
    tree: Path                       # as the last step leaves it
    transitional_header: bytes

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        tree = cls.tree = Path(cls.folder.name) / "tree"
        shutil.copytree(ROOT / "fixtures/sg-dma-page/tree", tree, symlinks=True,
                        ignore=shutil.ignore_patterns("*.o", ".git"))
        _make(tree, "allyesconfig")
        cls.old = _objects(tree)
        _place(tree, sgpage.install(tree, sgpage.TRANSITIONAL))
        cls.transitional_header = (tree / sgpage.HEADER).read_bytes()
        cls.transitional = _objects(tree)
        cls.converted = _convert(tree)
        cls.moved = _objects(tree)
        _place(tree, sgpage.install(tree, sgpage.STRICT))
        cls.strict = _objects(tree)

    def test_there_is_something_to_compare(self) -> None:
        self.assertGreaterEqual(len(self.old), 10)
        self.assertIn(LIBRARY, self.old)
        self.assertTrue(self.converted)

    def test_the_iterator_changes_the_library_and_no_other_object(
            self) -> None:
        asks = {str(path.relative_to(ROOT / "fixtures/sg-dma-page/tree")
                    .with_suffix(".o"))
                for path in (ROOT / "fixtures/sg-dma-page/tree").rglob("*.c")
                if _NEW.search(path.read_bytes())}
        self.assertEqual(_differ(self.old, self.transitional) - asks,
                         {LIBRARY})

    def test_a_converted_caller_changes_its_own_object_only(self) -> None:
        self.assertEqual(_differ(self.transitional, self.moved),
                         self.converted)

    def test_the_strict_step_changes_callers_of_the_accessor_only(
            self) -> None:
        """It widens the shift in the accessor, an inline function."""
        calls = {name for name in self.strict if _CALLS.search(
            (self.tree / name).with_suffix(".c").read_bytes())}
        changed = {name for name in self.strict
                   if self.strict[name] != self.moved[name]}
        self.assertTrue(changed)
        self.assertLessEqual(changed, calls)
        self.assertNotIn(LIBRARY, changed)
        self.assertLessEqual({LIBRARY} | self.converted, set(self.strict))

    def test_the_strict_step_builds_no_caller_that_is_left(self) -> None:
        lost = set(self.moved) - set(self.strict)
        self.assertTrue(lost)
        self.assertFalse(lost & self.converted)

    def test_a_wide_shift_would_change_callers_that_are_left(self) -> None:
        """Why the transitional accessor does not have it."""
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder) / "tree"
            shutil.copytree(self.tree, tree, symlinks=True)
            _place(tree, {sgpage.HEADER: self.transitional_header})
            narrow = _objects(tree)
            _place(tree, {sgpage.HEADER: self.transitional_header.replace(
                b"(dma_iter.page->sg_pgoffset << PAGE_SHIFT)",
                b"((dma_addr_t)dma_iter.page->sg_pgoffset << PAGE_SHIFT)")})
            wide = _objects(tree)
        self.assertTrue(_differ(narrow, wide) - self.converted)


class Complaints(unittest.TestCase):
    """What is said of a real tree's steps, whose objects are made up here."""

    def said(self, *objects: tuple[builds.Object, ...]) -> list[str]:
        return transition.complaints(builds.Report("x86_64", "gcc 12", tuple(
            builds.Built(name, one, (), (), (), (), 0, ())
            for name, one in zip(("first", "callers", "last"), objects)), (),
            ()), sgpage.CAMPAIGN, {"calls.o"})

    def test_an_object_may_change_in_its_own_step_only(self) -> None:
        sizes = ((1, 1), (1, 1), (1, 1))
        library = builds.Object(LIBRARY, ("next",), (), (), sizes, False)
        moved = builds.Object("a.o", ("fill",), (), (), sizes, False)
        shifted = builds.Object("a.o", (), (), (), sizes, False)
        same = builds.Object("a.o", (), (), (), sizes, True)
        self.assertEqual(self.said((library, same), (moved,), (shifted,)), [])
        self.assertEqual(self.said((library, shifted), (), ()),
                         ["first: a.o is not identical"])
        self.assertEqual(self.said((library,), (), (moved,)),
                         ["last: changes the code of a.o"])
        caller = builds.Object("calls.o", ("fill",), (), (), sizes, False)
        self.assertEqual(self.said((library,), (), (caller,)), [])
        self.assertEqual(self.said((library, caller), (), ()),
                         ["first: calls.o is not identical"])


def _place(tree: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (tree / name).write_bytes(content)


def _convert(tree: Path) -> set[str]:
    """Convert what a rename converts; return the objects."""
    done = set()
    for path in sorted(tree.glob("drivers/**/*.c")):
        text = path.read_bytes()
        if not _SIMPLE.search(text) or _NOT_SIMPLE.search(text):
            continue
        new = text
        for pattern, instead in _RENAMES:
            new = re.sub(pattern, instead, new)
        path.write_bytes(new)
        name = str(path.relative_to(tree).with_suffix(".o"))
        if name in _objects(tree, [name]):
            done.add(name)
        else:
            path.write_bytes(text)
    return done


def _make(tree: Path, *words: str) -> None:
    subprocess.run(["make", "-s", "-k", *words], cwd=tree,
                   env={"LC_ALL": "C", "PATH": os.environ["PATH"]},
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _objects(tree: Path, names: list[str] | None = None) -> dict[str, bytes]:
    """Build, and return the objects that there are then."""
    for path in tree.rglob("*.o"):
        path.unlink()
    _make(tree, f"-j{os.cpu_count() or 1}", *(names or ["all"]))
    return {str(path.relative_to(tree)): path.read_bytes()
            for path in tree.rglob("*.o")}


def _differ(one: dict[str, bytes], other: dict[str, bytes]) -> set[str]:
    return {name for name in {*one, *other}
            if one.get(name) != other.get(name)}


if __name__ == "__main__":
    unittest.main()
