# SPDX-License-Identifier: GPL-2.0-only
"""Give a tree the DMA page iterator, or say why it cannot have it.

The tree is asked for declarations, never for its version, and is only read:
what comes back are the new contents of the files that have to change, which
someone else puts in place.

A hunk of a patch in kernel-patch/ fits where its old lines are found exactly
once, at whatever line; there is no fuzz. Where a fork has reworded the lines
around the API, the declaration or export that the hunk stands beside is its
anchor, and it too has to be there exactly once.

Data:   tree -> State; tree and Form -> {path relative to the tree: contents}.
        An added line ends as the line before it does, in LF or CRLF.
Errors: CoreError, one sentence that starts with the file; nothing is changed.
Source: hunks as in diff -u; the API as in d901b2760dc6 ("lib/scatterlist:
        Provide a DMA page iterator"), v5.1.
"""

from __future__ import annotations

import enum
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HEADER = "include/linux/scatterlist.h"
LIBRARY = "lib/scatterlist.c"

PATCHES = Path(__file__).resolve().parents[2] / "kernel-patch/sg-dma-page"
_ITERATOR = "0001-lib-scatterlist-add-a-page-iterator-for-DMA-addresses"


class Form(enum.Enum):
    """What the accessor takes: the DMA page iterator, or both iterators."""

    STRICT = "strict"
    TRANSITIONAL = "transitional"


class State(enum.Enum):
    """What a tree has of the API."""

    ABSENT = "absent"
    STRICT = "strict"
    TRANSITIONAL = "transitional"


PATCH = {Form.STRICT: PATCHES / f"{_ITERATOR}.patch",
         Form.TRANSITIONAL: PATCHES / f"{_ITERATOR}-transitional.patch"}
REMOVAL = PATCHES / "0002-lib-scatterlist-accept-only-the-DMA-iterator-for-" \
                    "DMA-addresses.patch"
# In the order in which a tree takes them.
WIDTH_FIX = PATCHES / "0003-lib-scatterlist-shift-the-DMA-page-offset-in-" \
                      "dma_addr_t.patch"
COUNT_FIX = PATCHES / "0004-lib-scatterlist-count-DMA-pages-from-the-DMA-" \
                      "address.patch"


class CoreError(Exception):
    """The tree cannot be given the API; the message starts with the file."""


@dataclass(frozen=True)
class Hunk:
    file: str                                # relative to the tree
    line: int                                # 1-based, of the old file
    lines: tuple[tuple[str, bytes], ...]     # mark (' ', '-', '+') and text

    @property
    def before(self) -> list[bytes]:
        return [text for mark, text in self.lines if mark != "+"]

    @property
    def after(self) -> list[bytes]:
        return [text for mark, text in self.lines if mark != "-"]

    @property
    def added(self) -> list[bytes]:
        return [text for mark, text in self.lines if mark == "+"]


@dataclass(frozen=True)
class Letter:
    """The commit message of a patch."""

    subject: str                             # without [PATCH]
    body: str                                # without trailers of its own


def probe(tree: Path) -> State:
    """Say what the tree has, from its declarations."""
    return _state(_read(tree, HEADER), _read_if_there(tree, LIBRARY))


def install(tree: Path, form: Form, *, fix: bool = False) -> dict[str, bytes]:
    """Return the files that give the tree the API in this form.

    A tree that has the strict form already needs nothing, whatever is asked
    for, unless fix asks for the corrections of fix() as well.
    """
    state = probe(tree)
    if state is State.STRICT or state.value == form.value:
        return _fixed(tree, {}) if fix else {}
    files = {name: _read(tree, name) for name in (HEADER, LIBRARY)}
    if state is State.TRANSITIONAL:
        changed = apply(files, REMOVAL)
    else:
        changed = _apply(files, PATCH[form], anchors=_ANCHORS)
    now = {**files, **changed}
    if _state(now[HEADER], now[LIBRARY]).value != form.value:
        raise CoreError(f"{HEADER}: the patch left it without the "
                        f"{form.value} form")
    return _fixed(tree, changed) if fix else changed


def fix(tree: Path) -> dict[str, bytes]:
    """Return the files that correct the walk of a tree with the strict form.

    v5.1 and later count pages from the wrong offset, and shift the index of
    a page in 32 bits. Other trees need nothing.
    """
    return _fixed(tree, {})


