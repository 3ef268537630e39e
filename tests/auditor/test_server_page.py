"""The server's page is the report of a run, with headers that let nothing else in."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fleets import SECOND, make_fleet
from starlette.testclient import TestClient

from auditor.ledger.history import History
from auditor.ledger.layout import open_ledger
from auditor.outputs.html import html_chunks
from auditor.server import application
from auditor.server.page import POLICY, page


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fleet") / "ledger.sqlite3"
    make_fleet(path)
    return path


@pytest.fixture(scope="module")
def client(ledger: Path) -> Iterator[TestClient]:
    with TestClient(application(ledger, token=None), "http://127.0.0.1") as made:
        yield made


def test_the_page_is_the_report_of_the_latest_run(client: TestClient, ledger: Path) -> None:
    connection = open_ledger(ledger)
    history = History(connection)
    expected = b"".join(html_chunks(history.feed(history.find("latest"))))
    second = b"".join(html_chunks(history.feed(history.find("2"))))
    connection.close()
    answer = client.get("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.content == expected
    for query in ("run=2", f"account={SECOND}"):
        assert client.get(f"/?{query}").content == second
    assert client.get("/", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


def test_the_pages_own_policy_is_the_one_that_counts(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.headers["content-security-policy"] == POLICY
    (own,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', answer.text)
    assert "default-src" in own
    assert "unsafe" not in own


def test_a_page_holds_the_worst_and_says_so(ledger: Path) -> None:
    connection = open_ledger(ledger)
    history = History(connection)
    feed = history.feed(history.find("latest"))
    cut = page(feed, 99, most=5).decode()
    connection.close()
    assert "These are the worst 5 of 99 findings" in cut
