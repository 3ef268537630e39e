"""Whether there is a copy of the artifacts that production is made of."""

from typing import Any

from collectors.backup import ProtectedResource
from collectors.model import Unread
from collectors.s3 import Bucket
from collectors.s3_uri import bucket_and_key
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.models import Model
from collectors.sample import ABSENT, NOW, Sample, sample
from collectors.view import Region, index
from evaluators.controls import config_rule, lens, prowler, security_hub
from evaluators.deployments import deployments
from evaluators.rule import Change, Given, Severity, Verdict, failed, given, not_applicable, passed, rule
from evaluators.tags import said

_ARN = "arn:aws:s3:::churn-models"
_DEPLOYED = (
    sample(Model, "churn", primary_container={"model_data_url": "s3://churn-models/v3/model.tar.gz"}),
    sample(EndpointConfig, "churn", production_variants=[{"variant_name": "a", "model_name": "churn"}]),
    sample(Endpoint, "churn", endpoint_config_name="churn", production_variants=[{"variant_name": "a"}]),
)
_RULE = {"status": "Enabled", "bucket": "arn:aws:s3:::copy"}


def _bucket(*rules: dict[str, Any], **values: Any) -> Sample:
    held = {"rules": list(rules)} if rules else ABSENT
    return sample(
        Bucket, "churn-models", arn=_ARN, bucket_region="eu-west-1", replication_configuration=held, **values
    )


def _in_use(bucket: Sample, *others: Sample, **thresholds: Any) -> Given:
    return given(bucket, *_DEPLOYED, *others, **thresholds)


def _backed_up(moment: Any) -> Sample:
    return sample(ProtectedResource, _ARN, arn=_ARN, last_backup_time=moment)


@rule(
    "REL-007",
    Severity.LOW,
    bad=[
        _in_use(_bucket()),
        _in_use(_bucket({**_RULE, "status": "Disabled"})),
        _in_use(_bucket({**_RULE, "filter": {"Prefix": "logs/"}})),
        _in_use(_bucket(), _backed_up("2026-10-01T00:00:00+00:00")),
    ],
    good=[
        _in_use(_bucket(_RULE)),
        _in_use(_bucket({**_RULE, "filter": {"Prefix": "v3/"}})),
        _in_use(_bucket({**_RULE, "filter": {"And": {"Prefix": "v3"}}})),
        _in_use(_bucket(), _backed_up(NOW)),
    ],
    exempt=[_bucket(), _in_use(_bucket(tags={"dr-tier": "single-region"}))],
    remedy="Replicate the bucket to another Region or account, or back it up.",
    command="aws s3api put-bucket-replication --bucket {name} --replication-configuration file://replication.json",
    change=Change.IN_PLACE,
    maps=[
        security_hub("S3.7"),
        config_rule("s3-bucket-cross-region-replication-enabled"),
        prowler("s3_bucket_cross_region_replication"),
        lens("MLREL05-BP02"),
    ],
)
def uncopied_artifacts(
    bucket: Bucket, *, max_backup_age_days: float = 7, tier_tag: str = "dr-tier"
) -> Verdict:
    """Artifacts of deployed models should have a copy elsewhere.

    A Region that is gone, or an account that is locked, takes the only artifact with it. A replication
    rule that covers the artifacts, in the same Region too, or a recent backup is a copy. The tag
    `dr-tier` with the value `single-region` says that none is wanted.
    """
    keys, unread = _deployed_keys(bucket.region)
    if bucket.name not in keys:
        if unread is not None:
            raise unread
        return not_applicable("it holds no artifact of a deployed model")
    if said(bucket.tags, tier_tag) in ("single-region", "none"):
        return not_applicable(f"its tag {tier_tag} says that no copy is wanted")
    replication = bucket.replication_configuration
    enabled = [r for r in (replication.rules if replication is not None else ()) if r.status == "Enabled"]
    if any(all(key.startswith(r.covered) for key in keys[bucket.name]) for r in enabled):
        return passed("replicated", Bucket=[r.bucket for r in enabled][:5])
    home = bucket.region.sibling(bucket.shown_region)
    backup = home.find(ProtectedResource, bucket.id)
    moment = backup.last_backup_time if backup is not None else None
    if moment is not None and moment >= bucket.region.ago(max_backup_age_days):
        return passed("backed up", LastBackupTime=moment.isoformat())
    return failed(
        "there is no copy of its artifacts",
        replication=[r.status for r in replication.rules][:5] if replication is not None else [],
        LastBackupTime=moment.isoformat() if moment is not None else None,
        artifacts=sorted(keys[bucket.name])[:5],
    )


@index
def _deployed_keys(region: Region) -> tuple[dict[str, set[str]], Unread | None]:
    """The keys of deployed models' artifacts by bucket, in all Regions, and the gap that may hide more."""
    found: dict[str, set[str]] = {}
    unread: Unread | None = None
    for place in region.audited():
        try:
            deployed = deployments(place)
            for model in place.all(Model):
                for container in model.all_containers if model.name in deployed else ():
                    parsed = bucket_and_key(container.artifact_uri or "")
                    if parsed is not None:
                        found.setdefault(parsed[0], set()).add(parsed[1])
        except Unread as gap:
            unread = gap
    return found, unread
