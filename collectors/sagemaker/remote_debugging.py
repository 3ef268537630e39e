"""Remote debugging of training jobs that run: Search does not tell, so one Describe each."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Reading, Resource, Unread
from collectors.sagemaker.training_jobs import DESCRIBE, TrainingJob
from collectors.view import View, optional

if TYPE_CHECKING:
    from collectors.reader import Reader


class RemoteDebugging(
    View,
    kind="remote-debugging",
    listing=(DESCRIBE,),
    name="TrainingJobName",
    arn="TrainingJobArn",
):
    """Whether a shell may be opened into the containers of a training job that runs."""

    enable_remote_debug = optional(DESCRIBE, "RemoteDebugConfig.EnableRemoteDebug", bool)


@collects(RemoteDebugging, follows=(TrainingJob,))
def remote_debugging(reader: "Reader") -> Iterator[Resource]:
    """The jobs in progress: into those that ended no shell can be opened."""

    def read(job: TrainingJob) -> list[Resource]:
        try:
            if job.training_job_status != "InProgress":
                return []
        except Unread as unread:
            reader.incomplete(unread.gap)
            return []
        found: dict[Operation, Reading] = {DESCRIBE: reader.read(DESCRIBE, TrainingJobName=job.name)}
        return list(reader.resource(found, key=job.id, name=job.name))

    for found in reader.gather(read, reader.known(TrainingJob)):
        yield from found
