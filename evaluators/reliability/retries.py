"""Whether the steps of pipelines are tried again after a transient fault."""

import json
from collections.abc import Mapping
from typing import Any

from collectors.sagemaker.pipelines import Pipeline, PipelineDefinition
from collectors.sample import Sample, sample
from collectors.stepfunctions import StateMachine
from evaluators.controls import lens
from evaluators.delivery import workflow
from evaluators.rule import Change, Scope, Severity, Verdict, failed, given, not_applicable, passed, rule

_JOBS = frozenset({"AutoML", "Processing", "Training", "Transform", "Tuning"})
_ARN = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/churn"
_PIPELINE = sample(Pipeline, "churn", arn=_ARN, tags={"Environment": "production"})
_RETRIES = [{"ExceptionType": ["SageMaker.CAPACITY_ERROR"], "MaxAttempts": 5}]
_TWICE = {"RetryStrategy": {"MaximumRetryAttempts": 2}}


def _defined(*steps: Mapping[str, Any]) -> Sample:
    text = json.dumps({"Version": "2020-12-01", "Steps": steps})
    return sample(PipelineDefinition, "churn", arn=_ARN, pipeline_definition=text)


def _step(kind: str, arguments: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"Name": f"{kind}Churn", "Type": kind, "Arguments": arguments or {}, **more}


_CALLS_SAGEMAKER = json.dumps(
    {"States": {"Train": {"Type": "Task", "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync"}}}
)


@rule(
    "REL-004",
    Severity.LOW,
    scope=Scope.PRODUCTION,
    bad=[
        given(_PIPELINE, _defined(_step("Processing"), _step("Training"))),
        given(_PIPELINE, _defined(_step("Training", {"RetryStrategy": {"MaximumRetryAttempts": 0}}))),
        given(
            _PIPELINE, _defined(_step("Condition", {"IfSteps": [_step("Transform")]}, RetryPolicies=_RETRIES))
        ),
        given(_PIPELINE, _defined(_step("Training", RetryPolicies=[]))),
    ],
    good=[
        given(_PIPELINE, _defined(_step("Processing"), _step("Training", RetryPolicies=_RETRIES))),
        # It covers InternalServerError alone, and is a retry all the same.
        given(_PIPELINE, _defined(_step("Training", _TWICE))),
        given(_PIPELINE, _defined(_step("Tuning", {"TrainingJobDefinition": _TWICE}))),
        given(_PIPELINE, _defined(_step("Tuning", {"TrainingJobDefinitions": [{}, _TWICE]}))),
        given(
            _PIPELINE,
            _defined(_step("Training", {"RetryStrategy": {"MaximumRetryAttempts": {"Get": "Parameters.N"}}})),
        ),
        given(
            _PIPELINE, _defined(_step("Condition", {"ElseSteps": [_step("Tuning", RetryPolicies=_RETRIES)]}))
        ),
    ],
    exempt=[
        given(_PIPELINE, _defined(_step("Lambda"))),
        given(sample(Pipeline, "churn", arn=_ARN, tags={"Environment": "dev"}), _defined(_step("Training"))),
        given(
            _PIPELINE,
            _defined(_step("Training")),
            sample(StateMachine, "retrain", definition=_CALLS_SAGEMAKER),
        ),
    ],
    remedy="Add RetryPolicies to the steps, for SageMaker.JOB_INTERNAL_ERROR, SageMaker.CAPACITY_ERROR and "
    "Step.THROTTLING, or a RetryStrategy (1 to 30) to training.",
    command="aws sagemaker update-pipeline --region {region} --pipeline-name {name} "
    "--pipeline-definition-s3-location Bucket=BUCKET,ObjectKey=KEY",
    change=Change.NEXT_RUN,
    maps=[lens("MLREL03-BP01")],
)
def pipeline_without_retries(pipeline: Pipeline) -> Verdict:
    """Pipelines should try their steps again after transient faults.

    Internal errors and missing capacity pass by themselves; without a retry they end the run. A pipeline
    passes with RetryPolicies on one step that runs a job, or a RetryStrategy, which covers internal
    errors only. What a Step Functions workflow or another scheduler repeats is not seen in a
    definition: where such a workflow uses SageMaker, nothing is said. Jobs outside of pipelines are not judged.
    """
    steps = [step for step in pipeline.definition.every_step if step.get("Type") in _JOBS]
    if not steps:
        return not_applicable("it has no step that runs a job")
    retried = [str(step.get("Name")) for step in steps if _is_retried(step)]
    if retried:
        return passed(retried=retried[:10])
    machine = workflow(pipeline.region)
    if machine:
        return not_applicable(f"{machine} may try again itself")
    return failed(
        f"none of its {len(steps)} jobs is tried again after a transient fault",
        PipelineDefinition=[f"{step.get('Name')} ({step.get('Type')})" for step in steps[:10]],
        steps=len(steps),
    )


def _is_retried(step: Mapping[str, Any]) -> bool:
    arguments = step.get("Arguments")
    held = arguments if isinstance(arguments, Mapping) else {}
    plural = held.get("TrainingJobDefinitions")
    jobs = [held, held.get("TrainingJobDefinition"), *(plural if isinstance(plural, list) else ())]
    return bool(step.get("RetryPolicies")) or any(_has_strategy(job) for job in jobs)


def _has_strategy(job: Any) -> bool:
    """Whether a job's request asks for retries; a number that is a parameter of the pipeline counts."""
    strategy = job.get("RetryStrategy") if isinstance(job, Mapping) else None
    return isinstance(strategy, Mapping) and bool(strategy.get("MaximumRetryAttempts"))
