"""One colour for each meaning, the same on every board."""

from typing import Final

TRUTH: Final = "#8e8e8e"
BASELINE: Final = "#8e8e8e"
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
SUBJECTS: Final = {"launch": DROP, "announcement": REACTION, "other": TRUTH}
TWEET_KINDS: Final = {"post": AUDIENCE, "reply": JOIN, "quote": WAITING, "repost": REACTION}
STANCES: Final = {
    "thanks": JOIN,
    "speculation": WAITING,
    "mockery": DROP,
    "blame": FAIL,
    "support": AUDIENCE,
    "neutral": TRUTH,
}
