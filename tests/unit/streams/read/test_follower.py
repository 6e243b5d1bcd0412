"""Which run is followed, what counts as its record, and what becomes of records that are none."""

from collections.abc import Sequence

import msgspec
import pytest
from aiokafka import TopicPartition

from streams.contract.results import AudienceResult, Progress, Result, encode, key_of
from streams.contract.runinfo import RunStatus
from streams.contract.runinfo import encode as encode_run
from streams.contract.topics import INPUTS, PRESENCE, RESULTS_AUDIENCE, RESULTS_PROGRESS, RUN_INFO, RUN_STATUS
from streams.errors import ContractError
from streams.read.follower import Follower
from tests.nights import START, WINDOW, Raw, audience, feed, meet, record, run_info


def result(run: str, joins: int, *, offset: int = 0, engine: str = "e") -> Raw:
    """Return a record with one audience result."""
    made = AudienceResult(1, run, engine, START, "first", "0", offset, {"joins": joins})
    return record(RESULTS_AUDIENCE, key_of(made), encode(made), offset)


def progress(topic: str, partitions: Sequence[int], *, ended: bool, watermark: int = START, version: int = 1) -> Raw:
    """Return a progress record of the engine e in run-1, its shard named after its partitions."""
    shard = ",".join(map(str, partitions))
    made = Progress(1, "run-1", "e", topic, shard, tuple(partitions), version, watermark, ended, 10, 1, 2)
    return record(RESULTS_PROGRESS, key_of(made), encode(made))


def joins(follower: Follower) -> int:
    """Return the joins of the first window by the engine e."""
    return follower.view().engines["e"].results.at(START + WINDOW).presence("first", "joins")


def test_the_newest_run_is_followed_and_others_are_left_alone() -> None:
    """Of several runs the one opened last counts, in whatever order they are met."""
    follower = Follower(None)
    meet(follower, run_info("run-2", created_ms=2))
    meet(follower, run_info("run-1", created_ms=1))
    feed(follower, RESULTS_AUDIENCE, result("run-1", 5), result("run-2", 7))
    info = follower.view().info
    assert info is not None
    assert info.run == "run-2"
    assert joins(follower) == 7


def test_a_newer_run_takes_over_and_nothing_of_it_is_missed() -> None:
    """Results that came before their run's information are read again from the first one on."""
    follower = Follower(None)
    meet(follower, run_info("run-1", created_ms=1))
    feed(follower, RESULTS_AUDIENCE, result("run-1", 5), result("run-2", 7, offset=41), result("run-2", 8, offset=42))
    meet(follower, run_info("run-2", created_ms=2))
    assert follower.take_rewind() == {TopicPartition(RESULTS_AUDIENCE, 0): 41}
    assert follower.take_rewind() == {}
    assert follower.view().engines == {}


def test_a_wanted_run_is_kept_to() -> None:
    """With a run named, a newer one changes nothing."""
    follower = Follower("run-1")
    meet(follower, run_info("run-2", created_ms=2))
    assert follower.view().info is None
    assert "run-2" in follower.seen()
    meet(follower, run_info("run-1", created_ms=1))
    feed(follower, RESULTS_AUDIENCE, result("run-1", 5), result("run-2", 7))
    assert joins(follower) == 5


def test_a_key_spelled_with_blanks_is_understood() -> None:
    """Another language's JSON may put blanks into the key."""
    follower = Follower("run-1")
    meet(follower, run_info())
    made = audience(0, "first", {"joins": 3})
    spaced = b'[ "run-1", "e", 0, "first", "0"]'
    feed(follower, RESULTS_AUDIENCE, record(RESULTS_AUDIENCE, spaced, encode(made)))
    assert joins(follower) == 3


HUGE = encode(audience(0, "first", {"joins": 1 << 60}))
OTHER_RUN = encode(AudienceResult(1, "run-9", "e", START, "first", "0", 1, {}))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"\xff\x00", "not_json"),
        (b"[1, 2]", "wrong_shape"),
        (b'{"v":1,"run":"run-1"}', "wrong_shape"),
        (b'{"v":2}', "wrong_version"),
        (HUGE, "out_of_range"),
        (OTHER_RUN, "out_of_range"),
        (encode(audience(0, "first", {})).replace(b"{}", b'{"joins":1.5}'), "wrong_shape"),
    ],
)
def test_what_is_no_result_is_counted_and_named_and_the_rest_goes_on(value: bytes, reason: str) -> None:
    """Each has a reason, a position and, if the key has one, an engine; the next record counts."""
    follower = Follower("run-1")
    meet(follower, run_info())
    key = b'["run-1","bad",0,"first","0"]'
    feed(follower, RESULTS_AUDIENCE, record(RESULTS_AUDIENCE, key, value, 17), result("run-1", 5))
    view = follower.view()
    assert view.rejected == {(RESULTS_AUDIENCE, reason): 1}
    (rejection,) = view.rejections
    assert (rejection.source, rejection.engine, rejection.reason) == ("results.audience[0]@17", "bad", reason)
    assert joins(follower) == 5
    assert view.records[RESULTS_AUDIENCE] == 2


