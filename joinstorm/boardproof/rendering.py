"""Draws every board with Grafana's published libraries over a night in a real Prometheus, and finds what is wrong.

A board is drawn before, during and after a run: at the time range it is meant for, with the answers that Prometheus has
by then. An exception, an empty panel that does not say why, or text too small to read is a finding.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final

from dashboards import promql, stored
from dashboards.lint import panels
from dashboards.panels import NO_RUN
from joinstorm.boardproof import check, nodeproject
from joinstorm.boardproof.proofnight import GOOD, WRONG, ProofNight
from joinstorm.prometheus.remotewrite import RemoteWriter, receiver
from joinstorm.prometheus.server import RECEIVING, Prometheus
from producers.recording import record
from producers.scenario.loading import load
from streams.contract.names import PhaseName
from streams.contract.runinfo import RunInfo
from streams.system.scratch import scratch

SCENARIO, SCALE, SEED = "launch", 0.01, 1
"""The night that is drawn if no tape is given."""
THEMES: Final = ("dark", "light")
WIDTHS: Final = (1280, 1920)
MOMENTS: Final = ("before", "during", "after")
LAUNCH, ANNOUNCEMENT = "joinstorm-launch", "joinstorm-announcement"
FIRST_SCREEN: Final = 800
"""Height of the first screen at the smaller width."""
_EVENING_MS: Final = 190 * 60_000
_BEFORE_THREAD_MS: Final = 120 * 60_000
_STEP_SECONDS: Final = 30
_DAY_STEP_SECONDS: Final = 300
_POINTS: Final = 380
"""Per graph and series: about as many as Grafana asks for in a panel of half the smaller width."""
_SECONDS_PER_PICTURE: Final = 60
_PHASE_COLOUR, _ALERT_COLOUR = "#80808099", "#d55e00"

Answers = list[dict[str, Any]]


@dataclass(frozen=True)
class _Stretch:
    """The time range of a board (s since the epoch), and the moment up to which its run has come."""

    start: int
    end: int
    cut: int

    @property
    def step(self) -> int:
        return max(_STEP_SECONDS, (self.end - self.start) // _POINTS // _STEP_SECONDS * _STEP_SECONDS)


def render(
    out: Path,
    environ: Mapping[str, str],
    *,
    tape: Path | None = None,
    only: str = "",
    notify: Callable[[str], None] = lambda _: None,
) -> dict[str, list[str]]:
    """Write the pictures to ``out`` and return the findings by picture.

    Args:
        out: A folder for the pictures.
        environ: Where the drawing program's libraries are cached.
        tape: The night; a small one is recorded if not given. It must melt and have a thread.
        only: Draw only the pictures with this in their names.
        notify: Called with a line about what is being done.

    Raises:
        EnvironmentMissingError: node, npm, Chromium, prometheus or promtool is missing.
        TapeError: The tape cannot be read.
    """
    out.mkdir(parents=True, exist_ok=True)
    notify("installing the drawing program's libraries, once")
    nodeproject.install(environ)
    with scratch("render") as folder:
        if tape is None:
            notify(f"recording {SCENARIO}, scale {SCALE:g}, seed {SEED}")
            tape = record(load(SCENARIO), folder / "tape.parquet", scale=SCALE, seed=SEED).path
        notify("loading the night into Prometheus")
        night = ProofNight.of_tape(tape)
        check.store(night, folder, _scrapes(night))
        with Prometheus(folder, RECEIVING, f"{_DAY_STEP_SECONDS - 1}s") as prometheus:
            RemoteWriter(receiver(prometheus.url)).write(night.event_time_series(_scrapes(night)))
            jobs = _jobs(night, prometheus, out, only)
        silent = _silent(jobs)
        notify(f"drawing {len(jobs['pictures'])} pictures")
        drawn = nodeproject.draw(jobs, folder, environ, _SECONDS_PER_PICTURE * len(jobs["pictures"]))
        return {name: [*findings, *silent[name]] for name, findings in drawn.items()}


def _scrapes(night: ProofNight) -> Iterator[int]:
    """Yield the moments of the samples: dense in the evening, sparse on the day after."""
    at = night.info.start
    while at < night.info.end:
        yield at
        at += 1000 * (_STEP_SECONDS if at < night.info.start + _EVENING_MS else _DAY_STEP_SECONDS)
    yield night.info.end


def _jobs(night: ProofNight, prometheus: Prometheus, out: Path, only: str) -> dict[str, Any]:
    """Return what the drawing program needs to know."""
    boards = stored.boards()
    pictures = [picture for picture in _pictures(boards) if only in picture["name"]]
    wanted = {(picture["uid"], picture["data"]) for picture in pictures}
    data = {
        name: _data(boards[uid], _stretch(night, uid, name.rpartition("-")[2]), night.info, prometheus)
        for uid, name in sorted(wanted)
    }
    return {"out": str(out.resolve()), "boards": boards, "data": data, "pictures": pictures}


def _pictures(boards: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield the pictures: every board whole, and the first screen of *The launch*."""
    for uid, moment, theme, width in product(boards, MOMENTS, THEMES, WIDTHS):
        name = f"{uid.removeprefix('joinstorm-')}-{moment}-{theme}-{width}"
        yield {"name": name, "uid": uid, "data": f"{uid}-{moment}", "theme": theme, "width": width, "height": 0}
    for moment, theme in product(MOMENTS, THEMES):
        shown = {"uid": LAUNCH, "data": f"{LAUNCH}-{moment}", "theme": theme}
        yield {"name": f"first-screen-{moment}-{theme}", **shown, "width": WIDTHS[0], "height": FIRST_SCREEN}


