"""The application: addresses to endpoints, and what went wrong to problems."""

import asyncio
import functools
import logging
import sqlite3
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from auditor import __version__
from auditor.ledger.layout import LedgerError
from auditor.outputs.json_v1 import encoded
from auditor.server.answers import (
    HTML,
    JSON,
    METRICS,
    NDJSON,
    SMALL,
    answer,
    compressed,
    document,
    matches,
    problem,
    takes_gzip,
    takes_lines,
    unchanged,
)
from auditor.server.endpoints import ENDPOINTS, Endpoint, chosen, stream
from auditor.server.query import (
    ACCOUNT_OF_RUN,
    MOST,
    RUN,
    Asked,
    AskedWrongly,
    Parameter,
    ask,
    digest,
    place_in,
)
from auditor.server.security import Guard, Limits, check_token, guarded
from auditor.server.shapes import HealthV1
from auditor.server.store import Deadline, Generation, NoRun, NotYet, Reading, Store, TooLong

T = TypeVar("T")

ALL = 1 << 40
"""More findings than there are: what a stream gives where nothing is said."""


def make(
    ledger: Path,
    *,
    token: str | None,
    limits: Limits | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Starlette:
    """The application over a ledger. Raises `UsageError` for a token that is none."""
    check_token(token)
    limits = limits or Limits()
    server = Server(Store(ledger), limits, now)
    routes = [Route(endpoint.path, server.endpoint(endpoint), methods=["GET"]) for endpoint in ENDPOINTS]
    routes += [
        Route("/metrics", server.metrics, methods=["GET"]),
        Route("/healthz", server.health, methods=["GET"]),
        Route("/openapi.json", server.description, methods=["GET"]),
        Route("/", server.page, methods=["GET"]),
    ]
    made = Starlette(
        routes=routes,
        middleware=[Middleware(Guard, token=token, limits=limits)],
        exception_handlers={
            AskedWrongly: _asked_wrongly,
            NoRun: _no_run,
            TooLong: _too_long,
            LedgerError: _unreadable,
            sqlite3.Error: _unreadable,
            HTTPException: _not_there,
            Exception: _broken,
        },
        lifespan=server.lifespan,
    )
    made.router.redirect_slashes = False
    return made


@dataclass(frozen=True, slots=True)
class Lines:
    """Findings to be streamed: what is left of a selection, up to a limit."""

    tag: str
    generation: Generation
    chunks: Iterator[list[tuple[int, int]]]
    packed: bool


class Server:
    """Answers requests from a store in two threads: a quick one, and one for what may take longer.

    Most of the work is Python's. More threads would only wait for each other, at each row that SQLite gives: with
    four of them an answer takes twice as long as with one.
    """

    def __init__(self, store: Store, limits: Limits, now: Callable[[], datetime]) -> None:
        self.store = store
        self.limits = limits
        self.now = now
        self.quick = ThreadPoolExecutor(1, thread_name_prefix="auditor-quick")
        self.slow = ThreadPoolExecutor(1, thread_name_prefix="auditor-slow")

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Make the first picture before the first request, and close what is open at the end."""
        with suppress(LedgerError, sqlite3.Error, NoRun, TooLong):
            await self.work(self.warm, slow=True)
        yield
        for threads in (self.quick, self.slow):
            threads.shutdown(wait=True, cancel_futures=True)
        self.store.close()

    def warm(self, deadline: Deadline) -> None:
        """Make the current picture."""
        with self.store.reading(deadline, slow=True) as reading:
            reading.picture(None)

    async def work(self, job: Callable[[Deadline], T], *, slow: bool = False) -> T:
        """Do something in a thread. The time that it waits for one counts."""
        deadline = Deadline.within(self.limits.slow_seconds if slow else self.limits.seconds)
        threads = self.slow if slow else self.quick
        return await asyncio.get_running_loop().run_in_executor(threads, job, deadline)

    # ------------------------------------------------------------------------------------ the feed

    def endpoint(self, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        """The handler of an address."""

        async def handle(request: Request) -> Response:
            lines = endpoint.name == "findings" and takes_lines(request.headers.get("accept", ""))
            given = request.query_params.multi_items()
            key = _key(endpoint.key, request.path_params)
            about, most = f"{endpoint.name} {key}", ALL if lines else MOST
            asked = ask(endpoint.parameters, given, about=about, most=most)
            if lines:
                found = await self.work(
                    lambda deadline: self.lines(deadline, asked, request.headers), slow=True
                )
                return found if isinstance(found, Response) else self.streaming(found, request.method)

            def told(deadline: Deadline, *, slow: bool) -> Response:
                return self.told(deadline, endpoint, asked, key, request.headers, slow=slow)

            if not endpoint.slow:
                with suppress(NotYet):
                    return await self.work(functools.partial(told, slow=False))
            return await self.work(functools.partial(told, slow=True), slow=True)

        return handle

    def told(
        self,
        deadline: Deadline,
        endpoint: Endpoint,
        asked: Asked,
        key: str,
        headers: Mapping[str, str],
        *,
        slow: bool,
    ) -> Response:
        """The answer of an endpoint: unchanged, kept from before, or made now."""
        with self.store.reading(deadline, slow=slow) as reading:
            question = digest(asked.key())
            return self.kept(
                reading, question, JSON, headers, lambda: document(endpoint.read(reading, asked, key))
            )

    def kept(
        self,
        reading: Reading,
        question: str,
        media: str,
        headers: Mapping[str, str],
        make: Callable[[], bytes],
    ) -> Response:
        """An answer that is good as long as the ledger does not move on."""
        tag = _tag(reading.generation, question)
        if matches(headers.get("if-none-match", ""), tag):
            return unchanged(tag)
        cache = self.store.cache
        if not takes_gzip(headers.get("accept-encoding", "")):
            return answer(cache.get((reading.generation, question, "plain"), make, len), tag, media)
        body = cache.get((reading.generation, question, "gzip"), lambda: _packed(make()), len)
        return answer(body, tag, media, packed=body.startswith(_GZIP))

    def lines(self, deadline: Deadline, asked: Asked, headers: Mapping[str, str]) -> Response | Lines:
        """What a stream of findings goes through."""
        with self.store.reading(deadline, slow=True) as reading:
            tag = _tag(reading.generation, digest(b"lines", asked.key()))
            if matches(headers.get("if-none-match", ""), tag):
                return unchanged(tag)
            found = chosen(reading, asked)
            start = place_in(asked, reading.generation.label)
            limit = asked.limit if asked.one("limit") else ALL
            chunks = stream(found.picture, found.ordered, asked.sort, start, limit)
            return Lines(tag, reading.generation, chunks, takes_gzip(headers.get("accept-encoding", "")))

    def streaming(self, lines: Lines, method: str) -> Response:
        """Findings a line each, as they are read: the connection ends in the middle where that cannot go on."""
        response = answer(b"", lines.tag, NDJSON, packed=lines.packed)
        del response.headers["content-length"]
        if method == "HEAD":
            return response
        return StreamingResponse(self._lines(lines), 200, response.headers)

    async def _lines(self, lines: Lines) -> AsyncIterator[bytes]:
        packer = zlib.compressobj(1, wbits=31)
        while chunk := await self.work(lambda deadline: self.chunk(deadline, lines), slow=True):
            yield packer.compress(chunk) if lines.packed else chunk
        yield packer.flush() if lines.packed else b""

    def chunk(self, deadline: Deadline, lines: Lines) -> bytes:
        """The next findings of a stream; nothing after the last ones. Raises `LedgerError` where rows may be gone."""
        with self.store.reading(deadline) as reading:
            if not lines.generation.grew_into(reading.generation):
                raise LedgerError("the ledger was compacted while it was read")
            found = reading.history.verdicts(next(lines.chunks, []))
            return b"".join(encoded(finding) + b"\n" for finding in found)

    # ------------------------------------------------------------------------------------- the rest

    async def metrics(self, request: Request) -> Response:
        """Figures of the latest run, or of the latest one about an account."""
        asked = ask((ACCOUNT_OF_RUN,), request.query_params.multi_items(), about="metrics")
        return await self.work(lambda deadline: self._metrics(deadline, asked, request.headers), slow=True)

    def _metrics(self, deadline: Deadline, asked: Asked, headers: Mapping[str, str]) -> Response:
        from auditor.outputs.openmetrics import openmetrics_chunks

        with self.store.reading(deadline, slow=True) as reading:

            def text() -> bytes:
                run = reading.run("", asked.one("account"))
                return b"".join(openmetrics_chunks(reading.history.feed(run)))

            return self.kept(reading, digest(asked.key()), METRICS, headers, text)

    async def health(self, request: Request) -> Response:
        """Whether the ledger can be read."""
        known = bool(request.scope.get("auditor.known"))
        try:
            health = await self.work(self._health)
        except (LedgerError, sqlite3.Error, TooLong):
            health = HealthV1("unavailable")
        status = 200 if health.status == "ok" else 503
        body = document(health if known else HealthV1(health.status))
        return Response(body, status, {"Cache-Control": "no-store"}, media_type=JSON)

    def _health(self, deadline: Deadline) -> HealthV1:
        with self.store.reading(deadline) as reading:
            try:
                run = reading.latest()
            except NoRun:
                return HealthV1("ok")
            return HealthV1("ok", run.name, round((self.now() - run.started).total_seconds(), 1))

    async def description(self, request: Request) -> Response:
        """The OpenAPI document."""
        ask((), request.query_params.multi_items())
        body, packed = _description()
        tag = f'W/"{digest(body)}"'
        if matches(request.headers.get("if-none-match", ""), tag):
            return unchanged(tag)
        if takes_gzip(request.headers.get("accept-encoding", "")):
            return answer(packed, tag, packed=True)
        return answer(body, tag)

    async def page(self, request: Request) -> Response:
        """The report of the latest run as a page, or of another one."""
        asked = ask((RUN, ACCOUNT_OF_RUN), request.query_params.multi_items(), about="page")
        return await self.work(lambda deadline: self._page(deadline, asked, request.headers), slow=True)

    def _page(self, deadline: Deadline, asked: Asked, headers: Mapping[str, str]) -> Response:
        from auditor.server.page import POLICY, page

        with self.store.reading(deadline, slow=True) as reading:

            def text() -> bytes:
                run = reading.run(asked.one("run"), asked.one("account"))
                return page(reading.history.feed(run), reading.picture(run).select({}).count(1))

            response = self.kept(reading, digest(asked.key()), HTML, headers, text)
        response.headers["Content-Security-Policy"] = POLICY
        return response


@functools.cache
def _description() -> tuple[bytes, bytes]:
    """The OpenAPI document, as it is and compressed."""
    from auditor.server.openapi import description

    body = encoded(description())
    return body, compressed(body)


_GZIP = b"\x1f\x8b"


def _packed(body: bytes) -> bytes:
    return compressed(body) if len(body) >= SMALL else body


def _tag(generation: Generation, question: str) -> str:
    return f'W/"{digest(__version__.encode(), generation.label.encode(), question.encode())}"'


def _key(parameter: Parameter | None, given: Mapping[str, str]) -> str:
    """The parameter in a path, if there is one."""
    if parameter is None:
        return ""
    value = given[parameter.name]
    if len(value) > parameter.longest:
        raise AskedWrongly("the ledger holds no such thing", status=404)
    return value


# --------------------------------------------------------------------------------------- problems


async def _asked_wrongly(_: Request, error: Exception) -> Response:
    assert isinstance(error, AskedWrongly)  # noqa: S101 - by its registration
    titles = {404: "Not found", 410: "Gone"}
    return problem(error.status, titles.get(error.status, "Bad request"), error.detail, error.parameter)


async def _no_run(_: Request, __: Exception) -> Response:
    return problem(404, "Not found", "The ledger holds no run yet.")


async def _too_long(_: Request, __: Exception) -> Response:
    return problem(503, "Took too long", "The question took too long: ask for less, or again later.")


async def _unreadable(_: Request, error: Exception) -> Response:
    logging.getLogger("auditor.server").error("the ledger cannot be read: %s", error)
    return problem(503, "Ledger unavailable", "The ledger cannot be read; the server's log says why.")


async def _not_there(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    return problem(
        status, "Not found", "There is nothing at this address; /openapi.json describes what there is."
    )


async def _broken(_: Request, __: Exception) -> Response:
    # What went wrong is logged by the server, with its trace. This answer has passed the guard.
    response = problem(500, "Internal error", "The server's log says what went wrong.")
    guarded(response.headers)
    return response
