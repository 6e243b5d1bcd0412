"""Importing recordings: what becomes of a file of events, and what is message of one that cannot be read."""

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from joinstorm.cli import cli, main
from joinstorm.oracle.answers import ask
from producers.importing.eventfile import EventFormat, settings, write_events
from producers.importing.importer import LONGEST_RECORD, ImportRequest
from producers.importing.importer import import_tape as run_import
from producers.importing.importreport import ImportReport
from producers.importing.importspec import FileSpec, ImportSpec, PhaseSpec
from producers.importing.settingsfile import load
from producers.replay.opening import run_info
from producers.senders.kafka_python import REQUEST_BYTES
from producers.tape.tapefile import Tape
from streams.contract.runinfo import SubjectRule
from streams.contract.topics import MAX_MESSAGE_BYTES, Topics
from streams.errors import EXIT_FAILED, EXIT_OK, EXIT_USAGE, EventFileError
from tests.legalpaths import faults
from tests.tinytape import START, tiny_tape

JOINS = """when,who,what,where
2023-05-24T22:00:00Z,ann,entered,stage
2023-05-24T22:00:01Z,bob,entered,stage
2023-05-24T22:00:02Z,bob,muted,stage
2023-05-24T22:01:00Z,ann,left,stage
"""
MAPPED = ImportSpec(
    columns={"at": "when", "person": "who", "kind": "what", "space": "where"},
    kinds={"entered": "join", "left": "leave", "muted": "ignore"},
)


def mapped(**more: Any) -> ImportSpec:
    """Return the settings of ``JOINS`` with more in them."""
    return ImportSpec(columns=MAPPED.columns, kinds=MAPPED.kinds, **more)


DEFAULTS = ImportSpec()


def import_tape(
    file: Path, out: Path, spec: ImportSpec, *, generator: str, posts_file: Path | None = None
) -> ImportReport:
    """Import files as a request."""
    return run_import(ImportRequest(file, out, spec, posts=posts_file), generator=generator)


def imported(folder: Path, text: str, spec: ImportSpec = DEFAULTS, name: str = "r.csv", **more: Any) -> ImportReport:
    """Import a file of this text."""
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return import_tape(file, folder / "tape.parquet", spec, generator="tests", **more)


def events(report: ImportReport) -> list[dict[str, Any]]:
    """Return the rows of the tape, checked against its hash, with the people's ids of the file."""
    tape = Tape.open(report.tape)
    tape.verify()
    ids = pl.read_parquet(report.ids).filter(pl.col("kind") == "person")
    name = dict(ids.select("id", "original").iter_rows())
    return [row | {"who": name[row["person"]]} for block in tape.blocks() for row in block.to_pylist()]


def refusal(folder: Path, text: str, spec: ImportSpec = DEFAULTS, name: str = "r.csv", **more: Any) -> str:
    """Return what is message of a file that cannot be imported; nothing is left of it."""
    with pytest.raises(EventFileError) as error:
        imported(folder, text, spec, name, **more)
    assert not (folder / "tape.parquet").exists()
    assert error.value.exit_code == EXIT_USAGE
    return str(error.value)


