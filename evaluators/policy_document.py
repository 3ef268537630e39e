"""IAM policy documents as typed values, and the parts of them that can be judged one by one.

Parsing, wildcard patterns and conditions. What several policies allow together is in `policy.py`.

Truth here has three values: `True`, `False` and `None` for "cannot be decided from what is known". They
combine as in Kleene's logic, so that learning more never turns a decided answer into another.

Facts are from AWS's IAM User Guide: the grammar of the JSON policy language, "Condition operators",
"Variables and tags", "Multivalued context keys".
"""

import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, TypeAlias
from urllib.parse import unquote

Ternary: TypeAlias = bool | None


class PolicyError(ValueError):
    """A document is not an IAM policy; its text says where. Nobody knows what such a document allows."""


class Effect(StrEnum):
    """What a statement does with the requests that it matches. AWS compares the word case-sensitively."""

    ALLOW = "Allow"
    DENY = "Deny"


class Absence(Enum):
    """The type of `ABSENT`."""

    ABSENT = "absent"


ABSENT: Final = Absence.ABSENT
"""The value of a context key that the request is known to lack. A key that is left out is unknown instead."""

Scalar: TypeAlias = str | bool | int | float | datetime
Context: TypeAlias = Mapping[str, Scalar | Sequence[Scalar] | Absence]
"""What is known of a request: condition keys (in any case) and their values."""

UNKNOWN_CONTEXT: Final[Context] = MappingProxyType({})
"""A request of which no condition key is known."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One test of a Condition block: operator, condition key, and the values as text (True is "true")."""

    operator: str
    key: str
    values: tuple[str, ...]

    def tests(self, key: str) -> bool:
        """Whether it tests this condition key; keys are the same in any case."""
        return self.key.lower() == key.lower()


@dataclass(frozen=True, slots=True)
class Principals:
    """Whom a statement of a resource or trust policy is about. Principal "*" is kept as AWS principal "*"."""

    aws: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    federated: tuple[str, ...] = ()
    canonical_users: tuple[str, ...] = ()

    @property
    def everyone(self) -> bool:
        """Whether it names everyone, people without an AWS account included."""
        return "*" in self.aws

    @property
    def accounts(self) -> frozenset[str]:
        """The ids of the accounts that it names, or whose users, roles or identity providers it names."""
        return frozenset(filter(None, map(account_of, (*self.aws, *self.federated))))

    @property
    def root_accounts(self) -> frozenset[str]:
        """The ids of the accounts that it names as a whole, by their id or their root user's ARN."""
        return frozenset(
            account_of(name) for name in self.aws if re.fullmatch(r"\d{12}", name) or name.endswith(":root")
        )


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. An element that it lacks is an empty tuple or None; no element is ever an empty list.

    Trust policies have neither `resources` nor `not_resources`: they are about the role that they belong to.
    `variables` tells whether `${aws:username}` is a variable, or those very characters: the former only in
    policies of version 2012-10-17.
    """

    effect: Effect
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    not_resources: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    principals: Principals | None = None
    not_principals: Principals | None = None
    variables: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy document. AWS takes one without a version for 2008-10-17."""

    statements: tuple[Statement, ...]
    version: str = "2008-10-17"


def account_of(principal: str) -> str:
    """The account id in a principal's ARN or bare id, or "" where it has none."""
    if re.fullmatch(r"\d{12}", principal):
        return principal
    parts = principal.split(":", 5)
    return parts[4] if len(parts) == 6 and re.fullmatch(r"\d{12}", parts[4]) else ""


# --- parsing


def parse(document: object) -> Policy:
    """The policy in a document: a mapping as botocore decodes it, JSON text, or URL-encoded JSON text.

    Element names count in any case. Sid and Id are ignored. Raises `PolicyError` for everything that is no
    policy, an element of another name included: it may change what the statement means.
    """
    members = _members(_decoded(document), "the policy", {"version", "id", "statement"})
    if "statement" not in members:
        raise PolicyError("the policy has no Statement")
    version = members.get("version", "2008-10-17")
    if not isinstance(version, str):
        raise PolicyError("Version is not text")
    found = members["statement"]
    statements = found if isinstance(found, list | tuple) else [found]
    return Policy(tuple(_statement(each, version == "2012-10-17") for each in statements), version)


def _decoded(document: object) -> object:
    if not isinstance(document, str):
        return document
    text = document.strip()
    try:
        return json.loads(text if text.startswith("{") else unquote(text))
    except (ValueError, RecursionError) as error:
        raise PolicyError(f"the policy is not JSON: {error}") from error


