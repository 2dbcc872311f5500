# SPDX-License-Identifier: GPL-2.0-only
"""Show that the types keep the two walks apart, and let the right ones pass.

Each row is a use of the API, and what the compilers say of it: with the
strict accessor, and while both iterators are taken. A mix must fail with the
diagnostic that the row names, not for some other reason, and a right use must
pass without a warning. gcc, clang and sparse are asked; one of the compilers
has to be there, and what is not is told as skipped.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))

import sgpage  # noqa: E402
from read.campaign import State  # noqa: E402
from prove import harness  # noqa: E402

FINE = ""
# By tool: gcc and clang stop as the kernel's own build does, sparse warns.
POINTER = (r"incompatible pointer type"
           r"|incorrect type in (?:argument 1|initializer)")
KIND = r"incompatible type|incompatible integer|incorrect type in argument 1"

# One function a row; the line of a diagnostic says which.
_USE = """dma_addr_t use_%(row)d(struct scatterlist *sgl, unsigned int n);
dma_addr_t use_%(row)d(struct scatterlist *sgl, unsigned int n)
{
	struct sg_dma_page_iter dma;
	struct sg_page_iter page;
	dma_addr_t sum = 0;

	__sg_page_iter_start(&page, sgl, n, 0);
	__sg_page_iter_start(&dma.base, sgl, n, 0);
%(code)s
	return sum;
}
"""


@dataclass(frozen=True)
class Row:
    name: str
    code: str
    strict: str                  # FINE, or what the diagnostic matches
    transitional: str


TABLE = (
    # What is right.
    Row("DMA loop, DMA address", """
	for_each_sg_dma_page(sgl, &dma, n, 0)
		sum += sg_page_iter_dma_address(&dma);""", FINE, FINE),
    Row("page loop, page", """
	for_each_sg_page(sgl, &page, n, 0)
		sum += page_to_pfn(sg_page_iter_page(&page));""", FINE, FINE),
    Row("steps by hand", """
	while (__sg_page_iter_dma_next(&dma))
		sum += sg_page_iter_dma_address(&dma);""", FINE, FINE),
    Row("iterator behind an expression", """
	struct { struct sg_dma_page_iter it[2]; } owner, *p = &owner;

	for_each_sg_dma_page(sgl, n ? &p->it[0] : &p->it[1], n, 0)
		sum += sg_page_iter_dma_address(p->it);""", FINE, FINE),
    Row("iterator from a void pointer", """
	void *p = &dma;

	sum += sg_page_iter_dma_address(p);""", FINE, FINE),
    Row("accessor through a pointer to it", """
	dma_addr_t (*address)(struct sg_dma_page_iter *) =
		sg_page_iter_dma_address;

	sum += address(&dma);""", FINE, FINE),
    # What the transition is for.
    Row("page loop, DMA address", """
	for_each_sg_page(sgl, &page, n, 0)
		sum += sg_page_iter_dma_address(&page);""", POINTER, FINE),
    Row("DMA address of the base", """
	sum += sg_page_iter_dma_address(&dma.base);""", POINTER, FINE),
    # What is wrong in both forms.
    Row("page loop over the DMA iterator", """
	for_each_sg_page(sgl, &dma, n, 0)
		sum += sg_page_iter_dma_address(&dma);""", POINTER, POINTER),
    Row("DMA loop over the page iterator", """
	for_each_sg_dma_page(sgl, &page, n, 0)
		sum++;""", POINTER, POINTER),
    Row("page of the DMA iterator", """
	sum += page_to_pfn(sg_page_iter_page(&dma));""", POINTER, POINTER),
    Row("page step of the DMA iterator", """
	while (__sg_page_iter_next(&dma))
		sum++;""", POINTER, POINTER),
    Row("DMA step of the page iterator", """
	while (__sg_page_iter_dma_next(&page))
		sum++;""", POINTER, POINTER),
    Row("start of the DMA iterator without its base", """
	__sg_page_iter_start(&dma, sgl, n, 0);""", POINTER, POINTER),
    Row("DMA address of an entry", """
	sum += sg_page_iter_dma_address(sgl);""", POINTER, KIND),
    Row("DMA address of a pointer to an iterator", """
	struct sg_dma_page_iter *p = &dma;

	sum += sg_page_iter_dma_address(&p);""", POINTER, KIND),
    Row("DMA address of an iterator by value", """
	sum += sg_page_iter_dma_address(dma);""", KIND, KIND),
    Row("DMA address of a number", """
	sum += sg_page_iter_dma_address(n);""",
        KIND + "|makes pointer from integer", KIND),
    Row("one iterator stored as the other", """
	struct sg_dma_page_iter *p = &page;

	sum += sg_page_iter_dma_address(p);""", POINTER, POINTER),
)

# sparse compares the declared argument; no kernel code points to an inline.
SPARSE_OBJECTS = {("accessor through a pointer to it", sgpage.TRANSITIONAL)}

_WARNINGS = ["-std=gnu11", "-fsyntax-only", "-Wall",
             "-Werror=incompatible-pointer-types", "-Werror=int-conversion",
             "-Wno-unused-value", "-Wno-unused-variable",
             "-Wno-unused-function"]
COMPILERS = {
    "gcc": ["gcc", *_WARNINGS],
    "clang": ["clang", *_WARNINGS, "-ferror-limit=0"],
    "sparse": ["sparse", "-std=gnu11", "-fmax-warnings=unlimited"],
}
_SAID = re.compile(r"use\.c:(\d+):.*(?:warning|error): .*$", re.MULTILINE)


class Types(unittest.TestCase):
    def hold(self, tool: str, form: State) -> None:
        if shutil.which(tool) is None:
            self.skipTest(f"{tool} is not installed")
        with tempfile.TemporaryDirectory() as folder:
            harness.lay_out(sgpage.CAMPAIGN, sgpage.install(
                sgpage.CAMPAIGN.tree, form), Path(folder))
            source = Path(folder) / "use.c"
            uses = [_USE % {"row": number, "code": row.code}
                    for number, row in enumerate(TABLE)]
            source.write_text("#include <linux/scatterlist.h>\n"
                              + "".join(uses))
            said = self.said(tool, source)
            line = 2
            for row, use in zip(TABLE, uses):
                after = line + use.count("\n")
                with self.subTest(row.name):
                    self.judge(row, form, tool, "".join(
                        said.get(at, "") for at in range(line, after)))
                line = after

    def said(self, tool: str, source: Path) -> dict[int, str]:
        """Return the diagnostics by line."""
        done = subprocess.run(
            [*COMPILERS[tool], "-include", "shim.h",
             f"-I{sgpage.CAMPAIGN.patches / 'harness'}",
             f"-I{source.parent}", str(source)], capture_output=True,
            text=True, env={"LC_ALL": "C", "PATH": os.environ["PATH"]})
        said: dict[int, str] = {}
        for line in _SAID.finditer(done.stderr):
            at = int(line[1])
            said[at] = said.get(at, "") + line[0] + "\n"
        self.assertTrue(said, done.stderr)
        return said

    def judge(self, row: Row, form: State, tool: str, said: str) -> None:
        wanted = row.strict if form is sgpage.STRICT else row.transitional
        if tool == "sparse" and (row.name, form) in SPARSE_OBJECTS:
            wanted = POINTER
        if wanted == FINE:
            self.assertEqual(said, "")
        else:
            self.assertRegex(said, wanted)

    def test_a_compiler_is_there(self) -> None:
        self.assertTrue(shutil.which("gcc") or shutil.which("clang"))

    def test_gcc_keeps_the_walks_apart(self) -> None:
        self.hold("gcc", sgpage.STRICT)

    def test_gcc_takes_both_iterators_in_the_transition(self) -> None:
        self.hold("gcc", sgpage.TRANSITIONAL)

    def test_clang_keeps_the_walks_apart(self) -> None:
        self.hold("clang", sgpage.STRICT)

    def test_clang_takes_both_iterators_in_the_transition(self) -> None:
        self.hold("clang", sgpage.TRANSITIONAL)

    def test_sparse_keeps_the_walks_apart(self) -> None:
        self.hold("sparse", sgpage.STRICT)

    def test_sparse_takes_both_iterators_in_the_transition(self) -> None:
        self.hold("sparse", sgpage.TRANSITIONAL)


if __name__ == "__main__":
    unittest.main()
