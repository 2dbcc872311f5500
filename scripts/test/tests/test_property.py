# SPDX-License-Identifier: GPL-2.0-only
"""What holds for every file: it compiles, or its unit was refused.

2000 generated files go through one plan, 150 in a run without FULL=1.
SGWALK_SEED repeats a run, and SGWALK_FILES is another number of files. A file that breaks a promise is
printed whole; it belongs into fixtures/, reduced.
"""

import os
import random
import subprocess
import tempfile
import unittest
from pathlib import Path

import generate
from judge import plan
import smalltree
from read import tree as trees
from judge.counts import Kind
from judge.plan import Plan
from test.slow import FULL

CONFIGS = ((), ("-DCONFIG_A",), ("-DCONFIG_B",), ("-DCONFIG_GENERATED",),
           ("-DCONFIG_A", "-DCONFIG_B", "-DCONFIG_GENERATED"))
# What an outside module's configure step says of a kernel with the new API.
_FOUND = "-DHAVE_SG_DMA_PAGE_ITER"
FILES = int(os.environ.get("SGWALK_FILES", "2000" if FULL else "150"))
SEED = int(os.environ.get("SGWALK_SEED", "20190107"))
_BATCH = 100


def make_plan(root: Path) -> Plan:
    return plan.make_plan(trees.open_tree(str(root)), smalltree.settings(
        len(os.sched_getaffinity(0))))


def complaints(folder: Path, files: list[str], *flags: str) -> dict[str, str]:
    """Return what the compiler says about each file that it refuses."""
    wrong: dict[str, str] = {}
    for at in range(0, len(files), _BATCH):
        batch = files[at:at + _BATCH]
        if _compile(folder, batch, *flags):
            for file in batch:
                said = _compile(folder, [file], *flags)
                if said:
                    wrong[file] = said
    return wrong


def _compile(folder: Path, files: list[str], *flags: str) -> str:
    done = subprocess.run(
        ["gcc", "-fsyntax-only", "-Wall", "-Werror", "-Wno-unused-variable",
         "-Wno-unused-function", "-x", "c", f"-I{folder}",
         f"-I{smalltree.ROOT / 'fixtures/sg-dma-page/include'}", *flags, "-"],
        input="".join(f'#include "{file}"\n' for file in files), text=True,
        capture_output=True, check=False)
    return done.stderr if done.returncode else ""


