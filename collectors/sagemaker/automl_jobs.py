"""AutoML jobs (Autopilot, Canvas): parents of training, processing and transform jobs."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.s3_uri import buckets_in
from collectors.sagemaker.job_families import newest_of_families
from collectors.sagemaker.search import described
from collectors.view import View, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation(
    "sagemaker",
    "ListAutoMLJobs",
    result="AutoMLJobSummaries[]",
    parameters=(("SortBy", "CreationTime"), ("SortOrder", "Descending")),
)
# The first version's Describe fails on jobs of the second; this one tells of both.
DESCRIBE = Operation("sagemaker", "DescribeAutoMLJobV2")


class AutoMLJob(
    View,
    kind="automl-job",
    type="AWS::SageMaker::AutoMLJob",
    listing=(LIST,),
    name="AutoMLJobName",
    arn="AutoMLJobArn",
    tagged=True,
    windowed=True,
):
    """An AutoML job. Only the newest of a family is described."""

    creation_time = required(
        LIST, "CreationTime", datetime, datetime.fromisoformat("2026-11-18T06:00:00+00:00")
    )
    kms_key_id = optional(DESCRIBE, "OutputDataConfig.KmsKeyId", str)
    s3_output_path = optional(DESCRIBE, "OutputDataConfig.S3OutputPath", str)
    subnets = optional(DESCRIBE, "SecurityConfig.VpcConfig.Subnets", list)

    @property
    def buckets(self) -> frozenset[str]:
        """The bucket that it writes; of an older run of a family none is known."""
        return buckets_in(self.s3_output_path) if str(DESCRIBE) in self.readings else frozenset()


@collects(AutoMLJob)
def automl_jobs(reader: "Reader") -> Iterator[Resource]:
    """The jobs of the look-back window, newest first."""
    summaries = list(reader.list(LIST, CreationTimeAfter=reader.lookback))
    newest = newest_of_families(summary["AutoMLJobName"] for summary in summaries)
    yield from described(reader, LIST, summaries, DESCRIBE, "AutoMLJobName", only=newest)
