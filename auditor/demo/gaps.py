"""Where moto lacks or distorts an operation, its answer. Nothing else of the demo account answers for AWS.

The answers come at botocore's `before-call` event, after the parameters were checked: a handler that returns
a response there ends the call. Each answer is checked against the operation's output shape first, so no
invented member passes. Refusals (`DemoState.denied`, `DemoState.refuse`) come the same way, for every operation.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.handlers import BUILTIN_HANDLERS
from botocore.model import OperationModel

import auditor.demo.sagemaker
import auditor.demo.services
from auditor.demo.shapes import Document, InvalidAnswer, operation_model, project, require_valid
from auditor.demo.state import DemoState, Refusal, Series

__all__ = ["DemoState", "InvalidAnswer", "Refusal", "Series", "answer", "everywhere", "install"]

ANSWERS = {**auditor.demo.sagemaker.answers(), **auditor.demo.services.answers()}

_DENIALS = {
    "cloudwatch": ("AccessDenied", 403),
    "ec2": ("UnauthorizedOperation", 403),
    "iam": ("AccessDenied", 403),
    "s3": ("AccessDenied", 403),
    "s3control": ("AccessDenied", 403),
    "sns": ("AuthorizationError", 403),
    "sts": ("AccessDenied", 403),
}
"""How services spell a denial; those with a JSON protocol of their own say AccessDeniedException, with 400."""


_MOTO = frozenset({"ec2", "ecr", "macie2", "s3", "s3control", "sns", "sts"})
"""Services whose other operations moto answers. Of any other service, what nobody answers is not offered here."""


def denial(service: str, operation: str) -> Refusal:
    """The error of a caller without the permission, as the service spells it."""
    if service == "s3" and operation.startswith("Head"):
        # A HEAD has no body to hold the code, so botocore takes the status for it.
        return Refusal("403", "Forbidden", 403)
    code, status = _DENIALS.get(service, ("AccessDeniedException", 400))
    caller = "arn:aws:sts::123456789012:assumed-role/sagemaker-auditor-reader/scan"
    action = f"{service}:{operation}"
    return Refusal(code, f"User: {caller} is not authorized to perform: {action}", status)


def answer(
    state: DemoState, service: str, operation: str, region: str, parameters: Mapping[str, Any]
) -> Document | None:
    """What the account answers to a call, or `None` where moto is to answer.

    Raises `Refusal` for AWS's errors, and `InvalidAnswer` where a document could not come from AWS.
    """
    name = f"{service}:{operation}"
    state.count(name)
    if service in state.denied or name in state.denied:
        raise denial(service, operation)
    refusal = state.refusal(name, region, parameters)
    if refusal is not None:
        raise refusal
    shape = operation_model(service, operation).output_shape
    document: Document | None = project(shape, state.given(name, region, parameters))
    if document is None and name in ANSWERS:
        document = ANSWERS[name](state, region, parameters)
    if document is None and service not in _MOTO:
        raise Refusal("UnknownOperationException", f"the demo account has no answer to {name}", 501)
    if document is not None and shape is not None:
        require_valid(shape, document, name)
    return document


@dataclass(frozen=True)
class _Handlers:
    """The two handlers of one state: one keeps the parameters as given, the other answers."""

    state: DemoState

    def keep(self, params: Any, context: dict[str, Any], **_: Any) -> None:
        context["demo_parameters"] = params

    def respond(
        self, model: OperationModel, context: dict[str, Any], **_: Any
    ) -> tuple[AWSResponse, Document] | None:
        # A session with these handlers twice asks once, and is counted once.
        if "demo_seen" in context:
            return None
        context["demo_seen"] = True
        service = model.service_model.service_name
        parameters = context.get("demo_parameters", {})
        status = 200
        try:
            found = answer(self.state, service, model.name, context["client_region"], parameters)
        except Refusal as refusal:
            status = refusal.status
            found = {"Error": {"Code": refusal.code, "Message": refusal.message}}
        if found is None:
            return None
        found["ResponseMetadata"] = {
            "RequestId": "00000000-0000-4000-8000-000000000000",
            "HTTPStatusCode": status,
            "HTTPHeaders": {},
            "RetryAttempts": 0,
        }
        return AWSResponse("https://demo.invalid", status, {}, None), found


def install(session: boto3.Session | botocore.session.Session, state: DemoState) -> None:
    """Let clients that the session makes from now on see the state; once per session is enough.

    A botocore session that is made while the program runs, such as one of an assumed role, needs this too.
    """
    emitter = session.events if isinstance(session, boto3.Session) else session.get_component("event_emitter")
    handlers = _Handlers(state)
    emitter.register_last("before-parameter-build", handlers.keep, unique_id="auditor-demo-keep")
    emitter.register_first("before-call", handlers.respond, unique_id="auditor-demo-respond")


@contextmanager
def everywhere(state: DemoState) -> Iterator[None]:
    """Within the block, every botocore session that is made sees the state, whoever makes it."""
    handlers = _Handlers(state)
    added = (("before-parameter-build", handlers.keep), ("before-call", handlers.respond))
    BUILTIN_HANDLERS.extend(added)
    try:
        yield
    finally:
        for entry in added:
            BUILTIN_HANDLERS.remove(entry)
