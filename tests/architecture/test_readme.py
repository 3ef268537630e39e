"""What the README says is true: its walk-through runs, its excerpt is real, its settings load."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import auditor
from auditor.console import settings_from
from auditor.outputs.formats import FORMATS
from auditor.schemas import SCHEMAS

ROOT = Path(auditor.__file__).parent.parent
README = (ROOT / "README.md").read_text()


def block(language: str, containing: str) -> str:
    """The one fenced block of a language that contains a text."""
    found = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    (one,) = [text for text in found if containing in text]
    return one


def run(arguments: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
        env={**os.environ, "COLUMNS": "110"},
    )


def test_a_new_rule_is_one_function_in_one_file(tmp_path: Path) -> None:
    for package in ("auditor", "collectors", "evaluators", "tests"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    (tmp_path / "evaluators/cost/weekend.py").write_text(block("python", "COST-900"))
    shown = run(["auditor", "rules", "show", "COST-900"], tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "GPU notebook instances should not run when nobody needs them." in shown.stdout
    assert 'families = ["p3", "g5"]' in shown.stdout
    assert "sagemaker:DescribeNotebookInstance InstanceType" in shown.stdout
    tested = run(
        [
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-n",
            "0",
            "tests/evaluators/test_all_rules.py",
            "-k",
            "COST-900",
        ],
        tmp_path,
    )
    assert tested.returncode == 0, tested.stdout
    assert ".............." in tested.stdout


def test_the_settings_of_the_readme_load(tmp_path: Path) -> None:
    path = tmp_path / "auditor.toml"
    path.write_text(block("toml", "lookback_days"))
    settings, thresholds = settings_from(path, {})
    assert settings.fail_on == "high"
    assert thresholds["COST-001"] == {"idle_days": 14}
    assert settings.accepted[0].rule == "SEC-001"


def test_the_settings_of_a_nightly_run_load(tmp_path: Path) -> None:
    path = tmp_path / "auditor.toml"
    path.write_text(block("toml", "keep_days"))
    settings, _ = settings_from(path, {})
    assert (settings.push, settings.since_last, settings.time_limit_minutes) == (("securityhub",), True, 120)
    assert [type(channel).__name__ for channel in settings.notify] == ["SNSChannel", "WebhookChannel"]
    for output in settings.outputs:
        assert output.partition("=")[0] in FORMATS


def test_every_format_and_schema_of_the_program_is_in_the_readme() -> None:
    section = README.split("## Outputs")[1].split("## The feed")[0]
    assert set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)))) == set(
        FORMATS
    )
    assert set(re.findall(r"auditor schema (\w+)", README)) >= set(SCHEMAS) - {"diff"}


@pytest.mark.parametrize("command", re.findall(r"^\| `auditor (\w+)", README, re.MULTILINE))
def test_every_command_of_the_readme_has_help_that_fits_a_screen(command: str) -> None:
    shown = run(["auditor", command, "--help"], ROOT)
    assert shown.returncode == 0, shown.stderr
    assert len(shown.stdout.splitlines()) <= 60


def test_the_commands_of_ci_are_the_readmes() -> None:
    printed = re.findall(r"^    (pip install uv && .*)$", README, re.MULTILINE)
    assert printed == [
        "pip install uv && uv run --extra demo auditor demo",
        "pip install uv && uv run --extra dev pytest",
    ]


def test_the_excerpt_is_what_the_demo_prints() -> None:
    excerpt = README.split("<!-- demo -->")[1].split("<!-- /demo -->")[0]
    quoted = [line.strip() for line in excerpt.splitlines() if line.strip() and not line.startswith("```")]
    printed = run(["auditor", "demo", "-q"], ROOT)
    assert printed.returncode == 0, printed.stderr
    lines = {line.strip() for line in printed.stdout.splitlines()}
    assert len(quoted) > 10
    assert [line for line in quoted if line != "..." and line not in lines and "jobs since" not in line] == []
