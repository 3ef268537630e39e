"""Production, staging, development or sandbox: by tag, by name or by account.

Open defaults are acceptable in sandbox and development only, so every finding says where its
resource was placed and by what. An unplaced resource counts as production.
"""

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from collectors.model import Gap, Unread
from collectors.view import View


class Environment(StrEnum):
    """Where a resource lives, and with it how much its findings weigh."""

    PRODUCTION = "production"
    STAGING = "staging"
    DEVELOPMENT = "development"
    SANDBOX = "sandbox"

    @property
    def weight(self) -> float:
        """The factor of a finding's score: 1.0, 0.7, 0.4, 0.2."""
        return _WEIGHTS[self]


_WEIGHTS = {
    Environment.PRODUCTION: 1.0,
    Environment.STAGING: 0.7,
    Environment.DEVELOPMENT: 0.4,
    Environment.SANDBOX: 0.2,
}

DEFAULT_TAG_VALUES: dict[Environment, tuple[str, ...]] = {
    Environment.PRODUCTION: ("prod", "production", "prd", "live"),
    Environment.STAGING: ("staging", "stage", "stg", "uat", "preprod", "pre-prod"),
    Environment.DEVELOPMENT: ("dev", "development", "test", "testing", "qa"),
    Environment.SANDBOX: ("sandbox", "sbx", "playground", "experiment", "poc"),
}


@dataclass(frozen=True)
class Placing:
    """How resources are placed: tag keys and values, name patterns (globs) and account ids."""

    tag_keys: tuple[str, ...] = ("Environment", "Env", "Stage")
    tags: Mapping[Environment, tuple[str, ...]] = field(default_factory=lambda: DEFAULT_TAG_VALUES)
    names: Mapping[Environment, tuple[str, ...]] = field(default_factory=dict)
    accounts: Mapping[Environment, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a resource was placed and by what; `gap` is set where its tags could not be read."""

    environment: Environment | None
    source: str
    gap: Gap | None = None

    @property
    def weight(self) -> float:
        """An unplaced resource weighs as much as production."""
        return self.environment.weight if self.environment else Environment.PRODUCTION.weight


def placement(view: View, placing: Placing) -> Placement:
    """Place a resource: its tag decides, then its name, then its account."""
    gap: Gap | None = None
    try:
        tags = {key.lower(): value.strip().lower() for key, value in view.tags.items()}
    except Unread as unread:
        tags, gap = {}, unread.gap
    for key in placing.tag_keys:
        for environment, values in placing.tags.items():
            if tags.get(key.lower()) in values:
                return Placement(environment, f"tag {key}={tags[key.lower()]}")
    for environment, patterns in placing.names.items():
        for pattern in patterns:
            if fnmatch.fnmatchcase(view.name, pattern):
                return Placement(environment, f"name matches {pattern}", gap)
    return account_placement(view.region.account, placing, gap)


def placed(view: View) -> Placement:
    """Where a resource that a rule looks at lies, by the settings that its own subject is placed with."""
    return placement(view, view.region.context.get("placing", Placing()))


def account_placement(account: str, placing: Placing, gap: Gap | None = None) -> Placement:
    """Place something that has no tags and no name of its own by its account."""
    for environment, accounts in placing.accounts.items():
        if account in accounts:
            return Placement(environment, f"account {account}", gap)
    if gap is not None:
        return Placement(None, "its tags could not be read: counted as production", gap)
    return Placement(None, "not placed by tag, name or account: counted as production")
