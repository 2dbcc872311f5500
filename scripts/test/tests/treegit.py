# SPDX-License-Identifier: GPL-2.0-only
"""Make a git repository of a copy of fixtures/sg-dma-page/tree, with a believable log.

The log is fixtures/sg-dma-page/tree-history.tsv, whose head says what its columns are.
The same files give the same commit ids on every machine: dates are fixed, no
configuration but the repository's own is read, and the whole log goes through
one git fast-import. Files that the copy lacks are left out of the log, and a
commit that has none left is not made; a file that the log does not name is an
error, so that the log cannot fall behind the tree.

Data:   tree copy + log -> .git in the copy, branch main, nothing changed.
Units:  dates are UTC, to the minute.
Errors: TreeGitError for a malformed log, an unnamed file or a failing git.
Source: git-fast-import(1); `encoding` needs git 2.23.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

LOG = Path(__file__).resolve().parents[3] / "fixtures/sg-dma-page/tree-history.tsv"
ENCODINGS = {"utf-8": "utf-8", "latin-1": "latin-1", "raw": "latin-1"}


class TreeGitError(Exception):
    """The repository cannot be made; the message starts with a path."""


@dataclass(frozen=True)
class Commit:
    date: int            # seconds since 1970, UTC
    encoding: str        # a key of ENCODINGS
    author: str          # Name <mail>
    subject: str
    files: tuple[str, ...]    # patterns


def read_log(log: Path = LOG) -> list[Commit]:
    """Return the commits of the log, oldest first."""
    commits: list[Commit] = []
    for number, line in enumerate(log.read_text("utf-8").splitlines(), 1):
        if line.startswith("#"):
            continue
        try:
            date, encoding, author, subject, files = line.split("\t")
            when = datetime.strptime(date, "%Y-%m-%d %H:%M")
            ENCODINGS[encoding]
        except (ValueError, KeyError) as error:
            raise TreeGitError(f"{log}:{number}: {error}") from error
        seconds = int(when.replace(tzinfo=timezone.utc).timestamp())
        if commits and seconds <= commits[-1].date:
            raise TreeGitError(f"{log}:{number}: not after the line above")
        commits.append(Commit(seconds, encoding, author, subject,
                              tuple(files.split(" "))))
    return commits


def named(pattern: str, files: list[str]) -> list[str]:
    """Return the files that one pattern of the log names."""
    regex = "".join({"**": ".*", "*": "[^/]*", "?": "[^/]"}.get(
        part, re.escape(part)) for part in re.split(r"(\*\*|\*|\?)", pattern))
    # **/Makefile names the one at the top too.
    regex = regex.replace(".*/", "(?:.*/)?", 1)
    return [file for file in files if re.fullmatch(regex, file)]


def make_history(tree_copy: Path) -> None:
    """Make tree_copy a git repository that holds its files, clean."""
    if (tree_copy / ".git").exists():
        raise TreeGitError(f"{tree_copy}: is a git repository already")
    files = _files(tree_copy)
    commits = read_log()
    parts = [sorted({file for pattern in commit.files
                     for file in named(pattern, files)})
             for commit in commits]
    shares = Counter(file for part in parts for file in part)
    if unnamed := [file for file in files if file not in shares]:
        raise TreeGitError(f"{tree_copy / unnamed[0]}: not in {LOG.name}")

    stream: list[bytes] = []
    seen: Counter[str] = Counter()
    for commit, part in zip(commits, parts):
        if not part:
            continue
        seen.update(part)
        stream += _head(commit)
        for file in part:
            stream += _file(tree_copy, file, seen[file], shares[file])

    _git(tree_copy, "init", "--quiet", "--initial-branch=main")
    _git(tree_copy, "config", "core.autocrlf", "false")
    _git(tree_copy, "config", "commit.gpgSign", "false")
    _git(tree_copy, "fast-import", "--quiet", stdin=b"".join(stream))
    _git(tree_copy, "reset", "--quiet")
    if left := _git(tree_copy, "status", "--porcelain"):
        raise TreeGitError(f"{tree_copy}: {os.fsdecode(left.strip())}")


def _files(tree: Path) -> list[str]:
    return sorted(str(path.relative_to(tree)) for path in tree.rglob("*")
                  if path.is_file())


def _head(commit: Commit) -> list[bytes]:
    encoding = ENCODINGS[commit.encoding]
    who = commit.author.encode(encoding) + b" %d +0000\n" % commit.date
    text = commit.subject.encode(encoding) + b"\n"
    says = b"encoding ISO-8859-1\n" if commit.encoding == "latin-1" else b""
    return [b"commit refs/heads/main\n", b"author ", who, b"committer ", who,
            says, b"data %d\n" % len(text), text]


def _file(tree: Path, file: str, share: int, shares: int) -> list[bytes]:
    path = tree / file
    lines = path.read_bytes().splitlines(keepends=True)
    text = b"".join(lines[:-(-len(lines) * share // shares)])
    mode = b"100755" if os.access(path, os.X_OK) else b"100644"
    return [b"M " + mode + b" inline " + os.fsencode(file),
            b"\ndata %d\n" % len(text), text, b"\n"]


def _git(tree: Path, *args: str, stdin: bytes = b"") -> bytes:
    env = {"PATH": os.environ["PATH"], "HOME": os.devnull, "LC_ALL": "C",
           "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull,
           "GIT_CEILING_DIRECTORIES": str(tree.resolve().parent)}
    done = subprocess.run(["git", *args], cwd=tree, env=env, input=stdin,
                          capture_output=True)
    if done.returncode != 0:
        raise TreeGitError(f"{tree}: git {args[0]}: "
                           f"{os.fsdecode(done.stderr.strip())}")
    return done.stdout
