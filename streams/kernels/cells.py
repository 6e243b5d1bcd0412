"""What a presence event counts as: one small number per event, so that a window's counts are one histogram."""

from typing import Final

ATTEMPT: Final = 0
FIRST_ATTEMPT: Final = 1
"""An attempt with ``try`` = 1: an arrival."""
JOIN: Final = 2
REJOIN: Final = 3
"""A join within 60 seconds of the drop before it."""
FAIL: Final = 4
LEAVE: Final = 5
GIVE_UP: Final = 6
"""A leave by a listener who was waiting."""
DROP: Final = 7
CELLS: Final = 8

SUMS: Final[dict[str, tuple[int, ...]]] = {
    "attempts": (ATTEMPT, FIRST_ATTEMPT),
    "arrivals": (FIRST_ATTEMPT,),
    "joins": (JOIN, REJOIN),
    "fails": (FAIL,),
    "leaves": (LEAVE,),
    "give_ups": (GIVE_UP,),
    "drops": (DROP,),
    "rejoins_60s": (REJOIN,),
}
"""Which cells add up to which count of ``results.audience``."""
