# SPDX-License-Identifier: GPL-2.0-only
"""Read the rules: the contract at the top of each one, checked strictly.

A rule file starts with a header that says what the rule is for and how it may
be used. Other stages act on it, so a slip in it is an error and not a default:
an unknown key, a missing one and a second one are all refused.

    // SPDX-License-Identifier: GPL-2.0-only
    /// Summary, at most 65 columns, used as the subject of a patch
    ///
    /// Body, used as the text of a patch.
    ///
    //# What the rule leaves alone, and why.
    //
    // Shape: S01, S02
    // Confidence: High
    // Options: --no-includes --include-headers
    // Requires: 1.0.8
    // Verdict: kept
    // Reason: page-walk: what a person reads in the ledger; a value goes on
    //   in the next line when that is indented
    // Tokens: old_iter for_each_old

Changes is in a rule that reports and rewrites: what a driver does after it
that it did not do before, for the message of the patch.

Shape to Verdict are in every rule. Reason is in every rule whose verdict is
kept or manual, and Tokens where it may be left out: the census tokens of which
a unit must hold one for the rule to be worth a run. Proves is in a conversion
whose parts show more of the walk than its count: `bound`, that the loop ends
with the array it fills, and `offset`, that DMA page n is page n of the list.

Beside NAME.cocci may lie NAME.comments: what the conversion makes untrue in a
comment, as a line of `- ` and the words, and below it a line of `+ ` and what
is true instead. Long lines go on in the next ones, which begin with a blank.

Data:   paths -> Rule. A folder stands for the rules below it, in the order of
        their names, rules still under work (NAME.pending.cocci) left out.
Errors: RuleError, one sentence that starts with the file's name.
Source: header of scripts/coccinelle in the kernel; metavariable kinds from the
        SmPL grammar of Coccinelle 1.1.1; tests/test_rules.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

MODES = ("patch", "context", "org", "report")

_SPDX = "// SPDX-License-Identifier: GPL-2.0-only"
_FOLDERS = ("migrate", "misuse", "modern")
_SUMMARY_COLUMNS = 65
_ALWAYS = ("Shape", "Confidence", "Options", "Requires", "Verdict")
_SOMETIMES = ("Reason", "Tokens", "Edits", "Proves", "Changes")
_CONFIDENCES = ("High", "Moderate", "Low")
_VERDICTS = ("converted", "kept", "manual", "finding", "count")

_KEY = re.compile(r"// ([A-Za-z][A-Za-z-]*): *(.*)")
_MORE = re.compile(r"//  +(\S.*)")
_SHAPE = re.compile(r"[SMN]\d{1,2}b?|B")
_VERSION = re.compile(r"\d+(\.\d+)+")
_REASON = re.compile(r"[a-z][a-z0-9-]*: \S.*")
_TOKEN = re.compile(r"\.?[A-Za-z_]\w*")
_PROOF = re.compile(r"bound|offset|count")
_PART = re.compile(r"^@([^@]*)@(.*?)@@[ \t]*$", re.MULTILINE | re.DOTALL)
_OPTION = re.compile(r"-{1,2}[A-Za-z][\w-]*(=[\w./-]+)?|[\w./-]+")

# The words that may follow the name in the head of a part, or stand alone.
_HEAD_WORDS = ("depends", "disable", "exists", "expression", "extends",
               "forall", "type", "using", "identifier")
# The words that may start a metavariable declaration. A word that is not one
# of these is taken by spatch for the name of a type: the rule then matches
# nothing and spatch exits 0.
_KINDS = (
    "assignment operator", "attribute", "attribute name", "binary operator",
    "char", "constant", "declaration", "declarer", "declarer name",
    "expression", "expression list", "field", "field list", "format",
    "format list", "fresh identifier", "function", "global idexpression",
    "identifier", "identifier list", "idexpression", "initialiser",
    "initialiser list", "initializer", "initializer list", "iterator",
    "iterator name", "local function", "local idexpression", "metavariable",
    "operator", "parameter", "parameter list", "position", "pragmainfo",
    "statement", "statement list", "string", "symbol", "type", "typedef",
    "unary operator",
)
# The words that start a declaration typed in C. A further name has to be
# declared by `typedef` in the same rule file, or be one of the kernel's own.
_C_WORDS = frozenset(
    "bool char const double enum float int long short signed size_t struct "
    "union unsigned void".split())


class RuleError(Exception):
    """A rule cannot be used; the message names the file and the cause."""


@dataclass(frozen=True)
class Rule:
    name: str                # file name without .cocci
    path: Path
    folder: str              # "migrate", "misuse", "modern" or ""
    summary: str             # the first /// line
    body: str                # the /// lines below it, no blank at either end
    modes: frozenset[str]    # of MODES, as declared virtual
    confidence: str          # High, Moderate or Low
    options: tuple[str, ...]
    requires: str            # oldest spatch, "1.0.8"
    shape: tuple[str, ...]   # ids
    verdict: str             # converted, kept, manual, finding or count
    reason: str              # "code: sentence", or ""
    tokens: tuple[str, ...] = ()  # census tokens, none = always worth a run
    free: bool = False       # a shipped conversion: may change statements
    counts: bool = False     # changes the count of walks that are converted
    prefilter: bool = False  # spatch skips a file without the rule's words
    text: bytes | None = None    # what spatch is given, None = the file
    proves: tuple[str, ...] = ()  # what it shows of a walk: see _PROOF
    # Words of comments, and what takes their place.
    comments: tuple[tuple[str, str], ...] = ()
    # Lines that stand for one another, first to last: what goes, what comes.
    rewrites: tuple[tuple[str, str], ...] = ()
    mends: bool = False      # reports, and rewrites what it proves
    changes: str = ""        # what the rewrite changes in what a driver does
    bare: bool = False       # a semantic patch of no campaign: see bare.py
    modeless: bool = False   # declares no mode, and is run without one
    # Of a bare rule: the options for the headers that spatch reads; None: it
    # reads none.
    includes: tuple[str, ...] | None = None
    fallback: str = ""       # of a bare rule: a subject that is never long


@dataclass(frozen=True)
class Part:
    """One @..@ declarations @@ body of a rule file."""

    line: int                # of the first @, 1-based
    head: str                # between the first two @, "" when anonymous
    declared: str            # between there and @@, comments taken out
    body: str                # up to the next part, comments taken out
    comment: bool            # a comment stands on the line above

    @property
    def name(self) -> str:
        """What other parts call it, "" where they have no word for it."""
        first = (self.head.split() or [""])[0]
        return "" if first in _HEAD_WORDS or ":" in first else first


def load(paths: Iterable[Path]) -> list[Rule]:
    """Return the rules of files and folders, in the order given."""
    rules = [_read(path) for given in paths for path in _files(Path(given))]
    seen: dict[str, Path] = {}
    for rule in rules:
        if rule.name in seen:
            raise RuleError(f"{rule.path}: {seen[rule.name]} has the same "
                            "name: a ledger could not tell them apart")
        seen[rule.name] = rule.path
    return rules


def parts(path: Path) -> list[Part]:
    """Return the parts of a rule file, in the order they stand in."""
    return _parts(_text(path))


def lint(path: Path) -> list[str]:
    """Return what tests hold against a rule file, none when it is good.

    These are checks of the rule's text that spatch does not make: it accepts
    a kind it does not know and a metavariable that nothing uses.
    """
    text = _text(path)
    wrong = [f"virtual {mode} is missing"
             for mode in MODES if mode not in _modes(text)]
    found = _parts(text)
    types = {word for part in found
             for word in re.findall(r"typedef ([\w, ]+);", part.declared)
             for word in re.split(r"[ ,]+", word)}
    for number, part in enumerate(found):
        where = f"line {part.line}"
        if not part.head.startswith(("script:", "initialize:", "finalize:")):
            wrong += [f"{where}: {what}"
                      for what in _lint_part(part, found[number + 1:], types)]
    return wrong


def uncommented(path: Path) -> list[str]:
    """Return the named parts that no comment says the evidence of.

    It stands on the line above, or above a part before, with the name in its
    first words: `// paged, both: whose it is.`
    """
    text = _text(path)
    named = {name for words in re.findall(r"^// ([\w, ]+):", text, re.M)
             for name in re.split(r"[, ]+|and", words)}
    return [f"line {part.line}: no comment says what {part.name} is "
            "evidence of" for part in _parts(text)
            if part.name and not part.comment and part.name not in named]


def _files(given: Path) -> Iterator[Path]:
    if given.is_dir():
        found = [path for path in sorted(given.rglob("*.cocci"))
                 if not path.name.endswith(".pending.cocci")]
        if not found:
            raise RuleError(f"{given}: no rule (*.cocci) in this folder")
        yield from found
    else:
        yield given


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except UnicodeDecodeError as error:
        raise RuleError(f"{path}: byte {error.start} is not ASCII") from error
    except OSError as error:
        raise RuleError(f"{path}: {error.strerror}") from error


def _read(path: Path) -> Rule:
    if path.suffix != ".cocci":
        raise RuleError(f"{path}: a rule's name ends in .cocci")
    text = _text(path)
    said, keys = _header(path, text)
    summary, body = _words(path, said)
    modes = _modes(text)
    if not modes:
        raise RuleError(f"{path}: declares no virtual mode of "
                        f"{', '.join(MODES)}")
    folder = path.resolve().parent.name
    return Rule(
        name=path.name[:-len(".cocci")], path=path,
        folder=folder if folder in _FOLDERS else "",
        summary=summary, body=body, modes=modes,
        confidence=_one_of(path, "Confidence", keys, _CONFIDENCES),
        options=_list(path, "Options", keys, _OPTION, " "),
        requires=_list(path, "Requires", keys, _VERSION, " ")[0],
        shape=_list(path, "Shape", keys, _SHAPE, ","),
        verdict=_one_of(path, "Verdict", keys, _VERDICTS),
        reason=_reason(path, keys),
        tokens=(_list(path, "Tokens", keys, _TOKEN, " ")
                if "Tokens" in keys else ()),
        free=_edits(path, keys) == "statements",
        counts=_edits(path, keys) == "count",
        proves=(_list(path, "Proves", keys, _PROOF, ",")
                if "Proves" in keys else ()),
        comments=tuple(_comments(path.with_suffix(".comments"))),
        rewrites=tuple(_rewrites(text)),
        # Run on one file at a time, so that no type comes from a header.
        prefilter=folder == "misuse",
        changes=keys.get("Changes", ""),
        mends=keys["Verdict"] == "finding"
        and any("patch" in part.head and not part.name
                for part in _parts(text)),
    )


def _header(path: Path, text: str) -> tuple[list[str], dict[str, str]]:
    """Return the /// lines and the keys of the comment a rule starts with."""
    lines = text.splitlines()
    if not lines or lines[0] != _SPDX:
        raise RuleError(f"{path}: line 1 is not `{_SPDX}`")
    said: list[str] = []
    keys: dict[str, str] = {}
    last = ""
    for number, line in enumerate(lines[1:], start=2):
        where = f"{path}: line {number}"
        if not line.startswith("//"):
            break
        if line.startswith("///"):
            if line[3:4] not in ("", " "):
                raise RuleError(f"{where}: no blank after ///")
            said.append(line[4:])
        elif line == "//" or line.startswith("//#"):
            last = ""
        elif match := _KEY.fullmatch(line):
            last = match[1]
            if last not in _ALWAYS + _SOMETIMES:
                raise RuleError(f"{where}: unknown key: {last}")
            if last in keys:
                raise RuleError(f"{where}: a second {last}")
            keys[last] = match[2]
        elif last and (match := _MORE.fullmatch(line)):
            keys[last] = f"{keys[last]} {match[1]}".strip()
        else:
            raise RuleError(f"{where}: not `///`, `//#` or `// Key: value`")
    for key in _ALWAYS:
        if key not in keys:
            raise RuleError(f"{path}: no {key}")
    return said, keys


