"""Studio's people and apps, labeling, clusters and what else has an owner, good and bad."""

from auditor.demo.state import DemoState


def fill(state: DemoState) -> None:
    """Add them to the account."""
