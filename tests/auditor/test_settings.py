"""Where settings come from, which counts, and that each error says where it is and what to try."""

import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from auditor.settings import (
    Accepted,
    Attestation,
    Environments,
    Matches,
    Settings,
    SettingsError,
    check_thresholds,
    line_of,
    load,
    suggestion,
)

FULL = """\
# what this account is audited with
lookback_days = 90
concurrency = 4
rate_share = 1
regions = ["eu-west-1", "eu-central-1"]
exclude_regions = ["us-east-1"]
fail_on = "High"
allow_gaps = true
search = false
required_tags = ["Owner"]
tag_aliases = { Owner = ["Team"] }
excluded_buckets = ["scratch-*"]

[thresholds.COST-001]
idle_days = 14

[environments]
tag_keys = ["stage"]

[environments.production]
names = ["prod-*"]
accounts = ["012345678901"]

[environments.sandbox]
tags = ["play"]

[pillar_weights]
security = 3

[attestations.MLSEC04-BP01]
answer = true
owner = "ops@example.com"
date = 2026-05-01

[attestations."SEC-001"]
answer = "in part"
owner = "ops@example.com"
date = "2026-05-02"

[[accepted]]
rule = "SEC-003"
resource = "arn:aws:sagemaker:*:*:notebook-instance/legacy-*"
part = "role"
reason = "retired in June"
expires = 2026-06-30

[[accepted]]
rule = "SEC-004"
reason = "no alternative"
expires = 2026-07-31
"""

FULL_SETTINGS = Settings(
    thresholds={"COST-001": {"idle_days": 14}},
    environments=Environments(
        tag_keys=("stage",),
        production=Matches(
            tags=("prod", "production", "prd", "live"), names=("prod-*",), accounts=("012345678901",)
        ),
        sandbox=Matches(tags=("play",)),
    ),
    pillar_weights={"operations": 1.0, "security": 3.0, "reliability": 1.0, "performance": 1.0, "cost": 1.0},
    required_tags=("Owner",),
    tag_aliases={"Owner": ("Team",)},
    excluded_buckets=("scratch-*",),
    attestations={
        "MLSEC04-BP01": Attestation(answer=True, owner="ops@example.com", date=date(2026, 5, 1)),
        "SEC-001": Attestation(answer="in part", owner="ops@example.com", date=date(2026, 5, 2)),
    },
    accepted=(
        Accepted(
            rule="SEC-003",
            resource="arn:aws:sagemaker:*:*:notebook-instance/legacy-*",
            part="role",
            reason="retired in June",
            expires=date(2026, 6, 30),
        ),
        Accepted(rule="SEC-004", reason="no alternative", expires=date(2026, 7, 31)),
    ),
    regions=("eu-west-1", "eu-central-1"),
    exclude_regions=("us-east-1",),
    lookback_days=90,
    concurrency=4,
    rate_share=1.0,
    fail_on="high",
    allow_gaps=True,
    search=False,
)


def read(
    directory: Path,
    text: str | None = None,
    *,
    name: str = "auditor.toml",
    path: Path | None = None,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> Settings:
    """Settings of a directory in which one file has this text."""
    if text is not None:
        (directory / name).write_text(text, encoding="utf-8")
    return load(path, environ or {}, flags or {}, directory)


def error_of(directory: Path, text: str | None = None, **given: Any) -> SettingsError:
    with pytest.raises(SettingsError) as raised:
        read(directory, text, **given)
    assert "\n" not in str(raised.value)
    return raised.value


# ---- what is read


def test_without_anything_all_is_default(tmp_path: Path) -> None:
    assert read(tmp_path) == Settings()


def test_the_defaults_are_those_that_are_documented() -> None:
    found = Settings()
    assert (found.lookback_days, found.concurrency, found.rate_share) == (30, 16, 0.5)
    assert (found.fail_on, found.allow_gaps, found.search, found.required_tags) == (None, False, True, None)
    assert found.pillar_weights == dict.fromkeys(
        ("operations", "security", "reliability", "performance", "cost"), 1.0
    )
    assert found.environments == Environments(
        tag_keys=("Environment", "Env", "Stage"),
        production=Matches(tags=("prod", "production", "prd", "live")),
        staging=Matches(tags=("staging", "stage", "stg", "uat", "preprod", "pre-prod")),
        development=Matches(tags=("dev", "development", "test", "testing", "qa")),
        sandbox=Matches(tags=("sandbox", "sbx", "playground", "experiment", "poc")),
    )


def test_a_file_with_every_key_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, FULL) == FULL_SETTINGS


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    (tmp_path / "auditor.toml").write_bytes(b"\xef\xbb\xbf" + FULL.replace("\n", "\r\n").encode())
    assert read(tmp_path) == FULL_SETTINGS


