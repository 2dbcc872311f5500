# SPDX-License-Identifier: GPL-2.0-only
"""runtests: no way to fail that is counted as a pass, or not at all."""

import io
import tempfile
import unittest
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

from test import runtests
from test.runtests import Tally

HEAD = "import os, sys, unittest\nclass T(unittest.TestCase):\n"


class RunTestsTest(unittest.TestCase):

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = Path(scratch.name)

    def module(self, body: str, head: str = HEAD) -> Tally:
        file = self.scratch / "test_made.py"
        file.write_text(head + body)
        return runtests._module(file)

    def program(self, body: str) -> Tally:
        file = self.scratch / "made.py"
        file.write_text(body)
        return runtests._program(file)

    def counts(self, tally: Tally) -> tuple[int, int, int]:
        self.assertEqual(bool(tally.told), bool(tally.failed))
        return tally.passed, tally.failed, len(tally.skipped)

    def test_passes_failures_and_skips_are_told_apart(self) -> None:
        tally = self.module(
            "    def test_a(self): pass\n"
            "    def test_b(self): self.fail('seen')\n"
            "    def test_c(self): 1 / 0\n"
            "    @unittest.skip('no time')\n"
            "    def test_d(self): pass\n"
            "    @unittest.expectedFailure\n"
            "    def test_e(self): pass\n"
            "    @unittest.expectedFailure\n"
            "    def test_f(self): self.fail()\n")
        self.assertEqual(self.counts(tally), (2, 3, 1))
        self.assertEqual(tally.skipped, ("test_made.T.test_d: no time",))
        self.assertIn("seen", tally.told)

    def test_test_with_failing_subtests_is_one_failure(self) -> None:
        tally = self.module(
            "    def test_a(self):\n"
            "        for i in range(3):\n"
            "            with self.subTest(i): self.assertEqual(i, 1)\n"
            "    def test_b(self): pass\n")
        self.assertEqual(self.counts(tally), (1, 1, 0))

    def test_module_that_cannot_be_loaded_is_a_failure(self) -> None:
        self.assertEqual(self.counts(self.module("", "import nowhere\n")),
                         (0, 1, 0))
        self.assertEqual(self.counts(self.module("", "syntax error\n")),
                         (0, 1, 0))

    def test_class_that_cannot_be_set_up_is_a_failure(self) -> None:
        self.assertEqual(self.counts(self.module(
            "    @classmethod\n"
            "    def setUpClass(cls): raise OSError\n"
            "    def test_a(self): pass\n")), (0, 1, 0))

    def test_module_without_tests_is_a_failure(self) -> None:
        tally = self.module("    pass\n")
        self.assertEqual(self.counts(tally), (0, 1, 0))
        self.assertIn("holds no test", tally.told)

    def test_module_that_dies_is_a_failure(self) -> None:
        for end, word in (("os.kill(os.getpid(), 9)", "SIGKILL"),
                          ("os._exit(0)", "status 0")):
            with self.subTest(end):
                tally = self.module(
                    "    def test_a(self): pass\n"
                    f"    def test_b(self): {end}\n")
                self.assertEqual(self.counts(tally), (0, 1, 0))
                self.assertIn(word, tally.told)

    def test_module_that_hangs_is_killed_with_its_children(self) -> None:
        proof = self.scratch / "proof"
        with mock.patch.object(runtests, "LIMIT_S", 2):
            tally = self.module(
                "    def test_a(self):\n"
                f"        os.system('sleep 4; echo >{proof}')\n")
        self.assertEqual(self.counts(tally), (0, 1, 0))
        self.assertIn("killed after 2 s", tally.told)
        self.assertFalse(proof.exists())

    def test_programs_sum_is_its_last_line(self) -> None:
        self.assertEqual(self.counts(self.program(
            "print('1 passed, 9 failed')\nprint('7 passed, 0 failed')")),
            (7, 0, 0))

    def test_sum_and_status_have_to_agree(self) -> None:
        for body, wanted in (
                ("print('7 passed, 0 failed'); exit(1)", (7, 1, 0)),
                ("print('7 passed, 2 failed')", (7, 3, 0)),
                ("print('7 passed, 2 failed'); exit(1)", (7, 2, 0)),
                ("print('0 passed, 0 failed')", (0, 1, 0)),
                ("print('7 passed, 0 failed'); print('more')", (0, 1, 0)),
                ("", (0, 1, 0))):
            with self.subTest(body):
                self.assertEqual(self.counts(self.program(body)), wanted)

    def test_ktap_is_added_up(self) -> None:
        text = "KTAP version 1\\n1..3\\nok 1 a\\n{}ok 2 b\\nok 3 c # SKIP why"
        self.assertEqual(self.counts(self.program(
            f'print("{text.format("")}")')), (2, 0, 1))
        self.assertEqual(self.counts(self.program(
            f'print("{text.format("not ")}"); exit(1)')), (1, 1, 1))

    def test_ktap_that_stops_half_way_is_a_failure(self) -> None:
        tally = self.program(
            r'print("KTAP version 1\n1..3\nok 1 a"); exit(1)')
        self.assertEqual(tally.passed, 1)
        self.assertGreater(tally.failed, 0)

    def test_linter_that_is_missing_is_named_and_not_a_pass(self) -> None:
        self.assertEqual(runtests._linter(["no-such-linter"]),
                         Tally(0, 0, ("no-such-linter: not installed",)))

    def test_last_line_is_the_sum_and_the_status_agrees(self) -> None:
        def part(name: str, *numbers: int) -> runtests.Part:
            return runtests.Part(name, lambda: Tally(
                numbers[0], numbers[1], ("x: why",) * numbers[2],
                "told" * numbers[1]))
        for numbers, status in (((3, 0, 1), 0), ((3, 1, 0), 1),
                                ((0, 0, 2), 1)):
            output = io.StringIO()
            with redirect_stdout(output), redirect_stderr(io.StringIO()):
                got = runtests._all([part("a", *numbers), part("b", 0, 0, 1)],
                                    2)
            lines = output.getvalue().splitlines()
            self.assertEqual(got, status)
            self.assertEqual(lines[-1],
                             f"{numbers[0]} passed, {numbers[1]} failed")
            self.assertEqual(lines.count("skipped: x: why"), numbers[2] + 1)

    def test_every_test_file_is_a_part(self) -> None:
        names = {part.name for part in runtests.parts(self.scratch)}
        files = {file.stem for file in Path(__file__).parent.glob("test_*.py")}
        self.assertLessEqual(files, names)
        self.assertLessEqual({"fixtures", "harness", "mypy", "shellcheck"},
                             names)


if __name__ == "__main__":
    unittest.main()
