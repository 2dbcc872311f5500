# SPDX-License-Identifier: GPL-2.0-only
"""Hold ktap.py to reports of every kind, cut short and spoilt ones first."""

from __future__ import annotations

import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))

from prove import ktap  # noqa: E402
from prove.ktap import Verdict  # noqa: E402

PLAIN = """KTAP version 1
1..3
# seed 1
ok 1 first
# what went wrong
# and where
not ok 2 second, with a comma
ok 3 third # SKIP no IOMMU
"""

# As KUnit of v6.1 prints it on the console of UML.
NESTED = """Linux version 6.1.0 (me@here)
[    0.000000] KTAP version 1
[    0.000000] 1..2
[    0.000000]     KTAP version 1
[    0.000000]     # Subtest: one
[    0.000000]     1..1
[    0.000000]         KTAP version 1
[    0.000000]         # Subtest: parameters
[    0.010000]         ok 1 left
[    0.010000]     # parameters: EXPECTATION FAILED at lib/test.c:27
[    0.010000]     Expected this to be true, but is false
[    0.010000]         not ok 2 right
[    0.010000]     # parameters: pass:1 fail:1 skip:0 total:2
[    0.010000]     not ok 1 parameters
[    0.010000] not ok 1 one
[    0.010000]     # Subtest: two
[    0.010000]     1..1
[    0.010000]     ok 1 - alone
[    0.010000] ok 2 - two
reboot: System halted
"""


class Reading(unittest.TestCase):
    def test_each_test_has_its_verdict_and_its_notes(self) -> None:
        report = ktap.parse(PLAIN)
        self.assertEqual(report.complaints, ())
        self.assertEqual([(test.name, test.verdict) for test in report.tests],
                         [("first", Verdict.PASSED),
                          ("second, with a comma", Verdict.FAILED),
                          ("third", Verdict.SKIPPED)])
        self.assertEqual(report.tests[1].notes,
                         ("what went wrong", "and where"))
        self.assertFalse(report.holds)

    def test_time_stamps_and_the_rest_of_the_console_are_no_matter(
            self) -> None:
        noise = "".join(f"[    1.{n:06}] {line}\r\nusb 1-1: new device\n"
                        for n, line in enumerate(PLAIN.splitlines()))
        self.assertEqual(
            [(test.name, test.verdict) for test in ktap.parse(noise).tests],
            [(test.name, test.verdict) for test in ktap.parse(PLAIN).tests])

    def test_a_test_with_subtests_counts_as_these(self) -> None:
        report = ktap.parse(NESTED)
        self.assertEqual([test.name for test in report.tests],
                         ["left", "right", "alone"])
        self.assertEqual(report.count(Verdict.FAILED), 1)
        self.assertEqual([test.notes for test in report.tests],
                         [(), ("parameters: EXPECTATION FAILED at "
                               "lib/test.c:27",), ()])

    def test_the_sum_behind_parameters_is_their_plan(self) -> None:
        self.assertEqual(ktap.parse(NESTED).complaints, ())
        lost = ktap.parse(NESTED.replace("total:2", "total:3"))
        self.assertEqual(lost.complaints,
                         ("parameters: 2 of 3 tests were told",))
        none = ktap.parse(NESTED.replace("pass:1 fail:1", "done"))
        self.assertEqual(none.complaints, ("parameters: no plan",))


class Complaining(unittest.TestCase):
    def test_no_report_is_no_success(self) -> None:
        for text in ("", "Kernel panic\n", "ok 1 stray\n"):
            report = ktap.parse(text)
            self.assertEqual(report.tests, ())
            self.assertTrue(report.complaints)
            self.assertFalse(report.holds)

    def test_a_report_that_stops_early_is_no_success(self) -> None:
        report = ktap.parse(PLAIN[:PLAIN.index("# what")])
        self.assertEqual(report.complaints,
                         ("the report: 1 of 3 tests were told",))
        self.assertFalse(report.holds)

    def test_a_report_without_a_plan_is_no_success(self) -> None:
        report = ktap.parse(PLAIN.replace("1..3\n", ""))
        self.assertEqual(report.complaints, ("the report: no plan",))

    def test_a_test_that_is_told_out_of_turn_is_told_of(self) -> None:
        report = ktap.parse(PLAIN.replace("ok 3 third", "ok 4 third"))
        self.assertIn("third: told as test 4, is test 3", report.complaints)

    def test_a_suite_that_fails_by_itself_is_a_failure(self) -> None:
        text = NESTED.replace("        not ok 2 right", "        ok 2 right")
        report = ktap.parse(text)
        self.assertEqual(report.count(Verdict.FAILED), 0)
        self.assertIn("parameters: failed as a whole", report.complaints)
        self.assertFalse(report.holds)

    def test_a_suite_that_stops_early_is_named(self) -> None:
        report = ktap.parse(NESTED.replace("    1..1\n[    0.010000]     ok 1 "
                                           "- alone", "    1..2\n[    0.01000"
                                           "0]     ok 1 - alone"))
        self.assertEqual(report.complaints, ("two: 1 of 2 tests were told",))

    def test_an_empty_plan_is_no_success(self) -> None:
        self.assertFalse(ktap.parse("KTAP version 1\n1..0\n").holds)


if __name__ == "__main__":
    unittest.main()
