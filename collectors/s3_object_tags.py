"""The tags of the objects that deployed models are made of."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from collectors.collector import collects
from collectors.model import Operation, Resource, Unread
from collectors.s3 import Bucket
from collectors.s3_objects import ModelArtifact, artifact_key
from collectors.s3_uri import bucket_and_key
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.inference_components import InferenceComponent
from collectors.sagemaker.model_packages import ModelPackage
from collectors.sagemaker.models import Model
from collectors.sagemaker.serving import deployed_containers
from collectors.view import View, optional

if TYPE_CHECKING:
    from collectors.reader import Reader

TAGGING = Operation("s3", "GetObjectTagging")
_MOST = 200
"""How many artifacts are asked about: one call each."""


class ArtifactTags(View, kind="artifact-tags", type="AWS::S3::Bucket", listing=(TAGGING,)):
    """The tags of a deployed model's artifact, by its URI; of a prefix those of its first object."""

    tag_set = optional(TAGGING, "TagSet", list[dict[str, Any]])

    @property
    def bucket(self) -> Bucket | None:
        """The bucket that it lies in. Raises `Unread` where buckets could not be listed."""
        parsed = bucket_and_key(self.name)
        return self.region.find(Bucket, parsed[0]) if parsed else None


@collects(
    ArtifactTags,
    follows=(ModelArtifact, Bucket, Endpoint, EndpointConfig, InferenceComponent, Model, ModelPackage),
)
def artifact_tags(reader: "Reader") -> Iterator[Resource]:
    """The artifacts that exist, in buckets of this account."""
    deployed = {
        artifact_key(container.artifact_uri, container.artifact_is_prefix)
        for container in deployed_containers(reader)
        if container.artifact_uri
    }
    homes = {bucket.name: bucket.shown_region for bucket in reader.region.known(Bucket)}
    objects: list[tuple[str, str, str]] = []
    for artifact in reader.known(ModelArtifact):
        try:
            bucket, _ = bucket_and_key(artifact.name) or ("", "")
            if artifact.id in deployed and artifact.first_key and bucket in homes:
                objects.append((artifact.id, bucket, artifact.first_key))
        except Unread as unread:
            reader.incomplete(unread.gap)

    def read(named: tuple[str, str, str]) -> list[Resource]:
        uri, bucket, key = named
        reading = reader.read(TAGGING, region=homes[bucket], Bucket=bucket, Key=key)
        return list(reader.resource({TAGGING: reading}, key=uri, name=uri))

    for found in reader.gather(read, sorted(objects)[:_MOST]):
        yield from found
