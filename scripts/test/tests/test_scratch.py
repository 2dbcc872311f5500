# SPDX-License-Identifier: GPL-2.0-only
"""scratch.folder(): gone when the run is, however it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

SCRIPTS = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SCRIPTS))

from host import scratch  # noqa: E402
from host.scratch import ScratchError  # noqa: E402

# What holds each kind of folder that a run makes, and says where it is.
HOLDERS = {
    "a run's": "held = scratch.folder()",
    "of series": "held = repo.private(repo.Base(place, '', '', '', place, "
                 "'sha1'), place / 'out')",
    "of spatch": "held = spatch._workspace()",
}
CODE = """
import os, sys, time
from pathlib import Path
from host import repo, scratch
from run import spatch
place = Path(sys.argv[1])
{holder}
with held:
    print(flush=True)
    time.sleep(600)
"""


class ScratchTest(unittest.TestCase):
    def setUp(self) -> None:
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        self.place = Path(made.name) / "a place"
        self.place.mkdir()

    def test_it_is_gone_after_use_and_after_an_error(self) -> None:
        with self.assertRaises(KeyError):
            with scratch.folder("-x ", self.place) as folder:
                self.assertEqual(self.place, folder.parent)
                self.assertTrue(folder.name.startswith("-x "))
                (folder / "file").write_text("x")
                raise KeyError
        self.assertEqual([], list(self.place.iterdir()))

    def test_what_was_moved_away_stays(self) -> None:
        with scratch.folder("x", self.place) as folder:
            folder.rename(self.place / "kept")
        self.assertTrue((self.place / "kept").is_dir())

    def test_a_link_in_it_is_not_followed(self) -> None:
        (self.place / "other").mkdir()
        (self.place / "other/file").write_text("x")
        with scratch.folder("x", self.place) as folder:
            (folder / "link").symlink_to(self.place / "other")
        self.assertTrue((self.place / "other/file").exists())

    def test_no_place_is_an_error(self) -> None:
        with mock.patch.dict(os.environ, {"TMPDIR": "/no/such/folder"}):
            with self.assertRaisesRegex(ScratchError, "^no temporary folder"):
                with scratch.folder():
                    pass

    def test_it_is_gone_when_the_run_was_killed(self) -> None:
        for what, holder in HOLDERS.items():
            with self.subTest(what):
                run = subprocess.Popen(
                    [sys.executable, "-c", CODE.format(holder=holder),
                     str(self.place)], stdout=subprocess.PIPE,
                    start_new_session=True,
                    env={**os.environ, "PYTHONPATH": str(SCRIPTS),
                         "TMPDIR": str(self.place)})
                assert run.stdout
                with run.stdout:
                    run.stdout.readline()
                    self.assertTrue(self.folders())
                    os.killpg(run.pid, signal.SIGKILL)
                run.wait()
                end = time.monotonic() + 60
                while self.folders() and time.monotonic() < end:
                    time.sleep(0.05)
                self.assertEqual([], self.folders())

    def folders(self) -> list[Path]:
        return [path for place in (self.place, self.place / "out")
                if place.is_dir() for path in place.iterdir()
                if path.name != "out"]


if __name__ == "__main__":
    unittest.main()
