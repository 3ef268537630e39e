"""Processing jobs: network, isolation and encryption."""

from functools import partial
from typing import Any

from collectors.ec2 import InstanceType
from collectors.model import Reason, Unread
from collectors.s3 import Bucket
from collectors.sagemaker.job_families import is_made_by_aws
from collectors.sagemaker.processing_jobs import DESCRIBE, ProcessingJob
from collectors.sample import NOW, Sample, sample
from evaluators.controls import lens
from evaluators.encryption import destination_bucket, has_nvme, lacking
from evaluators.families import older_run, processing_families
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule

_VPC: dict[str, Any] = {"subnets": ["subnet-1"]}
_ISOLATED: dict[str, Any] = {**_VPC, "enable_network_isolation": True}
_CLARIFY = "131013547314.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-clarify-processing:1.0"
_SERVICE = "arn:aws:sagemaker:eu-west-1:123456789012"


def _job(name: str = "features-2026-11-18", **values: Any) -> Sample:
    """A job on one m5 instance."""
    return sample(ProcessingJob, name, **{"instance_type": "ml.m5.xlarge", "instance_count": 1, **values})


_NEWER = _job("features-2026-11-19", creation_time=NOW, **_ISOLATED)
_CHILDREN = (
    _job(monitoring_schedule_arn=f"{_SERVICE}:monitoring-schedule/m"),
    _job(auto_ml_job_arn=f"{_SERVICE}:automl-job/a"),
    _job(training_job_arn=f"{_SERVICE}:training-job/t"),
    _job("model-monitoring-202611180900-4f2a"),
    given(_job(), _NEWER),
)


def _not_judged(job: ProcessingJob) -> str:
    """Why a job is not judged itself; nothing for the latest run of a family of the user's own."""
    if is_made_by_aws(job.name):
        return "a service of AWS made it"
    why = older_run(job, processing_families(job.region))
    return why or ("its parent is judged instead" if job.parent else "")


@rule(
    "SEC-015",
    Severity.HIGH,
    bad=[
        _job(),
        _job(enable_network_isolation=True),
        _job(**_VPC),
        _job(**_VPC, enable_network_isolation=False),
        _job(image_uri=_CLARIFY),
    ],
    good=[
        _job(**_ISOLATED),
        # Clarify calls a shadow endpoint, which isolation would cut off.
        _job(**_VPC, image_uri=_CLARIFY),
        given(_NEWER, _job()),
    ],
    exempt=_CHILDREN,
    remedy="Set NetworkConfig (VpcConfig, EnableNetworkIsolation) in CreateProcessingJob in the next run.",
    change=Change.NEXT_RUN,
    maps=[lens("MLSEC03-BP02")],
)
def processing_outside_vpc(job: ProcessingJob) -> Verdict:
    """Processing jobs should run in a VPC, isolated where possible.

    Processing touches raw data, and code that can call out can carry it out. The latest run of a family
    (name without the run's ending) is judged: past jobs cannot be changed. Clarify's containers cannot
    run isolated. Jobs of monitoring schedules, AutoML and Debugger are judged with what starts them.
    """
    why = _not_judged(job)
    if why:
        return not_applicable(why)
    isolated = job.enable_network_isolation is True
    figures: dict[str, Any] = {"Subnets": job.subnets, "EnableNetworkIsolation": job.enable_network_isolation}
    if not job.subnets:
        return failed("the job runs outside of any VPC of yours", **figures)
    if isolated or "clarify" in (job.image_uri or "").lower():
        return passed(**figures)
    return failed(
        "its containers can call out", lowered=2, why_lowered="the job runs within a VPC of yours", **figures
    )


_PLAIN = sample(InstanceType, "m5.xlarge", arn="m5.xlarge")
_NVME = sample(InstanceType, "g5.xlarge", arn="g5.xlarge", instance_storage_supported=True)
_KEY = "arn:aws:kms:eu-west-1:123456789012:key/k"
_TO_FEATURES: dict[str, Any] = {"outputs": [{"s3_uri": "s3://features/daily/"}]}
_KEYED: dict[str, Any] = {**_TO_FEATURES, "kms_key_id": _KEY, "volume_kms_key_id": _KEY}


