"""Columns of findings in memory select and count as a plain loop over the findings would."""

from array import array
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.ledger.current import FEW, NARROW, Column


@st.composite
def columns(draw: st.DrawFn) -> tuple[Column, list[str], list[bool]]:
    """A column with what it stands for, and a selection."""
    values = [
        f"value-{number}" for number in range(draw(st.sampled_from([1, 2, FEW, NARROW, NARROW + 1, 600])))
    ]
    codes = draw(st.lists(st.integers(0, len(values) - 1), min_size=1, max_size=60))
    chosen = draw(st.lists(st.booleans(), min_size=len(codes), max_size=len(codes)))
    held = bytes(codes) if len(values) <= NARROW else array("I", codes)
    return Column(held, values), [values[code] for code in codes], chosen


@given(columns(), st.sets(st.integers(0, 599)))
def test_a_column_selects_as_a_loop_does(
    made: tuple[Column, list[str], list[bool]], numbers: set[int]
) -> None:
    column, plain, _ = made
    wanted = {f"value-{number}" for number in numbers}
    assert column.where(wanted.__contains__) == bytes(value in wanted for value in plain)


@given(columns())
def test_a_column_counts_as_a_loop_does(made: tuple[Column, list[str], list[bool]]) -> None:
    column, plain, chosen = made
    expected = Counter(value for value, taken in zip(plain, chosen, strict=True) if taken)
    counted = column.counts(bytes(chosen))
    assert counted == expected
    assert list(counted.values()) == sorted(counted.values(), reverse=True)


@pytest.mark.parametrize("wanted", [1, 599])
def test_few_and_many_values_are_looked_up_alike(wanted: int) -> None:
    column = Column(array("I", [code % 600 for code in range(2000)]), [str(code) for code in range(600)])
    assert column.where(lambda value: int(value) < wanted) == bytes(
        code % 600 < wanted for code in range(2000)
    )
