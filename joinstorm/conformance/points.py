"""The points of the certificate: what is done to an engine, one run each, and what must hold.

A point plays its night in a run and returns its finding. The points get harder: first the counts themselves, then
faults of records, then faults of workers.
"""

import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from joinstorm.conformance import nights
from joinstorm.conformance.nightmarks import between_marks, is_mark
from joinstorm.conformance.pointfigures import PointFigures
from joinstorm.conformance.pointrun import PointRun
from joinstorm.conformance.promises import ahead
from joinstorm.run.supervisor import ChildProcess
from joinstorm.verdict.comparison import OPTIONAL, only
from streams.contract.names import MINUTE_MS
from streams.contract.topics import INPUTS
from streams.errors import DeadlineError
from streams.golden import NIGHTS, OF_OPTIONAL, GoldenNight, load
from streams.read.runview import RunView

GOLDEN: Final = "golden-"
"""Before the name of a night, the name of its point."""
STOP_SECONDS: Final = 15.0
"""How long a worker may take to end after SIGTERM."""
SILENCE_SECONDS: Final = 2.0
"""How long nothing is sent, to test whether the engine mistakes silence for the end."""
NEWS_SECONDS: Final = 10.0
"""How long an engine is given to publish what it has counted; it need not before its watermark moves."""
CUTS: Final = 12
"""Steps in which a worker gets half a night, so that it writes its rows many times."""
SLICES: Final = 6
SLICE_SECONDS: Final = 0.7


@dataclass(frozen=True)
class PointFinding:
    """The finding of one point.

    Args:
        measured: The engine's counts against the expected ones.
        complaints: What is wrong besides counts; empty if nothing is.
        unsupported: Why the point does not apply to the engine; empty if it does.
    """

    measured: PointFigures
    complaints: tuple[str, ...] = ()
    unsupported: str = ""

    @property
    def exact(self) -> bool:
        """Nothing is wrong."""
        return not self.measured.comparison.mismatches and not self.complaints


@dataclass(frozen=True)
class Point:
    """One line of the certificate.

    Args:
        name: Its name on the command line.
        says: What an exact engine does.
        night: Makes the night it plays from the simulated one.
        play: Plays the night in a run.
        needs: What the engine must support: ``restart``, ``rescale`` or nothing; then several workers write results.
        late: Whether events arrive behind their watermark: counts below a watermark are not final, then.
    """

    name: str
    says: str
    night: Callable[[GoldenNight], GoldenNight]
    play: Callable[[PointRun], PointFinding]
    needs: str = ""
    late: bool = False

    @property
    def golden(self) -> bool:
        """Whether it plays a golden night, whatever the simulated one is."""
        return self.name.startswith(GOLDEN)


def whole(run: PointRun, *, totals: tuple[str, ...] = ()) -> PointFinding:
    """Send everything to one worker and wait for the end.

    Args:
        run: The run.
        totals: Totals of progress that must be right besides ``events``: ``duplicates``, ``dead_letters``.
    """
    run.start()
    run.send(run.night.records)
    return finish(run, totals=totals)


def finish(run: PointRun, *, totals: tuple[str, ...] = (), also: tuple[str, ...] = ()) -> PointFinding:
    """Wait for the end and compare the final counts."""
    view = run.wait_done()
    complaints = (*run.problems(view), *_wrong_totals(run, view, ("events", *totals)), *also)
    return PointFinding(run.compare(view), complaints)


def _wrong_totals(run: PointRun, view: RunView, kinds: tuple[str, ...]) -> Iterator[str]:
    covered = view.engines[run.engine.name].covered
    for topic in INPUTS:
        for kind in kinds:
            expected = getattr(run.night.expected.totals[topic], kind)
            found = getattr(covered, kind).get(topic, 0)
            if found != expected:
                yield f"progress on {topic} has {found} {kind.replace('_', ' ')}, expected {expected}"


def all_totals(run: PointRun) -> PointFinding:
    """Send everything; the engine's total of duplicates must be right as well."""
    return whole(run, totals=("duplicates",))


def optional(run: PointRun, kind: str, *, totals: tuple[str, ...] = ()) -> PointFinding:
    """Send everything; only the counts of a kind of ``OPTIONAL`` must be right, if the engine publishes any."""
    run.counts = partial(only, wanted=OPTIONAL[kind])
    found = whole(run, totals=totals)
    comparison = found.measured.comparison
    published = {"durations": comparison.durations, "breakdowns": comparison.breakdowns}[kind].published
    return found if published else replace(found, unsupported=f"publishes no {kind}")


