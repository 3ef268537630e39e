"""The scheduled run: states from night to night, what is told to whom, and that nothing which fails costs the rest."""

import gzip
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import boto3
import jsonschema
import pytest
from botocore.awsrequest import AWSResponse
from botocore.validate import ParamValidator
from feeds import stated_feed
from moto.ses.models import ses_backends
from moto.sns.models import sns_backends
from runs import NOW, account, notebook

from auditor.console import Console, Judging
from auditor.delivery.lake import schema as lake_schema
from auditor.delivery.push import push_securityhub
from auditor.demo.account import DemoAccount, build, demo_session
from auditor.demo.company import ACCOUNT, LAB, PROD
from auditor.ledger.history import History
from auditor.ledger.layout import open_ledger
from auditor.outputs.json_v1 import schema as feed_schema
from auditor.past import report
from auditor.run import Around, Doors, run_scheduled
from collectors.session import CallError, Identity, Sessions

QUIET = Console(quiet=True, verbose=False, progress=False, color="never")
RULES = ["SEC-001", "SEC-003"]
DAY = timedelta(days=1)
OPEN, CLOSED = notebook(), notebook(root="Disabled", internet="Disabled")


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("AUDITOR_CONFIG", "AUDITOR_STATE"):
        monkeypatch.delenv(name, raising=False)


def run(
    made: DemoAccount,
    day: int = 0,
    *,
    rules: list[str] | None = None,
    outputs: list[str] | None = None,
    config: str | Path | None = None,
    pauses: list[float] | None = None,
    pause: Any = None,
    minute: float = 60.0,
    mine: Sessions | None = None,
    **flags: Any,
) -> int:
    """One run over an account; its state is in `state` unless the flags say otherwise."""
    given = {"state": "state", "pricing": "off", "allow_gaps": True, "rate_share": 1.0} | flags
    judging = Judging(
        RULES if rules is None else rules, [], [], None, ["table=report.txt"] if outputs is None else outputs
    )
    with demo_session(made) as session:
        doors = Doors(Sessions(session), mine or own())
        waited = pause or (pauses if pauses is not None else []).append
        around = Around(doors, NOW + day * DAY, waited, minute)
        return run_scheduled(config, given, QUIET, judging, around)


def own() -> Sessions:
    """The run's own credentials: moto as it is, without the demo's answers before it."""
    keys = {"aws_access_key_id": "own", "aws_secret_access_key": "own"}
    return Sessions(boto3.Session(**keys, region_name=PROD))


@contextmanager
def ledger(place: str = "state") -> Iterator[History]:
    connection = open_ledger(Path(place) / "ledger.sqlite3")
    try:
        yield History(connection)
    finally:
        connection.close()


def states(**wanted: str) -> dict[str, str | None]:
    """State by resource of the latest run, of the findings that match."""
    with ledger() as history:
        run = history.find("latest")
        found = [*history.findings(run), *history.resolved(run)]
        return {f.resource_name: f.state for f in found if all(getattr(f, k) == v for k, v in wanted.items())}


# ---------------------------------------------------------------------------------- night by night


def test_two_runs_over_a_demo_account_that_changed_and_then_a_region_that_is_refused() -> None:
    rules = ["SEC-001", "SEC-003", "SEC-004", "OPS-031", "SEC-050"]
    assert run(build(NOW), 0, rules=rules) == 0
    with ledger() as history:
        before = {f.id: f for f in history.findings(history.find("latest")) if f.verdict == "fail"}
    changed = build(NOW)
    (legacy,) = changed.state.named("NotebookInstance", PROD, "demand-legacy")
    assert legacy["RootAccess"] == "Enabled"
    legacy["RootAccess"] = "Disabled"
    changed.state.remove("NotebookInstance", PROD, "search-relevance")
    template = dict(legacy) | {
        "NotebookInstanceName": "brand-new",
        "NotebookInstanceArn": f"arn:aws:sagemaker:{PROD}:{ACCOUNT}:notebook-instance/brand-new",
        "RootAccess": "Enabled",
    }
    changed.state.add("NotebookInstance", PROD, template)
    changed.state.refuse(
        "sagemaker:DescribeNotebookInstance",
        code="ThrottlingException",
        when={"NotebookInstanceName": "fraud-investigation"},
    )
    assert run(changed, 1, rules=rules) == 0
    assert states(rule="SEC-003")["demand-legacy"] == "resolved"
    assert states(rule="SEC-003")["brand-new"] == "new"
    assert states(rule="SEC-001")["fraud-investigation"] == "unconfirmed"
    assert states(rule="SEC-050") == {ACCOUNT: "open"}
    with ledger() as history:
        told = {c.finding.id: c.what for c in history.changes(history.find("1"), history.find("2"))}
        stands = {f.id for f in history.findings(history.find("2"))}
    # Every earlier finding is still told, or was resolved for a reason.
    assert {id_ for id_ in before if id_ not in stands} == {
        i for i, what in told.items() if what == "resolved"
    }

    refused = build(NOW)
    for operation in (
        "sagemaker:ListNotebookInstances",
        "sagemaker:DescribeNotebookInstance",
        "sagemaker:Search",
    ):
        refused.state.refuse(operation, code="AccessDeniedException", region=LAB)
    with ledger() as history:
        there = {
            f.id for f in history.findings(history.find("latest")) if f.region == LAB and f.verdict == "fail"
        }
    assert there
    assert run(refused, 2, rules=rules) == 0
    with ledger() as history:
        latest = history.find("latest")
        assert [f for f in history.resolved(latest) if f.region == LAB] == []
        now = {f.id: f.state for f in history.findings(latest)}
        assert there <= set(now)
        lost = {
            f.id
            for f in history.findings(latest)
            if f.resource_kind == "notebook-instance" and f.region == LAB
        }
        assert {now[id_] for id_ in lost & there} == {"unconfirmed"}


