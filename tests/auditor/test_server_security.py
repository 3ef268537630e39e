"""Who may ask the feed server, how much, and what no answer and no log ever says."""

import base64
import hashlib
import logging
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from fleets import make_fleet
from starlette.testclient import TestClient

from auditor.console import UsageError
from auditor.ledger.layout import LedgerError, open_ledger
from auditor.server import application, serve
from auditor.server.app import make
from auditor.server.running import options
from auditor.server.security import HEADERS, NOTHING, Limits, is_loopback, token_from
from auditor.server.store import Deadline, Store

TOKEN = "correct-horse-battery-staple"
FINDINGS = "/api/v1/findings"
HERE = "http://127.0.0.1:8420"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - what is refused


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fleet") / "ledger.sqlite3"
    make_fleet(path)
    return path


@pytest.fixture(scope="module")
def client(ledger: Path) -> Iterator[TestClient]:
    with TestClient(application(ledger, token=None), HERE) as made:
        yield made


@pytest.fixture(scope="module")
def guarded(ledger: Path) -> Iterator[TestClient]:
    with TestClient(application(ledger, token=TOKEN), "http://feed.example") as made:
        yield made


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:8420", 200),
        ("127.1.2.3:1", 200),
        ("localhost:3000", 200),
        ("LOCALHOST", 200),
        ("[::1]:8420", 200),
        ("[::1]", 200),
        ("evil.example", 421),
        ("evil.example:8420", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("127.0.0.1@evil.example", 421),
        ("127.0.0.1:80:evil.example", 421),
        ("10.0.0.1", 421),
        (EVERYWHERE, 421),
        ("[::1", 421),
        ("", 421),
    ],
)
def test_without_a_token_only_names_of_this_machine_are_answered(
    client: TestClient, host: str, status: int
) -> None:
    for path in (FINDINGS, "/healthz", "/openapi.json"):
        assert client.get(path, headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer  {TOKEN} ", 200),
        (basic(f"anyone:{TOKEN}"), 200),
        (basic(f":{TOKEN}"), 200),
        (None, 401),
        ("", 401),
        ("Bearer", 401),
        (f"Bearer {TOKEN}x", 401),
        (f"Bearer {TOKEN[:-1]}", 401),
        (f"Bearer x {TOKEN}", 401),
        (TOKEN, 401),
        (f"Token {TOKEN}", 401),
        (basic(TOKEN), 401),
        (basic(f"{TOKEN}:wrong"), 401),
        ("Basic ???", 401),
        ("Bearer \u00e9", 401),
    ],
)
def test_with_a_token_every_request_shows_it(guarded: TestClient, header: str | None, status: int) -> None:
    headers = [] if header is None else [(b"Authorization", header.encode("latin-1"))]
    for path in (FINDINGS, "/openapi.json", "/metrics"):
        answer = guarded.get(path, headers=headers)
        assert answer.status_code == status
        if status == 401:
            assert answer.headers["www-authenticate"].startswith("Basic realm=")
            assert TOKEN not in answer.text


@pytest.mark.parametrize("path", ["/", "/nothing", "/metrics", "/openapi.json", "/healthz/", "//healthz"])
def test_without_the_token_nothing_is_told_apart(guarded: TestClient, path: str) -> None:
    assert guarded.get(path).status_code == 401


def test_health_without_the_token_says_no_more_than_that_it_is_well(guarded: TestClient) -> None:
    assert guarded.get("/healthz").json() == {"status": "ok"}
    known = guarded.get("/healthz", headers={"Authorization": f"Bearer {TOKEN}"}).json()
    assert set(known) == {"status", "run", "age_seconds"}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_nothing_but_get_and_head_is_answered(client: TestClient, method: str) -> None:
    for path in (FINDINGS, "/", "/nothing", "/healthz"):
        answer = client.request(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_every_answer_bears_the_headers(client: TestClient, guarded: TestClient, tmp_path: Path) -> None:
    tag = client.get(FINDINGS).headers["etag"]
    answers = [
        client.get(FINDINGS),
        client.get(FINDINGS, headers={"If-None-Match": tag}),
        client.get(FINDINGS, headers={"Accept": "application/x-ndjson"}),
        client.head(FINDINGS),
        client.get("/metrics"),
        client.get(f"{FINDINGS}?x=1"),
        client.get("/nothing"),
        client.post(FINDINGS),
        client.get(FINDINGS, headers={"Host": "evil.example"}),
        guarded.get(FINDINGS),
        broken(tmp_path).get(FINDINGS),
    ]
    assert [answer.status_code for answer in answers] == [
        200,
        304,
        200,
        200,
        200,
        400,
        404,
        405,
        421,
        401,
        500,
    ]
    for answer in answers:
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert answer.headers["content-security-policy"] == NOTHING
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert "server" not in answer.headers


def broken(folder: Path) -> TestClient:
    """A server whose ledger holds what no auditor writes."""
    path = folder / "broken.sqlite3"
    make_fleet(path)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE rules SET body = 'no document'")
    connection.commit()
    connection.close()
    return TestClient(application(path, token=None), HERE, raise_server_exceptions=False)


def test_no_error_shows_a_path_or_a_trace(tmp_path: Path) -> None:
    answer = broken(tmp_path).get(FINDINGS)
    assert answer.json() == {
        "title": "Internal error",
        "status": 500,
        "detail": "The server's log says what went wrong.",
    }
    gone = TestClient(application(tmp_path / "none.sqlite3", token=None), HERE)
    assert "none.sqlite3" not in gone.get(FINDINGS).text


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (f"{FINDINGS}?q=" + "a" * 9000, {}, 414),
        ("/" + "a" * 2000, {}, 414),
        (FINDINGS, {"X-Long": "a" * 20_000}, 431),
        (FINDINGS, {"Content-Length": "5"}, 413),
        (FINDINGS, {"Transfer-Encoding": "chunked"}, 413),
        (FINDINGS, {"Upgrade": "websocket"}, 200),
    ],
)
def test_what_is_too_much_is_refused(
    client: TestClient, path: str, headers: dict[str, str], status: int
) -> None:
    assert client.get(path, headers=headers).status_code == status


