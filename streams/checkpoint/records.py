"""Checkpoints of a partition's state: the format of their records, and which of them can be trusted.

A *chain* is a whole state (number 0) and the changes after it (1, 2, …), each split into parts of bounded size. Every
record names its chain, number and part, and carries a checksum. Only a complete, unbroken start of a chain counts, so
it does not matter where a writer was killed. A state is a function of the partition's records before its offset, so
every chain of this run is right, no matter which worker wrote it and when. The one that reaches furthest is used;
without any, reading from offset 0 gives the same answer, later.
"""

import hashlib
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

from streams.checkpoint.identity import code_version, scenario_of
from streams.contract.runinfo import RunInfo
from streams.fold.snapshot import Arrays, pack, unpack
from streams.fold.state import PartitionState

RECORD_FORMAT: Final = 2
PART_BYTES: Final = 900_000
"""Keeps parts below the 1 MiB that a broker accepts by default."""


class CheckpointRecord(msgspec.Struct, frozen=True, array_like=True):
    """One record of the checkpoint topic."""

    v: Literal[2]
    code: str
    run: str
    tape_sha256: str
    scenario: str
    engine: str
    topic: str
    partition: int
    chain: str
    number: int
    part: int
    parts: int
    next_offset: int
    checksum: bytes
    data: bytes


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(CheckpointRecord)


def _checksum(part: CheckpointRecord) -> bytes:
    about = repr(msgspec.structs.astuple(part)[:-2]).encode()
    return hashlib.blake2b(part.data, digest_size=16, key=hashlib.blake2b(about).digest()).digest()


@dataclass
class ChainWriter:
    """Turns one partition's states into records; a new writer starts a new chain.

    Args:
        info: The run.
        engine: The engine name in result keys: a checkpoint implies that these results are published.
        topic: Base name of the input topic.
        partition: Number of the partition.
        grow: When a chain's changes exceed its whole state by this factor, in bytes, a new chain starts.
    """

    info: RunInfo
    engine: str
    topic: str
    partition: int
    grow: float = 2.0
    _chain: str = ""
    _number: int = 0
    _whole_bytes: int = 0
    _change_bytes: int = 0

    @property
    def begins(self) -> bool:
        """Whether the next records hold a whole state."""
        return not self._chain or self._change_bytes > self.grow * self._whole_bytes

    def restart(self) -> None:
        """Start a new chain with the next records: one of this chain's may be missing."""
        self._chain = ""

    def records(self, state: PartitionState) -> list[bytes]:
        """Return the records of the current state: the changes since the last call, or the whole state."""
        begins = self.begins
        if begins:
            self._chain, self._number, self._change_bytes = uuid.uuid4().hex, 0, 0
        else:
            self._number += 1
        data = pack(state.save(everything=begins))
        if begins:
            self._whole_bytes = len(data)
        else:
            self._change_bytes += len(data)
        return list(self._parts(data, state.next_offset))

    def _parts(self, data: bytes, next_offset: int) -> Iterator[bytes]:
        parts = max(1, -(-len(data) // PART_BYTES))
        for number in range(parts):
            part = CheckpointRecord(
                v=RECORD_FORMAT,
                code=code_version(),
                run=self.info.run,
                tape_sha256=self.info.tape_sha256,
                scenario=scenario_of(self.info),
                engine=self.engine,
                topic=self.topic,
                partition=self.partition,
                chain=self._chain,
                number=self._number,
                part=number,
                parts=parts,
                next_offset=next_offset,
                checksum=b"",
                data=data[number * PART_BYTES : (number + 1) * PART_BYTES],
            )
            yield _encoder.encode(msgspec.structs.replace(part, checksum=_checksum(part)))


class AnotherEngineError(ValueError):
    """A checkpoint of another engine's results: valid, but not for this engine."""


def read_record(raw: bytes, info: RunInfo, engine: str, topic: str, partition: int) -> CheckpointRecord:
    """Return a record of the checkpoint topic.

    Raises:
        ValueError: It is not a checkpoint, is damaged, or belongs to another run, tape, scenario, engine, partition or
            code version; the text says which.
    """
    try:
        part = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"not a checkpoint of this version: {error}") from None
    if part.checksum != _checksum(part):
        raise ValueError("damaged: wrong checksum")
    if part.engine != engine:
        raise AnotherEngineError(f"a checkpoint of another engine: expected {engine!r}, found {part.engine!r}")
    expected = (code_version(), info.run, info.tape_sha256, scenario_of(info), topic, partition)
    found = (part.code, part.run, part.tape_sha256, part.scenario, part.topic, part.partition)
    names = ("code version", "run", "tape", "scenario", "topic", "partition")
    for name, want, have in zip(names, expected, found, strict=True):
        if want != have:
            raise ValueError(f"a checkpoint of another {name}: expected {want!r}, found {have!r}")
    return part


@dataclass
class _Chain:
    parts: dict[tuple[int, int], CheckpointRecord] = field(default_factory=dict)

    def links(self) -> Iterator[tuple[int, bytes]]:
        """Yield next offset and data of each complete link from the start, up to the first gap."""
        number = 0
        while (first := self.parts.get((number, 0))) is not None:
            found = [self.parts.get((number, part)) for part in range(first.parts)]
            if None in found:
                return
            yield first.next_offset, b"".join(part.data for part in found if part is not None)
            number += 1


@dataclass(frozen=True)
class Restored:
    """The restored state of one partition, and notes on checkpoints that could not be used."""

    state: PartitionState
    notes: tuple[str, ...] = ()


def restore(info: RunInfo, engine: str, topic: str, partition: int, records: Iterable[bytes]) -> Restored:
    """Return the state that reaches furthest among a checkpoint partition's records; an empty one if there is none."""
    chains: dict[str, _Chain] = {}
    notes: list[str] = []
    for raw in records:
        try:
            part = read_record(raw, info, engine, topic, partition)
        except AnotherEngineError:
            continue
        except ValueError as error:
            notes.append(str(error))
            continue
        chains.setdefault(part.chain, _Chain()).parts[part.number, part.part] = part
    complete = [links for chain in chains.values() if (links := list(chain.links()))]
    for links in sorted(complete, key=lambda links: links[-1][0], reverse=True):
        state = PartitionState(info, topic, partition)
        try:
            _load(state, links)
        except (ValueError, KeyError, IndexError, TypeError) as error:
            notes.append(f"a checkpoint at offset {links[-1][0]} does not fit this run: {error}")
            continue
        return Restored(state, tuple(notes))
    return Restored(PartitionState(info, topic, partition), tuple(notes))


def _load(state: PartitionState, links: list[tuple[int, bytes]]) -> None:
    for next_offset, data in links:
        arrays: Arrays = unpack(data)
        state.load(arrays)
        if state.next_offset != next_offset:
            raise ValueError(f"offset {state.next_offset} in the state, {next_offset} in its record")
