"""``joinstorm alerts``: any Prometheus rules file scored against the truth, and an alert's settings compared."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypedDict, TypeVar

import click

from joinstorm.commands import options
from joinstorm.output import echo
from streams.errors import EXIT_FAILED, EXIT_OK

if TYPE_CHECKING:
    from joinstorm.alerts.expectation import Expectation
    from joinstorm.alerts.nightlibrary import NightSource
    from joinstorm.alerts.requirement import Requirement
    from joinstorm.alerts.rulesfile import Rule, RulesFile
    from joinstorm.alerts.scorerun import NightSettings
    from joinstorm.alerts.settings import Dial

_F = TypeVar("_F", bound=Callable[..., Any])
SCENARIOS: Final = ("launch", "control")
FORMATS: Final = ("text", "json", "junit", "html")
EXPECT: Final = "What an alert is meant for, in place of its label joinstorm_expect; repeatable."
REQUIRE: Final = (
    "Exit with 1 unless every alert scored meets these: recall, precision, detect, reset, flaps, false_pages."
)


class NightOptions(TypedDict):
    """The options that say on which nights, and how they are sampled."""

    scenarios: tuple[str, ...]
    seeds: int
    scale: float
    tapes: tuple[Path, ...]
    scrape: int
    interval: int
    engine: str
    expects: dict[str, str]


class DurationParam(click.ParamType):
    """A duration such as ``15s`` or ``1m``, in milliseconds."""

    name = "DURATION"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Check that it is a duration above zero."""
        from joinstorm.alerts.durations import duration_ms

        try:
            found = value if isinstance(value, int) else duration_ms(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return found or self.fail("expected more than nothing", param, ctx)


def pairs(_ctx: click.Context, _param: click.Parameter, texts: Sequence[str]) -> dict[str, str]:
    """Return what stands on both sides of each ``=``."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise click.BadParameter(f"{text!r}: expected NAME=VALUE")
        found[name] = value
    return found


def night_options(function: _F) -> _F:
    """Options that say on which nights, and how they are sampled."""
    tape = click.Path(path_type=Path, dir_okay=False, exists=True)
    several = "Scenario to record; repeatable. Without scenarios and tapes: launch and control."
    added = (
        click.option("--scenario", "scenarios", multiple=True, metavar="NAME", help=several),
        click.option("--seeds", type=click.IntRange(1, 1000), default=1, help="Nights of each: own seed, then from 1."),
        options.scale(0.1),
        click.option("--tape", "tapes", multiple=True, type=tape, help="Tape of a further night; repeatable."),
        click.option("--scrape", type=DurationParam(), default="15s", help="Event time between samples."),
        click.option("--interval", type=DurationParam(), default="15s", help="Interval of groups without one."),
        options.engine("Value of the label engine."),
        click.option("--expect", "expects", multiple=True, metavar="ALERT=PHASE,…", callback=pairs, help=EXPECT),
    )  # fmt: skip
    for option in reversed(added):
        function = option(function)
    return function


def _requirements(_ctx: click.Context, _param: click.Parameter, text: str) -> list[Requirement]:
    from joinstorm.alerts.requirement import parse_requirements

    try:
        return parse_requirements(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.group()
def command() -> None:
    """Score alert rules against the truth.

    A Prometheus of its own evaluates the rules in event time, at the nights' own dates; no Kafka is needed. prometheus
    and promtool have to be installed (Debian and Ubuntu: apt-get install prometheus). Nights are recorded once and kept
    in the cache folder.
    """


@command.command("score")
@click.argument("rules", type=options.FILE, required=False, metavar="[RULES.yaml]")
@night_options
@options.output_format(*FORMATS)
@click.option("--require", "required", default="", metavar="FIGURE=BOUND,…", callback=_requirements, help=REQUIRE)
def score_command(rules: Path | None, form: str, required: list[Requirement], **nights: Any) -> int:
    """Score every alert of a rules file.

    Without RULES.yaml the shipped rules are scored. The score of an alert: recall, precision, detection time and reset
    time (the median, and the greatest where it differs), flaps, pages per night with and without an incident, and when
    it fired.

    The label `joinstorm_expect` says what an alert is meant for: phases by commas (`melting,first_closed`), `;` before
    the phases of another incident, `phase?` where it may fire, `none` if it must never fire. Without label and flag it
    is meant for the night's incident.
    """
    from joinstorm.alerts import scoreformats, scorepage
    from joinstorm.alerts.requirement import complaints, not_scored
    from joinstorm.alerts.scorerun import score

    given = NightOptions(**nights)  # type: ignore[typeddict-item]
    loaded, expected = rules_of(rules, given["expects"])
    with progress_bar("evaluating nights") as progress:
        found = score(loaded, expected, sources(given), settings(given), progress)
    forms = {
        "text": scoreformats.as_text, "json": scoreformats.as_json, "junit": scoreformats.as_junit,
        "html": scorepage.as_html,
    }  # fmt: skip
    echo(forms[form](found, required))
    unmet = complaints(found, required)
    for line in [*(not_scored(found) if required else ()), *unmet]:
        echo(line, err=True)
    return EXIT_FAILED if unmet else EXIT_OK


def rules_of(path: Path | None, expects: dict[str, str]) -> tuple[RulesFile, dict[Rule, Expectation]]:
    """Load a rules file, or the shipped one, and what its alerts are meant for."""
    from joinstorm.alerts.expectation import expectations
    from joinstorm.alerts.rulesfile import load_rules
    from joinstorm.alerts.shipped import RULES, load_shipped, shipped_expectations

    if path is None or path.resolve() == RULES.resolve():
        loaded = load_shipped()
        return loaded, expectations(loaded, expects, shipped_expectations())
    loaded = load_rules(path)
    return loaded, expectations(loaded, expects, {})


def sources(nights: NightOptions) -> list[NightSource]:
    """Return the nights the options name."""
    from joinstorm.alerts.nightlibrary import NightSource
    from producers.scenario import loading as scenario

    chosen = options.names_in(nights["scenarios"]) or (() if nights["tapes"] else SCENARIOS)
    seeds = [None, *range(1, nights["seeds"])]
    loaded = [scenario.load(name) for name in chosen]
    recorded = [NightSource(scenario=one, scale=nights["scale"], seed=seed) for one in loaded for seed in seeds]
    return [*(NightSource(tape=tape) for tape in nights["tapes"]), *recorded]


def settings(nights: NightOptions) -> NightSettings:
    """Return how the options want nights sampled and evaluated."""
    from joinstorm.alerts.scorerun import NightSettings

    return NightSettings(nights["scrape"], nights["interval"], nights["engine"])


@contextlib.contextmanager
def progress_bar(text: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on stderr where that is a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as bars:
        task = bars.add_task(text, total=None)
        yield lambda done, of: bars.update(task, completed=done, total=of)


def _dials(_ctx: click.Context, _param: click.Parameter, texts: Sequence[str]) -> list[Dial]:
    from joinstorm.alerts.settings import parse_dials

    try:
        return parse_dials(",".join(texts))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@command.command("tune")
@click.argument("rules", type=options.FILE, metavar="RULES.yaml")
@click.argument("alert")
@click.option(
    "--vary",
    "dials",
    required=True,
    multiple=True,
    metavar="NAME=VALUE,…",
    callback=_dials,
    help="Settings to try: threshold, window, for; repeatable.",
)
@night_options
@options.picture("Picture of the front: .png or .svg.", default=Path("tune.svg"))
@options.output_format()
def tune_command(rules: Path, alert: str, dials: list[Dial], picture: Path, form: str, **nights: Any) -> None:
    """Compare the settings of an alert.

    The alert is scored in every combination of the settings.

    The front has the settings that no other one beats in incidents missed, detection time and false pages; the picture
    shows it, and where the alert lies as it stands in the file.

    threshold is the number after the comparison, window the range of the selectors, for the wait. Where an expression
    has several different ones, threshold:2 or window:1 varies one of them. RULES.yaml may be `shipped`, the rules that
    come with joinstorm.
    """
    from joinstorm.alerts import tuneformats
    from joinstorm.alerts.tuning import tune

    if picture.suffix not in tuneformats.SUFFIXES:
        raise click.BadParameter(f"{picture}: expected a name that ends in .png or .svg", param_hint="--picture")
    given = NightOptions(**nights)  # type: ignore[typeddict-item]
    loaded, expected = rules_of(None if str(rules) == "shipped" else rules, given["expects"])
    with progress_bar("evaluating nights") as progress:
        found = tune(loaded, alert, expected, dials, sources(given), settings(given), progress)
    tuneformats.draw(found, picture)
    echo((tuneformats.as_json if form == "json" else tuneformats.as_text)(found))
    echo(f"picture: {picture}", err=True)
