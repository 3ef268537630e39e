"""Names from AWS are hostile text in every output: first that they arrive, then that the terminal is safe."""

import json

import jsonschema
from feeds import HOSTILE, demo_feed, hostile_feed

from auditor.outputs.json_v1 import json_chunks, schema
from auditor.outputs.table import table_chunks


def test_the_hostile_texts_arrive() -> None:
    held = {value for finding in hostile_feed().findings() for value in finding.tags.values()}
    assert set(HOSTILE) <= held
    assert any(f.accepted for f in demo_feed().findings())


def test_the_json_feed_is_valid_with_them() -> None:
    jsonschema.validate(json.loads(b"".join(json_chunks(hostile_feed()))), schema())


def test_the_table_sends_no_control_character() -> None:
    text = "".join(table_chunks(hostile_feed()))
    assert "\\x1b[31mred" in text
    assert not [c for c in text if (ord(c) < 32 and c != "\n") or c in "\x7f\u202e\u202c\u2028"]
