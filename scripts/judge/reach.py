# SPDX-License-Identifier: GPL-2.0-only
"""Find what reaches an iterator through the preprocessor.

A parser of one file does not see all uses of a variable. A macro body names
it, in the file or in a header; a token is pasted together from two others; a
file that is included into the function goes on with its statements; a file
that is included behind a declaration uses what was declared. A change of the
type changes what all of these get, so a unit that is reached so has to be
left, and the reason names the macro or the file.

The answer errs on one side: a macro that is not the one that the compiler
would take, or that shadows the name in a way that is not recognised, counts
as one that reaches the iterator.

Data:   texts of the files with a site + files of the tree -> Found per unit.
Units:  lines from 1; token indices into Text.tokens.
Errors: none: a file that cannot be read defines nothing. One that is included
        inside of a function and cannot be read is itself what reaches.
Source: translation phases 3 and 4 of ISO C; gcc's -I order for the kernel.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Callable, Iterable, Iterator, Mapping, Optional, Sequence

from read import api as names_of
from read.campaign import Kind
from read.ctext import Text, Token
from judge.units import DMA, PAGE, Act, Decl, Unit

_INCLUDE = re.compile(rb"(?:#|%:)(?:\s|/\*.*?\*/)*(?:include|include_next"
                      rb"|import)(?:\s|/\*.*?\*/)*(.*)", re.DOTALL)
_DEFINE = re.compile(rb"(?:#|%:)(?:\s|/\*.*?\*/)*define(?:\s|/\*.*?\*/)+"
                     rb"((?:[\w$\x80-\xff]|\\[uU][0-9A-Fa-f]{4})+)(.*)",
                     re.DOTALL)
_LINE = re.compile(rb"^[ \t\f\v\r]*(?:#|%:)(?:\\[ \t]*\r?\n|[^\n])*",
                   re.MULTILINE)
# A comment, or what can hold the beginning of one.
_COMMENT = re.compile(rb"/\*.*?(?:\*/|\Z)|//(?:\\\r?\n|[^\n])*"
                      rb"|\"(?:\\.|[^\"\\\n])*\"?"
                      rb"|'(?:\\.|[^'\\\n])*'?", re.DOTALL)
_SPLICE = re.compile(rb"\\[ \t]*\r?\n")
_DIRECTIVES = re.compile(rb"define|include|import")
_CONDITIONAL = re.compile(rb"(?:#|%:)(?:\s|/\*.*?\*/)*(?:if|ifdef|ifndef|elif"
                          rb"|elifdef|elifndef|else|endif)\b", re.DOTALL)
_TYPE = frozenset((b"void", b"char", b"short", b"int", b"long", b"float",
                   b"double", b"signed", b"unsigned", b"bool", b"_Bool",
                   b"__auto_type", b"auto"))
# A word that stands before a name without declaring it.
_NO_TYPE = frozenset((b"return", b"goto", b"else", b"case", b"sizeof", b"do",
                      b"typeof", b"__typeof__", b"defined"))
# More than this a macro does not expand to; the rest is taken to be anything.
_MOST_TOKENS = 20000


def _old() -> frozenset[bytes]:
    """Return the names that a conversion takes away from a variable."""
    api = names_of.now()
    return frozenset(name for name, takes in api.takes.items()
                     if name not in api.wrappers and (
                         takes.side != DMA or takes.kind is Kind.ADDRESS))


def _tag() -> bytes:
    """Return the tag of the type that a conversion takes away."""
    return names_of.now().tag(PAGE)


def _reading() -> frozenset[bytes]:
    """Return the names that read the new side of an iterator or entry."""
    api = names_of.now()
    return frozenset((*api.read_calls, *api.read_members, *(
        name for name, takes in api.takes.items()
        if takes.kind is Kind.ADDRESS)))


@dataclass(frozen=True)
class Found:
    """What reaches a unit: code and sentence of the reason."""

    code: str                # macro-use or fragment
    sentence: str
    reads: bool              # it reads the DMA side, or nobody can know

    @property
    def reason(self) -> str:
        return f"{self.code}: {self.sentence}"


@dataclass
class Macro:
    """One #define; a name may have several."""

    name: bytes
    rest: bytes              # what follows the name, splices taken out
    file: str
    where: Callable[[], int]

    @property
    def line(self) -> int:
        return self.where()

    @cached_property
    def _parts(self) -> tuple[Optional[tuple[bytes, ...]], list[Token]]:
        # A body may begin with "#", which alone on a line is a directive.
        text = Text(b"0" + (b"" if self.rest[:1] == b"(" else b" ")
                    + self.rest)
        tokens = text.tokens[1:]
        if self.rest[:1] != b"(":
            return None, tokens
        close = text.closing(1)
        params = tuple(token.text for token in text.tokens[2:close]
                       if token.kind == "id")
        if close > 1 and b"..." in text.words(2, close):
            params += (b"__VA_ARGS__",)
        return params, text.tokens[close + 1:] if close > 0 else tokens

    @property
    def params(self) -> Optional[tuple[bytes, ...]]:
        return self._parts[0]

    @property
    def body(self) -> list[Token]:
        return self._parts[1]

    @cached_property
    def words(self) -> frozenset[bytes]:
        """The names that the body uses and does not get or declare."""
        given = self.params or ()
        return frozenset(
            token.text for at, token in enumerate(self.body)
            if token.kind == "id" and token.text not in given
            and not self._own(token.text))

    @cached_property
    def members(self) -> frozenset[bytes]:
        """The names that stand behind . or -> in the body, or may."""
        return frozenset(
            token.text for at, token in enumerate(self.body)
            if token.kind == "id" and token.text not in (self.params or ())
            and (at == 0 or self.body[at - 1].text in (
                b".", b"->", b",", b"(", b"##")))

    @property
    def pastes(self) -> bool:
        return any(token.text == b"##" for token in self.body)

    def _own(self, name: bytes) -> bool:
        """Tell whether a name is only a member's, or is declared here."""
        uses = [at for at, token in enumerate(self.body)
                if token.text == name and token.kind == "id"
                and not (at and self.body[at - 1].text in (b".", b"->"))]
        return not uses or self._declares(uses[0])

    def _declares(self, at: int) -> bool:
        following = self.body[at + 1].text if at + 1 < len(self.body) else b""
        if following not in (b"=", b";", b",", b"["):
            return False
        back = at - 1
        while back >= 0 and self.body[back].text == b"*":
            back -= 1
        if back < 0:
            return False
        before = self.body[back]
        if before.text in _TYPE:
            return True
        if back and self.body[back - 1].text in (b"struct", b"union",
                                                 b"enum"):
            return True
        if before.text == b")" and back == at - 1:
            return any(token.text in (b"typeof", b"__typeof__")
                       for token in self.body[:back])
        return (back == at - 1 and before.kind == "id"
                and before.text not in _NO_TYPE)


