#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The command line: read options, run stages, print, and end.

Modules compute and raise errors; this file prints each error as one sentence
and exits with a status:

    0  it did its job
    1  the answer is no: findings, or sites left to a person with LEFT=error
    2  it could not do its job, and the tree is as it was

Data:   options -> files under OUT, data on stdout, sentences on stderr.
Errors: none leave this file but as a status; a bug leaves with a traceback.
Source: the commands of design.md.
"""

from __future__ import annotations

import os
import signal


def _stop_early(number: int, frame: object) -> None:
    """End a run that is told to while it still reads its own modules."""
    os.write(2, b"sgwalk: exit 2: interrupted; nothing was changed\n")
    os._exit(2)


_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
if __name__ == "__main__":
    for _each in _SIGNALS:
        # nohup has SIGHUP ignored, and that is to stay so.
        if signal.getsignal(_each) is not signal.SIG_IGN:
            signal.signal(_each, _stop_early)

import argparse
import contextlib
import io
import subprocess
import sys
import traceback
from dataclasses import dataclass, replace
from pathlib import Path
from typing import (Callable, Iterator, Mapping, NoReturn, Optional,
                    Sequence)

from host import gitsafe, output
from read import api, campaigns, core, tree as trees
from run import bare as bare_rules, spatch
from judge import bare, kinds, review
from prove import backtest, bench, boot, builds, suite, verify
from write import apply, diffs, series
from check import check, explain, report as formats
from show import page, runs
from host.output import OutputError
from host.progress import Bar
from host.repo import RepoError
from host.scratch import ScratchError
from read.campaign import Callers, Campaign, State, Unit
from read.campaigns import CampaignError
from read.census import CensusError
from read.changed import ChangedError
from read.core import CoreError
from read.tree import Tree, TreeError
from read.words import WordsError
from run.rules import RuleError
from run.jobs import SpatchError
from judge.edits import EditError
from judge.ledger import Entry, LedgerError
from judge.plan import Plan, Settings
from judge.splice import SpliceError
from prove.backtest import BacktestError
from prove.bench import BenchError
from prove.boot import BootError
from prove.suite import SuiteError
from prove.builds import VerifyError
from write.stage import ApplyError
from write.maintainers import MaintainersError
from write.reroll import RerollError
from write.series import SeriesError
from check.baseline import HEAD, BaselineError
from check.check import CheckError
from check.explain import ExplainError
from check.findings import LEVELS, shown
from show.page import PageError
from show.rows import RowsError
from show.runs import Run, RunsError

ROOT = Path(__file__).resolve().parents[1]
_OWN = (ApplyError, BacktestError, BaselineError, BenchError, BootError,
        CampaignError, CensusError, ChangedError, CheckError, CoreError, ExplainError,
        EditError, LedgerError, MaintainersError, OutputError, PageError,
        RepoError,
        RerollError, RowsError, RuleError, RunsError, ScratchError, SeriesError, SpatchError,
        SpliceError, SuiteError, TreeError,
        VerifyError, WordsError)
# What is older has no CONFIG_IOMMU_DEFAULT_DMA_STRICT, and before v5.11
# intel-iommu merged nothing; the cases themselves run in user-mode Linux too.
_QEMU_FROM = (5, 14)
# What is written below OUT of a change, and the names that it has while
# another change is placed.
_ACCOUNT = ("ledger.tsv", "edits.patch", runs.CHANGE)
_FOUND = ("findings.json", runs.CHECK)
# The commands that bare rules can be run with on a part of a kernel.
_ANY_FOLDER = ("apply", "preview", "series")
_OLD = tuple(f"{name}.old" for name in _ACCOUNT)


class UsageError(Exception):
    """An option has a value it cannot have; the message lists the good."""


class Done(Exception):
    """What could not be done comes after a change that is in place."""


class No(Exception):
    """The job is done and the answer is no; the message says why."""


@dataclass(frozen=True)
class Options:
    """Every variable of the Makefile, checked."""

    campaign: Campaign
    kernel: str
    module: str              # a folder
    files: tuple[str, ...]   # of it, if only they are to be looked at
    out: Path
    jobs: int
    rules: tuple[Path, ...]
    timeout: int
    confidence: str
    left: str
    dirty: bool
    fix: bool
    ssh: str
    rest: argparse.Namespace

    @property
    def settings(self) -> Settings:
        return Settings(self.out / "bin/reader", self.rules, self.jobs,
                        self.timeout, confidence=self.confidence,
                        ssh=self.ssh, fix=self.fix,
                        module=bool(self.module), kernel=str(
                            trees.open_kernel(self.kernel).root)
                        if self.kernel and self.module else self.kernel,
                        files=self.files, campaign=self.campaign,
                        cache=_cache(self.out), progress=Bar())


def main(words: Sequence[str]) -> int:
    _prepare()
    try:
        options = _options(words)
        _COMMANDS[options.rest.command](options)
        sys.stdout.flush()
    except No as answer:
        return _end(1, str(answer))
    except (*_OWN, UsageError, Done) as error:
        return _end(2, str(error))
    except BrokenPipeError:
        return _end(2, "nobody reads the output")
    except KeyboardInterrupt:
        return _end(2, "interrupted; " + (
            "nothing was changed, or the next run finishes it"
            if words[:1] == ["apply"] else "no file of the tree was changed"))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _end(2, f"{where}{trees.cause(error)}")
    except Exception as error:
        traceback.print_exc()
        return _end(2, f"a bug in sgwalk: {type(error).__name__}: {error}")
    return 0


def _prepare() -> None:
    """Make of each signal that ends a run the first and last one to be heard.

    What follows is cleaning up, and a sentence; `timeout` and make send the
    same signal twice.
    """
    def stop(number: int, frame: object) -> NoReturn:
        _deafen()
        raise KeyboardInterrupt

    for each in _SIGNALS:
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, stop)


def _show() -> None:
    """Have stdout and stderr, closed ones too, show what they are given."""
    # A file that is opened must not become the output.
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        setattr(sys, name, _Shown(
            open(number, "wb", closefd=False) if stream is None
            else stream.buffer, "utf-8", line_buffering=True))


def _deafen() -> None:
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)


def _end(status: int, why: str) -> int:
    """Print the last line, on whatever there still is to print on."""
    _deafen()
    for stream, text in ((sys.stdout, ""), (
            sys.stderr, f"sgwalk: exit {status}: {_plain(why)}\n")):
        try:
            stream.write(text)
            stream.flush()
        except (OSError, ValueError):
            # Python would try again at its end, and give a status of its own.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return status


def _plain(text: str) -> str:
    """Return text as it can be printed on any terminal, on one line."""
    shown = text.encode("utf-8", "surrogateescape").decode("utf-8",
                                                           "backslashreplace")
    return " ".join(shown.split())


# --- commands --------------------------------------------------------------

def _apply(options: Options) -> None:
    """Change the tree, or a copy of the embedded one."""
    output.ready(options.out, *_ACCOUNT, *_OLD)
    if options.kernel or options.module:
        _change(options, _tree(options))
        return
    with output.hold(options.out):
        tree = trees.open_tree(str(output.copy(
            options.out, "tree", _embedded(options))))
        try:
            _change(options, tree, embedded=True)
        finally:
            output.seal(options.out, "tree")


def _change(options: Options, tree: Tree, embedded: bool = False) -> None:
    """Undo what a killed run left, plan, place, and print what was done."""
    with apply.hold(tree):
        if apply.unfinished(tree) and output.begun(options.out, _ACCOUNT[0]):
            # The account of a change that is about to be undone.
            output.drop(options.out, *_ACCOUNT)
        ours = apply.as_placed(tree, apply.placed(tree))
        if told := apply.recover(tree):
            _say(told)
        if not options.dirty and not embedded:
            trees.refuse_dirty(tree, but=ours)
        with _kernel_still(options, tree):
            plan = _plan(options, tree)
        if not options.dirty and not embedded:
            trees.refuse_dirty(tree, plan.after, but=ours)
        if plan.after:
            _set_aside(options)
        try:
            told = apply.place(tree, plan.before, plan.after,
                               lambda: _record(options, plan),
                               lambda: _withdraw(options))
        except ApplyError as error:
            old = options.out / _OLD[0]
            raise ApplyError(f"{error}; the account of the run before is "
                             f"{old}" if old.exists() else str(error)
                             ) from error
        if told:
            _say(told)
        with contextlib.suppress(OSError, OutputError):
            output.end(options.out, _ACCOUNT[0])
            output.drop(options.out, *_OLD)
    try:
        if embedded:
            _build(tree)
            _write(diffs.unified(plan.before, plan.after))
        _summary(plan, "changed")
        sys.stdout.flush()
        for line in review.lines(plan):
            _say(f"to check: {line}")
    except OSError as error:
        raise Done("the change is in place, but the output is lost: "
                   f"{trees.cause(error)}; {options.out / _ACCOUNT[0]} has the "
                   "account") from error
    _left(options, plan)


def _plan(options: Options, tree: Tree) -> Plan:
    """Return what the campaign, or the bare rules of RULES, make of a tree."""
    if not _bare_paths(options):
        return kinds.make_plan(tree, options.settings)
    rules, left = bare_rules.load(
        _bare_paths(options), _word("SCRIPTS", options.rest.scripts, (
            "", "allow")) == "allow", options.confidence)
    return bare.make_plan(tree, bare.Settings(
        options.settings.census, options.jobs, options.timeout,
        ssh=options.ssh, cache=options.settings.cache,
        progress=options.settings.progress, files=options.files),
        rules,
        [f"{name} is left out: {why}" for name, why in left])


def _bare_paths(options: Options) -> list[tuple[Path, bool]]:
    """Return the rules of RULES, each with whether RULES names it by itself;
    none where they are rules of ours."""
    named = {Path(_folder(word)).absolute()
             for word in options.rest.rules.split()}
    found = [(path, path in named) for path in options.rules
             if options.rest.rules and bare_rules.is_bare(path)]
    if found and len(found) < len(options.rules):
        ours = next(path for path in options.rules
                    if not bare_rules.is_bare(path))
        raise UsageError(f"RULES: {ours} is a rule of a campaign and "
                         f"{found[0][0]} is none; give one kind at a time")
    return found


@contextlib.contextmanager
def _still(options: Options, tree: Tree) -> Iterator[None]:
    """Keep runs that change what is read from it, until it is read."""
    with apply.still(tree), _kernel_still(options, tree):
        yield


@contextlib.contextmanager
def _kernel_still(options: Options, tree: Tree) -> Iterator[None]:
    """Do the same for the kernel that a module is judged for."""
    kernel = trees.open_kernel(options.kernel) \
        if options.kernel and options.module else tree
    if kernel.root == tree.root:
        yield
        return
    with apply.still(kernel):
        yield


def _preview(options: Options) -> None:
    """Print what apply would do, and touch nothing."""
    output.ready(options.out, *_ACCOUNT)
    tree = _tree(options) if options.kernel or options.module \
        else trees.open_tree(str(_embedded(options)))
    with _still(options, tree):
        plan = _plan(options, tree)
    _record(options, plan)
    _write(diffs.unified(plan.before, plan.after))
    for line in (*plan.remarks, *_leftovers(plan),
                 *(f"to check: {line}" for line in review.lines(plan)),
                 plan.ledger.sums()):
        _say(line)
    _left(options, plan)


def _check(options: Options) -> None:
    """Report what is wrong in the tree, and touch nothing."""
    diff = sys.stdin.buffer.read() if options.rest.base == "-" else b""
    tree, settings = _judged(options)
    with contextlib.suppress(OSError):
        output.ready(options.out, *_FOUND)
    with _still(options, tree):
        answer = check.check(tree, settings, diff)
    _keep_findings(options, tree, settings, answer)
    _write(answer.output)
    for line in answer.remarks:
        _say(line)
    if answer.no:
        raise No(answer.no)


def _keep_findings(options: Options, tree: Tree, settings: check.Settings,
                   answer: check.Answer) -> None:
    """Write the findings to OUT, whatever the format that is printed."""
    found, about = _FOUND
    part = [" ".join(settings.only) or settings.under,
            f"what changed since {settings.base}" if settings.base else "",
            f"without {settings.baseline}" if settings.baseline else ""]
    data = formats.render(answer.report, "json")
    run = Run("check", os.fspath(tree.root), tree.version,
              part=", ".join(filter(None, part)), time=runs.now())
    try:
        output.keep(options.out, about, runs.about(run, {found: data}))
        output.keep(options.out, found, data)
    except OSError as error:
        # check has an answer where nothing can be written, too.
        _say(f"{options.out}: {trees.cause(error)}, so make report will not "
             "have these findings")


def _report(options: Options) -> None:
    """Write a page about what the last runs left in OUT."""
    if output.begun(options.out, _ACCOUNT[0]):
        raise UsageError(f"{options.out}: apply did not come to its end, so "
                         "it is unknown what it changed: make apply again")
    output.ready(options.out, page.NAME)
    data, links = page.write(options.out)
    output.keep(options.out, page.NAME, data)
    print(options.out / page.NAME)
    for line in links:
        _say(line)


def _baseline(options: Options) -> None:
    """Write the findings of today to BASELINE, or to stdout."""
    named = options.rest.baseline
    file = Path(_folder(named)).absolute()
    if named:
        output.refuse_other(file, HEAD, "a baseline")
    tree, settings = _judged(options)
    with _still(options, tree):
        data = check.baseline(tree, replace(settings, base="", baseline=""))
    if named:
        output.put(file, data, HEAD, "a baseline")
    else:
        _write(data)


def _judged(options: Options) -> tuple[Tree, check.Settings]:
    """Return the tree to judge, and how; M may be a folder of KERNEL."""
    rest = options.rest
    under, only = "", options.files
    if options.kernel and options.module:
        names: list[str] = []
        with contextlib.suppress(TreeError):
            # Headers that a module is built with have no folder to judge.
            tree = _tree(replace(options, module="", files=()))
            names = [trees.inside(tree, _folder(word))
                     or trees.inside(tree, os.path.abspath(os.path.join(
                         rest.caller, _folder(word))))
                     for word in rest.m.split()]
        if names and all(names):
            under = names[0] if (tree.root / names[0]).is_dir() \
                and not names[1:] else os.path.commonpath(
                    [os.path.dirname(name) for name in names])
            only = tuple(names) if names != [under] else ()
            options = replace(options, module="", files=())
    return _tree(options), check.Settings(
        replace(options.settings, rules=options.campaign.migrate),
        _word("FORMAT", rest.format, tuple(formats.FORMATS)),
        options.rules if rest.rules else (), rest.base,
        _folder(rest.baseline),
        _word("LEVEL", rest.level or "high", LEVELS),
        _word("UNREAD", rest.unread or "warn", ("error", "warn")),
        _word("SCRIPTS", rest.scripts, ("", "allow")) == "allow",
        options.settings.cache, check.today(), under, only,
        () if rest.campaign else campaigns.every_misuse())


def _series(options: Options) -> None:
    """Write the change as patches, and touch nothing but OUT."""
    tree = _trusted(options)
    settings = series.Settings(
        options.out, options.jobs, options.rest.shape, options.rest.branch,
        _count("VERSION", options.rest.version_number or "1"),
        options.rest.signoff, look=True, spatch=spatch.version(),
        command=_command(options))
    output.ready(options.out, *_ACCOUNT)
    with series.hold(options.out), _still(options, tree):
        series.ready(tree, settings)
        plan = _plan(options, tree)
        made = series.write(tree, plan, settings)
        _record(options, plan)
    print(series.text(made), end="")
    print(plan.ledger.sums())
    # apply adds no file to a tree, and a series is what apply does.
    tests = suite.Suite(options.campaign)
    if plan.core and _has_new(plan.state) and tests.fits(tree.root):
        _say("a KUnit test of the corrections can follow them: git am "
             f"{tests.patch}")


def _command(options: Options) -> str:
    """Return what a reader types to get the same patches from their tree."""
    rules = [Path(_folder(word)).absolute()
             for word in options.rest.rules.split()]
    name = options.campaign.name
    said = {"CAMPAIGN": "" if name == campaigns.DEFAULT else name,
            "RULES": " ".join(str(path.relative_to(ROOT))
                              if path.is_relative_to(ROOT) else path.name
                              for path in rules),
            "CONFIDENCE": options.confidence.replace("high", ""),
            "FIX": "1" if options.fix else "",
            "SHAPE": options.rest.shape.replace("series", "")}
    return " ".join(["make series KERNEL=~/linux", *(
        f"{name}='{value}'" if " " in value else f"{name}={value}"
        for name, value in said.items() if value)])


def _verify(options: Options) -> None:
    """Compile what changes, before and after.

    After apply nothing is left to change: then what differs from HEAD is.
    """
    tree = _trusted(options)
    output.ready(options.out, *_ACCOUNT)
    with series.hold(options.out), _still(options, tree):
        plan = _plan(options, tree)
        _record(options, plan)
        before, after, what = plan.before, plan.after, "the change"
        if not after:
            before, after = verify.since_head(tree.root)
            what = "what differs from HEAD"
        if not after:
            print("nothing changes and nothing differs from HEAD, so there is "
                  "nothing to compile")
            return
        report = verify.run(tree.root, tree.version, before,
                            [builds.Step(what, after)],
                            output.folder(options.out, "verify"), options.jobs,
                            [name for name in series.untouched(plan)
                             if name not in after])
    print(verify.text(report), end="")
    if not report.good:
        raise No("the change does not build as the tree did before it")


def _boot(options: Options) -> None:
    """Run the walk's cases in a kernel."""
    tree = _trusted(options)
    numbers = tuple(int(part) for part in tree.version.split(".")[:2]
                    if part.isdigit())
    kind = _word("KIND", options.rest.kind, ("", *boot.KINDS)) \
        or ("qemu" if numbers >= _QEMU_FROM else "uml")
    with _still(options, tree):
        done = boot.boot(
            options.campaign, tree.root, kind,
            output.folder(options.out, "boot"), options.jobs, _has_new(
                core.probe(options.campaign, tree.root)) and not options.fix)
    print(boot.table(done))
    _say(f"{'built' if done.built else 'built before'}; log in {done.log}")
    if not done.holds:
        raise No(f"{done.wrong} cases are wrong" if done.report.tests
                 else "the kernel told of no case")


