# SPDX-License-Identifier: GPL-2.0-only
"""Read the bytes of a C file as tokens, functions and conditional branches.

Coccinelle says what code means; this module says where it stands. It is the
second lexer of the project (census.c is the first), so that a site found by
one and missed by the other is noticed, and it keeps what a rewrite must not
lose: the offset of every token in the bytes as they are.

A preprocessor directive, with its continuation lines, is one token. Code in a
branch that a literal condition rules out (#if 0) is left out of `tokens`.
Braces are matched branch by branch: what an #else opens again is counted once.

Data:   bytes -> Text (tokens, functions, structures, conditional groups).
Units:  offsets in bytes from 0; lines and columns from 1, columns in bytes.
Errors: none. Bytes that are not C come out as tokens of one byte.
Source: translation phases 2 and 3 of ISO C; digraphs as in C11 6.4.6.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass, field
from typing import NamedTuple, Optional

_LEX = re.compile(
    rb"""(?P<space>(?:[ \t\f\v\r]|\\\r?\n)+)
    |(?P<newline>\n)
    |(?P<comment>//(?:\\\r?\n|[^\n])*|/\*.*?(?:\*/|\Z))
    |(?P<id>[A-Za-z_$](?:[A-Za-z0-9_$]|\\\r?\n(?=[A-Za-z0-9_$]))*)
    |(?P<num>\.?[0-9](?:[eEpP][+-]|[A-Za-z0-9_.])*)
    |(?P<str>"(?:\\\r?\n|\\.|[^"\\\n])*"?)
    |(?P<chr>'(?:\\\r?\n|\\.|[^'\\\n])*'?)
    |(?P<punct>->|\+\+|--|<<=|>>=|<<|>>|[-+*/%&|^<>=!]=|&&|\|\||\.\.\.
        |%:|<:|:>|<%|%>|\#\#|.)""",
    re.VERBOSE | re.DOTALL)
_DIRECTIVE = re.compile(
    rb"""(?:\#|%:)(?:/\*.*?(?:\*/|\Z)|\\\r?\n|"(?:\\.|[^"\\\n])*"|[^\n])*""",
    re.VERBOSE | re.DOTALL)
_SPLICE = re.compile(rb"\\\r?\n")
_HEAD = re.compile(rb"(?:#|%:)\s*([a-z_]+)\s*(.*)", re.DOTALL)
_COMMENTS = re.compile(rb"/\*.*?(?:\*/|\Z)|//[^\n]*", re.DOTALL)
_DIGRAPHS = {b"<%": b"{", b"%>": b"}", b"<:": b"[", b":>": b"]"}

# Words that look like a function's name in front of its parameters.
_NOT_A_NAME = re.compile(
    rb"__attribute__|__attribute|__acquires|__releases|__must_hold|__printf"
    rb"|__scanf|__section|__aligned|__alloc_size|__cond_lock|__declspec"
    rb"|__no_sanitize|asm|__asm__|typeof|__typeof__|_Alignas|__counted_by"
    rb"|if|while|for|switch|return|sizeof")


class Token(NamedTuple):
    kind: str                # id, num, str, chr, punct or directive
    text: bytes              # without line splices; digraphs spelled out
    start: int
    end: int
    # The conditional branches around it, outermost first: (group, branch).
    branch: tuple[tuple[int, int], ...]


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


