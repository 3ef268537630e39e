"""Endpoints, their variants with their metrics, and their last deployment."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Document, Gap, Operation, Reading, Reason, Resource, Unread
from collectors.sagemaker.endpoint_configs import DESCRIBE as DESCRIBE_CONFIG
from collectors.sagemaker.endpoint_configs import LIST as LIST_CONFIGS
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.search import Searchable, search_operation, searched
from collectors.view import PART, Part, View, items, metric, optional, part, required

if TYPE_CHECKING:
    from collectors.reader import Reader

_SCHEDULED = "MonitoringScheduleConfig.MonitoringJobDefinition"
SEARCH = search_operation(
    "Endpoint",
    # Search sends the schedules that watch an endpoint whole, with all that their containers are given.
    secrets=(
        f"MonitoringSchedules[].{_SCHEDULED}.Environment",
        f"MonitoringSchedules[].{_SCHEDULED}.MonitoringAppSpecification.ContainerArguments[]",
        f"MonitoringSchedules[].{_SCHEDULED}.MonitoringAppSpecification.ContainerEntrypoint[]",
    ),
)
MONITORED = search_operation("Endpoint", result="Endpoint.MonitoringSchedules[]")
"""The schedules inside the record of the endpoint that they watch: not asked for again."""

LIST = Operation("sagemaker", "ListEndpoints", result="Endpoints[]")
DESCRIBE = Operation("sagemaker", "DescribeEndpoint")
SOURCE = (SEARCH, DESCRIBE)

_CALLS = "AWS/SageMaker"
_HOSTS = "/aws/sagemaker/Endpoints"
_VARIANT = ("EndpointName", "VariantName")
_DAY = 86_400
FOUR_WEEKS = 28
"""How many days of an endpoint's own metrics are read."""

SETTLING = timedelta(hours=1)
"""How long after its creation an endpoint may still be changed by it."""


class DeployedImage(Part):
    """An image that a variant runs: as it was named, and by the digest that it stood for then."""

    specified_image = optional(PART, "SpecifiedImage", str)
    resolved_image = optional(PART, "ResolvedImage", str)