def test_joins_and_leaves_alone_make_a_legal_tape(tmp_path: Path) -> None:
    """Each join gets the attempt it must have had; words and columns are those of the file."""
    report = imported(tmp_path, JOINS, MAPPED)
    rows = events(report)
    assert [(row["who"], row["kind"], row["try"]) for row in rows] == [
        ("ann", "attempt", 1), ("ann", "join", 1), ("bob", "attempt", 1), ("bob", "join", 1), ("ann", "leave", 1),
    ]  # fmt: skip
    assert faults(rows) == []
    assert (report.put_in, report.inside_at_end, report.problems.counts) == ({"attempt": 2}, 1, {})
    info = report.info
    assert (info.name, info.start, info.talk_start, info.end) == ("r", START, START, START + 65_000)
    assert [phase.name for phase in info.phases] == ["night"]
    assert info.spaces == ("stage",)


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_a_tape_comes_back_from_its_own_events(tmp_path: Path, form: EventFormat) -> None:
    """Events written out and imported again are the same rows, and the oracle gives the same digest."""
    tape = tiny_tape(tmp_path / "tiny.parquet", seed=7)
    write_events(tape, tmp_path / f"events.{form}", form)
    (tmp_path / "night.yaml").write_text(settings(tape.info), encoding="utf-8")
    report = import_tape(
        tmp_path / f"events.{form}", tmp_path / "again.parquet", load(tmp_path / "night.yaml"), generator="tests"
    )
    original = [row for block in tape.blocks() for row in block.to_pylist()]
    again = events(report)
    for row in again:
        row["person"] = int(row.pop("who"))
    assert again == original
    assert (report.problems.counts, report.put_in) == ({}, {})
    assert _digest(Tape.open(report.tape)) == _digest(tape)
    for name in ("name", "start", "end", "talk_start", "phases", "spaces", "thread", "announced", "subjects"):
        assert getattr(report.info, name) == getattr(tape.info, name), name


def _digest(tape: Tape) -> str:
    info = run_info(tape.info, Topics("test"), partitions=4, window_ms=5_000, watermark_step_ms=5_000)
    return ask(tape.path, info).digest


def test_the_commands_make_the_round_trip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``joinstorm events`` writes what ``joinstorm import`` reads, settings included."""
    tape = tiny_tape(tmp_path / "tiny.parquet")
    out = tmp_path / "e.csv"
    assert main(["events", str(tape.path), "--out", str(out)]) == EXIT_OK
    assert capsys.readouterr().out.split() == [str(out), f"{out}.night.yaml"]
    again = tmp_path / "again.parquet"
    assert main(["import", str(out), "--settings", f"{out}.night.yaml", "--out", str(again), "--strict"]) == EXIT_OK
    assert _digest(Tape.open(again)) == _digest(tape)
    assert "no problems" in capsys.readouterr().out


def test_what_cannot_be_is_left_out_and_named(tmp_path: Path) -> None:
    """Every contradiction is counted with the first rows that show it, and the tape is legal all the same."""
    lines = [
        (10, "ann", "join", "a"),
        (11, "ann", "join", "a"),
        (9, "bob", "leave", "a"),
        (12, "bob", "drop", "a"),
        (13, "ann", "leave", "b"),
        (14, "ann", "join", "b"),
        (15, "ann", "leave", ""),
    ]
    text = "at,person,kind,space\n" + "".join(f"{START + at},{who},{kind},{space}\n" for at, who, kind, space in lines)
    report = imported(tmp_path, text)
    assert report.problems.counts == {
        "backwards": 1, "left_outside": 1, "joined_twice": 1, "dropped_outside": 1, "elsewhere": 1, "moved": 1
    }  # fmt: skip
    assert report.problems.examples["left_outside"] == ["row 3, 'bob' leave"]
    assert report.problems.examples["backwards"] == ["r.csv row 3, 0.002 s before row 2"]
    rows = events(report)
    assert faults(rows) == []
    assert [row["reason"] for row in rows if row["kind"] == "leave"] == ["moved", None]


def test_strict_makes_problems_a_failure(tmp_path: Path) -> None:
    """With --strict the exit code says that something had to be put right; the report names it."""
    file = tmp_path / "r.csv"
    file.write_text(f"at,person,kind\n{START},ann,leave\n{START},bob,join\n", encoding="utf-8")
    result = CliRunner().invoke(
        cli, ["import", str(file), "--out", str(tmp_path / "t.parquet"), "--strict", "--format", "json"],
        standalone_mode=False,
    )  # fmt: skip
    assert result.return_value == EXIT_FAILED
    assert json.loads(result.stdout)["problems"]["left_outside"] == {"count": 1, "examples": ["row 1, 'ann' leave"]}


def test_who_waits_in_silence_has_given_up(tmp_path: Path) -> None:
    """--give-up-after puts in the leave that a server's log does not have."""
    text = f"at,person,kind\n{START},ann,join\n{START + 1000},ann,drop\n{START + 99_000},bob,join\n"
    rows = events(imported(tmp_path, text, ImportSpec(give_up_after=60)))
    left = [(row["at"], row["reason"]) for row in rows if row["kind"] == "leave"]
    assert left == [(START + 61_000, "gave_up")]


