# SPDX-License-Identifier: GPL-2.0-only
"""Write below OUT, and replace or remove nothing there that is not ours.

OUT may be a folder of the user's own. A file MARK in it lists what sgwalk has
made there, one line each, and lines are only ever added:

    made .           OUT itself
    made NAME        a folder, or a file that a killed run may leave half done
    wrote SUM NAME   a file with this content (SHA-256)
    making NAME      what follows may be left half done: a copy of a tree, or
                     a file that tells of a change which may be undone
    sealed NAME      it is complete: each file of a copy has a line `wrote`
    adopt, adopted   the mark of an earlier sgwalk, an empty file, was taken over

A folder that is a cache, or is built in, has a mark of its own that says
`made .`, since it may be moved and another one put in its place. No symbolic
link below OUT is followed, whoever made it.

The mark is written before what it speaks of, and each line with one write at
the file's end, so that neither a kill nor a second run in the same OUT makes a
file of ours look like somebody else's.

Data:   OUT, a name below it, bytes -> files; a folder's path.
Errors: OutputError, one sentence that names what is in the way.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

MARK = ".made-by-sgwalk"
# What runs of before the list made in OUT; their mark is an empty file.
_FILES = ("ledger.tsv", "edits.patch", "verify.txt")
_FRESH = ("ledger.tsv.new", "edits.patch.new", "verify.txt.new")
_FOLDERS = ("verify", "boot", "cache", "transition", "mypy")
# What lies in a folder of patches; `v1` keeps an earlier version's, and `state`
# what each version starts at.
_PATCHES = re.compile(r"((v\d+-)?\d{4}-.*\.patch|\d\d-.*|v\d+|state)\Z",
                      re.DOTALL)


class OutputError(Exception):
    """Something below OUT is not ours; the message says which, and the way
    out."""


def start(out: Path) -> None:
    """Make OUT where there is none, and refuse a mark that is none."""
    _make(out)
    _lines(out)


def ready(out: Path, *names: str) -> None:
    """Refuse files that keep() would have to overwrite, before any work."""
    start(out)
    for name in names:
        _refuse_file(out, name)
        _refuse_file(out, f"{name}.new")


def keep(out: Path, name: str, data: bytes) -> None:
    """Write a file of OUT whole: the old one or the new, never a part."""
    ready(out, name)
    fresh = f"{name}.new"
    _note(out, f"wrote {_sum(data)} {name}", f"made {fresh}")
    _unlink(out / fresh)
    _create(out / fresh, data)
    os.replace(out / fresh, out / name)


def hold(out: Path) -> AbstractContextManager[None]:
    """Keep every other run that makes a copy from OUT."""
    start(out)
    return _locked(out)


@contextlib.contextmanager
def _locked(out: Path) -> Iterator[None]:
    fd = os.open(out, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputError(f"{out}: another run is at work in this folder; "
                              "wait for its end, or say another OUT"
                              ) from error
        yield
    finally:
        os.close(fd)


def begin(out: Path, name: str) -> None:
    """Note that a file is about to be written for a change that may fail."""
    start(out)
    _note(out, f"making {name}", again=True)


def end(out: Path, name: str) -> None:
    """Note that the file, if it is there, says what has happened."""
    _note(out, f"sealed {name}", again=True)


def begun(out: Path, name: str) -> bool:
    """Say whether begin() was called, and its run was killed before end()."""
    return _last(_lines(out), name) == f"making {name}"


def refuse_other(file: Path, head: bytes, what: str) -> None:
    """Refuse to overwrite a file of the user's naming, unless it is empty or
    begins as what is to be written does."""
    kind = _kind(file)
    if kind == stat.S_IFLNK and file.exists():
        kind = stat.S_IFREG if file.is_file() else kind
    if not kind:
        return
    if kind != stat.S_IFREG:
        raise OutputError(f"{file}: not a regular file, so it is left alone")
    with open(file, "rb") as stream:
        if stream.read(len(head)) not in (b"", head):
            raise OutputError(f"{file}: not {what}, so it is left alone: name "
                              "another file")


def put(file: Path, data: bytes, head: bytes, what: str) -> None:
    """Write a file of the user's naming whole; a link stays one."""
    refuse_other(file, head, what)
    file = Path(os.path.realpath(file))
    fd, fresh = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with open(fd, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fchmod(fd, stat.S_IMODE(file.stat().st_mode) if file.exists()
                      else 0o666 & ~_umask())
            os.fsync(fd)
        os.replace(fresh, file)
    except BaseException:
        os.unlink(fresh)
        raise


def _umask() -> int:
    now = os.umask(0o077)
    os.umask(now)
    return now


def set_aside(out: Path, *names: str) -> None:
    """Rename files of OUT to NAME.old, where their account is no longer the
    last run's."""
    ready(out, *names, *(f"{name}.old" for name in names))
    for name in names:
        if os.path.lexists(out / name):
            _note(out, f"wrote {_sum((out / name).read_bytes())} {name}.old")
            os.replace(out / name, out / f"{name}.old")


def drop(out: Path, *names: str) -> None:
    """Remove files of OUT."""
    ready(out, *names)
    for name in names:
        _unlink(out / name)


def folder(out: Path, name: str) -> Path:
    """Return a folder of OUT in which everything is ours to remove."""
    start(out)
    path = out / name
    if not _is_folder(path):
        path.mkdir()
    elif not _made(path):
        _refuse_full(path)
    _note(path, "made .")
    return path


def patches(out: Path, name: str, claim: bool = False) -> Path:
    """Return a folder of OUT for patches, which git sends whole: so its mark
    lies in OUT. There need not be one yet; with claim one is about to come."""
    start(out)
    path = out / name
    if _is_folder(path):
        if f"made {name}" not in _lines(out):
            _refuse_full(path)
        for entry in sorted(os.listdir(path)):
            if not _PATCHES.match(entry):
                raise _foreign(path / entry)
    if claim:
        _note(out, f"made {name}")
    return path


def copy(out: Path, name: str, source: Path) -> Path:
    """Return a fresh copy of a folder, in place of the last one.

    The last one goes when it is as a run of ours left it: its files have the
    bytes that seal() noted, or are gone.
    """
    start(out)
    path, lines = out / name, _lines(out)
    if not _is_folder(path):
        path.mkdir()
    elif f"made {name}" not in lines:
        _refuse_full(path)
    elif _last(lines, name) == f"sealed {name}":
        for rel, file in _files(path):
            if not _wrote(lines, f"{name}/{rel}", file):
                raise OutputError(
                    f"{file}: changed or added since sgwalk made {path}: move "
                    "it away, or say another OUT")
    _note(out, f"made {name}")
    _note(out, f"making {name}", again=True)
    for entry in os.listdir(path):
        _remove(path / entry)
    shutil.copytree(source, path, symlinks=True, dirs_exist_ok=True)
    return path


def seal(out: Path, name: str) -> None:
    """Note what a copy holds: what differs from it later is the user's."""
    _note(out, *(f"wrote {_sum_of(file)} {name}/{rel}"
                 for rel, file in _files(out / name)))
    _note(out, f"sealed {name}", again=True)


def clean(out: Path) -> None:
    """Remove OUT when sgwalk made it and all that is in it, else nothing."""
    if not _kind(out):
        return
    if not out.is_dir() or not _made(out):
        raise OutputError(f"{out}: not made here, so left alone")
    strange = _strange(out)
    if strange:
        more = f" and {len(strange) - 1} more" if strange[1:] else ""
        raise OutputError(f"{strange[0]}{more}: not made by sgwalk, or changed "
                          "since, so nothing was removed: move it away")
    for entry in sorted(os.listdir(out)):
        if entry != MARK:
            _remove(out / entry)
    (out / MARK).unlink()
    if not out.is_symlink():
        out.rmdir()


def _strange(out: Path) -> list[Path]:
    """Return what lies in OUT and is not as a run of ours left it."""
    lines, found = _lines(out), []
    for entry in sorted(os.listdir(out)):
        path = out / entry
        kind = _kind(path)
        if entry in (MARK, "deps") and kind == stat.S_IFREG:
            continue
        if kind == stat.S_IFREG:
            if f"made {entry}" not in lines and not _wrote(lines, entry, path):
                found.append(path)
        elif kind != stat.S_IFDIR:
            found.append(path)
        elif _made(path):
            found += _strange(path) if set(_lines(path)) - {"made .", ""} \
                else []
        elif entry in _stages(lines):
            continue
        elif f"made {entry}" not in lines:
            found.append(path)
        elif entry == "bin":
            found += [path / name for name in sorted(os.listdir(path))
                      if name not in ("reader", "reader.new",
                                      "census", "census.new")]
        elif _last(lines, entry) == f"sealed {entry}":
            found += [file for rel, file in _files(path)
                      if not _wrote(lines, f"{entry}/{rel}", file)]
        elif not _last(lines, entry):
            found += [path / name for name in sorted(os.listdir(path))
                      if not _PATCHES.match(name)]
    return found


def _stages(lines: list[str]) -> set[str]:
    """Return the names of the folders that apply works in beside a copy."""
    return {f".{line.split(' ', 1)[1]}.sgwalk" for line in lines
            if line.startswith("making ")}


def _remove(path: Path) -> None:
    if _kind(path) == stat.S_IFDIR:
        shutil.rmtree(path)
    else:
        path.unlink()


# --- the mark --------------------------------------------------------------

def _make(out: Path) -> None:
    try:
        out.mkdir(parents=True)
    except FileExistsError as error:
        if not out.is_dir():
            raise OutputError(f"{out}: not a folder, so nothing can be put "
                              "there") from error
        return
    _note(out, "made .")


def _lines(place: Path) -> list[str]:
    """Return what a folder's mark says; none without a mark."""
    text = _read(place)
    if text is None:
        return []
    if not text:
        _adopt(place)
        text = _read(place) or b""
    lines = [_plain(line) for line in text.split(b"\n")]
    if "adopt" in lines and "adopted" not in lines:
        _adopt(place)
        lines = [_plain(line) for line in (_read(place) or b"").split(b"\n")]
    return lines


def _read(place: Path) -> bytes | None:
    mark = place / MARK
    try:
        if not stat.S_ISREG(os.lstat(mark).st_mode):
            raise _foreign(mark)
        fd = os.open(mark, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with open(fd, "rb") as stream:
        return stream.read()


def _note(place: Path, *lines: str, again: bool = False) -> None:
    """Add lines to a folder's mark, those that it lacks, and sync it."""
    known = set() if again else set(_lines(place))
    data = b"".join(os.fsencode(_spelt(line)) + b"\n" for line in lines
                    if line not in known)
    if not data:
        return
    if (text := _read(place)) and not text.endswith(b"\n"):
        data = b"\n" + data     # a full disk has cut a line short
    fd = os.open(place / MARK, os.O_WRONLY | os.O_CREAT | os.O_APPEND
                 | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    with open(fd, "wb", buffering=0) as stream:
        while data:
            data = data[stream.write(data) or 0:]
        os.fsync(fd)


def _adopt(out: Path) -> None:
    """Take over an OUT whose mark, an empty file, said that all was ours."""
    lines = ["made .", *(f"made {name}" for name in _FRESH)]
    for name in _FILES:
        if _kind(out / name) == stat.S_IFREG:
            lines.append(f"wrote {_sum_of(out / name)} {name}")
    for name in ("series", "tree"):
        if _kind(out / name) == stat.S_IFDIR:
            lines.append(f"made {name}")
    for name in _FOLDERS:
        if _kind(out / name) == stat.S_IFDIR:
            _note(out / name, "made .")
    with open(out / MARK, "ab", buffering=0) as stream:
        stream.write(os.fsencode("\n".join([*lines, "adopted", ""])))


def _made(place: Path) -> bool:
    return "made ." in _lines(place)


def _last(lines: list[str], name: str) -> str:
    """Return whether a copy was being made, or complete, when last heard of."""
    told = [line for line in lines
            if line in (f"making {name}", f"sealed {name}")]
    return told[-1] if told else ""


def _wrote(lines: list[str], name: str, file: Path) -> bool:
    return f"wrote {_sum_of(file)} {name}" in lines


# A name may hold a line break; the mark has one line a name.
def _spelt(line: str) -> str:
    return line.replace("\\", "\\\\").replace("\n", "\\n")


def _plain(line: bytes) -> str:
    return re.sub(r"\\(.)", lambda at: "\n" if at[1] == "n" else at[1],
                  os.fsdecode(line))


# --- what lies there -------------------------------------------------------

def _kind(path: Path) -> int:
    """Return what kind of thing lies there, links not followed; 0: nothing."""
    try:
        return stat.S_IFMT(os.lstat(path).st_mode)
    except FileNotFoundError:
        return 0


def _is_folder(path: Path) -> bool:
    """Say whether a folder is there; refuse what is something else."""
    kind = _kind(path)
    if kind and kind != stat.S_IFDIR:
        raise _foreign(path)
    return kind == stat.S_IFDIR


def _refuse_full(path: Path) -> None:
    # A folder without anything in it may be ours, killed before its mark.
    if os.listdir(path):
        raise _foreign(path)


def _refuse_file(out: Path, name: str) -> None:
    kind = _kind(out / name)
    if not kind:
        return
    if kind == stat.S_IFREG:
        lines = _lines(out)
        if f"made {name}" in lines or _wrote(lines, name, out / name):
            return
        if any(line.startswith("wrote ") and line.endswith(f" {name}")
               for line in lines):
            raise OutputError(
                f"{out / name}: changed since sgwalk wrote it, so it is left "
                "alone: move it away, or say another OUT")
    raise _foreign(out / name)


def _files(top: Path) -> Iterator[tuple[str, Path]]:
    """Yield what lies below a folder and is no folder, links included."""
    for place, folders, files in os.walk(top):
        links = [name for name in folders
                 if os.path.islink(os.path.join(place, name))]
        for name in sorted([*files, *links]):
            path = Path(place, name)
            yield path.relative_to(top).as_posix(), path


def _foreign(path: Path) -> OutputError:
    what = " (a symbolic link)" if _kind(path) == stat.S_IFLNK else ""
    return OutputError(f"{path}{what}: not made by sgwalk, so it is left "
                       "alone: move it away, or say another OUT")


def _create(path: Path, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
                 | os.O_CLOEXEC, 0o666)
    with open(fd, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(fd)


def _unlink(path: Path) -> None:
    path.unlink(missing_ok=True)


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _sum_of(file: Path) -> str:
    """Return the sum of a file's bytes, or of what a link says."""
    if file.is_symlink():
        return _sum(b"-> " + os.fsencode(os.readlink(file)))
    if not stat.S_ISREG(os.lstat(file).st_mode):
        return "-"           # a FIFO or device has no content to know it by
    return _sum(file.read_bytes())


def main(words: Sequence[str]) -> int:
    """Be `make clean`: the only command, with OUT behind it."""
    try:
        if len(words) != 2 or words[0] != "clean":
            raise OutputError("output.py: say clean OUT")
        clean(Path(words[1]))
    except OutputError as error:
        print(f"sgwalk: exit 2: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"sgwalk: exit 2: {error.filename}: {error.strerror}",
              file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
