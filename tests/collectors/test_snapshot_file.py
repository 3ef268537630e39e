"""The snapshot file: whole, broken off, joined, damaged, newer, and on a full disk."""

import contextlib
import gzip
import stat
from pathlib import Path

import msgspec
import pytest

from collectors.model import End, Gap, Listing, Manifest, Reason, Snapshot
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sample import NOW, resources_of, sample
from collectors.snapshot_file import SCHEMA, SnapshotError, SnapshotWriter, read_snapshot

GAP = Gap("sagemaker:ListModels", Reason.DENIED, "AccessDeniedException", "no", "123456789012", "eu-west-1")


def manifest(account: str = "123456789012", schema: int = SCHEMA) -> Manifest:
    return Manifest(schema, "0.1.0", account, "aws", ("eu-west-1",), NOW, 30, 14, ("SEC-003",))


def written(path: Path, *, account: str = "123456789012", end: bool = True) -> Path:
    with SnapshotWriter(path, manifest(account)) as writer:
        writer.listing(Listing("model", account, "eu-west-1", GAP))
        for number in range(3):
            for resource in resources_of(sample(NotebookInstance, f"n{number}"), NOW):
                writer.resource(msgspec.structs.replace(resource, account=account))
        writer.gap(GAP)
        if end:
            writer.close(End(complete=True, calls=7, seconds=1.5))
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl.gz")
    found = read_snapshot(path)
    assert found.complete
    assert found.manifests == (manifest(),)
    assert found.gaps == [GAP]
    assert found.counts() == {"notebook-instance": 3, "resource-tags": 3}
    assert found.listing_gap("model", "123456789012", "eu-west-1") == GAP
    assert [end.calls for end in found.ends] == [7]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["a.jsonl.gz"]


def test_joined_parts_are_one_snapshot(tmp_path: Path) -> None:
    parts = [written(tmp_path / "a", account="111122223333"), written(tmp_path / "b", account="444455556666")]
    joined = tmp_path / "joined"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    found = read_snapshot(joined)
    assert found.complete
    assert [m.account for m in found.manifests] == ["111122223333", "444455556666"]
    assert len(list(found.of_kind("notebook-instance", "444455556666", "eu-west-1"))) == 3


def test_a_file_without_its_end_is_readable_and_incomplete(tmp_path: Path) -> None:
    written(tmp_path / "a", end=False)
    (part,) = tmp_path.iterdir()
    assert part.suffix == ".part"
    found = read_snapshot(part)
    assert not found.complete
    assert found.counts()["notebook-instance"] == 3


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_a_truncated_file_is_readable_up_to_where_it_broke_off(tmp_path: Path, share: float) -> None:
    path = written(tmp_path / "a")
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * share)])
    # gzip gives nothing of a block that broke off: a short file may hold no line at all.
    with contextlib.suppress(SnapshotError):
        assert not read_snapshot(path).complete


def test_a_long_truncated_file_keeps_most_of_its_resources(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with SnapshotWriter(path, manifest()) as writer:
        for number in range(2000):
            for resource in resources_of(sample(NotebookInstance, f"n{number * 7919}"), NOW):
                writer.resource(resource)
        writer.close(End(complete=True))
    path.write_bytes(path.read_bytes()[:-20])
    found = read_snapshot(path)
    assert not found.complete
    assert found.counts()["notebook-instance"] > 1000


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"no gzip at all", "is no snapshot", id="not gzip"),
        pytest.param(gzip.compress(b'{"resource": {}}\n'), "is no", id="no manifest"),
        pytest.param(gzip.compress(b"{nonsense}\n"), "is no line of a snapshot", id="no JSON"),
        pytest.param(
            gzip.compress(b'{"manifest":' + msgspec.json.encode(manifest(schema=SCHEMA + 1)) + b"}\n"),
            "newer auditor",
            id="newer",
        ),
        pytest.param(
            gzip.compress(b'{"manifest":{"schema":99}}\n'), "newer auditor", id="newer, other fields"
        ),
        pytest.param(b"", "is empty", id="empty"),
    ],
)
def test_what_is_no_snapshot_is_refused_in_one_line(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    with pytest.raises(SnapshotError, match=says) as caught:
        read_snapshot(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="No such file"):
        read_snapshot(tmp_path / "none")


def test_an_unwritable_folder_raises_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        SnapshotWriter(tmp_path / "none" / "a", manifest())


def test_a_gap_of_a_listing_outranks_an_earlier_success() -> None:
    snapshot = Snapshot((manifest(),))
    snapshot.close(Listing("model", "123456789012", "eu-west-1"))
    snapshot.close(Listing("model", "123456789012", "eu-west-1", GAP))
    snapshot.close(Listing("model", "123456789012", "eu-west-1"))
    assert snapshot.listing_gap("model", "123456789012", "eu-west-1") == GAP
    unlisted = snapshot.listing_gap("endpoint", "123456789012", "eu-west-1")
    assert unlisted is not None
    assert unlisted.reason is Reason.NOT_READ
