"""Pipelines: the workflows that train, evaluate and register, what they consist of, and their runs."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from collectors.collector import collects
from collectors.model import Document, Operation, Reading, Reason, Resource, Unread
from collectors.sagemaker.search import Searchable, described, search_operation, searched
from collectors.view import PART, Part, Region, View, index, items, optional, part, required

if TYPE_CHECKING:
    from collectors.reader import Reader

SEARCH = search_operation("Pipeline")
LIST = Operation("sagemaker", "ListPipelines", result="PipelineSummaries[]")
DESCRIBE = Operation("sagemaker", "DescribePipeline", secrets=("PipelineDefinition",))
SOURCE = (SEARCH, DESCRIBE)
SEARCH_RUNS = search_operation(
    "PipelineExecution",
    secrets=("FailureReason", "PipelineExecutionDescription", "PipelineParameters[].Value"),
)
LIST_RUNS = Operation(
    "sagemaker",
    "ListPipelineExecutions",
    result="PipelineExecutionSummaries[]",
    secrets=("PipelineExecutionFailureReason", "PipelineExecutionDescription"),
)
DESCRIBE_RUN = Operation(
    "sagemaker", "DescribePipelineExecution", secrets=("FailureReason", "PipelineExecutionDescription")
)
RUN = (SEARCH_RUNS, DESCRIBE_RUN)
STEPS = Operation(
    "sagemaker",
    "ListPipelineExecutionSteps",
    secrets=("PipelineExecutionSteps[].FailureReason", "PipelineExecutionSteps[].IterationContext.Item"),
)

FAILED = frozenset({"Failed", "CompletedWithFailures"})
NEWEST_RUNS = 20
"""Of how many runs of each pipeline the steps are read, where they failed."""


class Pipeline(
    View,
    kind="pipeline",
    type="AWS::SageMaker::Pipeline",
    listing=(SEARCH, LIST),
    name="PipelineName",
    arn="PipelineArn",
    tags=(SEARCH, "Tags"),
    tagged=True,
):
    """A pipeline and the role that runs its steps."""

    role_arn = required(SOURCE, "RoleArn", str, "arn:aws:iam::123456789012:role/pipelines")
    creation_time = required(
        SOURCE, "CreationTime", datetime, datetime.fromisoformat("2026-06-01T06:00:00+00:00")
    )
    last_run_time = optional(SOURCE, "LastRunTime", datetime)

    @property
    def definition(self) -> "PipelineDefinition":
        """What it consists of. Raises `Unread` where that could not be read."""
        found = self.region.find(PipelineDefinition, self.id)
        if found is None:
            raise Unread(self.gap(str(DESCRIBE), Reason.VANISHED, self.name))
        return found

    @property
    def runs(self) -> "tuple[PipelineExecution, ...]":
        """Its runs within the window, newest first. Raises `Unread` where not all were read."""
        return runs_by_pipeline(self.region).get(self.id.lower(), ())


class PipelineDefinition(
    View, kind="pipeline-definition", listing=(DESCRIBE,), name="PipelineName", arn="PipelineArn"
):
    """What a pipeline consists of: Search does not tell, so one Describe for each."""

    pipeline_definition = required(
        DESCRIBE, "PipelineDefinition", str, '{"Version": "2020-12-01", "Steps": []}'
    )

    @property
    def steps(self) -> tuple[dict[str, Any], ...]:
        """Its top-level steps as they were written: `Name`, `Type`, `Arguments`, `DependsOn`.

        The branches of a Condition are `IfSteps` and `ElseSteps` in its arguments (`every_step` walks
        them). Raises `Unread` where the text is no definition.
        """
        try:
            found = json.loads(self.pipeline_definition)["Steps"]
        except (ValueError, KeyError, TypeError) as error:
            raise Unread(self.gap(str(DESCRIBE), Reason.UNDECODABLE, self.name)) from error
        if not isinstance(found, list) or not all(isinstance(step, dict) for step in found):
            raise Unread(self.gap(str(DESCRIBE), Reason.UNDECODABLE, self.name))
        return tuple(found)

    @property
    def every_step(self) -> tuple[dict[str, Any], ...]:
        """All its steps, those inside the branches of conditions too. Raises `Unread`."""
        return tuple(every_step(self.steps))


def branches(step: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The steps inside a step: a Condition's two branches."""
    arguments = step.get("Arguments")
    if not isinstance(arguments, Mapping):
        return []
    found = [arguments.get(name) for name in ("IfSteps", "ElseSteps", "Steps")]
    return [inner for held in found if isinstance(held, list) for inner in held if isinstance(inner, dict)]


def every_step(steps: tuple[dict[str, Any], ...]) -> Iterator[dict[str, Any]]:
    """These steps and those inside them, at any depth."""
    waiting = list(steps)
    while waiting:
        step = waiting.pop(0)
        yield step
        waiting[:0] = branches(step)


class Starter(Part):
    """Who started a run: a user of Studio, or an identity of IAM. Older runs do not tell."""

    user_profile_arn = optional(PART, "UserProfileArn", str)
    arn = optional(PART, "IamIdentity.Arn", str)


