# SPDX-License-Identifier: GPL-2.0-only
"""Read what spatch printed for a batch: one result a job, or none.

Nothing is taken from an exit status. A job ended well only where spatch named
its files as handled, in the order given, and reported no exception for them.
What spatch printed need not be whole: output that spatch cannot print makes
its own job fail, and no other.

Data:   Ended -> {number of the job: Result}; a job that is not there is lost.
Source: messages of Coccinelle 1.1.1; tests/test_spatch.py has each of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from run.hunks import fits, split_diffs, with_names
from run.jobs import Batch, Ended, Outcome, Ranges, Result, Work
from run.rules import Rule, RuleError
from run.unread import (EXCEPTION, HANDLING, TIMEOUT, find_unread, lose_jobs,
                        parse_census, split_sections)

_NO_MEMORY = re.compile(rb"out.of.memory|cannot allocate memory", re.I)
_FOUND = re.compile(r"\bf\d{5}\.[ch]\b")


def judge_batch(work: Work, batch: Batch, ended: Ended,
                alone: bool) -> dict[int, Result]:
    """Return the results of a batch, without those to be run again."""
    first = work.jobs[batch.jobs[0]]
    if ended.cut:
        return lose_jobs(work, batch, ended, ended.cut) if alone else {}
    if ended.code or ended.signal:
        if first.rule and not ended.killed:
            if inapplicable(ended.stderr):
                return {number: Result(work.jobs[number], Outcome.QUIET)
                        for number in batch.jobs}
            _refused(first.rule, ended)
        # Standard output may have been lost with the process: none of its
        # jobs is known to have ended well.
        return _badly(work, batch, ended) if alone else {}
    if first.rule is None:
        found = parse_census(work, batch, ended)
    elif first.mode in ("report", "org"):
        found = _printed(work, batch, ended)
    else:
        found = _diffed(work, batch, ended)
    good = {number: result for number, result in found.items()
            if result.outcome in (Outcome.HIT, Outcome.QUIET)}
    return found if alone else good


def _refused(rule: Rule, ended: Ended) -> None:
    """Raise when spatch began and ended before the first file."""
    lines = ended.stderr.split(b"\n")
    if not any(line.startswith(b"init_defs_builtins: ") for line in lines) \
            or any(line.startswith(HANDLING) for line in lines) \
            or _NO_MEMORY.search(ended.stderr):
        return
    raise RuleError(f"{rule.path}: spatch refuses the rule: "
                    f"{reason_of(ended.stderr)}")


def inapplicable(stderr: bytes) -> bool:
    """Say whether a good rule has no part for the mode at all.

    spatch then exits 255 without a look at a file.
    """
    return stderr.startswith(b"init_defs_builtins: ") \
        and b"\nNo rules apply." in stderr and HANDLING[0] not in stderr


def reason_of(stderr: bytes) -> str:
    """Return what spatch says, without what it says to every rule."""
    said = [line.decode(errors="replace").strip()
            for line in stderr.split(b"\n")
            if line.strip() and not line.startswith((b"Warning:", b"init_"))]
    return " ".join(said[:4]) or "no reason given"


def _badly(work: Work, batch: Batch, ended: Ended) -> dict[int, Result]:
    number, = batch.jobs
    if ended.killed:
        outcome, why = Outcome.TIMEOUT, f"no end within {work.timeout} s"
    elif _NO_MEMORY.search(ended.stderr):
        outcome, why = Outcome.MEMORY, f"more than {work.memory} MiB"
    else:
        said = ended.stderr.decode(errors="replace").strip().splitlines()
        outcome = Outcome.FAILED
        why = (f"killed by signal {ended.signal}" if ended.signal else
               f"exit status {ended.code}: {said[-1] if said else ''}")
    return {number: Result(work.jobs[number], outcome, detail=why,
                           seconds=ended.seconds)}


def _raised(work: Work, text: bytes) -> tuple[Outcome, str]:
    """Return what an exception means."""
    if TIMEOUT in text:
        return Outcome.TIMEOUT, f"no end within {work.timeout} s"
    if _NO_MEMORY.search(text):
        return Outcome.MEMORY, f"more than {work.memory} MiB"
    words = re.sub(r"\\(.)", lambda match: " " if match[1] in "nt"
                   else match[1], text.decode(errors="replace"))
    return Outcome.FAILED, _named(work, " ".join(words.split()))


def _named(work: Work, text: str) -> str:
    return _FOUND.sub(lambda match: work.long.get(match[0], match[0]), text)


def _handled(work: Work, batch: Batch,
             ended: Ended) -> dict[int, Result] | None:
    """Return a QUIET or ended-badly result a job, None on a wrong account."""
    sections = list(split_sections(ended.stderr, HANDLING))
    if len(sections) != len(batch.jobs):
        return None
    found = {}
    for number, (names, lines) in zip(batch.jobs, sections):
        job = work.jobs[number]
        shorts = [work.short[name] for name in job.files]
        if names.split() != [name.encode() for name in shorts]:
            return None
        outcome, why = Outcome.QUIET, ""
        for line in lines:
            if line.startswith(EXCEPTION):
                outcome, why = _raised(work, line[len(EXCEPTION):])
        bad: dict[str, Ranges] = {}
        # In context mode spatch stops telling after the first diff.
        if outcome is Outcome.QUIET and job.mode != "context":
            bad, _ = find_unread(work, shorts, lines)
        found[number] = Result(job, outcome, {}, bad, why,
                               ended.seconds / len(batch.jobs),
                               tried=_tried(work, lines))
    return found


def _tried(work: Work, lines: Iterable[bytes]) -> dict[
        str, tuple[tuple[int, str], ...]]:
    """Return the functions that --show-trying names, by file."""
    found: dict[str, set[tuple[int, str]]] = {}
    for line in lines:
        match = _TRIED.fullmatch(line)
        name = match[2].decode() if match else ""
        if match and name in work.long:
            found.setdefault(work.long[name], set()).add(
                (int(match[3]), match[1].decode("ascii", "replace")))
    return {name: tuple(sorted(functions))
            for name, functions in found.items()}

_TRIED = re.compile(rb" +trying function: (\S+): (f\d{5}\.[ch]):(\d{1,9})")


def _diffed(work: Work, batch: Batch, ended: Ended) -> dict[int, Result]:
    found = _handled(work, batch, ended)
    if found is None:
        return lose_jobs(work, batch, ended, "spatch did not name its files")
    first = work.jobs[batch.jobs[0]].rule
    diffs = split_diffs(ended.stdout, first is not None and first.bare)
    if diffs is None or not diffs.keys() <= work.long.keys():
        return lose_jobs(work, batch, ended, "spatch printed more than diffs")
    for number, result in found.items():
        names = [work.short[name] for name in result.job.files]
        mine = {work.long[name]: diffs.pop(name)
                for name in names if name in diffs}
        if not all(fits(work, work.short[name], diff)
                   for name, diff in mine.items()):
            found[number] = Result(
                result.job, Outcome.FAILED, detail="spatch printed a diff "
                "that does not fit the file", seconds=result.seconds)
        elif mine and result.outcome is Outcome.QUIET:
            found[number] = replace(result, outcome=Outcome.HIT, changed={
                name: with_names(name, diff) for name, diff in mine.items()})
    if diffs:
        return lose_jobs(work, batch, ended, "a diff of a file of no job")
    return found


def _printed(work: Work, batch: Batch, ended: Ended) -> dict[int, Result]:
    """Give each line of report or org mode to the job whose file it names."""
    found = _handled(work, batch, ended)
    if found is None:
        return lose_jobs(work, batch, ended, "spatch did not name its files")
    owners: dict[str, int] = {}
    shared = False
    for number in batch.jobs:
        for name in work.jobs[number].files:
            shared |= name in owners
            owners[name] = number
    lines: dict[int, list[str]] = {}
    for line in ended.stdout.decode("ascii", "replace").splitlines():
        names = {work.long.get(name, "") for name in _FOUND.findall(line)}
        jobs = {owners.get(name, -1) for name in names}
        if len(batch.jobs) == 1:
            jobs = {batch.jobs[0]}
        if len(jobs) != 1 or -1 in jobs or (shared and len(batch.jobs) > 1):
            return lose_jobs(work, batch, ended, "output that names no file")
        lines.setdefault(jobs.pop(), []).append(_named(work, line) + "\n")
    for number, result in found.items():
        if number in lines and result.outcome is Outcome.QUIET:
            found[number] = Result(
                result.job, Outcome.HIT, {}, result.bad, "", result.seconds,
                "".join(lines[number]))
    return found
