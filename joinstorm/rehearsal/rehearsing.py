"""One rehearsal: the night through the pipeline, Prometheus and Alertmanager beside it, and the account at the end."""

import contextlib
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TextIO

import yaml

from joinstorm.alerts.expectation import Expectation, check_phases
from joinstorm.alerts.nightsamples import NightInfo, night_of
from joinstorm.alerts.rulesfile import Rule, RulesFile
from joinstorm.alerts.scoring import AlertScore
from joinstorm.pages.alertmanager import GROUP_INTERVAL_SECONDS, Alertmanager, configuration, tool
from joinstorm.pages.delivery import RESEND_SECONDS, Delivery, deliver
from joinstorm.pages.lives import read_lives
from joinstorm.pages.outage import PlannedOutage
from joinstorm.pages.receiver import Receiver
from joinstorm.prometheus.server import Prometheus
from joinstorm.prometheus.server import tool as prometheus_tool
from joinstorm.rehearsal.account import NightClock, scores
from joinstorm.rehearsal.pacing import paces, stretches, warnings
from joinstorm.run.wholejob import RunOutcome, RunRequest, check_request, run_job
from producers.moments import moment_ms
from producers.recording import record
from producers.replay.control import ControlClient
from producers.scenario import loading as scenario
from producers.tape.tapefile import Tape
from producers.tape.tapeformat import TapeInfo
from streams.contract.names import TRUTH
from streams.errors import JoinstormError, UsageError
from streams.system.ports import free_ports
from streams.system.scratch import scratch
from streams.system.threads import poll_until

INTERVAL_MS: Final = 1000
"""Between two scrapes, and between two evaluations of a group without an interval of its own."""
_SETTLE_SECONDS: Final = 30.0
"""How long pages may be under way when the night is over."""
_PAUSE_SECONDS: Final = 0.25


@dataclass(frozen=True)
class RehearsalRequest:
    """What a user asks of ``joinstorm rehearse``.

    Args:
        run: The run; its tape, speeds and metrics port are filled in.
        rules: The rules.
        expected: What each of their alerts is meant for.
        incident_speed: Event seconds per second while the incident lasts.
        lead: Milliseconds of the night by which it becomes slow earlier.
        webhooks: Further addresses that get every notification.
        alertmanager: Address of one that runs; empty for an own one.
        receiver: Host and port of the receiver; port 0 for any free one.
        kill: A moment of the night at which Alertmanager is killed; None for none.
        down_seconds: How long it is away then.
    """

    run: RunRequest
    rules: RulesFile
    expected: Mapping[Rule, Expectation]
    incident_speed: float = 1.0
    lead: int = 0
    webhooks: tuple[str, ...] = ()
    alertmanager: str = ""
    receiver: tuple[str, int] = ("127.0.0.1", 0)
    kill: str | None = None
    down_seconds: float = 5.0


@dataclass
class RehearsalOutcome:
    """What a rehearsal gives: the verdict on the counts, the account of the pages, and the score of the alerts."""

    run: RunOutcome
    night: NightInfo
    delivery: Delivery
    problems: tuple[str, ...]
    """What is wrong with the delivery of pages."""
    scores: tuple[AlertScore, ...]
    clock: NightClock = field(repr=False)

    @property
    def ok(self) -> bool:
        """The counts are exact, and every page arrived as it should."""
        return self.run.verdict.exact and not self.problems


def check_rehearsal(request: RehearsalRequest) -> None:
    """Check what can be checked before anything is started.

    Raises:
        JoinstormError: A program is missing (the text says how to get it), or a part of the request cannot be used.
    """
    prometheus_tool("prometheus")
    if not request.alertmanager:
        tool()
    elif request.kill is not None or request.webhooks:
        raise UsageError(
            "--alertmanager names one that is not ours: it cannot be killed, and its own configuration says where "
            "its notifications go, so neither --kill-alertmanager nor --webhook goes with it"
        )
    check_request(request.run)


def rehearse(request: RehearsalRequest, folder: Path, screen: TextIO) -> RehearsalOutcome:
    """Rehearse a night; however it ends, everything it started has ended.

    Args:
        request: What to rehearse; ``check_rehearsal`` accepted it.
        folder: Where the tape, the notifications and the logs go.
        screen: Where progress is shown.

    Raises:
        InterruptedRun: A signal ended it.
        JoinstormError: A part failed; the text names it and what to do about it.
    """
    tape = _tape(request, folder)
    night = night_of(tape.info)
    check_phases(
        request.rules, request.expected, [[phase.name for phase in night.phases]], imported=not night.simulated
    )
    run = _paced(request, tape, night, screen)
    with contextlib.ExitStack() as stack:
        work = stack.enter_context(scratch("rehearsal"))
        receiver = stack.enter_context(Receiver(folder / "notifications.jsonl", *request.receiver))
        alertmanager = _alertmanager(request, receiver, folder, stack)
        url = alertmanager.url if alertmanager else request.alertmanager
        prometheus = _prometheus(request, work, run, url)
        stack.callback(_keep_log, prometheus, folder)
        stack.enter_context(prometheus)
        outage = _outage(request, alertmanager, tape.info, run.pipeline.run)
        killing = stack.enter_context(outage.thread()) if outage else None
        began = time.time()
        outcome = run_job(run, folder, screen)
        if killing is not None:
            killing.check()
        delivery = _settled(prometheus, receiver, outage, began)
        if alertmanager is not None:
            alertmanager.check()
        clock = NightClock.read(prometheus, began, time.time())
    judged = scores(request.rules, request.expected, delivery, night, clock)
    problems = [*delivery.problems(alone=not request.alertmanager), *_not_killed(request, outage)]
    return RehearsalOutcome(outcome, night, delivery, tuple(problems), tuple(judged), clock)


