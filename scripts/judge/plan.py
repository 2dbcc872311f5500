# SPDX-License-Identifier: GPL-2.0-only
"""Work out what a tree becomes, with the account of every site, in memory.

The one call that apply, preview, check and series share: census, binding,
rules, judgement, core. Nothing here writes to the tree; what it returns is
what apply puts in place and what series cuts into patches.

A rule runs on the files of a unit together: a header first, then the files
that use what it declares. Everything else is one file a run, since spatch
lets one file's types leak into the next.

Data:   Tree + Settings -> Plan.
Units:  bytes of whole files, before and after, by path in the tree.
Errors: those of the stages, each with its own class.
Source: the data flow of design.md.
"""

from __future__ import annotations

import collections
import contextlib
import os
import re
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Collection, Iterable, Mapping, Optional, Sequence

from host.progress import Progress
from read import api as names, campaigns, census, conditionals, core, \
    tree as trees
from run import hunks, remember, rules as rulebook
from judge import comments, counts, guards, judge, units as iterators
from read.campaign import Callers, Campaign, Kind as Name, State
from read.census import Site
from read.ctext import Text
from run.cache import Cache
from run.jobs import Job, Outcome, Result
from run.rules import Rule
from judge.counts import Claim, Kind, Why
from judge.edits import Edit, from_diff, render, spoils
from judge.judge import Evidence, Mark, Proposal, Verdict
from judge.ledger import Became, Entry, Ledger, LedgerError
from judge.reach import Found, Reach
from judge.units import DMA, PAGE, Act, Unit

# The reason that holds for a walk that reads no address, too.
_COUNTS = frozenset(("counts-pages",))
# What a rule takes an address for that is spelt in a way it does not know.
_PAGES_TOO = frozenset(("both-sides", "member-both"))
_DEAD = Verdict("unread", "", "dead-code: in a branch that #if rules out, "
                "which no compiler reads; convert or delete it by hand")
# Bytes of a file whose tokens are kept in memory, which take 90 times as many.
# The largest file with a site has 95 KiB in v6.12.
_LARGEST = 8 << 20
# What is built against headers of its own, not against the kernel's.
_OTHER_PROGRAMS = ("tools/", "scripts/", "Documentation/", "samples/bpf/")


@dataclass(frozen=True)
class Settings:
    """What the command line may choose, checked where it was read."""

    census: Path             # the program
    rules: tuple[Path, ...]
    jobs: int = 1
    timeout: int = 200       # seconds of wall-clock time a file
    memory: int = 2048       # MiB a process
    confidence: str = "high"
    ssh: str = ""
    fix: bool = False        # mend the page count of a tree with the API
    module: bool = False     # M=: the tree is a module's folder, not a kernel
    kernel: str = ""         # the kernel it is built for, if one is named
    files: tuple[str, ...] = ()      # of the folder, the ones to look at; all
    campaign: Campaign = field(default_factory=campaigns.load)
    cache: Optional[Path] = None     # of what spatch printed; None: without
    progress: Optional[Progress] = None
    late: set[str] = field(default_factory=set)     # files past the limit


@dataclass(frozen=True)
class Plan:
    tree: trees.Tree
    before: Mapping[str, bytes]      # files that change, core included
    after: Mapping[str, bytes]
    core: Mapping[str, bytes]        # the core's part of `after`
    form: Optional[State]       # what is installed, None for nothing
    state: Optional[State]      # what the kernel has, None if unknown
    ledger: Ledger
    rules: Mapping[str, tuple[Rule, ...]]    # by file, what converted in it
    groups: tuple[tuple[str, ...], ...]      # files that change together
    unread: Mapping[str, tuple[tuple[int, int], ...]]
    remarks: tuple[str, ...] = ()    # for people: what was chosen and why
    campaign: Campaign = field(default_factory=campaigns.load)
    bare: bool = False       # made by bare rules: see judge/bare.py


@dataclass
class _Work:
    """The state of one run, filled stage by stage."""

    tree: trees.Tree
    settings: Settings
    sites: tuple[Site, ...]
    sources: dict[str, bytes] = field(default_factory=dict)
    texts: dict[str, Text] = field(default_factory=dict)
    units: list[Unit] = field(default_factory=list)
    by_file: dict[str, list[Unit]] = field(default_factory=dict)  # not API's
    unsaid: dict[str, str] = field(default_factory=dict)    # unreadable files
    # Files that are only included, by names that spatch and we do not read.
    fragments: frozenset[str] = frozenset()
    edits: dict[str, list[Edit]] = field(default_factory=dict)
    fired: dict[str, set[str]] = field(default_factory=dict)
    groups: list[tuple[str, ...]] = field(default_factory=list)


def make_plan(tree: trees.Tree, settings: Settings) -> Plan:
    """Return what the tree becomes; the tree itself is only read."""
    return _finish(*_settle(tree, settings))


def make_ledger(tree: trees.Tree, settings: Settings) -> Ledger:
    """Return every site's verdict, also of a tree that the core cannot suit."""
    _, _, _, ledger, _ = _settle(tree, settings)
    return ledger


