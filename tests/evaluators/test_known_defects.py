"""Mistakes that other auditors make, each as a case: what they say wrongly, and what is said here."""

from datetime import timedelta
from typing import Any

import pytest

from collectors.autoscaling import INSTANCES, ScalableTarget
from collectors.cloudwatch import MetricAlarm
from collectors.credential_report import CredentialReport
from collectors.ec2 import InstanceType
from collectors.efs import FileSystem
from collectors.guards import GuardDuty
from collectors.iam import ManagedPolicy, Role, User
from collectors.kms import KmsKey
from collectors.model import Gap, Listing, Reason
from collectors.network import FlowLog, Subnet, Vpc
from collectors.s3 import Bucket
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.inference_components import InferenceComponent
from collectors.sagemaker.models import Model
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sagemaker.pipelines import Pipeline, PipelineExecution
from collectors.sagemaker.processing_jobs import ProcessingJob
from collectors.sagemaker.spaces import Space
from collectors.sagemaker.studio import Domain
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sagemaker.tuning_jobs import TuningJob
from collectors.sample import ABSENT, ACCOUNT, NOW, REGION, Sample, sample, snapshot_of
from collectors.service_quotas import EndpointQuota
from evaluators.engine import judge
from evaluators.rule import Status, all_rules

RULES = {rule.code: rule for rule in all_rules()}
DENIED = Gap("test:Refused", Reason.DENIED, "AccessDenied")
KEY = "arn:aws:kms:eu-west-1:123456789012:key/k"
ROLE = "arn:aws:iam::123456789012:role/jobs"
TRUST = {
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]
}


def endpoint(name: str = "scorer", **variant: Any) -> Sample:
    served = {"variant_name": "blue", "current_weight": 1.0, "current_instance_count": 2, **variant}
    return sample(Endpoint, name, endpoint_config_name="config", production_variants=[served])


def config(**variant: Any) -> Sample:
    made = {"variant_name": "blue", "model_name": "m", "instance_type": "ml.m5.xlarge", **variant}
    return sample(EndpointConfig, "config", production_variants=[made])


def component(**values: Any) -> Sample:
    made = {"endpoint_name": "shared", "variant_name": "blue", "current_copy_count": 1, **values}
    return sample(InferenceComponent, "ranker", inference_component_status="InService", **made)


def target(resource: str) -> Sample:
    return sample(ScalableTarget, resource, resource_id=resource, scalable_dimension=INSTANCES)


def role(*statements: dict[str, Any], attached: tuple[str, ...] = ()) -> Sample:
    inline = [
        {"policy_name": "p", "policy_document": {"Statement": [{"Effect": "Allow", **s} for s in statements]}}
    ]
    return sample(
        Role,
        "jobs",
        arn=ROLE,
        assume_role_policy_document=TRUST,
        role_policy_list=inline,
        attached_managed_policies=[{"policy_arn": arn} for arn in attached],
    )