def test_the_table_of_a_pyproject_is_read(tmp_path: Path) -> None:
    text = '[project]\nname = "x"\n[tool.auditor]\nlookback_days = 7\n'
    assert read(tmp_path, text, name="pyproject.toml") == Settings(lookback_days=7)


def test_a_pyproject_without_our_table_is_none_of_ours(tmp_path: Path) -> None:
    assert read(tmp_path, '[project]\nname = "x"\n', name="pyproject.toml") == Settings()


def test_the_own_file_outranks_pyproject(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.auditor]\nlookback_days = 7\nconcurrency = 2\n")
    assert read(tmp_path, "lookback_days = 8\n") == Settings(lookback_days=8)


def test_a_named_file_outranks_the_variable_and_the_directory(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("lookback_days = 1\n")
    (tmp_path / "b.toml").write_text("lookback_days = 2\n")
    environ = {"AUDITOR_CONFIG": "b.toml"}
    here = "lookback_days = 3\n"
    assert read(tmp_path, here, path=Path("a.toml"), environ=environ).lookback_days == 1
    assert read(tmp_path, here, path=tmp_path / "a.toml", environ=environ).lookback_days == 1
    assert read(tmp_path, here, environ=environ).lookback_days == 2
    assert read(tmp_path, here).lookback_days == 3


# ---- precedence: setting, file, variable, flag and what comes of each of them

PRECEDENCE = [
    ("lookback_days", ("7", 7), ("8", 8), (9, 9)),
    ("concurrency", ("2", 2), ("3", 3), (4, 4)),
    ("rate_share", ("0.1", 0.1), ("0.2", 0.2), (0.3, 0.3)),
    ("regions", ('["a"]', ("a",)), ("b, c,", ("b", "c")), (["d"], ("d",))),
    ("exclude_regions", ('["a"]', ("a",)), ("b", ("b",)), (("d",), ("d",))),
    ("required_tags", ('["a"]', ("a",)), ("b,c", ("b", "c")), (["d"], ("d",))),
    ("excluded_buckets", ('["a"]', ("a",)), ("b-*", ("b-*",)), (["d"], ("d",))),
    ("fail_on", ('"low"', "low"), ("Medium", "medium"), ("none", None)),
    ("allow_gaps", ("false", False), ("yes", True), (False, False)),
    ("search", ("true", True), ("0", False), (True, True)),
]


@pytest.mark.parametrize(
    ("name", "in_file", "variable", "flag"), PRECEDENCE, ids=[row[0] for row in PRECEDENCE]
)
def test_a_flag_counts_over_a_variable_over_the_file_over_the_default(
    tmp_path: Path, name: str, in_file: tuple[str, Any], variable: tuple[str, Any], flag: tuple[Any, Any]
) -> None:
    text = f"{name} = {in_file[0]}\n"
    environ = {f"AUDITOR_{name.upper()}": variable[0]}
    given = {name: flag[0]}
    assert read(tmp_path, text) == Settings(**{name: in_file[1]})
    assert read(tmp_path, text, environ=environ) == Settings(**{name: variable[1]})
    assert read(tmp_path, text, environ=environ, flags=given) == Settings(**{name: flag[1]})
    assert read(tmp_path, text, environ=environ, flags={name: None}) == Settings(**{name: variable[1]})
    assert read(tmp_path, "") == Settings()


def test_an_empty_variable_or_list_flag_is_not_given(tmp_path: Path) -> None:
    environ = {"AUDITOR_REGIONS": " ", "AUDITOR_CONFIG": "", "AUDITOR_LOOKBACK_DAYS": ""}
    found = read(tmp_path, 'regions = ["a"]\n', environ=environ, flags={"regions": [], "exclude_regions": ()})
    assert found == Settings(regions=("a",))


def test_variables_of_others_and_of_shell_completion_are_left_alone(tmp_path: Path) -> None:
    environ = {
        "_AUDITOR_COMPLETE": "x",
        "AUDITOR_COMPLETE": "x",
        "AUDITOR_BASH_COMPLETE": "x",
        "AUDIT_X": "x",
    }
    assert read(tmp_path, environ=environ) == Settings()


# ---- errors in a file: text and message

FILE_ERRORS = [
    ("lookback_dayz = 3\n", 'auditor.toml:1: lookback_dayz: unknown key; did you mean "lookback_days"?'),
    ("\n\nfrobnicate = 3\n", "auditor.toml:3: frobnicate: unknown key"),
    ('"a b" = 3\n', 'auditor.toml:1: "a b": unknown key'),
    ("source = 3\n", "auditor.toml:1: source: unknown key"),
    ("[environment]\n", 'auditor.toml:1: environment: unknown key; did you mean "environments"?'),
    (
        "[environments]\n# x\n[environments.prod]\ntags = []\n",
        'auditor.toml:3: environments.prod: unknown key; did you mean "production"?',
    ),
    (
        "[environments.staging]\nnames = []\ntag = []\n",
        'auditor.toml:3: environments.staging.tag: unknown key; did you mean "tags"?',
    ),
    (
        "environments.staging.zzz = 1\n",
        "auditor.toml:1: environments.staging.zzz: unknown key; there are tags, names, accounts",
    ),
    ("[environments]\nproduction = 3\n", "auditor.toml:2: environments.production: expected table, got int"),
    (
        '[environments.sandbox]\nnames = []\naccounts = [\n  "012345678901",\n  "12",\n]\n',
        "auditor.toml:3: environments.sandbox.accounts[1]: expected a 12-digit account id, got '12'",
    ),
    (
        "environments.sandbox.accounts = [123456789012]\n",
        "auditor.toml:1: environments.sandbox.accounts[0]: expected str, got int",
    ),
    (
        "[pillar_weights]\nsecurty = 1\n",
        'auditor.toml:2: pillar_weights.securty: unknown key; did you mean "security"?',
    ),
    ("[pillar_weights]\ncost = -1\n", "auditor.toml:2: pillar_weights.cost: expected float >= 0.0, got -1"),
    ("[pillar_weights]\ncost = inf\n", "auditor.toml:2: pillar_weights.cost: expected a finite number"),
    ("[pillar_weights]\ncost = nan\n", "auditor.toml:2: pillar_weights.cost: expected a finite number"),
    (
        "[pillar_weights]\noperations = 0\nsecurity = 0\nreliability = 0\nperformance = 0\ncost = 0\n",
        "auditor.toml:1: pillar_weights: at least one weight has to be above 0",
    ),
    ("lookback_days = 0\n", "auditor.toml:1: lookback_days: expected int >= 1, got 0"),
    ("lookback_days = 456\n", "auditor.toml:1: lookback_days: expected int <= 455, got 456"),
    ("lookback_days = 1.5\n", "auditor.toml:1: lookback_days: expected int, got float"),
    ("lookback_days = true\n", "auditor.toml:1: lookback_days: expected int, got bool"),
    ("concurrency = 0\n", "auditor.toml:1: concurrency: expected int >= 1, got 0"),
    ("rate_share = 0\n", "auditor.toml:1: rate_share: expected float > 0.0, got 0"),
    ("rate_share = 1.01\n", "auditor.toml:1: rate_share: expected float <= 1.0, got 1.01"),
    ("rate_share = nan\n", "auditor.toml:1: rate_share: expected a finite number"),
    ('regions = "eu-west-1"\n', "auditor.toml:1: regions: expected list, got str"),
    ('regions = ["a", ""]\n', "auditor.toml:1: regions[1]: must not be empty"),
    ('fail_on = "hihg"\n', "auditor.toml:1: fail_on: unknown severity 'hihg'; did you mean \"high\"?"),
    (
        'fail_on = "zzz"\n',
        "auditor.toml:1: fail_on: unknown severity 'zzz'; there are critical, high, medium, low, info",
    ),
    ("fail_on = 3\n", "auditor.toml:1: fail_on: expected the name of a severity, got 3"),
    ("allow_gaps = 1\n", "auditor.toml:1: allow_gaps: expected bool, got int"),
    (
        'tag_aliases = { Owner = ["Team", 3] }\n',
        "auditor.toml:1: tag_aliases.Owner[1]: expected str, got int",
    ),
    ("thresholds = 3\n", "auditor.toml:1: thresholds: expected table, got int"),
    ("[thresholds]\nCOST-001 = 3\n", "auditor.toml:2: thresholds.COST-001: expected table, got int"),
    (
        "[thresholds.COST-001]\nshare = inf\n",
        "auditor.toml:2: thresholds.COST-001.share: expected a finite number",
    ),
    ("attestations = 3\n", "auditor.toml:1: attestations: expected table, got int"),
    (
        '[attestations.A]\nanswer = true\nowner = "x"\n',
        'auditor.toml:1: attestations.A: missing key "date"',
    ),
    (
        "[attestations.A]\nanswer = true\ndate = 2026-01-01\n",
        'auditor.toml:1: attestations.A: missing key "owner"',
    ),
    (
        '[attestations.A]\nowner = "x"\ndate = 2026-01-01\n',
        'auditor.toml:1: attestations.A: missing key "answer"',
    ),
    (
        '[attestations.A]\nanswer = 3\nowner = "x"\ndate = 2026-01-01\n',
        "auditor.toml:2: attestations.A.answer: expected bool | str, got int",
    ),
    (
        '[attestations.A]\nanswer = true\nowner = "x"\ndate = 2026-01-01T00:00:00Z\n',
        "auditor.toml:4: attestations.A.date: expected date, got datetime",
    ),
    (
        '[attestations.A]\nanswer = true\nowners = "x"\n',
        'auditor.toml:3: attestations.A.owners: unknown key; did you mean "owner"?',
    ),
    ('[accepted]\nrule = "A"\n', "auditor.toml:1: accepted: expected list, got table"),
    ("accepted = [3]\n", "auditor.toml:1: accepted[0]: expected table, got int"),
    (
        '[[accepted]]\nrule = "A"\nexpires = 2026-01-01\n',
        'auditor.toml:1: accepted[0]: missing key "reason"',
    ),
    (
        '[[accepted]]\nrule = "A"\nreason = "x"\nexpires = 2026-01-01\n\n[[accepted]]\nrule = "A"\nreason = "x"\n',
        'auditor.toml:6: accepted[1]: missing key "expires"',
    ),
    (
        '[[accepted]]\nrule = "A"\nreason = " "\nexpires = 2026-01-01\n',
        "auditor.toml:3: accepted[0].reason: must not be empty",
    ),
    (
        '[[accepted]]\nrule = "A"\nreason = "x"\nexpires = 2026-01-01\n[[accepted]]\nrule = "A"\nreasn = "x"\n',
        'auditor.toml:7: accepted[1].reasn: unknown key; did you mean "reason"?',
    ),
    (
        'accepted = [\n {rule="A", reason="x", expires=2026-01-01},\n {rule="A", reason="x", expires="soon"}\n]\n',
        "auditor.toml:3: accepted[1].expires: invalid RFC3339 encoded date, got 'soon'",
    ),
]


@pytest.mark.parametrize(("text", "message"), FILE_ERRORS, ids=[message for _, message in FILE_ERRORS])
def test_an_error_in_the_file_says_where_and_what(tmp_path: Path, text: str, message: str) -> None:
    error = error_of(tmp_path, text)
    assert str(error) == message
    assert error.file == "auditor.toml"
    assert error.line == int(message.split(":")[1])
    assert error.key == message.split(": ")[1]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("lookback_days = 3\nconcurrency =\n", 2),
        ("concurrency = 1\nconcurrency = 2\nsearch = true\n", 2),
        ("regions = [\n  'a',\n", 2),
        ('title = """\nx\n\n', 3),
    ],
)
def test_what_is_no_toml_has_a_line_too(tmp_path: Path, text: str, line: int) -> None:
    error = error_of(tmp_path, text)
    assert str(error).startswith(f"auditor.toml:{line}: no valid TOML: ")
    assert (error.file, error.line, error.key) == ("auditor.toml", line, "")


