# SPDX-License-Identifier: GPL-2.0-only
"""Read a campaign: the folder of data that is about one API.

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
Units:  objects count arguments from 1. Releases are as LINUX_VERSION_CODE.
Errors: CampaignError.
Source: the comments at the top of the two tables; design.md.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Optional, TypeVar

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = "sg-dma-page"
TABLE, NAMES = "campaign.tsv", "names.tsv"
RULES = ("migrate", "misuse")


class CampaignError(Exception):
    """A campaign cannot be used; the message starts with the file."""


class Unit(enum.Enum):
    """What is decided about as a whole."""

    TYPE = "type"            # a variable and all that must have its type
    CALL = "call"            # each use alone
    MAPPING = "mapping"      # one list, from its mapping to its unmapping


class Kind(enum.Enum):
    """What a name of the table is."""

    TYPE = "type"
    LOOP = "loop"
    START = "start"
    NEXT = "next"
    ADDRESS = "address"
    PAGE = "page"
    CALL = "call"
    FIELD = "field"
    # What follows is not counted.
    BASE = "base"
    MEMBER = "member"
    HOLDER = "holder"
    WRAPPER = "wrapper"
    GUARD = "guard"

    @property
    def counted(self) -> bool:
        return self in _COUNTED


_COUNTED = frozenset((Kind.TYPE, Kind.LOOP, Kind.START, Kind.NEXT,
                      Kind.ADDRESS, Kind.PAGE, Kind.CALL, Kind.FIELD))
_TAKES = frozenset((Kind.LOOP, Kind.START, Kind.NEXT, Kind.ADDRESS, Kind.PAGE,
                    Kind.WRAPPER))
_MEMBERS = frozenset((Kind.FIELD, Kind.BASE, Kind.MEMBER))
_TAGS = frozenset((Kind.TYPE, Kind.HOLDER))


class Callers(enum.Enum):
    """Which API the callers in a tree may use."""

    OLD = "old"
    NEW = "new"
    BOTH = "both"


@dataclass(frozen=True)
class Name:
    """One row of names.tsv."""

    name: str                # `struct TAG`, `.FIELD` or an identifier
    kind: Kind
    argument: int            # of the iterator, from 1; 0 where it has none
    declared: bool           # a field that counts behind an iterator only
    since: int               # GUARD: the first release, -1 = as the side is
    side: str                # Side.word, "" for either
    becomes: str             # a name, "" for none

    @property
    def word(self) -> str:
        """Return the identifier in the name."""
        return self.name.split()[-1].lstrip(".")


@dataclass(frozen=True)
class Side:
    """One of the two APIs."""

    word: str                # in names.tsv
    term: str                # in sentences
    since: int               # the first release that has it, -1 = not known


@dataclass(frozen=True)
class State:
    """What a tree has of the API, recognised by one declaration."""

    name: str
    callers: Callers
    file: str                # relative to the tree
    pattern: re.Pattern[bytes]


@dataclass(frozen=True)
class Patch:
    """A step of the chain."""

    start: str               # State.name
    end: str
    path: Path


@dataclass(frozen=True)
class Campaign:
    name: str
    folder: Path             # of the tables and the rules
    patches: Path            # folder of the patches
    fixtures: Path           # folder of the cases
    title: str
    summary: str
    link: str                # "" for none
    unit: Unit
    old: Optional[Side]
    new: Optional[Side]
    api: tuple[str, ...]     # the files that define the API, by tree
    states: tuple[State, ...]
    chain: tuple[Patch, ...]
    names: tuple[Name, ...]

    @property
    def migrate(self) -> tuple[Path, ...]:
        """Return the rules that convert, in the order of their names."""
        return tuple(_rule_files(self.folder, "migrate"))

    @property
    def misuse(self) -> tuple[Path, ...]:
        """Return the rules that report mistakes."""
        return tuple(_rule_files(self.folder, "misuse"))

    @property
    def tree(self) -> Path:
        """Return the small tree that stands in where no kernel is named."""
        return self.fixtures / "tree"

    @property
    def table(self) -> Path:
        """Return the table of names, which the reader of C gets."""
        return self.folder / NAMES

    @cached_property
    def tokens(self) -> frozenset[str]:
        """Return the words that a rule may wait for."""
        return frozenset(
            name.name if name.kind is Kind.FIELD else name.word
            for name in self.names if name.kind.counted)

    def words(self, *kinds: Kind) -> tuple[str, ...]:
        """Return the identifiers of these kinds, in the table's order."""
        return tuple(name.word for name in self.names if name.kind in kinds)


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
         for path in _rule_files(ROOT / "cocci" / name, "misuse")),
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
    "patch": ("from to file", False, True),
}


