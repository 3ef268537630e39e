"""What a request may ask: its parameters, the words that they take, and cursors.

A parameter that is not known is refused with the nearest one that is: a filter with a slip of the pen would otherwise
show everything, or nothing.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from auditor.feed_v1 import SEVERITIES
from auditor.ledger.current import SORTS
from auditor.settings import suggestion
from evaluators.rule import Pillar

LIMIT, MOST = 100, 1000
"""Entries of a page: where nothing is said, and at most."""

VALUES = 500
"""How many values one parameter takes."""

ANY = "*"
"""A value that stands for all of them."""

WORDS = 8
"""How many words a text search takes."""


class AskedWrongly(ValueError):
    """A request that cannot be answered: an HTTP status, what is wrong, and with which parameter."""

    def __init__(self, detail: str, parameter: str | None = None, status: int = 400) -> None:
        super().__init__(detail)
        self.detail, self.parameter, self.status = detail, parameter, status


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. `words` are what it takes, if these are few; `many` takes several, repeated or by commas."""

    name: str
    about: str
    words: tuple[str, ...] = ()
    many: bool = False
    commas: bool = True
    longest: int = 2048


PILLARS = tuple(pillar.value for pillar in Pillar)
STATES = ("new", "open", "reopened", "unconfirmed", "accepted", "resolved")
ENVIRONMENTS = ("production", "staging", "development", "sandbox", "unplaced")

RUN = Parameter("run", "A past run: its name, its number, its day, `latest` or `previous`.", longest=100)
ACCOUNT_OF_RUN = Parameter("account", "12-digit account id: the latest run about it.", longest=12)
LIMITED = Parameter("limit", f"Entries of a page: {LIMIT} unless told, {MOST} at most.", longest=9)
CURSOR = Parameter(
    "cursor", "`next` of the page before. 410 where the ledger has moved on since: begin again."
)

FILTERS = (
    Parameter("account", "12-digit account ids.", many=True, longest=12),
    Parameter("region", "Regions, or `global`.", many=True, longest=64),
    Parameter("pillar", "Pillars.", PILLARS, many=True),
    Parameter("severity", "Severities, exactly these.", SEVERITIES, many=True),
    Parameter("min_severity", "This severity and worse ones.", SEVERITIES),
    Parameter("rule", "Rule codes.", many=True, longest=32),
    Parameter("environment", "Environments.", ENVIRONMENTS, many=True),
    Parameter("kind", "Kinds of resources, such as `notebook-instance`.", many=True, longest=64),
    Parameter(
        "state", "States; `resolved` findings are told only where this asks for them.", STATES, many=True
    ),
    Parameter("verdict", "Failures, unknowns, or both.", ("fail", "unknown"), many=True),
    Parameter(
        "resource",
        "A whole ARN or name; repeat it for several (commas are part of it).",
        many=True,
        commas=False,
    ),
    Parameter("q", "Words that name, ARN, why or title hold, all of them, in any case.", longest=200),
    RUN,
)
FACET_FILTERS = ("account", "region", "pillar", "severity", "rule", "environment", "kind", "state", "verdict")
SORT = Parameter("sort", "`score` is the feed's order; `first_seen` has the latest first.", SORTS)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request's parameters, checked: values by parameter, without those that are empty. `about` is its address."""

    values: Mapping[str, tuple[str, ...]]
    about: str = ""

    def one(self, name: str) -> str:
        """The value of a parameter that has one, or nothing."""
        return self.values.get(name, ("",))[0]

    @property
    def limit(self) -> int:
        """Entries of a page."""
        return int(self.one("limit") or LIMIT)

    @property
    def sort(self) -> str:
        """The order of findings."""
        return self.one("sort") or SORTS[0]

    @property
    def words(self) -> tuple[str, ...]:
        """What a text search looks for."""
        return tuple(self.one("q").split())

    def facets(self) -> dict[str, tuple[str, ...]]:
        """The filters by column; `min_severity` and `severity` both hold where both are given."""
        wanted = {name: self.values[name] for name in FACET_FILTERS if name in self.values}
        least = self.one("min_severity")
        if least:
            worse = SEVERITIES[: SEVERITIES.index(least) + 1]
            wanted["severity"] = tuple(each for each in worse if each in wanted.get("severity", SEVERITIES))
        return wanted

    def key(self, *, but: tuple[str, ...] = ()) -> bytes:
        """The same for the same question, however it was put."""
        parts = sorted((name, sorted(values)) for name, values in self.values.items() if name not in but)
        return msgspec.json.encode((self.about, parts))

    def filters(self) -> bytes:
        """The same for the same findings in the same order, at whatever address."""
        return Asked(self.values).key(but=("cursor", "limit", "run"))


