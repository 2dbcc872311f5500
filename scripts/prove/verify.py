# SPDX-License-Identifier: GPL-2.0-only
"""Compile what a change touches, before it and after each of its steps.

The tree is copied first, so that neither a configured tree stands in the way
of an out-of-tree build nor a build can write into it. One configuration is
made: the machine's defconfig and what the touched files need. Objects are
built with each function in a section of its own, which makes a difference in
a disassembly the difference of a function. A line counts as reached when the
preprocessor's output holds it, macro definitions included. A line of an inline
function in a header counts only where a file that is built calls the function,
since a compiler drops an inline function that nobody calls.

Data:   a tree, its files before, Steps -> Report.
Units:  section sizes in bytes; lines 1-based in the file as a step leaves it.
Errors: VerifyError, when nothing can be built here. Its message has the cause
        and paths of this machine, and is for the terminal; a mail can say no
        more than that nothing was built. A step that does not build is a
        Report, not an error.
Source: core.md's recipes in the design notes; v4.10, v4.20 and v6.1 with
        gcc 12.2 and binutils 2.40.
"""

from __future__ import annotations

import collections
import difflib
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from host import gitsafe, repo
from prove import kconfig

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
_ARCHES = {"x86_64": "x86", "i686": "x86", "aarch64": "arm64",
           "ppc64le": "powerpc", "s390x": "s390", "riscv64": "riscv"}
_WARNING = re.compile(r"^(?:\S*/src/)?([^\s:]+):\d+:(?:\d+:)? "
                      r"(warning: .*)$")
_MARKER = re.compile(r'^# (\d+) "([^"]*)"')
_FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")
_ADDRESS = re.compile(r"^\s*[0-9a-f]+:\s*")
# Where a string or table lies moves when another one grows.
_PLACE = re.compile(r"(\.(?:rodata|data|bss|init|LC|L)[\w.$]*|__bug_table)"
                    r"[+-]0x[0-9a-f]+")
# Before v4.11 x86 hands WARN_ON() its line in a register.
_WARN = re.compile(r"R_X86_64_\w+\s+warn_slowpath_")
_LINE = re.compile(r"\$0x[0-9a-f]+,%esi")
_CONDITION = re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b(.*)$")
_OBJECTS_A_HEADER = 64       # objects built for one header
# An inline function of a header, and a macro with arguments. Comments and
# strings are blank by then.
_INLINE = re.compile(r"^static\s[^;{}()#]*\binline\b[^;{}()#]*?"
                     r"\b(?P<name>\w+)\s*\((?P<args>[^;{}]*)\)\s*"
                     r"\{.*?^\}", re.MULTILINE | re.DOTALL)
_MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(?P<name>\w+)\("
                    r"(?:[^\n]*\\\n)*[^\n]*$", re.MULTILINE)
# What no build of this kernel compiles.
_OTHER_PROGRAMS = ("tools/", "Documentation/", "samples/", "usr/", "scripts/")
# What says why make stopped, as opposed to that it did.
_CAUSE = re.compile(r"error|\*\*\* |not found|no such|denied|cannot|can't"
                    r"|could not|undefined|multiple definition|missing"
                    r"|unable|failed|killed", re.IGNORECASE)
_NOISE = re.compile(r"^make(\[\d+\])?: (Entering|Leaving|Target |Nothing |warning"
                    r"|\*\*\* (\[|Waiting))|: warning: |: note: "
                    r"|^In file included|^\s+from |: In function |: In member "
                    r"|: At top level|^\s*\d* \|")


class VerifyError(Exception):
    """Nothing can be compiled here; the message says what is missing."""


@dataclass(frozen=True)
class Step:
    name: str
    contents: Mapping[str, bytes]    # the files it changes, as it leaves them


@dataclass(frozen=True)
class Object:
    """A touched object that built before and after."""

    name: str                        # "drivers/a/b.o"
    functions: tuple[str, ...]       # whose code changed; sorted
    added: tuple[str, ...]           # those of them that are new
    gone: tuple[str, ...]            # and those that are no more
    sizes: tuple[tuple[int, int], ...]   # text, data, bss: before and after
    identical: bool                  # to the byte


@dataclass(frozen=True)
class Built:
    step: str
    objects: tuple[Object, ...]
    warnings: tuple[str, ...]        # new ones: "file: warning: text"
    failed: tuple[tuple[str, str], ...]      # built before: object, error
    same: tuple[str, ...]            # untouched and byte-identical
    differ: tuple[str, ...]          # untouched, yet not identical
    changed: int                     # lines of code that the step changes
    unreached: tuple[tuple[str, int], ...]   # of those, in no object


