# SPDX-License-Identifier: GPL-2.0-only
"""Run spatch jobs and say how each of them ended.

This is the only module that starts spatch and knows how it ends. spatch exits
0 and prints nothing both when a rule has nothing to do and when it could not
read the function at hand, ran out of time or raised an exception. So nothing
is taken from an exit status: a job is QUIET only where spatch named its files
as handled, in the order given, and reported no exception for them; or, for a
rule that may be prefiltered, as skipped for want of the rule's words.

A job is one rule, in one mode, on one unit: the files that spatch has to see
together, nearly always one. Jobs of one rule and mode share a process, as its
start costs more than most jobs; batches are made from the jobs alone, so that
the number of processors changes nothing but the time. A job that is not known
to have ended well in its batch is run again alone. Jobs of one unit that are run
again share one time limit, since a limit is for a file and not for a rule; in a
batch, a unit that has run into its limit there is left out of the batches that
start later.

Whatever spatch prints is bounded, in what the kernel lets it write and in what
is read of it, and is not trusted to be whole: what cannot be what spatch prints
makes its own job fail, and no other.

spatch works on copies with names of its own, in a folder that goes away with
the run, SIGKILL included: no name of the tree reaches a shell or a diff, and
no .cocciconfig of the tree is read. See sanitise() for what a copy loses.

Data:   (sources, jobs) -> Result, one a job, in the order of the jobs.
Units:  timeout in seconds of wall-clock time a unit; memory in MiB of address
        space a process; line numbers 1-based, those of the original.
Errors: SpatchError, when a tool is missing or too old, or when nothing can be
        known about any job; RuleError, when spatch refuses a rule. Everything
        that befalls single files is a Result.
Source: messages and exit status as seen with Coccinelle 1.1.1 (Debian 12);
        tests/test_spatch.py holds each of them in place.
"""

from __future__ import annotations

import collections
import contextlib
import enum
import functools
import os
import re
import secrets
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from host import scratch
from run import smpl
from host.scratch import ScratchError
from run.rules import Rule, RuleError
from run.smpl import ScriptError

MACROS = Path(__file__).resolve().parents[2] / "cocci" / "kernel.h"
OLDEST = "1.0.8"

Ranges = tuple[tuple[int, int], ...]


class Outcome(enum.Enum):
    """How a job ended; the values are the words in logs and reports."""

    QUIET = "quiet"          # run to its end, and the rule said nothing
    HIT = "hit"              # the rule printed a diff or a finding
    FAILED = "failed"        # spatch raised an exception or lost the job
    TIMEOUT = "timeout"      # it ran past its limit, alone
    MEMORY = "memory"        # it needed more than its limit, alone


@dataclass(frozen=True)
class Job:
    rule: Rule | None        # None: a parse census
    mode: str                # "patch", "context", "org", "report" or "parse"
    files: tuple[str, ...]   # of the tree, one unit, headers first


@dataclass(frozen=True)
class Result:
    job: Job
    outcome: Outcome
    # file -> unified diff against sanitise(source), with a/ and b/ names
    changed: Mapping[str, bytes] = field(default_factory=dict)
    # file -> the lines that could not be parsed, sorted, inclusive: of every
    # file in a parse census; in patch, report and org mode what that very run
    # lost, which is more where a rule declares an iterator (see kernel.h)
    bad: Mapping[str, Ranges] = field(default_factory=dict)
    detail: str = ""         # why it did not end well, "" when it did
    seconds: float = 0.0     # its share of the batch
    text: str = ""           # what report or org mode printed
    # Of a bare rule: the functions that it was matched with, and the line
    # each starts at. A function whose flow spatch could not work out, for a
    # goto without its label, is not among them, and nothing is said of it.
    tried: Mapping[str, tuple[tuple[int, str], ...]] = \
        field(default_factory=dict)


class SpatchError(Exception):
    """spatch could not be run at all; the message says what to do."""


def run(sources: Mapping[str, bytes], jobs: Sequence[Job], *, procs: int,
        timeout: int, memory: int, ssh: str = "",
        macros: Path = MACROS) -> list[Result]:
    """Run the jobs and return their results in the order of the jobs."""
    if not jobs:
        return []
    _check_rules(jobs, _tools(os.environ.get("PATH", "")))
    with _workspace() as folder:
        work = _Work(folder, sources, jobs, procs, timeout, memory, ssh)
        _write_inputs(work, macros)
        results = _collect(work, _batches(work), alone=False)
        lost: dict[tuple[str, ...], list[int]] = {}
        for number, job in enumerate(jobs):
            if number not in results:
                lost.setdefault(job.files, []).append(number)
        if lost:
            again = [_Batch(f"a{at:05}", tuple(numbers))
                     for at, numbers in enumerate(lost.values())]
            results.update(_collect(work, again, alone=True))
    return [results[number] for number in range(len(jobs))]


