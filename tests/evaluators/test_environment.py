"""Where resources are placed, and by what."""

import pytest

from collectors.autoscaling import ScalableTarget, ScalingPolicy
from collectors.model import Gap, Listing, Reason
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sample import ACCOUNT, REGION, Sample, sample, snapshot_of
from collectors.view import Region
from evaluators.engine import judge
from evaluators.environment import Environment, Placement, Placing, placement
from evaluators.rule import Status, all_rules

E = Environment
UNPLACED = "not placed by tag, name or account: counted as production"


def placed(made: Sample, placing: Placing | None = None, gaps: tuple[Listing, ...] = ()) -> Placement:
    region = Region(snapshot_of([made], gaps=gaps), ACCOUNT, REGION)
    (view,) = region.known(NotebookInstance)
    return placement(view, placing or Placing())


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"Environment": "prod"}, Placement(E.PRODUCTION, "tag Environment=prod")),
        ({"env": "LIVE"}, Placement(E.PRODUCTION, "tag Env=live")),
        ({"Stage": " uat "}, Placement(E.STAGING, "tag Stage=uat")),
        ({"ENVIRONMENT": "Test"}, Placement(E.DEVELOPMENT, "tag Environment=test")),
        ({"Environment": "sbx"}, Placement(E.SANDBOX, "tag Environment=sbx")),
        ({"Environment": "blue"}, Placement(None, UNPLACED)),
        ({"aws:Environment": "prod"}, Placement(None, UNPLACED)),
        ({}, Placement(None, UNPLACED)),
    ],
)
def test_by_tag(tags: dict[str, str], expected: Placement) -> None:
    assert placed(sample(NotebookInstance, "n", tags=tags)) == expected


@pytest.mark.parametrize(
    ("placing", "tags", "expected"),
    [
        (Placing(names={E.SANDBOX: ("play-*",)}), {}, Placement(E.SANDBOX, "name matches play-*")),
        (Placing(accounts={E.STAGING: (ACCOUNT,)}), {}, Placement(E.STAGING, f"account {ACCOUNT}")),
        (
            Placing(names={E.SANDBOX: ("play-*",)}),
            {"Environment": "prod"},
            Placement(E.PRODUCTION, "tag Environment=prod"),
        ),
        (Placing(names={E.SANDBOX: ("Play-*",)}), {}, Placement(None, UNPLACED)),
        (
            Placing(tag_keys=("tier",), tags={E.SANDBOX: ("s",)}),
            {"Tier": "S"},
            Placement(E.SANDBOX, "tag tier=s"),
        ),
    ],
)
def test_tag_before_name_before_account(placing: Placing, tags: dict[str, str], expected: Placement) -> None:
    assert placed(sample(NotebookInstance, "play-one", tags=tags), placing) == expected


def test_a_rule_that_looks_at_another_resource_places_it_by_the_settings() -> None:
    """REL-012 judges a target by its endpoint's environment."""
    rule = next(rule for rule in all_rules() if rule.code == "REL-012")
    resource = "endpoint/play-one/variant/main"
    made = (
        sample(ScalableTarget, resource, resource_id=resource, min_capacity=1),
        sample(ScalingPolicy, "p", resource_id=resource),
        sample(
            Endpoint, "play-one", endpoint_config_name="c", production_variants=[{"variant_name": "main"}]
        ),
        sample(EndpointConfig, "c", production_variants=[{"variant_name": "main", "model_name": "m"}]),
    )
    sandbox = Placing(names={E.SANDBOX: ("play-*",)})
    verdicts = [
        next(judge([rule], snapshot_of(made), placing=placing)).verdict.status for placing in (None, sandbox)
    ]
    assert verdicts == [Status.FAIL, Status.PASS]


def test_tags_that_could_not_be_read_are_said_and_not_taken_for_none() -> None:
    gap = Gap("tag:GetResources", Reason.DENIED)
    bare = sample(NotebookInstance, "n", arn="arn:aws:sagemaker:eu-west-1:123456789012:notebook-instance/n")
    region = Region(snapshot_of([bare]), ACCOUNT, REGION)
    partly = snapshot_of([], gaps=[Listing("resource-tags", ACCOUNT, REGION, gap)])
    for resource in region.snapshot.resources():
        if resource.kind == "notebook-instance":
            partly.add(resource)
    (view,) = Region(partly, ACCOUNT, REGION).known(NotebookInstance)
    found = placement(view, Placing())
    assert (found.environment, found.gap) == (None, gap)
    assert found.weight == 1.0
