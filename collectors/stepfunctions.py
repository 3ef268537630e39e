"""Step Functions: state machines and what they do."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Gap, Operation, Reason, Resource
from collectors.sagemaker.search import described
from collectors.view import View, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation(
    "stepfunctions", "ListStateMachines", result="stateMachines[]", action="states:ListStateMachines"
)
DESCRIBE = Operation(
    "stepfunctions",
    "DescribeStateMachine",
    action="states:DescribeStateMachine",
    secrets=("definition", "description"),
)

MOST_MACHINES = 200
"""How many definitions are read in a Region, newest first."""


class StateMachine(
    View,
    kind="state-machine",
    type="AWS::StepFunctions::StateMachine",
    listing=(LIST,),
    name="name",
    arn="stateMachineArn",
):
    """A workflow; its definition is JSON (Amazon States Language)."""

    definition = required(DESCRIBE, "definition", str, '{"StartAt": "Wait", "States": {}}')

    @property
    def uses_sagemaker(self) -> bool:
        """Whether a state calls SageMaker: by its own integration or by the SDK's, in any partition."""
        text = self.definition.lower()
        return any(f":states:::{call}" in text for call in ("sagemaker:", "aws-sdk:sagemaker:"))


@collects(StateMachine)
def state_machines(reader: "Reader") -> Iterator[Resource]:
    """The newest state machines with their definitions; of further ones nobody knows."""
    found = sorted(reader.list(LIST), key=lambda each: each["creationDate"], reverse=True)
    yield from described(reader, LIST, found[:MOST_MACHINES], DESCRIBE, "stateMachineArn")
    if len(found) > MOST_MACHINES:
        message = f"{len(found)} state machines, of which {MOST_MACHINES} are described"
        reader.incomplete(Gap(str(DESCRIBE), Reason.TRUNCATED, "", message, region=reader.region.name))