def test_an_error_in_a_pyproject_has_the_line_there(tmp_path: Path) -> None:
    text = "[project]\nlookback_dayz = 1\n\n[tool.auditor]\nsearch = true\n[tool.auditor.environments.prod]\n"
    error = error_of(tmp_path, text, name="pyproject.toml")
    assert str(error) == 'pyproject.toml:6: environments.prod: unknown key; did you mean "production"?'
    assert str(error_of(tmp_path, "[tool]\nauditor = 3\n", name="pyproject.toml")) == (
        "pyproject.toml:2: tool.auditor is no table"
    )


# ---- errors of the file itself


def test_a_named_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    error = error_of(tmp_path, path=Path("missing.toml"))
    assert (str(error), error.file, error.line, error.key) == (
        "missing.toml: there is no such settings file",
        "missing.toml",
        None,
        "",
    )
    error = error_of(tmp_path, environ={"AUDITOR_CONFIG": "gone.toml"})
    assert str(error) == "gone.toml: there is no such settings file"


def test_a_named_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    assert str(error_of(tmp_path, path=Path("d"))) == "d: cannot be read: Is a directory"


def test_a_named_pyproject_without_our_table_is_an_error(tmp_path: Path) -> None:
    error = error_of(tmp_path, "[project]\n", name="pyproject.toml", path=Path("pyproject.toml"))
    assert str(error) == "pyproject.toml: there is no table [tool.auditor] in it"


