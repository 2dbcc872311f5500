# SPDX-License-Identifier: GPL-2.0-only
"""Write the page: one HTML file that needs no other file and no network.

The template has the frame, the sums and the unread code; a script in the page
makes the other rows from one block of JSON, as many as the reader scrolls to.

Data:   OUT -> bytes of report.html, the same for the same OUT.
Errors: PageError, where jinja2 is missing.
Source: the template, the styles and the script beside this file.
"""

from __future__ import annotations

import json
from pathlib import Path

from show import rows
from show.rows import Page

NAME = "report.html"
_HERE = Path(__file__).resolve().parent
# What must not be in a <script>: the end of one, and the start of a comment.
_UNSAFE = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026",
           0x2028: "\\u2028", 0x2029: "\\u2029"}
WORDS = {
    "unread": "unread", "manual": "manual", "converted": "converted",
    "kept": "kept", "high": "high", "moderate": "moderate", "low": "low",
    rows.API: "the API itself", rows.CHECK: "converted, to check",
}


class PageError(Exception):
    """The page cannot be made; the message names what is missing."""


def write(out: Path) -> tuple[bytes, list[str]]:
    """Return the page of an OUT, and a line for each thing to look at."""
    page = rows.read(out)
    return render(page), links(page)


def render(page: Page) -> bytes:
    try:
        import jinja2
    except ImportError as error:
        raise PageError("report needs jinja2 (Debian: python3-jinja2): make "
                        "deps installs it") from error
    frame = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE), autoescape=True,
        trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    folders = sorted({name for part in page.parts for name in part.by_folder})
    text: str = frame.get_template("report.html.j2").render(
        page=page, folders=folders, words=WORDS, sentence=rows.sentence,
        unread=_unread(page), verdicts=[word for word in WORDS if any(
            _matches(row, word) for row in page.rows)],
        names=sorted({name for row in page.rows for name in row["r"]}),
        subsystems=sorted({row["s"] for row in page.rows}),
        style=(_HERE / "report.css").read_text("utf-8"),
        script=(_HERE / "report.js").read_text("utf-8"),
        data=embedded({"rows": page.rows, "words": WORDS}))
    return text.encode("utf-8")


def embedded(data: object) -> str:
    """Return JSON that is safe inside a <script>."""
    return json.dumps(data, ensure_ascii=False, sort_keys=True,
                      separators=(",", ":")).translate(_UNSAFE)


def links(page: Page) -> list[str]:
    """Return an address and what it shows, for what needs a person."""
    made = []
    for word, what in (("unread", "not read"), ("manual", "left to a person"),
                       ("high", "findings of level high"),
                       (rows.CHECK, "converted, to check")):
        count = sum(_matches(row, word) for row in page.rows)
        if count:
            made.append(f"{NAME}#verdict={word}: {count} rows, {what}")
    return made


def _matches(row: rows.Json, word: str) -> bool:
    return bool(row["v"] == word or (
        word == rows.CHECK and row["v"] == "converted" and row["ask"]))


def _unread(page: Page) -> list[tuple[str, list[rows.Json]]]:
    """Return the rows of unread code by file."""
    found: dict[str, list[rows.Json]] = {}
    for row in page.rows:
        if row["v"] == "unread":
            found.setdefault(row["f"], []).append(row)
    return list(found.items())
