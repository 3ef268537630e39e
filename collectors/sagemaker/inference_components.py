"""Inference components: models that share the instances of an endpoint."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.search import described
from collectors.view import View, optional, required

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
    model_name = optional(DESCRIBE, "Specification.ModelName", str)

    @property
    def endpoint(self) -> Endpoint | None:
        """The endpoint that it runs on, or `None` where that is gone."""
        return self.region.find(Endpoint, self.endpoint_name)


@collects(InferenceComponent)
def inference_components(reader: "Reader") -> Iterator[Resource]:
    """Every component: there is no Search for them, so one Describe each where a rule asks for its model."""
    yield from described(reader, LIST, reader.list(LIST), DESCRIBE, "InferenceComponentName")
