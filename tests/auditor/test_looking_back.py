"""The commands that look back, as a person types them: diff, history, report, baseline, compact, schema."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest
from runs import NOW, account, audited, notebook
from typer.testing import CliRunner

from auditor.baseline import read_baseline
from auditor.cli import app
from auditor.commands import UNPACED
from auditor.demo.account import DemoAccount, build, demo_session
from auditor.ledger.history import History
from auditor.ledger.layout import open_ledger
from auditor.ledger.record import record
from auditor.ledger.retention import forget
from auditor.outputs.changes import schema as diff_schema
from auditor.report import make_report
from auditor.scan import Scan, run_scan
from auditor.schemas import SCHEMAS
from auditor.selection import find_rule
from auditor.settings import Settings, SettingsError
from collectors.session import Sessions

DAY = timedelta(days=1)
OPEN, CLOSED = notebook(), notebook(root="Disabled", internet="Disabled")
NIGHTS = (
    account({"lab": OPEN, "old": OPEN}),
    account({"lab": OPEN, "fresh": OPEN}),
    account({"lab": CLOSED}),
)


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def state() -> str:
    """Three nights in a ledger."""
    connection = open_ledger(Path("state/ledger.sqlite3"), write=True)
    for day, made in enumerate(NIGHTS):
        record(connection, *audited(made, day))
    connection.close()
    return "state"


def auditor(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(words))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def snapshot(made: DemoAccount, day: int, name: str) -> str:
    """A snapshot as `scan --snapshot` writes it."""
    rules = tuple(find_rule(code) for code in ("SEC-001", "SEC-003"))
    with demo_session(made) as session:
        scan = Scan(rules, Settings(rate_share=UNPACED), {}, Path(name), now=NOW + day * DAY, salt=b"test")
        run_scan(Sessions(session), scan)
    return name


# ------------------------------------------------------------------------------------------- diff


def test_diff_of_two_runs(state: str) -> None:
    code, text, _ = auditor("diff", "1", "2", "--state", state)
    assert code == 0
    assert "New (2)" in text
    assert "Resolved (2)" in text
    assert "fresh" in text
    assert "(gone)" in text
    code, text, _ = auditor("diff", "previous", "latest", "--state", state, "-o", "json")
    found = json.loads(text)
    jsonschema.validate(found, diff_schema())
    assert found["counts"] == {
        **dict.fromkeys(("new", "reopened", "unconfirmed", "accepted", "open"), 0),
        "resolved": 4,
        "changed": found["counts"]["changed"],
    }
    assert {c["why"] for c in found["changes"] if c["what"] == "resolved"} == {"gone", "no longer fails"}


def test_diff_fails_on_what_is_new_and_bad_enough(state: str) -> None:
    assert auditor("diff", "1", "2", "--state", state, "--fail-on-new")[0] == 1
    assert auditor("diff", "1", "2", "--state", state, "--fail-on-new", "--severity", "critical")[0] == 0
    assert auditor("diff", "2", "3", "--state", state, "--fail-on-new")[0] == 0


def test_diff_of_two_snapshots_needs_no_ledger() -> None:
    old = snapshot(NIGHTS[0], 0, "old.jsonl.gz")
    new = snapshot(NIGHTS[1], 1, "new.jsonl.gz")
    code, text, _ = auditor("diff", old, new, "-o", "json")
    told = {(c["what"], c["finding"]["resource_name"]) for c in json.loads(text)["changes"]}
    assert told == {("new", "fresh"), ("resolved", "old")}
    assert auditor("diff", old, new, "--fail-on-new")[0] == 1
    code, _, said = auditor("diff", new, old)
    assert (code, "the earlier snapshot comes first" in said) == (2, True)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("diff", "1", "9"), 4, "no run is called '9'"),
        (("diff", "2", "1"), 2, "the earlier run comes first"),
        (("diff", "1", "x.jsonl.gz"), 2, "compare two runs, or two snapshots"),
        (("diff", "1", "2", "-o", "csv"), 2, "there are table, json"),
        (("diff", "1", "2", "--severity", "hgih"), 2, "no severity is called 'hgih'"),
        (("report", "yesterday"), 4, "no run is called 'yesterday'"),
        (("report", "latest", "-o", "docx"), 2, "no output format is called 'docx'"),
        (("history", "--pillar", "secrets"), 2, "no pillar is called 'secrets'"),
        (("history", "--account", "000000000000"), 4, "holds no run of account 000000000000"),
        (("baseline", "latest", "--until", "2020-01-01", "--reason", "x"), 2, "is past"),
        (("baseline", "latest", "--until", "soon", "--reason", "x"), 2, "expected a day such as"),
        (("baseline", "latest", "--until", "2099-01-01"), 2, "say why these findings are accepted"),
    ],
)
def test_wrong_input_gets_one_line_and_the_right_code(
    state: str, words: tuple[str, ...], code: int, said: str
) -> None:
    found, out, error = auditor(*words, "--state", state)
    assert (found, out) == (code, "")
    assert said in error
    assert len(error.splitlines()) == 1


def test_without_a_ledger_each_says_what_makes_one() -> None:
    for words in (("diff", "1", "2"), ("history",), ("report", "latest"), ("compact",)):
        code, _, error = auditor(*words)
        assert code == 4
        assert "there is no ledger yet: `auditor run` makes one" in error


# ------------------------------------------------------------------------------- history and report


def test_history_is_a_plot_and_a_table(state: str) -> None:
    code, text, _ = auditor("history", "--state", state)
    assert code == 0
    assert "█" in text
    connection = open_ledger(Path("state/ledger.sqlite3"))
    history = History(connection)
    for run in history.runs():
        assert run.name in text
    points = history.points(history.runs())
    connection.close()
    shown = json.loads(auditor("history", "--state", state, "--json")[1])
    assert [each["severities"] for each in shown] == [dict(point.severities) for point in points]
    assert len(json.loads(auditor("history", "--state", state, "--json", "--last", "2")[1])) == 2
    assert "Score of security" in auditor("history", "--state", state, "--pillar", "security")[1]


def test_report_renders_an_earlier_run(state: str) -> None:
    code, text, _ = auditor("report", "1", "--state", state)
    assert code == 0
    assert "old (notebook-instance, eu-west-1) - new" in text
    code, text, _ = auditor(
        "report", "3", "--state", state, "-o", "csv=a.csv", "-o", "html=b.html", "-o", "json"
    )
    assert json.loads(text)["run"]["id"].endswith("-3")
    assert Path("a.csv").stat().st_size > 100
    assert Path("b.html").read_text().startswith("<!doctype html>")


# --------------------------------------------------------------------------------------- baseline


def test_a_baseline_accepts_today_and_tells_tomorrow(state: str) -> None:
    code, text, _ = auditor(
        *(
            "baseline",
            "1",
            "--state",
            state,
            "--until",
            "2099-01-31",
            "--reason",
            "before the move",
            "--file",
            "b.jsonl",
        )
    )
    assert code == 0
    assert "4 findings are accepted, 4 of them now until 2099-01-31" in text
    held = read_baseline(Path("b.jsonl"))
    assert {(rule, resource.rpartition("/")[2]) for rule, resource, _ in held} == {
        (rule, name) for rule in ("SEC-001", "SEC-003") for name in ("lab", "old")
    }
    report, _ = audited(NIGHTS[1], 1)
    snapshot_of = audited(NIGHTS[1], 1)[1]
    rules = tuple(rule for rule, _ in report.rules)
    judged = make_report(snapshot_of, rules, Settings(), {}, baseline=held)
    assert {f.subject.name for f in judged.findings} == {"fresh"}
    assert {f.subject.name for f, _ in judged.accepted} == {"lab"}
    # A second baseline keeps the first one's entries as they are.
    auditor(
        *(
            "baseline",
            "2",
            "--state",
            state,
            "--until",
            "2098-01-31",
            "--reason",
            "later",
            "--file",
            "b.jsonl",
        )
    )
    again = read_baseline(Path("b.jsonl"))
    assert len(again) == 6
    assert {entry.reason for key, entry in again.items() if key not in held} == {"later"}


def test_a_baseline_counts_through_the_settings() -> None:
    name = snapshot(NIGHTS[0], 0, "old.jsonl.gz")
    assert auditor("evaluate", name, "--fail-on", "high", "-q")[0] == 1
    words = (
        "baseline",
        name,
        "--until",
        "2099-01-31",
        "--reason",
        "x",
        "--rule",
        "SEC-003",
        "--severity",
        "low",
    )
    assert auditor(*words)[0] == 0
    Path("auditor.toml").write_text('baseline = "auditor-baseline.jsonl"\n')
    code, text, _ = auditor("evaluate", name, "--rule", "SEC-003", "-o", "json")
    assert {finding["accepted"]["reason"] for finding in json.loads(text)["findings"]} == {"x"}
    Path("auditor-baseline.jsonl").write_text('{"rule": "SEC-003"}\n')
    code, _, error = auditor("evaluate", name)
    assert (code, "auditor-baseline.jsonl:1: is no line of a baseline" in error) == (2, True)
    with pytest.raises(SettingsError, match="there is no such baseline"):
        read_baseline(Path("nowhere.jsonl"))


def test_a_baseline_is_made_where_the_settings_name_it_and_renewed(state: str) -> None:
    Path("auditor.toml").write_text('baseline = "accepted.jsonl"\n')
    words = ("baseline", "1", "--state", state, "--reason", "x", "--until")
    code, text, _ = auditor(*words, "2098-01-31")
    assert (code, "accepted.jsonl: 4 findings are accepted, 4 of them now" in text) == (0, True)
    assert "Say `baseline" not in text
    assert "4 of them now until 2099-01-31" in auditor(*words, "2099-01-31")[1]
    Path("accepted.jsonl").unlink()
    assert auditor("report", "1", "--state", state)[0] == 0


# ---------------------------------------------------------------------------------------- compact


def test_changed_savings_are_told_in_words() -> None:
    connection = open_ledger(Path("state/ledger.sqlite3"), write=True)
    report, snapshot = audited(build(NOW), 0, rules=["COST-013"])
    record(connection, report, snapshot)
    dearer = replace(report, findings=tuple(replace(f, savings=()) for f in report.findings))
    record(connection, dearer, snapshot)
    connection.close()
    code, text, _ = auditor("diff", "1", "2", "--state", "state")
    (told,) = [line for line in text.splitlines() if "savings:" in line]
    assert (code, "hours of hosting ml.c7i.xlarge × USD" in told) == (0, True)
    assert "component" not in text


def test_compact_forgets_findings_and_keeps_scores(state: str) -> None:
    connection = open_ledger(Path("state/ledger.sqlite3"), write=True)
    record(connection, *audited(NIGHTS[0], 0, now=NOW + timedelta(days=90_000)))
    before = [point.score for point in History(connection).points(History(connection).runs())]
    connection.close()
    code, text, _ = auditor("compact", "--state", state, "--keep-days", "1")
    assert code == 0
    assert "findings of 3 runs older than 1 days are forgotten, 1 kept" in text
    connection = open_ledger(Path("state/ledger.sqlite3"))
    history = History(connection)
    assert [point.score for point in history.points(history.runs())] == before
    # What was resolved before is forgotten, and what is open stays with the day on which it was first seen.
    found = list(history.findings(history.find("latest")))
    assert {(f.resource_name, f.state) for f in found} == {("lab", "reopened"), ("old", "reopened")}
    assert {f.first_seen for f in found} == {NOW}
    connection.close()
    code, _, error = auditor("report", "1", "--state", state)
    assert (code, "compacted away" in error) == (4, True)
    assert auditor("history", "--state", state)[0] == 0
    assert "findings of 0 runs" in auditor("compact", "--state", state, "--keep-days", "1")[1]


def test_nothing_is_left_of_runs_that_are_forgotten() -> None:
    connection = open_ledger(Path("state/ledger.sqlite3"), write=True)
    for day, made in enumerate(NIGHTS):
        record(connection, *audited(made, 40 * day), channels=("sns:audits",))
    gone = audited(NIGHTS[0], 40 * len(NIGHTS), settings=Settings(regions=("eu-west-1",)))
    kept = record(connection, *gone, channels=("sns:audits",)).run

    def column(query: str) -> set[int]:
        return {each for row in connection.execute(query) for each in row if each is not None}

    held = (
        "SELECT run FROM events",
        "SELECT run FROM deliveries",
        "SELECT run FROM covered",
        "SELECT id FROM resources",
        "SELECT id FROM documents",
        "SELECT id FROM verdicts",
    )
    before = [len(connection.execute(query).fetchall()) for query in held]
    forget(connection, NOW + (40 * len(NIGHTS) - 1) * DAY)
    after = [len(connection.execute(query).fetchall()) for query in held]
    assert all(now < was for was, now in zip(before, after, strict=True)), (before, after)
    assert [column(query) - {kept} for query in held[:3]] == [set(), set(), set()]
    assert column("SELECT id FROM resources") == column("SELECT resource FROM verdicts")
    assert column("SELECT id FROM documents") == column(
        "SELECT scope, rules, gaps, fixes, coverage FROM runs"
    )
    connection.close()


def test_what_no_kept_run_asked_about_is_forgotten() -> None:
    connection = open_ledger(Path("state/ledger.sqlite3"), write=True)
    record(connection, *audited(NIGHTS[0], 0, rules=["SEC-001", "SEC-003"]))
    record(connection, *audited(NIGHTS[0], 30, rules=["SEC-001"]))
    current = "SELECT count(*) FROM verdicts WHERE until IS NULL"
    assert connection.execute(current).fetchone() == (4,)
    assert forget(connection, NOW + 20 * DAY) == 1
    assert connection.execute(current).fetchone() == (2,)
    history = History(connection)
    assert {f.state for f in history.findings(history.find("latest"))} == {"open"}
    connection.close()


# ----------------------------------------------------------------------------------------- schema


@pytest.mark.parametrize("shape", SCHEMAS)
def test_every_schema_is_a_schema(shape: str) -> None:
    code, text, _ = auditor("schema", shape)
    assert code == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(text))


def test_a_schema_that_there_is_not() -> None:
    code, _, error = auditor("schema", "finding")
    assert (code, 'did you mean "findings"?' in error) == (2, True)
