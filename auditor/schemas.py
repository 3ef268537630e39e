"""The JSON Schemas of what auditor writes, by name."""

import json
from collections.abc import Callable
from typing import Any

from auditor.console import UsageError
from auditor.delivery import lake
from auditor.outputs import changes, json_v1, rows
from auditor.settings import suggestion

SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    "findings": json_v1.schema,
    "rows": rows.schema,
    "run": lambda: lake.schema("run"),
    "latest": lambda: lake.schema("latest"),
    "diff": changes.schema,
}


def schema_text(shape: str) -> str:
    """A schema as indented JSON. Raises `UsageError`."""
    if shape not in SCHEMAS:
        raise UsageError(f"there is no schema of {shape!r}{suggestion(shape, SCHEMAS)}")
    return json.dumps(SCHEMAS[shape](), indent=2)
