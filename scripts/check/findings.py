# SPDX-License-Identifier: GPL-2.0-only
"""What check found, as data: findings, and the report that holds them.

A finding is known again by what it says and not by where it stands: its
identity is its rule, its file and the text of its line with blanks pressed
together. Lines move, and the identity stays. Where one file has the same text
twice, the number of the occurrence tells the two apart.

Data:   Finding, Report; identities() gives each finding its fingerprint.
Units:  lines and columns from 1, columns in bytes, `until` a day that counts.
Errors: none.
Source: formats read this and nothing else; scripts/check/report/.
"""

from __future__ import annotations

import collections
import hashlib
import os
from dataclasses import dataclass, field
from typing import Mapping, Sequence

LEVELS = ("high", "moderate", "low")

# What kind of finding it is. A rule reports `misuse`; `old-api` is a caller of
# the old iterator that a rule of migrate/ would convert or leave to a
# person; `unread` is code that nobody has judged; `suppression` is a comment
# of ours in the source that is wrong or spent.
KINDS = ("misuse", "old-api", "unread", "suppression")


@dataclass(frozen=True, order=True)
class Finding:
    file: str
    line: int
    column: int
    rule: str                # name of the rule, or the kind
    message: str
    kind: str                # of KINDS
    level: str               # of LEVELS
    text: str = ""           # its line, blanks pressed together
    end: int = 0             # last line, 0 = the same


@dataclass(frozen=True)
class About:
    """What a format says of a rule."""

    name: str
    summary: str
    help: str
    level: str
    shape: tuple[str, ...] = ()

    @property
    def repair(self) -> str:
        """The last paragraph of the help, which says what to write instead."""
        last = self.help.rsplit("\n\n", 1)
        return " ".join(last[1].split()) if len(last) == 2 else ""


@dataclass(frozen=True)
class Note:
    """A line of the same file that proves a part of a finding."""

    line: int
    column: int
    text: str
    source: str              # the line, without its end


@dataclass(frozen=True)
class Fix:
    """A rewrite of whole lines: those of `start` to `end` become `text`."""

    file: str
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Report:
    tree: str                # the tree's version, "" when unknown
    findings: tuple[Finding, ...]
    rules: tuple[About, ...]
    fixes: Mapping[Finding, Fix]
    skipped: tuple[tuple[str, str], ...] = ()    # (rule, why it was not run)
    files: int = 0           # how many were judged
    hidden: int = 0          # left out: suppressed, known or not changed
    sums: str = ""           # the ledger's last line, "" without a ledger
    # Files and functions that were not judged. They are kept apart as well as
    # being findings, because formats have a place of their own for them.
    unread: tuple[Finding, ...] = ()
    # The line of a finding as it stands in the file, without its end.
    lines: Mapping[Finding, str] = field(default_factory=dict)
    # The lines that prove a finding, in the order of the file.
    notes: Mapping[Finding, tuple[Note, ...]] = field(default_factory=dict)

    def count(self, kind: str, level: str = "") -> int:
        return sum(found.kind == kind and level in ("", found.level)
                   for found in self.findings)

    def summary(self) -> str:
        """Return the line that says how many of what there are."""
        parts = [f"{self.count('misuse', level)} {level}" for level in LEVELS]
        parts += [f"{self.count(kind)} {kind}" for kind in KINDS[1:]]
        return (f"findings {len(self.findings)}: {', '.join(parts)}; "
                f"{self.hidden} left out, {len(self.skipped)} rules not run")


def pressed(line: bytes) -> str:
    """Return a line's text for an identity."""
    return " ".join(os.fsdecode(line).split())


def identity(found: Finding) -> tuple[str, str, str]:
    return found.rule, found.file, found.text or found.message


def fingerprints(findings: Sequence[Finding]) -> dict[Finding, str]:
    """Return a fingerprint a finding, no two the same."""
    seen: collections.Counter[tuple[str, str, str]] = collections.Counter()
    found = {}
    for finding in sorted(findings):
        name = identity(finding)
        seen[name] += 1
        words = "\0".join((*name, str(seen[name])))
        found[finding] = hashlib.sha256(os.fsencode(words)).hexdigest()[:32]
    return found


def plain(text: str) -> str:
    """Return text that any terminal and any parser of UTF-8 can take."""
    return text.encode("utf-8", "surrogateescape").decode(
        "utf-8", "backslashreplace")


def shown(text: str) -> str:
    """Return text that does nothing to a terminal but appear on it.

    A file's name or a line of source may hold what moves the cursor, renames
    the window or turns the direction of the text. Line breaks and tabs stay.
    """
    return "".join(one if one.isprintable() or one in "\n\t" else
                   "\\x%02x" % ord(one) if ord(one) < 256 else
                   "\\u%04x" % ord(one) if ord(one) < 65536 else
                   "\\U%08x" % ord(one) for one in plain(text))
