# SPDX-License-Identifier: GPL-2.0-only
"""Work out what bare rules make of a tree, with the account of every site.

A site is an occurrence of a name that a rule takes away. It is `converted`
where an edit replaces it, `kept: not-matched` where the rule was run on all
that stands there and changed nothing, `manual` where a change was refused, and
`unread` where something was not read: spatch did not parse it, did not end,
or built no flow of the function; a macro body, a dead branch, assembly.

There are no units. What is accepted or refused as a whole is what one rule
changes in one function, or in one file where a part of the rule needs what
another part has matched.

Rules run side by side on the same text, and then again on what they changed,
until they change nothing more. Where a rule would rewrite what it wrote
itself, its second change is left out and the account names the site: a second
run would change it again.

Files are taken in slices of so many bytes, and what is kept of a file that
does not change is its verdicts.

Data:   Tree + Settings + rules -> Plan.
Units:  bytes of whole files; lines from 1; offsets in bytes.
Errors: those of the stages; LedgerError, when verdicts and edits disagree.
Source: the accounting identity of design.md.
"""

from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from host.progress import Progress
from read import census, reader, tree as trees, words
from read.census import Site
from run import hunks, includes, remember
from run.bare import Bare
from run.cache import Cache
from run.jobs import Job, Outcome, Ranges, Result, SpatchError
from run.rules import Rule
from judge import splice
from judge.ledger import Entry, Ledger, LedgerError
from judge.plan import Plan
from judge.splice import Edit, SpliceError

# A slice ends with the file that makes it so large; all that is known of its
# files is in memory at the same time.
_SLICE_BYTES = 8 << 20
_SLICE_FILES = 1024
_LARGEST = 8 << 20
# How often a file is run again; real rules need one more run to be silent.
_ROUNDS = 5
_C = (".c", ".h", ".inc")


@dataclass(frozen=True)
class Settings:
    """What the command line may choose, checked where it was read."""

    program: Path            # the reader
    jobs: int = 1
    timeout: int = 200       # seconds of wall-clock time a file
    memory: int = 2048       # MiB a process
    ssh: str = ""
    cache: Path | None = None
    progress: Progress | None = None
    files: tuple[str, ...] = ()      # of the folder, the ones to look at; all


@dataclass
class _Fresh:
    """Bytes that a rule wrote in a round before, in the text of now."""

    start: int
    end: int
    rule: str
    sites: frozenset[int]    # that it replaced on the way


@dataclass
class _File:
    """One file on its way; sites go by their number in `sites`."""

    name: str
    before: bytes
    now: bytes
    sites: Sequence[Site]
    # Where each site is in `now`, None for one that is gone.
    at: list[int | None]
    done: dict[int, str] = field(default_factory=dict)       # -> rule
    again: set[int] = field(default_factory=set)
    back: set[int] = field(default_factory=set)      # as they were before
    refused: dict[int, tuple[str, str]] = field(default_factory=dict)
    fresh: list[_Fresh] = field(default_factory=list)
    fired: set[str] = field(default_factory=set)
    first: dict[str, Result] = field(default_factory=dict)   # rule -> result
    extra: list[int] = field(default_factory=list)   # lines without a site
    cut: splice.Cut | None = None    # `now` with its pieces, once needed

    def pieces(self) -> splice.Cut:
        if self.cut is None or self.cut.data is not self.now:
            self.cut = splice.Cut.of(self.now)
        return self.cut


@dataclass
class _Work:
    tree: trees.Tree
    settings: Settings
    rules: Sequence[Bare]
    cache: Cache
    headers: bytes = b""     # the state of all headers, where a rule reads them
    entries: list[Entry] = field(default_factory=list)
    before: dict[str, bytes] = field(default_factory=dict)
    after: dict[str, bytes] = field(default_factory=dict)
    fired: dict[str, tuple[Rule, ...]] = field(default_factory=dict)
    unread: dict[str, Ranges] = field(default_factory=dict)
    extra: list[tuple[str, int]] = field(default_factory=list)
    # For the bar: files of the slices before, and files in all.
    ended: int = 0
    of: int = 0


