#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Show on a real tree what the steps of a series change, object by object.

    make ready OUT=DIR           for the census, once
    transition.py [--jobs N] [--out DIR] [--campaign NAME] KERNEL

Three steps are compiled: the iterator with the transitional accessor, the
callers, and the strict accessor. The first may change the code of the library
only, and leave objects that use the old iterator byte-identical. The last
widens a shift in the accessor, and may change the code of its callers only.
tests/test_transition.py shows it on the small tree.

Data:   tree -> the report of verify.py on stdout, and what it must not say.
Units:  none.
Errors: those of the stages; exit status 0 shown, 1 a step changes more than
        it may, 2 it could not be tried.
Source: plan.py for the callers, verify.py for the objects.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Collection
from pathlib import Path

if not __package__:                  # run as a program
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from host import output
from read import campaigns, core, tree as trees
from judge import plan as planning
from prove import builds, verify
from read.census import CensusError
from read.campaign import Callers, Campaign, Kind, State
from read.campaigns import CampaignError
from read.core import CoreError
from read.tree import TreeError
from run.rules import RuleError
from run.jobs import SpatchError
from judge.edits import EditError
from judge.ledger import LedgerError
from prove.builds import VerifyError

ROOT = Path(__file__).resolve().parents[2]
_OWN = (CampaignError, CensusError, CoreError, EditError, LedgerError,
        RuleError, SpatchError,
        TreeError, VerifyError, OSError)


def steps(plan: planning.Plan) -> list[builds.Step]:
    """Return the steps from a tree without the iterator to the strict one."""
    campaign, root = plan.campaign, plan.tree.root
    first = core.install(campaign, root, _state(campaign, Callers.BOTH))
    callers = {name: content for name, content in plan.after.items()
               if name not in plan.core}
    strict = core.install(campaign, root, _state(campaign, Callers.NEW))
    last = {name: content for name, content in strict.items()
            if content != first[name]}
    return [builds.Step("iterator, transitional", first),
            builds.Step("callers", callers),
            builds.Step("strict accessor", last)]


def callers(plan: planning.Plan) -> set[str]:
    """Return the objects of the files that call the accessor."""
    return {entry.site.file[:-2] + ".o" for entry in plan.ledger.entries
            if entry.site.token in plan.campaign.words(Kind.ADDRESS)
            and entry.site.file.endswith(".c")}


def _state(campaign: Campaign, callers: Callers) -> State:
    found = campaign.state(callers)
    if found is None:
        raise CoreError(f"{campaign.name}: no state takes {callers.value} "
                        "callers, so there is no transition")
    return found


def complaints(report: builds.Report, campaign: Campaign,
               calls: Collection[str]) -> list[str]:
    """Return what a step changes beyond its task, one sentence each.

    calls names the objects whose source calls the accessor.
    """
    library = str(Path(campaign.home[0]).with_suffix(".o"))
    first, _, last = report.steps
    found = [f"{first.step}: {one.name} is not identical"
             for one in first.objects
             if one.name != library and not one.identical]
    found += [f"{last.step}: changes the code of {one.name}"
              for one in last.objects
              if one.functions and one.name not in calls]
    for step in report.steps:
        found += [f"{step.step}: {name} is not identical"
                  for name in step.differ]
        found += [f"{step.step}: {name} does not build"
                  for name, _ in step.failed]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Show what the steps of a series change in objects.")
    parser.add_argument("kernel")
    parser.add_argument("--campaign", default="")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=ROOT / "out")
    asked = parser.parse_args()
    try:
        tree = trees.open_tree(asked.kernel)
        campaign = campaigns.load(asked.campaign)
        state = core.probe(campaign, tree.root)
        if state is None or state.callers is not Callers.OLD:
            print(f"sgwalk: {tree.root}: has the iterator, so there is no "
                  "transition", file=sys.stderr)
            return 2
        plan = planning.make_plan(tree, planning.Settings(
            asked.out / "bin/census", campaign.migrate, asked.jobs,
            campaign=campaign))
        if plan.form != campaign.state(Callers.NEW):
            print(f"sgwalk: {tree.root}: callers are left to a person, so "
                  "there is no strict step", file=sys.stderr)
            return 2
        users = sorted({entry.site.file for entry in plan.ledger.entries
                        if entry.site.file.endswith(".c")})
        before = {**{name: trees.read(tree, name)
                     for name in campaign.api}, **plan.before}
        report = verify.run(tree.root, tree.version, before, steps(plan),
                            output.folder(asked.out, "transition"),
                            asked.jobs,
                            [name for name in users if name not in before])
    except _OWN as error:
        print(f"sgwalk: {error}", file=sys.stderr)
        return 2
    print(verify.text(report), end="")
    found = complaints(report, campaign, callers(plan))
    for complaint in found:
        print(complaint)
    print(f"{len(found)} complaints")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
