"""How many objects batch transform jobs on several instances have to share."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource, Unread
from collectors.s3 import Bucket
from collectors.s3_uri import bucket_and_key
from collectors.sagemaker.transform_jobs import TransformJob
from collectors.view import View, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation("s3", "ListObjectsV2", action="s3:ListBucket", absent=("NoSuchBucket",))


class TransformSource(View, kind="transform-source"):
    """The objects under a job's prefix as they are today, by the job's ARN: no more than it has instances.

    Not held for jobs on one instance, for manifests, and for buckets that the account does not own.
    """

    key_count = required(LIST, "KeyCount", int, 1)
    is_truncated = optional(LIST, "IsTruncated", bool)


@collects(TransformSource, follows=(Bucket, TransformJob))
def transform_sources(reader: "Reader") -> Iterator[Resource]:
    """One listing for each job of several instances."""
    homes = {bucket.name: bucket.shown_region for bucket in reader.region.known(Bucket)}

    def counted(source: tuple[str, str, str, int]) -> list[Resource]:
        job, bucket, prefix, instances = source
        reading = reader.read(LIST, region=homes[bucket], Bucket=bucket, Prefix=prefix, MaxKeys=instances)
        return list(reader.resource({LIST: reading}, key=job, name=job))

    for found in reader.gather(counted, _sources(reader, homes)):
        yield from found


def _sources(reader: "Reader", homes: dict[str, str]) -> list[tuple[str, str, str, int]]:
    """Job, bucket, prefix and instances of each job whose objects are worth counting."""
    found = []
    for job in reader.known(TransformJob):
        try:
            if not job.is_described or job.s3_data_type != "S3Prefix":
                continue
            resources, place = job.transform_resources, bucket_and_key(job.s3_uri or "")
            instances = (resources.instance_count if resources else None) or 1
            if place is not None and place[0] in homes and instances > 1:
                found.append((job.id, *place, instances))
        except Unread as unread:
            reader.incomplete(unread.gap)
    return found