def test_what_a_run_prints_is_what_the_report_of_it_prints_later() -> None:
    run(account({"lab": OPEN}), 0, outputs=["table=first.txt", "json=first.json", "html=first.html"])
    run(account({"lab": CLOSED}), 1)
    console = Console(quiet=True, verbose=False, progress=False, color="never")
    outputs = ["table=again.txt", "json=again.json", "html=again.html"]
    assert report("1", {"state": "state"}, None, None, outputs, console) == 0
    for name in ("txt", "json", "html"):
        assert Path(f"again.{name}").read_bytes() == Path(f"first.{name}").read_bytes()
    found = json.loads(Path("first.json").read_text())
    assert {f["state"] for f in found["findings"]} == {"new"}
    jsonschema.validate(found, feed_schema())


def test_exit_codes_are_those_of_a_scan(capsys: pytest.CaptureFixture[str]) -> None:
    blind = account({"lab": OPEN}, refused=[("sagemaker:DescribeNotebookInstance", PROD)])
    assert run(account({"lab": OPEN})) == 0
    assert run(account({"lab": OPEN}), fail_on="high") == 1
    assert run(blind, allow_gaps=False) == 3
    assert run(account({"lab": OPEN}), fail_on="hihg") == 2
    assert "unknown severity" in capsys.readouterr().err
    assert run(account({"lab": OPEN}), regions=("eu-west-9",)) == 2
    assert "Region 'eu-west-9'" in capsys.readouterr().err


def test_jobs_since_the_last_complete_run_are_read_with_fewer_calls() -> None:
    rules = ["SEC-011", "COST-014"]
    run(build(NOW), 0, rules=rules, since_last=True, search=False)
    run(build(NOW), 1, rules=rules, since_last=True, search=False)
    with ledger() as history:
        first, second = (history.run_v1(each) for each in history.runs())
    assert second.calls < first.calls / 4
    assert second.resources == first.resources
    assert second.changes["resolved"] == 0


def test_a_run_that_is_cut_off_by_its_time_limit_is_recorded_as_incomplete() -> None:
    run(account({"lab": OPEN}), 0)
    assert run(account({}), 1, time_limit_minutes=1, minute=0.0, allow_gaps=False) == 3
    with ledger() as history:
        assert history.run_v1(history.find("latest")).why_incomplete == "the time limit was reached"
    health = json.loads(Path("state/health.json").read_text())
    assert health["complete"] is False


def test_a_second_run_at_once_is_refused_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    from auditor.ledger.layout import only_writer

    with only_writer(Path("state/ledger.sqlite3")):
        assert run(account({"lab": OPEN})) == 4
    assert "another run is writing" in capsys.readouterr().err
    assert run(account({"lab": OPEN})) == 0


def test_the_outputs_of_the_settings_are_a_scheduled_runs_alone(capsys: pytest.CaptureFixture[str]) -> None:
    Path("auditor.toml").write_text('outputs = ["csv=nightly.csv"]\n')
    assert run(account({"lab": OPEN}), outputs=[], config="auditor.toml") == 0
    assert Path("nightly.csv").is_file()
    Path("nightly.csv").unlink()
    assert report("latest", {"state": "state"}, Path("auditor.toml"), None, [], QUIET) == 0
    assert not Path("nightly.csv").exists()
    assert "Account 123456789012" in capsys.readouterr().out


