# SPDX-License-Identifier: GPL-2.0-only
"""Find a kernel tree, say whether it has local changes, and read its files.

A name inside the tree is walked folder by folder and never through a symbolic
link, so that no name leads out of the tree; only the tree's own root may be
one, and is resolved once. Nothing here writes, not even git's index.

Data:   path -> Tree; Tree and a name in it -> bytes.
Units:  names are relative to Tree.root, '/' between their parts, decoded as
        os.fsdecode() does; contents are bytes.
Errors: TreeError, one sentence that starts with the path.
Source: version as the tree's own `make kernelversion` prints it; the letters
        of `git status --porcelain` from its manual page.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import subprocess
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from host import gitsafe
from host.scratch import ScratchError
from read import api

# What is below include/linux of every kernel, for a campaign of no header.
_HEADERS = "include/linux"
_VERSION = re.compile(
    rb"^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION)[ \t]*:?=[ \t]*(\S*)",
    re.MULTILINE)
_INCLUDE = re.compile(rb"\s*include\s+(\S+)\s*\Z")
_INCLUDES = 4                # Makefiles that include one another
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: what has become a FIFO is refused, not waited for.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
# Names a sentence lists before it says how many more there are.
_SHOWN = 3
# Names that one git is given; the kernel takes 128 KiB a word, 2 MiB in all.
_AT_ONCE = 200


class TreeError(Exception):
    """The tree cannot be worked on; the message is path: cause."""


@dataclass(frozen=True)
class Tree:
    root: Path               # absolute, symbolic links resolved
    version: str             # "4.20.1", "" when unknown
    git: bool                # git tracks the files under root


def open_tree(path: str, module: str = "") -> Tree:
    """Return the kernel tree at path, or the module's folder if one is named.

    With a module the tree to work on is the module's own folder, of any kind;
    path may then be empty, and is only asked for the version.
    """
    if module:
        version = open_kernel(path).version if path else ""
        root = _resolve(module)
        return Tree(root, version, _tracks(root, "."))
    root = _resolve(path)
    kernel = Tree(root, "", False)
    try:
        facts = dict(_VERSION.findall(read(kernel, "Makefile")))
        header = _header()
        if header:
            read(kernel, header)
    except TreeError as error:
        raise TreeError(f"{path}: not a kernel tree: {error}"
                        + _hint(path)) from error
    if not {b"VERSION", b"PATCHLEVEL"} <= facts.keys():
        raise TreeError(
            f"{path}: not a kernel tree: Makefile: names no version")
    return Tree(root, _version(facts), _tracks(root, header or "Makefile"))


def open_kernel(path: str) -> Tree:
    """Return the kernel at path that a module is built for; only to be read.

    It may be what a distribution packs for that, or the folder of a build:
    links and a Makefile of one line, which includes that of another folder,
    where the headers are then.
    """
    root = _resolve(path)
    place = root
    for _ in range(_INCLUDES):
        try:
            text = (place / "Makefile").read_bytes()
        except OSError as error:
            raise TreeError(f"{path}: not a kernel tree: Makefile: "
                            f"{cause(error)}") from error
        facts = dict(_VERSION.findall(text))
        lines = [line for line in text.splitlines()
                 if line.strip() and not line.lstrip().startswith(b"#")]
        if facts or len(lines) != 1 or not (found := _INCLUDE.match(lines[0])):
            break
        place = (place / os.fsdecode(found[1])).parent
    wanted = _header() or _HEADERS
    for top in (root, place):
        found_at = Path(os.path.realpath(top / wanted))
        if found_at.exists() and {b"VERSION", b"PATCHLEVEL"} <= facts.keys():
            return Tree(found_at.parents[len(Path(wanted).parts) - 1],
                        _version(facts), False)
    raise TreeError(f"{path}: not a kernel tree, nor the headers of one: no "
                    + ("version in Makefile" if found_at.exists()
                       else wanted))


def _header() -> str:
    """Return the file by which the campaign recognises a tree, or ""."""
    return next((state.file for state in api.now().campaign.states), "")


def _hint(path: str) -> str:
    try:
        open_kernel(path)
    except TreeError:
        return ""
    return "; it is what modules are built with: name one with M="


def inside(tree: Tree, path: str) -> str:
    """Return the name of a folder or file of the tree, "" where it has none.

    A relative path starts at the top of the tree, as M= does for those who
    run make there.
    """
    try:
        found = (tree.root / path).resolve(strict=True)
        name = found.relative_to(tree.root).as_posix()
    except (OSError, RuntimeError, ValueError):
        return ""
    return name if name != "." and (found.is_dir() or found.is_file()) else ""


def _resolve(path: str) -> Path:
    if not path:
        raise TreeError("no tree is named")
    try:
        root = Path(path).resolve(strict=True)
        is_folder = root.is_dir()
    except FileNotFoundError as error:
        raise TreeError(f"{path}: no such folder") from error
    except (OSError, RuntimeError, ValueError) as error:
        raise TreeError(f"{path}: {cause(error)}") from error
    if not is_folder:
        raise TreeError(f"{path}: not a folder")
    return root


def _version(facts: dict[bytes, bytes]) -> str:
    numbers = [facts.get(key, b"") for key in
               (b"VERSION", b"PATCHLEVEL", b"SUBLEVEL")]
    text = b".".join(number for number in numbers if number)
    return os.fsdecode(text + facts.get(b"EXTRAVERSION", b""))


def refuse_dirty(tree: Tree, files: Collection[str] | None = None,
                 way_out: str = ", or say DIRTY=1",
                 but: Collection[str] = ()) -> None:
    """Raise TreeError where git sees local changes, or is told not to look.

    Without files the whole tree is asked, and only for changes to what git
    tracks; a file that is marked assume-unchanged or skip-worktree is compared
    like any other, if it is there. With files only they are asked about, and
    one counts too that git does not track, ignores, or has such a mark: git
    could not bring it back. Each is asked of the repository that it lies in,
    which can be one inside the tree. A tree without git is never dirty.

    but names files whose changes are known to be ours.
    """
    if files is None:
        found = _changed(tree.root) if tree.git else []
    else:
        found = [name for root, names in _repositories(tree, files)
                 for name in _cannot_bring_back(root, names, tree.root)]
    prefix = _prefix(tree.root) if but and found and files is None else ""
    found = sorted(set(found) - {prefix + name for name in but})
    if not found:
        return
    names = ", ".join(found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if found[_SHOWN:] else ""
    raise TreeError(f"{tree.root}: local changes in {names}{more}: commit or "
                    f"stash them{way_out}")


def _changed(root: Path) -> list[str]:
    """Return the names of what differs from HEAD, and is tracked."""
    found = _statuses(_ask(
        root, "status", "--porcelain=v1", "-z", "--no-renames",
        "--untracked-files=no", "--ignored=no", "--", "."))
    marked = set(_marked(root, ["."]))
    if marked:
        prefix = _prefix(root)
        for row in _ask(root, "ls-files", "-s", "-z", "--", ".").split(b"\0"):
            facts, _, name = row.partition(b"\t")
            if os.fsdecode(name) in marked and not _as_staged(
                    root / os.fsdecode(name), facts.split()[1]):
                found.append(prefix + os.fsdecode(name))
    return found


def _as_staged(file: Path, blob: bytes) -> bool:
    """Say whether a file is what git's index has, or is not there, as in a
    sparse checkout. No filter of the repository's is run for it, but a line
    may end as git ends none."""
    try:
        kind = os.lstat(file).st_mode
        if stat.S_ISLNK(kind):
            data = os.fsencode(os.readlink(file))
        elif stat.S_ISREG(kind):
            data = file.read_bytes()
        else:
            return stat.S_ISDIR(kind)        # a submodule
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError as error:
        raise TreeError(f"{file}: {cause(error)}") from error
    make = hashlib.sha1 if len(blob) == 40 else hashlib.sha256
    return blob in [make(b"blob %d\0" % len(text) + text).hexdigest().encode()
                    for text in (data, data.replace(b"\r\n", b"\n"))]


def _cannot_bring_back(root: Path, files: Sequence[str],
                       top: Path) -> list[str]:
    """Return which files git would not bring back as they are, by their names
    below top."""
    found, inside = [], len(_prefix(root))
    for at in range(0, len(files), _AT_ONCE):
        some = files[at:at + _AT_ONCE]
        found += [name[inside:] for name in _statuses(_ask(
            root, "status", "--porcelain=v1", "-z", "--no-renames",
            "--untracked-files=all", "--ignored=matching", "--", *some))]
        found += _marked(root, some)
    return [(root / name).relative_to(top).as_posix() for name in found]


def _marked(root: Path, files: Sequence[str]) -> list[str]:
    """Return which files git is told not to look at, below root."""
    rows = _ask(root, "ls-files", "-v", "-z", "--", *files).split(b"\0")
    return [os.fsdecode(row[2:]) for row in rows
            if row and (row[:1] == b"S" or row[:1].islower())]


def _repositories(tree: Tree, files: Collection[str]
                  ) -> list[tuple[Path, list[str]]]:
    """Return the folders with a repository, and the files in each; those of
    the tree's own are named below its root."""
    found: dict[Path, list[str]] = {}
    for name in sorted(files):
        parts = name.split("/")
        for depth in range(len(parts) - 1, 0, -1):
            inner = tree.root.joinpath(*parts[:depth])
            if os.path.lexists(inner / ".git"):
                found.setdefault(inner, []).append("/".join(parts[depth:]))
                break
        else:
            if tree.git:
                found.setdefault(tree.root, []).append(name)
    return sorted(found.items())


