# SPDX-License-Identifier: GPL-2.0-only
"""Findings as GitLab's code quality report.

Data:   Report -> a JSON array, one object a finding.
Errors: none.
Source: "Code Quality report format" of GitLab: description, check_name,
        fingerprint, severity, location.path and location.lines.begin.
"""

from __future__ import annotations

import json

from check.findings import Report, fingerprints, plain

_WORDS = {"high": "major", "moderate": "minor", "low": "info"}


def render(report: Report) -> bytes:
    prints = fingerprints(report.findings)
    made = [{"description": plain(found.message),
             "check_name": found.rule,
             "fingerprint": prints[found],
             "severity": _WORDS[found.level],
             "location": {"path": plain(found.file),
                          "lines": {"begin": found.line}}}
            for found in report.findings]
    return json.dumps(made, indent=1, sort_keys=True).encode() + b"\n"
