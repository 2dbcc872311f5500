# SPDX-License-Identifier: GPL-2.0-only
"""The page in Chromium: filter, sort, narrow, print, no request, 10,000 sites.

A harness opens the page in frames of several widths and addresses, and leaves
what it sees as JSON in its own document, which --dump-dom prints. Where no
Chromium is installed this is skipped; contrast needs none.
"""

from __future__ import annotations

import html
import itertools
import json
import math
import re
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any

from show import page, runs
from test.slow import slow
from test_page import (CHANGE, CHECK, DIFF, FINDING, HEAD, LEDGER, findings,
                       line)

BROWSER = (shutil.which("chromium") or shutil.which("chromium-browser")
           or shutil.which("google-chrome") or "")
SITES = 10_000
FRAMES = {
    "all": (1280, ""), "narrow": (360, ""), "manual": (1280, "#verdict=manual"),
    "rule": (1280, "#rule=walk"), "folder": (1280, "#subsystem=drivers/net"),
    "text": (1280, "#text=drivers/net/a.c:4"),
    "unknown": (1280, "#text=nowhere.c:4"), "api": (1280, "#verdict=api"),
    "place": (1280, "#sort=-place"), "folders": (1280, "#folders=-2"),
    "check": (360, "#verdict=check"), "print": (1280, ""),
    "click": (1280, ""), "typed": (1280, ""),
}
HARNESS = """<!DOCTYPE html><title>harness</title>
<body><script>
const frames = FRAMES, seen = {};
const wait = ms => new Promise(done => setTimeout(done, ms));
function look(view) {
	const doc = view.document;
	const names = [...doc.querySelectorAll("button, select, input, a")]
		.filter(one => !(one.textContent.trim() && one.tagName !== "SELECT")
			&& !(one.labels && one.labels.length)
			&& !one.getAttribute("aria-label"))
		.map(one => one.outerHTML);
	const ids = [...doc.querySelectorAll("[id]")].map(one => one.id);
	return {
		count: doc.getElementById("count").textContent,
		live: doc.getElementById("count").getAttribute("aria-live"),
		rows: doc.getElementById("rows").tBodies.length,
		places: [...doc.querySelectorAll(".rows > tbody > tr > th a")].map(
			one => one.textContent),
		folders: [...doc.querySelectorAll("#folders tbody th")].map(
			one => one.textContent),
		sorted: [...doc.querySelectorAll("th[aria-sort]")].map(
			one => one.getAttribute("aria-sort")),
		wide: doc.documentElement.scrollWidth - view.innerWidth,
		unnamed: names, twice: ids.filter((id, at) => ids.indexOf(id) !== at),
		scopes: [...doc.querySelectorAll("th:not([scope])")].length,
		captions: [...doc.querySelectorAll("table")].filter(one =>
			!one.caption && !one.hasAttribute("aria-labelledby")).length,
		requests: view.performance.getEntriesByType("resource").map(
			one => one.name),
		media: [...doc.styleSheets[0].cssRules].filter(one => one.media).map(
			one => one.media.mediaText),
		focus: [...doc.styleSheets[0].cssRules].some(one =>
			one.selectorText === ":focus-visible"),
		hash: view.location.hash,
		sides: [...doc.querySelectorAll(".diff .old")].map(
			one => one.textContent),
	};
}
(async () => {
	for (const [name, [width, hash]] of Object.entries(frames)) {
		const frame = document.createElement("iframe");
		frame.width = width;
		frame.height = 900;
		document.body.append(frame);
		await new Promise(done => {
			frame.onload = done;
			frame.src = "report.html" + hash;
		});
		await wait(50);
		const view = frame.contentWindow, doc = view.document;
		if (name === "print")
			view.dispatchEvent(new Event("beforeprint"));
		if (name === "click")
			doc.querySelector("[data-sort=place]").click();
		if (name === "typed") {
			const box = doc.getElementById("text");
			box.value = "handed on";
			box.dispatchEvent(new Event("input", { bubbles: true }));
			await wait(500);
		}
		seen[name] = look(view);
		frame.remove();
	}
	const out = document.createElement("pre");
	out.id = "seen";
	out.textContent = JSON.stringify(seen);
	document.body.append(out);
})();
</script>"""


def write(out: Path, ledger: bytes, diff: bytes) -> None:
    """Write a page, and the harness beside it."""
    for name, run, files in (
            (runs.CHANGE, CHANGE, {"ledger.tsv": ledger, "edits.patch": diff}),
            (runs.CHECK, CHECK, {"findings.json": findings(FINDING)})):
        for each, data in files.items():
            (out / each).write_bytes(data)
        (out / name).write_bytes(runs.about(run, files))
    (out / page.NAME).write_bytes(page.write(out)[0])


