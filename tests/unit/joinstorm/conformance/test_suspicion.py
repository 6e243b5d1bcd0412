"""What a wrong outcome says about its night: the records that it names and those of its wrong windows come first."""

from joinstorm.conformance.certificate import PointOutcome
from joinstorm.conformance.nightmarks import is_mark
from joinstorm.conformance.suspicion import Suspicion
from joinstorm.verdict.comparison import Mismatch
from streams.golden import load

DOORS = load("doors")


def _wrong(detail: str = "", *windows: int) -> PointOutcome:
    named = tuple(Mismatch("audience", window, "", "", "room-a", "joins", 1, 0) for window in windows)
    return PointOutcome(point="duplicates", says="", status="wrong", detail=detail, named=named)


def _ids(places: list[int]) -> list[bytes]:
    return [DOORS.records[place].value.partition(b",")[0] for place in places]


def test_a_record_named_by_its_source_is_the_first_guess() -> None:
    """Under the prefix of any run; the names of result topics and of marks are passed over."""
    edges = load("edges")
    bad = [place for place, record in enumerate(edges.records) if record.reason]
    where = edges.records[bad[1]]
    offset = sum((r.topic, r.partition) == (where.topic, where.partition) for r in edges.records[: bad[1]])
    named = (
        f"1 of 3 kept; missing: e.{where.topic}.edges-1f[{where.partition}]@{offset} (not_json); results.audience[0]@3"
    )
    guesses = list(Suspicion(edges, _wrong(named)).guesses())
    assert guesses[:2] == [[bad[1]], [bad[0]]]


def test_an_event_of_a_wrong_window_that_arrives_twice_is_tried_with_its_copy() -> None:
    """Then the people of the window, those with an odd event first."""
    step = DOORS.info.window_ms
    window = 1684965671001 - 1684965671001 % step
    guesses = list(Suspicion(DOORS, _wrong("", window)).guesses())
    assert [_ids(guess) for guess in guesses[:2]] == [[b'{"event_id":11'] * 2, [b'{"event_id":13'] * 2]
    assert all(len(guess) < sum(not is_mark(record) for record in DOORS.records) for guess in guesses)
    assert len({tuple(guess) for guess in guesses}) == len(guesses)


def test_where_no_count_is_wrong_anybody_may_show_it() -> None:
    """All events of one person are a guess, and there are few guesses."""
    guesses = list(Suspicion(DOORS, _wrong("the watermark falls")).guesses())
    assert [place for place, record in enumerate(DOORS.records) if record.key == b"2"] in guesses
    assert len(guesses) <= 3


def test_an_event_named_by_its_time_is_the_first_guess() -> None:
    """As by an engine that takes the time of an event for its watermark; marks of that time are passed over."""
    place = next(place for place, record in enumerate(DOORS.records) if record.value.startswith(b'{"event_id":11,'))
    detail = f"results.progress[0]@7: watermark {DOORS.records[place].timestamp} is ahead of the marks of tweets[0]"
    same = [p for p, r in enumerate(DOORS.records) if r.timestamp == DOORS.records[place].timestamp and r.key]
    guesses = list(Suspicion(DOORS, _wrong(detail)).guesses())
    assert guesses[: len(same)] == [[one] for one in same]
