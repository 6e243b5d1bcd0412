"""The verdict: an engine's final counts compared with the truth, every difference named."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from joinstorm.verdict.accounts import Accounts, Evidence, account
from joinstorm.verdict.comparison import NO_COUNTS, Mismatch, OptionalComparison, compare
from producers.compose.faults import MISSING
from streams.contract.progress import Covered
from streams.contract.runinfo import RunInfo
from streams.read.derive import FinalCounts
from streams.read.runview import EngineView, RunView
from streams.system.wholefile import whole_file

ON_TIME: Final = 0.99
"""A paced run is on time when at least this share of its events was sent within 100 ms of the due time."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The content of ``verdict.json``."""

    exact: bool
    """Every count of every window equals the truth, durations and breakdowns too if the engine publishes any; every
    partition has ended, every record of the engine is valid, and every declared fault is accounted for."""
    engine: str
    run: str
    scenario: str
    scale: float
    seed: int
    tape_sha256: str
    digest: str
    truth_digest: str
    events: int
    """Distinct events counted, by the engine's own progress."""
    records_compared: int
    """Counts of the digest that at least one side has."""
    durations: OptionalComparison
    breakdowns: OptionalComparison
    mismatches: int
    mismatches_by_count: dict[str, int]
    mismatches_named: tuple[Mismatch, ...]
    problems: tuple[str, ...]
    """Reasons other than counts why it is not exact: no end, invalid results, faults not accounted for."""
    remarks: tuple[str, ...]
    """What is worth noting and does not affect ``exact``: a replay that was not on time, for example."""
    stance_agreement: float | None
    """An estimate, not part of ``exact``: share of tweets whose window, subject and stance agree in number."""
    on_time_ratio: float | None
    seconds: dict[str, float] = {}
    """By stage of the run."""
    events_per_second: dict[str, float] = {}
    faults: dict[str, dict[str, int]] = msgspec.field(default_factory=lambda: {"injected": {}, "accounted": {}})
    """Declared faults by kind: number of events hit, and how many of those were accounted for."""
    missing_events: tuple[int, ...] = ()
    """Ids of the first events declared missing; the truth leaves all of them out."""
    versions: dict[str, str] = {}

    @property
    def compared(self) -> int:
        """All counts compared, durations and breakdowns included."""
        return self.records_compared + self.durations.compared + self.breakdowns.compared

    @property
    def differing(self) -> int:
        """Counts of the digest that differ; ``mismatches`` without durations and breakdowns."""
        return self.mismatches - self.durations.mismatches - self.breakdowns.mismatches

    def with_problem(self, problem: str) -> "Verdict":
        """Return the same verdict with one more problem, no longer exact."""
        return msgspec.structs.replace(self, exact=False, problems=(*self.problems, problem))


def final_tables(engine: EngineView) -> FinalCounts:
    """Return all final counts of an engine, including those of windows and names that do not exist."""
    tables = engine.results.tables()
    for (table, window, name, _), counts in engine.strays.items():
        rows = tables.audience if table == "audience" else tables.reaction
        row = rows.setdefault((window, name), {})
        for count, value in counts.items():
            row[count] = row.get(count, 0) + value
    return tables


def problems(view: RunView, engine: str) -> tuple[str, ...]:
    """Return the reasons other than counts why an engine is not exact."""
    known = view.engines.get(engine)
    if known is None:
        others = ", ".join(sorted(view.engines)) or "none"
        return (f"engine {engine!r} has written nothing (engines with results: {others})",)
    rejections = [one for one in view.rejections if one.engine == engine]
    return (
        *(f"{engine} has not ended on {partition}" for partition in known.covered.missing),
        *(f"{one.source} is not a valid result of {engine}: {one.reason}, {one.detail}" for one in rejections),
    )


def remarks(view: RunView, engine: str, truth_events: int) -> tuple[str, ...]:
    """Return what is worth noting and does not affect ``exact``."""
    notes = []
    known = view.engines.get(engine)
    events = sum(known.covered.events.values()) if known else truth_events
    if events != truth_events:
        notes.append(f"{engine} reports {events:,} events counted, the tape has {truth_events:,}")
    if view.status is not None and view.status.on_time_ratio < ON_TIME:
        share = f"{view.status.on_time_ratio:.1%} of the events were sent within 100 ms of their due time"
        notes.append(f"not on time: {share}, required {ON_TIME:.0%}")
    unclaimed = [one for one in view.rejections if one.engine is None]
    if unclaimed:
        notes.append(f"{len(unclaimed)} invalid results of no known engine, the first at {unclaimed[0].source}")
    return tuple(notes)


def stance_agreement(engine: FinalCounts, truth: FinalCounts) -> float | None:
    """Return the share of the truth's labelled tweets that the engine matches by window, subject and stance."""
    total = sum(sum(counts.values()) for counts in truth.estimates.values())
    if not total or not engine.estimates:
        return None
    shared = sum(
        min(value, engine.estimates.get(key, NO_COUNTS).get(stance, 0))
        for key, counts in truth.estimates.items()
        for stance, value in counts.items()
    )
    return shared / total


