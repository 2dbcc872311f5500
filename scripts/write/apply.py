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
import fcntl
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence

from read.tree import Tree, TreeError, cause, folder, read_at
from write.stage import (ApplyError, DONE, FOLDER, JOURNAL, Move, STATES,
                         Stage, UNDO, digest, edited, lay_out, make_stage,
                         open_stage, places, refuse_edited, remove_stage,
                         sum_at, sync_folders, unpack, words_of)
from write.swap import put_in, swap

_ANY_WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


@contextlib.contextmanager
def hold(tree: Tree) -> Iterator[None]:
    """Keep every other run from this tree; refuse one that nobody may write.

    The lock is on the tree's root folder. It leaves no file, and the kernel
    lets go of it when the process ends, however it ends.
    """
    fd = os.open(tree.root, FOLDER)
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
    fd = os.open(tree.root, FOLDER)
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
        for path, _ in places(root):
            try:
                names = set(os.listdir(path))
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError:
                names = {JOURNAL}       # of another user, so nobody knows
            if names & {JOURNAL, UNDO} and DONE not in names:
                return (f"{root}: a change is placed in part: a run is at "
                        f"work, or was killed and left {path}; make apply "
                        "finishes it")
    return None


def placed(tree: Tree) -> dict[str, bytes]:
    """Return the files, and their sums, that a run has placed which was
    killed when only its stage was left to remove; before recover()."""
    found: dict[str, bytes] = {}
    for path, parent in places(tree.root):
        with contextlib.ExitStack() as held:
            stage = open_stage(tree, path, parent, held)
            if stage and stage.has(DONE):
                found.update((move.rel, move.new)
                             for move in unpack(stage, DONE))
    return found


def as_placed(tree: Tree, files: Mapping[str, bytes]) -> set[str]:
    """Return which of the files still have the bytes of these sums."""
    found = set()
    for rel, wanted in files.items():
        with contextlib.suppress(TreeError), folder(tree, rel) as (at, name):
            if sum_at(at, name) == wanted:
                found.add(rel)
    return found


