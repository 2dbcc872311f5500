# SPDX-License-Identifier: GPL-2.0-only
"""Bind every use of an iterator to its declaration, and judge the whole.

An iterator has one type for all of its uses, so the thing to decide about is
not a site but a unit: the declaration, the loops and accessors that name the
variable, the parameters it is handed to, and their callers. This module finds
the units of a set of files from their tokens alone, without Coccinelle. It
never rewrites: rules propose, and a unit can only say whether what they leave
behind has one type throughout.

A unit whose uses are all of one side is consistent. A name counts as a use of
the side that the campaign's table gives it, also where the old API let it take
the other type: that is the mistake which a campaign mends.

Data:   {file: Text} -> list[Unit]; a Unit holds Decls and Uses.
Units:  token indices into Text.tokens; ranges are half open.
Errors: none: what cannot be bound is a unit of its own, marked as such.
Source: the campaign's table of names.
"""

from __future__ import annotations

import bisect
import enum
import functools
import os
import re
from dataclasses import dataclass, field, replace
from typing import Iterable, Mapping, Optional

from read import api as names
from read.api import Side
from read.campaign import Kind
from read.ctext import Function, Text

# The sides of the API: the iterator of the old one, and of the new one.
PAGE, DMA = Side.OLD, Side.NEW


class Act(enum.Enum):
    """What a use does with the iterator."""

    LOOP = "loop"            # a loop macro, and what wraps one
    START = "start"          # the function that begins a walk
    NEXT = "next"            # the function that goes one step
    ADDRESS = "address"      # the accessor of the new side
    PAGE = "page"            # the accessor of the old side
    FIELD = "field"          # a field read or written
    CALL = "call"            # handed to a function
    TEST = "test"            # compared with NULL, made a number, cleared
    OTHER = "other"          # anything else: it escapes


_ACTS = {Kind.LOOP: Act.LOOP, Kind.START: Act.START, Kind.NEXT: Act.NEXT,
         Kind.ADDRESS: Act.ADDRESS, Kind.PAGE: Act.PAGE}
_KEYWORDS = (b"if", b"while", b"switch", b"return", b"for", b"sizeof",
             b"likely", b"unlikely", b"WARN_ON", b"BUG_ON", b"WARN_ON_ONCE")
_OPERATORS = (b"sizeof", b"typeof", b"__typeof__", b"__typeof", b"_Alignof",
              b"__alignof__", b"offsetof", b"__builtin_offsetof", b"_Generic",
              b"__builtin_types_compatible_p", b"_Alignas", b"container_of")
_INTEGER = re.compile(rb"unsigned|long|int|uintptr_t|size_t|u64|u32|bool")
_NULL = (b"NULL", b"0")
_INCLUDE = re.compile(rb"(?:#|%:)(?:\s|/\*.*?\*/)*include(?:\s|/\*.*?\*/)*"
                      rb"[\"<]([^\">]+)[\">]", re.DOTALL)


@dataclass(frozen=True)
class Decl:
    """One name declared with an iterator type, or one bare use of the type."""

    file: str
    name: bytes              # empty for a cast, sizeof or abstract parameter
    # local param member global returned cast sized forward api typedef
    kind: str
    type: Side
    tag: int                 # the token `struct`, or the tag where it is bare
    at: int                  # the token of the name, -1 without one
    pointer: bool = False
    array: bool = False
    owner: bytes = b""       # function of a param or local; tag of a member
    index: int = -1          # which parameter
    start: int = 0           # scope
    end: int = 0


@dataclass(frozen=True)
class Use:
    file: str
    act: Act
    at: int                  # token of the API's name, the field or variable
    start: int               # the whole call, loop header or expression
    end: int
    lo: int                  # the iterator as it is written, & included
    hi: int
    type: Optional[Side]     # the type this use needs, None for either
    base: bool = False       # written with .base behind it
    callee: bytes = b""      # CALL: who is called, and with which argument
    index: int = -1
    name: bytes = b""        # the API's name


