"""References of rules to other standards: Security Hub, AWS Config, the ML Lens, and Prowler."""

import functools
from dataclasses import dataclass
from enum import Enum
from importlib import resources


class Standard(Enum):
    """A catalogue of controls; the value is its name in the feed."""

    SECURITY_HUB = "security_hub"
    CONFIG = "config_rule"
    ML_LENS = "ml_lens"
    PROWLER = "prowler"


_AWS = "https://docs.aws.amazon.com"


class UnknownReference(KeyError):
    """An id that the data beside this module does not have."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One control or practice of a standard. Making one is cheap; the data is read for title and url."""

    standard: Standard
    id: str

    @property
    def title(self) -> str:
        """Its title, or its id where no title is published with it. Raises `UnknownReference`."""
        return _entry(self).get("title", self.id)

    @property
    def former(self) -> str | None:
        """Its id in the ML Lens's edition of 2023 (MLSEC-12), where that had the practice."""
        return _entry(self).get("former")

    @property
    def url(self) -> str | None:
        """Where it is documented, `None` for Prowler's checks. Raises `UnknownReference`."""
        found = _entry(self).get("url")
        return found if found is not None else _documented_at(self)


def _documented_at(reference: Reference) -> str | None:
    """AWS's page of a control: one page a service for Security Hub, one a rule for Config."""
    match reference.standard:
        case Standard.SECURITY_HUB:
            service, _, number = reference.id.lower().partition(".")
            return f"{_AWS}/securityhub/latest/userguide/{service}-controls.html#{service}-{number}"
        case Standard.CONFIG:
            return f"{_AWS}/config/latest/developerguide/{reference.id}.html"
        case _:
            return None


@functools.cache
def _data() -> dict[str, dict[str, dict[str, str]]]:
    import msgspec

    text = resources.files("evaluators").joinpath("controls.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, dict[str, dict[str, str]]])


def _entry(reference: Reference) -> dict[str, str]:
    try:
        return _data()[reference.standard.value][reference.id]
    except KeyError as error:
        raise UnknownReference(f"{reference.standard.value} {reference.id}") from error


def security_hub(id_: str) -> Reference:
    """A Security Hub control, such as SageMaker.1."""
    return Reference(Standard.SECURITY_HUB, id_)


def config_rule(id_: str) -> Reference:
    """An AWS Config managed rule."""
    return Reference(Standard.CONFIG, id_)


def lens(id_: str) -> Reference:
    """A best practice of the Machine Learning Lens, such as MLSEC04-BP01."""
    return Reference(Standard.ML_LENS, id_)


def prowler(id_: str) -> Reference:
    """A check of Prowler, for those who come from there."""
    return Reference(Standard.PROWLER, id_)


def lens_ids() -> list[str]:
    """The id of every best practice of the Machine Learning Lens, in order."""
    return sorted(_data()[Standard.ML_LENS.value])
