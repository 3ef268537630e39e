"""CloudTrail: trails with their status and selectors, and Lake event data stores."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Document, Operation, Reading, Resource, Unread
from collectors.view import PART, Part, View, items, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

DESCRIBE = Operation(
    "cloudtrail", "DescribeTrails", result="trailList[]", parameters=(("includeShadowTrails", True),)
)
STATUS = Operation("cloudtrail", "GetTrailStatus")
SELECTORS = Operation("cloudtrail", "GetEventSelectors")
LIST_STORES = Operation("cloudtrail", "ListEventDataStores", result="EventDataStores[]")
GET_STORE = Operation("cloudtrail", "GetEventDataStore")


class FieldSelector(Part):
    """One condition of an advanced selector: all of a selector's conditions have to hold."""

    field = required(PART, "Field", str, "eventCategory")
    equals = optional(PART, "Equals", list[str])
    starts_with = optional(PART, "StartsWith", list[str])
    ends_with = optional(PART, "EndsWith", list[str])
    not_equals = optional(PART, "NotEquals", list[str])
    not_starts_with = optional(PART, "NotStartsWith", list[str])
    not_ends_with = optional(PART, "NotEndsWith", list[str])


class AdvancedSelector(Part):
    """A selector of the newer form; a trail has either form, never both."""

    field_selectors = items(PART, "FieldSelectors[]", FieldSelector)


class DataResource(Part):
    """What a classic selector records beyond management events."""

    type = optional(PART, "Type", str)
    values = optional(PART, "Values", list[str])


class EventSelector(Part):
    """A selector of the classic form. AWS's defaults: all events, management events included."""

    read_write_type = optional(PART, "ReadWriteType", str)
    include_management_events = optional(PART, "IncludeManagementEvents", bool)
    data_resources = items(PART, "DataResources[]", DataResource)


class Trail(
    View,
    kind="trail",
    type="AWS::CloudTrail::Trail",
    listing=(DESCRIBE,),
    name="Name",
    arn="TrailARN",
    is_global=True,
):
    """A trail, once, in whatever Regions its shadows stand."""

    home_region = required(DESCRIBE, "HomeRegion", str, "eu-west-1")
    is_multi_region_trail = optional(DESCRIBE, "IsMultiRegionTrail", bool)
    log_file_validation_enabled = optional(DESCRIBE, "LogFileValidationEnabled", bool)
    kms_key_id = optional(DESCRIBE, "KmsKeyId", str)
    cloud_watch_logs_log_group_arn = optional(DESCRIBE, "CloudWatchLogsLogGroupArn", str)
    is_logging = required(STATUS, "IsLogging", bool, True)
    event_selectors = items(SELECTORS, "EventSelectors[]", EventSelector)
    advanced_event_selectors = items(SELECTORS, "AdvancedEventSelectors[]", AdvancedSelector)

    @property
    def shown_region(self) -> str:
        return self.home_region

    @property
    def owner_account(self) -> str:
        """The account that the trail belongs to: another one for an organisation's trail."""
        return self.id.split(":")[4]


class EventDataStore(
    View,
    kind="event-data-store",
    type="AWS::CloudTrail::EventDataStore",
    listing=(LIST_STORES,),
    name="Name",
    arn="EventDataStoreArn",
    is_global=True,
):
    """A CloudTrail Lake event data store: an alternative to a trail."""

    status = optional(GET_STORE, "Status", str)
    multi_region_enabled = optional(GET_STORE, "MultiRegionEnabled", bool)
    advanced_event_selectors = items(GET_STORE, "AdvancedEventSelectors[]", AdvancedSelector)


@collects(Trail)
def trails(reader: "Reader") -> Iterator[Resource]:
    """Every trail that shows in an audited Region, each asked in its home Region and by its ARN.

    By name, or in another Region, GetTrailStatus answers TrailNotFound.
    """
    found: dict[str, Document] = {}
    for region in reader.region.audited():
        for document in reader.list(DESCRIBE, region=region.name):
            found.setdefault(document["TrailARN"], document)

    def asked(document: Document) -> list[Resource]:
        arn, home = document["TrailARN"], document["HomeRegion"]
        readings: dict[Operation, Reading] = {DESCRIBE: document}
        if reader.wants(STATUS):
            readings[STATUS] = reader.read(STATUS, region=home, Name=arn)
        if reader.wants(SELECTORS):
            readings[SELECTORS] = reader.read(SELECTORS, region=home, TrailName=arn)
        return list(reader.resource(readings, key=arn))

    for resources in reader.gather(asked, found.values()):
        yield from resources


@collects(EventDataStore)
def event_data_stores(reader: "Reader") -> Iterator[Resource]:
    """The event data stores of each audited Region."""
    for region in reader.region.audited():
        try:
            stores = list(reader.pages(LIST_STORES, region=region.name))
        except Unread as unread:
            reader.incomplete(unread.gap)
            continue
        for store in stores:
            arn = store["EventDataStoreArn"]
            whole = reader.read(GET_STORE, region=region.name, EventDataStore=arn)
            yield from reader.resource({LIST_STORES: store, GET_STORE: whole}, key=arn)
