# SPDX-License-Identifier: GPL-2.0-only
"""Make folders that go away with the run, however the run ends.

A folder belongs to a shell that waits for its standard input to end. That is
when the run closes it, or when the run is gone, SIGKILL included. So nothing of
a killed run stays behind, and no later run has to guess whose a folder is.

Data:   where, and how the name begins -> a folder, for as long as it is held.
Errors: ScratchError, with what mktemp says.
Source: mktemp(1) of coreutils.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

# What still runs in the folder dies with its own parent, hence the second try.
_KEEPER = """
folder=$(mktemp -d -- "$1/$2XXXXXXXX") || exit
printf %s "$folder"
exec >&-
read -r end
for try in 1 2 3 4 5; do
	rm -rf -- "$folder" && break
	sleep 1
done
"""


class ScratchError(Exception):
    """There is no temporary folder; the message says why."""


@contextlib.contextmanager
def folder(prefix: str = "sgwalk.", place: Path | None = None
           ) -> Iterator[Path]:
    """Hold a new folder below a place, TMPDIR or /tmp when none is named."""
    where = os.fspath(place) if place else os.environ.get("TMPDIR") or "/tmp"
    with subprocess.Popen(["/bin/sh", "-c", _KEEPER, "sh", where, prefix],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE,
                          start_new_session=True) as keeper:
        assert keeper.stdin and keeper.stdout and keeper.stderr
        made = os.fsdecode(keeper.stdout.read())
        if not made:
            why = keeper.stderr.read().decode(errors="replace").strip()
            raise ScratchError(f"no temporary folder: {why}")
        try:
            yield Path(made)
        finally:
            keeper.stdin.close()
