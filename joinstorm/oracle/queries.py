"""The truth, count by count: one SQL query each, over the tape's streams ``presence`` and ``tweets``.

Every query returns rows of ``window`` (start, ms), ``name`` (space or subject) and ``value``. A query for a family of
counts (hashtags, stances, durations, breakdowns) also returns ``member``, before ``value``. ``window_of(at)`` is the
start of the window that contains an event time, ``bin_of(duration)`` the first millisecond of the bin that contains a
duration.
"""

from dataclasses import dataclass
from typing import Literal

PRESENCE = """
    SELECT "at", kind, person, space, client, "try", reason, since_drop_ms
    FROM tape WHERE topic = 'space.presence'
"""
TWEETS = """
    SELECT "at", kind, person, conversation, coalesce(hashtags, []) AS hashtags, label_stance, {subject} AS subject
    FROM tape WHERE topic = 'tweets'
"""
BIN_OF = """
    CREATE MACRO bin_of(duration) AS
        (duration - duration % (1::BIGINT << greatest(length(bin(duration::BIGINT)) - 3, 0)))::VARCHAR
"""


@dataclass(frozen=True)
class CountQuery:
    """One count and its query.

    Args:
        count: Name of the count; for a family, the prefix of each ``member``.
        table: The table it belongs to.
        description: What it counts.
        sql: The query.
    """

    count: str
    table: Literal["audience", "reaction", "estimates"]
    description: str
    sql: str


def _per_event(table: Literal["presence", "tweets"], name: str, condition: str) -> str:
    return f"""
        SELECT window_of("at") AS "window", {name} AS name, count(*) AS value
        FROM {table} WHERE {condition}
        GROUP BY ALL
    """  # noqa: S608 - every part is from this module


def _audience(count: str, description: str, condition: str) -> CountQuery:
    return CountQuery(count, "audience", description, _per_event("presence", "space", condition))


def _reaction(count: str, description: str, condition: str) -> CountQuery:
    return CountQuery(count, "reaction", description, _per_event("tweets", "subject", condition))


def _first_wait(count: str, description: str, end: str, condition: str) -> CountQuery:
    """Return the query for people whose first wait has ended in a certain way."""
    sql = f"""
        WITH person AS (
            SELECT
                person,
                min("at") FILTER (kind = 'attempt') AS tried,
                min("at") FILTER (kind = 'join') AS joined,
                min("at") FILTER (kind = 'leave') AS gone
            FROM presence
            GROUP BY ALL
        )
        SELECT window_of({end}) AS "window", '*' AS name, bin_of({end} - tried) AS member, count(*) AS value
        FROM person WHERE tried <= {end} AND {condition}
        GROUP BY ALL
    """  # noqa: S608 - every part is from this module
    return CountQuery(count, "audience", description, sql)


def _breakdown(count: str, description: str, condition: str, column: str, known: str) -> CountQuery:
    """Return the query for events by a column; values that are not known count as ``other``."""
    sql = f"""
        SELECT
            window_of("at") AS "window", space AS name,
            CASE WHEN {column} IN ({known}) THEN {column} ELSE 'other' END AS member, count(*) AS value
        FROM presence WHERE {condition}
        GROUP BY ALL
    """  # noqa: S608 - every part is from this module
    return CountQuery(count, "audience", description, sql)


def _by_client(count: str, description: str, condition: str) -> CountQuery:
    return _breakdown(count, f"{description}, by client", condition, "client", "'web', 'ios', 'android'")


def _by_reason(count: str, description: str, condition: str) -> CountQuery:
    known = "'overloaded', 'room_closed', 'connection_lost', 'login_failed', 'timed_out'"
    return _breakdown(count, f"{description}, by reason", condition, "reason", known)


