"""The server around the application: its socket, its log, its limits."""

import logging
import socket
import sys
from pathlib import Path
from typing import Any

from auditor.console import UsageError, note
from auditor.ledger.layout import open_ledger
from auditor.server.app import make
from auditor.server.security import Limits, check_address, check_token


def run(ledger: Path, *, host: str, port: int, token: str | None) -> None:
    """Serve until interrupted. Raises `UsageError` and `LedgerError` before anything is bound."""
    import uvicorn

    check_token(token)
    check_address(host, token)
    open_ledger(ledger).close()
    _log_to_stderr()
    # Threads that compute make the one that talks wait this long at most.
    sys.setswitchinterval(0.001)
    with _bound(host, port) as listening:
        name = f"[{host}]" if ":" in host else host
        note(f"serving {ledger} at http://{name}:{listening.getsockname()[1]} until interrupted (Ctrl+C)")
        server = uvicorn.Server(uvicorn.Config(make(ledger, token=token), **options()))
        server.run(sockets=[listening])


def _bound(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise UsageError(f"--port {port}: takes a number from 0 to 65535")
    # Without the protocol's number asyncio would not turn Nagle's delay off: 40 ms for each answer.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(256)
    except OSError as error:
        listening.close()
        raise UsageError(f"--host {host} --port {port}: {error.strerror or error}") from error
    return listening


def _log_to_stderr() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    for name in ("auditor.access", "auditor.server", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.WARNING if name.startswith("uvicorn") else logging.INFO)


def options(limits: Limits | None = None) -> dict[str, Any]:
    """How uvicorn runs: in one process, without a log of queries, without trust in what a proxy says."""
    limits = limits or Limits()
    return {
        "http": "h11",
        "ws": "none",
        "h11_max_incomplete_event_size": limits.headers + limits.query,
        "limit_concurrency": limits.at_once * 4,
        "timeout_keep_alive": 30,
        "timeout_graceful_shutdown": 5,
        "access_log": False,
        "log_config": None,
        "server_header": False,
        "proxy_headers": False,
    }