def make_plan(tree: trees.Tree, settings: Settings, rules: Sequence[Bare],
              remarks: Iterable[str] = ()) -> Plan:
    """Return what the tree becomes; the tree itself is only read."""
    rules = [_resolved(tree, rule) for rule in rules]
    work = _Work(tree, settings, rules, Cache(settings.cache))
    if any(rule.rule.includes is not None for rule in rules):
        if settings.ssh:
            raise SpatchError("SSH: a rule reads headers of the tree, which "
                              "other hosts do not have; run it without SSH")
        work.headers = includes.state(tree.root)
    sites = _sites(work)
    reader.use(settings.program)
    work.of = len(sites)
    for some in _slices(work, sites):
        _slice(work, some)
        work.ended += len(some)
    ledger = Ledger([site for some in sites.values() for site in some],
                    work.entries)
    said = [*remarks, *(line for rule in rules for line in rule.remarks)]
    if work.extra:
        file, line = work.extra[0]
        said.append("changes that replace no name of the account: "
                    f"{len(work.extra)}, the first in {file}:{line}")
    return Plan(tree, work.before, work.after, {}, None, None, ledger,
                work.fired, (), work.unread, tuple(said), bare=True)


# --- which files, which sites ----------------------------------------------

def _resolved(tree: trees.Tree, rule: Bare) -> Bare:
    """Replace the patterns of a rule by the words that fit in this tree."""
    found = {word for pattern in sorted(rule.patterns)
             for word in words.fitting(tree.root, pattern)}
    return replace(rule, names=rule.names | found)


def _sites(work: _Work) -> dict[str, list[Site]]:
    """Return the sites by file; a file that may only match has none."""
    chosen, settings = work.settings.files, work.settings
    names = {name for rule in work.rules for name in rule.names}
    found: dict[str, list[Site]] = collections.defaultdict(list)
    for site in census.named(settings.program, work.tree.root, settings.jobs,
                             sorted(names), chosen or None):
        found[site.file].append(site)
    for file, mine in list(found.items()):
        # A file is listed for a part of a longer word, too; what is not
        # understood there hides no name, as names in it have their own rows.
        if all(site.token == "?" and not site.place.startswith("unread")
               for site in mine):
            del found[file]
    more = {word for rule in work.rules for word in rule.words}
    for file in words.holders(work.tree.root, more):
        if not chosen or file in chosen:
            found.setdefault(file, [])
    return dict(sorted(found.items()))


def _slices(work: _Work,
            sites: Mapping[str, list[Site]]) -> Iterator[list[_File]]:
    """Yield files that are read and not too large, so many bytes at a time.

    The sites of the others get their verdict here.
    """
    some: list[_File] = []
    size = 0
    for name, mine in sites.items():
        try:
            data = trees.read(work.tree, name)
        except trees.TreeError as error:
            _all_unread(work, mine, f"unreadable: {error}")
            continue
        if not name.endswith(_C):
            _all_unread(work, mine, "assembly: not C, so no rule reads it; "
                        "look at it by hand")
        elif len(data) > _LARGEST:
            _all_unread(work, mine, "too-large: a file of more than "
                        f"{_LARGEST >> 20} MiB; read it by hand")
        else:
            starts = splice.line_starts(data)
            some.append(_File(name, data, data, mine, [
                starts[site.line - 1] + site.column - 1 for site in mine]))
            size += len(data)
        if size > _SLICE_BYTES or len(some) >= _SLICE_FILES:
            yield some
            some, size = [], 0
    if some:
        yield some


def _all_unread(work: _Work, sites: Iterable[Site], why: str) -> None:
    work.entries += [Entry(site, "unread", "", why) for site in sites]


# --- running ---------------------------------------------------------------

