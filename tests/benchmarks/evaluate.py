"""Time and memory of judging a snapshot, from outside: `python tests/benchmarks/evaluate.py [RESOURCES…]`.

Makes a snapshot of training jobs, models, endpoints with their configurations, and notebooks; runs
`auditor evaluate` over it in a process of its own; prints seconds of CPU and peak memory.
"""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from collectors.model import End, Listing, Manifest
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.models import Model
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sample import ACCOUNT, NOW, REGION, Sample, resources_of, sample, snapshot_of
from collectors.snapshot_file import SCHEMA, SnapshotWriter
from evaluators.rule import all_rules

TAGS = {"Environment": "prod", "Owner": "churn", "Project": "churn"}


def samples(count: int) -> Iterator[Sample]:
    """Of ten resources six are training jobs; the rest are endpoints with config and model, and a notebook."""
    for number in range(count // 10):
        name = f"churn-{number:06d}"
        for run in range(6):
            yield sample(
                TrainingJob,
                f"{name}-{run}",
                tags=TAGS,
                creation_time=NOW - timedelta(minutes=number % 40_000),
                training_job_status="Completed" if run else "Failed",
                hyper_parameters={f"parameter-{n}": f"{number * 31 + n * 17}" for n in range(30)},
                environment={f"VARIABLE_{n}": f"s3://data/{name}/part-{n}/{number}" for n in range(10)},
                input_data_config=[
                    {"s3_uri": f"s3://data/{name}/{channel}/"} for channel in ("train", "validation")
                ],
                failure_reason=None
                if run
                else f"AlgorithmError: exit code {number % 7} after {number} steps",
            )
        yield sample(
            Model, name, tags=TAGS, primary_container={"model_data_url": f"s3://models/{name}/model.tar.gz"}
        )
        yield sample(EndpointConfig, name, production_variants=[{"variant_name": "a", "model_name": name}])
        yield sample(
            Endpoint, name, tags=TAGS, endpoint_config_name=name, production_variants=[{"variant_name": "a"}]
        )
        yield sample(NotebookInstance, name, root_access="Enabled")


def write(path: Path, count: int) -> int:
    """A snapshot file with about so many resources; how many it has comes back."""
    codes = tuple(rule.code for rule in all_rules())
    written = 0
    with SnapshotWriter(
        path, Manifest(SCHEMA, "benchmark", ACCOUNT, "aws", (REGION,), NOW, 30, 14, codes)
    ) as file:
        for (kind, account, region), gap in snapshot_of([]).listings.items():
            file.listing(Listing(kind, account, region, gap))
        for made in samples(count):
            for found in resources_of(made, NOW):
                file.resource(found)
            written += 1
        file.close(End(complete=True))
    return written


def main(counts: list[int]) -> None:
    """Print a line for each size."""
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "snapshot.jsonl.gz"
            written = write(path, count)
            command = [
                sys.executable,
                "-m",
                "auditor",
                "evaluate",
                str(path),
                "-q",
                "-o",
                f"json={folder}/out.json",
            ]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            _, status, used = os.wait4(process.pid, 0)
            size = path.stat().st_size / 1e6
        print(
            f"{written:>7} resources ({size:.1f} MB): {used.ru_utime + used.ru_stime:.1f} s of CPU, "
            f"{used.ru_maxrss / 1024:.0f} MB, exit code {os.waitstatus_to_exitcode(status)}"
        )


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main([int(argument) for argument in sys.argv[1:]] or [10_000, 100_000])
