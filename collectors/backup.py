"""AWS Backup: what it has recovery points of."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.view import View, optional

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation("backup", "ListProtectedResources", result="Results[]")


class ProtectedResource(
    View,
    kind="protected-resource",
    listing=(LIST,),
    name="ResourceArn",
    arn="ResourceArn",
):
    """Something that AWS Backup backs up, by its ARN. One that a plan chose but never ran for is not here."""

    last_backup_time = optional(LIST, "LastBackupTime", datetime)


@collects(ProtectedResource)
def protected_resources(reader: "Reader") -> Iterator[Resource]:
    """Everything with recovery points, whatever service it belongs to."""
    for document in reader.list(LIST):
        yield from reader.resource({LIST: document})
