# SPDX-License-Identifier: GPL-2.0-only
"""Run campaigns of invented APIs from folders outside of the repository.

One has units of the kind type, one of the kind call. Each has a table, rules,
a patch and a tree of three drivers, and goes through preview, apply, check and
series. Nothing in scripts/ knows their names.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import ClassVar, Mapping

import smalltree
from smalltree import migrate

HEAD = """\
// SPDX-License-Identifier: GPL-2.0-only
/// SUMMARY
///
/// The old name is on its way out.
///
//
// Shape: S01
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
"""
MODES = "\nvirtual patch\nvirtual context\nvirtual org\nvirtual report\n"


def patch(name: str, lines: str) -> str:
    """Return a patch that adds lines behind the first one of a header."""
    added = lines.count("\n")
    return (f"Subject: [PATCH] beat: add the new names\n\nThey come first.\n"
            f"---\n include/linux/{name} | {added} +\n\n"
            f"--- a/include/linux/{name}\n+++ b/include/linux/{name}\n"
            f"@@ -1,1 +1,{added + 1} @@\n /* {name} */\n"
            + "".join(f"+{line}\n" for line in lines.splitlines()))


class OwnCampaign(unittest.TestCase):
    """A folder with a campaign, a tree beside it, and the four commands."""

    CAMPAIGN: ClassVar[Mapping[str, str]] = {}
    TREE: ClassVar[Mapping[str, str]] = {}

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory(prefix="sgwalk-test.")
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name).resolve()
        self.tree, self.out = self.folder / "linux", self.folder / "out"
        script = smalltree.EMBEDDED / "scripts/get_maintainer.pl"
        self.write(self.folder / "mine", self.CAMPAIGN)
        self.write(self.tree, {
            "Makefile": "VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 0\n",
            "MAINTAINERS": "List of maintainers\n===================\n\n"
            "BEAT\nM:\tAda <ada@beat.example>\nF:\tdrivers/\n"
            "F:\tinclude/\n",
            "scripts/get_maintainer.pl": script.read_text(), **self.TREE})
        smalltree.commit(self.tree)
        self.addCleanup(self.untouched, self.scripts())

    def write(self, root: Path, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)

    def scripts(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in sorted(
            (smalltree.ROOT / "scripts").rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts}

    def untouched(self, before: dict[str, bytes]) -> None:
        self.assertEqual(self.scripts(), before)

    def run_on(self, verb: str, *words: str,
               status: int = 0) -> "subprocess.CompletedProcess[str]":
        done = migrate(verb, f"--kernel={self.tree}",
                       f"--campaign={self.folder / 'mine'}", *words,
                       out=self.out, GIT_AUTHOR_NAME="T",
                       GIT_AUTHOR_EMAIL="t@example.org",
                       GIT_COMMITTER_NAME="T",
                       GIT_COMMITTER_EMAIL="t@example.org")
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def account(self) -> dict[tuple[str, str, str], str]:
        """Return verdict and code by file, line and token."""
        rows = (self.out / "ledger.tsv").read_text().splitlines()[1:]
        return {(cells[0], cells[1], cells[4]):
                f"{cells[5]} {cells[7].partition(':')[0]}"
                for cells in (row.split("\t") for row in rows)}

    def read(self, name: str) -> str:
        return (self.tree / name).read_text()

    def series(self) -> list[str]:
        """Write the series and return the subjects of its patches."""
        self.run_on("series")
        mails = sorted((self.out / "series").glob("*.patch"))
        for mail in mails:
            if "0000-" not in mail.name:
                smalltree.git(self.tree, "apply", "--index", os.fspath(mail))
        return ["".join(line for line in mail.read_text().splitlines()
                        if line.startswith("Subject: ")) for mail in mails]


BEAT = """\
/* beat.h */
struct beat_iter { int at; };
#define beat_each(list, it, count) \\
\tfor ((it)->at = 0; (it)->at < (count); (it)->at++)
static inline int beat_value(struct beat_iter *it)
{
\treturn it->at;
}
static inline int beat_old_value(struct beat_iter *it)
{
\treturn it->at;
}
"""
TOCK = """\
struct tock_iter { int at; };
#define tock_each(list, it, count) \\
\tfor ((it)->at = 0; (it)->at < (count); (it)->at++)
"""


class TypeTest(OwnCampaign):
    """A variable and all that must have its type."""

    CAMPAIGN = {
        "campaign.tsv": """\