def letter(patch: Path) -> Letter:
    """Return the commit message of a patch in kernel-patch/."""
    head, _, rest = patch.read_text(encoding="utf-8").partition("\n\n")
    subject = re.search(r"^Subject: \[PATCH\] (.+)$", head, re.MULTILINE)
    if subject is None:
        raise CoreError(f"{patch.name}: no subject")
    return Letter(subject[1], rest.partition("\n---\n")[0].strip())


def apply(files: dict[str, bytes], patch: Path) -> dict[str, bytes]:
    """Return the files that the patch changes, changed; every hunk fits."""
    return _apply(files, patch, anchors={})


def hunks(patch: Path) -> list[Hunk]:
    """Return the hunks of a patch file in its order."""
    found: list[Hunk] = []
    file = ""
    rows = iter(patch.read_bytes().split(b"\n"))
    for row in rows:
        if row.startswith(b"+++ b/"):
            file = row[len(b"+++ b/"):].decode()
        head = _HUNK.match(row)
        if head is None or not file:
            continue
        old, new = int(head[2]), int(head[3])
        lines = []
        while old or new:
            text = next(rows, b"")
            mark = text[:1].decode("latin-1")
            if mark not in (" ", "-", "+"):
                raise CoreError(f"{patch.name}: a hunk of {file} is cut short")
            old -= mark != "+"
            new -= mark != "-"
            lines.append((mark, text[1:]))
        found.append(Hunk(file, int(head[1]), tuple(lines)))
    return found


def _fixed(tree: Path, changed: dict[str, bytes]) -> dict[str, bytes]:
    """Return changed with the fixes on top; what it lacks is in the tree."""
    now = {name: changed[name] if name in changed else _read(tree, name)
           for name in (HEADER, LIBRARY)}
    if _state(now[HEADER], now[LIBRARY]) is not State.STRICT:
        return changed
    done = dict(changed)
    if not _SHIFTS_WIDE.search(_code(now[HEADER])):
        done.update(apply(now, WIDTH_FIX))
    if not _COUNTS_RIGHT.search(_code(now[LIBRARY])):
        done.update(apply(now, COUNT_FIX))
    return done


_HUNK = re.compile(rb"@@ -(\d+),(\d+) \+\d+,(\d+) @@")


# Where each part of the API stands, asked of the code without its comments.

_ITERATES = re.compile(rb"\bstruct\s+sg_page_iter\s*\{")
_PARTS = {
    "struct sg_dma_page_iter":
        re.compile(rb"\bstruct\s+sg_dma_page_iter\s*\{"),
    "__sg_page_iter_dma_next()":
        re.compile(rb"\b__sg_page_iter_dma_next\s*\([^()]*\)\s*;"),
    "for_each_sg_dma_page()":
        re.compile(rb"^[ \t]*#[ \t]*define[ \t]+for_each_sg_dma_page\(",
                   re.MULTILINE),
}
_MENTIONS = re.compile(rb"\b(?:sg_dma_page_iter|for_each_sg_dma_page"
                       rb"|__sg_page_iter_dma_next)\b")
# What the patch adds beside the API, and would declare a second time.
_OUR_NAMES = re.compile(rb"\b(?:sg_any_page_iter|sg_dma_page_count)\b")
_ACCESSOR = re.compile(rb"\bsg_page_iter_dma_address\s*\(([^()]*)\)\s*\{")
_NEXT_BODY = re.compile(rb"\b__sg_page_iter_dma_next\s*\([^()]*\)\s*\{")
_NEXT_EXPORT = re.compile(rb"\bEXPORT_SYMBOL\w*\s*\(\s*"
                          rb"__sg_page_iter_dma_next\b")
_TAKES = {
    b"struct sg_page_iter *": State.ABSENT,
    b"struct sg_dma_page_iter *": State.STRICT,
    b"union sg_any_page_iter ": State.TRANSITIONAL,
}
_COUNTS_RIGHT = re.compile(rb"\bsg_dma_page_count\s*\([^()]*\)\s*\{[^{}]*"
                           rb"\boffset_in_page\s*\(\s*sg_dma_address\s*\(")
