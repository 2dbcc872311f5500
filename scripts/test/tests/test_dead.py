# SPDX-License-Identifier: GPL-2.0-only
"""Dead and guarded code from end to end: what a plan makes of odd conditions.

Every case is a walk that a rule would rewrite if no condition stood around
it. All of them are one tree, so that spatch starts once.
"""

from __future__ import annotations

import os
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from judge import plan  # noqa: E402
import smalltree  # noqa: E402
from read import tree as trees  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
HEAD = "#include <linux/scatterlist.h>\n#include <linux/version.h>\n"
WALK = """
int @(struct device *dev, struct scatterlist *list, int len, dma_addr_t *to)
{
	struct sg_page_iter step;
	int i = 0;

	for_each_sg_page(list, &step, len, 0)
		to[i++] = sg_page_iter_dma_address(&step);
	return i;
}
"""
TWIN = WALK.replace("struct sg_page_iter step", "struct sg_dma_page_iter step"
                    ).replace("for_each_sg_page", "for_each_sg_dma_page")
OLD = "LINUX_VERSION_CODE < KERNEL_VERSION(5, 1, 0)"

# A condition, or #if lines of one's own, around the walk.
DEAD = (
    "!1", "!(1 || X)", "1 == 2", "~0 == 0", "1 % 1", "'\\0'", "0b0", "-0",
    "3 & 4", "(0)", "((1) ? (0) : (1))", "X && 0 && Y", "!!0", "2 - 1 - 1",
    "1 << 1 == 3", "0 ? X : 0", "5 < 3 || 0", "+0", "X & 0", "00 /* 1 */",
    "NEVER_SET_BY_ANYONE", "defined NEVER_SET_BY_ANYONE && CONFIG_X",
    "0xffffffffffffffff + 1", "-1 < 0u", "false", "false && X",
    "defined(__ASSEMBLY__)", "__ASSEMBLER__",
)
DEAD_TEXTS = (
    "#define OFF 0\n#if OFF\n@\n#endif\n",
    "#undef OFF\n#ifdef OFF\n@\n#endif\n",
    "#define ON\n#ifndef ON\n@\n#endif\n",
    "#if 1\n#elif X\n@\n#endif\n",
    "#if X\n#elif 1\n#else\n@\n#endif\n",
    "#if X\n#if !1\n@\n#endif\n#endif\n",
    "#ifdef X\n#define OFF 1 - 1\n#if OFF\n@\n#endif\n#endif\n",
    "#if 1 \\\n- 1\n@\n#endif\n",
    "%:if !1\n@\n%:endif\n",
    "#if 0\n#else\n#if 1\n#else\n@\n#endif\n#endif\n",
)
LIVE = ("!0", "'\\0' + 1", "/* 0 */ 1", "~0", "1 ? 1 : 0", "!defined(X) || 1",
        "2 - 1", "!false", "!defined(__ASSEMBLY__)", "CONFIG_X", "defined(CONFIG_X) && CONFIG_X > 2",
        "LINUX_VERSION_CODE >= KERNEL_VERSION(3, 9, 0)", "HAVE_GUP_FAST",
        "!(LINUX_VERSION_CODE < KERNEL_VERSION(3, 9, 0))")
# Coccinelle takes these for #if 0.
HIDDEN = ("0 || 1", "0 ^ 1", "010", "0 - 1", "0x0 || 1")
KEPT = (OLD, OLD.replace("(5, 1, 0)", "(4, 9, 0)"),
        "!defined(HAVE_SG_DMA_PAGE_ITER)", f"{OLD} && CONFIG_X")
MANUAL = ("LINUX_VERSION_CODE >= KERNEL_VERSION(5, 15, 0)",
          "LINUX_VERSION_CODE >= KERNEL_VERSION(4, 15, 0)",
          "LINUX_VERSION_CODE < KERNEL_VERSION(5, 4, 0)",
          "defined(HAVE_SG_DMA_PAGE_ITER)")


def texts() -> dict[str, tuple[str, str]]:
    """Return the files of the tree, with the verdict on the old walk."""
    found: dict[str, tuple[str, str]] = {}

    def put(verdict: str, shell: str) -> None:
        name = f"c{len(found):02}"
        found[f"drivers/{name}.c"] = (
            verdict, HEAD + shell.replace("@\n", WALK.replace("@", name)))

    for condition in DEAD:
        put("unread", f"#if {condition}\n@\n#endif\n")
    for shell in DEAD_TEXTS:
        put("unread", shell)
    for condition in LIVE:
        put("converted", f"#if {condition}\n@\n#endif\n")
    for condition in HIDDEN:
        put("unread", f"#if {condition}\n@\n#endif\n")
    twin = TWIN.replace("@", "twin")
    for condition in KEPT:
        put("kept", f"#if {condition}\n@\n#else\n{twin}#endif\n")
    for condition in MANUAL:
        put("manual", f"#if {condition}\n@\n#else\n{twin}#endif\n")
    put("manual", f"#if {OLD}\n@\n#endif\n")
    return found


class DeadTest(unittest.TestCase):

    def test_every_case_has_its_verdict_and_no_dead_byte_changes(self) -> None:
        files = texts()
        with tempfile.TemporaryDirectory() as name:
            made = smalltree.make(Path(name) / "tree", {
                file: text.encode() for file, (_, text) in files.items()})
            found = plan.make_plan(trees.open_tree(str(made)), smalltree.settings(
                jobs=os.cpu_count() or 1, timeout=300))
        said: dict[str, set[str]] = {}
        for entry in found.ledger.entries:
            if entry.site.file in files and "dma" not in entry.site.token[:22]:
                said.setdefault(entry.site.file, set()).add(entry.verdict)
        wrong = []
        for file, (verdict, text) in files.items():
            told = said[file]
            if told != {verdict}:
                wrong.append((text[len(HEAD):].split("\n")[0], verdict, told))
            changed = file in found.after
            if changed != (verdict == "converted"):
                wrong.append((text[len(HEAD):].split("\n")[0], "changed", {
                    str(changed)}))
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
