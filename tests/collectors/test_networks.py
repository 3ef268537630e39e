"""Networks, keys and images: asked for where something names them, and a refusal is a gap."""

from typing import Any

import pytest
from readers import reader_of

from auditor.demo.state import DemoState
from collectors.attachments import attachments
from collectors.collector import Collector
from collectors.ecr import ContainerImage, container_images
from collectors.kms import POLICY, ROTATION, kms_keys
from collectors.model import GLOBAL, Gap, Listing, Reason
from collectors.network import (
    VpcEndpoint,
    flow_logs,
    package_repositories,
    route_tables,
    security_groups,
    subnets,
    vpc_endpoints,
    vpcs,
)
from collectors.reads import Reads
from collectors.repositories import POLICY as REPOSITORY_POLICY
from collectors.repositories import Repository, image_repositories, registry_scanning
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.models import Model
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sagemaker.studio import Domain
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sagemaker.user_profiles import UserProfile
from collectors.sample import ABSENT, ACCOUNT, NOW, REGION, Sample, sample, snapshot_of
from collectors.view import Region

GROUPS = "ec2:DescribeSecurityGroups"
DESCRIBE_KEY = "kms:DescribeKey"
ROTATES = "kms:GetKeyRotationStatus"
KEY_POLICY = "kms:GetKeyPolicy"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/churn:1.4.0"


def here(*samples: Sample, gaps: tuple[Listing, ...] = ()) -> Region:
    return Region(snapshot_of(samples, gaps=gaps), ACCOUNT, GLOBAL).sibling(REGION)


def test_every_kind_says_where_it_lies_and_whether_it_calls_aws_from_there() -> None:
    profile = {"security_groups": ["sg-profile"]}
    region = here(
        sample(NotebookInstance, subnet_id="subnet-1", security_groups=["sg-1"]),
        sample(NotebookInstance, "open", subnet_id="subnet-1", direct_internet_access="Enabled"),
        sample(NotebookInstance, "outside"),
        sample(
            Domain,
            "d-1",
            subnet_ids=["subnet-2"],
            app_network_access_type="VpcOnly",
            security_group_ids=["sg-2"],
            default_user_settings={"security_groups": ["sg-3"]},
        ),
        sample(UserProfile, "maya", domain_id="d-1", user_settings=profile),
        sample(Model, "scorer", subnets=["subnet-3"], security_group_ids=["sg-3"]),
        sample(TrainingJob, "a", subnets=["subnet-3"], security_group_ids=["sg-3"]),
        # The same place a second time is no second attachment.
        sample(TrainingJob, "b", subnets=["subnet-3"], security_group_ids=["sg-3"]),
        sample(EndpointConfig, "c"),
    )
    held = attachments(region)
    places = {(h.kind, *sorted(h.subnets | h.groups), h.calls_aws) for h in held.seen}
    assert (held.gap, places) == (
        None,
        {
            ("notebook-instance", "sg-1", "subnet-1", True),
            ("notebook-instance", "subnet-1", False),
            ("domain", "sg-2", "sg-3", "subnet-2", True),
            ("user-profile", "sg-profile", "subnet-2", True),
            ("model", "sg-3", "subnet-3", False),
            ("training-job", "sg-3", "subnet-3", False),
        },
    )


def test_what_could_not_be_read_is_a_gap_beside_what_was_seen() -> None:
    refused = Gap("sagemaker:ListDomains", Reason.DENIED)
    model = sample(Model, "scorer", subnets=["subnet-3"], security_group_ids=["sg-3"])
    held = attachments(here(model, gaps=(Listing(Domain.kind, ACCOUNT, REGION, refused),)))
    assert [found.name for found in held.of_group("sg-3")] == ["scorer"]
    assert held.gap == refused


def group(name: str) -> dict[str, str]:
    return {"GroupId": name, "SecurityGroupArn": f"arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/{name}"}


