# SPDX-License-Identifier: GPL-2.0-only
"""Turn what two runs left in OUT into the rows of one page.

A row is what a person looks at once: an edit with the sites in it, a finding
with its witness path, or the sites of a function that have one reason. What
is kept because it is the API itself is in no sum; it has rows of its own.

Data:   OUT -> Page: runs, sums, subsystems, rows as JSON can have them. All
        text is plain: a byte that is no text is an escape.
Units:  lines and columns from 1, in the tree as it was before the run.
Errors: RowsError, when a file of OUT cannot be read.
Source: ledger.tsv of judge/ledger.py, findings.json of check/report/json_.py.
"""

from __future__ import annotations

import collections
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from check.findings import shown
from judge import ledger as accounts
from show import runs, sides
from show.runs import Run

# The words of the filter and of the chips, the most urgent first.
SITES = ("unread", "manual", "converted", "kept")
LEVELS = ("unread", "high", "moderate", "low")
API = "api"                  # verdict of a row that is the API itself
CHECK = "check"              # filter: converted, with something to check
_COUNT = re.compile(r"count (.*?): (mapped|unmapped|unknown), (.*)", re.DOTALL)
_SPELT = re.compile(r"\\(.)", re.DOTALL)
_API_CODES = ("api", "api-copy")

Json = dict[str, Any]


class RowsError(Exception):
    """A file of OUT is not as sgwalk writes it; the message names it."""


@dataclass(frozen=True)
class Site:
    file: str
    line: int
    column: int
    function: str
    token: str
    verdict: str
    rule: str
    code: str
    said: str                # the reason behind its code

    @property
    def api(self) -> bool:
        return self.verdict == "kept" and self.code in _API_CODES


@dataclass
class Part:
    """What one run gives to the page."""

    run: Run
    title: str
    words: tuple[str, ...]   # of SITES or of LEVELS
    counts: collections.Counter[str]
    # Sites of the API itself, or findings that the run left out.
    beside: int = 0
    by_folder: dict[str, collections.Counter[str]] = field(
        default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.counts[word] for word in self.words)


@dataclass
class Page:
    parts: list[Part] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    rows: list[Json] = field(default_factory=list)


def read(out: Path) -> Page:
    """Return the page of an OUT."""
    change, check = runs.read(out, runs.CHANGE), runs.read(out, runs.CHECK)
    if change is None and check is None:
        raise RowsError(f"{out}: no run to report on: make preview, apply, "
                        "check or fix first, with the same OUT")
    page = Page()
    if change and check and _other_tree(change[0], check[0]):
        # Two trees on one page would read as one.
        old = min(change, check, key=lambda each: each[0].time)
        page.warnings.append(
            f"OUT also has the files of {sentence(old[0])}. They are about "
            "another tree, so they are not on this page.")
        change, check = (None, check) if old is change else (change, None)
    if change and check:
        page.warnings.append(
            "The two parts of this page are from two runs: "
            f"{sentence(change[0])}; {sentence(check[0])}."
            + (" The tree was changed after check had read it, so the lines "
               "of the findings are those from before the change."
               if change[0].verb in ("apply", "fix")
               and check[0].time <= change[0].time else ""))
    if change:
        _change(page, *change)
    if check:
        _check(page, *check)
    page.rows.sort(key=_urgency)
    return page


def sentence(run: Run) -> str:
    """Return which run it was, as a part of a sentence."""
    return shown(f"make {run.verb} on {run.tree}"
                 + (f" ({run.kernel})" if run.kernel else "")
                 + (f", {run.part}" if run.part else "") + f" at {run.time}")


def folder(file: str) -> str:
    """Return the subsystem of a file: its top two folders, where it has."""
    parts = file.split("/")[:-1]
    return shown("/".join(parts[:2])) or "(top)"


def _other_tree(one: Run, two: Run) -> bool:
    return (one.tree, one.kernel) != (two.tree, two.kernel)


def _urgency(row: Json) -> tuple[int, str, int]:
    order = ("unread", "manual", *LEVELS[1:], "converted", "kept", API)
    return order.index(row["v"]), row["f"], row["n"]


# --- a change --------------------------------------------------------------

def _change(page: Page, run: Run, files: Mapping[str, bytes]) -> None:
    sites = list(_sites(files["ledger.tsv"]))
    part = Part(run, "Change", SITES, collections.Counter(
        site.verdict for site in sites if not site.api),
        sum(site.api for site in sites),
        remarks=[_capital(line) for line in run.remarks])
    for site in sites:
        if not site.api:
            part.by_folder.setdefault(folder(site.file), collections.Counter(
                ))[site.verdict] += 1
    page.parts.append(part)
    notes: dict[tuple[str, int], list[str]] = {}
    for note in run.notes:
        if at := re.match(r"(.*?):(\d+): (.*)", note, re.DOTALL):
            notes.setdefault((at[1], int(at[2])), []).append(at[3])
    try:
        hunks = sides.read(files["edits.patch"])
    except sides.SidesError as error:
        raise RowsError(str(error)) from error
    placed: set[Site] = set()
    by_file: dict[str, list[Site]] = {}
    for site in sites:
        if site.verdict == "converted":
            by_file.setdefault(site.file, []).append(site)
    for hunk in hunks:
        inside = [site for site in by_file.get(hunk.file, ())
                  if hunk.start <= site.line <= hunk.end]
        placed.update(inside)
        page.rows.append(_edit(hunk, inside, notes, hunk.file in run.core))
    page.rows += _groups([site for site in sites if site not in placed], notes)


