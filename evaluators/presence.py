"""Whether a Region has any machine learning at all: account-wide safeguards matter only where there is some."""

from collectors.s3 import Bucket
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.models import Model
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sagemaker.studio import Domain
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.view import Region, View, index

_KINDS: tuple[type[View], ...] = (Endpoint, Model, NotebookInstance, Domain, TrainingJob)


@index
def learning_in(region: Region) -> str:
    """A resource that shows that this Region does machine learning; nothing where there is none.

    Raises `Unread` where none was seen and a listing was not whole.
    """
    for view in _KINDS:
        found = next(region.known(view), None)
        if found is not None:
            return f"{view.kind} {found.name}"
    for view in _KINDS:
        for found in region.all(view):
            return f"{view.kind} {found.name}"
    return ""


@index
def buckets_in(region: Region) -> tuple[str, ...]:
    """The ML buckets that live in a Region. Raises `Unread` where the listing was not whole."""
    return tuple(bucket.name for bucket in region.all(Bucket) if bucket.shown_region == region.name)
