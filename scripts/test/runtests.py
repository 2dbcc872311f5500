#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Run every test there is, and add up: `N passed, N failed` ends the output.

    runtests.py [--full] [--jobs N] [--out DIR] [PART...]

A part is a module of scripts/test/tests, a program that prints its own sum or
KTAP, or a linter, and runs in a process group of its own. A part that dies,
hangs, or ends in a way its own sum does not explain is a failure; so is a
module without tests. What is skipped is counted and named with the reason.
Without --full, tests that slow.py marks do not run; the last line but one has
their number.

Data:   parts -> a line each on stdout, in a fixed order, and the sum; what a
        part that failed has to say goes to stderr.
Units:  seconds of wall-clock time.
Errors: none leave a part; exit status 0 all passed, 1 not all did.
Source: unittest's TestResult; KTAP as ktap.py reads it.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

if not __package__:                  # run as a program
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from host import output
from prove import ktap
from test import slow

SCRIPTS = Path(__file__).resolve().parents[1]
ROOT = SCRIPTS.parent
# A part that runs longer hangs; the longest takes six minutes on two
# processors, and more than ten where others build beside it.
LIMIT_S = 1500
# Programs that are tests; the rest of scripts/ is held to scripts/test/tests/.
PROGRAMS = ("test/fixtures.py", "prove/harness.py")
# Started first, so that it does not run alone at the end.
_LONGEST = "test_property"
_SUM = re.compile(r"^(\d+) passed, (\d+) failed$")


@dataclass(frozen=True)
class Tally:
    passed: int
    failed: int
    skipped: tuple[str, ...]     # name: reason
    told: str = ""               # what a person needs to see of a failure


@dataclass(frozen=True)
class Part:
    name: str
    run: Callable[[], Tally]


@dataclass(frozen=True)
class Ended:
    status: int | None           # None: killed at the limit
    output: str                  # stdout
    errors: str


def parts(out: Path) -> list[Part]:
    """Return every part, the long ones first."""
    found = [Part(Path(name).stem, partial(_program, SCRIPTS / name))
             for name in PROGRAMS]
    found += [Part("mypy", partial(_mypy, out)), Part("shellcheck", _shell)]
    modules = sorted((SCRIPTS / "test/tests").glob("test_*.py"),
                     key=lambda file: (file.stem != _LONGEST,
                                       -file.stat().st_size, file.name))
    found += [Part(file.stem, partial(_module, file)) for file in modules]
    return found


def _module(file: Path) -> Tally:
    """Run one test module in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="sgwalk-") as folder:
        told = Path(folder) / "told"
        ended = _run([sys.executable, __file__, "--module", str(file),
                      "--told", str(told)])
        if not told.exists():
            return _crashed(ended)
        result: dict[str, Any] = json.loads(told.read_text())
    bad = list(result["bad"])
    if bool(bad) != bool(ended.status):
        bad.append(f"{file.stem}: {_end(ended)}")
    if not result["ran"] and not bad and not result["skipped"]:
        bad.append(f"{file.stem}: holds no test")
    return Tally(result["passed"], len(bad), tuple(result["skipped"]),
                 "\n".join([ended.errors, *bad]) if bad else "")


def _program(file: Path) -> Tally:
    """Run a program that prints a sum as its last line, or KTAP."""
    ended = _run([sys.executable, str(file)])
    lines = ended.output.rstrip().splitlines()
    found = _SUM.match(lines[-1]) if lines else None
    skipped: tuple[str, ...] = ()
    if found:
        passed, failed = int(found[1]), int(found[2])
    else:
        report = ktap.parse(ended.output)
        if not report.tests:
            return _crashed(ended)
        passed = report.count(ktap.Verdict.PASSED)
        failed = report.count(ktap.Verdict.FAILED) + len(report.complaints)
        skipped = tuple(test.name for test in report.tests
                        if test.verdict is ktap.Verdict.SKIPPED)
    if bool(failed) != bool(ended.status) or not passed + failed:
        failed += 1
    told = f"{ended.output}\n{ended.errors}\n{_end(ended)}" if failed else ""
    return Tally(passed, failed, skipped, told)


def _mypy(out: Path) -> Tally:
    files = sorted(SCRIPTS.rglob("*.py"))
    try:
        cache = output.folder(out, "mypy")
    except output.OutputError:
        cache = Path(os.devnull)     # mypy then keeps none
    return _linter(["mypy", "--strict", "--no-namespace-packages",
                    "--no-error-summary",
                    f"--cache-dir={cache}", *map(str, files)])


def _shell() -> Tally:
    """Check what a shell reads: every file whose first line names one."""
    listed = _run(["git", "-C", str(ROOT), "ls-files", "-z", "--cached",
                   "--others", "--exclude-standard"])
    files = [ROOT / name for name in listed.output.split("\0") if name] \
        if listed.status == 0 else [*SCRIPTS.glob("*.sh"), ROOT / ".ci/run"]
    scripts = [str(file) for file in sorted(set(files))
               if file.is_file() and not file.is_symlink() and re.match(
                   rb"#! ?/\S*/(env )?(ba|da)?sh\b", _head(file))]
    return _linter(["shellcheck", *scripts])


def _head(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.readline(100)


def _linter(command: Sequence[str]) -> Tally:
    """Run a linter: one test, skipped where it is not installed."""
    if shutil.which(command[0]) is None:
        return Tally(0, 0, (f"{command[0]}: not installed",))
    ended = _run(command)
    if ended.status == 0:
        return Tally(1, 0, ())
    return Tally(0, 1, (), f"{ended.output}{ended.errors}{_end(ended)}")


def _run(command: Sequence[str]) -> Ended:
    """Run a command in a session of its own, and end all of it in time."""
    env = {**os.environ, "LC_ALL": "C", "TZ": "UTC",
           "PYTHONDONTWRITEBYTECODE": "1", "MYPYPATH": str(SCRIPTS)}
    with subprocess.Popen(
            command, cwd=ROOT, env=env, text=True, errors="replace",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True) as process:
        try:
            output, errors = process.communicate(timeout=LIMIT_S)
            return Ended(process.returncode, output, errors)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, errors = process.communicate()
            return Ended(None, output, errors)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise


def _crashed(ended: Ended) -> Tally:
    return Tally(0, 1, (), f"{ended.output}\n{ended.errors}\n{_end(ended)}")


def _end(ended: Ended) -> str:
    if ended.status is None:
        return f"killed after {LIMIT_S} s"
    if ended.status < 0:
        return f"killed by {signal.Signals(-ended.status).name}"
    return f"ended with status {ended.status}"


# --- in the process of a module --------------------------------------------

class _Result(unittest.TextTestResult):
    """Know each test by its id, however often it is told about."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.started: set[str] = set()

    def startTest(self, test: unittest.TestCase) -> None:
        self.started.add(test.id())
        super().startTest(test)

    def bad(self) -> set[str]:
        failed = [test for test, _ in [*self.failures, *self.errors]]
        # A subtest's failure is its test's.
        return {getattr(test, "test_case", test).id()
                for test in [*failed, *self.unexpectedSuccesses]}