def test_posts_of_a_second_file_are_completed(tmp_path: Path) -> None:
    """Posts need a time and an author; ids of any form, conversations by reference, hashtags from the text."""
    (tmp_path / "p.jsonl").write_text(
        "\n".join(
            json.dumps(post)
            for post in [
                {"t": START // 1000, "by": "ann", "id": "t-1", "text": "Here we go #Launch #NOW"},
                {"t": START // 1000 + 1, "by": "dee", "id": "t-2", "kind": "reply", "ref": "t-1"},
                {"t": START // 1000 + 2, "by": "dee", "id": "t-3", "kind": "reply", "ref": "t-2", "text": "no"},
                {"t": START // 1000 + 2, "by": "dee", "id": "t-3", "kind": "reply", "ref": "t-2", "text": "no"},
                {"t": START // 1000 + 3, "by": "eve", "text": "#launch"},
            ]
        )
    )
    posts = FileSpec(columns={"at": "t", "person": "by", "tweet_id": "id"})
    spec = mapped(posts=posts, thread="t-1")
    report = imported(tmp_path, JOINS, spec, posts_file=tmp_path / "p.jsonl")
    tweets = [row for row in events(report) if row["topic"] == "tweets"]
    assert [row["kind"] for row in tweets] == ["post", "reply", "reply", "post"]
    assert [row["hashtags"] for row in tweets] == [["launch", "now"], [], [], ["launch"]]
    assert len({row["conversation"] for row in tweets[:3]}) == 1
    assert (report.info.thread, report.info.announced) == (str(tweets[0]["tweet_id"]), START)
    assert report.problems.counts == {"post_twice": 1}
    names = pl.read_parquet(report.ids).filter(pl.col("kind") == "post")
    assert set(names["original"]) >= {"t-1", "t-2", "t-3"}
    assert report.info.people == 4


def test_a_recording_of_posts_alone_is_a_night_too(tmp_path: Path) -> None:
    """Without presence events there are no rooms, and the rest is as ever."""
    report = imported(tmp_path, f"at,person,kind,text,tweet_id\n{START},1,post,hello,77\n")
    assert report.info.spaces == ()
    assert events(report)[0]["tweet_id"] == 77


@pytest.mark.parametrize(("name", "separator"), [("r.csv", ";"), ("r.csv", "\t"), ("r.csv", "|"), ("r.csv.gz", ",")])
def test_csv_comes_with_several_separators(tmp_path: Path, name: str, separator: str) -> None:
    """Other separators and gzip are seen from the file."""
    text = JOINS.replace(",", separator)
    file = tmp_path / name
    file.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    report = import_tape(file, tmp_path / "t.parquet", MAPPED, generator="tests")
    assert report.info.events == 5


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    """Datetimes, whole numbers kept as floats, and lists are read for what they are."""
    frame = pl.DataFrame(
        {
            "at": pl.Series([START, START + 1], dtype=pl.Int64).cast(pl.Datetime("ms", "UTC")),
            "person": [7.0, 12.0],
            "kind": ["join", "post"],
            "hashtags": [None, ["#One", "two"]],
        }
    )
    frame.write_parquet(tmp_path / "r.parquet")
    rows = events(import_tape(tmp_path / "r.parquet", tmp_path / "t.parquet", ImportSpec(), generator="tests"))
    assert [row["who"] for row in rows] == ["7", "7", "12"]
    assert rows[2]["hashtags"] == ["one", "two"]
    assert rows[0]["at"] == START


def test_settings_say_what_events_do_not(tmp_path: Path) -> None:
    """Phases, talk start and rooms come from YAML; time before the first phase has a phase of its own."""
    (tmp_path / "s.yaml").write_text(
        "zone: Europe/Berlin\nspaces: [backstage, stage]\ntalk_start: 2023-05-25T00:00:30\n"
        "phases:\n- {name: talk, start: 2023-05-25T00:00:30}\n- {name: after, start: 1684965650, quiet: true}\n"
        "columns: {at: when, person: who, kind: what, space: where}\nkinds: {Entered: join, left: leave, muted: ignore}"
    )
    info = imported(tmp_path, JOINS, load(tmp_path / "s.yaml")).info
    assert [(phase.name, phase.start - START) for phase in info.phases] == [
        ("before", 0), ("talk", 30_000), ("after", 50_000)
    ]  # fmt: skip
    assert info.talk_start == START + 30_000
    assert info.spaces == ("backstage", "stage")


def test_rare_words_make_room(tmp_path: Path) -> None:
    """A file with thousands of client names keeps the common ones."""
    lines = [f"{START + number},p{number},join,client-{number % 300 if number > 500 else 0}" for number in range(2000)]
    rows = events(imported(tmp_path, "at,person,kind,client\n" + "\n".join(lines)))
    clients = {row["client"] for row in rows}
    assert len(clients) == 101
    assert {"client-0", "other"} <= clients


HEADER = "at,person,kind,space\n"
REFUSED: dict[str, tuple[str, ImportSpec, str]] = {
    "a column that is not there": (JOINS, ImportSpec(), "no column 'at'; the file has: when, who, what, where"),
    "a mapped column that is not there": (
        JOINS, ImportSpec(columns={"at": "time"}), "no column 'time' (for 'at'); the file has: when, who"
    ),
    "a field that is not known": (JOINS, ImportSpec(columns={"user": "who"}), "unknown column 'user'. Known: at,"),
    "a kind that is not known": (
        HEADER + f"{START},a,join,x\n{START},a,waved,x\n", ImportSpec(), "row 2: kind 'waved' is not known"
    ),
    "a kind mapped to nothing known": (
        JOINS,
        ImportSpec(kinds={"x": "jion"}),
        "unknown kind 'jion'; did you mean 'join'? Known: att",
    ),
    "a time that is no time": (
        HEADER + "2023-05-24T22:00:00Z,a,join,x\n2023-05-34T22:00:00Z,b,join,x\n",
        ImportSpec(), "r.csv, row 2: '2023-05-34T22:00:00Z' is no time",
    ),
    "a time without a zone": (HEADER + "2023-05-24 22:00:00,a,join,x\n", ImportSpec(), "has no zone"),
    "a time before there were times": (HEADER + "-5,a,join,x\n", ImportSpec(), "'-5' is no time since 1970"),
    "a time in two units": (
        HEADER + f"{START},a,join,x\n{START // 1000},b,join,x\n", ImportSpec(), "row 2: '1684965600' looks like s"
    ),
    "a time to come": (HEADER + "9999999999,a,join,x\n", ImportSpec(), "is still to come"),
    "a zone that is none": (JOINS, ImportSpec(zone="Nowhere/Land"), "zone 'Nowhere/Land' is not known"),
    "nobody": (HEADER + f"{START},,join,x\n", ImportSpec(), "row 1: there is no person"),
    "zero rows": (HEADER, ImportSpec(), "there are no rows in it"),
    "an empty file": ("", ImportSpec(), "there are no rows in it"),
    "rows that all are left out": (
        HEADER + f"{START},a,waved,x\n", ImportSpec(kinds={"waved": "ignore"}), "every row is of a kind that is left"
    ),
    "nothing that can be": (HEADER + f"{START},a,leave,x\n", ImportSpec(), "every event was left out"),
    "a try that is no number": ("at,person,kind,try\n1,a,join,one\n", ImportSpec(), "row 1: try 'one'"),
    "a label that is not known": (
        "at,person,kind,label_stance\n1,a,post,happy\n", ImportSpec(), "label_stance 'happy': expected one of thanks"
    ),
    "hashtags that are no list": ('at,person,kind,hashtags\n1,a,post,"[""a"\n', ImportSpec(), "no JSON list"),
    "more fields than columns": (
        HEADER + f"{START},a,join,x,y\n", ImportSpec(), "row 1 (line 2): it has 5 fields, the header has 4"
    ),
    "a room called all": (HEADER + f"{START},a,join,*\n", ImportSpec(), "cannot be called '*'"),
    "more rooms than a tape holds": (
        HEADER + "".join(f"{START},a,join,room{number}\n" for number in range(32_768)), ImportSpec(), "at most 32767"
    ),
    "a talk outside the night": (
        JOINS, mapped(talk_start="2020-01-01T00:00Z"), "talk_start: 2020"
    ),
    "a night that ends before its events": (
        JOINS, mapped(end="2023-05-24T22:00:30Z"), "start and end: the"
    ),
    "phases out of order": (
        JOINS,
        mapped(phases=(PhaseSpec("b", START + 9), PhaseSpec("a", START))),
        "phases: expected different names with growing times",
    ),
    "a thread that nobody wrote in": (
        JOINS, mapped(thread="1"), "no post belongs to a conversation '1'"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_imported_is_refused(tmp_path: Path, case: str) -> None:
    """Bad input is refused with the file, the row or column and what is expected."""
    text, spec, message = REFUSED[case]
    assert message in refusal(tmp_path, text, spec)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("r.jsonl", '{"at": 1}\n{"at":\n', "line 2: no JSON object"),
        ("r.jsonl", "[1]\n", "line 1: no JSON object"),
        ("r.jsonl", "\n", "there are no rows in it"),
        ("r.parquet", "not parquet", "cannot be read as Parquet"),
        ("r.xlsx", "x", "expected a name that ends in .csv"),
    ],
)
def test_files_that_are_something_else_are_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    """A broken line, a wrong format and an unknown one are named."""
    assert message in refusal(tmp_path, text, name=name)


def test_a_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command ends with the code of a usage error and names the file."""
    assert main(["import", str(tmp_path / "no.csv"), "--out", str(tmp_path / "t.parquet")]) == EXIT_USAGE
    assert "no.csv: there is no such file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"), [("colums: {}", "unknown field `colums`"), ("a: [", "not YAML"), ("phases: 3", "$.phases")]
)
def test_wrong_settings_are_named(tmp_path: Path, text: str, message: str) -> None:
    """Settings with a slip in them name the field."""
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(EventFileError) as error:
        load(tmp_path / "s.yaml")
    assert message in str(error.value)


def test_every_row_of_the_files_is_used_or_left_out_for_a_reason(tmp_path: Path) -> None:
    """Rows = used + left out, by file; a row counts as used when anything of it is on the tape."""
    (tmp_path / "p.jsonl").write_text(
        '{"at": 1684965600, "person": "x", "tweet_id": 1}\n\n{"at": 1684965601, "person": "x", "tweet_id": 1}\n'
    )
    text = JOINS + "2023-05-24T22:02:00Z,bob,entered,stage\n2023-05-24T22:03:00Z,cy,left,stage\n"
    report = imported(tmp_path, text, MAPPED, posts_file=tmp_path / "p.jsonl")
    events_file, posts_file = report.files
    assert (events_file.rows, events_file.used) == (6, 3)
    assert events_file.left_out == {"ignored": 1, "joined_twice": 1, "left_outside": 1}
    assert (posts_file.rows, posts_file.used, posts_file.left_out) == (2, 1, {"post_twice": 1})
    assert posts_file.lines == {"table": 2, "blank": 1, "outside": 0}
    shown = report.as_json()
    assert shown["files"][0]["left_out"] == events_file.left_out
    assert shown["rows"] == {str(file.path): file.rows for file in report.files}


@pytest.mark.parametrize("file", ["r.csv", "p.csv", "people.csv", "s.yaml", "link.csv"])
def test_an_import_never_overwrites_what_it_reads(
    file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Recording, posts, people and settings stay, also under another name of theirs."""
    texts = {
        "r.csv": f"at,person,kind\n{START},a,join\n", "p.csv": f"at,person\n{START},a\n", "people.csv": "a,b\nx,y\n",
        "s.yaml": "name: n\n",
    }  # fmt: skip
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "link.csv").symlink_to(tmp_path / "r.csv")
    flags = [flag for option in ("posts:p.csv", "people:people.csv", "settings:s.yaml") for flag in (
        f"--{option.split(':')[0]}", str(tmp_path / option.split(":")[1]))]  # fmt: skip
    assert main(["import", str(tmp_path / "r.csv"), "--out", str(tmp_path / file), *flags]) == EXIT_USAGE
    assert "would overwrite" in capsys.readouterr().err
    assert {name: (tmp_path / name).read_text() for name in texts} == texts


def test_the_table_of_ids_overwrites_nothing_either(tmp_path: Path) -> None:
    """A recording called like the table of ids beside the tape stays."""
    pl.DataFrame({"at": [START], "person": ["a"], "kind": ["join"]}).write_parquet(tmp_path / "t.ids.parquet")
    request = ImportRequest(tmp_path / "t.ids.parquet", tmp_path / "t.parquet", ImportSpec())
    with pytest.raises(EventFileError, match="would overwrite"):
        run_import(request, generator="tests")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": "x" * 9_000_000}, "row 2: the event takes 9,0"),
        ({"text": "\u0001" * 2_000_000}, "row 2: the event takes 12,0"),
        ({"hashtags": ["t" * 5_000_000, "u" * 5_000_000]}, "row 2: the event takes 10,0"),
        ({"kind": "join", "client": "x" * 9_000_000}, "row 2: the event takes 9,0"),
    ],
)
def test_an_event_that_no_topic_takes_is_refused(row: dict[str, Any], message: str, tmp_path: Path) -> None:
    """Its size as JSON is named with its row, before anything is sent."""
    rows = [{"at": START, "person": "a", "kind": "post"}, {"at": START, "person": "a", "kind": "post"} | row]
    assert message in refusal(tmp_path, "\n".join(json.dumps(one) for one in rows), name="r.jsonl")


def test_a_text_of_some_megabytes_passes(tmp_path: Path) -> None:
    """What every client sends and a topic takes is taken."""
    assert min(REQUEST_BYTES, MAX_MESSAGE_BYTES) > LONGEST_RECORD
    line = json.dumps({"at": START, "person": "a", "kind": "post", "text": "x" * 4_000_000})
    assert imported(tmp_path, line, name="r.jsonl").info.events == 1


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ('["a", null, "", "#", 7]', ["a", "7"]), ("[a, NULL, b]", ["a", "b"]), ("['a', 'B']", ["a", "b"]),
        ("#a b;c|#d", ["a", "b", "c", "d"]), ("NULL", ["x"]), ("[]", []), (None, ["x"]),
    ],
)  # fmt: skip
def test_hashtags_come_in_many_forms(tags: str | None, expected: list[str], tmp_path: Path) -> None:
    """JSON, lists as Python and DuckDB print them, words; nothing in a list is no tag, no list is the text's tags."""
    line = json.dumps({"at": START, "person": "a", "kind": "post", "text": "#x", "hashtags": tags})
    assert events(imported(tmp_path, line, name="r.jsonl"))[0]["hashtags"] == expected


