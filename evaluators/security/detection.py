"""The services that watch: Macie, GuardDuty, Security Hub; judged once for each Region."""

from dataclasses import replace
from typing import Any

from collectors.guards import (
    GuardDuty,
    Macie,
    MacieBucket,
    MacieDiscovery,
    MacieFindings,
    SecurityHub,
    SecurityStandard,
)
from collectors.model import Reason, Unread
from collectors.s3 import Bucket
from collectors.sagemaker.endpoints import Endpoint
from collectors.sample import ABSENT, Sample, sample
from collectors.view import Region
from evaluators.controls import config_rule, lens, prowler, security_hub
from evaluators.presence import buckets_in, learning_in
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule

_BUCKET = sample(Bucket, "churn", arn="arn:aws:s3:::churn", bucket_region="eu-west-1")
_HERE = sample(Endpoint, "churn")


def _macie(status: str = "ENABLED") -> Sample:
    return sample(Macie, "macie", arn="macie", status=status)


def _discovery(status: str = "ENABLED") -> Sample:
    return sample(MacieDiscovery, "discovery", arn="discovery", status=status)


_MACIE_REGIONS = frozenset(
    {
        "af-south-1",
        "ap-east-1",
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-south-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "ca-central-1",
        "eu-central-1",
        "eu-north-1",
        "eu-south-1",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "il-central-1",
        "me-south-1",
        "sa-east-1",
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
    }
)
"""Where Macie is offered; in no other partition. Source: botocore's endpoints, 2026."""

_ELSEWHERE = sample(Bucket, "churn", arn="arn:aws:s3:::churn", bucket_region="mx-central-1")
_NO_MACIE = sample(Macie, "macie", arn="macie", status=ABSENT)


@rule(
    "SEC-058",
    Severity.MEDIUM,
    bad=[
        given(_HERE, _BUCKET, _NO_MACIE),
        given(_HERE, _BUCKET, _macie("PAUSED")),
        given(_HERE, _BUCKET, _macie(), _discovery("DISABLED")),
    ],
    good=[given(_HERE, _BUCKET, _macie(), _discovery())],
    exempt=[
        given(_HERE, _NO_MACIE),
        given(_HERE, _BUCKET, _NO_MACIE, third_party_dlp=True),
        # Macie is not offered in this Region.
        given(sample(Endpoint, "churn", region="mx-central-1"), _ELSEWHERE, regions=("mx-central-1",)),
    ],
    remedy="Enable Macie and its automated discovery.",
    command="aws macie2 enable-macie --status ENABLED --finding-publishing-frequency FIFTEEN_MINUTES",
    change=Change.IN_PLACE,
    maps=[
        security_hub("Macie.1"),
        security_hub("Macie.2"),
        config_rule("macie-status-check"),
        config_rule("macie-auto-sensitive-data-discovery-check"),
        prowler("macie_is_enabled"),
        prowler("macie_automated_sensitive_data_discovery_enabled"),
        lens("MLSEC03-BP03"),
    ],
)
def missing_data_classification(region: Region, *, third_party_dlp: bool = False) -> Verdict:
    """Macie should be on, with automated discovery, where ML buckets lie.

    It finds personal data that nobody knew was in a training set. That it is not enabled AWS says by an
    error that reads like a denial; its message tells. `third_party_dlp` is the switch of those who use
    another product. Without automated discovery the finding is low.
    """
    buckets = buckets_in(region)
    if not buckets:
        return not_applicable("no ML bucket lies here")
    if region.partition != "aws" or region.name not in _MACIE_REGIONS:
        return not_applicable("Macie is not offered here")
    if third_party_dlp:
        return not_applicable("another product classifies the data")
    macie = region.find(Macie, "macie")
    status = macie.status if macie is not None else None
    if macie is None or not macie.is_on:
        return failed("Macie is not enabled", status=status, buckets=list(buckets)[:10])
    discovery = region.find(MacieDiscovery, "discovery")
    if discovery is None or discovery.status != "ENABLED":
        return failed(
            "automated discovery is off",
            lowered=1,
            why_lowered="Macie is on, and may classify by jobs",
            status=None if discovery is None else discovery.status,
        )
    return passed(status=status)


def _seen(**values: Any) -> Sample:
    return sample(MacieBucket, "churn", arn="arn:aws:s3:::churn", classifiable_object_count=10, **values)


_DISCOVERED = _seen(
    automated_discovery_monitoring_status="MONITORED",
    last_automated_discovery_time="2026-11-18T06:00:00+00:00",
)
_NO_FINDINGS = sample(MacieFindings, "findings", arn="findings")


