# SPDX-License-Identifier: GPL-2.0-only
"""Hold check to bugs that people fixed by hand, before and after their fix.

A fix is a mail in a list archive, and a snapshot of a kernel holds the files
that it changes, mended or still broken. The patch of the mail is applied to
them, or taken back, so that there are two trees: one with the bugs and one
without. A fix counts as found where a finding stands within NEAR lines of what
it changed, and as loud where one still stands there afterwards.

Nothing of a mail or a snapshot is kept: the trees are gone with the run.

Data:   a table (id, class, archive, commit, base; tabs, one header line) and a
        folder that holds the archives and snapshots -> Score, a table of text.
Units:  lines from 1, first and last included.
Errors: BacktestError, for a table or a folder that cannot be used. A mail that
        is not there or fits nothing is a fix that was not made, with a reason.
Source: archives of lore.kernel.org's public-inbox, one commit a mail, file m.
"""

from __future__ import annotations

import csv
import difflib
import email
import email.policy
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from host import gitsafe, scratch

NEAR = 4
COLUMNS = ("id", "class", "archive", "commit", "base")
# What check needs of a kernel tree beside the drivers.
_PARTS = ("Makefile", "include", "lib")
_ROOT = Path(__file__).resolve().parents[2]
_TREE = _ROOT / "fixtures/sg-dma-page/tree"
_NO_HOME = Path(os.devnull)

# What a repair is beside the fix: the same tokens, other ones in a line that
# the fix changed, too, or a line that the fix left alone.
REPAIRS = ("equal", "other", "beyond")
_TOKEN = re.compile(rb"\w+|[^\s\w]")

# file -> bytes, of the files of one fix
Files = dict[str, bytes]
# The findings of a tree: (file, line), rule
Findings = Iterable[tuple[str, int, str]]


class BacktestError(Exception):
    """There is nothing to hold check to; the message says why."""


@dataclass(frozen=True)
class Fix:
    id: str
    kind: str                # the class of bug; one that ends in -after: the
                             # patch brought the bug in
    archive: str             # folder of the list archive, in the mirror
    commit: str              # of the mail
    base: str                # folder of the snapshot, in the mirror


@dataclass(frozen=True)
class Place:
    """One run of lines that a fix changed, in both of its trees."""

    fix: str
    file: str                # of the trees: drivers/<id>/<name>
    broken: tuple[int, int]
    mended: tuple[int, int]


@dataclass(frozen=True)
class Repair:
    """One run of lines that a repair changed in the tree with the bugs."""

    fix: str
    file: str
    line: int                # of the tree with the bugs
    verdict: str             # of REPAIRS


@dataclass(frozen=True)
class Score:
    fixes: tuple[Fix, ...]   # that could be made
    left: tuple[tuple[str, str], ...]        # id, why it was not made
    found: frozenset[str]
    loud: frozenset[str]
    repairs: tuple[Repair, ...] = ()


def read(table: Path) -> list[Fix]:
    """Return the fixes of a table, or refuse it."""
    try:
        rows = list(csv.reader(table.read_text("utf-8").splitlines(),
                               delimiter="\t"))
    except (OSError, UnicodeDecodeError) as error:
        raise BacktestError(f"{table}: {error}") from error
    if not rows or tuple(rows[0]) != COLUMNS:
        raise BacktestError(f"{table}: the first line has to be "
                            + " ".join(COLUMNS) + ", with tabs between")
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(COLUMNS) or not all(row):
            raise BacktestError(f"{table}:{number}: not {len(COLUMNS)} words "
                                "with tabs between")
        if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", row[3]) or any(
                "/" in word or word.startswith((".", "-")) for word in row):
            raise BacktestError(f"{table}:{number}: not the name of a commit, "
                                "or a folder that is not one of the mirror's")
    return [Fix(*row) for row in rows[1:]]