def _words(path: Path, said: list[str]) -> tuple[str, str]:
    if len(said) < 3 or not said[0] or said[1] or not said[2]:
        raise RuleError(f"{path}: the /// lines are not a summary, a blank "
                        "and a body")
    if len(said[0]) > _SUMMARY_COLUMNS:
        raise RuleError(f"{path}: the summary has {len(said[0])} columns, "
                        f"more than {_SUMMARY_COLUMNS}")
    return said[0], "\n".join(said[2:]).strip("\n")


def _modes(text: str) -> frozenset[str]:
    names = [name for line in re.findall(r"^virtual ([^;\n]+)", text, re.M)
             for name in re.split(r"[ ,]+", line.strip())]
    return frozenset(names) & frozenset(MODES)


def _one_of(path: Path, key: str, keys: dict[str, str],
            good: tuple[str, ...]) -> str:
    if keys[key] not in good:
        raise RuleError(f"{path}: {key} is `{keys[key]}`, not one of "
                        f"{', '.join(good)}")
    return keys[key]


def _edits(path: Path, keys: dict[str, str]) -> str:
    return _one_of(path, "Edits", keys, ("statements", "count")) \
        if "Edits" in keys else ""


def _list(path: Path, key: str, keys: dict[str, str], form: re.Pattern[str],
          between: str) -> tuple[str, ...]:
    items = tuple(item.strip() for item in keys[key].split(between)
                  if item.strip() or between == ",")
    for item in items:
        if not form.fullmatch(item):
            raise RuleError(f"{path}: {key} cannot hold `{item}`")
    if key != "Options" and not items:
        raise RuleError(f"{path}: {key} is empty")
    if key == "Requires" and len(items) != 1:
        raise RuleError(f"{path}: Requires holds more than one version")
    return items


