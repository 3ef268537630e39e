"""The registry and the models of the demo account."""

from collections.abc import Mapping
from typing import Any

from auditor.demo.company import (
    LAB,
    PROD,
    SECRETS,
    ago,
    arn,
    deep_learning,
    network,
    own_image,
    role,
    tags,
    xgboost,
)
from auditor.demo.shapes import Document
from auditor.demo.state import DemoState


def _model(
    state: DemoState,
    region: str,
    name: str,
    days: float,
    *,
    role_name: str = "ml-inference",
    held: Mapping[str, str] | None = None,
    **more: Any,
) -> None:
    document = {
        "ModelName": name,
        "ModelArn": arn(region, f"model/{name}"),
        "CreationTime": ago(state, days=days),
        "ExecutionRoleArn": role(role_name),
        "EnableNetworkIsolation": False,
        **more,
    }
    state.add("Model", region, document, held)


def _container(image: str, data: str = "", **more: Any) -> Document:
    held: Document = {"Image": image, "Mode": "SingleModel", **more}
    return {**held, "ModelDataUrl": data} if data else held


def package_arn(group: str, version: int) -> str:
    """The ARN of a version in the production registry."""
    return arn(PROD, f"model-package/{group}/{version}")


_RECORDED: Document = {
    "MetadataProperties": {
        "CommitId": "b41c7f0e5d2a9c38e6f1047b8d5a3c2e9f60d718",
        "Repository": "https://git.larkspur.example/churn",
    },
    "ModelMetrics": {
        "ModelQuality": {
            "Statistics": {
                "ContentType": "application/json",
                "S3Uri": "s3://larkspur-churn-data/evaluation/churn-v7.json",
            }
        }
    },
}
"""What the churn team writes down when it registers a version; the others write down nothing."""


def _registry(state: DemoState) -> None:
    """Three groups; one version each is approved, pending and rejected, and one carries a password."""
    person = {"IamIdentity": {"Arn": role("ml-pipeline"), "PrincipalId": "AROADEMOPIPELINE00001"}}
    for group, description in (
        ("churn", "Weekly churn propensity"),
        ("fraud", "Card fraud graph model"),
        ("search-ranker", "Listing order"),
    ):
        state.add(
            "ModelPackageGroup",
            PROD,
            {
                "ModelPackageGroupName": group,
                "ModelPackageGroupArn": arn(PROD, f"model-package-group/{group}"),
                "ModelPackageGroupDescription": description,
                "CreationTime": ago(state, days=400),
                "CreatedBy": person,
                "ModelPackageGroupStatus": "Completed",
            },
            tags(group.partition("-")[0]),
        )
    for group, version, days, approval, image, url, variables in (
        (
            "churn",
            6,
            70,
            "Rejected",
            xgboost(PROD),
            "s3://larkspur-churn-data/models/churn-v6/model.tar.gz",
            {},
        ),
        (
            "churn",
            8,
            6,
            "PendingManualApproval",
            xgboost(PROD),
            "s3://larkspur-churn-data/models/churn-v8/model.tar.gz",
            {},
        ),
        (
            "churn",
            7,
            20,
            "Approved",
            xgboost(PROD),
            "s3://larkspur-churn-data/models/churn-v7/model.tar.gz",
            {},
        ),
        (
            "fraud",
            3,
            14,
            "PendingManualApproval",
            own_image(PROD, "fraud/gnn", "2.1.0"),
            "s3://larkspur-fraud-artifacts/models/fraud-v3/model.tar.gz",
            {"GRAPH_DB_PASSWORD": SECRETS["password"]},
        ),
        (
            "search-ranker",
            11,
            90,
            "Approved",
            own_image(PROD, "search/ranker", "3.0.2"),
            "s3://larkspur-search-models/models/ranker-v11/model.tar.gz",
            {},
        ),
        (
            "search-ranker",
            12,
            33,
            "Approved",
            own_image(PROD, "search/ranker", "3.0.2"),
            "s3://larkspur-search-models/models/ranker-v12/model.tar.gz",
            {},
        ),
    ):
        container = {
            "Image": image,
            "ModelDataUrl": url,
            "ModelDataETag": f"{version:032x}",
            "Environment": variables,
        }
        approver = {"IamIdentity": {"Arn": role("ml-approver"), "PrincipalId": "AROADEMOAPPROVER00001"}}
        document = {
            "ModelPackageName": group,
            "ModelPackageGroupName": group,
            "ModelPackageVersion": version,
            "ModelPackageArn": package_arn(group, version),
            "CreationTime": ago(state, days=days),
            "LastModifiedTime": ago(state, days=days - 1),
            "InferenceSpecification": {"Containers": [container], "SupportedContentTypes": ["text/csv"]},
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            "ModelApprovalStatus": approval,
            "CreatedBy": person,
            "LastModifiedBy": approver if approval != "PendingManualApproval" else person,
            **(_RECORDED if (group, version) == ("churn", 7) else {}),
        }
        state.add("ModelPackage", PROD, document, tags(group.partition("-")[0]))


