"""EFS file systems that Studio keeps work on, and whether EFS backs them up."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Gap, Operation, Reason, Resource, Unread
from collectors.sagemaker.studio import Domain
from collectors.view import View, optional

if TYPE_CHECKING:
    from collectors.reader import Reader

DESCRIBE_BACKUP = Operation(
    "efs",
    "DescribeBackupPolicy",
    action="elasticfilesystem:DescribeBackupPolicy",
    # Automatic backups were never turned on.
    absent=("PolicyNotFound",),
)


class FileSystem(
    View,
    kind="efs-file-system",
    type="AWS::EFS::FileSystem",
    listing=(DESCRIBE_BACKUP,),
):
    """A file system that a domain keeps homes on or mounts; its name is its id."""

    status = optional(DESCRIBE_BACKUP, "BackupPolicy.Status", str)


@collects(FileSystem, follows=(Domain,))
def file_systems(reader: "Reader") -> Iterator[Resource]:
    """The file systems that domains name, with one call each."""
    named: set[str] = set()
    for domain in reader.known(Domain):
        try:
            named.update(domain.file_systems)
        except Unread as unread:
            reader.incomplete(unread.gap)

    def read(name: str) -> list[Resource]:
        policy = reader.read(DESCRIBE_BACKUP, FileSystemId=name)
        if isinstance(policy, Gap) and policy.reason is Reason.VANISHED:
            return []
        place = reader.region
        arn = f"arn:{place.partition}:elasticfilesystem:{place.name}:{place.account}:file-system/{name}"
        return list(reader.resource({DESCRIBE_BACKUP: policy}, key=arn, name=name))

    for found in reader.gather(read, sorted(named)):
        yield from found
