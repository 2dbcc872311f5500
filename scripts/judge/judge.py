# SPDX-License-Identifier: GPL-2.0-only
"""Decide about units: which proposals hold, and what every site is.

Facts from everywhere meet here and nowhere else: what a rule proposes, what a
report rule marks, which lines spatch could not read, where the preprocessor
splits an iterator. A unit is taken whole or left whole. A proposal holds when
the edited files, bound afresh, have one type for each unit it touched; that
check reads tokens only and knows nothing of the rules, so a rule that
converts half of something is found out.

Data:   Case (unit + evidence) -> Verdict; proposals -> accepted edits.
Errors: none: a doubt is a verdict, `manual` or `unread`, with its reason.
Source: the verdicts and refusals of design.md.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass, field
from typing import Collection, Iterable, Mapping, Optional, Sequence

from judge import counts, guards, reach, units as iterators
from read import api as names
from read.conditionals import Kernel
from read.ctext import Branch, Text
from judge.counts import Claim, Count, Kind, Why
from judge.edits import Edit, EditError, permitted, render, spoils
from judge.reach import Found
from judge.units import DMA, PAGE, Act, Decl, Unit, Use

_NOT_TYPES = (b"return", b"else", b"do", b"case")
_DEFINE = re.compile(rb"(?:#|%:)\s*(?:define|undef)\s+([A-Za-z_]\w*)")
# What the build of an assembler file defines, and of no C file.
_ASSEMBLY = frozenset((b"__ASSEMBLY__", b"__ASSEMBLER__"))
_OFFSETS = (b"offsetof", b"__builtin_offsetof", b"offsetofend",
            b"sizeof_field", b"FIELD_SIZEOF", b"typeof_member",
            b"container_of")
_CHANGES = (b"=", b"+=", b"-=", b"*=", b"/=", b"%=", b"&=", b"|=", b"^=",
            b"<<=", b">>=", b"++", b"--")
_GROWS = ("the walk can now yield more addresses than before: "
          "check the bound of what it fills")


@dataclass(frozen=True)
class Verdict:
    verdict: str             # converted, kept, manual or unread
    rule: str
    reason: str              # `code: sentence`


@dataclass(frozen=True, order=True)
class Mark:
    """What a report rule says of a line; the code is what decides."""

    rule: str
    verdict: str
    code: str
    sentence: str

    @property
    def reason(self) -> str:
        return f"{self.code}: {self.sentence}"


@dataclass(frozen=True)
class Split:
    """An #if that runs through a unit."""

    dead: bool               # a branch that no compiler reads names it
    sentence: str


@dataclass
class Evidence:
    """What is known about the files of a run besides their text."""

    unread: Mapping[str, tuple[tuple[int, int], ...]]
    lost: Mapping[str, str]                  # file -> why it was not read
    failed: Mapping[str, str]                # file -> why no rule converts it
    # (file, line) -> what report rules marked
    marks: Mapping[tuple[str, int], list[Mark]]
    outside: frozenset[bytes] = frozenset()  # names that unseen files use
    # function that takes an iterator -> the files that have its name
    named: Mapping[bytes, Sequence[str]] = field(default_factory=dict)
    # unit, by its key -> what reaches it through the preprocessor
    reached: Mapping[tuple[str, int], Found] = field(default_factory=dict)
    # file -> tokens that measure or cast the bare type
    measured: Mapping[str, Sequence[int]] = field(default_factory=dict)
    kernel: Kernel = guards.NOBODY           # that the files are built for
    undefined: frozenset[bytes] = frozenset()    # names that nothing defines


@dataclass
class Proposal:
    """What one rule wants to do to one unit."""

    rule: str
    free: bool               # a shipped conversion: any statement may change
    edits: dict[str, list[Edit]] = field(default_factory=dict)
    # Words of comments that the rule makes untrue, and what is true instead.
    comments: tuple[tuple[str, str], ...] = ()


# --- what stands without a rule --------------------------------------------

