"""Exit codes."""

from enum import IntEnum


class Exit(IntEnum):
    """What a command's exit code says."""

    CLEAN = 0
    FINDINGS = 1
    USAGE = 2
    INCOMPLETE = 3
    NOT_STARTED = 4
    BROKEN = 70
    INTERRUPTED = 130
