"""One colour for each meaning, the same on every board."""

from typing import Final

from streams.contract.names import IncidentName

TRUTH: Final = "#8e8e8e"
"""Grey and dashed, as nothing else is."""
CAPACITY: Final = "#8e8e8e"
"""What the rooms can hold, as simulated: grey as the truth, but one thin line without dashes."""
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
QUANTILES: Final = {"^0.5$": AUDIENCE, "^0.95$": WAITING, "^0.99$": DROP}
ROOMS: Final = {"first": FIRST, "second": SECOND}
SUBJECTS: Final = {"launch": DROP, "announcement": REACTION, "other": LEAVE}
TWEET_KINDS: Final = {"post": AUDIENCE, "reply": JOIN, "quote": WAITING, "repost": REACTION}
CLIENTS: Final = {"web": "#56b4e9", "ios": FAIL, "android": JOIN, "other": LEAVE}
CAUSES: Final = {
    "overloaded": DROP,
    "room_closed": "#8b1a1a",
    "connection_lost": WAITING,
    "login_failed": FAIL,
    "timed_out": REACTION,
    "other": LEAVE,
}
STANCES: Final = {
    "thanks": JOIN,
    "speculation": WAITING,
    "mockery": DROP,
    "blame": FAIL,
    "support": AUDIENCE,
    "neutral": LEAVE,
}
INCIDENTS: Final = {
    IncidentName.CAPACITY_LOST: DROP,
    IncidentName.OUTAGE: "#8b1a1a",
    IncidentName.APP_OUTAGE: "#8b1a1a",
    IncidentName.BAD_DEPLOY: DROP,
    IncidentName.ROUTINE_DEPLOY: LEAVE,
    IncidentName.AUTOSCALING: DROP,
    IncidentName.LOGIN_OUTAGE: FAIL,
    IncidentName.SLOW_ANSWERS: FAIL,
    IncidentName.CROWD_PEAK: SECOND,
    IncidentName.EXODUS: LEAVE,
}
"""Colour of each incident of the shipped nights: red where listeners are dropped, pink where they cannot get in."""
AFTER_INCIDENT: Final = "#44546a"
PHASES: Final = {
    "open": ("open", "#56b4e9"),
    "scheduled_start": ("scheduled start", "#0072b2"),
    "melting": ("melting", DROP),
    "first_closed": ("first room closed", "#8b1a1a"),
    "second_room": ("second room", WAITING),
    "talk": ("talk", GOOD),
    "end": ("end", LEAVE),
    "night": ("night", "#7388a8"),
    "thread": ("thread", REACTION),
    "aftermath": ("aftermath", "#b3a2f0"),
    **{str(one): (one.replace("_", " "), colour) for one, colour in INCIDENTS.items()},
    **{one.after: (f"after the {one.replace('_', ' ')}", AFTER_INCIDENT) for one in INCIDENTS},
}
"""Text and colour of each phase: red is trouble, green is the talk that people came for."""
