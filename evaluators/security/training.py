"""Training jobs: network, isolation and encryption."""

import re
from typing import Any

from collectors.ec2 import InstanceType
from collectors.kms import KmsKey, find_key
from collectors.s3 import Bucket
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sample import NOW, Sample, sample
from evaluators.controls import lens, prowler
from evaluators.encryption import destination_bucket, has_nvme, lacking
from evaluators.families import not_judged
from evaluators.rule import (
    Change,
    Scope,
    Severity,
    Verdict,
    expect,
    failed,
    given,
    not_applicable,
    passed,
    rule,
)
from evaluators.tags import is_set

_PARENT = "arn:aws:sagemaker:eu-west-1:123456789012:hyper-parameter-tuning-job/churn"
_CHILD: dict[str, Any] = {"tuning_job_arn": _PARENT}
_SERVERLESS: dict[str, Any] = {"instance_type": None}


def _job(name: str = "churn-2026-11-18", **values: Any) -> Sample:
    """A job on one m5 instance."""
    return sample(TrainingJob, name, **{"instance_type": "ml.m5.xlarge", "instance_count": 1, **values})


_NEWER = _job("churn-2026-11-19", creation_time=NOW, subnets=["subnet-1"], enable_network_isolation=True)


@rule(
    "SEC-011",
    Severity.HIGH,
    bad=[_job(), _job(tags={"Environment": "dev"})],
    good=[_job(subnets=["subnet-1"]), given(_NEWER, _job())],
    exempt=[
        _job(**_CHILD),
        _job(auto_ml_job_arn="arn:aws:sagemaker:eu-west-1:123456789012:automl-job/a"),
        _job(labeling_job_arn="arn:aws:sagemaker:eu-west-1:123456789012:labeling-job/l"),
        sample(TrainingJob, "customise-llama"),
        given(_job(), _NEWER),
    ],
    remedy="Set VpcConfig in CreateTrainingJob (subnets and security_group_ids of an estimator) in the next run.",
    change=Change.NEXT_RUN,
    scope=Scope.LENIENT,
    maps=[prowler("sagemaker_training_jobs_vpc_settings_configured"), lens("MLSEC03-BP02")],
)
def training_outside_vpc(job: TrainingJob) -> Verdict:
    """Training jobs should run in a VPC.

    Without one their traffic leaves outside of your network controls. Only the latest run of a
    family (role and name without the run's ending) is judged: past jobs cannot be changed. Studio and
    JumpStart quick-train jobs leave the VPC out by default.
    """
    why = not_judged(job)
    if why:
        return not_applicable(why)
    return expect(bool(job.subnets), "the job runs outside of any VPC of yours", Subnets=job.subnets)


@rule(
    "SEC-012",
    Severity.MEDIUM,
    bad=[
        _job(),
        _job(enable_network_isolation=False),
        _job(algorithm_name="arn:aws:sagemaker:eu-west-1:123456789012:algorithm/own-forest"),
        _job(tags={"outbound-calls": "no"}),
    ],
    good=[
        _job(enable_network_isolation=True),
        _job(algorithm_name="arn:aws:sagemaker:eu-west-1:865070037744:algorithm/vendor-forest"),
    ],
    exempt=[
        _job(**_CHILD),
        _job(training_image="520713654638.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-chainer:5.0"),
        _job(training_image="462105765813.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-rl-ray-container:1"),
        sample(TrainingJob, "customise-llama"),
        # Its container mounts a file system or reads parameters, its owner says.
        _job(tags={"outbound-calls": "true"}),
        given(_job(), _NEWER),
    ],
    remedy="Set EnableNetworkIsolation in the next run, once nothing in the container needs the network.",
    change=Change.NEXT_RUN,
    maps=[
        prowler("sagemaker_training_jobs_network_isolation_enabled"),
        lens("MLSEC03-BP02"),
        lens("MLSEC04-BP03"),
    ],
)
def training_without_isolation(job: TrainingJob) -> Verdict:
    """Training containers should be network isolated.

    Training code that can call out can carry data out. It is a trade-off: scripts that install
    packages when they start, or talk to a tracking server, break. Chainer and reinforcement learning
    containers do not support it; algorithms of the Marketplace always run isolated. A job whose
    container needs FSx, EFS or Parameter Store is exempted by the tag `outbound-calls`.
    """
    why = not_judged(job)
    if why:
        return not_applicable(why)
    if re.search(r"/sagemaker-(chainer|rl-)", job.training_image or ""):
        return not_applicable("its container does not support isolation", TrainingImage=job.training_image)
    algorithm = job.algorithm_name or ""
    if algorithm.startswith("arn:") and algorithm.split(":")[4] != job.region.account:
        return passed("an algorithm of the Marketplace always runs isolated", AlgorithmName=algorithm)
    isolated = job.enable_network_isolation
    if isolated is not True and is_set(job.tags, "outbound-calls"):
        return not_applicable("a tag says that it has to call out", EnableNetworkIsolation=isolated)
    return expect(isolated is True, "its containers can call out", EnableNetworkIsolation=isolated)