def test_a_file_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "auditor.toml").write_bytes(b"\xff\xfe")
    assert str(error_of(tmp_path)) == "auditor.toml: is not UTF-8 text"


# ---- errors of variables and flags

OTHER_ERRORS: list[tuple[dict[str, str], dict[str, object], str]] = [
    (
        {"AUDITOR_LOOKBACK_DAY": "3"},
        {},
        'AUDITOR_LOOKBACK_DAY: unknown variable; did you mean "AUDITOR_LOOKBACK_DAYS"?',
    ),
    ({"AUDITOR_ZZZZZZZZZZZZ": "3"}, {}, "AUDITOR_ZZZZZZZZZZZZ: unknown variable"),
    ({"AUDITOR_LOOKBACK_DAYS": "many"}, {}, "AUDITOR_LOOKBACK_DAYS: expected int, got str"),
    ({"AUDITOR_LOOKBACK_DAYS": "999"}, {}, "AUDITOR_LOOKBACK_DAYS: expected int <= 455, got '999'"),
    ({"AUDITOR_RATE_SHARE": "0"}, {}, "AUDITOR_RATE_SHARE: expected float > 0.0, got '0'"),
    ({"AUDITOR_RATE_SHARE": "nan"}, {}, "AUDITOR_RATE_SHARE: expected float > 0.0, got 'nan'"),
    ({"AUDITOR_ALLOW_GAPS": "maybe"}, {}, "AUDITOR_ALLOW_GAPS: expected true or false, got 'maybe'"),
    ({"AUDITOR_FAIL_ON": "hihg"}, {}, "AUDITOR_FAIL_ON: unknown severity 'hihg'; did you mean \"high\"?"),
    ({}, {"lookback_days": 0}, "--lookback-days: expected int >= 1, got 0"),
    ({}, {"fail_on": "hihg"}, "--fail-on: unknown severity 'hihg'; did you mean \"high\"?"),
    ({}, {"regions": ["a", ""]}, "--regions: must not be empty"),
    ({}, {"lookback_dayz": 1}, '--lookback-dayz: unknown setting; did you mean "lookback_days"?'),
]


