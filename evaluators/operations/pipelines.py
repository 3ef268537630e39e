"""SageMaker pipelines: whether they succeed, start by themselves, and stop bad models."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from collectors.events import EventRule
from collectors.model import Reason, Unread
from collectors.sagemaker.pipelines import (
    FAILED,
    ExecutionSteps,
    Pipeline,
    PipelineDefinition,
    PipelineExecution,
    branches,
)
from collectors.sample import NOW, Sample, sample
from collectors.scheduler import Schedule
from evaluators.controls import lens
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule
from evaluators.signs import first_sign
from evaluators.triggers import rule_triggers, schedule_triggers

_ARN = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/churn"
_PIPELINE = sample(Pipeline, "churn", arn=_ARN)


def _run(day: int, status: str = "Succeeded", **values: Any) -> Sample:
    return sample(
        PipelineExecution,
        f"{_ARN}/execution/{day}",
        arn=f"{_ARN}/execution/{day}",
        pipeline_arn=_ARN,
        pipeline_execution_status=status,
        creation_time=NOW.replace(day=day),
        **values,
    )


def _steps(day: int, *, gate: bool = False) -> Sample:
    steps = [{"fail": {"ErrorMessage": "AUC below 0.8"} if gate else None}]
    arn = f"{_ARN}/execution/{day}"
    return sample(ExecutionSteps, arn, arn=arn, pipeline_execution_steps=steps)


_FAILED_ONCE = (_run(9, "Failed", failure_reason="ClientError"), _steps(9))


@rule(
    "OPS-011",
    Severity.MEDIUM,
    bad=[
        given(_PIPELINE, _run(8), *_FAILED_ONCE),
        given(_PIPELINE, _run(12), _run(11), *_FAILED_ONCE, _run(10, "CompletedWithFailures"), _steps(10)),
        given(_PIPELINE, _run(19, "Executing"), *_FAILED_ONCE, _run(8), _run(7), _run(6)),
    ],
    good=[
        given(_PIPELINE, _run(12), _run(11)),
        given(_PIPELINE, _run(12), _run(11), _run(10), *_FAILED_ONCE),
        given(_PIPELINE, _run(8), _run(9, "Failed"), _steps(9, gate=True)),
        given(_PIPELINE, _run(12), *_FAILED_ONCE, max_executions=1),
        given(_PIPELINE, _run(12), _run(11, "Stopped"), _run(10, "Stopping")),
    ],
    exempt=[_PIPELINE, given(_PIPELINE, _run(12, "Executing"))],
    remedy="Read FailureReason and the steps of the last run, mend the step and retry from there.",
    command="aws sagemaker list-pipeline-executions --region {region} --pipeline-name {name}",
    change=Change.NEXT_RUN,
    maps=[lens("MLREL03-BP01")],
)
def failing_pipeline(
    pipeline: Pipeline, *, max_executions: int = 20, max_failed_share: float = 0.3
) -> Verdict:
    """Pipeline executions should succeed.

    A pipeline that fails blocks retraining, and with it the way back from a bad model. The newest
    runs within the window are judged: too many failed, or the latest did. A run that a Fail step
    ended is none of them: a quality gate did its work. Runs that still go on or were stopped are no
    failures.
    """
    runs = pipeline.runs[:max_executions]
    finished = [run for run in runs if run.pipeline_execution_status not in ("Executing", "Stopping")]
    if not finished:
        return not_applicable("no run ended within the window")
    broken = [
        run for run in finished if run.pipeline_execution_status in FAILED and not run.refused_by_a_gate
    ]
    share = len(broken) / len(finished)
    if share < max_failed_share and finished[0] not in broken:
        return passed(failed_share=round(share, 2))
    return failed(
        "the latest run failed" if finished[0] in broken else f"{share:.0%} of the last runs failed",
        PipelineExecutionStatus=finished[0].pipeline_execution_status,
        FailureReason=next((run.failure_reason for run in broken if run.failure_reason), None),
        failed_share=round(share, 2),
        runs=len(finished),
    )


_BY_ANNA = {
    "user_profile_arn": "arn:aws:sagemaker:eu-west-1:123456789012:user-profile/d-1/anna",
    "arn": "arn:aws:sts::123456789012:assumed-role/studio/SageMaker",
}
_BY_CI = {"arn": "arn:aws:sts::123456789012:assumed-role/github-deploy/run-17"}
_TO_PIPELINE = [{"arn": _ARN}]


@rule(
    "OPS-012",
    Severity.LOW,
    bad=[
        given(_PIPELINE, _run(12, created_by=_BY_ANNA), _run(11, created_by=_BY_ANNA)),
        given(
            _PIPELINE,
            _run(12, created_by=_BY_ANNA),
            sample(EventRule, "off", state="DISABLED", targets=_TO_PIPELINE),
        ),
        given(
            _PIPELINE,
            _run(12, created_by=_BY_ANNA),
            sample(Schedule, "off", state="DISABLED", target={"arn": _ARN}),
            sample(EventRule, "other", targets=[{"arn": f"{_ARN}-2"}]),
        ),
    ],
    good=[
        given(_PIPELINE, _run(12, created_by=_BY_ANNA), _run(11, created_by=_BY_CI)),
        given(_PIPELINE, _run(12, created_by=_BY_ANNA), sample(EventRule, "nightly", targets=_TO_PIPELINE)),
        given(_PIPELINE, _run(12), sample(Schedule, "nightly", target={"arn": _ARN})),
    ],
    exempt=[
        _PIPELINE,
        given(
            sample(Pipeline, "churn", arn=_ARN, creation_time=NOW.replace(day=15)),
            _run(18, created_by=_BY_ANNA),
        ),
    ],
    remedy="Create an EventBridge rule or a schedule with the pipeline as its target, or start it from CI.",
    command="aws events put-targets --region {region} --rule RULE --targets Id=1,Arn={arn},RoleArn=ROLE",
    change=Change.IN_PLACE,
    confidence=0.7,
    maps=[lens("MLOPS04-BP01")],
)
def hand_started_pipeline(pipeline: Pipeline, *, min_age_days: float = 14) -> Verdict:
    """Pipelines should be started automatically, not by hand.

    What somebody starts from Studio runs when somebody thinks of it. A rule (on any event bus), a
    schedule, or a run that another principal than a Studio user started, such as a CI role, count as
    automation. Older runs do not tell who started them: then nobody knows.
    """
    if pipeline.creation_time > pipeline.region.ago(min_age_days):
        return not_applicable(f"the pipeline is younger than {min_age_days:g} days")
    runs = pipeline.runs
    if not runs:
        return not_applicable("no run within the window")
    starters = [run.created_by for run in runs]
    if any(who and who.user_profile_arn is None and who.arn is not None for who in starters):
        return passed("started by another principal than a Studio user")
    region = pipeline.region
    seen = first_sign(
        (
            lambda: rule_triggers(region).of(pipeline.id),
            lambda: schedule_triggers(region).of(pipeline.id),
        )
    )
    if seen:
        return passed(seen)
    profiles = {who.user_profile_arn for who in starters if who}
    if None in profiles or None in starters:
        raise Unread(pipeline.gap("sagemaker:Search", Reason.MISSING, "CreatedBy of its runs"))
    return failed(
        "nothing starts it by itself: every run was started from Studio",
        UserProfileArn=sorted(str(profile) for profile in profiles)[:5],
        runs=len(runs),
    )


_REGISTERS = frozenset({"RegisterModel", "Model", "CreateModel", "Endpoint", "EndpointConfig"})
_GATES = frozenset({"Condition", "QualityCheck", "ClarifyCheck"})
_REFERENCE = re.compile(r"\bSteps\.([A-Za-z0-9][A-Za-z0-9_-]*)")


def _defined(*steps: dict[str, Any]) -> Sample:
    text = json.dumps({"Version": "2020-12-01", "Steps": steps})
    return sample(PipelineDefinition, "churn", arn=_ARN, pipeline_definition=text)


def _step(name: str, type_: str, *after: str, **arguments: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"Name": name, "Type": type_, "Arguments": arguments}
    return {**found, "DependsOn": list(after)} if after else found


_TRAIN = _step("Train", "Training")
_EVALUATE = _step("Evaluate", "Processing", "Train")
_REGISTER = _step("Register", "RegisterModel", "Evaluate")
_CODE = _step(
    "evaluate",
    "Training",
    AlgorithmSpecification={
        "ContainerEntrypoint": [
            "/bin/bash",
            "/opt/ml/input/data/sagemaker_remote_function_bootstrap/job_driver.sh",
        ]
    },
)


@rule(
    "OPS-016",
    Severity.MEDIUM,
    bad=[
        given(_PIPELINE, _defined(_TRAIN, _EVALUATE, _REGISTER)),
        given(
            _PIPELINE, _defined(_TRAIN, _step("Check", "QualityCheck", "Train", SkipCheck=True), _REGISTER)
        ),
        given(
            _PIPELINE,
            _defined(_TRAIN, _REGISTER, _step("Enough", "Condition", "Register", IfSteps=[], ElseSteps=[])),
        ),
        given(
            _PIPELINE,
            _defined(
                _TRAIN,
                _step(
                    "deploy-churn",
                    "Lambda",
                    "Train",
                    FunctionArn="arn:aws:lambda:eu-west-1:1:function:deploy",
                ),
            ),
        ),
    ],
    good=[
        given(_PIPELINE, _defined(_TRAIN, _EVALUATE, _step("Enough", "Condition", IfSteps=[_REGISTER]))),
        given(
            _PIPELINE,
            _defined(
                _TRAIN,
                _step(
                    "Outer",
                    "Condition",
                    IfSteps=[_step("Inner", "Condition", IfSteps=[], ElseSteps=[_REGISTER])],
                    ElseSteps=[_step("Stop", "Fail")],
                ),
            ),
        ),
        given(
            _PIPELINE,
            _defined(_TRAIN, _step("Check", "QualityCheck"), _step("Register", "RegisterModel", "Check")),
        ),
        given(
            _PIPELINE,
            _defined(
                _step("Bias", "ClarifyCheck"),
                _step(
                    "Register", "RegisterModel", Metrics={"Get": "Steps.Bias.CalculatedBaselineConstraints"}
                ),
            ),
        ),
        given(_PIPELINE, _defined(_CODE, _step("Register", "RegisterModel", "evaluate"))),
    ],
    exempt=[given(_PIPELINE, _defined(_TRAIN)), given(_PIPELINE, _defined(_step("Prepare", "Processing")))],
    remedy="Add a Condition step on the evaluation report before the model is registered.",
    command="aws sagemaker update-pipeline --region {region} --pipeline-name {name} "
    "--pipeline-definition-s3-location Bucket=BUCKET,ObjectKey=KEY",
    change=Change.NEXT_RUN,
    maps=[lens("MLREL03-BP03"), lens("MLPERF04-BP03")],
)
def ungated_model_registration(pipeline: Pipeline) -> Verdict:
    """Pipelines should evaluate metrics before they register or deploy a model.

    Without a gate a worse model is promoted as automatically as a better one. A Condition around the
    step, or a Condition, QualityCheck or ClarifyCheck before it, is a gate; a check that is skipped is
    none. Steps written as decorated functions look like training jobs: a gate may be inside their
    code, so such a pipeline passes with a note.
    """
    graph = _Graph(pipeline.definition.steps)
    registering = [name for name, step in graph.steps.items() if _registers(step)]
    if not registering:
        return not_applicable("it registers and deploys no model")
    open_ = [name for name in registering if not graph.gated(name)]
    if not open_:
        return passed()
    if any("remote_function" in json.dumps(step) for step in graph.steps.values()):
        return passed("a gate may be inside the code of its decorated functions")
    return failed(
        f"nothing checks the model before {', '.join(open_[:5])}",
        PipelineDefinition=[f"{name} ({graph.steps[name].get('Type')})" for name in open_[:10]],
        steps=len(graph.steps),
    )


def _registers(step: Mapping[str, Any]) -> bool:
    """Whether a step registers or deploys: a function does where its name says so."""
    if step.get("Type") == "Lambda":
        named = f"{step.get('Name')} {step.get('FunctionArn')} {json.dumps(step.get('Arguments'))}"
        return "deploy" in named.lower()
    return step.get("Type") in _REGISTERS


class _Graph:
    """The steps of a pipeline, and which of them have to be done before which."""

    def __init__(self, steps: tuple[dict[str, Any], ...]) -> None:
        self.steps: dict[str, dict[str, Any]] = {}
        self.before: dict[str, set[str]] = {}
        self._add(steps, frozenset())

    def _add(
        self,
        steps: Iterator[dict[str, Any]] | tuple[dict[str, Any], ...] | list[dict[str, Any]],
        around: frozenset[str],
    ) -> None:
        for step in steps:
            name = str(step.get("Name"))
            inner = branches(step)
            own = {key: value for key, value in step.items() if not (inner and key == "Arguments")}
            self.steps[name] = step
            self.before[name] = {
                *around,
                *(step.get("DependsOn") or ()),
                *_REFERENCE.findall(json.dumps(own)),
            }
            self._add(inner, around | {name})

    def gated(self, name: str) -> bool:
        """Whether a gate has to be passed on the way to a step."""
        seen: set[str] = set()
        waiting = set(self.before[name])
        while waiting:
            current = waiting.pop()
            seen.add(current)
            if _is_gate(self.steps.get(current, {})):
                return True
            waiting |= self.before.get(current, set()) - seen
        return False


def _is_gate(step: Mapping[str, Any]) -> bool:
    arguments = step.get("Arguments")
    skipped = {step.get("SkipCheck"), arguments.get("SkipCheck") if isinstance(arguments, Mapping) else None}
    return step.get("Type") in _GATES and True not in skipped