def ask(
    parameters: Sequence[Parameter], given: Iterable[tuple[str, str]], *, about: str = "", most: int = MOST
) -> Asked:
    """Check a request's parameters. Raises `AskedWrongly`. `most` is the highest limit.

    A parameter without a value, or with `*` among its values, is as good as none: a dashboard's "all".
    """
    known = {parameter.name: parameter for parameter in parameters}
    found: dict[str, list[str]] = {}
    for name, text in given:
        parameter = known.get(name)
        if parameter is None:
            hint = suggestion(name[:64], known) if known else "; there are none"
            raise AskedWrongly(f"no parameter is called {name[:64]!r}{hint}", name[:64])
        values = text.split(",") if parameter.many and parameter.commas else [text]
        found.setdefault(name, []).extend(filter(None, (value.strip() for value in values)))
    checked = {
        name: _checked(known[name], values) for name, values in found.items() if values and ANY not in values
    }
    _check_limit(checked, most)
    if len(checked.get("q", ("",))[0].split()) > WORDS:
        raise AskedWrongly(f"q takes {WORDS} words at most", "q")
    return Asked(checked, about)


def _checked(parameter: Parameter, values: list[str]) -> tuple[str, ...]:
    name = parameter.name
    if len(values) > (VALUES if parameter.many else 1):
        most = f"{VALUES} values at most" if parameter.many else "one value"
        raise AskedWrongly(f"{name} takes {most}", name)
    for value in values:
        if len(value) > parameter.longest:
            raise AskedWrongly(f"{name} takes {parameter.longest} characters at most", name)
        if parameter.words and value not in parameter.words:
            hint = suggestion(value, parameter.words)
            raise AskedWrongly(f"{name}: {value[:64]!r} is none of its words{hint}", name)
    return tuple(dict.fromkeys(values))


def _check_limit(checked: Mapping[str, tuple[str, ...]], most: int) -> None:
    text = checked.get("limit", ("1",))[0]
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= most):
        raise AskedWrongly(f"limit takes a number from 1 to {most}", "limit")


class _Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    generation: str
    question: str
    place: int


def cursor_to(place: int, generation: str, asked: Asked) -> str:
    """Where a list goes on: good for this state of the ledger and this question."""
    cursor = _Cursor(generation, _question(asked), place)
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).rstrip(b"=").decode()


def place_in(asked: Asked, generation: str) -> int:
    """Where a list begins: 0, or what the cursor says. Raises `AskedWrongly`."""
    text = asked.one("cursor")
    if not text:
        return 0
    try:
        held = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        cursor = msgspec.json.decode(held, type=_Cursor)
    except (binascii.Error, ValueError) as error:
        raise AskedWrongly("cursor is not one that this server gave", "cursor") from error
    if cursor.question != _question(asked):
        raise AskedWrongly("cursor belongs to another question: begin without it", "cursor")
    if cursor.generation != generation:
        raise AskedWrongly("the ledger has moved on since this cursor: begin without it", "cursor", 410)
    if cursor.place < 0:
        raise AskedWrongly("cursor is not one that this server gave", "cursor")
    return cursor.place


def _question(asked: Asked) -> str:
    # A page may have another length than the one before.
    return digest(asked.key(but=("cursor", "limit")))


def digest(*parts: bytes) -> str:
    """A short name for some bytes."""
    return hashlib.blake2b(b"\0".join(parts), digest_size=12).hexdigest()
