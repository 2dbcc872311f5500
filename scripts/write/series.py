# SPDX-License-Identifier: GPL-2.0-only
"""Cut a plan into patches that apply, build and read well one by one.

The core comes first in the form that takes both iterators, then one patch a
subsystem, then the end of the transition; so every step builds. The commits
live in a private repository (repo.py), the mails in OUT/series, and what was
tested of them in the cover letter: the mails are applied with git am, one by
one, on a clean checkout, and what comes out has to be the plan. What is found
out on this machine and about it goes to the terminal, and no mail has a path
of it.

Data:   a tree, its Plan, Settings -> Series; mails as git format-patch makes
        them, with recipients and a thread of their own (mails.py).
Units:  dates are git's raw form, "@seconds zone": the time of the run, or
        SOURCE_DATE_EPOCH.
Errors: SeriesError, MaintainersError, RerollError, RepoError, TreeError. A
        series is put in its place whole, or nothing is left of it.
Source: Documentation/process/submitting-patches.rst; the layout of a branch
        that b4 0.12 has prepared.
"""

from __future__ import annotations

import collections
import contextlib
import datetime
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from host import output, repo, scratch
from read import api, core, tree as trees
from judge import walks
from prove import builds, verify
from write import barewords, beside, mails, maintainers, message, \
    repairwords, reroll
from read.campaign import Callers, Campaign, Patch, Unit
from run.rules import Rule
from judge.plan import Plan
from write.maintainers import Group, Owner
from write.message import Check, Making, Prefix, Words

SHAPES = ("series", "single")
# Years of log that are asked for a subject prefix; older ones are out of use.
_LOG_YEARS = 6
_CHECKPATCH = "scripts/checkpatch.pl"
_CHECKED = re.compile(r"^(?:(?P<file>[^:\s]+):(?P<line>\d+): )?"
                      r"(?P<level>ERROR|WARNING|CHECK):(?P<type>\w+): ")
# Objects that no step may change; a sample is enough to show it.
_UNTOUCHED = 12
_NAMED = 8                   # functions that are called by their names
_ROOM = "series.tmp"         # folder of OUT for what is gone after a run
_FRESH = "series.new."       # how the name of an unfinished folder begins
_OLD = ".old"                # and how that of the one it replaces ends


class SeriesError(Exception):
    """There is no series; the message says what stands in the way."""


@dataclass(frozen=True)
class Settings:
    out: Path                # the folder that holds series/ and verify/
    jobs: int
    shape: str = "series"    # of SHAPES
    branch: str = ""         # a branch to make as well
    version: int = 1         # 2 and up: a reroll
    signoff: bool = False    # sign with the user's own identity
    build: bool = True       # compile each step
    look: bool = False       # for mistakes beside what is converted
    spatch: str = ""         # its version, "1.1.1"
    command: str = "make series KERNEL=~/linux"


@dataclass(frozen=True)
class Proof:
    """What is known of the series by trying it."""

    text: str                # for the terminal
    holds: bool = True       # False: it says what is not known
    mail: str | None = None  # for the cover, "" for nothing; None: the same

    @property
    def told(self) -> str:
        return self.text if self.mail is None else self.mail


@dataclass(frozen=True)
class Series:
    folder: Path
    mails: tuple[str, ...]   # relative to folder, in sending order
    proof: tuple[Proof, ...]
    notes: tuple[str, ...]   # what the sender should know


@dataclass(frozen=True)
class _Draft:
    """A patch before it has a message."""

    kind: str                # "core", "user", "end" or "whole"
    title: str
    contents: Mapping[str, bytes]    # of its files, as it leaves them
    owner: Owner             # who takes it
    name: str                # subsystem
    top: str
    body: str = ""           # of a patch that comes with kernel-patch/
    rules: tuple[Rule, ...] = ()
    lone: bool = False       # MAINTAINERS names nobody who takes it


@dataclass(frozen=True)
class _Posting:
    """Mails that are sent together."""

    folder: str              # below the series' own; "" for the only one
    title: str               # of the cover
    first: int               # index of its first patch
    end: int                 # and past its last


@dataclass(frozen=True)
class _Cover:
    title: str
    body: str                # up to the shortlog, wrapped
    tail: str                # shortlog, diffstat, base
    owner: Owner


@dataclass(frozen=True)
class _Start:
    """What the series starts at, and when it is written."""

    base: repo.Base
    date: str                # of the mails
    name: str                # what a reader can call the base
    public: bool             # whether others have the base's commit


@contextlib.contextmanager
def hold(out: Path) -> Iterator[None]:
    """Keep every other run from OUT, and clear what a killed one left.

    The kernel lets go of the lock when the process ends, however it ends.
    """
    output.start(out)
    lock = os.open(out, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SeriesError(f"{out}: another run is at work in this folder; "
                              "wait for its end, or say another OUT"
                              ) from error
        output.ready(out, "verify.txt")
        _clear(output.patches(out, "series"), output.folder(out, _ROOM))
        yield
    finally:
        os.close(lock)


def _clear(folder: Path, room: Path) -> None:
    """Take back a swap of folders that was killed, and remove the rest."""
    for old in sorted(room.glob(f"{_FRESH}*{_OLD}")):
        if not folder.exists():
            old.rename(folder)
    shutil.rmtree(room)


@contextlib.contextmanager
def _room(out: Path) -> Iterator[Path]:
    """Open a folder of OUT for what is gone after a run."""
    room = output.folder(out, _ROOM)
    try:
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)


def ready(tree: trees.Tree, settings: Settings
          ) -> tuple[repo.Base, repo.Ident, reroll.Previous | None]:
    """Refuse what cannot become a series, before any work is put into it."""
    if settings.shape not in SHAPES:
        raise SeriesError(f"SHAPE={settings.shape}: give one of: "
                          + ", ".join(SHAPES))
    base = repo.find_base(tree.root)
    ident = repo.identity(tree.root)
    # A series starts at a commit, so DIRTY=1 is no way out.
    trees.refuse_dirty(replace(tree, git=True), way_out="")
    maintainers.find(tree.root)
    if settings.branch:
        repo.check_branch(tree.root, settings.branch)
    return base, ident, reroll.read(settings.out / "series",
                                    settings.version) \
        if settings.version > 1 else None