def _statuses(data: bytes) -> list[str]:
    # Each record is two letters, a space and a name.
    return [os.fsdecode(record[3:]) for record in data.split(b"\0") if record]


def _prefix(root: Path) -> str:
    """Return where a folder lies in its repository, "" or "FOLDER/"."""
    return os.fsdecode(_ask(root, "rev-parse", "--show-prefix")
                       .removesuffix(b"\n"))


def _ask(root: Path, *words: str) -> bytes:
    done = _git(root, *words)
    if done.returncode:
        raise TreeError(f"{root}: {_words(done.stderr)}; DIRTY=1 goes on "
                        "without git's help")
    return done.stdout


def _tracks(root: Path, name: str) -> bool:
    """Say whether git tracks name.

    A tree below some other repository that ignores it, as Debian's kernel
    source does with all of its files, is a tree without git. Where git
    cannot say, the answer is yes: refuse_dirty() then tells what is wrong.
    """
    above = [root, *root.parents]
    if not any(os.path.lexists(folder / ".git") for folder in above):
        return False
    try:
        done = _git(root, "ls-files", "-z", "--", name)
    except TreeError:
        return True
    if done.returncode and b"not a git repository" in done.stderr:
        return os.path.lexists(root / ".git")
    return bool(done.returncode or done.stdout)


