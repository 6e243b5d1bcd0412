"""One colour for each meaning, the same on every board."""

from typing import Final

TRUTH: Final = "#8e8e8e"
"""Grey, dashed, and nothing else is grey."""
REQUESTED: Final = "#b58900"
BASELINE: Final = "#b58900"
AUDIENCE: Final = "#0072b2"
FIRST: Final = "#0072b2"
SECOND: Final = "#56b4e9"
WAITING: Final = "#e69f00"
JOIN: Final = "#009e73"
DROP: Final = "#d55e00"
LEAVE: Final = "#999933"
FAIL: Final = "#cc79a7"
ATTEMPT: Final = "#56b4e9"
ARRIVAL: Final = "#0072b2"
REACTION: Final = "#785ef0"
GOOD, BAD = "#009e73", "#d55e00"
ROOMS: Final = {"first": FIRST, "second": SECOND}
SUBJECTS: Final = {"launch": DROP, "announcement": REACTION, "other": LEAVE}
TWEET_KINDS: Final = {"post": AUDIENCE, "reply": JOIN, "quote": WAITING, "repost": REACTION}
STANCES: Final = {
    "thanks": JOIN,
    "speculation": WAITING,
    "mockery": DROP,
    "blame": FAIL,
    "support": AUDIENCE,
    "neutral": LEAVE,
}
PHASES: Final = {
    "open": ("open", "#56b4e9"),
    "scheduled_start": ("scheduled start", "#0072b2"),
    "melting": ("melting", DROP),
    "first_closed": ("first room closed", "#8b1a1a"),
    "second_room": ("second room", WAITING),
    "talk": ("talk", GOOD),
    "end": ("end", LEAVE),
    "night": ("night", "#44546a"),
    "thread": ("thread", REACTION),
    "aftermath": ("aftermath", "#b3a2f0"),
}
"""Text and colour of each phase: red is trouble, green is the talk that people came for."""