def write(tree: trees.Tree, plan: Plan, settings: Settings) -> Series:
    """Write the plan's series to OUT/series, with its branch if asked."""
    base, ident, before = ready(tree, settings)
    folder = settings.out / "series"
    if not plan.after:
        return _nothing(base, before, plan, settings)
    with _room(settings.out) as room, repo.private(base, room) as git, \
            scratch.folder(_FRESH, room.resolve()) as fresh:
        _same_as_head(git, base, plan)
        start = _start(git, base, tree)
        drafts, notes = _drafts(git, plan, settings)
        checks, built = _build(tree, plan, drafts, settings)
        trailers, dropped = _carry(git, base, before, drafts, plan)
        notes += dropped
        # Patches of a tree that has them already are named and not sent.
        facts = () if _speaker(plan) else walks.find(plan)
        words = [_signed(_words(git, draft, plan, facts, check, settings),
                         plan, settings, [*trailers.get(draft.title, ()),
                          *([f"Signed-off-by: {ident}"]
                            if settings.signoff else [])])
                 for draft, check in zip(drafts, checks)]
        commits = _commit(git, base.commit, drafts,
                          [one.text for one in words], ident, start.date)
        try:
            postings = _postings(drafts)
            lone = len(drafts) == 1
            patches = _format(git, base, postings, drafts, commits, words,
                              fresh, settings)
            proof = (*_prove(git, start, plan, drafts, commits, patches,
                             settings), *built)
            if len(postings) > 1:
                notes.append(
                    f"more than {maintainers.CAP} patches, so "
                    f"{len(postings)} folders to send one after the other: "
                    + ", ".join(one.folder for one in postings))
            change = before.change_id if before and before.change_id \
                else _change_id(start, plan)
            covers = _covers(git, start, plan, postings, drafts, commits,
                             proof, notes, before, change, ident, settings)
            _thread(start, postings, covers, patches, fresh, lone, ident,
                    settings)
            (fresh / reroll.STATE).mkdir()
            (fresh / reroll.STATE / f"v{settings.version}").write_text(
                f"base-commit: {base.commit}\nchange-id: {change}\n")
            if settings.branch:
                notes.append(_branch(git, start, drafts, words, ident,
                                     covers, change, settings))
            try:
                _put_in_place(fresh, output.patches(
                    settings.out, "series", claim=True), settings)
            except BaseException:
                if settings.branch:
                    git.withdraw(settings.branch)
                raise
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    names = sorted(str(path.relative_to(folder)) for path in
                   folder.rglob("*.patch")
                   if not re.match(r"v\d+/", str(path.relative_to(folder))))
    return Series(folder, tuple(names), proof, tuple(notes))


def _start(git: repo.Repo, base: repo.Base, tree: trees.Tree) -> _Start:
    """Say what the series starts at, in words that others know."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if epoch and not (epoch.isdigit() and int(epoch) < 1 << 33):
        raise SeriesError(f"SOURCE_DATE_EPOCH={epoch}: not a number of "
                          "seconds since 1970")
    public = repo.is_public(base)
    version = re.sub(r"^(\d+\.\d+)\.0$", r"\1", tree.version)
    return _Start(base, f"@{epoch or int(time.time())} +0000",
                  base.commit[:12] if public else
                  f"v{version}" if version else "this tree", public)


def _nothing(base: repo.Base, before: reroll.Previous | None, plan: Plan,
             settings: Settings) -> Series:
    """Say that no patch is needed, and what became of those there were."""
    folder = settings.out / "series"
    notes = ["nothing to send: the tree needs no change"]
    if before:
        with _room(settings.out) as room, repo.private(base, room) as git:
            notes += _carry(git, base, before, [], plan)[1]
    if folder.exists():
        notes.append(f"{folder} holds what an earlier run has written")
    return Series(folder, (), (), tuple(notes))


def text(series: Series) -> str:
    """Return what a person reads of the result."""
    return "".join(f"{line}\n" for line in [
        *(f"{series.folder.name}/{message.plain(name)}"
          for name in series.mails),
        *(f"{'proven' if line.holds else 'not proven'}: {line.text}"
          for line in series.proof),
        *(f"note: {line}" for line in series.notes)])


# --- what the patches are --------------------------------------------------

def _same_as_head(git: repo.Repo, base: repo.Base, plan: Plan) -> None:
    """Refuse a checkout whose bytes are not those that git keeps."""
    for name in sorted(plan.after):
        if git.read(base.commit, name) != plan.before.get(name):
            raise SeriesError(f"{message.plain(name)}: the checkout differs "
                              "from HEAD, in its line endings or because "
                              "git does not track it")


def _drafts(git: repo.Repo, plan: Plan,
            settings: Settings) -> tuple[list[_Draft], list[str]]:
    """Say which patches there are, in order."""
    root = plan.tree.root
    users = {name: content for name, content in plan.after.items()
             if name not in plan.core}
    owners = maintainers.owners(
        root, [*plan.after, *(plan.campaign.home if plan.core else ())],
        settings.jobs)
    groups = maintainers.group(
        {name: owners[name] for name in users}, plan.groups,
        apart=_repairs(plan))
    everybody = maintainers.merge(owners.values())
    first, last = _layers(plan, bool(users), settings)
    notes = [one.note for one in groups if one.note]
    if settings.shape == "single":
        return [_single(plan, first, owners, everybody)], notes
    logs = _log(git, [name for one in groups for name in one.files])
    named: set[str] = set()
    drafts = [_core_draft(plan.campaign, letter, contents, owners, everybody,
                          "core")
              for letter, contents in first]
    for one in groups:
        rules = _rules(plan, one.files)
        prefix = _prefix_of(one, logs)
        notes.append(f"{one.name}: subject prefix \"{prefix.text.strip()}\" "
                     f"from the {prefix.source}" if prefix.source == "log"
                     else f"{one.name}: subject prefix "
                     f"\"{prefix.text.strip()}\" from {prefix.source}, since "
                     "the log has none")
        title = _unique((_speaker(plan) or message).subject(
            prefix, rules), one, named)
        named.add(title)
        drafts.append(_Draft("user", title,
                             {name: users[name] for name in one.files},
                             one.owner, one.name, one.top, rules=rules))
    drafts += [_core_draft(plan.campaign, letter, contents, owners, everybody,
                           "end")
               for letter, contents in last]
    return drafts, notes


_Layers = list[tuple[core.Letter, dict[str, bytes]]]


def _repairs(plan: Plan) -> bool:
    """Tell whether a plan repairs mistakes, and moves no caller."""
    return plan.campaign.unit is Unit.MAPPING and not plan.bare


def _speaker(plan: Plan) -> ModuleType | None:
    """Return who writes the words of a plan without a change of API."""
    return barewords if plan.bare else repairwords if _repairs(plan) else None


def _layers(plan: Plan, users: bool,
            settings: Settings) -> tuple[_Layers, _Layers]:
    """Return what of the core comes before the users and what after.

    A tree with the old API goes through the state that takes both, if callers
    are converted one patch after another, so that every step builds.
    """
    if not plan.core or plan.state is None:
        return [], []
    campaign, root = plan.campaign, plan.tree.root
    if plan.state.callers is Callers.NEW:
        # Only corrections, in the campaign's order.
        return [(core.letter(path), changed)
                for path, changed in core.fixes(campaign, root)], []
    if plan.form is None:
        return [], []
    both = campaign.state(Callers.BOTH)
    together = bool(users) and settings.shape == "series"
    by_both = both is not None and plan.state.callers is Callers.OLD \
        and (together or plan.form == both)
    wanted = [both] if by_both and both is not None else []
    steps: _Layers = []
    cut = 0
    for patch, changed in core.steps(campaign, root, [*wanted, plan.form]):
        steps.append((core.letter(patch.path), changed))
        if not _ends(campaign, patch):
            cut = len(steps)
    return (steps[:cut], steps[cut:]) if together else (steps, [])


def _ends(campaign: Campaign, patch: Patch) -> bool:
    """Tell whether a patch ends a transition, so that callers come before."""
    callers = {state.name: state.callers for state in campaign.states}
    return callers[patch.start] is Callers.BOTH and \
        callers[patch.end] is Callers.NEW


def _core_draft(campaign: Campaign, letter: core.Letter, contents: Mapping[str, bytes],
                owners: Mapping[str, Owner], everybody: Owner,
                kind: str) -> _Draft:
    """Return a patch of the core, which every user's maintainer gets too."""
    home = campaign.home[0]
    top = home.split("/")[0]
    return _Draft(kind, letter.subject, contents,
                  _with(_keepers(campaign, owners), everybody),
                  owners[home].subsystem or top, top, letter.body,
                  lone=_unmaintained(campaign, owners))


