"""The report as a file: its policy fits what is in it, and what is in it is the feed."""

import base64
import gzip
import hashlib
import json
import re
from html.parser import HTMLParser

from feeds import demo_feed, hostile_feed, stated_feed

from auditor.feed_v1 import Feed
from auditor.outputs.html import chart, html_chunks


def page(feed: Feed) -> str:
    return b"".join(html_chunks(feed)).decode()


class Elements(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_policy_allows_this_style_and_this_script_alone() -> None:
    text = page(demo_feed())
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    said = policy[1].replace("&#39;", "'")
    style = text.split("<style>")[1].split("</style>")[0]
    script = text.rpartition("<script>")[2].split("</script>")[0]
    for part, name in ((style, "style-src"), (script, "script-src")):
        digest = base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()
        assert f"{name} 'sha256-{digest}'" in said
    assert said.startswith("default-src 'none'")
    assert "unsafe" not in said


def test_nothing_in_it_is_fetched_or_runs_by_an_attribute() -> None:
    for feed in (demo_feed(), hostile_feed(), stated_feed()):
        for tag, attributes in Elements(page(feed)).found:
            assert not [name for name in attributes if name.startswith("on") or name == "style"]
            assert "src" not in attributes
            href = attributes.get("href") or "#"
            assert href.startswith(("#", "https://"))
            assert tag not in ("img", "iframe", "object", "embed", "link", "base", "form") or tag == "form"


def test_the_findings_in_it_are_those_of_the_feed() -> None:
    for feed in (demo_feed(), hostile_feed(), stated_feed()):
        packed = page(feed).split('id="data">')[1].split("</script>")[0]
        data = json.loads(gzip.decompress(base64.b64decode(packed)))
        found = list(feed.findings())
        assert [row[0] for row in data["findings"]] == [finding.id for finding in found]
        for row, finding in zip(data["findings"], found, strict=True):
            place = data["resources"][row[2]]
            assert (data["rules"][row[1]]["code"], place[0], row[10]) == (
                finding.rule,
                finding.resource_arn,
                finding.why,
            )


def test_a_trend_is_drawn_of_two_runs_and_more() -> None:
    from datetime import timedelta

    import msgspec
    from runs import NOW

    from auditor.feed_v1 import PointV1, ScoreV1

    score = ScoreV1(50.0, 75.0, 0.9, {})
    one = PointV1("1", NOW, True, score, {}, {}, {}, 0, {}, {}, {})
    two = msgspec.structs.replace(
        one, id="2", started=NOW + timedelta(days=1), score=ScoreV1(100.0, 100.0, 1.0, {})
    )
    none = msgspec.structs.replace(one, score=ScoreV1(None, None, None, {}))
    assert chart([one]) is None
    assert chart([one, none]) is None
    drawn = chart([one, two])
    assert drawn is not None
    top, bottom = drawn.lines[-1].y, drawn.lines[0].y
    assert [dot.y for dot in drawn.dots] == [(top + bottom) / 2, top]
    assert drawn.low.split()[0] == f"{drawn.left}.0,{(top + bottom) / 2}" or drawn.low.startswith(
        f"{drawn.left},"
    )


def test_an_incomplete_run_says_so_first() -> None:
    assert "This run is not complete." in page(demo_feed())