@dataclass
class Unit:
    """An iterator with everything that must have the same type."""

    decls: list[Decl] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    # API names that stand alone: definitions, exports, values.
    bare: list[tuple[str, int]] = field(default_factory=list)

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(sorted({d.file for d in self.decls}
                            | {u.file for u in self.uses}
                            | {file for file, _ in self.bare}))

    @property
    def types(self) -> set[Side]:
        return {d.type for d in self.decls}

    def has(self, *acts: Act) -> bool:
        return any(use.act in acts for use in self.uses)

    def tokens(self) -> Iterable[tuple[str, int]]:
        """Yield file and token of every place this unit stands at."""
        for decl in self.decls:
            yield decl.file, decl.tag
        for use in self.uses:
            yield use.file, use.at
        yield from self.bare

    @property
    def key(self) -> tuple[str, int]:
        return min(self.tokens())


def bind(texts: Mapping[str, Text]) -> list[Unit]:
    """Return the units of the files, by the place of their first token."""
    return _Binder(texts).units()


def is_static(text: Text, decl: Decl) -> bool:
    """Tell whether the function of a parameter is its file's alone."""
    if decl.kind == "member":
        return False
    return b"static" in text.words(text.item_start(decl.tag), decl.tag)


def is_extern(text: Text, decl: Decl) -> bool:
    """Tell whether a declaration leaves the definition to another one."""
    return b"extern" in text.words(_statement(text, decl.tag), decl.tag)


def together(texts: Mapping[str, Text], one: str, other: str) -> bool:
    """Tell whether one of two files includes the other."""
    return _includes(texts[one], other) or _includes(texts[other], one)


def trouble(unit: Unit) -> str:
    """Say why a unit has not one type throughout, "" when it has."""
    if len(unit.types) != 1:
        return "the iterator is declared with both types" if unit.types \
            else "the declaration of the iterator is not seen"
    side = next(iter(unit.types))
    api = names.now()
    given = f"a {api.old if side == PAGE else api.new}"
    for use in unit.uses:
        name = (use.name or use.callee).decode("latin-1")
        if use.act in (Act.OTHER, Act.CALL):
            return (f"the iterator is handed to {name}()"
                    if use.act is Act.CALL else
                    "the iterator is used in a way that no rule knows")
        if use.act is Act.FIELD and side == DMA:
            return f"a field of the {api.old} is used directly"
        if use.act is Act.START and use.base != (side == DMA):
            return f"{name}() is given {given}"
        if use.act not in (Act.START, Act.FIELD, Act.TEST) and (
                use.type != side or use.base):
            return f"{name}() is given {given}"
    for decl in unit.decls:
        if decl.kind in ("cast", "returned", "typedef", "forward"):
            return {"cast": "the iterator is cast or measured",
                    "returned": "a function returns the iterator",
                    "typedef": "the type has another name",
                    "forward": "the type is declared without its members",
                    }[decl.kind]
    return ""


