"""Your own recording: imported, replayed, counted, judged and reported like a simulated night."""

import json
import shlex
from pathlib import Path
from typing import Final

import pytest

from joinstorm.cli import main
from streams.errors import EXIT_OK
from streams.kafka.connection import Connection

ROOT: Final = Path(__file__).parents[2]
pytestmark = [pytest.mark.e2e, pytest.mark.integration]


def recording(path: Path) -> Path:
    """Write a meeting of two rooms as a chat program might log it: names, words of its own, times without a zone."""
    lines = ["ts;user;what;room"]
    for number in range(60):
        who, room = f"guest {number}@example", ("Main Stage", "Raum 2 / ü")[number % 2]
        minute, second = divmod(number * 7, 60)
        lines.append(f"2023-11-14 22:{13 + minute:02}:{second:02};{who};entered;{room}")
        if number % 3 == 0:
            lines.append(f"2023-11-14 22:{23 + minute:02}:{second:02};{who};kicked;{room}")
        if number % 5:
            lines.append(f"2023-11-14 22:{33 + minute:02}:{second:02};{who};left;")
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_an_imported_recording_is_replayed_judged_and_reported(
    kafka: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`joinstorm run --tape` on an imported file ends exact, with a verdict and a report; rooms keep their names."""
    tape = tmp_path / "meeting.parquet"
    words = ["--kind", "entered=join", "--kind", "kicked=drop", "--kind", "left=leave", "--zone", "UTC"]
    columns = [flag for pair in ("at=ts", "person=user", "kind=what", "space=room") for flag in ("--column", pair)]
    assert main(["import", str(recording(tmp_path / "r.csv")), *columns, *words, "--out", str(tape)]) == EXIT_OK
    capsys.readouterr()
    out = tmp_path / "out"
    where = ["--bootstrap-servers", kafka.bootstrap_servers, "--topic-prefix", "imported."]
    assert (
        main(["run", "--tape", str(tape), "--speed", "max", "--out", str(out), "--format", "json", *where]) == EXIT_OK
    )
    verdict = json.loads((out / "verdict.json").read_text())
    assert verdict["exact"] is True
    assert verdict["digest"] == verdict["truth_digest"]
    assert "Raum 2 / ü" in (out / "report.html").read_text(encoding="utf-8")


def test_an_export_becomes_a_verdict_and_a_report_in_two_commands(
    kafka: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first example of docs/importing.md: its import as it stands there, then a run; the report is the night's."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs/importing.md").read_text(encoding="utf-8").replace("\\\n", " ")
    command = next(line for line in page.splitlines() if line.strip().startswith("joinstorm import examples"))
    assert main(shlex.split(command)[1:]) == EXIT_OK
    where = ["--bootstrap-servers", kafka.bootstrap_servers, "--topic-prefix", "export.", "--out", "out"]
    assert main(["run", "--tape", "town-hall.parquet", *where]) == EXIT_OK
    assert json.loads(Path("out/verdict.json").read_text())["exact"] is True
    report = Path("out/report.html").read_text(encoding="utf-8")
    for words in ("<h1>Spring town hall</h1>", "12 March 2025", "America/New_York and UTC", "listeners in room"):
        assert words in report, words
    assert "synthetic" not in report


def test_a_tape_made_of_its_own_events_counts_the_same(
    kafka: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A night written out as events and imported again ends with the digest of the night itself."""
    night, events, again = tmp_path / "night.parquet", tmp_path / "events.csv", tmp_path / "again.parquet"
    assert main(["record", "quiet", "--scale", "0.05", "--out", str(night)]) == EXIT_OK
    assert main(["events", str(night), "--out", str(events)]) == EXIT_OK
    assert main(["import", str(events), "--settings", f"{events}.night.yaml", "--out", str(again)]) == EXIT_OK
    capsys.readouterr()
    digests = []
    for tape in (night, again):
        where = ["--bootstrap-servers", kafka.bootstrap_servers, "--out", str(tmp_path / tape.stem)]
        options = ["--tape", str(tape), "--engine", "kafka-python", "--no-report", "--format", "json"]
        assert main(["run", *options, *where]) == EXIT_OK
        digests.append(json.loads(capsys.readouterr().out)["digest"])
    assert digests[0] == digests[1]
