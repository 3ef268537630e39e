"""ML buckets: exposure, transport and encryption."""

import json
from typing import Any

from collectors.kms import KmsKey, find_key
from collectors.s3 import AccountPublicAccess, Bucket
from collectors.sample import ABSENT, Sample, sample
from evaluators.controls import config_rule, lens, prowler, security_hub
from evaluators.policy import Effect, Policy, is_public, refuses
from evaluators.roles import parsed
from evaluators.rule import Change, Severity, Verdict, expect, failed, given, not_applicable, passed, rule
from evaluators.tags import said

_ARN = "arn:aws:s3:::churn-data"
_ON = {
    "block_public_acls": True,
    "ignore_public_acls": True,
    "block_public_policy": True,
    "restrict_public_buckets": True,
}


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _bucket(**values: Any) -> Sample:
    return sample(Bucket, "churn-data", arn=_ARN, **values)


_READ_BY_ALL = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"{_ARN}/*"}
_READ_BY_PARTNER = {**_READ_BY_ALL, "Principal": {"AWS": "arn:aws:iam::999988887777:root"}}
_ACCOUNT_ON = sample(AccountPublicAccess, "123456789012", public_access_block_configuration=_ON)
_ACCOUNT_OFF = sample(AccountPublicAccess, "123456789012", public_access_block_configuration=ABSENT)
_EVERYONE = ("http://acs.amazonaws.com/groups/global/AllUsers",)
_ACL_GROUPS = (*_EVERYONE, "http://acs.amazonaws.com/groups/global/AuthenticatedUsers")


def effective_flags(bucket: Bucket) -> dict[str, bool]:
    """The four switches as they act: on where the account or the bucket has them on."""
    own = bucket.public_access_block_configuration
    flags = own.flags() if own is not None else {}
    for account in bucket.region.all(AccountPublicAccess):
        whole = account.public_access_block_configuration
        for name, on in (whole.flags() if whole is not None else {}).items():
            flags[name] = flags.get(name, False) or on
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    return {name: flags.get(name, False) for name in names}


def bucket_policy(bucket: Bucket) -> Policy | None:
    """The bucket's policy, or `None` without one."""
    return None if bucket.policy is None else parsed(bucket, bucket.policy)


@rule(
    "SEC-051",
    Severity.CRITICAL,
    bad=[
        given(_bucket(policy=_policy(_READ_BY_ALL), is_public=True), _ACCOUNT_OFF),
        given(_bucket(grants=[{"uri": _EVERYONE[0]}]), _ACCOUNT_OFF),
        given(_bucket(public_access_block_configuration={**_ON, "block_public_policy": False}), _ACCOUNT_OFF),
        given(_bucket(public_access_block_configuration=ABSENT), _ACCOUNT_OFF),
        given(_bucket(policy=_policy(_READ_BY_PARTNER), is_public=False), _ACCOUNT_ON),
    ],
    good=[
        given(_bucket(public_access_block_configuration=_ON), _ACCOUNT_OFF),
        given(_bucket(public_access_block_configuration=ABSENT), _ACCOUNT_ON),
        given(
            _bucket(policy=_policy(_READ_BY_PARTNER), is_public=False),
            _ACCOUNT_ON,
            trusted_accounts=("999988887777",),
        ),
        given(_bucket(policy=_policy(_READ_BY_ALL), is_public=True), _ACCOUNT_ON),
    ],
    remedy="Turn on all four switches of block public access, on the account where nothing needs to be public.",
    command="aws s3api put-public-access-block --bucket {name} --public-access-block-configuration "
    "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true",
    change=Change.IN_PLACE,
    maps=[
        security_hub("S3.1"),
        security_hub("S3.2"),
        security_hub("S3.3"),
        security_hub("S3.8"),
        config_rule("s3-account-level-public-access-blocks"),
        config_rule("s3-bucket-level-public-access-prohibited"),
        prowler("s3_bucket_level_public_access_block"),
        prowler("s3_account_level_public_access_blocks"),
        lens("MLSEC03-BP01"),
    ],
)
def public_bucket(bucket: Bucket, *, trusted_accounts: tuple[str, ...] = ()) -> Verdict:
    """ML buckets should not be public.

    The account's and the bucket's block of public access are taken together: a bucket without its
    own is covered by the account's. Where a switch is off and a policy or an access list lets the
    public in, the finding is critical; a switch that is off with nobody let in, and a grant to
    another account that is not trusted, are two severities lower.
    """
    flags: dict[str, Any] = dict(effective_flags(bucket))
    off = [name for name, on in flags.items() if not on]
    policy = bucket_policy(bucket)
    statements = policy.statements if policy is not None else ()
    if off:
        by_policy = bucket.is_public is True or any(is_public(s) for s in statements)
        policy_acts = by_policy and not flags["RestrictPublicBuckets"]
        grants = (
            [g.uri for g in bucket.grants if g.uri in _ACL_GROUPS] if not flags["IgnorePublicAcls"] else []
        )
        if policy_acts or grants:
            how = "its policy" if policy_acts else "its access list"
            return failed(f"the public can reach it by {how}", IsPublic=bucket.is_public, URI=grants, **flags)
        return failed(
            f"{', '.join(off)} not in force",
            lowered=2,
            why_lowered="nothing lets the public in today",
            **flags,
        )
    own = {bucket.region.account, *trusted_accounts}
    foreign = sorted(
        {
            account
            for statement in statements
            if statement.effect is Effect.ALLOW and statement.principals is not None
            for account in statement.principals.accounts - own
        }
    )
    if foreign:
        return failed(
            f"its policy lets in account {', '.join(foreign[:5])}",
            lowered=2,
            why_lowered="named accounts only, none of them trusted by the settings",
            Policy=foreign[:10],
        )
    return passed(**flags)


