"""Who besides the account may use, change and approve what its model registry holds."""

import json
import re
from typing import Any

from collectors.model import Reason, Unread
from collectors.sagemaker.model_package_policies import ModelPackageGroupPolicy
from collectors.sagemaker.model_packages import ModelPackageGroup
from collectors.sample import ABSENT, Sample, sample
from evaluators.controls import lens
from evaluators.policy import Effect, Statement, is_public, requires, statement_actions
from evaluators.roles import parsed
from evaluators.rule import Change, Given, Severity, Verdict, failed, given, passed, rule

_ARN = "arn:aws:sagemaker:eu-west-1:123456789012:model-package-group/churn"
_PARTNER = {"AWS": "arn:aws:iam::999988887777:root"}
_USE = ["sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages", "sagemaker:CreateModel"]
_ORGANIZATION = {"StringEquals": {"aws:PrincipalOrgID": "o-larkspur"}}
_NOT_ORGANIZATION = {"StringNotEquals": {"aws:PrincipalOrgID": "o-larkspur"}}


def _group(principal: Any, action: str | list[str], condition: Any = None, **thresholds: Any) -> Given:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"}
    if condition:
        statement["Condition"] = condition
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return given(sample(ModelPackageGroup, "churn", arn=_ARN), _policy(text), **thresholds)


def _policy(text: Any) -> Sample:
    return sample(ModelPackageGroupPolicy, "churn", arn=_ARN, resource_policy=text)


_CHANGE = re.compile(r"sagemaker:(?:create|delete|put|update)modelpackage")


@rule(
    "SEC-028",
    Severity.HIGH,
    bad=[
        _group("*", _USE),
        _group({"AWS": "*"}, _USE),
        _group("*", _USE, _NOT_ORGANIZATION),
        _group(_PARTNER, "sagemaker:*"),
        _group(_PARTNER, ["sagemaker:DescribeModelPackage", "sagemaker:UpdateModelPackage"]),
        _group(_PARTNER, "*"),
    ],
    good=[
        # "Cannot find resource policy" is how AWS says that there is none.
        given(sample(ModelPackageGroup, "churn", arn=_ARN), _policy(ABSENT)),
        _group("*", _USE, _ORGANIZATION),
        _group("*", _USE, {"StringEquals": {"aws:SourceAccount": "999988887777"}}),
        _group(_PARTNER, _USE),
        _group(_PARTNER, "sagemaker:*", _ORGANIZATION),
        _group(_PARTNER, "sagemaker:*", trusted_accounts=("999988887777",)),
        _group({"AWS": "123456789012"}, "sagemaker:*"),
    ],
    remedy="Name in the group's policy the accounts that deploy from it, with no more than reading and CreateModel.",
    command="aws sagemaker put-model-package-group-policy --model-package-group-name {name}"
    " --resource-policy file://policy.json",
    change=Change.IN_PLACE,
    maps=[lens("MLSEC03-BP01"), lens("MLSEC06-BP01")],
)
def open_model_registry(group: ModelPackageGroup, *, trusted_accounts: tuple[str, ...] = ()) -> Verdict:
    """Model package groups should be open to trusted accounts only, and to use alone.

    Whoever may read a group has its models; whoever may change it decides what is approved. Public is a
    grant to everybody that no condition narrows to an organization or to accounts. Accounts that are
    not in `trusted_accounts` may read and deploy versions, but not make, change or delete any.
    """
    policy = group.region.find(ModelPackageGroupPolicy, group.id)
    if policy is None:
        raise Unread(group.gap("sagemaker:GetModelPackageGroupPolicy", Reason.NOT_READ, group.name))
    text = policy.resource_policy
    if text is None:
        return passed("it has no policy")
    statements = parsed(group, text).statements
    if any(is_public(statement) for statement in statements):
        return failed("its policy lets the public in", ResourcePolicy=text[:1000])
    own = {group.region.account, *trusted_accounts}
    for statement in statements:
        foreign = _accounts(statement) - own
        changes = _changes(statement) if foreign else []
        if changes:
            return failed(
                f"its policy lets account {', '.join(sorted(foreign)[:5])} change it",
                ResourcePolicy=sorted(foreign)[:10],
                actions=changes[:10],
            )
    shared = {account for statement in statements for account in _accounts(statement)} - own
    return passed(ResourcePolicy=sorted(shared)[:10])


def _accounts(statement: Statement) -> frozenset[str]:
    """The accounts that a statement lets in, whatever organization they belong to."""
    if statement.effect is not Effect.ALLOW or statement.principals is None:
        return frozenset()
    if requires(statement, "aws:PrincipalOrgID") or requires(statement, "aws:PrincipalOrgPaths"):
        return frozenset()
    return statement.principals.accounts


def _changes(statement: Statement) -> list[str]:
    """What it allows that makes, changes or deletes groups, their versions and their policies."""
    return sorted(action for action in statement_actions(statement) if _CHANGE.match(action))