def _settle(tree: trees.Tree, settings: Settings) -> tuple[
        _Work, _Work, list[Rule], Ledger, Evidence]:
    """Return the work before and after its edits, and what came of it."""
    conditionals.use(settings.census, settings.campaign)
    names.use(settings.campaign)
    first = _Work(tree, settings, census.take(
        settings.census, tree.root, settings.jobs, settings.files or None,
        settings.campaign))
    _read(first)
    every = [rule for rule in rulebook.load(settings.rules)
             if rule.verdict != "finding"
             and (rule.confidence == "High"
                  or settings.confidence != "high"
                  or rule.verdict != "converted")]
    # What is said of counts, and done about them, waits for the conversions.
    about_counts = [rule for rule in every
                    if rule.counts or rule.verdict == "count"]
    chosen = [rule for rule in every if rule not in about_counts]
    evidence, entries = _round(first, chosen, _clusters(first))
    known = {entry.site: entry for entry in entries}
    origin = {site: site for site in first.sites}
    rewriters = [rule for rule in chosen if rule.verdict == "converted"]
    last, history = first, list[_Work]()
    # One unit in a rule's way hides another from it. So what changed is read
    # again until nothing more is converted: a second run has nothing to do.
    while last.edits:
        left = {entry.site.file for entry in entries
                if entry.verdict in ("manual", "unread")}
        clusters = [files for files in _clusters(last)
                    if set(files) & set(last.edits) and set(files) & left]
        history.append(last)
        last, origin = _changed(last, origin)
        if not clusters:
            break
        _, entries = _round(last, rewriters, clusters)
        for entry in entries:
            if entry.verdict == "converted":
                site = origin[entry.site]
                known[site] = replace(entry, site=site)
        _fired(first, last)
    walks = _Walks(first, last, history, origin, known)
    if walks.files:
        _pass_counts(walks, about_counts)
        known.update(_counted(walks, about_counts, {
            rule.name for rule in chosen if "count" in rule.proves}))
    ledger = Ledger(first.sites, known.values())
    return first, walks.last, every, ledger, evidence


def _fired(first: _Work, later: _Work) -> None:
    """Add what a later round did to what the first did."""
    first.groups += later.groups
    for file, names in later.fired.items():
        first.fired.setdefault(file, set()).update(names)


def _round(work: _Work, chosen: Sequence[Rule],
           clusters: Sequence[tuple[str, ...]]) -> tuple[Evidence,
                                                         list[Entry]]:
    """Run rules on some clusters and decide about every unit."""
    results = _run(work, chosen, clusters)
    evidence = _evidence(work, results)
    verdicts = _decide(work, results, evidence)
    entries = list(_entries(work, verdicts))
    _audit(work, entries)
    return evidence, entries


def _changed(work: _Work, origin: Mapping[Site, Site]) -> tuple[
        _Work, dict[Site, Site]]:
    """Return the work as its edits leave it, and where its sites were."""
    sources = {**work.sources, **{
        file: render(work.texts[file], edits)
        for file, edits in work.edits.items()}}
    after = replace(work, sources=sources, texts={
        file: Text(sources[file]) if file in work.edits else text
        for file, text in work.texts.items()}, edits={}, fired={}, groups=[],
        units=[], by_file={}, sites=())
    moved: dict[Site, Site] = {}
    for site in work.sites:
        text = work.texts.get(site.file)
        if text is None or site.token == "?" or site.place != "code":
            continue
        if site.file not in work.edits:
            moved[site] = origin[site]
            continue
        at = text.at(text.offset(site.line, site.column))
        now = None if at is None else judge.moved_token(
            text, work.edits[site.file], at)
        if now is not None:
            fresh = after.texts[site.file]
            line, column = fresh.position(fresh.tokens[now].start)
            moved[replace(site, line=line, column=column)] = origin[site]
    after.sites = tuple(sorted(moved))
    _bind(after)
    return after, moved


# --- reading ---------------------------------------------------------------

def _read(work: _Work) -> None:
    """Read the files with a site, and those that can hold the other end."""
    for file in sorted({site.file for site in work.sites}):
        try:
            work.sources[file] = trees.read(work.tree, file)
        except trees.TreeError as error:
            work.unsaid[file] = f"unreadable: {error}"
            continue
        if len(work.sources[file]) > _LARGEST:
            del work.sources[file]
            work.unsaid[file] = (
                f"too-large: a file of more than {_LARGEST >> 20} MiB; read "
                "it by hand")
    work.texts = {file: Text(data) for file, data in work.sources.items()
                  if file.endswith((".c", ".h", ".inc"))}
    work.fragments = frozenset(file for file in work.sources
                               if not file.endswith(census.SUFFIXES))
    _bind(work)


def _bind(work: _Work) -> None:
    work.units = iterators.bind(work.texts)
    for unit in work.units:
        if not judge.is_api(work.texts, unit):
            for file in unit.files:
                work.by_file.setdefault(file, []).append(unit)