class _Binder:
    """Finds declarations first, then binds every name to one of them."""

    def __init__(self, texts: Mapping[str, Text]) -> None:
        self.texts = texts
        self.decls: list[Decl] = []
        self.uses: list[tuple[int, Use]] = []
        self.bare: list[tuple[str, int]] = []
        self.parent: list[int] = []
        # (file, name) -> where the name stands that no variable has had yet
        self.places: dict[tuple[str, bytes], list[int]] = {}
        self.bound: set[tuple[str, int]] = set()     # where the uses stand

    def units(self) -> list[Unit]:
        for file, text in sorted(self.texts.items()):
            self._declarations(file, text)
        self.parent = list(range(len(self.decls)))
        self._same_type_token()
        self._same_variable()
        self._same_object()
        taken = {(decl.file, decl.at) for decl in self.decls}
        for number, decl in self._by_scope():
            self._variable(number, decl, taken)
        members = {decl.name for decl in self.decls if decl.kind == "member"}
        for file, text in sorted(self.texts.items()):
            self._members(file, text, members, taken)
            self._orphans(file, text, taken)
        self._calls()
        self._prototypes()
        self._measured()
        return self._collect()

    # --- declarations ------------------------------------------------------

    def _declarations(self, file: str, text: Text) -> None:
        types = names.now().types
        for at, token in enumerate(text.tokens):
            if token.kind == "id" and token.text in types:
                known = text.text(at - 1) == b"struct"
                self._declaration(file, text, at, at - 1 if known else at)

    def _declaration(self, file: str, text: Text, at: int, tag: int) -> None:
        kind = names.now().types[text.text(at)]
        function = text.function_of(at)
        after = text.text(at + 1)
        if after == b"{" and tag != at:
            self._add(file, b"", "api", kind, tag, -1)
            return
        if after == b";" and tag != at:
            self._add(file, b"", "forward", kind, tag, -1)
            return
        start = _statement(text, tag)
        if text.text(start) == b"typedef":
            self._add(file, b"", "typedef", kind, tag, -1)
            return
        opened = _opening(text, tag)
        if opened >= 0:
            self._parenthesised(file, text, at, tag, opened, function)
            return
        inside = _structure(text, at)
        for name, pointer, array, called in _declarators(text, at + 1):
            if called:
                self._add(file, text.text(name), "returned", kind, tag, name)
            elif inside is not None:
                self._add(file, text.text(name), "member", kind, tag, name,
                          pointer, array, inside)
            elif function is not None and at > function.open:
                self._add(file, text.text(name), "local", kind, tag, name,
                          pointer, array, function.name,
                          scope=(name, text.block_end(name)))
            else:
                self._add(file, text.text(name), "global", kind, tag, name,
                          pointer, array, scope=(name, len(text.tokens)))

    def _parenthesised(self, file: str, text: Text, at: int, tag: int,
                       opened: int, function: Optional[Function]) -> None:
        """Add a type inside parentheses: a parameter, a cast or a sizeof."""
        kind = names.now().types[text.text(at)]
        stars = at + 1
        while text.text(stars) in (b"*", b"const", b"restrict"):
            stars += 1
        pointer = b"*" in text.words(at + 1, stars)
        inside = function is not None and at > function.open
        named = text.tokens[stars].kind == "id" if stars < len(text.tokens) \
            else False
        if inside and (not named or text.text(opened - 1) == b"for"):
            if named:
                assert function is not None
                self._add(file, text.text(stars), "local", kind, tag, stars,
                          pointer, False, function.name,
                          scope=(stars, function.close))
            else:
                self._add(file, b"", "cast" if pointer or text.text(
                    opened - 1) != b"sizeof" else "sized", kind, tag, -1)
            return
        callee = text.text(opened - 1)
        index = next((nth for nth, (lo, hi) in
                      enumerate(text.arguments(opened)) if lo <= at < hi), -1)
        if callee in (b")", *_OPERATORS) or index < 0 or inside:
            # A pointer to function, a member of one, a local prototype, or
            # an operator at file scope.
            self._add(file, b"", "cast", kind, tag, -1)
            return
        if function is not None and opened == function.head:
            self._add(file, text.text(stars) if named else b"", "param", kind,
                      tag, stars if named else -1, pointer,
                      text.text(stars + 1) == b"[", function.name, index,
                      (function.open, function.close))
        else:
            self._add(file, text.text(stars) if named else b"", "param", kind,
                      tag, -1, pointer, False, callee, index)

    def _add(self, file: str, name: bytes, kind: str, type: Side, tag: int,
             at: int, pointer: bool = False, array: bool = False,
             owner: bytes = b"", index: int = -1,
             scope: tuple[int, int] = (0, 0)) -> None:
        self.decls.append(Decl(file, name, kind, type, tag, at, pointer,
                               array, owner, index, *scope))

    def _same_type_token(self) -> None:
        """Several declarators share one type, so they share one fate."""
        first: dict[tuple[str, int], int] = {}
        for number, decl in enumerate(self.decls):
            self._join(number, first.setdefault((decl.file, decl.tag), number))

    def _same_variable(self) -> None:
        """The same name twice in one block: branches of an #if."""
        first: dict[tuple[str, bytes, int], int] = {}
        for number, decl in enumerate(self.decls):
            if decl.kind == "local" and decl.end:
                self._join(number, first.setdefault(
                    (decl.file, decl.name, decl.end), number))

    def _same_object(self) -> None:
        """A name at file scope is one object, wherever else it is declared.

        In its own file always; with extern in another file, or in a block,
        where it is defined without static.
        """
        shared: dict[bytes, int] = {}
        own: dict[tuple[str, bytes], int] = {}
        for number, decl in enumerate(self.decls):
            far = is_extern(self.texts[decl.file], decl)
            if decl.kind != "global" and not (far and decl.kind == "local"):
                continue
            self._join(number, own.setdefault((decl.file, decl.name), number))
            if far or not is_static(self.texts[decl.file], decl):
                self._join(number, shared.setdefault(decl.name, number))

    # --- uses --------------------------------------------------------------

    def _by_scope(self) -> list[tuple[int, Decl]]:
        """Return the variables, innermost scope first."""
        named = [(number, decl) for number, decl in enumerate(self.decls)
                 if decl.kind in ("local", "param", "global") and decl.end]
        return sorted(named, key=lambda row: (row[1].end - row[1].start,
                                              row[0]))

    def _variable(self, number: int, decl: Decl,
                  taken: set[tuple[str, int]]) -> None:
        text = self.texts[decl.file]
        # What an inner scope has had is no use of an outer one, so that each
        # place is looked at once, however often the name is declared.
        places = self.places.get((decl.file, decl.name))
        if places is None:
            places = self.places[decl.file, decl.name] = list(
                text.places(decl.name))
        first = bisect.bisect_left(places, decl.start)
        last = bisect.bisect_left(places, decl.end)
        mine = places[first:last]
        del places[first:last]
        for at in mine:
            if ((decl.file, at) in taken
                    or text.text(at - 1) in (b".", b"->")
                    or _goto_or_label(text, at)):
                continue
            taken.add((decl.file, at))
            self._use(number, decl.file, text, at, at, decl.pointer)

    def _members(self, file: str, text: Text, names: set[bytes],
                 taken: set[tuple[str, int]]) -> None:
        for at, token in enumerate(text.tokens):
            if (token.kind != "id" or token.text not in names
                    or text.text(at - 1) not in (b".", b"->")
                    or (file, at) in taken):
                continue
            first = chain_start(text, at)
            found = self._member(file, text, at, first)
            if not found:
                continue
            taken.add((file, at))
            for other in found[1:]:
                self._join(found[0], other)
            self._use(found[0], file, text, at, first,
                      self.decls[found[0]].pointer)

    def _member(self, file: str, text: Text, at: int,
                first: int) -> list[int]:
        """Return the members that `...->name` at a token can mean."""
        found = self._in_sight(file, text, [
            number for number, decl in enumerate(self.decls)
            if decl.kind == "member" and decl.name == text.text(at)
            and decl.owner not in names.now().types])   # .base goes with its iterator
        tag = _tag_of(text, first) if first == at - 2 else b""
        exact = [number for number in found
                 if self.decls[number].owner == tag]
        if tag:
            return exact
        # The object's type is not in sight. A use that only an iterator can
        # have is one; any other use of so common a word as "iter" counts only
        # in a file that names the structure.
        if _wanted(text, at, first) is not None:
            return found
        words = {token.text for token in text.tokens if token.kind == "id"}
        return [number for number in found
                if self.decls[number].owner in words]

    def _in_sight(self, file: str, text: Text,
                  found: list[int]) -> list[int]:
        """Return those members whose structure a file can mean.

        Two drivers may each have a `struct walk` of their own. A file means
        its own, else that of a header, and of several headers the nearest.
        """
        best: dict[bytes, tuple[int, list[int]]] = {}
        for number in found:
            decl = self.decls[number]
            if decl.file == file:
                near = len(file) + 1
            elif not decl.file.endswith(".c") or \
                    together(self.texts, decl.file, file):
                near = len(os.path.commonprefix(
                    (os.path.dirname(file) + "/",
                     os.path.dirname(decl.file) + "/")))
            else:
                continue
            known = best.setdefault(decl.owner, (near, []))
            if near > known[0]:
                known = best[decl.owner] = (near, [])
            if near == known[0]:
                known[1].append(number)
        return sorted(number for _, same in best.values() for number in same)

    def _use(self, number: int, file: str, text: Text, at: int, first: int,
             pointer: bool) -> None:
        use = _classify(file, text, at, first, pointer)
        self.uses.append((number, use))
        self.bound.add((use.file, use.at))

    def _orphans(self, file: str, text: Text,
                 taken: set[tuple[str, int]]) -> None:
        """Keep the API names that no variable led to."""
        api = names.now()
        for at, token in enumerate(text.tokens):
            if token.kind != "id" or (file, at) in self.bound:
                continue
            field_of = (token.text in api.own_fields
                        and text.text(at - 1) in (b".", b"->"))
            if token.text in api.takes or field_of:
                self.bare.append((file, at))

    # --- connections -------------------------------------------------------

    def _calls(self) -> None:
        """Join an argument with the parameter it becomes."""
        params: dict[tuple[bytes, int], list[int]] = {}
        for number, decl in enumerate(self.decls):
            if decl.kind == "param":
                params.setdefault((decl.owner, decl.index), []).append(number)
        for at, (number, use) in enumerate(self.uses):
            if use.act is not Act.CALL:
                continue
            target = [found for found in
                      params.get((use.callee, use.index), [])
                      if self.decls[found].pointer
                      and self._visible(self.decls[found], use.file)]
            own = [found for found in target
                   if self.decls[found].file == use.file
                   and is_static(self.texts[use.file], self.decls[found])]
            target = own or target
            if not target:
                continue
            if use.base and self.decls[target[0]].type == PAGE:
                # &dma_iter.base for a helper that starts it: two types, and
                # right as it is.
                self.uses[at] = (number, replace(use, act=Act.START))
                continue
            for found in target:
                self._join(number, found)
            self.uses[at] = (number, replace(
                use, act=Act.CALL if use.base else Act.TEST, name=use.callee))

    def _visible(self, decl: Decl, file: str) -> bool:
        """Tell whether a call in a file can mean the function of a decl."""
        return decl.file == file or decl.file.endswith(".h") or \
            not is_static(self.texts[decl.file], decl) or \
            together(self.texts, decl.file, file)

    def _prototypes(self) -> None:
        """Join the parameter of a prototype with that of the definition."""
        first: dict[tuple[bytes, int], list[int]] = {}
        for number, decl in enumerate(self.decls):
            if decl.kind != "param":
                continue
            for other in first.get((decl.owner, decl.index), []):
                if (self._visible(decl, self.decls[other].file)
                        and self._visible(self.decls[other], decl.file)):
                    self._join(number, other)
            first.setdefault((decl.owner, decl.index), []).append(number)

    def _measured(self) -> None:
        """Join sizeof(struct ..) with the variable that it helps to clear.

        Anywhere else it is a use of the type that follows no variable.
        """
        for number, decl in enumerate(self.decls):
            if decl.kind != "sized":
                continue
            text = self.texts[decl.file]
            opened = _opening(text, _opening(text, decl.tag))
            cleared = [owner for owner, use in self.uses
                       if use.file == decl.file and use.act is Act.TEST
                       and opened < use.at < decl.tag] \
                if opened > 0 and text.text(opened - 1) == b"memset" else []
            if cleared:
                self._join(number, cleared[0])
            else:
                self.decls[number] = replace(decl, kind="cast")

    def _collect(self) -> list[Unit]:
        units: dict[int, Unit] = {}
        for number, decl in enumerate(self.decls):
            units.setdefault(self._root(number), Unit()).decls.append(decl)
        for owner, use in self.uses:
            units[self._root(owner)].uses.append(use)
        found = list(units.values())
        found += [Unit(bare=[place]) for place in self.bare]
        for unit in found:
            unit.uses.sort(key=lambda use: (use.file, use.at, use.lo))
        return sorted(found, key=lambda unit: unit.key)

    def _root(self, number: int) -> int:
        while self.parent[number] != number:
            number = self.parent[number]
        return number

    def _join(self, one: int, other: int) -> None:
        low, high = sorted((self._root(one), self._root(other)))
        self.parent[high] = low


