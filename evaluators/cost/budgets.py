"""Whether anybody is told what SageMaker costs, and whose costs they are."""

from typing import Any

from collectors.billing import AnomalyMonitor, Budget, CostAllocationTag
from collectors.iam import Account
from collectors.sample import Sample, sample
from evaluators.controls import lens
from evaluators.rule import Change, Severity, Verdict, failed, given, passed, rule

_TOTAL = sample(Budget, "all", notifications=[{"threshold": 80.0}])
_TAG = sample(CostAllocationTag, "Project", arn="Project")
_MONITOR = sample(AnomalyMonitor, "services")


def _with(*samples: Sample, **thresholds: Any) -> Any:
    return given(sample(Account), *samples, **thresholds)


@rule(
    "COST-033",
    Severity.LOW,
    bad=[
        _with(_TAG, _MONITOR),
        _with(_TOTAL, _MONITOR),
        _with(_TOTAL, _TAG),
        _with(sample(Budget, "all"), _TAG, _MONITOR),
        _with(
            sample(
                Budget, "ec2", cost_filters={"Service": ["Amazon EC2"]}, notifications=[{"threshold": 80.0}]
            ),
            _TAG,
            _MONITOR,
        ),
        _with(_TOTAL, sample(CostAllocationTag, "Colour", arn="Colour"), _MONITOR),
        _with(_TOTAL, sample(CostAllocationTag, "Project", arn="Project", status="Inactive"), _MONITOR),
        # A budget of hours is none of costs.
        _with(sample(Budget, "ml", budget_type="USAGE", notifications=[{"threshold": 80.0}]), _TAG, _MONITOR),
    ],
    good=[
        _with(_TOTAL, _TAG, _MONITOR),
        _with(sample(Budget, "ml", cost_filters={"Service": ["Amazon SageMaker"]}), _TAG, _MONITOR),
        _with(
            sample(
                Budget,
                "ml",
                filter_expression={"Dimensions": {"Key": "SERVICE", "Values": ["Amazon SageMaker"]}},
            ),
            sample(CostAllocationTag, "environment", arn="environment"),
            _MONITOR,
        ),
    ],
    exempt=[],
    remedy="Set a budget with a notification, activate the tags for cost allocation in the payer's account, and "
    "add an anomaly monitor.",
    command="aws budgets create-budget --account-id {account} --budget file://budget.json "
    "--notifications-with-subscribers file://notifications.json",
    change=Change.IN_PLACE,
    maps=[lens("MLCOST04-BP12"), lens("MLCOST06-BP01")],
)
def unwatched_costs(
    account: Account, *, required_tags: tuple[str, ...] = ("Environment", "Project")
) -> Verdict:
    """SageMaker's costs should have a budget, a tag to tell them apart, and a monitor.

    A budget that names SageMaker, or one for everything that tells somebody; at least one of the
    required tags active for cost allocation; any anomaly monitor. A member account may not list the
    tags: then nobody knows.
    """
    region = account.region
    budgets = list(region.all(Budget))
    wanted = {tag.lower() for tag in required_tags}
    active = [tag.name for tag in region.all(CostAllocationTag) if tag.status == "Active"]
    monitors = [monitor.monitor_type for monitor in region.all(AnomalyMonitor)]
    told = any(b.names_sagemaker or (b.is_total and b.notifications) for b in budgets if _is_for_costs(b))
    missing = [
        what
        for holds, what in (
            (told, "a budget"),
            (any(tag.lower() in wanted for tag in active), "an active tag for cost allocation"),
            (bool(monitors), "an anomaly monitor"),
        )
        if not holds
    ]
    figures: dict[str, Any] = {
        "BudgetType": sorted({budget.budget_type or "COST" for budget in budgets}),
        "Threshold": sorted({told.threshold or 0.0 for budget in budgets for told in budget.notifications}),
        "MonitorType": sorted(set(monitors)),
        "active_tags": sorted(active)[:10],
    }
    if missing:
        return failed(f"missing: {', '.join(missing)}", **figures)
    return passed(**figures)


def _is_for_costs(budget: Budget) -> bool:
    return budget.budget_type in (None, "COST")
