"""Where the endpoints of all teams come from: stacks, Terraform, and people."""

import json
from datetime import timedelta
from typing import Any

from auditor.demo.company import LAB, PROD
from auditor.demo.shapes import Document
from auditor.demo.state import ACCOUNT, DemoState

_STACKS = {"churn-realtime": "churn-serving", "fraud-scoring": "fraud-serving"}
_FORGOTTEN = frozenset({"churn-legacy", "ner"})


def _event(endpoint: str, made: Any) -> Document:
    who = {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/ml-studio/tomas-okafor",
        "sessionContext": {"sessionIssuer": {"userName": "ml-studio"}},
    }
    details = {"userIdentity": who, "requestParameters": {"endpointName": endpoint}}
    return {
        "EventId": f"create-{endpoint}",
        "EventName": "CreateEndpoint",
        "EventTime": made,
        "Username": "tomas-okafor",
        "CloudTrailEvent": json.dumps(details),
    }


def fill(state: DemoState) -> None:
    """Mark them, and keep who made the younger ones; of the oldest nobody remembers."""
    oldest = state.now - timedelta(days=90)
    for region in (PROD, LAB):
        made: list[Document] = []
        for endpoint in state.documents("Endpoint", region):
            name, held = endpoint["EndpointName"], endpoint["EndpointArn"]
            if name in _STACKS:
                own = {tag["Key"]: tag["Value"] for tag in state.tags(held)}
                state.tag(held, {**own, "aws:cloudformation:stack-name": _STACKS[name]})
            elif endpoint["CreationTime"] >= oldest:
                made.append(_event(name, endpoint["CreationTime"]))
            elif name not in _FORGOTTEN:
                own = {tag["Key"]: tag["Value"] for tag in state.tags(held)}
                state.tag(held, {**own, "managed-by": "terraform"})
        for call, events in (("CreateEndpoint", made), ("UpdateEndpoint", [])):
            asked = [{"AttributeKey": "EventName", "AttributeValue": call}]
            state.answer(
                "cloudtrail:LookupEvents", {"Events": events}, region=region, when={"LookupAttributes": asked}
            )
