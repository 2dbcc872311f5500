# SPDX-License-Identifier: GPL-2.0-only
"""The command line: what a user sees, exit statuses, and bad input."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import smalltree
from smalltree import migrate
from test_plan import NEW, PAGES, WALK

MIXED = WALK.replace(b"(&it);\n", b"(&it) + (u64)sg_page_iter_page(&it);\n")


class CommandTest(unittest.TestCase):

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.out = self.folder / "out"
        self.tree = self.folder / "linux"

    def make(self, **files: bytes) -> None:
        smalltree.make(self.tree, {name.replace("_", "."): data
                                   for name, data in files.items()})

    def snapshot(self) -> dict[str, bytes]:
        return {str(file.relative_to(self.tree)): file.read_bytes()
                for file in sorted(self.tree.rglob("*"))
                if file.is_file() and ".git/" not in str(file)}

    def run_on(self, verb: str, *words: str, **more: str
               ) -> "subprocess.CompletedProcess[str]":
        return migrate(verb, f"--kernel={self.tree}", *words, out=self.out,
                       **more)

    def refused(self, done: "subprocess.CompletedProcess[str]",
                status: int, what: str) -> None:
        """Expect one sentence, the status, and no output."""
        last = done.stderr.strip().splitlines()[-1]
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertTrue(last.startswith(f"sgwalk: exit {status}: "), last)
        self.assertRegex(last, what)
        self.assertNotIn("Traceback", done.stderr)


class ReportTest(CommandTest):

    def setUp(self) -> None:
        super().setUp()
        try:
            import jinja2
        except ImportError:
            self.skipTest("jinja2 is missing")
        del jinja2

    def page(self) -> str:
        done = self.run_on("report")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, f"{self.out}/report.html\n")
        return (self.out / "report.html").read_text("utf-8")

    def test_page_is_about_the_last_change_and_the_last_check(self) -> None:
        self.make(d_c=WALK)
        self.refused(self.run_on("report"), 2, "no run to report on")
        self.run_on("preview")
        self.assertIn(f"make preview on {self.tree}", self.page())
        self.run_on("check")
        self.run_on("apply")
        text = self.page()
        self.assertNotIn("make preview on", text)
        for verb in ("apply", "check"):
            self.assertIn(f"make {verb} on {self.tree}", text)


class ApplyTest(CommandTest):

    def test_tree_is_changed_and_the_sum_is_the_last_line(self) -> None:
        self.make(d_c=WALK, p_c=PAGES)
        done = self.run_on("apply")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.tree / "d.c").read_bytes(), NEW)
        self.assertEqual((self.tree / "p.c").read_bytes(), PAGES)
        self.assertRegex(done.stdout.splitlines()[-1],
                         r"^sites \d+: 3 converted, \d+ kept, 0 manual, "
                         "0 unread$")
        rows = (self.out / "ledger.tsv").read_bytes().splitlines()
        self.assertEqual(len(rows) - 1, int(
            done.stdout.splitlines()[-1].split()[1].rstrip(":")))

    def test_second_run_changes_nothing(self) -> None:
        self.make(d_c=WALK)
        self.run_on("apply")
        first = self.snapshot()
        done = self.run_on("apply")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.snapshot(), first)
        self.assertIn("has the DMA page iterator already", done.stdout)
        self.assertEqual((self.out / "edits.patch").read_bytes(), b"")

    def test_patch_that_is_written_is_the_change(self) -> None:
        self.make(d_c=WALK)
        smalltree.commit(self.tree)
        self.run_on("apply")
        after = self.snapshot()
        smalltree.git(self.tree, "checkout", "-q", ".")
        smalltree.git(self.tree, "apply", str(self.out / "edits.patch"))
        self.assertEqual(self.snapshot(), after)

    def test_what_is_left_is_told_and_fails_on_request_only(self) -> None:
        self.make(d_c=WALK, m_c=MIXED)
        done = self.run_on("apply")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"(?m)^m\.c:5:2: manual: NAME\(\): ")
        self.assertRegex(done.stderr, "4 sites need a person")
        self.assertIn("transitional", done.stdout)
        again = self.run_on("apply", "--left=error")
        self.refused(again, 1, "4 sites need a person")

    def test_preview_prints_the_diff_and_touches_nothing(self) -> None:
        self.make(d_c=WALK)
        before = self.snapshot()
        done = self.run_on("preview")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("+\tstruct sg_dma_page_iter it;", done.stdout)
        self.assertEqual(self.snapshot(), before)
        self.assertEqual(done.stdout.encode(),
                         (self.out / "edits.patch").read_bytes())

    def test_what_a_person_has_to_check_is_on_the_terminal(self) -> None:
        self.make(d_c=WALK)
        for verb in ("preview", "apply"):
            done = self.run_on(verb)
            self.assertRegex(
                done.stderr, r"(?m)^sgwalk: to check: d\.c:\d+: \w+\(\): Is "
                "'t->nents' what dma_map_sg\\(\\) returned\\?")

    def test_verify_after_apply_compiles_what_differs_from_head(
            self) -> None:
        # Less the drivers, which cost rules their time.
        shutil.copytree(smalltree.EMBEDDED, self.tree)
        shutil.rmtree(self.tree / "drivers")
        for folder in ("drivers", "sound"):
            (self.tree / folder).mkdir(exist_ok=True)
            (self.tree / folder / "Makefile").write_bytes(b"obj-y :=\n")
        smalltree.commit(self.tree)
        done = self.run_on("apply")
        self.assertEqual(done.returncode, 0, done.stderr)
        done = self.run_on("verify")
        self.assertIn("\nwhat differs from HEAD:\n", done.stdout, done.stderr)
        smalltree.git(self.tree, "commit", "-qam", "applied")
        done = self.run_on("verify")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("nothing differs from HEAD", done.stdout)

    def test_file_modes_survive(self) -> None:
        self.make(d_c=WALK)
        (self.tree / "d.c").chmod(0o640)
        self.run_on("apply")
        self.assertEqual((self.tree / "d.c").stat().st_mode & 0o777, 0o640)

    def test_embedded_tree_is_copied_changed_and_compiled(self) -> None:
        done = migrate("apply", out=self.out)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("the changed tree compiles", done.stderr)
        self.assertIn("+++ b/drivers/", done.stdout)
        self.assertRegex(done.stdout.splitlines()[-1], r"^sites \d+: ")
        self.assertTrue((self.out / "tree/MAINTAINERS").exists())


class BadInputTest(CommandTest):

    def test_no_such_folder(self) -> None:
        self.refused(self.run_on("apply"), 2, "no such folder")

    def test_no_tree_named(self) -> None:
        self.refused(migrate("check", out=self.out), 2, "make check KERNEL=")

    def test_folder_that_is_no_kernel_tree(self) -> None:
        self.tree.mkdir()
        (self.tree / "Makefile").write_text("all:\n")
        self.refused(self.run_on("apply"), 2, "not a kernel tree")

    def test_unknown_value_is_refused_with_the_good_ones(self) -> None:
        self.make(d_c=WALK)
        self.refused(self.run_on("apply", "--confidence=sure"), 2,
                     "give one of: high, moderate")
        self.refused(self.run_on("apply", "--jobs=0"), 2, "JOBS=0")
        self.refused(self.run_on("apply", "--rules=/nowhere"), 2, "RULES")

    def test_dirty_tree_is_refused_unless_asked(self) -> None:
        self.make(d_c=WALK, p_c=PAGES)
        smalltree.commit(self.tree)
        (self.tree / "p.c").write_bytes(PAGES + b"\n")
        before = self.snapshot()
        self.refused(self.run_on("apply"), 2, "local changes in p.c")
        self.assertEqual(self.snapshot(), before)
        self.assertEqual(self.run_on("apply", "--dirty").returncode, 0)
        self.assertEqual((self.tree / "d.c").read_bytes(), NEW)

    def test_debian_tree_that_git_ignores_is_read(self) -> None:
        self.make(d_c=WALK)
        (self.tree / ".gitignore").write_text("/*\n")
        smalltree.git(self.tree, "init", "-q")
        self.assertEqual(self.run_on("apply").returncode, 0)
        self.assertEqual((self.tree / "d.c").read_bytes(), NEW)

    @unittest.skipIf(os.geteuid() == 0 and not shutil.which("setpriv"),
                     "root may write everywhere and there is no setpriv")
    def test_tree_nobody_may_write_is_left_whole(self) -> None:
        self.make(d_c=WALK)
        before = self.snapshot()
        for folder in (self.tree, self.tree / "lib",
                       self.tree / "include/linux"):
            folder.chmod(0o555)
        try:
            if os.geteuid() == 0:
                self.folder.chmod(0o755)
                (self.out / "bin").mkdir(parents=True)
                shutil.copy(smalltree.census(), self.out / "bin/reader")
                for place in (self.out, self.out / "bin"):
                    os.chown(place, 65534, 65534)
                # A checkout below /root is for root's eyes only.
                own = self.folder / "sgwalk"
                for part in ("scripts", "cocci", "kernel-patch"):
                    shutil.copytree(smalltree.ROOT / part, own / part)
                done = subprocess.run(
                    ["setpriv", "--reuid=65534", "--regid=65534",
                     "--clear-groups", "/usr/bin/python3",
                     str(own / "scripts/migrate.py"), "apply",
                     f"--kernel={self.tree}", f"--out={self.out}"],
                    capture_output=True, text=True, check=False)
            else:
                done = self.run_on("apply")
        finally:
            for folder in (self.tree, self.tree / "lib",
                           self.tree / "include/linux"):
                folder.chmod(0o755)
        self.refused(done, 2, "linux")
        self.assertEqual(self.snapshot(), before)

    def test_link_out_of_the_tree_is_not_followed(self) -> None:
        self.make(d_c=WALK)
        outside = self.folder / "outside.c"
        outside.write_bytes(WALK)
        (self.tree / "link.c").symlink_to(outside)
        (self.tree / "folder").symlink_to(self.folder)
        done = self.run_on("apply")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(outside.read_bytes(), WALK)
        self.assertNotIn(b"link.c", (self.out / "ledger.tsv").read_bytes())

    def test_odd_names_reach_no_shell(self) -> None:
        names = ["a b.c", "q'.c", "s;touch x.c", "$(touch y).c", "n\nl.c"]
        smalltree.make(self.tree, {name: WALK for name in names})
        done = self.run_on("apply")
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in names:
            self.assertEqual((self.tree / name).read_bytes(), NEW, name)

    def test_rule_with_a_syntax_error(self) -> None:
        self.make(d_c=WALK)
        text = (smalltree.ROOT / "cocci/sg-dma-page/migrate/local-walk.cocci").read_text()
        rule = self.folder / "broken.cocci"
        rule.write_text(text + "\n@@\n@@\n- f(\n")
        before = self.snapshot()
        self.refused(self.run_on("apply", f"--rules={rule}"), 2,
                     "broken.cocci")
        self.assertEqual(self.snapshot(), before)

    def test_rule_with_an_unknown_key(self) -> None:
        self.make(d_c=WALK)
        text = (smalltree.ROOT / "cocci/sg-dma-page/migrate/local-walk.cocci").read_text()
        rule = self.folder / "slip.cocci"
        rule.write_text(text.replace("// Shape:", "// Shapes:"))
        self.refused(self.run_on("apply", f"--rules={rule}"), 2,
                     "unknown key: Shapes")

    def test_core_that_does_not_fit(self) -> None:
        self.make(d_c=WALK)
        header = self.tree / "include/linux/scatterlist.h"
        header.write_bytes(header.read_bytes().replace(
            b"sg_page_iter_dma_address(", b"sg_page_iter_bus_address("))
        before = self.snapshot()
        self.refused(self.run_on("apply"), 2, "scatterlist.h")
        self.assertEqual(self.snapshot(), before)

    def test_missing_tools_are_named(self) -> None:
        self.make(d_c=WALK)
        bare = self.folder / "bin"
        bare.mkdir()
        for tool in ("spatch", "parallel"):
            for name in ("git", "grep", "cc", "perl", "sh", "env", "spatch",
                         "parallel"):
                found = shutil.which(name)
                if found and name != tool and not (bare / name).exists():
                    (bare / name).symlink_to(found)
            # What an earlier run printed must not stand in for a tool.
            self.refused(self.run_on("apply", PATH=str(bare),
                                     SGWALK_CACHE=""), 2, tool)
            for link in bare.iterdir():
                link.unlink()

    def test_second_run_on_a_tree_stops(self) -> None:
        self.make(d_c=WALK)
        holder = subprocess.Popen(
            ["flock", "-x", str(self.tree), "sleep", "30"])
        try:
            for _ in range(100):
                done = self.run_on("apply")
                if done.returncode:
                    break
                smalltree.make(self.tree, {"d.c": WALK})
        finally:
            holder.kill()
            holder.wait()
        self.refused(done, 2, "another")

    def test_closed_output_is_no_traceback(self) -> None:
        self.make(d_c=WALK)
        (self.out / "bin").mkdir(parents=True)
        shutil.copy(smalltree.census(), self.out / "bin/reader")
        done = subprocess.Popen(
            ["/usr/bin/python3", str(smalltree.ROOT / "scripts/migrate.py"),
             "preview", f"--kernel={self.tree}", f"--out={self.out}"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert done.stdout is not None and done.stderr is not None
        done.stdout.close()
        said = done.stderr.read()
        done.stderr.close()
        done.wait()
        self.assertNotIn(b"Traceback", said)


class CampaignTest(CommandTest):

    def test_each_campaign_has_a_line(self) -> None:
        done = migrate("campaigns", out=self.out)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"(?m)^sg-dma-page +\S.* "
                                      r"\(the default\)$")
        self.assertEqual(done.stdout.count("the default"), 1)

    def test_unknown_name_is_refused_with_the_list(self) -> None:
        self.make(d_c=WALK)
        before = self.snapshot()
        self.refused(self.run_on("apply", "--campaign=sg-dma-pages"), 2,
                     "CAMPAIGN=sg-dma-pages: no such campaign .*there are: "
                     ".*sg-dma-page")
        self.assertEqual(self.snapshot(), before)

    def test_a_folder_elsewhere_brings_its_own_rules(self) -> None:
        mine = self.folder / "mine"
        shutil.copytree(smalltree.ROOT / "cocci/sg-dma-page", mine)
        shutil.copytree(smalltree.ROOT / "kernel-patch/sg-dma-page",
                        mine / "kernel-patch")
        rule = mine / "migrate/local-walk.cocci"
        rule.rename(rule.with_name("my-walk.cocci"))
        self.make(d_c=WALK)
        done = self.run_on("apply", f"--campaign={mine}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.tree / "d.c").read_bytes(), NEW)
        self.assertIn("changed d.c: my-walk", done.stdout)

    def test_a_campaign_without_a_small_tree_asks_for_a_kernel(self) -> None:
        mine = self.folder / "mine"
        (mine / "misuse").mkdir(parents=True)
        (mine / "campaign.tsv").write_text(
            "title\tCOUNTS\nsummary\tfind counts\nunit\tcall\n")
        shutil.copy(next((smalltree.ROOT / "cocci/sg-dma-page/misuse").glob(
            "*.cocci")), mine / "misuse")
        self.refused(migrate("preview", f"--campaign={mine}", out=self.out),
                     2, "no small tree .*make preview KERNEL=")

    def test_check_runs_the_rules_of_all_campaigns_or_of_one(self) -> None:
        """A mistake of each campaign, and what CAMPAIGN leaves of them."""
        self.make(d_c=b"int a(struct device *d, struct scatterlist *l, int n)"
                      b"\n{\n\tint m = dma_map_sg(d, l, n, 0);\n\n"
                      b"\tif (!m)\n\t\treturn -1;\n"
                      b"\tdma_unmap_sg(d, l, m, 0);\n\treturn 0;\n}\n",
                  e_c=b"void b(struct sg_dma_page_iter *it)\n{\n"
                      b"\t__sg_page_iter_dma_next(it);\n}\n")

        def rules(*words: str) -> set[str]:
            done = self.run_on("check", "--format=gcc", "--level=low", *words)
            self.assertEqual(done.returncode, 1, done.stderr)
            return set(re.findall("next-unchecked|unmap-mapped-count",
                                  done.stdout))

        every = {"next-unchecked", "unmap-mapped-count"}
        self.assertEqual(rules(), every)
        self.assertEqual(rules("--campaign=sg-counts"), {"unmap-mapped-count"})
        self.assertEqual(rules("--campaign=sg-dma-page"), {"next-unchecked"})


if __name__ == "__main__":
    unittest.main()
