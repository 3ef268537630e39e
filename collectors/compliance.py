"""Evidence of compliance programmes: agreements with AWS, conformance packs, assessments; signing profiles."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.view import View, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST_AGREEMENTS = Operation("artifact", "ListCustomerAgreements", result="customerAgreements[]")
DESCRIBE_PACKS = Operation("config", "DescribeConformancePacks", result="ConformancePackDetails[]")
LIST_ASSESSMENTS = Operation("auditmanager", "ListAssessments", result="assessmentMetadata[]")
LIST_PROFILES = Operation("signer", "ListSigningProfiles", result="profiles[]")


class CustomerAgreement(
    View, kind="customer-agreement", listing=(LIST_AGREEMENTS,), name="name", arn="arn", is_global=True
):
    """An agreement that the account accepted in AWS Artifact, such as the Business Associate Addendum."""

    state = required(LIST_AGREEMENTS, "state", str, "ACTIVE")


class ConformancePack(
    View,
    kind="conformance-pack",
    listing=(DESCRIBE_PACKS,),
    name="ConformancePackName",
    arn="ConformancePackArn",
):
    """A pack of AWS Config rules."""


class Assessment(View, kind="assessment", listing=(LIST_ASSESSMENTS,), name="name", arn="id"):
    """An assessment of AWS Audit Manager."""

    compliance_type = optional(LIST_ASSESSMENTS, "complianceType", str)


class SigningProfile(
    View, kind="signing-profile", listing=(LIST_PROFILES,), name="profileName", arn="profileVersionArn"
):
    """A profile of AWS Signer, with which images can be signed."""

    status = required(LIST_PROFILES, "status", str, "Active")


@collects(CustomerAgreement)
def customer_agreements(reader: "Reader") -> Iterator[Resource]:
    """Every agreement of the account."""
    for document in reader.list(LIST_AGREEMENTS):
        yield from reader.resource({LIST_AGREEMENTS: document})


@collects(ConformancePack)
def conformance_packs(reader: "Reader") -> Iterator[Resource]:
    """The conformance packs of a Region."""
    for document in reader.list(DESCRIBE_PACKS):
        yield from reader.resource({DESCRIBE_PACKS: document})


@collects(Assessment)
def assessments(reader: "Reader") -> Iterator[Resource]:
    """The assessments of a Region."""
    for document in reader.list(LIST_ASSESSMENTS):
        yield from reader.resource({LIST_ASSESSMENTS: document})


@collects(SigningProfile)
def signing_profiles(reader: "Reader") -> Iterator[Resource]:
    """The signing profiles of a Region."""
    for document in reader.list(LIST_PROFILES):
        yield from reader.resource({LIST_PROFILES: document})
