"""Where a night is cut so that an engine reads events beyond the newest mark."""

from joinstorm.conformance.nightmarks import between_marks, common_watermarks
from joinstorm.conformance.nights import body_and_ends
from joinstorm.conformance.partnight import part_of
from streams.golden import load

DOORS = load("doors")


def test_the_middle_event_lies_between_two_marks() -> None:
    """Before it and after it is a mark, between them is none, and all partitions have had one."""
    body, _ = body_and_ends(DOORS)
    begin, end = between_marks(body, common_watermarks(body, DOORS.info.partitions))
    assert body[begin - 1].key is None
    assert body[end].key is None
    assert begin < end
    assert all(record.key is not None for record in body[begin:end])
    assert common_watermarks(body, DOORS.info.partitions)[begin] > 0


def test_a_night_of_one_event_is_cut_around_it() -> None:
    """So that a part of a night shows what the whole shows, wherever its event is."""
    known = common_watermarks(DOORS.records, DOORS.info.partitions)
    for place, record in enumerate(DOORS.records):
        if record.key is not None and known[place]:
            body, _ = body_and_ends(part_of(DOORS, frozenset({place}), few_marks=True))
            begin, end = between_marks(body, common_watermarks(body, DOORS.info.partitions))
            assert [one.value for one in body[begin:end]] == [record.value]


def test_a_night_without_events_is_cut_in_the_middle() -> None:
    """There is nothing to send beyond the newest mark."""
    body, _ = body_and_ends(part_of(DOORS, frozenset()))
    begin, end = between_marks(body, common_watermarks(body, DOORS.info.partitions))
    assert 0 < begin == end < len(body)
