# SPDX-License-Identifier: GPL-2.0-only
"""Put what a diff of spatch changes into the bytes of the file as it is.

spatch prints whole lines again, from a copy in which a byte beyond ASCII is a
question mark and a line ends in LF. So a run of changed lines is compared
piece by piece, and only the pieces that differ are taken from the diff. A
piece is a word, a string, a comment or one other byte; white space between
two pieces is spatch's where one of them is new or the line was broken between
them, and the file's otherwise. A comment or a byte beyond ASCII that would be lost
makes the change a refused one.

The pieces only cut lines for a comparison and decide nothing about C: cut in
the wrong place, a change is larger than it has to be, and never wrong, since
the result is compared with spatch's own.

Data:   source + unified diff -> tuple[Edit, ...]; source + edits -> bytes.
Units:  offsets in bytes of the file as it is; lines from 1.
Errors: SpliceError, when a diff does not belong to the file.
Source: unified diffs as spatch prints them; tests/test_splice.py.
"""

from __future__ import annotations

import bisect
import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from run import hunks

_PIECE = re.compile(rb'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"'
                    rb"|'(?:\\.|[^'\\\n])*'|\w+|[^\s\w]", re.DOTALL)
_BYTE = "a byte beyond ASCII"
_PLAIN = bytes(0x20 if byte == 0 else byte if byte < 0x80 else ord("?")
               for byte in range(256))
# Pieces of one change beyond which no comparison is made: it would take time
# that grows with their square.
_MOST_PIECES = 4000


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


def edits(source: bytes, diff: bytes) -> tuple[Edit, ...]:
    """Return what a diff against sanitise(source) changes in source."""
    starts = line_starts(source)
    plain = source.translate(_PLAIN)
    eol = b"\r\n" if _is_crlf(source) else b"\n"
    found: list[Edit] = []
    for first, old, new in _blocks(diff):
        if first + len(old) - 1 > len(starts) or first < 1:
            raise SpliceError(f"line {first}: the file has no such line")
        start = starts[first - 1] if first <= len(starts) else len(source)
        after = first + len(old)
        end = starts[after - 1] if after <= len(starts) else len(source)
        text = b"\n".join(old)
        if plain[start:end].replace(b"\r\n", b"\n").rstrip(b"\n") != \
                text.rstrip(b"\n"):
            raise SpliceError(f"line {first}: the file has another text")
        fresh = b"".join(line + b"\n" for line in new)
        if end == len(source) and not source.endswith(b"\n"):
            fresh = fresh.removesuffix(b"\n")
        found += _block(source, plain, (start, end), fresh, eol,
                        (first, max(first, after - 1)))
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
    ours = _PIECE.findall(result.translate(_PLAIN))
    theirs = _PIECE.findall(hunks.patched(hunks.sanitise(source), diff))
    return ours == theirs


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


def reaches(source: bytes, offset: int, edit: Edit) -> bool:
    """Tell whether an edit lies in the argument list of a name."""
    if edit.start <= offset:
        return False
    depth, first = 0, True
    pieces = _PIECE.finditer(source, offset, max(edit.start, offset))
    next(pieces, None)       # the name itself
    for piece in pieces:
        text = piece[0]
        if text.startswith((b"/*", b"//")):
            continue
        if first and text != b"(":
            return False
        first = False
        depth += (text in b"([{") - (text in b")]}") if len(text) == 1 else 0
        if depth <= 0:
            return False
    return depth > 0


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


def _block(source: bytes, plain: bytes, span: tuple[int, int], fresh: bytes,
           eol: bytes, lines: tuple[int, int]) -> list[Edit]:
    start, end = span
    was = [match.span() for match in _PIECE.finditer(plain, start, end)]
    now = [match.span() for match in _PIECE.finditer(fresh)]
    if not was or not now or len(was) + len(now) > _MOST_PIECES:
        new = fresh.replace(b"\n", eol)
        lost = _loses(source, was, fresh, now)
        if was and now and source[start:end] != plain[start:end]:
            lost = lost or _BYTE
        return [Edit(start, end, new, *lines, lost)]
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
        new = _with_bytes(source, plain, was[i:j], fresh[c:d], now[k:l], c)
        loses = _loses(source, was[i:j], fresh, now[k:l])
        found.append(_narrow(plain, Edit(
            a, b, new.replace(b"\n", eol), *lines, loses), i, j, was))
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
        if not text.startswith((b"/*", b"//")):
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


def _is_crlf(source: bytes) -> bool:
    first = source.find(b"\n")
    return first > 0 and source[first - 1:first] == b"\r"
