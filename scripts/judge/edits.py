# SPDX-License-Identifier: GPL-2.0-only
"""Turn what spatch prints into edits of tokens, and edits into bytes.

spatch prints a file again from its syntax tree: it can lose a comment, drop
an attribute or reflow an argument list. So its diff is only read for the
tokens that differ, and those are put into the bytes of the file as it is;
white space, comments, line ends and a missing last newline are nobody's to
change. What a rule may do to tokens is a short list (`permitted`), and a diff
that does anything else is refused.

An edit that moves an opening parenthesis takes the lines that were aligned
with it along, and a loop header that grows past 80 columns is broken at a
comma; nothing else about layout is touched.

Data:   Text + unified diff -> list[Edit]; Text + edits -> bytes.
Units:  offsets in bytes; columns as seen, with a tab stop every 8.
Errors: EditError, when a diff does not belong to the file.
Source: Documentation/process/coding-style.rst for alignment and width.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Iterable, Optional, Sequence

from read import api as names
from read.api import Side
from read.ctext import Text, Token

WIDTH = 80
_COMMENT = re.compile(rb"/\*.*?\*/|//[^\n]*", re.DOTALL)
_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@")
_ENDS = frozenset((b";", b"=", b",", b"{", b"}"))


class EditError(Exception):
    """A diff that cannot be read; the message says where."""


@dataclass(frozen=True, order=True)
class Edit:
    start: int               # what is replaced, in bytes of the file
    end: int
    new: bytes               # LF line ends; render() makes them the file's
    old_words: tuple[bytes, ...]
    new_words: tuple[bytes, ...]
    whole_lines: bool        # lines are inserted or removed, not tokens

    @property
    def is_insertion(self) -> bool:
        return self.start == self.end


def from_diff(text: Text, diff: bytes, statements: bool = False) -> list[Edit]:
    """Return the edits that make of a file what a unified diff does.

    With statements, for a shipped conversion, lines that more than names
    change in are taken as they stand in the diff.
    """
    edits: list[Edit] = []
    for first, old, new in _blocks(diff):
        found = _block(text, first, old, new)
        if statements and not all(permitted(edit) for edit in found):
            found = [_lines_of(text, first, old, new)]
        edits += found
    return sorted(edits)


def permitted(edit: Edit) -> str:
    """Name the permitted change that an edit is, "" when it is none."""
    old, new, api = edit.old_words, edit.new_words, names.now()
    if len(old) == len(new) == 1 and api.renames.get(old[0]) == new[0]:
        return "rename"
    if not old and api.base and new in ((b".", api.base), (b"->", api.base),
                                        (b"&",)):
        return "base"
    if api.own_fields & set(old) and new and new[0] in api.accessors:
        return "address"
    if not old and new[:2] == (b"struct", api.tag(Side.NEW)) \
            and len(new) == 4 and new[3] == b";":
        return "declare"
    if len(old) == len(new) == 1 and re.fullmatch(rb"[A-Za-z_]\w*", old[0]) \
            and re.fullmatch(rb"dma_\w+|\w+_dma", new[0]):
        return "second"
    return ""


def spoils(text: Text, edit: Edit) -> str:
    """Say what an edit would lose besides tokens, "" for nothing."""
    if edit.is_insertion:
        return ""
    old = text.data[edit.start:edit.end]
    if edit.whole_lines:
        if any(byte > 126 or not byte for byte in old):
            return "a byte that is not ASCII stands in what is replaced"
        lost = [comment for comment in _COMMENT.findall(old)
                if comment not in edit.new]
        return "a comment stands in what is replaced" if lost else ""
    kept = old
    for token in text.tokens[_first(text, edit.start):
                             _first(text, edit.end)]:
        kept = kept.replace(text.data[token.start:token.end], b"", 1)
    return "a comment stands in what is replaced" \
        if b"/*" in kept or b"//" in kept else ""


def render(text: Text, edits: Sequence[Edit]) -> bytes:
    """Return the bytes of a file with edits made and aligned again."""
    data = text.data
    eol = b"\r\n" if _is_crlf(data) else b"\n"
    shifts = _realigned(text, edits)
    pieces, at = [], 0
    for start, end, new in sorted(
            [(e.start, e.end, e.new) for e in edits] + shifts):
        if start < at:
            raise EditError(f"two edits overlap at offset {start}")
        pieces += [data[at:start], new.replace(b"\n", eol)]
        at = end
    return b"".join(pieces) + data[at:]


# --- reading a diff --------------------------------------------------------

def _blocks(diff: bytes) -> Iterable[tuple[int, list[bytes], list[bytes]]]:
    """Yield runs of changed lines: first old line, old lines, new lines."""
    line, old, new = 0, [], []              # type: int, list[bytes], list[bytes]
    inside = False
    for row in diff.split(b"\n"):
        head = _HUNK.match(row)
        if head is not None:
            if old or new:
                yield line - len(old), old, new
                old, new = [], []
            line, inside = int(head[1]), True
            if head[2] == b"0":
                line += 1
        elif not inside or row.startswith((b"diff ", b"\\")):
            inside = inside and not row.startswith(b"diff ")
        elif row.startswith(b"-"):
            if row.startswith(b"--- ") and not old and not new:
                inside = False
                continue
            if new and not old:
                yield line, old, new
                new = []
            old.append(row[1:])
            line += 1
        elif row.startswith(b"+"):
            new.append(row[1:])
        else:
            if old or new:
                yield line - len(old), old, new
                old, new = [], []
            line += 1
    if old or new:
        yield line - len(old), old, new


def _block(text: Text, first: int, old: list[bytes],
           new: list[bytes]) -> list[Edit]:
    """Return the edits of one run of changed lines."""
    start = text.offset(first, 1)
    after = first + len(old)
    end = text.offset(after, 1) if after <= text.line_count else len(text.data)
    was = [token for token in text.tokens if start <= token.start < end]
    source = b"\n".join(new) + (b"\n" if new else b"")
    now = Text(source)
    before = [token.text for token in was]
    later = [token.text for token in now.tokens]
    if not was and new:
        return [_insert(start, source, tuple(later))]
    edits: list[Edit] = []
    matcher = difflib.SequenceMatcher(None, before, later, autojunk=False)
    for i, j, k, l in _changes(matcher.get_opcodes(), before):
        edits += _change(text, was, now, (i, j), (k, l), start, end)
    return edits


def _insert(at: int, source: bytes, words: tuple[bytes, ...]) -> Edit:
    """Return the edit that puts in whole lines.

    spatch gives a new declaration the comment of the line that it follows.
    That one is about the other variable, and rules write none of their own.
    """
    edit = Edit(at, at, source, (), words, True)
    if permitted(edit) != "declare":
        return edit
    bare = b"\n".join(line.rstrip() for line in
                      _COMMENT.sub(b"", source).split(b"\n"))
    return Edit(at, at, bare, (), words, True)


def _lines_of(text: Text, first: int, old: list[bytes],
              new: list[bytes]) -> Edit:
    """Return one run of changed lines as one edit."""
    start = text.offset(first, 1)
    after = first + len(old)
    end = text.offset(after, 1) if after <= text.line_count else len(text.data)
    source = b"".join(line + b"\n" for line in new)
    was = tuple(token.text for token in text.tokens
                if start <= token.start < end)
    return Edit(start, end, source, was,
                tuple(token.text for token in Text(source).tokens), True)


def _changes(opcodes: Sequence[tuple[str, int, int, int, int]],
             before: Sequence[bytes]) -> list[tuple[int, int, int, int]]:
    """Return what differs; a written-out sum is one change, not its words."""
    groups: list[list[tuple[int, int, int, int]]] = []
    for tag, i, j, k, l in opcodes:
        if tag == "equal":
            continue
        between = before[groups[-1][-1][1]:i] if groups else []
        if groups and len(between) <= 8 and not _ENDS & set(between):
            groups[-1].append((i, j, k, l))
        else:
            groups.append([(i, j, k, l)])
    found: list[tuple[int, int, int, int]] = []
    own = names.now().own_fields
    for group in groups:
        (i, _, k, _), (_, j, _, l) = group[0], group[-1]
        if own & set(before[i:j]):
            found.append((i, j, k, l))
        else:
            found += group
    return found


def _change(text: Text, was: list[Token], now: Text, old: tuple[int, int],
            new: tuple[int, int], start: int, end: int) -> list[Edit]:
    i, j = old
    k, l = new
    if j - i == l - k:
        # As many tokens as before: one edit each keeps what lies between.
        return [Edit(was[i + n].start, was[i + n].end, now.tokens[k + n].text,
                     (was[i + n].text,), (now.tokens[k + n].text,), False)
                for n in range(j - i)
                if was[i + n].text != now.tokens[k + n].text]
    old_words = tuple(token.text for token in was[i:j])
    new_words = tuple(token.text for token in now.tokens[k:l])
    whole = _whole_lines(now, k, l)
    if i == j and whole is not None:
        at = text.offset(text.position(was[i].start)[0], 1) \
            if i < len(was) else end
        return [_insert(at, whole, new_words)]
    if k == l and _owns_lines(text, was, i, j):
        first = text.offset(text.position(was[i].start)[0], 1)
        last = text.position(was[j - 1].end - 1)[0] + 1
        stop = text.offset(last, 1) if last <= text.line_count \
            else len(text.data)
        return [Edit(first, stop, b"", old_words, (), True)]
    if i == j:
        at = was[i - 1].end if i else start
        lead = now.tokens[k - 1].end if k else 0
        return [Edit(at, at, now.data[lead:now.tokens[l - 1].end], (),
                     new_words, False)]
    fresh = now.data[now.tokens[k].start:now.tokens[l - 1].end] if l > k \
        else b""
    return [Edit(was[i].start, was[j - 1].end, fresh, old_words, new_words,
                 False)]


def _whole_lines(now: Text, k: int, l: int) -> Optional[bytes]:
    """Return the lines of inserted tokens, if nothing else is on them."""
    if k == l:
        return None
    first = now.position(now.tokens[k].start)[0]
    last = now.position(now.tokens[l - 1].end - 1)[0]
    if k and now.position(now.tokens[k - 1].end - 1)[0] >= first:
        return None
    if l < len(now.tokens) and now.position(now.tokens[l].start)[0] <= last:
        return None
    return now.data[now.offset(first, 1):now.offset(last + 1, 1)]


def _owns_lines(text: Text, was: list[Token], i: int, j: int) -> bool:
    first, last = was[i].start, was[j - 1].end
    top = text.offset(text.position(first)[0], 1)
    line = text.position(last - 1)[0] + 1
    bottom = text.offset(line, 1) if line <= text.line_count \
        else len(text.data)
    return not text.data[top:first].strip() and \
        not text.data[last:bottom].strip()


def _first(text: Text, offset: int) -> int:
    at = text.at(offset)
    if at is not None:
        return at
    return next((n for n, token in enumerate(text.tokens)
                 if token.start >= offset), len(text.tokens))


# --- layout ----------------------------------------------------------------

def _is_crlf(data: bytes) -> bool:
    first = data.find(b"\n")
    return first > 0 and data[first - 1:first] == b"\r"


def _seen(line: bytes) -> int:
    """Return how wide a piece of a line is."""
    column = 0
    for byte in line:
        column = (column // 8 + 1) * 8 if byte == 9 else column + 1
    return column


def _indent(column: int) -> bytes:
    return b"\t" * (column // 8) + b" " * (column % 8)


def _realigned(text: Text, edits: Sequence[Edit]) -> list[
        tuple[int, int, bytes]]:
    """Return the white space to replace so that aligned lines stay so."""
    moves: dict[int, int] = {}              # first token of a line -> column
    touched = {text.position(edit.start)[0] for edit in edits
               if not edit.whole_lines}
    shifts: list[tuple[int, int, bytes]] = []
    for line in sorted(touched):
        shifts += _align_line(text, edits, line, moves)
        broken = _break_line(text, edits, line)
        if broken is None:
            broken = _align_comment(text, edits, line)
        if broken is not None:
            shifts.append(broken)
    return shifts


def _align_comment(text: Text, edits: Sequence[Edit],
                   line: int) -> Optional[tuple[int, int, bytes]]:
    """Return the white space that keeps a comment behind a line in column."""
    start = text.offset(line, 1)
    end = text.offset(line + 1, 1) - 1 if line < text.line_count \
        else len(text.data)
    ends = [token.end for token in text.tokens[_first(text, start):
                                               _first(text, end)]
            if start <= token.start and token.end <= end]
    if not ends:
        return None
    tail = text.data[ends[-1]:end]
    gap = tail[:len(tail) - len(tail.lstrip(b" \t"))]
    # One space is how a comment follows that is aligned with nothing.
    if gap == b" " or not gap or tail[len(gap):len(gap) + 2] not in (b"/*",
                                                                    b"//"):
        return None
    column = _seen(text.data[start:ends[-1] + len(gap)])
    now = _seen(_line_with(text, edits, start, ends[-1]))
    fresh = b"\t" if b"\t" in gap else b" "
    if now < column:
        fresh = b""
        while b"\t" in gap and (now // 8 + 1) * 8 <= column:
            now = (now // 8 + 1) * 8
            fresh += b"\t"
        fresh += b" " * (column - now)
    return (ends[-1], ends[-1] + len(gap), fresh) if fresh != gap else None


def _align_line(text: Text, edits: Sequence[Edit], line: int,
                moves: dict[int, int]) -> list[tuple[int, int, bytes]]:
    start = text.offset(line, 1)
    shifts: list[tuple[int, int, bytes]] = []
    at = _first(text, start)
    while at < len(text.tokens) and text.line_of(at) == line:
        if text.text(at) == b"(":
            close = text.closing(at)
            was = _seen(text.data[start:text.tokens[at].end])
            now = _seen(_line_with(text, edits, start, text.tokens[at].end))
            if close > 0 and was != now and text.line_of(close) > line:
                shifts += _align_group(text, at, close, was, now, moves)
        at += 1
    return shifts


def _line_with(text: Text, edits: Sequence[Edit], start: int,
               end: int) -> bytes:
    """Return a piece of a line as it will be."""
    pieces, at = [], start
    for edit in sorted(edits):
        if start <= edit.start and edit.end <= end and not edit.whole_lines:
            pieces += [text.data[at:edit.start], edit.new]
            at = edit.end
    return b"".join(pieces) + text.data[at:end]


def _align_group(text: Text, opened: int, close: int, was: int, now: int,
                 moves: dict[int, int]) -> list[tuple[int, int, bytes]]:
    """Move the lines inside one pair of parentheses, if they were aligned."""
    shifts: list[tuple[int, int, bytes]] = []
    last = text.line_of(opened)
    for at in range(opened + 1, close + 1):
        line = text.line_of(at)
        if line == last:
            continue
        last = line
        start = text.offset(line, 1)
        lead = text.data[start:text.tokens[at].start]
        # A comment in front of the first token belongs to the same line.
        blank = lead[:len(lead) - len(lead.lstrip())]
        if at in moves or _seen(blank) < was:
            continue
        moves[at] = now
        column = _seen(blank) - was + now
        shifts.append((start, start + len(blank), _indent(column)))
    return shifts


def _break_line(text: Text, edits: Sequence[Edit],
                line: int) -> Optional[tuple[int, int, bytes]]:
    """Return a line break for a walk's header that has grown too wide."""
    start = text.offset(line, 1)
    end = text.offset(line + 1, 1) - 1 if line < text.line_count \
        else len(text.data)
    old = text.data[start:end].rstrip(b"\r")
    new = _line_with(text, edits, start, start + len(old))
    if _seen(new) <= WIDTH or _seen(old) > WIDTH:
        return None
    walks = names.now().old_walks
    loop = next((at for at in range(_first(text, start), len(text.tokens))
                 if text.tokens[at].text in walks), None)
    if loop is None or text.line_of(loop) != line:
        return None
    parts = text.arguments(loop + 1)
    column = _seen(_line_with(text, edits, start, text.tokens[loop + 1].end))
    # The count and the offset belong together, so the count goes down first.
    for first, _ in parts[2:3] + parts[:0:-1]:
        comma = text.tokens[first - 1]
        if text.line_of(first) != line:
            continue
        if _seen(_line_with(text, edits, start, comma.end)) <= WIDTH:
            between = text.data[comma.end:text.tokens[first].start]
            if between.strip():
                return None
            return (comma.end, text.tokens[first].start,
                    b"\n" + _indent(column))
    return None
