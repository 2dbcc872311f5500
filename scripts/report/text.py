# SPDX-License-Identifier: GPL-2.0-only
"""Findings as a compiler prints them: one line each, which editors can follow.

Data:   Report -> `file:line:column: warning: message [rule]`, then the sums.
Errors: none.
Source: "Formatting Error Messages" in the GNU coding standards.
"""

from __future__ import annotations

import os

from findings import Finding, Report, plain

_WORDS = {"high": "error", "moderate": "warning", "low": "note"}


def render(report: Report) -> bytes:
    # A file name goes out byte for byte, so that it can be opened.
    rows = [os.fsencode(_row(found)) for found in report.findings]
    rows += [os.fsencode(f"not run: {rule}: {why}")
             for rule, why in report.skipped]
    rows.append(report.summary().encode())
    if report.sums:
        rows.append(report.sums.encode())
    return b"".join(row + b"\n" for row in rows)


def _row(found: Finding) -> str:
    file = found.file.replace("\n", "\\n").replace("\r", "\\r")
    return (f"{file}:{found.line}:{found.column}: {_WORDS[found.level]}: "
            f"{' '.join(plain(found.message).split())} [{found.rule}]")
