"""Pipelines, schedules, delivery and the permissions behind them, good and bad."""

from auditor.demo.state import DemoState


def fill(state: DemoState) -> None:
    """Add them to the account."""