@pytest.mark.parametrize("word", ["\\N", "NULL", "null", "None", "NaN", "<NA>", "", " "])
def test_words_for_no_value_are_no_ids(word: str, tmp_path: Path) -> None:
    """Posts that refer to nothing have conversations of their own, and the report names the word."""
    text = f"at,person,kind,ref,tweet_id\n{START},1,post,{word},10\n{START},3,post,{word},12\n"
    report = imported(tmp_path, text)
    assert len({row["conversation"] for row in events(report)}) == 2
    assert report.files[0].missing == ({"ref": {word: 2}} if word.strip() else {})
    assert "there is no person" in refusal(tmp_path / "..", f"at,person,kind\n{START},{word},join\n", name="n.csv")


def test_words_that_may_be_no_value_are_asked_about(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """NA may be an id: it is taken as one, with a warning that names the field, the word and the way out."""
    file = tmp_path / "r.csv"
    file.write_text(f"at,person,kind,ref\n{START},1,post,NA\n{START},3,post,NA\n")
    assert main(["import", str(file), "--out", str(tmp_path / "t.parquet")]) == EXIT_OK
    out = capsys.readouterr().out
    assert f"warning: {file}: ref 'NA' in 2 rows is taken as an id; if it means no value: --missing 'NA'" in out
    assert "no problems" not in out
    assert main(["import", str(file), "--out", str(tmp_path / "t.parquet"), "--strict"]) == EXIT_FAILED


def test_letters_of_every_script_have_their_lower_case(tmp_path: Path) -> None:
    """Also where the data frame library would panic: capital sigmas, dotted and long letters."""
    words = ["ΣΙΣΥΦΟΣ", "Σ", "aΣ", "İstanbul", "STRASSE", "Ǆ", "日本"]
    lines = [
        json.dumps(
            {"at": START + number, "person": word, "kind": "POST" if number % 2 else "post", "text": f"#{word} x"}
        )
        for number, word in enumerate(words * 3)
    ]
    tags = [row["hashtags"] for row in events(imported(tmp_path, "\n".join(lines), name="r.jsonl"))]
    assert tags == [[word.lower()] for word in words * 3]


def test_a_hashtag_without_end_is_left_out(tmp_path: Path) -> None:
    """It would be a name in the results, which have no room for it; the post stays, and the report names its row."""
    line = json.dumps({"at": START, "person": "a", "kind": "post", "text": f"#x #{'y' * 300}"})
    report = imported(tmp_path, line, name="r.jsonl")
    assert events(report)[0]["hashtags"] == ["x"]
    assert report.problems.examples == {"long_tag": ["row 1, 300 letters"]}


def test_further_words_for_no_value_can_be_given(tmp_path: Path) -> None:
    """--missing NA: what R writes."""
    text = f"at,person,kind,ref\n{START},1,post,NA\n{START},3,post,NA\n"
    report = imported(tmp_path, text, ImportSpec(missing=("NA",)))
    assert report.files[0].missing == {"ref": {"NA": 2}}


def test_ids_with_leading_zeros_are_other_ids(tmp_path: Path) -> None:
    """007 and 7 are two people; 7 and 7.0 in one column are refused."""
    assert imported(tmp_path, f"at,person,kind\n{START},007,join\n{START},7,join\n").info.people == 2
    (tmp_path / "tape.parquet").unlink()
    message = refusal(tmp_path, f"at,person,kind\n{START},7.0,join\n{START},7,join\n")
    assert "rows 1 and 2: person is written '7.0' and '7'" in message
    assert "has lost digits" in refusal(tmp_path, f"at,person,kind\n{START},1.2E+12,join\n")


@pytest.mark.parametrize("subject", ["*", ""])
def test_a_subject_that_stands_for_all_is_refused(subject: str, tmp_path: Path) -> None:
    """As a space of that name is."""
    spec = ImportSpec(subjects=(SubjectRule(subject, words=("a",)),))
    assert "a subject cannot be called" in refusal(tmp_path, JOINS, spec)


def test_words_that_differ_in_case_alone_have_one_meaning(tmp_path: Path) -> None:
    """Kinds are compared without regard to case, so two meanings of one word are refused."""
    spec = ImportSpec(columns=MAPPED.columns, kinds={"Entered": "join", "entered": "leave"})
    assert "'entered' is both 'join' and 'leave'" in refusal(tmp_path, JOINS, spec)


def test_a_column_given_twice_is_the_first_with_a_value(tmp_path: Path) -> None:
    """--column person=mail --column person=name; a word given two meanings is refused."""
    file, tape = tmp_path / "r.csv", tmp_path / "t.parquet"
    file.write_text(f"at,mail,name,kind\n{START},,Ann,on\n{START},b@example.com,Bob,on\n")
    flags = ["--column", "person=mail", "--column", "person=name", "--kind", "on=join"]
    assert main(["import", str(file), "--out", str(tape), *flags]) == EXIT_OK
    assert pl.read_parquet(tmp_path / "t.ids.parquet")["original"].to_list() == ["Ann", "b@example.com"]
    assert main(["import", str(file), "--out", str(tape), *flags, "--kind", "on=leave"]) == EXIT_USAGE
