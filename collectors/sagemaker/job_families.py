"""Families of jobs: runs of the same thing, told by what their names begin with."""

import re
from collections.abc import Iterable

_PIPELINE_STEP = re.compile(r"pipelines-[a-z0-9]{12}-(?P<step>.+)-[A-Za-z0-9]{10}")
"""SageMaker Pipelines name a job `pipelines-EXECUTION-STEP-RANDOM`: what tells a run apart is on both sides."""

_ID = re.compile(
    r"""(
        [-_.]?20\d\d-?\d\d-?\d\d ([-_T]?\d\d[-:]?\d\d ([-:]?\d\d ([-.]?\d{1,6})?)?)?Z?  # a timestamp
      | [-_.]?\d{6}-\d{4,6}                                          # one without a century
      | [-_.]?\d{9,}-[0-9a-f]{4}                                     # seconds, and four more of the SDK
      | [-_.]?\d{6,}                                                 # digits that are no version
      | [-_.][0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}               # a UUID
      | [-_.](?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{6,7}                   # a short commit
      | [-_.](?![a-z]{3,}\d{0,4}[a-z]*$)(?=[a-z]*\d)(?=\d*[a-z])[0-9a-z]{8,}  # a hash; no word like resnet50
    )$""",
    re.VERBOSE | re.IGNORECASE,
)
_COUNTER = re.compile(r"[-_.]((run|job|trial|attempt|version|v)[-_.]?)?\d+$", re.IGNORECASE)

_MADE_BY_AWS = re.compile(
    r"(model-monitoring|sagemaker-clarify|clarify|sagemaker-autopilot|automl|databrew)-", re.IGNORECASE
)


def family_name(name: str) -> str:
    """A job's name without the timestamp, id or counter at its end; the name itself where nothing else is left.

    A counter before a timestamp is part of the name: `resnet-50-2026-11-18` is no run of `resnet`.
    """
    step = _PIPELINE_STEP.fullmatch(name)
    if step is not None:
        return f"pipelines-{step['step']}"
    shorter = _without(_ID, name)
    if shorter == name:
        shorter = _without(_ID, _without(_COUNTER, name))
    return shorter or name


def _without(ending: re.Pattern[str], name: str) -> str:
    """A name without any number of such endings."""
    shorter = ending.sub("", name)
    return name if shorter == name else _without(ending, shorter)


def is_made_by_aws(name: str) -> bool:
    """Whether a service started the job on the user's behalf: its settings are the service's.

    Known by the names that model monitoring, Clarify, Autopilot and DataBrew give.
    """
    return bool(_MADE_BY_AWS.match(name))


def newest_of_families(names: Iterable[str]) -> set[str]:
    """The first name of each family among names of jobs that come newest first."""
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(family_name(name), name)
    return set(first.values())
