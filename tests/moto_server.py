"""The demo account as a server, for the command line under test and for trying things by hand.

    python tests/moto_server.py --port 0 --deny macie2 --deny kms:DescribeKey
    AWS_ENDPOINT_URL=http://127.0.0.1:40553

One line says where it listens; it serves until it is interrupted. Credentials may be any; s3control, which puts the
account before the host name, is reached where HTTP_PROXY names the server as well.
"""

import argparse
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from auditor.demo.account import DENIED, DemoAccount, build, served


@contextmanager
def serving(
    account: DemoAccount | None = None,
    *,
    denied: Iterable[str] = DENIED,
    now: datetime | None = None,
    port: int = 0,
) -> Iterator[str]:
    """Serve an account, the demo's where none is given; its address for AWS_ENDPOINT_URL comes back."""
    with served(account or build(now or datetime.now(UTC), denied=denied), port=port) as address:
        yield address


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--deny", action="append", default=[], metavar="SERVICE[:OPERATION]")
    parser.add_argument("--now", type=datetime.fromisoformat, help="the account's moment, with its zone")
    options = parser.parse_args(arguments)
    done = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    with serving(denied=DENIED | set(options.deny), now=options.now, port=options.port) as address:
        print(f"AWS_ENDPOINT_URL={address}", flush=True)
        done.wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