def corrupt(run: PointRun) -> PointFinding:
    """Mix invalid records into the night; the engine must count them as dead letters, and keep them if it can."""
    found = whole(run, totals=("dead_letters",))
    return PointFinding(found.measured, (*found.complaints, *_kept(run)))


def golden(run: PointRun) -> PointFinding:
    """Send everything; all totals must be right, and the dead letters as kept."""
    found = whole(run, totals=("duplicates", "dead_letters"))
    return PointFinding(found.measured, (*found.complaints, *_kept(run)))


def _kept(run: PointRun) -> list[str]:
    return run.dead_letters() if run.engine.dead_letters else []


def marked(run: PointRun) -> PointFinding:
    """Repeat old marks and send events beyond the newest ones; neither may move a watermark."""
    run.start()
    done, until = between_marks(run.body, run.watermarks)
    run.send(run.body[:done])
    run.wait_watermark(run.watermarks[done])
    first = min(record.timestamp for record in run.body if is_mark(record))
    run.send([record for record in run.body[:done] if is_mark(record) and record.timestamp == first])
    run.send(run.body[done:until])
    run.wait_counted(until, NEWS_SECONDS)
    complaints = ahead(run.written(), run.body[:until], run.night, run.engine.name)
    run.send_rest(until)
    return finish(run, also=tuple(complaints))


def corrected(run: PointRun) -> PointFinding:
    """Kill a worker that has written much, between two marks; its successor must win with the corrections it writes."""
    run.start()
    done = 0
    for number in range(1, CUTS + 1):
        until = len(run.body) * number // (2 * CUTS)
        run.send(run.body[done:until])
        done = until
        run.wait_counted(done, NEWS_SECONDS)
    kill(run.workers[0])
    run.send_rest(done)
    run.start()
    return finish(run)


def idle(run: PointRun) -> PointFinding:
    """Withhold the end marks: the watermark must pass silent partitions, and every count below it must be published."""
    run.start()
    early = run.settle(run.play_body())
    run.send(run.ends)
    broken = early.comparison.mismatches
    complaints = (f"{broken} counts below the last watermark were wrong when it was reported",) if broken else ()
    return finish(run, also=complaints)


def end(run: PointRun) -> PointFinding:
    """Fall silent, then end all partitions but one: neither is the end of the run."""
    run.start()
    run.play_body()
    complaints = [f"reports the end of {partition} before its end mark" for partition in _ended(run, len(run.ends))]
    run.send(run.ends[:-1])
    run.wait(lambda view: len(_missing(run, view)) <= 1, "the end of all partitions but one")
    complaints += [f"reports the end of {partition} before its end mark" for partition in _ended(run, 1)]
    run.send(run.ends[-1:])
    return finish(run, also=tuple(complaints))


def _missing(run: PointRun, view: RunView) -> tuple[str, ...]:
    engine = view.engines.get(run.engine.name)
    everything = tuple(f"{topic}[{p}]" for topic in INPUTS for p in range(run.info.partitions))
    return everything if engine is None else engine.covered.missing


def _ended(run: PointRun, open_ends: int) -> list[str]:
    """Send nothing for a while; return a partition the engine reports as ended before its end mark."""
    try:
        view = run.reader.wait_for(lambda view: len(_missing(run, view)) < open_ends, SILENCE_SECONDS, "silence")
    except DeadlineError:
        return []
    missing = _missing(run, view)
    return [f"{t}[{p}]" for t in INPUTS for p in range(run.info.partitions) if f"{t}[{p}]" not in missing][-1:]


def restart(run: PointRun) -> PointFinding:
    """Stop the worker with SIGTERM halfway, and start it again."""
    run.start()
    done, mark = run.send_until(0.5)
    run.wait_watermark(mark)
    complaints = _stopped(run.workers[0])
    done, _ = run.send_until(0.75, done)
    run.start()
    run.send_rest(done)
    return finish(run, also=complaints)


def _stopped(part: ChildProcess) -> tuple[str, ...]:
    """Stop a worker with SIGTERM; return a complaint when it takes too long."""
    part.signal(signal.SIGTERM)
    if part.wait(STOP_SECONDS) is not None:
        return ()
    kill(part)
    return (f"{part.name} did not stop within {STOP_SECONDS:.0f} s of SIGTERM",)


def kill(part: ChildProcess) -> None:
    """End a worker at once, as a crash would."""
    part.signal(signal.SIGKILL)
    part.process.wait()