def _words_elsewhere(work: _Work, words: Sequence[bytes]) -> set[bytes]:
    """Return which words stand in files of the tree that were not read."""
    if not words:
        return set()
    command = ["grep", "-rlwFZ", "--include=*.[ch]", "--include=*.inc"]
    for word in words:
        command += ["-e", os.fsdecode(word)]
    done = subprocess.run([*command, "--", "."], cwd=work.tree.root,
                          capture_output=True, check=False,
                          env={**os.environ, "LC_ALL": "C"})
    if done.returncode not in (0, 1):
        return set(words)
    found: set[bytes] = set()
    for name in done.stdout.split(b"\0"):
        file = os.fsdecode(name[2:])
        if not name or file in work.texts:
            continue
        data = trees.read(work.tree, file)
        if len(data) > _LARGEST:
            return set(words)
        text = Text(data)
        present = {token.text for token in text.tokens
                   if token.kind == "id"}
        found |= present & set(words)
    return found


# What the build defines beside the files of a tree: its command line, and the
# features that a configure script looks for.
_FROM_OUTSIDE = re.compile(rb"DEBUG|NDEBUG|VERBOSE_DEBUG|MODULE|KBUILD_\w+"
                           rb"|HAVE_\w+|\w+_PRESENT")
_CONDITION = re.compile(rb"\s*(?:#|%:)\s*(?:el)?if")


def _defined_nowhere(work: _Work, names: set[bytes]) -> frozenset[bytes]:
    """Return which names stand in conditions only, in the whole tree."""
    left = {name for name in names if not _FROM_OUTSIDE.fullmatch(name)}
    if not left or work.settings.module:
        return frozenset()      # a module's names may come from anywhere
    command = ["grep", "-rIhwF", "--exclude-dir=.git"]
    for name in sorted(left):
        command += ["-e", os.fsdecode(name)]
    done = subprocess.run([*command, "--", "."], cwd=work.tree.root,
                          capture_output=True, check=False,
                          env={**os.environ, "LC_ALL": "C"})
    if done.returncode not in (0, 1):
        return frozenset()
    for line in done.stdout.split(b"\n"):
        if not _CONDITION.match(line):
            left -= set(re.findall(rb"\w+", line))
    return frozenset(left)


# --- running rules ---------------------------------------------------------

def _run(work: _Work, chosen: Sequence[Rule],
         clusters: Sequence[tuple[str, ...]]) -> list[Result]:
    tokens = collections.defaultdict(set)
    for site in work.sites:
        tokens[site.file].add(site.token.replace("struct ", ""))
    # What becomes of a file whose branches are not known is decided already.
    clusters = [cluster for cluster in clusters
                if not any(work.texts[file].unknown for file in cluster)]
    jobs = [Job(None, "parse", (file,))
            for cluster in clusters for file in cluster]
    for rule in chosen:
        wanted = set(rule.tokens)
        mode = "patch" if rule.verdict == "converted" else "context"
        for cluster in clusters:
            there = set().union(*(tokens[file] for file in cluster))
            if not wanted or wanted & there:
                jobs.append(Job(rule, mode, cluster))
    return _spatch(work, jobs)


def _clusters(work: _Work) -> list[tuple[str, ...]]:
    """Return the files that units tie together, headers first."""
    parent = {file: file for file in work.texts}

    def root(file: str) -> str:
        while parent[file] != file:
            file = parent[file]
        return file

    for units in work.by_file.values():
        for unit in units:
            first, *others = unit.files
            for other in others:
                low, high = sorted((root(first), root(other)))
                parent[high] = low
    found = collections.defaultdict(list)
    for file in sorted(work.by_file):
        if file not in work.settings.campaign.api:
            found[root(file)].append(file)
    return [tuple(sorted(files, key=lambda f: (not f.endswith(".h"), f)))
            for _, files in sorted(found.items())]


def _evidence(work: _Work, results: Iterable[Result]) -> Evidence:
    unread: dict[str, tuple[tuple[int, int], ...]] = {}
    lost, failed = dict(work.unsaid), dict[str, str]()
    marks: dict[tuple[str, int], list[Mark]] = collections.defaultdict(list)
    for result in results:
        job = result.job
        if result.outcome not in (Outcome.QUIET, Outcome.HIT):
            what = job.rule.name if job.rule else "the parser"
            for file in job.files:
                (failed if job.mode == "patch" else lost).setdefault(
                    file, f"spatch-{result.outcome.value}: {what} did not "
                    f"finish: {result.detail}; read it by hand")
        for file, ranges in result.bad.items():
            unread[file] = tuple(sorted({*unread.get(file, ()), *ranges}))
        if job.mode == "context" and job.rule is not None:
            for file, diff in result.changed.items():
                for line in hunks.marked_lines(diff):
                    code, _, sentence = job.rule.reason.partition(": ")
                    marks[file, line].append(Mark(
                        job.rule.name, job.rule.verdict, code, sentence))
    for file, text in work.texts.items():
        line = text.stray_quote()
        if line:
            unread[file] = (*unread.get(file, ()), (line, text.line_count))
    return Evidence(unread, lost, failed, marks,
                    kernel=kernel(work.tree, work.settings))


