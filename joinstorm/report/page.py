"""The report of a run: one self-contained HTML page."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from joinstorm.facts.facttable import FactRow
from joinstorm.report import curves, inwords, scripted
from joinstorm.report import launchpicture as pictures_launch
from joinstorm.report import tables as report_tables
from joinstorm.report import tweetpictures as pictures_tweets
from joinstorm.report.curves import Chart
from joinstorm.report.figures import Figure, figures
from joinstorm.report.pictures import PictureData
from joinstorm.report.scripted import Plot
from joinstorm.report.stylesheet import CSS
from joinstorm.report.wording import SIMULATED, Wording
from joinstorm.verdict.verdicts import Verdict
from streams.contract.names import TRUTH
from streams.contract.runinfo import RunInfo
from streams.exporter.samples import reaction_at, subject_of_announcement
from streams.read.derive import EngineResults
from streams.read.runview import RunView
from streams.system.wholefile import whole_file
from streams.visible import escape

_LAUNCH = (
    "Lines are the engine's counts, dots the truth. People who were refused or dropped count as waiting until they "
    "get in or give up."
)
_TWEETS = "Five-minute means by subject; the share of each stance per quarter of an hour."
_REACTION = (
    "Five-minute means. The baseline is fitted to the hours before the announcement; the excess above it is the effect."
)


@dataclass(frozen=True)
class Material:
    """The input of a report.

    Args:
        view: The run at its end; the truth must be among its engines.
        verdict: The verdict on the engine the report is about.
        facts: Known facts of the night with the tape's figures; empty where nothing is known.
        command: The command that made the run.
        title: The title of the night; the scenario's name by default.
        wording: How the report names things.
    """

    view: RunView
    verdict: Verdict
    facts: Sequence[FactRow]
    command: str
    title: str = ""
    wording: Wording = SIMULATED


def write_report(path: Path, material: Material) -> Path:
    """Write the page, whole or not at all, and return its path."""
    with whole_file(path) as part:
        part.write_text(page(material), encoding="utf-8")
    return path


def page(material: Material) -> str:
    """Return the page; it needs no network, and a script only to read its charts by hovering, zooming and sliding."""
    data = picture_data(material)
    verdict, plots = material.verdict, _plots(data)
    body = (
        _head(material, data.info),
        f'<div class="cards">{"".join(map(_card, figures(data)))}</div>',
        *_pictures(data, plots),
        report_tables.facts(material.facts, data.info.scale),
        report_tables.verdict(verdict, paced=material.view.status is not None and material.view.status.speed > 0),
        _made(material),
    )
    title = escape(f"joinstorm: {data.info.scenario}, {verdict.engine}, {'exact' if verdict.exact else 'not exact'}")
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{scripted.policy()}">\n'
        f"<style>{scripted.style()}{CSS}</style>\n</head>\n<body>\n<main>\n{chr(10).join(body)}\n</main>\n"
        f"{scripted.scripts(data, list(plots.values()))}</body>\n</html>\n"
    )


def picture_data(material: Material) -> PictureData:
    """Return the data of the pictures; an engine that wrote nothing is shown as empty."""
    info, engines = material.view.info, material.view.engines
    assert info is not None
    known = engines.get(material.verdict.engine)
    engine = known.results if known else EngineResults(info).view()
    subject = subject_of_announcement(info) or ""
    reaction = reaction_at(info, engine, engine.grid.windows)
    return PictureData(info, engine, engines[TRUTH].results, reaction, subject, material.wording)


def _head(material: Material, info: RunInfo) -> str:
    wording = material.wording
    name = info.scenario if wording.own else info.scenario.replace("-", " ").capitalize()
    start = f"{wording.clocks[0].moment(info.start / 86_400_000):%-d %B %Y}"
    size = "" if wording.own else ", at full size" if info.scale == 1 else f", at {info.scale:g} of full size"
    people = "people" if wording.own else "synthetic people"
    crowd = f"{info.events:,} events of {info.people:,} {people}, replayed through Kafka"
    clocks = " and ".join(clock.name for clock in wording.clocks)
    return (
        f"<h1>{escape(material.title or name)}</h1>\n"
        f'<p class="soft">{start}{size}: {crowd}. Times are event time, in {escape(clocks)}.</p>\n'
        f"{_answer(material.verdict)}"
    )


def _answer(verdict: Verdict) -> str:
    engine, counts = f"<b>{escape(verdict.engine)}</b>", f"{verdict.compared:,} counts"
    if verdict.exact:
        tone, answer, details = "exact", "Exact", f"All {counts} of {engine} equal the truth."
    else:
        tone, answer, details = (
            "wrong",
            "Not exact",
            f"Of {counts} of {engine}, {verdict.mismatches:,} differ from the truth.",
        )
        details += "".join(f" {escape(problem)}." for problem in verdict.problems[:1])
    return f'<div class="verdict {tone}"><strong>{answer}</strong><span>{details}</span></div>'


def _card(figure: Figure) -> str:
    value, label, note = escape(figure.value), escape(figure.label), escape(figure.note)
    return f'<div class="card"><b>{value}</b><span>{label}</span><small>{note}</small></div>'


def _plots(data: PictureData) -> dict[str, Plot]:
    """Return the charts of each picture, in the order of the page."""
    charts: dict[str, list[Chart]] = {}
    if data.engine.spaces:
        charts["rooms"] = curves.launch(data)
    if not data.wording.own or pictures_tweets.any_posts(data):
        charts["posts"] = curves.posts(data)
    charts["announcement"] = curves.announcement(data)
    return {
        name: Plot(name, found, inwords.described(found, data.wording))
        for name, found in charts.items()
        if any(len(chart.curves) and len(chart.curves[0].values) > 1 for chart in found)
    }


def _pictures(data: PictureData, plots: Mapping[str, Plot]) -> Iterator[str]:
    wording = data.wording
    makers = {
        "rooms": (wording.rooms_title, _LAUNCH, pictures_launch.launch),
        "posts": (wording.posts_title, _TWEETS, pictures_tweets.tweets),
        "announcement": ("The announcement", _REACTION, pictures_tweets.announcement),
    }
    for name, plot in plots.items():
        title, caption, draw = makers[name]
        if svg := draw(data, plot.text):
            yield _picture(title, caption, svg, plot)


def _picture(title: str, caption: str, svg: str, plot: Plot) -> str:
    head = f'<h2>{escape(title)}</h2>\n<p class="soft">{escape(caption)}</p>'
    return f'<section class="picture">\n{head}\n<figure>{svg}</figure>\n{scripted.place(plot)}\n</section>'


def _made(material: Material) -> str:
    verdict = material.verdict
    versions = ", ".join(f"{escape(name)} {escape(version)}" for name, version in verdict.versions.items())
    own = material.wording.own
    recorded = "" if own else f", seed {verdict.seed}, scale {verdict.scale:g}"
    run = f"Run <code>{escape(verdict.run)}</code>{recorded}"
    people = "" if own else '\n<p class="soft">Every listener, author and tweet is synthetic.</p>'
    return (
        f"<h2>How it was made</h2>\n<pre>{escape(material.command)}</pre>\n"
        f'<p class="soft">{run}, tape <code>{escape(verdict.tape_sha256)}</code>.<br>{versions}.</p>{people}'
    )
