# SPDX-License-Identifier: GPL-2.0-only
"""Write the subjects, messages and the cover of a series of repairs.

The header of a rule has the symptom and the cause, and what a repair changes
(`Changes`). The evidence is of the driver: which line maps the list, with
which count, and where what it returns was handed over instead.

Data:   facts -> Words and covers, lines of at most 72 columns.
Units:  columns; lines of the tree as it was.
Errors: none.
Source: Documentation/process/submitting-patches.rst.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from read.campaign import Campaign, Role, Step
from read.ctext import Text
from run.rules import Rule
from judge import calls
from judge.ledger import Entry, Ledger
from judge.plan import Plan
from write import barewords, message
from write.message import Check, Making, Prefix, Words

# Of a file with more repairs than these, the first ones are shown.
_MOST = 8
_SHORT = "repair wrong counts of mapped lists"


def subject(prefix: Prefix, rules: Sequence[Rule]) -> str:
    """Return a subject of at most 75 columns."""
    said = [message.decapital(rule.summary) for rule in rules]
    for words in (" and ".join(dict.fromkeys(said)), _SHORT):
        text = prefix.text + (words[:1].upper() + words[1:]
                              if prefix.capital else words)
        if len(text) <= message.SUBJECT:
            return text
    return (prefix.text + _SHORT)[:message.SUBJECT]


def cover_title(rules: Sequence[Rule]) -> str:
    """Return the subject of the cover, and of a series that is one patch."""
    return subject(Prefix("treewide: ", False, "path"), rules)


def words(title: str, files: Collection[str], plan: Plan,
          rules: Sequence[Rule], making: Making, check: Check,
          fixes: str = "") -> Words:
    """Return what the mail of a patch has around its diff."""
    mine = [entry for entry in plan.ledger.entries
            if entry.site.file in files]
    text = message.assembled([
        title, *message.rule_text(rules), evidence(plan, mine),
        *(message.fill(rule.changes[:1].upper() + rule.changes[1:] + ".")
          for rule in rules if rule.changes),
        message.fill("Found and rewritten by sgwalk's "
                     f"{message.listed(rule.path.name for rule in rules)}. "
                     + ("Compile tested only." if check.built
                        else "Not built, not run on hardware.")), fixes])
    return Words(text, message.notes([
        _left(mine), message.checked(check), barewords.made(rules, making)]))


def evidence(plan: Plan, entries: Iterable[Entry]) -> str:
    """Return where each list was mapped, and what was handed over."""
    lines: list[str] = []
    for file, some in _by_file(entries):
        text = Text(plan.before[file])
        around = calls.read(file, text, _roles(plan.campaign))
        for entry in some:
            at = text.at(text.offset(entry.site.line, entry.site.column))
            lines += [] if at is None else _proof(entry, text, at, around)
    more = len(lines) - _MOST
    shown = "\n".join(message.item(line) for line in lines[:_MOST])
    if more > 0:
        shown += "\n" + message.item(f"and {message.many(more, 'more place')}")
    return f"The evidence, by lines before this patch:\n\n{shown}" \
        if lines else ""


def _proof(entry: Entry, text: Text, at: int,
           around: Sequence[calls.Call]) -> Iterator[str]:
    where = f"{entry.site.function}()" if entry.site.function \
        else entry.site.file
    maps = calls.witnesses(text, at, around)
    call = next((one for one in around if one.at == at), None)
    if not maps:
        yield f"{where}, line {entry.site.line}"
    for one in maps:
        given = f" with {calls.shown(one.count)}" if one.count else ""
        there = f"{one.function}() maps {calls.shown(one.list)}{given} in " \
                f"line {one.line}"
        if call is not None and call.step is not Step.MAP:
            yield (f"{there}, and {where} hands over "
                   f"{calls.shown(call.count)} in line {call.line}, which is "
                   "what that returned")
        else:
            yield (f"{there}, and {where} looks at it in line "
                   f"{entry.site.line}")


def _roles(campaign: Campaign) -> Mapping[bytes, Role]:
    return {name.encode(): role for role in campaign.roles
            for name in role.names}


def _by_file(entries: Iterable[Entry]) -> list[tuple[str, list[Entry]]]:
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.verdict == "converted":
            found.setdefault(entry.site.file, []).append(entry)
    return sorted(found.items())


def _left(entries: Sequence[Entry]) -> str:
    """Say what in these files is reported and not repaired."""
    left = [entry for entry in entries
            if entry.verdict == "manual" and entry.rule]
    return message.notes([message.fill(
        "Not repaired here, as no rewrite is proven:")] + [message.item(
            f"{os.path.basename(entry.site.file)}:{entry.site.line}: "
            f"{entry.reason.rpartition('; ')[2]}") for entry in left]) \
        if left else ""


def story(rules: Sequence[Rule], users: int) -> str:
    """Say what the series does."""
    parts = message.rule_text(rules)
    if users > 1:
        parts = [*parts, message.fill(
            "There is one patch for each driver, and none needs another.")]
    return "\n\n".join(parts)


def account(ledger: Ledger) -> str:
    """Return the sums of the ledger, in a sentence."""
    return message.fill(
        "Of the calls in this tree that map, sync or unmap a list, and of the "
        f"places that a rule reports, {ledger.count('converted')} are "
        f"repaired, {ledger.count('kept')} are right, "
        f"{ledger.count('manual')} are left to a person and "
        f"{ledger.count('unread')} were not read.")


persons = barewords.persons
