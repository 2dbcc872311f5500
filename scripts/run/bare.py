# SPDX-License-Identifier: GPL-2.0-only
"""Read bare rules: semantic patches of the kernel's, or of anybody, to apply.

A bare rule has no header of ours, so nothing says which names it is about:
they are what its minus lines take away. Of these the ones count that spatch
would search for, since an isomorphism lets a rule match without the others:
a NULL on a minus line matches `!p`, too. Where spatch would search for none
of them, all count.

A rule that cannot be run here is not run, with the reason. One that is named
by itself ends the run with that reason; one that was found in a folder is
left out and reported.

Data:   paths + what is allowed -> Bare, and (name, why) for what is left out.
Errors: RuleError, in a sentence that starts with the file's name.
Source: Documentation/dev-tools/coccinelle.rst; minus.py and smpl.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from run import foreign, includes, minus, smpl, spatch
from run.rules import Rule, RuleError
from run.smpl import ScriptError

# Columns that a summary may have to be the subject of a patch.
_SUBJECT = 60
_FILE_IN = re.compile(rb"\bfile\s+in\b")
_OURS = re.compile(r"^// Verdict:", re.MULTILINE)
_CONFIDENCE = re.compile(r"^//[#/]?\s*Confidence:[ \t]*\S", re.MULTILINE)
# Who may be run with which CONFIDENCE.
_RANK = {"High": 0, "Moderate": 1, "Low": 2}
_ALLOWED = {"high": 0, "moderate": 1, "low": 2}


@dataclass(frozen=True)
class Bare:
    """A rule that can be run, and what it is about."""

    rule: Rule
    names: frozenset[str]    # the sites: "kmalloc", ".end" for a member
    patterns: frozenset[str]     # names that fit one of these are sites, too
    # Of the names, those that the rule writes again where it took them away.
    stay: frozenset[str]
    # Words that a file without a site must have one of to be changed; none
    # where each change takes a name away.
    words: frozenset[str]
    brings: frozenset[str]   # names that only its plus lines have
    local: bool              # what it does in one function is complete there
    remarks: tuple[str, ...] = ()


def is_bare(path: Path) -> bool:
    """Tell whether a rule has no header of sgwalk."""
    return not _OURS.search(_text(path))


def load(paths: Iterable[tuple[Path, bool]], scripts: bool,
         confidence: str) -> tuple[list[Bare], list[tuple[str, str]]]:
    """Return the rules that can be run, and those left out, with why.

    paths: each with whether it was named by itself.
    """
    found: list[Bare] = []
    left: list[tuple[str, str]] = []
    names: set[str] = set()
    for path, by_itself in paths:
        name = path.stem if path.stem not in names else \
            f"{path.parent.name}-{path.stem}"
        names.add(name)
        try:
            found.append(_load(path, name, scripts, confidence))
        except RuleError as error:
            if by_itself:
                raise RuleError(f"{path}: {error}") from error
            left.append((name, str(error)))
    if not found:
        raise RuleError("RULES: none of the rules there can be applied: "
                        + "; ".join(f"{name}: {why}"
                                    for name, why in left[:3]))
    return found, left


def _load(path: Path, name: str, scripts: bool, confidence: str) -> Bare:
    data = _text(path)
    rule = foreign.header(path, name, data)
    if not _CONFIDENCE.search(data):
        # Whoever wrote no such line chose the rule by naming it.
        rule = replace(rule, confidence="High")
    raw = path.read_bytes()
    try:
        taken = minus.taken(raw)
        text = raw if scripts else smpl.cleared(raw, "patch")
    except ScriptError as error:
        raise RuleError("it holds scripts, which run with SCRIPTS=allow "
                        f"only: {error}") from error
    if not taken.minus:
        raise RuleError("no line of it has a minus in patch mode, so it "
                        "changes nothing")
    modeless = not taken.virtual
    if not modeless and "patch" not in taken.virtual:
        raise RuleError("it has no patch mode")
    if not taken.names | taken.patterns:
        raise RuleError("its minus lines name nothing, so there is no word "
                        "to search for and no site to account for")
    if _RANK[rule.confidence] > _ALLOWED[confidence]:
        raise RuleError(f"its Confidence is {rule.confidence}: "
                        f"CONFIDENCE={rule.confidence.lower()} runs it")
    if _FILE_IN.search(smpl.uncommented(raw, 0, len(raw))):
        raise RuleError("it depends on the folder of a file (`file in`), and "
                        "files have other names while they are read")
    if why := foreign.unfit(rule):
        raise RuleError(why)
    why, words = spatch.query(path, "" if modeless else "patch", text)
    if why:
        raise RuleError(f"spatch refuses it: {why}")
    return _bare(replace(rule, text=text, modes=frozenset(("patch",)),
                         verdict="converted", prefilter=False, free=True,
                         bare=True, modeless=modeless,
                         includes=includes.wanted(rule.options)), taken, words)


def _bare(rule: Rule, taken: minus.Taken, words: tuple[str, ...]) -> Bare:
    rule = _worded(rule, taken)
    sought = frozenset(name for name in taken.names
                       if name.removeprefix(".") in words)
    names = sought if sought or taken.patterns else taken.names
    # Every change takes away one of the names: no other file can change.
    certain = all(gone & sought or some for gone, some in taken.changes)
    more = frozenset() if certain else frozenset(
        word for word in words if word.isidentifier())
    remarks = [
        f"{rule.name}: line {line}: this part takes away no name, so what it "
        "changes has no site" for line in taken.nameless]
    if not certain and not more:
        remarks.append(
            f"{rule.name}: files without {_listed(names)} were not looked "
            "at, though the rule may match there")
    return Bare(rule, names, taken.patterns, taken.stay & names,
                more, taken.brings, taken.local, tuple(remarks))


def _worded(rule: Rule, taken: minus.Taken) -> Rule:
    """Return a rule with a subject and a text, its own if it has one."""
    said = [line.strip() for line in foreign.said(
        (rule.text or b"").decode("utf-8", "replace"))]
    gone = sorted(name.removeprefix(".") for name in taken.names) or [
        "names that match " + " or ".join(sorted(taken.patterns))]
    new = sorted(name.removeprefix(".") for name in taken.brings)
    short = f"replace {gone[0]}" + (" and others" if gone[1:] else "")
    whole = f"replace {_and(gone)}" + (f" with {_and(new)}" if new else "")
    if not any(said):
        return replace(rule, summary=whole, fallback=short, body=(
            f"The semantic patch {rule.path.name} "
            f"{whole.replace('replace', 'replaces', 1)}."))
    text = "\n".join(said).strip("\n")
    first = text.split("\n\n")[0].replace("\n", " ")
    if len(first) > _SUBJECT:
        first = text.split("\n")[0]
    return replace(rule, summary=first.rstrip("."), fallback=short, body=text)


def _and(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _listed(names: Iterable[str]) -> str:
    return " or ".join(sorted(names)) or "the names"


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise RuleError(f"{path}: {error.strerror}") from error
