"""The ledger under a million findings: the first run, one that finds the same, one that finds a few changes.

    python tests/benchmarks/ledger.py 1000000

Prints seconds, bytes and the process's memory. Findings are made up from the demo's rules, a resource has four each.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from auditor.ledger.history import History
from auditor.ledger.layout import open_ledger
from auditor.ledger.record import record
from auditor.report import Report, make_report
from auditor.settings import Settings
from collectors.model import End, Listing, Manifest, Resource, Snapshot, pack
from evaluators.engine import Subject
from evaluators.finding import Evidence, Finding, finding_id
from evaluators.rule import Rule, Severity, Status, all_rules

ACCOUNT, REGION = "123456789012", "eu-west-1"
START = datetime(2026, 11, 1, tzinfo=UTC)
ON_NOTEBOOKS = 4


def rules() -> list[Rule]:
    """A few rules about notebook instances."""
    found = [rule for rule in all_rules() if any(view.kind == "notebook-instance" for view in rule.views)]
    return found[:ON_NOTEBOOKS]


def snapshot_of(notebooks: int, started: datetime) -> Snapshot:
    """An account with so many notebooks, without their documents: nothing here judges them."""
    manifest = Manifest(1, "benchmark", ACCOUNT, "aws", (REGION,), started, 30, 14)
    snapshot = Snapshot((manifest,))
    empty = pack({})
    for number in range(notebooks):
        arn = arn_of(number)
        snapshot.add(Resource("notebook-instance", ACCOUNT, REGION, arn, f"notebook-{number}", empty))
    snapshot.close(Listing("notebook-instance", ACCOUNT, REGION))
    snapshot.ends.append(End(True))
    return snapshot


def arn_of(number: int) -> str:
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:notebook-instance/notebook-{number}"


def findings_of(notebooks: int, chosen: list[Rule]) -> Iterator[Finding]:
    """Four findings a notebook, with evidence and tags as real ones have them."""
    for number in range(notebooks):
        tags = {"Owner": f"team-{number % 40}", "Environment": "production"}
        subject = Subject(
            "notebook-instance",
            "AWS::SageMaker::NotebookInstance",
            ACCOUNT,
            REGION,
            arn_of(number),
            f"notebook-{number}",
            "",
            tags,
        )
        for rule in chosen:
            yield Finding(
                id=finding_id(rule.code, subject.arn, ""),
                rule=rule,
                status=Status.FAIL,
                severity=Severity.HIGH,
                score=75,
                subject=subject,
                environment="production",
                environment_source="tag Environment=production",
                why="users are root on the instance",
                evidence=(Evidence("sagemaker:DescribeNotebookInstance", "RootAccess", "Enabled"),),
                lowered=(),
                loss=75.0,
            )


def report_of(snapshot: Snapshot, chosen: list[Rule], findings: list[Finding]) -> Report:
    """A report as a scan makes it, with these findings."""
    bare = Snapshot(snapshot.manifests)
    bare.ends = snapshot.ends
    return replace(make_report(bare, tuple(chosen), Settings(), {}), findings=tuple(findings), unknown=())


def main() -> None:
    """Three runs."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    chosen, notebooks = rules(), count // ON_NOTEBOOKS
    findings = list(findings_of(notebooks, chosen))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.sqlite3"
        previous = 0
        for number, (name, some) in enumerate(
            (("first", findings), ("the same", findings), ("1,000 fewer", findings[1000:]))
        ):
            snapshot = snapshot_of(notebooks, START + timedelta(days=number))
            report = report_of(snapshot, chosen, some)
            began = time.perf_counter()
            connection = open_ledger(path, write=True)
            recorded = record(connection, report, snapshot)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.close()
            seconds, size = time.perf_counter() - began, path.stat().st_size
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            told = {what: n for what, n in recorded.changes.items() if n}
            print(
                f"{name:12} {seconds:6.1f} s  {size / 1e6:8.1f} MB (+{(size - previous) / 1e6:.2f})  "
                f"{memory} MB in memory  {told}"
            )
            previous = size
        connection = open_ledger(path)
        history = History(connection)
        began = time.perf_counter()
        read = sum(1 for _ in history.findings(history.find("latest")))
        print(f"{read} findings read back in {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
