"""File systems that hold what S3 does not: homes of Studio, data of training jobs."""

from typing import Any

from collectors.backup import ProtectedResource
from collectors.efs import FileSystem
from collectors.fsx import LustreFileSystem
from collectors.sample import ABSENT, Sample, sample
from evaluators.controls import config_rule, lens, prowler, security_hub
from evaluators.rule import Change, Severity, Verdict, expect, failed, given, passed, rule

_EFS = "arn:aws:elasticfilesystem:eu-west-1:123456789012:file-system/fs-1"
_FSX = "arn:aws:fsx:eu-west-1:123456789012:file-system/fs-2"
_ON = frozenset({"ENABLED", "ENABLING"})


def _home(status: Any) -> Sample:
    return sample(FileSystem, "fs-1", arn=_EFS, status=status)


def _lustre(**values: Any) -> Sample:
    return sample(LustreFileSystem, "fs-2", arn=_FSX, **values)


@rule(
    "REL-022",
    Severity.MEDIUM,
    bad=[
        _home("DISABLED"),
        # PolicyNotFound: backups were never turned on.
        _home(ABSENT),
        given(_home("DISABLED"), sample(ProtectedResource, _FSX, arn=_FSX)),
        _lustre(deployment_type="SCRATCH_2"),
        _lustre(deployment_type="SCRATCH_1", import_path=None, associations=[]),
    ],
    good=[
        _home("ENABLED"),
        given(_home("DISABLED"), sample(ProtectedResource, _EFS, arn=_EFS)),
        _lustre(deployment_type="PERSISTENT_2"),
        _lustre(deployment_type="SCRATCH_1", import_path="s3://features/daily"),
        # Newer file systems are linked by associations, of which the file system itself says nothing.
        _lustre(deployment_type="SCRATCH_2", associations=[{"data_repository_path": "s3://features/"}]),
    ],
    remedy="Turn the backups of EFS on; link a scratch file system to S3, and keep what is worth keeping there.",
    command="aws efs put-backup-policy --file-system-id FILE_SYSTEM --backup-policy Status=ENABLED",
    change=Change.IN_PLACE,
    maps=[
        security_hub("EFS.2"),
        config_rule("efs-in-backup-plan"),
        prowler("efs_have_backup_enabled"),
        lens("MLREL02-BP02"),
    ],
)
def unprotected_file_system(subject: FileSystem | LustreFileSystem) -> Verdict:
    """State that is kept outside S3 should be backed up.

    Data that is tied to the storage of compute is lost with it. EFS file systems of Studio domains
    should have backups, by their own policy or by AWS Backup; a scratch file system for Lustre that
    training jobs read should be linked to S3. Volumes of spaces cannot be backed up by any API: Git
    and S3 are the way. Whether notebooks hold the only copy of code is OPS-002's matter.
    """
    if isinstance(subject, LustreFileSystem):
        return _linked(subject)
    status = subject.status
    if status in _ON:
        return passed(Status=status)
    backup = subject.region.find(ProtectedResource, subject.id)
    if backup is None:
        return failed("neither EFS nor AWS Backup backs it up", Status=status)
    return passed("AWS Backup has it", Status=status, LastBackupTime=backup.last_backup_time)


def _linked(system: LustreFileSystem) -> Verdict:
    kind = system.deployment_type
    if not system.is_scratch:
        return passed(DeploymentType=kind)
    path = system.import_path
    linked = [held.data_repository_path for held in system.associations] if not path else [path]
    return expect(
        bool(linked),
        "training data is on a scratch file system that nothing is copied from",
        DeploymentType=kind,
        DataRepositoryPath=linked,
    )