def kernel(tree: trees.Tree, settings: Settings) -> conditionals.Kernel:
    """Return what a guard of the tree can ask of the kernel it is built for."""
    root: Optional[Path] = tree.root
    if settings.module:
        root = Path(settings.kernel) if settings.kernel else None
    try:
        return guards.kernel(root, core.probe(settings.campaign, root)
                             if root else None)
    except core.CoreError:
        return guards.kernel(root, None)    # what is wrong, apply says


# --- deciding --------------------------------------------------------------

def _decide(work: _Work, results: Sequence[Result],
            evidence: Evidence) -> dict[int, Verdict]:
    """Return a verdict for every unit, by its number in work.units."""
    verdicts: dict[int, Verdict] = {}
    open_units = []
    dead = {(site.file, site.line, site.column) for site in work.sites
            if site.place == "if0"}
    for number, unit in enumerate(work.units):
        stands = judge.standing(work.texts, unit, evidence)
        if dead and any((file, *text.position(text.tokens[at].start)) in dead
                        for file, at in unit.tokens()
                        for text in [work.texts[file]]):
            # Two readers disagree about what is dead: nothing of it is sure.
            stands = _DEAD
        if stands is not None:
            verdicts[number] = stands
        else:
            open_units.append(number)
    proposals = _proposals(work, results, open_units)
    exposed = sorted({decl.owner for number in proposals
                      for decl in work.units[number].decls
                      if decl.kind in ("param", "member") and decl.owner
                      and not iterators.is_static(
                          work.texts[decl.file], decl)})
    evidence.outside = frozenset(_words_elsewhere(work, exposed))
    evidence.named = _holders(work)
    evidence.reached = _reached(work, open_units, proposals)
    evidence.measured = judge.measured(work.units)
    evidence.undefined = _defined_nowhere(work, {
        name for number in proposals
        for name in judge.open_names(work.texts, work.units[number])})
    for number in open_units:
        unit = work.units[number]
        verdicts[number] = (
            _converted(work, unit, proposals.get(number, []), evidence)
            or _left(work, unit, evidence))
    return verdicts


def _reached(work: _Work, numbers: Sequence[int],
             proposals: Mapping[int, Sequence[Proposal]]) -> dict[
                 tuple[str, int], Found]:
    """Return what reaches units through macros and included files."""
    def read(file: str) -> Optional[bytes]:
        try:
            return trees.read(work.tree, file)
        except trees.TreeError:
            return None

    asked = Reach(work.tree.root, work.texts, read)
    found = {}
    for number in numbers:
        unit = work.units[number]
        reads = number in proposals or unit.has(Act.ADDRESS) or \
            judge.reads_by_field(work.texts, unit)
        what = asked.of(unit, far=reads)
        if what is not None:
            found[unit.key] = what
    return found


def _proposals(work: _Work, results: Sequence[Result],
               open_units: Sequence[int]) -> dict[int, list[Proposal]]:
    found: dict[int, list[Proposal]] = {}
    standing: dict[str, list[int]] = {}
    for number in open_units:
        for file in work.units[number].files:
            standing.setdefault(file, []).append(number)
    for result in results:
        rule = result.job.rule
        if rule is None or result.job.mode != "patch":
            continue
        wants: dict[str, list[Edit]] = {}
        for file, diff in sorted(result.changed.items()):
            wants[file] = from_diff(work.texts[file], diff, rule.free)
        for number in sorted({number for file in wants
                              for number in standing.get(file, ())}):
            unit = work.units[number]
            mine = {}
            for file, edits in wants.items():
                some = judge.edits_of(work.texts, unit, file, edits)
                if rule.free and file in unit.files:
                    some = edits
                if some:
                    mine[file] = some
            if mine and set(mine) <= set(unit.files):
                found.setdefault(number, []).append(
                    Proposal(rule.name, rule.free, mine, rule.comments))
    return found


def _converted(work: _Work, unit: Unit, proposals: Sequence[Proposal],
               evidence: Evidence) -> Optional[Verdict]:
    """Accept the first proposal that holds, and keep its edits."""
    if not proposals:
        return None
    refused = judge.refusal(work.texts, unit, evidence)
    if refused is not None:
        return refused
    wrong = []
    texts = {file: work.texts[file] for file in _near(work, unit)}
    for proposal in proposals:
        problem = judge.holds(texts, unit, proposal)
        if problem:
            wrong.append(f"{proposal.rule}: {problem}")
            continue
        for file, edits in proposal.edits.items():
            known = work.edits.setdefault(file, [])
            known += [edit for edit in edits if edit not in known]
            work.fired.setdefault(file, set()).add(proposal.rule)
            known += comments.mended(
                work.texts[file], known, [decl for decl in unit.decls
                                          if decl.file == file],
                proposal.comments)
        if len(proposal.edits) > 1:
            work.groups.append(tuple(sorted(proposal.edits)))
        return Verdict("converted", proposal.rule, "")
    return Verdict("manual", "", "incomplete: a rule would convert it only "
                   f"in part ({'; '.join(wrong)}); convert it by hand")


