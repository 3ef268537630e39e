"""Tags of SageMaker resources."""

from collections.abc import Mapping

from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.model_packages import ModelPackageGroup
from collectors.sagemaker.models import Model
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sagemaker.pipelines import Pipeline
from collectors.sagemaker.studio import Domain
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sample import sample
from evaluators.controls import config_rule, lens, security_hub
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule

_ALL = {"Environment": "prod", "Owner": "churn", "Project": "churn"}
_DEFAULT_ALIASES = {"Environment": ("Env", "Stage")}


@rule(
    "OPS-031",
    Severity.LOW,
    bad=[
        sample(Endpoint, "e"),
        sample(Endpoint, "e", tags={"Environment": "prod", "Owner": "churn"}),
        sample(Endpoint, "e", tags={**_ALL, "Owner": " "}),
        sample(NotebookInstance, "n"),
        sample(Endpoint, "e", tags={"aws:cloudformation:stack-name": "s", "sagemaker:project-id": "p"}),
    ],
    good=[
        sample(Endpoint, "e", tags=_ALL),
        sample(NotebookInstance, "n", tags=_ALL),
        sample(Model, "m", tags={"env": "prod", "OWNER": "churn", "project": "churn"}),
        given(sample(Model, "m", tags={"CostCenter": "7"}), required_tags=("CostCenter",)),
    ],
    exempt=[
        sample(
            TrainingJob,
            "child",
            tuning_job_arn="arn:aws:sagemaker:eu-west-1:123456789012:hyper-parameter-tuning-job/t",
        ),
    ],
    remedy="Add the missing tags, in the code that makes the resource as well.",
    command="aws sagemaker add-tags --resource-arn {arn} --tags Key=KEY,Value=VALUE",
    change=Change.IN_PLACE,
    maps=[
        security_hub("SageMaker.6"),
        security_hub("SageMaker.7"),
        config_rule("sagemaker-app-image-config-tagged"),
        config_rule("sagemaker-image-tagged"),
        lens("MLCOST04-BP12"),
    ],
)
def missing_tags(
    resource: NotebookInstance | Endpoint | Model | TrainingJob | Pipeline | ModelPackageGroup | Domain,
    *,
    required_tags: tuple[str, ...] = ("Environment", "Owner", "Project"),
    aliases: Mapping[str, tuple[str, ...]] = _DEFAULT_ALIASES,
) -> Verdict:
    """SageMaker resources should carry the required tags.

    Environment, owner and cost attribution hang on tags, and other rules here read the environment.
    Keys are compared in any case, and aliases count; tags that AWS sets itself do not. Children of
    tuning, AutoML and labeling jobs inherit from their parent. A domain with tag propagation hands
    its own tags on to what Studio makes.
    """
    if isinstance(resource, TrainingJob) and resource.is_child:
        return not_applicable("it inherits from the job that made it")
    found = {key.lower() for key, value in resource.tags.items() if value.strip()}
    missing = [
        key for key in required_tags if not found & {name.lower() for name in (key, *aliases.get(key, ()))}
    ]
    if not missing:
        return passed()
    return failed(f"no {', '.join(missing)}", missing=missing, Tags=sorted(resource.tags))