@dataclass
class _File:
    """What the preprocessor takes from one file."""

    macros: list[Macro] = field(default_factory=list)
    # A file that is included, and whether its name is in quotes.
    includes: list[tuple[bytes, bool]] = field(default_factory=list)


class Reach:
    """Answers what reaches a unit. Reads files of the tree as it needs them.

    read: returns the bytes of a file of the tree, None where it has none.
    """

    def __init__(self, root: Path, texts: Mapping[str, Text],
                 read: Callable[[str], Optional[bytes]]) -> None:
        self.root = root
        self.texts = texts
        self._read = read
        self._files: dict[str, Optional[_File]] = {}
        self._lexed: dict[str, Optional[Text]] = {}
        self._near: dict[str, dict[bytes, list[Macro]]] = {}
        self._far: dict[bytes, list[Macro]] = {}
        self._far_files: set[str] = set()
        self._system: dict[str, list[str]] = {}     # <name> -> files

    # --- questions ---------------------------------------------------------

    def of(self, unit: Unit, far: bool) -> Optional[Found]:
        """Return what reaches a unit, None where nothing does.

        far: look into the headers of the tree, too.
        """
        for decl in unit.decls:
            for name, first, last in _exposed(self.texts[decl.file], decl):
                found = self._fragment(unit, decl, name, first, last)
                if found is not None:
                    return found
        return self._macro(unit, far)

    def includers(self, file: str) -> list[tuple[str, int, bool]]:
        """Return which files with a site include a file.

        With the line, and whether that stands inside of a function.
        """
        return self._included_by.get(file, [])

    @cached_property
    def _included_by(self) -> dict[str, list[tuple[str, int, bool]]]:
        found: dict[str, list[tuple[str, int, bool]]] = {}
        for other, text in sorted(self.texts.items()):
            for at, token in enumerate(text.tokens):
                if token.kind != "directive":
                    continue
                for file in self._named(other, token):
                    found.setdefault(file, []).append(
                        (other, text.line_of(at),
                         text.function_of(at) is not None))
        return found

    # --- fragments ---------------------------------------------------------

    def _fragment(self, unit: Unit, decl: Decl, exposed: bytes, first: int,
                  last: int) -> Optional[Found]:
        """Return an included file that uses what a unit declares."""
        text = self.texts[decl.file]
        for at in range(first, last):
            token = text.tokens[at]
            if token.kind != "directive":
                continue
            what = _included(token)
            if what is None:
                continue
            inside = text.function_of(at) is not None
            line = text.line_of(at)
            files = self._named(decl.file, token)
            if not files:
                if inside and exposed == decl.name:
                    return Found("fragment", (
                        f"{_text(what[0])}, which line {line} of {decl.file} "
                        "includes into the function, is not found; see what "
                        "it does with the iterator and convert both by hand"),
                        True)
                continue
            for file in self._closure(files, inside):
                if self._uses(file, unit, exposed, decl.kind == "member"):
                    return Found("fragment", (
                        f"{file}, which line {line} of {decl.file} includes, "
                        f"uses {_text(exposed)}; convert both by "
                        "hand"), self._reads(file))
        return None

    def _uses(self, file: str, unit: Unit, name: bytes,
              member: bool) -> bool:
        """Tell whether a file has a use of a name that is not bound."""
        text = self._lex(file)
        if text is None:
            return False
        known = {at for other, at in unit.tokens() if other == file}
        known |= {at for use in unit.uses if use.file == file
                  for at in range(use.start, use.end)}
        for at, token in enumerate(text.tokens):
            if token.kind != "id" or token.text != name or at in known:
                continue
            behind = text.text(at - 1) in (b".", b"->")
            if behind == member:
                return True
        return False

    def _reads(self, file: str) -> bool:
        text = self._lex(file)
        return text is None or any(token.text in _reading()
                                   for token in text.tokens)

    def _closure(self, files: Iterable[str], inside: bool) -> Iterator[str]:
        """Yield files and what they include, API and headers left out.

        A header that is included at file scope is entered only when its name
        is in quotes: <linux/...> cannot know a driver's names.
        """
        seen: set[str] = set()
        waiting = list(files)
        while waiting:
            file = waiting.pop(0)
            if file in seen or file in names_of.now().campaign.api:
                continue
            seen.add(file)
            yield file
            known = self._file(file)
            for name, quoted in known.includes if known else ():
                if quoted or inside:
                    waiting += self.resolve(file, name, quoted)

    # --- macros ------------------------------------------------------------

    def _macro(self, unit: Unit, far: bool) -> Optional[Found]:
        tables: dict[str, dict[bytes, list[Macro]]] = {}
        for decl in unit.decls:
            if decl.kind not in ("local", "param", "global", "member"):
                continue
            table = tables.setdefault(decl.file, self._table(decl.file))
            found = self._renamed(unit, decl, table) or \
                self._helper(decl, table) or \
                self._body(unit, decl, table)
            if found is not None:
                return found
        for use in unit.uses:
            if use.act is Act.CALL and use.callee in self._table(use.file):
                macro = self._table(use.file)[use.callee][0]
                return Found("macro-use", (
                    f"{_text(macro.name)}, defined at {macro.file}:"
                    f"{macro.line}, is given the iterator; convert the macro "
                    "and its users together by hand"),
                    bool(self._words_of(macro, self._table(use.file))
                         & _reading()))
        if far:
            for decl in unit.decls:
                if decl.kind in ("local", "param", "global") and decl.name:
                    found = self._body(unit, decl, self._distant(decl.file))
                    if found is not None:
                        return found
        return None

    def _renamed(self, unit: Unit, decl: Decl,
                 table: Mapping[bytes, list[Macro]]) -> Optional[Found]:
        """Return a macro that has the name of the variable or of the API."""
        own = set(self._closure([decl.file], False))
        names = {use.name for use in unit.uses if use.file == decl.file}
        for name in sorted(names & _old() | {decl.name, _tag()}):
            for macro in table.get(name, ()):
                if macro.file in own and (macro.params is None
                                          or name != decl.name):
                    return Found("macro-use", (
                        f"{_text(name)} is a macro, defined at {macro.file}:"
                        f"{macro.line}, so this code does not mean what it "
                        "says; convert it by hand"), True)
        return None

    def _helper(self, decl: Decl,
                table: Mapping[bytes, list[Macro]]) -> Optional[Found]:
        """Return a macro that calls the helper that takes the iterator."""
        if decl.kind != "param":
            return None
        for macros in table.values():
            for macro in macros:
                if decl.owner in macro.words:
                    return Found("macro-use", (
                        f"{_text(macro.name)}, defined at {macro.file}:"
                        f"{macro.line}, calls {_text(decl.owner)}(); convert "
                        "the macro and its users together by hand"), True)
        return None

    def _body(self, unit: Unit, decl: Decl,
              table: Mapping[bytes, list[Macro]]) -> Optional[Found]:
        """Return a macro that the scope uses and that names the variable."""
        text = self.texts[decl.file]
        first, last = _scope(text, decl)
        if decl.kind == "member":
            first, last = 0, len(text.tokens)
        places = [(text, at) for at in range(first, last)]
        for at in range(first, last):
            if text.tokens[at].kind == "directive":
                for file in self._closure(self._named(
                        decl.file, text.tokens[at]), True) \
                        if text.function_of(at) is not None else ():
                    inner = self._lex(file)
                    if inner is not None:
                        places += [(inner, n) for n
                                   in range(len(inner.tokens))]
        seen: set[bytes] = set()
        for inner, at in places:
            token = inner.tokens[at]
            if token.kind != "id" or token.text not in table:
                continue
            fresh = token.text not in seen
            seen.add(token.text)
            found = self._from(inner, at, decl, table, fresh)
            if found is not None:
                return found
        return None

    def _from(self, text: Text, at: int, decl: Decl,
              table: Mapping[bytes, list[Macro]],
              fresh: bool) -> Optional[Found]:
        """Return what the macro whose name is at a token leads to."""
        top = text.text(at)
        pasting = False
        for macro in self._expanded(top, table):
            pasting |= macro.pastes
            if not fresh:
                continue
            names = macro.members if decl.kind == "member" else macro.words
            if decl.name in names:
                return self._said(top, macro, decl.name, table)
            if _tag() in macro.words:
                return self._said(top, macro, _tag(), table)
        if pasting:
            made = self._pasted(text, at, table)
            for name in (decl.name, _tag()):
                if name in made:
                    macro = table[top][0]
                    return Found("macro-use", (
                        f"{_text(top)}, defined at {macro.file}:{macro.line},"
                        f" pastes tokens into {_text(name)} in line "
                        f"{text.line_of(at)}; convert the macro and its "
                        "users together by hand"), True)
        return None

    def _said(self, top: bytes, macro: Macro, name: bytes,
              table: Mapping[bytes, list[Macro]]) -> Found:
        through = "" if top == macro.name else \
            f" and used through {_text(top)}"
        return Found("macro-use", (
            f"{_text(macro.name)}, defined at {macro.file}:{macro.line}"
            f"{through}, names {_text(name)} in its body; convert the macro "
            "and its users together by hand"),
            bool(self._words_of(macro, table) & _reading()))

    def _expanded(self, name: bytes,
                  table: Mapping[bytes, list[Macro]]) -> Iterator[Macro]:
        """Yield the definitions of a macro and of all it can expand to."""
        seen: set[bytes] = {name}
        waiting = [name]
        while waiting:
            for macro in table.get(waiting.pop(0), ()):
                yield macro
                for token in macro.body:
                    if token.kind == "id" and token.text not in seen:
                        seen.add(token.text)
                        waiting.append(token.text)

    def _words_of(self, macro: Macro,
                  table: Mapping[bytes, list[Macro]]) -> set[bytes]:
        return {token.text for other in self._expanded(macro.name, table)
                for token in other.body}

    def _pasted(self, text: Text, at: int,
                table: Mapping[bytes, list[Macro]]) -> set[bytes]:
        """Return the names that the use of a macro at a token comes to.

        The arguments stand in a row of their own, so a name of theirs that
        comes out as it went in is left out.
        """
        end = at + 1
        if text.text(end) == b"(":
            end = text.closing(end) + 1
        words = [(token.kind, token.text) for token in text.tokens[at:end]]
        try:
            out = _Expansion(table).run(words)
        except _TooLong:
            return _joined(words, table) - {word for _, word in words}
        return {word for _, word in out} - {word for _, word in words}

    # --- files -------------------------------------------------------------

    def _table(self, file: str) -> dict[bytes, list[Macro]]:
        """Return the macros that a driver's own files define for one file.

        Own are the file, what it includes by a name in quotes, the files that
        include it, and every header with a site.
        """
        if file in self._near:
            return self._near[file]
        files = {file, *(f for f in self.texts if not f.endswith(
            (".c", ".S", ".inc")))}
        files |= {other for other, _, _ in self.includers(file)}
        table: dict[bytes, list[Macro]] = {}
        for own in self._closure(sorted(files), False):
            known = self._file(own)
            for macro in known.macros if known else ():
                table.setdefault(macro.name, []).append(macro)
        self._near[file] = table
        return table

    def _distant(self, file: str) -> dict[bytes, list[Macro]]:
        """Return the macros of all headers that a file comes to include."""
        waiting = [file]
        while waiting:
            one = waiting.pop()
            if one in self._far_files or one in names_of.now().campaign.api:
                continue
            self._far_files.add(one)
            known = self._file(one)
            if known is None:
                continue
            for macro in known.macros:
                self._far.setdefault(macro.name, []).append(macro)
            for name, quoted in known.includes:
                waiting += self.resolve(one, name, quoted)
        return self._far

    def _file(self, file: str) -> Optional[_File]:
        if file not in self._files:
            self._files[file] = self._scan(file)
        return self._files[file]

    def _scan(self, file: str) -> Optional[_File]:
        """Read the directives of a file: exactly where it was lexed."""
        text = self.texts.get(file)
        found = _File()
        if text is not None:
            for at, token in enumerate(text.tokens):
                if token.kind == "directive":
                    _directive(found, file, token.text,
                               partial(text.line_of, at))
            return found
        data = self._read(file)
        if data is None:
            return None
        data = _COMMENT.sub(_blank, data)
        for row in _LINE.finditer(data):
            line = _SPLICE.sub(b"", row[0]).lstrip()
            if _DIRECTIVES.search(line):
                _directive(found, file, line,
                           partial(_line_at, data, row.start()))
        return found

    def _lex(self, file: str) -> Optional[Text]:
        if file in self.texts:
            return self.texts[file]
        if file not in self._lexed:
            data = self._read(file)
            self._lexed[file] = None if data is None else Text(data)
        return self._lexed[file]

    def _named(self, file: str, token: Token) -> list[str]:
        """Return the files that an #include can mean; none for the rest."""
        what = _included(token)
        return [] if what is None else self.resolve(file, *what)

    def resolve(self, file: str, name: bytes, quoted: bool) -> list[str]:
        """Return the files of the tree that `#include name` can mean."""
        wanted = os.fsdecode(name)
        if quoted:
            beside = os.path.normpath(
                os.path.join(os.path.dirname(file), wanted))
            if self._exists(beside):
                return [beside]
        if wanted not in self._system:
            first = f"include/{wanted}"
            self._system[wanted] = [first] if self._exists(first) else [
                path for path in (f"{folder}/{wanted}"
                                  for folder in self._folders)
                if self._exists(path)]
        if self._system[wanted] or not quoted:
            return self._system[wanted]
        # A folder of -I: any file of the tree with that name, the nearest.
        ends = "/" + os.path.normpath(wanted).lstrip("./")
        near = {path: len(os.path.commonprefix(
                    (os.path.dirname(file) + "/",
                     os.path.dirname(path) + "/")))
                for path in self._by_name.get(os.path.basename(wanted), ())
                if ("/" + path).endswith(ends)}
        return sorted(path for path, length in near.items()
                      if length == max(near.values()))

    def _exists(self, path: str) -> bool:
        if path.startswith((".." + os.sep, "/")) or path == "..":
            return False
        return path in self.texts or os.path.isfile(self.root / path)

    @cached_property
    def _folders(self) -> list[str]:
        """The folders in which the kernel's build looks for <...>."""
        found = ["include/uapi", "include/generated"]
        arch = self.root / "arch"
        if arch.is_dir():
            for one in sorted(os.listdir(arch)):
                found += [f"arch/{one}/include{kind}"
                          for kind in ("", "/uapi", "/generated")
                          if (arch / one / f"include{kind}").is_dir()]
        return found

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for folder, inner, names in os.walk(self.root):
            inner[:] = sorted(name for name in inner if name != ".git")
            there = os.path.relpath(folder, self.root)
            for name in names:
                found.setdefault(name, []).append(
                    os.path.normpath(os.path.join(there, name)))
        return found