def _near(work: _Work, unit: Unit) -> tuple[str, ...]:
    """Return the files whose units can touch the files of a unit."""
    files = set(unit.files)
    for file in unit.files:
        for other in work.by_file.get(file, ()):
            files |= set(other.files)
    return tuple(sorted(files))


def _holders(work: _Work) -> dict[bytes, list[str]]:
    """Return which files have the name of a function that takes iterators."""
    owners = {decl.owner for unit in work.units for decl in unit.decls
              if decl.kind == "param"}
    found: dict[bytes, list[str]] = {owner: [] for owner in owners}
    for file, text in sorted(work.texts.items()):
        for owner in {token.text for token in text.tokens
                      if token.kind == "id"} & owners:
            found[owner].append(file)
    return found


def _left(work: _Work, unit: Unit, evidence: Evidence) -> Verdict:
    """Say why a unit stays as it is."""
    api = names.now()
    marks = sorted({mark for file, at in unit.tokens()
                    for mark in evidence.marks.get(
                        (file, work.texts[file].line_of(at)), ())},
                   key=lambda mark: (mark.verdict != "manual", mark))
    wrong = iterators.trouble(unit)
    reads = unit.has(Act.ADDRESS) or judge.reads_by_field(work.texts, unit)
    if not wrong and unit.types == {DMA}:
        return Verdict("kept", "", "dma-walk: declared, stepped and read as "
                       f"a {api.new}")
    found = evidence.reached.get(unit.key)
    if found is not None and found.reads and not reads:
        return Verdict("manual", "", found.reason)
    plain = not wrong and not reads
    split = judge.split_by_ifdef(work.texts, unit)
    for mark in marks:
        # A rule follows paths, and past a block with a variable of the same
        # name a path can end at the other one. Tokens know better: what has
        # one type and reads no address is a page walk, unless it counts.
        if mark.code in _PAGES_TOO and judge.only_written_out(
                work.texts, unit):
            return Verdict("manual", mark.rule, _spelt())
        if split and reads and mark.code not in _PAGES_TOO:
            continue            # a rule sees the branches as one text
        if plain == (mark.verdict == "kept") or mark.code in _COUNTS:
            return Verdict(mark.verdict, mark.rule, mark.reason)
    if reads:
        for file in unit.files:
            if file in evidence.failed:
                return Verdict("unread", "", evidence.failed[file])
        refused = judge.refusal(work.texts, unit, evidence)
        if refused is not None:
            return refused
    if plain and split is not None and split.dead:
        return Verdict("manual", "", f"ifdef-split: {split.sentence}; convert "
                       "or delete both by hand")
    if plain and unit.decls:
        return Verdict("kept", "", f"page-walk: {api.say('page-walk')}")
    if reads and unit.has(Act.ADDRESS) and unit.has(Act.FIELD):
        return Verdict("manual", "", "reads-entry: the entry that the "
                       "iterator stands on is read beside the address; the "
                       "two walks stand on different ones, so decide which "
                       "is meant and convert it by hand")
    if not wrong and judge.only_written_out(work.texts, unit):
        return Verdict("manual", "", _spelt())
    shared = judge.shared_type(unit)
    if shared:
        return Verdict("manual", "", f"declarators: one type is for {shared}, "
                       "and not all of them can change; declare them apart "
                       "and run this again")
    misread = judge.misread(work.texts, unit)
    if misread is not None:
        return misread
    return Verdict("manual", "", f"unknown: {wrong or 'an address is read'}, "
                   "and no rule knows this shape; " + api.say("unknown"))


def _spelt() -> str:
    """Return the reason for an address that is written out."""
    return ("spelt: an address is written out in a way that no rule rewrites; "
            f"write {names.now().accessor} there and run this again")


# --- accounting ------------------------------------------------------------

def _entries(work: _Work,
             verdicts: Mapping[int, Verdict]) -> Iterable[Entry]:
    index: dict[tuple[str, int], list[int]] = {}
    for number, unit in enumerate(work.units):
        for place in unit.tokens():
            index.setdefault(place, []).append(number)
    after = {file: Text(render(work.texts[file], edits))
             for file, edits in work.edits.items()}
    later: dict[tuple[str, int], Unit] = {}
    for unit in iterators.bind({**work.texts, **after}) if after else ():
        later.update((place, unit) for place in unit.tokens())
    for site in work.sites:
        yield _entry(work, site, verdicts, index, later)


def _audit(work: _Work, entries: Iterable[Entry]) -> None:
    """Hold the verdicts of a round to its edits, both ways.

    Whoever decides and whoever edits are apart, so a site that is said to be
    left and is rewritten, or the other way round, is a bug here; the run ends
    before anything is written.
    """
    for entry in entries:
        site = entry.site
        edits = work.edits.get(site.file, [])
        if entry.verdict != "converted":
            if edits and _is_edited(work, site, edits):
                raise LedgerError(
                    f"{entry.place}: {site.token} is {entry.verdict} and an "
                    "edit rewrites it; this is a bug in sgwalk")
        elif not _is_edited(work, site, edits) and not any(
                judge.edits_of(work.texts, unit, file,
                               work.edits.get(file, ()))
                for unit in _units_at(work, site) for file in unit.files):
            raise LedgerError(
                f"{entry.place}: {site.token} is converted and no edit "
                "rewrites it or what it depends on; this is a bug in sgwalk")


