"""Networks, logs, images and the services that watch the account, good and bad."""

from auditor.demo.state import DemoState


def fill(state: DemoState) -> None:
    """Add them to the account."""
