"""Whether stages and teams have execution roles of their own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from collectors.iam import Role
from collectors.model import Gap, Unread
from collectors.sagemaker.models import Model
from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sagemaker.studio import Domain
from collectors.sagemaker.training_jobs import TrainingJob
from collectors.sagemaker.user_profiles import UserProfile, profiles_by_domain
from collectors.sample import Sample, sample
from collectors.view import Region, index
from evaluators.controls import lens
from evaluators.roles import role_uses, stages_of
from evaluators.rule import Change, Scope, Severity, Verdict, failed, given, not_applicable, passed, rule

_ROLE = "arn:aws:iam::123456789012:role/trainer"
_TRUST = {
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]
}
_JOB = sample(TrainingJob, "job", role_arn=_ROLE)
_THREE = (_JOB, sample(NotebookInstance, "nb", role_arn=_ROLE), sample(Model, "m", execution_role_arn=_ROLE))
_DOMAIN = sample(Domain, "d-1", default_user_settings={"execution_role": _ROLE})


def _role(**values: Any) -> Sample:
    return sample(Role, "trainer", arn=_ROLE, assume_role_policy_document=_TRUST, **values)


def _profile(name: str, *, role: str | None = None, **tags: str) -> Sample:
    """A profile with the domain's role, unless it has its own."""
    return sample(UserProfile, name, tags=tags, domain_id="d-1", user_settings={"execution_role": role})


@dataclass(slots=True)
class _Profiles:
    """The profiles that run with each role, and the gap that may hide more."""

    by_role: dict[str, list[UserProfile]] = field(default_factory=dict)
    gap: Gap | None = None


@index
def _profiles(region: Region) -> _Profiles:
    """The profiles of all audited Regions by their role: their own, else their domain's."""
    found = _Profiles()
    for place in region.audited():
        try:
            for domain in place.all(Domain):
                default = domain.default_user_settings
                for profile in profiles_by_domain(place).get(domain.name, ()):
                    settings = profile.user_settings
                    role = (settings and settings.execution_role) or (default and default.execution_role)
                    if role:
                        found.by_role.setdefault(role, []).append(profile)
        except Unread as unread:
            found.gap = found.gap or unread.gap
    return found


def _teams(profiles: list[UserProfile], tag: str) -> Mapping[str, str]:
    """The teams that profiles are tagged with, with one profile of each."""
    found: dict[str, str] = {}
    for profile in profiles:
        held = {key.lower(): value.strip() for key, value in profile.tags.items()}
        if held.get(tag.lower()):
            found.setdefault(held[tag.lower()], f"{profile.kind} {profile.name}")
    return found


@rule(
    "SEC-045",
    Severity.LOW,
    bad=[
        given(_role(), *_THREE),
        given(_role(), _DOMAIN, _profile("anna", team="churn"), _profile("maya", Team="fraud")),
        given(
            _role(),
            sample(Domain, "d-1"),
            _profile("anna", role=_ROLE, team="churn"),
            _profile("maya", role=_ROLE, team="fraud"),
        ),
    ],
    good=[
        given(_role(), _JOB, sample(NotebookInstance, "nb", role_arn=f"{_ROLE}-2")),
        given(_role(), _JOB, sample(NotebookInstance, "nb", role_arn=_ROLE)),
        given(_role(), _JOB, _DOMAIN, _profile("anna", team="churn"), _profile("maya", team="churn")),
        given(_role(), _JOB, _DOMAIN, _profile("anna", team="churn"), _profile("maya")),
        given(
            _role(),
            _JOB,
            _DOMAIN,
            _profile("anna", team="churn"),
            _profile("maya", role=f"{_ROLE}-fraud", team="fraud"),
        ),
    ],
    exempt=[
        # In an account with one stage there is nothing to separate.
        given(_role(), _JOB),
        _role(),
        given(_role(tags={"Environment": "sandbox"}), *_THREE),
    ],
    remedy="Create one role for each stage and persona, each with what that stage needs.",
    change=Change.NEXT_RUN,
    scope=Scope.NOT_SANDBOX,
    confidence=0.7,
    maps=[lens("MLSEC03-BP01"), lens("MLOPS02-BP01")],
)
def shared_execution_role(role: Role, *, max_stages: int = 2, team_tag: str = "team") -> Verdict:
    """Different stages and users should not share one execution role.

    A role for notebooks, training, hosting and pipelines alike has the sum of their rights, and
    whoever holds one stage holds all. So has one that Studio users of several teams run with: the
    tag `team_tag` of their profiles tells. Small accounts do well with one role: low only.
    """
    stages = stages_of(role)
    if not stages:
        return not_applicable("no SageMaker resource uses this role")
    if len(stages) > max_stages:
        names = sorted(stages)
        return failed(f"used by {', '.join(names)}", RoleArn=role.id, used_by=sorted(stages.values()))
    profiles = _profiles(role.region)
    teams = _teams(profiles.by_role.get(role.id, []), team_tag)
    if len(teams) > 1:
        used_by = sorted(teams.values())[:10]
        return failed(f"users of {len(teams)} teams run with it", RoleArn=role.id, used_by=used_by)
    uses = role_uses(role.region)
    gap = uses.gap or profiles.gap
    if gap is not None:
        raise Unread(gap)
    if len({stage for found in uses.stages.values() for stage in found}) < 2:
        return not_applicable("the account has fewer than two stages")
    return passed(RoleArn=role.id, used_by=sorted(stages.values()))
