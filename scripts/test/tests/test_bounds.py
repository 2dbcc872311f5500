# SPDX-License-Identifier: GPL-2.0-only
"""The reader takes time in proportion to the bytes, whatever they are.

Each shape is read at one size and at four times that size, as a file of a
tree and as a text. FULL=1 takes larger sizes, and a file of 200 MB.

Units:  seconds of a processor, user and system; sizes in repetitions.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Callable

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import smalltree  # noqa: E402
from read import census, conditionals  # noqa: E402
from read.ctext import Text  # noqa: E402
from judge import units  # noqa: E402
from test.slow import FULL, slow  # noqa: E402

SIZE = 100_000 if FULL else 25_000
# Twice what four times the bytes should cost, and what a start costs.
MOST, START = 8, 0.1


def _each(form: bytes, count: int) -> bytes:
    return b"".join(form.replace(b"%", b"%d" % n) for n in range(count))


SHAPES: dict[str, Callable[[int], bytes]] = {
    "nested": lambda n: b"#if A\n" * n + b"x\n" + b"#endif\n" * n,
    "nested else": lambda n: b"#if A\n#elif B\n#else\n" * n + b"#endif\n" * n,
    "braces": lambda n: b"int f(void)\n{\n" + b"{ if (x) (" * n + b")}" * n,
    "braces in #if": lambda n: b"#if A\nf(x) {\n#else\ng(y) {\n#endif\n" * n,
    "globals": lambda n: _each(b"struct sg_page_iter it%;\n", n),
    "locals": lambda n: b"int f(void)\n{\n" + _each(
        b"struct sg_page_iter it%; it%.sg;\n", n) + b"}\n",
    "one name": lambda n: b"int f(struct sg_page_iter *it)\n{\n"
                          + b"int it; it->sg;\n" * n + b"}\n",
    "members": lambda n: b"struct s {\n" + _each(
        b"struct sg_page_iter it%;\n", n) + b"};\n" + _each(b"x->it%.sg;\n", n),
    "macros": lambda n: b"#define A0 1\n" + _each(
        b"#ifdef B%\n#define A% A0\n#endif\n#if A%\n#endif\n", n),
    "old style": lambda n: b"int f(a) int a;\n" * n,
    "no end": lambda n: b"EXPORT(x)\n" * n + b"int f(void) { }\n",
    "quotes": lambda n: b"'x\n\"y\n" * n,
    "splices": lambda n: b"a\\\n" * n + b"\\ " * n,
    "condition": lambda n: b"#if " + b"A || (" * n + b"1\n#endif\n",
}


class BoundsTest(unittest.TestCase):
    program: Path
    names: list[str]

    @classmethod
    def setUpClass(cls) -> None:
        cls.program = smalltree.census()
        conditionals.use(cls.program)
        cls.names = census.options(census.default())

    def cost(self, data: bytes, *, text: bool, most: int = 1 << 34) -> float:
        """Return the time of the reading of a file or text.

        most: bytes of memory that it may take.
        """
        with tempfile.TemporaryDirectory() as folder:
            words = ["--texts"] if text else ["-j1", folder]
            (Path(folder) / "x.c").write_bytes(data + b"\nfor_each_sg_page;\n")
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(
                [str(self.program), *self.names, *words], check=True,
                input=b"text %d\n" % len(data) + data if text else b"",
                stdout=subprocess.DEVNULL, preexec_fn=lambda:
                resource.setrlimit(resource.RLIMIT_AS, (most, most)))
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (after.ru_utime - before.ru_utime
                + after.ru_stime - before.ru_stime)

    def test_four_times_the_bytes_cost_four_times_as_much(self) -> None:
        for name, shape in SHAPES.items():
            for text in (False, True):
                with self.subTest(name, text=text):
                    small, large = shape(SIZE), shape(4 * SIZE)
                    # The best of three: the machine may do something else.
                    self.assertTrue(any(
                        self.cost(large, text=text)
                        <= MOST * self.cost(small, text=text) + START
                        for _ in range(3)))

    def test_twenty_thousand_nested_conditions_are_too_deep(self) -> None:
        data = SHAPES["nested"](20_000) + b"for_each_sg_page;\n"
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "x.c").write_bytes(data)
            sites = census.take(self.program, Path(folder), 1)
        self.assertEqual([(site.line, site.token, site.place)
                          for site in sites], [
            (4097, "?", "unlexed: nesting too deep"),
            (40_002, "for_each_sg_page", "code")])
        self.assertEqual(Text(data).unknown,
                         "more #if stand in one another than are followed")

    def test_many_declarations_are_bound_in_time(self) -> None:
        costs = []
        for count in (SIZE // 10, 4 * SIZE // 10):
            text = Text(_each(b"int f%(struct sg_page_iter *it)\n"
                              b"{ return sg_page_iter_page(it); }\n", count))
            before = time.process_time()
            self.assertEqual(len(units.bind({"x.c": text})), count)
            costs.append(time.process_time() - before)
        self.assertLess(costs[1], MOST * costs[0] + START)

    @slow
    def test_two_hundred_megabytes_are_read(self) -> None:
        line = b"\tx = (y[0] + z->len) ? \"a\\n\" : 'b'; if (x) { y(); }\n"
        data = b"int f(void)\n{\n" + line * (200_000_000 // len(line)) + b"}\n"
        self.cost(data, text=False, most=300_000_000)


if __name__ == "__main__":
    unittest.main()
