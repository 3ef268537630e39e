"""Whether models are registered, and whether their versions say where they come from and how good they are."""

import json
from typing import Any

from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.mlflow import MlflowTrackingServer
from collectors.sagemaker.model_packages import ModelPackage, ModelPackageGroup
from collectors.sagemaker.models import Model
from collectors.sample import Sample, sample
from collectors.view import Region
from evaluators.controls import lens, prowler
from evaluators.deployments import deployments
from evaluators.rule import (
    Change,
    Given,
    Severity,
    Verdict,
    failed,
    given,
    not_applicable,
    passed,
    rule,
)
from evaluators.tags import is_set
from evaluators.versions import (
    deployed_versions,
    group_in,
    is_bought,
    is_in_use,
    version_arns,
    versions_by_group,
)

_ARN = "arn:aws:sagemaker:eu-west-1:123456789012:model-package"
_CENTRAL = "arn:aws:sagemaker:eu-west-1:999988887777:model-package/churn/3"
_PRODUCT = "arn:aws:sagemaker:eu-west-1:865070037744:model-package/vendor-model-1"


def _version(number: int = 3, status: str = "Approved", group: str = "churn", **values: Any) -> Sample:
    return sample(
        ModelPackage,
        f"{group}/{number}",
        arn=f"{_ARN}/{group}/{number}",
        **{
            "model_package_group_name": group,
            "model_package_version": number,
            "model_approval_status": status,
            "model_package_status": "Completed",
            **values,
        },
    )


def _serving(version: str) -> tuple[Sample, Sample, Sample]:
    """An endpoint that serves a version."""
    variants = [{"variant_name": "a", "model_name": "churn"}]
    return (
        sample(Endpoint, "churn", endpoint_config_name="churn"),
        sample(EndpointConfig, "churn", production_variants=variants),
        sample(Model, "churn", primary_container={"model_package_name": version}),
    )


def _models(count: int) -> list[Sample]:
    return [sample(Model, f"m{number}", primary_container={"image": "i"}) for number in range(count)]


def _mlflow(registers: bool) -> Sample:
    return sample(MlflowTrackingServer, "runs", automatic_model_registration=registers)


@rule(
    "OPS-004",
    Severity.MEDIUM,
    bad=[
        given(*_models(3)),
        given(sample(Endpoint)),
        # An unversioned package, as from Marketplace, has no group.
        given(sample(Endpoint), sample(ModelPackage, "vendor")),
        given(*_serving(_PRODUCT)),
        given(sample(Endpoint), _mlflow(registers=False)),
        given(sample(Endpoint), _mlflow(registers=True), accept_mlflow=False),
    ],
    good=[
        given(sample(Endpoint), _version()),
        given(*_serving(_CENTRAL)),
        given(sample(Endpoint), _mlflow(registers=True)),
    ],
    exempt=[given(*_models(2)), given(sample(Endpoint, endpoint_status="Failed"))],
    remedy="Make a model package group for each model, and register every version from the pipeline that trains it.",
    command="aws sagemaker create-model-package-group --model-package-group-name GROUP",
    change=Change.IN_PLACE,
    maps=[
        prowler("sagemaker_models_registry_in_use"),
        lens("MLOPS03-BP02"),
        lens("MLREL05-BP02"),
    ],
)
def unversioned_models(region: Region, *, min_models: int = 3, accept_mlflow: bool = True) -> Verdict:
    """Models should be registered as versions.

    Without a registry there are no versions, no approvals and nothing to roll back to. A registry in
    another account counts where a deployed model names a version there, and so does an MLflow server
    that registers models by itself. Packages without a group are no versions.
    """
    serving = [e.name for e in region.all(Endpoint) if e.endpoint_status == "InService"]
    models = sum(1 for _ in region.all(Model))
    if not serving and models < min_models:
        return not_applicable("there is no endpoint in service and hardly a model", models=models)
    for package in region.known(ModelPackage):
        if package.model_package_group_name is not None:
            return passed(ModelPackageGroupName=package.model_package_group_name)
    for _ in region.all(ModelPackage):
        break
    deployed = deployments(region)
    for model in region.all(Model):
        for container in model.all_containers if model.name in deployed else ():
            if container.package_is_foreign and group_in(container.model_package_name or ""):
                return passed("the registry is elsewhere", ModelPackageName=container.model_package_name)
    if accept_mlflow:
        for server in region.all(MlflowTrackingServer):
            if server.automatic_model_registration:
                return passed("MLflow registers models", AutomaticModelRegistration=True)
    return failed(
        "no model here is registered as a version",
        ModelPackageGroupName=None,
        endpoints=serving[:10],
        models=models,
    )