def _has_new(state: Optional[State]) -> bool:
    """Tell whether a tree takes the new API alone."""
    return state is not None and state.callers is Callers.NEW


def _bench(options: Options) -> None:
    """Measure this tool and its peers, side by side."""
    tree = _tree(options)
    with _still(options, tree):
        rows = bench.run(tree, options.settings)
    print(bench.table(rows))


def _backtest(options: Options) -> None:
    """Hold check to fixes that people posted, and print the score."""
    rest = options.rest
    if not rest.fixes or not rest.mirror:
        raise UsageError("backtest needs FIXES=table and MIRROR=folder")
    fixes = backtest.read(Path(_folder(rest.fixes)))

    def judge(root: Path) -> Iterator[tuple[str, int, str]]:
        _, settings = _judged(replace(options, kernel=os.fspath(root),
                                      module="", files=(), rules=()))
        answer = check.check(trees.open_tree(os.fspath(root)), replace(
            settings, foreign=(), base="", baseline="", level="low"))
        for found in answer.report.findings:
            yield found.file, found.line, found.rule

    counts = next(found for found in map(campaigns.load, campaigns.shipped())
                  if found.unit is Unit.MAPPING)

    def mend(root: Path) -> Mapping[str, bytes]:
        return kinds.make_plan(trees.open_tree(os.fspath(root)), replace(
            options.settings, campaign=counts, rules=counts.misuse,
            module=False, files=(), confidence="low")).after

    print(backtest.text(backtest.run(
        fixes, Path(_folder(rest.mirror)).absolute(), judge, mend)), end="")