def _be_module(file: Path, told: Path) -> int:
    """Run the module's tests here, and write down how they went."""
    sys.path[:0] = [str(SCRIPTS), str(file.parent)]
    suite = unittest.defaultTestLoader.loadTestsFromName(file.stem)
    result = unittest.TextTestRunner(resultclass=_Result, verbosity=0).run(
        suite)
    assert isinstance(result, _Result)
    bad = result.bad()
    skipped = {test.id(): why for test, why in result.skipped}
    passed = result.started - bad - skipped.keys()
    told.write_text(json.dumps({
        "ran": result.testsRun, "passed": len(passed), "bad": sorted(bad),
        "skipped": [f"{name}: {why}" for name, why in sorted(
            skipped.items())]}))
    return 1 if bad else 0


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="runtests.py")
    parser.add_argument("--jobs", type=int,
                        default=len(os.sched_getaffinity(0)))
    parser.add_argument("--out", type=Path, default=ROOT / "out")
    parser.add_argument("--full", action="store_true",
                        help="run the slow tests, too")
    parser.add_argument("--module", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--told", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("part", nargs="*", help="run only these")
    asked = parser.parse_args(words)
    if asked.module:
        return _be_module(asked.module, asked.told)
    _share(asked.out.absolute())
    os.environ[slow.VARIABLE] = "1" if asked.full else "0"
    chosen = parts(asked.out.absolute())
    names = [part.name for part in chosen]
    if unknown := sorted(set(asked.part) - set(names)):
        parser.error(f"no part {', '.join(unknown)}; there are: "
                     f"{' '.join(names)}")
    return _all([part for part in chosen
                 if not asked.part or part.name in asked.part], asked.jobs)


def _share(out: Path) -> None:
    """Let the modules of a run share what make built and spatch printed.

    Hundreds of tests plan the same few files. An entry of the cache hangs on
    the bytes of rule, files and code, so a change of one runs spatch again.
    """
    with contextlib.suppress(OSError, output.OutputError):
        os.environ["SGWALK_CACHE"] = str(output.folder(out, "cache"))
    reader = out / "bin/reader"
    if reader.exists():
        os.environ["SGWALK_READER"] = str(reader)


def _all(chosen: Sequence[Part], jobs: int) -> int:
    passed = failed = 0
    skipped: list[str] = []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for part, (tally, seconds) in zip(chosen, pool.map(_timed, chosen)):
            if tally.told:
                print(f"--- {part.name}\n{tally.told}", file=sys.stderr,
                      flush=True)
            print(f"{part.name:<22} {tally.passed:>5} passed "
                  f"{tally.failed:>3} failed {len(tally.skipped):>3} skipped "
                  f"{seconds:>6.1f} s", flush=True)
            passed += tally.passed
            failed += tally.failed
            skipped += tally.skipped
    left = [name for name in skipped if name.endswith(slow.REASON)]
    for name in skipped:
        if name not in left:
            print(f"skipped: {name}")
    if left:
        print(f"{len(left)} slow tests run with FULL=1 only")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def _timed(part: Part) -> tuple[Tally, float]:
    start = time.monotonic()
    return part.run(), time.monotonic() - start


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
