# SPDX-License-Identifier: GPL-2.0-only
"""Write what a series says: subjects, commit messages and the cover letter.

Every sentence is a fact that another part has found: the text of the rules
that fired, the ledger's entries, what was built. Nothing is signed here, and
no line can be taken for the end of a message by git am.

Data:   facts -> text without a trailer of a person, lines of at most 72
        columns where words allow it.
Units:  columns.
Errors: none.
Source: Documentation/process/submitting-patches.rst; git-mailinfo(1) for the
        lines that end a message.
"""

from __future__ import annotations

import collections
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from ledger import Entry, Ledger
from rules import Rule

WIDTH = 72
SUBJECT = 75
# The first posting of the iterator, in January 2019.
LINK = "Link: https://lore.kernel.org/r/20190104223531.GA1705@ziepe.ca"
SUMMARY = "walk DMA addresses with the DMA page iterator"
_SHORT = "use the DMA page iterator"
_COUNT = re.compile(r"\bcount (?P<what>.+?): (?P<kind>mapped|unmapped|unknown)"
                    r"\b(?:[^;]*)(?:; (?P<offset>offset [^;]*))?")
_KINDS = {
    "mapped": "which is what the mapping returned",
    "unmapped": "which is the count before mapping, not what dma_map_sg() "
                "returned",
    "unknown": "and nothing here shows whether that is what dma_map_sg() "
               "returned",
}
# "drm/onyx: ", "media: ipu3-cio2: ", "crypto: talc - ".
_PREFIX = re.compile(r"(?:[A-Za-z0-9][\w.,/+*{}()-]*(?: [\w.-]+)?: )+"
                     r"(?:[\w./-]+ - )?")
# Lines that git am would read as something else than text.
_TRAPS = re.compile(r"^(?=---|diff -|Index: |From:? |Subject: |Date: |>From )")
_NOISE = {"treewide", "tree-wide", "revert", "merge", "license cleanup"}


@dataclass(frozen=True)
class Prefix:
    text: str                # "media: ipu3-cio2: "; ends in a space
    capital: bool            # whether the word after it is written large
    source: str              # "log", "MAINTAINERS" or "path"


@dataclass(frozen=True)
class Check:
    """What was done with one patch; sentences without an end."""

    done: tuple[str, ...]
    left: tuple[str, ...]


@dataclass(frozen=True)
class Making:
    command: str             # what a reader types to get the same
    spatch: str              # "1.1.1"


# --- subjects --------------------------------------------------------------

def learn(subjects: Mapping[str, Sequence[str]]) -> Prefix | None:
    """Return the prefix that the log of the files suggests.

    subjects holds, by file, the subjects of its commits, newest first.
    """
    votes = {file: _vote(lines) for file, lines in sorted(subjects.items())}
    known = [vote for vote in votes.values() if vote]
    if not known:
        return None
    text = known[0] if len(set(known)) == 1 else _common(known)
    if not text:
        text = collections.Counter(known).most_common(1)[0][0]
    after = [line[len(found[0]):] for lines in subjects.values()
             for line in map(_plain_subject, lines)
             if (found := _PREFIX.match(line)) and line[len(found[0]):]]
    large = sum(rest[0].isupper() for rest in after)
    return Prefix(text, large * 2 > len(after), "log")


def guess(files: Sequence[str], lists: Sequence[str]) -> Prefix:
    """Return a prefix from the list in MAINTAINERS, else from the path."""
    parts = [part for part in PurePosixPath(_folder(files)).parts
             if part not in ("drivers", "gpu", "include", "linux")]
    leaf = (parts or ["treewide"])[-1]
    stem = PurePosixPath(files[0]).stem
    # i915/i915_gem_gtt.c is a part of i915; ipu3/ipu3-cio2.c is a driver.
    if len(files) == 1 and stem.partition("_")[0] != leaf:
        leaf = stem
    for one in sorted(lists):
        word = re.sub(r"^linux-|-devel$", "",
                      re.sub(r".*<|>.*|@.*", "", one))
        if word in parts:
            end = "" if word == leaf else f"{leaf}: "
            return Prefix(f"{word}: {end}", False, "MAINTAINERS")
    top = parts[:1] if parts and parts[0] != leaf else []
    return Prefix("/".join([*top, leaf]) + ": ", False, "path")


