"""Every threshold of the boards and the rules, in one place; docs/runbooks.md says how each was chosen.

Values of the night are as of event time, so none of these depends on the speed of the replay. Shares are of the crowd
or the room itself, so they hold at every scale.
"""

from typing import Final

DROP_RATIO: Final = 0.03
"""LaunchMelting: more than this share of a room is dropped within a minute of event time."""
JOIN_SUCCESS: Final = 0.75
"""JoinSuccessLow: fewer than this share of the answered attempts is let in."""
COLLAPSE: Final = 0.5
"""AudienceCollapse: the rooms hold less than this share of the most they have held, while more want in than are in."""
WAITING_SHARE: Final = 0.05
"""WaitingRoomGrowing: more than this share of the crowd (in the rooms or waiting) waits …"""
WAITING_GROWTH: Final = 0.01
"""… and the number waiting has grown by more than this share of the crowd within a minute of event time."""
ENOUGH_EVENTS: Final = 30
"""A ratio of a minute counts only when this many events stand behind it: half of three joins is no incident."""
LAG_SECONDS: Final = 10.0
"""ProcessorBehind: so many seconds of the replay's own time are sent and not counted."""
ENGINE_MISSING_MINUTES: Final = 1
"""ProcessorUnfinished: the replay ended so many minutes ago (wall clock) and an engine has not."""
ON_TIME_RATIO: Final = 0.99
"""ReplayOffSchedule: fewer than this share of the paced events left within 100 ms of their due time."""
LATENESS_SECONDS: Final = 0.1
"""What "on time" means: the replay's own limit."""
SURGE: Final = 3.0
"""AnnouncementSurge: tweets on the announcement are more than so many times their baseline."""
