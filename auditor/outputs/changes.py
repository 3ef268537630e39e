"""What changed between two runs, for a person and for a machine."""

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from auditor.feed_v1 import SCHEMA_VERSION, FindingV1, SavingV1
from auditor.ledger.history import Change, Run
from auditor.outputs.json_v1 import encoded, schema_of
from auditor.outputs.text import paint, plain, safe

ORDER = ("new", "reopened", "resolved", "unconfirmed", "accepted", "open", "changed")
_TITLES = {
    "new": "New",
    "reopened": "Failing again",
    "resolved": "Resolved",
    "unconfirmed": "Unconfirmed: could not be judged again",
    "accepted": "Accepted",
    "open": "Open again: confirmed, or no longer accepted",
    "changed": "Changed",
}
_FIELDS = 6
"""How many changed fields are shown of a finding."""


class FieldV1(msgspec.Struct, frozen=True):
    """A field that differs."""

    field: Annotated[str, Meta(description="A field of the finding, or of its evidence.")]
    before: Annotated[Any, Meta(description="Its value in the earlier run; null where it was not there.")]
    after: Annotated[Any, Meta(description="Its value in the later run; null where it is not there.")]


class ChangeV1(msgspec.Struct, frozen=True):
    """What became of one finding."""

    what: Annotated[
        Literal["new", "reopened", "resolved", "unconfirmed", "accepted", "open", "changed"],
        Meta(description="What became of it."),
    ]
    why: Annotated[str, Meta(description="Why it was resolved or is unconfirmed; may be empty.")]
    fields: Annotated[list[FieldV1], Meta(description="What changed of one that fails in both.")]
    finding: Annotated[FindingV1, Meta(description="As it stands in the later run.")]


class DiffV1(msgspec.Struct, frozen=True):
    """Two runs compared."""

    schema_version: Annotated[Literal["1.0"], Meta(description="Version of this shape.")]
    old: Annotated[str, Meta(description="The earlier run.")]
    new: Annotated[str, Meta(description="The later run.")]
    old_started: Annotated[datetime, Meta(description="When the earlier run's snapshot was taken.")]
    new_started: Annotated[datetime, Meta(description="When the later run's snapshot was taken.")]
    counts: Annotated[dict[str, int], Meta(description="Findings by what became of them.")]
    changes: Annotated[list[ChangeV1], Meta(description="New ones first, each kind by severity.")]


def sorted_changes(changes: Iterable[Change]) -> list[Change]:
    """New ones first, and within a kind the worst."""
    return sorted(
        changes, key=lambda c: (ORDER.index(c.what), -c.finding.score, c.finding.rule, c.finding.resource_arn)
    )


def diff_json(old: Run, new: Run, changes: list[Change]) -> Iterator[bytes]:
    """The comparison as one JSON document."""
    counted = Counter(change.what for change in changes)
    made = DiffV1(
        SCHEMA_VERSION,
        old.name,
        new.name,
        old.started,
        new.started,
        {what: counted[what] for what in ORDER},
        [
            ChangeV1(c.what, c.why, [FieldV1(*each) for each in c.fields], c.finding)  # type: ignore[arg-type]  # the kinds of change are these literals
            for c in changes
        ],
    )
    yield encoded(made) + b"\n"


def diff_text(
    old: Run, new: Run, changes: list[Change], *, color: bool = False, width: int = 110
) -> Iterator[str]:
    """The comparison for a terminal."""
    yield f"{old.name} ({old.started:%Y-%m-%d %H:%M}) to {new.name} ({new.started:%Y-%m-%d %H:%M})\n"
    counted = Counter(change.what for change in changes)
    for what in ORDER:
        mine = [change for change in changes if change.what == what]
        if mine:
            yield "\n" + paint(_TITLES[what], "bold", color=color) + f" ({len(mine)})\n"
            for change in mine:
                yield _change(change, color, width)
    summed = ", ".join(f"{counted[what]} {what}" for what in ORDER if counted[what])
    yield f"\n{summed or 'Nothing changed'}.\n"


def _change(change: Change, color: bool, width: int) -> str:
    finding = change.finding
    label = paint(f"{finding.severity:<8}", finding.severity, color=color)
    part = f" [{safe(finding.part)}]" if finding.part else ""
    place = f"{safe(finding.resource_name) or finding.resource_kind}{part} ({finding.resource_kind}, {finding.region})"
    why = safe(finding.why) + (f" ({safe(change.why)})" if change.why else "")
    lines = [f"{finding.score:>3} {label} {finding.rule:<8} {place}"]
    lines.append(textwrap.fill(why, width - 4, initial_indent="    ", subsequent_indent="    "))
    for name, before, after in change.fields[:_FIELDS]:
        text = f"{name}: {_short(before)} -> {_short(after)}"
        lines.append(textwrap.fill(text, width - 6, initial_indent="      ", subsequent_indent="        "))
    if len(change.fields) > _FIELDS:
        lines.append(f"      and {len(change.fields) - _FIELDS} more")
    return "\n".join(lines) + "\n"


def _short(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], SavingV1):
        value = "; ".join(saving.text for saving in value)
    text = (
        "-"
        if value in (None, [])
        else plain(value if isinstance(value, str | int | float) else _builtin(value))
    )
    return text if len(text) <= 120 else text[:117] + "..."


def _builtin(value: Any) -> Any:
    return msgspec.to_builtins(value, enc_hook=str)


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a comparison."""
    return schema_of(DiffV1, "auditor diff")
