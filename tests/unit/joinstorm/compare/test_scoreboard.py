"""The scoreboard: medians and ranges, answers first, and its four forms."""

import dataclasses
import json
from pathlib import Path

import msgspec
import pytest

from joinstorm.compare.comparepage import to_html
from joinstorm.compare.scoreboard import to_json, write
from joinstorm.compare.scorefigures import FIGURES, PROPERTIES, answers
from joinstorm.compare.scores import Answer, Score, Scoreboard, Turn
from joinstorm.compare.scoretext import to_text
from tests.unit.joinstorm.compare.boards import board, throughput, turn

NAMED = {figure.name: figure for figure in FIGURES}
ANSWERS = {one.head: one for one in PROPERTIES}


def test_a_figure_has_a_median_and_a_range() -> None:
    """The time per event follows from the rate, repeat by repeat."""
    score = Score(engine="x", turns=(turn(100.0), turn(400.0), turn(200.0)))
    spread = NAMED["events_per_cpu_second"].spread(score)
    assert spread is not None
    assert (spread.median, spread.least, spread.most) == (200.0, 100.0, 400.0)
    assert NAMED["cpu_us_per_event"].spread(score) == type(spread)(5_000.0, 2_500.0, 10_000.0)


def test_what_never_came_is_worse_than_anything_late() -> None:
    """One repeat without a latency makes the greatest one never; a figure that was not measured has no spread."""
    good, bad, failed = board().scores
    spread = NAMED["latency_p50_seconds"].spread(good)
    assert spread is not None
    assert (spread.least, spread.most) == (0.2, None)
    assert NAMED["sustained_events_per_second"].spread(bad) is not None
    assert NAMED["start_seconds"].spread(failed) is None


def test_an_engine_is_exact_when_every_answer_is() -> None:
    """A wrong count after kill -9 in one repeat is enough, and so is a part with answers that failed."""
    good, bad, failed = board().scores
    assert [one.exact for one in (good, bad, failed)] == [True, False, False]
    assert [answers(one) for one in (good, bad, failed)] == ["exact", "exact", "failed"]
    assert ANSWERS["after kill -9"].value(bad) == "3 differ"
    assert not Score(engine="x", turns=(turn(1.0),), failed=("faults",)).exact
    assert Score(engine="x", turns=(turn(1.0),), failed=("sustained",)).exact
    assert not board().exact


def test_an_engine_that_cannot_run_here_has_failed() -> None:
    """It has no turns and is not exact."""
    missing = Score(engine="quix", problems=("missing: joinstorm engines install quix",))
    assert answers(missing) == "failed"
    assert not missing.exact


def test_the_text_fits_a_terminal_of_eighty_columns() -> None:
    """Engines that do not fit side by side come below; nothing is wider but what went wrong."""
    scores = [msgspec.structs.replace(board().scores[0], engine=f"engine-{number}") for number in range(7)]
    whole = msgspec.structs.replace(board(), scores=tuple(scores))
    text = to_text(whole)
    assert max(map(len, text.splitlines())) <= 80
    assert text.count("\nanswers ") == 3
    assert to_text(whole, 400).count("\nanswers ") == 1


@pytest.mark.parametrize(
    "word",
    [
        "seed 7 (of the scenario)", "medians of 2 repeats", "events per CPU s ↑", "12,500", "12,000 - 13,000", "80.13",
        "CPU µs an event ↓", "memory, MiB ↓", "back after kill, s ↓", "1.50", "≥ 2,000", "never", "reads again", "MIT",
        "2,000 events/s: from the due", "settings: workers 2", "lib 1", "out of order", "3 differ", "cores 2",
        "↑ more is better", "for 50,000 events",
    ],
)  # fmt: skip
def test_the_text_has_the_figures_and_what_they_mean(word: str) -> None:
    """Loads, directions, ranges, setups, problems and the machine are stated."""
    joined = " ".join(to_text(board(), 120).split())
    assert word in joined


def test_what_was_not_measured_is_not_explained() -> None:
    """A comparison with one part has the rows of that part, and what they mean."""
    score = Score(engine="x", turns=(Turn(throughput=throughput(5.0), answer=Answer(exact=True)),))
    text = to_text(msgspec.structs.replace(board(), scores=(score,), repeats=1), 120)
    assert "measured once" in text
    assert "events per CPU s ↑:" in text
    assert "latency" not in text
    assert "with faults" not in text


def test_rates_of_a_short_stretch_are_named() -> None:
    """A fast engine on a small night is done before its rate means much."""
    short = msgspec.structs.replace(throughput(1.0), rated_seconds=0.3)
    score = Score(engine="quick", turns=(turn(1.0, throughput=short),))
    assert "quick: its rates are of 0.3 s" in to_text(msgspec.structs.replace(board(), scores=(score,)), 120)
    assert "its rates are of" not in to_text(board())


def test_json_has_every_repeat_and_what_each_figure_means() -> None:
    """A program finds the spread by name, and the unit and the direction beside it."""
    found = json.loads(to_json(board()))
    assert found["exact"] is False
    assert found["figures"]["peak_mib"]["better"] == "less"
    assert found["figures"]["events_per_second"]["unit"] == "events/s"
    good = found["scores"][0]
    assert good["figures"]["events_per_cpu_second"] == {"median": 12500.0, "least": 12000.0, "most": 13000.0}
    assert [one["throughput"]["events_per_cpu_second"] for one in good["turns"]] == [12000.0, 13000.0]
    assert found["scores"][1]["answers"]["after kill -9"] == "3 differ"
    assert good["setup"]["options"] == {"workers": "2"}
    assert found["scores"][2]["figures"] == {}


def test_json_leaves_out_no_condition() -> None:
    """Every field of the scoreboard is in the file, under its own name."""
    assert set(Scoreboard.__struct_fields__) <= set(json.loads(to_json(board())))


def test_a_scoreboard_is_written_in_four_forms(tmp_path: Path) -> None:
    """The page is self-contained, fits a phone and escapes names."""
    paths = write(board(), tmp_path)
    assert [path.name for path in paths] == ["compare.json", "compare.txt", "compare.png", "compare.html"]
    assert paths[2].read_bytes().startswith(b"\x89PNG")
    page = to_html(board())
    assert "&lt;wrong&gt;" in page
    assert "<wrong>" not in page
    assert "&lt;key&gt; 1" in page
    assert 'name="viewport"' in page
    assert "http" not in page
    assert 'class="wrong" data-head="after kill -9">3 differ' in page
    for figure in FIGURES:
        assert f"{figure.arrow} {figure.better} is better" in page


def test_every_meaning_names_known_fields_only() -> None:
    """A figure's meaning is filled from the scoreboard."""
    for one in (*FIGURES, *PROPERTIES):
        assert dataclasses.asdict(one)["meaning"].format(load=1.0, fault_events=1)
