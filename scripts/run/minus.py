# SPDX-License-Identifier: GPL-2.0-only
"""Return the names that the minus lines of a semantic patch take away.

A name is taken away where a minus line has it and no plus line beside that
one has it again. Where the plus lines bring all of the names back, as when two
arguments change places, all of them count. Metavariables are no names, unless
a constraint lists what they stand for; keywords of C are none, and what
stands in a string is none. A name behind `.` or `->` is that of a member,
which is written with a point in front.

spatch prints the words that it would search for, but with those of context
lines, of every isomorphism and of headers among them, so that a file can hold
one of them and nothing that the rule takes away. The text of the rule is read
here as its lexer reads it.

Data:   bytes of a rule file -> Taken, for patch mode.
Units:  line numbers from 1.
Errors: ScriptError, for a text that cannot be read in one way only.
Source: lexer_cocci.mll and parser_cocci_menhir.mly of Coccinelle 1.1.1;
        tests/test_minus.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from run import smpl
from run.smpl import Part

_NAME = re.compile(r"(?P<member>(?:->|(?<!\.)\.)\s*)?(?<!\w)"
                   r"(?P<at>@\s*)?(?P<name>[A-Za-z_]\w*)")
_MARK = re.compile(r"^[ \t]*([-+])")
# What declares a name of the kernel's, and no metavariable.
_KNOWN = re.compile(r"\s*(?:symbol|typedef|(?:iterator|declarer|attribute)"
                    r"\s+name)\b")
_CONSTRAINT = re.compile(r"=~|!~|!=|<=|>=|<<|=|:|##")
_QUOTED = re.compile(r'"((?:\\.|[^"\\])*)"')
_KEYWORDS = frozenset(
    "auto break case char const continue default do double else enum extern "
    "float for goto if inline int long register restrict return short signed "
    "sizeof static struct switch typedef typeof union unsigned void volatile "
    "while __typeof__ __typeof __attribute__ when any exists forall strict "
    "bool _Bool".split())


@dataclass(frozen=True)
class Taken:
    """What a rule's minus lines take away, and what its plus lines bring."""

    names: frozenset[str]    # "kmalloc"; ".end" for a member
    # Of metavariables that stand for every name that one of these fits.
    patterns: frozenset[str]
    brings: frozenset[str]   # names that only plus lines have
    # What the minus lines and the plus lines have: their occurrences stay.
    stay: frozenset[str] = frozenset()
    minus: bool = True       # some line has a minus
    # No part needs what another one matched, so that what it does in one
    # function is complete there.
    local: bool = True
    # Lines of parts that take something away and name nothing of it.
    nameless: tuple[int, ...] = ()
    virtual: frozenset[str] = frozenset()    # what `virtual` declares
    # Names and patterns that each single change takes away.
    changes: tuple[tuple[frozenset[str], frozenset[str]], ...] = ()


@dataclass
class _Known:
    """What the declarations of a part, and of those before it, introduce."""

    metavariables: set[str] = field(default_factory=set)
    # metavariable -> the names it can be
    listed: dict[str, frozenset[str]] = field(default_factory=dict)
    patterns: dict[str, str] = field(default_factory=dict)


def taken(data: bytes, mode: str = "patch") -> Taken:
    """Return what the parts of a rule take away that run in a mode."""
    virtual = smpl.virtual(data)
    names: set[str] = set()
    patterns: set[str] = set()
    brings: set[str] = set()
    stay: set[str] = set()
    nameless: list[int] = []
    changes: list[tuple[frozenset[str], frozenset[str]]] = []
    minus, local = False, True
    known: dict[str, _Known] = {}
    never: set[bytes] = set()
    for part in smpl.parts(data):
        if smpl.is_script(part.head):
            continue
        declared = _declared(_text(data, part.declared, part.body), known)
        name = _part_name(part.head, virtual)
        if name:
            known[name] = declared
        if not smpl.applies(part.head, virtual, mode.encode(), never):
            never.add(name.encode())
            continue
        body = _text(data, part.body, part.end)
        for old, new in _hunks(body):
            minus = minus or bool(old)
            gone, some, back = _hunk(old, new, declared)
            was, _ = _names(old, declared)
            if old:
                changes.append((frozenset(gone), frozenset(some)))
            names |= gone
            patterns |= some
            brings |= back - was
            stay |= gone & back
        if _inherits(data, part, known.keys() - {name}):
            local = False
        elif _has_minus(body) and not _named(body, declared):
            nameless.append(smpl.line(data, part.start))
    return Taken(frozenset(names), frozenset(patterns),
                 frozenset(brings - names), frozenset(stay), minus, local,
                 tuple(nameless), frozenset(
                     word.decode("ascii", "replace") for word in virtual),
                 tuple(changes))


def _text(data: bytes, start: int, end: int) -> str:
    """Return a piece of a rule without comments."""
    return smpl.uncommented(data, start, end).decode("utf-8", "replace")


def _part_name(head: bytes, virtual: Iterable[bytes]) -> str:
    words = head.decode("utf-8", "replace").split()
    first = words[0] if words else ""
    return first if re.fullmatch(r"\w+", first) and first not in (
        "depends", "disable", "exists", "expression", "extends", "forall",
        "type", "using", "identifier") else ""


