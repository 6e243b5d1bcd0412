"""The text of the Flink job, without Flink: every blank is filled, and what is put into it cannot break it."""

import re

import msgspec
import pytest

from streams.contract.runinfo import SubjectRule
from streams.contract.topics import PRESENCE, TWEETS
from streams.engines.flink.rows import ROWS
from streams.engines.flink.sql import INSERT, Late, counts_topic, literal, statements
from streams.golden import load
from streams.kafka.connection import Connection

BROKER = Connection("here:9092")


@pytest.mark.parametrize("late", ["count", "drop"])
def test_every_blank_is_filled(late: Late) -> None:
    """The statements name the run's topics; the two that are the job insert the counts and the dead letters."""
    info = load("thread").info
    found = statements(info, "flink", BROKER, late)
    whole = "\n".join(found)
    assert not re.search(r"\$\w", whole)
    assert "--" not in whole
    inserts = [one for one in found if one.startswith(INSERT)]
    assert [one.split()[2] for one in inserts] == ["counts", "dead_letters"]
    assert all(re.match(r"CREATE TEMPORARY (TABLE|VIEW) \w+", one) for one in found if one not in inserts)
    assert all(f"'{info.topics[base]}'" in whole for base in ("space.presence", "tweets", "dead-letters"))
    assert f"'{counts_topic(info, 'flink')}'" in whole


def test_windows_are_closed_only_where_late_events_are_dropped() -> None:
    """What counts late events uses none of Flink's windows and no watermark."""
    info = load("doors").info
    assert "TUMBLE" not in "".join(statements(info, "flink", BROKER, "count"))
    assert "WATERMARK FOR" not in "".join(statements(info, "flink", BROKER, "count"))
    assert "".join(statements(info, "flink", BROKER, "drop")).count("TUMBLE(") == 4


@pytest.mark.parametrize("late", ["count", "drop"])
def test_records_are_read_as_they_are(late: Late) -> None:
    """Flink reads bytes, of committed records only, and no format of its own decides what a record is."""
    info = load("doors").info
    sources = [one for one in statements(info, "flink", BROKER, late) if "'earliest-offset'" in one]
    assert len(sources) == 2
    for one in sources:
        assert "data BYTES" in one
        assert "'format' = 'raw'" in one
        assert "'properties.isolation.level' = 'read_committed'" in one


@pytest.mark.parametrize(("topic", "view"), [(PRESENCE, "presence_checked"), (TWEETS, "tweets_checked")])
def test_the_columns_of_a_record_are_those_of_its_row(topic: str, view: str) -> None:
    """The SQL names the fields that the Python function yields, in their order."""
    (text,) = [one for one in statements(load("doors").info, "flink", BROKER) if f"VIEW {view} " in one]
    names = [name.strip(" `\n") for name in text[text.rindex("(") + 1 : text.rindex(")")].split(",")]
    assert names == [field.rstrip("_") for field in ROWS[topic]._fields]


def test_rules_become_cases_in_their_order() -> None:
    """The first rule that holds gives the subject; a rule without tests never holds."""
    rules = (SubjectRule("one", words=("it's",)), SubjectRule("none"), SubjectRule("two", hashtags=("tag",)))
    info = msgspec.structs.replace(load("thread").info, subjects=rules)
    text = "".join(statements(info, "flink", BROKER))
    assert text.index("POSITION('it''s' IN lower_text) > 0 THEN 'one'") < text.index("ARRAY_CONTAINS(hashtags, 'tag')")
    assert "'none'" not in text


def test_a_night_without_thread_and_rules_has_a_job_too() -> None:
    """Nothing of the text is left empty."""
    info = msgspec.structs.replace(load("doors").info, subjects=(), thread="")
    text = "".join(statements(info, "flink", BROKER))
    assert "WHEN FALSE THEN ''" in text
    assert "conversation = CAST(NULL AS STRING)" in text


def test_a_literal_cannot_end_itself() -> None:
    """Apostrophes are doubled, dollars and semicolons stay what they are."""
    assert literal("it's; $run") == "'it''s; $run'"
    rules = (SubjectRule("$events;\n", words=("x",)),)
    info = msgspec.structs.replace(load("thread").info, subjects=rules)
    assert "THEN '$events;\n'" in "".join(statements(info, "flink", BROKER))
