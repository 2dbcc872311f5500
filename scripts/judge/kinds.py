# SPDX-License-Identifier: GPL-2.0-only
"""Decide about a tree by the kind of unit that the campaign has.

All commands come in here. A kind is a module with two functions: make_plan()
returns what a tree becomes with the account of every site, and make_ledger()
the account alone, also where the API cannot be installed.

Data:   Tree + Settings -> Plan, Ledger.
Errors: those of the kind.
Source: the unit kinds of design.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from read.campaign import Unit
from read.tree import Tree
from judge import callsites, mappings, plan as types
from judge.ledger import Ledger
from judge.plan import Plan, Settings


class _Kind(Protocol):

    def make_plan(self, tree: Tree, settings: Settings) -> Plan:
        """Return what the tree becomes; the tree itself is only read."""

    def make_ledger(self, tree: Tree, settings: Settings) -> Ledger:
        """Return every site's verdict."""


_KINDS: Mapping[Unit, _Kind] = {
    Unit.TYPE: types,
    Unit.CALL: callsites,
    Unit.MAPPING: mappings,
}


def make_plan(tree: Tree, settings: Settings) -> Plan:
    """Return what the tree becomes; the tree itself is only read."""
    return _KINDS[settings.campaign.unit].make_plan(tree, settings)


def make_ledger(tree: Tree, settings: Settings) -> Ledger:
    """Return every site's verdict, also of a tree that the core cannot suit."""
    return _KINDS[settings.campaign.unit].make_ledger(tree, settings)
