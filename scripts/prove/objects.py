# SPDX-License-Identifier: GPL-2.0-only
"""Choose the objects of a change, and compare what a compiler made of them.

Data:   names of files -> names of objects; an object file -> Image: its
        sections, and its code without addresses and line numbers.
Units:  sizes in bytes.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from host import repo
from prove.builds import Room, Step, VerifyError
from prove.reached import INLINE, without_comments

_FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")
_ADDRESS = re.compile(r"^\s*[0-9a-f]+:\s*")
# Where a string or table lies moves when another one grows.
_PLACE = re.compile(r"(\.(?:rodata|data|bss|init|LC|L)[\w.$]*|__bug_table)"
                    r"[+-]0x[0-9a-f]+")
# Before v4.11 x86 hands WARN_ON() its line in a register.
_WARN = re.compile(r"R_X86_64_\w+\s+warn_slowpath_")
_LINE = re.compile(r"\$0x[0-9a-f]+,%esi")
_OBJECTS_A_HEADER = 64       # objects built for one header
_MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(?P<name>\w+)\("
                    r"(?:[^\n]*\\\n)*[^\n]*$", re.MULTILINE)
# What no build of this kernel compiles.
_OTHER_PROGRAMS = ("tools/", "Documentation/", "samples/", "usr/", "scripts/")


def object_of(file: str) -> str:
    return file[:-2] + ".o"


def source_of(name: str) -> str:
    return name[:-2] + ".c"


def choose(room: Room, before: Mapping[str, bytes],
           now: Mapping[str, bytes], step: Step) -> list[str]:
    """Return the objects that show what a step does to the files of now."""
    found = {object_of(name) for name in step.contents if name.endswith(".c")}
    for name in step.contents:
        if name.endswith(".c"):
            continue
        if name.startswith("include/"):
            # Half the tree includes it. Who calls what the step changes in it
            # shows the step, and so do its users in the series.
            found |= {object_of(file) for file in before
                      if file.endswith(".c")}
            found |= {object_of(file) for file in _callers(
                room, _changed_names(now.get(name, b""),
                                     step.contents[name]))}
            continue
        include = re.compile(rb'^\s*#\s*include\s+["<]([^">]*/)?'
                             + re.escape(os.fsencode(Path(name).name))
                             + rb'[">]', re.MULTILINE)
        users = [path for path in sorted((room.src / name).parent
                                         .glob("*.c"))
                 if include.search(path.read_bytes())]
        found |= {object_of(str(path.relative_to(room.src)))
                  for path in users[:_OBJECTS_A_HEADER]}
    return sorted(found)


def _changed_names(old: bytes, new: bytes) -> set[str]:
    """Return the inline functions and macros that differ in code."""
    known = _definitions(old)
    return {name for name, part in _definitions(new).items()
            if known.get(name) != part}


def _definitions(content: bytes) -> dict[str, str]:
    """Return inline functions and macros of a header, without its comments."""
    bare = without_comments(content.decode("latin-1"))
    return {found["name"]: " ".join(found[0].split())
            for pattern in (INLINE, _MACRO)
            for found in pattern.finditer(bare)}


def _callers(room: Room, names: Iterable[str]) -> list[str]:
    """Return the C files of the copy that name one of the names."""
    words = "|".join(sorted(names))
    if not words:
        return []
    done = subprocess.run(
        ["grep", "-rlwE", "-Z", "--include=*.c", "-e", words, "."],
        cwd=room.src, stdin=subprocess.DEVNULL, capture_output=True,
        env=repo.neutral(room.folder))
    if done.returncode > 1 or done.returncode < 0:
        raise VerifyError(f"{room.src}: grep: "
                          + done.stderr.decode("utf-8", "replace").strip())
    files = sorted(os.fsdecode(name).removeprefix("./")
                   for name in done.stdout.split(b"\0") if name)
    return [name for name in files
            if not name.startswith(_OTHER_PROGRAMS)
            and (not name.startswith("arch/")
                 or name.startswith(f"arch/{room.arch}/"))
            ][:_OBJECTS_A_HEADER]


def _forget_line(lines: list[str]) -> None:
    """Take out the line number that the call at the end is given.

    Other arguments and their relocations may stand between the two.
    """
    for place in range(len(lines) - 3, max(-1, len(lines) - 16), -1):
        if lines[place].startswith("call"):
            return
        if _LINE.search(lines[place]):
            lines[place] = _LINE.sub("$line,%esi", lines[place])
            return


@dataclass(frozen=True)
class Image:
    """What an object file holds."""

    digest: str
    sizes: tuple[int, int, int]
    code: Mapping[str, str]          # by function: instructions, normalised

    @staticmethod
    def read(room: Room, name: str) -> Image:
        path = room.build / name
        sizes = subprocess.run(["size", str(path)], capture_output=True,
                               text=True).stdout.splitlines()[-1].split()
        dump = subprocess.run(
            ["objdump", "-dr", "--no-show-raw-insn", str(path)],
            capture_output=True, text=True, errors="replace").stdout
        code: dict[str, list[str]] = {}
        lines: list[str] = []
        for line in dump.splitlines():
            head = _FUNCTION.match(line)
            if head:
                lines = code.setdefault(head[1], [])
            elif line.startswith("Disassembly"):
                lines = []
            elif line:
                lines.append(_PLACE.sub(r"\1", _ADDRESS.sub("", line)))
                if _WARN.search(line):
                    _forget_line(lines)
        return Image(hashlib.sha256(path.read_bytes()).hexdigest(),
                     (int(sizes[0]), int(sizes[1]), int(sizes[2])),
                     {name: "\n".join(part) for name, part in code.items()})
