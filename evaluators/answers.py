"""Attestations: what leaves no trace in any API is asked, and a person answers in the settings.

Without an answer, or with one that is too old, the verdict is *unknown*: nobody may pass by silence.
"""

from dataclasses import dataclass
from datetime import date

from collectors.model import Gap, Reason, Unread
from collectors.view import Region


@dataclass(frozen=True, slots=True)
class Answer:
    """A person's answer: yes, no, or a text; a text that starts with `n/a` says why it does not apply."""

    answer: bool | str
    owner: str
    date: date

    @property
    def text(self) -> str:
        """What was said beyond yes or no."""
        return "" if isinstance(self.answer, bool) else self.answer.strip()

    @property
    def denies(self) -> bool:
        """Whether it says no."""
        return self.answer is False or self.text.lower() in ("no", "false")

    @property
    def exempts(self) -> bool:
        """Whether it says that the question does not apply."""
        return self.text.lower().startswith("n/a")


def answer_to(region: Region, code: str, max_age_days: int) -> Answer:
    """The answer to a rule's question. Raises `Unread` where there is none that still counts."""
    found: Answer | None = region.context.get("answers", {}).get(code)
    if found is None:
        raise unanswered(region, code, "answer it in the settings: auditor questions")
    age = (region.now.date() - found.date).days
    if age > max_age_days:
        raise unanswered(
            region, code, f"{found.owner}'s answer of {found.date} is older than {max_age_days} days"
        )
    return found


def unanswered(region: Region, code: str, message: str) -> Unread:
    return Unread(Gap(f"question {code}", Reason.UNANSWERED, "", message, region.account))


def said(code: str, answer: bool | str, on: str = "2026-10-01") -> dict[str, Answer]:
    """One answer as a rule's examples give it."""
    return {code: Answer(answer, "ml-platform@example.com", date.fromisoformat(on))}
