# SPDX-License-Identifier: GPL-2.0-only
"""Read the bytes of a C file as tokens, functions and conditional branches.

Coccinelle says what code means; this module says where it stands. It is the
second lexer of the project (scripts/reader/ is the first), so that a site found by
one and missed by the other is noticed, and it keeps what a rewrite must not
lose: the offset of every token in the bytes as they are.

A preprocessor directive, with its continuation lines, is one token. Code in a
dead branch is left out of `tokens`; what is dead, the census says, and this
module does not look at it. Braces are matched branch by branch: what an #else
opens again is counted once.

Data:   bytes -> Text (tokens, functions, structures, conditional groups).
Units:  offsets in bytes from 0; lines and columns from 1, columns in bytes.
Errors: CensusError. Bytes that are not C come out as tokens of one byte.
Source: translation phases 2 and 3 of ISO C; digraphs as in C11 6.4.6.
"""

from __future__ import annotations

import bisect
import re
from array import array
from dataclasses import dataclass, field
from typing import Any, Iterator, NamedTuple, Optional, Sequence

from read import conditionals
from read.conditionals import Row

_LEX = re.compile(
    rb"""(?P<space>(?:[ \t\f\v\r]|\\[ \t\f\v\r]*\n)+)
    |(?P<newline>\n)
    |(?P<comment>//(?:\\[ \t\f\v\r]*\n|[^\n])*|/\*.*?(?:\*/|\Z))
    |(?P<id>(?:[A-Za-z_$\x80-\xff]|\\[uU][0-9A-Fa-f]{4})
        (?:[A-Za-z0-9_$\x80-\xff]|\\[uU][0-9A-Fa-f]{4}
        |\\[ \t\f\v\r]*\n(?=[A-Za-z0-9_$\x80-\xff]))*)
    |(?P<num>\.?[0-9](?:[eEpP][+-]|[A-Za-z0-9_.])*)
    |(?P<str>"(?:\\[ \t\f\v\r]*\n|\\.|[^"\\\n])*"?)
    |(?P<chr>'(?:\\[ \t\f\v\r]*\n|\\.|[^'\\\n])*'?)
    |(?P<punct>->|\+\+|--|<<=|>>=|<<|>>|[-+*/%&|^<>=!]=|&&|\|\||\.\.\.
        |%:%:|%:|<:|:>|<%|%>|\#\#|.)""",
    re.VERBOSE | re.DOTALL)
_DIRECTIVE = re.compile(
    rb"""(?:\#|%:)(?:/\*.*?(?:\*/|\Z)|\\[ \t\f\v\r]*\n
        |"(?:\\.|[^"\\\n])*"|[^\n])*""",
    re.VERBOSE | re.DOTALL)
_SPLICE = re.compile(rb"\\[ \t\f\v\r]*\n")
_HEAD = re.compile(rb"(?:#|%:)\s*([a-z_]+)\s*(.*)", re.DOTALL)
_COMMENTS = re.compile(rb"/\*.*?(?:\*/|\Z)|//[^\n]*", re.DOTALL)
_DIGRAPHS = {b"<%": b"{", b"%>": b"}", b"<:": b"[", b":>": b"]",
             b"%:%:": b"##"}

# Words that look like a function's name in front of its parameters.
_NOT_A_NAME = re.compile(
    rb"__attribute__|__attribute|__acquires|__releases|__must_hold|__printf"
    rb"|__scanf|__section|__aligned|__alloc_size|__cond_lock|__declspec"
    rb"|__no_sanitize|asm|__asm__|typeof|__typeof__|_Alignas|__counted_by"
    rb"|if|while|for|switch|return|sizeof")


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


# The braces that are open, innermost first; shared between branches.
_Braces = Optional[tuple[int, Any]]

# More tokens than the header of a function has.
_LONGEST_HEADER = 2000


@dataclass
class _Saved:
    """An #if that is open: its braces."""

    before: _Braces
    dead: bool               # the branch we are in
    ended: bool = False      # a branch that is not dead
    after: _Braces = None    # ... with these


@dataclass
class Group:
    """One #if with its branches, up to the #endif."""

    conditions: list[bytes] = field(default_factory=list)


