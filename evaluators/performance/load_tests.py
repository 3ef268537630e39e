"""Whether anybody measured what an endpoint's size can carry."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from collectors.model import Reason, Unread
from collectors.pricing import Price
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.inference_recommendations import BenchmarkJob, InferenceRecommendationsJob
from collectors.sagemaker.models import Model
from collectors.sample import NOW, Sample, sample
from collectors.view import Region
from evaluators.answers import answer_to, said
from evaluators.attestation import attested
from evaluators.controls import lens
from evaluators.deployments import models_behind
from evaluators.hosting import hosting_usage
from evaluators.rule import (
    Change,
    Given,
    Scope,
    Severity,
    Status,
    Verdict,
    failed,
    given,
    not_applicable,
    passed,
    rule,
)

_CODE = "PERF-012"
_PACKAGE = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn"


def _price(amount: float, component: str = "Hosting") -> Sample:
    listed = (
        '{"product": {"attributes": {"platoinstancetype": "%s"}}, "terms": {"OnDemand": {"a": '
        '{"priceDimensions": {"b": {"unit": "Hrs", "pricePerUnit": {"USD": "%s"}}}}}}}'
    )
    return sample(Price, "ml.m5.xlarge", price_list=[listed % (component, amount)])


def _served(
    *others: Sample,
    price: float = 0.6,
    tags: dict[str, str] | None = None,
    variant: dict[str, Any] | None = None,
    answer: bool | str | None = None,
    container: dict[str, Any] | None = None,
    **values: Any,
) -> Given:
    held = {"variant_name": "main", "current_instance_count": 2, **(variant or {})}
    planned = {"variant_name": "main", "model_name": "churn-7", "instance_type": "ml.m5.xlarge"}
    return given(
        sample(
            Endpoint,
            tags=tags,
            **{"endpoint_config_name": "c", "production_variants": [held], **values},
        ),
        sample(EndpointConfig, "c", production_variants=[planned]),
        sample(Model, "churn-7", primary_container=container or {"image": "i"}),
        _price(price),
        *others,
        answers=None if answer is None else said(_CODE, answer),
    )


def _job(days: float = 40, **values: Any) -> Sample:
    return sample(
        InferenceRecommendationsJob,
        "test",
        **{"completion_time": NOW - timedelta(days=days), "model_name": "churn-7", **values},
    )


_FROM_PACKAGE = {"model_package_name": f"{_PACKAGE}/7"}


@rule(
    _CODE,
    Severity.LOW,
    bad=[
        _served(),
        _served(tags={"Environment": "prod"}),
        _served(_job(days=400)),
        _served(_job(status="FAILED")),
        _served(_job(model_name="fraud-3")),
        _served(_job(model_name=None, model_package_version_arn=f"{_PACKAGE}/7")),
        _served(sample(BenchmarkJob, identifier="other", end_time=NOW - timedelta(days=3))),
        _served(answer=False),
    ],
    good=[
        _served(_job()),
        _served(_job(days=3, status="FAILED"), _job()),
        _served(_job(model_name=None, model_package_version_arn=f"{_PACKAGE}/7"), container=_FROM_PACKAGE),
        # An earlier version of the same group has the same size.
        _served(_job(model_name=None, model_package_version_arn=f"{_PACKAGE}/5"), container=_FROM_PACKAGE),
        _served(sample(BenchmarkJob, identifier="example", end_time=NOW - timedelta(days=3))),
        # Tests with Locust or JMeter leave no trace in AWS: a person says so.
        _served(answer="Locust, 2026-09-12, 400 calls a second"),
    ],
    exempt=[
        _served(variant={"current_instance_count": None, "current_serverless_config": {"MaxConcurrency": 5}}),
        _served(tags={"Environment": "dev"}),
        _served(price=0.4),
        _served(endpoint_status="Failed"),
        _served(answer="n/a: sized by the vendor"),
    ],
    question="Which load tests outside SageMaker (Locust, JMeter, ...) back the size of the production "
    "endpoints, and when were they run?",
    remedy="Run Inference Recommender on the model, or name the load test that was run elsewhere.",
    command="aws sagemaker create-inference-recommendations-job --job-name JOB --job-type Advanced "
    "--role-arn ROLE --input-config file://input.json",
    change=Change.IN_PLACE,
    scope=Scope.PRODUCTION,
    confidence=0.4,
    maps=[lens("MLPERF04-BP01"), lens("MLCOST05-BP03")],
)
def untested_hosting_size(
    endpoint: Endpoint, *, max_age_days: int = 365, min_hourly_cost: float = 1.0
) -> Verdict:
    """Instance types and counts of endpoints should be backed by a load test.

    A size that nobody measured is too large or too small. What counts is a completed job of Inference
    Recommender for each model, or for a version of the package group that it comes from, or a
    benchmark job against the endpoint. Tests by other tools leave no trace in AWS: a person's
    answer stands for them. Endpoints that cost less than the given amount an hour, in the price
    list's currency, are not worth one; without a price nobody knows whether they do.
    """
    if endpoint.endpoint_status != "InService":
        return not_applicable("it is not in service", EndpointStatus=endpoint.endpoint_status)
    if any(variant.is_serverless for variant in endpoint.production_variants):
        return not_applicable("a serverless endpoint has no size")
    since = endpoint.region.ago(max_age_days)
    untested = _untested(endpoint, since)
    if not untested:
        return passed()
    answered = _answered(endpoint.region, max_age_days)
    if answered is not None and answered.status is not Status.FAIL:
        return answered
    cost = _hourly_cost(endpoint)
    if cost < min_hourly_cost:
        return not_applicable(f"it costs {cost:.2f} an hour", hourly_cost=round(cost, 2))
    return failed(
        "no load test of its models is known",
        EndpointStatus=endpoint.endpoint_status,
        models=untested[:10],
        hourly_cost=round(cost, 2),
    )


def _untested(endpoint: Endpoint, since: datetime) -> list[str]:
    """The models of an endpoint without a load test since then; none where it was benchmarked itself."""
    if any(
        job.identifier in (endpoint.name, endpoint.id)
        for job in _benchmarks(endpoint.region)
        if job.ai_benchmark_job_status == "Completed" and job.end_time is not None and job.end_time > since
    ):
        return []
    done = [
        job
        for job in endpoint.region.all(InferenceRecommendationsJob)
        if job.status == "COMPLETED" and job.completion_time is not None and job.completion_time > since
    ]
    names = {job.model_name for job in done}
    groups = {_group(job.model_package_version_arn) for job in done} - {""}
    return [
        model.name
        for model in models_behind(endpoint)
        if model.name not in names
        and not groups & {_group(c.model_package_name) for c in model.all_containers}
    ]


def _benchmarks(region: Region) -> Iterable[BenchmarkJob]:
    """The benchmark jobs; none where AWS does not offer them, which nobody can have run there."""
    try:
        return list(region.all(BenchmarkJob))
    except Unread as unread:
        if unread.gap.reason is not Reason.NOT_OFFERED:
            raise
        return ()


def _group(package: str | None) -> str:
    """The ARN of a version without the version: what all versions of a group share."""
    return (package or "").rpartition("/")[0]


def _answered(region: Region, max_age_days: int) -> Verdict | None:
    """What a person's answer says; `None` where there is none, which is no answer's fault here."""
    try:
        answer_to(region, _CODE, max_age_days)
    except Unread as unread:
        if unread.gap.reason is not Reason.UNANSWERED:
            raise
        return None
    return attested(region, _CODE, max_age_days)


def _hourly_cost(endpoint: Endpoint) -> float:
    """What its instances cost an hour. Raises `Unread` where a type has no price, or several types may run."""
    usages = hosting_usage(endpoint, endpoint.production_variants)
    running = sum(bool(variant.current_instance_count) for variant in endpoint.production_variants)
    if len(usages) < running:
        message = f"which instance types {endpoint.name} runs on"
        raise Unread(endpoint.gap("sagemaker:DescribeEndpointConfig", Reason.MISSING, message))
    return sum(usage.count * _price_of(endpoint, usage.instance_type) for usage in usages)


def _price_of(endpoint: Endpoint, instance_type: str) -> float:
    listed = endpoint.region.find(Price, instance_type)
    rate = listed.rates.get("hosting") if listed is not None else None
    if rate is None:
        raise Unread(endpoint.gap("pricing:GetProducts", Reason.NOT_READ, f"no price of {instance_type}"))
    return rate.amount