@rule(
    "OPS-006",
    Severity.LOW,
    confidence=0.7,
    bad=[
        given(_version()),
        given(_version(customer_metadata_properties={"owner": "churn"})),
        given(_version(3, "Rejected"), *_serving(f"{_ARN}/churn/3")),
    ],
    good=[
        given(_version(metadata_properties={"commit_id": "4f1c2d9"})),
        given(_version(metadata_properties={"repository": "https://git.example.com/churn"})),
        given(_version(customer_metadata_properties={"Git_SHA": "4f1c2d9"})),
        given(_version(customer_metadata_properties={"revision": "12"}), commit_keys=("revision",)),
        # The execution that made it leads to a pipeline's definition: weaker, but something.
        given(_version(metadata_properties={"generated_by": "arn:aws:sagemaker:eu-west-1:1:pipeline/p"})),
    ],
    exempt=[
        given(_version(3, "Rejected")),
        # Of each group the newest approved version counts.
        given(_version(2), _version(3)),
        given(_version(model_package_status="Failed")),
        given(sample(ModelPackage, "vendor", model_approval_status="Approved")),
        given(_version(containers=[{"product_id": "prod-abc"}])),
    ],
    remedy="Pass MetadataProperties when a version is registered; afterwards only customer metadata can be added.",
    command="aws sagemaker update-model-package --model-package-arn {arn} --customer-metadata-properties commit=SHA",
    change=Change.IN_PLACE,
    maps=[lens("MLOPS03-BP02"), lens("MLSEC03-BP04")],
)
def unknown_code_version(
    package: ModelPackage, *, commit_keys: tuple[str, ...] = ("commit", "commit_id", "git_sha")
) -> Verdict:
    """Registered models should record the commit of the code that made them.

    Without it nobody can build the model again. The newest approved version of a group counts, and
    each version that serves: a commit or a repository, or one of `commit_keys` among its own metadata.
    What is written down elsewhere is not seen.
    """
    if package.model_package_group_name is None or is_bought(package):
        return not_applicable("it is no version of a model of your own")
    if package.model_package_status != "Completed":
        return not_applicable(
            "its registration is not complete", ModelPackageStatus=package.model_package_status
        )
    if not is_in_use(package):
        return not_applicable("it neither serves nor is it the newest approved version")
    origin = package.metadata_properties
    if origin is not None and (origin.commit_id or origin.repository):
        return passed(CommitId=origin.commit_id, Repository=origin.repository)
    own = package.customer_metadata_properties or {}
    wanted = {key.lower() for key in commit_keys}
    named = next((key for key, value in own.items() if key.lower() in wanted and value.strip()), None)
    if named is not None:
        return passed(CustomerMetadataProperties={named: own[named]})
    if origin is not None and origin.generated_by:
        return passed("only the execution that made it is known", GeneratedBy=origin.generated_by)
    return failed("nothing tells which code made it", CommitId=None, Repository=None)


def _group(*others: Sample, tags: dict[str, str] | None = None, **thresholds: Any) -> Given:
    return given(
        sample(ModelPackageGroup, "churn", tags=tags), *_serving(f"{_ARN}/churn/3"), *others, **thresholds
    )


