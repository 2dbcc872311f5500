# SPDX-License-Identifier: GPL-2.0-only
"""Do git work on a kernel tree without touching it.

Every commit, patch and trial of `git am` is made in a private repository in
a folder of its own that borrows the tree's objects. The tree's checkout,
index, configuration, branches and worktrees are read and nothing else; the
one exception is publish(), which writes a finished branch in one step. What
is private has a configuration of its own, so that no setting of a user
changes a byte of the result.

Data:   a tree's root -> Base; contents by name -> commit ids -> patch bytes.
        Names are the tree's, relative, os.fsdecode'd.
Units:  dates are git's raw form, "@seconds zone".
Errors: RepoError, one sentence that begins with the tree's path.
Source: git 2.39's manual: gitrepository-layout (objects/info/alternates),
        git-am (needs only the files it touches in its work tree).
"""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from host import gitsafe, scratch

# Of what git reads in the environment, only who the user is and what names
# configuration; the rest may be about another repository.
_HEARD = ("GIT_AUTHOR_", "GIT_COMMITTER_", "GIT_CONFIG")
# Bytes go in and out as they are; hunk headers name the C function.
_ATTRIBUTES = """\
* -text !eol !filter !ident !working-tree-encoding !merge
*.c diff=cpp
*.h diff=cpp
"""
PRIVATE = "series.git."     # how the name of a private folder begins
_CONFIG = """\
[core]
\trepositoryformatversion = {format}
\tbare = false
\tlogAllRefUpdates = false
\tabbrev = 12
\tautocrlf = false
\tquotePath = true
[gc]
\tauto = 0
[diff]
\tnoprefix = false
\trenames = false
\talgorithm = myers
[am]
\tthreeWay = false
[commit]
\tgpgSign = false
"""


class RepoError(Exception):
    """git could not do its part; the message names the tree and the cause."""


@dataclass(frozen=True)
class Base:
    root: Path               # the tree, absolute
    commit: str              # what HEAD is
    branch: str              # the branch HEAD names, "" where it is detached
    date: str                # the commit date of HEAD, raw
    objects: Path            # where the tree keeps its objects
    format: str              # "sha1" or "sha256"


@dataclass(frozen=True)
class Ident:
    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


@dataclass(frozen=True)
class Commit:
    id: str
    tree: str                # id of the whole tree it holds


