# SPDX-License-Identifier: GPL-2.0-only
"""Say what the count of a DMA walk is, and by which line that is known.

A count is data from the rule that proves it to the last sentence about it.
*mapped* and *unmapped* are proofs, each with its witness beside it; all that
is not proven is *unknown*. Rules follow the paths (migrate/count-*.cocci);
what they cannot see, because the preprocessor or an assembler hides it, is
looked for here, and takes a proof away. Nothing here adds one.

Data:   what a rule printed -> Claim; Claims + walk -> Count -> about().
Units:  lines and columns from 1; a Count's line is that of the tree as it was
        before the run.
Errors: CountError, when a rule prints what is no claim.
Source: the count argument in design.md.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import Iterable, Mapping, Sequence

from read import api as names
from read.ctext import Function, Text


class CountError(Exception):
    """A rule printed what is no claim; the message names the rule."""


class Kind(enum.Enum):
    """What a count is; the values are the words of the ledger."""

    MAPPED = "mapped"        # the number of DMA segments
    UNMAPPED = "unmapped"    # the number of entries from before mapping
    UNKNOWN = "unknown"      # neither is proven


class Why(enum.Enum):
    """By what a count is known; the values are the words of the rules."""

    RETURNED = "returned"    # the mapping returned it and nothing changed it
    STORED = "stored"        # the mapping of the whole table stored it there
    IMPORTED = "imported"    # the table came mapped from the function `by`
    ORIG = "kept"            # in orig_nents, the count of entries
    GIVEN = "given"          # the very value that the mapping was given
    ENTRIES = "counted"      # by sg_nents(), whatever was mapped
    NOTHING = "nothing"      # nothing proves it to be one or the other


@dataclass(frozen=True)
class Claim:
    """What a rule has proven of one walk."""

    kind: Kind
    why: Why
    by: str = ""             # the function that maps or hands out the table
    line: int = 0            # where it is called, in the text that was read


@dataclass(frozen=True)
class Count:
    """The count argument of one walk, after the run."""

    expression: str          # as C has it, one blank between words at most
    kind: Kind
    why: Why
    by: str = ""             # the function that maps or hands out the table
    line: int = 0            # where that function is called, 0 for nowhere
    file: str = ""           # where `line` is, "" for the file of the walk
    offset: str = ""         # the walk's page offset, "" for 0


def about(count: Count) -> str:
    """Return what the ledger says of a count."""
    return f"count {count.expression}: {count.kind.value}, {because(count)}"


def because(count: Count) -> str:
    """Return by what a count is known, as half a sentence about `it`."""
    where = f" at {count.file} line {count.line}" if count.file else \
        f" at line {count.line}" if count.line else ""
    by = f"{count.by}()" if count.by else "the mapping"
    mapper = names.now().mapper
    return {
        Why.RETURNED: f"it is what {by} returned{where}",
        Why.STORED: f"{by} stored it there{where}",
        Why.IMPORTED: f"the table came mapped from {by}{where}",
        Why.ORIG: f"it is the number of entries: pass what {mapper} "
                  "returned instead",
        Why.GIVEN: f"{by} was given it{where}: pass what that returned "
                   "instead",
        Why.ENTRIES: f"{names.now().say('count-entries')}: pass what "
                     f"{mapper} returned instead",
        Why.NOTHING: f"check that it is what {mapper} returned",
    }[count.why]


# --- what rules print ------------------------------------------------------

_LINE = re.compile(r":(\d+):(\d+)-\d+: [\w-]+: (.*)")
_CLAIM = re.compile(r"(mapped|unmapped), (\w+) (?:by|from|to|in) (\w+)"
                    r"(?:\(\))?(?: at line (\d+))?")


def read(rule: str, file: str, text: str) -> dict[tuple[int, int], set[Claim]]:
    """Return what report mode printed about a file, by line and column."""
    found: dict[tuple[int, int], set[Claim]] = {}
    for line in text.splitlines():
        place = _LINE.fullmatch(line[len(file):])
        said = _CLAIM.fullmatch(place[3]) if place else None
        try:
            if place is None or said is None:
                raise ValueError(line)
            claim = Claim(Kind(said[1]), Why(said[2]), said[3],
                          int(said[4] or 0))
        except ValueError as error:
            raise CountError(f"{rule}: printed what is no claim about a "
                             f"count: {line}") from error
        found.setdefault((int(place[1]), int(place[2]) + 1), set()).add(claim)
    return found


def decide(claims: Iterable[Claim]) -> Claim:
    """Return the one claim that holds; two that differ in kind are none."""
    every = sorted(claims, key=lambda claim: claim.line)
    if len({claim.kind for claim in every}) != 1:
        return Claim(Kind.UNKNOWN, Why.NOTHING)
    return every[-1]


# --- what a rule cannot see ------------------------------------------------

_DEFINE = re.compile(rb"(?:#|%:)\s*define\s+([A-Za-z_]\w*)((?:.|\n)*)")
_WORD = re.compile(rb"[A-Za-z_]\w*")
_SETS = re.compile(rb"(?<![=!<>])=(?!=)|\+\+|--|\bgoto\b|\basm\b|\b__asm")
_ASSEMBLER = (b"asm", b"__asm__", b"__asm", b"asm_inline")


def macros(texts: Iterable[Text]) -> dict[bytes, bytes]:
    """Return the bodies of the macros of some files, by name."""
    found: dict[bytes, bytes] = {}
    for text in texts:
        for token in text.tokens:
            define = _DEFINE.match(token.text) \
                if token.kind == "directive" else None
            if define is not None:
                found[define[1]] = found.get(define[1], b"") + define[2]
    return found


def hidden(text: Text, function: Function, words: Sequence[bytes],
           defined: Mapping[bytes, bytes]) -> str:
    """Say what of a function no rule sees, "" where it sees everything.

    words: the tokens of the list and of the count. A macro matters when it
    names one of them, or sets anything at all.
    """
    names = {word for word in words if _WORD.fullmatch(word)}
    outside = text.tokens[function.open].branch
    for at in range(function.head, function.close + 1):
        token, after = text.tokens[at], text.text(at + 1)
        if token.branch != outside and at > function.open or \
                token.kind == "directive" and b"define" in token.text:
            return f"line {text.line_of(at)} is for the preprocessor"
        if token.text in _ASSEMBLER:
            return f"line {text.line_of(at)} is for the assembler"
        if token.text == b"(" and after == b"{" or \
                token.text == b"goto" and after == b"*":
            return f"line {text.line_of(at)} goes its own way"
        if token.text in defined:
            body = _expanded(token.text, defined)
            if token.text in names or _SETS.search(body) or \
                    names & set(_WORD.findall(body)):
                return (f"line {text.line_of(at)} has a macro that may "
                        "change it")
    return ""


def foreign(text: Text, function: Function, words: Sequence[bytes]) -> bool:
    """Tell whether a list or a count is reached from outside a function."""
    roots = {word for before, word in zip((b"", *words), words)
             if _WORD.fullmatch(word) and before not in (b".", b"->")}
    return any(not _declares(text, function, root) for root in roots)


def overlaid(text: Text, words: Sequence[bytes]) -> bool:
    """Tell whether a field of a count or a list is cut short, or shared.

    A bit-field does not hold what the mapping returned, and what is in a
    union changes with its neighbours.
    """
    fields = {word for before, word in zip(words, words[1:])
              if before in (b".", b"->") and _WORD.fullmatch(word)}
    for structure in text.structures if fields else ():
        union = b"union" in text.words(max(0, structure.open - 2),
                                       structure.open)
        for at in range(structure.open, structure.close):
            if text.text(at) in fields and (
                    union or text.text(at + 1) == b":"):
                return True
    return False


def _declares(text: Text, function: Function, name: bytes) -> bool:
    """Tell whether a name is a parameter or a variable of a function."""
    for at in range(function.head, function.close):
        before = text.tokens[at - 1]
        if text.text(at) != name or before.text in (b".", b"->"):
            continue
        if at < function.open or \
                before.kind == "id" and before.text not in _NO_TYPE:
            return True
        if before.text in (b"*", b",") and text.text(at + 1) in (
                b";", b",", b"=", b"["):
            depth = 0
            while at > function.open and depth >= 0 and \
                    text.text(at) not in (b";", b"{", b"}"):
                depth += (text.text(at) == b")") - (text.text(at) == b"(")
                at -= 1
            if depth == 0:
                return True
    return False


_NO_TYPE = (b"return", b"else", b"case", b"goto", b"sizeof", b"do", b"in")


def _expanded(name: bytes, defined: Mapping[bytes, bytes]) -> bytes:
    """Return the body of a macro with those of all that it names."""
    bodies, open_names = {name: defined[name]}, [name]
    while open_names:
        for word in set(_WORD.findall(bodies[open_names.pop()])):
            if word in defined and word not in bodies:
                bodies[word] = defined[word]
                open_names.append(word)
    return b" ".join(bodies.values())
