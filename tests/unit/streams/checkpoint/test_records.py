"""Which checkpoint records are trusted, and what is left of a chain that is broken."""

import random
from typing import Any

import msgspec
import pytest

from streams.checkpoint import records as checkpoint
from streams.checkpoint.records import ChainWriter, CheckpointRecord, read_record, restore
from streams.contract.events import encode
from streams.contract.runinfo import RunInfo
from streams.contract.topics import PRESENCE
from streams.fold.state import PartitionState, decoder
from tests.oracle import event_of, long_night

INFO = long_night()
DECODER = decoder(INFO, PRESENCE)
RNG = random.Random(7)
VALUES: list[bytes | None] = [encode(event_of(RNG.randrange(1 << 60) * 3 + 1, number)) for number in range(40)]


def _chain(steps: int = 4, writer: ChainWriter | None = None) -> list[list[bytes]]:
    """Return the records of a whole state and of the changes after it, ten events each."""
    writer = writer or ChainWriter(INFO, "faust", PRESENCE, 0, grow=100)
    state = PartitionState(INFO, PRESENCE, 0)
    links = []
    for step in range(steps):
        state.apply(DECODER.decode(VALUES[step * 10 : step * 10 + 10]), step * 10 + 10)
        links.append(writer.records(state))
    return links


def _restored(*links: list[bytes], info: RunInfo = INFO) -> tuple[int, tuple[str, ...]]:
    found = restore(info, "faust", PRESENCE, 0, [record for link in links for record in link])
    assert found.state.events == found.state.next_offset
    return found.state.next_offset, found.notes


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut states of this size into several parts."""
    monkeypatch.setattr(checkpoint, "PART_BYTES", 200)


def test_a_whole_chain_restores_its_last_state() -> None:
    """A whole state and three changes give the state after forty events."""
    assert _restored(*_chain()) == (40, ())


def test_nothing_restores_the_beginning() -> None:
    """Without records the partition is read from offset 0."""
    assert _restored() == (0, ())


def test_a_missing_link_ends_the_chain_before_it() -> None:
    """Changes behind a gap are not taken."""
    links = _chain()
    assert _restored(links[0], links[1], links[3]) == (20, ())


def test_a_chain_without_its_beginning_counts_for_nothing() -> None:
    """Changes alone are no state."""
    assert _restored(*_chain()[1:]) == (0, ())


@pytest.mark.usefixtures("small_parts")
def test_a_link_that_is_not_complete_ends_the_chain() -> None:
    """One missing part is a missing link, whichever it is; parts may come in any order and twice."""
    links = _chain()
    assert all(len(link) > 2 for link in links)
    for link in (0, 2):
        for missing in range(len(links[link])):
            cut = [*links[link][:missing], *links[link][missing + 1 :]]
            assert _restored(*links[:link], cut, *links[link + 1 :]) == (link * 10, ())
    assert _restored(*reversed([list(reversed(link)) for link in links]), links[1]) == (40, ())


@pytest.mark.usefixtures("small_parts")
def test_every_damaged_byte_is_noticed() -> None:
    """A record with one altered byte is refused with a note, and the chain before it is used."""
    links = _chain(2)
    for at in range(0, len(links[1][0]), 3):
        damaged = bytearray(links[1][0])
        damaged[at] ^= 1
        offset, notes = _restored(links[0], [bytes(damaged), *links[1][1:]])
        assert offset == 10
        assert len(notes) == 1


def test_the_chain_that_reaches_furthest_is_taken() -> None:
    """Chains of two writers lie mixed in one partition; the later record is not the better one."""
    far, near = _chain(4), _chain(2)
    assert _restored(far[0], near[0], far[1], far[2], far[3], near[1]) == (40, ())


def test_a_broken_chain_falls_back_to_another() -> None:
    """Where the furthest chain has lost its beginning, the next one is taken."""
    far, near = _chain(4), _chain(2)
    assert _restored(*far[1:], *near) == (20, ())


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"run": "another"}, "run"),
        ({"tape_sha256": "cd" * 32}, "tape"),
        ({"spaces": ("first", "second", "third")}, "scenario"),
        ({"window_ms": 10_000}, "scenario"),
    ],
)
def test_checkpoints_of_another_run_tape_or_scenario_are_refused(changes: dict[str, Any], name: str) -> None:
    """They are not loaded, and the text names what differs."""
    other = msgspec.structs.replace(INFO, **changes)
    offset, notes = _restored(*_chain(writer=ChainWriter(other, "faust", PRESENCE, 0, grow=100)))
    assert offset == 0
    assert all(f"another {name}" in note for note in notes)
    assert notes


def test_checkpoints_of_another_engine_partition_or_version_are_refused() -> None:
    """Checkpoints of another engine name or of another code version are not used."""
    (whole,), *_ = _chain()
    part = msgspec.msgpack.decode(whole, type=CheckpointRecord)
    read_record(whole, INFO, "faust", PRESENCE, 0)
    for changes, message in (
        ({"engine": "other"}, "engine"),
        ({"partition": 1}, "partition"),
        ({"code": "0011223344556677"}, "code version"),
        ({"v": 3}, "version"),
    ):
        changed = msgspec.structs.replace(part, **changes)
        raw = msgspec.msgpack.encode(msgspec.structs.replace(changed, checksum=checkpoint._checksum(changed)))
        with pytest.raises(ValueError, match=message):
            read_record(raw, INFO, "faust", PRESENCE, 0)


def test_a_state_of_another_shape_is_refused() -> None:
    """A checkpoint of a run with other spaces does not fit, even with a matching header."""
    other = msgspec.structs.replace(INFO, spaces=("first", "second", "third"))
    state = PartitionState(other, PRESENCE, 0)
    state.apply(decoder(other, PRESENCE).decode(VALUES), 40)
    offset, notes = _restored(ChainWriter(INFO, "faust", PRESENCE, 0).records(state))
    assert offset == 0
    assert "does not fit" in notes[-1]


def test_a_new_chain_starts_when_the_changes_outweigh_the_state() -> None:
    """The records to be read at a restart stay within a few times the whole state."""
    writer = ChainWriter(INFO, "faust", PRESENCE, 0, grow=0.5)
    state = PartitionState(INFO, PRESENCE, 0)
    numbers = []
    for step in range(4):
        state.apply(DECODER.decode(VALUES[step * 10 : step * 10 + 10]), step * 10 + 10)
        numbers.append(msgspec.msgpack.decode(writer.records(state)[0], type=CheckpointRecord).number)
    assert numbers.count(0) > 1
    assert numbers[0] == 0


def test_after_a_failure_a_new_chain_begins() -> None:
    """A writer whose records may be lost does not build on them."""
    writer = ChainWriter(INFO, "faust", PRESENCE, 0, grow=100)
    state = PartitionState(INFO, PRESENCE, 0)
    first = writer.records(state)
    writer.restart()
    state.apply(DECODER.decode(VALUES), 40)
    assert _restored(first, writer.records(state)) == (40, ())
