"""Values by client and by reason as of an event time: the same as counting them one by one."""

from hypothesis import given
from hypothesis import strategies as st

from streams.contract.breakdowns import CAUSES, CLIENTS, FAILS_BY_REASON
from streams.contract.names import MINUTE_MS
from streams.contract.results import AudienceResult
from streams.read.derive import EngineResults, ResultsAt
from tests.nights import run_info

INFO = run_info()
MINUTE = MINUTE_MS // INFO.window_ms
WINDOWS = 2 * MINUTE
Found = list[tuple[int, str, str, str]]
"""Window, space, kind and client."""
_found = st.lists(
    st.tuples(
        st.integers(0, WINDOWS - 1),
        st.sampled_from(INFO.spaces[:2]),
        st.sampled_from(("joins", "fails", "drops", "leaves")),
        st.sampled_from(CLIENTS[:2]),
    ),
    max_size=60,
)


def results(found: Found) -> EngineResults:
    """Return the results of an engine that counted these events."""
    engine = EngineResults(INFO)
    rows: dict[tuple[int, str], dict[str, int]] = {}
    for window, space, kind, client in found:
        row = rows.setdefault((window, space), {})
        count = f"{kind}_by_client:{client}"
        row[count] = row.get(count, 0) + 1
    for (window, space), counts in rows.items():
        at = INFO.start + window * INFO.window_ms
        engine.put(AudienceResult(1, INFO.run, "e", at, space, "0", 1, counts))
    return engine


@given(_found, st.integers(0, WINDOWS))
def test_values_of_a_client_are_those_of_its_events(found: Found, until: int) -> None:
    """Over all spaces: the audience so far, drop ratio and join success of the last minute; other clients apart."""
    now, client = ResultsAt(results(found).view(), until), CLIENTS[0]
    mine = [(window, kind) for window, _, kind, whose in found if whose == client and window < until]
    kinds = [kind for _, kind in mine]
    live = kinds.count("joins") - kinds.count("drops") - kinds.count("leaves")
    assert now.client_audience(client) == (live if "joins" in kinds else None)
    late = [kind for window, kind in mine if window >= until - MINUTE]
    before = live - late.count("joins") + late.count("drops") + late.count("leaves")
    present, answered = before + late.count("joins"), late.count("joins") + late.count("fails")
    assert now.client_drop_ratio(client) == (late.count("drops") / present if present > 0 else None)
    assert now.client_join_success(client) == (late.count("joins") / answered if answered else None)


def test_a_reason_is_there_from_its_first_event_on() -> None:
    """Before it there is no value, a minute after it there is zero."""
    engine = EngineResults(INFO)
    counts = {FAILS_BY_REASON + CAUSES[0]: 3}
    engine.put(AudienceResult(1, INFO.run, "e", INFO.start, INFO.spaces[0], "0", 1, counts))
    view = engine.view()
    values = [ResultsAt(view, until).reason_last_minute(FAILS_BY_REASON, CAUSES[0]) for until in (0, 1, MINUTE + 1)]
    assert values == [None, 3, 0]
    assert ResultsAt(view, 1).reason_last_minute(FAILS_BY_REASON, CAUSES[1]) is None
