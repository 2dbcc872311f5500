# SPDX-License-Identifier: GPL-2.0-only
"""Keep the account: one verdict for every site, none left over.

    sites = converted + kept + manual + unread

The identity is checked where a ledger is made, against the census and not
against what the rules have seen, and a ledger that does not add up cannot be
made at all.

Data:   census sites + entries -> Ledger -> out/ledger.tsv, one line of sums.
Errors: LedgerError, when a site has no verdict, two, or one without a reason.
Source: the ledger of design.md; TAB separated, bytes as the file names are.
"""

from __future__ import annotations

import collections
import enum
import os
from dataclasses import dataclass, field
from typing import Iterable, Optional, Sequence

from read.census import Site
from judge.counts import Count

VERDICTS = ("converted", "kept", "manual", "unread")
HEAD = ("file", "line", "column", "function", "token", "verdict", "rule",
        "reason")


class LedgerError(Exception):
    """The account does not add up; the message names the first site."""


class Became(enum.Enum):
    """What a conversion made of a site."""

    REWRITTEN = "rewritten"      # with its statement
    DECLARED = "declared"        # it is the declaration
    FOLLOWS = "follows"          # it needs no edit, or that of its name


@dataclass(frozen=True, order=True)
class Entry:
    site: Site
    verdict: str             # one of VERDICTS
    rule: str                # who says so; empty where no rule was needed
    reason: str              # `code: sentence`
    # Of a converted walk. A site has one entry, so that order needs no more.
    count: Optional[Count] = field(default=None, compare=False)
    became: Optional[Became] = field(default=None, compare=False)

    @property
    def code(self) -> str:
        return self.reason.split(":", 1)[0]

    @property
    def place(self) -> str:
        return f"{self.site.file}:{self.site.line}:{self.site.column}"


class Ledger:
    """Every site of a tree with its verdict."""

    def __init__(self, sites: Sequence[Site],
                 entries: Iterable[Entry]) -> None:
        self.entries = tuple(sorted(entries))
        count = collections.Counter(entry.site for entry in self.entries)
        for site in sites:
            if count[site] != 1:
                raise LedgerError(
                    f"{site.file}:{site.line}:{site.column}: {site.token} has "
                    f"{count[site]} verdicts; this is a bug in sgwalk")
        if len(self.entries) != len(sites):
            known = set(sites)
            stray = next(entry for entry in self.entries
                         if entry.site not in known)
            raise LedgerError(f"{stray.place}: a verdict without a site; "
                              "this is a bug in sgwalk")
        for entry in self.entries:
            if entry.verdict not in VERDICTS or ": " not in entry.reason:
                raise LedgerError(f"{entry.place}: {entry.verdict!r} with "
                                  f"reason {entry.reason!r}; this is a bug "
                                  "in sgwalk")

    def count(self, verdict: str) -> int:
        return sum(entry.verdict == verdict for entry in self.entries)

    def sums(self) -> str:
        """Return the line that ends every run."""
        return sums([entry.verdict for entry in self.entries])

    def tsv(self) -> bytes:
        rows = [HEAD]
        for entry in self.entries:
            site = entry.site
            rows.append((site.file, str(site.line), str(site.column),
                         site.function, site.token, entry.verdict, entry.rule,
                         entry.reason))
        return b"".join(
            b"\t".join(os.fsencode(_cell(cell)) for cell in row) + b"\n"
            for row in rows)


def sums(verdicts: Sequence[str]) -> str:
    """Return the line that says how many sites have which verdict."""
    parts = ", ".join(f"{verdicts.count(verdict)} {verdict}"
                      for verdict in VERDICTS)
    return f"sites {len(verdicts)}: {parts}"


def _cell(text: str) -> str:
    """Spell out what would break a row."""
    for plain, spelled in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"),
                           ("\r", "\\r")):
        text = text.replace(plain, spelled)
    return text