_ELEMENTS = {"action", "resource", "principal"}
_STATEMENT_MEMBERS = {"sid", "effect", "condition", *_ELEMENTS, *(f"not{name}" for name in _ELEMENTS)}


def _statement(document: object, variables: bool) -> Statement:
    members = _members(document, "a statement", _STATEMENT_MEMBERS)
    for name in _ELEMENTS:
        if name in members and f"not{name}" in members:
            raise PolicyError(f"a statement has both {name.title()} and Not{name.title()}")
    if "action" not in members and "notaction" not in members:
        raise PolicyError("a statement has neither Action nor NotAction")
    try:
        effect = Effect(str(members.get("effect")))
    except ValueError as error:
        raise PolicyError(f"Effect is {members.get('effect')!r}, neither Allow nor Deny") from error
    return Statement(
        effect=effect,
        actions=_names(members, "action"),
        not_actions=_names(members, "notaction"),
        resources=_names(members, "resource"),
        not_resources=_names(members, "notresource"),
        conditions=tuple(_conditions(members.get("condition", {}))),
        principals=_principals(members, "principal"),
        not_principals=_principals(members, "notprincipal"),
        variables=variables,
    )


def _members(document: object, what: str, known: set[str]) -> dict[str, Any]:
    if not isinstance(document, Mapping):
        raise PolicyError(f"{what} is no JSON object")
    members = {str(name).lower(): value for name, value in document.items()}
    if unknown := sorted(members.keys() - known):
        raise PolicyError(f"{what} has an element that is not known: {', '.join(unknown)}")
    if len(members) != len(document):
        raise PolicyError(f"{what} has an element twice")
    return members


def _names(members: Mapping[str, Any], element: str) -> tuple[str, ...]:
    if element not in members:
        return ()
    value = members[element]
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not names or not all(isinstance(name, str) for name in names):
        raise PolicyError(f"{element} is neither text nor a list of texts")
    return tuple(names)


def _principals(members: Mapping[str, Any], element: str) -> Principals | None:
    if element not in members:
        return None
    value = members[element]
    if value == "*":
        return Principals(aws=("*",))
    named = _members(value, element, {"aws", "service", "federated", "canonicaluser"})
    return Principals(
        aws=_names(named, "aws"),
        services=_names(named, "service"),
        federated=_names(named, "federated"),
        canonical_users=_names(named, "canonicaluser"),
    )


def _conditions(block: object) -> Iterator[Condition]:
    if not isinstance(block, Mapping):
        raise PolicyError("Condition is no JSON object")
    for operator, tests in block.items():
        if not isinstance(tests, Mapping):
            raise PolicyError(f"Condition {operator} is no JSON object")
        for key, value in tests.items():
            values = value if isinstance(value, list | tuple) else [value]
            if not all(isinstance(each, str | bool | int | float) for each in values):
                raise PolicyError(f"Condition {operator} of {key} has a value that is no scalar")
            yield Condition(str(operator), str(key), tuple(map(_text, values)))


