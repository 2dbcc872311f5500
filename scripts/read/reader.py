# SPDX-License-Identifier: GPL-2.0-only
"""Keep one process of the reader, and get from it what texts are made of.

A text can be what a file becomes, so it goes through a pipe and not by name.
One process reads all texts of a run, one after the other: a start of its own
would cost a text more than its reading. The process ends with this one.

Data:   bytes -> Answer: numbers and strings in the order that
        scripts/reader/serve.c lists.
Units:  offsets in bytes.
Errors: CensusError, when the program is missing, fails or ends too early.
"""

from __future__ import annotations

import atexit
import os
import struct
import subprocess
import threading
from array import array
from pathlib import Path
from typing import Iterator, Optional

from read import census
from read.campaign import Campaign
from read.census import CensusError

_COUNTS = struct.Struct("=QQ")
# What the build leaves behind; use() names another.
_program = Path(__file__).resolve().parents[2] / "out/bin/reader"
_campaign: Optional[Campaign] = None
_process: Optional["subprocess.Popen[bytes]"] = None
_owner = 0                       # the process that started it
_lock = threading.Lock()


class Answer:
    """What the reader printed about one text, read from front to back."""

    def __init__(self, words: array[int], strings: bytes) -> None:
        self._words = words
        self._strings = strings
        self._at = 0

    def number(self) -> int:
        self._at += 1
        return self._words[self._at - 1]

    def string(self) -> bytes:
        start = self.number()
        return self._strings[start:start + self.number()]

    def columns(self, count: int) -> list[array[int]]:
        """Return the columns of a list."""
        rows = self.number()
        start, self._at = self._at, self._at + rows * count
        return [self._words[start + rows * column:start + rows * (column + 1)]
                for column in range(count)]

    def rows(self, width: int) -> Iterator[tuple[int, ...]]:
        """Yield the rows of a list."""
        rows = self.number()
        start, self._at = self._at, self._at + rows * width
        for at in range(start, start + rows * width, width):
            yield tuple(self._words[at:at + width])

    def bytes_at(self, start: int, length: int) -> bytes:
        return self._strings[start:start + length]


def use(program: Path, campaign: Optional[Campaign] = None) -> bool:
    """Let this program answer from now on; tell whether it is another."""
    global _program, _campaign
    if (program, campaign) == (_program, _campaign):
        return False
    with _lock:
        _stop()
        _program, _campaign = program, campaign
    return True


def command() -> list[str]:
    """Return the program with the names of the campaign."""
    return [os.fspath(_program),
            *census.options(_campaign or census.default())]


def ask(what: str, data: bytes) -> Answer:
    """Return what the reader prints about a text.

    what: "text", or "lines" for its preprocessor lines alone.
    """
    with _lock:
        process = _started()
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(b"%s %d\n" % (what.encode(), len(data)))
            process.stdin.write(data)
            process.stdin.flush()
            head = process.stdout.read(_COUNTS.size)
            if len(head) == _COUNTS.size:
                words, strings = _COUNTS.unpack(head)
                body = process.stdout.read(4 * words + strings)
                if len(body) == 4 * words + strings:
                    numbers = array("I")
                    numbers.frombytes(body[:4 * words])
                    return Answer(numbers, body[4 * words:])
        except OSError:
            pass                     # it has ended: _failed() returns why
        raise _failed()


def _started() -> "subprocess.Popen[bytes]":
    global _process, _owner
    if _process is not None and _owner == os.getpid() and \
            _process.poll() is None:
        return _process
    if _owner == os.getpid():
        _stop()
    words = [*command(), "--texts"]
    try:
        _process = subprocess.Popen(words, stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE)
    except OSError as error:
        raise CensusError(
            f"{words[0]}: {error.strerror}: make builds it; start this by "
            "make") from error
    _owner = os.getpid()
    return _process


def _failed() -> CensusError:
    """Return why the process has ended, and forget it."""
    global _process
    process, _process = _process, None
    assert process is not None
    process.kill()
    try:
        _, errors = process.communicate()
    except OSError:
        errors = b""
    said = os.fsdecode(errors).strip().splitlines()
    return CensusError(said[-1] if said else
                       f"reader: ended with {process.returncode}")


@atexit.register
def _stop() -> None:
    """End the process, if this one started it."""
    global _process
    process, _process = _process, None
    if process is None or _owner != os.getpid():
        return
    for pipe in (process.stdin, process.stdout, process.stderr):
        assert pipe is not None
        try:
            pipe.close()
        except OSError:
            pass                     # it has ended, and did not read all
    process.wait()
