# SPDX-License-Identifier: GPL-2.0-only
"""Jobs for spatch, and how they end.

Data:   Job -> Result; Batch and Work are what one run has in common.
Units:  those of spatch.py.
Errors: SpatchError, which spatch.py raises.
"""

from __future__ import annotations

import enum
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from host.progress import Progress
from run.rules import Rule

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


@dataclass(frozen=True)
class Batch:
    name: str                # file name of its script
    jobs: tuple[int, ...]    # numbers into Work.jobs


@dataclass
class Work:
    folder: Path
    sources: Mapping[str, bytes]
    jobs: Sequence[Job]
    procs: int
    timeout: int
    memory: int
    ssh: str
    progress: Progress | None = None
    root: Path | None = None         # the tree, for rules that want headers
    # folder of files -> the links to where their headers are
    links: dict[str, list[str]] = field(default_factory=dict)
    # name in the tree -> name in the folder, and back
    short: dict[str, str] = field(default_factory=dict)
    long: dict[str, str] = field(default_factory=dict)
    lines: dict[str, list[bytes]] = field(default_factory=dict)
    # ends what one job of a chain printed; nothing else can print it
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    # (path, mode) of a rule -> name in the folder
    rules: dict[tuple[Path, str], str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ended:
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
