# SPDX-License-Identifier: GPL-2.0-only
"""rawtokens: the reader and clang agree about the tokens of generated C.

Needs clang; without it the cases are skipped by name.
"""

import os
import random
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import generate  # noqa: E402
import smalltree  # noqa: E402
from read import conditionals  # noqa: E402
from read.ctext import Text  # noqa: E402
from test import rawtokens  # noqa: E402

_PIECES = (
    b"int", b"x", b"L", b"u8", b"0x1p+3", b"1.e-2", b".5", b"'a'", b"'\\''",
    b'"a\\"b"', b"'", b'"', b"/*", b"*/", b"//", b"\\", b"\\\n", b"\\ \r\n",
    b"\n", b"\r\n", b" ", b"\t", b"\f", b"\0", b"$", b"\xe9", b"\xc3\xa9",
    b"\\u00e9", b"#", b"##", b"%:", b"%:%:", b"<:", b":>", b"<%", b"%>", b"<",
    b">", b"=", b"<<=", b">>=", b"->", b"-", b"+", b"...", b"..", b"&", b"|",
    b"^=", b"\n#if 0\n", b"\n#else\n", b"\n#endif\n", b"\n#define A(x) ",
    b"\n#include <a.h>", b"\n#include <", b'\n#include "b.h"',
    b"\n#error don't", b"@", b"`", b";", b"{", b"}", b"(", b")",
)


@unittest.skipUnless(rawtokens.CLANG, "clang is not installed")
class RawTokensTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls) -> None:
        conditionals.use(smalltree.census())

    def check(self, data: bytes) -> None:
        self.assertEqual(rawtokens.differences(data), [], data)

    def test_generated_drivers_have_the_tokens_of_clang(self) -> None:
        chance = random.Random(20190112)
        for number in range(20):
            made = generate.generate(chance, number)
            for text in (made.text, *made.files.values()):
                self.check(text.encode())

    def test_pieces_in_any_order_have_the_tokens_of_clang(self) -> None:
        chance = random.Random(20190113)
        for _ in range(int(os.environ.get("SGWALK_TEXTS", "40"))):
            self.check(b"".join(chance.choice(_PIECES) for _ in range(
                chance.randrange(150))))

    def test_a_difference_is_found(self) -> None:
        text = b"int a = 1 ;\n#define B\n"
        ours, hashes = rawtokens.own_tokens(Text(text))
        theirs, their_hashes = rawtokens.clang_tokens(text)
        self.assertEqual((ours, hashes), (theirs, their_hashes))
        self.assertEqual(hashes, {12})
        for changed in (b"int b = 12;\n#define B\n", b"int a = 1+;\n define B\n"):
            self.assertNotEqual(rawtokens.clang_tokens(changed),
                                (ours, hashes))


if __name__ == "__main__":
    unittest.main()
