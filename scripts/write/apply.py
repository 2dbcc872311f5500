# SPDX-License-Identifier: GPL-2.0-only
"""Put a set of changed files in place, all of them or none.

The new bytes, and a second name for each old file, are first laid out in a
folder of their own, the stage. It lies beside the tree, or inside it where
that cannot be, and always on the tree's file system, so that a file comes
into place by a rename. The name of one file in the stage says how far a run
is, and each step from one name to the next is itself a rename:

    none     nothing is placed yet, and the stage is of no use
    journal  all is laid out, and some of it may be placed
    undo     a step failed, or the run was killed: what was placed goes back
    done     the tree is as it has to be, and the stage can go

A file changes place with its new one in one step (RENAME_EXCHANGE), or is
moved out first where the file system cannot do that. Either way what came out
is looked at. An editor may have saved the file since it was last read; then it
is put back, and the whole change is undone. For file 7 of a change:

    new.7    the new file; once it is placed, what came out, until that is
    was.7    what came out; so was.7 means that file 7 is placed
    bad.7    the new file, when the old one was put back
    old.7    a second name of the old file, or a copy

recover() puts the tree back as it was before a run that was killed, and that
run is then done again from its start. A tree that somebody edited since, and
the stage, are left as they are.

Data:   (before, after), name -> bytes, -> files of the tree; stage/journal:
        a line `sgwalk 1`, then old sum, new sum and name, each ended by NUL.
Units:  names as tree.py has them.
Errors: ApplyError, one sentence; the tree is then as it was, unless the
        sentence says what else.
Source: rename(2), link(2), fsync(2): a rename is seen whole or not at all,
        and is on disk when the folder that holds the name was synced.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from read.tree import Tree, TreeError, cause, folder, read_at

_MAGIC = b"sgwalk 1\n"
_JOURNAL, _UNDO, _DONE = "journal", "undo", "done"
_STATES = (_DONE, _UNDO, _JOURNAL)
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# Where no stage can be made, but another place may do.
_NO_PLACE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG}
# Where a second name is refused, but a copy is as good: the file system has
# no hard links, or the kernel's fs.protected_hardlinks forbids this one.
_NO_LINK = {errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS}
# Where a file system, the C library or a container has no renameat2().
_NO_FLAG = {errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM}
_NOREPLACE, _EXCHANGE = 1, 2
# Saves of one file that a run can meet, in microseconds, and is in earnest.
_SAVES = 1000
# All that a stage of ours holds.
_STAGED = re.compile(r"((new|was|bad|old)\.\d+|journal(\.new)?|undo|done)\Z")
_ANY_WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


class ApplyError(Exception):
    """The change is not in place; the message says why, and where."""


@dataclass(frozen=True)
class _Move:
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
class _Stage:
    path: str                # for sentences, and to make it
    parent: str              # the folder that holds it
    fd: int                  # the stage itself, held open

    def has(self, name: str) -> bool:
        return name in os.listdir(self.fd)

    def sum(self, name: str) -> bytes | None:
        return _sum_at(self.fd, name)

    def move(self, old: str, new: str) -> None:
        os.rename(old, new, src_dir_fd=self.fd, dst_dir_fd=self.fd)
        os.fsync(self.fd)


@contextlib.contextmanager
def hold(tree: Tree) -> Iterator[None]:
    """Keep every other run from this tree; refuse one that nobody may write.

    The lock is on the tree's root folder. It leaves no file, and the kernel
    lets go of it when the process ends, however it ends.
    """
    fd = os.open(tree.root, _FOLDER)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ApplyError(f"{tree.root}: another run is at work on this "
                             "tree; wait for its end") from error
        except OSError as error:
            raise ApplyError(f"{tree.root}: cannot be locked: "
                             f"{cause(error)}") from error
        _refuse_unwritable(fd, ".", str(tree.root))
        yield
    finally:
        os.close(fd)


@contextlib.contextmanager
def still(tree: Tree) -> Iterator[None]:
    """Keep every run that changes this tree from it, for those that read it.

    Refuses a tree that a killed run has left half way. Where the file system
    has no locks, only that is looked at.
    """
    fd = os.open(tree.root, _FOLDER)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ApplyError(f"{tree.root}: another run is changing this tree; "
                             "wait for its end") from error
        except OSError:
            pass
        if half := unfinished(tree):
            raise ApplyError(half)
        yield
    finally:
        os.close(fd)


def unfinished(tree: Tree) -> str | None:
    """Say that a run was killed half way, or is at work, else None.

    For those that only read: such a tree may be neither old nor new. A tree
    that lies in another one may be half of a change to that.
    """
    for root in (tree.root, *tree.root.parents):
        for path, _ in _places(root):
            try:
                names = set(os.listdir(path))
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError:
                names = {_JOURNAL}       # of another user, so nobody knows
            if names & {_JOURNAL, _UNDO} and _DONE not in names:
                return (f"{root}: a change is placed in part: a run is at "
                        f"work, or was killed and left {path}; make apply "
                        "finishes it")
    return None


def placed(tree: Tree) -> dict[str, bytes]:
    """Return the files, and their sums, that a run has placed which was
    killed when only its stage was left to remove; before recover()."""
    found: dict[str, bytes] = {}
    for path, parent in _places(tree.root):
        with contextlib.ExitStack() as held:
            stage = _open_stage(tree, path, parent, held)
            if stage and stage.has(_DONE):
                found.update((move.rel, move.new)
                             for move in _unpack(stage, _DONE))
    return found


def as_placed(tree: Tree, files: Mapping[str, bytes]) -> set[str]:
    """Return which of the files still have the bytes of these sums."""
    found = set()
    for rel, wanted in files.items():
        with contextlib.suppress(TreeError), folder(tree, rel) as (at, name):
            if _sum_at(at, name) == wanted:
                found.add(rel)
    return found


def recover(tree: Tree) -> str | None:
    """Undo what a killed run has placed, and say so; hold() first.

    The run that calls it does the job again, from the start.
    """
    told = None
    for path, parent in _places(tree.root):
        with contextlib.ExitStack() as held:
            stage = _open_stage(tree, path, parent, held)
            if stage is None:
                continue
            try:
                told = _recover(tree, stage)
            except (OSError, TreeError) as error:
                raise ApplyError(f"{path}: {_words(error)}; the change may "
                                 "be placed in part") from error
    return told


def _nothing() -> None:
    """Keep no account."""


def place(tree: Tree, before: Mapping[str, bytes], after: Mapping[str, bytes],
          record: Callable[[], None] = _nothing,
          withdraw: Callable[[], None] = _nothing) -> str | None:
    """Turn before's bytes into after's, in every file or in none.

    hold() and recover() come first. Mode, owner and extended attributes are
    kept; a hard link to the file elsewhere keeps the old bytes. record()
    writes the account of the change, when all of it is in place; where it
    fails the change is undone. withdraw() is called when it was undone. What
    is returned is a sentence about a stage that could not be removed.
    """
    if odd := sorted(before.keys() ^ after.keys()):
        raise ApplyError(f"{odd[0]}: is not both before and after the change")
    changes = sorted(rel for rel in after if after[rel] != before[rel])
    if not changes:
        record()
        return None
    moves = [_Move(number, rel, _sum(before[rel]), _sum(after[rel]))
             for number, rel in enumerate(changes)]
    for move in moves:
        _check(tree, move)
    with contextlib.ExitStack() as held:
        stage = _make_stage(tree, held)
        try:
            _lay_out(tree, stage, moves, after)
        except (OSError, TreeError) as error:
            _remove(stage)
            raise _unchanged(stage, error) from error
        except BaseException:
            _remove(stage)
            raise
        _finish(tree, stage, moves, record, withdraw)
        try:
            _remove(stage)
        except ApplyError as error:
            return str(error)
    return None


def _check(tree: Tree, move: _Move) -> None:
    """Raise where the file is not as it was, or may not be written."""
    try:
        with folder(tree, move.rel) as (parent, name):
            _refuse_edited(move, _sum(read_at(parent, name, move.rel)))
            if not (tree.git and _mine(parent, name)):
                _refuse_unwritable(parent, name, move.rel)
            if not (tree.git and _mine(parent, ".") and os.access(
                    ".", os.W_OK, dir_fd=parent, effective_ids=True)):
                _refuse_unwritable(parent, ".", f"{move.rel}: its folder")
    except TreeError as error:
        raise ApplyError(str(error)) from error


def _refuse_edited(move: _Move, found: bytes) -> None:
    if found != move.old:
        raise _edited(move)


def _edited(move: _Move) -> ApplyError:
    return ApplyError(f"{move.rel}: changed since it was read; run again")


def _mine(parent: int, name: str) -> bool:
    """Tell whether the file or folder is the user's own.

    git keeps no write bit and replaces such a file when it checks one out. So in
    a git tree a missing bit says nothing of what the owner wants.
    """
    return os.stat(name, dir_fd=parent,
                   follow_symlinks=False).st_uid == os.geteuid()


def _refuse_unwritable(parent: int, name: str, what: str) -> None:
    """Refuse what has no write bit for root too: someone took it away."""
    mode = os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode
    if not mode & _ANY_WRITE or not os.access(
            name, os.W_OK, dir_fd=parent, effective_ids=True):
        raise ApplyError(f"{what}: read-only, so nothing was changed")


# --- the stage -------------------------------------------------------------

def _places(tree: Path) -> list[tuple[str, str]]:
    """Return where a stage may lie and the folder around, best first."""
    root, above = str(tree), str(tree.parent)
    inside = (os.path.join(root, ".sgwalk"), root)
    if root == above:
        return [inside]
    return [(os.path.join(above, f".{tree.name}.sgwalk"), above), inside]


def _make_stage(tree: Tree, held: contextlib.ExitStack) -> _Stage:
    device = os.stat(tree.root).st_dev
    why = ""
    for path, parent in _places(tree.root):
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
            fd = os.open(path, _FOLDER)
            held.callback(os.close, fd)
            _sync(parent)
        except OSError as error:
            os.rmdir(path)
            raise ApplyError(f"{path}: {cause(error)}; nothing was "
                             "changed") from error
        return _Stage(path, parent, fd)
    raise ApplyError(f"{why}; nothing was changed")


def _open_stage(tree: Tree, path: str, parent: str,
                held: contextlib.ExitStack) -> _Stage | None:
    """Return the stage that lies at path, unless somebody else made it."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    ours = {os.geteuid(), os.stat(tree.root).st_uid}
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in ours \
            or stat.S_IMODE(found.st_mode) & 0o077:
        raise ApplyError(f"{path}: in the way, and not of this user's making")
    fd = os.open(path, _FOLDER)
    held.callback(os.close, fd)
    for name in os.listdir(fd):
        if not _STAGED.match(name):
            raise ApplyError(f"{path}: in the way, and not of sgwalk's making: "
                             f"it holds {name!r}")
    return _Stage(path, parent, fd)


