"""What has to hold for all policies: denials narrow, allowances widen, order and spelling do not matter."""

import json
import re
from typing import Any
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators import policy as iam
from evaluators.policy import ABSENT, Access, Effect, Policy

Document = dict[str, Any]
WIDTH = {Access.DENIED: 0, Access.CONDITIONAL: 1, Access.ALLOWED: 2}

ACTIONS = ["s3:GetObject", "S3:get*", "s3:*", "s3:PutObject", "s3:L*", "kms:*", "kms:Decrypt", "*"]
RESOURCES = [
    "*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::a/*",
    "arn:aws:s3:::a/x",
    "arn:aws:s3:::?",
    "arn:aws:s3:::${aws:username}/*",
    "arn:aws:kms:*:*:key/*",
]
ASKED_ACTIONS = ["s3:GetObject", "s3:ListBucket", "s3:ListAllMyBuckets", "kms:Decrypt", "s3:Unheard"]
ASKED_RESOURCES = ["*", "arn:aws:s3:::a/x", "arn:aws:s3:::a/*", "arn:aws:s3:::b", "arn:aws:kms:r:1:key/k"]
KEYS: dict[str, list[Any]] = {
    "aws:SecureTransport": [True, False],
    "aws:username": ["a", "b", ABSENT],
    "aws:TagKeys": [["a"], ["a", "b"], [], ABSENT],
    "s3:max-keys": [1, 10, ABSENT],
}
TESTS = [
    ("Bool", "aws:SecureTransport", "true"),
    ("BoolIfExists", "AWS:securetransport", False),
    ("StringEquals", "aws:username", ["a", "c"]),
    ("StringNotLike", "aws:username", "a*"),
    ("StringEquals", "aws:username", "${aws:username}"),
    ("Null", "aws:username", "true"),
    ("ForAllValues:StringEquals", "aws:TagKeys", ["a"]),
    ("ForAnyValue:StringNotEquals", "aws:TagKeys", ["a"]),
    ("StringEquals", "aws:TagKeys", "a"),
    ("NumericLessThan", "s3:max-keys", 5),
    ("StringResembles", "aws:username", "a"),
]


def some(values: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3)


@st.composite
def statements(draw: st.DrawFn, effect: str | None = None) -> Document:
    document: Document = {"Effect": effect or draw(st.sampled_from(["Allow", "Allow", "Deny"]))}
    document[draw(st.sampled_from(["Action", "Action", "NotAction"]))] = draw(some(ACTIONS))
    document[draw(st.sampled_from(["Resource", "Resource", "NotResource"]))] = draw(some(RESOURCES))
    block: Document = {}
    for operator, key, values in draw(st.lists(st.sampled_from(TESTS), max_size=2)):
        block.setdefault(operator, {})[key] = values
    return document | ({"Condition": block} if block else {})


def parsed(documents: list[Document]) -> Policy:
    return iam.parse({"Version": "2012-10-17", "Statement": documents})


policies = st.lists(statements(), max_size=4).map(parsed)
contexts = st.fixed_dictionaries({}, optional={key: st.sampled_from(values) for key, values in KEYS.items()})
questions = st.tuples(st.sampled_from(ASKED_ACTIONS), st.sampled_from(ASKED_RESOURCES))


def plus(policy: Policy, document: Document) -> Policy:
    return Policy(policy.statements + parsed([document]).statements, policy.version)


def width(decision: iam.Decision) -> int:
    return WIDTH[decision.access]


@settings(deadline=None)
@given(policies, statements("Deny"), questions, contexts)
def test_a_denial_never_widens(
    policy: Policy, denial: Document, asked: tuple[str, str], context: Any
) -> None:
    before = iam.decide(*asked, [policy], context=context)
    assert width(iam.decide(*asked, [plus(policy, denial)], context=context)) <= width(before)


@settings(deadline=None)
@given(policies, statements("Allow"), questions, contexts)
def test_an_allowance_never_narrows(
    policy: Policy, allowance: Document, asked: tuple[str, str], context: Any
) -> None:
    before = iam.decide(*asked, [policy], context=context)
    assert width(iam.decide(*asked, [plus(policy, allowance)], context=context)) >= width(before)


@settings(deadline=None)
@given(policies, policies, questions, contexts)
def test_a_boundary_never_widens(
    policy: Policy, boundary: Policy, asked: tuple[str, str], context: Any
) -> None:
    without = iam.decide(*asked, [policy], context=context)
    assert width(iam.decide(*asked, [policy], boundary, context)) <= width(without)


@settings(deadline=None)
@given(policies, st.none() | policies, questions, contexts, st.data())
def test_order_does_not_matter(
    policy: Policy, boundary: Policy | None, asked: tuple[str, str], context: Any, data: st.DataObject
) -> None:
    shuffled = Policy(tuple(data.draw(st.permutations(policy.statements))), policy.version)
    expected = iam.decide(*asked, [policy], boundary, context)
    found = iam.decide(*asked, [shuffled], boundary, context)
    assert (found.access, found.partial) == (expected.access, expected.partial)
    assert set(found.statements) == set(expected.statements)
    assert set(found.conditions + found.unless) == set(expected.conditions + expected.unless)


