"""The services that watch an account: Macie, GuardDuty, Security Hub, AWS Config; one answer for each Region."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from collectors.collector import collects
from collectors.model import Gap, Operation, Reading, Resource, Unread
from collectors.view import PART, Part, View, items, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

_OFF = ("AccessDeniedException: not enabled",)
"""Macie that is not enabled answers as if access were denied; only the message tells."""

MACIE = Operation("macie2", "GetMacieSession", absent=_OFF)
DISCOVERY = Operation("macie2", "GetAutomatedDiscoveryConfiguration", absent=_OFF)
MACIE_BUCKETS = Operation("macie2", "DescribeBuckets", result="buckets[]", page_size=100, absent=_OFF)
MACIE_FINDINGS = Operation("macie2", "GetFindingStatistics", absent=_OFF)
DETECTORS = Operation("guardduty", "ListDetectors")
DETECTOR = Operation("guardduty", "GetDetector")
HUB = Operation("securityhub", "DescribeHub", absent=("InvalidAccessException",))
STANDARDS = Operation(
    "securityhub",
    "GetEnabledStandards",
    result="StandardsSubscriptions[]",
    absent=("InvalidAccessException",),
)
RECORDERS = Operation("config", "DescribeConfigurationRecorders")
RECORDER_STATUS = Operation("config", "DescribeConfigurationRecorderStatus")


class Macie(View, kind="macie", listing=(MACIE,)):
    """Macie in a Region; AWS says by an error that it is not enabled."""

    status = optional(MACIE, "status", str)

    @property
    def is_on(self) -> bool:
        """Whether it is enabled."""
        return self.status == "ENABLED"


class MacieDiscovery(View, kind="macie-discovery", listing=(DISCOVERY,)):
    """Macie's automated discovery in a Region where Macie is on."""

    status = optional(DISCOVERY, "status", str)


class MacieBucket(View, kind="macie-bucket", listing=(MACIE_BUCKETS,), name="bucketName", arn="bucketArn"):
    """What Macie knows of a bucket in its Region."""

    automated_discovery_monitoring_status = optional(MACIE_BUCKETS, "automatedDiscoveryMonitoringStatus", str)
    last_automated_discovery_time = optional(MACIE_BUCKETS, "lastAutomatedDiscoveryTime", datetime)
    is_defined_in_job = optional(MACIE_BUCKETS, "jobDetails.isDefinedInJob", str)
    size_in_bytes = optional(MACIE_BUCKETS, "sizeInBytes", int)
    classifiable_object_count = optional(MACIE_BUCKETS, "classifiableObjectCount", int)
    error_code = optional(MACIE_BUCKETS, "errorCode", str)


class FindingCount(Part):
    """How many findings there are of one bucket."""

    group_key = required(PART, "groupKey", str, "bucket")
    count = required(PART, "count", int, 1)


class MacieFindings(View, kind="macie-findings", listing=(MACIE_FINDINGS,)):
    """Open findings of high severity on sensitive data, older than thirty days, by bucket."""

    counts_by_group = items(MACIE_FINDINGS, "countsByGroup[]", FindingCount)


class Feature(Part):
    """One protection of GuardDuty."""

    name = required(PART, "Name", str, "S3_DATA_EVENTS")
    status = required(PART, "Status", str, "ENABLED")


class GuardDuty(View, kind="guardduty", listing=(DETECTORS,)):
    """GuardDuty in a Region: without a detector it is off."""

    detector_ids = optional(DETECTORS, "DetectorIds", list[str])
    status = optional(DETECTOR, "Status", str)
    features = items(DETECTOR, "Features[]", Feature)


class SecurityHub(View, kind="security-hub", listing=(HUB,)):
    """Security Hub in a Region, where it is enabled."""

    hub_arn = optional(HUB, "HubArn", str)


class SecurityStandard(
    View,
    kind="security-standard",
    listing=(STANDARDS,),
    name="StandardsArn",
    arn="StandardsSubscriptionArn",
):
    """A standard that Security Hub checks here."""

    standards_status = required(STANDARDS, "StandardsStatus", str, "READY")


