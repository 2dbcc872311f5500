# SPDX-License-Identifier: GPL-2.0-only
"""Hold the repairs of mappings to their account: every call, and why."""

import tempfile
import unittest
import unittest.mock
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import smalltree
from judge import mappings
from judge.plan import Plan, Settings
from read import campaigns, tree as trees
from run import remember
from run.jobs import Job, Outcome, Result

HEAD = b"#include <linux/dma-mapping.h>\n\n"
STRUCT = b"""struct data {
	struct scatterlist *sg;
	unsigned int sg_len;
};

struct host {
	struct device *dev;
	struct data *data;
	int mapped;
	int other;
};

"""
# Maps, and unmaps with what was returned: line 3 of it is the mapping, line 6
# the unmap.
NEAR = b"""int near(struct device *dev, struct data *data)
{
	int n = dma_map_sg(dev, data->sg, data->sg_len, DMA_TO_DEVICE);

	if (n)
		dma_unmap_sg(dev, data->sg, n, DMA_TO_DEVICE);
	return n;
}
"""
MAP = b"""int host_map(struct host *host)
{
	host->mapped = dma_map_sg(host->dev, host->data->sg,
				  host->data->sg_len, DMA_TO_DEVICE);
	return host->mapped;
}

"""
DONE = b"""void host_done(struct host *host)
{
	dma_unmap_sg(host->dev, host->data->sg, host->mapped, DMA_TO_DEVICE);
}

"""


class MappingsTest(unittest.TestCase):

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory(prefix="sgwalk.")
        self.addCleanup(scratch.cleanup)
        self.tree = Path(scratch.name) / "linux"

    def plan(self, confidence: str = "high", **files: bytes) -> Plan:
        smalltree.make(self.tree, {
            f"drivers/x/{name.replace('__', '.')}": data
            for name, data in files.items()})
        campaign = campaigns.load("sg-counts")
        return mappings.make_plan(
            trees.open_tree(str(self.tree)),
            Settings(smalltree.census(), campaign.misuse, 2,
                     confidence=confidence, campaign=campaign,
                     cache=smalltree.CACHE))

    def verdicts(self, plan: Plan, file: str) -> dict[int, tuple[str, str]]:
        """Return verdict and reason by line."""
        return {entry.site.line: (entry.verdict, entry.reason)
                for entry in plan.ledger.entries
                if entry.site.file == f"drivers/x/{file}"}


class AccountTest(MappingsTest):

    def test_every_call_has_a_verdict_and_a_reason(self) -> None:
        made = self.plan(a__c=HEAD + STRUCT + NEAR + b"""
int table(struct device *dev, struct sg_table *sgt)
{
	if (dma_map_sgtable(dev, sgt, DMA_TO_DEVICE, 0))
		return -1;
	dma_unmap_sg(dev, sgt->sgl, sgt->orig_nents, DMA_TO_DEVICE);
	return 0;
}

int right(struct device *dev, struct scatterlist *sgl, int count)
{
	int n = dma_map_sg(dev, sgl, count, DMA_TO_DEVICE);

	if (n)
		dma_unmap_sg(dev, sgl, count, DMA_TO_DEVICE);
	return 0;
}

void unknown(struct device *dev, struct scatterlist *sgl, int count)
{
	dma_unmap_sg(dev, sgl, count, DMA_TO_DEVICE);
}

#define UNMAP(d, l) dma_unmap_sg(d, l, 1, DMA_TO_DEVICE)
#if 0
void dead(struct device *dev, struct scatterlist *sgl)
{
	dma_unmap_sg(dev, sgl, 4, DMA_TO_DEVICE);
}
#endif
""")
        rows = self.verdicts(made, "a.c")
        self.assertEqual({line: (verdict, reason.partition(":")[0])
                          for line, (verdict, reason) in rows.items()}, {
            17: ("kept", "mapping"),
            20: ("converted", "unmap-mapped-count"),
            26: ("kept", "table"),
            28: ("kept", "orig-nents"),
            34: ("kept", "mapping"),
            37: ("kept", "same"),
            43: ("manual", "unproven"),
            46: ("unread", "macro"),
            50: ("unread", "dead-code")})
        self.assertIn("line 34 maps this list with count", rows[37][1])
        # The evidence: where it was mapped, with what, and what came back.
        self.assertIn("line 17 maps data->sg with data->sg_len", rows[20][1])
        self.assertEqual(
            sum(map(made.ledger.count, ("converted", "kept", "manual",
                                        "unread"))),
            len(made.ledger.entries))

    def test_what_spatch_cannot_read_is_unread(self) -> None:
        made = self.plan(a__c=HEAD + STRUCT + NEAR.replace(
            b"\treturn n;", b"\treturn n ] ;"))
        self.assertEqual(
            {verdict for verdict, _ in self.verdicts(made, "a.c").values()},
            {"unread"})
        self.assertEqual(made.after, {})

    def test_a_rule_that_does_not_end_leaves_the_file_as_it_is(self) -> None:
        def lost(cache: object, sources: object, jobs: Sequence[Job],
                 **more: object) -> list[Result]:
            return [Result(result.job, Outcome.TIMEOUT, detail="late")
                    if result.job.rule is not None
                    and result.job.rule.name == "map-result-dropped"
                    else result for result in run(cache, sources, jobs,
                                                  **more)]

        run: Any = remember.run
        with unittest.mock.patch.object(remember, "run", lost):
            made = self.plan(a__c=HEAD + STRUCT + NEAR)
        self.assertEqual(made.after, {})
        self.assertEqual({verdict for verdict, _ in self.verdicts(
            made, "a.c").values()}, {"unread"})

    def test_a_rule_below_the_confidence_asked_for_changes_nothing(
            self) -> None:
        source = HEAD + b"""#include <linux/string.h>

void copy(void *to, struct scatterlist *sg)
{
	memcpy(to, sg_virt(sg), sg_dma_len(sg));
}
"""
        self.assertEqual(self.plan(a__c=source).after, {})
        self.assertIn(b"sg->length", self.plan(
            "moderate", a__c=source).after["drivers/x/a.c"])


