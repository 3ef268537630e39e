"""A ledger of two accounts whose findings have every state, some of them on resources with hostile names."""

import sqlite3
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from feeds import HOSTILE

from auditor.feed_v1 import FindingV1
from auditor.ledger.history import History, Run
from auditor.ledger.layout import open_ledger
from auditor.ledger.record import record
from auditor.report import Report, make_report
from auditor.settings import Accepted, Settings
from collectors.model import End, Gap, Listing, Manifest, Reason, Resource, Snapshot, pack
from evaluators.engine import Subject
from evaluators.finding import Evidence, Finding, finding_id
from evaluators.rule import Pillar, Rule, Severity, Status, all_rules

FIRST, SECOND = "111111111111", "222222222222"
REGIONS = ("eu-west-1", "us-east-1")
ENVIRONMENTS = ("production", "staging", "development", "sandbox", "unplaced")
START = datetime(2026, 11, 1, 6, tzinfo=UTC)
KIND = "notebook-instance"
NOTEBOOKS = 24

FATES = (
    (None, None, None),
    ("fail", "fail", "fail"),
    ("fail", "fail", None),
    (None, None, "fail"),
    ("fail", None, "fail"),
    ("fail", "fail", "unknown"),
    ("fail", "fail", "accepted"),
    ("unknown", "unknown", "unknown"),
    ("fail", "fail", "worse"),
)
"""What becomes of findings over three runs: none, open, resolved, new, reopened, unconfirmed, accepted, ..."""


def rules() -> tuple[Rule, ...]:
    """Rules about notebooks, two of each pillar that has them."""
    about = [rule for rule in all_rules() if any(view.kind == KIND for view in rule.views)]
    return tuple(rule for pillar in Pillar for rule in [r for r in about if r.pillar is pillar][:2])


def name_of(number: int) -> str:
    """Every third notebook has a hostile name."""
    return f"{HOSTILE[number % len(HOSTILE)][:200]} {number}" if number % 3 == 0 else f"Notebook-{number}"


def arn_of(account: str, number: int) -> str:
    return f"arn:aws:sagemaker:{REGIONS[number % 2]}:{account}:{KIND}/{name_of(number)}"


def subject_of(account: str, number: int) -> Subject:
    tags = {"Owner": HOSTILE[number % len(HOSTILE)]}
    kind = "AWS::SageMaker::NotebookInstance"
    arn = arn_of(account, number)
    return Subject(KIND, kind, account, REGIONS[number % 2], arn, name_of(number), "", tags)


def finding_of(rule: Rule, place: int, subject: Subject, number: int, fate: str) -> Finding:
    severity = list(Severity)[(number + place) % 5]
    unknown = fate == "unknown"
    return Finding(
        id=finding_id(rule.code, subject.arn, ""),
        rule=rule,
        status=Status.UNKNOWN if unknown else Status.FAIL,
        severity=severity,
        score=0 if unknown else int(severity),
        subject=subject,
        environment=ENVIRONMENTS[number % 5],
        environment_source="tag Environment",
        why="nobody knows" if unknown else f"Something is {'WORSE' if fate == 'worse' else 'wrong'}",
        evidence=(
            Evidence("sagemaker:DescribeNotebookInstance", "RootAccess", HOSTILE[number % len(HOSTILE)]),
        ),
        lowered=(),
        gap=Gap("sagemaker:DescribeNotebookInstance", Reason.DENIED) if unknown else None,
    )


def run_of(account: str, day: int, column: int) -> tuple[Report, Snapshot]:
    """A run about one account: findings as the column of `FATES` says."""
    snapshot = Snapshot((Manifest(1, "test", account, "aws", REGIONS, START + timedelta(days=day), 30, 14),))
    bare = Snapshot(snapshot.manifests)
    failed, unknown, accepted = [], [], []
    for number in range(NOTEBOOKS):
        subject = subject_of(account, number)
        snapshot.add(Resource(KIND, account, subject.region, subject.arn, subject.name, pack({})))
        for place, rule in enumerate(rules()):
            fate = FATES[(number + place) % len(FATES)][column]
            if fate is None:
                continue
            found = finding_of(rule, place, subject, number, fate)
            if fate == "unknown":
                unknown.append(found)
            elif fate == "accepted":
                accepted.append(
                    (
                        found,
                        Accepted(rule=rule.code, resource="*", reason="as agreed", expires=date(2030, 1, 1)),
                    )
                )
            else:
                failed.append(found)
    for region in REGIONS:
        snapshot.close(Listing(KIND, account, region))
    snapshot.ends.append(End(True))
    bare.ends = snapshot.ends
    made = make_report(bare, rules(), Settings(), {})
    ranked = tuple(sorted(failed, key=lambda finding: finding.rank))
    return replace(made, findings=ranked, unknown=tuple(unknown), accepted=tuple(accepted)), snapshot


def make_fleet(path: Path) -> None:
    """Three runs of one account, and one of the other between the first two of them."""
    connection = open_ledger(path, write=True)
    for account, day, column in ((FIRST, 0, 0), (SECOND, 1, 0), (FIRST, 2, 1), (FIRST, 3, 2)):
        record(connection, *run_of(account, day, column))
    connection.close()


def grow(path: Path) -> None:
    """One more run, in which nothing is found in the second account."""
    connection = open_ledger(path, write=True)
    report, snapshot = run_of(SECOND, 4, 0)
    record(connection, replace(report, findings=(), unknown=(), accepted=()), snapshot)
    connection.close()


def held(connection: sqlite3.Connection, *runs: int) -> list[FindingV1]:
    """The findings of some runs as the history tells them, with what these resolved."""
    history = History(connection)
    wanted: list[Run] = [run for run in history.runs() if run.id in runs]
    return [found for run in wanted for found in (*history.findings(run), *history.resolved(run))]