class Recorder(Part):
    """A configuration recorder; AWS's own services keep recorders that are nobody else's business."""

    name = required(PART, "name", str, "default")
    all_supported = optional(PART, "recordingGroup.allSupported", bool)
    resource_types = optional(PART, "recordingGroup.resourceTypes", list[str])
    exclusion_by_resource_types = optional(PART, "recordingGroup.exclusionByResourceTypes", dict[str, Any])
    use_only = optional(PART, "recordingGroup.recordingStrategy.useOnly", str)
    service_principal = optional(PART, "servicePrincipal", str)


class RecorderStatus(Part):
    """Whether a recorder runs."""

    name = required(PART, "name", str, "default")
    recording = optional(PART, "recording", bool)


class ConfigRecorder(View, kind="config-recorder", listing=(RECORDERS,)):
    """AWS Config in a Region."""

    configuration_recorders = items(RECORDERS, "ConfigurationRecorders[]", Recorder)
    configuration_recorders_status = items(RECORDER_STATUS, "ConfigurationRecordersStatus[]", RecorderStatus)


@collects(Macie)
def macie(reader: "Reader") -> Iterator[Resource]:
    """One session for each Region."""
    yield from reader.resource({MACIE: reader.read(MACIE)}, key="macie", name="macie")


def _is_on(reader: "Reader") -> bool:
    """Whether Macie is on in the Region; where that could not be read, what follows it is not whole."""
    try:
        return any(session.is_on for session in reader.known(Macie))
    except Unread as unread:
        reader.incomplete(unread.gap)
        return False


@collects(MacieDiscovery, follows=(Macie,))
def macie_discovery(reader: "Reader") -> Iterator[Resource]:
    """One answer for each Region, where Macie is on."""
    if _is_on(reader):
        yield from reader.resource({DISCOVERY: reader.read(DISCOVERY)}, key="discovery", name="discovery")


def replace_operation(gap: Gap, operation: Operation) -> Gap:
    """The gap of a call that was not made since the one before it failed."""
    return Gap(str(operation), gap.reason, gap.code, gap.message, gap.account, gap.region)


@collects(MacieBucket, follows=(Macie,))
def macie_buckets(reader: "Reader") -> Iterator[Resource]:
    """The buckets of the Region, where Macie is on."""
    for document in reader.list(MACIE_BUCKETS) if _is_on(reader) else ():
        yield from reader.resource({MACIE_BUCKETS: document})


@collects(MacieFindings, follows=(Macie,))
def macie_findings(reader: "Reader") -> Iterator[Resource]:
    """One count for each Region, where Macie is on."""
    if not _is_on(reader):
        return
    before = int(reader.region.ago(30).timestamp() * 1000)
    wanted = {
        "criterion": {
            "archived": {"eq": ["false"]},
            "category": {"eq": ["CLASSIFICATION"]},
            "severity.description": {"eq": ["High"]},
            "createdAt": {"lt": before},
        }
    }
    reading = reader.read(MACIE_FINDINGS, groupBy="resourcesAffected.s3Bucket.name", findingCriteria=wanted)
    yield from reader.resource({MACIE_FINDINGS: reading}, key="findings", name="findings")


@collects(GuardDuty)
def guardduty(reader: "Reader") -> Iterator[Resource]:
    """A Region has one detector or none."""
    listed = reader.read(DETECTORS)
    detector: Reading = None
    if isinstance(listed, Gap):
        detector = replace_operation(listed, DETECTOR)
    elif listed and listed.get("DetectorIds"):
        detector = reader.read(DETECTOR, DetectorId=listed["DetectorIds"][0])
    yield from reader.resource({DETECTORS: listed, DETECTOR: detector}, key="guardduty", name="guardduty")


@collects(SecurityHub)
def security_hub(reader: "Reader") -> Iterator[Resource]:
    """One hub for each Region, or the answer that there is none."""
    yield from reader.resource({HUB: reader.read(HUB)}, key="hub", name="hub")


@collects(SecurityStandard)
def security_standards(reader: "Reader") -> Iterator[Resource]:
    """The standards that are enabled."""
    for document in reader.list(STANDARDS):
        yield from reader.resource({STANDARDS: document})


@collects(ConfigRecorder)
def config_recorders(reader: "Reader") -> Iterator[Resource]:
    """The recorders of a Region, and whether they run."""
    readings: dict[Operation, Reading] = {op: reader.read(op) for op in (RECORDERS, RECORDER_STATUS)}
    yield from reader.resource(readings, key="recorders", name="recorders")