_PLAIN = sample(InstanceType, "m5.xlarge", arn="m5.xlarge")
_NVME = sample(InstanceType, "g5.xlarge", arn="g5.xlarge", instance_storage_supported=True)
_OUTPUT: dict[str, Any] = {"s3_output_path": "s3://churn-models/"}
_KMS_BUCKET = sample(
    Bucket, "churn-models", server_side_encryption_configuration={"rules": [{"sse_algorithm": "aws:kms"}]}
)
_S3_BUCKET = sample(
    Bucket, "churn-models", server_side_encryption_configuration={"rules": [{"sse_algorithm": "AES256"}]}
)
_KEY = "arn:aws:kms:eu-west-1:123456789012:key/k"
_KEYED_BUCKET = sample(
    Bucket,
    "churn-models",
    server_side_encryption_configuration={"rules": [{"sse_algorithm": "aws:kms", "kms_master_key_id": _KEY}]},
)
_BOTH: dict[str, Any] = {"kms_key_id": _KEY, "volume_kms_key_id": _KEY, **_OUTPUT}


@rule(
    "SEC-013",
    Severity.MEDIUM,
    bad=[
        given(_job(**_OUTPUT), _S3_BUCKET, _PLAIN),
        given(_job(**_OUTPUT, kms_key_id="", volume_kms_key_id=_KEY), _S3_BUCKET, _PLAIN),
        given(_job(**_OUTPUT, kms_key_id=_KEY), _S3_BUCKET, _PLAIN),
        # The bucket is another account's, whose default encryption nobody here can read.
        given(_job(s3_output_path="s3://a-suppliers-bucket/"), _PLAIN),
        given(
            _job(**_BOTH),
            _PLAIN,
            sample(KmsKey, _KEY, arn=_KEY, key_manager="AWS"),
            require_customer_managed=True,
        ),
        # A bucket that encrypts with KMS and names no key uses aws/s3.
        given(_job(**_OUTPUT, volume_kms_key_id="alias/aws/ebs"), _KMS_BUCKET, require_customer_managed=True),
        given(
            _job(**_OUTPUT, volume_kms_key_id=_KEY),
            _KMS_BUCKET,
            sample(KmsKey, _KEY, arn=_KEY, key_manager="CUSTOMER"),
            require_customer_managed=True,
        ),
    ],
    good=[
        given(_job(**_BOTH), _PLAIN),
        given(_job(**_OUTPUT, volume_kms_key_id=_KEY), _KMS_BUCKET, _PLAIN),
        given(_job(**_OUTPUT, kms_key_id=_KEY, instance_type="ml.g5.xlarge"), _NVME),
        given(
            _job(**_BOTH),
            _PLAIN,
            sample(KmsKey, _KEY, arn=_KEY, key_manager="CUSTOMER"),
            require_customer_managed=True,
        ),
        given(
            _job(**_OUTPUT, volume_kms_key_id=_KEY),
            _KEYED_BUCKET,
            sample(KmsKey, _KEY, arn=_KEY, key_manager="CUSTOMER"),
            require_customer_managed=True,
        ),
    ],
    exempt=[
        _job(**_CHILD),
        _job("model-monitoring-2026"),
        sample(TrainingJob, "customise-llama"),
        given(_job(), _NEWER),
    ],
    remedy="Pass output_kms_key and volume_kms_key in the next run; local NVMe storage takes no key of yours.",
    change=Change.NEXT_RUN,
    maps=[prowler("sagemaker_training_jobs_volume_and_output_encryption_enabled"), lens("MLSEC02-BP01")],
)
def training_without_kms(job: TrainingJob, *, require_customer_managed: bool = False) -> Verdict:
    """Training volumes and outputs should use KMS keys.

    Without one AWS's own keys are used: nobody can revoke them or see them used. A bucket that
    encrypts with KMS by default covers the output. Types with local NVMe storage encrypt in hardware
    and refuse a volume key, so that none is asked for there.
    """
    why = not_judged(job)
    if why:
        return not_applicable(why)
    missing = lacking(
        (("its output", lambda: _output_lacks_key(job)), ("its volume", lambda: _volume_lacks_key(job)))
    )
    figures: dict[str, Any] = {
        "KmsKeyId": job.kms_key_id,
        "VolumeKmsKeyId": job.volume_kms_key_id,
        "S3OutputPath": job.s3_output_path,
        "InstanceType": list(job.instance_types),
    }
    if missing:
        return failed(f"no KMS key for {' and '.join(missing)}", **figures)
    if require_customer_managed:
        for reference in (job.kms_key_id or _bucket_key(job), job.volume_kms_key_id):
            if reference and _is_managed_by_aws(job, reference):
                return failed("AWS manages a key of it", KmsKeyId=reference)
    return passed(**figures)


