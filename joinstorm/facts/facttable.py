"""The table of facts: what is known of the night, compared with a tape, row by row (docs/scenarios.md).

Counts are divided by the tape's size (its scale times the scenario's ``size``), so that a night recorded at a tenth
compares with the figures of the real one.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import duckdb
import msgspec

from joinstorm.oracle.queries import PRESENCE, QUERIES
from joinstorm.oracle.tapedatabase import tape_database
from producers.recording import expected_of
from producers.scenario.loading import load, names
from producers.scenario.spec import Fact, Measure, Scenario
from producers.tape.tapefile import Tape
from streams.contract.names import MINUTE_MS
from streams.errors import NoFactsError, TapeError

SPEAKS_MS: Final = 3 * MINUTE_MS
"""The candidate is assumed to speak this long after the start of the talk."""
_HOUR_MS: Final = 3_600_000
_AUDIENCE: Final = """
    CREATE TABLE audience AS
    SELECT space, second, sum(change) OVER (PARTITION BY space ORDER BY second) AS held
    FROM (
        SELECT space, "at" // 1000 AS second, sum(CASE WHEN kind = 'join' THEN 1 ELSE -1 END) AS change
        FROM presence
        WHERE kind IN ('join', 'drop') OR (kind = 'leave' AND reason IS DISTINCT FROM 'gave_up')
        GROUP BY ALL
    )
