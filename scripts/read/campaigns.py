# SPDX-License-Identifier: GPL-2.0-only
"""Load a campaign: the folder of data that is about one API.

A campaign of this repository has three folders, cocci/NAME, kernel-patch/NAME
and fixtures/NAME. A campaign of a user is one folder that has all of it:

    this repository         a user's folder
    cocci/NAME/             FOLDER/
      campaign.tsv            campaign.tsv     what the campaign is
      names.tsv               names.tsv        the names that the reader counts
      migrate/ misuse/        migrate/ misuse/ the rules
    kernel-patch/NAME/        kernel-patch/    the patches that bring the API
    fixtures/NAME/            fixtures/        cases; tree/ is the small tree

campaign.tsv and one folder of rules are required. A campaign without names.tsv
counts no sites, and one without patches never changes the API itself.

Loading is strict. An unknown key, a name that no rule uses, a rule that waits
for a name that the table does not have, and a state that no patch reaches are
errors, each with one sentence that starts with the file.

Data:   name or folder -> Campaign. Patterns match bytes.
Units:  none.
Errors: CampaignError.
Source: the comments at the top of the two tables; design.md.
"""

from __future__ import annotations

import enum
import re
import string
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from read.campaign import (ANY, NAMES, RULES, SAYINGS, UNKNOWN, Anchor,
                           Callers, Campaign, Fix, Framework, Kind, Name, Need,
                           Part, Patch, Read, Refusal, Role, Side, State, Step,
                           Unit, Walk, Where, rule_files)

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = "sg-dma-page"
TABLE = "campaign.tsv"


class CampaignError(Exception):
    """A campaign cannot be used; the message starts with the file."""


def load(given: str = "") -> Campaign:
    """Return a campaign of this repository by name, or one in a folder."""
    name = given or DEFAULT
    if name in shipped():
        return _load(name, ROOT / "cocci" / name, ROOT / "kernel-patch" / name,
                     ROOT / "fixtures" / name)
    path = Path(name).expanduser()
    if not path.is_dir():
        raise CampaignError(
            f"CAMPAIGN={name}: no such campaign and no such folder; there "
            f"are: {', '.join(shipped())}")
    if not (path / TABLE).is_file():
        raise CampaignError(f"CAMPAIGN={name}: the folder has no {TABLE}")
    path = path.resolve()
    return _load(path.name, path, path / "kernel-patch", path / "fixtures")


def shipped() -> tuple[str, ...]:
    """Return the names of the campaigns of this repository, by name."""
    return tuple(sorted(path.parent.name for path in
                        (ROOT / "cocci").glob(f"*/{TABLE}")))


def every_misuse() -> tuple[Path, ...]:
    """Return the rules that report mistakes, of all shipped campaigns."""
    return tuple(sorted(
        (path for name in shipped()
         for path in rule_files(ROOT / "cocci" / name, "misuse")),
        key=lambda path: path.name))


# --- the tables ------------------------------------------------------------

# Key -> its columns, whether it is needed, whether it may come again.
_KEYS = {
    "title": ("text", True, False),
    "summary": ("text", True, False),
    "link": ("address", False, False),
    "unit": ("kind", True, False),
    "old": ("word term since", False, False),
    "new": ("word term since", False, False),
    "api": ("file", False, True),
    "state": ("name callers file declaration", False, True),
    "part": ("name file declaration", False, True),
    "refuse": ("states has-or-lacks file pattern sentence", False, True),
    "patch": ("from to file", False, True),
    "role": ("step names list count", False, True),
    "fix": ("state patch file pattern", False, True),
    "anchor": ("state file line where pattern", False, True),
    "needs": ("name place", False, True),
    "walk": ("name list count offset", False, True),
    "reads": ("name call-or-member address-or-length", False, True),
    "framework": ("name function struct files", False, True),
    "maps": ("pattern", False, False),
    "builds": ("pattern", False, False),
    "builds-otherwise": ("pattern", False, False),
    "say": ("code sentence", False, True),
}
_PATTERNS = ("maps", "builds", "builds-otherwise")
_COLUMNS = ("name", "kind", "object", "side", "becomes")
_TAKES = (Kind.LOOP, Kind.START, Kind.NEXT, Kind.ADDRESS, Kind.PAGE,
          Kind.WRAPPER)
_MEMBERS = (Kind.FIELD, Kind.BASE, Kind.MEMBER)
_TAGS = (Kind.TYPE, Kind.HOLDER)
_TAG = re.compile(r"(?:struct|union) [A-Za-z_]\w*")
_FIELD = re.compile(r"\.[A-Za-z_]\w*")
_WORD = re.compile(r"[A-Za-z_]\w*")
_FORMS = {_TAG: "`struct TAG`", _FIELD: "`.NAME`", _WORD: "as one name"}
_Word = TypeVar("_Word", bound=enum.Enum)