class Variant(Part):
    """A variant as it runs now. Its instance type is in the configuration only."""

    key_path = "VariantName"

    variant_name = required(PART, "VariantName", str, "main")
    current_instance_count = optional(PART, "CurrentInstanceCount", int)
    current_weight = optional(PART, "CurrentWeight", float)
    current_serverless_config = optional(PART, "CurrentServerlessConfig", dict)
    provisioned_concurrency = optional(PART, "CurrentServerlessConfig.ProvisionedConcurrency", int)
    memory_size_in_mb = optional(PART, "CurrentServerlessConfig.MemorySizeInMB", int)
    max_concurrency = optional(PART, "CurrentServerlessConfig.MaxConcurrency", int)
    min_instance_count = optional(PART, "ManagedInstanceScaling.MinInstanceCount", int)
    max_instance_count = optional(PART, "ManagedInstanceScaling.MaxInstanceCount", int)
    status = optional(PART, "ManagedInstanceScaling.Status", str)
    deployed_images = items(PART, "DeployedImages[]", DeployedImage)

    invocations = metric(_CALLS, "Invocations", "Sum", dimensions=_VARIANT)
    invocation5_xx_errors = metric(_CALLS, "Invocation5XXErrors", "Sum", dimensions=_VARIANT)
    invocations_processed = metric(_CALLS, "InvocationsProcessed", "Sum", dimensions=_VARIANT, period=86_400)
    # AWS's guide spells it so; nobody knows whether the metric ever was.
    invocations_processsed = metric(
        _CALLS, "InvocationsProcesssed", "Sum", dimensions=_VARIANT, period=86_400
    )
    # A percentile of a week cannot be had from those of its hours; microseconds.
    model_latency = metric(_CALLS, "ModelLatency", "p95", dimensions=_VARIANT, period=604_800)
    overhead_latency = metric(_CALLS, "OverheadLatency", "p95", dimensions=_VARIANT, period=604_800)
    p95_model_latency = metric(_CALLS, "ModelLatency", "p95", dimensions=_VARIANT)
    concurrent_requests_per_model = metric(
        _CALLS, "ConcurrentRequestsPerModel", "Maximum", dimensions=_VARIANT
    )
    cpu_utilization = metric(_HOSTS, "CPUUtilization", "Maximum", dimensions=_VARIANT)
    memory_utilization = metric(_HOSTS, "MemoryUtilization", "Maximum", dimensions=_VARIANT)
    gpu_utilization = metric(_HOSTS, "GPUUtilization", "Maximum", dimensions=_VARIANT)
    gpu_memory_utilization = metric(_HOSTS, "GPUMemoryUtilization", "Maximum", dimensions=_VARIANT)
    p95_cpu_utilization = metric(_HOSTS, "CPUUtilization", "p95", dimensions=_VARIANT)
    p95_memory_utilization = metric(_HOSTS, "MemoryUtilization", "p95", dimensions=_VARIANT)
    p95_gpu_utilization = metric(_HOSTS, "GPUUtilization", "p95", dimensions=_VARIANT)
    approximate_backlog_size = metric(
        _CALLS, "ApproximateBacklogSize", "Maximum", dimensions=("EndpointName",)
    )
    # What only the worst of the window decides needs no hours: one datapoint a day.
    approximate_age_of_oldest_request = metric(
        _CALLS, "ApproximateAgeOfOldestRequest", "Maximum", dimensions=("EndpointName",), period=_DAY
    )
    expired_requests = metric(_CALLS, "ExpiredRequests", "Sum", dimensions=_VARIANT, period=_DAY)
    disk_utilization = metric(_HOSTS, "DiskUtilization", "Maximum", dimensions=_VARIANT, period=_DAY)
    # Of serverless variants alone; both are shares of what was allowed, 1 is all of it.
    concurrent_executions_utilization = metric(
        _CALLS, "ServerlessConcurrentExecutionsUtilization", "Maximum", dimensions=_VARIANT, period=_DAY
    )
    provisioned_concurrency_utilization = metric(
        _CALLS, "ServerlessProvisionedConcurrencyUtilization", "Maximum", dimensions=_VARIANT, period=_DAY
    )
    # One measurement for each cold start; microseconds.
    cold_starts = metric(_CALLS, "ModelSetupTime", "SampleCount", dimensions=_VARIANT, period=_DAY)
    model_setup_time = metric(_CALLS, "ModelSetupTime", "p95", dimensions=_VARIANT, period=604_800)

    @property
    def is_serverless(self) -> bool:
        """Whether AWS runs it without instances that anybody sees."""
        return self.current_serverless_config is not None

    def metric_dimensions(self) -> Sequence[Mapping[str, str]]:
        return ({"EndpointName": self.view.name, "VariantName": self.variant_name},)


class ShadowVariant(Part):
    """A variant that gets a copy of the traffic, and whose answers nobody sees."""

    variant_name = required(PART, "VariantName", str, "shadow")
    current_instance_count = optional(PART, "CurrentInstanceCount", int)


class Capture(Part):
    """What is kept of requests and answers now."""

    enable_capture = optional(PART, "EnableCapture", bool)
    capture_status = optional(PART, "CaptureStatus", str)
    current_sampling_percentage = optional(PART, "CurrentSamplingPercentage", int)
    destination_s3_uri = optional(PART, "DestinationS3Uri", str)


class Endpoint(
    View,
    kind="endpoint",
    type="AWS::SageMaker::Endpoint",
    listing=(SEARCH, LIST),
    name="EndpointName",
    arn="EndpointArn",
    tags=(SEARCH, "Tags"),
    tagged=True,
):
    """An endpoint. Roles, networks and keys are on its configuration and models, not here."""

    endpoint_status = required(SOURCE, "EndpointStatus", str, "InService")
    endpoint_config_name = optional(SOURCE, "EndpointConfigName", str)
    creation_time = required(
        SOURCE, "CreationTime", datetime, datetime.fromisoformat("2026-06-01T06:00:00+00:00")
    )
    last_modified_time = required(
        SOURCE, "LastModifiedTime", datetime, datetime.fromisoformat("2026-06-01T06:10:00+00:00")
    )
    failure_reason = optional(SOURCE, "FailureReason", str)
    production_variants = items(SOURCE, "ProductionVariants[]", Variant)
    shadow_production_variants = items(SOURCE, "ShadowProductionVariants[]", ShadowVariant)
    data_capture_config = part(SOURCE, "DataCaptureConfig", Capture)

    # Of all variants: what repeats by the week shows over some weeks only.
    hourly_invocations = metric(_CALLS, "Invocations", "Sum", dimensions=_VARIANT)

    def metric_dimensions(self) -> Sequence[Mapping[str, str]]:
        return [
            {"EndpointName": self.name, "VariantName": variant.variant_name}
            for variant in self.production_variants
        ]

    def metric_window(self) -> tuple[datetime, datetime] | None:
        return self.region.ago(FOUR_WEEKS), self.region.now

    @property
    def config(self) -> EndpointConfig | None:
        """Its configuration, or `None` where that was deleted under it."""
        return self.region.find(EndpointConfig, self.endpoint_config_name)

    @property
    def deployment(self) -> "EndpointDeployment | None":
        """How it was last updated, `None` for one that never was."""
        return self.region.find(EndpointDeployment, self.id)

    @property
    def was_updated(self) -> bool:
        """Whether it changed after it was made. Autoscaling and weights move the time as well."""
        return self.last_modified_time > self.creation_time + SETTLING