@dataclass(frozen=True)
class Report:
    machine: str
    compiler: str                    # "gcc 12.2.0"
    steps: tuple[Built, ...]
    unbuilt: tuple[tuple[str, str], ...]     # not before either: object, why
    unwatched: tuple[tuple[str, str], ...]   # the same of untouched ones

    @property
    def good(self) -> bool:
        return not any(step.warnings or step.failed or step.differ
                       for step in self.steps)


@dataclass(frozen=True)
class _Room:
    """Where one tree is built."""

    folder: Path
    jobs: int
    machine: str
    version: tuple[int, int]

    @property
    def src(self) -> Path:
        return self.folder / "src"

    @property
    def build(self) -> Path:
        return self.folder / "build"

    @property
    def arch(self) -> str:
        return _ARCHES.get(self.machine, self.machine)


def run(root: Path, version: str, before: Mapping[str, bytes],
        steps: Sequence[Step], folder: Path, jobs: int,
        untouched: Iterable[str] = ()) -> Report:
    """Build the tree's objects before and after each step.

    folder is kept between runs: it holds the copy and the configured build.
    untouched names C files whose objects no step may change.
    """
    compiler = _toolchain(root)
    room = _Room(folder.resolve(), jobs, os.uname().machine, _pair(version))
    _copy(root, room)
    now = dict(before)
    _note(room, {*before, *(name for step in steps
                            for name in step.contents)})
    for name, content in before.items():
        _put(room, name, content)
    touched, coming = {}, dict(before)
    for step in steps:
        touched[step.name] = _objects(room, before, coming, step)
        coming.update(step.contents)
    every = sorted(set().union(*touched.values()))
    watched = sorted({_object(name) for name in untouched
                      if name.endswith(".c")} - set(every))
    _configure(room, [_source(name) for name in [*every, *watched]], steps,
               before)
    said = _make(room, [*every, *watched])
    first = {name: _Image.read(room, name) for name in [*every, *watched]
             if (room.build / name).is_file()}
    unbuilt, unwatched = (
        tuple((name, _error(said, name)) for name in names
              if name not in first) for names in (every, watched))
    warned = _warnings(said)
    built = []
    for number, step in enumerate(steps):
        for name, content in step.contents.items():
            _put(room, name, content)
        # A header the whole tree includes is watched through other files.
        look = [name for name in watched if name in first] \
            if number in (0, len(steps) - 1) else []
        objects = [name for name in touched[step.name] if name in first]
        one = _step(room, step, now, first, warned, objects, look)
        now.update(step.contents)
        built.append(one)
    return Report(room.machine, compiler, tuple(built), unbuilt, unwatched)


