# SPDX-License-Identifier: GPL-2.0-only
"""Hold explain to what the headers and the fixtures have."""

import unittest

from check import explain
from check.explain import ExplainError
from read import campaigns


class ExplainTest(unittest.TestCase):

    def test_a_rule_is_explained_with_its_cases_and_a_rewrite(self) -> None:
        text = explain.explain("unmap-mapped-count", campaigns.load())
        for part in ("unmap-mapped-count: unmap with", "Left alone: ",
                     "Rewritten in patch mode", "Confidence: High",
                     "Found and rewritten:\n  exporter.before.c: ",
                     "Found and left to a person:\n", "\n  left-field.same.c: ",
                     "Look-alikes, on which the rule is silent:\n  kept",
                     "\n+\tdma_unmap_sg(at->dev, sgt->sgl, sgt->orig_nents"):
            self.assertIn(part, text)

    def test_every_rule_can_be_explained(self) -> None:
        chosen = campaigns.load("sg-counts")
        for path in campaigns.every_misuse():
            text = explain.explain(path.stem, chosen)
            self.assertTrue(text.startswith(f"{path.stem}: "))

    def test_an_unknown_rule_names_those_that_are_near(self) -> None:
        with self.assertRaisesRegex(ExplainError,
                                    "no such rule; .*unmap-mapped-count"):
            explain.explain("unmap-maped-count", campaigns.load())


if __name__ == "__main__":
    unittest.main()
