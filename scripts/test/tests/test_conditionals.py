# SPDX-License-Identifier: GPL-2.0-only
"""conditionals: what the census says of every #if, held to cc where it can."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from read import conditionals  # noqa: E402
import smalltree  # noqa: E402
from read.conditionals import Kernel  # noqa: E402


def setUpModule() -> None:
    conditionals.use(smalltree.census())


def truths(text: str) -> str:
    """Return what follows each #if, #elif and #else, a letter each."""
    return "".join(row.truth for row in conditionals.read(text.encode())
                   if row.kind != "endif")


def truth(condition: str, before: str = "") -> str:
    return truths(f"{before}#if {condition}\nx\n#endif\n")[-1]


def seen(text: str, *kernels: Kernel) -> list[str]:
    return [row.kernels or row.truth * len(kernels)
            for row in conditionals.read(text.encode(), kernels=kernels)
            if row.kind != "endif"]


class ExpressionTest(unittest.TestCase):

    def test_constants_of_every_kind(self) -> None:
        for condition, expected in {
                "0": "n", "00": "n", "0x0UL": "n", "0b0": "n", "-0": "n",
                "1": "y", "010": "y", "0Xfull": "y", "'a'": "y", "'\\0'": "n",
                "'\\x00'": "n", "'\\n'": "y", "'\\0' + 1": "y", "L'a'": "?",
                "'\\377' < 0": "?", "18446744073709551616": "?", "08": "?",
                "1.5": "?", '"a"': "?"}.items():
            self.assertEqual(truth(condition), expected, condition)

    def test_operators_bind_as_in_c(self) -> None:
        for condition, expected in {
                "1 - 1": "n", "1 >> 1": "n", "1 << 1 == 2": "y",
                "2 - 1 - 1": "n", "0 - 1": "y", "8 / 4 / 2 - 1": "n",
                "1 + 2 * 3 == 7": "y", "7 % 4 == 3": "y", "~0": "y",
                "~0 == -1": "y", "-1 < 0": "y", "-1 < 0u": "n",
                "-1 >> 1 == -1": "y", "0 ^ 1": "y", "3 & 4": "n",
                "1 | 0 && 0": "n", "!1 == 0": "y", "!(1 == 0)": "y",
                "0 ? 1 : 0": "n", "1 ? 0 ? 1 : 2 : 0": "y", "0 != 1": "y",
                "1 <= 0": "n", "1 >= 1": "y", "(1, 0)": "?", "1 / 0": "?",
                "1 << 64": "?", "0 * 5 + 1": "y", "1 = 0": "?"}.items():
            self.assertEqual(truth(condition), expected, condition)

    def test_names_can_be_anything(self) -> None:
        for condition, expected in {
                "A": "?", "!A": "?", "A && 0": "n", "0 && A": "n",
                "A || 1": "y", "1 || A": "y", "defined(A) && !1": "n",
                "defined A || !0": "y", "A & 0": "n", "A * 0": "n",
                "A | 1": "y", "A == A": "?", "A ? 0 : 0": "n",
                "A ? 1 : 2": "y", "A ? 1 : 0": "?", "A(1, (2)) && 0": "n",
                "A(0)": "?", "defined(A": "?", "defined(1)": "?",
                "__has_include(<a.h>) && 0": "n", "false": "n", "true": "?",
                "defined(false)": "?"}.items():
            self.assertEqual(truth(condition), expected, condition)

    def test_comments_splices_and_digraphs(self) -> None:
        for text, expected in {
                "#if /* 0 */ 1\n": "y", "#if 0/**/||/**/1\n": "y",
                "#if 0 \\\n|| 1\n": "y", "#\\\nif 0\n": "n",
                "%:if !1\n": "n", "# /* a */ if 0 // 1\n": "n",
                "/* a */ #if 0\n": "n", "#i\\\nf 1 - \\\n1\n": "n"}.items():
            self.assertEqual(truths(text + "#endif\n"), expected, text)

    def test_cc_agrees_about_constants(self) -> None:
        # Every operator, weighted; what cc warns of is not an error to it.
        chance = random.Random(12)

        def expression(depth: int) -> str:
            if depth == 0 or chance.random() < 0.15:
                return chance.choice(("0", "1", "2", "0x7", "010", "3u", "5L",
                                      "'a'", "'\\0'", "0x8000000000000000"))
            kind = chance.random()
            if kind < 0.2:
                return chance.choice("!-~+") + " " + expression(depth - 1)
            if kind < 0.3:
                return "(" + expression(depth - 1) + ")"
            if kind < 0.4:
                return " ".join((expression(depth - 1), "?",
                                 expression(depth - 1), ":",
                                 expression(depth - 1)))
            sign = chance.choice(("+", "-", "*", "<", ">", "<=", ">=", "==",
                                  "!=", "&", "|", "^", "&&", "||"))
            return " ".join((expression(depth - 1), sign,
                             expression(depth - 1)))

        conditions = [expression(4) for _ in range(600)]
        text = "".join(f"#if {condition}\nyes\n#else\nno\n#endif\n"
                       for condition in conditions)
        cc = subprocess.run(["cc", "-E", "-P", "-w", "-xc", "-"], input=text,
                            capture_output=True, text=True, check=True)
        ours = ["yes" if letter == "y" else "no" if letter == "n" else letter
                for letter in truths(text)[::2]]
        self.assertEqual(
            [row for row in zip(conditions, ours, cc.stdout.split())
             if row[1] != row[2]], [])


