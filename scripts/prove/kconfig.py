# SPDX-License-Identifier: GPL-2.0-only
"""Say which options a kernel build needs for a file to be compiled.

The folder's Makefile and those above it name the option of an object; the
Kconfig files say what that option needs in turn. Both are read as text. Of
alternatives none is asked for where one is on already, else all of them:
olddefconfig drops what cannot be had, and .config is the judge in the end.

Data:   a tree's root, files and the options that are on -> the options to
        turn on, without CONFIG_, sorted.
Units:  none.
Errors: none; a file no Makefile names needs no option.
Source: Documentation/kbuild/{makefiles,kconfig-language} of v4.20 and v6.1.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

_ASSIGN = re.compile(r"^\s*([\w.$()/-]+?)\s*(?::=|\+=|=)\s*(.*)$")
_OPTION = re.compile(r"\$\(CONFIG_(\w+)\)")
_CONFIG = re.compile(r"^\s*(?:menu)?config\s+(\w+)")
_SOURCE = re.compile(r"^\s*(?:o|r|or)?source\s+\"?([^\"\s]+)\"?")
_PROMPT = re.compile(r"^\s*(?:prompt\s+|(?:bool|tristate|int|hex|string)\s+)"
                     r"[\"']")
_NAME = re.compile(r"(!\s*)?\b([A-Z][A-Z0-9_]*[A-Z0-9])\b(\s*=\s*n\b)?")
# Named in conditions, but never what is missing.
_NEVER = {"BROKEN", "UML", "PREEMPT_RT", "KMSAN", "KASAN"}


@dataclass
class _Option:
    needs: list[str] = field(default_factory=list)   # conditions, all of them
    prompt: bool = False
    selected_by: list[str] = field(default_factory=list)


def options(root: Path, arch: str, files: Iterable[str],
            have: Collection[str]) -> list[str]:
    """Return what has to be turned on for all of the files."""
    return close(root, arch, {name for file in files
                              for name in _of_file(root, file)}, have)


def close(root: Path, arch: str, wanted: Iterable[str],
          have: Collection[str]) -> list[str]:
    """Return the options and everything they need that is not on."""
    known: dict[str, _Option] = {}
    _read(root, root / "Kconfig", arch, [], known, 0)
    todo, done = sorted(wanted), set[str]()
    while todo:
        name = todo.pop()
        if name in done or name in have:
            continue
        done.add(name)
        option = known.get(name, _Option())
        for condition in option.needs:
            todo += _missing(condition, have)
        if not option.prompt:
            # Nobody can ask for it: ask for one that selects it.
            todo += [one for one in option.selected_by
                     if known[one].prompt][:1]
    return sorted(done)


def _of_file(root: Path, file: str) -> set[str]:
    """Return the options that the Makefiles name on the way to the file."""
    found: set[str] = set()
    path = PurePosixPath(file)
    target = path.with_suffix(".o").name
    for folder in path.parents:
        rows = _makefile(root / folder)
        found |= _lead_to(rows, target, set())
        target = f"{folder.name}/"
    return found


def _lead_to(rows: list[tuple[str, list[str]]], target: str,
             seen: set[str]) -> set[str]:
    """Return the options of the assignments that reach the target."""
    found: set[str] = set()
    for left, words in rows:
        if target not in words:
            continue
        found.update(_OPTION.findall(left))
        whole = re.match(r"([\w.-]+?)-(?:y|m|objs|\$\(CONFIG_\w+\))$", left)
        if whole and whole[1] not in ("obj", "lib", "drivers", "core",
                                      "subdir", *seen):
            found |= _lead_to(rows, whole[1] + ".o", {*seen, whole[1]})
    return found


def _makefile(folder: Path) -> list[tuple[str, list[str]]]:
    for name in ("Kbuild", "Makefile"):
        path = folder / name
        if path.is_file():
            text = path.read_text("utf-8", "replace").replace("\\\n", " ")
            return [(row[1], row[2].split()) for row in map(
                _ASSIGN.match, text.splitlines()) if row]
    return []


def _read(root: Path, path: Path, arch: str, outer: list[str],
          known: dict[str, _Option], depth: int) -> None:
    """Collect the options of one Kconfig file and of those it sources."""
    if depth > 16 or not path.is_file():
        return
    stack = [outer]          # conditions of the ifs and menus around
    now: str | None = None   # the option being read
    block = False            # whether these are a menu's own lines
    text = path.read_text("utf-8", "replace").replace("\\\n", " ")
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        config = _CONFIG.match(line)
        source = _SOURCE.match(line)
        if config:
            now, block = config[1], False
            known.setdefault(now, _Option()).needs.extend(stack[-1])
        elif source:
            now, block = None, False
            name = re.sub(r"\$\(?SRCARCH\)?|\$\(?ARCH\)?", arch, source[1])
            _read(root, root / name.replace("$(srctree)/", ""), arch,
                  stack[-1], known, depth + 1)
        elif word in ("if", "menu", "choice"):
            now, block = None, word != "if"
            stack.append(stack[-1] + ([rest] if word == "if" else []))
        elif word in ("endif", "endmenu", "endchoice") and len(stack) > 1:
            now, block = None, False
            stack.pop()
        elif word == "depends":
            condition = rest.partition("on")[2].partition("#")[0]
            if now:
                known[now].needs.append(condition)
            elif block:
                stack[-1] = [*stack[-1], condition]
        elif word == "select" and now and rest.split():
            chosen = known.setdefault(rest.split()[0], _Option())
            chosen.selected_by.append(now)
        elif now and _PROMPT.match(line):
            known[now].prompt = True


def _missing(condition: str, have: Collection[str]) -> list[str]:
    """Return the options a condition asks for and that are not on."""
    names: list[str] = []
    for part in _parts(condition):
        either = [name for no, name, off in _NAME.findall(part)
                  if not no and not off and name not in _NEVER]
        if not any(name in have for name in either):
            names += either
    return names


def _parts(condition: str) -> list[str]:
    """Cut a condition at each && that is in no parentheses."""
    parts, depth = [""], 0
    for piece in re.split(r"(&&|[()])", condition):
        depth += (piece == "(") - (piece == ")")
        if piece == "&&" and depth == 0:
            parts.append("")
        else:
            parts[-1] += piece
    # (A && B) is its parts too; A || (B && C) is left as one.
    flat: list[str] = []
    for part in map(str.strip, parts):
        inner = part[1:-1] if part.startswith("(") and part.endswith(")") \
            and part.count("(") == 1 else ""
        flat += _parts(inner) if "&&" in inner else [part]
    return flat
