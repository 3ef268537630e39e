"""What a snapshot tells beyond its findings: coverage, questions, fixes, one resource, the next run's calls."""

import json
import subprocess
import sys
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import auditor
from auditor.commands import UNPACED
from auditor.demo.account import build, demo_session
from auditor.plan import planned
from auditor.scan import Scan, run_scan
from auditor.settings import Settings
from collectors.model import Snapshot
from collectors.sample import NOW
from collectors.session import Sessions
from collectors.snapshot_file import read_snapshot
from evaluators.rule import all_rules

ROOT = Path(auditor.__file__).parent.parent


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("beyond") / "account.jsonl.gz"
    done = run("demo", "-q", "--snapshot", str(target), "-o", f"json={target.with_suffix('.json')}")
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture(scope="module")
def snapshot(path: Path) -> Snapshot:
    return read_snapshot(path)


def run(*arguments: str, cwd: Path = ROOT, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "auditor", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
        env={"PYTHONPATH": str(ROOT), "HOME": str(cwd), **environ},
    )


def test_coverage_prints_every_practice_and_says_the_same_in_json(path: Path) -> None:
    feed = json.loads(path.with_suffix(".json").read_text())
    printed = json.loads(run("coverage", str(path), "--json").stdout)
    assert printed == feed["coverage"]
    assert len(printed) == 120 + 105
    text = run("coverage", str(path)).stdout
    assert all(entry["id"] in text for entry in printed)
    results = {entry["id"]: entry["result"] for entry in printed}
    assert results["P213"] == "fail"
    without = json.loads(run("coverage", "--json").stdout)
    assert {entry["result"] for entry in without} == {None}


def test_questions_are_a_settings_file(tmp_path: Path) -> None:
    printed = run("questions").stdout
    asked = {rule.code for rule in all_rules() if rule.question}
    assert set(tomllib.loads(printed)["attestations"]) == asked
    (tmp_path / "auditor.toml").write_text(printed)
    # Nothing is filled in yet, so all of it is asked again.
    assert run("questions", cwd=tmp_path).stdout == printed
    today = datetime.now(UTC).date()
    filled = f'[attestations.REL-024]\nanswer = "RTO 4 h"\nowner = "ops"\ndate = {today}\n'
    (tmp_path / "auditor.toml").write_text(filled)
    assert set(tomllib.loads(run("questions", cwd=tmp_path).stdout)["attestations"]) == asked - {"REL-024"}
    assert set(tomllib.loads(run("questions", "--all", cwd=tmp_path).stdout)["attestations"]) == asked
    old = f'[attestations.REL-024]\nanswer = "RTO 4 h"\nowner = "ops"\ndate = {today - timedelta(days=366)}\n'
    (tmp_path / "auditor.toml").write_text(old)
    assert "REL-024" in run("questions", cwd=tmp_path).stdout


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            '[attestations.REL-24]\nanswer = true\nowner = "x"\ndate = 2026-01-01\n',
            "no rule asks 'REL-24'; did you mean",
        ),
        ('[attestations.REL-024]\nanswer = "x"\nowner = ""\ndate = 2026-01-01\n', "an answer needs an owner"),
    ],
)
def test_a_wrong_answer_is_said_at_once(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "auditor.toml").write_text(text)
    done = run("questions", cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_fixes_come_by_worth_and_remove_every_finding(path: Path) -> None:
    feed = json.loads(path.with_suffix(".json").read_text())
    fixes = json.loads(run("fixes", str(path), "--top", "0", "--json").stdout)
    assert fixes == feed["fixes"]
    gains = [round(fix["gain"], 3) for fix in fixes]
    assert gains == sorted(gains, reverse=True)
    removed = [id_ for fix in fixes for id_ in fix["findings"]]
    failed = {f["id"] for f in feed["findings"] if f["verdict"] == "fail"}
    folded = {o["id"] for f in feed["findings"] for o in f["opposed"]}
    assert len(removed) == len(set(removed))
    assert set(removed) == failed | folded
    text = run("fixes", str(path), "--top", "3", "--pillar", "cost").stdout
    assert "3 of " in text


def test_show_prints_relations_and_verdicts(path: Path) -> None:
    done = run("show", "endpoint/churn-realtime", str(path))
    assert done.returncode == 0, done.stderr
    for line in (
        "  EndpointConfigName: endpoint-config churn-realtime-7",
        "    ModelName: model churn-realtime-v7",
        "      ModelPackageName: model-package churn/7",
        "  metric-alarm churn-realtime-5xx (EndpointName)",
    ):
        assert line in done.stdout.splitlines()
    assert "does not exist" not in done.stdout
    assert any(line.startswith("pass") and "REL-016" in line for line in done.stdout.splitlines())


@pytest.mark.parametrize(
    ("wanted", "says"),
    [("nothing-like-it", "no resource is called"), ("churn", "resources are called 'churn'")],
)
def test_show_says_what_to_type_instead(path: Path, wanted: str, says: str) -> None:
    done = run("show", wanted, str(path))
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_plan_calls_nothing_and_knows_the_last_run(path: Path, snapshot: Snapshot) -> None:
    done = run("scan", "--plan", "--region", "eu-west-1", "--like", str(path))
    assert done.returncode == 0, done.stderr
    assert "calls as in the run of" in done.stdout
    assert run("scan", "--plan", "--pillar", "cost").returncode == 0
    seen = snapshot.ends[0].operations
    assert sum(seen.values()) == snapshot.ends[0].calls
    chosen = {item.operation: item for item in planned(all_rules(), Settings(), snapshot)}
    # ec2:DescribeRegions and sts:GetCallerIdentity come before the plan.
    assert {op for op in seen if op not in chosen} <= {"ec2:DescribeRegions", "sts:GetCallerIdentity"}
    assert sum(item.calls or 0 for item in chosen.values()) > 100


def test_a_plan_tells_what_aws_bills() -> None:
    frugal = {item.operation: item for item in planned(all_rules(), Settings(), None)}
    billed = [name for name, item in frugal.items() if item.charge]
    assert [frugal[name].least for name in billed] == [0] * len(billed)
    spent = {item.operation: item for item in planned(all_rules(), Settings(cost_explorer=True), None)}
    assert all(spent[name].charge == 0.01 for name in billed)


def test_an_empty_account_takes_the_calls_of_the_plan() -> None:
    from auditor.demo.account import empty

    settings = Settings(rate_share=UNPACED, regions=("eu-west-1",))
    rules = tuple(rule for rule in all_rules() if rule.code in ("SEC-003", "SEC-013", "COST-001"))
    with demo_session(empty(NOW)) as session:
        outcome = run_scan(Sessions(session), Scan(rules, settings, {}, now=NOW, salt=b"test"))
    least = sum(item.least for item in planned(rules, settings, None))
    calls = sum(n for op, n in outcome.calls.items() if op.partition(":")[0] != "sts")
    assert 0 < calls <= least + 1
    assert build(NOW).state.regions == ("eu-west-1", "us-east-1")
