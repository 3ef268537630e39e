"""What encrypts where no key is named: local disks in hardware, buckets by default."""

from collections.abc import Callable, Iterable

from collectors.model import Reason, Unread
from collectors.s3 import Bucket
from collectors.s3_uri import bucket_and_key
from collectors.view import View
from evaluators.instances import facts, has_twin


def has_nvme(view: View, instance_type: str) -> bool:
    """Whether the type has local storage, which encrypts in hardware and takes no key of yours.

    Raises `Unread` where EC2 was not read.
    """
    return has_twin(instance_type) and facts(view.region, instance_type).instance_storage_supported


def destination_bucket(view: View, uri: str | None) -> Bucket:
    """The bucket that something is written to. Raises `Unread` for one of another account."""
    place = bucket_and_key(uri or "")
    bucket = view.region.find(Bucket, place[0]) if place else None
    if bucket is None:
        message = f"the encryption of {uri} belongs to another account"
        raise Unread(view.gap("s3:GetBucketEncryption", Reason.NOT_READ, message))
    return bucket


def lacking(checks: Iterable[tuple[str, Callable[[], bool]]]) -> list[str]:
    """What certainly lacks something, by its name: one is enough, whatever nobody can read of the others.

    Raises `Unread` where nothing certainly does and something could not be read.
    """
    missing, unread = [], None
    for text, lacks in checks:
        try:
            if lacks():
                missing.append(text)
        except Unread as found:
            unread = unread or found
    if unread is not None and not missing:
        raise Unread(unread.gap)
    return missing