def _slice(work: _Work, files: Sequence[_File]) -> None:
    """Run the rules on some files until they change nothing more."""
    changed: Sequence[_File] = files
    for number in range(1, _ROUNDS + 2):
        changed = [file for file, results in _run(work, changed, number == 1)
                   if _round(work, file, results, number)]
        if not changed:
            break
    for file in files:
        work.entries += _entries(work, file)
        if file.now != file.before:
            work.before[file.name] = file.before
            work.after[file.name] = file.now
            work.fired[file.name] = tuple(
                rule.rule for rule in work.rules
                if rule.rule.name in file.fired)
            work.extra += [(file.name, line) for line in file.extra]
        bad = {ranges for result in file.first.values()
               for some in result.bad.values() for ranges in some}
        if bad:
            work.unread[file.name] = tuple(sorted(bad))


def _run(work: _Work, files: Sequence[_File],
         first: bool) -> list[tuple[_File, list[tuple[Bare, Result]]]]:
    """Run each rule on the files that it can change."""
    jobs, owners = [], []
    for file in files:
        there = {site.token for site in file.sites} if first else set()
        for rule in work.rules:
            some = rule.words if first else rule.words | {
                name.removeprefix(".") for name in rule.names}
            if there & rule.names or words.present(file.now, some):
                jobs.append(Job(rule.rule, "patch", (file.name,)))
                owners.append((file, rule))
    chosen = work.settings
    results = remember.run(work.cache, {file.name: file.now for file in files},
                       jobs, procs=chosen.jobs, timeout=chosen.timeout,
                       memory=chosen.memory, ssh=chosen.ssh,
                       root=work.tree.root, headers=work.headers,
                       progress=_bar(work, len(files)) if first else None)
    found: dict[str, list[tuple[Bare, Result]]] = {
        file.name: [] for file in files}
    for (file, rule), result in zip(owners, results):
        found[file.name].append((rule, result))
        if first:
            file.first[rule.rule.name] = result
    return [(file, found[file.name]) for file in files]


