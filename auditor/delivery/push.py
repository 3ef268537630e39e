"""Findings into Security Hub: in batches, at a pace of our own, and saying nothing of what the run did not judge.

A finding of Security Hub is archived as passed only where this run resolved it: never because it is absent.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from auditor.feed_v1 import Feed
from auditor.outputs.asff import asff_findings, batches
from collectors.model import CollectorError

RATE = 5.0
"""Calls a second in a Region: half of the ten that AWS grants an account."""
PAUSES = (1.0, 4.0, 15.0)

Call = Callable[[str, str, str, dict[str, Any]], dict[str, Any]]
"""`call(service, region, operation, parameters)`. Raises `CollectorError`."""


@dataclass(slots=True)
class Pushed:
    """What Security Hub took; `refused` are its error codes, `errors` what kept whole batches from it."""

    taken: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    lost: int = 0
    again: bool = False
    """Whether what was lost may arrive another time."""

    @property
    def whole(self) -> bool:
        """Whether every finding was taken."""
        return not self.lost and not self.refused

    @property
    def text(self) -> str:
        """One line."""
        said = [f"Security Hub took {self.taken} findings"]
        if self.refused:
            codes = ", ".join(f"{number} {code}" for code, number in sorted(self.refused.items()))
            said.append(f"it refused {self.refused.total()} ({codes})")
        if self.lost:
            said.append(f"{self.lost} did not arrive: {'; '.join(dict.fromkeys(self.errors))}")
        return "; ".join(said)


def push_securityhub(
    feed: Feed, account: str, call: Call, pause: Callable[[float], None] = time.sleep
) -> Pushed:
    """Send a run's findings and what it resolved. What does not arrive is counted; nothing is raised for it.

    `account` is whose credentials these are: Security Hub takes an account's findings from that account alone.
    """
    pushed = Pushed()
    for batch in batches(asff_findings(feed)):
        owner = batch[0]["AwsAccountId"]
        if owner != account:
            pushed.lost += len(batch)
            pushed.errors.append(
                f"these credentials are of account {account}, and only {owner} may import its findings"
            )
            continue
        answer, error = _send(batch, call, pause)
        if answer is None:
            pushed.lost += len(batch)
            pushed.errors.append(error)
            pushed.again = True
            continue
        failed = answer.get("FailedFindings", [])
        pushed.taken += len(batch) - len(failed)
        pushed.refused.update(str(each.get("ErrorCode", "unknown")) for each in failed)
        pause(1 / RATE)
    return pushed


def _send(
    batch: list[dict[str, Any]], call: Call, pause: Callable[[float], None]
) -> tuple[dict[str, Any] | None, str]:
    """One batch, again after a pause where it does not arrive."""
    error = ""
    for wait in (0.0, *PAUSES):
        if wait:
            pause(wait)
        try:
            return call("securityhub", batch[0]["Region"], "BatchImportFindings", {"Findings": batch}), ""
        except CollectorError as failure:
            error = str(failure)
            if getattr(failure, "code", "") in ("InvalidAccessException", "AccessDeniedException"):
                # Not switched on here, or not allowed: asking again changes nothing.
                break
    return None, error
