# SPDX-License-Identifier: GPL-2.0-only
"""scripts/README.md names every module, once, and none that is not there."""

import collections
import re
import unittest
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2]
_ROW = re.compile(r"^\| `([^`]+)` \| \S", re.MULTILINE)


class ReadmeTest(unittest.TestCase):

    def test_every_module_has_a_row(self) -> None:
        rows = collections.Counter(
            _ROW.findall((SCRIPTS / "README.md").read_text()))
        there = {str(path.relative_to(SCRIPTS))
                 for path in SCRIPTS.rglob("*") if path.is_file()
                 and path.name not in ("README.md", "__init__.py")
                 and not {"tests", "ci", "__pycache__"} & set(path.parts)}
        self.assertEqual(set(rows), there)
        self.assertEqual([name for name, times in rows.items() if times > 1],
                         [])


if __name__ == "__main__":
    unittest.main()