def _unmaintained(campaign: Campaign, owners: Mapping[str, Owner]) -> bool:
    return not any(owners[name].people for name in campaign.home)


def _keepers(campaign: Campaign, owners: Mapping[str, Owner]) -> Owner:
    """Return who takes a patch of the files that define the API."""
    mine = maintainers.merge(owners[name] for name in campaign.home)
    people = campaign.patches / "people.tsv"
    more = maintainers.people(people) if people.exists() else Owner(
        "", (), (), ())
    return maintainers.merge([mine, replace(
        more, people=() if mine.people else more.people)])


def _single(plan: Plan, first: _Layers, owners: Mapping[str, Owner],
            everybody: Owner) -> _Draft:
    """Return everything as one patch."""
    users = set(plan.after) - set(plan.core)
    adds = _adds(plan)
    speaker = _speaker(plan)
    title = speaker.cover_title(_rules(plan, sorted(plan.after))) \
        if speaker else message.cover_title(message.Shape(
        adds, (1,) if plan.core and not adds else (),
        (1,) if users else (), False, 0, False,
        first[-1][0].subject if first else ""))
    return _Draft("whole", title, dict(plan.after),
                  maintainers.merge([_keepers(plan.campaign, owners), everybody])
                  if plan.core else everybody, "the whole tree", "",
                  "\n\n".join(letter.body for letter, _ in first),
                  _rules(plan, sorted(plan.after)),
                  bool(plan.core) and _unmaintained(plan.campaign, owners))


def _with(mine: Owner, everybody: Owner) -> Owner:
    """Return an owner who takes the patch while everybody is copied."""
    takes = mine.people or mine.lists
    copied = {*mine.copied, *everybody.people, *everybody.copied}
    return Owner(mine.subsystem, takes, tuple(sorted(copied - {*takes})),
                 tuple(sorted({*mine.lists, *everybody.lists} - {*takes})))


def _rules(plan: Plan, files: Sequence[str]) -> tuple[Rule, ...]:
    return tuple({rule.name: rule for file in files
                  for rule in plan.rules.get(file, ())}.values())


def _unique(title: str, one: Group, taken: set[str]) -> str:
    """Return a title that no other patch of the series has."""
    if title not in taken:
        return title
    stem = Path(one.files[0]).stem
    head, _, rest = title.rpartition(": ")
    for number, word in enumerate([stem, *(f"{stem} {n}" for n in
                                           range(2, 99))]):
        longer = f"{head}: {word}: {rest}"
        if len(longer) > message.SUBJECT:
            longer = f"{word}: {rest}"[:message.SUBJECT]
        if longer not in taken:
            return longer
    raise SeriesError(f"{title}: too many patches of one subject")


def _log(git: repo.Repo, files: Sequence[str]) -> dict[str, list[str]]:
    """Return the subjects of each file's commits, newest first."""
    if not files:
        return {}
    head = datetime.datetime.fromtimestamp(
        int(git.base.date[1:].split()[0]), datetime.timezone.utc)
    since = head - datetime.timedelta(days=365 * _LOG_YEARS)
    printed = git.git(
        "--literal-pathspecs", "log", "--no-merges", "--no-renames",
        "--format=%x01%s", "--name-only", "-z", "--encoding=UTF-8",
        f"--since={since:%Y-%m-%dT%H:%M:%SZ}", git.base.commit, "--", *files)
    found: dict[str, list[str]] = {name: [] for name in files}
    for part in printed.split(b"\x01")[1:]:
        subject, *names = re.split(rb"[\0\n]+", part)
        for name in names:
            if os.fsdecode(name) in found:
                found[os.fsdecode(name)].append(
                    subject.decode("utf-8", "replace"))
    return found


def _prefix_of(one: Group, logs: Mapping[str, Sequence[str]]) -> Prefix:
    # A driver's .c files know its name better than a shared header.
    files = [name for name in one.files if name.endswith(".c")] or one.files
    return message.learn({name: logs[name] for name in files}) \
        or message.guess(one.files, one.owner.lists)


