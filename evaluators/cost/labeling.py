"""Labeling by people of what a model could label."""

from typing import Any

from collectors.sagemaker.labeling_jobs import ACTIVE_LEARNING_TASKS, FEWEST_OBJECTS, LabelingJob
from collectors.sample import Sample, sample
from collectors.view import moment
from evaluators.controls import lens
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule

_FUNCTION = "arn:aws:lambda:eu-west-1:568282634449:function:"
_ALGORITHM = (
    "arn:aws:sagemaker:eu-west-1:027400017018:labeling-job-algorithm-specification/image-classification"
)


def _job(task: str = "ACS-ImageMultiClass", **values: Any) -> Sample:
    made = {"total_labeled": 20_000, "annotation_consolidation_lambda_arn": f"{_FUNCTION}{task}", **values}
    return sample(LabelingJob, **made)


@rule(
    "COST-020",
    Severity.LOW,
    bad=[
        _job(),
        _job("ACS-SemanticSegmentation"),
        _job("ACS-TextMultiClass", total_labeled=100, unlabeled=6000),
        # AWS needs 1,250 objects and advises 5,000.
        given(_job("ACS-BoundingBox", total_labeled=2000), min_objects=1250),
    ],
    good=[
        _job(labeling_job_algorithm_specification_arn=_ALGORITHM, machine_labeled=9000),
        # It never got sure enough to label anything itself.
        _job(labeling_job_algorithm_specification_arn=_ALGORITHM),
    ],
    exempt=[
        _job(total_labeled=4999),
        given(_job(total_labeled=1249), min_objects=100),
        _job("ACS-ImageMultiClassMultiLabel"),
        _job("ACS-NamedEntityRecognition"),
        # A function of the customer's own, whatever its name; no function at all.
        _job(annotation_consolidation_lambda_arn="arn:aws:lambda:eu-west-1:1:function:merge-labels"),
        _job(annotation_consolidation_lambda_arn=None),
        _job(sns_topic_arn="arn:aws:sns:eu-west-1:123456789012:stream"),
        _job(creation_time=moment("2026-01-01T06:00:00+00:00")),
    ],
    remedy="Pass LabelingJobAlgorithmsConfig, so that a model labels what it is sure of.",
    change=Change.NEXT_RUN,
    maps=[lens("MLCOST03-BP01")],
)
def labeling_by_hand_alone(
    job: LabelingJob, *, min_objects: int = 5000, lookback_days: float = 180
) -> Verdict:
    """Large labeling jobs should use active learning.

    People's labels are the largest cost of labeling. With active learning a model labels what it is
    sure of. Built-in image and text classification, bounding boxes and semantic segmentation of a
    whole dataset can; below 1,250 objects nothing can. Of a job that was configured for it and has
    no label by machine, the model never was sure enough.
    """
    if job.creation_time < job.region.ago(lookback_days):
        return not_applicable("it was created before the window that is looked at")
    task = (job.annotation_consolidation_lambda_arn or "").rpartition(":")[2]
    if job.sns_topic_arn or task not in ACTIVE_LEARNING_TASKS:
        return not_applicable("streaming jobs and its kind of task take no active learning")
    if job.objects < max(min_objects, FEWEST_OBJECTS):
        return not_applicable("it has too few objects to learn from")
    algorithm = job.labeling_job_algorithm_specification_arn
    counted: dict[str, Any] = {"TotalLabeled": job.total_labeled, "MachineLabeled": job.machine_labeled}
    if not algorithm:
        return failed("people label every object", **counted, Unlabeled=job.unlabeled, task=task)
    unsure = job.labeling_job_status == "Completed" and not job.machine_labeled
    note = "the model never was sure enough to label anything" if unsure else ""
    return passed(note, **counted, LabelingJobAlgorithmSpecificationArn=algorithm)
