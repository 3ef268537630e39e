"""SageMaker's reads, answered from documents: Search, the lists, the Describes and ListTags."""

import json
import operator
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from botocore.model import Shape, StructureShape

from auditor.demo.shapes import Document, operation_model, project, service_model
from auditor.demo.state import (
    SAGEMAKER_KINDS,
    WRAPPED,
    DemoState,
    Refusal,
    arn_of,
    moment,
    name_member,
    page,
    shape_of,
)

Answer = Callable[[DemoState, str, Mapping[str, Any]], Document]

SEARCHABLE = (
    "Endpoint",
    "FeatureGroup",
    "HyperParameterTuningJob",
    "Model",
    "ModelCard",
    "ModelPackage",
    "ModelPackageGroup",
    "Pipeline",
    "PipelineExecution",
    "Project",
    "TrainingJob",
    "TrialComponent",
)
_SEARCHED_AS = {"ExperimentTrialComponent": "TrialComponent"}
_EMPTY_SEARCHES = frozenset({"ExperimentTrial", "Image", "ImageVersion"})
_PLURALS = {"AutoMLJobV2": "AutoMLJobs", "CodeRepository": "CodeRepositories"}
_NOT_FOUND = frozenset(
    {
        "App",
        "Cluster",
        "Domain",
        "FeatureGroup",
        "InferenceExperiment",
        "LabelingJob",
        "MlflowTrackingServer",
        "ModelCard",
        "MonitoringSchedule",
        "Pipeline",
        "PipelineExecution",
        "Space",
        "StudioLifecycleConfig",
        "TrialComponent",
        "UserProfile",
    }
)
"""Kinds whose Describe answers ResourceNotFound; the others say ValidationException, "Could not find"."""


def _output(operation: str) -> StructureShape:
    shape = operation_model("sagemaker", operation).output_shape
    if shape is None:
        raise LookupError(operation)
    return shape


def _status(document: Mapping[str, Any], kind: str) -> Any:
    return document.get(f"{kind}Status", document.get("Status"))


def describe(kind: str) -> Answer:
    """The answer of Describe`kind`: the document whose name, ARN and domain are asked for."""
    model = operation_model("sagemaker", f"Describe{kind}")
    required = model.input_shape.required_members
    shape = _output(f"Describe{kind}")
    name = name_member(kind)
    if name not in model.input_shape.members:
        raise LookupError(f"Describe{kind} takes no {name}")

    def answer(state: DemoState, region: str, parameters: Mapping[str, Any]) -> Document:
        wanted = str(parameters[name])
        for document in state.named(kind, region, wanted):
            if all(document.get(key) == parameters[key] for key in required if key != name):
                found: Document = project(shape, {kind: document} if kind in WRAPPED else document)
                return found
        if kind in _NOT_FOUND:
            raise Refusal("ResourceNotFound", f"{kind} {wanted} does not exist.")
        arn = f"arn:aws:sagemaker:{region}:{state.account}:{_slug(kind)}/{wanted}"
        raise Refusal("ValidationException", f'Could not find {_slug(kind)} "{arn}".')

    return answer


def _slug(kind: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in kind).lstrip("-")


_TIMES = {"Created": "CreationTime", "ModifiedTime": "LastModifiedTime"}


def _keeps(kind: str, document: Mapping[str, Any], name: str, value: Any) -> bool:
    """Whether a list's filter parameter keeps a document. Raises for a filter that AWS has and this has not."""
    members = {"Name": document.get(name_member(kind)), "Status": _status(document, kind), **document}
    tests: tuple[tuple[str, Callable[[Any, Any], bool]], ...] = (
        ("After", lambda held, given: held is not None and held > moment(given)),
        ("Before", lambda held, given: held is not None and held < moment(given)),
        ("Contains", lambda held, given: str(given).lower() in str(held or "").lower()),
        ("Equals", operator.eq),
        ("Prefix", lambda held, given: str(held).startswith(given)),
        ("", operator.eq),
    )
    for suffix, test in tests:
        if name.endswith(suffix):
            member = name.removesuffix(suffix) if suffix else name
            member = _TIMES.get(member, member)
            shown = shape_of(kind).members
            if member not in members and member not in shown:
                raise Refusal("ValidationException", f"the demo account has no filter {name}")
            return test(members.get(member), value)
    return True


