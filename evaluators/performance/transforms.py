"""Batch transform jobs: whether they use the instances that they pay for."""

from datetime import timedelta
from functools import partial
from typing import Any

from collectors.ec2 import InstanceType
from collectors.model import Reason, Unread
from collectors.sagemaker.models import Model
from collectors.sagemaker.transform_jobs import DESCRIBE, TransformJob
from collectors.sample import NOW, Sample, sample
from collectors.transform_inputs import TransformSource
from evaluators.controls import lens
from evaluators.encryption import lacking
from evaluators.families import older_run, transform_families
from evaluators.images import aws_repository, images_of
from evaluators.instances import facts, has_twin, is_accelerated
from evaluators.rule import Change, Given, Severity, Verdict, failed, given, not_applicable, passed, rule

_SPLITS = frozenset({"Line", "RecordIO", "TFRecord"})
_START = NOW - timedelta(days=2)
_XGBOOST = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1"
_OWN = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/churn:1"
_CPU = sample(InstanceType, "m5.xlarge", arn="m5.xlarge", default_v_cpus=4)
_SINGLE = sample(InstanceType, "t2.small", arn="t2.small", default_v_cpus=1)
_GPU = sample(InstanceType, "g5.xlarge", arn="g5.xlarge", default_v_cpus=4, gpus=[{"count": 1}])


def _job(name: str = "score-2026-11-18", **values: Any) -> Sample:
    base: dict[str, Any] = {
        "model_name": "churn",
        "batch_strategy": "MultiRecord",
        "split_type": "Line",
        "max_concurrent_transforms": 4,
        "transform_start_time": _START,
        "transform_end_time": _START + timedelta(hours=2),
        "transform_resources": {"instance_type": "ml.m5.xlarge", "instance_count": 1},
        "s3_data_type": "S3Prefix",
        "s3_uri": "s3://churn/scoring/",
    }
    return sample(TransformJob, name, **{**base, **values})


def _with(image: str, **values: Any) -> Given:
    return given(_job(**values), sample(Model, "churn", primary_container={"image": image}), _CPU)


_THREE: dict[str, Any] = {"transform_resources": {"instance_type": "ml.m5.xlarge", "instance_count": 3}}
_ON_GPU: dict[str, Any] = {"transform_resources": {"instance_type": "ml.g5.xlarge", "instance_count": 1}}
_SMALL: dict[str, Any] = {"transform_resources": {"instance_type": "ml.t2.small", "instance_count": 1}}


def _objects(count: int, *, more: bool = False) -> Sample:
    arn = "arn:aws:sagemaker:eu-west-1:123456789012:transform-job/score-2026-11-18"
    return sample(TransformSource, arn, arn=arn, key_count=count, is_truncated=more)


