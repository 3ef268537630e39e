"""Studio: domains and the lifecycle configurations of their apps."""

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.sagemaker.search import described
from collectors.view import PART, Part, View, items, optional, part, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST_DOMAINS = Operation("sagemaker", "ListDomains", result="Domains[]")
DESCRIBE_DOMAIN = Operation(
    "sagemaker",
    "DescribeDomain",
    # A repository's URL may hold a password.
    secrets=tuple(
        f"{settings}.{app}.CodeRepositories[].RepositoryUrl"
        for settings in ("DefaultUserSettings", "DefaultSpaceSettings")
        for app in ("JupyterServerAppSettings", "JupyterLabAppSettings")
    ),
)
LIST_LIFECYCLE = Operation("sagemaker", "ListStudioLifecycleConfigs", result="StudioLifecycleConfigs[]")
DESCRIBE_LIFECYCLE = Operation(
    "sagemaker", "DescribeStudioLifecycleConfig", scripts=("StudioLifecycleConfigContent",)
)


class AppDefaults(Part):
    """What a kind of app starts on unless its user chooses otherwise."""

    instance_type = optional(PART, "DefaultResourceSpec.InstanceType", str)


class ScriptedSettings(AppDefaults):
    """Settings of a kind of app that takes lifecycle configurations.

    `BuiltInLifecycleConfigArn` is left out on purpose: AWS manages it, it customises nothing.
    """

    lifecycle_config_arns = optional(PART, "LifecycleConfigArns", list)


class ImageSettings(AppDefaults):
    """Settings of a kind of app that takes custom images."""

    custom_images = optional(PART, "CustomImages", list)


class AppSettings(ScriptedSettings, ImageSettings):
    """Settings of a kind of app that takes both."""


class IdleSettings(Part):
    """When an app without work is shut down; users choose a time of their own up to the maximum."""

    lifecycle_management = optional(PART, "LifecycleManagement", str)
    idle_timeout_in_minutes = optional(PART, "IdleTimeoutInMinutes", int)
    max_idle_timeout_in_minutes = optional(PART, "MaxIdleTimeoutInMinutes", int)

    @property
    def is_on(self) -> bool:
        """Whether idle apps are shut down. The value is in capitals, unlike most of SageMaker's."""
        return self.lifecycle_management == "ENABLED"

    @property
    def leaves_a_choice(self) -> bool:
        """Whether a space may wait for longer than these settings do; without a maximum it may."""
        most = self.max_idle_timeout_in_minutes
        return most is None or most > (self.idle_timeout_in_minutes or 0)


class IdlingSettings(AppSettings):
    """Settings of a kind of app that shuts down by itself: JupyterLab and Code Editor."""

    idle_settings = part(PART, "AppLifecycleManagement.IdleSettings", IdleSettings)


class SharingSettings(Part):
    """Whether outputs of notebooks are shared through S3, and the key they are encrypted with."""

    notebook_output_option = optional(PART, "NotebookOutputOption", str)
    s3_kms_key_id = optional(PART, "S3KmsKeyId", str)

    @property
    def shares_without_key(self) -> bool:
        """Whether outputs are shared with no key of the customer's. Sharing is on where AWS sends `Allowed`."""
        return self.notebook_output_option == "Allowed" and not self.s3_kms_key_id


class CustomFileSystem(Part):
    """A file system that apps mount beside their own storage."""

    file_system_id = optional(PART, "EFSFileSystemConfig.FileSystemId", str)


class SpaceSettings(Part):
    """What shared spaces of a domain start with."""

    execution_role = optional(PART, "ExecutionRole", str)
    security_groups = optional(PART, "SecurityGroups", list)
    custom_file_system_configs = items(PART, "CustomFileSystemConfigs[]", CustomFileSystem)
    jupyter_server_app_settings = part(PART, "JupyterServerAppSettings", ScriptedSettings)
    kernel_gateway_app_settings = part(PART, "KernelGatewayAppSettings", AppSettings)
    jupyter_lab_app_settings = part(PART, "JupyterLabAppSettings", IdlingSettings)

    @property
    def scripted(self) -> tuple[ScriptedSettings | None, ...]:
        """The settings that may name lifecycle configurations."""
        return (
            self.jupyter_server_app_settings,
            self.kernel_gateway_app_settings,
            self.jupyter_lab_app_settings,
        )

    @property
    def imaged(self) -> tuple[ImageSettings | None, ...]:
        """The settings that may name custom images."""
        return (self.kernel_gateway_app_settings, self.jupyter_lab_app_settings)


class UserSettings(SpaceSettings):
    """What user profiles of a domain start with: more kinds of app than shared spaces have."""

    code_editor_app_settings = part(PART, "CodeEditorAppSettings", IdlingSettings)
    r_session_app_settings = part(PART, "RSessionAppSettings", ImageSettings)
    sharing_settings = part(PART, "SharingSettings", SharingSettings)
    execution_role_session_name_mode = optional(
        PART, "StudioWebPortalSettings.ExecutionRoleSessionNameMode", str
    )

    @property
    def scripted(self) -> tuple[ScriptedSettings | None, ...]:
        """The settings that may name lifecycle configurations."""
        return (
            self.jupyter_server_app_settings,
            self.kernel_gateway_app_settings,
            self.jupyter_lab_app_settings,
            self.code_editor_app_settings,
        )

    @property
    def imaged(self) -> tuple[ImageSettings | None, ...]:
        """The settings that may name custom images."""
        return (
            self.kernel_gateway_app_settings,
            self.jupyter_lab_app_settings,
            self.code_editor_app_settings,
            self.r_session_app_settings,
        )


