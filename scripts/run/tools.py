# SPDX-License-Identifier: GPL-2.0-only
"""Find spatch and GNU parallel, and read what a rule asks of them.

Data:   PATH -> the version of spatch; Rule -> the text and the options that
        spatch gets.
Errors: SpatchError for a tool that is missing or too old; RuleError for a rule
        that asks for what spatch must not get.
"""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from run import smpl
from run.jobs import Job, OLDEST, SpatchError
from run.rules import Rule, RuleError
from run.smpl import ScriptError


@functools.lru_cache(maxsize=None)
def installed(path: str) -> tuple[int, ...]:
    """Return spatch's version; the tools are looked for once a PATH."""
    commands = {
        "spatch": "spatch is not installed: run `make deps` "
                  "(Debian's package is coccinelle)",
        "parallel": "GNU parallel is not installed: run `make deps` "
                    "(Debian's package is parallel)",
        "setpriv": "setpriv is not installed: run `make deps` "
                   "(Debian's package is util-linux)",
    }
    for name, sentence in commands.items():
        if shutil.which(name, path=path) is None:
            raise SpatchError(sentence)
    started = {
        name: subprocess.Popen([name, "--version"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL,
                               env={"PATH": path, "LC_ALL": "C", "HOME": "/"})
        for name in ("spatch", "parallel")}
    said = {name: process.communicate()[0].decode(errors="replace")
            for name, process in started.items()}
    if not said["parallel"].startswith("GNU parallel"):
        raise SpatchError("parallel is not GNU parallel (moreutils has a "
                          "program of the same name): run `make deps` "
                          "(Debian's package is parallel)")
    match = re.match(r"spatch version (\d+(?:\.\d+)*)", said["spatch"])
    if match is None:
        raise SpatchError("spatch does not say its version: run `make deps`")
    if _version(match[1]) < _version(OLDEST):
        raise SpatchError(f"spatch is {match[1]}, and {OLDEST} or later is "
                          "needed: run `make deps`")
    return _version(match[1])


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def check_rules(jobs: Sequence[Job], version: tuple[int, ...]) -> None:
    seen: set[tuple[Path, str]] = set()
    for job in jobs:
        rule = job.rule
        if (rule is None) != (job.mode == "parse"):
            raise SpatchError(f"a job without a rule is a parse census, and "
                              f"`{job.mode}` is not")
        if rule is None or (rule.path, job.mode) in seen:
            continue
        seen.add((rule.path, job.mode))
        if job.mode not in rule.modes:
            raise RuleError(f"{rule.path}: has no {job.mode} mode")
        if _version(rule.requires) > version:
            here = ".".join(map(str, version))
            raise RuleError(f"{rule.path}: requires spatch {rule.requires}, "
                            f"and this is {here}")
        rule_options(rule)


def rule_text(rule: Rule, mode: str) -> bytes:
    """Return what spatch is given of a rule.

    Where nothing is to be printed no script of it may run.
    """
    if rule.text is not None:
        return rule.text
    data = rule.path.read_bytes()
    if mode not in ("patch", "context"):
        return data
    try:
        return smpl.cleared(data, mode)
    except ScriptError as error:
        raise RuleError(f"{rule.path}: {error}, which would run in {mode} "
                        "mode") from error

# What a rule's Options may hold, with the number of values each one takes.
# The header's word on includes is for coccicheck: here the unit's files are
# chosen, and includes cost ten times the run (17-25 s against 1.5 s a file).
_IGNORED = {
    "--no-includes": 0, "--include-headers": 0, "--local-includes": 0,
    "--all-includes": 0, "--recursive-includes": 0, "--very-quiet": 0,
    "--include-headers-for-types": 0, "--no-show-diff": 0, "--include": 1,
    "-I": 1, "--disable-worth-trying-opt": 0,
}
_PASSED = {
    "--allow-inconsistent-paths": 0, "--c++": 0, "--disable-iso": 1,
    "--disallow-nested-exps": 0, "--force-diff": 0, "--ibm": 0,
    "--ifdef-to-if": 0, "--indent": 1, "--iso-limit": 1,
    "--keep-comments": 0, "--linux-spacing": 0, "--max-width": 1,
    "--no-gotos": 0, "--no-iso-limit": 0, "--no-loops": 0,
    "--no-safe-expressions": 0, "--only-return-is-error-exit": 0,
    "--prevent-kr": 0, "--smpl-spacing": 0, "--steps": 1,
}


def rule_options(rule: Rule) -> list[str]:
    """Return those of the rule's options that reach spatch."""
    kept: list[str] = []
    words = list(rule.options)
    while words:
        word = words.pop(0)
        takes = {**_IGNORED, **_PASSED}.get(word)
        if takes is None:
            raise RuleError(f"{rule.path}: Options holds {word}, which is "
                            "not known to be safe here")
        values = [words.pop(0) for _ in range(min(takes, len(words)))]
        if word in _PASSED:
            kept += [word, *values]
    return kept
