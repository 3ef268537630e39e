"""Notebooks, Studio, lifecycle scripts, repositories and pipelines of the demo account."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from auditor.demo.company import GROUPS, KEYS, LAB, PROD, SECRETS, SUBNETS, VPCS, ago, arn, role, tags
from auditor.demo.shapes import Document
from auditor.demo.state import DemoState


def _script(*lines: str) -> str:
    return base64.b64encode("\n".join(("#!/bin/bash", "set -e", *lines)).encode()).decode()


def _notebook(
    state: DemoState,
    region: str,
    name: str,
    *,
    created: float,
    modified: float,
    held: Mapping[str, str] | None = None,
    **more: Any,
) -> None:
    """A notebook as AWS makes it when nothing is chosen, changed by `more`; `None` takes a member away."""
    document = {
        "NotebookInstanceArn": arn(region, f"notebook-instance/{name}"),
        "NotebookInstanceName": name,
        "NotebookInstanceStatus": "InService",
        "Url": f"{name}.notebook.{region}.sagemaker.aws",
        "InstanceType": "ml.t3.medium",
        "RoleArn": role("ml-notebooks"),
        "CreationTime": ago(state, days=created),
        "LastModifiedTime": ago(state, days=modified),
        "DirectInternetAccess": "Enabled",
        "VolumeSizeInGB": 20,
        "RootAccess": "Enabled",
        "PlatformIdentifier": "notebook-al2-v3",
        "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "1"},
        **more,
    }
    state.add(
        "NotebookInstance", region, {key: value for key, value in document.items() if value is not None}, held
    )


def _inside(region: str) -> Document:
    return {"SubnetId": SUBNETS[region][0], "SecurityGroups": list(GROUPS[region])}


def _notebooks(state: DemoState) -> None:
    version = {"MinimumInstanceMetadataServiceVersion": "2"}
    _notebook(
        state,
        PROD,
        "churn-exploration",
        created=120,
        modified=0.2,
        held=tags("churn"),
        InstanceType="ml.m7i.xlarge",
        KmsKeyId=KEYS["data"],
        DirectInternetAccess="Disabled",
        RootAccess="Disabled",
        PlatformIdentifier="notebook-al2023-v1",
        InstanceMetadataServiceConfiguration=version,
        NotebookInstanceLifecycleConfigName="stop-when-idle",
        DefaultCodeRepository="https://git.larkspur.example/churn",
        **_inside(PROD),
    )
    # Internet on and root off: whoever reads one for the other is found out.
    _notebook(
        state,
        PROD,
        "fraud-investigation",
        created=80,
        modified=12,
        held=tags("fraud"),
        RootAccess="Disabled",
        **_inside(PROD),
    )
    _notebook(
        state,
        PROD,
        "demand-legacy",
        created=900,
        modified=75,
        held={"Environment": "production", "Project": "demand"},
        NotebookInstanceStatus="Stopped",
        InstanceType="ml.m4.xlarge",
        AcceleratorTypes=["ml.eia2.medium"],
        VolumeSizeInGB=200,
        KmsKeyId=KEYS["managed"],
        DirectInternetAccess="Disabled",
        PlatformIdentifier=None,
        InstanceMetadataServiceConfiguration=None,
        RoleArn=role("ml-shared"),
        **_inside(PROD),
    )
    _notebook(
        state,
        PROD,
        "search-relevance",
        created=60,
        modified=4,
        held=tags("search"),
        NotebookInstanceStatus="Stopped",
        KmsKeyId=KEYS["partner"],
        DirectInternetAccess="Disabled",
        RootAccess="Disabled",
        PlatformIdentifier="notebook-al2023-v1",
        InstanceMetadataServiceConfiguration=version,
        NotebookInstanceLifecycleConfigName="stop-when-idle",
        **_inside(PROD),
    )
    _notebook(
        state,
        PROD,
        "platform-smoke-test",
        created=0.3,
        modified=0.3,
        held=tags("platform", "test"),
        NotebookInstanceStatus="Failed",
        FailureReason="Insufficient capacity for ml.t3.medium.",
    )
    _notebook(state, LAB, "research-sandbox", created=30, modified=1, held=tags("research", "sandbox"))
    _notebook(
        state,
        LAB,
        "vision-scratch",
        created=50,
        modified=9,
        InstanceType="ml.g6.xlarge",
        NotebookInstanceLifecycleConfigName="bootstrap-lab",
        RoleArn=role("ml-notebook-admin"),
    )
    _notebook(
        state,
        LAB,
        "retired-notebook",
        created=400,
        modified=0.01,
        NotebookInstanceStatus="Deleting",
        held=tags("research"),
    )


def _scripts(state: DemoState) -> None:
    def lifecycle(region: str, name: str, content: str, held: Mapping[str, str]) -> None:
        document = {
            "NotebookInstanceLifecycleConfigArn": arn(region, f"notebook-instance-lifecycle-config/{name}"),
            "NotebookInstanceLifecycleConfigName": name,
            "OnCreate": [],
            "OnStart": [{"Content": content}],
            "CreationTime": ago(state, days=200),
            "LastModifiedTime": ago(state, days=90),
        }
        state.add("NotebookInstanceLifecycleConfig", region, document, held)

    idle = "*/5 * * * * /usr/bin/python3 /home/ec2-user/autostop.py --time 3600 --ignore-connections"
    lifecycle(PROD, "stop-when-idle", _script(f"(crontab -l; echo '{idle}') | crontab -"), tags("platform"))
    lifecycle(
        LAB,
        "bootstrap-lab",
        _script(
            "curl -sSL https://get.labtools.example/install.sh | sudo bash",
            f"export AWS_ACCESS_KEY_ID={SECRETS['access key']}",
            f"export AWS_SECRET_ACCESS_KEY={SECRETS['secret key']}",
        ),
        tags("research", "sandbox"),
    )
    lifecycle(LAB, "uploaded-by-hand", "%%% no base64 at all %%%", {})

    def studio(region: str, name: str, content: str, held: Mapping[str, str]) -> None:
        document = {
            "StudioLifecycleConfigArn": arn(region, f"studio-lifecycle-config/{name}"),
            "StudioLifecycleConfigName": name,
            "StudioLifecycleConfigAppType": "JupyterLab",
            "StudioLifecycleConfigContent": content,
            "CreationTime": ago(state, days=150),
            "LastModifiedTime": ago(state, days=150),
        }
        state.add("StudioLifecycleConfig", region, document, held)

    studio(PROD, "jupyterlab-extensions", _script("pip install --quiet jupyterlab-git"), tags("platform"))
    studio(
        LAB, "hub-login", _script(f"huggingface-cli login --token {SECRETS['hub token']}"), tags("research")
    )


def _repositories(state: DemoState) -> None:
    password = SECRETS["api token"]
    for region, name, git in (
        (
            PROD,
            "churn-features",
            {
                "RepositoryUrl": "https://github.com/larkspur-example/churn-features.git",
                "SecretArn": arn(PROD, "secret:git/churn-features-Ab12Cd", "secretsmanager"),
            },
        ),
        (
            LAB,
            "notebook-mirror",
            {"RepositoryUrl": f"https://mirror:{password}@git.larkspur.example/notebooks.git"},
        ),
    ):
        document = {
            "CodeRepositoryName": name,
            "CodeRepositoryArn": arn(region, f"code-repository/{name}"),
            "CreationTime": ago(state, days=500),
            "LastModifiedTime": ago(state, days=100),
            "GitConfig": git,
        }
        state.add("CodeRepository", region, document, tags("platform"))


def _studio(state: DemoState) -> None:
    extension = arn(PROD, "studio-lifecycle-config/jupyterlab-extensions")
    built_in = f"arn:aws:sagemaker:{LAB}:aws:studio-lifecycle-config/default"
    for region, domain, name, network, settings, role_name, people in (
        (
            PROD,
            "d-larkspurprod1",
            "larkspur-studio",
            "VpcOnly",
            {
                "LifecycleConfigArns": [extension],
                "DefaultResourceSpec": {"InstanceType": "ml.t3.medium"},
                "AppLifecycleManagement": {
                    "IdleSettings": {
                        "LifecycleManagement": "ENABLED",
                        "IdleTimeoutInMinutes": 60,
                        "MaxIdleTimeoutInMinutes": 120,
                    }
                },
            },
            "ml-studio",
            ("maya-lindqvist", "tomas-okafor"),
        ),
        (
            LAB,
            "d-larkspurlab01",
            "research-studio",
            "PublicInternetOnly",
            {
                "BuiltInLifecycleConfigArn": built_in,
                "DefaultResourceSpec": {"InstanceType": "ml.g5.xlarge"},
            },
            "ml-research",
            ("hanna-weiss", "jonas-petit"),
        ),
    ):
        environment = "production" if region == PROD else "sandbox"
        document = {
            "DomainArn": arn(region, f"domain/{domain}"),
            "DomainId": domain,
            "DomainName": name,
            "Status": "InService",
            "AuthMode": "SSO" if region == PROD else "IAM",
            "HomeEfsFileSystemId": f"fs-{domain.removeprefix('d-')}",
            "AppNetworkAccessType": network,
            "SubnetIds": list(SUBNETS[region]),
            "VpcId": VPCS[region],
            "DefaultUserSettings": {"ExecutionRole": role(role_name), "JupyterLabAppSettings": settings},
            "DefaultSpaceSettings": {"ExecutionRole": role(role_name)},
            "CreationTime": ago(state, days=365),
            "LastModifiedTime": ago(state, days=40),
        }
        if region == PROD:
            document["KmsKeyId"] = KEYS["data"]
            document["DomainSettings"] = {"ExecutionRoleIdentityConfig": "USER_PROFILE_NAME"}
        state.add("Domain", region, document, tags("platform", environment))
        for person in people:
            profile = {
                "DomainId": domain,
                "UserProfileArn": arn(region, f"user-profile/{domain}/{person}"),
                "UserProfileName": person,
                "Status": "InService",
                "CreationTime": ago(state, days=300),
                "LastModifiedTime": ago(state, days=40),
                "UserSettings": {"ExecutionRole": role(role_name)},
            }
            state.add("UserProfile", region, profile, tags("platform", environment))
    for region, domain, space, instance in (
        (PROD, "d-larkspurprod1", "churn-workspace", "ml.t3.medium"),
        (LAB, "d-larkspurlab01", "vision-workspace", "ml.m5.xlarge"),
    ):
        app = {
            "AppArn": arn(region, f"app/{domain}/{space}/JupyterLab/default"),
            "AppType": "JupyterLab",
            "AppName": "default",
            "DomainId": domain,
            "SpaceName": space,
            "Status": "InService",
            "CreationTime": ago(state, days=2),
            "ResourceSpec": {"InstanceType": instance},
        }
        state.add("App", region, app)


def _pipelines(state: DemoState) -> None:
    for name, role_name, team in (
        ("churn-weekly", "ml-pipeline", "churn"),
        ("search-retrain", "ml-shared", "search"),
    ):
        steps = {"Version": "2020-12-01", "Steps": [{"Name": "Train", "Type": "Training"}]}
        person = {"IamIdentity": {"Arn": role("ml-deployer"), "PrincipalId": "AROADEMODEPLOYER00001"}}
        document = {
            "PipelineArn": arn(PROD, f"pipeline/{name}"),
            "PipelineName": name,
            "PipelineDisplayName": name,
            "PipelineDefinition": json.dumps(steps),
            "RoleArn": role(role_name),
            "PipelineStatus": "Active",
            "CreationTime": ago(state, days=180),
            "LastModifiedTime": ago(state, days=18),
            "LastRunTime": ago(state, days=1),
            "CreatedBy": person,
            "LastModifiedBy": person,
        }
        state.add("Pipeline", PROD, document, tags(team))


def fill(state: DemoState) -> None:
    """Add where people work and what runs on a schedule."""
    for seed in (_notebooks, _scripts, _repositories, _studio, _pipelines):
        seed(state)
