# SPDX-License-Identifier: GPL-2.0-only
"""The fuzzing target builds, and gets past what it once found.

Needs clang; without it the case is skipped by name. A real run is
scripts/test/fuzz.py.
"""

import shutil
import tempfile
import unittest
from pathlib import Path

from test import fuzz


@unittest.skipUnless(shutil.which("clang"), "clang is not installed")
class FuzzTest(unittest.TestCase):

    def test_a_few_hundred_inputs_find_nothing(self) -> None:
        self.assertTrue(list(fuzz.FOUND.iterdir()))
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            done = fuzz.run(fuzz.build(folder), folder, 500, ("seed=13",))
            self.assertEqual(done.returncode, 0,
                             done.stderr[-3000:].decode("latin-1"))
            self.assertRegex(done.stderr.decode("latin-1"),
                             r"number_of_executed_units: [5-9]\d\d")


if __name__ == "__main__":
    unittest.main()
