"""The course of runs for a terminal: a table of scores, counts and waste, and a plot."""

from collections.abc import Iterator, Sequence

from tabulate import tabulate

from auditor.feed_v1 import SEVERITIES, PointV1, ScoreV1
from auditor.outputs.table import interval, money

HEIGHT = 10
"""Lines of a plot; each stands for ten points of the score."""

_LEVELS = " ▁▂▃▄▅▆▇█"


def trend_text(points: Sequence[PointV1], width: int = 110, pillar: str = "") -> Iterator[str]:
    """A plot of the score, of the whole or of one pillar, and a row for each run, the oldest first."""
    if not points:
        yield "No runs.\n"
        return
    title = f"Score of {pillar}" if pillar else "Score"
    scores = [point.pillars[pillar] if pillar else point.score for point in points]
    yield from plot(title, scores, points, width)
    counted = "findings" if pillar else "crit/high/med/low/info"
    headers = ["run", "score", "known", counted, "unknown", "new", "resolved", "unconf.", "waste a month"]
    rows = [_row(point, score, pillar) for point, score in zip(points, scores, strict=True)]
    align = ("left", *["right"] * (len(headers) - 1))
    table = tabulate(rows, headers=headers, tablefmt="simple", disable_numparse=True, colalign=align)
    yield f"\n{table}\n"
    if not all(point.complete for point in points):
        yield "* not complete: something was not known\n"
    if not pillar:
        names = list(points[-1].pillars)
        rows = [[point.id, *(_pillar(point, name) for name in names)] for point in points]
        yield "\nScore and findings by pillar\n\n"
        yield tabulate(rows, headers=["run", *names], tablefmt="simple", disable_numparse=True) + "\n"


def _row(point: PointV1, score: ScoreV1, pillar: str) -> list[str]:
    counts = [point.by_pillar.get(pillar, 0)] if pillar else [point.severities.get(s, 0) for s in SEVERITIES]
    changes = [point.changes.get(what, 0) for what in ("new", "resolved", "unconfirmed")]
    waste = point.waste_by_pillar.get(pillar, {}) if pillar else point.waste
    return [
        point.id + ("" if point.complete else " *"),
        *interval(score),
        "/".join(map(str, counts)),
        str(point.unknown),
        *map(str, changes),
        money(waste) or "-",
    ]


def _pillar(point: PointV1, name: str) -> str:
    score = point.pillars.get(name)
    return f"{interval(score)[0]} ({point.by_pillar.get(name, 0)})" if score is not None else "-"


def plot(title: str, scores: Sequence[ScoreV1], points: Sequence[PointV1], width: int) -> Iterator[str]:
    """A column for each run: full up to the score's lower end, dotted from there to its upper end."""
    room = max(10, width - 8)
    shown = list(zip(scores, points, strict=True))[-room:]
    wide = max(1, min(6, room // len(shown)))
    yield f"{title}: full up to the lower end, dotted up to the upper end\n\n"
    for line in range(HEIGHT, 0, -1):
        top = 100 / HEIGHT * line
        cells = "".join((_cell(score, top) * max(1, wide - 1)).ljust(wide) for score, _ in shown)
        yield f"{int(top):>4} │{cells.rstrip()}\n"
    yield f"   0 └{'─' * (wide * len(shown))}\n"
    first, last = (f"{point.started:%Y-%m-%d}" for point in (shown[0][1], shown[-1][1]))
    gap = wide * len(shown) - len(first) - len(last)
    yield "      " + (first + " " * gap + last if gap > 0 else f"{first} to {last}") + "\n"


def _cell(score: ScoreV1, top: float) -> str:
    """A character of one run's column on the line that ends at `top`."""
    if score.low is None or score.high is None:
        return " "
    step = 100 / HEIGHT
    if score.low >= top:
        return "█"
    part = int((score.low - (top - step)) / step * 8)
    if part > 0:
        return _LEVELS[part]
    return "░" if score.high > top - step else " "
