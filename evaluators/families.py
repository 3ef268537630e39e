"""Runs of the same job: which is the latest, and which went before it in the window.

Jobs are immutable and accounts keep them for ever, so that only the latest run of a family says how
the next will be. A training job's family is its role and its name without the run's own ending; the
lists of the other jobs have no role, so that the name has to do.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from collectors.model import Unread
from collectors.sagemaker.automl_jobs import AutoMLJob
from collectors.sagemaker.job_families import family_name, is_made_by_aws
from collectors.sagemaker.processing_jobs import ProcessingJob
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sagemaker.transform_jobs import TransformJob
from collectors.sagemaker.tuning_jobs import TuningJob
from collectors.view import Region, index

Job = TrainingJob | TuningJob | ProcessingJob | TransformJob | AutoMLJob
J = TypeVar("J", bound=Job)


@dataclass(slots=True)
class Families:
    """The ARNs of each family's runs in the window, newest first; children of other jobs are of no family."""

    runs: dict[Hashable, list[str]] = field(default_factory=dict)
    unread: dict[str, Unread] = field(default_factory=dict)
    """By family name: runs whose family or age could not be read."""

    def of(self, job: Job) -> list[str]:
        """The runs of a job's family. Raises `Unread` where one of that name could not be read."""
        unread = self.unread.get(family_name(job.name))
        if unread is not None:
            raise Unread(unread.gap)
        return self.runs[_family(job)]


@index
def training_families(region: Region) -> Families:
    """Of training jobs. Raises `Unread` where the listing was not whole: a newer run may be missing."""
    return _families(region.all(TrainingJob))


@index
def tuning_families(region: Region) -> Families:
    """Of tuning jobs. Raises `Unread` where the listing was not whole."""
    return _families(region.all(TuningJob))


@index
def processing_families(region: Region) -> Families:
    """Of processing jobs. Raises `Unread` where the listing was not whole."""
    return _families(region.all(ProcessingJob))


@index
def transform_families(region: Region) -> Families:
    """Of batch transform jobs. Raises `Unread` where the listing was not whole."""
    return _families(region.all(TransformJob))


@index
def automl_families(region: Region) -> Families:
    """Of AutoML jobs. Raises `Unread` where the listing was not whole."""
    return _families(region.all(AutoMLJob))


def _families(jobs: Iterable[Job]) -> Families:
    """Whole views would hold all documents of the window in memory at once, so ARNs are kept."""
    found = Families()
    dated: dict[Hashable, list[tuple[datetime, str]]] = {}
    for job in jobs:
        try:
            if not (isinstance(job, TrainingJob) and job.is_child):
                run = (job.creation_time, job.id)
                dated.setdefault(_family(job), []).append(run)
        except Unread as unread:
            found.unread[family_name(job.name)] = unread
    found.runs = {family: [arn for _, arn in sorted(runs, reverse=True)] for family, runs in dated.items()}
    return found


def _family(job: Job) -> Hashable:
    return job.family if isinstance(job, TrainingJob) else family_name(job.name)


def older_run(job: Job, families: Families) -> str:
    """Why a job is not judged where a newer run of its family is; nothing for the latest."""
    return "" if families.of(job)[0] == job.id else f"an older run of {family_name(job.name)}"


def not_judged(job: TrainingJob) -> str:
    """Why a training job is not judged itself; nothing for the latest run of a family of the user's own.

    Raises `Unread` where a newer run may be missing.
    """
    if job.is_child:
        return "a tuning, AutoML or labeling job made it: its definition is judged there"
    if is_made_by_aws(job.name):
        return "a service of AWS made it"
    if job.resource_config is None:
        return "a serverless customisation job has no instances"
    return older_run(job, training_families(job.region))


def runs_of(job: J, families: Families) -> Iterator[J]:
    """All runs of a job's family in the window, newest first and one at a time: a family can have thousands.

    Raises `Unread` where one could not be read.
    """
    for arn in families.of(job):
        run = job.region.find(type(job), arn)
        if run is not None:
            yield run


@index
def _places(region: Region) -> Mapping[str, int]:
    """The place of each family's latest training job in the order of age, 0 for the newest."""
    latest = [region.find(TrainingJob, runs[0]) for runs in training_families(region).runs.values()]
    newest = sorted(((job.creation_time, job.id) for job in latest if job is not None), reverse=True)
    return {arn: place for place, (_, arn) in enumerate(newest)}


def is_among_newest(job: TrainingJob, count: int) -> bool:
    """Whether it is one of the `count` newest of the jobs that are the latest of their family.

    Raises `Unread` where jobs that could not be read decide.
    """
    place = _places(job.region)[job.id]
    unread = training_families(job.region).unread
    if place < count <= place + len(unread):
        raise Unread(next(iter(unread.values())).gap)
    return place < count
