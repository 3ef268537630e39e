"""Inference experiments: shadow tests on live traffic."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.sagemaker.search import described
from collectors.view import View, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation("sagemaker", "ListInferenceExperiments", result="InferenceExperiments[]")
DESCRIBE = Operation("sagemaker", "DescribeInferenceExperiment")


class InferenceExperiment(
    View,
    kind="inference-experiment",
    type="AWS::SageMaker::InferenceExperiment",
    listing=(LIST,),
    name="Name",
    arn="Arn",
    tagged=True,
):
    """A shadow test: it copies an endpoint's traffic to another variant."""

    status = required(LIST, "Status", str, "Running")
    creation_time = required(
        LIST, "CreationTime", datetime, datetime.fromisoformat("2026-11-10T06:00:00+00:00")
    )
    completion_time = optional(LIST, "CompletionTime", datetime)
    end_time = optional(LIST, "Schedule.EndTime", datetime)
    endpoint_name = optional(DESCRIBE, "EndpointMetadata.EndpointName", str)
    destination = optional(DESCRIBE, "DataStorageConfig.Destination", str)
    data_storage_config = optional(DESCRIBE, "DataStorageConfig", dict[str, object])
    kms_key = optional(DESCRIBE, "KmsKey", str)

    @property
    def is_over(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self.status in ("Completed", "Cancelled")


@collects(InferenceExperiment)
def inference_experiments(reader: "Reader") -> Iterator[Resource]:
    """Every experiment."""
    yield from described(reader, LIST, reader.list(LIST), DESCRIBE, "Name", path="inference-experiment")
