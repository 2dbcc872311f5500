# SPDX-License-Identifier: GPL-2.0-only
"""Write the subjects, messages and the cover of a series of bare rules.

A bare rule explains itself in its `///` text, and that is the message. A rule
without one is named, with what it replaces: nothing is known of the reason,
so none is given. What is left to a person is counted in the mail and listed
in the ledger, since a rule over a whole tree leaves thousands of places.

Data:   facts -> Words and covers, lines of at most 72 columns.
Units:  columns.
Errors: none.
Source: Documentation/process/submitting-patches.rst.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from run.rules import Rule
from judge.ledger import Entry, Ledger
from write import message
from write.message import Check, Making, Prefix, Words

# Reasons that a cover lists; the ledger has them all.
_MOST = 20


def subject(prefix: Prefix, rules: Sequence[Rule]) -> str:
    """Return a subject of at most 75 columns."""
    for words in (_joined(rule.summary for rule in rules),
                  _joined(rule.fallback for rule in rules),
                  f"apply {_joined(rule.path.name for rule in rules)}"):
        text = prefix.text + (words[:1].upper() + words[1:]
                              if prefix.capital else words)
        if len(text) <= message.SUBJECT:
            return text
    return (prefix.text + "apply semantic patches")[:message.SUBJECT]


def _joined(words: Iterable[str]) -> str:
    every = [message.decapital(word) for word in dict.fromkeys(words)]
    return " and ".join(every)


def cover_title(rules: Sequence[Rule]) -> str:
    """Return the subject of the cover, and of a series that is one patch."""
    return subject(Prefix("treewide: ", False, "path"), rules)


def words(title: str, files: Collection[str], entries: Iterable[Entry],
          rules: Sequence[Rule], making: Making, check: Check) -> Words:
    """Return what the mail of a patch has around its diff."""
    mine = [entry for entry in entries if entry.site.file in files]
    text = message.assembled([title, *message.rule_text(rules), message.fill(
        "Compile tested only.") if check.built else ""])
    return Words(text, message.notes([
        _left(mine), message.checked(check), made(rules, making)]))


def _left(entries: Sequence[Entry]) -> str:
    """Say how many places of these files are left to a person."""
    count = {verdict: sum(entry.verdict == verdict for entry in entries)
             for verdict in ("manual", "unread")}
    parts = [f"{message.many(count['manual'], 'place')} to decide by hand"
             if count["manual"] else "",
             f"{message.many(count['unread'], 'place')} that Coccinelle did "
             "not read" if count["unread"] else ""]
    said = message.listed(part for part in parts if part)
    return message.fill(f"Left in these files: {said}.") if said else ""


def made(rules: Sequence[Rule], making: Making) -> str:
    """Say what made a patch."""
    spatch = f" {making.spatch}" if making.spatch else ""
    names = message.listed(rule.path.name for rule in rules)
    return message.fill(f"Made with Coccinelle{spatch} and {names}.") \
        if rules else ""


def story(rules: Sequence[Rule], users: int) -> str:
    """Say what the series does."""
    parts = message.rule_text(rules)
    if users > 1:
        parts = [*parts, message.fill(
            "There is one patch for each subsystem.")]
    return "\n\n".join(parts)


def account(ledger: Ledger) -> str:
    """Return the sums of the ledger, in a sentence."""
    return message.fill(
        "Of the places in this tree that have a name which the rules take "
        f"away, {ledger.count('converted')} are converted, "
        f"{ledger.count('kept')} do not match, {ledger.count('manual')} are "
        f"left to a person and {ledger.count('unread')} were not read.")


def persons(ledger: Ledger) -> list[str]:
    """Return the first of what is left to a person, and how much more."""
    every = message.persons(ledger)
    more = len(every) - _MOST
    return every if more <= 0 else [
        *every[:_MOST], f"and {message.many(more, 'more reason')}, all in the "
        "ledger of the run"]
