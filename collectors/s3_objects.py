"""Where the data of deployed models and of the newest approved versions should lie in S3."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from collectors.collector import collects
from collectors.model import Document, Operation, Resource
from collectors.s3 import Bucket
from collectors.s3_uri import bucket_and_key
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.inference_components import InferenceComponent
from collectors.sagemaker.model_packages import ModelPackage
from collectors.sagemaker.models import Model
from collectors.sagemaker.serving import containers_in_use
from collectors.view import View, optional

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation(
    "s3",
    "ListObjectsV2",
    action="s3:ListBucket",
    parameters=(("MaxKeys", 1),),
    absent=("NoSuchBucket",),
)
"""A listing says for certain whether something exists, an object or a prefix, and reads no data.

HeadObject would need s3:GetObject, and without s3:ListBucket it hides a missing key behind a 403.
"""


class ModelArtifact(View, kind="model-artifact", type="AWS::S3::Bucket"):
    """Model data by the URI that a container names. Not held for buckets that the account does not own."""

    key_count = optional(LIST, "KeyCount", int)
    contents = optional(LIST, "Contents", list[dict[str, Any]])

    @property
    def first_key(self) -> str | None:
        """The key of the object, or of the first one under a prefix; `None` where there is none."""
        return str(self.contents[0]["Key"]) if self.contents else None


def artifact_key(uri: str, is_prefix: bool) -> str:
    """The id of an artifact: one URI may stand for an object here and for a prefix there."""
    return f"{uri}*" if is_prefix else uri


@collects(ModelArtifact, follows=(Bucket, Endpoint, EndpointConfig, InferenceComponent, Model, ModelPackage))
def model_artifacts(reader: "Reader") -> Iterator[Resource]:
    """One listing of at most one key for each artifact in use."""
    uris = {(c.artifact_uri, c.artifact_is_prefix) for c in containers_in_use(reader)}
    named = sorted((uri, is_prefix) for uri, is_prefix in uris if uri and bucket_and_key(uri))
    homes = {bucket.name: bucket.shown_region for bucket in reader.region.known(Bucket)}
    # A bucket of SageMaker's own naming is this account's, also when it was deleted.
    own = f"-{reader.region.account}"

    def found(artifact: tuple[str, bool]) -> list[Resource]:
        uri, is_prefix = artifact
        bucket, key = bucket_and_key(uri) or ("", "")
        if bucket not in homes and not bucket.endswith(own):
            return []
        reading = reader.read(LIST, region=homes.get(bucket, ""), Bucket=bucket, Prefix=key)
        if isinstance(reading, dict) and not (is_prefix or _first_key(reading) == key):
            reading = None
        name = artifact_key(uri, is_prefix)
        return list(reader.resource({LIST: reading}, key=name, name=name))

    for resources in reader.gather(found, named):
        yield from resources


def _first_key(reading: Document) -> str:
    """Keys are listed in order: an object comes before all others that its key is a prefix of."""
    contents = reading.get("Contents", [])
    return str(contents[0]["Key"]) if contents else ""
