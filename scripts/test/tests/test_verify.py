# SPDX-License-Identifier: GPL-2.0-only
"""Hold verify.py to what a build shows, on copies of the embedded tree."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Mapping
from unittest import mock

from prove import kbuild, objects, verify
from prove.builds import Report, Step, VerifyError

TREE = Path(__file__).resolve().parents[3] / "fixtures/sg-dma-page/tree"
DRIVER = "drivers/misc/basalt.c"
OTHER = "drivers/crypto/talc_sgl.c"
LIST_H = "include/linux/scatterlist.h"
HEADER = "drivers/gpu/drm/onyx/onyx_drv.h"
CODE = b"""
unsigned int basalt_added(unsigned int value);
unsigned int basalt_added(unsigned int value)
{
	return value / 3;
}
"""


class VerifyTest(unittest.TestCase):
    """Builds share one folder, as runs on one tree do."""

    scratch: Path
    tree: Path

    @classmethod
    def setUpClass(cls) -> None:
        cls.scratch = Path(tempfile.mkdtemp(prefix="sgwalk-verify-"))
        cls.addClassCleanup(shutil.rmtree, cls.scratch)
        cls.tree = cls.scratch / "tree"
        shutil.copytree(TREE, cls.tree)

    def read(self, name: str) -> bytes:
        return (self.tree / name).read_bytes()

    def run_steps(self, *changes: Mapping[str, bytes],
                  untouched: tuple[str, ...] = ()) -> Report:
        steps = [Step(str(number), contents)
                 for number, contents in enumerate(changes, 1)]
        before = {name: self.read(name) for contents in changes
                  for name in contents}
        return verify.run(self.tree, "4.20.0", before, steps,
                          self.scratch / "verify", 2, untouched)

    def test_changed_function_is_named_and_no_other(self) -> None:
        report = self.run_steps({DRIVER: self.read(DRIVER) + CODE})
        built = report.steps[0]
        self.assertEqual([(each.name, each.functions)
                          for each in built.objects],
                         [("drivers/misc/basalt.o", ("basalt_added",))])
        self.assertTrue(report.good)
        self.assertEqual(built.unreached, ())
        self.assertGreater(built.objects[0].sizes[0][1],
                           built.objects[0].sizes[0][0])

    def test_comment_changes_no_code_and_is_no_line_of_code(self) -> None:
        built = self.run_steps(
            {DRIVER: b"/* added */\n" + self.read(DRIVER)}).steps[0]
        self.assertEqual([each.functions for each in built.objects], [()])
        self.assertEqual(built.changed, 0)

    @unittest.skipUnless(platform.machine() == "x86_64", "is of x86 alone")
    def test_line_number_of_a_warning_is_no_change_of_code(self) -> None:
        code = self.read(DRIVER) + b"""
void warn_slowpath_null(const char *file, int line);
void basalt_warn(int value);
void basalt_warn(int value)
{
	if (value)
		warn_slowpath_null("basalt.c", __LINE__);
}
"""
        built = self.run_steps({DRIVER: code},
                               {DRIVER: b"/* one more line */\n" + code})
        self.assertEqual([each.functions for each in
                          built.steps[1].objects], [()])

    def test_line_number_is_found_behind_other_arguments(self) -> None:
        call = ["mov    $0x200,%esi", "call   1", "mov    $0x59e,%esi",
                *["push   $0x0"] * 6, "R_X86_64_32S .rodata.str1.1",
                "call   2", "R_X86_64_PLT32 warn_slowpath_fmt-0x4"]
        lines = list(call)
        objects._forget_line(lines)
        self.assertEqual(lines, [*call[:2], "mov    $line,%esi", *call[3:]])
        del lines[2]
        again = list(lines)
        objects._forget_line(again)
        self.assertEqual(again, lines)

    def test_second_step_is_compared_with_the_first(self) -> None:
        once = self.read(DRIVER) + CODE
        report = self.run_steps(
            {DRIVER: once}, {DRIVER: once.replace(b"/ 3", b"/ 5")},
            {OTHER: self.read(OTHER) + b"\n"})
        self.assertEqual([each.functions for step in report.steps
                          for each in step.objects],
                         [("basalt_added",), ("basalt_added",), ()])

    def test_step_that_does_not_build_is_named_with_the_error(self) -> None:
        report = self.run_steps({DRIVER: self.read(DRIVER)
                                 + b"int wrong(void) { return it; }\n"})
        (name, why), = report.steps[0].failed
        self.assertEqual(name, "drivers/misc/basalt.o")
        self.assertIn("error:", why)
        self.assertFalse(report.good)

    def test_wrong_iterator_type_does_not_build(self) -> None:
        report = self.run_steps({DRIVER: self.read(DRIVER) + b"""
