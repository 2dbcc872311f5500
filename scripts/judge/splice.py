# SPDX-License-Identifier: GPL-2.0-only
"""Put what a diff of spatch changes into the bytes of the file as it is.

spatch prints whole lines again, from a copy in which a byte beyond ASCII is a
question mark and a line ends in LF. So a run of changed lines is compared
piece by piece, and only the pieces that differ are taken from the diff. A
piece is a token or a comment, as the reader finds them; white space between
two pieces is spatch's where one of them is new or the line was broken between
them, and the file's otherwise. A comment or a byte beyond ASCII that would be lost
makes the change a refused one.

The result is compared with spatch's own: they differ in white space only.

Data:   source + unified diff -> tuple[Edit, ...]; source + edits -> bytes.
Units:  offsets in bytes of the file as it is; lines from 1.
Errors: SpliceError, when a diff does not belong to the file.
Source: unified diffs as spatch prints them; tests/test_splice.py.
"""

from __future__ import annotations

import bisect
import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from read.ctext import Text
from run import hunks
from run.jobs import SpatchError

_BYTE = "a byte beyond ASCII"
_PLAIN = bytes(0x20 if byte == 0 else byte if byte < 0x80 else ord("?")
               for byte in range(256))
# Pieces of one change beyond which no comparison is made: it would take time
# that grows with their square.
_MOST_PIECES = 4000


_BLANK = b" \t\n\r\v\f"
_WHITE = _BLANK + b"\0"
_OPEN, _CLOSE = (b"(", b"[", b"{"), (b")", b"]", b"}")


class SpliceError(Exception):
    """A diff does not fit its file; the message says where."""


@dataclass(frozen=True, order=True)
class Edit:
    start: int               # what is replaced, in bytes of the file
    end: int
    new: bytes
    first: int = 0           # the lines of the change that it is a part of
    last: int = 0
    loses: str = ""          # what it would lose besides code, "" for nothing


