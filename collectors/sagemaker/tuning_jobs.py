"""Hyperparameter tuning jobs: parents of many training jobs."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.sagemaker.search import Searchable, search_operation, searched
from collectors.view import PART, Part, View, items, optional, part, required

if TYPE_CHECKING:
    from collectors.reader import Reader

_SECRETS = (
    "TrainingJobDefinition.Environment",
    "TrainingJobDefinition.StaticHyperParameters",
    "TrainingJobDefinitions[].Environment",
    "TrainingJobDefinitions[].StaticHyperParameters",
)
SEARCH = search_operation("HyperParameterTuningJob", secrets=_SECRETS)
LIST = Operation("sagemaker", "ListHyperParameterTuningJobs", result="HyperParameterTuningJobSummaries[]")
DESCRIBE = Operation("sagemaker", "DescribeHyperParameterTuningJob", secrets=_SECRETS)
SOURCE = (SEARCH, DESCRIBE)


class Definition(Part):
    """What each child trains; a job has one, or several in the plural member."""

    enable_managed_spot_training = optional(PART, "EnableManagedSpotTraining", bool)


class TuningJob(
    View,
    kind="tuning-job",
    type="AWS::SageMaker::HyperParameterTuningJob",
    listing=(SEARCH, LIST),
    name="HyperParameterTuningJobName",
    arn="HyperParameterTuningJobArn",
    tags=(SEARCH, "Tags"),
    tagged=True,
):
    """A tuning job."""

    creation_time = required(
        SOURCE, "CreationTime", datetime, datetime.fromisoformat("2026-11-18T06:00:00+00:00")
    )
    training_job_definition = part(SOURCE, "TrainingJobDefinition", Definition)
    training_job_definitions = items(SOURCE, "TrainingJobDefinitions[]", Definition)

    @property
    def definitions(self) -> tuple[Definition, ...]:
        """Its definitions, whichever member holds them."""
        one = self.training_job_definition
        return self.training_job_definitions if one is None else (one, *self.training_job_definitions)


@collects(TuningJob)
def tuning_jobs(reader: "Reader") -> Iterator[Resource]:
    """The tuning jobs of the look-back window."""
    name = "HyperParameterTuningJobName"
    yield from searched(reader, Searchable(SEARCH, LIST, DESCRIBE, name, name, windowed=True))