def test_run_information_that_is_none_is_counted() -> None:
    """An invalid record in run.info does not stop the reader."""
    follower = Follower(None)
    feed(follower, RUN_INFO, record(RUN_INFO, b"x", b"{}"))
    meet(follower, run_info())
    view = follower.view()
    assert view.info is not None
    assert view.rejected == {(RUN_INFO, "wrong_shape"): 1}


def test_results_before_the_run_is_known_are_refused() -> None:
    """The reader holds results back until it knows the run; anything else would lose them."""
    with pytest.raises(ContractError, match="before the run is known"):
        feed(Follower(None), RESULTS_AUDIENCE, result("run-1", 5))


def test_an_engine_has_ended_when_every_partition_of_both_inputs_has() -> None:
    """Coverage is by partition; if shards overlap, the furthest counts."""
    follower = Follower("run-1")
    meet(follower, run_info(partitions=2))
    feed(follower, RESULTS_PROGRESS, progress(PRESENCE, [0, 1], ended=False, watermark=START + 10))
    assert follower.view().engines["e"].watermark is None
    feed(follower, RESULTS_PROGRESS, progress("tweets", [0, 1], ended=True, watermark=START + 30))
    feed(follower, RESULTS_PROGRESS, progress(PRESENCE, [1], ended=True, watermark=START + 20))
    view = follower.view().engines["e"]
    assert view.watermark == START + 10
    assert view.covered.missing == ("space.presence[0]",)
    feed(follower, RESULTS_PROGRESS, progress(PRESENCE, [0, 1], ended=True, watermark=START + 30, version=2))
    view = follower.view().engines["e"]
    assert view.covered.ended
    assert view.watermark == view.results.grid.end
    assert view.covered.events == dict.fromkeys(INPUTS, 20) | {"tweets": 10}
    assert view.covered.dead_letters == {"space.presence": 4, "tweets": 2}


def test_an_older_progress_record_changes_nothing() -> None:
    """Progress has versions like results."""
    follower = Follower("run-1")
    meet(follower, run_info(partitions=1))
    for version, ended in ((2, True), (1, False)):
        for topic in INPUTS:
            feed(follower, RESULTS_PROGRESS, progress(topic, [0], ended=ended, version=version))
    assert follower.view().engines["e"].covered.ended


def status(run: str, at: int, state: str = "playing") -> Raw:
    """Return a record of run.status."""
    made = msgspec.convert(
        {
            "v": 1, "run": run, "state": state, "at": at, "speed": 60.0, "actual_speed": 59.0, "sent": 1, "failed": 0,
            "on_time_ratio": 1.0, "lateness_seconds": 0.0, "client": "x", "wall_ms": 0,
        },
        RunStatus,
    )  # fmt: skip
    return record(RUN_STATUS, run.encode(), encode_run(made))


def test_the_truth_is_shown_as_of_the_replay_and_engines_as_of_their_watermarks() -> None:
    """The truth knows the whole night from the start; what is shown of it keeps pace with the replay."""
    follower = Follower("run-1")
    meet(follower, run_info(partitions=1))
    for engine in ("truth", "e"):
        made = [
            AudienceResult(1, "run-1", engine, START + k * WINDOW, "first", "0", 1, {"joins": 1}) for k in range(10)
        ]
        feed(follower, RESULTS_AUDIENCE, *(_encoded(one) for one in made))
        for topic in INPUTS:
            ended = engine == "truth"
            one = Progress(1, "run-1", engine, topic, "all", (0,), 1, START + 2 * WINDOW, ended, 1, 0, 0)
            feed(follower, RESULTS_PROGRESS, record(RESULTS_PROGRESS, key_of(one), encode(one)))
    feed(follower, RUN_STATUS, status("run-1", START + 3 * WINDOW + 1), status("run-7", 0))
    view = follower.view()
    shown = {name: now.audience("first") for name in view.engines if (now := view.now(name))}
    assert shown == {"truth": 3, "e": 2}
    assert view.now("nobody") is None
    assert not view.ended
    feed(follower, RUN_STATUS, status("run-1", START + 3 * WINDOW, "ended"))
    now = follower.view().now("truth")
    assert now is not None
    assert now.audience("first") == 10


def _encoded(one: Result) -> Raw:
    return record(RESULTS_AUDIENCE, key_of(one), encode(one))
