"""Scoreboards for tests: a right engine, a wrong one and one that failed."""

from joinstorm.compare.fullspeed import Recovery, Throughput
from joinstorm.compare.paced import Paced
from joinstorm.compare.scores import Answer, Score, Scoreboard, Turn
from joinstorm.engines.setup import EngineSetup


def paced(**changes: object) -> Paced:
    """Return a paced part; ``changes`` replace fields."""
    found: dict[str, object] = {
        "speed": 100.0, "events": 1_000, "events_per_second": 2_000.0, "p50": 0.2, "p95": 0.3, "p99": 0.4, "most": 0.5,
        "on_time_ratio": 1.0, "growth": 0.0, "ended": True, "cpu_seconds": 1.0,
    }  # fmt: skip
    return Paced(**(found | changes))  # type: ignore[arg-type]  # a table of fields of several types


def throughput(rate: float) -> Throughput:
    """Return a throughput at so many events per CPU second."""
    return Throughput(
        seconds=10.0, start_seconds=1.0, events_per_second=9_000.0, events_per_cpu_second=rate, cpu_seconds=8.0,
        peak_mib=150.0, whole=False,
        rated_seconds=9.0,
    )  # fmt: skip


def turn(rate: float, **changes: object) -> Turn:
    """Return a repeat in which everything was measured and right; ``changes`` replace fields."""
    right = Answer(exact=True, digest="d", compared=10)
    found = Turn(
        throughput=throughput(rate), answer=right, after_kill=right, with_faults=right, latency=paced(),
        recovery=Recovery(seconds=1.5, killed_at=7, ended=True), sustained=paced(), sustained_limit="the producer",
    )  # fmt: skip
    for name, value in changes.items():
        setattr(found, name, value)
    return found


def board() -> Scoreboard:
    """Return a scoreboard of two repeats and three engines."""
    setup = EngineSetup(
        what="a plain engine", limits="Slow by design.", library="lib 1", licence="MIT", restart="reads again",
        settings={"workers": "2", "<key>": "1"}, options={"workers": "2"},
    )  # fmt: skip
    good = Score(engine="good", setup=setup, turns=(turn(12_000.0), turn(13_000.0, latency=paced(p50=None))))
    wrong = Answer(exact=False, digest="e", mismatches=3, compared=10)
    bad = Score(engine="<wrong>", turns=(turn(9_000.0, sustained=None), turn(9_500.0, after_kill=wrong)))
    failed = Score(
        engine="failed", turns=(Turn(), Turn()), failed=("throughput",),
        problems=("throughput: out of order\nlast words",),
    )  # fmt: skip
    return Scoreboard(
        truth_digest="d", events=90_000, scenario="launch", scale=0.1, seed=7, seed_from="scenario", workers=1,
        repeats=2, load=2_000.0, fault_events=50_000, scores=(good, bad, failed), machine={"cores": "2"},
        versions={"python": "3"}, made="today", seconds=60.0,
    )  # fmt: skip
