"""The one door to AWS: read, list, gather. Every error becomes a gap here, and secrets end here."""

import functools
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import botocore.exceptions
import botocore.loaders
import botocore.model
import botocore.session
from botocore import xform_name

from collectors.collector import Collector, Plan
from collectors.model import (
    GLOBAL,
    SECRETS_KEY,
    Document,
    Gap,
    Operation,
    Reading,
    Reason,
    Resource,
    Unread,
    gap_document,
    pack,
)
from collectors.pacing import Pace
from collectors.pricing import Prices
from collectors.redaction import Secret, Undecodable, redact, redact_script, scrub
from collectors.session import Sessions
from collectors.view import Field, Region, View

T = TypeVar("T")
R = TypeVar("R")
V = TypeVar("V", bound=View)

EMPTY_PAGES = 20
"""How many empty pages with a token are followed: SageMaker's lists can answer them for ever.

Source: aws-cli issue 7596.
"""

POLLS = (1, 2, 4, 8, 15, 15, 15, 30, 30)
"""The seconds to wait before AWS is asked again for what it prepares in its own time: two minutes in all."""

_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AllAccessDisabled",
        "AuthorizationError",
        "AuthorizationErrorException",
        "Forbidden",
        "KMSAccessDeniedException",
        "UnauthorizedOperation",
        "403",
    }
)
_THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_REGION_OFF = frozenset(
    {"InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure", "OptInRequired"}
)
_NOT_OFFERED = frozenset(
    {
        "InvalidAction",
        "NotImplemented",
        "UnknownOperationException",
        "UnsupportedOperation",
        "UnsupportedOperationException",
        "501",
    }
)
_VANISHED = frozenset(
    {
        "404",
        "ImageNotFoundException",
        "NoSuchBucket",
        "NoSuchEntity",
        "NoSuchKey",
        "NotFound",
        "NotFoundException",
        "RepositoryNotFoundException",
        "ResourceNotFound",
        "ResourceNotFoundException",
        "TrailNotFoundException",
    }
)
_GONE_TEXTS = ("could not find", "does not exist", "cannot find", "not found")


def _says_absent(operation: Operation, code: str, message: str) -> bool:
    """Whether AWS says by this error that a thing is not configured."""
    for known in operation.absent:
        error, _, text = known.partition(": ")
        if error == code and text in message.lower():
            return True
    return False


def reason_of(code: str, message: str, status: int) -> Reason:
    """Tell denied, throttled, expired, not offered and vanished apart by AWS's error code."""
    for reason, codes in (
        (Reason.DENIED, _DENIED),
        (Reason.THROTTLED, _THROTTLED),
        (Reason.EXPIRED, _EXPIRED),
        (Reason.REGION_OFF, _REGION_OFF),
        (Reason.NOT_OFFERED, _NOT_OFFERED),
        (Reason.VANISHED, _VANISHED),
    ):
        if code in codes:
            return reason
    if code == "ValidationException" and any(text in message.lower() for text in _GONE_TEXTS):
        return Reason.VANISHED
    return {403: Reason.DENIED, 404: Reason.VANISHED, 429: Reason.THROTTLED, 501: Reason.NOT_OFFERED}.get(
        status, Reason.FAILED
    )


