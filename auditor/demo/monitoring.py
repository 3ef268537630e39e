"""Model Monitor, feature groups and experiments on live traffic, good and bad."""

from auditor.demo.state import DemoState


def fill(state: DemoState) -> None:
    """Add them to the account."""
