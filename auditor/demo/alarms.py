"""How metric alarms of both accounts are written down."""

from collections.abc import Sequence
from typing import Any

from auditor.demo.company import ago, arn
from auditor.demo.state import DemoState


def alarm(state: DemoState, region: str, name: str, actions: Sequence[str], **more: Any) -> None:
    """An alarm that is quiet; `more` are members of DescribeAlarms."""
    state.add(
        "MetricAlarm",
        region,
        {
            "AlarmName": name,
            "AlarmArn": arn(region, f"alarm:{name}", "cloudwatch"),
            "ActionsEnabled": True,
            "OKActions": [],
            "AlarmActions": list(actions),
            "InsufficientDataActions": [],
            "StateValue": "OK",
            "StateUpdatedTimestamp": ago(state, days=3),
            "EvaluationPeriods": 3,
            "Threshold": 5.0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
            **more,
        },
    )


def drift_alarm(
    state: DemoState, region: str, watched: tuple[str, str], metric: str, space: str, actions: Sequence[str]
) -> None:
    """One on what a schedule of Model Monitor finds: `watched` are endpoint and schedule, `space` the metrics' kind."""
    endpoint, schedule = watched
    alarm(
        state,
        region,
        f"{schedule}-drift",
        actions,
        EvaluationPeriods=1,
        Threshold=0.1,
        TreatMissingData="missing",
        MetricName=metric,
        Namespace=f"aws/sagemaker/Endpoints/{space}-metrics",
        Statistic="Average",
        Period=3600,
        Dimensions=[
            {"Name": "Endpoint", "Value": endpoint},
            {"Name": "MonitoringSchedule", "Value": schedule},
        ],
    )