def standing(texts: Mapping[str, Text], unit: Unit,
             evidence: Evidence) -> Optional[Verdict]:
    """Return the verdict that a unit has whatever the rules say, or None."""
    if is_api(texts, unit):
        return Verdict("kept", "", _whose(unit))
    other = _other_kernel(texts, unit, evidence)
    if other:
        return other
    return _unread(texts, unit, evidence)


def is_api(texts: Mapping[str, Text], unit: Unit) -> bool:
    """Tell whether a unit belongs to the API and not to a user of it."""
    api = names.now()
    if all(file in api.campaign.api for file in unit.files):
        return True
    for decl in unit.decls:
        if decl.kind == "api" or decl.owner in api.functions:
            return True
        if decl.kind == "member" and decl.owner in api.holders:
            return True
    return bool(unit.bare) and all(
        _defines(texts[file], at) for file, at in unit.bare)


def _whose(unit: Unit) -> str:
    api = names.now()
    if all(file in api.campaign.api for file in unit.files):
        return f"api: {api.say('api')}"
    if any(decl.owner in api.holders for decl in unit.decls):
        return f"mapping-iterator: {api.say('holder')}"
    return "api-copy: this is a copy of the API for other systems"


def _defines(text: Text, at: int) -> bool:
    """Tell whether a name stands in its own definition or export."""
    function, api = text.function_of(at), names.now()
    if function is not None and function.name in api.functions:
        return True
    if text.text(at) not in api.takes:
        return False
    if text.text(at - 1) == b"(" and \
            text.text(at - 2).startswith(b"EXPORT_SYMBOL"):
        return True
    if function is not None or text.text(at) not in api.functions or \
            text.text(at + 1) != b"(" or at == 0:
        return False
    # A prototype: a type stands before the name. In a fragment that others
    # include, a use stands outside of functions, too.
    before = text.tokens[at - 1]
    return before.text == b"*" or (before.kind == "id"
                                   and before.text not in _NOT_TYPES)


def clash(text: Text) -> Optional[tuple[str, int]]:
    """Return what a file defines of the new API, and where, if it does.

    A definition that steps back where the macro is there already is no clash.
    """
    api = names.now()
    brought = frozenset(api.renames.values())
    for at, token in enumerate(text.tokens):
        found = None
        if token.kind == "directive":
            define = _DEFINE.match(token.text)
            found = define[1] if define and b"undef" not in token.text[:8] \
                else None
        elif token.text in api.types and text.text(at + 1) == b"{":
            found = token.text
        elif token.text in brought and token.text in api.functions:
            function = text.function_of(at)
            found = token.text if function is not None and \
                function.head == at + 1 else None
        if found is not None and found in brought and not any(
                word in condition for word in api.guard_words
                for branch in token.branch or ()
                for condition in text.groups[branch.group].conditions):
            return found.decode("latin-1"), text.line_of(at)
    return None


def macro(text: Optional[Text], offset: int, file: str) -> Verdict:
    """Return the verdict of a site inside a preprocessor directive."""
    found = None
    if text is not None:
        at = text.at(offset)
        if at is not None:
            found = _DEFINE.match(text.text(at))
    api = names.now()
    if file in api.campaign.api:
        return Verdict("kept", "", f"api: {api.say('api')}")
    if found is not None and (found[1] in api.takes or found[1] in api.types
                              or found[1] in api.calls):
        return Verdict("kept", "", "api-copy: a compatibility header maps one "
                       "name of the API to another")
    if found is None:
        return Verdict("kept", "", "guard: a preprocessor condition asks for "
                       "the API and serves several kernels")
    name = found[1].decode("latin-1")
    return Verdict("unread", "", f"macro: in the body of {name}, which "
                   "Coccinelle reads only where it is used; convert it by "
                   "hand")


