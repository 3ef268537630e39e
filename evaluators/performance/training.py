"""Training jobs: whether they use what they pay for."""

from typing import Any

from collectors.ec2 import InstanceType
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sample import NOW, Sample, sample
from evaluators.controls import lens
from evaluators.families import is_among_newest, not_judged
from evaluators.instances import facts, has_twin, is_accelerated
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule

_CPU = sample(InstanceType, "m5.xlarge", arn="m5.xlarge", default_v_cpus=4)
_GPU = sample(InstanceType, "g5.12xlarge", arn="g5.12xlarge", default_v_cpus=48, gpus=[{"count": 4}])
_TRAINIUM = sample(
    InstanceType, "trn1.32xlarge", arn="trn1.32xlarge", default_v_cpus=128, neuron_info={"NeuronDevices": []}
)


def _job(name: str = "churn-2026-11-18", **values: Any) -> Sample:
    base: dict[str, Any] = {
        "instance_type": "ml.m5.xlarge",
        "instance_count": 1,
        "training_time_in_seconds": 7_200,
    }
    return sample(TrainingJob, name, **{**base, **values})


@rule(
    "PERF-006",
    Severity.MEDIUM,
    bad=[
        given(_job(cpu_utilization=[40.0] * 24, memory_utilization=[20.0] * 24), _CPU),
        given(_job(instance_type="ml.g5.12xlarge", gpu_utilization=[80.0] * 24), _GPU),
    ],
    good=[
        given(_job(cpu_utilization=[300.0] * 24, memory_utilization=[20.0] * 24), _CPU),
        given(_job(cpu_utilization=[40.0] * 24, memory_utilization=[20.0, 60.0]), _CPU),
        given(_job(instance_type="ml.g5.12xlarge", gpu_utilization=[200.0] * 24), _GPU),
    ],
    exempt=[
        given(_job(training_time_in_seconds=900, cpu_utilization=[1.0]), _CPU),
        given(_job(), _CPU),
        given(_job(instance_type="ml.g5.12xlarge"), _GPU),
        given(
            _job(instance_type="ml.trn1.32xlarge", cpu_utilization=[40.0], memory_utilization=[2.0]),
            _TRAINIUM,
        ),
        given(
            _job(tuning_job_arn="arn:aws:sagemaker:eu-west-1:123456789012:hyper-parameter-tuning-job/t"), _CPU
        ),
        given(_job(cpu_utilization=[1.0]), _job("churn-2026-11-19", creation_time=NOW), _CPU),
        given(_job(cpu_utilization=[1.0]), _job("fraud-2026-11-19", creation_time=NOW), _CPU, max_jobs=1),
    ],
    remedy="Look at input pipeline and batch size, then take a smaller or another instance type in the next run.",
    change=Change.NEXT_RUN,
    maps=[lens("MLCOST04-BP01"), lens("MLPERF04-BP01")],
)
def underused_training_hardware(
    job: TrainingJob,
    *,
    min_seconds: int = 1800,
    gpu_low_percent: float = 30,
    cpu_low_percent: float = 20,
    mem_low_percent: float = 25,
    max_jobs: int = 200,
) -> Verdict:
    """Training jobs should use the hardware that they pay for.

    The metrics of one run say how to improve the next. CPU and GPU figures are sums over cores and
    GPUs, so they are divided by their number. The latest run of each family is judged, of at most the
    newest `max_jobs`; runs without datapoints, and clusters of several types, are left out.
    """
    why = not_judged(job)
    if why:
        return not_applicable(why)
    if (job.training_time_in_seconds or 0) < min_seconds:
        return not_applicable("it ran too short to tell")
    if not is_among_newest(job, max_jobs):
        return not_applicable(f"{max_jobs} families have newer runs")
    if len(job.instance_types) != 1 or not has_twin(job.instance_types[0]):
        return not_applicable("a cluster of several types has no one figure")
    kind = facts(job.region, job.instance_types[0])
    if kind.gpu_count:
        gpu = job.gpu_utilization.mean()
        if gpu is None:
            return not_applicable("it published no GPU metrics")
        used = round(gpu / kind.gpu_count, 1)
        if used < gpu_low_percent:
            return failed(
                f"its GPUs were used to {used} %", GPUUtilization=used, InstanceType=job.instance_types[0]
            )
        return passed()
    if is_accelerated(kind):
        return not_applicable("CloudWatch has no metric of the chips that do its work")
    cpu, memory = job.cpu_utilization.mean(), job.memory_utilization.maximum()
    if cpu is None or memory is None:
        return not_applicable("it published no metrics")
    used = round(cpu / kind.default_v_cpus, 1)
    if used < cpu_low_percent and memory < mem_low_percent:
        return failed(
            f"its cores were used to {used} % and its memory to {memory:.0f} % at most",
            CPUUtilization=used,
            MemoryUtilization=round(memory, 1),
            InstanceType=job.instance_types[0],
        )
    return passed()