def _explain(options: Options) -> None:
    """Print what a rule proves, with a case."""
    if not options.rest.rule:
        raise UsageError("explain needs RULE=name")
    print(explain.explain(options.rest.rule, options.campaign), end="")


def _campaigns(options: Options) -> None:
    """Print each campaign that is here, with a line about it."""
    names = campaigns.shipped()
    width = max(map(len, names))
    for name in names:
        print(f"{name:{width}}  {campaigns.load(name).summary}"
              + (" (the default)" if name == campaigns.DEFAULT else ""))


def _embedded(options: Options) -> Path:
    """Return the small tree that stands in where no kernel is named."""
    if not options.campaign.tree.is_dir():
        raise UsageError(
            f"CAMPAIGN={options.campaign.name}: has no small tree to try it "
            f"on: make {options.rest.command} KERNEL=~/linux")
    return options.campaign.tree


def _tree(options: Options) -> Tree:
    if not options.kernel and not options.module:
        raise UsageError(f"{options.rest.command} needs a kernel tree: make "
                         f"{options.rest.command} KERNEL=~/linux")
    for name in options.files:
        if not os.path.isfile(os.path.join(options.module, name)):
            raise UsageError(f"M: {os.path.join(options.module, name)}: no "
                             "such file")
    tree = _open(options)
    if options.rest.trust:
        gitsafe.trust(tree.root)
    return tree


