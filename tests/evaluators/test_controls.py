"""References to other standards: titles, pages, and ids that do not exist."""

import re

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
from evaluators.rule import all_rules


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