def test_state_that_is_no_directory_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").write_text("x")
    assert run(account({"lab": OPEN}), state="file") == 4
    assert "cannot keep state in file: it is no directory" in capsys.readouterr().err


def test_jitter_waits_before_anything_is_read() -> None:
    pauses: list[float] = []
    assert run(account({"lab": OPEN}), jitter_seconds=90, pauses=pauses) == 0
    assert len(pauses) == 1
    assert 0 <= pauses[0] <= 90


# ------------------------------------------------------------------------------- state, feed, health


def test_the_feed_is_there_whole_with_its_schemas() -> None:
    run(account({"lab": OPEN}), 0, feed="feed")
    run(account({"lab": CLOSED}), 1, feed="feed")
    root = Path("feed")
    days = [f"dt={NOW + day * DAY:%Y-%m-%d}" for day in range(2)]
    latest = json.loads((root / "latest.json").read_text())
    jsonschema.validate(latest, lake_schema("latest"))
    assert {f["path"] for f in latest["files"]} == {
        f"findings/{days[1]}/findings.jsonl.gz",
        f"parquet/{days[1]}/findings.parquet",
        f"runs/{days[1]}/run.json",
        "findings.json",
    }
    for file in latest["files"]:
        assert (root / file["path"]).stat().st_size == file["bytes"]
    jsonschema.validate(json.loads((root / f"runs/{days[1]}/run.json").read_text()), lake_schema("run"))
    jsonschema.validate(json.loads((root / "findings.json").read_text()), feed_schema())
    first, second = (
        [
            json.loads(line)
            for line in gzip.decompress(
                (root / f"findings/{day}/findings.jsonl.gz").read_bytes()
            ).splitlines()
        ]
        for day in days
    )
    assert {row["state"] for row in first} == {"new"}
    assert {row["state"] for row in second} == {"resolved"}
    modes = {path.stat().st_mode & 0o777 for path in root.rglob("*")}
    assert modes == {0o600, 0o700}


def test_state_and_feed_in_a_bucket() -> None:
    def bucket(session: boto3.Session) -> None:
        session.client("s3").create_bucket(
            Bucket="audits", CreateBucketConfiguration={"LocationConstraint": PROD}
        )

    with demo_session(account({"lab": OPEN}), everywhere=True) as session:
        bucket(session)
        doors = Doors(Sessions(session), Sessions(session))
        flags = {
            "state": "s3://audits/state",
            "feed": "s3://audits/feed",
            "pricing": "off",
            "allow_gaps": True,
        }
        judging = Judging(RULES, [], [], None, ["table=report.txt"])
        for day in range(2):
            around = Around(doors, NOW + day * DAY, lambda _: None)
            assert run_scheduled(None, flags, QUIET, judging, around) == 0
        client = session.client("s3")
        keys = {each["Key"] for each in client.list_objects_v2(Bucket="audits")["Contents"]}
        assert {"state/ledger.sqlite3", "state/snapshot.jsonl.gz", "state/health.json"} <= keys
        assert {"feed/latest.json", "feed/findings.json"} <= keys
        Path("copy").mkdir()
        Path("copy/ledger.sqlite3").write_bytes(
            client.get_object(Bucket="audits", Key="state/ledger.sqlite3")["Body"].read()
        )
        latest = json.loads(client.get_object(Bucket="audits", Key="feed/latest.json")["Body"].read())
    with ledger("copy") as history:
        assert [run.id for run in history.runs()] == [1, 2]
        assert {f.state for f in history.findings(history.find("latest"))} == {"open"}
        assert latest["run_id"] == history.find("latest").name