class BranchTest(unittest.TestCase):

    def test_one_branch_of_a_chain_is_taken(self) -> None:
        self.assertEqual(truths("#if 0\n#elif 1\n#elif A\n#else\n#endif\n"),
                         "nynn")
        self.assertEqual(truths("#if A\n#elif 1\n#elif B\n#else\n#endif\n"),
                         "??nn")
        self.assertEqual(truths("#if 0\n#elif !1\n#else\n#endif\n"), "nny")
        self.assertEqual(truths("#if 1\n#else\n#endif\n"), "yn")

    def test_nothing_in_a_dead_branch_is_live(self) -> None:
        self.assertEqual(truths("#if !1\n#if 1\n#else\n#endif\n#endif\n"
                                "#if 1\n#endif\n"), "ny")

    def test_what_the_file_defines_is_known(self) -> None:
        for before, condition, expected in (
                ("#undef A\n", "defined(A)", "n"),
                ("#undef A\n", "A", "n"),
                ("#undef A\n#include <a.h>\n", "A", "?"),
                ("#define A 0\n#include <a.h>\n", "A", "n"),
                ("#define A 1 - 1\n", "2 * A", "y"),
                ("#define A B\n#define B 0\n", "A", "n"),
                ("#define A A\n", "A", "?"),
                ("#define A\n", "defined(A)", "y"),
                ("#define A(x) 0\n", "A(1)", "?"),
                ("#define A 1\n#undef A\n", "A", "n"),
                ("#ifdef B\n#define A 0\n#endif\n", "A", "?"),
                ("#ifdef B\n#define A 0\n#if A\n#endif\n#endif\n",
                 "A || 0", "?"),
                ("#if 0\n#define A 0\n#endif\n", "A", "?")):
            self.assertEqual(truth(condition, before), expected,
                             before + condition)
        self.assertEqual(truths("#ifdef B\n#define A 0\n#if A\n#endif\n"
                                "#else\n#if A\n#endif\n#endif\n"), "?n??")

    def test_a_macro_that_grows_without_end_is_not_followed(self) -> None:
        text = "".join(f"#define A{i} A{i + 1} A{i + 1}\n" for i in range(60))
        started = time.monotonic()
        self.assertEqual(truth("A0", text + "#define A60 1 +\n"), "?")
        self.assertLess(time.monotonic() - started, 10)


