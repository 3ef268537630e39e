"""Studio: domains and the lifecycle configurations of their apps."""

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.sagemaker.search import described
from collectors.view import PART, Part, View, optional, part, required

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


class ScriptedSettings(Part):
    """Settings of a kind of app that takes lifecycle configurations.

    `BuiltInLifecycleConfigArn` is left out on purpose: AWS manages it, it customises nothing.
    """

    lifecycle_config_arns = optional(PART, "LifecycleConfigArns", list)


class ImageSettings(Part):
    """Settings of a kind of app that takes custom images."""

    custom_images = optional(PART, "CustomImages", list)


class AppSettings(ScriptedSettings, ImageSettings):
    """Settings of a kind of app that takes both."""


class SpaceSettings(Part):
    """What shared spaces of a domain start with."""

    execution_role = optional(PART, "ExecutionRole", str)
    jupyter_server_app_settings = part(PART, "JupyterServerAppSettings", ScriptedSettings)
    kernel_gateway_app_settings = part(PART, "KernelGatewayAppSettings", AppSettings)
    jupyter_lab_app_settings = part(PART, "JupyterLabAppSettings", AppSettings)

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

    code_editor_app_settings = part(PART, "CodeEditorAppSettings", AppSettings)
    r_session_app_settings = part(PART, "RSessionAppSettings", ImageSettings)

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
    default_user_settings = part(DESCRIBE_DOMAIN, "DefaultUserSettings", UserSettings)
    default_space_settings = part(DESCRIBE_DOMAIN, "DefaultSpaceSettings", SpaceSettings)

    @property
    def execution_roles(self) -> tuple[str, ...]:
        """The roles that apps of its users and shared spaces run with by default."""
        settings = (self.default_user_settings, self.default_space_settings)
        return tuple(found.execution_role for found in settings if found and found.execution_role)


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
