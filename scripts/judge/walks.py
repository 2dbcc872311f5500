# SPDX-License-Identifier: GPL-2.0-only
"""Say what is true of each walk that a series converts.

A mail may claim of a walk only what its code shows: what its count is, what
ends its loop, what its offset skips. This module looks for these facts in the
function, in the other files of the driver, and in the framework that mapped
the list. Where it finds nothing, the fact stays empty, and the mail has a
question to the maintainer in its place.

Data:   a Plan -> Walk, one for each loop and start that became a DMA walk.
        The look is at the files as the change leaves them.
Units:  lines 1-based in the file as the change leaves it.
Errors: none: a file that cannot be read shows nothing.
Source: the frameworks and builders that the campaign lists.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from read import api as names, tree as trees
from read.campaign import Framework
from judge import judge, units as iterators
from read.ctext import Function, Text
from judge.counts import Count, Kind
from judge.plan import Plan
from judge.units import DMA, Act, Unit, Use

_ASSIGNS = (b"=", b"+=", b"-=", b"*=", b"/=", b"%=", b"&=", b"|=", b"^=",
            b"<<=", b">>=")
_STEPS = (b"++", b"--")
# What a condition may be wrapped in without being another one.
_WRAPPERS = (b"likely", b"unlikely", b"WARN_ON", b"WARN_ON_ONCE")
# Calls that compute from an address and keep nothing.
_PURE = re.compile(rb"(?:lower|upper)_32_bits"
                   rb"|cpu_to_[bl]e(?:16|32|64)|min|max|min_t|max_t|likely"
                   rb"|unlikely|WARN_ON|WARN_ON_ONCE|if|while|for|switch"
                   rb"|return|sizeof|dev_dbg|pr_debug")
# With these, a statement of a loop is not for each round, or leaves less.
_SKIPS = (b"continue", b"switch")
# Files of one folder that are looked at, so that a folder of thousands of
# drivers does not hold a series up.
_NEAR = 200


@dataclass(frozen=True)
class Walk:
    """What is known of one walk; an empty fact is not known or not needed."""

    file: str
    function: str
    count: Count             # with the offset, unless a rule has proven it
    was: str = ""            # the count before the change, "" if the same
    stored: str = ""         # who stored the count: "vb2-dma-sg"
    mapper: str = ""         # and which call returned it
    room: bool = False       # it may give more than before, and it fills
    bound: str = ""          # what ends its loops, a clause
    builder: str = ""        # made the list of whole pages at offset 0


def find(plan: Plan) -> tuple[Walk, ...]:
    """Return the walks of the plan, by file and in the order of the file."""
    counts = {(entry.site.file, os.fsencode(entry.site.function),
               entry.count.expression): entry.count
              for entry in plan.ledger.entries if entry.count is not None}
    proven = {(file, part) for file, rules in plan.rules.items()
              for rule in rules for part in rule.proves}
    texts = {file: Text(data) for file, data in plan.after.items()
             if file not in plan.core}
    look = _Look(plan.tree, texts)
    found: list[tuple[str, int, Walk]] = []
    for unit in iterators.bind(texts):
        if unit.types != {DMA}:
            continue
        for use in unit.uses:
            text = texts[use.file]
            function = text.function_of(use.at)
            where = judge.count_argument(text, use)
            if function is None or where is None:
                continue
            count = counts.get((use.file, function.name, _said(text, where)))
            if count is not None:
                found.append((use.file, use.at, _walk(
                    plan, look, unit, use, function, count, proven)))
    return tuple(walk for _, _, walk in sorted(
        found, key=lambda one: one[:2]))


def _walk(plan: Plan, look: _Look, unit: Unit, use: Use, function: Function,
          count: Count, proven: set[tuple[str, str]]) -> Walk:
    text = look.texts[use.file]
    parts = text.arguments(use.start + 1)
    place = names.now().walks[use.name]
    words = text.words(*parts[place.count])
    listed = text.words(*parts[place.list])
    was = _before(plan, use.file, function.name, _rank(text, use, function))
    stored = mapper = ""
    if count.kind is Kind.UNKNOWN:
        stored, mapper = look.stored(text, use, words, listed)
    fills, bound = False, ""
    if (use.file, "bound") not in proven:
        fills, bound = _loops(look.texts, unit, use)
    # A walk of all entries gave each page before, and merging adds none.
    every = (was or words)[-1:] == (b"orig_nents",) or \
        (was or words)[:1] == (b"sg_nents",)
    builder = ""
    if count.offset and (use.file, "offset") in proven:
        count = replace(count, offset="")
    elif count.offset:
        builder = look.builder(use.file, listed)
    return Walk(use.file, os.fsdecode(function.name), count, _join(was),
                stored, mapper, fills and not bound and not every, bound,
                builder)


def _said(text: Text, where: tuple[int, int]) -> str:
    source = text.data[text.tokens[where[0]].start:
                       text.tokens[where[1] - 1].end]
    return " ".join(source.decode("latin-1").split())


def _join(words: Sequence[bytes]) -> str:
    return b"".join(words).decode("latin-1")


def _rank(text: Text, use: Use, function: Function) -> int:
    """Return which of the function's counts, by place, belongs to a use."""
    return sum(1 for at in range(function.open, use.start)
               if text.text(at) in names.now().walks and text.text(at + 1) == b"(")


