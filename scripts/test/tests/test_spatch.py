# SPDX-License-Identifier: GPL-2.0-only
"""spatch.run(): every outcome, from a real spatch on real files."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from unittest import mock

SCRIPTS = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SCRIPTS))

from run import hunks, jobs, remember, rules  # noqa: E402
from run import spatch  # noqa: E402
from run.cache import Cache  # noqa: E402
from run.rules import Rule, RuleError  # noqa: E402
from run.jobs import Job, Outcome, Result, SpatchError  # noqa: E402

HEADER = """\
// SPDX-License-Identifier: GPL-2.0-only
/// Call new_name()
///
/// For tests.
//
// Shape: S01
// Confidence: High
// Options: {options}
// Requires: {requires}
// Verdict: converted

virtual patch
virtual context
virtual org
virtual report
"""

RENAME = """
// rewrite: the call itself
@depends on patch@
expression e;
@@
- old_name(e)
+ new_name(e)

// mark: the same, where it is not to be changed
@depends on context@
expression e;
@@
* old_name(e)

// found: where it is
@found depends on report || org@
expression e;
position p;
@@
old_name@p(e)

// say: one line a call
@script:python depends on report@
p << found.p;
@@
coccilib.report.print_report(p[0], "rename it")

// note: the same for org
@script:python depends on org@
p << found.p;
@@
coccilib.org.print_todo(p[0], "rename it")
"""

# Grows with the fourth power of a function's length.
SLOW = """
// three: any three statements in order
@depends on patch@
statement A, B, C;
identifier f;
@@
f(...) { ... when any
- A
... when any
B
... when any
C
... when any
}
"""

# Two changes of one token: spatch raises an exception.
TWICE = """
// twice: one call, two new names
@depends on patch@
expression e, x;
@@
(
- old_name(e)
+ new_name(e)
&
- old_name(x)
+ other_name(x)
)
"""

PLAIN = b"int f(void)\n{\n\told_name(1);\n\treturn 0;\n}\n"
NOTHING = b"int f(void)\n{\n\treturn 0;\n}\n"
LONG = b"void f(int x)\n{\n" + b"\tx++;\n" * 400 + b"}\n"
BROKEN = (b"int f(void)\n{\n\tif (1) {{\n\told_name(1);\n}\n\n"
          b"int g(void)\n{\n\told_name(2);\n\treturn 1;\n}\n")


class SpatchTest(unittest.TestCase):

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory(prefix="sgwalk.")
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)

    def rule(self, body: str, name: str = "rule", options: str = "",
             requires: str = "1.0.8") -> Rule:
        path = self.folder / f"{name}.cocci"
        path.write_text(HEADER.format(options=options, requires=requires)
                        + body)
        return rules.load([path])[0]

    def run_jobs(self, sources: Mapping[str, bytes], jobs: list[Job],
                 procs: int = 2, timeout: int = 60,
                 memory: int = 2048) -> list[Result]:
        return spatch.run(sources, jobs, procs=procs, timeout=timeout,
                          memory=memory)

    def run_one(self, body: str, source: bytes, mode: str = "patch",
                name: str = "x.c") -> Result:
        return self.run_jobs({name: source},
                             [Job(self.rule(body), mode, (name,))])[0]

    def parse(self, **sources: bytes) -> dict[str, jobs.Ranges]:
        results = self.run_jobs(
            sources, [Job(None, "parse", (name,)) for name in sources])
        for result in results:
            self.assertIs(result.outcome, Outcome.QUIET, result.detail)
        return {name: ranges for result in results
                for name, ranges in result.bad.items()}


class ProgressTest(SpatchTest):

    def test_it_grows_and_ends_with_all_jobs(self) -> None:
        seen: list[tuple[int, int]] = []
        rule = self.rule(RENAME)
        spatch.run({f"{n}.c": PLAIN for n in range(3)},
                   [Job(rule, "patch", (f"{n}.c",)) for n in range(3)],
                   procs=2, timeout=60, memory=2048,
                   progress=lambda done, of: seen.append((done, of)))
        self.assertEqual(sorted(seen), seen)
        self.assertEqual(seen[-1], (3, 3))

    def test_the_cache_counts_as_done(self) -> None:
        cache = Cache(self.folder / "cache")
        rule = self.rule(RENAME)
        sources = {f"{n}.c": PLAIN for n in range(3)}
        jobs = [Job(rule, "patch", (name,)) for name in sources]
        seen: list[tuple[int, int]] = []
        first = remember.run(cache, sources, jobs[:2], procs=2, timeout=60,
                             memory=2048)
        again = remember.run(cache, sources, jobs, procs=2, timeout=60,
                             memory=2048, progress=lambda done, of:
                             seen.append((done, of)))
        self.assertEqual({of for _, of in seen}, {3})
        self.assertEqual((min(seen)[0] >= 2, seen[-1]), (True, (3, 3)))
        self.assertEqual([one.changed for one in first],
                         [one.changed for one in again[:2]])

    def test_a_file_past_its_limit_is_not_tried_again(self) -> None:
        cache, late = Cache(None), set[str]()
        slow = Job(self.rule(RENAME + SLOW, "slow"), "patch", ("x.c",))
        asked = {"procs": 1, "memory": 2048, "late": late}
        first, = remember.run(cache, {"x.c": LONG}, [slow], timeout=2,
                              **asked)  # type: ignore[arg-type]
        self.assertIs(first.outcome, Outcome.TIMEOUT)
        self.assertEqual(late, {"x.c"})
        plain = self.rule(RENAME)
        again = remember.run(cache, {"x.c": LONG, "y.c": PLAIN}, [
            Job(plain, "patch", (name,)) for name in ("x.c", "y.c")],
            timeout=60, **asked)  # type: ignore[arg-type]
        self.assertEqual([one.outcome for one in again],
                         [Outcome.TIMEOUT, Outcome.HIT])
        self.assertIn("another job on this file", again[0].detail)

    def test_another_rule_or_file_is_not_in_the_cache(self) -> None:
        cache = Cache(self.folder / "cache")
        rule = self.rule(RENAME)
        asked = {"procs": 1, "timeout": 60, "memory": 2048}
        remember.run(cache, {"x.c": PLAIN}, [Job(rule, "patch", ("x.c",))],
                     **asked)  # type: ignore[arg-type]
        with mock.patch.object(spatch, "run", side_effect=KeyError("ran")):
            remember.run(cache, {"x.c": PLAIN}, [
                Job(rule, "patch", ("x.c",))], **asked)  # type: ignore
            for sources, job in (
                    ({"x.c": PLAIN + b"\n"}, Job(rule, "patch", ("x.c",))),
                    ({"y.c": PLAIN}, Job(rule, "patch", ("y.c",))),
                    ({"x.c": PLAIN}, Job(rule, "context", ("x.c",))),
                    ({"x.c": PLAIN}, Job(self.rule(RENAME + "\n", "other"),
                                         "patch", ("x.c",)))):
                with self.subTest(job=job), self.assertRaises(KeyError):
                    remember.run(cache, sources, [job],
                                 **asked)  # type: ignore[arg-type]


class OutcomeTest(SpatchTest):

    def test_rewrite_is_a_hit_with_a_diff_of_the_tree(self) -> None:
        result = self.run_one(RENAME, PLAIN, name="drivers/x.c")
        self.assertIs(result.outcome, Outcome.HIT)
        self.assertEqual(
            result.changed["drivers/x.c"],
            b"--- a/drivers/x.c\n+++ b/drivers/x.c\n@@ -1,5 +1,5 @@\n"
            b" int f(void)\n {\n-\told_name(1);\n+\tnew_name(1);\n"
            b" \treturn 0;\n }\n")

    def test_file_with_nothing_to_do_is_quiet(self) -> None:
        result = self.run_one(RENAME, NOTHING)
        self.assertIs(result.outcome, Outcome.QUIET)
        self.assertEqual(result.changed, {})

    def test_context_mode_marks_lines_of_the_original(self) -> None:
        result = self.run_one(RENAME, b"\n\n" + PLAIN + BROKEN, "context")
        self.assertEqual(hunks.marked_lines(result.changed["x.c"]), (5, 16))

    def test_report_and_org_mode_name_the_file_of_the_tree(self) -> None:
        source = {"a/x.c": PLAIN, "b/x.c": NOTHING}
        rule = self.rule(RENAME)
        found = self.run_jobs(source, [Job(rule, mode, (name,))
                                       for mode in ("report", "org")
                                       for name in source])
        self.assertEqual(found[0].text, "a/x.c:3:1-9: rename it\n")
        self.assertEqual(found[2].text, "* TODO [[view:a/x.c::face=ovl-face1"
                         "::linb=3::colb=1::cole=9][rename it]]\n")
        for quiet in (found[1], found[3]):
            self.assertIs(quiet.outcome, Outcome.QUIET)
            self.assertEqual(quiet.text, "")

    def test_timeout_in_a_batch_costs_no_other_job(self) -> None:
        sources = {"a.c": PLAIN, "long.c": LONG, "z.c": PLAIN}
        rule = self.rule(RENAME + SLOW)
        results = self.run_jobs(
            sources, [Job(rule, "patch", (name,)) for name in sources],
            timeout=2)
        self.assertEqual([result.outcome for result in results],
                         [Outcome.HIT, Outcome.TIMEOUT, Outcome.HIT])
        self.assertEqual(results[1].detail, "no end within 2 s")

    def test_lack_of_memory_costs_no_other_job(self) -> None:
        sources = {"a.c": PLAIN, "long.c": LONG * 9, "z.c": PLAIN}
        rule = self.rule(RENAME + SLOW)
        results = self.run_jobs(
            sources, [Job(rule, "patch", (name,)) for name in sources],
            memory=40)
        self.assertEqual([result.outcome for result in results],
                         [Outcome.HIT, Outcome.MEMORY, Outcome.HIT])
        self.assertEqual(results[1].detail, "more than 40 MiB")

    def test_exception_costs_no_other_job(self) -> None:
        sources = {"a.c": NOTHING, "d/b.c": PLAIN, "z.c": NOTHING}
        rule = self.rule(TWICE)
        results = self.run_jobs(
            sources, [Job(rule, "patch", (name,)) for name in sources])
        self.assertEqual([result.outcome for result in results],
                         [Outcome.QUIET, Outcome.FAILED, Outcome.QUIET])
        self.assertIn("already tagged token", results[1].detail)
        self.assertIn('File "d/b.c", line 3', results[1].detail)

    def test_wall_clock_ends_what_uses_no_processor(self) -> None:
        rule = self.rule('// wait: for ever\n@initialize:python depends on '
                         'report@\n@@\nimport time\ntime.sleep(600)\n')
        # The start of Python has five seconds of its own.
        began = time.monotonic()
        result, = self.run_jobs({"x.c": PLAIN},
                                [Job(rule, "report", ("x.c",))], timeout=1)
        self.assertIs(result.outcome, Outcome.TIMEOUT)
        self.assertLess(time.monotonic() - began, 60)

    def test_files_of_a_unit_see_each_others_types(self) -> None:
        header = b"struct walk { struct sg_page_iter iter; };\n"
        user = b"void f(struct walk *w)\n{\n\tnext(&w->iter);\n}\n"
        rule = self.rule("// member: typed by the header\n@depends on patch@\n"
                         "struct sg_page_iter it;\n@@\n- next(&it)\n"
                         "+ dma_next(&it)\n")
        alone, both = self.run_jobs(
            {"w.h": header, "w.c": user},
            [Job(rule, "patch", ("w.c",)), Job(rule, "patch",
                                               ("w.h", "w.c"))])
        self.assertIs(alone.outcome, Outcome.QUIET)
        self.assertEqual(list(both.changed), ["w.c"])

    def test_results_do_not_depend_on_the_number_of_processors(self) -> None:
        sources = {f"f{n}.c": text for n, text in enumerate(
            (PLAIN, NOTHING, BROKEN, PLAIN * 20, b"", BROKEN * 3))}
        jobs = [Job(rule, mode, (name,))
                for rule in (self.rule(RENAME, "one"),
                             self.rule(TWICE, "two"))
                for mode in ("patch", "context") for name in sources]
        jobs += [Job(None, "parse", (name,)) for name in sources]
        seen = [[(result.job, result.outcome, result.changed, result.bad,
                  result.detail)
                 for result in self.run_jobs(sources, jobs, procs)]
                for procs in (1, 2, 8)]
        self.assertEqual(seen[0], seen[1])
        self.assertEqual(seen[0], seen[2])


class UnreadTest(SpatchTest):

    def test_census_names_the_unread_lines(self) -> None:
        self.assertEqual(self.parse(good=PLAIN, bad=BROKEN, late=PLAIN
                                    + b"\n" + BROKEN),
                         {"good": (), "bad": ((1, 5),), "late": ((7, 11),)})

    def test_rule_says_what_its_own_run_did_not_read(self) -> None:
        result = self.run_one(RENAME, BROKEN)
        self.assertIs(result.outcome, Outcome.HIT)
        self.assertEqual(result.bad, {"x.c": ((1, 5),)})
        self.assertEqual(hunks.marked_lines(result.changed["x.c"]), (9,))

    def test_end_of_the_function_above_is_not_unread(self) -> None:
        table = b"static const struct ops o = {\n\tSET(x)\n\tSET_B(y)\n};\n"
        self.assertEqual(self.parse(x=PLAIN + table), {"x": ((6, 9),)})

    def test_unterminated_comment_or_string_is_a_whole_unread_file(
            self) -> None:
        self.assertEqual(
            self.parse(comment=PLAIN + b"/* x\nint a;\n",
                       string=b'char *f(void)\n{\n\treturn "x;\n}\n'),
            {"comment": ((1, 7),), "string": ((1, 4),)})

    def test_what_is_no_function_for_spatch_is_unread(self) -> None:
        # "semantic error": no blank stands between = and File there.
        text = PLAIN + b"CALL_1(x, struct s *, y)\n{\n\treturn 2;\n}\n"
        first = PLAIN.count(b"\n") + 1
        self.assertEqual(self.parse(x=text), {"x": ((first, first + 3),)})

    def test_conflict_marker_is_unread(self) -> None:
        text = (b"<<<<<<< HEAD\n" + PLAIN + b"=======\n" + PLAIN
                + b">>>>>>> side\n")
        found = self.parse(x=text)["x"]
        self.assertTrue(any(first <= 1 <= last for first, last in found),
                        found)

    def test_block_that_stands_twice_is_unread_twice(self) -> None:
        end = b"int f(void)\n{\n\tif (1) {{\n}\n"
        self.assertEqual(self.parse(x=end + b"\n" + end)["x"][-1][1], 9)

    def test_census_that_does_not_add_up_fails(self) -> None:
        # What spatch prints is kept as it is but for one of its sums.
        real = shutil.which("spatch")
        self.enterPath({"spatch": f'case $1 in --version) exec {real} "$@";; '
                        f"esac\n{real} \"$@\" | sed 's/nb bad = 5/nb bad = "
                        "6/'"})
        result, = self.run_jobs({"x.c": BROKEN + b"\n"},
                                [Job(None, "parse", ("x.c",))])
        self.assertIs(result.outcome, Outcome.QUIET)     # it has 4, not 5
        result, = self.run_jobs({"x.c": b"\n" + BROKEN},
                                [Job(None, "parse", ("x.c",))])
        self.assertIs(result.outcome, Outcome.FAILED)

    def enterPath(self, programs: Mapping[str, str]) -> None:
        enter_path(self, programs)


def enter_path(test: SpatchTest, programs: Mapping[str, str],
               without: str = "") -> None:
    """Put shell scripts, and the tools but for one, into a PATH of a test."""
    place = test.folder / "bin"
    place.mkdir()
    for folder in os.environ["PATH"].split(":"):
        if Path(folder).is_dir():
            for tool in Path(folder).iterdir():
                if tool.name not in (without, *programs) \
                        and not (place / tool.name).is_symlink():
                    (place / tool.name).symlink_to(tool)
    for name, text in programs.items():
        (place / name).write_text(f"#!/bin/sh\n{text}\n")
        (place / name).chmod(0o755)
    changed = mock.patch.dict(os.environ, {"PATH": str(place)})
    changed.start()
    test.addCleanup(changed.stop)


class HintTest(SpatchTest):
    """Each hint of cocci/kernel.h, with code that is unread without it."""

    SNIPPETS = {
        "for_each_sg_page": "for_each_sg_page(sgl, &it, n, 0)\n*out++ = 1;",
        "for_each_sg_dma_page":
            "for_each_sg_dma_page(sgl, &it, n, 0)\n*out++ = 1;",
        "for_each_sgtable_page":
            "for_each_sgtable_page(sgt, &it, 0)\n*out++ = 1;",
        "for_each_sgtable_dma_page":
            "for_each_sgtable_dma_page(sgt, &it, 0)\n*out++ = 1;",
        "for_each_sg": "for_each_sg(sgl, sg, n, i)\n*out++ = 1;",
        "for_each_sgtable_sg":
            "for_each_sgtable_sg(sgt, sg, i)\n*out++ = 1;",
        "for_each_sgtable_dma_sg":
            "for_each_sgtable_dma_sg(sgt, sg, i)\n*out++ = 1;",
        **{name: f"{name}(e, head, node)\n*out++ = 1;" for name in (
            "list_for_each", "list_for_each_safe", "list_for_each_entry",
            "list_for_each_entry_safe", "list_for_each_entry_reverse",
            "list_for_each_entry_continue", "list_for_each_entry_from",
            "list_for_each_entry_rcu", "hlist_for_each_entry",
            "hlist_for_each_entry_safe", "hlist_for_each_entry_rcu",
            "xa_for_each", "xa_for_each_range", "xa_for_each_marked",
            "idr_for_each_entry", "llist_for_each_entry",
            "plist_for_each_entry", "for_each_set_bit",
            "for_each_possible_cpu", "for_each_online_cpu",
            "for_each_child_of_node")},
        "scoped_guard": "scoped_guard(mutex, &lock) {\nf(1);\n}",
        "scoped_cond_guard":
            "scoped_cond_guard(mutex_try, return 1, &lock) {\nf(1);\n}",
        "__free": "u8 *p __free(kfree) = 0;",
        "SET_RUNTIME_PM_OPS":
            "static const struct dev_pm_ops o = {\n"
            "SET_RUNTIME_PM_OPS(a, b, c)\nSET_SYSTEM_SLEEP_PM_OPS(a, b)\n};",
    }

    def test_every_hint_has_a_snippet_that_is_unread_without_it(
            self) -> None:
        hints = jobs.MACROS.read_text().replace("\\\n", " ").split("\n")
        defined = [line.split("(")[0].split()[1] for line in hints
                   if line.startswith("#define")]
        self.assertEqual(sorted(defined), sorted(self.SNIPPETS))
        texts = {name: self.text(snippet)
                 for name, snippet in self.SNIPPETS.items()}
        self.assertEqual(self.parse(**texts), {name: () for name in texts})
        for name, text in texts.items():
            fewer = self.folder / "fewer.h"
            fewer.write_text("\n".join(
                line for line in hints
                if not line.startswith(f"#define {name}(")))
            result, = spatch.run(
                {"x": text}, [Job(None, "parse", ("x",))],
                procs=1, timeout=60, memory=2048, macros=fewer)
            self.assertNotEqual(result.bad["x"], (), name)

    def text(self, snippet: str) -> bytes:
        if not snippet.startswith("static"):
            snippet = f"int f(int *out)\n{{\n{snippet}\nreturn 0;\n}}"
        return snippet.encode() + b"\n"


class HostileTest(SpatchTest):

    def test_odd_names_reach_no_shell_and_no_diff_header(self) -> None:
        names = ["a b.c", "$(touch hit).c", "`touch hit`;touch hit.c",
                 'quo"te\'s.c', "new\nline.c", "-n.c", "\udcff.c", "x\\y.c"]
        rule = self.rule(RENAME)
        results = self.run_jobs(
            {name: PLAIN for name in names},
            [Job(rule, "patch", (name,)) for name in names])
        for name, result in zip(names, results):
            self.assertEqual(list(result.changed), [name])
        header = results[4].changed["new\nline.c"].split(b"\n")[0]
        self.assertEqual(header, b'--- "a/new\\012line.c"')
        self.assertFalse(Path("hit").exists())

    def test_bytes_keep_their_line_and_column(self) -> None:
        source = (b"/* caf\xe9 */\r\nint f(void)\r\n{\r\n\tg(\"\xff\0\xc3\xa9\");"
                  b" old_name(1);\r\n}\r\n")
        for mode in ("patch", "report"):
            result = self.run_one(RENAME, source, mode)
            self.assertIs(result.outcome, Outcome.HIT, result.detail)
        self.assertEqual(result.text, "x.c:4:12-20: rename it\n")
        self.assertEqual(source.split(b"\n")[3][12:20], b"old_name")

    def test_patched_gives_the_source_with_the_change(self) -> None:
        source = PLAIN.replace(b"\n", b"\r\n")[:-2]
        result = self.run_one(RENAME, source)
        self.assertEqual(
            hunks.patched(hunks.sanitise(source), result.changed["x.c"]),
            PLAIN[:-1].replace(b"old", b"new"))

    def test_text_that_looks_like_messages_of_spatch_hides_nothing(
            self) -> None:
        lines = ("HANDLING: f00001.c", "EXN: Common.Timeout in f00000.c",
                 "PARSING: f00001.c", "badcount: 0")
        liar = ("/* " + "\n".join(lines) + " */\nchar *s = \"\\\n"
                + "\\\n".join(lines) + "\";\n").encode()
        sources = {"liar.c": liar + BROKEN + liar, "plain.c": PLAIN}
        rule = self.rule(RENAME)
        jobs = [Job(None, "parse", (name,)) for name in sources]
        jobs += [Job(rule, "patch", (name,)) for name in sources]
        census, _, liars, plain = self.run_jobs(sources, jobs)
        # The line on which the string above ends counts with the block.
        first = liar.count(b"\n") + 1
        self.assertEqual(census.bad["liar.c"], ((first - 1, first + 4),))
        self.assertIs(liars.outcome, Outcome.HIT, liars.detail)
        self.assertIs(plain.outcome, Outcome.HIT)

    def test_coccinelle_settings_of_home_and_folder_are_not_read(
            self) -> None:
        (self.folder / ".cocciconfig").write_text(
            "[spatch]\n\toptions = --very-quiet --no-such-option\n")
        here = os.getcwd()
        self.addCleanup(os.chdir, here)
        os.chdir(self.folder)
        with mock.patch.dict(os.environ, {"HOME": str(self.folder)}):
            result = self.run_one(RENAME, PLAIN)
        self.assertIs(result.outcome, Outcome.HIT)

    def test_what_spatch_writes_is_in_the_folder_that_goes(self) -> None:
        # spatch shows its output to the diff of PATH; killed, it leaves it.
        bin, log = self.folder / "bin", self.folder / "log"
        bin.mkdir()
        (bin / "diff").write_text(
            f"#!/bin/sh\nprintf '%s\\n' \"$@\" >>'{log}'\n"
            f"exec {shutil.which('diff')} \"$@\"\n")
        (bin / "diff").chmod(0o755)
        with mock.patch.dict(os.environ, {
                "PATH": f"{bin}{os.pathsep}{os.environ['PATH']}"}):
            result = self.run_one(RENAME, PLAIN)
        self.assertIs(result.outcome, Outcome.HIT)
        written = [word for word in log.read_text().split("\n")
                   if "cocci" in word]
        self.assertTrue(written)
        self.assertEqual([], [word for word in written
                              if not word.startswith("./cocci")])

    def test_killed_run_leaves_no_folder_and_no_process(self) -> None:
        place = self.folder / "a place"
        place.mkdir()
        (self.folder / "rule.cocci").write_text(
            HEADER.format(options="", requires="1.0.8") + SLOW)
        # A job in the background of a shell is born with SIGINT ignored.
        code = ("import os, signal, sys; from pathlib import Path\n"
                "from run import jobs, rules, spatch\n"
                "print(os.getpid(), flush=True)\n"
                "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
                "rule, = rules.load([Path(sys.argv[1])])\n"
                "spatch.run({'x.c': b'void f(int x)\\n{\\n' + b'x++;\\n' * "
                "900 + b'}\\n'}, [jobs.Job(rule, 'patch', ('x.c',))], "
                "procs=1, timeout=500, memory=2048)\n")
        for how in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
            # parallel takes the shell of its ancestors, if it is let: dash,
            # as on a machine whose make was started by a script.
            run = subprocess.Popen(
                ["/bin/sh", "-c", '"$@"; exit', "sh", sys.executable, "-c",
                 code, self.folder / "rule.cocci"],
                env={**os.environ, "PYTHONPATH": str(SCRIPTS),
                     "TMPDIR": str(place)}, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL)
            assert run.stdout
            with run.stdout:
                process = int(run.stdout.readline())
            self.wait_for(lambda: len(self.started(place)) == 1)
            worker, = self.started(place)
            os.kill(process, how)
            run.wait()
            self.wait_for(lambda: not list(place.iterdir()))
            self.wait_for(lambda: not self.lives(worker), str(worker))

    def started(self, place: Path) -> list[int]:
        """Return the ids of the spatch processes that work below a folder."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and \
                        (entry / "comm").read_text() == "spatch\n" and \
                        Path(os.readlink(entry / "cwd")).parent == place:
                    found.append(int(entry.name))
            except OSError:
                pass
        return found

    def lives(self, process: int) -> bool:
        try:
            state = Path(f"/proc/{process}/stat").read_text().split()[2]
        except OSError:
            return False
        return state not in "ZX"     # a zombie waits for init

    def wait_for(self, done: object, process: str = "self") -> None:
        assert callable(done)
        # A process that waits for a slow disk dies when the disk answers.
        end = time.monotonic() + 180
        while not done():
            if time.monotonic() > end:
                self.fail("nothing happened: "
                          + Path(f"/proc/{process}/status").read_text())
            time.sleep(0.05)

    def test_finished_run_leaves_no_folder(self) -> None:
        with mock.patch.dict(os.environ, {"TMPDIR": str(self.folder)}):
            self.run_one(RENAME, PLAIN)
        self.assertEqual([path.name for path in self.folder.iterdir()],
                         ["rule.cocci"])


