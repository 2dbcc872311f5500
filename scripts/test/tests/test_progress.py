# SPDX-License-Identifier: GPL-2.0-only
"""progress.Bar: silent but on a terminal, late, and gone at the end."""

import io
import os
import unittest
from unittest import mock

from host.progress import Bar, line


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class BarTest(unittest.TestCase):

    def setUp(self) -> None:
        self.now = 0.0
        patched = mock.patch.dict(os.environ, TERM="xterm", COLUMNS="80")
        patched.start()
        self.addCleanup(patched.stop)

    def run_to(self, stream: io.StringIO, *steps: tuple[float, int]) -> str:
        bar = Bar(stream, lambda: self.now)
        for self.now, done in steps:
            bar(done, 100)
        return stream.getvalue()

    def test_a_pipe_gets_nothing(self) -> None:
        self.assertEqual(self.run_to(io.StringIO(), (0, 0), (9, 50)), "")

    def test_a_dumb_terminal_gets_nothing(self) -> None:
        with mock.patch.dict(os.environ, TERM="dumb"):
            self.assertEqual(self.run_to(Terminal(), (0, 0), (9, 50)), "")

    def test_two_seconds_are_silent(self) -> None:
        self.assertEqual(self.run_to(Terminal(), (0, 0), (1.9, 50)), "")

    def test_later_it_has_jobs_rate_and_time_left(self) -> None:
        said = self.run_to(Terminal(), (0, 0), (5, 50))
        self.assertIn(" 50 %  50 of 100 jobs  10/s  0:05 left", said)
        self.assertTrue(said.startswith("\r") and said.endswith("\033[K"))

    def test_the_end_removes_it(self) -> None:
        said = self.run_to(Terminal(), (0, 0), (5, 50), (9, 100))
        self.assertTrue(said.endswith("\r\033[K"))

    def test_what_the_cache_had_is_not_part_of_the_rate(self) -> None:
        self.assertIn("90 of 100 jobs  2/s  0:05 left",
                      self.run_to(Terminal(), (0, 80), (5, 90)))

    def test_a_narrow_terminal_keeps_one_line(self) -> None:
        with mock.patch.dict(os.environ, COLUMNS="30"):
            said = self.run_to(Terminal(), (0, 0), (5, 50))
        self.assertLess(len(said.strip("\r").removesuffix("\033[K")), 30)

    def test_a_start_without_a_job_has_no_rate(self) -> None:
        self.assertTrue(line(0, 10, 0, 5.0).endswith("0 of 10 jobs"))
        self.assertIn("1:00:00 left", line(1, 3601, 1, 1.0))


if __name__ == "__main__":
    unittest.main()