def _before(plan: Plan, file: str, name: bytes,
            rank: int) -> tuple[bytes, ...]:
    """Return the count that a walk had, () when it has it still."""
    counts = []
    for data in (plan.before[file], plan.after[file]):
        text = Text(data)
        walks: list[tuple[bytes, ...]] = []
        for function in text.functions:
            if function.name != name:
                continue
            for at in range(function.open, function.close):
                if text.text(at) in names.now().walks and text.text(at + 1) == b"(":
                    parts = text.arguments(at + 1)
                    place = names.now().walks[text.text(at)]
                    walks.append(text.words(*parts[place.count])
                                 if len(parts) == place.arguments else ())
        counts.append(walks)
    old, new = counts
    # With a loop more than before, nobody can say which one was which.
    if len(old) != len(new) or rank >= len(old) or old[rank] == new[rank]:
        return ()
    return old[rank]


# --- what ends a loop ------------------------------------------------------

def _loops(texts: Mapping[str, Text], unit: Unit,
           use: Use) -> tuple[bool, str]:
    """Return whether the loops of a walk fill something, and what ends them.

    The second is "" where one of them has no end but that of the list.
    """
    text = texts[use.file]
    loops: list[tuple[Text, _Loop | None]] = []
    if use.act is Act.LOOP:
        body = use.end
        loops.append((text, _Loop((), body, _statement(text, body))))
    else:
        for each in unit.uses:
            if each.act is Act.NEXT:
                other = texts[each.file]
                loops.append((other, _loop_around(other, each.at)))
        if not loops:
            return True, ""
    fills, bounds = False, []
    for where, loop in loops:
        if loop is None and _is_step(unit):
            return True, ""     # who calls this function may have the loop
        if loop is None:
            continue
        fills |= _fills(where, loop)
        bounds.append(_bound(where, loop))
    return fills, " and ".join(dict.fromkeys(bounds)) if all(bounds) else ""


def _is_step(unit: Unit) -> bool:
    """Tell whether an iterator is stepped for others, who may loop."""
    return any(decl.kind != "local" for decl in unit.decls)


@dataclass(frozen=True)
class _Loop:
    conditions: tuple[tuple[int, int], ...]  # each must hold to go on
    start: int               # of the body
    end: int


def _loop_around(text: Text, at: int) -> _Loop | None:
    """Return the innermost loop whose body or header holds a token."""
    function = text.function_of(at)
    if function is None:
        return None
    best: _Loop | None = None
    for start in range(function.open, function.close):
        loop, low, high = _loop_at(text, start)
        if loop is not None and low <= at < high:
            best = loop
    return best


def _loop_at(text: Text, at: int) -> tuple[_Loop | None, int, int]:
    """Return the loop that a token begins, and where it and its end are."""
    word = text.text(at)
    if text.tokens[at].kind != "id":
        return None, 0, 0
    if word == b"do":
        end = _statement(text, at + 1)
        close = text.closing(end + 1) if text.text(end) == b"while" else -1
        if close < 0:
            return None, 0, 0
        return _Loop(_conjuncts(text, end + 2, close), at + 1, end), at, close
    if word == b"while" and text.text(at + 1) == b"(":
        close = text.closing(at + 1)
        if close < 0 or text.text(close + 1) == b";":
            return None, 0, 0
        end = _statement(text, close + 1)
        return _Loop(_conjuncts(text, at + 2, close), close + 1, end), at, end
    if word == b"for" and text.text(at + 1) == b"(":
        close = text.closing(at + 1)
        middle = [n for n in range(at + 2, max(close, 0))
                  if text.text(n) == b";"]
        if close < 0 or len(middle) != 2:
            return None, 0, 0
        end = _statement(text, close + 1)
        return _Loop(_conjuncts(text, middle[0] + 1, middle[1]),
                     close + 1, end), at, end
    return None, 0, 0


