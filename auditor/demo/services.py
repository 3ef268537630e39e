"""The other services' reads where moto has none or distorts them."""

from collections.abc import Callable, Mapping
from typing import Any

import moto.s3.models

from auditor.demo.metrics import get_metric_data
from auditor.demo.prices import get_products
from auditor.demo.shapes import Document, project
from auditor.demo.state import DemoState, Refusal, page, shape_of

Answer = Callable[[DemoState, str, Mapping[str, Any]], Document]

GLOBAL = "us-east-1"
"""Where documents of global services are kept."""

OTHER_REGIONS = ("ap-southeast-2", "eu-central-1", "us-west-2")


def _copy(kind: str, document: Document) -> Document:
    found: Document = project(shape_of(kind), document)
    return found


def _scaling(kind: str, most: int, filters: Mapping[str, str]) -> Answer:
    """One of Application Auto Scaling's Describe calls: `filters` map parameters to members."""

    def answer(state: DemoState, region: str, parameters: Mapping[str, Any]) -> Document:
        kept = [
            _copy(kind, document)
            for document in state.documents(kind, region)
            if all(
                document[member] in parameters[name]
                if isinstance(parameters[name], list)
                else document[member] == parameters[name]
                for name, member in filters.items()
                if name in parameters
            )
            and (
                kind != "ScalingActivity"
                or parameters.get("IncludeNotScaledActivities")
                or "NotScaledReasons" not in document
            )
        ]
        shown, token = page(
            kept,
            parameters,
            size="MaxResults",
            token="NextToken",  # noqa: S106 -- the name of a parameter
            default=most,
            most=most,
        )
        key = "ScalingActivities" if kind == "ScalingActivity" else _PLURALS[kind]
        return {key: shown, "NextToken": token} if token else {key: shown}

    return answer


_PLURALS = {"ScalableTarget": "ScalableTargets", "ScalingPolicy": "ScalingPolicies"}
_SCALED = {"ServiceNamespace": "ServiceNamespace", "ScalableDimension": "ScalableDimension"}


def describe_alarms(state: DemoState, region: str, parameters: Mapping[str, Any]) -> Document:
    """Metric alarms, and composite ones where AlarmTypes asks for them; unknown names are left out in silence."""
    types = parameters.get("AlarmTypes") or ["MetricAlarm"]
    names = parameters.get("AlarmNames")
    kept = [
        (kind, alarm)
        for kind in ("CompositeAlarm", "MetricAlarm")
        if kind in types
        for alarm in state.documents(kind, region)
        if (names is None or alarm["AlarmName"] in names)
        and alarm["AlarmName"].startswith(parameters.get("AlarmNamePrefix", ""))
        and parameters.get("StateValue") in (None, alarm["StateValue"])
    ]
    shown, token = page(kept, parameters, size="MaxRecords", token="NextToken", default=50, most=100)  # noqa: S106
    found: Document = {
        f"{kind}s": [_copy(kind, alarm) for held, alarm in shown if held == kind]
        for kind in ("CompositeAlarm", "MetricAlarm")
    }
    return {**found, "NextToken": token} if token else found


_IAM = (
    ("UserDetailList", "User"),
    ("GroupDetailList", "Group"),
    ("RoleDetailList", "Role"),
    ("Policies", "Policy"),
)


def _chosen(kind: str, document: Mapping[str, Any], filters: list[str]) -> bool:
    if not filters:
        return True
    if kind == "Policy":
        managed = ":iam::aws:policy/" in document["Arn"]
        return ("AWSManagedPolicy" if managed else "LocalManagedPolicy") in filters
    return kind in filters


def get_account_authorization_details(
    state: DemoState, _region: str, parameters: Mapping[str, Any]
) -> Document:
    """Users, groups, roles and policies, `MaxItems` of them all together to a page."""
    filters = list(parameters.get("Filter", ()))
    items = [
        (key, _copy(kind, document))
        for key, kind in _IAM
        for document in state.documents(kind, GLOBAL)
        if _chosen(kind, document, filters)
    ]
    shown, token = page(items, parameters, size="MaxItems", token="Marker", default=100, most=1000)  # noqa: S106
    found: Document = {key: [item for held, item in shown if held == key] for key, _ in _IAM}
    found["IsTruncated"] = token is not None
    return {**found, "Marker": token} if token else found


def get_account_summary(state: DemoState, _region: str, _parameters: Mapping[str, Any]) -> Document:
    """The account's counters; moto's leave no say in the root user's keys and MFA."""
    kept = state.documents("AccountSummary", GLOBAL)
    return _copy("AccountSummary", kept[0]) if kept else {"SummaryMap": {}}