def test_only_groups_in_use_are_kept_and_none_are_asked_for_without_use() -> None:
    state = DemoState(NOW)
    listed = [group(name) for name in ("sg-1", "sg-2", "sg-3", "sg-4")]
    state.answer(GROUPS, {"SecurityGroups": listed}, when={"MaxResults": 1000})
    way: dict[str, Any] = {"groups": [{"group_id": "sg-2"}]}
    named = [
        sample(Model, "scorer", security_group_ids=["sg-1", "sg-gone"]),
        sample(VpcEndpoint, "vpce-1", service_name=f"com.amazonaws.{REGION}.sagemaker.api", **way),
        sample(
            VpcEndpoint, "vpce-2", service_name=f"com.amazonaws.{REGION}.logs", groups=[{"group_id": "sg-3"}]
        ),
    ]
    found = [r.name for r in security_groups.function(reader_of(security_groups, state, named))]
    assert (found, state.calls[GROUPS]) == (["sg-1", "sg-2"], 1)
    assert list(security_groups.function(reader_of(security_groups, state))) == []
    assert state.calls[GROUPS] == 1


def test_a_vpc_and_an_endpoint_get_the_arn_that_their_documents_lack() -> None:
    state = DemoState(NOW)
    state.answer("ec2:DescribeVpcs", {"Vpcs": [{"VpcId": "vpc-1", "OwnerId": ACCOUNT}]})
    state.answer("ec2:DescribeVpcEndpoints", {"VpcEndpoints": [{"VpcEndpointId": "vpce-1"}]})
    found = [
        *vpcs.function(reader_of(vpcs, state)),
        *vpc_endpoints.function(reader_of(vpc_endpoints, state)),
    ]
    place = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
    assert [(r.id, r.name) for r in found] == [
        (f"{place}:vpc/vpc-1", "vpc-1"),
        (f"{place}:vpc-endpoint/vpce-1", "vpce-1"),
    ]


@pytest.mark.parametrize(
    ("collector", "operation"),
    [
        (vpcs, "ec2:DescribeVpcs"),
        (subnets, "ec2:DescribeSubnets"),
        (security_groups, GROUPS),
        (route_tables, "ec2:DescribeRouteTables"),
        (vpc_endpoints, "ec2:DescribeVpcEndpoints"),
        (flow_logs, "ec2:DescribeFlowLogs"),
        (package_repositories, "codeartifact:ListRepositories"),
        (image_repositories, "ecr:DescribeRepositories"),
    ],
    ids=lambda value: value.name if isinstance(value, Collector) else "",
)
def test_a_denied_list_is_a_gap_of_the_listing(collector: Collector, operation: str) -> None:
    named = [
        sample(Model, "scorer", security_group_ids=["sg-1"]),
        sample(ContainerImage, IMAGE, arn=IMAGE, image_details=ABSENT),
    ]
    reader = reader_of(collector, DemoState(NOW, denied=[operation]), named)
    assert list(collector.function(reader)) == []
    assert reader.gap is not None
    assert (reader.gap.operation, reader.gap.reason) == (operation, Reason.DENIED)


def key(name: str, **more: str) -> dict[str, str]:
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{name}"
    made = {"KeyManager": "CUSTOMER", "KeySpec": "SYMMETRIC_DEFAULT", "Origin": "AWS_KMS"}
    return {"KeyId": name, "Arn": arn, "KeyState": "Enabled", **made, **more}


