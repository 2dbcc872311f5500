# SPDX-License-Identifier: GPL-2.0-only
"""Print the transitional form of a first patch, made from the strict one.

Two forms of one patch drift when they are edited by hand. Here the strict
form and the patch that ends the transition are the source: what that patch
takes out is put into the lines that the strict form adds, and the other way
round. The message above the diff is the one that the transitional file has.

    python3 scripts/prove/twin.py [CAMPAIGN] >new.patch    # move it over

Data:   two patch files -> a patch, on stdout; lines with LF.
Errors: core.CoreError, when the last patch does not fit the strict form.
Source: core.hunks(); tests/test_core.py fails when the file is stale.
"""

from __future__ import annotations

import sys
from pathlib import Path

if not __package__:                  # run as a program
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from read import campaigns
from read.campaign import Callers, Campaign
from read.core import CoreError, Hunk, hunks

_Lines = list[tuple[str, bytes]]


def twin(campaign: Campaign) -> bytes:
    """Return the transitional patch, whole."""
    strict = _step(campaign, Callers.OLD, Callers.NEW)
    removal = _step(campaign, Callers.BOTH, Callers.NEW)
    made = [list(hunk.lines) for hunk in hunks(strict)]
    for step in hunks(removal):
        fits = [(lines, at) for lines in made
                for at in _places(lines, step)]
        if len(fits) != 1:
            raise CoreError(f"{removal.name}: line {step.line} goes with "
                            f"{len(fits)} places of the strict form")
        lines, at = fits[0]
        lines[at:] = _undo(removal, lines[at:], step)
    head, mark, _ = _step(campaign, Callers.OLD, Callers.BOTH).read_bytes() \
        .partition(b"\ndiff ")
    return head + mark[:1] + _diff(hunks(strict), made)


def _step(campaign: Campaign, start: Callers, end: Callers) -> Path:
    """Return the patch between the states that take these APIs."""
    kinds = {state.name: state.callers for state in campaign.states}
    for patch in campaign.chain:
        if (kinds[patch.start], kinds[patch.end]) == (start, end):
            return patch.path
    raise CoreError(f"{campaign.name}: no patch leads from a state for "
                    f"{start.value} callers to one for {end.value}")


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


def _undo(removal: Path, lines: _Lines, step: Hunk) -> _Lines:
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
            raise CoreError(f"{removal.name}: line {step.line} changes a "
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
    sys.stdout.buffer.write(twin(campaigns.load("".join(sys.argv[1:]))))
