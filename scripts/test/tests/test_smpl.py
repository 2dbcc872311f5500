# SPDX-License-Identifier: GPL-2.0-only
"""smpl.cleared(): no script of a rule reaches spatch, however it is written."""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
import unittest
from pathlib import Path

from run import smpl
from run.smpl import ScriptError

C = b"int f(void)\n{\n\tg(1);\n}\n"
HEAD = b"virtual report\nvirtual context\nvirtual org\n"
CONTEXT = b"@r depends on context@\nexpression e;\n@@\n* g(e)\n"
MATCH = b"@m@\nexpression e;\n@@\ng(e)\n"
RUN = b"open('RAN', 'w')\n"


def python(head: bytes, declared: bytes = b"x << m.e;") -> bytes:
    """Return a whole rule with a script behind a head."""
    return (HEAD + MATCH + CONTEXT + head + b"\n" + declared + b"\n@@\n" + RUN)


# Each of them is a script that spatch runs in context mode.
ATTACKS = {
    "plain": python(b"@script:python@"),
    "not-report": python(b"@script:python depends on !report@"),
    "or": python(b"@script:python depends on context || report@"),
    "not-org": python(b"@script:python depends on !org@"),
    "brackets": python(b"@script:python depends on (report || !(org))@"),
    "on-a-rule": python(b"@script:python depends on m && !report@"),
    "ever": python(b"@script:python depends on ever m@"),
    "named": python(b"@script:python n@"),
    "form-feed": python(b"\f@script:python@"),
    "vertical-tab": python(b"\v@script:python@"),
    "carriage-return": python(b"\r@script:python@"),
    "form-feed-inside": python(b"@\fscript\f:\fpython\f@"),
    "new-lines-inside": python(b"@\n\nscript\n:\npython\n@"),
    "comment-inside": python(b"@script/* report */: // report\npython@"),
    "commented-dependency": python(
        b"@script:python /* depends on report */@"),
    "behind-a-comment-with-a-quote": python(
        b"// it's \"open\n@script:python@"),
    "behind-a-line-that-is-not-read": HEAD + MATCH + (
        b"@q@\n@@\n g(1);\n+#error it's\n@script:python@\nx << m.e;\n@@\n"
        + RUN + b"# '\n"),
    "after-a-string": HEAD + (
        b'@m@\nexpression e;\n@@\n g(e)\n@n@\n@@\n h("a\\\\")\n'
        + CONTEXT + b"@script:python@\nx << m.e;\n@@\n" + RUN),
    "initialize": HEAD + MATCH + CONTEXT + (
        b"@initialize:python@\n@@\n" + RUN),
    "initialize-not-report": HEAD + MATCH + CONTEXT + (
        b"@initialize:python depends on !report@\n@@\n" + RUN),
    "finalize": HEAD + MATCH + CONTEXT + b"@finalize:python@\n@@\n" + RUN,
    "constraint": HEAD + (
        b"@m@\nexpression e : script:python(){ bool(open("
        b'"RAN", "w")) };\n@@\n* g(e)\n'),
    "constraint-spread": HEAD + (
        b"@m@\nexpression e :script // x\n: python() { "
        b'bool(open("RAN", "w")) };\n@@\n* g(e)\n'),
    "rule-named-report": (
        b"virtual context\n@report@\nexpression e;\n@@\ng(e)\n" + CONTEXT
        + b"@script:python depends on report@\nx << report.e;\n@@\n" + RUN),
    "ocaml": HEAD + MATCH + CONTEXT + (
        b"@script:ocaml@\nx << m.e;\n@@\nclose_out (open_out \"RAN\")\n"),
    "ocaml-as-it-is-loaded": HEAD + MATCH + CONTEXT + (
        b"@initialize:ocaml@\n@@\nlet _ = close_out (open_out \"RAN\")\n"),
    "included": b'#include "other.cocci"\n' + HEAD + MATCH + CONTEXT,
    "included-behind-a-comment": (
        b'/* // */ # include "other.cocci"\n' + HEAD + MATCH + CONTEXT),
}
# What is refused though it has no script of its own.
DOUBTS = {
    "isomorphisms": b'using "my.iso"\n' + HEAD + MATCH,
    "isomorphisms-of-a-part": HEAD + b'@m using "my.iso"@\n@@\ng(1)\n',
    "options": b"#spatch --python /bin/sh\n" + HEAD + MATCH,
    "options-in-a-comment": b"/*\n \f# \tspatch --python x\n*/\n" + MATCH,
    "analysis": HEAD + b"@m@\nanalysis(fun _ -> true) e;\n@@\ng(e)\n",
    "fresh-name": HEAD + (
        b"@m@\nexpression e;\nfresh identifier i = script:python(){ "
        b"'x' };\n@@\n- g(e)\n+ i(e)\n"),
    "behind-a-file-line": HEAD + MATCH + (
        b"@q@\n@@\n--- a/it's\n- h();\n@script:python@\nx << m.e;\n@@\n"
        + RUN + b"# '\n"),
    "open-comment": MATCH + b"/* it goes on\n",
    "open-string": MATCH + b'h("\n',
}
GOOD = {
    "a-word-in-a-comment": b"// this script: good\n" + HEAD + MATCH,
    "a-word-in-a-string": HEAD + b'@m@\n@@\ng("script:python")\n',
    "a-function": HEAD + b"@m@\n@@\ninitialize(1)\n",
    "an-include-that-is-matched": HEAD + (
        b'@m@\n@@\n#include "a.h"\n@n@\n@@\n#include <it\'s.h>\n'),
    "a-name-with-the-word": HEAD + b"@noscript@\n@@\nmyscript: g(1);\n",
    "a-quoted-quote": HEAD + b"@m@\n@@\ng('\"', '\\'')\n",
}