_TLS_ONLY = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": [_ARN, f"{_ARN}/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


@rule(
    "SEC-052",
    Severity.MEDIUM,
    bad=[
        _bucket(policy=ABSENT),
        _bucket(policy=_policy(_READ_BY_PARTNER)),
        _bucket(policy=_policy({**_TLS_ONLY, "Resource": f"{_ARN}/*"})),
        _bucket(policy=_policy({**_TLS_ONLY, "Principal": {"AWS": "arn:aws:iam::123456789012:role/r"}})),
        _bucket(policy=_policy({**_TLS_ONLY, "Condition": {"Bool": {"aws:SecureTransport": "true"}}})),
    ],
    good=[
        _bucket(policy=_policy(_TLS_ONLY)),
        _bucket(policy=_policy({**_TLS_ONLY, "Condition": {"Bool": {"aws:SecureTransport": False}}})),
        _bucket(
            policy=_policy({**_TLS_ONLY, "Condition": {"BoolIfExists": {"aws:SecureTransport": "false"}}})
        ),
        _bucket(policy=_policy({**_TLS_ONLY, "Condition": {"NumericLessThan": {"s3:TlsVersion": "1.2"}}})),
        _bucket(policy=_policy({**_TLS_ONLY, "Principal": {"AWS": "*"}, "Resource": "*"})),
    ],
    remedy="Add a Deny for everyone on the bucket and its objects where aws:SecureTransport is false.",
    command="aws s3api put-bucket-policy --bucket {name} --policy file://tls-only.json",
    change=Change.IN_PLACE,
    maps=[
        security_hub("S3.5"),
        config_rule("s3-bucket-ssl-requests-only"),
        prowler("s3_bucket_secure_transport_policy"),
        lens("MLSEC02-BP01"),
    ],
)
def plain_http_bucket(bucket: Bucket) -> Verdict:
    """ML buckets should refuse plain HTTP.

    A bucket without a policy answers over HTTP too. The Deny has to name everyone, and both the
    bucket and its objects; one on an old s3:TlsVersion does as well.
    """
    policy = bucket_policy(bucket)
    if policy is None:
        return failed("it has no policy, so nothing refuses plain HTTP", Policy=None)
    for context in ({"aws:SecureTransport": False}, {"s3:TlsVersion": "1.1"}):
        lists = refuses(policy, "s3:ListBucket", bucket.id, context)
        reads = refuses(policy, "s3:GetObject", f"{bucket.id}/*", context)
        if lists and reads:
            return passed("a Deny for everyone refuses it", Policy=sorted(context))
    return failed(
        "no Deny for everyone covers the bucket and its objects where TLS is missing",
        Policy=sorted({str(s.effect) for s in policy.statements}),
    )


