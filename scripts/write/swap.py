# SPDX-License-Identifier: GPL-2.0-only
"""Let two files change places in one step, and look at what came out.

An editor may save by rename between the last look and ours. So the new file
and the old one are exchanged (RENAME_EXCHANGE), or the old one is moved out
where a file system cannot exchange; what came out is compared with what was
judged, and is put back where it is another.

Source: renameat2(2).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os

from write.stage import NO_LINK, Stage, there

# Where a file system, the C library or a container has no renameat2().
_NO_FLAG = {errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM}
_NOREPLACE, _EXCHANGE = 1, 2
# Saves of one file that a run can meet, in microseconds, and is in earnest.
_SAVES = 1000


def swap(stage: Stage, put: str, parent: int, name: str, out: str,
         wanted: bytes) -> bool:
    """Put a file of the stage where name is, and what was there in its place,
    as `out`. Put that back, and return False, when it is not what was wanted.
    """
    ours = stage.sum(put)
    if exchange(stage.fd, put, parent, name):
        found = stage.sum(put)
        if found == wanted:
            os.rename(put, out, src_dir_fd=stage.fd, dst_dir_fd=stage.fd)
            return True
        # What was put there must come out again. If it does not, the file was
        # saved once more meanwhile, and the last one is the one to stay.
        for _ in range(_SAVES):
            there, ours = ours, found
            exchange(stage.fd, put, parent, name)
            found = stage.sum(put)
            if found == there:
                break
        return False
    os.rename(name, out, src_dir_fd=parent, dst_dir_fd=stage.fd)
    good = False
    try:
        if stage.sum(out) == wanted:
            put_in(stage, put, parent, name)
            good = True
    finally:
        if not good:
            # Where there is one of that name again, it is newer than ours.
            with contextlib.suppress(FileExistsError):
                put_in(stage, out, parent, name)
    return good


def put_in(stage: Stage, put: str, parent: int, name: str) -> None:
    """Move a file of the stage to a name that is free, or raise."""
    if move_to_free(stage.fd, put, parent, name):
        return
    try:
        os.link(put, name, src_dir_fd=stage.fd, dst_dir_fd=parent,
                follow_symlinks=False)
    except OSError as error:
        if error.errno not in NO_LINK:
            raise
        # No way to ask and move at once is left on such a file system.
        if there(parent, name):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST),
                                  name) from error
        os.rename(put, name, src_dir_fd=stage.fd, dst_dir_fd=parent)
        return
    os.unlink(put, dir_fd=stage.fd)


def exchange(old_fd: int, old: str, new_fd: int, new: str) -> bool:
    """Make two names change places; return False where that cannot be."""
    return _renameat2(old_fd, old, new_fd, new, _EXCHANGE)


def move_to_free(old_fd: int, old: str, new_fd: int, new: str) -> bool:
    """Rename, unless the new name is taken; False where that cannot be."""
    return _renameat2(old_fd, old, new_fd, new, _NOREPLACE)


def _renameat2(old_fd: int, old: str, new_fd: int, new: str,
               flag: int) -> bool:
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    if call(old_fd, os.fsencode(old), new_fd, os.fsencode(new),
            ctypes.c_uint(flag)) == 0:
        return True
    number = ctypes.get_errno()
    if number in _NO_FLAG:
        return False
    raise OSError(number, os.strerror(number), new)