def test_a_ledger_in_a_bucket_that_somebody_else_replaced_is_written_anew() -> None:
    run(account({"other": OPEN}), 0, state="other")
    theirs = Path("other/ledger.sqlite3").read_bytes()
    crossed: list[bool] = []
    with demo_session(account({"lab": OPEN})) as session:
        mine, plain = own(), own().client("s3", PROD)
        plain.create_bucket(Bucket="audits", CreateBucketConfiguration={"LocationConstraint": PROD})

        def cross(params: Any, **_: Any) -> None:
            if not crossed and params["url_path"].endswith("ledger.sqlite3"):
                crossed.append(True)
                plain.put_object(Bucket="audits", Key="state/ledger.sqlite3", Body=theirs)

        mine.client("s3", PROD).meta.events.register("before-call.s3.PutObject", cross)
        around = Around(Doors(Sessions(session), mine), NOW + DAY, lambda _: None)
        flags = {"state": "s3://audits/state", "pricing": "off", "allow_gaps": True}
        judging = Judging(RULES, [], [], None, ["table=report.txt"])
        assert run_scheduled(None, flags, QUIET, judging, around) == 0
        assert crossed
        Path("copy").mkdir()
        body = plain.get_object(Bucket="audits", Key="state/ledger.sqlite3")["Body"].read()
        Path("copy/ledger.sqlite3").write_bytes(body)
    with ledger("copy") as history:
        assert [each.id for each in history.runs()] == [1, 2]
        found = [*history.findings(history.find("latest")), *history.resolved(history.find("latest"))]
        assert {(f.resource_name, f.state) for f in found} == {("lab", "new"), ("other", "resolved")}


def refusing(operation: str, key: str) -> Sessions:
    """Credentials with a bucket `audits` that refuses one operation on one key, and nothing else."""
    mine = own()
    mine.client("s3", PROD).create_bucket(
        Bucket="audits", CreateBucketConfiguration={"LocationConstraint": PROD}
    )

    def refuse(params: Any, **_: Any) -> tuple[AWSResponse, dict[str, Any]] | None:
        if not params["url_path"].endswith(key):
            return None
        return AWSResponse("", 403, {}, None), {"Error": {"Code": "AccessDenied", "Message": "no"}}

    mine.client("s3", PROD).meta.events.register(f"before-call.s3.{operation}", refuse)
    return mine