def untouched(plan: Plan) -> list[str]:
    """Return files whose objects no patch may change: page walks only."""
    # A file that asks for the API, or brings its own, may well change.
    other = {entry.site.file for entry in plan.ledger.entries
             if entry.code != "page-walk"}
    return sorted({entry.site.file for entry in plan.ledger.entries
                   if entry.site.file.endswith(".c")
                   and not entry.site.file.startswith(("tools/", "arch/"))
                   } - other - set(plan.after))[:_UNTOUCHED]


# --- what was built --------------------------------------------------------

def _build(tree: trees.Tree, plan: Plan, drafts: Sequence[_Draft],
           settings: Settings) -> tuple[list[Check], list[Proof]]:
    """Compile each step, and say what that showed."""
    steps = [builds.Step(f"{number}/{len(drafts)}", draft.contents)
             for number, draft in enumerate(drafts, 1)]
    try:
        if not settings.build:
            raise builds.VerifyError("it was not asked for")
        report = verify.run(tree.root, tree.version, plan.before, steps,
                            output.folder(settings.out, "verify"),
                            settings.jobs, untouched(plan))
    except builds.VerifyError as error:
        # Why is this machine's affair, and nobody's who reads the mails.
        return ([Check((), ("not built, not run on hardware",))
                 for _ in drafts],
                [Proof(f"building was skipped: {error}", False,
                       "not built")])
    for built in report.steps:
        if built.failed:
            name, why = built.failed[0]
            raise SeriesError(f"patch {built.step}: {name} does not build: "
                              f"{why}")
    output.keep(settings.out, "verify.txt", os.fsencode(verify.text(report)))
    return ([_check(report, built) for built in report.steps],
            _built(report))


def _check(report: builds.Report, built: builds.Built) -> Check:
    """Say what one patch was checked for."""
    names = [each.name for each in built.objects]
    where = f"for {report.machine} with {report.compiler}"
    done = []
    if names:
        what = message.listed(names) if len(names) <= 3 else \
            f"{len(names)} objects that it touches"
        done.append(f"{what} build{'s' if len(names) == 1 else ''} {where}"
                    + ("" if built.warnings else " and no new warning"))
        done.append(_code(built.objects))
    if built.same:
        old = api.now().old
        done.append(f"{len(built.same)} objects that use the {old} "
                    "are byte-identical" if len(built.same) > 1 else
                    f"{built.same[0]}, which uses the {old}, is "
                    "byte-identical")
    left = [f"a new {warning}" for warning in built.warnings]
    left += [f"{name} is not touched and not identical"
             for name in built.differ]
    if built.unreached:
        files: dict[str, list[str]] = {}
        for file, line in built.unreached:
            files.setdefault(file, []).append(str(line))
        left += [f"no build here reaches {file} line {', '.join(lines)}"
                 for file, lines in files.items()]
    elif names:
        done.append("every changed line was compiled")
    return Check(tuple(done), (*left, "not run on hardware"))


def _code(objects: Sequence[builds.Object]) -> str:
    """Say what became of the functions in the objects."""
    every = {_source_name(name) for each in objects
             for name in each.functions}
    # A part or a clone comes and goes as the compiler likes.
    added, gone = ({name for names in which for name in names
                    if name == _source_name(name)} for which in (
                        [each.added for each in objects],
                        [each.gone for each in objects]))
    changed = every - added - gone
    if not every:
        return "no code changes"
    if len(every) > _NAMED:
        return f"the code of {len(every)} functions changes"
    more = [f"{_called(which)} {'is' if len(which) == 1 else 'are'} {what}"
            for which, what in ((added, "new"), (gone, "gone")) if which]
    if changed:
        return message.listed([f"only the code of {_called(changed)} changes",
                               *more])
    return message.listed([*more, "no other code changes"])


def _called(functions: Iterable[str]) -> str:
    return message.listed(f"{name}()" for name in sorted(functions))


def _source_name(function: str) -> str:
    """Return a function's name in C, without what the compiler added."""
    return re.sub(r"(\.(isra|constprop|part|cold|llvm)(\.\d+)*)+$", "",
                  function)


def _built(report: builds.Report) -> list[Proof]:
    """Say what was built over the whole series."""
    objects = sorted({each.name for built in report.steps
                      for each in built.objects})
    warned = [warning for built in report.steps
              for warning in built.warnings]
    missed = [place for built in report.steps for place in built.unreached]
    lines = [Proof(
        f"each step builds for {report.machine} with {report.compiler}: "
        f"{message.many(len(objects), 'touched object')}, "
        f"{message.many(len(warned), 'new warning')}")]
    same = sorted({name for built in report.steps for name in built.same})
    differ = sorted({name for built in report.steps
                     for name in built.differ})
    if same and not differ:
        lines.append(Proof("untouched and byte-identical: "
                           + ", ".join(same)))
    lines += [Proof(f"untouched, but not identical: {name}", False)
              for name in differ]
    total = sum(built.changed for built in report.steps)
    lines.append(
        Proof(f"every changed line of code ({total}) was compiled")
        if not missed else
        Proof(f"{total - len(missed)} of {total} changed lines of code were "
              "compiled; not reached: " + ", ".join(
                  f"{file}:{line}" for file, line in missed)))
    lines += [Proof(f"not built before either: {name}: {why}", False,
                    f"not built here, before the series and after it: {name}")
              for name, why in report.unbuilt]
    return lines


# --- messages, commits, mails ----------------------------------------------

def _words(git: repo.Repo, draft: _Draft, plan: Plan,
           facts: Sequence[walks.Walk], check: Check,
           settings: Settings) -> Words:
    making = Making(settings.command, settings.spatch if draft.rules else "")
    files = sorted(name for name in draft.contents if name not in plan.core)
    if _repairs(plan):
        return repairwords.words(draft.title, set(files), plan, draft.rules,
                                 making, check, _origin(git, plan, files))
    if plan.bare and draft.kind not in ("core", "end"):
        return barewords.words(draft.title, set(files), plan.ledger.entries,
                               draft.rules, making, check)
    if draft.kind == "user":
        return message.user(draft.title, files, plan.ledger.entries,
                            draft.rules, facts, making, check,
                            _origin(git, plan, files))
    if draft.kind == "whole" and files:
        return message.whole(draft.title, draft.body, files,
                             plan.ledger.entries, draft.rules, facts, making,
                             check, _adds(plan))
    return message.core(draft.title, draft.body, check,
                        _adds(plan) and draft.kind != "end")