def _ordered(kind: str, documents: list[Document], by: str, order: str) -> list[Document]:
    def key(document: Document) -> Any:
        if by == "Name":
            return str(document.get(name_member(kind)))
        if by == "Status":
            return str(_status(document, kind))
        return document.get(by) or _made(document)

    return sorted(documents, key=key, reverse=order == "Descending")


def _made(document: Mapping[str, Any]) -> Any:
    """When it was made, by whatever name its kind has for that."""
    found = (document.get(name) for name in ("CreationTime", "StartTime", "CreateDate"))
    return next((moment for moment in found if moment), moment(0))


_LIST_CONTROLS = frozenset({"MaxResults", "NextToken", "SortBy", "SortOrder", "CrossAccountFilterOption"})


def _schedule_summary(document: Mapping[str, Any]) -> Document:
    configuration = document["MonitoringScheduleConfig"]
    shown = {key: configuration.get(key) for key in ("MonitoringJobDefinitionName", "MonitoringType")}
    inputs = configuration.get("MonitoringJobDefinition", {}).get("MonitoringInputs", [])
    watched = [found["EndpointInput"]["EndpointName"] for found in inputs if "EndpointInput" in found]
    return {**shown, "EndpointName": document.get("EndpointName") or next(iter(watched), None)}


def _labeling_summary(document: Mapping[str, Any]) -> Document:
    task = document.get("HumanTaskConfig", {})
    return {"WorkteamArn": task.get("WorkteamArn"), **task.get("AnnotationConsolidationConfig", {})}


def _summary(kind: str, shape: Shape, document: Document) -> Document:
    """A list's summary: what it shares with Describe, and the few members that are called otherwise."""
    configuration = document.get("HyperParameterTuningJobConfig", {})
    if kind.endswith("JobDefinition"):
        monitored: Document = {
            "MonitoringJobDefinitionName": document["JobDefinitionName"],
            "MonitoringJobDefinitionArn": document["JobDefinitionArn"],
            "CreationTime": document["CreationTime"],
            "EndpointName": document.get(f"{kind.removesuffix('Definition')}Input", {})
            .get("EndpointInput", {})
            .get("EndpointName", ""),
        }
        return monitored
    extra = {
        "HyperParameterTuningJob": {
            key: configuration[key] for key in ("Strategy", "ResourceLimits") if key in configuration
        },
        "CompilationJob": {"CompilationTargetDevice": document.get("OutputConfig", {}).get("TargetDevice")},
        "InferenceRecommendationsJob": {
            key: document.get("InputConfig", {}).get(key) for key in ("ModelName", "ModelPackageVersionArn")
        },
        "OptimizationJob": {
            "OptimizationTypes": [
                key.removesuffix("Config") for step in document.get("OptimizationConfigs", ()) for key in step
            ]
        },
        "Cluster": {
            "ImageVersionStatus": next(
                (group.get("ImageVersionStatus") for group in document.get("InstanceGroups", ())), None
            )
        },
        "LabelingJob": _labeling_summary(document),
        "Space": {
            f"{settings}Summary": document.get(settings)
            for settings in ("SpaceSettings", "SpaceSharingSettings", "OwnershipSettings")
        },
        "MonitoringSchedule": _schedule_summary(document) if kind == "MonitoringSchedule" else {},
        "Pipeline": {"LastExecutionTime": document.get("LastRunTime")},
        "PipelineExecution": {"StartTime": document.get("CreationTime")},
    }.get(kind, {})
    found: Document = project(shape, {**document, **{key: value for key, value in extra.items() if value}})
    return found


