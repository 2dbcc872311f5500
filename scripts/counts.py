# SPDX-License-Identifier: GPL-2.0-only
"""Say what the count of a DMA walk is, and by which line that is known.

A count is data from the rule that proves it to the last sentence about it.
*mapped* and *unmapped* are proofs, each with its witness beside it; all that
is not proven is *unknown*. Nothing reads a sentence to learn the class.

Data:   Count, and about(), the one place that words a count.
Units:  lines from 1, of the tree as it was before the run.
Errors: none.
Source: the count argument in design.md.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Kind(enum.Enum):
    """What a count is; the values are the words of the ledger."""

    MAPPED = "mapped"        # the number of DMA segments
    UNMAPPED = "unmapped"    # the number of entries from before mapping
    UNKNOWN = "unknown"      # neither is proven


class Why(enum.Enum):
    """By what a count is known."""

    RETURNED = "returned"    # the mapping returned it and nothing changed it
    STORED = "stored"        # the mapping of the whole table stored it there
    IMPORTED = "imported"    # the table came mapped from the function `by`
    ORIG = "orig_nents"      # the field that keeps the count of entries
    GIVEN = "given"          # the very value that the mapping was given
    ENTRIES = "entries"      # sg_nents() counts entries, whatever was mapped
    NOTHING = "nothing"      # nothing proves it to be one or the other


@dataclass(frozen=True)
class Count:
    """The count argument of one walk, after the run."""

    expression: str          # as C has it, one blank between words at most
    kind: Kind
    why: Why
    by: str = ""             # the function that maps or hands out the table
    line: int = 0            # where that function is called, 0 for nowhere
    file: str = ""           # where `line` is, "" for the file of the walk
    offset: str = ""         # the walk's page offset, "" for 0


def about(count: Count) -> str:
    """Return what the ledger says of a count."""
    return f"count {count.expression}: {count.kind.value}, {because(count)}"


def because(count: Count) -> str:
    """Return by what a count is known, as half a sentence about `it`."""
    where = f" at {count.file} line {count.line}" if count.file else \
        f" at line {count.line}" if count.line else ""
    return {
        Why.RETURNED: f"it is what {count.by or 'the mapping'}() returned"
                      f"{where}" if count.by else
                      "it is what the mapping returned",
        Why.STORED: f"{count.by}() stored it there{where}",
        Why.IMPORTED: f"the table came mapped from {count.by}(){where}",
        Why.ORIG: "pass what dma_map_sg() returned instead",
        Why.GIVEN: f"{count.by}() was given it{where}: pass what that "
                   "returned instead",
        Why.ENTRIES: "it is the number of entries: pass what dma_map_sg() "
                     "returned instead",
        Why.NOTHING: "check that it is what dma_map_sg() returned",
    }[count.why]