def _adds(plan: Plan) -> bool:
    """Tell whether the tree gets the iterator by this plan."""
    return plan.state is not None and bool(plan.core) \
        and plan.state.callers is Callers.OLD


def _signed(words: Words, plan: Plan, settings: Settings,
            trailers: Sequence[str]) -> Words:
    return Words(message.with_trailers(
        _at_home(words.text, plan, settings), trailers),
        _at_home(words.notes, plan, settings))


def _origin(git: repo.Repo, plan: Plan, files: Sequence[str]) -> str:
    """Return the Fixes: line of a patch, "" where no commit is the one.

    It is the one that wrote all walks which the patch converts, and which has
    more of them afterwards than it found: one that only reworded a walk, or
    moved it, is not where the mistake began.
    """
    began = tuple(map(os.fsdecode, api.now().old_walks))
    places = sorted({(entry.site.file, entry.site.line)
                     for entry in plan.ledger.entries
                     if entry.verdict == "converted"
                     and entry.site.file in files
                     and (_repairs(plan) or entry.site.token in began)})
    names = {entry.site.token for entry in plan.ledger.entries
             if (entry.site.file, entry.site.line) in places} \
        if _repairs(plan) else set(began)
    found: set[str] = set()
    subject = ""
    for file, line in places:
        done = git.attempt("blame", "-w", "-M", "--porcelain",
                           f"-L{line},{line}", git.base.commit, "--", file)
        rows = done.stdout.decode("utf-8", "replace").split("\n")
        if done.returncode != 0 or "boundary" in rows:
            return ""
        found.add(rows[0].split()[0])
        subject = next((row[len("summary "):] for row in rows
                        if row.startswith("summary ")), "")
    if len(found) != 1 or not subject:
        return ""
    commit = found.pop()
    if len(git.git("rev-list", "--parents", "-n1", commit).split()) != 2:
        return ""
    change = git.git("show", "--format=", "--no-renames", "-U0", commit)
    grown = sum(
        (row.startswith(b"+") - row.startswith(b"-"))
        * sum(row.count(os.fsencode(name) + b"(" * (not _repairs(plan)))
              for name in names)
        for row in change.split(b"\n")
        if not row.startswith((b"+++", b"---")))
    return f'Fixes: {commit[:12]} ("{message.plain(subject)}")' \
        if grown > 0 else ""


def _commit(git: repo.Repo, start: str, drafts: Sequence[_Draft],
            texts: Sequence[str], ident: repo.Ident, date: str,
            committed: str = "") -> list[repo.Commit]:
    commits: list[repo.Commit] = []
    for draft, words in zip(drafts, texts):
        parent = commits[-1].id if commits else start
        commits.append(git.commit(parent, draft.contents, words, ident, date,
                                  committed))
    return commits


def _postings(drafts: Sequence[_Draft]) -> list[_Posting]:
    """Cut a series that is too long for the lists."""
    if len(drafts) <= maintainers.CAP:
        return [_Posting("", "", 0, len(drafts))]
    postings: list[_Posting] = []
    for index, draft in enumerate(drafts):
        last = postings[-1] if postings else None
        name = draft.top if draft.kind == "user" else draft.kind
        if last and last.title == name \
                and last.end - last.first < maintainers.CAP:
            postings[-1] = replace(last, end=index + 1)
        else:
            folder = f"{len(postings) + 1:02}-{name.replace('/', '-')}"
            postings.append(_Posting(folder, name, index, index + 1))
    return postings


def _prefix(settings: Settings) -> str:
    return f"v{settings.version}-" if settings.version > 1 else ""


def _format(git: repo.Repo, base: repo.Base, postings: Sequence[_Posting],
            drafts: Sequence[_Draft], commits: Sequence[repo.Commit],
            words: Sequence[Words], fresh: Path,
            settings: Settings) -> list[Path]:
    """Write the mails of the patches, and return them in order."""
    written: list[Path] = []
    for posting in postings:
        folder = fresh / posting.folder
        folder.mkdir(exist_ok=True)
        start = commits[posting.first - 1].id if posting.first \
            else base.commit
        git.git("format-patch", "--quiet", "-o", str(folder),
                "--numbered" if len(drafts) > 1 else "--no-numbered",
                "--zero-commit", "--no-signature", "--no-renames",
                "--encode-email-headers",
                *([f"--reroll-count={settings.version}"]
                  if settings.version > 1 else []),
                f"{start}..{commits[posting.end - 1].id}")
        made = sorted(folder.glob("*.patch"))
        for path, draft, one in zip(made, drafts[posting.first:posting.end],
                                    words[posting.first:posting.end]):
            path.write_bytes(mails.complete(path.read_bytes(), one.notes,
                                            *_recipients([draft.owner])))
        written += made
    return written


def _thread(start: _Start, postings: Sequence[_Posting],
            covers: Sequence[_Cover], patches: Sequence[Path], fresh: Path,
            lone: bool, ident: repo.Ident, settings: Settings) -> None:
    """Write the covers, and let the patches answer them."""
    base = start.base
    for part, (posting, cover) in enumerate(zip(postings, covers)):
        mine = patches[posting.first:posting.end]
        where = mails.thread(
            api.now().campaign.slug, start.date, settings.version,
            part + 1 if len(postings) > 1 else 0, not lone, ident,
            [path.read_bytes() for path in mine])
        for number, path in enumerate(mine, 1):
            path.write_bytes(mails.place(path.read_bytes(), where, number))
        if lone:
            path, = mine
            path.write_bytes(_with_cover(path.read_bytes(), cover))
            continue
        name = _prefix(settings) + "0000-cover-letter.patch"
        (fresh / posting.folder / name).write_bytes(mails.place(
            mails.cover(cover.title, f"{cover.body}\n\n{cover.tail}\n",
                        *_recipients([cover.owner]), ident, start.date,
                        len(base.commit), settings.version, len(mine)),
            where, 0))


