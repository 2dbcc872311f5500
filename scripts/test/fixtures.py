# SPDX-License-Identifier: GPL-2.0-only
"""Hold every rule to its fixtures, with spatch and with the compiler.

A case is the files of fixtures/<campaign>/<rule>/ that share a first word:

    NAME.before.c  NAME.after.c    the rule turns one into the other
    NAME.same.c                    the rule leaves it alone
    NAME.report                    what report mode prints; absent = nothing
    NAME.before.h  NAME.after.h    the unit's header, which the C file
    NAME.same.h                    includes as "NAME.h"

The first comment of the C file holds the case's facts, one `key: value` a
line, a value going on in the next line when that is indented:

    case         one sentence
    shape        ids of the shapes, comma separated
    known-miss   why the rule leaves this before.c alone today; the case fails
                 on the day it no longer does, and the line is taken out
    plain        why only the whole driver decides this case, not the rule
                 alone: the driver's plan is held to it, and plain spatch not
    verdict      of every site of a `plain` case, in the driver's ledger
    api          where before.c or same.c compiles: old, new, transitional;
                 the default is old for migrate/, and the others elsewhere
    accepted     why before.c compiles with the new API all the same

What a case must hold: patch mode gives after.c; report mode gives NAME.report;
context mode marks a line, and org mode prints one, when and only when report
mode does; a second run, on after.c, prints nothing; before.c compiles with the
old API and is rejected by the new one, after.c compiles with the new and the
transitional one. In the mock API the two iterators are different types, so
that a wrong rewrite is a type error. Every rule needs a case that it reports
and one that it does not, and a rule of misuse/ that rewrites a pair.

Data:   cocci/<campaign>/*/*.cocci + fixtures/<campaign>/ -> Case ->
        complaints, text for a person.
Errors: FixtureError for a malformed case, before any rule is run.
Source: pairs as in rustfmt's tests/source and tests/target; strict keys as in
        sparse's validation/; known failures as in coccinelle's own tests/.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import difflib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if not __package__:                  # run as a program
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from run import hunks, remember, rules
from run.cache import Cache
from run.jobs import Job, Outcome, Result, SpatchError
from run.rules import Rule, RuleError
from test.slow import FULL

if TYPE_CHECKING:
    from judge import plan

ROOT = Path(__file__).resolve().parents[2]

# The least number of cases: a folder that is no longer found is a failure.
FLOOR = 170

# What all campaigns compile against.
INCLUDE = "fixtures/sg-dma-page/include"
# What real code looks like, in five groups: A DMA walks over the page iterator,
# B page walks, C conditional code and copies, D for_each_sg() loops that walk
# pages by hand, E misuse of the API and of its counts. A tab-separated line
# each: id, group, what it is.
SHAPES = ROOT / "cocci/sg-dma-page/shapes.tsv"
_ROW = re.compile(r"([A-Z][0-9]{0,2}b?)\t([A-E])\t(\S.*)")


def _groups() -> dict[str, tuple[str, ...]]:
    """Return the ids of each group, in the order of the table."""
    found: dict[str, list[str]] = {}
    for number, line in enumerate(SHAPES.read_text("ascii").splitlines(), 1):
        row = _ROW.fullmatch(line)
        if row:
            found.setdefault(row[2], []).append(row[1])
        elif not line.startswith("#"):
            raise RuntimeError(f"{SHAPES}:{number}: not id, group and sentence "
                               "with a tab between")
    return {group: tuple(names) for group, names in found.items()}


IDS = _groups()
_KNOWN = frozenset(name for names in IDS.values() for name in names)

_KEYS = ("case", "shape", "known-miss", "plain", "verdict", "api",
         "accepted")
_APIS = {"old": "-DOLD_API", "new": "-UOLD_API",
         "transitional": "-DTRANSITIONAL_API"}
_NAME = re.compile(r"([A-Za-z0-9][\w-]*)\.(before\.c|after\.c|same\.c|report|"
                   r"before\.h|after\.h|same\.h)")
_FACT = re.compile(r" \* ([a-z-]+): (\S.*)")
_MORE = re.compile(r" \*  +(\S.*)")
_VERDICTS = ("converted", "kept", "manual", "unread")
# What all modes share by position is run in two of them in a short run.
_MODES = ("patch", "context", "org", "report") if FULL \
    else ("patch", "report")
# A compiler's complaint about the types that the two APIs tell apart.
_REJECTED = re.compile(r"sg_(dma_)?page_iter|incompatible|no member named")

_SECONDS = 60                # a case is a few lines
_MEBIBYTES = 2048


class FixtureError(Exception):
    """A case is malformed; the message starts with its path."""


@dataclass(frozen=True)
class Case:
    rule: Rule
    name: str
    folder: Path
    facts: tuple[tuple[str, str], ...]
    before: Path             # NAME.before.c or NAME.same.c
    after: Path              # NAME.after.c, or before itself
    header_before: Path | None
    header_after: Path | None

    def fact(self, key: str) -> str:
        return dict(self.facts).get(key, "")

    @property
    def shape(self) -> tuple[str, ...]:
        return tuple(re.split(r", *", self.fact("shape")))

    @property
    def pair(self) -> bool:
        return self.before != self.after

    @property
    def report(self) -> str:
        """The text that report mode must print."""
        file = self.folder / f"{self.name}.report"
        return file.read_text() if file.exists() else ""

    def files(self, which: str) -> list[Path]:
        """Return the unit's files before or after, the header first."""
        if which == "before":
            header, source = self.header_before, self.before
        else:
            header, source = self.header_after, self.after
        return [header, source] if header else [source]

    def __str__(self) -> str:
        return f"{self.rule.name}/{self.name}"


