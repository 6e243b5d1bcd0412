"""The words and clocks of a report: those of the simulated night, or of a recording of your own."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

_DAY_S: Final = 86_400


@dataclass(frozen=True)
class ReportClock:
    """A clock of a report; without ``short`` its times have the zone's own abbreviation, such as EDT."""

    name: str
    zone: tzinfo
    short: str = ""

    def moment(self, days: float) -> datetime:
        """Return a time, given in days since the epoch, as this clock has it."""
        return datetime.fromtimestamp(round(days * _DAY_S), self.zone)

    def text(self, days: float) -> str:
        """Return a time with the name of the clock."""
        moment = self.moment(days)
        return f"{moment:%H:%M} {self.short or f'{moment:%Z}'}"


_UTC: Final = ReportClock("UTC", UTC, "UTC")


@dataclass(frozen=True)
class Wording:
    """How a report names things.

    Args:
        clocks: Shown next to each other; dates are those of the first.
        posts: What people write.
        room: The form of a room's name.
        rooms_title: Heading of the picture of the rooms.
        posts_title: Heading of the picture of what people write.
        own: It is a recording of real people.
    """

    clocks: tuple[ReportClock, ...] = (_UTC, ReportClock("US Eastern", ZoneInfo("America/New_York"), "ET"))
    posts: str = "tweets"
    room: str = "{} room"
    rooms_title: str = "The launch"
    posts_title: str = "The tweets"
    own: bool = False

    def clock(self, at: float) -> str:
        """Return an event time (ms) on each clock."""
        return ", ".join(clock.text(at / (_DAY_S * 1000)) for clock in self.clocks)


SIMULATED: Final = Wording()


def of_recording(zone: str | None) -> Wording:
    """Return the words for a recording of your own, whose times are of this zone; None: UTC."""
    local = () if zone in {None, "UTC"} else (ReportClock(str(zone), ZoneInfo(str(zone))),)
    return Wording((*local, _UTC), "posts", "{}", "The rooms", "The posts", own=True)