def _is_edited(work: _Work, site: Site, edits: Iterable[Edit]) -> bool:
    """Tell whether an edit replaces bytes of a site's name."""
    text = work.texts.get(site.file)
    if text is None or site.token == "?":
        return False
    start = text.offset(site.line, site.column)
    end = start + len(site.token.lstrip("."))
    at = text.at(start)
    if at is not None and site.place == "code":
        # `struct` and the tag can have anything between them.
        end = text.tokens[at + site.token.startswith("struct ")].end
    return any(edit.start < end and start < edit.end for edit in edits)


def _units_at(work: _Work, site: Site) -> list[Unit]:
    text = work.texts.get(site.file)
    at = None if text is None else text.at(text.offset(site.line,
                                                       site.column))
    return [unit for unit in work.by_file.get(site.file, ())
            if at is not None and (site.file, at) in unit.tokens()]


def _entry(work: _Work, site: Site, verdicts: Mapping[int, Verdict],
           index: Mapping[tuple[str, int], list[int]],
           later: Mapping[tuple[str, int], Unit]) -> Entry:
    def said(verdict: Verdict) -> Entry:
        return Entry(site, verdict.verdict, verdict.rule, verdict.reason)

    if site.token == "?" or site.place.startswith(("unlexed", "unread")):
        return said(Verdict("unread", "", site.place if ": " in site.place
                            else f"unlexed: {site.place}"))
    if site.file in work.unsaid:
        return said(Verdict("unread", "", work.unsaid[site.file]))
    if site.file in work.fragments:
        return said(Verdict("manual", "", "fragment: other files include this "
                            "one, and no rule reads a name like that; convert "
                            "it by hand together with what includes it"))
    text = work.texts.get(site.file)
    if text is None:
        return said(Verdict("unread", "", "assembly: not C, so no rule reads "
                            "it; look at it by hand"))
    if site.place == "if0":
        if site.file in work.settings.campaign.api:
            return said(Verdict("kept", "", f"api: {names.now().say('api')}"))
        return said(_DEAD)
    offset = text.offset(site.line, site.column)
    if site.place in ("macro", "directive"):
        return said(judge.macro(text, offset, site.file))
    at = text.at(offset)
    numbers = index.get((site.file, at), []) if at is not None else []
    if not numbers or at is None:
        return said(Verdict("manual", "", "unbound: the iterator of this use "
                            "is not found; look at it by hand"))
    number = min(numbers, key=lambda n: _RANK[verdicts[n].verdict])
    verdict = verdicts[number]
    if verdict.verdict != "converted":
        return said(verdict)
    edits = work.edits.get(site.file, [])
    now = judge.moved_token(text, edits, at)
    unit = later.get((site.file, now)) if now is not None else None
    if unit is not None and unit.types == {PAGE}:
        return said(Verdict("kept", verdict.rule, "page-walk: "
                            + names.now().say("page-walk-beside")))
    became = Became.REWRITTEN if unit is None else Became.FOLLOWS \
        if any(use.at == now for use in unit.uses) else Became.DECLARED
    return replace(said(replace(verdict, reason=f"{verdict.rule}: "
                                + _about(became))), became=became)


def _about(became: Became) -> str:
    """Say what became of a site whose unit is converted."""
    return {
        Became.REWRITTEN: "rewritten with the statement it stands in",
        Became.DECLARED: "declared as struct "
                         + os.fsdecode(names.now().tag(DMA)),
        Became.FOLLOWS: "follows the type of its declaration",
    }[became]


def _function(text: Text, use: iterators.Use) -> str:
    function = text.function_of(use.at)
    return os.fsdecode(function.name) if function else ""


_RANK = {"unread": 0, "manual": 1, "converted": 2, "kept": 3}


# --- counts -----------------------------------------------------------------