def _open(options: Options) -> Tree:
    """Open the tree; bare rules can be run on a part of one, too."""
    try:
        return trees.open_tree(options.kernel, options.module)
    except TreeError:
        if options.module or options.rest.command not in _ANY_FOLDER or \
                not _bare_paths(options):
            raise
        return trees.open_tree("", options.kernel)


def _trusted(options: Options) -> Tree:
    """Return the tree for a command that runs its scripts and makefiles."""
    tree = _tree(options)
    if not gitsafe.belongs(tree.root):
        raise UsageError(f"{tree.root}: belongs to another user, and "
                         f"{options.rest.command} runs its scripts and "
                         "makefiles: TRUST=1 allows that")
    return tree


def _build(tree: Tree) -> None:
    """Compile the embedded tree, so that its result is known to be C."""
    done = subprocess.run(["make", "-s", "-C", os.fspath(tree.root)],
                          stdin=subprocess.DEVNULL, capture_output=True,
                          env={name: value for name, value
                               in os.environ.items()
                               if name not in ("MAKEFLAGS", "MAKELEVEL",
                                               "MFLAGS", "M", "O", "V")},
                          check=False)
    if done.returncode != 0:
        last = os.fsdecode(done.stderr).strip().splitlines()
        raise ApplyError("the changed embedded tree does not compile: "
                         + (last[0] if last else "make said nothing"))
    _say("the changed tree compiles")


