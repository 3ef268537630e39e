"""Savings Plans: whether steady work has one, whether it is used, and whether Spot takes its work away."""

from datetime import UTC, datetime, timedelta
from typing import Any

from collectors.access_analyzer import Organization
from collectors.billing import (
    LOOKBACKS,
    PLANS,
    SavingsPlan,
    SavingsPlanCoverage,
    SavingsPlanRecommendation,
    SavingsPlanUse,
)
from collectors.iam import Account
from collectors.model import Reason, Unread
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sample import ACCOUNT, NOW, Sample, sample
from collectors.view import Region
from evaluators.controls import lens
from evaluators.families import Families, training_families
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule

_ARN = "arn:aws:savingsplans::123456789012:savingsplan/p"
_PLAN = sample(SavingsPlan, "p", arn=_ARN, end="2027-11-01T00:00:00.000Z")
_OTHER = sample(SavingsPlan, "c", arn=f"{_ARN}-compute", savings_plan_type="Compute")


def _use(percent: str) -> Sample:
    return sample(SavingsPlanUse, _ARN, arn=_ARN, utilization_percentage=percent)


def _runs(count: int, **values: Any) -> list[Sample]:
    base: dict[str, Any] = {"instance_count": 1, "billable_time_in_seconds": 3600, **values}
    return [
        sample(TrainingJob, f"churn-{n:03d}", creation_time=NOW - timedelta(days=n / 2), **base)
        for n in range(count)
    ]


_SPOT: dict[str, Any] = {"enable_managed_spot_training": True}


def _own_plans(region: Region) -> list[SavingsPlan]:
    return [plan for plan in region.all(SavingsPlan) if plan.is_sagemakers and plan.state == "active"]


def _is_paid_by_another(region: Region) -> bool:
    """Whether the account is a member of an organisation, whose payer may hold plans."""
    return any(found.master_account_id != region.account for found in region.all(Organization))


def _utilisation(region: Region, plan: SavingsPlan) -> float | None:
    """The share of a plan that was used, `None` where Cost Explorer has nothing of it yet."""
    use = region.find(SavingsPlanUse, plan.id)
    return None if use is None else float(use.utilization_percentage) / 100


@rule(
    "COST-016",
    Severity.MEDIUM,
    bad=[given(sample(Account), _PLAN, _use("60.5"), *_runs(10, **_SPOT))],
    good=[
        given(sample(Account), _PLAN, _use("99"), *_runs(10, **_SPOT)),
        given(sample(Account), _PLAN, _use("60"), *_runs(4, **_SPOT)),
        given(sample(Account), _PLAN, _use("60"), *_runs(10)),
    ],
    exempt=[
        given(sample(Account), *_runs(10, **_SPOT)),
        given(sample(Account), _OTHER),
        given(sample(Account), _PLAN, *_runs(10, **_SPOT)),
        given(sample(Account), sample(Organization, "o-1"), *_runs(4, **_SPOT)),
        # The account is the payer itself.
        given(sample(Account), sample(Organization, "o-1", master_account_id=ACCOUNT), *_runs(10, **_SPOT)),
    ],
    remedy="Run steady families on demand under the plan, and keep Spot for prototypes and irregular work.",
    change=Change.NEXT_RUN,
    maps=[lens("MLCOST04-BP06"), lens("MLCOST06-BP01")],
)
def spot_beside_unused_plan(account: Account, *, min_utilisation: float = 0.9, min_runs: int = 8) -> Verdict:
    """Spot should not take steady work away from a Savings Plan that is paid for.

    Spot is never covered by a plan: work that runs on Spot leaves the plan unused and is paid twice.
    Families with that many Spot runs in the window are steady. Plans that the organisation's payer
    holds cover its members as well and are not seen from there: then nobody knows.
    """
    region = account.region
    plans = _own_plans(region)
    steady = [name for place in region.audited() for name in _steady_on_spot(place, min_runs)]
    if not plans:
        if steady and _is_paid_by_another(region):
            message = "plans of the organisation's payer, which cover this account, too"
            raise Unread(account.gap(str(PLANS), Reason.NOT_READ, message))
        return not_applicable("the account has no Savings Plan for SageMaker")
    shares = {plan.name: _utilisation(region, plan) for plan in plans}
    unused = {name: share for name, share in shares.items() if share is not None and share < min_utilisation}
    if all(share is None for share in shares.values()):
        return not_applicable("Cost Explorer has nothing of the plans yet")
    if not unused:
        return passed("the plans are used", plans=shares)
    if not steady:
        return passed("no steady family runs on Spot", plans=shares)
    return failed(
        f"{len(steady)} steady families run on Spot beside a plan that is not used up",
        UtilizationPercentage=round(100 * min(unused.values()), 1),
        EnableManagedSpotTraining=True,
        families=sorted(steady)[:10],
    )


