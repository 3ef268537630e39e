"""The feed over HTTP: what it answers is what the ledger holds."""

import contextlib
import gzip
import json
import re
import socket
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx2 as httpx
import jsonschema
import msgspec
import pytest
import uvicorn
from fleets import FIRST, SECOND, arn_of, grow, held, make_fleet, name_of, rules
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.testclient import TestClient

from auditor.feed_v1 import SEVERITIES, FindingV1
from auditor.ledger.history import History
from auditor.ledger.layout import LedgerError, open_ledger
from auditor.ledger.retention import forget
from auditor.outputs.json_v1 import encoded
from auditor.server import application
from auditor.server.app import Lines, Server, make
from auditor.server.endpoints import ENDPOINTS
from auditor.server.openapi import description
from auditor.server.query import SORTS, STATES, ask
from auditor.server.running import options
from auditor.server.security import Limits
from auditor.server.store import Deadline, Store, TooLong, limited

HERE = "http://127.0.0.1"
FINDINGS = "/api/v1/findings"
NDJSON = {"Accept": "application/x-ndjson"}


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fleet") / "ledger.sqlite3"
    make_fleet(path)
    return path


@pytest.fixture(scope="module")
def client(ledger: Path) -> Iterator[TestClient]:
    with TestClient(application(ledger, token=None), HERE) as made:
        yield made


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[Path, TestClient]]:
    """A ledger that a test may change, and its server."""
    path = tmp_path / "ledger.sqlite3"
    make_fleet(path)
    with TestClient(application(path, token=None), HERE) as made:
        yield path, made


def now(path: Path) -> list[FindingV1]:
    """What holds now: of each account what its latest run told. Resolved ones of earlier runs are left out."""
    connection = open_ledger(path)
    found = held(connection, 2, 4)
    connection.close()
    return found


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [finding["id"] for finding in answer.json()["findings"]]


def walk(client: TestClient, query: str) -> list[dict[str, Any]]:
    """All pages of a question."""
    found, cursor = [], ""
    while cursor is not None:
        page = client.get(f"{FINDINGS}?{query}&cursor={cursor}").json()
        found += page["findings"]
        cursor = page["next"]
    assert len(found) == page["total"]
    return found


def lines(answer: httpx.Response) -> list[dict[str, Any]]:
    """Findings, one a line. Hostile names hold characters that other readers take for the end of one."""
    return [json.loads(line) for line in answer.content.split(b"\n")[:-1]]


# ---------------------------------------------------------------------------------------- filters

Holds = Callable[[FindingV1], bool]


def _all(_: FindingV1) -> bool:
    return True


def _none(_: FindingV1) -> bool:
    return False


CODES = [rule.code for rule in rules()]
HOSTILE_ARN, HOSTILE_NAME = arn_of(FIRST, 9), name_of(6)

