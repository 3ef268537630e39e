"""Whether what was tested is what serves: one artifact from environment to environment."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from collectors.model import GLOBAL, Gap, Reason, Unread
from collectors.sagemaker.endpoint_configs import EndpointConfig
from collectors.sagemaker.endpoints import Endpoint
from collectors.sagemaker.model_package_policies import ModelPackageGroupPolicy
from collectors.sagemaker.model_packages import ModelPackage, ModelPackageGroup, PackagedContainer
from collectors.sagemaker.models import Model
from collectors.sample import ABSENT, Sample, sample
from collectors.view import Region, index
from evaluators.controls import lens
from evaluators.deployments import deployments
from evaluators.environment import Environment, placed
from evaluators.policy import Effect
from evaluators.policy_document import Ternary, any_of
from evaluators.roles import parsed
from evaluators.rule import Change, Given, Severity, Verdict, failed, given, not_applicable, passed, rule
from evaluators.versions import group_in, version_arns

_HOME, _OTHER = "eu-west-1", "us-east-1"


def _arn(region: str, resource: str) -> str:
    return f"arn:aws:sagemaker:{region}:123456789012:{resource}"


def _registered(region: str, number: int, etag: str | None, url: str = "") -> Sample:
    held = {"model_data_url": url or f"s3://models-{region}/{number}.tar.gz", "model_data_e_tag": etag}
    return sample(
        ModelPackage,
        f"churn/{number}",
        arn=_arn(region, f"model-package/churn/{number}"),
        region=region,
        model_package_group_name="churn",
        containers=[held],
    )


def _serving(region: str, environment: str, version: str) -> list[Sample]:
    name = f"churn-{environment}"
    variants = [{"variant_name": "a", "model_name": name}]
    return [
        sample(Model, name, region=region, primary_container={"model_package_name": version}),
        sample(EndpointConfig, name, region=region, production_variants=variants),
        sample(Endpoint, name, region=region, endpoint_config_name=name, tags={"Environment": environment}),
    ]


def _group(*others: Sample, policy: Any = ABSENT) -> Given:
    arn = _arn(_HOME, "model-package-group/churn")
    return given(
        sample(ModelPackageGroup, "churn", arn=arn),
        sample(ModelPackageGroupPolicy, "churn", arn=arn, resource_policy=policy),
        *others,
        regions=(_HOME, _OTHER),
    )


def _apart(mine: str | None, theirs: str | None, url: str = "") -> list[Sample]:
    """A registry of the same name for production and for staging, each in its Region."""
    return [
        _registered(_HOME, 3, mine, url),
        _registered(_OTHER, 3, theirs, url),
        *_serving(_HOME, "prod", _arn(_HOME, "model-package/churn/3")),
        *_serving(_OTHER, "staging", _arn(_OTHER, "model-package/churn/3")),
    ]


_SHARED = json.dumps(
    {
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": "999988887777"},
            "Action": "sagemaker:DescribeModelPackage",
            "Resource": "*",
        }
    }
)
_PROD = _serving(_HOME, "prod", _arn(_HOME, "model-package/churn/3"))


@rule(
    "REL-019",
    Severity.LOW,
    confidence=0.4,
    bad=[_group(*_apart("a1", "b2"))],
    good=[
        # The same bytes under another URL.
        _group(*_apart("a1", "a1")),
        _group(*_apart(None, None, "s3://models/3.tar.gz")),
        # Its number there is another one.
        _group(*_apart("a1", "b2"), _registered(_OTHER, 2, "a1")),
        _group(
            _registered(_HOME, 3, "a1"),
            *_PROD,
            *_serving(_OTHER, "staging", _arn(_HOME, "model-package/churn/3")),
        ),
        # Staging is a version ahead, in the one registry of both.
        _group(
            _registered(_HOME, 3, "a1"),
            _registered(_HOME, 4, "b2"),
            *_PROD,
            *_serving(_HOME, "staging", _arn(_HOME, "model-package/churn/4")),
        ),
        _group(*_apart("a1", "b2"), policy=_SHARED),
    ],
    exempt=[
        _group(_registered(_HOME, 3, "a1"), *_PROD),
        _group(_registered(_HOME, 3, "a1")),
        # An endpoint that is placed nowhere says nothing of environments.
        _group(*_apart("a1", "b2")[:5], *_serving(_HOME, "blue", _arn(_HOME, "model-package/churn/3"))),
    ],
    remedy="Let one registry serve all environments: share it by its policy, and deploy versions by their ARN.",
    change=Change.NEXT_RUN,
    maps=[lens("MLREL04-BP01"), lens("MLOPS06-BP01")],
)
def retrained_for_production(group: ModelPackageGroup) -> Verdict:
    """What was trained once should be deployed in every environment.

    A model that is trained again for production is another one than was tested. Judged where groups of
    one name serve several environments, in the Regions and accounts that were read: some version must
    have the same artifact, by address or by ETag, in both registries. An ETag differs too where a copy
    was encrypted with another key or sent in other parts.
    """
    served = _served(group.region).get(group.name.lower(), ())
    environments = {found.environment for found in served if found.environment is not None}
    here = {found for found in served if found.registry == _registry(group.region)}
    if not here or len(environments) < 2:
        return not_applicable("its versions serve no more than one environment that was read")
    if len({found.registry for found in served}) == 1:
        return passed("one registry serves all environments", environments=sorted(environments))
    policy = group.region.find(ModelPackageGroupPolicy, group.id)
    if policy is not None and policy.resource_policy is not None and _is_shared(group, policy):
        return passed("its registry is shared by its policy", environments=sorted(environments))
    mine = _artifacts(group.region, group.name)
    own = {found.environment for found in here}
    apart = {found.registry for found in served if found.environment in environments - own}
    for other in sorted(apart - {_registry(group.region)}):
        theirs = _artifacts(_place(group.region, other), group.name)
        alike = mine.shares(theirs)
        if alike is None:
            gap = group.gap("sagemaker:DescribeModelPackage", Reason.MISSING, "ModelDataETag")
            raise Unread(gap)
        if not alike:
            return failed(
                f"{other} has versions of its own",
                ModelDataETag=sorted(mine.etags)[:5],
                other=sorted(theirs.etags)[:5],
                environments=sorted(environments),
            )
    return passed("the registries have artifacts in common", environments=sorted(environments))


@dataclass(frozen=True, slots=True)
class _Served:
    """That a version of a group serves in an environment, and where its registry is (`account/Region`)."""

    environment: Environment | None
    registry: str


@dataclass(frozen=True, slots=True)
class _Artifacts:
    """The artifacts of a group's versions by address and by ETag; `unmarked` where one has no ETag."""

    uris: frozenset[str]
    etags: frozenset[str]
    unmarked: bool

    def shares(self, other: "_Artifacts") -> Ternary:
        """Whether both have one of them; `None` where a missing ETag may hide it."""
        same = bool(self.uris & other.uris or self.etags & other.etags)
        return any_of((same, None if self.unmarked or other.unmarked else False))