# --- what an edit must not have inside ---------------------------------------

def splits(text: Text, unit: Unit, file: str) -> str:
    """Say which #if stands inside of a declaration or use, "" for none.

    spatch reads the first branch only, and a rename in one branch leaves the
    others as they are.
    """
    ranges = [(decl.tag, text.statement_end(max(decl.tag, decl.at)))
              for decl in unit.decls if decl.file == file]
    # Where an #if stands beside the name, the call around it is not seen.
    ranges += [(use.start - 1, use.end + 1) if use.act is Act.OTHER else
               (use.start, use.end) for use in unit.uses if use.file == file]
    for start, end in ranges:
        for at in range(start, min(end, len(text.tokens))):
            token = text.tokens[at]
            if token.kind == "directive" and _CONDITIONAL.match(token.text):
                line = token.text.split(b"\n")[0]
                return (f"{' '.join(_text(line).split())} stands inside of "
                        f"what begins in line {text.line_of(start)}")
    return ""


# --- expansion -----------------------------------------------------------------

class _TooLong(Exception):
    """An expansion that is longer than anyone needs."""


_Word = tuple[str, bytes]
_Hidden = tuple[str, bytes, frozenset[bytes]]


class _Expansion:
    """Expands macros as the compiler does; of several definitions, all."""

    def __init__(self, table: Mapping[bytes, list[Macro]]) -> None:
        self.table = table
        self.count = 0

    def run(self, words: Sequence[_Word]) -> list[_Word]:
        return [(kind, word) for kind, word, _ in self._expand(
            [(kind, word, frozenset()) for kind, word in words])]

    def _expand(self, words: Sequence[_Hidden]) -> list[_Hidden]:
        rest, out = list(reversed(words)), []
        while rest:
            self.count += 1
            if self.count > _MOST_TOKENS:
                raise _TooLong
            kind, word, hidden = rest.pop()
            macros = [] if kind != "id" or word in hidden \
                else self.table.get(word, [])
            plain = [macro for macro in macros if macro.params is None]
            called = [macro for macro in macros if macro.params is not None]
            made: list[_Hidden] = []
            for macro in plain:
                made += self._fill(macro, [], hidden | {word})
            if called and rest and rest[-1][1] == b"(":
                given = _actual(rest)
                for macro in called:
                    made += self._fill(macro, given, hidden | {word})
            elif not plain:
                out.append((kind, word, hidden))
            rest += reversed(made)
        return out

    def _fill(self, macro: Macro, given: Sequence[list[_Hidden]],
              hidden: frozenset[bytes]) -> list[_Hidden]:
        params = list(macro.params or ())
        actual: dict[bytes, list[_Hidden]] = {}
        for nth, name in enumerate(params):
            if nth == len(params) - 1 and name == b"__VA_ARGS__":
                actual[name] = [word for part in given[nth:] for word in part]
            else:
                actual[name] = list(given[nth]) if nth < len(given) else []
        out: list[_Hidden] = []
        body = [(token.kind, token.text) for token in macro.body]
        at = 0
        while at < len(body):
            kind, word = body[at]
            if word == b"#" and at + 1 < len(body) and \
                    body[at + 1][1] in actual:
                out.append(("str", b'""', hidden))
                at += 2
                continue
            if word == b"##" and at + 1 < len(body):
                right = actual.get(body[at + 1][1], [(*body[at + 1], hidden)])
                if out and right:
                    left = out.pop()
                    text = left[1] + right[0][1]
                    out.append(("id" if re.fullmatch(rb"[A-Za-z_$][\w$]*",
                                                     text) else "punct",
                                text, hidden))
                    out += right[1:]
                else:
                    out += right
                at += 2
                continue
            beside = at + 1 < len(body) and body[at + 1][1] == b"##"
            if word in actual and kind == "id":
                if beside and not actual[word]:
                    # Nothing to paste on the left: the right one stays.
                    right = actual.get(body[at + 2][1],
                                       [(*body[at + 2], hidden)]) \
                        if at + 2 < len(body) else []
                    out += right
                    at += 3
                    continue
                out += actual[word] if beside else self._expand(actual[word])
            else:
                out.append((kind, word, hidden))
            at += 1
        return out