def judge(
    view: RunView,
    engine: str,
    truth: FinalCounts,
    truth_events: int,
    *,
    versions: Mapping[str, str] | None = None,
    evidence: Evidence | None = None,
) -> Verdict:
    """Compare an engine's final counts with the truth.

    Args:
        view: The run as read from the result topics, ``info`` known.
        engine: The engine to judge; it may have written nothing.
        truth: The oracle's final counts.
        truth_events: Events on the tape, without those declared missing.
        versions: Library versions, to be recorded.
        evidence: Evidence to account for declared faults; a run with declared faults is not exact without it.
    """
    info = view.info
    assert info is not None
    known = view.engines.get(engine)
    counts = final_tables(known) if known else FinalCounts({}, {}, {})
    found = compare(counts, truth, info)
    accounts = _accounts(info, engine, known, evidence, same=found.digest == found.truth_digest)
    wrong = (*problems(view, engine), *accounts.problems)
    return Verdict(
        exact=not (found.mismatches or wrong) and found.digest == found.truth_digest,
        engine=engine,
        run=info.run,
        scenario=info.scenario,
        scale=info.scale,
        seed=info.seed,
        tape_sha256=info.tape_sha256,
        digest=found.digest,
        truth_digest=found.truth_digest,
        events=sum(known.covered.events.values()) if known else 0,
        records_compared=found.records_compared,
        durations=found.durations,
        breakdowns=found.breakdowns,
        mismatches=found.mismatches,
        mismatches_by_count=found.by_count,
        mismatches_named=found.named,
        problems=wrong,
        remarks=(*remarks(view, engine, truth_events), *accounts.remarks),
        stance_agreement=stance_agreement(counts, truth),
        on_time_ratio=view.status.on_time_ratio if view.status else None,
        faults={"injected": accounts.injected, "accounted": accounts.accounted},
        missing_events=accounts.missing,
        versions=dict(versions or {}),
    )


def _accounts(
    info: RunInfo, engine: str, known: EngineView | None, evidence: Evidence | None, *, same: bool
) -> Accounts:
    if info.faults is None:
        return Accounts()
    if evidence is None:
        return Accounts(problems=["faults: declared, and not accounted for"])
    return account(info, engine, known.covered if known else Covered(), evidence, same=same)


def write(verdict: Verdict, path: Path) -> None:
    """Write ``verdict.json``, whole or not at all."""
    with whole_file(path) as part:
        part.write_bytes(to_json(verdict))


def to_json(verdict: Verdict) -> bytes:
    """Return a verdict as indented JSON with a final newline."""
    return msgspec.json.format(msgspec.json.encode(verdict), indent=2) + b"\n"


def to_text(verdict: Verdict) -> str:
    """Return a verdict as text: a summary, followed by every named difference."""
    stance = verdict.stance_agreement
    answer = "exact" if verdict.exact else "NOT exact"
    compared = f"{verdict.records_compared:,} counts compared, {verdict.differing:,} differ"
    lines = [
        f"{answer}: {verdict.engine}, {verdict.events:,} events, {compared}",
        f"digest {verdict.digest}",
    ]
    if verdict.digest != verdict.truth_digest:
        lines.append(f"truth  {verdict.truth_digest}")
    if stance is not None:
        lines.append(f"stances (an estimate): {stance:.1%} of the tweets agree")
    lines += _optional("durations", verdict.durations, verdict)
    lines += _optional("breakdowns", verdict.breakdowns, verdict)
    lines += _faults(verdict)
    lines += [f"- {problem}" for problem in verdict.problems]
    lines += [f"- {count}: {number:,} differ" for count, number in verdict.mismatches_by_count.items()]
    lines += [f"  {mismatch}" for mismatch in verdict.mismatches_named]
    if verdict.mismatches > len(verdict.mismatches_named):
        lines.append(f"  and {verdict.mismatches - len(verdict.mismatches_named):,} more")
    lines += [f"note: {remark}" for remark in verdict.remarks]
    return "\n".join(lines)


def _optional(kind: str, found: OptionalComparison, verdict: Verdict) -> Iterator[str]:
    if found.published:
        yield f"{kind}: {found.compared:,} counts compared, {found.mismatches:,} differ"
    elif verdict.events:
        yield f"{kind}: {verdict.engine} publishes none"


def _faults(verdict: Verdict) -> Iterator[str]:
    injected, accounted = verdict.faults["injected"], verdict.faults["accounted"]
    if injected:
        each = (f"{kind} {accounted.get(kind, 0):,} of {count:,}" for kind, count in injected.items())
        yield f"faults accounted for: {', '.join(each)}"
    if verdict.missing_events:
        yield f"never sent, so missing from the truth as well: events {missing_named(verdict)}"


def missing_named(verdict: Verdict) -> str:
    """Return the ids of the named missing events, and how many more there are."""
    more = verdict.faults["injected"].get(MISSING, 0) - len(verdict.missing_events)
    return ", ".join(map(str, verdict.missing_events)) + (f" and {more:,} more" if more > 0 else "")
