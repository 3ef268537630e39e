"""IAM's credential report: passwords, MFA and access keys of every user."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Gap, Operation, Reading, Reason, Resource, Unread
from collectors.view import Region, View, index, moment, required

if TYPE_CHECKING:
    from collectors.reader import Reader

GENERATE = Operation("iam", "GenerateCredentialReport")
GET = Operation("iam", "GetCredentialReport")

_HEADER = (
    "user,arn,user_creation_time,password_enabled,password_last_used,mfa_active,"
    "access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,"
    "access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date"
)
_NOTHING = frozenset({"", "N/A", "n/a", "no_information", "not_supported"})
"""What the report says where there is no moment."""


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An active access key. `rotated` is when it was made; `used` is `None` when it never was."""

    rotated: datetime | None
    used: datetime | None


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user's row of the report."""

    password_enabled: bool
    mfa_active: bool
    keys: tuple[AccessKey, ...]


class CredentialReport(View, kind="credential-report", listing=(GET,), is_global=True):
    """The report, CSV text; it may be up to four hours old."""

    content = required(GET, "Content", str, _HEADER)

    @property
    def rows(self) -> Mapping[str, Credentials]:
        """The row of each user by ARN. Raises `Unread` where the text is not the report that AWS documents."""
        try:
            return {row["arn"]: _credentials(row) for row in csv.DictReader(self.content.splitlines())}
        except (KeyError, ValueError) as error:
            raise Unread(self.gap(str(GET), Reason.UNDECODABLE, str(error))) from error


def _credentials(row: Mapping[str, str]) -> Credentials:
    keys = tuple(
        AccessKey(
            _moment(row[f"access_key_{number}_last_rotated"]),
            _moment(row[f"access_key_{number}_last_used_date"]),
        )
        for number in (1, 2)
        if row[f"access_key_{number}_active"] == "true"
    )
    password, mfa = (row[name] == "true" for name in ("password_enabled", "mfa_active"))
    return Credentials(password, mfa, keys)


def _moment(text: str) -> datetime | None:
    return None if text in _NOTHING else moment(text)


@index
def credentials_by_user(region: Region) -> Mapping[str, Credentials]:
    """The credentials of each user by ARN. Raises `Unread` where there is no report."""
    for report in region.all(CredentialReport):
        return report.rows
    raise Unread(Gap(str(GET), Reason.NOT_READ, account=region.account))


@collects(CredentialReport)
def credential_report(reader: "Reader") -> Iterator[Resource]:
    """The account's report, made anew unless AWS has one of the last four hours."""
    state: Reading = reader.poll(GENERATE, lambda answer: answer.get("State") == "COMPLETE")
    reading = reader.read(GET) if isinstance(state, dict) else state
    if isinstance(reading, dict) and isinstance(reading.get("Content"), bytes):
        reading = {**reading, "Content": reading["Content"].decode("utf-8", "replace")}
    yield from reader.resource({GET: reading}, key=reader.region.account, name=reader.region.account)
