# SPDX-License-Identifier: GPL-2.0-only
"""Load campaigns: the one that is here, and folders with one fault each."""

from __future__ import annotations

import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))

from read import campaigns  # noqa: E402
from read.campaign import Callers, Campaign, Kind, Unit  # noqa: E402
from read.campaigns import CampaignError  # noqa: E402

TABLE = """\
# A comment, and an empty line.

title\tTICK COUNTER
summary\tmove a tree to struct tock
unit\ttype
old\ttick\ttick\t4.0
new\ttock\ttock\t-
api\tinclude/linux/tick.h
state\tbefore\told\tinclude/linux/tick.h\tstruct\\s+tick
state\tafter\tnew\tinclude/linux/tick.h\tstruct\\s+tock
patch\tbefore\tafter\t0001-tock.patch
"""
NAMES = """\
struct tick\ttype\t-\ttick\tstruct tock
struct tock\ttype\t-\ttock\t-
tick_each\tloop\t2\ttick\ttock_each
tock_each\tloop\t2\ttock\t-
.beat\tfield\tdeclared\ttick\t-
have_tock\tguard\t5.8\ttock\t-
"""
RULE = """\
// SPDX-License-Identifier: GPL-2.0-only
// Tokens: tick_each
//   .beat
@@ struct tick *t; @@
- tick_each(a, t)
+ tock_each(a, t)
@@ struct tock *t; @@
- t->beat
"""


