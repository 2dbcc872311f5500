# SPDX-License-Identifier: GPL-2.0-only
"""Run batches with GNU parallel, and collect how each of them ended.

A batch that did not end well has no result here for the jobs that it lost;
spatch.py runs these again alone. A unit that ran into its time limit in one
batch is left out of the batches that start later.

Data:   batches -> {number of the job: Result}.
Units:  seconds of wall-clock time.
Errors: SpatchError, when GNU parallel itself fails.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from run.batches import SLOW, output_limit, shell_line
from run.jobs import Batch, Ended, Result, SpatchError, Work
from run.printed import judge_batch
from run.unread import EXCEPTION, HANDLING, PARSING, TIMEOUT, split_sections


def collect(work: Work, batches: Sequence[Batch], *,
            alone: bool) -> dict[int, Result]:
    """Run batches; a job that failed in company has no result yet."""
    # In company a job has a quarter of its time, so that one that hangs does
    # not take all.
    limit = work.timeout if alone else max(1, work.timeout // 4)
    wall = work.timeout
    if any(work.jobs[number].mode in ("report", "org")
           for batch in batches for number in batch.jobs):
        wall += 5            # Python's start, on a busy machine
    try:
        for batch in batches:
            (work.folder / batch.name).write_text(
                shell_line(work, batch, limit, alone))
        ended = start(work, batches, wall)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SpatchError(f"cannot run spatch: {error}") from error
    results: dict[int, Result] = {}
    for batch in batches:
        for one, how in (_chain(work, batch, ended[batch.name]) if alone
                         else [(_kept(work, batch), ended[batch.name])]):
            if one.jobs:
                results.update(judge_batch(work, one, how, alone))
    return results


def _kept(work: Work, batch: Batch) -> Batch:
    """Return a batch without the units that were left out of it."""
    try:
        names = (work.folder / f"{batch.name}.few").read_text().split()
    except FileNotFoundError:
        return batch
    return replace(batch, jobs=tuple(
        number for number in batch.jobs
        if work.short[work.jobs[number].files[0]] in names))


def _chain(work: Work, batch: Batch,
           ended: Ended) -> list[tuple[Batch, Ended]]:
    """Return how each job of a chain ended."""
    mark = re.compile(rb"\n%s (\d{1,3})\n" % work.token.encode())
    out, err = mark.split(ended.stdout), mark.split(ended.stderr)
    found = []
    for at, number in enumerate(batch.jobs):
        if 2 * at + 1 < min(len(out), len(err)):
            code = int(out[2 * at + 1])
            how = Ended(code if code < 128 else 0, max(0, code - 128),
                        ended.seconds / len(batch.jobs), out[2 * at],
                        err[2 * at])
            if how.signal == signal.SIGXFSZ:
                how = replace(how, cut=_too_much(work, batch))
        else:
            # The first one without a mark was at work when the chain ended.
            code = ended.code or ended.signal
            how = replace(ended, stdout=out[-1], stderr=err[-1], signal=(
                ended.signal if code else signal.SIGKILL))
        found.append((Batch(f"{batch.name}.{at}", (number,)), how))
    return found


def _too_much(work: Work, batch: Batch) -> str:
    return f"it printed more than {output_limit(work, batch) >> 10} KiB"


def start(work: Work, batches: Sequence[Batch],
          wall: int) -> dict[str, Ended]:
    """Run one script a batch under one GNU parallel."""
    tag = batches[0].name[0]
    log, results = work.folder / f"log-{tag}", work.folder / f"out-{tag}"
    names = work.folder / f"names-{tag}"
    names.write_text("".join(f"{batch.name}\n" for batch in batches))
    command = [
        "setpriv", "--pdeathsig", "KILL",
        "parallel", "--will-cite", "--jobs", str(max(1, work.procs)),
        "--timeout", str(wall), "--joblog", log.name,
        "--results", results.name, "--arg-file", names.name]
    if work.ssh:
        # One archive a host, unpacked by each batch in a folder of its own.
        parcel = f"work-{tag}.tar"
        subprocess.run(
            ["tar", "-cf", parcel, "--exclude=*.tar", "--exclude=./home",
             "--exclude=./out-*", "."], cwd=work.folder, check=True,
            stdin=subprocess.DEVNULL, capture_output=True)
        command += ["--sshlogin", work.ssh, "--workdir", "...",
                    "--basefile", str(work.folder / parcel), "--cleanup",
                    f"mkdir {{}} && cd {{}} && tar -xf "
                    f"{shlex.quote(str(work.folder / parcel))} && "
                    # What is too long is cut where it is written.
                    "/bin/sh ./{} >said 2>told; status=$?; cat said; "
                    "cat told >&2; cd ..; rm -rf {}; exit $status"]
    else:
        # A shell that stays is the parent that spatch waits for, so it has to
        # die with parallel, too. dash does not make way of its own accord.
        command += ["exec setpriv --pdeathsig KILL /bin/sh ./{}"]
    kept = {name: os.environ[name]
            for name in ("PATH", "COCCINELLE_HOME", "SSH_AUTH_SOCK")
            if name in os.environ}
    said = work.folder / f"said-{tag}"
    ended: dict[str, Ended] = {}
    slow: set[str] = set()
    with open(said, "wb") as errors, subprocess.Popen(
        command, cwd=work.folder, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=errors,
        env={**kept, "HOME": str(work.folder / "home"), "TMPDIR": ".",
             # parallel asks its ancestors first, who may be a csh.
             "LC_ALL": "C", "SHELL": "/bin/sh", "PARALLEL_SHELL": "/bin/sh",
             "PYTHONDONTWRITEBYTECODE": "1"}) as process:
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_WATCH_S)
                    break
                fresh = _log(work, batches, log, results, ended)
                ended.update(fresh)
                _note_slow(work, batches, fresh, slow)
                _tell(work, batches, ended)
        except BaseException:
            process.kill()
            _tell(work, batches, [batch.name for batch in batches])
            raise
    ended.update(_log(work, batches, log, results, ended))
    _tell(work, batches, ended)
    # Up to 101 is how many batches failed.
    if not ended and not 0 <= process.returncode <= 101:
        lines = said.read_bytes().decode(errors="replace").split("\n")
        why = [line.strip() for line in lines if line.strip()]
        raise SpatchError("parallel did not run any batch: "
                          f"{why[-1][:200] if why else 'it was killed'}")
    return {batch.name: ended.get(batch.name) or Ended(
        0, signal.SIGKILL, 0.0, b"", b"", "GNU parallel lost it")
        for batch in batches}

def _tell(work: Work, batches: Sequence[Batch],
          ended: Collection[str]) -> None:
    if work.progress:
        work.progress(sum(len(batch.jobs) for batch in batches
                          if batch.name in ended),
                      sum(len(batch.jobs) for batch in batches))


# Between two looks at which units have run into their limit.
_WATCH_S = 0.5


def _log(work: Work, batches: Sequence[Batch], log: Path, results: Path,
         but: Mapping[str, Ended]) -> dict[str, Ended]:
    """Read what parallel notes of each batch that has ended since.

    A line that is cut, as on a full disk, says nothing of its batch.
    """
    known = {batch.name: batch for batch in batches}
    ended: dict[str, Ended] = {}
    rows = log.read_bytes().decode(errors="replace").split("\n")[1:-1] \
        if log.exists() else []
    for row in rows:
        match = _LOGGED.fullmatch(row)
        names = _OURS.findall(match[4]) if match else []
        batch = known.get(names[-1]) if names else None
        if match is None or batch is None or batch.name in but:
            continue
        most = output_limit(work, batch)
        printed, cut = [], ""
        for side in ("stdout", "stderr"):
            try:
                with open(results / "1" / batch.name / side, "rb") as file:
                    printed.append(file.read(most))
                    cut = cut or (_too_much(work, batch)
                                  if len(printed[-1]) >= most else "")
            except OSError:
                printed.append(b"")
                cut = "what it printed is gone"
        ended[batch.name] = Ended(int(match[2]), int(match[3]),
                                  float(match[1]), printed[0], printed[1],
                                  cut)
    return ended


def _note_slow(work: Work, batches: Sequence[Batch],
               ended: Mapping[str, Ended], slow: set[str]) -> None:
    """Write down the units that later batches are to leave out."""
    known = len(slow)
    for batch in batches:
        if (how := ended.get(batch.name)) is None:
            continue
        heads = PARSING if work.jobs[batch.jobs[0]].rule is None \
            else HANDLING
        sections = list(split_sections(how.stderr, heads))
        late = [names for names, lines in sections
                if any(line.startswith(EXCEPTION) and TIMEOUT in line
                       for line in lines)]
        if how.killed and sections:
            late.append(sections[-1][0])
        slow |= {name for names in late
                 for name in names.decode(errors="replace").split()
                 if name in work.long}
    if len(slow) > known:
        text = "".join(f"{name}\n" for name in sorted(slow))
        (work.folder / f"{SLOW}.new").write_text(text)
        (work.folder / f"{SLOW}.new").replace(work.folder / SLOW)

# Number, host, start, run time, sent, received, exit status, signal, command.
_LOGGED = re.compile(r"\d+\t[^\t]*\t[ \d.]+\t *(\d+(?:\.\d+)?)\t-?\d+\t-?\d+"
                     r"\t(-?\d+)\t(\d+)\t(.*)")
_OURS = re.compile(r"\b[ab]\d{5}\b")