def _bucket(algorithm: str) -> Sample:
    return sample(
        Bucket, "features", server_side_encryption_configuration={"rules": [{"sse_algorithm": algorithm}]}
    )


@rule(
    "SEC-016",
    Severity.MEDIUM,
    bad=[
        given(_job(**_TO_FEATURES), _bucket("AES256"), _PLAIN),
        given(_job(**_TO_FEATURES, volume_kms_key_id=_KEY, kms_key_id=""), _bucket("AES256"), _PLAIN),
        given(_job(**_TO_FEATURES, kms_key_id=_KEY), _PLAIN),
        given(_job(outputs=[{"s3_uri": "s3://a-suppliers-bucket/"}]), _PLAIN),
        given(_job(**_KEYED, instance_type=None, instance_count=None, selected_instance_count=2), _PLAIN),
        given(_job(**_KEYED, instance_count=2), _PLAIN),
        given(_job(**_KEYED, instance_count=2, enable_inter_container_traffic_encryption=False), _PLAIN),
    ],
    good=[
        given(_job(**_KEYED), _PLAIN),
        given(_job(**_TO_FEATURES, volume_kms_key_id=_KEY), _bucket("aws:kms"), _PLAIN),
        given(_job(**_TO_FEATURES, kms_key_id=_KEY, instance_type="ml.g5.xlarge"), _NVME),
        given(_job(volume_kms_key_id=_KEY), _PLAIN),
        given(_job(**_KEYED, instance_count=2, enable_inter_container_traffic_encryption=True), _PLAIN),
        given(_job(**_KEYED, enable_inter_container_traffic_encryption=False), _PLAIN),
        given(
            _job(**_TO_FEATURES, kms_key_id=_KEY, instance_type=None, selected_instance_type="ml.g5.xlarge"),
            _NVME,
        ),
    ],
    exempt=_CHILDREN,
    remedy="Pass VolumeKmsKeyId, the output's KmsKeyId and EnableInterContainerTrafficEncryption in the next run.",
    change=Change.NEXT_RUN,
    maps=[lens("MLSEC02-BP01"), lens("MLSEC04-BP02")],
)
def processing_without_encryption(job: ProcessingJob) -> Verdict:
    """Processing jobs should encrypt volumes, outputs and the traffic between instances.

    Without KMS keys AWS's own are used, which nobody can revoke or see used. A bucket that encrypts with
    KMS by default covers the output; types with local NVMe storage encrypt in hardware and take no key.
    A job on one instance has no traffic between instances. The latest run of a family is judged.
    """
    why = _not_judged(job)
    if why:
        return not_applicable(why)
    missing = lacking(
        (
            ("no KMS key for its output", lambda: _output_lacks_key(job)),
            ("no KMS key for its volume", lambda: _volume_lacks_key(job)),
            ("its instances talk in clear", lambda: _talks_in_clear(job)),
        )
    )
    figures: dict[str, Any] = {
        "KmsKeyId": job.kms_key_id,
        "VolumeKmsKeyId": job.volume_kms_key_id,
        "EnableInterContainerTrafficEncryption": job.enable_inter_container_traffic_encryption,
        "InstanceType": job.type_used,
        "instances": job.total_instances,
    }
    return failed("; ".join(missing), **figures) if missing else passed(**figures)


def _output_lacks_key(job: ProcessingJob) -> bool:
    uris = sorted({output.s3_uri for output in job.outputs if output.s3_uri})
    return not job.kms_key_id and bool(lacking((uri, partial(_is_without_kms, job, uri)) for uri in uris))


def _is_without_kms(job: ProcessingJob, uri: str) -> bool:
    return not destination_bucket(job, uri).encrypted_with_kms


def _volume_lacks_key(job: ProcessingJob) -> bool:
    if job.volume_kms_key_id:
        return False
    if job.type_used is None:
        raise Unread(job.gap(str(DESCRIBE), Reason.MISSING, "the instance type that it runs on"))
    return not has_nvme(job, job.type_used)


def _talks_in_clear(job: ProcessingJob) -> bool:
    if job.enable_inter_container_traffic_encryption is True:
        return False
    if job.total_instances is None:
        raise Unread(job.gap(str(DESCRIBE), Reason.MISSING, "how many instances it runs on"))
    return job.total_instances > 1
