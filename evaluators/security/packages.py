"""Where people without internet get packages from."""

from collectors.attachments import attachments
from collectors.network import PackageRepository, RouteTable, Subnet, VpcEndpoint
from collectors.sagemaker.models import Model
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sagemaker.studio import Domain
from collectors.sample import Sample, sample
from collectors.view import Region
from evaluators.controls import lens
from evaluators.routes import exits
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule

_NOTEBOOK = sample(NotebookInstance, subnet_id="subnet-1")
_SUBNET = sample(Subnet, "subnet-1")


def _table(**route: str) -> Sample:
    everywhere = [{"destination_cidr_block": "0.0.0.0/0", "state": "active", **route}] if route else []
    return sample(
        RouteTable, "rtb-1", arn="rtb-1", associations=[{"subnet_id": "subnet-1"}], routes=everywhere
    )


def _endpoint(service: str) -> Sample:
    return sample(VpcEndpoint, f"vpce-{service}", service_name=f"com.amazonaws.eu-west-1.{service}")


_REPOSITORY_REGIONS = frozenset(
    {
        "ap-northeast-1",
        "ap-south-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "eu-central-1",
        "eu-north-1",
        "eu-south-1",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "us-east-1",
        "us-east-2",
        "us-west-2",
    }
)
"""Where CodeArtifact is offered; in no other partition. Source: botocore's endpoints, 2026."""

_DOMAIN = sample(Domain, "d-1", subnet_ids=["subnet-1"], app_network_access_type="VpcOnly")
_PACKAGES = sample(PackageRepository, "pypi-store", domain_name="ml")


@rule(
    "SEC-039",
    Severity.LOW,
    confidence=0.7,
    bad=[
        given(_NOTEBOOK, _SUBNET, _table()),
        given(_DOMAIN, _SUBNET, _table(), _endpoint("s3")),
    ],
    good=[
        given(_NOTEBOOK, _SUBNET, _table(), _PACKAGES),
        given(_DOMAIN, _SUBNET, _table(), _endpoint("codeartifact.repositories")),
        given(_NOTEBOOK, _SUBNET, _table(), alternative_repository="https://nexus.larkspur.example"),
    ],
    exempt=[
        given(sample(Model, subnets=["subnet-1"]), _SUBNET, _table()),
        given(_NOTEBOOK, _SUBNET, _table(nat_gateway_id="nat-1")),
        given(sample(NotebookInstance, subnet_id="subnet-1", direct_internet_access="Enabled"), _SUBNET),
        given(
            sample(Domain, "d-1", subnet_ids=["subnet-1"], app_network_access_type="PublicInternetOnly"),
            _SUBNET,
        ),
        # CodeArtifact is not offered in this Region.
        given(sample(NotebookInstance, subnet_id="subnet-1", region="af-south-1"), regions=("af-south-1",)),
    ],
    remedy="Create a domain and a repository with an upstream, and endpoints for codeartifact.api and "
    "codeartifact.repositories; or name the repository that you have in the settings.",
    command="aws codeartifact create-repository --domain DOMAIN --repository NAME",
    change=Change.IN_PLACE,
    maps=[lens("MLOPS04-BP02")],
)
def missing_package_repository(region: Region, *, alternative_repository: str = "") -> Verdict:
    """Environments without internet should have a private repository of packages.

    Without one, people ask for the internet back. Any repository of CodeArtifact in the audited Regions
    counts, and an endpoint to CodeArtifact, behind which another account's may lie.
    `alternative_repository` names a product of another kind (Nexus, Artifactory, images with all in them).
    Notebooks, VpcOnly domains and clusters count where no route leads out; no container of an isolated
    job could reach a repository.
    """
    if region.partition != "aws" or region.name not in _REPOSITORY_REGIONS:
        return not_applicable("CodeArtifact is not offered here")
    isolated = _isolated(region)
    if not isolated:
        attachments(region).require_whole()
        return not_applicable("no environment is without internet")
    if alternative_repository:
        return passed(f"the settings name {alternative_repository}", isolated=isolated)
    ways = [e.service_name for e in region.all(VpcEndpoint) if ".codeartifact." in e.service_name]
    if ways:
        return passed(ServiceName=sorted(ways))
    found = [f"{each.domain_name}/{each.name}" for each in region.everywhere(PackageRepository)]
    if found:
        return passed(repositories=found[:10])
    return failed(
        "people without internet have nowhere to get packages from", ServiceName=[], isolated=isolated
    )


def _isolated(region: Region) -> list[str]:
    """What people's code runs in with no way to the internet. Subnets that are gone say nothing."""
    found = []
    for held in attachments(region).seen:
        subnets = [region.find(Subnet, name) for name in sorted(held.subnets)] if held.calls_aws else []
        routes = [exits(subnet) for subnet in subnets if subnet is not None]
        if routes and not any(leaves is not False for ways in routes for _, leaves in ways):
            found.append(f"{held.kind} {held.name}")
    return found[:10]
