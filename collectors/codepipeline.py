"""CodePipeline: pipelines, their stages and their roles."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Document, Operation, Reading, Resource
from collectors.view import PART, Part, View, items, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation("codepipeline", "ListPipelines", result="pipelines[]")
GET = Operation(
    "codepipeline",
    "GetPipeline",
    result="pipeline",
    secrets=(
        "stages[].actions[].configuration",
        "stages[].actions[].environmentVariables[].value",
        "stages[].actions[].commands[]",
        "variables[].defaultValue",
    ),
)


class Action(Part):
    """One action of a stage."""

    category = required(PART, "actionTypeId.category", str, "Deploy")
    provider = required(PART, "actionTypeId.provider", str, "CloudFormation")


class Stage(Part):
    """One stage."""

    actions = items(PART, "actions[]", Action)


class CodePipeline(
    View, kind="code-pipeline", type="AWS::CodePipeline::Pipeline", listing=(LIST,), name="name"
):
    """A delivery pipeline."""

    role_arn = required(GET, "roleArn", str, "arn:aws:iam::123456789012:role/delivery")
    stages = items(GET, "stages[]", Stage)

    @property
    def actions(self) -> tuple[Action, ...]:
        """The actions of all its stages."""
        return tuple(action for stage in self.stages for action in stage.actions)

    @property
    def has_approval(self) -> bool:
        """Whether somebody has to approve on the way."""
        return any(action.category == "Approval" for action in self.actions)


@collects(CodePipeline)
def code_pipelines(reader: "Reader") -> Iterator[Resource]:
    """Every pipeline with its structure; neither call sends the ARN with the pipeline."""
    region = reader.region

    def read(summary: Document) -> list[Resource]:
        name = summary["name"]
        readings: dict[Operation, Reading] = {LIST: summary, GET: reader.read(GET, name=name)}
        arn = f"arn:{region.partition}:codepipeline:{region.name}:{region.account}:{name}"
        return list(reader.resource(readings, key=arn, name=name))

    for found in reader.gather(read, reader.list(LIST)):
        yield from found
