"""AutoML jobs, and the objects that transform jobs on several instances share."""

from datetime import timedelta
from typing import Any

import pytest
from readers import reader_of

from auditor.demo.state import DemoState
from collectors.model import Gap, Reason
from collectors.reads import Reads
from collectors.s3 import Bucket
from collectors.sagemaker.automl_jobs import AutoMLJob, automl_jobs
from collectors.sagemaker.transform_jobs import TransformJob
from collectors.sample import ACCOUNT, NOW, REGION, Sample, sample, snapshot_of
from collectors.transform_inputs import TransformSource, transform_sources
from collectors.view import Region

SEARCHED = Reads(views={AutoMLJob}, fields={AutoMLJob.kms_key_id})
CHANNEL = {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://churn/train/"}}}


def add_automl(state: DemoState, name: str, days: float) -> None:
    created = NOW - timedelta(days=days)
    document = {
        "AutoMLJobName": name,
        "AutoMLJobArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:automl-job/{name}",
        "AutoMLJobInputDataConfig": [CHANNEL],
        "OutputDataConfig": {"S3OutputPath": "s3://churn/automl/", "KmsKeyId": "k"},
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/automl",
        "CreationTime": created,
        "LastModifiedTime": created,
        "AutoMLJobStatus": "Completed",
        "AutoMLJobSecondaryStatus": "Completed",
        "SecurityConfig": {"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}},
    }
    state.add("AutoMLJobV2", REGION, document)


def test_only_the_newest_automl_job_of_a_family_is_described() -> None:
    state = DemoState(NOW)
    for name, days in {"churn-1": 9, "churn-2": 2, "demand": 3, "gone-1": 31}.items():
        add_automl(state, name, days)
    reader = reader_of(automl_jobs, state, reads=SEARCHED)
    snapshot = snapshot_of([])
    for resource in automl_jobs.function(reader):
        snapshot.add(resource)
    jobs = {job.name: job.buckets for job in Region(snapshot, ACCOUNT, REGION).all(AutoMLJob)}
    assert jobs == {"churn-1": set(), "churn-2": {"churn"}, "demand": {"churn"}}
    assert reader.gap is None
    assert dict(state.calls) == {"sagemaker:ListAutoMLJobs": 1, "sagemaker:DescribeAutoMLJobV2": 2}


@pytest.mark.parametrize("operation", ["ListAutoMLJobs", "DescribeAutoMLJobV2"])
def test_what_is_denied_of_automl_jobs_is_a_gap(operation: str) -> None:
    state = DemoState(NOW, denied=(f"sagemaker:{operation}",))
    add_automl(state, "churn-1", 1)
    reader = reader_of(automl_jobs, state, reads=SEARCHED)
    found = list(automl_jobs.function(reader))
    if operation == "ListAutoMLJobs":
        assert found == []
        assert reader.gap is not None
    else:
        (job,) = found
        assert isinstance(job.readings()["sagemaker:DescribeAutoMLJobV2"], Gap)


def transform(**values: Any) -> Sample:
    base: dict[str, Any] = {
        "s3_uri": "s3://churn/scoring/",
        "s3_data_type": "S3Prefix",
        "transform_resources": {"instance_count": 3},
    }
    return sample(TransformJob, "score", **{**base, **values})


@pytest.mark.parametrize(
    ("job", "counted"),
    [
        pytest.param(transform(), True, id="several instances"),
        pytest.param(transform(transform_resources={"instance_count": 1}), False, id="one instance"),
        pytest.param(transform(s3_data_type="ManifestFile"), False, id="a manifest"),
        pytest.param(transform(s3_uri="s3://a-suppliers-bucket/"), False, id="another account's bucket"),
    ],
)
def test_objects_are_counted_up_to_the_number_of_instances(job: Sample, counted: bool) -> None:
    state = DemoState(NOW)
    sent = {"Bucket": "churn", "Prefix": "scoring/", "MaxKeys": 3}
    state.answer("s3:ListObjectsV2", {"KeyCount": 2, "IsTruncated": False}, when=sent)
    bucket = sample(Bucket, "churn", bucket_region=REGION)
    reader = reader_of(transform_sources, state, [job, bucket], reads=Reads(views={TransformSource}))
    documents = [resource.readings() for resource in transform_sources.function(reader)]
    answer = {"KeyCount": 2, "IsTruncated": False}
    assert documents == ([{"s3:ListObjectsV2": answer}] if counted else [])
    assert reader.gap is None


def test_a_denied_count_is_a_gap_and_an_unread_job_marks_the_listing() -> None:
    state = DemoState(NOW, denied=("s3:ListObjectsV2",))
    bucket = sample(Bucket, "churn", bucket_region=REGION)
    unread = transform(s3_data_type=Gap("sagemaker:DescribeTransformJob", Reason.DENIED))
    for job, marked in ((transform(), False), (unread, True)):
        reader = reader_of(transform_sources, state, [job, bucket], reads=Reads(views={TransformSource}))
        found = list(transform_sources.function(reader))
        assert (reader.gap is not None) is marked
        assert [isinstance(resource.readings()["s3:ListObjectsV2"], Gap) for resource in found] == (
            [] if marked else [True]
        )