@rule(
    "OPS-007",
    Severity.LOW,
    bad=[
        _group(_version(2, "Rejected"), _version(3)),
        _group(_version(2, "PendingManualApproval"), _version(3, "PendingManualApproval")),
        _group(_version(2, "Rejected"), _version(3), tags={"rollback-opt-out": "no"}),
        # Another model of the version that serves is no way back.
        _group(
            _version(2, "Rejected"),
            _version(3),
            sample(Model, "churn-again", primary_container={"model_package_name": f"{_ARN}/churn/3"}),
        ),
    ],
    good=[
        _group(_version(2), _version(3)),
        _group(_version(1, "Rejected"), _version(2), _version(3)),
        # A model of the earlier version is still there to go back to.
        _group(
            _version(2, "Rejected"),
            _version(3),
            sample(Model, "churn-before", primary_container={"model_package_name": f"{_ARN}/churn/2"}),
        ),
    ],
    exempt=[
        _group(_version(3)),
        given(sample(ModelPackageGroup, "churn"), _version(2, "Rejected"), _version(3)),
        # Some teams reject what is old on purpose.
        _group(_version(2, "Rejected"), _version(3), tags={"rollback-opt-out": "true"}),
    ],
    remedy="Keep the version before the current one approved until the new one has proven itself.",
    command="aws sagemaker update-model-package --model-package-arn PREVIOUS_ARN --model-approval-status Approved",
    change=Change.IN_PLACE,
    maps=[lens("MLREL05-BP02")],
)
def lone_approved_version(group: ModelPackageGroup, *, opt_out_tag: str = "rollback-opt-out") -> Verdict:
    """A deployed model's group should keep an earlier approved version to roll back to.

    When the new version disappoints, the old one has to be there and to be allowed. A group with its
    first version only has none yet. A model made from another version counts too, since an endpoint
    can go back to it as it did before. The tag `rollback-opt-out` says that none is wanted. Whether the
    newest one's artifact still exists REL-009 tells; older ones' are not looked for.
    """
    deployed = {found.lower() for arn in deployed_versions(group.region) if (found := group_in(arn))}
    if group.name.lower() not in deployed:
        return not_applicable("no version of it is deployed")
    arns = versions_by_group(group.region).get(group.name, ())
    if len(arns) < 2:
        return not_applicable("its first version has none before it", versions=len(arns))
    packages = [package for arn in arns if (package := group.region.find(ModelPackage, arn))]
    statuses = {package.name: package.model_approval_status for package in packages}
    approved = [name for name, status in statuses.items() if status == "Approved"]
    if len(approved) >= 2:
        return passed(approved=len(approved), versions=len(arns))
    if is_set(group.tags, opt_out_tag):
        return not_applicable(f"its tag {opt_out_tag} says that none is wanted")
    kept = _models_of_other_versions(group)
    if kept:
        return passed("a model of another version is still there", models=kept[:5])
    return failed(
        f"approved are {len(approved)} of its {len(arns)} versions",
        ModelApprovalStatus=dict(list(statuses.items())[:10]),
    )


def _models_of_other_versions(group: ModelPackageGroup) -> list[str]:
    """The models that were made from a version of the group that does not serve. Raises `Unread`."""
    serving = deployed_versions(group.region)
    return sorted(
        model.name
        for model in group.region.all(Model)
        if any((group_in(arn) or "").lower() == group.name.lower() for arn in version_arns(model) - serving)
    )


_QUALITY = {"s3_uri": "s3://churn/quality.json"}


def _card(**content: Any) -> dict[str, str]:
    return {"model_card_status": "Draft", "model_card_content": json.dumps(content)}


@rule(
    "OPS-017",
    Severity.MEDIUM,
    bad=[
        given(_version()),
        given(_version(3, "PendingManualApproval"), *_serving(f"{_ARN}/churn/3")),
        given(_version(model_card=_card(evaluation_details=[]))),
        given(_version(model_card={"model_card_status": "Draft", "model_card_content": "not JSON"})),
    ],
    good=[
        given(_version(model_metrics=_QUALITY)),
        given(_version(model_metrics={"bias": {"Report": {"S3Uri": "s3://churn/bias.json"}}})),
        given(_version(model_card=_card(evaluation_details=[{"name": "holdout"}]))),
    ],
    exempt=[
        given(_version(3, "PendingManualApproval")),
        given(_version(2), _version(3)),
        given(_version(containers=[{"hub_content_name": "llama"}])),
        given(_version(containers=[{"product_id": "prod-abc"}])),
    ],
    remedy="Attach ModelMetrics when a version is registered, and let the pipeline hold them against a threshold.",
    change=Change.NEXT_RUN,
    maps=[lens("MLPERF02-BP01"), lens("MLPERF04-BP03")],
)
def unmeasured_model_version(package: ModelPackage) -> Verdict:
    """Registered models should carry the metrics that they were approved by.

    Who approves without them approves blindly. The newest approved version of a group counts, and each
    that serves. Reports on data, bias or explanations alone, or an evaluation in its model card, pass
    with a note. Metrics that MLflow alone has are not seen.
    """
    if is_bought(package):
        return not_applicable("a Marketplace product, or a model of a hub")
    if not is_in_use(package):
        return not_applicable("it neither serves nor is it the newest approved version")
    metrics = package.model_metrics
    if metrics is not None and metrics.s3_uri:
        return passed(S3Uri=metrics.s3_uri)
    others = metrics.other_reports if metrics is not None else ()
    if others:
        return passed("without a report on its answers", reports=list(others))
    card = package.model_card
    evaluated = _is_evaluated(card.model_card_content if card is not None else None)
    if evaluated:
        return passed("its model card alone has an evaluation", ModelCardContent="evaluation_details")
    return failed("it was registered without metrics", S3Uri=None)


def _is_evaluated(content: str | None) -> bool:
    """Whether a model card's content has an evaluation; one that is no JSON has none that anybody can read."""
    try:
        card = json.loads(content or "{}")
    except ValueError:
        return False
    return isinstance(card, dict) and bool(card.get("evaluation_details"))
