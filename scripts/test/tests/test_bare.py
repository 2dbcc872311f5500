# SPDX-License-Identifier: GPL-2.0-only
"""Bare rules, from the command line to the tree and its account."""

from __future__ import annotations

import os
import tempfile
import unittest
from pathlib import Path
from typing import Iterator
from unittest import mock

from run import bare as rulebook
from judge import bare
from read import tree as trees
import smalltree
from baretree import RENAME, Case


class VerdictTest(Case):
    def test_each_site_has_its_verdict(self) -> None:
        self.write("drivers/a.c", b"""\
int gone(void)
{
	return old_call(1);
}
int other(void)
{
	return old_call(1, 2);
}
#if 0
int dead(void) { return old_call(1); }
#endif
#define LEFT(x) old_call(x, 2, 3
int lost(void)
{
	return old_call(/* why */ 1);
}
int nowhere(void)
{
	old_call(1);
	goto missing;
}
int broken(void)
{
	for (;;) { ]] old_call(1); }
}
/* old_call(1) in a comment */
""")
        self.preview(RENAME)
        self.assertEqual(self.verdicts(), [
            (3, "converted", "rewritten"), (7, "kept", "not-matched"),
            (10, "unread", "dead-code"), (12, "unread", "macro"),
            (15, "manual", "comment"), (19, "unread", "no-flow"),
            (24, "unread", "parse-error")])
        self.assertIn("sites 7: 1 converted, 1 kept, 1 manual, 4 unread",
                      self.said)

    def test_a_function_that_a_macro_defines_is_known(self) -> None:
        self.write("a.c", b"SYSCALL_DEFINE1(one, int, a)\n{\n"
                   b"\treturn old_call(1, 2);\n}\n"
                   b"DEFINE_IT(two)\n{\n\treturn old_call(1, 2);\n}\n"
                   b"BPF_CALL_1(three, struct x *, y)\n{\n"
                   b"\treturn old_call(1, 2);\n}\n")
        self.preview(RENAME)
        self.assertEqual(self.verdicts(), [
            (3, "kept", "not-matched"), (7, "kept", "not-matched"),
            (11, "unread", "parse-error")])

    def test_a_header_and_an_include_are_read_and_assembly_is_not(
            self) -> None:
        body = b"static int f(void)\n{\n\treturn old_call(1);\n}\n"
        self.write("include/a.h", body)
        self.write("lib/a.inc", body)
        self.write("arch/a.S", b"\tcall old_call\n")
        self.preview(RENAME)
        self.assertEqual(self.verdicts(), [
            (1, "unread", "assembly"), (3, "converted", "rewritten"),
            (3, "converted", "rewritten")])

    def test_a_macro_that_the_rule_reads_is_converted(self) -> None:
        self.write("a.c", b"#define F(x) old_call(x)\n")
        self.preview(RENAME)
        self.assertEqual(self.verdicts(), [(1, "converted", "rewritten")])

    def test_what_spatch_raises_is_told(self) -> None:
        self.write("a.c", b"int f(void)\n{\n\told_call(old_call(1));\n}\n")
        self.write("b.c", b"int f(void)\n{\n\told_call(1);\n}\n")
        self.preview(RENAME)
        self.assertEqual(self.verdicts(), [
            (3, "unread", "spatch-failed"), (3, "unread", "spatch-failed"),
            (3, "converted", "rewritten")])
        self.assertIn("already tagged token", self.said)

    def test_a_file_that_hangs_harms_no_other(self) -> None:
        slow = b"int f(void)\n{\n" + b"\tif (a) old_call(1, 2);\n" * 3000 \
            + b"}\n"
        self.write("slow.c", slow)
        self.write("good.c", b"int f(void)\n{\n\told_call(1);\n}\n")
        self.preview("@@\nexpression E, F;\n@@\n- old_call(E)\n+ fresh(E)\n"
                     "  ...\n  last(F)\n\n@@\nexpression E;\n@@\n"
                     "- old_call(E)\n+ fresh(E)\n", "--timeout=2")
        rows = self.rows()
        self.assertEqual({row[5] for row in rows if row[0] == "good.c"},
                         {"converted"})
        self.assertTrue({row[5] for row in rows if row[0] == "slow.c"}
                        <= {"unread", "kept"})

    def test_arguments_that_change_places_count_for_their_call(self) -> None:
        self.write("a.c", b"int f(void)\n{\n\tput_in(a, b);\n"
                   b"\tput_in(a, b, c);\n}\n")
        self.preview("@@\nexpression E, F;\n@@\n- put_in(E, F)\n"
                     "+ put_at(F, E)\n")
        self.assertEqual(self.verdicts(), [
            (3, "converted", "rewritten"), (4, "kept", "not-matched")])

    def test_what_changes_without_a_name_is_told(self) -> None:
        self.write("a.c", b"int f(void)\n{\n\tif (p)\n\t\tfree_it(p);\n"
                   b"\tg();\n\tif (p != NULL)\n\t\tfree_it(p);\n}\n")
        self.preview("@@\nexpression E;\n@@\n- if (E != NULL)\n"
                     "  free_it(E);\n")
        self.assertIn("+\tfree_it(p);", self.said)
        self.assertIn("changes that replace no name of the account: 1, the "
                      "first in a.c:3", self.said)
        self.assertEqual(self.verdicts(), [(6, "converted", "rewritten")])