def _other_kernel(texts: Mapping[str, Text], unit: Unit,
                  evidence: Evidence) -> Optional[Verdict]:
    """Judge old code below a guard: who sees it, and may it stay so?"""
    if unit.types == {DMA} or any(decl.kind == "cast" for decl in unit.decls):
        return None
    if len(unit.types) < 2 and not unit.has(Act.ADDRESS) and \
            not reads_by_field(texts, unit):
        return None             # pages may be walked in every kernel
    places: dict[str, dict[Optional[Branch], int]] = {}
    for file, at in _old_places(unit):
        places.setdefault(file, {}).setdefault(
            texts[file].tokens[at].branch, at)
    sights = {file: guards.sight(texts[file], branches, evidence.kernel)
              for file, branches in places.items()}
    if set(sights.values()) <= {guards.Sight.ALL}:
        return None
    file, sight = max(sights.items(), key=lambda row: _SIGHTS.index(row[1]))
    if guards.Sight.ALL in sights.values() and sight not in _BY_HAND:
        sight = guards.Sight.ALONE
    branch, at = next((row for row in places[file].items()
                       if guards.about(texts[file], row[0])),
                      (None, -1))
    said = _condition(texts[file], branch)
    api = names.now()
    if sight in _BY_HAND:
        return Verdict("manual", "", "version-guard: "
                       + api.say(_BY_HAND[sight], guard=said))
    return Verdict("kept", "", f"other-kernel: {said} keeps this code for "
                   f"kernels without the {api.new}")


# From what is right as it is to what is certainly wrong.
_SIGHTS = (guards.Sight.ALL, guards.Sight.OTHERS, guards.Sight.TWIN,
           guards.Sight.ALONE, guards.Sight.NEW, guards.Sight.HERE)
_BY_HAND = {guards.Sight.HERE: "guard-here", guards.Sight.NEW: "guard-new",
            guards.Sight.ALONE: "guard-alone"}


def _old_places(unit: Unit) -> Iterable[tuple[str, int]]:
    """Yield where the old side is used; where it is declared if nowhere."""
    used = [(use.file, use.at) for use in unit.uses
            if use.act not in (Act.TEST, Act.OTHER, Act.CALL)
            and (len(unit.types) < 2 or use.type == PAGE)]
    yield from used
    if not used or len(unit.types) > 1:
        for decl in unit.decls:
            if decl.type == PAGE:
                yield decl.file, decl.tag


def _condition(text: Text, branch: Optional[Branch]) -> str:
    """Return the innermost guard around a branch, as it is written."""
    for around in branch or ():
        row = text.rows[around.row]
        if row.about:
            said = text.groups[around.group].conditions[around.nth]
            first = text.groups[around.group].conditions[0]
            line, _ = text.position(row.offset)
            if around.nth and said.strip() == b"else":
                said = b"else of #" + first
            short = " ".join(said.decode("latin-1").split())
            return f"#{short[:100]} of line {line}"
    return "a guard"


def split_by_ifdef(texts: Mapping[str, Text], unit: Unit) -> Optional[Split]:
    """Return where an #ifdef runs through a unit, None where none does."""
    first: dict[str, tuple[Optional[Branch], int]] = {}
    for file, at in _places(unit):
        text = texts[file]
        branch = text.tokens[at].branch
        known, place = first.setdefault(file, (branch, at))
        if known is not branch:
            return Split(False, f"#{_between(text, known, branch)} splits "
                         f"it: line {text.line_of(place)} and line "
                         f"{text.line_of(at)}")
    for decl in unit.decls:
        line = _named_in_dead_code(texts[decl.file], decl)
        if line:
            return Split(True, f"dead code names it, too, in line {line}")
    for file in unit.files:
        inside = reach.splits(texts[file], unit, file)
        if inside:
            return Split(False, inside)
    return None


def _named_in_dead_code(text: Text, decl: iterators.Decl) -> int:
    """Return the line of dead code within the scope of a variable that names
    it, 0 if there is none."""
    if decl.kind not in ("local", "param") or decl.end <= decl.start:
        return 0
    first, last = text.tokens[decl.start].start, text.tokens[
        min(decl.end, len(text.tokens) - 1)].end
    word = re.compile(rb"\b" + re.escape(decl.name) + rb"\b")
    for low, high in text.dead[bisect.bisect(text.dead,
                                                    (first, 0)):]:
        if low > last:
            break
        found = word.search(text.data, low, high)
        if found:
            return text.position(found.start())[0]
    return 0