@rule(
    "PERF-022",
    Severity.LOW,
    confidence=0.7,
    bad=[
        given(_job(batch_strategy="SingleRecord"), _CPU),
        given(_job(max_concurrent_transforms=1), _CPU),
        _with(_OWN, batch_strategy=None),
        _with(_OWN, max_concurrent_transforms=0),
        _with(_OWN, max_concurrent_transforms=None),
        # One object cannot be spread over instances.
        given(_job(**_THREE), _objects(1), _CPU),
        given(_job(**_THREE), _objects(2), _CPU),
    ],
    good=[
        given(_job(), _CPU),
        given(_job(**_THREE), _objects(3, more=True), _CPU),
        given(_job(**_THREE), _objects(3), _CPU),
        # The objects are gone by now, or nobody here may count them.
        given(_job(**_THREE), _objects(0), _CPU),
        given(_job(**_THREE, s3_data_type="ManifestFile"), _CPU),
        given(_job(batch_strategy="SingleRecord", split_type="None"), _CPU),
        given(_job(batch_strategy=None, split_type=None), _CPU),
        given(_job(max_concurrent_transforms=1, **_SMALL), _SINGLE),
        given(_job(max_concurrent_transforms=1, **_ON_GPU), _GPU),
        # AWS's containers choose what is unset.
        _with(_XGBOOST, batch_strategy=None, max_concurrent_transforms=0),
    ],
    exempt=[
        given(_job(batch_strategy="SingleRecord", transform_end_time=_START + timedelta(minutes=9)), _CPU),
        given(_job(batch_strategy="SingleRecord", transform_end_time=None), _CPU),
        given(
            _job(
                batch_strategy="SingleRecord",
                auto_ml_job_arn="arn:aws:sagemaker:eu-west-1:123456789012:automl-job/a",
            ),
            _CPU,
        ),
        given(
            _job(
                batch_strategy="SingleRecord",
                labeling_job_arn="arn:aws:sagemaker:eu-west-1:123456789012:labeling-job/l",
            ),
            _CPU,
        ),
        given(_job(batch_strategy="SingleRecord"), _job("score-2026-11-19", creation_time=NOW), _CPU),
    ],
    remedy="Set BatchStrategy to MultiRecord with SplitType Line, MaxConcurrentTransforms near the number of "
    "vCPUs, and no more instances than input objects.",
    change=Change.NEXT_RUN,
    maps=[lens("MLCOST05-BP01"), lens("MLPERF05-BP02")],
)
def slow_transform_configuration(job: TransformJob, *, min_seconds: int = 1800) -> Verdict:
    """Long batch transform jobs should be configured for throughput.

    One record a request, one request at a time and instances without an object of their own leave paid
    cores idle. AWS's containers choose what is unset, an own one seldom does. Concurrency is not judged
    on accelerators, and objects are those of today: where none is left, in manifests and in other
    accounts' buckets they are not counted. The latest run of a family is judged.
    """
    why = older_run(job, transform_families(job.region))
    if why:
        return not_applicable(why)
    if job.labeling_job_arn or job.auto_ml_job_arn:
        return not_applicable("a labeling or AutoML job made it")
    start, end = job.transform_start_time, job.transform_end_time
    seconds = (end - start).total_seconds() if start is not None and end is not None else 0
    if seconds < min_seconds:
        return not_applicable("it is short, or still running")
    wrong = lacking(
        (
            ("one record is sent at a time", partial(_sends_single_records, job)),
            ("one request is sent at a time", partial(_sends_single_requests, job)),
            ("it has more instances than input objects", partial(_has_idle_instances, job)),
        )
    )
    figures: dict[str, Any] = {
        "BatchStrategy": job.batch_strategy,
        "SplitType": job.split_type,
        "MaxConcurrentTransforms": job.max_concurrent_transforms,
        "InstanceType": _instance_type(job),
        "InstanceCount": _instances(job),
        "seconds": round(seconds),
    }
    return failed("; ".join(wrong), **figures) if wrong else passed(**figures)


def _instances(job: TransformJob) -> int:
    resources = job.transform_resources
    return (resources.instance_count if resources else None) or 1


def _instance_type(job: TransformJob) -> str:
    resources = job.transform_resources
    return (resources.instance_type if resources else None) or ""


def _sends_single_records(job: TransformJob) -> bool:
    if job.split_type not in _SPLITS or job.batch_strategy == "MultiRecord":
        return False
    return job.batch_strategy == "SingleRecord" or not _chooses_itself(job)


def _sends_single_requests(job: TransformJob) -> bool:
    asked = job.max_concurrent_transforms or 0
    instance_type = _instance_type(job)
    if asked > 1 or not has_twin(instance_type):
        return False
    kind = facts(job.region, instance_type)
    if kind.default_v_cpus < 2 or is_accelerated(kind):
        return False
    return asked == 1 or not _chooses_itself(job)


def _chooses_itself(job: TransformJob) -> bool:
    """Whether its containers are AWS's, which answer /execution-parameters where a setting is left out.

    Raises `Unread` where its model is gone: nobody can tell what ran.
    """
    model = job.region.find(Model, job.model_name or "")
    images = images_of((model,)) if model is not None else ()
    if not images:
        raise Unread(job.gap(str(DESCRIBE), Reason.VANISHED, f"the image of its model {job.model_name}"))
    return all(aws_repository(image, job.region.account) is not None for image in images)


def _has_idle_instances(job: TransformJob) -> bool:
    instances = _instances(job)
    if instances < 2 or job.s3_data_type != "S3Prefix":
        return False
    source = job.region.find(TransformSource, job.id)
    return source is not None and not source.is_truncated and 0 < source.key_count < instances
