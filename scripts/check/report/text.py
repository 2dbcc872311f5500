# SPDX-License-Identifier: GPL-2.0-only
"""Findings as a compiler prints them: what, where in the line, and what to do.

The first line of a finding is one that editors can follow. Below it stand the
line of the source with a caret, the lines that prove it as notes, and the
repair from the header of its rule, once a rule and file. `gcc` leaves all but the first line out.

Data:   Report -> `file:line:column: warning: message [rule]`, then the sums.
Units:  the caret stands below the first byte of the finding's column.
Errors: none.
Source: "Formatting Error Messages" in the GNU coding standards.
"""

from __future__ import annotations

from collections.abc import Iterator

from check.findings import Finding, Report, shown

_WORDS = {"high": "error", "moderate": "warning", "low": "note"}
# Longer lines are generated, or of no use to a reader.
_MOST = 200


def render(report: Report) -> bytes:
    repairs = {rule.name: rule.repair for rule in report.rules}
    rows: list[str] = []
    told: set[tuple[str, str]] = set()
    for found in report.findings:
        rows.append(_row(found))
        rows += _source(found.line, found.column,
                        report.lines.get(found, ""))
        for note in report.notes.get(found, ()):
            rows.append(f"{_line(found.file)}:{note.line}:{note.column}: "
                        f"note: {_line(note.text)}")
            rows += _source(note.line, note.column, note.source)
        repair = repairs.get(found.rule, "")
        if repair and (found.file, found.rule) not in told:
            told.add((found.file, found.rule))
            rows.append(f"      = {_line(repair)}")
    return _whole(report, rows)


def render_lines(report: Report) -> bytes:
    """Print one line a finding, as gcc with -fdiagnostics-format=text does."""
    return _whole(report, [_row(found) for found in report.findings])


def _whole(report: Report, rows: list[str]) -> bytes:
    rows += [_line(f"not run: {rule}: {why}") for rule, why in report.skipped]
    rows.append(report.summary())
    if report.sums:
        rows.append(report.sums)
    return "".join(row + "\n" for row in rows).encode()


def _row(found: Finding) -> str:
    message = " ".join(found.message.split()).removeprefix(f"{found.rule}: ")
    return (f"{_line(found.file)}:{found.line}:{found.column}: "
            f"{_WORDS[found.level]}: {_line(message)} [{_line(found.rule)}]")


def _source(number: int, column: int, line: str) -> Iterator[str]:
    """Yield a line of the source, and a caret below a column."""
    code = line.rstrip()
    if not code or len(code) > _MOST:
        return
    yield f"{number:5} | {_line(code)}"
    # A byte that is shown as an escape moves the caret as far as it is wide.
    before = "".join(char if char == "\t" else " " * len(_line(char))
                     for char in code[:column - 1])
    yield f"      | {before}^"


def _line(text: str) -> str:
    return shown(text).replace("\n", "\\n")
