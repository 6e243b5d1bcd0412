"""Records as rows of Pathway's tables, and their counts as results; without Pathway."""

from typing import Any

import msgspec
import pytest

from streams.contract.events import WAITED_MS
from streams.contract.results import AudienceResult, Progress
from streams.contract.topics import INPUTS, PRESENCE, RESULTS_AUDIENCE, TWEETS
from streams.engines.pathway.counts import DEAD_LETTER, PathwayCounts
from streams.engines.pathway.rows import row_of, wait_end, waited_window
from streams.engines.shared.simplefold import NEVER
from streams.golden import load

INFO = load("doors").info
AT = INFO.start + 7_000
WINDOW = INFO.start + 5_000


def presence(kind: str, **further: Any) -> bytes:
    """Return an event of the golden night's shape."""
    event = {
        "event_id": 1,
        "at": AT,
        "kind": kind,
        "listener": 1,
        "space": INFO.spaces[0],
        "client": "web",
        "try": 1,
        "v": 1,
    }
    return msgspec.json.encode(event | further)


@pytest.mark.parametrize(
    ("raw", "measures", "firsts", "times"),
    [
        (presence("attempt"), ("attempts", "arrivals"), (), (AT, NEVER, NEVER)),
        (presence("attempt", **{"try": 3}), ("attempts",), (), (AT, NEVER, NEVER)),
        (
            presence("join", since_drop_ms=60_000),
            ("joins", "rejoins_60s", "time_to_rejoin:57344", "joins_by_client:web"),
            (INFO.spaces[0], "*"),
            (NEVER, AT, NEVER),
        ),
        (presence("leave", reason="gave_up"), ("give_ups",), (), (NEVER, NEVER, AT)),
    ],
)
def test_an_event_increments_its_counts(
    raw: bytes, measures: tuple[str, ...], firsts: tuple[str, ...], times: tuple[int, int, int]
) -> None:
    """It increments counts of its own window; the tables derive first times and waits."""
    row = row_of(PRESENCE, raw, 41, INFO)
    assert row.fact == (1, AT, WINDOW, INFO.spaces[0], measures, firsts, *times)
    assert (row.next_place, row.event_id, row.reason) == (42, 1, "")


def test_marks_and_dead_letters_are_not_events() -> None:
    """A mark moves the watermark, and a dead letter has its reason."""
    mark = row_of(TWEETS, msgspec.json.encode({"mark": "end", "at": AT, "run": INFO.run, "v": 1, "events": 0}), 0, INFO)
    assert (mark.event_id, mark.mark, mark.watermark, mark.end) == (-1, 1, AT, 1)
    assert row_of(TWEETS, b"\xff", 0, INFO).reason == "not_json"
    assert row_of(PRESENCE, presence("join", space="elsewhere"), 0, INFO).reason == "out_of_range"


def test_a_wait_counts_in_the_window_in_which_it_became_twenty_minutes() -> None:
    """A listener who left by then, never tried, or whose talk started first, did not wait."""
    tried = INFO.talk_start - WAITED_MS
    due = INFO.talk_start - INFO.talk_start % INFO.window_ms
    assert waited_window(tried, NEVER, INFO) == due
    assert waited_window(tried, INFO.talk_start, INFO) == -1
    assert waited_window(tried, INFO.talk_start + 1, INFO) == due
    assert waited_window(tried + 1, NEVER, INFO) == -1
    assert waited_window(NEVER, NEVER, INFO) == -1


def test_a_wait_ends_with_the_earlier_of_join_and_leave() -> None:
    """A join wins against a leave at the same time; an end before the first attempt is none."""
    window = WINDOW
    assert wait_end(AT - 100, AT, NEVER, INFO) == (window, "time_to_join:96")
    assert wait_end(AT - 100, AT, AT, INFO) == (window, "time_to_join:96")
    assert wait_end(AT - 100, AT + 1, AT, INFO) == (window, "time_to_exit:96")
    assert wait_end(AT, NEVER, AT, INFO) == (window, "time_to_exit:0")
    assert wait_end(AT, AT - 1, NEVER, INFO) == (-1, "")
    assert wait_end(NEVER, AT, AT, INFO) == (-1, "")
    assert wait_end(AT, NEVER, NEVER, INFO) == (-1, "")


def change(about: str, measure: str, n: int, *, window: int = -1, name: str = "") -> dict[str, Any]:
    """Return a row of Pathway's table of counts."""
    return {"about": about, "shard": 0, "window": window, "name": name, "measure": measure, "n": n}


def joins(n: int) -> dict[str, Any]:
    """Return the count of joins of a window."""
    return change(RESULTS_AUDIENCE, "joins", n, window=WINDOW, name="room-a")


def row(version: int, counts: dict[str, int]) -> AudienceResult:
    """Return the result such a row becomes."""
    return AudienceResult(1, INFO.run, "pathway", WINDOW, "room-a", "0", version, counts)


@pytest.mark.parametrize("added_first", [True, False])
def test_a_change_is_an_addition_and_a_removal_in_either_order(added_first: bool) -> None:
    """What is added in a batch holds; what is only taken away is zero; the next offset is the version."""
    counts = PathwayCounts(INFO, "pathway")
    counts.accept(change(PRESENCE, "next_place", 5), is_addition=True)
    counts.accept(joins(1), is_addition=True)
    result, progress = counts.take_batch()
    assert result == row(5, {"joins": 1})
    assert isinstance(progress, Progress)
    assert progress.version == 5
    counts.accept(change(PRESENCE, "next_place", 9), is_addition=True)
    for addition in (added_first, not added_first):
        counts.accept(joins(2) if addition else joins(1), is_addition=addition)
    assert counts.take_batch()[0] == row(9, {"joins": 2})
    counts.accept(joins(2), is_addition=False)
    assert counts.take_batch()[0] == row(9, {})
    assert counts.take_batch() == []


def test_rows_of_an_earlier_worker_are_written_again_once_their_records_have_been_read() -> None:
    """Even a row that Pathway never reports, because it changed and changed back within a batch."""
    counts = PathwayCounts(INFO, "pathway")
    counts.accept_written(row(7, {"joins": 3}))
    counts.accept(change(PRESENCE, "next_place", 6), is_addition=True)
    assert [one for one in counts.take_batch() if not isinstance(one, Progress)] == []
    counts.accept(change(PRESENCE, "next_place", 8), is_addition=True)
    assert counts.take_batch()[0] == row(8, {})


def test_dead_letters_come_before_the_progress_that_counts_them() -> None:
    """With the record's place and the reason. An offset without a record is none: a transaction has such."""
    counts = PathwayCounts(INFO, "pathway")
    counts.accept(change(TWEETS, DEAD_LETTER, 1, window=4, name="not_json") | {"data": b"?"}, is_addition=True)
    for measure, n in (("next_place", 9), ("records", 4), ("dead_letters", 1), ("ends", 1)):
        counts.accept(change(TWEETS, measure, n), is_addition=True)
    (error, raw), progress = counts.take_batch()  # type: ignore[misc]
    assert isinstance(progress, Progress)
    assert (error.reason, error.source, raw) == ("not_json", f"{INFO.topics[TWEETS]}[0]@3", b"?")
    assert progress.dead_letters == 1
    assert not counts.ended
    for topic in INPUTS:
        for shard in range(INFO.partitions):
            for measure in ("next_place", "ends"):
                counts.accept(change(topic, measure, 4) | {"shard": shard}, is_addition=True)
    counts.take_batch()
    assert counts.ended