def test_too_many_at_once_are_sent_away(ledger: Path) -> None:
    with TestClient(make(ledger, token=None, limits=Limits(at_once=0)), HERE) as client:
        answer = client.get(FINDINGS)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert options(Limits(headers=5, query=6))["h11_max_incomplete_event_size"] == 11


@pytest.mark.parametrize(
    ("host", "token", "said"),
    [
        (EVERYWHERE, None, "--host 0.0.0.0: others could read the findings there"),
        ("::", None, "others could read"),
        ("feed.example", None, "others could read"),
        ("127.0.0.1", "short", "fewer than 16 characters"),
        (EVERYWHERE, "", "fewer than 16 characters"),
        (EVERYWHERE, "with spaces in the token", "characters that no header takes"),
        (EVERYWHERE, "with-a-line-break\n", "characters that no header takes"),
    ],
)
def test_an_open_address_demands_a_token(ledger: Path, host: str, token: str | None, said: str) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        serve(ledger, host=host, token=token)
    assert len(str(raised.value).splitlines()) == 1
    assert not token or token not in str(raised.value)


def test_the_token_comes_from_the_environment() -> None:
    assert token_from(None, {}) is None
    assert token_from("FEED", {"FEED": TOKEN}) == TOKEN
    for environment in ({}, {"FEED": ""}):
        with pytest.raises(UsageError, match="--token-env FEED"):
            token_from("FEED", environment)


def test_an_address_that_is_taken_or_none_is_wrong_usage(ledger: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for host, port in (("127.0.0.1", taken.getsockname()[1]), ("127.0.0.1", 70_000), ("no host", 0)):
            with pytest.raises(UsageError, match=f"--port {port}"):
                serve(ledger, host=host, port=port, token=TOKEN)


def test_an_answer_that_takes_too_long_is_given_up(ledger: Path) -> None:
    with TestClient(make(ledger, token=None, limits=Limits(stream_seconds=0.0)), HERE) as client:
        answer = client.get(FINDINGS)
        assert (answer.status_code, answer.json()["title"]) == (503, "Took too long")
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_without_a_ledger_nothing_is_bound(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="there is no ledger yet"):
        serve(tmp_path / "none.sqlite3", token=None)


def test_addresses_of_this_machine() -> None:
    own = [
        host
        for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost", EVERYWHERE, "::", "")
        if is_loopback(host)
    ]
    assert own == ["127.0.0.1", "127.9.9.9", "::1", "localhost"]


def test_the_log_holds_no_token_and_no_question(
    guarded: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        guarded.get(f"{FINDINGS}?q=private-name", headers={"Authorization": f"Bearer {TOKEN}"})
        guarded.get("/a%1B%5B31m%0Ainjected", headers={"Authorization": basic(f"u:{TOKEN}")})
    text = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("auditor"))
    assert f"GET {FINDINGS} 200" in text
    assert "\\x0ainjected" in text or "\\ninjected" in text
    for secret in (TOKEN, "private-name", basic(f"u:{TOKEN}"), "\x1b"):
        assert secret not in text


def test_nothing_is_written(client: TestClient, ledger: Path) -> None:
    before = hashlib.sha256(ledger.read_bytes()).hexdigest()
    for path in (FINDINGS, "/api/v1/facets", "/api/v1/runs/latest/changes", "/metrics", "/healthz"):
        assert client.get(path).status_code == 200
    assert hashlib.sha256(ledger.read_bytes()).hexdigest() == before
    store = Store(ledger)
    with store.reading(Deadline.within(10)) as reading:
        for statement in ("DELETE FROM runs", "CREATE TABLE x (y)", "PRAGMA user_version = 9"):
            with pytest.raises(sqlite3.OperationalError):
                reading.history.connection.execute(statement)
    store.close()
    connection = open_ledger(ledger)
    assert connection.execute("SELECT count(*) FROM runs").fetchone() == (4,)
    connection.close()