def _with_cover(mail: bytes, cover: _Cover) -> bytes:
    """Return the only mail of a series, with what a cover would say."""
    text, line, rest = mail.partition(b"\n---\n")
    notes = cover.body.encode("utf-8", "backslashreplace") + b"\n\n" \
        if cover.body else b""
    return text + line + notes + rest + b"\n" \
        + cover.tail.encode("ascii") + b"\n"


def _recipients(owners: Sequence[Owner]) -> tuple[list[str], list[str]]:
    """Return To: and Cc:; where no person takes it, the lists do."""
    every = maintainers.merge(owners)
    to = every.people or every.lists
    cc = [*every.copied, *(every.lists if every.people else ())]
    return list(to), [who for who in cc if who not in to]


# --- proof -----------------------------------------------------------------

def _prove(git: repo.Repo, start: _Start, plan: Plan,
           drafts: Sequence[_Draft], commits: Sequence[repo.Commit],
           mails: Sequence[Path], settings: Settings) -> list[Proof]:
    """Apply the mails, and compare what comes out with the plan."""
    base = start.base
    keep_cr = any(b"\r\n" in content for content in
                  [*plan.before.values(), *plan.after.values()])
    done, why = git.am(base.commit, mails, keep_cr)
    if why:
        raise SeriesError(f"patch {len(done) + 1} of {len(mails)} does not "
                          f"apply: {why}")
    told = zip(git.said(base.commit, commits[-1].id),
               git.said(base.commit, done[-1].id))
    for number, (want, got, (ours, theirs)) in enumerate(
            zip(commits, done, told), 1):
        if want.tree != got.tree or ours != theirs:
            raise SeriesError(f"patch {number} of {len(mails)}: git am makes "
                              "something else of it")
    whole = git.commit(base.commit, plan.after, "union\n",
                       repo.Ident("union", "union"), base.date)
    if len(done) != len(mails) or done[-1].tree != whole.tree:
        raise SeriesError("the patches together are not the change that "
                          "make apply makes")
    how = "git am --keep-cr" if keep_cr else "git am"
    many = len(mails) > 1
    return [Proof(f"the {len(mails)} patches apply in order with {how} on "
                  f"{start.name}" if many else
                  f"the patch applies with {how} on {start.name}"),
            Proof(f"{'together they are' if many else 'it is'} "
                  "byte-identical to make apply", mail=""),
            *_checkpatch(git, start, plan, drafts, mails, settings)]


def _checkpatch(git: repo.Repo, start: _Start, plan: Plan,
                drafts: Sequence[_Draft], mails: Sequence[Path],
                settings: Settings) -> list[Proof]:
    """Compare what checkpatch says of the files before and after."""
    root = plan.tree.root
    if not (root / _CHECKPATCH).is_file():
        return [Proof(f"checkpatch: not run: the tree has no {_CHECKPATCH}",
                      False, "")]
    # In a tree of one commit it finds none of those that a message names.
    blind = not start.public and len(git.git(
        "rev-list", "--max-count=2", start.base.commit).split()) < 2
    # It writes a cache where it is run, so it is not run in the tree.
    place = git.folder / "checkpatch"
    place.mkdir()
    now: dict[str, bytes] = dict(plan.before)
    said: dict[str, collections.Counter[str]] = {
        name: _judge_file(root, place, name, content)
        for name, content in sorted(now.items())}
    total: collections.Counter[str] = collections.Counter()
    worse = []
    for number, (mail, draft) in enumerate(zip(mails, drafts), 1):
        (place / "mail").write_bytes(mail.read_bytes())
        rows = _run_checkpatch(root, place, [
            "mail", *(() if settings.signoff else ("--no-signoff",))])
        if blind:
            rows = [row for row in rows if row["type"] != "UNKNOWN_COMMIT_ID"]
        total.update(row["level"] for row in rows)
        grown: set[str] = set()
        for name, content in sorted(draft.contents.items()):
            after = _judge_file(root, place, name, content)
            grown.update(after - said[name])
            said[name] = after
        # What the old lines had as well is not the patch's doing; what is
        # said of the message or is new in a file is.
        worse += sorted({f"patch {number}: {row['level']} {row['type']}"
                         for row in rows
                         if not row["file"] or row["file"] == "mail"
                         or row["type"] in grown})
    counts = ", ".join(message.many(total[level], level.lower())
                       for level in ("ERROR", "WARNING", "CHECK"))
    how = "checkpatch --strict" + ("" if settings.signoff
                                   else " --no-signoff")
    news = f"; new: {'; '.join(worse)}" if worse else \
        ", none of them new in these files" if total else ""
    lines = [Proof(f"{how}: {counts}{news}", not worse)]
    if blind:
        lines.append(Proof("checkpatch could not look up the commits that "
                           "the messages name: the tree has no history",
                           False))
    return lines


def _judge_file(root: Path, place: Path, name: str,
                content: bytes) -> collections.Counter[str]:
    """Count what checkpatch says of a file, by type."""
    if not re.fullmatch(r"[\w./+,@=-]+", name) or name.startswith("-"):
        return collections.Counter()
    path = place / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return collections.Counter(
        row["type"] for row in _run_checkpatch(root, place, ["-f", name]))


def _run_checkpatch(root: Path, place: Path,
                    words: Sequence[str]) -> list[dict[str, str]]:
    done = subprocess.run(
        ["perl", str(root / _CHECKPATCH), f"--root={root}", "--strict",
         "--show-types", "--terse", "--no-summary", *words], cwd=place,
        env=repo.neutral(place), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, errors="replace")
    rows = [found.groupdict(default="") for found in
            map(_CHECKED.match, done.stdout.splitlines()) if found]
    if done.returncode not in (0, 1) or (done.returncode and not rows):
        last = done.stderr.strip().splitlines()[-1:]
        raise SeriesError(f"{_CHECKPATCH}: "
                          + (last[0] if last else "it failed"))
    return rows


# --- the cover -------------------------------------------------------------

