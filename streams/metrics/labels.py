"""The values of labels that come from a closed set, and how many values others may have."""

TOP_HASHTAGS = 10
TOP_ROOMS = 200
"""Rooms with series of their own, unless an option says otherwise: each has some twenty per engine."""
BOUNDS = ("estimate", "low", "high")
"""Values of the label ``bound``: an estimate and the ends of its interval."""
PRESENCE_KINDS = {
    "attempt": "attempts",
    "arrival": "arrivals",
    "join": "joins",
    "fail": "fails",
    "leave": "leaves",
    "give_up": "give_ups",
    "drop": "drops",
    "rejoin": "rejoins_60s",
}
"""Maps the label ``kind`` of presence metrics to the count of ``results.audience``."""
QUANTILES = (0.5, 0.95, 0.99)
"""Values of the label ``quantile``."""
DURATION_BOUNDS_MS = tuple(1 << power for power in range(8, 23))
"""Bounds of the label ``le`` below infinity, 0.256 s to 70 minutes: a bin begins at each of them."""
TWEET_KINDS = {"post": "posts", "reply": "replies", "quote": "quotes", "repost": "reposts"}
"""Maps the label ``kind`` of tweet metrics to the count of ``results.reaction``."""
REPLAY_STATES = ("playing", "paused", "moving", "ended", "failed")
