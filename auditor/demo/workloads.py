"""Processing, tuning and AutoML jobs, and what training jobs are told, good and bad."""

from auditor.demo.state import DemoState


def fill(state: DemoState) -> None:
    """Add them to the account."""
