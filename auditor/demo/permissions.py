"""What tells whether permissions are used and reviewed: access advisor, analyzers, credentials, reviews."""

from collections.abc import Sequence
from datetime import datetime

from auditor.demo.company import LAB, PROD, ago, arn, role
from auditor.demo.oversight import MANAGEMENT
from auditor.demo.shapes import Document
from auditor.demo.state import ACCOUNT, DemoState

_WIDE = ("s3", "sagemaker", "logs", "ecr", "dynamodb", "ec2", "glue", "kms", "lambda", "sqs")
_NARROW = ("s3", "logs", "cloudwatch", "ecr", "sagemaker")


def advise(state: DemoState, number: int, role_arn: str, granted: Sequence[str], used: int) -> None:
    """What access advisor says of a role: the services of its policies, of which it used the first few."""
    services: list[Document] = [
        {
            "ServiceName": service,
            "ServiceNamespace": service,
            "TotalAuthenticatedEntities": int(place < used),
            **({"LastAuthenticated": ago(state, days=2)} if place < used else {}),
        }
        for place, service in enumerate(granted)
    ]
    job = f"00000000-0000-4000-8000-{number:012d}"
    state.answer("iam:GenerateServiceLastAccessedDetails", {"JobId": job}, when={"Arn": role_arn})
    state.answer(
        "iam:GetServiceLastAccessedDetails",
        {
            "JobStatus": "COMPLETED",
            "JobCreationDate": state.now,
            "JobCompletionDate": state.now,
            "ServicesLastAccessed": services,
            "IsTruncated": False,
        },
        when={"JobId": job},
    )


def _access_advisor(state: DemoState) -> None:
    """Most roles use what they have; the research role has ten services and uses two."""
    for number, found in enumerate(state.documents("Role", LAB)):
        granted, used = (_WIDE, 2) if found["RoleName"] in ("ml-research", "ml-shared") else (_NARROW, 5)
        advise(state, number, found["Arn"], granted, used)


def report_credentials(state: DemoState, rows: Sequence[str]) -> None:
    """Let IAM have a credential report with these rows, an hour old."""
    report: Document = {
        "Content": "\n".join((_HEADER, *rows)).encode(),
        "ReportFormat": "text/csv",
        "GeneratedTime": ago(state, hours=1),
    }
    state.answer("iam:GenerateCredentialReport", {"State": "COMPLETE"})
    state.answer("iam:GetCredentialReport", report)


_HEADER = (
    "user,arn,user_creation_time,password_enabled,password_last_used,mfa_active,access_key_1_active,"
    "access_key_1_last_rotated,access_key_1_last_used_date,access_key_2_active,"
    "access_key_2_last_rotated,access_key_2_last_used_date"
)


def _credentials(state: DemoState) -> None:
    """An engineer without MFA and with an old key beside one who signs in well."""
    rows = [credentials_of(state, "<root_account>", "not_supported", "true", None)]
    old = ago(state, days=410)
    for user in state.documents("User", LAB):
        name = user["UserName"]
        careless = name == "ines.castellano"
        rows.append(
            credentials_of(state, name, "true", "false" if careless else "true", old if careless else None)
        )
    report_credentials(state, rows)


def credentials_of(state: DemoState, name: str, password: str, mfa: str, key: datetime | None) -> str:
    """A row of the report: whether there is a password, MFA, and an access key of what age."""
    root = name == "<root_account>"
    holder = f"arn:aws:iam::{ACCOUNT}:{'root' if root else f'user/{name}'}"
    used = ago(state, days=1).isoformat()
    first = ("true", key.isoformat(), used) if key else ("false", "N/A", "N/A")
    made = ago(state, days=500).isoformat()
    return ",".join((name, holder, made, password, used, mfa, *first, "false", "N/A", "N/A"))


def _analyzers(state: DemoState) -> None:
    """Unused access is looked for, and what was found months ago still stands."""
    unused: Document = {
        "arn": arn(PROD, "analyzer/unused-access", "access-analyzer"),
        "name": "unused-access",
        "type": "ACCOUNT_UNUSED_ACCESS",
        "createdAt": ago(state, days=300),
        "status": "ACTIVE",
    }
    finding: Document = {
        "id": "3f1c0a52-0000-4000-8000-9d8e7f605142",
        "findingType": "UnusedPermission",
        "resource": role("ml-shared"),
        "resourceType": "AWS::IAM::Role",
        "resourceOwnerAccount": ACCOUNT,
        "status": "ACTIVE",
        "analyzedAt": ago(state, days=1),
        "createdAt": ago(state, days=200),
        "updatedAt": ago(state, days=200),
    }
    state.answer("accessanalyzer:ListAnalyzers", {"analyzers": [unused]}, region=PROD)
    state.answer("accessanalyzer:ListAnalyzers", {"analyzers": []}, region=LAB)
    state.answer("accessanalyzer:ListFindingsV2", {"findings": [finding]}, region=PROD)
    organization: Document = {
        "Id": "o-larkspur01",
        "Arn": f"arn:aws:organizations::{MANAGEMENT}:organization/o-larkspur01",
        "FeatureSet": "ALL",
        "MasterAccountId": MANAGEMENT,
    }
    state.answer("organizations:DescribeOrganization", {"Organization": organization})


def _reviews(state: DemoState) -> None:
    """A review that is older than a year."""
    workload: Document = {
        "WorkloadId": "0123456789abcdef0123456789abcdef",
        "WorkloadArn": arn(PROD, "workload/0123456789abcdef0123456789abcdef", "wellarchitected"),
        "WorkloadName": "larkspur-models",
        "Owner": ACCOUNT,
        "UpdatedAt": ago(state, days=500),
        "Lenses": ["wellarchitected", "arn:aws:wellarchitected::aws:lens/machinelearning"],
    }
    state.answer("wellarchitected:ListWorkloads", {"WorkloadSummaries": [workload]}, region=PROD)
    state.answer("wellarchitected:ListWorkloads", {"WorkloadSummaries": []}, region=LAB)


def _inference_calls(state: DemoState) -> None:
    """CloudTrail Lake keeps who called the endpoints of production."""
    store = arn(PROD, "eventdatastore/1a2b3c4d-0000-4000-8000-5e6f70819203", "cloudtrail")
    conditions = [
        {"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.type", "Equals": ["AWS::SageMaker::Endpoint"]},
    ]
    state.add(
        "EventDataStore",
        PROD,
        {
            "EventDataStoreArn": store,
            "Name": "inference-calls",
            "Status": "ENABLED",
            "MultiRegionEnabled": False,
            "AdvancedEventSelectors": [{"Name": "Calls of endpoints", "FieldSelectors": conditions}],
        },
    )


def fill(state: DemoState) -> None:
    """Add them to the account."""
    for seed in (_access_advisor, _credentials, _analyzers, _reviews, _inference_calls):
        seed(state)
