# SPDX-License-Identifier: GPL-2.0-only
"""Hold kconfig.py to the options that a file needs."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

from prove import kconfig

FILES = {
    "Kconfig": 'source "arch/$(SRCARCH)/Kconfig"\n'
               'source "drivers/Kconfig"\n',
    "arch/x86/Kconfig": "config X86\n\tdef_bool y\n",
    "drivers/Kconfig": """\
menu "Drivers"
	depends on IO

config CAMERA
	bool "Cameras"

if CAMERA
config CARD
	tristate "A card"
	depends on PCI && (X86 || ARM) && !UML
	depends on CLOCK || \\
		TIMER
config POOL
	tristate
endif
endmenu

config USER
	tristate "Selects what has no prompt"
	select POOL
""",
    "drivers/Makefile": "obj-y += quiet/\nobj-$(CONFIG_CAMERA) += camera/\n",
    "drivers/camera/Makefile": """\
obj-$(CONFIG_CARD) := card.o
card-y := card_main.o \\
	  sub/card_dma.o
card-$(CONFIG_CARD_TRACE) += card_trace.o
obj-$(CONFIG_POOL) += pool.o
""",
    "drivers/quiet/Makefile": "obj-y := quiet.o\n",
}


class OptionsTest(unittest.TestCase):

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = Path(scratch.name)
        for name, text in FILES.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def options(self, file: str, have: set[str]) -> list[str]:
        return kconfig.options(self.root, "x86", [file], have)

    def test_folder_object_and_needs_are_all_asked_for(self) -> None:
        self.assertEqual(
            self.options("drivers/camera/card_main.c", {"X86", "TIMER"}),
            ["CAMERA", "CARD", "IO", "PCI"])

    def test_alternative_that_is_on_spares_the_other(self) -> None:
        found = self.options("drivers/camera/card_main.c", {"ARM"})
        self.assertNotIn("X86", found)
        self.assertEqual({"CLOCK", "TIMER"} - set(found), set())

    def test_option_of_one_part_is_added_to_that_of_the_whole(self) -> None:
        found = self.options("drivers/camera/card_trace.c", {"X86"})
        self.assertIn("CARD_TRACE", found)
        self.assertIn("CARD", found)

    def test_option_without_a_prompt_brings_one_that_selects_it(self
                                                                ) -> None:
        self.assertIn("USER", self.options("drivers/camera/pool.c", set()))

    def test_file_that_is_always_built_needs_nothing(self) -> None:
        self.assertEqual(self.options("drivers/quiet/quiet.c", set()), [])

    def test_negated_condition_is_not_asked_for(self) -> None:
        self.assertNotIn("UML", self.options("drivers/camera/card_main.c",
                                             set()))


if __name__ == "__main__":
    unittest.main()
