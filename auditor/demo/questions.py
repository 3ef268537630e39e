"""What stands behind the answers of people: agreements, assessments, signatures, dashboards."""

import json

from auditor.demo.company import LAB, PROD
from auditor.demo.state import DemoState


def fill(state: DemoState) -> None:
    """Add them to the account."""
    agreement = {
        "name": "AWS Business Associate Addendum",
        "id": "agreement-1",
        "state": "CUSTOMER_TERMINATED",
    }
    state.answer("artifact:ListCustomerAgreements", {"customerAgreements": [agreement]})
    body = json.dumps(
        {"widgets": [{"properties": {"metrics": [["KPI", "Retention", "EndpointName", "churn-realtime"]]}}]}
    )
    arn = f"arn:aws:cloudwatch::{state.account}:dashboard/retention"
    entry = {"DashboardName": "retention", "DashboardArn": arn}
    state.answer("cloudwatch:ListDashboards", {"DashboardEntries": [entry]})
    state.answer(
        "cloudwatch:GetDashboard", {**entry, "DashboardBody": body}, when={"DashboardName": "retention"}
    )
    for region in (PROD, LAB):
        state.answer("config:DescribeConformancePacks", {"ConformancePackDetails": []}, region=region)
        state.answer("auditmanager:ListAssessments", {"assessmentMetadata": []}, region=region)
        profile = {
            "profileName": "ml_images",
            "profileVersionArn": f"arn:aws:signer:{region}:{state.account}:/signing-profiles/ml_images/1",
            "platformId": "Notation-OCI-SHA384-ECDSA",
            "status": "Active",
        }
        state.answer(
            "signer:ListSigningProfiles", {"profiles": [profile] if region == PROD else []}, region=region
        )
        event = {
            "EventName": "ListEndpoints",
            "CloudTrailEvent": json.dumps({"tlsDetails": {"tlsVersion": "TLSv1.3"}}),
        }
        state.answer("cloudtrail:LookupEvents", {"Events": [event]}, region=region)