def subject(prefix: Prefix, rules: Sequence[Rule]) -> str:
    """Return a subject of at most 75 columns."""
    said = {_decapital(rule.summary) for rule in rules}
    summary = said.pop() if len(said) == 1 else SUMMARY
    for words in (summary, SUMMARY, _SHORT):
        text = prefix.text + (words[0].upper() + words[1:]
                              if prefix.capital else words)
        if len(text) <= SUBJECT:
            return text
    return (prefix.text.rstrip(" -:").split(": ")[-1] + ": "
            + _SHORT)[:SUBJECT]


# --- commit messages -------------------------------------------------------

def user(title: str, files: Sequence[str], entries: Iterable[Entry],
         rules: Sequence[Rule], making: Making, check: Check) -> str:
    """Return the message of a patch that moves callers."""
    mine = [entry for entry in entries if entry.site.file in set(files)]
    parts = [title, *_rule_text(rules), _converted(files, mine),
             _left(files, mine), _made(rules, making), _checked(check), LINK]
    return _message(parts)


def core(title: str, body: str, making: Making, check: Check) -> str:
    """Return the message of a patch that comes with kernel-patch/."""
    text, trailers = _cut_trailers(body)
    return _message([title, text, _checked(check),
                     "\n".join([*trailers, LINK])])


def whole(title: str, body: str, files: Sequence[str],
          entries: Iterable[Entry], rules: Sequence[Rule], making: Making,
          check: Check) -> str:
    """Return the message of the one patch that holds everything."""
    mine = [entry for entry in entries if entry.site.file in set(files)]
    return _message([title, body, _converted(files, mine), _left(files, mine),
                     _made(rules, making), _checked(check), LINK])


def with_trailers(message: str, trailers: Sequence[str]) -> str:
    """Add lines to the block of trailers that ends the message."""
    new = [line for line in trailers if line not in message.split("\n")]
    return message + "".join(line + "\n" for line in new)


# --- the cover -------------------------------------------------------------

def table(book: Ledger) -> str:
    """Return the ledger in columns: files that need a look, and the sum."""
    count: dict[str, collections.Counter[str]] = {}
    for entry in book.entries:
        count.setdefault(entry.site.file, collections.Counter())[
            entry.verdict] += 1
    names = ("converted", "kept", "manual", "unread")
    shown = {file: one for file, one in sorted(count.items())
             if any(one[name] for name in names if name != "kept")}
    rest = [one for file, one in count.items() if file not in shown]
    lines = ["converted   kept manual unread  file"]
    lines += [_row([one[name] for name in names], plain(file))
              for file, one in shown.items()]
    if rest:
        lines.append(_row([sum(one[name] for one in rest) for name in names],
                          f"({many(len(rest), 'file')} left as they are)"))
    return "\n".join([*lines, book.sums()])


