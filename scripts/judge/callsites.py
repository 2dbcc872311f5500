# SPDX-License-Identifier: GPL-2.0-only
"""Decide about the units of a campaign of calls: each use alone.

A unit is one occurrence of a function of the old API. A rule of the campaign
rewrites it, or it is kept because no rule matches it, or it was not read. The
rules run as bare rules do, since nothing ties one call to another; what is
added here is that the campaign's table, and not the minus lines of a rule,
counts the sites, and that the API itself comes with the calls.

Data:   Tree + Settings -> Plan, Ledger.
Units:  those of bare.py.
Errors: those of the stages.
Source: the unit kinds of design.md.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Collection, Optional, Sequence

from read import api as names, census, conditionals, tree as trees
from read.campaign import Campaign, Kind
from read.census import Site
from run import bare as bare_rules, rules as rulebook
from run.bare import Bare
from judge import bare, plan as planning
from judge.ledger import Entry, Ledger
from judge.plan import Plan, Settings


def make_plan(tree: trees.Tree, settings: Settings) -> Plan:
    """Return what the tree becomes; the tree itself is only read."""
    ledger, made = _decide(tree, settings)
    form, parts, remark = planning.core_for(tree, settings, ledger, {})
    state = planning.state_of(tree, settings)
    after = {**(made.after if made else {}), **parts}
    before = {file: made.before[file] if made and file in made.before
              else trees.read(tree, file) for file in after}
    return Plan(tree, before, after, parts, form if parts else None, state,
                ledger, made.rules if made else {}, (),
                made.unread if made else {},
                (*(made.remarks if made else ()), *([remark] if remark
                                                    else [])),
                settings.campaign, bare=True)


def make_ledger(tree: trees.Tree, settings: Settings) -> Ledger:
    """Return every site's verdict, also of a tree that the core cannot suit."""
    return _decide(tree, settings)[0]


def _decide(tree: trees.Tree,
            settings: Settings) -> tuple[Ledger, Optional[Plan]]:
    """Return the account, and what the rules change if there is a call."""
    campaign = settings.campaign
    conditionals.use(settings.census, campaign)
    names.use(campaign)
    sites = census.take(settings.census, tree.root, settings.jobs,
                        settings.files or None, campaign)
    old = frozenset(
        name.word for name in campaign.names if name.kind is Kind.CALL
        and (campaign.new is None or name.side != campaign.new.word))
    files = sorted({site.file for site in sites if site.token in old
                    and site.file not in campaign.api})
    rules = _rules(settings, old) if files else []
    made = bare.make_plan(tree, bare.Settings(
        settings.census, settings.jobs, settings.timeout, settings.memory,
        settings.ssh, settings.cache, settings.progress, tuple(files)),
        rules) if rules else None
    known = {entry.site: entry for entry in made.ledger.entries
             if entry.site.token in old} if made else {}
    return Ledger(sites, [known.get(site) or _without_rule(campaign, site, old)
                          for site in sites]), made


def _rules(settings: Settings, old: frozenset[str]) -> Sequence[Bare]:
    """Return the campaign's conversions, with the calls that they are about.

    A call that no minus line names is everybody's: each rule may reach it.
    """
    chosen = [rule for rule in rulebook.load(settings.rules)
              if rule.verdict == "converted"
              and (rule.confidence == "High"
                   or settings.confidence == "moderate")]
    if not chosen:
        return []
    found, _ = bare_rules.load([(rule.path, True) for rule in chosen], False,
                               settings.confidence)
    nobodys = old - {name for rule in found for name in rule.names}
    return [replace(rule, rule=replace(rule.rule, name=ours.name,
                                       folder=ours.folder),
                    names=rule.names & old | nobodys, patterns=frozenset())
            for rule, ours in zip(found, chosen)]


def _without_rule(campaign: Campaign, site: Site,
                  old: Collection[str]) -> Entry:
    """Return the verdict of a site that no rule was run for."""
    if site.token == "?":
        return Entry(site, "unread", "", site.place if ": " in site.place
                     else f"unlexed: {site.place}")
    api = names.now()
    if site.file in campaign.api:
        return Entry(site, "kept", "", f"api: {api.say('api')}")
    if site.token not in old:
        return Entry(site, "kept", "", f"new-api: it is the {api.new} already")
    if not site.file.endswith((".c", ".h", ".inc")):
        return Entry(site, "unread", "", "assembly: not C, so no rule reads "
                     f"{os.path.basename(site.file)}; look at it by hand")
    return Entry(site, "manual", "", f"no-rule: {api.say('call-kept')}; "
                 "decide by hand")
