"""kafka-python's inside is the one that whole batches rely on; a version that differs is noticed."""

import hashlib
import inspect
from typing import Any

import pytest
from kafka.producer.future import FutureRecordMetadata
from kafka.producer.kafka import KafkaProducer
from kafka.producer.producer_batch import ProducerBatch
from kafka.producer.record_accumulator import IncompleteProducerBatches, RecordAccumulator
from kafka.producer.sender import Sender
from kafka.producer.transaction_manager import TransactionManager
from kafka.record.memory_records import MemoryRecordsBuilder
from kafka.version import __version__

from producers.senders import kafka_fit
from producers.senders.kafka_batches import ClosedRecords, Delivery
from producers.senders.kafka_fit import CALLED, called_on_records, misfits

READ = {
    RecordAccumulator.append: "how a batch is queued: BatchHandOver.give does the same without a record",
    RecordAccumulator.ready: "when a queued batch leaves: at once, because ClosedRecords.is_full",
    RecordAccumulator.drain_batches_for_one_node: "when its sequence is set and its bytes are made",
    RecordAccumulator.expired_batches: "how a batch that waits too long is given up",
    RecordAccumulator.split_and_reenqueue: "how a large batch is split: Delivery.rebind follows its records",
    RecordAccumulator.reenqueue: "how a batch is retried: with the bytes it has",
    RecordAccumulator.abort_batches: "how batches end when the producer is closed by force",
    RecordAccumulator.deallocate: "how a batch is forgotten",
    IncompleteProducerBatches: "where flush and a forced close find the batches",
    ProducerBatch: "what stands for a batch, and how it completes: Delivery reads the result of its future",
    MemoryRecordsBuilder: "what ClosedRecords stands in for, and what builds small batches",
    FutureRecordMetadata.rebind: "what Delivery.rebind stands in for",
    Sender.run_once: "the turns of the client's thread",
    Sender._send_producer_data: "how batches become requests, and a partition has one of them under way",
    Sender._complete_batch: "what an answer means",
    Sender._dispatch_error: "when a batch is split, retried or failed",
    Sender._can_split: "when a batch is split",
    Sender._can_retry: "when a batch is retried",
    Sender._produce_request: "how the bytes get into a request",
    TransactionManager.increment_sequence_number: "how sequences go on",
    KafkaProducer._wait_on_metadata: "how an unknown topic is waited for",
    KafkaProducer.close: "how the last batches leave",
}
"""What was read before whole batches were built on it, and what to look at when it has changed."""
FINGERPRINTS = {
    "RecordAccumulator.append": "834a501e1eab",
    "RecordAccumulator.ready": "cab587660dbe",
    "RecordAccumulator.drain_batches_for_one_node": "dbdb5e022752",
    "RecordAccumulator.expired_batches": "8a1edc169257",
    "RecordAccumulator.split_and_reenqueue": "bc82f289c457",
    "RecordAccumulator.reenqueue": "daef9963772b",
    "RecordAccumulator.abort_batches": "eed2b87cc20e",
    "RecordAccumulator.deallocate": "e53c2f046b25",
    "IncompleteProducerBatches": "919bc6ee20fb",
    "ProducerBatch": "0131c28c39c7",
    "MemoryRecordsBuilder": "096063c42677",
    "FutureRecordMetadata.rebind": "c40ea015eab8",
    "Sender.run_once": "91bf02ab61c2",
    "Sender._send_producer_data": "35ed0cfde943",
    "Sender._complete_batch": "6fa3de760946",
    "Sender._dispatch_error": "4019d9d8c84a",
    "Sender._can_split": "b7ad82dd2db2",
    "Sender._can_retry": "300beb74502b",
    "Sender._produce_request": "d2085792c451",
    "TransactionManager.increment_sequence_number": "e7f5f40bf90a",
    "KafkaProducer._wait_on_metadata": "dc620e64a93e",
    "KafkaProducer.close": "431699b88f33",
}


def fingerprint(code: Any) -> str:
    """Return a short hash of a piece of source text."""
    return hashlib.sha256(inspect.getsource(code).encode()).hexdigest()[:12]


def test_the_installed_version_fits() -> None:
    """The version that is installed takes whole batches, so the slow way is not taken unnoticed."""
    assert misfits() == []


def test_nothing_that_batches_rely_on_has_changed() -> None:
    """The source of kafka-python that was read is the source that is installed."""
    changed = [
        f"{code.__qualname__}: {why}"
        for code, why in READ.items()
        if fingerprint(code) != FINGERPRINTS[code.__qualname__]
    ]
    assert not changed, (
        f"kafka-python {__version__} has changed where producers/senders/kafka_batches.py relies on it. Read what has "
        "changed, correct kafka_batches.py and kafka_fit.py where needed, and put the new fingerprints here:\n"
        + "\n".join(changed)
    )


def test_stand_ins_have_what_is_called() -> None:
    """``ClosedRecords`` has everything the producer calls on a batch's records, and no name that nothing calls."""
    assert called_on_records() == CALLED
    public = {name for name in dir(ClosedRecords) if not name.startswith("_")}
    assert public | set(inspect.signature(ClosedRecords.set_producer_state).parameters) >= CALLED
    assert list(inspect.signature(Delivery.rebind).parameters) == ["self", "produce_future", "index"]


@pytest.mark.parametrize(
    ("owner", "name", "line"),
    [
        (
            MemoryRecordsBuilder,
            "append",
            "MemoryRecordsBuilder.append is (value), expected (self, timestamp, key, value",
        ),
        (Sender, "wakeup", "Sender.wakeup is (value), expected (self)"),
        (RecordAccumulator, "_tp_lock", "RecordAccumulator._tp_lock is (value), expected (self, tp)"),
        (RecordAccumulator, "__init__", "__init__() should return None"),
        (KafkaProducer, "__init__", "KafkaProducer has no _accumulator"),
    ],
)
def test_a_change_is_named(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, line: str) -> None:
    """A method that takes something else is a line that says where and what was expected."""
    monkeypatch.setattr(owner, name, lambda value: value)
    assert any(line in found for found in misfits())


def test_something_missing_or_new_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that is gone, and a name that is newly called on a batch's records, are named."""
    monkeypatch.setattr(kafka_fit, "CALLED", CALLED - {"is_full"})
    assert misfits() == ["batch.records.is_full is called"]
    monkeypatch.setitem(kafka_fit.SIGNATURES, "kafka.producer.gone:Gone.method", "()")
    (line,) = misfits()
    assert "kafka.producer.gone" in line