def _record(options: Options, plan: Plan) -> None:
    """Write what the run knows to OUT, each file whole."""
    ledger, edits, change = _ACCOUNT
    files = {edits: diffs.unified(plan.before, plan.after),
             ledger: plan.ledger.tsv()}
    output.keep(options.out, change, runs.about(Run(
        "fix" if options.rest.command == "apply" and
        options.campaign.unit is Unit.MAPPING else options.rest.command,
        os.fspath(plan.tree.root), plan.tree.version,
        "" if plan.bare else plan.campaign.name,
        " ".join(options.files), plan.remarks, tuple(review.lines(plan)),
        tuple(sorted(plan.core)), runs.now()), files))
    for name, data in files.items():
        output.keep(options.out, name, data)


def _set_aside(options: Options) -> None:
    """Rename the account of an earlier run, since one is to come that may
    fail, and must not leave it as its own."""
    if any(os.path.lexists(options.out / name) for name in _OLD):
        # Of a run before one that failed; what came since is a plan.
        output.drop(options.out, *_ACCOUNT)
    else:
        output.set_aside(options.out, *_ACCOUNT)
    output.begin(options.out, _ACCOUNT[0])


def _withdraw(options: Options) -> None:
    """Take back the account of a change that was undone."""
    with contextlib.suppress(OSError, OutputError):
        output.drop(options.out, *_ACCOUNT)


