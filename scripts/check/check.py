# SPDX-License-Identifier: GPL-2.0-only
"""Judge a tree: misuse of the API, callers of the old one, unread code.

Rules of misuse/ run on the files that hold one of their tokens; rules of
other people on every file. What spatch said is remembered by content, so a
second run reads the tree and starts spatch for what changed only. Callers of
the old iterator come from the ledger of apply, in which every site has a
verdict. Code that spatch did not read is a finding, where a rule's token lies
in it: silence about it would be a guess.

Data:   Tree + Settings -> Answer: a report, the bytes of a format, and why the
        answer is no ("" when it is yes).
Units:  lines and columns from 1; spatch counts columns from 0.
Errors: CheckError, for what no stage below it says.
Source: issue 6's order of filters: changed lines, suppressions, baseline.
"""

from __future__ import annotations

import concurrent.futures
import datetime
import difflib
import functools
import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from read import api as names, campaigns, changed as changes, conditionals, \
    core, tree as trees
from run import foreign, hunks, jobs, remember, rules as rulebook, scan, spatch
from judge import calls, kinds, ledger as accounts, plan as planning
from check import baseline as known_findings, report as formats, suppress
from read.campaign import Callers, Kind, Unit
from read.ctext import Text
from read.tree import Tree
from run.cache import Cache, key
from run.rules import Rule
from run.jobs import Job, Outcome, Result
from check.findings import (LEVELS, About, Finding, Fix, Note, Report,
                            pressed)

ROOT = Path(__file__).resolve().parents[2]

# Grows when what an entry holds is no longer what it was.
_ENTRY = b"sgwalk-check-2"
_LINE = re.compile(r"(.*?):(\d+):(\d+)(?:-\d+)?: (.*)")
_ORG = re.compile(r"\* TODO|\[\[")


class CheckError(Exception):
    """The tree cannot be judged; the message says why."""


@dataclass(frozen=True)
class Settings:
    plan: planning.Settings
    form: str = "text"
    foreign: tuple[Path, ...] = ()   # rules of other people; none: our own
    base: str = ""           # revision; "-" = a unified diff is given
    baseline: str = ""       # file of known findings
    level: str = "high"      # the least sure finding that makes it fail
    unread: str = "warn"     # error: unread code makes it fail
    scripts: bool = False    # run the scripts in foreign rules
    cache: Path | None = None
    today: datetime.date = datetime.date.max
    under: str = ""          # the tree's folder to judge, "" for all of it
    only: tuple[str, ...] = ()       # what of it is judged; all without names
    misuse: tuple[Path, ...] = ()    # none: those of the plan's campaign


@dataclass(frozen=True)
class Answer:
    report: Report
    output: bytes
    no: str                  # why the answer is no, "" when it is yes
    remarks: tuple[str, ...]


@dataclass
class _Work:
    tree: Tree
    settings: Settings
    cache: Cache
    # None: the whole tree; a mapping: what a diff on stdin names
    lines: Mapping[str, changes.Ranges] | changes.Since | None
    sources: dict[str, bytes] = field(default_factory=dict)
    rules: dict[str, Rule] = field(default_factory=dict)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    findings: set[Finding] = field(default_factory=set)
    # (file, first, last) -> why; one entry however many rules say it
    unread: dict[tuple[str, int, int], str] = field(default_factory=dict)
    used: list[str] = field(default_factory=list)
    split: dict[str, list[bytes]] = field(default_factory=dict)
    state: scan.State | None = None


