# SPDX-License-Identifier: GPL-2.0-only
"""Run a kernel's own rules with its coccicheck and with check, side by side.

    python3 scripts/test/tests/coccicheck.py TREE FOLDER OUT [RULE...]

The two take turns, rule folder by rule folder, so that what else the machine
does falls on both. Findings are compared rule by rule, as (file, line, column,
message). coccicheck is called as its make target calls it, once a rule, since
it stops at the first rule that fails.

TREE must be known to git, or coccicheck's prefilter finds nothing there.

Data:   tree, folder in it -> a line a rule that differs, then the sums: wall
        and processor seconds of coccicheck, of a cold and of a warm check.
Errors: CalledProcessError, where one of the two could not be run.
Source: scripts/coccicheck and its target in the Makefile of v6.1.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
_LINE = re.compile(r"(?:\./)?([^\s:]+\.[ch]):(\d+):(\d+)-\d+: (.*)")
_INCLUDES = " ".join(f"-I./{name}" for name in (
    "arch/x86/include", "arch/x86/include/generated", "include",
    "arch/x86/include/uapi", "arch/x86/include/generated/uapi",
    "include/uapi", "include/generated/uapi")) + (
        " -include ./include/linux/compiler-version.h"
        " -include ./include/linux/kconfig.h")

Places = set[tuple[str, int, int, str]]


@dataclass
class Spent:
    wall: float = 0.0
    processor: float = 0.0


def run(command: Sequence[str], tree: Path, spent: Spent,
        good: tuple[int, ...] = (0,), **extra: str) -> str:
    """Run a command, add what it took, and return what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run(command, cwd=tree, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False, env={**os.environ, **extra})
    spent.wall += time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent.processor += (after.ru_utime - before.ru_utime
                        + after.ru_stime - before.ru_stime)
    if done.returncode not in good:
        raise subprocess.CalledProcessError(
            done.returncode, command, done.stdout, done.stderr)
    return done.stdout.decode(errors="replace")


def theirs(tree: Path, folder: str, rule: Path,
           spent: Spent) -> tuple[Places, bool]:
    """Return what coccicheck says of a rule, and whether it ended well."""
    said = run(["bash", "scripts/coccicheck"], tree, spent, (0, 1, 2, 255),
               MODE="report", COCCI=str(rule), KBUILD_EXTMOD=folder,
               srctree=".", LINUXINCLUDE=_INCLUDES)
    found = set()
    for line in said.splitlines():
        if match := _LINE.fullmatch(line.strip()):
            found.add((match[1], int(match[2]), int(match[3]) + 1,
                       match[4].strip()))
    return found, "coccicheck failed" not in said


def ours(tree: Path, folder: str, rules: Sequence[Path], out: Path,
         spent: Spent) -> tuple[dict[str, Places], dict[str, str], int]:
    said = run([sys.executable, str(ROOT / "scripts/migrate.py"), "check",
                f"--kernel={tree}", f"--m={folder}", f"--out={out}",
                f"--rules={' '.join(map(str, rules))}", "--scripts=allow",
                "--format=json"], ROOT, spent, (0, 1))
    report = json.loads(said)
    found: dict[str, Places] = {}
    for one in report["findings"]:
        if one["kind"] == "misuse":
            found.setdefault(one["rule"], set()).add(
                (one["file"], one["line"], one["column"],
                 one["message"].strip()))
    return (found, {one["rule"]: one["reason"] for one in report["skipped"]},
            len(report["unread"]))


def main(words: Sequence[str]) -> int:
    tree, folder, out = Path(words[0]).resolve(), words[1], Path(words[2])
    top = tree / "scripts/coccinelle"
    groups: dict[str, list[Path]] = {}
    for rule in sorted(top.rglob("*.cocci")):
        if not words[3:] or rule.stem in words[3:]:
            groups.setdefault(rule.parent.name, []).append(rule)
    shutil.rmtree(out / "cache", ignore_errors=True)
    check, cold, warm = Spent(), Spent(), Spent()
    same = both = 0
    for name, rules in groups.items():
        found, skipped, unread = ours(tree, folder, rules, out, cold)
        other = {rule: theirs(tree, folder, rule, check) for rule in rules}
        again, _, _ = ours(tree, folder, rules, out, warm)
        if again != found:
            print(f"{name}: the warm run says something else")
        for rule, (places, ended) in other.items():
            mine = found.get(rule.stem, set())
            both += len(mine & places)
            if mine == places and ended and rule.stem not in skipped:
                same += 1
                continue
            print(f"{rule.relative_to(top)}: {len(mine & places)} the same"
                  + ("" if ended else "; coccicheck failed")
                  + (f"; not run: {skipped[rule.stem]}"
                     if rule.stem in skipped else ""))
            for place in sorted(mine - places):
                print("  only check     ", *place)
            for place in sorted(places - mine):
                print("  only coccicheck", *place)
        print(f"# {name}: {len(rules)} rules; wall {check.wall:.0f} s, cold "
              f"{cold.wall:.0f} s, warm {warm.wall:.1f} s; {unread} unread",
              flush=True)
    print(f"rules {sum(map(len, groups.values()))}: {same} the same; "
          f"{both} findings in both")
    for what, spent in (("cold", cold), ("warm", warm)):
        print(f"{what}: wall {spent.wall:.1f} s of {check.wall:.1f} s = "
              f"{spent.wall / check.wall:.3f}; processor "
              f"{spent.processor:.1f} s of {check.processor:.1f} s = "
              f"{spent.processor / check.processor:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
