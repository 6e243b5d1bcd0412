"""What every command prints with ``--format json``, by the code that prints it: run whole where no broker is needed."""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import msgspec
from click.testing import CliRunner

from dashboards.publish import BoardChange
from joinstorm.alerts import scoreformats, tuneformats
from joinstorm.alerts.settings import Dial
from joinstorm.alerts.tuning import TunedPoint, Tuning
from joinstorm.bench import table
from joinstorm.bench.measurement import Measurement, Repeats
from joinstorm.boardproof.findings import Mutation, ProofReport
from joinstorm.chaos import campaign
from joinstorm.chaos.outcome import Loss
from joinstorm.cli import cli
from joinstorm.commands import capture, control, dashboards, dead_letters, truth
from joinstorm.compare import scoreboard
from joinstorm.conformance import certificatereport, explaining
from joinstorm.conformance.certificate import Certificate, PointOutcome
from joinstorm.conformance.partnight import part_of
from joinstorm.drill.lineprotocol import converse
from joinstorm.drill.sitting import Sitting
from joinstorm.pages.delivery import AlertmanagerOutage, Delivery, PageDelivery
from joinstorm.rehearsal import rehearsalformats
from joinstorm.rehearsal.account import NightClock
from joinstorm.rehearsal.rehearsing import RehearsalOutcome
from joinstorm.run.wholejob import RunOutcome
from joinstorm.verdict import verdicts
from joinstorm.verdict.comparison import Mismatch, OptionalComparison
from joinstorm.verdict.verdicts import Verdict
from producers.capture.capturing import CaptureResult
from producers.capture.comparing import Comparison
from producers.capture.digest import Digest
from producers.replay.deck import DeckState
from producers.replay.playback import PlaybackResult
from streams.contract.deadletters import DeadLetter
from streams.engines.abstract import Summary
from streams.golden import load
from tests.captures import Row, captured
from tests.tinytape import tiny_tape
from tests.unit.joinstorm.alerts.test_scoring import night, whole
from tests.unit.joinstorm.compare.boards import board
from tests.unit.joinstorm.drill.drillnights import night as drill_night

Sample: TypeAlias = Callable[[Path], Iterable[str]]
"""Returns the documents that a command prints, from a folder for its files."""
MISMATCH: Final = Mismatch(
    table="audience", window=1, time="1970-01-01T00:00:00Z", phase="open", name="first", count="joins", expected=2,
    found=1,
)  # fmt: skip
OUTCOME: Final = PointOutcome(point="late", says="late events count", status="wrong", named=(MISMATCH,))
VERDICT: Final = Verdict(
    exact=False, engine="faust", run="r", scenario="launch", scale=0.1, seed=7, tape_sha256="a", digest="b",
    truth_digest="c", events=9, records_compared=9, durations=OptionalComparison(True, 1, 0),
    breakdowns=OptionalComparison(False, 0, 0), mismatches=1, mismatches_by_count={"joins": 1},
    mismatches_named=(MISMATCH,), problems=("p",), remarks=("r",), stance_agreement=0.9, on_time_ratio=None,
    seconds={"replay": 1.0}, events_per_second={"replay": 9.0}, missing_events=(3,), versions={"python": "3"},
)  # fmt: skip


