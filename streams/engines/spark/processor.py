"""What runs in Spark's tasks: a fold per partition, with its state in Spark's state store."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
from pyspark.sql.streaming import StatefulProcessor, StatefulProcessorHandle

from streams.contract import runinfo
from streams.contract.topics import INPUTS
from streams.engines.spark.rows import OutRow, to_row
from streams.engines.spark.storedfold import StoredFold


class MapChunks:
    """The chunks of one key, in a map of Spark's state store."""

    def __init__(self, state: Any) -> None:
        self._state = state

    def get(self, kind: str, number: int) -> bytes | None:
        """Return the bytes; None if there are none."""
        found = self._state.getValue((kind, number))
        return None if found is None else bytes(found[0])

    def put(self, kind: str, number: int, value: bytes) -> None:
        """Keep the bytes; they are part of the state once Spark has committed the micro-batch."""
        self._state.updateValue((kind, number), (value,))


class FoldProcessor(StatefulProcessor):  # type: ignore[misc]  # typed only if Spark is installed
    """Folds the records of one partition of an input topic.

    Args:
        info: The record of ``run.info``.
        engine: The engine name in result keys.
    """

    def __init__(self, info: bytes, engine: str) -> None:
        self._info, self._engine = info, engine

    def init(self, handle: StatefulProcessorHandle) -> None:
        """Open the state."""
        self._run = runinfo.decode_info(self._info)
        self._base = {self._run.topics[base]: base for base in INPUTS}
        self._state = handle.getMapState("chunks", "kind STRING, number LONG", "value BINARY")

    def handleInputRows(  # noqa: N802 - Spark's name
        self,
        key: tuple[str, int],
        rows: Iterator[pd.DataFrame],
        timerValues: Any,  # noqa: ARG002, N803 - Spark's name
    ) -> Iterator[pd.DataFrame]:
        """Fold one partition's records of a micro-batch; their order is that of their offsets, not Spark's."""
        topic, partition = key
        fold = StoredFold(self._run, self._engine, self._base[topic], int(partition), MapChunks(self._state))
        records = [one for frame in rows for one in zip(frame["offset"].tolist(), frame["value"].tolist(), strict=True)]
        records.sort(key=lambda record: record[0])
        errors = [(fold.step(raw, offset), raw) for offset, raw in records]
        dead_letters = [(error, raw) for error, raw in errors if error is not None]
        out = [to_row(one) for one in (*dead_letters, *fold.finish())]
        yield pd.DataFrame(out, columns=list(OutRow._fields))

    def close(self) -> None:
        """Close nothing: Spark closes the state."""