@dataclass(frozen=True)
class Cut:
    """A text with its pieces and lines."""

    data: bytes
    spans: list[tuple[int, int]]
    starts: list[int]        # of the pieces
    rows: list[int]          # of the lines

    @classmethod
    def of(cls, data: bytes) -> Cut:
        # spatch gets a blank for a NUL, so it is white space here.
        spans = [(start, end) for start, end in Text(data).pieces()
                 if data[start:end].strip(b"\0")]
        return cls(data, spans, [start for start, _ in spans],
                   line_starts(data))

    def lines(self, first: int, count: int) -> tuple[int, int]:
        """Return where some lines start and end."""
        rows, size = self.rows, len(self.data)
        return (rows[first - 1] if 0 < first <= len(rows) else size,
                rows[first + count - 1] if first + count <= len(rows)
                else size)

    def within(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return the pieces of a range; one that goes on beyond is cut."""
        at = bisect.bisect_left(self.starts, start)
        found = []
        if at and self.spans[at - 1][1] > start:
            found.append((start, min(self.spans[at - 1][1], end)))
        while at < len(self.spans) and self.starts[at] < end:
            found.append((self.starts[at], min(self.spans[at][1], end)))
            at += 1
        return found


def edits(source: bytes, diff: bytes) -> tuple[Edit, ...]:
    """Return what a diff against sanitise(source) changes in source."""
    plain = source.translate(_PLAIN)
    try:
        result = hunks.patched(hunks.sanitise(source), diff)
    except SpatchError as error:
        raise SpliceError(str(error)) from error
    old, new = Cut.of(source), Cut.of(result)
    eol = b"\r\n" if _is_crlf(source) else b"\n"
    found: list[Edit] = []
    shift = 0
    for first, gone, come in _blocks(diff):
        start, end = old.lines(first, len(gone))
        if first < 1 or plain[start:end].replace(b"\r\n", b"\n").rstrip(
                b"\n") != b"\n".join(gone).rstrip(b"\n"):
            raise SpliceError(f"line {first}: the file has another text")
        fresh = new.lines(first + shift, len(come))
        found += _block(old, plain, (start, end), new, fresh, eol,
                        (first, max(first, first + len(gone) - 1)))
        shift += len(come) - len(gone)
    return tuple(found)


def apply(source: bytes, changes: Iterable[Edit]) -> bytes:
    """Return a file with edits made."""
    pieces, at = [], 0
    for edit in sorted(changes):
        if edit.start < at:
            raise SpliceError(f"two edits overlap at offset {edit.start}")
        pieces += [source[at:edit.start], edit.new]
        at = edit.end
    return b"".join(pieces) + source[at:]


def agrees(source: bytes, diff: bytes, result: bytes) -> bool:
    """Tell whether a result is spatch's own but for white space."""
    theirs = hunks.patched(hunks.sanitise(source), diff)
    return result.translate(_PLAIN, _WHITE) == theirs.translate(None, _BLANK)


def moved(changes: Sequence[Edit], offset: int) -> int | None:
    """Return where an offset comes to lie, None where it is replaced."""
    shift = 0
    for edit in changes:
        if edit.start <= offset < edit.end:
            return None
        if edit.end <= offset and (edit.start, edit.end) != (offset, offset):
            shift += len(edit.new) - (edit.end - edit.start)
        elif edit.start == edit.end == offset:
            shift += len(edit.new)
    return offset + shift


def line_starts(source: bytes) -> list[int]:
    """Return the offset of the first byte of every line."""
    found = [0]
    at = source.find(b"\n")
    while at >= 0 and at + 1 < len(source):
        found.append(at + 1)
        at = source.find(b"\n", at + 1)
    return found


def line_of(starts: Sequence[int], offset: int) -> int:
    return bisect.bisect_right(starts, offset)


def reaches(cut: Cut, offset: int, edit: Edit) -> bool:
    """Tell whether an edit lies in the argument list of a name."""
    depth, first = 0, True
    # The name itself is the first of these.
    for start, end in cut.spans[bisect.bisect_left(cut.starts, offset) + 1:]:
        if start >= edit.start:
            return depth > 0
        text = cut.data[start:end]
        if _is_comment(text):
            continue
        if first and text != b"(":
            return False
        first = False
        depth += (text in _OPEN) - (text in _CLOSE)
        if depth <= 0:
            return False
    return False


# --- one run of changed lines ----------------------------------------------

def _blocks(diff: bytes) -> Iterator[tuple[int, list[bytes], list[bytes]]]:
    """Yield (first old line, old lines, new lines) of every change."""
    for start, lines in hunks.hunks(diff):
        at, old, new = start, list[bytes](), list[bytes]()
        for line in [*lines, b" "]:
            if line[:1] == b"-":
                old.append(line[1:])
            elif line[:1] == b"+":
                new.append(line[1:])
            elif line[:1] == b" ":
                if old or new:
                    yield at - len(old), old, new
                    old, new = [], []
            at += line[:1] in (b"-", b" ")


def _block(old: Cut, plain: bytes, span: tuple[int, int], new: Cut,
           come: tuple[int, int], eol: bytes,
           lines: tuple[int, int]) -> list[Edit]:
    source, (start, end) = old.data, span
    fresh = new.data[come[0]:come[1]]
    was = old.within(start, end)
    now = [(a - come[0], b - come[0]) for a, b in new.within(*come)]
    if not was or not now or len(was) + len(now) > _MOST_PIECES:
        text = fresh.replace(b"\n", eol)
        if start == end == len(source) and not source.endswith(b"\n"):
            text = eol + text
        lost = _loses(source, was, fresh, now)
        if was and now and source[start:end] != plain[start:end]:
            lost = lost or _BYTE
        return [Edit(start, end, text, *lines, lost)]
    old_words = [plain[a:b] for a, b in was]
    new_words = [fresh[a:b] for a, b in now]
    matcher = difflib.SequenceMatcher(None, old_words, new_words,
                                      autojunk=False)
    # Gap n lies in front of piece n.
    found: list[Edit] = []
    for tag, i, j, k, l in matcher.get_opcodes():
        if tag == "equal":
            found += _rebroken(plain, was[i:j], fresh, now[k:l], eol, lines)
            continue
        a = start if i == 0 else was[i - 1][1]
        b = end if j == len(was) else was[j][0]
        c = 0 if k == 0 else now[k - 1][1]
        d = len(fresh) if l == len(now) else now[l][0]
        if tag == "replace":
            # What takes the place of a piece stands where that stood.
            if _same_line(plain[a:was[i][0]], fresh[c:now[k][0]]):
                a, c = was[i][0], now[k][0]
            if _same_line(plain[was[j - 1][1]:b], fresh[now[l - 1][1]:d]):
                b, d = was[j - 1][1], now[l - 1][1]
        text = _with_bytes(source, plain, was[i:j], fresh[c:d], now[k:l], c)
        loses = _loses(source, was[i:j], fresh, now[k:l])
        found.append(_narrow(plain, Edit(
            a, b, text.replace(b"\n", eol), *lines, loses), i, j, was))
    return found


def _same_line(old: bytes, new: bytes) -> bool:
    """Tell whether white space breaks no line, or breaks it the same way."""
    old = old.replace(b"\r\n", b"\n")
    return old == new or b"\n" not in old + new


def _rebroken(plain: bytes, was: Sequence[tuple[int, int]], fresh: bytes,
              now: Sequence[tuple[int, int]], eol: bytes,
              lines: tuple[int, int]) -> Iterator[Edit]:
    """Yield the line breaks that spatch takes away, or indents anew.

    A call that a rule writes again is on one line then, where it fits.
    """
    for (_, a), (b, _), (_, c), (d, _) in zip(was, was[1:], now, now[1:]):
        old, new = plain[a:b].replace(b"\r\n", b"\n"), fresh[c:d]
        if b"\n" in old and old != new:
            yield Edit(a, b, new.replace(b"\n", eol), *lines)


def _narrow(plain: bytes, edit: Edit, i: int, j: int,
            was: Sequence[tuple[int, int]]) -> Edit:
    """Leave out of an edit the white space that stays the same."""
    old, new = plain[edit.start:edit.end], edit.new
    first, last = (was[i][0], was[j - 1][1]) if j > i else (edit.end,
                                                             edit.start)
    head = 0
    most = min(len(new), (first if j > i else edit.end) - edit.start)
    while head < most and old[head] == new[head] and \
            old[head:head + 1].isspace():
        head += 1
    tail = 0
    most = min(len(new) - head, edit.end - (last if j > i else edit.start)
               - (0 if j > i else head))
    while tail < most and old[len(old) - 1 - tail] == \
            new[len(new) - 1 - tail] and \
            old[len(old) - 1 - tail:len(old) - tail].isspace():
        tail += 1
    return Edit(edit.start + head, edit.end - tail,
                new[head:len(new) - tail], edit.first, edit.last, edit.loses)


def _with_bytes(source: bytes, plain: bytes, was: Sequence[tuple[int, int]],
                fresh: bytes, now: Sequence[tuple[int, int]],
                base: int) -> bytes:
    """Put the file's own bytes back where spatch saw question marks."""
    own: dict[bytes, bytes] = {}
    for a, b in was:
        if source[a:b] != plain[a:b]:
            own.setdefault(plain[a:b], source[a:b])
    if not own:
        return fresh
    pieces, at = [], base
    for a, b in now:
        text = fresh[a - base:b - base]
        pieces += [fresh[at - base:a - base], own.get(text, text)]
        at = b
    return b"".join([*pieces, fresh[at - base:]])


def _loses(source: bytes, was: Sequence[tuple[int, int]], fresh: bytes,
           now: Sequence[tuple[int, int]]) -> str:
    """Say what would be lost with the pieces that go, "" for nothing."""
    new = [fresh[a:b] for a, b in now]
    for a, b in was:
        text = source[a:b]
        if not _is_comment(text):
            continue
        plain = text.translate(_PLAIN).replace(b"\r\n", b"\n").rstrip()
        if plain not in [one.rstrip() for one in new]:
            return "a comment"
    own = {source[a:b].translate(_PLAIN) for a, b in was}
    for text in new:
        # Where it comes from it may have been another byte.
        if b"?" in text and len(text) > 1 and text not in own \
                and text not in source and not source.isascii():
            return _BYTE
    return ""


def _is_comment(text: bytes) -> bool:
    return text.startswith((b"/*", b"//"))


def _is_crlf(source: bytes) -> bool:
    first = source.find(b"\n")
    return first > 0 and source[first - 1:first] == b"\r"
