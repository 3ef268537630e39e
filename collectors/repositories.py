"""The account's image repositories that ML resources name, and how its registry scans images."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.ecr import ContainerImage, ImageReference, image_reference
from collectors.model import Document, Operation, Reading, Resource
from collectors.sagemaker.processing_jobs import ProcessingJob
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.view import PART, Part, Region, View, index, items, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation("ecr", "DescribeRepositories", result="repositories[]")
POLICY = Operation("ecr", "GetRepositoryPolicy", absent=("RepositoryPolicyNotFoundException",))
SCANNING = Operation("ecr", "GetRegistryScanningConfiguration", result="scanningConfiguration")


class ExclusionFilter(Part):
    """A pattern of tags to which a repository's mutability does not apply."""

    filter = required(PART, "filter", str, "latest*")


class Repository(
    View,
    kind="image-repository",
    type="AWS::ECR::Repository",
    listing=(LIST,),
    name="repositoryName",
    arn="repositoryArn",
    tagged=True,
):
    """A repository of the account's own registry in this Region. Without a policy it is the account's alone."""

    image_tag_mutability = required(LIST, "imageTagMutability", str, "IMMUTABLE")
    image_tag_mutability_exclusion_filters = items(
        LIST, "imageTagMutabilityExclusionFilters[]", ExclusionFilter
    )
    scan_on_push = optional(LIST, "imageScanningConfiguration.scanOnPush", bool)
    policy_text = optional(POLICY, "policyText", str)

    def tag_can_move(self, tag: str) -> bool:
        """Whether another image can be pushed under a tag that is in use."""
        excepted = any(
            fnmatchcase(tag, found.filter) for found in self.image_tag_mutability_exclusion_filters
        )
        mutable = self.image_tag_mutability.startswith("MUTABLE")
        return mutable is not (excepted and self.image_tag_mutability.endswith("_WITH_EXCLUSION"))


class RepositoryFilter(Part):
    """The repositories that a rule is for."""

    filter = required(PART, "filter", str, "*")


class ScanningRule(Part):
    """How often the repositories that one of its filters names are scanned."""

    scan_frequency = required(PART, "scanFrequency", str, "SCAN_ON_PUSH")
    repository_filters = items(PART, "repositoryFilters[]", RepositoryFilter)

    def covers(self, repository: str) -> bool:
        """Whether it scans the images of a repository by itself. A filter without `*` is a part of the name."""
        if self.scan_frequency == "MANUAL":
            return False
        patterns = [found.filter for found in self.repository_filters]
        return any(fnmatchcase(repository, p if "*" in p else f"*{p}*") for p in patterns)


class RegistryScanning(View, kind="registry-scanning", listing=(SCANNING,)):
    """What the registry of a Region scans: BASIC, or ENHANCED by Amazon Inspector."""

    scan_type = optional(SCANNING, "scanType", str)
    rules = items(SCANNING, "rules[]", ScanningRule)


@index
def images_by_repository(region: Region) -> Mapping[str, tuple[tuple[ImageReference, ContainerImage], ...]]:
    """The images in use of each repository here, as far as they were listed: not to conclude that none is."""
    found: dict[str, list[tuple[ImageReference, ContainerImage]]] = {}
    for image in region.known(ContainerImage):
        reference = image_reference(image.name)
        if reference is not None and (reference.registry, reference.region) == (region.account, region.name):
            found.setdefault(reference.repository, []).append((reference, image))
    return {repository: tuple(images) for repository, images in found.items()}


@collects(Repository, follows=(ContainerImage, TrainingJob, ProcessingJob))
def image_repositories(reader: "Reader") -> Iterator[Resource]:
    """The repositories of images that are in use; nothing is asked where there are none."""
    used = images_by_repository(reader.region)

    def read(summary: Document) -> list[Resource]:
        readings: dict[Operation, Reading] = {LIST: summary}
        if reader.wants(POLICY):
            readings[POLICY] = reader.read(POLICY, repositoryName=summary["repositoryName"])
        return list(reader.resource(readings))

    listed = reader.list(LIST) if used else iter(())
    for found in reader.gather(read, (each for each in listed if each["repositoryName"] in used)):
        yield from found


@collects(RegistryScanning)
def registry_scanning(reader: "Reader") -> Iterator[Resource]:
    """One answer for each Region."""
    yield from reader.resource({SCANNING: reader.read(SCANNING)}, key="scanning", name="scanning")
