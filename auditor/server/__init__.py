"""The feed over HTTP: read-only, from the ledger.

query      what a request may ask: parameters, their words, and cursors
shapes     what is answered, beside the shapes of the feed
store      connections to the ledger, pictures of its findings, and a cache of answers
endpoints  what each address answers
answers    JSON, problems, compression, entity tags
security   who may ask, how much, and the headers of every answer
page       the report of a run as a page
openapi    the description of it all, made from the above
app        the application
running    the server around it
grafana    a dashboard over the feed
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.applications import Starlette

PORT = 8420
HOST = "127.0.0.1"


def application(ledger: Path, *, token: str | None) -> "Starlette":
    """The server's application. Without a token it answers only to names of this machine."""
    from auditor.server.app import make

    return make(ledger, token=token)


def serve(ledger: Path, *, host: str = HOST, port: int = PORT, token: str | None = None) -> None:
    """Serve a ledger until interrupted. Raises `UsageError` where an address is open and no token guards it."""
    from auditor.server.running import run

    run(ledger, host=host, port=port, token=token)
