"""Debugger and profiler: whether costly training is looked into, and whether what they find is mended."""

from collections import Counter
from typing import Any

from collectors.ec2 import InstanceType
from collectors.sagemaker.profiled_jobs import ProfiledJob
from collectors.sagemaker.training_jobs import RuleEvaluation, TrainingJob
from collectors.sample import NOW, Sample, sample
from evaluators.algorithms import algorithm_of
from evaluators.controls import lens
from evaluators.families import not_judged, runs_of, training_families
from evaluators.instances import facts, has_twin
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule

_PYTORCH = "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-training:2.5.1-gpu-py311"
_XGBOOST = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1"
_OWN = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/own:1"
_CPU = sample(InstanceType, "m5.xlarge", arn="m5.xlarge")
_GPU = sample(InstanceType, "g5.xlarge", arn="g5.xlarge", gpus=[{"count": 1}])
_PROFILE = {"S3OutputPath": "s3://profiles/", "ProfilingIntervalInMilliseconds": 500}


def _job(name: str = "churn-2026-11-18", **values: Any) -> Sample:
    base: dict[str, Any] = {
        "instance_type": "ml.g5.xlarge",
        "instance_count": 1,
        "training_image": _PYTORCH,
        "training_time_in_seconds": 10_800,
    }
    return sample(TrainingJob, name, **{**base, **values})


_NEWER = _job("churn-2026-11-19", creation_time=NOW)


@rule(
    "PERF-009",
    Severity.LOW,
    bad=[
        given(_job(), _GPU),
        given(_job(profiler_config={"DisableProfiler": True}), _GPU),
        given(_job(training_image=_OWN), _GPU),
    ],
    good=[
        given(_job(profiler_config=_PROFILE), _GPU),
        given(_job(debug_hook_config={"S3OutputPath": "s3://debug/"}), _GPU),
        given(_job(debug_rule_configurations=[{"RuleConfigurationName": "Overfit"}]), _GPU),
        given(_job(tensor_board_output_config={"S3OutputPath": "s3://board/"}), _GPU),
    ],
    exempt=[
        given(_job(training_time_in_seconds=600), _GPU),
        given(_job(instance_type="ml.m5.xlarge", training_image=_XGBOOST), _CPU),
        given(_job(keep_alive_period_in_seconds=600), _GPU),
        given(_job(), _GPU, _NEWER),
    ],
    remedy="Set ProfilerConfig; a job that is running takes it as well.",
    command="aws sagemaker update-training-job --training-job-name {name} "
    "--profiler-config S3OutputPath=s3://BUCKET/PREFIX,ProfilingIntervalInMilliseconds=500",
    change=Change.IN_PLACE,
    maps=[lens("MLCOST06-BP04"), lens("MLPERF04-BP02")],
)
def unprofiled_deep_learning(job: TrainingJob, *, min_seconds: int = 7200) -> Verdict:
    """Long deep-learning jobs should run with the profiler or Debugger.

    They tell where the time of GPUs goes. Classical algorithms on CPUs, short runs, and the quick
    iterations of a warm pool gain little from it.
    """
    why = not_judged(job)
    if why:
        return not_applicable(why)
    if (job.training_time_in_seconds or 0) < min_seconds:
        return not_applicable("it ran too short to gain from it")
    if job.keep_alive_period_in_seconds:
        return not_applicable("iterations on a warm pool")
    if job.profiler_config is not None and job.disable_profiler is not True:
        return passed("it is profiled")
    if job.debug_hook_config or job.debug_rule_configurations or job.tensor_board_output_config:
        return passed("Debugger or TensorBoard looks into it")
    if not _is_deep(job):
        return not_applicable("no deep learning")
    return failed(
        "nobody looks where its time goes",
        DisableProfiler=job.disable_profiler,
        TrainingTimeInSeconds=job.training_time_in_seconds,
        InstanceType=job.instance_type,
    )


def _is_deep(job: TrainingJob) -> bool:
    algorithm = algorithm_of(job)
    if algorithm is not None and algorithm.deep:
        return True
    return any(has_twin(name) and facts(job.region, name).gpu_count for name in job.instance_types)


