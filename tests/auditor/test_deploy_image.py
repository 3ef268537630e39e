"""The Containerfile, and the handler that Lambda calls: alone, and by AWS's own runtime client."""

import json
import os
import re
import shlex
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from stacks import parsed

import auditor
from auditor.console import Console
from auditor.deploy.handler import WRITABLE, EventError, RunFailed, flags_of, handler
from auditor.deploy.templates import containerfile
from auditor.settings import load

ROOT = Path(auditor.__file__).parent.parent
INSTRUCTIONS = {
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "FROM",
    "RUN",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
}

# ---------------------------------------------------------------------------------------------------- the Containerfile


def instructions() -> list[tuple[str, str]]:
    """The Containerfile's instructions with their arguments, comments and line ends taken out."""
    lines = [line for line in containerfile().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    split = [line.split(None, 1) for line in joined.splitlines() if line.strip()]
    return [(name, rest) for name, rest in split]


def final_stage() -> dict[str, str]:
    """What the image itself says: the last of each instruction."""
    every = instructions()
    last = max(number for number, (name, _) in enumerate(every) if name == "FROM")
    return dict(every[last:])


def environment() -> dict[str, str]:
    return dict(part.split("=", 1) for part in shlex.split(final_stage()["ENV"]))


def test_it_is_made_of_known_instructions_over_a_pinned_python() -> None:
    every = instructions()
    assert {name for name, _ in every} - INSTRUCTIONS == set()
    assert every[0] == ("ARG", "PYTHON=3.11-slim")
    assert [rest.split(" AS ")[0] for name, rest in every if name == "FROM"] == ["python:${PYTHON}"] * 2


def test_the_image_is_not_root_and_starts_the_command_without_a_shell() -> None:
    stage = final_stage()
    user, group = stage["USER"].split(":")
    assert (int(user) > 0, int(group) > 0) == (True, True)
    (container,) = parsed("schedule")["Resources"]["TaskDefinition"]["Properties"]["ContainerDefinitions"]
    assert container["User"] == stage["USER"]
    assert json.loads(stage["ENTRYPOINT"]) == ["auditor"]
    assert json.loads(stage["CMD"]) == ["--help"]
    assert stage["STOPSIGNAL"] == "SIGINT"


def test_the_image_runs_where_only_its_volume_can_be_written() -> None:
    stage = final_stage()
    (container,) = parsed("schedule")["Resources"]["TaskDefinition"]["Properties"]["ContainerDefinitions"]
    assert json.loads(stage["VOLUME"]) == [mount["ContainerPath"] for mount in container["MountPoints"]]
    assert environment() | {"PATH": ""} == {
        "PATH": "",
        "HOME": WRITABLE,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONSAFEPATH": "1",
        "NO_COLOR": "1",
    }
    build = " ".join(rest for name, rest in instructions() if name == "RUN")
    assert "--no-compile" not in build
    first_from_build = [rest for name, rest in instructions()[:6] if name == "ENV"]
    assert not any("PYTHONDONTWRITEBYTECODE" in rest for rest in first_from_build), (
        "bytecode is made when it is built"
    )


def test_it_copies_what_a_wheel_is_made_of_and_nothing_else() -> None:
    copied = {
        source
        for name, rest in instructions()
        if name == "COPY" and not rest.startswith("--from")
        for source in rest.split()[:-1]
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    files = {project["project"]["readme"], *project["project"]["license-files"], "pyproject.toml"}
    assert copied == packages | files
    assert {source for source in copied if not (ROOT / source).exists()} == set()


def test_the_template_calls_lambda_s_runtime_client_in_the_image_s_python() -> None:
    function = parsed("schedule")["Resources"]["Function"]["Properties"]["ImageConfig"]
    assert function == {
        "EntryPoint": ["/opt/auditor/bin/python", "-m", "awslambdaric"],
        "Command": ["auditor.deploy.handler.handler"],
    }
    assert "/opt/auditor/bin" in environment()["PATH"].split(":")
    said = re.sub(r"\n#\s*", " ", containerfile())
    for value in function.values():
        assert json.dumps(value) in said


# ---------------------------------------------------------------------------------------------------------- the handler


@dataclass
class Context:
    """Lambda's context, as far as it is looked at."""

    milliseconds: int = 900_000

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


@dataclass
class Runner:
    """A run that ends as it is told, and remembers what it was asked."""

    code: int = 0
    asked: list[tuple[Any, Mapping[str, Any], Console]] = field(default_factory=list)

    def __call__(self, config: Path | str | None, flags: Mapping[str, Any], console: Console) -> int:
        self.asked.append((config, flags, console))
        return self.code


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/sbx_user1051")


EVENT = {
    "role_arn": "arn:aws:iam::111122223333:role/auditor-reader",
    "external_id": "kestrel-0123456789abcdef",
    "regions": ["eu-west-1", "us-east-1"],
    "state": "s3://findings/state/account=111122223333/",
    "feed": "s3://findings/feed/account=111122223333/",
}


@pytest.mark.parametrize("code", [0, 1, 3])
def test_a_run_that_did_its_work_is_answered_with_its_exit_code(code: int, tmp_path: Path) -> None:
    runner = Runner(code)
    assert handler(EVENT, Context(), runner) == {"exit_code": code}
    ((config, flags, console),) = runner.asked
    assert (config, console) == (None, Console(quiet=False, verbose=False, progress=False, color="never"))
    assert flags == EVENT | {"time_limit_minutes": 13}
    settings = load(None, {}, flags, tmp_path)
    assert (settings.role_arn, settings.regions) == (EVENT["role_arn"], ("eu-west-1", "us-east-1"))
    assert os.environ["HOME"] == WRITABLE, "nowhere else may a function write"


@pytest.mark.parametrize("code", [2, 4, 130])
def test_a_run_that_did_not_is_an_error_that_lambda_counts(code: int) -> None:
    with pytest.raises(RunFailed, match=f"exit code {code};"):
        handler({}, Context(), Runner(code))


@pytest.mark.parametrize("event", [{}, None])
def test_without_an_event_the_variables_decide(event: Any) -> None:
    runner = Runner()
    handler(event, Context(), runner)
    assert runner.asked[0][1] == {"time_limit_minutes": 13}


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("text", "the event has to be an object, and is str"),
        ({"rolearn": "x"}, "unknown key 'rolearn'; did you mean \"role_arn\"?"),
        ({"detail-type": "Scheduled Event"}, "unknown key 'detail-type'"),
        ({"role_arn": 1}, "role_arn: takes a text that is not empty"),
        ({"external_id": " "}, "external_id: takes a text that is not empty"),
        ({"regions": "eu-west-1"}, "regions: takes a list of names of Regions"),
        ({"regions": ["eu-west-1", ""]}, "regions: takes a list of names of Regions"),
        ({"state": "~/state"}, "state: takes s3://bucket/prefix"),
        ({"feed": "feed"}, "feed: takes s3://bucket/prefix"),
    ],
)
def test_an_event_that_cannot_be_meant_runs_nothing(event: Any, said: str) -> None:
    runner = Runner()
    with pytest.raises(EventError) as raised:
        handler(event, Context(), runner)
    assert said in str(raised.value)
    assert runner.asked == []