def _load(name: str, folder: Path, patches: Path, fixtures: Path) -> Campaign:
    table = folder / TABLE
    facts = _facts(table)
    sides = {key: _side(table, facts[key][0]) if facts[key] else None
             for key in ("old", "new")}
    found = Campaign(
        name, folder, patches, fixtures,
        title=facts["title"][0][0], summary=facts["summary"][0][0],
        link=facts["link"][0][0] if facts["link"] else "",
        unit=_one_of(str(table), "unit", Unit, facts["unit"][0][0]),
        old=sides["old"], new=sides["new"],
        api=tuple(_inside(table, file) for file, in facts["api"]),
        states=tuple(_state(table, row) for row in facts["state"]),
        parts=tuple(Part(word, _inside(table, file), _pattern(table, pattern))
                    for word, file, pattern in facts["part"]),
        refusals=tuple(_refusal(table, row) for row in facts["refuse"]),
        chain=tuple(Patch(start, end, patches / file)
                    for start, end, file in facts["patch"]),
        fixes=tuple(Fix(state, patches / patch, _inside(table, file),
                        _pattern(table, pattern))
                    for state, patch, file, pattern in facts["fix"]),
        anchors=tuple(_anchor(table, row) for row in facts["anchor"]),
        needs=tuple(Need(*row) for row in facts["needs"]),
        walks=tuple(_walk(table, row) for row in facts["walk"]),
        reads=tuple(_read(table, row) for row in facts["reads"]),
        frameworks=tuple(_framework(table, row)
                         for row in facts["framework"]),
        patterns={key: _pattern(table, facts[key][0][0])
                  for key in _PATTERNS if facts[key]},
        sayings=dict(_saying(table, row) for row in facts["say"]),
        names=tuple(_names(folder / NAMES, [
            side.word for side in sides.values() if side])),
        roles=tuple(_role(table, row) for row in facts["role"]))
    _check_roles(table, found)
    _check_chain(table, found)
    _check_names(folder / NAMES, found)
    _check_needs(table, found)
    _check_rules(folder, found)
    return found


def rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of each row."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise CampaignError(f"{path}: byte {error.start} is not UTF-8") \
            from error
    except OSError as error:
        raise CampaignError(f"{path}: {error.strerror}") from error
    for number, line in enumerate(text.split("\n"), start=1):
        if line and not line.startswith("#"):
            cells = line.split("\t")
            if not all(cell == cell.strip() and cell for cell in cells):
                raise CampaignError(f"{path}:{number}: an empty cell, or a "
                                    "blank beside a TAB")
            yield number, cells


def _facts(path: Path) -> dict[str, list[list[str]]]:
    found: dict[str, list[list[str]]] = {key: [] for key in _KEYS}
    for number, (key, *cells) in rows(path):
        where = f"{path}:{number}"
        if key not in _KEYS:
            raise CampaignError(f"{where}: unknown key: {key}; there are: "
                                f"{', '.join(_KEYS)}")
        columns, _, again = _KEYS[key]
        if len(cells) != len(columns.split()):
            raise CampaignError(f"{where}: {key} takes {columns}, which is "
                                f"{len(columns.split())} cells, and has "
                                f"{len(cells)}")
        if found[key] and not again:
            raise CampaignError(f"{where}: a second {key}")
        found[key].append(cells)
    for key, (_, needed, _) in _KEYS.items():
        if needed and not found[key]:
            raise CampaignError(f"{path}: no {key}")
    return found


def _one_of(where: str, what: str, kinds: type[_Word], text: str) -> _Word:
    for kind in kinds:
        if kind.value == text:
            return kind
    raise CampaignError(f"{where}: {what} is {text}, not one of "
                        + ", ".join(str(kind.value) for kind in kinds))


def _side(table: Path, row: Sequence[str]) -> Side:
    word, term, since = row
    return Side(word, term, _release(str(table), since))


def _release(where: str, text: str) -> int:
    """Return a release as LINUX_VERSION_CODE has it, -1 for -."""
    if text == "-":
        return -1
    found = re.fullmatch(r"(\d+)\.(\d+)", text)
    if found is None:
        raise CampaignError(f"{where}: {text} is no release, as 5.1 is")
    return int(found[1]) << 16 | int(found[2]) << 8


def _state(table: Path, row: Sequence[str]) -> State:
    name, callers, file, declaration = row
    return State(name, _one_of(str(table), f"callers of state {name}",
                               Callers, callers),
                 _inside(table, file), _pattern(table, declaration))