def _between(text: Text, one: Optional[Branch],
             other: Optional[Branch]) -> str:
    """Return the condition of an #if that only one of two branches is in."""
    mine, theirs = set(one or ()), set(other or ())
    branch = max(mine ^ theirs, key=lambda branch: (-branch.depth,
                                                    branch in mine))
    return text.groups[branch.group].conditions[0].decode("latin-1")


def _version_guard(texts: Mapping[str, Text], unit: Unit) -> bool:
    """Tell whether a function of a unit chooses between kernels anywhere."""
    heads: set[tuple[str, int]] = set()
    for file, at in _places(unit):
        function = texts[file].function_of(at)
        if function is None or (file, function.head) in heads:
            continue
        heads.add((file, function.head))
        if guards.within(texts[file], function.head, function.close):
            return True
    return False


def _places(unit: Unit) -> Iterable[tuple[str, int]]:
    for decl in unit.decls:
        yield decl.file, decl.tag
    for use in unit.uses:
        yield use.file, use.at
    yield from unit.bare


def _unread(texts: Mapping[str, Text], unit: Unit,
            evidence: Evidence) -> Optional[Verdict]:
    for file, at in _places(unit):
        text = texts[file]
        function = text.function_of(at)
        if function is None:
            first = last = text.line_of(at)
            name = "this declaration"
        else:
            first, last = text.line_of(function.head), \
                text.line_of(function.close)
            name = function.name.decode("latin-1") + "()"
        for low, high in evidence.unread.get(file, ()):
            if low <= last and first <= high:
                return Verdict(
                    "unread", "", f"unparsed: Coccinelle does not read lines "
                    f"{low}-{high} of {file}, so it skips {name}; "
                    "read it by hand")
    for file in unit.files:
        if file in evidence.lost:
            return Verdict("unread", "", evidence.lost[file])
        if texts[file].unknown:
            return Verdict("unread", "", f"conditionals: {file}: "
                           f"{texts[file].unknown}; read it by hand")
    return None


def misread(texts: Mapping[str, Text], unit: Unit) -> Optional[Verdict]:
    """Return the verdict on code that Coccinelle takes for a comment."""
    for file, at in _places(unit):
        said = guards.hidden(texts[file], texts[file].tokens[at].branch)
        if said:
            return Verdict("unread", "", "unparsed: Coccinelle does not "
                           f"evaluate {said} and takes this branch for a "
                           "comment; read it by hand")
        if _selected(texts[file], at):
            return Verdict("unread", "", "unparsed: Coccinelle passes over "
                           "what stands in a _Generic(), line "
                           f"{texts[file].line_of(at)} of {file}; read it by "
                           "hand")
    return None


def _selected(text: Text, at: int) -> bool:
    """Tell whether a token is among the arguments of a _Generic()."""
    depth = 0
    for index in range(at - 1, 0, -1):
        token = text.tokens[index].text
        if token == b")":
            depth += 1
        elif token == b"(" and depth:
            depth -= 1
        elif token == b"(":
            if text.tokens[index - 1].text == b"_Generic":
                return True
        elif token in (b";", b"{", b"}") and not depth:
            return False
    return False


def open_names(texts: Mapping[str, Text], unit: Unit) -> set[bytes]:
    """Return the names that it hangs on whether a unit is dead."""
    return {name for file, at in _places(unit) for name in guards.open_names(
        texts[file], texts[file].tokens[at].branch)}


# --- what a rule proposes --------------------------------------------------

