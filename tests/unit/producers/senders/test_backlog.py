"""Records that wait are cut into batches in order, none larger than a broker takes by default."""

from hypothesis import given
from hypothesis import strategies as st

from producers.senders import backlog
from producers.senders.backlog import BATCH_BYTES, BATCHES_PER_LANE, HEADER_BYTES, Backlog
from producers.senders.recordbatch import pack
from tests.fakekafka import Record, lane, rows


def test_two_batches_per_partition() -> None:
    """A partition has two batches; what comes meanwhile is joined and waits until one is settled."""
    waiting = Backlog()
    first = []
    for number in range(4):
        waiting.add(lane(rows(10, 10 * number)))
        first += list(waiting.batches())
    assert [len(batch) for batch in first] == [10, 10]
    assert waiting.records == 20
    waiting.settled(first[0])
    (third,) = waiting.batches()
    assert third.values.to_pylist() == [value for _, _, value in rows(20, 20)]
    assert not waiting.records


def test_partitions_are_apart() -> None:
    """A partition that is full keeps no other one waiting."""
    waiting = Backlog()
    found = []
    for partition in (0, 0, 0, 1):
        waiting.add(lane(rows(5), partition))
        found.append([batch.partition for batch in waiting.batches()])
    assert found == [[0], [0], [], [1]]
    assert waiting.records == 5


def test_what_waits_can_be_dropped() -> None:
    """Dropping yields every record that waits, once, and leaves nothing."""
    waiting = Backlog()
    for partition in range(3):
        waiting.add(lane(rows(5), partition))
    assert [dropped.partition for dropped in waiting.drop()] == [0, 1, 2]
    assert (waiting.records, list(waiting.batches()), list(waiting.drop())) == (0, [], [])


def test_full_at_the_bound() -> None:
    """It is full from the bound on."""
    waiting = Backlog()
    one = lane(rows(backlog.WAITING_RECORDS // 2))
    waiting.add(one)
    assert not waiting.full()
    waiting.add(one)
    assert waiting.full()


def test_full_of_large_records() -> None:
    """Few records fill it when they are large; it is empty again when they have gone."""
    waiting = Backlog()
    waiting.add(lane([(0, None, b"x" * (8 << 20))] * 7))
    assert not waiting.full()
    waiting.add(lane([(0, None, b"x" * (8 << 20))]))
    assert waiting.full()
    taken = list(waiting.batches())
    assert [len(batch) for batch in taken] == [1, 1]
    assert not waiting.full()
    assert sum(len(one) for one in waiting.drop()) == 6
    assert (waiting.records, waiting.bytes) == (0, 0)


records = st.tuples(
    st.integers(0, 1 << 45),
    st.none() | st.binary(max_size=9),
    st.sampled_from([b"", b"x", b"y" * 100, b"z" * 9_000, b"w" * 400_000, b"v" * (BATCH_BYTES + 1)]),
)


@given(st.lists(st.lists(records, min_size=1, max_size=12), min_size=1, max_size=4), st.integers(0, 3))
def test_batches_fit(parts: list[list[Record]], begin: int) -> None:
    """Any keys, values and times, in slices of columns: no batch is too large but that of one large record."""
    waiting = Backlog()
    for part in parts:
        waiting.add(lane([*part[:1] * begin, *part]).part(begin, begin + len(part)))
    found: list[Record] = []
    while waiting.records:
        for batch in waiting.batches():
            assert len(batch) == 1 or pack(batch).size() <= BATCH_BYTES
            found += zip(batch.at.tolist(), batch.keys.to_pylist(), batch.values.to_pylist(), strict=True)
            waiting.settled(batch)
    assert found == [record for part in parts for record in part]


def test_batches_are_nearly_full() -> None:
    """Small records fill a batch to four fifths at least."""
    waiting = Backlog()
    waiting.add(lane([(at, b"123456", b"x" * 100) for at, _, _ in rows(20_000)]))
    sizes = [pack(batch).size() for batch in waiting.batches()]
    assert len(sizes) == BATCHES_PER_LANE
    assert all(0.8 * BATCH_BYTES < size <= BATCH_BYTES - HEADER_BYTES for size in sizes)
