# SPDX-License-Identifier: GPL-2.0-only
"""Explain a rule: what it proves, what it leaves alone, and a case of each.

All of it is in the rule's header and in its fixtures, so that nothing here
can be out of date.

Data:   name of a rule -> text for a person.
Errors: ExplainError, with the names that there are.
Source: the header of a rule (run/rules.py); fixtures/<campaign>/<rule>/.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from read import campaigns
from read.campaign import Campaign
from run import rules as rulebook
from run.rules import Rule

_CASE = re.compile(r"(.+)\.(before|same)\.c")
_FACT = re.compile(r"^ \* case: (.*(?:\n \*  +\S.*)*)", re.MULTILINE)


class ExplainError(Exception):
    """There is no such rule; the message names the ones there are."""


def explain(name: str, chosen: Campaign) -> str:
    """Return what a person has to know of a rule."""
    known = {**_shipped(), **_rules(chosen)}
    if name not in known:
        near = difflib.get_close_matches(name, known, 3, 0.5)
        raise ExplainError(f"RULE={name}: no such rule; there are: "
                           f"{', '.join(near or sorted(known))}")
    campaign, rule = known[name]
    lines = [f"{rule.name}: {rule.summary}", "", *_about(rule)]
    folder = campaign.fixtures / rule.name
    cases = sorted(folder.iterdir()) if folder.is_dir() else []
    for title, some in (
            ("Found and rewritten", [file for file in cases if
                                     file.name.endswith(".before.c")]),
            ("Found and left to a person", [
                file for file in cases if file.name.endswith(".same.c")
                and _report(file).exists()]),
            ("Look-alikes, on which the rule is silent", [
                file for file in cases if file.name.endswith(".same.c")
                and not _report(file).exists()])):
        lines += _cases(title, some)
    pair = next((file for file in cases if file.name.endswith(".before.c")),
                None)
    if pair is not None:
        after = pair.with_name(pair.name.replace(".before.c", ".after.c"))
        lines += ["", *(line.rstrip("\n") for line in difflib.unified_diff(
            pair.read_text().splitlines(), after.read_text().splitlines(),
            pair.name, after.name, lineterm=""))]
    return "".join(line + "\n" for line in lines)


@functools.lru_cache(maxsize=None)
def _shipped() -> dict[str, tuple[Campaign, Rule]]:
    return {name: found for campaign in campaigns.shipped()
            for name, found in _rules(campaigns.load(campaign)).items()}


def _rules(campaign: Campaign) -> dict[str, tuple[Campaign, Rule]]:
    return {rule.name: (campaign, rule) for rule in rulebook.load(
        (*campaign.migrate, *campaign.misuse))}


def _about(rule: Rule) -> Iterator[str]:
    yield from rule.body.split("\n")
    left = [line[3:].strip() for line in
            rule.path.read_text("ascii").split("\n")
            if line.startswith("//#")]
    if left:
        yield ""
        yield from left
    yield ""
    yield (f"Confidence: {rule.confidence}. Shapes: {', '.join(rule.shape)}. "
           f"Rule: {rule.path.name}")


def _report(file: Path) -> Path:
    found = _CASE.fullmatch(file.name)
    assert found is not None
    return file.with_name(f"{found[1]}.report")


def _cases(title: str, files: Sequence[Path]) -> Iterator[str]:
    if files:
        yield ""
        yield f"{title}:"
    for file in files:
        fact = _FACT.search(file.read_text("ascii", "replace"))
        said = " ".join(fact[1].replace("\n *", " ").split()) if fact else ""
        yield f"  {file.name}: {said}"
