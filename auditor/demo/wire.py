"""The demo account over HTTP: the gaps' answers before moto's server, for a boto3 client elsewhere.

Requests are told apart as AWS tells them: by X-Amz-Target, by the form's Action, or by method and path with the
service of the signature. What the account does not answer goes on to moto.
"""

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote
from wsgiref.types import StartResponse, WSGIEnvironment
from xml.sax.saxutils import escape

from botocore.utils import parse_to_aware_datetime
from moto.core.parse import PROTOCOL_PARSERS, RequestDict
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.datastructures import Headers, MultiDict
from werkzeug.serving import make_server

from auditor.demo.gaps import ANSWERS, answer
from auditor.demo.shapes import Document, service_model
from auditor.demo.state import DemoState, Refusal
from collectors.collector import all_collectors

Application = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]

_MOTO_ONLY = frozenset({"macie2", "sts"})


@cache
def _services() -> tuple[str, ...]:
    """What can be denied or answered over HTTP: the services that collectors call. Anything else is moto's."""
    called = {operation.service for collector in all_collectors() for operation in collector.operations()}
    return tuple(sorted(called | {name.partition(":")[0] for name in ANSWERS} | _MOTO_ONLY))


_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/([^/]+)/([^/]+)/aws4_request")


@cache
def _targets() -> dict[str, str]:
    metadata = {service: service_model(service).metadata for service in _services()}
    return {held["targetPrefix"]: service for service, held in metadata.items() if "targetPrefix" in held}


@cache
def _signers() -> dict[str, str]:
    return {service_model(service).signing_name: service for service in _services() if service != "s3control"}


class _Request:
    """One request's service, operation, Region and what its parameters are read from."""

    def __init__(self, environ: WSGIEnvironment) -> None:
        self.method = environ["REQUEST_METHOD"]
        self.path = environ.get("PATH_INFO", "/")
        self.query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        self.headers = Headers(
            (name[5:].replace("_", "-").title(), value)
            for name, value in environ.items()
            if name.startswith("HTTP_")
        )
        scope = _SCOPE.search(self.headers.get("Authorization", ""))
        self.region, self.signer = (scope[1], scope[2]) if scope else ("us-east-1", "")
        self.body = b""
        # S3's bodies are objects, and moto reads them itself.
        if self.signer != "s3":
            self.body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(self.body)

    def called(self) -> tuple[str, str] | None:
        """The service and operation, where the account is asked for them."""
        prefix, _, operation = self.headers.get("X-Amz-Target", "").rpartition(".")
        if operation:
            service = _targets().get(prefix)
            return (service, operation) if service else None
        service = "s3control" if self.path.startswith("/v20180820/") else _signers().get(self.signer)
        if service is None:
            return None
        form = parse_qs(self.body.decode()) if self.body else {}
        if "Action" in form:
            return service, form["Action"][0]
        found = self._matched(service)
        return (service, found[0]) if found else None

    def parameters(self, service: str, operation: str) -> dict[str, Any]:
        """The call's parameters, as boto3 would be given them."""
        protocol = service_model(service).resolved_protocol
        if protocol.startswith("rest-"):
            found = self._matched(service)
            named = dict(found[1]) if found else {}
            named |= {
                name: self.query[member.serialization["name"]][0]
                for name, member in self._query_members(service, operation)
                if member.serialization["name"] in self.query
            }
            return named | self._json_members(service, operation)
        model = get_service_model(service).operation_model(operation)
        parser = PROTOCOL_PARSERS[protocol](model, timestamp_parser=parse_to_aware_datetime)
        form = {} if protocol == "json" else parse_qs(self.body.decode(), keep_blank_values=True)
        request: RequestDict = {
            "body": self.body,
            "headers": self.headers,
            "method": self.method,
            "url_params": {},
            "url_path": self.path,
            "values": MultiDict[str, str](form),
        }
        parsed: dict[str, Any] = parser.parse(request)
        return {name: value for name, value in parsed.items() if value is not None}

    @staticmethod
    def _query_members(service: str, operation: str) -> list[tuple[str, Any]]:
        shape = service_model(service).operation_model(operation).input_shape
        members = shape.members.items() if shape else ()
        return [
            (name, member)
            for name, member in members
            if member.serialization.get("location") == "querystring"
        ]

    def _json_members(self, service: str, operation: str) -> dict[str, Any]:
        """The parameters that a REST call has in its JSON body."""
        if not self.body or "json" not in service_model(service).resolved_protocol:
            return {}
        body = json.loads(self.body)
        shape = service_model(service).operation_model(operation).input_shape
        members = shape.members.items() if shape else ()
        wired = {member.serialization.get("name", name): name for name, member in members}
        return {wired[key]: value for key, value in body.items() if key in wired}

    def _matched(self, service: str) -> tuple[str, Mapping[str, str]] | None:
        """The REST operation of this method and path that names most of the query."""
        found: list[tuple[int, str, Mapping[str, str]]] = []
        for name, method, pattern, constants in _routes(service):
            place = pattern.fullmatch(self.path)
            if (
                method == self.method
                and place
                and all(
                    key in self.query and value in ("", self.query[key][0])
                    for key, value in constants.items()
                )
            ):
                labels = {key: unquote(value) for key, value in place.groupdict().items()}
                found.append((len(constants), name, labels))
        if not found:
            return None
        _, name, held = max(found, key=lambda item: item[0])
        return name, held