def persons(book: Ledger) -> list[str]:
    """Return what is left to a person, one text a file and reason."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for entry in book.entries:
        if entry.verdict in ("manual", "unread"):
            lines = found.setdefault(
                (entry.site.file, entry.verdict, entry.reason), [])
            if str(entry.site.line) not in lines:
                lines.append(str(entry.site.line))
    return [f"{plain(file)} line {', '.join(lines)}: {verdict}: "
            f"{plain(reason)}"
            for (file, verdict, reason), lines in found.items()]


@dataclass(frozen=True)
class Shape:
    """What there is in a series, for the story of its cover."""

    single: bool             # one patch for everything
    adds: bool               # the tree gets the iterator
    mends: int               # patches that correct one it has
    users: int               # patches that move callers
    ends: bool               # the transition ends with it
    left: int                # sites a person must look at


def story(shape: Shape) -> str:
    """Say what the series does and in which order."""
    why = ("for_each_sg_page() steps by the length of an entry in memory. "
           "Once dma_map_sg() has merged entries, the DMA segments are fewer "
           "and longer, and a walk that reads DMA addresses steps through "
           "the wrong list.")
    order = []
    if shape.single:
        order.append("One patch adds an iterator of its own type for DMA "
                     "addresses and moves its callers." if shape.adds else
                     "One patch moves what is left of the callers.")
    else:
        if shape.adds:
            order.append("Patch 1 adds an iterator of its own type for DMA "
                         "addresses.")
        if shape.adds and shape.ends:
            order.append("Until the last patch its accessor takes both "
                         "types, so every step builds.")
        if shape.mends:
            order.append("One patch corrects the iterator for DMA addresses."
                         if shape.mends == 1 else "The iterator for DMA "
                         f"addresses is corrected in {shape.mends} patches.")
        if shape.users:
            order.append("One patch moves callers." if shape.users == 1
                         else f"Callers move in {shape.users} patches, one a "
                         "subsystem.")
        if shape.ends:
            order.append("The last patch ends the transition: asking a page "
                         "walk for DMA addresses is a type error from then "
                         "on.")
        elif shape.adds and shape.users and shape.left:
            order.append("No patch ends the transition, since "
                         f"{many(shape.left, 'site')} below "
                         f"need{'s' if shape.left == 1 else ''} a person: "
                         "the accessor takes both types.")
    return fill(why) + "\n\n" + fill(" ".join(order))


# --- parts -----------------------------------------------------------------

def fill(text: str, indent: str = "") -> str:
    return textwrap.fill(" ".join(text.split()), WIDTH,
                         initial_indent=indent, subsequent_indent=indent,
                         break_long_words=False, break_on_hyphens=False)


def item(text: str) -> str:
    """Return one entry of a list."""
    return textwrap.fill(" ".join(text.split()), WIDTH,
                         initial_indent="- ", subsequent_indent="  ",
                         break_long_words=False, break_on_hyphens=False)


def typed(command: str) -> str:
    """Return a command as a shell takes it, in lines a mail can hold."""
    return " \\\n".join(textwrap.wrap(
        command, WIDTH - 2, initial_indent="  ", subsequent_indent="      ",
        break_long_words=False, break_on_hyphens=False))


def plain(text: str) -> str:
    """Return a tree's name as every mail can hold it."""
    return text.encode("utf-8", "surrogateescape").decode(
        "utf-8", "backslashreplace").replace("\n", "\\n")


def listed(names: Iterable[str]) -> str:
    """Return "a, b and c"."""
    every = list(names)
    return " and ".join(filter(None, [", ".join(every[:-1]), *every[-1:]]))


def many(number: int, noun: str) -> str:
    """Return "no error", "1 error" or "2 errors"."""
    plural = noun + ("es" if noun.endswith("ch") else "s")
    return f"{number or 'no'} {plural if number > 1 else noun}"


def _row(numbers: Sequence[int], name: str) -> str:
    return "{:9} {:6} {:6} {:6}  ".format(*numbers) + name


def _rule_text(rules: Sequence[Rule]) -> list[str]:
    """Return the /// text of each rule, once."""
    return list(dict.fromkeys(_flow(rule.body) for rule in rules
                              if rule.body.strip()))


def _flow(body: str) -> str:
    """Refill paragraphs; leave what is indented as it is."""
    return "\n\n".join(
        part if re.search(r"^\s", part, re.MULTILINE) else fill(part)
        for part in re.split(r"\n\s*\n", body.strip("\n")))


def _converted(files: Sequence[str], entries: Sequence[Entry]) -> str:
    """Say which functions changed, and what bounds each walk."""
    lines = []
    for file in sorted(files):
        mine = [entry for entry in entries if entry.site.file == file
                and entry.verdict == "converted"]
        names = dict.fromkeys(entry.site.function for entry in mine
                              if entry.site.function)
        what = listed(f"{plain(name)}()" for name in names) or \
            "declarations" if mine else "declarations that its users need"
        lines.append(f"{plain(file)}:")
        lines.append(fill(what, "  "))
        lines += [fill(count, "  ") for count in _counts(mine)]
    more = fill("A walk may give more addresses than before, since it follows "
                "the mapping; what it fills needs the room.") \
        if any(_COUNT.search(entry.reason) for entry in entries) else ""
    return "Converted:\n\n" + "\n".join(lines) + (f"\n\n{more}" if more
                                                  else "")


