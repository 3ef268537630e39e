"""Savings Plans, budgets and how training money is spent, good and bad."""

from auditor.demo.state import DemoState


def fill(state: DemoState) -> None:
    """Add them to the account."""
