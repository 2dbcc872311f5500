# SPDX-License-Identifier: GPL-2.0-only
"""Boot a kernel that walks its own lists, and say what it found.

    boot.py [--with qemu|uml|kunit] [--as-is] [--jobs N] [--out DIR] KERNEL

qemu   x86_64 under software emulation, with intel-iommu: the named cases, and
       lists that a real mapping merged; v5.14 and later.
uml    user mode Linux, the named cases; v4.20 too.
kunit  the same as a KUnit suite, run by the tree's own kunit.py.

The tree is copied and only read. A tree without the core API gets it as make
apply installs it; a tree with the API gets the corrections of FIX=1, unless
--as-is is given: then it is booted as it is, to see what they are for. Nothing is copied or built again when nothing has changed.

Data:   tree -> a table on stdout, last line `N passed, N failed`; the logs
        and what is built stay in DIR (out/boot).
Units:  limits in seconds of wall-clock time.
Errors: BootError, when there is no kernel or it does not come to an end. Exit
        status 0 all passed, 1 a test failed, 2 it could not be tried.
Source: the configuration as found by experiment; what the kernel prints is
        judged by ktap.py, and no exit status is believed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

if not __package__:                  # run as a program
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from read import campaigns, core
from read.campaign import Callers, Campaign
from prove import ktap, suite

ROOT = Path(__file__).resolve().parents[2]
_BUILD_LIMIT = 5400
_BOOT_LIMIT = 300

# A copy of a tree that was built in its own folder must be clean for O=.
_LEFT_BEHIND = {".git", ".config", "include/config", "include/generated"}
_LEFT_BEHIND_IN_ARCH = "include/generated"

_SPLAT = re.compile(r"(WARNING:|BUG:|kernel BUG at|Oops|Call Trace"
                    r"|Kernel panic|DMAR: .*[Ff]ault"
                    r"|DMA-API: .*(?:error|exceed|not))")

# tinyconfig and what an IOMMU that merges, and is watched, needs.
_QEMU = """64BIT SMP PRINTK BUG KALLSYMS MULTIUSER TTY SERIAL_8250
SERIAL_8250_CONSOLE PCI PCI_MSI ACPI X86_X2APIC IRQ_REMAP IOMMU_SUPPORT
IOMMU_DEFAULT_DMA_STRICT INTEL_IOMMU INTEL_IOMMU_DEFAULT_ON DEBUG_KERNEL
DEBUG_SG DMA_API_DEBUG DMA_API_DEBUG_SG""".split()

# UML's own defconfig: tinyconfig lacks 64BIT and does not build.
_UML = "64BIT PRINTK BUG DEBUG_KERNEL DEBUG_SG".split()
_UML_NOT = """NET MODULES BLOCK EXT4_FS SOUND HOSTAUDIO SWAP CGROUPS QUOTA
AUTOFS_FS AUTOFS4_FS REISERFS_FS JOLIET ZISOFS PROC_KCORE BLK_DEV_UBD""".split()

# What gcc 12 needs for trees before v5.1: common symbols in the host tools, and
# not to stop at warnings that the tree's own -Werror never knew.
_OLD_COMPILER = ("HOSTCFLAGS=-O2 -fcommon -w", "KCFLAGS=-Wno-error")

# Files of boot/ that are added to the end of those of lib/.
_WIRING = ("Makefile", "Kconfig")


class BootError(Exception):
    """There is no kernel to judge; the message says what was tried."""


@dataclass(frozen=True)
class Machine:
    """How a kind of kernel is made and started; both commands run in src."""

    arch: str
    config: str                       # the target that makes a .config
    on: tuple[str, ...]
    off: tuple[str, ...]
    target: str
    start: tuple[str, ...]            # {objs} stands for the build folder


MACHINES = {
    "qemu": Machine(
        "x86_64", "tinyconfig", tuple(_QEMU), (), "bzImage",
        ("qemu-system-x86_64", "-M", "q35", "-m", "256", "-nographic",
         "-no-reboot", "-kernel", "{objs}/arch/x86/boot/bzImage", "-append",
         # The last: a busy host is late with ticks, which is no broken timer.
         "console=ttyS0 intel_iommu=on panic=-1 no_timer_check",
         "-device", "intel-iommu", "-device", "e1000")),
    "uml": Machine(
        "um", "x86_64_defconfig", tuple(_UML), tuple(_UML_NOT), "linux",
        ("{objs}/linux", "mem=64M", "con0=fd:0,fd:1", "con=null",
         "panic=-1")),
}


KINDS = (*MACHINES, "kunit")


@dataclass(frozen=True)
class Booted:
    report: ktap.Report
    splats: tuple[str, ...]           # what no healthy walk makes it print
    log: Path
    built: bool                       # False when an earlier build was used

    @property
    def wrong(self) -> int:
        """How much keeps it from being a success; a case skipped does too."""
        return len(self.report.tests) \
            - self.report.count(ktap.Verdict.PASSED) \
            + len(self.report.complaints) + len(self.splats)

    @property
    def holds(self) -> bool:
        return bool(self.report.tests) and not self.wrong


def boot(campaign: Campaign, tree: Path, kind: str, out: Path, jobs: int,
         as_is: bool) -> Booted:
    """Build, start and judge one kind of kernel."""
    state, strict = core.probe(campaign, tree), campaign.state(Callers.NEW)
    if not (campaign.patches / "boot").is_dir() or strict is None:
        raise BootError(f"{campaign.name}: has no cases for a kernel")
    if as_is and state != strict:
        raise BootError(f"{tree}: has no {campaign.new_term} to try as it is")
    changes = {} if as_is else core.install(campaign, tree, strict,
                                            fix=state == strict)
    changes.update(_tests(campaign, tree, kind))
    name = f"{tree.name}-{hashlib.sha1(os.fsencode(tree)).hexdigest()[:8]}"
    src, objs = out / name / "src", out / name / kind
    objs.mkdir(parents=True, exist_ok=True)
    log = objs / ("boot-as-is.log" if as_is else "boot.log")
    stamp = objs / "stamp"
    told = _identity(tree, changes, kind)
    built = not stamp.exists() or stamp.read_text() != told
    if built:
        stamp.unlink(missing_ok=True)
    # kunit.py makes what is out of date on its own, so that the source has to
    # be its own too: another kind may have been made of it in between.
    if built or kind == "kunit":
        _copy(tree, src, changes)
    if kind == "kunit":
        text = _run_kunit(campaign, src, objs, jobs)
    else:
        if built:
            _build(src, objs, MACHINES[kind], jobs,
                   _OLD_COMPILER if state is not None
                   and state.callers is Callers.OLD else ())
        text = _start(src, objs, MACHINES[kind])
    log.write_text(text)
    report = ktap.parse(text)
    if report.tests:
        stamp.write_text(told)
    return Booted(report, _splats(text), log, built)


def _tests(campaign: Campaign, tree: Path, kind: str) -> dict[str, bytes]:
    """Return the files that bring the tests into the tree."""
    tests = suite.Suite(campaign)
    if kind == "kunit":
        return tests.install(tree)
    folder = campaign.patches / "boot"
    files = {f"lib/{path.name}": path.read_bytes()
             for path in (*sorted(folder.glob("*.c")), *tests.shared)}
    for name in _WIRING:
        files[f"lib/{name}"] = (tree / "lib" / name).read_bytes() \
            + (folder / name).read_bytes()
    return files


def _walk(tree: Path) -> Iterator[str]:
    """Return all files and links of a tree that belong to its source."""
    for folder, folders, names in os.walk(tree):
        here = os.path.relpath(folder, tree)
        prefix = "" if here == "." else here + "/"
        links = [name for name in folders
                 if os.path.islink(os.path.join(folder, name))]
        folders[:] = sorted(
            name for name in folders if name not in links
            and prefix + name not in _LEFT_BEHIND
            and not (prefix.startswith("arch/") and
                     (prefix + name).endswith(_LEFT_BEHIND_IN_ARCH)))
        for name in sorted(names + links):
            if prefix + name not in _LEFT_BEHIND:
                yield prefix + name


def _identity(tree: Path, changes: dict[str, bytes], kind: str) -> str:
    """Return a digest of all that the kernel is made of."""
    digest = hashlib.sha256(repr(MACHINES.get(kind, kind)).encode())
    for name in _walk(tree):
        status = os.lstat(tree / name)
        digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n"
                      .encode(errors="surrogateescape"))
    for name in sorted(changes):
        digest.update(name.encode() + b"\0" + changes[name])
    return digest.hexdigest()


def _copy(tree: Path, src: Path, changes: dict[str, bytes]) -> None:
    """Make src equal to the changed tree; leave alone what is equal.

    A file that changes gets the present time, so that make sees it even when
    it goes back to what the tree has.
    """
    wanted = set(changes)
    for name in _walk(tree):
        if name in changes:
            continue
        wanted.add(name)
        old, new = tree / name, src / name
        if old.is_symlink():
            if not new.is_symlink():
                new.parent.mkdir(parents=True, exist_ok=True)
                new.symlink_to(os.readlink(old))
        elif not new.exists():
            new.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(old, new)
        elif not _same(old, new):
            shutil.copyfile(old, new)
    for name, content in changes.items():
        new = src / name
        if not new.exists() or new.read_bytes() != content:
            new.parent.mkdir(parents=True, exist_ok=True)
            new.write_bytes(content)
    for name in list(_walk(src)):
        if name not in wanted:
            (src / name).unlink()


def _same(old: Path, new: Path) -> bool:
    a, b = old.stat(), new.stat()
    if a.st_size != b.st_size:
        return False
    return a.st_mtime_ns == b.st_mtime_ns \
        or old.read_bytes() == new.read_bytes()


def _build(src: Path, objs: Path, machine: Machine, jobs: int,
           flags: tuple[str, ...]) -> None:
    make = ["make", "-s", f"-j{jobs}", f"O={objs}", f"ARCH={machine.arch}",
            *flags]
    if machine.arch == "um":
        make.append("SUBARCH=x86_64")
    fragment = objs / "fragment"
    fragment.write_text(_fragment(machine))
    merge = ["bash", "scripts/kconfig/merge_config.sh", "-m", "-O", str(objs),
             str(objs / ".config"), str(fragment)]
    with (objs / "build.log").open("w") as log:
        for command in (make + [machine.config], merge,
                        make + ["olddefconfig"], make + [machine.target]):
            status = _run(command, src, log, _BUILD_LIMIT)
            if status:
                raise BootError(f"{' '.join(command[:2])}: exit status "
                                f"{status}; see {log.name}")
    config = (objs / ".config").read_text()
    lacking = [name for name in machine.on
               if f"CONFIG_{name}=y" not in config.splitlines()]
    if lacking:
        raise BootError(f"{src}: cannot be configured with "
                        f"{', '.join(lacking)}")


def _fragment(machine: Machine) -> str:
    return "".join([f"CONFIG_{name}=y\n" for name in machine.on]
                   + [f"# CONFIG_{name} is not set\n" for name in machine.off])


def _start(src: Path, objs: Path, machine: Machine) -> str:
    command = [word.format(objs=objs) for word in machine.start]
    if shutil.which(command[0]) is None:
        raise BootError(f"{command[0]}: not found: install qemu-system-x86")
    return _output(command, src, _BOOT_LIMIT)


def _run_kunit(campaign: Campaign, src: Path, objs: Path, jobs: int) -> str:
    runner = src / "tools/testing/kunit/kunit.py"
    if not runner.exists():
        raise BootError(f"{src}: has no kunit.py")
    config = suite.Suite(campaign).config
    return _output([sys.executable, str(runner), "run", "--raw_output",
                    f"--kunitconfig={config}", f"--build_dir={objs}",
                    f"--jobs={jobs}"], src, _BUILD_LIMIT)


def _output(command: list[str], folder: Path, limit: int) -> str:
    """Run what may say anything, end anyhow, and print in any encoding."""
    with tempfile.TemporaryFile() as told:
        try:
            _run(command, folder, told, limit)
        finally:
            told.seek(0)
            text = told.read().decode(errors="replace")
    return text


def _splats(text: str) -> tuple[str, ...]:
    """Return what the kernel says while it is tested.

    What it says before is its own: v4.20 under UML, built by today's gcc,
    warns of its clock.
    """
    _, start, tested = text.partition("KTAP version 1")
    return tuple(line.strip() for line in (tested if start else text)
                 .splitlines() if _SPLAT.search(line))


def _run(command: list[str], folder: Path, log: IO[Any], limit: int) -> int:
    """Run a command and all that it starts; return its exit status."""
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL,
                          stdout=log, stderr=log,
                          start_new_session=True) as process:
        try:
            return process.wait(limit)
        except subprocess.TimeoutExpired as error:
            raise BootError(f"{command[0]}: no end after {limit} s") from error
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def table(booted: Booted) -> str:
    """Return one row a test, with what it noted, and the sum, for people."""
    rows = []
    for test in booted.report.tests:
        rows.append(f"{test.verdict.value:7} {test.name}")
        rows += [f"          {note}" for note in test.notes]
    rows += [f"not ok  {complaint}" for complaint in booted.report.complaints]
    rows += [f"not ok  the kernel says: {splat}" for splat in booted.splats]
    rows.append(f"{booted.report.count(ktap.Verdict.PASSED)} passed, "
                f"{booted.wrong} failed")
    return "\n".join(rows)


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Boot a kernel that walks its own lists.")
    parser.add_argument("kernel", type=Path)
    parser.add_argument("--with", dest="kind", default="qemu",
                        choices=KINDS)
    parser.add_argument("--campaign", default="")
    parser.add_argument("--as-is", action="store_true",
                        help="without the corrections of FIX=1")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=ROOT / "out/boot")
    asked = parser.parse_args()
    try:
        booted = boot(campaigns.load(asked.campaign),
                      asked.kernel.resolve(), asked.kind,
                      asked.out.resolve(), asked.jobs, asked.as_is)
    except (BootError, campaigns.CampaignError, core.CoreError,
            suite.SuiteError, OSError) as error:
        print(f"sgwalk: {error}", file=sys.stderr)
        return 2
    print(table(booted))
    print(f"sgwalk: {'built' if booted.built else 'built before'}; "
          f"log in {booted.log}", file=sys.stderr)
    return 0 if booted.holds else 1


if __name__ == "__main__":
    sys.exit(main())
