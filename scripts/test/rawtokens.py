# SPDX-License-Identifier: GPL-2.0-only
"""Compare the tokens of the reader with those of clang.

clang prints its raw tokens: those of translation phase 3, white space and
comments included, without a preprocessor. Both programs have to agree about
where each token starts and ends, what kind it is, and which # starts a
directive. Where they may differ is in excuse() and _same_words(), with the reason; a
difference that is not there is printed, and fails the run.

    python3 scripts/test/rawtokens.py READER TREE...   all files with a site
    python3 scripts/test/rawtokens.py READER FILE...

Data:   bytes -> differences, as lines.
Units:  offsets in bytes.
Errors: OSError and CensusError; exit status 1 where something differs.
Source: clang/lib/Lex/Lexer.cpp of clang 14; ISO C11 6.4.
"""

from __future__ import annotations

import bisect
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Iterator, NamedTuple, Optional, Sequence

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from read import census, conditionals          # noqa: E402
from read.ctext import Text, Token              # noqa: E402

CLANG = shutil.which("clang") or ""
_END = re.compile(rb"\tLoc=<raw-tokens\.c:(\d+):(\d+)>\n")
_FRESH = re.compile(rb"'\t \[StartOfLine\]")
_SPLICE = re.compile(rb"\\[ \t\f\v\r]*\n")
_SPLICES = re.compile(rb"(?:\\[ \t\f\v\r]*\n)+\Z")
_BLANK = re.compile(rb"(?:[\s\0]|\\[ \t\f\v\r]*\n)*")
# A return that no newline follows: a new line for clang, a blank for gcc.
_RETURN = re.compile(rb"\r(?!\n)")
# In the name of a header it opens nothing, but raw tokens know no header.
_NOT_RAW = re.compile(rb"/[*/]|['\"]")
# Behind its > these make a longer sign.
_GOES_ON = re.compile(rb"(?:\\[ \t\f\v\r]*\n)*[>=]")
_KINDS = {"raw_identifier": "id", "numeric_constant": "num",
          "string_literal": "str", "char_constant": "chr"}
_QUOTE = re.compile(rb"(?:L|u8?|U)?(['\"])")
_QUOTES = {b'"': "string_literal", b"'": "char_constant"}
_PREFIX = re.compile(r"^(?:wide|utf8|utf16|utf32)_")


class Raw(NamedTuple):
    """A token, as either program has it."""

    kind: str                # id, num, str, chr, "" for the rest
    start: int
    end: int


def clang_tokens(data: bytes) -> tuple[list[Raw], set[int]]:
    """Return the tokens of clang, and where a # starts its line."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "raw-tokens.c").write_bytes(data)
        printed = subprocess.run(
            [CLANG, "-cc1", "-w", "-dump-raw-tokens", "raw-tokens.c"],
            cwd=folder, capture_output=True, check=True).stderr
    lines = [0] + [at.end() for at in re.finditer(rb"\n", data)]
    # Each token begins where the one before it ends.
    found: list[tuple[bytes, int]] = []
    before = 0
    for end in _END.finditer(printed):
        found.append((printed[before:end.start()],
                      lines[int(end[1]) - 1] + int(end[2]) - 1))
        before = end.end()
    tokens, hashes = [], set()
    fresh = True                     # nothing but blanks on this line
    found.append((b"", len(data)))
    for (said, start), (_, end_at) in zip(found, found[1:]):
        kind = _PREFIX.sub("", said.split(b" ", 1)[0].decode())
        fresh |= _FRESH.search(said) is not None
        if kind == "comment" or (kind == "unknown" and _BLANK.fullmatch(
                data, start, end_at)):
            continue
        # A splice belongs to the token that follows it.
        blank = _BLANK.match(data, start)
        assert blank is not None
        start = blank.end()
        if kind == "unknown" and _SPLICE.sub(b"", data[start:start + 99]
                                             ).startswith(b"/*"):
            continue                 # a comment that does not end
        if kind == "hash" and fresh:
            hashes.add(start)
        fresh = False
        if kind == "unknown":        # a quote that does not end, or ''
            quote = _QUOTE.match(data, start)
            kind = _QUOTES[quote[1]] if quote else kind
        tokens.append(Raw(_KINDS.get(kind, ""), start,
                          _before_splices(data, start, end_at)))
    return tokens, hashes


def own_tokens(text: Text) -> tuple[list[Raw], set[int]]:
    """Return the tokens of the reader, and where its directives are."""
    found: list[Token] = []
    hashes: set[int] = set()
    for at, token in enumerate(text.tokens):
        line = text.line(at)
        if line is None:
            found.append(token)
            continue
        hashes.add(token.start)
        width = 1 if text.data[token.start:token.start + 1] == b"#" else 2
        if width == 2:
            width = text.data.index(b":", token.start) + 1 - token.start
        found.append(Token("punct", b"#", token.start, token.start + width,
                           None))
        found += line.tokens
    return [Raw(token.kind if token.kind in ("id", "num", "str", "chr")
                else "", token.start, _before_splices(
                    text.data, token.start, token.end))
            for token in _joined(text.data, found)
            if token.text != b"\0"], hashes


def _before_splices(data: bytes, start: int, end: int) -> int:
    """Return where a token ends that has a splice or more at its end."""
    return start + len(_SPLICES.sub(b"", data[start:end]))


def _every(text: Text) -> Iterator[Token]:
    """Yield the tokens, with those of a directive in the place of it."""
    for at, token in enumerate(text.tokens):
        line = text.line(at)
        yield from line.tokens if line else (token,)


def _headers(text: Text) -> Iterator[Token]:
    """Yield the names of headers in angle brackets."""
    return (token for token in _every(text) if token.kind == "header")


def _joined(data: bytes, tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield the tokens, with L"..." as one: phase 3 has it so."""
    last: Optional[Token] = None
    for token in tokens:
        if last is not None and token.kind in ("str", "chr") and \
                last.text in _PREFIXES[token.kind] and \
                not _SPLICES.sub(b"", data[last.end:token.start]):
            last = token._replace(start=last.start)
            continue
        if last is not None:
            yield last
        last = token
    if last is not None:
        yield last