def _encryption(algorithm: str, key: str | None = None, bucket_key: bool | None = None) -> dict[str, Any]:
    rule_ = {"sse_algorithm": algorithm, "kms_master_key_id": key, "bucket_key_enabled": bucket_key}
    return {"server_side_encryption_configuration": {"rules": [rule_]}}


_KEY = "arn:aws:kms:eu-west-1:123456789012:key/k"


@rule(
    "SEC-053",
    Severity.MEDIUM,
    bad=[
        _bucket(**_encryption("AES256")),
        _bucket(server_side_encryption_configuration=ABSENT),
        given(_bucket(bucket_region="eu-west-1", **_encryption("aws:kms")), require_customer_managed=True),
        given(
            _bucket(bucket_region="eu-west-1", **_encryption("aws:kms", _KEY)),
            sample(KmsKey, _KEY, arn=_KEY, key_manager="AWS"),
            require_customer_managed=True,
        ),
    ],
    good=[
        _bucket(**_encryption("aws:kms", _KEY)),
        _bucket(**_encryption("aws:kms:dsse", _KEY)),
        _bucket(**_encryption("aws:kms")),
        # What a key for each object costs is noted, and no fault of its safety.
        _bucket(**_encryption("aws:kms", _KEY, bucket_key=False)),
        given(
            _bucket(bucket_region="eu-west-1", **_encryption("aws:kms", _KEY)),
            sample(KmsKey, _KEY, arn=_KEY, key_manager="CUSTOMER"),
            require_customer_managed=True,
        ),
    ],
    exempt=[sample(Bucket, "open-data", tags={"DataClassification": "public"}, **_encryption("AES256"))],
    remedy="Set default encryption to aws:kms with a key of your own, and turn on bucket keys.",
    command="aws s3api put-bucket-encryption --bucket {name} --server-side-encryption-configuration file://kms.json",
    change=Change.IN_PLACE,
    maps=[
        security_hub("S3.17"),
        config_rule("s3-default-encryption-kms"),
        prowler("s3_bucket_kms_encryption"),
        lens("MLSEC02-BP01"),
    ],
)
def bucket_without_kms(
    bucket: Bucket,
    *,
    require_customer_managed: bool = False,
    public_data_tags: tuple[str, ...] = ("public", "public-data", "open"),
) -> Verdict:
    """ML buckets should encrypt with KMS by default.

    Every object is encrypted since 2023; a KMS key adds who may decrypt it, and a record of that.
    aws:kms without a key means the AWS managed key aws/s3. Only new objects get the default. A
    bucket whose classification tag says that its data is public needs no key.
    """
    rules = bucket.default_encryption
    algorithm = next((rule_.sse_algorithm for rule_ in rules if rule_.sse_algorithm), "AES256")
    if algorithm.startswith("aws:kms") and not require_customer_managed:
        return passed(_bucket_key_note(bucket), SSEAlgorithm=algorithm)
    if classification(bucket) in public_data_tags:
        return not_applicable("its classification tag says that its data is public")
    if not algorithm.startswith("aws:kms"):
        return failed("new objects get a key of S3's own", SSEAlgorithm=algorithm)
    reference = next((rule_.kms_master_key_id for rule_ in rules if rule_.kms_master_key_id), None)
    if reference is None:
        return failed("new objects get the AWS managed key aws/s3", SSEAlgorithm=algorithm)
    key = find_key(bucket.region.sibling(bucket.shown_region), reference)
    return expect(
        key.key_manager == "CUSTOMER",
        "the key is managed by AWS",
        SSEAlgorithm=algorithm,
        KeyManager=key.key_manager,
    )


def classification(bucket: Bucket) -> str:
    """What its classification tag says of its data, in lower case."""
    return said(bucket.tags, "DataClassification") or said(bucket.tags, "Classification")


def _bucket_key_note(bucket: Bucket) -> str:
    if any(rule_.bucket_key_enabled is False for rule_ in bucket.default_encryption):
        return "bucket keys are off: each object costs a KMS request"
    return ""