class Text:
    """The tokens of one file, and what they are grouped into."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.tokens: list[Token] = []
        self.rows: tuple[Row, ...] = conditionals.read(data)
        # Why the branches of this text are not known; "" if they are.
        self.unknown = ""
        self.dead: list[tuple[int, int]] = []       # byte ranges
        self.groups: list[Group] = []
        self.match: dict[int, int] = {}             # "{" -> "}" and back
        self.functions: list[Function] = []
        self.structures: list[Structure] = []
        self._deciding: dict[int, int] = {}         # directive -> row
        self._block_ends: Optional[array[int]] = None
        self._outer: Optional[array[int]] = None    # of each structure
        self._structure_opens: list[int] = []
        self._words: Optional[dict[bytes, array[int]]] = None
        self._lines = [0]
        self._lines += [at.end() for at in re.finditer(rb"\n", data)]
        self._read()
        self._starts = [token.start for token in self.tokens]
        self._nest()
        self._opens = [function.head for function in self.functions]

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
        """Return the token that closes the bracket at `index`, or -1."""
        pairs = {b"(": b")", b"[": b"]", b"{": b"}"}
        stack: list[bytes] = []
        end = len(self.tokens) if limit < 0 else min(limit, len(self.tokens))
        for at in range(index, end):
            text = self.tokens[at].text
            if text in pairs and self.tokens[at].kind == "punct":
                stack.append(pairs[text])
            elif stack and text == stack[-1]:
                stack.pop()
                if not stack:
                    return at
        return -1

    def arguments(self, index: int) -> list[tuple[int, int]]:
        """Return the half-open token ranges between the commas of "(...)"."""
        close = self.closing(index)
        if close < 0:
            return []
        parts, depth, start = [], 0, index + 1
        for at in range(index + 1, close):
            text = self.tokens[at].text
            if text in (b"(", b"[", b"{"):
                depth += 1
            elif text in (b")", b"]", b"}"):
                depth -= 1
            elif text == b"," and depth == 0:
                parts.append((start, at))
                start = at + 1
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
        depth = 0
        for at in range(index, len(self.tokens)):
            text = self.tokens[at].text
            if text in (b"(", b"[", b"{"):
                depth += 1
            elif text in (b")", b"]", b"}"):
                depth -= 1
            if depth < 0 or (depth == 0 and text in (b";", b",")):
                return at
        return len(self.tokens)

    def stray_quote(self) -> int:
        """Return the first line of dead code with a quote that stays open.

        spatch takes what follows such a quote, up to the next one, for a
        string, the #endif included, and skips the file from there on without
        a word. 0 where there is none.
        """
        for start, end in self.dead:
            for found in _LEX.finditer(self.data, start, end):
                if found.lastgroup == "str" and (
                        len(found[0]) == 1 or not found[0].endswith(b'"')):
                    return self.position(found.start())[0]
        return 0

    def block_end(self, index: int) -> int:
        """Return the token that closes the innermost block around a token."""
        if self._block_ends is None:
            self._block_ends = self._find_block_ends()
        return self._block_ends[index]

    def _find_block_ends(self) -> array[int]:
        """Return for each token what block_end() returns, in one pass."""
        last = len(self.tokens) - 1
        ends, open_blocks = array("q", bytes(8 * (last + 1))), array("q")
        for at in range(last, -1, -1):
            text = self.tokens[at].text
            if text == b"}" and at in self.match:
                open_blocks.append(at)
            elif text == b"{" and at in self.match and open_blocks:
                open_blocks.pop()
            ends[at] = open_blocks[-1] if open_blocks else last
        return ends

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

    # --- reading -----------------------------------------------------------

    def _read(self) -> None:
        at, fresh = 0, True                 # fresh: no token on this line yet
        branch: Optional[Branch] = None
        data = self.data
        rows = [number for number, row in enumerate(self.rows)
                if row.kind != "deep"]
        if len(rows) != len(self.rows):
            self.unknown = "more #if stand in one another than are followed"
        following = iter(rows)
        row = next(following, -1)
        if data.startswith(b"\xef\xbb\xbf"):
            at = 3
        while at < len(data):
            if fresh and (data.startswith(b"#", at)
                          or data.startswith(b"%:", at)):
                found = _DIRECTIVE.match(data, at)
                assert found is not None
                end = found.end()
                if row >= 0 and self.rows[row].offset == at:
                    branch = self._conditional(data[at:end], row, branch)
                    self._deciding[len(self.tokens)] = row
                    self._add("directive", at, end, branch)
                    at, dead = end, self.rows[row].truth == "n"
                    row = next(following, -1)
                    if dead and branch is not None:
                        # Nobody reads a dead branch: it may be prose.
                        at = self.rows[row].offset if row >= 0 else len(data)
                        self.dead.append((end, at))
                    continue
                self._add("directive", at, end, branch)
                at = end
                continue
            found = _LEX.match(data, at)
            assert found is not None and found.lastgroup is not None
            kind, end = found.lastgroup, found.end()
            if kind == "newline":
                fresh = True
            elif kind not in ("space", "comment"):
                fresh = False
                self._add(kind, at, end, branch)
            at = end
        if row >= 0 and not self.unknown:
            line, _ = self.position(self.rows[row].offset)
            self.unknown = f"the #if of line {line} is read in two ways"

    def _add(self, kind: str, start: int, end: int,
             branch: Optional[Branch]) -> None:
        text = self.data[start:end]
        if b"\\" in text and kind != "str":
            text = _SPLICE.sub(b"", text)
        text = _DIGRAPHS.get(text, text)
        self.tokens.append(Token(kind, text, start, end, branch))

    def _conditional(self, raw: bytes, row: int,
                     branch: Optional[Branch]) -> Optional[Branch]:
        """Return the branch that a directive opens or goes back to."""
        kind = self.rows[row].kind
        found = _HEAD.match(_COMMENTS.sub(b" ", _SPLICE.sub(b"", raw)))
        said = found[1] + b" " + found[2].strip() if found else b"if ?"
        if kind == "if":
            self.groups.append(Group([said]))
            return Branch(branch, None, len(self.groups) - 1, 0, row)
        if branch is None:
            return None
        if kind == "endif":
            return branch.outer
        self.groups[branch.group].conditions.append(said)
        return Branch(branch.outer, branch, branch.group, branch.nth + 1,
                      row)

    # --- grouping ----------------------------------------------------------

    def _nest(self) -> None:
        """Match braces and find functions and structures."""
        braces: _Braces = None
        saved: list[_Saved] = []
        pending = 0                         # where the outermost item begins
        for at, token in enumerate(self.tokens):
            if token.kind == "directive":
                if at in self._deciding:
                    braces = self._branch(at, braces, saved)
                if not braces and not saved:
                    # A directive between items ends nothing that C sees, but
                    # an item that spans one is rare and a stale start is not.
                    pending = at + 1 if self._ended(pending, at) else pending
                continue
            if token.kind != "punct":
                continue
            if token.text == b"{":
                if not braces:
                    function = self._function(pending, at)
                    if function is not None:
                        self.functions.append(function)
                braces = (at, braces)
            elif token.text == b"}" and braces:
                opened, braces = braces
                self.match[opened] = at
                self.match[at] = opened
                self._structure(opened, at)
                if not braces:
                    pending = at + 1
            elif token.text == b";" and not braces:
                if not self._old_style(pending, at):
                    pending = at + 1
        self.functions = [
            Function(f.name, f.head, f.open,
                     self.match.get(f.open, len(self.tokens) - 1))
            for f in self.functions]

    def _ended(self, start: int, end: int) -> bool:
        return all(token.kind == "directive"
                   for token in self.tokens[start:end])

    def _branch(self, at: int, braces: _Braces,
                saved: list[_Saved]) -> _Braces:
        """Return the braces that are open behind a directive.

        Each branch starts with those before the #if, and what follows the
        #endif goes on from the first branch that is not dead.
        """
        row = self.rows[self._deciding[at]]
        if row.kind == "if":
            saved.append(_Saved(braces, row.truth == "n"))
            return braces
        if not saved:
            return braces
        inner = saved[-1]
        if not inner.dead and not inner.ended:
            inner.ended, inner.after = True, braces
        if row.kind == "else":
            inner.dead = row.truth == "n"
            return inner.before
        saved.pop()
        return inner.after if inner.ended else inner.before

    def _function(self, start: int, brace: int) -> Optional[Function]:
        """Return the function whose body `brace` opens, if one does."""
        at, candidates = start, []
        while at < brace:
            token = self.tokens[at]
            if token.text == b"=":
                return None
            if token.text == b"(":
                close = self.closing(at, brace)
                if close < 0:
                    return None
                before = self.tokens[at - 1] if at > start else None
                if before is not None and before.kind == "id":
                    candidates.append((before.text, at))
                at = close
            at += 1
        names = [found for found in candidates
                 if not _NOT_A_NAME.fullmatch(found[0])]
        if not names:
            return None
        name, head = names[0]
        first = self.arguments(head)[:1]
        if name.isupper() or re.match(rb"[A-Z_]+DEFINE", name):
            # SYSCALL_DEFINE2(name, ...): the macro's first word is the name.
            if first and self.tokens[first[0][0]].kind == "id":
                name = self.tokens[first[0][0]].text
        return Function(name, head, brace, brace)

    def _old_style(self, start: int, end: int) -> bool:
        """Tell whether a ";" ends a K&R parameter declaration."""
        if end - start > _LONGEST_HEADER:
            return False
        opened = next((at for at in range(start, end)
                       if self.tokens[at].text == b"("), -1)
        close = self.closing(opened, end) if opened >= 0 else -1
        if close < 0 or close + 1 >= end:
            return False
        words = self.words(close + 1, end)
        return (self.tokens[close + 1].kind == "id"
                and not any(_NOT_A_NAME.fullmatch(word) for word in words)
                and b"(" not in words)

    def _structure(self, opened: int, close: int) -> None:
        if self.text(opened - 1) in (b"struct", b"union"):
            self.structures.append(Structure(b"", opened, close))
        elif self.text(opened - 2) in (b"struct", b"union"):
            tag = self.text(opened - 1)
            self.structures.append(Structure(tag, opened, close))