title\tTOCK ITERATOR
summary\tmove a tree to the tock iterator
unit\ttype
old\tbeat\tbeat iterator\t4.0
new\ttock\ttock iterator\t-
api\tinclude/linux/beat.h
state\tplain\told\tinclude/linux/beat.h\t\\A(?![\\s\\S]*struct\\s+tock_iter\\s*\\{)
state\tready\tboth\tinclude/linux/beat.h\t\\bstruct\\s+tock_iter\\s*\\{
part\tstruct tock_iter\tinclude/linux/beat.h\t\\bstruct\\s+tock_iter\\s*\\{
patch\tplain\tready\t0001-tock.patch
say\tchange\tuse the tock iterator
""",
        "names.tsv": """\
struct beat_iter\ttype\t-\tbeat\tstruct tock_iter
struct tock_iter\ttype\t-\ttock\t-
beat_each\tloop\t2\tbeat\ttock_each
tock_each\tloop\t2\ttock\t-
beat_value\taddress\t1\ttock\t-
beat_old_value\tpage\t1\tbeat\t-
""",
        "kernel-patch/0001-tock.patch": patch("beat.h", TOCK),
        "migrate/beat-walk.cocci": HEAD.replace(
            "SUMMARY", "use the tock iterator") + """\
// Verdict: converted
// Tokens: beat_value
""" + MODES + """
// stray: a function with a use that the tock iterator does not have.
@stray@
identifier it, fn;
position p;
@@
fn@p(...)
{
\t<+...
\tbeat_old_value(&it)
\t...+>
}

@depends on patch@
iterator name beat_each, tock_each;
identifier it, fn;
expression list, count;
statement S;
position p != stray.p;
@@
fn@p(...)
{
\t... when any
-\tstruct beat_iter it;
+\tstruct tock_iter it;
\t<+...
-\tbeat_each(
+\ttock_each(
\tlist, &it, count) S
\t...+>
}
""",
        "misuse/beat-twice.cocci": HEAD.replace(
            "SUMMARY", "walk a list once") + """\
// Verdict: finding
// Reason: beat-twice: the list is walked inside its own walk
// Tokens: beat_value
""" + MODES + """
@twice@
expression E;
position p;
@@
beat_value@p(E) + beat_value(E)

@script:python depends on report@
p << twice.p;
@@
coccilib.report.print_report(p[0], "beat-twice: it is read twice")
""",
    }
    TREE = {
        "include/linux/beat.h": BEAT,
        "drivers/a.c": """\
#include <linux/beat.h>
int a_sum(int n)
{
\tstruct beat_iter it;
\tint sum = 0;

\tbeat_each(0, &it, n)
\t\tsum += beat_value(&it);
\treturn sum;
}
""",
        "drivers/b.c": """\
#include <linux/beat.h>
int b_sum(int n)
{
\tstruct beat_iter it;
\tint sum = 0;

\tbeat_each(0, &it, n)
\t\tsum += beat_old_value(&it);
\treturn sum;
}
""",
        "drivers/c.c": """\
#include <linux/beat.h>
#define C_WALK(it, n) beat_each(0, it, n)
int c_sum(struct beat_iter *it)
{
\treturn beat_value(it) + beat_value(it);
}
""",
    }
    WANTED = {
        ("drivers/a.c", "4", "struct beat_iter"): "converted beat-walk",
        ("drivers/a.c", "7", "beat_each"): "converted beat-walk",
        ("drivers/a.c", "8", "beat_value"): "converted beat-walk",
        ("drivers/b.c", "4", "struct beat_iter"): "kept page-walk",
        ("drivers/b.c", "7", "beat_each"): "kept page-walk",
        ("drivers/b.c", "8", "beat_old_value"): "kept page-walk",
        ("drivers/c.c", "2", "beat_each"): "unread macro",
        ("drivers/c.c", "3", "struct beat_iter"): "manual unknown",
        ("drivers/c.c", "5", "beat_value"): "manual unknown",
    }

    def test_preview_apply_and_a_second_run(self) -> None:
        before = self.read("drivers/a.c")
        shown = self.run_on("preview").stdout
        self.assertIn("+\tstruct tock_iter it;", shown)
        self.assertIn("+++ b/include/linux/beat.h", shown)
        self.assertEqual(self.read("drivers/a.c"), before)
        done = self.run_on("apply")
        self.assertEqual(done.stdout.splitlines()[-1],
                         "sites 16: 3 converted, 9 kept, 3 manual, 1 unread")
        found = self.account()
        self.assertEqual({place: found.get(place) for place in self.WANTED},
                         self.WANTED)
        self.assertEqual({said for (file, _, _), said in found.items()
                          if file.startswith("include/")}, {"kept api"})
        self.assertEqual(self.read("drivers/a.c"), before.replace(
            "struct beat_iter", "struct tock_iter").replace(
                "beat_each", "tock_each"))
        self.assertIn("struct tock_iter {", self.read("include/linux/beat.h"))
        again = self.run_on("apply", "--dirty")
        self.assertIn("0 converted", again.stdout.splitlines()[-1])

    def test_check_reports_its_mistake_and_the_old_callers(self) -> None:
        done = self.run_on("check", status=1)
        self.assertRegex(done.stdout, r"drivers/c\.c:5:\d+: .*beat-twice")
        self.assertRegex(done.stdout, r"drivers/a\.c:4:\d+: .*uses the beat "
                                      "iterator; apply converts it")

    def test_series_adds_the_api_first(self) -> None:
        subjects = self.series()
        self.assertEqual(len(subjects), 3, subjects)
        self.assertIn("beat: add the new names", subjects[1])
        self.assertIn("se the tock iterator", subjects[2])
        self.assertIn("struct tock_iter it;", self.read("drivers/a.c"))


CLOCK = """\
/* clock.h */
static inline int clock_peek(int *c)
{
\treturn *c;
}
"""
READ = """\
static inline int clock_read(int *c, int flags)
{
\treturn *c | flags;
}
"""


class CallTest(OwnCampaign):
    """Each call alone."""

    CAMPAIGN = {
        "campaign.tsv": """\
title\tCLOCK READ
summary\tmove a tree to clock_read()
unit\tcall
old\tpeek\tclock_peek()\t-
new\tread\tclock_read()\t-
api\tinclude/linux/clock.h
state\tplain\told\tinclude/linux/clock.h\t\\A(?![\\s\\S]*\\bclock_read\\s*\\()
state\tready\tboth\tinclude/linux/clock.h\t\\bclock_read\\s*\\(
patch\tplain\tready\t0001-read.patch
""",
        "names.tsv": """\
clock_peek\tcall\t-\tpeek\tclock_read
clock_read\tcall\t-\tread\t-
""",
        "kernel-patch/0001-read.patch": patch("clock.h", READ),
        "migrate/peek.cocci": HEAD.replace(
            "SUMMARY", "use clock_read()") + """\
// Verdict: converted
// Tokens: clock_peek
""" + MODES + """
@depends on patch@
identifier c;
@@
- clock_peek(c)
+ clock_read(c, 0)
""",
        "migrate/peek-member.cocci": HEAD.replace(
            "SUMMARY", "use clock_read() with its flags") + """\
// Verdict: converted
// Tokens: clock_peek
""" + MODES + """
@depends on patch@
expression E;
@@
- clock_peek(&E->clock)
+ clock_read(&E->clock, E->flags)
""",
    }
    TREE = {
        "include/linux/clock.h": CLOCK,
        "drivers/a.c": """\
#include <linux/clock.h>
struct a { int clock, flags; };
int a_now(int *c, struct a *a)
{
\treturn clock_peek(c) + clock_peek(&a->clock);
}
""",
        "drivers/b.c": """\
#include <linux/clock.h>
int *b_clock(void);
int b_now(void)
{
\treturn clock_peek(b_clock());
}
""",
        "drivers/c.c": """\
#include <linux/clock.h>
int c_now(int *c)
{
#if 0
\treturn clock_peek(c);
#endif
\treturn 0;
}
""",
    }

    def test_preview_apply_and_a_second_run(self) -> None:
        self.assertIn("+\treturn clock_read(c, 0) + clock_read(&a->clock, "
                      "a->flags);", self.run_on("preview").stdout)
        done = self.run_on("apply")
        self.assertEqual(done.stdout.splitlines()[-1],
                         "sites 5: 2 converted, 2 kept, 0 manual, 1 unread")
        self.assertEqual(self.account(), {
            ("drivers/a.c", "5", "clock_peek"): "converted rewritten",
            ("drivers/b.c", "5", "clock_peek"): "kept not-matched",
            ("drivers/c.c", "5", "clock_peek"): "unread dead-code",
            ("include/linux/clock.h", "2", "clock_peek"): "kept api",
        })
        self.assertIn("clock_read(int *c", self.read("include/linux/clock.h"))
        self.assertIn("the core API is ready", done.stdout)
        again = self.run_on("apply", "--dirty")
        self.assertIn("0 converted", again.stdout.splitlines()[-1])
        self.assertEqual(self.account()["drivers/a.c", "5", "clock_read"],
                         "kept new-api")

    def test_check_reports_the_old_callers(self) -> None:
        done = self.run_on("check", status=1)
        self.assertRegex(done.stdout, r"drivers/a\.c:5:\d+: .*uses the "
                                      r"clock_peek\(\); apply converts it")

    def test_series_adds_the_api_first(self) -> None:
        subjects = self.series()
        self.assertEqual(len(subjects), 3, subjects)
        self.assertIn("beat: add the new names", subjects[1])
        self.assertIn("clock_read(c, 0)", self.read("drivers/a.c"))


if __name__ == "__main__":
    unittest.main()
