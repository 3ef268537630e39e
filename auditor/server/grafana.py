"""A dashboard for Grafana over the feed, by its Infinity data source."""

import importlib.resources


def dashboard() -> str:
    """The dashboard as JSON, to be imported: it asks for the data source, whose base URL is this server's."""
    return importlib.resources.files("auditor.server").joinpath("grafana.json").read_text("utf-8")
