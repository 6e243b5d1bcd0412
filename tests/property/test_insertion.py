"""Values put between those of a column stand where a list's insertions put them."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.compose.encode import digits
from producers.compose.insertion import inserted

values = st.lists(st.none() | st.binary(max_size=5), max_size=12)


@st.composite
def insertions(draw: st.DrawFn) -> tuple[list[bytes | None], int, list[int], list[bytes | None]]:
    """Draw values, how many of the first are cut off, ascending places among the rest, and a value for each place."""
    column = draw(values)
    begin = draw(st.integers(0, len(column)))
    places = sorted(draw(st.lists(st.integers(0, len(column) - begin), max_size=6)))
    others = draw(st.lists(st.none() | st.binary(max_size=5), min_size=len(places), max_size=len(places)))
    return column, begin, places, others


@pytest.mark.parametrize("compiled", [True, False])
@given(insertions())
def test_each_value_stands_before_its_place(
    compiled: bool, drawn: tuple[list[bytes | None], int, list[int], list[bytes | None]]
) -> None:
    """Nulls, empty values, slices, several values at one place: as with a list, with kernels and without."""
    column, begin, places, others = drawn
    expected = column[begin:]
    for place, value in reversed(list(zip(places, others, strict=True))):
        expected.insert(place, value)
    with pytest.MonkeyPatch.context() as patch:
        if not compiled:
            patch.setattr("streams.kernels.jit.COMPILED", False)
        whole = inserted(
            pa.array(column, pa.binary()).slice(begin), np.array(places, np.int64), pa.array(others, pa.binary())
        )
    whole.validate(full=True)
    assert whole.to_pylist() == expected


@given(st.lists(st.integers(-(1 << 63) + 1, (1 << 63) - 1), max_size=20))
def test_digits_are_those_of_python(numbers: list[int]) -> None:
    """Every number of 64 bits is written as Python writes it."""
    assert digits(np.array(numbers, np.int64)).to_pylist() == [str(number).encode() for number in numbers]
