"""`auditor coverage` and `auditor questions`: practices with the rules behind them, and what people are asked."""

import json
import textwrap
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec
from tabulate import tabulate

from auditor.publish import practice_v1
from auditor.settings import Attestation
from evaluators.coverage import Entry, Observed, Source
from evaluators.rule import Rule

_TITLES = {Source.GUIDE: "Practices", Source.ML_LENS: "Best practices of the Machine Learning Lens"}


def coverage_text(entries: list[Entry], width: int = 110) -> str:
    """The ledger as two tables with their sums."""
    parts = []
    for source in Source:
        mine = [entry for entry in entries if entry.practice.source is source]
        rows = [_row(entry, width) for entry in mine]
        headers = ["id", "what is done", "seen", "this run", "rules (those that fail)"]
        table = tabulate(rows, headers=headers, tablefmt="simple", disable_numparse=True)
        counted = Counter(entry.observed for entry in mine)
        sums = ", ".join(f"{counted[kind]} {kind.value}" for kind in Observed if counted[kind])
        parts.append(f"{_TITLES[source]}\n\n{table}\n\n{len(mine)}: {sums}.")
    return "\n\n".join(parts)


def _row(entry: Entry, width: int) -> list[str]:
    practice = entry.practice
    rules = ", ".join(practice.rules)
    if entry.failing:
        rules += f" ({', '.join(entry.failing)})"
    return [
        practice.id,
        textwrap.fill(practice.title, max(30, width - 80), break_on_hyphens=False),
        entry.observed.value,
        entry.result or "-",
        textwrap.fill(rules, 36, break_on_hyphens=False) or "-",
    ]


def coverage_json(entries: list[Entry]) -> str:
    """The ledger as JSON."""
    return json.dumps([msgspec.to_builtins(practice_v1(entry)) for entry in entries], indent=1)


def questions_text(
    rules: tuple[Rule, ...],
    answers: Mapping[str, Attestation],
    thresholds: Mapping[str, Mapping[str, Any]],
    today: date,
    *,
    every: bool = False,
) -> str:
    """The open questions as a piece of a settings file, to be filled in; an empty answer is none."""
    asked = [rule for rule in rules if rule.question]
    shown = [rule for rule in asked if every or not _answered(rule, answers, thresholds, today)]
    if not shown:
        return "# Every question is answered."
    head = (
        "# Questions whose answers no API knows. Fill in what you can answer, and add it to auditor.toml.\n"
        '# An answer is true, false, a text that says what was asked, or "n/a: why"; "" is no answer.'
    )
    return "\n\n".join([head, *(_question(rule, answers.get(rule.code), today) for rule in shown)])


def _answered(
    rule: Rule, answers: Mapping[str, Attestation], thresholds: Mapping[str, Mapping[str, Any]], today: date
) -> bool:
    given = answers.get(rule.code)
    default = rule.thresholds["max_age_days"][1]
    oldest = thresholds.get(rule.code, {}).get("max_age_days", default)
    return given is not None and (today - given.date).days <= oldest


def _question(rule: Rule, given: Attestation | None, today: date) -> str:
    comment = textwrap.fill(rule.question, 98, initial_indent="# ", subsequent_indent="# ")
    answer = json.dumps(given.answer, ensure_ascii=False) if given else '""'
    owner = json.dumps(given.owner, ensure_ascii=False) if given else '""'
    return "\n".join(
        [
            comment,
            f"[attestations.{rule.code}]",
            f"answer = {answer}",
            f"owner = {owner}",
            f"date = {(given.date if given else today).isoformat()}",
        ]
    )
