"""Signs that models are delivered by an automated process instead of by hand."""

from datetime import timedelta

from collectors.codepipeline import CodePipeline
from collectors.sagemaker.pipelines import Pipeline
from collectors.stepfunctions import StateMachine
from collectors.view import Region
from evaluators.signs import first_of

_DELIVERS = frozenset({"CloudFormation", "CloudFormationStackSet", "CodeBuild", "StepFunctions", "Lambda"})
"""Providers that deploy, or that run what deploys: CDK and Terraform run inside a build."""


def recent_pipeline(region: Region, idle_days: float) -> str:
    """A SageMaker pipeline that ran lately, or nothing. Raises `Unread`."""
    oldest = region.now - timedelta(days=idle_days)

    def says(pipeline: Pipeline) -> str:
        ran = pipeline.last_run_time
        return f"pipeline {pipeline.name}" if ran is not None and ran >= oldest else ""

    return first_of(region.all(Pipeline), says)


def workflow(region: Region) -> str:
    """A Step Functions state machine that calls SageMaker, or nothing. Raises `Unread`."""
    return first_of(
        region.all(StateMachine), lambda found: f"state machine {found.name}" if found.uses_sagemaker else ""
    )


def delivery_pipeline(region: Region) -> str:
    """A CodePipeline that deploys, or nothing. Raises `Unread`."""
    return first_of(
        region.all(CodePipeline), lambda found: f"CodePipeline {found.name}" if delivers(found) else ""
    )


def delivers(pipeline: CodePipeline) -> bool:
    """Whether one of its actions deploys, or may: what a build or a function does is not seen."""
    return any(
        action.provider in _DELIVERS or "sagemaker" in action.provider.lower() for action in pipeline.actions
    )