@dataclass(frozen=True)
class Repo:
    """A private repository over the objects of a tree."""

    base: Base
    folder: Path             # holds everything private; removed at the end

    @property
    def git_dir(self) -> Path:
        return self.folder / "git"

    @property
    def work(self) -> Path:
        return self.folder / "work"

    def git(self, *args: str, stdin: bytes | None = None,
            env: Mapping[str, str] | None = None,
            work: Path | None = None, index: str = "index") -> bytes:
        done = self.attempt(*args, stdin=stdin, env=env, work=work,
                            index=index)
        if done.returncode != 0:
            raise RepoError(f"{self.base.root}: git {args[0]}: "
                            f"{_said(done)}")
        return done.stdout

    def attempt(self, *args: str, stdin: bytes | None = None,
                env: Mapping[str, str] | None = None,
                work: Path | None = None, index: str = "index"
                ) -> subprocess.CompletedProcess[bytes]:
        """Run git on what is private, with no configuration but its own."""
        place = work or self.work
        return _run(["git", *args], place, {
            **neutral(self.folder), "GIT_DIR": str(self.git_dir),
            "GIT_WORK_TREE": str(place),
            "GIT_INDEX_FILE": str(self.git_dir / index), **(env or {})},
            stdin)

    def read(self, commit: str, name: str) -> bytes | None:
        """Return the file as the commit has it, None where it has none."""
        done = self.attempt("cat-file", "blob", f"{commit}:{name}")
        return done.stdout if done.returncode == 0 else None

    def commit(self, parent: str, contents: Mapping[str, bytes],
               message: str, ident: Ident, date: str,
               committed: str = "") -> Commit:
        """Commit the contents on top of parent; other files stay."""
        self.git("read-tree", parent)
        modes = self._modes(parent, list(contents))
        lines = []
        for name in sorted(contents):
            blob = self.git("hash-object", "-w", "--stdin",
                            stdin=contents[name]).decode().strip()
            lines.append(f"{modes.get(name, '100644')} {blob}\t".encode()
                         + os.fsencode(name) + b"\0")
        self.git("update-index", "-z", "--add", "--index-info",
                 stdin=b"".join(lines))
        tree = self.git("write-tree").decode().strip()
        made = self.git("commit-tree", "-p", parent, "-F", "-", tree,
                        stdin=message.encode("utf-8", "surrogateescape"),
                        env={"GIT_AUTHOR_NAME": ident.name,
                             "GIT_AUTHOR_EMAIL": ident.email,
                             "GIT_AUTHOR_DATE": date,
                             "GIT_COMMITTER_NAME": ident.name,
                             "GIT_COMMITTER_EMAIL": ident.email,
                             "GIT_COMMITTER_DATE": committed or date})
        return Commit(made.decode().strip(), tree)

    def am(self, start: str, patches: Sequence[Path], keep_cr: bool
           ) -> tuple[list[Commit], str]:
        """Apply mails in order with git am on a clean checkout of start.

        Return what each became, and, when one did not apply, why; the list
        then ends before it.
        """
        work = Path(tempfile.mkdtemp(prefix="am.", dir=self.folder))
        touched = self._touched(b"".join(patch.read_bytes()
                                         for patch in patches), work)
        ref = f"refs/heads/{work.name.replace('.', '-')}"
        self.git("update-ref", ref, start)
        self.git("symbolic-ref", "HEAD", ref)
        # Only these files are looked at by git am; the index has them all.
        self.git("read-tree", start, work=work, index=work.name)
        there = self._modes(start, touched)
        self.git("checkout-index", "-f", "-z", "--stdin", work=work,
                 index=work.name, stdin=b"".join(
                     os.fsencode(name) + b"\0" for name in sorted(there)))
        # Nobody's identity: what git am writes here is thrown away.
        who = {"GIT_COMMITTER_NAME": "trial", "GIT_COMMITTER_EMAIL": "trial",
               "GIT_COMMITTER_DATE": self.base.date}
        done = self.attempt("am", "--quiet",
                            "--keep-cr" if keep_cr else "--no-keep-cr",
                            *map(str, patches), env=who, work=work,
                            index=work.name)
        listed = self.git("log", "--reverse", "--format=%H %T",
                          f"{start}..{ref}").decode()
        made = [Commit(*line.split()) for line in listed.splitlines()]
        why = ""
        if done.returncode != 0:
            why = f"{patches[len(made)].name}: {_said(done)}"
            self.attempt("am", "--abort", work=work, index=work.name)
        self.git("symbolic-ref", "HEAD", "refs/heads/none")
        return made, why

    def said(self, start: str, tip: str) -> list[bytes]:
        """Return author and message of each commit after start, in order."""
        return self.git("log", "--reverse", "-z", "--format=%an <%ae>%n%B",
                        f"{start}..{tip}").split(b"\0")

    def _touched(self, patches: bytes, work: Path) -> list[str]:
        done = self.attempt("apply", "--numstat", "-z", "-", stdin=patches,
                            work=work)
        return sorted({os.fsdecode(row.split(b"\t", 2)[2]) for row
                       in done.stdout.split(b"\0") if row.count(b"\t") >= 2})

    def has_already(self, commit: str,
                    patches: Sequence[bytes]) -> list[bool]:
        """Say of each patch of a series whether the commit holds it."""
        self.git("read-tree", commit, index="already")
        # The last one first, since it may change what an earlier one adds.
        return [self.attempt("apply", "--cached", "--reverse", "-",
                             stdin=patch, index="already").returncode == 0
                for patch in reversed(patches)][::-1]

    def publish(self, branch: str, tip: str, why: str) -> None:
        """Give the tree's repository the branch, whole or not at all."""
        pack = self.git("pack-objects", "--revs", "--stdout", "-q",
                        stdin=f"{tip}\n^{self.base.commit}\n".encode())
        root = self.base.root
        done = _run(["git", "unpack-objects", "-q"], root, mine(), pack)
        if done.returncode == 0:
            # A reference-transaction hook would be run for this.
            done = _run(["git", "-c", f"core.hooksPath={os.devnull}",
                         "update-ref", "--create-reflog", "-m", why,
                         f"refs/heads/{branch}", tip, "0" * len(tip)],
                        root, mine())
        if done.returncode != 0:
            raise RepoError(f"{root}: branch {branch}: {_said(done)}")

    def withdraw(self, branch: str) -> None:
        """Take a branch back that publish() has just made."""
        root = self.base.root
        _run(["git", "-c", f"core.hooksPath={os.devnull}", "update-ref", "-d",
              f"refs/heads/{branch}"], root, mine())
        _run(["git", "config", "--unset",
              f"branch.{branch}.b4-prep-cover-strategy"], root, mine())

    def _modes(self, commit: str, names: Sequence[str]) -> dict[str, str]:
        if not names:
            return {}
        listed = self.git("--literal-pathspecs", "ls-tree", "-r", "-z",
                          commit, "--", *names)
        modes = {}
        for row in listed.split(b"\0"):
            if row:
                head, _, name = row.partition(b"\t")
                modes[os.fsdecode(name)] = head.split()[0].decode()
        return modes