_SHIFTS_WIDE = re.compile(rb"\(\s*dma_addr_t\s*\)\s*dma_iter->base\."
                          rb"sg_pgoffset\s*<<\s*PAGE_SHIFT")


def _state(header: bytes, library: bytes | None) -> State:
    code = _code(header)
    there = [part for part, seen in _PARTS.items() if seen.search(code)]
    lacking = [part for part in _PARTS if part not in there]
    accessor = _ACCESSOR.search(code)
    if accessor is None or not _ITERATES.search(code):
        raise CoreError(f"{HEADER}: no struct sg_page_iter with an accessor "
                        "for DMA addresses; the iterator came with v3.10")
    takes = b" ".join(accessor[1].split())
    state = next((state for prefix, state in _TAKES.items()
                  if takes.startswith(prefix)), None)
    if state is None:
        raise CoreError(f"{HEADER}: sg_page_iter_dma_address() takes "
                        f"({takes.decode(errors='replace')}), which no known "
                        "form of the API does")
    if there and lacking:
        raise CoreError(f"{HEADER}: has {', '.join(there)} but not "
                        f"{', '.join(lacking)}; a person must complete it")
    if (state is State.ABSENT) != (not there):
        raise CoreError(f"{HEADER}: has the DMA page iterator, but "
                        "sg_page_iter_dma_address() does not go with it"
                        if there else
                        f"{HEADER}: sg_page_iter_dma_address() takes an "
                        "iterator that is not declared")
    if not there and _MENTIONS.search(code):
        raise CoreError(f"{HEADER}: names the DMA page iterator but does not "
                        "declare it; a person must take the stand-in out")
    body = b"" if library is None else _code(library)
    if library is not None:
        defined = bool(_NEXT_BODY.search(body))
        if defined != bool(there):
            raise CoreError(f"{LIBRARY}: __sg_page_iter_dma_next() is "
                            + ("defined but not declared" if defined
                               else "declared but not defined"))
        if defined and not _NEXT_EXPORT.search(body):
            # As the first posting was; a converted module would not load.
            raise CoreError(f"{LIBRARY}: __sg_page_iter_dma_next() is not "
                            "exported; a person must add the export")
    for name, text in ((HEADER, code), (LIBRARY, body)):
        taken = None if there else _OUR_NAMES.search(text)
        if taken is not None:
            raise CoreError(f"{name}: has a {taken[0].decode()} of its own; "
                            "a person must rename it")
    return state


