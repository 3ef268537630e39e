"""Notebook instances that are paid for and not used."""

import base64
from typing import Any

from collectors.sagemaker.notebooks import LifecycleConfig, NotebookInstance
from collectors.sample import NOW, sample
from collectors.view import moment
from evaluators.controls import lens
from evaluators.money import HOURS, Usage
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule
from evaluators.scripts import stops_when_idle
from evaluators.tags import always_on

_OLD = moment("2026-11-01T06:00:00+00:00")
_STOPS = base64.b64encode(
    b"#!/bin/sh\necho '*/5 * * * * python autostop.py --time 3600' | crontab -\n"
).decode()
_COMMENTED = base64.b64encode(b"#!/bin/sh\n# autostop: later\npip install pandas\n").decode()


@rule(
    "COST-002",
    Severity.HIGH,
    confidence=0.7,
    bad=[
        {"last_modified_time": _OLD},
        {"last_modified_time": _OLD, "notebook_instance_lifecycle_config_name": "deleted-meanwhile"},
        given(
            sample(
                NotebookInstance,
                last_modified_time=_OLD,
                notebook_instance_lifecycle_config_name="packages",
            ),
            sample(LifecycleConfig, "packages", on_start=[{"content": _COMMENTED}]),
        ),
        sample(NotebookInstance, last_modified_time=_OLD, tags={"24x7": "false"}),
    ],
    good=[
        {"last_modified_time": NOW},
        given(
            sample(
                NotebookInstance,
                last_modified_time=_OLD,
                notebook_instance_lifecycle_config_name="autostop",
            ),
            sample(LifecycleConfig, "autostop", on_start=[{"content": _STOPS}]),
        ),
        given(sample(NotebookInstance, last_modified_time=_OLD), max_running_days=60),
    ],
    exempt=[
        {"last_modified_time": _OLD, "notebook_instance_status": "Stopped"},
        {"last_modified_time": _OLD, "notebook_instance_status": "Failed"},
        sample(NotebookInstance, last_modified_time=_OLD, tags={"Always-On": "true"}),
    ],
    remedy="Stop the instance, and attach a lifecycle configuration that stops it when it is idle.",
    command="aws sagemaker stop-notebook-instance --notebook-instance-name {name}",
    change=Change.RESTART,
    maps=[lens("MLCOST04-BP08")],
)
def notebook_running_unattended(notebook: NotebookInstance, *, max_running_days: float = 2) -> Verdict:
    """Notebook instances should be stopped when nobody works.

    They are billed while they run. They publish no CPU metric, so idleness is inferred: running for
    days since the last start or update (that is no proof of idleness), with no start script that
    stops the instance. The tag `24x7` or `always-on` exempts one.
    """
    if notebook.notebook_instance_status != "InService":
        return not_applicable("the instance is not running")
    since = notebook.last_modified_time
    if since >= notebook.region.ago(max_running_days):
        return passed("started or updated lately", LastModifiedTime=since)
    config = notebook.lifecycle_config
    if config is not None and any(stops_when_idle(script.text) for script in config.on_start):
        return passed("a start script stops it", NotebookInstanceLifecycleConfigName=config.name)
    if always_on(notebook.tags):
        return not_applicable("a tag says that it runs around the clock")
    return failed(
        "it has been running for days and nothing stops it",
        waste=[Usage("notebook", notebook.instance_type, hours=HOURS)],
        LastModifiedTime=since,
        InstanceType=notebook.instance_type,
        NotebookInstanceLifecycleConfigName=notebook.notebook_instance_lifecycle_config_name,
        days_running=(notebook.region.now - since).days,
    )


@rule(
    "COST-003",
    Severity.LOW,
    bad=[
        {
            "notebook_instance_status": "Stopped",
            "last_modified_time": _OLD.replace(month=9),
            "volume_size_in_gb": 500,
        }
    ],
    good=[
        {"notebook_instance_status": "Stopped", "last_modified_time": _OLD},
        given(
            sample(
                NotebookInstance, notebook_instance_status="Stopped", last_modified_time=_OLD.replace(month=9)
            ),
            stopped_days=90,
        ),
    ],
    exempt=[{"notebook_instance_status": "InService", "last_modified_time": _OLD.replace(month=9)}],
    remedy="Copy the data to S3 or Git first: deleting the instance destroys its volume.",
    command="aws sagemaker delete-notebook-instance --notebook-instance-name {name}",
    change=Change.RECREATE,
    maps=[lens("MLCOST04-BP08")],
)
def notebook_stopped_storage(notebook: NotebookInstance, *, stopped_days: float = 30) -> Verdict:
    """Notebook instances that stay stopped should be deleted once their data is safe.

    The volume is billed for as long as the instance exists, running or not.
    """
    if notebook.notebook_instance_status != "Stopped":
        return not_applicable("the instance is not stopped")
    since, size = notebook.last_modified_time, notebook.volume_size_in_gb
    figures: dict[str, Any] = {
        "LastModifiedTime": since,
        "VolumeSizeInGB": size,
        "days_stopped": (notebook.region.now - since).days,
    }
    if since >= notebook.region.ago(stopped_days):
        return passed(**figures)
    return failed(
        "it has been stopped for long and its volume is billed",
        waste=[Usage("notebook-volume", gigabytes=size)] if size else [],
        **figures,
    )
