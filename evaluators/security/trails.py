"""What CloudTrail records beyond management events."""

from collections.abc import Iterable
from typing import Any

from collectors.cloudtrail import AdvancedSelector, EventDataStore, FieldSelector, Trail
from collectors.model import Unread
from collectors.s3 import Bucket
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.feature_groups import FeatureGroup
from collectors.sample import Sample, sample
from collectors.view import Region, index
from evaluators.controls import config_rule, lens, prowler, security_hub
from evaluators.production import production_here
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule
from evaluators.security.buckets import classification
from evaluators.signs import first_of, first_sign

_SERVING = sample(Endpoint, "churn")
_CALLS = "AWS::SageMaker::Endpoint"
_FEATURES = "AWS::SageMaker::FeatureGroup"
_ARN = "arn:aws:s3:::churn-data"


def _selectors(*types: str, **fields: Any) -> list[dict[str, Any]]:
    conditions = [
        {"field": "eventCategory", "equals": ["Data"]},
        {"field": "resources.type", "equals": list(types)},
    ]
    return [{"field_selectors": [*conditions, *({"field": k, **v} for k, v in fields.items())]}]


def _records_all(*types: str) -> dict[str, Any]:
    return {"is_multi_region_trail": True, "advanced_event_selectors": _selectors(*types)}


def _trail(*types: str, **values: Any) -> Sample:
    return sample(Trail, "audit", **{**_records_all(*types), **values})


_ONLINE = sample(FeatureGroup, "clicks", enable_online_store=True)


@rule(
    "SEC-057",
    Severity.LOW,
    bad=[
        given(_SERVING, _trail("AWS::S3::Object")),
        given(_SERVING, _trail(_CALLS, is_logging=False)),
        given(_SERVING, _trail(_CALLS, is_multi_region_trail=False, home_region="us-east-1")),
        given(
            _SERVING, sample(Trail, "t", event_selectors=[{"data_resources": [{"type": "AWS::S3::Object"}]}])
        ),
        given(_SERVING, _ONLINE, _trail(_CALLS)),
    ],
    good=[
        given(_SERVING, _trail(_CALLS)),
        given(_SERVING, _trail("AWS::S3::Object", _CALLS)),
        given(_SERVING, _ONLINE, _trail(_CALLS, _FEATURES)),
        # One trail may record the calls, another the features.
        given(_SERVING, _ONLINE, _trail(_CALLS), sample(Trail, "two", **_records_all(_FEATURES))),
        given(_SERVING, sample(FeatureGroup, s3_uri="s3://features/"), _trail(_CALLS)),
        given(_SERVING, _trail(_CALLS, is_multi_region_trail=False, home_region="eu-west-1")),
        given(
            _SERVING,
            sample(
                EventDataStore,
                "lake",
                status="ENABLED",
                multi_region_enabled=True,
                advanced_event_selectors=_selectors(_CALLS),
            ),
        ),
    ],
    exempt=[
        given(sample(Endpoint, "toy", tags={"Environment": "sandbox"})),
        given(sample(Endpoint, "broken", endpoint_status="Failed")),
    ],
    remedy="Consider an advanced selector with eventCategory Data and resources.type AWS::SageMaker::Endpoint; "
    "it is billed by event.",
    command="aws cloudtrail put-event-selectors --trail-name TRAIL --advanced-event-selectors file://selectors.json",
    change=Change.IN_PLACE,
    maps=[lens("MLSEC06-BP01"), lens("MLSEC06-BP02")],
)
def unrecorded_inference_calls(region: Region) -> Verdict:
    """Inference calls to production endpoints should be recorded by CloudTrail.

    InvokeEndpoint is a data event: no trail has it unless it is asked for, and then nobody can say
    who used a model. Where feature groups are online their reads and writes are data events as well.
    On busy endpoints the events cost more than they tell, so that this is advice. A trail that covers
    the Region and an event data store of CloudTrail Lake count.
    """
    serving = production_here(region)
    if not serving:
        return not_applicable("nothing serves production here")
    calls = _recorder_of(region, _CALLS)
    if not calls:
        return failed(
            "nothing records who calls the endpoints", EndpointName=list(serving[:10]), **_seen(region)
        )
    online = sorted(group.name for group in region.all(FeatureGroup) if group.enable_online_store)
    if online and not _recorder_of(region, _FEATURES):
        return failed(
            "calls of endpoints are recorded, and nothing records who reads online features",
            EndpointName=list(serving[:10]),
            EnableOnlineStore=online[:10],
            **_seen(region),
        )
    return passed(calls)