class RepairTest(MappingsTest):

    def test_the_repair_is_what_was_given_and_not_what_was_returned(
            self) -> None:
        made = self.plan(a__c=HEAD + STRUCT + NEAR)
        self.assertEqual(
            made.after["drivers/x/a.c"], HEAD + STRUCT + NEAR.replace(
                b"data->sg, n, DMA_TO_DEVICE)",
                b"data->sg, data->sg_len, DMA_TO_DEVICE)"))
        again = self.plan(a__c=made.after["drivers/x/a.c"])
        self.assertEqual(again.after, {})
        self.assertEqual(again.ledger.count("manual"), 0)

    def test_a_long_line_is_broken_below_the_parenthesis(self) -> None:
        source = HEAD + STRUCT + NEAR.replace(b"dev", b"the_device_of_ours")
        after = self.plan(a__c=source).after["drivers/x/a.c"]
        self.assertIn(b"\t\tdma_unmap_sg(the_device_of_ours, data->sg, "
                      b"data->sg_len,\n\t\t\t     DMA_TO_DEVICE);\n", after)

    def test_a_comment_in_what_is_replaced_makes_it_a_person_s(self) -> None:
        source = HEAD + STRUCT + NEAR.replace(
            b"data->sg, n, ", b"data->sg, n /* mapped */, ")
        made = self.plan(a__c=source)
        after = made.after.get("drivers/x/a.c", source)
        self.assertIn(b"/* mapped */", after)


class UnitTest(MappingsTest):

    def test_a_list_that_stays_wrong_in_one_place_stays_in_all(self) -> None:
        """host_done() is proven; host_stop() takes a copy that is not."""
        stop = b"""void host_note(struct host *host)
{
	host->other = host->mapped;
}

void host_stop(struct host *host)
{
	dma_unmap_sg(host->dev, host->data->sg, host->other, DMA_TO_DEVICE);
}
"""
        alone = self.plan(a__c=HEAD + STRUCT + MAP + DONE)
        self.assertIn(b"host->data->sg, host->data->sg_len,\n\t\t     DMA",
                      alone.after["drivers/x/a.c"])
        made = self.plan(a__c=HEAD + STRUCT + MAP + DONE + stop)
        self.assertEqual(made.after, {})
        reasons = [reason for verdict, reason in self.verdicts(
            made, "a.c").values() if verdict == "manual"]
        self.assertEqual(len(reasons), 2, reasons)
        self.assertRegex(" ".join(reasons), "unit: the same list is handled "
                         r"in drivers/x/a\.c:\d+, which needs a person")

    def test_the_files_of_one_object_are_one_driver(self) -> None:
        """So a list of one file that stays wrong keeps the other file."""
        left = HEAD + STRUCT + MAP.replace(b"mapped", b"other").replace(
            b"host->data->sg_len", b"entries(host)").replace(
                b"host_map", b"far_map").replace(
                    b"int far", b"int entries(struct host *host);\n\nint far"
                ) + DONE.replace(b"mapped", b"other").replace(
                    b"host_done", b"far_done")
        near = HEAD + STRUCT + MAP + DONE
        apart = self.plan(a__c=near, b__c=left)
        self.assertEqual(sorted(apart.after), ["drivers/x/a.c"])
        makefile = self.tree / "drivers/x/Makefile"
        makefile.write_bytes(b"obj-m += both.o\nboth-y := a.o \\\n\tb.o\n")
        campaign = campaigns.load("sg-counts")
        both = mappings.make_plan(
            trees.open_tree(str(self.tree)),
            Settings(smalltree.census(), campaign.misuse, 2,
                     campaign=campaign, cache=smalltree.CACHE))
        self.assertEqual(both.after, {})


if __name__ == "__main__":
    unittest.main()