def recover(tree: Tree) -> str | None:
    """Undo what a killed run has placed, and say so; hold() first.

    The run that calls it does the job again, from the start.
    """
    told = None
    for path, parent in places(tree.root):
        with contextlib.ExitStack() as held:
            stage = open_stage(tree, path, parent, held)
            if stage is None:
                continue
            try:
                told = _recover(tree, stage)
            except (OSError, TreeError) as error:
                raise ApplyError(f"{path}: {words_of(error)}; the change may "
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
    moves = [Move(number, rel, digest(before[rel]), digest(after[rel]))
             for number, rel in enumerate(changes)]
    for move in moves:
        _check(tree, move)
    with contextlib.ExitStack() as held:
        stage = make_stage(tree, held)
        try:
            lay_out(tree, stage, moves, after)
        except (OSError, TreeError) as error:
            remove_stage(stage)
            raise _unchanged(stage, error) from error
        except BaseException:
            remove_stage(stage)
            raise
        _finish(tree, stage, moves, record, withdraw)
        try:
            remove_stage(stage)
        except ApplyError as error:
            return str(error)
    return None


def _check(tree: Tree, move: Move) -> None:
    """Raise where the file is not as it was, or may not be written."""
    try:
        with folder(tree, move.rel) as (parent, name):
            refuse_edited(move, digest(read_at(parent, name, move.rel)))
            if not (tree.git and _mine(parent, name)):
                _refuse_unwritable(parent, name, move.rel)
            if not (tree.git and _mine(parent, ".") and os.access(
                    ".", os.W_OK, dir_fd=parent, effective_ids=True)):
                _refuse_unwritable(parent, ".", f"{move.rel}: its folder")
    except TreeError as error:
        raise ApplyError(str(error)) from error


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


def _finish(tree: Tree, stage: Stage, moves: Sequence[Move],
            record: Callable[[], None], withdraw: Callable[[], None]) -> None:
    """Place all, and write the account of it; where a step fails, undo."""
    try:
        for move in moves:
            _place(tree, stage, move)
        sync_folders(tree, moves)
        for move in moves:
            # Whoever wrote to the old file while it was replaced lost by it.
            refuse_edited(move, digest(read_at(stage.fd, move.was, move.rel)))
        record()
        stage.move(JOURNAL, DONE)
    except (OSError, TreeError) as error:
        _put_back(tree, stage, moves, withdraw)
        raise _unchanged(stage, error) from error
    except BaseException:
        _put_back(tree, stage, moves, withdraw)
        raise


def _put_back(tree: Tree, stage: Stage, moves: Sequence[Move],
              withdraw: Callable[[], None]) -> None:
    try:
        # `done` where its rename came through, and only the sync failed.
        for state in (JOURNAL, DONE):
            if stage.has(state):
                stage.move(state, UNDO)
        _undo(tree, stage, moves)
    except (OSError, TreeError) as error:
        raise ApplyError(f"{stage.path}: {words_of(error)}; the change may be "
                         "placed in part: run make apply again") from error
    finally:
        withdraw()
    remove_stage(stage)


def _place(tree: Tree, stage: Stage, move: Move) -> None:
    fresh = f"{stage.path}/{move.fresh}"
    if digest(read_at(stage.fd, move.fresh, fresh)) != move.new:
        raise ApplyError(f"{fresh}: damaged; nothing was changed")
    with folder(tree, move.rel) as (parent, name):
        refuse_edited(move, digest(read_at(parent, name, move.rel)))
        if not swap(stage, move.fresh, parent, name, move.was, move.old):
            raise edited(move)


def _undo(tree: Tree, stage: Stage, moves: Sequence[Move]) -> None:
    """Put every placed file back; what is not placed is not looked at."""
    for move in moves:
        with folder(tree, move.rel) as (parent, name):
            there = sum_at(parent, name)
            out = _came_out(stage, move, there)
            if not out or there == move.old:
                continue
            if there is None:
                put_in(stage, out, parent, name)
                continue
            if out != move.was:
                os.rename(out, move.was,
                          src_dir_fd=stage.fd, dst_dir_fd=stage.fd)
            if there != move.new or not swap(
                    stage, move.was, parent, name, move.bad, move.new):
                raise _stranger(stage, move, move.was)
    sync_folders(tree, moves)
    stage.move(UNDO, DONE)


def _came_out(stage: Stage, move: Move, there: bytes | None) -> str:
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


def _recover(tree: Tree, stage: Stage) -> str | None:
    """Take the stage from the state it is in to its end.

    What was placed goes back. An edit to a file that was not placed yet, or
    that puts an old one back, stays. One to a new file fits neither the old
    tree nor the new one, so that is for a person to decide, and nothing is
    changed by then.
    """
    names = set(os.listdir(stage.fd))
    state = next((name for name in STATES if name in names), "")
    if state in ("", DONE):
        remove_stage(stage)
        return f"{tree.root}: removed what a killed run left" if names else None
    moves = unpack(stage, state)
    for move in moves:
        with folder(tree, move.rel) as (parent, name):
            there = sum_at(parent, name)
            out = _came_out(stage, move, there)
            if out and there not in (None, move.old, move.new):
                raise _stranger(stage, move, out)
    if state == JOURNAL:
        stage.move(JOURNAL, UNDO)
    _undo(tree, stage, moves)
    remove_stage(stage)
    return f"{tree.root}: undid the change of a run that was killed"


def _stranger(stage: Stage, move: Move, out: str) -> ApplyError:
    return ApplyError(
        f"{move.rel}: edited after a run was killed half way; its old bytes "
        f"are {stage.path}/{out}: put them back and run again, or "
        "remove that folder to keep the tree as it is")


def _unchanged(stage: Stage, error: OSError | TreeError) -> ApplyError:
    return ApplyError(f"{stage.path}: {words_of(error)}; nothing was changed")
