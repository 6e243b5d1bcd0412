"""An engine as a program of one file: it reads its settings from the environment and keeps nothing between restarts.

Only the counts are joinstorm's (``PartitionFold``); docs/adding-an-engine.md has everything else.
"""

import os

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from streams.api import (
    DEAD_LETTERS,
    INPUTS,
    PartitionFold,
    Progress,
    RunInfo,
    decode_info,
    encode,
    key_of,
    stop_signals,
    topic_of,
)


def publish(producer: KafkaProducer, info: RunInfo, folds: list[PartitionFold]) -> None:
    """Write every changed row, and once they are acknowledged the progress that covers them."""
    taken = [one for fold in folds for one in fold.take()]
    for progress in (False, True):
        for one in taken:
            if isinstance(one, Progress) is progress:
                producer.send(info.topics[topic_of(one)], encode(one), key=key_of(one))
        producer.flush()


def main() -> None:
    """Count the run until its end or SIGTERM."""
    info = decode_info(os.environ["JOINSTORM_RUN_INFO"].encode())
    servers, name = os.environ["JOINSTORM_BOOTSTRAP_SERVERS"].split(","), os.environ["JOINSTORM_ENGINE"]
    places = [(base, partition) for base in INPUTS for partition in range(info.partitions)]
    folds = {TopicPartition(info.topics[base], p): PartitionFold(info, name, base, p) for base, p in places}
    producer = KafkaProducer(bootstrap_servers=servers, linger_ms=20)
    consumer = KafkaConsumer(bootstrap_servers=servers, isolation_level="read_committed")
    consumer.assign(list(folds))
    consumer.seek_to_beginning()
    with stop_signals() as stop:
        while not stop.is_set() and not all(fold.ended for fold in folds.values()):
            for place, records in consumer.poll(timeout_ms=100, max_records=5000).items():
                for record in records:
                    error = folds[place].step(record.value, record.offset)
                    if error is not None:
                        source = error.source.encode()
                        headers = [("reason", error.reason.encode()), ("source", source)]
                        producer.send(info.topics[DEAD_LETTERS], record.value, key=source, headers=headers)
            publish(producer, info, list(folds.values()))
    consumer.close()
    producer.close()


if __name__ == "__main__":
    main()