def _recorder_of(region: Region, type_: str) -> str:
    """What records the data events of a type of resource here; nothing where nothing does. Raises `Unread`."""
    return first_sign(
        (
            lambda: first_of(region.all(Trail), lambda trail: _trail_records(trail, region, type_)),
            lambda: first_of(region.all(EventDataStore), lambda store: _store_records(store, region, type_)),
        )
    )


def _seen(region: Region) -> dict[str, Any]:
    trails = list(region.all(Trail))
    return {
        "IsLogging": sorted({str(trail.is_logging) for trail in trails}),
        "trails_seen": sorted(trail.name for trail in trails)[:10],
    }


def _trail_records(trail: Trail, region: Region, type_: str) -> str:
    covers = trail.is_multi_region_trail or trail.home_region == region.name
    recorded = covers and trail.is_logging and _selects(trail.advanced_event_selectors, type_)
    return f"trail {trail.name}" if recorded else ""


def _store_records(store: EventDataStore, region: Region, type_: str) -> str:
    covers = store.status == "ENABLED" and (store.multi_region_enabled or f":{region.name}:" in store.id)
    return (
        f"event data store {store.name}" if covers and _selects(store.advanced_event_selectors, type_) else ""
    )


def _selects(selectors: Iterable[AdvancedSelector], type_: str) -> bool:
    """Whether a selector takes data events of a type; classic selectors know no SageMaker."""
    for selector in selectors:
        fields = {item.field: item for item in selector.field_selectors}
        of = fields.get("resources.type")
        if of is not None and type_ in (of.equals or ()):
            return True
    return False


_WRITES, _READS = "WriteOnly", "ReadOnly"


def _matches(selector: FieldSelector, value: str) -> bool:
    """Whether one condition of an advanced selector holds for a value."""
    return (
        (selector.equals is None or value in selector.equals)
        and (selector.starts_with is None or value.startswith(tuple(selector.starts_with)))
        and (selector.ends_with is None or value.endswith(tuple(selector.ends_with)))
        and (selector.not_equals is None or value not in selector.not_equals)
        and (selector.not_starts_with is None or not value.startswith(tuple(selector.not_starts_with)))
        and (selector.not_ends_with is None or not value.endswith(tuple(selector.not_ends_with)))
    )


def _records(selector: AdvancedSelector, prefix: str, kind: str) -> bool:
    """Whether an advanced selector records the writes, or the reads, of every object under an ARN prefix."""
    for item in selector.field_selectors:
        match item.field:
            case "eventCategory":
                holds = _matches(item, "Data")
            case "resources.type":
                holds = _matches(item, "AWS::S3::Object")
            case "readOnly":
                holds = _matches(item, "true" if kind == _READS else "false")
            case "resources.ARN":
                # An exact object, an ending, or a longer prefix covers a part of the bucket only.
                excludes = [p for p in (item.not_starts_with or ()) if p.startswith(prefix)]
                holds = not (item.equals or item.ends_with or excludes) and _matches(item, prefix)
            case _:
                holds = False
        if not holds:
            return False
    return bool(selector.field_selectors)


@index
def _recorders(region: Region) -> tuple[tuple[tuple[str, Any], ...], Unread | None]:
    """Logging trails and enabled stores with their selectors, and the gap that may hide another."""
    found: list[tuple[str, Any]] = []
    unread: Unread | None = None
    try:
        for trail in region.all(Trail):
            try:
                if trail.is_logging:
                    found.append((f"trail {trail.name}", _prefixes(trail)))
            except Unread as gap:
                unread = gap
        found += [
            (f"event data store {store.name}", (store.advanced_event_selectors, ()))
            for store in region.all(EventDataStore)
            if store.status == "ENABLED"
        ]
    except Unread as gap:
        unread = gap
    return tuple(found), unread


def _prefixes(trail: Trail) -> tuple[tuple[AdvancedSelector, ...], tuple[tuple[str, str], ...]]:
    """A trail's advanced selectors, and the object ARN prefixes of its classic ones with what they record."""
    classic = [
        (value, selector.read_write_type or "All")
        for selector in trail.event_selectors
        for resource in selector.data_resources
        if resource.type == "AWS::S3::Object"
        for value in resource.values or ()
    ]
    return trail.advanced_event_selectors, tuple(classic)


