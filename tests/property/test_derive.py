"""Derived values against their definitions in docs/architecture.md, spelled out naively."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from streams.contract.names import ALL
from streams.contract.results import AUDIENCE_COUNTS, REACTION_COUNTS, AudienceResult, Result, key_of, summed
from streams.read.derive import EngineResults, ResultsAt
from tests.nights import SPACES, START, SUBJECTS, WINDOW, WINDOWS, audiences, reactions, run_info

records = st.lists(audiences | reactions, max_size=30)
times = st.integers(START - WINDOW, START + (WINDOWS + 1) * WINDOW)


class Naive:
    """The definitions, by adding up every window each time."""

    def __init__(self, results: Sequence[Result], at: int) -> None:
        self.tables = {
            kind: summed(r for r in results if isinstance(r, AudienceResult) == (kind == "audience"))
            for kind in ("audience", "reaction")
        }
        self.at = at

    def total(self, kind: str, name: str, count: str, since: int = 0, until: int | None = None) -> int:
        """Sum a count over the windows that end within (since, until]."""
        until = self.at if until is None else until
        return sum(
            counts.get(count, 0)
            for (window, row), counts in self.tables[kind].items()
            if row == name and since < window + WINDOW <= until
        )

    def live(self, space: str, at: int) -> int:
        """Return the live audience as of a time."""
        joins, drops, leaves = (self.total("audience", space, c, until=at) for c in ("joins", "drops", "leaves"))
        return joins - drops - leaves


def now(results: Sequence[Result], at: int) -> ResultsAt:
    """Return the values as of a time, after all records."""
    night = EngineResults(run_info())
    for record in results:
        night.put(record)
    return night.view().at(at)


def floor(at: int) -> int:
    """Return the end of the last window of the night that ends at or before a time."""
    return min(max(START, START + (at - START) // WINDOW * WINDOW), START + WINDOWS * WINDOW)


@given(records, times)
def test_totals_and_last_minutes_are_the_sums_of_the_windows(results: list[Result], at: int) -> None:
    """Every count so far and in the last minute equals the naive sum over winning versions and shards."""
    values, naive = now(results, at), Naive(results, at)
    minute = floor(at) - 60_000
    for space in (*SPACES, ALL):
        for count in AUDIENCE_COUNTS:
            assert values.presence(space, count) == naive.total("audience", space, count)
            assert values.presence_last_minute(space, count) == naive.total("audience", space, count, minute)
    for subject in (*SUBJECTS, ALL):
        for count in REACTION_COUNTS:
            assert values.tweets(subject, count) == naive.total("reaction", subject, count)
            assert values.tweets_last_minute(subject, count) == naive.total("reaction", subject, count, minute)


@given(records)
def test_tables_are_the_sums_of_the_winning_versions(results: list[Result]) -> None:
    """What the verdict and the digest are made from equals the naive merge of all records."""
    naive, tables = Naive(results, START), now(results, START).view.tables()
    assert tables.audience == naive.tables["audience"]
    assert tables.reaction == naive.tables["reaction"]


@given(records, times)
def test_derived_values_follow_their_formulas(results: list[Result], at: int) -> None:
    """Live audience, peak, waiting, drop ratio and join success are what their definitions say."""
    values, naive = now(results, at), Naive(results, at)
    minute = floor(at) - 60_000
    waiting = 0
    for space in SPACES:
        assert values.audience(space) == naive.live(space, at)
        past = [naive.live(space, START + k * WINDOW) for k in range(WINDOWS + 1) if START + k * WINDOW <= at] or [0]
        assert values.peak(space) == (max(past), START + past.index(max(past)) * WINDOW)
        joins, fails, drops = (naive.total("audience", space, c, minute) for c in ("joins", "fails", "drops"))
        present = naive.live(space, minute) + joins
        assert values.drop_ratio(space) == (drops / present if present > 0 else None)
        assert values.join_success(space) == (joins / (joins + fails) if joins + fails else None)
        for count, sign in (("arrivals", 1), ("drops", 1), ("joins", -1), ("give_ups", -1)):
            waiting += sign * naive.total("audience", space, count)
    assert values.waiting() == waiting


@given(records, times)
def test_hashtags_are_summed_over_subjects(results: list[Result], at: int) -> None:
    """Hashtag totals leave zeros out and come most used first."""
    naive = Naive(results, at)
    totals = {tag: sum(naive.total("reaction", s, f"hashtag:{tag}") for s in SUBJECTS) for tag in ("night", "room")}
    expected = sorted(((tag, total) for tag, total in totals.items() if total), key=lambda item: (-item[1], item[0]))
    assert list(now(results, at).hashtags().items()) == expected


@given(st.lists(audiences | reactions, max_size=20, unique_by=lambda r: (key_of(r), r.version)), st.data())
def test_the_order_of_records_does_not_matter(results: list[Result], data: st.DataObject) -> None:
    """Any permutation and any repetition of records with distinct versions gives the same sums."""
    again = data.draw(st.permutations([*results, *results[: len(results) // 2]]))
    end = START + WINDOWS * WINDOW
    one, two = now(results, end).view, now(again, end).view
    for name, running in {**one.audience, **one.reaction}.items():
        other = {**two.audience, **two.reaction}[name]
        assert (running.sums == other.sums).all()
        assert running.extra.totals(WINDOWS) == other.extra.totals(WINDOWS)


@given(records, records, times)
def test_a_view_stays_as_it_was(early: list[Result], late: list[Result], at: int) -> None:
    """Records that come later change no view that was taken before; without records the view is the same object."""
    night = EngineResults(run_info())
    for record in early:
        night.put(record)
    view = night.view()
    assert night.view() is view
    before = [view.at(at).audience(space) for space in SPACES], view.at(at).hashtags()
    for record in late:
        night.put(record)
    assert ([view.at(at).audience(space) for space in SPACES], view.at(at).hashtags()) == before
