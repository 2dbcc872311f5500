# SPDX-License-Identifier: GPL-2.0-only
"""Hold boot.py to its promises without building a kernel.

The tree here has a Makefile that makes, in place of a kernel, a program that
prints what a test tells it to. What real kernels print is in the closing
notes; what is tested is that no slip of theirs passes for a success, and that
no build is made twice.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))

import sgpage  # noqa: E402
from prove import boot  # noqa: E402
from prove import ktap  # noqa: E402
from prove import suite  # noqa: E402
from prove.boot import BootError, Booted  # noqa: E402

GOOD = "KTAP version 1\n1..1\nok 1 walk\n"

# In place of kbuild; `linux` is a program, as under user mode Linux.
MAKEFILE = """x86_64_defconfig olddefconfig:
	@touch $(O)/.config
linux: lib/scatterlist.c console
	@echo built >>$(O)/builds
	@{ echo '#!/bin/sh'; echo "cat <<'end'"; cat console; echo end; \\
	   cat ending; } >$(O)/linux
	@chmod +x $(O)/linux
"""
# In place of kunit.py: it makes what it is run in, and ends with 0 anyhow.
KUNIT = """import os
if os.path.exists("lib/sg_dma_walk_test.c"):
    print("KTAP version 1\\n1..1\\nok 1 walk")
