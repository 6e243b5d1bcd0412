"""The verdict: an engine's final counts held against the truth, every difference named."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from joinstorm.verdict.accounts import Accounts, Evidence, account
from joinstorm.verdict.comparison import NO_COUNTS, Mismatch, compare
from producers.compose.faults import MISSING
from streams.contract.progress import Covered
from streams.contract.runinfo import RunInfo
from streams.read.derive import FinalCounts
from streams.read.runview import EngineView, RunView

ON_TIME: Final = 0.99
"""A paced run is on time when at least this share of its events left within 100 ms of their due time."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What ``verdict.json`` holds."""

    exact: bool
    """Every count of every window equals the truth, every partition has ended, all the engine wrote is valid, and every
    declared fault is accounted for."""
    engine: str
    run: str
    scenario: str
    scale: float
    seed: int
    tape_sha256: str
    digest: str
    truth_digest: str
    events: int
    """Distinct events the engine says it has counted."""
    records_compared: int
    mismatches: int
    mismatches_by_count: dict[str, int]
    mismatches_named: tuple[Mismatch, ...]
    problems: tuple[str, ...]
    """What besides a count keeps it from being exact: no end, records that are no results, faults unaccounted for."""
    remarks: tuple[str, ...]
    """What is worth saying and keeps nothing from being exact: a replay that was not on time."""
    stance_agreement: float | None
    """An estimate, no part of ``exact``: share of tweets in equal numbers by window, subject and stance."""
    on_time_ratio: float | None
    seconds: dict[str, float] = {}
    """By stage of the run."""
    events_per_second: dict[str, float] = {}
    faults: dict[str, dict[str, int]] = msgspec.field(default_factory=lambda: {"injected": {}, "accounted": {}})
    """Declared faults by kind: events hit, and how many of them were found again."""
    missing_events: tuple[int, ...] = ()
    """Ids of the first events that were declared as missing; the truth leaves out all of them."""
    versions: dict[str, str] = {}

    def with_problem(self, problem: str) -> "Verdict":
        """Return the same verdict with one more problem, no longer exact."""
        return msgspec.structs.replace(self, exact=False, problems=(*self.problems, problem))


def final_tables(engine: EngineView) -> FinalCounts:
    """Return everything an engine says at the end, results for what does not exist included."""
    tables = engine.night.tables()
    for (table, window, name, _), counts in engine.strays.items():
        rows = tables.audience if table == "audience" else tables.reaction
        row = rows.setdefault((window, name), {})
        for count, value in counts.items():
            row[count] = row.get(count, 0) + value
    return tables


def problems(view: RunView, engine: str) -> tuple[str, ...]:
    """Return what besides counts keeps an engine from being exact."""
    known = view.engines.get(engine)
    if known is None:
        others = ", ".join(sorted(view.engines)) or "nobody"
        return (f"engine {engine!r} has written nothing (results are there from: {others})",)
    rejections = [one for one in view.rejections if one.engine == engine]
    return (
        *(f"{engine} has not ended on {partition}" for partition in known.covered.missing),
        *(f"{one.source} is no result of {engine}: {one.reason}, {one.detail}" for one in rejections),
    )


def remarks(view: RunView, engine: str, truth_events: int) -> tuple[str, ...]:
    """Return what is worth saying and keeps nothing from being exact."""
    said = []
    known = view.engines.get(engine)
    events = sum(known.covered.events.values()) if known else truth_events
    if events != truth_events:
        said.append(f"{engine} says it counted {events:,} events, the tape has {truth_events:,}")
    if view.status is not None and view.status.on_time_ratio < ON_TIME:
        share = f"{view.status.on_time_ratio:.1%} of the events left within 100 ms of their due time"
        said.append(f"not on time: {share}, wanted {ON_TIME:.0%}")
    unclaimed = [one for one in view.rejections if one.engine is None]
    if unclaimed:
        said.append(f"records that are no results of anybody: {len(unclaimed)}, the first at {unclaimed[0].source}")
    return tuple(said)


def stance_agreement(engine: FinalCounts, truth: FinalCounts) -> float | None:
    """Return the share of the truth's labelled tweets the engine has in equal numbers by window, subject and stance."""
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
    """Hold an engine's final counts against the truth.

    Args:
        view: The run as read from the result topics, ``info`` known.
        engine: The engine to judge; it need not have written anything.
        truth: The oracle's final counts.
        truth_events: Events the tape has (without those declared as missing).
        versions: Library versions, for the record.
        evidence: What there is to account for declared faults with; a run that has any is not exact without it.
    """
    info = view.info
    assert info is not None
    known = view.engines.get(engine)
    mine = final_tables(known) if known else FinalCounts({}, {}, {})
    found = compare(mine, truth, info)
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
        mismatches=found.mismatches,
        mismatches_by_count=found.by_count,
        mismatches_named=found.named,
        problems=wrong,
        remarks=(*remarks(view, engine, truth_events), *accounts.remarks),
        stance_agreement=stance_agreement(mine, truth),
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
        return Accounts(problems=["faults: declared, and nobody has accounted for them"])
    return account(info, engine, known.covered if known else Covered(), evidence, same=same)


def write(verdict: Verdict, path: Path) -> None:
    """Write ``verdict.json``, whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(to_json(verdict))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def to_json(verdict: Verdict) -> bytes:
    """Return a verdict as indented JSON with a line end."""
    return msgspec.json.format(msgspec.json.encode(verdict), indent=2) + b"\n"


def to_text(verdict: Verdict) -> str:
    """Return a verdict for people: one line when it is exact, every named difference when it is not."""
    stance = verdict.stance_agreement
    answer = "exact" if verdict.exact else "NOT exact"
    compared = f"{verdict.records_compared:,} counts compared, {verdict.mismatches:,} differ"
    lines = [
        f"{answer}: {verdict.engine}, {verdict.events:,} events, {compared}",
        f"digest {verdict.digest}",
    ]
    if verdict.digest != verdict.truth_digest:
        lines.append(f"truth  {verdict.truth_digest}")
    if stance is not None:
        lines.append(f"stances (an estimate): {stance:.1%} of the tweets in equal numbers")
    lines += _faults(verdict)
    lines += [f"- {problem}" for problem in verdict.problems]
    lines += [f"- {count}: {number:,} differ" for count, number in verdict.mismatches_by_count.items()]
    lines += [f"  {mismatch}" for mismatch in verdict.mismatches_named]
    if verdict.mismatches > len(verdict.mismatches_named):
        lines.append(f"  and {verdict.mismatches - len(verdict.mismatches_named):,} more")
    lines += [f"note: {remark}" for remark in verdict.remarks]
    return "\n".join(lines)


def _faults(verdict: Verdict) -> Iterator[str]:
    injected, accounted = verdict.faults["injected"], verdict.faults["accounted"]
    if injected:
        each = (f"{kind} {accounted.get(kind, 0):,} of {count:,}" for kind, count in injected.items())
        yield f"faults accounted for: {', '.join(each)}"
    if verdict.missing_events:
        yield f"missing, in the truth as well: events {missing_named(verdict)}"


def missing_named(verdict: Verdict) -> str:
    """Return the ids of the missing events that are named, and how many more there are."""
    more = verdict.faults["injected"].get(MISSING, 0) - len(verdict.missing_events)
    return ", ".join(map(str, verdict.missing_events)) + (f" and {more:,} more" if more > 0 else "")
