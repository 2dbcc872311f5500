# SPDX-License-Identifier: GPL-2.0-only
"""Hold fixtures/sg-dma-page/include and fixtures/sg-dma-page/tree to what they stand for."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import treegit

ROOT = Path(__file__).resolve().parents[3]
INCLUDE = ROOT / "fixtures/sg-dma-page/include"
TREE = ROOT / "fixtures/sg-dma-page/tree"
STRICT = ["-fsyntax-only", "-Wall", "-Wextra", "-Wno-unused-parameter",
          "-Werror", f"-I{INCLUDE}"]
APIS: dict[str, list[str]] = {"old": ["-DOLD_API"],
                              "transitional": ["-DTRANSITIONAL_API"],
                              "new": []}
COMPILERS = [cc for cc in ("gcc", "clang") if shutil.which(cc)]
CRLF = "drivers/staging/pumice/pumice.c"

WALK = """#include <linux/scatterlist.h>
dma_addr_t walk(struct sg_table *sgt);
dma_addr_t walk(struct sg_table *sgt)
{
	struct %s it;
	dma_addr_t last = 0;

	%s(sgt->sgl, &it, sgt->nents, 0)
		last = %s;
	return last;
}
"""
OLD_WALK = ("sg_page_iter", "for_each_sg_page",
            "sg_page_iter_dma_address(&it)")
NEW_WALK = ("sg_dma_page_iter", "for_each_sg_dma_page",
            "sg_page_iter_dma_address(&it)")
# Iterator, loop, body -> the readings of the API that take it.
MIXES: dict[tuple[str, str, str], set[str]] = {
    OLD_WALK: {"old", "transitional"},
    NEW_WALK: {"transitional", "new"},
    ("sg_page_iter", "for_each_sg_page", "!!sg_page_iter_page(&it)"):
        {"old", "transitional", "new"},
    ("sg_dma_page_iter", "for_each_sg_dma_page",
     "!!sg_page_iter_page(&it.base)"): {"transitional", "new"},
    ("sg_dma_page_iter", "for_each_sg_dma_page",
     "!!sg_page_iter_page(&it)"): set(),
    ("sg_dma_page_iter", "for_each_sg_page",
     "sg_page_iter_dma_address(&it)"): set(),
    ("sg_page_iter", "for_each_sg_dma_page",
     "sg_page_iter_dma_address(&it)"): set(),
    ("sg_dma_page_iter", "for_each_sg_dma_page",
     "sg_page_iter_dma_address(sgt->sgl)"): set(),
}

# What lib/scatterlist.c needs from a kernel, and a few uses of it.
USES = r"""
#include <linux/highmem.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

void *calloc(size_t n, size_t size);
void free(void *p);
int puts(const char *text);

static struct page pages[8];
static char memory[8][PAGE_SIZE];
struct page *mem_map = pages;

void report_bug(const char *cond) { puts(cond); __builtin_trap(); }
void kfree(const void *p) { free((void *)p); }
void *kmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	return calloc(n, size);
}

void *kmap(struct page *page) { return memory[page - pages]; }
void *kmap_atomic(struct page *page) { return memory[page - pages]; }
void kunmap(struct page *page) { }
void kunmap_atomic(void *addr) { }
void flush_kernel_dcache_page(struct page *page) { }
struct page *virt_to_page(const void *addr)
{
	return &pages[((const char *)addr - memory[0]) / PAGE_SIZE];
}