# --- reading around a token ------------------------------------------------

def _statement(text: Text, at: int) -> int:
    """Return where the statement or declaration around a token begins."""
    while at > 0 and text.tokens[at - 1].kind != "directive" \
            and text.text(at - 1) not in (b";", b"{", b"}", b"(", b")", b":"):
        at -= 1
    return at


def _opening(text: Text, at: int) -> int:
    """Return the "(" that a token is directly inside of, or -1."""
    depth = 0
    for back in range(at - 1, -1, -1):
        word = text.text(back)
        if word in (b")", b"]", b"}"):
            depth += 1
        elif word in (b"(", b"[", b"{"):
            if depth == 0:
                return back if word == b"(" else -1
            depth -= 1
        elif word == b";" and depth == 0:
            return _opening_for(text, back)
    return -1


def _opening_for(text: Text, at: int) -> int:
    """Return the "(" of a for header that holds the ";" at a token, or -1."""
    depth = 0
    for back in range(at - 1, max(at - 200, -1), -1):
        word = text.text(back)
        if word in (b")", b"]", b"}"):
            depth += 1
        elif word in (b"(", b"[", b"{"):
            if depth == 0:
                return back if word == b"(" and \
                    text.text(back - 1) == b"for" else -1
            depth -= 1
    return -1


