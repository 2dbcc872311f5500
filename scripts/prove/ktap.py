# SPDX-License-Identifier: GPL-2.0-only
"""Read KTAP, the test report that the harness, KUnit and the boot test print.

An exit status is not believed: kunit.py --raw_output exits 0 although a test
failed, and a kernel that dies half way has none. What counts is that each
test of the plan was told, once and in order, and how.

Data:   text, with or without the kernel's time stamps and whatever else is on
        the console -> Report. A test that has subtests counts as these.
Errors: none; what is not as it must be is in Report.complaints.
Source: Documentation/dev-tools/ktap.rst, as of v6.1.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

_STAMP = re.compile(r"^(?:<\d>)?(?:\[ *\d+\.\d+\] ?)?")
_VERSION = re.compile(r"^( *)K?TAP version \d+$")
_PLAN = re.compile(r"^( *)1\.\.(\d+)")
_RESULT = re.compile(r"^( *)(not )?ok (\d+) ?(?:- )?([^#]*?)"
                     r"(?: *# *(SKIP|TODO|XFAIL|TIMEOUT|ERROR)\b.*"
                     r"| *#.*)?$")
# KUnit gives the parameters of a test no plan, but a sum behind them.
_SUM = re.compile(r"^( *)# \S+: pass:\d+ fail:\d+ skip:\d+ total:(\d+)$")
# What names the tests to come is no note on the first of them.
_NOTE = re.compile(r"^ *# (?!Subtest: )(.+)$")
_INDENT = 4


class Verdict(enum.Enum):
    PASSED = "ok"
    FAILED = "not ok"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Test:
    name: str
    verdict: Verdict
    notes: tuple[str, ...]       # the diagnostic lines before the result


@dataclass(frozen=True)
class Report:
    tests: tuple[Test, ...]
    complaints: tuple[str, ...]  # one sentence each

    def count(self, verdict: Verdict) -> int:
        return sum(test.verdict is verdict for test in self.tests)

    @property
    def holds(self) -> bool:
        """Whether there are tests, all were told, and none failed."""
        return bool(self.tests) and not self.complaints \
            and not self.count(Verdict.FAILED)


class _Level:
    """The tests at one depth, until the test that they belong to is told."""

    def __init__(self) -> None:
        self.plan: int | None = None
        self.told = 0
        self.failed = 0


def parse(text: str) -> Report:
    tests: list[Test] = []
    complaints: list[str] = []
    notes: list[str] = []
    levels: list[_Level] = []

    def close(depth: int, owner: str) -> _Level:
        """Return the level at the depth; close it and all below it."""
        level = levels[depth]
        while len(levels) > depth:
            below = levels.pop()
            if below.plan is None:
                complaints.append(f"{owner}: no plan")
            elif below.plan != below.told:
                complaints.append(f"{owner}: {below.told} of {below.plan} "
                                  "tests were told")
        return level

    for row in text.splitlines():
        line = _STAMP.sub("", row.rstrip())
        version = _VERSION.match(line)
        if version is not None and len(version[1]) // _INDENT >= len(levels):
            levels.append(_Level())
            continue
        if not levels:
            continue
        plan, result = _PLAN.match(line), _RESULT.match(line)
        note, total = _NOTE.match(line), _SUM.match(line)
        if total is not None:
            depth = len(total[1]) // _INDENT + 1
            if depth < len(levels) and levels[depth].plan is None:
                levels[depth].plan = int(total[2])
        elif plan is not None:
            depth = len(plan[1]) // _INDENT
            if depth == len(levels):       # KUnit before v5.19: no version
                levels.append(_Level())
            if depth < len(levels):
                levels[depth].plan = int(plan[2])
        elif result is not None:
            depth = len(result[1]) // _INDENT
            if depth >= len(levels):
                complaints.append(f"{result[4]}: deeper than any plan")
                continue
            name, failed = result[4].strip(), bool(result[2])
            level = levels[depth]
            level.told += 1
            level.failed += failed
            if int(result[3]) != level.told:
                complaints.append(f"{name}: told as test {result[3]}, is "
                                  f"test {level.told}")
            if len(levels) > depth + 1:
                below = close(depth + 1, name)
                if failed and not below.failed:
                    complaints.append(f"{name}: failed as a whole")
            else:
                tests.append(Test(name, _verdict(failed, result[5]),
                                  tuple(notes)))
            notes.clear()
        elif note is not None:
            notes.append(note[1])
    if levels:
        close(0, "the report")
    else:
        complaints.append("there is no KTAP")
    return Report(tuple(tests), tuple(complaints))


def _verdict(failed: bool, directive: str | None) -> Verdict:
    if directive == "SKIP":
        return Verdict.SKIPPED
    return Verdict.FAILED if failed else Verdict.PASSED