def refusal(texts: Mapping[str, Text], unit: Unit,
            evidence: Evidence) -> Optional[Verdict]:
    """Return why a unit is not to be converted, whatever rule asks."""
    for file, at in _places(unit):
        branch = texts[file].tokens[at].branch
        undefined = evidence.undefined
        if not file.endswith(".S"):
            undefined |= _ASSEMBLY
        if guards.dead(texts[file], branch, undefined):
            names = undefined & guards.open_names(texts[file], branch)
            whom = "nothing in the tree defines" \
                if names & evidence.undefined else "no C file is built with"
            return Verdict("unread", "", "dead-code: in a branch that needs "
                           + b", ".join(sorted(names)).decode("latin-1")
                           + f", which {whom}; convert or delete it by hand")
    split = split_by_ifdef(texts, unit)
    if split is not None:
        return Verdict("manual", "", f"ifdef-split: {split.sentence}; convert "
                       "every branch by hand")
    if _version_guard(texts, unit):
        return Verdict("manual", "", "version-guard: the function chooses "
                       "between kernels; convert the branch for this one by "
                       "hand")
    found = evidence.reached.get(unit.key)
    if found is not None:
        return Verdict("manual", "", found.reason)
    shape = _shape(texts, unit, evidence)
    if shape is not None:
        return shape
    escape = _escape(texts, unit, evidence)
    if escape:
        return Verdict("manual", "", f"escapes: {escape}; convert it together "
                       "with whoever has the other end")
    return None


def _shape(texts: Mapping[str, Text], unit: Unit,
           evidence: Evidence) -> Optional[Verdict]:
    """Refuse what a change of the type breaks though every use is known."""
    for decl in unit.decls:
        text = texts[decl.file]
        place = f"{decl.file}:{text.line_of(decl.tag)}"
        if iterators.is_extern(text, decl) and decl.kind in ("local",
                                                             "global"):
            return Verdict("manual", "", f"extern: {place} declares an "
                           "iterator whose definition stands elsewhere; "
                           "convert both by hand")
        if not _initialised(text, decl):
            return Verdict("manual", "", "initialiser: the members of the "
                           f"iterator are initialised one by one at {place}; "
                           "they move to .base, so convert it by hand")
    owners = {decl.owner for decl in unit.decls if decl.kind == "member"}
    for file in unit.files:
        where = max(_designated(texts[file]), _positional(
            texts[file], owners)) if owners else -1
        if where >= 0:
            return Verdict("manual", "", "initialiser: members of an iterator "
                           f"are initialised at {file}:"
                           f"{texts[file].line_of(where)}; they move to "
                           ".base, so convert it by hand")
        for name in {decl.name for decl in unit.decls
                     if decl.kind == "member"}:
            where = _offset(texts[file], name)
            if where >= 0:
                return Verdict("manual", "", "measured: the place of a "
                               f"member of the iterator is asked for at {file}"
                               f":{texts[file].line_of(where)}; it moves to "
                               ".base, so convert it by hand")
    for decl in unit.decls:
        text = texts[decl.file]
        function = text.function_of(decl.tag)
        for at in evidence.measured.get(decl.file, ()):
            if text.function_of(at) in (function, None) and decl.tag != at:
                return Verdict(
                    "manual", "", "measured: the type is cast, measured or "
                    f"compared at {decl.file}:{text.line_of(at)}, beside an "
                    "iterator of this type; decide by hand what is meant")
    for use in unit.uses:
        early = _unstepped(texts[use.file], unit, use)
        if early is not None:
            return Verdict(
                "manual", "", "unstepped: line "
                f"{texts[use.file].line_of(early.at)} of {use.file} reads the "
                "address before the first step, so the first entry comes "
                "twice; step first, by hand")
    return None


def measured(units: Iterable[Unit]) -> dict[str, list[int]]:
    """Return the tokens, by file, that name the bare old type."""
    found: dict[str, list[int]] = {}
    for unit in units:
        for decl in unit.decls:
            if decl.kind == "cast" and decl.type == PAGE:
                found.setdefault(decl.file, []).append(decl.tag)
    return found


