"""Networks and images, good and bad: production is private and scanned, the laboratory is open."""

import json
from typing import Any

from auditor.demo.company import GROUPS, KEYS, LAB, PROD, SUBNETS, VPCS, ago, arn, role, tags
from auditor.demo.shapes import Document
from auditor.demo.state import ACCOUNT, DemoState

_ANYWHERE = [{"CidrIp": "0.0.0.0/0"}]
_TABLES = {PROD: ("rtb-0b18de40958afa687", "rtb-0c29ef51a69b0b798"), LAB: ("rtb-0d3af062b7ac1c8a9",)}
_NAT = "nat-0e4b0173c8bd2d9ba"
_INTERFACES = ("sagemaker.api", "sagemaker.runtime", "logs", "monitoring", "sts", "ecr.api", "ecr.dkr", "kms")
_OWN_ORGANIZATION = {
    "Effect": "Allow",
    "Principal": "*",
    "Action": "*",
    "Resource": "*",
    "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-larkspur01"}},
}
_EVERYTHING = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}


def _networks(state: DemoState) -> None:
    """Both VPCs are the company's; only production's traffic is recorded."""
    for region in (PROD, LAB):
        vpc = {"VpcId": VPCS[region], "OwnerId": ACCOUNT, "State": "available", "IsDefault": False}
        held = [{"Key": key, "Value": value} for key, value in tags("platform").items()]
        state.answer("ec2:DescribeVpcs", {"Vpcs": [{**vpc, "Tags": held}]}, region=region)
    log = {
        "FlowLogId": "fl-0f5c1284d9ce3eacb",
        "ResourceId": VPCS[PROD],
        "FlowLogStatus": "ACTIVE",
        "DeliverLogsStatus": "SUCCESS",
        "TrafficType": "ALL",
        "LogDestinationType": "s3",
        "LogDestination": "arn:aws:s3:::larkspur-access-logs",
        "CreationTime": ago(state, days=700),
    }
    state.answer("ec2:DescribeFlowLogs", {"FlowLogs": [log]}, region=PROD)
    state.answer("ec2:DescribeFlowLogs", {"FlowLogs": []}, region=LAB)


def _rule(protocol: str, port: int | None, **source: Any) -> Document:
    ports = {} if port is None else {"FromPort": port, "ToPort": port}
    return {"IpProtocol": protocol, **ports, **source}


def _security_groups(state: DemoState) -> None:
    """Production lets nothing in and everything out; the laboratory had Jupyter opened to everybody."""
    rules = {
        PROD: (
            [_rule("-1", None, UserIdGroupPairs=[{"GroupId": GROUPS[PROD][0], "UserId": ACCOUNT}])],
            [_rule("-1", None, IpRanges=_ANYWHERE)],
        ),
        LAB: (
            [_rule("tcp", 8888, IpRanges=_ANYWHERE)],
            [_rule("tcp", 443, IpRanges=[{"CidrIp": "10.20.0.0/16"}])],
        ),
    }
    for region, (ingress, egress) in rules.items():
        group = GROUPS[region][0]
        document = {
            "GroupId": group,
            "GroupName": "ml-workloads",
            "Description": "Machine learning",
            "OwnerId": ACCOUNT,
            "VpcId": VPCS[region],
            "SecurityGroupArn": arn(region, f"security-group/{group}", "ec2"),
            "IpPermissions": ingress,
            "IpPermissionsEgress": egress,
            "Tags": [{"Key": "Environment", "Value": "production"}],
        }
        state.answer("ec2:DescribeSecurityGroups", {"SecurityGroups": [document]}, region=region)


def _route_tables(state: DemoState) -> None:
    """One subnet of production leads to a NAT; no other subnet leads out."""
    for region, names in _TABLES.items():
        tables = []
        for number, (table, subnet) in enumerate(zip(names, SUBNETS[region], strict=True)):
            routes: list[Document] = [
                {"DestinationCidrBlock": "10.20.0.0/16", "GatewayId": "local", "State": "active"}
            ]
            if number:
                routes.append({"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": _NAT, "State": "active"})
            tables.append(
                {
                    "RouteTableId": table,
                    "VpcId": VPCS[region],
                    "OwnerId": ACCOUNT,
                    "Associations": [{"RouteTableId": table, "SubnetId": subnet, "Main": False}],
                    "Routes": routes,
                }
            )
        state.answer("ec2:DescribeRouteTables", {"RouteTables": tables}, region=region)


def _endpoint(region: str, number: int, service: str, statement: Document, **more: Any) -> Document:
    return {
        "VpcEndpointId": f"vpce-0{number:02d}a6d2395eadf4fbd",
        "VpcId": VPCS[region],
        "ServiceName": service if service.startswith("aws.") else f"com.amazonaws.{region}.{service}",
        "State": "available",
        "OwnerId": ACCOUNT,
        "PolicyDocument": json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        **more,
    }


