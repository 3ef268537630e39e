"""What becomes of a finding from run to run: resolved only by a pass or a complete listing without the resource."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from runs import NOW, PROD, account, arn, audited, notebook, recorded, states

from auditor.commands import UNPACED
from auditor.demo.account import build
from auditor.demo.company import LAB
from auditor.ledger.history import History
from auditor.ledger.layout import LedgerError, only_writer, open_ledger, opened
from auditor.ledger.record import record
from auditor.publish import findings_v1
from auditor.settings import Accepted, Settings
from evaluators.finding import Opposed
from evaluators.rule import all_rules
from evaluators.tradeoffs import TRADE_OFFS

OPEN, CLOSED = notebook(), notebook(root="Disabled", internet="Disabled")
ROOT = ("SEC-003", "lab")
ACCEPTING = Settings(
    accepted=(
        Accepted(rule="SEC-003", resource="*", reason="lab", expires=(NOW + timedelta(days=2)).date()),
    ),
    rate_share=UNPACED,
)
TRADED = sorted({code for trade_off in TRADE_OFFS for code in trade_off.codes})
LIST = "sagemaker:ListNotebookInstances"
DESCRIBE = "sagemaker:DescribeNotebookInstance"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_ledger(tmp_path / "ledger.sqlite3", write=True)
    yield connection
    connection.close()


def test_what_fails_for_the_first_time_is_new_and_then_open(ledger: sqlite3.Connection) -> None:
    first = recorded(ledger, account({"lab": OPEN}), 0)
    assert states(ledger)[ROOT] == "new"
    assert first.changes["new"] == len(states(ledger))
    second = recorded(ledger, account({"lab": OPEN}), 1)
    assert states(ledger)[ROOT] == "open"
    assert not any(second.changes.values())


def test_a_pass_resolves_and_a_later_failure_reopens(ledger: sqlite3.Connection) -> None:
    recorded(ledger, account({"lab": OPEN}), 0)
    recorded(ledger, account({"lab": CLOSED}), 1)
    assert states(ledger)[ROOT] == "resolved"
    recorded(ledger, account({"lab": CLOSED}), 2)
    assert ROOT not in states(ledger)
    recorded(ledger, account({"lab": OPEN}), 3)
    assert states(ledger)[ROOT] == "reopened"
    recorded(ledger, account({"lab": OPEN}), 4)
    assert states(ledger)[ROOT] == "open"


def test_a_complete_listing_without_the_resource_resolves(ledger: sqlite3.Connection) -> None:
    recorded(ledger, account({"lab": OPEN, "other": OPEN}), 0)
    recorded(ledger, account({"other": OPEN}), 1)
    assert states(ledger)[ROOT] == "resolved"
    assert states(ledger)["SEC-003", "other"] == "open"
    (why,) = ledger.execute("SELECT DISTINCT why FROM events WHERE what = 'resolved'").fetchone()
    assert why == "gone"


@pytest.mark.parametrize(
    ("name", "refused", "verdict"),
    [
        ("the listing is refused", LIST, "fail"),
        ("the document is refused", DESCRIBE, "unknown"),
    ],
)
def test_what_could_not_be_judged_is_unconfirmed_and_comes_back_as_it_was(
    ledger: sqlite3.Connection, name: str, refused: str, verdict: str
) -> None:
    recorded(ledger, account({"lab": OPEN}), 0)
    for day in (1, 2):
        told = recorded(ledger, account({"lab": OPEN}, refused=[(refused, PROD)]), day)
        assert states(ledger)[ROOT] == "unconfirmed"
        assert told.changes["unconfirmed"] == (2 if day == 1 else 0)
        assert not told.changes["resolved"]
    history = History(ledger)
    (found,) = (f for f in history.findings(history.find("latest")) if (f.rule, f.resource_name) == ROOT)
    assert (found.verdict, found.first_seen, found.last_seen) == (verdict, NOW, NOW)
    recorded(ledger, account({"lab": OPEN}), 3)
    assert states(ledger)[ROOT] == "open"
    recorded(ledger, account({}, refused=[(LIST, PROD)]), 4)
    recorded(ledger, account({}), 5)
    assert states(ledger)[ROOT] == "resolved"


def test_a_region_that_fails_closes_nothing_there_and_all_that_ended_elsewhere(
    ledger: sqlite3.Connection,
) -> None:
    both = {"here": OPEN, "there": notebook(region=LAB)}
    recorded(ledger, account(both), 0)
    told = recorded(ledger, account({}, refused=[(LIST, LAB), (DESCRIBE, LAB)]), 1)
    assert states(ledger)["SEC-003", "here"] == "resolved"
    assert states(ledger)["SEC-003", "there"] == "unconfirmed"
    assert told.changes["resolved"] == 2


def test_what_a_run_did_not_ask_about_stays_as_it_is(ledger: sqlite3.Connection) -> None:
    both = {"here": OPEN, "there": notebook(region=LAB)}
    recorded(ledger, account(both), 0)
    one = Settings(regions=(PROD,), rate_share=1000.0)
    told = recorded(ledger, account({}), 1, rules=["SEC-001"], settings=one)
    assert told.changes["resolved"] == 1
    assert states(ledger) == {("SEC-001", "here"): "resolved"}
    recorded(ledger, account(both), 2)
    assert states(ledger)["SEC-003", "here"] == "open"
    assert states(ledger)["SEC-001", "there"] == "open"
    assert states(ledger)["SEC-001", "here"] == "reopened"


def test_a_run_over_fewer_regions_closes_no_bucket_that_is_used_in_the_others(
    ledger: sqlite3.Connection,
) -> None:
    """Buckets belong to the account, and are found through the jobs and endpoints of every Region."""
    rules = ["SEC-051", "SEC-053", "REL-006"]
    report, snapshot = audited(build(NOW), 0, rules=rules)
    record(ledger, report, snapshot)
    one = Settings(regions=(LAB,), rate_share=1000.0)
    fewer, narrow = audited(build(NOW), 1, rules=rules, settings=one)
    assert len(fewer.findings) < len(report.findings)
    told = record(ledger, fewer, narrow)
    assert told.changes["resolved"] == 0
    told = record(ledger, *audited(build(NOW), 2, rules=rules))
    assert (told.changes["resolved"], told.changes["new"], told.changes["reopened"]) == (0, 0, 0)


@pytest.mark.parametrize("seen", [PROD, LAB])
def test_a_run_over_fewer_regions_resolves_nothing_of_the_whole_account_that_hangs_on_the_others(
    ledger: sqlite3.Connection, seen: str
) -> None:
    """Roles are judged by what runs under them, trails are asked for in each Region."""
    rules = [r.code for r in all_rules() if r.views and all(v.is_global for v in r.views)]
    record(ledger, *audited(build(NOW), 0, rules=rules))
    one = Settings(regions=(seen,), rate_share=UNPACED)
    told = record(ledger, *audited(build(NOW), 1, rules=rules, settings=one))
    assert told.changes["resolved"] == 0
    history = History(ledger)
    run = history.find("latest")
    beyond = [f for f in history.findings(run) if f.state == "unconfirmed"]
    assert {f.resource_kind for f in beyond} >= {"iam-role"}
    assert all(f.last_seen and f.last_seen < run.started for f in beyond)
    told = record(ledger, *audited(build(NOW), 2, rules=rules))
    assert (told.changes["resolved"], told.changes["new"], told.changes["reopened"]) == (0, 0, 0)


def test_a_mended_root_user_is_resolved_by_a_run_over_one_region(ledger: sqlite3.Connection) -> None:
    record(ledger, *audited(build(NOW), 0, rules=["SEC-050"]))
    mended = build(NOW)
    keys = {"AccountAccessKeysPresent": 0, "AccountMFAEnabled": 1, "AccountPasswordPresent": 1}
    mended.state.answer("iam:GetAccountSummary", {"SummaryMap": keys})
    one = Settings(regions=(PROD,), rate_share=UNPACED)
    assert record(ledger, *audited(mended, 1, rules=["SEC-050"], settings=one)).changes["resolved"] == 1


def test_a_shorter_window_resolves_no_job_that_the_longer_one_saw(ledger: sqlite3.Connection) -> None:
    rules = ["SEC-013", "OPS-033", "COST-014", "REL-011"]
    report, snapshot = audited(build(NOW), 0, rules=rules)
    record(ledger, report, snapshot)
    short = Settings(lookback_days=1, rate_share=UNPACED)
    fewer, brief = audited(build(NOW), 0, rules=rules, settings=short)
    assert {f.subject.kind for f in report.findings} - {f.subject.kind for f in fewer.findings}
    told = record(ledger, fewer, brief)
    assert (told.changes["resolved"], told.changes["unconfirmed"] > 0) == (0, True)
    told = record(ledger, report, snapshot)
    assert (told.changes["resolved"], told.changes["reopened"], told.changes["new"]) == (0, 0, 0)
    # Whoever looks less far for good says of what lies beyond that it is older than the window.
    record(ledger, fewer, brief)
    told = record(ledger, fewer, brief)
    assert told.changes["resolved"] > 0
    whys = ledger.execute("SELECT DISTINCT why FROM events WHERE run = ? AND what = 'resolved'", (told.run,))
    assert whys.fetchall() == [("older than the window",)]


def test_what_the_settings_exclude_is_not_resolved_and_not_kept(ledger: sqlite3.Connection) -> None:
    record(ledger, *audited(build(NOW), 0, rules=["SEC-051", "SEC-053"]))
    without = Settings(excluded_buckets=("*",), rate_share=UNPACED)
    told = record(ledger, *audited(build(NOW), 1, rules=["SEC-051", "SEC-053"], settings=without))
    assert told.changes["resolved"] == 0
    history = History(ledger)
    assert list(history.findings(history.find("latest"))) == []


def test_findings_of_a_rule_that_is_no_more_are_not_resolved_and_not_kept(ledger: sqlite3.Connection) -> None:
    recorded(ledger, account({"lab": OPEN}), 0)
    ledger.execute("UPDATE rules SET code = 'SEC-999' WHERE code = 'SEC-003'")
    told = recorded(ledger, account({"lab": OPEN}), 1, rules=["SEC-001"])
    assert not told.changes["resolved"]
    assert "SEC-999" not in {rule for rule, _ in states(ledger)}
    current = "SELECT count(*) FROM verdicts v JOIN rules u ON u.id = v.rule WHERE until IS NULL AND code = 'SEC-999'"
    assert ledger.execute(current).fetchone() == (0,)


def test_what_was_only_ever_unknown_has_no_state(ledger: sqlite3.Connection) -> None:
    recorded(ledger, account({"lab": OPEN}, refused=[(DESCRIBE, PROD)]), 0)
    assert states(ledger)[ROOT] is None
    told = recorded(ledger, account({"lab": CLOSED}), 1)
    assert ROOT not in states(ledger)
    assert not told.changes["resolved"]
    recorded(ledger, account({"lab": OPEN}), 2)
    assert states(ledger)[ROOT] == "new"


def test_what_is_resolved_and_then_unknown_is_reopened_only_by_a_failure(ledger: sqlite3.Connection) -> None:
    recorded(ledger, account({"lab": OPEN}), 0)
    recorded(ledger, account({"lab": CLOSED}), 1)
    recorded(ledger, account({"lab": OPEN}, refused=[(DESCRIBE, PROD)]), 2)
    assert states(ledger)[ROOT] is None
    recorded(ledger, account({}), 3)
    assert ROOT not in states(ledger)
    recorded(ledger, account({"lab": OPEN}), 4)
    assert states(ledger)[ROOT] == "reopened"


def test_changes_are_of_what_the_later_run_asked_about(ledger: sqlite3.Connection) -> None:
    recorded(ledger, account({"lab": OPEN}), 0, rules=["SEC-001"])
    recorded(ledger, account({"lab": OPEN}), 1, rules=["SEC-001", "SEC-003"])
    recorded(ledger, account({"lab": OPEN}), 2, rules=["SEC-001"])
    history = History(ledger)
    first, second, third = history.runs()
    assert [c.finding.rule for c in history.changes(first, second)] == ["SEC-003"]
    assert list(history.changes(first, third)) == []


def test_an_acceptance_begins_and_ends(ledger: sqlite3.Connection) -> None:
    recorded(ledger, account({"lab": OPEN}), 0)
    for day, state, told in ((1, "accepted", 1), (2, "accepted", 0)):
        change = recorded(ledger, account({"lab": OPEN}), day, settings=ACCEPTING).changes
        assert (states(ledger)[ROOT], change["accepted"]) == (state, told)
    recorded(ledger, account({"lab": OPEN}, refused=[(DESCRIBE, PROD)]), 3, settings=ACCEPTING)
    assert states(ledger)[ROOT] == "unconfirmed"
    change = recorded(ledger, account({"lab": OPEN}), 4, settings=ACCEPTING).changes
    assert (states(ledger)[ROOT], change["open"], change["new"]) == ("open", 2, 0)


def test_the_end_of_an_acceptance_is_news(ledger: sqlite3.Connection) -> None:
    recorded(ledger, account({"lab": OPEN}), 0, settings=ACCEPTING)
    assert states(ledger)[ROOT] == "accepted"
    change = recorded(ledger, account({"lab": OPEN}), 3, settings=ACCEPTING).changes
    assert (states(ledger)[ROOT], change["reopened"], change["new"]) == ("reopened", 1, 0)
    history = History(ledger)
    (told,) = [c for c in history.changes(*history.runs()) if c.finding.rule == "SEC-003"]
    assert told.what == "reopened"


def test_no_acceptance_outlives_its_last_day_behind_a_refused_listing(ledger: sqlite3.Connection) -> None:
    recorded(ledger, account({"lab": OPEN}), 0, settings=ACCEPTING)
    for day, accepted in ((1, True), (3, False), (4, False)):
        recorded(ledger, account({}, refused=[(LIST, PROD)]), day, settings=ACCEPTING)
        history = History(ledger)
        (found,) = (f for f in history.findings(history.find("latest")) if (f.rule, f.resource_name) == ROOT)
        assert (found.state, found.accepted is not None) == ("unconfirmed", accepted)


def test_a_finding_that_another_one_stands_for_is_not_resolved(ledger: sqlite3.Connection) -> None:
    """`settled` takes it out of the findings: it fails as it did."""
    report, snapshot = audited(account({"lab": OPEN}))
    record(ledger, report, snapshot)
    one, other, *rest = report.findings
    merged = replace(one, opposed=(Opposed(other.id, other.rule.code, other.why, "weigh"),))
    folding = replace(report, findings=(merged, *rest), folded=(other,))
    told = record(ledger, folding, snapshot)
    assert not told.changes["resolved"]
    history = History(ledger)
    assert other.id not in {f.id for f in history.findings(history.find("latest"))}
    size = ledger.execute("SELECT count(*) FROM verdicts").fetchone()
    record(ledger, folding, snapshot)
    assert ledger.execute("SELECT count(*) FROM verdicts").fetchone() == size
    told = record(ledger, report, snapshot)
    assert not told.changes["new"]
    assert states(ledger)[other.rule.code, "lab"] == "open"


def test_a_finding_that_another_one_stood_for_from_the_first_is_no_news_alone(
    ledger: sqlite3.Connection,
) -> None:
    """What was folded and comes out because the other cannot be judged has failed all the time."""
    report, snapshot = audited(build(NOW), 0, rules=TRADED)
    assert report.folded
    record(ledger, report, snapshot)
    blind = build(NOW)
    blind.state.refuse("cloudwatch:GetMetricData", code="AccessDenied")
    fewer, narrow = audited(blind, 1, rules=TRADED)
    assert {f.id for f in fewer.findings} & {f.id for f in report.folded}
    told = record(ledger, fewer, narrow)
    assert (told.changes["new"], told.changes["reopened"]) == (0, 0)
    history = History(ledger)
    (first, second) = history.runs()
    assert not [c for c in history.changes(first, second) if c.what == "new"]


def test_a_run_reads_back_as_it_was_however_many_come_after(ledger: sqlite3.Connection) -> None:
    made = [account({"lab": OPEN, "other": OPEN}), account({"other": CLOSED}), account({"lab": OPEN})]
    reports = []
    for day, each in enumerate(made):
        report, snapshot = audited(each, day)
        record(ledger, report, snapshot)
        reports.append(report)
    history = History(ledger)
    for run, report in zip(history.runs(), reports, strict=True):
        told = [
            replace_states(finding, None)
            for finding in history.feed(run).findings()
            if finding.state != "unconfirmed"
        ]
        assert told == list(findings_v1(report))
        feed = history.feed(run)
        assert [rule.code for rule in feed.rules] == [rule.code for rule, _ in report.rules]
        assert feed.run.score.low == report.overall.low
        assert len(feed.trend) == run.id


def replace_states(finding: object, state: None) -> object:
    import msgspec

    return msgspec.structs.replace(finding, state=state, first_seen=None, last_seen=None)  # type: ignore[type-var]


def test_two_findings_of_one_identity_are_one(ledger: sqlite3.Connection) -> None:
    """Two parts of a resource may bear one name."""
    report, snapshot = audited(account({"lab": OPEN}))
    doubled = replace(report, findings=(*report.findings, report.findings[0]))
    for _ in range(2):
        record(ledger, doubled, snapshot)
    history = History(ledger)
    assert len(list(history.findings(history.find("latest")))) == len(report.findings)


def test_a_secret_with_another_hash_is_the_same_secret(ledger: sqlite3.Connection) -> None:
    """Every run hashes with a salt of its own: that is no change, and each run tells one secret by one hash."""
    rules = ["SEC-031", "SEC-032"]
    record(ledger, *audited(build(NOW), 0, rules=rules, salt=b"one"))
    count = ledger.execute("SELECT count(*) FROM verdicts").fetchone()
    report, snapshot = audited(build(NOW), 0, rules=rules, salt=b"another")
    assert not any(record(ledger, report, snapshot).changes.values())
    assert ledger.execute("SELECT count(*) FROM verdicts").fetchone() == count
    history = History(ledger)
    kept = {(e.field, str(e.value)) for f in history.findings(history.find("latest")) for e in f.evidence}
    told = {(e.field, str(e.value)) for f in report.findings for e in f.evidence if " #" in str(e.value)}
    assert told
    assert told <= kept

    report, snapshot = audited(build(NOW), 0, rules=rules, salt=b"a third")
    worse = replace(report, findings=tuple(replace(f, why="It got worse") for f in report.findings))
    record(ledger, worse, snapshot)
    changes = list(history.changes(*history.runs()[-2:]))
    assert len(changes) == len(report.findings)
    assert {name for change in changes for name, _, _ in change.fields} == {"why"}


def test_an_unchanged_run_writes_only_itself(ledger: sqlite3.Connection) -> None:
    recorded(ledger, account({"lab": OPEN}), 0)
    tables = ("verdicts", "resources", "rules", "events")
    before = [rows(ledger, table) for table in tables]
    recorded(ledger, account({"lab": OPEN}), 1)
    assert [rows(ledger, table) for table in tables] == before


def rows(ledger: sqlite3.Connection, table: str) -> int:
    return int(ledger.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - names of ours


def test_changes_between_two_runs_name_the_fields(ledger: sqlite3.Connection) -> None:
    recorded(ledger, account({"lab": OPEN, "gone": OPEN}, tags={}), 0)
    recorded(ledger, account({"lab": OPEN, "fresh": OPEN}, tags={"Environment": "development"}), 1)
    history = History(ledger)
    changes = list(history.changes(history.find("1"), history.find("2")))
    told = {(c.what, c.finding.rule, c.finding.resource_name): {f for f, _, _ in c.fields} for c in changes}
    assert told["new", "SEC-003", "fresh"] == set()
    assert told["resolved", "SEC-003", "gone"] == set()
    assert {"environment", "severity", "score", "tags"} <= told["changed", "SEC-003", "lab"]
    assert {c.why for c in changes if c.what == "resolved"} == {"gone"}
    assert list(history.changes(history.find("1"), history.find("1"))) == []


def test_runs_are_found_by_number_name_day_and_place(ledger: sqlite3.Connection) -> None:
    for day in range(3):
        recorded(ledger, account({"lab": OPEN}), day)
    history = History(ledger)
    first, second, third = history.runs()
    wanted = ["1", first.name, first.started.date().isoformat(), "previous", "latest"]
    assert [history.find(name) for name in wanted] == [first, first, first, second, third]
    with pytest.raises(LedgerError, match="no run is called 'yesterday'"):
        history.find("yesterday")


# ------------------------------------------------------------------------------------- the file


def test_a_crash_inside_a_recording_leaves_the_last_run(ledger: sqlite3.Connection) -> None:
    recorded(ledger, account({"lab": OPEN}), 0)
    report, snapshot = audited(account({}), 1)
    broken = replace(report, rules=None)  # type: ignore[arg-type]  # what no run gives
    with pytest.raises(TypeError):
        record(ledger, broken, snapshot)
    assert [run.id for run in History(ledger).runs()] == [1]
    assert states(ledger)[ROOT] == "new"
    record(ledger, report, snapshot)
    assert states(ledger)[ROOT] == "resolved"


def test_one_run_writes_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    with only_writer(path), pytest.raises(LedgerError, match="another run is writing"), only_writer(path):
        pytest.fail("two writers")
    with only_writer(path):
        pass


def test_files_that_are_no_ledger_are_refused_with_a_line(tmp_path: Path) -> None:
    missing, text, other, newer = (tmp_path / name for name in ("missing", "text", "other", "newer"))
    text.write_text("no database at all, but long enough to be read as one" * 40)
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE things (id)")
    connection.close()
    connection = open_ledger(newer, write=True)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    for path, said in (
        (missing, "there is no ledger yet"),
        (text, "is no ledger, or damaged"),
        (other, "is an SQLite file of something else"),
        (newer, "was written by a newer auditor"),
    ):
        with pytest.raises(LedgerError, match=said):
            open_ledger(path)
    with pytest.raises(LedgerError, match="is an SQLite file of something else"):
        open_ledger(other, write=True)
    assert oct((newer.stat().st_mode) & 0o777) == "0o600"


def test_a_full_disk_and_a_damaged_file_are_told_apart(tmp_path: Path) -> None:
    connection = open_ledger(tmp_path / "full", write=True)
    connection.execute("CREATE TABLE much (text)")
    connection.close()
    too_much = "PRAGMA max_page_count = 1; INSERT INTO much VALUES (zeroblob(100000));"
    with (
        pytest.raises(LedgerError, match=r"disk is full: make room on that disk, or .* \(--state\)$"),
        opened(tmp_path / "full", write=True) as connection,
    ):
        connection.executescript(too_much)
    whole = (tmp_path / "full").read_bytes()
    (tmp_path / "damaged").write_bytes(whole[:5000] + b"\xff" * (len(whole) - 5000))
    with (
        pytest.raises(LedgerError, match=r"is no ledger, or damaged .*: move it away"),
        opened(tmp_path / "damaged") as connection,
    ):
        connection.execute("SELECT * FROM much").fetchall()


def test_an_older_layout_is_brought_up_to_date_whole_or_not_at_all(tmp_path: Path) -> None:
    from auditor.ledger.layout import STEPS

    path = tmp_path / "ledger.sqlite3"
    connection = open_ledger(path, write=True)
    recorded(connection, account({"lab": OPEN}), 0)
    connection.close()
    broken = (*STEPS, "ALTER TABLE runs ADD COLUMN note TEXT; INSERT INTO nowhere VALUES (1);")
    with pytest.raises(LedgerError, match="no such table: nowhere"):
        open_ledger(path, write=True, steps=broken)
    good = (
        *STEPS,
        "ALTER TABLE runs ADD COLUMN note TEXT NOT NULL DEFAULT ';'; UPDATE runs SET note = 'kept';",
    )
    with pytest.raises(LedgerError, match="has the older layout 1"):
        open_ledger(path, steps=good)
    connection = open_ledger(path, write=True, steps=good)
    assert connection.execute("SELECT id, note FROM runs").fetchall() == [(1, "kept")]
    assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    connection.close()
    with pytest.raises(LedgerError, match="newer auditor"):
        open_ledger(path)


def test_a_reader_sees_the_last_whole_run_while_another_is_written(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    writer = open_ledger(path, write=True)
    recorded(writer, account({"lab": OPEN}), 0)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("DELETE FROM runs")
    reader = open_ledger(path)
    assert [run.id for run in History(reader).runs()] == [1]
    writer.execute("ROLLBACK")
    for connection in (reader, writer):
        connection.close()


def test_the_identity_is_of_rule_resource_and_part() -> None:
    report, _ = audited(account({"lab": OPEN}))
    assert {f.subject.arn for f in report.findings} == {arn("lab")}
    assert len({f.id for f in report.findings}) == len(report.findings)