@dataclass
class Tally:
    """What a run did: calls by operation, and throttles. Counted under a lock."""

    calls: Counter[str] = field(default_factory=Counter)
    throttles: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Caller:
    """Calls AWS for one account: paced, counted, redacted; errors come back as gaps."""

    def __init__(
        self,
        sessions: Sessions,
        account: str,
        partition: str,
        *,
        rate_share: float = 0.5,
        salt: bytes,
        charges: bool = False,
        prices: Prices | None = None,
    ) -> None:
        self.sessions = sessions
        self.account = account
        self.partition = partition
        self.charges = charges
        self.prices = prices or Prices()
        self.tally = Tally()
        self.stopped = threading.Event()
        self.pace = Pace(rate_share, sleep=self.stopped.wait)
        self.gaps: dict[tuple[str, str, str, str], Gap] = {}
        self._salt = salt
        self._unreachable: set[tuple[str, str]] = set()
        sessions.on_call = self._on_call
        sessions.on_retry = self._on_retry

    def _on_call(self, service: str, region: str, operation: str) -> None:
        self.pace.wait(self.account, region, service, operation)
        with self.tally.lock:
            self.tally.calls[f"{service}:{operation}"] += 1

    def _on_retry(self, service: str, region: str, operation: str, code: str) -> None:
        if code in _THROTTLED:
            self.pace.throttled(self.account, region, service, operation)
            with self.tally.lock:
                self.tally.throttles += 1

    def service_region(self, region: str) -> str:
        """Where to ask for something global."""
        return self.sessions.home_region(self.partition) if region == GLOBAL else region

    def note(self, gap: Gap) -> Gap:
        """Keep a gap for the report; the same operation refused a thousand times is one line."""
        if gap.reason is not Reason.VANISHED:
            with self.tally.lock:
                self.gaps.setdefault((gap.operation, gap.region, gap.reason.value, gap.code), gap)
        return gap

    def withdraw(self, gap: Gap) -> None:
        """Forget a gap that was filled in another way."""
        with self.tally.lock:
            self.gaps.pop((gap.operation, gap.region, gap.reason.value, gap.code), None)

    def call(self, operation: Operation, region: str, send: Callable[[], T]) -> T | Gap | None:
        """Make one paced call; `None` means that AWS answered "not configured"."""
        place = self.service_region(region)

        def gap(reason: Reason, code: str = "", message: str = "") -> Gap:
            text = scrub(" ".join(message.split()))[:500]
            return self.note(Gap(str(operation), reason, code, text, self.account, region))

        if self.stopped.is_set():
            return gap(Reason.INTERRUPTED)
        if operation.charge and not self.charges:
            price = f"AWS bills USD {operation.charge:.2f} for each request"
            return gap(Reason.OPT_IN, "", f"{price}: made only with --cost-explorer")
        if not self.sessions.offers(operation.service, place, self.partition):
            return gap(Reason.NOT_OFFERED, "", f"{place} is not among the Regions of {operation.service}")
        if (operation.service, place) in self._unreachable:
            return gap(Reason.UNREACHABLE)
        try:
            return send()
        except botocore.exceptions.ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            message = str(error.response.get("Error", {}).get("Message", ""))
            if _says_absent(operation, code, message):
                return None
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            return gap(reason_of(code, message, status), code, message)
        except (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError) as error:
            self._unreachable.add((operation.service, place))
            return gap(Reason.UNREACHABLE, type(error).__name__, str(error))
        except botocore.exceptions.NoCredentialsError as error:
            return gap(Reason.EXPIRED, type(error).__name__, str(error))
        except botocore.exceptions.PaginationError as error:
            return gap(Reason.TRUNCATED, type(error).__name__, str(error))
        except botocore.exceptions.BotoCoreError as error:
            return gap(Reason.FAILED, type(error).__name__, str(error))

    def read(self, operation: Operation, region: str, parameters: Mapping[str, Any]) -> Reading:
        """One document: the response at the operation's `result`, redacted."""
        client = self.sessions.client(operation.service, self.service_region(region))
        method = getattr(client, xform_name(operation.name))
        sent = {**dict(operation.parameters), **parameters}
        answer = self.call(operation, region, lambda: method(**sent))
        if isinstance(answer, dict):
            found = list(documents_in(answer, operation.result))
            return self._redacted(operation, found[0]) if found else None
        return answer

    def pages(self, operation: Operation, region: str, parameters: Mapping[str, Any]) -> Iterator[Document]:
        """The documents of a listing. Raises `Unread` where it could not be read to its end."""
        client = self.sessions.client(operation.service, self.service_region(region))
        sent = {**dict(operation.parameters), **parameters}
        method = xform_name(operation.name)
        if client.can_paginate(method):
            size = _largest_page(client, operation)
            config = {"PageSize": size} if size else {}
            pages = iter(client.get_paginator(method).paginate(**sent, PaginationConfig=config))
        else:
            pages = _turned(getattr(client, method), client.meta.service_model, operation, sent)
        empty = sent_so_far = announced = 0
        while True:
            answer = self.call(operation, region, lambda: _next(pages))
            if isinstance(answer, Gap):
                raise Unread(answer)
            if answer is None:
                break
            found = list(documents_in(answer, operation.result))
            sent_so_far += len(found)
            announced = max(announced, _announced(answer))
            empty = 0 if found else empty + 1
            if empty > EMPTY_PAGES:
                message = f"{empty} empty pages in a row, each with a token for more"
                raise Unread(
                    self.note(Gap(str(operation), Reason.TRUNCATED, "", message, self.account, region))
                )
            for document in found:
                yield self._redacted(operation, document)
        if sent_so_far < announced:
            message = f"it counts {announced} and sent {sent_so_far}"
            raise Unread(self.note(Gap(str(operation), Reason.TRUNCATED, "", message, self.account, region)))

    def _redacted(self, operation: Operation, document: Document) -> Document:
        document = {key: value for key, value in document.items() if key != "ResponseMetadata"}
        secrets: list[Secret] = []
        if operation.secrets:
            document, secrets = redact(document, operation.secrets, self._salt)
        for path in operation.scripts:
            document = self._scripts(operation, document, path, secrets)
        if secrets:
            document[SECRETS_KEY] = [
                {name: getattr(secret, name) for name in Secret.__dataclass_fields__} for secret in secrets
            ]
        return document

    def _scripts(
        self, operation: Operation, document: Document, path: str, secrets: list[Secret]
    ) -> Document:
        """Redact base64 scripts: `OnStart[].Content`, or a member that is one script itself."""
        head, _, tail = path.partition("[].")

        def cleaned(content: str, key: str) -> Any:
            try:
                text, found = redact_script(content, key, self._salt)
            except Undecodable as error:
                gap = Gap(str(operation), Reason.UNDECODABLE, message=f"{key}: {error}", account=self.account)
                return gap_document(gap)
            secrets.extend(found)
            return text

        value = document.get(head)
        if isinstance(value, str):
            return {**document, head: cleaned(value, head)}
        if not value:
            return document
        scripts = [
            {**script, tail: cleaned(script[tail], f"{head}[{i}].{tail}")} if tail in script else script
            for i, script in enumerate(value)
        ]
        return {**document, head: scripts}


