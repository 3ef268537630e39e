"""Training jobs: hardware that fits the algorithm, data that is near, figures that are kept, containers of today."""

import re
from typing import Any

from collectors.ec2 import InstanceType
from collectors.ecr import image_reference
from collectors.s3 import Bucket
from collectors.sagemaker.mlflow import MlflowTrackingServer
from collectors.sagemaker.models import Model
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sagemaker.trial_components import TrialComponent, measured_sources
from collectors.sample import NOW, Sample, sample
from evaluators.algorithms import Algorithm, Hardware, algorithm_of, image_tag, parameter
from evaluators.controls import lens
from evaluators.families import not_judged
from evaluators.images import images_of
from evaluators.instances import facts, has_twin
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule

_AWS = "763104351884.dkr.ecr.eu-west-1.amazonaws.com"
_ALGORITHMS = "685385470294.dkr.ecr.eu-west-1.amazonaws.com"
_XGBOOST = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1"
_PYTORCH = f"{_AWS}/pytorch-training:2.5.1-gpu-py311"
_OWN = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/own:1"
_CPU = sample(InstanceType, "m5.xlarge", arn="m5.xlarge")
_GPU = sample(InstanceType, "g5.xlarge", arn="g5.xlarge", gpus=[{"count": 1}])


def _job(name: str = "churn-2026-11-18", **values: Any) -> Sample:
    base: dict[str, Any] = {
        "instance_type": "ml.m5.xlarge",
        "instance_count": 1,
        "training_image": _XGBOOST,
        "training_time_in_seconds": 10_800,
        "resource_config": {"InstanceCount": 1},
    }
    return sample(TrainingJob, name, **{**base, **values})


_ON_GPU: dict[str, Any] = {"instance_type": "ml.g5.xlarge"}
_NEWER = _job("churn-2026-11-19", creation_time=NOW)


@rule(
    "PERF-008",
    Severity.MEDIUM,
    bad=[
        given(_job(**_ON_GPU), _GPU),
        given(_job(**_ON_GPU, hyper_parameters={"tree_method": "hist"}), _GPU),
        given(_job(**_ON_GPU, training_image=f"{_ALGORITHMS}/xgboost:1"), _GPU),
        given(_job(**_ON_GPU, training_image=f"{_ALGORITHMS}/randomcutforest:1"), _GPU),
        given(_job(training_image=f"{_ALGORITHMS}/image-classification:1"), _CPU),
        given(_job(training_image=_PYTORCH), _CPU),
    ],
    good=[
        given(_job(), _CPU),
        given(_job(**_ON_GPU, hyper_parameters={"tree_method": '"gpu_hist"'}), _GPU),
        given(_job(**_ON_GPU, hyper_parameters={"device": "cuda"}), _GPU),
        given(_job(**_ON_GPU, training_image=_PYTORCH), _GPU),
        given(_job(training_image=_PYTORCH, training_time_in_seconds=600), _CPU),
        given(_job(**_ON_GPU, training_image=f"{_ALGORITHMS}/linear-learner:1"), _GPU),
    ],
    exempt=[
        given(_job(**_ON_GPU, training_image=_OWN), _GPU),
        given(_job(**_ON_GPU, training_image="quay.example.com/x:1"), _GPU),
        given(_job(**_ON_GPU), _GPU, _NEWER),
        given(_job(instance_type="ml.geospatial.interactive")),
    ],
    remedy="Move to a family that the algorithm uses: GPUs for deep learning, CPUs for the classical ones.",
    change=Change.NEXT_RUN,
    maps=[lens("MLPERF04-BP01"), lens("MLCOST04-BP14")],
)
def unfit_training_hardware(job: TrainingJob, *, min_hours: float = 2) -> Verdict:
    """The hardware of training jobs should fit the algorithm.

    A GPU does nothing for an algorithm that cannot use it, and deep learning crawls on a CPU. What
    each of AWS's algorithms uses is the guide's table; XGBoost uses GPUs from 1.2 on, with
    `tree_method` `gpu_hist` or `device` `cuda`. Images of one's own are not known.
    """
    why = not_judged(job)
    if why:
        return not_applicable(why)
    algorithm = algorithm_of(job)
    if algorithm is None:
        return not_applicable("an image whose algorithm is not known")
    if len(job.instance_types) != 1 or not has_twin(job.instance_types[0]):
        return not_applicable("a cluster of several types has no one answer")
    name = job.instance_types[0]
    has_gpu = facts(job.region, name).gpu_count > 0
    figures: dict[str, Any] = {"InstanceType": name, "TrainingImage": job.training_image}
    if has_gpu and not _uses_gpu(job, algorithm):
        return failed(f"{algorithm.name} does not use the GPU that it is given", **figures)
    if not has_gpu and algorithm.hardware is Hardware.GPU:
        return failed(f"{algorithm.name} needs a GPU", **figures)
    hours = (job.training_time_in_seconds or 0) / 3600
    if not has_gpu and not algorithm.built_in and hours >= min_hours:
        return failed(
            f"deep learning ran {hours:.1f} hours on CPUs",
            lowered=2,
            why_lowered="the container can do work that needs no GPU",
            **figures,
        )
    return passed()