def _structure(text: Text, at: int) -> Optional[bytes]:
    """Return the tag of the structure that a token is a member of.

    What has neither a tag nor a name lends its members to the one around it.
    """
    around = list(text.structures_around(at))
    for structure in around:
        if structure.tag or text.text(structure.close + 1) != b";":
            return structure.tag
    return around[-1].tag if around else None


def _includes(text: Text, file: str) -> bool:
    """Tell whether a file is included by its name, whatever the folder."""
    return os.path.basename(file) in _included_names(text)


@functools.lru_cache(maxsize=4096)
def _included_names(text: Text) -> frozenset[str]:
    found = (_INCLUDE.match(token.text) for token in text.tokens
             if token.kind == "directive")
    return frozenset(os.path.basename(os.fsdecode(name[1]))
                     for name in found if name is not None)


def _declarators(text: Text, at: int) -> Iterable[tuple[int, bool, bool,
                                                        bool]]:
    """Yield the names a type is followed by: token, pointer, array, call."""
    depth, name, pointer, fresh = 0, -1, False, True
    while at < len(text.tokens):
        word = text.text(at)
        if word in (b"(", b"[", b"{"):
            depth += 1
        elif word in (b")", b"]", b"}"):
            depth -= 1
            if depth < 0:
                return
        elif depth == 0:
            if word == b";":
                return
            if word == b",":
                pointer, fresh = False, True
            elif fresh and word == b"*":
                pointer = True
            elif (fresh and text.tokens[at].kind == "id"
                  and word not in (b"const", b"volatile", b"__maybe_unused",
                                   b"__user", b"__iomem", b"restrict",
                                   b"__attribute__", b"static", b"register")):
                name, fresh = at, False
                following = text.text(at + 1)
                yield name, pointer, following == b"[", following == b"("
                if following == b"(":
                    return
        at += 1