def _conjuncts(text: Text, start: int, end: int
               ) -> tuple[tuple[int, int], ...]:
    """Return the parts of a condition that && joins, () for another one."""
    depth, low, parts = 0, start, []
    for at in range(start, end):
        word = text.text(at)
        depth += (word in (b"(", b"[")) - (word in (b")", b"]"))
        if depth == 0 and word in (b"||", b"?", b","):
            return ()
        if depth == 0 and word == b"&&":
            parts.append((low, at))
            low = at + 1
    return tuple([*parts, (low, end)]) if end > start else ()


def _statement(text: Text, at: int) -> int:
    """Return the token behind the statement that begins at one."""
    word = text.text(at)
    if word == b"{":
        return text.match.get(at, len(text.tokens) - 1) + 1
    if word in (b"else", b"do"):
        end = _statement(text, at + 1)
        return text.statement_end(end) + 1 if word == b"do" else end
    close = text.closing(at + 1) if text.text(at + 1) == b"(" else -1
    if text.tokens[at].kind == "id" and close > 0 and (
            word in (b"if", b"for", b"while", b"switch")
            or text.tokens[min(close + 1, len(text.tokens) - 1)].kind == "id"
            or text.text(close + 1) == b"{"):
        end = _statement(text, close + 1)
        if word == b"if" and text.text(end) == b"else":
            end = _statement(text, end)
        return end
    while at < len(text.tokens) and text.text(at) != b";":
        stop = text.statement_end(at)
        at = stop + 1 if text.text(stop) == b"," else stop
    return at + 1


def _children(text: Text, loop: _Loop) -> Iterator[tuple[int, int]]:
    """Yield the statements that each round of a loop comes by, in order."""
    at, end = (loop.start + 1, loop.end - 1) \
        if text.text(loop.start) == b"{" else (loop.start, loop.end)
    while at < end:
        after = _statement(text, at)
        yield at, after
        at = after


def _fills(text: Text, loop: _Loop) -> bool:
    """Tell whether a loop may store an address in each round."""
    first = next(_children(text, loop), None)
    if first is not None and text.text(first[0]) in (b"return", b"break",
                                                     b"goto"):
        return False                        # there is no second round
    for at in range(loop.start, loop.end):
        word = text.text(at)
        if word in (b"[", b"++", b"--", b"+=", b"->") and word != b"->" and \
                not _sums(text, at):
            return True
        if word == b"(" and text.tokens[at - 1].kind == "id" and \
                text.text(at - 1) not in names.now().accessors and \
                not _PURE.fullmatch(text.text(at - 1)):
            return True
        if word == b"*" and text.text(at - 1) in (b";", b"{", b"}", b")"):
            return True
    return False


def _sums(text: Text, at: int) -> bool:
    """Tell whether an address is added to a variable, and to nothing else."""
    return text.text(at) == b"+=" and text.tokens[at - 1].kind == "id" and \
        text.text(at - 2) in (b";", b"{", b"}", b")")


def _bound(text: Text, loop: _Loop) -> str:
    """Return what ends a loop whatever its list has, "" for nothing."""
    if any(text.text(at) in _SKIPS for at in range(loop.start, loop.end)):
        return ""
    for start, end in loop.conditions:
        bound = _goes_on(text, loop, start, end)
        if bound:
            return bound
    for start, end in _children(text, loop):
        if text.text(start) != b"if" or text.text(start + 1) != b"(":
            continue
        close = text.closing(start + 1)
        then = close + 1 + (text.text(close + 1) == b"{")
        if text.text(then) not in (b"break", b"return", b"goto"):
            continue
        bound = _ends(text, loop, start + 2, close)
        if bound:
            return bound
    return ""


def _bare(text: Text, start: int, end: int) -> tuple[int, int]:
    """Take off the parentheses and wrappers around a condition."""
    while end - start > 2:
        if text.text(start) == b"(" and text.closing(start) == end - 1:
            start, end = start + 1, end - 1
        elif text.text(start) in _WRAPPERS and \
                text.closing(start + 1) == end - 1:
            start, end = start + 2, end - 1
        else:
            break
    return start, end