def _refusal(table: Path, row: Sequence[str]) -> Refusal:
    states, word, file, pattern, sentence = row
    if word not in ("has", "lacks"):
        raise CampaignError(f"{table}: refuse takes has or lacks, not {word}")
    return Refusal(frozenset(states.split(",")), word == "has",
                   _inside(table, file), _pattern(table, pattern), sentence)


def _anchor(table: Path, row: Sequence[str]) -> Anchor:
    state, file, line, where, pattern = row
    return Anchor(state, _inside(table, file), line.encode(),
                  _one_of(str(table), "anchor", Where, where),
                  _pattern(table, pattern))


def _role(table: Path, row: Sequence[str]) -> Role:
    step, names, first, second = row
    if not re.fullmatch(r"[1-9]", first) or \
            not re.fullmatch(r"[1-9]|-", second):
        raise CampaignError(f"{table}: role {step}: {first} and {second} are "
                            "not the number of an argument, from 1, or - for "
                            "no count")
    return Role(_one_of(str(table), "role", Step, step),
                tuple(names.split()), int(first),
                0 if second == "-" else int(second))


def _check_roles(table: Path, campaign: Campaign) -> None:
    """Refuse roles that the names do not have, and a unit without them."""
    known = {name.name for name in campaign.names if name.kind is Kind.CALL}
    for role in campaign.roles:
        for name in role.names:
            if name not in known:
                raise CampaignError(f"{table}: role {role.step.value}: {name} "
                                    f"is no call of {NAMES}")
    if bool(campaign.roles) != (campaign.unit is Unit.MAPPING):
        raise CampaignError(f"{table}: a campaign has roles where its unit is "
                            "a mapping, and there alone")


def _walk(table: Path, row: Sequence[str]) -> Walk:
    if not all(re.fullmatch(r"[1-9]", cell) for cell in row[1:]):
        raise CampaignError(f"{table}: walk {row[0]}: list, count and offset "
                            "are numbers of arguments, from 1")
    return Walk(row[0], *map(int, row[1:]))


def _read(table: Path, row: Sequence[str]) -> Read:
    word, how, what = row
    if how not in ("call", "member") or what not in ("address", "length"):
        raise CampaignError(f"{table}: reads {word}: not call or member, or "
                            "not address or length")
    return Read(word, how == "call", what == "address")


def _framework(table: Path, row: Sequence[str]) -> Framework:
    name, gives, struct, files = row
    function, tag = (b"" if cell == "-" else cell.encode()
                     for cell in (gives, struct))
    return Framework(name, function, tag, tuple(
        _inside(table, file) for file in files.split()))


def _saying(table: Path, row: Sequence[str]) -> tuple[str, str]:
    """Return a code and its sentence, which has no word of its own."""
    code, sentence = row
    if code not in SAYINGS:
        raise CampaignError(f"{table}: say {code}: no such sentence; there "
                            f"are: {', '.join(sorted(SAYINGS))}")
    try:
        strange = _fields(sentence) - _fields(SAYINGS[code]) - {
            "old", "new", "accessor"}
    except ValueError as error:
        raise CampaignError(f"{table}: say {code}: {error}") from error
    if strange:
        raise CampaignError(f"{table}: say {code}: has no word "
                            f"{{{sorted(strange)[0]}}}")
    return code, sentence


def _fields(sentence: str) -> set[str]:
    """Return the words in braces of a sentence."""
    return {field for _, field, _, _ in string.Formatter().parse(sentence)
            if field is not None}


def _inside(table: Path, file: str) -> str:
    """Return the name of a file that lies in every tree, or refuse it."""
    path = Path(file)
    if path.is_absolute() or ".." in path.parts or file != path.as_posix():
        raise CampaignError(f"{table}: {file}: not a path below the tree")
    return file


def _pattern(table: Path, text: str) -> re.Pattern[bytes]:
    try:
        return re.compile(text.encode(), re.MULTILINE)
    except re.error as error:
        raise CampaignError(f"{table}: {text}: {error}") from error


def _names(table: Path, sides: Sequence[str]) -> Iterator[Name]:
    if not table.exists():
        return
    seen: set[tuple[str, Kind]] = set()
    for number, cells in rows(table):
        where = f"{table}:{number}"
        if len(cells) != len(_COLUMNS):
            raise CampaignError(f"{where}: {len(cells)} cells; a row has "
                                f"{', '.join(_COLUMNS)}")
        name = _name(where, cells, sides)
        if (name.word, name.kind) in seen:
            raise CampaignError(f"{where}: a second {name.name}")
        seen.add((name.word, name.kind))
        yield name