def _covered(bucket: Bucket, kind: str) -> tuple[str, Unread | None]:
    """What records the bucket's object writes or reads; nothing, and the gap that may hide it."""
    recorders, unread = _recorders(bucket.region)
    prefix = f"{bucket.id}/"
    for name, (advanced, classic) in recorders:
        everything = {f"arn:{bucket.region.partition}:s3", f"arn:{bucket.region.partition}:s3:::"}
        if any(value in {*everything, prefix} and recorded in ("All", kind) for value, recorded in classic):
            return name, None
        if any(_records(selector, prefix, kind) for selector in advanced):
            return name, None
    return "", unread


def _bucket(**values: Any) -> Sample:
    return sample(Bucket, "churn-data", arn=_ARN, **values)


_SENSITIVE = _bucket(tags={"DataClassification": "Confidential"})


def _objects(*values: str, kind: str = "All") -> Sample:
    resources = [{"type": "AWS::S3::Object", "values": list(values)}]
    return sample(Trail, "t", event_selectors=[{"read_write_type": kind, "data_resources": resources}])


def _advanced(*more: dict[str, Any]) -> Sample:
    fields = [
        {"field": "eventCategory", "equals": ["Data"]},
        {"field": "resources.type", "equals": ["AWS::S3::Object"]},
        *more,
    ]
    return sample(Trail, "t", advanced_event_selectors=[{"field_selectors": fields}])


@rule(
    "SEC-056",
    Severity.MEDIUM,
    bad=[
        _bucket(),
        given(_bucket(), _objects("arn:aws:s3:::other/")),
        given(_bucket(), _objects(f"{_ARN}/", kind="ReadOnly")),
        given(_bucket(), _objects(f"{_ARN}/models/")),
        given(_bucket(), _advanced({"field": "resources.ARN", "not_starts_with": [f"{_ARN}/"]})),
        given(_bucket(), _advanced({"field": "readOnly", "equals": ["true"]})),
        given(_SENSITIVE, _objects(f"{_ARN}/", kind="WriteOnly")),
        given(_SENSITIVE, _advanced({"field": "readOnly", "equals": ["false"]})),
    ],
    good=[
        given(_bucket(), _objects("arn:aws:s3")),
        given(_bucket(), _objects("arn:aws:s3:::")),
        given(_bucket(), _objects(f"{_ARN}/", kind="WriteOnly")),
        given(_bucket(), _advanced()),
        given(_SENSITIVE, _advanced()),
        given(_SENSITIVE, _objects(f"{_ARN}/")),
        given(_bucket(), _advanced({"field": "resources.ARN", "starts_with": [f"{_ARN}/"]})),
        given(_bucket(), _advanced({"field": "resources.ARN", "not_starts_with": ["arn:aws:s3:::logs/"]})),
        _bucket(target_bucket="access-logs"),
    ],
    remedy="Add a data event selector for the bucket's objects to a trail; data events are billed.",
    command="aws cloudtrail put-event-selectors --trail-name TRAIL --advanced-event-selectors file://selectors.json",
    change=Change.IN_PLACE,
    maps=[
        security_hub("S3.22"),
        security_hub("S3.23"),
        security_hub("S3.9"),
        config_rule("cloudtrail-all-write-s3-data-event-check"),
        config_rule("cloudtrail-all-read-s3-data-event-check"),
        config_rule("s3-bucket-logging-enabled"),
        prowler("cloudtrail_s3_dataevents_write_enabled"),
        prowler("cloudtrail_s3_dataevents_read_enabled"),
        lens("MLSEC06-BP02"),
    ],
)
def unrecorded_bucket(
    bucket: Bucket,
    *,
    sensitive_data_tags: tuple[str, ...] = (
        "sensitive",
        "confidential",
        "restricted",
        "secret",
        "pii",
        "phi",
    ),
) -> Verdict:
    """S3 object-level events should be recorded for ML buckets.

    Who read, replaced or deleted training data is otherwise unknown. Writes at least have to be
    recorded for the whole bucket, by a logging trail of either selector form or by an event data
    store; of a bucket whose classification tag says that its data is sensitive, reads as well. S3's
    server access log is a weaker alternative, and accepted.
    """
    recorded, unread = _covered(bucket, _WRITES)
    logged = bucket.target_bucket
    sensitive = classification(bucket) in sensitive_data_tags if recorded and not logged else False
    if recorded and sensitive:
        recorded, unread = _covered(bucket, _READS)
    if recorded:
        return passed(recorded)
    if logged:
        return passed(f"server access log to {logged}, no data events", TargetBucket=logged)
    if unread is not None:
        raise unread
    if sensitive:
        return failed(
            "its data is sensitive, and no trail records who reads it", TargetBucket=None, Values=[]
        )
    return failed(
        "no trail records its object events, and it has no access log", TargetBucket=None, Values=[]
    )