def _announced(answer: Document) -> int:
    """How many results Search says there are in all, where it says so exactly."""
    total = answer.get("TotalHits") or {}
    return int(total.get("Value", 0)) if total.get("Relation") == "EqualTo" else 0


def _next(pages: Iterator[Any]) -> Document | None:
    """The next page: iterators of pages call AWS inside `next`."""
    return next(pages, None)


_TOKENS = ("NextToken", "nextToken", "NextPageToken", "Marker")


def _turned(
    method: Callable[..., Document], model: Any, operation: Operation, sent: dict[str, Any]
) -> Iterator[Document]:
    """The pages of a listing for which botocore has no paginator, as long as answers come with a token."""
    shapes = model.operation_model(operation.name)
    takes = shapes.input_shape.members if shapes.input_shape is not None else {}
    token = next((name for name in _TOKENS if name in takes and name in shapes.output_shape.members), None)
    size = {_limit(takes): operation.page_size} if operation.page_size else _page_size(takes)
    sent = {**size, **sent}
    while True:
        answer = method(**sent)
        yield answer
        if token is None or not answer.get(token):
            return
        sent = {**sent, token: answer[token]}


def _limit(takes: Mapping[str, Any]) -> str:
    """What the parameter for a page's size is called."""
    return next((name for name in ("MaxResults", "maxResults", "Limit") if name in takes), "")