def _tape(request: RehearsalRequest, folder: Path) -> Tape:
    """Return the night's tape: where it is slow depends on its phases."""
    asked = request.run
    if asked.tape is not None:
        return Tape.open(asked.tape)
    path = folder / "tape.parquet"
    record(scenario.load(asked.scenario), path, scale=asked.scale, seed=asked.seed)
    return Tape.open(path)


def _paced(request: RehearsalRequest, tape: Tape, night: NightInfo, screen: TextIO) -> RunRequest:
    """Return the run with its tape, its speeds and a port for its metrics."""
    decoys = [str(one.get("phase") or one.get("kind")) for one in tape.info.scenario.get("incidents", ())]
    parts = stretches(night, decoys)
    screen.writelines(f"joinstorm: {line}\n" for line in warnings(request.rules.alerts, parts, request.incident_speed))
    if not parts:
        screen.write(f"joinstorm: {night.name} has no incident: all of it is played at one speed\n")
    run = request.run
    found = paces(night, parts, request.lead, run.pipeline.speed, request.incident_speed)
    (port,) = free_ports(1)
    return replace(run, tape=tape.path, metrics_port=port, pipeline=replace(run.pipeline, paces=found))


def _alertmanager(
    request: RehearsalRequest, receiver: Receiver, folder: Path, stack: contextlib.ExitStack
) -> Alertmanager | None:
    if request.alertmanager:
        return None
    config = configuration(receiver.url, request.webhooks)
    return stack.enter_context(Alertmanager(folder / "alertmanager", config))


def _prometheus(request: RehearsalRequest, work: Path, run: RunRequest, alertmanager: str) -> Prometheus:
    """Return a Prometheus that scrapes the run, evaluates the rules, and sends what fires to Alertmanager."""
    shutil.copyfile(request.rules.path, work / "rules.yaml")
    config = scrape_config(f"127.0.0.1:{run.metrics_port}", str(work / "rules.yaml"), alertmanager)
    resend = (f"--rules.alert.resend-delay={RESEND_SECONDS}s",)
    return Prometheus(work / "prometheus", config, arguments=resend)


def scrape_config(target: str, rules: str, alertmanager: str) -> str:
    """Return the configuration of the Prometheus of a rehearsal.

    The truth's own series are left out, so a rule that does not choose an engine sees one engine, as in a night of
    ``joinstorm alerts score``.
    """
    scheme, _, address = alertmanager.rstrip("/").partition("://")
    host, slash, path = address.partition("/")
    interval = f"{INTERVAL_MS // 1000}s"
    document = {
        "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
        "rule_files": [rules],
        "alerting": {
            "alertmanagers": [
                {"scheme": scheme, "path_prefix": f"{slash}{path}", "static_configs": [{"targets": [host]}]}
            ]
        },
        "scrape_configs": [
            {
                "job_name": "joinstorm",
                "honor_labels": True,
                "static_configs": [{"targets": [target]}],
                "metric_relabel_configs": [{"source_labels": ["engine"], "regex": TRUTH, "action": "drop"}],
            }
        ],
    }
    return str(yaml.safe_dump(document, sort_keys=False))


def _outage(
    request: RehearsalRequest, alertmanager: Alertmanager | None, tape: TapeInfo, run: str
) -> PlannedOutage | None:
    if request.kill is None or alertmanager is None:
        return None
    moment = moment_ms(request.kill, tape.phases, tape.start, tape.end, tape.start)
    return PlannedOutage(alertmanager, lambda: _position(run) >= moment, request.down_seconds)


def _position(run: str) -> int:
    """Return the event time of a run's replay, 0 while it does not play."""
    try:
        return int(ControlClient.find(run=run).state()["at"])
    except JoinstormError:
        return 0


def _not_killed(request: RehearsalRequest, outage: PlannedOutage | None) -> Iterator[str]:
    if outage is not None and not outage.happened:
        yield f"Alertmanager was not killed: the night was over before {request.kill} was seen"


def _settled(prometheus: Prometheus, receiver: Receiver, outage: PlannedOutage | None, began: float) -> Delivery:
    """Return the account when nothing is under way any more, or as it is when time is up."""

    def account() -> Delivery:
        now = time.time()
        lives = read_lives(prometheus, f"{round(now - began) + 60}s", now, 3 * INTERVAL_MS)
        outages = outage.happened if outage else ()
        return deliver(lives, receiver.received(), outages, 1000 * GROUP_INTERVAL_SECONDS, INTERVAL_MS)

    def complete() -> Delivery | None:
        found = account()
        return None if found.expected > found.arrived or found.unresolved else found

    return poll_until(complete, _SETTLE_SECONDS, _PAUSE_SECONDS) or account()


def _keep_log(prometheus: Prometheus, folder: Path) -> None:
    with contextlib.suppress(OSError):
        shutil.copyfile(prometheus.folder / "prometheus.log", folder / "logs" / "prometheus.log")
