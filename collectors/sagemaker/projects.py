"""Projects: code, pipelines and registry that Service Catalog provisioned together."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.sagemaker.search import Searchable, search_operation, searched
from collectors.view import View, required

if TYPE_CHECKING:
    from collectors.reader import Reader

# What a template was provisioned with may hold a token.
_PARAMETERS = ("ServiceCatalogProvisioningDetails.ProvisioningParameters[].Value",)
SEARCH = search_operation("Project", secrets=_PARAMETERS)
LIST = Operation("sagemaker", "ListProjects", result="ProjectSummaryList[]")
DESCRIBE = Operation("sagemaker", "DescribeProject", secrets=_PARAMETERS)
SOURCE = (SEARCH, DESCRIBE)

COMPLETED = frozenset({"CreateCompleted", "UpdateCompleted"})
ORPHANED = frozenset({"CreateFailed", "DeleteFailed", "UpdateFailed"})


class Project(
    View,
    kind="project",
    type="AWS::SageMaker::Project",
    listing=(SEARCH, LIST),
    name="ProjectName",
    arn="ProjectArn",
    tags=(SEARCH, "Tags"),
    tagged=True,
):
    """A project."""

    project_status = required(SOURCE, "ProjectStatus", str, "CreateCompleted")


@collects(Project)
def projects(reader: "Reader") -> Iterator[Resource]:
    """Every project, a hundred a page."""
    yield from searched(reader, Searchable(SEARCH, LIST, DESCRIBE, "ProjectName", "ProjectName"))
