# SPDX-License-Identifier: GPL-2.0-only
"""The names of the campaign of this run, as the bytes of C.

A run is about one campaign. make_plan() and the command line choose it with
use(); without that it is the default one. Whoever reads or writes C asks here
for names, and whoever writes a sentence asks for its words.

Data:   Campaign -> Api.
Units:  arguments count from 0 here, as Text.arguments() does.
Errors: none; campaigns.py has refused what does not fit together.
Source: names.tsv and campaign.tsv.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Optional

from read import campaigns
from read.campaign import Campaign, Framework, Kind


class Side(enum.Enum):
    """Which of the two APIs a type, a name or a use belongs to."""

    OLD = "old"
    NEW = "new"


@dataclass(frozen=True)
class Takes:
    """A function or macro that takes an iterator."""

    kind: Kind               # a WRAPPER takes it as a LOOP does
    argument: int            # which one it is
    side: Optional[Side]     # the type that it needs, None for either


@dataclass(frozen=True)
class Walk:
    """Which arguments of a walk are the list, the count and the offset."""

    list: int
    count: int
    offset: int

    @property
    def arguments(self) -> int:
        """Return how many arguments it takes."""
        return 1 + max(self.list, self.count, self.offset)


class Api:
    """What a campaign says about C."""

    def __init__(self, campaign: Campaign) -> None:
        self.campaign = campaign
        sides = {side.word: kind for side, kind in (
            (campaign.old, Side.OLD), (campaign.new, Side.NEW)) if side}
        rows = [(name, name.word.encode()) for name in campaign.names]
        counted = [row for row in rows if row[0].kind.counted]
        # Tag of a type -> whose it is.
        self.types = {word: sides[name.side] for name, word in rows
                      if name.kind is Kind.TYPE and name.side in sides}
        self.takes: Mapping[bytes, Takes] = {
            word: Takes(Kind.LOOP if name.kind is Kind.WRAPPER else name.kind,
                        name.argument - 1, sides.get(name.side))
            for name, word in rows if name.argument}
        self.wrappers = frozenset(word for name, word in rows
                                  if name.kind is Kind.WRAPPER)
        # Macros loop; the others are functions, whose definition looks like
        # a use.
        self.functions = frozenset(
            word for word, takes in self.takes.items()
            if takes.kind is not Kind.LOOP)
        self.calls = frozenset(word for name, word in rows
                               if name.kind is Kind.CALL)
        self.words = frozenset(word for name, word in counted
                               if name.kind is not Kind.FIELD)
        self.fields = tuple(word for name, word in rows
                            if name.kind is Kind.FIELD)
        # Fields whose name alone tells that they are this API's.
        self.own_fields = frozenset(
            word for name, word in rows
            if name.kind is Kind.FIELD and not name.declared)
        self.members = (*self.fields, *(word for name, word in rows
                                        if name.kind is Kind.MEMBER))
        self.base = next((word for name, word in rows
                          if name.kind is Kind.BASE), b"")
        # A condition with one of these asks whether the new API is there.
        self.guard_words = tuple(
            word for name, word in rows if name.kind is Kind.GUARD
            and name.since < 0 and sides.get(name.side) is Side.NEW)
        self.holders = frozenset(word for name, word in rows
                                 if name.kind is Kind.HOLDER)
        twins = {name.name: word for name, word in rows}
        self.renames = {word: twins[name.becomes] for name, word in counted
                        if name.becomes}
        # What only the new API has, counted or not.
        self.brought = frozenset(twins[name.becomes] for name, _ in rows
                                 if name.becomes)
        self.walks: Mapping[bytes, Walk] = {
            walk.word.encode(): Walk(walk.list - 1, walk.count - 1,
                                     walk.offset - 1)
            for walk in campaign.walks}
        # Those that a tree with the old API has.
        self.old_walks = tuple(
            word for word in self.walks
            if word in self.takes and self.takes[word].side is not Side.NEW)
        self.accessors = frozenset(
            word for word, takes in self.takes.items()
            if takes.kind is Kind.ADDRESS)
        # What reads the new side of the entry that a field gives.
        self.read_calls = tuple(read.word.encode() for read in campaign.reads
                                if read.call)
        self.read_members = tuple(read.word.encode()
                                  for read in campaign.reads if not read.call)
        self.read_addresses = tuple(read.word.encode()
                                    for read in campaign.reads if read.address)

    @cached_property
    def brings(self) -> re.Pattern[str]:
        """Match what only code of the new API has."""
        words = [*self.brought, *self.accessors]
        parts = [re.escape(word.decode()) for word in sorted(words)]
        parts += [rf"(?:\.|->){self.base.decode()}\b"] if self.base else []
        return re.compile("|".join(parts) or "(?!)")

    def tag(self, side: Side) -> bytes:
        """Return the tag of the type of one side, b"" for none."""
        return next((tag for tag, its in self.types.items() if its is side),
                    b"")

    def first(self, kind: Kind, side: Optional[Side] = None) -> bytes:
        """Return the first name of a kind, b"" for none."""
        return next((word for word, takes in self.takes.items()
                     if takes.kind is kind and side in (None, takes.side)),
                    b"")

    @property
    def accessor(self) -> str:
        """Return what a sentence calls the function that gives an address."""
        return self.first(Kind.ADDRESS).decode() + "()"

    @property
    def old(self) -> str:
        return self.campaign.old_term

    @property
    def new(self) -> str:
        return self.campaign.new_term

    @property
    def mapper(self) -> str:
        """Return what a sentence calls the function that maps a list."""
        return self.campaign.says("mapper")

    def say(self, code: str, **words: str) -> str:
        """Return a sentence of the campaign with its words filled in."""
        return self.campaign.says(code).format(
            old=self.old, new=self.new, accessor=self.accessor, **words)

    @cached_property
    def maps(self) -> re.Pattern[bytes]:
        """Match the names of the functions that map a list."""
        return self._any("maps")

    @cached_property
    def builds(self) -> re.Pattern[bytes]:
        """Match the functions that make a list of whole pages."""
        return self._any("builds")

    @cached_property
    def builds_otherwise(self) -> re.Pattern[bytes]:
        return self._any("builds-otherwise")

    @property
    def frameworks(self) -> tuple[Framework, ...]:
        return self.campaign.frameworks

    def _any(self, key: str) -> re.Pattern[bytes]:
        found = self.campaign.patterns.get(key)
        return re.compile(rb"(?!)") if found is None else found


_used: Optional[Api] = None


def use(campaign: Campaign) -> Api:
    """Let this campaign answer from now on."""
    global _used
    if _used is None or _used.campaign is not campaign:
        _used = Api(campaign)
    return _used


def now() -> Api:
    """Return the names of the campaign of this run."""
    return _used or use(campaigns.load())