@rule(
    "SEC-059",
    Severity.MEDIUM,
    bad=[
        given(_BUCKET, _macie(), _NO_FINDINGS, _seen(automated_discovery_monitoring_status="NOT_MONITORED")),
        given(_BUCKET, _macie(), _NO_FINDINGS, _seen(automated_discovery_monitoring_status="MONITORED")),
        given(
            _BUCKET,
            _macie(),
            _DISCOVERED,
            sample(
                MacieFindings,
                "findings",
                arn="findings",
                counts_by_group=[{"group_key": "churn", "count": 3}],
            ),
        ),
        given(_BUCKET, _macie(), _NO_FINDINGS),
    ],
    good=[
        given(_BUCKET, _macie(), _NO_FINDINGS, _DISCOVERED),
        # Macie is asked in the bucket's own Region.
        given(
            sample(Bucket, "churn", arn="arn:aws:s3:::churn", bucket_region="us-east-1"),
            _macie(),
            _NO_FINDINGS,
            *(replace(made, region="us-east-1") for made in (_macie(), _NO_FINDINGS, _DISCOVERED)),
            regions=("eu-west-1", "us-east-1"),
        ),
        given(
            _BUCKET,
            _macie(),
            _DISCOVERED,
            sample(MacieFindings, "findings", arn="findings", counts_by_group=[{"group_key": "fraud"}]),
        ),
        given(_BUCKET, _macie(), _NO_FINDINGS, _seen(is_defined_in_job="TRUE")),
    ],
    exempt=[
        given(_BUCKET, _NO_MACIE),
        given(
            _BUCKET,
            _macie(),
            _NO_FINDINGS,
            sample(MacieBucket, "churn", arn="arn:aws:s3:::churn", classifiable_object_count=0),
        ),
    ],
    remedy="Include the bucket in automated discovery or in a job, and handle its findings.",
    command="aws macie2 create-classification-job --name NAME --job-type ONE_TIME "
    "--s3-job-definition file://job.json",
    change=Change.IN_PLACE,
    maps=[lens("MLSEC03-BP03"), lens("MLSEC03-BP05")],
)
def unclassified_ml_bucket(bucket: Bucket) -> Verdict:
    """Macie should classify each ML bucket, and what it finds should be handled.

    Discovery or a job has to cover the bucket in its own Region; open findings of high severity that
    are older than thirty days have been left alone. Formats that Macie cannot read (Parquet parts,
    TFRecord, archives) are not counted as classifiable. A bucket that Macie may not read is unknown.
    """
    home = bucket.region.sibling(bucket.shown_region)
    macie = home.find(Macie, "macie")
    if macie is None or not macie.is_on:
        return not_applicable("Macie is not enabled in its Region")
    seen = home.find(MacieBucket, bucket.name)
    findings = home.find(MacieFindings, "findings")
    counts = {c.group_key: c.count for c in findings.counts_by_group} if findings is not None else {}
    if seen is None:
        return failed("Macie does not know the bucket", status=macie.status)
    if seen.error_code is not None:
        raise Unread(seen.gap("macie2:DescribeBuckets", Reason.DENIED, f"Macie: {seen.error_code}"))
    if seen.classifiable_object_count == 0:
        return not_applicable("nothing in it can be classified", classifiableObjectCount=0)
    if counts.get(bucket.name):
        return failed("findings of high severity have been open for thirty days", count=counts[bucket.name])
    monitored = seen.automated_discovery_monitoring_status == "MONITORED"
    discovered = monitored and seen.last_automated_discovery_time is not None
    figures: dict[str, Any] = {
        "automatedDiscoveryMonitoringStatus": seen.automated_discovery_monitoring_status,
        "isDefinedInJob": seen.is_defined_in_job,
    }
    if discovered or seen.is_defined_in_job == "TRUE":
        return passed(**figures)
    return failed("neither discovery nor a job looks into it", **figures)


def _detector(status: str = "ENABLED", **features: str) -> Sample:
    held = [{"name": name, "status": value} for name, value in features.items()]
    return sample(GuardDuty, "guardduty", arn="guardduty", detector_ids=["d"], status=status, features=held)


_ON = {"S3_DATA_EVENTS": "ENABLED", "AI_PROTECTION": "ENABLED"}


