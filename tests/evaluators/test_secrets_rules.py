"""Secrets: what counts, what is told of it, and scripts that cannot be read."""

import base64
import json

import msgspec
import pytest

from collectors.model import Gap, Reason, pack
from collectors.redaction import GENERIC, redact
from collectors.sagemaker import models
from collectors.sagemaker.code_repositories import LIST, CodeRepository
from collectors.sagemaker.models import Model
from collectors.sagemaker.notebooks import LifecycleConfig
from collectors.sagemaker.processing_jobs import ProcessingJob
from collectors.sagemaker.studio import StudioLifecycleConfig
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sample import NOW, Sample, resources_of, sample, snapshot_of
from evaluators.engine import judge
from evaluators.rule import Status, Verdict
from evaluators.scripts import piped_downloads, stops_when_idle
from evaluators.security.secrets import secret_in_configuration, secret_in_script

TOKEN = "hf_" + "Ab3dEf6hIj9lMn2pQr5tUv8xYz1BcD4Fg"
UNREADABLE = Gap("sagemaker:Describe", Reason.UNDECODABLE, message="the script is not base64")


def encoded(script: str) -> str:
    return base64.b64encode(script.encode()).decode()


def verdicts(rule: object, made: Sample, **thresholds: object) -> list[Verdict]:
    return [j.verdict for j in judge([rule], snapshot_of([made]), {rule.code: thresholds}) if j.subject.arn]


def held(key: str, detector: str, entropy: float, length: int) -> dict[str, object]:
    return {"key": key, "detector": detector, "digest": "0a1b2c3d", "entropy": entropy, "length": length}


@pytest.mark.parametrize(
    ("detector", "entropy", "length", "expected"),
    [
        (GENERIC, 3.5, 16, Status.FAIL),
        (GENERIC, 3.49, 16, Status.PASS),
        (GENERIC, 3.5, 15, Status.PASS),
        # A shape that nothing else has needs neither.
        ("aws-access-key-id", 2.0, 20, Status.FAIL),
        ("url-userinfo", 2.0, 9, Status.FAIL),
    ],
)
def test_thresholds_are_for_what_only_a_name_gives_away(
    detector: str, entropy: float, length: int, expected: Status
) -> None:
    made = sample(TrainingJob, secrets=[held("Environment.DB_PASSWORD", detector, entropy, length)])
    assert [v.status for v in verdicts(secret_in_configuration, made)] == [expected]


def test_an_older_run_that_was_not_described_is_not_judged_and_a_refused_one_is_unknown() -> None:
    listed = resources_of(sample(ProcessingJob), NOW)[0]
    summary = {"sagemaker:ListProcessingJobs": listed.readings()["sagemaker:ListProcessingJobs"]}
    refused = {
        **summary,
        "sagemaker:DescribeProcessingJob": Gap("sagemaker:DescribeProcessingJob", Reason.DENIED),
    }
    for readings, expected in ((summary, Status.NOT_APPLICABLE), (refused, Status.UNKNOWN)):
        snapshot = snapshot_of([sample(ProcessingJob)])
        snapshot.add(msgspec.structs.replace(listed, documents=pack(readings)))
        assert [j.verdict.status for j in judge([secret_in_configuration], snapshot)] == [expected]


def test_a_finding_tells_where_and_never_what() -> None:
    document = {
        "PrimaryContainer": {"Environment": {"HF_TOKEN": TOKEN, "SAGEMAKER_REGION": "eu-west-1"}},
        "Containers": [{"Environment": {"MODEL_URI": "s3://artifacts/a/model.tar.gz"}}],
    }
    kept, secrets = redact(document, models.SEARCH.secrets, b"salt")
    (found,) = secrets
    assert TOKEN not in json.dumps(kept)
    made = sample(Model, secrets=[held(found.key, found.detector, found.entropy, found.length)])
    assert [dict(v.evidence) for v in verdicts(secret_in_configuration, made)] == [
        {
            "PrimaryContainer": ["PrimaryContainer.Environment.HF_TOKEN: huggingface-token #0a1b2c3d"],
            "secrets": 1,
        }
    ]


