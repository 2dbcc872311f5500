# SPDX-License-Identifier: GPL-2.0-only
"""Say who owns a file, and which files belong in one patch.

The tree's own scripts/get_maintainer.pl is asked, because no other reader of
MAINTAINERS agrees with it about X:, N: and K: lines. It is asked once a
file, several at a time, without git history and without the caller's
configuration files, so that its answer depends on the tree alone.

Data:   files -> Owner; Owners and units of files -> Group, in sending order.
        Addresses are as mail headers have them: "Name <box@host>".
Units:  none.
Errors: MaintainersError, when the script is absent or fails.
Source: output of get_maintainer.pl --rolestats --subsystem of v4.10, v4.20 and
        v6.12; tests/test_maintainers.py holds it in place.
"""

from __future__ import annotations

import concurrent.futures
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from host import repo, scratch

# A series with more user patches than this is refused by some lists.
CAP = 15
_SCRIPT = "scripts/get_maintainer.pl"
# "Name <box@host> (maintainer:SECTION)", "list@host (open list)".
_LINE = re.compile(r"^(?P<who>.*\S)\s+\((?P<role>[a-z][a-z _-]*)(?::.*)?\)$")
# The script hands some names to a shell; these it may have.
_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+=@,-]*")
# The columns of Owner that people() fills, in its order.
_ROLES = ("takes", "copied", "list")
# The section that matches every file says nothing about who owns one.
_REST = "THE REST"


class MaintainersError(Exception):
    """Nobody can be named; the message names the file and the cause."""


@dataclass(frozen=True)
class Owner:
    subsystem: str           # section of MAINTAINERS; "" when only THE REST
    people: tuple[str, ...]  # who takes the patch; sorted
    copied: tuple[str, ...]  # reviewers; sorted
    lists: tuple[str, ...]   # sorted


@dataclass(frozen=True)
class Group:
    """The files of one patch."""

    name: str                # the subsystem, or the folder without one
    top: str                 # the first folders: what chunks are made of
    files: tuple[str, ...]   # sorted
    owner: Owner             # of all the files together
    note: str                # why it is not by subsystem; "" when it is


def find(root: Path) -> None:
    """Refuse a tree that cannot say who owns a file."""
    if not (root / _SCRIPT).is_file():
        raise MaintainersError(f"{root}: no {_SCRIPT}: a series is cut by "
                               "what it says")


def owners(root: Path, files: Iterable[str], jobs: int) -> dict[str, Owner]:
    """Ask the tree who owns each file."""
    wanted = sorted(set(files))
    find(root)
    with scratch.folder("sgwalk-home.") as home, \
            concurrent.futures.ThreadPoolExecutor(max(1, jobs)) as pool:
        return dict(zip(wanted, pool.map(
            lambda file: _ask(root, file, home), wanted)))


def group(found: Mapping[str, Owner],
          together: Sequence[Sequence[str]],
          apart: bool = False) -> list[Group]:
    """Put files of one subsystem in one group, and units in one piece.

    apart: each unit is a group of its own.
    """
    members: dict[tuple[str, str], set[str]] = {}
    for unit in _units(sorted(found), together):
        members.setdefault((_key(unit, found), unit[0] if apart else ""),
                           set()).update(unit)
    groups = [_group(key, sorted(files), found)
              for (key, _), files in members.items()]
    return sorted(groups, key=lambda one: (one.top, one.files))


def people(table: Path) -> Owner:
    """Return those whom a table names, whatever a tree's MAINTAINERS says."""
    found: dict[str, set[str]] = {role: set() for role in _ROLES}
    for number, row in enumerate(table.read_text("utf-8").splitlines(), 1):
        if row.startswith("#"):
            continue
        role, _, rest = row.partition("\t")
        who, _, why = rest.partition("\t")
        if role not in _ROLES or "@" not in who or not why:
            raise MaintainersError(f"{table}:{number}: not a role of "
                                   f"{', '.join(_ROLES)}, an address and why")
        found[role].add(who)
    return Owner("", *(tuple(sorted(found[role])) for role in _ROLES))


def merge(many: Iterable[Owner], subsystem: str = "") -> Owner:
    """Return everybody of the owners, each in the role that counts most."""
    every = list(many)
    people = {who for one in every for who in one.people}
    lists = {who for one in every for who in one.lists}
    copied = {who for one in every for who in one.copied} - people
    return Owner(subsystem, tuple(sorted(people)), tuple(sorted(copied)),
                 tuple(sorted(lists)))


def top_folder(file: str) -> str:
    """Return the folders that stand for a top-level subsystem."""
    folders = PurePosixPath(file).parts[:-1]
    deep = {"drivers", "include", "arch", "sound", "tools"}
    return "/".join(folders[:2 if folders[:1] and folders[0] in deep else 1])


def _ask(root: Path, file: str, home: Path) -> Owner:
    if not _SAFE.fullmatch(file):
        return Owner("", (), (), ())
    try:
        done = subprocess.run(
            ["perl", _SCRIPT, "--nogit", "--nogit-fallback", "--rolestats",
             "--subsystem", "-f", file],
            cwd=root, env=repo.neutral(home), stdin=subprocess.DEVNULL,
            capture_output=True, timeout=60)
    except FileNotFoundError as error:
        raise MaintainersError(f"{file}: {_SCRIPT}: perl not found: install "
                               "perl") from error
    except subprocess.TimeoutExpired as error:
        raise MaintainersError(f"{file}: {_SCRIPT}: no answer in 60 s"
                               ) from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise MaintainersError(f"{file}: {_SCRIPT}: " + (
            said[-1] if said else f"exit status {done.returncode}"))
    return _parse(done.stdout.decode("utf-8", "surrogateescape"))


def _parse(text: str) -> Owner:
    people, copied, lists, sections = set(), set(), set(), []
    for line in text.splitlines():
        if "@" not in line:
            sections.append(line.strip())
            continue
        known = _LINE.match(line)
        who = known["who"] if known else line.strip()
        role = known["role"] if known else ""
        if role.endswith("list"):
            lists.add(who)
        elif role == "reviewer" or not role:
            copied.add(who)
        else:
            people.add(who)
    # The most specific section comes first.
    named = [one for one in sections if one and one != _REST]
    return Owner(named[0] if named else "", tuple(sorted(people)),
                 tuple(sorted(copied - people)), tuple(sorted(lists)))


def _units(files: Sequence[str],
           together: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """Return the files as sets that may not be torn apart."""
    unit = {file: {file} for file in files}
    for tied in together:
        joined: set[str] = set()
        for file in tied:
            joined |= unit.get(file, set())
        for file in joined:
            unit[file] = joined
    return sorted({tuple(sorted(one)) for one in unit.values()})


def _key(unit: Sequence[str], found: Mapping[str, Owner]) -> str:
    """Return the subsystem of a unit: that of its C files before headers."""
    for file in sorted(unit, key=lambda name: (name.endswith(".h"), name)):
        if found[file].subsystem:
            return found[file].subsystem
    return "\0" + str(PurePosixPath(unit[0]).parent)


def _group(key: str, files: Sequence[str],
           found: Mapping[str, Owner]) -> Group:
    owner = merge((found[file] for file in files), key.lstrip("\0"))
    first = min(files, key=lambda name: (name.endswith(".h"), name))
    if not key.startswith("\0"):
        return Group(key, top_folder(first), tuple(files), owner, "")
    folder = key[1:]
    return Group(folder, top_folder(first), tuple(files),
                 Owner("", owner.people, owner.copied, owner.lists),
                 f"{', '.join(files)}: in no section of MAINTAINERS, "
                 f"grouped by folder")
