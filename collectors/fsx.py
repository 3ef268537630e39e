"""FSx for Lustre file systems that training jobs read, and what they are linked to."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Document, Operation, Reading, Resource, Unread
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.view import PART, Part, View, items, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

DESCRIBE = Operation("fsx", "DescribeFileSystems", result="FileSystems[]", page_size=100)
DESCRIBE_LINKS = Operation("fsx", "DescribeDataRepositoryAssociations")


class DataRepository(Part):
    """A link between a directory and a bucket."""

    data_repository_path = optional(PART, "DataRepositoryPath", str)


class LustreFileSystem(
    View,
    kind="fsx-file-system",
    type="AWS::FSx::FileSystem",
    listing=(DESCRIBE,),
    name="FileSystemId",
    arn="ResourceARN",
):
    """A file system for Lustre. Newer ones are linked to buckets by associations of their own."""

    deployment_type = required(DESCRIBE, "LustreConfiguration.DeploymentType", str, "PERSISTENT_2")
    import_path = optional(DESCRIBE, "LustreConfiguration.DataRepositoryConfiguration.ImportPath", str)
    associations = items(DESCRIBE_LINKS, "Associations[]", DataRepository)

    @property
    def is_scratch(self) -> bool:
        """Whether AWS keeps one copy only, on servers that it does not replace."""
        return self.deployment_type.startswith("SCRATCH")


@collects(LustreFileSystem, follows=(TrainingJob,))
def lustre_file_systems(reader: "Reader") -> Iterator[Resource]:
    """Those that training jobs of the window read; the associations of scratch ones, one call each."""
    used: set[str] = set()
    for job in reader.known(TrainingJob):
        try:
            used.update(job.lustre_file_systems)
        except Unread as unread:
            reader.incomplete(unread.gap)
    if not used:
        return
    found = [document for document in reader.list(DESCRIBE) if document.get("FileSystemId") in used]

    def read(document: Document) -> list[Resource]:
        readings: dict[Operation, Reading] = {DESCRIBE: document}
        if str(document.get("LustreConfiguration", {}).get("DeploymentType", "")).startswith("SCRATCH"):
            filters = [{"Name": "file-system-id", "Values": [document["FileSystemId"]]}]
            readings[DESCRIBE_LINKS] = reader.read(DESCRIBE_LINKS, Filters=filters)
        return list(reader.resource(readings))

    for made in reader.gather(read, found):
        yield from made