def _page_size(takes: Mapping[str, Any]) -> dict[str, int]:
    """The largest page that the model of an input allows, where it says."""
    name = _limit(takes)
    most = takes[name].metadata.get("max") if name else None
    return {name: int(most)} if most else {}


def documents_in(response: Any, path: str) -> Iterator[Document]:
    """The documents at `Results[].TrainingJob` of a response; the whole response for an empty path."""
    if not path:
        yield response
        return
    head, _, rest = path.partition(".")
    value = response.get(head.removesuffix("[]"))
    for item in (value or []) if head.endswith("[]") else [value]:
        if item is not None:
            yield from documents_in(item, rest)


def _largest_page(client: Any, operation: Operation) -> int:
    """The largest page that AWS allows: many lists default to 10 against a limit of two calls a second."""
    if operation.page_size:
        return operation.page_size
    model = client.meta.service_model.operation_model(operation.name)
    limit_key = client.get_paginator(xform_name(operation.name))._pagination_cfg.get("limit_key")
    member = model.input_shape.members.get(limit_key)
    return int(member.metadata.get("max", 0)) if member is not None else 0


class Reader:
    """What one collector sees in one Region: the calls that its view declares, and what was read before."""

    def __init__(
        self,
        caller: Caller,
        collector: Collector,
        plan: Plan,
        region: Region,
        pool: Executor,
        *,
        search: bool = True,
        since: datetime | None = None,
    ) -> None:
        self._since = since
        self.caller = caller
        self.collector = collector
        self.region = region
        self.search = search
        self.gap: Gap | None = None
        self._plan = plan
        self._pool = pool
        self._allowed = collector.operations()
        self._wanted = {str(op) for op in plan.operations(fallbacks=True)}

    def _check(self, operation: Operation) -> None:
        if operation not in self._allowed:
            raise ValueError(f"{self.collector.name} calls {operation}, which its view does not declare")

    def wants(self, operation: Operation) -> bool:
        """Whether a selected rule reads a field of this operation."""
        return str(operation) in self._wanted

    @property
    def plan(self) -> Plan:
        """What the selected rules read."""
        return self._plan

    @property
    def lookback(self) -> str:
        """From when on jobs are read, as Search and the lists' filters take it: the start of the window, or later."""
        manifest = self.region.manifest
        since = self._since or self.region.ago(manifest.lookback_days if manifest else 30)
        return since.strftime("%Y-%m-%dT%H:%M:%SZ")

    def read(self, operation: Operation, *, region: str = "", **parameters: Any) -> Reading:
        """One document, `None` (not configured) or a gap."""
        self._check(operation)
        return self.caller.read(operation, region or self.region.name, parameters)

    def poll(self, operation: Operation, done: Callable[[Document], bool], **parameters: Any) -> Reading:
        """One document that AWS prepares in its own time: asked for again, ever later, until it is done.

        A gap where it is not done after two minutes.
        """
        for seconds in POLLS:
            reading = self.read(operation, **parameters)
            if not isinstance(reading, dict) or done(reading):
                return reading
            self.caller.pace.pause(seconds)
        message = f"not done after {sum(POLLS)} seconds"
        return self.caller.note(
            Gap(str(operation), Reason.NOT_READ, "", message, self.region.account, self.region.name)
        )

    def pages(self, operation: Operation, *, region: str = "", **parameters: Any) -> Iterator[Document]:
        """A listing's documents; raises `Unread` where it breaks off."""
        self._check(operation)
        return self.caller.pages(operation, region or self.region.name, parameters)

    def list(self, operation: Operation, *, region: str = "", **parameters: Any) -> Iterator[Document]:
        """A listing's documents; where it breaks off, the kind's listing is marked as not whole."""
        try:
            yield from self.pages(operation, region=region, **parameters)
        except Unread as unread:
            self.incomplete(unread.gap)

    def incomplete(self, gap: Gap) -> None:
        """Mark the kind's listing as not whole."""
        self.gap = self.gap or gap

    def gather(self, function: Callable[[T], R], inputs: Iterable[T]) -> Iterator[R]:
        """Apply a reading function to many inputs side by side; results in the order of the inputs."""
        return self._pool.map(function, list(inputs))

    def known(self, view: type[V]) -> Iterator[V]:
        """What was read before of another kind: in this Region, or in all for a global collector."""
        if self.region.name == GLOBAL and not view.is_global:
            for region in self.region.audited():
                yield from region.known(view)
        else:
            yield from self.region.known(view)

    def resource(
        self, readings: Mapping[Operation, Reading], *, key: str = "", name: str = ""
    ) -> Iterator[Resource]:
        """The resource of this collector's view from its readings; nothing when it is gone meanwhile.

        Name and ARN are taken from the first document that has them.
        """
        view = self.collector.view
        found = [reading for reading in readings.values() if isinstance(reading, dict)]
        vanished = [r for r in readings.values() if isinstance(r, Gap) and r.reason is Reason.VANISHED]
        if vanished and not key:
            return
        name = name or _first(found, view.name_path)
        key = key or _first(found, view.arn_path) or name
        documents = {str(operation): reading for operation, reading in readings.items()}
        yield Resource(view.kind, self.region.account, self.region.name, key, name or key, pack(documents))


