"""Where chunks of tweets begin and end does not matter."""

import itertools

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tweetnight import NIGHT, source

_moments = st.integers(NIGHT.start, NIGHT.end)


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(_moments, max_size=12), again=_moments)
def test_any_chunking_gives_the_same_tweets(cuts: list[int], again: int) -> None:
    """Any consecutive chunks, and a chunk asked for twice, hold the tweets of the night in one piece."""
    made = source(scale=0.001)
    whole = made.chunk(NIGHT.start, NIGHT.end)
    ends = [NIGHT.start, *sorted(cuts), NIGHT.end]
    assert made.chunk(again, NIGHT.end).equals(whole.filter(pa.compute.greater_equal(whole["at"], again)))
    parts = [made.chunk(begin, end) for begin, end in itertools.pairwise(ends)]
    assert pa.concat_tables(parts).combine_chunks().equals(whole.combine_chunks())
