# SPDX-License-Identifier: GPL-2.0-only
"""Read the comments in the source that allow a finding.

    /* sgwalk: allow M3: the walk is bounded by the caller until 2027-01 */

The word behind `allow` is the name of a rule or a shape's id. The reason is
required. `until YYYY-MM` or `until YYYY-MM-DD` at its end is the last month or
day it counts; a comment past it, one without a reason, and one that allows
nothing any more are findings themselves. The comment covers findings on the
lines it stands on, and on the line below it when it has its lines for itself.

Data:   bytes of a file -> Allow; Allow + findings -> findings that are left.
Units:  lines from 1; days as datetime.date.
Errors: none: what is wrong with a comment is a finding.
Source: `sgwalk:` at the start of a comment; strings are not comments.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Iterable, Mapping, Sequence

from check.findings import Finding, pressed

MARK = b"sgwalk:"

_LEXED = re.compile(
    rb'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|/\*.*?\*/|//[^\n]*', re.S)
_SAID = re.compile(rb"\A(?:/\*+|//+)[\s*]*sgwalk:(.*?)(?:\*/)?\Z", re.S)
_ALLOW = re.compile(r"allow\s+([A-Za-z0-9-]+)\s*:\s*(.*)", re.S)
_UNTIL = re.compile(r"\buntil\s+(\S+)\s*\Z")
_DAY = re.compile(r"(\d{4})-(\d\d)(?:-(\d\d))?")


@dataclass(frozen=True)
class Allow:
    file: str
    first: int               # the lines it covers
    last: int
    line: int                # where it stands
    rule: str                # name or shape id, "" when it cannot be read
    until: datetime.date | None
    wrong: str               # what is wrong with it, "" for nothing
    text: str


def read(file: str, data: bytes) -> list[Allow]:
    """Return the comments of a file that speak to sgwalk."""
    if MARK not in data:
        return []
    found = []
    for match in _LEXED.finditer(data):
        said = _SAID.match(match[0])
        if said:
            found.append(_allow(file, data, match.start(), match.end(),
                                said[1]))
    return found


def judge(findings: Iterable[Finding], allows: Sequence[Allow],
          shapes: Mapping[str, tuple[str, ...]], today: datetime.date,
          ran: bool = True) -> tuple[list[Finding], int]:
    """Return what is left of the findings, with how many were allowed.

    With `ran` false only a part of the rules was run, and a comment that
    allowed nothing is not called spent.
    """
    used: set[Allow] = set()
    left: list[Finding] = []
    allowed = 0
    for found in findings:
        by = [allow for allow in allows
              if not allow.wrong and allow.file == found.file
              and allow.first <= found.line <= allow.last
              and (allow.rule == found.rule
                   or allow.rule in shapes.get(found.rule, ()))]
        used.update(by)
        if any(allow.until is None or today <= allow.until for allow in by):
            allowed += 1
        else:
            left.append(found)
    for allow in allows:
        wrong = allow.wrong
        if not wrong and allow.until and today > allow.until:
            wrong = f"it ended on {allow.until}"
        elif not wrong and allow not in used and ran:
            wrong = f"{allow.rule} finds nothing here: take the comment out"
        if wrong:
            left.append(Finding(allow.file, allow.line, 1, "suppression",
                                f"suppression: {wrong}", "suppression",
                                "moderate", allow.text))
    return sorted(left), allowed


def _allow(file: str, data: bytes, start: int, end: int,
           said: bytes) -> Allow:
    line = data.count(b"\n", 0, start) + 1
    last = line + data.count(b"\n", start, end)
    before = data[data.rfind(b"\n", 0, start) + 1:start]
    newline = data.find(b"\n", end)
    after = data[end:newline if newline >= 0 else len(data)]
    alone = not before.strip() and not after.strip()
    words = " ".join(said.decode("utf-8", "surrogateescape")
                     .replace("*", " ").split())
    rule, until, wrong = _parse(words)
    return Allow(file, line, last + alone, line, rule, until, wrong,
                 pressed(data[start:end]))


def _parse(words: str) -> tuple[str, datetime.date | None, str]:
    match = _ALLOW.fullmatch(words)
    if match is None:
        return "", None, "it is not `allow RULE: reason`"
    rule, reason = match[1], match[2]
    until = None
    if ends := _UNTIL.search(reason):
        until = _day(ends[1].rstrip("."))
        if until is None:
            return rule, None, f"until {ends[1]} is not YYYY-MM or YYYY-MM-DD"
        reason = reason[:ends.start()]
    if not re.search(r"\w", reason):
        return rule, until, "it gives no reason"
    return rule, until, ""


def _day(text: str) -> datetime.date | None:
    """Return the last day of a month or the day itself."""
    match = _DAY.fullmatch(text)
    if match is None:
        return None
    year, month = int(match[1]), int(match[2])
    try:
        if match[3]:
            return datetime.date(year, month, int(match[3]))
        following = datetime.date(year + month // 12, month % 12 + 1, 1)
        datetime.date(year, month, 1)
    except ValueError:
        return None
    return following - datetime.timedelta(days=1)