def _edit(hunk: sides.Hunk, inside: Sequence[Site],
          notes: Mapping[tuple[str, int], list[str]], core: bool) -> Json:
    row = _row("converted", hunk.file, hunk.line, _functions(inside))
    row["r"] = sorted({shown(site.rule) for site in inside if site.rule}) or [
        "core API" if core else "follows from other edits"]
    row["m"] = f"{len(inside)} sites" if len(inside) != 1 else "1 site"
    if not inside:
        row["m"] = "The API itself" if core else "A line beside the sites"
    row["sites"] = [_site(site) for site in inside]
    row["ask"] = [shown(f"line {line}: {note}")
                  for (file, line), found in notes.items()
                  if file == hunk.file and any(
                      site.line == line for site in inside) for note in found]
    row["d"] = [[one.kind[0], one.old_line, shown(one.old), one.new_line,
                 "" if one.kind == "same" else shown(one.new)]
                for one in hunk.rows]
    return row


def _groups(sites: Sequence[Site],
            notes: Mapping[tuple[str, int], list[str]]) -> list[Json]:
    """Return a row for each function and reason."""
    groups: dict[tuple[str, ...], list[Site]] = {}
    for site in sites:
        groups.setdefault((site.file, site.function, site.verdict, site.rule,
                           site.code, site.said), []).append(site)
    made = []
    for found in groups.values():
        first = found[0]
        row = _row(API if first.api else first.verdict, first.file,
                   first.line, first.function)
        row["r"] = [shown(first.rule or first.code)]
        why, _, do = first.said.partition("; ")
        if first.verdict in ("manual", "unread"):
            row["do"] = _capital(do or "read it and decide by hand")
        else:
            why = first.said
        row["m"] = _capital(why)
        row["code"] = first.code
        row["sites"] = [_site(site, brief=True) for site in found]
        row["ask"] = [shown(note) for site in found for note in
                      notes.get((site.file, site.line), ())]
        made.append(row)
    return made


def _sites(data: bytes) -> Iterator[Site]:
    head, *lines = data.split(b"\n")[:-1] or [b""]
    if head != "\t".join(accounts.HEAD).encode():
        raise RowsError("ledger.tsv: not a ledger of this sgwalk")
    for line in lines:
        cells = [_SPELT.sub(lambda at: {"t": "\t", "n": "\n", "r": "\r"}.get(
            at[1], at[1]), os.fsdecode(cell)) for cell in line.split(b"\t")]
        if len(cells) != len(accounts.HEAD):
            raise RowsError("ledger.tsv: not a ledger of this sgwalk")
        code, _, said = cells[7].partition(": ")
        function, token, verdict, rule = cells[3:7]
        yield Site(cells[0], int(cells[1]), int(cells[2]), function, token,
                   verdict, rule, code, said)


def _site(site: Site, brief: bool = False) -> Json:
    made: Json = {"n": site.line, "c": site.column, "t": shown(site.token)}
    if brief:
        return made
    made["fn"] = shown(site.function)
    if count := _COUNT.match(site.said):
        made["count"] = [shown(count[1]), count[2], shown(count[3])]
    else:
        made["why"] = shown(site.said)
    return made


def _functions(sites: Sequence[Site]) -> str:
    return ", ".join(dict.fromkeys(site.function for site in sites
                                   if site.function))


# --- a check ---------------------------------------------------------------

def _check(page: Page, run: Run, files: Mapping[str, bytes]) -> None:
    try:
        made = json.loads(files["findings.json"])
        found, rules = made["findings"], {
            rule["name"]: rule for rule in made["rules"]}
        part = Part(run, "Check", LEVELS, collections.Counter(
            map(_verdict, found)), made["hidden"], skipped=[
                shown(f"{one['rule']}: {one['reason']}") for one in made["skipped"]])
        for one in found:
            part.by_folder.setdefault(folder(one["file"]),
                                      collections.Counter())[
                _verdict(one)] += 1
            page.rows.append(_finding(one, rules.get(one["rule"], {})))
    except (KeyError, TypeError, ValueError) as error:
        raise RowsError("findings.json: not as this sgwalk writes it"
                        ) from error
    page.parts.append(part)


def _verdict(found: Json) -> str:
    return "unread" if found["kind"] == "unread" else str(found["level"])


def _finding(found: Json, rule: Json) -> Json:
    row = _row(_verdict(found), found["file"], found["line"], "")
    row["c"] = found["column"]
    row["r"] = [shown(found["rule"])]
    row["m"] = _capital(" ".join(found["message"].split()).removeprefix(
        f"{found['rule']}: "))
    row["kind"] = found["kind"]
    help_ = str(rule.get("help", "")).rsplit("\n\n", 1)
    if len(help_) == 2:
        row["do"] = shown(" ".join(help_[1].split()))
    row["path"] = [[note["line"], note["column"], _capital(note["text"]),
                    shown(note["source"].strip())]
                   for note in found.get("notes", ())]
    row["src"] = shown(found.get("source", found["text"]).rstrip())
    return row


def _row(verdict: str, file: str, line: int, function: str) -> Json:
    return {"v": verdict, "f": shown(file), "n": line, "s": folder(file),
            "fn": shown(function)}


def _capital(text: str) -> str:
    """Return a sentence with its capital, which no identifier gets."""
    text = shown(text)
    first = text.split(" ", 1)[0].rstrip(",;:")
    return text[:1].upper() + text[1:] if first.isalpha() else text
