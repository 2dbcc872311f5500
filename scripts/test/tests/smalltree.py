# SPDX-License-Identifier: GPL-2.0-only
"""Make small kernel trees for tests, and the census that reads them.

Data:   {file: bytes} -> a folder that is a kernel tree with these files.
Source: headers and library of fixtures/sg-dma-page/tree, which has the old API.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Mapping, Optional

from judge.plan import Settings

ROOT = Path(__file__).resolve().parents[3]
CASES = ROOT / "fixtures/sg-dma-page"
EMBEDDED = CASES / "tree"
MIGRATE = tuple(sorted(
    (ROOT / "cocci/sg-dma-page/migrate").glob("*.cocci")))
# What runtests.py shares between the modules of one run, where it has.
CACHE = Path(os.environ["SGWALK_CACHE"]) if "SGWALK_CACHE" in os.environ \
    else None
_API = ("Makefile", "include/linux/scatterlist.h", "lib/scatterlist.c")


def make(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write a kernel tree with these files, and return it."""
    for name in _API:
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(EMBEDDED / name, place)
    for name, data in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    return folder


def git(folder: Path, *words: str) -> str:
    """Run git in a folder with a name of its own, and return what it says."""
    return subprocess.run(
        ["git", "-c", "user.name=T", "-c", "user.email=t@example.org", "-C",
         str(folder), *words], check=True, capture_output=True,
        text=True).stdout


def commit(folder: Path) -> None:
    git(folder, "init", "-q")
    git(folder, "add", "-A", "-f", ".")
    git(folder, "commit", "-qm", "tree")


@functools.lru_cache(maxsize=None)
def census() -> Path:
    """Return the reader that make has built, or build it once a process."""
    if "SGWALK_READER" in os.environ:
        return Path(os.environ["SGWALK_READER"])
    program = Path(tempfile.mkdtemp(prefix="sgwalk-reader-")) / "reader"
    subprocess.run(["cc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror",
                    "-pthread", "-o", str(program),
                    *map(str, sorted(ROOT.glob("scripts/reader/*.c")))],
                   check=True)
    return program


def settings(jobs: int = 2, rules: tuple[Path, ...] = MIGRATE, *,
             cache: Optional[Path] = CACHE, timeout: int = 200,
             fix: bool = False) -> Settings:
    """Return what a plan needs to know, as the command line has it."""
    return Settings(census(), rules, jobs, timeout, cache=cache, fix=fix)


def migrate(*words: str, out: Path,
            **more: str) -> "subprocess.CompletedProcess[str]":
    """Run the command line as make does; OUT has the census."""
    (out / "bin").mkdir(parents=True, exist_ok=True)
    if not (out / "bin/reader").exists():
        shutil.copy(census(), out / "bin/reader")
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts/migrate.py"), *words,
         f"--out={out}"], capture_output=True, text=True,
        errors="surrogateescape", stdin=subprocess.DEVNULL, check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **more})
