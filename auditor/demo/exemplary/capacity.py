"""Room to grow in the exemplary account: two zones, quotas with headroom, concurrency that is never reached."""

from auditor.demo.exemplary.names import REGION, SUBNETS, VPC, ago, arn
from auditor.demo.state import ACCOUNT, DemoState, Series

_ZONES = ("euw1-az1", "euw1-az2")


def _zones(state: DemoState) -> None:
    listed = [
        {
            "SubnetId": name,
            "SubnetArn": arn(f"subnet/{name}", "ec2"),
            "VpcId": VPC,
            "State": "available",
            "CidrBlock": f"10.30.{16 * number}.0/20",
            "AvailabilityZone": f"{REGION}{'ab'[number]}",
            "AvailabilityZoneId": _ZONES[number],
            "OwnerId": ACCOUNT,
        }
        for number, name in enumerate(SUBNETS)
    ]
    state.answer("ec2:DescribeSubnets", {"Subnets": listed})
    # An older Region: it has no Graviton and no Inferentia to move to.
    offered = [
        {"InstanceType": name, "LocationType": "availability-zone-id", "Location": zone}
        for name in ("c7i.xlarge", "c7i.2xlarge")
        for zone in _ZONES
    ]
    state.answer("ec2:DescribeInstanceTypeOfferings", {"InstanceTypeOfferings": offered})


def _limits(state: DemoState) -> None:
    listed = [
        {
            "ServiceCode": "sagemaker",
            "QuotaArn": arn(f"sagemaker/L-0000000{number}", "servicequotas"),
            "QuotaCode": f"L-0000000{number}",
            "QuotaName": f"{name} for endpoint usage",
            "Value": 40.0,
            "Adjustable": True,
        }
        for number, name in enumerate(("ml.c7i.xlarge", "ml.c7i.2xlarge"))
    ]
    state.answer("service-quotas:ListServiceQuotas", {"Quotas": listed})
    state.answer("sagemaker:ListAIBenchmarkJobs", {"AIBenchmarkJobs": []})
    reached = Series(ago(state, 15), state.now, 3600, ((0.1, 20.0), (0.3, 2.0)))
    state.metric(
        REGION,
        "AWS/SageMaker",
        "ServerlessConcurrentExecutionsUtilization",
        {"EndpointName": "triage", "VariantName": "main"},
        reached,
    )


def fill(state: DemoState) -> None:
    """Add them to the account."""
    _zones(state)
    _limits(state)