def _initialised(text: Text, decl: Decl) -> bool:
    """Tell whether a declaration has no initialiser, or an empty one."""
    if decl.at < 0 or decl.pointer or decl.kind not in ("local", "global"):
        return True
    end = text.statement_end(decl.at)
    words = text.words(decl.at, end)
    if b"=" not in words:
        return True
    value = tuple(word for word in words[words.index(b"=") + 1:]
                  if word not in (b"{", b"}", b","))
    # gcc takes 0 for all of an object, and warns of braces that NULL lacks.
    return value in ((), (b"0",))


def _designated(text: Text) -> int:
    """Return where a member of an iterator may be initialised, or -1."""
    members = names.now().members
    for at, token in enumerate(text.tokens):
        if token.kind != "id" or token.text not in members:
            continue
        if text.text(at - 1) in (b".",) and text.text(at - 2) in (b"{", b",") \
                and text.text(at + 1) == b"=":
            return at
        if text.text(at - 1) in (b"{", b",") and text.text(at + 1) == b":":
            return at
    return -1


def _positional(text: Text, owners: Collection[bytes]) -> int:
    """Return where braces in a structure's initialiser hold a value, or -1.

    Which member they are for is not looked for: the iterator's would want one
    more pair, and gcc warns of it.
    """
    for at, token in enumerate(text.tokens):
        if token.text not in owners or text.text(at - 1) != b"struct":
            continue
        end = text.statement_end(at)
        words = text.words(at, end)
        if b"=" not in words:
            continue
        first = at + words.index(b"=") + 1
        for inner in range(first + 1, end):
            if text.text(inner) == b"{" and \
                    text.text(inner - 1) in (b"{", b",") and \
                    text.text(inner + 1) not in (b"}", b"0"):
                return inner
    return -1


def _offset(text: Text, name: bytes) -> int:
    """Return where offsetof(struct x, name.field) or its like is, or -1."""
    members = names.now().members
    for at, token in enumerate(text.tokens):
        if token.text == name and token.kind == "id" and \
                text.text(at - 1) in (b",", b".", b"]"):
            end = at + 1
            while text.text(end) == b"[":
                end = text.closing(end) + 1
            asked = text.words(text.item_start(at), at)
            if text.text(end) == b"." and text.text(end + 1) in members and \
                    any(word in _OFFSETS for word in asked):
                return at
    return -1


def _unstepped(text: Text, unit: Unit, start: Use) -> Optional[Use]:
    """Return the use that reads what a start has not stepped to yet."""
    if start.act is not Act.START:
        return None
    function = text.function_of(start.at)
    behind = [use for use in unit.uses if use.file == start.file
              and use.start >= start.end
              and text.function_of(use.at) == function]
    first = min(behind, key=lambda use: use.start, default=None)
    return first if first is not None and first.act is Act.ADDRESS else None


def _escape(texts: Mapping[str, Text], unit: Unit,
            evidence: Evidence) -> str:
    for decl in unit.decls:
        if decl.kind == "param":
            name = decl.owner.decode("latin-1")
            for file in evidence.named.get(decl.owner, unit.files):
                text = texts[file]
                if file != decl.file and not iterators.together(
                        texts, file, decl.file) and (
                        _is_own(text, decl.owner)
                        or not decl.file.endswith(".h")
                        and iterators.is_static(texts[decl.file], decl)):
                    continue        # another function of the same name
                for at, token in enumerate(text.tokens):
                    if token.text == decl.owner and token.kind == "id" and \
                            text.text(at + 1) != b"(" and \
                            text.text(at - 1) not in (b".", b"->"):
                        return (f"{name}() is exported or stored at "
                                f"{file}:{text.line_of(at)}")
            if decl.owner in evidence.outside:
                return f"{name}() is called from files that were not read"
    return ""


def _is_own(text: Text, name: bytes) -> bool:
    """Tell whether a file has a static function of this name."""
    return any(function.name == name and b"static" in text.words(
        text.item_start(function.head), function.head)
        for function in text.functions)