def _actual(rest: list[_Hidden]) -> list[list[_Hidden]]:
    """Take "(...)" off the end of a reversed list; return its arguments."""
    rest.pop()
    parts: list[list[_Hidden]] = [[]]
    depth = 0
    while rest:
        word = rest.pop()
        if word[1] in (b"(", b"[", b"{"):
            depth += 1
        elif word[1] in (b")", b"]", b"}"):
            if depth == 0:
                break
            depth -= 1
        elif word[1] == b"," and depth == 0:
            parts.append([])
            continue
        parts[-1].append(word)
    return parts


def _joined(words: Sequence[_Word],
            table: Mapping[bytes, list[Macro]]) -> set[bytes]:
    """Return all pairs of the words of a use, for want of an expansion."""
    names = {word for kind, word in words if kind in ("id", "num")}
    names |= {token.text for _, word in words for macro in table.get(word, ())
              for token in macro.body if token.kind in ("id", "num")}
    return {one + other for one in names for other in names}


# --- reading directives ----------------------------------------------------------

def _directive(found: _File, file: str, raw: bytes,
               where: Callable[[], int]) -> None:
    define = _DEFINE.match(raw)
    if define is not None:
        found.macros.append(Macro(define[1], define[2], file, where))
        return
    what = _include_name(raw)
    if what is not None:
        found.includes.append(what)


