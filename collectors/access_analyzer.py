"""IAM Access Analyzer: the analyzers of every Region, and what they found unused in roles."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource, Unread
from collectors.view import View, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation(
    "accessanalyzer", "ListAnalyzers", result="analyzers[]", action="access-analyzer:ListAnalyzers"
)
FINDINGS = Operation(
    "accessanalyzer",
    "ListFindingsV2",
    result="findings[]",
    action="access-analyzer:ListFindings",
    page_size=100,
)
ORGANIZATION = Operation(
    "organizations",
    "DescribeOrganization",
    result="Organization",
    absent=("AWSOrganizationsNotInUseException",),
)

_UNUSED = frozenset({"ACCOUNT_UNUSED_ACCESS", "ORGANIZATION_UNUSED_ACCESS"})
_EXTERNAL = frozenset({"ACCOUNT", "ORGANIZATION"})


class UnusedAccessAnalyzer(
    View,
    kind="unused-access-analyzer",
    type="AWS::AccessAnalyzer::Analyzer",
    listing=(LIST,),
    name="name",
    arn="arn",
):
    """An analyzer of unused access: it sees the whole account, whatever Region it stands in."""

    status = required(LIST, "status", str, "ACTIVE")


class ExternalAccessAnalyzer(
    View,
    kind="external-access-analyzer",
    type="AWS::AccessAnalyzer::Analyzer",
    listing=(LIST,),
    name="name",
    arn="arn",
):
    """An analyzer of what others may reach in its Region."""

    status = required(LIST, "status", str, "ACTIVE")


class UnusedAccess(View, kind="unused-access", listing=(FINDINGS,), name="resource", arn="id"):
    """An open finding of unused access; its name is the ARN of the role that it is about."""

    created_at = required(
        FINDINGS, "createdAt", datetime, datetime.fromisoformat("2026-11-01T06:00:00+00:00")
    )


class Organization(View, kind="organization", listing=(ORGANIZATION,), name="Id", arn="Arn", is_global=True):
    """The organisation that the account is in; none for an account that stands alone."""

    master_account_id = required(ORGANIZATION, "MasterAccountId", str, "210987654321")


@collects(UnusedAccessAnalyzer)
def unused_access_analyzers(reader: "Reader") -> Iterator[Resource]:
    """Those that this account may see: an organisation's stand in its administrator's account."""
    yield from _analyzers(reader, _UNUSED)


@collects(ExternalAccessAnalyzer)
def external_access_analyzers(reader: "Reader") -> Iterator[Resource]:
    """Those that this account may see."""
    yield from _analyzers(reader, _EXTERNAL)


def _analyzers(reader: "Reader", types: frozenset[str]) -> Iterator[Resource]:
    for document in reader.list(LIST):
        if document["type"] in types:
            yield from reader.resource({LIST: document})


@collects(UnusedAccess, follows=(UnusedAccessAnalyzer,))
def unused_access(reader: "Reader") -> Iterator[Resource]:
    """The open findings about roles of each active analyzer of unused access."""
    wanted = {"status": {"eq": ["ACTIVE"]}, "resourceType": {"eq": ["AWS::IAM::Role"]}}
    for analyzer in reader.known(UnusedAccessAnalyzer):
        try:
            asked = analyzer.status == "ACTIVE"
        except Unread as unread:
            reader.incomplete(unread.gap)
            continue
        if asked:
            for document in reader.list(FINDINGS, analyzerArn=analyzer.id, filter=wanted):
                yield from reader.resource({FINDINGS: document})


@collects(Organization)
def organizations(reader: "Reader") -> Iterator[Resource]:
    """The account's organisation."""
    reading = reader.read(ORGANIZATION)
    if isinstance(reading, dict):
        yield from reader.resource({ORGANIZATION: reading})
    elif reading is not None:
        reader.incomplete(reading)
