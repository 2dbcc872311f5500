# SPDX-License-Identifier: GPL-2.0-only
"""Find the mistakes beside what a series converts, for its cover.

The rules of misuse/ that are sure run on the files of the series as they are
before it. What they find outside of the functions that it converts is not the
series' doing, and a maintainer who reads it wants to know of it.

Data:   a Plan -> one clause each, "file: function(): what is wrong".
Errors: those of rules.py and spatch.py. A rule that did not end has found
        nothing; make check is the place to hear why.
"""

from __future__ import annotations

import os
import re

from read import campaigns
from run import rules as rulebook, spatch
from run.jobs import Job
from read.ctext import Text
from judge.plan import Plan

_LINE = re.compile(r"^(?P<file>.*?):(?P<line>\d+):\d+(?:-\d+)?: ",
                   re.MULTILINE)


def find(plan: Plan, jobs: int) -> list[str]:
    """Return what the rules of all campaigns find in the converted files."""
    sources = {file: data for file, data in plan.before.items()
               if file.endswith(".c") and file not in plan.core}
    rules = [rule for rule in rulebook.load(
                 dict.fromkeys((*campaigns.every_misuse(),
                                *plan.campaign.misuse)))
             if rule.verdict == "finding" and rule.confidence == "High"]
    asked = [Job(rule, "report", (file,))
             for rule in rules for file, data in sorted(sources.items())
             if any(token.strip(".").encode() in data
                    for token in rule.tokens)]
    found: set[tuple[str, str, str]] = set()
    texts = {file: Text(data) for file, data in sources.items()}
    for result in spatch.run(sources, asked, procs=jobs, timeout=200,
                             memory=2048):
        rule, (file,) = result.job.rule, result.job.files
        if rule is None:
            continue
        for hit in _LINE.finditer(result.text):
            found.add((file, _function(texts[file], int(hit["line"])),
                       rule.reason.partition(": ")[2]))
    ours = {(entry.site.file, f"{entry.site.function}(): ")
            for entry in plan.ledger.entries if entry.verdict == "converted"}
    return [f"{file}: {function}{what}" for file, function, what
            in sorted(found) if (file, function) not in ours]


def _function(text: Text, line: int) -> str:
    """Return the function of a line, as the start of a clause."""
    if line > text.line_count:
        return ""
    at = next((number for number in range(len(text.tokens))
               if text.line_of(number) >= line), 0)
    function = text.function_of(at) if text.tokens else None
    return f"{os.fsdecode(function.name)}(): " if function else ""