def _steady_on_spot(region: Region, min_runs: int) -> list[str]:
    """The families of a Region with that many Spot runs in the window, by the name of their latest run."""
    families: Families = training_families(region)
    found = []
    for runs in families.runs.values():
        if len(runs) < min_runs:
            continue
        jobs = [job for arn in runs if (job := region.find(TrainingJob, arn)) is not None]
        if sum(1 for job in jobs if job.enable_managed_spot_training) >= min_runs:
            found.append(jobs[0].name)
    return found


def _days(covered: str, on_demand: str, count: int = 30) -> Sample:
    day = {"on_demand_cost": on_demand, "spend_covered_by_savings_plans": covered}
    return sample(SavingsPlanCoverage, "coverage", arn="coverage", savings_plans_coverages=[day] * count)


@rule(
    "COST-017",
    Severity.LOW,
    bad=[given(sample(Account), _days("10.0", "90.0"))],
    good=[
        given(sample(Account), _days("80.0", "20.0")),
        given(sample(Account), _days("0", "5.0")),
        given(
            sample(Account),
            sample(
                SavingsPlanCoverage,
                "coverage",
                arn="coverage",
                savings_plans_coverages=[
                    {"on_demand_cost": "3000", "spend_covered_by_savings_plans": "0"},
                    *[{"on_demand_cost": "0", "spend_covered_by_savings_plans": "0"}] * 29,
                ],
            ),
        ),
    ],
    exempt=[
        given(
            sample(Account),
            sample(SavingsPlanCoverage, "coverage", arn="coverage", savings_plans_coverages=[]),
        )
    ],
    remedy="Buy a Savings Plan for the steady part, as AWS recommends it.",
    change=Change.IN_PLACE,
    maps=[lens("MLCOST06-BP01")],
)
def uncovered_steady_usage(
    account: Account, *, min_monthly_usd: float = 500, min_coverage: float = 0.6
) -> Verdict:
    """Steady SageMaker usage should be covered by a Savings Plan.

    On-demand costs of the last thirty days, day by day, against what plans covered. Usage is steady
    where four days in five cost at least half of the mean day.
    """
    coverage = account.region.find(SavingsPlanCoverage, "coverage")
    days = coverage.savings_plans_coverages if coverage is not None else ()
    costs = [(float(day.on_demand_cost or 0), float(day.spend_covered_by_savings_plans or 0)) for day in days]
    on_demand, covered = sum(cost for cost, _ in costs), sum(part for _, part in costs)
    if on_demand + covered == 0:
        return not_applicable("Cost Explorer has no eligible cost of SageMaker")
    share = covered / (on_demand + covered)
    figures: dict[str, Any] = {"OnDemandCost": round(on_demand, 2), "coverage": round(share, 3)}
    mean = on_demand / len(costs)
    steady = sum(1 for cost, _ in costs if cost >= mean / 2) >= _STEADY * len(costs)
    if on_demand >= min_monthly_usd and share < min_coverage and steady:
        return failed(f"only {share:.0%} of steady usage is covered", **figures)
    return passed(**figures)


_STEADY = 0.8