def printed(*arguments: str) -> list[str]:
    """Run a command and return its output as one document."""
    done = CliRunner().invoke(cli, [*arguments, "--format", "json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return [done.stdout]


def shown(show: Callable[[], object]) -> list[str]:
    """Return what a function prints."""
    with CliRunner().isolation() as (out, *_):
        show()
        return [out.getvalue().decode()]


def _bench(_folder: Path) -> list[str]:
    runs = tuple(Measurement("faust", 10, 1.0, seconds) for seconds in (1.0, 2.0))
    other = (Measurement("go", 10, 1.0, 0.1),)
    return [table.as_json([Repeats("faust", runs), Repeats("go", other)], {"cores": "2"}, {"go": "franz-go"})]


def _tuned(_folder: Path) -> list[str]:
    points = (TunedPoint(("0.1",), whole(), shipped=True, best=True),)
    return [tuneformats.as_json(Tuning("Melt", (Dial("threshold", ("0.1",)),), points))]


def _digests(folder: Path) -> list[str]:
    path = folder / "capture.arrows"
    captured(path, {"t": 1}, [("t", 0, [Row(0, 5, b"k", b"v")])])
    return printed("capture", "--digest", str(path))


def _verified(_folder: Path) -> list[str]:
    digest = Digest("t", 1, "d", "c", {0: (1, "d", "c")})
    return shown(lambda: capture._compared([Comparison(digest, digest)], "json"))


def _chaos(_folder: Path) -> list[str]:
    fault = campaign.InjectedFault("kill", 10, None)
    lines = [
        campaign.RunLine(1, "kill", exact=True, digest="d", recoveries=(1.0,), dealt=(fault,)),
        campaign.RunLine(None, "kill", exact=False, digest="", recoveries=(), loss=Loss(9, 1, 0), problem="stuck"),
    ]
    return [*(line.as_json() for line in lines), campaign.summary(lines).as_json()]


def _certificate(_folder: Path) -> list[str]:
    whole_one = Certificate(engine="x", outcomes=(OUTCOME,), versions={"python": "3"}, machine={"cores": "2"}, made="m")
    return [certificatereport.to_json(whole_one).decode()]


def _proof(_folder: Path) -> list[str]:
    report = ProofReport(findings=["f"], queries=3, query_mutants=Mutation(2, ["m"]))
    return [json.dumps(asdict(report))]


def _letters(_folder: Path) -> list[str]:
    return [dead_letters._json(DeadLetter("t", 0, 1, "not_json", "no JSON", "r", "faust", b"\xff"))]


def _drill(_folder: Path) -> list[str]:
    lines: list[str] = []
    answer = {"page": True, "what": "capacity_lost", "where": "both", "since": "19:20"}
    asked = ['{"later": "1m"}', '{"later": "soon"}', json.dumps({"answer": answer})]
    converse(Sitting(drill_night()), asked, lines.append)
    return lines


def _explained(_folder: Path) -> list[str]:
    found = explaining.Explanation(OUTCOME, part_of(load("doors"), frozenset({0, 1})), runs=7)
    return [explaining.to_json("mine", found).decode()]


def _imported(folder: Path) -> list[str]:
    events = folder / "own.csv"
    rows = [
        "at,person,kind",
        "2026-01-01T20:00:00Z,a,join",
        "2026-01-01T20:01:00Z,a,leave",
        "2026-01-01T20:02:00Z,b,leave",
    ]
    events.write_text("\n".join(rows) + "\n")
    return printed("import", str(events), "--out", str(folder / "own.parquet"))


def _rehearsed(_folder: Path) -> list[str]:
    page = PageDelivery("Melt", {"severity": "page"}, 10_500, "arrived", 10_900, None, None)
    lost = PageDelivery("Melt", {}, 5, "lost", None, 7, None)
    delivery = Delivery(
        pages=(page, lost), notifications=1, repeated=0, repeated_after_restart=0, unexpected=0, out_of_order=0,
        outages=(AlertmanagerOutage(1, 2),),
    )  # fmt: skip
    run = cast(RunOutcome, _Run(VERDICT))
    clock = NightClock([10_000.0, 11_000.0], [500_000.0, 560_000.0])
    return [rehearsalformats.as_json(RehearsalOutcome(run, night("launch"), delivery, ("p",), (whole(),), clock))]


class _Run(msgspec.Struct):
    """As much of a run as a rehearsal prints."""

    verdict: Verdict


def _counted(folder: Path) -> list[str]:
    tape = tiny_tape(folder / "tiny.parquet").path
    return [truth._json("r", 9, 3, "d"), *printed("truth", str(tape), "--ahead")]


def _listed(_folder: Path) -> list[str]:
    return printed("scenarios", "list")


def _nights(folder: Path) -> list[str]:
    return printed("whatif", "quiet", "--scale", "0.01", "--picture", str(folder / "nights.svg"))


def _one(document: Any) -> Sample:
    return lambda _folder: [msgspec.json.encode(document).decode()]


SAMPLES: Final[dict[str, Sample]] = {
    "alerts score": lambda _: [scoreformats.as_json([whole()])],
    "alerts tune": _tuned,
    "bench engines": _bench,
    "bench producers": _bench,
    "capture": _one(asdict(CaptureResult("c", {"t": 1}, 1, 2, 1, 0.1, 10.0))),
    "capture --digest": _digests,
    "capture --verify": _verified,
    "chaos": _chaos,
    "compare": lambda _: [scoreboard.to_json(board()).decode()],
    "conform": _certificate,
    "control": lambda _: shown(lambda: control._Deck(None, None, "json").show(asdict(DeckState()))),
    "dashboards check": _proof,
    "dashboards publish": lambda _: [dashboards._as_json([BoardChange("kept", "board x", "-a")])],
    "dead-letters": _letters,
    "drill": _drill,
    "explain": _explained,
    "facts": lambda _: printed("facts", "launch", "--scale", "0.002"),
    "import": _imported,
    "record": lambda folder: printed("record", "quiet", "--scale", "0.01", "--out", str(folder / "quiet.parquet")),
    "rehearse": _rehearsed,
    "replay": _one(asdict(PlaybackResult("r", "aiokafka", "ended", 9, 9, 0))),
    "run": lambda _: [verdicts.to_json(VERDICT).decode()],
    "scenarios list": _listed,
    "scenarios show": lambda _: printed("scenarios", "show", "launch"),
    "stream": _one(Summary(ended=True, stages={"decode": 0.5})),
    "truth": _counted,
    "verify": lambda _: [verdicts.to_json(VERDICT).decode()],
    "whatif": _nights,
}
