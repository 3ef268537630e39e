"""Small accounts of notebooks that change from run to run, scanned and recorded."""

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from auditor.commands import UNPACED
from auditor.demo.account import DemoAccount, demo_session, empty
from auditor.demo.company import ACCOUNT, PROD
from auditor.ledger.history import History
from auditor.ledger.record import Recorded, record
from auditor.report import Report, make_report
from auditor.scan import Scan, run_scan
from auditor.selection import find_rule
from auditor.settings import Settings
from collectors.model import Snapshot
from collectors.sample import NOW
from collectors.session import Sessions

DAY = timedelta(days=1)
RULES = ("SEC-001", "SEC-003", "OPS-031")
"""Direct internet access, users who are root, and tags."""


def notebook(**settings: Any) -> dict[str, Any]:
    """A notebook with root and the internet, but for what is given."""
    return settings


def account(
    notebooks: Mapping[str, Mapping[str, Any]],
    *,
    region: str = PROD,
    refused: Iterable[tuple[str, str]] = (),
    tags: Mapping[str, str] | None = None,
) -> DemoAccount:
    """An account of these notebooks; `refused` are (operation, Region)."""
    made = empty(NOW)
    for name, settings in notebooks.items():
        made.state.add(
            "NotebookInstance",
            settings.get("region", region),
            {
                "NotebookInstanceArn": arn(name, settings.get("region", region)),
                "NotebookInstanceName": name,
                "NotebookInstanceStatus": "InService",
                "InstanceType": "ml.t3.medium",
                "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/ml",
                "CreationTime": NOW - 9 * DAY,
                "LastModifiedTime": NOW - 9 * DAY,
                "DirectInternetAccess": settings.get("internet", "Enabled"),
                "RootAccess": settings.get("root", "Enabled"),
            },
            tags if tags is not None else {"Environment": "production", "Owner": "a", "Project": "b"},
        )
    for operation, place in refused:
        made.state.refuse(operation, code="AccessDeniedException", region=place)
    return made


def arn(name: str, region: str = PROD) -> str:
    return f"arn:aws:sagemaker:{region}:{ACCOUNT}:notebook-instance/{name}"


def audited(
    made: DemoAccount,
    day: int = 0,
    *,
    rules: Iterable[str] = RULES,
    settings: Settings | None = None,
    now: datetime = NOW,
    salt: bytes = b"test",
) -> tuple[Report, Snapshot]:
    """A scan of the account `day` days later."""
    settings = settings or Settings(rate_share=UNPACED)
    chosen = tuple(find_rule(code) for code in rules)
    with demo_session(made) as session:
        scan = Scan(chosen, settings, {}, now=now + day * DAY, salt=salt)
        snapshot = run_scan(Sessions(session), scan).snapshot
    return make_report(snapshot, chosen, settings, {}), snapshot


def recorded(connection: sqlite3.Connection, made: DemoAccount, day: int, **how: Any) -> Recorded:
    """A scan that is written to the ledger."""
    return record(connection, *audited(made, day, **how))


def states(connection: sqlite3.Connection) -> dict[tuple[str, str], str | None]:
    """State by (rule, resource) of the latest run, with what it resolved."""
    history = History(connection)
    run = history.find("latest")
    found = (*history.findings(run), *history.resolved(run))
    return {(f.rule, f.resource_name or f.resource_kind): f.state for f in found}
