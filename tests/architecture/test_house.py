"""What stands at the top of the repository, and what the wheel installs."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import auditor

ROOT = Path(auditor.__file__).parent.parent
TOP = {
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "auditor",
    "collectors",
    "evaluators",
    "tests",
}


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True, cwd=ROOT)
    return listed.stdout.splitlines()


def test_nothing_else_is_visible_at_the_top() -> None:
    top = {name.split("/")[0] for name in tracked()}
    assert {name for name in top if not name.startswith(".")} == TOP


def test_the_wheel_installs_the_three_packages_with_their_data(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for name in tracked():
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
    script = (
        "import sys, hatchling.build, os\n"
        f"os.chdir({str(source)!r})\n"
        f"print(hatchling.build.build_wheel({str(tmp_path)!r}))"
    )
    built = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    with zipfile.ZipFile(tmp_path / built.stdout.split()[-1]) as wheel:
        names = wheel.namelist()
        entry = next(name for name in names if name.endswith("entry_points.txt"))
        assert "auditor = auditor.cli:main" in wheel.read(entry).decode()
    packages = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert packages == {"auditor", "collectors", "evaluators"}
    shipped = {name for name in names if ".dist-info" not in name}
    wanted = {name for name in tracked() if name.split("/")[0] in packages}
    assert shipped == wanted
