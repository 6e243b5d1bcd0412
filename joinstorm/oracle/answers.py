"""The oracle: computes every count of a run from its tape in SQL; it shares no code with the folds."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from joinstorm.oracle.queries import BIN_OF, PRESENCE, QUERIES, TWEETS, CountQuery
from joinstorm.oracle.tapedatabase import tape_database
from streams.contract.names import OTHER, TRUTH
from streams.contract.results import AudienceResult, Progress, ReactionResult, Result, digest
from streams.contract.runinfo import RunInfo, SubjectRule
from streams.contract.topics import INPUTS
from streams.errors import TapeError
from streams.read.derive import FinalCounts, Rows

SHARD: Final = "all"


@dataclass(frozen=True)
class Truth:
    """All final counts of a run.

    Args:
        audience: Counts by window and space.
        reaction: Counts by window and subject.
        estimates: Tweets by the stance the generator intended, by window and subject.
        events: Distinct events by input topic.
    """

    audience: Rows
    reaction: Rows
    estimates: Rows
    events: dict[str, int]

    @property
    def tables(self) -> FinalCounts:
        """The counts in the form the verdict compares."""
        return FinalCounts(self.audience, self.reaction, self.estimates)

    @property
    def digest(self) -> str:
        """SHA-256 of the final counts."""
        return digest(self.audience, self.reaction)

    def records(self, info: RunInfo) -> Iterator[Result | Progress]:
        """Yield the result records of the engine ``truth``, then its progress, ended on every partition."""
        for (window, space), counts in self.audience.items():
            yield AudienceResult(1, info.run, TRUTH, window, space, SHARD, 1, counts)
        for key in self.reaction.keys() | self.estimates.keys():
            window, subject = key
            counts, estimates = self.reaction.get(key, {}), self.estimates.get(key, {})
            yield ReactionResult(1, info.run, TRUTH, window, subject, SHARD, 1, counts, estimates)
        everywhere = tuple(range(info.partitions))
        for topic in INPUTS:
            yield Progress(
                v=1, run=info.run, engine=TRUTH, topic=topic, shard=SHARD, partitions=everywhere, version=1,
                watermark=info.end, ended=True, events=self.events.get(topic, 0), duplicates=0, dead_letters=0,
            )  # fmt: skip


def ask(
    tape: Path | str, info: RunInfo, *, exclude: Iterable[int] | npt.NDArray[np.int64] = (), threads: int | None = None
) -> Truth:
    """Count a tape with SQL.

    Args:
        tape: The tape's file.
        info: The run; it has the windows, the subjects, the thread and the start of the talk.
        exclude: Ids of events that were never sent; the truth leaves them out.
        threads: Processor threads; all by default.

    Raises:
        TapeError: The file cannot be read.
    """
    try:
        with tape_database(tape, threads) as connection:
            _open(connection, info, exclude)
            return _ask(connection, info)
    except duckdb.Error as error:
        raise TapeError(f"{tape}: cannot be counted: {error}") from None


def _open(connection: Any, info: RunInfo, exclude: Iterable[int] | npt.NDArray[np.int64]) -> None:
    """Define the tape's two streams, without the excluded events, and the windows."""
    excluded = exclude if isinstance(exclude, np.ndarray) else np.fromiter(exclude, np.int64)
    missing = pa.table({"event_id": pa.array(np.unique(excluded))})
    connection.register("missing", missing)
    without = "ANTI JOIN missing USING (event_id)" if missing.num_rows else ""
    connection.execute(f"CREATE VIEW tape AS SELECT * FROM recorded {without}")  # noqa: S608 - two fixed words
    connection.execute(f"CREATE VIEW presence AS {PRESENCE}")
    # A table, because every query below uses the subject, and finding it takes reading all texts.
    connection.execute(f"CREATE TABLE tweets AS {TWEETS.format(subject=subject_sql(info.subjects))}")
    connection.execute(f'CREATE MACRO window_of("at") AS "at" - ("at" % {info.window_ms})')
    connection.execute(BIN_OF)


def _ask(connection: Any, info: RunInfo) -> Truth:
    tables: dict[str, Rows] = {"audience": {}, "reaction": {}, "estimates": {}}
    for query in QUERIES:
        for window, name, count, value in _rows(connection, query, info):
            tables[query.table].setdefault((window, name), {})[count] = value
    events = dict(connection.execute("SELECT topic, count(*) FROM tape GROUP BY ALL").fetchall())
    return Truth(**tables, events=events)


def _rows(connection: Any, query: CountQuery, info: RunInfo) -> Iterator[tuple[int, str, str, int]]:
    values = {"talk_start": info.talk_start, "thread": info.thread}
    used = {name: value for name, value in values.items() if f"${name}" in query.sql}
    for window, name, *member, value in connection.execute(query.sql, used).fetchall():
        yield window, name, query.count + "".join(member), value


def subject_sql(rules: Iterable[SubjectRule]) -> str:
    """Return the subject of a tweet as an SQL expression: that of the first matching rule, else ``other``."""
    cases = [f"WHEN {condition} THEN {_quoted(rule.subject)}" for rule in rules if (condition := _condition(rule))]
    return f"CASE {' '.join(cases)} ELSE {_quoted(OTHER)} END" if cases else _quoted(OTHER)


def _condition(rule: SubjectRule) -> str:
    tests = []
    if rule.conversations:
        tests.append(f"conversation::VARCHAR IN ({', '.join(map(_quoted, rule.conversations))})")
    if rule.hashtags:
        tests.append(f"list_has_any(coalesce(hashtags, []), [{', '.join(map(_quoted, rule.hashtags))}])")
    patterns = [pattern for word in rule.words if (pattern := _pattern(word)) is not None]
    if patterns:
        tests.append(f"regexp_matches(text, {_quoted('|'.join(patterns))})")
    return " OR ".join(tests)


def _pattern(word: str) -> str | None:
    """Return a pattern for texts that contain a word once their ASCII letters are lower case; None where none can.

    SQL's ``lower`` would change more than ASCII, and the rule must be the same in every language.
    """
    if any("A" <= letter <= "Z" for letter in word):
        return None
    return "".join(
        f"[{letter}{letter.upper()}]" if "a" <= letter <= "z" else f"\\x{{{ord(letter):x}}}" for letter in word
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
