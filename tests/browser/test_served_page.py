"""The server's page in a real browser: the report of the latest run, live, and with a token."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
import uvicorn
from browsing import browser
from fleets import make_fleet
from playwright.sync_api import Error
from runs import account, audited, notebook

from auditor.ledger.history import History
from auditor.ledger.layout import open_ledger
from auditor.ledger.record import record
from auditor.server import application

TOKEN = "a-token-of-more-than-sixteen-characters"


@contextmanager
def listening(ledger: Path, token: str | None) -> Iterator[str]:
    """A server on a free port of this machine."""
    config = uvicorn.Config(application(ledger, token=token), port=0, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.sqlite3"
    make_fleet(path)
    return path


def latest(path: Path) -> list[str]:
    connection = open_ledger(path)
    history = History(connection)
    found = [finding.id for finding in history.findings(history.find("latest"))]
    connection.close()
    return found


def test_the_page_is_the_latest_run_without_a_complaint_and_a_reload_sees_the_next(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    connection = open_ledger(path, write=True)
    record(connection, *audited(account({"lab": notebook()}), 0))
    said: list[str] = []
    asked: set[str] = set()
    with listening(path, None) as address, browser() as chromium:
        page = chromium.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.add(request.url))
        for day in (1, 2):
            page.goto(f"{address}/")
            page.wait_for_function("() => window.auditor")
            assert page.evaluate("() => auditor.findings.rows.map(row => row[0])") == latest(path)
            record(connection, *audited(account({"lab": notebook(), "fresh": notebook()}), day))
        assert asked == {f"{address}/"}
    connection.close()
    assert said == []


def test_a_page_behind_a_token_opens_for_whoever_has_it(ledger: Path) -> None:
    with listening(ledger, TOKEN) as address, browser() as chromium:
        with pytest.raises(Error, match="ERR_INVALID_AUTH_CREDENTIALS"):
            chromium.new_context().new_page().goto(f"{address}/")
        held = chromium.new_context(http_credentials={"username": "anyone", "password": TOKEN})
        page = held.new_page()
        answer = page.goto(f"{address}/")
        assert answer is not None
        assert answer.status == 200
        page.wait_for_function("() => window.auditor")
        basic = base64.b64encode(f"anyone:{TOKEN}".encode()).decode()
        assert basic not in page.content()
        assert TOKEN not in page.content()
