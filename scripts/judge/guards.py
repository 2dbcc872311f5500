# SPDX-License-Identifier: GPL-2.0-only
"""Judge what a version or feature guard lets through: for which kernels.

A guard is an #if that asks for a version, for a distribution or for the API
by name. Other names (CONFIG_FOO, HAVE_GUP_FAST) choose between nothing that
matters here. The condition itself is evaluated by the census, once for each
release since the old API came and once for the kernel at hand, so that
the direction of a guard, its branches, nested guards and macros that the file
defines under a guard need no code here.

Old code is code that uses the old API where the new one is needed. It is right
behind a guard only where every kernel that sees it lacks the new API, and the
kernel at hand is not one that has it.

Data:   Text + branches of old code -> Sight; Path -> Kernel.
Units:  versions as LINUX_VERSION_CODE has them.
Errors: CensusError. A kernel whose version cannot be read has version -1.
Source: the releases that the campaign gives for its two APIs.
"""

from __future__ import annotations

import enum
import re
from pathlib import Path
from typing import Collection, Iterable, Optional

from read import api as names, conditionals
from read.conditionals import Kernel
from read.campaign import Callers, Side, State
from read.ctext import Branch, Text

# major -> releases. What has none yet is there for guards that expect it.
_RELEASES = ((3, 20), (4, 21), (5, 20), (6, 20), (7, 20))
# 255: a later stable release, for guards such as >= KERNEL_VERSION(4, 14, 78).
_VERSIONS = (2 << 16 | 6 << 8 | 32,) + tuple(
    major << 16 | minor << 8 | stable
    for major, minors in _RELEASES for minor in range(minors)
    for stable in (0, 255))
NOBODY = Kernel(-1, "?")
_NEVER = 1 << 30

_NUMBERS = re.compile(rb"^(VERSION|PATCHLEVEL|SUBLEVEL|RHEL_MAJOR|RHEL_MINOR)"
                      rb"[ \t]*=[ \t]*(\d+)", re.MULTILINE)
_BUILT = re.compile(rb"^#define[ \t]+LINUX_VERSION_CODE[ \t]+(\d+)",
                    re.MULTILINE)


class Sight(enum.Enum):
    """Who sees old code."""

    ALL = "all"              # no guard keeps it from any kernel
    OTHERS = "others"        # kernels without the API, and not this one
    TWIN = "twin"            # this one, too, which lacks the API; others have
    #                          code of their own
    ALONE = "alone"          # so, too, but nothing is there for the others
    HERE = "here"            # this one, which has the API
    NEW = "new"              # kernels that have the API


def kernel(root: Optional[Path], state: Optional[State]) -> Kernel:
    """Return what guards can ask of a kernel tree; None: of none."""
    if root is None:
        return NOBODY
    api = "?" if state is None else \
        "n" if state.callers is Callers.OLD else "y"
    facts = {name: int(number) for name, number in
             _NUMBERS.findall(_read(root / "Makefile"))}
    version = -1
    if b"VERSION" in facts and b"PATCHLEVEL" in facts:
        version = facts[b"VERSION"] << 16 | facts[b"PATCHLEVEL"] << 8 | min(
            facts.get(b"SUBLEVEL", 0), 255)
    built = _BUILT.search(
        _read(root / "include/generated/uapi/linux/version.h"))
    if version < 0 and built:
        version = int(built[1])
    if b"RHEL_MAJOR" in facts:
        rhel = facts[b"RHEL_MAJOR"] << 8 | facts.get(b"RHEL_MINOR", 0)
    else:
        rhel = -1 if version < 0 or (root / "init/Kconfig.suse").exists() \
            else -2
    return Kernel(version, api, rhel)


def about(text: Text, branch: Optional[Branch]) -> bool:
    """Tell whether a guard stands around a branch."""
    return any(text.rows[around.row].about for around in branch or ())


