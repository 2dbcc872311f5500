# SPDX-License-Identifier: GPL-2.0-only
"""A C file as tokens, functions and conditional branches.

The reader lexes it and matches its brackets; this module gives names to what
it prints. It keeps what a rewrite must not lose: the offset of every token in
the bytes as they are.

A preprocessor directive, with its continuation lines, is one token, and has
tokens of its own in Text.line(). Code in a dead branch is left out of `tokens`.
Braces are matched branch by branch: what an #else opens again is counted once.

Data:   bytes -> Text (tokens, functions, structures, conditional groups).
Units:  offsets in bytes from 0; lines and columns from 1, columns in bytes.
Errors: CensusError. Bytes that are not C come out as tokens of one byte.
Source: scripts/reader/serve.c.
"""

from __future__ import annotations

import bisect
import re
from array import array
from dataclasses import dataclass, field
from typing import Iterator, NamedTuple, Optional, Sequence

from read import conditionals, reader
from read.conditionals import Row

# In the order of the reader.
_KINDS = ("id", "num", "str", "chr", "punct", "directive", "header")
_DIRECTIVES = ("", "if", "ifdef", "elif", "elifdef", "else", "endif",
               "define", "undef", "include", "message", "other")
_PROBLEMS = ("", "more #if stand in one another than are followed",
             "it is longer than any source file")
_OPENING = (b"(", b"[", b"{")
_CLOSING = (b")", b"]", b"}")


class Branch:
    """A branch of an #if, in a chain up to the outermost one.

    There is one object a branch, so that a token costs one reference however
    deep it stands, and branches are compared by identity.
    """

    __slots__ = ("outer", "before", "group", "nth", "row", "depth")

    def __init__(self, outer: Optional[Branch], before: Optional[Branch],
                 group: int, nth: int, row: int) -> None:
        self.outer = outer
        self.before = before             # the one before it in its group
        self.group = group               # in Text.groups
        self.nth = nth                   # in its group
        self.row = row                   # in Text.rows
        self.depth: int = outer.depth + 1 if outer else 1

    def __iter__(self) -> Iterator[Branch]:
        """Yield the branch and those around it, innermost first."""
        at: Optional[Branch] = self
        while at is not None:
            yield at
            at = at.outer


class Token(NamedTuple):
    kind: str                # id, num, str, chr, punct or directive
    text: bytes              # without line splices; digraphs spelled out
    start: int
    end: int
    branch: Optional[Branch]     # the innermost one around it


@dataclass(frozen=True)
class Function:
    name: bytes
    head: int                # token that opens the parameter list
    open: int                # token of the body's "{"
    close: int               # token of the body's "}", or the last one


@dataclass(frozen=True)
class Structure:
    tag: bytes               # empty for one without a tag
    open: int
    close: int


@dataclass
class Group:
    """One #if with its branches, up to the #endif."""

    conditions: list[bytes] = field(default_factory=list)


@dataclass(frozen=True)
class Line:
    """A preprocessor line."""

    directive: str           # define, if, ... : ifndef is ifdef; "" without
    tokens: tuple[Token, ...]    # behind its #; header is <...>


