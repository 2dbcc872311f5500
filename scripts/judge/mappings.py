# SPDX-License-Identifier: GPL-2.0-only
"""Work out what the repairs of a campaign make of a tree, with its account.

For a campaign whose unit is a mapping: one list, from the call that maps it
to those that sync and unmap it. Its rules report mistakes, and some rewrite
what they prove. A site is a call of the campaign's table, or a place that a
rule reports. It is

    converted   a rule rewrites it
    kept        it is right, and the reason says why
    manual      it is wrong and no rule rewrites it, or nothing proves it right
    unread      spatch or the reader did not read it

A unit is converted as a whole: where one call about a list stays wrong, the
calls about this list in the same driver stay as they are, and the reason
names the one that needs a person.

Data:   Tree + Settings -> Plan.
Units:  bytes of whole files; lines from 1; offsets in bytes.
Errors: those of the stages; LedgerError, when verdicts and edits disagree.
Source: the accounting identity of design.md.
"""

from __future__ import annotations

import collections
import contextlib
import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from read import census, conditionals, tree as trees, words
from read.campaign import Role, Step
from read.census import Site
from read.ctext import Text
from run import remember, rules as rulebook
from run.cache import Cache
from run.jobs import Job, Outcome, Result, SpatchError
from run.rules import Rule
from judge import calls, splice, wrap
from judge.calls import Call
from judge.ledger import Entry, Ledger, LedgerError
from judge.plan import Plan, Settings
from judge.splice import Edit, SpliceError

_LARGEST = 8 << 20
_C = (".c", ".h", ".inc")
_LEVELS = {"high": ("High",), "moderate": ("High", "Moderate"),
           "low": ("High", "Moderate", "Low")}
_LINE = re.compile(r".*?:(\d+):(\d+)(?:-\d+)?: .*")
_ENDS = frozenset((b";", b"{", b"}"))
_MAKEFILES = ("Makefile", "Kbuild")


@dataclass
class _Finding:
    """A place that a rule reports."""

    file: str
    at: int                  # token
    rule: Rule
    edits: tuple[Edit, ...] = ()
    left: str = ""           # why it stays, "" for what is rewritten


@dataclass
class _Work:
    tree: trees.Tree
    settings: Settings
    cache: Cache
    rules: Sequence[Rule] = ()
    sources: dict[str, bytes] = field(default_factory=dict)
    texts: dict[str, Text] = field(default_factory=dict)
    calls: dict[str, list[Call]] = field(default_factory=dict)
    drivers: Mapping[str, str] = field(default_factory=dict)
    unsaid: dict[str, str] = field(default_factory=dict)    # unreadable files
    bad: dict[str, set[tuple[int, int]]] = field(
        default_factory=lambda: collections.defaultdict(set))
    lost: dict[str, str] = field(default_factory=dict)      # rules that failed
    found: list[_Finding] = field(default_factory=list)
    groups: list[tuple[str, ...]] = field(default_factory=list)


def make_plan(tree: trees.Tree, settings: Settings) -> Plan:
    """Return what the tree becomes; the tree itself is only read."""
    conditionals.use(settings.census, settings.campaign)
    work = _Work(tree, settings, Cache(settings.cache))
    work.rules = [rule for rule in rulebook.load(settings.rules)
                  if rule.verdict == "finding"
                  and rule.confidence in _LEVELS[settings.confidence]]
    sites = census.take(settings.census, tree.root, settings.jobs,
                        settings.files or None, settings.campaign)
    _read(work, sites)
    _report(work)
    _repair(work)
    _leave_unread(work, sites)
    _decide(work)
    entries = list(_entries(work, sites))
    _audit(work, entries)
    ledger = Ledger([entry.site for entry in entries], entries)
    after = {file: _rewritten(work.sources[file], edits)
             for file, edits in sorted(_edits(work).items())}
    for driver in sorted({work.drivers.get(file, file) for file in after}):
        mine = tuple(file for file in after
                     if work.drivers.get(file, file) == driver)
        if len(mine) > 1:
            work.groups.append(mine)
    fired: dict[str, set[Rule]] = collections.defaultdict(set)
    for one in work.found:
        if not one.left:
            fired[one.file].add(one.rule)
    return Plan(
        tree, {file: work.sources[file] for file in after}, after, {}, None,
        None, ledger,
        {file: tuple(sorted(rules, key=lambda rule: rule.name))
         for file, rules in sorted(fired.items())},
        tuple(sorted(set(work.groups))),
        {file: tuple(sorted(ranges)) for file, ranges in work.bad.items()},
        campaign=settings.campaign)


