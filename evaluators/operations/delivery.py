"""How models get into production: pipelines, projects and infrastructure as code."""

import fnmatch
import json
from typing import Any

from collectors.codepipeline import CodePipeline
from collectors.endpoint_changes import HISTORY, EndpointChange, changes_by_endpoint
from collectors.model import Reason, Unread
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.pipelines import Pipeline
from collectors.sagemaker.projects import COMPLETED, ORPHANED, Project
from collectors.sagemaker.studio import Domain
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sample import NOW, Sample, sample
from collectors.stepfunctions import StateMachine
from collectors.view import Region
from evaluators.controls import lens
from evaluators.delivery import delivery_pipeline, recent_pipeline, workflow
from evaluators.production import production_here
from evaluators.rule import (
    Change,
    Scope,
    Severity,
    Verdict,
    expect,
    failed,
    given,
    not_applicable,
    passed,
    rule,
)
from evaluators.signs import first_of, first_sign

_SERVING = sample(Endpoint, "churn")
_SANDBOX = sample(Endpoint, "toy", tags={"Environment": "sandbox"})
_RAN = NOW.replace(month=11, day=1)
_OLD = NOW.replace(month=3)


def _states(resource: str) -> str:
    return json.dumps({"StartAt": "Train", "States": {"Train": {"Type": "Task", "Resource": resource}}})


_BY_SAGEMAKER = _states("arn:aws-cn:states:::sagemaker:createTrainingJob.sync")
_BY_GLUE = _states("arn:aws:states:::glue:startJobRun.sync")


def _delivery(category: str, provider: str) -> Sample:
    action = {"category": category, "provider": provider}
    return sample(CodePipeline, "deliver", stages=[{"actions": [action]}])


_JOBS = tuple(
    sample(
        TrainingJob, f"adhoc-{letter}", arn=f"arn:aws:sagemaker:eu-west-1:123456789012:training-job/{letter}"
    )
    for letter in "abcdefghij"
)


@rule(
    "OPS-010",
    Severity.MEDIUM,
    bad=[
        _SERVING,
        given(_SERVING, sample(Pipeline, "train", last_run_time=_OLD)),
        given(_SERVING, sample(Pipeline, "never-run")),
        given(_SERVING, sample(StateMachine, "etl", definition=_BY_GLUE)),
        given(_SERVING, _delivery("Source", "CodeCommit")),
        given(_JOBS[0], *_JOBS[1:]),
    ],
    good=[
        given(_SERVING, sample(Pipeline, "train", last_run_time=_RAN)),
        given(_SERVING, sample(StateMachine, "train", definition=_BY_SAGEMAKER)),
        given(_SERVING, _delivery("Deploy", "CloudFormation")),
        given(_SERVING, ci_external=True),
        given(_JOBS[0], *_JOBS[1:], sample(Pipeline, "train", last_run_time=_RAN)),
    ],
    exempt=[given(_SANDBOX), given(_JOBS[0]), given(sample(Pipeline, "train", last_run_time=_OLD))],
    remedy="Define a pipeline for training and deployment, and start it from your CI.",
    command="aws sagemaker create-pipeline --region {region} --pipeline-name NAME "
    "--pipeline-definition-s3-location Bucket=BUCKET,ObjectKey=KEY --role-arn ROLE",
    change=Change.IN_PLACE,
    confidence=0.7,
    maps=[lens("MLOPS04-BP01"), lens("MLREL03-BP01"), lens("MLREL04-BP01")],
)
def manual_model_delivery(
    region: Region, *, pipeline_idle_days: float = 90, min_training_jobs: int = 10, ci_external: bool = False
) -> Verdict:
    """ML workflows should run as automated pipelines.

    What is promoted by hand cannot be repeated, and the step that was forgotten shows in production.
    A SageMaker pipeline that ran lately, a Step Functions workflow that calls SageMaker and a
    CodePipeline that deploys count alike; when the latter two last ran is not looked at. CI outside
    AWS (GitHub Actions, GitLab) leaves no trace that can be listed: say so with `ci_external`.
    """
    serving = production_here(region)
    jobs = 0 if serving else _own_jobs(region, min_training_jobs)
    if not serving and jobs < min_training_jobs:
        return not_applicable("nothing serves production here, and few jobs were trained")
    if ci_external:
        return passed("CI outside AWS, by the settings")
    seen = first_sign(
        (
            lambda: recent_pipeline(region, pipeline_idle_days),
            lambda: workflow(region),
            lambda: delivery_pipeline(region),
        )
    )
    if seen:
        return passed(seen)
    return failed(
        f"no pipeline ran in {pipeline_idle_days:g} days, and nothing else automates what runs here",
        LastRunTime=_latest_run(region),
        EndpointName=list(serving[:10]),
        training_jobs=jobs,
    )


