"""Declared faults: what was declared is injected, what was injected is accounted for, and nothing else happens."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.compose.faults import (
    CORRUPT,
    DAMAGES,
    DUPLICATE,
    KINDS,
    LATE,
    MISSING,
    OUT_OF_ORDER,
    FaultPlan,
    affected_by,
    damaged,
    parse_faults,
)
from producers.replay.faultfile import fault_path, read_faults, write_faults
from producers.replay.playback import PlaybackRequest
from producers.replay.position import load_position
from producers.tape.tapefile import Tape
from streams.contract.events import Mark, MarkKind, Presence, Tweet, decode_presence, decode_tweet, encode
from streams.contract.runinfo import Faults
from streams.contract.topics import INPUTS, PRESENCE
from streams.errors import DecodeError, UsageError
from tests.replaying import Crash, Player, Sent, check_marks, info_of, play
from tests.tinytape import tiny_events, tiny_tape

rates = st.dictionaries(st.sampled_from(KINDS), st.sampled_from([0.0, 0.05, 0.3, 1.0]), max_size=5)


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    """Return a small night."""
    return tiny_tape(tmp_path_factory.mktemp("tape") / "night.parquet", seed=5, people=60)


def play_faulty(tape: Tape, faults: Faults, **how: Any) -> Sent:
    """Play a tape with faults."""
    player = Player(tape, PlaybackRequest(**how), plan=FaultPlan(faults))
    player.play()
    return player.sent


def decoded_events(sent: Sent) -> tuple[list[tuple[str, int, Presence | Tweet | Mark]], int]:
    """Return what can be decoded, in order per partition, with topic and partition; and how much cannot."""
    found: list[tuple[str, int, Presence | Tweet | Mark]] = []
    bad = 0
    for (topic, partition), records in sent.items():
        decode = decode_presence if topic.startswith(PRESENCE) else decode_tweet
        for _, _, value in records:
            try:
                one = decode(value)
            except DecodeError:
                bad += 1
                continue
            if isinstance(one, Mark) or one.event_id < 1 << 52:
                found.append((topic, partition, one))
            else:
                bad += 1
    return found, bad


@settings(max_examples=25, deadline=None)
@given(rates=rates, seed=st.integers(0, 5))
def test_injected_is_found(tape: Tape, rates: dict[str, float], seed: int) -> None:
    """Counts of duplicates, damaged, missing and late records are those of the accounts; all else comes once."""
    faults = Faults(rates, seed)
    info = info_of(tape)
    info_written = write_faults(fault_path(tape.path, info.run), tape, faults, info)
    file = read_faults(fault_path(tape.path, info.run))
    found, bad = decoded_events(play_faulty(tape, faults))
    times = Counter(one.event_id for _, _, one in found if not isinstance(one, Mark))
    missing = set(range(tape.rows)) - set(times)
    assert file.info == info_written
    assert file.info.faults() == faults
    assert sorted(missing) == file.event_ids(MISSING)
    assert sorted(event for event, count in times.items() if count == 2) == file.event_ids(DUPLICATE)
    assert max(times.values(), default=1) <= 2
    assert bad == len(file.event_ids(CORRUPT)) == info_written.counts[CORRUPT]
    marked: dict[tuple[str, int], int] = {}
    seen: set[int] = set()
    late = []
    for topic, partition, one in found:
        if isinstance(one, Mark):
            marked[topic, partition] = one.at
        elif one.event_id not in seen:
            seen.add(one.event_id)
            late += [one.event_id] if one.at < marked.get((topic, partition), 0) else []
    assert set(late) <= set(file.event_ids(LATE))
    ends = sum(one.events or 0 for _, _, one in found if isinstance(one, Mark) and one.mark is MarkKind.END)
    assert ends == tape.rows - len(missing)


def test_without_faults_nothing_happens(tape: Tape) -> None:
    """All rates zero: record for record what plain playing sends."""
    assert play_faulty(tape, Faults()) == play(tape)


def test_events_out_of_order_leave_before_their_watermark(tape: Tape) -> None:
    """Bounded disorder: the watermarks wait, so nothing comes after the one it belongs before, and order is lost."""
    sent = play_faulty(tape, Faults({OUT_OF_ORDER: 0.5}, out_of_order_ms=20_000))
    check_marks(sent, info_of(tape))
    times = [at for at, key, _ in sent[f"{PRESENCE}.test", 0] if key is not None]
    assert times != sorted(times)


def test_late_events_come_after_their_watermark_and_before_the_end(tape: Tape) -> None:
    """Late events are minutes late: behind their watermark, never behind the end mark."""
    sent = play_faulty(tape, Faults({LATE: 0.2}, late_ms=60_000))
    check_marks(sent, info_of(tape), late=True)
    assert {one.event_id for _, _, one in decoded_events(sent)[0] if not isinstance(one, Mark)} == set(range(tape.rows))


def test_faults_follow_the_event_not_the_way_it_came(tape: Tape, tmp_path: Path) -> None:
    """A replay killed and resumed injects the same faults: no other event is missing, nothing new is damaged."""
    faults = Faults({MISSING: 0.1, LATE: 0.1, OUT_OF_ORDER: 0.3, CORRUPT: 0.1, DUPLICATE: 0.1})
    whole = play_faulty(tape, faults)
    path = tmp_path / "position.json"
    player = Player(tape, PlaybackRequest(speed=60, position_file=path), plan=FaultPlan(faults))

    def crash() -> None:
        raise Crash

    player.time.at(4.3, crash)
    with pytest.raises(Crash):
        player.play()
    resume = load_position(path, tape.info.sha256)
    rest = play_faulty(tape, faults, resume=resume)
    assert 0 < resume.row < tape.rows
    for place, records in whole.items():
        assert set(player.sent[place]) | set(rest[place]) == set(records)


@given(st.sampled_from(tiny_events(1, 30)), st.sampled_from(DAMAGES))
def test_a_damaged_copy_is_never_an_event_of_the_run(event: Presence | Tweet, damage: str) -> None:
    """Whatever the damage, the copy cannot be decoded, or its id is beyond any run's."""
    value = damaged(encode(event), damage)
    decode = decode_tweet if isinstance(event, Tweet) else decode_presence
    assert value != encode(event)
    if damage == "foreign-id":
        decoded = decode(value)
        assert not isinstance(decoded, Mark)
        assert decoded.event_id == (1 << 53) - 1
    else:
        with pytest.raises(DecodeError):
            decode(value)


