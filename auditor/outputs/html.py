"""The report as one HTML file that loads nothing: summary, trend, fixes, findings, what is not known, practices, rules.

All but the list of findings is there without JavaScript. The policy in its head lets exactly this style and this script
run, by their hashes. Findings stand in it as gzip'd JSON in base64: nothing in them can be taken for markup.
"""

import base64
import functools
import hashlib
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, NamedTuple

from auditor.feed_v1 import SEVERITIES, Feed, FindingV1, PointV1, ScoreV1
from auditor.outputs.json_v1 import encoded
from auditor.outputs.table import interval, money
from auditor.outputs.text import safe

FIXES = 25
"""How many of the next best fixes the page shows."""
GAPS = 500
STANDARDS = {
    "security_hub": "Security Hub",
    "config_rule": "Config rule",
    "ml_lens": "ML Lens",
    "prowler": "Prowler",
}

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 480, 170, 30, 22, 8


@dataclass(slots=True)
class _Counts:
    """What the page says before a browser has unpacked the findings."""

    severities: Counter[str] = field(default_factory=Counter)
    unknown: int = 0
    in_all: int = 0

    def add(self, finding: FindingV1) -> None:
        self.in_all += 1
        if finding.verdict == "unknown":
            self.unknown += 1
        elif finding.accepted is None:
            self.severities[finding.severity] += 1


def html_chunks(feed: Feed) -> Iterator[bytes]:
    """The page, part by part; memory grows with resources, not with findings."""
    counts = _Counts()
    for finding in feed.findings():
        counts.add(finding)
    page = _template().render(_context(feed, counts))
    yield page.encode("utf-8", "backslashreplace")
    yield b'<script type="text/plain" id="data">'
    yield from _base64(_gzip(_data(feed)))
    yield b"</script>\n<script>"
    yield _asset("page.js").encode()
    yield b"</script>\n</body>\n</html>\n"


def content_policy() -> str:
    """The page's content security policy: this style and this script, pictures of its own, and nothing else."""
    style, script = (_hash(name) for name in ("page.css", "page.js"))
    return (
        f"default-src 'none'; style-src '{style}'; script-src '{script}'; base-uri 'none'; form-action 'none'"
    )


def _hash(name: str) -> str:
    digest = hashlib.sha256(_asset(name).encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


@functools.cache
def _asset(name: str) -> str:
    return resources.files("auditor.web").joinpath(name).read_text("utf-8")


@functools.cache
def _template() -> Any:
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(_asset),
    )
    environment.filters.update(
        interval=_interval,
        coverage=_coverage,
        money=money,
        visible=safe,
        standard=lambda name: STANDARDS[name],
    )
    # The two files are ours, and their hashes are in the policy: they stand in the page byte for byte.
    environment.globals |= {"style": Markup(_asset("page.css")), "policy": content_policy()}  # noqa: S704
    return environment.get_template("report.html.jinja")


def _interval(score: ScoreV1) -> str:
    low_high, _ = interval(score)
    return low_high if low_high == "-" else low_high.replace("-", "–")


def _coverage(score: ScoreV1) -> str:
    return interval(score)[1]


def _context(feed: Feed, counts: _Counts) -> dict[str, Any]:
    observed = Counter(practice.observed for practice in feed.coverage)
    return {
        "run": feed.run,
        "severities": SEVERITIES,
        "counts": counts,
        "pillars": [*feed.pillars.items(), ("all", feed.run.score)],
        "trend": feed.trend,
        "chart": chart(feed.trend),
        "charts": [(pillar, chart(feed.trend, pillar)) for pillar in feed.pillars],
        "fixes": feed.fixes[:FIXES],
        "fixes_in_all": len(feed.fixes),
        "gaps": feed.gaps[:GAPS],
        "gaps_in_all": len(feed.gaps),
        "coverage": feed.coverage,
        "practice_counts": ", ".join(f"{number} {name}" for name, number in observed.items()),
        "rules": feed.rules,
    }


# ------------------------------------------------------------------------------------------- trend


class _Line(NamedTuple):
    y: float
    value: int


class _Dot(NamedTuple):
    x: float
    y: float
    title: str