class Text:
    """The tokens of one file, and what they are grouped into."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        said = reader.ask("text", data)
        # Why the branches of this text are not known; "" if they are.
        self.unknown = _PROBLEMS[said.number()]
        kinds, starts, ends, branches, closing, blocks = said.columns(6)
        texts = _spelt(said, data, starts, ends)
        self._starts: Sequence[int] = starts
        self._closing, self._block_ends = closing, blocks
        self._lines_at = {token: (first, last, directive) for token, first,
                          last, directive in said.rows(4)}
        inner = said.columns(3)
        self._inner = (inner, _spelt(said, data, *inner[1:]))
        self.groups: list[Group] = []
        known = self._branches(said)
        self.tokens = list(map(
            Token, [_KINDS[kind] for kind in kinds], texts, starts, ends,
            [known[branch] for branch in branches]))
        self.comments = [(start, end) for start, end in said.rows(2)]
        self.dead = [(start, end) for start, end in said.rows(2)]
        self._stray_quote = said.number()
        self.match: dict[int, int] = {}             # "{" -> "}" and back
        for opened, close in said.rows(2):
            self.match[opened] = close
            self.match[close] = opened
        self.functions = [
            Function(said.bytes_at(start, length), head, opened,
                     self.match.get(opened, len(self.tokens) - 1))
            for start, length, head, opened in said.rows(4)]
        self.structures = [
            Structure(said.bytes_at(start, length), opened, close)
            for start, length, opened, close in said.rows(4)]
        self.rows: tuple[Row, ...] = conditionals.rows(said.string())
        self._outer: Optional[array[int]] = None    # of each structure
        self._structure_opens: list[int] = []
        self._words: Optional[dict[bytes, array[int]]] = None
        self._lines = [0]
        self._lines += [at.end() for at in re.finditer(rb"\n", data)]
        self._opens = [function.head for function in self.functions]

    def _branches(self, said: reader.Answer) -> list[Optional[Branch]]:
        """Return the branches by number, and fill the groups."""
        known: list[Optional[Branch]] = [None]
        # A deep one has no branch, and comes before the others.
        for outer, before, group, nth, row, start, length in said.rows(7):
            if group > len(self.groups):
                self.groups.append(Group())
            self.groups[group - 1].conditions.append(
                said.bytes_at(start, length))
            known.append(Branch(known[outer], known[before], group - 1, nth,
                                row - 1 + bool(self.unknown)))
        return known

    def line(self, index: int) -> Optional[Line]:
        """Return the preprocessor line that is a token, None for others."""
        if index not in self._lines_at:
            return None
        first, last, directive = self._lines_at[index]
        (kinds, starts, ends), texts = self._inner
        return Line(_DIRECTIVES[directive], tuple(
            Token(_KINDS[kinds[at]], texts[at], starts[at], ends[at], None)
            for at in range(first, last)))

    def pieces(self) -> list[tuple[int, int]]:
        """Return where tokens and comments are, also of preprocessor lines,
        with what is neither: all but white space."""
        (_, starts, ends), _ = self._inner
        found: list[tuple[int, int]] = []
        at = 0
        for start, end in sorted([
                *((token.start, token.end) for token in self.tokens
                  if token.kind != "directive"),
                *zip(starts, ends), *self.comments]):
            if start >= at:
                found += _left(self.data, at, start)
                found.append((start, end))
                at = end
        return found + _left(self.data, at, len(self.data))

    def position(self, offset: int) -> tuple[int, int]:
        """Return the line and the column of an offset."""
        line = bisect.bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        return self._lines[line - 1] + column - 1

    @property
    def line_count(self) -> int:
        """Return the number of lines, a last one without newline included."""
        return len(self._lines) - self.data.endswith(b"\n")

    def line_of(self, index: int) -> int:
        return self.position(self.tokens[index].start)[0]

    def at(self, offset: int) -> Optional[int]:
        """Return the token that covers an offset, None between tokens."""
        index = bisect.bisect_right(self._starts, offset) - 1
        if index >= 0 and offset < self.tokens[index].end:
            return index
        return None

    def text(self, index: int) -> bytes:
        """Return a token's text, empty outside of the file."""
        if 0 <= index < len(self.tokens):
            return self.tokens[index].text
        return b""

    def function_of(self, index: int) -> Optional[Function]:
        """Return the function whose parameters or body hold a token."""
        at = bisect.bisect_right(self._opens, index) - 1
        if at >= 0 and index <= self.functions[at].close:
            return self.functions[at]
        return None

    def closing(self, index: int, limit: int = -1) -> int:
        """Return the token that closes the next bracket, or -1."""
        end = len(self.tokens) if limit < 0 else min(limit, len(self.tokens))
        for at in range(index, end):
            if self.tokens[at].text in _OPENING:
                return self._closing[at] if 0 < self._closing[at] < end else -1
        return -1

    def arguments(self, index: int) -> list[tuple[int, int]]:
        """Return the half-open token ranges between the commas of "(...)"."""
        close = self.closing(index)
        if close < 0:
            return []
        parts, start, at = [], index + 1, index + 1
        while at < close:
            if self.tokens[at].text == b",":
                parts.append((start, at))
                start = at + 1
            at = self._closing[at] if 0 < self._closing[at] < close else at + 1
        if close > index + 1:
            parts.append((start, close))
        return parts

    def words(self, start: int, end: int) -> tuple[bytes, ...]:
        return tuple(token.text for token in self.tokens[start:end])

    def item_start(self, index: int) -> int:
        """Return where the outermost declaration around a token begins."""
        while index > 0 and self.text(index - 1) not in (b";", b"}") and \
                self.tokens[index - 1].kind != "directive":
            index -= 1
        return index

    def statement_end(self, index: int) -> int:
        """Return the token that ends the expression around a token."""
        at = index
        while at < len(self.tokens):
            if self.tokens[at].text in (b";", b",", *_CLOSING):
                return at
            at = (self._closing[at] or at) + 1
        return len(self.tokens)

    def stray_quote(self) -> int:
        """Return the first line of dead code with a quote that stays open.

        spatch takes what follows such a quote, up to the next one, for a
        string, the #endif included, and skips the file from there on without
        a word. 0 where there is none.
        """
        return self.position(self._stray_quote - 1)[0] \
            if self._stray_quote else 0

    def block_end(self, index: int) -> int:
        """Return the token that closes the innermost block around a token."""
        return self._block_ends[index]

    def places(self, word: bytes) -> Sequence[int]:
        """Return the tokens that are this identifier."""
        if self._words is None:
            self._words = {}
            for at, token in enumerate(self.tokens):
                if token.kind == "id":
                    self._words.setdefault(token.text, array("q")).append(at)
        return self._words.get(word, ())

    def structures_around(self, index: int) -> Iterator[Structure]:
        """Yield the structures that a token is in, innermost first."""
        if self._outer is None:
            self.structures.sort(key=lambda structure: structure.open)
            self._outer = array("q")
            around: list[int] = []
            for number, structure in enumerate(self.structures):
                while around and \
                        self.structures[around[-1]].close < structure.open:
                    around.pop()
                self._outer.append(around[-1] if around else -1)
                around.append(number)
            self._structure_opens = [one.open for one in self.structures]
        number = bisect.bisect_left(self._structure_opens, index) - 1
        while number >= 0:
            if index < self.structures[number].close:
                yield self.structures[number]
            number = self._outer[number]


def _left(data: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """Return the words and other bytes between two pieces."""
    return [match.span() for match in _WORD.finditer(data, start, end)] \
        if data[start:end].strip() else []


_WORD = re.compile(rb"\w+|[^\s\w\0]")


def _spelt(said: reader.Answer, data: bytes, starts: Sequence[int],
           ends: Sequence[int]) -> list[bytes]:
    """Return the texts of tokens, without splices and digraphs."""
    texts = [data[start:end] for start, end in zip(starts, ends)]
    for at, start, length in said.rows(3):
        texts[at] = said.bytes_at(start, length)
    return texts
