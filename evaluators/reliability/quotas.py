"""Room to grow: quotas on the instances of endpoints, and what AWS said where there was none."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from collectors.autoscaling import INSTANCES, ScalableTarget, ScalingActivity, targets_by_resource
from collectors.model import Gap, Reason, Unread
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint, Variant
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sample import NOW, Sample, sample
from collectors.service_quotas import LIST, EndpointQuota, quotas_by_type
from collectors.view import Region
from evaluators.controls import lens
from evaluators.rule import Change, Given, Severity, Verdict, failed, given, not_applicable, passed, rule
from evaluators.traffic import configured

_NO_ROOM = re.compile(r"CapacityError|Insufficient(Instance)?Capacity|ResourceLimitExceeded", re.IGNORECASE)
_RESOURCE = "endpoint/example/variant/main"


def _served(
    *others: Sample, count: int = 2, variant: dict[str, Any] | None = None, **values: Any
) -> list[Sample]:
    held = {"variant_name": "main", "current_instance_count": count, **(variant or {})}
    planned = {"variant_name": "main", "model_name": "m", "instance_type": "ml.m5.xlarge"}
    return [
        sample(Endpoint, **{"endpoint_config_name": "c", "production_variants": [held], **values}),
        sample(EndpointConfig, "c", production_variants=[planned]),
        *others,
    ]


def _quota(value: float, name: str = "ml.m5.xlarge for endpoint usage") -> Sample:
    return sample(EndpointQuota, name, quota_name=name, quota_code="L-1", value=value, adjustable=True)


def _target(most: int) -> Sample:
    return sample(ScalableTarget, _RESOURCE, resource_id=_RESOURCE, min_capacity=2, max_capacity=most)


def _activity(text: str, days: float = 2) -> Sample:
    return sample(
        ScalingActivity, "a", status_code="Failed", status_message=text, start_time=NOW - timedelta(days=days)
    )


def _job(reason: str, days: float = 2) -> Sample:
    return sample(TrainingJob, "churn-1", failure_reason=reason, creation_time=NOW - timedelta(days=days))


def _in_region(*samples: Sample, **thresholds: Any) -> Given:
    return given(samples[0], *samples[1:], **thresholds)


@dataclass(slots=True)
class _Use:
    """The instances of one type: those that run, and those that scaling may add up to."""

    now: int = 0
    most: int = 0


@rule(
    "REL-020",
    Severity.MEDIUM,
    bad=[
        _in_region(*_served(_quota(6), _target(8))),
        # Eight of ten are the limit already.
        _in_region(*_served(_quota(10), count=8)),
        _in_region(*_served(_quota(5), variant={"status": "ENABLED", "max_instance_count": 6})),
        _in_region(*_served(_quota(20), _activity("Reason: InsufficientInstanceCapacity for ml.m5.xlarge"))),
        _in_region(
            *_served(
                _quota(20),
                failure_reason="CapacityError: Unable to provision requested ML compute capacity",
                endpoint_status="Failed",
                last_modified_time=NOW - timedelta(days=3),
            )
        ),
        _in_region(_job("CapacityError: Unable to provision requested ML compute capacity.")),
        _in_region(_job("ResourceLimitExceeded: The account-level service limit is 0 Instances")),
        _in_region(*_served(_quota(10), count=6), max_usage=0.5),
    ],
    good=[
        _in_region(*_served(_quota(10), _target(8))),
        _in_region(*_served(_quota(10), count=7)),
        # Long ago, or of another cause.
        _in_region(*_served(_quota(20), _activity("InsufficientInstanceCapacity", days=40))),
        _in_region(*_served(_quota(20), _job("AlgorithmError: exit code 1"))),
        _in_region(*_served(_quota(20), _job("CapacityError", days=5)), lookback_days=3),
        # A quota of another use says nothing of endpoints.
        _in_region(*_served(_quota(10), _quota(1, "ml.m5.xlarge for training job usage"))),
    ],
    exempt=[
        _in_region(_quota(0)),
        _in_region(_job("AlgorithmError: exit code 1")),
        _in_region(
            *_served(
                _quota(1),
                variant={
                    "current_instance_count": None,
                    "current_serverless_config": {"MaxConcurrency": 5},
                },
            )
        ),
    ],
    remedy="Ask for a higher quota, spread over several instance types, or reserve capacity (a training plan).",
    command="aws service-quotas request-service-quota-increase --service-code sagemaker "
    "--quota-code CODE --desired-value NUMBER --region {region}",
    change=Change.IN_PLACE,
    maps=[lens("MLREL05-BP01")],
)
def exhausted_quota(region: Region, *, max_usage: float = 0.8, lookback_days: int = 30) -> Verdict:
    """Quotas and capacity should leave endpoints room to scale.

    Autoscaling stops in silence at the account's quota on an instance type. What counts is the
    account's own quota, never AWS's default, against the instances that run and those that all
    endpoints together may scale to; and what AWS said of missing capacity to endpoints, to scaling and
    to training jobs. Shadow variants and jobs' own quotas are not counted.
    """
    since = region.ago(lookback_days)
    errors, unread = _errors(region, since)
    if errors:
        return failed("AWS had no capacity, or the account none left", **errors[0], occurrences=len(errors))
    uses, unsure = _uses(region)
    tight = _tight(region, uses, max_usage)
    if tight:
        return failed(f"{tight[0]['InstanceType']} has no headroom", **tight[0], tight_types=len(tight))
    for gap in (unread, unsure):
        if gap is not None:
            raise gap
    if not uses:
        return not_applicable("no instances behind endpoints here")
    quotas = quotas_by_type(region)
    for name in sorted(uses):
        if name not in quotas:
            message = f"no quota of {name} for endpoint usage is listed"
            raise Unread(Gap(str(LIST), Reason.MISSING, "", message, region.account, region.name))
    return passed(InstanceType=sorted(uses)[:10])


def _errors(region: Region, since: datetime) -> tuple[list[dict[str, Any]], Unread | None]:
    """What AWS said of missing capacity since then, and a gap where some of it could not be read."""
    found: list[dict[str, Any]] = []
    unsure: Unread | None = None
    for told in (_of_scaling, _of_endpoints, _of_jobs):
        try:
            found += told(region, since)
        except Unread as unread:
            unsure = unsure or unread
    return found, unsure


def _of_scaling(region: Region, since: datetime) -> list[dict[str, Any]]:
    return [
        {"StatusMessage": activity.status_message, "resource": activity.resource_id}
        for activity in region.all(ScalingActivity)
        if activity.start_time >= since and _NO_ROOM.search(activity.status_message or "")
    ]


def _of_endpoints(region: Region, since: datetime) -> list[dict[str, Any]]:
    return [
        {"FailureReason": endpoint.failure_reason, "resource": endpoint.name}
        for endpoint in region.all(Endpoint)
        if endpoint.last_modified_time >= since and _NO_ROOM.search(endpoint.failure_reason or "")
    ]


def _of_jobs(region: Region, since: datetime) -> list[dict[str, Any]]:
    return [
        {"FailureReason": job.failure_reason, "resource": job.name}
        for job in region.all(TrainingJob)
        if job.creation_time >= since and _NO_ROOM.search(job.failure_reason or "")
    ]


def _uses(region: Region) -> tuple[dict[str, _Use], Unread | None]:
    """The use of each instance type by endpoints, and a gap where one could not be counted."""
    uses: dict[str, _Use] = {}
    unsure: Unread | None = None
    for endpoint in region.all(Endpoint):
        if endpoint.endpoint_status not in ("InService", "Updating"):
            continue
        for variant in endpoint.production_variants:
            if variant.is_serverless:
                continue
            try:
                name = _type_of(variant)
                most = _most(endpoint, variant)
            except Unread as unread:
                unsure = unsure or unread
                continue
            use = uses.setdefault(name, _Use())
            use.now += variant.current_instance_count or 0
            use.most += most
    return uses, unsure


def _type_of(variant: Variant) -> str:
    """Its instance type. Raises `Unread` where it may run on several: nobody knows on which it does."""
    types = configured(variant).instance_types
    if len(types) != 1:
        message = f"{variant.view.name} has {len(types)} instance types"
        raise Unread(variant.gap("sagemaker:DescribeEndpointConfig", Reason.MISSING, message))
    return types[0]


def _most(endpoint: Endpoint, variant: Variant) -> int:
    """How many instances a variant may come to have."""
    resource = f"endpoint/{endpoint.name}/variant/{variant.variant_name}"
    targets = targets_by_resource(endpoint.region).get(resource, ())
    scaled = [target.max_capacity for target in targets if target.scalable_dimension == INSTANCES]
    managed = [variant.max_instance_count or 0] if variant.status == "ENABLED" else []
    return max([variant.current_instance_count or 0, *scaled, *managed])


def _tight(region: Region, uses: dict[str, _Use], max_usage: float) -> list[dict[str, Any]]:
    """The types whose quota is used up, or would be if everything scaled out."""
    found = []
    quotas = quotas_by_type(region) if uses else {}
    for name in sorted(uses.keys() & quotas.keys()):
        quota, use = quotas[name], uses[name]
        if use.most > quota.value or use.now >= max_usage * quota.value:
            found.append(
                {
                    "InstanceType": name,
                    "Value": quota.value,
                    "QuotaCode": quota.quota_code,
                    "Adjustable": quota.adjustable,
                    "instances": use.now,
                    "most_instances": use.most,
                }
            )
    return found
