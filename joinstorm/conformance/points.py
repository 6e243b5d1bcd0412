"""The points of the certificate: what is done to an engine, one run each, and what has to hold.

A point plays its night on a stage and returns what it found. The order of the list is the order of teaching: first
whether the counts are understood, then whether they survive what happens to records, then what happens to workers.
"""

import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from joinstorm.conformance import nights
from joinstorm.conformance.pointrun import PointFigures, PointRun
from joinstorm.run.supervisor import ChildProcess
from streams.contract.names import MINUTE_MS
from streams.contract.topics import DEAD_LETTERS, INPUTS
from streams.errors import DeadlineError
from streams.golden import NIGHTS, GoldenNight, load
from streams.read.runview import RunView

STOP_SECONDS: Final = 15.0
"""How long a worker may take over its own ending after SIGTERM."""
SILENCE_SECONDS: Final = 2.0
"""How long nothing is sent, to see whether silence is mistaken for the end."""
SLICES: Final = 6
SLICE_SECONDS: Final = 0.7


@dataclass(frozen=True)
class PointFinding:
    """What a point found.

    Args:
        measured: The engine's counts against the expected ones.
        complaints: What besides counts is wrong; empty where all is well.
    """

    measured: PointFigures
    complaints: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        """Nothing is wrong."""
        return not self.measured.comparison.mismatches and not self.complaints


@dataclass(frozen=True)
class Point:
    """One line of the certificate.

    Args:
        name: How it is chosen on the command line.
        says: What an exact engine has shown here.
        night: The night it is played with, made from the simulated one.
        play: Plays it.
        needs: What an engine must be able to do by its nature: ``restart``, ``rescale`` or nothing.
    """

    name: str
    says: str
    night: Callable[[GoldenNight], GoldenNight]
    play: Callable[[PointRun], PointFinding]
    needs: str = ""


def whole(stage: PointRun, *, totals: tuple[str, ...] = ()) -> PointFinding:
    """Send everything to one worker and wait for its end.

    Args:
        stage: Where.
        totals: Which totals of progress must be right besides the number of events: ``duplicates``, ``dead_letters``.
    """
    stage.start()
    stage.send(stage.night.records)
    return finish(stage, totals=totals)


def finish(stage: PointRun, *, totals: tuple[str, ...] = (), also: tuple[str, ...] = ()) -> PointFinding:
    """Wait for the end and compare."""
    view = stage.wait_done()
    complaints = (*stage.problems(view), *_wrong_totals(stage, view, ("events", *totals)), *also)
    return PointFinding(stage.compare(view), complaints)


def _wrong_totals(stage: PointRun, view: RunView, kinds: tuple[str, ...]) -> Iterator[str]:
    covered = view.engines[stage.subject.engine].covered
    for topic in INPUTS:
        for kind in kinds:
            expected = getattr(stage.night.expected.totals[topic], kind)
            found = getattr(covered, kind).get(topic, 0)
            if found != expected:
                yield f"progress on {topic} says {found} {kind.replace('_', ' ')}, expected {expected}"


def all_totals(stage: PointRun) -> PointFinding:
    """Send everything, and hold the engine to the duplicates it must have met."""
    return whole(stage, totals=("duplicates",))


def corrupt(stage: PointRun) -> PointFinding:
    """Send records that are none of ours among the others; they must be counted, and are better kept."""
    found = whole(stage, totals=("dead_letters",))
    if not stage.subject.letters:
        return found
    kept, wanted = _kept(stage), sum(total.dead_letters for total in stage.night.expected.totals.values())
    if kept == wanted:
        return found
    return PointFinding(found.measured, (*found.complaints, f"{kept} of {wanted} kept on {DEAD_LETTERS}"))


def _kept(stage: PointRun) -> int:
    """Return how many different records stand on the topic of dead letters."""
    return len({record.key for record in stage.read(DEAD_LETTERS)})


def idle(stage: PointRun) -> PointFinding:
    """Before any end mark: the watermark must pass the silent partitions, and what it promises must be there."""
    stage.start()
    early = stage.settle(stage.play_body())
    stage.send(stage.ends)
    broken = early.comparison.mismatches
    complaints = (f"at the last watermark {broken} counts were not as promised",) if broken else ()
    return finish(stage, also=complaints)


def end(stage: PointRun) -> PointFinding:
    """Silence is no end, and neither is the end of all partitions but one."""
    stage.start()
    stage.play_body()
    complaints = [f"says it has ended on {one} before its end mark" for one in _ended(stage, len(stage.ends))]
    stage.send(stage.ends[:-1])
    stage.wait(lambda view: len(_missing(stage, view)) <= 1, "the end of all partitions but one")
    complaints += [f"says it has ended on {one} before its end mark" for one in _ended(stage, 1)]
    stage.send(stage.ends[-1:])
    return finish(stage, also=tuple(complaints))


def _missing(stage: PointRun, view: RunView) -> tuple[str, ...]:
    engine = view.engines.get(stage.subject.engine)
    everything = tuple(f"{topic}[{p}]" for topic in INPUTS for p in range(stage.info.partitions))
    return everything if engine is None else engine.covered.missing


