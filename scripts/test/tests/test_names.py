# SPDX-License-Identifier: GPL-2.0-only
"""No file of scripts/ has a name of a campaign's API, tests left out."""

from __future__ import annotations

import re
import unittest
from pathlib import Path

from read import campaigns

ROOT = Path(__file__).resolve().parents[3]
# Words that are no name by themselves: .sg, .base.
_SHORT = 4
# What still has a name, in a comment or docstring; this list only shrinks.
STILL: dict[str, set[str]] = {}


class NamesTest(unittest.TestCase):

    def test_no_file_has_a_name_of_an_api(self) -> None:
        words = {name.word for each in campaigns.shipped()
                 for name in campaigns.load(each).names}
        names = re.compile(rb"\b(?:%b)\b" % b"|".join(sorted(
            word.encode() for word in words if len(word) > _SHORT)))
        found: dict[str, set[str]] = {}
        for path in [ROOT / "Makefile", *sorted((ROOT / "scripts").rglob("*"))]:
            if not path.is_file() or "__pycache__" in path.parts or \
                    "tests" in path.parts:
                continue
            here = {word.decode() for word in names.findall(path.read_bytes())}
            if here:
                found[str(path.relative_to(ROOT))] = here
        self.assertEqual(found, STILL)

    def test_the_names_are_there_to_be_looked_for(self) -> None:
        """A table without rows would let everything pass."""
        words = {name.word for name in campaigns.load().names}
        self.assertGreater(len(words), 10)


if __name__ == "__main__":
    unittest.main()