def _lay_out(tree: Tree, stage: _Stage, moves: Sequence[_Move],
             after: Mapping[str, bytes]) -> None:
    """Fill the stage, and name its journal when all of it is on disk."""
    for move in moves:
        with folder(tree, move.rel) as (parent, name):
            if os.fstat(parent).st_dev != os.fstat(stage.fd).st_dev:
                raise ApplyError(f"{move.rel}: not on the file system of the "
                                 "tree; nothing was changed")
            _keep(stage, move, parent, name)
            _refuse_edited(move, _sum(read_at(stage.fd, move.kept, move.rel)))
            _write(stage, move.fresh, after[move.rel])
            _copy_facts(stage, move.kept, move.fresh)
    _write(stage, "journal.new", _pack(moves))
    stage.move("journal.new", _JOURNAL)


def _keep(stage: _Stage, move: _Move, parent: int, name: str) -> None:
    """Give the old file a name in the stage, or a copy where that fails."""
    try:
        os.link(name, move.kept, src_dir_fd=parent, dst_dir_fd=stage.fd,
                follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        _write(stage, move.kept, read_at(parent, name, move.rel))
        _copy_facts(stage, name, move.kept, parent)
        old = os.stat(name, dir_fd=parent, follow_symlinks=False)
        os.utime(move.kept, ns=(old.st_atime_ns, old.st_mtime_ns),
                 dir_fd=stage.fd, follow_symlinks=False)


def _write(stage: _Stage, name: str, content: bytes) -> None:
    fd = os.open(name, _CREATE, 0o600, dir_fd=stage.fd)
    with open(fd, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(fd)


def _copy_facts(stage: _Stage, old: str, new: str,
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


def _pack(moves: Sequence[_Move]) -> bytes:
    return _MAGIC + b"".join(
        field + b"\0" for move in moves
        for field in (move.old, move.new, os.fsencode(move.rel)))


def _unpack(stage: _Stage, name: str) -> list[_Move]:
    text = read_at(stage.fd, name, f"{stage.path}/{name}")
    fields = text[len(_MAGIC):].split(b"\0")
    if not text.startswith(_MAGIC) or len(fields) % 3 != 1 or fields[-1]:
        raise ApplyError(f"{stage.path}/{name}: not a journal of this version")
    return [_Move(at // 3, os.fsdecode(fields[at + 2]), fields[at],
                  fields[at + 1]) for at in range(0, len(fields) - 1, 3)]


def _remove(stage: _Stage) -> None:
    """Remove the stage; killed meanwhile, what is left of it is of no use."""
    try:
        # The state goes last: it says what the other files are.
        for name in sorted(os.listdir(stage.fd),
                           key=lambda name: (name in _STATES, name)):
            os.unlink(name, dir_fd=stage.fd)
        os.rmdir(stage.path)
        _sync(stage.parent)
    except OSError as error:
        raise ApplyError(f"{stage.path}: cannot be removed: "
                         f"{cause(error)}") from error


# --- from one state to the next --------------------------------------------

def _finish(tree: Tree, stage: _Stage, moves: Sequence[_Move],
            record: Callable[[], None], withdraw: Callable[[], None]) -> None:
    """Place all, and write the account of it; where a step fails, undo."""
    try:
        for move in moves:
            _place(tree, stage, move)
        _sync_folders(tree, moves)
        for move in moves:
            # Whoever wrote to the old file while it was replaced lost by it.
            _refuse_edited(move, _sum(read_at(stage.fd, move.was, move.rel)))
        record()
        stage.move(_JOURNAL, _DONE)
    except (OSError, TreeError) as error:
        _put_back(tree, stage, moves, withdraw)
        raise _unchanged(stage, error) from error
    except BaseException:
        _put_back(tree, stage, moves, withdraw)
        raise


def _put_back(tree: Tree, stage: _Stage, moves: Sequence[_Move],
              withdraw: Callable[[], None]) -> None:
    try:
        # `done` where its rename came through, and only the sync failed.
        for state in (_JOURNAL, _DONE):
            if stage.has(state):
                stage.move(state, _UNDO)
        _undo(tree, stage, moves)
    except (OSError, TreeError) as error:
        raise ApplyError(f"{stage.path}: {_words(error)}; the change may be "
                         "placed in part: run make apply again") from error
    finally:
        withdraw()
    _remove(stage)


def _place(tree: Tree, stage: _Stage, move: _Move) -> None:
    fresh = f"{stage.path}/{move.fresh}"
    if _sum(read_at(stage.fd, move.fresh, fresh)) != move.new:
        raise ApplyError(f"{fresh}: damaged; nothing was changed")
    with folder(tree, move.rel) as (parent, name):
        _refuse_edited(move, _sum(read_at(parent, name, move.rel)))
        if not _swap(stage, move.fresh, parent, name, move.was, move.old):
            raise _edited(move)


def _undo(tree: Tree, stage: _Stage, moves: Sequence[_Move]) -> None:
    """Put every placed file back; what is not placed is not looked at."""
    for move in moves:
        with folder(tree, move.rel) as (parent, name):
            there = _sum_at(parent, name)
            out = _came_out(stage, move, there)
            if not out or there == move.old:
                continue
            if there is None:
                _put_in(stage, out, parent, name)
                continue
            if out != move.was:
                os.rename(out, move.was,
                          src_dir_fd=stage.fd, dst_dir_fd=stage.fd)
            if there != move.new or not _swap(
                    stage, move.was, parent, name, move.bad, move.new):
                raise _stranger(stage, move, move.was)
    _sync_folders(tree, moves)
    stage.move(_UNDO, _DONE)


def _came_out(stage: _Stage, move: _Move, there: bytes | None) -> str:
    """Return the name, in the stage, of what a file's place held before; ""
    where the new file is not placed, or was taken back.

    there is the sum of what its place holds now. A run can be killed between
    any two renames, and a file can be saved by an editor between them, too.
    """
    fresh = stage.sum(move.fresh)
    if stage.has(move.was):
        # Moved out, and neither in yet nor back: not placed, if somebody made
        # a file of that name since.
        return "" if fresh == move.new and there not in (
            None, move.new) else move.was
    if fresh is None:
        # As a run of an earlier version has placed it.
        return move.kept if there == move.new and stage.has(move.kept) else ""
    if fresh == move.old or there == move.new != fresh:
        return move.fresh
    return ""


def _recover(tree: Tree, stage: _Stage) -> str | None:
    """Take the stage from the state it is in to its end.

    What was placed goes back. An edit to a file that was not placed yet, or
    that puts an old one back, stays. One to a new file fits neither the old
    tree nor the new one, so that is for a person to decide, and nothing is
    changed by then.
    """
    names = set(os.listdir(stage.fd))
    state = next((name for name in _STATES if name in names), "")
    if state in ("", _DONE):
        _remove(stage)
        return f"{tree.root}: removed what a killed run left" if names else None
    moves = _unpack(stage, state)
    for move in moves:
        with folder(tree, move.rel) as (parent, name):
            there = _sum_at(parent, name)
            out = _came_out(stage, move, there)
            if out and there not in (None, move.old, move.new):
                raise _stranger(stage, move, out)
    if state == _JOURNAL:
        stage.move(_JOURNAL, _UNDO)
    _undo(tree, stage, moves)
    _remove(stage)
    return f"{tree.root}: undid the change of a run that was killed"


def _stranger(stage: _Stage, move: _Move, out: str) -> ApplyError:
    return ApplyError(
        f"{move.rel}: edited after a run was killed half way; its old bytes "
        f"are {stage.path}/{out}: put them back and run again, or "
        "remove that folder to keep the tree as it is")


# --- two files that change places ------------------------------------------

def _swap(stage: _Stage, put: str, parent: int, name: str, out: str,
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
            _put_in(stage, put, parent, name)
            good = True
    finally:
        if not good:
            # Where there is one of that name again, it is newer than ours.
            with contextlib.suppress(FileExistsError):
                _put_in(stage, out, parent, name)
    return good


def _put_in(stage: _Stage, put: str, parent: int, name: str) -> None:
    """Move a file of the stage to a name that is free, or raise."""
    if move_to_free(stage.fd, put, parent, name):
        return
    try:
        os.link(put, name, src_dir_fd=stage.fd, dst_dir_fd=parent,
                follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        # No way to ask and move at once is left on such a file system.
        if _there(parent, name):
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


def _sum_at(parent: int, name: str) -> bytes | None:
    """Return the sum of a file, None without one, b"" for what is no file."""
    if not _there(parent, name):
        return None
    try:
        return _sum(read_at(parent, name, name))
    except TreeError as error:
        if isinstance(error.__cause__, OSError):
            raise
        return b""


def _there(parent: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _sync_folders(tree: Tree, moves: Sequence[_Move]) -> None:
    for rel in {os.path.dirname(move.rel): move.rel for move in moves}.values():
        with folder(tree, rel) as (parent, _):
            os.fsync(parent)


def _sync(path: str) -> None:
    fd = os.open(path, _FOLDER)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _unchanged(stage: _Stage, error: OSError | TreeError) -> ApplyError:
    return ApplyError(f"{stage.path}: {_words(error)}; nothing was changed")


def _words(error: OSError | TreeError) -> str:
    return cause(error) if isinstance(error, OSError) else str(error)


def _sum(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
