# SPDX-License-Identifier: GPL-2.0-only
"""Write what a series says: subjects, commit messages and the cover letter.

Every sentence is a fact that another part has found: the text of the rules
that fired, the ledger's entries, what is known of a walk, what was built.
What history shall keep is the message. What was checked, how the patch was
made and what the maintainer is asked are the notes: they stand below the ---
line of the mail, and git drops them. Nothing is signed here, and no line can
be taken for the end of a message by git am.

Data:   facts -> Words and covers without a trailer of a person, lines of at
        most 72 columns where words allow it.
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

from read import api
from run.rules import Rule
from judge.counts import Kind, Why
from judge.ledger import Entry, Ledger
from judge.walks import Walk, quoted

WIDTH = 72
SUBJECT = 75
TABLE = ("The names of the iterators in this tree, by file and by what the "
         "series\ndoes: it converts an occurrence, or keeps it because it "
         "is right, or\nleaves it to a person, who has to decide (manual) or "
         "to read it (unread).")
# "drm/onyx: ", "media: ipu3-cio2: ", "crypto: talc - ".
_PREFIX = re.compile(r"(?:[A-Za-z0-9][\w.,/+*{}()-]*(?: [\w.-]+)?: )+"
                     r"(?:[\w./-]+ - )?")
# Lines that git am would read as something else than text.
_TRAPS = re.compile(r"^(?=---|diff -|Index: |From:? |Subject: |Date: |>From )")
_NOISE = {"treewide", "tree-wide", "revert", "merge", "license cleanup"}
# Subsystems that write a capital behind the prefix, for a tree without a log.
_CAPITALS = re.compile(r"drm/i915|RDMA|IB|ALSA|spi")


@dataclass(frozen=True)
class Prefix:
    text: str                # "media: ipu3-cio2: "; ends in a space
    capital: bool            # whether the word after it is written large
    source: str              # "log", "MAINTAINERS" or "path"


@dataclass(frozen=True)
class Words:
    """What a mail says around its patch."""

    text: str                # the commit message, with its subject
    notes: str = ""          # what stands below ---


@dataclass(frozen=True)
class Check:
    """What was done with one patch; clauses without an end."""

    done: tuple[str, ...]
    left: tuple[str, ...]

    @property
    def built(self) -> bool:
        return bool(self.done)


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
            return _guessed(f"{word}: {end}", "MAINTAINERS")
    top = parts[:1] if parts and parts[0] != leaf else []
    return _guessed("/".join([*top, leaf]) + ": ", "path")


def _guessed(text: str, source: str) -> Prefix:
    return Prefix(text, bool(_CAPITALS.match(text)), source)


def subject(prefix: Prefix, rules: Sequence[Rule]) -> str:
    """Return a subject of at most 75 columns.

    A rule that only puts a count right behind a conversion names no patch.
    """
    said = {decapital(rule.summary) for rule in rules if not rule.counts}
    change, short = (api.now().say(code) for code in ("change",
                                                      "change-short"))
    summary = said.pop() if len(said) == 1 else change
    for words in (summary, change, short):
        text = prefix.text + (words[0].upper() + words[1:]
                              if prefix.capital else words)
        if len(text) <= SUBJECT:
            return text
    return (prefix.text.rstrip(" -:").split(": ")[-1] + ": "
            + short)[:SUBJECT]


def link() -> str:
    """Return the Link: line of the campaign's posting, "" without one."""
    address = api.now().campaign.link
    return f"Link: {address}" if address else ""


# --- commit messages -------------------------------------------------------

def user(title: str, files: Sequence[str], entries: Iterable[Entry],
         rules: Sequence[Rule], walks: Sequence[Walk], making: Making,
         check: Check, fixes: str = "") -> Words:
    """Return what the mail of a patch that converts callers says."""
    mine = [entry for entry in entries if entry.site.file in set(files)]
    here = [walk for walk in walks if walk.file in set(files)]
    text = assembled([title, *rule_text(rules), _facts(here),
                     _left(files, mine), _found(check, fixes), fixes])
    return Words(text, notes([*questions(here), checked(check),
                               _made(rules, making)]))