@pytest.mark.parametrize(("environ", "flags", "message"), OTHER_ERRORS, ids=[row[2] for row in OTHER_ERRORS])
def test_an_error_of_a_variable_or_flag_names_it(
    tmp_path: Path, environ: dict[str, str], flags: dict[str, object], message: str
) -> None:
    error = error_of(tmp_path, environ=environ, flags=flags)
    assert (str(error), error.file, error.line, error.key) == (message, "", None, message.partition(":")[0])


# ---- thresholds

DECLARED: dict[str, dict[str, tuple[Any, Any]]] = {
    "COST-001": {"idle_days": (int, 7), "share": (float, 0.5), "limit": (int | None, None)},
    "SEC-001": {"kinds": (tuple[str, ...], ()), "strict": (bool, True), "name": (str, "x")},
    "SEC-002": {},
    "OPS-031": {"required_tags": (tuple[str, ...], ("Owner",)), "aliases": (dict[str, tuple[str, ...]], {})},
}

THRESHOLDS = [
    ("", {}),
    (
        "[thresholds.COST-001]\nidle_days = 3\nshare = 1\nlimit = 4\n",
        {"COST-001": {"idle_days": 3, "share": 1.0, "limit": 4}},
    ),
    (
        '[thresholds.SEC-001]\nkinds = ["a"]\nstrict = false\nname = "y"\n',
        {"SEC-001": {"kinds": ("a",), "strict": False, "name": "y"}},
    ),
    ("[thresholds.SEC-002]\n", {}),
    ('thresholds.OPS-031.aliases = { Env = ["E"] }\n', {"OPS-031": {"aliases": {"Env": ("E",)}}}),
    (
        'required_tags = ["A"]\ntag_aliases = { A = ["B"] }\n',
        {"OPS-031": {"required_tags": ("A",), "aliases": {"A": ("B",)}}},
    ),
    (
        'required_tags = ["A"]\nthresholds.OPS-031.required_tags = ["C"]\n',
        {"OPS-031": {"required_tags": ("C",)}},
    ),
]