def _summary(plan: Plan, what: str) -> None:
    """Print the files that changed, what is left, and the sum."""
    for file in sorted(plan.after, key=os.fsencode):
        names = ", ".join(rule.name for rule in plan.rules.get(file, ()))
        print(f"{what} {_plain(file)}: {names or 'core API'}")
    for line in plan.remarks:
        print(line)
    for line in _leftovers(plan):
        print(line)
    print(plan.ledger.sums())


def _leftovers(plan: Plan) -> list[str]:
    """Return a line for each function and reason that is left to a person."""
    groups: dict[tuple[str, str, str, str], list[Entry]] = {}
    for entry in plan.ledger.entries:
        if entry.verdict in ("manual", "unread"):
            groups.setdefault((entry.site.file, entry.site.function,
                               entry.verdict, entry.reason), []).append(entry)
    return [_plain(f"{entries[0].place}: {verdict}: "
                   + (f"{function}(): " if function else "") + reason
                   + (f" [{len(entries)} sites]" if entries[1:] else ""))
            for (_, function, verdict, reason), entries in groups.items()]


def _left(options: Options, plan: Plan) -> None:
    left = plan.ledger.count("manual") + plan.ledger.count("unread")
    if left and options.left == "error":
        raise No(f"{left} sites need a person")
    if left:
        _say(f"{left} sites need a person: {options.out / 'ledger.tsv'} has "
             "the reason of each")


