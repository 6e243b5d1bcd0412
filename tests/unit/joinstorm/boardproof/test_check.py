"""The proof of the boards itself: its mutants, its comparisons, its sums."""

import math

import pytest

from dashboards import promql, rules, stored
from joinstorm.boardproof import check
from joinstorm.boardproof.check import EXACT, EXPECTED, compare
from joinstorm.boardproof.counted import Counted, Rows, doubled, inflated
from joinstorm.boardproof.mutants import mutants, substitutes
from joinstorm.boardproof.ruleproof import rule_mutants
from streams.contract.names import SHIPPED_PHASES
from streams.metrics.definitions import EXPORTER_METRICS, WORKER_METRICS
from tests.nights import START, WINDOW, run_info

OTHERS = substitutes((*EXPORTER_METRICS, *WORKER_METRICS))
QUERY = 'sum by (kind) (joinstorm_presence_last_minute_events{engine="$engine",kind=~"join|drop"}) > 3'


def test_every_query_of_the_boards_has_an_expected_answer() -> None:
    """And no expected answer is left of a query that was removed."""
    there = {
        (query.board, query.panel, query.letter)
        for query in check.queries(stored.boards())
        if query.letter != check.ANNOTATION
    }
    assert there == {(board, *place) for board, answers in EXPECTED.items() for place in answers}


@pytest.mark.parametrize(
    "altered",
    [
        "",
        f"({QUERY}) * 1.01",
        QUERY.replace("sum", "max"),
        QUERY.replace(" by (kind)", " "),
        QUERY.replace('engine="$engine",', ""),
        QUERY.replace('engine="', 'engine!="'),
        QUERY.replace("join|drop", "join|dropx"),
        QUERY.replace("=~", "!~"),
        QUERY.replace("3", "7"),
        QUERY.replace("3", "2.7"),
        QUERY.replace(">", "<"),
        QUERY.replace("presence_last_minute_events", "presence_events_total"),
    ],
)
def test_a_query_is_altered_in_every_place(altered: str) -> None:
    """Aggregation, grouping, matchers, numbers, comparison and metric are each mutated."""
    assert promql_of(altered) in {promql_of(mutant.expr) for mutant in mutants(QUERY, OTHERS)}


def promql_of(text: str) -> str:
    """Return a text with its insignificant spaces removed."""
    return " ".join(text.split())


def test_alterations_differ_from_the_original_and_each_other() -> None:
    """No mutant counts twice, and none that Prometheus rejects inflates the share of caught ones."""
    made = [mutant.expr for mutant in mutants(QUERY, OTHERS)]
    assert len(set(made)) == len(made)
    assert QUERY not in made
    for text in filter(None, made):
        promql.read(promql.fill(text))


def test_a_metric_is_mistaken_for_one_with_the_same_labels() -> None:
    """Otherwise its labels alone would give the mutant away."""
    labels = {metric.name: metric.labels for metric in EXPORTER_METRICS}
    assert labels[OTHERS["joinstorm_drop_ratio"]] == labels["joinstorm_drop_ratio"]
    assert OTHERS["joinstorm_drop_ratio"] != "joinstorm_drop_ratio"


def test_every_part_of_a_rule_is_altered() -> None:
    """Expression, name, severity, wait and texts are mutated, and the rule is removed."""
    document = rules.document()
    made = [str(one) for one in rule_mutants(document, OTHERS)]
    for what in ("removed", "under another name", "waiting longer", "without waiting", "of another severity"):
        assert f"ProcessorUnfinished: {what}" in made
    assert "ProcessorUnfinished: summary changed" in made
    assert "engine:joinstorm_audience_listeners:sum: removed" in made
    assert rules.document() == document


A, B = frozenset({("space", "first")}), frozenset({("space", "second")})


@pytest.mark.parametrize(
    ("got", "wanted", "text"),
    [
        ({A: 1.0}, {A: 1.0}, ""),
        ({A: math.nan}, {A: math.nan}, ""),
        ({}, {}, ""),
        ({A: 1.0 + 1e-9}, {A: 1.0}, "space=first is"),
        ({A: 1.0}, {A: math.nan}, "space=first is"),
        ({A: 1.0}, {}, "unexpected series space=first"),
        ({}, {B: 0.0}, "missing series space=second"),
        ({frozenset(): 1.0}, {}, "unexpected series (no labels)"),
        ({A: 1.0, B: 1.0}, {B: 1.0, A: 1.0}, ""),
    ],
)
def test_an_answer_is_compared_series_by_series(
    got: dict[frozenset[tuple[str, str]], float], wanted: dict[frozenset[tuple[str, str]], float], text: str
) -> None:
    """Missing, unexpected and different series are named; their order does not matter."""
    found = compare(got, wanted, EXACT)
    assert text in found
    assert bool(found) == bool(text)


def counted(audience: Rows) -> Counted:
    """Return counts of the small run of the tests."""
    return Counted(run_info(), audience, {}, {})


ROWS: Rows = {
    (START, "first"): {"joins": 5},
    (START + WINDOW, "first"): {"joins": 2, "drops": 3, "leaves": 1},
    (START + 4 * WINDOW, "first"): {"joins": 1},
}


def test_sums_run_over_windows_that_end_by_the_moment() -> None:
    """A window counts from its end, not from its start."""
    night = counted(ROWS)
    ends = [START, START + WINDOW - 1, START + WINDOW, START + 2 * WINDOW, START + 5 * WINDOW]
    assert [night.audience_at("first", end) for end in ends] == [0, 0, 5, 3, 4]
    assert night.presence("first", "joins", START + 5 * WINDOW, START + 2 * WINDOW) == 1
    assert night.audience_at("second", START + 5 * WINDOW) == 0


def test_the_peak_is_the_first_window_end_with_the_most() -> None:
    """A later window with as many does not move it."""
    assert counted(ROWS).peak("first", START + 5 * WINDOW) == (5, START + WINDOW)
    assert counted({}).peak("first", START + 5 * WINDOW) == (0, START)


def test_planted_errors_are_what_they_say() -> None:
    """Doubled windows count twice; inflated rows have one more of everything in every window with events."""
    assert doubled(ROWS, [START])[START, "first"] == {"joins": 10}
    assert doubled(ROWS, [START])[START + WINDOW, "first"] == ROWS[START + WINDOW, "first"]
    rows = inflated(ROWS, ("first", "second"))
    assert rows[START, "first"]["joins"] == 6
    assert rows[START, "second"]["drops"] == 1
    assert ROWS[START, "first"] == {"joins": 5}


def test_due_phases_are_phases_of_the_shipped_nights() -> None:
    """An alert due in a renamed phase would never be due."""
    for alert in rules.ALERTS:
        assert {*alert.due, *alert.may} <= set(SHIPPED_PHASES)
