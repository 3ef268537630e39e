"""Who may use the registry, what is written down of models, and what was deployed past all that, good and bad."""

import json

from auditor.demo.company import LAB, PARTNER, PROD, ago, arn, role, tags
from auditor.demo.hosting import config, endpoint
from auditor.demo.shapes import Document
from auditor.demo.state import DemoState


def _policies(state: DemoState) -> None:
    """The organization may deploy churn, a partner may do everything with the ranker, and fraud has no policy."""

    def statement(principal: Document | str, action: str | list[str], **more: Document) -> Document:
        held = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*", **more}
        return {"ResourcePolicy": json.dumps({"Version": "2012-10-17", "Statement": [held]})}

    operation = "sagemaker:GetModelPackageGroupPolicy"
    organization = {"StringEquals": {"aws:PrincipalOrgID": "o-larkspur01"}}
    use = ["sagemaker:DescribeModelPackage", "sagemaker:CreateModel"]
    shared = statement("*", use, Condition=organization)
    state.answer(operation, shared, region=PROD, when={"ModelPackageGroupName": "churn"})
    open_ = statement({"AWS": f"arn:aws:iam::{PARTNER}:root"}, "sagemaker:*")
    state.answer(operation, open_, region=PROD, when={"ModelPackageGroupName": "search-ranker"})
    state.refuse(
        operation,
        code="ValidationException",
        message="Cannot find resource policy for the model package group.",
        when={"ModelPackageGroupName": "fraud"},
    )


def _cards(state: DemoState) -> None:
    """The churn model's card is approved; that of the fraud model, a risky one, was never reviewed."""
    person = {"IamIdentity": {"Arn": role("ml-pipeline"), "PrincipalId": "AROADEMOPIPELINE00001"}}
    for name, model, status, risk, days in (
        ("churn", "churn-realtime-v7", "Approved", "Medium", 18),
        ("fraud", "fraud-scoring-v3", "Draft", "High", 90),
    ):
        content = {
            "model_overview": {"model_id": arn(PROD, f"model/{model}"), "model_name": model},
            "intended_uses": {"risk_rating": risk},
        }
        state.add(
            "ModelCard",
            PROD,
            {
                "ModelCardName": name,
                "ModelCardArn": arn(PROD, f"model-card/{name}"),
                "ModelCardVersion": 1,
                "Content": json.dumps(content),
                "ModelCardStatus": status,
                "CreationTime": ago(state, days=days),
                "CreatedBy": person,
                "LastModifiedTime": ago(state, days=days),
            },
            tags(name),
        )


def _pilot(state: DemoState) -> None:
    """Somebody tidied up the models, and one of them was serving."""
    name, serverless = "sentiment-pilot", {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    held: Document = {"VariantName": "AllTraffic", "ModelName": f"{name}-v1", "InitialVariantWeight": 1.0}
    config(state, LAB, f"{name}-1", 45, [{**held, "ServerlessConfig": serverless}])
    running: Document = {
        "VariantName": "AllTraffic",
        "CurrentWeight": 1.0,
        "CurrentServerlessConfig": serverless,
    }
    endpoint(
        state,
        LAB,
        name,
        45,
        config_name=f"{name}-1",
        running=[running],
        held=tags("research", "development"),
    )


def _experiments(state: DemoState) -> None:
    """Production's regular runs name their experiment; the laboratory's do not."""
    regular = ("churn-xgboost-daily", "demand-deepar-weekly", "fraud-gnn-weekly", "search-ranker")
    for job in state.documents("TrainingJob", PROD):
        family = next((name for name in regular if job["TrainingJobName"].startswith(name)), None)
        if family is not None:
            job["ExperimentConfig"] = {"ExperimentName": family, "TrialName": "scheduled"}


def _object_tags(state: DemoState) -> None:
    tagged = {"TagSet": [{"Key": "model", "Value": "churn"}, {"Key": "version", "Value": "7"}]}
    named = {"Bucket": "larkspur-churn-data", "Key": "models/churn-v7/model.tar.gz"}
    state.answer("s3:GetObjectTagging", tagged, when=named)


def fill(state: DemoState) -> None:
    """Add them to the account."""
    for seed in (_policies, _cards, _pilot, _experiments, _object_tags):
        seed(state)
