# SPDX-License-Identifier: GPL-2.0-only
"""scripts/README.md names every module, once, and none that is not there."""

import collections
import re
import unittest
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[1]
_ROW = re.compile(r"^\| `([^`]+)` \| \S", re.MULTILINE)


class ReadmeTest(unittest.TestCase):

    def test_every_module_has_a_row(self) -> None:
        rows = collections.Counter(
            _ROW.findall((SCRIPTS / "README.md").read_text()))
        there = {path.name + "/" * path.is_dir() for path in SCRIPTS.iterdir()
                 if path.name not in ("README.md", "tests", "__pycache__")}
        self.assertEqual(set(rows), there)
        self.assertEqual([name for name, times in rows.items() if times > 1],
                         [])


if __name__ == "__main__":
    unittest.main()
