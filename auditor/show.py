"""`auditor show`: one resource with what it refers to, what refers to it, and what the rules say of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from tabulate import tabulate

from auditor.outputs.text import plain
from auditor.report import answers_of, placing_of
from auditor.settings import Settings
from collectors.graph import Edge, Graph, node_of
from collectors.model import Snapshot, Unread
from collectors.view import View
from evaluators.engine import judge_resource
from evaluators.environment import placement
from evaluators.rule import Rule, Status

_DEPTH = 5
_MOST = 40


class NotFoundError(LookupError):
    """No resource, or more than one, has that name; the text says what to type instead."""


def find(snapshot: Snapshot, wanted: str) -> tuple[Graph, View]:
    """The resource of this ARN, name or `kind/name`, with its account's graph. Raises `NotFoundError`."""
    found = [
        (graph, view)
        for graph in (Graph(snapshot, manifest.account) for manifest in snapshot.manifests)
        for view in graph.named(wanted)
    ]
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFoundError(f"no resource is called {wanted!r}: give its name, its ARN, or KIND/NAME")
    choices = ", ".join(sorted(f"{view.kind}/{view.name} ({view.region.name})" for _, view in found)[:10])
    raise NotFoundError(f"{len(found)} resources are called {wanted!r}: {choices}; give KIND/NAME or the ARN")


def show_resource(
    snapshot: Snapshot,
    wanted: str,
    rules: tuple[Rule, ...],
    settings: Settings,
    thresholds: Mapping[str, Mapping[str, Any]],
) -> str:
    """The page of one resource. Raises `NotFoundError`."""
    graph, view = find(snapshot, wanted)
    placing = placing_of(settings)
    where = placement(view, placing)
    rows = [
        ["ARN", view.id],
        ["account", f"{view.region.account}, {view.shown_region}"],
        ["environment", f"{where.environment or 'unplaced'} ({where.source})"],
        ["tags", _tags(view)],
    ]
    parts = [
        f"{view.kind} {view.name}",
        tabulate(rows, tablefmt="plain", disable_numparse=True),
        "Refers to\n" + ("\n".join(_tree(graph, view)) or "  nothing that was read"),
        "Referred to by\n" + (_incoming(graph, view) or "  nothing that was read"),
        "Verdicts\n" + _verdicts(view, rules, settings, thresholds),
    ]
    return "\n\n".join(parts)


def _tags(view: View) -> str:
    try:
        return ", ".join(f"{key}={value}" for key, value in sorted(view.tags.items())) or "none"
    except Unread as unread:
        return f"not known ({unread.gap})"


def _tree(graph: Graph, view: View) -> Iterator[str]:
    """What it refers to, and what that refers to, each resource once."""
    seen = {view.id}

    def walk(current: View, depth: int) -> Iterator[str]:
        for edge in graph.outgoing(current):
            yield f"{'  ' * depth}{edge.key}: {edge.target.text}{_state(edge)}"
            if edge.exists and edge.target.id not in seen and depth < _DEPTH:
                seen.add(edge.target.id)
                target = graph.find(edge.target)
                if target is not None:
                    yield from walk(target, depth + 1)

    yield from walk(view, 1)


def _state(edge: Edge) -> str:
    if edge.exists:
        return ""
    return f" (not known: {edge.gap})" if edge.gap is not None else " (does not exist)"


def _incoming(graph: Graph, view: View) -> str:
    edges = sorted({(edge.source.text, edge.key) for edge in graph.incoming(view)})
    shown = [f"  {source} ({key})" for source, key in edges[:_MOST]]
    rest = [f"  and {len(edges) - _MOST} more"] if len(edges) > _MOST else []
    return "\n".join([*shown, *rest])


def _verdicts(
    view: View, rules: tuple[Rule, ...], settings: Settings, thresholds: Mapping[str, Mapping[str, Any]]
) -> str:
    order = [Status.FAIL, Status.UNKNOWN, Status.PASS, Status.NOT_APPLICABLE]
    answers = answers_of(settings)
    judged = judge_resource(rules, view, thresholds, placing_of(settings), answers=answers)
    rows = [
        [
            judgement.verdict.status.value.replace("_", " "),
            judgement.rule.code,
            judgement.rule.severity.label,
            judgement.subject.part,
            judgement.verdict.message or judgement.rule.title,
        ]
        for judgement in sorted(judged, key=lambda j: (order.index(j.verdict.status), j.rule.code))
    ]
    if not rows:
        return f"  no rule is about a {node_of(view).kind}"
    return tabulate(
        [[plain(cell) for cell in row] for row in rows],
        headers=["verdict", "rule", "severity", "part", "why"],
        maxcolwidths=[None, None, None, 24, 64],
        disable_numparse=True,
    )
