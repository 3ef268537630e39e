"""The KMS keys that ML resources name."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from collectors.collector import collects
from collectors.model import Gap, Operation, Reading, Reason, Resource, Unread
from collectors.s3 import Bucket
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sagemaker.studio import Domain
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.view import Region, View, index, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

V = TypeVar("V", bound=View)

DESCRIBE = Operation("kms", "DescribeKey", result="KeyMetadata")
ROTATION = Operation("kms", "GetKeyRotationStatus")
POLICY = Operation("kms", "GetKeyPolicy")

SYMMETRIC = "SYMMETRIC_DEFAULT"
MADE_BY_KMS = "AWS_KMS"

_OWN_POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
                "Action": "kms:*",
                "Resource": "*",
            }
        ],
    }
)


class KmsKey(View, kind="kms-key", type="AWS::KMS::Key"):
    """A key by the reference that a resource names it with: id, ARN or alias.

    Neither an id nor an ARN shows who manages the key: only DescribeKey tells.
    """

    key_manager = required(DESCRIBE, "KeyManager", str, "CUSTOMER")
    key_state = required(DESCRIBE, "KeyState", str, "Enabled")
    key_spec = required(DESCRIBE, "KeySpec", str, SYMMETRIC)
    origin = required(DESCRIBE, "Origin", str, MADE_BY_KMS)
    deletion_date = optional(DESCRIBE, "DeletionDate", datetime)
    key_rotation_enabled = required(ROTATION, "KeyRotationEnabled", bool, True)
    policy = required(POLICY, "Policy", str, _OWN_POLICY)

    @property
    def is_alias(self) -> bool:
        """Whether this is only a name of a key, which is there by its own ARN as well."""
        return ":alias/" in self.id

    @property
    def can_rotate(self) -> bool:
        """Whether KMS makes new material for it: not for asymmetric and HMAC keys, nor for material from outside."""
        return self.key_spec == SYMMETRIC and self.origin == MADE_BY_KMS

    @property
    def is_foreign(self) -> bool:
        """Whether another account owns it: its policy and its rotation cannot be read from here."""
        return self.id.split(":")[4] != self.region.account


def key_arn(region: Region, reference: str) -> str:
    """The ARN form of a reference to a key; an alias keeps its name."""
    if reference.startswith("arn:"):
        return reference
    path = reference if reference.startswith("alias/") else f"key/{reference}"
    return f"arn:{region.partition}:kms:{region.name}:{region.account}:{path}"


def find_key(region: Region, reference: str) -> KmsKey:
    """The key behind a reference. Raises `Unread` where it could not be read."""
    arn = key_arn(region, reference)
    home = region.sibling(arn.split(":")[3])
    found = home.find(KmsKey, arn)
    if found is None:
        gap = Gap(str(DESCRIBE), Reason.NOT_READ, message=arn, account=region.account, region=region.name)
        raise Unread(gap)
    return found


@collects(KmsKey, after=(NotebookInstance, TrainingJob, EndpointConfig, Domain, Bucket))
def kms_keys(reader: "Reader") -> Iterator[Resource]:
    """Each key once, asked in its own Region."""
    arns = sorted({arn for arn in _named(reader) if arn.split(":")[3] == reader.region.name})

    def described(arn: str) -> tuple[str, Reading]:
        return arn, reader.read(DESCRIBE, KeyId=arn)

    keys: dict[str, Reading] = {}
    for arn, reading in reader.gather(described, arns):
        if ":alias/" in arn:
            yield from reader.resource({DESCRIBE: reading}, key=arn, name=arn)
            if isinstance(reading, dict) and reading.get("Arn"):
                keys.setdefault(reading["Arn"], reading)
        else:
            keys[arn] = reading

    def looked_into(arn: str) -> list[Resource]:
        return list(reader.resource(_readings(reader, arn, keys[arn]), key=arn, name=arn))

    for found in reader.gather(looked_into, sorted(keys)):
        yield from found


def _readings(reader: "Reader", arn: str, described: Reading) -> dict[Operation, Reading]:
    """A key's documents: AWS's own keys have neither rotation nor policy to see, other accounts' show none."""
    readings: dict[Operation, Reading] = {DESCRIBE: described}
    own = arn.split(":")[4] == reader.region.account
    if isinstance(described, dict) and own and described.get("KeyManager") == "CUSTOMER":
        rotates = described.get("KeySpec") == SYMMETRIC and described.get("Origin") == MADE_BY_KMS
        for operation in (ROTATION, POLICY) if rotates else (POLICY,):
            if reader.wants(operation):
                readings[operation] = reader.read(operation, KeyId=arn)
    return readings


def _named(reader: "Reader") -> Iterator[str]:
    """The keys that resources of this Region, and buckets that live in it, name.

    What was to be read and could not be may name more: the listing is not whole then.
    """
    for view, keys in _HOLDERS:
        if view not in reader.plan.reads.views:
            continue
        home = reader.region.home_of(view)
        gap = home.snapshot.listing_gap(view.kind, home.account, home.name)
        if gap is not None:
            reader.incomplete(gap)
        for found in reader.region.known(view):
            try:
                yield from _arns(reader.region, keys(found))
            except Unread as unread:
                reader.incomplete(unread.gap)


def _arns(region: Region, references: list[str | None]) -> list[str]:
    return [key_arn(region, reference) for reference in references if reference]


@index
def users_of_keys(region: Region) -> Mapping[str, tuple[str, ...]]:
    """What names each key, as far as it could be read: for evidence, not to conclude that nothing does."""
    users: dict[str, dict[str, None]] = {}
    for view, keys in _HOLDERS:
        for found in region.known(view):
            for arn in _arns(region, unless_unread(keys, found)):
                users.setdefault(arn, {})[f"{view.kind} {found.name}"] = None
    return {arn: tuple(names) for arn, names in users.items()}


def _of_notebook(notebook: NotebookInstance) -> list[str | None]:
    return [notebook.kms_key_id]


def _of_job(job: TrainingJob) -> list[str | None]:
    return [job.volume_kms_key_id, job.kms_key_id]


def _of_config(config: EndpointConfig) -> list[str | None]:
    """Of a config that is not in use nothing more than its name is known."""
    if not config.is_described:
        return []
    capture, output = config.data_capture_config, config.output_config
    return [
        config.kms_key_id,
        capture.kms_key_id if capture is not None else None,
        output.kms_key_id if output is not None else None,
    ]


def _of_domain(domain: Domain) -> list[str | None]:
    return [domain.storage_key]


def _of_bucket(bucket: Bucket) -> list[str | None]:
    """A bucket is listed for all Regions at once; the short form of a key is one of its own Region."""
    home = bucket.region.sibling(bucket.shown_region)
    return [
        key_arn(home, rule.kms_master_key_id) for rule in bucket.default_encryption if rule.kms_master_key_id
    ]


_HOLDERS: tuple[tuple[type[View], Callable[[Any], list[str | None]]], ...] = (
    (NotebookInstance, _of_notebook),
    (TrainingJob, _of_job),
    (EndpointConfig, _of_config),
    (Domain, _of_domain),
    (Bucket, _of_bucket),
)


def unless_unread(read: Callable[[V], list[str | None]], view: V) -> list[str | None]:
    """What a resource names; nothing where that could not be read."""
    try:
        return read(view)
    except Unread:
        return []
