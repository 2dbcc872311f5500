# SPDX-License-Identifier: GPL-2.0-only
"""Read rules of other people, those of the kernel's scripts/coccinelle first.

The header of such a rule is a habit and not a contract: keys may be missing,
empty or spelt in several ways, and the file need not be ASCII. What can be
read is used; a rule that cannot be run here is skipped, with the reason, and
never an error of the whole run.

A rule may hold Python or OCaml, which runs with the rights of whoever runs
check. That takes SCRIPTS=allow. Without it a rule with scripts is run in
context mode, with the text that smpl.py has cleared of them, and skipped where
one of them would run in that mode, too.

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

import errno
import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from run import jobs, smpl, spatch
from run.rules import MODES, Rule, RuleError
from run.smpl import ScriptError

_KEY = re.compile(r"^//[#/]?\s*(Options|Requires|Confidence):[ \t]*(.*)$",
                  re.MULTILINE)
_SAID = re.compile(r"^///[ \t]?(.*)$", re.MULTILINE)
_VIRTUAL = re.compile(r"^virtual\s+([^;\n]+)", re.MULTILINE)
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
            data = _bytes(path)
        except OSError as error:
            skipped.append((name, f"it cannot be read: {error.strerror}"))
            continue
        rule = header(path, name, data.decode("utf-8", "replace"))
        mode, text, why = _mode(rule, data, scripts)
        why = why or unfit(rule)
        if why:
            skipped.append((name, why))
        else:
            # spatch is given what was judged, and not what the file is then.
            chosen.append(Chosen(replace(rule, text=text), mode))
    return chosen, skipped


def _bytes(path: Path) -> bytes:
    """Return a rule's bytes; what is no regular file is not waited for."""
    with open(path, "rb", opener=lambda name, flags: os.open(
            name, flags | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        return file.read()


def _files(paths: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        found += sorted(path.rglob("*.cocci")) if path.is_dir() else [path]
    if not found:
        raise RuleError("RULES: no rule (*.cocci) there")
    return found


def header(path: Path, name: str, text: str) -> Rule:
    """Return a rule with what its comments say of it."""
    keys: dict[str, str] = {}
    for match in _KEY.finditer(text):
        keys.setdefault(match[1], match[2].strip())
    words = [line.strip() for line in said(text) if line.strip()]
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
        requires=version[0] if version else jobs.OLDEST,
        shape=(), verdict="finding", reason="", prefilter=True)


def said(text: str) -> list[str]:
    """Return the `///` lines of a rule, empty ones among them."""
    return _SAID.findall(text)


def _mode(rule: Rule, data: bytes, scripts: bool) -> tuple[str, bytes, str]:
    """Return the mode to run a rule in and its text, or why it is not run."""
    modes = [mode for mode in ("report", "context") if mode in rule.modes]
    if not modes:
        return "", data, "it has neither a report nor a context mode"
    if scripts:
        return modes[0], data, ""
    why = "what it reports"
    for mode in modes:
        try:
            text = smpl.cleared(data, mode)
        except ScriptError as error:
            why = str(error)
            continue
        # What reports is a script; without it the rule would find nothing.
        if mode == "context" or text == data:
            return mode, text, ""
    return "", data, ("it holds scripts, which run with SCRIPTS=allow only: "
                      + why)


def unfit(rule: Rule) -> str:
    """Return what keeps this spatch from running a rule, "" for nothing."""
    here = spatch.version()
    if _numbers(rule.requires) > _numbers(here):
        return f"it requires spatch {rule.requires}, and this is {here}"
    for before, word in zip(("", *rule.options), rule.options):
        if word not in _OPTIONS and (before != "--disable-iso"
                                     or not word.isidentifier()):
            return f"its Options hold {word}, which is not known to be safe"
    return ""


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))