def run(fixes: Sequence[Fix], mirror: Path,
        judge: Callable[[Path], Findings],
        mend: Callable[[Path], Mapping[str, bytes]] = lambda tree: {}
        ) -> Score:
    """Make both trees of every fix, let them be judged, and compare.

    mend returns the files that it repairs in a tree, as they are then.
    """
    if not mirror.is_dir():
        raise BacktestError(f"{mirror}: no such folder: MIRROR= holds the "
                            "archives and snapshots that FIXES= names")
    made: list[Fix] = []
    left: list[tuple[str, str]] = []
    places: list[Place] = []
    with scratch.folder("sgwalk.backtest.") as folder:
        trees = folder / "broken", folder / "mended"
        for tree in trees:
            tree.mkdir()
            for part in _PARTS:
                _copy(_TREE / part, tree / part)
        for fix in fixes:
            try:
                broken, mended = _sides(fix, mirror)
            except _NotMade as why:
                left.append((fix.id, str(why)))
                continue
            made.append(fix)
            places += _places(fix, broken, mended)
            for tree, files in zip(trees, (broken, mended)):
                for file, data in files.items():
                    place = tree / _name(fix, file)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(data)
        before, after = (list(judge(tree)) for tree in trees)
        repaired = mend(trees[0])
        repairs = [repair for fix in made
                   for file, data in sorted(repaired.items())
                   if file.startswith(f"drivers/{fix.id}/")
                   for repair in _repairs(
                       fix, file, (trees[0] / file).read_bytes(),
                       (trees[1] / file).read_bytes(), data)]
    return Score(tuple(made), tuple(left),
                 _near(before, ((p.fix, p.file, p.broken) for p in places)),
                 _near(after, ((p.fix, p.file, p.mended) for p in places)),
                 tuple(repairs))


def text(score: Score) -> str:
    """Return the score a class a line, and the sum."""
    lines = []
    kinds: dict[str, list[str]] = {}
    for fix in score.fixes:
        kinds.setdefault(fix.kind, []).append(fix.id)
    for kind, ids in sorted(kinds.items()):
        missed = [name for name in ids if name not in score.found]
        loud = [name for name in ids if name in score.loud]
        lines.append(
            f"{kind:18} fixes {len(ids):3}  found {len(ids) - len(missed):3}"
            f"  loud {len(loud):3}"
            + (f"  missed {' '.join(missed)}" if missed else "")
            + (f"  still {' '.join(loud)}" if loud else ""))
    lines += [f"not made {name}: {why}" for name, why in score.left]
    lines += [f"repair {each.verdict:6} {each.fix} {each.file}:{each.line}"
              for each in score.repairs]
    if score.repairs:
        verdicts = [each.verdict for each in score.repairs]
        lines.append(f"repairs {len(verdicts)}: " + ", ".join(
            f"{verdicts.count(name)} {name}" for name in REPAIRS))
    lines.append(f"backtest {len(score.fixes)}: {len(score.found)} found, "
                 f"{len(score.loud)} loud after the fix, {len(score.left)} "
                 "not made")
    return "".join(line + "\n" for line in lines)


# --- the two trees ---------------------------------------------------------

class _NotMade(Exception):
    pass


def _sides(fix: Fix, mirror: Path) -> tuple[Files, Files]:
    """Return the files of a fix, broken and mended."""
    patch = _patch(_show(mirror / fix.archive, f"{fix.commit}:m", "mail"))
    names = sorted(set(re.findall(rb"^\+\+\+ b/(\S+)", patch, re.M)))
    if not names:
        raise _NotMade("the mail holds no patch of a file")
    have = {os.fsdecode(name): _show(mirror / fix.base,
                                     f"HEAD:{os.fsdecode(name)}",
                                     os.fsdecode(name))
            for name in names}
    for back in (True, False):
        other = _patched(have, patch, back)
        if other is not None:
            break
    else:
        raise _NotMade(f"the patch does not fit {fix.base}")
    broken, mended = (other, have) if back else (have, other)
    return (mended, broken) if fix.kind.endswith("-after") \
        else (broken, mended)


def _show(repo: Path, name: str, what: str) -> bytes:
    folder = next((place for place in (repo / "repo", repo)
                   if (place / "HEAD").exists() or (place / ".git").exists()),
                  None)
    if folder is None:
        raise _NotMade(f"no repository {repo.name}")
    # A bare repository has no top for gitsafe to find.
    git = folder / ".git" if (folder / ".git").is_dir() else folder
    done = subprocess.run(
        ["git", f"--git-dir={git}", "cat-file", "blob", name],
        stdin=subprocess.DEVNULL, capture_output=True, check=False,
        env=gitsafe.environment(_NO_HOME,
                                [("safe.bareRepository", "all")]))
    if done.returncode:
        raise _NotMade(f"no {what} in {repo.name}")
    return done.stdout