int wrong(struct scatterlist *sg);
int wrong(struct scatterlist *sg)
{
	return __sg_page_iter_next(sg);
}
"""})
        self.assertEqual(len(report.steps[0].failed), 1)

    def test_new_warning_is_told_and_moved_one_is_not(self) -> None:
        unused = b"static int basalt_unused(void)\n{\n\treturn 1;\n}\n"
        report = self.run_steps({DRIVER: self.read(DRIVER) + unused},
                                {DRIVER: b"\n\n" + self.read(DRIVER)
                                 + unused})
        warning, = report.steps[0].warnings
        self.assertRegex(warning, "^drivers/misc/basalt.c: warning: .*unused")
        self.assertFalse(report.good)

    def test_line_in_a_dead_branch_is_reached_by_no_build(self) -> None:
        text = self.read(DRIVER) \
            + b"\n#ifdef NEVER_SET\nint dead;\n#endif\n"
        lines = text.split(b"\n")
        report = self.run_steps({DRIVER: text})
        self.assertEqual(report.steps[0].unreached,
                         ((DRIVER, lines.index(b"int dead;") + 1),))

    def test_macro_body_and_folded_arguments_count_as_reached(self) -> None:
        text = self.read(DRIVER) + b"""
#define BASALT_SUM(a, \\
		   b) \\
	((a) + \\
	 (b))

