"""Files are written whole or not at all, and only their owner can read them."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path


def user_path(text: str | Path) -> Path:
    """A path as a user writes it, with `~`. Raises `OSError` where nobody knows whose home that is."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise FileNotFoundError(
            errno.ENOENT, "nobody knows where that home directory is", str(text)
        ) from error


def make_private(folder: Path) -> None:
    """Make a directory with what it lacks of parents, for its owner alone. Raises `OSError`."""
    for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)


def write_private(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a file beside its target (mode 0600) and rename it. Raises `OSError` and leaves no litter.

    What is there and is no file, such as a pipe or `/dev/stdout`, is written to as it is. A link stays one.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as device:
            device.writelines(chunks)
        return
    path = path.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
