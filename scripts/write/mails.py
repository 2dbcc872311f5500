# SPDX-License-Identifier: GPL-2.0-only
"""Write the mails of a series as every tool reads them.

git format-patch makes the mail of a patch; here it gets its recipients, its
notes below the --- line and its place in the thread. A cover is made here
whole. A subject stands on one line, because b4 0.12 ends with a traceback at
a folded one, and each mail has a Message-ID, without which b4 finds no patch.

Data:   bytes of a mail -> bytes of a mail. Addresses are as headers have
        them: "Name <box@host>".
Units:  dates are git's raw form, "@seconds zone".
Errors: none.
Source: RFC 5322 and 2047; b4 0.12, git-send-email(1) of git 2.39.
"""

from __future__ import annotations

import datetime
import email.header
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from host import repo
from write import message


@dataclass(frozen=True)
class Thread:
    """What the Message-IDs of one posting are made of."""

    stem: str                # "20190104-slug-v1-"
    tail: str                # "-0123456789ab@host"
    cover: bool              # mail 0 is there, and the others answer it

    def ident(self, number: int) -> str:
        return f"<{self.stem}{number}{self.tail}>"

    def headers(self, number: int) -> bytes:
        """Return the lines that put a mail in its place."""
        lines = f"\nMessage-ID: {self.ident(number)}"
        if number and self.cover:
            lines += (f"\nIn-Reply-To: {self.ident(0)}"
                      f"\nReferences: {self.ident(0)}")
        return lines.encode("ascii")


def thread(slug: str, date: str, version: int, part: int, cover: bool,
           ident: repo.Ident, mails: Sequence[bytes]) -> Thread:
    """Return a thread whose ids no other text of the series has."""
    digest = hashlib.sha256(date.encode())
    for mail in mails:
        digest.update(mail + b"\0")
    host = re.sub(r"[^\w.-]", "", ident.email.rpartition("@")[2],
                  flags=re.ASCII) or "localhost"
    day = moment(date).astimezone(datetime.timezone.utc)
    return Thread(f"{day:%Y%m%d}-{slug}-v{version}-"
                  + (f"{part}." if part else ""),
                  f"-{digest.hexdigest()[:12]}@{host}", cover)


def moment(date: str) -> datetime.datetime:
    """Return the time that git's raw form is."""
    seconds, zone = date[1:].split()
    return datetime.datetime.fromtimestamp(
        int(seconds), datetime.timezone(datetime.timedelta(
            minutes=int(zone[0] + "1") * (int(zone[1:3]) * 60
                                          + int(zone[3:])))))


def complete(mail: bytes, notes: str, to: Sequence[str],
             cc: Sequence[str]) -> bytes:
    """Add notes and recipients to what git format-patch made."""
    head, _, body = mail.partition(b"\n\n")
    head = re.sub(rb"\n(Subject|From): [^\n]*(?:\n[ \t][^\n]*)*",
                  lambda found: _unfolded(found[0]), head)
    if notes:
        text, line, rest = body.partition(b"\n---\n")
        body = text + line + notes.encode("utf-8", "backslashreplace") \
            + b"\n\n" + rest
    return address(head + b"\n\n" + body, to, cc)


def _unfolded(header: bytes) -> bytes:
    return b"\n" + re.sub(rb"\n[ \t]+", b" ", header[1:])


def place(mail: bytes, where: Thread, number: int) -> bytes:
    """Add the headers of a thread."""
    head, _, body = mail.partition(b"\n\n")
    return head + where.headers(number) + b"\n\n" + body


def address(mail: bytes, to: Sequence[str], cc: Sequence[str]) -> bytes:
    """Add To:, Cc: and, where the bytes ask for it, a charset."""
    head, _, body = mail.partition(b"\n\n")
    lines = _header("To", to) + _header("Cc", cc)
    if any(byte > 127 for byte in body) \
            and b"\nContent-Type:" not in head:
        try:
            body.decode("utf-8")
            charset = b"UTF-8"
        except UnicodeDecodeError:
            charset = b"ISO-8859-1"
        lines += (b"\nMIME-Version: 1.0\nContent-Type: text/plain; charset="
                  + charset + b"\nContent-Transfer-Encoding: 8bit")
    return head + lines + b"\n\n" + body


def cover(title: str, body: str, to: Sequence[str], cc: Sequence[str],
          ident: repo.Ident, date: str, hash_length: int, version: int,
          total: int) -> bytes:
    """Return a cover letter as a mail."""
    local = moment(date)
    when = local.strftime("%a, ") + str(local.day) + local.strftime(
        " %b %Y %H:%M:%S ") + date.split()[1]
    number = f"{0:0{len(str(total))}}/{total}"
    shown = f" v{version}" if version > 1 else ""
    head = [f"From {'0' * hash_length} Mon Sep 17 00:00:00 2001",
            f"From: {_sender(ident)}", f"Date: {when}",
            f"Subject: [PATCH{shown} {number}] {title}"]
    return address("\n".join(head).encode("ascii", "replace") + b"\n\n"
                   + body.encode("utf-8", "backslashreplace"), to, cc)


def _header(name: str, addresses: Sequence[str]) -> bytes:
    if not addresses:
        return b""
    return f"\n{name}: ".encode() + ",\n ".join(
        map(_encoded, addresses)).encode("ascii")


def _encoded(address_: str) -> str:
    """Return an address as a header can hold it."""
    name, open_, box = address_.rpartition(" <")
    if not open_ or name.isascii():
        return message.plain(address_)
    words = email.header.Header(
        message.plain(name).strip('"'), "utf-8", maxlinelen=1000).encode()
    return f"{words} <{box}"


def _sender(ident: repo.Ident) -> str:
    """Return a name as git format-patch puts it in From:."""
    if ident.name.isascii() and re.search(r'[()<>@,;:\\".\[\]]', ident.name):
        quoted = re.sub(r'([\\"])', r"\\\1", ident.name)
        return f'"{quoted}" <{ident.email}>'
    return _encoded(str(ident))
