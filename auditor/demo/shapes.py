"""botocore's shapes as a check: no answer of the demo account may hold what AWS could not send."""

from functools import cache
from typing import Any

import botocore.loaders
from botocore.model import (
    ListShape,
    MapShape,
    OperationModel,
    ServiceModel,
    Shape,
    StringShape,
    StructureShape,
)
from botocore.validate import ParamValidator

Document = dict[str, Any]

_LOADER = botocore.loaders.Loader()


class InvalidAnswer(ValueError):
    """A document of the demo account that AWS could not have sent."""


@cache
def service_model(service: str) -> ServiceModel:
    """botocore's model of a service, by botocore's name of it."""
    return ServiceModel(_LOADER.load_service_model(service, "service-2"), service)


@cache
def operation_model(service: str, operation: str) -> OperationModel:
    """botocore's model of one operation."""
    return service_model(service).operation_model(operation)


def project(shape: Shape | None, value: Any) -> Any:
    """A deep copy of `value` with only the members that the shape has."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        members = shape.members
        return {key: project(members[key], item) for key, item in value.items() if key in members}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [project(shape.member, item) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: project(shape.value, item) for key, item in value.items()}
    return value


def require_valid(shape: Shape, document: Any, what: str) -> None:
    """Raise `InvalidAnswer` where the document has a member, a type or a missing member that AWS's has not."""
    report = ParamValidator().validate(document, shape)
    if report.has_errors():
        raise InvalidAnswer(f"{what}: {report.generate_report()}")


def require_known_values(shape: Shape, value: Any, what: str) -> None:
    """Raise `InvalidAnswer` for a text that is none of its shape's values; botocore does not look at these."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        for key, item in value.items():
            require_known_values(shape.members[key], item, f"{what}.{key}")
    elif isinstance(shape, ListShape):
        for item in value:
            require_known_values(shape.member, item, f"{what}[]")
    elif isinstance(shape, MapShape):
        for item in value.values():
            require_known_values(shape.value, item, f"{what}{{}}")
    elif isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        raise InvalidAnswer(f"{what}: {value!r} is none of {', '.join(shape.enum)}")