_COLUMNS = ("name", "kind", "object", "side", "becomes")
_TAG = re.compile(r"(?:struct|union) [A-Za-z_]\w*")
_FIELD = re.compile(r"\.[A-Za-z_]\w*")
_WORD = re.compile(r"[A-Za-z_]\w*")
_FORMS = {_TAG: "`struct TAG`", _FIELD: "`.NAME`", _WORD: "as one name"}
_Word = TypeVar("_Word", bound=enum.Enum)


def _load(name: str, folder: Path, patches: Path, fixtures: Path) -> Campaign:
    table = folder / TABLE
    facts = _facts(table)
    sides = {key: _side(table, rows[0]) if (rows := facts[key]) else None
             for key in ("old", "new")}
    found = Campaign(
        name, folder, patches, fixtures,
        title=facts["title"][0][0], summary=facts["summary"][0][0],
        link=facts["link"][0][0] if facts["link"] else "",
        unit=_one_of(str(table), "unit", Unit, facts["unit"][0][0]),
        old=sides["old"], new=sides["new"],
        api=tuple(row[0] for row in facts["api"]),
        states=tuple(_state(table, row) for row in facts["state"]),
        chain=tuple(Patch(start, end, patches / file)
                    for start, end, file in facts["patch"]),
        names=tuple(_names(folder / NAMES, [
            side.word for side in sides.values() if side])))
    _check_chain(table, found)
    _check_names(folder / NAMES, found)
    _check_rules(folder, found)
    return found


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
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
    for number, (key, *cells) in _rows(path):
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
    for number, cells in _rows(table):
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
        if not step.path.is_file():
            raise CampaignError(f"{table}: {step.path}: no such patch")
    # Without patches a tree has the state that its makers gave it.
    reached = {state.name for state in campaign.states
               if state.callers is Callers.OLD or not campaign.chain}
    for _ in campaign.chain:
        reached |= {step.end for step in campaign.chain
                    if step.start in reached}
    for name in states:
        if name not in reached:
            raise CampaignError(f"{table}: no patch leads to state {name}")


def _check_names(table: Path, campaign: Campaign) -> None:
    """Refuse twins that are not in the table and names that no rule has."""
    known = {name.name for name in campaign.names}
    rules = _rule_files(campaign.folder)
    words = {word for rule in rules for word in re.findall(
        r"[A-Za-z_]\w*", _without_comments(_text(rule)))}
    for name in campaign.names:
        if name.becomes and name.becomes not in known:
            raise CampaignError(f"{table}: {name.name} becomes "
                                f"{name.becomes}, which has no row")
        if name.kind.counted and name.word not in words:
            raise CampaignError(f"{table}: no rule uses {name.name}")


def _check_rules(folder: Path, campaign: Campaign) -> None:
    """Refuse a conversion that waits for a name that is not counted.

    Rules of misuse/ search the source for their tokens, which can be any.
    """
    if not _rule_files(folder):
        raise CampaignError(f"{folder}: no rule (*.cocci) in "
                            f"{' or '.join(RULES)}")
    for rule in _rule_files(folder, "migrate"):
        for token in _tokens(_text(rule)):
            if token not in campaign.tokens:
                raise CampaignError(f"{rule}: Tokens has {token}, which is no "
                                    f"counted name of {NAMES}")


def _rule_files(folder: Path, *below: str) -> list[Path]:
    return [path for name in below or RULES
            for path in sorted((folder / name).rglob("*.cocci"))
            if not path.name.endswith(".pending.cocci")]


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