# --- reading ---------------------------------------------------------------

def make_ledger(tree: trees.Tree, settings: Settings) -> Ledger:
    """Return every site's verdict."""
    return make_plan(tree, settings).ledger


def _read(work: _Work, sites: Sequence[Site]) -> None:
    """Read the files with a site, and those that a rule can report in."""
    chosen = work.settings.files
    tokens = {token.lstrip(".") for rule in work.rules
              for token in rule.tokens}
    names = {site.file for site in sites} | {
        file for file in words.holders(work.tree.root, tokens)
        if not chosen or file in chosen}
    for file in sorted(names):
        if file in work.settings.campaign.api:
            continue
        try:
            data = trees.read(work.tree, file)
        except trees.TreeError as error:
            work.unsaid[file] = f"unreadable: {error}"
            continue
        if not file.endswith(_C):
            work.unsaid[file] = ("assembly: not C, so no rule reads it; look "
                                 "at it by hand")
        elif len(data) > _LARGEST:
            work.unsaid[file] = ("too-large: a file of more than "
                                 f"{_LARGEST >> 20} MiB; read it by hand")
        else:
            work.sources[file] = data
    with_calls = {site.file for site in sites} & set(work.sources)
    roles = {name.encode(): role for role in work.settings.campaign.roles
             for name in role.names}
    for file in sorted(with_calls):
        work.calls[file] = calls.read(file, _text(work, file), roles)
    work.drivers = calls.drivers(with_calls, _makefiles(work, with_calls))


def _text(work: _Work, file: str) -> Text:
    if file not in work.texts:
        work.texts[file] = Text(work.sources[file])
    return work.texts[file]


def _makefiles(work: _Work, files: Iterable[str]) -> dict[str, bytes]:
    found = {}
    for folder in {posixpath.dirname(file) for file in files}:
        for name in _MAKEFILES:
            file = posixpath.join(folder, name)
            with contextlib.suppress(trees.TreeError):
                found[file] = trees.read(work.tree, file)
    return found


# --- running rules ---------------------------------------------------------

def _run(work: _Work, jobs: Sequence[Job]) -> list[Result]:
    chosen = work.settings
    return remember.run(work.cache, work.sources, jobs, procs=chosen.jobs,
                        timeout=chosen.timeout, memory=chosen.memory,
                        ssh=chosen.ssh, progress=chosen.progress,
                        late=chosen.late)


def _report(work: _Work) -> None:
    """Find the places that rules report, and what spatch cannot read."""
    jobs = [Job(None, "parse", (file,)) for file in sorted(work.calls)]
    jobs += [Job(rule, "report", (file,)) for rule in work.rules
             for file, data in sorted(work.sources.items())
             if words.present(data, [token.lstrip(".")
                                     for token in rule.tokens])]
    for result in _run(work, jobs):
        file, = result.job.files
        work.bad[file] |= set(result.bad.get(file, ()))
        rule = result.job.rule
        if result.outcome not in (Outcome.QUIET, Outcome.HIT):
            work.lost[file] = (
                f"spatch-{result.outcome.value}: "
                f"{rule.name if rule else 'the parser'} did not finish: "
                f"{result.detail}; read it by hand")
        elif rule is not None:
            work.found += _findings(work, rule, file, result.text)
    work.bad = collections.defaultdict(set, {
        file: ranges for file, ranges in work.bad.items() if ranges})


