# SPDX-License-Identifier: GPL-2.0-only
"""Measure this tool beside its peers, in one run, as ratios.

A time on a shared machine says little; two times of one run say something.
Every command is run once to warm the page cache and then ROUNDS times, in
turn with the others, and the medians are set against the first row.

Data:   Tree -> list[Row] -> a table for people.
Units:  seconds of wall-clock time; peak memory of the largest process in MiB.
Errors: BenchError, when a command fails.
Source: the references and targets of the field: one spatch scan of one rule
        with its built-in grep, and grep for the names of the API.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from read import campaigns, census
from read.campaign import Campaign, Kind
from read.tree import Tree
from run import rules as rulebook
from judge.plan import Settings

ROUNDS = 3
_ROOT = Path(__file__).resolve().parents[2]


class BenchError(Exception):
    """A command of the table failed; the message names it."""


@dataclass(frozen=True)
class Command:
    name: str
    against: str             # the row it is compared with, "" for none
    words: tuple[str, ...]
    good: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Row:
    name: str
    against: str
    seconds: float           # median
    mebibytes: int           # the largest process of any round
    ratio: float             # to the row it is compared with, 0.0 without


def run(tree: Tree, settings: Settings) -> list[Row]:
    """Run every command in turn and return a row for each."""
    with tempfile.TemporaryDirectory(prefix="sgwalk-bench-") as folder:
        commands = _commands(tree, settings, Path(folder))
        took: dict[str, list[float]] = {each.name: [] for each in commands}
        memory: dict[str, int] = dict.fromkeys(took, 0)
        for number in range(ROUNDS + 1):
            for command in commands:
                seconds, largest = _time(command, Path(folder))
                if number:
                    took[command.name].append(seconds)
                memory[command.name] = max(memory[command.name], largest)
    medians = {name: statistics.median(each) for name, each in took.items()}
    return [Row(each.name, each.against, medians[each.name],
                memory[each.name],
                medians[each.name] / medians[each.against]
                if each.against else 0.0)
            for each in commands]


def table(rows: Sequence[Row]) -> str:
    """Return the rows as people read them."""
    lines = [f"{'command':44} {'wall s':>8} {'peak MiB':>9}  ratio"]
    for row in rows:
        ratio = f"{row.ratio:.2f} of {row.against}" if row.against else ""
        lines.append(f"{row.name:44} {row.seconds:8.2f} {row.mebibytes:9}  "
                     f"{ratio}".rstrip())
    return "\n".join(lines)


def _commands(tree: Tree, settings: Settings,
              folder: Path) -> tuple[Command, ...]:
    root = os.fspath(tree.root)
    campaign = settings.campaign
    grep = ("grep", "-rlF", *(word for name in campaign.words(
        Kind.TYPE, Kind.LOOP, Kind.CALL)
                              for word in ("-e", name)), root)
    main = os.fspath(_main(campaign))
    out = folder / "out"
    (out / "bin").mkdir(parents=True)
    (out / "bin/reader").symlink_to(settings.census)
    return (
        Command("grep -rlF of the names", "", grep, (0, 1)),
        Command("census, every site", "grep -rlF of the names",
                (os.fspath(settings.census), *census.options(campaign), "-j",
                 str(settings.jobs), root)),
        Command("spatch --dir, the main rule alone", "",
                ("spatch", "--very-quiet", "--sp-file", main, "-D", "patch",
                 "--use-coccigrep", "-j", str(settings.jobs), "--dir", root)),
        Command("preview, every rule, with the ledger",
                "spatch --dir, the main rule alone",
                (sys.executable, os.fspath(_ROOT / "scripts/migrate.py"),
                 "preview",
                 f"--kernel={root}", f"--out={out}",
                 f"--campaign={_named(campaign)}",
                 f"--jobs={settings.jobs}")),
    )


def _main(campaign: Campaign) -> Path:
    """Return the conversion with the most shapes, which does the most work."""
    rules = [rule for rule in rulebook.load(campaign.migrate)
             if rule.verdict == "converted"]
    if not rules:
        raise BenchError(f"{campaign.name}: has no conversion to measure")
    return max(rules, key=lambda rule: len(rule.shape)).path


def _named(campaign: Campaign) -> str:
    """Return what CAMPAIGN= is for a campaign."""
    return campaign.name if campaign.name in campaigns.shipped() \
        else os.fspath(campaign.folder)


def _time(command: Command, folder: Path) -> tuple[float, int]:
    """Return what one run took, and its largest process."""
    began = time.monotonic()
    with open(os.devnull, "wb") as null:
        done = subprocess.Popen(command.words, cwd=folder, stdout=null,
                                stderr=null, stdin=subprocess.DEVNULL)
        _, status, used = os.wait4(done.pid, 0)
    seconds = time.monotonic() - began
    done.returncode = os.waitstatus_to_exitcode(status)
    if done.returncode not in command.good:
        raise BenchError(f"{command.name}: ended with {done.returncode}")
    return seconds, used.ru_maxrss // 1024
