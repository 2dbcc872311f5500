# SPDX-License-Identifier: GPL-2.0-only
"""A folder of scripts/ imports from the folders above it in README, only."""

import ast
import re
import unittest
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2]
_ROOM = re.compile(r"^    (\w+)/ ", re.MULTILINE)


class RoomsTest(unittest.TestCase):

    def setUp(self) -> None:
        self.rooms = _ROOM.findall((SCRIPTS / "README.md").read_text())

    def test_readme_names_every_folder_of_modules(self) -> None:
        self.assertEqual(sorted(self.rooms), sorted(
            path.parent.name for path in SCRIPTS.glob("*/__init__.py")))

    def test_imports_go_one_way(self) -> None:
        for file in SCRIPTS.glob("*/**/*.py"):
            room = file.relative_to(SCRIPTS).parts[0]
            if "tests" in file.parts:
                continue
            below = self.rooms[self.rooms.index(room) + 1:]
            for node in ast.walk(ast.parse(file.read_text())):
                names = [node.module or ""] if isinstance(
                    node, ast.ImportFrom) else [
                        name.name for name in node.names] if isinstance(
                            node, ast.Import) else []
                for name in names:
                    with self.subTest(file=file, name=name):
                        self.assertNotIn(name.split(".")[0], below)
                        self.assertNotEqual(name, "migrate")


if __name__ == "__main__":
    unittest.main()
