# SPDX-License-Identifier: GPL-2.0-only
"""Print on a terminal how far a run is, once it has taken two seconds.

Nothing is printed where stderr is a file or a pipe: a log of CI stays as it
is. The bar counts jobs that have ended, so it never runs ahead of the work.

Data:   (jobs done, jobs in all) -> one line of a terminal, which the next one
        replaces and clear() removes.
Units:  seconds; the rate is jobs a second since the first call.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import Callable, Optional, TextIO

Progress = Callable[[int, int], None]
_AFTER_S = 2.0
_BETWEEN_S = 0.2
_WIDTH = 24


class Bar:
    """A Progress that draws a bar; one for each run of the command line."""

    def __init__(self, stream: Optional[TextIO] = None,
                 clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream or sys.stderr
        self._clock = clock
        self._shows = self._stream.isatty() and \
            os.environ.get("TERM") != "dumb"
        self._start = clock()
        self._last = 0.0
        self._first = -1         # jobs that were done at the first call
        self._drawn = False

    def __call__(self, done: int, of: int) -> None:
        now = self._clock()
        if self._first < 0 or done < self._first:
            self._first, self._start = done, now
        if done >= of:
            self.clear()
            self._first = -1
        elif self._shows and now - self._start >= _AFTER_S and \
                now - self._last >= _BETWEEN_S:
            self._last, self._drawn = now, True
            columns = shutil.get_terminal_size().columns
            self._stream.write("\r" + line(
                done, of, done - self._first, now - self._start)
                [:max(columns - 1, 1)] + "\033[K")
            self._stream.flush()

    def clear(self) -> None:
        """Remove the bar, so that what is printed next has a line of its own."""
        if self._drawn:
            self._stream.write("\r\033[K")
            self._stream.flush()
            self._drawn = False


def line(done: int, of: int, fresh: int, seconds: float) -> str:
    """Return the bar of a run, fresh jobs of which took these seconds."""
    full = _WIDTH * done // of
    rate = fresh / seconds if seconds > 0 else 0.0
    left = "" if not fresh else \
        f"  {rate:.0f}/s  {_clock_time((of - done) / rate)} left"
    return (f"spatch [{'#' * full}{'.' * (_WIDTH - full)}] "
            f"{100 * done // of:3} %  {done} of {of} jobs{left}")


def _clock_time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else \
        f"{minutes}:{rest:02}"
