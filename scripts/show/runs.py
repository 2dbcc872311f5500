# SPDX-License-Identifier: GPL-2.0-only
"""Keep beside the files of OUT which run wrote them, and read them back.

A ledger has no name of a tree and no time, so that the same tree gives the
same bytes. `change.json` has them for `ledger.tsv` and `edits.patch`, and
`check.json` for `findings.json`, each with the SHA-256 of the files that it is
about. A run that was killed between two files leaves a sum that does not
match, and such files are refused: a page must not mix two runs as one.

Data:   Run + {name: bytes} -> JSON; OUT -> Run + {name: bytes}.
Units:  time in UTC, seconds.
Errors: RunsError, when the files are of more than one run, or are not ours.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

VERSION = 1
CHANGE, CHECK = "change.json", "check.json"
FILES = {CHANGE: ("ledger.tsv", "edits.patch"), CHECK: ("findings.json",)}


class RunsError(Exception):
    """Files of OUT cannot be shown; the message names the run to repeat."""


@dataclass(frozen=True)
class Run:
    """Which run wrote some files."""

    verb: str
    tree: str                # absolute path
    kernel: str              # its version, "" when unknown
    campaign: str = ""
    part: str = ""           # the part of the tree that was judged, "" for all
    # What the run printed beside its sum.
    remarks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()      # `file:line: function(): question`
    core: tuple[str, ...] = ()       # changed files of the API itself
    time: str = ""


def now() -> str:
    """Return the time; SOURCE_DATE_EPOCH takes the place of the clock."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    zone = datetime.timezone.utc
    try:
        when = datetime.datetime.fromtimestamp(int(epoch), zone) if epoch \
            else datetime.datetime.now(zone)
    except (ValueError, OverflowError, OSError) as error:
        raise RunsError(f"SOURCE_DATE_EPOCH={epoch[:40]}: not seconds since "
                        "1970 that a calendar has") from error
    return when.strftime("%Y-%m-%d %H:%M:%S UTC")


def about(run: Run, files: Mapping[str, bytes]) -> bytes:
    """Return the JSON that says which run wrote these files."""
    return json.dumps({"version": VERSION, **asdict(run), "sums": {
        name: _sum(data) for name, data in files.items()}},
        indent=1, sort_keys=True).encode() + b"\n"


def read(out: Path, name: str) -> tuple[Run, dict[str, bytes]] | None:
    """Return a run and its files; None where OUT has none of them."""
    names = FILES[name]
    if not any((out / each).is_file() for each in names):
        return None
    again = "make check" if name == CHECK else "make preview"
    try:
        made = json.loads((out / name).read_bytes())
        files = {each: (out / each).read_bytes() for each in names}
    except FileNotFoundError as error:
        raise RunsError(f"{error.filename}: missing, so the run that wrote "
                        f"{out / names[0]} is unknown: run {again} again"
                        ) from error
    except ValueError as error:
        raise RunsError(f"{out / name}: not as sgwalk wrote it: run {again} "
                        "again") from error
    if not isinstance(made, dict) or made.pop("version", 0) != VERSION:
        raise RunsError(f"{out / name}: of another sgwalk: run {again} again")
    sums = made.pop("sums", {})
    for each, data in files.items():
        if sums.get(each) != _sum(data):
            raise RunsError(f"{out / each}: not of the run that {name} is "
                            f"about: run {again} again")
    try:
        return Run(**{key: tuple(value) if isinstance(value, list) else value
                      for key, value in made.items()}), files
    except TypeError as error:
        raise RunsError(f"{out / name}: not as sgwalk wrote it: run {again} "
                        "again") from error


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
