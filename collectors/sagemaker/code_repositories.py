"""Git repositories that notebooks clone; the listing has all that is known of them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.view import View, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation(
    "sagemaker",
    "ListCodeRepositories",
    result="CodeRepositorySummaryList[]",
    secrets=("GitConfig.RepositoryUrl",),
)


class CodeRepository(
    View,
    kind="code-repository",
    type="AWS::SageMaker::CodeRepository",
    listing=(LIST,),
    name="CodeRepositoryName",
    arn="CodeRepositoryArn",
    tagged=True,
):
    """A Git repository; a password inside its URL was taken out when it was read."""

    repository_url = required(LIST, "GitConfig.RepositoryUrl", str, "https://git.example.com/team/models.git")


@collects(CodeRepository)
def code_repositories(reader: "Reader") -> Iterator[Resource]:
    """Every repository, a hundred a page."""
    for summary in reader.list(LIST):
        yield from reader.resource({LIST: summary})
