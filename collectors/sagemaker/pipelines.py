"""Pipelines: the workflows that train, evaluate and register."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.sagemaker.search import Searchable, search_operation, searched
from collectors.view import View, required

if TYPE_CHECKING:
    from collectors.reader import Reader

SEARCH = search_operation("Pipeline")
LIST = Operation("sagemaker", "ListPipelines", result="PipelineSummaries[]")
DESCRIBE = Operation("sagemaker", "DescribePipeline", secrets=("PipelineDefinition",))
SOURCE = (SEARCH, DESCRIBE)


class Pipeline(
    View,
    kind="pipeline",
    type="AWS::SageMaker::Pipeline",
    listing=(SEARCH, LIST),
    name="PipelineName",
    arn="PipelineArn",
    tags=(SEARCH, "Tags"),
    tagged=True,
):
    """A pipeline and the role that runs its steps."""

    role_arn = required(SOURCE, "RoleArn", str, "arn:aws:iam::123456789012:role/pipelines")


@collects(Pipeline)
def pipelines(reader: "Reader") -> Iterator[Resource]:
    """Every pipeline, a hundred a page."""
    yield from searched(reader, Searchable(SEARCH, LIST, DESCRIBE, "PipelineName", "PipelineName"))