@settings(deadline=None)
@given(policies, st.none() | policies, questions, contexts, contexts)
def test_knowing_more_only_decides_more(
    policy: Policy, boundary: Policy | None, asked: tuple[str, str], context: Any, learnt: Any
) -> None:
    before = iam.decide(*asked, [policy], boundary, context).access
    after = iam.decide(*asked, [policy], boundary, learnt | context).access
    assert before in (Access.CONDITIONAL, after)


@settings(deadline=None)
@given(policies, st.none() | policies, contexts)
def test_what_holds_for_all_resources_holds_for_each(
    policy: Policy, boundary: Policy | None, context: Any
) -> None:
    everywhere = iam.decide("s3:GetObject", "*", [policy], boundary, context).access
    for resource in ("arn:aws:s3:::a/x", "arn:aws:s3:::a/*", "arn:aws:s3:::b/y"):
        assert everywhere in (
            Access.CONDITIONAL,
            iam.decide("s3:GetObject", resource, [policy], boundary, context).access,
        )


@settings(deadline=None)
@given(policies, policies, questions)
def test_an_allowed_action_is_allowed_by_both_and_denied_by_none(
    policy: Policy, boundary: Policy, asked: tuple[str, str]
) -> None:
    decision = iam.decide(*asked, [policy], boundary)
    if decision.access is Access.ALLOWED:
        assert {each.effect for each in decision.statements} == {Effect.ALLOW}
        assert set(decision.statements) & set(policy.statements)
        assert set(decision.statements) & set(boundary.statements)
    if decision.access is not Access.CONDITIONAL:
        assert (decision.conditions, decision.unless, decision.partial) == ((), (), False)


@settings(max_examples=25, deadline=None)
@given(st.lists(policies, max_size=2), st.none() | policies, contexts)
def test_asking_for_many_actions_is_asking_for_each(
    identity: list[Policy], boundary: Policy | None, context: Any
) -> None:
    found = iam.allowed_actions("kms:*", "s3:Get*", identity=identity, boundary=boundary, context=context)
    for action in iam.expand_actions("kms:*") | iam.expand_actions("s3:Get*"):
        decision = iam.decide(action, "*", identity, boundary, context)
        assert found.get(action) == (None if decision.access is Access.DENIED else decision)


@settings(deadline=None)
@given(statements())
def test_every_spelling_of_a_policy_is_the_same_policy(document: Document) -> None:
    bare = {
        name: value[0] if isinstance(value, list) and len(value) == 1 else value
        for name, value in document.items()
    }
    whole = {"Version": "2012-10-17", "Statement": [document]}
    expected = iam.parse(whole)
    assert iam.parse({"Version": "2012-10-17", "Statement": bare}) == expected
    assert iam.parse(json.dumps(whole)) == expected
    assert iam.parse(quote(json.dumps(whole))) == expected


patterns = st.lists(st.sampled_from([*ACTIONS, "sagemaker:Create*", "*:Get*", "iam:?assRole"]), min_size=1)


@settings(max_examples=25, deadline=None)
@given(patterns)
def test_not_action_is_the_complement_of_action(names: list[str]) -> None:
    listed, others = parsed(
        [
            {"Effect": "Allow", "Action": names, "Resource": "*"},
            {"Effect": "Allow", "NotAction": names, "Resource": "*"},
        ]
    ).statements
    assert iam.statement_actions(listed) | iam.statement_actions(others) == iam.all_actions()
    assert not iam.statement_actions(listed) & iam.statement_actions(others)


@settings(deadline=None)
@given(st.sampled_from(["s3:Get*", "s3:*Object?*", "kms:?e*", "S3:*", "iam:*Role"]))
def test_a_pattern_covers_its_expansions(pattern: str) -> None:
    expansions = iam.expand_actions(pattern)
    assert expansions
    assert all(iam.covers(pattern.lower(), action) for action in expansions)


globs = st.text("ab*?", max_size=6)
texts = st.text("abc", max_size=6)


def matches(pattern: str, text: str) -> bool:
    translated = "".join({"*": ".*", "?": "."}.get(character, character) for character in pattern)
    return re.fullmatch(translated, text) is not None


@settings(deadline=None)
@given(globs, texts)
def test_matching_is_that_of_regular_expressions(pattern: str, text: str) -> None:
    assert iam.covers(pattern, text) == iam.overlaps(pattern, text) == matches(pattern, text)


@settings(max_examples=300, deadline=None)
@given(globs, globs, st.data())
def test_a_covering_pattern_matches_all_that_the_other_matches(
    pattern: str, other: str, data: st.DataObject
) -> None:
    text = "".join(
        data.draw(texts) if symbol == "*" else data.draw(st.sampled_from("abc")) if symbol == "?" else symbol
        for symbol in other
    )
    assert iam.covers(other, text)
    if iam.covers(pattern, other):
        assert matches(pattern, text)
        assert iam.overlaps(pattern, other)
    if matches(pattern, text):
        assert iam.overlaps(pattern, other)


@settings(deadline=None)
@given(globs)
def test_a_pattern_covers_itself_and_everything_covers_it(pattern: str) -> None:
    assert iam.covers(pattern, pattern)
    assert iam.covers("*", pattern)
