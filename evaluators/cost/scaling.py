"""Training jobs: how many instances do the work, and which."""

from typing import Any

from collectors.ec2 import InstanceType
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sample import NOW, Sample, sample
from evaluators.algorithms import algorithm_of, is_distributed, parameter
from evaluators.controls import lens
from evaluators.families import not_judged
from evaluators.instances import facts, family, has_twin
from evaluators.money import Usage
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule

_AWS = "763104351884.dkr.ecr.eu-west-1.amazonaws.com"
_PYTORCH = f"{_AWS}/pytorch-training:2.5.1-gpu-py311"
_TEXT = "685385470294.dkr.ecr.eu-west-1.amazonaws.com/blazingtext:1"
_SHARDED = [{"s3_uri": "s3://data/", "s3_data_distribution_type": "ShardedByS3Key"}]


def _job(name: str = "churn-2026-11-18", **values: Any) -> Sample:
    base: dict[str, Any] = {
        "instance_type": "ml.m5.xlarge",
        "instance_count": 2,
        "training_image": _PYTORCH,
        "billable_time_in_seconds": 7_200,
    }
    values = {**base, **values}
    count = {"InstanceType": values["instance_type"], "InstanceCount": values["instance_count"]}
    return sample(TrainingJob, name, resource_config=count, **values)


def _idle_nodes(job: TrainingJob) -> list[Usage]:
    """A month of what the instances beyond the first cost, if the family runs on as its latest run did."""
    hours = (job.billable_time_in_seconds or 0) / 3600
    if not hours or not job.instance_type:
        return []
    return [Usage("training", job.instance_type, hours=hours, count=job.total_instances - 1)]


@rule(
    "COST-024",
    Severity.MEDIUM,
    bad=[
        _job(training_image=_TEXT),
        _job(training_image=_TEXT, hyper_parameters={"mode": "supervised"}),
        _job(),
        _job(hyper_parameters={"sagemaker_parameter_server_enabled": "false"}),
        _job(
            hyper_parameters={
                "sagemaker_submit_directory": '"s3://jumpstart-cache-prod-eu-west-1/source/catboost/t.gz"'
            }
        ),
    ],
    good=[
        _job(instance_count=1),
        _job(training_image=_TEXT, hyper_parameters={"mode": '"batch_skipgram"'}),
        _job(hyper_parameters={"sagemaker_torch_distributed_enabled": "true"}),
        _job(hyper_parameters={"sagemaker_mpi_enabled": "true"}),
        _job(input_data_config=_SHARDED),
        _job(training_image="685385470294.dkr.ecr.eu-west-1.amazonaws.com/kmeans:1"),
    ],
    exempt=[
        _job(training_image="123456789012.dkr.ecr.eu-west-1.amazonaws.com/own:1"),
        _job(training_image="quay.example.com/other:1"),
        _job(tuning_job_arn="arn:aws:sagemaker:eu-west-1:123456789012:hyper-parameter-tuning-job/t"),
        given(_job(), _job("churn-2026-11-19", creation_time=NOW)),
    ],
    remedy="Set InstanceCount to 1, or switch a distribution library on.",
    change=Change.NEXT_RUN,
    maps=[lens("MLCOST04-BP07"), lens("MLCOST04-BP14")],
)
def idle_training_nodes(job: TrainingJob) -> Verdict:
    """Algorithms that cannot share their work should train on one instance.

    The other instances repeat the same work or wait, and are billed alike. Of AWS's algorithms the
    guide tells which share work; BlazingText does in mode `batch_skipgram`. In a framework container
    the SDK's hyperparameters, or sharded input, say that a script shares it. An image of one's own
    may have a launcher of its own.
    """
    why = not_judged(job)
    if why:
        return not_applicable(why)
    algorithm = algorithm_of(job)
    if algorithm is None:
        return not_applicable("an image that is not AWS's may share work in a way of its own")
    if job.total_instances < 2:
        return passed()
    skipgram = algorithm.name == "blazingtext" and parameter(job, "mode") == "batch_skipgram"
    shares = algorithm.distributed if algorithm.built_in else is_distributed(job)
    if shares or skipgram:
        return passed()
    return failed(
        f"{algorithm.name} on {job.total_instances} instances, and nothing shares the work",
        waste=_idle_nodes(job),
        InstanceCount=job.instance_count,
        TrainingImage=job.training_image,
        instances=job.total_instances,
    )