def load(root: Path = ROOT) -> list[Case]:
    """Return every case, ordered by rule and name."""
    found = _rules(root)
    known = {rule.name for rule in found}
    for folder in sorted(path for name in _campaigns(root)
                         for path in (root / "fixtures" / name).iterdir()):
        if folder.is_dir() and folder.name not in known and \
                any(_NAME.fullmatch(file.name) for file in folder.iterdir()):
            raise FixtureError(f"{folder}: cases, and no rule of that name")
    return [case for rule in found
            for case in _cases(rule, root / "fixtures"
                               / rule.path.parents[1].name / rule.name)]


def ids_without_case(cases: Iterable[Case],
                     groups: Sequence[str] = ("A", "B", "C")) -> list[str]:
    """Return the ids of groups of shapes that no case has."""
    have = {name for case in cases for name in case.shape}
    return [name for group in groups for name in IDS[group]
            if name not in have]


def one_sided(cases: Sequence[Case], group: str = "E") -> list[str]:
    """Return what the ids of a group lack: a hit, or a look-alike."""
    wrong = []
    for name in IDS[group]:
        mine = [case for case in cases if name in case.shape]
        if not any(case.report for case in mine):
            wrong.append(f"{name}: no case that is reported")
        if all(case.report for case in mine):
            wrong.append(f"{name}: no look-alike that stays silent")
    return wrong


def check(cases: Sequence[Case], root: Path = ROOT) -> dict[str, list[str]]:
    """Return complaints by case, and by rule what no single case can hold."""
    complaints: dict[str, list[str]] = {str(case): [] for case in cases}
    plain = [case for case in cases if not case.fact("plain")]
    outcomes = _run(plain)
    for case in plain:
        complaints[str(case)] += _judge(case, outcomes)
    decided = [case for case in cases if case.fact("plain")]
    for case, texts in _planned(decided, root) if decided else ():
        complaints[str(case)] += texts
    for case, texts in _compile(cases, root / INCLUDE):
        complaints[str(case)] += texts
    for rule in _rules(root):
        complaints[rule.name] = _gaps(
            rule, [case for case in cases if case.rule.name == rule.name])
    return complaints


def bless(cases: Sequence[Case]) -> list[Path]:
    """Write what the rules say today to .after and .report files."""
    written = []
    plain = [case for case in cases if not case.fact("plain")]
    outcomes = _run(plain)
    for case in plain:
        texts = {case.folder / f"{case.name}.report":
                 outcomes[str(case), "report"].text.encode()}
        if case.pair and not case.fact("known-miss"):
            result = outcomes[str(case), "patch"]
            texts.update({after: _patched(result, before)
                          for before, after in zip(case.files("before"),
                                                   case.files("after"))
                          if before != after})
        for file, text in texts.items():
            there = file.read_bytes() if file.exists() else b""
            if text and text != there:
                file.write_bytes(text)
                written.append(file)
            elif not text and file.exists():
                file.unlink()
                written.append(file)
    return written


# --- reading cases -----------------------------------------------------------

def _rules(root: Path) -> list[Rule]:
    folders = sorted(path for name in _campaigns(root)
                     for path in (root / "cocci" / name).iterdir()
                     if path.is_dir() and any(path.glob("*.cocci")))
    return rules.load(folders)


