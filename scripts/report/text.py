# SPDX-License-Identifier: GPL-2.0-only
"""Findings as a compiler prints them: one line each, which editors can follow.

Data:   Report -> `file:line:column: warning: message [rule]`, then the sums.
Errors: none.
Source: "Formatting Error Messages" in the GNU coding standards.
"""

from __future__ import annotations

from findings import Finding, Report, shown

_WORDS = {"high": "error", "moderate": "warning", "low": "note"}


def render(report: Report) -> bytes:
    rows = [_row(found) for found in report.findings]
    rows += [_line(f"not run: {rule}: {why}") for rule, why in report.skipped]
    rows.append(report.summary())
    if report.sums:
        rows.append(report.sums)
    return "".join(row + "\n" for row in rows).encode()


def _row(found: Finding) -> str:
    return (f"{_line(found.file)}:{found.line}:{found.column}: "
            f"{_WORDS[found.level]}: {_line(' '.join(found.message.split()))} "
            f"[{_line(found.rule)}]")


def _line(text: str) -> str:
    return shown(text).replace("\n", "\\n")
