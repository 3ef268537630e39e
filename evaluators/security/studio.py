"""Studio domains: network, log-in, encryption and who a call is told to come from."""

from collections import Counter
from typing import Any

from collectors.sagemaker.studio import Domain, UserSettings
from collectors.sagemaker.user_profiles import UserProfile, profiles_by_domain
from collectors.sample import Sample, sample
from evaluators.controls import config_rule, lens, prowler
from evaluators.rule import (
    Change,
    Scope,
    Severity,
    Verdict,
    expect,
    failed,
    given,
    not_applicable,
    passed,
    rule,
)
from evaluators.tags import is_set

_KEY = "arn:aws:kms:eu-west-1:123456789012:key/k"
_ROLE = "arn:aws:iam::123456789012:role/studio"
_WITHOUT_IDENTITY_CENTER = frozenset({"aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f"})
"""Partitions in which botocore knows no Region of IAM Identity Center."""


def _is_closed(domain: Domain) -> bool:
    """Whether nobody can work in it (yet, or any more)."""
    return domain.status not in ("InService", "Updating")


_CLOSED = "the domain is not in service"


@rule(
    "SEC-007",
    Severity.HIGH,
    bad=[
        {"app_network_access_type": "PublicInternetOnly"},
        # AWS leaves the member out where it was never set, which means the internet.
        {"app_network_access_type": None},
        sample(Domain, status="Updating", tags={"Environment": "sandbox"}),
    ],
    good=[
        {"app_network_access_type": "VpcOnly", "default_user_settings": {"security_groups": ["sg-1"]}},
        # The groups may be each profile's own.
        {"app_network_access_type": "VpcOnly"},
    ],
    exempt=[
        {"status": "Deleting"},
        {"status": "Failed"},
        {"status": "Pending", "app_network_access_type": "PublicInternetOnly"},
    ],
    remedy="Delete all apps, then switch the domain to VpcOnly. Without a NAT or VPC endpoints Studio does not "
    "start there.",
    command="aws sagemaker update-domain --domain-id {name} --app-network-access-type VpcOnly",
    change=Change.RESTART,
    scope=Scope.LENIENT,
    maps=[config_rule("sagemaker-domain-in-vpc"), lens("MLSEC03-BP02")],
)
def studio_public_network(domain: Domain) -> Verdict:
    """Studio domains should send the traffic of apps through the VPC only.

    Otherwise apps reach the internet through an interface of AWS, past every control of your VPC.
    A domain that was never told has that interface.
    """
    if _is_closed(domain):
        return not_applicable(_CLOSED)
    access = domain.app_network_access_type
    if access != "VpcOnly":
        return failed("apps reach the internet outside your VPC", AppNetworkAccessType=access)
    settings = domain.default_user_settings
    groups = settings.security_groups if settings else None
    note = "" if groups else "it has no security groups by default: profiles bring their own"
    return passed(note, AppNetworkAccessType=access, SecurityGroups=groups)


@rule(
    "SEC-008",
    Severity.MEDIUM,
    bad=[{"auth_mode": "IAM"}, sample(Domain, auth_mode="IAM", tags={"machine-only": "false"})],
    good=[{"auth_mode": "SSO"}, given(sample(Domain, auth_mode="IAM"), accept_iam_federation=True)],
    exempt=[
        {"auth_mode": "IAM", "status": "Deleting"},
        sample(Domain, auth_mode="IAM", tags={"machine-only": "true"}),
    ],
    remedy="How people log in is fixed when a domain is made: make one with SSO, and move people and their work.",
    command="aws sagemaker create-domain --domain-name NAME --auth-mode SSO"
    " --default-user-settings ExecutionRole=ROLE --subnet-ids SUBNET --vpc-id VPC",
    change=Change.RECREATE,
    maps=[prowler("sagemaker_domain_sso_configured"), lens("MLSEC03-BP01"), lens("MLSEC06-BP01")],
)
def studio_iam_login(domain: Domain, *, accept_iam_federation: bool = False) -> Verdict:
    """Studio domains should log people in through IAM Identity Center.

    Central identities have MFA, and end when somebody leaves; IAM principals are shared and outlive
    people. Where an identity provider with MFA stands before the roles that open Studio, set
    `accept_iam_federation`. The tag `machine-only` exempts a domain that no person opens.
    """
    if _is_closed(domain):
        return not_applicable(_CLOSED)
    if domain.region.partition in _WITHOUT_IDENTITY_CENTER:
        return not_applicable("this partition has no IAM Identity Center")
    mode = domain.auth_mode
    if mode == "SSO":
        return passed(AuthMode=mode)
    if accept_iam_federation:
        return passed("federation to IAM roles is accepted by settings", AuthMode=mode)
    if is_set(domain.tags, "machine-only"):
        return not_applicable("a tag says that only machines use it")
    return failed("people open it as IAM principals", AuthMode=mode)


def _keyed(**values: Any) -> Sample:
    return sample(Domain, "d-1", **{"kms_key_id": _KEY, **values})


def _profile(name: str, **settings: Any) -> Sample:
    return sample(UserProfile, name, arn=name, domain_id="d-1", user_settings=settings)


_OPEN = {"notebook_output_option": "Allowed"}
_OPEN_KEYED = {**_OPEN, "s3_kms_key_id": _KEY}


