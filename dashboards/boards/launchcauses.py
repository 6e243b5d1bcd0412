"""Whom it hits, and why: the panels of *The launch* by client and by reason, as boards of live video begin with."""

from dashboards import palette
from dashboards import queries as q
from dashboards import thresholds as limits
from dashboards.panels import HALF, THIRD, GraphStyle, Panel, PanelQuery, PanelText, graph

_TWO = "by the engine (solid) and the truth (dashed, grey)"


def panels() -> tuple[Panel, ...]:
    """Return the panels, by client and then by reason."""
    return _audience(), _join_success(), _drop_rate(), _fails(), _drops()


def _audience() -> Panel:
    text = PanelText(
        "Live audience by client",
        f"Listeners in any room by client, {_TWO}.",
        "**melting** and **first room closed**: all clients together, since it is the rooms that melt. An *app outage* "
        "takes one client alone.",
        "Nobody has joined.",
    )
    return _by_client(text, "short", q.CLIENT_AUDIENCE, q.CLIENT_AUDIENCE_TRUTH, GraphStyle(colours=palette.CLIENTS))


def _join_success() -> Panel:
    text = PanelText(
        "Join success by client",
        f"Share of a client's attempts answered in the last minute of event time that succeeded, {_TWO}. The line is "
        "the threshold of the alert JoinSuccessLow.",
        "**melting**: all clients fall alike. A client that falls alone has a fault of its own.",
        "No attempt has been answered.",
    )
    style = GraphStyle(colours=palette.CLIENTS, top=1, limit=(limits.JOIN_SUCCESS, palette.BAD))
    return _by_client(text, "percentunit", q.CLIENT_JOIN_SUCCESS, q.CLIENT_JOIN_SUCCESS_TRUTH, style)


def _drop_rate() -> Panel:
    text = PanelText(
        "Drop rate by client",
        f"Share of a client's listeners within the last minute of event time who were dropped, {_TWO}. The line is the "
        "threshold of the alert LaunchMelting. Above 25 % the graph is cut off.",
        "**melting**: far above the line, for all clients alike.",
        "Nobody has joined.",
    )
    style = GraphStyle(colours=palette.CLIENTS, top=0.25, limit=(limits.DROP_RATIO, palette.BAD))
    return _by_client(text, "percentunit", q.CLIENT_DROP_RATIO, q.CLIENT_DROP_RATIO_TRUTH, style)


def _by_client(text: PanelText, unit: str, engine: str, truth: str, style: GraphStyle) -> Panel:
    queries = PanelQuery(engine, "{{client}}"), PanelQuery(truth, "{{client}} (truth)")
    return graph(text, unit, *queries, style=style, span=THIRD)


def _fails() -> Panel:
    text = PanelText(
        "Fails by reason",
        f"Attempts refused in the last minute of event time, by reason, over all rooms, {_TWO}.",
        "**melting**: *overloaded*, rising to several times the joins. **First room closed**: *room_closed*. In a "
        "*login outage* it is *login_failed*.",
        "No attempt has been refused.",
    )
    return _by_reason(text, q.FAILS_BY_REASON, q.FAILS_BY_REASON_TRUTH)


def _drops() -> Panel:
    text = PanelText(
        "Drops by reason",
        f"Listeners dropped in the last minute of event time, by reason, over all rooms, {_TWO}.",
        "a few *connection_lost* at all times. **Melting**: *overloaded*. **First room closed**: one spike of "
        "*room_closed*, the whole room.",
        "Nobody has been dropped.",
    )
    return _by_reason(text, q.DROPS_BY_REASON, q.DROPS_BY_REASON_TRUTH)


def _by_reason(text: PanelText, engine: str, truth: str) -> Panel:
    queries = PanelQuery(engine, "{{reason}}"), PanelQuery(truth, "{{reason}} (truth)")
    return graph(text, "short", *queries, style=GraphStyle(colours=palette.CAUSES), span=HALF)
