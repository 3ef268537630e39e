"""Image repositories of ML resources: scanning, tags that can move, and who may pull and push."""

import json
from typing import Any

from collectors.ecr import ContainerImage, ImageReference
from collectors.model import Reason, Unread
from collectors.repositories import RegistryScanning, Repository, images_by_repository
from collectors.sample import ABSENT, Sample, sample
from evaluators.controls import config_rule, lens, prowler, security_hub
from evaluators.policy import Effect, is_public
from evaluators.roles import parsed
from evaluators.rule import Change, Given, Severity, Verdict, failed, given, not_applicable, passed, rule

_REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
_ENHANCED = "ENHANCED"

Used = tuple[tuple[ImageReference, ContainerImage], ...]


def used_images(repository: Repository) -> Used:
    """Its images in use. Raises `Unread` where none was seen and not all were listed."""
    found = images_by_repository(repository.region).get(repository.name, ())
    if not found:
        for _ in repository.region.all(ContainerImage):
            break
    return found


def _image(*details: dict[str, Any], tag: str = "1.4.0") -> Sample:
    uri = f"{_REGISTRY}/churn:{tag}"
    return sample(ContainerImage, uri, arn=uri, image_details=list(details) or ABSENT)


def _scanned(status: str | None = "COMPLETE", **counts: int) -> Sample:
    return _image({"status": status, "finding_severity_counts": counts})


def _registry(*filters: str, scan_type: str = "BASIC", scan_frequency: str = "SCAN_ON_PUSH") -> Sample:
    rules = [{"scan_frequency": scan_frequency, "repository_filters": [{"filter": f} for f in filters]}]
    return sample(
        RegistryScanning, "scanning", arn="scanning", scan_type=scan_type, rules=rules if filters else []
    )


def _held(*others: Sample, **values: Any) -> Given:
    return given(sample(Repository, "churn", **values), *others)


@rule(
    "SEC-062",
    Severity.MEDIUM,
    bad=[
        _held(_scanned(), _registry()),
        _held(_scanned(), _registry("fraud*")),
        _held(_scanned(), _registry("churn", scan_frequency="MANUAL")),
        # With Inspector the repository's own switch means nothing.
        _held(_scanned("ACTIVE"), _registry("fraud*", scan_type=_ENHANCED), scan_on_push=True),
        _held(_scanned(CRITICAL=1), _registry("*")),
        _held(_scanned(HIGH=10), _registry("*")),
    ],
    good=[
        _held(_scanned(MEDIUM=30), _registry("*")),
        _held(_scanned(HIGH=9), _registry(), scan_on_push=True),
        _held(_scanned("ACTIVE"), _registry("chu", scan_type=_ENHANCED, scan_frequency="CONTINUOUS_SCAN")),
        given(sample(Repository, "churn"), _scanned(CRITICAL=2), _registry("*"), max_critical=2),
        _held(_scanned(), _image({"status": "UNSUPPORTED_IMAGE"}, tag="2.0.0"), _registry("*")),
    ],
    exempt=[
        # Images of AWS's accounts are in no repository of this one.
        _held(_registry()),
        _held(_scanned("UNSUPPORTED_IMAGE"), _registry("*")),
        _held(_image(), _registry("*")),
    ],
    remedy="Let the registry scan every repository, and build the images anew from a mended base.",
    command="aws ecr put-registry-scanning-configuration --scan-type ENHANCED --rules file://rules.json",
    change=Change.IN_PLACE,
    maps=[
        security_hub("ECR.1"),
        config_rule("ecr-private-image-scanning-enabled"),
        prowler("ecr_repositories_scan_images_on_push_enabled"),
        prowler("ecr_repositories_scan_vulnerabilities_in_latest_image"),
        lens("MLOPS04-BP02"),
    ],
)
def vulnerable_image(repository: Repository, *, max_critical: int = 0, max_high: int = 10) -> Verdict:
    """Images that train and host should be scanned and free of critical findings.

    The registry's rules decide with Amazon Inspector, these or the repository's own switch without it.
    Only images in use are looked at. An image without a result, pushed before scanning was turned on or
    not scanned yet, is unknown. Images of AWS's own accounts are AWS's to mend.
    """
    used = used_images(repository)
    results = [(reference, detail) for reference, image in used for detail in image.image_details]
    results = [found for found in results if found[1].status != "UNSUPPORTED_IMAGE"]
    if not results:
        return not_applicable("none of its images in use can be scanned")
    for reference, detail in results:
        counts = detail.finding_severity_counts or {}
        if counts.get("CRITICAL", 0) > max_critical or counts.get("HIGH", 0) >= max_high:
            return failed(
                "an image in use has known weaknesses",
                findingSeverityCounts=counts,
                image=reference.digest or reference.tag,
            )
    if not _is_covered(repository):
        return failed("new images are not scanned", scanOnPush=repository.scan_on_push)
    for _ in repository.region.all(ContainerImage):
        break
    if any(detail.finding_severity_counts is None for _, detail in results):
        raise Unread(repository.gap("ecr:DescribeImages", Reason.MISSING, "no result of a scan yet"))
    return passed(scanOnPush=repository.scan_on_push, images=len(results))