def version() -> str:
    """Return the version of the spatch that runs the jobs."""
    return ".".join(map(str, _tools(os.environ.get("PATH", ""))))


def sanitise(source: bytes) -> bytes:
    """Return source as spatch can read it, each byte on its line and column.

    A carriage return before a line feed goes, bytes from 0x80 become `?`
    (spatch's Python dies of them), NUL becomes a blank (its lexer stops).
    """
    return source.replace(b"\r\n", b"\n").translate(_ASCII)


def marked_lines(diff: bytes) -> tuple[int, ...]:
    """Return the lines of the original that a diff marks with a minus."""
    found = []
    for start, lines in hunks(diff):
        at = start
        for line in lines:
            if line.startswith(b"-"):
                found.append(at)
            at += line[:1] in (b"-", b" ")
    return tuple(found)


def patched(text: bytes, diff: bytes) -> bytes:
    """Return what a result's diff makes of sanitise(source)."""
    old = text.split(b"\n")
    new: list[bytes] = []
    at = 0
    for start, lines in hunks(diff):
        if not at <= start - 1 <= len(old):
            raise SpatchError("a diff does not fit its source: "
                              f"line {start}")
        new += old[at:start - 1]
        at = start - 1
        for line in lines:
            if line[:1] in (b"-", b" "):
                if old[at:at + 1] != [line[1:]]:
                    raise SpatchError("a diff does not fit its source: "
                                      f"line {at + 1}")
                at += 1
            if line[:1] in (b"+", b" "):
                new.append(line[1:])
    return b"\n".join(new + old[at:])


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
    _tools(os.environ.get("PATH", ""))
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
    if done.returncode != 0 and not _inapplicable(done.stderr):
        return _reason(done.stderr), ()
    found = re.search(rb"^Grep query\n([\w./-]+(?: \|\| [\w./-]+)*)\s*\Z",
                      done.stdout, re.MULTILINE)
    return "", tuple(found[1].decode("ascii", "replace").split(" || ")) \
        if found else ()


# Reading a rule takes spatch a tenth of a second.
_LOOK_S = 60
_LOOK_MIB = 4096
_LOOK_OUTPUT_MIB = 4

# --- one run's folder --------------------------------------------------------

_ASCII = bytes(0x20 if byte == 0 else byte if byte < 0x80 else ord("?")
               for byte in range(256))

@dataclass(frozen=True)
class _Batch:
    name: str                # file name of its script
    jobs: tuple[int, ...]    # numbers into _Work.jobs


@dataclass
class _Work:
    folder: Path
    sources: Mapping[str, bytes]
    jobs: Sequence[Job]
    procs: int
    timeout: int
    memory: int
    ssh: str
    # name in the tree -> name in the folder, and back
    short: dict[str, str] = field(default_factory=dict)
    long: dict[str, str] = field(default_factory=dict)
    lines: dict[str, list[bytes]] = field(default_factory=dict)
    # ends what one job of a chain printed; nothing else can print it
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    # (path, mode) of a rule -> name in the folder
    rules: dict[tuple[Path, str], str] = field(default_factory=dict)


@contextlib.contextmanager
def _workspace() -> Iterator[Path]:
    with contextlib.ExitStack() as held:
        try:
            folder = held.enter_context(scratch.folder())
        except ScratchError as error:
            raise SpatchError(str(error)) from error
        yield folder


def _write_inputs(work: _Work, macros: Path) -> None:
    try:
        for job in work.jobs:
            for name in job.files:
                if name not in work.short:
                    _write_source(work, name)
            if job.rule and (job.rule.path, job.mode) not in work.rules:
                short = f"r{len(work.rules):03}.cocci"
                (work.folder / short).write_bytes(_text(job.rule, job.mode))
                work.rules[job.rule.path, job.mode] = short
        shutil.copyfile(macros, work.folder / "kernel.h")
        # parallel measures the longest command line anew in each HOME, 0.3
        # CPU seconds; this is where it looks for the measure first.
        known = (work.folder / "home/.parallel/tmp/sshlogin"
                 / os.uname().nodename)
        known.mkdir(parents=True)
        (known / "linelen").write_text("100000\n")
    except OSError as error:
        raise SpatchError(f"cannot prepare the run: {error}") from error


def _write_source(work: _Work, name: str) -> None:
    if name not in work.sources:
        raise SpatchError(f"{name}: no source was given for it")
    suffix = ".h" if name.endswith(".h") else ".c"
    short = f"f{len(work.short):05}{suffix}"
    text = sanitise(work.sources[name])
    (work.folder / short).write_bytes(text)
    work.short[name] = short
    work.long[short] = name
    work.lines[short] = text.split(b"\n")


