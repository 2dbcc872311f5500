# SPDX-License-Identifier: GPL-2.0-only
"""Read the version of a series that was sent before, for the next one.

The version before is the mails themselves, as they lie in OUT/series or in
OUT/series/vN, with what their keeper has added to them: the trailers people
gave. A trailer is carried where the patch is still the same patch; where it
has changed, its giver has not seen what would be sent, so it is named and
left out.

Data:   a folder of mails -> Previous.
Units:  none.
Errors: RerollError, when there is no version to follow.
Source: b4 0.12 and git 2.39 for subjects, base-commit and change-id lines.
"""

from __future__ import annotations

import email
import email.header
import re
from dataclasses import dataclass
from pathlib import Path

# A folder beside the mails, which git send-email does not look into: where
# each version starts, for those whose mails do not say it.
STATE = "state"

_SUBJECT = re.compile(r"^\[PATCH(?: v(?P<version>\d+))?"
                      r"(?: (?P<number>\d+)/(?P<total>\d+))?\] (?P<title>.*)$")
_TRAILER = re.compile(r"^(?:Acked|Reviewed|Tested|Reported|Suggested|"
                      r"Debugged)-by: \S.*$")


class RerollError(Exception):
    """There is no version to follow; the message names the folder."""


@dataclass(frozen=True)
class Mail:
    path: Path
    number: int              # 0 for a cover
    version: int
    title: str               # the subject without its brackets
    body: str                # what is above the first ---
    trailers: tuple[str, ...]    # of people, as they stand

    @property
    def raw(self) -> bytes:
        return self.path.read_bytes()


@dataclass(frozen=True)
class Previous:
    version: int
    patches: tuple[Mail, ...]    # in the order they apply
    base: str                # commit; "" when nothing kept says it
    change_id: str           # "" when nothing kept says it


def read(folder: Path, version: int) -> Previous:
    """Return the kept version before this one."""
    wanted = version - 1
    for place in (folder / f"v{wanted}", folder):
        mails = _mails(place)
        if mails and mails[0].version == wanted:
            text = "\n".join(mail.raw.decode("utf-8", "surrogateescape")
                             for mail in mails if mail.number == 0)
            kept = folder / STATE / f"v{wanted}"
            if kept.is_file():
                text += "\n" + kept.read_text("utf-8", "replace")
            return Previous(wanted, tuple(
                mail for mail in mails if mail.number > 0),
                _line(text, "base-commit"), _line(text, "change-id"))
    raise RerollError(f"{folder}: VERSION={version}: no version {wanted} is "
                      "kept there")


def current(folder: Path) -> int:
    """Return the version that lies in the folder, 0 for none."""
    mails = _mails(folder)
    return mails[0].version if mails else 0


def _mails(folder: Path) -> list[Mail]:
    """Read the mails of a folder, and of the parts of a long series."""
    found: list[Mail] = []
    parts = [folder, *sorted(path for path in folder.glob("[0-9][0-9]-*")
                             if path.is_dir())]
    for part in parts:
        for path in sorted(part.glob("*.patch")):
            if path.is_file() and (mail := _mail(path)):
                found.append(mail)
    return found


def _mail(path: Path) -> Mail | None:
    message = email.message_from_bytes(path.read_bytes())
    subject = str(email.header.make_header(email.header.decode_header(
        str(message["Subject"] or ""))))
    found = _SUBJECT.match(" ".join(subject.split()))
    if found is None:
        return None
    payload = message.get_payload(decode=True)
    text = (payload if isinstance(payload, bytes) else b"").decode(
        "utf-8", "surrogateescape")
    body = re.split(r"^---$", text, maxsplit=1, flags=re.MULTILINE)[0]
    number = int(found["number"]) if found["number"] else 1
    return Mail(path, number, int(found["version"] or 1), found["title"],
                body, _trailers(body) if number else ())


def _trailers(body: str) -> tuple[str, ...]:
    last = body.rstrip("\n").split("\n\n")[-1]
    return tuple(line for line in last.split("\n") if _TRAILER.match(line))


def _line(text: str, key: str) -> str:
    found = re.search(rf"^{key}: (\S+)$", text, re.MULTILINE)
    return found[1] if found else ""