def _is_covered(repository: Repository) -> bool:
    registry = repository.region.find(RegistryScanning, "scanning")
    rules = registry.rules if registry is not None else ()
    if any(found.covers(repository.name) for found in rules):
        return True
    enhanced = registry is not None and registry.scan_type == _ENHANCED
    return bool(repository.scan_on_push) and not enhanced


def _policy(principal: Any, **more: Any) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "ecr:BatchGetImage", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


_PARTNER = _policy({"AWS": "arn:aws:iam::999988887777:root"})
_LATEST = [{"filter": "latest*"}]


@rule(
    "SEC-063",
    Severity.MEDIUM,
    bad=[
        _held(_image(), image_tag_mutability="MUTABLE"),
        _held(_image(), policy_text=_policy("*")),
        _held(_image(), policy_text=_PARTNER),
        _held(
            _image(tag="latest"),
            image_tag_mutability="IMMUTABLE_WITH_EXCLUSION",
            image_tag_mutability_exclusion_filters=_LATEST,
        ),
    ],
    good=[
        _held(_image(), policy_text=ABSENT),
        _held(
            _image(),
            image_tag_mutability="IMMUTABLE_WITH_EXCLUSION",
            image_tag_mutability_exclusion_filters=_LATEST,
        ),
        given(
            sample(Repository, "churn", policy_text=_PARTNER), _image(), trusted_accounts=("999988887777",)
        ),
        _held(
            _image(),
            policy_text=_policy("*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-larkspur"}}),
        ),
        _held(_image(), policy_text=_policy({"Service": "sagemaker.amazonaws.com"})),
    ],
    exempt=[_held(image_tag_mutability="MUTABLE")],
    remedy="Make its tags immutable, and name in its policy only accounts that are trusted.",
    command="aws ecr put-image-tag-mutability --repository-name {name} --image-tag-mutability IMMUTABLE",
    change=Change.IN_PLACE,
    maps=[
        security_hub("ECR.2"),
        config_rule("ecr-private-tag-immutability-enabled"),
        prowler("ecr_repositories_tag_immutability"),
        lens("MLOPS04-BP02"),
    ],
)
def replaceable_image(repository: Repository, *, trusted_accounts: tuple[str, ...] = ()) -> Verdict:
    """Repositories of ML images should have immutable tags and be open to trusted accounts only.

    Who can push under a tag that is in use decides what the next run executes. Tags that are excepted
    from immutability count where something in use names one. A repository without a policy is the
    account's own.
    """
    used = used_images(repository)
    if not used:
        return not_applicable("no ML resource names it")
    mutability = repository.image_tag_mutability
    movable = sorted({ref.tag for ref, _ in used if not ref.digest and repository.tag_can_move(ref.tag)})
    if mutability == "MUTABLE" or movable:
        return failed(
            "its tags can be moved to another image", imageTagMutability=mutability, tags=movable[:10]
        )
    text = repository.policy_text
    statements = parsed(repository, text).statements if text is not None else ()
    if any(is_public(statement) for statement in statements):
        return failed("its policy lets the public in", imageTagMutability=mutability, policyText=text)
    own = {repository.region.account, *trusted_accounts}
    foreign = sorted(
        {
            account
            for statement in statements
            if statement.effect is Effect.ALLOW and statement.principals is not None
            for account in statement.principals.accounts - own
        }
    )
    if foreign:
        return failed(f"its policy lets in account {', '.join(foreign[:5])}", policyText=foreign[:10])
    for _ in repository.region.all(ContainerImage):
        break
    return passed(imageTagMutability=mutability)