def _goto_or_label(text: Text, at: int) -> bool:
    return text.text(at - 1) == b"goto" or (
        text.text(at + 1) == b":" and text.text(at - 1) in (b";", b"}", b"{"))


def chain_start(text: Text, at: int) -> int:
    """Return the first token of `a->b[i].name`, given the name's token."""
    while text.text(at - 1) in (b".", b"->"):
        at -= 2
        while text.text(at) in (b"]", b")"):
            opened = text.text(at)
            depth = 0
            while at > 0:
                word = text.text(at)
                depth += word == opened
                depth -= word == {b"]": b"[", b")": b"("}[opened]
                if depth == 0:
                    break
                at -= 1
            if text.text(at - 1) in (b"]", b")") or (
                    at > 0 and text.tokens[at - 1].kind == "id"
                    and text.text(at - 1) not in _KEYWORDS):
                at -= 1
            else:
                return at
        if at < 0:
            return 0
    return at


def _tag_of(text: Text, at: int) -> bytes:
    """Return the structure tag of a variable or parameter, if in sight."""
    function = text.function_of(at)
    name = text.text(at)
    if function is None or text.tokens[at].kind != "id":
        return b""
    for back in range(at - 1, function.head, -1):
        if text.text(back) != name or text.text(back - 1) in (b".", b"->"):
            continue
        before = back - 1
        while text.text(before) in (b"*", b"const", b"__maybe_unused"):
            before -= 1
        if text.text(before - 1) == b"struct":
            return text.text(before)
        start = _statement(text, back)
        if (text.text(back - 1) in (b",", b"*")
                and b"struct" in text.words(start, back)
                and start > function.open):
            words = text.words(start, back)
            return words[words.index(b"struct") + 1]
    return b""