def _counts(entries: Sequence[Entry]) -> list[str]:
    """Say what bounds each walk, one sentence a count."""
    walks: dict[tuple[str, str, str], list[str]] = {}
    for entry in entries:
        found = _COUNT.search(entry.reason)
        if found:
            names = walks.setdefault((found["what"], found["kind"],
                                      found["offset"] or ""), [])
            name = f"{plain(entry.site.function)}()"
            if name not in names:
                names.append(name)
    return [f"{listed(names)} walk{'s' if len(names) == 1 else ''} "
            f"{plain(what)} entries, {_KINDS[kind]}"
            + (f"; {plain(offset)}" if offset else "") + "."
            for (what, kind, offset), names in walks.items()]


def _left(files: Sequence[str], entries: Sequence[Entry]) -> str:
    """Say what of these files is not converted, and why."""
    said: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        if entry.verdict == "converted":
            continue
        place = f"{plain(entry.site.function)}()" if entry.site.function \
            else f"line {entry.site.line}"
        if len(files) > 1:
            place += f" of {PurePosixPath(plain(entry.site.file)).name}"
        places = said.setdefault(
            (entry.verdict, entry.reason.partition(": ")[2]), [])
        if place not in places:
            places.append(place)
    verdicts = {"kept": "Left as it is", "manual": "Left to a person",
                "unread": "Not read"}
    return "\n".join(
        fill(f"{verdicts[verdict]}, in {listed(places)}: {plain(why)}.")
        for (verdict, why), places in said.items())


def _made(rules: Sequence[Rule], making: Making) -> str:
    names = [f"cocci/{rule.folder}/{rule.path.name}" if rule.folder
             else rule.path.name for rule in rules]
    tools = [f"sgwalk's {listed(names)}" if names else "sgwalk",
             *([f"spatch {making.spatch}"] if making.spatch else [])]
    join = ", and " if len(names) > 1 else " and "
    return fill(f"Made with {join.join(tools)}:") + "\n\n" \
        + typed(making.command)


def _checked(check: Check) -> str:
    done = f"Checked: {'; '.join(check.done)}. " if check.done else ""
    left = f"Not checked: {'; '.join(check.left)}." if check.left else ""
    return fill(done + left)


def _message(parts: Iterable[str]) -> str:
    text = "\n\n".join(part for part in parts if part.strip())
    title, _, body = text.partition("\n")
    safe = [_TRAPS.sub("  ", line.rstrip()) for line in body.split("\n")]
    return "\n".join([title, *safe]) + "\n"


def _cut_trailers(body: str) -> tuple[str, list[str]]:
    """Take the block of trailers from the end of a message."""
    text, _, last = body.rstrip("\n").rpartition("\n\n")
    lines = last.split("\n")
    if text and all(re.match(r"[A-Z][\w-]+: \S", line) for line in lines):
        return text, lines
    return body, []


def _vote(lines: Sequence[str]) -> str:
    """Return the prefix most subjects have; the newest of equals."""
    count: collections.Counter[str] = collections.Counter()
    for line in lines:
        found = _PREFIX.match(_plain_subject(line))
        if found and found[0].split(":")[0].lower() not in _NOISE \
                and len(found[0]) <= 40:
            count[found[0]] += 1
    return count.most_common(1)[0][0] if count else ""


def _plain_subject(line: str) -> str:
    """Take "[media] x: y" for "media: x: y", as git am would cut it."""
    return re.sub(r"^\[(\w+)\] ", r"\1: ", line)


def _common(prefixes: Sequence[str]) -> str:
    """Return what all prefixes start with, in whole words."""
    words = [re.split(r"(?<=: )|(?<=/)", prefix) for prefix in prefixes]
    same = []
    for level in zip(*words):
        if len(set(level)) > 1:
            break
        same.append(level[0])
    text = "".join(same)
    return text[:-1] + ": " if text.endswith("/") else text


def _folder(files: Sequence[str]) -> str:
    """Return the deepest folder that holds all files."""
    parts = [PurePosixPath(file).parts[:-1] for file in files]
    same = []
    for level in zip(*parts):
        if len(set(level)) > 1:
            break
        same.append(level[0])
    return "/".join(same)


def _decapital(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