def _ends(text: Text, loop: _Loop, start: int, end: int) -> str:
    """Return the bound that a condition for leaving a loop is."""
    start, end = _bare(text, start, end)
    words = text.words(start, end)
    if any(word in (b"&&", b"||", b"?", b",") for word in words):
        return ""                           # it may not hold in time
    # !n--, !--n
    if words[:1] == (b"!",) and b"--" in (words[1:2] + words[-1:]):
        name = tuple(word for word in words[1:] if word != b"--")
        return _runs_down(text, loop, name, start, end)
    compare = [at for at in range(start, end)
               if text.text(at) in (b"==", b">=", b">", b"<=", b"<")]
    if len(compare) != 1:
        return ""
    left, right = text.words(start, compare[0]), \
        text.words(compare[0] + 1, end)
    sign = text.text(compare[0])
    if b"--" in left and right == (b"0",) and sign in (b"==", b"<", b"<="):
        name = tuple(word for word in left if word != b"--")
        return _runs_down(text, loop, name, start, end)
    if sign in (b"==", b">=", b">"):
        return _runs_up(text, loop, left, right, start, end)
    return ""


def _goes_on(text: Text, loop: _Loop, start: int, end: int) -> str:
    """Return the bound that a condition for another round is."""
    start, end = _bare(text, start, end)
    words = text.words(start, end)
    if any(word in (b"&&", b"||", b"?", b",") for word in words):
        return ""
    if words[-1:] == (b"--",) or words[:1] == (b"--",):
        name = tuple(word for word in words if word != b"--")
        return _runs_down(text, loop, name, start, end)
    compare = [at for at in range(start, end)
               if text.text(at) in (b"<", b"<=", b"!=", b">")]
    if len(compare) != 1:
        return ""
    left, right = text.words(start, compare[0]), \
        text.words(compare[0] + 1, end)
    if text.text(compare[0]) == b">" and b"--" in left and right == (b"0",):
        return _runs_down(text, loop, tuple(
            word for word in left if word != b"--"), start, end)
    if text.text(compare[0]) == b">":
        return ""
    return _runs_up(text, loop, left, right, start, end)


def _is_name(words: Sequence[bytes]) -> bool:
    return bool(words) and all(
        re.fullmatch(rb"[A-Za-z_]\w*|->|\.", word) for word in words)


def _runs_down(text: Text, loop: _Loop, name: tuple[bytes, ...], start: int,
               end: int) -> str:
    """Return the bound of a counter that each round takes one from."""
    if not _is_name(name) or _changes(text, loop, name, (start, end)):
        return ""
    return f"{_quoted(name)} runs out"


def _runs_up(text: Text, loop: _Loop, left: tuple[bytes, ...],
             right: tuple[bytes, ...], start: int, end: int) -> str:
    """Return the bound of a counter that each round adds one to."""
    name = tuple(word for word in left if word != b"++")
    if not _is_name(name) or not right or b"(" in right or \
            any(word in _ASSIGNS + _STEPS for word in right):
        return ""
    limit = [word for word in right if re.fullmatch(rb"[A-Za-z_]\w*", word)]
    if any(_changes(text, loop, (word,), (0, 0)) for word in limit):
        return ""
    steps = _changes(text, loop, name, (0, 0))
    here = b"++" in left
    if here and len(steps) == 1 or not here and len(steps) == 1 and \
            _each_round(text, loop, steps[0]):
        return f"{_quoted(name)} gets to {_quoted(right)}"
    return ""


def _changes(text: Text, loop: _Loop, name: tuple[bytes, ...],
             but: tuple[int, int]) -> list[int]:
    """Return where in a loop, its header included, a name is changed."""
    low = min([loop.start, *(part[0] for part in loop.conditions)])
    high = max([loop.end, *(part[1] for part in loop.conditions)])
    if text.text(low - 1) == b";" and loop.conditions:
        high = max(high, loop.start)        # a for's own step
    found = []
    for at in range(low, high - len(name) + 1):
        if text.words(at, at + len(name)) != name or \
                text.text(at - 1) in (b".", b"->") or \
                text.text(at + len(name)) in (b".", b"->"):
            continue
        if but[0] <= at < but[1]:
            continue
        after, lead = text.text(at + len(name)), text.text(at - 1)
        if after in _ASSIGNS + _STEPS or lead in _STEPS or lead == b"&" and \
                text.text(at - 2) in (b"(", b",", b"="):
            found.append(at)
    return found


