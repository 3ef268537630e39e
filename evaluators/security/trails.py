"""What CloudTrail records beyond management events."""

from collections.abc import Iterable
from typing import Any

from collectors.cloudtrail import AdvancedSelector, EventDataStore, Trail
from collectors.sagemaker.endpoints import Endpoint
from collectors.sample import Sample, sample
from collectors.view import Region
from evaluators.controls import lens
from evaluators.production import production_here
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule
from evaluators.signs import first_of, first_sign

_SERVING = sample(Endpoint, "churn")
_CALLS = "AWS::SageMaker::Endpoint"


def _selectors(*types: str, **fields: Any) -> list[dict[str, Any]]:
    conditions = [
        {"field": "eventCategory", "equals": ["Data"]},
        {"field": "resources.type", "equals": list(types)},
    ]
    return [{"field_selectors": [*conditions, *({"field": k, **v} for k, v in fields.items())]}]


def _trail(*types: str, **values: Any) -> Sample:
    return sample(
        Trail,
        "audit",
        **{"is_multi_region_trail": True, "advanced_event_selectors": _selectors(*types), **values},
    )


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
    ],
    good=[
        given(_SERVING, _trail(_CALLS)),
        given(_SERVING, _trail("AWS::S3::Object", _CALLS)),
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
    who used a model. On busy endpoints the events cost more than they tell, so that this is advice.
    A trail that covers the Region and an event data store of CloudTrail Lake count.
    """
    serving = production_here(region)
    if not serving:
        return not_applicable("nothing serves production here")
    seen = first_sign(
        (
            lambda: first_of(region.all(Trail), lambda trail: _trail_records(trail, region)),
            lambda: first_of(region.all(EventDataStore), lambda store: _store_records(store, region)),
        )
    )
    if seen:
        return passed(seen)
    return failed(
        "nothing records who calls the endpoints",
        EndpointName=list(serving[:10]),
        IsLogging=sorted({str(trail.is_logging) for trail in region.all(Trail)}),
        trails_seen=sorted(trail.name for trail in region.all(Trail))[:10],
    )


def _trail_records(trail: Trail, region: Region) -> str:
    covers = trail.is_multi_region_trail or trail.home_region == region.name
    recorded = covers and trail.is_logging and _selects_calls(trail.advanced_event_selectors)
    return f"trail {trail.name}" if recorded else ""


def _store_records(store: EventDataStore, region: Region) -> str:
    covers = store.status == "ENABLED" and (store.multi_region_enabled or f":{region.name}:" in store.id)
    return (
        f"event data store {store.name}" if covers and _selects_calls(store.advanced_event_selectors) else ""
    )


def _selects_calls(selectors: Iterable[AdvancedSelector]) -> bool:
    """Whether a selector takes data events of endpoints; classic selectors know no SageMaker."""
    for selector in selectors:
        fields = {item.field: item for item in selector.field_selectors}
        of = fields.get("resources.type")
        if of is not None and _CALLS in (of.equals or ()):
            return True
    return False
