"""The expected answers of *The pipeline* and *Engines*, from the made-up figures of the proof's replay."""

from collections.abc import Callable

from joinstorm.boardproof import errorpanels as errors
from joinstorm.boardproof.launchpanels import phase
from joinstorm.boardproof.momentvalues import (
    Expected,
    ProofMoment,
    Shown,
    greatest,
    merged,
    rate,
    series_by,
    single,
    summed,
    work_series,
)
from joinstorm.prometheus.server import Vector
from streams.metrics import definitions as m
from streams.metrics import receiver


def pipeline() -> dict[tuple[str, str], Expected]:
    """Return the expected answer of each query of *The pipeline*, by panel and letter."""
    return {
        ("State", "A"): lambda now: single(1, state=now.status.state),
        ("Phase", "A"): phase,
        ("Event time", "A"): lambda now: single(now.at),
        ("Night so far", "A"): lambda now: single((now.at - now.info.start) / (now.info.end - now.info.start)),
        ("On time", "A"): lambda now: single(now.status.on_time_ratio),
        ("Last report", "A"): lambda now: single(now.seconds - now.status.wall_ms / 1000),
        ("Not sent", "A"): lambda now: single(now.status.failed, outcome="failed"),
        ("Run ended", "A"): lambda now: single(float(now.status.state == "ended")),
        ("Replay speed", "A"): lambda now: single(now.status.actual_speed),
        ("Replay speed", "B"): lambda now: single(now.status.speed or None),
        ("Replay lateness", "A"): lambda now: single(now.status.lateness_seconds),
        ("Events sent per second", "A"): rate(lambda now: single(now.status.sent, outcome="sent")),
        ("Events counted per second", "A"): rate(_counted),
        ("Lag in wall-clock seconds", "A"): _wall_lag,
        ("Lag in records", "A"): _sum(work_series(m.WORKER_LAG.name), "engine", "topic"),
        ("Slowest partition", "A"): lambda now: greatest(now.work_series(m.WORKER_EVENT_LAG.name), "engine", "topic"),
        ("Events counted per second, by worker", "A"): _sum(
            rate(work_series(m.WORKER_EVENTS.name)), "engine", "instance"
        ),
        ("Time by stage", "A"): _sum(rate(work_series(m.WORKER_STAGE.name)), "stage"),
        ("Dead letters", "A"): _of_engines(lambda shown: sum(shown.covered.dead_letters.values())),
        ("Dead letters by reason", "A"): _sum(work_series(m.WORKER_DEAD_LETTERS.name), "engine", "reason"),
        ("Duplicates", "A"): _of_engines(lambda shown: sum(shown.covered.duplicates.values())),
        ("Duplicates, by worker", "A"): _sum(work_series(m.WORKER_DUPLICATES.name), "engine", "instance"),
        ("Partitions taken over", "A"): _sum(work_series(m.WORKER_RESTORED.name), "engine", "source"),
        ("Results published per second", "A"): _sum(rate(work_series(m.WORKER_PUBLISHED.name)), "engine"),
        ("Events per chunk", "A"): _chunk_size,
        ("Checkpoints per second", "A"): _sum(rate(work_series(m.WORKER_CHECKPOINTS.name)), "kind"),
        ("Checkpoint bytes per second", "A"): _sum(rate(work_series(m.WORKER_CHECKPOINT_BYTES.name)), "engine"),
        ("Worker uptime", "A"): lambda now: {
            labels: now.seconds - start for labels, start in now.work_series(m.WORKER_START.name).items()
        },
        ("Broker", "A"): work_series(m.BROKER_UP.name),
        ("Unhealthy partitions", "A"): work_series(m.BROKER_UNHEALTHY.name),
        ("Broker response time", "A"): work_series(m.BROKER_RESPONSE.name),
        ("Records written per second", "A"): rate(work_series(m.BROKER_WRITTEN.name)),
        ("Records retained", "A"): work_series(m.BROKER_KEPT.name),
        ("Result records read per second", "A"): _sum(rate(lambda now: series_by("topic", now.records)), "topic"),
        ("Result records rejected", "A"): lambda now: merged(
            single(count, topic=topic, reason=reason) for (topic, reason), count in now.rejected.items()
        ),
        ("Pages received", "A"): work_series(receiver.PAGES.name),
        ("Delay of a page", "A"): work_series(receiver.PAGE_DELAY.name),
        ("Notifications", "A"): work_series(receiver.NOTIFICATIONS.name),
        ("Notifications", "B"): work_series(receiver.NOTIFICATIONS_REPEATED.name),
        ("Cost of a scrape", "A"): work_series(m.SCRAPE.name),
        ("Rooms left out", "A"): work_series(m.ROOMS_LEFT_OUT.name),
    }


def engines() -> dict[tuple[str, str], Expected]:
    """Return the expected answer of each query of *Engines*, by panel and letter."""
    return {
        ("Standings", "A"): _progress,
        ("Standings", "B"): _of_engines(lambda shown: float(shown.covered.ended)),
        ("Standings", "C"): lambda now: summed(errors.totals(now), "engine"),
        ("Standings", "D"): _counted,
        ("Standings", "E"): _of_engines(lambda shown: sum(shown.covered.duplicates.values())),
        ("Standings", "F"): _of_engines(lambda shown: sum(shown.covered.dead_letters.values())),
        ("Standings", "G"): _lag,
        ("Standings", "H"): _of_engines(lambda shown: shown.at),
        ("Error of the live audience", "A"): errors.audience,
        ("Largest error", "A"): errors.greatest,
        ("Sum of errors", "A"): errors.totals,
        ("Progress", "A"): _progress,
        ("Events counted per second", "A"): rate(_counted),
        ("Lag in event time", "A"): _lag,
        ("Lag in wall-clock seconds", "A"): _wall_lag,
    }


def _sum(of: Expected, *by: str) -> Expected:
    return lambda now: summed(of(now), *by)


def _of_engines(of: Callable[[Shown], float]) -> Expected:
    return lambda now: series_by("engine", {name: of(now.engines[name]) for name in now.chosen})


def _counted(now: ProofMoment) -> Vector:
    return _of_engines(lambda shown: sum(shown.covered.events.values()))(now)


def _progress(now: ProofMoment) -> Vector:
    return {labels: value / now.info.events for labels, value in _counted(now).items()}


def _lag(now: ProofMoment) -> Vector:
    return _of_engines(lambda shown: max(0, now.at - shown.at) / 1000)(now)


def _wall_lag(now: ProofMoment) -> Vector:
    return {labels: value / max(1.0, now.pace) for labels, value in _lag(now).items()}


def _chunk_size(now: ProofMoment) -> Vector:
    events, chunks = (
        summed(rate(work_series(name))(now), "topic") for name in (m.WORKER_EVENTS.name, m.WORKER_CHUNKS.name)
    )
    return {labels: value / chunks[labels] for labels, value in events.items()}