def _each_round(text: Text, loop: _Loop, at: int) -> bool:
    """Tell whether a token is changed by one, in each round that goes on."""
    around = (text.text(at - 1), text.text(text_end(text, at)))
    if b"++" not in around:
        return False
    if not loop.start <= at < loop.end:
        return True                         # in the header of a for
    for start, end in _children(text, loop):
        if start <= at < end:
            return text.text(start) not in (b"if", b"for", b"while", b"do",
                                            b"switch", b"else")
    return False


def text_end(text: Text, at: int) -> int:
    """Return the token behind a chain of members."""
    while text.text(at + 1) in (b".", b"->"):
        at += 2
    return at + 1


def _quoted(words: Sequence[bytes]) -> str:
    """Return an expression so that it cannot be taken for a word."""
    return quoted(_join(words))


def quoted(text: str) -> str:
    return f"'{text}'" if re.fullmatch(r"[a-z]+", text) else text


# --- who mapped the list, who built it -------------------------------------

class _Look:
    """The changed files, and what else of the tree is worth a look."""

    def __init__(self, tree: trees.Tree, texts: Mapping[str, Text]) -> None:
        self.tree = tree
        self.texts = texts
        self._read = functools.lru_cache(maxsize=None)(self._text)
        self._near = functools.lru_cache(maxsize=None)(self._folder)

    def stored(self, text: Text, use: Use, count: tuple[bytes, ...],
               listed: tuple[bytes, ...]) -> tuple[str, str]:
        """Return who stored a count, and which call it came from."""
        if len(count) < 3 or listed[-2:-1] not in ((b"->",), (b".",)):
            return "", ""
        for framework in names.now().frameworks:
            if not _comes_from(text, use, count, framework):
                continue
            for name in framework.files:
                found = _stores(self._read(name), count[-1], b"")
                if found is not None:
                    return framework.name, found[1]
        # The driver's own: the table has to be a member, whose name is known.
        table = count[-3]
        if count[:-2] != listed[:-2] or listed[-1] != b"sgl" or \
                count[-1] != b"nents" or \
                count[-4:-3] not in ((b"->",), (b".",)):
            return "", ""
        who: list[tuple[str, str]] = []
        for other in self._near(str(PurePosixPath(use.file).parent)):
            if table not in other.data:
                continue
            if not _maps(other, table):
                if _sets(other, table, b"nents"):
                    return "", ""
                continue
            found = _stores(other, b"nents", table)
            if found is None:
                return "", ""
            who.append(found)
        return who[0] if len(who) == 1 else ("", "")

    def builder(self, file: str, listed: tuple[bytes, ...]) -> str:
        """Return what made a list of whole pages at offset 0, "" if unsure."""
        if listed[-2:-1] not in ((b"->",), (b".",)) or len(listed) < 3:
            return ""
        name, found = listed[-3], set()
        for text in self._near(str(PurePosixPath(file).parent)):
            for at, token in enumerate(text.tokens):
                if token.kind != "id" or text.text(at + 1) != b"(":
                    continue
                parts = text.arguments(at + 1)
                table = text.words(*parts[0]) if parts else ()
                if table[-1:] != (name,):
                    continue
                if names.now().builds_otherwise.fullmatch(token.text):
                    return ""
                if names.now().builds.fullmatch(token.text):
                    if not _whole_pages(text, parts):
                        return ""
                    found.add(token.text.decode("latin-1"))
        return f"{found.pop()}()" if len(found) == 1 else ""

    def _text(self, name: str) -> Text:
        if name in self.texts:
            return self.texts[name]
        try:
            return Text(trees.read(self.tree, name))
        except (trees.TreeError, OSError):
            return Text(b"")

    def _folder(self, folder: str) -> list[Text]:
        place = Path(self.tree.root, folder)
        try:
            names = sorted(name for name in os.listdir(place)
                           if name.endswith((".c", ".h")))
        except OSError:
            return []
        if len(names) > _NEAR:
            return [self.texts[name] for name in sorted(self.texts)
                    if str(PurePosixPath(name).parent) == folder]
        return [self._read(f"{folder}/{name}" if folder != "." else name)
                for name in names]


