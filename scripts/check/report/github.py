# SPDX-License-Identifier: GPL-2.0-only
"""Findings as the commands that GitHub Actions turns into annotations.

Data:   Report -> one `::error file=..` line a finding, then the sums.
Units:  GitHub shows ten of a kind a step; the rest is in the log.
Errors: none.
Source: "Workflow commands for GitHub Actions": % and LF are escaped in the
        message, and : , in properties as well.
"""

from __future__ import annotations

from check.findings import Finding, Report, shown

_WORDS = {"high": "error", "moderate": "warning", "low": "notice"}


def render(report: Report) -> bytes:
    rows = [_row(found) for found in report.findings]
    rows += [f"::warning title=rule not run::{_message(f'{rule}: {why}')}"
             for rule, why in report.skipped]
    rows.append(report.summary())
    if report.sums:
        rows.append(report.sums)
    return "".join(row + "\n" for row in rows).encode()


def _row(found: Finding) -> str:
    return (f"::{_WORDS[found.level]} file={_value(found.file)},"
            f"line={found.line},endLine={found.end or found.line},"
            f"col={found.column},title={_value(found.rule)}::"
            f"{_message(found.message)}")


def _message(text: str) -> str:
    return shown(text).replace("%", "%25").replace("\n", "%0A")


def _value(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