def _patch(raw: bytes) -> bytes:
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    part = mail.get_body(("plain",)) if isinstance(mail, EmailMessage) \
        else None
    data = part.get_payload(decode=True) if part else None
    if not isinstance(data, bytes):
        raise _NotMade("the mail has no plain text")
    return data.replace(b"\r\n", b"\n")


def _patched(files: Mapping[str, bytes], patch: bytes,
             back: bool) -> Files | None:
    """Return the files with a patch applied or taken back, if it fits."""
    with scratch.folder("sgwalk.patch.") as folder:
        for name, data in files.items():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        done = subprocess.run(
            ["git", "apply", "--recount", "--unidiff-zero", "-C1",
             *(["--reverse"] if back else []), "-"],
            cwd=folder, input=patch, capture_output=True, check=False,
            env={**gitsafe.environment(_NO_HOME),
                 "GIT_CEILING_DIRECTORIES": os.fspath(folder.parent)})
        if done.returncode:
            return None
        return {name: (folder / name).read_bytes() for name in files}


def _copy(old: Path, new: Path) -> None:
    if old.is_dir():
        shutil.copytree(old, new)
    else:
        shutil.copyfile(old, new)


def _name(fix: Fix, file: str) -> str:
    return f"drivers/{fix.id}/{Path(file).name}"


# --- the score -------------------------------------------------------------

def _places(fix: Fix, broken: Files, mended: Files) -> Iterable[Place]:
    for file in sorted(broken):
        old, new = broken[file].split(b"\n"), mended[file].split(b"\n")
        match = difflib.SequenceMatcher(None, old, new, autojunk=False)
        for tag, i, j, k, l in match.get_opcodes():
            if tag != "equal":
                yield Place(fix.id, _name(fix, file), (i + 1, max(j, i + 1)),
                            (k + 1, max(l, k + 1)))


def _repairs(fix: Fix, file: str, broken: bytes, mended: bytes,
             repaired: bytes) -> Iterable[Repair]:
    """Compare each run of lines of a repair with what the fix made of it."""
    ours = _changed(broken, repaired)
    for first, last in ours:
        # The fix may have changed some lines more, or drawn them together.
        span = first, last
        theirs = _changed(broken, mended)
        for start, end in theirs:
            if start < last and first < end or (start, end) == (first, last):
                span = min(span[0], start), max(span[1], end)
        touched = any(start < last and first < end for start, end in theirs)
        same = _tokens_of(broken, repaired, span) == \
            _tokens_of(broken, mended, span)
        yield Repair(fix.id, file, first + 1, "equal" if same and touched
                     else "other" if touched else "beyond")


def _lines_of(data: bytes) -> list[bytes]:
    return data.split(b"\n")


def _changed(old: bytes, new: bytes) -> list[tuple[int, int]]:
    """Return the half-open ranges of lines of `old` that are not in `new`."""
    match = difflib.SequenceMatcher(None, _lines_of(old), _lines_of(new),
                                    autojunk=False)
    return [(i, max(j, i + 1)) for tag, i, j, _, _ in match.get_opcodes()
            if tag != "equal"]


def _tokens_of(old: bytes, new: bytes, span: tuple[int, int]) -> list[bytes]:
    """Return the tokens that some lines of `old` have become in `new`."""
    first, last = span
    match = difflib.SequenceMatcher(None, _lines_of(old), _lines_of(new),
                                    autojunk=False)
    lines: list[bytes] = []
    for tag, i, j, k, l in match.get_opcodes():
        if tag == "equal":
            some = range(max(i, first), min(j, last))
            lines += [_lines_of(new)[k + at - i] for at in some]
        elif i < last and first < max(j, i + 1):
            lines += _lines_of(new)[k:l]
    return _TOKEN.findall(b"\n".join(lines))


def _near(findings: Findings,
          places: Iterable[tuple[str, str, tuple[int, int]]]
          ) -> frozenset[str]:
    """Return the fixes that a finding stands beside."""
    lines: dict[str, list[int]] = {}
    for file, line, rule in findings:
        if rule != "unread":
            lines.setdefault(file, []).append(line)
    return frozenset(
        fix for fix, file, (first, last) in places
        if any(first - NEAR <= line <= last + NEAR
               for line in lines.get(file, ())))