def today() -> datetime.date:
    """Return the day that suppressions are held to.

    SOURCE_DATE_EPOCH (reproducible-builds.org) takes the place of the clock.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not epoch:
        return datetime.datetime.now(datetime.timezone.utc).date()
    try:
        return datetime.datetime.fromtimestamp(
            int(epoch), datetime.timezone.utc).date()
    except (ValueError, OverflowError, OSError) as error:
        raise CheckError(f"SOURCE_DATE_EPOCH={epoch[:40]}: not seconds since "
                         "1970 that a calendar has") from error


def check(tree: Tree, settings: Settings, diff: bytes = b"") -> Answer:
    """Judge the tree; `diff` is what stdin held, for BASE=-."""
    known = (known_findings.read(Path(settings.baseline))
             if settings.baseline else known_findings.Known())
    work, left, hidden, sums = _judge(tree, settings, diff)
    fresh = known_findings.new(left, known)
    hidden += len(left) - len(fresh)
    fixes = (_fixes(work, fresh) if settings.form in ("sarif", "json")
             else {})
    report = Report(
        tree.version, tuple(fresh), _about(work), fixes,
        tuple(work.skipped), len(work.sources), hidden, sums,
        tuple(found for found in fresh if found.kind == "unread"),
        _lines(work, fresh),
        _notes(work, fresh))
    _store(work)
    failing = [found for found in fresh if _fails(found, settings)]
    remarks = tuple(f"not run: {name}: {why}" for name, why in work.skipped)
    return Answer(report, formats.render(report, settings.form),
                  f"{len(failing)} findings" if failing else "", remarks)


def baseline(tree: Tree, settings: Settings) -> bytes:
    """Return a baseline that knows every finding of today."""
    work, left, _, _ = _judge(tree, settings, b"")
    _store(work)
    return known_findings.write(left)


def _judge(tree: Tree, settings: Settings,
           diff: bytes) -> tuple[_Work, list[Finding], int, str]:
    lines: Mapping[str, changes.Ranges] | changes.Since | None = None
    if settings.base == "-":
        lines = changes.read(diff)
    elif settings.base:
        lines = changes.Since(tree, settings.base)
    work = _Work(tree, settings, Cache(settings.cache), lines)
    if settings.foreign:
        sums = ""
        _run_foreign(work)
    else:
        _run_own(work)
        sums = _account(work)
    _name_unread(work)
    found = sorted(work.findings)
    hidden = 0
    if lines is not None:
        near = [one for one in found
                if changes.touches(lines, one.file, one.line,
                                   one.end or one.line)]
        hidden = len(found) - len(near)
        found = near
    shapes = {name: rule.shape for name, rule in work.rules.items()}
    allows = [allow for file, data in sorted(work.sources.items())
              for allow in suppress.read(file, data)]
    left, allowed = suppress.judge(
        found, allows, shapes, settings.today,
        ran=lines is None and not settings.foreign)
    return work, left, hidden + allowed, sums


def _fails(found: Finding, settings: Settings) -> bool:
    if found.kind == "unread":
        return settings.unread == "error"
    return LEVELS.index(found.level) <= LEVELS.index(settings.level)


# --- which files -----------------------------------------------------------

def _files(work: _Work) -> list[str]:
    """Return the files to judge: what changed, or all below the folder."""
    names: Iterable[str] = work.lines if isinstance(work.lines, Mapping) \
        else (os.fsdecode(raw).removeprefix("./") for raw in _state(work))
    return _differing(work, sorted(
        (file for file in names if file.endswith(scan.SUFFIXES)
         and _within(work, file)), key=os.fsencode))


def _differing(work: _Work, files: Iterable[str]) -> list[str]:
    """Return those of the files that are not as in BASE=, all without it."""
    if isinstance(work.lines, changes.Since):
        return work.lines.load(files)
    return list(files)


def _state(work: _Work) -> scan.State:
    """Return what the tree's files look like, asked once a run.

    The ledger, which rules of other people have none of, needs all of them.
    """
    if work.state is None:
        work.state = scan.state(
            functools.partial(_outside, work),
            work.settings.under if work.settings.foreign else "")
    return work.state


def _within(work: _Work, file: str) -> bool:
    under, only = work.settings.under, work.settings.only
    return (not under or file.startswith(under + "/")) and (
        not only or file in only
        or any(file.startswith(name + "/") for name in only))


def _outside(work: _Work, command: Sequence[str]) -> bytes:
    try:
        done = subprocess.run(command, cwd=work.tree.root,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              check=False, env={**os.environ, "LC_ALL": "C"})
    except OSError as error:
        raise CheckError(f"{command[0]}: {error.strerror}") from error
    # grep says 1 where it finds nothing. What was killed said nothing.
    if done.returncode not in ((0, 1) if command[0] == "grep" else (0,)):
        said = os.fsdecode(done.stderr).strip().splitlines()
        raise CheckError(f"{command[0]}: {said[-1] if said else 'failed'}")
    return done.stdout


def _read(work: _Work, files: Iterable[str]) -> None:
    for file in files:
        try:
            work.sources[file] = trees.read(work.tree, file)
        except trees.TreeError as error:
            # A diff may name what is not there, or no regular file.
            if not isinstance(work.lines, Mapping):
                work.unread[file, 1, 1] = f"not read: {error}"


# --- running rules ---------------------------------------------------------

def _run_own(work: _Work) -> None:
    rules = [rule for rule in rulebook.load(
                 work.settings.misuse or work.settings.plan.campaign.misuse)
             if rule.verdict == "finding"]
    work.rules = {rule.name: rule for rule in rules}
    words = sorted({token for rule in rules for token in rule.tokens}
                   | {os.fsdecode(suppress.MARK)})
    if not isinstance(work.lines, Mapping):
        held = scan.holders(work.tree, words, _state(work),
                            functools.partial(_outside, work), work.cache,
                            work.settings.under)
        held = {file: found for file, found in held.items()
                if _within(work, file)}
        _read(work, _differing(work, held))
    else:
        # What changed is named, so nothing else is read.
        _read(work, _files(work))
        held = {file: scan.present(data, words)
                for file, data in work.sources.items()}
    jobs = [Job(rule, "report", (file,)) for rule in rules
            for file in work.sources if file not in work.settings.plan.campaign.api
            and not set(rule.tokens).isdisjoint(held[file])]
    _run(work, jobs)


_WORD = re.compile(rb"[A-Za-z_]\w*")


def _run_foreign(work: _Work) -> None:
    chosen, skipped = foreign.load(work.settings.foreign,
                                   work.settings.scripts)
    work.skipped += skipped
    work.rules = {one.rule.name: one.rule for one in chosen}
    needs: dict[str, tuple[str, ...]] = {}
    # Each is a start of spatch, of which nothing else here waits.
    with concurrent.futures.ThreadPoolExecutor(
            max(1, work.settings.plan.jobs)) as pool:
        looks = list(pool.map(lambda one: _look(work, one.rule, one.mode),
                              chosen))
    for one, (why, needed) in zip(chosen, looks):
        needs[one.rule.name] = needed
        if why:
            work.skipped.append((one.rule.name, f"spatch refuses it: {why}"))
            del work.rules[one.rule.name]
    _read(work, _files(work))
    words = {word.encode() for found in needs.values() for word in found}
    held = {file: words.intersection(_WORD.findall(data))
            for file, data in work.sources.items()}
    # A header is judged on its own where the rule asks for it, as coccicheck
    # has it.
    _run(work, [
        Job(one.rule, one.mode, (file,)) for one in chosen
        if one.rule.name in work.rules for file in work.sources
        if (file.endswith(".c") or file.endswith(".h")
            and "--include-headers" in one.rule.options)
        and (not needs[one.rule.name] or not held[file].isdisjoint(
            word.encode() for word in needs[one.rule.name]))])


def _look(work: _Work, rule: Rule, mode: str) -> tuple[str, tuple[str, ...]]:
    """Return why spatch refuses a rule, and the words it looks for."""
    name = key(_ENTRY, b"look", remember.program(),
               remember.given(rule), mode.encode())
    entry = work.cache.get(name)
    if entry is not None:
        work.used.append(name)
        why, words = json.loads(entry)
        return str(why), tuple(words)
    found = spatch.look(rule.path, mode, rule.text)
    work.cache.put(name, json.dumps(found).encode())
    return found


def _run(work: _Work, jobs: Sequence[Job]) -> None:
    for result in _spatch(work, jobs):
        if result.outcome in (Outcome.QUIET, Outcome.HIT):
            _take(work, result)
        else:
            work.unread[result.job.files[0], 1, 1] = (
                f"{_rule(result.job).name} did not end: "
                f"{result.outcome.value}: {result.detail}")


def _spatch(work: _Work, jobs: Sequence[Job]) -> list[Result]:
    plan = work.settings.plan
    return remember.run(work.cache, work.sources, jobs, procs=plan.jobs,
                        timeout=plan.timeout, memory=plan.memory,
                        ssh=plan.ssh, progress=plan.progress, late=plan.late)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckError(f"{path}: {error.strerror}") from error


def _rule(job: Job) -> Rule:
    assert job.rule is not None
    return job.rule


def _hits(result: Result) -> list[tuple[int, int, str]]:
    """Return line, column and text of what a rule reports, "" for a mark."""
    hits: set[tuple[int, int, str]] = set()
    job = result.job
    # A line break in the file's name must not make two lines of one.
    for line in result.text.replace(job.files[0] + ":",
                                     "-:").splitlines():
        if match := _LINE.fullmatch(line):
            hits.add((int(match[2]), int(match[3]) + 1, match[4]))
        elif line.strip() and not _ORG.match(line):
            # A foreign rule may print anything; it is kept, at line 1.
            hits.add((1, 1, line.strip()))
    for diff in result.changed.values():
        previous = -1
        for number in hunks.marked_lines(diff):
            # A statement over several lines is marked on each of them.
            if number != previous + 1:
                hits.add((number, 1, ""))
            previous = number
    return sorted(hits)


def _take(work: _Work, result: Result) -> None:
    rule, file = _rule(result.job), result.job.files[0]
    lines = None
    for number, place, said in _hits(result):
        lines = lines or work.sources[file].split(b"\n")
        text = lines[number - 1] if number <= len(lines) else b""
        if said == "":
            place = len(text) - len(text.lstrip()) + 1
        message = (rule.reason or said
                   or f"{rule.name}: {rule.summary}")
        work.findings.add(Finding(
            file, number, place, rule.name, message, "misuse",
            rule.confidence.lower(), pressed(text)))
    for ranges in result.bad.values():
        for first, last in ranges:
            _bad(work, rule, file, first, last)


def _bad(work: _Work, rule: Rule, file: str, first: int, last: int) -> None:
    """Note lines that were not read, where a rule had something to judge."""
    if rule.tokens:
        if file not in work.split:
            work.split[file] = work.sources[file].split(b"\n")
        words = set(_WORD.findall(
            b"\n".join(work.split[file][first - 1:last])))
        if not any(token.encode() in words for token in rule.tokens):
            return
    work.unread[file, first, last] = "spatch cannot parse it"


def _name_unread(work: _Work) -> None:
    level = "high" if work.settings.unread == "error" else "moderate"
    for (file, first, last), why in sorted(work.unread.items()):
        data = work.sources.get(file, b"")
        lines = data.split(b"\n")
        text = lines[first - 1] if first <= len(lines) else b""
        where = f"lines {first}-{last}: " if last > first else ""
        work.findings.add(Finding(
            file, first, 1, "unread", f"unread: {where}{why}", "unread",
            level, pressed(text), last))


# --- the ledger ------------------------------------------------------------

def _account(work: _Work) -> str:
    """Add what the ledger leaves to a person; return its sum."""
    if work.settings.plan.campaign.unit is Unit.MAPPING:
        return ""        # its ledger has the findings that are here already
    rows = [row for row in _ledger(work) if _within(work, row[0])]
    strict = _strict(work)
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        if row[4] == "kept":
            continue
        # What apply converts is one thing to say of a function; what it
        # leaves to a person is one for each reason.
        reason = "" if row[4] == "converted" else row[5]
        groups.setdefault((row[0], row[3], reason), []).append(row)
    campaign = work.settings.plan.campaign
    sites = {*campaign.words(Kind.ADDRESS),
             *(name.name for name in campaign.names
               if name.kind is Kind.FIELD)}
    for (file, function, reason), group in sorted(groups.items()):
        line, column = min((row[1], row[2]) for row in group)
        if file not in work.sources:
            _read(work, [file])
        if group[0][4] == "unread":
            if not any(at == file and first <= line <= last
                       for at, first, last in work.unread):
                work.unread[file, line, line] = reason
            continue
        lines = work.sources.get(file, b"").split(b"\n")
        text = lines[line - 1] if line <= len(lines) else b""
        where = f"{function}(): " if function else ""
        count = f" [{len(group)} sites]" if len(group) > 1 else ""
        # Where the two iterators are two types the compiler has seen to it
        # that an old one gives no address, but by its fields.
        sure = not strict or any(row[6] in sites for row in group)
        level = "low" if not sure else \
            "moderate" if reason.partition(":")[0] == _CAST else "high"
        work.findings.add(Finding(
            file, line, column, "old-api",
            f"old-api: {where}{reason or names.now().say('old-api')}{count}", "old-api",
            level, pressed(text)))
    return accounts.sums([row[4] for row in rows])


# Whether an old iterator that comes in lies in a new one, the casts' own
# rules of cocci/sg-dma-page/misuse prove or leave open.
_CAST = "cast"


def _strict(work: _Work) -> bool:
    """Say whether the kernel's two iterators are two types."""
    chosen = work.settings.plan
    if chosen.module and not chosen.kernel:
        return False
    root = Path(chosen.kernel) if chosen.module else work.tree.root
    try:
        state = core.probe(chosen.campaign, root)
        return state is not None and state.callers is Callers.NEW
    except core.CoreError:
        # A half-made API, or none: what is wrong with it is apply's to say,
        # and the tree's drivers are judged all the same.
        return False