def core(title: str, body: str, check: Check, first: bool) -> Words:
    """Return what the mail of a patch that comes with kernel-patch/ says.

    first: it adds the iterator, so that its first posting belongs to it.
    """
    text, trailers = _cut_trailers(body)
    trailers += [link()] if first and link() else []
    return Words(assembled([title, text, "\n".join(trailers)]),
                 notes([checked(check)]))


def whole(title: str, body: str, files: Sequence[str],
          entries: Iterable[Entry], rules: Sequence[Rule],
          walks: Sequence[Walk], making: Making, check: Check,
          first: bool) -> Words:
    """Return what the mail of the one patch that holds everything says."""
    mine = [entry for entry in entries if entry.site.file in set(files)]
    here = [walk for walk in walks if walk.file in set(files)]
    text, trailers = _cut_trailers(body)
    parts = [title]
    if text:
        parts += [text, "Convert all callers in the same step."]
    parts += rule_text(rules)
    parts += [_facts(here), _left(files, mine),
              "Compile tested only." if check.built else "",
              "\n".join([*trailers, *([link()] if first and link()
                                     else [])])]
    return Words(assembled(parts), notes(
        [*questions(here), checked(check), _made(rules, making)]))


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
    return "\n".join(lines)


def persons(book: Ledger) -> list[str]:
    """Return what is left to a person, one text a file and reason."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for entry in book.entries:
        if entry.verdict in ("manual", "unread"):
            lines = found.setdefault(
                (entry.site.file, entry.verdict, entry.reason), [])
            if str(entry.site.line) not in lines:
                lines.append(str(entry.site.line))
    return [f"{plain(file)} line {', '.join(lines)} ({verdict}): "
            f"{plain(reason.partition(': ')[2])}"
            for (file, verdict, reason), lines in found.items()]


@dataclass(frozen=True)
class Shape:
    """What there is in a series, for the story of its cover."""

    adds: bool               # the tree gets the iterator
    mends: tuple[int, ...]   # patches that correct one it has, by number
    users: tuple[int, ...]   # patches that convert callers
    ends: bool               # the last patch ends the transition
    left: int                # sites a person must look at
    lone: bool               # nobody maintains lib/ in this tree
    subject: str = ""        # of the correction that the others are made for
    opening: str = ""        # the first paragraph of its message

    @property
    def last(self) -> int:
        return self.adds + len(self.mends) + len(self.users) + self.ends


def cover_title(shape: Shape) -> str:
    """Return the subject of the cover."""
    if shape.adds:
        return api.now().say("adds") + (
            " and convert its users" if shape.users else "")
    if shape.mends and not shape.users:
        return shape.subject
    return f"treewide: {api.now().say('change')}"


def story(shape: Shape) -> str:
    """Say what the series does, and why."""
    parts, say = [], api.now().say
    if shape.adds or shape.users:
        parts.append(say("why"))
    if shape.mends:
        parts.append(shape.opening)
    order = []
    if shape.adds:
        order.append(say("patch-adds"))
    if shape.mends and shape.users:
        order.append(f"{_patches(shape.mends)} " + say(
            "patch-mends", s="s" * (len(shape.mends) == 1)))
    if shape.users:
        one = len(shape.users) == 1
        order.append(f"{_patches(shape.users)} convert{'s' * one} the "
                     "callers" + ("." if one else ", one per subsystem."))
    if shape.ends and shape.adds:
        order.append(f"Until patch {shape.last} {say('both')}, so that "
                     "every step builds.")
    if shape.ends:
        order.append(f"Patch {shape.last} {say('patch-ends')}")
    elif shape.adds and shape.users and shape.left:
        order.append(f"{say('both-still')}, "
                     f"because {many(shape.left, 'place')} below "
                     f"need{'s' if shape.left == 1 else ''} a person.")
    parts.append(" ".join(order))
    if shape.adds:
        parts.append(upstream(bool(shape.users)))
    return "\n\n".join(fill(part) for part in parts if part)


def upstream(users: bool) -> str:
    """Say what the API owes to upstream, and why it is not a backport."""
    return api.now().say("upstream-and-users" if users else "upstream")


def plan_of_merge(shape: Shape) -> str:
    """Suggest who takes what, and in which order."""
    lines = []
    if shape.adds and shape.users:
        lines.append(f"{_patches(shape.users)} "
                     f"need{'s' * (len(shape.users) == 1)} patch 1"
                     + (f", and patch {shape.last} needs all others."
                        if shape.ends else "."))
        lines.append(
            "I suggest that one tree takes the series, with acks from the "
            "maintainers of the drivers. The other way is patch 1 now, "
            + (f"the drivers in the next cycle and patch {shape.last} after "
               "that." if shape.ends else
               "and the drivers in the next cycle."))
    elif len(shape.mends) > 1:
        lines.append("The patches belong in one tree, in this order.")
    elif shape.ends and shape.users:
        lines.append(f"Patch {shape.last} needs all others.")
    elif len(shape.users) > 1:
        lines.append("The patches do not depend on each other; each can go "
                     "through the tree of its subsystem.")
    if shape.lone and (shape.adds or shape.mends or shape.ends):
        lines.append(api.now().say("lone",
                                   home=api.now().campaign.home[0]))
    return fill(" ".join(lines))


def _patches(numbers: Sequence[int]) -> str:
    """Return "Patch 2", "Patches 2 and 3" or "Patches 2 to 5"."""
    if len(numbers) == 1:
        return f"Patch {numbers[0]}"
    if len(numbers) == 2:
        return f"Patches {numbers[0]} and {numbers[1]}"
    return f"Patches {numbers[0]} to {numbers[-1]}"


def made_with(command: str) -> str:
    """Say what made the series, for people who have never heard of it."""
    return (fill("Made with sgwalk, a set of Coccinelle rules and scripts "
                 "that is not part of the kernel. In its folder:")
            + "\n\n" + typed(command))


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


def rule_text(rules: Sequence[Rule]) -> list[str]:
    """Return the /// text of each rule, once."""
    return list(dict.fromkeys(_flow(rule.body) for rule in rules
                              if rule.body.strip()))


