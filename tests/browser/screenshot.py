"""The picture of the report in the README: the demo account over four nights, in which notebooks are mended one by one.

PYTHONPATH=tests/auditor python tests/browser/screenshot.py tests/browser/report.png
"""

import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from browsing import browser

from auditor.commands import UNPACED
from auditor.demo.account import DemoAccount, build, demo_session
from auditor.demo.company import PROD
from auditor.ledger.history import History
from auditor.ledger.layout import memory_ledger
from auditor.ledger.record import record
from auditor.outputs.html import html_chunks
from auditor.report import make_report
from auditor.scan import Scan, run_scan
from auditor.settings import Settings
from collectors.sample import NOW
from collectors.session import Sessions
from evaluators.rule import all_rules

NIGHTS = 4
SIZE = {"width": 1280, "height": 800}


def night(number: int) -> DemoAccount:
    """The demo account before the last of these nights: as many old notebooks still stand as there are nights to go."""
    account = build(NOW)
    (legacy,) = account.state.named("NotebookInstance", PROD, "demand-legacy")
    for left in range(3 * (NIGHTS - 1 - number)):
        name = f"scratch-{left}"
        arn = legacy["NotebookInstanceArn"].replace("demand-legacy", name)
        account.state.add(
            "NotebookInstance",
            PROD,
            legacy
            | {
                "NotebookInstanceName": name,
                "NotebookInstanceArn": arn,
                "NotebookInstanceStatus": "InService",
            },
        )
    return account


def report() -> bytes:
    """The report of the last night, with the nights before as its trend."""
    settings = Settings(rate_share=UNPACED)
    ledger = memory_ledger()
    for number in range(NIGHTS):
        with demo_session(night(number)) as session:
            moment = NOW - timedelta(days=NIGHTS - 1 - number)
            scan = Scan(all_rules(), settings, {}, now=moment, salt=b"picture")
            snapshot = run_scan(Sessions(session), scan).snapshot
        record(ledger, make_report(snapshot, all_rules(), settings, {}), snapshot)
    history = History(ledger)
    return b"".join(html_chunks(history.feed(history.find("latest"))))


def main() -> None:
    """Write the picture."""
    target = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder, browser() as chromium:
        path = Path(folder) / "report.html"
        path.write_bytes(report())
        page = chromium.new_page(viewport=SIZE, color_scheme="light")
        page.goto(path.as_uri())
        page.wait_for_function("() => window.auditor")
        page.screenshot(path=target)


if __name__ == "__main__":
    main()