# file, line, column, function, verdict, reason, token
Row = tuple[str, int, int, str, str, str, str]


def _ledger(work: _Work) -> list[Row]:
    """Return the ledger's rows, from the cache if it can.

    The ledger hangs on the whole tree, whose content is not hashed: the name,
    size and times of every file stand for it, as they do for make and git.
    """
    own = b"".join(hashlib.sha256(_bytes(path)).digest() for path in sorted(
        [*ROOT.glob("scripts/**/*.py"), *ROOT.glob("scripts/reader/*.[ch]"),
         *(rule.path for rule in rulebook.load(work.settings.plan.rules)),
         jobs.MACROS]))
    facts = b"\0".join(b" ".join(pair) for pair in sorted(
        _state(work).items()))
    name = key(_ENTRY, b"ledger-2", own, remember.program(), facts,
               os.fsencode(work.tree.root),
               repr((work.settings.plan.confidence,
                     work.settings.plan.kernel,
                     planning.kernel(work.tree, work.settings.plan))).encode())
    entry = work.cache.get(name)
    if entry is not None:
        work.used.append(name)
        return [(row[0], row[1], row[2], row[3], row[4], row[5], row[6])
                for row in json.loads(entry)]
    ledger = kinds.make_ledger(work.tree, work.settings.plan)
    rows = [_row(one) for one in ledger.entries]
    if not any(_passing(row) for row in rows):
        work.cache.put(name, json.dumps(rows).encode())
    return rows


