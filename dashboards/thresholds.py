"""Every threshold of the boards and the rules; docs/runbooks.md explains how each was chosen.

Values of the night are as of event time, so no threshold depends on the speed of the replay. Shares are relative to
the crowd or the room, so they hold at every scale.
"""

from typing import Final

DROP_RATIO: Final = 0.015
"""LaunchMelting: more than this share of a room was dropped within a minute of event time."""
JOIN_SUCCESS: Final = 0.75
"""JoinSuccessLow: less than this share of the answered attempts succeeded."""
COLLAPSE: Final = 0.5
"""AudienceCollapse: the rooms hold less than this share of their peak, and more people wait than are inside."""
WAITING_SHARE: Final = 0.07
"""WaitingRoomGrowing: more than this share of the crowd (in the rooms or waiting) is waiting …"""
WAITING_FALL: Final = 0.08
"""… and their number did not fall by this share of itself within a minute of event time. While a room melts, the number
rises and stands still in waves; where people get in again, a sixth of it goes each minute."""
ENOUGH_EVENTS: Final = 30
"""A ratio counts only with at least so many events: half of three joins is no incident, and nine tweets no surge."""
LAG_SECONDS: Final = 10.0
"""ProcessorBehind: more than so many seconds of wall clock time have been sent and not counted."""
ENGINE_MISSING_MINUTES: Final = 1
"""ProcessorUnfinished: the replay ended so many minutes ago (wall clock), and an engine has not."""
ON_TIME_RATIO: Final = 0.99
"""ReplayOffSchedule: less than this share of the paced events was sent within 100 ms of the due time …"""
ENOUGH_SENT: Final = 1000
"""… of at least so many: the first batch of a run waits for its connection."""
LATENESS_SECONDS: Final = 0.1
"""The limit of "on time", as in the replay."""
SURGE: Final = 3.0
"""AnnouncementSurge: tweets on the announcement exceed so many times their baseline, and it by ``ENOUGH_EVENTS``."""
