"""Which schedules of Model Monitor watch an endpoint, and what can be watched at all."""

import re

from collectors.model import Unread
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.monitoring_definitions import (
    BiasDefinition,
    DataQualityDefinition,
    Definition,
    ExplainabilityDefinition,
    ModelQualityDefinition,
    definition_of,
)
from collectors.sagemaker.monitoring_schedules import Execution, LastExecution, MonitoringSchedule
from collectors.view import Region, index
from evaluators.deployments import models_behind
from evaluators.tags import said
from evaluators.traffic import configured, runs_components

_NO_DATA = re.compile(
    r"no (captured |input )?(data|rows|records|files)\b|no s3 objects|no objects? found"
    r"|not find any (data|files|objects)|encountered no|empty (dataset|data ?frame|input)",
    re.IGNORECASE,
)


def unmonitorable(endpoint: Endpoint) -> str:
    """Why Model Monitor cannot watch an endpoint; nothing where it can. Raises `Unread`."""
    if said(endpoint.tags, "data-capture") in ("exempt", "forbidden", "off", "no"):
        return "its tag says that nothing may be captured"
    if any(configured(variant).is_serverless for variant in endpoint.production_variants):
        return "serverless variants do not support data capture"
    if runs_components(endpoint):
        return "endpoints of inference components do not support Model Monitor"
    if any(c.mode == "MultiModel" for model in models_behind(endpoint) for c in model.all_containers):
        return "multi-model endpoints do not support Model Monitor"
    return ""


def schedules_of(endpoint: Endpoint, kind: str) -> list[MonitoringSchedule]:
    """The schedules of one type that watch an endpoint: by its name, or by the prefix that it captures to.

    Raises `Unread` where not all could be read and none is active.
    """
    found, gap = [], None
    for schedule in endpoint.region.all(MonitoringSchedule):
        try:
            if schedule.endpoint_name:
                watched = schedule.endpoint_name == endpoint.name
            else:
                watched = bool(captures_of(schedule) & _captured(endpoint))
            if watched and schedule.watches == kind:
                found.append(schedule)
        except Unread as unread:
            gap = gap or unread.gap
    if gap is not None and not any(schedule.is_active for schedule in found):
        raise Unread(gap)
    return found


def _captured(endpoint: Endpoint) -> frozenset[str]:
    """Where an endpoint's captured data lie: AWS appends its name to the address of the configuration."""
    capture = endpoint.data_capture_config
    if capture is None or not capture.destination_s3_uri:
        return frozenset()
    return frozenset({f"{capture.destination_s3_uri.rstrip('/')}/{endpoint.name}"})


def captures_of(schedule: MonitoringSchedule) -> frozenset[str]:
    """The addresses of captured data that a schedule reads in place of an endpoint's."""
    batches = [found.batch_transform_input for found in schedule.monitoring_inputs]
    if schedule.monitoring_job_definition_name:
        definition = definition_of(schedule)
        batches = [definition.batch_transform_input if definition is not None else None]
    uris = (batch.data_captured_destination_s3_uri or "" for batch in batches if batch is not None)
    return frozenset(uri.rstrip("/") for uri in uris) - {""}


def runs_by(schedule: MonitoringSchedule) -> MonitoringSchedule | Definition | None:
    """What says how a schedule's jobs run: itself, or the definition that it names; `None` where that is gone."""
    return definition_of(schedule) if schedule.monitoring_job_definition_name else schedule


def lacked_data(run: Execution | LastExecution) -> bool:
    """Whether a run failed because nothing had been captured: no traffic is no fault of the monitor."""
    return run.monitoring_execution_status == "Failed" and bool(_NO_DATA.search(run.failure_reason or ""))


_VIEWS: dict[str, str] = {
    "ModelQuality": ModelQualityDefinition.kind,
    "ModelBias": BiasDefinition.kind,
    "ModelExplainability": ExplainabilityDefinition.kind,
}


@index
def used_definitions(region: Region) -> frozenset[tuple[str, str]]:
    """Kind and name of every definition that a schedule runs. Raises `Unread`."""
    return frozenset(
        (_VIEWS.get(schedule.watches, DataQualityDefinition.kind), schedule.monitoring_job_definition_name)
        for schedule in region.all(MonitoringSchedule)
        if schedule.monitoring_job_definition_name
    )
