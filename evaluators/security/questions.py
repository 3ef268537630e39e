"""Provenance, regulation and encryption between one's own components: what people answer for."""

from collections.abc import Callable
from typing import Any, TypeVar

from collectors.api_calls import RecentCalls
from collectors.compliance import Assessment, ConformancePack, CustomerAgreement, SigningProfile
from collectors.ecr import ContainerImage
from collectors.iam import Account
from collectors.model import Unread
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.models import Model
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sample import sample
from collectors.view import Region, View
from evaluators.answers import answer_to, said
from evaluators.attestation import attested
from evaluators.controls import lens
from evaluators.production import production_endpoints
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, rule

V = TypeVar("V", bound=View)

_IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/churn:7"


@rule(
    "SEC-065",
    Severity.LOW,
    question="How is it made sure that container images, data and code come from whom they claim, such as "
    "signatures and reviews?",
    remedy="Sign images (AWS Signer with Notation), review code, and write down the process.",
    change=Change.IN_PLACE,
    maps=[lens("MLOPS04-BP02"), lens("MLSEC01-BP01")],
    bad=[
        given(
            sample(Account),
            sample(ContainerImage, _IMAGE, image_details=[{"image_status": "ACTIVE"}]),
            answers=said("SEC-065", False),
        )
    ],
    good=[
        given(
            sample(Account),
            sample(ContainerImage, _IMAGE, image_details=[{}]),
            sample(SigningProfile, "ml_images"),
            answers=said("SEC-065", "images are signed by the build, wiki.example.com/ml/provenance"),
        )
    ],
    exempt=[given(sample(Account), answers=said("SEC-065", True))],
)
def unattested_provenance(account: Account, *, max_age_days: int = 365) -> Verdict:
    """Images, data and code of models should follow a process that proves where they come from.

    Whoever can slip in an image or a data set owns the model. Signing profiles are shown as a
    hint; whether everything is signed and reviewed only people can tell.
    """
    images = list(account.region.everywhere(ContainerImage))
    if not images:
        return not_applicable("no image of the account's own is in use")
    return attested(
        account.region,
        "SEC-065",
        max_age_days,
        record="the process",
        images=len(images),
        imageDetails=len(images[0].image_details),
        signing_profiles=_hints(
            account.region, SigningProfile, lambda p: p.name if p.status == "Active" else ""
        ),
    )


def _hints(region: Region, view: type[V], text: Callable[[V], str]) -> list[str]:
    """What is known of a kind in all Regions, as a hint: what cannot be read is left out."""
    found = []
    for place in [region] if view.is_global else region.audited():
        for item in place.known(view):
            try:
                found.append(text(item))
            except Unread:
                continue
    return sorted(filter(None, found))[:10]


_HIPAA = "Business Associate Addendum"