def holds(texts: Mapping[str, Text], unit: Unit, proposal: Proposal) -> str:
    """Say what is wrong with a proposal for a unit, "" when it holds."""
    for file, edits in proposal.edits.items():
        for edit in edits:
            lost = spoils(texts[file], edit)
            if lost:
                return lost
            if not (proposal.free or permitted(edit)):
                return ("the rule wants more than to rename: "
                        + b" ".join(edit.old_words + (b"->",)
                                    + edit.new_words).decode("latin-1"))
    try:
        after = {file: Text(render(texts[file], proposal.edits[file]))
                 for file in proposal.edits}
    except EditError as error:
        return str(error)
    both = {**texts, **after}
    bound = iterators.bind(both)
    index = {place: found for found in bound for place in found.tokens()}
    reached = []
    for file, at in _places(unit):
        now = moved_token(texts[file], proposal.edits.get(file, ()), at)
        found = index.get((file, now)) if now is not None else None
        if found is not None and found not in reached:
            reached.append(found)
    for found in reached:
        wrong = iterators.trouble(found)
        if wrong:
            return wrong
        if found.types == {PAGE} and reads_by_field(both, found):
            return "an address is still read from a field"
        if found.has(Act.ADDRESS) and any(
                decl.pointer and b"const" in (
                    both[decl.file].text(decl.tag - 1),
                    both[decl.file].text(decl.tag + 2))
                for decl in found.decls):
            return (f"the iterator is const, and {names.now().accessor} "
                    "takes one that is not")
    if not any(found.types == {DMA} for found in reached):
        return "nothing of it was converted"
    return ""


def reads_by_field(texts: Mapping[str, Text], unit: Unit) -> bool:
    """Tell whether a field of the iterator is used for its DMA side."""
    return any(_dma_side(texts[use.file], use) for use in unit.uses)


def shared_type(unit: Unit) -> str:
    """Return the names that one declaration declares, "" for one."""
    names: dict[tuple[str, int], list[str]] = {}
    for decl in unit.decls:
        if decl.name:
            names.setdefault((decl.file, decl.tag), []).append(
                decl.name.decode("latin-1"))
    return next((" and ".join(some) for some in names.values()
                 if len(some) > 1), "")


def only_written_out(texts: Mapping[str, Text], unit: Unit) -> bool:
    """Tell whether the fields are read for addresses, and nothing for pages."""
    api = names.now()
    entries = [_dma_side(texts[use.file], use) for use in unit.uses
               if use.act is Act.FIELD
               and texts[use.file].text(use.at) not in api.own_fields]
    return bool(entries) and not unit.has(Act.PAGE) and all(
        entry in api.read_addresses for entry in entries)


def _dma_side(text: Text, use: Use) -> bytes:
    """Return what reads the DMA side of a field's entry, b"" for nothing."""
    if use.act is not Act.FIELD:
        return b""
    called, member = text.text(use.lo - 2), text.text(use.end + 1)
    api = names.now()
    if text.text(use.lo - 1) == b"(" and called in api.read_calls:
        return called
    if text.text(use.end) == b"->" and member in api.read_members:
        return member
    return b""


def moved_token(text: Text, edits: Sequence[Edit],
                at: int) -> Optional[int]:
    """Return the number a token has once the edits are made."""
    start = text.tokens[at].start
    shift = 0
    for edit in sorted(edits):
        if edit.start <= start < edit.end:
            return at + shift if len(edit.new_words) == len(edit.old_words) \
                else None
        if edit.end <= start:
            shift += len(edit.new_words) - len(edit.old_words)
    return at + shift


