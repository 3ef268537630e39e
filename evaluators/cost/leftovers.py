"""Tests on live traffic that nobody ended, and variants that serve nobody."""

from datetime import timedelta
from typing import Any

from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.inference_experiments import InferenceExperiment
from collectors.sample import NOW, Sample, sample
from evaluators.controls import lens
from evaluators.hosting import hosting_usage
from evaluators.rule import Change, Given, Severity, Verdict, failed, given, not_applicable, passed, rule
from evaluators.tags import is_set

_LONG_AGO = NOW - timedelta(days=60)


def _endpoint(*variants: dict[str, Any], created: Any = _LONG_AGO, **values: Any) -> Given:
    held = [{"variant_name": "main", "current_weight": 1.0, "current_instance_count": 2}, *variants]
    planned = [{"variant_name": v["variant_name"], "instance_type": "ml.m5.large"} for v in held]
    return given(
        sample(Endpoint, "churn", endpoint_config_name="churn-2", production_variants=held, **values),
        sample(EndpointConfig, "churn-2", creation_time=created, production_variants=planned),
    )


_IDLE = {"variant_name": "old", "current_weight": 0.0, "current_instance_count": 1}
_SHADOW: dict[str, Any] = {
    "shadow_production_variants": [{"variant_name": "shadow", "current_instance_count": 1}]
}


def _experiment(**values: Any) -> Sample:
    return sample(InferenceExperiment, "shadow-test", **values)


@rule(
    "COST-037",
    Severity.LOW,
    bad=[
        _experiment(end_time=NOW - timedelta(days=2)),
        _experiment(creation_time=_LONG_AGO),
        _endpoint(_IDLE),
        _endpoint(**_SHADOW),
    ],
    good=[
        _experiment(end_time=NOW + timedelta(days=2)),
        _endpoint({**_IDLE, "current_weight": 0.5}),
        _endpoint({**_IDLE, "current_instance_count": 0}),
        _endpoint(created=NOW - timedelta(days=4), **_SHADOW),
    ],
    exempt=[
        _experiment(status="Completed"),
        _endpoint(),
        _endpoint(_IDLE, tags={"warm-standby": "true"}),
        _endpoint(_IDLE, endpoint_status="Failed"),
    ],
    remedy="Stop the experiment, or take the variant out of the endpoint.",
    command="aws sagemaker list-inference-experiments --status-equals Running",
    change=Change.IN_PLACE,
    maps=[lens("MLCOST04-BP08"), lens("MLREL04-BP02")],
)
def lingering_live_test(
    subject: InferenceExperiment | Endpoint, *, max_days: float = 30, standby_tag: str = "warm-standby"
) -> Verdict:
    """Shadow tests and variants without traffic should not linger.

    They are billed like production and serve nobody. A variant of weight zero may be a warm standby on
    purpose: a tag says so. How long a shadow variant has been there the age of the configuration tells.
    """
    if isinstance(subject, InferenceExperiment):
        return _experiments(subject, max_days)
    if subject.endpoint_status != "InService":
        return not_applicable("it is not in service", EndpointStatus=subject.endpoint_status)
    if is_set(subject.tags, standby_tag):
        return not_applicable(f"a standby by its tag {standby_tag}")
    resting = [
        v
        for v in subject.production_variants
        if v.current_weight == 0 and (v.current_instance_count or 0) > 0
    ]
    if resting:
        return failed(
            f"variant {resting[0].variant_name} runs and gets no traffic",
            waste=hosting_usage(subject, resting),
            CurrentWeight=0,
            CurrentInstanceCount=resting[0].current_instance_count,
        )
    shadows = [v for v in subject.shadow_production_variants if v.current_instance_count != 0]
    if not shadows:
        if len(subject.production_variants) < 2:
            return not_applicable("one variant, and no test")
        return passed(variants=len(subject.production_variants))
    config = subject.config
    since = config.creation_time if config is not None else subject.creation_time
    figures: dict[str, Any] = {"VariantName": shadows[0].variant_name, "CreationTime": since.isoformat()}
    if since < subject.region.ago(max_days):
        return failed(f"variant {shadows[0].variant_name} has been a shadow for weeks", **figures)
    return passed(**figures)


def _experiments(experiment: InferenceExperiment, max_days: float) -> Verdict:
    if experiment.status != "Running":
        return not_applicable("it does not run", Status=experiment.status)
    end, now = experiment.end_time, experiment.region.now
    figures: dict[str, Any] = {
        "Status": experiment.status,
        "EndTime": end.isoformat() if end is not None else None,
        "CreationTime": experiment.creation_time.isoformat(),
    }
    if end is not None and end < now:
        return failed("it runs past its end", **figures)
    if experiment.creation_time < experiment.region.ago(max_days):
        return failed(f"it has been running for more than {max_days:g} days", **figures)
    return passed(**figures)
