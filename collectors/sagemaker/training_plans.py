"""Training plans: instances that are reserved and paid for ahead of their use."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.view import View, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation("sagemaker", "ListTrainingPlans", result="TrainingPlanSummaries[]")


class TrainingPlan(
    View,
    kind="training-plan",
    type="AWS::SageMaker::TrainingPlan",
    listing=(LIST,),
    name="TrainingPlanName",
    arn="TrainingPlanArn",
    tagged=True,
):
    """A training plan; the list has all that is judged."""

    status = required(LIST, "Status", str, "Active")
    total_instance_count = required(LIST, "TotalInstanceCount", int, 4)
    in_use_instance_count = required(LIST, "InUseInstanceCount", int, 4)


@collects(TrainingPlan)
def training_plans(reader: "Reader") -> Iterator[Resource]:
    """Every training plan."""
    for document in reader.list(LIST):
        yield from reader.resource({LIST: document})
