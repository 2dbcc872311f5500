# SPDX-License-Identifier: GPL-2.0-only
"""Take a tree's users of the new API back, and forth again.

    python3 scripts/test/tests/roundtrip.py TREE

Code that was written for the DMA page iterator by its own authors is taken to
the old API by fixtures/sg-dma-page/reverse/reverse.cocci and migrated. What comes out has
to be the author's bytes. Where the old API cannot say it, the file is named
with the reason and left out; a file that comes back different fails.

Data:   tree -> Trip (files that came back, exceptions, differences).
Errors: those of the stages.
Source: upstream's own conversions, v5.1 to v6.12.
"""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE.parents[1]), str(_HERE)]

from read import census  # noqa: E402
from run import jobs, rules  # noqa: E402
from judge import plan  # noqa: E402
from write import diffs  # noqa: E402
import smalltree  # noqa: E402
from read import tree as trees  # noqa: E402
from read.ctext import Text  # noqa: E402
from run import spatch  # noqa: E402
from judge.edits import from_diff, render  # noqa: E402
from read import api  # noqa: E402
from judge import units as iterators  # noqa: E402

_MAKE = ("Makefile", "include/linux/scatterlist.h", "lib/scatterlist.c")


@dataclass(frozen=True)
class Trip:
    back: tuple[str, ...]                    # the author's bytes again
    exceptions: dict[str, str]               # file -> why there is no way
    differ: dict[str, bytes]                 # file -> diff to the author's


def travel(root: Path, jobs: int) -> Trip:
    """Take every user of the new API in a tree there and back."""
    tree = trees.open_tree(str(root))
    sites = census.take(smalltree.census(), tree.root, jobs)
    users = sorted({site.file for site in sites
                    if "dma_page" in site.token or "dma_next" in site.token
                    } - set(_MAKE))
    partners = sorted({site.file for site in sites} - set(_MAKE))
    original = {file: trees.read(tree, file) for file in partners}
    exceptions = {}
    for file in users:
        words = {token.text for token in Text(original[file]).tokens}
        if b"for_each_sgtable_dma_page" in words:
            exceptions[file] = ("for_each_sgtable_dma_page() hides its "
                                "count, and the old API has no such loop")
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder)
        for file in _MAKE:
            _write(there, file, trees.read(tree, file))
        reversed_ = _reverse({file: original[file] for file in users
                              if file not in exceptions})
        for file in _lenders(original) & set(reversed_):
            exceptions[file] = ("it hands .base to a helper of its own "
                                "that starts either iterator")
            del reversed_[file]
        for file, data in {**original, **reversed_}.items():
            _write(there, file, data)
        made = plan.make_plan(trees.open_tree(folder), smalltree.settings(
            jobs))
        left = {entry.site.file: entry.reason for entry in made.ledger.entries
                if entry.verdict in ("manual", "unread")}
        forth = {file: made.after.get(file, data)
                 for file, data in reversed_.items()}
    back, differ = [], {}
    for file, data in sorted(forth.items()):
        if data == original[file]:
            back.append(file)
        elif file in left:
            differ[file] = os.fsencode(left[file]) + b"\n"
        else:
            differ[file] = diffs.unified({file: original[file]}, {file: data})
    return Trip(tuple(back), exceptions, differ)


def _lenders(files: dict[str, bytes]) -> set[str]:
    """Return the files that hand an iterator's .base to a helper."""
    units = iterators.bind({file: Text(data) for file, data in files.items()})
    return {use.file for unit in units for use in unit.uses
            if use.base and use.name not in api.now().takes}


def _reverse(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files as they would be with the old API."""
    rule, = rules.load([smalltree.CASES / "reverse/reverse.cocci"])
    # Members need their headers, and those stand in the same folder.
    folders: dict[str, list[str]] = {}
    for file in sorted(files, key=lambda file: (not file.endswith(".h"), file)):
        folders.setdefault(os.path.dirname(file), []).append(file)
    changed: dict[str, bytes] = {}
    for result in spatch.run(
            files, [jobs.Job(rule, "patch", tuple(group))
                    for group in folders.values()],
            procs=2, timeout=300, memory=2048):
        if result.outcome not in (jobs.Outcome.HIT, jobs.Outcome.QUIET):
            raise jobs.SpatchError(f"reverse.cocci: {result.detail}")
        changed.update(result.changed)
    there = {}
    for file, data in files.items():
        text = Text(data)
        there[file] = render(text, from_diff(
            text, changed.get(file, b"")))
    return there


def _write(root: Path, file: str, data: bytes) -> None:
    place = root / file
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)


def main(words: list[str]) -> int:
    trip = travel(Path(words[0]), len(os.sched_getaffinity(0)))
    for file in trip.back:
        print(f"back to the byte: {file}")
    for file, why in sorted(trip.exceptions.items()):
        print(f"no way back: {file}: {why}")
    for file, diff in sorted(trip.differ.items()):
        print(f"differs: {file}")
        sys.stdout.buffer.write(diff)
    print(f"{len(trip.back)} passed, {len(trip.differ)} failed")
    return 1 if trip.differ else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