def edits_of(texts: Mapping[str, Text], unit: Unit, file: str,
             edits: Iterable[Edit]) -> list[Edit]:
    """Return the edits that touch a unit: its words, or a line beside it."""
    text = texts[file]
    spans = []
    for decl in unit.decls:
        if decl.file == file:
            last = max(decl.tag + (text.text(decl.tag) == b"struct"), decl.at)
            spans.append((text.tokens[decl.tag].start,
                          text.tokens[last].end))
    functions = set()
    for use in unit.uses:
        if use.file == file:
            spans.append((text.tokens[use.start].start,
                          text.tokens[use.end - 1].end))
            functions.add(text.function_of(use.at))
    found = []
    for edit in edits:
        if any(low <= edit.start and edit.end <= high
               or edit.start <= low and high <= edit.end
               for low, high in spans):
            found.append(edit)
        elif not edit.old_words and edit.new_words[:2] == (
                b"struct", names.now().tag(DMA)) and any(
                    function is not None
                    and text.tokens[function.open].start < edit.start
                    <= text.tokens[function.close].start
                    for function in functions):
            found.append(edit)
        elif any(low < edit.end and edit.start < high for low, high in spans):
            found.append(edit)
    return found


def in_scope(text: Text, edit: Edit) -> bool:
    """Tell whether what an edit puts in as a count is declared there.

    A rule follows paths, and a path leaves the block of a declaration.
    """
    if not edit.new_words:
        return True
    at = text.at(edit.start)
    function = text.function_of(at) if at is not None else None
    if at is None or function is None:
        return True
    name = edit.new_words[0]
    first = next((n for n in range(function.head, at)
                  if text.text(n) == name
                  and text.text(n - 1) not in (b".", b"->")), None)
    return first is None or first < function.open or \
        at <= text.block_end(first)


# --- counts ----------------------------------------------------------------

def count_argument(text: Text, use: Use) -> Optional[tuple[int, int]]:
    """Return the tokens of the count a walk is given, None without one."""
    walk = names.now().walks.get(use.name)
    if walk is None:
        return None
    parts = text.arguments(use.start + 1)
    return parts[walk.count] if len(parts) == walk.arguments else None


def in_count(text: Text, use: Use, edit: Edit) -> bool:
    """Tell whether an edit stays inside a walk's count argument."""
    where = count_argument(text, use)
    return where is not None and \
        text.tokens[where[0]].start <= edit.start and \
        edit.end <= text.tokens[where[1] - 1].end


def count_of(text: Text, use: Use, claim: Optional[Claim] = None,
             defined: Mapping[bytes, bytes] = {}) -> Optional[Count]:
    """Return what is known of a walk's count, None for what is no walk.

    claim: what a rule has proven of it. It holds where nothing is hidden from
    the rule; defined: the bodies of the macros that the file can name.
    """
    where = count_argument(text, use)
    if where is None:
        return None
    start, end = where
    source = text.data[text.tokens[start].start:text.tokens[end - 1].end]
    written = " ".join(source.decode("latin-1").split())
    parts = text.arguments(use.start + 1)
    walk = names.now().walks[use.name]
    offset = b" ".join(text.words(*parts[walk.offset])).decode("latin-1")
    if claim is None or not sees(text, use, claim, defined):
        claim = Claim(Kind.UNKNOWN, Why.NOTHING)
    by = claim.by if claim.why not in (Why.ORIG, Why.ENTRIES) else ""
    return Count(written, claim.kind, claim.why, by, claim.line,
                 offset="" if offset in ("0", "0UL", "0U") else offset)


def sees(text: Text, use: Use, claim: Claim,
         defined: Mapping[bytes, bytes]) -> bool:
    """Tell whether a rule could see all that its claim rests on."""
    function, walk = text.function_of(use.at), names.now().walks.get(use.name)
    parts = text.arguments(use.start + 1)
    if function is None or walk is None or len(parts) != walk.arguments:
        return False
    words = text.words(*parts[walk.list]) + text.words(*parts[walk.count])
    if any(word in _CHANGES for word in text.words(*parts[walk.offset])):
        return False
    if claim.kind is Kind.MAPPED and counts.overlaid(text, words):
        return False
    return not counts.hidden(text, function, words, defined) and (
        claim.why in (Why.ORIG, Why.ENTRIES)
        or not counts.foreign(text, function, words))


def notes(count: Count) -> str:
    """Say what a converted walk's count and offset are."""
    about = counts.about(count)
    if count.offset:
        about += "; " + names.now().say("offset", offset=count.offset)
    return f"{about}; {_GROWS}"
