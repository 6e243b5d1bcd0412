"""The accounts of declared faults come out even when every fault is found again, and only then."""

from dataclasses import dataclass, replace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joinstorm.verdict.accounts import MAX_NAMED, Accounts, Evidence, account
from joinstorm.verdict.declaredfaults import copies, declared, records_planned
from producers.compose.faults import CORRUPT, DUPLICATE, KINDS, LATE, MISSING, OUT_OF_ORDER, FaultPlan
from producers.replay.faultfile import fault_path, write_faults
from producers.tape.tapefile import Tape
from streams.contract.deadletters import DeadLetter
from streams.contract.events import Mark
from streams.contract.progress import Covered
from streams.contract.runinfo import Faults, RunInfo
from streams.contract.topics import INPUTS
from streams.engines.shared.simplefold import decode
from streams.errors import BrokerError, DecodeError
from streams.kafka.connection import Connection
from streams.read.deadletterreader import dead_letters_of
from tests.replaying import Player, Sent, info_of
from tests.tinytape import tiny_tape

ALL_FIVE = Faults({DUPLICATE: 0.1, OUT_OF_ORDER: 0.1, LATE: 0.1, CORRUPT: 0.1, MISSING: 0.1})


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    """Return a small night."""
    return tiny_tape(tmp_path_factory.mktemp("tape") / "night.parquet", seed=5, people=60)


@dataclass(frozen=True)
class Case:
    """A run with faults, as an engine that makes no mistake has met it."""

    info: RunInfo
    covered: Covered
    evidence: Evidence

    def account(self, *, same: bool = True) -> Accounts:
        """Account for the faults."""
        return account(self.info, "e", self.covered, self.evidence, same=same)

    def with_letters(self, letters: list[DeadLetter]) -> "Case":
        """Return the same with other dead letters."""
        count = {INPUTS[0]: len(letters)}
        return replace(
            self,
            covered=replace(self.covered, dead_letters=count),
            evidence=replace(self.evidence, dead_letters=letters),
        )


def case(tape: Tape, faults: Faults) -> Case:
    """Play a tape with faults and meet every record."""
    info = info_of(tape, faults=faults)
    player = Player(tape, info=info, plan=FaultPlan(faults))
    player.play()
    covered, letters = met(player.sent, info)
    records = sum(map(len, player.sent.values()))
    return Case(info, covered, Evidence(declared(info), records, letters, list(copies(tape, info))))


def met(sent: Sent, info: RunInfo) -> tuple[Covered, list[DeadLetter]]:
    """Return what a reader of every record finds: events, events met again, records that are none."""
    seen: set[int] = set()
    duplicates, letters = 0, []
    for (topic, partition), records in sent.items():
        base = next(base for base in INPUTS if info.topics[base] == topic)
        for offset, (_, _, value) in enumerate(records):
            try:
                one = decode(base, value, info)
            except DecodeError as error:
                letters.append(DeadLetter(topic, partition, offset, error.reason, "", info.run, "e", value))
                continue
            if not isinstance(one, Mark):
                duplicates += one.event_id in seen
                seen.add(one.event_id)
    totals = [{INPUTS[0]: total} for total in (len(seen), duplicates, len(letters))]
    return Covered(None, True, (), *totals), letters


@settings(max_examples=15, deadline=None)
@given(
    rates=st.dictionaries(st.sampled_from(KINDS), st.sampled_from([0.05, 0.3, 1.0]), min_size=1), seed=st.integers(0, 5)
)
def test_every_fault_is_accounted_for(tape: Tape, rates: dict[str, float], seed: int) -> None:
    """Whatever is declared: injected is what stands in the file of faults, and all of it is found again."""
    one = case(tape, Faults(rates, seed))
    found = one.account()
    written = write_faults(fault_path(tape.path, "accounts"), tape, Faults(rates, seed), one.info)
    assert found.problems == found.remarks == []
    assert found.injected == found.accounted == {kind: count for kind, count in written.counts.items() if count}
    assert len(found.missing) == min(MAX_NAMED, written.counts[MISSING])


