# SPDX-License-Identifier: GPL-2.0-only
"""Ask git about a tree without running anything that the tree names.

A repository's configuration can name programs for many occasions: filters that
convert a file, a monitor, hooks, a program to fetch a missing object with, and
aliases. So its configuration is not read. git works in a folder of ours that
has the tree's references, objects and index, and the few settings that say how
a file is stored; they are copied by name, and none of them is a command.

Whether the user may read the repository at all is git's own decision, which it
makes from the user's configuration and from who owns the files. trust() takes
the place of it for one tree.

Data:   a folder in a repository + words -> what git printed, and its status.
Units:  seconds of wall-clock time.
Errors: OSError where git cannot be started; ScratchError; all else is in the
        status and on the stderr of what is returned.
Source: gitrepository-layout(5); "safe.directory" in git-config(1); git 2.39
        has no switch of its own against fetching on demand, which only a
        configured remote can do.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from host import scratch

# How a file is stored, and which branch @{upstream} is: values, no commands.
_COPIED = re.compile(
    r"core\.(?:autocrlf|eol|filemode|ignorecase|symlinks|precomposeunicode)"
    r"|branch\..*\.(?:remote|merge)|remote\..*\.fetch", re.DOTALL)
# How the repository itself is stored; git wants these in a file.
_FORMATS = {"extensions.objectformat": ("sha1", "sha256"),
            "extensions.refstorage": ("files", "reftable")}
_SHARED = ("refs", "packed-refs", "reftable", "shallow", "logs")
_LIMIT_S = 600
# A configuration may include what never ends.
_ASK_LIMIT_S = 30
_CONFIG = "[core]\n\trepositoryformatversion = 1\n\tbare = false\n"

_trusted: set[Path] = set()


def trust(root: Path) -> None:
    """Let git read a tree that belongs to somebody else."""
    _trusted.add(root)


def allowed(root: Path) -> tuple[str, ...]:
    """Return the words that let git itself read a tree that is trusted."""
    return ("-c", "safe.directory=*") if any(
        place in _trusted for place in (root, *root.parents)) else ()


def belongs(root: Path) -> bool:
    """Say whether a tree is the user's, or was declared to be trusted."""
    mine = {os.geteuid()}
    if os.geteuid() == 0 and os.environ.get("SUDO_UID", "").isdigit():
        mine.add(int(os.environ["SUDO_UID"]))
    return root in _trusted or os.stat(root).st_uid in mine


def run(root: Path, *words: str, stdin: bytes | None = None,
        env: Mapping[str, str] | None = None
        ) -> subprocess.CompletedProcess[bytes]:
    """Run git on the repository that a folder lies in, and only read it."""
    asked = _ask(root, "rev-parse", "--absolute-git-dir", "--git-common-dir")
    above = top(root)
    if asked.returncode or above is None:
        return asked
    # Of this checkout: HEAD and index. Of all: references and objects.
    private, common = (Path(root, os.fsdecode(line))
                       for line in asked.stdout.splitlines()[:2])
    listed = _ask(root, "config", "-z", "--list")
    if listed.returncode:
        return listed
    with scratch.folder("sgwalk.git.") as folder:
        settings = _fill(folder, private, common, listed.stdout)
        return _start(root, words, {
            **environment(folder, settings),
            "GIT_DIR": os.fspath(folder), "GIT_WORK_TREE": os.fspath(above),
            "GIT_OBJECT_DIRECTORY": os.fspath(common / "objects"),
            "GIT_INDEX_FILE": os.fspath(private / "index"),
            **(env or {})}, stdin)


def compare(folder: Path, old: str, new: str) -> bytes:
    """Return how two folders of ours differ, as a unified diff without
    context; no attribute or configuration of anybody is read."""
    done = _start(folder, (
        "diff", "--no-index", "--text", "--no-ext-diff", "--no-textconv",
        "--no-color", "--no-renames", "--no-prefix", "-U0", "--", old, new), {
            **environment(folder, ()),
            "GIT_CEILING_DIRECTORIES": os.fspath(folder.parent)}, None)
    # 1: they differ.
    if done.returncode not in (0, 1):
        raise OSError(0, os.fsdecode(done.stderr).strip() or "git failed")
    return done.stdout


def top(root: Path) -> Path | None:
    """Return the folder at or above root that has a .git."""
    return next((folder for folder in (root, *root.parents)
                 if os.path.lexists(folder / ".git")), None)


def _fill(folder: Path, private: Path, common: Path,
          listed: bytes) -> list[tuple[str, str]]:
    """Make a folder what git takes for the repository; return settings."""
    settings, formats = [], dict[str, str]()
    for row in listed.split(b"\0"):
        key, _, value = row.decode("utf-8", "surrogateescape").partition("\n")
        if _COPIED.fullmatch(key):
            settings.append((key, value))
        elif value in _FORMATS.get(key, ()):
            formats[key.partition(".")[2]] = value
    (folder / "config").write_text(_CONFIG + "[extensions]\n" + "".join(
        f"\t{key} = {value}\n" for key, value in formats.items()))
    # FETCH_HEAD and its like are what a CI job compares with.
    for path in private.glob("*HEAD"):
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    (folder / "objects").mkdir()
    for name in _SHARED:
        (folder / name).symlink_to(common / name)
    for path in private.glob("sharedindex.*"):
        (folder / path.name).symlink_to(path)
    return settings


def _ask(root: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Ask git itself what it takes from the files of configuration alone.

    These two questions run nothing: they look at no file and no object.
    """
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("GIT_") or name.startswith("GIT_CONFIG")}
    return _start(root, (*allowed(root), *words), {**kept, "LC_ALL": "C"}, None,
                  _ASK_LIMIT_S)


def environment(home: Path, settings: Sequence[tuple[str, str]] = ()
                ) -> dict[str, str]:
    """Return an environment in which git reads these settings alone."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR")
            if name in os.environ}
    made = {**kept, "HOME": os.fspath(home), "LC_ALL": "C", "TZ": "UTC",
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1", "GIT_OPTIONAL_LOCKS": "0",
            "GIT_NO_LAZY_FETCH": "1", "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_TERMINAL_PROMPT": "0", "GIT_LITERAL_PATHSPECS": "1",
            "GIT_PAGER": "cat", "GIT_EDITOR": "false",
            "GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings):
        made[f"GIT_CONFIG_KEY_{number}"] = key
        made[f"GIT_CONFIG_VALUE_{number}"] = value
    return made


def _start(root: Path, words: tuple[str, ...], env: Mapping[str, str],
           stdin: bytes | None, limit: int = _LIMIT_S
           ) -> subprocess.CompletedProcess[bytes]:
    command = ["git", "-c", "core.fsmonitor=false", "-c",
               f"core.hooksPath={os.devnull}", "-C", os.fspath(root), *words]
    try:
        return subprocess.run(
            command, env=env, input=stdin, capture_output=True, check=False,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            timeout=limit)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(
            command, 128, b"", f"fatal: git {words[0]}: no end within "
            f"{limit} s".encode())