def _whole_pages(text: Text, parts: Sequence[tuple[int, int]]) -> bool:
    """Tell whether a table is built at offset 0 and of whole pages."""
    if len(parts) < 5:
        return False
    size = text.words(*parts[4])
    return text.words(*parts[3]) == (b"0",) and (
        size[-2:] in ((b"<<", b"PAGE_SHIFT"), (b"*", b"PAGE_SIZE")))


def _comes_from(text: Text, use: Use, count: tuple[bytes, ...],
                framework: Framework) -> bool:
    """Tell whether the framework handed out the object of a count."""
    function = text.function_of(use.at)
    if function is None:
        return False
    name = count[0]
    if framework.struct:
        typed = [at for at in range(function.head, use.start)
                 if text.words(at, at + 4) == (b"struct", framework.struct,
                                               b"*", name)]
        return len(typed) == 1 and text.text(typed[0] + 4) in (
            b",", b")", b";", b"=")
    if count[1] != b"->" or len(count) != 3:
        return False
    # Set once, from the call, and its address is not taken.
    sets = [at for at in range(function.open, use.start)
            if text.text(at) == name and text.text(at - 1) not in (
                b".", b"->") and (text.text(at + 1) in _ASSIGNS
                                  or text.text(at - 1) == b"&")]
    return len(sets) == 1 and text.text(sets[0] + 1) == b"=" and \
        text.text(sets[0] + 2) == framework.gives


def _maps(text: Text, table: bytes) -> bool:
    """Tell whether a file maps a list of this table."""
    return any(True for _ in _mappings(text, table))


def _mappings(text: Text, table: bytes
              ) -> Iterator[tuple[int, tuple[bytes, ...]]]:
    """Yield the calls that map a list, and the list; b"" is any table."""
    for at, token in enumerate(text.tokens):
        if token.kind != "id" or not names.now().maps.fullmatch(token.text) or \
                text.text(at + 1) != b"(":
            continue
        parts = text.arguments(at + 1)
        listed = text.words(*parts[1]) if len(parts) > 2 else ()
        if not table or listed[-3:-2] == (table,):
            yield at, listed


def _sets(text: Text, table: bytes, member: bytes) -> bool:
    """Tell whether a file sets a member of this table."""
    return any(text.text(at) == member and text.text(at + 1) in _ASSIGNS
               and text.text(at - 2) == table
               for at in range(2, len(text.tokens)))


def _stores(text: Text, member: bytes,
            table: bytes) -> tuple[str, str] | None:
    """Return the function that stores a mapping's result, and the call.

    None unless each mapping of the file does, and nothing else is ever
    stored there but what the member was before the list was mapped.
    """
    calls = list(_mappings(text, table))
    good: list[tuple[str, str]] = []
    ends = set()
    for at, listed in calls:
        target = text.words(iterators.chain_start(text, at - 2), at - 1) \
            if text.text(at - 1) == b"=" else ()
        owner = listed[:1] if member != b"nents" else listed[:-2]
        if target[-1:] != (member,) or \
                target[:len(owner)] != owner or not owner:
            copied = _copied(text, at, listed, member)
            if copied < 0:
                return None
            ends.add(copied)
        else:
            ends.add(at - 2)
        function = text.function_of(at)
        if function is None:
            return None
        good.append((f"{os.fsdecode(function.name)}()",
                     f"{text.text(at).decode('latin-1')}()"))
    for at in range(2, len(text.tokens)):
        if text.text(at) == member and text.text(at - 1) in (b".", b"->") \
                and text.text(at + 1) in _ASSIGNS and at not in ends \
                and (not table or text.text(at - 2) == table):
            value = text.words(at + 2, text.statement_end(at + 2))
            if value[-1:] != (b"orig_nents",):
                return None
    return good[0] if good else None


def _copied(text: Text, at: int, listed: tuple[bytes, ...],
            member: bytes) -> int:
    """Return where the variable that takes a result is stored, -1 if not.

    ret = MAP(d, t->sgl, ...); if (...) return; t->nents = ret;
    """
    name, function = text.text(at - 2), text.function_of(at)
    if text.text(at - 1) != b"=" or function is None or \
            text.text(at - 3) in (b".", b"->"):
        return -1
    wanted = listed[:-1] + (member, b"=", name, b";")
    for place in range(at, function.close):
        if text.text(place) == name and text.text(place + 1) in _ASSIGNS:
            return -1
        if text.words(place, place + len(wanted)) == wanted:
            return place + len(listed) - 1
    return -1