FILTERS: dict[str, tuple[str, Holds]] = {
    "nothing": ("", _all),
    "an account": (f"account={SECOND}", lambda f: f.account == SECOND),
    "an account nobody read": ("account=999999999999", _none),
    "two accounts": (f"account={SECOND},{FIRST}", _all),
    "a region": ("region=us-east-1", lambda f: f.region == "us-east-1"),
    "a pillar": ("pillar=cost", lambda f: f.pillar == "cost"),
    "pillars, repeated": ("pillar=cost&pillar=security", lambda f: f.pillar in ("cost", "security")),
    "a severity": ("severity=high", lambda f: f.severity == "high"),
    "severities, by comma": ("severity=low,info", lambda f: f.severity in ("low", "info")),
    "at least a severity": ("min_severity=medium", lambda f: f.severity in SEVERITIES[:3]),
    "both": ("min_severity=medium&severity=medium,low", lambda f: f.severity == "medium"),
    "neither": ("min_severity=high&severity=low", _none),
    "a rule": (f"rule={CODES[0]}", lambda f: f.rule == CODES[0]),
    "an environment": ("environment=sandbox,unplaced", lambda f: f.environment in ("sandbox", "unplaced")),
    "a kind": ("kind=notebook-instance", _all),
    "another kind": ("kind=endpoint", _none),
    "new ones": ("state=new", lambda f: f.state == "new"),
    "open ones": ("state=open", lambda f: f.state == "open"),
    "reopened ones": ("state=reopened", lambda f: f.state == "reopened"),
    "unconfirmed ones": ("state=unconfirmed", lambda f: f.state == "unconfirmed"),
    "accepted ones": ("state=accepted", lambda f: f.state == "accepted"),
    "failures": ("verdict=fail", lambda f: f.verdict == "fail"),
    "unknowns": ("verdict=unknown", lambda f: f.verdict == "unknown"),
    "a name": (f"resource={quote(HOSTILE_NAME)}", lambda f: f.resource_name == HOSTILE_NAME),
    "an ARN": (f"resource={quote(HOSTILE_ARN)}", lambda f: f.resource_arn == HOSTILE_ARN),
    "part of a name": ("resource=Notebook", _none),
    "text in names": ("q=nOTEBOOK-1", lambda f: "notebook-1" in f.resource_arn.lower()),
    "text in why": ("q=worse", lambda f: "worse" in f.why.lower()),
    "several words": ("q=worse+notebook-1", lambda f: "WORSE" in f.why and "Notebook-1" in f.resource_name),
    "hostile text": (f"q={quote('<svg/onload')}", lambda f: "<svg/onload" in f.resource_name),
    "several filters": (
        f"account={FIRST}&region=eu-west-1&severity=critical,high&verdict=fail&q=wrong",
        lambda f: (
            (f.account, f.region, f.verdict) == (FIRST, "eu-west-1", "fail")
            and f.severity in ("critical", "high")
            and "wrong" in f.why
        ),
    ),
    "all of them": ("account=*&region=*&severity=&q=", _all),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_gives_the_rows_that_the_history_gives(client: TestClient, ledger: Path, name: str) -> None:
    query, holds = FILTERS[name]
    expected = {f.id: f for f in now(ledger) if f.state != "resolved" and holds(f)}
    answer = client.get(f"{FINDINGS}?{query}&limit=1000")
    rows = answer.json()["findings"]
    assert {row["id"]: row for row in rows} == {
        key: msgspec.to_builtins(found, str_keys=True) | _days(found) for key, found in expected.items()
    }
    assert (len(rows), answer.json()["total"]) == (len(expected), len(expected))


def _days(found: FindingV1) -> dict[str, Any]:
    told = json.loads(encoded(found))
    return {name: told[name] for name in ("first_seen", "last_seen", "accepted")}


def test_the_table_of_filters_tells_something(ledger: Path) -> None:
    found = [f for f in now(ledger) if f.state != "resolved"]
    chosen = {name: sum(map(holds, found)) for name, (_, holds) in FILTERS.items()}
    empty = {"an account nobody read", "neither", "another kind", "part of a name"}
    assert {name for name, number in chosen.items() if not number} == empty


def test_titles_are_searched(client: TestClient, ledger: Path) -> None:
    word = max(rules()[0].title.split(), key=len)
    expected = {
        f.id for f in now(ledger) if f.state != "resolved" and word in f"{f.title} {f.why} {f.resource_arn}"
    }
    assert set(ids(client.get(f"{FINDINGS}?q={quote(word)}&limit=1000"))) == expected


def test_what_is_resolved_is_told_where_it_is_asked_for(client: TestClient, ledger: Path) -> None:
    expected = {f.id for f in now(ledger) if f.state == "resolved"}
    assert set(ids(client.get(f"{FINDINGS}?state=resolved&limit=1000"))) == expected
    both = client.get(f"{FINDINGS}?state=resolved,new&limit=1000").json()["findings"]
    assert {row["state"] for row in both} == {"resolved", "new"}


def test_the_order_is_the_feeds(client: TestClient, ledger: Path) -> None:
    connection = open_ledger(ledger)
    history = History(connection)
    expected = [f.id for f in history.findings(history.find("4"))]
    connection.close()
    assert ids(client.get(f"{FINDINGS}?run=4&limit=1000")) == expected
    assert ids(client.get(f"{FINDINGS}?account={FIRST}&limit=1000")) == expected


@pytest.mark.parametrize("run", [1, 2, 3, 4])
def test_a_past_run_is_told_as_it_was(client: TestClient, ledger: Path, run: int) -> None:
    connection = open_ledger(ledger)
    history = History(connection)
    wanted = history.find(str(run))
    found, resolved = list(history.findings(wanted)), list(history.resolved(wanted))
    connection.close()
    answer = client.get(f"{FINDINGS}?run={wanted.name}&limit=1000").json()
    assert (answer["run"], len(answer["findings"])) == (wanted.name, answer["total"])
    assert answer["findings"] == [json.loads(encoded(each)) for each in found]
    closed = client.get(f"{FINDINGS}?run={run}&state=resolved&limit=1000").json()["findings"]
    assert closed == [json.loads(encoded(each)) for each in resolved]


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_pages_visit_each_finding_once(client: TestClient, ledger: Path, sort: str, limit: int) -> None:
    found = walk(client, f"sort={sort}&limit={limit}&verdict=fail&min_severity=high")
    expected = Counter(
        f.id
        for f in now(ledger)
        if f.verdict == "fail" and f.state != "resolved" and f.severity in ("critical", "high")
    )
    assert Counter(row["id"] for row in found) == expected
    if sort == "severity":
        keys = [SEVERITIES.index(row["severity"]) for row in found]
    elif sort == "first_seen":
        keys = [-datetime.fromisoformat(row["first_seen"]).timestamp() for row in found]
    else:
        # Failures worst first, then what is accepted.
        keys = [(row["accepted"] is not None, -row["score"]) for row in found]
    assert keys == sorted(keys)


def test_counts_are_of_the_same_findings(client: TestClient, ledger: Path) -> None:
    answer = client.get("/api/v1/facets?region=eu-west-1").json()
    found = [f for f in now(ledger) if f.state != "resolved" and f.region == "eu-west-1"]
    told = {
        name: {each["value"]: each["findings"] for each in values}
        for name, values in answer["facets"].items()
    }
    fields = {"kind": "resource_kind"}
    assert answer["total"] == len(found)
    for name, counts in told.items():
        assert counts == Counter(getattr(f, fields.get(name, name)) or "none" for f in found)
        assert list(counts.values()) == sorted(counts.values(), reverse=True)


# ------------------------------------------------------------------------------- one, runs, pillars


def test_a_finding_is_told_with_its_history(client: TestClient, ledger: Path) -> None:
    (found, *_) = [f for f in now(ledger) if f.state == "reopened"]
    answer = client.get(f"{FINDINGS}/{found.id}").json()
    assert answer["finding"] == json.loads(encoded(found))
    told = [(event["number"], event["what"], event["why"]) for event in answer["events"]]
    assert told == [(1, "new", ""), (3, "resolved", "no longer fails"), (4, "reopened", "")]
    assert answer["events"][0]["run"] == "20261101T060000Z-1"
    for missing in ("00" * 10, "no-number", "x" * 70):
        assert client.get(f"{FINDINGS}/{missing}").status_code == 404


def test_runs_are_told_the_latest_first(client: TestClient) -> None:
    pages = client.get("/api/v1/runs?limit=3").json()
    rest = client.get(f"/api/v1/runs?limit=3&cursor={pages['next']}").json()
    found = pages["runs"] + rest["runs"]
    assert [(run["number"], run["account"]) for run in found] == [
        (4, FIRST),
        (3, FIRST),
        (2, SECOND),
        (1, FIRST),
    ]
    assert (rest["next"], rest["total"]) == (None, 4)
    only = client.get(f"/api/v1/runs?account={SECOND}").json()["runs"]
    assert [run["number"] for run in only] == [2]


def test_the_parts_of_a_run_are_the_historys(client: TestClient, ledger: Path) -> None:
    connection = open_ledger(ledger)
    history = History(connection)
    run = history.find("4")
    for path, name, expected in (
        ("rules", "rules", history.rules(run)),
        ("coverage", "practices", history.coverage(run)),
        ("fixes", "fixes", history.fixes(run)),
        ("gaps", "gaps", history.gaps(run)),
    ):
        answer = client.get(f"/api/v1/{path}?limit=1000").json()
        assert answer[name] == json.loads(encoded(expected))
        assert answer["run"] == run.name
    detail = client.get("/api/v1/runs/latest").json()
    assert detail["run"] == json.loads(encoded(history.run_v1(run)))
    rule = history.rules(run)[0]
    assert client.get(f"/api/v1/rules/{rule.code}").json()["rule"] == json.loads(encoded(rule))
    pillars = client.get("/api/v1/pillars").json()
    assert pillars["trend"] == json.loads(encoded(history.points(r for r in history.runs(FIRST))))
    assert [each["pillar"] for each in pillars["pillars"]] == list(history.pillars(run))
    assert client.get(f"/api/v1/pillars?account={SECOND}").json()["run"].endswith("-2")
    connection.close()


def test_the_changes_of_a_run_are_those_that_were_counted(client: TestClient) -> None:
    run = client.get("/api/v1/runs/4").json()["run"]
    answer = client.get("/api/v1/runs/4/changes?limit=1000").json()
    told = Counter(change["what"] for change in answer["changes"])
    assert {**dict.fromkeys(run["changes"], 0), **{k: n for k, n in told.items() if k != "changed"}} == run[
        "changes"
    ]
    assert told["changed"]
    resolved = client.get("/api/v1/runs/4/changes?what=resolved").json()["changes"]
    assert {change["finding"]["state"] for change in resolved} == {"resolved"}


# ---------------------------------------------------------------------------------------- protocol


def test_a_tag_saves_the_answer_until_the_ledger_moves_on(own: tuple[Path, TestClient]) -> None:
    path, client = own
    for address in (
        FINDINGS,
        f"{FINDINGS}?severity=high",
        "/api/v1/pillars",
        "/api/v1/runs",
        "/openapi.json",
    ):
        first = client.get(address)
        again = client.get(address, headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
    one, other = client.get(f"{FINDINGS}?limit=1"), client.get(f"{FINDINGS}?limit=2")
    assert one.headers["etag"] != other.headers["etag"]
    same = [
        client.get(f"{FINDINGS}?severity={text}").headers["etag"]
        for text in ("low,info", "info&severity=low")
    ]
    assert same[0] == same[1]
    grow(path)
    fresh = client.get(f"{FINDINGS}?limit=1", headers={"If-None-Match": one.headers["etag"]})
    assert fresh.status_code == 200
    assert fresh.json()["run"].endswith("-5")


def test_a_tag_outlives_a_restart(ledger: Path, client: TestClient) -> None:
    tag = client.get(FINDINGS).headers["etag"]
    with TestClient(application(ledger, token=None), HERE) as other:
        assert other.get(FINDINGS, headers={"If-None-Match": tag}).status_code == 304


def test_a_run_is_seen_as_soon_as_it_is_recorded(own: tuple[Path, TestClient]) -> None:
    path, client = own
    assert client.get(f"{FINDINGS}?account={SECOND}").json()["total"]
    grow(path)
    assert client.get(f"{FINDINGS}?account={SECOND}").json()["total"] == 0
    assert client.get("/api/v1/runs").json()["total"] == 5


def test_a_cursor_ends_with_the_ledgers_state_and_belongs_to_its_question(
    own: tuple[Path, TestClient],
) -> None:
    path, client = own
    cursor = client.get(f"{FINDINGS}?severity=high&limit=2").json()["next"]
    assert client.get(f"{FINDINGS}?severity=high&limit=5&cursor={cursor}").status_code == 200
    for query in (
        f"severity=low&cursor={cursor}",
        "cursor=%25%25",
        "cursor=e30",
        f"cursor={cursor[:-4]}",
        "cursor=é",
    ):
        answer = client.get(f"{FINDINGS}?{query}")
        assert (answer.status_code, answer.json()["parameter"]) == (400, "cursor")
    assert client.get(f"/api/v1/rules?cursor={cursor}").status_code == 400
    grow(path)
    answer = client.get(f"{FINDINGS}?severity=high&cursor={cursor}")
    assert (answer.status_code, answer.json()["title"]) == (410, "Gone")


def test_gzip_is_given_to_who_takes_it(client: TestClient) -> None:
    plain = client.get(FINDINGS, headers={"Accept-Encoding": "identity"})
    packed = client.get(FINDINGS, headers={"Accept-Encoding": "br;q=1, gzip;q=0.5"})
    refused = client.get(FINDINGS, headers={"Accept-Encoding": "gzip;q=0"})
    assert (plain.headers.get("content-encoding"), refused.headers.get("content-encoding")) == (None, None)
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    assert packed.content == plain.content == refused.content
    assert packed.headers["vary"] == "Accept, Accept-Encoding"


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_findings_come_one_a_line_where_that_is_asked_for(client: TestClient, encoding: str) -> None:
    headers = {**NDJSON, "Accept-Encoding": encoding}
    pages = walk(client, "limit=50")
    answer = client.get(FINDINGS, headers=headers)
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert lines(answer) == pages
    some = client.get(f"{FINDINGS}?limit=3&severity=high", headers=headers)
    assert lines(some) == client.get(f"{FINDINGS}?limit=3&severity=high").json()["findings"]
    assert client.get(f"{FINDINGS}?limit=5000", headers=headers).text.count("\n") == len(pages)
    assert (
        client.get(FINDINGS, headers={**headers, "If-None-Match": answer.headers["etag"]}).status_code == 304
    )
    cursor = client.get(f"{FINDINGS}?limit=3").json()["next"]
    assert lines(client.get(f"{FINDINGS}?cursor={cursor}", headers=headers)) == pages[3:]
    assert client.head(FINDINGS, headers=headers).content == b""


def test_json_is_what_comes_otherwise(client: TestClient) -> None:
    for accept in ("*/*", "application/json", "application/json, application/x-ndjson;q=0.5", "text/html"):
        assert client.get(FINDINGS, headers={"Accept": accept}).headers["content-type"] == "application/json"


def test_head_has_the_headers_and_no_body(client: TestClient) -> None:
    got, head = client.get(FINDINGS), client.head(FINDINGS)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == got.headers["etag"]


@pytest.mark.parametrize(
    ("query", "parameter", "said"),
    [
        ("sevrity=high", "sevrity", "no parameter is called 'sevrity'; did you mean \"severity\"?"),
        ("severity=hihg", "severity", "severity: 'hihg' is none of its words; did you mean \"high\"?"),
        ("state=gone", "state", None),
        ("rule=SEC-0003", "rule", None),
        ("limit=0", "limit", "limit takes a number from 1 to 1000"),
        ("limit=1001", "limit", "limit takes a number from 1 to 1000"),
        ("limit=١", "limit", "limit takes a number from 1 to 1000"),
        ("limit=5&limit=6", "limit", "limit takes one value"),
        ("sort=name", "sort", None),
        ("q=" + "a+" * 9, "q", "q takes 8 words at most"),
        ("q=" + "a" * 201, "q", "q takes 200 characters at most"),
        ("region=" + "a," * 501, "region", "region takes 500 values at most"),
        ("run=nosuch", "run", None),
        ("<script>=1", "<script>", None),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(
    client: TestClient, query: str, parameter: str, said: str | None
) -> None:
    answer = client.get(f"{FINDINGS}?{query}")
    problem = answer.json()
    assert answer.status_code in (400, 404)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (problem["parameter"], problem["status"]) == (parameter, answer.status_code)
    assert said in (None, problem["detail"])


@pytest.mark.parametrize(
    "path", ["/nothing", "/api/v1/findings/", "/api/v1/rules/NO-1", "/api/v1/runs/9", "/docs"]
)
def test_what_is_not_there_is_a_problem(client: TestClient, path: str) -> None:
    answer = client.get(path, follow_redirects=False)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_hostile_names_stay_data(client: TestClient) -> None:
    found = walk(client, "limit=1000")
    names = {row["resource_name"] for row in found}
    assert {name_of(number) for number in range(0, 24, 3)} <= names
    raw = client.get(f"{FINDINGS}?limit=1000")
    assert raw.headers["content-type"] == "application/json"
    assert "\x1b" not in raw.text


# ------------------------------------------------------------------------------------- description


def test_the_description_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(json.loads(encoded(description()))).validate()


def test_every_answer_is_as_described(client: TestClient, ledger: Path) -> None:
    document = client.get("/openapi.json").json()
    keys = {"id": now(ledger)[0].id, "name": "latest", "code": CODES[0]}
    assert {endpoint.path for endpoint in ENDPOINTS} < set(document["paths"])
    for endpoint in ENDPOINTS:
        answer = client.get(endpoint.path.format(**keys))
        assert answer.status_code == 200
        schema = {
            "$ref": f"#/components/schemas/{endpoint.shape.__name__}",
            "components": document["components"],
        }
        jsonschema.validate(answer.json(), schema)
        described = {
            p["name"] for p in document["paths"][endpoint.path]["get"]["parameters"] if p["in"] == "query"
        }
        assert described == {parameter.name for parameter in endpoint.parameters}


def test_every_address_that_is_described_answers(client: TestClient) -> None:
    fixed = [path for path in client.get("/openapi.json").json()["paths"] if "{" not in path and path != "/"]
    assert {client.get(path).status_code for path in fixed} == {200}


# ------------------------------------------------------------------------------- when it goes wrong


def test_health_tells_the_age_of_the_last_run(ledger: Path) -> None:
    clock = datetime(2026, 11, 5, 6, tzinfo=UTC)
    with TestClient(make(ledger, token=None, now=lambda: clock), HERE) as client:
        expected = {
            "status": "ok",
            "run": "20261104T060000Z-4",
            "age_seconds": 86400.0,
        }
        assert client.get("/healthz").json() == expected


def test_a_ledger_that_is_gone_or_damaged_is_unavailable_and_comes_back(own: tuple[Path, TestClient]) -> None:
    path, client = own
    saved = path.with_name("saved")
    assert client.get("/healthz").status_code == 200
    path.rename(saved)
    for damage in (lambda: None, lambda: path.write_bytes(b"no ledger" * 999)):
        damage()
        for address in (FINDINGS, "/api/v1/pillars"):
            answer = client.get(address)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert str(path.parent) not in answer.text
        health = client.get("/healthz")
        assert (health.status_code, health.json()) == (503, {"status": "unavailable"})
    saved.replace(path)
    assert client.get("/healthz").status_code == 200
    assert client.get(FINDINGS).json()["total"]


def test_a_ledger_without_a_run_says_so(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    open_ledger(path, write=True).close()
    with TestClient(application(path, token=None), HERE) as client:
        for address in (FINDINGS, "/api/v1/pillars", "/api/v1/runs", f"{FINDINGS}/{'00' * 10}"):
            answer = client.get(address)
            assert (answer.status_code, answer.json()["detail"]) == (404, "The ledger holds no run yet.")
        assert client.get("/healthz").json() == {"status": "ok"}


def test_what_is_compacted_away_is_told_as_such(own: tuple[Path, TestClient]) -> None:
    path, client = own
    before = client.get(FINDINGS)
    of_first = client.get(f"{FINDINGS}?account={FIRST}").json()["total"]
    assert 0 < of_first < before.json()["total"]
    connection = open_ledger(path, write=True)
    assert forget(connection, datetime(2026, 11, 4, tzinfo=UTC)) == 3
    connection.close()
    after = client.get(FINDINGS, headers={"If-None-Match": before.headers["etag"]})
    # The only run of the second account is one of the three.
    assert (after.status_code, after.json()["total"]) == (200, of_first)
    assert client.get(f"{FINDINGS}?account={SECOND}").json()["total"] == 0
    refused = client.get(f"{FINDINGS}?run=1")
    assert (refused.status_code, "compacted" in refused.json()["detail"]) == (404, True)
    runs = client.get("/api/v1/runs").json()["runs"]
    assert [run["compacted"] for run in runs] == [False, True, True, True]


def test_a_question_that_takes_too_long_is_cut_off(ledger: Path) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    connection = sqlite3.connect(":memory:")
    with pytest.raises(TooLong), limited(connection, Deadline.within(0.05)):
        connection.execute(endless).fetchone()
    assert connection.execute("SELECT 1").fetchone() == (1,)
    connection.close()
    limits = Limits(seconds=0.0, slow_seconds=0.0)
    with TestClient(make(ledger, token=None, limits=limits), HERE) as client:
        answer = client.get(FINDINGS)
        assert (answer.status_code, answer.json()["title"]) == (503, "Took too long")


def test_a_stream_ends_where_rows_may_be_gone(own: tuple[Path, TestClient]) -> None:
    path, _ = own
    store = Store(path)
    server = Server(store, Limits(), lambda: datetime.now(UTC))
    lines = server.lines(Deadline.within(10), ask(ENDPOINTS[0].parameters, []), {})
    assert isinstance(lines, Lines)
    grow(path)
    assert server.chunk(Deadline.within(10), lines)
    connection = open_ledger(path, write=True)
    forget(connection, datetime(2026, 11, 4, tzinfo=UTC))
    connection.close()
    with pytest.raises(LedgerError, match="compacted while it was read"):
        server.chunk(Deadline.within(10), lines)
    store.close()


NAMES = [parameter.name for parameter in ENDPOINTS[0].parameters]
WORDS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [*SEVERITIES, *STATES, *CODES, FIRST, "latest", "previous", "1", "*", "fail", "2026-11-01"]
    ),
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(
        [endpoint.path for endpoint in ENDPOINTS] + ["/metrics", "/openapi.json", "/healthz"]
    ),
    key=WORDS,
    query=st.lists(st.tuples(st.sampled_from(NAMES), WORDS), max_size=4),
)
def test_no_question_breaks_it(client: TestClient, path: str, key: str, query: list[tuple[str, str]]) -> None:
    keyed = re.sub(r"{\w+}", quote(key, safe=""), path)
    answer = client.get(f"{keyed}?{urlencode(query)}")
    assert answer.status_code in (200, 400, 404)
    assert answer.headers["content-type"].split(";")[0] in MEDIA[answer.status_code == 200]


MEDIA = {True: ("application/json", "application/openmetrics-text"), False: ("application/problem+json",)}


# --------------------------------------------------------------------------------------- a real one


@contextlib.contextmanager
def running(ledger: Path) -> Iterator[httpx.Client]:
    """A server on a port of its own, and a client of it."""
    server = uvicorn.Server(uvicorn.Config(application(ledger, token=None), **options()))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            with httpx.Client(
                base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=30
            ) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


def test_a_real_server_answers_over_a_real_socket(ledger: Path) -> None:
    with running(ledger) as client:
        first = client.get(FINDINGS)
        assert first.json()["total"] == len([f for f in now(ledger) if f.state != "resolved"])
        assert (first.headers["content-encoding"], "server" in first.headers) == ("gzip", False)
        assert client.get(FINDINGS, headers={"If-None-Match": first.headers["etag"]}).status_code == 304
        assert len(lines(client.get(FINDINGS, headers=NDJSON))) == first.json()["total"]
        assert client.head(FINDINGS).content == b""
        assert client.post(FINDINGS, content=b"x").status_code == 405
        assert client.get(FINDINGS, headers={"Host": "evil.example"}).status_code == 421
        assert client.get("/" + "a" * 40_000).status_code in (400, 414)


def test_clients_see_whole_runs_while_one_is_recorded(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    make_fleet(path)
    before = len([f for f in now(path) if f.state != "resolved"])
    asking = (f"{FINDINGS}?limit=1000", f"{FINDINGS}?limit=1000&account={SECOND}", "/api/v1/facets")
    with running(path) as client, ThreadPoolExecutor(6) as pool:

        def ask_on(number: int) -> list[tuple[str, int, int]]:
            address = asking[number % len(asking)]
            found = [client.get(address) for _ in range(20)]
            assert {answer.status_code for answer in found} == {200}
            rows = [len(answer.json().get("findings", ())) for answer in found]
            return [
                (address, answer.json()["total"], count) for answer, count in zip(found, rows, strict=True)
            ]

        waiting = [pool.submit(ask_on, number) for number in range(6)]
        grow(path)
        told = {each for job in waiting for each in job.result()}
        after = client.get(FINDINGS).json()["total"]
    assert after < before
    for address, total, rows in told:
        assert rows == (total if "findings" in address else 0)
        if "account" not in address:
            assert total in (before, after)


def test_packed_answers_are_gzip_for_any_reader(client: TestClient) -> None:
    with client.stream("GET", FINDINGS, headers={"Accept-Encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
    assert json.loads(gzip.decompress(raw))["findings"]