class BytesTest(Case):
    def test_no_other_byte_changes(self) -> None:
        self.write("a.c", b"int f(void)\r\n{\r\n\tx  =  old_call( 1 ) ;  "
                   b"/* caf\xe9 */\r\n}")
        self.apply(RENAME)
        self.assertEqual(self.read("a.c"), b"int f(void)\r\n{\r\n\tx  =  "
                         b"new_call( 1 ) ;  /* caf\xe9 */\r\n}")

    def test_a_second_run_is_silent(self) -> None:
        self.write("a.c", b"int f(void)\n{\n\tg(old_call(h(1)));\n}\n")
        self.apply(RENAME)
        self.assertEqual(self.read("a.c"),
                         b"int f(void)\n{\n\tg(new_call(h(1)));\n}\n")
        self.preview(RENAME)
        self.assertIn("sites 0:", self.said)

    def test_what_a_second_run_would_change_is_named(self) -> None:
        self.write("a.c", b"int f(void)\n{\n\tgrow(1);\n}\n")
        self.apply("@@\nexpression E;\n@@\n- grow(E)\n+ grow(E + 1)\n")
        self.assertEqual(self.read("a.c"),
                         b"int f(void)\n{\n\tgrow(1 + 1);\n}\n")
        self.assertEqual(self.verdicts(), [(3, "converted", "again")])

    def test_nothing_is_added_to_the_tree(self) -> None:
        self.write("a.c", b"int f(void)\n{\n\told_call(1);\n}\n")
        before = self.files()
        self.apply(RENAME)
        self.assertEqual({name for name, data in self.files().items()
                          if before.get(name) != data}, {"a.c"})

    def test_half_of_a_function_is_not_converted(self) -> None:
        self.write("a.c", b"int f(void)\n{\n\told_call(1);\n"
                   b"\told_call(/* why */ 2);\n}\n"
                   b"int g(void)\n{\n\told_call(3);\n}\n")
        self.preview(RENAME)
        self.assertEqual([row[1:] for row in self.verdicts()], [
            ("manual", "comment"), ("manual", "comment"),
            ("converted", "rewritten")])


