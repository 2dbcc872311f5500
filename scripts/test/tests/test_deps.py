# SPDX-License-Identifier: GPL-2.0-only
"""deps.sh: what is missing, what is unfit, and what is typed about it.

One case asks the real tools. In the others PATH is a folder with scripts that
give the tools' versions, less those that a case takes away, and with package
managers that write down what they are asked for and put back what was taken.
"""

import os
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "deps.sh"
# What deps.sh itself is made of, found on the barest system.
PLAIN = ("sh", "cat", "sed", "sort", "grep", "awk", "tr", "cut", "ls",
         "cmp", "mv", "rm", "env")
WANTED = {
    "make": "echo GNU Make 4.3",
    "cc": "exit 0",
    "git": "echo git version 2.39.5",
    "spatch": "echo spatch version 1.1.1 compiled with OCaml version 4.13.1",
    "parallel": "echo GNU parallel 20221122",
}
# What a program of moreutils says to --version.
MOREUTILS = """
echo "parallel: invalid option -- '-'" >&2
echo "parallel [OPTIONS] command -- arguments" >&2
exit 1
"""


class DepsTest(unittest.TestCase):

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = Path(scratch.name)
        self.bin = self.scratch / "bin"
        self.bin.mkdir()
        self.kept = self.scratch / "kept"
        self.kept.mkdir()
        for name in PLAIN:
            path = shutil.which(name)
            assert path is not None, name
            (self.bin / name).symlink_to(path)
        for name, text in WANTED.items():
            self.script(name, text)
        self.user("0")

    def script(self, name: str, text: str) -> None:
        # Many of them are links to the machine's own.
        (self.bin / name).unlink(missing_ok=True)
        (self.bin / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.bin / name).chmod(0o755)

    def user(self, number: str) -> None:
        self.script("id", f"echo {number}")

    def manager(self, name: str, also: str = "") -> None:
        """Make a package manager that writes down its arguments."""
        self.script(name, f"""
echo "{name} $*" >>{self.scratch}/asked
echo chatter
{also}""")

    def put_back(self, *names: str) -> str:
        """Return the command that installs tools, as a manager would."""
        return "\n".join(f"mv {self.kept}/{name} {self.bin}" for name in names)

    def take(self, *names: str) -> None:
        for name in names:
            (self.bin / name).rename(self.kept / name)

    def deps(self, *words: str, path: str = "") -> tuple[int, str]:
        done = subprocess.run(
            ["/bin/sh", str(SCRIPT), *words], text=True, check=False,
            env={"PATH": path or str(self.bin)}, capture_output=True)
        self.assertEqual(done.stdout, "")
        return done.returncode, done.stderr

    def asked(self) -> list[str]:
        file = self.scratch / "asked"
        return file.read_text().splitlines() if file.exists() else []

    def test_tools_that_run_these_tests_will_do(self) -> None:
        self.assertEqual(self.deps("run", path=os.environ["PATH"]), (0, ""))

    def test_all_is_there_and_nothing_is_said(self) -> None:
        self.manager("apt-get")
        self.assertEqual(self.deps("run"), (0, ""))
        self.assertEqual(self.asked(), [])

    def test_what_is_missing_is_installed_by_the_package_that_has_it(
            self) -> None:
        wanted = {
            "apt-get": "install -y --no-install-recommends coccinelle "
                       "libpython3-dev parallel",
            "dnf": "install -y coccinelle parallel python3-libs",
            "pacman": "-S --needed --noconfirm coccinelle parallel python"}
        for name, words in wanted.items():
            with self.subTest(name):
                self.take("spatch", "parallel")
                self.manager(name, self.put_back("spatch", "parallel"))
                status, told = self.deps("run")
                self.assertEqual(status, 0, told)
                self.assertTrue(self.asked()[-1].endswith(words), self.asked())
                self.take(name)

    def test_package_is_named_once_and_by_its_own_name(self) -> None:
        self.take("cc", "spatch")
        self.manager("apt-get", self.put_back("cc", "spatch"))
        self.assertEqual(self.deps("run")[0], 0)
        self.assertIn(" coccinelle gcc libc6-dev libpython3-dev",
                      self.asked()[-1])

    def test_stale_lists_are_fetched_once_more(self) -> None:
        self.take("spatch")
        self.manager("apt-get", f"""
case "$*" in *update*) : >{self.scratch}/fresh ;; esac
[ -e {self.scratch}/fresh ] || exit 100
case "$*" in *install*) {self.put_back("spatch")} ;; esac""")
        self.assertEqual(self.deps("run")[0], 0)
        self.assertTrue(any("update" in line for line in self.asked()))
        self.assertIn("install", self.asked()[-1])

    def test_install_that_fails_says_what_to_type(self) -> None:
        self.take("spatch")
        self.manager("apt-get", "exit 100")
        status, told = self.deps("run")
        self.assertEqual(status, 2)
        self.assertIn("    apt-get install -y --no-install-recommends "
                      "coccinelle libpython3-dev\n", told)
        self.assertTrue(told.endswith(
            "sgwalk: exit 2: spatch libpython: missing or unfit\n"), told)

    def test_install_that_brings_nothing_is_not_believed(self) -> None:
        self.take("spatch")
        self.manager("apt-get")
        status, told = self.deps("run")
        self.assertEqual(status, 2)
        self.assertIn("spatch is missing (the rules)", told)

    def test_without_rights_the_command_is_printed_and_nothing_run(
            self) -> None:
        self.take("spatch")
        self.user("1000")
        for name, words in (
                ("apt-get", "apt-get install -y --no-install-recommends"),
                ("dnf", "dnf install -y"),
                ("pacman", "pacman -S --needed --noconfirm")):
            with self.subTest(name):
                self.manager(name)
                status, told = self.deps("run")
                self.assertEqual(status, 2)
                self.assertIn(f"\n    sudo {words} coccinelle ", told)
                self.assertEqual(self.asked(), [])
                self.take(name)

    def test_sudo_that_asks_for_no_password_is_used(self) -> None:
        self.take("spatch")
        self.user("1000")
        self.manager("apt-get", self.put_back("spatch"))
        self.script("sudo", f"""
[ "$1" = -n ] || exit 9
shift
echo "sudo $*" >>{self.scratch}/asked
exec "$@"
""")
        self.script("true", "exit 0")
        status, told = self.deps("run")
        self.assertEqual(status, 0, told)
        self.assertIn("apt-get -qq install", self.asked()[-1])

    def test_sudo_that_asks_for_a_password_is_not_waited_for(self) -> None:
        self.take("spatch")
        self.user("1000")
        self.manager("apt-get")
        self.script("sudo", "exit 1")
        status, told = self.deps("run")
        self.assertEqual((status, self.asked()), (2, []))
        self.assertIn("    sudo apt-get install", told)

    def test_system_without_known_packages_names_the_tools(self) -> None:
        self.take("spatch", "git")
        status, told = self.deps("run")
        self.assertEqual(status, 2)
        self.assertIn("git is missing", told)
        self.assertTrue(told.endswith("exit 2: git spatch libpython: missing "
                                      "or unfit\n"), told)

    def test_parallel_of_moreutils_is_refused_by_name(self) -> None:
        self.script("parallel", MOREUTILS)
        self.user("1000")
        self.manager("apt-get")
        status, told = self.deps("run")
        self.assertEqual(status, 2)
        self.assertIn(f"parallel at {self.bin}/parallel is not GNU parallel "
                      "but moreutils'", told)

    def test_tool_that_is_too_old_is_named_with_both_versions(self) -> None:
        self.user("1000")
        for version, enough in (("1.0.7", False), ("1.0.8", True),
                                ("1.0.10", True), ("1.1", True),
                                ("0.9.9", False)):
            with self.subTest(version):
                self.script("spatch", "echo spatch version "
                            f"{version} compiled with OCaml version 4.13.1")
                status, told = self.deps("run")
                self.assertEqual(status, 0 if enough else 2, told)
                if not enough:
                    self.assertIn(f"spatch is {version}, and 1.0.8 is needed",
                                  told)

    def test_compiler_without_headers_is_not_enough(self) -> None:
        self.script("cc", "exit 1")
        self.manager("apt-get")
        status, told = self.deps("run")
        self.assertEqual(status, 2)
        self.assertIn("stdio.h is missing", told)
        self.assertIn("libc6-dev", self.asked()[-1])

    def test_spatch_without_python_is_not_enough(self) -> None:
        self.user("1000")
        self.manager("apt-get")
        self.script("spatch", WANTED["spatch"]
                    + "\n[ $# = 1 ] || exit 255")
        status, told = self.deps("run")
        self.assertEqual(status, 2)
        self.assertIn("libpython is missing", told)
        self.assertIn("recommends libpython3-dev\n", told)

    def test_no_folder_is_made_that_a_kill_would_leave(self) -> None:
        self.script("mktemp", f"echo mktemp >>{self.scratch}/asked; exit 1")
        self.assertEqual(self.deps("run"), (0, ""))
        self.assertEqual(self.asked(), [])

    def test_stamp_answers_until_a_tool_changes(self) -> None:
        stamp = self.scratch / "deps"
        words = ("--stamp", str(stamp), "run")
        self.assertEqual(self.deps(*words), (0, ""))
        # Asked again, no tool is run: one that cannot is not noticed.
        count = self.scratch / "count"
        self.script("spatch", f"echo >>{count}\necho version 1.1.1")
        self.assertEqual(self.deps(*words), (0, ""))
        asked = count.read_text()
        self.assertEqual(self.deps(*words), (0, ""))
        self.assertEqual(count.read_text(), asked)
        self.take("spatch")
        self.assertEqual(self.deps(*words)[0], 2)

    def test_stamp_of_one_class_does_not_stand_for_another(self) -> None:
        stamp = self.scratch / "deps"
        self.assertEqual(self.deps("--stamp", str(stamp), "run")[0], 0)
        self.assertEqual(self.deps("--stamp", str(stamp), "run", "lint")[0], 2)

    def test_page_needs_jinja2_and_a_run_does_not(self) -> None:
        there = subprocess.run(["/usr/bin/python3", "-c", "import jinja2"],
                               capture_output=True, check=False)
        status, told = self.deps("page")
        self.assertEqual(status, 2 if there.returncode else 0, told)
        self.assertEqual(self.deps("run")[0], 0)

    def test_failure_leaves_no_stamp(self) -> None:
        self.take("spatch")
        self.assertEqual(self.deps("--stamp", str(self.scratch / "deps"),
                                   "run")[0], 2)
        self.assertFalse((self.scratch / "deps").exists())

    def test_looking_again_takes_no_time(self) -> None:
        words = ("--stamp", str(self.scratch / "deps"), "run")
        self.deps(*words)
        before = os.times()
        start = time.monotonic()
        for _ in range(5):
            self.deps(*words)
        after = os.times()
        spent = (after.children_user + after.children_system
                 - before.children_user - before.children_system)
        self.assertLess(min(spent, time.monotonic() - start) / 5, 0.05)

    def test_unknown_class_is_refused(self) -> None:
        for words in (("nonsense",), ("6.1",), ()):
            status, told = self.deps(*words)
            self.assertEqual(status, 2)
            self.assertIn("class", told)


if __name__ == "__main__":
    unittest.main()
