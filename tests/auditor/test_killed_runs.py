"""A run that is killed at any moment: the next one works, and nothing is lost or doubled."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from runs import account, notebook

from auditor.demo.account import served
from auditor.ledger.history import History
from auditor.ledger.layout import LedgerError, open_ledger

MOMENTS = 20
RUN = (
    *(
        sys.executable,
        "-m",
        "auditor",
        "run",
        "--state",
        "state",
        "--feed",
        "feed",
        "--allow-gaps",
        "--no-progress",
    ),
    *("--rule", "SEC-001", "--rule", "SEC-003", "--region", "eu-west-1", "-o", "json=report.json"),
)
WRITE = """
import sys
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, sys.argv[1])
from ledger import START, findings_of, report_of, rules, snapshot_of
from auditor.ledger.layout import LedgerError, open_ledger
from auditor.ledger.record import record

chosen = rules()
day = int(sys.argv[2])
findings = list(findings_of(200, chosen))
print("ready", flush=True)
for number in range(day, day + 50):
    snapshot = snapshot_of(200, START + timedelta(days=number))
    report = report_of(snapshot, chosen, findings[: 800 - number % 7])
    connection = open_ledger(Path("ledger.sqlite3"), write=True)
    record(connection, report, snapshot)
    connection.close()
    print(number, flush=True)
"""


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    monkeypatch.chdir(tmp_path)
    with served(account({f"lab-{number}": notebook() for number in range(6)})) as address:
        yield {
            **{
                name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "AUDITOR_"))
            },
            "AWS_ENDPOINT_URL": address,
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AUDITOR_PRICING": "off",
            "AUDITOR_RATE_SHARE": "1",
            "XDG_CACHE_HOME": str(tmp_path),
        }


def sound(path: Path) -> int:
    """Check a ledger through and through; how many runs it holds comes back."""
    connection = open_ledger(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        doubled = "SELECT count(*) FROM verdicts WHERE until IS NULL GROUP BY finding HAVING count(*) > 1"
        assert connection.execute(doubled).fetchall() == []
        history = History(connection)
        for run in history.runs()[-2:]:
            found = list(history.findings(run))
            assert len({finding.id for finding in found}) == len(found)
            assert history.run_v1(run).id == run.name
        (beyond,) = connection.execute(
            "SELECT count(*) FROM verdicts WHERE since > (SELECT max(id) FROM runs)"
        ).fetchone()
        assert not beyond
        return len(history.runs())
    finally:
        connection.close()


def test_twenty_kills_of_a_whole_run(environment: dict[str, str]) -> None:
    subprocess.run(RUN, env=environment, check=True, capture_output=True)
    connection = open_ledger(Path("state/ledger.sqlite3"))
    before = {f.id for f in History(connection).findings(History(connection).find("1"))}
    connection.close()
    assert len(before) == 12
    import time

    began = time.monotonic()
    subprocess.run(RUN, env=environment, check=True, capture_output=True)
    whole = time.monotonic() - began
    moments, killed, runs = random.Random(20), 0, 2
    for _ in range(MOMENTS):
        run = subprocess.Popen(RUN, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            run.wait(moments.uniform(0.05, whole))
        except subprocess.TimeoutExpired:
            run.send_signal(signal.SIGKILL)
            run.wait()
            killed += 1
        counted = sound(Path("state/ledger.sqlite3"))
        assert counted in (runs, runs + 1)
        runs = counted
    assert killed
    last = subprocess.run(RUN, env=environment, check=False, capture_output=True, text=True)
    assert last.returncode == 0, last.stderr
    assert sound(Path("state/ledger.sqlite3")) == runs + 1
    connection = open_ledger(Path("state/ledger.sqlite3"))
    history = History(connection)
    assert {f.id for f in history.findings(history.find("latest"))} == before
    assert {f.state for f in history.findings(history.find("latest"))} == {"open"}
    assert sum(history.run_v1(each).changes["new"] for each in history.runs()) == len(before)
    connection.close()
    left = {path.name for path in Path("state").iterdir()} - {"ledger.sqlite3-wal", "ledger.sqlite3-shm"}
    assert left == {"ledger.sqlite3", "ledger.sqlite3.lock", "snapshot.jsonl.gz", "health.json"}


def test_twenty_kills_while_the_ledger_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most of a run is reading; here a process does nothing but write runs until it is killed."""
    monkeypatch.chdir(tmp_path)
    benchmarks = Path(__file__).parent.parent / "benchmarks"
    (tmp_path / "write.py").write_text(WRITE)
    shutil.copy(benchmarks / "ledger.py", tmp_path / "ledger.py")
    moments, held = random.Random(7), 0
    for _ in range(MOMENTS):
        command = [sys.executable, "write.py", str(tmp_path), str(held)]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        try:
            writer.wait(moments.uniform(0.05, 0.6))
        except subprocess.TimeoutExpired:
            writer.send_signal(signal.SIGKILL)
        told = [int(line) for line in writer.communicate()[0].split()]
        if not Path("ledger.sqlite3").is_file():
            continue
        try:
            held = sound(Path("ledger.sqlite3"))
        except LedgerError as error:
            # An empty file is what is left of a kill before the first layout.
            if "is empty" not in str(error):
                raise
            continue
        # What was told as written is there, and at most one run more.
        assert not told or held in (told[-1] + 1, told[-1] + 2)
    assert held > MOMENTS / 2
    connection = sqlite3.connect("ledger.sqlite3")
    assert connection.execute("SELECT count(DISTINCT name) FROM runs").fetchone() == (held,)
    connection.close()