_GPUS = {
    "g4dn": {"xlarge": 1, "2xlarge": 1, "4xlarge": 1, "8xlarge": 1, "12xlarge": 4, "16xlarge": 1},
    "g5": {
        "xlarge": 1,
        "2xlarge": 1,
        "4xlarge": 1,
        "8xlarge": 1,
        "12xlarge": 4,
        "16xlarge": 1,
        "24xlarge": 4,
        "48xlarge": 8,
    },
    "g6": {
        "xlarge": 1,
        "2xlarge": 1,
        "4xlarge": 1,
        "8xlarge": 1,
        "12xlarge": 4,
        "16xlarge": 1,
        "24xlarge": 4,
        "48xlarge": 8,
    },
    "p3": {"2xlarge": 1, "8xlarge": 4, "16xlarge": 8},
}
"""GPUs of one instance by family and size, where a family has sizes with several. Source: EC2's instance pages."""

_G5 = sample(InstanceType, "g5.xlarge", arn="g5.xlarge", gpus=[{"count": 1}])
_P4 = sample(InstanceType, "p4d.24xlarge", arn="p4d.24xlarge", gpus=[{"count": 8}], efa_supported=True)
_P3 = sample(InstanceType, "p3.16xlarge", arn="p3.16xlarge", gpus=[{"count": 8}], efa_supported=False)
_MPI: dict[str, Any] = {"hyper_parameters": {"sagemaker_mpi_enabled": "true"}}


@rule(
    "COST-025",
    Severity.LOW,
    confidence=0.4,
    bad=[
        given(_job(instance_type="ml.g5.xlarge", instance_count=4, **_MPI), _G5),
        given(_job(instance_type="ml.p4d.24xlarge"), _P4),
        given(_job(instance_type="ml.p3.16xlarge", **_MPI), _P3),
    ],
    good=[
        given(_job(instance_type="ml.p4d.24xlarge", **_MPI), _P4),
        given(_job(instance_type="ml.g5.xlarge", instance_count=1), _G5),
    ],
    exempt=[
        given(_job(), sample(InstanceType, "m5.xlarge", arn="m5.xlarge")),
        _job(training_image="685385470294.dkr.ecr.eu-west-1.amazonaws.com/kmeans:1"),
        _job(training_image="123456789012.dkr.ecr.eu-west-1.amazonaws.com/own:1"),
        given(_job(instance_type="ml.p4d.24xlarge"), _P4, _job("churn-2026-11-19", creation_time=NOW)),
    ],
    remedy="Fill one instance with several GPUs first; then take types with EFA and a distribution library.",
    change=Change.NEXT_RUN,
    maps=[lens("MLCOST04-BP07"), lens("MLPERF04-BP01")],
)
def scattered_training_gpus(job: TrainingJob) -> Verdict:
    """Deep learning should fill the GPUs of one instance before it takes several.

    GPUs of one instance talk faster than those of two. Advice only: capacity, quotas and memory may
    force many small instances, and none of these is seen. Classical algorithms on CPUs scale out
    first, which is right for them.
    """
    why = not_judged(job)
    if why:
        return not_applicable(why)
    algorithm = algorithm_of(job)
    if algorithm is None or not algorithm.deep:
        return not_applicable("no deep learning with a container of AWS's")
    if len(job.instance_types) != 1 or not has_twin(job.instance_types[0]):
        return not_applicable("a cluster of several types has no one answer")
    name, count = job.instance_types[0], job.total_instances
    kind = facts(job.region, name)
    if not kind.gpu_count:
        return not_applicable("no GPU")
    if count < 2:
        return passed()
    sizes = _GPUS.get(family(name), {})
    roomier = max(sizes.values(), default=0)
    figures: dict[str, Any] = {
        "InstanceType": name,
        "InstanceCount": job.instance_count,
        "gpus": count * kind.gpu_count,
    }
    if kind.gpu_count < roomier and count * kind.gpu_count <= roomier:
        return failed(f"one instance of {family(name)} has {roomier} GPUs: it would do", **figures)
    if count * kind.gpu_count >= _MANY and not is_distributed(job):
        return failed("no distribution library is switched on for so many GPUs", **figures)
    if kind.efa_supported is not True:
        return failed("its instances talk without EFA", **figures)
    return passed()


_MANY = 8
