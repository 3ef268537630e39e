"""The rules as people read them: the list, one rule whole, and the IAM policy."""

import json
import textwrap
from typing import Any

from tabulate import tabulate

from auditor.permissions import actions_for, operations_for, policy_for
from auditor.selection import find_rule, select
from collectors.model import Operation
from collectors.reads import Reads
from collectors.view import Field
from evaluators.controls import Reference
from evaluators.rule import Rule, Scope

_WIDTH = 96
_SCOPES = {
    Scope.EVERYWHERE: "counts alike in every environment",
    Scope.LENIENT: "low in development and sandbox",
    Scope.PRODUCTION: "production only; one severity lower on an unplaced resource",
    Scope.NOT_SANDBOX: "everywhere but in a sandbox",
}


def list_rules(pillars: list[str]) -> str:
    """A table of all rules, or of some pillars'."""
    chosen = select(pillars=pillars)
    rows = [[rule.code, rule.severity.label, rule.name, _subjects(rule), rule.title] for rule in chosen]
    table = tabulate(rows, headers=["code", "severity", "name", "judges", "what should be true"])
    return f"{table}\n\n{len(chosen)} rules. `auditor rules show CODE` has all of one."


def _subjects(rule: Rule) -> str:
    if not rule.views:
        return "Region"
    if len(rule.views) > 2:
        return f"{rule.views[0].kind} and {len(rule.views) - 1} more"
    return ", ".join(view.kind for view in rule.views)


def show_rule(code: str) -> str:
    """One rule: what it asks and why, how it counts, what it reads, how to mend it."""
    rule = find_rule(code)
    paragraphs = [
        f"{rule.code}  {rule.name}  ({rule.severity.label}, {rule.pillar.value})",
        rule.title,
        *(textwrap.fill(p, _WIDTH) for p in textwrap.dedent(rule.rationale).split("\n\n")),
    ]
    metrics = {f"cloudwatch:GetMetricData {m.namespace} {m.metric} {m.statistic}" for m in rule.reads.metrics}
    fields = sorted(_leaves(rule.reads) | metrics)
    calls = dict.fromkeys(_call(operation) for operation in operations_for([rule]))
    rows = [
        ["judges", "\n".join(view.type or view.kind for view in rule.views) or "each Region as a whole"],
        ["where", _SCOPES[rule.scope]],
        ["confidence", f"{rule.confidence:g}"],
        [
            "thresholds",
            "\n".join(f"{n} = {json.dumps(d)}" for n, (_, d) in rule.thresholds.items()) or "none",
        ],
        ["reads", "\n".join(fields)],
        ["calls", "\n".join(calls)],
        ["permissions", "\n".join(actions_for([rule]))],
        ["references", "\n".join(_reference(r) for r in rule.maps)],
        ["fix", f"{textwrap.fill(rule.remedy.text, _WIDTH - 14)}\n({rule.change.value})"],
    ]
    if rule.remedy.command:
        rows.append(["run", rule.remedy.command])
    return "\n\n".join([*paragraphs, tabulate(rows, tablefmt="plain", disable_numparse=True)])


def _leaves(reads: Reads) -> set[str]:
    """Operation and path of each field, those of parts with the path of the list that they are in."""
    found: set[str] = set()

    def walk(field: Field[Any], prefix: str) -> None:
        path = f"{prefix}{field.path}"
        inside = [item for item in reads.fields if field.part is not None and item.owner is field.part]
        for item in inside:
            if item is not field:
                walk(item, f"{path}.")
        if not inside:
            found.add(path)

    for field in reads.fields:
        for operation in field.operations[:1]:
            walk(field, f"{operation} ")
    return found


def _call(operation: Operation) -> str:
    """`sagemaker:Search (Endpoint)`: Search is one operation for many kinds."""
    kind = dict(operation.parameters).get("Resource")
    return f"{operation} ({kind})" if kind else str(operation)


def _reference(reference: Reference) -> str:
    title = "" if reference.title == reference.id else f": {reference.title}"
    former = f" ({reference.former})" if reference.former else ""
    return f"{reference.standard.value} {reference.id}{former}{title}"


def policy_json(rules: list[str], skipped: list[str], pillars: list[str], *, search: bool) -> str:
    """The least IAM policy as indented JSON."""
    return json.dumps(policy_for(select(rules, skipped, pillars), search=search), indent=1)
