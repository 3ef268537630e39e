"""Whether permissions are reviewed: unused services, analyzers, conditions, and users' credentials."""

from datetime import timedelta
from typing import Any

from collectors.access_advisor import RoleAccess
from collectors.access_analyzer import (
    ExternalAccessAnalyzer,
    Organization,
    UnusedAccess,
    UnusedAccessAnalyzer,
)
from collectors.iam import Account, Role
from collectors.model import Reason, Unread
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sample import NOW, Sample, sample
from evaluators.controls import config_rule, lens, prowler, security_hub
from evaluators.roles import role_uses, stages_of
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule

_ROLE = "arn:aws:iam::123456789012:role/trainer"
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
_USED = sample(TrainingJob, "job", role_arn=_ROLE)
_YESTERDAY = NOW - timedelta(days=1)
_LONG_AGO = NOW - timedelta(days=200)


def _role(**values: Any) -> Sample:
    made = {"last_used_date": _YESTERDAY, "assume_role_policy_document": _TRUST, **values}
    return sample(Role, "trainer", arn=_ROLE, **made)


def _access(used: str, unused: str = "", stale: str = "") -> Sample:
    services = [
        *({"service_namespace": name, "last_authenticated": _YESTERDAY} for name in used.split()),
        *({"service_namespace": name} for name in unused.split()),
        *({"service_namespace": name, "last_authenticated": _LONG_AGO} for name in stale.split()),
    ]
    return sample(RoleAccess, "trainer", arn=_ROLE, services_last_accessed=services)


@rule(
    "SEC-046",
    Severity.LOW,
    bad=[
        given(_role(), _USED, _access("s3 logs", "ec2 kms dynamodb")),
        given(_role(), _USED, _access("s3 logs", "ec2", stale="kms dynamodb")),
        given(_role(last_used_date=_LONG_AGO), _USED, _access("", stale="s3")),
        given(_role(last_used_date=None), _USED, _access("", "s3")),
    ],
    good=[
        given(_role(), _USED, _access("s3 logs ecr", "kms ec2")),
        given(_role(), _USED, _access("s3", "logs ecr kms")),
    ],
    exempt=[
        given(_role(create_date=_YESTERDAY, last_used_date=None), _USED, _access("", "s3 ec2 kms ecr logs")),
        given(_role(), _access("", "s3 ec2 kms ecr logs")),
    ],
    remedy="Take the services that it never uses out of the role's policies, or delete the role.",
    command="aws iam list-attached-role-policies --role-name {name}",
    change=Change.IN_PLACE,
    maps=[prowler("iam_role_access_not_stale_to_bedrock"), lens("MLSEC03-BP01")],
)
def unused_role_services(
    role: Role, *, unused_days: int = 90, max_unused_share: float = 0.5, min_services: int = 5
) -> Verdict:
    """Execution roles should not keep services that they never use.

    What a role may do and never does helps only whoever steals it. IAM's access advisor tells when
    each granted service was last used, for up to 400 days and some hours late. A role that nobody
    used for as long is a finding by itself; roles with few services are left alone.
    """
    if not stages_of(role):
        return not_applicable("no SageMaker resource uses this role")
    oldest = role.region.ago(unused_days)
    if role.create_date > oldest:
        return not_applicable(f"the role is younger than {unused_days} days")
    last = role.last_used_date
    if last is None or last < oldest:
        return failed(
            f"nobody used the role in {unused_days} days",
            LastUsedDate=last.isoformat() if last else None,
        )
    access = role.region.find(RoleAccess, role.id)
    if access is None:
        raise Unread(role.gap("iam:GetServiceLastAccessedDetails", Reason.NOT_READ, role.name))
    granted = access.services_last_accessed
    unused = [
        found.service_namespace
        for found in granted
        if found.last_authenticated is None or found.last_authenticated < oldest
    ]
    share = len(unused) / len(granted) if granted else 0.0
    if len(granted) < min_services or share < max_unused_share:
        return passed(unused_services=len(unused), granted_services=len(granted))
    return failed(
        f"{len(unused)} of {len(granted)} granted services were not used in {unused_days} days",
        ServiceNamespace=sorted(unused)[:10],
        unused_services=len(unused),
        granted_services=len(granted),
    )


