"""The command line against a server over HTTP: the same findings as in this process."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import auditor
from auditor.commands import UNPACED
from auditor.demo.account import build, demo_session, served
from auditor.outputs.json_v1 import json_chunks
from auditor.publish import feed_of
from auditor.report import make_report
from auditor.scan import Scan, run_scan
from auditor.settings import Settings
from collectors.session import Sessions
from collectors.snapshot_file import read_snapshot
from evaluators.rule import all_rules

ROOT = Path(auditor.__file__).parent.parent


# The process that scans has a clock of its own, so the account is as old as the test.
STARTED = datetime.now(UTC).replace(microsecond=0)
ACCOUNT = build(STARTED)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with served(ACCOUNT) as address:
        yield address


def run(address: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "auditor", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        env={**environment(address), **environ},
    )


def environment(address: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        # No price that an earlier run kept.
        "XDG_CACHE_HOME": tempfile.mkdtemp(),
        "AWS_ENDPOINT_URL": address,
        # s3control puts the account before the host's name, which only a proxy can resolve here.
        "HTTP_PROXY": address,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AUDITOR_RATE_SHARE": "1",
    }


def expected() -> dict[str, Any]:
    """What the same account gives without a wire in between."""
    settings = Settings(rate_share=UNPACED)
    with demo_session(build(STARTED)) as session:
        outcome = run_scan(Sessions(session), Scan(all_rules(), settings, {}, now=STARTED, salt=b"test"))
    report = make_report(outcome.snapshot, all_rules(), settings, {})
    found: dict[str, Any] = json.loads(b"".join(json_chunks(feed_of(report))))
    return found


def test_a_scan_over_http_gives_the_expected_findings(server: str, tmp_path: Path) -> None:
    path = tmp_path / "findings.json"
    done = run(server, "scan", "-o", f"json={path}", "-q", "--fail-on", "critical")
    assert done.returncode == 1, done.stderr
    found = json.loads(path.read_text())
    wanted = expected()
    assert found["run"]["regions"] == ["eu-west-1", "us-east-1"]
    assert found["run"]["account"] == "123456789012"
    key = ("id", "verdict", "severity", "score", "why")
    assert sorted(tuple(f[k] for k in key) for f in found["findings"]) == sorted(
        tuple(f[k] for k in key) for f in wanted["findings"]
    )
    assert found["pillars"] == wanted["pillars"]
    assert found["gaps"] == wanted["gaps"]


def test_ctrl_c_keeps_and_judges_what_was_read(server: str, tmp_path: Path) -> None:
    path = tmp_path / "account.jsonl.gz"
    process = subprocess.Popen(
        [sys.executable, "-m", "auditor", "scan", "--snapshot", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment(server),
    )
    # The server tells when it is in the middle of reading.
    before = ACCOUNT.state.calls.total()
    while ACCOUNT.state.calls.total() < before + 30 and process.poll() is None:
        pass
    process.send_signal(signal.SIGINT)
    printed, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "This run is not complete: interrupted" in printed
    assert "Traceback" not in said
    assert not read_snapshot(path).complete
    assert [p.name for p in tmp_path.iterdir()] == ["account.jsonl.gz"]


def test_doctor_says_what_to_grant(server: str) -> None:
    done = run(server, "doctor", "--rule", "OPS-027", "--region", "eu-west-1")
    assert done.returncode == 3, done.stderr
    assert "You are arn:aws:" in done.stdout
    assert "refused      sns:GetTopicAttributes in eu-west-1: " in done.stdout
    policy = json.loads(done.stdout[done.stdout.index("{") :])
    assert policy["Statement"][0]["Action"] == ["sns:GetTopicAttributes"]
    allowed = run(server, "doctor", "--rule", "SEC-003", "--region", "eu-west-1")
    assert allowed.returncode == 0, allowed.stdout


def test_doctor_tries_what_is_global_once_and_nothing_that_costs_money(server: str) -> None:
    """Macie that is off in a Region answers like a denial, and is none."""
    codes = ("COST-017", "SEC-047", "SEC-058")
    done = run(server, "doctor", *(word for code in codes for word in ("--rule", code)))
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("ce:GetSavingsPlansCoverage") == 1
    assert "not tried    ce:GetSavingsPlansCoverage in global: AWS bills USD 0.01" in done.stdout
    assert "macie2" not in done.stdout
    assert not ACCOUNT.state.calls["ce:GetSavingsPlansCoverage"]


def test_an_unknown_region_is_wrong_usage(server: str) -> None:
    done = run(server, "scan", "--region", "eu-west-11")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "did you mean eu-west-1?" in done.stderr