@rule(
    "SEC-067",
    Severity.MEDIUM,
    question="Which regulations apply to the data and models (PCI DSS, HIPAA, SOC, FedRAMP, ISO 27001), who "
    "answers for them, and where is the evidence? Without regulated data: n/a, and why.",
    remedy="Name the frameworks, a responsible person and where the evidence lies; for HIPAA accept the "
    "Business Associate Addendum in AWS Artifact.",
    change=Change.IN_PLACE,
    maps=[lens("MLSEC01-BP01")],
    bad=[
        given(sample(Account), sample(Model, "churn"), answers=said("SEC-067", False)),
        given(
            sample(Account), sample(Model, "churn"), answers=said("SEC-067", "HIPAA, wiki.example.com/hipaa")
        ),
        given(
            sample(Account),
            sample(Model, "churn"),
            sample(CustomerAgreement, "AWS Business Associate Addendum", state="AWS_TERMINATED"),
            answers=said("SEC-067", "HIPAA, wiki.example.com/hipaa"),
        ),
    ],
    good=[
        given(
            sample(Account),
            sample(Model, "churn"),
            sample(CustomerAgreement, "AWS Business Associate Addendum"),
            sample(ConformancePack, "hipaa"),
            answers=said("SEC-067", "HIPAA, wiki.example.com/hipaa"),
        ),
        given(
            sample(Account),
            sample(TrainingJob, "churn"),
            sample(Assessment, "soc2", compliance_type="SOC 2"),
            answers=said("SEC-067", "SOC 2, audits@example.com, Audit Manager"),
        ),
    ],
    exempt=[
        given(sample(Account)),
        given(
            sample(Account), sample(Model, "churn"), answers=said("SEC-067", "n/a: public weather data only")
        ),
    ],
)
def unnamed_regulations(account: Account, *, max_age_days: int = 365) -> Verdict:
    """The regulations that apply to the account's data should be named and answered for.

    That SageMaker is in the scope of a programme does not make a workload comply. Which rules apply
    is a legal judgement, so a person is asked; only the agreement that HIPAA needs can be read.
    """
    region = account.region
    model = next(region.everywhere(Model), None)
    job = next(region.everywhere(TrainingJob), None)
    if model is None and job is None:
        return not_applicable("there is no model and no training job")
    read: dict[str, Any] = {"CreationTime": (model or job).creation_time.isoformat()}  # type: ignore[union-attr]  # one is there
    found = answer_to(region, "SEC-067", max_age_days)
    if "hipaa" in found.text.lower() and not found.exempts:
        signed = [
            a
            for a in region.all(CustomerAgreement)
            if _HIPAA.lower() in a.name.lower() and a.state == "ACTIVE"
        ]
        if not signed:
            return failed(
                "HIPAA is named, and no Business Associate Addendum is active", answer=found.text, **read
            )
    return attested(
        region,
        "SEC-067",
        max_age_days,
        record="the frameworks, who answers for them and where the evidence is",
        conformance_packs=_hints(region, ConformancePack, lambda pack: pack.name),
        assessments=_hints(region, Assessment, lambda a: f"{a.name} ({a.compliance_type or 'custom'})"),
        **read,
    )


@rule(
    "SEC-068",
    Severity.LOW,
    question="Do all of your own services in front of, behind and beside the endpoints use TLS?",
    remedy="Use TLS 1.2 or newer between your own services, and alarm on older versions in CloudTrail's "
    "tlsDetails.",
    change=Change.IN_PLACE,
    maps=[lens("MLSEC02-BP01")],
    bad=[
        given(sample(Account), sample(Endpoint, "churn"), answers=said("SEC-068", False)),
        given(
            sample(Account),
            sample(Endpoint, "churn"),
            sample(
                RecentCalls,
                "recent",
                events=[
                    {
                        "EventName": "DescribeEndpoint",
                        "CloudTrailEvent": '{"tlsDetails": {"tlsVersion": "TLSv1.1"}}',
                    }
                ],
            ),
            answers=said("SEC-068", True),
        ),
    ],
    good=[
        given(
            sample(Account),
            sample(Endpoint, "churn"),
            sample(
                RecentCalls,
                "recent",
                events=[
                    {"EventName": "Search", "CloudTrailEvent": '{"tlsDetails": {"tlsVersion": "TLSv1.3"}}'}
                ],
            ),
            answers=said("SEC-068", True),
        )
    ],
    exempt=[
        given(sample(Account)),
        given(
            sample(Account),
            sample(Endpoint, "churn"),
            answers=said("SEC-068", "n/a: only AWS services call it"),
        ),
    ],
)
def unencrypted_hops(account: Account, *, max_age_days: int = 365) -> Verdict:
    """Every hop between clients, one's own services and endpoints should use TLS.

    AWS's APIs and S3 refuse or show plain HTTP; what one's own services speak inside the VPC no API
    tells, so a person is asked. The newest calls of each Region are looked at for outdated TLS.
    """
    region = account.region
    endpoints = production_endpoints(region)
    if not endpoints:
        return not_applicable("nothing serves production")
    read: dict[str, Any] = {"EndpointStatus": endpoints[0].endpoint_status}
    outdated = [call for recent in region.everywhere(RecentCalls) for call in recent.outdated_tls]
    if outdated:
        message = f"{len(outdated)} of the newest SageMaker calls came over an outdated TLS"
        return failed(message, calls=sorted(set(outdated))[:10], **read)
    return attested(region, "SEC-068", max_age_days, **read)