def _key(state: DemoState, region: str, parameters: Mapping[str, Any]) -> Document:
    """The key that an id, ARN or alias names. Keys of other accounts are denied, as a caller without rights sees."""
    wanted = str(parameters["KeyId"])
    alias = wanted.rpartition(":")[2] if ":alias/" in wanted else wanted
    for found in state.named("Alias", region, alias):
        wanted = found["TargetKeyId"]
    owner = wanted.split(":")[4] if wanted.startswith("arn:") else state.account
    if owner != state.account:
        raise Refusal(
            "AccessDeniedException",
            "The ciphertext refers to a customer master key that does not exist, does not exist in this region, "
            "or you are not allowed to access.",
        )
    keys = state.named("Key", region, wanted)
    if not keys:
        raise Refusal("NotFoundException", f"Key '{wanted}' does not exist")
    return keys[0]


def describe_key(state: DemoState, region: str, parameters: Mapping[str, Any]) -> Document:
    """A key's metadata."""
    return {"KeyMetadata": _copy("Key", _key(state, region, parameters))}


def _of_key(kind: str) -> Answer:
    def answer(state: DemoState, region: str, parameters: Mapping[str, Any]) -> Document:
        key = _key(state, region, parameters)
        for document in state.named(kind, region, key["Arn"]):
            return _copy(kind, document)
        if kind == "KeyRotation":
            return {"KeyRotationEnabled": False, "KeyId": key["KeyId"]}
        raise Refusal("NotFoundException", f"No such policy exists for {key['KeyId']}")

    return answer


def describe_trails(state: DemoState, region: str, parameters: Mapping[str, Any]) -> Document:
    """Trails of the Region, and with shadow trails the multi-Region ones of the others."""
    shadows = parameters.get("includeShadowTrails", True)
    names = parameters.get("trailNameList") or ()
    trails = [
        _copy("Trail", trail)
        for home in state.regions
        for trail in state.documents("Trail", home)
        if home == region or (shadows and trail.get("IsMultiRegionTrail"))
    ]
    if names:
        trails = [trail for trail in trails if trail["Name"] in names or trail["TrailARN"] in names]
    return {"trailList": trails}


def _of_trail(kind: str, parameter: str) -> Answer:
    def answer(state: DemoState, region: str, parameters: Mapping[str, Any]) -> Document:
        name = str(parameters[parameter])
        home = name.split(":")[3] if name.startswith("arn:") else region
        for trail in state.named("Trail", home, name):
            for document in state.named(kind, home, trail["TrailARN"]):
                return _copy(kind, document)
        raise Refusal(
            "TrailNotFoundException", f"Unknown trail: {name} for the user: {state.account}", status=400
        )

    return answer


def list_event_data_stores(state: DemoState, region: str, parameters: Mapping[str, Any]) -> Document:
    """CloudTrail Lake's event data stores: names and ARNs, the rest only GetEventDataStore answers."""
    kept = [
        {name: document[name] for name in ("EventDataStoreArn", "Name")}
        for document in state.documents("EventDataStore", region)
    ]
    shown, token = page(
        kept,
        parameters,
        size="MaxResults",
        token="NextToken",  # noqa: S106 -- the name of a parameter
        default=1000,
        most=1000,
    )
    return {"EventDataStores": shown, "NextToken": token} if token else {"EventDataStores": shown}


def get_event_data_store(state: DemoState, region: str, parameters: Mapping[str, Any]) -> Document:
    """One event data store, by ARN."""
    for document in state.named("EventDataStore", region, str(parameters["EventDataStore"])):
        return _copy("EventDataStore", document)
    raise Refusal("EventDataStoreNotFoundException", "The specified event data store was not found.")


def _of_type(arn: str, wanted: list[str]) -> bool:
    """Whether an ARN is of one of the types, spelled service or service:type."""
    service, resource = arn.split(":")[2], arn.split(":", 5)[5]
    kind = resource.split("/")[0].split(":")[0]
    return not wanted or any(item in (service, f"{service}:{kind}") for item in wanted)