"""
# merge_config.sh -m -O objs objs/.config fragment
MERGE = """#!/bin/sh
cat "$5" >>"$3/.config"
"""


class Booting(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tree = Path(folder.name) / "tree"
        self.out = Path(folder.name) / "out"
        self.put("Makefile", MAKEFILE)
        self.put("scripts/kconfig/merge_config.sh", MERGE)
        self.put("lib/Makefile", "obj-y += scatterlist.o\n")
        self.put("lib/Kconfig", "config A\n\tbool\n")
        for name in (sgpage.HEADER, sgpage.LIBRARY):
            self.put(name, (ROOT / "fixtures/sg-dma-page/tree" / name).read_text())
        self.put("console", GOOD)
        self.put("ending", "exit 0\n")

    def put(self, name: str, text: str) -> None:
        path = self.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def boot(self, kind: str = "uml", as_is: bool = False) -> Booted:
        return boot.boot(sgpage.CAMPAIGN, self.tree, kind, self.out, 1, as_is)

    @property
    def builds(self) -> int:
        files = list(self.out.rglob("builds"))
        return len(files[0].read_text().splitlines()) if files else 0

    def test_a_kernel_is_built_with_the_core_and_the_cases(self) -> None:
        before = {path: path.read_bytes()
                  for path in self.tree.rglob("*") if path.is_file()}
        booted = self.boot()
        self.assertTrue(booted.report.holds)
        self.assertEqual(before, {path: path.read_bytes() for path in
                                  self.tree.rglob("*") if path.is_file()})
        src = next(self.out.glob("*/src"))
        self.assertEqual(sgpage.probe(src), sgpage.STRICT)
        self.assertEqual(sgpage.fix(src), {})
        self.assertTrue((src / "lib/sg_walk_boot.c").exists())
        self.assertIn("sg_walk_boot.o", (src / "lib/Makefile").read_text())

    def test_nothing_is_built_twice(self) -> None:
        self.assertTrue(self.boot().built)
        self.assertFalse(self.boot().built)
        self.assertEqual(self.builds, 1)

    def test_a_change_in_the_tree_is_built(self) -> None:
        self.boot()
        self.put("console", GOOD.replace("ok 1", "not ok 1"))
        booted = self.boot()
        self.assertTrue(booted.built)
        self.assertEqual(booted.report.count(ktap.Verdict.FAILED), 1)

    def test_a_file_that_left_the_tree_leaves_the_copy(self) -> None:
        self.put("lib/gone.c", "int gone;\n")
        self.boot()
        (self.tree / "lib/gone.c").unlink()
        self.boot()
        self.assertFalse(list(self.out.rglob("gone.c")))

    def test_a_file_that_goes_back_is_new_to_make(self) -> None:
        self.boot()
        src = next(self.out.glob("*/src"))
        old = self.tree / sgpage.LIBRARY
        os.utime(old, (1, 1))
        boot._copy(self.tree, src, {})
        self.assertEqual((src / sgpage.LIBRARY).read_bytes(), old.read_bytes())
        self.assertGreater((src / sgpage.LIBRARY).stat().st_mtime, 1)

    def test_what_an_earlier_build_left_in_the_tree_is_not_copied(
            self) -> None:
        for name in (".config", "include/config/auto.conf",
                     "include/generated/autoconf.h",
                     "arch/x86/include/generated/asm/a.h", ".git/HEAD"):
            self.put(name, "stale\n")
        self.boot()
        src = next(self.out.glob("*/src"))
        self.assertEqual([path for path in src.rglob("*") if path.is_file()
                          and path.read_text() == "stale\n"], [])

    def test_a_symbolic_link_stays_one(self) -> None:
        (self.tree / "link").symlink_to("lib")
        self.boot()
        self.assertTrue((next(self.out.glob("*/src")) / "link").is_symlink())

    def test_a_splat_is_a_failure_though_all_cases_pass(self) -> None:
        for splat in ("WARNING: CPU: 0 PID: 1 at lib/scatterlist.c:1",
                      "kernel BUG: at lib/scatterlist.c:2", "Call Trace:",
                      "DMA-API: e1000 0000:00:03.0: device driver frees DMA "
                      "memory it has not allocated",
                      "DMAR: [DMA Read] Request device [00:03.0] fault addr"):
            with self.subTest(splat):
                self.put("console", GOOD + splat + "\n")
                self.assertEqual(len(self.boot().splats), 1)

    def test_what_dma_debugging_says_when_it_starts_is_no_splat(self) -> None:
        self.put("console", "DMA-API: preallocated 65536 debug entries\n"
                            "DMA-API: debugging enabled by kernel config\n"
                            "DMAR: Host address width 39\n" + GOOD)
        self.assertEqual(self.boot().splats, ())

    def test_a_splat_before_the_cases_is_not_theirs(self) -> None:
        self.put("console", "WARNING: CPU: 0 at kernel/time/clock.c\n" + GOOD)
        self.assertEqual(self.boot().splats, ())

    def test_a_kernel_that_prints_no_case_is_started_again(self) -> None:
        self.put("console", "Kernel panic - not syncing: no clock\n")
        booted = self.boot()
        self.assertFalse(booted.report.holds)
        self.assertEqual(len(booted.splats), 1)
        self.assertTrue(self.boot().built)

    def test_a_kernel_that_dies_half_way_is_a_failure(self) -> None:
        self.put("console", "KTAP version 1\n1..2\nok 1 walk\n")
        self.assertFalse(self.boot().report.holds)

    def test_a_kernel_that_does_not_end_is_ended(self) -> None:
        self.put("ending", "sleep 60\n")
        limit, boot._BOOT_LIMIT = boot._BOOT_LIMIT, 1
        self.addCleanup(setattr, boot, "_BOOT_LIMIT", limit)
        with self.assertRaisesRegex(BootError, "no end after 1 s"):
            self.boot()

    def test_a_build_that_fails_says_where_to_look(self) -> None:
        self.put("Makefile", MAKEFILE + "\t@false\n")
        with self.assertRaisesRegex(BootError, r"see .*build\.log"):
            self.boot()
        self.put("Makefile", MAKEFILE)
        self.assertTrue(self.boot().built)

    def test_a_configuration_that_does_not_come_true_is_told(self) -> None:
        self.put("scripts/kconfig/merge_config.sh", "#!/bin/sh\n")
        with self.assertRaisesRegex(BootError, "cannot be configured with"):
            self.boot()

    def test_a_case_that_is_skipped_is_no_success(self) -> None:
        self.put("console", GOOD.replace("walk", "walk # SKIP no memory"))
        booted = self.boot()
        self.assertFalse(booted.holds)
        self.assertEqual(boot.table(booted), "skipped walk\n"
                         "0 passed, 1 failed")

    def test_the_table_has_a_row_a_case_and_ends_with_the_sum(self) -> None:
        self.put("console", "KTAP version 1\n1..2\nok 1 walk\n# page 2\n"
                            "not ok 2 run\nCall Trace:\n")
        booted = self.boot()
        self.assertFalse(booted.holds)
        self.assertEqual(boot.table(booted), "ok      walk\n"
                         "not ok  run\n"
                         "          page 2\n"
                         "not ok  the kernel says: Call Trace:\n"
                         "1 passed, 2 failed")

    def test_kunit_runs_what_it_was_asked_for_whatever_ran_before(
            self) -> None:
        """All kinds are made of one copy, and kunit.py makes it each time."""
        self.put("tools/testing/kunit/kunit.py", KUNIT)
        self.put("lib/Makefile", "obj-$(CONFIG_SG_SPLIT) += sg_split.o\n"
                                 "obj-$(CONFIG_SG_POOL) += sg_pool.o\n")
        self.put("lib/Kconfig.debug",
                 "if A\n\nconfig LIST_KUNIT_TEST\n\tbool\n")
        self.assertTrue(self.boot("kunit").holds)
        self.assertTrue(self.boot().holds)
        self.assertTrue(self.boot("kunit").holds)

    def test_an_old_tree_cannot_be_booted_as_it_is(self) -> None:
        with self.assertRaisesRegex(BootError, "no DMA page iterator"):
            self.boot(as_is=True)


SUITE = suite.Suite(sgpage.CAMPAIGN)


class SuiteTest(unittest.TestCase):
    def test_the_patch_is_what_its_sources_make(self) -> None:
        self.assertEqual(SUITE.made(), SUITE.patch.read_bytes(),
                         "run scripts/prove/suite.py and keep what it prints")

    def test_the_patch_and_the_driver_make_the_same_tree(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder)
            (tree / "lib").mkdir()
            (tree / "lib/Makefile").write_text(
                "obj-$(CONFIG_SG_SPLIT) += sg_split.o\n"
                "obj-$(CONFIG_SG_POOL) += sg_pool.o\n")
            (tree / "lib/Kconfig.debug").write_text(
                "if RUNTIME_TESTING_MENU\n\nconfig LIST_KUNIT_TEST\n\tbool\n")
            wanted = SUITE.install(tree)
            with SUITE.patch.open("rb") as patch:
                subprocess.run(["patch", "-p1", "-s"], cwd=tree, stdin=patch,
                               check=True)
            self.assertEqual(wanted, {name: (tree / name).read_bytes()
                                      for name in wanted})

    def test_the_patch_is_offered_where_git_am_takes_it(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder)
            files = {
                "lib/Makefile": "obj-$(CONFIG_SG_SPLIT) += sg_split.o\n"
                                "obj-$(CONFIG_SG_POOL) += sg_pool.o\n",
                "lib/Kconfig.debug": "if RUNTIME_TESTING_MENU\n\nconfig "
                                     "LIST_KUNIT_TEST\n\tbool\n",
                "include/kunit/test.h": "#define KUNIT_ARRAY_PARAM(a, b, c)\n"}
            for name, text in files.items():
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                (tree / name).write_text(text)
            self.assertTrue(SUITE.fits(tree))
            for name in files:
                with self.subTest(name):
                    (tree / name).write_text("\n")
                    self.assertFalse(SUITE.fits(tree))
                    (tree / name).write_text(files[name])
            git = ["git", "-c", "user.name=T", "-c", "user.email=t@e.org"]
            for words in (["init", "-q"], ["add", "."],
                          ["commit", "-qm", "tree"],
                          ["am", "-q", str(SUITE.patch)]):
                subprocess.run([*git, *words], cwd=tree, check=True)
            self.assertFalse(SUITE.fits(tree))

    def test_each_header_defines_its_own_guard(self) -> None:
        for header in sgpage.CAMPAIGN.patches.rglob("*.h"):
            self.assertRegex(header.read_text(),
                             r"(?m)^#ifndef (\w+_H)\n#define \1$", header.name)

    def test_no_name_of_the_table_is_too_long_for_kunit(self) -> None:
        """KUNIT_PARAM_DESC_SIZE is 128, and a name is cut silently."""
        table = (sgpage.CAMPAIGN.patches / "walk_cases.h").read_text()
        names = [line.split('"')[1] for line in table.splitlines()
                 if ".name = " in line]
        self.assertGreaterEqual(len(names), 18)
        self.assertEqual(len(names), len(set(names)))
        self.assertLess(max(map(len, names)), 128)


if __name__ == "__main__":
    unittest.main()
