"""Arrays that grow."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_T = TypeVar("_T", bound=np.generic)


def longer(rows: NDArray[_T], size: int) -> NDArray[_T]:
    """Return an array with room for more rows: the same ones, then zeros, which take memory when they are written."""
    grown: NDArray[_T] = np.zeros((size, *rows.shape[1:]), rows.dtype)
    grown[: len(rows)] = rows
    return grown
