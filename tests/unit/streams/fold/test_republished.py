"""What a killed worker may have published is published again by its successor, changed or not."""

import pytest

from streams.contract.results import AudienceResult, Result, summed
from streams.contract.topics import INPUTS, PRESENCE
from streams.fold.state import PartitionState, decoder
from streams.golden import GoldenNight, load
from tests.results import read_back


def _said(night: GoldenNight, topic: str, partition: int, *, at_once: bool) -> list[Result]:
    """Return what a worker that starts from nothing publishes, after every record or after all of them."""
    values = [r.value for r in night.records if (r.topic, r.partition) == (topic, partition)]
    state, decode = PartitionState(night.info, topic, partition), decoder(night.info, topic).decode
    results: list[Result] = []
    for chunk in [values] if at_once else [[value] for value in values]:
        state.apply(decode(chunk), state.next_offset + len(chunk))
        results += read_back(state.take_results("e")[0])
    return results


@pytest.mark.parametrize("name", ["doors", "waiting", "thread", "entry", "edges"])
@pytest.mark.parametrize("topic", INPUTS)
def test_a_successor_that_reads_in_one_chunk_leaves_nothing_stale(name: str, topic: str) -> None:
    """Killed before its first checkpoint, after it had published every passing state: the successor names every row."""
    night = load(name)
    killed, successor = [], []
    for partition in range(night.info.partitions):
        killed += _said(night, topic, partition, at_once=False)
        successor += _said(night, topic, partition, at_once=True)
    expected = night.expected.audience if topic == PRESENCE else night.expected.reaction
    assert summed([*killed, *successor]) == expected
    rows = [
        {(r.window, r.space if isinstance(r, AudienceResult) else r.subject) for r in said}
        for said in (killed, successor)
    ]
    assert rows[0] <= rows[1]
