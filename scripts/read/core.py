# SPDX-License-Identifier: GPL-2.0-only
"""Give a tree the new API of a campaign, or say why it cannot have it.

A campaign names the states that a tree can be in, each by a declaration, and
the patches that lead from one to another. This module recognises the state and
walks the shortest way to the one that is wanted. It asks for declarations,
never for a version, and only reads: it returns the new contents of the files
that have to change, which someone else puts in place.

A hunk of a patch fits where its old lines are found exactly once, at whatever
line; there is no fuzz. Where a fork has reworded the lines around the API, the
campaign's anchor for the hunk has to match exactly once instead.

Data:   campaign and tree -> State; with a wanted State -> {path relative to
        the tree: contents}. An added line ends as the line before it does, in
        LF or CRLF.
Errors: CoreError, one sentence that starts with the file; nothing is changed.
Source: hunks as in diff -u.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from read.campaign import (ANY, UNKNOWN, Anchor, Callers, Campaign, Patch,
                           Refusal, State, Where)


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


def probe(campaign: Campaign, tree: Path) -> Optional[State]:
    """Return the state of a tree; a campaign without states has none."""
    if not campaign.states:
        return None
    needed = {state.file for state in campaign.states}
    return _recognised(campaign, {
        name: _read(tree, name) if name in needed
        else _read_if_there(tree, name) for name in _asked(campaign)})


def install(campaign: Campaign, tree: Path, wanted: State, *,
            fix: bool = False) -> dict[str, bytes]:
    """Return the files that bring a tree to a state.

    A tree that is past the old API needs nothing where no patch leads to the
    state, unless fix asks for the corrections of fix() as well.
    """
    done: dict[str, bytes] = {}
    for _, changed in steps(campaign, tree, [wanted]):
        done.update(changed)
    return _fixed(campaign, tree, done) if fix else done


def steps(campaign: Campaign, tree: Path, wanted: Iterable[State]
          ) -> list[tuple[Patch, dict[str, bytes]]]:
    """Return each patch on the way through some states, and what it changes."""
    now = probe(campaign, tree)
    found: list[tuple[Patch, dict[str, bytes]]] = []
    files: dict[str, bytes] = {}
    for state in wanted:
        if now is None or state == now:
            continue
        way = _way(campaign, now.name, state.name)
        if way is None and now.callers is Callers.OLD:
            raise CoreError(f"{now.file}: no patch of {campaign.name} leads "
                            f"from {now.name} to {state.name}")
        for patch in way or ():
            _load(tree, files, [hunk.file for hunk in hunks(patch.path)])
            _load(tree, files, campaign.api)
            changed = _apply(files, patch.path, [
                anchor for anchor in campaign.anchors
                if anchor.state == patch.start])
            files.update(changed)
            found.append((patch, {name: text for name, text
                                  in changed.items()}))
        if way:
            now = _recognised(campaign, {
                name: files[name] if name in files
                else _read_if_there(tree, name)
                for name in _asked(campaign)})
            if now != state:
                raise CoreError(f"{state.file}: the patch left it without the "
                                f"{state.name} form")
    return found


def fix(campaign: Campaign, tree: Path) -> dict[str, bytes]:
    """Return the files that correct the API that a tree has."""
    return _fixed(campaign, tree, {})


def fixes(campaign: Campaign, tree: Path, changed: Mapping[str, bytes] = {}
          ) -> list[tuple[Path, dict[str, bytes]]]:
    """Return each correction that a tree lacks, and what it changes.

    changed: files that are to become something else before.
    """
    files = dict(changed)
    _load(tree, files, [one.file for one in campaign.fixes])
    state = _recognised(campaign, {
        name: files[name] if name in files else _read_if_there(tree, name)
        for name in _asked(campaign)}) if campaign.fixes else None
    found = []
    for one in campaign.fixes:
        if state is not None and state.name == one.state and \
                not one.done.search(_code(files[one.file])):
            _load(tree, files, [hunk.file for hunk in hunks(one.path)])
            new = apply(files, one.path)
            files.update(new)
            found.append((one.path, new))
    return found


def letter(patch: Path) -> Letter:
    """Return the commit message of a patch in kernel-patch/."""
    head, _, rest = patch.read_text(encoding="utf-8").partition("\n\n")
    subject = re.search(r"^Subject: \[PATCH\] (.+)$", head, re.MULTILINE)
    if subject is None:
        raise CoreError(f"{patch.name}: no subject")
    return Letter(subject[1], rest.partition("\n---\n")[0].strip())


def apply(files: Mapping[str, bytes], patch: Path) -> dict[str, bytes]:
    """Return the files that the patch changes, changed; every hunk fits."""
    return _apply(files, patch, anchors=())


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
        old, new = int(head[2] or 1), int(head[3] or 1)
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


def _fixed(campaign: Campaign, tree: Path,
           changed: dict[str, bytes]) -> dict[str, bytes]:
    """Return changed with the fixes on top; what it lacks is in the tree."""
    done = dict(changed)
    for _, files in fixes(campaign, tree, changed):
        done.update(files)
    return done


def _load(tree: Path, files: dict[str, bytes], names: Iterable[str]) -> None:
    """Add files of the tree to those that are known."""
    for name in names:
        if name not in files:
            files[name] = _read(tree, name)


def _way(campaign: Campaign, start: str, end: str) -> Optional[list[Patch]]:
    """Return the fewest patches that lead from one state to another."""
    ways: dict[str, list[Patch]] = {start: []}
    waiting = [start]
    while waiting and end not in ways:
        here = waiting.pop(0)
        for patch in campaign.chain:
            if patch.start == here and patch.end not in ways:
                ways[patch.end] = [*ways[here], patch]
                waiting.append(patch.end)
    return ways.get(end)


# --- recognising a state ---------------------------------------------------

def _asked(campaign: Campaign) -> list[str]:
    """Return the files that a state is recognised by."""
    return sorted({*(state.file for state in campaign.states),
                   *(part.file for part in campaign.parts),
                   *(refusal.file for refusal in campaign.refusals)})


def _recognised(campaign: Campaign,
                texts: Mapping[str, Optional[bytes]]) -> State:
    """Return the state of these files; None is a file that is not there."""
    codes = {name: _code(text) for name, text in texts.items()
             if text is not None}
    first = campaign.states[0].file
    _refuse(campaign, codes, ANY)
    found = [state for state in campaign.states
             if state.file in codes and state.pattern.search(
                 codes[state.file])]
    if not found:
        _refuse(campaign, codes, UNKNOWN)
    if len(found) != 1:
        raise CoreError(f"{first}: declares " + (
            "nothing that a state of the API is recognised by" if not found
            else " and ".join(f"the {state.name}" for state in found)
            + " form of the API; a person must say which one it has"))
    state, = found
    _whole(campaign, codes, state)
    _refuse(campaign, codes, state.name)
    return state


def _whole(campaign: Campaign, codes: Mapping[str, bytes],
           state: State) -> None:
    """Refuse some of the new API without the rest."""
    parts = [part for part in campaign.parts if part.file in codes]
    there = [part for part in parts if part.pattern.search(codes[part.file])]
    lacking = [part for part in parts if part not in there]
    old = state.callers is Callers.OLD
    if there and lacking:
        raise CoreError(
            f"{there[0].file}: has {', '.join(part.name for part in there)} "
            f"but not {', '.join(part.name for part in lacking)}; a person "
            "must complete it")
    if parts and old != (not there):
        raise CoreError(
            f"{state.file}: has {there[0].name}, but the rest of the API is "
            f"in the {state.name} form" if old else
            f"{state.file}: the API is in the {state.name} form, and "
            f"{lacking[0].name} is not declared")


def _refuse(campaign: Campaign, codes: Mapping[str, bytes],
            state: str) -> None:
    for refusal in campaign.refusals:
        if state in refusal.states and refusal.file in codes:
            _hold(refusal, codes[refusal.file])


def _hold(refusal: Refusal, code: bytes) -> None:
    found = refusal.pattern.search(code)
    if (found is not None) == refusal.has:
        said = "" if found is None else " ".join(
            found[refusal.pattern.groups].decode(errors="replace").split())
        raise CoreError(f"{refusal.file}: "
                        + refusal.sentence.replace("{}", said))


_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@")


_TOKEN = re.compile(rb"/\*.*?\*/|//[^\n]*"
                    rb"|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)


def _code(text: bytes) -> bytes:
    """Return the text with LF, and a blank for each comment and string."""
    return _TOKEN.sub(b" ", text.replace(b"\r\n", b"\n"))


# --- placing hunks ---------------------------------------------------------

def _keep_and_add(hunk: Hunk, match: re.Match[bytes]) -> list[bytes]:
    return match[0].split(b"\n")[:-1] + hunk.added


def _without_context(hunk: Hunk, match: re.Match[bytes]) -> list[bytes]:
    return hunk.after[1:-1]


def _in_place(hunk: Hunk, match: re.Match[bytes]) -> list[bytes]:
    return hunk.after


# The lines that replace what an anchor matched.
_ANCHORED: Mapping[Where, Callable[[Hunk, "re.Match[bytes]"],
                                   list[bytes]]] = {
    Where.AFTER: _keep_and_add,
    Where.REPLACE: _in_place,
    Where.INSIDE: _without_context,
}


def _apply(files: Mapping[str, bytes], patch: Path,
           anchors: Sequence[Anchor]) -> dict[str, bytes]:
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
               anchors: Sequence[Anchor]) -> list[bytes]:
    anchor = next((anchor for anchor in anchors
                   if any(text.startswith(anchor.line)
                          for text in hunk.added)), None)
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
            + [text + end for text in _ANCHORED[anchor.where](hunk, match)]
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
