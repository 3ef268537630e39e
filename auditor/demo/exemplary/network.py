"""The exemplary account's network: private subnets, closed groups, a record of traffic, endpoints for all."""

import json

from auditor.demo.exemplary.names import GROUP, REGION, SUBNETS, VPC, ago, arn
from auditor.demo.shapes import Document
from auditor.demo.state import ACCOUNT, DemoState

_TABLE = "rtb-0a10000000000001a"
_SERVICES = (
    *("sagemaker.api", "sagemaker.runtime", "logs", "monitoring", "sts", "ecr.api", "ecr.dkr", "kms"),
    *(f"aws.sagemaker.{REGION}.notebook", f"aws.sagemaker.{REGION}.studio"),
    *("codeartifact.api", "codeartifact.repositories"),
)


def _network(state: DemoState) -> None:
    vpc = {"VpcId": VPC, "OwnerId": ACCOUNT, "State": "available", "IsDefault": False}
    state.answer("ec2:DescribeVpcs", {"Vpcs": [vpc]})
    table = {
        "RouteTableId": _TABLE,
        "VpcId": VPC,
        "OwnerId": ACCOUNT,
        "Associations": [{"RouteTableId": _TABLE, "Main": True}],
        "Routes": [{"DestinationCidrBlock": "10.30.0.0/16", "GatewayId": "local", "State": "active"}],
    }
    state.answer("ec2:DescribeRouteTables", {"RouteTables": [table]})
    inside = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": GROUP, "UserId": ACCOUNT}]}
    group = {
        "GroupId": GROUP,
        "GroupName": "ml",
        "Description": "Machine learning",
        "OwnerId": ACCOUNT,
        "VpcId": VPC,
        "SecurityGroupArn": arn(f"security-group/{GROUP}", "ec2"),
        "IpPermissions": [inside],
        "IpPermissionsEgress": [inside],
    }
    state.answer("ec2:DescribeSecurityGroups", {"SecurityGroups": [group]})
    log = {
        "FlowLogId": "fl-0a10000000000001a",
        "ResourceId": VPC,
        "FlowLogStatus": "ACTIVE",
        "DeliverLogsStatus": "SUCCESS",
        "TrafficType": "ALL",
        "CreationTime": ago(state, 400),
    }
    state.answer("ec2:DescribeFlowLogs", {"FlowLogs": [log]})


def _endpoint(number: int, service: str) -> Document:
    gateway = service == "s3"
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "*",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-alder00001"}},
    }
    return {
        "VpcEndpointId": f"vpce-0a100000000000{number:03d}",
        "VpcId": VPC,
        "OwnerId": ACCOUNT,
        "State": "available",
        "ServiceName": service if service.startswith("aws.") else f"com.amazonaws.{REGION}.{service}",
        "VpcEndpointType": "Gateway" if gateway else "Interface",
        "PrivateDnsEnabled": not gateway,
        "RouteTableIds": [_TABLE] if gateway else [],
        "SubnetIds": [] if gateway else list(SUBNETS),
        "Groups": [] if gateway else [{"GroupId": GROUP, "GroupName": "ml"}],
        "PolicyDocument": json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    }


def _endpoints(state: DemoState) -> None:
    held = [_endpoint(number, service) for number, service in enumerate((*_SERVICES, "s3"))]
    state.answer("ec2:DescribeVpcEndpoints", {"VpcEndpoints": held})
    repository = {
        "name": "packages",
        "domainName": "ml",
        "domainOwner": ACCOUNT,
        "arn": arn("repository/ml/packages", "codeartifact"),
    }
    state.answer("codeartifact:ListRepositories", {"repositories": [repository]})


def fill(state: DemoState) -> None:
    """Add it to the account."""
    _network(state)
    _endpoints(state)
