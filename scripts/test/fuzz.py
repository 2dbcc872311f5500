# SPDX-License-Identifier: GPL-2.0-only
"""Build the reader as a target of libFuzzer, and run it.

    python3 scripts/test/fuzz.py FOLDER RUNS [NAME=VALUE...]

FOLDER keeps the corpus, what was found (crash-*) and the object files. The
first inputs are the small files of scripts/test/tests/fuzzed/, which are what
earlier runs found. NAME=VALUE are options of libFuzzer.

Data:   bytes -> exit status 0, or the report of libFuzzer.
Errors: OSError and CalledProcessError, when clang is missing or fails.
Source: https://llvm.org/docs/LibFuzzer.html
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Sequence

ROOT = Path(__file__).resolve().parents[2]
FOUND = ROOT / "scripts/test/tests/fuzzed"
_TABLE = ROOT / "cocci/sg-dma-page/names.tsv"
_FLAGS = ("-std=c11", "-g", "-O1", "-Wall", "-Wextra", "-Werror",
          "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all")


def build(folder: Path) -> Path:
    """Return the target, which is built in a folder."""
    sources = [ROOT / "scripts/test/fuzz_reader.c",
               *(path for path in sorted(ROOT.glob("scripts/reader/*.c"))
                 if path.name != "main.c")]
    program = folder / "fuzz-reader"
    subprocess.run(["clang", *_FLAGS, "-pthread",
                    f"-I{ROOT / 'scripts/reader'}", "-o", str(program),
                    *map(str, sources)], check=True)
    return program


def run(program: Path, folder: Path, runs: int,
        options: Sequence[str] = ()) -> "subprocess.CompletedProcess[bytes]":
    """Let libFuzzer give the target as many inputs; the report is stderr."""
    corpus = folder / "corpus"
    corpus.mkdir(exist_ok=True)
    return subprocess.run(
        [str(program), f"-runs={runs}", "-max_len=300", "-timeout=60",
         "-rss_limit_mb=2000", "-print_final_stats=1",
         f"-artifact_prefix={folder}/", *(f"-{one}" for one in options),
         str(corpus), str(FOUND)], stderr=subprocess.PIPE, check=False,
        env={**os.environ, "READER_NAMES": str(_TABLE), "READER_NEW": "dma"})


def main(words: Sequence[str]) -> int:
    folder = Path(words[0])
    folder.mkdir(parents=True, exist_ok=True)
    done = run(build(folder), folder, int(words[1]), words[2:])
    sys.stderr.buffer.write(done.stderr[-3000:])
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
