"""Savings Plans, what Cost Explorer says of SageMaker's costs, budgets, and how costs are attributed.

Cost Explorer bills each request, so it is asked only where the user says so; one period, and three
look-backs of the recommendation, are all that is asked.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from collectors.collector import collects
from collectors.model import Operation, Reading, Resource, Unread
from collectors.view import PART, Part, View, items, optional, part, required

if TYPE_CHECKING:
    from collectors.reader import Reader

_REQUEST = 0.01
"""US dollars for a request of Cost Explorer's API."""
SERVICE = "Amazon SageMaker"
_DAYS = 30

PLANS = Operation(
    "savingsplans",
    "DescribeSavingsPlans",
    result="savingsPlans[]",
    parameters=(("states", ("active", "queued")),),
)
USES = Operation(
    "ce",
    "GetSavingsPlansUtilizationDetails",
    result="SavingsPlansUtilizationDetails[]",
    charge=_REQUEST,
)
COVERAGE = Operation("ce", "GetSavingsPlansCoverage", charge=_REQUEST)
RECOMMENDATION = Operation(
    "ce",
    "GetSavingsPlansPurchaseRecommendation",
    parameters=(
        ("SavingsPlansType", "SAGEMAKER_SP"),
        ("TermInYears", "ONE_YEAR"),
        ("PaymentOption", "NO_UPFRONT"),
    ),
    charge=_REQUEST,
)
TAGS = Operation("ce", "ListCostAllocationTags", result="CostAllocationTags[]", charge=_REQUEST)
MONITORS = Operation("ce", "GetAnomalyMonitors", result="AnomalyMonitors[]", charge=_REQUEST)
BUDGETS = Operation("budgets", "DescribeBudgets", result="Budgets[]", action="budgets:ViewBudget")
NOTIFICATIONS = Operation("budgets", "DescribeNotificationsForBudget", action="budgets:ViewBudget")

LOOKBACKS = ("SEVEN_DAYS", "THIRTY_DAYS", "SIXTY_DAYS")


class SavingsPlan(
    View,
    kind="savings-plan",
    type="AWS::SavingsPlans::SavingsPlan",
    listing=(PLANS,),
    name="savingsPlanId",
    arn="savingsPlanArn",
    is_global=True,
):
    """A Savings Plan that is active, or will be."""

    savings_plan_type = required(PLANS, "savingsPlanType", str, "SageMaker")
    state = required(PLANS, "state", str, "active")
    end = optional(PLANS, "end", str)

    @property
    def is_sagemakers(self) -> bool:
        """Whether it is for SageMaker: AWS writes the type `SageMaker` here, `SAGEMAKER_SP` in Cost Explorer."""
        return self.savings_plan_type == "SageMaker"


class SavingsPlanUse(
    View,
    kind="savings-plan-use",
    listing=(USES,),
    name="SavingsPlanArn",
    arn="SavingsPlanArn",
    is_global=True,
):
    """How much of a plan's commitment was used in the last thirty days; percentages are texts."""

    utilization_percentage = required(USES, "Utilization.UtilizationPercentage", str, "100")


class Covered(Part):
    """One day's SageMaker costs: amounts are texts."""

    on_demand_cost = optional(PART, "Coverage.OnDemandCost", str)
    spend_covered_by_savings_plans = optional(PART, "Coverage.SpendCoveredBySavingsPlans", str)


class SavingsPlanCoverage(View, kind="savings-plan-coverage", listing=(COVERAGE,), is_global=True):
    """SageMaker's eligible costs of the last thirty days, day by day."""

    savings_plans_coverages = items(COVERAGE, "SavingsPlansCoverages[]", Covered)


class Summary(Part):
    """What a recommendation comes to; amounts are texts."""

    estimated_monthly_savings_amount = optional(PART, "EstimatedMonthlySavingsAmount", str)
    hourly_commitment_to_purchase = optional(PART, "HourlyCommitmentToPurchase", str)


class SavingsPlanRecommendation(
    View, kind="savings-plan-recommendation", listing=(RECOMMENDATION,), is_global=True
):
    """The last recommendation that AWS made for a look-back; its name is the look-back."""

    savings_plans_purchase_recommendation_summary = part(
        RECOMMENDATION,
        "SavingsPlansPurchaseRecommendation.SavingsPlansPurchaseRecommendationSummary",
        Summary,
    )


class Notification(Part):
    """When a budget tells somebody."""

    threshold = optional(PART, "Threshold", float)


