"""Whether what serves production comes from the model registry, and was approved there."""

from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.inference_components import InferenceComponent
from collectors.sagemaker.model_packages import Identity, ModelPackage
from collectors.sagemaker.models import ContainerDefinition, Model
from collectors.sample import Sample, sample
from evaluators.controls import lens, prowler
from evaluators.deployments import models_behind, packages_by_artifact
from evaluators.rule import Change, Scope, Severity, Verdict, failed, given, not_applicable, passed, rule

_DATA = "s3://artifacts/scorer/7/model.tar.gz"
_PACKAGE = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/scorer/3"
_FOREIGN = "arn:aws:sagemaker:eu-west-1:999999999999:model-package/scorer/3"
_HUB = "arn:aws:sagemaker:eu-west-1:aws:hub-content/SageMakerPublicHub/Model/llama/1"
_PROD = {"Environment": "prod"}
_CONFIG = sample(
    EndpointConfig, "scorer-1", production_variants=[{"variant_name": "blue", "model_name": "scorer"}]
)
_COMPONENTS = (
    sample(EndpointConfig, "scorer-1", production_variants=[{"variant_name": "blue"}]),
    sample(InferenceComponent, "scorer-copy", endpoint_name="example", model_name="scorer"),
)


def _endpoint(status: str = "InService", tags: dict[str, str] | None = None) -> Sample:
    return sample(
        Endpoint,
        endpoint_config_name="scorer-1",
        endpoint_status=status,
        tags=_PROD if tags is None else tags,
    )


def _model(**container: str) -> Sample:
    return sample(Model, "scorer", primary_container=container)


def _version(status: str | None = "Approved", **container: str) -> Sample:
    return sample(
        ModelPackage, "scorer/3", arn=_PACKAGE, model_approval_status=status, containers=[container]
    )


@rule(
    "OPS-005",
    Severity.MEDIUM,
    scope=Scope.PRODUCTION,
    bad=[
        given(_endpoint(), _CONFIG, _model(model_data_url=_DATA)),
        given(_endpoint(), _CONFIG, _model(s3_uri="s3://artifacts/other/"), _version(model_data_url=_DATA)),
        given(_endpoint(), *_COMPONENTS, _model(model_data_url=_DATA)),
        # Untagged counts as production, one severity lower.
        given(_endpoint(tags={}), _CONFIG, _model(image="code-only")),
    ],
    good=[
        given(_endpoint(), _CONFIG, _model(model_package_name=_PACKAGE), _version()),
        given(_endpoint(), _CONFIG, _model(model_package_name=_FOREIGN)),
        given(_endpoint(), _CONFIG, _model(model_data_url=_DATA), _version(model_data_url=_DATA)),
        given(
            _endpoint(),
            _CONFIG,
            sample(Model, "scorer", containers=[{"image": "code-only"}, {"model_package_name": _PACKAGE}]),
            _version(),
        ),
        given(_endpoint(), *_COMPONENTS, _model(model_package_name=_PACKAGE), _version()),
    ],
    exempt=[
        given(_endpoint("Creating"), _CONFIG, _model(model_data_url=_DATA)),
        given(_endpoint(tags={"Stage": "dev"}), _CONFIG, _model(model_data_url=_DATA)),
        given(_endpoint(), _CONFIG, _model(hub_content_arn=_HUB, s3_uri="s3://private/llama/")),
        given(
            _endpoint(), _CONFIG, _model(model_data_url="s3://jumpstart-cache-prod-eu-west-1/infer/x.tar.gz")
        ),
        given(_endpoint(), _CONFIG, _model(model_package_name=_PACKAGE), _version(product_id="prod-abc")),
        # A multi-model endpoint points at a prefix, not at one artifact.
        given(_endpoint(), _CONFIG, _model(model_data_url="s3://artifacts/many", mode="MultiModel")),
        given(
            _endpoint(), sample(EndpointConfig, "scorer-1", production_variants=[{"variant_name": "blue"}])
        ),
    ],
    remedy="Register the model in a model package group and deploy it again from the version's ARN.",
    command="aws sagemaker create-model-package --model-package-group-name GROUP"
    " --model-approval-status PendingManualApproval",
    change=Change.IN_PLACE,
    maps=[lens("MLOPS03-BP02"), lens("MLREL05-BP02")],
)
def unregistered_model_deployed(endpoint: Endpoint) -> Verdict:
    """Every model behind a production endpoint should come from the registry.

    An unregistered model has no approval, no metrics and no version history. A model counts as
    registered when a container names a package, or a registered version has the same artifact.
    Models of JumpStart and the Marketplace and multi-model prefixes are not judged.
    """
    if endpoint.endpoint_status != "InService":
        return not_applicable("the endpoint is not in service")
    judged = [model for model in models_behind(endpoint) if not _is_bought_or_prefix(model)]
    if not judged:
        return not_applicable("it serves no model that could be registered")
    unregistered = [model for model in judged if not _is_registered(model)]
    if not unregistered:
        return passed(models=len(judged))
    return failed(
        "it serves models that no registered version stands for",
        ModelDataUrl=[c.artifact_uri for model in unregistered for c in model.all_containers][:10],
        ModelPackageName=None,
        models=[model.name for model in unregistered][:10],
    )


