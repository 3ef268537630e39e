"""Who may ask, how much at a time, and the headers that every answer bears.

Without a token the server is for this machine alone, and a page of another site that a name service leads here must
not read it: it answers only where `Host` is a name of this machine. With a token each request shows it, as a Bearer
token or as the password of HTTP Basic, which a browser asks for by itself and sends only to this server.
"""

import asyncio
import base64
import binascii
import hmac
import ipaddress
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from auditor.console import UsageError
from auditor.outputs.text import safe
from auditor.server.answers import problem

access = logging.getLogger("auditor.access")

TOKEN = 16
"""A token of fewer characters could be guessed."""

METHODS = ("GET", "HEAD")
OPEN = "/healthz"
"""Answers without a token, and then says no more than that the server is well."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}
NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The policy of an answer that is no page: it loads and runs nothing, wherever it is opened."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may take.

    `seconds` for a query; `slow_seconds` for one that reads all findings, such as the first after a run;
    `stream_seconds` for a whole answer, however slowly it is read; `query` and `headers` are bytes.
    """

    seconds: float = 10.0
    slow_seconds: float = 60.0
    stream_seconds: float = 300.0
    at_once: int = 64
    query: int = 8192
    headers: int = 16384


def token_from(name: str | None, environment: Mapping[str, str]) -> str | None:
    """The token in the variable of a name; none where no name is given. Raises `UsageError` where it is not set."""
    if name is None:
        return None
    if not environment.get(name):
        raise UsageError(f"--token-env {name}: the environment has no such variable, or it is empty")
    return environment[name]


def check_token(token: str | None) -> None:
    """Raise `UsageError` where a token is too easily guessed, or cannot stand in a header."""
    if token is None:
        return
    if len(token) < TOKEN:
        raise UsageError(f"the token has fewer than {TOKEN} characters: make one with `openssl rand -hex 32`")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(
            "the token has characters that no header takes: make one with `openssl rand -hex 32`"
        )


def check_address(host: str, token: str | None) -> None:
    """Raise `UsageError` where others than this machine could ask, and no token is set."""
    if token is None and not is_loopback(host):
        raise UsageError(
            f"--host {host}: others could read the findings there: set a token in the environment and name it "
            "with --token-env"
        )


def is_loopback(host: str) -> bool:
    """Whether a name or an address is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class Guard:
    """Stands before the application: refuses, limits, logs, and puts headers on every answer."""

    def __init__(self, app: ASGIApp, *, token: str | None, limits: Limits) -> None:
        self.app = app
        self.token = token.encode() if token is not None else None
        self.limits = limits
        self.asking = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the start and end of the server."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        began, told = time.monotonic(), _Told(send, scope["method"] == "HEAD")
        self.asking += 1
        try:
            refused = self.refusal(scope)
            answering = refused if refused is not None else self.app
            async with asyncio.timeout(self.limits.stream_seconds):
                await answering(scope, receive, told.send)
        except TimeoutError:
            if told.status:
                raise  # The rest cannot be told any more: the connection ends here.
            late = problem(503, "Took too long", "The answer took too long: ask for less.")
            await late(scope, receive, told.send)
        finally:
            self.asking -= 1
            # Neither query nor headers: they may hold what somebody looks for, and the token.
            path, seconds = safe(scope["path"])[:200], time.monotonic() - began
            access.info(
                "%s %s %d %d bytes %.3f s", scope["method"], path, told.status or 500, told.size, seconds
            )

    def refusal(self, scope: Scope) -> Response | None:
        """Why a request is not answered, if it is not."""
        headers = Headers(scope=scope)
        limits, path = self.limits, scope["path"]
        if scope["method"] not in METHODS:
            refused = problem(405, "Method not allowed", "This server only reads: GET and HEAD.")
            refused.headers["Allow"] = ", ".join(METHODS)
            return refused
        if sum(len(name) + len(value) for name, value in scope["headers"]) > limits.headers:
            return problem(431, "Headers too large", f"All headers take {limits.headers} bytes at most.")
        if len(scope["query_string"]) > limits.query or len(path) > 1024:
            return problem(414, "Address too long", f"A query takes {limits.query} bytes at most.")
        if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
            return problem(413, "Body not taken", "This server only reads: requests have no body.")
        if self.token is None and not named_here(headers):
            return problem(
                421, "Misdirected request", "Without a token this server is for its own machine alone."
            )
        scope["auditor.known"] = self.knows(headers)
        if not scope["auditor.known"] and path != OPEN:
            refused = problem(401, "Unauthorized", "The token is missing or wrong.")
            refused.headers["WWW-Authenticate"] = (
                'Basic realm="auditor", charset="UTF-8", Bearer realm="auditor"'
            )
            return refused
        if self.asking > limits.at_once:
            return problem(
                503, "Too many requests at once", f"At most {limits.at_once} are answered at a time."
            )
        return None

    def knows(self, headers: Mapping[str, str]) -> bool:
        """Whether the request shows the token, or none is asked for."""
        if self.token is None:
            return True
        kind, _, value = headers.get("authorization", "").partition(" ")
        given = value.strip().encode("latin-1", "replace")
        if kind.lower() == "basic":
            try:
                given = base64.b64decode(given, validate=True).partition(b":")[2]
            except binascii.Error:
                given = b""
        elif kind.lower() != "bearer":
            given = b""
        return hmac.compare_digest(given, self.token)


def named_here(headers: Mapping[str, str]) -> bool:
    """Whether `Host` is this machine by one of its own names, with any port: a tunnel may have another one."""
    found = _HOST.fullmatch(headers.get("host", "").strip())
    return found is not None and is_loopback(found[1] or found[2])


_HOST = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([^:\[\]]+))(?::[0-9]{1,5})?")


class _Told:
    """Sends an answer on, with the headers of all answers; of HEAD only these."""

    def __init__(self, send: Send, head: bool) -> None:
        self._send, self._head = send, head
        self.status, self.size = 0, 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            guarded(MutableHeaders(scope=message))
        elif message["type"] == "http.response.body":
            if self._head:
                message = {**message, "body": b""}
            self.size += len(message.get("body", b""))
        await self._send(message)


def guarded(headers: MutableHeaders) -> None:
    """Put the headers of all answers on one; a page has a policy of its own."""
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("Content-Security-Policy", NOTHING)