def _findings(work: _Work, rule: Rule, file: str,
              said: str) -> Iterator[_Finding]:
    text = _text(work, file)
    seen = set()
    for line in said.replace(file + ":", "-:").splitlines():
        match = _LINE.fullmatch(line)
        at = text.at(text.offset(int(match[1]), int(match[2]) + 1)) \
            if match else None
        if at is not None and at not in seen:
            seen.add(at)
            yield _Finding(file, at, rule)


def _repair(work: _Work) -> None:
    """Give each finding the edits that its rule has for it."""
    mine: dict[tuple[str, str], list[_Finding]] = \
        collections.defaultdict(list)
    for one in work.found:
        mine[one.file, one.rule.name].append(one)
    jobs = [Job(some[0].rule, "patch", (file,))
            for (file, _), some in sorted(mine.items())
            if some[0].rule.mends]
    for result in _run(work, jobs):
        rule, (file,) = result.job.rule, result.job.files
        assert rule is not None
        if result.outcome is Outcome.HIT:
            _assign(work, file, mine[file, rule.name], result.changed[file])
    for one in work.found:
        if not one.edits and not one.left:
            one.left = _missing(work, one)


def _assign(work: _Work, file: str, found: Sequence[_Finding],
            diff: bytes) -> None:
    """Give the edits of a diff to the findings in the same statements."""
    source = work.sources[file]
    try:
        edits = splice.edits(source, diff)
        fits = splice.agrees(source, diff, splice.apply(source, edits))
    except (SpliceError, SpatchError):
        fits = False
    if not fits:
        for one in found:
            one.left = (f"misfit: what {one.rule.name} makes of this file "
                        "cannot be put into its bytes as they are; change it "
                        "by hand")
        return
    edits = tuple(_close(source, edit) for edit in edits)
    text = _text(work, file)
    spans = [_statement(text, one.at) for one in found]
    for edit in edits:
        owners = [one for one, (start, end) in zip(found, spans)
                  if start <= edit.start and edit.end <= end]
        for one in owners:
            one.edits += (edit,)
            if edit.loses:
                one.left = (f"comment: {one.rule.name} rewrites this and "
                            f"would lose {edit.loses} that stands there; "
                            "change it by hand")
        if not owners:
            # What a rule changes beyond its findings is nobody's proof.
            for one in found:
                one.left = (f"beyond: {one.rule.name} changes line "
                            f"{edit.first}, too, where it reports nothing; "
                            "change it by hand")


def _close(source: bytes, edit: Edit) -> Edit:
    """Leave no blank behind a ! that takes the place of a call."""
    if not edit.new.rstrip(b" ").endswith(b"!"):
        return edit
    end = edit.end
    while source[end:end + 1] == b" ":
        end += 1
    return replace(edit, end=end, new=edit.new.rstrip(b" "))


def _statement(text: Text, at: int) -> tuple[int, int]:
    """Return the bytes of the statement around a token."""
    first = last = at
    depth = 0
    while first > 0 and text.text(first - 1) not in _ENDS:
        first -= 1
    while last + 1 < len(text.tokens) and (
            depth or text.text(last) not in _ENDS):
        depth += (text.text(last) == b"(") - (text.text(last) == b")")
        depth = max(depth, 0)
        last += 1
    return text.tokens[first].start, text.tokens[last].end


# --- deciding --------------------------------------------------------------

def _leave_unread(work: _Work, sites: Sequence[Site]) -> None:
    """Refuse edits where a part of the file, or the place, was not read."""
    unread = {(site.file, site.line, site.column): why for site in sites
              if (why := _unread(work, site))}
    for one in work.found:
        text = _text(work, one.file)
        line, column = text.position(text.tokens[one.at].start)
        one.left = (unread.get((one.file, line, column))
                    or work.lost.get(one.file) or one.left)


