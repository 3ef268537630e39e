"""Credentials, assumed roles and enabled Regions; one client per service and Region.

CollectorError
├── StartError
│   ├── CredentialsError    none, expired, or an unknown profile
│   ├── RoleError           sts:AssumeRole was refused
│   └── RegionError         a Region that does not exist or is not enabled
└── CallError               a call outside of a snapshot failed
"""

import difflib
import re
import shutil
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import IO, Any

import boto3
import botocore
import botocore.config
import botocore.credentials
import botocore.exceptions
import botocore.session

from collectors.model import CollectorError, Gap, Operation, Reason
from collectors.redaction import scrub

DESCRIBE_REGIONS = Operation("ec2", "DescribeRegions", result="Regions[]")

_FIRST_REGIONS = {
    "aws": "us-east-1",
    "aws-cn": "cn-north-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-eusc": "eusc-de-east-1",
}


class StartError(CollectorError):
    """A run that cannot begin."""


class CredentialsError(StartError):
    """No usable credentials."""


class RoleError(StartError):
    """The role to audit with could not be assumed."""


class RegionError(StartError):
    """A Region that the account does not have."""


class CallError(CollectorError):
    """A call outside of a snapshot that failed. `code` is AWS's, or the name of botocore's error."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is asking: account (12 digits), partition and ARN, from sts:GetCallerIdentity."""

    account: str
    partition: str
    arn: str


class Sessions:
    """Clients of one account, made once per service and Region.

    Sessions of boto3 are not safe to share between threads while they make clients; so clients are
    made under a lock, and botocore's loader, which holds the service models, is the session's one.
    `on_call` is told of each call before it is sent (service, Region, operation) and may wait;
    `on_retry` of each answer that botocore considers repeating (and its error code).
    """

    def __init__(
        self,
        session: boto3.Session,
        *,
        concurrency: int = 16,
    ) -> None:
        self._session = session
        self._clients: dict[tuple[str, str], Any] = {}
        self._offered: dict[tuple[str, str], frozenset[str]] = {}
        self._lock = threading.Lock()
        self._concurrency = concurrency
        self.on_call: Callable[[str, str, str], None] | None = None
        self.on_retry: Callable[[str, str, str, str], None] | None = None

    def client(self, service: str, region: str) -> Any:
        """The boto3 client of a service in a Region."""
        with self._lock:
            if (service, region) not in self._clients:
                config = botocore.config.Config(
                    retries={"mode": "adaptive", "total_max_attempts": 10},
                    connect_timeout=10,
                    read_timeout=60,
                    max_pool_connections=max(10, self._concurrency),
                    user_agent_extra="sagemaker-auditor",
                )
                client = self._session.client(service, region_name=region, config=config)
                client.meta.events.register_first("provide-client-params", self._note_call(service, region))
                client.meta.events.register_first("needs-retry", self._note_retry(service, region))
                self._clients[service, region] = client
            return self._clients[service, region]

    def call(
        self,
        service: str,
        region: str,
        operation: str,
        parameters: dict[str, Any],
        into: IO[bytes] | None = None,
    ) -> dict[str, Any]:
        """One call that is no reading of an account: where results are kept, and who is told of them.

        A streamed body is copied into `into`. Raises `CallError`, whose text is one line without secrets.
        """
        try:
            method = getattr(self.client(service, region), botocore.xform_name(operation))
            answer: dict[str, Any] = method(**parameters)
            if into is not None:
                shutil.copyfileobj(answer["Body"], into)
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            code = type(error).__name__
            if isinstance(error, botocore.exceptions.ClientError):
                code = str(error.response.get("Error", {}).get("Code", code))
            raise CallError(f"{service}:{operation}: {explain(error)}", code) from error
        return answer

    def _note_call(self, service: str, region: str) -> Callable[..., None]:
        def note(model: Any, **_: Any) -> None:
            if self.on_call is not None:
                self.on_call(service, region, model.name)

        return note

    def _note_retry(self, service: str, region: str) -> Callable[..., None]:
        def note(operation: Any, response: Any = None, **_: Any) -> None:
            code = "" if response is None else response[1].get("Error", {}).get("Code", "")
            if code and self.on_retry is not None:
                self.on_retry(service, region, operation.name, code)

        return note

    def identity(self) -> Identity:
        """Who the credentials belong to. Raises `CredentialsError`."""
        try:
            found = self.client("sts", self.default_region).get_caller_identity()
        except botocore.exceptions.ClientError as error:
            raise CredentialsError(explain(error)) from error
        except botocore.exceptions.BotoCoreError as error:
            raise CredentialsError(explain(error)) from error
        return Identity(found["Account"], found["Arn"].split(":")[1], found["Arn"])

    @property
    def default_region(self) -> str:
        """The Region of the profile or environment, else the first of the commercial partition."""
        return str(self._session.region_name or _FIRST_REGIONS["aws"])

    def home_region(self, partition: str) -> str:
        """Where global services of a partition are asked."""
        return _FIRST_REGIONS.get(partition, self.default_region)

    def offers(self, service: str, region: str, partition: str) -> bool:
        """Whether botocore's data does not rule out that a Region has a service. Global services are everywhere."""
        place = (service, partition)
        if place not in self._offered:
            found = self._session.get_available_regions(service, partition_name=partition)
            self._offered[place] = frozenset(found)
        return not self._offered[place] or region in self._offered[place]

    def known_regions(self, partition: str) -> list[str]:
        """The Regions of a partition that this botocore knows."""
        return sorted(self._session.get_available_regions("ec2", partition_name=partition))

    def regions(
        self, identity: Identity, wanted: Iterable[str], excluded: Iterable[str]
    ) -> tuple[tuple[str, ...], Gap | None]:
        """The Regions to audit, and a gap where the enabled ones could not be asked for.

        Raises `RegionError` for a name that does not exist and for one that is not enabled. Without
        ec2:DescribeRegions, Regions that were asked for by name are taken at their word.
        """
        known = self.known_regions(identity.partition)
        wanted, excluded = tuple(wanted), tuple(excluded)
        for name in (*wanted, *excluded):
            if known and name not in known and not re.fullmatch(r"[a-z]{2,4}(-[a-z]+)+-\d", name):
                close = difflib.get_close_matches(name, known, 1)
                hint = f"; did you mean {close[0]}?" if close else ""
                raise RegionError(f"no Region is called {name!r}{hint}")
        try:
            answer = self.client("ec2", self.default_region).describe_regions(AllRegions=False)
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            if not wanted:
                raise RegionError(
                    f"cannot list the enabled Regions ({explain(error)}): "
                    "allow ec2:DescribeRegions or name Regions with --region"
                ) from error
            gap = Gap(str(DESCRIBE_REGIONS), Reason.DENIED, message=explain(error), account=identity.account)
            return tuple(sorted(set(wanted) - set(excluded))), gap
        enabled = {region["RegionName"] for region in answer["Regions"]}
        for name in wanted:
            if name not in enabled:
                close = difflib.get_close_matches(name, sorted(enabled), 1)
                hint = f"; did you mean {close[0]}?" if close else ""
                raise RegionError(f"Region {name!r} does not exist or is not enabled in this account{hint}")
        chosen = (set(wanted) or enabled) - set(excluded)
        if not chosen:
            raise RegionError("no Region is left to audit: see --region and --exclude-region")
        return tuple(sorted(chosen)), None