def _output_lacks_key(job: TrainingJob) -> bool:
    return not job.kms_key_id and not destination_bucket(job, job.s3_output_path).encrypted_with_kms


def _volume_lacks_key(job: TrainingJob) -> bool:
    return not job.volume_kms_key_id and not all(has_nvme(job, name) for name in job.instance_types)


def _is_managed_by_aws(job: TrainingJob, reference: str) -> bool:
    """The names `alias/aws/…` say so themselves; of any other only DescribeKey does."""
    if reference.rpartition(":")[2].startswith("alias/aws/"):
        return True
    return find_key(job.region, reference).key_manager != "CUSTOMER"


def _bucket_key(job: TrainingJob) -> str:
    """The key of the output bucket's default encryption, which is `aws/s3` where it names none."""
    named = (
        rule.kms_master_key_id for rule in destination_bucket(job, job.s3_output_path).default_encryption
    )
    return next(filter(None, named), "alias/aws/s3")


@rule(
    "SEC-014",
    Severity.MEDIUM,
    bad=[
        _job(instance_count=2),
        _job(
            instance_type=None,
            instance_count=None,
            instance_groups=[
                {"instance_type": "ml.m5.large", "instance_count": 1},
                {"instance_type": "ml.g5.xlarge", "instance_count": 1},
            ],
        ),
    ],
    good=[_job(instance_count=2, enable_inter_container_traffic_encryption=True)],
    exempt=[
        _job(),
        _job(enable_inter_container_traffic_encryption=False),
        _job(instance_count=4, **_CHILD),
        sample(TrainingJob, "customise-llama"),
        given(_job(instance_count=2), _NEWER),
    ],
    remedy="Set EnableInterContainerTrafficEncryption, and open UDP 500 and ESP 50 within the security group.",
    change=Change.NEXT_RUN,
    maps=[prowler("sagemaker_training_jobs_intercontainer_encryption_enabled"), lens("MLSEC04-BP02")],
)
def plain_traffic_between_hosts(job: TrainingJob) -> Verdict:
    """Distributed training should encrypt the traffic between its instances.

    Gradients and weights travel between the hosts in clear otherwise. A job on one instance has no
    such traffic. Encryption makes training longer; Nitro types that encrypt within a VPC lower the risk.
    """
    why = not_judged(job)
    if why:
        return not_applicable(why)
    hosts = job.total_instances
    if hosts < 2:
        return not_applicable("one instance has nobody to talk to")
    return expect(
        job.enable_inter_container_traffic_encryption is True,
        f"{hosts} instances talk in clear",
        EnableInterContainerTrafficEncryption=job.enable_inter_container_traffic_encryption,
        instances=hosts,
    )
