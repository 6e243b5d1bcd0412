"""Checkpoints of a partition's state: the form of their records, and which of those found can be trusted.

A *chain* is a whole state (number 0) and what changed after it (1, 2, …), each cut into parts of bounded size; every
record names its chain, number and part, and carries a checksum. Anything less than a complete, unbroken beginning of a
chain counts for nothing, so it does not matter where a writer was killed. As a state is a function of the partition's
records before its offset, every chain of this run is right, whoever wrote it and however late: the one that reaches
furthest is taken, and with none at all reading from offset 0 gives the same answer, later.
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
"""Parts stay below the 1 MiB a broker takes without being asked for more."""


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
    """Turns one partition's states into records; a new writer begins a new chain.

    Args:
        info: The run.
        engine: Name under which the results are published: a checkpoint says that these results are out.
        topic: Base name of the input topic.
        partition: Its number.
        grow: A chain's changes may take this many times the bytes of its whole state; then it begins anew.
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
        """Begin a new chain next time: a record of this one may be missing."""
        self._chain = ""

    def records(self, state: PartitionState) -> list[bytes]:
        """Return the records of the state as it is: what changed since the last call, or all of it."""
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
    """A checkpoint of results under another name: right where it is, only not ours."""


def read_record(raw: bytes, info: RunInfo, engine: str, topic: str, partition: int) -> CheckpointRecord:
    """Return a record of the checkpoint topic.

    Raises:
        ValueError: It is none, is damaged, or belongs to another run, tape, scenario, engine, partition or version of
            the code; the text says which.
    """
    try:
        part = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"not a checkpoint of this version: {error}") from None
    if part.checksum != _checksum(part):
        raise ValueError("damaged: the checksum does not fit")
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
        """Yield next offset and data of each complete link from the beginning, up to the first gap."""
        number = 0
        while (first := self.parts.get((number, 0))) is not None:
            found = [self.parts.get((number, part)) for part in range(first.parts)]
            if None in found:
                return
            yield first.next_offset, b"".join(part.data for part in found if part is not None)
            number += 1


@dataclass(frozen=True)
class Restored:
    """What could be restored of one partition, and what could not, in words."""

    state: PartitionState
    notes: tuple[str, ...] = ()


def restore(info: RunInfo, engine: str, topic: str, partition: int, records: Iterable[bytes]) -> Restored:
    """Return the state that reaches furthest among the records of a checkpoint partition; offset 0 if there is none."""
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
