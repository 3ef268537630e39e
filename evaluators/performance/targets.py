"""Whether anybody said how fast an endpoint has to be."""

from collectors.sagemaker.endpoints import Endpoint
from collectors.sample import sample
from evaluators.answers import said
from evaluators.attestation import attested
from evaluators.controls import lens
from evaluators.rule import Change, Scope, Severity, Verdict, given, not_applicable, passed, rule

_TAGS = ("latency-slo-ms", "rps-slo")


@rule(
    "PERF-023",
    Severity.LOW,
    question="Which latency and which throughput does each production endpoint have to reach? (Or tag the "
    "endpoints with latency-slo-ms and rps-slo.)",
    remedy="Tag the endpoint with its targets: latency-slo-ms and rps-slo.",
    command="aws sagemaker add-tags --resource-arn {arn} --tags Key=latency-slo-ms,Value=MILLISECONDS "
    "Key=rps-slo,Value=REQUESTS_A_SECOND",
    change=Change.IN_PLACE,
    scope=Scope.PRODUCTION,
    maps=[lens("MLPERF01-BP01")],
    bad=[
        given(sample(Endpoint), answers=said("PERF-023", False)),
        given(sample(Endpoint, tags={"latency-slo-ms": "100"}), answers=said("PERF-023", False)),
    ],
    good=[
        given(sample(Endpoint, tags={"latency-slo-ms": "100", "rps-slo": "40"})),
        given(sample(Endpoint), answers=said("PERF-023", "churn: 100 ms, 40 a second")),
    ],
    exempt=[
        given(sample(Endpoint, tags={"env": "dev"})),
        given(sample(Endpoint, endpoint_status="Failed")),
    ],
)
def undefined_performance_target(
    endpoint: Endpoint, *, tags: tuple[str, ...] = _TAGS, max_age_days: int = 365
) -> Verdict:
    """Target latency and throughput should be defined for each production endpoint.

    Without a target nobody can tell a slow endpoint from a cheap one. Tags on the endpoint say it,
    which the rule on latency reads too, or a person in the settings.
    """
    if endpoint.endpoint_status != "InService":
        return not_applicable("it is not in service", EndpointStatus=endpoint.endpoint_status)
    held = {key.lower() for key, value in endpoint.tags.items() if value.strip()}
    missing = [tag for tag in tags if tag.lower() not in held]
    if not missing:
        return passed(Tags=sorted(tags))
    return attested(
        endpoint.region,
        "PERF-023",
        max_age_days,
        record="the targets",
        EndpointStatus=endpoint.endpoint_status,
        missing_tags=missing,
    )
