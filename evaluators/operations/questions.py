"""Decisions behind models in production that only people can tell of."""

from typing import Any

from collectors.dashboards import Dashboard
from collectors.iam import Account
from collectors.model import Unread
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.models import Model
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sample import sample
from collectors.view import Region
from evaluators.answers import said
from evaluators.attestation import attested
from evaluators.controls import lens
from evaluators.production import production_endpoints
from evaluators.rule import Change, Severity, Verdict, given, not_applicable, rule

_NOBODY = "nothing serves production"


@rule(
    "OPS-028",
    Severity.LOW,
    question="Which business figure does each production model move, which metric stands for it, and on "
    "which dashboard is it watched?",
    remedy="Write down the business figure, the metric that stands for it and its dashboard, and publish "
    "the metric.",
    change=Change.IN_PLACE,
    maps=[lens("MLPERF01-BP01"), lens("MLOPS01-BP03")],
    bad=[given(sample(Account), sample(Endpoint, "churn"), answers=said("OPS-028", False))],
    good=[
        given(
            sample(Account),
            sample(Endpoint, "churn"),
            sample(Dashboard, "kpi", dashboard_body='{"endpoint": "churn"}'),
            answers=said("OPS-028", "retention, churn precision at 10 %, dashboard kpi"),
        )
    ],
    exempt=[
        given(sample(Account), sample(Endpoint, "lab", tags={"env": "sandbox"})),
        given(
            sample(Account), sample(Endpoint, "churn"), answers=said("OPS-028", "n/a: a research prototype")
        ),
    ],
)
def untied_business_metrics(account: Account, *, max_age_days: int = 365) -> Verdict:
    """Metrics of production models should be tied to business figures.

    A model can keep its accuracy and lose its purpose. No API knows the purpose, so a person is
    asked; a dashboard that names an endpoint is shown as a hint and proves nothing.
    """
    endpoints = production_endpoints(account.region)
    if not endpoints:
        return not_applicable(_NOBODY)
    names = [endpoint.name for endpoint in endpoints]
    return attested(
        account.region,
        "OPS-028",
        max_age_days,
        record="the figure, the metric and the dashboard",
        EndpointStatus=endpoints[0].endpoint_status,
        endpoints=names[:10],
        dashboards=_dashboards(account.region, names)[:10],
    )


def _dashboards(region: Region, endpoints: list[str]) -> list[str]:
    """The dashboards that name one of the endpoints; a hint, so what cannot be read is left out."""
    found = []
    for dashboard in region.known(Dashboard):
        try:
            body = dashboard.dashboard_body
        except Unread:
            continue
        if any(f'"{name}"' in body for name in endpoints):
            found.append(dashboard.name)
    return found


@rule(
    "OPS-029",
    Severity.LOW,
    question="By what rule is it decided that a production model is retrained and released: the risk of "
    "the change, what retraining costs, what it is worth?",
    remedy="Describe when a model is retrained and released, and write each decision into the package's "
    "approval description.",
    change=Change.IN_PLACE,
    maps=[lens("MLREL04-BP02"), lens("MLPERF06-BP05")],
    bad=[given(sample(Account), sample(Endpoint, "churn"), answers=said("OPS-029", False))],
    good=[
        given(
            sample(Account),
            sample(Endpoint, "churn"),
            answers=said("OPS-029", "wiki.example.com/ml/releases"),
        )
    ],
    exempt=[given(sample(Account), sample(Endpoint, "churn", endpoint_status="Failed"))],
)
def unweighed_model_updates(account: Account, *, max_age_days: int = 365) -> Verdict:
    """Updates of production models should weigh risk, retraining cost and value.

    Retraining by habit costs money and lets regressions in. How a team decides is no setting of
    AWS, so a person is asked.
    """
    endpoints = production_endpoints(account.region)
    if not endpoints:
        return not_applicable(_NOBODY)
    return attested(
        account.region,
        "OPS-029",
        max_age_days,
        record="the policy",
        EndpointStatus=endpoints[0].endpoint_status,
        endpoints=[endpoint.name for endpoint in endpoints][:10],
    )


@rule(
    "OPS-030",
    Severity.LOW,
    question="Where is it written down how data, code, parameters, artifacts and images are versioned?",
    remedy="Write the versioning policy, publish it, and give its link as the answer.",
    change=Change.IN_PLACE,
    maps=[lens("MLOPS03-BP02")],
    bad=[
        given(sample(Account), sample(Model, "churn"), answers=said("OPS-030", False)),
        given(sample(Account), sample(TrainingJob, "churn"), answers=said("OPS-030", False)),
    ],
    good=[
        given(
            sample(Account), sample(Model, "churn"), answers=said("OPS-030", "wiki.example.com/ml/versions")
        )
    ],
    exempt=[given(sample(Account))],
)
def undocumented_versioning(account: Account, *, max_age_days: int = 365) -> Verdict:
    """A policy should say how data, code, parameters, artifacts and images are versioned.

    Versions that everybody makes in a way of their own cannot be put together again. Documents lie
    outside of AWS's APIs, so a person is asked where there are models or training jobs.
    """
    region = account.region
    jobs = next(region.everywhere(TrainingJob), None)
    models = next(region.everywhere(Model), None)
    if jobs is None and models is None:
        return not_applicable("there is no model and no training job")
    read: dict[str, Any] = {}
    if jobs is not None:
        read["TrainingJobStatus"] = jobs.training_job_status
    elif models is not None:
        read["CreationTime"] = models.creation_time.isoformat()
    return attested(region, "OPS-030", max_age_days, record="where the policy is", **read)