"""
_WAITED: Final = next(query.sql for query in QUERIES if query.count == "waited_20m")


@dataclass(frozen=True)
class MeasureSpec:
    """How one figure is measured on a tape.

    Args:
        label: What it is.
        unit: The unit of the figure.
        sql: Returns one value, null where there is nothing to measure; parameters are the night's times (ms), spaces
            and the thread.
        count: Whether the figure grows with the size of the night.
    """

    label: str
    unit: str
    sql: str
    count: bool = False


MEASURES: Final[dict[Measure, MeasureSpec]] = {
    "scheduled_start_hour": MeasureSpec(
        "hour of the scheduled start", "h UTC", f"SELECT ($scheduled % (24 * {_HOUR_MS})) / {_HOUR_MS}"
    ),
    "waited_20m": MeasureSpec(
        "people who waited 20 minutes or more",
        "people",
        f"SELECT sum(value) FROM ({_WAITED})",  # noqa: S608 - the oracle's own query
        count=True,
    ),
    "kicked_out": MeasureSpec(
        "people dropped by an overloaded room at least once",
        "people",
        "SELECT count(DISTINCT person) FROM presence WHERE kind = 'drop' AND reason = 'overloaded'",
        count=True,
    ),
    "failed_share_melting": MeasureSpec(
        "attempts that failed while the first room melted",
        "ratio",
        """SELECT count(*) FILTER (kind = 'fail') / count(*)::DOUBLE FROM presence
        WHERE kind IN ('fail', 'join') AND "at" BETWEEN $melting AND $closed""",
    ),
    "passes_382000_minutes": MeasureSpec(
        "the first room reaches 382,000 listeners",
        "min past the start",
        """SELECT (min(second) * 1000 - $scheduled) / 60000 FROM audience
        WHERE space = $first AND held >= 382000 * $size""",
    ),
    "first_room_peak": MeasureSpec(
        "largest audience of the first room",
        "listeners",
        "SELECT max(held) FROM audience WHERE space = $first",
        count=True,
    ),
    "first_closed_minutes": MeasureSpec(
        "the first room is closed", "min past the start", "SELECT ($closed - $scheduled) / 60000"
    ),
    "talk_late_minutes": MeasureSpec("the talk begins", "min past the start", "SELECT ($talk - $scheduled) / 60000"),
    "second_room_speaking": MeasureSpec(
        "audience of the second room when the candidate speaks",
        "listeners",
        f"""SELECT held FROM audience WHERE space = $second AND second <= ($talk + {SPEAKS_MS}) // 1000
        ORDER BY second DESC LIMIT 1""",  # noqa: S608 - a number of this module
        count=True,
    ),
    "second_room_distinct": MeasureSpec(
        "distinct people in the second room",
        "people",
        "SELECT count(DISTINCT person) FROM presence WHERE kind = 'join' AND space = $second",
        count=True,
    ),
    "talk_minutes": MeasureSpec("length of the talk", "min", "SELECT ($end - $talk) / 60000"),
    "talk_drops_per_listener_hour": MeasureSpec(
        "drops during the talk, per listener and hour",
        "drops",
        """WITH
        steps AS (SELECT held, second, lead(second) OVER (PARTITION BY space ORDER BY second) AS next FROM audience),
        hours AS (
            SELECT sum(held * (next - second)) / 3600 AS hours FROM steps
            WHERE second * 1000 BETWEEN $talk AND $end
        ),
        drops AS (SELECT count(*) AS drops FROM presence WHERE kind = 'drop' AND "at" BETWEEN $talk AND $end)
        SELECT drops / hours FROM drops, hours WHERE hours > 0""",
    ),
    "mockery_before_talk": MeasureSpec(
        "mocking tweets between the failure and the talk",
        "tweets",
        """SELECT count(*) FROM tape
        WHERE topic = 'tweets' AND label_stance = 'mockery' AND "at" BETWEEN $melting AND $talk""",
        count=True,
    ),
    "thread_hours_later": MeasureSpec(
        "the thread begins", "h past the start", f"SELECT ($announced - $scheduled) / {_HOUR_MS}"
    ),
    "thread_posts": MeasureSpec(
        "posts of the thread by its author",
        "posts",
        """SELECT count(*) FROM tape AS post
        WHERE conversation = $thread AND kind IN ('post', 'reply')
        AND person = (SELECT person FROM tape WHERE tweet_id = $thread)""",
    ),
    "incident_drops": MeasureSpec(
        "drops in the phases in which alerts have to fire, per listener let in",
        "drops",
        """SELECT count(*) / (SELECT count(DISTINCT person) FROM presence WHERE kind = 'join')::DOUBLE
        FROM presence, span WHERE span.fire AND kind = 'drop' AND "at" >= span.begin AND "at" < span.until""",
    ),
    "incident_failed_share": MeasureSpec(
        "attempts that failed in the phases in which alerts have to fire",
        "ratio",
        """SELECT count(*) FILTER (kind = 'fail') / nullif(count(*), 0)::DOUBLE FROM presence, span
        WHERE span.fire AND kind IN ('fail', 'join') AND "at" >= span.begin AND "at" < span.until""",
    ),
    "quiet_failed_share": MeasureSpec(
        "attempts that failed in the phases in which alerts have to be silent",
        "ratio",
        """SELECT count(*) FILTER (kind = 'fail') / nullif(count(*), 0)::DOUBLE FROM presence, span
        WHERE span.silent AND kind IN ('fail', 'join') AND "at" >= span.begin AND "at" < span.until""",
    ),
    "stances": MeasureSpec(
        "stances among the tweets", "kinds", "SELECT count(DISTINCT label_stance) FROM tape WHERE topic = 'tweets'"
    ),
}


@dataclass(frozen=True)
class FactRow:
    """One row of the table: the fact, and the tape's figure; None where there is none."""

    fact: Fact
    value: float | None
    night: str = ""
    """The night that the fact is known of, where the tape is of another one: a what-if is not judged."""

    @property
    def holds(self) -> bool | None:
        """Whether the figure is within the range the scenario accepts; None where there is nothing to judge."""
        if self.night or self.fact.measure is None or (self.fact.low is None and self.fact.high is None):
            return None
        if self.value is None:
            return False
        low = -float("inf") if self.fact.low is None else self.fact.low
        return low <= self.value <= (float("inf") if self.fact.high is None else self.fact.high)


def facts_of(tape: Tape) -> list[FactRow]:
    """Return the rows of the tape's scenario, in its order.

    Raises:
        NoFactsError: The tape was not made from a scenario, or from one that names no facts.
        TapeError: It cannot be read.
    """
    if not tape.info.scenario:
        raise NoFactsError(f"{tape.path}: an imported tape has no scenario, so there are no facts to compare it with")
    scenario = msgspec.convert(tape.info.scenario, Scenario)
    known = known_night(scenario)
    facts = scenario.facts or (known.facts if known else ())
    if not facts:
        raise NoFactsError(f"scenario {scenario.name!r} names no facts to compare the tape with")
    size = tape.info.scale * scenario.size
    values = measure(tape, {fact.measure for fact in facts if fact.measure}, size)
    night = known.name if known else ""
    return [FactRow(fact, values.get(fact.measure) if fact.measure else None, night) for fact in facts]