class BrokenTest(SpatchTest):
    """Output that is cut, wrong or without end costs its own job alone."""

    def test_diff_that_is_cut_or_does_not_fit(self) -> None:
        real, change = shutil.which("spatch"), self.folder / "change"
        # A pipe changes what is printed of the first file.
        enter_path(self, {"spatch": f'case "$*" in *--version*) exec {real} '
                          f'"$@";; esac\n{real} "$@" >printed.$$\nstatus=$?\n'
                          f"if grep -q f00000 printed.$$; then <printed.$$ "
                          f"sh {change}; else cat printed.$$; fi\n"
                          "exit $status"})
        rule = self.rule(RENAME)
        for text in (
                "sed '$d'", "head -c 40", "head -c 90", "sed 3,4d",
                "sed 's/^@@ -1,5/@@ -900,5/'", "sed 's/^@@ -1,5/@@ -1,500/'",
                "sed 's/^@@ -1,5 +1,5/@@ -0,0 +1,5/'",
                "sed 's/old_name/new_name/'",
                "sed 's/-1,5/-99999999999999999999,5/'"):
            with self.subTest(text):
                change.write_text(text)
                bad, good = self.run_jobs(
                    {"x.c": PLAIN, "y.c": PLAIN},
                    [Job(rule, "patch", (name,)) for name in ("x.c", "y.c")])
                self.assertIs(bad.outcome, Outcome.FAILED)
                self.assertRegex(bad.detail, "^spatch (printed|did not)")
                self.assertIs(good.outcome, Outcome.HIT)
                self.assertEqual(["y.c"], list(good.changed))

    def test_messages_that_make_no_sense(self) -> None:
        real = shutil.which("spatch")
        enter_path(self, {"spatch": f'case "$*" in *--version*) exec {real} '
                          f'"$@";; esac\n{real} "$@" 2>told.$$\nstatus=$?\n'
                          "LC_ALL=C sed 's/^HANDLING: f00000/"
                          "HANDLING: \\xff/' told.$$ >&2\n"
                          "printf ' = File \"f00001.c\", line 1, column 1\\n"
                          "badcount: x\\n' >&2\nexit $status"})
        rule = self.rule(RENAME)
        bad, good = self.run_jobs(
            {"x.c": PLAIN, "y.c": PLAIN},
            [Job(rule, "patch", (name,)) for name in ("x.c", "y.c")])
        self.assertEqual((Outcome.FAILED, "spatch did not name its files"),
                         (bad.outcome, bad.detail))
        self.assertIs(good.outcome, Outcome.HIT)
        # What is unread, but not how much of it, is the whole file.
        self.assertEqual({"y.c": ((1, 5),)}, good.bad)

    def test_output_without_end(self) -> None:
        real = shutil.which("spatch")
        place = self.folder / "tmp"
        place.mkdir()
        enter_path(self, {"spatch": "for one; do case $one in *.list) "
                          "if grep -q f00000 $one; then yes >&2 & exec yes; "
                          f'fi;; esac; done\nexec {real} "$@"'})
        largest = [0]
        over = threading.Event()

        def watch() -> None:
            while not over.wait(0.05):
                with contextlib.suppress(OSError):
                    largest.append(sum(path.stat().st_size for path
                                       in place.rglob("*")))

        watcher = threading.Thread(target=watch)
        watcher.start()
        rule = self.rule(RENAME)
        with mock.patch.dict(os.environ, {"TMPDIR": str(place)}):
            bad, good = self.run_jobs(
                {"x.c": PLAIN, "y.c": PLAIN},
                [Job(rule, "patch", (name,)) for name in ("x.c", "y.c")])
        over.set()
        watcher.join()
        self.assertIs(bad.outcome, Outcome.FAILED)
        self.assertIn("it printed more than", bad.detail)
        self.assertIs(good.outcome, Outcome.HIT)
        self.assertLess(max(largest), 8 << 20)

    def test_job_log_that_is_cut(self) -> None:
        real, logs = shutil.which("parallel"), self.folder / "logs"
        enter_path(self, {"parallel": f'{real} "$@"\nstatus=$?\n'
                          f"for log in $(cat {logs}); do [ -f $log ] && "
                          "head -c -20 $log >cut && mv cut $log; done\n"
                          "exit $status"})
        rule = self.rule(RENAME)
        jobs = [Job(rule, "patch", ("x.c",)), Job(None, "parse", ("y.c",))]
        logs.write_text("log-b")
        self.assertEqual(
            [Outcome.HIT, Outcome.QUIET],
            [one.outcome for one in self.run_jobs(
                {"x.c": PLAIN, "y.c": LONG}, jobs)])
        logs.write_text("log-b log-a")
        lost = [one for one in self.run_jobs(
            {"x.c": PLAIN, "y.c": LONG, "z.c": NOTHING},
            [*jobs, Job(rule, "context", ("z.c",))])
            if one.outcome is Outcome.FAILED]
        self.assertEqual([], [one for one in lost
                              if one.detail != "GNU parallel lost it"])

    def test_time_limit_is_for_a_file_and_not_for_a_rule(self) -> None:
        rules_ = [self.rule(SLOW, f"slow{number}") for number in range(16)]
        sources = {"x.c": LONG, "y.c": LONG, "z.c": PLAIN}
        jobs = [Job(rule, "patch", (name,))
                for rule in [*rules_, self.rule(RENAME)] for name in sources]
        began = time.monotonic()
        results = self.run_jobs(sources, jobs, timeout=4)
        # Sixteen rules of four seconds each on two files are 128 seconds.
        self.assertLess(time.monotonic() - began, 50)
        for job, result in zip(jobs, results):
            if job.files == ("z.c",):
                self.assertIn(result.outcome, (Outcome.QUIET, Outcome.HIT))
            elif "slow" in str(job.rule):
                self.assertIs(result.outcome, Outcome.TIMEOUT)


