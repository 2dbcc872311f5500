# SPDX-License-Identifier: GPL-2.0-only
"""Read the calls that map, sync and unmap lists, with their arguments.

Which names these are, and which argument is the list and which the count,
the campaign's table has (`role` in campaign.tsv).

Data:   Text + roles -> Call, in the order of the file.
Units:  tokens by index; lines from 1.
Errors: none. What is not called, as a prototype is, has no Call.
Source: the tokens of read/ctext.py.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Optional

from read.campaign import Step, Role
from read.ctext import Text

Words = tuple[bytes, ...]
# `name-y += a.o b.o`, with every line of it joined.
_PARTS = re.compile(rb"^([\w-]+)-(?:y|m|objs|\$\(\w+\))\s*[:+]?=(.*)$", re.M)
_OBJECT = re.compile(rb"([\w./-]+)\.o\b")


@dataclass(frozen=True)
class Call:
    file: str
    at: int                  # the token of the name
    line: int
    function: str
    role: Role
    list: Words              # its tokens
    count: Words             # empty: a table brings its own
    result: Words            # what it is assigned to, empty for nothing
    # The last word of what takes the result over from there.
    passed: frozenset[bytes] = frozenset()

    @property
    def step(self) -> Step:
        return self.role.step


def read(file: str, text: Text, roles: Mapping[bytes, Role]) -> list[Call]:
    """Return the calls of a file."""
    found = []
    for name in sorted(roles):
        for at in text.places(name):
            call = _call(file, text, at, roles[name])
            if call is not None:
                found.append(call)
    return sorted(found, key=lambda call: call.at)


def is_defined(text: Text, at: int) -> bool:
    """Tell whether a name is declared or defined here, and not called."""
    function = text.function_of(at)
    return function is None or at < function.open


def shown(words: Sequence[bytes]) -> str:
    """Return tokens as a person writes them."""
    text = ""
    for word in map(os.fsdecode, words):
        if text and (word[0].isalnum() or word[0] == "_") and (
                text[-1].isalnum() or text[-1] in "_,"):
            text += " "
        elif word in ("+", "-", "?", ":", "<", ">", "==", "|"):
            text += " "
        text += word
        if word in ("+", "?", ":", "<", ">", "==", "|"):
            text += " "
    return text


def list_key(call: Call, driver: str) -> tuple[str, ...]:
    """Return what the calls about one list have in common.

    A member of a structure is the same list in all functions of a driver; a
    variable is one in its function.
    """
    words = tuple(word for word in call.list if word not in (b"&", b"(", b")"))
    if b"->" in words or b"." in words:
        # A table's list is known by the table.
        end = -2 if len(words) > 4 and words[-2:] in (
            (b"->", b"sgl"), (b".", b"sgl")) else len(words)
        if b"->" in words[:end] or b"." in words[:end]:
            return driver, os.fsdecode(words[:end][-1])
    return call.file, call.function, shown(words)


def drivers(files: Iterable[str],
            makefiles: Mapping[str, bytes]) -> dict[str, str]:
    """Return for each file the object that it is linked into.

    A file that no Makefile puts into an object of several is its own.
    """
    owner: dict[str, str] = {}
    for makefile, data in sorted(makefiles.items()):
        folder = posixpath.dirname(makefile)
        for match in _PARTS.finditer(data.replace(b"\\\n", b" ")):
            for part in _OBJECT.findall(match[2]):
                file = posixpath.join(folder, os.fsdecode(part) + ".c")
                owner.setdefault(
                    file, posixpath.join(folder, os.fsdecode(match[1])))
    return {file: owner.get(file, file) for file in files}


def mapping_of(call: Call, calls: Sequence[Call]) -> Optional[Call]:
    """Return a mapping of the same list, by the same words, if there is one.

    One of the function comes first, and of those the last one ahead of it.
    """
    same = [one for one in calls if one.step is Step.MAP
            and one.list == call.list]
    near = [one for one in same if one.function == call.function]
    ahead = [one for one in near if one.at < call.at]
    # A variable is another list in another function.
    some = ahead or near or (same if len(call.list) > 1 else [])
    return some[-1] if some else None


def sources(call: Call, calls: Sequence[Call]) -> Iterator[Call]:
    """Yield the mappings whose result a count can be.

    By the words of the count in the function; else by the last member of it,
    in the file, which a variable may have brought there.
    """
    maps = [one for one in calls if one.step is Step.MAP and one.count]
    near = [one for one in maps if one.function == call.function
            and one.result == call.count]
    yield from near or [one for one in maps if len(call.count) > 1 and (
        one.result[-1:] == call.count[-1:] or call.count[-1] in one.passed)]


def witnesses(text: Text, at: int, around: Sequence[Call]) -> list[Call]:
    """Return the mappings that prove what a rule reports at a token.

    Of a call of the table, those that its count can come from. Elsewhere,
    the one ahead of it in the function whose result stands here, or whose list
    is handed over here.
    """
    call = next((one for one in around if one.at == at), None)
    if call is not None:
        return list(sources(call, around)) if call.count else []
    function = text.function_of(at)
    if function is None:
        return []
    name = os.fsdecode(function.name)
    ahead = [one for one in around if one.step is Step.MAP and one.at < at
             and one.function == name]
    parts = {text.words(*part) for part in text.arguments(at + 1)} \
        if text.text(at + 1) == b"(" else set()
    same = [one for one in ahead if one.result[-1:] == (text.text(at),)
            or one.list in parts]
    return same[-1:]


def standing(call: Call, around: Sequence[Call]) -> tuple[str, str, str]:
    """Say why a call that no rule reports is right, or that it is not known.
    """
    if not call.count:
        return "kept", "", "table: the counts come from the table itself"
    if call.step is Step.MAP:
        return "kept", "", ("mapping: what is given here is what syncs and "
                            "unmaps of this list have to take")
    count = shown(call.count)
    if call.count[-1] == b"orig_nents" and len(call.count) > 1:
        return "kept", "", "orig-nents: the count of the table's CPU side"
    mapping = mapping_of(call, around)
    if mapping is not None and mapping.count == call.count:
        return "kept", "", (f"same: line {mapping.line} maps this list with "
                            f"{count}, too")
    if call.count == (b"1",):
        return "kept", "", "one: a list of one entry has nothing to merge"
    return "manual", "", (f"unproven: no rule reports {count} here, and no "
                          "mapping in the file proves it; compare it with "
                          "what the mapping is given")


def needed(call: Call, around: Sequence[Call]) -> str:
    """Say what a person has to add where a call takes a wrong count."""
    maps = list(sources(call, around))
    if len({(each.list, each.count) for each in maps}) > 1:
        return ("several: it comes from mappings with different counts; keep "
                "the count of each beside its list")
    if maps and maps[0].count == maps[0].result and \
            maps[0].function == call.function:
        return (f"overwritten: line {maps[0].line} overwrites the count that "
                "it is given; keep that in a variable of its own")
    if len(call.count) > 1:
        return (f"member: add a member beside {shown(call.count[-1:])} "
                "that keeps the count given to the mapping")
    return ("variable: nothing at hand is proven to be the count that the "
            "mapping was given; keep that in a variable of its own")


def _call(file: str, text: Text, at: int, role: Role) -> Optional[Call]:
    if text.text(at + 1) != b"(" or is_defined(text, at) or \
            text.text(at - 1) in (b".", b"->"):
        return None
    parts = text.arguments(at + 1)
    if max(role.list, role.count) > len(parts):
        return None
    function = text.function_of(at)
    assert function is not None

    def words(number: int) -> Words:
        return text.words(*parts[number - 1]) if number else ()

    result = _result(text, at)
    return Call(file, at, text.line_of(at), os.fsdecode(function.name), role,
                words(role.list), words(role.count), result,
                _passed(text, at, function.close, result))


def _passed(text: Text, at: int, end: int, result: Words) -> frozenset[bytes]:
    """Return the members that a variable is copied to behind a call."""
    if len(result) != 1:
        return frozenset()
    return frozenset(
        text.text(place - 2) for place in text.places(result[0])
        if at < place < end and text.text(place - 1) == b"="
        and text.text(place + 1) == b";"
        and text.text(place - 3) in (b".", b"->"))


def _result(text: Text, at: int) -> Words:
    """Return what a call is assigned to."""
    if text.text(at - 1) != b"=":
        return ()
    start = end = at - 1
    while start > 0 and (text.tokens[start - 1].kind == "id" or text.text(
            start - 1) in (b".", b"->", b"]", b"[")
            or text.tokens[start - 1].kind == "num"):
        # `int n` is a declaration of n.
        if start < end and text.tokens[start - 1].kind == "id" and \
                text.tokens[start].kind == "id":
            break
        start -= 1
    return text.words(start, end)
