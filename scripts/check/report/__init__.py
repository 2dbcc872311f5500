# SPDX-License-Identifier: GPL-2.0-only
"""Print a report: one module a format, each with one function, render().

Data:   Report -> bytes for stdout, the same for the same report.
Errors: KeyError for a format that does not exist; the command line has checked.
Source: FORMAT= of the Makefile lists the names.
"""

from __future__ import annotations

from typing import Callable

from check.findings import Report

from . import github, gitlab, json_, junit, sarif, text

FORMATS: dict[str, Callable[[Report], bytes]] = {
    "text": text.render, "gcc": text.render_lines,
    "json": json_.render, "sarif": sarif.render,
    "github": github.render, "gitlab": gitlab.render, "junit": junit.render,
}


def render(report: Report, form: str) -> bytes:
    return FORMATS[form](report)
