# SPDX-License-Identifier: GPL-2.0-only
"""Run spatch jobs and return how each of them ended.

spatch exits 0 and prints nothing both when a rule has nothing to do and when
it could not read a function, ran out of time or raised an exception. So nothing
is taken from an exit status: a job is QUIET only where spatch named its files
as handled, in the order given, and reported no exception for them; or, for a
rule that may be prefiltered, as skipped for want of the rule's words.

A job is one rule, in one mode, on one unit: the files that spatch has to read
together, nearly always one. A job that did not end well in its batch runs
again alone before it counts as failed. Jobs of one unit that run again share
one time limit, since a limit is for a file and not for a rule.

What spatch prints is bounded: the kernel limits what it may write, and we read
no more than that.

spatch works on copies with names of its own, in a folder that is removed at
the end of the run, also after SIGKILL: no name of the tree reaches a shell or
a diff, and no .cocciconfig of the tree is read. sanitise() lists what a copy
loses.

Data:   (sources, jobs) -> Result, one a job, in the order of the jobs.
Units:  timeout in seconds of wall-clock time a unit; memory in MiB of address
        space a process; line numbers 1-based, those of the original.
Errors: SpatchError, when a tool is missing or too old, or when nothing can be
        known about any job; RuleError, when spatch refuses a rule. What goes
        wrong with single files is a Result.
Source: messages and exit status as seen with Coccinelle 1.1.1 (Debian 12);
        tests/test_spatch.py has each of them.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from host import scratch
from host.progress import Progress
from host.scratch import ScratchError
from run import includes
from run.batches import make_batches, reads_headers
from run.hunks import sanitise
from run.jobs import Batch, Job, MACROS, Result, SpatchError, Work
from run.parallel import collect
from run.printed import inapplicable, reason_of
from run.tools import check_rules, installed, rule_text


def run(sources: Mapping[str, bytes], jobs: Sequence[Job], *, procs: int,
        timeout: int, memory: int, ssh: str = "",
        macros: Path = MACROS,
        progress: Progress | None = None,
        root: Path | None = None) -> list[Result]:
    """Run the jobs and return their results in the order of the jobs.

    progress gets the number of jobs that have ended, and of all jobs.
    root: the tree, for the rules that want headers of it.
    """
    if not jobs:
        return []
    check_rules(jobs, installed(os.environ.get("PATH", "")))
    with _workspace() as folder:
        work = Work(folder, sources, jobs, procs, timeout, memory, ssh,
                    progress, root)
        _write_inputs(work, macros)
        results = collect(work, make_batches(work), alone=False)
        lost: dict[tuple[str, ...], list[int]] = {}
        for number, job in enumerate(jobs):
            if number not in results:
                lost.setdefault(job.files, []).append(number)
        if lost:
            again = [Batch(f"a{at:05}", tuple(numbers))
                     for at, numbers in enumerate(lost.values())]
            results.update(collect(work, again, alone=True))
    return [results[number] for number in range(len(jobs))]


def version() -> str:
    """Return the version of the spatch that runs the jobs."""
    return ".".join(map(str, installed(os.environ.get("PATH", ""))))


def refusal(rule: Path, mode: str) -> str:
    """Return why spatch does not accept a rule's text, "" when it does."""
    return look(rule, mode)[0]


def look(rule: Path, mode: str,
         text: bytes | None = None) -> tuple[str, tuple[str, ...]]:
    """Return what refusal() does, and the words that spatch would grep for.

    A file must hold one of them for the rule to match there; where there are
    none, it may match anywhere. A text takes the place of the rule's file.
    spatch --parse-cocci exits 255 for a good rule where no mode is given;
    mode is "" for a rule that declares none.
    """
    why, words = query(rule, mode, text)
    plain = all(re.fullmatch(r"\w+", word) for word in words)
    return why, words if plain else ()


def query(rule: Path, mode: str,
          text: bytes | None = None) -> tuple[str, tuple[str, ...]]:
    """Do what look() does, for rules that want a header, too.

    The name of the header is one of the words then.
    """
    installed(os.environ.get("PATH", ""))
    with _workspace() as folder:
        (folder / "rule.cocci").write_bytes(
            rule.read_bytes() if text is None else text)
        try:
            done = subprocess.run(
                ["/bin/sh", "-c", f"ulimit -v {_LOOK_MIB << 10}\n"
                 f"ulimit -f {_LOOK_OUTPUT_MIB << 11}\n"
                 'exec setpriv --pdeathsig KILL spatch ${0:+-D "$0"} '
                 "--parse-cocci rule.cocci >out 2>err", mode], cwd=folder,
                stdin=subprocess.DEVNULL, check=False, timeout=_LOOK_S,
                env={**os.environ, "HOME": str(folder), "LC_ALL": "C"})
        except subprocess.TimeoutExpired:
            return f"it is not read within {_LOOK_S} s", ()
        done.stdout, done.stderr = ((folder / name).read_bytes()
                                    for name in ("out", "err"))
    if done.returncode != 0 and not inapplicable(done.stderr):
        return reason_of(done.stderr), ()
    found = re.search(rb"^Grep query\n([\w./-]+(?: \|\| [\w./-]+)*)\s*\Z",
                      done.stdout, re.MULTILINE)
    return "", tuple(found[1].decode("ascii", "replace").split(" || ")) \
        if found else ()

# Reading a rule takes spatch a tenth of a second.
_LOOK_S = 60
_LOOK_MIB = 4096
_LOOK_OUTPUT_MIB = 4


@contextlib.contextmanager
def _workspace() -> Iterator[Path]:
    with contextlib.ExitStack() as held:
        try:
            folder = held.enter_context(scratch.folder())
        except ScratchError as error:
            raise SpatchError(str(error)) from error
        yield folder


def _write_inputs(work: Work, macros: Path) -> None:
    try:
        for job in work.jobs:
            for name in job.files:
                if name not in work.short:
                    _write_source(work, name)
            if job.rule and (job.rule.path, job.mode) not in work.rules:
                short = f"r{len(work.rules):03}.cocci"
                (work.folder / short).write_bytes(
                    rule_text(job.rule, job.mode))
                work.rules[job.rule.path, job.mode] = short
        if work.root is not None:
            includes.link(work.folder, work.root, [
                name for job in work.jobs if reads_headers(work, job)
                for name in job.files], work.links)
        shutil.copyfile(macros, work.folder / "kernel.h")
        # parallel measures the longest command line anew in each HOME, 0.3
        # CPU seconds; this is where it looks for the measure first.
        known = (work.folder / "home/.parallel/tmp/sshlogin"
                 / os.uname().nodename)
        known.mkdir(parents=True)
        (known / "linelen").write_text("100000\n")
    except OSError as error:
        raise SpatchError(f"cannot prepare the run: {error}") from error


def _write_source(work: Work, name: str) -> None:
    if name not in work.sources:
        raise SpatchError(f"{name}: no source was given for it")
    suffix = ".h" if name.endswith(".h") else ".c"
    short = f"f{len(work.short):05}{suffix}"
    text = sanitise(work.sources[name])
    (work.folder / short).write_bytes(text)
    work.short[name] = short
    work.long[short] = name
    work.lines[short] = text.split(b"\n")
