"""Inference components: models that share the instances of an endpoint."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.search import described
from collectors.view import View, metric, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation("sagemaker", "ListInferenceComponents", result="InferenceComponents[]")
DESCRIBE = Operation("sagemaker", "DescribeInferenceComponent")


class InferenceComponent(
    View,
    kind="inference-component",
    type="AWS::SageMaker::InferenceComponent",
    listing=(LIST,),
    name="InferenceComponentName",
    arn="InferenceComponentArn",
    tagged=True,
):
    """A model with a share of an endpoint's instances."""

    endpoint_name = required(LIST, "EndpointName", str, "endpoint")
    variant_name = required(LIST, "VariantName", str, "main")
    creation_time = required(
        LIST, "CreationTime", datetime, datetime.fromisoformat("2026-06-01T06:00:00+00:00")
    )
    last_modified_time = required(
        LIST, "LastModifiedTime", datetime, datetime.fromisoformat("2026-06-01T06:10:00+00:00")
    )
    inference_component_status = optional(LIST, "InferenceComponentStatus", str)
    model_name = optional(DESCRIBE, "Specification.ModelName", str)
    base_inference_component_name = optional(DESCRIBE, "Specification.BaseInferenceComponentName", str)
    number_of_accelerator_devices_required = optional(
        DESCRIBE, "Specification.ComputeResourceRequirements.NumberOfAcceleratorDevicesRequired", float
    )
    placement_strategy = optional(DESCRIBE, "Specification.SchedulingConfig.PlacementStrategy", str)
    desired_copy_count = optional(DESCRIBE, "RuntimeConfig.DesiredCopyCount", int)
    current_copy_count = optional(DESCRIBE, "RuntimeConfig.CurrentCopyCount", int)

    invocations = metric("AWS/SageMaker", "Invocations", "Sum", dimensions=("InferenceComponentName",))

    @property
    def endpoint(self) -> Endpoint | None:
        """The endpoint that it runs on, or `None` where that is gone."""
        return self.region.find(Endpoint, self.endpoint_name)

    def metric_dimensions(self) -> Sequence[Mapping[str, str]]:
        return ({"InferenceComponentName": self.name},)


@collects(InferenceComponent)
def inference_components(reader: "Reader") -> Iterator[Resource]:
    """Every component: there is no Search for them, so one Describe each where a rule asks for its model."""
    yield from described(reader, LIST, reader.list(LIST), DESCRIBE, "InferenceComponentName")