class Domain(
    View,
    kind="domain",
    type="AWS::SageMaker::Domain",
    listing=(LIST_DOMAINS,),
    name="DomainId",
    arn="DomainArn",
    tagged=True,
):
    """A Studio domain. Profiles and spaces may overrule its defaults."""

    status = required(DESCRIBE_DOMAIN, "Status", str, "InService")
    auth_mode = required(DESCRIBE_DOMAIN, "AuthMode", str, "SSO")
    app_network_access_type = optional(DESCRIBE_DOMAIN, "AppNetworkAccessType", str)
    subnet_ids = optional(DESCRIBE_DOMAIN, "SubnetIds", list[str])
    security_group_ids = optional(DESCRIBE_DOMAIN, "DomainSettings.SecurityGroupIds", list[str])
    kms_key_id = optional(DESCRIBE_DOMAIN, "KmsKeyId", str)
    home_efs_file_system_kms_key_id = optional(DESCRIBE_DOMAIN, "HomeEfsFileSystemKmsKeyId", str)
    home_efs_file_system_id = optional(DESCRIBE_DOMAIN, "HomeEfsFileSystemId", str)
    execution_role_identity_config = optional(
        DESCRIBE_DOMAIN, "DomainSettings.ExecutionRoleIdentityConfig", str
    )
    default_user_settings = part(DESCRIBE_DOMAIN, "DefaultUserSettings", UserSettings)
    default_space_settings = part(DESCRIBE_DOMAIN, "DefaultSpaceSettings", SpaceSettings)
    unified_studio_settings = optional(DESCRIBE_DOMAIN, "DomainSettings.UnifiedStudioSettings", dict)

    @property
    def execution_roles(self) -> tuple[str, ...]:
        """The roles that apps of its users and shared spaces run with by default."""
        settings = (self.default_user_settings, self.default_space_settings)
        return tuple(found.execution_role for found in settings if found and found.execution_role)

    @property
    def storage_key(self) -> str | None:
        """The key of its volumes and home directories; the second member is the first's former name."""
        return self.kms_key_id or self.home_efs_file_system_kms_key_id or None

    @property
    def names_its_users(self) -> bool:
        """Whether calls of apps carry their user's name, as source identity or as the session's name."""
        settings = self.default_user_settings
        mode = settings.execution_role_session_name_mode if settings else None
        return self.execution_role_identity_config == "USER_PROFILE_NAME" or mode == "USER_IDENTITY"

    @property
    def idle_settings(self) -> tuple[IdleSettings, ...]:
        """The idle settings that it has for users, by kind of app."""
        user = self.default_user_settings
        apps = (user.jupyter_lab_app_settings, user.code_editor_app_settings) if user else ()
        return tuple(app.idle_settings for app in apps if app and app.idle_settings)

    @property
    def file_systems(self) -> tuple[str, ...]:
        """The ids of the EFS file systems that it keeps homes on, or lets apps mount."""
        settings = (self.default_user_settings, self.default_space_settings)
        mounted = (
            found.file_system_id for held in settings if held for found in held.custom_file_system_configs
        )
        return tuple(dict.fromkeys(id_ for id_ in (self.home_efs_file_system_id, *mounted) if id_))


class StudioLifecycleConfig(
    View,
    kind="studio-lifecycle-config",
    type="AWS::SageMaker::StudioLifecycleConfig",
    listing=(LIST_LIFECYCLE,),
    name="StudioLifecycleConfigName",
    arn="StudioLifecycleConfigArn",
    tagged=True,
):
    """What runs when an app of Studio starts; secrets were taken out of it when it was read."""

    studio_lifecycle_config_content = required(
        DESCRIBE_LIFECYCLE, "StudioLifecycleConfigContent", str, "IyEvYmluL3NoCg=="
    )

    @property
    def text(self) -> str:
        """The script itself."""
        return base64.b64decode(self.studio_lifecycle_config_content).decode()


@collects(Domain)
def domains(reader: "Reader") -> Iterator[Resource]:
    """Every domain: there is no Search for them, so one Describe each."""
    yield from described(reader, LIST_DOMAINS, reader.list(LIST_DOMAINS), DESCRIBE_DOMAIN, "DomainId")


@collects(StudioLifecycleConfig)
def studio_lifecycle_configs(reader: "Reader") -> Iterator[Resource]:
    """Every lifecycle configuration with its script."""
    name = "StudioLifecycleConfigName"
    yield from described(reader, LIST_LIFECYCLE, reader.list(LIST_LIFECYCLE), DESCRIBE_LIFECYCLE, name)
