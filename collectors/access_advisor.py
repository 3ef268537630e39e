"""IAM's access advisor: when a role last used each service that its policies grant."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from collectors.collector import collects
from collectors.iam import Role
from collectors.model import Document, Gap, Operation, Reading, Reason, Resource, Unread
from collectors.view import PART, Part, View, items, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

GENERATE = Operation(
    "iam", "GenerateServiceLastAccessedDetails", parameters=(("Granularity", "SERVICE_LEVEL"),)
)
GET = Operation("iam", "GetServiceLastAccessedDetails", parameters=(("MaxItems", 1000),))


class GrantedService(Part):
    """A service that the role's policies grant."""

    service_namespace = required(PART, "ServiceNamespace", str, "s3")
    last_authenticated = optional(PART, "LastAuthenticated", datetime)


class RoleAccess(View, kind="role-access", listing=(GET,), is_global=True):
    """What a role may use and when it last did. AWS looks back 400 days and lags some hours."""

    services_last_accessed = items(GET, "ServicesLastAccessed[]", GrantedService)


@collects(RoleAccess, follows=(Role,))
def role_access(reader: "Reader") -> Iterator[Resource]:
    """A report for each role that SageMaker may assume: all are started before the first is waited for."""
    arns = [role.id for role in reader.known(Role) if _serves_sagemaker(role)]

    def started(arn: str) -> Reading:
        return reader.read(GENERATE, Arn=arn)

    def finished(job: tuple[str, Reading]) -> list[Resource]:
        arn, reading = job
        if isinstance(reading, dict):
            reading = _report(reader, str(reading["JobId"]))
        return list(reader.resource({GET: reading}, key=arn, name=arn.rpartition("/")[2]))

    jobs = list(zip(arns, reader.gather(started, arns), strict=True))
    for found in reader.gather(finished, jobs):
        yield from found


def _serves_sagemaker(role: Role) -> bool:
    """Whether its trust policy names SageMaker or everyone; more exactly is for the rules to say."""
    try:
        text = json.dumps(role.assume_role_policy_document)
    except Unread:
        return True
    return '"sagemaker' in text or '"*"' in text


def _report(reader: "Reader", job: str) -> Reading:
    """A finished report: botocore has no paginator for it, so its pages are turned here."""
    found = reader.poll(GET, lambda answer: answer["JobStatus"] != "IN_PROGRESS", JobId=job)
    services: list[Any] = []
    while isinstance(found, dict):
        if found["JobStatus"] != "COMPLETED":
            message = str((found.get("Error") or {}).get("Message", found["JobStatus"]))
            return reader.caller.note(Gap(str(GET), Reason.FAILED, "", message, reader.region.account))
        services += found.get("ServicesLastAccessed", ())
        if not found.get("IsTruncated"):
            whole: Document = {**found, "ServicesLastAccessed": services}
            return whole
        found = reader.read(GET, JobId=job, Marker=found["Marker"])
    return found