@dataclass
class _Walks:
    """The DMA walks of the tree as it is converted, and where they come from.

    A walk that the tree had before is none of these.
    """

    first: _Work
    last: _Work
    history: list[_Work]     # the rounds that changed something
    origin: dict[Site, Site]         # site of `last` -> site of `first`
    known: Mapping[Site, Entry]

    @property
    def files(self) -> list[str]:
        """Return the files in which a walk was converted."""
        return sorted({entry.site.file for entry in self.known.values()
                       if entry.verdict == "converted"
                       and _is_walk(entry.site)})

    def uses(self, file: str) -> list[iterators.Use]:
        """Return the walks of a file that came with the conversion."""
        text = self.last.texts[file]
        before = {self._token(site) for site, was in self.origin.items()
                  if site.file == file
                  and self.known[was].verdict != "converted"}
        return [use for unit in self.last.units if unit.types == {DMA}
                for use in unit.uses if use.file == file
                and use.at not in before
                and judge.count_argument(text, use) is not None]

    def _token(self, site: Site) -> Optional[int]:
        text = self.last.texts[site.file]
        return text.at(text.offset(site.line, site.column))

    def of(self, entry: Entry) -> list[iterators.Use]:
        """Return the walks that an entry's site has become."""
        file = entry.site.file
        takes = names.now().takes[os.fsencode(entry.site.token)]
        act = Act.START if takes.kind is Name.START else Act.LOOP
        now = next((self._token(site) for site, was in self.origin.items()
                    if was == entry.site), None)
        every = [use for use in self.uses(file) if use.act is act]
        same = [use for use in every if use.at == now]
        if same or now is not None:
            return same
        text = self.last.texts[file]
        return [use for use in every
                if _function(text, use) == entry.site.function]

    def line(self, file: str, line: int) -> int:
        """Return which line of the tree a line of `last` was, 0 for none."""
        text, was = self.last.texts[file], self.first.texts[file]
        for at in range(len(was.tokens)):
            now: Optional[int] = at
            for work in self.history:
                if now is not None and file in work.edits:
                    now = judge.moved_token(work.texts[file],
                                            work.edits[file], now)
            if now is not None and text.line_of(now) == line:
                return was.line_of(at)
        return 0


def _is_walk(site: Site) -> bool:
    """Tell whether a site begins a walk of the old API."""
    return os.fsencode(site.token) in names.now().old_walks


def _pass_counts(walks: _Walks, rules: Sequence[Rule]) -> None:
    """Give walks the number of DMA segments where it is at hand."""
    work = walks.last
    work.edits, work.fired, work.groups = {}, {}, []
    jobs = [Job(rule, "patch", (file,)) for rule in rules
            if rule.counts for file in walks.files]
    for result in _spatch(work, jobs):
        rule = result.job.rule
        for file, diff in result.changed.items():
            if rule is None or result.outcome is not Outcome.HIT:
                continue
            text, defined = work.texts[file], _macros(work, file)
            claim = Claim(Kind.MAPPED, Why.RETURNED)
            mine = [edit for edit in from_diff(text, diff)
                    if judge.in_scope(text, edit)
                    and any(judge.in_count(text, use, edit) and
                            judge.sees(text, use, claim, defined)
                            for use in walks.uses(file))]
            if mine and not any(spoils(text, edit) for edit in mine):
                work.edits[file] = mine
                work.fired.setdefault(file, set()).add(rule.name)
    if work.edits:
        _fired(walks.first, work)
        walks.history.append(work)
        walks.last, walks.origin = _changed(work, walks.origin)


def _counted(walks: _Walks, rules: Sequence[Rule],
             mapped: Collection[str]) -> dict[Site, Entry]:
    """Return the entries of converted walks, with what is known of counts.

    mapped: the rules that prove the count of what they write anew.
    """
    claims: dict[tuple[str, int], list[Claim]] = collections.defaultdict(list)
    jobs = [Job(rule, "report", (file,)) for rule in rules
            if rule.verdict == "count" for file in walks.files]
    for result in _spatch(walks.last, jobs):
        if result.job.rule is None or \
                result.outcome is not Outcome.HIT:
            continue
        file, = result.job.files
        text = walks.last.texts[file]
        for (line, column), said in counts.read(
                result.job.rule.name, file, result.text).items():
            at = text.at(text.offset(line, column))
            claims[file, -1 if at is None else at] += said
    found = {}
    for site, entry in walks.known.items():
        if entry.verdict != "converted" or not _is_walk(site):
            continue
        text, defined = walks.last.texts[site.file], \
            _macros(walks.last, site.file)
        every = []
        for use in walks.of(entry):
            claim = counts.decide(claims.get((site.file, use.start), ()))
            if entry.rule in mapped and claim.kind is Kind.UNKNOWN:
                every.append(judge.count_of(text, use, _mapping(text)))
            else:
                every.append(judge.count_of(text, use, claim, defined))
        some = [replace(count, line=walks.line(site.file, count.line))
                for count in every if count is not None]
        if some:
            # A statement that a rule wrote anew may hold several walks.
            head = [f"{entry.rule}: " + entry.reason.partition(": ")[2]] \
                if entry.became is Became.REWRITTEN else []
            said_of = list(dict.fromkeys(judge.notes(one) for one in some))
            reason = "; ".join(head + said_of)
            found[site] = replace(
                entry, count=some[0] if len(some) == 1 else None,
                reason=reason if head else f"{entry.rule}: {reason}")
    return found


def _spatch(work: _Work, jobs: Sequence[Job]) -> list[Result]:
    return remember.run(Cache(work.settings.cache), work.sources, jobs,
                        procs=work.settings.jobs,
                        timeout=work.settings.timeout,
                        memory=work.settings.memory, ssh=work.settings.ssh,
                        progress=work.settings.progress,
                        late=work.settings.late)


