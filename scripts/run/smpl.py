# SPDX-License-Identifier: GPL-2.0-only
"""Find the scripts in a rule of other people, as spatch's own lexer does.

A script in a rule runs with the rights of whoever runs spatch. Its head can be
written in ways that no regular expression over lines sees: behind a form feed,
a carriage return or a comment, with any expression behind `depends on`, in a
constraint of a metavariable, in a file that the rule includes. So the text is
read token by token, and it is the text that is cleared and not the rule:
cleared() returns bytes in which no script can start, or raises. What this
reader cannot decide in the same way as spatch counts as a script.

Data:   bytes of a rule file + a mode -> the bytes that spatch is given.
Units:  line numbers from 1; a line ends where spatch ends it: LF, CR, VT, FF.
Errors: ScriptError, with the line and what is there.
Source: lexer_cocci.mll, lexer_script.mll, cocci_args.ml and the grammar of
        Coccinelle 1.1.1; tests/test_smpl.py tries each case on spatch itself.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

MODES = (b"patch", b"context", b"org", b"report")

_BREAK = rb"[\n\r\v\f]"
# One item of SmPL that is not plain code, the longest first. Where none of
# them fits, one byte is taken as it is.
_ITEM = re.compile(
    rb'(?P<comment>//[^\n]*|/\*.*?\*/|#![^\n]*)'
    rb'|(?P<include>#[ \t]*include[ \t]*(?:"[^"]+"|<[^>]+>))'
    # spatch takes the rest of such a line without a look at it, but only in
    # the body of a part.
    rb'|(?P<line>(?:---|\+\+\+|#[ \t]*(?:if|else|elif|endif|error|line|pragma))'
    rb'[^\n]*)'
    rb"""|(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^\\])(?:\\.|[^'\\])*')"""
    rb"|(?P<open>/\*|[\"'])"
    rb'|(?P<part>@@?)', re.DOTALL)
# The same in the code of a script, which has strings and comments of its own.
_CODE = re.compile(
    rb"""(?P<skip>//[^\n]*|\#[^\n]*|"(?:\\"|[^"])*"|'[^']*')|(?P<part>@@?)""",
    re.DOTALL)
_SCRIPT = re.compile(rb"(?:script|initialize|finalize)\s*:")
_WORD = re.compile(
    rb"(?<![A-Za-z_$])(?:(?:script|initialize|finalize)\s*:"
    rb"|analysis\s*\(|using\s*[\"<])")
_ARGUMENTS = re.compile(rb"^\s*#\s*spatch", re.MULTILINE)
_VIRTUAL = re.compile(rb"\bvirtual\s+(\w+(?:\s*,\s*\w+)*)")
_DEPENDS = re.compile(
    rb"\s*(?:script|initialize|finalize)\s*:\s*\w+\s+(?:\w+\s+)?"
    rb"depends\s+on\s(.*)", re.DOTALL)
_NEEDS = re.compile(
    rb"\bdepends\s+on\s(.*?)(?:\b(?:disable|using|exists|forall|expression|type"
    rb"|identifier)\b|$)", re.DOTALL)
_TERM = re.compile(rb"\s*(&&|\|\||[!()]|\w+)")


class ScriptError(Exception):
    """A script may run, or it is not known that none does."""


@dataclass(frozen=True)
class Part:
    start: int               # of its first @
    head: bytes              # between the first two @, comments blanked
    declared: int            # where its declarations start
    body: int                # behind the @@ that ends them
    end: int                 # where the next part starts, or the text ends


def cleared(data: bytes, mode: str) -> bytes:
    """Return the rule's text without the scripts that a mode does not run.

    Such a script is blanked, so that lines and columns stay.
    """
    names = virtual(data)
    pieces, at = [], 0
    for part in parts(data):
        if not is_script(part.head):
            continue
        if _may_run(part.head, names, mode.encode()):
            raise ScriptError(f"line {line(data, part.start)}: a script")
        pieces += [data[at:part.start],
                   re.sub(rb"[^\n]", b" ", data[part.start:part.end])]
        at = part.end
    text = b"".join([*pieces, data[at:]])
    _refuse_scripts(text)
    return text


def virtual(data: bytes) -> set[bytes]:
    """Return the names that a rule declares virtual, its modes."""
    return {name for names in _VIRTUAL.findall(_plain(data, 0, _prolog(data)))
            for name in re.split(rb"\s*,\s*", names)}


def is_script(head: bytes) -> bool:
    """Tell whether a part with this head is a script."""
    return _SCRIPT.match(head.strip()) is not None


def applies(head: bytes, names: set[bytes], mode: bytes,
            never: set[bytes]) -> bool:
    """Return False where a part depends on what is false in a mode.

    names: what the rule declares virtual; of these the mode alone is true.
    never: the parts that are known not to apply.
    """
    found = _NEEDS.search(head)
    if found is None:
        return True
    terms = [term[1] for term in _TERM.finditer(found[1])]
    if b"".join(terms) != b"".join(found[1].split()):
        return True
    known = {**dict.fromkeys(never, False),
             **{name: name == mode for name in names}}
    try:
        value = _either(terms, known)
    except (IndexError, RecursionError):
        return True
    return bool(terms) or value is not False


def uncommented(data: bytes, start: int, end: int) -> bytes:
    """Return a piece of text with its comments blanked, line ends kept."""
    pieces, at = [], start
    for item in _items(data, start, end):
        if item.lastgroup == "comment":
            pieces += [data[at:item.start()],
                       re.sub(rb"[^\n]", b" ", item[0])]
            at = item.end()
    return b"".join([*pieces, data[at:end]])


def _refuse_scripts(data: bytes) -> None:
    """Raise where a script could start; nothing but the text is trusted."""
    if found := _ARGUMENTS.search(data):
        raise ScriptError(f"line {line(data, found.end())}: a #spatch line, "
                          "which may name programs and files")
    prolog = _prolog(data)
    if found := re.search(rb"#[ \t]*include", _plain(data, 0, prolog)):
        raise ScriptError(f"line {line(data, found.start())}: it includes "
                          "another file, which may hold scripts")
    if found := _WORD.search(_plain(data, 0, len(data))):
        raise ScriptError(f"line {line(data, found.start())}: "
                          + ("it uses another file, which may hold scripts"
                             if found[0].startswith(b"using") else "a script"))


def _prolog(data: bytes) -> int:
    """Return where the first part starts."""
    for item in _items(data, 0):
        if item.lastgroup == "part":
            return item.start()
    return len(data)


def _plain(data: bytes, at: int, end: int) -> bytes:
    """Return a piece of text, comments and the inside of strings blanked."""
    pieces = []
    for item in _items(data, at, end):
        if item.lastgroup in ("comment", "text"):
            quote = item.lastgroup == "text"
            pieces += [data[at:item.start() + quote],
                       b" " * (len(item[0]) - 2 * quote)]
            at = item.end() - quote
    return b"".join([*pieces, data[at:end]])


def _items(data: bytes, at: int,
           end: int = sys.maxsize) -> Iterator[re.Match[bytes]]:
    """Yield what is not plain code between two places, in order."""
    while (item := _ITEM.search(data, at, end)) is not None:
        if item.lastgroup == "open":
            raise ScriptError(f"line {line(data, item.start())}: a comment "
                              "or a string that does not end")
        if item.lastgroup == "line":
            # Whether spatch skips the rest or reads it depends on the place:
            # both must come to the same end.
            at = item.start() + 1
            yield from _within(data, at, item.end())
            at = item.end()
            continue
        yield item
        at = item.end()


def _within(data: bytes, at: int, end: int) -> Iterator[re.Match[bytes]]:
    while (item := _ITEM.search(data, at)) is not None and item.start() < end:
        if item.end() > end or item.lastgroup == "open":
            raise ScriptError(f"line {line(data, item.start())}: a line that "
                              "can be read in two ways")
        if item.lastgroup == "line":
            at = item.start() + 1
            continue
        yield item
        at = item.end()


def parts(data: bytes) -> Iterator[Part]:
    """Yield the parts of a rule; a part ends where the next one starts."""
    at = _prolog(data)
    while at < len(data):
        start, head = at, b""
        at += 1
        if data[start:start + 2] == b"@@":
            at += 1
        else:
            end = _next_at(data, at)
            head = _plain(data, at, end)
            at = end + 1
        # The declarations end at @@, and the body at the next part's head.
        declared = at
        body = _next_at(data, at) + 2
        at = (_code_end(data, body) if is_script(head)
              else _body_end(data, body))
        yield Part(start, head, declared, body, at)


def _next_at(data: bytes, at: int) -> int:
    for item in _items(data, at):
        if item.lastgroup == "part":
            return item.start()
    return len(data)


def _body_end(data: bytes, at: int) -> int:
    for item in _items(data, at):
        # An @ behind code is the position of a term.
        if item.lastgroup == "part" and (item[0] == b"@@" or re.search(
                _BREAK + rb"[-+*?]*\Z", data[item.start() - 9:item.start()])):
            return item.start()
    return len(data)


def _code_end(data: bytes, at: int) -> int:
    for item in _CODE.finditer(data, at):
        if item.lastgroup == "part":
            return item.start()
    return len(data)


def _may_run(head: bytes, virtual: set[bytes], mode: bytes) -> bool:
    """Say whether a script's part can run in a mode.

    It cannot where what it depends on is false. The modes are true or false;
    whether another rule has matched, or one of these names is a rule's, is
    not known.
    """
    found = _DEPENDS.fullmatch(head)
    if found is None:
        return True
    terms = [term[1] for term in _TERM.finditer(found[1])]
    if b"".join(terms) != b"".join(found[1].split()):
        return True
    known = {name: name == mode for name in MODES if name in virtual}
    try:
        value = _either(terms, known)
    except (IndexError, RecursionError):
        return True
    return bool(terms) or value is not False


def _either(terms: list[bytes], known: dict[bytes, bool]) -> bool | None:
    value = _both(terms, known)
    while terms and terms[0] == b"||":
        del terms[0]
        other = _both(terms, known)
        value = (True if True in (value, other) else
                 None if None in (value, other) else False)
    return value


def _both(terms: list[bytes], known: dict[bytes, bool]) -> bool | None:
    value = _one(terms, known)
    while terms and terms[0] == b"&&":
        del terms[0]
        other = _one(terms, known)
        value = (False if False in (value, other) else
                 None if None in (value, other) else True)
    return value


def _one(terms: list[bytes], known: dict[bytes, bool]) -> bool | None:
    term = terms.pop(0)
    if term == b"!":
        value = _one(terms, known)
        return None if value is None else not value
    if term == b"(":
        value = _either(terms, known)
        if terms.pop(0) != b")":
            raise IndexError
        return value
    return known.get(term)


def line(data: bytes, at: int) -> int:
    return len(re.findall(_BREAK, data[:at].replace(b"\r\n", b"\n"))) + 1