class KernelTest(unittest.TestCase):

    OLD, NEW = Kernel(4 << 16 | 20 << 8, "n"), Kernel(6 << 16 | 1 << 8, "y")
    RHEL = Kernel(4 << 16 | 18 << 8, "y", 8 << 8 | 4)

    def both(self, condition: str, before: str = "") -> str:
        return seen(f"{before}#if {condition}\n#endif\n", self.OLD,
                    self.NEW)[-1]

    def test_versions_are_compared(self) -> None:
        for condition, expected in {
                "LINUX_VERSION_CODE >= KERNEL_VERSION(5, 1, 0)": "ny",
                "LINUX_VERSION_CODE < KERNEL_VERSION(5, 1, 0)": "yn",
                "KERNEL_VERSION(5,1,0) > LINUX_VERSION_CODE": "yn",
                "!(LINUX_VERSION_CODE < KERNEL_VERSION(3, 9, 0))": "yy",
                "LINUX_VERSION_CODE < KERNEL_VERSION(4, 20, 400)": "yn",
                "LINUX_VERSION_MAJOR >= 5": "ny",
                "LINUX_VERSION_CODE >= 0x50100 && A": "n?",
                "LINUX_VERSION_CODE < 0x50100 || A": "y?",
                "A": "??", "0 && LINUX_VERSION_CODE": "nn"}.items():
            self.assertEqual(self.both(condition), expected, condition)

    def test_a_distribution_is_another_matter(self) -> None:
        text = ("#if defined(RHEL_RELEASE_CODE) && RHEL_RELEASE_CODE >= "
                "RHEL_RELEASE_VERSION(8, 2)\n#else\n#endif\n")
        none = Kernel(4 << 16, "n", -2)
        self.assertEqual(seen(text, self.OLD, self.RHEL, none),
                         ["?yn", "?ny"])

    def test_names_of_the_api(self) -> None:
        for condition, expected in {
                "defined(HAVE_SG_DMA_PAGE_ITER)": "ny",
                "NV_SG_DMA_PAGE_ITER_PRESENT": "ny",
                "defined(for_each_sg_dma_page)": "ny",
                "!defined(for_each_sg_dma_page)": "yn",
                "defined(NEED_SG_DMA_PAGE_ITER)": "yn",
                "defined(HAVE_SG_PAGE_ITER)": "yy",
                "defined(HAVE_GUP_FAST)": "??"}.items():
            self.assertEqual(self.both(condition), expected, condition)

    def test_a_macro_made_under_a_guard_is_a_guard(self) -> None:
        before = ("#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 1, 0)\n"
                  "#define NEW 1\n#endif\n")
        self.assertEqual(self.both("defined(NEW)", before), "ny")
        self.assertEqual(self.both("NEW", before.replace(
            "#endif", "#else\n#define NEW 0\n#endif")), "ny")
        self.assertEqual(self.both("NEW", "#define NEW (LINUX_VERSION_CODE >= "
                                   "KERNEL_VERSION(5, 1, 0))\n"), "ny")

    def test_what_a_condition_speaks_of(self) -> None:
        for condition, expected in {
                "LINUX_VERSION_CODE > 1": "k", "RHEL_MAJOR == 8": "k",
                "defined(HAVE_SG_DMA_PAGE_ITER)": "a",
                "defined(for_each_sg_page) && SLE_VERSION_CODE": "ka",
                "defined(HAVE_GUP_FAST)": "", "CONFIG_X": "",
                "defined(SG_PAGE_ITER_USER_H)": ""}.items():
            row = conditionals.read(
                f"#if {condition}\n#endif\n".encode())[0]
            self.assertEqual(row.about, expected, condition)

    def test_a_name_that_nothing_defines(self) -> None:
        text = b"#if A && CONFIG_B\n#endif\n#ifndef A\n#endif\n"
        rows = conditionals.read(text)
        self.assertEqual([row.names for row in rows],
                         [(b"A",), (), (b"A",), ()])
        self.assertEqual("".join(
            row.truth for row in conditionals.read(text, undefined=(b"A",))),
            "nyyy")


class BoundTest(unittest.TestCase):

    def test_many_conditionals_take_linear_time(self) -> None:
        started = time.monotonic()
        deep = conditionals.read(
            b"#if LINUX_VERSION_CODE > A\n#define B\n" * 20_000
            + b"#endif\n" * 20_000, kernels=(KernelTest.OLD,) * 20)
        self.assertEqual(deep[0].kind, "deep")
        wide = conditionals.read(b"#if A\n#define B\n#else\n#endif\n" * 50_000)
        self.assertEqual(len(wide), 150_000)
        self.assertLess(time.monotonic() - started, 30)


if __name__ == "__main__":
    unittest.main()