def _flow(body: str) -> str:
    """Refill paragraphs; leave what is indented as it is."""
    return "\n\n".join(
        part if re.search(r"^\s", part, re.MULTILINE) else fill(part)
        for part in re.split(r"\n\s*\n", body.strip("\n")))


def _facts(walks: Sequence[Walk]) -> str:
    """Say of each walk what its code shows, one sentence a fact."""
    said: dict[str, list[str]] = {}
    for walk in walks:
        for sentence in _facts_of(walk):
            names = said.setdefault(sentence, [])
            if _named(walk) not in names:
                names.append(_named(walk))
    return "\n\n".join(fill(_verbs(sentence, names))
                       for sentence, names in said.items())


def _facts_of(walk: Walk) -> list[str]:
    """Return sentences with {names} for the functions they are true of."""
    count, found = walk.count, []
    what = plain(quoted(count.expression))
    if walk.stored:
        found.append(f"{{names}} [walks|walk] {what} segments: "
                     f"{walk.stored} stores there what {walk.mapper} "
                     "returned.")
    elif count.kind is Kind.MAPPED:
        by = f"{count.by}()" if count.by else api.now().mapper
        source = {Why.STORED: f"which {by} stored there",
                  Why.IMPORTED: f"whose table came mapped from {by}",
                  }.get(count.why, f"which is what {by} returned")
        found.append(
            f"{{names}} [walks|walk] {what} segments, {source}" + (
                f", and no longer {plain(quoted(walk.was))} entries."
                if walk.was else "."))
    elif count.kind is Kind.UNMAPPED or _all_entries(walk):
        found.append(
            api.now().say("entries-all") if _all_entries(walk) else
            api.now().say("entries", what=what))
    if walk.bound:
        found.append(f"The [loop|loops] in {{names}} [ends|end] when "
                     f"{plain(walk.bound)}, whatever the list has.")
    if count.offset and walk.builder:
        found.append(f"The list is built by {walk.builder} with offset 0 and "
                     f"whole pages, so the offset {plain(count.offset)} "
                     "skips the same pages as before.")
    return found


def _all_entries(walk: Walk) -> bool:
    """Tell whether a count is that of the entries by what it is called."""
    return walk.count.expression.startswith("sg_nents(")


