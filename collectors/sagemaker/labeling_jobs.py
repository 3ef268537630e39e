"""Labeling jobs: what people are shown, by whom it is labeled, and where the labels go."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Document, Operation, Resource
from collectors.s3_uri import buckets_in
from collectors.sagemaker.search import described
from collectors.view import View, moment, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation("sagemaker", "ListLabelingJobs", result="LabelingJobSummaryList[]")
DESCRIBE = Operation("sagemaker", "DescribeLabelingJob")

FEWEST_OBJECTS = 1250
"""How many objects active learning needs at least."""

ACTIVE_LEARNING_TASKS = (
    "ACS-BoundingBox",
    "ACS-ImageMultiClass",
    "ACS-SemanticSegmentation",
    "ACS-TextMultiClass",
)
"""The built-in consolidation functions of the tasks that take active learning, by their whole name:
`ACS-ImageMultiClassMultiLabel` is another task."""


class LabelingJob(
    View,
    kind="labeling-job",
    type="AWS::SageMaker::LabelingJob",
    listing=(LIST,),
    name="LabelingJobName",
    arn="LabelingJobArn",
    tagged=True,
):
    """A labeling job. Accounts keep them for ever: only recent ones and large ones are described."""

    creation_time = required(
        LIST, "CreationTime", datetime, datetime.fromisoformat("2026-11-10T06:00:00+00:00")
    )
    labeling_job_status = required(LIST, "LabelingJobStatus", str, "Completed")
    workteam_arn = required(
        LIST, "WorkteamArn", str, "arn:aws:sagemaker:eu-west-1:123456789012:workteam/private-crowd/labelers"
    )
    total_labeled = required(LIST, "LabelCounters.TotalLabeled", int, 0)
    machine_labeled = required(LIST, "LabelCounters.MachineLabeled", int, 0)
    unlabeled = required(LIST, "LabelCounters.Unlabeled", int, 0)
    annotation_consolidation_lambda_arn = optional(LIST, "AnnotationConsolidationLambdaArn", str)
    sns_topic_arn = optional(LIST, "InputConfig.DataSource.SnsDataSource.SnsTopicArn", str)
    content_classifiers = optional(DESCRIBE, "InputConfig.DataAttributes.ContentClassifiers", list)
    s3_output_path = required(DESCRIBE, "OutputConfig.S3OutputPath", str, "s3://larkspur-labels/out/")
    kms_key_id = optional(DESCRIBE, "OutputConfig.KmsKeyId", str)
    labeling_job_algorithm_specification_arn = optional(
        DESCRIBE, "LabelingJobAlgorithmsConfig.LabelingJobAlgorithmSpecificationArn", str
    )

    @property
    def is_described(self) -> bool:
        """Whether more than its summary was asked for."""
        return str(DESCRIBE) in self.readings

    @property
    def buckets(self) -> frozenset[str]:
        """The buckets that it writes to; none is known of an old and small one."""
        return buckets_in(self.s3_output_path) if self.is_described else frozenset()

    @property
    def objects(self) -> int:
        """How many objects it labels, done or not."""
        return self.total_labeled + self.unlabeled


@collects(LabelingJob)
def labeling_jobs(reader: "Reader") -> Iterator[Resource]:
    """Every job; those of the look-back window, and those that may learn actively, one Describe each."""
    summaries = list(reader.list(LIST))
    since = moment(reader.lookback)
    wanted = {
        found["LabelingJobName"] for found in summaries if found["CreationTime"] >= since or _may_learn(found)
    }
    yield from described(reader, LIST, summaries, DESCRIBE, "LabelingJobName", only=wanted)


def _may_learn(summary: Document) -> bool:
    counted = summary["LabelCounters"]
    objects = counted.get("TotalLabeled", 0) + counted.get("Unlabeled", 0)
    task = str(summary.get("AnnotationConsolidationLambdaArn", "")).rpartition(":")[2]
    return objects >= FEWEST_OBJECTS and task in ACTIVE_LEARNING_TASKS
