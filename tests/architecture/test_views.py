"""Every field of every view against botocore's output shapes, and against its use."""

import re
from datetime import datetime
from typing import Any, get_origin

import pytest
from botocore import xform_name

from collectors.collector import all_collectors
from collectors.model import Operation
from collectors.reader import service_model, shape_at
from collectors.reads import Reads, reads_of
from collectors.view import METRIC_DATA, Field, Node, Part, View
from evaluators.environment import placement
from evaluators.rule import all_rules

RULES = all_rules()
COLLECTORS = all_collectors()
VIEWS = sorted({c.view for c in COLLECTORS} | {v for r in RULES for v in r.reads.views}, key=lambda v: v.kind)
TYPES: dict[str, tuple[Any, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (float,),
    "double": (float,),
    "boolean": (bool,),
    "timestamp": (datetime,),
    "list": (list,),
    "map": (dict,),
    "structure": (dict,),
    # The one that is read, IAM's credential report, is text; a snapshot keeps it as such.
    "blob": (str,),
}


def sources(view: type[View]) -> list[tuple[type[Node], Field[Any], Operation, str]]:
    """Each field of a view and of its parts with an operation and its path in that operation's document."""
    found: list[tuple[type[Node], Field[Any], Operation, str]] = []

    def walk(node: type[Node], prefixes: list[tuple[Operation, str]]) -> None:
        for field in node.fields().values():
            places = [(op, field.path) for op in field.operations] or [
                (op, f"{prefix}.{field.path}") for op, prefix in prefixes
            ]
            found.extend((node, field, op, path) for op, path in places)
            if field.part is not None and field.part is not node:
                walk(field.part, places)

    walk(view, [])
    return found


PLACES = [
    pytest.param(field, op, path, id=f"{view.kind}:{op}:{path}")
    for view in VIEWS
    for _, field, op, path in sources(view)
]


@pytest.mark.parametrize(("field", "operation", "path"), PLACES)
def test_each_path_exists_in_botocores_output_shape_with_that_type(
    field: Field[Any], operation: Operation, path: str
) -> None:
    shape = shape_at(operation, path)
    assert shape is not None, f"{operation} has no {path}"
    if field.part is not None:
        assert shape.type_name == "structure"
    else:
        declared = get_origin(field.type) or field.type
        # A policy document is JSON text in the model; botocore decodes IAM's into a map.
        decoded = operation.service == "iam" and shape.type_name == "string" and declared is dict
        assert declared in TYPES[shape.type_name] or decoded


@pytest.mark.parametrize("view", VIEWS, ids=lambda v: v.kind)
def test_attributes_are_the_snake_case_of_their_paths_last_part(view: type[View]) -> None:
    for _, field, _, _ in sources(view):
        assert field.name == xform_name(field.keys[-1])


@pytest.mark.parametrize("view", VIEWS, ids=lambda v: v.kind)
def test_no_two_fields_share_a_path(view: type[View]) -> None:
    seen: dict[tuple[type[Node], str, str, str], str] = {}
    for node, field, operation, path in sources(view):
        place = (node, str(operation), operation.result, path)
        assert seen.setdefault(place, field.name) == field.name, place


def test_no_field_and_no_metric_is_declared_that_no_rule_or_relation_reads() -> None:
    total = Reads()
    for rule in RULES:
        total.update(rule.reads)
    for collector in COLLECTORS:
        total.update(reads_of([collector.function], (collector.view, *collector.follows, *collector.after)))
    total.update(reads_of([placement], VIEWS))
    declared_fields = {f for view in VIEWS for _, f, _, _ in sources(view)}
    unread = {f"{f.owner.__name__}.{f.name}" for f in declared_fields - total.fields if f.owner}
    assert unread == set()
    nodes = {node for view in VIEWS for node, _, _, _ in sources(view)} | set(VIEWS)
    metrics = {m for node in nodes for m in node.metric_fields().values()}
    assert {f"{m.owner.__name__}.{m.name}" for m in metrics - total.metrics if m.owner} == set()


@pytest.mark.parametrize("view", VIEWS, ids=lambda v: v.kind)
def test_names_arns_tags_and_listings_of_a_view_exist(view: type[View]) -> None:
    for operation in view.listing:
        assert operation.name in service_model(operation.service).operation_names
    if view.tag_source is not None:
        operation, path = view.tag_source
        assert shape_at(operation, path) is not None
    for path in filter(None, (view.name_path, view.arn_path)):
        places = {*view.listing, *(op for f in view.fields().values() for op in f.operations)}
        assert any(shape_at(op, path) is not None for op in places), path


READS = (
    r"(Describe|List|Get|Search|Head|BatchGet|Query|Lookup)\w*$"
    # IAM's access level of these two is Read: they start a report that a Get then answers.
    r"|GenerateCredentialReport$|GenerateServiceLastAccessedDetails$"
)


def test_every_operation_reads_only() -> None:
    for collector in COLLECTORS:
        for operation in collector.operations():
            assert re.match(READS, operation.name), operation


def test_every_kind_is_collected_by_one_collector() -> None:
    collected = {collector.view for collector in COLLECTORS}
    assert {view.kind for view in VIEWS if view not in collected} <= set()
    assert METRIC_DATA in {op for view in collected for op in view.listing}


def test_parts_that_are_judged_have_a_key() -> None:
    for rule in RULES:
        for subject in rule.subjects:
            if issubclass(subject, Part):
                assert subject.key_path


def test_no_field_hides_what_every_view_or_part_has() -> None:
    for view in VIEWS:
        for node in {node for node, *_ in sources(view)}:
            base = View if issubclass(node, View) else Part
            assert [name for name in node.fields() if hasattr(base, name)] == [], node
