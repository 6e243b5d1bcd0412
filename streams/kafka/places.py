"""The partitions of topics, for consumers of no group, which are assigned theirs."""

from collections.abc import Collection

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError


async def partitions_of(consumer: AIOKafkaConsumer, topics: Collection[str]) -> dict[str, list[TopicPartition]]:
    """Return the partitions of those topics that exist, in order, as the cluster answers now; never creates a topic.

    A consumer of no group that subscribes is given partitions by the next answer about the cluster. aiokafka asks once:
    if that answer is lost, it asks again after ``metadata_max_age_ms``, five minutes. So no reader of ours subscribes.

    Args:
        consumer: Started.
        topics: Full names.

    Raises:
        KafkaConnectionError: No broker answers, which may pass; aiokafka's own error does not say so.
    """
    try:
        cluster = await consumer._client.fetch_all_metadata()  # noqa: SLF001 - topics() returns the names alone
    except KafkaError as error:
        raise KafkaConnectionError(str(error)) if type(error) is KafkaError else error from error
    numbers = {topic: sorted(cluster.partitions_for_topic(topic) or ()) for topic in topics}
    return {topic: [TopicPartition(topic, number) for number in found] for topic, found in numbers.items() if found}
