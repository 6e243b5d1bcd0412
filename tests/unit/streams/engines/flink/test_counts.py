"""What Flink commits becomes results with versions, and progress."""

import json

from streams.contract.results import AudienceResult, ReactionResult
from streams.contract.topics import INPUTS
from streams.engines.flink.counts import FlinkCounts
from streams.golden import load

INFO = load("doors").info
WINDOW = INFO.start


def key(about: str, shard: int, measure: str, *, window: int = -1, name: str = "") -> bytes:
    """Return a key as Flink writes it."""
    return json.dumps({"about": about, "shard": shard, "window_at": window, "name": name, "measure": measure}).encode()


def value(n: int | None) -> bytes:
    """Return a value as Flink writes it."""
    return json.dumps({"n": n}).encode()


def fed(*records: tuple[bytes, bytes | None], late_dropped: bool = False) -> FlinkCounts:
    """Return counts that have taken records at the offsets 0, 1 and so on."""
    counts = FlinkCounts(INFO, "flink", late_dropped=late_dropped)
    for offset, (name, value) in enumerate(records):
        counts.accept(name, value, offset)
    return counts


def test_a_row_has_all_its_counts_and_the_version_of_its_newest() -> None:
    """Counts of one row arrive as single records; the last record of each holds."""
    joins = key("results.audience", 1, "joins", window=WINDOW, name="room-a")
    drops = key("results.audience", 1, "drops", window=WINDOW, name="room-a")
    counts = fed((joins, value(1)), (drops, value(2)), (joins, value(3)))
    counts_of_row = {"drops": 2, "joins": 3}
    row = AudienceResult(1, INFO.run, "flink", WINDOW, "room-a", "1", 3, counts_of_row)
    assert list(counts.take_results()) == [row]
    assert list(counts.take_results()) == []


def test_what_is_taken_back_leaves_an_empty_row() -> None:
    """A count that went back to nothing comes without a value; the row is written all the same, with a new version."""
    authors = key("results.reaction", 0, "first_authors", window=WINDOW, name="*")
    counts = fed((authors, value(1)))
    assert [row.version for row in counts.take_results()] == [1]
    counts.accept(authors, None, 1)
    assert list(counts.take_results()) == [ReactionResult(1, INFO.run, "flink", WINDOW, "*", "0", 2, {})]


def test_progress_tells_duplicates_and_dead_letters_apart() -> None:
    """What was neither a mark, a dead letter nor counted was a duplicate."""
    measures = {"records": 12, "dead_letters": 3, "marks": 2, "watermark": WINDOW, "events": 5}
    counts = fed(*((key("tweets", 0, measure), value(n)) for measure, n in measures.items()))
    (progress,) = counts.take_progress()
    assert (progress.events, progress.duplicates, progress.dead_letters) == (5, 2, 3)
    assert (progress.watermark, progress.ended, progress.version) == (WINDOW, False, 5)
    assert list(counts.take_progress()) == []


def test_where_late_events_are_dropped_they_are_not_called_duplicates() -> None:
    """How many events were read and not counted is known, but not why."""
    measures = {"records": 10, "dead_letters": 0, "marks": 2, "events": 5}
    counts = fed(*((key("tweets", 0, measure), value(n)) for measure, n in measures.items()), late_dropped=True)
    (progress,) = counts.take_progress()
    assert progress.duplicates == 0
    assert counts.uncounted == 3


def test_the_end_is_the_end_of_every_partition() -> None:
    """One open partition is enough for the run to go on."""
    places = [(topic, shard) for topic in INPUTS for shard in range(INFO.partitions)]
    counts = fed(*((key(topic, shard, "ends"), value(1)) for topic, shard in places[:-1]))
    assert not counts.ended
    counts.accept(key(*places[-1], "ends"), value(2), 99)
    assert counts.ended
