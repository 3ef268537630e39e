"""Endpoint configs and models that nothing uses any more."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.inference_components import InferenceComponent
from collectors.sagemaker.job_families import family_name
from collectors.sagemaker.model_packages import ModelPackage
from collectors.sagemaker.models import Model
from collectors.sagemaker.serving import variant_deployments
from collectors.sagemaker.transform_jobs import TransformJob
from collectors.sample import NOW, Sample, sample
from collectors.view import Region, moment
from evaluators.controls import lens
from evaluators.deployments import deployments, require_config
from evaluators.rule import Change, Severity, Verdict, failed, given, passed, rule

_OLD = moment("2026-03-01T06:00:00+00:00")
_DATA = "s3://artifacts/scorer/7/model.tar.gz"
_VARIANT = [{"variant_name": "blue", "model_name": "old-model"}]
_MODEL = sample(Model, "old-model", creation_time=_OLD)
_CONFIG = sample(EndpointConfig, "old-config", creation_time=_OLD, production_variants=_VARIANT)
_YOUNG = sample(EndpointConfig, "young-config", creation_time=NOW, production_variants=_VARIANT)
_ENDPOINT = sample(Endpoint, "scorer", endpoint_config_name="old-config")


def _one_of(view: type[Model] | type[EndpointConfig], numbers: Iterable[int]) -> list[Sample]:
    """Versions of a family; each config serves the model of its own name."""
    found = []
    for number in numbers:
        name, made = f"scorer-2026-01-{number:02}", _OLD.replace(day=number)
        serves: dict[str, Any] = (
            {"production_variants": [{"model_name": name}]} if view is EndpointConfig else {}
        )
        found.append(sample(view, name, creation_time=made, **serves))
    return found


@rule(
    "COST-008",
    Severity.INFO,
    bad=[
        given(_MODEL),
        given(_CONFIG, _MODEL),
        # Nothing of the family is in use: there is nothing to roll back.
        given(*_one_of(Model, range(1, 3))),
        # The newest three stay for a rollback, the others are too many.
        given(
            *_one_of(EndpointConfig, range(1, 6)),
            sample(Endpoint, "scorer", endpoint_config_name="scorer-2026-01-05"),
        ),
        given(
            sample(Model, "old-model", creation_time=_OLD, primary_container={"model_data_url": _DATA}),
            sample(
                ModelPackage,
                "scorer/1",
                model_approval_status="Rejected",
                containers=[{"model_data_url": _DATA}],
            ),
        ),
    ],
    good=[
        given(sample(Model, "new-model", creation_time=NOW)),
        given(_CONFIG, _MODEL, _ENDPOINT),
        given(_YOUNG),
        given(
            _MODEL,
            sample(EndpointConfig, "new-config", creation_time=NOW),
            sample(Endpoint, "scorer", endpoint_config_name="new-config"),
            sample(InferenceComponent, "copy", endpoint_name="scorer", model_name="old-model"),
        ),
        given(_MODEL, sample(TransformJob, "nightly", model_name="old-model")),
        given(
            sample(Model, "old-model", creation_time=_OLD, primary_container={"model_data_url": _DATA}),
            sample(
                ModelPackage,
                "scorer/1",
                model_approval_status="Approved",
                containers=[{"model_data_url": _DATA}],
            ),
        ),
        given(
            *_one_of(EndpointConfig, range(3, 6)),
            sample(Endpoint, "scorer", endpoint_config_name="scorer-2026-01-05"),
        ),
        given(_MODEL, orphan_days=365),
        # An update or a rollback may be on its way to any of the family.
        given(
            *_one_of(EndpointConfig, range(1, 6)),
            *_one_of(Model, range(1, 6)),
            sample(
                Endpoint,
                "scorer",
                endpoint_config_name="scorer-2026-01-05",
                endpoint_status="RollingBack",
            ),
        ),
    ],
    remedy="Delete them after checking that nothing outside this Region's listings needs them.",
    command="aws sagemaker delete-endpoint-config --endpoint-config-name NAME --region {region}",
    change=Change.IN_PLACE,
    maps=[lens("MLSUS04-BP03")],
)
def unused_configs_and_models(region: Region, *, orphan_days: float = 90, keep_last: int = 3) -> Verdict:
    """Endpoint configs and models that nothing uses should be cleaned up.

    They cost nothing themselves, but keep artifacts and confuse audits. A config is in use when an
    endpoint runs it or is about to; a model when such a config, a component, a transform job of the
    look-back window or an approved version refers to it. What an unused config refers to is not
    read, and of transform jobs the newest of each family is. The newest `keep_last` of a family stay
    for a rollback while another of it is in use, and all of it while its endpoint is changing.
    """
    limit = region.ago(orphan_days)
    changing = [endpoint for endpoint in region.all(Endpoint) if endpoint.endpoint_status in _CHANGING]
    configs = {config.name: config.creation_time for config in region.all(EndpointConfig)}
    old_configs = _unused(
        _outside(configs, [endpoint.endpoint_config_name or "" for endpoint in changing]),
        set(filter(None, _configs_in_use(region))),
        limit,
        keep_last,
    )
    models = {model.name: model.creation_time for model in region.all(Model)}
    old_models = _unused(
        _outside(models, [name for endpoint in changing for name, _ in variant_deployments(endpoint)]),
        set(filter(None, _models_in_use(region))),
        limit,
        keep_last,
    )
    if not old_configs and not old_models:
        return passed(endpoint_configs=len(configs), models=len(models))
    oldest = min([*(configs[name] for name in old_configs), *(models[name] for name in old_models)])
    return failed(
        "endpoint configs and models lie about that nothing uses",
        CreationTime=oldest,
        unused_endpoint_configs=len(old_configs),
        unused_models=len(old_models),
        endpoint_configs=old_configs[:10],
        models=old_models[:10],
    )


def _unused(
    created: Mapping[str, datetime], in_use: Collection[str], limit: datetime, keep_last: int
) -> list[str]:
    """The names beyond what is in use, young, or kept for a rollback; oldest first."""
    families: dict[str, list[str]] = {}
    for name in sorted(created, key=lambda name: (created[name], name)):
        families.setdefault(family_name(name), []).append(name)
    kept = {
        name
        for members in families.values()
        if any(name in in_use for name in members)
        for name in members[len(members) - min(keep_last, len(members)) :]
    }
    return [
        name
        for name in sorted(created, key=lambda name: (created[name], name))
        if created[name] < limit and name not in in_use and name not in kept
    ]


_CHANGING = ("Updating", "SystemUpdating", "RollingBack")
"""While an endpoint changes, a second config is in use that neither Search nor the list names."""


def _outside(created: Mapping[str, datetime], names: Iterable[str]) -> dict[str, datetime]:
    """What is in the family of none of these names."""
    families = {family_name(name) for name in names}
    return {name: made for name, made in created.items() if family_name(name) not in families}


def _configs_in_use(region: Region) -> Iterator[str | None]:
    for endpoint in region.all(Endpoint):
        yield endpoint.endpoint_config_name


def _models_in_use(region: Region) -> Iterator[str | None]:
    for endpoint in region.all(Endpoint):
        require_config(endpoint)
    yield from deployments(region)
    for job in region.all(TransformJob):
        if job.is_described:
            yield job.model_name
    approved = [
        package for package in region.all(ModelPackage) if package.model_approval_status == "Approved"
    ]
    references = {name for package in approved for name in (package.id, package.name)}
    references.update(c.artifact_uri for package in approved for c in package.containers if c.artifact_uri)
    for model in region.all(Model):
        if any({c.model_package_name, c.artifact_uri} & references for c in model.all_containers):
            yield model.name