@rule(
    "SEC-060",
    Severity.MEDIUM,
    bad=[
        given(_HERE, sample(GuardDuty, "guardduty", arn="guardduty", detector_ids=[], status=ABSENT)),
        given(_HERE, _detector("DISABLED", **_ON)),
        given(_HERE, _detector(S3_DATA_EVENTS="DISABLED")),
        given(_HERE, _detector(S3_DATA_EVENTS="ENABLED", AI_PROTECTION="DISABLED")),
    ],
    good=[given(_HERE, _detector(**_ON)), given(_HERE, _detector(S3_DATA_EVENTS="ENABLED"))],
    exempt=[given(sample(GuardDuty, "guardduty", arn="guardduty", detector_ids=[], status=ABSENT))],
    remedy="Enable GuardDuty with S3 protection.",
    command="aws guardduty create-detector --enable",
    change=Change.IN_PLACE,
    maps=[
        security_hub("GuardDuty.1"),
        security_hub("GuardDuty.10"),
        config_rule("guardduty-enabled-centralized"),
        config_rule("guardduty-s3-protection-enabled"),
        prowler("guardduty_is_enabled"),
        prowler("guardduty_s3_protection_enabled"),
        lens("MLSEC06-BP02"),
    ],
)
def missing_threat_detection(region: Region) -> Verdict:
    """GuardDuty should watch each Region with machine learning, with S3 protection.

    It notices stolen credentials and unusual reading of training data. Protection of AI workloads is
    asked for, at low severity, where GuardDuty lists it.
    """
    here = learning_in(region)
    if not here:
        return not_applicable("no machine learning here")
    guard = region.find(GuardDuty, "guardduty")
    if guard is None or not guard.detector_ids:
        return failed("GuardDuty is off", DetectorIds=0, because=here)
    if guard.status != "ENABLED":
        return failed("GuardDuty is suspended", Status=guard.status)
    features = {feature.name: feature.status for feature in guard.features}
    if features.get("S3_DATA_EVENTS") != "ENABLED":
        return failed("S3 protection is off", Status=features.get("S3_DATA_EVENTS"))
    if features.get("AI_PROTECTION", "ENABLED") != "ENABLED":
        return failed(
            "protection of AI workloads is off",
            lowered=1,
            why_lowered="S3 protection is on",
            Status=features["AI_PROTECTION"],
        )
    return passed(Status=guard.status)


_STANDARDS = ("standards/aws-foundational-security-best-practices", "standards/ai-security-best-practices")
_HUB = sample(SecurityHub, "hub", arn="hub", hub_arn="arn:aws:securityhub:eu-west-1:123456789012:hub/default")
_AI = "arn:aws:securityhub:eu-west-1::standards/ai-security-best-practices/v/1.0.0"
_FOUNDATIONAL = sample(
    SecurityStandard,
    "arn:aws:securityhub:eu-west-1::standards/aws-foundational-security-best-practices/v/1.0.0",
)


@rule(
    "SEC-066",
    Severity.LOW,
    confidence=0.7,
    bad=[
        given(_HERE, sample(SecurityHub, "hub", arn="hub", hub_arn=ABSENT)),
        given(_HERE, _HUB),
        given(_HERE, _HUB, sample(SecurityStandard, "standards/pci-dss")),
        given(
            _HERE,
            _HUB,
            sample(SecurityStandard, _FOUNDATIONAL.name, standards_status="INCOMPLETE"),
        ),
    ],
    good=[
        given(_HERE, _HUB, _FOUNDATIONAL),
        # The AI standard, which there is since June 2026, does as well; ARNs differ by partition.
        given(_HERE, _HUB, sample(SecurityStandard, _AI.replace("aws", "aws-us-gov", 1))),
        given(_HERE, _HUB, sample(SecurityStandard, "standards/pci-dss"), required_standards=("pci-dss",)),
    ],
    exempt=[given(_HUB)],
    remedy="Enable Security Hub with the foundational or the AI standard.",
    command="aws securityhub batch-enable-standards --standards-subscription-requests StandardsArn=STANDARD_ARN",
    change=Change.IN_PLACE,
    maps=[prowler("securityhub_enabled"), lens("MLSEC06-BP02")],
)
def missing_security_standards(
    region: Region, *, required_standards: tuple[str, ...] = _STANDARDS
) -> Verdict:
    """Security Hub should check a foundational or the AI standard where machine learning runs.

    It watches between two audits. One of the standards is enough; their ARNs differ by Region and
    partition, so a part of them is looked for.
    """
    here = learning_in(region)
    if not here:
        return not_applicable("no machine learning here")
    hub = region.find(SecurityHub, "hub")
    if hub is None or hub.hub_arn is None:
        return failed("Security Hub is not enabled", HubArn=None, because=here)
    ready = [s.name for s in region.all(SecurityStandard) if s.standards_status == "READY"]
    if any(wanted in name for name in ready for wanted in required_standards):
        return passed(HubArn=hub.hub_arn, standards=ready[:10])
    return failed("none of the standards is ready", HubArn=hub.hub_arn, standards=ready[:10])
