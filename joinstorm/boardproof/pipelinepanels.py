"""What the panels of *The pipeline* and *Engines* must show, from what the proof's replay did and was told to do."""

from collections.abc import Callable

from joinstorm.boardproof import errorpanels as errors
from joinstorm.boardproof.launchpanels import phase
from joinstorm.boardproof.momentvalues import (
    Expected,
    ProofMoment,
    Shown,
    greatest,
    many,
    merged,
    one,
    rate,
    summed,
    worked,
)
from joinstorm.prometheus.server import Vector
from streams.metrics import definitions as m


def pipeline() -> dict[tuple[str, str], Expected]:
    """Return what each query of *The pipeline* must answer, by panel and letter."""
    return {
        ("State", "A"): lambda now: one(1, state=now.status.state),
        ("Phase", "A"): phase,
        ("Event time", "A"): lambda now: one(now.at),
        ("Night so far", "A"): lambda now: one((now.at - now.info.start) / (now.info.end - now.info.start)),
        ("On time", "A"): lambda now: one(now.status.on_time_ratio),
        ("Last word", "A"): lambda now: one(now.seconds - now.status.wall_ms / 1000),
        ("Not sent", "A"): lambda now: one(now.status.failed, outcome="failed"),
        ("Run over", "A"): lambda now: one(float(now.status.state == "ended")),
        ("Replay speed", "A"): lambda now: one(now.status.actual_speed),
        ("Replay speed", "B"): lambda now: one(now.status.speed or None),
        ("Replay lateness", "A"): lambda now: one(now.status.lateness_seconds),
        ("Events sent a second", "A"): rate(lambda now: one(now.status.sent, outcome="sent")),
        ("Events counted a second", "A"): rate(_counted),
        ("Lag in seconds to wait", "A"): _lag_to_wait,
        ("Lag in records", "A"): _sum(worked(m.WORKER_LAG.name), "engine", "topic"),
        ("Slowest partition", "A"): lambda now: greatest(now.worked(m.WORKER_EVENT_LAG.name), "engine", "topic"),
        ("Events counted a second, by worker", "A"): _sum(rate(worked(m.WORKER_EVENTS.name)), "engine", "instance"),
        ("Where the time goes", "A"): _sum(rate(worked(m.WORKER_STAGE.name)), "stage"),
        ("Records put aside", "A"): _of_engines(lambda shown: sum(shown.covered.dead_letters.values())),
        ("Why they were put aside", "A"): _sum(worked(m.WORKER_DEAD_LETTERS.name), "engine", "reason"),
        ("Duplicates met", "A"): _of_engines(lambda shown: sum(shown.covered.duplicates.values())),
        ("Duplicates met, by worker", "A"): _sum(worked(m.WORKER_DUPLICATES.name), "engine", "instance"),
        ("Partitions taken over", "A"): _sum(worked(m.WORKER_RESTORED.name), "engine", "source"),
        ("Results published a second", "A"): _sum(rate(worked(m.WORKER_PUBLISHED.name)), "engine"),
        ("Events in a chunk", "A"): _chunk_size,
        ("Checkpoints a second", "A"): _sum(rate(worked(m.WORKER_CHECKPOINTS.name)), "kind"),
        ("Checkpoint bytes a second", "A"): _sum(rate(worked(m.WORKER_CHECKPOINT_BYTES.name)), "engine"),
        ("Age of the workers", "A"): lambda now: {
            labels: now.seconds - start for labels, start in now.worked(m.WORKER_START.name).items()
        },
        ("Broker", "A"): worked(m.BROKER_UP.name),
        ("Partitions in trouble", "A"): worked(m.BROKER_UNHEALTHY.name),
        ("Answer time of the broker", "A"): worked(m.BROKER_RESPONSE.name),
        ("Records written a second", "A"): rate(worked(m.BROKER_WRITTEN.name)),
        ("Records kept", "A"): worked(m.BROKER_KEPT.name),
        ("Result records read a second", "A"): _sum(rate(lambda now: many("topic", now.records)), "topic"),
        ("Result records rejected", "A"): lambda now: merged(
            one(count, topic=topic, reason=reason) for (topic, reason), count in now.rejected.items()
        ),
        ("Cost of a scrape", "A"): worked(m.SCRAPE.name),
    }


def engines() -> dict[tuple[str, str], Expected]:
    """Return what each query of *Engines* must answer, by panel and letter."""
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
        ("Greatest error", "A"): errors.greatest,
        ("Counts too many or too few", "A"): errors.totals,
        ("Progress", "A"): _progress,
        ("Events counted a second", "A"): rate(_counted),
        ("Behind the replay, in event time", "A"): _lag,
        ("Behind the replay, in seconds to wait", "A"): _lag_to_wait,
    }


def _sum(of: Expected, *by: str) -> Expected:
    return lambda now: summed(of(now), *by)


def _of_engines(of: Callable[[Shown], float]) -> Expected:
    return lambda now: many("engine", {name: of(now.engines[name]) for name in now.chosen})


def _counted(now: ProofMoment) -> Vector:
    return _of_engines(lambda shown: sum(shown.covered.events.values()))(now)


def _progress(now: ProofMoment) -> Vector:
    return {labels: value / now.info.events for labels, value in _counted(now).items()}


def _lag(now: ProofMoment) -> Vector:
    return _of_engines(lambda shown: max(0, now.at - shown.at) / 1000)(now)


def _lag_to_wait(now: ProofMoment) -> Vector:
    return {labels: value / max(1.0, now.status.actual_speed) for labels, value in _lag(now).items()}


def _chunk_size(now: ProofMoment) -> Vector:
    events, chunks = (summed(rate(worked(name))(now), "topic") for name in (m.WORKER_EVENTS.name, m.WORKER_CHUNKS.name))
    return {labels: value / chunks[labels] for labels, value in events.items()}