class Text:
    """The tokens of one file, and what they are grouped into."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.tokens: list[Token] = []
        self.dead: list[tuple[int, int]] = []       # byte ranges under #if 0
        self.groups: list[Group] = []
        self.match: dict[int, int] = {}             # "{" -> "}" and back
        self.functions: list[Function] = []
        self.structures: list[Structure] = []
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

    def block_end(self, index: int) -> int:
        """Return the token that closes the innermost block around a token."""
        depth = 0
        for at in range(index, len(self.tokens)):
            text = self.tokens[at].text
            if text == b"{" and at in self.match:
                depth += 1
            elif text == b"}" and at in self.match:
                if depth == 0:
                    return at
                depth -= 1
        return len(self.tokens) - 1

    # --- reading -----------------------------------------------------------

    def _read(self) -> None:
        at, fresh = 0, True                 # fresh: no token on this line yet
        stack: list[tuple[int, int, bool, bool]] = []
        dead_from = -1
        data = self.data
        if data.startswith(b"\xef\xbb\xbf"):
            at = 3
        while at < len(data):
            if fresh and (data.startswith(b"#", at)
                          or data.startswith(b"%:", at)):
                found = _DIRECTIVE.match(data, at)
                assert found is not None
                end = found.end()
                self._conditional(data[at:end], stack)
                dead = any(off for *_, off, _ in stack)
                if dead and dead_from < 0:
                    dead_from = end
                elif not dead and dead_from >= 0:
                    self.dead.append((dead_from, at))
                    dead_from = -1
                if dead_from < 0:
                    self._add("directive", at, end, stack)
                at = end
                continue
            found = _LEX.match(data, at)
            assert found is not None and found.lastgroup is not None
            kind, end = found.lastgroup, found.end()
            if kind == "newline":
                fresh = True
            elif kind not in ("space", "comment"):
                fresh = False
                if dead_from < 0:
                    self._add(kind, at, end, stack)
            at = end
        if dead_from >= 0:
            self.dead.append((dead_from, len(data)))

    def _add(self, kind: str, start: int, end: int,
             stack: list[tuple[int, int, bool, bool]]) -> None:
        text = self.data[start:end]
        if b"\\" in text and kind != "str":
            text = _SPLICE.sub(b"", text)
        text = _DIGRAPHS.get(text, text)
        branch = tuple((group, nth) for group, nth, _, _ in stack)
        self.tokens.append(Token(kind, text, start, end, branch))

    def _conditional(self, raw: bytes,
                     stack: list[tuple[int, int, bool, bool]]) -> None:
        """Follow one directive; a stack row is group, branch, dead, done."""
        found = _HEAD.match(_COMMENTS.sub(b" ", _SPLICE.sub(b"", raw)))
        if found is None:
            return
        word, rest = found[1], found[2].strip()
        if word in (b"if", b"ifdef", b"ifndef"):
            self.groups.append(Group([word + b" " + rest]))
            truth = _literal(rest) if word == b"if" else None
            stack.append((len(self.groups) - 1, 0, truth is False,
                          truth is True))
        elif word in (b"elif", b"else") and stack:
            group, nth, _, done = stack.pop()
            self.groups[group].conditions.append(word + b" " + rest)
            truth = _literal(rest) if word == b"elif" else None
            stack.append((group, nth + 1, done or truth is False,
                          done or truth is True))
        elif word == b"endif" and stack:
            stack.pop()

    # --- grouping ----------------------------------------------------------

    def _nest(self) -> None:
        """Match braces and find functions and structures."""
        braces: list[int] = []
        saved: list[list[list[int]]] = []   # a conditional: before, first end
        pending = 0                         # where the outermost item begins
        for at, token in enumerate(self.tokens):
            if token.kind == "directive":
                self._branch(token.text, braces, saved)
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
                braces.append(at)
            elif token.text == b"}" and braces:
                opened = braces.pop()
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

    @staticmethod
    def _branch(raw: bytes, braces: list[int],
                saved: list[list[list[int]]]) -> None:
        found = _HEAD.match(raw)
        word = found[1] if found else b""
        if word in (b"if", b"ifdef", b"ifndef"):
            saved.append([list(braces)])
        elif word in (b"elif", b"else") and saved:
            if len(saved[-1]) == 1:
                saved[-1].append(list(braces))
            braces[:] = saved[-1][0]
        elif word == b"endif" and saved:
            states = saved.pop()
            if len(states) == 2:
                braces[:] = states[1]

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


def _literal(condition: bytes) -> Optional[bool]:
    """Return what a literal condition comes to, None for any other."""
    bare = condition.strip(b"() \t\r")
    if re.fullmatch(rb"0+[uUlL]*|0[xX]0+[uUlL]*", bare):
        return False
    if re.fullmatch(rb"[1-9][0-9]*[uUlL]*", bare):
        return True
    return None
