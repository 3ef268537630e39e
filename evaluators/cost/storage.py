"""What is kept for ever: old data in ML buckets, and logs."""

from datetime import UTC, datetime, timedelta
from typing import Any

from collectors.guards import Macie, MacieBucket
from collectors.logs import LogGroup
from collectors.s3 import Bucket, LifecycleRule
from collectors.sample import ABSENT, NOW, sample
from evaluators.controls import config_rule, lens, prowler, security_hub
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule

_GB = 1024**3


def _group(**values: Any) -> Any:
    base = {"stored_bytes": 5 * _GB, "creation_time": int((NOW - timedelta(days=900)).timestamp() * 1000)}
    return sample(LogGroup, "/aws/sagemaker/Endpoints/churn", **{**base, **values})


@rule(
    "COST-032",
    Severity.LOW,
    bad=[_group(), _group(retention_in_days=7), _group(retention_in_days=3653)],
    good=[
        _group(retention_in_days=365),
        _group(retention_in_days=30),
        _group(stored_bytes=0, creation_time=int(NOW.timestamp() * 1000), retention_in_days=90),
    ],
    exempt=[_group(stored_bytes=0)],
    remedy="Set a retention period.",
    command="aws logs put-retention-policy --log-group-name {name} --retention-in-days 365",
    change=Change.IN_PLACE,
    maps=[
        security_hub("CloudWatch.16"),
        config_rule("cw-loggroup-retention-period-check"),
        prowler("cloudwatch_log_group_retention_policy_specific_days_enabled"),
        lens("MLCOST06-BP04"),
    ],
)
def endless_log_retention(
    group: LogGroup, *, min_retention_days: int = 30, max_retention_days: int = 731
) -> Verdict:
    """Logs of SageMaker should be kept long enough, and not for ever.

    A group without a retention period grows until somebody deletes it; one of a few days is empty
    when an incident is looked into. An empty group of more than a year is an orphan, and costs nothing.
    """
    days, stored = group.retention_in_days, group.stored_bytes or 0
    made = datetime.fromtimestamp((group.creation_time or 0) / 1000, UTC)
    if not stored and made < group.region.ago(365):
        return not_applicable("an empty group of more than a year: an orphan", storedBytes=0)
    figures: dict[str, Any] = {"retentionInDays": days, "storedBytes": stored}
    if days is None:
        # What is older than the longest period would no longer be kept; how much that is nobody tells.
        return failed("its logs are kept for ever", **figures)
    if days < min_retention_days:
        return failed(f"its logs are gone after {days} days", **figures)
    if days > max_retention_days:
        return failed(f"its logs are kept for {days / 365:.0f} years", **figures)
    return passed(**figures)


def _bucket(*rules: dict[str, Any], **values: Any) -> Any:
    return sample(
        Bucket,
        "churn",
        arn="arn:aws:s3:::churn",
        bucket_region="eu-west-1",
        rules=list(rules) or ABSENT,
        **values,
    )


def _sized(gigabytes: float) -> Any:
    size = sample(MacieBucket, "churn", arn="arn:aws:s3:::churn", size_in_bytes=int(gigabytes * _GB))
    return given(_bucket(), sample(Macie, "macie", arn="macie", status="ENABLED"), size)


_EXPIRES = {"status": "Enabled", "days": 90}


@rule(
    "COST-031",
    Severity.LOW,
    bad=[
        _bucket(),
        _sized(400),
        _bucket({"status": "Disabled", "days": 90}),
        _bucket({"status": "Enabled"}),
        # What expires is none of what piles up.
        _bucket({**_EXPIRES, "filter": {"Prefix": "tmp/"}}),
        _bucket({**_EXPIRES, "prefix": "uploads/"}),
    ],
    good=[
        _bucket(_EXPIRES),
        _bucket({**_EXPIRES, "filter": {"And": {"Prefix": "churn/checkpoints/", "Tags": []}}}),
        _bucket({**_EXPIRES, "filter": {}}),
        _bucket({"status": "Enabled", "noncurrent_days": 30, "filter": {"Prefix": "models/"}}),
        _bucket({"status": "Enabled", "transitions": [{"Days": 30, "StorageClass": "GLACIER_IR"}]}),
        _bucket({"status": "Enabled", "noncurrent_days": 30}),
    ],
    exempt=[
        _sized(3),
        _bucket(mode="COMPLIANCE"),
        _bucket(tags={"retention": "10 years"}),
    ],
    remedy="Let checkpoints, captured data and old versions expire or move to a cheaper class; leave approved "
    "artifacts out.",
    command="aws s3api put-bucket-lifecycle-configuration --bucket {name} "
    "--lifecycle-configuration file://lifecycle.json",
    change=Change.IN_PLACE,
    maps=[
        security_hub("S3.10"),
        security_hub("S3.13"),
        config_rule("s3-version-lifecycle-policy-check"),
        config_rule("s3-lifecycle-policy-check"),
        prowler("s3_bucket_lifecycle_enabled"),
        lens("MLSUS03-BP02"),
        lens("MLSEC03-BP05"),
    ],
)
def endless_ml_data(bucket: Bucket, *, min_gb: float = 50, retention_tag: str = "retention") -> Verdict:
    """Old data in ML buckets should expire or move to a cheaper storage class.

    Checkpoints, profiles, captured requests and old versions pile up with every run. An enabled
    rule that expires or moves objects counts where it is about all keys, about old versions, or about a
    prefix that is named after these; one that only ends broken uploads does not. Buckets under
    Object Lock or with a tag on retention keep their data on purpose; small ones, where Macie counts
    them, are not worth a rule.
    """
    if bucket.mode is not None:
        return not_applicable("Object Lock keeps its objects on purpose", Mode=bucket.mode)
    if any(key.lower() == retention_tag.lower() for key in bucket.tags):
        return not_applicable(f"its tag {retention_tag} says how long data is kept")
    active = [rule_ for rule_ in bucket.rules if rule_.status == "Enabled" and rule_.ends_something]
    if any(_is_about_what_piles_up(rule_) for rule_ in active):
        return passed(Status="Enabled", rules=len(active))
    size = _size(bucket)
    if size is not None and size < min_gb * _GB:
        return not_applicable(f"it holds less than {min_gb:g} GB", sizeInBytes=size)
    return failed(
        "what expires in it is something else" if active else "nothing in it ever expires",
        Status=[rule_.status for rule_ in bucket.rules][:5],
        rules=len(bucket.rules),
        gigabytes=None if size is None else round(size / _GB, 1),
    )


_PILES_UP = ("captur", "checkpoint", "debug", "monitor", "profil")


def _is_about_what_piles_up(rule_: LifecycleRule) -> bool:
    """Whether it is about all keys, about old versions, or about a prefix named after what runs leave."""
    where = rule_.covered.lower()
    return not where or bool(rule_.noncurrent_days) or any(word in where for word in _PILES_UP)


def _size(bucket: Bucket) -> int | None:
    """How much it holds, as far as Macie counts it; `None` where Macie is off."""
    home = bucket.region.sibling(bucket.shown_region)
    macie = home.find(Macie, "macie")
    if macie is None or not macie.is_on:
        return None
    seen = home.find(MacieBucket, bucket.name)
    return seen.size_in_bytes if seen is not None else None