unsigned int basalt_sum(unsigned int a);
unsigned int basalt_sum(unsigned int a)
{
	return BASALT_SUM(a,
			  a +
			  1);
}
"""
        self.assertEqual(self.run_steps({DRIVER: text}).steps[0].unreached,
                         ())

    def test_header_is_seen_in_the_objects_that_include_it(self) -> None:
        built = self.run_steps(
            {HEADER: self.read(HEADER) + b"\n"}).steps[0]
        self.assertEqual(
            {each.name for each in built.objects},
            {"drivers/gpu/drm/onyx/onyx_bind.o",
             "drivers/gpu/drm/onyx/onyx_gart.o"})

    def test_who_calls_a_changed_inline_function_shows_the_change(
            self) -> None:
        """Not who includes the header, and not the page walks beside it."""
        text = self.read(LIST_H)
        wider = text.replace(
            b"(piter->sg_pgoffset << PAGE_SHIFT)",
            b"((dma_addr_t)piter->sg_pgoffset << PAGE_SHIFT)")
        self.assertNotEqual(wider, text)
        built = self.run_steps({LIST_H: wider}).steps[0]
        calls = {str(path.relative_to(self.tree).with_suffix(".o"))
                 for path in self.tree.rglob("*.c") if re.search(
                     rb"\bsg_page_iter_dma_address\b", path.read_bytes())}
        names = {each.name for each in built.objects}
        self.assertIn("drivers/misc/basalt.o", names)
        self.assertLessEqual(names, calls)
        self.assertIn("drivers/misc/basalt.o", {
            each.name for each in built.objects if each.functions})
        self.assertEqual(built.unreached, ())

    def test_what_a_comment_changes_in_a_header_has_no_callers(self) -> None:
        built = self.run_steps({LIST_H: b"/* lists */\n"
                                + self.read(LIST_H)}).steps[0]
        self.assertEqual(built.objects, ())

    def test_inline_function_that_nobody_calls_is_not_compiled(self) -> None:
        """The preprocessor prints it, and the compiler drops it."""
        inner = (b"static inline int onyx_inner(int value)\n{\n"
                 b"\treturn value + 1;\n}\n")
        outer = (b"static inline int\nonyx_outer(int value)\n{\n"
                 b"\treturn onyx_inner(value);\n}\n")
        header = self.read(HEADER).replace(
            b"\n#endif", b"\n" + inner + outer + b"\n#endif")
        self.assertIn(inner, header)
        user = "drivers/gpu/drm/onyx/onyx_bind.c"
        calls = self.read(user) + (b"int onyx_call(int value);\n"
                                   b"int onyx_call(int value)\n{\n"
                                   b"\treturn onyx_outer(value);\n}\n")
        idle, = self.run_steps({HEADER: header}).steps
        first = header[:header.index(inner)].count(b"\n") + 1
        self.assertEqual(idle.unreached, tuple(
            (HEADER, line) for line in range(first, first + 9)))
        self.assertEqual(self.run_steps({HEADER: header, user: calls})
                         .steps[0].unreached, ())

    def test_untouched_object_is_identical_or_told(self) -> None:
        same = self.run_steps({DRIVER: self.read(DRIVER) + CODE},
                              untouched=(OTHER,))
        self.assertEqual(same.steps[0].same, ("drivers/crypto/talc_sgl.o",))
        wider = self.read(LIST_H).replace(
            b"struct sg_page_iter {", b"struct sg_page_iter {\n\tlong more;")
        self.assertNotEqual(wider, self.read(LIST_H))
        grown = self.run_steps({LIST_H: wider}, untouched=(OTHER,))
        self.assertEqual(grown.steps[0].differ,
                         ("drivers/crypto/talc_sgl.o",))
        self.assertFalse(grown.good)

    def test_object_that_never_built_is_no_failure_of_a_step(self) -> None:
        lone = "drivers/misc/lone.c"
        (self.tree / lone).write_text("#error only there\n")
        self.addCleanup((self.tree / lone).unlink)
        report = self.run_steps({lone: b"#error still there\n"})
        self.assertEqual(report.steps[0].failed, ())
        (name, why), = report.unbuilt
        self.assertEqual(name, "drivers/misc/lone.o")
        self.assertIn("only there", why)

    def test_what_a_killed_run_changed_in_the_copy_is_put_back(self) -> None:
        broken = {DRIVER: b"#error left behind\n",
                  "drivers/misc/new.h": b"#error left behind\n"}
        with mock.patch("prove.verify._step", side_effect=KeyboardInterrupt):
            with self.assertRaises(KeyboardInterrupt):
                verify.run(self.tree, "4.20.0", {DRIVER: self.read(DRIVER)},
                           [Step("1", broken)], self.scratch / "verify", 2)
        self.run_steps({OTHER: self.read(OTHER) + b"\n"})
        copy = self.scratch / "verify/src"
        self.assertEqual((copy / DRIVER).read_bytes(), self.read(DRIVER))
        self.assertFalse((copy / "drivers/misc/new.h").exists())

    def test_copy_inside_the_tree_does_not_hold_itself(self) -> None:
        folder = self.tree / "out/verify"
        self.addCleanup(shutil.rmtree, folder.parent)
        for _ in range(2):
            report = verify.run(self.tree, "4.20.0",
                                {DRIVER: self.read(DRIVER)},
                                [Step("1", {DRIVER: self.read(DRIVER)})],
                                folder, 2)
            self.assertEqual(report.unbuilt, ())
        self.assertFalse((folder / "src/out/verify").exists())

    def test_environments_repository_and_hooks_are_not_asked(self) -> None:
        root = self.scratch / "repository"
        root.mkdir()
        (root / "Makefile").write_text("all:\n")
        for words in (["init", "-q"], ["add", "Makefile"]):
            subprocess.run(["git", *words], cwd=root, check=True)
        hook = self.scratch / "fsmonitor"
        hook.write_text(f"#!/bin/sh\ntouch {self.scratch}/hook-ran\n")
        hook.chmod(0o755)
        subprocess.run(["git", "config", "core.fsmonitor", str(hook)],
                       cwd=root, check=True)
        with mock.patch.dict(os.environ, GIT_DIR=str(self.scratch)):
            self.assertEqual(kbuild.list_files(root, root / "out")[0],
                             b"Makefile\0")
        self.assertFalse((self.scratch / "hook-ran").exists())

    def test_tree_is_not_written_and_its_own_build_not_used(self) -> None:
        stray = self.tree / "drivers/misc/basalt.o"
        stray.write_bytes(b"not an object")
        self.addCleanup(stray.unlink)
        shot = {path: path.lstat().st_mtime_ns
                for path in self.tree.rglob("*")}
        report = self.run_steps({DRIVER: self.read(DRIVER) + CODE})
        self.assertEqual(len(report.steps[0].objects), 1)
        self.assertEqual(shot, {path: path.lstat().st_mtime_ns
                                for path in self.tree.rglob("*")})

    def test_what_stopped_make_is_told_and_not_that_it_stopped(self) -> None:
        """The last lines name a makefile of the copy, and no cause."""
        makefile = self.tree / "Makefile"
        old = makefile.read_bytes()
        self.addCleanup(makefile.write_bytes, old)
        makefile.write_text(
            "defconfig:\n"
            "\t@echo 'conf.c:9:1: warning: an error to be' >&2\n"
            "\t@echo 'sh: 1: flax: not found' >&2\n"
            "\t@echo 'conf.c:17:4: error: yytext is not declared' >&2\n"
            "\t@exit 127\n")
        with self.assertRaises(VerifyError) as caught:
            self.run_steps({DRIVER: CODE})
        log = self.scratch / "verify/make.log"
        self.assertEqual(
            str(caught.exception),
            "make defconfig: sh: 1: flax: not found; conf.c:17:4: error: "
            f"yytext is not declared; all that it printed is in {log}")
        self.assertIn("*** [", log.read_text())

    def test_cause_of_a_make_that_stopped_is_found_or_it_is_told_as_is(
            self) -> None:
        for said, cause in (
                ("make[1]: Entering directory '/b'\n"
                 "make[1]: *** No rule to make target 'x'.  Stop.\n"
                 "make: *** [Makefile:9: sub] Error 2\n",
                 "make[1]: *** No rule to make target 'x'.  Stop."),
                ("make[1]: flex: No such file or directory\n"
                 "make[1]: *** [k:1: lex.c] Error 127\n",
                 "make[1]: flex: No such file or directory"),
                ("one\ntwo\nthree\nmake: *** [a] Error 1\n", "two; three"),
                ("make: *** [a:1: b] Error 1\n", "make: *** [a:1: b] Error 1"),
                ("", "it failed and printed nothing")):
            with self.subTest(said):
                self.assertEqual(kbuild.cause(said), cause)

    def test_missing_compiler_is_named(self) -> None:
        tools = self.scratch / "tools"
        tools.mkdir()
        for name in ("make", "ld", "objdump", "size", "nice", "tar"):
            (tools / name).symlink_to(shutil.which(name) or "")
        with mock.patch.dict(os.environ, PATH=str(tools)):
            with self.assertRaisesRegex(VerifyError, "no gcc here"):
                self.run_steps({DRIVER: CODE})

    def test_what_differs_from_head_is_found_below_any_folder(self) -> None:
        root = self.scratch / "changed"
        (root / "lib").mkdir(parents=True)
        for name in ("a.c", "lib/b.h", "gone.c", "notes", "link.c"):
            (root / name).write_bytes(b"old\n")
        for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "old"]):
            subprocess.run(["git", "-c", "user.name=T", "-c",
                            "user.email=t@example.org", *words],
                           cwd=root, check=True)
        for name in ("a.c", "lib/b.h", "notes", "lib/fresh.c"):
            (root / name).write_bytes(b"new\n")
        for name in ("gone.c", "link.c"):
            (root / name).unlink()
        (root / "link.c").symlink_to("a.c")
        self.assertEqual(verify.since_head(root), (
            {"a.c": b"old\n", "lib/b.h": b"old\n"},
            {"a.c": b"new\n", "lib/b.h": b"new\n"}))
        self.assertEqual(verify.since_head(root / "lib"), (
            {"b.h": b"old\n"}, {"b.h": b"new\n"}))

    def test_without_a_repository_nothing_differs_from_head(self) -> None:
        self.assertEqual(verify.since_head(self.tree), ({}, {}))

    def test_report_is_one_text_for_people(self) -> None:
        text = verify.text(self.run_steps({DRIVER: self.read(DRIVER) + CODE},
                                          untouched=(OTHER,)))
        self.assertIn("drivers/misc/basalt.o: basalt_added() new; text ", text)
        self.assertIn("untouched, byte-identical: "
                      "drivers/crypto/talc_sgl.o", text)
        self.assertIn("5 of 5 changed lines of code were compiled", text)


if __name__ == "__main__":
    unittest.main()
