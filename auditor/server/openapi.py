"""The description of the server for programs (OpenAPI 3.1), made from its endpoints and shapes."""

from typing import Any

import msgspec

from auditor import __version__
from auditor.feed_v1 import SCHEMA_VERSION, FindingV1
from auditor.server.answers import JSON, METRICS, NDJSON, PROBLEM
from auditor.server.endpoints import ENDPOINTS, Endpoint
from auditor.server.query import ACCOUNT_OF_RUN, LIMIT, MOST, RUN, Parameter
from auditor.server.shapes import HealthV1, ProblemV1

_REFS = "#/components/schemas/{name}"
_PROBLEMS = {
    "400": "A parameter that is not known, or takes something else; `parameter` names it.",
    "401": "The token is missing or wrong.",
    "404": "There is no such thing in the ledger.",
    "410": "The ledger has moved on since this cursor: begin without it.",
    "503": "The ledger cannot be read, too many ask at once, or the question takes too long.",
}


def description() -> dict[str, Any]:
    """The document."""
    shapes = [FindingV1, HealthV1, ProblemV1, *(endpoint.shape for endpoint in ENDPOINTS)]
    _, schemas = msgspec.json.schema_components(shapes, ref_template=_REFS)
    paths = {endpoint.path: {"get": _operation(endpoint)} for endpoint in ENDPOINTS}
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "auditor",
            "summary": "Findings about AWS accounts that run machine learning, with their history.",
            "description": "Read-only. Within version 1 fields and parameters are only added.",
            "version": SCHEMA_VERSION,
            "x-tool-version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{}, {"bearer": []}, {"basic": []}],
        "paths": {**paths, **_others()},
        "components": {
            "schemas": schemas,
            "responses": {
                status: {"description": text, "content": {PROBLEM: {"schema": _ref("ProblemV1")}}}
                for status, text in _PROBLEMS.items()
            },
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The server's token, if it has one.",
                },
                "basic": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "Any user; the token as password.",
                },
            },
        },
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": _REFS.format(name=name)}


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    content: dict[str, Any] = {JSON: {"schema": _ref(endpoint.shape.__name__)}}
    if endpoint.name == "findings":
        content[NDJSON] = {
            "schema": {
                "type": "string",
                "description": "A FindingV1 a line; all of them unless `limit` says less.",
            }
        }
    statuses = ["400", "401", "404", "503"]
    if any(parameter.name == "cursor" for parameter in endpoint.parameters):
        statuses.insert(3, "410")
    tag = {"description": "Of this answer, weak.", "schema": {"type": "string"}}
    asked = {
        "name": "If-None-Match",
        "in": "header",
        "description": "Tags of answers that are there already.",
        "schema": {"type": "string"},
    }
    key = [_parameter(endpoint.key, "path")] if endpoint.key else []
    return {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "parameters": [*key, *(_parameter(each, "query") for each in endpoint.parameters), asked],
        "responses": {
            "200": {
                "description": (endpoint.shape.__doc__ or "").strip().split("\n")[0],
                "headers": {"ETag": tag},
                "content": content,
            },
            "304": {"description": "What the client has is still good.", "headers": {"ETag": tag}},
            **{status: {"$ref": f"#/components/responses/{status}"} for status in statuses},
        },
    }


def _parameter(parameter: Parameter, place: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "maxLength": parameter.longest}
    if parameter.words:
        schema = {"type": "string", "enum": list(parameter.words)}
    if parameter.name == "limit":
        schema = {"type": "integer", "minimum": 1, "maximum": MOST, "default": LIMIT}
    made = {
        "name": parameter.name,
        "in": place,
        "description": parameter.about,
        "required": place == "path",
        "schema": schema,
    }
    if parameter.many:
        # A comma separates values as well, where it can be no part of one.
        made |= {
            "schema": {"type": "array", "items": schema},
            "style": "form",
            "explode": not parameter.commas,
        }
    return made


def _others() -> dict[str, Any]:
    health = {
        status: {"description": text, "content": {JSON: {"schema": _ref("HealthV1")}}}
        for status, text in (("200", "The ledger can be read."), ("503", "It cannot."))
    }
    media = METRICS.partition(";")[0]
    metrics = {"description": "OpenMetrics.", "content": {media: {"schema": {"type": "string"}}}}
    page = {"description": "The report as a page.", "content": {"text/html": {"schema": {"type": "string"}}}}
    document = {"description": "This document.", "content": {JSON: {"schema": {"type": "object"}}}}
    return {
        "/healthz": {
            "get": {"operationId": "health", "summary": "Is it well?", "security": [{}], "responses": health}
        },
        "/metrics": {
            "get": {
                "operationId": "metrics",
                "summary": "Figures of the latest run, for a scraper.",
                "parameters": [_parameter(ACCOUNT_OF_RUN, "query")],
                "responses": {"200": metrics},
            }
        },
        "/openapi.json": {
            "get": {"operationId": "description", "summary": "This document.", "responses": {"200": document}}
        },
        "/": {
            "get": {
                "operationId": "page",
                "summary": "The report of the latest run, or of another one.",
                "parameters": [_parameter(RUN, "query"), _parameter(ACCOUNT_OF_RUN, "query")],
                "responses": {"200": page},
            }
        },
    }
