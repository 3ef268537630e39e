"""Notebook instances: network, root, encryption, metadata service and platform."""

from collectors.kms import KmsKey, find_key
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sample import sample
from evaluators.controls import config_rule, lens, prowler, security_hub
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

_KEY = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"


def _is_gone(notebook: NotebookInstance) -> bool:
    return notebook.notebook_instance_status in ("Deleting", "Failed")


@rule(
    "SEC-001",
    Severity.HIGH,
    bad=[
        {"direct_internet_access": "Enabled"},
        {"direct_internet_access": "Enabled", "root_access": "Disabled", "subnet_id": "subnet-1"},
    ],
    good=[
        {"direct_internet_access": "Disabled"},
        {"direct_internet_access": "Disabled", "root_access": "Enabled"},
    ],
    exempt=[
        {"direct_internet_access": "Enabled", "notebook_instance_status": "Failed"},
        {"direct_internet_access": "Enabled", "notebook_instance_status": "Deleting"},
    ],
    remedy="It cannot be changed: create the instance again in a subnet of yours, without direct internet access.",
    command="aws sagemaker create-notebook-instance --notebook-instance-name NAME --instance-type TYPE"
    " --role-arn ROLE --subnet-id SUBNET --security-group-ids GROUP --direct-internet-access Disabled",
    change=Change.RECREATE,
    scope=Scope.LENIENT,
    maps=[
        security_hub("SageMaker.1"),
        config_rule("sagemaker-notebook-no-direct-internet-access"),
        prowler("sagemaker_notebook_instance_without_direct_internet_access_configured"),
        lens("MLSEC03-BP02"),
        lens("MLSEC04-BP01"),
    ],
)
def notebook_direct_internet(notebook: NotebookInstance) -> Verdict:
    """Notebook instances should have no direct internet access.

    With it, data can leave through an interface of AWS that none of your VPC's controls sees. It
    needs a NAT or VPC endpoints to download packages without. Studio domains are another matter.
    """
    if _is_gone(notebook):
        return not_applicable("the instance is going or gone")
    return expect(
        notebook.direct_internet_access == "Disabled",
        "the instance has an internet interface outside your VPC",
        DirectInternetAccess=notebook.direct_internet_access,
    )


@rule(
    "SEC-002",
    Severity.HIGH,
    bad=[
        {"subnet_id": None},
        given(sample(NotebookInstance, subnet_id="subnet-2"), allowed_subnets=("subnet-1",)),
    ],
    good=[
        {"subnet_id": "subnet-1"},
        given(sample(NotebookInstance, subnet_id="subnet-1"), allowed_subnets=("subnet-1",)),
    ],
    exempt=[{"notebook_instance_status": "Deleting"}, {"notebook_instance_status": "Failed"}],
    remedy="It cannot be changed: create the instance again with a subnet and security groups of yours.",
    command="aws sagemaker create-notebook-instance --notebook-instance-name NAME --instance-type TYPE"
    " --role-arn ROLE --subnet-id SUBNET --security-group-ids GROUP",
    change=Change.RECREATE,
    scope=Scope.LENIENT,
    maps=[
        security_hub("SageMaker.2"),
        config_rule("sagemaker-notebook-instance-inside-vpc"),
        prowler("sagemaker_notebook_instance_vpc_settings_configured"),
        lens("MLSEC03-BP02"),
    ],
)
def notebook_outside_vpc(notebook: NotebookInstance, *, allowed_subnets: tuple[str, ...] = ()) -> Verdict:
    """Notebook instances should run in a VPC of yours.

    Outside it no security group, flow log or endpoint policy applies. AWS leaves SubnetId out where
    there is no VPC. With `allowed_subnets` only these count.
    """
    if _is_gone(notebook):
        return not_applicable("the instance is going or gone")
    subnet = notebook.subnet_id
    if not subnet:
        return failed("the instance runs in no VPC of yours", SubnetId=subnet)
    allowed = not allowed_subnets or subnet in allowed_subnets
    return expect(allowed, "the instance runs in a subnet that is not allowed", SubnetId=subnet)


@rule(
    "SEC-003",
    Severity.HIGH,
    bad=[{"root_access": "Enabled"}, {"root_access": "Enabled", "direct_internet_access": "Disabled"}],
    good=[{"root_access": "Disabled"}, {"root_access": "Disabled", "direct_internet_access": "Enabled"}],
    exempt=[
        {"root_access": "Enabled", "notebook_instance_status": "Failed"},
        {"root_access": "Enabled", "notebook_instance_status": "Deleting"},
    ],
    remedy="Stop the instance, then turn root access off. Lifecycle scripts go on running as root.",
    command="aws sagemaker update-notebook-instance --notebook-instance-name {name} --root-access Disabled",
    change=Change.RESTART,
    scope=Scope.LENIENT,
    maps=[
        security_hub("SageMaker.3"),
        config_rule("sagemaker-notebook-instance-root-access-check"),
        prowler("sagemaker_notebook_instance_root_access_disabled"),
        lens("MLSEC04-BP01"),
    ],
)
def notebook_root_access(notebook: NotebookInstance) -> Verdict:
    """Notebook users should not be root on the instance.

    Root can read every credential on the host and install anything.
    """
    if _is_gone(notebook):
        return not_applicable("the instance is going or gone")
    return expect(
        notebook.root_access == "Disabled", "users are root on the instance", RootAccess=notebook.root_access
    )