def _inherits(data: bytes, part: Part, others: Iterable[str]) -> bool:
    """Say whether a part needs what another one has matched."""
    head = part.head.decode("utf-8", "replace")
    declared = _text(data, part.declared, part.body)
    return any(re.search(rf"\b{other}\b", head)
               or re.search(rf"(?<!\w){other}\s*\.\s*\w", declared)
               for other in others)


# --- declarations ----------------------------------------------------------

def _declared(text: str, known: Mapping[str, _Known]) -> _Known:
    """Read the declarations of one part."""
    found = _Known()
    for one in _split(text, ";"):
        if not one.strip() or _KNOWN.match(one):
            continue
        for declarator in _split(one, ","):
            _declare(declarator, known, found)
    return found


def _declare(text: str, known: Mapping[str, _Known], found: _Known) -> None:
    plain = _QUOTED.sub(lambda match: '"' + " " * len(match[1]) + '"', text)
    cut = _CONSTRAINT.search(plain)
    head = text[:cut.start()] if cut else text
    for inner in re.findall(r"\[([^\]]*)\]", head):
        found.metavariables |= set(re.findall(r"[A-Za-z_]\w*", inner))
    words = re.findall(r"(?:[A-Za-z_]\w*\s*\.\s*)?[A-Za-z_]\w*",
                       re.sub(r"\[[^\]]*\]", " ", head))
    if not words:
        return
    owner, _, name = words[-1].rpartition(".")
    owner, name = owner.strip(), name.strip()
    found.metavariables.add(name)
    if owner in known:
        theirs = known[owner]
        if name in theirs.listed:
            found.listed[name] = theirs.listed[name]
        if name in theirs.patterns:
            found.patterns[name] = theirs.patterns[name]
    if cut is None:
        return
    rest = text[cut.start():]
    if cut[0] == "=~" and (quoted := _QUOTED.search(rest)):
        found.patterns[name] = quoted[1]
    elif cut[0] == "=" and (listed := re.fullmatch(
            r"=\s*(?:\{([^}]*)\}|([A-Za-z_]\w*))\s*", rest)):
        found.listed[name] = frozenset(
            re.findall(r"[A-Za-z_]\w*", listed[1] or listed[2] or ""))


def _split(text: str, at: str) -> Iterator[str]:
    """Split at a sign that stands outside of brackets and strings."""
    depth, start, place = 0, 0, 0
    while place < len(text):
        quoted = _QUOTED.match(text, place)
        if quoted:
            place = quoted.end()
            continue
        sign = text[place]
        depth += (sign in "({[") - (sign in ")}]")
        if sign == at and depth <= 0:
            yield text[start:place]
            start = place + 1
        place += 1
    yield text[start:]


# --- minus and plus lines --------------------------------------------------

def _hunks(body: str) -> Iterator[tuple[list[str], list[str]]]:
    """Yield minus lines and the plus lines beside them."""
    old: list[str] = []
    new: list[str] = []
    for line in _lines(body):
        mark = _MARK.match(line)
        sign = mark[1] if mark else ""
        text = line[mark.end():] if mark else ""
        if sign == "-":
            if new and old and not _still_open(old):
                # Lines below plus lines belong to the next change.
                yield old, new
                old, new = [], []
            old.append(text)
        elif sign == "+":
            new.append(text)
        elif line.strip() and (old or new):
            if _still_open(old):
                continue        # a context line inside one call
            yield old, new
            old, new = [], []
    if old or new:
        yield old, new


def _lines(body: str) -> list[str]:
    return re.split(r"[\n\r\v\f]", _QUOTED.sub(
        lambda match: '"' + " " * len(match[1]) + '"', body))


def _still_open(lines: Iterable[str]) -> bool:
    text = "".join(lines)
    return text.count("(") > text.count(")")


def _has_minus(body: str) -> bool:
    return any(old for old, _ in _hunks(body))


def _named(body: str, declared: _Known) -> bool:
    return any(names or patterns for old, new in _hunks(body)
               for names, patterns, _ in [_hunk(old, new, declared)])


def _hunk(old: list[str], new: list[str], declared: _Known) -> tuple[
        set[str], set[str], set[str]]:
    """Return names and patterns that a change takes, and names it brings."""
    gone, some = _names(old, declared)
    back, again = _names(new, declared)
    if gone - back or some - again:
        return gone - back, some - again, back
    return gone, some, back


def _names(lines: list[str], declared: _Known) -> tuple[set[str], set[str]]:
    names: set[str] = set()
    patterns: set[str] = set()
    text = "\n".join(lines)
    for match in _NAME.finditer(text):
        name = match["name"]
        if match["at"] or name in _KEYWORDS:
            continue
        if name in declared.listed:
            names |= declared.listed[name]
        elif name in declared.patterns:
            patterns.add(declared.patterns[name])
        elif name not in declared.metavariables:
            names.add(("." if match["member"] else "") + name)
    return names, patterns