def _registry(region: Region) -> str:
    return f"{region.account}/{region.name}"


def _place(region: Region, registry: str) -> Region:
    """The Region of a registry, maybe of another account whose snapshot was joined.

    Raises `Unread` for one that was not read.
    """
    for place in _estate(region):
        if _registry(place) == registry:
            return place
    raise Unread(Gap("sagemaker:Search", Reason.NOT_READ, message=f"the registry in {registry}"))


@index
def _estate(region: Region) -> tuple[Region, ...]:
    """All Regions of all accounts that were read."""
    found = list(region.audited())
    for manifest in region.snapshot.manifests:
        if manifest.account != region.account:
            root = Region(region.snapshot, manifest.account, GLOBAL)
            root.context = region.context
            found += root.audited()
    return tuple(found)


@index
def _served(region: Region) -> Mapping[str, tuple[_Served, ...]]:
    """Which environments the versions of each group serve, by the group's name in lower case."""
    found: dict[str, set[_Served]] = {}
    for place in _estate(region):
        deployed = deployments(place)
        for model in place.all(Model):
            for deployment in deployed.get(model.name, ()):
                where = placed(deployment.endpoint)
                if where.gap is not None:
                    raise Unread(where.gap)
                for arn in version_arns(model):
                    group = group_in(arn)
                    if group is not None:
                        home, account = arn.split(":")[3:5]
                        served = _Served(where.environment, f"{account}/{home}")
                        found.setdefault(group.lower(), set()).add(served)
    return {group: tuple(served) for group, served in found.items()}


def _artifacts(region: Region, group: str) -> _Artifacts:
    """The artifacts of a group's versions. Raises `Unread` where the registry was not read whole."""
    containers: list[PackagedContainer] = []
    for package in region.all(ModelPackage):
        if (package.model_package_group_name or "").lower() == group.lower():
            containers += package.containers
    held = [container for container in containers if container.artifact_uri]
    return _Artifacts(
        frozenset(container.artifact_uri or "" for container in held),
        frozenset(_present(container.model_data_e_tag for container in held)),
        any(container.model_data_e_tag is None for container in held) or not held,
    )


def _present(values: Iterable[str | None]) -> Iterable[str]:
    return (value for value in values if value)


def _is_shared(group: ModelPackageGroup, policy: ModelPackageGroupPolicy) -> bool:
    """Whether its policy lets somebody else in."""
    return any(
        statement.principals is not None
        and (statement.principals.everyone or statement.principals.accounts - {group.region.account})
        for statement in parsed(group, policy.resource_policy).statements
        if statement.effect is Effect.ALLOW
    )