def _comments(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the pairs of a file of comments; an absent one has none."""
    if not path.exists():
        return
    rows: list[str] = []
    for line in _text(path).splitlines():
        if line.startswith(" ") and rows:
            rows[-1] += line
        elif line and not line.startswith("#"):
            rows.append(line)
    for old, new in zip(rows[::2], [*rows[1::2], ""]):
        if not old.startswith("- ") or not new.startswith("+ "):
            raise RuleError(f"{path}: `{old}` and `{new}` are not a line of "
                            "`- ` and one of `+ `")
        yield " ".join(old[2:].split()), " ".join(new[2:].split())


def _rewrites(text: str) -> Iterator[tuple[str, str]]:
    """Yield a - line and the + line below it; marks of positions go."""
    lines = [re.sub(r"@\w+", "", line).rstrip() for line in
             _blank_comments(text).splitlines()]
    for before, old, new, after in zip(["", *lines], lines, lines[1:],
                                       [*lines[2:], ""]):
        if old.startswith("-") and new.startswith("+") and \
                before[:1] != "-" and after[:1] != "+":
            yield old[1:].strip(), new[1:].strip()


def _reason(path: Path, keys: dict[str, str]) -> str:
    verdict, reason = keys["Verdict"], keys.get("Reason")
    if reason is None:
        if verdict in ("kept", "manual"):
            raise RuleError(f"{path}: no Reason, and its verdict is {verdict}")
        return ""
    if verdict == "converted":
        raise RuleError(f"{path}: a Reason, but its verdict is converted")
    if not _REASON.fullmatch(reason):
        raise RuleError(f"{path}: Reason is not `code: sentence`")
    return reason


def _parts(text: str) -> list[Part]:
    # A part opens with @ in the first column, which no other line of the
    # language has. Comments are blanked, so that an @ in one opens nothing.
    plain = _blank_comments(text)
    found = list(_PART.finditer(plain))
    ends = [match.start() for match in found[1:]] + [len(plain)]
    lines = text.splitlines()
    parts = []
    for match, end in zip(found, ends):
        line = plain.count("\n", 0, match.start()) + 1
        above = lines[line - 2].strip() if line > 1 else ""
        parts.append(Part(
            line, " ".join(match[1].split()), match[2],
            plain[match.end():end],
            above.startswith("//") or above.endswith("*/")))
    return parts


def _blank_comments(text: str) -> str:
    """Return text with comments as blanks, strings and line breaks kept."""
    def blank(match: re.Match[str]) -> str:
        if match[0].startswith('"'):
            return match[0]
        return re.sub(r"[^\n]", " ", match[0])
    return re.sub(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/', blank, text,
                  flags=re.S)


def _lint_part(part: Part, later: list[Part], types: set[str]) -> list[str]:
    wrong = []
    rule = part.name
    declarations = [" ".join(declaration.split())
                    for declaration in part.declared.split(";")
                    if declaration.strip()]
    # `struct tag *ptr` uses the metavariable tag.
    typed = {word for words in declarations
             for kind, names in [_kind(words)] if not kind
             for word in set(re.findall(r"\w+", words)) - set(names)}
    for words in declarations:
        kind, names = _kind(words)
        if not kind and not _is_c_type(words, types):
            wrong.append(f"`{words}`: no such kind of metavariable")
            continue
        if kind.endswith(" name") or kind in ("typedef", "symbol"):
            continue
        for name in names:
            inherited = "." in name
            name = name.rpartition(".")[2]
            used = re.search(rf"\b{re.escape(name)}\b", part.body)
            also = any(re.search(rf"\b{re.escape(rule)}\s*\.\s*"
                                 rf"{re.escape(name)}\b",
                                 other.declared + other.head)
                       for other in later) if rule else False
            # `position p != other.p;` uses what it names
            if not used and name not in typed \
                    and not (also and not inherited):
                wrong.append(f"metavariable {name} is not used")
    return wrong


def _kind(words: str) -> tuple[str, list[str]]:
    """Return the kind a declaration starts with ("" = a C type) and names."""
    kind = max((kind for kind in _KINDS
                if re.match(rf"{kind}(?![\w])", words)), key=len, default="")
    rest = words[len(kind):] if kind else words
    if kind.endswith("list"):
        rest = re.sub(r"^\s*\[[^]]*\]", "", rest)
    # Constraints hold commas of their own: `!= {a, b}`, `=~ "x"`.
    rest = re.sub(r"\{[^}]*\}|\"[^\"]*\"|\([^()]*\)(?=\s*$)", "", rest)
    names = []
    for item in rest.split(","):
        item = re.split(r"!=|=~|!~|<=|=|##", item)[0]
        item = re.sub(r"\[[^]]*\]|@\w+", "", item)
        if match := re.search(r"((?:\w+\s*\.\s*)?\w+)\s*$", item):
            names.append(re.sub(r"\s", "", match[1]))
    return kind, names


def _is_c_type(words: str, types: set[str]) -> bool:
    first = words.split()[0].rstrip("*")
    return (first in _C_WORDS or first in types or "*" in words
            or bool(re.match(r"(\w+_t|[us](8|16|32|64))\b|\{", words)))
