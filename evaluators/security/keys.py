"""KMS keys of ML resources: whether they rotate, can be used, and who may use them."""

import json
from typing import Any

from collectors.kms import KmsKey, users_of_keys
from collectors.model import Reason, Unread
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sample import Sample, sample
from evaluators.controls import config_rule, lens, prowler, security_hub
from evaluators.policy import is_public
from evaluators.roles import parsed
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule

_ARN = "arn:aws:kms:eu-west-1:123456789012:key/5b0c1d7e"
_GOING = ("PendingDeletion", "PendingReplicaDeletion")
_UNUSABLE = ("PendingDeletion", "Disabled", "PendingImport", "PendingReplicaDeletion")


def _policy(principal: Any, **more: Any) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _key(arn: str = _ARN, **values: Any) -> Sample:
    return sample(KmsKey, arn, arn=arn, **values)


_ANYBODY = _policy("*")
_OWN_CALLERS = _policy({"AWS": "*"}, Condition={"StringEquals": {"kms:CallerAccount": "123456789012"}})


@rule(
    "SEC-061",
    Severity.MEDIUM,
    bad=[
        _key(key_rotation_enabled=False),
        given(_key(key_state="PendingDeletion"), sample(NotebookInstance, kms_key_id=_ARN)),
        _key(key_state="PendingDeletion"),
        _key(key_state="Disabled"),
        _key(key_state="PendingImport", origin="EXTERNAL"),
        _key(policy=_ANYBODY),
        _key(policy=_policy({"AWS": "*"}), origin="EXTERNAL"),
    ],
    good=[
        _key(),
        _key(policy=_OWN_CALLERS),
        # A replica reports the rotation of its primary.
        _key("arn:aws:kms:eu-west-1:123456789012:key/mrk-1"),
    ],
    exempt=[
        _key(key_manager="AWS", key_rotation_enabled=False),
        _key(key_spec="RSA_2048", key_rotation_enabled=False),
        _key(key_spec="HMAC_256"),
        _key(origin="EXTERNAL"),
        _key(origin="AWS_CLOUDHSM"),
        given(_key("arn:aws:kms:eu-west-1:123456789012:alias/ml", key_rotation_enabled=False), _key()),
    ],
    remedy="Turn on rotation; cancel the deletion of a key that is in use; name who may use it in its policy.",
    command="aws kms enable-key-rotation --key-id {arn}",
    change=Change.IN_PLACE,
    maps=[
        security_hub("KMS.3"),
        security_hub("KMS.4"),
        security_hub("KMS.5"),
        config_rule("cmk-backing-key-rotation-enabled"),
        config_rule("kms-cmk-not-scheduled-for-deletion"),
        prowler("kms_cmk_rotation_enabled"),
        prowler("kms_cmk_not_deleted_unintentionally"),
        lens("MLSEC02-BP01"),
    ],
)
def neglected_key(key: KmsKey) -> Verdict:
    """KMS keys of ML resources should rotate, be usable and be open to named principals only.

    Without its key, data and volumes are lost: one that is pending deletion while something names it is
    critical. AWS rotates its own keys; keys that KMS cannot rotate (asymmetric, HMAC, imported
    material, custom key stores) are judged by state and policy alone. A key of another account shows
    neither its policy nor its rotation, and is unknown.
    """
    if key.is_alias:
        return not_applicable("an alias: its key is judged by its own ARN")
    if key.key_manager == "AWS":
        return not_applicable("AWS manages the key", KeyManager=key.key_manager)
    used_by = list(users_of_keys(key.region).get(key.id, ()))[:10]
    if key.key_state in _UNUSABLE:
        return failed(
            f"it cannot be used: {key.key_state}",
            KeyState=key.key_state,
            DeletionDate=key.deletion_date,
            used_by=used_by,
            raised=Severity.CRITICAL if used_by and key.key_state in _GOING else None,
        )
    if key.is_foreign:
        raise Unread(key.gap("kms:GetKeyPolicy", Reason.NOT_READ, "the key is another account's"))
    if key.can_rotate and not key.key_rotation_enabled:
        return failed("its material never changes", KeyRotationEnabled=False, used_by=used_by)
    statements = parsed(key, key.policy).statements
    # Any condition counts: KMS has keys of its own, such as kms:CallerAccount, which fix the caller.
    if any(is_public(statement) and not statement.conditions for statement in statements):
        return failed("its policy lets anybody use it", Policy=key.policy[:500], used_by=used_by)
    if not key.can_rotate:
        return not_applicable("KMS cannot rotate such a key", KeySpec=key.key_spec, Origin=key.origin)
    return passed(KeyRotationEnabled=True, KeyState=key.key_state)