def listing(kind: str, name: str) -> Answer:
    """The answer of a List operation, filtered, sorted and paged: ten to a page unless asked, a hundred at most."""
    key, shape = next((key, member) for key, member in _output(name).members.items() if key != "NextToken")

    def answer(state: DemoState, region: str, parameters: Mapping[str, Any]) -> Document:
        if kind == "PipelineExecution":
            pipeline = str(parameters["PipelineName"]).rpartition("/")[2]
            parameters = {key: value for key, value in parameters.items() if key != "PipelineName"}
            held = [
                document
                for document in state.documents(kind, region)
                if f":pipeline/{pipeline}/" in document["PipelineExecutionArn"]
            ]
        else:
            held = state.documents(kind, region)
        filters = {key: value for key, value in parameters.items() if key not in _LIST_CONTROLS}
        if kind == "ModelPackage" and "ModelPackageGroupName" not in filters:
            versioned = filters.pop("ModelPackageType", "Unversioned")
        else:
            versioned = filters.pop("ModelPackageType", "Both")
        kept = [
            document
            for document in held
            if all(_keeps(kind, document, key, value) for key, value in filters.items())
            and (versioned == "Both" or ("ModelPackageGroupName" in document) == (versioned == "Versioned"))
        ]
        by = str(parameters.get("SortBy", "CreationTime"))
        kept = _ordered(kind, kept, by, str(parameters.get("SortOrder", "Descending")))
        shown, token = page(kept, parameters, size="MaxResults", token="NextToken", default=10, most=100)  # noqa: S106
        document = {key: [_summary(kind, shape.member, found) for found in shown]}
        return {**document, "NextToken": token} if token else document

    return answer


_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "NotEquals": operator.ne,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
    "Contains": lambda held, given: given in held,
    "In": lambda held, given: held in given.split(","),
}


def _property(document: Mapping[str, Any], path: str) -> Any:
    if path.startswith("Tags."):
        tags = {tag["Key"]: tag["Value"] for tag in document.get("Tags", ())}
        return tags.get(path.removeprefix("Tags."))
    found: Any = document
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _satisfies(document: Mapping[str, Any], condition: Mapping[str, Any]) -> bool:
    held: Any = _property(document, condition["Name"])
    test = str(condition.get("Operator", "Equals"))
    if test in ("Exists", "NotExists"):
        return (held is None) == (test == "NotExists")
    if held is None:
        return test == "NotEquals"
    given: Any = condition.get("Value", "")
    try:
        if isinstance(held, datetime):
            given = moment(given)
        elif isinstance(held, bool):
            held = str(held).lower()
        elif isinstance(held, int | float):
            given = float(given)
    except ValueError as error:
        raise Refusal("ValidationException", f"Invalid value for {condition['Name']}: {given}") from error
    return bool(_OPERATORS[test](held, given))


def _matches(document: Mapping[str, Any], expression: Mapping[str, Any]) -> bool:
    answers = [_satisfies(document, condition) for condition in expression.get("Filters", ())]
    answers += [_matches(document, inner) for inner in expression.get("SubExpressions", ())]
    return any(answers) if expression.get("Operator") == "Or" else all(answers)


def _model_record(state: DemoState, region: str, model: Document) -> Document:
    """A model as Search nests it: twice, beside the endpoints it serves and the last batch job that used it."""
    name = model["ModelName"]
    configs = {
        config["EndpointConfigName"]
        for config in state.documents("EndpointConfig", region)
        if any(variant.get("ModelName") == name for variant in config["ProductionVariants"])
    }
    endpoints = [
        {
            key: endpoint[key]
            for key in ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus")
        }
        for endpoint in state.documents("Endpoint", region)
        if endpoint.get("EndpointConfigName") in configs
    ]
    record: Document = {"Model": model, "Endpoints": endpoints}
    jobs = [job for job in state.documents("TransformJob", region) if job["ModelName"] == name]
    if jobs:
        record["LastBatchTransformJob"] = max(jobs, key=lambda job: job["CreationTime"])
    cards = [card for card in state.documents("ModelCard", region) if _describes(card, model["ModelArn"])]
    if cards:
        record["ModelCard"] = {**cards[-1], "Tags": state.tags(arn_of("ModelCard", cards[-1]))}
    return record


def _describes(card: Mapping[str, Any], model: str) -> bool:
    """Whether a card is about a model: its content names the model's ARN."""
    overview = json.loads(card["Content"]).get("model_overview", {})
    return bool(overview.get("model_id") == model)


