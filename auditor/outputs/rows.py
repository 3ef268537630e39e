"""Findings as flat rows with fixed columns, for lakes and spreadsheets: what is nested stands in them as JSON text."""

import gzip
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from auditor.feed_v1 import SCHEMA_VERSION, Feed, FindingV1, RunV1
from auditor.outputs.json_v1 import encoded, schema_of


class RowV1(msgspec.Struct, frozen=True):
    """One finding in one run."""

    schema_version: Annotated[str, Meta(description="Version of this shape.")]
    run_id: Annotated[str, Meta(description="The run's name in the ledger; empty where none is kept.")]
    run_started: Annotated[datetime, Meta(description="When the snapshot was taken.")]
    run_complete: Annotated[bool, Meta(description="False when anything was not known.")]
    id: Annotated[str, Meta(description="Stable over runs.")]
    state: Annotated[str | None, Meta(description="new, open, reopened, unconfirmed, accepted or resolved.")]
    verdict: Annotated[str, Meta(description="fail or unknown.")]
    rule: Annotated[str, Meta(description="Rule code.")]
    name: Annotated[str, Meta(description="Rule name.")]
    title: Annotated[str, Meta(description="What should be true.")]
    pillar: Annotated[str, Meta(description="The rule's pillar.")]
    severity: Annotated[str, Meta(description="critical, high, medium, low or info.")]
    rule_severity: Annotated[str, Meta(description="The rule's own.")]
    score: Annotated[int, Meta(description="0-100.")]
    confidence: Annotated[float, Meta(description="0-1.")]
    environment: Annotated[str, Meta(description="production, staging, development, sandbox or unplaced.")]
    account: Annotated[str, Meta(description="12-digit account id.")]
    region: Annotated[str, Meta(description="Region, or global.")]
    resource_kind: Annotated[str, Meta(description="auditor's name of the kind.")]
    resource_type: Annotated[str, Meta(description="CloudFormation's name of the kind.")]
    resource_arn: Annotated[str, Meta(description="Empty where a whole listing could not be read.")]
    resource_name: Annotated[str, Meta(description="Text from AWS.")]
    part: Annotated[str, Meta(description="The part of the resource.")]
    why: Annotated[str, Meta(description="What is wrong, or what is not known.")]
    remedy: Annotated[str, Meta(description="How to mend it.")]
    command: Annotated[str, Meta(description="A command that mends it; may be empty.")]
    change: Annotated[str, Meta(description="in place, restart, recreate or next run.")]
    first_seen: Annotated[datetime | None, Meta(description="The first run that found it.")]
    last_seen: Annotated[datetime | None, Meta(description="The last run that judged it so.")]
    accepted_reason: Annotated[str | None, Meta(description="Why it is accepted.")]
    accepted_until: Annotated[date | None, Meta(description="The last day on which that counts.")]
    monthly_savings: Annotated[
        float | None, Meta(description="What the fix saves a month; null without a price.")
    ]
    currency: Annotated[str | None, Meta(description="Of the savings; null where there is none or several.")]
    tags: Annotated[str, Meta(description="JSON: the resource's tags.")]
    evidence: Annotated[str, Meta(description="JSON: what was read.")]
    lowered: Annotated[str, Meta(description="JSON: why the severity is below the rule's.")]
    maps: Annotated[str, Meta(description="JSON: controls and practices that say the same.")]
    chain: Annotated[str, Meta(description="JSON: the way from an endpoint to the resource.")]


def row_v1(run: RunV1, finding: FindingV1) -> RowV1:
    """A finding as a row."""
    currencies = {saving.currency for saving in finding.savings if saving.amount is not None}
    currency = currencies.pop() if len(currencies) == 1 else None
    amounts = [saving.amount for saving in finding.savings if saving.amount is not None]
    same = {name: getattr(finding, name) for name in RowV1.__struct_fields__ if name in _SAME}
    return RowV1(
        schema_version=SCHEMA_VERSION,
        run_id=run.id,
        run_started=run.started,
        run_complete=run.complete,
        accepted_reason=finding.accepted.reason if finding.accepted else None,
        accepted_until=finding.accepted.expires if finding.accepted else None,
        monthly_savings=round(sum(amounts), 2) if currency else None,
        currency=currency,
        tags=_text(finding.tags),
        evidence=_text(finding.evidence),
        lowered=_text(finding.lowered),
        maps=_text(finding.maps),
        chain=_text(finding.chain),
        **same,
    )


_NESTED = frozenset({"tags", "evidence", "lowered", "maps", "chain"})
_SAME = frozenset(FindingV1.__struct_fields__) - _NESTED


def _text(value: Any) -> str:
    return encoded(value).decode()


def rows(feed: Feed) -> Iterator[RowV1]:
    """Every finding of a run as a row, and those that it resolved."""
    for findings in (feed.findings(), feed.resolved()):
        for finding in findings:
            yield row_v1(feed.run, finding)


def jsonl_gz_chunks(feed: Feed) -> Iterator[bytes]:
    """The rows as gzip'd JSON lines."""
    return _zipped(encoded(row) + b"\n" for row in rows(feed))


class _Pipe:
    """What a writer needs of a file, to take out again what was written to it."""

    def __init__(self) -> None:
        self.held: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.held.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        data = b"".join(self.held)
        self.held.clear()
        return data


def _zipped(lines: Iterable[bytes]) -> Iterator[bytes]:
    pipe = _Pipe()
    with gzip.GzipFile(filename="", mode="wb", fileobj=pipe, compresslevel=6, mtime=0) as file:
        for line in lines:
            file.write(line)
            if pipe.held:
                yield pipe.take()
    yield pipe.take()


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a row."""
    return schema_of(RowV1, "auditor finding row")
