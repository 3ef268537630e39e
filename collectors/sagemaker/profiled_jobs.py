"""What the profiler's rules found of training jobs: Search lacks it, so the newest profiled runs are described."""

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Resource, Unread
from collectors.sagemaker.job_families import is_made_by_aws
from collectors.sagemaker.training_jobs import DESCRIBE, RuleEvaluation, TrainingJob
from collectors.view import View, items

if TYPE_CHECKING:
    from collectors.reader import Reader

_RUNS = 3
"""How many of the newest profiled runs of a family are described."""


class ProfiledJob(
    View, kind="profiled-job", listing=(DESCRIBE,), name="TrainingJobName", arn="TrainingJobArn"
):
    """The profiler's rules of one training job."""

    profiler_rule_evaluation_statuses = items(DESCRIBE, "ProfilerRuleEvaluationStatuses[]", RuleEvaluation)


@collects(ProfiledJob, follows=(TrainingJob,))
def profiled_jobs(reader: "Reader") -> Iterator[Resource]:
    """The newest runs of each family that write a profile."""
    runs: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for job in reader.known(TrainingJob):
        try:
            if job.profiler_config and not job.is_child and not is_made_by_aws(job.name):
                runs[job.family].append((job.creation_time.isoformat(), job.name))
        except Unread as unread:
            reader.incomplete(unread.gap)
    names = [name for family in runs.values() for _, name in sorted(family, reverse=True)[:_RUNS]]
    for reading in reader.gather(lambda name: reader.read(DESCRIBE, TrainingJobName=name), names):
        if isinstance(reading, dict):
            yield from reader.resource({DESCRIBE: reading})
        elif reading is not None:
            reader.incomplete(reading)
