"""CloudWatch Logs: SageMaker's log groups, and when the newest event of those that are shared came."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Reading, Resource
from collectors.view import PART, Part, View, items, optional

if TYPE_CHECKING:
    from collectors.reader import Reader

PREFIX = "/aws/sagemaker/"
GROUPS = Operation("logs", "DescribeLogGroups", result="logGroups[]", page_size=50)
STREAMS = Operation("logs", "DescribeLogStreams")

SHARED = tuple(
    f"{PREFIX}{name}" for name in ("TrainingJobs", "ProcessingJobs", "TransformJobs", "NotebookInstances")
)
"""Groups that all resources of a kind write to; endpoints have one each."""


class Stream(Part):
    """One stream of a group."""

    last_event_timestamp = optional(PART, "lastEventTimestamp", int)


class LogGroup(
    View, kind="log-group", type="AWS::Logs::LogGroup", listing=(GROUPS,), name="logGroupName", arn="arn"
):
    """A log group of SageMaker's. Times are milliseconds since 1970."""

    retention_in_days = optional(GROUPS, "retentionInDays", int)
    stored_bytes = optional(GROUPS, "storedBytes", int)
    creation_time = optional(GROUPS, "creationTime", int)
    kms_key_id = optional(GROUPS, "kmsKeyId", str)
    log_streams = items(STREAMS, "logStreams[]", Stream)


@collects(LogGroup)
def log_groups(reader: "Reader") -> Iterator[Resource]:
    """Every group under SageMaker's prefix; the newest stream of the shared ones."""
    wanted = reader.wants(STREAMS)

    def read(summary: dict[str, str]) -> list[Resource]:
        readings: dict[Operation, Reading] = {GROUPS: summary}
        if wanted and summary["logGroupName"] in SHARED:
            readings[STREAMS] = reader.read(
                STREAMS,
                logGroupName=summary["logGroupName"],
                orderBy="LastEventTime",
                descending=True,
                limit=1,
            )
        return list(reader.resource(readings))

    for found in reader.gather(read, reader.list(GROUPS, logGroupNamePrefix=PREFIX)):
        yield from found