@rule(
    "SEC-009",
    Severity.MEDIUM,
    bad=[
        {"kms_key_id": None},
        {"kms_key_id": ""},
        _keyed(default_user_settings={"sharing_settings": _OPEN}),
        # A profile may share although its domain does not.
        given(_keyed(), _profile("maya"), _profile("tomas", sharing_settings=_OPEN)),
    ],
    good=[
        _keyed(),
        # The former name of the same member.
        {"kms_key_id": None, "home_efs_file_system_kms_key_id": _KEY},
        {"kms_key_id": _KEY, "home_efs_file_system_kms_key_id": ""},
        _keyed(default_user_settings={"sharing_settings": _OPEN_KEYED}),
        _keyed(default_user_settings={"sharing_settings": {"notebook_output_option": "Disabled"}}),
        given(_keyed(), _profile("maya", sharing_settings=_OPEN_KEYED), _profile("tomas")),
        given(
            _keyed(), sample(UserProfile, "else", domain_id="d-2", user_settings={"sharing_settings": _OPEN})
        ),
    ],
    exempt=[{"status": "Deleting", "kms_key_id": None}],
    remedy="The key of a domain is fixed when it is made: make one with a key of yours. That of shared outputs can "
    "be set at any time.",
    command="aws sagemaker create-domain --domain-name NAME --auth-mode SSO"
    " --default-user-settings ExecutionRole=ROLE --subnet-ids SUBNET --vpc-id VPC --kms-key-id KEY",
    change=Change.RECREATE,
    maps=[lens("MLSEC02-BP01")],
)
def studio_default_key(domain: Domain) -> Verdict:
    """Studio's volumes and shared outputs should be encrypted with a KMS key of yours.

    Without one a key that AWS manages encrypts them, on which you set no policy. Outputs of
    notebooks that people share go to S3 with a key of their own; profiles may overrule their domain.
    Whether the key is a customer managed one is not looked up.
    """
    if _is_closed(domain):
        return not_applicable(_CLOSED)
    key = domain.storage_key
    if key is None:
        return failed("its volumes and home directories have no KMS key of yours", KmsKeyId=key)
    if _shares(domain.default_user_settings):
        return failed("outputs are shared in S3 without a KMS key of yours", KmsKeyId=key, S3KmsKeyId=None)
    profiles = profiles_by_domain(domain.region).get(domain.name, ())
    sharing = sorted(profile.name for profile in profiles if _shares(profile.user_settings))
    return expect(
        not sharing,
        "profiles share outputs in S3 without a KMS key of yours",
        KmsKeyId=key,
        user_profiles=sharing[:10],
        profiles_that_share=len(sharing),
    )


def _shares(settings: UserSettings | None) -> bool:
    sharing = settings.sharing_settings if settings else None
    return sharing is not None and sharing.shares_without_key


def _shared(**values: Any) -> Sample:
    return sample(Domain, "d-1", **{"default_user_settings": {"execution_role": _ROLE}, **values})


_TWO = (_profile("maya"), _profile("tomas"))
_SESSIONS = {"execution_role": _ROLE, "execution_role_session_name_mode": "USER_IDENTITY"}


@rule(
    "SEC-010",
    Severity.MEDIUM,
    bad=[
        # A profile without a role of its own has its domain's.
        given(_shared(), *_TWO),
        given(_shared(), _profile("maya"), _profile("tomas", execution_role=_ROLE)),
        given(_shared(execution_role_identity_config="DISABLED"), *_TWO),
        given(
            _shared(default_user_settings={**_SESSIONS, "execution_role_session_name_mode": "STATIC"}), *_TWO
        ),
    ],
    good=[
        given(_shared(execution_role_identity_config="USER_PROFILE_NAME"), *_TWO),
        given(_shared(default_user_settings=_SESSIONS), *_TWO),
        given(_shared(), _profile("maya", execution_role=f"{_ROLE}-maya"), _profile("tomas")),
    ],
    exempt=[
        _shared(),
        given(_shared(), _TWO[0]),
        given(_shared(), _TWO[0], sample(UserProfile, "else", arn="else", domain_id="d-2")),
        given(_shared(status="Deleting"), *_TWO),
    ],
    remedy="Let the role's trust policy allow sts:SetSourceIdentity, delete the running apps, and turn source "
    "identity on.",
    command="aws sagemaker update-domain --domain-id {name}"
    " --domain-settings-for-update ExecutionRoleIdentityConfig=USER_PROFILE_NAME",
    change=Change.RESTART,
    maps=[lens("MLSEC06-BP02")],
)
def studio_anonymous_shared_role(domain: Domain) -> Verdict:
    """Calls from Studio should tell which user made them.

    Where profiles share an execution role, CloudTrail names the role and nobody. The profile's name
    as source identity, or in the session's name, tells them apart; so does a role for each.
    """
    if _is_closed(domain):
        return not_applicable(_CLOSED)
    configured = domain.execution_role_identity_config
    if domain.names_its_users:
        return passed(ExecutionRoleIdentityConfig=configured)
    profiles = profiles_by_domain(domain.region).get(domain.name, ())
    if len(profiles) <= 1:
        return not_applicable("nobody shares it: it has one profile at most")
    default = domain.default_user_settings
    inherited = default.execution_role if default else None
    roles = Counter(_role(profile) or inherited for profile in profiles)
    shared = {role: count for role, count in roles.most_common(10) if role and count > 1}
    return expect(
        not shared,
        "profiles share a role, and nothing tells who made a call",
        ExecutionRoleIdentityConfig=configured,
        ExecutionRole=list(shared),
        profiles_by_shared_role=shared,
    )


def _role(profile: UserProfile) -> str | None:
    settings = profile.user_settings
    return settings.execution_role if settings else None
