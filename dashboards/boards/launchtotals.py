"""Figures of *The launch*: the night so far, as totals, peaks and people."""

from grafana_foundation_sdk.models.common import BigValueTextMode

from dashboards import palette
from dashboards import queries as q
from dashboards.panels import QUARTER, THIRD, Panel, PanelQuery, PanelText, StatStyle, figure


def panels() -> tuple[Panel, ...]:
    """Return the panels of the row."""
    waited = PanelText(
        "Waited 20 minutes",
        "People whose first attempt was twenty minutes ago and who have not left, counted until the talk begins.",
        "the figure reported for the real night: more than 500,000 at scale 1. It grows only until the talk begins.",
    )
    peak = PanelText(
        "Peak",
        "The largest audience of each room at the end of any window.",
        "the first room's peak in **melting**, the second room's in **talk**: about a quarter of the first.",
    )
    when = PanelText(
        "Peak at",
        "Event time of each room's largest audience.",
        "minutes after the scheduled start for the first room, during the talk for the second.",
    )
    ever = PanelText(
        "Distinct listeners",
        "Distinct people who have been in any room so far.",
        "more people than were ever in at once, and fewer than joins: three figures that press reports confuse.",
    )
    by_room = PanelText(
        "Distinct listeners by room",
        "Distinct people who have been in each room so far.",
        "the second room's share of the first room's: the people who were still there to follow.",
    )
    joins = PanelText(
        "Joins counted",
        "All joins into the selected rooms, including repeated joins by the same person.",
        "many joins per listener while people are dropped and rejoin; about one per listener in *control*.",
    )
    late = PanelText(
        "Talk delayed by",
        "Time from the scheduled start to the start of the talk.",
        "25 to 30 minutes in *launch*, almost none in *control*. It is known from the tape, so it is shown from the "
        "beginning.",
    )
    named = StatStyle(mode=BigValueTextMode.VALUE_AND_NAME)
    return (
        figure(peak, "short", PanelQuery(q.AUDIENCE_PEAK, "{{space}}"), style=named, span=QUARTER),
        figure(when, "dateTimeAsIso", PanelQuery(q.AUDIENCE_PEAK_TIME, "{{space}}"), style=named, span=10),
        figure(by_room, "short", PanelQuery(q.LISTENERS_BY_ROOM, "{{space}}"), style=named, span=THIRD),
        figure(ever, "short", PanelQuery(q.LISTENERS_EVER), style=StatStyle(colour=palette.AUDIENCE), span=QUARTER),
        figure(joins, "short", PanelQuery(q.JOINS_COUNTED), style=StatStyle(colour=palette.JOIN), span=QUARTER),
        figure(waited, "short", PanelQuery(q.WAITED), style=StatStyle(colour=palette.WAITING), span=QUARTER),
        figure(late, "s", PanelQuery(q.TALK_LATE), style=StatStyle(decimals=0), span=QUARTER),
        *_waits(),
    )


def _waits() -> tuple[Panel, ...]:
    slow_joins = PanelText(
        "Time to join (95 %)",
        "Of all people who have joined so far, 95 % had their first join within this time of their first attempt; from "
        "buckets that double, so it is coarser than the graph below.",
        "below a second until **melting**, minutes afterwards.",
        "Nobody has joined.",
    )
    slow_rejoins = PanelText(
        "Time to rejoin (95 %)",
        "Of all rejoins so far, 95 % came within this time of the drop; from buckets that double.",
        "empty until the first drop; a quarter of an hour at the end of the night.",
        "Nobody has rejoined after a drop.",
    )
    exits = PanelText(
        "Left before any join",
        "People whose first wait ended with a leave: they never got in before they gave up.",
        "one in a hundred listeners of *launch*, hardly any in *control*.",
        "Nobody has left before any join.",
    )
    return (
        figure(slow_joins, "s", PanelQuery(q.SLOWEST_JOINS), style=StatStyle(colour=palette.JOIN), span=THIRD),
        figure(slow_rejoins, "s", PanelQuery(q.SLOWEST_REJOINS), style=StatStyle(colour=palette.JOIN), span=THIRD),
        figure(exits, "short", PanelQuery(q.EXITS), style=StatStyle(colour=palette.WAITING), span=THIRD),
    )
