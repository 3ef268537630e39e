"""References to other standards: titles, pages, and ids that do not exist."""

import json
import re
from collections import Counter
from importlib import resources
from typing import Any

import pytest

from evaluators.controls import (
    Reference,
    Standard,
    UnknownReference,
    config_rule,
    lens,
    prowler,
    security_hub,
)
from evaluators.rule import PREFIXES, all_rules


@pytest.mark.parametrize(
    ("reference", "title", "url"),
    [
        (
            lens("MLSEC03-BP01"),
            "Provide least privilege access",
            "https://docs.aws.amazon.com/wellarchitected/latest/machine-learning-lens/mlsec03-bp01.html",
        ),
        (
            security_hub("SageMaker.3"),
            "SageMaker.3",
            "https://docs.aws.amazon.com/securityhub/latest/userguide/sagemaker-controls.html#sagemaker-3",
        ),
        (
            config_rule("root-account-mfa-enabled"),
            "root-account-mfa-enabled",
            "https://docs.aws.amazon.com/config/latest/developerguide/root-account-mfa-enabled.html",
        ),
        (prowler("iam_root_mfa_enabled"), "iam_root_mfa_enabled", None),
    ],
)
def test_titles_and_pages(reference: Reference, title: str, url: str | None) -> None:
    assert (reference.title, reference.url) == (title, url)


@pytest.mark.parametrize("make", [lens, security_hub, config_rule, prowler])
def test_an_id_that_does_not_exist_is_an_error(make: object) -> None:
    assert callable(make)
    with pytest.raises(UnknownReference):
        _ = make("Nothing.999").title


def test_ids_have_their_standards_form() -> None:
    forms = {
        Standard.SECURITY_HUB: r"[A-Za-z0-9]+\.\d+",
        Standard.CONFIG: r"[a-z0-9-]+",
        Standard.ML_LENS: r"ML(OPS|SEC|REL|PERF|COST|SUS)\d\d-BP\d\d",
        Standard.PROWLER: r"[a-z0-9_]+",
    }
    for rule in all_rules():
        for reference in rule.maps:
            assert re.fullmatch(forms[reference.standard], reference.id), reference


def data(name: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(resources.files("evaluators").joinpath(name).read_text())
    return found


def test_codes_are_numbered_without_gaps() -> None:
    """A code that falls out, or a rule in another pillar's package, would take its findings' ids with it."""
    counts = {"OPS": 35, "SEC": 68, "REL": 25, "PERF": 23, "COST": 37}
    assert [rule.code for rule in all_rules()] == [
        f"{prefix}-{number:03d}" for prefix in PREFIXES for number in range(1, counts[prefix] + 1)
    ]
    assert sum(counts.values()) == 188


def test_the_data_and_the_rules_name_the_same_controls() -> None:
    """Of the ML Lens all practices are kept, with those that no API shows; of the others what rules name."""
    named = {(reference.standard.value, reference.id) for rule in all_rules() for reference in rule.maps}
    kept = {(standard, id_) for standard, entries in data("controls.json").items() for id_ in entries}
    assert named - kept == set()
    assert {standard for standard, _ in kept - named} == {Standard.ML_LENS.value}
    assert Counter(standard for standard, _ in kept) == {
        "security_hub": 78,
        "config_rule": 73,
        "prowler": 54,
        "ml_lens": 105,
    }


def test_every_rule_is_behind_a_best_practice_of_the_ml_lens() -> None:
    without = [r.code for r in all_rules() if all(m.standard is not Standard.ML_LENS for m in r.maps)]
    assert without == []
    assert [rule.code for rule in all_rules() if len(set(rule.maps)) < len(rule.maps)] == []


def test_a_practice_names_each_of_its_rules_once() -> None:
    """What a practice names exists as spelt: `practices()` would drop an unknown code without a word."""
    codes = {rule.code for rule in all_rules()}
    for id_, entry in data("practices.json").items():
        rules = list(entry["rules"])
        assert re.fullmatch(r"P\d[0-9A-F]\d", id_)
        assert rules, id_
        assert len(set(rules)) == len(rules), id_
        assert set(rules) <= codes, id_