_WITHOUT_ANALYZERS = frozenset({"aws-iso", "aws-iso-b"})
"""Partitions in which botocore knows no Region of Access Analyzer, 2026."""
_ACCOUNT = sample(Account, "123456789012")
_ANALYZER = sample(UnusedAccessAnalyzer, "unused")
_EXTERNAL = sample(ExternalAccessAnalyzer, "external")


def _finding(arn: str = _ROLE, days: int = 120) -> Sample:
    made = NOW - timedelta(days=days)
    return sample(UnusedAccess, arn, arn=f"finding-{days}", created_at=made)


@rule(
    "SEC-047",
    Severity.LOW,
    bad=[
        _ACCOUNT,
        given(_ACCOUNT, _EXTERNAL),
        given(_ACCOUNT, sample(UnusedAccessAnalyzer, "unused", status="DISABLED")),
        given(_ACCOUNT, _ANALYZER, _USED, _role(), _finding()),
    ],
    good=[
        given(_ACCOUNT, _ANALYZER),
        given(_ACCOUNT, _ANALYZER, _EXTERNAL, _USED, _role(), _finding(days=10)),
        given(_ACCOUNT, _ANALYZER, _USED, _role(), _finding("arn:aws:iam::123456789012:role/web")),
        given(_ACCOUNT, _ANALYZER, sample(Organization, "o-1")),
    ],
    remedy="Create an analyzer of unused access and act on what it finds; it is billed for each role and user.",
    command="aws accessanalyzer create-analyzer --analyzer-name unused --type ACCOUNT_UNUSED_ACCESS "
    "--configuration unusedAccess={unusedAccessAge=90}",
    change=Change.IN_PLACE,
    maps=[
        security_hub("IAM.28"),
        config_rule("iam-external-access-analyzer-enabled"),
        prowler("accessanalyzer_enabled"),
        lens("MLSEC03-BP01"),
        lens("MLSEC06-BP02"),
    ],
)
def unrefined_permissions(account: Account, *, max_finding_age_days: int = 90) -> Verdict:
    """Access Analyzer should find unused permissions, and somebody should remove them.

    An analyzer of unused access is the continuous form of a review. It costs something for each role,
    so that doing without is a choice: low only. Old open findings about roles that SageMaker uses mean
    that nobody acts on it. An organisation's analyzer stands in its administrator's account and cannot
    be seen from a member: an account inside an organisation without one of its own stays unknown.
    """
    region = account.region
    if region.partition in _WITHOUT_ANALYZERS:
        return not_applicable("Access Analyzer is not offered in this partition")
    status = [found.status for found in region.everywhere(UnusedAccessAnalyzer)]
    if "ACTIVE" not in status:
        if any(True for _ in region.all(Organization)):
            message = "an analyzer may stand in the account that administers the organisation's"
            raise Unread(account.gap("accessanalyzer:ListAnalyzers", Reason.NOT_READ, message))
        external = any(found.status == "ACTIVE" for found in region.everywhere(ExternalAccessAnalyzer))
        return failed(
            "no active analyzer of unused access"
            + ("" if external else ", and none of external access either")
            + " in the audited Regions",
            status=sorted(set(status)),
        )
    oldest = region.now - timedelta(days=max_finding_age_days)
    stale = [found for found in region.everywhere(UnusedAccess) if found.created_at < oldest]
    if not stale:
        return passed(status=sorted(set(status)))
    uses = role_uses(region)
    about = sorted({found.name for found in stale if found.name in uses.stages})
    if not about and uses.gap is not None:
        raise Unread(uses.gap)
    if not about:
        return passed("its old findings are about roles that SageMaker does not use")
    return failed(
        f"findings about execution roles are older than {max_finding_age_days} days",
        createdAt=min(found.created_at for found in stale if found.name in about).isoformat(),
        roles=about[:10],
    )
