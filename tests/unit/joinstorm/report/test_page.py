"""The report: one page that needs nothing but itself, and says what is so."""

import base64
import functools
import hashlib
import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import numpy as np
import pytest

from joinstorm.facts.facttable import FactRow
from joinstorm.report import curves, scripted
from joinstorm.report import launchpicture as pictures_launch
from joinstorm.report import page as report
from joinstorm.report import picturestyle as pictures_style
from joinstorm.report.figures import duration, figures
from joinstorm.report.page import Material, page, picture_data, write_report
from joinstorm.report.pictures import Stretch
from joinstorm.report.wording import of_recording
from joinstorm.verdict.verdicts import final_tables, judge
from producers.scenario.spec import Fact
from streams.contract.names import ALL
from streams.contract.results import AudienceResult, Progress, ReactionResult, Result, encode
from streams.contract.runinfo import Phase, RunInfo, RunStatus
from streams.contract.topics import INPUTS, RESULTS_AUDIENCE, RESULTS_PROGRESS, RESULTS_REACTION
from streams.read.runview import RunState, RunView
from streams.read.steps import Steps
from tests.nights import START, WINDOW, run_info

HOUR = 3_600_000
WINDOWS = 5 * HOUR // WINDOW


def info() -> RunInfo:
    """Return a run of five hours with an announcement after three, and phases too short for their names."""
    starts = {"open": 0, "scheduled_start": 60, "melting": 61, "first_closed": 70, "second_room": 71, "talk": 75}
    phases = [Phase(name, START + minute * 60_000) for name, minute in starts.items()]
    phases += [Phase("night", START + 2 * HOUR, quiet=True), Phase("thread", START + 3 * HOUR)]
    changes = {"end": START + 5 * HOUR - 1, "announced": START + 3 * HOUR, "talk_start": START + 75 * 60_000}
    return msgspec.structs.replace(run_info(), phases=tuple(phases), **changes)