def _wanted(text: Text, at: int, first: int) -> Optional[Act]:
    """Return the act of a use that only an iterator can have, or None."""
    act = _classify("", text, at, first, False).act
    return act if act not in (Act.CALL, Act.OTHER, Act.TEST) else None


def _classify(file: str, text: Text, at: int, first: int,
              pointer: bool) -> Use:
    """Say what is done with the iterator whose name is at a token."""
    lo, hi, base, api = first, at + 1, False, names.now()
    if text.text(hi) == b"[":
        hi = text.closing(hi) + 1
    arrow = text.text(hi)
    if arrow in (b".", b"->") and text.text(hi + 1) == api.base:
        base = True
        hi += 2
    while text.text(lo - 1) == b"(" and text.text(hi) == b")" and (
            text.tokens[lo - 2].kind != "id"
            or text.text(lo - 2) in (b"return",)) and lo >= 2:
        lo, hi = lo - 1, hi + 1
    if text.text(hi) in (b".", b"->") and text.text(hi + 1) in api.fields:
        return Use(file, Act.FIELD, hi + 1, lo, hi + 2, lo, hi, None, base,
                   name=text.text(hi + 1))
    address = False
    if text.text(lo - 1) == b"&" and (
            text.tokens[lo - 2].kind == "punct"
            and text.text(lo - 2) not in (b")", b"]")
            or text.text(lo - 2) == b"return"):
        address = True
        lo -= 1
        while text.text(lo - 1) == b"(" and text.text(hi) == b")" and \
                text.tokens[lo - 2].kind != "id" and lo >= 2:
            lo, hi = lo - 1, hi + 1
    plain = Use(file, Act.OTHER, at, lo, hi, lo, hi, None, base)
    if text.text(lo - 1) == b"(" and text.text(lo - 2) == b"sizeof":
        return replace(plain, act=Act.TEST)
    if not (address or pointer):
        return plain
    if text.text(lo - 1) in (b"(", b",") and text.text(hi) in (b")", b","):
        opened = _opening(text, lo)
        callee = text.text(opened - 1) if opened > 0 else b""
        if opened > 0 and text.tokens[opened - 1].kind == "id" \
                and callee not in _KEYWORDS:
            return _argument(plain, text, opened, lo)
    if pointer and not address and _tested(text, lo, hi):
        return Use(file, Act.TEST, at, lo, hi, lo, hi, None, base)
    return plain


def _argument(plain: Use, text: Text, opened: int, lo: int) -> Use:
    """Return the use as an argument of the call that opens at a token."""
    callee = text.text(opened - 1)
    index = next((nth for nth, (start, end) in
                  enumerate(text.arguments(opened)) if start <= lo < end), -1)
    close = text.closing(opened)
    if callee == b"memset" and index == 0:
        return replace(plain, act=Act.TEST)
    takes = names.now().takes.get(callee)
    act, position, type = (_ACTS[takes.kind], takes.argument, takes.side) \
        if takes else (Act.CALL, index, None)
    through = text.text(opened - 2) in (b".", b"->")
    if position != index or through:
        act, type = Act.OTHER if through else Act.CALL, None
    if act in (Act.CALL, Act.OTHER):
        return Use(plain.file, act, plain.at, opened - 1, close + 1, plain.lo,
                   plain.hi, None, plain.base, callee, index)
    return Use(plain.file, act, opened - 1, opened - 1, close + 1, plain.lo,
               plain.hi, type, plain.base, name=callee, index=index)


def _tested(text: Text, lo: int, hi: int) -> bool:
    """Tell whether a pointer is only compared, or made a number."""
    before, after = text.text(lo - 1), text.text(hi)
    if before == b"!" or (after in (b"==", b"!=")
                          and text.text(hi + 1) in _NULL):
        return True
    if before in (b"==", b"!=") and text.text(lo - 2) in _NULL:
        return True
    if before == b")":
        words = []
        back = lo - 2
        while back > 0 and text.text(back) != b"(":
            words.append(text.text(back))
            back -= 1
        if words and all(_INTEGER.fullmatch(word) for word in words):
            return True
    opened = before == b"(" and text.text(lo - 2) in _KEYWORDS
    joined = before in (b"&&", b"||") or (before == b"(" and opened)
    ended = after in (b"&&", b"||", b")", b"?")
    return ended and (joined or before == b"(" and opened)
