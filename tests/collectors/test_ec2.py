"""Facts about instance types are asked for what was seen, by filter, in batches."""

import pytest
from readers import reader_of

from auditor.demo.state import DemoState
from collectors.ec2 import InstanceType, instance_types
from collectors.model import Gap, Reason
from collectors.reads import Reads
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sample import NOW, REGION, Sample, sample
from collectors.view import Region

G5 = {
    "InstanceType": "g5.12xlarge",
    "CurrentGeneration": True,
    "InstanceStorageSupported": True,
    "VCpuInfo": {"DefaultVCpus": 48},
    "GpuInfo": {"Gpus": [{"Name": "A10G", "Count": 4}]},
}


def asked(*names: str) -> dict[str, object]:
    return {"Filters": [{"Name": "instance-type", "Values": list(names)}], "MaxResults": 100}


def notebooks(*types: str | Gap) -> list[Sample]:
    return [sample(NotebookInstance, f"n{i}", instance_type=kind) for i, kind in enumerate(types)]


def reads() -> Reads:
    return Reads(views={NotebookInstance, InstanceType})


def test_types_are_asked_once_each_without_their_prefix_and_unread_ones_are_passed_over() -> None:
    state = DemoState(NOW)
    state.answer("ec2:DescribeInstanceTypes", {"InstanceTypes": [G5]}, when=asked("g5.12xlarge", "t3.medium"))
    refused = Gap("sagemaker:DescribeNotebookInstance", Reason.DENIED)
    seen = notebooks("ml.t3.medium", "ml.g5.12xlarge", "ml.g5.12xlarge", refused)
    reader = reader_of(instance_types, state, seen, reads=reads())

    found = list(instance_types.function(reader))

    assert [(r.kind, r.id, r.region) for r in found] == [("instance-type", "g5.12xlarge", REGION)]
    for resource in found:
        reader.region.snapshot.add(resource)
    view = next(Region(reader.region.snapshot, reader.region.account, REGION).known(InstanceType))
    assert (view.gpu_count, view.default_v_cpus, view.neuron_info) == (4, 48, None)
    assert (state.calls["ec2:DescribeInstanceTypes"], reader.gap) == (1, None)


@pytest.mark.parametrize(("number", "calls"), [(0, 0), (1, 1), (200, 1), (201, 2)])
def test_a_filter_takes_two_hundred_values(number: int, calls: int) -> None:
    state = DemoState(NOW)
    state.answer("ec2:DescribeInstanceTypes", {"InstanceTypes": []})
    seen = notebooks(*(f"ml.m{i}.large" for i in range(number)))
    reader = reader_of(instance_types, state, seen, reads=reads())
    assert list(instance_types.function(reader)) == []
    assert state.calls["ec2:DescribeInstanceTypes"] == calls


def test_a_denied_call_leaves_the_listing_incomplete() -> None:
    state = DemoState(NOW, denied=["ec2:DescribeInstanceTypes"])
    reader = reader_of(instance_types, state, notebooks("ml.t3.medium"), reads=reads())
    assert list(instance_types.function(reader)) == []
    assert reader.gap is not None
    assert (reader.gap.operation, reader.gap.reason) == ("ec2:DescribeInstanceTypes", Reason.DENIED)