def within(text: Text, first: int, last: int) -> bool:
    """Tell whether a guard begins between two tokens."""
    outer = text.tokens[first].branch
    depth = outer.depth if outer else 0
    seen = {outer, None}
    for at in range(first, last + 1):
        branch = text.tokens[at].branch
        while branch not in seen:
            assert branch is not None
            seen.add(branch)
            if branch.depth > depth and text.rows[branch.row].about:
                return True
            branch = branch.outer
    return False


def open_names(text: Text, branch: Optional[Branch]) -> set[bytes]:
    """Return the names that it hangs on whether a branch is dead."""
    found: set[bytes] = set()
    for around in branch or ():
        if text.rows[around.row].truth == "?":
            sibling: Optional[Branch] = around
            while sibling is not None:
                found |= set(text.rows[sibling.row].names)
                sibling = sibling.before
    return found


def dead(text: Text, branch: Optional[Branch],
         undefined: frozenset[bytes]) -> bool:
    """Tell whether a branch is dead where nothing defines these names."""
    if branch is None or not undefined & open_names(text, branch):
        return False
    truths = {row.offset: row.truth for row in conditionals.read(
        text.data, undefined=sorted(undefined))}
    return truths.get(text.rows[branch.row].offset, "n") == "n"


def hidden(text: Text, branch: Optional[Branch]) -> str:
    """Return the condition that Coccinelle misjudges, "" where it does not.

    It takes what begins with 0 for #if 0, and the #else of what begins with 1
    for that of #if 1, and skips such a branch as a comment.
    """
    for around in branch or ():
        conditions = text.groups[around.group].conditions
        first = re.sub(rb"\s+", b" ", conditions[0])
        if first.startswith(b"if 0" if around.nth == 0 else b"if 1"):
            return "#" + first.decode("latin-1")
    return ""


def _kernels() -> tuple[Kernel, ...]:
    """Return the kernels as Linus released them.

    What a distribution has done, its own guard asks for, and only the kernel
    at hand can answer it.
    """
    since = _since(names.now().campaign.new)
    return tuple(Kernel(version, "y" if version >= since else "n", -2)
                 for version in _VERSIONS)


def _since(side: Optional[Side]) -> int:
    """Return the first release with an API; one of a tree's own: none."""
    return _NEVER if side is None or side.since < 0 else side.since


def sight(text: Text, old: Collection[Optional[Branch]],
          here: Kernel) -> Sight:
    """Say who sees old code that stands in these branches."""
    if not any(about(text, branch) for branch in old):
        return Sight.ALL
    api, kernels = names.now(), _kernels()
    first, since_new = _since(api.campaign.old), _since(api.campaign.new)
    rows = conditionals.read(text.data, kernels=(here, *kernels))

    def letters(branch: Optional[Branch]) -> str:
        if branch is None:
            return "y" * (1 + len(kernels))
        row = rows[branch.row]
        return row.kernels or row.truth * (1 + len(kernels))

    seen = [_most(column) for column in zip(*map(letters, old))]
    this, others = seen[0], dict(zip(_VERSIONS, seen[1:]))
    since = {truth for version, truth in others.items() if version >= first
             or first == _NEVER}
    if len(since) == 1 and "n" not in since and this != "n":
        return Sight.ALL
    sees = this != "n" and here.version >= 0
    if sees and here.api == "y":
        return Sight.HERE
    if any(truth != "n" for version, truth in others.items()
           if version >= since_new):
        return Sight.NEW
    if not sees or here.api != "n":
        return Sight.OTHERS
    new = [nth for nth, version in enumerate(_VERSIONS, 1)
           if version >= since_new]
    twins = {token.branch for token in text.tokens
             if token.text in api.brought and about(text, token.branch)}
    if any(letters(twin)[nth] != "n" for twin in twins for nth in new):
        return Sight.TWIN
    return Sight.ALONE


def _most(column: Iterable[str]) -> str:
    """Return what is true of code in one branch or another."""
    found = set(column)
    return "y" if "y" in found else "?" if "?" in found else "n"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
