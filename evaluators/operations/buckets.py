"""ML buckets: whether what a model was made from can be had again."""

from fnmatch import fnmatchcase

from collectors.model import Unread
from collectors.s3 import Bucket
from collectors.sample import ABSENT, sample
from evaluators.controls import config_rule, lens, prowler, security_hub
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule


@rule(
    "OPS-001",
    Severity.HIGH,
    bad=[
        {"status": None},
        {"status": "Suspended"},
        sample(Bucket, "sagemaker-eu-west-1-123456789012", status=None),
    ],
    good=[
        {"status": "Enabled"},
        sample(Bucket, "churn-data", status="Enabled", rules=[{"noncurrent_days": 90}]),
        sample(Bucket, "churn-data", status="Enabled", rules=ABSENT),
    ],
    exempt=[
        sample(Bucket, "jumpstart-cache-prod-eu-west-1", status=None),
        sample(Bucket, "churn-query-results-1", status=None),
        given(
            sample(Bucket, "scratch", status=None),
            ignore_bucket_patterns=("scratch*",),
        ),
    ],
    remedy="Turn on versioning, and add a lifecycle rule for noncurrent versions so that the cost stays bounded.",
    command="aws s3api put-bucket-versioning --bucket {name} --versioning-configuration Status=Enabled",
    change=Change.IN_PLACE,
    maps=[
        security_hub("S3.14"),
        config_rule("s3-bucket-versioning-enabled"),
        prowler("s3_bucket_object_versioning"),
        lens("MLOPS03-BP02"),
        lens("MLREL05-BP02"),
    ],
)
def unversioned_bucket(
    bucket: Bucket,
    *,
    ignore_bucket_patterns: tuple[str, ...] = (
        "jumpstart-cache-*",
        "sagemaker-sample-files*",
        "*-query-results-*",
    ),
) -> Verdict:
    """Buckets of ML data and artifacts should have versioning turned on.

    Without versions neither the training set nor the artifact of a past model can be restored, and
    an overwrite is for ever. AWS leaves the status out where versioning was never set. Buckets of
    other accounts are not judged; scratch buckets are named in the settings.
    """
    if any(fnmatchcase(bucket.name, pattern) for pattern in ignore_bucket_patterns):
        return not_applicable("its name is on the list of buckets to ignore")
    if bucket.status == "Enabled":
        return passed(_note(bucket))
    state = "suspended" if bucket.status == "Suspended" else "was never turned on"
    return failed(f"versioning {state}", Status=bucket.status)


def _note(bucket: Bucket) -> str:
    """For the note only: where the lifecycle cannot be read, there is none."""
    try:
        bounded = any(rule_.noncurrent_days is not None for rule_ in bucket.rules)
    except Unread:
        return ""
    return "" if bounded else "no lifecycle rule removes noncurrent versions"
