"""Facts about instance types against botocore's own lists of them."""

import botocore.loaders
import pytest
from botocore.model import ServiceModel

from evaluators.instances import family, has_smaller_size, has_twin, is_elastic_inference, size

SAGEMAKER = ServiceModel(botocore.loaders.Loader().load_service_model("sagemaker", "service-2"), "sagemaker")
HOSTED = SAGEMAKER.shape_for("ProductionVariantInstanceType").enum


@pytest.mark.parametrize(
    ("name", "parts", "twin"),
    [
        ("ml.g5.12xlarge", ("g5", "12xlarge"), True),
        ("g5.xlarge", ("g5", "xlarge"), True),
        ("ml.p6-b200.48xlarge", ("p6-b200", "48xlarge"), True),
        ("ml.eia2.medium", ("eia2", "medium"), False),
        ("ml.geospatial.interactive", ("geospatial", "interactive"), False),
        ("system", ("system", ""), False),
    ],
)
def test_what_a_name_says(name: str, parts: tuple[str, str], twin: bool) -> None:
    assert (family(name), size(name)) == parts
    assert has_twin(name) is twin


def test_only_accelerators_are_elastic_inference() -> None:
    accelerators = SAGEMAKER.shape_for("ProductionVariantAcceleratorType").enum
    assert all(is_elastic_inference(name) for name in accelerators)
    assert not any(is_elastic_inference(name) for name in HOSTED)


def test_the_smallest_size_is_one_that_sagemaker_hosts_and_no_hosted_one_is_smaller() -> None:
    """Each family that is known has one hosted size without a smaller one: what the table says."""
    smallest = [name for name in HOSTED if has_smaller_size(name) is False]
    known = {family(name) for name in HOSTED if has_smaller_size(name) is not None}
    assert sorted(family(name) for name in smallest) == sorted(known)
    assert {"m5", "c6i", "r8g", "t2"} <= known


@pytest.mark.parametrize(
    ("name", "smaller"),
    [
        ("ml.m5.large", False),
        ("ml.m5.xlarge", True),
        ("ml.m5.24xlarge", True),
        ("ml.m4.xlarge", False),
        ("ml.t2.medium", False),
        ("ml.g5.2xlarge", None),
        ("ml.m5.metal", None),
        ("system", None),
    ],
)
def test_whether_a_smaller_size_is_hosted(name: str, smaller: bool | None) -> None:
    assert has_smaller_size(name) is smaller
