"""Bounds of a capture as a user writes them."""

import pytest
from aiokafka import TopicPartition

from producers.capture.capturefile import Capture
from producers.capture.captureformat import Part
from producers.capture.comparing import targets
from producers.capture.planning import _range, _ranged, time_of
from streams.errors import UsageError
from tests.captures import plan_of

NOW = 1_764_400_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-05-24T22:00:00Z", 1_684_965_600_000),
        ("2023-05-24T22:00", 1_684_965_600_000),
        ("2023-05-24", 1_684_886_400_000),
        ("-1h", NOW - 3_600_000),
        ("+10m", NOW + 600_000),
    ],
)
def test_times(text: str, expected: int) -> None:
    """A time, or an offset from now."""
    assert time_of(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "noon", "10m", "-1", "2023-05-24T25:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """With what is expected."""
    with pytest.raises(UsageError, match="expected"):
        time_of(text, NOW)


def test_ranges_of_offsets() -> None:
    """A partition, from and until; the end that is there where none is given."""
    places = [TopicPartition("a", 0), TopicPartition("a", 1)]
    ranges = [_range(text, ["a"]) for text in ("0=5..7", "a:1=0..")]
    first, last = dict.fromkeys(places, 0), dict.fromkeys(places, 9)
    assert _ranged(ranges, places, first, last) == [Part("a", 0, 5, 7), Part("a", 1, 0, 9)]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["0"], r"expected \[TOPIC:\]PARTITION=FROM..\[UNTIL\]"),
        (["b:0=1.."], "b is not captured"),
        (["7=1.."], "a has no partition 7"),
        (["0=1..", "0=2.."], "twice"),
        (["0=1..10"], r"a\[0\] holds offsets 1 to before 9, not 1 to before 10"),
        (["0=0..5"], r"holds offsets 1 to before 9"),
        (["0=5..4"], r"not 5 to before 4"),
    ],
)
def test_ranges_that_cannot_be_are_refused(texts: list[str], said: str) -> None:
    """With what the partition holds."""
    place = TopicPartition("a", 0)
    with pytest.raises(UsageError, match=said):
        _ranged([_range(text, ["a"]) for text in texts], [place], {place: 1}, {place: 9})


def test_a_range_of_several_topics_names_its_topic() -> None:
    """Otherwise it is not clear which is meant."""
    with pytest.raises(UsageError, match=r"Write TOPIC:0=1\.\."):
        _range("0=1..", ["a", "b"])


def test_topics_that_stand_for_captured_ones(tmp_path: object) -> None:
    """One name for one topic, pairs for several; anything else is refused with what is expected."""
    one, two = (Capture(None, plan_of(topics), (), 0, None) for topics in ({"a": 1}, {"a": 1, "b": 2}))  # type: ignore[arg-type]
    assert targets(one, ["x"]) == {"a": "x"}
    assert targets(one, ["a=x"]) == {"a": "x"}
    assert targets(two, ["b=y", "a=x"]) == {"b": "y", "a": "x"}
    for given in ([], ["x"], ["a=x"], ["a=x", "b=x"], ["a=x", "a=y"], ["a=x", "c=y"], ["a="]):
        with pytest.raises(UsageError, match="--topic"):
            targets(two, given)
