# SPDX-License-Identifier: GPL-2.0-only
"""Print the transitional form of patch 0001, made from the strict one.

Two forms of one patch drift when they are edited by hand. Here the strict
form and 0002, which ends the transition, are the source: what 0002 takes out
is put into the lines that the strict form adds, and the other way round. The
message above the diff is the one that the transitional file has.

    python3 scripts/prove/twin.py >new.patch     # move it over the old one

Data:   two patch files -> a patch, on stdout; lines with LF.
Errors: core.CoreError, when 0002 no longer goes with the strict form.
Source: core.hunks(); tests/test_core.py fails when the file is stale.
"""

from __future__ import annotations

import sys
from pathlib import Path

if not __package__:                  # run as a program
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from read.core import PATCH, REMOVAL, CoreError, Form, Hunk, hunks

_Lines = list[tuple[str, bytes]]


def twin() -> bytes:
    """Return the transitional patch, whole."""
    made = [list(hunk.lines) for hunk in hunks(PATCH[Form.STRICT])]
    for step in hunks(REMOVAL):
        fits = [(lines, at) for lines in made
                for at in _places(lines, step)]
        if len(fits) != 1:
            raise CoreError(f"{REMOVAL.name}: line {step.line} goes with "
                            f"{len(fits)} places of the strict form")
        lines, at = fits[0]
        lines[at:] = _undo(lines[at:], step)
    head, mark, _ = PATCH[Form.TRANSITIONAL].read_bytes().partition(b"\ndiff ")
    return head + mark[:1] + _diff(hunks(PATCH[Form.STRICT]), made)


def _core(step: Hunk) -> _Lines:
    """Return the step without the context behind its last change."""
    lines = list(step.lines)
    while lines[-1][0] == " ":
        lines.pop()
    return lines


def _places(lines: _Lines, step: Hunk) -> list[int]:
    """Return the indices where the patch leaves what the step leaves."""
    left = [text for mark, text in _core(step) if mark != "-"]
    return [at for at in range(len(lines)) if lines[at][0] != "-" and
            [text for mark, text in lines[at:] if mark != "-"][:len(left)]
            == left]


def _undo(lines: _Lines, step: Hunk) -> _Lines:
    """Return the lines, which start where the step does, without it."""
    rest, undone = list(lines), []
    for mark, text in _core(step):
        while rest[0][0] == "-":
            undone.append(rest.pop(0))
        if mark == "-":
            undone.append(("+", text))
        elif mark == " ":
            undone.append(rest.pop(0))
        elif rest.pop(0)[0] != "+":
            raise CoreError(f"{REMOVAL.name}: line {step.line} changes a "
                            "line that the strict form does not add")
    return undone + rest


def _diff(old: list[Hunk], made: list[_Lines]) -> bytes:
    """Return the hunks as a unified diff, counted anew."""
    rows: list[bytes] = []
    file, grown = "", 0
    for hunk, lines in zip(old, made):
        if hunk.file != file:
            file, grown = hunk.file, 0
            rows += [f"diff --git a/{file} b/{file}".encode(),
                     f"--- a/{file}".encode(), f"+++ b/{file}".encode()]
        less = sum(mark != "+" for mark, _ in lines)
        more = sum(mark != "-" for mark, _ in lines)
        rows.append(f"@@ -{hunk.line},{less} +{hunk.line + grown},{more} @@"
                    .encode())
        rows += [mark.encode() + text for mark, text in lines]
        grown += more - less
    return b"\n".join(rows) + b"\n-- \n\n"


if __name__ == "__main__":
    sys.stdout.buffer.write(twin())
