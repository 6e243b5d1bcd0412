"""What an engine promises with every record: right engines keep it, and each broken promise is named."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from joinstorm.conformance.promises import SKEW_MS, WrittenRecord, ahead, broken
from streams.contract.results import Progress, Result, key_of, topic_of
from streams.contract.topics import INPUTS
from streams.engines.shared.simplefold import PartitionFold
from streams.golden import NIGHTS, GoldenNight, load

ENGINE = "mine"


def written(night: GoldenNight, every: int = 1) -> list[WrittenRecord]:
    """Return what a right engine writes that publishes after every so many records, 1 s apart."""
    folds = {(t, p): PartitionFold(night.info, ENGINE, t, p) for t in INPUTS for p in range(night.info.partitions)}

    def publish(number: int) -> Iterator[WrittenRecord]:
        for fold in folds.values():
            yield from (record(one, number * 1000) for one in fold.take())

    found: list[WrittenRecord] = []
    for number, one in enumerate(night.records):
        fold = folds[one.topic, one.partition]
        fold.step(one.value, fold.next_offset)
        if number % every == 0:
            found += publish(number)
    return [*found, *publish(len(night.records))]


def record(one: Result | Progress, time: int, key: bytes | None = None) -> WrittenRecord:
    """Return a record of a result topic."""
    return WrittenRecord(topic_of(one), "there", time, key or key_of(one), one)


def complaints(records: list[WrittenRecord], name: str, *, final: bool = False) -> str:
    """Return all broken promises in one text."""
    return "; ".join(broken(records, load(name), ENGINE, one_life=True, final=final))


@pytest.mark.parametrize("name", NIGHTS)
@pytest.mark.parametrize("every", [1, 3, 1000])
def test_a_right_engine_keeps_its_promises(name: str, every: int) -> None:
    """However often it publishes."""
    assert complaints(written(load(name), every), name) == ""


def test_keys_equal_values() -> None:
    """White space in a key is a matter of taste; a missing part is not."""
    known = written(load("doors"))
    spaced = [record(one.value, one.time or 0, key_of(one.value).replace(b",", b", ")) for one in known]
    assert complaints(spaced, "doors") == ""
    short = [record(one.value, one.time or 0, b'["room-a","0"]') for one in known]
    assert 'has the key \'["room-a","0"]\', expected ["golden-doors","mine",' in complaints(short, "doors")


def test_records_under_another_name_are_named() -> None:
    """They count for nobody."""
    other = [record(replace(one.value, engine="theirs"), one.time or 0) for one in written(load("doors"))]
    assert f"{len(other)} records are under the name 'theirs', not 'mine'" in complaints(other, "doors")


def test_versions_only_grow() -> None:
    """A smaller version after a greater one of the same key is named."""
    known = written(load("doors"))
    shrinking = [record(replace(one.value, version=100 - one.value.version), one.time or 0) for one in known]
    assert "after version" in complaints(shrinking, "doors")


def _with_progress(name: str, **changes: object) -> list[WrittenRecord]:
    known = written(load(name))
    places = [n for n, one in enumerate(known) if isinstance(one.value, Progress) and one.value.watermark is None]
    known[places[0]] = record(replace(known[places[0]].value, **changes), known[places[0]].time or 0)
    return known


def test_a_watermark_is_a_mark_that_was_read() -> None:
    """One ahead of the marks before the next event is named, although the partition has that mark later."""
    start = load("doors").info.start
    assert "is ahead of the marks of" in complaints(_with_progress("doors", watermark=start + 60_000), "doors")


def test_a_watermark_and_an_end_do_not_fall_back() -> None:
    """As with an engine that takes the last mark: the night edges repeats an older one."""
    known = written(load("edges"))
    fallen = [
        record(replace(one.value, watermark=load("edges").info.start, ended=False), 10**6)
        for one in known[-1:]
        if isinstance(one.value, Progress)
    ]
    assert "falls from" in complaints([*known, *fallen], "edges")
    assert "had ended, and has not any more" in complaints([*known, *fallen], "edges")


@pytest.mark.parametrize(("delay", "kept"), [(SKEW_MS, True), (SKEW_MS + 1, False)])
def test_progress_comes_after_its_results(delay: int, kept: bool) -> None:
    """A result that is younger than the end by more than clocks may differ was not there before it."""
    known = written(load("waiting"), 1000)
    late = [one if isinstance(one.value, Progress) else record(one.value, (one.time or 0) + delay) for one in known]
    assert ("were not in the results before the end" not in complaints(late, "waiting")) == kept


def test_a_watermark_taken_from_an_event_is_found_before_the_next_mark() -> None:
    """In the whole night the mark behind the event hides it."""
    night = load("doors")
    event = max((one for one in night.records if one.key is not None), key=lambda one: one.timestamp)
    sent = night.records[: night.records.index(event) + 1]
    found = [one.value for one in written(night) if isinstance(one.value, Progress)]
    progress = next(one for one in found if one.topic == event.topic and one.partitions == (event.partition,))
    every = max(one.events for one in found if one.topic == event.topic and one.partitions == (event.partition,))
    wrong = [record(replace(progress, watermark=event.timestamp, events=every), 0)]
    text = f"watermark {event.timestamp} is ahead of the marks of {event.topic}[{event.partition}]"
    assert [one.partition(": ")[2] for one in ahead(wrong, sent, night, ENGINE)] == [text]
    assert ahead([record(progress, 0)], sent, night, ENGINE) == []
    assert "is ahead of" not in complaints(wrong, "doors")