@pytest.mark.parametrize(("text", "expected"), THRESHOLDS)
def test_thresholds_come_out_as_the_types_that_rules_declare(
    tmp_path: Path, text: str, expected: dict[str, dict[str, Any]]
) -> None:
    assert check_thresholds(read(tmp_path, text), DECLARED) == expected


def test_shared_tags_go_nowhere_without_the_rule_that_reads_them() -> None:
    assert check_thresholds(Settings(required_tags=("A",)), {"SEC-002": {}}) == {}


THRESHOLD_ERRORS = [
    (
        "\n[thresholds.COST-001]\nshare = 0.1\nidle_dayz = 3\n",
        'auditor.toml:4: thresholds.COST-001.idle_dayz: unknown key; did you mean "idle_days"?',
    ),
    (
        "[thresholds.COST-001]\nzzz = 3\n",
        "auditor.toml:2: thresholds.COST-001.zzz: unknown key; there are idle_days, share, limit",
    ),
    (
        "search = true\n[thresholds.cost-001]\nidle_days = 3\n",
        'auditor.toml:2: thresholds.cost-001: unknown rule; did you mean "COST-001"?',
    ),
    (
        "[thresholds.SEC-002]\nx = 3\n",
        "auditor.toml:2: thresholds.SEC-002.x: unknown key; the rule has no thresholds",
    ),
    (
        '[thresholds.COST-001]\nidle_days = "3"\n',
        "auditor.toml:2: thresholds.COST-001.idle_days: expected int, got str",
    ),
    (
        '[thresholds.COST-001]\nlimit = "a"\n',
        "auditor.toml:2: thresholds.COST-001.limit: expected int | null, got str",
    ),
    (
        '[thresholds]\nSEC-001 = { strict = true, kinds = ["a", 1] }\n',
        "auditor.toml:2: thresholds.SEC-001.kinds[1]: expected str, got int",
    ),
    (
        "[thresholds.OPS-031.aliases]\nA = []\nB = [1]\n",
        "auditor.toml:3: thresholds.OPS-031.aliases.B[0]: expected str, got int",
    ),
]


@pytest.mark.parametrize(
    ("text", "message"), THRESHOLD_ERRORS, ids=[message for _, message in THRESHOLD_ERRORS]
)
def test_a_threshold_that_no_rule_knows_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    settings = read(tmp_path, text)
    with pytest.raises(SettingsError) as raised:
        check_thresholds(settings, DECLARED)
    assert str(raised.value) == message
    assert raised.value.line == int(message.split(":")[1])


def test_settings_made_in_code_have_no_line() -> None:
    with pytest.raises(SettingsError) as raised:
        check_thresholds(Settings(thresholds={"COST-002": {}}), DECLARED)
    assert str(raised.value) == 'thresholds.COST-002: unknown rule; did you mean "COST-001"?'


# ---- accepted findings

