# SPDX-License-Identifier: GPL-2.0-only
"""Find the lines that spatch could not parse.

Data:   what spatch printed for --parse-c or with a rule -> {file: ranges}.
Units:  lines of the original, from 1, inclusive.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from run.jobs import Batch, Ended, Outcome, Ranges, Result, Work

HANDLING = (b"HANDLING: ", b"Skipping: ")
PARSING = (b"PARSING: ",)
EXCEPTION = b"EXN: "
TIMEOUT = b"Common.Timeout"
_FILES = re.compile(rb"^NB total files = (\d+); perfect = (\d+); "
                    rb"pbs = (\d+); timeout = (\d+);", re.MULTILINE)
_LINES = re.compile(rb"^nb good = -?\d+,  nb bad = (-?\d+)", re.MULTILINE)
_AT = re.compile(rb' = ?File "([^"]*)", line (\d+), column')
_BAD = re.compile(rb"badcount: (\d{1,9})\s*")


def split_sections(
        stderr: bytes,
        heads: tuple[bytes, ...]) -> Iterator[tuple[bytes, list[bytes]]]:
    """Yield (rest of a head line, lines below it)."""
    name, lines = b"", list[bytes]()
    for line in stderr.split(b"\n"):
        if line.startswith(heads):
            if name:
                yield name, lines
            name, lines = line.partition(b": ")[2].strip(), []
        else:
            lines.append(line)
    if name:
        yield name, lines


def lose_jobs(work: Work, batch: Batch, ended: Ended,
              why: str) -> dict[int, Result]:
    return {number: Result(work.jobs[number], Outcome.FAILED, detail=why,
                           seconds=ended.seconds / len(batch.jobs))
            for number in batch.jobs}


def parse_census(work: Work, batch: Batch, ended: Ended) -> dict[int, Result]:
    """Read a parse census, and check it against spatch's own sums."""
    asked = [work.short[name] for number in batch.jobs
             for name in work.jobs[number].files]
    sections = list(split_sections(ended.stderr, PARSING))
    files, lines = _FILES.search(ended.stdout), _LINES.search(ended.stdout)
    if (files is None or lines is None or int(files[1]) != len(asked)
            or [name.decode(errors="replace") for name, _ in sections]
            != asked):
        return lose_jobs(work, batch, ended, "spatch did not name its files")
    bad: dict[str, Ranges] = {}
    total = 0
    for name, said in zip(asked, (said for _, said in sections)):
        ranges, count = find_unread(work, [name], said)
        bad[work.long[name]] = ranges.get(work.long[name], ())
        total += count
    if int(files[4]) or total != int(lines[1]):
        return lose_jobs(work, batch, ended,
                         f"spatch counts {lines[1].decode()} unread lines and "
                         f"{files[4].decode()} timeouts, and names {total} "
                         "lines")
    return {number: Result(
        job, Outcome.QUIET, {}, {name: bad[name] for name in job.files},
        "", ended.seconds / len(batch.jobs))
        for number, job in ((number, work.jobs[number])
                            for number in batch.jobs)}


def find_unread(work: Work, names: Sequence[str],
                said: Iterable[bytes]) -> tuple[dict[str, Ranges], int]:
    """Return the unread lines that messages on files name, and their sum."""
    found: dict[str, set[tuple[int, int]]] = {}
    file, line, total = "", 0, 0
    block: list[bytes] | None = None

    def close() -> None:
        if block is not None and file in work.long:
            found.setdefault(work.long[file], set()).update(
                _located(work.lines[file], line, block))

    for text in said:
        if block is not None and text.startswith((b"bad: ", b"BAD:!!!!! ")):
            block.append(text)
            continue
        close()
        block = None
        if match := _AT.match(text):
            # A rule's own output is parsed again, under a temporary name.
            file, line = match[1].decode(errors="replace"), int(match[2])
        elif text.startswith(b"badcount: ") and file:
            # Without a number the block has no lines: the whole file.
            match = _BAD.fullmatch(text)
            total += int(match[1]) if match else 0
            block = []
        elif text.startswith(b"LEXER:") and b"end of file in" in text:
            for name in names:
                found.setdefault(work.long[name], set()).update(
                    _located(work.lines[name], 0, []))
    close()
    return {name: tuple(sorted(ranges)) for name, ranges in found.items()}, \
        total


def _located(lines: list[bytes], line: int,
             block: list[bytes]) -> set[tuple[int, int]]:
    """Return where a block of unread lines stands in its file.

    The line of the error is known, and which line of the block it is. When
    the error is at the end of the file, the block is found by its text, at
    every place that has it. A block that fits nowhere is the whole file.
    """
    whole = {(1, max(1, len(lines) - (lines[-1] == b"")))}
    texts = [text.partition(b" ")[2] for text in block]
    here = [at for at, text in enumerate(block) if text.startswith(b"BAD")]
    if not block:
        return whole
    starts = [line - 1 - here[0]] if here else range(len(lines))
    found = set()
    for start in starts:
        if start >= 0 and lines[start:start + len(texts)] == texts:
            first = start
            # The line that ends the item before, where the block begins.
            while first < start + len(texts) - 1 and \
                    lines[first].strip() in (b"", b"}", b"};"):
                first += 1
            found.add((first + 1, start + len(texts)))
    return found or whole
