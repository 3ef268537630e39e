"""Endpoint configurations: what an endpoint runs on, and how. Their collector follows endpoints: it is there."""

from datetime import datetime

from collectors.model import Operation
from collectors.s3_uri import buckets_in
from collectors.view import PART, Part, View, items, optional, part, required

LIST = Operation("sagemaker", "ListEndpointConfigs", result="EndpointConfigs[]")
DESCRIBE = Operation("sagemaker", "DescribeEndpointConfig")


class InstancePool(Part):
    """One of several instance types that a variant may run on."""

    instance_type = optional(PART, "InstanceType", str)


class ConfiguredVariant(Part):
    """A variant as the configuration has it: the only place that names its instance type."""

    key_path = "VariantName"

    variant_name = required(PART, "VariantName", str, "main")
    model_name = optional(PART, "ModelName", str)
    instance_type = optional(PART, "InstanceType", str)
    initial_instance_count = optional(PART, "InitialInstanceCount", int)
    accelerator_type = optional(PART, "AcceleratorType", str)
    instance_pools = items(PART, "InstancePools[]", InstancePool)
    serverless_config = optional(PART, "ServerlessConfig", dict)
    enable_ssm_access = optional(PART, "EnableSSMAccess", bool)

    @property
    def is_serverless(self) -> bool:
        """Whether AWS runs it without instances that anybody sees."""
        return self.serverless_config is not None

    @property
    def instance_types(self) -> tuple[str, ...]:
        """The types that it may run on; none for a serverless variant."""
        pools = [pool.instance_type for pool in self.instance_pools]
        return tuple(found for found in (self.instance_type, *pools) if found)


class CaptureOption(Part):
    """Which side of a call is captured: Input, Output or both in one."""

    capture_mode = optional(PART, "CaptureMode", str)


class CaptureConfig(Part):
    """What is kept of requests and answers, and where. Capture is on where AWS leaves `EnableCapture` out."""

    enable_capture = optional(PART, "EnableCapture", bool)
    destination_s3_uri = optional(PART, "DestinationS3Uri", str)
    kms_key_id = optional(PART, "KmsKeyId", str)
    capture_options = items(PART, "CaptureOptions[]", CaptureOption)


class AsyncOutput(Part):
    """Where an asynchronous endpoint puts its answers."""

    s3_output_path = optional(PART, "S3OutputPath", str)
    s3_failure_path = optional(PART, "S3FailurePath", str)
    error_topic = optional(PART, "NotificationConfig.ErrorTopic", str)
    kms_key_id = optional(PART, "KmsKeyId", str)


class EndpointConfig(
    View,
    kind="endpoint-config",
    type="AWS::SageMaker::EndpointConfig",
    listing=(LIST,),
    name="EndpointConfigName",
    arn="EndpointConfigArn",
    tagged=True,
):
    """An endpoint configuration. Only those in use are described; of the others the list is all there is."""

    creation_time = required(
        LIST, "CreationTime", datetime, datetime.fromisoformat("2026-06-01T06:00:00+00:00")
    )
    production_variants = items(DESCRIBE, "ProductionVariants[]", ConfiguredVariant)
    shadow_production_variants = items(DESCRIBE, "ShadowProductionVariants[]", ConfiguredVariant)
    kms_key_id = optional(DESCRIBE, "KmsKeyId", str)
    data_capture_config = part(DESCRIBE, "DataCaptureConfig", CaptureConfig)
    output_config = part(DESCRIBE, "AsyncInferenceConfig.OutputConfig", AsyncOutput)
    execution_role_arn = optional(DESCRIBE, "ExecutionRoleArn", str)
    subnets = optional(DESCRIBE, "VpcConfig.Subnets", list)
    security_group_ids = optional(DESCRIBE, "VpcConfig.SecurityGroupIds", list[str])
    enable_network_isolation = optional(DESCRIBE, "EnableNetworkIsolation", bool)

    @property
    def is_described(self) -> bool:
        """Whether an endpoint uses it, so that more than its summary was asked for."""
        return str(DESCRIBE) in self.readings

    @property
    def is_async(self) -> bool:
        """Whether its endpoints queue calls and answer to S3."""
        return self.output_config is not None

    @property
    def buckets(self) -> frozenset[str]:
        """The buckets that its endpoints write to; none is known of a config that is not in use."""
        if not self.is_described:
            return frozenset()
        capture, output = self.data_capture_config, self.output_config
        return buckets_in(
            capture.destination_s3_uri if capture else None, output.s3_output_path if output else None
        )
