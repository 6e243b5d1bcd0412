"""``joinstorm run``: the whole job."""

from __future__ import annotations

import contextlib
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from joinstorm.commands import options
from joinstorm.output import echo
from streams.errors import EXIT_FAILED, EXIT_OK

if TYPE_CHECKING:
    from joinstorm.run.wholejob import RunOutcome, RunRequest


@click.command()
@click.argument("scenario", default="launch")
@options.scale(0.1)
@options.seed()
@options.speed(options.MAX_SPEED)
@click.option("--skip-quiet/--play-quiet", default=True, help="Send quiet phases at full speed, or paced.")
@options.moments
@options.engine()
@click.option(
    "--extra-engine",
    "extra_engines",
    multiple=True,
    metavar="ENGINE[,…]",
    callback=lambda _ctx, _param, texts: options.names_in(texts),
    help="Further engine on the same topics; repeatable.",
)
@options.engines_options
@options.workers(64)
@options.client
@options.bootstrap_servers(embedded=True)
@options.topic_prefix
@options.partitions
@options.replication
@options.tape("Tape to replay instead of recording the scenario.")
@options.out_folder("Folder for tape, verdict, report and logs.", shown="a new one in out/")
@options.faults
@options.metrics_port(0)
@options.remote_write
@click.option("--linger", is_flag=True, help="Go on serving /metrics after the verdict, until Ctrl-C.")
@click.option("--report/--no-report", default=True, help="Write the HTML report.")
@options.output_format()
def command(out: Path | None, report: bool, form: str, *, linger: bool, **given: Any) -> int:
    """Replay a night and verify every count.

    SCENARIO is a name of `joinstorm scenarios list` or a YAML file. The night is replayed through Kafka into an engine,
    whose final counts are compared with the truth; without --bootstrap-servers an embedded Kafka is started and ended.
    With --fault as in `joinstorm replay`, the verdict accounts for every injected fault. Each --extra-engine is judged,
    too, and shown on the board Engines; it does not change the verdict.

    Exit code 0 only when the verdict is exact, 1 when it is not.
    """
    from joinstorm.run.outfolder import run_folder
    from joinstorm.run.wholejob import check_request, run_job
    from joinstorm.verdict import verdicts

    request = _request(**given)
    check_request(request)
    with run_folder(out) as folder:
        outcome = run_job(request, folder)
        verdicts.write(outcome.verdict, folder / "verdict.json")
        for one in outcome.extra_engines:
            verdicts.write(one, folder / f"verdict-{one.engine}.json")
        page = _report(outcome, folder) if report else None
    _print(outcome, folder, page, form, request)
    if linger:
        _linger(outcome)
    return EXIT_OK if outcome.verdict.exact else EXIT_FAILED


_OWN = ("scenario", "scale", "seed", "tape", "connection", "metrics_port", "remote_write")


def _request(*, fault: tuple[str, ...], fault_seed: int, **given: Any) -> RunRequest:
    """Return what the options ask for; those that are not the run's own are the pipeline's, under the same names."""
    from joinstorm.engines.engineoptions import by_engine
    from joinstorm.run.pipeline import PipelineRequest
    from joinstorm.run.wholejob import RunRequest
    from producers.compose.faults import parse_faults
    from streams.kafka.connection import Connection

    own = {name: given.pop(name) for name in _OWN}
    given["options"] = by_engine(given["options"], (given["engine"], *given["extra_engines"]))
    pipeline = PipelineRequest(
        tape=own["tape"] or Path("tape.parquet"),
        connection=own["connection"] or Connection(),
        faults=parse_faults(fault, fault_seed),
        **given,
    )
    return RunRequest(pipeline=pipeline, **own)


def _report(outcome: RunOutcome, folder: Path) -> Path | None:
    """Write the report; one that cannot be drawn is reported and changes neither verdict nor exit code."""
    from joinstorm.report.page import Material, write_report
    from joinstorm.report.wording import SIMULATED, of_recording

    info = outcome.tape.info
    made_by = shlex.join(["joinstorm", *sys.argv[1:]])
    wording = SIMULATED if info.scenario else of_recording(info.zone)
    title = info.scenario.get("title", "")
    material = Material(outcome.view, outcome.verdict, outcome.facts, made_by, title, wording)
    try:
        return write_report(folder / "report.html", material)
    except Exception as error:  # noqa: BLE001 - whatever a drawing library raises
        echo(f"joinstorm: no report was written: {type(error).__name__}: {error}", err=True)
        return None


def _linger(outcome: RunOutcome) -> None:
    """Serve the end of the run where its metrics were served, until a signal."""
    from joinstorm.interrupts import InterruptedRun, interruptible
    from joinstorm.run.serving import lingering

    with contextlib.suppress(InterruptedRun), interruptible():  # its end is no interruption of the run
        lingering(outcome.view, outcome.metrics, lambda line: echo(line, err=True))


def _print(outcome: RunOutcome, folder: Path, page: Path | None, form: str, request: RunRequest) -> None:
    from joinstorm.facts.factformats import text
    from joinstorm.verdict import verdicts

    if form == "json":
        echo(verdicts.to_json(outcome.verdict).decode(), nl=False)
        return
    if outcome.facts:
        echo(text(outcome.facts, f"{outcome.verdict.scenario}, known facts and this tape"))
    echo(verdicts.to_text(outcome.verdict))
    for one in outcome.extra_engines:
        echo(f"extra engine: {verdicts.to_text(one)}")
    seconds = ", ".join(f"{stage} {value:.1f} s" for stage, value in outcome.verdict.seconds.items())
    echo(f"{seconds}\nverdict: {folder / 'verdict.json'}")
    if page is not None:
        echo(f"report:  {page}")
    if request.remote_write and outcome.view.info is not None:
        echo(f"board:   {options.board_of(outcome.view.info, outcome.verdict.engine)}")