def questions(walks: Sequence[Walk]) -> list[str]:
    """Return what only a maintainer can know, one paragraph each."""
    asked: dict[str, list[str]] = {}
    for walk in walks:
        count = walk.count
        what = plain(quoted(count.expression))
        these = []
        if count.kind is Kind.UNKNOWN and not walk.stored and \
                not _all_entries(walk):
            these.append(f"Please confirm that {what} in {{names}} is what "
                         f"{api.now().mapper} returned.")
        if walk.room:
            these.append("The [walk|walks] in {names} "
                         + api.now().say("fills"))
        if count.offset and not walk.builder:
            these.append(api.now().say("offset-mail",
                                       offset=plain(count.offset)))
        for question in these:
            names = asked.setdefault(question, [])
            if _named(walk) not in names:
                names.append(_named(walk))
    return [fill(_verbs(question, names))
            for question, names in asked.items()]


def _named(walk: Walk) -> str:
    return f"{plain(walk.function)}()"


def _verbs(sentence: str, names: Sequence[str]) -> str:
    """Put names into a sentence, and choose "[singular|plural]"."""
    number = 1 + (len(names) > 1)
    return re.sub(r"\[([^][|]+)\|([^][|]+)\]",
                  lambda found: found[number], sentence).replace(
                      "{names}", listed(names))


def _left(files: Sequence[str], entries: Sequence[Entry]) -> str:
    """Say what of these files is not converted, and why."""
    said: dict[tuple[str, str, str], list[str]] = {}
    for entry in entries:
        if entry.verdict == "converted":
            continue
        place = f"{plain(entry.site.function)}()" if entry.site.function \
            else f"line {entry.site.line}"
        if len(files) > 1:
            place += f" of {PurePosixPath(plain(entry.site.file)).name}"
        places = said.setdefault(
            (entry.verdict, entry.code, entry.reason.partition(": ")[2]), [])
        if place not in places:
            places.append(place)
    lines = []
    for (verdict, code, why), places in said.items():
        one, where = len(places) == 1, listed(places)
        if code == "page-walk":
            where = f"The page walk{'' if one else 's'} in {where}"
        head = {"kept": f"{where} stay{'s' * one} as "
                        f"{'it is' if one else 'they are'}",
                "manual": f"Not converted, in {where}",
                "unread": f"Not read, in {where}"}[verdict]
        lines.append(fill(f"{head}: {_plural(plain(why), one)}."))
    return "\n\n".join(lines)


def _plural(why: str, one: bool) -> str:
    """Let a reason that is about one walk be about several."""
    return why if one else re.sub(r"^it gives ", "they give ", why)


def _found(check: Check, fixes: str) -> str:
    """Say how much is known of the mistake, and how the patch was tested."""
    return fill("Found by inspection" + ("." if fixes else
                ", and not known to happen with this device.")
                + (" Compile tested only." if check.built else ""))


def _made(rules: Sequence[Rule], making: Making) -> str:
    names = ["/".join(rule.path.parts[-4:]) if rule.folder
             else rule.path.name for rule in rules]
    if not names:
        return ""
    spatch = f" {making.spatch}" if making.spatch else ""
    # The core lines bring a name; the others need the rule around them.
    brought = api.now().brings
    pairs: dict[str, str] = {}
    for rule in rules:
        for old, new in rule.rewrites:
            if brought.search(new) and not brought.search(old):
                pairs.setdefault(new, old)
    lines = [f"  {line}" for new, old in pairs.items()
             for line in (f"- {old}", f"+ {new}")]
    return fill(f"Made with Coccinelle{spatch} and {listed(names)} of sgwalk, "
                "a set of rules and scripts that is not part of the kernel."
                + (" The core lines:" if lines else "")) \
        + "".join(f"\n{line}" for line in ["", *lines] if lines)


def checked(check: Check) -> str:
    done = f"Checked: {'; '.join(check.done)}. " if check.done else ""
    left = "".join(f"{one[:1].upper()}{one[1:]}. " for one in check.left)
    return fill(done + left)


def notes(parts: Iterable[str]) -> str:
    """Return what stands below ---; no line of it begins a patch."""
    text = "\n\n".join(part for part in parts if part.strip())
    return "\n".join(_TRAPS.sub("  ", line.rstrip())
                     for line in text.split("\n")) if text else ""


def assembled(parts: Iterable[str]) -> str:
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


def decapital(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
