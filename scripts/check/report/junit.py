# SPDX-License-Identifier: GPL-2.0-only
"""Findings as JUnit's XML: a test case a rule, a failure a finding.

A rule that was not run is a skipped case, so that it is not taken for a pass.

Data:   Report -> one <testsuite>, in UTF-8.
Errors: none.
Source: the schema of Jenkins' xUnit plugin: testsuite, testcase, failure,
        skipped.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as xml

from check.findings import Finding, Report, shown

# XML has no way to write these.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def render(report: Report) -> bytes:
    by_rule: dict[str, list[Finding]] = {
        rule.name: [] for rule in report.rules}
    for found in report.findings:
        by_rule.setdefault(found.rule, []).append(found)
    skipped = dict(report.skipped)
    for rule in skipped:
        by_rule.setdefault(rule, [])
    failed = sum(bool(found) for found in by_rule.values())
    suite = xml.Element("testsuite", {
        "name": "sgwalk", "tests": str(len(by_rule)),
        "failures": str(failed), "errors": "0",
        "skipped": str(len(skipped))})
    for rule, findings in sorted(by_rule.items()):
        case = xml.SubElement(suite, "testcase",
                              {"classname": "sgwalk", "name": _clean(rule)})
        if findings:
            failure = xml.SubElement(case, "failure", {
                "type": findings[0].level,
                "message": _clean(f"{len(findings)} of {rule}")})
            failure.text = "\n".join(
                _clean(f"{found.file}:{found.line}:{found.column}: "
                       f"{found.message}") for found in findings)
        elif rule in skipped:
            xml.SubElement(case, "skipped", {"message": _clean(skipped[rule])})
    xml.indent(suite, " ")
    return bytes(xml.tostring(suite, "utf-8", xml_declaration=True)) + b"\n"


def _clean(text: str) -> str:
    return _CONTROL.sub("?", shown(text))