def _campaigns(root: Path) -> list[str]:
    """Return the campaigns that have rules and cases, by name."""
    return sorted(path.name for path in (root / "cocci").iterdir()
                  if path.is_dir() and (root / "fixtures" / path.name).is_dir())


def _cases(rule: Rule, folder: Path) -> Iterator[Case]:
    names: dict[str, set[str]] = {}
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        match = _NAME.fullmatch(file.name)
        if match is None:
            raise FixtureError(f"{file}: not a name that a case's file has")
        names.setdefault(match[1], set()).add(match[2])
    for name, kinds in sorted(names.items()):
        where = f"{folder / name}"
        sources = {kind for kind in kinds if kind.endswith(".c")}
        headers = {kind for kind in kinds if kind.endswith(".h")}
        if sources not in ({"before.c", "after.c"}, {"same.c"}):
            raise FixtureError(f"{where}: not a before.c and an after.c, and "
                               "not a same.c")
        if headers not in (set(), {"before.h", "after.h"}, {"same.h"}):
            raise FixtureError(f"{where}: not a before.h and an after.h, and "
                               "not a same.h")
        if "same.c" in sources and "before.h" in headers:
            raise FixtureError(f"{where}: the header changes, and the C file "
                               "does not")

        def path(kind: str) -> Path:
            return folder / f"{name}.{kind}"

        same = "same.c" in sources
        before = path("same.c" if same else "before.c")
        yield Case(
            rule, name, folder, _facts(before), before,
            before if same else path("after.c"),
            path("same.h") if "same.h" in headers else
            path("before.h") if headers else None,
            path("same.h") if "same.h" in headers else
            path("after.h") if headers else None)


def _facts(file: Path) -> tuple[tuple[str, str], ...]:
    lines = file.read_text("ascii", "replace").replace("\r", "").split("\n")
    if lines[0] != "// SPDX-License-Identifier: GPL-2.0-only":
        raise FixtureError(f"{file}: line 1 is not the SPDX line")
    if lines[1:2] != ["/*"]:
        raise FixtureError(f"{file}: line 2 does not open the case's facts")
    facts: dict[str, str] = {}
    last = ""
    for number, line in enumerate(lines[2:], start=3):
        if line == " */":
            break
        if match := _FACT.fullmatch(line):
            last = match[1]
            if last not in _KEYS:
                raise FixtureError(f"{file}: unknown key: {last}")
            if last in facts:
                raise FixtureError(f"{file}: a second {last}")
            facts[last] = match[2]
        elif last and (match := _MORE.fullmatch(line)):
            facts[last] += " " + match[1]
        else:
            raise FixtureError(f"{file}: line {number} is no `key: value`")
    for key in ("case", "shape"):
        if key not in facts:
            raise FixtureError(f"{file}: no {key}")
    for name in re.split(r", *", facts["shape"]):
        if name not in _KNOWN:
            raise FixtureError(f"{file}: no such shape: {name}; "
                               f"{SHAPES.name} has them all, and takes more")
    if facts.get("verdict", "kept") not in _VERDICTS:
        raise FixtureError(f"{file}: no such verdict: {facts['verdict']}")
    if "verdict" in facts and "plain" not in facts:
        raise FixtureError(f"{file}: a verdict, and not plain")
    for name in re.split(r", *", facts.get("api", "old")):
        if name not in _APIS:
            raise FixtureError(f"{file}: no such api: {name}")
    return tuple(facts.items())


# --- what spatch makes of them ----------------------------------------------------

def _run(cases: Sequence[Case]) -> dict[tuple[str, str], Result]:
    """Run each case in every mode; "again" is patch mode on its result."""
    sources: dict[str, bytes] = {}
    keys, jobs = [], []
    for case in cases:
        for what, which, mode in (*(("before", mode, mode)
                                    for mode in _MODES),
                                  ("after", "again", "patch")):
            files = case.files(what)
            for file in files:
                sources[_key(case, file)] = file.read_bytes()
            keys.append((str(case), which))
            jobs.append(Job(case.rule, mode,
                            tuple(_key(case, file) for file in files)))
    kept = os.environ.get("SGWALK_CACHE")
    results = remember.run(Cache(Path(kept) if kept else None), sources, jobs,
                           procs=os.cpu_count() or 1, timeout=_SECONDS,
                           memory=_MEBIBYTES)
    prefix = {str(case): f"{case.rule.name}/" for case in cases}
    return {key: Result(result.job, result.outcome, result.changed,
                        result.bad, result.detail, result.seconds,
                        result.text.replace(prefix[key[0]], ""))
            for key, result in zip(keys, results)}


