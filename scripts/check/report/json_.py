# SPDX-License-Identifier: GPL-2.0-only
"""Findings as JSON of our own, described by findings.schema.json beside this.

Data:   Report -> one JSON object, keys sorted, one finding a list item.
Errors: none.
Source: scripts/check/report/findings.schema.json is the contract; `version` grows
        when a key changes its meaning or goes.
"""

from __future__ import annotations

import json
from typing import Any

from check.findings import Finding, Report, fingerprints, plain

VERSION = 1


def render(report: Report) -> bytes:
    prints = fingerprints(report.findings)
    made: dict[str, Any] = {
        "version": VERSION,
        "tool": "sgwalk",
        "tree": report.tree,
        "files": report.files,
        "hidden": report.hidden,
        "sums": report.sums,
        "findings": [_finding(found, prints[found], report)
                     for found in report.findings],
        "unread": [{"file": plain(found.file), "line": found.line,
                    "end": found.end or found.line,
                    "reason": plain(found.message)}
                   for found in report.unread],
        "rules": [{"name": rule.name, "summary": rule.summary,
                   "help": rule.help, "level": rule.level,
                   "shape": list(rule.shape)} for rule in report.rules],
        "skipped": [{"rule": rule, "reason": plain(why)}
                    for rule, why in report.skipped],
    }
    return json.dumps(made, indent=1, sort_keys=True).encode() + b"\n"


def _finding(found: Finding, fingerprint: str,
             report: Report) -> dict[str, Any]:
    made: dict[str, Any] = {
        "file": plain(found.file), "line": found.line,
        "column": found.column, "rule": found.rule, "kind": found.kind,
        "level": found.level, "message": plain(found.message),
        "text": plain(found.text), "fingerprint": fingerprint,
    }
    if found in report.lines:
        made["source"] = plain(report.lines[found])
    if notes := report.notes.get(found):
        made["notes"] = [{"line": note.line, "column": note.column,
                          "text": plain(note.text),
                          "source": plain(note.source)} for note in notes]
    if fix := report.fixes.get(found):
        made["fix"] = {"start": fix.start, "end": fix.end,
                       "text": plain(fix.text)}
    return made
