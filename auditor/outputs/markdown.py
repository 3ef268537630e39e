"""A run as Markdown, for the comment on a pull request or the summary of a job.

GitHub refuses a comment of more than 65,536 characters; so findings are told worst first, and the last line says how
many are left out. Names from AWS are text: nothing in them becomes a link, an image, a mention, HTML or a table.
"""

import re
from collections import Counter
from collections.abc import Iterator

from auditor.feed_v1 import SEVERITIES, Feed, FindingV1, FixV1
from auditor.outputs.table import interval, money
from auditor.outputs.text import plain, safe

LIMIT = 65_536
"""Characters of a comment on GitHub. A job's summary takes a mebibyte."""
_ROOM = 600
"""What is kept free for the line that says how much was cut, and for what closes the page."""
_FIXES = 5
_MARKS = re.compile(r"([\\`*_{}\[\]<>|~])")
_QUIET = {
    "&": "&amp;",
    "$": "&#36;",
    ":": "&#58;",
    ".": "&#46;",
    "@": "@&#8203;",
    "#": "#&#8203;",
    "-": "-&#8203;",
}
_LOUD = re.compile(
    r"[&$@#]|:(?=//)|(?<=mailto):|(?<=xmpp):|(?<=www)\.|(?<=gh)-(?=\d)",
    re.IGNORECASE,
)
"""What GitHub makes a link, a mention, an issue or a formula of without any mark.

It looks for mentions and issues when entities are characters again: there only a space of no width helps.
"""


def markdown_chunks(feed: Feed, limit: int = LIMIT) -> Iterator[bytes]:
    """The page, of at most `limit` characters, and of at most so many bytes too."""
    head = _head(feed)
    room = limit - _ROOM - len(head.encode())
    yield head.encode()
    left: Counter[str] = Counter()
    for severity in SEVERITIES:
        heading = f"\n### {severity.capitalize()}\n\n"
        for finding in _failing(feed):
            if finding.severity != severity:
                continue
            text = heading + _finding(finding)
            if left or len(text.encode()) > room:
                left[severity] += 1
                continue
            heading = ""
            room -= len(text.encode())
            yield text.encode()
    if left:
        said = ", ".join(f"{left[each]} {each}" for each in SEVERITIES if left[each])
        yield f"\n**{left.total()} more findings are not shown here** ({said}): this page is full.\n".encode()


def _failing(feed: Feed) -> Iterator[FindingV1]:
    return (f for f in feed.findings() if f.verdict == "fail" and f.accepted is None)


def escape(text: str) -> str:
    """A text in which nothing means anything to Markdown; what was invisible in it is shown."""
    quiet = _LOUD.sub(lambda found: _QUIET[found[0]], safe(text))
    return _MARKS.sub(r"\\\1", quiet)


def _head(feed: Feed) -> str:
    run = feed.run
    counted: Counter[str] = Counter()
    unknown = accepted = 0
    for finding in feed.findings():
        if finding.accepted is not None:
            accepted += 1
        elif finding.verdict == "unknown":
            unknown += 1
        else:
            counted[finding.severity] += 1
    summed = ", ".join(f"{counted[severity]} {severity}" for severity in SEVERITIES if counted[severity])
    lines = [
        f"## auditor: {counted.total()} findings in account {escape(run.account)}",
        "",
        (
            f"{summed or 'Nothing found'}; {unknown} unknown, {accepted} accepted. "
            f"{run.started:%Y-%m-%d %H:%M} UTC, {', '.join(run.regions)}."
        ),
    ]
    if run.changes:
        told = ", ".join(f"{number} {what}" for what, number in run.changes.items() if number)
        lines += ["", f"Since the run before: {told or 'nothing changed'}."]
    if not run.complete:
        why = f" ({escape(run.why_incomplete)})" if run.why_incomplete else ""
        lines += ["", f"**Not complete{why}: what was not read is unknown, and no pass.**"]
    lines += ["", "| pillar | score | coverage | pass | fail | unknown |", "|---|---:|---:|---:|---:|---:|"]
    for name, score in (*feed.pillars.items(), ("all", run.score)):
        shown, coverage = interval(score)
        counts = " | ".join(str(score.verdicts.get(verdict, 0)) for verdict in ("pass", "fail", "unknown"))
        lines.append(f"| {name} | {shown} | {coverage} | {counts} |")
    if feed.fixes:
        lines += [
            "",
            "### Next best fixes",
            "",
            "| points | a month | change | findings |",
            "|---:|---:|---|---:|",
        ]
        lines += [_fix(fix) for fix in feed.fixes[:_FIXES]]
    reasons = Counter(gap.reason for gap in feed.gaps)
    if reasons:
        said = ", ".join(f"{number} {escape(reason)}" for reason, number in reasons.most_common())
        lines += ["", f"Calls that did not tell: {said}."]
    return "\n".join(lines) + "\n"


def _fix(fix: FixV1) -> str:
    target = escape(f"{fix.kind} {fix.target}"[:200])
    return f"| {fix.gain:.2f} | {money(fix.savings) or '-'} | {target} ({escape(fix.change)}) | {len(fix.findings)} |"


def _finding(finding: FindingV1) -> str:
    name = escape((finding.resource_name or finding.resource_kind)[:200])
    part = f" ({escape(finding.part[:100])})" if finding.part else ""
    state = f", {finding.state}" if finding.state else ""
    evidence = "; ".join(f"{item.field}={plain(item.value)[:120]}" for item in finding.evidence[:3])
    lines = [
        (
            f"- **{finding.rule}** {name}{part} – {escape(finding.resource_kind)}, {finding.region}, "
            f"score {finding.score}{state}"
        ),
        f"  {escape(finding.why[:400])}. {escape(evidence)}",
        f"  {escape(finding.remedy)} ({escape(finding.change)})",
    ]
    return "  \n".join(lines) + "\n"
