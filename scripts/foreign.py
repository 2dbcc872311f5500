# SPDX-License-Identifier: GPL-2.0-only
"""Read rules of other people, those of the kernel's scripts/coccinelle first.

The header of such a rule is a habit and not a contract: keys may be missing,
empty or spelt in several ways, and the file need not be ASCII. What can be
read is used; a rule that cannot be run here is skipped, with the reason, and
never an error of the whole run.

A rule may hold Python or OCaml, which runs with the rights of whoever runs
check. That takes SCRIPTS=allow. Without it a rule is run in context mode,
where its scripts are for other modes only, and skipped where they are not.

spatch's own prefilter is on for these rules, as in coccicheck: a file without
the words that a rule must match is not parsed. What makes it unsound for ours,
a type that only a header names, cannot be matched in a file on its own.

Data:   paths + what is allowed -> the rules with the mode to run each in, and
        (name, why) for those that are skipped.
Errors: RuleError, where a path holds no rule at all.
Source: Documentation/dev-tools/coccinelle.rst; scripts/coccicheck, which takes
        the text behind "Options:" and "Requires:" from anywhere in the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import spatch
from rules import MODES, Rule, RuleError

_KEY = re.compile(r"^//[#/]?\s*(Options|Requires|Confidence):[ \t]*(.*)$",
                  re.MULTILINE)
_SAID = re.compile(r"^///[ \t]?(.*)$", re.MULTILINE)
_VIRTUAL = re.compile(r"^virtual\s+([^;\n]+)", re.MULTILINE)
_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_SCRIPT = re.compile(
    r"^@\s*(?:script|initialize|finalize)\s*:\s*\w+[^@]*@", re.MULTILINE)
_INLINE = re.compile(r":\s*script\s*:\s*\w+\s*\(")
_HELD = re.compile(r"depends\s+on\b[^@]*\b(?:report|org)\b")
_VERSION = re.compile(r"\d+(?:\.\d+)*")
_CONFIDENCE = {"very high": "High", "high": "High", "moderate": "Moderate",
               "medium": "Moderate", "average": "Moderate", "low": "Low"}
# What Options may hold. An option may name a program or a file to write.
_OPTIONS = frozenset((
    "--all-includes", "--allow-inconsistent-paths", "--disable-iso", "--c++",
    "--include-headers", "--include-headers-for-types", "--local-includes",
    "--no-gotos", "--no-includes", "--no-iso-limit", "--no-loops",
    "--no-safe-expressions", "--no-show-diff", "--recursive-includes",
    "--very-quiet"))


@dataclass(frozen=True)
class Chosen:
    rule: Rule
    mode: str                # report, or context


def load(paths: Iterable[Path],
         scripts: bool) -> tuple[list[Chosen], list[tuple[str, str]]]:
    """Return the rules that can be run, and those that cannot, with why."""
    chosen: list[Chosen] = []
    skipped: list[tuple[str, str]] = []
    names: set[str] = set()
    for path in _files(paths):
        name = path.stem if path.stem not in names else \
            f"{path.parent.name}-{path.stem}"
        names.add(name)
        try:
            text = path.read_bytes().decode("utf-8", "replace")
        except OSError as error:
            raise RuleError(f"{path}: {error.strerror}") from error
        rule = _rule(path, name, text)
        mode, why = _mode(rule, text, scripts)
        why = why or _unfit(rule)
        if why:
            skipped.append((name, why))
        else:
            chosen.append(Chosen(rule, mode))
    return chosen, skipped


def _files(paths: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        found += sorted(path.rglob("*.cocci")) if path.is_dir() else [path]
    if not found:
        raise RuleError("RULES: no rule (*.cocci) there")
    return found


def _rule(path: Path, name: str, text: str) -> Rule:
    keys: dict[str, str] = {}
    for match in _KEY.finditer(text):
        keys.setdefault(match[1], match[2].strip())
    said = [line.strip() for line in _SAID.findall(text)]
    words = [line for line in said if line]
    version = _VERSION.search(keys.get("Requires", ""))
    modes = {word for line in _VIRTUAL.findall(text)
             for word in re.split(r"[,\s]+", line.strip())}
    return Rule(
        name=name, path=path, folder="",
        summary=words[0].rstrip(".") if words else name,
        body="\n".join(words[1:]),
        modes=frozenset(modes) & frozenset(MODES),
        confidence=_CONFIDENCE.get(keys.get("Confidence", "").lower(), "Low"),
        options=tuple(keys.get("Options", "").split()),
        requires=version[0] if version else spatch.OLDEST,
        shape=(), verdict="finding", reason="", prefilter=True)


def _mode(rule: Rule, text: str, scripts: bool) -> tuple[str, str]:
    """Return the mode to run a rule in, or why it is not run."""
    plain = _COMMENT.sub(
        lambda at: at[0] if at[0].startswith('"') else " ", text)
    found = [match[0] for match in _SCRIPT.finditer(plain)]
    if scripts or not (found or _INLINE.search(plain)):
        if "report" in rule.modes:
            return "report", ""
        if "context" in rule.modes:
            return "context", ""
        return "", "it has neither a report nor a context mode"
    if "context" in rule.modes and not _INLINE.search(plain) \
            and all(_HELD.search(head) for head in found):
        return "context", ""
    return "", "it holds scripts, which run with SCRIPTS=allow only"


def _unfit(rule: Rule) -> str:
    """Return what keeps this spatch from running a rule, "" for nothing."""
    here = spatch.version()
    if _numbers(rule.requires) > _numbers(here):
        return f"it requires spatch {rule.requires}, and this is {here}"
    for word in rule.options:
        if word not in _OPTIONS:
            return f"its Options hold {word}, which is not known to be safe"
    return ""


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))
