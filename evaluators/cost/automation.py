"""Whether anything stops what people forget to stop."""

import base64
import re
from typing import Any

from collectors.autoscaling import ScheduledAction
from collectors.events import EventRule
from collectors.model import Unread
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.notebooks import LifecycleConfig, NotebookInstance
from collectors.sagemaker.studio import Domain
from collectors.sample import sample
from collectors.scheduler import Schedule
from collectors.view import Region, View
from evaluators.controls import lens
from evaluators.environment import Environment, placed
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule
from evaluators.scripts import stops_when_idle
from evaluators.signs import first_of, first_sign
from evaluators.triggers import Triggers, rule_triggers, schedule_triggers

_STOPS = re.compile(
    # EventBridge Scheduler's own call of SageMaker's API
    r":aws-sdk:sagemaker:(?:stop|delete)"
    # a function, workflow or runbook whose name says so
    r"|:(?:lambda|states|ssm):.*(?:stop|idle|shut-?_?down|delete-?_?endpoint)"
)
_PASSING = frozenset({Environment.DEVELOPMENT, Environment.SANDBOX})

_NOTEBOOK = sample(NotebookInstance, "explore")
_TOY = sample(Endpoint, "toy", tags={"Environment": "dev"})
_FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function"


def _script(text: str) -> list[dict[str, Any]]:
    return [{"content": base64.b64encode(text.encode()).decode()}]


def _domain(value: str) -> dict[str, Any]:
    idle = {"lifecycle_management": value, "idle_timeout_in_minutes": 60}
    return {"default_user_settings": {"jupyter_lab_app_settings": {"idle_settings": idle}}}


@rule(
    "COST-036",
    Severity.LOW,
    bad=[
        _NOTEBOOK,
        _TOY,
        given(_NOTEBOOK, sample(Schedule, "report", target={"arn": f"{_FUNCTION}:report"})),
        given(
            _NOTEBOOK,
            sample(Schedule, "off", state="DISABLED", target={"arn": f"{_FUNCTION}:stop-notebooks"}),
            sample(Domain, "d-1", **_domain("DISABLED")),
        ),
        given(_TOY, sample(ScheduledAction, "night", max_capacity=1)),
        given(_NOTEBOOK, sample(LifecycleConfig, "unused", on_start=_script("python autostop.py"))),
    ],
    good=[
        given(
            _NOTEBOOK,
            sample(
                Schedule,
                "night",
                target={"arn": "arn:aws:scheduler:::aws-sdk:sagemaker:stopNotebookInstance"},
            ),
        ),
        given(
            _NOTEBOOK, sample(EventRule, "night", targets=[{"arn": f"{_FUNCTION}:shutdown-idle-notebooks"}])
        ),
        given(
            sample(NotebookInstance, "explore", notebook_instance_lifecycle_config_name="idle"),
            sample(LifecycleConfig, "idle", on_start=_script("*/5 * * * * python autostop.py --time 3600")),
        ),
        given(_NOTEBOOK, sample(Domain, "d-1", **_domain("ENABLED"))),
        given(_TOY, sample(ScheduledAction, "night", max_capacity=0)),
        sample(NotebookInstance, "explore", tags={"Schedule": "office-hours"}),
    ],
    exempt=[
        sample(Endpoint, "churn", tags={"Environment": "prod"}),
        sample(Endpoint, "unplaced"),
        sample(NotebookInstance, "gone", notebook_instance_status="Deleting"),
    ],
    remedy="Add a schedule that stops notebooks and deletes trial endpoints at night, or an idle script.",
    command="aws scheduler create-schedule --name NAME --schedule-expression 'cron(0 20 ? * MON-FRI *)' "
    "--flexible-time-window Mode=OFF --target file://target.json",
    change=Change.IN_PLACE,
    confidence=0.7,
    maps=[lens("MLCOST04-BP08")],
)
def manual_stopping(
    region: Region, *, stop_tags: tuple[str, ...] = ("Schedule", "AutoStop", "auto-stop")
) -> Verdict:
    """Stopping should be automated, by idle time or by schedule.

    Notebooks and trial endpoints are billed until somebody remembers them. One mechanism in the
    Region is enough: Studio's idle shutdown, a lifecycle script that stops its notebook, a schedule or
    rule that stops or deletes, scaling to zero by the clock, or a tag that a scheduler of another
    maker acts on (`stop_tags`). The names of functions are hints only, and what they stop is not seen.
    """
    notebooks = [
        found for found in region.all(NotebookInstance) if found.notebook_instance_status != "Deleting"
    ]
    trials = [found for found in region.all(Endpoint) if _is_trial(found)]
    if not notebooks and not trials:
        return not_applicable("no notebooks and no development endpoints are here")
    tags = {tag.lower() for tag in stop_tags}
    seen = first_sign(
        (
            lambda: first_of(region.all(Domain), _stops_idle_apps),
            lambda: _stopping_target(schedule_triggers(region)),
            lambda: _stopping_target(rule_triggers(region)),
            lambda: first_of(notebooks, _stops_itself),
            lambda: first_of(region.all(ScheduledAction), _scales_to_zero),
            lambda: first_of([*notebooks, *trials], lambda found: _tagged(found, tags)),
        )
    )
    if seen:
        return passed(seen)
    return failed(
        "nothing stops notebooks or trial endpoints but somebody who remembers",
        NotebookInstanceStatus=sorted({found.notebook_instance_status for found in notebooks}),
        EndpointStatus=sorted({found.endpoint_status for found in trials}),
        resources=sorted(found.name for found in (*notebooks, *trials))[:10],
    )


def _is_trial(endpoint: Endpoint) -> bool:
    """Whether it runs for development. Raises `Unread` where its tags would tell."""
    if endpoint.endpoint_status in ("Failed", "Deleting"):
        return False
    where = placed(endpoint)
    if where.environment is None and where.gap is not None:
        raise Unread(where.gap)
    return where.environment in _PASSING


def _stops_idle_apps(domain: Domain) -> str:
    on = any(settings.is_on for settings in domain.idle_settings)
    return f"idle shutdown of domain {domain.name}" if on else ""


def _stopping_target(found: Triggers) -> str:
    for target, name in sorted(found.by_target.items()):
        if _STOPS.search(target):
            return name
    if found.unread is not None:
        raise found.unread
    return ""


def _stops_itself(notebook: NotebookInstance) -> str:
    config = notebook.lifecycle_config
    if config is None:
        return ""
    stops = any(stops_when_idle(script.text) for script in (*config.on_start, *config.on_create))
    return f"lifecycle configuration {config.name}" if stops else ""


def _scales_to_zero(action: ScheduledAction) -> str:
    return f"scheduled action {action.name}" if action.max_capacity == 0 else ""


def _tagged(found: View, tags: set[str]) -> str:
    return next((f"tag {key} of {found.name}" for key in sorted(found.tags) if key.lower() in tags), "")
