"""Files are written whole and privately; what is no file is not replaced by one."""

import os
import stat
import threading
from pathlib import Path

import pytest

from auditor.files import write_private
from collectors.sample import snapshot_of
from collectors.snapshot_file import SnapshotWriter


def test_a_link_stays_a_link_and_what_it_names_is_written(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_text("old")
    link.symlink_to(real)
    write_private(link, [b"new"])
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o600


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()))
    reader.start()
    write_private(pipe, [b"one ", b"two"])
    reader.join()
    assert found == [b"one two"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_snapshot_needs_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="not a file"):
        SnapshotWriter(pipe, snapshot_of([]).manifests[0])
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]