class Budget(
    View, kind="budget", type="AWS::Budgets::Budget", listing=(BUDGETS,), name="BudgetName", is_global=True
):
    """A budget: its filter is in one of two members."""

    budget_type = optional(BUDGETS, "BudgetType", str)
    cost_filters = optional(BUDGETS, "CostFilters", dict[str, Any])
    filter_expression = optional(BUDGETS, "FilterExpression", dict[str, Any])
    notifications = items(NOTIFICATIONS, "Notifications[]", Notification)

    @property
    def is_total(self) -> bool:
        """Whether it is for all costs."""
        return not self.cost_filters and not self.filter_expression

    @property
    def names_sagemaker(self) -> bool:
        """Whether its filter names SageMaker."""
        return "sagemaker" in f"{self.cost_filters} {self.filter_expression}".lower()


class CostAllocationTag(View, kind="cost-allocation-tag", listing=(TAGS,), name="TagKey", is_global=True):
    """A tag by which costs can be told apart, once it is active."""

    status = required(TAGS, "Status", str, "Active")


class AnomalyMonitor(
    View, kind="anomaly-monitor", listing=(MONITORS,), name="MonitorName", arn="MonitorArn", is_global=True
):
    """A monitor that notices unusual costs."""

    monitor_type = required(MONITORS, "MonitorType", str, "DIMENSIONAL")


def _period(reader: "Reader") -> dict[str, Any]:
    end = reader.region.now.date()
    return {"TimePeriod": {"Start": (end - timedelta(days=_DAYS)).isoformat(), "End": end.isoformat()}}


@collects(SavingsPlan)
def savings_plans(reader: "Reader") -> Iterator[Resource]:
    """The account's own plans; those that its organisation shares with it are not listed."""
    for document in reader.list(PLANS):
        yield from reader.resource({PLANS: document})


@collects(SavingsPlanUse, follows=(SavingsPlan,))
def savings_plan_uses(reader: "Reader") -> Iterator[Resource]:
    """How the plans were used; nothing is asked, and nothing billed, where there is no plan."""
    if any(True for _ in reader.known(SavingsPlan)):
        for document in reader.list(USES, **_period(reader)):
            yield from reader.resource({USES: document})


@collects(SavingsPlanCoverage)
def savings_plan_coverage(reader: "Reader") -> Iterator[Resource]:
    """One look at the last thirty days."""
    wanted = {"Dimensions": {"Key": "SERVICE", "Values": [SERVICE]}}
    asked: dict[str, Any] = {**_period(reader), "Granularity": "DAILY", "Filter": wanted}
    reading: Reading
    try:
        pages = list(reader.pages(COVERAGE, **asked))
        reading = {"SavingsPlansCoverages": [day for page in pages for day in page["SavingsPlansCoverages"]]}
    except Unread as unread:
        reading = unread.gap
    yield from reader.resource({COVERAGE: reading}, key="coverage", name="coverage")


@collects(SavingsPlanRecommendation)
def savings_plan_recommendations(reader: "Reader") -> Iterator[Resource]:
    """What AWS recommended last, for three look-backs; a new recommendation is never started."""
    for lookback in LOOKBACKS:
        reading = reader.read(RECOMMENDATION, LookbackPeriodInDays=lookback)
        yield from reader.resource({RECOMMENDATION: reading}, key=lookback, name=lookback)


@collects(Budget)
def budgets(reader: "Reader") -> Iterator[Resource]:
    """Every budget, with whom it tells."""
    account = reader.region.account
    listed = list(reader.list(BUDGETS, AccountId=account))

    def told(name: str) -> Reading:
        try:
            pages = list(reader.pages(NOTIFICATIONS, AccountId=account, BudgetName=name))
        except Unread as unread:
            return unread.gap
        return {"Notifications": [found for page in pages for found in page.get("Notifications", ())]}

    names = [document["BudgetName"] for document in listed]
    for document, reading in zip(listed, reader.gather(told, names), strict=True):
        yield from reader.resource({BUDGETS: document, NOTIFICATIONS: reading})


@collects(CostAllocationTag)
def cost_allocation_tags(reader: "Reader") -> Iterator[Resource]:
    """The tags that the payer's account has activated; a member account may not list them."""
    for document in reader.list(TAGS, Status="Active"):
        yield from reader.resource({TAGS: document})


@collects(AnomalyMonitor)
def anomaly_monitors(reader: "Reader") -> Iterator[Resource]:
    """Every monitor."""
    for document in reader.list(MONITORS):
        yield from reader.resource({MONITORS: document})