def _models(state: DemoState) -> None:
    private: dict[str, Any] = {"VpcConfig": network(PROD), "EnableNetworkIsolation": True}
    churn, fraud = package_arn("churn", 7), package_arn("fraud", 3)
    _model(
        state,
        PROD,
        "churn-realtime-v7",
        19,
        held=tags("churn"),
        PrimaryContainer={"ModelPackageName": churn, "Mode": "SingleModel"},
        **private,
    )
    _model(
        state,
        PROD,
        "fraud-scoring-v3",
        13,
        held=tags("fraud"),
        PrimaryContainer={
            "ModelPackageName": fraud,
            "Mode": "SingleModel",
            "Environment": {"REDIS_PASSWORD": SECRETS["password"]},
        },
        VpcConfig=network(PROD),
    )
    search = own_image(PROD, "search/ranker", "3.0.2")
    registered = "s3://larkspur-search-models/models/ranker-v12/model.tar.gz"
    vpc_registry = {"RepositoryAccessMode": "Vpc"}
    _model(
        state,
        PROD,
        "search-ranker-v12",
        32,
        role_name="ml-shared",
        held=tags("search"),
        PrimaryContainer=_container(search, registered, ImageConfig=vpc_registry),
        **private,
    )
    _model(
        state,
        PROD,
        "demand-forecast-v2",
        60,
        held=tags("demand"),
        PrimaryContainer=_container(
            own_image(PROD, "demand/forecaster", "0.9.1"),
            "s3://larkspur-demand-forecasts/models/forecast-v2/model.tar.gz",
        ),
    )
    _model(
        state,
        PROD,
        "churn-legacy-v1",
        410,
        role_name="ml-shared",
        held=tags("churn"),
        PrimaryContainer={"ModelPackageName": package_arn("churn", 6), "Mode": "SingleModel"},
    )
    _model(
        state,
        PROD,
        "fraud-serverless-v1",
        50,
        held=tags("fraud"),
        PrimaryContainer=_container(
            xgboost(PROD), "s3://sagemaker-eu-west-1-123456789012/fraud/light-v1/model.tar.gz"
        ),
    )
    pipeline = [
        _container(own_image(PROD, "platform/features", "1.0.0"), ContainerHostname="pages"),
        _container(
            deep_learning(PROD, "huggingface-pytorch-inference:2.6.0-gpu-py312"),
            "s3://larkspur-fraud-artifacts/models/ocr-v2/model.tar.gz",
            ContainerHostname="reader",
            Environment={"DOCUMENT_API_TOKEN": SECRETS["json web token"]},
        ),
    ]
    _model(
        state, PROD, "document-ocr-v2", 48, held=tags("fraud"), Containers=pipeline, VpcConfig=network(PROD)
    )
    _model(
        state,
        PROD,
        "search-markets",
        90,
        held=tags("search"),
        PrimaryContainer=_container(xgboost(PROD), "s3://larkspur-search-models/markets/")
        | {"Mode": "MultiModel"},
        **private,
    )
    _model(
        state,
        PROD,
        "ranker-component-model",
        25,
        held=tags("search"),
        PrimaryContainer=_container(search.replace("123456789012", "555566667777"), registered),
        **private,
    )
    batch = _container(xgboost(PROD), "s3://larkspur-churn-data/models/batch-v1/model.tar.gz")
    _model(state, PROD, "demand-batch-v1", 120, held=tags("demand"), PrimaryContainer=batch)
    for number in (1, 2, 3, 4):
        retired = _container(search, registered)
        _model(
            state, PROD, f"ranker-v{number}", 320 - 20 * number, held=tags("search"), PrimaryContainer=retired
        )
    candidate = {"ModelPackageName": package_arn("churn", 8), "Mode": "SingleModel"}
    _model(state, PROD, "churn-candidate-v8", 6, held=tags("churn"), PrimaryContainer=candidate)
    _model(
        state,
        LAB,
        "llm-chat-jumpstart",
        22,
        role_name="ml-research",
        held=tags("research", "sandbox"),
        EnableNetworkIsolation=True,
        PrimaryContainer={
            "Image": deep_learning(LAB, "djl-inference:0.33.0-lmi15.0.0-cu128"),
            "Mode": "SingleModel",
            "ModelDataSource": {
                "S3DataSource": {
                    "S3Uri": f"s3://jumpstart-private-cache-prod-{LAB}/meta-textgeneration/",
                    "S3DataType": "S3Prefix",
                    "CompressionType": "None",
                    "HubAccessConfig": {
                        "HubContentArn": f"arn:aws:sagemaker:{LAB}:aws:hub-content/SageMakerPublicHub/Model/chat/1.0.0"
                    },
                }
            },
        },
    )
    _model(
        state,
        LAB,
        "nlp-standby-v2",
        210,
        role_name="ml-research",
        held=tags("research"),
        PrimaryContainer=_container(xgboost(LAB), "s3://larkspur-research-data/models/nlp-v2/model.tar.gz"),
        VpcConfig=network(LAB),
    )
    _model(
        state,
        LAB,
        "ner-v1",
        150,
        role_name="ml-research",
        PrimaryContainer=_container(
            own_image(LAB, "research/ner", "0.1.0"),
            "s3://larkspur-research-data/models/ner-v1/model.tar.gz",
            Environment={"HF_TOKEN": SECRETS["hub token"]},
        ),
    )


def _hub(state: DemoState) -> None:
    """The platform team offers two models of JumpStart."""
    name = "larkspur-models"
    times = {"CreationTime": ago(state, days=150), "LastModifiedTime": ago(state, days=30)}
    hub = {"HubName": name, "HubArn": arn(PROD, f"hub/{name}"), "HubStatus": "InService", **times}
    state.add("Hub", PROD, hub, tags("platform"))
    offered = [
        {
            "HubContentName": content,
            "HubContentArn": arn(PROD, f"hub-content/{name}/ModelReference/{content}"),
            "HubContentVersion": "1.0.0",
            "HubContentType": "ModelReference",
            "DocumentSchemaVersion": "1.0.0",
            "HubContentStatus": "Available",
            "CreationTime": ago(state, days=150),
        }
        for content in ("huggingface-ner-distilbert", "meta-textgeneration-llama-3-8b")
    ]
    state.answer("sagemaker:ListHubContents", {"HubContentSummaries": offered}, region=PROD)


def fill(state: DemoState) -> None:
    """Add the registered versions, the models, and the hub."""
    for seed in (_registry, _models, _hub):
        seed(state)
