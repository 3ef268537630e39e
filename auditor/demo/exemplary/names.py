"""Names and small documents that the exemplary account's modules share: Alder Clinics, in one Region."""

from datetime import datetime, timedelta
from typing import Any

from auditor.demo.shapes import Document
from auditor.demo.state import ACCOUNT, DemoState

REGION = "eu-west-1"
HOME = "us-east-1"
"""Where the demo keeps what is global."""

DATA = "alder-ml-data"
MODELS = "alder-ml-models"
CAPTURE = "alder-ml-capture"
LOGS = "alder-logs"
SUBNETS = ["subnet-0a10000000000001a", "subnet-0a10000000000002b"]
GROUP = "sg-0a10000000000001a"
VPC = "vpc-0a10000000000001a"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a100000-0000-4000-8000-000000000001"
ONCALL = f"arn:aws:sns:{REGION}:{ACCOUNT}:ml-oncall"
TAGS = {"Environment": "production", "Owner": "ml-platform@alder.example", "Project": "readmission"}


def arn(resource: str, service: str = "sagemaker") -> str:
    """An ARN of the account in its Region."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def role(name: str) -> str:
    """The ARN of a role."""
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def ago(state: DemoState, days: float) -> datetime:
    """A moment before the account's now."""
    return state.now - timedelta(days=days)


def network() -> dict[str, list[str]]:
    """The VPC configuration of jobs and models."""
    return {"Subnets": list(SUBNETS), "SecurityGroupIds": [GROUP]}


def image(name: str) -> str:
    """One of AWS's own images."""
    owners = {"sagemaker-xgboost:1.7-1": "141502667606"}
    return f"{owners.get(name, '763104351884')}.dkr.ecr.{REGION}.amazonaws.com/{name}"


def own_image() -> str:
    """The account's own image, by its digest's tag."""
    return f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/readmission@sha256:{'a1' * 32}"


XGBOOST = image("sagemaker-xgboost:1.7-1")


def allow(action: str | list[str], resource: str | list[str], **more: Any) -> Document:
    """A statement of a policy."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}
