"""Mistakes that other auditors make, each as a case: what they say wrongly, and what is said here."""

from datetime import timedelta
from typing import Any

import pytest

from collectors.autoscaling import INSTANCES, ScalableTarget
from collectors.cloudwatch import MetricAlarm
from collectors.iam import ManagedPolicy, Role
from collectors.kms import KmsKey
from collectors.model import Gap, Listing, Reason
from collectors.s3 import Bucket
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.models import Model
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sagemaker.tuning_jobs import TuningJob
from collectors.sample import ACCOUNT, NOW, REGION, Sample, sample, snapshot_of
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


PASS, FAIL, UNKNOWN, OTHER = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE
SERVERLESS = {"current_instance_count": None, "current_serverless_config": {"MaxConcurrency": 5}}
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
        "18: NotAction is expanded",
        "SEC-040",
        FAIL,
        [role({"NotAction": "organizations:*", "Resource": "*"}), USED],
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
