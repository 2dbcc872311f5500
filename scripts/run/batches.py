# SPDX-License-Identifier: GPL-2.0-only
"""Divide jobs into batches, and write the command of each.

Jobs of one rule and mode share a process, as its start costs more than most
jobs. Batches are made from the jobs alone: the number of processors changes
nothing but the time.

Data:   Work -> Batch; Batch -> a line for the shell that GNU parallel starts.
Units:  bytes of source a batch; bytes of output a batch.
"""

from __future__ import annotations

import collections
import os
import shlex
from pathlib import Path

from run import includes
from run.jobs import Batch, Job, Work
from run.tools import rule_options

_PYTHON = "/usr/bin/python3"
# A process costs 0.1 s to start, 0.3 s where the rule starts Python; reading
# 20 KB of driver about 0.05 s.
_BATCH_BYTES = 256 << 10
_PYTHON_BATCH_BYTES = 1 << 20
_BATCH_JOBS = 64
# OCaml's collector goes through the heap each time it has grown by 80 percent.
# What a job leaves is little of what it makes: a light rule takes 1.3 s for 80
# files in place of 2.8 s, and 130 MB in place of 64 MB. A larger nursery (s=)
# is a gain for the parser and a loss for the engine.
_COLLECTOR = "o=1000"
# What spatch may print beside what the files themselves give reason for.
_OUTPUT_BYTES = 1 << 20
_OUTPUT_PER_BYTE = 24
# The lines that it cannot parse of all headers that a batch reads.
_HEADERS_BYTES = 64 << 20
# Names in the folder of the units that ran into their limit in a batch.
SLOW = "slow"


def make_batches(work: Work) -> list[Batch]:
    """Group the jobs by rule and mode; the heaviest batch comes first."""
    size = {name: len(work.sources[name]) for name in work.short}
    groups: dict[tuple[Path | None, str, str], list[list[int]]] = {}
    weights: dict[tuple[Path | None, str, str], int] = collections.Counter()
    for number, job in enumerate(work.jobs):
        key = (job.rule.path if job.rule else None, job.mode,
               includes.folder_of(job.files[0]) if reads_headers(work, job)
               else "")
        python = job.mode in ("report", "org")
        weight = sum(size[name] for name in job.files)
        full = _PYTHON_BATCH_BYTES if python else _BATCH_BYTES
        lists = groups.setdefault(key, [[]])
        if _headers(work, job):
            # Its headers are an option of its process, so it has one alone.
            lists.insert(0, [number])
            continue
        if lists[-1] and (weights[key] + weight > full
                          or (not python and len(lists[-1]) >= _BATCH_JOBS)):
            lists.append([])
            weights[key] = 0
        lists[-1].append(number)
        weights[key] += weight

    def heaviest(numbers: list[int]) -> tuple[int, int]:
        return (-sum(size[name] for number in numbers
                     for name in work.jobs[number].files), numbers[0])

    ordered = sorted((numbers for lists in groups.values()
                      for numbers in lists if numbers), key=heaviest)
    return [Batch(f"b{at:05}", tuple(numbers))
            for at, numbers in enumerate(ordered)]


def reads_headers(work: Work, job: Job) -> bool:
    """Tell whether spatch reads headers of the tree for a job."""
    return (job.rule is not None and job.rule.includes is not None
            and work.root is not None and not work.ssh)


def _include_options(work: Work, job: Job) -> list[str]:
    if job.rule is None or job.rule.includes is None or \
            not reads_headers(work, job):
        return ["--no-includes"]
    return includes.options(job.rule.includes, work.links[
        includes.folder_of(job.files[0])])


def _headers(work: Work, job: Job) -> list[str]:
    """Return the headers whose types the other files of a unit need."""
    if job.rule is None or len(job.files) == 1:
        return []
    return [work.short[name] for name in job.files if name.endswith(".h")]