def _bar(work: _Work, files: int) -> Progress | None:
    """Return what counts the jobs of a slice as files of the whole run."""
    progress = work.settings.progress
    if progress is None:
        return None
    show = progress
    return lambda done, of: show(
        work.ended + files * done // max(of, 1), work.of)


# --- accepting -------------------------------------------------------------

@dataclass
class _Change:
    """What one rule changes in one function, or in one file."""

    rule: Bare
    edits: list[Edit]
    why: str = ""            # why it is refused, "" for what is accepted


def _round(work: _Work, file: _File,
           results: Sequence[tuple[Bare, Result]], number: int) -> bool:
    """Accept what holds of the results; tell whether the file changes."""
    changes: list[_Change] = []
    for rule, result in results:
        if result.outcome is Outcome.HIT:
            changes += _changes(file, rule, result)
    for change in changes:
        if not change.why and number > 1:
            _refuse_again(file, change, number)
    _refuse_conflicts([change for change in changes if not change.why])
    for change in changes:
        if change.why:
            for site in _touched(file, change):
                file.refused.setdefault(site, (change.rule.rule.name,
                                               change.why))
    good = [change for change in changes if not change.why]
    _place(file, good)
    return bool(good)


def _changes(file: _File, rule: Bare, result: Result) -> list[_Change]:
    """Return what a rule changes in a file, function by function."""
    diff = result.changed[file.name]
    try:
        edits = splice.edits(file.now, diff)
        fits = splice.agrees(file.now, diff, splice.apply(file.now, edits))
    except (SpliceError, SpatchError):
        return _misfit(file, rule, diff)
    if not fits:
        return _misfit(file, rule, diff)
    heads = [line for line, _ in result.tried.get(file.name, ())] \
        if rule.local else []
    groups: dict[int, list[Edit]] = {}
    for edit in edits:
        head = max((line for line in heads if line <= edit.first), default=0)
        groups.setdefault(head, []).append(edit)
    found = []
    for group in groups.values():
        lost = next((edit.loses for edit in group if edit.loses), "")
        found.append(_Change(rule, group, lost and (
            f"{lost.split()[1]}: {rule.rule.name} rewrites this and would "
            f"lose {lost}; change it by hand")))
    return found


def _misfit(file: _File, rule: Bare, diff: bytes) -> list[_Change]:
    starts = splice.line_starts(file.now)
    lines = hunks.marked_lines(diff)
    edits = [Edit(starts[line - 1], starts[line] if line < len(starts)
                  else len(file.now), b"", line, line)
             for line in lines if line <= len(starts)]
    return [_Change(rule, edits, f"misfit: what {rule.rule.name} makes of "
                    "this file cannot be put into its bytes as they are; "
                    "change it by hand")]


def _refuse_again(file: _File, change: _Change, number: int) -> None:
    """Refuse a change of what the same rule has written."""
    mine = [fresh for fresh in file.fresh
            if fresh.rule == change.rule.rule.name]
    hit = mine if number > _ROUNDS else [
        fresh for fresh in mine
        if any(_meet(edit, fresh) for edit in change.edits)]
    if hit or number > _ROUNDS:
        change.why = (f"again: {change.rule.rule.name} has rewritten this "
                      "and would rewrite the result once more; change it by "
                      "hand")
        for fresh in hit:
            file.again |= fresh.sites
            now = file.now[fresh.start:fresh.end].strip()
            file.back |= {number for number in fresh.sites if now ==
                          file.sites[number].token.lstrip(".").encode()}


def _meet(edit: Edit, fresh: _Fresh) -> bool:
    if edit.start == edit.end or fresh.start == fresh.end:
        return fresh.start <= edit.end and edit.start <= fresh.end
    return fresh.start < edit.end and edit.start < fresh.end


def _refuse_conflicts(changes: Sequence[_Change]) -> None:
    """Refuse changes of two rules that differ about the same bytes."""
    spans = sorted(((edit.start, edit.end, edit.new, number)
                    for number, change in enumerate(changes)
                    for edit in change.edits))
    wrong: dict[int, set[str]] = collections.defaultdict(set)
    for at, (start, end, new, number) in enumerate(spans):
        for other in spans[at + 1:]:
            if other[0] > end or (other[0] == end and not (
                    start == end == other[1])):
                break
            if other[3] != number and other[:3] != (start, end, new):
                wrong[number].add(changes[other[3]].rule.rule.name)
                wrong[other[3]].add(changes[number].rule.rule.name)
    for number, names in wrong.items():
        change = changes[number]
        both = " and ".join(sorted({change.rule.rule.name, *names}))
        change.why = (f"conflict: {both} rewrite the same words in different "
                      "ways; decide by hand")


def _place(file: _File, changes: Sequence[_Change]) -> None:
    """Make accepted edits, and follow what they move."""
    every = sorted({(edit.start, edit.end, edit.new)
                    for change in changes for edit in change.edits})
    edits = [Edit(*one) for one in every]
    text = splice.apply(file.now, edits)
    for fresh in file.fresh:
        fresh.start, fresh.end = _follow(edits, fresh.start), \
            _follow(edits, fresh.end)
    for change in changes:
        name = change.rule.rule.name
        file.fired.add(name)
        sites = _touched(file, change)
        for site in sites:
            file.done.setdefault(site, name)
        for edit in change.edits:
            start = _follow(edits, edit.start, False)
            file.fresh.append(_Fresh(start, start + len(edit.new), name,
                                     frozenset(sites)))
        for line in sorted({edit.first for edit in change.edits}):
            part = _Change(change.rule, [
                edit for edit in change.edits if edit.first == line])
            if not _touched(file, part):
                file.extra.append(line)
    file.at = [None if at is None else splice.moved(edits, at)
               for at in file.at]
    file.now = text


def _follow(edits: Sequence[Edit], offset: int, past: bool = True) -> int:
    """Return where an offset comes to lie, or what is put in its place."""
    shift = 0
    for edit in edits:
        if edit.end <= offset and (past or edit.start < offset):
            shift += len(edit.new) - (edit.end - edit.start)
        elif edit.start < offset:
            return edit.start + shift
    return offset + shift


def _touched(file: _File, change: _Change) -> set[int]:
    """Return the sites that edits replace, or whose arguments they change."""
    found = set()
    for number, at in enumerate(file.at):
        site = file.sites[number]
        if at is None or site.token == "?":
            continue
        end = at + len(site.token.lstrip("."))
        if any(edit.start < end and at < edit.end for edit in change.edits) \
                or (site.token in change.rule.stay and any(
                    splice.reaches(file.pieces(), at, edit)
                    for edit in change.edits)):
            found.add(number)
    return found


# --- verdicts --------------------------------------------------------------

def _entries(work: _Work, file: _File) -> Iterator[Entry]:
    for number, site in enumerate(file.sites):
        gone = file.at[number] is None
        if number in file.back:
            yield Entry(site, "manual", file.done[number], (
                "again: one rule rewrites it and another one rewrites it "
                "back, so it stays; decide by hand"))
        elif number in file.done:
            rule = file.done[number]
            yield Entry(site, "converted", rule, (
                f"again: {rule} rewrites it, and would rewrite the result "
                "once more" if number in file.again else
                f"rewritten: {rule} rewrites it"))
        elif gone:
            raise LedgerError(
                f"{site.file}:{site.line}:{site.column}: {site.token} is "
                "replaced and no rule is named for it; this is a bug in "
                "sgwalk")
        elif number in file.refused:
            rule, why = file.refused[number]
            yield Entry(site, "manual", rule, why)
        else:
            yield _left(work, file, site)


def _left(work: _Work, file: _File, site: Site) -> Entry:
    """Say why nothing changes at a site."""
    if site.token == "?" or site.place.startswith(("unlexed", "unread")):
        return Entry(site, "unread", "", site.place if ": " in site.place
                     else f"unlexed: {site.place}")
    if site.place == "if0":
        return Entry(site, "unread", "", "dead-code: in a branch that #if "
                     "rules out, which no compiler reads; change or delete "
                     "it by hand")
    mine = [rule.rule.name for rule in work.rules if site.token in rule.names]
    for name in mine:
        why = _unread(file, file.first[name], name, site)
        if why:
            return Entry(site, "unread", name, why)
    return Entry(site, "kept", mine[0], "not-matched: "
                 f"{' and '.join(mine)} {'do' if mine[1:] else 'does'} not "
                 "match here")


def _unread(file: _File, result: Result, name: str, site: Site) -> str:
    """Say what a rule did not read at a site, "" for nothing."""
    if result.outcome not in (Outcome.QUIET, Outcome.HIT):
        return (f"spatch-{result.outcome.value}: {name} did not finish: "
                f"{result.detail}; read it by hand")
    if site.place in ("macro", "directive"):
        return ("macro: in the body of a macro, which a rule reads in part "
                "only; look at it by hand")
    for first, last in result.bad.get(site.file, ()):
        if first <= site.line <= last:
            return (f"parse-error: Coccinelle does not parse lines {first} "
                    f"to {last}; read them by hand")
    if site.place == "code" and site.function and not _tried(
            file, result.tried.get(site.file, ()), site):
        return ("no-flow: Coccinelle finds no way through "
                f"{site.function}(), as with a goto whose label a macro "
                "hides; read it by hand")
    return ""


def _tried(file: _File, tried: Sequence[tuple[int, str]],
           site: Site) -> bool:
    """Tell whether a rule was matched with the function of a site.

    A function that a macro defines goes by the name of the macro there. Where
    no function was tried, the rule had no need to.
    """
    if not tried or site.function in {name for _, name in tried}:
        return True
    head = max((line for line, _ in tried if line <= site.line), default=0)
    if not head:
        return False
    starts = splice.line_starts(file.before)
    text = file.before[starts[head - 1]:starts[site.line - 1]]
    return words.present(text.partition(b"{")[0], (site.function,))
