"""The time of each captured record: its timestamp, or a field of its JSON value."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from streams.errors import UsageError

Ints: TypeAlias = npt.NDArray[np.int64]
UNKNOWN: Final = np.iinfo(np.int64).min
"""The time of a record that tells none."""
FORMATS: Final = ("ms", "s", "us", "ns", "iso")
_MS: Final = {"ms": (1, 1), "s": (1_000, 1), "us": (1, 1_000), "ns": (1, 1_000_000)}
"""Milliseconds as a fraction of each unit."""
_LATEST: Final = 253_402_300_800_000
"""The end of the year 9999; what lies beyond is no time but a number in another unit."""


class EventTime:
    """Finds the times of the rows of a batch.

    Args:
        field: The field of the JSON value, ``a.b`` for one inside another; None for the record's timestamp.
        form: One of ``FORMATS``: a number in that unit, or a text as ISO 8601 has it (UTC where it names no zone).

    Raises:
        UsageError: The field or the format is none.
    """

    def __init__(self, field: str | None = None, form: str = "ms") -> None:
        if form not in FORMATS:
            raise UsageError(f"--time-format {form!r}: expected {', '.join(FORMATS)}")
        if field is not None and not all(field.split(".")):
            raise UsageError(f"--time-field {field!r}: expected a field, or a.b for one inside another")
        self.field = field
        self.form = form
        self._path = [] if field is None else [f"field_{depth}" for depth in range(len(field.split(".")))]
        self._decode = None if field is None else msgspec.json.Decoder(_shape(field.split("."))).decode
        self._convert: Callable[[Any], int] = _iso_ms if form == "iso" else _number_ms(*_MS[form])

    def times(self, batch: pa.RecordBatch) -> Ints:
        """Return the time of each row in ms since the epoch, ``UNKNOWN`` where it tells none."""
        if self._decode is None:
            at: Ints = batch.column("timestamp").to_numpy()
            return np.where(at < 0, UNKNOWN, at)
        found = (self._time(value) for value in batch.column("value").to_pylist())
        return np.fromiter(found, np.int64, batch.num_rows)

    def _time(self, value: bytes | None) -> int:
        if value is None or self._decode is None:
            return UNKNOWN
        try:
            inside: Any = self._decode(value)
            for name in self._path:
                inside = getattr(inside, name)
            return self._convert(inside)
        except (msgspec.DecodeError, AttributeError, ValueError, OverflowError, UnicodeError, RecursionError):
            return UNKNOWN


def _shape(names: list[str]) -> Any:
    """Return a type that has one field alone, so that the rest of a value is passed over."""
    kind: Any = int | float | str | None
    for depth in reversed(range(len(names))):
        kind = msgspec.defstruct(
            f"Level{depth}", [(f"field_{depth}", kind | None, None)], rename={f"field_{depth}": names[depth]}
        )
    return kind


def _number_ms(times: int, part: int) -> Callable[[Any], int]:
    def convert(found: Any) -> int:
        if isinstance(found, str | None) or not 0 <= (time := found * times // part) < _LATEST:
            return UNKNOWN
        return int(time)

    return convert


def _iso_ms(found: Any) -> int:
    if not isinstance(found, str):
        return UNKNOWN
    time = datetime.fromisoformat(found)
    return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