class PropertyTest(unittest.TestCase):
    root: Path
    made: dict[str, generate.Generated]
    before: dict[str, bytes]
    inner: dict[str, str]    # an included file -> who includes it
    plan: Plan
    files: list[str]
    left: set[str]

    @classmethod
    def setUpClass(cls) -> None:
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.root = Path(scratch.name) / "linux"
        chance = random.Random(SEED)
        cls.made = {f"g{n}.c": generate.generate(chance, n)
                    for n in range(FILES)}
        cls.before = {file: made.text.encode("latin-1")
                      for file, made in cls.made.items()}
        cls.inner = {inner: file for file, made in cls.made.items()
                     for inner in made.files}
        for made in cls.made.values():
            cls.before.update((inner, text.encode("latin-1"))
                              for inner, text in made.files.items())
        smalltree.make(cls.root, cls.before)
        cls.plan = make_plan(cls.root)
        cls.files = sorted(cls.made)
        cls.left = {cls.inner.get(entry.site.file, entry.site.file)
                    for entry in cls.plan.ledger.entries
                    if entry.verdict in ("manual", "unread")}
        for file, data in cls.plan.after.items():
            (cls.root / file).write_bytes(data)

    def said(self, wrong: dict[str, str]) -> str:
        """Return the first broken file with its seed, for a person."""
        if not wrong:
            return ""
        file = min(wrong, key=lambda name: len(self.before[name]))
        return (f"seed {SEED}, {len(wrong)} files; {file}:\n"
                f"{self.before[file].decode('latin-1')}\n--- became ---\n"
                + self.plan.after.get(file, b"(unchanged)").decode("latin-1")
                + "\n---\n" + wrong[file][:2000])

    def test_generated_files_compile_with_the_old_api(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for file, data in self.before.items():
                (Path(folder) / file).write_bytes(data)
            for flags in CONFIGS:
                wrong = complaints(Path(folder), self.files, "-DOLD_API",
                                   *flags)
                self.assertEqual(wrong, {}, self.said(wrong))

    def test_everything_compiles_with_the_transitional_api(self) -> None:
        for flags in CONFIGS:
            wrong = complaints(self.root, self.files, "-DTRANSITIONAL_API",
                               _FOUND, *flags)
            self.assertEqual(wrong, {}, self.said(wrong))

    def test_what_is_not_refused_compiles_with_the_strict_api(self) -> None:
        done = [file for file in self.files if file not in self.left]
        self.assertGreater(len(done), FILES // 4)
        for flags in CONFIGS:
            wrong = complaints(self.root, done, _FOUND, *flags)
            self.assertEqual(wrong, {}, self.said(wrong))

    def test_what_must_stay_stays_to_the_byte(self) -> None:
        wrong = {}
        for file, made in self.made.items():
            after = self.plan.after.get(file, self.before[file])
            for function in made.stay:
                if function.encode("latin-1") not in after:
                    wrong[file] = function
        self.assertEqual(wrong, {}, self.said(wrong))

    def test_one_iterator_is_converted_whole_or_refused_whole(self) -> None:
        rows: dict[str, list[tuple[int, str]]] = {}
        for entry in self.plan.ledger.entries:
            rows.setdefault(entry.site.file, []).append(
                (entry.site.line, entry.verdict))
        wrong, done = {}, 0
        for file, made in self.made.items():
            after = self.plan.after.get(file, self.before[file])
            for whole in made.whole:
                text = whole.text.encode("latin-1")
                first = self.before[file].split(text)[0].count(b"\n") + 1
                last = first + text.count(b"\n")
                said = {verdict for line, verdict in rows.get(file, ())
                        if first <= line < last}
                said |= {verdict for inner in whole.files
                         for _, verdict in rows.get(inner, ())}
                changed = text not in after or any(
                    inner in self.plan.after for inner in whole.files)
                done += changed
                if not said or changed != ("converted" in said) or \
                        changed and said & {"manual", "unread"}:
                    wrong[file] = f"{text.decode()}\n{said}, {changed}"
        self.assertEqual(wrong, {}, self.said(wrong))
        self.assertGreater(done, FILES // 100)

    def test_mapped_is_what_the_mapping_returned_and_nothing_else(
            self) -> None:
        said = {(entry.site.file, entry.site.function): entry
                for entry in self.plan.ledger.entries if entry.count}
        judged, wrong = 0, {}
        for file, made in self.made.items():
            lines = self.before[file].split(b"\n")
            for counted in made.counts:
                entry = said.get((file, counted.function))
                if entry is None or entry.count is None:
                    continue
                judged += 1
                mapped = entry.count.kind is Kind.MAPPED
                if mapped and not counted.mapped:
                    wrong[file] = f"{counted.function}: {entry.reason}"
                elif mapped and b"dma_map_sg(" not in \
                        lines[entry.count.line - 1]:
                    wrong[file] = f"no witness: {entry.reason}"
                elif entry.count.expression != counted.count:
                    wrong[file] = f"the count is another: {entry.reason}"
        self.assertEqual(wrong, {}, self.said(wrong))
        self.assertGreater(judged, FILES // 20)

    def test_much_is_converted_and_much_is_not(self) -> None:
        changed = sum(file in self.plan.after for file in self.files)
        self.assertGreater(changed, FILES // 3)
        self.assertGreater(len(self.left), FILES // 10)

    def test_second_run_is_silent(self) -> None:
        # What did not change the first time is what it was.
        for file in self.files:
            if file not in self.plan.after:
                (self.root / file).unlink()
        self.addCleanup(lambda: [
            (self.root / file).write_bytes(data)
            for file, data in self.before.items()
            if file not in self.plan.after])
        again = make_plan(self.root)
        self.assertEqual(sorted(again.after), [])


if __name__ == "__main__":
    unittest.main()
