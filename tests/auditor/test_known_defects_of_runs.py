"""Mistakes of other auditors that show in a whole run; those of single verdicts are in tests/evaluators.

Each test is named after the number that the mistake has there.
"""

import ast
import json
import re
import shlex
import tracemalloc
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name

from auditor.commands import UNPACED
from auditor.demo.account import DemoAccount, build, demo_session, empty
from auditor.report import Report, make_report
from auditor.scan import Scan, run_scan
from auditor.selection import select
from auditor.settings import Settings
from collectors.model import Snapshot
from collectors.reader import service_model
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sample import NOW, sample, snapshot_of
from collectors.session import Sessions
from collectors.snapshot_file import SnapshotWriter, read_snapshot
from evaluators.engine import judge
from evaluators.rule import Change, Rule, Status, all_rules

EU, US = "eu-west-1", "us-east-1"
ACCOUNT = "123456789012"


def scanned(
    account: DemoAccount, *codes: str, regions: tuple[str, ...] = (EU, US)
) -> tuple[Snapshot, Report]:
    rules = select(codes) if codes else all_rules()
    settings = Settings(regions=regions, rate_share=UNPACED)
    with demo_session(account) as session:
        snapshot = run_scan(Sessions(session), Scan(rules, settings, {}, now=NOW, salt=b"test")).snapshot
    return snapshot, make_report(snapshot, rules, settings, {})


def notebook(number: int) -> dict[str, Any]:
    name = f"lab-{number:03d}"
    return {
        "NotebookInstanceName": name,
        "NotebookInstanceArn": f"arn:aws:sagemaker:{EU}:{ACCOUNT}:notebook-instance/{name}",
        "NotebookInstanceStatus": "InService",
        "InstanceType": "ml.t3.medium",
        "RootAccess": "Enabled",
        "DirectInternetAccess": "Disabled",
        "CreationTime": NOW - timedelta(days=40),
        "LastModifiedTime": NOW - timedelta(days=40),
    }


def test_12_every_page_is_read_and_every_offender_told() -> None:
    account = empty(NOW)
    for number in range(230):
        account.state.add("NotebookInstance", EU, notebook(number))
    _, report = scanned(account, "SEC-003", regions=(EU,))
    assert len(report.findings) == 230
    assert len({finding.subject.name for finding in report.findings}) == 230


def test_13_lists_ask_for_the_largest_page_and_end_when_aws_does_not() -> None:
    account = empty(NOW)
    for number in range(230):
        account.state.add("NotebookInstance", EU, notebook(number))
    scanned(account, "SEC-003", regions=(EU,))
    assert account.state.calls["sagemaker:ListNotebookInstances"] == 3
    endless = empty(NOW)
    endless.state.answer("sagemaker:ListNotebookInstances", {"NotebookInstances": [], "NextToken": "again"})
    _, report = scanned(endless, "SEC-003", regions=(EU,))
    assert [finding.rule.code for finding in report.unknown] == ["SEC-003"]
    assert endless.state.calls["sagemaker:ListNotebookInstances"] < 50


def test_16_a_schedule_watches_its_endpoint_and_not_the_region() -> None:
    snapshot, _ = scanned(build(NOW), "OPS-020", regions=(EU,))
    found = {j.subject.name: j.verdict.status for j in judge(select(["OPS-020"]), snapshot)}
    assert found["churn-realtime"] is Status.PASS
    assert found["fraud-scoring"] is Status.FAIL


_ELSEWHERE = {"s3api": "s3", "configservice": "config"}
_CLI_ONLY = frozenset({"--region", "--query", "--output", "--filters"})
COMMANDS = [pytest.param(rule, id=rule.code) for rule in all_rules() if rule.remedy.command]


@pytest.mark.parametrize("rule", COMMANDS)
def test_20_a_remedy_is_something_that_aws_can_do(rule: Rule) -> None:
    """Operation and parameters are in botocore's model, and what has none says recreate or restart."""
    words = shlex.split(rule.remedy.command)
    assert words[0] == "aws"
    if words[1] == "s3":
        assert words[2] in ("sync", "cp", "mv", "rm", "ls")
        return
    service = service_model(_ELSEWHERE.get(words[1], words[1]))
    operations = {xform_name(name, "-"): name for name in service.operation_names}
    assert words[2] in operations
    shape = service.operation_model(operations[words[2]]).input_shape
    members = {f"--{xform_name(name, '-')}" for name in (shape.members if shape is not None else ())}
    flags = {word for word in words[3:] if word.startswith("--")}
    switches = {f"--{flag.removeprefix('--no-')}" if flag.startswith("--no-") else flag for flag in flags}
    assert switches - members - _CLI_ONLY == set()


