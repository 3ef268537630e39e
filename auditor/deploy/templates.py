"""The CloudFormation templates and the Containerfile, as texts that a person reads before using them.

A template is a YAML file in `texts/`, comments included. A line that is nothing but `{{name}}` is replaced by lines at
its own indentation: a piece that templates share (`texts/parts/`), or a list that is derived here, such as the actions
that the collectors need. What comes out is plain CloudFormation without transforms or macros.
"""

import re
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Literal

from auditor.console import UsageError
from auditor.permissions import actions_for, operations_for
from evaluators.rule import all_rules

Name = Literal["reader", "schedule", "fanout"]
NAMES: tuple[Name, ...] = ("reader", "schedule", "fanout")

_SLOT = re.compile(r"^( *)\{\{([a-z-]+)\}\}\n", re.MULTILINE)
_BELOW = {"AUDITOR_STATE": "state", "AUDITOR_FEED": "feed"}


def template(name: Name, *, search: bool = True, cost_explorer: bool = False) -> str:
    """A CloudFormation template in YAML, ready for `aws cloudformation deploy`.

    Without `search` the policy holds what stands in for sagemaker:Search; with `cost_explorer` it also allows the
    requests that AWS bills, and runs make them.
    """
    variables = variables_for(name, search=search, cost_explorer=cost_explorer)
    lists: dict[str, Callable[[], list[str]]] = {
        "actions": lambda: [
            f"- {action}" for action in read_actions(search=search, cost_explorer=cost_explorer)
        ],
        "task-environment": lambda: [
            line for key, value in variables.items() for line in (f"- Name: {key}", f"  Value: {value}")
        ],
        "function-environment": lambda: [f"{key}: {value}" for key, value in variables.items()],
    }
    return _filled(_text(f"{name}.yaml"), lists)


def printed(name: str, *, search: bool = True, cost_explorer: bool = False) -> str:
    """What `auditor deploy template NAME` prints. Raises `UsageError` for a name that there is not."""
    if name == "grafana":
        from auditor.server.grafana import dashboard

        return dashboard()
    for known in NAMES:
        if known == name:
            return template(known, search=search, cost_explorer=cost_explorer)
    raise UsageError(f"no template is called {name!r}; there are {', '.join(NAMES)} and grafana")


def containerfile() -> str:
    """The Containerfile of an image that runs as a task of ECS and as a function of Lambda."""
    return _text("Containerfile")


def read_actions(*, search: bool = True, cost_explorer: bool = False) -> list[str]:
    """The IAM actions that an audit by all rules needs, sorted; those that AWS bills only where asked for."""
    billed = {op.iam_action for op in operations_for(all_rules(), search=search) if op.charge}
    wanted = actions_for(all_rules(), search=search)
    return [action for action in wanted if cost_explorer or action not in billed]


def variables_for(name: Name, *, search: bool, cost_explorer: bool) -> Mapping[str, str]:
    """The environment of a run, as YAML values; an empty one is as good as unset.

    A fan-out gives role, state and feed with each account instead. Where the printed policy is the usual one, the
    settings file decides on Search and Cost Explorer.
    """
    shared = {
        # Everything that Python, boto3 and auditor want to write goes where a read-only file system allows it.
        "HOME": "/tmp",  # noqa: S108 - a container's own
        "AUDITOR_CONFIG": '!If [HasConfig, !Sub "s3://${Bucket}/config/${ConfigKey}", ""]',
        "AUDITOR_REGIONS": "!Ref Regions",
        "AUDITOR_EXTERNAL_ID": "!Ref ExternalId",
        "AUDITOR_OUTPUTS": "emf",
        "AUDITOR_SINCE_LAST": "!Ref SinceLast",
        "AUDITOR_SEARCH": '""' if search else '"false"',
        "AUDITOR_COST_EXPLORER": '"true"' if cost_explorer else '""',
    }
    if name == "schedule":
        places = {key: f'!Sub "s3://${{Bucket}}/{below}/"' for key, below in _BELOW.items()}
        own = {
            "AUDITOR_ROLE_ARN": "!Ref ReaderRoleArn",
            "AUDITOR_PUSH": '!If [PushesToSecurityHub, securityhub, ""]',
        }
        return shared | places | own
    return shared


def _text(name: str) -> str:
    return (files("auditor.deploy") / "texts" / name).read_text(encoding="utf-8")


def _filled(text: str, lists: Mapping[str, Callable[[], list[str]]]) -> str:
    """A text with its slots filled, those of what fills them, too."""

    def lines(slot: re.Match[str]) -> str:
        indent, name = slot.groups()
        made = lists[name]() if name in lists else _filled(_text(f"parts/{name}.yaml"), lists).splitlines()
        return "".join(f"{indent}{line}\n" if line else "\n" for line in made)

    return _SLOT.sub(lines, text)