ARN = "arn:aws:sagemaker:eu-west-1:012345678901:notebook-instance/legacy-1"
WITH_PART, WITHOUT_PART = FULL_SETTINGS.accepted
ACCEPTED = [
    ("SEC-003", ARN, "role", date(2026, 6, 1), WITH_PART),
    ("SEC-003", ARN, "role", date(2026, 6, 30), WITH_PART),
    ("SEC-003", ARN, "role", date(2026, 7, 1), None),
    ("SEC-003", ARN, "other", date(2026, 6, 1), None),
    ("SEC-003", ARN, None, date(2026, 6, 1), None),
    ("SEC-003", ARN.replace("legacy", "new"), "role", date(2026, 6, 1), None),
    ("SEC-003", ARN.upper(), "role", date(2026, 6, 1), None),
    ("SEC-004", ARN, None, date(2026, 6, 1), WITHOUT_PART),
    ("SEC-004", "anything", "part", date(2026, 6, 1), WITHOUT_PART),
    ("SEC-005", ARN, None, date(2026, 6, 1), None),
]


@pytest.mark.parametrize(("code", "arn", "part", "today", "expected"), ACCEPTED)
def test_an_acceptance_covers_its_rule_resource_and_part_until_it_expires(
    code: str, arn: str, part: str | None, today: date, expected: Accepted | None
) -> None:
    assert FULL_SETTINGS.accepted_for(code, arn, part, today) == expected


def test_an_expired_acceptance_does_not_hide_a_later_one() -> None:
    old = Accepted(rule="A", reason="x", expires=date(2026, 1, 1))
    new = Accepted(rule="A", reason="y", expires=date(2026, 12, 31))
    settings = Settings(accepted=(old, new))
    assert settings.accepted_for("A", ARN, None, date(2026, 2, 1)) == new
    assert settings.expired(date(2026, 2, 1)) == (old,)
    assert settings.expired(date(2026, 1, 1)) == ()


# ---- lines and suggestions

TOML = """\
# a comment with lookback_days = 1
title = \"\"\"
lookback_days = 2
\"\"\"

lookback_days = 3
a.b.c = 1
inline = { x = 1, y = { z = 2 } }
list = [
  { k = 1 },  # k = 0
  { k = 2 },
]
[table]
"quoted key" = 1
[table.'sub.table'] # comment

k = 1
[[many]]
k = 1
[[many]]
j = 1
"""
LINES = [
    (("lookback_days",), 6),
    (("title",), 2),
    (("a", "b", "c"), 7),
    (("a", "b", "d"), 7),
    (("inline", "y", "z"), 8),
    (("list",), 9),
    (("list", 0, "k"), 10),
    (("list", 1, "k"), 11),
    (("list", 1, "absent"), 9),
    (("table", "quoted key"), 14),
    (("table", "sub.table"), 15),
    (("table", "sub.table", "k"), 17),
    (("table", "sub.table", "absent"), 15),
    (("many", 0, "k"), 19),
    (("many", 1), 20),
    (("many", 1, "j"), 21),
    (("many", 1, "k"), 20),
    (("absent",), 1),
    ((), 1),
]


@pytest.mark.parametrize(("key", "line"), LINES)
def test_the_line_of_a_key_is_found_however_toml_writes_it(key: tuple[str | int, ...], line: int) -> None:
    assert line_of(TOML, key) == line


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("idle_dayz", ("idle_days", "x"), '; did you mean "idle_days"?'),
        ("SEC-3", ("SEC-003", "OPS-001"), '; did you mean "SEC-003"?'),
        ("sec-003", ("SEC-003",), '; did you mean "SEC-003"?'),
        ("dev", ("development", "staging"), '; did you mean "development"?'),
        ("q", ("a", "b"), "; there are a, b"),
        ("q", ("a", "b", "c", "d", "e", "f", "g"), ""),
        ("q", (), ""),
    ],
)
def test_a_suggestion_is_the_nearest_word(word: str, known: tuple[str, ...], expected: str) -> None:
    assert suggestion(word, known) == expected


def test_settings_import_neither_aws_nor_the_other_packages() -> None:
    code = (
        "import sys, auditor.settings;"
        "print(sorted({m.partition('.')[0] for m in sys.modules} & {'boto3', 'botocore', 'collectors', 'evaluators'}))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
