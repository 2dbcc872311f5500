# SPDX-License-Identifier: GPL-2.0-only
"""M: a folder or files, seen from where make was called, and their kernel."""

import subprocess
import tempfile
import unittest
from pathlib import Path

import smalltree
from smalltree import migrate
from test_plan import NEW, WALK

# A finding that needs no kernel to be found.
DROPPED = b"""#include <linux/dma-mapping.h>

void go(struct device *dev, struct scatterlist *sgl)
{
\tdma_map_sg(dev, sgl, 4, DMA_TO_DEVICE);
}
"""


class ModuleTest(unittest.TestCase):

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name).resolve()
        self.out = self.folder / "out"
        self.module = self.folder / "module"
        for name in ("a.c", "b.c", "deep/c.c"):
            (self.module / name).parent.mkdir(parents=True, exist_ok=True)
            (self.module / name).write_bytes(WALK)

    def changed(self) -> list[str]:
        return [name for name in ("a.c", "b.c", "deep/c.c")
                if (self.module / name).read_bytes() == NEW]

    def run_on(self, verb: str, *words: str
               ) -> "subprocess.CompletedProcess[str]":
        return migrate(verb, *words, out=self.out)

    def refused(self, done: "subprocess.CompletedProcess[str]",
                what: str) -> None:
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(what, done.stderr.splitlines()[-1])
        self.assertEqual(self.changed(), [])

    def test_files_are_all_that_is_changed(self) -> None:
        done = self.run_on("apply", f"--m={self.module}/a.c "
                           f"{self.module}/deep/c.c")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.changed(), ["a.c", "deep/c.c"])
        self.assertIn("sites 6: 6 converted", done.stdout)

    def test_one_file_is_named_from_the_callers_folder(self) -> None:
        done = self.run_on("apply", "--m=deep/c.c", f"--caller={self.module}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.changed(), ["deep/c.c"])

    def test_folder_is_named_from_the_callers_folder(self) -> None:
        done = self.run_on("apply", "--m=deep", f"--caller={self.module}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.changed(), ["deep/c.c"])

    def test_what_is_no_file_is_refused_by_name(self) -> None:
        for words, what in (
                (f"{self.module}/a.c {self.module}/z.c", "z.c: no such file"),
                (f"{self.module}/a.c {self.module}/deep", "deep: a folder"),
                (f"{self.module}/z.c", "z.c: no such folder")):
            self.refused(self.run_on("apply", f"--m={words}"), what)

    def test_kernel_may_be_a_package_of_headers(self) -> None:
        kernel = smalltree.make(self.folder / "common", {})
        (kernel / "lib/scatterlist.c").unlink()
        package = self.folder / "headers"
        package.mkdir()
        (package / "Makefile").write_text(f"include {kernel}/Makefile\n")
        for verb in ("preview", "check"):
            done = self.run_on(verb, f"--m={self.module}",
                               f"--kernel={package}", "--level=low")
            self.assertNotIn("not a kernel tree", done.stderr)
            self.assertIn(done.returncode, (0, 1))
        done = self.run_on("apply", f"--m={self.module}",
                           f"--kernel={package}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("the kernel lacks the DMA page iterator", done.stdout)
        self.assertEqual(len(self.changed()), 3)

    def test_check_judges_the_files_that_are_named(self) -> None:
        kernel = smalltree.make(self.folder / "linux", {
            "drivers/a.c": DROPPED, "drivers/b.c": DROPPED, "c.c": DROPPED})
        for words, files in (
                ("drivers/a.c", ["drivers/a.c"]),
                ("drivers/a.c c.c", ["c.c", "drivers/a.c"]),
                (f"{kernel}/drivers/b.c", ["drivers/b.c"]),
                ("drivers", ["drivers/a.c", "drivers/b.c"])):
            with self.subTest(words):
                done = self.run_on("check", f"--kernel={kernel}",
                                   f"--m={words}")
                found = sorted({line.split(":")[0]
                                for line in done.stdout.splitlines()
                                if "[map-result-dropped]" in line})
                self.assertEqual(found, files, done.stdout + done.stderr)
        done = self.run_on("check", f"--kernel={kernel}", "--m=a.c",
                           f"--caller={kernel}/drivers")
        self.assertIn("drivers/a.c:5:", done.stdout)
        self.assertNotIn("b.c", done.stdout)


if __name__ == "__main__":
    unittest.main()
