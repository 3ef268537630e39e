"""Whether what an endpoint would have to be made of again is still there, and can be told apart."""

from datetime import timedelta
from typing import Any

from collectors.model import Reason, Unread
from collectors.s3 import Bucket
from collectors.s3_object_tags import ArtifactTags
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import SETTLING, Endpoint
from collectors.sagemaker.inference_components import InferenceComponent
from collectors.sagemaker.models import Model
from collectors.sample import NOW, Sample, sample
from evaluators.controls import lens
from evaluators.deployments import model_names_behind
from evaluators.rule import Change, Given, Severity, Verdict, failed, given, not_applicable, passed, rule

_URI = "s3://churn-models/v3/model.tar.gz"
_VARIANTS = [{"variant_name": "a", "model_name": "churn"}]
_MODEL = sample(Model, "churn", primary_container={"image": "i"})


def _endpoint(*others: Sample, **values: Any) -> Given:
    return given(sample(Endpoint, "churn", **{"endpoint_config_name": "churn-7", **values}), *others)


def _config(*variants: dict[str, str]) -> Sample:
    return sample(EndpointConfig, "churn-7", production_variants=list(variants or _VARIANTS))


@rule(
    "REL-023",
    Severity.HIGH,
    bad=[
        _endpoint(_MODEL),
        _endpoint(_config()),
        _endpoint(_config(*_VARIANTS, {"variant_name": "b", "model_name": "gone"}), _MODEL),
        _endpoint(
            _config({"variant_name": "a"}),
            sample(InferenceComponent, "churn-copy", endpoint_name="churn", model_name="gone"),
        ),
    ],
    good=[
        _endpoint(_config(), _MODEL),
        _endpoint(_config({"variant_name": "a"})),
        _endpoint(_config(), _MODEL, endpoint_status="Updating"),
    ],
    exempt=[
        _endpoint(endpoint_status="Deleting"),
        sample(Endpoint, "churn"),
        # What was made a moment ago may not be listed yet.
        _endpoint(_config(), last_modified_time=NOW - timedelta(minutes=10)),
    ],
    remedy="Make the configuration and its models again from code, under the names that the endpoint has.",
    command="aws sagemaker create-endpoint-config --endpoint-config-name CONFIG --production-variants file://v.json",
    change=Change.IN_PLACE,
    maps=[lens("MLREL05-BP02")],
)
def unrecoverable_endpoint(endpoint: Endpoint) -> Verdict:
    """The configuration and the models that an endpoint needs should still exist.

    The endpoint goes on serving without them, but it cannot scale safely, be updated or be made again
    once somebody deletes it. AWS's answers lag a little: a configuration is asked for twice, and within
    an hour of a change nothing counts as missing.
    """
    if endpoint.endpoint_status == "Deleting":
        return not_applicable("it is being deleted")
    name = endpoint.endpoint_config_name
    if name is None:
        return not_applicable("it names no configuration")
    config = endpoint.config
    models = () if config is None else model_names_behind(endpoint)
    missing = [held for held in models if endpoint.region.find(Model, held) is None]
    if config is not None and not missing:
        return passed(EndpointConfigName=name, models=len(models))
    if endpoint.last_modified_time > endpoint.region.now - SETTLING:
        return not_applicable("it was changed within the hour: what it needs may not be listed yet")
    if config is None:
        return failed("its configuration was deleted", EndpointConfigName=name)
    return failed("models that it serves were deleted", EndpointConfigName=name, models=missing[:10])


def _tagged(*tags: str, bucket: dict[str, str] | None = None) -> Given:
    held = [{"Key": key, "Value": "x"} for key in tags]
    return given(
        sample(ArtifactTags, _URI, arn=_URI, tag_set=held),
        sample(Bucket, "churn-models", arn="arn:aws:s3:::churn-models", tags=bucket),
    )


@rule(
    "REL-008",
    Severity.LOW,
    confidence=0.7,
    bad=[_tagged(), _tagged(bucket={"aws:cloudformation:stack-name": "models"})],
    good=[
        _tagged("model"),
        _tagged(bucket={"Project": "churn"}),
        # An uncompressed model is a prefix: the tags are those of its first object.
        given(
            sample(
                ArtifactTags,
                "s3://churn-models/v3/*",
                arn="s3://churn-models/v3/*",
                tag_set=[{"Key": "model", "Value": "churn"}],
            )
        ),
    ],
    remedy="Tag the object with its model, its version and the commit that made it.",
    command="aws s3api put-object-tagging --bucket BUCKET --key KEY --tagging file://tags.json",
    change=Change.IN_PLACE,
    maps=[lens("MLOPS03-BP02")],
)
def untagged_artifact(artifact: ArtifactTags) -> Verdict:
    """Artifacts of deployed models should carry object tags.

    In a recovery somebody has to tell the objects of a bucket apart. Tags of the bucket alone pass with a
    note. Asked of two hundred artifacts a Region, in buckets of this account; of a model without an
    archive its first object counts.
    """
    if artifact.tag_set:
        return passed(TagSet=[tag["Key"] for tag in artifact.tag_set][:10])
    bucket = artifact.bucket
    if bucket is None:
        raise Unread(artifact.gap("s3:GetBucketTagging", Reason.NOT_READ, artifact.name))
    if bucket.tags:
        return passed("its bucket alone is tagged", tags=sorted(bucket.tags)[:10])
    return failed("neither it nor its bucket has a tag", TagSet=[])
