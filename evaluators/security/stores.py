"""Feature stores and shadow tests: whether what they keep is encrypted."""

from typing import Any

from collectors.sagemaker.feature_groups import FeatureGroup
from collectors.sagemaker.inference_experiments import InferenceExperiment
from evaluators.controls import config_rule, lens, security_hub
from evaluators.rule import Change, Severity, Verdict, failed, not_applicable, passed, rule

_KEY = "arn:aws:kms:eu-west-1:123456789012:key/k"
_OFFLINE: dict[str, Any] = {"s3_uri": "s3://features/"}
_ONLINE: dict[str, Any] = {"enable_online_store": True}


@rule(
    "SEC-026",
    Severity.MEDIUM,
    bad=[
        _OFFLINE,
        _ONLINE,
        # A store without a type is a Standard one.
        {**_ONLINE, "storage_type": None},
        {**_ONLINE, "storage_type": "Standard_V2"},
        {**_OFFLINE, **_ONLINE, "kms_key_id": _KEY},
        {**_OFFLINE, "kms_key_id": ""},
    ],
    good=[
        {**_OFFLINE, "kms_key_id": _KEY},
        {**_ONLINE, "security_config": {"KmsKeyId": _KEY}},
        {**_OFFLINE, "kms_key_id": "alias/aws/s3", **_ONLINE, "security_config": {"KmsKeyId": _KEY}},
        {**_OFFLINE, "kms_key_id": _KEY, **_ONLINE, "storage_type": "InMemory"},
    ],
    exempt=[{}, {"enable_online_store": False}, {**_ONLINE, "storage_type": "InMemory"}],
    remedy="Keys are fixed when a group is made: make it again with keys, and fill it again.",
    command="aws sagemaker create-feature-group --feature-group-name NAME --record-identifier-feature-name ID "
    "--event-time-feature-name TIME --feature-definitions file://features.json "
    "--online-store-config file://online.json --offline-store-config file://offline.json",
    change=Change.RECREATE,
    maps=[
        security_hub("SageMaker.17"),
        security_hub("SageMaker.18"),
        config_rule("sagemaker-featuregroup-encryption-at-rest"),
        config_rule("sagemaker-featuregroup-online-store-encryption"),
        lens("MLSEC02-BP01"),
    ],
)
def unencrypted_feature_store(group: FeatureGroup) -> Verdict:
    """Feature groups should name a KMS key for each of their stores.

    Features are the training data in its most useful form. Any KMS key counts. The online store in
    memory handles keys in another way and is left out.
    """
    offline = group.s3_uri is not None
    online = group.enable_online_store is True and group.storage_type != "InMemory"
    if not offline and not online:
        return not_applicable("no store that takes a key is enabled", StorageType=group.storage_type)
    bare = []
    if offline and not group.kms_key_id:
        bare.append("offline")
    if online and not (group.security_config or {}).get("KmsKeyId"):
        bare.append("online")
    figures: dict[str, Any] = {
        "KmsKeyId": group.kms_key_id or None,
        "SecurityConfig": group.security_config,
        "StorageType": group.storage_type,
    }
    if bare:
        return failed(f"no key for the {' and the '.join(bare)} store", **figures)
    return passed(**figures)


_STORES: dict[str, Any] = {
    "destination": "s3://captured/",
    "data_storage_config": {"Destination": "s3://captured/"},
}


@rule(
    "SEC-027",
    Severity.MEDIUM,
    bad=[
        {},
        {"kms_key": _KEY, **_STORES},
        {"data_storage_config": {"Destination": "s3://captured/", "KmsKey": _KEY}},
        {"status": "Completed", "completion_time": "2026-11-15T06:00:00+00:00"},
    ],
    good=[
        {"kms_key": _KEY},
        {"kms_key": _KEY, "data_storage_config": {"Destination": "s3://captured/", "KmsKey": _KEY}},
    ],
    exempt=[
        {"status": "Completed", "completion_time": "2026-06-01T00:00:00+00:00"},
        {"status": "Cancelled", "creation_time": "2026-06-01T00:00:00+00:00"},
    ],
    remedy="Make the experiment again with a key for its instances and one for what it captures.",
    change=Change.RECREATE,
    maps=[
        security_hub("SageMaker.23"),
        security_hub("SageMaker.24"),
        config_rule("sagemaker-inf-experiment-instance-storage-kms-encrypted"),
        config_rule("sagemaker-inf-experiment-data-storage-kms-encrypted"),
        lens("MLSEC02-BP01"),
    ],
)
def unencrypted_shadow_test(experiment: InferenceExperiment) -> Verdict:
    """Shadow tests should encrypt their instances' storage and what they capture.

    They hold the same requests as production does. Those that ended before the window are history.
    """
    since = experiment.region.ago(
        experiment.region.manifest.lookback_days if experiment.region.manifest else 30
    )
    if experiment.is_over and (experiment.completion_time or experiment.creation_time) < since:
        return not_applicable("it ended before the window", Status=experiment.status)
    stored = experiment.data_storage_config
    bare = []
    if not experiment.kms_key:
        bare.append("its instances")
    if stored is not None and not stored.get("KmsKey"):
        bare.append("what it captures")
    figures: dict[str, Any] = {
        "KmsKey": experiment.kms_key,
        "DataStorageConfig": stored,
        "Destination": experiment.destination,
    }
    if bare:
        return failed(f"no key for {' and '.join(bare)}", **figures)
    return passed(**figures)
