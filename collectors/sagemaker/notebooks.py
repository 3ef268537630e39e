"""Notebook instances and their lifecycle configurations."""

import base64
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.sagemaker.search import described
from collectors.view import PART, Part, View, items, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

_URLS = ("DefaultCodeRepository", "AdditionalCodeRepositories[]")
"""A repository may be given as a URL, and a URL may hold a password."""

LIST = Operation("sagemaker", "ListNotebookInstances", result="NotebookInstances[]", secrets=_URLS)
DESCRIBE = Operation("sagemaker", "DescribeNotebookInstance", secrets=_URLS)
LIST_LIFECYCLE = Operation(
    "sagemaker", "ListNotebookInstanceLifecycleConfigs", result="NotebookInstanceLifecycleConfigs[]"
)
DESCRIBE_LIFECYCLE = Operation(
    "sagemaker",
    "DescribeNotebookInstanceLifecycleConfig",
    scripts=("OnCreate[].Content", "OnStart[].Content"),
)


class Script(Part):
    """One lifecycle script, base64 as AWS keeps it; secrets were taken out when it was read."""

    content = required(PART, "Content", str, "IyEvYmluL3NoCg==")

    @property
    def text(self) -> str:
        """The script itself."""
        return base64.b64decode(self.content).decode()


class LifecycleConfig(
    View,
    kind="notebook-instance-lifecycle-config",
    type="AWS::SageMaker::NotebookInstanceLifecycleConfig",
    listing=(LIST_LIFECYCLE,),
    name="NotebookInstanceLifecycleConfigName",
    arn="NotebookInstanceLifecycleConfigArn",
):
    """What runs as root when a notebook instance is created and whenever it starts."""

    on_create = items(DESCRIBE_LIFECYCLE, "OnCreate[]", Script)
    on_start = items(DESCRIBE_LIFECYCLE, "OnStart[]", Script)


class NotebookInstance(
    View,
    kind="notebook-instance",
    type="AWS::SageMaker::NotebookInstance",
    listing=(LIST,),
    name="NotebookInstanceName",
    arn="NotebookInstanceArn",
    tagged=True,
):
    """A notebook instance. Describe names its security groups `SecurityGroups`, Create `SecurityGroupIds`."""

    notebook_instance_status = required(DESCRIBE, "NotebookInstanceStatus", str, "InService")
    instance_type = required(DESCRIBE, "InstanceType", str, "ml.t3.medium")
    direct_internet_access = required(DESCRIBE, "DirectInternetAccess", str, "Disabled")
    root_access = required(DESCRIBE, "RootAccess", str, "Disabled")
    role_arn = required(DESCRIBE, "RoleArn", str, "arn:aws:iam::123456789012:role/notebooks")
    last_modified_time = required(
        DESCRIBE, "LastModifiedTime", datetime, datetime.fromisoformat("2026-11-19T06:00:00+00:00")
    )
    subnet_id = optional(DESCRIBE, "SubnetId", str)
    security_groups = optional(DESCRIBE, "SecurityGroups", list[str])
    kms_key_id = optional(DESCRIBE, "KmsKeyId", str)
    volume_size_in_gb = optional(DESCRIBE, "VolumeSizeInGB", int)
    platform_identifier = optional(DESCRIBE, "PlatformIdentifier", str)
    accelerator_types = optional(DESCRIBE, "AcceleratorTypes", list[str])
    default_code_repository = optional(DESCRIBE, "DefaultCodeRepository", str)
    additional_code_repositories = optional(DESCRIBE, "AdditionalCodeRepositories", list[str])
    notebook_instance_lifecycle_config_name = optional(DESCRIBE, "NotebookInstanceLifecycleConfigName", str)
    minimum_instance_metadata_service_version = optional(
        DESCRIBE, "InstanceMetadataServiceConfiguration.MinimumInstanceMetadataServiceVersion", str
    )

    @property
    def lifecycle_config(self) -> LifecycleConfig | None:
        """The lifecycle configuration that it names, or `None` without one."""
        return self.region.find(LifecycleConfig, self.notebook_instance_lifecycle_config_name)


@collects(NotebookInstance)
def notebook_instances(reader: "Reader") -> Iterator[Resource]:
    """Every notebook instance: there is no Search for them, so one Describe each."""
    yield from described(reader, LIST, reader.list(LIST), DESCRIBE, "NotebookInstanceName")


@collects(LifecycleConfig)
def lifecycle_configs(reader: "Reader") -> Iterator[Resource]:
    """Every lifecycle configuration with its scripts."""
    name = "NotebookInstanceLifecycleConfigName"
    yield from described(reader, LIST_LIFECYCLE, reader.list(LIST_LIFECYCLE), DESCRIBE_LIFECYCLE, name)
