"""The verdict can fail: whatever an engine has too little, too much or different is found and named."""

import functools
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joinstorm.oracle import answers as oracle
from joinstorm.oracle.answers import Truth
from joinstorm.verdict.comparison import OptionalComparison
from joinstorm.verdict.verdicts import Verdict, judge, to_json, to_text, write
from producers.replay.opening import run_info
from streams.contract.breakdowns import JOINS_BY_CLIENT, is_breakdown
from streams.contract.durations import TIME_TO_REJOIN, is_duration
from streams.contract.events import Presence, PresenceKind, Tweet
from streams.contract.results import AudienceResult, Counts, Progress, ReactionResult, Result, encode, topic_of
from streams.contract.runinfo import RunInfo, RunStatus
from streams.contract.topics import INPUTS, PRESENCE, RESULTS_AUDIENCE, RESULTS_PROGRESS, RESULTS_REACTION, Topics
from streams.read.derive import FinalCounts
from streams.read.follower import Follower
from streams.read.runview import RunState, RunView
from tests.nights import feed, meet, record
from tests.oracle import Oracle
from tests.tinytape import tiny_events, tiny_tape

EVENTS = tiny_events()


@functools.cache
def night() -> tuple[RunInfo, Truth]:
    """Return a tiny night and what the oracle says of it."""
    with tempfile.TemporaryDirectory() as folder:
        tape = tiny_tape(Path(folder, "tape"))
        info = run_info(tape.info, Topics("run-1"), partitions=2, window_ms=5_000, watermark_step_ms=5_000)
        return info, oracle.ask(tape.path, info, threads=1)


def tables(truth: Truth) -> FinalCounts:
    """Return the oracle's counts as the verdict takes them."""
    return FinalCounts(truth.audience, truth.reaction, truth.estimates)


def counted(events: Sequence[Presence | Tweet], *, ended: bool | None = True, more: Sequence[Result] = ()) -> RunView:
    """Return a run in which the engine e has counted these events, and written ``more``.

    ``ended``: True on every partition, False on all but one, None: no progress at all.
    """
    info, _ = night()
    naive = Oracle(info, events)
    state = RunState(info)
    for result in (*_results(naive.audience, AudienceResult), *_results(naive.reaction, ReactionResult), *more):
        state.accept(RESULTS_AUDIENCE if isinstance(result, AudienceResult) else RESULTS_REACTION, encode(result))
    for topic in () if ended is None else INPUTS:
        size = sum(isinstance(event, Presence) == (topic == PRESENCE) for event in events)
        partitions = (0, 1) if ended or topic == PRESENCE else (0,)
        progress = Progress(1, "run-1", "e", topic, "0", partitions, 1, info.end, True, size, 0, 0)
        state.accept(RESULTS_PROGRESS, encode(progress))
    return RunView(info=info, engines=state.engines())


def published(wanted: Callable[[str], bool]) -> RunView:
    """Return a run in which the engine e has published some of its counts."""
    info, truth = night()
    state = RunState(info)
    for one in truth.records(info):
        mine = msgspec.structs.replace(one, engine="e")
        if isinstance(mine, AudienceResult):
            mine = msgspec.structs.replace(mine, counts={count: n for count, n in mine.counts.items() if wanted(count)})
        state.accept(topic_of(mine), encode(mine))
    return RunView(info=info, engines=state.engines())


def _results(rows: dict[tuple[int, str], Counts], kind: type[AudienceResult | ReactionResult]) -> list[Result]:
    return [kind(1, "run-1", "e", window, name, "0", 1, counts) for (window, name), counts in rows.items()]


def verdict_on(view: RunView, engine: str = "e") -> Verdict:
    """Judge an engine of the tiny night."""
    _, truth = night()
    return judge(view, engine, tables(truth), len(EVENTS))


def named(verdict: Verdict) -> set[tuple[int, str, str]]:
    """Return window, space or subject, and count of every named difference."""
    return {(one.window, one.name, one.count) for one in verdict.mismatches_named}


def window_of(event: Presence | Tweet) -> int:
    """Return the window an event belongs to."""
    return event.at - event.at % 5_000


def test_the_true_counts_are_exact() -> None:
    """An engine that counted every event once has the truth's digest and nothing to be named."""
    verdict = verdict_on(counted(EVENTS))
    assert verdict.exact
    assert verdict.digest == verdict.truth_digest == night()[1].digest
    assert verdict.records_compared > 100
    assert (verdict.mismatches, verdict.problems, verdict.remarks) == (0, (), ())
    assert verdict.durations == OptionalComparison(published=True, compared=verdict.durations.compared, mismatches=0)
    assert to_text(verdict).startswith("exact: e, ")
    assert f"durations: {verdict.durations.compared:,} counts compared, 0 differ" in to_text(verdict)
    assert verdict.breakdowns == OptionalComparison(published=True, compared=verdict.breakdowns.compared, mismatches=0)
    assert f"breakdowns: {verdict.breakdowns.compared:,} counts compared, 0 differ" in to_text(verdict)