class RulesTest(Case):
    def test_two_rules_on_one_word_are_a_conflict(self) -> None:
        self.write("a.c", b"int f(void)\n{\n\told_call(1);\n}\n"
                   b"int g(void)\n{\n\told_call(two);\n}\n")
        other = self.rule("other", "@@\n@@\n- old_call(1)\n+ third(1)\n")
        self.preview(RENAME, rules=[other])
        self.assertEqual(self.verdicts(), [
            (3, "manual", "conflict"), (7, "converted", "rewritten")])

    def test_rules_that_follow_one_another_both_change(self) -> None:
        self.write("a.c", b"int f(void)\n{\n\told_call(1);\n}\n")
        other = self.rule("other", "@@\nexpression E;\n@@\n- new_call(E)\n"
                          "+ newer(E)\n")
        self.apply(RENAME, rules=[other])
        self.assertIn(b"newer(1)", self.read("a.c"))

    def test_rules_that_undo_one_another_change_nothing(self) -> None:
        self.write("a.c", b"int f(void)\n{\n\told_call(1);\n}\n")
        other = self.rule("other", "@@\nexpression E;\n@@\n- new_call(E)\n"
                          "+ old_call(E)\n")
        self.preview(RENAME, rules=[other])
        self.assertEqual(self.verdicts(), [(3, "manual", "again")])
        self.assertNotIn("+++", self.said)

    def test_a_rule_with_a_script_wants_to_be_allowed(self) -> None:
        self.write("a.c", b"int f(void)\n{\n\told_call(1);\n}\n")
        rule = ("@initialize:python@\n@@\nimport os\n"
                f"open('{self.folder}/ran', 'w')\n\n{RENAME}")
        self.preview(rule, status=2)
        self.assertIn("SCRIPTS=allow", self.said)
        self.assertFalse((self.folder / "ran").exists())
        self.preview(rule, "--scripts=allow")
        self.assertTrue((self.folder / "ran").exists())
        self.assertEqual(self.verdicts(), [(3, "converted", "rewritten")])

    def test_a_rule_that_names_nothing_is_refused(self) -> None:
        self.preview("@@\nexpression E;\n@@\n- E * 1\n+ E\n", status=2)
        self.assertIn("its minus lines name nothing", self.said)

    def test_a_rule_without_a_patch_mode_is_refused(self) -> None:
        self.preview("virtual report\n\n@@\n@@\n- old_call(1)\n", status=2)
        self.assertIn("it has no patch mode", self.said)

    def test_a_rule_that_spatch_refuses_is_refused(self) -> None:
        self.preview("@@\nexpression E;\n@@\n- old_call(E\n+ (E\n", status=2)
        self.assertIn("rule.cocci: ", self.said)

    def test_confidence_comes_from_the_header(self) -> None:
        self.write("a.c", b"int f(void)\n{\n\told_call(1);\n}\n")
        rule = "// Confidence: Moderate\n" + RENAME
        self.preview(rule, status=2)
        self.assertIn("CONFIDENCE=moderate runs it", self.said)
        self.preview(rule, "--confidence=moderate")
        self.assertEqual(self.verdicts(), [(3, "converted", "rewritten")])

    def test_a_mode_is_defined_where_the_rule_has_one(self) -> None:
        self.write("a.c", b"int f(void)\n{\n\told_call(1);\n}\n")
        self.preview("virtual patch\nvirtual report\n\n@depends on patch@\n"
                     + RENAME.removeprefix("@") .removeprefix("@"))
        self.assertEqual(self.verdicts(), [(3, "converted", "rewritten")])

    def test_options_reach_spatch(self) -> None:
        self.write("a.c", b"int f(void)\n{\n\told_call(!p);\n}\n")
        rule = "@@\nexpression E;\n@@\n- old_call(E == NULL)\n+ none(E)\n"
        self.preview(rule)
        self.assertEqual(self.verdicts(), [(3, "converted", "rewritten")])
        self.preview("// Options: --disable-iso is_null\n" + rule)
        self.assertEqual(self.verdicts(), [(3, "kept", "not-matched")])

    def test_headers_are_read_as_the_options_say(self) -> None:
        self.write("d/a.h", b"struct range { int last; };\n"
                   b"struct box { struct range *in; };\n"
                   b"int h(struct range *r) { return r->last; }\n")
        self.write("include/linux/b.h", b"struct far { struct range *in; };\n")
        self.write("d/a.c", b'#include "a.h"\n#include <linux/b.h>\n'
                   b"int f(struct box *b)\n{\n\treturn b->in->last;\n}\n"
                   b"int g(struct far *b)\n{\n\treturn b->in->last;\n}\n")
        rule = "@@\nstruct range *E;\n@@\n- E->last\n+ last_of(E)\n"
        for options, found in (("--no-includes", []), ("", [5]),
                               ("--all-includes", [5, 9])):
            self.preview((options and f"// Options: {options}\n") + rule)
            self.assertEqual([int(row[1]) for row in self.rows()
                              if row[5] == "converted"
                              and row[0] == "d/a.c"], found, options)

    def test_a_header_that_changes_is_read_again(self) -> None:
        self.write("a.h", b"struct box { int in; };\n")
        self.write("a.c", b'#include "a.h"\nint f(struct box *b)\n{\n'
                   b"\treturn old_call(b->in);\n}\n")
        rule = "@@\nlong E;\n@@\n- old_call(E)\n+ fresh(E)\n"
        self.preview(rule)
        self.assertEqual(self.verdicts(), [(4, "kept", "not-matched")])
        self.write("a.h", b"struct box { long in; };\n")
        self.preview(rule)
        self.assertEqual(self.verdicts(), [(4, "converted", "rewritten")])

    def test_a_rule_about_folders_is_refused(self) -> None:
        self.preview("virtual patch\n@depends on patch && file in \"d\"@\n"
                     "@@\n- old_call(1)\n+ fresh(1)\n", status=2)
        self.assertIn("it depends on the folder of a file", self.said)

    def test_a_folder_leaves_out_what_cannot_be_run(self) -> None:
        self.write("a.c", b"int f(void)\n{\n\told_call(1);\n}\n")
        folder = self.folder / "rules"
        folder.mkdir()
        (folder / "good.cocci").write_text(RENAME)
        (folder / "bad.cocci").write_text("virtual report\n@@\n@@\n* f()\n")
        self.run_on("preview", [folder])
        self.assertIn("bad is left out: ", self.said)
        self.assertEqual(self.verdicts(), [(3, "converted", "rewritten")])

    def test_ours_and_a_bare_rule_do_not_mix(self) -> None:
        self.preview(RENAME, rules=[
            Path(__file__).parents[3]
            / "cocci/sg-dma-page/migrate/local-walk.cocci"], status=2)
        self.assertIn("give one kind at a time", self.said)

    def test_a_pattern_names_the_words_of_the_tree(self) -> None:
        self.write("a.c", b"int f(void)\n{\n\told_one(1);\n\told_two(1, 2);\n"
                   b"\tbold_one(3);\n}\n")
        self.preview("@@\nidentifier f =~ \"^old_.*$\";\nexpression E;\n@@\n"
                     "- f(E)\n+ fresh(E)\n")
        self.assertEqual(self.verdicts(), [
            (3, "converted", "rewritten"), (4, "kept", "not-matched")])


