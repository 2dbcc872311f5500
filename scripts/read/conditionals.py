# SPDX-License-Identifier: GPL-2.0-only
"""Ask the reader which branches of a text are dead, and for which kernel.

scripts/reader/ evaluates every #if of the project; nothing else does, so no two
readers of one file can disagree about what is dead. It reads texts and not
files, since a text can be what a file becomes.

Data:   bytes -> tuple[Row, ...], a row a directive that does not stand in a
        dead branch, in the order of the text.
Units:  offsets in bytes from 0, of the # of a directive.
Errors: CensusError, when the program is missing, fails or prints a bad row.
Source: print_conditionals() in scripts/reader/answer.c.
"""

from __future__ import annotations

import functools
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Optional, Sequence

from read import reader
from read.campaign import Campaign
from read.census import CensusError

_KINDS = ("if", "else", "endif", "deep")


class Row(NamedTuple):
    """One #if, #elif, #else or #endif, and what follows it."""

    offset: int
    kind: str                # if, else, endif; deep: here it becomes too many
    truth: str               # of the branch that follows: n dead, y live, ?
    about: str               # k: kernel versions, a: the API, both or neither
    names: tuple[bytes, ...]     # that the condition hangs on
    kernels: str             # truth for each kernel; empty: alike for all


@dataclass(frozen=True)
class Kernel:
    """What a text may be built for."""

    version: int             # as LINUX_VERSION_CODE, -1 if not known
    api: str                 # y: it has the new API, n, ?
    rhel: int = -1           # RHEL_RELEASE_CODE; -1 not known, -2 none

    def spelt(self) -> str:
        version = "?" if self.version < 0 else str(self.version)
        rhel = {-1: "?", -2: "-"}.get(self.rhel, str(self.rhel))
        return f"{version}:{self.api}:{rhel}"


def use(program: Path, campaign: Optional[Campaign] = None) -> None:
    """Let this program answer from now on, with the names of a campaign."""
    if reader.use(program, campaign):
        _ask.cache_clear()


def read(data: bytes, *, undefined: Sequence[bytes] = (),
         kernels: Sequence[Kernel] = ()) -> tuple[Row, ...]:
    """Return the directives of a text that decide about what follows them.

    undefined: names that nothing defines. kernels: what row.kernels is of.
    """
    if b"if" not in data and b"\\" not in data:
        return ()               # a splice may stand in the word, too
    return _ask(data, tuple(undefined), tuple(kernels))


@functools.lru_cache(maxsize=32)
def _ask(data: bytes, undefined: tuple[bytes, ...],
         kernels: tuple[Kernel, ...]) -> tuple[Row, ...]:
    command = [*reader.command(), "--conditionals"]
    for name in undefined:
        command += ["--undefined", os.fsdecode(name)]
    for kernel in kernels:
        command += ["--kernel", kernel.spelt()]
    try:
        done = subprocess.run(command, input=data, capture_output=True,
                              check=False)
    except OSError as error:
        raise CensusError(
            f"{command[0]}: {error.strerror}: make builds it; start this by "
            "make") from error
    if done.returncode != 0:
        said = os.fsdecode(done.stderr).strip().splitlines()
        raise CensusError(said[-1] if said else
                          f"reader: ended with {done.returncode}")
    return rows(done.stdout, len(kernels))


def rows(printed: bytes, kernels: int = 0) -> tuple[Row, ...]:
    """Return the rows that the program has printed."""
    return tuple(_row(line, kernels)
                 for line in printed.split(b"\n") if line)


def _row(line: bytes, kernels: int) -> Row:
    cells = line.split(b"\t")
    if len(cells) != 6 or not cells[0].isdigit() or \
            cells[1].decode("latin-1") not in _KINDS or \
            cells[2] not in (b"n", b"y", b"?") or \
            len(cells[5]) not in (0, kernels):
        raise CensusError(f"reader: row is not one: {os.fsdecode(line)!r}")
    return Row(int(cells[0]), cells[1].decode(), cells[2].decode(),
               cells[3].decode(),
               tuple(name for name in cells[4].split(b",") if name),
               cells[5].decode())