def test_rates_are_kept_and_kinds_are_independent() -> None:
    """Of 100,000 events about the declared share is affected, others by another seed; blocks may be cut anywhere."""
    ids = np.arange(100_000)
    first = affected_by(Faults({DUPLICATE: 0.1, CORRUPT: 0.1}, 1), ids)
    other = affected_by(Faults({DUPLICATE: 0.1, CORRUPT: 0.1}, 2), ids)
    assert 9_500 < first.duplicate.sum() < 10_500
    assert 800 < (first.duplicate & first.corrupt).sum() < 1_200
    assert 800 < (first.duplicate & other.duplicate).sum() < 1_200
    assert (affected_by(Faults({DUPLICATE: 0.1}, 1), ids[777:]).duplicate == first.duplicate[777:]).all()


def test_faults_are_declared_in_words() -> None:
    """KIND=RATE[:DURATION]; what is wrong is named with what is allowed."""
    faults = parse_faults(["duplicate=0.1", "late=0.01:10m", "out-of-order=1:5m"], 7)
    assert faults == Faults({DUPLICATE: 0.1, LATE: 0.01, OUT_OF_ORDER: 1.0}, 7, 60_000, 300_000, 600_000)
    for text, message in (
        ("duplicate=1.5", "rate from 0 to 1"),
        ("late=x", "rate from 0 to 1"),
        ("lost=0.1", "Known: duplicate, out-of-order, late, corrupt, missing"),
        ("missing=0.1:5s", "takes no duration"),
        ("duplicate", "KIND=RATE"),
        ("late=0.1:soon", "not a duration"),
    ):
        with pytest.raises(UsageError, match=message):
            parse_faults([text])


def test_a_fault_file_that_is_none_is_refused(tmp_path: Path) -> None:
    """Missing or foreign files are named."""
    with pytest.raises(UsageError, match="no such fault file"):
        read_faults(tmp_path / "none.parquet")
    (tmp_path / "foreign.parquet").write_bytes(b"PAR1")
    with pytest.raises(UsageError, match="not a fault file"):
        read_faults(tmp_path / "foreign.parquet")
    with pytest.raises(UsageError, match=str(tmp_path)):
        read_faults(tmp_path)


def test_a_place_that_cannot_be_written_is_said(tape: Tape, tmp_path: Path) -> None:
    """Where the accounts cannot be kept nothing is played, and the way out is named."""
    with pytest.raises(UsageError, match=r"cannot be written: .*--faults-file"):
        write_faults(tmp_path / "none" / "f.parquet", tape, Faults({MISSING: 0.5}), info_of(tape))


def test_the_accounts_say_where(tape: Tape) -> None:
    """Every row names the topic and partition the event belongs to."""
    info = info_of(tape)
    path = fault_path(tape.path, "where")
    write_faults(path, tape, Faults({MISSING: 1.0}), info)
    rows = read_faults(path).rows
    sent = play(tape)
    for base in INPUTS:
        for partition in range(info.partitions):
            ids = {one.event_id for topic, number, one in decoded_events(sent)[0]
                   if (topic, number) == (f"{base}.test", partition) and not isinstance(one, Mark)}  # fmt: skip
            placed = {
                row["event_id"] for row in rows.to_pylist() if (row["topic"], row["partition"]) == (base, partition)
            }
            assert placed == ids
