"""The accounts of declared faults: what was injected held against what an engine and the topics have of it."""

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
"""How many missing events are named in a verdict; the file of faults has them all."""
MAX_SAID: Final = 5
"""How many records of a kind are spelled out when accounts do not come out even."""


@dataclass(frozen=True)
class Evidence:
    """What there is to account with, besides an engine's own words.

    Args:
        declared: What was to be injected.
        records: Records on the input topics, marks included.
        letters: What the engine put aside, each source once; None where it keeps no dead letters.
        copies: The damaged copies as they were sent; None without the tape.
    """

    declared: Declared
    records: int
    letters: Sequence[DeadLetter] | None = None
    copies: Sequence[Copy] | None = None


@dataclass
class Accounts:
    """What the accounts come to.

    Args:
        injected: Events hit, by kind of fault.
        accounted: How many of them were found again, by kind.
        missing: Ids of the first missing events.
        problems: What does not come out even.
        remarks: What is worth saying and no fault of the engine.
    """

    injected: dict[str, int] = field(default_factory=dict)
    accounted: dict[str, int] = field(default_factory=dict)
    missing: tuple[int, ...] = ()
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def account(info: RunInfo, engine: str, covered: Covered, evidence: Evidence, *, same: bool) -> Accounts:
    """Account for every declared fault of a run.

    A missing event must be missing in the engine's count of events; a second copy must have been met as a duplicate; a
    damaged copy must lie among the dead letters, byte for byte; an event that came late or out of order must be
    counted in its window, which holds for all of them when the counts are the truth's.

    Args:
        info: The run.
        engine: The engine's name.
        covered: What the engine says it has met.
        evidence: What else there is.
        same: The engine's counts are the truth's.
    """
    again = evidence.records - records_planned(info, evidence.declared.counts)
    found = Accounts(missing=tuple(evidence.declared.missing[:MAX_NAMED].tolist()))
    if again > 0:
        found.remarks.append(
            f"{again:,} records were sent again, by a producer that went on or a client that tried again"
        )
    if again < 0:
        found.problems.append(f"faults: the input topics lack {-again:,} of the records that were to be sent")
    for kind, injected, met in _met(info, covered, evidence, found, same=same):
        spare = max(again, 0) if kind in {DUPLICATE, CORRUPT} else 0
        if injected or met > spare:
            found.injected[kind] = injected
            found.accounted[kind] = injected if 0 <= met - injected <= spare else met
    found.problems += _uneven(engine, found)
    return found


def _met(
    info: RunInfo, covered: Covered, evidence: Evidence, found: Accounts, *, same: bool
) -> Iterator[tuple[str, int, int]]:
    """Yield every kind of fault, how many were injected, and how many were met."""
    counts = evidence.declared.counts
    in_window = {kind: counts.get(kind, 0) if same else 0 for kind in (LATE, OUT_OF_ORDER)}
    met = {
        DUPLICATE: sum(covered.duplicates.values()),
        CORRUPT: sum(covered.dead_letters.values()),
        MISSING: info.events - sum(covered.events.values()),
        **in_window,
    }
    if evidence.letters is not None:
        met[CORRUPT] = min(met[CORRUPT], _put_aside(evidence.letters, evidence.copies, found))
    for kind in KINDS:
        yield kind, counts.get(kind, 0), met[kind]


def _uneven(engine: str, found: Accounts) -> Iterator[str]:
    words = {
        DUPLICATE: "met as duplicates",
        CORRUPT: "put aside",
        MISSING: "missing",
        LATE: "known to be counted in their window",
        OUT_OF_ORDER: "known to be counted in their window",
    }
    for kind, injected in found.injected.items():
        if found.accounted[kind] != injected:
            yield f"faults: {kind}: {injected:,} injected, {found.accounted[kind]:,} {words[kind]} by {engine}"


def _put_aside(letters: Sequence[DeadLetter], copies: Sequence[Copy] | None, found: Accounts) -> int:
    """Return how many dead letters there are, less where damaged copies are not among them; strangers are named."""
    sent: dict[tuple[str, int, bytes], list[Copy]] = defaultdict(list)
    for copy in copies or ():
        sent[copy.topic, copy.partition, copy.value].append(copy)
    waiting = {place: list(those) for place, those in sent.items()}
    strangers = []
    for letter in letters:
        place = (letter.topic, letter.partition, letter.value)
        if waiting.get(place):
            waiting[place].pop()
        elif copies is not None and place not in sent:
            strangers.append(f"{letter.source} ({letter.reason})")
    lost = [f"event {one.event_id} ({one.damage})" for those in waiting.values() for one in those]
    found.problems += _named("put aside, and no damaged copy of this run", strangers)
    found.problems += _named("damaged copies that are no dead letters", lost)
    return len(copies or ()) - len(lost) if lost else len(letters)


def _named(what: str, those: list[str]) -> Iterator[str]:
    if those:
        more = f" and {len(those) - MAX_SAID:,} more" if len(those) > MAX_SAID else ""
        yield f"faults: {what}: {', '.join(those[:MAX_SAID])}{more}"
