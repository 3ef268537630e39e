"""Pipelines, their definitions, runs and steps: one Search for all runs, and gaps where AWS says no."""

import json

import pytest
from readers import reader_of

from auditor.demo.state import DemoState
from collectors.model import Gap, Reason
from collectors.sagemaker.pipelines import (
    ExecutionSteps,
    Pipeline,
    PipelineDefinition,
    PipelineExecution,
    execution_steps,
    pipeline_definitions,
    pipeline_executions,
)
from collectors.sample import ACCOUNT, NOW, REGION, sample, snapshot_of
from collectors.view import Region

ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/churn"
PIPELINE = sample(Pipeline, "churn", arn=ARN)
DEFINITION = {"Version": "2020-12-01", "Steps": [{"Name": "Train", "Type": "Training", "Arguments": {}}]}
STEPS = "sagemaker:ListPipelineExecutionSteps"


def run(number: int) -> str:
    return f"{ARN}/execution/{number:012d}"


def account(runs: int = 3) -> DemoState:
    """A pipeline with some runs, every second of which failed."""
    state = DemoState(NOW)
    state.add(
        "Pipeline",
        REGION,
        {"PipelineName": "churn", "PipelineArn": ARN, "PipelineDefinition": json.dumps(DEFINITION)},
    )
    for number in range(runs):
        state.add(
            "PipelineExecution",
            REGION,
            {
                "PipelineArn": ARN,
                "PipelineExecutionArn": run(number),
                "PipelineExecutionStatus": "Failed" if number % 2 else "Succeeded",
                "CreationTime": NOW.replace(hour=0, minute=number % 60),
            },
        )
    return state


def test_runs_of_all_pipelines_come_from_one_search() -> None:
    state = account(150)
    reader = reader_of(pipeline_executions, state, [PIPELINE])
    assert len(list(pipeline_executions.function(reader))) == 150
    assert (state.calls["sagemaker:Search"], state.calls.total()) == (2, 2)


def test_where_search_is_refused_each_pipelines_runs_are_listed_and_described() -> None:
    state = account(3)
    state.denied.add("sagemaker:Search")
    reader = reader_of(pipeline_executions, state, [PIPELINE])
    found = [r.readings() for r in pipeline_executions.function(reader)]
    assert {r["sagemaker:DescribePipelineExecution"]["PipelineArn"] for r in found} == {ARN}  # type: ignore[index]  # a map
    assert (state.calls["sagemaker:ListPipelineExecutions"], len(found), reader.gap) == (1, 3, None)
    assert reader.caller.gaps == {}


@pytest.mark.parametrize(("denied", "reason"), [((), None), (["sagemaker:DescribePipeline"], Reason.DENIED)])
def test_a_definition_that_is_denied_is_a_gap_of_its_own(denied: list[str], reason: Reason | None) -> None:
    state = account()
    state.denied |= set(denied)
    reader = reader_of(pipeline_definitions, state, [PIPELINE])
    (resource,) = pipeline_definitions.function(reader)
    assert (resource.id, resource.name, reader.gap) == (ARN, "churn", None)
    assert getattr(resource.readings()["sagemaker:DescribePipeline"], "reason", None) is reason


def test_secrets_of_a_definition_are_taken_out_and_it_stays_json() -> None:
    state = account()
    steps = [
        {"Name": "Train", "Type": "Training", "Arguments": {"Environment": {"DB_PASSWORD": "vT8kQ2mZx9Lw"}}}
    ]
    document = state.documents("Pipeline", REGION)[0]
    document["PipelineDefinition"] = json.dumps({**DEFINITION, "Steps": steps})
    (resource,) = pipeline_definitions.function(reader_of(pipeline_definitions, state, [PIPELINE]))
    assert b"vT8kQ2mZx9Lw" not in bytes(resource.documents)
    snapshot = snapshot_of([])
    snapshot.add(resource)
    found = Region(snapshot, ACCOUNT, REGION).find(PipelineDefinition, ARN)
    assert found is not None
    assert [step["Name"] for step in found.steps] == ["Train"]


def test_steps_inside_conditions_are_walked_at_any_depth() -> None:
    inner = {
        "Name": "Inner",
        "Type": "Condition",
        "Arguments": {"ElseSteps": [{"Name": "Stop", "Type": "Fail"}]},
    }
    outer = {"Name": "Outer", "Type": "Condition", "Arguments": {"IfSteps": [inner, {"Name": "Register"}]}}
    text = json.dumps({**DEFINITION, "Steps": [outer, {"Name": "Last", "Arguments": None}]})
    snapshot = snapshot_of([sample(PipelineDefinition, "churn", arn=ARN, pipeline_definition=text)])
    (found,) = Region(snapshot, ACCOUNT, REGION).all(PipelineDefinition)
    assert [step["Name"] for step in found.every_step] == ["Outer", "Inner", "Stop", "Register", "Last"]


def test_steps_are_read_of_the_newest_failed_runs_only() -> None:
    runs = [
        sample(
            PipelineExecution,
            run(number),
            arn=run(number),
            pipeline_arn=ARN,
            pipeline_execution_status="Failed" if number % 2 else "Succeeded",
            creation_time=NOW.replace(hour=0, minute=number),
        )
        for number in range(50)
    ]
    state = DemoState(NOW)
    gate = {"StepName": "Stop", "StepStatus": "Failed", "Metadata": {"Fail": {"ErrorMessage": "too weak"}}}
    state.answer(STEPS, {"PipelineExecutionSteps": [gate]})
    state.refuse(STEPS, code="AccessDeniedException", when={"PipelineExecutionArn": run(49)})
    reader = reader_of(execution_steps, state, runs)
    found = {r.id: r.readings()[STEPS] for r in execution_steps.function(reader)}
    assert set(found) == {run(number) for number in range(31, 50, 2)}
    assert (state.calls[STEPS], reader.gap) == (10, None)
    assert isinstance(found[run(49)], Gap)
    snapshot = snapshot_of(runs)
    for resource in execution_steps.function(reader):
        snapshot.add(resource)
    steps = Region(snapshot, ACCOUNT, REGION).find(ExecutionSteps, run(47))
    assert steps is not None
    assert [step.fail for step in steps.pipeline_execution_steps] == [{"ErrorMessage": "too weak"}]
