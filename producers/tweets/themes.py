"""The themes that people write about: subject, phrases, stances and effect of each."""

from dataclasses import dataclass
from typing import Final

from streams.contract.names import ANNOUNCEMENT, LAUNCH, OTHER
from streams.contract.results import STANCES

THREAD: Final = "thread"


@dataclass(frozen=True)
class Theme:
    """One thing people write about."""

    name: str
    """Also the name of its random streams."""
    subject: str
    """The label of its tweets."""
    register: str
    """The register of its phrases (``producers.tweets.grammar``)."""
    mix: tuple[int, ...]
    """A weight per stance, in the order of ``STANCES``."""
    effect: bool = False
    """Whether its tweets exist only because of the announcement."""


def _mix(**weights: int) -> tuple[int, ...]:
    return tuple(weights.get(stance, 0) for stance in STANCES)


THEMES: Final = (
    Theme("background", OTHER, "everyday", _mix(neutral=78, support=8, thanks=7, mockery=4, speculation=3)),
    Theme("farewells", OTHER, "farewells", _mix(thanks=55, support=20, neutral=25)),
    Theme(
        "anticipation",
        LAUNCH,
        "anticipation",
        _mix(neutral=50, support=24, speculation=10, mockery=12, blame=2, thanks=2),
    ),
    Theme("wave", LAUNCH, "wave", _mix(mockery=60, blame=15, neutral=11, speculation=7, support=5, thanks=2)),
    Theme("talk", LAUNCH, "talk", _mix(neutral=42, support=25, mockery=18, blame=5, thanks=5, speculation=5)),
    Theme(
        "aftermath", LAUNCH, "aftermath", _mix(mockery=34, blame=20, neutral=18, support=16, speculation=9, thanks=3)
    ),
    Theme(
        THREAD,
        ANNOUNCEMENT,
        "announcement",
        _mix(thanks=46, support=14, speculation=18, mockery=10, blame=6, neutral=6),
        effect=True,
    ),
    Theme(
        "about",
        ANNOUNCEMENT,
        "announcement",
        _mix(speculation=36, thanks=18, mockery=18, blame=12, support=8, neutral=8),
        effect=True,
    ),
)
"""All themes; a theme's index is its number in the layout and, counted from 1, the maker in tweet ids."""
PLACE: Final = {theme.name: place for place, theme in enumerate(THEMES)}