class RefusalTest(SpatchTest):

    def refused(self, rule: Rule, mode: str, said: str) -> None:
        with self.assertRaisesRegex(RuleError, f"^{rule.path}: .*{said}"):
            self.run_jobs({"x.c": PLAIN}, [Job(rule, mode, ("x.c",))])

    def test_rule_that_spatch_cannot_parse_is_an_error(self) -> None:
        self.refused(self.rule("@@\nexpression e;\n@@\n- f(e\n"), "patch",
                     "spatch refuses the rule: minus: parse error")

    def test_rule_without_the_mode_is_an_error(self) -> None:
        rule = self.rule(RENAME)
        rule.path.write_text(rule.path.read_text().replace(
            "virtual org\n", ""))
        self.refused(rules.load([rule.path])[0], "org", "has no org mode")

    def test_rule_for_a_later_spatch_is_an_error(self) -> None:
        self.refused(self.rule(RENAME, requires="99.0"), "patch",
                     "requires spatch 99.0")

    def test_rule_with_a_script_in_patch_mode_is_an_error(self) -> None:
        self.refused(self.rule(RENAME + "\n@initialize:python@\n@@\nx = 1\n"),
                     "patch", "line 49: a script")

    def test_rule_with_an_option_not_known_to_be_safe_is_an_error(
            self) -> None:
        self.refused(self.rule(RENAME, options="--in-place"), "patch",
                     "--in-place, which is not known")

    def test_option_that_is_safe_reaches_spatch(self) -> None:
        rule = self.rule(RENAME, options="--no-includes --disable-iso "
                         "no_such_iso")
        self.refused(rule, "patch", "no_such_iso")

    def test_rule_with_no_part_for_a_mode_is_quiet_in_it(self) -> None:
        rule = self.rule("// mark: no rewrite\n@depends on context@\n@@\n"
                         "* old_name(...)\n")
        self.assertEqual(spatch.refusal(rule.path, "patch"), "")
        patch, context = self.run_jobs(
            {"x.c": PLAIN}, [Job(rule, "patch", ("x.c",)),
                             Job(rule, "context", ("x.c",))])
        self.assertIs(patch.outcome, Outcome.QUIET)
        self.assertIs(context.outcome, Outcome.HIT)

    def test_refusal_tells_good_rules_from_bad(self) -> None:
        good, bad = self.rule(RENAME), self.rule("@@\n@@\n- f(\n", "bad")
        self.assertEqual(spatch.refusal(good.path, "patch"), "")
        self.assertIn("parse error", spatch.refusal(bad.path, "patch"))

    def test_look_tells_the_words_a_file_must_hold_one_of(self) -> None:
        self.assertEqual(spatch.look(self.rule(RENAME).path, "patch"),
                         ("", ("old_name",)))
        any_call = self.rule("// mark: any call\n@@\nexpression e;\n@@\n"
                             "* e(...)\n", "any")
        self.assertEqual(spatch.look(any_call.path, "context"), ("", ()))

    def test_file_that_is_skipped_for_its_words_is_quiet(self) -> None:
        rule = replace(self.rule(RENAME), prefilter=True)
        other = PLAIN.replace(b"old_name", b"good_name")
        results = self.run_jobs(
            {"x.c": other, "y.c": PLAIN, "z.c": other},
            [Job(rule, "patch", (name,)) for name in ("x.c", "y.c", "z.c")])
        self.assertEqual([Outcome.QUIET, Outcome.HIT, Outcome.QUIET],
                         [result.outcome for result in results])

    def test_job_on_a_source_that_is_not_given_is_an_error(self) -> None:
        with self.assertRaisesRegex(SpatchError, "^y.c: no source"):
            self.run_jobs({"x.c": PLAIN}, [Job(None, "parse", ("y.c",))])


