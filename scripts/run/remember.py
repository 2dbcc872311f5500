# SPDX-License-Identifier: GPL-2.0-only
"""Run spatch jobs, and keep what spatch printed for the next run.

The name of an entry is the hash of all that a result depends on: the program,
the hints, the text and options of the rule, the mode, the names and bytes of
the files, and the code that reads what spatch prints. So nothing is ever out
of date. The limits of time and memory are not part of it: a job that ended
within larger ones has the same result.

Data:   jobs -> results, as spatch.run() returns them; only a job that ended
        well is kept.
Units:  a stride in jobs: what one start of spatch.run() found is kept before
        the next one starts, so a killed run loses one stride at most.
Errors: those of spatch.py. A cache that cannot be written is a slower run.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from host.progress import Progress
from run import spatch
from run.cache import Cache, key
from run.jobs import MACROS, Job, Outcome, Result, SpatchError
from run.rules import Rule

_STRIDE = 4000
_ENDED = (Outcome.QUIET, Outcome.HIT)


def run(cache: Cache, sources: Mapping[str, bytes], jobs: Sequence[Job], *,
        procs: int, timeout: int, memory: int, ssh: str = "",
        progress: Progress | None = None, root: Path | None = None,
        headers: bytes = b"", late: set[str] | None = None) -> list[Result]:
    """Return the results of jobs, in their order.

    progress counts a job that the cache had as one that has ended.
    root: the tree, for rules that want headers of it, in the state `headers`.
    late: files that ran into the limit earlier in this run. A limit is for a
    file, however often a stage runs spatch on it, so jobs on these files end
    here; files that run into it now are added.
    """
    names = _names(sources, jobs, headers)
    found = {at: _result(job, entry) for at, (job, name) in enumerate(
        zip(jobs, names)) if (entry := cache.get(name)) is not None}
    cache.used([names[at] for at in found])
    for at, job in enumerate(jobs):
        if late and at not in found and not late.isdisjoint(job.files):
            found[at] = Result(job, Outcome.TIMEOUT, detail="another job on "
                               f"this file did not end within {timeout} s")
    rest = [at for at in range(len(jobs)) if at not in found]
    for start in range(0, len(rest), _STRIDE):
        part = rest[start:start + _STRIDE]
        results = spatch.run(sources, [jobs[at] for at in part], procs=procs,
                             timeout=timeout, memory=memory, ssh=ssh,
                             progress=progress and functools.partial(
                                 _after, progress, len(found), len(jobs)),
                             root=root)
        for at, result in zip(part, results):
            found[at] = result
            if result.outcome in _ENDED:
                cache.put(names[at], _entry(result))
            elif result.outcome is Outcome.TIMEOUT and late is not None:
                late.update(result.job.files)
    cache.prune()
    return [found[at] for at in range(len(jobs))]


def _after(progress: Progress, before: int, of: int, done: int,
           _: int) -> None:
    progress(before + done, of)


@functools.lru_cache(maxsize=None)
def program() -> bytes:
    """Return what is different for another spatch, without a start of it."""
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        path = os.path.realpath(os.path.join(folder, "spatch"))
        try:
            facts = os.stat(path)
        except OSError:
            continue
        return f"{path}\0{facts.st_size}\0{facts.st_mtime_ns}".encode()
    return b""


def given(rule: Rule) -> bytes:
    """Return the text of a rule that spatch gets."""
    try:
        return rule.path.read_bytes() if rule.text is None else rule.text
    except OSError as error:
        raise SpatchError(f"{rule.path}: {error.strerror}") from error


@functools.lru_cache(maxsize=None)
def _code() -> bytes:
    """Return the hash of the code that reads what spatch prints."""
    return hashlib.sha256(b"\0".join(
        path.read_bytes() for path in sorted(
            Path(__file__).parent.glob("*.py")))).digest()


def _names(sources: Mapping[str, bytes], jobs: Sequence[Job],
           headers: bytes) -> list[str]:
    rules = {job.rule.path: job.rule for job in jobs if job.rule is not None}
    told = {path: hashlib.sha256(b"\0".join((
        given(rule), "\0".join(rule.options).encode(),
        b"prefilter" * rule.prefilter, b"bare" * rule.bare,
        b"modeless" * rule.modeless,
        headers if rule.includes is not None else b"none"))).digest()
        for path, rule in rules.items()}
    held = {file: key(os.fsencode(file), sources[file]).encode()
            for file in {file for job in jobs for file in job.files}}
    common = key(_code(), program(), MACROS.read_bytes()).encode()
    return [key(common, told[job.rule.path] if job.rule else b"",
                job.mode.encode(), *(held[file] for file in job.files))
            for job in jobs]


def _entry(result: Result) -> bytes:
    return json.dumps([
        result.outcome.value,
        {file: diff.decode("latin-1")
         for file, diff in result.changed.items()},
        {file: ranges for file, ranges in result.bad.items()},
        result.text,
        {file: functions for file, functions in result.tried.items()},
    ]).encode()


def _result(job: Job, entry: bytes) -> Result:
    outcome, changed, bad, text, tried = json.loads(entry)
    return Result(
        job, Outcome(outcome),
        {file: diff.encode("latin-1") for file, diff in changed.items()},
        {file: tuple((first, last) for first, last in ranges)
         for file, ranges in bad.items()}, text=text,
        tried={file: tuple((line, name) for line, name in functions)
               for file, functions in tried.items()})