def _mapping(text: Text) -> Claim:
    """Return the claim of a rule that says it has seen the mapping."""
    calls = [at for at, token in enumerate(text.tokens)
             if names.now().maps.fullmatch(token.text) and text.text(at + 1) == b"("
             and text.function_of(at) is not None]
    if len(calls) != 1:
        return Claim(Kind.MAPPED, Why.RETURNED)
    return Claim(Kind.MAPPED, Why.RETURNED,
                 os.fsdecode(text.text(calls[0])), text.line_of(calls[0]))


def _macros(work: _Work, file: str) -> dict[bytes, bytes]:
    """Return the macros of a file and of the headers beside it."""
    texts = [work.texts[file]]
    for token in work.texts[file].tokens:
        include = _INCLUDE.match(token.text) \
            if token.kind == "directive" else None
        if include is not None:
            header = os.path.normpath(os.path.join(
                os.path.dirname(file), os.fsdecode(include[1])))
            with contextlib.suppress(trees.TreeError):
                texts.append(work.texts.get(header)
                             or Text(trees.read(work.tree, header)))
    return counts.macros(texts)


_INCLUDE = re.compile(rb'(?:#|%:)\s*include\s*"([^"]+)"')


# --- the core and the whole ------------------------------------------------

def _finish(work: _Work, last: _Work, chosen: Sequence[Rule],
            ledger: Ledger, evidence: Evidence) -> Plan:
    """Add the core, in the form that lets the whole tree build."""
    after = {file: data for file, data in sorted(last.sources.items())
             if data != work.sources[file]}
    form, parts, remark = core_for(work.tree, work.settings, ledger,
                                   work.texts)
    whole = {**after, **parts}
    before = {file: work.sources[file] if file in work.sources
              else trees.read(work.tree, file) for file in whole}
    by_name = {rule.name: rule for rule in chosen}
    return Plan(work.tree, before, whole, parts, form if parts else None,
                state_of(work.tree, work.settings), ledger,
                {file: tuple(by_name[name] for name in sorted(names))
                 for file, names in work.fired.items()},
                tuple(sorted(set(work.groups))), evidence.unread,
                (remark,) if remark else (),
                work.settings.campaign)


def state_of(tree: trees.Tree, settings: Settings) -> Optional[State]:
    """Return what the kernel has; a module alone has none to look at."""
    if settings.module:
        return core.probe(settings.campaign, Path(settings.kernel)) \
            if settings.kernel else None
    return core.probe(settings.campaign, tree.root)


def core_for(tree: trees.Tree, settings: Settings, ledger: Ledger,
             texts: Mapping[str, Text]) -> tuple[
                 Optional[State], dict[str, bytes], str]:
    """Return the state to reach, the core's files, and a sentence about it.

    texts: the files that must not define what the core brings.
    """
    campaign, state = settings.campaign, state_of(tree, settings)
    if settings.module:
        return None, {}, _about_module(campaign, state)
    if state is None:
        return None, {}, ""
    root, mend = tree.root, settings.fix
    if state.callers is Callers.NEW:
        parts = core.fix(campaign, root) if mend else {}
        return state, parts, (
            f"the tree has the {campaign.new_term} already"
            + (", its page count is mended" if parts else ""))
    for file, text in sorted(texts.items()):
        clash = judge.clash(text) if file not in campaign.api and \
            not file.startswith(_OTHER_PROGRAMS) else None
        if clash is not None:
            name, line = clash
            raise core.CoreError(
                f"{file}:{line}: defines {name} itself and would not build "
                "beside the core API: put it under #ifndef " + os.fsdecode(
                    names.now().first(Name.LOOP, DMA)
                    or names.now().tag(DMA)))
    left = [entry for entry in ledger.entries if _needs_old(campaign, entry)]
    form = campaign.state(Callers.BOTH if left else Callers.NEW) \
        or campaign.state(Callers.BOTH)
    if form is None and left:
        raise core.CoreError(
            f"{left[0].place}: and {len(left) - 1} more sites need the old "
            f"API, and {campaign.name} has no state that takes both")
    if form is None:
        return None, {}, ""
    return form, core.install(campaign, root, form, fix=mend), (
        f"the core API is {form.name}: {left[0].place} and {len(left) - 1} "
        f"more sites read addresses with the {campaign.old_term}"
        if left else
        f"the core API is {form.name}: no site needs the old accessor")


def _about_module(campaign: Campaign, state: Optional[State]) -> str:
    """Say what the kernel of a module has of the API."""
    if not campaign.states:
        return ""
    return (f"the module needs a kernel with the {campaign.new_term}; say "
            "KERNEL=dir to have it checked" if state is None else
            f"the kernel lacks the {campaign.new_term}: run make apply on it "
            "before the module is built" if state.callers is Callers.OLD else
            f"the kernel has the {campaign.new_term}")


def _needs_old(campaign: Campaign, entry: Entry) -> bool:
    """Tell whether a site does not build where only the new API is."""
    if entry.site.place == "if0" or entry.verdict == "converted" or \
            entry.code in ("api", "dma-walk", "guard"):
        return False
    return campaign.needed(entry.site.token, entry.site.place)