class TrafficRouting(Part):
    """How traffic moves to the new fleet."""

    type = optional(PART, "Type", str)


class RollbackAlarm(Part):
    """An alarm that rolls an update back."""

    alarm_name = optional(PART, "AlarmName", str)


class EndpointDeployment(
    View, kind="endpoint-deployment", listing=(DESCRIBE,), name="EndpointName", arn="EndpointArn"
):
    """How an endpoint was last updated: Search does not tell, so one Describe for each that ever was."""

    last_deployment_config = optional(DESCRIBE, "LastDeploymentConfig", dict)
    traffic_routing_configuration = part(
        DESCRIBE, "LastDeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration", TrafficRouting
    )
    rolling_update_policy = optional(DESCRIBE, "LastDeploymentConfig.RollingUpdatePolicy", dict)
    alarms = items(DESCRIBE, "LastDeploymentConfig.AutoRollbackConfiguration.Alarms[]", RollbackAlarm)


@collects(Endpoint)
def endpoints(reader: "Reader") -> Iterator[Resource]:
    """Every endpoint, a hundred a page."""
    yield from searched(reader, Searchable(SEARCH, LIST, DESCRIBE, "EndpointName", "EndpointName"))


@collects(EndpointConfig, follows=(Endpoint,))
def endpoint_configurations(reader: "Reader") -> Iterator[Resource]:
    """Every configuration; those that an endpoint names with their details, one Describe each."""
    used = set()
    for endpoint in reader.known(Endpoint):
        try:
            used.add(endpoint.endpoint_config_name)
        except Unread as unread:
            reader.incomplete(unread.gap)

    listed = set()

    def described(summary: Document) -> list[Resource]:
        name = summary["EndpointConfigName"]
        listed.add(name)
        if name not in used or not reader.wants(DESCRIBE_CONFIG):
            return list(reader.resource({LIST_CONFIGS: summary}))
        return list(reader.resource({LIST_CONFIGS: summary, DESCRIBE_CONFIG: _config(reader, name)}))

    for found in reader.gather(described, reader.list(LIST_CONFIGS)):
        yield from found
    if reader.wants(DESCRIBE_CONFIG):
        for name in sorted(filter(None, used - listed)):
            # The listing may lag as well: a configuration counts as gone when Describe lacks it too.
            document = _config(reader, name)
            if isinstance(document, dict):
                yield from reader.resource({LIST_CONFIGS: document, DESCRIBE_CONFIG: document})
            elif isinstance(document, Gap) and document.reason is not Reason.VANISHED:
                reader.incomplete(document)


def _config(reader: "Reader", name: str) -> Reading:
    """A configuration that an endpoint names: Describe is eventually consistent, so what is missing is asked twice."""
    document = reader.read(DESCRIBE_CONFIG, EndpointConfigName=name)
    if isinstance(document, Gap) and document.reason is Reason.VANISHED:
        document = reader.read(DESCRIBE_CONFIG, EndpointConfigName=name)
    return document


@collects(EndpointDeployment, follows=(Endpoint,))
def endpoint_deployments(reader: "Reader") -> Iterator[Resource]:
    """The last deployment of each endpoint that was ever updated."""

    def described(endpoint: Endpoint) -> list[Resource]:
        try:
            if not endpoint.was_updated:
                return []
        except Unread as unread:
            reader.incomplete(unread.gap)
            return []
        document = reader.read(DESCRIBE, EndpointName=endpoint.name)
        return list(reader.resource({DESCRIBE: document}, key=endpoint.id, name=endpoint.name))

    for found in reader.gather(described, reader.known(Endpoint)):
        yield from found
