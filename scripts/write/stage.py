# SPDX-License-Identifier: GPL-2.0-only
"""The stage: a folder beside the tree with the old and the new files.

All new files are written and synced here before the first one goes in place.
A list in it names each file with the sums of old and new content, so that a
run which was killed can be undone by the next one.

Data:   Moves -> a folder; its list -> Moves.
Errors: ApplyError, which names the file; the tree is as it was.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from read.tree import Tree, TreeError, cause, folder, read_at

_MAGIC = b"sgwalk 1\n"
JOURNAL, UNDO, DONE = "journal", "undo", "done"
STATES = (DONE, UNDO, JOURNAL)
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# Where no stage can be made, but another place may do.
_NO_PLACE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG}
# Where a second name is refused, but a copy is as good: the file system has
# no hard links, or the kernel's fs.protected_hardlinks forbids this one.
NO_LINK = {errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS}
# All that a stage of ours holds.
_STAGED = re.compile(r"((new|was|bad|old)\.\d+|journal(\.new)?|undo|done)\Z")


class ApplyError(Exception):
    """The change is not in place; the message says why, and where."""


@dataclass(frozen=True)
class Move:
    """One file of the change, and its number in the stage."""

    number: int
    rel: str
    old: bytes               # SHA-256, hexadecimal
    new: bytes

    @property
    def fresh(self) -> str:
        return f"new.{self.number}"

    @property
    def kept(self) -> str:
        return f"old.{self.number}"

    @property
    def was(self) -> str:
        return f"was.{self.number}"

    @property
    def bad(self) -> str:
        return f"bad.{self.number}"


@dataclass(frozen=True)
class Stage:
    path: str                # for sentences, and to make it
    parent: str              # the folder that holds it
    fd: int                  # the stage itself, held open

    def has(self, name: str) -> bool:
        return name in os.listdir(self.fd)

    def sum(self, name: str) -> bytes | None:
        return sum_at(self.fd, name)

    def move(self, old: str, new: str) -> None:
        os.rename(old, new, src_dir_fd=self.fd, dst_dir_fd=self.fd)
        os.fsync(self.fd)


def refuse_edited(move: Move, found: bytes) -> None:
    if found != move.old:
        raise edited(move)


def edited(move: Move) -> ApplyError:
    return ApplyError(f"{move.rel}: changed since it was read; run again")


def places(tree: Path) -> list[tuple[str, str]]:
    """Return where a stage may lie and the folder around, best first."""
    root, above = str(tree), str(tree.parent)
    inside = (os.path.join(root, ".sgwalk"), root)
    if root == above:
        return [inside]
    return [(os.path.join(above, f".{tree.name}.sgwalk"), above), inside]


def make_stage(tree: Tree, held: contextlib.ExitStack) -> Stage:
    device = os.stat(tree.root).st_dev
    why = ""
    for path, parent in places(tree.root):
        if os.stat(parent).st_dev != device:
            continue
        try:
            os.mkdir(path, 0o700)
        except OSError as error:
            why = f"{path}: {cause(error)}"
            if error.errno in _NO_PLACE:
                continue
            break
        try:
            fd = os.open(path, FOLDER)
            held.callback(os.close, fd)
            sync(parent)
        except OSError as error:
            os.rmdir(path)
            raise ApplyError(f"{path}: {cause(error)}; nothing was "
                             "changed") from error
        return Stage(path, parent, fd)
    raise ApplyError(f"{why}; nothing was changed")


def open_stage(tree: Tree, path: str, parent: str,
               held: contextlib.ExitStack) -> Stage | None:
    """Return the stage that lies at path, unless somebody else made it."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    ours = {os.geteuid(), os.stat(tree.root).st_uid}
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in ours \
            or stat.S_IMODE(found.st_mode) & 0o077:
        raise ApplyError(f"{path}: in the way, and not of this user's making")
    fd = os.open(path, FOLDER)
    held.callback(os.close, fd)
    for name in os.listdir(fd):
        if not _STAGED.match(name):
            raise ApplyError(f"{path}: in the way, and not of sgwalk's making: "
                             f"it holds {name!r}")
    return Stage(path, parent, fd)