def since_head(root: Path) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return C files that differ from HEAD: as they were, and as they are.

    Files that git does not track are not among them, nor are deleted ones.
    Without a repository there are none.
    """
    listed = gitsafe.run(root, "diff", "--name-only", "-z", "--relative",
                         "--no-renames", "--no-ext-diff", "--diff-filter=M",
                         "HEAD", "--")
    before: dict[str, bytes] = {}
    after: dict[str, bytes] = {}
    for name in listed.stdout.split(b"\0") if not listed.returncode else ():
        file = os.fsdecode(name)
        if not file.endswith((".c", ".h")) \
                or not (root / file).is_file() or (root / file).is_symlink():
            continue
        old = gitsafe.run(root, "cat-file", "blob", f"HEAD:./{file}")
        if old.returncode:
            raise VerifyError(f"{file}: git cannot read it in HEAD: "
                              + old.stderr.decode("utf-8", "replace").strip())
        before[file] = old.stdout
        after[file] = (root / file).read_bytes()
    return before, after


def text(report: Report) -> str:
    """Return the report as people read it."""
    lines = [f"built for {report.machine} with {report.compiler}"]
    for one in report.steps:
        lines.append(f"{one.step}:")
        for each in one.objects:
            sizes = ", ".join(
                f"{name} {old} -> {new}" for name, (old, new) in zip(
                    ("text", "data", "bss"), each.sizes) if old != new)
            code = ", ".join(
                f"{name}()" + (" new" if name in each.added else
                               " gone" if name in each.gone else "")
                for name in each.functions)
            same = "byte-identical" if each.identical else "same code"
            lines.append(f"  {each.name}: {code or same}"
                         + (f"; {sizes}" if sizes else ""))
        lines += [f"  new {warning}" for warning in one.warnings]
        lines += [f"  {name}: does not build: {why}"
                  for name, why in one.failed]
        if one.same:
            lines.append(f"  untouched, byte-identical: "
                         f"{', '.join(one.same)}")
        lines += [f"  {name}: untouched, but not identical"
                  for name in one.differ]
        lines.append(f"  {one.changed - len(one.unreached)} of {one.changed} "
                     "changed lines of code were compiled")
        lines += [f"  {file}:{line}: reached by no build"
                  for file, line in one.unreached]
    lines += [f"{name}: does not build before the change either: {why}"
              for name, why in report.unbuilt]
    lines += [f"{name}: not touched, and not compared, since it does not "
              f"build here: {why}" for name, why in report.unwatched]
    return "\n".join(lines) + "\n"


def _toolchain(root: Path) -> str:
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


def _pair(version: str) -> tuple[int, int]:
    parts = re.findall(r"\d+", version)
    return (int(parts[0]), int(parts[1])) if len(parts) > 1 else (0, 0)


def _copy(root: Path, room: _Room) -> None:
    """Copy the tree, less what was built in it; reuse a copy that fits."""
    stamp = room.folder / "src.stamp"
    listed, mark = _list(root, room.folder)
    if room.src.is_dir() and stamp.is_file() \
            and stamp.read_text() == mark:
        _restore(root, room)
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


def _list(root: Path, copy: Path) -> tuple[bytes, str]:
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


def _put(room: _Room, name: str, content: bytes) -> None:
    """Write a file of the copy, unless it is so already."""
    path = room.src / name
    if path.is_file() and not path.is_symlink() \
            and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(content)


def _note(room: _Room, names: Iterable[str]) -> None:
    """Write down which files of the copy this run may change."""
    (room.folder / "src.changed").write_bytes(
        b"".join(os.fsencode(name) + b"\0" for name in sorted(names)))


def _restore(root: Path, room: _Room) -> None:
    """Give the copy the tree's files, where a run has changed them.

    Done before a run and not behind it, since a run may be killed.
    """
    noted = room.folder / "src.changed"
    names = noted.read_bytes().split(b"\0")[:-1] if noted.is_file() else []
    for name in map(os.fsdecode, names):
        if (root / name).is_file():
            _put(room, name, (root / name).read_bytes())
        else:
            (room.src / name).unlink(missing_ok=True)


def _object(file: str) -> str:
    return file[:-2] + ".o"


def _source(name: str) -> str:
    return name[:-2] + ".c"


def _objects(room: _Room, before: Mapping[str, bytes],
             now: Mapping[str, bytes], step: Step) -> list[str]:
    """Return the objects that show what a step does to the files of now."""
    found = {_object(name) for name in step.contents if name.endswith(".c")}
    for name in step.contents:
        if name.endswith(".c"):
            continue
        if name.startswith("include/"):
            # Half the tree includes it. Who calls what the step changes in it
            # shows the step, and so do its users in the series.
            found |= {_object(file) for file in before
                      if file.endswith(".c")}
            found |= {_object(file) for file in _callers(
                room, _changed_names(now.get(name, b""),
                                     step.contents[name]))}
            continue
        include = re.compile(rb'^\s*#\s*include\s+["<]([^">]*/)?'
                             + re.escape(os.fsencode(Path(name).name))
                             + rb'[">]', re.MULTILINE)
        users = [path for path in sorted((room.src / name).parent
                                         .glob("*.c"))
                 if include.search(path.read_bytes())]
        found |= {_object(str(path.relative_to(room.src)))
                  for path in users[:_OBJECTS_A_HEADER]}
    return sorted(found)


def _changed_names(old: bytes, new: bytes) -> set[str]:
    """Return the inline functions and macros that differ in code."""
    known = _definitions(old)
    return {name for name, part in _definitions(new).items()
            if known.get(name) != part}


def _definitions(content: bytes) -> dict[str, str]:
    """Return inline functions and macros of a header, without its comments."""
    bare = _without_comments(content.decode("latin-1"))
    return {found["name"]: " ".join(found[0].split())
            for pattern in (_INLINE, _MACRO)
            for found in pattern.finditer(bare)}


def _callers(room: _Room, names: Iterable[str]) -> list[str]:
    """Return the C files of the copy that name one of the names."""
    words = "|".join(sorted(names))
    if not words:
        return []
    done = subprocess.run(
        ["grep", "-rlwE", "-Z", "--include=*.c", "-e", words, "."],
        cwd=room.src, stdin=subprocess.DEVNULL, capture_output=True,
        env=repo.neutral(room.folder))
    if done.returncode > 1 or done.returncode < 0:
        raise VerifyError(f"{room.src}: grep: "
                          + done.stderr.decode("utf-8", "replace").strip())
    files = sorted(os.fsdecode(name).removeprefix("./")
                   for name in done.stdout.split(b"\0") if name)
    return [name for name in files
            if not name.startswith(_OTHER_PROGRAMS)
            and (not name.startswith("arch/")
                 or name.startswith(f"arch/{room.arch}/"))
            ][:_OBJECTS_A_HEADER]


def _configure(room: _Room, files: Sequence[str], steps: Sequence[Step],
               before: Mapping[str, bytes]) -> None:
    """Make a .config in which the files are compiled; keep one that fits."""
    config = room.build / ".config"
    wanted = sorted(set(files))
    stamp = room.folder / "config.stamp"
    key = "\n".join([*wanted, *_named(steps, before)])
    if config.is_file() and stamp.is_file() and stamp.read_text() == key:
        return
    stamp.unlink(missing_ok=True)
    room.build.mkdir(exist_ok=True)
    _must(room, "defconfig")
    if not (room.src / "Kconfig").is_file():
        return
    have = set(re.findall(r"^CONFIG_(\w+)=[ym]$", config.read_text(),
                          re.MULTILINE))
    on = {*kconfig.options(room.src, room.arch, wanted, have),
          *kconfig.close(room.src, room.arch, _named(steps, before), have),
          *_ON}
    with config.open("a") as out:
        out.writelines(f"CONFIG_{name}=y\n" for name in sorted(on))
        out.writelines(f"# CONFIG_{name} is not set\n" for name in _OFF)
    _must(room, "olddefconfig")
    _must(room, "prepare")
    if room.version < (5, 4):
        _must(room, "scripts")
    stamp.write_text(key)


def _named(steps: Sequence[Step], before: Mapping[str, bytes]) -> list[str]:
    """Return the options in whose #if branches a step changes lines."""
    found: set[str] = set()
    now = dict(before)
    for step in steps:
        for name, content in step.contents.items():
            lines = content.split(b"\n")
            changed = set(_changed(now.get(name, b""), content))
            stack: list[set[str]] = []
            for number, line in enumerate(lines, 1):
                known = _CONDITION.match(line.decode("latin-1"))
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


