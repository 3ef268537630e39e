"""The ledger of practices: which of them rules observe, and what a run says of each.

Two lists: the 120 practices that the rules were made from (`practices.json`), and the best practices
of the Machine Learning Lens, which rules name as references.
"""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources

from evaluators.controls import Standard, lens, lens_ids
from evaluators.rule import Rule, Status


class Source(StrEnum):
    """Where a practice is written down."""

    GUIDE = "guide"
    ML_LENS = "ml_lens"


class Observed(StrEnum):
    """How far rules can see a practice."""

    OBSERVED = "observed"
    """At least one rule reads it from settings or metrics."""
    PARTLY = "partly"
    """Only indirect signals of it are read."""
    ASKED = "asked"
    """People are asked."""
    NOT_OBSERVABLE = "not observable"
    """No rule speaks of it."""


@dataclass(frozen=True, slots=True)
class Practice:
    """One practice and the codes of the rules behind it, in order."""

    id: str
    title: str
    source: Source
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A practice in the ledger of a run. `result` is empty where none of its rules ran."""

    practice: Practice
    observed: Observed
    result: str
    failing: tuple[str, ...]


@functools.cache
def _guide() -> dict[str, tuple[str, tuple[str, ...]]]:
    import msgspec

    text = resources.files("evaluators").joinpath("practices.json").read_bytes()
    held = msgspec.json.decode(text, type=dict[str, dict[str, str | list[str]]])
    return {id_: (str(entry["title"]), tuple(entry["rules"])) for id_, entry in held.items()}


def practices(rules: Iterable[Rule]) -> list[Practice]:
    """Every practice of the guide, then every one of the ML Lens, with those of the rules that are behind it."""
    chosen = list(rules)
    known = {rule.code for rule in chosen}
    found = [
        Practice(id_, title, Source.GUIDE, tuple(code for code in codes if code in known))
        for id_, (title, codes) in _guide().items()
    ]
    by_lens: dict[str, list[str]] = {}
    for rule in chosen:
        for reference in rule.maps:
            if reference.standard is Standard.ML_LENS:
                by_lens.setdefault(reference.id, []).append(rule.code)
    found += [
        Practice(id_, lens(id_).title, Source.ML_LENS, tuple(by_lens.get(id_, ()))) for id_ in lens_ids()
    ]
    return found


def observed(practice: Practice, rules: Mapping[str, Rule]) -> Observed:
    """How far its rules can see a practice."""
    behind = [rules[code] for code in practice.rules]
    reading = [rule for rule in behind if not rule.question]
    if any(rule.confidence == 1 for rule in reading):
        return Observed.OBSERVED
    if reading:
        return Observed.PARTLY
    return Observed.ASKED if behind else Observed.NOT_OBSERVABLE


_WORST_FIRST = (Status.FAIL, Status.UNKNOWN, Status.PASS, Status.NOT_APPLICABLE)


def ledger(rules: Iterable[Rule], verdicts: Mapping[str, Mapping[str, int]] | None = None) -> list[Entry]:
    """Every practice with what a run says: the worst verdict of its rules, and which of them fail.

    `verdicts` are counts by rule code and verdict; without them nothing ran.
    """
    by_code = {rule.code: rule for rule in rules}
    counted = verdicts or {}
    found = []
    for practice in practices(by_code.values()):
        seen = [counted.get(code, {}) for code in practice.rules]
        result = next((s.value for s in _WORST_FIRST if any(verdict.get(s.value) for verdict in seen)), "")
        failing = tuple(code for code in practice.rules if counted.get(code, {}).get(Status.FAIL.value))
        found.append(Entry(practice, observed(practice, by_code), result, failing))
    return found
