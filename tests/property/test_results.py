"""Results written by a kernel are the bytes of the contract's own encoder."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contract.results import encode, key_of
from streams.contract.topics import PRESENCE, TWEETS
from streams.fold.results import Changes, Names, ResultEncoder
from streams.kernels.spelling import ResultRows

_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
_counts = st.integers(0, 1 << 60) | st.just(0)
_windows = st.integers(0, 1 << 53)


@pytest.mark.parametrize("topic", [PRESENCE, TWEETS])
@given(st.data())
def test_results_are_encoded_byte_for_byte(topic: str, data: st.DataObject) -> None:
    """Any names, windows, counts, estimates and hashtags."""
    names = data.draw(st.lists(_texts, min_size=1, max_size=3, unique=True))
    labels = data.draw(st.lists(_texts, min_size=4, max_size=4, unique=True))
    estimates = labels[:2] if topic == TWEETS else []
    tags = [f"hashtag:{tag}" for tag in data.draw(st.lists(_texts, max_size=3, unique=True))] if estimates else []
    size = data.draw(st.integers(0, 5))
    table = np.array(data.draw(st.lists(_counts, min_size=4 * size, max_size=4 * size)), np.int64).reshape(size, 4)
    each = len(tags)
    rows = ResultRows(
        window=np.array(data.draw(st.lists(_windows, min_size=size, max_size=size)), np.int64),
        name=np.array([row % len(names) for row in range(size)], np.int64),
        counts=np.ascontiguousarray(table[:, 2:]),
        estimates=np.ascontiguousarray(table[:, : len(estimates)]),
        tag_begins=np.arange(size + 1) * each,
        tags=np.tile(np.arange(each, dtype=np.int32), size),
        tag_counts=np.arange(size * each) + 1,
    )
    about = Names(names, labels[2:], estimates, tags)
    encoder = ResultEncoder(topic, data.draw(_texts), data.draw(_texts), "0", about)
    version = data.draw(_windows)
    encoded = encoder.encode(Changes(rows, about), version)
    records = list(encoder.records(Changes(rows, about), version))
    assert list(encoded.values) == [encode(record) for record in records]
    assert list(encoded.keys) == [key_of(record) for record in records]
