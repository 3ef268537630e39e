"""The least IAM policy for a selection of rules, derived from what their code reads."""

from collections.abc import Iterable
from typing import Any

from collectors.collector import Plan, plan
from collectors.model import Operation
from collectors.pricing import Price
from collectors.reads import Reads
from evaluators.rule import Pillar, Rule

START_ACTIONS = ("ec2:DescribeRegions",)
"""What a run asks before it reads: the enabled Regions. sts:GetCallerIdentity needs no permission."""


def plan_for(rules: Iterable[Rule], *, prices: bool = True) -> Plan:
    """What has to be read for these rules; findings on cost want prices, which no rule reads."""
    total = Reads()
    for rule in rules:
        total.update(rule.reads)
        if prices and rule.pillar is Pillar.COST:
            total.views.add(Price)
            total.fields.update(Price.fields().values())
    return plan(total)


def operations_for(rules: Iterable[Rule], *, search: bool = True) -> list[Operation]:
    """The operations of a scan, sorted by name. Without Search those that it falls back on."""
    chosen = plan_for(rules)
    every = chosen.operations(fallbacks=not search)
    kept = [op for op in every if search or op.name != "Search"]
    return sorted(set(kept), key=lambda op: (op.service, op.name, op.result))


def actions_for(rules: Iterable[Rule], *, search: bool = True) -> list[str]:
    """The IAM actions of a scan, sorted."""
    needed = {op.iam_action for op in operations_for(rules, search=search) if op.service != "sts"}
    return sorted(needed | set(START_ACTIONS))


def policy_for(rules: Iterable[Rule], *, search: bool = True) -> dict[str, Any]:
    """An IAM policy document that allows just these actions; List, Describe and Search take no resource."""
    return allowing(actions_for(rules, search=search))


def allowing(actions: list[str]) -> dict[str, Any]:
    """An IAM policy document that allows these actions.

    In one statement: a managed policy holds 6,144 characters, and one for each service would pass that.
    """
    statement = {"Sid": "AuditorRead", "Effect": "Allow", "Action": actions, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}