def _row(one: accounts.Entry) -> Row:
    site = one.site
    return (site.file, site.line, site.column, site.function, one.verdict,
            one.reason, site.token)


def _passing(row: Row) -> bool:
    """Say whether a verdict may be another one the next time."""
    return row[4] == "unread" and bool(
        re.search(r"timeout|memory|no end within|killed", row[5]))


# --- what the formats show -------------------------------------------------

def _about(work: _Work) -> tuple[About, ...]:
    return tuple(About(rule.name, rule.summary, rule.body,
                       rule.confidence.lower(), rule.shape)
                 for _, rule in sorted(work.rules.items()))


def _lines(work: _Work, findings: Sequence[Finding]) -> dict[Finding, str]:
    """Return the line of the source that each finding stands on."""
    split: dict[str, list[bytes]] = {}
    found = {}
    for one in findings:
        if one.file not in split:
            split[one.file] = work.sources.get(one.file, b"").split(b"\n")
        if one.line <= len(split[one.file]):
            found[one] = os.fsdecode(split[one.file][one.line - 1])
    return found


def _notes(work: _Work, findings: Sequence[Finding]) -> dict[
        Finding, tuple[Note, ...]]:
    """Return the mappings that prove findings about lists."""
    roles = {name.encode(): role for found in map(
        campaigns.load, campaigns.shipped()) for role in found.roles
        for name in role.names}
    plan = work.settings.plan
    conditionals.use(plan.census, plan.campaign)
    by_file: dict[str, list[Finding]] = {}
    for one in findings:
        if one.kind == "misuse":
            by_file.setdefault(one.file, []).append(one)
    found: dict[Finding, tuple[Note, ...]] = {}
    for file, mine in sorted(by_file.items()):
        data = work.sources.get(file, b"")
        if not any(name in data for name in roles):
            continue
        text = Text(data)
        around = calls.read(file, text, roles)
        for one in mine:
            at = text.at(text.offset(one.line, one.column)) \
                if one.line <= text.line_count else None
            some = calls.witnesses(text, at, around) if at is not None else []
            if some:
                found[one] = tuple(_note(text, call) for call in some)
    return found


