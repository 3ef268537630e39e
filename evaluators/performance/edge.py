"""Inference on devices: what is left of Edge Manager."""

from collectors.sagemaker.compilation_jobs import CompilationJob
from collectors.sagemaker.edge import Device, DeviceFleet, EdgePackagingJob
from collectors.sagemaker.studio import Domain
from collectors.sample import NOW, sample
from collectors.view import Region, moment
from evaluators.controls import lens
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule


@rule(
    "PERF-015",
    Severity.LOW,
    bad=[
        sample(DeviceFleet, "shelves", device_fleet_name="shelves"),
        given(
            sample(DeviceFleet, "shelves"),
            sample(Device, "shelf-1", latest_heartbeat=moment("2024-04-01T06:00:00+00:00")),
            sample(Device, "shelf-2", latest_heartbeat=NOW),
        ),
        sample(EdgePackagingJob, "shelf-model"),
        given(sample(DeviceFleet), sample(CompilationJob, compilation_target_device="jetson_nano")),
    ],
    good=[sample(CompilationJob, compilation_target_device="jetson_nano")],
    exempt=[
        sample(Domain),
        sample(CompilationJob, compilation_target_device="ml_c5"),
        sample(CompilationJob, compilation_target_device="lambda"),
        sample(CompilationJob),
    ],
    remedy="Compile for the devices with Neo or ONNX, deploy with AWS IoT Greengrass, and deregister the fleets.",
    change=Change.RECREATE,
    maps=[lens("MLPERF05-BP01")],
)
def edge_manager_left_over(region: Region, *, max_heartbeat_days: float = 7) -> Verdict:
    """Models on devices should be managed by something that AWS still runs.

    Edge Manager ended in April 2024: its fleets get no models, and nobody sees whether a device still
    reports. A Region where models are compiled for devices and nothing of Edge Manager is left
    passes. Packaging jobs count for the look-back window alone, since they cannot be deleted.
    """
    fleets = sorted(fleet.device_fleet_name for fleet in region.all(DeviceFleet))
    packaged = sorted(job.edge_packaging_job_name for job in region.all(EdgePackagingJob))
    if fleets or packaged:
        beats = [device.latest_heartbeat for device in region.all(Device)]
        silent = [beat for beat in beats if beat is None or beat < region.ago(max_heartbeat_days)]
        return failed(
            "it has fleets or packages of Edge Manager, which AWS has ended",
            DeviceFleetName=fleets[:10],
            EdgePackagingJobName=packaged[:10],
            devices=len(beats),
            silent_devices=len(silent),
        )
    targets = {job.compilation_target_device or "" for job in region.all(CompilationJob)}
    devices = sorted(name for name in targets if name and name != "lambda" and not name.startswith("ml_"))
    if not devices:
        return not_applicable("nothing here is made for devices")
    return passed("models are compiled for devices", CompilationTargetDevice=devices[:10])
