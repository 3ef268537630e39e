"""A Region that fails closes nothing, and decides nothing in another: known mistake 24, for every rule.

Some verdicts rest on all Regions (who uses a role, which buckets hold artifacts). These may become unknown.
"""

from auditor.commands import UNPACED
from auditor.demo.account import DemoAccount, build, demo_session
from auditor.scan import Outcome, Scan, run_scan
from auditor.settings import Settings
from collectors.model import GLOBAL
from collectors.sample import NOW
from collectors.session import Sessions
from evaluators.engine import Judgement, judge
from evaluators.rule import Status, all_rules

HERE, FAILED = "eu-west-1", "us-east-1"
ACCOUNT_WIDE = ("account", "budgets", "ce", "iam", "organizations", "pricing", "s3", "savingsplans", "sts")
"""Services that answer for the whole account from the Region that fails, or before one is looked at."""
START = "ec2:DescribeRegions"

Key = tuple[str, str, str, str]
Verdicts = dict[Key, Judgement]


def scan(account: DemoAccount) -> tuple[Outcome, Verdicts]:
    settings = Settings(regions=(HERE, FAILED), rate_share=UNPACED)
    with demo_session(account) as session:
        outcome = run_scan(Sessions(session), Scan(all_rules(), settings, {}, now=NOW, salt=b"test"))
    return outcome, {key(found): found for found in judge(all_rules(), outcome.snapshot)}


def key(judgement: Judgement) -> Key:
    subject = judgement.subject
    return judgement.rule.code, subject.kind, subject.arn or subject.region, subject.part


def test_24_a_region_that_fails_is_unknown_and_the_others_are_as_they_were() -> None:
    """Every service of one Region refuses every call. One test: its two scans are of every rule."""
    outcome, whole = scan(build(NOW))
    account = build(NOW)
    for operation in outcome.calls:
        if operation != START and operation.partition(":")[0] not in ACCOUNT_WIDE:
            account.state.refuse(operation, code="AccessDeniedException", region=FAILED)
    partly = scan(account)[1]
    assert_changed_to_unknown_only(whole, partly)
    assert_nothing_is_gone_that_nobody_could_look_for(whole, partly)
    assert_decided_where_no_other_region_bears_on_it(whole, partly)


def assert_changed_to_unknown_only(whole: Verdicts, partly: Verdicts) -> None:
    common = whole.keys() & partly.keys()
    changed = {at for at in common if partly[at].verdict.status != whole[at].verdict.status}
    assert changed
    assert {partly[at].verdict.status for at in changed} == {Status.UNKNOWN}
    assert [at for at, found in partly.items() if at not in whole and not is_unknown(found)] == []


def assert_nothing_is_gone_that_nobody_could_look_for(whole: Verdicts, partly: Verdicts) -> None:
    """What has no verdict any more is within a resource, or a listing, that the same rule calls unknown."""
    unread = {(at[0], at[1], at[2]) for at, found in partly.items() if is_unknown(found) and not at[3]}
    unlisted = {
        (found.rule.code, found.subject.kind, found.subject.region)
        for found in partly.values()
        if is_unknown(found) and not found.subject.arn
    }
    missing = whole.keys() - partly.keys()
    assert missing
    for code, kind, arn, part in missing:
        places = (whole[code, kind, arn, part].subject.region, GLOBAL)
        assert (code, kind, arn) in unread or any((code, kind, place) in unlisted for place in places)


def assert_decided_where_no_other_region_bears_on_it(whole: Verdicts, partly: Verdicts) -> None:
    """Notebooks, endpoints and domains of the other Region are judged by what is in it."""
    kinds = {"notebook-instance", "endpoint", "domain", "space", "vpc", "security-group", "log-group"}
    own = {at for at, found in whole.items() if at[1] in kinds and found.subject.region == HERE}
    assert {at[1] for at in own} == kinds
    told = {at: found.verdict.status for at, found in partly.items() if at in own}
    assert told == {at: whole[at].verdict.status for at in own}


def is_unknown(judgement: Judgement) -> bool:
    return judgement.verdict.status is Status.UNKNOWN