def _note(text: Text, call: calls.Call) -> Note:
    line, column = text.position(text.tokens[call.at].start)
    what = f"maps {calls.shown(call.list)}"
    if call.count:
        what += f" with {calls.shown(call.count)}"
    if call.result:
        what += f", and {calls.shown(call.result)} is what it returns"
    return Note(line, column, what, os.fsdecode(
        text.data.split(b"\n")[line - 1]))


def _fixes(work: _Work, findings: Sequence[Finding]) -> dict[Finding, Fix]:
    """Return the rewrites that rules have for their findings."""
    wanted = sorted({(found.rule, found.file) for found in findings
                     if found.kind == "misuse" and _rewrites(work, found)})
    jobs = [Job(work.rules[rule], "patch", (file,)) for rule, file in wanted]
    blocks: dict[tuple[str, str], list[tuple[int, int, str]]] = {}
    for result in _spatch(work, jobs):
        file, = result.job.files
        blocks[_rule(result.job).name, file] = [
            block for diff in result.changed.values()
            for block in _blocks(work.sources[file], diff)]
    fixes = {}
    for found in findings:
        # The statement may go on below the line that the finding stands on.
        last = _statement_end(work.sources.get(found.file, b""), found.line)
        for first, end, text in blocks.get((found.rule, found.file), ()):
            if found.line <= end and first <= last:
                fixes[found] = Fix(found.file, first, end, text)
                break
    return fixes


def _statement_end(source: bytes, line: int) -> int:
    """Return the line of the first ; or { from a line on."""
    lines = source.split(b"\n")
    for number in range(line, len(lines)):
        if re.search(rb"[;{]", lines[number - 1]):
            return number
    return line


def _rewrites(work: _Work, found: Finding) -> bool:
    rule = work.rules.get(found.rule)
    return (rule is not None and not work.settings.foreign
            and rule.mends)


def _blocks(source: bytes,
            diff: bytes) -> Iterator[tuple[int, int, str]]:
    """Yield (first, last, new text) of each run of lines that changes."""
    plain = hunks.sanitise(source)
    old, new = plain.split(b"\n"), hunks.patched(plain, diff).split(b"\n")
    real = source.split(b"\n")
    match = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, first, last, start, end in match.get_opcodes():
        # Lines that spatch saw other than they are have no rewrite.
        if tag == "replace" and real[first:last] == old[first:last]:
            yield (first + 1, last,
                   b"".join(line + b"\n" for line in new[start:end])
                   .decode("ascii", "replace"))


def _store(work: _Work) -> None:
    """Note which entries were used, and keep the cache below its cap."""
    work.cache.used(work.used)
    work.cache.prune()