def test_an_engine_without_durations_is_judged_on_the_rest() -> None:
    """Its digest is the truth's, its verdict exact, and the verdict says what is not published."""
    verdict = verdict_on(published(lambda count: not is_duration(count)))
    assert verdict.exact
    assert verdict.digest == verdict.truth_digest
    assert verdict.durations == OptionalComparison(published=False, compared=0, mismatches=0)
    assert "durations: e publishes none" in to_text(verdict)


def test_a_wrong_duration_is_named_and_not_exact() -> None:
    """An engine that publishes durations must have all of them: one family missing shows as its differences."""
    verdict = verdict_on(published(lambda count: not count.startswith(TIME_TO_REJOIN)))
    assert not verdict.exact
    assert verdict.digest == verdict.truth_digest
    assert 0 < verdict.durations.mismatches == verdict.mismatches < verdict.durations.compared
    assert set(verdict.mismatches_by_count) == {"audience.time_to_rejoin"}


def test_an_engine_without_breakdowns_is_judged_on_the_rest() -> None:
    """Its digest is the truth's, its verdict exact, the durations are compared; the verdict says what is missing."""
    verdict = verdict_on(published(lambda count: not is_breakdown(count)))
    assert verdict.exact
    assert verdict.digest == verdict.truth_digest
    assert verdict.durations.compared > 0 == verdict.durations.mismatches
    assert verdict.breakdowns == OptionalComparison(published=False, compared=0, mismatches=0)
    assert "breakdowns: e publishes none" in to_text(verdict)


def test_a_wrong_breakdown_is_named_and_not_exact() -> None:
    """An engine that publishes breakdowns must have all of them: one family missing shows as its differences."""
    verdict = verdict_on(published(lambda count: not count.startswith(JOINS_BY_CLIENT)))
    assert not verdict.exact
    assert verdict.digest == verdict.truth_digest
    assert 0 < verdict.breakdowns.mismatches == verdict.mismatches < verdict.breakdowns.compared
    assert set(verdict.mismatches_by_count) == {"audience.joins_by_client"}


@given(st.sampled_from(EVENTS))
def test_a_removed_event_is_found_and_named(event: Presence | Tweet) -> None:
    """Leaving any single event out shows in the window and place it belongs to."""
    verdict = verdict_on(counted([other for other in EVENTS if other is not event]))
    assert not verdict.exact
    assert verdict.digest != verdict.truth_digest
    assert any(window == window_of(event) for window, _, _ in named(verdict))
    if isinstance(event, Presence):
        assert any((window, name) == (window_of(event), event.space) for window, name, _ in named(verdict))


@given(st.sampled_from(EVENTS))
def test_an_event_counted_twice_is_found_and_named(event: Presence | Tweet) -> None:
    """Counting any single event again shows as one more than expected."""
    again = msgspec.structs.replace(event, event_id=len(EVENTS))
    verdict = verdict_on(counted([*EVENTS, again]))
    assert not verdict.exact
    assert any(one.window == window_of(event) and one.found == one.expected + 1 for one in verdict.mismatches_named)


@given(st.sampled_from([event for event in EVENTS if isinstance(event, Presence)]))
def test_an_altered_event_is_found_and_named(event: Presence) -> None:
    """One event in the wrong window is missing in one place and too much in another."""
    later = event.at + 5_000 if event.at + 5_000 <= night()[0].end else event.at - 5_000
    altered = msgspec.structs.replace(event, at=later)
    verdict = verdict_on(counted([altered if other is event else other for other in EVENTS]))
    assert not verdict.exact
    assert {window_of(event), window_of(altered)} <= {one.window for one in verdict.mismatches_named}


def test_a_count_moved_between_kinds_is_named_with_time_phase_and_place() -> None:
    """A drop counted as a leave: the verdict says when, in which phase, where, which count, how many for how many."""
    drop = next(event for event in EVENTS if isinstance(event, Presence) and event.kind is PresenceKind.DROP)
    leave = msgspec.structs.replace(drop, kind=PresenceKind.LEAVE)
    verdict = verdict_on(counted([leave if other is drop else other for other in EVENTS]))
    one = next(one for one in verdict.mismatches_named if one.count == "drops")
    assert (one.table, one.window, one.name, one.found) == ("audience", window_of(drop), drop.space, one.expected - 1)
    assert one.phase == night()[0].phase_at(drop.at)
    assert one.time.startswith("2023-05-24T22:")
    assert f"{one.time} {one.phase}: audience {one.name} drops: expected 1, found 0" in to_text(verdict)
    assert {"audience.drops", "audience.leaves"} <= set(verdict.mismatches_by_count)


def test_an_engine_that_wrote_nothing_is_named() -> None:
    """An engine without results is not exact; the engines with results are named."""
    verdict = verdict_on(counted(EVENTS), "quiet")
    assert not verdict.exact
    assert verdict.problems == ("engine 'quiet' has written nothing (engines with results: e)",)
    assert verdict.mismatches == verdict.records_compared > 0


