"""The buckets that ML resources name, and the account's block of public access.

Not every bucket of the account: those that jobs read and write, that models and registered
versions lie in, that endpoints capture to, and SageMaker's own default buckets. Buckets of other
accounts (public samples, a supplier's data) are named too; only those that ListBuckets has are owned.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from collectors.collector import collects
from collectors.model import Document, Operation, Reading, Resource, Unread
from collectors.sagemaker.automl_jobs import AutoMLJob
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.labeling_jobs import LabelingJob
from collectors.sagemaker.model_packages import ModelPackage
from collectors.sagemaker.models import Model
from collectors.sagemaker.processing_jobs import ProcessingJob
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sagemaker.transform_jobs import TransformJob
from collectors.sagemaker.tuning_jobs import TuningJob
from collectors.view import PART, Part, View, items, optional, part

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation("s3", "ListBuckets", result="Buckets[]", action="s3:ListAllMyBuckets", page_size=1000)
VERSIONING = Operation("s3", "GetBucketVersioning")
ENCRYPTION = Operation(
    "s3",
    "GetBucketEncryption",
    action="s3:GetEncryptionConfiguration",
    absent=("ServerSideEncryptionConfigurationNotFoundError",),
)
POLICY = Operation("s3", "GetBucketPolicy", absent=("NoSuchBucketPolicy",))
POLICY_STATUS = Operation("s3", "GetBucketPolicyStatus", absent=("NoSuchBucketPolicy",))
PUBLIC_ACCESS = Operation(
    "s3",
    "GetPublicAccessBlock",
    action="s3:GetBucketPublicAccessBlock",
    absent=("NoSuchPublicAccessBlockConfiguration",),
)
ACL = Operation("s3", "GetBucketAcl")
OBJECT_LOCK = Operation(
    "s3",
    "GetObjectLockConfiguration",
    action="s3:GetBucketObjectLockConfiguration",
    absent=("ObjectLockConfigurationNotFoundError",),
)
REPLICATION = Operation(
    "s3",
    "GetBucketReplication",
    action="s3:GetReplicationConfiguration",
    absent=("ReplicationConfigurationNotFoundError",),
)
LIFECYCLE = Operation(
    "s3",
    "GetBucketLifecycleConfiguration",
    action="s3:GetLifecycleConfiguration",
    absent=("NoSuchLifecycleConfiguration",),
)
LOGGING = Operation("s3", "GetBucketLogging")
TAGGING = Operation("s3", "GetBucketTagging", absent=("NoSuchTagSet",))
ACCOUNT_PUBLIC_ACCESS = Operation(
    "s3control",
    "GetPublicAccessBlock",
    action="s3:GetAccountPublicAccessBlock",
    absent=("NoSuchPublicAccessBlockConfiguration",),
)

_CONFIGURATION = (
    VERSIONING,
    ENCRYPTION,
    POLICY,
    POLICY_STATUS,
    PUBLIC_ACCESS,
    ACL,
    OBJECT_LOCK,
    REPLICATION,
    LIFECYCLE,
    LOGGING,
    TAGGING,
)


class PublicAccessBlock(Part):
    """The four switches; an absent configuration means that all are off."""

    block_public_acls = optional(PART, "BlockPublicAcls", bool)
    ignore_public_acls = optional(PART, "IgnorePublicAcls", bool)
    block_public_policy = optional(PART, "BlockPublicPolicy", bool)
    restrict_public_buckets = optional(PART, "RestrictPublicBuckets", bool)

    def flags(self) -> dict[str, bool]:
        """The switches by AWS's names."""
        return {
            "BlockPublicAcls": self.block_public_acls is True,
            "IgnorePublicAcls": self.ignore_public_acls is True,
            "BlockPublicPolicy": self.block_public_policy is True,
            "RestrictPublicBuckets": self.restrict_public_buckets is True,
        }


class EncryptionRule(Part):
    """One rule of default encryption. A KMS algorithm without a key means the AWS managed key aws/s3."""

    sse_algorithm = optional(PART, "ApplyServerSideEncryptionByDefault.SSEAlgorithm", str)
    kms_master_key_id = optional(PART, "ApplyServerSideEncryptionByDefault.KMSMasterKeyID", str)
    bucket_key_enabled = optional(PART, "BucketKeyEnabled", bool)


class EncryptionConfiguration(Part):
    """A bucket's default encryption."""

    rules = items(PART, "Rules[]", EncryptionRule)


class PrefixedRule(Part):
    """A rule about keys. Their prefix is in one of three members, by the rule's age and its filter."""

    status = optional(PART, "Status", str)
    filter = optional(PART, "Filter", dict[str, Any])
    prefix = optional(PART, "Prefix", str)

    @property
    def covered(self) -> str:
        """The prefix of the keys that it is about; empty for all."""
        chosen = self.filter or {}
        inner = (chosen.get("And") or {}).get("Prefix")
        return str(chosen.get("Prefix") or inner or self.prefix or "")


