"""The report in a real browser: it loads nothing, shows the right rows, keeps names as text, and is for everyone."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import browser
from feeds import HOSTILE, demo_feed, hostile_feed, many, stated_feed
from playwright.sync_api import Browser, Page, expect

from auditor.feed_v1 import SEVERITIES, Feed, FindingV1
from auditor.outputs.html import html_chunks

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


class Visit:
    """A page with everything that it complained about and asked for."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.said: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("dialog", lambda dialog: (self.said.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: self.asked.append(request.url))


Open = Callable[..., Visit]


@pytest.fixture
def visit(chromium: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens the report of a feed; at the end nothing may have been complained about or asked for."""
    visits: list[Visit] = []

    def opened(feed: Feed, *, scheme: Any = "light", size: Any = DESKTOP, at: str = "", **more: Any) -> Visit:
        path = tmp_path / "report.html"
        path.write_bytes(b"".join(html_chunks(feed)))
        context = chromium.new_context(viewport=size, color_scheme=scheme, **more)
        context.set_default_timeout(20_000)
        made = Visit(context.new_page())
        made.page.goto(path.as_uri() + at)
        if more.get("java_script_enabled", True):
            made.page.wait_for_function("() => window.auditor")
        visits.append(made)
        return made

    yield opened
    for made in visits:
        assert made.said == []
        assert {url.split("#")[0].rpartition("/")[2] for url in made.asked} == {"report.html"}
        made.page.context.close()


def shown(page: Page) -> list[str]:
    """The ids of all findings in the list, in its order, drawn or not."""
    found: list[str] = page.evaluate(
        "auditor.list.lines.filter(l => l.index !== undefined).map(l => auditor.findings.rows[l.index][0])"
    )
    return found


def ids(feed: Feed, wanted: Callable[[FindingV1], bool] = lambda _: True) -> list[str]:
    return [finding.id for finding in feed.findings() if wanted(finding)]


def choose(page: Page, field: str, value: str) -> None:
    page.locator(f"select[data-field={field}]").select_option(value)


# ------------------------------------------------------------------------------------------- rows


def test_it_shows_every_finding_in_order(visit: Open) -> None:
    page = visit(demo_feed()).page
    assert shown(page) == ids(demo_feed())
    first = next(demo_feed().findings())
    row = page.locator("#line-0")
    expect(row).to_contain_text(first.rule)
    expect(row).to_contain_text(first.resource_name)
    expect(row).to_contain_text(first.why)
    assert page.locator(".row").count() < 60


FILTERS: dict[str, tuple[str, Callable[[FindingV1], str]]] = {
    "pillar": ("cost", lambda f: f.pillar),
    "severity": ("high", lambda f: f.severity),
    "rule": ("SEC-003", lambda f: f.rule),
    "environment": ("production", lambda f: f.environment),
    "region": ("us-east-1", lambda f: f.region),
    "kind": ("endpoint", lambda f: f.resource_kind),
    "state": ("reopened", lambda f: f.state or ""),
    "verdict": ("unknown", lambda f: "accepted" if f.accepted else f.verdict),
}


def test_each_filter_gives_the_right_rows_and_a_link_keeps_it(visit: Open) -> None:
    feed = stated_feed()
    page = visit(feed).page
    for field, (value, read) in FILTERS.items():
        choose(page, field, value)
        expected = ids(feed, lambda f, read=read, value=value: read(f) == value)  # type: ignore[misc]
        assert expected
        assert shown(page) == expected
        expect(page.locator("#count")).to_have_text(f"{len(expected)} of {len(ids(feed))} findings")
        assert f"{field}={value}" in page.url
        page.locator("button[type=reset]").click()
    assert shown(page) == ids(feed)
    choose(page, "pillar", "security")
    choose(page, "severity", "high")
    both = shown(page)
    assert both == ids(feed, lambda f: f.pillar == "security" and f.severity == "high")
    address = page.url.partition("#")[2]
    assert shown(visit(feed, at=f"#{address}").page) == both


def test_search_looks_into_names_arns_reasons_tags_and_evidence(visit: Open) -> None:
    feed = demo_feed()
    page = visit(feed).page

    def text(f: FindingV1) -> str:
        evidence = "\n".join(f"{e.field}={msgspec.json.encode(e.value).decode()}" for e in f.evidence)
        tags = "\n".join(part for pair in f.tags.items() for part in pair)
        return "\n".join(
            (
                f.rule,
                f.name,
                f.title,
                f.resource_name,
                f.resource_arn,
                f.resource_kind,
                f.part,
                f.why,
                f.id,
                tags,
                evidence,
            )
        ).lower()

    for words in ("churn", "SEC-003", "ROOT user", "rootaccess", "endpoint larkspur", "fraud gpu"):
        page.locator("#search").fill(words)
        page.wait_for_function("words => auditor.wanted.q === words", arg=words)
        expected = ids(feed, lambda f, words=words: all(w in text(f) for w in words.lower().split()))  # type: ignore[misc]
        assert shown(page) == expected
    page.locator("#search").fill("nothing is called that")
    expect(page.locator("#none")).to_be_visible()


def test_sorting_and_grouping(visit: Open) -> None:
    feed = demo_feed()
    page = visit(feed).page
    found = list(feed.findings())
    orders: dict[str, Callable[[FindingV1], Any]] = {
        "severity": lambda f: (SEVERITIES.index(f.severity), -f.score),
        "rule": lambda f: f.rule,
        "resource": lambda f: f.resource_name or f.resource_kind,
        "savings": lambda f: -sum(s.amount or 0 for s in f.savings),
        "score": lambda _: 0,
    }
    for name, key in orders.items():
        page.locator("#sort").select_option(name)
        assert shown(page) == [f.id for f in sorted(found, key=key)]
    groups: dict[str, Callable[[FindingV1], str]] = {
        "rule": lambda f: f.rule,
        "environment": lambda f: f.environment,
        "account": lambda f: f.account,
        "resource": lambda f: f.resource_arn or f.resource_name or f.resource_kind,
    }
    for name, by in groups.items():
        page.locator("#group").select_option(name)
        sizes = page.evaluate(
            "Object.fromEntries(auditor.list.lines.filter(l => l.size).map(l => [l.key, l.size]))"
        )
        assert sizes == Counter(map(by, found))
        assert sorted(shown(page)) == sorted(ids(feed))
    page.locator("#group").select_option("environment")
    before = len(shown(page))
    page.locator(".row.header").first.click()
    assert len(shown(page)) < before


def test_the_summary_and_the_fixes_lead_to_their_findings(visit: Open) -> None:
    feed = demo_feed()
    page = visit(feed).page
    page.locator("[data-filter='severity=critical']").click()
    assert shown(page) == ids(feed, lambda f: f.severity == "critical")
    page.locator("[data-filter='fix=0']").click()
    assert sorted(shown(page)) == sorted(feed.fixes[0].findings)
    expect(page.locator("#count")).to_contain_text("of one change")
    figure = page.locator(".figure", has_text="critical").locator(".value")
    expect(figure).to_have_text(
        str(len(ids(feed, lambda f: f.severity == "critical" and f.verdict == "fail")))
    )


# ----------------------------------------------------------------------------------------- detail


def test_a_finding_in_full_and_its_command_on_the_clipboard(visit: Open) -> None:
    feed = demo_feed()
    found = next(f for f in feed.findings() if f.command and f.chain and f.evidence)
    made = visit(feed, at=f"#?q={found.id}")
    page = made.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator(".row").first.click()
    body = page.locator("#detail-body")
    for text in (
        found.rule,
        found.why,
        found.remedy,
        found.resource_arn,
        " > ".join(found.chain),
        found.evidence[0].field,
    ):
        expect(body).to_contain_text(text)
    body.locator("button.copy").click()
    expect(body.locator("button.copy")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == found.command
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).not_to_be_visible()


def test_it_is_used_by_keyboard_alone(visit: Open) -> None:
    feed = demo_feed()
    page = visit(feed).page
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "list":
            break
    expect(page.locator("#list")).to_be_focused()
    for _ in range(12):
        page.keyboard.press("ArrowDown")
    assert page.locator("#list").get_attribute("aria-activedescendant") == "line-12"
    expect(page.locator("#line-12")).to_be_in_viewport()
    page.keyboard.press("End")
    assert page.locator("#list").get_attribute("aria-activedescendant") == f"line-{len(ids(feed)) - 1}"
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(page.locator("#detail")).to_be_visible()
    expect(page.locator("#detail-title")).to_contain_text(next(feed.findings()).rule)
    page.keyboard.press("Escape")
    expect(page.locator("#list")).to_be_focused()


def test_the_reason_behind_a_rule_is_one_step_away(visit: Open) -> None:
    page = visit(demo_feed()).page
    page.locator(".row").first.click()
    page.locator("#detail a[href^='#rule-']").click()
    code = next(demo_feed().findings()).rule
    expect(page.locator(f"#rule-{code}")).to_be_in_viewport()
    expect(page.locator("#detail")).not_to_be_visible()


# ------------------------------------------------------------------------------- hostile and large


def test_hostile_names_stay_text(visit: Open) -> None:
    feed = hostile_feed()
    page = visit(feed).page
    assert sorted(shown(page)) == sorted(ids(feed))
    seen = 0
    for number in range(len(ids(feed))):
        name = page.evaluate("n => auditor.findings.name(auditor.findings.rows[n])", number)
        page.evaluate("n => auditor.open(n)", number)
        seen += any(name.startswith(text[:200]) for text in HOSTILE)
        page.evaluate("document.getElementById('detail').close()")
    assert seen >= len(HOSTILE)
    assert page.locator("script").count() == 2
    assert page.locator("img, iframe, object, embed, svg[onload]").count() == 0
    assert page.evaluate("document.body.innerText.includes('\\u202e')") is False
    assert page.evaluate("document.body.innerText.includes('\\u001b')") is False
    page.locator("#search").fill("\x1b[31mred")
    page.wait_for_function("() => auditor.wanted.q !== ''")
    expect(page.locator(".row").first).to_contain_text("\\x1b[31mred")


def test_fifty_thousand_findings_draw_only_what_is_seen(visit: Open) -> None:
    page = visit(many(50_000)).page
    expect(page.locator("#count")).to_have_text("50000 findings")
    assert page.locator(".row").count() < 60
    page.locator("#list").evaluate("box => { box.scrollTop = box.scrollHeight; }")
    expect(page.locator("#line-49999")).to_be_visible()
    assert page.locator(".row").count() < 60
    page.locator("#search").fill("-49999")
    expect(page.locator("#count")).to_have_text("1 of 50000 findings")


# -------------------------------------------------------------------------------- for everyone


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_and_nothing_is_wider_than_the_screen(
    visit: Open, scheme: str, size: Any
) -> None:
    # axe is put into the page as a script, which the page's policy rightly refuses unless it is set aside.
    page = visit(stated_feed(), scheme=scheme, size=size, bypass_csp=True).page
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.locator(".row").first.click()
    assert violations(page) == []


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:200]} {each['nodes'][0]['failureSummary'][:300]}"
        for each in found
    ]


def test_the_theme_can_be_chosen(visit: Open) -> None:
    page = visit(demo_feed()).page

    def paper() -> Any:
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    light = paper()
    page.locator("#theme").click()
    page.locator("#theme").click()
    expect(page.locator("#theme")).to_have_text("Theme: dark")
    assert paper() != light


def test_without_javascript_all_but_the_list_is_there(visit: Open) -> None:
    page = visit(demo_feed(), java_script_enabled=False).page
    expect(page.locator("noscript .notice")).to_contain_text(
        f"The list of {len(ids(demo_feed()))} findings needs JavaScript"
    )
    expect(page.locator(".pillars tbody tr")).to_have_count(6)
    expect(page.locator(".fixes tbody tr")).to_have_count(25)
    assert page.locator("button:visible:enabled").count() == 0


def test_it_prints_with_its_findings(visit: Open) -> None:
    page = visit(demo_feed()).page
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator("#print article").count() == 400
    expect(page.locator("#print")).to_contain_text(
        f"{len(ids(demo_feed())) - 400} more findings are not printed"
    )
    expect(page.locator(".filters")).not_to_be_visible()
    expect(page.locator(".pillars")).to_be_visible()
