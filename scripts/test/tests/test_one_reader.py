# SPDX-License-Identifier: GPL-2.0-only
"""Python lexes no C, but for what is listed here, which may only shrink."""

import collections
import re
import unittest
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2]
# In an expression: a comment, a splice, the # of a directive.
_LEXES = re.compile(r"""/\\\*\.\*|//\[\^|\(\?:\\?\#\|%:\)|#\[ \\t\]\*define"""
                    r"""|\\\\\[ \\t""")
# Module -> lines that still do.
LEFT = {
    "check/suppress.py": 1,
    "judge/counts.py": 1,
    "judge/edits.py": 1,
    "judge/judge.py": 1,
    "judge/plan.py": 2,
    "judge/reach.py": 7,
    "judge/units.py": 1,
    "prove/objects.py": 1,
    "prove/reached.py": 1,
    "read/campaigns.py": 1,
    "read/core.py": 1,
    "run/rules.py": 1,
    "run/smpl.py": 2,
}


class OneReaderTest(unittest.TestCase):

    def test_no_other_module_reads_c(self) -> None:
        found = collections.Counter(
            str(path.relative_to(SCRIPTS))
            for path in SCRIPTS.glob("*/**/*.py") if "tests" not in path.parts
            and path.name != "rawtokens.py"      # it is the second opinion
            for line in path.read_text().splitlines() if _LEXES.search(line))
        self.assertEqual(found - collections.Counter(LEFT), {})

    def test_the_search_finds_a_lexer(self) -> None:
        for line in (r'rb"/\*.*?\*/"', r'rb"//[^\n]*"', r'rb"(?:#|%:)\s*if"',
                     r'rb"(?:\#|%:)"', r'rb"\\[ \t]*\n"'):
            self.assertRegex(line, _LEXES)


if __name__ == "__main__":
    unittest.main()