def _audit(work: _Work, entries: Sequence[Entry]) -> None:
    """End the run where the account and the edits disagree."""
    rows = {(entry.site.file, entry.site.line, entry.site.column)
            for entry in entries if entry.verdict == "converted"}
    for one in work.found:
        text = _text(work, one.file)
        place = (one.file, *text.position(text.tokens[one.at].start))
        if (place in rows) != (not one.left):
            raise LedgerError(
                f"{place[0]}:{place[1]}:{place[2]}: {one.rule.name} "
                f"{'rewrites' if not one.left else 'leaves'} this, and the "
                "account has another verdict; this is a bug in sgwalk")


def _decide(work: _Work) -> None:
    """Refuse edits that meet, and units of which a part would stay wrong."""
    by_file = collections.defaultdict(list)
    for one in work.found:
        if not one.left:
            by_file[one.file].append(one)
    for some in by_file.values():
        for number, one in enumerate(some):
            for other in some[number + 1:]:
                if _meet(one, other):
                    for each, rival in ((one, other), (other, one)):
                        each.left = (
                            f"conflict: {each.rule.name} and "
                            f"{rival.rule.name} rewrite the same words in "
                            "different ways; decide by hand")
    _refuse_shared(work)
    for unit in _units(work):
        left = next((one for one in unit if one.left), None)
        whole = {one.file for one in unit}
        if left is None:
            if len(whole) > 1:
                work.groups.append(tuple(sorted(whole)))
            continue
        where = f"{left.file}:{_line(work, left)}"
        for one in unit:
            if not one.left:
                one.left = (f"unit: the same list is handled in {where}, "
                            "which needs a person; change them together")


def _refuse_shared(work: _Work) -> None:
    """Refuse the edits of one rule where another one leaves the place."""
    places: dict[tuple[str, int], list[_Finding]] = \
        collections.defaultdict(list)
    for one in work.found:
        places[one.file, one.at].append(one)
    for some in places.values():
        left = next((one for one in some if one.left), None)
        for one in some:
            if left is not None and not one.left:
                one.left = (f"shared: {left.rule.name} reports this, too, and "
                            "no rewrite of that is proven; change both by "
                            "hand")


def _meet(one: _Finding, other: _Finding) -> bool:
    """Tell whether two findings want different bytes in one place."""
    return any(a != b and a.start <= b.end and b.start <= a.end
               and not (a.start, a.end, a.new) == (b.start, b.end, b.new)
               for a in one.edits for b in other.edits
               if not (a.end == b.start or b.end == a.start)
               or (a.start, a.end) == (b.start, b.end))


def _units(work: _Work) -> list[list[_Finding]]:
    """Return the findings about calls that take a count, list by list."""
    units: dict[tuple[str, ...], list[_Finding]] = \
        collections.defaultdict(list)
    at = {(call.file, call.at): call for some in work.calls.values()
          for call in some}
    for one in work.found:
        call = at.get((one.file, one.at))
        if call is not None and call.step is not Step.MAP:
            units[calls.list_key(call, work.drivers.get(
                one.file, one.file))].append(one)
    return [unit for _, unit in sorted(units.items())]


def _edits(work: _Work) -> dict[str, list[Edit]]:
    found: dict[str, dict[tuple[int, int, bytes], Edit]] = \
        collections.defaultdict(dict)
    for one in work.found:
        if not one.left:
            for edit in one.edits:
                found[one.file][edit.start, edit.end, edit.new] = edit
    return {file: list(some.values()) for file, some in found.items()}


def _rewritten(source: bytes, edits: Sequence[Edit]) -> bytes:
    """Return a file with edits made, and no line made too long by them."""
    edits = sorted(edits)
    at, shift = [], 0
    starts = splice.line_starts(source)
    for edit in edits:
        line = splice.line_of(starts, edit.start)
        before = source[starts[line - 1]:].split(b"\n", 1)[0]
        if wrap.seen(before) <= wrap.WIDTH:
            at.append(edit.start + shift)
        shift += len(edit.new) - (edit.end - edit.start)
    return wrap.wrapped(splice.apply(source, edits), at)


# --- verdicts --------------------------------------------------------------