def open_sessions(
    *,
    profile: str | None = None,
    role_arn: str | None = None,
    external_id: str | None = None,
    concurrency: int = 16,
) -> Sessions:
    """Sessions from the environment or a profile, with a role assumed on top where one is named.

    Raises `CredentialsError` or `RoleError`. Assumed credentials are renewed before they expire.
    """
    try:
        core = botocore.session.Session(profile=profile)
        credentials = core.get_credentials()
    except botocore.exceptions.BotoCoreError as error:
        raise CredentialsError(explain(error)) from error
    if credentials is None:
        raise CredentialsError(
            "no AWS credentials found: set AWS_PROFILE, name one with --profile, or run `aws configure`"
        )
    if role_arn is not None:
        core = _assumed(core, credentials, role_arn, external_id)
    return Sessions(boto3.Session(botocore_session=core), concurrency=concurrency)


def _assumed(
    core: botocore.session.Session, source: Any, role_arn: str, external_id: str | None
) -> botocore.session.Session:
    """A session with the role's credentials, fetched once now so that a refusal shows at the start."""
    if not re.fullmatch(r"arn:aws[a-z-]*:iam::\d{12}:role/.+", role_arn):
        raise RoleError(f"{role_arn!r} is no role ARN (arn:aws:iam::123456789012:role/NAME)")
    extra = {"RoleSessionName": "sagemaker-auditor"}
    if external_id:
        extra["ExternalId"] = external_id
    region = core.get_config_variable("region") or _FIRST_REGIONS.get(role_arn.split(":")[1], "us-east-1")

    def client(service: str, **arguments: Any) -> Any:
        return core.create_client(service, **{"region_name": region, **arguments})

    fetcher = botocore.credentials.AssumeRoleCredentialFetcher(client, source, role_arn, extra_args=extra)
    assumed = botocore.credentials.DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
    try:
        assumed.get_frozen_credentials()
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        raise RoleError(f"cannot assume {role_arn}: {explain(error)}") from error
    inner = botocore.session.Session()
    inner._credentials = assumed
    inner.set_config_variable("region", region)
    return inner


_HINTS = {
    "ExpiredToken": "the credentials have expired: sign in again (`aws sso login`) and rerun",
    "ExpiredTokenException": "the credentials have expired: sign in again (`aws sso login`) and rerun",
    "RequestExpired": "the credentials have expired, or this machine's clock is wrong",
    "InvalidClientTokenId": "AWS does not know these credentials: check the profile or environment",
    "UnrecognizedClientException": "AWS does not know these credentials: check the profile or environment",
    "SignatureDoesNotMatch": "the secret key does not belong to the access key",
}


def explain(error: Exception) -> str:
    """One line about an error of AWS or botocore, without secrets, that says what to try."""
    if isinstance(error, botocore.exceptions.ClientError):
        code = error.response.get("Error", {}).get("Code", "error")
        text = error.response.get("Error", {}).get("Message", "")
        return _HINTS.get(code) or scrub(f"{code}: {text}".strip().replace("\n", " "))
    if isinstance(error, botocore.exceptions.NoCredentialsError):
        return "no AWS credentials found: set AWS_PROFILE, name one with --profile, or run `aws configure`"
    if isinstance(error, botocore.exceptions.ProfileNotFound):
        return f"{str(error).rstrip('.')}: `aws configure list-profiles` lists those there are"
    return scrub(str(error).replace("\n", " "))