def opened(out: Path, frames: object) -> tuple[dict[str, Any], str, float]:
    """Open the page in frames; return what the harness saw, and stderr."""
    (out / "harness.html").write_text(
        HARNESS.replace("FRAMES", json.dumps(frames), 1))
    start = time.monotonic()
    done = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu",
         "--allow-file-access-from-files", "--enable-logging=stderr",
         f"--user-data-dir={out}/profile", "--window-size=1400,1000",
         "--virtual-time-budget=60000", "--dump-dom",
         (out / "harness.html").as_uri()],
        capture_output=True, check=True, timeout=300)
    found = re.search(rb'<pre id="seen">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found is not None, done.stdout[-2000:]
    return (json.loads(html.unescape(found[1].decode())),
            done.stderr.decode(errors="replace"), time.monotonic() - start)


class ContrastTest(unittest.TestCase):
    """Contrast of WCAG 2.1 AA: 4.5 for text, in each scheme."""

    def test_text_stands_out_in_light_dark_and_print(self) -> None:
        css = (Path(page.__file__).parent / "report.css").read_text()
        schemes = [dict(re.findall(r"--([\w-]+): (#\w{6});", block))
                   for block in re.findall(r":root \{(.*?)\}", css, re.DOTALL)]
        self.assertEqual(len(schemes), 3)
        words = ("fg", "muted", "link", "converted", "kept", "manual",
                 "unread", "high", "moderate", "low", "api", "check")
        pairs = [*itertools.product(words, ("bg", "panel", "alarm")),
                 *itertools.product(("fg", "muted"), ("old", "new")),
                 ("fg", "old-mark"), ("fg", "new-mark")]
        for colors, (front, back) in itertools.product(schemes, pairs):
            one, two = sorted((_light(colors[front]), _light(colors[back])))
            with self.subTest(front=front, back=back, bg=colors["bg"]):
                self.assertGreaterEqual((two + .05) / (one + .05), 4.5)


def _light(color: str) -> float:
    parts = [int(color[at:at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= .04045 else math.pow(
        (part + .055) / 1.055, 2.4) for part in parts)
    return .2126 * red + .7152 * green + .0722 * blue


@unittest.skipUnless(BROWSER, "chromium is not installed")
@slow
class BrowserTest(unittest.TestCase):

    seen: dict[str, Any]
    log: str

    @classmethod
    def setUpClass(cls) -> None:
        try:
            import jinja2
        except ImportError:
            raise unittest.SkipTest("jinja2 is missing") from None
        del jinja2
        scratch = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        cls.addClassCleanup(scratch.cleanup)
        out = Path(scratch.name)
        wide = "x" * 200
        write(out, LEDGER + line(
            f"net/{wide}.c", "1", "1", wide, wide, "kept", "",
            f"page-walk: {wide}"), DIFF)
        cls.seen, cls.log, _ = opened(out, FRAMES)

    def test_address_sets_the_filter(self) -> None:
        for name, count, first in (
                ("manual", "1 of 6 rows", "drivers/net/b.c:9"),
                ("rule", "1 of 6 rows", "drivers/net/a.c:4"),
                ("folder", "2 of 6 rows", "drivers/net/b.c:9"),
                ("text", "1 of 6 rows", "drivers/net/a.c:4"),
                ("check", "1 of 6 rows", "drivers/net/a.c:4"),
                ("all", "6 rows", "lib/x.c:7")):
            with self.subTest(name):
                self.assertEqual(self.seen[name]["count"], count)
                self.assertEqual(self.seen[name]["places"][0], first)
        self.assertEqual(self.seen["unknown"]["places"], [])
        self.assertEqual(self.seen["api"]["places"],
                         ["include/linux/scatterlist.h:1"])

    def test_what_is_typed_goes_to_the_address(self) -> None:
        self.assertEqual(self.seen["typed"]["hash"], "#text=handed+on")
        self.assertEqual(self.seen["typed"]["places"], ["drivers/net/b.c:9"])

    def test_rows_and_subsystems_sort(self) -> None:
        places = self.seen["place"]["places"]
        self.assertEqual(places, sorted(places, reverse=True))
        self.assertEqual(self.seen["click"]["hash"], "#sort=place")
        self.assertEqual(self.seen["click"]["places"],
                         sorted(self.seen["click"]["places"]))
        self.assertIn("ascending", self.seen["click"]["sorted"][-2:])
        self.assertEqual(self.seen["folders"]["folders"][0], "drivers/net")
        self.assertIn("descending", self.seen["folders"]["sorted"])

    def test_narrow_screen_does_not_scroll_sideways(self) -> None:
        for name, seen in self.seen.items():
            with self.subTest(name):
                self.assertLessEqual(seen["wide"], 0)

    def test_edit_has_its_sides(self) -> None:
        self.assertIn("-old one", self.seen["check"]["sides"])

    def test_every_control_and_header_has_a_name(self) -> None:
        for name, seen in self.seen.items():
            with self.subTest(name):
                self.assertEqual((seen["unnamed"], seen["twice"],
                                  seen["scopes"], seen["captions"]),
                                 ([], [], 0, 0))
                self.assertEqual((seen["live"], seen["focus"]),
                                 ("polite", True))

    def test_dark_and_print_have_styles(self) -> None:
        self.assertLessEqual({"print", "(prefers-color-scheme: dark)"},
                             set(self.seen["all"]["media"]))

    def test_no_request_and_no_word_on_the_console(self) -> None:
        for seen in self.seen.values():
            self.assertEqual(seen["requests"], [])
        self.assertNotIn("CONSOLE", self.log)

    def test_ten_thousand_sites(self) -> None:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
            out = Path(name)
            write(out, HEAD + b"".join(
                line(f"drivers/d{at % 90}/f{at:05}.c", str(at + 1), "2", "f",
                     "struct sg_page_iter", "manual" if at % 50 else "kept",
                     "", "escapes: it is handed on; convert it")
                for at in range(SITES)), b"")
            seen, _, spent = opened(out, {
                "all": (1280, ""), "text": (360, "#text=f09999.c"),
                "print": (1280, "")})
        self.assertEqual(seen["all"]["count"], f"{SITES + 1} rows")
        self.assertLessEqual(seen["all"]["rows"], 200)
        self.assertEqual(seen["text"]["places"], [f"drivers/d9/f09999.c:{SITES}"])
        # Paper has no scrolling, so it has every row.
        self.assertEqual(seen["print"]["rows"], SITES + 1)
        self.assertLess(spent, 90)


if __name__ == "__main__":
    unittest.main()
