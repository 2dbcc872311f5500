# SPDX-License-Identifier: GPL-2.0-only
"""Hold maintainers.py to who owns what, with the embedded tree's script."""

from __future__ import annotations

import shutil
import tempfile
import unittest
from pathlib import Path

from write import maintainers
from write.maintainers import MaintainersError, Owner

TREE = Path(__file__).resolve().parents[3] / "fixtures/sg-dma-page/tree"
OPAL = "drivers/media/platform/opal/opal_lut.c"
QUARTZ = "drivers/media/pci/quartz/quartz_buf.c"
ONYX = "drivers/gpu/drm/onyx/onyx_gart.c"
ONYX_H = "drivers/gpu/drm/onyx/onyx_drv.h"
BASALT = "drivers/misc/basalt.c"
JASPER = "drivers/dma/jasper/jasper_desc.c"


def owner(subsystem: str) -> Owner:
    return Owner(subsystem, (f"{subsystem} <a@b.example>",), (),
                 ("l@b.example",))


class OwnersTest(unittest.TestCase):

    def ask(self, *files: str) -> dict[str, Owner]:
        return maintainers.owners(TREE, files, 2)

    def test_nearest_section_owns_the_file(self) -> None:
        found = self.ask(QUARTZ)[QUARTZ]
        self.assertEqual(found.subsystem, "QUARTZ CAPTURE DRIVER")
        self.assertIn("Clara Voss <clara@media.example>", found.people)
        self.assertEqual(found.lists, ("kernel@lists.example.org",
                                       "media@lists.example.org"))

    def test_excluded_file_is_not_the_sections(self) -> None:
        found = self.ask(OPAL)[OPAL]
        self.assertEqual(found.subsystem, "OPAL SOC SUPPORT")
        self.assertNotIn("Clara Voss <clara@media.example>", found.people)

    def test_reviewer_is_copied_and_takes_nothing(self) -> None:
        found = self.ask(JASPER)[JASPER]
        self.assertEqual(found.copied, ("Lars Holm <lars@jasper.example>",))
        self.assertNotIn(found.copied[0], found.people)

    def test_file_in_no_section_has_no_subsystem_but_the_list(self) -> None:
        found = self.ask(BASALT)[BASALT]
        self.assertEqual((found.subsystem, found.people), ("", ()))
        self.assertEqual(found.lists, ("kernel@lists.example.org",))

    def test_odd_file_name_never_reaches_the_script(self) -> None:
        found = self.ask("drivers/misc/$(touch x).c")
        self.assertEqual(list(found.values()), [Owner("", (), (), ())])

    def test_answer_is_the_same_with_one_job_and_with_eight(self) -> None:
        files = [OPAL, QUARTZ, ONYX, BASALT, JASPER]
        self.assertEqual(maintainers.owners(TREE, files, 1),
                         maintainers.owners(TREE, files, 8))


class BrokenScriptTest(unittest.TestCase):

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = Path(scratch.name)
        (self.root / "scripts").mkdir()
        self.script = self.root / "scripts/get_maintainer.pl"

    def test_absent_script_is_one_sentence(self) -> None:
        with self.assertRaisesRegex(MaintainersError,
                                    "no scripts/get_maintainer.pl"):
            maintainers.owners(self.root, [OPAL], 1)

    def test_failing_script_is_named_with_its_own_words(self) -> None:
        self.script.write_text('die "no such luck\\n";\n')
        with self.assertRaisesRegex(MaintainersError,
                                    f"^{OPAL}: .*no such luck$"):
            maintainers.owners(self.root, [OPAL], 1)

    def test_users_own_configuration_has_no_say(self) -> None:
        shutil.copy(TREE / "scripts/get_maintainer.pl", self.script)
        self.script.write_text('print "$ENV{HOME}\\n";\n')
        found = maintainers.owners(self.root, [OPAL], 1)[OPAL]
        self.assertTrue(found.subsystem.startswith(tempfile.gettempdir()))


class GroupTest(unittest.TestCase):

    def test_files_of_one_section_are_one_group(self) -> None:
        groups = maintainers.group(
            {"drivers/a/x.c": owner("A"), "drivers/a/y.c": owner("A"),
             "drivers/b/z.c": owner("B")}, [])
        self.assertEqual([one.files for one in groups],
                         [("drivers/a/x.c", "drivers/a/y.c"),
                          ("drivers/b/z.c",)])

    def test_unit_is_not_torn_apart_by_two_sections(self) -> None:
        groups = maintainers.group(
            {ONYX: owner("GPU"), ONYX_H: owner("HEADERS")},
            [(ONYX_H, ONYX)])
        self.assertEqual([(one.name, one.files) for one in groups],
                         [("GPU", (ONYX_H, ONYX))])

    def test_overlapping_units_are_one(self) -> None:
        files = {name: owner(name) for name in ("a.c", "b.c", "c.h", "d.c")}
        groups = maintainers.group(files, [("a.c", "c.h"), ("c.h", "b.c")])
        self.assertEqual([one.files for one in groups],
                         [("a.c", "b.c", "c.h"), ("d.c",)])

    def test_file_in_no_section_is_grouped_by_folder_with_a_note(self
                                                                 ) -> None:
        groups = maintainers.group({BASALT: Owner("", (), (), ())}, [])
        self.assertEqual(groups[0].name, "drivers/misc")
        self.assertIn("no section", groups[0].note)

    def test_person_who_maintains_is_not_copied_as_well(self) -> None:
        both = maintainers.merge([Owner("", ("A <a@b>",), (), ()),
                                  Owner("", (), ("A <a@b>",), ("l@b",))])
        self.assertEqual(both, Owner("", ("A <a@b>",), (), ("l@b",)))

    def test_top_folder_is_two_deep_where_one_says_nothing(self) -> None:
        for file, top in (("drivers/gpu/drm/a.c", "drivers/gpu"),
                          ("net/core/a.c", "net"), ("a.c", ""),
                          ("include/linux/a.h", "include/linux")):
            with self.subTest(file):
                self.assertEqual(maintainers.top_folder(file), top)


if __name__ == "__main__":
    unittest.main()
