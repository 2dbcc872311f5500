# SPDX-License-Identifier: GPL-2.0-only
"""Name what tests of the first campaign have in common: its states and files."""

from __future__ import annotations

from pathlib import Path

from read import campaigns, core
from read.campaign import Callers, Campaign, State
from read.core import CoreError

CAMPAIGN: Campaign = campaigns.load("sg-dma-page")
HEADER, LIBRARY = CAMPAIGN.api


def _state(callers: Callers) -> State:
    found = CAMPAIGN.state(callers)
    assert found is not None
    return found


ABSENT, STRICT, TRANSITIONAL = map(_state, (Callers.OLD, Callers.NEW,
                                            Callers.BOTH))
FORMS = (STRICT, TRANSITIONAL)
PATCH = {STRICT: CAMPAIGN.chain[0].path, TRANSITIONAL: CAMPAIGN.chain[1].path}
REMOVAL = CAMPAIGN.chain[2].path
WIDTH_FIX, COUNT_FIX = (fix.path for fix in CAMPAIGN.fixes)


def probe(tree: Path) -> State:
    found = core.probe(CAMPAIGN, tree)
    assert found is not None
    return found


def install(tree: Path, form: State, *, fix: bool = False) -> dict[str, bytes]:
    return core.install(CAMPAIGN, tree, form, fix=fix)


def fix(tree: Path) -> dict[str, bytes]:
    return core.fix(CAMPAIGN, tree)


__all__ = ["ABSENT", "CAMPAIGN", "COUNT_FIX", "CoreError", "FORMS", "HEADER",
           "LIBRARY", "PATCH", "REMOVAL", "STRICT", "TRANSITIONAL",
           "WIDTH_FIX", "fix", "install", "probe"]
