"""Larkspur Analytics, the company of the demo account: its teams, keys, networks and the shapes they share."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from auditor.demo.state import ACCOUNT, DemoState

PROD = "eu-west-1"
LAB = "us-east-1"
PARTNER = "210987654321"
"""The account of a partner, whose key and roles Larkspur uses."""

OWNERS = {
    "churn": "maya.lindqvist@larkspur.example",
    "fraud": "tomas.okafor@larkspur.example",
    "search": "ines.castellano@larkspur.example",
    "demand": "ravi.banerjee@larkspur.example",
    "research": "hanna.weiss@larkspur.example",
    "platform": "ml-platform@larkspur.example",
}

SUBNETS = {
    PROD: ["subnet-0a41c7d92e5b83f10", "subnet-0b52d8ea3f6c94021"],
    LAB: ["subnet-0c63e9fb407da5132"],
}
VPCS = {PROD: "vpc-0f96bc2e73a0d8465", LAB: "vpc-0a07cd3f84b1e9576"}
GROUPS = {PROD: ["sg-0d74fa0c518eb6243"], LAB: ["sg-0e85ab1d629fc7354"]}

KEYS = {
    "data": f"arn:aws:kms:{PROD}:{ACCOUNT}:key/5b0c1d7e-2f64-4a8b-9c3d-6e1f70a2b4c8",
    "legacy": f"arn:aws:kms:{PROD}:{ACCOUNT}:key/8d2e3f90-4b86-4cad-be5f-813192c4d6ea",
    "managed": f"arn:aws:kms:{PROD}:{ACCOUNT}:key/1f405172-6da8-4ecf-a071-a35314e6f80c",
    "s3": f"arn:aws:kms:{PROD}:{ACCOUNT}:key/30516283-7eb9-4fd0-b182-b46425f7091d",
    "research": f"arn:aws:kms:{LAB}:{ACCOUNT}:key/42627394-8fca-40e1-8293-c57536081a2e",
    "partner": f"arn:aws:kms:{PROD}:{PARTNER}:key/537384a5-90db-41f2-93a4-d68647192b3f",
}


def role(name: str, path: str = "/") -> str:
    """The ARN of one of the company's roles."""
    return f"arn:aws:iam::{ACCOUNT}:role{path}{name}"


def tags(team: str, environment: str = "production", **more: str) -> dict[str, str]:
    """The tags that the company asks for: Environment, Owner, Project."""
    return {
        "Environment": environment,
        "Owner": OWNERS[team],
        "Project": team,
        **{key.replace("_", "-"): value for key, value in more.items()},
    }


def ago(state: DemoState, days: float = 0, hours: float = 0) -> datetime:
    """A moment before the account's now."""
    return state.now - timedelta(days=days, hours=hours)


def arn(region: str, resource: str, service: str = "sagemaker") -> str:
    """An ARN of the account."""
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{resource}"


def network(region: str) -> dict[str, list[str]]:
    """The VPC configuration of jobs and models."""
    return {"Subnets": list(SUBNETS[region]), "SecurityGroupIds": list(GROUPS[region])}


def own_image(region: str, repository: str, tag: str) -> str:
    """An image of the company's own registry."""
    return f"{ACCOUNT}.dkr.ecr.{region}.amazonaws.com/{repository}:{tag}"


def xgboost(region: str) -> str:
    """The built-in XGBoost of a Region, which AWS owns."""
    owner = {PROD: "141502667606", LAB: "683313688378"}[region]
    return f"{owner}.dkr.ecr.{region}.amazonaws.com/sagemaker-xgboost:1.7-1"


def deep_learning(region: str, name: str = "pytorch-training:2.5.1-gpu-py311") -> str:
    """A deep learning container, which AWS owns."""
    return f"763104351884.dkr.ecr.{region}.amazonaws.com/{name}"


SECRETS: Mapping[str, str] = {
    "access key": "AK" + "IA" + "3XQ7PL2VN" + "DW5K4TZ",
    "secret key": "q7Vd" + "Rm2xKp9L" + "wZ4tNf8YhB" + "c3JsGv6Tq1E" + "uXo5Ai0",
    "hub token": "hf" + "_" + "kQzWvRmTnBxLpYdJ" + "sHcGfUaEoIyPqKwXbN",
    "password": "vT8#" + "kQ2m" + "Zx9!" + "Lw4p" + "Rb7e",
    "json web token": ".".join(
        (
            "ey" + "JhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
            "ey" + "JzdWIiOiJsYXJrc3B1ci1vY3IiLCJyb2xlIjoid3JpdGVyIn0",
            "4Jx0Qm7Zt2Vb9Kd5" + "Lr8Wn1Hs6Pc3Gy0Tf",
        )
    ),
    "api token": "9fK2" + "wQ7xLm4T" + "vZ8rBn3Y" + "dH6sJc1P",
}
"""Planted secrets, which no service knows. They are put together here so that no scanner of sources stops at them."""