def _key(case: Case, file: Path) -> str:
    return f"{case.rule.name}/{file.name}"


def _patched(result: Result, file: Path) -> bytes:
    """Return what the result's diff makes of a file, as spatch reads it."""
    text = hunks.sanitise(file.read_bytes())
    diff = result.changed.get(f"{result.job.files[0].split('/')[0]}/"
                              f"{file.name}")
    return hunks.patched(text, diff) if diff else text


def _judge(case: Case,
           outcomes: dict[tuple[str, str], Result]) -> list[str]:
    said = {which: outcomes[str(case), which]
            for which in (*_MODES, "again")}
    wrong = [f"{which}: {result.outcome.value}: {result.detail}"
             for which, result in said.items()
             if result.outcome not in (Outcome.HIT, Outcome.QUIET)]
    missed = case.fact("known-miss")
    for before, after in zip(case.files("before"), case.files("after")):
        got = _patched(said["patch"], before)
        if missed:
            if said["patch"].changed:
                wrong.append("known-miss: it is found now; take the line out")
                break
        else:
            wrong += _differs(f"rewrite of {before.name}",
                              hunks.sanitise(after.read_bytes()), got)
    wrong += _differs("report", case.report.encode(),
                      said["report"].text.encode())
    for mode in ("context", "org"):
        if mode in said and said[mode].outcome is not said["report"].outcome:
            wrong.append(f"{mode} mode does not say what report mode says")
    if not all(hunks.marked_lines(diff)
               for diff in said["context" if FULL else "report"]
               .changed.values()):
        wrong.append("context mode marks no line")
    for diff in said["again"].changed.values():
        wrong.append("second run:\n" + diff.decode("ascii", "replace"))
    return wrong


def _differs(what: str, wanted: bytes, got: bytes) -> list[str]:
    if wanted == got:
        return []
    diff = difflib.unified_diff(
        wanted.decode("ascii", "replace").split("\n"),
        got.decode("ascii", "replace").split("\n"),
        "wanted", "got", lineterm="")
    return ["\n".join([what, *diff])]


def _gaps(rule: Rule, cases: Sequence[Case]) -> list[str]:
    wrong = []
    if not any(case.report or case.fact("plain") for case in cases):
        wrong.append("no case that the rule reports")
    if not any(not case.report for case in cases):
        wrong.append("no case that the rule is silent on")
    if rule.mends and not any(case.pair for case in cases):
        wrong.append("no case that the rule rewrites")
    wrong += [f"no such shape: {name}"
              for name in rule.shape if name not in _KNOWN]
    return wrong


# --- what the compiler makes of them ------------------------------------------------

def _compile(cases: Sequence[Case],
             include: Path) -> Iterator[tuple[Case, list[str]]]:
    with tempfile.TemporaryDirectory(prefix="sgwalk.") as name, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        folder = Path(name)
        wanted = [(case, pool.submit(_compiles, case, which, api, good,
                                     folder, include))
                  for case in cases
                  for which, api, good in _builds(case, folder)]
        for case, future in wanted:
            yield case, future.result()


def _builds(case: Case, folder: Path) -> list[tuple[str, str, bool]]:
    """Return (before or after, API, whether it compiles); write the files."""
    migrate = case.rule.folder == "migrate"
    default = "old" if migrate else "new, transitional"
    apis = re.split(r", *", case.fact("api") or default)
    builds = [("before", api, True) for api in apis]
    if case.pair:
        builds += [("after", api, True) for api in ("new", "transitional")]
        if migrate and "new" not in apis:
            builds.append(("before", "new", bool(case.fact("accepted"))))
    for which in ("before", "after"):
        place = folder / case.rule.name / case.name / which
        place.mkdir(parents=True)
        for file in case.files(which):
            (place / f"{case.name}{file.suffix}").write_bytes(
                file.read_bytes())
    return builds


def _compiles(case: Case, which: str, api: str, good: bool, folder: Path,
              include: Path) -> list[str]:
    """Compile one side of a case, which must succeed, or be refused."""
    done = subprocess.run(
        [os.environ.get("CC", "gcc"), "-fsyntax-only", "-std=gnu11", "-Wall",
         "-Wextra", "-Werror",
         # A fixture shows one thing; kernel code compares int and unsigned.
         "-Wno-unused-parameter", "-Wno-sign-compare",
         f"-I{include}", _APIS[api], f"{case.name}.c"],
        cwd=folder / case.rule.name / case.name / which, check=False,
        capture_output=True, text=True, errors="replace",
        env={**os.environ, "LC_ALL": "C"})
    if good and done.returncode:
        return [f"{which}.c does not compile with the {api} API:\n"
                f"{done.stderr}"]
    if not good and not done.returncode:
        return [f"{which}.c compiles with the {api} API: there was nothing "
                "to convert (if there was, the fact `accepted` says why)"]
    if not good and not _REJECTED.search(done.stderr):
        return [f"{which}.c is rejected with the {api} API, for another "
                f"reason than its iterator:\n{done.stderr}"]
    return []