def test_a_ledger_that_cannot_be_kept_is_a_run_that_was_not_recorded(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with demo_session(account({"lab": OPEN})) as session:
        mine = refusing("PutObject", "ledger.sqlite3")
        around = Around(Doors(Sessions(session), mine), NOW, lambda _: None)
        flags = {"state": "s3://audits/state", "pricing": "off", "allow_gaps": True}
        judging = Judging(RULES, [], [], None, ["json=report.json"])
        assert run_scheduled(None, flags, QUIET, judging, around) == 3
        body = mine.client("s3", PROD).get_object(Bucket="audits", Key="state/health.json")["Body"].read()
    assert capsys.readouterr().err.count("the run was not recorded: s3://audits/state/ledger.sqlite3") == 1
    told = json.loads(Path("report.json").read_text())
    assert (told["run"]["id"], {f["state"] for f in told["findings"]}) == ("", {None})
    assert (json.loads(body)["run"], json.loads(body)["last_success"]) == ("", None)


def test_an_earlier_snapshot_that_cannot_be_had_costs_only_time(capsys: pytest.CaptureFixture[str]) -> None:
    with demo_session(account({"lab": OPEN})) as session:
        around = Around(
            Doors(Sessions(session), refusing("GetObject", "snapshot.jsonl.gz")), NOW, lambda _: None
        )
        flags = {"state": "s3://audits/state", "pricing": "off", "allow_gaps": True, "since_last": True}
        assert run_scheduled(None, flags, QUIET, Judging(RULES, [], [], None, ["table=r"]), around) == 0
    assert "all jobs are read: s3://audits/state/snapshot.jsonl.gz" in capsys.readouterr().err


def test_old_runs_that_cannot_be_forgotten_cost_the_new_one_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(account({"lab": OPEN}), 0)
    connection = open_ledger(Path("state/ledger.sqlite3"), write=True)
    connection.execute("CREATE TRIGGER kept BEFORE UPDATE ON runs BEGIN SELECT RAISE(ABORT, 'no'); END")
    connection.close()
    assert run(account({"lab": OPEN}), 30, keep_days=1) == 0
    assert "old runs were not forgotten: no" in capsys.readouterr().err
    with ledger() as history:
        assert [each.id for each in history.runs()] == [1, 2]


def test_every_failure_to_write_is_said_and_the_severity_holds_without_a_ledger(
    capsys: pytest.CaptureFixture[str],
) -> None:
    connection = open_ledger(Path("state/ledger.sqlite3"), write=True)
    connection.execute("CREATE TRIGGER full BEFORE INSERT ON runs BEGIN SELECT RAISE(ABORT, 'full'); END")
    connection.close()
    for name in ("one.json", "two.json"):
        Path(name).symlink_to("/dev/full")
    judging = Judging(RULES, [], [], "critical", ["json=one.json", "json=two.json"])
    flags = {"state": "state", "pricing": "off", "allow_gaps": True}
    with demo_session(account({"lab": OPEN})) as session:
        around = Around(Doors(Sessions(session), own()), NOW, lambda _: None)
        assert run_scheduled(None, flags, QUIET, judging, around) == 3
    told = capsys.readouterr()
    assert all(
        part in told.err for part in ("was not recorded", "cannot write one.json", "cannot write two.json")
    )
    # What no file took is told once on the terminal, from the severity on that was asked for.
    assert told.out.count("Findings, worst first") == 0
    assert told.out.count("SEC-003") == 0
    assert told.out.count("Account 123456789012") == 1
    health = json.loads(Path("state/health.json").read_text())
    assert all(part in health["message"] for part in ("was not recorded", "one.json", "two.json"))


def test_a_reader_who_goes_away_ends_no_scheduled_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def gone(*_: Any) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("auditor.run.drop_stdout", lambda: None)
    monkeypatch.setattr("sys.stdout", SimpleNamespace(flush=gone, isatty=lambda: False))
    assert run(account({"lab": OPEN}), outputs=["table"], feed="feed", health_file="health.json") == 3
    assert "stdout was closed" in capsys.readouterr().err
    assert Path("feed/latest.json").is_file()
    assert json.loads(Path("health.json").read_text())["run"]


def test_what_nobody_foresaw_is_in_the_health_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("auditor.pipeline.make_report", broken)
    with pytest.raises(ZeroDivisionError):
        run(account({"lab": OPEN}), 0)
    health = json.loads(Path("state/health.json").read_text())
    assert (health["exit_code"], health["message"]) == (70, "broken off: ZeroDivisionError")


def test_a_feed_that_cannot_be_written_is_said_before_anything_is_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("file").write_text("")
    assert run(account({"lab": OPEN}), 0, feed="file/feed") == 4
    assert "cannot write file/feed: " in capsys.readouterr().err
    assert not Path("state").exists()


def test_a_run_keeps_no_more_than_a_century(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(account({"lab": OPEN}), 0, keep_days=1_000_000) == 2
    assert "--keep-days: expected int <= 36500" in capsys.readouterr().err


def test_health_keeps_the_last_success_through_a_failure() -> None:
    assert run(account({"lab": OPEN}), 0, health_file="health.json") == 0
    refused = account({})
    refused.state.refuse("ec2:DescribeRegions", code="UnauthorizedOperation")
    assert run(refused, 1, health_file="health.json") == 2
    for place in ("health.json", "state/health.json"):
        health = json.loads(Path(place).read_text())
        assert health["last_success"].startswith(f"{NOW:%Y-%m-%d}")
        assert health["last_run"].startswith(f"{NOW + DAY:%Y-%m-%d}")
        assert "cannot list the enabled Regions" in health["message"]


def test_an_output_that_cannot_be_written_costs_only_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(account({"lab": OPEN}), outputs=["json=/dev/full", "csv=fits.csv"], feed="feed") == 3
    assert "cannot write /dev/full: No space left on device" in capsys.readouterr().err
    assert Path("fits.csv").is_file()
    assert Path("feed/latest.json").is_file()
    assert states(rule="SEC-003") == {"lab": "new"}


def test_a_health_file_that_cannot_be_written_costs_the_other_one_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("state/health.json").mkdir(parents=True)
    assert run(account({"lab": OPEN}), 0, health_file="told.json") == 0
    assert "the health file was not written: cannot write state/health.json" in capsys.readouterr().err
    assert json.loads(Path("told.json").read_text())["exit_code"] == 0


def test_a_ledger_that_cannot_be_written_costs_the_states_and_nothing_else(
    capsys: pytest.CaptureFixture[str],
) -> None:
    connection = open_ledger(Path("state/ledger.sqlite3"), write=True)
    full = "SELECT RAISE(ABORT, 'database or disk is full')"
    connection.execute(f"CREATE TRIGGER full BEFORE INSERT ON runs BEGIN {full}; END")
    connection.close()
    assert run(account({"lab": OPEN}), outputs=["json=report.json"], feed="feed") == 3
    assert (
        "the run was not recorded: state/ledger.sqlite3: database or disk is full" in capsys.readouterr().err
    )
    assert {f["state"] for f in json.loads(Path("report.json").read_text())["findings"]} == {None}
    assert Path("feed/latest.json").is_file()


def test_settings_from_a_bucket() -> None:
    with demo_session(account({"lab": OPEN})) as session:
        client = session.client("s3")
        client.create_bucket(Bucket="audits", CreateBucketConfiguration={"LocationConstraint": PROD})
        client.put_object(
            Bucket="audits", Key="settings/auditor.toml", Body=b'state = "elsewhere"\nfail_on = "high"\n'
        )
        doors = Doors(Sessions(session), Sessions(session))
        judging = Judging(RULES, [], [], None, ["table=report.txt"])
        around = Around(doors, NOW, lambda _: None)
        flags: Mapping[str, Any] = {"pricing": "off"}
        assert run_scheduled("s3://audits/settings/auditor.toml", flags, QUIET, judging, around) == 1
        assert run_scheduled("s3://audits/settings/missing.toml", flags, QUIET, judging, around) == 4
    with ledger("elsewhere") as history:
        assert len(history.runs()) == 1


# ------------------------------------------------------------------------------------ who is told


class Hook:
    """A webhook that keeps what it is sent, and refuses the first so many, or answers with these bytes."""

    def __init__(self, refuse: int = 0, answer: bytes = b"") -> None:
        hook = self
        self.got: list[Any] = []
        self.refuse = refuse

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if answer:
                    self.wfile.write(answer)
                    return
                hook.refuse -= 1
                if hook.refuse < 0:
                    hook.got.append(body)
                self.send_response(200 if hook.refuse < 0 else 503)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/services/T0/secret-path"

    def __enter__(self) -> "Hook":
        Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.server.shutdown()
        self.server.server_close()


WEBHOOK = '[[notify]]\nkind = "webhook"\nurl_env = "AUDITOR_SLACK_URL"\n'


def deliveries() -> list[tuple[Any, ...]]:
    with ledger() as history:
        return history.connection.execute(
            "SELECT run, channel, attempts, delivered IS NOT NULL, error FROM deliveries ORDER BY run"
        ).fetchall()


def test_what_changed_is_told_and_what_did_not_change_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("auditor.toml").write_text(WEBHOOK + 'on = ["new", "reopened", "resolved"]\nseverity = "medium"\n')
    with Hook() as hook:
        monkeypatch.setenv("AUDITOR_SLACK_URL", hook.address)
        for day, made in enumerate(
            (account({"lab": OPEN}), account({"lab": OPEN}), account({"lab": CLOSED}))
        ):
            assert run(made, day, config="auditor.toml") == 0
    first, second = (message["text"] for message in hook.got)
    assert "2 new" in first
    assert "lab" in first
    assert "2 resolved" in second
    assert [row[1:4] for row in deliveries()] == [
        ("webhook:AUDITOR_SLACK_URL", 1, 1),
        ("webhook:AUDITOR_SLACK_URL", 0, 1),
        ("webhook:AUDITOR_SLACK_URL", 1, 1),
    ]


def test_a_channel_is_told_only_from_its_thresholds_on(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("auditor.toml").write_text(
        WEBHOOK + 'severity = "critical"\n' + WEBHOOK + "at_least = 3\n" + WEBHOOK + 'name = "loud"\n'
    )
    with Hook() as hook:
        monkeypatch.setenv("AUDITOR_SLACK_URL", hook.address)
        run(account({"lab": OPEN}), 0, config="auditor.toml")
    assert len(hook.got) == 1
    assert {row[1]: row[2] for row in deliveries()} == {
        "webhook:AUDITOR_SLACK_URL": 0,
        "webhook:AUDITOR_SLACK_URL #2": 0,
        "loud": 1,
    }


def test_a_message_that_does_not_arrive_is_tried_again_and_fails_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("auditor.toml").write_text(WEBHOOK)
    pauses: list[float] = []
    with Hook(refuse=2) as hook:
        monkeypatch.setenv("AUDITOR_SLACK_URL", hook.address)
        assert run(account({"lab": OPEN}), 0, config="auditor.toml", pauses=pauses) == 0
        assert (len(hook.got), pauses) == (1, [1.0, 4.0])
        hook.refuse = 10
        assert run(account({"lab": OPEN, "b": OPEN}), 1, config="auditor.toml") == 0
        said = capsys.readouterr().err
        assert "webhook:AUDITOR_SLACK_URL was not told of run" in said
        assert "secret-path" not in said
        assert deliveries()[1][2:] == (4, 0, "the webhook answered 503")
        hook.refuse = 0
        assert run(account({"lab": OPEN, "b": OPEN}), 2, config="auditor.toml") == 0
    assert "2 new" in hook.got[-1]["text"]
    assert [row[3] for row in deliveries()] == [1, 1, 1]


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:{port}/secret path", "http://127.0.0.1:secret/", "https://", "ftp://secret", ""],
)
def test_an_address_that_cannot_be_used_is_said_without_the_address(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], address: str
) -> None:
    Path("auditor.toml").write_text(WEBHOOK)
    monkeypatch.setenv("AUDITOR_SLACK_URL", address.format(port=9))
    assert run(account({"lab": OPEN}), 0, config="auditor.toml") == 0
    said = capsys.readouterr().err
    assert "webhook:AUDITOR_SLACK_URL was not told" in said
    assert "secret" not in said
    assert json.loads(Path("state/health.json").read_text())["exit_code"] == 0


def test_a_webhook_that_speaks_no_http_and_one_that_leads_elsewhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("auditor.toml").write_text(WEBHOOK)
    with Hook(answer=b"SSH-2.0-OpenSSH_9.2\r\n") as hook:
        monkeypatch.setenv("AUDITOR_SLACK_URL", hook.address)
        assert run(account({"lab": OPEN}), 0, config="auditor.toml") == 0
    assert "the webhook cannot be reached (BadStatusLine)" in capsys.readouterr().err
    with Hook() as elsewhere:
        led = f"HTTP/1.1 302 Found\r\nLocation: {elsewhere.address}\r\nContent-Length: 0\r\n\r\n"
        with Hook(answer=led.encode()) as hook:
            monkeypatch.setenv("AUDITOR_SLACK_URL", hook.address)
            assert run(account({"lab": OPEN}), 1, config="auditor.toml") == 0
        assert elsewhere.got == []
    assert "the webhook answered 302" in capsys.readouterr().err


def test_a_message_is_given_up_after_many_nights_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("auditor.toml").write_text(WEBHOOK)
    with Hook(refuse=1000) as hook:
        monkeypatch.setenv("AUDITOR_SLACK_URL", hook.address)
        for day in range(15):
            said = capsys.readouterr().err
            assert "given up" not in said
            assert run(account({"lab": OPEN}), day, config="auditor.toml") == 0
    assert "the webhook answered 503; it is given up" in capsys.readouterr().err
    assert deliveries()[0][2:4] == (60, 0)


def test_a_run_that_was_stopped_before_it_told_is_told_of_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("auditor.toml").write_text(WEBHOOK)

    def stopped(_: float) -> None:
        raise KeyboardInterrupt

    with Hook(refuse=1) as hook:
        monkeypatch.setenv("AUDITOR_SLACK_URL", hook.address)
        assert run(account({"lab": OPEN}), 0, config="auditor.toml", pause=stopped) == 130
        assert hook.got == []
        assert run(account({"lab": OPEN}), 1, config="auditor.toml") == 0
    assert ["2 new" in message["text"] for message in hook.got] == [True]


def test_a_webhook_is_told_names_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("auditor.toml").write_text(WEBHOOK)
    with Hook() as hook:
        monkeypatch.setenv("AUDITOR_SLACK_URL", hook.address)
        run(account({"<!channel> <http://evil|x>\x1b": OPEN}), config="auditor.toml")
    (message,) = hook.got
    assert "&lt;!channel&gt;" in message["text"]
    assert "<" not in message["text"]
    assert "\x1b" not in message["text"]


def test_sns_and_email_are_told_through_aws() -> None:
    topic = f"arn:aws:sns:{PROD}:{ACCOUNT}:audits"
    Path("auditor.toml").write_text(
        f'[[notify]]\nkind = "sns"\ntopic_arn = "{topic}"\n'
        '[[notify]]\nkind = "email"\nsender = "audit@example.com"\nrecipients = ["ml@example.com"]\n'
    )
    with demo_session(account({"lab": OPEN})) as session:
        mine = own()
        mine.client("sns", PROD).create_topic(Name="audits")
        mine.client("ses", PROD).verify_email_identity(EmailAddress="audit@example.com")
        around = Around(Doors(Sessions(session), mine), NOW, lambda _: None)
        judging = Judging(RULES, [], [], None, ["table=report.txt"])
        flags = {"state": "state", "pricing": "off", "allow_gaps": True}
        assert run_scheduled("auditor.toml", flags, QUIET, judging, around) == 0
        (sent,) = sns_backends[ACCOUNT][PROD].topics[topic].sent_notifications
        (mail,) = ses_backends[ACCOUNT][PROD].sent_messages
        assert "2 new" in sent[1]
        assert "2 new" in mail.body
    assert [(row[1], row[3], row[4]) for row in deliveries()] == [
        ("email:ml@example.com", 1, ""),
        ("sns:audits", 1, ""),
    ]


def hub(sent: list[dict[str, Any]], error: str = "") -> Sessions:
    """Credentials under which Security Hub takes whatever is valid, and keeps it in `sent`, or answers an error."""
    made = own()
    model = made.client("securityhub", PROD).meta.service_model.operation_model("BatchImportFindings")

    def answer(params: Any, **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        if error:
            return AWSResponse("", 403, {}, None), {"Error": {"Code": error, "Message": "no"}}
        findings = json.loads(params["body"])["Findings"]
        report = ParamValidator().validate({"Findings": findings}, model.input_shape)
        assert not report.has_errors(), report.generate_report()
        sent.extend(findings)
        taken = {"FailedCount": 0, "SuccessCount": len(findings), "FailedFindings": []}
        return AWSResponse("", 200, {}, None), taken

    for region in (PROD, LAB):
        made.client("securityhub", region).meta.events.register(
            "before-call.securityhub.BatchImportFindings", answer
        )
    return made


def test_security_hub_is_told_of_what_the_run_evaluated() -> None:
    sent: list[dict[str, Any]] = []
    run(account({"lab": OPEN, "other": OPEN}), 0, push=("securityhub",), mine=hub(sent))
    assert {f["RecordState"] for f in sent} == {"ACTIVE"}
    sent.clear()
    refused = account({"lab": CLOSED}, refused=[("sagemaker:ListNotebookInstances", LAB)])
    run(refused, 1, push=("securityhub",), mine=hub(sent))
    told = {(f["ProductFields"]["auditor/State"], f["RecordState"], f["Compliance"]["Status"]) for f in sent}
    assert told == {("resolved", "ARCHIVED", "PASSED")}


def test_what_security_hub_was_not_told_is_told_by_the_next_run(capsys: pytest.CaptureFixture[str]) -> None:
    sent: list[dict[str, Any]] = []
    both = account({"lab": OPEN, "other": OPEN})
    assert run(both, 0, push=("securityhub",), mine=hub(sent)) == 0
    mended = account({"lab": CLOSED, "other": OPEN})
    assert run(mended, 1, push=("securityhub",), mine=hub(sent, "InvalidAccessException")) == 0
    assert "securityhub was not told of run" in capsys.readouterr().err
    assert [(row[1], row[3]) for row in deliveries()] == [("securityhub", 1), ("securityhub", 0)]
    sent.clear()
    assert run(mended, 2, push=("securityhub",), mine=hub(sent)) == 0
    told = [(f["Resources"][0]["Details"]["Other"]["Name"], f["RecordState"]) for f in sent]
    # First what the untold run resolved, then everything as it stands now.
    assert told == [("lab", "ARCHIVED")] * 2 + [("other", "ACTIVE")] * 2
    assert [row[3] for row in deliveries()] == [1, 1, 1]


def test_what_security_hub_refuses_for_good_is_said_and_not_sent_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    mine = own()
    stranger = Identity("210987654321", "aws", "arn:aws:iam::210987654321:role/x")
    mine.identity = lambda: stranger  # type: ignore[method-assign]
    run(account({"lab": OPEN}), 0, push=("securityhub",), mine=mine)
    assert "only 123456789012 may import its findings" in capsys.readouterr().err
    assert [row[3] for row in deliveries()] == [1]


def test_security_hub_takes_an_accounts_findings_from_that_account_alone() -> None:
    feed = stated_feed()
    asked: list[str] = []

    def call(service: str, region: str, operation: str, given: dict[str, Any]) -> dict[str, Any]:
        asked.append(region)
        return {"FailedFindings": [{"Id": given["Findings"][0]["Id"], "ErrorCode": "InvalidInput"}]}

    other = push_securityhub(feed, "210987654321", call, lambda _: None)
    assert asked == []
    assert "only 123456789012 may import its findings" in other.text
    mine = push_securityhub(feed, ACCOUNT, call, lambda _: None)
    assert mine.refused == {"InvalidInput": len(asked)}
    assert not mine.whole


def test_a_batch_that_does_not_arrive_is_sent_again_and_one_that_is_not_allowed_is_not() -> None:
    for code, tries in (("ThrottlingException", 4), ("InvalidAccessException", 1)):
        asked: list[str] = []

        def refuse(
            service: str, region: str, *_: Any, code: str = code, asked: list[str] = asked
        ) -> dict[str, Any]:
            asked.append(region)
            raise CallError(f"securityhub:BatchImportFindings: {code}", code)

        pushed = push_securityhub(stated_feed(), ACCOUNT, refuse, lambda _: None)
        batches = len(asked) // tries
        assert len(asked) == batches * tries
        assert pushed.taken == 0
        assert code in pushed.text