_FOUND = "IssuesFound"
_BEFORE = _job("churn-2026-11-17", creation_time="2026-11-17T06:00:00+00:00")


def _profiled(name: str, *found: str) -> Sample:
    statuses = [{"rule_configuration_name": rule_, "rule_evaluation_status": _FOUND} for rule_ in found]
    return sample(ProfiledJob, name, arn=_arn(name), profiler_rule_evaluation_statuses=statuses)


def _arn(name: str) -> str:
    return f"arn:aws:sagemaker:eu-west-1:123456789012:training-job/{name}"


def _debugged(name: str = "churn-2026-11-18", status: str = _FOUND, **more: Any) -> Sample:
    rules = [{"rule_configuration_name": "VanishingGradient", "rule_evaluation_status": status}]
    return _job(name, debug_rule_evaluation_statuses=rules, **more)


_YESTERDAY: dict[str, Any] = {"creation_time": "2026-11-17T06:00:00+00:00"}


@rule(
    "PERF-010",
    Severity.MEDIUM,
    bad=[
        given(_debugged(), _debugged("churn-2026-11-17", **_YESTERDAY)),
        given(
            _job(profiler_config=_PROFILE),
            _job("churn-2026-11-17", profiler_config=_PROFILE, **_YESTERDAY),
            _profiled("churn-2026-11-18", "LowGPUUtilization"),
            _profiled("churn-2026-11-17", "LowGPUUtilization", "IOBottleneck"),
        ),
    ],
    good=[
        given(_debugged(status="NoIssuesFound"), _debugged("churn-2026-11-17", **_YESTERDAY)),
        _debugged(),
        # A rule that broke has found nothing.
        given(_debugged(status="Error"), _debugged("churn-2026-11-17", status="Error", **_YESTERDAY)),
        given(
            _job(profiler_config=_PROFILE),
            _job("churn-2026-11-17", profiler_config=_PROFILE, **_YESTERDAY),
            _profiled("churn-2026-11-18", "BatchSize"),
            _profiled("churn-2026-11-17", "IOBottleneck"),
        ),
    ],
    exempt=[
        _job(),
        given(_job(profiler_config=_PROFILE), _profiled("churn-2026-11-18")),
        given(_debugged(), _NEWER),
    ],
    remedy="Follow the profiling report: batch size, input pipeline, another instance type.",
    change=Change.NEXT_RUN,
    maps=[lens("MLCOST06-BP04")],
)
def ignored_profiler_findings(job: TrainingJob, *, repeat: int = 2) -> Verdict:
    """What Debugger and the profiler find should be mended before the next run.

    A rule that finds the same in run after run is paid for and not read. The latest run of a family
    is judged; a rule that ended in an error has found nothing.
    """
    why = not_judged(job)
    if why:
        return not_applicable(why)
    latest = _statuses(job)
    if not latest:
        return not_applicable("no rule of Debugger or the profiler is set")
    open_ = {status.rule_configuration_name for status in latest if status.rule_evaluation_status == _FOUND}
    if not open_:
        return passed(rules=len(latest))
    seen: Counter[str] = Counter()
    for number, run in enumerate(runs_of(job, training_families(job.region))):
        if number >= repeat:
            break
        found = {s.rule_configuration_name for s in _statuses(run) if s.rule_evaluation_status == _FOUND}
        seen.update(found & open_)
    again = sorted(name for name, times in seen.items() if times >= repeat)
    if again:
        return failed(
            f"{', '.join(again)} found the same in {repeat} runs",
            RuleEvaluationStatus=_FOUND,
            rules=again,
        )
    return passed("found for the first time", rules=sorted(open_))


def _statuses(job: TrainingJob) -> list[RuleEvaluation]:
    """The rules of a run; those of the profiler only where it writes a profile."""
    found = list(job.debug_rule_evaluation_statuses)
    if job.profiler_config is not None and job.disable_profiler is not True:
        profiled = job.region.find(ProfiledJob, job.id)
        if profiled is not None:
            found += profiled.profiler_rule_evaluation_statuses
    return found