class RunTest(Case):
    def test_the_number_of_processors_changes_nothing(self) -> None:
        for number in range(40):
            self.write(f"d{number % 7}/f{number}.c", b"int f(void)\n{\n"
                       + b"\told_call(1);\n" * number + b"}\n")
        found = []
        for jobs in ("1", "3"):
            self.preview(RENAME, f"--jobs={jobs}",
                         out=self.folder / f"out{jobs}")
            found.append([(self.folder / f"out{jobs}" / name).read_bytes()
                          for name in ("ledger.tsv", "edits.patch")])
        self.assertEqual(found[0], found[1])
        self.assertEqual(len(self.rows()), sum(range(40)))

    def test_slices_change_nothing(self) -> None:
        for number in range(7):
            self.write(f"f{number}.c", b"int f(void)\n{\n\told_call(1);\n"
                       b"\told_call(1, 2);\n}\n")
        found, _ = rulebook.load([(self.rule("rule", RENAME), True)], False,
                                 "high")
        tree = trees.open_tree("", str(self.tree))
        shown: list[tuple[int, int]] = []
        whole, parts = (bare.make_plan(tree, bare.Settings(
            smalltree.census(), progress=lambda done, of:
            shown.append((done, of))), found) for _ in self._sizes())
        self.assertEqual(whole.ledger.tsv(), parts.ledger.tsv())
        self.assertEqual(whole.after, parts.after)
        self.assertEqual(shown[-1], (7, 7))

    def _sizes(self) -> Iterator[None]:
        """Yield twice, the second time with slices of two files."""
        yield
        with mock.patch.object(bare, "_SLICE_FILES", 2):
            yield

    def test_a_second_run_asks_spatch_for_nothing(self) -> None:
        self.write("a.c", b"int f(void)\n{\n\told_call(1);\n}\n")
        self.preview(RENAME)
        first = self.said
        tools = Path(tempfile.mkdtemp(dir=self.folder))
        spatch = tools / "spatch"
        spatch.write_text("#!/bin/sh\ncase \"$*\" in *file-groups*) "
                          "exit 9;; esac\nexec /usr/bin/spatch \"$@\"\n")
        spatch.chmod(0o755)
        self.preview(RENAME, PATH=f"{tools}:{os.environ['PATH']}", status=None)
        self.assertIn("unread", self.said)       # another program: asked anew
        self.preview(RENAME)
        self.assertEqual(self.said, first)


if __name__ == "__main__":
    unittest.main()