def _say(line: str) -> None:
    print(f"sgwalk: {line}", file=sys.stderr)


def _write(data: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


_COMMANDS: dict[str, Callable[[Options], None]] = {
    "apply": _apply,
    "preview": _preview,
    "baseline": _baseline,
    "check": _check,
    "series": _series,
    "verify": _verify,
    "boot": _boot,
    "bench": _bench,
    "backtest": _backtest,
    "campaigns": _campaigns,
    "explain": _explain,
    "report": _report,
}


# --- options ---------------------------------------------------------------

class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence and leaves the exit to main()."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def _options(words: Sequence[str]) -> Options:
    parser = _Parser(prog="migrate.py", description=__doc__,
                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=sorted(_COMMANDS))
    for name, default, what in _VARIABLES:
        parser.add_argument(f"--{name}", default=default, help=what)
    for name, what in _FLAGS:
        parser.add_argument(f"--{name}", action="store_true", help=what)
    found = parser.parse_args(words)
    module, files = _module(found.m, found.caller)
    campaign = campaigns.load(found.campaign)
    api.use(campaign)
    return Options(
        campaign=campaign,
        kernel=_folder(found.kernel), module=module, files=files,
        out=Path(found.out).absolute(),
        jobs=_count("JOBS", found.jobs) if found.jobs else
        len(os.sched_getaffinity(0)),
        rules=_rules(found.rules, campaign),
        timeout=_count("TIMEOUT", found.timeout),
        confidence=_word("CONFIDENCE", found.confidence,
                         ("high", "moderate", "low")),
        left=_word("LEFT", found.left, ("warn", "error")),
        dirty=found.dirty, fix=found.fix,
        ssh=found.ssh, rest=found)


_VARIABLES = (
    ("kernel", "", "the kernel tree"),
    ("campaign", "", "the name of a campaign, or a folder that is one"),
    ("m", "", "the folder of an out-of-tree module"),
    ("caller", "", "the folder that M starts at; the current one by default"),
    ("out", "out", "where results go"),
    ("jobs", "", "how many processors to use; all by default"),
    ("rules", "", "rule files or a folder of them"),
    ("timeout", "200", "wall-clock seconds a file may take"),
    ("confidence", "high", "high, moderate, or low for bare rules"),
    ("left", "warn", "error: exit 1 when sites are left to a person"),
    ("ssh", "", "hosts for GNU parallel"),
    ("format", "text", "how check prints"),
    ("base", "", "check: only what changed since this revision"),
    ("baseline", "", "check: known findings"),
    ("level", "", "check: the lowest level that fails"),
    ("unread", "", "check: error or warn"),
    ("scripts", "", "check: allow, to run the scripts in foreign rules"),
    ("kind", "", "boot: qemu, uml or kunit"),
    ("branch", "", "series: a branch to make as well"),
    ("shape", "series", "series: single, for one patch"),
    ("version-number", "", "series: the number of a reroll"),
    ("rule", "", "explain: the name of a rule"),
    ("fixes", "", "backtest: a table of fixes that people posted"),
    ("mirror", "", "backtest: the folder of the archives and snapshots"),
)
_FLAGS = (
    ("dirty", "work on a tree with local changes"),
    ("trust", "run the scripts of a tree that belongs to another user"),
    ("fix", "mend the page count of a tree that has the API"),
    ("signoff", "series: sign with the user's own name"),
)


def _cache(out: Path) -> Optional[Path]:
    """Return the folder that keeps what spatch printed, for all verbs."""
    given = os.environ.get("SGWALK_CACHE")
    if given:
        return Path(given)
    try:
        return output.folder(out, "cache")
    except OSError:
        return None          # a slower run, where nothing can be written


def _folder(text: str) -> str:
    return os.path.expanduser(text) if text.startswith("~") else text


def _module(text: str, caller: str) -> tuple[str, tuple[str, ...]]:
    """Return the folder that M names, and of it the files that M names."""
    paths = [os.path.join(caller, _folder(word)) for word in text.split()]
    if len(paths) < 2 and not any(map(os.path.isfile, paths)):
        return "".join(paths), ()
    # What check finds in KERNEL by these names is _judged()'s to say.
    for path in paths:
        if os.path.isdir(path):
            raise UsageError(f"M: {path}: a folder among other names; M names "
                             "one folder, or files")
    paths = [os.path.realpath(path) for path in paths]
    folder = os.path.commonpath([os.path.dirname(path) for path in paths])
    return folder, tuple(sorted({os.path.relpath(path, folder)
                                 for path in paths}))


def _rules(text: str, campaign: Campaign) -> tuple[Path, ...]:
    if not text:
        return campaign.misuse if campaign.unit is Unit.MAPPING \
            else campaign.migrate
    found: list[Path] = []
    for word in text.split():
        path = Path(_folder(word)).absolute()
        if path.is_dir():
            found += sorted(path.rglob("*.cocci"))
        elif path.is_file():
            found.append(path)
        else:
            raise UsageError(f"RULES: {word}: no such file or folder")
    if not found:
        raise UsageError(f"RULES: {text}: holds no .cocci file")
    return tuple(found)


def _count(name: str, text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise UsageError(f"{name}={text}: give a whole number from 1 up")
    return int(text)


def _word(name: str, text: str, good: Sequence[str]) -> str:
    if text not in good:
        raise UsageError(f"{name}={text}: give one of: "
                         + ", ".join(word or "nothing" for word in good))
    return text


class _Shown(io.TextIOWrapper):
    """A stream of sentences, in which no name can move the cursor.

    Data goes to the buffer below it, byte for byte.
    """

    def write(self, text: str) -> int:
        return super().write(shown(text))


if __name__ == "__main__":
    _show()
    sys.exit(main(sys.argv[1:]))
