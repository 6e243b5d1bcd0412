"""Whatever a recording says, everybody on the imported tape is on a legal path, and what is legal stays as it is."""

from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from producers.importing import paths
from producers.importing.fields import FILE, KIND, ORDER, PRESENCE_KINDS, ROW
from producers.importing.problemlog import ProblemLog
from tests.legalpaths import faults
from tests.tinytape import rows as tape_rows
from tests.tinytape import tiny_events

NAMES = pl.Series(["ann", "bob", "cy"])
SPACES = ["first", "second"]

recordings = st.lists(
    st.fixed_dictionaries(
        {
            "at": st.integers(0, 60),
            "person": st.integers(0, len(NAMES) - 1),
            KIND: st.sampled_from(PRESENCE_KINDS),
            "space": st.sampled_from(SPACES),
            "somewhere": st.booleans(),
            "try": st.one_of(st.none(), st.integers(1, 4)),
            "since_drop_ms": st.one_of(st.none(), st.integers(0, 20)),
            "reason": st.sampled_from([None, "gave_up", "done"]),
        }
    ),
    max_size=30,
)
patience = st.one_of(st.none(), st.integers(1, 30))


def frame(events: list[dict[str, Any]]) -> pl.DataFrame:
    """Return a recording as the importer hands it on; some leaves and drops do not say where."""
    said = [
        event | {"space": None} if event["somewhere"] and event[KIND] in {"leave", "drop"} else event
        for event in events
    ]
    schema = {
        "at": pl.Int64, "person": pl.Int64, KIND: pl.String, "space": pl.String,
        "try": pl.Int64, "since_drop_ms": pl.Int64, "reason": pl.String,
    }  # fmt: skip
    columns = pl.DataFrame([{name: event[name] for name in schema} for event in said], schema=schema)
    return (
        columns.sort("at", maintain_order=True)
        .with_row_index(ROW, 1)
        .with_columns(pl.lit(0).alias(FILE), client=pl.lit("web"))
        .with_columns(pl.col(ROW).alias(ORDER))
    )


def walk(
    presence: pl.DataFrame, names: pl.Series = NAMES, give_up_ms: int | None = None
) -> tuple[list[dict[str, Any]], paths.PathWalk, ProblemLog]:
    """Return the legal events in order of time, the walk, and the problems."""
    problems = ProblemLog()
    walked = paths.PathWalk(paths.recorded(presence, SPACES), names, problems, give_up_ms)
    legal = paths.events(presence, walked.run(), SPACES).sort("at", ROW, maintain_order=True)
    return legal.to_dicts(), walked, problems


@given(recordings, patience)
def test_every_path_is_legal_whatever_is_recorded(events: list[dict[str, Any]], give_up_ms: int | None) -> None:
    """No order, repetition or contradiction of events leads to an illegal path."""
    legal, _, _ = walk(frame(events), give_up_ms=give_up_ms)
    assert faults(legal) == []


@given(recordings)
def test_every_recorded_event_is_kept_or_counted(events: list[dict[str, Any]]) -> None:
    """Nothing is lost or invented without a count: kept + left out = recorded, and the rest was put in."""
    legal, walked, problems = walk(frame(events))
    left_out = sum(
        problems.counts.get(kind, 0)
        for kind in ("joined_twice", "knocked_inside", "left_outside", "dropped_outside", "elsewhere")
    )
    assert len(legal) == len(events) - left_out + sum(walked.put_in)


@given(recordings, patience)
def test_a_legal_recording_passes_as_it_is(events: list[dict[str, Any]], give_up_ms: int | None) -> None:
    """What an import has made legal, a second import neither changes nor complains about."""
    first = pl.DataFrame(walk(frame(events), give_up_ms=give_up_ms)[0], infer_schema_length=None)
    if not first.height:
        return
    again = first.with_columns(pl.Series(ROW, range(first.height)), pl.Series(ORDER, range(first.height)))
    legal, walked, problems = walk(again, give_up_ms=give_up_ms)
    assert pl.DataFrame(legal, schema=first.schema).drop(ROW, ORDER).equals(first.drop(ROW, ORDER))
    assert (problems.counts, sum(walked.put_in)) == ({}, 0)


@given(recordings)
def test_patience_ends_with_a_sign_of_life_only(events: list[dict[str, Any]]) -> None:
    """With a patience longer than the recording nobody gives up who did not say so."""
    assert walk(frame(events), give_up_ms=100)[0] == walk(frame(events))[0]


@given(st.integers(0, 50))
def test_a_small_legal_night_has_no_problems(seed: int) -> None:
    """The events of a tape are legal: nothing is changed, nothing put in."""
    table = pl.DataFrame(pl.from_arrow(tape_rows(tiny_events(seed)))).filter(pl.col("topic") == "space.presence")
    presence = table.with_columns(
        *(pl.col(name).cast(pl.String) for name in (KIND, "space", "client", "reason")),
        pl.col("try").cast(pl.Int64),
        pl.lit(0).alias(FILE),
        pl.col("event_id").alias(ROW),
        pl.col("event_id").alias(ORDER),
    )
    names = pl.Series([str(person) for person in range(40)])
    legal, walked, problems = walk(presence, names)
    columns = ["at", "person", KIND, "space", "client", "try", "reason", "since_drop_ms"]
    assert pl.DataFrame(legal, infer_schema_length=None).select(columns).rows() == presence.select(columns).rows()
    assert (problems.counts, sum(walked.put_in)) == ({}, 0)