@pytest.mark.parametrize(
    ("url", "kept", "expected"),
    [
        ("https://git.example.com/team/models.git", "https://git.example.com/team/models.git", Status.PASS),
        ("https://team@git.example.com/models.git", "https://team@git.example.com/models.git", Status.PASS),
        (
            "https://bob:n0tASecret9@git.example.com/m.git",
            "https://[redacted]@git.example.com/m.git",
            Status.FAIL,
        ),
    ],
)
def test_a_password_in_a_repository_url_is_taken_out_and_found(url: str, kept: str, expected: Status) -> None:
    document, secrets = redact({"GitConfig": {"RepositoryUrl": url}}, LIST.secrets, b"salt")
    assert document == {"GitConfig": {"RepositoryUrl": kept}}
    made = sample(
        CodeRepository,
        repository_url=kept,
        secrets=[held(s.key, s.detector, s.entropy, s.length) for s in secrets],
    )
    assert [v.status for v in verdicts(secret_in_script, made)] == [expected]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (sample(LifecycleConfig, on_start=[{"content": UNREADABLE}]), Status.UNKNOWN),
        (sample(StudioLifecycleConfig, studio_lifecycle_config_content=UNREADABLE), Status.UNKNOWN),
        # One script that cannot be read does not hide what the other holds.
        (
            sample(
                LifecycleConfig,
                on_create=[{"content": UNREADABLE}],
                secrets=[held("OnStart[0].Content:3", "github-token", 4.5, 40)],
            ),
            Status.FAIL,
        ),
    ],
)
def test_a_script_that_cannot_be_decoded_is_unknown(made: Sample, expected: Status) -> None:
    assert [v.status for v in verdicts(secret_in_script, made)] == [expected]


@pytest.mark.parametrize(
    ("script", "hosts"),
    [
        ("curl -fsSL https://get.example.com/i.sh | sh", ["get.example.com"]),
        ("curl -fsSL https://get.example.com/i.sh | sudo -E bash -", ["get.example.com"]),
        ("wget -qO- http://Example.COM:8080/i | tee /tmp/log | /bin/bash", ["example.com"]),
        ("curl -s https://user:pw@example.com/i \\\n  | bash", ["example.com"]),
        ("bash <(curl -s https://example.com/i)", ["example.com"]),
        ('sh -c "$(curl -fsSL https://example.com/i)"', ["example.com"]),
        ("source <(wget -qO- https://example.com/i)", ["example.com"]),
        ('curl "$URL" | bash', ["?"]),
        ("curl https://a.example/i | sh; curl https://b.example/i | sh", ["a.example", "b.example"]),
        ("# curl https://example.com/i | sh", []),
        ("curl https://example.com/data.json | jq .name", []),
        ("curl https://example.com/i | shasum -a 256", []),
        ("curl -o i.sh https://example.com/i\nbash i.sh", []),
        ("curl https://example.com/a > a || sh fallback.sh", []),
        ("TOKEN=$(curl -s http://169.254.169.254/latest/api/token)\nbash run.sh", []),
        ("pip install pandas | tee log", []),
    ],
)
def test_downloads_that_are_piped_to_a_shell(script: str, hosts: list[str]) -> None:
    assert piped_downloads(script) == hosts


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("python autostop.py --time 3600", True),
        ("crontab auto-stop.cron", True),
        ("IDLE_TIME=3600", True),
        ("aws sagemaker stop-notebook-instance --notebook-instance-name $NAME", True),
        ("client.stop_notebook_instance(NotebookInstanceName=name)", True),
        ("# autostop comes later", False),
        ("install middleware", False),
        ("", False),
    ],
)
def test_scripts_that_stop_an_idle_instance(script: str, expected: bool) -> None:
    assert stops_when_idle(script) is expected