def _own_jobs(region: Region, enough: int) -> int:
    """How many training jobs people started within the window, counted up to `enough`."""
    count = 0
    for job in region.all(TrainingJob):
        count += not job.is_child
        if count >= enough:
            break
    return count


def _latest_run(region: Region) -> str | None:
    runs = [found.last_run_time for found in region.all(Pipeline) if found.last_run_time is not None]
    return max(runs).isoformat() if runs else None


@rule(
    "OPS-013",
    Severity.LOW,
    bad=[
        _SERVING,
        given(_SERVING, sample(Project, "churn", project_status="CreateInProgress")),
        given(_SERVING, sample(Project, "churn"), sample(Project, "old", project_status="DeleteFailed")),
        given(_SERVING, _delivery("Source", "CodeCommit")),
    ],
    good=[
        given(_SERVING, sample(Project, "churn")),
        given(_SERVING, sample(Project, "churn", project_status="UpdateCompleted")),
        given(_SERVING, _delivery("Build", "CodeBuild")),
    ],
    exempt=[
        given(_SANDBOX),
        given(_SERVING, sample(Domain, "d-1", unified_studio_settings={"DomainId": "dzd-1"})),
    ],
    remedy="Create a project from an MLOps template, or deliver with a CodePipeline; delete projects that failed.",
    command="aws sagemaker enable-sagemaker-servicecatalog-portfolio --region {region}",
    change=Change.IN_PLACE,
    confidence=0.4,
    maps=[lens("MLOPS04-BP01"), lens("MLREL03-BP01")],
)
def disconnected_delivery(region: Region) -> Verdict:
    """CI/CD projects should connect code, pipelines and the model registry.

    A project ties a commit to the pipeline run and to the model version that came of it. It is one
    way of doing so: a CodePipeline that deploys counts as well. A project that failed leaves behind
    what Service Catalog provisioned. SageMaker Unified Studio has projects of another kind: its
    domains are not judged.
    """
    serving = production_here(region)
    if not serving:
        return not_applicable("nothing serves production here")
    if any(domain.unified_studio_settings for domain in region.all(Domain)):
        return not_applicable("a domain belongs to SageMaker Unified Studio, which has projects of its own")
    projects = [(found.name, found.project_status) for found in region.all(Project)]
    orphans = sorted(name for name, status in projects if status in ORPHANED)
    if orphans:
        return failed(
            "projects failed and left what was provisioned for them",
            ProjectStatus=sorted({status for _, status in projects if status in ORPHANED}),
            ProjectName=orphans[:10],
        )
    done = sorted(name for name, status in projects if status in COMPLETED)
    seen = f"project {done[0]}" if done else delivery_pipeline(region)
    return (
        passed(seen)
        if seen
        else failed(
            "no project and no CodePipeline delivers what serves production",
            ProjectStatus=sorted({status for _, status in projects}),
            EndpointName=list(serving[:10]),
        )
    )


def _change(call: str = "CreateEndpoint", endpoint: str = "example", **who: Any) -> Sample:
    details = json.dumps({"endpointName": endpoint, **who})
    return sample(
        EndpointChange, call, event_name=call, cloud_trail_event=details, username=who.get("username", "")
    )


_NEW: dict[str, Any] = {"creation_time": NOW.replace(day=1), "last_modified_time": NOW.replace(day=1)}
_BY_HAND = {"arn": "arn:aws:sts::123456789012:assumed-role/DataScientist/anna", "role": "DataScientist"}
_BY_CI = {"arn": "arn:aws:sts::123456789012:assumed-role/github-deploy/run-17", "role": "github-deploy"}


