# SPDX-License-Identifier: GPL-2.0-only
"""Makefile: what reaches the driver, what is refused, and what is removed.

The Makefile is the real one; the driver beside it writes down its arguments.
"""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from collections.abc import Mapping
from pathlib import Path
from typing import Optional

ROOT = Path(__file__).resolve().parents[3]
DRIVER = """
import json, os, sys
from collections.abc import Mapping
from pathlib import Path
from typing import Optional
Path("seen").write_text(json.dumps([sys.argv[1:], dict(os.environ)]))
print("data")
if os.environ.get("FAIL"):
    print("sgwalk: exit 1: 2 sites need a person", file=sys.stderr)
    sys.exit(1)
"""
# Text that is code for make, for a shell, or for both.
HOSTILE = ("a'b", "$(shell touch bad)", "${shell touch bad}", "$$(touch bad)",
           "`touch bad`", "';touch bad;'", '"$(touch bad)"', "a;touch bad",
           "a#b%c", "a\\", "-rf", "*", "$x", "$$x", "a=b", "a,b(c)", "é\xe9")
VERBS = ("apply", "preview", "check", "baseline", "series", "verify", "boot",
         "bench")


class MakefileTest(unittest.TestCase):

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = Path(scratch.name).resolve() / "sgwalk"
        for room in ("host", "reader", "test"):
            (self.root / "scripts" / room).mkdir(parents=True)
        shutil.copy(ROOT / "Makefile", self.root)
        shutil.copy(ROOT / "scripts/host/output.py",
                    self.root / "scripts/host")
        (self.root / "scripts/migrate.py").write_text(DRIVER)
        (self.root / "scripts/test/runtests.py").write_text(DRIVER)
        (self.root / "scripts/deps.sh").write_text("echo $* >>asked\n")
        (self.root / "scripts/reader/main.c").write_text(
            "int main(void)\n{\n\treturn 0;\n}\n")

    def make(self, *words: str, status: int = 0,
             env: Optional[Mapping[str, str]] = None
             ) -> "subprocess.CompletedProcess[str]":
        clean = {"PATH": os.environ["PATH"], "HOME": "/home/someone",
                 **(env or {})}
        done = subprocess.run(
            ["make", *words], cwd=self.root, env=clean, text=True, check=False,
            stdin=subprocess.DEVNULL, capture_output=True)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertNotIn("undefined variable", done.stderr)
        self.assertFalse((self.root / "bad").exists(), words)
        return done

    def seen(self) -> list[str]:
        words: list[str] = json.loads((self.root / "seen").read_text())[0]
        return words

    def environment(self) -> dict[str, str]:
        env: dict[str, str] = json.loads((self.root / "seen").read_text())[1]
        return env

    def refuses(self, *words: str,
                env: Optional[Mapping[str, str]] = None) -> str:
        done = self.make("apply", *words, status=2, env=env)
        self.assertFalse((self.root / "seen").exists(), words)
        lines = [line for line in done.stderr.splitlines()
                 if not line.startswith("make: *** [Makefile")]
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertIn("sgwalk: exit 2: ", done.stderr)
        return done.stderr

    def test_make_alone_prints_every_verb_and_variable(self) -> None:
        text = self.make().stdout
        for verb in (*VERBS, "fix", "explain", "campaigns", "help", "deps", "test", "clean"):
            self.assertRegex(text, rf"\n  make {verb} +\w")
        for name in ("KERNEL", "OUT", "JOBS", "SSH", "V"):
            self.assertRegex(text, rf"\n  {name} +\S")
        self.assertIn("\n  OUT=out\n", text)
        self.assertLess(max(map(len, text.splitlines())), 81)
        self.assertFalse((self.root / "out").exists())

    def test_each_verb_reaches_the_driver_with_the_defaults(self) -> None:
        for verb in VERBS:
            done = self.make(verb)
            self.assertEqual(done.stdout, "data\n")
            self.assertEqual(self.seen(), [
                verb, "--out=out", "--timeout=200", "--confidence=high",
                "--left=warn", "--format=text", "--shape=series"])

    def test_every_variable_arrives_under_its_option(self) -> None:
        self.make("series", "KERNEL=k", "M=m", "CAMPAIGN=c/d", "OUT=o", "JOBS=3", "RULES=a b",
                  "TIMEOUT=9", "CONFIDENCE=moderate", "LEFT=error", "DIRTY=1",
                  "FIX=1", "RULE=r", "FORMAT=sarif", "BASE=v5.0~3", "BASELINE=b.tsv",
                  "LEVEL=low", "UNREAD=warn", "SCRIPTS=allow", "SSH=a,b",
                  "SHAPE=single", "BRANCH=x/y", "VERSION=2", "SIGNOFF=1",
                  "V=1")
        self.assertEqual(sorted(self.seen()), sorted([
            "series", "--kernel=k", "--m=m", "--campaign=c/d", "--out=o", "--jobs=3",
            "--rules=a b", "--timeout=9", "--confidence=moderate",
            "--left=error", "--dirty", "--fix", "--rule=r", "--format=sarif",
            "--base=v5.0~3", "--baseline=b.tsv", "--level=low",
            "--unread=warn", "--scripts=allow", "--ssh=a,b", "--shape=single",
            "--branch=x/y", "--version-number=2", "--signoff"]))

    def test_fix_is_apply_with_the_campaign_of_counts(self) -> None:
        self.assertEqual(self.make("fix", "KERNEL=k").stdout, "data\n")
        self.assertEqual(self.seen()[:3],
                         ["apply", "--campaign=sg-counts", "--kernel=k"])

    def test_campaigns_are_listed_without_tools(self) -> None:
        self.assertEqual(self.make("campaigns").stdout, "data\n")
        self.assertEqual(self.seen(), ["campaigns"])
        self.assertFalse((self.root / "out").exists())

    def test_no_value_is_code(self) -> None:
        for text in HOSTILE:
            with self.subTest(text):
                self.make("preview", f"RULES={text}", f"BRANCH={text}")
                self.assertIn(f"--rules={text}", self.seen())
                self.assertIn(f"--branch={text}", self.seen())
                if " " in text:
                    text = text.replace(" ", "${IFS}")
                self.make("preview", f"KERNEL={text}")
                self.assertIn(f"--kernel={text}", self.seen())
                self.make("preview", env={"KERNEL": text})
                self.assertIn(f"--kernel={text}", self.seen())

    def test_home_is_put_for_the_tilde(self) -> None:
        self.make("preview", "KERNEL=~/linux")
        self.assertIn("--kernel=/home/someone/linux", self.seen())

    def test_common_names_in_the_environment_are_not_heard(self) -> None:
        self.make("preview", env={
            "VERSION": "7", "BRANCH": "main", "M": "x", "FORMAT": "x",
            "DIRTY": "1", "BASE": "x", "V": "1"})
        self.assertEqual(len(self.seen()), 7)

    def test_kernel_out_and_jobs_are_taken_from_the_environment(self) -> None:
        self.make("preview", env={"KERNEL": "/k", "OUT": "o2", "JOBS": "5"})
        self.assertLessEqual({"--kernel=/k", "--out=o2", "--jobs=5"},
                             set(self.seen()))

    def test_module_is_named_from_where_make_was_called(self) -> None:
        away = self.root.parent / "away it's"
        away.mkdir()
        for words in (
                ("-C", str(self.root)), (f"-sC{self.root}",),
                (("--no-print-directory", f"--directory={self.root}"))):
            with self.subTest(words):
                done = subprocess.run(
                    ["sh", "-c", 'cd "$0" && exec make "$@"', str(away), *words,
                     "preview", "M=drv/a.c drv/b.c"], text=True, check=False,
                    env={"PATH": os.environ["PATH"], "HOME": "/"},
                    stdin=subprocess.DEVNULL, capture_output=True)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn(f"--caller={away}", self.seen())
                self.assertIn("--m=drv/a.c drv/b.c", self.seen())
        for words in (("M=/drv",), ("M=~/drv",), ()):
            self.make("preview", "-C", str(self.root), *words,
                      env={"PWD": str(away)})
            self.assertNotIn(f"--caller={away}", self.seen())
        # Without -C what PWD says may be old.
        self.make("preview", "M=drv", env={"PWD": str(away)})
        self.assertNotIn(f"--caller={away}", self.seen())

    def test_misspelt_variable_is_refused_with_the_good_ones(self) -> None:
        text = self.refuses("KERNL=/k")
        self.assertIn("KERNL is not a variable", text)
        self.assertIn("KERNEL OUT JOBS", text)

    def test_unknown_value_is_refused_with_the_good_ones(self) -> None:
        for word, good in (("CONFIDENCE=sure", "high moderate low"),
                           ("DIRTY=yes", "0 1"), ("V=2", "0 1"),
                           ("FORMAT=xml", "text gcc json sarif github"),
                           ("SHAPE=$(shell touch bad)", "series single"),
                           ("FORMAT=text json", "text gcc json sarif"),
                           ("SCRIPTS=deny", "allow")):
            with self.subTest(word):
                self.assertIn(f"is none of {good}", self.refuses(word))

    def test_number_is_asked_for_where_one_is_needed(self) -> None:
        for word in ("JOBS=0", "JOBS=-1", "JOBS=two", "TIMEOUT=1s",
                     "VERSION=v2", "JOBS=$(shell touch bad)"):
            with self.subTest(word):
                self.assertIn("is not a number", self.refuses(word))

    def test_space_in_a_path_is_refused_with_one_sentence(self) -> None:
        for name in ("KERNEL", "OUT", "BASELINE"):
            for space in (" ", "\t"):
                text = self.refuses(f"{name}=a{space}b")
                self.assertIn(f"{name}='a{space}b' holds a space", text)
        self.assertIn("holds a space", self.refuses(
            env={"KERNEL": "my linux"}))

    def test_line_break_is_refused(self) -> None:
        done = self.make("apply", "KERNEL=a\ntouch bad", status=2)
        self.assertIn("line break", done.stderr)
        self.assertFalse((self.root / "seen").exists())

    def test_folder_for_output_has_a_plain_name(self) -> None:
        for text in ("a'b", "a$b", "a:b", "a%b", "a;b", "~", "", "-x", "a#b",
                     "a*b", "a\\b", "$(shell touch bad)"):
            with self.subTest(text):
                self.assertIn("OUT=", self.refuses(f"OUT={text}"))

    def test_status_inside_is_told_and_make_ends_with_2(self) -> None:
        done = self.make("check", status=2, env={"FAIL": "1"})
        self.assertIn("sgwalk: exit 1: 2 sites need a person\n", done.stderr)

    def test_nothing_runs_where_tools_are_missing(self) -> None:
        (self.root / "scripts/deps.sh").write_text("exit 2\n")
        for verb in (*VERBS, "test"):
            self.make(verb, status=2)
        self.assertFalse((self.root / "seen").exists())

    def test_each_verb_asks_for_the_tools_that_it_needs(self) -> None:
        for verb, tools in (("apply", "run"), ("test", "run test"),
                            ("verify", "run build"),
                            ("boot", "run build boot")):
            self.make(verb)
            asked = (self.root / "asked").read_text().splitlines()
            self.assertEqual(asked[-1], f"--stamp out/deps {tools}")

    def test_census_is_built_once(self) -> None:
        self.make("apply")
        first = (self.root / "out/bin/reader").stat()
        self.make("preview", "check")
        self.assertEqual((self.root / "out/bin/reader").stat(), first)
        self.assertEqual(os.listdir(self.root / "out/bin"), ["reader"])

    def test_census_that_warns_is_no_census(self) -> None:
        (self.root / "scripts/reader/main.c").write_text(
            "int main(void)\n{\n\tint unused;\n\treturn 0;\n}\n")
        self.make("apply", status=2)
        self.assertFalse((self.root / "out/bin/reader").exists())

    def test_commands_are_printed_on_request_only(self) -> None:
        self.assertEqual(self.make("apply").stdout, "data\n")
        self.assertIn("migrate.py apply", self.make("apply", "V=1").stdout)

    def test_surroundings_make_no_difference(self) -> None:
        self.make("apply")
        seen = self.seen()
        cases: tuple[tuple[tuple[str, ...], dict[str, str]], ...] = (
            (("-j8",), {}), (("-j8", "--output-sync"), {}),
            ((), {"CDPATH": "/:/tmp"}),
            ((), {"LC_ALL": "tr_TR.UTF-8", "LANG": "xx"}),
            ((), {"MAKEFLAGS": "k"}), (("--warn-undefined-variables",), {}))
        for words, env in cases:
            with self.subTest(words=words, env=env):
                self.make("clean")
                self.make("apply", *words, env=env)
                self.assertEqual(self.seen(), seen)
                told = self.environment()
                self.assertEqual((told["LC_ALL"], told["TZ"]), ("C", "UTC"))
                for name in ("MAKEFLAGS", "CDPATH", "V", "OUT"):
                    self.assertNotIn(name, told)

    def test_kernels_make_does_not_inherit_variables(self) -> None:
        self.make("-j4", "verify", "KERNEL=k", "M=m", "OUT=o", "V=1")
        told = self.environment()
        for name in ("MAKEFLAGS", "MAKEOVERRIDES", "M", "OUT", "KERNEL", "V"):
            self.assertNotIn(name, told)

    def test_output_may_lie_anywhere(self) -> None:
        away = self.root.parent / "away/deep"
        self.make("apply", f"OUT={away}")
        self.assertTrue((away / "bin/reader").exists())
        self.make("clean", f"OUT={away}")
        self.assertFalse(away.exists())
        self.assertTrue(away.parent.exists())

    def test_clean_removes_what_make_made(self) -> None:
        self.make("apply")
        self.make("clean")
        self.assertFalse((self.root / "out").exists())
        self.make("clean")

    def test_clean_leaves_a_folder_that_was_there_before(self) -> None:
        (self.root / "out").mkdir()
        (self.root / "out/precious").write_text("mine")
        self.make("apply")
        done = self.make("clean", status=2)
        self.assertIn("sgwalk: exit 2: out: not made here", done.stderr)
        self.assertEqual((self.root / "out/precious").read_text(), "mine")

    def test_nothing_of_somebody_elses_is_written_below_out(self) -> None:
        thesis = self.root / "thesis"
        for name in ("bin", "bin/reader", "bin/reader.new", "deps",
                     ".made-by-sgwalk"):
            for kind in ("file", "folder", "link", "link to folder"):
                with self.subTest(name=name, kind=kind):
                    path = self.root / "out" / name
                    self.make("tools")
                    (self.root / "out" / "deps").unlink(missing_ok=True)
                    if path.is_dir():
                        shutil.rmtree(path)
                    elif path.exists():
                        path.unlink()
                    if kind == "file":
                        path.write_text("mine\n")
                    elif kind == "folder":
                        path.mkdir()
                        (path / "thesis").write_text("mine\n")
                    else:
                        if kind == "link":
                            thesis.write_text("mine\n")
                        else:
                            thesis.mkdir()
                        path.symlink_to(thesis)
                    if (name, kind) not in (
                            # Marked as made here: these are a file of ours,
                            # and a folder that nothing but ours is put into.
                            ("bin/reader", "file"), ("bin/reader.new", "file"),
                            ("bin", "folder"), (".made-by-sgwalk", "file")):
                        text = self.refuses()
                        self.assertIn(f"out/{name}: not made by sgwalk", text)
                    for kept in (path / "thesis", thesis):
                        if kept.is_file():
                            self.assertEqual(kept.read_text(), "mine\n")
                    shutil.rmtree(self.root / "out")
                    if thesis.is_dir():
                        thesis.rmdir()
                    else:
                        thesis.unlink(missing_ok=True)

    def test_folder_named_bin_in_a_folder_of_the_users_is_left_alone(
            self) -> None:
        (self.root / "mine/bin").mkdir(parents=True)
        (self.root / "mine/bin/reader").write_text("mine\n")
        for _ in range(2):
            self.assertIn("mine/bin: not made by sgwalk",
                          self.refuses("OUT=mine"))
        self.assertEqual((self.root / "mine/bin/reader").read_text(), "mine\n")
        self.assertEqual(os.listdir(self.root / "mine"), ["bin"])

    def test_out_that_cannot_be_made_is_told_in_one_sentence(self) -> None:
        (self.root / "file").write_text("mine\n")
        done = self.make("apply", "OUT=file", status=2)
        self.assertIn("sgwalk: exit 2: file: cannot be made", done.stderr)

    def test_out_of_an_earlier_version_is_taken_over(self) -> None:
        (self.root / "out/bin").mkdir(parents=True)
        (self.root / "out/bin/reader").write_text("old")
        (self.root / "out/deps").write_text(" run test lint \n")
        (self.root / "out/.made-by-sgwalk").write_text("")
        self.make("apply")
        self.make("clean")
        self.assertFalse((self.root / "out").exists())

    def test_clean_leaves_what_the_user_put_there(self) -> None:
        self.make("apply")
        (self.root / "out/precious").write_text("mine")
        done = self.make("clean", status=2)
        self.assertIn("out/precious: not made by sgwalk", done.stderr)
        self.assertTrue((self.root / "out/bin/reader").exists())

    def test_test_hands_jobs_and_output_to_the_runner(self) -> None:
        self.make("test", "JOBS=3", "OUT=o")
        self.assertEqual(self.seen(), ["--out=o", "--jobs=3"])