PIPELINE = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/p"
TRAINS = {"Statement": [{"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}]}


def by_hand() -> Sample:
    starter = {"user_profile_arn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:user-profile/d-1/anna"}
    return sample(PipelineExecution, f"{PIPELINE}/execution/1", pipeline_arn=PIPELINE, created_by=starter)


def idling(state: str) -> Sample:
    idle = {"lifecycle_management": state, "idle_timeout_in_minutes": 60, "max_idle_timeout_in_minutes": 60}
    return sample(Domain, "d-1", default_user_settings={"jupyter_lab_app_settings": {"idle_settings": idle}})


PASS, FAIL, UNKNOWN, OTHER = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE
SERVERLESS: dict[str, Any] = {
    "current_instance_count": None,
    "current_serverless_config": {"MaxConcurrency": 5},
}
USED = sample(TrainingJob, "j", role_arn=ROLE)

CASES: list[tuple[str, str, Status, list[Sample], list[Listing]]] = [
    (
        "1: internet access is not decided by RootAccess",
        "SEC-001",
        FAIL,
        [sample(NotebookInstance, "n", direct_internet_access="Enabled", root_access="Disabled")],
        [],
    ),
    (
        "2: a failed Describe leaves no default that passes",
        "SEC-003",
        UNKNOWN,
        [sample(NotebookInstance, "n", root_access=DENIED)],
        [],
    ),
    (
        "2: nor one that fails",
        "SEC-004",
        UNKNOWN,
        [sample(NotebookInstance, "n", kms_key_id=DENIED)],
        [],
    ),
    (
        "3: a denied list of targets is not 'no autoscaling'",
        "REL-011",
        UNKNOWN,
        [endpoint(), config()],
        [Listing("scalable-target", ACCOUNT, REGION, DENIED)],
    ),
    (
        "4: a key is read from the endpoint's config",
        "SEC-020",
        PASS,
        [
            endpoint(),
            sample(
                EndpointConfig,
                "config",
                kms_key_id=KEY,
                production_variants=[{"instance_type": "ml.m5.xlarge"}],
            ),
        ],
        [],
    ),
    (
        "5: a variant need not be called AllTraffic",
        "REL-011",
        PASS,
        [endpoint(), config(), target("endpoint/scorer/variant/blue")],
        [],
    ),
    ("5: managed instance scaling scales", "REL-011", PASS, [endpoint(status="ENABLED"), config()], []),
    (
        "5: a target without a policy does not scale",
        "REL-012",
        FAIL,
        [
            target("endpoint/scorer/variant/blue"),
            endpoint(),
            config(),
        ],
        [],
    ),
    (
        "6: a serverless variant has no instance count",
        "REL-001",
        OTHER,
        [endpoint(**SERVERLESS), config()],
        [],
    ),
    (
        "6: nor can it be in a VPC",
        "SEC-017",
        OTHER,
        [
            sample(Model, "m"),
            endpoint(**SERVERLESS),
            config(instance_type=None, serverless_config={"MaxConcurrency": 5}),
        ],
        [],
    ),
    (
        "7: an alarm on EndpointName alone watches nothing",
        "OPS-027",
        FAIL,
        [
            endpoint(),
            config(),
            *(
                sample(
                    MetricAlarm,
                    metric,
                    namespace="AWS/SageMaker",
                    metric_name=metric,
                    dimensions=[{"name": "EndpointName", "value": "scorer"}],
                    alarm_actions=["arn:aws:lambda:eu-west-1:123456789012:function:page"],
                )
                for metric in ("Invocation5XXErrors", "ModelLatency")
            ),
        ],
        [],
    ),
    ("9: missing datapoints alone are not idle", "COST-001", UNKNOWN, [endpoint(), config()], []),
    (
        "9: a young endpoint is not idle",
        "COST-001",
        OTHER,
        [
            sample(
                Endpoint,
                "scorer",
                endpoint_config_name="config",
                creation_time=NOW - timedelta(days=1),
                production_variants=[
                    {"variant_name": "blue", "current_instance_count": 1, "cpu_utilization": [1.0]}
                ],
            ),
            config(),
        ],
        [],
    ),
    (
        "10: one of two keys is not both",
        "SEC-013",
        FAIL,
        [
            sample(
                TrainingJob,
                "j",
                instance_type="ml.m5.xlarge",
                instance_count=1,
                volume_kms_key_id=KEY,
                s3_output_path="s3://out/",
            ),
            sample(
                Bucket, "out", server_side_encryption_configuration={"rules": [{"sse_algorithm": "AES256"}]}
            ),
        ],
        [],
    ),
    (
        "11: definitions of a tuning job may be plural",
        "SEC-031",
        FAIL,
        [
            sample(
                TuningJob,
                "t",
                training_job_definitions=[{}],
                secrets=[
                    {
                        "key": "TrainingJobDefinitions[0].Environment.HF_TOKEN",
                        "detector": "huggingface-token",
                        "digest": "00000000",
                        "entropy": 4.5,
                        "length": 37,
                    }
                ],
            )
        ],
        [],
    ),
    (
        "14: the newest platform does not fail",
        "SEC-006",
        PASS,
        [sample(NotebookInstance, "n", platform_identifier="notebook-al2023-v1")],
        [],
    ),
    (
        "15: one instance has no traffic between instances",
        "SEC-014",
        OTHER,
        [sample(TrainingJob, "j", instance_type="ml.m5.xlarge", instance_count=1)],
        [],
    ),
    (
        "15: isolation is not demanded where it is not supported",
        "SEC-012",
        OTHER,
        [
            sample(
                TrainingJob,
                "j",
                instance_type="ml.m5.xlarge",
                instance_count=1,
                training_image="520713654638.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-chainer:5.0.0",
            )
        ],
        [],
    ),
    (
        "6: a serverless variant has no instances to share",
        "COST-010",
        OTHER,
        [endpoint(**SERVERLESS), config(instance_type=None, serverless_config={"MaxConcurrency": 5})],
        [],
    ),
    (
        "8: the cores' CPU is their sum: 100 of 400 is no small endpoint",
        "COST-010",
        PASS,
        [
            endpoint(invocations=[10.0], cpu_utilization=[100.0]),
            config(),
            sample(Model, "m", primary_container={"image": "i"}),
            sample(InstanceType, "m5.xlarge", default_v_cpus=4),
        ],
        [],
    ),
    (
        "9: components publish under their own name",
        "COST-009",
        PASS,
        [component(invocations=[3.0]), endpoint("shared")],
        [],
    ),
    (
        "9: a component without datapoints may be one whose metrics do not arrive",
        "COST-009",
        UNKNOWN,
        [component(), endpoint("shared")],
        [],
    ),
    (
        "9: nor is one idle that was made yesterday",
        "COST-009",
        OTHER,
        [component(creation_time=NOW - timedelta(days=1)), endpoint("shared", cpu_utilization=[2.0])],
        [],
    ),
    (
        "9: calls of an asynchronous endpoint are never published",
        "COST-012",
        OTHER,
        [
            endpoint(cpu_utilization=[2.0]),
            sample(EndpointConfig, "config", output_config={"s3_output_path": "s3://answers"}),
        ],
        [],
    ),
    (
        "3: a denied list of targets is not 'keeps its instances'",
        "COST-013",
        UNKNOWN,
        [
            endpoint(approximate_backlog_size=[0.0] * 336),
            sample(EndpointConfig, "config", output_config={"s3_output_path": "s3://answers"}),
        ],
        [Listing("scalable-target", ACCOUNT, REGION, DENIED)],
    ),
    (
        "23: a quota that the account's own list lacks is no default",
        "REL-020",
        UNKNOWN,
        [
            sample(EndpointQuota, REGION, quota_name="ml.c5.large for endpoint usage"),
            endpoint(),
            config(),
        ],
        [],
    ),
    (
        "18: the content of a policy decides, not its name",
        "SEC-040",
        PASS,
        [
            role(attached=("arn:aws:iam::123456789012:policy/AdministratorAccess",)),
            sample(
                ManagedPolicy,
                "AdministratorAccess",
                arn="arn:aws:iam::123456789012:policy/AdministratorAccess",
                policy_version_list=[{"is_default_version": True, "document": {"Statement": []}}],
            ),
            USED,
        ],
        [],
    ),
    (
        "17: idle shutdown is ENABLED, in capitals",
        "COST-004",
        PASS,
        [idling("ENABLED"), sample(Space, "s", domain_id="d-1", app_type="JupyterLab")],
        [],
    ),
    (
        "17: and nothing else",
        "COST-004",
        FAIL,
        [idling("Enabled"), sample(Space, "s", domain_id="d-1", app_type="JupyterLab")],
        [],
    ),
    (
        "2: a domain whose key was not read has no verdict",
        "SEC-009",
        UNKNOWN,
        [sample(Domain, "d-1", kms_key_id=DENIED)],
        [],
    ),
    (
        "3: a denied list of apps is not 'no app'",
        "COST-006",
        UNKNOWN,
        [sample(Space, "s", ebs_volume_size_in_gb=5, last_modified_time=NOW - timedelta(days=99))],
        [Listing("app", ACCOUNT, REGION, DENIED)],
    ),
    (
        "3: a denied list of backups is not 'no backup'",
        "REL-022",
        UNKNOWN,
        [sample(FileSystem, "fs-1", status="DISABLED")],
        [Listing("protected-resource", ACCOUNT, REGION, DENIED)],
    ),
    (
        "3: a denied list of fleets is not 'no edge use'",
        "PERF-015",
        UNKNOWN,
        [sample(Domain, REGION)],
        [Listing("device-fleet", ACCOUNT, REGION, DENIED)],
    ),
    (
        "21: jobs of Clarify's do not make every stage alike",
        "PERF-017",
        OTHER,
        [
            sample(NotebookInstance, REGION, instance_type="ml.m5.xlarge"),
            sample(TrainingJob, "sagemaker-clarify-1", instance_type="ml.m5.xlarge"),
        ],
        [],
    ),
    (
        "18: NotAction is expanded",
        "SEC-040",
        FAIL,
        [role({"NotAction": "organizations:*", "Resource": "*"}), USED],
        [],
    ),
    (
        "3: a denied list of rules is not 'nothing starts it'",
        "OPS-012",
        UNKNOWN,
        [sample(Pipeline, "p", arn=PIPELINE), by_hand()],
        [Listing("event-rule", ACCOUNT, REGION, DENIED)],
    ),
    (
        "3: a denied list of projects is not 'no delivery'",
        "OPS-013",
        UNKNOWN,
        [sample(Endpoint, REGION)],
        [Listing("project", ACCOUNT, REGION, DENIED)],
    ),
    (
        "2: a credential report that was refused is no missing MFA",
        "SEC-049",
        UNKNOWN,
        [
            sample(User, "anna", user_policy_list=[{"policy_name": "p", "policy_document": TRAINS}]),
            sample(CredentialReport, content=DENIED),
        ],
        [],
    ),
    (
        "18: nor does a name make a pipeline's role an administrator's",
        "REL-025",
        PASS,
        [
            role(attached=("arn:aws:iam::123456789012:policy/AdministratorAccess",)),
            sample(
                ManagedPolicy,
                "AdministratorAccess",
                arn="arn:aws:iam::123456789012:policy/AdministratorAccess",
                policy_version_list=[{"is_default_version": True, "document": {"Statement": []}}],
            ),
            sample(Pipeline, "p", role_arn=ROLE),
        ],
        [],
    ),
    (
        "21: a stack's own tag tells what made an endpoint",
        "OPS-014",
        PASS,
        [sample(Endpoint, "e", tags={"aws:cloudformation:stack-name": "serving"})],
        [],
    ),
    (
        "21: a service's own job is not the user's",
        "SEC-011",
        OTHER,
        [sample(TrainingJob, "sagemaker-clarify-1", instance_type="ml.m5.xlarge", instance_count=1)],
        [],
    ),
    (
        "21: AWS's own tags are no business tags",
        "OPS-031",
        FAIL,
        [sample(Endpoint, "e", tags={"aws:Environment": "p", "sagemaker:Owner": "o", "aws:Project": "p"})],
        [],
    ),
    (
        "10: a processing job with one of the two keys has not both",
        "SEC-016",
        FAIL,
        [
            sample(ProcessingJob, "p", kms_key_id=KEY, instance_type="ml.m5.large", instance_count=1),
            sample(InstanceType, "m5.large", arn="m5.large"),
        ],
        [],
    ),
    (
        "11: the second of several definitions of a tuning job counts",
        "SEC-022",
        FAIL,
        [
            sample(
                TuningJob,
                "t",
                training_job_definitions=[{"subnets": ["subnet-1"], "kms_key_id": KEY}, {"kms_key_id": KEY}],
            )
        ],
        [],
    ),
    (
        "15: Clarify's own containers need the network",
        "SEC-015",
        PASS,
        [
            sample(
                ProcessingJob,
                "bias",
                subnets=["subnet-1"],
                image_uri="1.dkr.ecr/sagemaker-clarify-processing:1",
            )
        ],
        [],
    ),
    (
        "21: a job of a monitoring schedule is the schedule's",
        "SEC-015",
        OTHER,
        [sample(ProcessingJob, "drift", monitoring_schedule_arn="arn:aws:sagemaker:eu-west-1:1:m/drift")],
        [],
    ),
    (
        "a substring of a key's name does not tell who manages it",
        "SEC-004",
        FAIL,
        [sample(NotebookInstance, "n", kms_key_id=KEY), sample(KmsKey, KEY, arn=KEY, key_manager="AWS")],
        [],
    ),
]


@pytest.mark.parametrize(
    ("code", "expected", "samples", "gaps"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_known_mistake_is_not_made(
    code: str, expected: Status, samples: list[Sample], gaps: list[Listing]
) -> None:
    snapshot = snapshot_of(samples, gaps=gaps)
    first = samples[0]
    names = {made.name for made in samples if made.view in RULES[code].views} or {first.name}
    found = [
        judgement.verdict.status
        for judgement in judge([RULES[code]], snapshot)
        if judgement.subject.name in names
    ]
    assert found == [expected]


def test_an_account_wide_fact_is_told_once() -> None:
    """19: not once for each resource."""
    notebooks = [sample(NotebookInstance, f"n{number}") for number in range(5)]
    account = next(iter(RULES["SEC-054"].views))
    found = list(judge([RULES["SEC-054"]], snapshot_of([sample(account, ACCOUNT), *notebooks])))
    assert [judgement.verdict.status for judgement in found] == [FAIL]


def test_a_fact_about_a_network_or_a_region_is_told_once_however_many_resources_are_in_it() -> None:
    """19: one verdict for the VPC, one for the Region."""
    models = [sample(Model, f"m{number}", subnets=["subnet-1"]) for number in range(5)]
    off = sample(GuardDuty, "guardduty", arn="guardduty", detector_ids=[], status=ABSENT)
    snapshot = snapshot_of([sample(Vpc, "vpc-1"), sample(Subnet, "subnet-1"), off, *models])
    found = [(j.rule.code, j.verdict.status) for j in judge([RULES["SEC-035"], RULES["SEC-060"]], snapshot)]
    assert sorted(found) == [("SEC-035", FAIL), ("SEC-060", FAIL)]


def test_a_denied_list_of_flow_logs_is_not_a_network_without_them() -> None:
    """3: nobody knows whether traffic is recorded."""
    model = sample(Model, "m", subnets=["subnet-1"])
    refused = Listing(FlowLog.kind, ACCOUNT, REGION, DENIED)
    snapshot = snapshot_of([sample(Vpc, "vpc-1"), sample(Subnet, "subnet-1"), model], gaps=[refused])
    assert [j.verdict.status for j in judge([RULES["SEC-035"]], snapshot)] == [Status.UNKNOWN]
