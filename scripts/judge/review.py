# SPDX-License-Identifier: GPL-2.0-only
"""Say what a person has to check after a conversion.

A conversion is right as far as the code shows. What it does not show stands
here, a line a walk: a count that nobody has proven, an offset that counts other
pages now, an array that may be too small for the walk that is right.

Data:   Plan -> lines for people, `file:line: function(): question`.
Units:  lines from 1, in the tree as it was before the run.
Errors: none.
Source: "Semantics no rule can see": a walk over DMA pages can give more
        addresses than the walk over CPU pages gave.
"""

from __future__ import annotations

import os

from read import api as names
from judge import walks
from judge.counts import Kind
from judge.ledger import Entry
from judge.plan import Plan
from judge.walks import Walk


def lines(plan: Plan) -> list[str]:
    """Return the questions of each converted walk, in the ledger's order."""
    if plan.bare:
        return []
    known = {(walk.file, walk.function, walk.count.expression): walk
             for walk in walks.find(plan)}
    found = []
    for entry in plan.ledger.entries:
        if entry.verdict != "converted" or entry.count is None:
            continue
        site = entry.site
        asked = questions(entry, known.get(
            (site.file, site.function, entry.count.expression)))
        if asked:
            where = f"{site.function}(): " if site.function else ""
            found.append(f"{os.fspath(site.file)}:{site.line}: {where}"
                         + " ".join(asked))
    return found


def questions(entry: Entry, walk: Walk | None) -> list[str]:
    """Return what nothing in the tree answers about one walk."""
    count, asked, api = entry.count, list[str](), names.now()
    if count is None:
        return []
    if count.kind is Kind.UNMAPPED:
        asked.append(f"'{count.expression}' is the count from before the "
                     f"mapping: pass what {api.mapper} returned.")
    elif count.kind is Kind.UNKNOWN and not (walk and walk.stored):
        asked.append(f"Is '{count.expression}' what {api.mapper} returned?")
    if count.offset and not (walk and walk.builder):
        asked.append(api.say("check-offset", offset=count.offset))
    if walk is None or walk.room:
        asked.append("The loop may give more addresses than before: is what "
                     "it fills large enough?")
    return asked
