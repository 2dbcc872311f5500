# SPDX-License-Identifier: GPL-2.0-only
"""Remember what spatch said, by the content of all it was told.

An entry's name is the hash of everything that can change its value; the same
question has the same name, and there is nothing to invalidate. An entry is
written whole under a name of its own and then renamed, so two runs at once, or
one that is killed, leave whole entries only. A reader checks the hash that an
entry starts with; what does not fit is not there.

Only what ended well is given to put(): a timeout today may be a finding
tomorrow.

Data:   key (bytes that were hashed) -> value (bytes).
Units:  size cap in bytes; the entries not used for the longest go first.
Errors: none: a cache that cannot be written is a slower run. A folder that
        cannot be made turns the cache off.
Source: content addressing as in ccache; size cap as in its cleanup.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

CAP = 256 << 20
# A prune leaves room, so that not every run has to prune.
_LOW = 0.8


class Cache:
    """A folder of entries. Two objects on one folder do not disturb."""

    def __init__(self, folder: Path | None, cap: int = CAP) -> None:
        self.folder = folder
        self.cap = cap
        self._wrote = False
        if folder is not None:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError:
                self.folder = None

    def get(self, key: str) -> bytes | None:
        path = self._path(key)
        data = b""
        try:
            if path:
                with open(path, "rb") as file:
                    data = file.read()
        except OSError:
            pass
        digest, value = data[:32], data[32:]
        if not path or len(data) < 32 \
                or hashlib.sha256(value).digest() != digest:
            return None
        return value

    def put(self, key: str, value: bytes) -> None:
        path = self._path(key)
        if not path:
            return
        temporary = ""
        try:
            parent = os.path.dirname(path)
            os.makedirs(parent, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix="new.", dir=parent)
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(value).digest() + value)
            os.replace(temporary, path)
            self._wrote = True
        except OSError:
            if temporary:
                _remove(Path(temporary))

    def used(self, keys: list[str]) -> None:
        """Mark entries as used now, for the order in which they go."""
        for key in keys:
            path = self._path(key)
            try:
                if path:
                    os.utime(path)
            except OSError:
                pass

    def prune(self) -> None:
        """Bring the folder below its cap, when this run has written to it."""
        if self.folder is None or not self._wrote:
            return
        entries = []
        for path in self.folder.glob("??/*"):
            try:
                facts = path.stat()
            except OSError:
                continue
            entries.append((facts.st_mtime_ns, facts.st_size, path))
        total = sum(size for _, size, _ in entries)
        if total <= self.cap:
            return
        for _, size, path in sorted(entries):
            if total <= self.cap * _LOW:
                break
            _remove(path)
            total -= size

    def _path(self, key: str) -> str:
        """Return an entry's file, "" without a folder.

        A warm run asks for thousands, and a Path costs more than the read.
        """
        if self.folder is None:
            return ""
        return f"{self.folder}{os.sep}{key[:2]}{os.sep}{key[2:]}"


def key(*parts: bytes) -> str:
    """Return the name of an entry; the borders of the parts count."""
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8, "big"))
        found.update(part)
    return found.hexdigest()


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError:
        pass
