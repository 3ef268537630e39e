"""A baseline: findings of one day that are accepted until another, each by its rule, resource and part.

`auditor baseline` writes the file and the setting `baseline` names it. The file holds one line of JSON for each
finding, sorted, so that a review sees what was added.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path

import msgspec

from auditor.feed_v1 import FindingV1
from auditor.settings import Accepted, SettingsError

Key = tuple[str, str, str]
"""Rule code, resource ARN, part."""
Baseline = Mapping[Key, Accepted]


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rule: str
    resource: str
    part: str
    reason: str
    expires: date


def read_baseline(path: Path) -> dict[Key, Accepted]:
    """The accepted findings of a file. Raises `SettingsError` with the line that cannot be used."""
    found: dict[Key, Accepted] = {}
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        said = "there is no such baseline" if isinstance(error, FileNotFoundError) else str(error.strerror)
        raise SettingsError(f"{said}: `auditor baseline` makes one", file=str(path)) from error
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            entry = msgspec.json.decode(text, type=_Line)
        except msgspec.DecodeError as error:
            raise SettingsError(f"is no line of a baseline: {error}", file=str(path), line=number) from error
        found[entry.rule, entry.resource, entry.part] = Accepted(
            rule=entry.rule,
            resource=entry.resource,
            part=entry.part,
            reason=entry.reason,
            expires=entry.expires,
        )
    return found


def baseline_chunks(entries: Baseline) -> Iterator[bytes]:
    """The file of a baseline."""
    for (rule, resource, part), entry in sorted(entries.items()):
        yield msgspec.json.encode(_Line(rule, resource, part, entry.reason, entry.expires)) + b"\n"


def accepting(
    earlier: Baseline, findings: Iterable[FindingV1], *, reason: str, expires: date, today: date
) -> dict[Key, Accepted]:
    """An earlier baseline's entries that still count, and each finding that fails today."""
    kept = {key: entry for key, entry in earlier.items() if entry.expires >= today}
    for finding in findings:
        if finding.verdict == "fail" and finding.accepted is None and finding.state != "resolved":
            key = (finding.rule, finding.resource_arn, finding.part)
            kept[key] = Accepted(rule=key[0], resource=key[1], part=key[2], reason=reason, expires=expires)
    return kept


def accepted_by(baseline: Baseline, key: Key, today: date) -> Accepted | None:
    """The baseline's entry for a finding, as long as it counts."""
    entry = baseline.get(key)
    return entry if entry is not None and entry.expires >= today else None
