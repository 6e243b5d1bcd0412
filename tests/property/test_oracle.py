"""The oracle's SQL compared with naive counting, event by event."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from joinstorm.oracle import answers as oracle
from joinstorm.oracle.queries import QUERIES
from streams.contract.breakdowns import BREAKDOWNS
from streams.contract.durations import DURATIONS
from streams.contract.events import Presence, Tweet
from streams.contract.results import AUDIENCE_COUNTS, REACTION_COUNTS, STANCE, Progress, ReactionResult, summed
from streams.contract.runinfo import SubjectRule
from streams.errors import TapeError
from tests.nights import run_info
from tests.oracle import Oracle, long_night, nights
from tests.tinytape import rows

INFO = msgspec.structs.replace(
    long_night(),
    subjects=(
        SubjectRule("announcement", conversations=("123", "o'clock"), hashtags=("night",)),
        SubjectRule("launch", hashtags=("room", "café"), words=("launch", "it's")),
        SubjectRule("empty"),
    ),
)


def write(path: Path, events: Sequence[Presence | Tweet]) -> Path:
    """Write events as the bare table the oracle reads, in any order."""
    pq.write_table(rows(events), path)
    return path


@given(events=nights)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sql_and_words_agree(tmp_path: Path, events: list[Presence | Tweet]) -> None:
    """Every count of every window is the same, and nothing else is there."""
    truth, naive = oracle.ask(write(tmp_path / "tape", events), INFO, threads=1), Oracle(INFO, events)
    assert truth.audience == naive.audience
    assert truth.reaction == naive.reaction
    assert sum(truth.events.values()) == len(events)


@given(events=nights, seed=st.integers(0, 2**30))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_missing_events_are_missing_in_the_truth(tmp_path: Path, events: list[Presence | Tweet], seed: int) -> None:
    """Leaving events out by id is as if the tape had never had them."""
    missing = {event.event_id for event in events if seed >> event.event_id % 30 & 1}
    kept = [event for event in events if event.event_id not in missing]
    truth = oracle.ask(write(tmp_path / "tape", events), INFO, exclude=missing, threads=1)
    naive = Oracle(INFO, kept)
    assert (truth.audience, truth.reaction) == (naive.audience, naive.reaction)


@pytest.mark.parametrize("name", ["it's [1]*?.tape", "täpe"])
def test_a_tapes_name_is_no_pattern(tmp_path: Path, name: str) -> None:
    """Characters that mean something to SQL or to a file pattern are characters."""
    assert oracle.ask(write(tmp_path / name, []), INFO).events == {}


@pytest.mark.parametrize("content", [None, b"", b"PAR1 and then nothing"])
def test_what_is_no_tape_is_refused(tmp_path: Path, content: bytes | None) -> None:
    """A file that is missing, empty or cut off is an error with its name."""
    path = tmp_path / "night.tape"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TapeError, match=r"night\.tape: cannot be counted"):
        oracle.ask(path, INFO)


def test_records_carry_every_count_and_an_end(tmp_path: Path) -> None:
    """Summing the published records gives the truth again; progress covers every partition to its end."""
    tape = write(tmp_path / "tape", [])
    truth = msgspec.convert(
        {
            "audience": {(INFO.start, "first"): {"joins": 2}},
            "reaction": {(INFO.start, "launch"): {"posts": 1}},
            "estimates": {(INFO.start, "launch"): {"stance:thanks": 1}, (INFO.start, "other"): {"stance:blame": 2}},
            "events": {"space.presence": 2, "tweets": 1},
        },
        oracle.Truth,
    )
    assert oracle.ask(tape, INFO).digest != truth.digest
    records = list(truth.records(INFO))
    progress = [record for record in records if isinstance(record, Progress)]
    results = [record for record in records if not isinstance(record, Progress)]
    assert records[-2:] == progress
    assert [(one.topic, one.partitions, one.ended, one.events) for one in progress] == [
        ("space.presence", (0, 1), True, 2),
        ("tweets", (0, 1), True, 1),
    ]
    assert summed(results) == {**truth.audience, **truth.reaction}
    assert {r.subject: r.estimates for r in results if isinstance(r, ReactionResult)} == {
        "launch": {"stance:thanks": 1},
        "other": {"stance:blame": 2},
    }


def test_every_count_of_the_contract_has_a_query() -> None:
    """Every count has a definition in SQL and a description."""
    asked = {table: {query.count for query in QUERIES if query.table == table} for table in ("audience", "reaction")}
    audience = {*AUDIENCE_COUNTS, *DURATIONS, *BREAKDOWNS}
    assert asked == {"audience": audience, "reaction": {*REACTION_COUNTS, "hashtag:"}}
    assert {query.count for query in QUERIES if query.table == "estimates"} == {STANCE}
    assert all(query.description for query in QUERIES)


@functools.cache
def database() -> Any:
    """Return a database for all examples: opening one takes longer than asking it."""
    return duckdb.connect()


words = st.text(st.sampled_from("aAzZkK\u212a\u0130ßé .*[|\\\n'%"), min_size=1, max_size=4)


@given(words, st.text(st.sampled_from("aAzZkK\u212a\u0130ßé .*[|\\\n'%"), max_size=8))
@settings(max_examples=60)
def test_words_are_found_with_ascii_letters_lowered_and_nothing_else(word: str, text: str) -> None:
    """Punctuation means itself, and letters beyond ASCII keep their case."""
    sql = oracle.subject_sql([SubjectRule("said", words=(word,))])
    found = database().execute(f"SELECT {sql} FROM (SELECT $text AS text)", {"text": text}).fetchone()
    lowered = "".join(letter.lower() if letter.isascii() else letter for letter in text)
    assert found == ("said" if word in lowered else "other",)


def test_no_rules_no_subjects(tmp_path: Path) -> None:
    """Without rules every tweet is on the subject other."""
    info = msgspec.structs.replace(run_info(), subjects=())
    assert oracle.subject_sql(()) == "'other'"
    assert oracle.ask(write(tmp_path / "tape", []), info).reaction == {}
