# SPDX-License-Identifier: GPL-2.0-only
"""Hold every format to what its readers take."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path
from typing import Any

from check import report as formats
import schema
from check.findings import About, Finding, Fix, Note, Report
from check.report import sarif

HERE = Path(__file__).resolve().parent
OWN = HERE.parents[1] / "check/report/findings.schema.json"
SUBSET = HERE / "sarif-subset.schema.json"

ODD = Finding("drivers/a b%:,\udcff\n.c", 3, 2, "unmap-mapped-count",
              "50% of it: a, b\nand c", "misuse", "high", "x = 1;")
LOST = Finding("drivers/lost.c", 7, 1, "unread",
               "unread: lines 7-9: spatch cannot parse it", "unread",
               "moderate", "void f()", 9)
LOW = Finding("drivers/low.c", 1, 1, "dma-address-flags", "low bits",
              "misuse", "low", "a | b")
RULES = (About("unmap-mapped-count", "unmap with the count", "Why.\n\nHow.",
               "high", ("N1",)),
         About("dma-address-flags", "round it", "Why.", "low", ("M11",)))


def made(*findings: Finding, **rest: Any) -> Report:
    ordered = tuple(sorted(findings))
    return Report("6.1", ordered, RULES, rest.pop("fixes", {}),
                  rest.pop("skipped", ()), 3, 1, "sites 1: 1 kept",
                  tuple(found for found in ordered
                        if found.kind == "unread"), **rest)


FULL = made(ODD, LOST, LOW, fixes={ODD: Fix(ODD.file, 3, 3, "x = 2;\n")},
            skipped=(("badrule", "it holds scripts"),))
EMPTY = made()


def held(report: Report, form: str) -> Any:
    return json.loads(formats.render(report, form))


class Own(unittest.TestCase):
    def test_json_fits_its_schema(self) -> None:
        wanted = json.loads(OWN.read_text())
        for report in (FULL, EMPTY):
            self.assertEqual([], schema.complaints(held(report, "json"),
                                                   wanted))

    def test_json_with_a_key_too_many_does_not_fit(self) -> None:
        value = held(FULL, "json")
        value["findings"][0]["colour"] = "red"
        self.assertTrue(schema.complaints(value, json.loads(OWN.read_text())))

    def test_every_render_gives_the_same_bytes(self) -> None:
        for form in formats.FORMATS:
            self.assertEqual(formats.render(FULL, form),
                             formats.render(FULL, form))

    def test_an_unknown_keyword_in_a_schema_is_an_error(self) -> None:
        with self.assertRaises(ValueError):
            schema.complaints({}, {"propertes": {}})


class Sarif(unittest.TestCase):
    def test_sarif_fits_the_part_of_the_standard_it_uses(self) -> None:
        wanted = json.loads(SUBSET.read_text())
        for report in (FULL, EMPTY):
            self.assertEqual([], schema.complaints(held(report, "sarif"),
                                                   wanted))

    def test_what_was_not_read_is_a_notification_and_a_result(self) -> None:
        run = held(FULL, "sarif")["runs"][0]
        notes = run["invocations"][0]["toolExecutionNotifications"]
        lost = [note for note in notes if note["descriptor"]["id"] == "unread"]
        self.assertEqual(["drivers/lost.c"],
                         [note["locations"][0]["physicalLocation"]
                          ["artifactLocation"]["uri"] for note in lost])
        self.assertIn("unread", {one["ruleId"] for one in run["results"]})

    def test_a_rule_that_was_not_run_is_a_notification(self) -> None:
        notes = held(FULL, "sarif")["runs"][0]["invocations"][0][
            "toolExecutionNotifications"]
        self.assertIn("badrule: it holds scripts",
                      {note["message"]["text"] for note in notes})

    def test_each_result_names_its_rule_by_number_too(self) -> None:
        run = held(FULL, "sarif")["runs"][0]
        rules = run["tool"]["driver"]["rules"]
        for result in run["results"]:
            self.assertEqual(result["ruleId"],
                             rules[result["ruleIndex"]]["id"])

    def test_no_two_fingerprints_are_the_same(self) -> None:
        twins = [Finding("a.c", line, 1, "r", "m", "misuse", "high", "same")
                 for line in range(1, 6)]
        prints = [result["partialFingerprints"]["sgwalk/v1"] for result
                  in held(made(*twins), "sarif")["runs"][0]["results"]]
        self.assertEqual(5, len(set(prints)))

    def test_a_fingerprint_outlives_a_moved_line(self) -> None:
        def fingerprint(line: int) -> str:
            one = Finding("a.c", line, 1, "r", "m", "misuse", "high", "text")
            found = held(made(one), "sarif")["runs"][0]["results"][0]
            return str(found["partialFingerprints"]["sgwalk/v1"])

        self.assertEqual(fingerprint(3), fingerprint(300))

    def test_too_many_results_are_cut_at_the_low_end_and_counted(self) -> None:
        many = [Finding(f"a{number}.c", 1, 1, "r", "m", "misuse",
                        "low" if number % 2 else "high", "t")
                for number in range(sarif.LIMIT + 10)]
        run = held(made(*many), "sarif")["runs"][0]
        self.assertEqual(sarif.LIMIT, len(run["results"]))
        notes = run["invocations"][0]["toolExecutionNotifications"]
        self.assertIn("10 more findings were cut",
                      " ".join(note["message"]["text"] for note in notes))
        self.assertEqual((sarif.LIMIT + 10) // 2, sum(
            result["level"] == "error" for result in run["results"]))

    def test_a_fix_replaces_whole_lines(self) -> None:
        result = held(FULL, "sarif")["runs"][0]["results"][0]
        place, = result["fixes"][0]["artifactChanges"][0]["replacements"]
        self.assertEqual({"startLine": 3, "startColumn": 1, "endLine": 4,
                          "endColumn": 1}, place["deletedRegion"])

    def test_jsonschema_agrees_where_it_is_installed(self) -> None:
        try:
            import jsonschema
        except ImportError:
            self.skipTest("python3-jsonschema is not installed")
        jsonschema.validate(held(FULL, "json"), json.loads(OWN.read_text()))
        jsonschema.validate(held(FULL, "sarif"),
                            json.loads(SUBSET.read_text()))

    def test_multitool_agrees_where_it_is_installed(self) -> None:
        tool = shutil.which("sarif-multitool") or shutil.which("sarif")
        if tool is None:
            self.skipTest("@microsoft/sarif-multitool is not installed")
        with tempfile.TemporaryDirectory() as name:
            file = Path(name) / "log.sarif"
            file.write_bytes(formats.render(FULL, "sarif"))
            done = subprocess.run(
                [tool, "validate", str(file)], capture_output=True, text=True,
                check=False,
                env={**os.environ,
                     "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"})
            self.assertNotIn(": error ", done.stdout)
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)


class Others(unittest.TestCase):
    def test_text_is_one_line_a_finding_and_the_sums(self) -> None:
        lines = formats.render(FULL, "text").split(b"\n")
        self.assertEqual(
            b"drivers/a b%:,\\xff\\n.c:3:2: error: 50% of it: a, b\nand c "
            b"[unmap-mapped-count]".replace(b"\nand", b" and"), lines[0])
        self.assertEqual(b"sites 1: 1 kept", lines[-2])
        self.assertTrue(lines[-3].startswith(b"findings 3: 1 high, 0 "))

    def test_text_shows_the_line_a_caret_and_once_the_repair(self) -> None:
        first = Finding("a.c", 12, 2, "unmap-mapped-count",
                        "unmap-mapped-count: it is wrong", "misuse", "high")
        second = dataclasses.replace(first, line=13, column=1)
        report = dataclasses.replace(
            made(first, second),
            lines={first: "\tunmap(\x1b, n);\r", second: "x" * 300})
        self.assertEqual(
            ["a.c:12:2: error: it is wrong [unmap-mapped-count]",
             "   12 | \tunmap(\\x1b, n);",
             "      | \t^",
             "      = How.",
             "a.c:13:1: error: it is wrong [unmap-mapped-count]"],
            formats.render(report, "text").decode().split("\n")[:5])

    def test_the_lines_that_prove_a_finding_are_notes(self) -> None:
        note = Note(2, 6, "maps sgl with n", "\tm = map(sgl, n);")
        report = made(LOW, notes={LOW: (note,)}, lines={LOW: "a | b"})
        self.assertIn(
            "drivers/low.c:2:6: note: maps sgl with n\n"
            "    2 | \tm = map(sgl, n);\n      | \t    ^\n",
            formats.render(report, "text").decode())
        self.assertNotIn("maps sgl", formats.render(report, "gcc").decode())

    def test_sarif_leads_from_the_proof_to_the_finding(self) -> None:
        note = Note(2, 6, "maps sgl with n", "")
        log = held(made(LOW, LOST, notes={LOW: (note,)}), "sarif")
        self.assertEqual([], schema.complaints(
            log, json.loads(SUBSET.read_text())))
        proven, = (result for result in log["runs"][0]["results"]
                   if "codeFlows" in result)
        flow, = proven["codeFlows"]
        path = [step["location"]["physicalLocation"]["region"]["startLine"]
                for step in flow["threadFlows"][0]["locations"]]
        self.assertEqual(path, [2, LOW.line])
        self.assertEqual(["maps sgl with n"], [
            place["message"]["text"] for place in proven["relatedLocations"]])

    def test_gcc_is_the_first_lines_of_text(self) -> None:
        text = formats.render(FULL, "text").decode().splitlines()
        self.assertEqual(
            [row for row in text if not row.startswith(" ")],
            formats.render(FULL, "gcc").decode().splitlines())

    def test_sarif_tells_the_repair_with_the_finding(self) -> None:
        results = held(FULL, "sarif")["runs"][0]["results"]
        self.assertIn("50% of it: a, b\nand c. How.",
                      [one["message"]["text"] for one in results])

    def test_github_escapes_what_ends_a_command(self) -> None:
        first = formats.render(FULL, "github").decode().split("\n")[0]
        self.assertEqual(
            "::error file=drivers/a b%25%3A%2C\\xff%0A.c,line=3,endLine=3,"
            "col=2,title=unmap-mapped-count::50%25 of it: a, b%0Aand c",
            first)

    def test_no_name_and_no_message_moves_the_cursor(self) -> None:
        odd = "\x1b]0;title\x07\x1b[2J\x9b1A\x7f\r\x08\u202e\udc9b"
        report = made(
            Finding(f"a{odd}.c", 1, 1, f"r{odd}", f"m{odd}", "misuse", "high",
                    odd), skipped=((f"n{odd}", f"w{odd}"),))
        for form in formats.FORMATS:
            with self.subTest(form):
                text = formats.render(report, form).decode("utf-8")
                self.assertEqual([], [one for one in text if one != "\n"
                                      and not one.isprintable()])

    def test_gitlab_has_the_keys_that_it_asks_for(self) -> None:
        value = held(FULL, "gitlab")
        self.assertEqual(3, len({one["fingerprint"] for one in value}))
        for one in value:
            self.assertEqual({"description", "check_name", "fingerprint",
                              "severity", "location"}, set(one))
            self.assertIn(one["severity"], ("info", "minor", "major"))
            self.assertGreaterEqual(one["location"]["lines"]["begin"], 1)

    def test_junit_has_a_case_a_rule_and_skips_what_was_not_run(self) -> None:
        suite = xml.fromstring(formats.render(FULL, "junit"))
        self.assertEqual({"unmap-mapped-count", "dma-address-flags", "unread",
                          "badrule"},
                         {case.get("name") for case in suite})
        self.assertEqual(("4", "3", "1"), tuple(
            suite.get(name) for name in ("tests", "failures", "skipped")))

    def test_an_empty_report_is_good_in_every_format(self) -> None:
        self.assertEqual([], held(EMPTY, "gitlab"))
        self.assertEqual("0", xml.fromstring(
            formats.render(EMPTY, "junit")).get("failures"))
        self.assertIn(b"findings 0:", formats.render(EMPTY, "text"))


if __name__ == "__main__":
    unittest.main()
