"""Secrets where everyone with a Describe permission reads them."""

import base64
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from collectors.redaction import GENERIC, Secret
from collectors.sagemaker.code_repositories import CodeRepository
from collectors.sagemaker.model_packages import ModelPackage
from collectors.sagemaker.models import Model
from collectors.sagemaker.notebooks import LifecycleConfig
from collectors.sagemaker.processing_jobs import ProcessingJob
from collectors.sagemaker.studio import StudioLifecycleConfig
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sagemaker.tuning_jobs import TuningJob
from collectors.sample import sample
from collectors.view import Field
from evaluators.controls import lens, prowler
from evaluators.rule import Change, Severity, Verdict, expect, failed, given, not_applicable, passed, rule
from evaluators.scripts import piped_downloads


def _found(key: str, detector: str = GENERIC, entropy: float = 4.1, length: int = 24) -> list[dict[str, Any]]:
    return [{"key": key, "detector": detector, "digest": "0a1b2c3d", "entropy": entropy, "length": length}]


def _encoded(script: str) -> str:
    return base64.b64encode(script.encode()).decode()


def _told(fields: Iterable[Field[Any]], secrets: Iterable[Secret]) -> dict[str, Any]:
    """At most ten secrets under the member that holds them: key, detector and salted hash, never the value."""
    told: dict[str, list[str]] = {}
    names = {".".join(field.keys): field.keys[-1] for field in fields}
    for secret in list(secrets)[:10]:
        # A longer path first: TrainingJobDefinitions is not TrainingJobDefinition.
        held = (names[path] for path in sorted(names, reverse=True) if secret.key.startswith(path))
        told.setdefault(next(held, "elsewhere"), []).append(secret.mark)
    return told


@rule(
    "SEC-031",
    Severity.CRITICAL,
    bad=[
        sample(TrainingJob, secrets=_found("Environment.HF_TOKEN", "huggingface-token", 4.8, 37)),
        sample(TrainingJob, secrets=_found("HyperParameters.db_password")),
        sample(TrainingJob, secrets=_found("AlgorithmSpecification.ContainerArguments[3]")),
        sample(Model, secrets=_found("PrimaryContainer.Environment.API_KEY")),
        sample(
            Model, secrets=_found("Containers[1].Environment.AWS_ACCESS_KEY_ID", "aws-access-key-id", 3.4, 20)
        ),
        sample(
            ProcessingJob,
            secrets=_found("AppSpecification.ContainerArguments[3]", "json-web-token", 5.1, 180),
        ),
        sample(ProcessingJob, secrets=_found("AppSpecification.ContainerEntrypoint[4]", "github-token")),
        sample(ModelPackage, secrets=_found("InferenceSpecification.Containers[0].Environment.API_KEY")),
        sample(TuningJob, secrets=_found("TrainingJobDefinition.StaticHyperParameters.api_key")),
        sample(TuningJob, secrets=_found("TrainingJobDefinitions[0].Environment.API_KEY")),
        given(sample(TrainingJob, secrets=_found("Environment.PASSWORD", entropy=3.2)), min_entropy=3.0),
    ],
    good=[
        sample(TrainingJob),
        sample(Model),
        sample(ProcessingJob),
        sample(ModelPackage),
        sample(TuningJob),
        # What only a name gives away has to look like a secret as well.
        sample(TrainingJob, secrets=_found("Environment.PASSWORD", entropy=3.2)),
        sample(TrainingJob, secrets=_found("Environment.PASSWORD", length=12)),
        given(
            sample(Model, secrets=_found("PrimaryContainer.Environment.PUBLIC_TOKEN")),
            allowed_keys=("*.PUBLIC_*",),
        ),
    ],
    remedy="Rotate the secret now: past jobs cannot be edited and show it for ever."
    " Read it from Secrets Manager at run time.",
    change=Change.NEXT_RUN,
    maps=[lens("MLSEC04-BP01")],
)
def secret_in_configuration(
    holder: TrainingJob | Model | ProcessingJob | ModelPackage | TuningJob,
    *,
    min_entropy: float = 3.5,
    min_length: int = 16,
    allowed_keys: tuple[str, ...] = (),
) -> Verdict:
    """Environment variables, hyperparameters and arguments should hold no secrets.

    Everyone who may describe or search reads them, and the history keeps them. References (ARNs, S3
    URIs, Secrets Manager, Parameter Store) and SageMaker's own settings are none. The thresholds
    are for values that only their name gives away: entropy in bits per character, and length. Values
    were taken out when they were read: what is told is the key, the detector and a salted hash. Keys
    that match `allowed_keys` (globs) hold what is no secret.
    Of processing jobs the newest run of each family is judged.
    """
    if isinstance(holder, ProcessingJob) and not holder.is_described:
        return not_applicable("an older run: the newest of its family is judged")
    fields = _configuration(holder)
    secrets = [
        secret
        for secret in holder.secrets(fields[0].operations)
        if not any(fnmatchcase(secret.key, pattern) for pattern in allowed_keys)
        and (secret.detector != GENERIC or (secret.entropy >= min_entropy and secret.length >= min_length))
    ]
    if not secrets:
        return passed("nothing in it looks like a secret")
    return failed(
        "secrets stand in its configuration in plain text", **_told(fields, secrets), secrets=len(secrets)
    )