def _uses_gpu(job: TrainingJob, algorithm: Algorithm) -> bool:
    if algorithm.name == "xgboost":
        version = re.match(r"(\d+)\.(\d+)", image_tag(job))
        recent = version is not None and (int(version[1]), int(version[2])) >= (1, 2)
        cuda = parameter(job, "device").startswith(("cuda", "gpu"))
        return recent and (parameter(job, "tree_method") == "gpu_hist" or cuda)
    return algorithm.hardware is not Hardware.CPU


@rule(
    "PERF-019",
    Severity.LOW,
    confidence=0.7,
    bad=[
        _job(training_image=_PYTORCH),
        _job(training_image=_OWN),
        given(_job(training_image=_OWN), sample(MlflowTrackingServer, "tracking")),
    ],
    good=[
        _job(training_image=_PYTORCH, final_metric_data_list=[{"metric_name": "auc"}]),
        _job(training_image=_OWN, metric_definitions=[{"name": "auc"}]),
        given(
            _job(training_image=_OWN),
            sample(
                TrialComponent,
                "c",
                source_arn="arn:aws:sagemaker:eu-west-1:123456789012:training-job/churn-2026-11-18",
                metrics=[{"MetricName": "auc", "Last": 0.9}],
            ),
        ),
    ],
    exempt=[
        _job(),
        _job(training_image=_OWN, training_job_status="Failed"),
        sample(TrainingJob, "customise-llama", training_image=_OWN),
        given(_job(training_image=_OWN), _NEWER),
    ],
    remedy="Define MetricDefinitions, or log metrics to the experiment run.",
    change=Change.NEXT_RUN,
    maps=[lens("MLPERF02-BP01"), lens("MLPERF04-BP03")],
)
def unmeasured_training(job: TrainingJob) -> Verdict:
    """Training jobs should record figures of the model's quality.

    Without figures no run can be compared with the one before. Metric definitions, final metrics and
    the experiment's component of the job count; AWS's algorithms publish their own. What is logged to
    MLflow alone cannot be seen here, so where a tracking server runs the finding counts less.
    """
    why = not_judged(job)
    if why:
        return not_applicable(why)
    if job.training_job_status != "Completed":
        return not_applicable("it did not complete", TrainingJobStatus=job.training_job_status)
    algorithm = algorithm_of(job)
    if algorithm is not None and algorithm.built_in:
        return not_applicable("AWS's algorithm publishes its own metrics")
    named = [metric.metric_name for metric in job.final_metric_data_list]
    if named or job.metric_definitions:
        return passed(MetricName=(named or [defined.name for defined in job.metric_definitions])[:5])
    if job.id in measured_sources(job.region):
        return passed("its experiment run has metrics")
    tracked = any(True for _ in job.region.all(MlflowTrackingServer))
    return failed(
        "nothing was recorded of how good the model is",
        lowered=1 if tracked else 0,
        why_lowered="an MLflow server may hold its metrics" if tracked else "",
        FinalMetricDataList=0,
        TrainingImage=job.training_image,
    )


_NEAR = sample(Bucket, "data", arn="arn:aws:s3:::data", bucket_region="eu-west-1")
_FAR = sample(Bucket, "data", arn="arn:aws:s3:::data", bucket_region="us-east-1")
_READS: dict[str, Any] = {"input_data_config": [{"s3_uri": "s3://data/x"}]}


@rule(
    "PERF-020",
    Severity.MEDIUM,
    bad=[given(_job(**_READS), _FAR), given(_job(s3_output_path="s3://data/out"), _FAR)],
    good=[given(_job(**_READS), _NEAR)],
    exempt=[
        _job(**_READS),
        _job(),
        given(_job(**_READS), _FAR, _NEWER),
    ],
    remedy="Replicate the data into the job's Region, or run the job where the data lies.",
    change=Change.NEXT_RUN,
    maps=[lens("MLCOST04-BP13")],
)
def distant_training_data(job: TrainingJob) -> Verdict:
    """Data should lie in the Region in which the job runs.

    Data from another Region comes slowly, and its transfer is billed. A bucket of another account
    does not tell its Region here.
    """
    why = not_judged(job)
    if why:
        return not_applicable(why)
    places: dict[str, str] = {}
    for name in sorted(job.buckets):
        bucket = job.region.find(Bucket, f"arn:aws:s3:::{name}") or job.region.find(Bucket, name)
        if bucket is not None and bucket.bucket_region:
            places[name] = bucket.bucket_region
    if not places:
        return not_applicable("it names no bucket of this account")
    far = {name: place for name, place in places.items() if place != job.region.name}
    if far:
        first = next(iter(far))
        return failed(f"{first} lies in {far[first]}", BucketRegion=far[first], buckets=far)
    return passed(BucketRegion=job.region.name)