def _name(where: str, cells: Sequence[str], sides: Sequence[str]) -> Name:
    name, kind_word, part, side, becomes = cells
    kind = _one_of(where, "kind", Kind, kind_word)
    form = _TAG if kind in _TAGS else _FIELD if kind in _MEMBERS else _WORD
    if not form.fullmatch(name):
        raise CampaignError(f"{where}: {name}: a {kind_word} is written "
                            f"{_FORMS[form]}")
    if side != "-" and side not in sides:
        raise CampaignError(f"{where}: side {side} is neither - nor one of "
                            "the words of old and new in " + TABLE)
    argument, declared, since = 0, False, -1
    if kind in _TAKES and re.fullmatch(r"[1-9]\d?", part):
        argument = int(part)
    elif kind is Kind.GUARD:
        since = _release(where, part)
    elif kind in (Kind.FIELD, Kind.BASE) and part in ("any", "declared"):
        declared = part == "declared"
    elif part != "-" or kind in _TAKES or kind in (Kind.FIELD, Kind.BASE):
        raise CampaignError(f"{where}: object {part} does not fit a "
                            f"{kind_word}")
    return Name(name, kind, argument, declared, since,
                "" if side == "-" else side, "" if becomes == "-" else becomes)


def _check_chain(table: Path, campaign: Campaign) -> None:
    """Refuse patches between unknown states, and states out of reach."""
    states = {state.name: state for state in campaign.states}
    if len(states) < len(campaign.states):
        raise CampaignError(f"{table}: two states have one name")
    for step in campaign.chain:
        for name in (step.start, step.end):
            if name not in states:
                raise CampaignError(
                    f"{table}: {step.path.name} is a patch from {step.start} "
                    f"to {step.end}, and there is no state {name}")
    for what, name in _named_states(campaign):
        if name not in states:
            raise CampaignError(f"{table}: {what} is for state {name}, which "
                                "no row declares")
    for path in [*(step.path for step in campaign.chain),
                 *(fix.path for fix in campaign.fixes)]:
        if not path.is_file():
            raise CampaignError(f"{table}: {path}: no such patch")
    # Without patches a tree has the state that its makers gave it.
    reached = {state.name for state in campaign.states
               if state.callers is Callers.OLD or not campaign.chain}
    for _ in campaign.chain:
        reached |= {step.end for step in campaign.chain
                    if step.start in reached}
    for name in states:
        if name not in reached:
            raise CampaignError(f"{table}: no patch leads to state {name}")


def _named_states(campaign: Campaign) -> Iterator[tuple[str, str]]:
    """Yield each state that a row names, with the key of the row."""
    for refusal in campaign.refusals:
        if not refusal.states <= {ANY, UNKNOWN}:
            for name in sorted(refusal.states):
                yield "a refuse", name
    for fix in campaign.fixes:
        yield "a fix", fix.state
    for anchor in campaign.anchors:
        yield "an anchor", anchor.state


def _check_names(table: Path, campaign: Campaign) -> None:
    """Refuse twins that are not in the table and names that no rule has."""
    known = {name.name for name in campaign.names}
    rules = rule_files(campaign.folder)
    words = {word for rule in rules for word in re.findall(
        r"[A-Za-z_]\w*", _without_comments(_text(rule)))}
    for name in campaign.names:
        if name.becomes and name.becomes not in known:
            raise CampaignError(f"{table}: {name.name} becomes "
                                f"{name.becomes}, which has no row")
        if name.kind.counted and name.word not in words:
            raise CampaignError(f"{table}: no rule uses {name.name}")


def _check_needs(table: Path, campaign: Campaign) -> None:
    """Refuse needs and walks of names that are not counted."""
    words = {name.word for name in campaign.names if name.kind.counted}
    for key, word in (*(("needs", need.word) for need in campaign.needs),
                      *(("walk", walk.word) for walk in campaign.walks)):
        if word not in words:
            raise CampaignError(f"{table}: {key} {word}, which is no counted "
                                f"name of {NAMES}")


def _check_rules(folder: Path, campaign: Campaign) -> None:
    """Refuse a conversion that waits for a name that is not counted.

    Rules of misuse/ search the source for their tokens, which can be any.
    """
    if not rule_files(folder):
        raise CampaignError(f"{folder}: no rule (*.cocci) in "
                            f"{' or '.join(RULES)}")
    for rule in rule_files(folder, "migrate"):
        for token in _tokens(_text(rule)):
            if token not in campaign.tokens:
                raise CampaignError(f"{rule}: Tokens has {token}, which is no "
                                    f"counted name of {NAMES}")


def _tokens(rule: str) -> list[str]:
    found = re.search(r"^// Tokens: *(.*(?:\n//  +\S.*)*)", rule, re.MULTILINE)
    return found[1].replace("\n//", " ").split() if found else []


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise CampaignError(f"{path}: {error}") from error


def _without_comments(text: str) -> str:
    return re.sub(r"//[^\n]*|/\*.*?\*/", " ", text, flags=re.DOTALL)
