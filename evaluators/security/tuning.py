"""Tuning and AutoML jobs: network and encryption of the many jobs that they start."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from collectors.s3 import Bucket
from collectors.sagemaker.automl_jobs import AutoMLJob
from collectors.sagemaker.tuning_jobs import Definition, TuningJob
from collectors.sample import NOW, Sample, sample
from evaluators.controls import lens
from evaluators.encryption import destination_bucket, lacking
from evaluators.families import automl_families, older_run, tuning_families
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule

_KEY = "arn:aws:kms:eu-west-1:123456789012:key/k"
_SAFE: dict[str, Any] = {
    "subnets": ["subnet-1"],
    "kms_key_id": _KEY,
    "s3_output_path": "s3://churn/",
    "resource_config": {"instance_count": 1},
}
_TWO: dict[str, Any] = {**_SAFE, "resource_config": {"instance_count": 2}}
_GROUPS: dict[str, Any] = {
    **_SAFE,
    "resource_config": {"instance_groups": [{"instance_count": 1}, {"instance_count": 1}]},
}
_CHOICES: dict[str, Any] = {
    **_SAFE,
    "resource_config": None,
    "hyper_parameter_tuning_resource_config": {"instance_configs": [{"instance_count": 2}]},
}
_NO_KEY: dict[str, Any] = {**_SAFE, "kms_key_id": None}
_ENCRYPTED: dict[str, Any] = {"enable_inter_container_traffic_encryption": True}


def _tuning(name: str = "churn-hpo-1", **values: Any) -> Sample:
    return sample(TuningJob, name, **values)


def _automl(**values: Any) -> Sample:
    return sample(AutoMLJob, "churn-automl-1", **{"s3_output_path": "s3://churn/", **values})


def _bucket(algorithm: str) -> Sample:
    return sample(
        Bucket, "churn", server_side_encryption_configuration={"rules": [{"sse_algorithm": algorithm}]}
    )


@rule(
    "SEC-022",
    Severity.MEDIUM,
    bad=[
        _tuning(training_job_definition={**_SAFE, "subnets": None}),
        given(_tuning(training_job_definition=_NO_KEY), _bucket("AES256")),
        _tuning(training_job_definition=_TWO),
        _tuning(training_job_definition=_GROUPS),
        _tuning(training_job_definition=_CHOICES),
        _tuning(training_job_definitions=[_SAFE, {**_SAFE, "subnets": None, "definition_name": "linear"}]),
        given(_automl(kms_key_id=_KEY), _bucket("AES256")),
        given(_automl(subnets=["subnet-1"]), _bucket("AES256")),
    ],
    good=[
        _tuning(training_job_definition=_SAFE),
        _tuning(training_job_definitions=[_SAFE, _SAFE]),
        _tuning(training_job_definition={**_TWO, **_ENCRYPTED}),
        _tuning(training_job_definition={**_CHOICES, **_ENCRYPTED}),
        given(_tuning(training_job_definition=_NO_KEY), _bucket("aws:kms")),
        _automl(subnets=["subnet-1"], kms_key_id=_KEY),
        given(_automl(subnets=["subnet-1"]), _bucket("aws:kms")),
    ],
    exempt=[
        given(
            _tuning(training_job_definition={"s3_output_path": "s3://churn/"}),
            _tuning("churn-hpo-2", creation_time=NOW, training_job_definition=_SAFE),
        ),
        given(
            _automl(),
            sample(AutoMLJob, "churn-automl-2", creation_time=NOW, s3_output_path="s3://churn/"),
        ),
    ],
    remedy="Set VpcConfig, the output's KmsKeyId and EnableInterContainerTrafficEncryption in the next definition "
    "or SecurityConfig.",
    change=Change.NEXT_RUN,
    maps=[lens("MLSEC02-BP01"), lens("MLSEC03-BP02")],
)
def unprotected_search_for_models(job: TuningJob | AutoMLJob) -> Verdict:
    """Tuning and AutoML jobs should give their jobs a VPC and encryption.

    One definition makes hundreds of training jobs, so it is judged instead of them. A bucket that
    encrypts with KMS by default covers the output. Definitions on one instance have no traffic to
    encrypt; on how many AutoML trains nobody is told. The latest run of a family is judged.
    """
    families = tuning_families(job.region) if isinstance(job, TuningJob) else automl_families(job.region)
    why = older_run(job, families)
    if why:
        return not_applicable(why)
    parts: tuple[Definition | AutoMLJob, ...] = job.definitions if isinstance(job, TuningJob) else (job,)
    missing = lacking(check for part in parts for check in _checks(part))
    figures: dict[str, Any] = {
        "Subnets": [part.subnets for part in parts[:10]],
        "KmsKeyId": [part.kms_key_id for part in parts[:10]],
        "EnableInterContainerTrafficEncryption": [
            part.enable_inter_container_traffic_encryption
            for part in parts[:10]
            if isinstance(part, Definition)
        ],
        "definitions": len(parts),
    }
    return failed("; ".join(dict.fromkeys(missing)), **figures) if missing else passed(**figures)


def _checks(part: Definition | AutoMLJob) -> Iterator[tuple[str, Callable[[], bool]]]:
    """What can be wrong with a definition, by what it is called."""
    named = part.definition_name if isinstance(part, Definition) else None
    of = f" in {named}" if named else ""
    yield f"no VPC{of}", partial(_lacks_network, part)
    yield f"no KMS key for the output{of}", partial(_lacks_key, part)
    if isinstance(part, Definition):
        yield f"instances that talk in clear{of}", partial(_talks_in_clear, part)


def _lacks_network(part: Definition | AutoMLJob) -> bool:
    return not part.subnets


def _lacks_key(part: Definition | AutoMLJob) -> bool:
    return not part.kms_key_id and not destination_bucket(part.view, part.s3_output_path).encrypted_with_kms


def _talks_in_clear(part: Definition) -> bool:
    return part.total_instances > 1 and part.enable_inter_container_traffic_encryption is not True