_PREFIXES = {"str": (b"L", b"u8", b"u", b"U"), "chr": (b"L", b"u", b"U")}


def excuse(text: Text) -> str:
    """Return why the tokens of a text cannot be compared, "" where they can."""
    if _RETURN.search(text.data):
        return "a return without a newline, which ends a line for clang only"
    for token in _headers(text):
        if _NOT_RAW.search(token.text) or _GOES_ON.match(text.data,
                                                         token.end):
            return "a header's name that is no row of raw tokens"
    for token in _every(text):
        if token.kind == "id":
            try:
                token.text.decode()
            except UnicodeDecodeError:
                return "a byte in code that is no UTF-8, a token for clang"
    return ""


def differences(data: bytes) -> list[str]:
    """Return where the two programs differ, a line each; [] for nowhere."""
    text = Text(data)
    if excuse(text):
        return []
    theirs, their_hashes = clang_tokens(data)
    ours, our_hashes = own_tokens(text)
    # What nobody reads is not lexed, and <...> is one token only for us.
    out = sorted([*text.dead, *((token.start, token.end)
                                for token in _headers(text))])
    ours = [token for token in ours if not _inside(token.start, out)]
    theirs = [token for token in theirs if not _inside(token.start, out)]
    theirs = _same_words(data, ours, theirs)
    said = [f"{_place(text, token.start)}: only {who} has "
            f"{token.kind or 'a sign'} {data[token.start:token.end]!r}"
            for who, these, those in (("the reader", ours, theirs),
                                      ("clang", theirs, ours))
            for token in sorted(set(these) - set(those))]
    their_hashes = {at for at in their_hashes if not _inside(at, text.dead)}
    return said + [f"{_place(text, at)}: is a directive for one of the two"
                   for at in sorted(our_hashes ^ their_hashes)]


def _inside(at: int, ranges: Sequence[tuple[int, int]]) -> bool:
    """Tell whether an offset is in one of the ranges, which are in order."""
    number = bisect.bisect_right(ranges, (at, sys.maxsize)) - 1
    return number >= 0 and at < ranges[number][1]


def _same_words(data: bytes, ours: Sequence[Raw],
                theirs: Sequence[Raw]) -> list[Raw]:
    """Return clang's tokens with words joined as the reader joins them.

    Bytes beyond ASCII are a part of a word or number here, whatever they
    encode: gcc and clang allow only some characters there, and differ about
    which. So is \\u with four digits, whatever character that is.
    """
    odd = [token for token in ours if token.kind in ("id", "num") and re.search(
        rb"[\x80-\xff]|\\[uU]", data[token.start:token.end])]
    starts = [token.start for token in odd]
    found: list[Raw] = []
    for token in theirs:
        number = bisect.bisect_right(starts, token.start) - 1
        if number < 0 or token.end > odd[number].end:
            found.append(token)
        elif token.end == odd[number].end:
            found.append(odd[number])
    return found


def _place(text: Text, at: int) -> str:
    line, column = text.position(at)
    return f"{line}:{column}"


def main(words: Sequence[str]) -> int:
    """Compare all files; print the differences and a sum."""
    program = Path(words[0]).resolve()
    conditionals.use(program)
    files: list[Path] = []
    for name in map(Path, words[1:]):
        files += [name] if name.is_file() else [
            name / file for file in sorted({site.file for site in census.take(
                program, name, os.cpu_count() or 1)})]
    files = [file for file in files if file.suffix != ".S"]
    bad = excused = 0
    for file in files:
        found = differences(file.read_bytes())
        why = excuse(Text(file.read_bytes()))
        if why:
            excused += 1
            print(f"{file}: not compared: {why}")
        bad += len(found)
        for line in found[:9]:
            print(f"{file}:{line}")
    print(f"{len(files) - excused} files compared, {excused} not, "
          f"{bad} differences")
    return 1 if bad or not files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
