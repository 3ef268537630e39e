"""Labeling: who is shown the data, from where, and how the labels are kept."""

from typing import Any

from collectors.s3 import Bucket
from collectors.sagemaker.labeling_jobs import LabelingJob
from collectors.sagemaker.workforces import Workforce
from collectors.sample import Sample, sample
from collectors.view import moment
from evaluators.controls import lens
from evaluators.encryption import destination_bucket
from evaluators.rule import Change, Severity, Verdict, expect, failed, given, not_applicable, passed, rule

_EVERYWHERE = frozenset({"0.0.0.0/0", "::/0"})
_NO_PERSONAL_DATA = "FreeOfPersonallyIdentifiableInformation"
_PUBLIC = "arn:aws:sagemaker:eu-west-1:394669845002:workteam/public-crowd/default"
_VENDOR = "arn:aws:sagemaker:eu-west-1:098765432109:workteam/vendor-crowd/labels-inc"
_KEY = "arn:aws:kms:eu-west-1:123456789012:key/k"


def _job(**values: Any) -> Sample:
    return sample(
        LabelingJob, "receipts", **{"s3_output_path": "s3://labels/out/", "kms_key_id": _KEY, **values}
    )


def _bucket(algorithm: str) -> Sample:
    rules = {"rules": [{"sse_algorithm": algorithm}]}
    return sample(Bucket, "labels", server_side_encryption_configuration=rules)


@rule(
    "SEC-023",
    Severity.MEDIUM,
    bad=[
        given(_job(kms_key_id=None), _bucket("AES256")),
        given(_job(kms_key_id=""), _bucket("AES256")),
        _job(workteam_arn=_PUBLIC),
        _job(workteam_arn=_PUBLIC, content_classifiers=["FreeOfAdultContent"]),
        # A workforce that was never limited has no list of addresses.
        sample(Workforce),
        sample(Workforce, cidrs=["203.0.113.0/24", "0.0.0.0/0"]),
        sample(Workforce, cidrs=["::/0"]),
    ],
    good=[
        _job(),
        _job(workteam_arn=_VENDOR),
        given(_job(kms_key_id=None), _bucket("aws:kms")),
        _job(workteam_arn=_PUBLIC, content_classifiers=["FreeOfAdultContent", _NO_PERSONAL_DATA]),
        sample(Workforce, cidrs=["203.0.113.0/24"]),
        sample(Workforce, vpc_id="vpc-1"),
        # Workers come through the VPC: the addresses do not open it.
        sample(Workforce, vpc_id="vpc-1", cidrs=["0.0.0.0/0"]),
    ],
    exempt=[
        _job(workteam_arn=_PUBLIC, creation_time=moment("2026-08-01T06:00:00+00:00")),
        _job(kms_key_id=None, creation_time=moment("2026-08-01T06:00:00+00:00")),
        sample(Workforce, status="Deleting"),
    ],
    remedy="Limit the workforce to your addresses or your VPC; give the next labeling job a team of yours and a "
    "KMS key for its output.",
    command="aws sagemaker update-workforce --workforce-name WORKFORCE --source-ip-config Cidrs=203.0.113.0/24",
    change=Change.IN_PLACE,
    maps=[lens("MLSEC03-BP03"), lens("MLSEC06-BP02")],
)
def open_labeling_workforce(subject: LabelingJob | Workforce) -> Verdict:
    """Data should be labeled by a private, restricted workforce, and the labels encrypted.

    Labelers see the raw data. A private workforce should log in from your addresses, or through your
    VPC; the public crowd is for data that its owner declares to be free of personal information.
    Jobs of the look-back window are judged.
    """
    if isinstance(subject, Workforce):
        return _workforce(subject)
    if subject.creation_time < subject.region.ago(_window(subject)):
        return not_applicable("it was created before the window that is looked at")
    team, told = subject.workteam_arn, subject.content_classifiers or []
    if _is_public(team) and _NO_PERSONAL_DATA not in told:
        return failed(
            "the public crowd labels data that nobody declares to be free of personal information",
            WorkteamArn=team,
            ContentClassifiers=told,
        )
    key = subject.kms_key_id
    return expect(
        bool(key) or destination_bucket(subject, subject.s3_output_path).encrypted_with_kms,
        "its output has no KMS key, and neither has the bucket",
        KmsKeyId=key,
        S3OutputPath=subject.s3_output_path,
        WorkteamArn=team,
    )


def _window(job: LabelingJob) -> int:
    manifest = job.region.manifest
    return manifest.lookback_days if manifest else 30


def _is_public(team: str) -> bool:
    """Whether it is Mechanical Turk's: AWS's account, and one team for everybody."""
    *_, account, resource = team.split(":")
    return account == "394669845002" and resource.startswith("workteam/public-crowd/")


def _workforce(workforce: Workforce) -> Verdict:
    if workforce.status == "Deleting":
        return not_applicable("the workforce is going")
    network, addresses = workforce.vpc_id, workforce.cidrs or []
    if network:
        return passed("workers come through a VPC", VpcId=network)
    return expect(
        bool(addresses) and not _EVERYWHERE.intersection(addresses),
        "workers may log in from anywhere",
        Cidrs=addresses[:10],
        VpcId=network,
    )
