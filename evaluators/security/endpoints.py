"""Endpoint configurations and batch jobs: encryption."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from collectors.ec2 import InstanceType
from collectors.model import Reason, Unread
from collectors.s3 import Bucket
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.transform_jobs import TransformJob
from collectors.sample import Sample, sample
from collectors.view import Region, View, index
from evaluators.controls import config_rule, lens, prowler
from evaluators.encryption import destination_bucket, has_nvme
from evaluators.rule import Change, Severity, Verdict, expect, failed, given, not_applicable, passed, rule

T = TypeVar("T")

_PLAIN = sample(InstanceType, "m5.xlarge", arn="m5.xlarge")
_NVME = sample(InstanceType, "g5.xlarge", arn="g5.xlarge", instance_storage_supported=True)
_USED = sample(Endpoint, "scorer", endpoint_config_name="scorer-1")
_KEY = "arn:aws:kms:eu-west-1:123456789012:key/k"


def _config(*variants: Mapping[str, object], **values: Any) -> Sample:
    made = [{"variant_name": f"v{i}", "model_name": "m", **v} for i, v in enumerate(variants)]
    return sample(EndpointConfig, "scorer-1", production_variants=made, **values)


_M5: dict[str, Any] = {"instance_type": "ml.m5.xlarge"}
_G5: dict[str, Any] = {"instance_type": "ml.g5.xlarge"}
_SERVERLESS: dict[str, Any] = {"serverless_config": {"MemorySizeInMB": 2048}}


@index
def _configs_in_use(region: Region) -> frozenset[str]:
    """The names of the configurations that an endpoint runs on."""
    return frozenset(e.endpoint_config_name for e in region.all(Endpoint) if e.endpoint_config_name)


def _in_use(config: EndpointConfig) -> bool:
    return config.name in _configs_in_use(config.region)


def _those(found: Iterable[T], bad: Callable[[T], bool]) -> list[T]:
    """Those that are bad. One is an answer: `Unread` is raised where none is and one is not known."""
    known: list[T] = []
    unread: Unread | None = None
    for item in found:
        try:
            if bad(item):
                known.append(item)
        except Unread as gap:
            unread = gap
    if unread is not None and not known:
        raise unread
    return known


@rule(
    "SEC-020",
    Severity.MEDIUM,
    bad=[
        given(_config(_M5), _USED, _PLAIN),
        given(_config(_G5, _M5), _USED, _PLAIN, _NVME),
        given(_config({"instance_pools": [{"instance_type": "ml.m5.xlarge"}]}), _USED, _PLAIN),
        given(_config(_M5, kms_key_id=""), _USED, _PLAIN),
        # Nobody knows the second type; the first is enough.
        given(_config(_M5, {"instance_type": "ml.x9.large"}), _USED, _PLAIN),
    ],
    good=[
        given(_config(_M5, kms_key_id=_KEY), _USED, _PLAIN),
        given(_config({"instance_type": "ml.x9.large"}, kms_key_id=_KEY), _USED),
    ],
    exempt=[
        given(_config(_M5), _PLAIN),
        given(_config(_SERVERLESS), _USED),
        given(_config(_G5), _USED, _NVME),
        given(_config(_G5, _SERVERLESS), _USED, _NVME),
        given(_config({"instance_pools": [{"instance_type": "ml.g5.xlarge"}]}), _USED, _NVME),
    ],
    remedy="Create a configuration with KmsKeyId and update the endpoint to it.",
    command="aws sagemaker create-endpoint-config --endpoint-config-name NEW_CONFIG "
    "--production-variants file://variants.json --kms-key-id KEY",
    change=Change.RECREATE,
    maps=[
        config_rule("sagemaker-endpoint-configuration-kms-key-configured"),
        prowler("sagemaker_endpoint_config_kms_encryption_enabled"),
        lens("MLSEC02-BP01"),
    ],
)
def endpoint_volume_without_kms(config: EndpointConfig) -> Verdict:
    """Endpoint storage volumes should use a KMS key.

    The volume holds the model and what it works on. Only configurations that an endpoint runs on are
    judged. Types with local NVMe storage encrypt in hardware, and the key does not cover that
    storage: a configuration of such types alone, or of serverless variants alone, has no volume.
    """
    if not _in_use(config):
        return not_applicable("no endpoint uses this configuration")
    if config.kms_key_id:
        return passed(KmsKeyId=config.kms_key_id)
    variants = (*config.production_variants, *config.shadow_production_variants)
    types = sorted({name for variant in variants for name in variant.instance_types})
    if not types:
        return not_applicable("serverless variants have no volume of yours")
    volumes = _those(types, lambda name: not has_nvme(config, name))
    if not volumes:
        return not_applicable("all its types have local NVMe storage", InstanceType=types)
    return failed("its volumes have no KMS key", KmsKeyId=config.kms_key_id, InstanceType=volumes)


_KMS_BUCKET = sample(
    Bucket, "inference", server_side_encryption_configuration={"rules": [{"sse_algorithm": "aws:kms:dsse"}]}
)
_S3_BUCKET = sample(
    Bucket, "inference", server_side_encryption_configuration={"rules": [{"sse_algorithm": "AES256"}]}
)
_CAPTURE: dict[str, Any] = {"enable_capture": True, "destination_s3_uri": "s3://inference/capture"}
_ASYNC: dict[str, Any] = {"s3_output_path": "s3://inference/answers"}
_OUTPUT: dict[str, Any] = {"s3_output_path": "s3://inference/batch"}


_Destination = tuple[str | None, str | None]
"""The KMS key of something that is written to S3, and where to."""


@rule(
    "SEC-021",
    Severity.MEDIUM,
    bad=[
        given(_config(_M5, data_capture_config=_CAPTURE), _USED, _S3_BUCKET),
        given(_config(_M5, data_capture_config={**_CAPTURE, "kms_key_id": ""}), _USED, _S3_BUCKET),
        # AWS's default is on.
        given(_config(_M5, data_capture_config={**_CAPTURE, "enable_capture": None}), _USED, _S3_BUCKET),
        given(_config(_M5, output_config=_ASYNC), _USED, _S3_BUCKET),
        # Nobody knows the other account's bucket; the other destination is enough.
        given(
            _config(
                _M5,
                data_capture_config={**_CAPTURE, "destination_s3_uri": "s3://theirs"},
                output_config=_ASYNC,
            ),
            _USED,
            _S3_BUCKET,
        ),
        given(
            sample(
                TransformJob,
                transform_output={**_OUTPUT, "kms_key_id": _KEY},
                transform_resources=_G5,
                data_capture_config={"destination_s3_uri": "s3://inference/capture"},
            ),
            _NVME,
            _S3_BUCKET,
        ),
        given(
            sample(
                TransformJob, transform_output=_OUTPUT, transform_resources={**_M5, "volume_kms_key_id": _KEY}
            ),
            _S3_BUCKET,
        ),
        given(
            sample(TransformJob, transform_output={**_OUTPUT, "kms_key_id": _KEY}, transform_resources=_M5),
            _PLAIN,
        ),
    ],
    good=[
        given(_config(_M5, data_capture_config={**_CAPTURE, "kms_key_id": _KEY}), _USED),
        given(_config(_M5, data_capture_config=_CAPTURE, output_config=_ASYNC), _USED, _KMS_BUCKET),
        given(
            sample(TransformJob, transform_output={**_OUTPUT, "kms_key_id": _KEY}, transform_resources=_G5),
            _NVME,
        ),
        given(
            sample(
                TransformJob, transform_output=_OUTPUT, transform_resources={**_M5, "volume_kms_key_id": _KEY}
            ),
            _KMS_BUCKET,
        ),
        given(
            sample(
                TransformJob,
                transform_output={**_OUTPUT, "kms_key_id": _KEY},
                transform_resources=_G5,
                data_capture_config={"destination_s3_uri": "s3://inference/capture", "kms_key_id": _KEY},
            ),
            _NVME,
        ),
    ],
    exempt=[
        given(_config(_M5), _USED),
        given(_config(_M5, data_capture_config={**_CAPTURE, "enable_capture": False}), _USED),
        given(_config(_M5, data_capture_config=_CAPTURE), _S3_BUCKET),
    ],
    remedy="Set the key in a new endpoint configuration, or in the next batch job.",
    change=Change.RECREATE,
    maps=[lens("MLSEC02-BP01"), lens("MLSEC03-BP03")],
)
def inference_output_without_kms(source: EndpointConfig | TransformJob) -> Verdict:
    """Captured, asynchronous and batch outputs should be encrypted with KMS.

    Requests and answers often hold personal data. A destination bucket that encrypts with KMS by
    default is as good as a key. A batch job's volume needs a key as well, unless its type has local
    NVMe storage. Only configurations in use and the latest run of a batch job are judged. Capture is
    on unless a configuration turns it off.
    """
    if isinstance(source, TransformJob):
        return _transform(source)
    if not _in_use(source):
        return not_applicable("no endpoint uses this configuration")
    capture, output = source.data_capture_config, source.output_config
    used: dict[str, _Destination] = {}
    if capture is not None and capture.enable_capture is not False:
        used["captured data"] = (capture.kms_key_id, capture.destination_s3_uri)
    if output is not None:
        used["asynchronous answers"] = (output.kms_key_id, output.s3_output_path)
    if not used:
        return not_applicable("it captures nothing and answers directly")
    return _judged(used, _those(used, lambda what: _is_bare(source, used[what])))


def _transform(job: TransformJob) -> Verdict:
    if not job.is_described:
        return not_applicable("an older run of the same job")
    output, capture, resources = job.transform_output, job.data_capture_config, job.transform_resources
    if output is None or resources is None:
        # AWS sends both of every job; a document without them says nothing about keys.
        raise Unread(job.gap("sagemaker:DescribeTransformJob", Reason.MISSING, "TransformOutput"))
    used: dict[str, _Destination] = {"its answers": (output.kms_key_id, output.s3_output_path)}
    if capture is not None:
        used["captured data"] = (capture.kms_key_id, capture.destination_s3_uri)
    volume, type_, key = "its volume", resources.instance_type or "", resources.volume_kms_key_id

    def bare(what: str) -> bool:
        return not has_nvme(job, type_) if what == volume else _is_bare(job, used[what])

    asked = list(used) if key else [*used, volume]
    return _judged(used, _those(asked, bare), VolumeKmsKeyId=key, InstanceType=type_)


def _judged(used: Mapping[str, _Destination], bare: list[str], **more: Any) -> Verdict:
    return expect(
        not bare,
        f"no KMS key for {' and '.join(bare)}",
        KmsKeyId={what: key for what, (key, _) in used.items()},
        destinations={what: uri for what, (_, uri) in used.items()},
        **more,
    )


def _is_bare(view: View, destination: _Destination) -> bool:
    key, uri = destination
    return not key and not destination_bucket(view, uri).encrypted_with_kms
