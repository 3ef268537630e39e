"""Text for a terminal: names from AWS are hostile, so control characters are shown, never sent."""

import json
import unicodedata
from typing import Any

_ANSI = {"critical": "1;31", "high": "31", "medium": "33", "low": "36", "info": "2", "bold": "1", "dim": "2"}


def safe(text: str) -> str:
    """Text with control, format and bidirectional characters made visible (`\\x1b`, `\\u202e`)."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character
        if unicodedata.category(character)[0] not in ("C", "Z") or character == " "
        else character.encode("unicode_escape").decode()
        for character in text
    )


def plain(value: Any) -> str:
    """A value of evidence on one line."""
    if isinstance(value, str):
        return safe(value)
    return safe(json.dumps(value, default=str, ensure_ascii=False))


def paint(text: str, style: str, *, color: bool) -> str:
    """Text in a named style, or as it is without colour."""
    return f"\x1b[{_ANSI[style]}m{text}\x1b[0m" if color and style in _ANSI else text
