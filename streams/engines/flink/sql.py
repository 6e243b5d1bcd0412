"""The SQL of the Flink job: the statements in ``statements/``, completed with the values of one run.

It does not import Flink, so the SQL can be inspected and tested without it.
"""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from string import Template
from typing import Final, Literal

from streams.contract.breakdowns import BY_CLIENT, BY_REASON, CAUSES, CLIENTS
from streams.contract.durations import TIME_TO_EXIT, TIME_TO_JOIN, TIME_TO_REJOIN
from streams.contract.events import GAVE_UP, REJOIN_WITHIN_MS, WAITED_MS, PresenceKind
from streams.contract.names import OTHER
from streams.contract.runinfo import RunInfo, SubjectRule
from streams.contract.topics import DEAD_LETTERS, PRESENCE, TWEETS
from streams.kafka.connection import Connection

Late = Literal["count", "drop"]
"""Whether events that arrive after their window has closed are counted or dropped."""
LATENESS_SECONDS: Final = 5
"""How far the watermark is behind the newest event if late events are dropped; the usual value in manuals."""
INSERT: Final = "INSERT "
"""How the statements begin that together are the job."""
_PARTS: Final = {"count": "late_counted.sql", "drop": "late_dropped.sql"}


def counts_topic(info: RunInfo, engine: str) -> str:
    """Return the name of the private topic for Flink's counts."""
    return f"{info.prefix}flink.{engine}.{info.run}"


def statements(info: RunInfo, engine: str, connection: Connection, late: Late = "count") -> list[str]:
    """Return the statements in order: tables and views, then the ``INSERT`` statements that run as one job."""
    folder = files("streams.engines.flink") / "statements"
    texts = [(folder / part).read_text("utf-8") for part in ("sources.sql", _PARTS[late], "results.sql")]
    known = {**_broker(connection, late), **_run(info), **_late(late), "counts_topic": counts_topic(info, engine)}
    pieces = [piece.strip() for text in texts for piece in _without_comments(text).split(";\n")]
    return [Template(piece).substitute(known) for piece in pieces if piece]


def _without_comments(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("--"))


def _broker(connection: Connection, late: Late) -> dict[str, object]:
    # By default Flink emits a watermark every 200 ms of wall clock; which events are late would depend on the speed.
    watermark = "'scan.watermark.emit.strategy' = 'on-event',\n  " if late == "drop" else ""
    address = f"'properties.bootstrap.servers' = {literal(connection.bootstrap_servers)}"
    reading = f"""'connector' = 'kafka',
  {address},
  {watermark}'scan.startup.mode' = 'earliest-offset',
  'properties.isolation.level' = 'read_committed',
  'format' = 'raw'"""
    return {"connection": address, "reading": reading}


def _run(info: RunInfo) -> dict[str, object]:
    return {
        "presence_topic": info.topics[PRESENCE],
        "tweets_topic": info.topics[TWEETS],
        "dead_letters_topic": info.topics[DEAD_LETTERS],
        "window_ms": info.window_ms,
        "window_seconds": f"{info.window_ms / 1000:.3f}",
        "talk_start": info.talk_start,
        "waited_ms": WAITED_MS,
        "gave_up": GAVE_UP,
        "rejoin_within_ms": REJOIN_WITHIN_MS,
        "time_to_join": _in_bin(TIME_TO_JOIN, "first_join - tried"),
        "time_to_exit": _in_bin(TIME_TO_EXIT, "first_leave - tried"),
        "time_to_rejoin": _in_bin(TIME_TO_REJOIN, "since_drop_ms"),
        "by_client": _family(BY_CLIENT, "client", CLIENTS),
        "by_reason": _family(BY_REASON, "reason", CAUSES),
        "thread": literal(info.thread) if info.thread else "CAST(NULL AS STRING)",
        "subjects": "\n    ".join(_when(rule) for rule in info.subjects if _tests(rule)) or "WHEN FALSE THEN ''",
    }


def _late(late: Late) -> dict[str, object]:
    if late == "count":
        read = {"presence_read": "presence_once", "tweets_read": "tweets_once", "ends_read": "ends"}
        return {"watermark": "", "happened": "", **read}
    # An end mark advances the watermark by a day, so that the last windows close too. A watermark by partition is made
    # in the source, where no Python runs, so Flink's own functions read the two fields.
    watermark = f""",
  happened AS TO_TIMESTAMP_LTZ(COALESCE(TRY_CAST(JSON_VALUE(CAST(data AS STRING), '$.at') AS BIGINT), 0), 3),
  WATERMARK FOR happened AS
    IF(JSON_VALUE(CAST(data AS STRING), '$.mark') = 'end',
      happened + INTERVAL '1' DAY, happened - INTERVAL '{LATENESS_SECONDS}' SECOND)"""
    read = {"presence_read": "presence_events", "tweets_read": "tweet_events", "ends_read": "ends_read"}
    return {"watermark": watermark, "happened": ", happened", **read}


def _in_bin(family: str, duration: str) -> str:
    """Return the count that holds a duration (see ``streams.contract.durations``), as an SQL expression."""
    width = f"CAST(POWER(2, GREATEST(CHAR_LENGTH(BIN({duration})) - 3, 0)) AS BIGINT)"
    return f"{literal(family)} || CAST({duration} - MOD({duration}, {width}) AS STRING)"


def _family(families: Mapping[PresenceKind, str], column: str, known: Sequence[str]) -> str:
    """Return the breakdown that an event increments, as an SQL expression."""
    prefixes = " ".join(f"WHEN {literal(kind)} THEN {literal(family)}" for kind, family in families.items())
    members = ", ".join(map(literal, known))
    return f"(CASE kind {prefixes} END) || (CASE WHEN {column} IN ({members}) THEN {column} ELSE {literal(OTHER)} END)"


def literal(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _when(rule: SubjectRule) -> str:
    return f"WHEN {' OR '.join(_tests(rule))} THEN {literal(rule.subject)}"


def _tests(rule: SubjectRule) -> list[str]:
    return [
        *(f"conversation = {literal(one)}" for one in rule.conversations),
        *(f"COALESCE(ARRAY_CONTAINS(hashtags, {literal(one)}), FALSE)" for one in rule.hashtags),
        *(f"POSITION({literal(one)} IN lower_text) > 0" for one in rule.words),
    ]
