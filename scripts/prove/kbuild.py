# SPDX-License-Identifier: GPL-2.0-only
"""Copy a tree, configure it, and run its make in the copy.

Neither a configured tree stands in the way of a build, nor does a build write
to the tree.

Data:   a tree -> a copy below OUT; targets -> what make printed.
Errors: VerifyError, with the first line of make's output that has a cause.
"""

from __future__ import annotations

import collections
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from host import gitsafe, repo
from prove import kconfig
from prove.builds import Room, Step, VerifyError
from prove.reached import CONDITION, changed_lines

# Each one stops an old tree from building with today's tools, or slows it.
_OFF = ("STACK_VALIDATION", "UNWINDER_ORC", "ORC_UNWINDER", "RETPOLINE",
        "MITIGATION_RETPOLINE", "STACKPROTECTOR", "CC_STACKPROTECTOR",
        "CC_STACKPROTECTOR_REGULAR", "CC_STACKPROTECTOR_STRONG", "MODULE_SIG",
        "WERROR", "SECURITY_SELINUX", "DEBUG_INFO", "GCC_PLUGINS",
        "SYSTEM_TRUSTED_KEYRING", "IKHEADERS", "DRM_I915_WERROR",
        "DRM_WERROR")
_ON = ("UNWINDER_FRAME_POINTER", "CC_STACKPROTECTOR_NONE",
       "DEBUG_INFO_NONE")
# What a configured or built tree holds that a copy must not.
_MADE = ("*.o", "*.a", "*.ko", "*.cmd", "*.mod", "*.order", ".*.d",
         "./.config*", "./include/generated", "./include/config",
         "./arch/*/include/generated", "./.git", "./vmlinux*",
         "./.tmp_*", "./System.map")
_WARNING = re.compile(r"^(?:\S*/src/)?([^\s:]+):\d+:(?:\d+:)? "
                      r"(warning: .*)$")
# What says why make stopped, as opposed to that it did.
_CAUSE = re.compile(r"error|\*\*\* |not found|no such|denied|cannot|can't"
                    r"|could not|undefined|multiple definition|missing"
                    r"|unable|failed|killed", re.IGNORECASE)
_NOISE = re.compile(r"^make(\[\d+\])?: (Entering|Leaving|Target |Nothing |warning"
                    r"|\*\*\* (\[|Waiting))|: warning: |: note: "
                    r"|^In file included|^\s+from |: In function |: In member "
                    r"|: At top level|^\s*\d* \|")


def toolchain(root: Path) -> str:
    """Return the compiler's name, or say which tool is not there."""
    need = ["make", "gcc", "ld", "objdump", "size", "nice", "tar"]
    if (root / "scripts/kconfig").is_dir():
        need += ["flex", "bison", "bc"]
    gone = [name for name in need if shutil.which(name) is None]
    if gone:
        raise VerifyError(f"no {', '.join(gone)} here: run make deps")
    done = subprocess.run(["gcc", "-dumpfullversion"], capture_output=True,
                          text=True)
    return f"gcc {done.stdout.strip()}"


def pair(version: str) -> tuple[int, int]:
    parts = re.findall(r"\d+", version)
    return (int(parts[0]), int(parts[1])) if len(parts) > 1 else (0, 0)


