# SPDX-License-Identifier: GPL-2.0-only
"""Mend the comments that a conversion makes untrue.

A comment is nobody's to change but where what it says of the converted code
would be wrong: kernel-doc that calls a member or parameter by the old type
which has the new one now, and the words that a rule's own table lists.
A comment in other words stays as it is.

Data:   Text + declarations + pairs of words -> edits of comments alone.
Units:  offsets in bytes; columns as seen, with a tab stop every 8.
Errors: none.
Source: Documentation/doc-guide/kernel-doc.rst for `@name:`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from read import api as names
from read.ctext import Text
from judge.edits import WIDTH, Edit
from judge.units import DMA, PAGE, Decl

# Between two words of a comment: blanks, and a line end with its star.
_BETWEEN = rb"(?:[ \t]|\r?\n[ \t]*\*[ \t])+"


def mended(text: Text, edits: Sequence[Edit], decls: Iterable[Decl],
           pairs: Iterable[tuple[str, str]]) -> list[Edit]:
    """Return the edits that let the comments of a file be true again.

    They go with the edits given, and leave alone what those take away.
    """
    found: list[Edit] = []
    for decl in decls:
        if decl.kind in ("member", "param") and decl.name and \
                _retyped(text, decl, edits):
            found += _documented(text, decl)
    for old, new in pairs:
        found += _reworded(text, old.encode(), new.encode())
    free: list[Edit] = []
    for edit in sorted(set(found)):
        if all(edit.end <= other.start or other.end <= edit.start
               for other in [*edits, *free]):
            free.append(edit)
    return free


def _retyped(text: Text, decl: Decl, edits: Iterable[Edit]) -> bool:
    """Tell whether the edits give a declaration the new type."""
    at = decl.tag + (text.text(decl.tag) == b"struct")
    start = text.tokens[at].start
    return any(edit.start <= start < edit.end and names.now().tag(DMA) in edit.new_words
               for edit in edits)


def _documented(text: Text, decl: Decl) -> Iterator[Edit]:
    """Yield edits of the kernel-doc of a declaration."""
    doc = re.compile(rb"@" + re.escape(decl.name) + rb":(?:[^@\n]|\n(?![ \t]*"
                     rb"\*?[ \t\r]*\n)(?![ \t]*\*[ \t]*@))*")
    whole = decl.tag
    for structure in text.structures:
        if structure.open < decl.tag < structure.close:
            whole = min(whole, structure.open)
    for low, high in sorted({_gap(text, text.item_start(whole)),
                             _gap(text, decl.tag)}):
        for said in doc.finditer(text.data, low, high):
            end = said.end() if b"*/" not in said[0] else \
                said.start() + said[0].index(b"*/")
            for word in _type().finditer(text.data, said.start(), end):
                yield _edit(text, word.start(), word.end(), _shown()[word[0]])


def _shown() -> dict[bytes, bytes]:
    """Return what comments call the old type, and what takes its place."""
    api = names.now()
    return {api.old.encode(): api.new.encode(), api.tag(PAGE): api.tag(DMA)}


def _type() -> re.Pattern[bytes]:
    """Match what comments call the old type.

    The new term can end in the old one, with a blank or without.
    """
    api = names.now()
    before = api.new[:-len(api.old)].rstrip().encode() \
        if api.new.endswith(api.old) else b""
    behind = rb"(?<!%b )(?<!%b)" % (before, before) if before else b""
    return re.compile(behind + rb"\b(%b)\b|\b(%b)\b" % (
        re.escape(api.old.encode()), re.escape(api.tag(PAGE))))


def _reworded(text: Text, old: bytes, new: bytes) -> list[Edit]:
    """Return the edit of the one comment that has these words."""
    words = re.compile(_BETWEEN.join(map(re.escape, old.split())))
    places = [found for low, high in _gaps(text)
              for found in words.finditer(text.data, low, high)]
    if len(places) != 1:
        return []
    return [_edit(text, places[0].start(), places[0].end(), new)]


def _gap(text: Text, index: int) -> tuple[int, int]:
    """Return what is between a token and the one before it."""
    before = text.tokens[index - 1].end if index else 0
    return before, text.tokens[index].start


def _gaps(text: Text) -> Iterator[tuple[int, int]]:
    """Yield what is between tokens, dead code left out."""
    at = 0
    for token in text.tokens:
        if token.start > at and not any(
                low < token.start and at < high for low, high in text.dead):
            yield at, token.start
        at = token.end


def _edit(text: Text, start: int, end: int, new: bytes) -> Edit:
    """Return an edit whose lines are as wide as lines may be."""
    line, column = text.position(start)
    top = start - column + 1
    stop = text.data.find(b"\n", end)
    stop = len(text.data) if stop < 0 else stop
    rest = text.data[end:stop].rstrip(b"\r")
    lead = re.match(rb"[ \t]*(?:/\*\*?[ \t]|\*[ \t]+)?", text.data[top:start])
    assert lead is not None
    margin = lead[0].replace(b"/**", b" * ").replace(b"/*", b" *")
    seen = len(text.data[top:start].expandtabs(8))
    pieces: list[bytes] = []
    for number, word in enumerate(new.split()):
        blank = b" " if number else b""
        if number and seen + 1 + len(word) > WIDTH:
            blank = b"\n" + margin
            seen = len(margin.expandtabs(8)) - 1
        pieces += [blank, word]
        seen += len(word) + (1 if number else 0)
    if seen + len(rest.expandtabs(8)) > WIDTH and rest.startswith(b" "):
        # The rest of the line goes down; it was narrow enough before.
        return Edit(start, end + 1, b"".join(pieces) + b"\n" + margin, (),
                    (), False)
    return Edit(start, end, b"".join(pieces), (), (), False)