@contextlib.contextmanager
def private(base: Base, place: Path) -> Iterator[Repo]:
    """Open a private repository over the tree, in a new folder of place.

    It is gone afterwards, also after a run that was killed.
    """
    place.mkdir(parents=True, exist_ok=True)
    with scratch.folder(PRIVATE, place.resolve()) as folder:
        repo = Repo(base, folder)
        (folder / "work").mkdir()
        for name in ("objects/info", "refs/heads", "info"):
            (repo.git_dir / name).mkdir(parents=True)
        (repo.git_dir / "HEAD").write_text("ref: refs/heads/none\n")
        text = _CONFIG.format(format=0 if base.format == "sha1" else 1)
        if base.format != "sha1":
            text += f"[extensions]\n\tobjectFormat = {base.format}\n"
        (repo.git_dir / "config").write_text(text)
        (repo.git_dir / "info/attributes").write_text(_ATTRIBUTES)
        (repo.git_dir / "objects/info/alternates").write_bytes(
            os.fsencode(base.objects) + b"\n")
        yield repo


def find_base(root: Path) -> Base:
    """Say what the tree's HEAD is, or why no series can be cut from it."""
    if shutil.which("git") is None:
        raise RepoError(f"{root}: git: not found: install git")
    asked = _look(root, "rev-parse", "--git-dir")
    if asked.returncode != 0 and b"not a git repository" in asked.stderr:
        raise RepoError(f"{root}: not a git repository, and a series is cut "
                        "from one: git init and commit the tree as it is")
    if asked.returncode != 0:
        raise RepoError(f"{root}: {_said(asked)}")
    if gitsafe.top(root.resolve()) != root.resolve():
        raise RepoError(f"{root}: not the top of its git repository")
    if _ask(root, "rev-parse", "--is-shallow-repository") == "true":
        raise RepoError(f"{root}: shallow clone: subject prefixes come from "
                        "the log: run git fetch --unshallow")
    commit = _ask(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if not commit:
        raise RepoError(f"{root}: HEAD names no commit")
    branch = _ask(root, "symbolic-ref", "--quiet", "--short", "HEAD")
    date = _ask(root, "log", "-1", "--no-show-signature", "--date=raw",
                "--format=%cd", commit)
    try:
        datetime.datetime.fromtimestamp(int(date.split()[0]),
                                        datetime.timezone.utc)
    except (IndexError, ValueError, OverflowError, OSError) as error:
        raise RepoError(f"{root}: HEAD's date is `{date}`, which no calendar "
                        "has") from error
    objects = Path(root, _ask(root, "rev-parse", "--git-path", "objects"))
    return Base(root, commit, branch,
                "@" + date, objects.resolve(),
                _ask(root, "rev-parse", "--show-object-format"))


def is_public(base: Base) -> bool:
    """Tell whether others can have the commit: a remote or a release does.

    The first commit of a repository is a snapshot that somebody took.
    """
    listed = _ask(base.root, "rev-list", "--parents", "-n1", base.commit)
    return len(listed.split()) > 1 and bool(_ask(
        base.root, "for-each-ref", "--count=1", f"--contains={base.commit}",
        "refs/remotes", "refs/tags/v[0-9]*"))


def identity(root: Path) -> Ident:
    """Return who the user is to git; nothing is guessed from the machine."""
    done = _run(["git", "-c", "user.useConfigOnly=true", "var",
                 "GIT_AUTHOR_IDENT"], root, mine())
    text = done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")
    name, _, rest = text.partition(" <")
    email, closed, _ = rest.rpartition("> ")
    if done.returncode != 0 or not closed:
        raise RepoError(f"{root}: no user.name and user.email for the mails' "
                        "From: run git config --global user.name NAME, and "
                        "user.email likewise")
    return Ident(name, email)


def check_branch(root: Path, branch: str) -> None:
    """Refuse a name that git refuses, or that is taken.

    b4 keeps the name of the branch that a series starts from, so there must
    be one; without BRANCH= a detached HEAD, as in CI, is as good.
    """
    if not _ask(root, "symbolic-ref", "--quiet", "--short", "HEAD"):
        raise RepoError(f"{root}: BRANCH={branch}: HEAD is detached, and a "
                        "branch starts from one: run git switch -c NAME")
    good = _run(["git", "check-ref-format", "--branch", branch], root,
                mine())
    if branch.startswith("-") or good.returncode != 0:
        raise RepoError(f"{root}: BRANCH={branch}: not a name for a branch")
    taken = _look(root, "show-ref", "--verify", "--quiet",
                  f"refs/heads/{branch}")
    if taken.returncode == 0:
        raise RepoError(f"{root}: BRANCH={branch}: the branch exists")


def enrol(root: Path, branch: str) -> None:
    """Tell b4 how the branch keeps its cover, as b4 prep does."""
    done = _run(["git", "config", f"branch.{branch}.b4-prep-cover-strategy",
                 "commit"], root, mine())
    if done.returncode != 0:
        raise RepoError(f"{root}: branch {branch}: {_said(done)}")


def neutral(home: Path) -> dict[str, str]:
    """Return an environment in which no user's setting has a say."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR")
            if name in os.environ}
    return {**kept, "HOME": str(home), "LC_ALL": "C", "TZ": "UTC",
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
            "GIT_EDITOR": "false", "GIT_PAGER": "cat",
            # A tie in get_maintainer.pl is broken by Perl's hash order.
            "PERL_HASH_SEED": "0", "PERL_PERTURB_KEYS": "0"}


def mine() -> dict[str, str]:
    """Return the user's environment, less what names another repository."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("GIT_") or name.startswith(_HEARD)}
    # git status and friends may refresh the index; these calls may not.
    return {**kept, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}


def _ask(root: Path, *args: str) -> str:
    done = _look(root, *args)
    return os.fsdecode(done.stdout).rstrip("\n") if done.returncode == 0 \
        else ""


def _look(root: Path, *args: str) -> subprocess.CompletedProcess[bytes]:
    """Ask about the tree's repository without running what it names."""
    try:
        return gitsafe.run(root, *args)
    except (OSError, scratch.ScratchError) as error:
        raise RepoError(f"{root}: {error}") from error


def _run(args: Sequence[str], folder: Path, env: Mapping[str, str],
         stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    if "GIT_DIR" not in env:
        args = [args[0], *gitsafe.allowed(folder), *args[1:]]
    return subprocess.run(args, cwd=folder, env=dict(env), input=stdin,
                          stdin=None if stdin is not None
                          else subprocess.DEVNULL, capture_output=True)


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    """Return the line that says why, of what git printed."""
    lines = (done.stderr + b"\n" + done.stdout).decode(
        "utf-8", "replace").strip().splitlines()
    for line in lines:
        if line.startswith(("error:", "fatal:")):
            return line
    return lines[0] if lines else f"exit status {done.returncode}"
