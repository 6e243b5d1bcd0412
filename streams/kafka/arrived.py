"""What has arrived on a socket, kept in the pieces it came in and joined once, when a whole answer is there."""

import asyncio
from typing import Any, Final

_UNLIMITED: Final = 1 << 40


class Arrived:
    """Stands in for the bytearray of an ``asyncio.StreamReader``, with what the reader uses of it.

    A bytearray is filled by one copy, read by a second, and what is left in it moved by a third: for answers of
    megabytes that is more than everything the worker does with them.
    """

    def __init__(self, data: bytes) -> None:
        self._pieces = [data]
        self._size = len(data)

    def __len__(self) -> int:
        return self._size

    def extend(self, data: bytes) -> None:
        """Add what has arrived."""
        self._pieces.append(data)
        self._size += len(data)

    def clear(self) -> None:
        """Forget everything."""
        self._pieces, self._size = [], 0

    def __getitem__(self, part: slice) -> bytes:
        return self._whole()[part]

    def __bytes__(self) -> bytes:
        return self._whole()

    def __buffer__(self, flags: int) -> memoryview:
        return memoryview(self._whole())

    def __delitem__(self, part: slice) -> None:
        rest = self._whole()[part.stop :]
        self._pieces, self._size = [rest], len(rest)

    def _whole(self) -> bytes:
        if len(self._pieces) != 1:
            self._pieces = [b"".join(self._pieces)]
        return self._pieces[0]


def keep_pieces(connection: Any) -> None:
    """Have a connection of aiokafka keep what arrives in pieces, without pausing while an answer is incomplete."""
    reader = connection._reader  # noqa: SLF001 - aiokafka makes its own reader and has no hook for another
    if isinstance(reader, asyncio.StreamReader) and not isinstance(reader._buffer, Arrived):  # type: ignore[attr-defined]  # noqa: SLF001 - as above
        reader._buffer = Arrived(bytes(reader._buffer))  # type: ignore[attr-defined]  # noqa: SLF001 - as above
        reader._limit = _UNLIMITED  # type: ignore[attr-defined]  # noqa: SLF001 - as above
