"""What happens to production models when a Region is lost: a decision that people make."""

from collectors.iam import Account
from collectors.sagemaker.endpoints import Endpoint
from collectors.sample import sample
from evaluators.answers import said
from evaluators.attestation import attested
from evaluators.controls import lens
from evaluators.production import production_endpoints
from evaluators.rule import Change, Severity, Verdict, given, not_applicable, rule


@rule(
    "REL-024",
    Severity.MEDIUM,
    question="How soon must production models be back (RTO) and how old may they be (RPO), in which second "
    "Region or by which rebuild, and when was that last tested?",
    remedy="Write down RTO and RPO and how they are met, and test a rebuild.",
    change=Change.IN_PLACE,
    maps=[lens("MLREL05-BP02")],
    bad=[given(sample(Account), sample(Endpoint, "churn"), answers=said("REL-024", False))],
    good=[
        given(
            sample(Account),
            sample(Endpoint, "churn"),
            answers=said("REL-024", "RTO 4 h, RPO 1 day, rebuilt in eu-central-1, tested 2026-09-12"),
        )
    ],
    exempt=[
        given(sample(Account)),
        given(sample(Account), sample(Endpoint, "lab", tags={"env": "dev"}), answers=said("REL-024", True)),
    ],
)
def untested_disaster_recovery(account: Account, *, max_age_days: int = 365) -> Verdict:
    """A disaster-recovery strategy for production models should exist and be tested.

    Objectives are business decisions, and a plan that was never tried is a hope. No API tells
    either, so a person is asked.
    """
    endpoints = production_endpoints(account.region)
    if not endpoints:
        return not_applicable("nothing serves production")
    return attested(
        account.region,
        "REL-024",
        max_age_days,
        record="RTO, RPO, the plan and the last test",
        EndpointStatus=endpoints[0].endpoint_status,
        endpoints=[endpoint.name for endpoint in endpoints][:10],
    )