def test_unfinished_progress_is_not_exact() -> None:
    """Right counts without an end on one partition are not yet an answer."""
    verdict = verdict_on(counted(EVENTS, ended=False))
    assert not verdict.exact
    assert verdict.mismatches == 0
    assert verdict.problems == ("e has not ended on tweets[1]",)
    assert len(verdict_on(counted(EVENTS, ended=None)).problems) == 4


@pytest.mark.parametrize(
    ("window", "space", "counts", "note"),
    [
        (-5_000, "first", {"joins": 1}, "no such window"),
        (1, "first", {"joins": 1}, "no such window"),
        (10**9, "first", {"joins": 1}, "no such window"),
        (0, "third", {"joins": 1}, "no such space"),
        (0, "first", {"cheers": 1}, "no such count"),
        (0, "first", {"joins": -99}, "negative"),
    ],
)
def test_results_that_cannot_be_are_named(window: int, space: str, counts: Counts, note: str) -> None:
    """Windows, spaces and counts that do not exist and negative counts are found, each with what is odd about it."""
    info, _ = night()
    odd = AudienceResult(1, "run-1", "e", info.start + window, space, "odd", 1, counts)
    verdict = verdict_on(counted(EVENTS, more=[odd]))
    assert not verdict.exact
    assert verdict.mismatches == 1
    assert note in verdict.mismatches_named[0].note


def test_zeros_for_what_does_not_exist_are_nothing() -> None:
    """A zero says nothing, so it may stand anywhere."""
    odd = AudienceResult(1, "run-1", "e", -1, "third", "odd", 1, {"joins": 0})
    assert verdict_on(counted(EVENTS, more=[odd])).exact


def test_records_that_are_no_results_are_named() -> None:
    """Invalid results under the engine's key are a problem; those of no engine are a remark."""
    info, _ = night()
    follower = Follower("run-1")
    meet(follower, info)
    feed(follower, RESULTS_AUDIENCE, record(RESULTS_AUDIENCE, b'["run-1","e",0]', b"?", 7))
    feed(follower, RESULTS_AUDIENCE, record(RESULTS_AUDIENCE, b"?", b"?", 8))
    garbage = follower.view().rejections
    good = counted(EVENTS)
    verdict = verdict_on(RunView(info=info, engines=good.engines, rejections=garbage))
    assert not verdict.exact
    assert len(verdict.problems) == 1
    assert verdict.problems[0].startswith("results.audience[0]@7 is not a valid result of e: not_json")
    assert verdict.remarks == ("1 invalid results of no known engine, the first at results.audience[0]@8",)


def test_only_so_many_differences_are_spelled_out() -> None:
    """All are counted, the first fifty named."""
    verdict = verdict_on(counted([]))
    assert len(verdict.mismatches_named) == 50
    assert verdict.mismatches > 50
    assert f"and {verdict.mismatches - 50:,} more" in to_text(verdict)


def test_a_replay_off_schedule_is_remarked_on() -> None:
    """A late replay can be exact, and is remarked on."""
    info, truth = night()
    status = RunStatus(1, "run-1", "ended", info.end, 60.0, 50.0, 1, 0, 0.5, 2.0, "x", 0)
    view = RunView(info=info, status=status, engines=counted(EVENTS).engines)
    verdict = judge(view, "e", tables(truth), len(EVENTS) + 1)
    assert verdict.exact
    assert verdict.on_time_ratio == 0.5
    assert [remark.split(":")[0] for remark in verdict.remarks][1] == "not on time"
    assert "the tape has" in verdict.remarks[0]


def test_stances_are_an_estimate_apart() -> None:
    """Agreement on stances is a share, and changes nothing about exact."""
    info, truth = night()
    key = (info.start, "other")
    made = ReactionResult(1, "run-1", "e", *key, "est", 1, {}, {"stance:thanks": 3, "stance:blame": 1})
    labels = FinalCounts(truth.audience, truth.reaction, {key: {"stance:thanks": 2, "stance:mockery": 2}})
    verdict = judge(counted(EVENTS, more=[made]), "e", labels, len(EVENTS))
    assert verdict.exact
    assert verdict.stance_agreement == 0.5
    assert verdict_on(counted(EVENTS)).stance_agreement is None
    assert "stances (an estimate): 50.0%" in to_text(verdict)


def test_verdict_json_is_whole_and_reads_back(tmp_path: Path) -> None:
    """The file has the verdict under the documented names, and no partial file remains."""
    verdict = verdict_on(counted(EVENTS))
    write(verdict, tmp_path / "verdict.json")
    assert [path.name for path in tmp_path.iterdir()] == ["verdict.json"]
    raw = (tmp_path / "verdict.json").read_bytes()
    assert raw == to_json(verdict)
    assert msgspec.json.decode(raw, type=Verdict) == verdict
    assert {"exact", "engine", "digest", "truth_digest", "events", "records_compared", "mismatches", "on_time_ratio",
            "seconds", "events_per_second", "faults", "versions"} <= set(msgspec.json.decode(raw))  # fmt: skip
