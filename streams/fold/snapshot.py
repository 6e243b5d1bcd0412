"""State as named arrays, the form in which it travels to a checkpoint and back."""

from typing import Any, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

Arrays: TypeAlias = dict[str, NDArray[Any]]
"""Arrays by name; only numbers and flags."""


class _Packed(msgspec.Struct, array_like=True, frozen=True):
    dtype: str
    shape: tuple[int, ...]
    data: bytes


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(dict[str, _Packed])


def pack(arrays: Arrays) -> bytes:
    """Pack arrays into bytes."""
    return _encoder.encode({name: _Packed(a.dtype.str, a.shape, a.tobytes()) for name, a in arrays.items()})


def unpack(data: bytes) -> Arrays:
    """Return the arrays ``pack`` packed.

    Raises:
        ValueError: They are cut off or altered.
    """
    try:
        packed = _decoder.decode(data)
        return {name: np.frombuffer(p.data, np.dtype(p.dtype)).reshape(p.shape) for name, p in packed.items()}
    except (msgspec.DecodeError, TypeError) as error:
        raise ValueError(str(error)) from None
