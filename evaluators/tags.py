"""Tags by which owners say something about a resource, whatever their spelling."""

from collections.abc import Mapping

_NO = frozenset({"", "0", "false", "no", "off"})


def said(tags: Mapping[str, str], name: str) -> str:
    """What a tag says, in lower case; nothing where it is not there."""
    held = {key.lower(): value.strip().lower() for key, value in tags.items()}
    return held.get(name.lower(), "")


def is_set(tags: Mapping[str, str], name: str) -> bool:
    """Whether a tag says yes: it is there, in any case, and its value does not deny it."""
    return said(tags, name) not in _NO


_ALWAYS_ON = frozenset({"24x7", "24/7", "alwayson", "always-on", "always_on", "keeprunning", "keep-running"})


def always_on(tags: Mapping[str, str]) -> bool:
    """Whether a tag says that it has to run around the clock; one without a value does."""
    return any(
        key.strip().lower() in _ALWAYS_ON and value.strip().lower() not in ("false", "no", "0")
        for key, value in tags.items()
    )