def _covers(git: repo.Repo, start: _Start, plan: Plan,
            postings: Sequence[_Posting], drafts: Sequence[_Draft],
            commits: Sequence[repo.Commit], proof: Sequence[Proof],
            notes: Sequence[str], before: reroll.Previous | None,
            change: str, ident: repo.Ident,
            settings: Settings) -> list[_Cover]:
    """Return the cover of each posting, or what its only mail has of one."""
    base = start.base
    shape = _shape(plan, drafts)
    lone = len(drafts) == 1
    news = _news(git, start, commits, before, notes)
    tested = [line.told for line in proof if line.told]
    seen = beside.find(plan, settings.jobs) \
        if settings.look and not _speaker(plan) else []
    speaker = _speaker(plan)
    rules = _rules(plan, sorted(plan.after))
    covers = []
    for posting in postings:
        mine = drafts[posting.first:posting.end]
        first = commits[posting.first - 1].id if posting.first \
            else base.commit
        last = commits[posting.end - 1].id
        where = f"This is part {postings.index(posting) + 1} of " \
            f"{len(postings)}; the parts apply in order." \
            if posting.folder else ""
        left = message.persons(plan.ledger) if shape.users or shape.adds \
            else []
        if speaker:
            left = speaker.persons(plan.ledger)
        converts = plan.ledger.count("converted")
        parts = [
            *(() if lone else (message.fill(where), speaker.story(
                rules, len(drafts)) if speaker else message.story(shape))),
            message.plan_of_merge(shape),
            *news,
            "Testing:\n\n" + "\n".join(map(message.item, [
                *tested, *(("nothing was run on hardware",)
                           if not lone else ())])),
            speaker.account(plan.ledger) if speaker and not lone else
            message.TABLE + "\n\n" + _indent(message.table(plan.ledger))
            if converts and not lone else "",
            "Left to a person:\n\n" + "\n".join(map(message.item, left))
            if left else "",
            "Seen in these files, and not mended here:\n\n"
            + "\n".join(map(message.item, map(message.plain, seen)))
            if seen else "",
            "" if lone else "Maintainers, per patch:\n\n" + _people(mine),
            message.made_with(settings.command),
            message.link() if shape.adds and not lone else ""]
        tail = [_base_lines(git, start, change, commits[:posting.first])]
        if not lone:
            tail[:0] = [
                _shortlog(ident, mine),
                git.git("diff", "--stat", "--summary", "--no-renames", first,
                        last).decode("utf-8", "surrogateescape").rstrip("\n")]
        title = speaker.cover_title(rules) if speaker else \
            message.cover_title(shape) if not posting.folder else \
            f"{posting.title}: {api.now().say('change')}"
        covers.append(_Cover(
            title, _at_home("\n\n".join(filter(None, parts)), plan, settings),
            "\n\n".join(filter(None, tail)),
            maintainers.merge(draft.owner for draft in mine)))
    return covers


def _shape(plan: Plan, drafts: Sequence[_Draft]) -> message.Shape:
    """Return what the cover's story is about."""
    adds = _adds(plan)
    numbered = list(enumerate(drafts, 1))
    mends = [(number, draft) for number, draft in numbered
             if draft.kind == "core" and not (adds and number == 1)]
    return message.Shape(
        adds, tuple(number for number, _ in mends),
        tuple(number for number, draft in numbered if draft.kind == "user"),
        drafts[-1].kind == "end",
        plan.ledger.count("manual") + plan.ledger.count("unread"),
        any(draft.lone for draft in drafts),
        # The last one is what the others prepare.
        mends[-1][1].title if mends else "",
        mends[-1][1].body.partition("\n\n")[0] if mends else "")


def _people(drafts: Sequence[_Draft]) -> str:
    return "\n".join(message.item(
        f"{number}/{len(drafts)} {draft.name}: "
        + message.plain("; ".join(_recipients([draft.owner])[0])
                        or "no maintainer and no list"))
        for number, draft in enumerate(drafts, 1))


def _at_home(text: str, plan: Plan, settings: Settings) -> str:
    """Take the places of this machine out of a text for others.

    A reason in the ledger can come from a program that named one.
    """
    ours = {str(plan.tree.root), str(settings.out.resolve()),
            str(plan.campaign.patches.parent), tempfile.gettempdir()}
    for place in sorted(ours - {"/"}, key=len, reverse=True):
        text = re.sub(rf"(?<![\w./~-]){re.escape(place)}(?:/|(?![\w.-]))", "",
                      text)
    return text


def _indent(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.split("\n"))


def _shortlog(ident: repo.Ident, drafts: Sequence[_Draft]) -> str:
    return f"{ident.name} ({len(drafts)}):\n" + "\n".join(
        f"  {draft.title}" for draft in drafts)


def _base_lines(git: repo.Repo, start: _Start, change: str,
                earlier: Sequence[repo.Commit]) -> str:
    # A commit that nobody else has helps nobody.
    lines = [f"base-commit: {start.base.commit}"] if start.public else []
    for commit in earlier:
        shown = git.git("diff-tree", "-p", commit.id)
        found = git.git("patch-id", "--stable", stdin=shown).split()
        lines.append(f"prerequisite-patch-id: {found[0].decode()}")
    return "\n".join([*lines, f"change-id: {change}"])


def _change_id(start: _Start, plan: Plan) -> str:
    digest = hashlib.sha256(start.base.commit.encode())
    for name, content in sorted(plan.after.items()):
        digest.update(os.fsencode(name) + b"\0" + content)
    day = mails.moment(start.date)
    return f"{day:%Y%m%d}-{plan.campaign.slug}-{digest.hexdigest()[:12]}"


# --- the version before ----------------------------------------------------

class _News(str):
    """A note about the version before, which the cover repeats."""


def _carry(git: repo.Repo, base: repo.Base, before: reroll.Previous | None,
           drafts: Sequence[_Draft], plan: Plan
           ) -> tuple[dict[str, list[str]], list[_News]]:
    """Return trailers by title, and what became of the rest."""
    if before is None:
        return {}, []
    carried: dict[str, list[str]] = {}
    notes = []
    now = dict(plan.before)
    ids = {}
    for draft in drafts:
        ids[draft.title] = _patch_id(git, base, now, draft.contents)
        now.update(draft.contents)
    has = git.has_already(base.commit, [mail.raw for mail in before.patches])
    for mail, there in zip(before.patches, has):
        kept = git.git("patch-id", "--stable", stdin=mail.raw).split()
        same = [title for title, one in ids.items()
                if kept and kept[0].decode() == one]
        if same:
            carried.setdefault(same[0], []).extend(mail.trailers)
            if mail.title != same[0]:
                notes.append(f"named anew since v{before.version}: "
                             f"{same[0]}, which was {mail.title}")
        elif mail.title not in ids:
            notes.append(
                f"dropped since v{before.version}: {mail.title}: " + (
                    "the tree has it already" if there else
                    "the tree does not need it any more"))
        else:
            notes += [f"not carried, since the patch changed: {line} "
                      f"({mail.title})" for line in mail.trailers]
    number = sum(map(len, carried.values()))
    if number:
        notes.append(f"{message.many(number, 'trailer')} carried from "
                     f"v{before.version}")
    return carried, [_News(note) for note in notes]


