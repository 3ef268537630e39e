"""Model Monitor's jobs: isolation, and encryption between instances."""

from typing import Any

from collectors.model import Reason, Unread
from collectors.sagemaker.monitoring_definitions import (
    BiasDefinition,
    DataQualityDefinition,
    Definition,
    ExplainabilityDefinition,
    ModelQualityDefinition,
)
from collectors.sagemaker.monitoring_schedules import MonitoringSchedule
from collectors.sample import Sample, sample
from collectors.view import View
from evaluators.controls import config_rule, lens, security_hub
from evaluators.drift import used_definitions
from evaluators.rule import Change, Given, Severity, Verdict, failed, given, not_applicable, passed, rule

_KINDS: tuple[tuple[type[View], str], ...] = (
    (DataQualityDefinition, "DataQuality"),
    (ModelQualityDefinition, "ModelQuality"),
    (BiasDefinition, "ModelBias"),
    (ExplainabilityDefinition, "ModelExplainability"),
)


def _used(view: type[View], kind: str, **values: Any) -> Given:
    """A definition, and the schedule that runs it."""
    schedule = sample(
        MonitoringSchedule, "runs-it", monitoring_type=kind, monitoring_job_definition_name="watch"
    )
    return given(sample(view, "watch", **{"cluster_config": {"instance_count": 2}, **values}), schedule)


def _each(*values: dict[str, Any]) -> list[Given]:
    return [_used(view, kind, **each) for view, kind in _KINDS for each in values]


def _inline(**values: Any) -> Sample:
    """An old schedule, which says itself what it runs."""
    return sample(MonitoringSchedule, "inline", **{"cluster_config": {"instance_count": 2}, **values})


_NAMED = sample(MonitoringSchedule, "named", monitoring_job_definition_name="watch")
_ORPHANS = [sample(view, "orphan") for view, _ in _KINDS]


def _not_judged(found: Definition | MonitoringSchedule) -> str:
    """Why a definition or a schedule is not judged; nothing where its own settings count. Raises `Unread`."""
    if isinstance(found, MonitoringSchedule):
        return "its definition is judged" if found.monitoring_job_definition_name else ""
    used = (type(found).kind, found.name) in used_definitions(found.region)
    return "" if used else "no schedule runs this definition: it can be deleted"


def _is_clarify(found: Definition | MonitoringSchedule) -> bool:
    if isinstance(found, MonitoringSchedule):
        return found.watches in ("ModelBias", "ModelExplainability")
    return isinstance(found, BiasDefinition | ExplainabilityDefinition)


@rule(
    "SEC-024",
    Severity.MEDIUM,
    bad=[
        _used(DataQualityDefinition, "DataQuality"),
        _used(ModelQualityDefinition, "ModelQuality", network_config={"enable_network_isolation": False}),
        _inline(),
        _inline(network_config={}),
        given(
            _used(BiasDefinition, "ModelBias").subject,
            sample(
                MonitoringSchedule, "m", monitoring_type="ModelBias", monitoring_job_definition_name="watch"
            ),
            strict_clarify=True,
        ),
        given(
            _used(ExplainabilityDefinition, "ModelExplainability").subject,
            sample(
                MonitoringSchedule,
                "m",
                monitoring_type="ModelExplainability",
                monitoring_job_definition_name="watch",
            ),
            strict_clarify=True,
        ),
    ],
    good=[
        *_each({"network_config": {"enable_network_isolation": True}}),
        _inline(network_config={"enable_network_isolation": True}),
    ],
    exempt=[
        *_ORPHANS,
        # Its network stands in the definition that it names.
        _NAMED,
        _used(BiasDefinition, "ModelBias"),
        _used(ExplainabilityDefinition, "ModelExplainability"),
        _inline(monitoring_type="ModelBias"),
    ],
    remedy="Create a new definition with NetworkConfig.EnableNetworkIsolation and let the schedule run that one.",
    change=Change.RECREATE,
    maps=[
        *(security_hub(f"SageMaker.{number}") for number in (11, 12, 14, 20, 25)),
        config_rule("sagemaker-data-quality-job-isolation"),
        config_rule("sagemaker-model-bias-job-isolation"),
        config_rule("sagemaker-monitoring-schedule-isolation"),
        config_rule("sagemaker-model-explainability-job-network-isolation"),
        config_rule("sagemaker-model-quality-job-definition-isolation"),
        lens("MLSEC03-BP02"),
    ],
)
def monitor_without_isolation(
    found: DataQualityDefinition
    | ModelQualityDefinition
    | BiasDefinition
    | ExplainabilityDefinition
    | MonitoringSchedule,
    *,
    strict_clarify: bool = False,
) -> Verdict:
    """Monitoring jobs should run isolated from every network.

    They read captured requests, which is what customers sent. Schedules that name a definition carry no
    network of their own: the definition is judged, and an old schedule with its own settings itself.
    Clarify's jobs (bias, explainability) call a shadow endpoint, which isolation cuts off, though Security
    Hub asks for it: set `strict_clarify` to ask for it too.
    """
    why = _not_judged(found)
    if why:
        return not_applicable(why)
    network = found.network_config
    isolated = network is not None and network.enable_network_isolation is True
    if isolated:
        return passed(EnableNetworkIsolation=True)
    if _is_clarify(found) and not strict_clarify:
        return not_applicable("Clarify's jobs call a shadow endpoint, which isolation would cut off")
    return failed(
        "its containers can call out"
        + ("; isolated, Clarify's would not reach their shadow endpoint" if _is_clarify(found) else ""),
        EnableNetworkIsolation=network.enable_network_isolation if network is not None else None,
    )


