"""Any-of questions: one sign is enough, so that what could not be read matters only where none was seen."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from collectors.model import Unread

T = TypeVar("T")


def first_sign(looks: Iterable[Callable[[], str]]) -> str:
    """What the first look that saw something says; nothing where none did.

    Raises `Unread` where none saw anything and one of them could not read what it looks at.
    """
    unread: Unread | None = None
    for look in looks:
        try:
            seen = look()
        except Unread as gap:
            unread = unread or gap
            continue
        if seen:
            return seen
    if unread is not None:
        raise unread
    return ""


def first_of(candidates: Iterable[T], says: Callable[[T], str]) -> str:
    """`first_sign` over resources, of each of which `says` tells what it shows.

    Raises `Unread` also where the listing of the candidates was not whole.
    """
    return first_sign(partial(says, candidate) for candidate in candidates)