QUERIES: tuple[CountQuery, ...] = (
    _audience("attempts", "attempts to join the space", "kind = 'attempt'"),
    _audience("arrivals", "first attempts of a sitting", "kind = 'attempt' AND \"try\" = 1"),
    _audience("joins", "people let into the space", "kind = 'join'"),
    _audience("fails", "attempts refused", "kind = 'fail'"),
    _audience("drops", "people dropped from the space", "kind = 'drop'"),
    _audience("leaves", "people who left of their own will", "kind = 'leave' AND reason IS DISTINCT FROM 'gave_up'"),
    _audience("give_ups", "people who gave up waiting", "kind = 'leave' AND reason = 'gave_up'"),
    _audience("rejoins_60s", "joins at most 60 s after a drop", "kind = 'join' AND since_drop_ms <= 60000"),
    CountQuery(
        "first_joins",
        "audience",
        "people whose first join into this space is in the window",
        """
        WITH first AS (SELECT space, person, min("at") AS "at" FROM presence WHERE kind = 'join' GROUP BY ALL)
        SELECT window_of("at") AS "window", space AS name, count(*) AS value FROM first GROUP BY ALL
        """,
    ),
    CountQuery(
        "first_joins",
        "audience",
        "people whose first join into any space is in the window",
        """
        WITH first AS (SELECT person, min("at") AS "at" FROM presence WHERE kind = 'join' GROUP BY ALL)
        SELECT window_of("at") AS "window", '*' AS name, count(*) AS value FROM first GROUP BY ALL
        """,
    ),
    CountQuery(
        "waited_20m",
        "audience",
        "people whose first attempt was 20 minutes ago and who have not left, before the talk begins",
        """
        WITH person AS (
            SELECT
                person,
                min("at") FILTER (kind = 'attempt') + 20 * 60 * 1000 AS waited,
                min("at") FILTER (kind = 'leave') AS gone
            FROM presence WHERE kind IN ('attempt', 'leave')
            GROUP BY ALL
        )
        SELECT window_of(waited) AS "window", '*' AS name, count(*) AS value
        FROM person
        WHERE waited <= $talk_start AND (gone IS NULL OR gone > waited)
        GROUP BY ALL
        """,
    ),
    _first_wait(
        "time_to_join:",
        "people by the time from their first attempt to their first join",
        "joined",
        "(gone IS NULL OR joined <= gone)",
    ),
    _first_wait(
        "time_to_exit:",
        "people who left before any join, by the time from their first attempt",
        "gone",
        "(joined IS NULL OR gone < joined)",
    ),
    CountQuery(
        "time_to_rejoin:",
        "audience",
        "joins after a drop, by the time since the drop",
        """
        SELECT window_of("at") AS "window", space AS name, bin_of(since_drop_ms) AS member, count(*) AS value
        FROM presence WHERE kind = 'join' AND since_drop_ms IS NOT NULL
        GROUP BY ALL
        """,
    ),
    _by_client("joins_by_client:", "people let into the space", "kind = 'join'"),
    _by_client("fails_by_client:", "attempts refused", "kind = 'fail'"),
    _by_client("drops_by_client:", "people dropped from the space", "kind = 'drop'"),
    _by_client(
        "leaves_by_client:", "people who left of their own will", "kind = 'leave' AND reason IS DISTINCT FROM 'gave_up'"
    ),
    _by_reason("fails_by_reason:", "attempts refused", "kind = 'fail'"),
    _by_reason("drops_by_reason:", "people dropped from the space", "kind = 'drop'"),
    _reaction("posts", "posts of their own", "kind = 'post'"),
    _reaction("replies", "replies", "kind = 'reply'"),
    _reaction("quotes", "quotes", "kind = 'quote'"),
    _reaction("reposts", "reposts", "kind = 'repost'"),
    _reaction("thread_reposts", "reposts of the thread", "kind = 'repost' AND conversation::VARCHAR = $thread"),
    CountQuery(
        "hashtag:",
        "reaction",
        "tweets that carry the tag, once per tweet",
        """
        WITH tagged AS (SELECT "at", subject, unnest(list_distinct(hashtags)) AS member FROM tweets)
        SELECT window_of("at") AS "window", subject AS name, member, count(*) AS value FROM tagged GROUP BY ALL
        """,
    ),
    CountQuery(
        "first_authors",
        "reaction",
        "authors whose first tweet on this subject is in the window",
        """
        WITH first AS (SELECT subject, person, min("at") AS "at" FROM tweets GROUP BY ALL)
        SELECT window_of("at") AS "window", subject AS name, count(*) AS value FROM first GROUP BY ALL
        """,
    ),
    CountQuery(
        "first_authors",
        "reaction",
        "authors whose first tweet on any subject is in the window",
        """
        WITH first AS (SELECT person, min("at") AS "at" FROM tweets GROUP BY ALL)
        SELECT window_of("at") AS "window", '*' AS name, count(*) AS value FROM first GROUP BY ALL
        """,
    ),
    CountQuery(
        "stance:",
        "estimates",
        "tweets the generator intended with this stance",
        """
        SELECT window_of("at") AS "window", subject AS name, label_stance AS member, count(*) AS value
        FROM tweets WHERE label_stance IS NOT NULL
        GROUP BY ALL
        """,
    ),
)
"""Every count of docs/architecture.md, including those over all spaces or subjects."""