def _card_record(card: Document) -> Document:
    """A card as Search has it: with what it is about and its risk, which its content says."""
    content = json.loads(card["Content"])
    shown = {
        "ModelId": content.get("model_overview", {}).get("model_id"),
        "RiskRating": content.get("intended_uses", {}).get("risk_rating"),
    }
    return {**card, **{key: value for key, value in shown.items() if value}}


def _endpoint_record(state: DemoState, region: str, endpoint: Document) -> Document:
    """An endpoint as Search has it: with the monitoring schedules that watch it, whole."""
    schedules = [
        schedule
        for schedule in state.documents("MonitoringSchedule", region)
        if _schedule_summary(schedule)["EndpointName"] == endpoint["EndpointName"]
    ]
    watched = [
        {**schedule, **{key: value for key, value in _schedule_summary(schedule).items() if value}}
        for schedule in schedules
    ]
    return {**endpoint, "MonitoringSchedules": watched} if watched else endpoint


def search(state: DemoState, region: str, parameters: Mapping[str, Any]) -> Document:
    """The answer of Search: filtered, sorted (LastModifiedTime, newest first) and paged as AWS does.

    Records have the members of Search's own shapes, which lack some of what Describe answers, and tags.
    """
    kind = str(parameters["Resource"])
    if kind in _EMPTY_SEARCHES:
        return {"Results": []}
    expression = parameters.get("SearchExpression")
    if expression is not None and not any(
        expression.get(part) for part in ("Filters", "NestedFilters", "SubExpressions")
    ):
        raise Refusal("ValidationException", "SearchExpression needs at least one filter or subexpression")
    kind = _SEARCHED_AS.get(kind, kind)
    kept = []
    for document in state.documents(kind, region) if kind in SEARCHABLE else ():
        whole = {**document, "Tags": state.tags(arn_of(kind, document))}
        if expression is None or _matches(whole, expression):
            kept.append(whole)
    by = str(parameters.get("SortBy", "LastModifiedTime"))
    epoch = moment(0)
    kept.sort(
        key=lambda whole: (_property(whole, by) or whole.get("CreationTime", epoch), arn_of(kind, whole)),
        reverse=parameters.get("SortOrder", "Descending") == "Descending",
    )
    shown, token = page(kept, parameters, size="MaxResults", token="NextToken", default=10, most=100)  # noqa: S106
    if kind == "Model":
        shown = [_model_record(state, region, model) for model in shown]
    if kind == "ModelCard":
        shown = [_card_record(card) for card in shown]
    if kind == "Endpoint":
        shown = [_endpoint_record(state, region, endpoint) for endpoint in shown]
    record = service_model("sagemaker").shape_for("SearchRecord")
    found: Document = {"Results": [project(record, {kind: whole}) for whole in shown]}
    found["TotalHits"] = {"Value": len(kept), "Relation": "EqualTo"}
    return {**found, "NextToken": token} if token else found


def list_tags(state: DemoState, region: str, parameters: Mapping[str, Any]) -> Document:
    """The answer of ListTags; an ARN without tags has none."""
    arn = str(parameters["ResourceArn"])
    if not arn.startswith(f"arn:aws:sagemaker:{region}:{state.account}:"):
        raise Refusal("ValidationException", f"Invalid resource ARN: {arn}")
    shown, token = page(
        state.tags(arn),
        parameters,
        size="MaxResults",
        token="NextToken",  # noqa: S106 -- the name of a parameter
        default=50,
        most=100,
    )
    return {"Tags": shown, "NextToken": token} if token else {"Tags": shown}


def answers() -> dict[str, Answer]:
    """Every SageMaker operation that is answered from documents, by its "sagemaker:Name"."""
    found: dict[str, Answer] = {"sagemaker:Search": search, "sagemaker:ListTags": list_tags}
    for kind in SAGEMAKER_KINDS:
        found[f"sagemaker:Describe{kind}"] = describe(kind)
        name = f"List{_PLURALS.get(kind, f'{kind}s')}"
        found[f"sagemaker:{name}"] = listing(kind, name)
    return found