def _endpoints(state: DemoState) -> None:
    """Production reaches every service that it uses, CodeArtifact too; the laboratory S3 alone."""
    interface = {
        "VpcEndpointType": "Interface",
        "PrivateDnsEnabled": True,
        "SubnetIds": SUBNETS[PROD],
        "Groups": [{"GroupId": GROUPS[PROD][0], "GroupName": "ml-workloads"}],
    }
    studio = (f"aws.sagemaker.{PROD}.notebook", f"aws.sagemaker.{PROD}.studio")
    packages = ("codeartifact.api", "codeartifact.repositories")
    held = [
        _endpoint(PROD, number, service, _OWN_ORGANIZATION, **interface)
        for number, service in enumerate((*_INTERFACES, *studio, *packages))
    ]
    gateway = {"VpcEndpointType": "Gateway", "PrivateDnsEnabled": False}
    held.append(_endpoint(PROD, 20, "s3", _OWN_ORGANIZATION, **gateway, RouteTableIds=list(_TABLES[PROD])))
    lab = _endpoint(LAB, 21, "s3", _EVERYTHING, **gateway, RouteTableIds=list(_TABLES[LAB]))
    state.answer("ec2:DescribeVpcEndpoints", {"VpcEndpoints": held}, region=PROD)
    state.answer("ec2:DescribeVpcEndpoints", {"VpcEndpoints": [lab]}, region=LAB)
    for region in (PROD, LAB):
        state.answer("codeartifact:ListRepositories", {"repositories": []}, region=region)


def _corpus_notebook(state: DemoState) -> None:
    """The laboratory's one notebook without internet: nobody gave it a source of packages."""
    name = "policy-corpus"
    document = {
        "NotebookInstanceArn": arn(LAB, f"notebook-instance/{name}"),
        "NotebookInstanceName": name,
        "NotebookInstanceStatus": "InService",
        "InstanceType": "ml.m7i.large",
        "SubnetId": SUBNETS[LAB][0],
        "SecurityGroups": list(GROUPS[LAB]),
        "RoleArn": role("ml-notebooks"),
        "KmsKeyId": KEYS["research"],
        "LastModifiedTime": ago(state, days=0.3),
        "CreationTime": ago(state, days=20),
        "DirectInternetAccess": "Disabled",
        "VolumeSizeInGB": 20,
        "RootAccess": "Disabled",
        "PlatformIdentifier": "notebook-al2023-v1",
        "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "2"},
    }
    state.add("NotebookInstance", LAB, document, tags("research", "development"))


_REPOSITORIES: tuple[tuple[str, str, bool], ...] = (
    ("fraud/gnn", "IMMUTABLE", True),
    ("search/ranker", "IMMUTABLE", True),
    ("platform/features", "MUTABLE", False),
    ("demand/forecaster", "MUTABLE", True),
)
_SCANNED = (("fraud/gnn", "2.1.0", {"MEDIUM": 4}), ("search/ranker", "3.0.2", {"CRITICAL": 2, "HIGH": 6}))


def _images(state: DemoState) -> None:
    """One repository is as it should be; one holds a weak image, one is neither scanned nor fixed."""
    repositories = [
        {
            "repositoryArn": arn(PROD, f"repository/{name}", "ecr"),
            "registryId": ACCOUNT,
            "repositoryName": name,
            "repositoryUri": f"{ACCOUNT}.dkr.ecr.{PROD}.amazonaws.com/{name}",
            "createdAt": ago(state, days=600),
            "imageTagMutability": mutability,
            "imageScanningConfiguration": {"scanOnPush": scanned},
            "encryptionConfiguration": {"encryptionType": "AES256"},
        }
        for name, mutability, scanned in _REPOSITORIES
    ]
    state.answer("ecr:DescribeRepositories", {"repositories": repositories}, region=PROD)
    for number, (name, tag, counts) in enumerate(_SCANNED):
        image = {
            "registryId": ACCOUNT,
            "repositoryName": name,
            "imageDigest": f"sha256:{number + 7:064x}",
            "imageTags": [tag],
            "imageStatus": "ACTIVE",
            "imagePushedAt": ago(state, days=70),
            "imageScanStatus": {"status": "COMPLETE"},
            "imageScanFindingsSummary": {
                "imageScanCompletedAt": ago(state, days=69),
                "findingSeverityCounts": counts,
            },
        }
        found = {"imageDetails": [image]}
        state.answer("ecr:DescribeImages", found, region=PROD, when={"repositoryName": name})


def fill(state: DemoState) -> None:
    """Add them to the account."""
    for seed in (
        _networks,
        _security_groups,
        _route_tables,
        _endpoints,
        _corpus_notebook,
        _images,
    ):
        seed(state)
