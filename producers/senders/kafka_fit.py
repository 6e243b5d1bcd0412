"""Whether the installed kafka-python has the internals that ``kafka_batches`` relies on."""

import importlib
import inspect
import operator
import re
from collections.abc import Iterator
from typing import Any, Final

SIGNATURES: Final = {
    "kafka.producer.kafka:KafkaProducer.partitions_for": "(self, topic)",
    "kafka.producer.sender:Sender.wakeup": "(self)",
    "kafka.producer.record_accumulator:RecordAccumulator._tp_lock": "(self, tp)",
    "kafka.producer.producer_batch:ProducerBatch.__init__": "(self, tp, records, now=None)",
    "kafka.producer.future:FutureRecordMetadata.rebind": "(self, new_produce_future, new_batch_index)",
    "kafka.record.memory_records:MemoryRecordsBuilder.append": "(self, timestamp, key, value, headers=None)",
    "kafka.record.memory_records:MemoryRecordsBuilder.set_producer_state": (
        "(self, producer_id, producer_epoch, base_sequence, is_transactional)"
    ),
}
ATTRIBUTES: Final = {
    "RecordAccumulator": ("_batches", "_closed", "_incomplete.add", "_tp_lock", "_appends_in_progress.increment"),
    "ProducerBatch": ("records", "produce_future.add_callback", "_record_futures"),
}
CALLED: Final = frozenset(
    (
        "append",
        "base_sequence",
        "buffer",
        "close",
        "compression_rate",
        "is_full",
        "next_offset",
        "producer_epoch",
        "producer_id",
        "set_producer_state",
        "size_in_bytes",
    )
)
"""What the producer calls on the records of a batch; ``ClosedRecords`` has all of it."""


def misfits() -> list[str]:
    """Return the differences between the installed kafka-python and the one relied on; empty when it fits."""
    try:
        return list(_differences())
    except Exception as error:  # noqa: BLE001 - whatever a later version raises here, it is not the one relied on
        return [f"{type(error).__name__}: {error}"]


def _differences() -> Iterator[str]:
    for name, expected in SIGNATURES.items():
        found = str(inspect.signature(_named(name)))
        if found != expected:
            yield f"{name} is {found}, expected {expected}"
    accumulator = _named("kafka.producer.record_accumulator:RecordAccumulator")()
    batch = _named("kafka.producer.producer_batch:ProducerBatch")(("topic", 0), None)
    for owner in (accumulator, batch):
        for name in ATTRIBUTES[type(owner).__name__]:
            operator.attrgetter(name)(owner)
    opening = _named("kafka.producer.kafka:KafkaProducer.__init__").__code__.co_names
    yield from (f"KafkaProducer has no {name}" for name in ("_accumulator", "_sender") if name not in opening)
    yield from (f"batch.records.{name} is called" for name in sorted(called_on_records() - CALLED))


def called_on_records() -> set[str]:
    """Return the attributes that the producer's source reads of the records of a batch."""
    modules = ("record_accumulator", "producer_batch", "sender", "transaction_manager")
    sources = [inspect.getsource(importlib.import_module(f"kafka.producer.{name}")) for name in modules]
    return {name for source in sources for name in re.findall(r"\brecords\.([a-z_]+)", source)}


def _named(name: str) -> Any:
    module, _, path = name.partition(":")
    return operator.attrgetter(path)(importlib.import_module(module))