int main(void)
{
	/* Pages 0 and 1 are neighbours, page 5 is alone. */
	struct page *some[] = { &pages[0], &pages[1], &pages[5] };
	char out[3 * PAGE_SIZE] = "", in[3 * PAGE_SIZE];
	struct sg_page_iter iter;
	struct sg_table sgt;
	unsigned int n = 0;
	size_t i;

	BUG_ON(sg_alloc_table_from_pages(&sgt, some, 3, 100, 9000, 0));
	BUG_ON(sgt.nents != 2 || sg_nents(sgt.sgl) != 2);
	BUG_ON(sg_nents_for_len(sgt.sgl, 8092) != 1);
	BUG_ON(sg_nents_for_len(sgt.sgl, 8093) != 2);
	BUG_ON(sg_nents_for_len(sgt.sgl, 9001) != -EINVAL);
	for_each_sg_page(sgt.sgl, &iter, sgt.nents, 0)
		BUG_ON(sg_page_iter_page(&iter) != some[n++]);
	BUG_ON(n != 3);
	for_each_sg_page(sgt.sgl, &iter, sgt.nents, 2)
		BUG_ON(sg_page_iter_page(&iter) != some[2]);
	for_each_sg_page(sgt.sgl, &iter, 0, 0)
		BUG_ON(true);

	for (i = 0; i < sizeof(in); i++)
		in[i] = i % 251;
	BUG_ON(sg_copy_from_buffer(sgt.sgl, 2, in, sizeof(in)) != 9000);
	BUG_ON(memory[0][100] != in[0] || memory[5][0] != in[8092]);
	BUG_ON(sg_copy_to_buffer(sgt.sgl, 2, out, sizeof(out)) != 9000);
	BUG_ON(__builtin_memcmp(in, out, 9000));
	sg_free_table(&sgt);

	/* Chained: 127 entries and a link, twice, and 46 more. */
	BUG_ON(sg_alloc_table(&sgt, 300, 0) || sgt.orig_nents != 300);
	BUG_ON(sg_nents(sgt.sgl) != 300);
	BUG_ON(!sg_is_last(sg_last(sgt.sgl, 300)));
	sg_free_table(&sgt);
	return 0;
}
"""


def run(*args: str | Path, cwd: Path = TREE, stdin: str = "",
        ) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(arg) for arg in args], cwd=cwd, input=stdin,
                          text=True, errors="surrogateescape",
                          capture_output=True)


class Scratch(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = Path(folder.name)

    def copy(self) -> Path:
        return Path(shutil.copytree(TREE, self.out / "tree"))

    def make(self, *args: str | Path, tree: Path = TREE) -> str:
        done = run("make", "-C", tree, f"O={self.out / 'o'}", *args)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "")
        return done.stdout


class IncludeTest(unittest.TestCase):
    def test_every_header_compiles_alone(self) -> None:
        headers = sorted(INCLUDE.glob("*/*.h"))
        self.assertGreater(len(headers), 30)
        done = run("gcc", *STRICT, "-xc", *headers)
        self.assertEqual(done.stderr, "")

    def test_all_headers_compile_together_in_every_reading(self) -> None:
        text = "".join(f"#include <{file.relative_to(INCLUDE)}>\n"
                       for file in sorted(INCLUDE.glob("*/*.h")))
        for cc in COMPILERS:
            for api, flags in APIS.items():
                with self.subTest(cc=cc, api=api):
                    done = run(cc, *STRICT, *flags, "-xc", "-", stdin=text)
                    self.assertEqual(done.stderr, "")

    def test_each_reading_takes_its_own_mixes_only(self) -> None:
        for parts, takers in MIXES.items():
            for cc in COMPILERS:
                for api, flags in APIS.items():
                    with self.subTest(parts=parts, cc=cc, api=api):
                        done = run(cc, *STRICT, *flags, "-xc", "-",
                                   stdin=WALK % parts)
                        self.assertEqual(done.returncode == 0, api in takers,
                                         done.stderr)

    def test_two_readings_at_once_are_refused(self) -> None:
        done = run("gcc", *STRICT, "-DOLD_API", "-DTRANSITIONAL_API", "-xc",
                   "-", stdin="#include <linux/scatterlist.h>\n")
        self.assertIn("exclude each other", done.stderr)

    def test_version_follows_the_reading(self) -> None:
        guard = ("#include <linux/version.h>\n"
                 "#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 1, 0)\n"
                 "#error old\n#endif\n")
        for api, flags in APIS.items():
            done = run("gcc", *STRICT, *flags, "-xc", "-", stdin=guard)
            self.assertEqual("old" in done.stderr, api != "new")


class BuildTest(Scratch):
    def test_every_file_builds_without_a_warning(self) -> None:
        wanted = {str(file.relative_to(TREE))[:-2]
                  for file in TREE.rglob("*.c")}
        for cc in COMPILERS:
            with self.subTest(cc=cc):
                shutil.rmtree(self.out / "o", ignore_errors=True)
                self.make("allyesconfig")
                self.make(f"CC={cc}", "-j2")
                built = {str(file.relative_to(self.out / "o"))[:-2]
                         for file in (self.out / "o").rglob("*.o")}
                self.assertEqual(built, wanted)

    def test_objects_are_the_same_in_the_tree_and_beside_it(self) -> None:
        tree = self.copy()
        done = run("make", "-C", tree, "drivers/scsi/")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.make("drivers/scsi/", tree=tree)
        rel = "drivers/scsi/garnet_sgl.o"
        self.assertEqual((tree / rel).read_bytes(),
                         (self.out / "o" / rel).read_bytes())

    def test_clean_leaves_no_object_behind(self) -> None:
        tree = self.copy()
        self.assertEqual(run("make", "-C", tree, "-j2").returncode, 0)
        self.assertEqual(run("make", "-C", tree, "clean").returncode, 0)
        self.assertEqual(run("diff", "-r", TREE, tree).stdout, "")

    def test_one_object_or_one_folder_can_be_asked_for(self) -> None:
        self.make("drivers/spi/spi-mica.o", "drivers/net/")
        built = sorted(file.name for file in (self.out / "o").rglob("*.o"))
        self.assertEqual(built, ["flint_ring.o", "flint_xdp.o", "spi-mica.o"])

    def test_wrong_pointer_type_is_an_error_under_wno_error(self) -> None:
        tree = self.copy()
        file = tree / "drivers/spi/spi-mica.c"
        file.write_text(file.read_text().replace(
            "sg_page_iter_dma_address(&piter)",
            "sg_page_iter_dma_address(&mica)"))
        done = run("make", "-C", tree, "KCFLAGS=-Wno-error",
                   "drivers/spi/spi-mica.o")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("incompatible", done.stderr)

    def test_traced_code_is_compiled_when_it_is_configured(self) -> None:
        rel = "drivers/media/pci/quartz/quartz_buf"
        for target, there in (("defconfig", False), ("allyesconfig", True)):
            self.make(target)
            self.make(f"{rel}.i")
            text = (self.out / f"o/{rel}.i").read_text()
            self.assertEqual("quartz_buf_trace" in text, there, target)

    def test_lib_scatterlist_works(self) -> None:
        uses = self.out / "uses.c"
        uses.write_text(USES)
        checks = "-fsanitize=address,undefined"
        self.make("lib/scatterlist.o", f"KCFLAGS={checks}")
        done = run("gcc", "-nostdinc", "-fno-builtin", "-O1", checks,
                   f"-I{TREE / 'include'}", uses,
                   self.out / "o/lib/scatterlist.o", "-o", self.out / "uses")
        self.assertEqual(done.returncode, 0, done.stderr)
        done = run(self.out / "uses")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_copy_of_the_api_compiles_by_itself(self) -> None:
        done = run("gcc", "-fsyntax-only", "-Wall", "-Werror", "-xc",
                   TREE / "tools/testing/scatterlist/scatterlist.h")
        self.assertEqual(done.stderr, "")


class BytesTest(unittest.TestCase):
    def test_odd_files_are_as_odd_as_they_should_be(self) -> None:
        crlf, latin, cut = set(), set(), set()
        for file in sorted(TREE.rglob("*.[ch]")):
            data, rel = file.read_bytes(), str(file.relative_to(TREE))
            if data.count(b"\r\n") == data.count(b"\n"):
                crlf.add(rel)
            else:
                self.assertNotIn(b"\r", data, rel)
            try:
                data.decode("utf-8")
            except UnicodeDecodeError:
                latin.add(rel)
            if not data.endswith(b"\n"):
                cut.add(rel)
        self.assertEqual(crlf, {CRLF})
        self.assertEqual(latin, {"drivers/crypto/talc_sgl.c"})
        self.assertEqual(cut, {"drivers/misc/basalt.c"})

    def test_tree_has_the_old_api_only(self) -> None:
        for rel in ("include/linux/scatterlist.h", "lib/scatterlist.c"):
            text = (TREE / rel).read_text()
            self.assertIn("__sg_page_iter_next", text)
            self.assertNotIn("sg_dma_page", text)

    def test_spatch_reads_all_but_one_function(self) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".h") as hints:
            hints.write("#define for_each_sg_page(a, b, c, d) "
                        "YACFE_ITERATOR\n")
            hints.flush()
            bad = {}
            for file in sorted(TREE.glob("*/**/*.c")):
                done = run("spatch", "--macro-file", hints.name, "--parse-c",
                           file)
                lines = re.findall(r"(?m)^(?:bad:|BAD:!!!!!) (.*)$",
                                   done.stdout + done.stderr)
                if lines:
                    bad[file.name] = "\n".join(lines)
        self.assertEqual(set(bad), {"holdout_macro.c", "holdout_unparsed.c"})
        self.assertIn("#define holdout_for_each", bad["holdout_macro.c"])
        self.assertNotIn("holdout_count", bad["holdout_macro.c"])
        self.assertIn("holdout_fill(", bad["holdout_unparsed.c"])
        self.assertNotIn("holdout_depth(", bad["holdout_unparsed.c"])


class MaintainersTest(unittest.TestCase):
    def ask(self, *args: str, stdin: str = "") -> list[str]:
        done = run("scripts/get_maintainer.pl", "--nogit",
                   "--nogit-fallback", *args, stdin=stdin)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.splitlines()

    def test_nearest_entry_comes_first_and_contents_last(self) -> None:
        self.assertEqual(
            self.ask("--subsystem", "--scm", "-f",
                     "drivers/media/pci/quartz/quartz_buf.c"),
            ["Bo Larsen <bo@quartz.example> "
             "(maintainer:QUARTZ CAPTURE DRIVER)",
             "Mei Tan <mei@quartz.example> (reviewer:QUARTZ CAPTURE DRIVER)",
             "Clara Voss <clara@media.example> (maintainer:MEDIA DRIVERS)",
             "Eli Brandt <eli@trace.example> "
             "(reviewer:TRACING OF DEVICE TABLES)",
             "media@lists.example.org (open list:QUARTZ CAPTURE DRIVER)",
             "kernel@lists.example.org (open list)",
             "git git://git.example.org/media.git",
             "QUARTZ CAPTURE DRIVER", "MEDIA DRIVERS", "THE REST",
             "TRACING OF DEVICE TABLES"])

    def test_excluded_file_is_not_the_wider_entrys(self) -> None:
        self.assertEqual(
            self.ask("--no-rolestats", "--subsystem", "-f",
                     "drivers/media/platform/opal/opal_lut.c"),
            ["Hana Ito <hana@opal.example>", "opal-soc@lists.example.org",
             "kernel@lists.example.org", "OPAL SOC SUPPORT", "THE REST"])

    def test_file_in_no_entry_gets_the_open_list(self) -> None:
        self.assertEqual(self.ask("-f", "drivers/misc/basalt.c"),
                         ["kernel@lists.example.org (open list)"])

    def test_name_pattern_adds_its_entry(self) -> None:
        self.assertIn("Lars Holm <lars@jasper.example> "
                      "(reviewer:JASPER DMA ENGINE)",
                      self.ask("-f", "drivers/dma/jasper/jasper_desc.c"))

    def test_subscribers_list_is_told_when_asked_for(self) -> None:
        file = "drivers/gpu/drm/onyx/onyx_bind.c"
        line = ("onyx-gfx@lists.example.org "
                "(subscriber list:DRM DRIVER FOR ONYX GRAPHICS)")
        self.assertNotIn(line, self.ask("-f", file))
        self.assertIn(line, self.ask("--s", "-f", file))

    def test_patch_is_judged_by_the_files_it_changes(self) -> None:
        patch = ("diff --git a/sound/pci/zircon_sg.c b/sound/pci/zircon_sg.c\n"
                 "--- a/sound/pci/zircon_sg.c\n+++ b/sound/pci/zircon_sg.c\n"
                 "@@ -1 +1 @@\n-a\n+b\n")
        self.assertEqual(self.ask("--no-l", "-", stdin=patch),
                         ["Tove Lind <tove@sound.example> "
                          "(maintainer:ALSA SOUND DRIVERS)"])

    def test_missing_file_is_an_error(self) -> None:
        done = run("scripts/get_maintainer.pl", "-f", "drivers/none.c")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("'drivers/none.c' not found", done.stderr)

    def test_every_file_pattern_names_something(self) -> None:
        for line in (TREE / "MAINTAINERS").read_text().splitlines():
            if line[:3] in ("F:\t", "X:\t"):
                self.assertTrue(list(TREE.glob(line[3:])), line)


class HistoryTest(Scratch):
    def git(self, tree: Path, *args: str) -> str:
        done = run("git", "-c", f"safe.directory={tree}", *args, cwd=tree)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_same_tree_gives_the_same_commits(self) -> None:
        heads = set()
        for name in ("one", "two"):
            tree = Path(shutil.copytree(TREE, self.out / name))
            treegit.make_history(tree)
            heads.add(self.git(tree, "rev-parse", "HEAD"))
            self.assertEqual(self.git(tree, "status", "--porcelain"), "")
        self.assertEqual(len(heads), 1)

    def test_log_teaches_the_prefix_of_every_driver(self) -> None:
        tree = self.copy()
        treegit.make_history(tree)
        prefix = {"drivers/media/pci/quartz/quartz_buf.c": "media: quartz: ",
                  "drivers/crypto/talc_sgl.c": "crypto: talc - ",
                  "drivers/infiniband/hw/beryl/beryl_mr.c": "RDMA/beryl: ",
                  "drivers/gpu/drm/onyx/onyx_drv.h": "drm/onyx: ",
                  "sound/pci/zircon_sg.c": "ALSA: zircon: ",
                  "lib/scatterlist.c": "lib/scatterlist: "}
        for file, words in prefix.items():
            log = self.git(tree, "log", "--format=%s", "--", file)
            self.assertEqual({line[:len(words)] for line in log.splitlines()},
                             {words})
            self.assertGreater(len(log.splitlines()), 1)

    def test_latin_1_author_is_there_with_and_without_a_note(self) -> None:
        tree = self.copy()
        treegit.make_history(tree)
        said = self.git(tree, "log", "--format=%an", "--",
                        "drivers/crypto/talc_sgl.c").splitlines()
        self.assertEqual(said, ["Jürgen Müller"] * 2)
        raw = self.git(tree, "log", "--format=%an", "--",
                       "drivers/media/pci/quartz/quartz_buf.c").splitlines()
        self.assertEqual(os.fsencode(raw[0]), "René Dubois".encode("latin-1"))

    def test_tree_without_the_holdouts_has_a_history_too(self) -> None:
        tree = self.copy()
        shutil.rmtree(tree / "drivers/staging/holdout")
        treegit.make_history(tree)
        self.assertNotIn("holdout", self.git(tree, "log", "--format=%s"))

    def test_file_that_the_log_does_not_name_is_refused(self) -> None:
        tree = self.copy()
        (tree / "drivers/misc/new.c").write_text("")
        with self.assertRaisesRegex(treegit.TreeGitError, "new.c: not in"):
            treegit.make_history(tree)
        self.assertFalse((tree / ".git").exists())

    def test_repository_is_not_made_twice(self) -> None:
        tree = self.copy()
        treegit.make_history(tree)
        with self.assertRaisesRegex(treegit.TreeGitError, "already"):
            treegit.make_history(tree)

    def test_every_pattern_of_the_log_names_a_file(self) -> None:
        files = [str(file.relative_to(TREE)) for file in TREE.rglob("*")
                 if file.is_file()]
        for commit in treegit.read_log():
            for pattern in commit.files:
                self.assertTrue(treegit.named(pattern, files), pattern)

    def test_malformed_log_is_refused_with_its_line(self) -> None:
        log = self.out / "log.tsv"
        log.write_text("# head\n2018-03-01 09:00\tutf-9\tA <a>\ts\tf\n")
        with self.assertRaisesRegex(treegit.TreeGitError, r"log\.tsv:2: "):
            treegit.read_log(log)


if __name__ == "__main__":
    unittest.main()