def shell_line(work: Work, batch: Batch, limit: int, alone: bool) -> str:
    """Return the shell script of a batch: fixed words and our own names."""
    lines = [f"ulimit -v {work.memory << 10}",
             # In blocks of 512 bytes; a process that writes more is killed.
             f"ulimit -f {output_limit(work, batch) >> 9}",
             f"export OCAMLRUNPARAM={_COLLECTOR}"]
    if not alone:
        lines += _without_slow(work, batch)
        lines.append(f"exec {_command(work, batch, limit)} </dev/null")
        return "\n".join(lines) + "\n"
    for at, number in enumerate(batch.jobs):
        one = Batch(f"{batch.name}.{at}", (number,))
        mark = f"printf '\\n%s %s\\n' {work.token} $status"
        lines += [f"{_command(work, one, limit)} </dev/null", "status=$?",
                  f"{mark}; {mark} >&2"]
    return "\n".join(lines) + "\n"


def output_limit(work: Work, batch: Batch) -> int:
    """Return how many bytes a batch may write to one file.

    spatch prints each line that it cannot parse, and a diff of what changes.
    """
    names = [name for number in batch.jobs for name in work.jobs[number].files]
    more = _HEADERS_BYTES * any(reads_headers(work, work.jobs[number])
                                for number in batch.jobs)
    # The kernel counts in blocks.
    return (_OUTPUT_BYTES + more + _OUTPUT_PER_BYTE * sum(
        len(work.sources[name]) for name in names)) >> 9 << 9


def _without_slow(work: Work, batch: Batch) -> list[str]:
    """Return what takes units from a batch that ran into their limit."""
    if work.jobs[batch.jobs[0]].rule is None:
        return []
    listed = f"{batch.name}.list"
    return [f"if [ -s {SLOW} ]; then",
            "awk 'BEGIN { while ((getline one < \"slow\") > 0) bad[one] }",
            "{ for (i = 1; i <= NF; i++) if ($i in bad) next; print $0 \"\\n\" "
            f"}}' RS= {listed} >{batch.name}.few",
            f"[ -s {batch.name}.few ] || exit 0",
            f"cp {batch.name}.few {listed}",
            "fi"]


def _command(work: Work, batch: Batch, limit: int) -> str:
    first = work.jobs[batch.jobs[0]]
    units = [[work.short[name] for name in work.jobs[number].files]
             for number in batch.jobs]
    command = ["setpriv", "--pdeathsig", "KILL", "spatch",
               "--macro-file", "kernel.h",
               # A unit is complete: its header is one of its files ...
               *_include_options(work, first),
               # It heeds no TMPDIR, and one that is killed leaves its output.
               "--temp-files", "."]
    if first.rule is None:
        command += ["--parse-c", *(name for unit in units for name in unit)]
    else:
        (work.folder / f"{batch.name}.list").write_text(
            "\n\n".join("\n".join(unit) for unit in units) + "\n")
        for header in _headers(work, first):
            # ... but being in a group does not lend its types to the others.
            command += ["--include", header]
        command += [
            "--sp-file", work.rules[first.rule.path, first.mode],
            *([] if first.rule.modeless else ["-D", first.mode]),
            # Names each function that has a flow; --debug alone tells of one
            # that has none, in pages.
            *(["--show-trying"] if first.rule.bare else []),
            # The prefilter wants the tag of a type in the .c file itself, and
            # drops users of a member declared in a header.
            *([] if first.rule.prefilter else ["--disable-worth-trying-opt"]),
            # Without it the names in a diff are those of temporary files.
            "--patch", ".",
            # Says on stderr what could not be parsed; --very-quiet would
            # take back that and the HANDLING lines.
            "--verbose-parsing",
            # In CPU seconds; the watch for wall-clock time is parallel's.
            "--timeout", str(limit),
            *rule_options(first.rule), "--file-groups", f"{batch.name}.list"]
        if first.mode in ("report", "org"):
            # A rule of other people may mark lines in these modes, too.
            command.append("--no-show-diff")
        if (first.mode in ("report", "org") or first.rule.bare) and \
                os.access(_PYTHON, os.X_OK):
            # The python3 of PATH may be a wrapper: 1.5 s to start, not 0.3.
            command += ["--python", _PYTHON]
    return " ".join(map(shlex.quote, command))