def _must(room: _Room, target: str) -> None:
    done = _call(room, [target])
    if done.returncode != 0:
        log = room.folder / "make.log"
        log.write_text(done.stdout + done.stderr)
        raise VerifyError(
            f"make {target}: {_cause(done.stderr or done.stdout)}; "
            f"all that it printed is in {log}")


def _make(room: _Room, targets: Sequence[str]) -> str:
    """Build the targets anew, as many as can be, and return what was said."""
    for name in targets:
        (room.build / name).unlink(missing_ok=True)
    if not targets:
        return ""
    # A target the configuration leaves out stops the others before they
    # are tried, so those that are missing get a second chance, alone.
    said = _call(room, ["-k", *targets]).stderr
    left = [name for name in targets if not (room.build / name).is_file()]
    if 0 < len(left) < len(targets) or len(targets) > 1 and left:
        said += "".join(_call(room, [name]).stderr for name in left)
    return said


def _call(room: _Room, words: Sequence[str]
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


def _forget_line(lines: list[str]) -> None:
    """Take out the line number that the call at the end is given.

    Other arguments and their relocations may stand between the two.
    """
    for place in range(len(lines) - 3, max(-1, len(lines) - 16), -1):
        if lines[place].startswith("call"):
            return
        if _LINE.search(lines[place]):
            lines[place] = _LINE.sub("$line,%esi", lines[place])
            return


@dataclass(frozen=True)
class _Image:
    """What an object file holds."""

    digest: str
    sizes: tuple[int, int, int]
    code: Mapping[str, str]          # by function: instructions, normalised

    @staticmethod
    def read(room: _Room, name: str) -> _Image:
        path = room.build / name
        sizes = subprocess.run(["size", str(path)], capture_output=True,
                               text=True).stdout.splitlines()[-1].split()
        dump = subprocess.run(
            ["objdump", "-dr", "--no-show-raw-insn", str(path)],
            capture_output=True, text=True, errors="replace").stdout
        code: dict[str, list[str]] = {}
        lines: list[str] = []
        for line in dump.splitlines():
            head = _FUNCTION.match(line)
            if head:
                lines = code.setdefault(head[1], [])
            elif line.startswith("Disassembly"):
                lines = []
            elif line:
                lines.append(_PLACE.sub(r"\1", _ADDRESS.sub("", line)))
                if _WARN.search(line):
                    _forget_line(lines)
        return _Image(hashlib.sha256(path.read_bytes()).hexdigest(),
                      (int(sizes[0]), int(sizes[1]), int(sizes[2])),
                      {name: "\n".join(part) for name, part in code.items()})


def _step(room: _Room, step: Step, now: Mapping[str, bytes],
          first: dict[str, _Image], warned: collections.Counter[str],
          objects: Sequence[str], look: Sequence[str]) -> Built:
    """Build one step whose files are in place, and compare."""
    # What the preprocessor makes of the changed files is asked for as well;
    # of those that include a changed header only where that is not enough.
    near = [name for name in objects if _source(name) in step.contents] \
        or list(objects[:2])
    said = _make(room, [*objects, *look,
                        *(name[:-2] + ".i" for name in near)])
    done, failed, same, differ = [], [], [], []
    for name in objects:
        if not (room.build / name).is_file():
            failed.append((name, _error(said, name)))
            continue
        image, old = _Image.read(room, name), first[name]
        done.append(Object(
            name, tuple(sorted(
                each for each in {*image.code, *old.code}
                if image.code.get(each) != old.code.get(each))),
            tuple(sorted({*image.code} - {*old.code})),
            tuple(sorted({*old.code} - {*image.code})),
            tuple(zip(old.sizes, image.sizes)), image.digest == old.digest))
        # The next step is compared with what this one left.
        first[name] = image
    for name in look:
        path = room.build / name
        if path.is_file() and first[name].digest == hashlib.sha256(
                path.read_bytes()).hexdigest():
            same.append(name)
        elif path.is_file():
            differ.append(name)
        else:
            failed.append((name, _error(said, name)))
    new = _warnings(said) - warned
    changed = {name: _code_lines(content, _changed(now.get(name, b""),
                                                   content))
               for name, content in step.contents.items()}
    missed = _missed(room, near, step.contents, changed)
    if missed and len(near) < len(done):
        every = [each.name for each in done]
        _make(room, [name[:-2] + ".i" for name in every if name not in near])
        missed = _missed(room, every, step.contents, changed)
    return Built(step.name, tuple(done), tuple(sorted(new.elements())),
                 tuple(failed), tuple(same), tuple(differ),
                 sum(map(len, changed.values())), missed)


def _warnings(said: str) -> collections.Counter[str]:
    """Count the compiler's warnings; where in a file they are may move."""
    return collections.Counter(
        f"{found[1]}: {found[2]}" for found in map(_WARNING.match,
                                                   said.splitlines())
        if found)


def _error(said: str, name: str) -> str:
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


def _cause(said: str) -> str:
    """Return the first lines that tell why make stopped.

    The last lines tell that it stopped; the cause is what a tool printed
    before. A warning is no cause, nor are the lines that show its place.
    """
    lines = [line.strip() for line in said.splitlines()
             if line.strip() and not _NOISE.search(line)]
    told = [line for line in lines if _CAUSE.search(line)] or lines[-2:] \
        or [line.strip() for line in said.splitlines() if "*** " in line]
    return "; ".join(told[:2]) or "it failed and printed nothing"


def _changed(old: bytes, new: bytes) -> list[int]:
    """Return the lines of new, 1-based, that old does not have."""
    a, b = old.split(b"\n"), new.split(b"\n")
    head = 0
    while head < min(len(a), len(b)) and a[head] == b[head]:
        head += 1
    tail = 0
    while tail < min(len(a), len(b)) - head and a[-1 - tail] == b[-1 - tail]:
        tail += 1
    match = difflib.SequenceMatcher(None, a[head:len(a) - tail],
                                    b[head:len(b) - tail], autojunk=False)
    return [head + line + 1 for tag, _, _, low, high in match.get_opcodes()
            if tag in ("replace", "insert") for line in range(low, high)]


def _code_lines(content: bytes, lines: Iterable[int]) -> list[int]:
    """Return those of the lines that hold more than comment and space."""
    bare = _without_comments(content.decode("latin-1")).split("\n")
    return [line for line in lines if line <= len(bare)
            and bare[line - 1].strip(" \t\r\\")]


def _without_comments(code: str) -> str:
    """Blank comments, keeping strings and the place of every line."""
    return re.sub(
        r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'",
        lambda found: re.sub(r"[^\n]", " ", found[0])
        if found[0].startswith("/") else found[0], code, flags=re.DOTALL)


def _missed(room: _Room, objects: Sequence[str],
            contents: Mapping[str, bytes],
            changed: Mapping[str, Sequence[int]]
            ) -> tuple[tuple[str, int], ...]:
    """Return the changed lines that no build compiles.

    Those that the preprocessor let through nowhere, and those of inline
    functions that no file calls which is built.
    """
    seen: dict[str, set[int]] = {name: set() for name in contents}
    inlines = {name: _inlines(content) for name, content in contents.items()
               if name.endswith(".h")}
    names = {function for inside in inlines.values() for function in inside}
    called: set[str] = set()
    for name in objects:
        path = room.build / (name[:-2] + ".i")
        if path.is_file():
            _scan(room, path.read_text("latin-1"), seen, names, called)
    _follow(inlines, contents, called)
    idle = {name: {line for function, (first, last) in inside.items()
                   if function not in called
                   for line in range(first, last + 1)}
            for name, inside in inlines.items()}
    return tuple(
        (name, line) for name, lines in sorted(changed.items())
        for line in sorted({*lines} - (_spread(contents[name], seen[name])
                                       - idle.get(name, set()))))


def _inlines(content: bytes) -> dict[str, tuple[int, int]]:
    """Return the first and last line of each inline function."""
    bare = _without_comments(content.decode("latin-1"))
    return {found["name"]: (bare.count("\n", 0, found.start()) + 1,
                            bare.count("\n", 0, found.end()) + 1)
            for found in _INLINE.finditer(bare)}


def _follow(inlines: Mapping[str, Mapping[str, tuple[int, int]]],
            contents: Mapping[str, bytes], called: set[str]) -> None:
    """Add the inline functions that a called one of the headers calls."""
    bodies = {}
    for name, inside in inlines.items():
        rows = _without_comments(contents[name].decode("latin-1")).split("\n")
        bodies.update({function: {*re.findall(
            r"\w+", "\n".join(rows[first - 1:last]))}
            for function, (first, last) in inside.items()})
    while True:
        more = {other for function in called for other in bodies
                if other in bodies.get(function, ())} - called
        if not more:
            return
        called |= more


def _scan(room: _Room, output: str, seen: Mapping[str, set[int]],
          names: set[str], called: set[str]) -> None:
    """Note which lines of the files stand in a preprocessor's output.

    Of the names, those go into called that a line of a C file has.
    """
    known: dict[str, set[int] | None] = {}
    lines: set[int] | None = None
    number = 0
    source = False
    for line in output.split("\n"):
        marker = _MARKER.match(line)
        if marker:
            number = int(marker[1])
            name = marker[2]
            if name not in known:
                real = os.path.normpath(os.path.join(room.build, name))
                inside = os.path.relpath(real, room.src)
                if not os.path.exists(real):     # named from the source
                    inside = os.path.normpath(name)
                known[name] = seen.get(inside)
            lines = known[name]
            source = name.endswith(".c")
            continue
        if lines is not None and line.strip():
            lines.add(number)
        if source and names and not line.startswith("#"):
            called.update(names.intersection(re.findall(r"\w+", line)))
        number += 1


def _spread(content: bytes, lines: set[int]) -> set[int]:
    """Add the lines that the preprocessor folds into one of the lines.

    The arguments of a macro come out where its name stands, and a
    definition where it begins. Conditions come out nowhere.
    """
    rows = _without_comments(content.decode("latin-1")).split("\n")
    reached = set(lines)
    depth = 0
    for number, row in enumerate(rows, 1):
        above = number > 1 and (depth > 0 or rows[number - 2].rstrip("\r")
                                .endswith("\\"))
        if above and number - 1 in reached and not _CONDITION.match(row):
            reached.add(number)
        if _CONDITION.match(row):
            reached.add(number)
            continue
        plain = re.sub(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", "", row)
        depth = max(0, depth + plain.count("(") - plain.count(")"))
        if row.lstrip().startswith("#"):
            depth = 0
    return reached