def _entries(work: _Work, sites: Sequence[Site]) -> Iterator[Entry]:
    """Yield one entry a call, and one a place that is reported elsewhere."""
    here: dict[tuple[str, int, int], list[_Finding]] = \
        collections.defaultdict(list)
    for one in work.found:
        text = _text(work, one.file)
        here[(one.file, *text.position(text.tokens[one.at].start))].append(one)
    for site in sites:
        yield _entry(work, site, here.pop(
            (site.file, site.line, site.column), []))
    for (file, line, column), some in sorted(here.items()):
        text = _text(work, file)
        function = text.function_of(some[0].at)
        yield _reported(work, Site(
            file, line, column, os.fsdecode(function.name) if function else "",
            os.fsdecode(text.text(some[0].at)), "code"), some)


def _entry(work: _Work, site: Site, found: Sequence[_Finding]) -> Entry:
    why = _unread(work, site)
    if why:
        return Entry(site, "unread", "", why)
    if site.file in work.settings.campaign.api:
        return Entry(site, "kept", "", "api: this is the API itself")
    if found:
        return _reported(work, site, found)
    text = _text(work, site.file)
    at = text.at(text.offset(site.line, site.column))
    assert at is not None
    if text.text(at + 1) != b"(" or calls.is_defined(text, at):
        return Entry(site, "kept", "", "declared: the name is declared or "
                     "defined here, or its address is taken, and no list is "
                     "handed over")
    call = next((one for one in work.calls[site.file] if one.at == at), None)
    if call is None:
        return Entry(site, "manual", "", "arguments: not those that the "
                     "function has; read it by hand")
    return Entry(site, *calls.standing(call, work.calls[site.file]))


def _unread(work: _Work, site: Site) -> str:
    """Say what was not read at a site, "" for nothing."""
    if site.token == "?" or site.place.startswith(("unlexed", "unread")):
        return site.place if ": " in site.place else f"unlexed: {site.place}"
    if site.file in work.unsaid:
        return work.unsaid[site.file]
    if site.place == "if0":
        return ("dead-code: in a branch that #if rules out, which no compiler "
                "reads; change or delete it by hand")
    if site.place in ("macro", "directive"):
        return "macro: in the body of a macro, which no rule reads"
    for first, last in sorted(work.bad.get(site.file, ())):
        if first <= site.line <= last:
            return (f"parse-error: Coccinelle does not parse lines {first} "
                    f"to {last}; read them by hand")
    return work.lost.get(site.file, "")


def _reported(work: _Work, site: Site, found: Sequence[_Finding]) -> Entry:
    """Return the entry of a place that rules report."""
    left = [one for one in found if one.left]
    one = (left or found)[0]
    code, _, sentence = one.rule.reason.partition(": ")
    witness = _witness(work, one)
    if left:
        return Entry(site, "manual", one.rule.name,
                     f"{code}: {sentence}{witness}; {one.left}")
    return Entry(site, "converted", one.rule.name,
                 f"{one.rule.name}: {sentence}{witness}")


def _witness(work: _Work, one: _Finding) -> str:
    """Return the lines that prove a finding about a call, as a clause."""
    around = work.calls.get(one.file, [])
    call = next((each for each in around if each.at == one.at), None)
    if call is None or not call.count:
        return ""
    maps = list(calls.sources(call, around))
    return "".join(
        f"; line {each.line} maps {calls.shown(each.list)} with "
        f"{calls.shown(each.count)}" for each in maps[:3]) + (
        f", and what it returns is {calls.shown(call.count)} here"
        if maps else "")


def _missing(work: _Work, one: _Finding) -> str:
    """Say what a person has to add where a rule does not rewrite."""
    around = work.calls.get(one.file, [])
    call = next((each for each in around if each.at == one.at), None)
    if call is None or not call.count or call.step is Step.MAP:
        return "unproven: no rewrite is proven here; change it by hand"
    return calls.needed(call, around)


def _line(work: _Work, one: _Finding) -> int:
    return _text(work, one.file).line_of(one.at)
