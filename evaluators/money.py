"""What a fix would save: amounts of what AWS bills, priced only where a price was read.

A price comes from the user's own file, or from AWS's price list as the snapshot keeps it. Without
one there is no figure: a saving is never guessed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from collectors.model import Snapshot, Unread
from collectors.pricing import VOLUMES, ListPrice, Price
from collectors.view import Region

Component = Literal[
    "hosting",
    "notebook",
    "studio",
    "training",
    "processing",
    "transform",
    "cluster",
    "serverless-hosting",
    "notebook-volume",
    "studio-volume",
    "hosting-volume",
    "logs-storage",
    "s3-storage",
    "mlflow",
]
"""What AWS bills for, by the name that its price list has for it where it has one."""

COMPONENTS: tuple[Component, ...] = get_args(Component)

HOURS = 730.0
"""Hours of a month, as AWS's own calculators count them."""


@dataclass(frozen=True, slots=True)
class Usage:
    """A month's use of one thing that AWS bills: `count` times so many hours, gigabytes or units.

    `units` are GB-seconds of provisioned concurrency. Only one of the three is given.
    """

    component: Component
    instance_type: str = ""
    hours: float = 0.0
    gigabytes: float = 0.0
    units: float = 0.0
    count: float = 1.0

    @property
    def quantity(self) -> float:
        """How much of it a month."""
        return self.count * (self.hours or self.gigabytes or self.units)

    @property
    def unit(self) -> str:
        """What a price of it is by: `hour`, `GB-month` or `unit`."""
        return "hour" if self.hours else "GB-month" if self.gigabytes else "unit"

    @property
    def text(self) -> str:
        """`2 × 730 hours of hosting ml.m5.xlarge`."""
        amount = self.hours or self.gigabytes or self.units
        amount = round(amount, 2 if amount >= 1 else 4)
        times = f"{self.count:g} × " if self.count != 1 else ""
        unit = {"hour": "hours", "GB-month": "GB", "unit": "GB-seconds"}[self.unit]
        return " ".join(
            filter(None, (f"{times}{amount:,.10g} {unit} of {self.component}", self.instance_type))
        )


@dataclass(frozen=True, slots=True)
class Rate:
    """A price of one unit, where it comes from and of which day (`YYYY-MM-DD`, may be unknown)."""

    amount: float
    currency: str
    source: str
    date: str


@dataclass(frozen=True, slots=True)
class Saving:
    """One usage that a fix ends, with its price; without one there is no amount."""

    usage: Usage
    rate: Rate | None

    @property
    def amount(self) -> float | None:
        """What it saves a month."""
        return None if self.rate is None else self.usage.quantity * self.rate.amount

    @property
    def text(self) -> str:
        """The arithmetic: `730 hours of hosting ml.m5.xlarge × USD 0.257 = USD 187.61`."""
        if self.rate is None:
            return f"{self.usage.text}: no price"
        rate = self.rate
        where = ", ".join(filter(None, (rate.source, rate.date)))
        total = f"{rate.currency} {self.usage.quantity * rate.amount:,.2f}"
        return f"{self.usage.text} × {rate.currency} {rate.amount:g} ({where}) = {total}"


def monthly(savings: Iterable[Saving]) -> dict[str, float]:
    """What the priced ones of some savings come to a month, by currency."""
    totals: dict[str, float] = {}
    for saving in savings:
        if saving.rate is not None and saving.amount is not None:
            totals[saving.rate.currency] = totals.get(saving.rate.currency, 0.0) + saving.amount
    return totals


Own = Mapping[tuple[str, str, str], Rate]
"""A user's prices by Region (or `*`), component and instance type (empty where there is none)."""


class PriceBook:
    """Prices of one run: the user's own before those that the snapshot keeps."""

    def __init__(self, snapshot: Snapshot, own: Own | None = None) -> None:
        self._snapshot = snapshot
        self._own = own or {}
        self._rates: dict[tuple[str, str, str], Mapping[str, ListPrice]] = {}

    def savings(self, usages: Iterable[Usage], account: str, region: str) -> tuple[Saving, ...]:
        """Usages with their prices in a Region."""
        return tuple(Saving(usage, self.rate(usage, account, region)) for usage in usages)

    def rate(self, usage: Usage, account: str, region: str) -> Rate | None:
        """The price of a usage, or `None`."""
        for place in (region, "*"):
            own = self._own.get((place, usage.component, usage.instance_type))
            if own is not None:
                return own
        name = VOLUMES.get(usage.component, usage.instance_type)
        listed = self._listed(account, region, name).get(usage.component)
        if listed is None:
            return None
        return Rate(listed.amount, listed.currency, "AWS price list", listed.published)

    def _listed(self, account: str, region: str, name: str) -> Mapping[str, ListPrice]:
        key = (account, region, name)
        if key not in self._rates:
            found = self._snapshot.find(Price.kind, account, region, name)
            try:
                rates = Price(found, Region(self._snapshot, account, region)).rates if found else {}
            except Unread:
                rates = {}
            self._rates[key] = rates
        return self._rates[key]