def lay_out(tree: Tree, stage: Stage, moves: Sequence[Move],
            after: Mapping[str, bytes]) -> None:
    """Fill the stage, and name its journal when all of it is on disk."""
    for move in moves:
        with folder(tree, move.rel) as (parent, name):
            if os.fstat(parent).st_dev != os.fstat(stage.fd).st_dev:
                raise ApplyError(f"{move.rel}: not on the file system of the "
                                 "tree; nothing was changed")
            keep_old(stage, move, parent, name)
            refuse_edited(move, digest(read_at(stage.fd, move.kept, move.rel)))
            write_file(stage, move.fresh, after[move.rel])
            _copy_facts(stage, move.kept, move.fresh)
    write_file(stage, "journal.new", _pack(moves))
    stage.move("journal.new", JOURNAL)


def keep_old(stage: Stage, move: Move, parent: int, name: str) -> None:
    """Give the old file a name in the stage, or a copy where that fails."""
    try:
        os.link(name, move.kept, src_dir_fd=parent, dst_dir_fd=stage.fd,
                follow_symlinks=False)
    except OSError as error:
        if error.errno not in NO_LINK:
            raise
        write_file(stage, move.kept, read_at(parent, name, move.rel))
        _copy_facts(stage, name, move.kept, parent)
        old = os.stat(name, dir_fd=parent, follow_symlinks=False)
        os.utime(move.kept, ns=(old.st_atime_ns, old.st_mtime_ns),
                 dir_fd=stage.fd, follow_symlinks=False)


def write_file(stage: Stage, name: str, content: bytes) -> None:
    fd = os.open(name, _CREATE, 0o600, dir_fd=stage.fd)
    with open(fd, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(fd)


def _copy_facts(stage: Stage, old: str, new: str,
                parent: int | None = None) -> None:
    """Give stage's file new the owner, mode and attributes of old."""
    with contextlib.ExitStack() as held:
        fds = []
        for name, where in ((old, stage.fd if parent is None else parent),
                            (new, stage.fd)):
            fds.append(os.open(name, os.O_RDONLY | os.O_NOFOLLOW
                               | os.O_CLOEXEC, dir_fd=where))
            held.callback(os.close, fds[-1])
        source, target = fds
        facts, fresh = os.fstat(source), os.fstat(target)
        if (facts.st_uid, facts.st_gid) != (fresh.st_uid, fresh.st_gid):
            os.fchown(target, facts.st_uid, facts.st_gid)
        os.fchmod(target, stat.S_IMODE(facts.st_mode))
        for name in os.listxattr(source):
            # The security module labels a new file itself, as it sees fit.
            if not name.startswith("security."):
                os.setxattr(target, name, os.getxattr(source, name))
        os.fsync(target)


def _pack(moves: Sequence[Move]) -> bytes:
    return _MAGIC + b"".join(
        field + b"\0" for move in moves
        for field in (move.old, move.new, os.fsencode(move.rel)))


def unpack(stage: Stage, name: str) -> list[Move]:
    text = read_at(stage.fd, name, f"{stage.path}/{name}")
    fields = text[len(_MAGIC):].split(b"\0")
    if not text.startswith(_MAGIC) or len(fields) % 3 != 1 or fields[-1]:
        raise ApplyError(f"{stage.path}/{name}: not a journal of this version")
    return [Move(at // 3, os.fsdecode(fields[at + 2]), fields[at],
                 fields[at + 1]) for at in range(0, len(fields) - 1, 3)]


def remove_stage(stage: Stage) -> None:
    """Remove the stage; killed meanwhile, what is left of it is of no use."""
    try:
        # The state goes last: it says what the other files are.
        for name in sorted(os.listdir(stage.fd),
                           key=lambda name: (name in STATES, name)):
            os.unlink(name, dir_fd=stage.fd)
        os.rmdir(stage.path)
        sync(stage.parent)
    except OSError as error:
        raise ApplyError(f"{stage.path}: cannot be removed: "
                         f"{cause(error)}") from error


def sum_at(parent: int, name: str) -> bytes | None:
    """Return the sum of a file, None without one, b"" for what is no file."""
    if not there(parent, name):
        return None
    try:
        return digest(read_at(parent, name, name))
    except TreeError as error:
        if isinstance(error.__cause__, OSError):
            raise
        return b""


def there(parent: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def sync_folders(tree: Tree, moves: Sequence[Move]) -> None:
    for rel in {os.path.dirname(move.rel): move.rel for move in moves}.values():
        with folder(tree, rel) as (parent, _):
            os.fsync(parent)


def sync(path: str) -> None:
    fd = os.open(path, FOLDER)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def words_of(error: OSError | TreeError) -> str:
    return cause(error) if isinstance(error, OSError) else str(error)


def digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