def _text(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else str(value)


# --- three-valued logic


def all_of(truths: Iterable[Ternary]) -> Ternary:
    """False if one is, else None if one is undecided, else True."""
    truths = list(truths)
    return False if False in truths else None if None in truths else True


def any_of(truths: Iterable[Ternary]) -> Ternary:
    """True if one is, else None if one is undecided, else False."""
    truths = list(truths)
    return True if True in truths else None if None in truths else False


def negated(truth: Ternary) -> Ternary:
    """The opposite; undecided stays undecided."""
    return None if truth is None else not truth


# --- wildcard patterns: `*` is any text, also none; `?` is one character; case counts

_QUOTED = str.maketrans({"*": "\ue000", "?": "\ue001"})
_UNQUOTED = str.maketrans({"\ue000": "*", "\ue001": "?"})


def literal(text: str) -> str:
    """The pattern that matches this text only, its asterisks and question marks included."""
    return text.translate(_QUOTED)


@lru_cache(maxsize=16_384)
def covers(pattern: str, other: str) -> bool:
    """Whether `pattern` matches every text that `other` matches.

    True is always right. False may be wrong in rare cases where both say the same in different ways, such as
    `?*a` and `*ba`; runs of wildcards (`*?` and `?*`) are compared by meaning. Where `other` has no
    wildcard this is plain matching, and exact.
    """
    wider, narrower = _in_order(pattern), _in_order(other)
    at = position = 0
    star = resume = -1
    while position < len(narrower):
        symbol = narrower[position]
        if at < len(wider) and wider[at] == "*":
            star, resume = at, position
            at += 1
        elif at < len(wider) and symbol != "*" and wider[at] in ("?", symbol):
            at, position = at + 1, position + 1
        elif star >= 0:
            resume += 1
            at, position = star + 1, resume
        else:
            return False
    return all(symbol == "*" for symbol in wider[at:])


@lru_cache(maxsize=16_384)
def overlaps(pattern: str, other: str) -> bool:
    """Whether there is a text that both patterns match. Exact."""
    # reached[j]: the first i symbols of `pattern` and the first j of `other` can match the same text.
    reached = [True] + [False] * len(other)
    for i in range(len(pattern) + 1):
        following = [False] * (len(other) + 1)
        for j in range(len(other) + 1):
            if not reached[j]:
                continue
            left, right = pattern[i : i + 1], other[j : j + 1]
            if right and (left == "*" or right == "*"):
                reached[j + 1] = True
            if left and (left == "*" or right == "*"):
                following[j] = True
            if left and right and (left == right or "?" in (left, right)) and "*" not in (left, right):
                following[j + 1] = True
        if i < len(pattern):
            reached = following
    return reached[-1]


def _in_order(pattern: str) -> str:
    return re.sub(r"[*?]{2,}", lambda run: "?" * run[0].count("?") + "*" * ("*" in run[0]), pattern)


# --- policy variables

_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def resolved(text: str, context: Context, variables: bool) -> str | None:
    """`text` as a pattern with its policy variables replaced; None where the context does not give one.

    A variable whose key is absent takes the default that it names (`${aws:username, 'nobody'}`). Without one
    AWS may ignore the statement; that stays undecided. Wildcards in a variable's value are plain characters.
    """
    if not variables:
        return text
    parts = _VARIABLE.split(text)
    for position in range(1, len(parts), 2):
        replacement = _variable(parts[position], context)
        if replacement is None:
            return None
        parts[position] = replacement
    return "".join(parts)


def loosened(text: str, variables: bool) -> str:
    """`text` as the pattern that it is if its policy variables may have any value."""
    return _VARIABLE.sub("*", text) if variables else text


def _variable(content: str, context: Context) -> str | None:
    if content in ("*", "?", "$"):
        return literal(content)
    key, comma, default = content.partition(",")
    values = _request_values(context, key.strip())
    if values is None or len(values) > 1:
        return None
    if not values:
        return literal(default.strip().strip("'")) if comma else None
    return literal(_text(values[0]))


def _request_values(context: Context, key: str) -> Sequence[Scalar] | None:
    """The values of a key in the request: none where it is absent, None where nobody knows."""
    value = next((value for name, value in context.items() if name.lower() == key.lower()), None)
    if value is None:
        return None
    if value is ABSENT:
        return ()
    return (value,) if isinstance(value, str | bool | int | float | datetime) else value


# --- conditions

Comparison: TypeAlias = Callable[[str, Scalar], Ternary]
"""Whether a value of the policy (a pattern, variables replaced) matches a value of the request."""


def conditions_hold(statement: Statement, context: Context) -> Ternary:
    """Whether all conditions of the statement are met by the request."""
    return all_of(holds(condition, context, statement.variables) for condition in statement.conditions)


def requires(statement: Statement, key: str) -> bool:
    """Whether the statement matches only requests that carry this condition key.

    So `StringEquals` on `sts:ExternalId` requires it; `StringEqualsIfExists` and `StringNotEquals` do not.
    Which values are accepted is another question: `StringLike` "*" requires it too.
    """
    return conditions_hold(statement, {key: ABSENT}) is False


def holds(condition: Condition, context: Context, variables: bool = True) -> Ternary:
    """Whether the request meets one condition; None where the key is unknown or the operator not known.

    Several values are alternatives; a negated operator wants none of them. A key that is absent fails a plain
    operator and meets a negated one, an `...IfExists` and a `ForAllValues:`; `ForAnyValue:` fails without a
    value whatever follows. Several values in the request need one of these two prefixes.
    """
    quantifier, name, if_exists = _operator(condition.operator)
    present = _request_values(context, condition.key)
    if present is None:
        return None
    if name == "null":
        return ("false" if present else "true") in map(str.lower, condition.values)
    comparison, is_negated = _COMPARISONS.get(name, (None, False))
    if comparison is None:
        return None
    if not present:
        return quantifier != "foranyvalue" and (is_negated or if_exists or quantifier == "forallvalues")
    each = [_matches(comparison, condition.values, value, context, variables) for value in present]
    if is_negated:
        each = [negated(truth) for truth in each]
    match quantifier:
        case "forallvalues":
            return all_of(each)
        case "foranyvalue":
            return any_of(each)
        case "" if len(each) == 1:
            return each[0]
        case _:
            return None


def _operator(operator: str) -> tuple[str, str, bool]:
    quantifier, colon, name = operator.lower().rpartition(":")
    return quantifier if colon else "", name.removesuffix("ifexists"), name.endswith("ifexists")


def _matches(
    comparison: Comparison, patterns: Iterable[str], value: Scalar, context: Context, variables: bool
) -> Ternary:
    usable = variables and comparison in (_same, _same_in_any_case, _like, _arn_like)
    known = [resolved(pattern, context, usable) for pattern in patterns]
    return any_of(None if pattern is None else comparison(pattern, value) for pattern in known)


def _same(pattern: str, value: Scalar) -> Ternary:
    return pattern.translate(_UNQUOTED) == _text(value)


def _same_in_any_case(pattern: str, value: Scalar) -> Ternary:
    return pattern.translate(_UNQUOTED).lower() == _text(value).lower()


def _like(pattern: str, value: Scalar) -> Ternary:
    return covers(pattern, literal(_text(value)))


def _arn_like(pattern: str, value: Scalar) -> Ternary:
    """Part by part: a wildcard does not reach over a colon, save in the last part."""
    wanted, found = pattern.split(":", 5), literal(_text(value)).split(":", 5)
    if pattern == "*":
        return True
    if len(wanted) != 6 or len(found) != 6:
        return None
    return all(covers(*pair) for pair in zip(wanted, found, strict=True))


def _in_network(pattern: str, value: Scalar) -> Ternary:
    try:
        network = ipaddress.ip_network(pattern, strict=False)
        address = ipaddress.ip_network(_text(value), strict=False)
    except ValueError:
        return None
    if isinstance(network, ipaddress.IPv4Network) and isinstance(address, ipaddress.IPv4Network):
        return address.subnet_of(network)
    if isinstance(network, ipaddress.IPv6Network) and isinstance(address, ipaddress.IPv6Network):
        return address.subnet_of(network)
    return False


def _number(value: Scalar) -> float:
    return float(_text(value))


def _moment(value: Scalar) -> datetime:
    """A time as ISO 8601 or as seconds since 1970; a time without a zone is UTC."""
    if isinstance(value, datetime):
        moment = value
    elif re.fullmatch(r"\d{5,}", _text(value)):
        moment = datetime.fromtimestamp(int(_text(value)), UTC)
    else:
        moment = datetime.fromisoformat(_text(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _ordered(measure: Callable[[Scalar], Any], *accepted: int) -> Comparison:
    """Compares by a measure: accepted are -1 (the request has less than the policy), 0 and 1."""

    def comparison(pattern: str, value: Scalar) -> Ternary:
        try:
            limit, found = measure(pattern), measure(value)
        except (ValueError, OverflowError, OSError):
            return None
        return ((found > limit) - (found < limit)) in accepted

    return comparison


def _comparisons() -> Iterator[tuple[str, tuple[Comparison, bool]]]:
    for name, comparison in (
        ("String{}Equals", _same),
        ("String{}EqualsIgnoreCase", _same_in_any_case),
        ("String{}Like", _like),
        ("Arn{}Equals", _arn_like),
        ("Arn{}Like", _arn_like),
        ("{}IpAddress", _in_network),
        ("Numeric{}Equals", _ordered(_number, 0)),
        ("Date{}Equals", _ordered(_moment, 0)),
    ):
        yield name.format("").lower(), (comparison, False)
        yield name.format("Not").lower(), (comparison, True)
    for kind, measure in (("numeric", _number), ("date", _moment)):
        yield f"{kind}lessthan", (_ordered(measure, -1), False)
        yield f"{kind}lessthanequals", (_ordered(measure, -1, 0), False)
        yield f"{kind}greaterthan", (_ordered(measure, 1), False)
        yield f"{kind}greaterthanequals", (_ordered(measure, 0, 1), False)
    yield "bool", (_same_in_any_case, False)
    yield "binaryequals", (_same, False)


_COMPARISONS: Final[Mapping[str, tuple[Comparison, bool]]] = dict(_comparisons())