def _strict(view: type[View], kind: str) -> Given:
    """A definition on one instance, judged as Security Hub does."""
    used = _used(view, kind, cluster_config={"instance_count": 1})
    return given(used.subject, *used.others, strict_single_instance=True)


_CLEAR: dict[str, Any] = {"network_config": {"enable_inter_container_traffic_encryption": False}}


@rule(
    "SEC-025",
    Severity.MEDIUM,
    bad=[
        *_each({}, _CLEAR),
        _inline(),
        _inline(**_CLEAR),
        given(_inline(cluster_config={"instance_count": 1}), strict_single_instance=True),
        _strict(DataQualityDefinition, "DataQuality"),
        _strict(ModelQualityDefinition, "ModelQuality"),
        _strict(ExplainabilityDefinition, "ModelExplainability"),
    ],
    good=[
        *_each(
            {"network_config": {"enable_inter_container_traffic_encryption": True}},
            {"cluster_config": {"instance_count": 1}},
        ),
        _inline(network_config={"enable_inter_container_traffic_encryption": True}),
        _inline(cluster_config={"instance_count": 1}),
        # Of bias definitions Security Hub asks it on several instances only.
        _strict(BiasDefinition, "ModelBias"),
    ],
    exempt=[*_ORPHANS, _NAMED],
    remedy="Create a new definition with NetworkConfig.EnableInterContainerTrafficEncryption, or on one instance.",
    change=Change.RECREATE,
    maps=[
        *(security_hub(f"SageMaker.{number}") for number in (9, 10, 13, 15, 22)),
        config_rule("sagemaker-data-quality-job-encrypt-in-transit"),
        config_rule("sagemaker-model-explainability-job-encrypt-in-transit"),
        config_rule("sagemaker-model-quality-job-encrypt-in-transit"),
        config_rule("sagemaker-model-bias-job-encrypt-in-transit"),
        config_rule("sagemaker-monitoring-schedule-traffic-encryption"),
        lens("MLSEC04-BP02"),
    ],
)
def monitor_talks_in_clear(
    found: DataQualityDefinition
    | ModelQualityDefinition
    | BiasDefinition
    | ExplainabilityDefinition
    | MonitoringSchedule,
    *,
    strict_single_instance: bool = False,
) -> Verdict:
    """Monitoring jobs on several instances should encrypt what they send each other.

    One instance talks to nobody, so it passes; Security Hub asks for encryption there too, except for
    bias definitions: set `strict_single_instance` to do the same.
    """
    why = _not_judged(found)
    if why:
        return not_applicable(why)
    network = found.network_config
    encrypted = network is not None and network.enable_inter_container_traffic_encryption is True
    if encrypted:
        return passed(EnableInterContainerTrafficEncryption=True)
    cluster = found.cluster_config
    if cluster is None:
        raise Unread(found.gap("sagemaker:DescribeMonitoringSchedule", Reason.MISSING, "its cluster"))
    if cluster.instance_count == 1 and (not strict_single_instance or isinstance(found, BiasDefinition)):
        return passed("one instance talks to nobody", InstanceCount=1)
    return failed(
        "its instances talk in clear",
        EnableInterContainerTrafficEncryption=(
            network.enable_inter_container_traffic_encryption if network is not None else None
        ),
        InstanceCount=cluster.instance_count,
    )