def _git(root: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Ask git about the tree; nothing is written, and no program of its
    configuration is run."""
    try:
        return gitsafe.run(root, *words)
    except (OSError, ScratchError) as error:
        raise TreeError(f"git: {cause(error)}; DIRTY=1 goes on without "
                        "it") from error


def _words(stderr: bytes) -> str:
    lines = stderr.decode(errors="backslashreplace").splitlines()
    return lines[0] if lines else "git failed and did not say why"


def read(tree: Tree, rel: str) -> bytes:
    """Return the bytes of a regular file that is reached without a link."""
    with folder(tree, rel) as (parent, name):
        return read_at(parent, name, rel)


def read_at(parent: int, name: str, rel: str) -> bytes:
    """Do read()'s work on a name in an open folder; rel is for the error."""
    try:
        kind = os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode
        if stat.S_ISLNK(kind):
            raise TreeError(f"{rel}: a symbolic link")
        if not stat.S_ISREG(kind):
            raise TreeError(f"{rel}: not a regular file")
        file = os.open(name, _FILE, dir_fd=parent)
        with open(file, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise TreeError(f"{rel}: {cause(error)}") from error


@contextlib.contextmanager
def folder(tree: Tree, rel: str) -> Iterator[tuple[int, str]]:
    """Hold open the folder that rel lies in; yield it and rel's last part."""
    parts = rel.split("/")
    if not {"", ".", ".."}.isdisjoint(parts) or "\0" in rel:
        raise TreeError(f"{rel}: not a name in the tree")
    with contextlib.ExitStack() as held:
        inner = None
        for part in [str(tree.root), *parts[:-1]]:
            try:
                inner = os.open(part, _FOLDER, dir_fd=inner)
            except NotADirectoryError as error:
                raise TreeError(f"{rel}: {part} is a symbolic link, or no "
                                "folder") from error
            except OSError as error:
                raise TreeError(f"{rel}: {cause(error)}") from error
            held.callback(os.close, inner)
        assert inner is not None
        yield inner, parts[-1]


def cause(error: Exception) -> str:
    """Return what an error of the system means, to follow a colon."""
    text = error.strerror if isinstance(error, OSError) else str(error)
    return (text or type(error).__name__).lower()
