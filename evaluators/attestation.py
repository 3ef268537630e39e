"""The verdict of a person's answer, for rules about what no API tells."""

from typing import Any

from collectors.view import Region
from evaluators.answers import answer_to, unanswered
from evaluators.rule import Verdict, failed, not_applicable, passed


def attested(region: Region, code: str, max_age_days: int, *, record: str = "", **evidence: Any) -> Verdict:
    """The verdict of a person's answer. `record` is what a bare yes lacks, where the answer has to say it."""
    found = answer_to(region, code, max_age_days)
    said = {"answer": found.answer, "owner": found.owner, "date": found.date.isoformat(), **evidence}
    if found.exempts:
        return not_applicable(f"{found.owner} says: {found.text}", **said)
    if found.denies:
        return failed(f"{found.owner} says no ({found.date})", **said)
    if record and not found.text.removeprefix("yes"):
        raise unanswered(region, code, f"a bare yes is not enough: the answer has to name {record}")
    return passed(f"{found.owner} says so ({found.date})", **said)