_VERSIONS: dict[str, tuple[str, ...]] = {
    "pytorch": ("1.10", "1.11", "1.12", "1.13", "2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7"),
    "tensorflow": ("2.7", "2.8", "2.9", "2.10", "2.11", "2.12", "2.13", "2.14", "2.16", "2.18", "2.19"),
    "xgboost": ("0.90", "1.0", "1.2", "1.3", "1.5", "1.7"),
}
"""Minor versions of AWS's containers in order, as far as they were known here: newer ones may exist, so that an
image is at least as far behind as it seems."""

_RETIRED = ("py2", "-py27", "-py36", "-py37")
_VERSIONED = re.compile(r"(?:sagemaker-|huggingface-)?(pytorch|tensorflow|xgboost|mxnet|chainer)(?:-|$)")
_OLD = f"{_AWS}/pytorch-training:1.6.0-gpu-py36-cu110"


def _model(image: str) -> Sample:
    return sample(Model, "churn", primary_container={"image": image})


@rule(
    "PERF-011",
    Severity.LOW,
    confidence=0.7,
    bad=[
        _job(training_image=_OLD),
        _job(training_image=f"{_AWS}/pytorch-training:2.1.0-gpu-py310"),
        _job(training_image=f"{_ALGORITHMS}/sagemaker-chainer:5.0.0-cpu-py3"),
        _model(f"{_AWS}/tensorflow-inference:2.8.0-cpu"),
        _model(f"{_AWS}/tensorflow-inference:1.15.2-cpu-py27"),
    ],
    good=[
        _job(),
        _job(training_image=_PYTORCH),
        _job(training_image=f"{_AWS}/pytorch-training:2.99.0-gpu-py399"),
        _model(f"{_AWS}/tensorflow-inference:2.18.0-cpu"),
        given(_job(training_image=f"{_AWS}/pytorch-training:2.1.0-gpu-py310"), max_age_versions=8),
    ],
    exempt=[
        _job(training_image=f"{_ALGORITHMS}/kmeans:1"),
        _job(training_image=f"{_AWS}/pytorch-training:latest"),
        _job(training_image=_OWN),
        _model(_OWN),
        _model("141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"),
        given(_job(training_image=_OLD), _NEWER),
    ],
    remedy="Move to a version of the container that AWS still supports.",
    change=Change.NEXT_RUN,
    maps=[lens("MLCOST04-BP04"), lens("MLPERF04-BP02")],
)
def outdated_framework_container(
    work: TrainingJob | Model,
    *,
    max_age_versions: int = 4,
    unsupported_patterns: tuple[str, ...] = _RETIRED,
) -> Verdict:
    """Jobs and models should use containers of frameworks that AWS still supports.

    Newer containers are faster and get security fixes. The age is counted in minor versions of AWS's
    own containers; those that came out after this release of auditor are not known to it, so it may
    say too little, never too much. Chainer and the containers of Python 2, 3.6 and 3.7 are retired.
    """
    if isinstance(work, TrainingJob):
        why = not_judged(work)
        if why:
            return not_applicable(why)
        images: tuple[str, ...] = (work.training_image,) if work.training_image else ()
    else:
        images = images_of([work])
    judged = [(image, _age(image, work.region.account, unsupported_patterns)) for image in images]
    known = {image: age for image, age in judged if age is not None}
    if not known:
        return not_applicable("no container of AWS's with a version")
    oldest = max(known, key=lambda image: known[image])
    evidence: dict[str, Any] = {"TrainingImage" if isinstance(work, TrainingJob) else "Image": oldest}
    if known[oldest] > max_age_versions:
        what = "is retired" if known[oldest] == _NEVER else f"is at least {known[oldest]} versions behind"
        return failed(f"its container {what}", **evidence)
    return passed(**evidence)


_NEVER = 1_000


def _age(image: str, account: str, retired: tuple[str, ...]) -> int | None:
    """How many minor versions an image is behind, `None` for what has no version that is known here."""
    reference = image_reference(image)
    if reference is None or reference.registry == account:
        return None
    named = _VERSIONED.match(reference.repository.rpartition("/")[2])
    if named is None:
        return None
    if named[1] == "chainer" or any(pattern in reference.tag for pattern in retired):
        return _NEVER
    version = re.match(r"(\d+)\.(\d+)", reference.tag)
    known = _VERSIONS.get(named[1], ())
    if version is None or not known:
        return None
    own = (int(version[1]), int(version[2]))
    return sum(1 for text in known if _pair(text) > own)


def _pair(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    return int(major), int(minor)
