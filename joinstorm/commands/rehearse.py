"""``joinstorm rehearse``: a night with your rules in a real Prometheus, and every page accounted for."""

from __future__ import annotations

import sys
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from joinstorm.commands import alerts, options
from joinstorm.output import echo
from streams.errors import EXIT_FAILED, EXIT_OK

if TYPE_CHECKING:
    from joinstorm.rehearsal.rehearsing import RehearsalRequest
    from joinstorm.run.wholejob import RunRequest


class AddressParam(click.ParamType):
    """An HTTP address."""

    name = "URL"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check its form; whether a server answers shows on use."""
        parts = urllib.parse.urlsplit(str(value))
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            self.fail(f"{value!r}: expected http://HOST:PORT/PATH", param, ctx)
        return str(value)


class PacedSpeedParam(options.SpeedParam):
    """A speed that is a number: a rehearsal is paced."""

    name = "N"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the speed as a number above zero."""
        return super().convert(value, param, ctx) or self.fail(
            "expected a number: alerts run by the clock, so a rehearsal is paced", param, ctx
        )


def _listening(_ctx: click.Context, _param: click.Parameter, text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not (colon and port.isdigit() and int(port) < 65536):  # noqa: PLR2004 - the last TCP port
        raise click.BadParameter(f"{text!r}: expected HOST:PORT")
    return host or "0.0.0.0", int(port)  # noqa: S104 - what an empty host means


RULES = "Prometheus rules file; without it the shipped rules."
INCIDENT_SPEED = "Event seconds per second while the incident lasts; 1: `for: 2m` is two minutes of the night."
LEAD = "Become slow so much of the night before the incident."
WEBHOOK = "Send every notification to this webhook as well; repeatable."
OWN = "Use an Alertmanager that runs; it has to notify --receiver."
RECEIVER = "Address of the receiver that keeps every notification; port 0: any free port."
KILL = "Kill Alertmanager (SIGKILL) at this moment of the night, and start it again."


@click.command()
@click.argument("scenario", default="launch")
@click.option("--rules", type=options.FILE, default=None, show_default="the shipped rules", help=RULES)
@click.option("--expect", "expects", multiple=True, metavar="ALERT=PHASE,…", callback=alerts.pairs, help=alerts.EXPECT)
@options.scale(0.1)
@options.seed()
@options.tape("Tape to rehearse instead of recording the scenario.", exists=True, shown="a new one")
@click.option("--speed", type=PacedSpeedParam(), default="60", help="Event seconds per second, from 0.1.")
@click.option("--incident-speed", type=PacedSpeedParam(), default="1", help=INCIDENT_SPEED)
@click.option("--lead", type=alerts.DurationParam(), default=None, show_default="none", help=LEAD)
@options.moments
@click.option("--webhook", "webhooks", type=AddressParam(), multiple=True, help=WEBHOOK)
@click.option("--alertmanager", type=AddressParam(), default=None, show_default="one of its own", help=OWN)
@click.option("--receiver", default="127.0.0.1:0", metavar="HOST:PORT", callback=_listening, help=RECEIVER)
@click.option("--kill-alertmanager", "kill", default=None, metavar="MOMENT", help=KILL)
@click.option("--down", type=alerts.DurationParam(), default="5s", help="How long it is away then.")
@options.engine()
@options.engines_options
@options.workers(64)
@options.client
@options.bootstrap_servers(embedded=True)
@options.remote_write
@options.out_folder("Folder for tape, notifications, verdicts and logs.", shown="a new one in out/")
@options.output_format()
def command(out: Path | None, form: str, **given: Any) -> int:
    """Rehearse a night with your alerts.

    SCENARIO is replayed through Kafka and an engine as in `joinstorm run`. A Prometheus of its own scrapes the run and
    evaluates the rules, an Alertmanager of its own notifies a receiver that keeps every notification, and the night
    becomes slow by itself when its incident begins. At the end every page that Prometheus fired has to have arrived
    once, and each alert is scored against the truth. prometheus, promtool and alertmanager have to be installed
    (Debian and Ubuntu: apt-get install prometheus prometheus-alertmanager).

    Exit code 0 only when the counts are exact and every page arrived as it should, 1 when not.
    """
    from joinstorm.rehearsal import rehearsalformats
    from joinstorm.rehearsal.rehearsing import check_rehearsal, rehearse
    from joinstorm.run.outfolder import run_folder
    from joinstorm.verdict import verdicts

    request = _request(**given)
    check_rehearsal(request)
    with run_folder(out) as folder:
        found = rehearse(request, folder, sys.stderr)
        verdicts.write(found.run.verdict, folder / "verdict.json")
        (folder / "pages.json").write_text(rehearsalformats.as_json(found) + "\n")
    if form == "json":
        echo(rehearsalformats.as_json(found))
    else:
        echo(rehearsalformats.as_text(found))
        echo(f"{verdicts.to_text(found.run.verdict)}\npages: {folder / 'pages.json'}")
    return EXIT_OK if found.ok else EXIT_FAILED


_OWN = ("incident_speed", "webhooks", "receiver", "kill")


def _request(*, rules: Path | None, expects: dict[str, str], **given: Any) -> RehearsalRequest:
    """Return what the options ask for; those that are not the rehearsal's own are the run's."""
    from joinstorm.rehearsal.rehearsing import RehearsalRequest

    loaded, expected = alerts.rules_of(rules, expects)
    own = {name: given.pop(name) for name in _OWN}
    lead, down = given.pop("lead") or 0, given.pop("down") / 1000
    alertmanager = given.pop("alertmanager") or ""
    return RehearsalRequest(
        run=_run(**given), rules=loaded, expected=expected, lead=lead, down_seconds=down, alertmanager=alertmanager,
        **own,
    )  # fmt: skip


def _run(*, connection: Any, engine: str, **given: Any) -> RunRequest:
    """Return the run of a rehearsal; options that are not its own are the pipeline's, under the same names."""
    from joinstorm.engines.engineoptions import by_engine
    from joinstorm.run.pipeline import PipelineRequest
    from joinstorm.run.wholejob import RunRequest
    from streams.kafka.connection import Connection

    own = {name: given.pop(name) for name in ("scenario", "scale", "seed", "tape", "remote_write")}
    given["options"] = by_engine(given["options"], (engine,))
    pipeline = PipelineRequest(
        tape=own["tape"] or Path("tape.parquet"), connection=connection or Connection(), engine=engine, skip_quiet=True,
        **given,
    )  # fmt: skip
    return RunRequest(connection=connection, pipeline=pipeline, **own)