_TOKEN = re.compile(rb"/\*.*?\*/|//[^\n]*"
                    rb"|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)


def _code(text: bytes) -> bytes:
    """Return the text with LF, and a blank for each comment and string."""
    return _TOKEN.sub(b" ", text.replace(b"\r\n", b"\n"))


# What a hunk of PATCH falls back on. Each pattern is matched against whole
# lines, and gives the lines that replace what it matched.

_Replace = Callable[[Hunk, "re.Match[bytes]"], list[bytes]]


@dataclass(frozen=True)
class _Anchor:
    file: str
    pattern: re.Pattern[bytes]
    replace: _Replace


def _keep_and_add(hunk: Hunk, match: re.Match[bytes]) -> list[bytes]:
    return match[0].split(b"\n")[:-1] + hunk.added


def _without_context(hunk: Hunk, match: re.Match[bytes]) -> list[bytes]:
    return hunk.after[1:-1]


def _whole(hunk: Hunk, match: re.Match[bytes]) -> list[bytes]:
    return hunk.after


# By a line that only this hunk adds.
_ANCHORS = {
    b"struct sg_dma_page_iter {": _Anchor(
        HEADER,
        re.compile(rb"^(?:extern )?bool __sg_page_iter_next\("
                   rb"struct sg_page_iter \*\w+\);\n", re.MULTILINE),
        _without_context),
    b"sg_page_iter_dma_address(": _Anchor(
        HEADER,
        re.compile(rb"^(?:/\*\*\n(?: \*[^/\n]*\n)* \*/\n)?"
                   rb"static inline dma_addr_t\s+sg_page_iter_dma_address\("
                   rb"struct sg_page_iter \*(?P<i>\w+)\)\n\{\n"
                   rb"\s*return sg_dma_address\((?P=i)->sg\)\s*\+\s*"
                   rb"\((?P=i)->sg_pgoffset\s*<<\s*PAGE_SHIFT\);\n\}\n",
                   re.MULTILINE),
        _whole),
    b"#define for_each_sg_dma_page(": _Anchor(
        HEADER,
        re.compile(rb"^#define for_each_sg_page\((?:[^\n]*\\\n)*[^\n]*\n",
                   re.MULTILINE),
        _keep_and_add),
    b"EXPORT_SYMBOL(__sg_page_iter_dma_next);": _Anchor(
        LIBRARY,
        re.compile(rb"^EXPORT_SYMBOL(?:_GPL)?\(__sg_page_iter_next\);\n",
                   re.MULTILINE),
        _keep_and_add),
}


def _apply(files: dict[str, bytes], patch: Path,
           anchors: dict[bytes, _Anchor]) -> dict[str, bytes]:
    """Return the files that the patch changes, changed."""
    done: dict[str, bytes] = {}
    for hunk in hunks(patch):
        text = done.get(hunk.file, files[hunk.file])
        lines = text.split(b"\n")
        plain = b"\n".join(line.rstrip(b"\r") for line in lines)
        places = _places(plain, hunk)
        if len(places) == 1:
            new = _take(lines, places[0], hunk)
        elif not _adds_code(hunk) and anchors:
            continue       # a comment in the fork's own words stays
        else:
            new = _at_anchor(lines, plain, hunk, patch, anchors)
        done[hunk.file] = b"\n".join(new)
    return done


def _places(plain: bytes, hunk: Hunk) -> list[int]:
    """Return the indices of the lines where the old lines of the hunk are."""
    old = re.escape(b"\n".join(hunk.before))
    return [plain.count(b"\n", 0, match.start())
            for match in re.finditer(rb"^" + old + rb"$", plain, re.MULTILINE)]


def _take(lines: list[bytes], at: int, hunk: Hunk) -> list[bytes]:
    """Return the lines with the hunk applied at this index."""
    new = lines[:at]
    for mark, text in hunk.lines:
        if mark == "+":
            new.append(text + _return(new[-1] if new else lines[at]))
        else:
            if mark == " ":
                new.append(lines[at])
            at += 1
    return new + lines[at:]


def _at_anchor(lines: list[bytes], plain: bytes, hunk: Hunk, patch: Path,
               anchors: dict[bytes, _Anchor]) -> list[bytes]:
    anchor = next((anchor for line, anchor in anchors.items()
                   if any(text.startswith(line) for text in hunk.added)), None)
    found = list(anchor.pattern.finditer(plain)) if anchor else []
    if anchor is None or len(found) != 1:
        raise CoreError(f"{hunk.file}: {patch.name} does not fit near "
                        f"'{_landmark(hunk)}'"
                        + (f", whose place is there {len(found)} times"
                           if len(found) > 1 else ""))
    match = found[0]
    first = plain.count(b"\n", 0, match.start())
    after = first + match[0].count(b"\n")
    end = _return(lines[first])
    return (lines[:first]
            + [text + end for text in anchor.replace(hunk, match)]
            + lines[after:])


def _landmark(hunk: Hunk) -> str:
    """Return the line to look for by hand: the first that is of words."""
    rows = [text for mark, text in hunk.lines if mark == "-"] + hunk.before
    words = (text.decode().strip(" *\t") for text in rows)
    return next((row for row in words if re.match(r"[\w#]", row)), "")


def _adds_code(hunk: Hunk) -> bool:
    return not all(text.startswith(b" *") for text in hunk.added)


def _return(line: bytes) -> bytes:
    return b"\r" if line.endswith(b"\r") else b""


def _read_if_there(tree: Path, name: str) -> bytes | None:
    return _read(tree, name) if (tree / name).exists() else None


def _read(tree: Path, name: str) -> bytes:
    """Return a regular file that no symbolic link leads to."""
    path = tree
    try:
        for part in Path(name).parts:
            path = path / part
            if stat.S_ISLNK(path.lstat().st_mode):
                raise CoreError(f"{name}: {path.relative_to(tree)} is a "
                                "symbolic link, which is not followed")
        if not stat.S_ISREG(path.lstat().st_mode):
            raise CoreError(f"{name}: not a regular file")
        return path.read_bytes()
    except OSError as error:
        raise CoreError(f"{name}: {error.strerror}") from error
