"""Accounts for declared faults: compares what was injected with what the engine and the topics show."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from joinstorm.verdict.declaredfaults import Copy, Declared, records_planned
from producers.compose.faults import CORRUPT, DUPLICATE, KINDS, LATE, MISSING, OUT_OF_ORDER
from streams.contract.deadletters import DeadLetter
from streams.contract.progress import Covered
from streams.contract.runinfo import RunInfo

MAX_NAMED: Final = 50
"""How many missing events a verdict names; the faults file has them all."""
MAX_LISTED: Final = 5
"""How many records of a kind are listed when the accounts do not balance."""


@dataclass(frozen=True)
class Evidence:
    """The evidence besides the engine's own progress.

    Args:
        declared: The faults to be injected.
        records: Records on the input topics, marks included.
        dead_letters: The engine's dead letters, one per source record; None where it keeps none.
        copies: The damaged copies as sent; None without the tape.
    """

    declared: Declared
    records: int
    dead_letters: Sequence[DeadLetter] | None = None
    copies: Sequence[Copy] | None = None


@dataclass
class Accounts:
    """The result of the accounting.

    Args:
        injected: Number of events hit, by kind of fault.
        accounted: How many of those were accounted for, by kind.
        missing: Ids of the first missing events.
        problems: What does not balance.
        remarks: What is worth noting and not the engine's fault.
    """

    injected: dict[str, int] = field(default_factory=dict)
    accounted: dict[str, int] = field(default_factory=dict)
    missing: tuple[int, ...] = ()
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def account(info: RunInfo, engine: str, covered: Covered, evidence: Evidence, *, same: bool) -> Accounts:
    """Account for every declared fault of a run.

    A missing event must be missing from the engine's total of events. A second copy must be among its duplicates, and a
    damaged copy among its dead letters, byte for byte. A late or out-of-order event must be counted in its window; when
    the counts equal the truth, all of them are.

    Args:
        info: The run.
        engine: The engine's name.
        covered: The engine's progress.
        evidence: The other evidence.
        same: Whether the engine's counts equal the truth.
    """
    again = evidence.records - records_planned(info, evidence.declared.counts)
    found = Accounts(missing=tuple(evidence.declared.missing[:MAX_NAMED].tolist()))
    if again > 0:
        found.remarks.append(f"{again:,} records were sent again, by a resumed producer or a retry of its client")
    if again < 0:
        found.problems.append(f"faults: the input topics lack {-again:,} of the planned records")
    for kind, injected, met in _met(info, covered, evidence, found, same=same):
        spare = max(again, 0) if kind in {DUPLICATE, CORRUPT} else 0
        if injected or met > spare:
            found.injected[kind] = injected
            found.accounted[kind] = injected if 0 <= met - injected <= spare else met
    found.problems += _unbalanced(engine, found)
    return found


def _met(
    info: RunInfo, covered: Covered, evidence: Evidence, found: Accounts, *, same: bool
) -> Iterator[tuple[str, int, int]]:
    """Yield each kind of fault, how many were injected, and how many the engine met."""
    counts = evidence.declared.counts
    in_window = {kind: counts.get(kind, 0) if same else 0 for kind in (LATE, OUT_OF_ORDER)}
    met = {
        DUPLICATE: sum(covered.duplicates.values()),
        CORRUPT: sum(covered.dead_letters.values()),
        MISSING: info.events - sum(covered.events.values()),
        **in_window,
    }
    if evidence.dead_letters is not None:
        met[CORRUPT] = min(met[CORRUPT], _accounted_dead_letters(evidence.dead_letters, evidence.copies, found))
    for kind in KINDS:
        yield kind, counts.get(kind, 0), met[kind]


def _unbalanced(engine: str, found: Accounts) -> Iterator[str]:
    how_met = {
        DUPLICATE: "met as duplicates",
        CORRUPT: "counted as dead letters",
        MISSING: "left uncounted",
        LATE: "counted in their windows",
        OUT_OF_ORDER: "counted in their windows",
    }
    for kind, injected in found.injected.items():
        if found.accounted[kind] != injected:
            yield f"faults: {kind}: {injected:,} injected, {found.accounted[kind]:,} {how_met[kind]} by {engine}"


def _accounted_dead_letters(dead_letters: Sequence[DeadLetter], copies: Sequence[Copy] | None, found: Accounts) -> int:
    """Return how many damaged copies are dead letters, or the number of dead letters if all are; name the others."""
    sent: dict[tuple[str, int, bytes], list[Copy]] = defaultdict(list)
    for copy in copies or ():
        sent[copy.topic, copy.partition, copy.value].append(copy)
    unmatched = {record: list(group) for record, group in sent.items()}
    foreign = []
    for letter in dead_letters:
        record = (letter.topic, letter.partition, letter.value)
        if unmatched.get(record):
            unmatched[record].pop()
        elif copies is not None and record not in sent:
            foreign.append(f"{letter.source} ({letter.reason})")
    lost = [f"event {copy.event_id} ({copy.damage})" for group in unmatched.values() for copy in group]
    found.problems += _listed("dead letters that are no damaged copies of this run", foreign)
    found.problems += _listed("damaged copies missing from the dead letters", lost)
    return len(copies or ()) - len(lost) if lost else len(dead_letters)


def _listed(what: str, records: list[str]) -> Iterator[str]:
    if records:
        more = f" and {len(records) - MAX_LISTED:,} more" if len(records) > MAX_LISTED else ""
        yield f"faults: {what}: {', '.join(records[:MAX_LISTED])}{more}"
