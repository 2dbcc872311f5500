# SPDX-License-Identifier: GPL-2.0-only
"""What is built, and what came of it, as data.

Data:   Step, Object, Built and Report; Room is the folder of one run.
Units:  section sizes in bytes; lines 1-based in the file as a step leaves it.
Errors: VerifyError, which verify.py raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_ARCHES = {"x86_64": "x86", "i686": "x86", "aarch64": "arm64",
           "ppc64le": "powerpc", "s390x": "s390", "riscv64": "riscv"}


class VerifyError(Exception):
    """Nothing can be compiled here; the message says what is missing."""


@dataclass(frozen=True)
class Step:
    name: str
    contents: Mapping[str, bytes]    # the files it changes, as it leaves them


@dataclass(frozen=True)
class Object:
    """A touched object that built before and after."""

    name: str                        # "drivers/a/b.o"
    functions: tuple[str, ...]       # whose code changed; sorted
    added: tuple[str, ...]           # those of them that are new
    gone: tuple[str, ...]            # and those that are no more
    sizes: tuple[tuple[int, int], ...]   # text, data, bss: before and after
    identical: bool                  # to the byte


@dataclass(frozen=True)
class Built:
    step: str
    objects: tuple[Object, ...]
    warnings: tuple[str, ...]        # new ones: "file: warning: text"
    failed: tuple[tuple[str, str], ...]      # built before: object, error
    same: tuple[str, ...]            # untouched and byte-identical
    differ: tuple[str, ...]          # untouched, yet not identical
    changed: int                     # lines of code that the step changes
    unreached: tuple[tuple[str, int], ...]   # of those, in no object


@dataclass(frozen=True)
class Report:
    machine: str
    compiler: str                    # "gcc 12.2.0"
    steps: tuple[Built, ...]
    unbuilt: tuple[tuple[str, str], ...]     # not before either: object, why
    unwatched: tuple[tuple[str, str], ...]   # the same of untouched ones

    @property
    def good(self) -> bool:
        return not any(step.warnings or step.failed or step.differ
                       for step in self.steps)


@dataclass(frozen=True)
class Room:
    """Where one tree is built."""

    folder: Path
    jobs: int
    machine: str
    version: tuple[int, int]

    @property
    def src(self) -> Path:
        return self.folder / "src"

    @property
    def build(self) -> Path:
        return self.folder / "build"

    @property
    def arch(self) -> str:
        return _ARCHES.get(self.machine, self.machine)
