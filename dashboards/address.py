"""The address of a board with a time range and values of its variables."""

import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Final

from streams.contract.names import MINUTE_MS
from streams.contract.runinfo import Phase

GRAFANA: Final = "http://localhost:3000"
LAUNCH: Final = "joinstorm-launch"
_AFTERWARDS_MS: Final = 30 * MINUTE_MS


def board_address(uid: str, start: int, end: int, variables: Mapping[str, str], grafana: str = GRAFANA) -> str:
    """Return the address of a board.

    Args:
        uid: The board.
        start: Begin of the time range, in milliseconds since the epoch.
        end: Its end.
        variables: Values of the board's variables by name.
        grafana: Address of Grafana.
    """
    query = {"from": start, "to": end, **{f"var-{name}": value for name, value in variables.items()}}
    return f"{grafana.rstrip('/')}/d/{uid}?{urllib.parse.urlencode(query)}"


def first_stretch(phases: Sequence[Phase], start: int, end: int) -> tuple[int, int]:
    """Return the time range (ms) to open *The launch* with: from the first moment until half an hour of a quiet phase.

    Args:
        phases: The phases of the night.
        start: Its first moment (ms).
        end: Its last one.
    """
    return start, min([end, *(phase.start + _AFTERWARDS_MS for phase in phases if phase.quiet)])