@cache
def _routes(service: str) -> tuple[tuple[str, str, re.Pattern[str], Mapping[str, str]], ...]:
    model = service_model(service)
    routes = []
    for name in model.operation_names:
        if model.operation_model(name).deprecated:
            # S3's old names of two operations stand at the same address as the new ones.
            continue
        http = model.operation_model(name).http
        path, _, query = http["requestUri"].partition("?")
        labels = re.sub(r"\{(\w+)\+\}", r"(?P<\1>.+)", path)
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", labels) + "/?")
        constants = {key: values[0] for key, values in parse_qs(query, keep_blank_values=True).items()}
        routes.append((name, http["method"], pattern, constants))
    return tuple(routes)


def _error(service: str, method: str, refusal: Refusal) -> tuple[str, bytes]:
    """An error's content type and body in the service's protocol."""
    if method == "HEAD":
        return "application/xml", b""
    protocol = service_model(service).resolved_protocol
    code, message = escape(refusal.code), escape(refusal.message)
    if "json" in protocol:
        body = json.dumps({"__type": refusal.code, "message": refusal.message})
        return "application/x-amz-json-1.1", body.encode()
    error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    if service == "ec2":
        error = f"<Response><Errors>{error}</Errors><RequestID>0</RequestID></Response>"
    elif service != "s3":
        error = f"<ErrorResponse>{error}<RequestId>0</RequestId></ErrorResponse>"
    return "text/xml", error.encode()


def _body(service: str, operation: str, document: Document) -> tuple[str, bytes]:
    """An answer's content type and body in the service's protocol."""
    protocol = service_model(service).resolved_protocol
    model = get_service_model(service).operation_model(operation)
    written = get_serializer_class(service, protocol)(model).serialize(document)
    text = written["body"]
    headers = {str(name).lower(): str(value) for name, value in written["headers"].items()}
    return headers.get("content-type", "text/xml"), text.encode() if isinstance(text, str) else bytes(text)


class Gaps:
    """A WSGI application that answers what the state knows, and hands the rest to another."""

    def __init__(self, inner: Application, state: DemoState) -> None:
        self._inner = inner
        self._state = state

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = _Request(environ)
        called = request.called()
        if called is None:
            return self._inner(environ, start_response)
        service, operation = called
        status = 200
        try:
            found = answer(
                self._state, service, operation, request.region, request.parameters(service, operation)
            )
            if found is None:
                return self._inner(environ, start_response)
            kind, body = _body(service, operation, found)
        except Refusal as refusal:
            status = refusal.status
            kind, body = _error(service, request.method, refusal)
            if "json" in service_model(service).resolved_protocol:
                start_headers = [("x-amzn-ErrorType", refusal.code)]
            else:
                start_headers = []
            start_response(
                f"{status} Refused",
                [*start_headers, ("Content-Type", kind), ("Content-Length", str(len(body)))],
            )
            return [body]
        start_response(f"{status} OK", [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body]


class _Quiet(MotoRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 -- werkzeug's names
        """Say nothing; a test's or a demo's output is its own."""


@contextmanager
def served(state: DemoState, *, port: int = 0) -> Iterator[str]:
    """Serve the state and whatever moto holds in this process; the address is "http://127.0.0.1:PORT".

    Only 127.0.0.1 listens. `s3control` puts the account before the host name, which no resolver knows under
    this address: clients that need it take the server as their HTTP_PROXY too.
    """
    application = Gaps(DomainDispatcherApplication(create_backend_app), state)
    server = make_server("127.0.0.1", port, application, threaded=True, request_handler=_Quiet)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
