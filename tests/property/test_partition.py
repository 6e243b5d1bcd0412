"""The vectorised partitioner is Kafka's."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import DefaultPartitioner, murmur2

from producers.compose.partition import murmur2_of_digits, partition_table


class OneTopic:
    """As much of kafka-python's cluster metadata as its partitioner asks for."""

    def __init__(self, partitions: int) -> None:
        self.partitions = set(range(partitions))

    def topics(self) -> set[str]:
        """Return the topics' names."""
        return {"t"}

    def partitions_for_topic(self, topic: str) -> set[int]:  # noqa: ARG002 - the signature it is called with
        """Return all partitions."""
        return self.partitions

    available_partitions_for_topic = partitions_for_topic


ids = st.lists(st.integers(0, (1 << 53) - 1), min_size=1, max_size=50)


@given(ids)
def test_hashes_equal_kafka_pythons(people: list[int]) -> None:
    """Every id's digits hash as kafka-python (and Java) hash them."""
    found = murmur2_of_digits(np.array(people, dtype=np.int64))
    assert found.tolist() == [murmur2(str(person).encode()) & 0xFFFFFFFF for person in people]


def test_known_answers_of_java() -> None:
    """Hashes Java's own test fixes: of '21' and of a key four bytes long."""
    assert murmur2_of_digits(np.array([21]))[0] == -973932308 & 0xFFFFFFFF


def test_table_sends_people_where_the_default_partitioner_does() -> None:
    """For several partition counts, every person's partition is the default partitioner's choice."""
    for partitions in (1, 3, 4, 7):
        cluster = OneTopic(partitions)
        choose = DefaultPartitioner().partition
        expected = [choose("t", person, str(person).encode(), None, None, cluster) for person in range(2_000)]
        assert partition_table(2_000, partitions).tolist() == expected