def test_an_alias_and_an_arn_are_one_key_asked_once_for_rotation_and_policy() -> None:
    state = DemoState(NOW)
    prefix = f"arn:aws:kms:{REGION}:{ACCOUNT}"
    foreign = f"arn:aws:kms:{REGION}:999988887777:key/theirs"
    for asked, document in (
        (f"{prefix}:alias/ml", key("own")),
        (f"{prefix}:key/own", key("own")),
        (f"{prefix}:key/hmac", key("hmac", KeySpec="HMAC_256")),
        (f"{prefix}:key/aws", key("aws", KeyManager="AWS")),
        (foreign, {**key("theirs"), "Arn": foreign}),
    ):
        state.answer(DESCRIBE_KEY, {"KeyMetadata": document}, when={"KeyId": asked})
    state.answer(ROTATES, {"KeyRotationEnabled": True})
    state.answer(KEY_POLICY, {"Policy": "{}"})
    named = [
        sample(NotebookInstance, str(number), kms_key_id=reference)
        for number, reference in enumerate(("alias/ml", "own", "hmac", f"{prefix}:key/aws", foreign))
    ]
    reads = Reads(views={NotebookInstance}, named={ROTATION, POLICY})
    reader = reader_of(kms_keys, state, named, reads=reads)
    found = {r.id.removeprefix(prefix): set(r.readings()) for r in kms_keys.function(reader)}
    assert found == {
        ":alias/ml": {DESCRIBE_KEY},
        ":key/own": {DESCRIBE_KEY, ROTATES, KEY_POLICY},
        # KMS refuses to tell the rotation of what it cannot rotate, and AWS's own keys and others' show nothing.
        ":key/hmac": {DESCRIBE_KEY, KEY_POLICY},
        ":key/aws": {DESCRIBE_KEY},
        foreign: {DESCRIBE_KEY},
    }
    assert (state.calls[ROTATES], state.calls[KEY_POLICY]) == (1, 2)


def test_keys_of_what_could_not_be_read_are_missing_from_the_listing() -> None:
    refused = Gap("sagemaker:DescribeNotebookInstance", Reason.DENIED)
    reader = reader_of(
        kms_keys,
        DemoState(NOW),
        [sample(NotebookInstance, kms_key_id=refused)],
        reads=Reads(views={NotebookInstance}),
    )
    assert list(kms_keys.function(reader)) == []
    assert reader.gap is not None


def test_only_repositories_in_use_are_read_and_a_missing_policy_is_none() -> None:
    state = DemoState(NOW)
    listed = [
        {"repositoryName": name, "repositoryArn": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{name}"}
        for name in ("churn", "website")
    ]
    state.answer("ecr:DescribeRepositories", {"repositories": listed})
    state.refuse("ecr:GetRepositoryPolicy", code="RepositoryPolicyNotFoundException")
    named = [sample(ContainerImage, IMAGE, arn=IMAGE, image_details=ABSENT)]
    reader = reader_of(image_repositories, state, named, reads=Reads(named={REPOSITORY_POLICY}))
    (found,) = image_repositories.function(reader)
    assert (found.name, found.readings()["ecr:GetRepositoryPolicy"]) == ("churn", None)
    assert dict(state.calls) == {"ecr:DescribeRepositories": 1, "ecr:GetRepositoryPolicy": 1}


def test_images_of_jobs_are_asked_for_with_those_of_models() -> None:
    state = DemoState(NOW)
    state.answer("ecr:DescribeImages", {"imageDetails": [{"imageTags": ["1.4.0"]}]})
    reader = reader_of(container_images, state, [sample(TrainingJob, "a", training_image=IMAGE)])
    assert [r.name for r in container_images.function(reader)] == [IMAGE]


def test_a_denied_scanning_configuration_is_a_gap_of_its_own() -> None:
    operation = "ecr:GetRegistryScanningConfiguration"
    (found,) = registry_scanning.function(reader_of(registry_scanning, DemoState(NOW, denied=[operation])))
    assert getattr(found.readings()[operation], "reason", None) is Reason.DENIED


@pytest.mark.parametrize(
    ("mutability", "tag", "movable"),
    [
        ("IMMUTABLE", "latest", False),
        ("MUTABLE", "1.0", True),
        ("IMMUTABLE_WITH_EXCLUSION", "latest-dev", True),
        ("IMMUTABLE_WITH_EXCLUSION", "1.0", False),
        ("MUTABLE_WITH_EXCLUSION", "latest-dev", False),
        ("MUTABLE_WITH_EXCLUSION", "1.0", True),
    ],
)
def test_tags_move_as_the_exclusions_say(mutability: str, tag: str, movable: bool) -> None:
    filters = [{"filter": "latest*"}]
    region = here(
        sample(
            Repository,
            "churn",
            image_tag_mutability=mutability,
            image_tag_mutability_exclusion_filters=filters,
        )
    )
    (repository,) = region.all(Repository)
    assert repository.tag_can_move(tag) is movable
