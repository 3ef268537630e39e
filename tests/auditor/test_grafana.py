"""The Grafana dashboard's queries, put to the server as Grafana puts them: each column that a panel names is there."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from auditor.commands import UNPACED
from auditor.demo.account import build, demo_session
from auditor.ledger.layout import open_ledger
from auditor.ledger.record import record
from auditor.report import make_report
from auditor.scan import Scan, run_scan
from auditor.server import application
from auditor.server.grafana import dashboard
from auditor.settings import Settings
from collectors.sample import NOW
from collectors.session import Sessions
from evaluators.rule import all_rules

BOARD: dict[str, Any] = json.loads(dashboard())
PANELS = {panel["title"]: panel for panel in BOARD["panels"]}
VARIABLES = {variable["name"]: variable for variable in BOARD["templating"]["list"]}
VARIABLE = re.compile(r"\$\{(\w+):csv\}")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    path = tmp_path_factory.mktemp("demo") / "ledger.sqlite3"
    settings, rules = Settings(rate_share=UNPACED), all_rules()
    connection = open_ledger(path, write=True)
    with demo_session(build(NOW)) as session:
        snapshot = run_scan(Sessions(session), Scan(rules, settings, {}, now=NOW, salt=b"test")).snapshot
        record(connection, make_report(snapshot, rules, settings, {}), snapshot)
    connection.close()
    with TestClient(application(path, token=None), "http://127.0.0.1") as made:
        yield made


def asked(client: TestClient, query: dict[str, Any], chosen: dict[str, str]) -> list[dict[str, Any]]:
    """The rows that Infinity's own parser would make: the root selector, then a selector by column."""
    parameters = [
        (each["key"], VARIABLE.sub(lambda found: chosen[found[1]], each["value"]))
        for each in query["url_options"]["params"]
    ]
    answer = client.get(query["url"], params=parameters)
    assert answer.status_code == 200, answer.text
    rows = at(answer.json(), query["root_selector"])
    return [{column["text"]: at(row, column["selector"]) for column in query["columns"]} for row in rows]


def at(document: Any, selector: str) -> Any:
    for name in selector.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document


def check(rows: list[dict[str, Any]], query: dict[str, Any]) -> None:
    """Each column has a value of its type in some row, and in no row one of another type."""
    assert rows
    for column in query["columns"]:
        values = [row[column["text"]] for row in rows if row[column["text"]] is not None]
        assert values, column
        for value in values:
            match column["type"]:
                case "number":
                    assert isinstance(value, int | float), column
                case "timestamp":
                    assert datetime.fromisoformat(value), column
                case _:
                    assert isinstance(value, str | list), column


ALL = dict.fromkeys(VARIABLES, "*")


@pytest.mark.parametrize("title", PANELS)
def test_a_panels_query_gives_the_columns_that_it_names(client: TestClient, title: str) -> None:
    panel = PANELS[title]
    for query in panel["targets"]:
        check(asked(client, query, ALL), query)
    named = {rule["matcher"]["options"] for rule in panel["fieldConfig"]["overrides"]}
    sorted_by = {s["field"] for t in panel["transformations"] for s in t["options"]["sort"]}
    columns = {column["text"] for query in panel["targets"] for column in query["columns"]}
    assert named | sorted_by | {panel["options"].get("xField", next(iter(columns)))} <= columns


def test_variables_offer_what_there_is_and_choose_it(client: TestClient) -> None:
    table = PANELS["Findings"]["targets"][0]
    for name in ("account", "region"):
        query = VARIABLES[name]["query"]["infinityQuery"]
        values = [row["value"] for row in asked(client, query, ALL)]
        assert values
        for value in values:
            rows = asked(client, table, {**ALL, name: value})
            assert {row[name.title()] for row in rows} == {value}
    everything = asked(client, table, ALL)
    for name in ("pillar", "environment"):
        words = VARIABLES[name]["query"].split(",")
        assert sum(len(asked(client, table, {**ALL, name: word})) for word in words) == len(everything)
        # Several are put with commas.
        assert asked(client, table, {**ALL, name: ",".join(words)}) == everything


def test_the_dashboard_hangs_together() -> None:
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    sources = [panel["datasource"] for panel in BOARD["panels"]]
    sources += [query["datasource"] for panel in BOARD["panels"] for query in panel["targets"]]
    assert {source["uid"] for source in sources} == {"${" + BOARD["__inputs"][0]["name"] + "}"}
    assert all(variable["allValue"] == "*" for variable in VARIABLES.values())
    used = set(VARIABLE.findall(dashboard()))
    assert used == set(VARIABLES)
    squares = [
        (panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y)
        for panel in BOARD["panels"]
        for x in range(panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["h"])
    ]
    assert len(squares) == len(set(squares))
    assert max(x for x, _ in squares) < 24
