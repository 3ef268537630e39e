"""Shells into containers that run."""

from typing import Any

from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.remote_debugging import RemoteDebugging
from collectors.sagemaker.spaces import Space
from collectors.sagemaker.studio import Domain
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sample import Sample, sample
from evaluators.controls import lens
from evaluators.deployments import require_config
from evaluators.production import counts_as_production
from evaluators.rule import Change, Scope, Severity, Verdict, expect, given, not_applicable, rule

_ENDPOINT = sample(Endpoint, "scorer", endpoint_config_name="scorer-1")


def _config(**values: Any) -> Sample:
    made: dict[str, Any] = {
        attribute: [{"variant_name": "main", **variant}] for attribute, variant in values.items()
    }
    return sample(EndpointConfig, "scorer-1", **made)


def _running(debugged: bool | None, **values: Any) -> tuple[Sample, Sample]:
    arn = "arn:aws:sagemaker:eu-west-1:123456789012:training-job/churn"
    return (
        sample(TrainingJob, "churn", arn=arn, training_job_status="InProgress", **values),
        sample(RemoteDebugging, "churn", arn=arn, enable_remote_debug=debugged),
    )


@rule(
    "SEC-030",
    Severity.MEDIUM,
    bad=[
        given(_ENDPOINT, _config(production_variants={"enable_ssm_access": True})),
        given(
            _ENDPOINT, _config(production_variants={}, shadow_production_variants={"enable_ssm_access": True})
        ),
        given(*_running(debugged=True)),
        given(sample(Space, remote_access="ENABLED"), sample(Domain, "d-example")),
    ],
    good=[
        given(_ENDPOINT, _config(production_variants={})),
        given(_ENDPOINT, _config(production_variants={"enable_ssm_access": False})),
        given(*_running(debugged=None)),
        given(sample(Space, remote_access="DISABLED"), sample(Domain, "d-example")),
        given(sample(Space), sample(Domain, "d-example")),
    ],
    exempt=[
        given(
            sample(Endpoint, "scorer", endpoint_config_name="scorer-1", tags={"Environment": "dev"}),
            _config(production_variants={"enable_ssm_access": True}),
        ),
        # Into a job that ended no shell can be opened.
        sample(TrainingJob, training_job_status="Completed"),
        given(*_running(debugged=True, tags={"Environment": "sandbox"})),
        given(sample(Space, remote_access="ENABLED", tags={"Env": "sandbox"}), sample(Domain, "d-example")),
        # Spaces are placed with their domain where they have no tag of their own.
        given(sample(Space, remote_access="ENABLED"), sample(Domain, "d-example", tags={"Env": "sandbox"})),
        given(sample(Space, remote_access="ENABLED", status="Deleting"), sample(Domain, "d-example")),
    ],
    remedy="Deploy a configuration without EnableSSMAccess; run jobs without remote debugging; turn the space's "
    "remote access off.",
    change=Change.IN_PLACE,
    scope=Scope.NOT_SANDBOX,
    maps=[lens("MLSEC04-BP01")],
)
def interactive_container_shell(subject: Endpoint | TrainingJob | Space) -> Verdict:
    """Nobody should be able to open a shell in production containers.

    A shell reads the model, the data and the role's credentials. Of endpoints those in production
    are judged, of training jobs those that run, of spaces all outside a sandbox: an editor on a
    laptop that connects to a space takes code and data along.
    """
    match subject:
        case Endpoint():
            return _endpoint(subject)
        case TrainingJob():
            return _training(subject)
        case Space():
            return _space(subject)


def _endpoint(endpoint: Endpoint) -> Verdict:
    if not counts_as_production(endpoint):
        return not_applicable("only endpoints in production are judged")
    require_config(endpoint)
    config = endpoint.config
    variants = (*config.production_variants, *config.shadow_production_variants) if config else ()
    opened = [variant.variant_name for variant in variants if variant.enable_ssm_access]
    return expect(
        not opened,
        "a shell can be opened into its containers",
        EnableSSMAccess=bool(opened),
        VariantName=opened,
        EndpointConfigName=endpoint.endpoint_config_name,
    )


def _training(job: TrainingJob) -> Verdict:
    if job.training_job_status != "InProgress":
        return not_applicable("the job has ended")
    described = job.region.find(RemoteDebugging, job.id)
    if described is None:
        return not_applicable("the job has ended meanwhile")
    opened = described.enable_remote_debug
    return expect(not opened, "a shell can be opened into its containers", EnableRemoteDebug=opened)


def _space(space: Space) -> Verdict:
    if space.status == "Deleting":
        return not_applicable("the space is going")
    access = space.remote_access
    return expect(
        access != "ENABLED",
        "editors on other machines connect to it",
        RemoteAccess=access,
        SpaceName=space.space_name,
        OwnerUserProfileName=space.owner_user_profile_name,
    )