def _is_bought_or_prefix(model: Model) -> bool:
    """JumpStart, Marketplace or multi-model."""
    return any(_is_bought(c) or c.mode == "MultiModel" for c in model.all_containers)


def _is_bought(container: ContainerDefinition) -> bool:
    if container.hub_content_arn or (container.artifact_uri or "").startswith("s3://jumpstart-"):
        return True
    if not container.model_package_name or container.package_is_foreign:
        return False
    package = container.model_package
    return package is not None and any(c.product_id for c in package.containers)


def _is_registered(model: Model) -> bool:
    if any(container.model_package_name for container in model.all_containers):
        return True
    return bool(_versions_of_artifacts(model))


def _versions_of_artifacts(model: Model) -> list[ModelPackage]:
    """The registered versions with an artifact of the model."""
    by_artifact = packages_by_artifact(model.region)
    return [package for c in model.all_containers for package in by_artifact.get(c.artifact_uri or "", ())]


@rule(
    "OPS-015",
    Severity.HIGH,
    scope=Scope.PRODUCTION,
    bad=[
        given(_endpoint(), _CONFIG, _model(model_package_name=_PACKAGE), _version("PendingManualApproval")),
        given(_endpoint(), _CONFIG, _model(model_package_name=_PACKAGE), _version("Rejected")),
        given(_endpoint(), *_COMPONENTS, _model(model_package_name=_PACKAGE), _version("Rejected")),
        given(_endpoint(), _CONFIG, _model(model_data_url=_DATA), _version("Rejected", model_data_url=_DATA)),
        given(_endpoint("Updating"), _CONFIG, _model(model_package_name=_PACKAGE), _version("Rejected")),
    ],
    good=[
        given(_endpoint(), _CONFIG, _model(model_package_name=_PACKAGE), _version()),
        given(_endpoint(), _CONFIG, _model(model_data_url=_DATA), _version(model_data_url=_DATA)),
        # Registered twice, approved once.
        given(
            _endpoint(),
            _CONFIG,
            _model(model_data_url=_DATA),
            _version(model_data_url=_DATA),
            sample(
                ModelPackage,
                "scorer/2",
                model_approval_status="Rejected",
                containers=[{"model_data_url": _DATA}],
            ),
        ),
        # A CI role registers and approves: a note, no finding.
        given(
            _endpoint(),
            _CONFIG,
            _model(model_package_name=_PACKAGE),
            sample(
                ModelPackage,
                "scorer/3",
                arn=_PACKAGE,
                model_approval_status="Approved",
                created_by={"arn": "arn:aws:sts::123456789012:assumed-role/ci/run"},
                last_modified_by={"arn": "arn:aws:sts::123456789012:assumed-role/ci/run"},
            ),
        ),
    ],
    exempt=[
        given(_endpoint(), _CONFIG, _model(model_data_url=_DATA)),
        given(
            _endpoint(tags={"Env": "staging"}),
            _CONFIG,
            _model(model_package_name=_PACKAGE),
            _version("Rejected"),
        ),
        given(_endpoint("Failed"), _CONFIG, _model(model_package_name=_PACKAGE), _version("Rejected")),
        # An unversioned package has no approval.
        given(_endpoint(), _CONFIG, _model(model_package_name=_PACKAGE), _version(None)),
    ],
    remedy="Approve the version after a review, or go back to an approved one;"
    " restrict who may set ModelApprovalStatus by IAM.",
    command="aws sagemaker update-model-package --model-package-arn ARN --model-approval-status Approved"
    " --approval-description TEXT",
    change=Change.IN_PLACE,
    maps=[
        prowler("sagemaker_models_registry_in_use"),
        lens("MLREL03-BP03"),
        lens("MLOPS04-BP01"),
    ],
)
def unapproved_model_deployed(endpoint: Endpoint) -> Verdict:
    """Only approved model versions should serve production traffic.

    A pending or rejected version in production means that the quality gate was passed by. The
    version of a model is the package that it names, else any with the same artifact. Packages of
    other accounts cannot be read here: their approval is unknown.
    """
    if endpoint.endpoint_status in ("Creating", "Deleting", "Failed", "OutOfService"):
        return not_applicable("the endpoint serves no traffic")
    versions = [version for model in models_behind(endpoint) for version in _judged_versions(model)]
    if not versions:
        return not_applicable("none of its models comes from the registry with an approval")
    bad = [version for version in versions if version.model_approval_status != "Approved"]
    if bad:
        return failed(
            "it serves versions that were not approved",
            ModelApprovalStatus=[version.model_approval_status for version in bad][:10],
            packages=[version.name for version in bad][:10],
        )
    alone = [v.name for v in versions if (made := _who(v.created_by)) and made == _who(v.last_modified_by)]
    return passed("approved by who registered them" if alone else "", packages=len(versions))


def _judged_versions(model: Model) -> list[ModelPackage]:
    """The versions that stand for a model: each has an approval status."""
    named = [p for c in model.all_containers if (p := c.model_package) and p.model_approval_status]
    if named:
        return named
    alike = [p for p in _versions_of_artifacts(model) if p.model_approval_status]
    return [p for p in alike if p.model_approval_status == "Approved"] or alike


def _who(identity: Identity | None) -> str | None:
    return identity.arn if identity else None
