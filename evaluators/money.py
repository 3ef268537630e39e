"""What a fix would save: amounts of what AWS bills, priced only where a price was read."""

from dataclasses import dataclass
from typing import Literal, get_args

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