def results(engine: str, *, too_many: int = 0) -> list[Result]:
    """Return what an engine says: an hour and a half of joins, a burst of drops, and tweets all the time."""
    results: list[Result] = []
    for k in range(WINDOWS):
        at = START + k * WINDOW
        if k < 1080:
            counts = {"attempts": 6, "arrivals": 5, "joins": 5 + too_many * (k == 500), "fails": 1, "drops": k // 700}
            results.append(AudienceResult(1, "run-1", engine, at, "first", "0", 1, {**counts, "leaves": 1}))
            results.append(
                AudienceResult(1, "run-1", engine, at, ALL, "0", 1, {"first_joins": 4, "waited_20m": k // 800})
            )
        reaction = 1 + 6 * (WINDOWS * 3 // 5 <= k < WINDOWS * 4 // 5)
        stances = {"stance:thanks": 1, "stance:neutral": reaction}
        tweets = {"posts": 1, "replies": reaction, "first_authors": 1, "hashtag:night": 1}
        results.append(ReactionResult(1, "run-1", engine, at, "announcement", "0", 1, tweets, stances))
    return results


@functools.cache
def view(too_many: int = 0) -> RunView:
    """Return the end of a run."""
    state = RunState(info())
    topics = {AudienceResult: RESULTS_AUDIENCE, ReactionResult: RESULTS_REACTION}
    for engine, wrong in (("truth", 0), ("e", too_many)):
        for result in results(engine, too_many=wrong):
            state.accept(topics[type(result)], encode(result))
        for topic in INPUTS:
            made = Progress(1, "run-1", engine, topic, "0", (0, 1), 1, START, True, 50, 0, 0)
            state.accept(RESULTS_PROGRESS, encode(made))
    status = RunStatus(1, "run-1", "ended", info().end, 60.0, 60.0, 100, 0, 0.9987, 0.01, "x", 0)
    return RunView(info=info(), status=status, engines=state.engines())


FACTS = (
    FactRow(Fact(row=3, kind="stated", fact="More than <500,000> waited", measure="waited_20m", low=1, high=9), 5.0),
    FactRow(Fact(row=5, kind="stated", fact="Said on air"), None),
    FactRow(Fact(row=7, kind="press", fact="Closed", measure="first_closed_minutes", low=18, high=22), 40.0),
)


def material(seen: RunView, engine: str = "e", facts: Sequence[FactRow] = FACTS) -> Material:
    """Return what a report on an engine is made from."""
    verdict = judge(seen, engine, final_tables(seen.engines["truth"]), 100, versions={"python": "3.11"})
    verdict = msgspec.structs.replace(verdict, seconds={"replay": 1.5}, events_per_second={"replay": 66.7})
    return Material(seen, verdict, facts, "joinstorm run quiet --scale 0.01 <b>")


@functools.cache
def exact_page() -> str:
    """Return the page of an exact run."""
    return page(material(view()))


@functools.cache
def wrong_page() -> str:
    """Return the page of a run in which one window has three joins too many."""
    return page(material(view(3)))


class Reader(HTMLParser):
    """Collects a page's text outside pictures, and everything it would load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.labels: list[str] = []
        self.policy = ""
        self.script: str | None = None
        self.scripts: list[str] = []
        self.text: list[str] = []
        self.loads: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what is opened and what is asked of the network."""
        self.open.append(tag)
        given = dict(attrs)
        if tag == "script":
            self.script = given.get("type") or "code"
        if tag == "meta" and given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""
        if "aria-label" in given and tag in {"svg", "div"}:
            self.labels.append(given["aria-label"] or "")
        self.loads += [value for name, value in attrs if name in ("src", "href", "xlink:href", "srcset") and value]

    def handle_data(self, data: str) -> None:
        """Collect the text, and the scripts apart from it."""
        if self.script is None:
            self.text.append(data)
        else:
            self.scripts.append(data)

    def handle_endtag(self, tag: str) -> None:
        """Note the end of a script."""
        if tag == "script":
            self.script = None


def test_the_page_loads_nothing() -> None:
    """No script, no style sheet, no image, no font from anywhere else; the page's own policy forbids it, too."""
    reader = Reader(exact_page())
    assert not {"link", "img", "iframe", "object"} & set(reader.open)
    assert all(target.startswith("#") for target in reader.loads)
    assert not re.search(r"url\((?!#)|@import", exact_page())
    assert "default-src 'none'" in reader.policy
    assert len(exact_page().encode()) < 5_000_000


def test_only_the_scripts_of_the_page_run() -> None:
    """The policy names the hash of each script that runs: the library and ours, and no other."""
    reader = Reader(exact_page())
    _, *code = reader.scripts
    hashes = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in code]
    assert re.findall(r"'sha256-([^']+)'", reader.policy) == hashes
    assert len(hashes) == 2


def test_the_library_is_as_published() -> None:
    """The bundle is byte for byte that of the package uplot 1.6.32, with its licence beside it."""
    folder = Path(scripted.__file__).parent / "interactive"
    found = hashlib.sha256((folder / f"{scripted.LIBRARY}.js").read_bytes()).hexdigest()
    assert found == "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f"
    assert "MIT License" in (folder / "uplot-LICENSE").read_text(encoding="utf-8")


def content(html: str) -> dict[str, Any]:
    """Return the data of a page's charts."""
    found: dict[str, Any] = json.loads(Reader(html).scripts[0])
    return found


def test_the_charts_have_every_window_of_the_night() -> None:
    """Each curve has a value for each point; a truth equal to its curve is not sent twice."""
    launch, posts, announcement = content(exact_page())["plots"]
    assert [plot["id"] for plot in (launch, posts, announcement)] == ["rooms", "posts", "announcement"]
    people = launch["charts"][0]
    assert (people["start"], people["step"]) == (START / 1000, WINDOW / 1000)
    assert [curve["name"] for curve in people["curves"]] == ["first room", "second room", "waiting"]
    night = view().engines["e"].results
    assert people["curves"][0]["values"] == night.live("first")[np.arange(1081)].tolist()
    assert all(curve["truth"] is True for curve in people["curves"])
    assert all(chart["curves"] for plot in (launch, posts, announcement) for chart in plot["charts"])


def test_a_wrong_window_is_in_the_charts() -> None:
    """Where the engine differs, its curve has a truth of its own, and the gap is drawn and named."""
    people, gap, *_ = content(wrong_page())["plots"][0]["charts"]
    first = people["curves"][0]
    assert [ours - true for ours, true in zip(first["values"], first["truth"], strict=True)][499:503] == [0, 0, 3, 3]
    assert gap["title"] == "Engine minus truth: up to 3"


def test_a_night_of_many_rooms_stays_a_page() -> None:
    """The more curves, the fewer points each."""
    grid = picture_data(material(view())).grid
    assert Stretch(grid, 0, WINDOWS, 500).step == WINDOWS // 500
    assert curves._stretch(picture_data(material(view())), (START, START + 5 * HOUR), 10_000).points == 500


def test_an_exact_run_says_so_with_its_figures() -> None:
    """Verdict, digest, headline figures, facts, stages, command and versions are there."""
    text = " ".join(Reader(exact_page()).text)
    verdict = material(view()).verdict
    for expected in (
        "Exact", f"{verdict.compared:,} counts", verdict.digest, "people waited 20 minutes or more",
        "15 min", "delay of the talk", "listeners in the first room at its peak", "More than <500,000> waited",
        "holds", "does not", "99.87% of the paced events", "joinstorm run quiet --scale 0.01 <b>", "python 3.11",
    ):  # fmt: skip
        assert expected in text, expected
    assert "differ from" not in text


def test_a_what_if_is_not_judged_against_history() -> None:
    """Its figures stand beside those of the known night; no row holds or does not."""
    rows = [replace(row, night="launch") for row in FACTS]
    text = " ".join(Reader(page(material(view(), facts=rows))).text)
    assert "Beside what is known of launch" in text
    assert "are not judged" in text
    assert "does not" not in text
    assert "holds" not in text


def test_a_wrong_run_names_what_differs() -> None:
    """The difference stands on the page with its time, phase, room, count and both numbers."""
    text = " ".join(Reader(wrong_page()).text)
    assert "Not exact" in text
    assert "1 differ from the truth" in text
    assert re.search(r"2023-05-24T22:41:40Z\s+open\s+audience\s+first\s+joins\s+5\s+8", text)


def test_pictures_are_well_formed_and_say_what_they_show() -> None:
    """Three pictures, each valid SVG, with its figures in words for screen readers, in the page's own colours."""
    pictures = re.findall(r"<svg.*?</svg>", exact_page(), flags=re.DOTALL)
    assert len(pictures) == 3
    for picture in pictures:
        root = ET.fromstring(picture)
        assert root.attrib["role"] == "img"
        assert len(root.attrib["aria-label"]) > 20
        assert "var(--ink)" in picture
        assert "#010203" not in picture
    launch, *_ = Reader(exact_page()).labels
    night = view().engines["e"].results
    assert f"People: first room at most {night.live('first').peak()[0]:,} at " in launch
    assert "Engine minus truth: 0 at every moment" in launch
    assert "Drop rate: share of the room dropped within a minute" in launch


def test_the_same_run_makes_the_same_picture() -> None:
    """Byte for byte: nothing of the clock or of chance is in it."""
    assert page(material(view())) == exact_page()


def test_names_from_outside_are_text_and_an_engine_that_wrote_nothing_has_a_page() -> None:
    """Scenario, title and engine names are shown as they are, not taken for HTML; empty lines are drawn."""
    seen = view()
    hostile = msgspec.structs.replace(info(), scenario="<script>alert(1)</script>", announced=None)
    html = page(replace(material(replace(seen, info=hostile), "<iframe>", facts=()), title="<img src=x>"))
    reader = Reader(html)
    assert not {"img", "iframe"} & set(reader.open)
    assert reader.open.count("script") == 3
    assert "<img src=x>" in " ".join(reader.text)
    assert "engine '<iframe>' has written nothing" in " ".join(reader.text)
    assert "The announcement" not in html
    assert "Compared with known facts" not in html


def test_nothing_hidden_is_on_the_page() -> None:
    """Escapes and turns of direction in names, problems, versions, hashes and the command are spelled."""
    evil = "\x1b]0;x\x07\u202e\udcff<script>alert(1)</script>"
    made = material(view(3))
    verdict = msgspec.structs.replace(
        made.verdict, problems=(evil,), remarks=(evil,), versions={evil: evil}, run=evil, tape_sha256=evil, digest=evil,
        truth_digest=evil, seconds={evil: 1.0}, events_per_second={evil: 1.0}, faults={evil: {evil: 1}},
    )  # fmt: skip
    html = page(replace(made, verdict=verdict, command=evil, title=evil))
    assert not set("\x1b\x07\u202e\udcff") & set(html)
    assert Reader(html).open.count("script") == 3
    assert html.encode()


def test_the_report_is_written_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No partial file remains."""
    monkeypatch.setattr(report, "page", lambda _: exact_page())
    path = write_report(tmp_path / "report.html", material(view()))
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text() == exact_page()


def test_names_of_phases_in_one_row_keep_apart() -> None:
    """Phases too short for their names use other rows; a name that finds no room is left out."""
    span = (START, START + 90 * 60_000)
    rows = pictures_style._rows(info(), span)
    assert {name for name, _, _ in rows} >= {"open", "melting", "talk"}
    points = (span[1] - span[0]) / (pictures_style.WIDTH * 72 * 0.9)
    for row in range(pictures_style.ROWS):
        placed = sorted((begin, name) for name, begin, where in rows if where == row)
        for (begin, name), (following, _) in itertools.pairwise(placed):
            assert begin + 4 * len(name) * points < following


def test_a_single_wrong_window_survives_thinning() -> None:
    """Where several windows share a place in the picture, the greatest difference is drawn."""
    stretch = Stretch(picture_data(material(view())).grid, 0, WINDOWS)
    values = Steps(np.array([1233, 1234, 2344, 2345]), np.array([0, 7, 0, -9, 0]))
    far = stretch.farthest(values)
    assert len(far) == len(stretch.times()) == len(stretch.thin(values))
    assert (far.max(), far.min()) == (7, -9)


def test_ratios_in_pictures_are_those_of_the_metrics() -> None:
    """Drop rate and join success over the night equal what the exporter would say window by window."""
    night = view().engines["e"].results
    points = np.arange(WINDOWS + 1)
    drops = pictures_launch.drop_ratio(night, "first", points)
    success = pictures_launch.join_success(night, "first", points)
    for k in (0, 5, 12, 700, 900, 1200):
        now = night.at(START + k * WINDOW)
        assert now.drop_ratio("first") == (None if np.isnan(drops[k]) else pytest.approx(drops[k]))
        assert now.join_success("first") == (None if np.isnan(success[k]) else pytest.approx(success[k]))


def test_the_launch_is_shown_until_the_rooms_are_quiet() -> None:
    """The picture ends with the last attempt or where a quiet phase begins."""
    assert pictures_launch.launch_span(picture_data(material(view()))) == (START, START + 1080 * WINDOW)


def test_figures_are_for_people() -> None:
    """Spans in hours and minutes; what did not happen is no figure."""
    assert (duration(90 * 60_000), duration(59.4 * 60_000)) == ("1 h 30 min", "59 min")
    empty = RunState(info())
    quiet = RunView(info=info(), engines={"truth": view().engines["truth"], **empty.engines()})
    assert [one.label for one in figures(picture_data(material(quiet, "nobody")))] == ["delay of the talk"]


def own_page(space: str | None, zone: str | None = None) -> str:
    """Return the page of a recording of one's own: three joins into a room, or without a room three posts."""
    spaces = () if space is None else (space,)
    own = msgspec.structs.replace(
        run_info(), scenario="town-hall", scale=1.0, spaces=spaces, phases=(Phase("a $_$ b", START),), announced=None,
        thread="", subjects=(), talk_start=START, end=START + HOUR - 1,
    )  # fmt: skip
    state = RunState(own)
    for engine in ("truth", "e"):
        if space is None:
            state.accept(
                RESULTS_REACTION, encode(ReactionResult(1, "run-1", engine, START, "other", "0", 1, {"posts": 3}, {}))
            )
        else:
            counts = {"attempts": 3, "arrivals": 3, "joins": 3}
            state.accept(RESULTS_AUDIENCE, encode(AudienceResult(1, "run-1", engine, START, space, "0", 1, counts)))
        for topic in INPUTS:
            made = Progress(1, "run-1", engine, topic, "0", (0, 1), 1, START, True, 50, 0, 0)
            state.accept(RESULTS_PROGRESS, encode(made))
    seen = material(RunView(info=own, engines=state.engines()), facts=())
    return page(replace(seen, wording=of_recording(zone)))


def test_a_recording_of_real_people_keeps_its_own_words() -> None:
    """Its name, rooms and zone as given; nobody in it is called synthetic, and there is no size."""
    words = " ".join(Reader(own_page("Main Stage", "Europe/Berlin")).text)
    for expected in (
        "town-hall",
        "listeners in Main Stage at its peak",
        "in Europe/Berlin and UTC",
        "CEST",
        "The rooms",
    ):
        assert expected in words, expected
    for foreign in ("synthetic", "US Eastern", "The launch", "full size", "seed", "tweets"):
        assert foreign not in words, foreign


@pytest.mark.parametrize("space", ["$_$", "a_b $x$ {}", None])
def test_any_name_and_a_night_without_rooms_can_be_drawn(space: str | None) -> None:
    """Dollar signs in the names of rooms and phases are letters; posts alone have pictures of posts alone."""
    words = " ".join(Reader(own_page(space)).text)
    assert ("The rooms" in words, "The posts" in words) == (space is not None, space is None)


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (999, "999"), (1_000, "1k"), (58_227, "58.2k"), (2_000_000, "2M"), (-1_500, "-1.5k")]
)
def test_numbers_on_axes_are_short(value: float, text: str) -> None:
    """Thousands and millions by a letter."""
    assert pictures_style.short(value) == text