def _stretch(night: ProofNight, uid: str, moment: str) -> _Stretch:
    """Return a board's time range: the evening, or the day after for the announcement."""
    info = night.info
    day_after = uid == ANNOUNCEMENT
    name = PhaseName.THREAD if day_after else PhaseName.MELTING
    place = next(place for place, phase in enumerate(info.phases) if phase.name == name)
    begin, until = info.phases[place].start, info.phases[place + 1].start
    start = (begin - _BEFORE_THREAD_MS if day_after else info.start) // 1000
    end = (info.end if day_after else min(info.end, info.start + _EVENING_MS)) // 1000
    middle = begin + (until - begin) // 2
    cut = {"before": start - 1, "during": middle // 1000, "after": end}[moment]
    return _Stretch(start, end, cut - cut % _STEP_SECONDS)


def _data(board: dict[str, Any], stretch: _Stretch, info: RunInfo, prometheus: Prometheus) -> dict[str, Any]:
    """Return a board's variables, the answers of its queries up to the cut, and where its annotations begin."""
    several = any(one["name"] == "engine" and one["multi"] for one in board["templating"]["list"])
    variables = {
        **({"run": info.run} if check.in_event_time(board) else {}),
        "engine": f"{GOOD}|{WRONG}" if several else GOOD,
        "space": "|".join(info.spaces),
        "__rate_interval": f"{4 * stretch.step}s",
    }
    answers = {
        panel["id"]: [_answer(target, variables, stretch, prometheus) for target in panel["targets"]]
        for panel in panels(board)
    }
    return {
        "answers": answers,
        "marks": list(_marks(board, variables, stretch, prometheus)),
        "variables": {name: value for name, value in variables.items() if not name.startswith("_")},
        "from": stretch.start * 1000,
        "to": stretch.end * 1000,
    }


def _answer(
    target: Mapping[str, Any], variables: Mapping[str, str], stretch: _Stretch, prometheus: Prometheus
) -> dict[str, Any]:
    """Return what Grafana's data source would get for a query."""
    expr = promql.fill(target["expr"], variables)
    found = [] if stretch.cut < stretch.start else _points(prometheus, expr, stretch)
    series = [
        {"labels": labels, "times": [at * 1000 for at, _ in points], "values": [_json(value) for _, value in points]}
        for labels, points in found
    ]
    return {"series": series, "step": stretch.step * 1000}


def _points(
    prometheus: Prometheus, expr: str, stretch: _Stretch
) -> list[tuple[dict[str, str], list[tuple[float, float]]]]:
    """Return the labels and the points (s since the epoch, value) of each series of an expression up to the cut."""
    found = prometheus.query_range(expr, stretch.start * 1000, stretch.cut * 1000, stretch.step * 1000)
    return [
        (
            {name: value for name, value in series["metric"].items() if name != "__name__"},
            [(float(at), float(value)) for at, value in series["values"]],
        )
        for series in found
    ]


def _json(value: float) -> float | None:
    """Return the value; None for NaN and infinity, which JSON does not have and a graph leaves out."""
    return value if abs(value) < float("inf") else None


def _marks(
    board: dict[str, Any], variables: Mapping[str, str], stretch: _Stretch, prometheus: Prometheus
) -> Iterator[dict[str, Any]]:
    """Yield where a board's annotations begin: its phases and its alerts."""
    if stretch.cut < stretch.start:
        return
    queries = [
        (one["expr"], _ALERT_COLOUR if one["name"] == "Alerts" else _PHASE_COLOUR)
        for one in board["annotations"]["list"]
        if one.get("expr")
    ]
    for expr, colour in queries:
        for _, points in _points(prometheus, promql.fill(expr, variables), stretch):
            times = [at for at, _ in points]
            starts = [at for place, at in enumerate(times) if not place or at - times[place - 1] > stretch.step]
            yield from ({"time": at * 1000, "colour": colour} for at in starts)


def _silent(jobs: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the panels that say there is no run although there is one, by picture."""
    found: dict[str, list[str]] = {}
    for picture in jobs["pictures"]:
        answers = jobs["data"][picture["data"]]["answers"]
        found[picture["name"]] = [
            f"{panel['title']}: no data, and a run is there"
            for panel in panels(jobs["boards"][picture["uid"]])
            if panel["fieldConfig"]["defaults"]["noValue"] == NO_RUN
            and "-before" not in picture["data"]
            and not any(answer["series"] for answer in answers[panel["id"]])
        ]
    return found