class ToolTest(SpatchTest):

    def fails(self, said: str) -> None:
        with self.assertRaisesRegex(SpatchError, said):
            self.run_jobs({"x.c": PLAIN}, [Job(None, "parse", ("x.c",))])

    def test_missing_spatch_is_one_sentence(self) -> None:
        enter_path(self, {}, without="spatch")
        self.fails("^spatch is not installed: run `make deps`")

    def test_missing_parallel_is_one_sentence(self) -> None:
        enter_path(self, {}, without="parallel")
        self.fails("^GNU parallel is not installed: run `make deps`")

    def test_old_spatch_is_refused(self) -> None:
        enter_path(self, {"spatch": "echo spatch version 1.0.4"})
        self.fails("^spatch is 1.0.4, and 1.0.8 or later is needed")

    def test_parallel_of_moreutils_is_refused_by_name(self) -> None:
        enter_path(self, {"parallel": 'echo "parallel: invalid option -- -" '
                          ">&2; exit 1"})
        self.fails("^parallel is not GNU parallel \\(moreutils")

    def test_silence_of_spatch_is_not_taken_for_success(self) -> None:
        enter_path(self, {"spatch": "test $1 != --version || "
                          "echo spatch version 1.1.1"})
        for job in (Job(None, "parse", ("x.c",)),
                    Job(self.rule(RENAME), "patch", ("x.c",)),
                    Job(self.rule(RENAME), "report", ("x.c",))):
            result, = self.run_jobs({"x.c": PLAIN}, [job])
            self.assertIs(result.outcome, Outcome.FAILED)
            self.assertEqual(result.detail, "spatch did not name its files")

    def test_folder_that_cannot_be_made_is_an_error(self) -> None:
        with mock.patch.dict(os.environ, {"TMPDIR": "/no/such/folder"}):
            self.fails("^no temporary folder: ")

    def test_other_hosts_get_the_files_and_give_the_same_results(
            self) -> None:
        # As ssh, but every host is this machine, in another folder.
        far = self.folder / "far"
        far.mkdir()
        enter_path(self, {"ssh": 'while [ "$1" != -- ]; do shift; done\n'
                          f"shift; cd {far} && HOME={far} exec sh -c "
                          '"$*"'})
        sources = {"x.c": PLAIN, "y.c": BROKEN}
        jobs = [Job(None, "parse", (name,)) for name in sources]
        jobs += [Job(self.rule(RENAME), "patch", (name,)) for name in sources]
        here = self.run_jobs(sources, jobs)
        there = spatch.run(sources, jobs, procs=2, timeout=60, memory=2048,
                           ssh="far.example")
        self.assertEqual(
            [(one.outcome, one.changed, one.bad) for one in here],
            [(one.outcome, one.changed, one.bad) for one in there])
        self.assertEqual([path for path in far.rglob("*")
                          if path.is_file()], [])

    def test_host_that_cannot_be_reached_is_a_failed_job(self) -> None:
        enter_path(self, {"ssh": "echo ssh: no such host >&2; exit 255"})
        result, = spatch.run({"x.c": PLAIN}, [Job(None, "parse", ("x.c",))],
                             procs=1, timeout=60, memory=2048,
                             ssh="far.example")
        self.assertIs(result.outcome, Outcome.FAILED)
        self.assertIn("no such host", result.detail)


if __name__ == "__main__":
    unittest.main()
