"""Which rules run: all, or those of some pillars and codes, less those to skip."""

import difflib
from collections.abc import Iterable

from evaluators.rule import Pillar, Rule, all_rules


class SelectionError(ValueError):
    """A rule or pillar that does not exist; the text suggests one that does."""


def select(
    rules: Iterable[str] = (), skipped: Iterable[str] = (), pillars: Iterable[str] = ()
) -> tuple[Rule, ...]:
    """The rules to run. Codes and names are taken in any case. Raises `SelectionError`."""
    wanted = {find_rule(code) for code in rules}
    dropped = {find_rule(code) for code in skipped}
    kept = {find_pillar(name) for name in pillars}
    chosen = tuple(
        rule
        for rule in all_rules()
        if (not wanted or rule in wanted) and (not kept or rule.pillar in kept) and rule not in dropped
    )
    if not chosen:
        raise SelectionError("no rule is left to run: see --rule, --skip-rule and --pillar")
    return chosen


def find_rule(code: str) -> Rule:
    """The rule with this code or name. Raises `SelectionError` with a suggestion."""
    by_word = {rule.code.lower(): rule for rule in all_rules()} | {rule.name: rule for rule in all_rules()}
    found = by_word.get(code.lower())
    if found is not None:
        return found
    close = difflib.get_close_matches(code.lower(), by_word, 1, 0.5)
    hint = f"; did you mean {by_word[close[0]].code}?" if close else ""
    raise SelectionError(f"no rule is called {code!r}{hint} (`auditor rules list` has them all)")


def find_pillar(name: str) -> Pillar:
    """The pillar of this name. Raises `SelectionError` with the names there are."""
    try:
        return Pillar(name.lower())
    except ValueError as error:
        names = ", ".join(pillar.value for pillar in Pillar)
        raise SelectionError(f"no pillar is called {name!r}; there are {names}") from error