class PipelineExecution(
    View,
    kind="pipeline-execution",
    listing=(SEARCH_RUNS, LIST_RUNS),
    name="PipelineExecutionArn",
    arn="PipelineExecutionArn",
    windowed=True,
):
    """One run of a pipeline within the window, and who started it."""

    pipeline_arn = required(
        RUN, "PipelineArn", str, "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/example"
    )
    pipeline_execution_status = required(RUN, "PipelineExecutionStatus", str, "Succeeded")
    creation_time = required(
        RUN, "CreationTime", datetime, datetime.fromisoformat("2026-11-18T06:00:00+00:00")
    )
    failure_reason = optional(RUN, "FailureReason", str)
    created_by = part(RUN, "CreatedBy", Starter)

    @property
    def refused_by_a_gate(self) -> bool:
        """Whether it failed because a Fail step said so: a gate that did its work.

        Raises `Unread` where its steps were not read.
        """
        found = self.region.find(ExecutionSteps, self.id)
        if found is None:
            raise Unread(self.gap(str(STEPS), Reason.NOT_READ, self.id))
        return any(step.fail is not None for step in found.pipeline_execution_steps)


class ExecutionStep(Part):
    """One step of a run."""

    fail = optional(PART, "Metadata.Fail", dict)


class ExecutionSteps(View, kind="pipeline-execution-steps", listing=(STEPS,)):
    """The steps of a run that failed."""

    pipeline_execution_steps = items(STEPS, "PipelineExecutionSteps[]", ExecutionStep)


@index
def runs_by_pipeline(region: Region) -> Mapping[str, tuple[PipelineExecution, ...]]:
    """The runs of each pipeline within the window, newest first, by the pipeline's ARN in lower case.

    SageMaker writes a pipeline's name in lower case in some ARNs. Raises `Unread`.
    """
    return _newest_first(region.all(PipelineExecution))


def _newest_first(runs: Iterator[PipelineExecution]) -> dict[str, tuple[PipelineExecution, ...]]:
    found: dict[str, list[PipelineExecution]] = {}
    for run in runs:
        found.setdefault(run.pipeline_arn.lower(), []).append(run)
    return {
        arn: tuple(sorted(held, key=lambda run: run.creation_time, reverse=True))
        for arn, held in found.items()
    }


@collects(Pipeline)
def pipelines(reader: "Reader") -> Iterator[Resource]:
    """Every pipeline, a hundred a page."""
    yield from searched(reader, Searchable(SEARCH, LIST, DESCRIBE, "PipelineName", "PipelineName"))


@collects(PipelineDefinition, follows=(Pipeline,))
def pipeline_definitions(reader: "Reader") -> Iterator[Resource]:
    """The definition of each pipeline."""

    def read(pipeline: Pipeline) -> list[Resource]:
        document = reader.read(DESCRIBE, PipelineName=pipeline.name)
        return list(reader.resource({DESCRIBE: document}, key=pipeline.id, name=pipeline.name))

    for found in reader.gather(read, reader.known(Pipeline)):
        yield from found


@collects(PipelineExecution, follows=(Pipeline,))
def pipeline_executions(reader: "Reader") -> Iterator[Resource]:
    """The runs of all pipelines within the window by one Search; a List for each where that is refused."""
    sent: dict[str, Any] = {"SortBy": "CreationTime", "SortOrder": "Descending"}
    since = {"Name": "CreationTime", "Operator": "GreaterThanOrEqualTo", "Value": reader.lookback.rstrip("Z")}
    seen: set[str] = set()
    if reader.search:
        try:
            for document in reader.pages(SEARCH_RUNS, SearchExpression={"Filters": [since]}, **sent):
                for resource in reader.resource({SEARCH_RUNS: document}):
                    seen.add(resource.id)
                    yield resource
        except Unread as unread:
            reader.caller.withdraw(unread.gap)
        else:
            return
    for pipeline in reader.known(Pipeline):
        summaries = reader.list(LIST_RUNS, PipelineName=pipeline.name, CreatedAfter=reader.lookback, **sent)
        unseen = [found for found in summaries if found["PipelineExecutionArn"] not in seen]
        yield from described(reader, LIST_RUNS, unseen, DESCRIBE_RUN, "PipelineExecutionArn", always=True)


@collects(ExecutionSteps, follows=(PipelineExecution,))
def execution_steps(reader: "Reader") -> Iterator[Resource]:
    """The steps of the failed ones among each pipeline's newest runs."""
    readable = []
    for run in reader.known(PipelineExecution):
        try:
            if run.pipeline_arn and run.creation_time and run.pipeline_execution_status:
                readable.append(run)
        except Unread as unread:
            reader.incomplete(unread.gap)
    newest = [run for held in _newest_first(iter(readable)).values() for run in held[:NEWEST_RUNS]]

    def read(run: PipelineExecution) -> list[Resource]:
        reading: Reading
        try:
            pages: list[Document] = list(reader.pages(STEPS, PipelineExecutionArn=run.id))
            held = [step for page in pages for step in page.get("PipelineExecutionSteps", ())]
            reading = {"PipelineExecutionSteps": held}
        except Unread as unread:
            reading = unread.gap
        return list(reader.resource({STEPS: reading}, key=run.id))

    for found in reader.gather(read, [run for run in newest if run.pipeline_execution_status in FAILED]):
        yield from found
