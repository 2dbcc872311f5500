# SPDX-License-Identifier: GPL-2.0-only
"""Findings as SARIF 2.1.0, for code scanning and for editors.

Code that was not read is a result, so that a reader who sees only results
sees it, and a notification of the tool as well, which is where the standard
puts what a tool could not do. Consumers take no more than LIMIT results a
run; what is cut is counted in a notification, and cut from the least sure end.

Data:   Report -> one SARIF log with one run.
Units:  lines and columns from 1; columns are counted in UTF-16 units there and
        in bytes here, which is the same for the ASCII of kernel code.
Errors: none.
Source: SARIF 2.1.0 (OASIS); GitHub's limits: 25,000 results a run, of which
        5,000 are shown, 1,000 locations a result, 20 tags a rule.
"""

from __future__ import annotations

import json
import os
import urllib.parse
from typing import Any

from check.findings import (KINDS, LEVELS, About, Finding, Report,
                            fingerprints, plain)

LIMIT = 5000
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
HOME = "https://docs.kernel.org/core-api/dma-api.html"
_LEVELS = {"high": "error", "moderate": "warning", "low": "note"}
_PRECISION = {"high": "high", "moderate": "medium", "low": "low"}
_ABOUT = {
    "old-api": "A caller of the old iterator is back, or was never converted",
    "unread": "Code that could not be read, so that nobody has judged it",
    "suppression": "A comment that allows a finding is wrong or spent",
}


def render(report: Report) -> bytes:
    kept = sorted(report.findings,
                  key=lambda found: (LEVELS.index(found.level), found))[:LIMIT]
    kept.sort()
    rules = _rules(report)
    index = {rule["id"]: number for number, rule in enumerate(rules)}
    prints = fingerprints(report.findings)
    notes = [_note("unread", f"{plain(found.file)}: {plain(found.message)}",
                   found) for found in report.unread]
    notes += [_note("not-run", f"{rule}: {plain(why)}")
              for rule, why in report.skipped]
    if cut := len(report.findings) - len(kept):
        notes.append(_note("cut", f"{cut} more findings were cut: a run holds "
                           f"{LIMIT}"))
    run: dict[str, Any] = {
        "tool": {"driver": {"name": "sgwalk", "informationUri": HOME,
                            "rules": rules}},
        "columnKind": "utf16CodeUnits",
        "originalUriBaseIds": {"TREE": {"description": {
            "text": "the top of the kernel tree"}}},
        "invocations": [{"executionSuccessful": True,
                         "toolExecutionNotifications": notes}],
        "results": [_result(found, index, prints[found], report)
                    for found in kept],
    }
    made = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(made, indent=1, sort_keys=True).encode() + b"\n"


def _rules(report: Report) -> list[dict[str, Any]]:
    made = [{
        "id": rule.name,
        "shortDescription": {"text": rule.summary or rule.name},
        "fullDescription": {"text": _flowing(rule)},
        "help": {"text": _flowing(rule)},
        "defaultConfiguration": {"level": _LEVELS[rule.level]},
        "properties": {"precision": _PRECISION[rule.level],
                       "tags": list(rule.shape)[:20]},
    } for rule in report.rules]
    known = {rule.name for rule in report.rules}
    used = {found.rule for found in report.findings}
    made += [{
        "id": name,
        "shortDescription": {"text": _ABOUT.get(name, name)},
        "help": {"text": _ABOUT.get(name, name)},
        "defaultConfiguration": {"level": "warning"},
    } for name in sorted((used | set(KINDS[1:])) - known)]
    return made


def _flowing(rule: About) -> str:
    """Return the help with one line a paragraph, since viewers wrap it."""
    return "\n\n".join(" ".join(part.split()) for part in
                       rule.help.split("\n\n")) or rule.summary or rule.name


def _result(found: Finding, index: dict[str, int], fingerprint: str,
            report: Report) -> dict[str, Any]:
    made: dict[str, Any] = {
        "ruleId": found.rule, "ruleIndex": index[found.rule],
        "level": _LEVELS[found.level],
        "message": {"text": plain(_told(found, report))},
        "locations": [_location(found)],
        "partialFingerprints": {"sgwalk/v1": fingerprint},
    }
    if notes := report.notes.get(found, ()):
        places = [{**_place(found.file, note.line, note.column),
                   "message": {"text": plain(note.text)}} for note in notes]
        made["relatedLocations"] = places
        # From the mapping to the finding, one path a mapping.
        made["codeFlows"] = [{"threadFlows": [{"locations": [
            {"location": place}, {"location": {
                **_location(found),
                "message": {"text": plain(found.message)}}}]}]}
            for place in places]
    if fix := report.fixes.get(found):
        made["fixes"] = [{
            "description": {"text": f"as {found.rule} rewrites it"},
            "artifactChanges": [{
                "artifactLocation": _artifact(fix.file),
                "replacements": [{
                    "deletedRegion": {"startLine": fix.start,
                                      "startColumn": 1,
                                      "endLine": fix.end + 1,
                                      "endColumn": 1},
                    "insertedContent": {"text": plain(fix.text)},
                }]}]}]
    return made


def _told(found: Finding, report: Report) -> str:
    """Return the message, and the repair that the rule names."""
    repair = next((rule.repair for rule in report.rules
                   if rule.name == found.rule), "")
    return f"{found.message}. {repair}" if repair else found.message


def _note(code: str, text: str,
          found: Finding | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {"level": "warning", "message": {"text": text},
                            "descriptor": {"id": code}}
    if found:
        made["locations"] = [_location(found)]
    return made


def _location(found: Finding) -> dict[str, Any]:
    region = {"startLine": found.line, "startColumn": found.column}
    if found.end > found.line:
        region["endLine"] = found.end
    return {"physicalLocation": {"artifactLocation": _artifact(found.file),
                                 "region": region}}


def _place(file: str, line: int, column: int) -> dict[str, Any]:
    return {"physicalLocation": {
        "artifactLocation": _artifact(file),
        "region": {"startLine": line, "startColumn": column}}}


def _artifact(file: str) -> dict[str, str]:
    return {"uri": urllib.parse.quote(os.fsencode(file)), "uriBaseId": "TREE"}