def test_20_what_cannot_be_changed_in_place_does_not_say_so() -> None:
    """A notebook instance's key, network and internet access are fixed when it is made."""
    shape = service_model("sagemaker").operation_model("UpdateNotebookInstance").input_shape
    assert {"KmsKeyId", "SubnetId", "DirectInternetAccess"} & set(shape.members) == set()
    for rule in select(["SEC-001", "SEC-002", "SEC-004"]):
        assert rule.remedy.command.split()[2] != "update-notebook-instance"
        assert rule.change is Change.RECREATE


def test_22_a_region_that_is_off_is_not_audited() -> None:
    account = build(NOW)
    settings = Settings(rate_share=UNPACED)
    rules = select(["SEC-003"])
    with demo_session(account) as session:
        offered = session.client("ec2", region_name=EU).describe_regions(AllRegions=True)["Regions"]
        snapshot = run_scan(Sessions(session), Scan(rules, settings, {}, now=NOW, salt=b"test")).snapshot
    off = {found["RegionName"] for found in offered if found["OptInStatus"] == "not-opted-in"}
    assert off
    assert set(snapshot.manifests[0].regions) & off == set()
    assert snapshot.gaps == []


def test_23_quotas_are_the_accounts_and_prices_have_a_source() -> None:
    sources = [path for name in ("collectors", "evaluators", "auditor") for path in Path(name).rglob("*.py")]
    read = "".join(path.read_text() for path in sources if "demo" not in path.parts)
    assert "GetAWSDefaultServiceQuota" not in read
    assert "ListAWSDefaultServiceQuotas" not in read
    account = build(NOW)
    account.state.refuse("pricing:GetProducts", code="AccessDeniedException")
    _, report = scanned(account, "COST-001", "COST-002")
    savings = [saving for finding in report.findings for saving in finding.savings]
    assert savings
    assert {saving.rate for saving in savings} == {None}
    assert all(saving.text.endswith("no price") for saving in savings)


def test_25_what_was_read_stays_packed_and_outlives_a_killed_run(tmp_path: Path) -> None:
    """A document takes no more than its compressed text, and each is in the file once it was read."""
    noise = {f"parameter-{number}": f"value of parameter {number} " * 8 for number in range(200)}
    made = [sample(NotebookInstance, f"n{number}", tags=noise) for number in range(300)]
    tracemalloc.start()
    snapshot = snapshot_of(made)
    del made
    before = tracemalloc.get_traced_memory()[0]
    for resource in list(snapshot.resources()):
        resource.readings()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    # Reading a document leaves nothing of it behind.
    assert after - before < 300_000
    raw = sum(len(json.dumps(resource.readings())) for resource in snapshot.resources())
    assert before < raw / 5
    path = tmp_path / "killed.jsonl.gz"
    writer = SnapshotWriter(path, snapshot.manifests[0])
    for resource in snapshot.resources():
        writer.resource(resource)
    assert not path.exists()
    (part,) = tmp_path.glob("*.part")
    kept = read_snapshot(part)
    assert not kept.complete
    writer.discard()


def numbers_named() -> set[int]:
    """The numbers of the mistakes that a test or a case is named after, in the three files of such tests."""
    found: set[int] = set()
    here = Path(__file__).parent
    others = (here / "test_failed_region.py", here.parent / "evaluators" / "test_known_defects.py")
    for path in (Path(__file__), *others):
        for node in ast.walk(ast.parse(path.read_text())):
            text = node.name if isinstance(node, ast.FunctionDef) else getattr(node, "value", "")
            match = re.match(r"(?:test_)?(\d{1,2})(?:_|: )", text) if isinstance(text, str) else None
            if match:
                found.add(int(match[1]))
    return found


def test_each_of_the_twenty_five_has_a_test_of_its_name() -> None:
    assert set(range(1, 26)) - numbers_named() == set()