# --- what the whole driver makes of them ----------------------------------------------

def _planned(cases: Sequence[Case],
             root: Path) -> Iterator[tuple[Case, list[str]]]:
    """Hold the driver's plan to cases that it alone decides."""
    # Only such cases need the driver, and a rule alone can be tested without.
    from judge import plan
    from read import tree
    with tempfile.TemporaryDirectory(prefix="sgwalk.") as name:
        folder = Path(name)
        program = folder / "reader"
        subprocess.run(
            [os.environ.get("CC", "gcc"), "-O1", "-pthread", "-o", program,
             *root.glob("scripts/reader/*.c")], check=True, capture_output=True)
        settings = plan.Settings(
            program, (root / "cocci/sg-dma-page/migrate",),
            os.cpu_count() or 1, _SECONDS,
            _MEBIBYTES)
        top = folder / "tree"
        _small_tree(root, top)
        wanted: dict[str, dict[str, bytes]] = {}
        for case in cases:
            place = f"drivers/{case.rule.name}-{case.name}"
            (top / place).mkdir(parents=True)
            wanted[place] = {}
            for before, after in zip(case.files("before"),
                                     case.files("after")):
                file = f"{place}/{case.name}{before.suffix}"
                (top / file).write_bytes(before.read_bytes())
                wanted[place][file] = after.read_bytes()
        # One tree for all, as a plan starts every rule: a name that two such
        # cases both export ties them together, so each has names of its own.
        made = plan.make_plan(tree.open_tree(str(top)), settings)
        for case, files in zip(cases, wanted.values()):
            yield case, _held(case, made, top, files)


def _small_tree(root: Path, top: Path) -> None:
    """Make a kernel tree with the old API and no driver."""
    embedded = root / "fixtures/sg-dma-page/tree"
    for file in ("Makefile", "include/linux/scatterlist.h",
                 "lib/scatterlist.c"):
        (top / file).parent.mkdir(parents=True, exist_ok=True)
        (top / file).write_bytes((embedded / file).read_bytes())


def _held(case: Case, made: plan.Plan, top: Path,
          wanted: Mapping[str, bytes]) -> list[str]:
    wrong = []
    for file, text in wanted.items():
        got = made.after.get(file, (top / file).read_bytes())
        wrong += _differs(f"plan of {file}", text, got)
    verdict = case.fact("verdict")
    for entry in made.ledger.entries:
        if verdict and entry.site.file in wanted and \
                entry.verdict != verdict:
            wrong.append(f"line {entry.site.line}: {entry.verdict}, not "
                         f"{verdict}: {entry.reason}")
    return wrong


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="fixtures.py")
    parser.add_argument("--bless", action="store_true",
                        help="write what the rules say today; read the diff")
    parser.add_argument("names", nargs="*", metavar="RULE[/CASE]",
                        help="only these")
    chosen = parser.parse_args(arguments)
    everything = load()
    cases = [case for case in everything
             if not chosen.names or str(case) in chosen.names
             or case.rule.name in chosen.names]
    if chosen.names and not cases:
        raise FixtureError(f"{', '.join(chosen.names)}: no such case")
    if chosen.bless:
        for file in bless(cases):
            print(f"wrote {file.relative_to(ROOT)}", file=sys.stderr)
    complaints = check(cases)
    if chosen.names:
        complaints = {name: complaints[name] for name in map(str, cases)}
    else:
        complaints["shapes"] = [
            f"{name}: no case" for name in ids_without_case(everything)
        ] + one_sided(everything)
        if len(everything) < FLOOR:
            complaints["floor"] = [
                f"{len(everything)} cases, fewer than {FLOOR}"]
    failed = 0
    for name, texts in complaints.items():
        failed += bool(texts)
        for text in texts:
            print(f"{name}: {text}", file=sys.stderr)
    print(f"{len(complaints) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (FixtureError, RuleError, SpatchError) as problem:
        print(f"fixtures: {problem}", file=sys.stderr)
        sys.exit(2)
