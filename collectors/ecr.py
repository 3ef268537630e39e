"""The container images of deployed models, approved versions and jobs, in this account's registries."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Document, Operation, Reading, Resource, Unread
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.inference_components import InferenceComponent
from collectors.sagemaker.model_packages import ModelPackage
from collectors.sagemaker.models import Model
from collectors.sagemaker.processing_jobs import ProcessingJob
from collectors.sagemaker.serving import containers_in_use
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.view import PART, Part, View, items, optional

if TYPE_CHECKING:
    from collectors.reader import Reader

DESCRIBE = Operation(
    "ecr", "DescribeImages", absent=("ImageNotFoundException", "RepositoryNotFoundException")
)
_BATCH = 100
"""The most image ids that DescribeImages takes."""

_URI = re.compile(
    r"(?P<registry>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:amazonaws\.|on\.aws)[^/]*/"
    r"(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>sha256:[0-9a-f]+))?"
)


@dataclass(frozen=True, slots=True, order=True)
class ImageReference:
    """What an image URI names: a registry (an account id), its Region, a repository, and a tag or digest."""

    region: str
    registry: str
    repository: str
    tag: str
    digest: str

    @property
    def identifier(self) -> Document:
        """It as DescribeImages takes it: a digest is exact, so a tag beside it says nothing more."""
        return {"imageDigest": self.digest} if self.digest else {"imageTag": self.tag}

    def names(self, detail: Document) -> bool:
        """Whether an answer is about it."""
        if self.digest:
            return bool(detail.get("imageDigest") == self.digest)
        return self.tag in detail.get("imageTags", ())


def image_reference(uri: str | None) -> ImageReference | None:
    """Parse the URI of an ECR image; `None` for an image of any other registry."""
    match = _URI.fullmatch(uri or "")
    if match is None:
        return None
    found = match.groupdict(default="")
    tag = found["tag"] or "latest"
    return ImageReference(found["region"], found["registry"], found["repository"], tag, found["digest"])


class ImageDetail(Part):
    """One image of a repository. An archived image cannot be pulled."""

    image_status = optional(PART, "imageStatus", str)
    status = optional(PART, "imageScanStatus.status", str)
    finding_severity_counts = optional(PART, "imageScanFindingsSummary.findingSeverityCounts", dict[str, int])


class ContainerImage(View, kind="container-image", type="AWS::ECR::Repository"):
    """An image by the URI that a container names; without details ECR has none of that name."""

    image_details = items(DESCRIBE, "imageDetails[]", ImageDetail)


@collects(
    ContainerImage,
    follows=(Endpoint, EndpointConfig, InferenceComponent, Model, ModelPackage),
    after=(TrainingJob, ProcessingJob),
)
def container_images(reader: "Reader") -> Iterator[Resource]:
    """The images in use, a hundred a call; images of other accounts' registries are not asked for."""
    uris = {container.image for container in containers_in_use(reader)}
    uris.update(_of_jobs(reader))
    named = [(reference, uri) for uri in sorted(filter(None, uris)) if (reference := image_reference(uri))]
    own = sorted((reference, uri) for reference, uri in named if reference.registry == reader.region.account)
    batches = [
        found[start : start + _BATCH]
        for found in (list(group) for _, group in groupby(own, key=lambda image: _repository(image[0])))
        for start in range(0, len(found), _BATCH)
    ]
    for described in reader.gather(lambda batch: list(_described(reader, batch)), batches):
        for uri, reading in described:
            yield from reader.resource({DESCRIBE: reading}, key=uri, name=uri)


def _of_jobs(reader: "Reader") -> Iterator[str | None]:
    """The images of the jobs that were read, where rules look at jobs at all."""
    for job in reader.known(TrainingJob):
        try:
            yield job.training_image
        except Unread as unread:
            reader.incomplete(unread.gap)
    for run in reader.known(ProcessingJob):
        try:
            yield run.image_uri if run.is_described else None
        except Unread as unread:
            reader.incomplete(unread.gap)


def _repository(reference: ImageReference) -> tuple[str, str]:
    return reference.region, reference.repository


def _described(reader: "Reader", batch: list[tuple[ImageReference, str]]) -> Iterator[tuple[str, Reading]]:
    """The reading of each image of one repository.

    ECR refuses a whole request when one of its images is missing, without saying which: such a
    batch is halved until the missing ones stand alone.
    """
    first = batch[0][0]
    reading = reader.read(
        DESCRIBE,
        region=first.region,
        registryId=first.registry,
        repositoryName=first.repository,
        imageIds=list({str(r.identifier): r.identifier for r, _ in batch}.values()),
    )
    if reading is None and len(batch) > 1:
        middle = len(batch) // 2
        yield from _described(reader, batch[:middle])
        yield from _described(reader, batch[middle:])
    elif isinstance(reading, dict):
        details = reading.get("imageDetails", [])
        for reference, uri in batch:
            yield uri, {"imageDetails": [detail for detail in details if reference.names(detail)]}
    else:
        yield from ((uri, reading) for _, uri in batch)