def _ended(stage: PointRun, open_ends: int) -> list[str]:
    """Keep silent for a while; return partitions whose end is told although their end mark is still to come."""
    try:
        view = stage.reader.wait_for(lambda view: len(_missing(stage, view)) < open_ends, SILENCE_SECONDS, "silence")
    except DeadlineError:
        return []
    missing = _missing(stage, view)
    return [f"{t}[{p}]" for t in INPUTS for p in range(stage.info.partitions) if f"{t}[{p}]" not in missing][-1:]


def restart(stage: PointRun) -> PointFinding:
    """Stop the worker in order in the middle, and start it again."""
    stage.start()
    done, mark = stage.send_until(0.5)
    stage.wait_watermark(mark)
    complaints = _stopped(stage.workers[0])
    done, _ = stage.send_until(0.75, done)
    stage.start()
    stage.send_rest(done)
    return finish(stage, also=complaints)


def _stopped(part: ChildProcess) -> tuple[str, ...]:
    """Stop a worker by SIGTERM; return the complaint when it takes too long."""
    part.signal(signal.SIGTERM)
    if part.wait(STOP_SECONDS) is not None:
        return ()
    kill(part)
    return (f"{part.name} did not stop within {STOP_SECONDS:.0f} s of SIGTERM",)


def kill(part: ChildProcess) -> None:
    """End a worker at once, as a crash would."""
    part.signal(signal.SIGKILL)
    part.process.wait()


def killed(stage: PointRun) -> PointFinding:
    """Kill the worker three times, at rest and in the midst of work, and start it again each time."""
    stage.start()
    done, mark = stage.send_until(0.25)
    stage.wait_watermark(mark)
    kill(stage.workers[0])
    for share in (0.5, 0.75):
        before = mark
        done, mark = stage.send_until(share, done)
        stage.start()
        stage.wait_watermark(before + 1)
        kill(stage.workers[0])
    stage.start()
    stage.send_rest(done)
    return finish(stage)


def rescaled(stage: PointRun) -> PointFinding:
    """Bring in a second worker in the middle, take away the first one, and bring it back."""
    if stage.subject.rescales == "restarts":
        return _restarted_with_two(stage)
    stage.start(0)
    done, mark = stage.send_until(0.25)
    stage.wait_watermark(mark)
    stage.start(1)
    done = _in_slices(stage, done, 0.5)
    complaints = _stopped(stage.workers.pop(0))
    done = _in_slices(stage, done, 0.7)
    stage.start(0)
    done = _in_slices(stage, done, 0.95)
    stage.send_rest(done)
    return finish(stage, also=complaints)


def _in_slices(stage: PointRun, done: int, until: float) -> int:
    """Send little by little, each slice when the one before is counted, so that work goes on while workers change.

    No state that is seen from outside tells when a worker has got its share, so this takes some seconds in any case.
    """
    first = done / len(stage.body)
    for number in range(1, SLICES + 1):
        due = time.monotonic() + SLICE_SECONDS
        done, mark = stage.send_until(first + (until - first) * number / SLICES, done)
        stage.wait_watermark(mark)
        time.sleep(max(0.0, due - time.monotonic()))
    return done


def _restarted_with_two(stage: PointRun) -> PointFinding:
    stage.start(0)
    done, mark = stage.send_until(0.5)
    stage.wait_watermark(mark)
    complaints = _stopped(stage.workers[0])
    stage.start(0, "--option", "workers=2")
    stage.send_rest(done)
    return finish(stage, also=complaints)


def _golden(name: str) -> Point:
    return Point(
        f"golden-{name}",
        f"counts the golden night {name!r} as worked out by hand",
        lambda _: load(name),
        all_totals,
    )


POINTS: Final = (
    *map(_golden, NIGHTS),
    Point("clean", "counts a simulated night as the oracle does", lambda night: night, whole),
    Point(
        "duplicates",
        "counts an event once that comes again, at once or long after",
        lambda night: nights.duplicated(night, share=0.1),
        all_totals,
    ),
    Point(
        "out-of-order",
        "does not mind events up to five minutes out of order",
        lambda night: nights.out_of_order(night, within_ms=5 * MINUTE_MS),
        whole,
    ),
    Point(
        "late",
        "counts events that come up to two hours late, below watermarks gone by",
        lambda night: nights.late(night, share=0.05, up_to_ms=120 * MINUTE_MS),
        whole,
    ),
    Point(
        "idle-partition",
        "goes on past partitions without any event, and its watermark keeps what it promises",
        nights.with_idle_partition,
        idle,
    ),
    Point(
        "corrupt",
        "counts records that are none of ours, keeps them, and goes on",
        lambda night: nights.corrupted(night, copies=3),
        corrupt,
    ),
    Point("end", "ends when the last end mark is in, and not before", lambda night: night, end),
    Point(
        "restart", "loses and repeats nothing when stopped and started again", lambda night: night, restart, "restart"
    ),
    Point(
        "kill", "loses and repeats nothing when killed (SIGKILL), three times", lambda night: night, killed, "restart"
    ),
    Point(
        "second-worker",
        "takes a second worker in, lets the first one go, and takes it back",
        lambda night: night,
        rescaled,
        "rescale",
    ),
)
