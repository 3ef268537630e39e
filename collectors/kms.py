"""The KMS keys that ML resources name."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from collectors.collector import collects
from collectors.model import GLOBAL, Gap, Operation, Reason, Resource, Unread
from collectors.s3 import Bucket
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.view import Region, View, required

if TYPE_CHECKING:
    from collectors.reader import Reader

V = TypeVar("V", bound=View)

DESCRIBE = Operation("kms", "DescribeKey", result="KeyMetadata")


class KmsKey(View, kind="kms-key", type="AWS::KMS::Key"):
    """A key by the reference that a resource names it with: id, ARN or alias.

    Neither an id nor an ARN shows who manages the key: only DescribeKey tells.
    """

    key_manager = required(DESCRIBE, "KeyManager", str, "CUSTOMER")
    key_state = required(DESCRIBE, "KeyState", str, "Enabled")


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


@collects(KmsKey, after=(NotebookInstance, TrainingJob, EndpointConfig, Bucket))
def kms_keys(reader: "Reader") -> Iterator[Resource]:
    """Each key once, asked in its own Region."""
    arns = sorted({arn for arn in _named(reader) if arn.split(":")[3] == reader.region.name})

    def described(arn: str) -> list[Resource]:
        return list(reader.resource({DESCRIBE: reader.read(DESCRIBE, KeyId=arn)}, key=arn, name=arn))

    for found in reader.gather(described, arns):
        yield from found


def _named(reader: "Reader") -> Iterator[str]:
    """The keys that resources of this Region, and buckets that live in it, name."""
    region = reader.region
    references: list[str | None] = []
    for notebook in region.known(NotebookInstance):
        references += unless_unread(_of_notebook, notebook)
    for job in region.known(TrainingJob):
        references += unless_unread(_of_job, job)
    for config in region.known(EndpointConfig):
        references += unless_unread(_of_config, config)
    for bucket in region.sibling(GLOBAL).known(Bucket):
        if unless_unread(_home_of, bucket) == [region.name]:
            references += unless_unread(_of_bucket, bucket)
    return (key_arn(region, reference) for reference in references if reference)


def _of_notebook(notebook: NotebookInstance) -> list[str | None]:
    return [notebook.kms_key_id]


def _of_job(job: TrainingJob) -> list[str | None]:
    return [job.volume_kms_key_id, job.kms_key_id]


def _of_config(config: EndpointConfig) -> list[str | None]:
    return [config.kms_key_id]


def _home_of(bucket: Bucket) -> list[str | None]:
    return [bucket.shown_region]


def _of_bucket(bucket: Bucket) -> list[str | None]:
    return [rule.kms_master_key_id for rule in bucket.default_encryption]


def unless_unread(read: Callable[[V], list[str | None]], view: V) -> list[str | None]:
    """What a resource names; nothing where that could not be read."""
    try:
        return read(view)
    except Unread:
        return []