def _configuration(
    holder: TrainingJob | Model | ProcessingJob | ModelPackage | TuningJob,
) -> tuple[Field[Any], ...]:
    """The members of a document that are scanned for secrets when it is read."""
    match holder:
        case TrainingJob():
            return (
                TrainingJob.environment,
                TrainingJob.hyper_parameters,
                TrainingJob.container_arguments,
                TrainingJob.container_entrypoint,
            )
        case Model():
            return (Model.primary_container, Model.containers)
        case ProcessingJob():
            return (
                ProcessingJob.environment,
                ProcessingJob.container_arguments,
                ProcessingJob.container_entrypoint,
            )
        case ModelPackage():
            return (ModelPackage.containers,)
        case TuningJob():
            return (TuningJob.training_job_definition, TuningJob.training_job_definitions)


_PIPED = _encoded("#!/bin/bash\nset -e\ncurl -fsSL https://get.example.com/install.sh \\\n  | sudo bash\n")
_SUBSTITUTED = _encoded('#!/bin/bash\nbash -c "$(wget -qO- https://get.example.com/install.sh)"\n')
_COMMENTED = _encoded("#!/bin/bash\n# curl https://get.example.com/install.sh | sh\npip install pandas\n")
_HARMLESS = _encoded(
    "#!/bin/bash\ncurl -s https://api.example.com/v1/status | jq .state\nwget https://example.com/data.csv\n"
)


@rule(
    "SEC-032",
    Severity.CRITICAL,
    bad=[
        sample(LifecycleConfig, secrets=_found("OnStart[0].Content:7", "github-token")),
        sample(LifecycleConfig, secrets=_found("OnCreate[0].Content:2", length=8)),
        sample(LifecycleConfig, on_start=[{"content": _PIPED}]),
        sample(LifecycleConfig, on_create=[{"content": _SUBSTITUTED}]),
        sample(StudioLifecycleConfig, secrets=_found("StudioLifecycleConfigContent:3")),
        sample(StudioLifecycleConfig, studio_lifecycle_config_content=_PIPED),
        sample(CodeRepository, secrets=_found("GitConfig.RepositoryUrl", "url-userinfo", 3.9, 30)),
    ],
    good=[
        sample(LifecycleConfig),
        sample(LifecycleConfig, on_start=[{"content": _HARMLESS}], on_create=[{"content": _COMMENTED}]),
        given(sample(LifecycleConfig, on_start=[{"content": _PIPED}]), allowed_hosts=("*.example.com",)),
        sample(StudioLifecycleConfig),
        sample(CodeRepository),
    ],
    remedy="Move secrets to Secrets Manager and rotate them, also those of a repository's URL (SecretArn)."
    " Download to a file, check its digest, then run it.",
    command="aws sagemaker update-notebook-instance-lifecycle-config"
    " --notebook-instance-lifecycle-config-name NAME --on-start Content=BASE64",
    change=Change.NEXT_RUN,
    maps=[prowler("sagemaker_notebook_instance_no_secrets"), lens("MLSEC04-BP01")],
)
def secret_in_script(
    holder: LifecycleConfig | StudioLifecycleConfig | CodeRepository, *, allowed_hosts: tuple[str, ...] = ()
) -> Verdict:
    """Lifecycle scripts and repository URLs should hold no secrets and pipe no downloads to sh.

    Every Describe permission reads them, and scripts of notebook instances run as root. Hosts that
    match `allowed_hosts` (globs) may be piped. A script that cannot be decoded is unknown.
    """
    fields = _scripts(holder)
    secrets = holder.secrets(fields[0].operations)
    if secrets:
        return failed("it holds secrets in plain text", **_told(fields, secrets), secrets=len(secrets))
    hosts = [
        (member, host)
        for member, text in _texts(holder)
        for host in piped_downloads(text)
        if not any(fnmatchcase(host, pattern) for pattern in allowed_hosts)
    ]
    evidence = {member: [host for place, host in hosts if place == member][:10] for member, _ in hosts}
    return expect(not hosts, "it pipes a download to a shell", **evidence)


def _scripts(holder: LifecycleConfig | StudioLifecycleConfig | CodeRepository) -> tuple[Field[Any], ...]:
    match holder:
        case LifecycleConfig():
            return (LifecycleConfig.on_create, LifecycleConfig.on_start)
        case StudioLifecycleConfig():
            return (StudioLifecycleConfig.studio_lifecycle_config_content,)
        case CodeRepository():
            return (CodeRepository.repository_url,)


def _texts(holder: LifecycleConfig | StudioLifecycleConfig | CodeRepository) -> list[tuple[str, str]]:
    """The scripts with the member that holds each."""
    match holder:
        case LifecycleConfig():
            return [
                *(("OnCreate", script.text) for script in holder.on_create),
                *(("OnStart", script.text) for script in holder.on_start),
            ]
        case StudioLifecycleConfig():
            return [("StudioLifecycleConfigContent", holder.text)]
        case CodeRepository():
            return []
