# SPDX-License-Identifier: GPL-2.0-only
"""A campaign, as data: what one API change is.

campaigns.py reads it from the tables in its folder. Nothing else in scripts/
has a name of a kernel API.

Data:   the dataclasses below, which never change.
Units:  objects count arguments from 1. Releases are as LINUX_VERSION_CODE.
Errors: none.
Source: the comments at the top of campaign.tsv and names.tsv; design.md.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Optional

NAMES = "names.tsv"
RULES = ("migrate", "misuse")


class Unit(enum.Enum):
    """What is decided about as a whole."""

    TYPE = "type"            # a variable and all that must have its type
    CALL = "call"            # each use alone
    MAPPING = "mapping"      # one list, from its mapping to its unmapping


class Kind(enum.Enum):
    """What a name of the table is."""

    TYPE = "type"
    LOOP = "loop"
    START = "start"
    NEXT = "next"
    ADDRESS = "address"
    PAGE = "page"
    CALL = "call"
    FIELD = "field"
    # What follows is not counted.
    BASE = "base"
    MEMBER = "member"
    HOLDER = "holder"
    WRAPPER = "wrapper"
    GUARD = "guard"

    @property
    def counted(self) -> bool:
        return self in _COUNTED


_COUNTED = frozenset((Kind.TYPE, Kind.LOOP, Kind.START, Kind.NEXT,
                      Kind.ADDRESS, Kind.PAGE, Kind.CALL, Kind.FIELD))


class Step(enum.Enum):
    """What a call does with a list, where the unit is a mapping."""

    MAP = "map"
    SYNC = "sync"
    UNMAP = "unmap"


class Callers(enum.Enum):
    """Which API the callers in a tree may use."""

    OLD = "old"
    NEW = "new"
    BOTH = "both"


@dataclass(frozen=True)
class Name:
    """One row of names.tsv."""

    name: str                # `struct TAG`, `.FIELD` or an identifier
    kind: Kind
    argument: int            # of the iterator, from 1; 0 where it has none
    declared: bool           # a field that counts behind an iterator only
    since: int               # GUARD: the first release, -1 = as the side is
    side: str                # Side.word, "" for either
    becomes: str             # a name, "" for none

    @property
    def word(self) -> str:
        """Return the identifier in the name."""
        return self.name.split()[-1].lstrip(".")


@dataclass(frozen=True)
class Side:
    """One of the two APIs."""

    word: str                # in names.tsv
    term: str                # in sentences
    since: int               # the first release that has it, -1 = not known


@dataclass(frozen=True)
class State:
    """What a tree has of the API, recognised by one declaration."""

    name: str
    callers: Callers
    file: str                # relative to the tree
    pattern: re.Pattern[bytes]


@dataclass(frozen=True)
class Part:
    """One declaration of the new API; a tree has all of them or none."""

    name: str                # in sentences
    file: str
    pattern: re.Pattern[bytes]


@dataclass(frozen=True)
class Refusal:
    """What makes a tree one that a person has to look at."""

    states: frozenset[str]   # State.name, or ANY or UNKNOWN alone
    has: bool                # refused with what the pattern matches, or without
    file: str
    pattern: re.Pattern[bytes]
    sentence: str            # {} is the last group of the pattern


ANY, UNKNOWN = "any", "unknown"


@dataclass(frozen=True)
class Patch:
    """A step of the chain."""

    start: str               # State.name
    end: str
    path: Path


@dataclass(frozen=True)
class Fix:
    """A patch that corrects the API of a tree without a change of state."""

    state: str               # State.name
    path: Path
    file: str
    done: re.Pattern[bytes]  # what a tree has that does not need it


class Where(enum.Enum):
    """What becomes of the lines that an anchor matches."""

    AFTER = "after"          # they stay, the hunk comes after them
    REPLACE = "replace"      # the hunk takes their place
    INSIDE = "inside"        # so, without the first and last line of the hunk


@dataclass(frozen=True)
class Anchor:
    """Where a hunk goes whose old lines are not there."""

    state: str               # State.name that the patch starts in
    file: str
    line: bytes              # the beginning of a line that only it adds
    where: Where
    pattern: re.Pattern[bytes]


@dataclass(frozen=True)
class Need:
    """A name whose sites need a state that takes the old API."""

    word: str
    place: str               # ANY, or where the census finds the site


@dataclass(frozen=True)
class Role:
    """Calls that do one thing with a list, with the same arguments."""

    step: Step
    names: tuple[str, ...]
    list: int                # which argument the list or table is, from 1
    count: int               # and which the count; 0: a table has its own


@dataclass(frozen=True)
class Walk:
    """A loop or start: which arguments are its list, count and offset."""

    word: str
    list: int                # from 1
    count: int
    offset: int


@dataclass(frozen=True)
class Read:
    """What reads the new side of the entry that a field gives."""

    word: str
    call: bool               # a function that takes it, or a member of it
    address: bool            # it gives the address itself


@dataclass(frozen=True)
class Framework:
    """Code outside of a driver that maps the lists that it hands out."""

    name: str                # as people call it
    gives: bytes             # a function that returns such a table, or
    struct: bytes            # the tag of a structure that has one
    files: tuple[str, ...]   # where it maps; one of them is in a tree


# The sentences that a campaign may word itself, with what is said otherwise.
# {old} and {new} are the terms of the two APIs, {accessor} is the function that
# gives an address; the other words are those of the place that says it.
SAYINGS = {
    # verdicts
    "api": "this is the {old} itself",
    "holder": "this type of the API has a {old} inside",
    "page-walk": "it uses the {old} alone, which is right",
    "page-walk-beside": "it uses the {old} alone, which is right; what was "
                        "beside it is converted",
    "call-kept": "no rule converts this call",
    "guard-here": "this kernel has the {new}, and {guard} shows it code for "
                  "kernels without; ask for the API there, not for a version",
    "guard-new": "{guard} shows this code to kernels that have the {new}, and "
                 "it uses the {old}; convert it for them by hand",
    "guard-alone": "{guard} keeps this code for older kernels, and nothing "
                   "here is for those with the {new}; write that by hand",
    "unknown": "decide by hand which API it needs",
    "offset": "offset {offset} now counts by the {new}",
    "old-api": "uses the {old}; apply converts it",
    # counts
    "mapper": "the mapping",
    "count-entries": "it counts all entries, which may be more than were "
                     "mapped",
    # what a person has to check
    "check-offset": "The offset '{offset}' counts by the {new} now.",
    # mails; slug is a part of their identifiers
    "slug": "",
    "change": "use the {new}",
    "change-short": "use the {new}",
    "adds": "add the {new}",
    "why": "The {old} is to be replaced by the {new}.",
    "patch-adds": "Patch 1 adds the {new}.",
    "patch-mends": "correct{s} the {new}.",
    "patch-ends": "makes it an error to use the {old}.",
    "both": "both APIs are accepted",
    "both-still": "Both APIs are still accepted afterwards",
    "upstream": "",
    "upstream-and-users": "",
    "lone": "{home} has no maintainer in MAINTAINERS.",
    "entries": "{what} may be more than were mapped.",
    "entries-all": "All entries are counted, which may be more than were "
                   "mapped.",
    "fills": "now [gives|give] what the {new} has, which can be more than "
             "before. Please confirm that what is filled has room for it.",
    "offset-mail": "The offset {offset} in {{names}} now counts by the {new}. "
                   "Please confirm that this is what is meant.",
}


@dataclass(frozen=True)
class Campaign:
    name: str
    folder: Path             # of the tables and the rules
    patches: Path            # folder of the patches
    fixtures: Path           # folder of the cases
    title: str
    summary: str
    link: str                # "" for none
    unit: Unit
    old: Optional[Side]
    new: Optional[Side]
    api: tuple[str, ...]     # the files that define the API, by tree
    states: tuple[State, ...]
    parts: tuple[Part, ...]
    refusals: tuple[Refusal, ...]
    chain: tuple[Patch, ...]
    fixes: tuple[Fix, ...]
    anchors: tuple[Anchor, ...]
    needs: tuple[Need, ...]
    walks: tuple[Walk, ...]
    reads: tuple[Read, ...]
    frameworks: tuple[Framework, ...]
    patterns: Mapping[str, re.Pattern[bytes]]    # maps, builds, ...
    sayings: Mapping[str, str]       # of SAYINGS, in its own words
    names: tuple[Name, ...]
    roles: tuple[Role, ...] = ()     # for Unit.MAPPING

    @property
    def migrate(self) -> tuple[Path, ...]:
        """Return the rules that convert, in the order of their names."""
        return tuple(rule_files(self.folder, "migrate"))

    @property
    def misuse(self) -> tuple[Path, ...]:
        """Return the rules that report mistakes."""
        return tuple(rule_files(self.folder, "misuse"))

    @property
    def tree(self) -> Path:
        """Return the small tree that stands in where no kernel is named."""
        return self.fixtures / "tree"

    @property
    def table(self) -> Path:
        """Return the table of names, which the reader of C gets."""
        return self.folder / NAMES

    @cached_property
    def tokens(self) -> frozenset[str]:
        """Return the words that a rule may wait for."""
        return frozenset(
            name.name if name.kind is Kind.FIELD else name.word
            for name in self.names if name.kind.counted)

    def state(self, callers: Callers) -> Optional[State]:
        """Return the state of a tree whose callers may use these APIs."""
        return next((state for state in self.states
                     if state.callers is callers), None)

    @cached_property
    def home(self) -> tuple[str, ...]:
        """Return the files that define the API, sources before headers."""
        return tuple(sorted(self.api, key=lambda file: file.endswith(".h")))

    @property
    def old_term(self) -> str:
        """Return what a sentence calls the old API."""
        return self.old.term if self.old else "old API"

    @property
    def new_term(self) -> str:
        """Return what a sentence calls the new API."""
        return self.new.term if self.new else "new API"

    def needed(self, token: str, place: str) -> bool:
        """Tell whether a site that stays needs a state with the old API.

        Without a row that limits it, every name of the old API does.
        """
        if not self.needs:
            return any(name.side == (self.old.word if self.old else "")
                       and token in (name.name, name.word)
                       for name in self.names if name.kind.counted)
        return any(need.word == token and need.place in (ANY, place)
                   for need in self.needs)

    @property
    def slug(self) -> str:
        """Return the word that identifiers of mails have."""
        return self.says("slug") or self.name

    def says(self, code: str) -> str:
        """Return a sentence of SAYINGS, in the campaign's own words."""
        return self.sayings.get(code, SAYINGS[code])

    def words(self, *kinds: Kind) -> tuple[str, ...]:
        """Return the identifiers of these kinds, in the table's order."""
        return tuple(name.word for name in self.names if name.kind in kinds)


def rule_files(folder: Path, *below: str) -> list[Path]:
    """Return the rules in folders of a campaign; those under work are none."""
    return [path for name in below or RULES
            for path in sorted((folder / name).rglob("*.cocci"))
            if not path.name.endswith(".pending.cocci")]