@rule(
    "SEC-004",
    Severity.MEDIUM,
    bad=[
        {"kms_key_id": None},
        {"kms_key_id": ""},
        given(sample(NotebookInstance, kms_key_id=None), require_customer_managed=False),
        # An ARN or an id does not show that AWS manages the key.
        given(sample(NotebookInstance, kms_key_id=_KEY), sample(KmsKey, _KEY, arn=_KEY, key_manager="AWS")),
        given(
            sample(NotebookInstance, kms_key_id=_KEY),
            sample(KmsKey, _KEY, arn=_KEY, key_state="PendingDeletion"),
        ),
    ],
    good=[
        given(sample(NotebookInstance, kms_key_id=_KEY), sample(KmsKey, _KEY, arn=_KEY)),
        given(sample(NotebookInstance, kms_key_id=_KEY.rpartition("/")[2]), sample(KmsKey, _KEY, arn=_KEY)),
        # Presence needs no DescribeKey, which another account's key would refuse.
        given(sample(NotebookInstance, kms_key_id=_KEY), require_customer_managed=False),
    ],
    exempt=[{"notebook_instance_status": "Deleting"}, {"notebook_instance_status": "Failed"}],
    remedy="It cannot be changed: create the instance again with a KMS key of yours, and move the data.",
    command="aws sagemaker create-notebook-instance --notebook-instance-name NAME --instance-type TYPE"
    " --role-arn ROLE --kms-key-id KEY",
    change=Change.RECREATE,
    maps=[
        security_hub("SageMaker.21"),
        config_rule("sagemaker-notebook-instance-kms-key-configured"),
        config_rule("sagemaker-notebook-instance-storage-vol-kms-encrypted"),
        prowler("sagemaker_notebook_instance_encryption_enabled"),
        lens("MLSEC02-BP01"),
    ],
)
def notebook_default_key(notebook: NotebookInstance, *, require_customer_managed: bool = True) -> Verdict:
    """Notebook volumes should be encrypted with a customer managed KMS key.

    The volume is encrypted with a key of the service anyway; a key of yours adds control over who
    reads it, and an audit trail. Without `require_customer_managed` any named key will do.
    """
    if _is_gone(notebook):
        return not_applicable("the instance is going or gone")
    reference = notebook.kms_key_id
    if not reference:
        return failed("the volume has no KMS key of yours", KmsKeyId=reference)
    if not require_customer_managed:
        return passed(KmsKeyId=reference)
    key = find_key(notebook.region, reference)
    if key.key_manager != "CUSTOMER":
        return failed("AWS manages the key of the volume", KmsKeyId=reference, KeyManager=key.key_manager)
    return expect(
        key.key_state == "Enabled",
        "the key of the volume cannot be used",
        KmsKeyId=reference,
        KeyState=key.key_state,
    )


@rule(
    "SEC-005",
    Severity.MEDIUM,
    bad=[
        {"minimum_instance_metadata_service_version": "1"},
        {"minimum_instance_metadata_service_version": None},
    ],
    good=[{"minimum_instance_metadata_service_version": "2"}],
    exempt=[{"notebook_instance_status": "Deleting"}, {"notebook_instance_status": "Failed"}],
    remedy="Stop the instance, then require version 2.",
    command="aws sagemaker update-notebook-instance --notebook-instance-name {name}"
    " --instance-metadata-service-configuration MinimumInstanceMetadataServiceVersion=2",
    change=Change.RESTART,
    maps=[lens("MLSEC04-BP01")],
)
def notebook_imdsv1(notebook: NotebookInstance) -> Verdict:
    """Notebook instances should require version 2 of the metadata service.

    Version 1 hands the role's credentials to anything that makes the instance fetch a URL. An
    instance that was created by API without the setting, or before there was one, accepts version 1.
    """
    if _is_gone(notebook):
        return not_applicable("the instance is going or gone")
    version = notebook.minimum_instance_metadata_service_version
    return expect(
        version == "2",
        "the instance accepts version 1 of the metadata service",
        MinimumInstanceMetadataServiceVersion=version,
    )


@rule(
    "SEC-006",
    Severity.MEDIUM,
    bad=[
        {"platform_identifier": "notebook-al2-v3"},
        {"platform_identifier": None},
        {"platform_identifier": "notebook-al1-v1", "notebook_instance_status": "Failed"},
    ],
    good=[
        {"platform_identifier": "notebook-al2023-v1"},
        given(
            sample(NotebookInstance, platform_identifier="notebook-al2-v3"),
            supported_platforms=("notebook-al2-v3", "notebook-al2023-v1"),
        ),
    ],
    exempt=[{"platform_identifier": "notebook-al1-v1", "notebook_instance_status": "Deleting"}],
    remedy="It cannot be changed: create an instance on a supported platform and move the data.",
    command="aws sagemaker create-notebook-instance --notebook-instance-name NAME --instance-type TYPE"
    " --role-arn ROLE --platform-identifier notebook-al2023-v1",
    change=Change.RECREATE,
    maps=[
        security_hub("SageMaker.8"),
        config_rule("sagemaker-notebook-instance-platform-version"),
        lens("MLSEC04-BP01"),
    ],
)
def notebook_unsupported_platform(
    notebook: NotebookInstance, *, supported_platforms: tuple[str, ...] = ("notebook-al2023-v1",)
) -> Verdict:
    """Notebook instances should run on a platform that AWS still patches.

    Others get no security updates. The list changes with time, so it is a threshold. An instance
    without an identifier is from the days of Amazon Linux 1.
    """
    if notebook.notebook_instance_status == "Deleting":
        return not_applicable("the instance is going")
    platform = notebook.platform_identifier
    return expect(
        platform in supported_platforms,
        "the platform is not among those that are supported",
        PlatformIdentifier=platform,
    )