class Folder(unittest.TestCase):
    """A campaign in a folder of its own, without a fault."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name) / "tock"
        for name, text in (("campaign.tsv", TABLE), ("names.tsv", NAMES),
                           ("migrate/walk.cocci", RULE),
                           ("kernel-patch/0001-tock.patch", "")):
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def change(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text()
        self.assertEqual(text.count(old), 1, old)
        self.write(name, text.replace(old, new))

    def load(self) -> Campaign:
        return campaigns.load(str(self.folder))

    def refused(self, *words: str) -> None:
        """The campaign is refused in one line, which has these words."""
        with self.assertRaises(CampaignError) as caught:
            self.load()
        said = str(caught.exception)
        self.assertNotIn("\n", said)
        for word in words:
            self.assertIn(word, said)


class GoodTest(Folder):

    def test_a_folder_anywhere_is_a_campaign(self) -> None:
        found = self.load()
        self.assertEqual(found.name, "tock")
        self.assertEqual(found.unit, Unit.TYPE)
        self.assertEqual([state.callers for state in found.states],
                         [Callers.OLD, Callers.NEW])
        self.assertEqual([step.path for step in found.chain], [
            self.folder.resolve() / "kernel-patch/0001-tock.patch"])
        self.assertEqual(found.tree, self.folder.resolve() / "fixtures/tree")
        self.assertEqual(found.tokens, {"tick", "tock", "tick_each",
                                        "tock_each", ".beat"})
        self.assertEqual(found.words(Kind.LOOP), ("tick_each", "tock_each"))

    def test_a_row_is_read_by_its_kind(self) -> None:
        rows = {name.name: name for name in self.load().names}
        self.assertEqual(rows["tick_each"].argument, 2)
        self.assertEqual(rows["struct tick"].becomes, "struct tock")
        self.assertTrue(rows[".beat"].declared)
        self.assertEqual(rows["have_tock"].since, 0x50800)

    def test_findings_alone_need_no_table_of_names_and_no_patch(self) -> None:
        for name in ("names.tsv", "migrate/walk.cocci",
                     "kernel-patch/0001-tock.patch"):
            (self.folder / name).unlink()
        self.write("campaign.tsv",
                   "title\tCOUNTS\nsummary\tfind counts\nunit\tcall\n")
        self.write("misuse/count.cocci", RULE)
        found = self.load()
        self.assertEqual((found.names, found.states, found.chain),
                         ((), (), ()))

    def test_the_campaigns_that_are_here_load(self) -> None:
        self.assertIn(campaigns.DEFAULT, campaigns.shipped())
        for name in campaigns.shipped():
            self.assertEqual(campaigns.load(name).name, name)
        self.assertEqual(campaigns.load().name, campaigns.DEFAULT)


class FaultTest(Folder):

    def test_an_unknown_name_lists_the_known_ones(self) -> None:
        with self.assertRaisesRegex(CampaignError, campaigns.DEFAULT):
            campaigns.load("no-such-campaign")

    def test_a_folder_without_a_table_is_none(self) -> None:
        (self.folder / "campaign.tsv").unlink()
        self.refused("the folder has no campaign.tsv")

    def test_an_unknown_key(self) -> None:
        self.write("campaign.tsv", TABLE + "titel\tX\n")
        self.refused("campaign.tsv:12: unknown key: titel; there are: title")

    def test_a_second_title(self) -> None:
        self.write("campaign.tsv", TABLE + "title\tX\n")
        self.refused("a second title")

    def test_no_summary(self) -> None:
        self.change("campaign.tsv", "summary\tmove a tree to struct tock\n",
                    "")
        self.refused("campaign.tsv: no summary")

    def test_a_row_with_a_cell_too_few(self) -> None:
        self.change("campaign.tsv", "\t-\napi", "\napi")
        self.refused("campaign.tsv:7: new takes word term since", "has 2")

    def test_an_unknown_kind_of_unit(self) -> None:
        self.change("campaign.tsv", "unit\ttype", "unit\tloop")
        self.refused("unit is loop, not one of type, call, mapping")

    def test_a_pattern_that_is_none(self) -> None:
        self.change("campaign.tsv", "struct\\s+tock\n", "struct(\n")
        self.refused("campaign.tsv: struct(: ")

    def test_a_file_outside_of_the_tree(self) -> None:
        self.change("campaign.tsv", "old\tinclude/", "old\t../include/")
        self.refused("../include/linux/tick.h: not a path below the tree")

    def test_a_state_that_no_patch_reaches(self) -> None:
        self.write("campaign.tsv", TABLE + "state\tlater\tnew\tf.h\tx\n")
        self.refused("campaign.tsv: no patch leads to state later")

    def test_a_patch_from_nowhere(self) -> None:
        self.change("campaign.tsv", "patch\tbefore", "patch\tnever")
        self.refused("0001-tock.patch", "no state never")

    def test_a_fix_for_an_unknown_state(self) -> None:
        self.write("campaign.tsv", TABLE
                   + "fix\tlater\t0001-tock.patch\tf.h\tx\n")
        self.refused("a fix is for state later, which no row declares")

    def test_a_refusal_for_an_unknown_state(self) -> None:
        self.write("campaign.tsv", TABLE
                   + "refuse\tbefore,later\thas\tf.h\tx\tis odd\n")
        self.refused("a refuse is for state later, which no row declares")

    def test_a_need_of_a_name_that_is_not_counted(self) -> None:
        self.write("campaign.tsv", TABLE + "needs\thave_tock\tany\n")
        self.refused("needs have_tock, which is no counted name")

    def test_a_patch_that_is_not_there(self) -> None:
        (self.folder / "kernel-patch/0001-tock.patch").unlink()
        self.refused("0001-tock.patch: no such patch")

    def test_a_name_that_no_rule_uses(self) -> None:
        self.write("names.tsv", NAMES + "tick_stop\tnext\t1\ttick\t-\n")
        self.refused("names.tsv: no rule uses tick_stop")

    def test_a_name_that_only_a_comment_of_a_rule_has(self) -> None:
        self.write("names.tsv", NAMES + "tick_stop\tnext\t1\ttick\t-\n")
        self.write("migrate/walk.cocci", RULE + "// tick_stop\n")
        self.refused("names.tsv: no rule uses tick_stop")

    def test_a_rule_that_waits_for_a_name_without_a_row(self) -> None:
        self.change("migrate/walk.cocci", "//   .beat", "//   .beet")
        self.refused("walk.cocci: Tokens has .beet")

    def test_a_twin_without_a_row(self) -> None:
        self.change("names.tsv", "\tstruct tock\n", "\tstruct tack\n")
        self.refused("struct tick becomes struct tack, which has no row")

    def test_an_unknown_kind_of_name(self) -> None:
        self.change("names.tsv", "loop\t2\ttick", "loops\t2\ttick")
        self.refused("names.tsv:3: kind is loops, not one of type, loop")

    def test_a_loop_without_its_argument(self) -> None:
        self.change("names.tsv", "loop\t2\ttick", "loop\t-\ttick")
        self.refused("names.tsv:3: object - does not fit a loop")

    def test_an_unknown_side(self) -> None:
        self.change("names.tsv", "declared\ttick", "declared\ttack")
        self.refused("names.tsv:5: side tack")

    def test_a_field_without_its_dot(self) -> None:
        self.change("names.tsv", ".beat\t", "beat\t")
        self.refused("names.tsv:5: beat: a field is written `.NAME`")

    def test_a_second_row_of_a_name(self) -> None:
        self.write("names.tsv", NAMES + "struct tick\ttype\t-\ttick\t-\n")
        self.refused("names.tsv:7: a second struct tick")

    def test_a_blank_beside_a_tab(self) -> None:
        self.change("names.tsv", "tick_each\tloop", "tick_each \tloop")
        self.refused("names.tsv:3: an empty cell, or a blank beside a TAB")

    def test_a_campaign_without_a_rule(self) -> None:
        (self.folder / "migrate/walk.cocci").unlink()
        self.write("names.tsv", "")
        self.refused("no rule (*.cocci) in migrate or misuse")


if __name__ == "__main__":
    unittest.main()