class Chart(NamedTuple):
    """A chart's measures in units of its view box; `band`, `high` and `low` are lists of points for SVG."""

    width: int
    height: int
    left: int
    lines: list[_Line]
    band: str
    high: str
    low: str
    dots: list[_Dot]


def chart(trend: Sequence[PointV1], pillar: str = "") -> Chart | None:
    """The course of the score, of the whole or of a pillar; nothing is drawn of a single run."""
    scores = [(point, point.pillars.get(pillar) if pillar else point.score) for point in trend]
    points = [(point, score) for point, score in scores if score is not None and score.low is not None]
    if len(points) < 2:
        return None
    step = (_WIDTH - _LEFT - 4) / (len(points) - 1)
    xs = [round(_LEFT + number * step, 1) for number in range(len(points))]
    low = [_y(score.low) for _, score in points]
    high = [_y(score.high) for _, score in points]
    return Chart(
        _WIDTH,
        _HEIGHT,
        _LEFT,
        [_Line(_y(value), value) for value in (0, 25, 50, 75, 100)],
        _points([*zip(xs, high, strict=True), *reversed([*zip(xs, low, strict=True)])]),
        _points(zip(xs, high, strict=True)),
        _points(zip(xs, low, strict=True)),
        [_Dot(x, y, _said(point, score)) for x, y, (point, score) in zip(xs, low, points, strict=True)],
    )


def _said(point: PointV1, score: ScoreV1) -> str:
    return f"{point.started:%Y-%m-%d %H:%M}: {interval(score)[0]}"


def _y(value: float | None) -> float:
    room = _HEIGHT - _TOP - _BOTTOM
    return round(_TOP + room * (1 - (value or 0.0) / 100), 1)


def _points(pairs: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in pairs)


# -------------------------------------------------------------------------------------------- data


def _data(feed: Feed) -> Iterator[bytes]:
    """What the script reads, as JSON: see the head of page.js."""
    rules = {rule.code: number for number, rule in enumerate(feed.rules)}
    known = [
        {
            "code": rule.code,
            "name": rule.name,
            "title": rule.title,
            "pillar": rule.pillar,
            "severity": rule.severity,
            "remedy": rule.remedy,
            "change": rule.change,
            "maps": [[STANDARDS[each.standard], each.id, each.title, each.url] for each in rule.maps],
        }
        for rule in feed.rules
    ]
    places: dict[bytes, int] = {}
    yield b'{"rules": ' + encoded(known) + b', "findings": ['
    before = b"\n"
    for finding in feed.findings():
        place = encoded(_resource(finding))
        yield before + encoded(_row(finding, rules[finding.rule], places.setdefault(place, len(places))))
        before = b",\n"
    yield b'], "resources": [' + b",\n".join(places) + b'], "fixes": '
    yield encoded([{"findings": fix.findings} for fix in feed.fixes[:FIXES]]) + b"}"


def _resource(finding: FindingV1) -> list[Any]:
    return [
        finding.resource_arn,
        finding.resource_name,
        finding.resource_kind,
        finding.resource_type,
        finding.account,
        finding.region,
        finding.environment,
        finding.environment_source,
        finding.tags,
        finding.chain,
    ]


def _row(finding: FindingV1, rule: int, resource: int) -> list[Any]:
    accepted = finding.accepted
    return [
        finding.id,
        rule,
        resource,
        finding.part,
        int(finding.verdict == "unknown"),
        SEVERITIES.index(finding.severity),
        finding.score,
        finding.state,
        finding.first_seen,
        finding.last_seen,
        finding.why,
        [[item.operation, item.field, item.value] for item in finding.evidence],
        finding.lowered,
        finding.command,
        [saving.text for saving in finding.savings],
        finding.opposed,
        [accepted.reason, accepted.expires] if accepted is not None else None,
        sum(saving.amount or 0 for saving in finding.savings),
    ]


def _gzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()


def _base64(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Base64 of a stream: three bytes at a time make four characters."""
    held = b""
    for piece in pieces:
        held += piece
        whole = len(held) - len(held) % 3
        if whole:
            yield base64.b64encode(held[:whole])
            held = held[whole:]
    if held:
        yield base64.b64encode(held)