@pytest.mark.parametrize(
    ("milliseconds", "minutes"), [(900_000, 13), (899_500, 13), (300_000, 3), (150_000, 1), (149_000, None)]
)
def test_lambda_s_clock_limits_the_run(milliseconds: int, minutes: int | None) -> None:
    runner = Runner()
    if minutes is None:
        with pytest.raises(EventError, match="timeout is too short"):
            handler({}, Context(milliseconds), runner)
        assert runner.asked == []
    else:
        handler({}, Context(milliseconds), runner)
        assert runner.asked[0][1] == {"time_limit_minutes": minutes}


def test_it_hands_on_nothing_but_what_it_knows() -> None:
    assert flags_of(EVENT) == EVENT


# ------------------------------------------------------------------------------------------------ by AWS's own client


@dataclass
class RuntimeAPI:
    """Lambda's runtime API: one event for the function, and what came back."""

    event: Any
    answers: list[tuple[str, Any]] = field(default_factory=list)
    answered: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def lambda_function(tmp_path: Path) -> Iterator[Any]:
    """Call the handler as a function of Lambda does: in a process of the runtime client."""
    pytest.importorskip("awslambdaric", reason="Lambda's runtime client is not installed (extra `lambda`)")
    opened: list[tuple[RuntimeAPI, ThreadingHTTPServer, subprocess.Popen[bytes]]] = []

    def call(event: Any, seconds: int) -> tuple[str, Any]:
        api = RuntimeAPI(event)
        server = ThreadingHTTPServer(("127.0.0.1", 0), _answering(api, seconds))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environ = {
            "PATH": os.environ["PATH"],
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
            "LAMBDA_TASK_ROOT": str(ROOT),
            "AWS_LAMBDA_FUNCTION_NAME": "auditor",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "2048",
            "AWS_LAMBDA_LOG_GROUP_NAME": "auditor",
            "AWS_LAMBDA_LOG_STREAM_NAME": "auditor",
            "AWS_REGION": "eu-west-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "PYTHONSAFEPATH": "1",
            "HOME": str(tmp_path),
            "AUDITOR_REGIONS": "eu-west-1",
        }
        command = [sys.executable, "-m", "awslambdaric", "auditor.deploy.handler.handler"]
        with (tmp_path / "log").open("wb") as log:
            process = subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=log, stderr=log)
        opened.append((api, server, process))
        assert api.answered.wait(60), (tmp_path / "log").read_text()
        return api.answers[0]

    yield call
    for api, server, process in opened:
        process.kill()
        process.wait()
        api.over.set()
        server.shutdown()
        server.server_close()


def _answering(api: RuntimeAPI, seconds: int) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if api.answers:
                api.over.wait()  # no further event comes, and the process is stopped while it waits
                return
            body = json.dumps(api.event).encode()
            self.send_response(200)
            self.send_header("Lambda-Runtime-Aws-Request-Id", "1")
            self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + seconds) * 1000)))
            self.send_header(
                "Lambda-Runtime-Invoked-Function-Arn",
                "arn:aws:lambda:eu-west-1:111122223333:function:auditor",
            )
            self.send_header("Lambda-Runtime-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            body = self._body()
            api.answers.append((self.path.rpartition("/")[2], json.loads(body or b"null")))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()
            api.answered.set()

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


def test_lambda_s_client_finds_the_handler_and_is_told_of_a_wrong_event(lambda_function: Any) -> None:
    kind, answer = lambda_function({"rolearn": "x"}, 900)
    assert kind == "error"
    assert (answer["errorType"], answer["errorMessage"].split(":")[0]) == (
        "EventError",
        "unknown key 'rolearn'; did you mean \"role_arn\"?",
    )


def test_lambda_runs_the_same_code_as_the_command(lambda_function: Any) -> None:
    """Without credentials a run cannot start: exit code 4, which Lambda hears of as an error."""
    kind, answer = lambda_function({}, 900)
    assert (kind, answer["errorType"]) == ("error", "RunFailed")
    assert answer["errorMessage"] == "auditor ended with exit code 4; its log says why"