# --- tools and rules -----------------------------------------------------------

@functools.lru_cache(maxsize=None)
def _tools(path: str) -> tuple[int, ...]:
    """Return spatch's version; the tools are looked for once a PATH."""
    commands = {
        "spatch": "spatch is not installed: run `make deps` "
                  "(Debian's package is coccinelle)",
        "parallel": "GNU parallel is not installed: run `make deps` "
                    "(Debian's package is parallel)",
        "setpriv": "setpriv is not installed: run `make deps` "
                   "(Debian's package is util-linux)",
    }
    for name, sentence in commands.items():
        if shutil.which(name, path=path) is None:
            raise SpatchError(sentence)
    started = {
        name: subprocess.Popen([name, "--version"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL,
                               env={"PATH": path, "LC_ALL": "C", "HOME": "/"})
        for name in ("spatch", "parallel")}
    said = {name: process.communicate()[0].decode(errors="replace")
            for name, process in started.items()}
    if not said["parallel"].startswith("GNU parallel"):
        raise SpatchError("parallel is not GNU parallel (moreutils has a "
                          "program of the same name): run `make deps` "
                          "(Debian's package is parallel)")
    match = re.match(r"spatch version (\d+(?:\.\d+)*)", said["spatch"])
    if match is None:
        raise SpatchError("spatch does not say its version: run `make deps`")
    if _version(match[1]) < _version(OLDEST):
        raise SpatchError(f"spatch is {match[1]}, and {OLDEST} or later is "
                          "needed: run `make deps`")
    return _version(match[1])


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def _check_rules(jobs: Sequence[Job], version: tuple[int, ...]) -> None:
    seen: set[tuple[Path, str]] = set()
    for job in jobs:
        rule = job.rule
        if (rule is None) != (job.mode == "parse"):
            raise SpatchError(f"a job without a rule is a parse census, and "
                              f"`{job.mode}` is not")
        if rule is None or (rule.path, job.mode) in seen:
            continue
        seen.add((rule.path, job.mode))
        if job.mode not in rule.modes:
            raise RuleError(f"{rule.path}: has no {job.mode} mode")
        if _version(rule.requires) > version:
            here = ".".join(map(str, version))
            raise RuleError(f"{rule.path}: requires spatch {rule.requires}, "
                            f"and this is {here}")
        _options(rule)


def _text(rule: Rule, mode: str) -> bytes:
    """Return what spatch is given of a rule.

    Where nothing is to be printed no script of it may run.
    """
    if rule.text is not None:
        return rule.text
    data = rule.path.read_bytes()
    if mode not in ("patch", "context"):
        return data
    try:
        return smpl.cleared(data, mode)
    except ScriptError as error:
        raise RuleError(f"{rule.path}: {error}, which would run in {mode} "
                        "mode") from error


# What a rule's Options may hold, with the number of values each one takes.
# The header's word on includes is for coccicheck: here the unit's files are
# chosen, and includes cost ten times the run (17-25 s against 1.5 s a file).
_IGNORED = {
    "--no-includes": 0, "--include-headers": 0, "--local-includes": 0,
    "--all-includes": 0, "--recursive-includes": 0, "--very-quiet": 0,
    "--include-headers-for-types": 0, "--no-show-diff": 0, "--include": 1,
    "-I": 1, "--disable-worth-trying-opt": 0,
}
_PASSED = {
    "--allow-inconsistent-paths": 0, "--c++": 0, "--disable-iso": 1,
    "--disallow-nested-exps": 0, "--force-diff": 0, "--ibm": 0,
    "--ifdef-to-if": 0, "--indent": 1, "--iso-limit": 1,
    "--keep-comments": 0, "--linux-spacing": 0, "--max-width": 1,
    "--no-gotos": 0, "--no-iso-limit": 0, "--no-loops": 0,
    "--no-safe-expressions": 0, "--only-return-is-error-exit": 0,
    "--prevent-kr": 0, "--smpl-spacing": 0, "--steps": 1,
}


def _options(rule: Rule) -> list[str]:
    """Return those of the rule's options that reach spatch."""
    kept: list[str] = []
    words = list(rule.options)
    while words:
        word = words.pop(0)
        takes = {**_IGNORED, **_PASSED}.get(word)
        if takes is None:
            raise RuleError(f"{rule.path}: Options holds {word}, which is "
                            "not known to be safe here")
        values = [words.pop(0) for _ in range(min(takes, len(words)))]
        if word in _PASSED:
            kept += [word, *values]
    return kept


# --- batches ------------------------------------------------------------------

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
# Names in the folder of the units that ran into their limit in a batch.
_SLOW = "slow"


def _batches(work: _Work) -> list[_Batch]:
    """Group the jobs by rule and mode; the heaviest batch comes first."""
    size = {name: len(work.sources[name]) for name in work.short}
    groups: dict[tuple[Path | None, str], list[list[int]]] = {}
    weights: dict[tuple[Path | None, str], int] = collections.Counter()
    for number, job in enumerate(work.jobs):
        key = (job.rule.path if job.rule else None, job.mode)
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
    return [_Batch(f"b{at:05}", tuple(numbers))
            for at, numbers in enumerate(ordered)]


def _headers(work: _Work, job: Job) -> list[str]:
    """Return the headers whose types the other files of a unit need."""
    if job.rule is None or len(job.files) == 1:
        return []
    return [work.short[name] for name in job.files if name.endswith(".h")]


def _script(work: _Work, batch: _Batch, limit: int, alone: bool) -> str:
    """Return the shell script of a batch: fixed words and our own names."""
    lines = [f"ulimit -v {work.memory << 10}",
             # In blocks of 512 bytes; a process that writes more is killed.
             f"ulimit -f {_output_limit(work, batch) >> 9}",
             f"export OCAMLRUNPARAM={_COLLECTOR}"]
    if not alone:
        lines += _without_slow(work, batch)
        lines.append(f"exec {_command(work, batch, limit)} </dev/null")
        return "\n".join(lines) + "\n"
    for at, number in enumerate(batch.jobs):
        one = _Batch(f"{batch.name}.{at}", (number,))
        mark = f"printf '\\n%s %s\\n' {work.token} $status"
        lines += [f"{_command(work, one, limit)} </dev/null", "status=$?",
                  f"{mark}; {mark} >&2"]
    return "\n".join(lines) + "\n"


def _output_limit(work: _Work, batch: _Batch) -> int:
    """Return how many bytes a batch may write to one file.

    spatch prints each line that it cannot parse, and a diff of what changes.
    """
    names = [name for number in batch.jobs for name in work.jobs[number].files]
    # The kernel counts in blocks.
    return (_OUTPUT_BYTES + _OUTPUT_PER_BYTE * sum(
        len(work.sources[name]) for name in names)) >> 9 << 9


def _without_slow(work: _Work, batch: _Batch) -> list[str]:
    """Return what takes units from a batch that ran into their limit."""
    if work.jobs[batch.jobs[0]].rule is None:
        return []
    listed = f"{batch.name}.list"
    return [f"if [ -s {_SLOW} ]; then",
            "awk 'BEGIN { while ((getline one < \"slow\") > 0) bad[one] }",
            "{ for (i = 1; i <= NF; i++) if ($i in bad) next; print $0 \"\\n\" "
            f"}}' RS= {listed} >{batch.name}.few",
            f"[ -s {batch.name}.few ] || exit 0",
            f"cp {batch.name}.few {listed}",
            "fi"]


def _command(work: _Work, batch: _Batch, limit: int) -> str:
    first = work.jobs[batch.jobs[0]]
    units = [[work.short[name] for name in work.jobs[number].files]
             for number in batch.jobs]
    command = ["setpriv", "--pdeathsig", "KILL", "spatch",
               "--macro-file", "kernel.h",
               # A unit is complete: its header is one of its files ...
               "--no-includes",
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
            *_options(first.rule), "--file-groups", f"{batch.name}.list"]
        if first.mode in ("report", "org"):
            # A rule of other people may mark lines in these modes, too.
            command.append("--no-show-diff")
        if (first.mode in ("report", "org") or first.rule.bare) and \
                os.access(_PYTHON, os.X_OK):
            # The python3 of PATH may be a wrapper: 1.5 s to start, not 0.3.
            command += ["--python", _PYTHON]
    return " ".join(map(shlex.quote, command))


# --- running them ---------------------------------------------------------------

@dataclass(frozen=True)
class _Ended:
    """How a batch's process ended, and what it printed."""

    code: int                # exit status, -1 when parallel killed it
    signal: int
    seconds: float
    stdout: bytes
    stderr: bytes
    cut: str = ""            # why what it printed is not whole, "" when it is

    @property
    def killed(self) -> bool:
        return self.code == -1 or self.signal == 15


def _collect(work: _Work, batches: Sequence[_Batch], *,
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
                _script(work, batch, limit, alone))
        ended = _parallel(work, batches, wall)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SpatchError(f"cannot run spatch: {error}") from error
    results: dict[int, Result] = {}
    for batch in batches:
        for one, how in (_chain(work, batch, ended[batch.name]) if alone
                         else [(_kept(work, batch), ended[batch.name])]):
            if one.jobs:
                results.update(_judge(work, one, how, alone))
    return results


def _kept(work: _Work, batch: _Batch) -> _Batch:
    """Return a batch without the units that were left out of it."""
    try:
        names = (work.folder / f"{batch.name}.few").read_text().split()
    except FileNotFoundError:
        return batch
    return replace(batch, jobs=tuple(
        number for number in batch.jobs
        if work.short[work.jobs[number].files[0]] in names))


def _chain(work: _Work, batch: _Batch,
           ended: _Ended) -> list[tuple[_Batch, _Ended]]:
    """Return how each job of a chain ended."""
    mark = re.compile(rb"\n%s (\d{1,3})\n" % work.token.encode())
    out, err = mark.split(ended.stdout), mark.split(ended.stderr)
    found = []
    for at, number in enumerate(batch.jobs):
        if 2 * at + 1 < min(len(out), len(err)):
            code = int(out[2 * at + 1])
            how = _Ended(code if code < 128 else 0, max(0, code - 128),
                         ended.seconds / len(batch.jobs), out[2 * at],
                         err[2 * at])
            if how.signal == signal.SIGXFSZ:
                how = replace(how, cut=_too_much(work, batch))
        else:
            # The first one without a mark was at work when the chain ended.
            code = ended.code or ended.signal
            how = replace(ended, stdout=out[-1], stderr=err[-1], signal=(
                ended.signal if code else signal.SIGKILL))
        found.append((_Batch(f"{batch.name}.{at}", (number,)), how))
    return found


def _too_much(work: _Work, batch: _Batch) -> str:
    return f"it printed more than {_output_limit(work, batch) >> 10} KiB"


def _parallel(work: _Work, batches: Sequence[_Batch],
              wall: int) -> dict[str, _Ended]:
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
    ended: dict[str, _Ended] = {}
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
        except BaseException:
            process.kill()
            raise
    ended.update(_log(work, batches, log, results, ended))
    # Up to 101 is how many batches failed.
    if not ended and not 0 <= process.returncode <= 101:
        lines = said.read_bytes().decode(errors="replace").split("\n")
        why = [line.strip() for line in lines if line.strip()]
        raise SpatchError("parallel did not run any batch: "
                          f"{why[-1][:200] if why else 'it was killed'}")
    return {batch.name: ended.get(batch.name) or _Ended(
        0, signal.SIGKILL, 0.0, b"", b"", "GNU parallel lost it")
        for batch in batches}


# Between two looks at which units have run into their limit.
_WATCH_S = 0.5


def _log(work: _Work, batches: Sequence[_Batch], log: Path, results: Path,
         but: Mapping[str, _Ended]) -> dict[str, _Ended]:
    """Read what parallel notes of each batch that has ended since.

    A line that is cut, as on a full disk, says nothing of its batch.
    """
    known = {batch.name: batch for batch in batches}
    ended: dict[str, _Ended] = {}
    rows = log.read_bytes().decode(errors="replace").split("\n")[1:-1] \
        if log.exists() else []
    for row in rows:
        match = _LOGGED.fullmatch(row)
        names = _OURS.findall(match[4]) if match else []
        batch = known.get(names[-1]) if names else None
        if match is None or batch is None or batch.name in but:
            continue
        most = _output_limit(work, batch)
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
        ended[batch.name] = _Ended(int(match[2]), int(match[3]),
                                   float(match[1]), printed[0], printed[1],
                                   cut)
    return ended


def _note_slow(work: _Work, batches: Sequence[_Batch],
               ended: Mapping[str, _Ended], slow: set[str]) -> None:
    """Write down the units that later batches are to leave out."""
    known = len(slow)
    for batch in batches:
        if (how := ended.get(batch.name)) is None:
            continue
        heads = _PARSING if work.jobs[batch.jobs[0]].rule is None \
            else _HANDLING
        sections = list(_sections(how.stderr, heads))
        late = [names for names, lines in sections
                if any(line.startswith(_EXCEPTION) and _TIMEOUT in line
                       for line in lines)]
        if how.killed and sections:
            late.append(sections[-1][0])
        slow |= {name for names in late
                 for name in names.decode(errors="replace").split()
                 if name in work.long}
    if len(slow) > known:
        text = "".join(f"{name}\n" for name in sorted(slow))
        (work.folder / f"{_SLOW}.new").write_text(text)
        (work.folder / f"{_SLOW}.new").replace(work.folder / _SLOW)


# Number, host, start, run time, sent, received, exit status, signal, command.
_LOGGED = re.compile(r"\d+\t[^\t]*\t[ \d.]+\t *(\d+(?:\.\d+)?)\t-?\d+\t-?\d+"
                     r"\t(-?\d+)\t(\d+)\t(.*)")
_OURS = re.compile(r"\b[ab]\d{5}\b")


# --- what came out -----------------------------------------------------------------

_HANDLING = (b"HANDLING: ", b"Skipping: ")
_PARSING = (b"PARSING: ",)
_EXCEPTION = b"EXN: "
_NO_MEMORY = re.compile(rb"out.of.memory|cannot allocate memory", re.I)
_TIMEOUT = b"Common.Timeout"
_FILES = re.compile(rb"^NB total files = (\d+); perfect = (\d+); "
                    rb"pbs = (\d+); timeout = (\d+);", re.MULTILINE)
_LINES = re.compile(rb"^nb good = -?\d+,  nb bad = (-?\d+)", re.MULTILINE)
_AT = re.compile(rb' = File "([^"]*)", line (\d+), column')
_BAD = re.compile(rb"badcount: (\d{1,9})\s*")
_FOUND = re.compile(r"\bf\d{5}\.[ch]\b")


def _judge(work: _Work, batch: _Batch, ended: _Ended,
           alone: bool) -> dict[int, Result]:
    """Return the results of a batch, without those to be run again."""
    first = work.jobs[batch.jobs[0]]
    if ended.cut:
        return _lost(work, batch, ended, ended.cut) if alone else {}
    if ended.code or ended.signal:
        if first.rule and not ended.killed:
            if _inapplicable(ended.stderr):
                return {number: Result(work.jobs[number], Outcome.QUIET)
                        for number in batch.jobs}
            _refused(first.rule, ended)
        # Standard output may have been lost with the process: none of its
        # jobs is known to have ended well.
        return _badly(work, batch, ended) if alone else {}
    if first.rule is None:
        found = _census(work, batch, ended)
    elif first.mode in ("report", "org"):
        found = _printed(work, batch, ended)
    else:
        found = _diffed(work, batch, ended)
    good = {number: result for number, result in found.items()
            if result.outcome in (Outcome.HIT, Outcome.QUIET)}
    return found if alone else good


def _refused(rule: Rule, ended: _Ended) -> None:
    """Raise when spatch began and ended before the first file."""
    lines = ended.stderr.split(b"\n")
    if not any(line.startswith(b"init_defs_builtins: ") for line in lines) \
            or any(line.startswith(_HANDLING) for line in lines) \
            or _NO_MEMORY.search(ended.stderr):
        return
    raise RuleError(f"{rule.path}: spatch refuses the rule: "
                    f"{_reason(ended.stderr)}")


def _inapplicable(stderr: bytes) -> bool:
    """Say whether a good rule has no part for the mode at all.

    spatch then exits 255 without a look at a file.
    """
    return stderr.startswith(b"init_defs_builtins: ") \
        and b"\nNo rules apply." in stderr and _HANDLING[0] not in stderr


def _reason(stderr: bytes) -> str:
    """Return what spatch says, without what it says to every rule."""
    said = [line.decode(errors="replace").strip()
            for line in stderr.split(b"\n")
            if line.strip() and not line.startswith((b"Warning:", b"init_"))]
    return " ".join(said[:4]) or "no reason given"


def _badly(work: _Work, batch: _Batch, ended: _Ended) -> dict[int, Result]:
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


def _raised(work: _Work, text: bytes) -> tuple[Outcome, str]:
    """Return what an exception means."""
    if _TIMEOUT in text:
        return Outcome.TIMEOUT, f"no end within {work.timeout} s"
    if _NO_MEMORY.search(text):
        return Outcome.MEMORY, f"more than {work.memory} MiB"
    words = re.sub(r"\\(.)", lambda match: " " if match[1] in "nt"
                   else match[1], text.decode(errors="replace"))
    return Outcome.FAILED, _named(work, " ".join(words.split()))


def _named(work: _Work, text: str) -> str:
    return _FOUND.sub(lambda match: work.long.get(match[0], match[0]), text)


def _sections(stderr: bytes,
              heads: tuple[bytes, ...]) -> Iterator[tuple[bytes, list[bytes]]]:
    """Yield (rest of a head line, lines below it)."""
    name, lines = b"", list[bytes]()
    for line in stderr.split(b"\n"):
        if line.startswith(heads):
            if name:
                yield name, lines
            name, lines = line.partition(b": ")[2].strip(), []
        else:
            lines.append(line)
    if name:
        yield name, lines


def _handled(work: _Work, batch: _Batch,
             ended: _Ended) -> dict[int, Result] | None:
    """Return a QUIET or ended-badly result a job, None on a wrong account."""
    sections = list(_sections(ended.stderr, _HANDLING))
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
            if line.startswith(_EXCEPTION):
                outcome, why = _raised(work, line[len(_EXCEPTION):])
        bad: dict[str, Ranges] = {}
        # In context mode spatch stops telling after the first diff.
        if outcome is Outcome.QUIET and job.mode != "context":
            bad, _ = _unread(work, shorts, lines)
        found[number] = Result(job, outcome, {}, bad, why,
                               ended.seconds / len(batch.jobs),
                               tried=_tried(work, lines))
    return found


def _tried(work: _Work, lines: Iterable[bytes]) -> dict[
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


def _lost(work: _Work, batch: _Batch, ended: _Ended,
          why: str) -> dict[int, Result]:
    return {number: Result(work.jobs[number], Outcome.FAILED, detail=why,
                           seconds=ended.seconds / len(batch.jobs))
            for number in batch.jobs}


def _diffed(work: _Work, batch: _Batch, ended: _Ended) -> dict[int, Result]:
    found = _handled(work, batch, ended)
    if found is None:
        return _lost(work, batch, ended, "spatch did not name its files")
    first = work.jobs[batch.jobs[0]].rule
    diffs = _diffs(ended.stdout, first is not None and first.bare)
    if diffs is None or not diffs.keys() <= work.long.keys():
        return _lost(work, batch, ended, "spatch printed more than diffs")
    for number, result in found.items():
        names = [work.short[name] for name in result.job.files]
        mine = {work.long[name]: diffs.pop(name)
                for name in names if name in diffs}
        if not all(_fits(work, work.short[name], diff)
                   for name, diff in mine.items()):
            found[number] = Result(
                result.job, Outcome.FAILED, detail="spatch printed a diff "
                "that does not fit the file", seconds=result.seconds)
        elif mine and result.outcome is Outcome.QUIET:
            found[number] = replace(result, outcome=Outcome.HIT, changed={
                name: _renamed(name, diff) for name, diff in mine.items()})
    if diffs:
        return _lost(work, batch, ended, "a diff of a file of no job")
    return found


def _diffs(stdout: bytes, chatty: bool = False) -> dict[str, bytes] | None:
    """Return file -> hunks, or None where there is anything else.

    chatty: lines in front of a diff are what a script of the rule printed.
    """
    found: dict[str, bytes] = {}
    lines = stdout.split(b"\n")
    at = 0
    while at < len(lines) - 1:
        head = lines[at:at + 3]
        match = re.fullmatch(rb"diff -u -p (?:a/)?(f\d{5}\.[ch]) \S+",
                             head[0])
        if match is None and chatty and not head[0].startswith(b"diff -u"):
            at += 1
            continue
        if (match is None or match[1].decode() in found or len(head) < 3
                or not head[1].startswith(b"--- ")
                or not head[2].startswith(b"+++ ")):
            return None
        first = at = at + 3
        while at < len(lines) and (hunk := _HUNK.match(lines[at])):
            end = _hunk_end(lines, at + 1, hunk)
            if end is None:
                return None
            at = end
            while at < len(lines) and lines[at].startswith(b"\\"):
                at += 1
        found[match[1].decode()] = b"\n".join(lines[first:at]) + b"\n"
    return found if lines[at:] == [b""] else None


_HUNK = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? "
                   rb"\+(\d{1,9})(?:,(\d{1,9}))? @@")


def _hunk_end(lines: list[bytes], at: int,
              hunk: re.Match[bytes]) -> int | None:
    """Return where a hunk's lines end, None where they are not its lines."""
    old, new = (1 if hunk[number] is None else int(hunk[number])
                for number in (2, 4))
    while old > 0 or new > 0:
        sign = lines[at][:1] if at < len(lines) else b""
        if sign not in (b" ", b"-", b"+", b"\\"):
            return None
        old -= sign in (b" ", b"-")
        new -= sign in (b" ", b"+")
        at += 1
    return at if old == new == 0 else None


def hunks(diff: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """Yield (first old line, lines) of every hunk."""
    lines = diff.split(b"\n")
    at = 0
    while at < len(lines):
        hunk = _HUNK.match(lines[at])
        at += 1
        if hunk is None:
            continue
        end = _hunk_end(lines, at, hunk)
        if end is None:
            raise SpatchError(f"a diff ends inside a hunk: line {at}")
        # A hunk without old lines stands behind the line that it names.
        yield int(hunk[1]) + (hunk[2] == b"0"), lines[at:end]
        at = end


def _fits(work: _Work, short: str, diff: bytes) -> bool:
    try:
        patched(b"\n".join(work.lines[short]), diff)
    except SpatchError:
        return False
    return True


def _renamed(name: str, hunks: bytes) -> bytes:
    """Put git's header above hunks; odd names are quoted as git does."""
    def quoted(side: str) -> bytes:
        text = os.fsencode(f"{side}/{name}")
        if re.search(rb'[\x00-\x1f"\\\x7f-\xff]', text):
            return b'"' + re.sub(
                rb'[\x00-\x1f"\\\x7f-\xff]',
                lambda match: b"\\%03o" % match[0][0], text) + b'"'
        return text + (b"\t" if b" " in text else b"")
    return b"--- %s\n+++ %s\n%s" % (quoted("a"), quoted("b"), hunks)


def _printed(work: _Work, batch: _Batch, ended: _Ended) -> dict[int, Result]:
    """Give each line of report or org mode to the job whose file it names."""
    found = _handled(work, batch, ended)
    if found is None:
        return _lost(work, batch, ended, "spatch did not name its files")
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
            return _lost(work, batch, ended, "output that names no file")
        lines.setdefault(jobs.pop(), []).append(_named(work, line) + "\n")
    for number, result in found.items():
        if number in lines and result.outcome is Outcome.QUIET:
            found[number] = Result(
                result.job, Outcome.HIT, {}, result.bad, "", result.seconds,
                "".join(lines[number]))
    return found


# --- what was not read ------------------------------------------------------------

def _census(work: _Work, batch: _Batch, ended: _Ended) -> dict[int, Result]:
    """Read a parse census, and check it against spatch's own sums."""
    asked = [work.short[name] for number in batch.jobs
             for name in work.jobs[number].files]
    sections = list(_sections(ended.stderr, _PARSING))
    files, lines = _FILES.search(ended.stdout), _LINES.search(ended.stdout)
    if (files is None or lines is None or int(files[1]) != len(asked)
            or [name.decode(errors="replace") for name, _ in sections]
            != asked):
        return _lost(work, batch, ended, "spatch did not name its files")
    bad: dict[str, Ranges] = {}
    total = 0
    for name, said in zip(asked, (said for _, said in sections)):
        ranges, count = _unread(work, [name], said)
        bad[work.long[name]] = ranges.get(work.long[name], ())
        total += count
    if int(files[4]) or total != int(lines[1]):
        return _lost(work, batch, ended,
                     f"spatch counts {lines[1].decode()} unread lines and "
                     f"{files[4].decode()} timeouts, and names {total} lines")
    return {number: Result(
        job, Outcome.QUIET, {}, {name: bad[name] for name in job.files},
        "", ended.seconds / len(batch.jobs))
        for number, job in ((number, work.jobs[number])
                            for number in batch.jobs)}


def _unread(work: _Work, names: Sequence[str],
            said: Iterable[bytes]) -> tuple[dict[str, Ranges], int]:
    """Return the unread lines that messages on files name, and their sum."""
    found: dict[str, set[tuple[int, int]]] = {}
    file, line, total = "", 0, 0
    block: list[bytes] | None = None

    def close() -> None:
        if block is not None and file in work.long:
            found.setdefault(work.long[file], set()).update(
                _located(work.lines[file], line, block))

    for text in said:
        if block is not None and text.startswith((b"bad: ", b"BAD:!!!!! ")):
            block.append(text)
            continue
        close()
        block = None
        if match := _AT.match(text):
            # A rule's own output is parsed again, under a temporary name.
            file, line = match[1].decode(errors="replace"), int(match[2])
        elif text.startswith(b"badcount: ") and file:
            # Without a number the block has no lines: the whole file.
            match = _BAD.fullmatch(text)
            total += int(match[1]) if match else 0
            block = []
        elif text.startswith(b"LEXER:") and b"end of file in" in text:
            for name in names:
                found.setdefault(work.long[name], set()).update(
                    _located(work.lines[name], 0, []))
    close()
    return {name: tuple(sorted(ranges)) for name, ranges in found.items()}, \
        total


def _located(lines: list[bytes], line: int,
             block: list[bytes]) -> set[tuple[int, int]]:
    """Return where a block of unread lines stands in its file.

    The line of the error is known, and which line of the block it is. When
    the error is at the end of the file, the block is found by its text, at
    every place that has it. A block that fits nowhere is the whole file.
    """
    whole = {(1, max(1, len(lines) - (lines[-1] == b"")))}
    texts = [text.partition(b" ")[2] for text in block]
    here = [at for at, text in enumerate(block) if text.startswith(b"BAD")]
    if not block:
        return whole
    starts = [line - 1 - here[0]] if here else range(len(lines))
    found = set()
    for start in starts:
        if start >= 0 and lines[start:start + len(texts)] == texts:
            first = start
            # The line that ends the item before, where the block begins.
            while first < start + len(texts) - 1 and \
                    lines[first].strip() in (b"", b"}", b"};"):
                first += 1
            found.add((first + 1, start + len(texts)))
    return found or whole