@rule(
    "COST-018",
    Severity.MEDIUM,
    bad=[
        given(_PLAN, _use("81.2")),
        given(sample(SavingsPlan, "p", arn=_ARN, end="2026-12-01T00:00:00.000Z"), _use("100")),
        # That it ends is known before Cost Explorer knows anything.
        sample(SavingsPlan, "p", arn=_ARN, end="2026-12-01T00:00:00.000Z"),
    ],
    good=[
        given(_PLAN, _use("99.1")),
        given(
            sample(SavingsPlan, "p", arn=_ARN, end="2026-12-01T00:00:00.000Z"),
            _use("100"),
            sample(SavingsPlan, "next", arn=f"{_ARN}2", state="queued"),
        ),
    ],
    exempt=[given(_OTHER), sample(SavingsPlan, "next", state="queued"), given(_PLAN)],
    remedy="Move work under the plan, or let it end; queue a successor for what is steady.",
    change=Change.IN_PLACE,
    maps=[lens("MLCOST06-BP01")],
)
def unused_savings_plan(
    plan: SavingsPlan, *, min_utilisation: float = 0.95, expiry_days: float = 30
) -> Verdict:
    """Savings Plans for SageMaker should be used up, and followed by another in time.

    What a plan commits to is billed whether it is used or not. The last thirty days are looked at.
    """
    if not plan.is_sagemakers or plan.state != "active":
        return not_applicable("no active plan for SageMaker", savingsPlanType=plan.savings_plan_type)
    share = _utilisation(plan.region, plan)
    if share is not None and share < min_utilisation:
        return failed(f"{share:.1%} of it is used", UtilizationPercentage=round(100 * share, 1), end=plan.end)
    ends = _moment(plan.end)
    if ends is not None and ends <= plan.region.now + timedelta(days=expiry_days):
        queued = any(p.is_sagemakers and p.state == "queued" for p in plan.region.all(SavingsPlan))
        if not queued:
            return failed("it ends soon, and no successor is queued", end=plan.end, state=plan.state)
    if share is None:
        return not_applicable("Cost Explorer has nothing of it yet")
    return passed(UtilizationPercentage=round(100 * share, 1))


def _moment(text: str | None) -> datetime | None:
    found = datetime.fromisoformat(text) if text else None
    return found.replace(tzinfo=UTC) if found is not None and found.tzinfo is None else found


def _advice(amounts: tuple[str | None, ...]) -> list[Sample]:
    return [
        sample(
            SavingsPlanRecommendation,
            lookback,
            arn=lookback,
            savings_plans_purchase_recommendation_summary=None
            if amount is None
            else {"estimated_monthly_savings_amount": amount},
        )
        for lookback, amount in zip(LOOKBACKS, amounts, strict=True)
    ]


@rule(
    "COST-019",
    Severity.LOW,
    bad=[given(sample(Account), *_advice(("240.5", "180", "300")))],
    good=[
        given(sample(Account), *_advice(("240.5", "20", "300"))),
        given(sample(Account), *_advice(("0", "0", "0"))),
    ],
    exempt=[
        given(sample(Account), *_advice((None, None, None))),
        given(sample(Account), *_advice(("240.5", None, "300"))),
    ],
    remedy="Look at the recommendation, and buy what is steady.",
    command="aws ce get-savings-plans-purchase-recommendation --savings-plans-type SAGEMAKER_SP "
    "--term-in-years ONE_YEAR --payment-option NO_UPFRONT --lookback-period-in-days THIRTY_DAYS",
    change=Change.IN_PLACE,
    maps=[lens("MLCOST06-BP01")],
)
def unreviewed_plan_recommendation(account: Account, *, min_monthly_saving_usd: float = 100) -> Verdict:
    """AWS's recommendations of Savings Plans should be looked at.

    A saving that shows over 7, 30 and 60 days alike is no accident. One year without upfront payment
    is asked for. AWS answers the last recommendation that was made; none is started here.
    """
    amounts: dict[str, float] = {}
    commitments: dict[str, str | None] = {}
    for lookback in LOOKBACKS:
        found = account.region.find(SavingsPlanRecommendation, lookback)
        summary = found.savings_plans_purchase_recommendation_summary if found is not None else None
        if summary is not None and summary.estimated_monthly_savings_amount is not None:
            amounts[lookback] = float(summary.estimated_monthly_savings_amount)
            commitments[lookback] = summary.hourly_commitment_to_purchase
    if not amounts:
        return not_applicable("AWS has made no recommendation")
    least = min(amounts.values())
    if least >= min_monthly_saving_usd and len(amounts) < len(LOOKBACKS):
        return not_applicable(f"AWS has made it for {len(amounts)} of {len(LOOKBACKS)} look-backs", **amounts)
    if least >= min_monthly_saving_usd:
        return failed(
            f"a plan would save at least {least:,.0f} a month",
            EstimatedMonthlySavingsAmount=least,
            HourlyCommitmentToPurchase=commitments,
            lookbacks=amounts,
        )
    return passed(EstimatedMonthlySavingsAmount=least)