def _patch_id(git: repo.Repo, base: repo.Base, now: Mapping[str, bytes],
              contents: Mapping[str, bytes]) -> str:
    nobody = repo.Ident("trial", "trial")
    first = git.commit(base.commit, now, "before\n", nobody, base.date)
    second = git.commit(first.id, contents, "after\n", nobody, base.date)
    shown = git.git("diff-tree", "-p", first.id, second.id)
    found = git.git("patch-id", "--stable", stdin=shown).split()
    return found[0].decode() if found else ""


def _news(git: repo.Repo, start: _Start, commits: Sequence[repo.Commit],
          before: reroll.Previous | None,
          notes: Sequence[str]) -> list[str]:
    """Return what changed since the version before, with a range-diff."""
    if before is None:
        return []
    about: list[str] = [line for line in notes if isinstance(line, _News)]
    head = f"Changes since v{before.version}:\n\n"
    shown, why = _range_diff(git, start, commits, before)
    same = bool(shown) and all(
        re.match(r" *\d+: +[0-9a-f]+ = ", line) for line in
        shown.split("\n"))
    if same and not about:
        return [head + message.item("no changes")]
    parts = [head + "\n".join(map(message.item, about or [
        "see the range-diff" if shown else "not known"]))]
    if shown:
        return [*parts, f"Range-diff against v{before.version}:\n\n{shown}"]
    return [*parts, message.fill(f"No range-diff: v{before.version} {why}.")]


def _range_diff(git: repo.Repo, start: _Start,
                commits: Sequence[repo.Commit],
                before: reroll.Previous) -> tuple[str, str]:
    """Return a range-diff, or why there is none."""
    base = start.base
    known = git.attempt("cat-file", "-e", f"{before.base}^{{commit}}")
    if not before.base or known.returncode != 0:
        return "", "starts at a commit that is not here"
    crlf = any(b"\r\n" in mail.raw for mail in before.patches)
    old, why = git.am(before.base, [mail.path for mail in before.patches],
                      crlf)
    if why or not old:
        return "", "does not apply to its base"
    return git.git(
        "range-diff", "--no-color", "--no-dual-color",
        f"{before.base}..{old[-1].id}",
        f"{base.commit}..{commits[-1].id}").decode(
            "utf-8", "backslashreplace").rstrip("\n"), ""


# --- putting it in place ---------------------------------------------------

def _branch(git: repo.Repo, start: _Start, drafts: Sequence[_Draft],
            words: Sequence[Words], ident: repo.Ident,
            covers: Sequence[_Cover], change: str,
            settings: Settings) -> str:
    """Make the branch, with a cover that b4 knows where b4 is there."""
    # b4 looks for its cover among the commits of the last year, so these
    # are committed by the clock.
    base = start.base
    clock = f"@{int(time.time())} +0000"
    parent = base.commit
    enrolled = _b4()
    if enrolled:
        parent = git.commit(parent, {}, _b4_cover(base, covers, change,
                                                  settings),
                            ident, start.date, clock).id
    # What is below --- goes with the mails that are made of the branch.
    texts = [f"{one.text}---\n{one.notes}\n" if one.notes else one.text
             for one in words]
    commits = _commit(git, parent, drafts, texts, ident, start.date, clock)
    git_tip = commits[-1].id
    git_root = base.root
    repo.check_branch(git_root, settings.branch)
    git.publish(settings.branch, git_tip, "sgwalk: make series")
    if enrolled:
        try:
            repo.enrol(git_root, settings.branch)
        except BaseException:
            git.withdraw(settings.branch)
            raise
    return f"branch {settings.branch} is at {git_tip[:12]}" + (
        ", enrolled with b4" if enrolled else "; b4 is not here to enrol it")


def _b4() -> bool:
    return shutil.which("b4") is not None


def _b4_cover(base: repo.Base, covers: Sequence[_Cover], change: str,
              settings: Settings) -> str:
    """Return the message of the empty commit that b4 keeps a cover in."""
    to, cc = _recipients([maintainers.merge(one.owner for one in covers)])
    track = {"series": {"revision": settings.version, "change-id": change,
                        "base-branch": base.branch, "prefixes": []}}
    return "\n".join([
        covers[0].title, "", covers[0].body, "",
        *(f"To: {message.plain(who)}" for who in to),
        *(f"Cc: {message.plain(who)}" for who in cc), "",
        "--- b4-submit-tracking ---",
        "# This section is used internally by b4 prep for tracking purposes.",
        json.dumps(track, indent=2), ""])


def _put_in_place(fresh: Path, folder: Path, settings: Settings) -> None:
    """Swap the finished folder in, keeping the versions before."""
    for path in _versions(folder):
        shutil.copytree(path, fresh / path.name)
    if (folder / reroll.STATE).is_dir():
        for path in sorted((folder / reroll.STATE).glob("v*")):
            if path.name != f"v{settings.version}":
                shutil.copy2(path, fresh / reroll.STATE / path.name)
    lying = reroll.current(folder)
    # What lies there was sent, or is about to be; trailers may be in it.
    if lying not in (0, settings.version):
        kept = fresh / f"v{lying}"
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir()
        for path in sorted(folder.iterdir()):
            if path.suffix == ".patch":
                shutil.copy2(path, kept / path.name)
            elif re.fullmatch(r"\d\d-.*", path.name) and path.is_dir():
                shutil.copytree(path, kept / path.name)
    os.chmod(fresh, 0o777 & ~_umask())
    old = fresh.with_name(fresh.name + _OLD)
    if folder.exists():
        folder.rename(old)
    try:
        fresh.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _versions(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(path for path in folder.iterdir()
                          if path.is_dir()
                          and re.fullmatch(r"v\d+", path.name))


def _umask() -> int:
    now = os.umask(0o077)
    os.umask(now)
    return now