def copy_tree(root: Path, room: Room) -> None:
    """Copy the tree, less what was built in it; reuse a copy that fits."""
    stamp = room.folder / "src.stamp"
    listed, mark = list_files(root, room.folder)
    if room.src.is_dir() and stamp.is_file() \
            and stamp.read_text() == mark:
        restore(root, room)
        return
    stamp.unlink(missing_ok=True)
    # The folder itself stays: a mark in it says that it is ours.
    for made in (room.src, room.build):
        shutil.rmtree(made, ignore_errors=True)
    for name in ("config.stamp", "src.changed"):
        (room.folder / name).unlink(missing_ok=True)
    room.src.mkdir(parents=True)
    read = ["tar", "-C", str(root), "-cf", "-"]
    if listed:
        read += ["--null", "--no-recursion", "--verbatim-files-from",
                 "--files-from=-"]
    else:
        read += [*(f"--exclude={name}" for name in _MADE), *(
            [f"--exclude=./{os.path.relpath(room.folder, root)}"]
            if room.folder.is_relative_to(root) else []), "."]
    with subprocess.Popen(["tar", "-C", str(room.src), "-xf", "-"],
                          stdin=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as write:
        done = subprocess.run(read, input=listed, stdout=write.stdin,
                              stderr=subprocess.PIPE)
        assert write.stdin is not None
        write.stdin.close()
    if done.returncode or write.returncode:
        raise VerifyError(f"{root}: could not be copied to {room.src}: "
                          + done.stderr.decode("utf-8", "replace").strip())
    stamp.write_text(mark)


def list_files(root: Path, copy: Path) -> tuple[bytes, str]:
    """Return what git tracks, NUL separated, and a mark of its state.

    Without git, the mark is of all that is not below copy.
    """
    done = gitsafe.run(root, "ls-files", "-z") \
        if shutil.which("git") and (root / ".git").exists() else None
    listed = done.stdout if done and done.returncode == 0 else b""
    digest = hashlib.sha256(os.fsencode(root))
    if listed:
        names = [name for name in sorted(set(listed.split(b"\0")))
                 if name and os.path.lexists(os.path.join(
                     os.fsencode(root), name))]
        listed = b"\0".join(names) + b"\0"
    else:
        mine = os.fsencode(copy) + b"/"
        names = sorted(os.path.join(folder, name) for folder, _, files
                       in os.walk(os.fsencode(root)) for name in files
                       if not (folder + b"/").startswith(mine))
    for name in names:
        info = os.lstat(os.path.join(os.fsencode(root), name))
        digest.update(b"%s %d %d\n" % (name, info.st_size, info.st_mtime_ns))
    return listed, digest.hexdigest()


def put_file(room: Room, name: str, content: bytes) -> None:
    """Write a file of the copy, unless it is so already."""
    path = room.src / name
    if path.is_file() and not path.is_symlink() \
            and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(content)


def note_removed(room: Room, names: Iterable[str]) -> None:
    """Write down which files of the copy this run may change."""
    (room.folder / "src.changed").write_bytes(
        b"".join(os.fsencode(name) + b"\0" for name in sorted(names)))


def restore(root: Path, room: Room) -> None:
    """Give the copy the tree's files, where a run has changed them.

    Done before a run and not behind it, since a run may be killed.
    """
    noted = room.folder / "src.changed"
    names = noted.read_bytes().split(b"\0")[:-1] if noted.is_file() else []
    for name in map(os.fsdecode, names):
        if (root / name).is_file():
            put_file(room, name, (root / name).read_bytes())
        else:
            (room.src / name).unlink(missing_ok=True)


def configure(room: Room, files: Sequence[str], steps: Sequence[Step],
              before: Mapping[str, bytes]) -> None:
    """Make a .config in which the files are compiled; keep one that fits."""
    config = room.build / ".config"
    wanted = sorted(set(files))
    stamp = room.folder / "config.stamp"
    key = "\n".join([*wanted, *named_files(steps, before)])
    if config.is_file() and stamp.is_file() and stamp.read_text() == key:
        return
    stamp.unlink(missing_ok=True)
    room.build.mkdir(exist_ok=True)
    must_make(room, "defconfig")
    if not (room.src / "Kconfig").is_file():
        return
    have = set(re.findall(r"^CONFIG_(\w+)=[ym]$", config.read_text(),
                          re.MULTILINE))
    on = {*kconfig.options(room.src, room.arch, wanted, have),
          *kconfig.close(room.src, room.arch, named_files(steps, before),
                         have),
          *_ON}
    with config.open("a") as out:
        out.writelines(f"CONFIG_{name}=y\n" for name in sorted(on))
        out.writelines(f"# CONFIG_{name} is not set\n" for name in _OFF)
    must_make(room, "olddefconfig")
    must_make(room, "prepare")
    if room.version < (5, 4):
        must_make(room, "scripts")
    stamp.write_text(key)


def named_files(steps: Sequence[Step],
                before: Mapping[str, bytes]) -> list[str]:
    """Return the options in whose #if branches a step changes lines."""
    found: set[str] = set()
    now = dict(before)
    for step in steps:
        for name, content in step.contents.items():
            lines = content.split(b"\n")
            changed = set(changed_lines(now.get(name, b""), content))
            stack: list[set[str]] = []
            for number, line in enumerate(lines, 1):
                known = CONDITION.match(line.decode("latin-1"))
                if known and known[1] in ("if", "ifdef", "ifndef"):
                    stack.append(set())
                if known and stack:
                    stack[-1] = set() if known[1] == "ifndef" \
                        else set(re.findall(r"CONFIG_(\w+)", known[2]))
                    if known[1] == "endif":
                        stack.pop()
                if number in changed:
                    found.update(*stack)
        now.update(step.contents)
    return sorted(found)


def must_make(room: Room, target: str) -> None:
    done = run_quietly(room, [target])
    if done.returncode != 0:
        log = room.folder / "make.log"
        log.write_text(done.stdout + done.stderr)
        raise VerifyError(
            f"make {target}: {cause(done.stderr or done.stdout)}; "
            f"all that it printed is in {log}")


def make_targets(room: Room, targets: Sequence[str]) -> str:
    """Build the targets anew, as many as can be, and return what was said."""
    for name in targets:
        (room.build / name).unlink(missing_ok=True)
    if not targets:
        return ""
    # A target the configuration leaves out stops the others before they
    # are tried, so those that are missing get a second chance, alone.
    said = run_quietly(room, ["-k", *targets]).stderr
    left = [name for name in targets if not (room.build / name).is_file()]
    if 0 < len(left) < len(targets) or len(targets) > 1 and left:
        said += "".join(run_quietly(room, [name]).stderr for name in left)
    return said


def run_quietly(room: Room, words: Sequence[str]
                ) -> subprocess.CompletedProcess[str]:
    # -Wno-error, never -w: -w also silences the wrong iterator type. The
    # last two keep #define and #include in .i, and do nothing to an object.
    flags = ["-Wno-error", "-Werror=incompatible-pointer-types",
             "-ffunction-sections", "-dD", "-dI"]
    extra = []
    if room.version < (4, 9):
        flags.append("-fno-pie")
    if room.version < (5, 6):
        extra.append("HOSTCFLAGS=-O2 -fcommon -w")
    # Old trees name bash and perl scripts without a bit to run them by.
    env = {**repo.neutral(room.folder), "KBUILD_BUILD_TIMESTAMP": "0",
           "KBUILD_BUILD_USER": "verify", "KBUILD_BUILD_HOST": "verify"}
    return subprocess.run(
        ["nice", "-n", "10", "make", "-C", str(room.src),
         f"O={room.build}", f"-j{room.jobs}", f"KCFLAGS={' '.join(flags)}",
         *extra, *words], env=env, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        errors="replace")


def warnings_of(said: str) -> collections.Counter[str]:
    """Count the compiler's warnings; where in a file they are may move."""
    return collections.Counter(
        f"{found[1]}: {found[2]}" for found in map(_WARNING.match,
                                                   said.splitlines())
        if found)


def error_of(said: str, name: str) -> str:
    """Return the first line of what was said that is about the object."""
    stem = name[:-2]
    lines = [line.strip() for line in said.splitlines()]
    for line in lines:
        if stem in line and ("error:" in line or "No rule" in line):
            return line[line.find(stem):] if "error:" in line else line
    for line in lines:
        if "error:" in line:
            return line
    return "not part of this configuration"


def cause(said: str) -> str:
    """Return the first lines that tell why make stopped.

    The last lines tell that it stopped; the cause is what a tool printed
    before. A warning is no cause, nor are the lines that show its place.
    """
    lines = [line.strip() for line in said.splitlines()
             if line.strip() and not _NOISE.search(line)]
    told = [line for line in lines if _CAUSE.search(line)] or lines[-2:] \
        or [line.strip() for line in said.splitlines() if "*** " in line]
    return "; ".join(told[:2]) or "it failed and printed nothing"
