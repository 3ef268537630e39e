"""Lambda's way in: the same code as `auditor run`, with settings from the function's variables and from the event.

    ValueError
    └── EventError          an event that cannot be meant
    RuntimeError
    └── RunFailed           a run that audited nothing; Lambda's metric Errors counts it

The event of a fan-out names the account: `{"role_arn": ..., "external_id": ..., "state": "s3://...", "feed": "s3://..."}`.
An empty event audits what the variables say.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from auditor.exits import Exit
from auditor.settings import suggestion

if TYPE_CHECKING:
    from auditor.console import Console

KEYS = ("role_arn", "external_id", "regions", "state", "feed")
MARGIN_SECONDS = 90
"""What is kept of Lambda's time for judging, writing and telling, after nothing more is read."""
SUCCEEDED = (Exit.CLEAN, Exit.FINDINGS, Exit.INCOMPLETE)
WRITABLE = "/tmp"  # noqa: S108 - the only directory that Lambda lets a function write to

Runner = Callable[[Path | str | None, Mapping[str, Any], "Console"], int]


class Context(Protocol):
    """What is used of Lambda's context."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function is stopped."""


class EventError(ValueError):
    """An event that cannot be meant: the text says which key and what it takes."""


class RunFailed(RuntimeError):
    """A run that audited nothing, or not to its end; the log says why."""


def handler(event: Any, context: Context, runner: Runner | None = None) -> dict[str, int]:
    """Audit once. `{"exit_code": n}` with 0, 1 or 3; every other end raises, so that Lambda counts an error."""
    from auditor.console import Console

    flags = flags_of(event) | {"time_limit_minutes": _minutes(context)}
    os.environ["HOME"] = WRITABLE
    code = (runner or _runner())(
        None, flags, Console(quiet=False, verbose=False, progress=False, color="never")
    )
    if code not in SUCCEEDED:
        raise RunFailed(f"auditor ended with exit code {code}; its log says why")
    return {"exit_code": code}


def flags_of(event: Any) -> dict[str, Any]:
    """The settings that an event gives. Raises `EventError`."""
    if event is None:
        return {}
    if not isinstance(event, dict):
        raise EventError(f"the event has to be an object, and is {type(event).__name__}")
    for key in event:
        if key not in KEYS:
            raise EventError(
                f"unknown key {key!r}{suggestion(str(key), KEYS)}: an event takes {', '.join(KEYS)}"
            )
    flags: dict[str, Any] = {}
    for key, value in event.items():
        if key == "regions":
            if not isinstance(value, list) or not all(
                isinstance(name, str) and name.strip() for name in value
            ):
                raise EventError("regions: takes a list of names of Regions")
        elif not isinstance(value, str) or not value.strip():
            raise EventError(f"{key}: takes a text that is not empty")
        flags[key] = value
    for key in ("state", "feed"):
        # A function's own disk is gone with it: findings there would be lost without anyone noticing.
        if key in flags and not flags[key].startswith("s3://"):
            raise EventError(f"{key}: takes s3://bucket/prefix")
    return flags


def _minutes(context: Context) -> int:
    """The whole minutes for which a run may read; Lambda's clock decides. Raises `EventError` where there is none."""
    minutes = (context.get_remaining_time_in_millis() // 1000 - MARGIN_SECONDS) // 60
    if minutes < 1:
        raise EventError(f"the function's timeout is too short: it has to be {MARGIN_SECONDS + 60} s or more")
    return minutes


def _runner() -> Runner:
    from auditor.run import run_scheduled

    return run_scheduled
