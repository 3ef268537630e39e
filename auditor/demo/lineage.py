"""Experiments, lineage and what is recorded of each model, good and bad."""

from auditor.demo.state import DemoState


def fill(state: DemoState) -> None:
    """Add them to the account."""