class SmplTest(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        (self.folder / "f.c").write_bytes(C)
        (self.folder / "other.cocci").write_bytes(
            b"@initialize:python@\n@@\n" + RUN)

    def runs(self, text: bytes, mode: str = "context") -> bool:
        """Say whether a script of the text runs in spatch."""
        (self.folder / "r.cocci").write_bytes(text)
        mark = self.folder / "RAN"
        mark.unlink(missing_ok=True)
        subprocess.run(
            ["spatch", "--sp-file", "r.cocci", "-D", mode, "--python",
             "/usr/bin/python3", "f.c"], cwd=self.folder, check=False,
            capture_output=True, stdin=subprocess.DEVNULL, timeout=120,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder)})
        return mark.exists()

    def test_every_script_is_refused_and_would_have_run(self) -> None:
        for name, text in ATTACKS.items():
            with self.subTest(name):
                with self.assertRaises(ScriptError):
                    smpl.cleared(text, "context")
                if name not in ("ocaml", "ocaml-as-it-is-loaded"):
                    self.assertTrue(self.runs(text), "not an attack")

    def test_what_may_be_read_in_two_ways_is_refused(self) -> None:
        for name, text in DOUBTS.items():
            with self.subTest(name), self.assertRaises(ScriptError):
                smpl.cleared(text, "context")

    def test_a_rule_without_scripts_stays_as_it_is(self) -> None:
        for name, text in GOOD.items():
            with self.subTest(name):
                self.assertEqual(text, smpl.cleared(text, "context"))

    def test_a_script_for_another_mode_is_taken_out(self) -> None:
        for head in (b"@script:python depends on report@",
                     b"@script:python depends on report || org@",
                     b"@script:python depends on !context@",
                     b"\f@script:python depends on report@",
                     b"\v\r@script:python depends on report@",
                     b"@script:python depends on report@\nx << m.e;\n@@\n"
                     b'a = "\\\\"\n@script:python@\nb = "\n'
                     b"@script:python depends on org@",
                     b"@\fscript : python named depends on m && report@"):
            with self.subTest(head):
                text = python(head) + b"// '\n@last@\n@@\ng(1)\n"
                left = smpl.cleared(text, "context")
                self.assertNotIn(b"RAN", left)
                self.assertIn(b"@last@", left)
                self.assertEqual(text.count(b"\n"), left.count(b"\n"))
                self.assertFalse(self.runs(left))

    def test_the_line_of_the_script_is_named(self) -> None:
        with self.assertRaisesRegex(ScriptError, "line 12: a script"):
            smpl.cleared(python(b"@script:python@"), "context")

    def test_nothing_made_of_pieces_of_an_attack_gets_through(self) -> None:
        # Where cleared() takes a text, no script of it may start.
        pieces = [b"@", b"@@", b"script", b":", b"python", b"\n", b"\f",
                  b"\r", b"/*", b"*/", b"//", b"'", b'"', b"\\", b" ",
                  b"depends on ", b"report", b"||", b"!", b"context", b"---",
                  b"+++", b"#!", b"#if", b"x << m.e;", b"-"]
        made = random.Random(7)
        tried = 0
        while tried < 40:
            noise = b"".join(made.choices(pieces, k=made.randint(1, 6)))
            tail = b"".join(made.choices(pieces, k=made.randint(0, 4)))
            text = HEAD + MATCH + noise + (
                b"\n@script:python@\nx << m.e;\n@@\n") + RUN + tail
            try:
                left = smpl.cleared(text, "context")
            except ScriptError:
                continue
            tried += 1
            self.assertFalse(self.runs(left), left)


if __name__ == "__main__":
    unittest.main()