@rule(
    "OPS-014",
    Severity.MEDIUM,
    bad=[
        given(sample(Endpoint, **_NEW), _change(**_BY_HAND)),
        given(
            sample(Endpoint, tags={"aws:createdBy": "somebody", "sagemaker:user-profile": "anna"}, **_NEW),
            _change(**_BY_HAND),
            _change("UpdateEndpoint", **_BY_HAND),
        ),
    ],
    good=[
        sample(Endpoint, tags={"aws:cloudformation:stack-name": "churn-serving"}),
        sample(Endpoint, tags={"sagemaker:project-name": "churn"}),
        sample(Endpoint, tags={"Managed-By": "terraform"}),
        given(sample(Endpoint, **_NEW), _change(**_BY_CI)),
        given(sample(Endpoint, **_NEW), _change(service="cloudformation.amazonaws.com", **_BY_HAND)),
        given(sample(Endpoint), _change("UpdateEndpoint", **_BY_CI)),
        given(sample(Endpoint, **_NEW), _change(**_BY_HAND), _change("UpdateEndpoint", **_BY_CI)),
    ],
    exempt=[
        sample(Endpoint, tags={"Environment": "dev"}),
        sample(Endpoint, endpoint_status="Failed", tags={"Environment": "prod"}),
    ],
    remedy="Define the endpoint, its configuration and its model in CloudFormation, CDK or Terraform, "
    "and tag it with what manages it.",
    change=Change.RECREATE,
    scope=Scope.PRODUCTION,
    confidence=0.7,
    maps=[lens("MLOPS04-BP01"), lens("MLREL04-BP01"), lens("MLREL05-BP02")],
)
def handmade_endpoint(
    endpoint: Endpoint,
    *,
    iac_marker_tags: tuple[str, ...] = (
        "aws:cloudformation:stack-name",
        "sagemaker:project-name",
        "terraform",
        "iac",
        "managed-by",
    ),
    ci_role_patterns: tuple[str, ...] = (
        "*codebuild*",
        "*github*",
        "*gitlab*",
        "*cicd*",
        "*terraform*",
        "cdk-*",
    ),
) -> Verdict:
    """Production endpoints should be managed by infrastructure as code.

    An endpoint made by hand cannot be made again after it was deleted by mistake. CloudFormation and
    projects leave a tag; Terraform leaves none, so a tag of your own counts, and so does a CI role
    that made or updated it. CloudTrail's event history goes back 90 days: of an older endpoint
    without such a tag nobody knows.
    """
    if endpoint.endpoint_status in ("Failed", "Deleting"):
        return not_applicable("the endpoint does not serve")
    tags = endpoint.all_tags
    markers = {marker.lower() for marker in iac_marker_tags}
    marked = sorted(key for key in tags if key.lower() in markers)
    if marked:
        return passed(f"tag {marked[0]}")
    changes = changes_by_endpoint(endpoint.region).get(endpoint.name.lower(), ())
    patterns = (*ci_role_patterns, "cloudformation.amazonaws.com")
    seen = first_of(changes, lambda change: _ci_caller(change, patterns))
    if seen:
        return passed(seen)
    made = [change for change in changes if change.event_name == "CreateEndpoint"]
    if not made:
        message = f"who made {endpoint.name} is not in the last {HISTORY.days} days of the event history"
        raise Unread(endpoint.gap("cloudtrail:LookupEvents", Reason.NOT_READ, message))
    callers = sorted({name for change in changes for name in change.callers})
    return expect(
        False,
        "made by hand: no tag of a stack, project or tool, and no CI role made it",
        EventName=sorted({change.event_name for change in changes}),
        callers=callers[:5],
        tag_keys=sorted(tags)[:10],
    )


def _ci_caller(change: EndpointChange, patterns: tuple[str, ...]) -> str:
    """Who called, where that looks like CI: by user, session or role, or each part of the ARN."""
    for caller in change.callers:
        for name in {caller, *caller.split("/")}:
            if any(fnmatch.fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns):
                return f"{change.event_name} by {name}"
    return ""