def _first(documents: Iterable[Document], path: str) -> str:
    return next((str(d[path]) for d in documents if path and d.get(path)), "")


@functools.cache
def service_model(service: str) -> botocore.model.ServiceModel:
    """botocore's model of a service."""
    loader = botocore.loaders.Loader(
        extra_search_paths=[botocore.session.get_session().get_component("data_loader").CUSTOMER_DATA_PATH]
    )
    return botocore.model.ServiceModel(loader.load_service_model(service, "service-2"), service)


def shape_at(operation: Operation, path: str) -> Any:
    """botocore's shape at a path of an operation's document, or `None` where this version has none."""
    try:
        shape = service_model(operation.service).operation_model(operation.name).output_shape
    except botocore.exceptions.DataNotFoundError:
        return None
    except botocore.model.OperationNotFoundError:
        return None
    for step in f"{operation.result}.{path}".strip(".").split(".") if operation.result or path else ():
        name = step.removesuffix("[]")
        if shape is None or shape.type_name != "structure" or name not in shape.members:
            return None
        shape = shape.members[name]
        if step.endswith("[]"):
            shape = shape.member if shape.type_name == "list" else None
    return shape


def probe_parameters(operation: Operation) -> dict[str, Any]:
    """Parameters that AWS accepts and that name nothing there is: for asking whether a call is allowed."""
    model = service_model(operation.service).operation_model(operation.name)
    shape = model.input_shape
    wanted = () if shape is None else shape.required_members
    made = {name: _probe_value(shape.members[name], name) for name in wanted}
    return {**made, **dict(operation.parameters)}


def _probe_value(shape: Any, name: str) -> Any:
    match shape.type_name:
        case "structure":
            return {member: _probe_value(shape.members[member], member) for member in shape.required_members}
        case "list":
            return [_probe_value(shape.member, name)]
        case "map":
            return {}
        case "integer" | "long":
            return max(1, int(shape.metadata.get("min", 1)))
        case "timestamp":
            return datetime.fromtimestamp(0, UTC)
        case "boolean":
            return False
    if shape.enum:
        return shape.enum[0]
    if name.lower().endswith("arn"):
        return "arn:aws:sagemaker:us-east-1:123456789012:model/auditor-probe"
    return "auditor-probe".ljust(int(shape.metadata.get("min", 0)), "0")


def unmodelled(fields: Iterable[Field[Any]]) -> tuple[str, ...]:
    """The fields that this botocore is too old to know: their absence means nothing."""
    missing = {
        f"{operation}:{item.path}"
        for item in fields
        for operation in item.operations
        if shape_at(operation, item.path) is None
    }
    return tuple(sorted(missing))