class CiTest(unittest.TestCase):
    """.ci/run before a Makefile that says what the case needs."""

    def ci(self, deps: str = ":", test: str = "echo '7 passed, 0 failed'",
           apply: str = ":") -> tuple[int, str]:
        with tempfile.TemporaryDirectory() as scratch:
            root = Path(scratch)
            (root / ".ci").mkdir()
            shutil.copy(ROOT / ".ci/run", root / ".ci")
            (root / "Makefile").write_text(
                f"deps:\n\t@{deps}\ntest:\n\t@{test}\napply:\n\t@{apply}\n")
            done = subprocess.run(
                [str(root / ".ci/run")], cwd="/", text=True, check=False,
                env={"PATH": os.environ["PATH"], "CI": "true"},
                stdin=subprocess.DEVNULL, capture_output=True)
            lines = done.stdout.splitlines()
            return done.returncode, lines[-1] if lines else ""

    def test_apply_counts_as_one_more_test(self) -> None:
        self.assertEqual(self.ci(), (0, "8 passed, 0 failed"))
        self.assertEqual(self.ci(apply="false"), (1, "7 passed, 1 failed"))

    def test_failed_tests_are_in_the_sum(self) -> None:
        self.assertEqual(self.ci(test="echo '5 passed, 2 failed'; false"),
                         (1, "6 passed, 2 failed"))

    def test_only_the_last_sum_counts(self) -> None:
        self.assertEqual(self.ci(test="echo '900 passed, 0 failed'; "
                                 "echo '5 passed, 2 failed'; false"),
                         (1, "6 passed, 2 failed"))

    def test_run_without_a_sum_is_a_failure(self) -> None:
        self.assertEqual(self.ci(test="echo nothing"),
                         (1, "1 passed, 1 failed"))

    def test_status_that_the_sum_does_not_explain_is_a_failure(self) -> None:
        self.assertEqual(self.ci(test="echo '5 passed, 0 failed'; false"),
                         (1, "6 passed, 1 failed"))

    def test_tools_that_cannot_be_installed_end_it(self) -> None:
        self.assertEqual(self.ci(deps="exit 2")[0], 2)


if __name__ == "__main__":
    unittest.main()