def get_resources(state: DemoState, region: str, parameters: Mapping[str, Any]) -> Document:
    """Tagged resources only, a hundred to a page; a resource that never had a tag is in none."""
    arns = list(parameters.get("ResourceARNList", ()))
    if len(arns) > 100:
        raise Refusal("InvalidParameterException", "ResourceARNList has more than 100 ARNs")
    others = {"TagFilters", "ResourcesPerPage", "TagsPerPage", "PaginationToken"}
    if arns and any(parameters.get(name) for name in others):
        raise Refusal("InvalidParameterException", "ResourceARNList goes with no filter and no page")
    kinds = list(parameters.get("ResourceTypeFilters", ()))
    kept = []
    for arn in state.tagged(region):
        tags = {tag["Key"]: tag["Value"] for tag in state.tags(arn)}
        if (
            (not arns or arn in arns)
            and _of_type(arn, kinds)
            and all(
                item["Key"] in tags and (not item.get("Values") or tags[item["Key"]] in item["Values"])
                for item in parameters.get("TagFilters", ())
            )
        ):
            kept.append({"ResourceARN": arn, "Tags": state.tags(arn)})
    given = {key: value for key, value in parameters.items() if value != ""}
    shown, token = page(
        kept,
        given,
        size="ResourcesPerPage",
        token="PaginationToken",  # noqa: S106 -- the name of a parameter
        default=100 if arns else 50,
        most=100,
    )
    return {"PaginationToken": token or "", "ResourceTagMappingList": shown}


def describe_regions(state: DemoState, _region: str, parameters: Mapping[str, Any]) -> Document:
    """The enabled Regions; moto also lists those that are not opted in when only enabled ones are asked for."""
    names = [*state.regions, *(OTHER_REGIONS if parameters.get("AllRegions") else ())]
    wanted = parameters.get("RegionNames") or names
    for name in wanted:
        if name not in (*state.regions, *OTHER_REGIONS):
            raise Refusal("InvalidParameterValue", f"Invalid region provided: {name}")
    return {
        "Regions": [
            {
                "RegionName": name,
                "Endpoint": f"ec2.{name}.amazonaws.com",
                "OptInStatus": "opt-in-not-required" if name in state.regions else "not-opted-in",
            }
            for name in sorted({*names, *wanted})
            if name in wanted
        ]
    }


def list_buckets(state: DemoState, _region: str, parameters: Mapping[str, Any]) -> Document:
    """moto's buckets, with their Regions where a list parameter is sent, as S3 does it."""
    held = moto.s3.models.s3_backends[state.account]["aws"].buckets
    asked = any(
        parameters.get(name) for name in ("MaxBuckets", "BucketRegion", "Prefix", "ContinuationToken")
    )
    kept = [
        {
            "Name": name,
            "CreationDate": state.now,
            "BucketArn": f"arn:aws:s3:::{name}",
            **({"BucketRegion": bucket.region_name} if asked else {}),
        }
        for name, bucket in sorted(held.items())
        if name.startswith(parameters.get("Prefix", ""))
        and parameters.get("BucketRegion") in (None, bucket.region_name)
    ]
    shown, token = page(
        kept,
        parameters,
        size="MaxBuckets",
        token="ContinuationToken",  # noqa: S106 -- the name of a parameter
        default=10_000,
        most=10_000,
    )
    found: Document = {
        "Buckets": shown,
        "Owner": {"ID": "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54b"},
    }
    return {**found, "ContinuationToken": token} if token else found


def answers() -> dict[str, Answer]:
    """Every operation outside SageMaker that is answered here, by its "service:Operation"."""
    targets = {**_SCALED, "ResourceIds": "ResourceId"}
    policies = {**_SCALED, "ResourceId": "ResourceId", "PolicyNames": "PolicyName"}
    activities = {**_SCALED, "ResourceId": "ResourceId"}
    return {
        "application-autoscaling:DescribeScalableTargets": _scaling("ScalableTarget", 50, targets),
        "application-autoscaling:DescribeScalingActivities": _scaling("ScalingActivity", 50, activities),
        "application-autoscaling:DescribeScalingPolicies": _scaling("ScalingPolicy", 10, policies),
        "cloudtrail:DescribeTrails": describe_trails,
        "cloudtrail:GetEventDataStore": get_event_data_store,
        "cloudtrail:GetEventSelectors": _of_trail("EventSelectors", "TrailName"),
        "cloudtrail:GetTrailStatus": _of_trail("TrailStatus", "Name"),
        "cloudtrail:ListEventDataStores": list_event_data_stores,
        "cloudwatch:DescribeAlarms": describe_alarms,
        "cloudwatch:GetMetricData": get_metric_data,
        "ec2:DescribeRegions": describe_regions,
        "iam:GetAccountAuthorizationDetails": get_account_authorization_details,
        "iam:GetAccountSummary": get_account_summary,
        "kms:DescribeKey": describe_key,
        "kms:GetKeyPolicy": _of_key("KeyPolicy"),
        "kms:GetKeyRotationStatus": _of_key("KeyRotation"),
        "pricing:GetProducts": get_products,
        "resourcegroupstaggingapi:GetResources": get_resources,
        "s3:ListBuckets": list_buckets,
    }
