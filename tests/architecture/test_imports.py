"""Who may import whom, each asked of a fresh interpreter."""

import ast
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import auditor
import collectors
import evaluators

ROOT = Path(auditor.__file__).parent.parent
PACKAGES = {"collectors": collectors, "evaluators": evaluators, "auditor": auditor}
BOTO = ("boto3", "botocore", "s3transfer", "moto")
DOORS = {"collectors.reader", "collectors.session"}


def modules(package: str) -> list[str]:
    found = pkgutil.walk_packages(PACKAGES[package].__path__, f"{package}.")
    return [package, *(module.name for module in found)]


def loaded_by(code: str) -> set[str]:
    """The top-level packages that a fresh interpreter has loaded after some code."""
    script = f"{code}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def imported_by(path: Path) -> set[str]:
    """Every module that a file imports anywhere outside of `if TYPE_CHECKING`."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text()))
    return found


@pytest.mark.parametrize(
    ("package", "forbidden"), [("collectors", ("evaluators", "auditor")), ("evaluators", ("auditor",))]
)
def test_packages_import_one_way(package: str, forbidden: tuple[str, ...]) -> None:
    code = "\n".join(f"import {name}" for name in modules(package))
    loaded = loaded_by(code)
    assert {name for name in loaded if name.split(".")[0] in forbidden} == set()


@pytest.mark.parametrize("package", ["collectors", "evaluators"])
def test_only_the_two_doors_import_boto3(package: str) -> None:
    code = "\n".join(f"import {name}" for name in modules(package) if name not in DOORS | {"collectors.run"})
    assert {name for name in loaded_by(code) if name.split(".")[0] in BOTO} == set()


def test_boto3_and_botocore_are_named_in_two_modules_and_the_demo() -> None:
    naming = {
        path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if any(name.split(".")[0] in BOTO for name in imported_by(path))
    }
    assert {name for name in naming if not name.startswith("auditor.demo")} == DOORS


def test_evaluators_import_no_io_of_the_collectors() -> None:
    doors = {"collectors.reader", "collectors.session", "collectors.run", "collectors.pacing"}
    for path in (ROOT / "evaluators").rglob("*.py"):
        assert imported_by(path) & doors == set(), path


@pytest.mark.parametrize(
    "arguments", [["--help"], ["rules", "list"], ["rules", "show", "SEC-003"], ["policy"]]
)
def test_commands_about_rules_start_without_boto3(arguments: list[str]) -> None:
    code = (
        "import contextlib, io, sys\n"
        f"sys.argv = ['auditor', *{arguments!r}]\n"
        "from auditor.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    main()\n"
    )
    assert {name for name in loaded_by(code) if name.split(".")[0] in BOTO} == set()


def test_rules_hold_no_clock_no_files_and_no_settings() -> None:
    for path in (ROOT / "evaluators").rglob("*.py"):
        text = path.read_text()
        for forbidden in (".now(", ".today(", "time.time(", "open(", "os.environ", "getattr(view", "socket"):
            assert forbidden not in text, (path, forbidden)