def killed(run: PointRun) -> PointFinding:
    """Kill the worker three times, idle and busy, and start it again each time."""
    run.start()
    done, mark = run.send_until(0.25)
    run.wait_watermark(mark)
    kill(run.workers[0])
    for share in (0.5, 0.75):
        before = mark
        done, mark = run.send_until(share, done)
        run.start()
        run.wait_watermark(before + 1)
        kill(run.workers[0])
    run.start()
    run.send_rest(done)
    return finish(run)


def rescaled(run: PointRun) -> PointFinding:
    """Add a second worker halfway, remove the first, and bring it back."""
    if run.engine.rescales == "restarts":
        return _restarted_with_two(run)
    run.start(0)
    done, mark = run.send_until(0.25)
    run.wait_watermark(mark)
    run.start(1)
    done = _in_slices(run, done, 0.5)
    complaints = _stopped(run.workers.pop(0))
    done = _in_slices(run, done, 0.7)
    run.start(0)
    done = _in_slices(run, done, 0.95)
    run.send_rest(done)
    return finish(run, also=complaints)


def _in_slices(run: PointRun, done: int, until: float) -> int:
    """Send slice by slice, each once the one before is counted, so that work goes on while workers change.

    No state visible from outside shows when a worker has its partitions, so each slice takes a minimum time.
    """
    first = done / len(run.body)
    for number in range(1, SLICES + 1):
        due = time.monotonic() + SLICE_SECONDS
        done, mark = run.send_until(first + (until - first) * number / SLICES, done)
        run.wait_watermark(mark)
        time.sleep(max(0.0, due - time.monotonic()))
    return done


def _restarted_with_two(run: PointRun) -> PointFinding:
    run.start(0)
    done, mark = run.send_until(0.5)
    run.wait_watermark(mark)
    complaints = _stopped(run.workers[0])
    run.start(0, "--option", "workers=2")
    run.send_rest(done)
    return finish(run, also=complaints)


def _golden(name: str) -> Point:
    return Point(
        GOLDEN + name,
        f"counts the golden night {name!r} exactly as worked out by hand",
        lambda _: load(name),
        partial(optional, kind=OF_OPTIONAL[name], totals=("duplicates",)) if name in OF_OPTIONAL else golden,
        late=True,
    )


POINTS: Final = (
    *map(_golden, NIGHTS),
    Point("clean", "counts a simulated night as the oracle does", lambda night: night, whole),
    Point(
        "duplicates",
        "counts an event once that arrives twice, at once or long after",
        lambda night: nights.duplicated(night, share=0.1),
        all_totals,
    ),
    Point(
        "out-of-order",
        "counts events that are up to five minutes out of order",
        lambda night: nights.out_of_order(night, within_ms=5 * MINUTE_MS),
        whole,
    ),
    Point(
        "late",
        "counts events that arrive up to two hours late, behind the watermark",
        lambda night: nights.late(night, share=0.05, up_to_ms=120 * MINUTE_MS),
        whole,
        late=True,
    ),
    Point(
        "idle-partition",
        "advances past a partition without events, with a watermark it has earned",
        nights.with_idle_partition,
        idle,
    ),
    Point(
        "corrupt",
        "counts records with any defect, keeps them as dead letters with their reason, and goes on",
        nights.corrupted,
        corrupt,
    ),
    Point(
        "durations",
        "counts how long people waited, with events that arrive twice or up to two hours late",
        lambda night: nights.late(nights.duplicated(night, share=0.1), share=0.2, up_to_ms=120 * MINUTE_MS),
        partial(optional, kind="durations"),
        late=True,
    ),
    Point(
        "breakdowns",
        "counts by client and by reason, with events that arrive twice or up to two hours late",
        lambda night: nights.late(nights.duplicated(night, share=0.1), share=0.2, up_to_ms=120 * MINUTE_MS),
        partial(optional, kind="breakdowns"),
        late=True,
    ),
    Point(
        "marks",
        "has the greatest mark it has read for its watermark, neither the last one nor an event's time",
        lambda night: night,
        marked,
    ),
    Point("end", "ends with the last end mark, and not before", lambda night: night, end),
    Point("restart", "loses and repeats nothing when stopped and restarted", lambda night: night, restart, "restart"),
    Point(
        "kill", "loses and repeats nothing when killed (SIGKILL), three times", lambda night: night, killed, "restart"
    ),
    Point(
        "versions",
        "replaces the rows of a worker that was killed, also those it corrects much later",
        nights.with_corrections,
        corrected,
        "restart",
        late=True,
    ),
    Point(
        "second-worker",
        "shares the work with a second worker, loses the first, and takes it back",
        lambda night: night,
        rescaled,
        "rescale",
    ),
)