class LifecycleRule(PrefixedRule):
    """One lifecycle rule."""

    days = optional(PART, "Expiration.Days", int)
    date = optional(PART, "Expiration.Date", datetime)
    transitions = optional(PART, "Transitions", list[dict[str, Any]])
    noncurrent_days = optional(PART, "NoncurrentVersionExpiration.NoncurrentDays", int)

    @property
    def ends_something(self) -> bool:
        """Whether objects expire or move by it; ending broken uploads is not that."""
        return any((self.days, self.date, self.transitions, self.noncurrent_days))


class ReplicationRule(PrefixedRule):
    """One replication rule."""

    bucket = optional(PART, "Destination.Bucket", str)


class Replication(Part):
    """Where a bucket's objects are copied to."""

    rules = items(PART, "Rules[]", ReplicationRule)


class Grant(Part):
    """One grant of an access control list."""

    uri = optional(PART, "Grantee.URI", str)


class Bucket(
    View,
    kind="bucket",
    type="AWS::S3::Bucket",
    listing=(LIST,),
    name="Name",
    arn="Name",
    tags=(TAGGING, "TagSet"),
    is_global=True,
):
    """A bucket of this account that ML resources name."""

    bucket_region = optional(LIST, "BucketRegion", str)
    status = optional(VERSIONING, "Status", str)
    mfa_delete = optional(VERSIONING, "MFADelete", str)
    server_side_encryption_configuration = part(
        ENCRYPTION, "ServerSideEncryptionConfiguration", EncryptionConfiguration
    )
    policy = optional(POLICY, "Policy", str)
    is_public = optional(POLICY_STATUS, "PolicyStatus.IsPublic", bool)
    public_access_block_configuration = part(
        PUBLIC_ACCESS, "PublicAccessBlockConfiguration", PublicAccessBlock
    )
    grants = items(ACL, "Grants[]", Grant)
    mode = optional(OBJECT_LOCK, "ObjectLockConfiguration.Rule.DefaultRetention.Mode", str)
    role = optional(REPLICATION, "ReplicationConfiguration.Role", str)
    replication_configuration = part(REPLICATION, "ReplicationConfiguration", Replication)
    rules = items(LIFECYCLE, "Rules[]", LifecycleRule)
    target_bucket = optional(LOGGING, "LoggingEnabled.TargetBucket", str)

    @property
    def shown_region(self) -> str:
        return self.bucket_region or self.region.name

    @property
    def default_encryption(self) -> tuple[EncryptionRule, ...]:
        """The rules of default encryption; none is the legacy answer for SSE-S3."""
        configuration = self.server_side_encryption_configuration
        return () if configuration is None else configuration.rules

    @property
    def encrypted_with_kms(self) -> bool:
        """Whether new objects get a KMS key by default."""
        return any((rule.sse_algorithm or "").startswith("aws:kms") for rule in self.default_encryption)


class AccountPublicAccess(
    View,
    kind="account-public-access",
    listing=(ACCOUNT_PUBLIC_ACCESS,),
    is_global=True,
):
    """The account's own block of public access, which covers every bucket."""

    public_access_block_configuration = part(
        ACCOUNT_PUBLIC_ACCESS, "PublicAccessBlockConfiguration", PublicAccessBlock
    )


@collects(
    Bucket,
    follows=(TrainingJob, ProcessingJob, TransformJob, Model, ModelPackage, EndpointConfig),
    after=(LabelingJob, TuningJob, AutoMLJob),
)
def buckets(reader: "Reader") -> Iterator[Resource]:
    """The owned buckets that ML resources name, each with the settings that rules read."""
    named = set(_named(reader))
    account = reader.region.account

    def is_ml(bucket: Document) -> bool:
        name = bucket["Name"]
        return name in named or (name.startswith("sagemaker-") and name.endswith(f"-{account}"))

    def configured(bucket: Document) -> list[Resource]:
        home = bucket.get("BucketRegion") or reader.caller.service_region(reader.region.name)
        readings: dict[Operation, Reading] = {LIST: bucket}
        for operation in _CONFIGURATION:
            if reader.wants(operation):
                readings[operation] = reader.read(operation, region=home, Bucket=bucket["Name"])
        key = f"arn:{reader.region.partition}:s3:::{bucket['Name']}"
        return list(reader.resource(readings, key=key, name=bucket["Name"]))

    for found in reader.gather(configured, filter(is_ml, reader.list(LIST))):
        yield from found


def _named(reader: "Reader") -> Iterator[str]:
    """Every bucket that something names; what cannot be read names nothing, and its listing says so."""
    for view in (
        TrainingJob,
        ProcessingJob,
        TransformJob,
        Model,
        ModelPackage,
        EndpointConfig,
        LabelingJob,
        TuningJob,
        AutoMLJob,
    ):
        found: Any
        for found in reader.known(view):
            try:
                yield from found.buckets
            except Unread as unread:
                reader.incomplete(unread.gap)


@collects(AccountPublicAccess)
def account_public_access(reader: "Reader") -> Iterator[Resource]:
    """The account's block, asked once."""
    account = reader.region.account
    key = f"arn:{reader.region.partition}:s3:::account/{account}"
    reading = reader.read(ACCOUNT_PUBLIC_ACCESS, AccountId=account)
    yield from reader.resource({ACCOUNT_PUBLIC_ACCESS: reading}, key=key, name=account)
