"""Whatever the order, the repetition and the cutting of the events: the counts are the naive oracle's."""

import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from streams.contract.events import Presence, Tweet, encode
from streams.contract.results import AudienceResult, Counts, Result, summed
from streams.contract.topics import PRESENCE, TWEETS
from streams.fold.snapshot import pack, unpack
from streams.fold.state import PartitionState, decoder
from tests.oracle import Oracle, TableOfCounts, long_night, nights
from tests.results import read_back

INFO = long_night()
DECODERS = {topic: decoder(INFO, topic) for topic in (PRESENCE, TWEETS)}
Event = Presence | Tweet


class Engine:
    """The folds over two partitions per topic, results kept as a reader would keep them."""

    def __init__(self) -> None:
        self.states = {
            (topic, partition): PartitionState(INFO, topic, partition)
            for topic in (PRESENCE, TWEETS)
            for partition in range(2)
        }
        self.results: list[Result] = []

    def take(self, events: list[Event]) -> None:
        """Fold one chunk, each event in the partition of its person."""
        parts: dict[tuple[str, int], list[bytes | None]] = {}
        for event in events:
            topic = PRESENCE if isinstance(event, Presence) else TWEETS
            person = event.listener if isinstance(event, Presence) else event.author
            parts.setdefault((topic, person % 2), []).append(encode(event))
        for (topic, partition), values in parts.items():
            state = self.states[topic, partition]
            state.apply(DECODERS[topic].decode(values), state.next_offset + len(values))

    def publish(self) -> None:
        """Take the results that changed."""
        for state in self.states.values():
            self.results += read_back(state.take_results("e")[0])

    def restart(self, *, everything: bool, saved: dict[tuple[str, int], list[bytes]]) -> None:
        """Save every state behind what was saved before, and go on with states loaded from that."""
        for key, state in self.states.items():
            if everything:
                saved[key] = []
            saved[key].append(pack(state.save(everything=everything)))
            fresh = PartitionState(INFO, *key)
            for packed in saved[key]:
                fresh.load(unpack(packed))
            assert fresh.progress("e") == state.progress("e")
            self.states[key] = fresh

    def tables(self) -> tuple[TableOfCounts, TableOfCounts, TableOfCounts]:
        """Return counts of both topics and the estimates, as a reader sums them."""
        self.publish()
        audience = [result for result in self.results if isinstance(result, AudienceResult)]
        reaction = [result for result in self.results if not isinstance(result, AudienceResult)]
        return summed(audience), summed(reaction), _estimates(reaction)


def _estimates(results: Sequence[Result]) -> TableOfCounts:
    newest: dict[tuple[int, str, str], Counts] = {}
    for result in results:
        assert not isinstance(result, AudienceResult)
        newest[result.window, result.subject, result.shard] = result.estimates
    table: TableOfCounts = {}
    for (window, subject, _), estimates in newest.items():
        row = table.setdefault((window, subject), {})
        for name, value in estimates.items():
            row[name] = row.get(name, 0) + value
    return {key: row for key, row in table.items() if row}


def _tables(oracle: Oracle) -> tuple[TableOfCounts, TableOfCounts, TableOfCounts]:
    return oracle.audience, oracle.reaction, oracle.estimates


@given(nights, st.randoms(use_true_random=False))
def test_any_order_repetition_and_cutting(events: list[Event], rng: random.Random) -> None:
    """Permuted, duplicated, cut into chunks and published in between: every count is the oracle's."""
    arriving = events + rng.choices(events, k=len(events) // 2) if events else []
    rng.shuffle(arriving)
    engine = Engine()
    while arriving:
        cut = rng.randrange(1, 8)
        engine.take(arriving[:cut])
        arriving = arriving[cut:]
        if rng.random() < 0.5:
            engine.publish()
    assert engine.tables() == _tables(Oracle(INFO, events))
    assert sum(state.events for state in engine.states.values()) == len(events)
    assert sum(state.duplicates for state in engine.states.values()) == len(events) // 2


@given(nights, st.randoms(use_true_random=False))
def test_a_state_saved_and_loaded_goes_on_as_before(events: list[Event], rng: random.Random) -> None:
    """A whole state and changes after it, loaded anew again and again, is the state that was saved."""
    engine = Engine()
    saved: dict[tuple[str, int], list[bytes]] = {}
    engine.restart(everything=True, saved=saved)
    arriving = events + rng.choices(events, k=len(events) // 2) if events else []
    rng.shuffle(arriving)
    while arriving:
        engine.take(arriving[:5])
        arriving = arriving[5:]
        engine.publish()
        engine.restart(everything=rng.random() < 0.2, saved=saved)
    assert engine.tables() == _tables(Oracle(INFO, events))


@given(nights, st.randoms(use_true_random=False))
def test_results_that_were_not_published_come_again(events: list[Event], rng: random.Random) -> None:
    """A reader misses nothing when a publication fails and its token is given back."""
    engine = Engine()
    for event in events:
        engine.take([event])
        for state in engine.states.values():
            results, token = state.take_results("e")
            if rng.random() < 0.5:
                state.not_published(token)
            else:
                engine.results += read_back(results)
    assert engine.tables() == _tables(Oracle(INFO, events))