def test_without_faults_there_is_nothing_to_account_for(tape: Tape) -> None:
    """No faults: nothing is missing, nothing damaged, and the topics hold what is planned."""
    info = info_of(tape)
    assert declared(info).counts == {}
    assert not len(declared(info).missing)
    assert not list(copies(tape, info))
    player = Player(tape)
    player.play()
    assert records_planned(info, {}) == sum(map(len, player.sent.values()))


@pytest.mark.parametrize(
    ("total", "by", "text"),
    [
        ("duplicates", -1, "met as duplicates"),
        ("duplicates", 1, "met as duplicates"),
        ("dead_letters", -1, "counted as dead letters"),
        ("events", 1, "missing"),
        ("events", -1, "missing"),
    ],
)
def test_one_too_many_or_too_few_is_a_problem(tape: Tape, total: str, by: int, text: str) -> None:
    """An engine that says a single one more or less than was injected is found out, with both numbers."""
    one = case(tape, ALL_FIVE)
    changes: dict[str, Any] = {total: {INPUTS[0]: getattr(one.covered, total)[INPUTS[0]] + by}}
    found = replace(one, covered=replace(one.covered, **changes)).account()
    assert len(found.problems) == 1
    assert "injected, " in found.problems[0]
    assert text in found.problems[0]


def test_a_lost_dead_letter_is_named(tape: Tape) -> None:
    """A damaged copy that is no dead letter is named with its event and its damage."""
    one = case(tape, ALL_FIVE)
    assert one.evidence.dead_letters is not None
    found = one.with_letters(list(one.evidence.dead_letters[1:])).account()
    assert any("damaged copies missing from the dead letters: event " in problem for problem in found.problems)
    assert found.accounted[CORRUPT] == found.injected[CORRUPT] - 1


def test_a_dead_letter_of_another_event_is_named(tape: Tape) -> None:
    """Equal numbers are not enough: a valid event among the dead letters is named by its source."""
    one = case(tape, ALL_FIVE)
    assert one.evidence.dead_letters is not None
    first, *rest = one.evidence.dead_letters
    found = one.with_letters([first._replace(value=b'{"event_id":1}'), *rest]).account()
    assert any(first.source in problem for problem in found.problems)
    assert found.accounted[CORRUPT] == found.injected[CORRUPT] - 1


def test_late_events_are_accounted_for_by_equal_counts_alone(tape: Tape) -> None:
    """Where counts differ, late events cannot be shown to be counted."""
    found = case(tape, ALL_FIVE).account(same=False)
    assert found.accounted[LATE] == found.accounted[OUT_OF_ORDER] == 0
    assert len(found.problems) == 2


def test_records_sent_again_are_no_faults(tape: Tape) -> None:
    """A resumed producer sends some records twice; they are remarked on, and accepted up to their number."""
    one = case(tape, ALL_FIVE)
    again = replace(one.evidence, records=one.evidence.records + 10)
    more = replace(one.covered, duplicates={INPUTS[0]: one.covered.duplicates[INPUTS[0]] + 10})
    found = replace(one, covered=more, evidence=again).account()
    assert found.problems == []
    assert found.accounted == found.injected
    assert found.remarks == ["10 records were sent again, by a resumed producer or a retry of its client"]
    beyond = replace(one.covered, duplicates={INPUTS[0]: one.covered.duplicates[INPUTS[0]] + 11})
    assert replace(one, covered=beyond, evidence=again).account().problems


def test_records_that_never_came_are_a_problem(tape: Tape) -> None:
    """Missing records on the topics are a problem, with their number."""
    one = case(tape, ALL_FIVE)
    found = replace(one, evidence=replace(one.evidence, records=one.evidence.records - 3)).account()
    assert found.problems == ["faults: the input topics lack 3 of the planned records"]


def test_run_info_says_what_is_declared(tape: Tape) -> None:
    """Faults are part of run.info, so the run tells what was injected."""
    info = info_of(tape, faults=ALL_FIVE)
    assert msgspec.json.decode(msgspec.json.encode(info), type=RunInfo).faults == ALL_FIVE


def test_dead_letters_of_nobody(tape: Tape) -> None:
    """Without a broker reading them is an error that names the address."""
    with pytest.raises(BrokerError, match=r"127\.0\.0\.1:9"):
        dead_letters_of(Connection("127.0.0.1:9"), info_of(tape), "e")