def _line_at(data: bytes, offset: int) -> int:
    return data.count(b"\n", 0, offset) + 1


def _included(token: Token) -> Optional[tuple[bytes, bool]]:
    return _include_name(token.text)


def _include_name(raw: bytes) -> Optional[tuple[bytes, bool]]:
    """Return the name that an #include gives, and whether in quotes.

    A name that a macro gives is returned as it stands; no file has it.
    """
    found = _INCLUDE.match(raw)
    if found is None:
        return None
    name = found[1].strip()
    ends = {b'"': b'"', b"<": b">"}.get(name[:1])
    if ends is None or ends not in name[1:]:
        return name.split(b"\n")[0], True
    return name[1:].split(ends)[0], name[:1] == b'"'


def _scope(text: Text, decl: Decl) -> tuple[int, int]:
    """Return the tokens in which what is declared can be named."""
    if decl.kind in ("local", "param") and decl.end:
        return decl.start, min(decl.end + 1, len(text.tokens))
    return max(decl.tag, decl.at), len(text.tokens)


def _exposed(text: Text, decl: Decl) -> Iterator[tuple[bytes, int, int]]:
    """Yield the names by which an included file can use what is declared.

    With the tokens between which it has to be included for that.
    """
    if decl.kind in ("local", "param") and decl.name and decl.end:
        yield decl.name, decl.start, decl.end
    if decl.kind in ("global", "member"):
        yield decl.name, max(decl.tag, decl.at), len(text.tokens)
    if decl.kind == "param" and decl.owner:
        yield decl.owner, decl.end or decl.tag, len(text.tokens)


def _blank(match: re.Match[bytes]) -> bytes:
    """Return a comment as blanks: one line in all, and as many in the file."""
    if match[0][:1] != b"/":
        return match[0]
    return b" " + b"\\\n" * match[0].count(b"\n")


def _text(word: bytes) -> str:
    return word.decode("latin-1")