def known_night(scenario: Scenario) -> Scenario | None:
    """Return the shipped scenario of which the facts are known, where this one is a what-if of it.

    A what-if has the facts of the known night, or none and its schedule; and another crowd, room, client or host.
    """
    if scenario.name in names() and _model(load(scenario.name)) == _model(scenario) and scenario.facts:
        return None  # the usual case, without loading every scenario
    shipped = [one for one in map(load, names()) if one.facts]
    if any(one.facts == scenario.facts and _model(one) == _model(scenario) for one in shipped):
        return None
    for one in shipped:
        its_facts = scenario.facts == one.facts or (not scenario.facts and scenario.schedule == one.schedule)
        if its_facts and _model(scenario) != _model(one):
            return one
    return None


def _model(scenario: Scenario) -> Scenario:
    """Return a scenario without what makes no other night: its names, its size, its seed, and what is said of it."""
    return msgspec.structs.replace(scenario, name="", title="", seed=0, size=1.0, people=(), facts=(), expect=None)


def measure(tape: Tape, wanted: Iterable[Measure], size: float) -> dict[Measure, float | None]:
    """Measure figures on a tape; None where there is nothing to measure.

    Args:
        tape: The tape.
        wanted: The figures to measure.
        size: The divisor of counts.

    Raises:
        TapeError: It cannot be read.
    """
    try:
        with tape_database(tape.path) as connection:
            connection.execute("CREATE VIEW tape AS SELECT * FROM recorded")
            connection.execute(f"CREATE VIEW presence AS {PRESENCE}")
            connection.execute('CREATE MACRO window_of("at") AS "at" - ("at" % 5000)')
            connection.execute(_AUDIENCE)
            connection.execute("CREATE TABLE span (begin BIGINT, until BIGINT, fire BOOLEAN, silent BOOLEAN)")
            connection.executemany("INSERT INTO span VALUES (?, ?, ?, ?)", _spans(tape))
            known = _parameters(tape, size)
            return {name: _value(connection, MEASURES[name], known, size) for name in sorted(wanted)}
    except (duckdb.Error, OSError) as error:
        raise TapeError(f"{tape.path}: cannot be measured: {error}") from None


def _spans(tape: Tape) -> list[tuple[int, int, bool, bool]]:
    """Return begin and end of each phase, and whether alerts have to fire or to be silent in it."""
    info, expect = tape.info, expected_of(tape.info)
    ends = [*(phase.start for phase in info.phases[1:]), info.end + 1]
    due = {name for group in expect.fire for name in group}
    return [
        (phase.start, end, phase.name in due, phase.name not in {*due, *expect.may})
        for phase, end in zip(info.phases, ends, strict=True)
    ]


def _value(connection: Any, measured: MeasureSpec, known: dict[str, Any], size: float) -> float | None:
    used = {name: known[name] for name in re.findall(r"\$([a-z_]+)", measured.sql)}
    if None in used.values():
        return None
    (value,) = connection.execute(measured.sql, used).fetchone() or (None,)
    if value is None:
        return None
    return round(float(value) / size) if measured.count else round(float(value), 4)


def _parameters(tape: Tape, size: float) -> dict[str, Any]:
    """Return the parameters of the queries; None for what did not happen in this night."""
    info = tape.info
    starts = {phase.name: phase.start for phase in info.phases}
    names = {"scheduled": "scheduled_start", "melting": "melting", "closed": "first_closed", "end": "end"}
    known: dict[str, Any] = {name: starts.get(phase) for name, phase in names.items()}
    known |= {"talk": info.talk_start, "talk_start": info.talk_start, "announced": info.announced, "size": size}
    known |= {"first": info.spaces[0], "second": info.spaces[1] if len(info.spaces) > 1 else None}
    return known | {"thread": int(info.thread) if info.thread else None}
