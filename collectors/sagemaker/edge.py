"""Edge Manager's fleets, devices and packaging jobs: what is left of a service that AWS has ended."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.view import View, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

_ENDED = ("UnknownOperationException", "UnknownOperation", "InvalidAction")
"""How an API that was taken away answers: then there is nothing left of it."""

LIST_FLEETS = Operation("sagemaker", "ListDeviceFleets", result="DeviceFleetSummaries[]", absent=_ENDED)
LIST_DEVICES = Operation("sagemaker", "ListDevices", result="DeviceSummaries[]", absent=_ENDED)
LIST_PACKAGING = Operation(
    "sagemaker", "ListEdgePackagingJobs", result="EdgePackagingJobSummaries[]", absent=_ENDED
)


class DeviceFleet(
    View,
    kind="device-fleet",
    type="AWS::SageMaker::DeviceFleet",
    listing=(LIST_FLEETS,),
    name="DeviceFleetName",
    arn="DeviceFleetArn",
):
    """A fleet of devices."""

    device_fleet_name = required(LIST_FLEETS, "DeviceFleetName", str, "example")


class Device(View, kind="device", listing=(LIST_DEVICES,), name="DeviceName", arn="DeviceArn"):
    """A device of a fleet; one that never reported has no heartbeat."""

    latest_heartbeat = optional(LIST_DEVICES, "LatestHeartbeat", datetime)


class EdgePackagingJob(
    View,
    kind="edge-packaging-job",
    listing=(LIST_PACKAGING,),
    name="EdgePackagingJobName",
    arn="EdgePackagingJobArn",
    windowed=True,
):
    """A packaging job of the look-back window. Older ones cannot be deleted and mean nothing any more."""

    edge_packaging_job_name = required(LIST_PACKAGING, "EdgePackagingJobName", str, "example")


@collects(DeviceFleet)
def device_fleets(reader: "Reader") -> Iterator[Resource]:
    """Every fleet."""
    for document in reader.list(LIST_FLEETS):
        yield from reader.resource({LIST_FLEETS: document})


@collects(Device)
def devices(reader: "Reader") -> Iterator[Resource]:
    """The devices of all fleets in one listing."""
    for document in reader.list(LIST_DEVICES):
        yield from reader.resource({LIST_DEVICES: document})


@collects(EdgePackagingJob)
def edge_packaging_jobs(reader: "Reader") -> Iterator[Resource]:
    """The jobs of the look-back window."""
    for document in reader.list(LIST_PACKAGING, CreationTimeAfter=reader.lookback):
        yield from reader.resource({LIST_PACKAGING: document})
