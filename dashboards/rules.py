"""Recording and alerting rules as data, and as YAML for Prometheus.

Alerts on the night use gauges as of event time, so they need no ``for``: their minute has passed in event time,
whatever the speed of the replay. Only ``ProcessorUnfinished`` waits, in wall clock time, because it is about a process
and not about the night. Alerts are for engines, not for the truth, which would repeat each of them.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

import yaml

from dashboards import thresholds as limits
from dashboards.queries import in_wall_clock, kind, select, total
from streams.contract.names import TRUTH, IncidentName, PhaseName
from streams.metrics import definitions as m

GROUP: Final = "joinstorm"
INTERVAL: Final = "1s"
"""The scrape interval of the exporter: at speed 60, a minute of the night."""
DROPPING: Final = (
    IncidentName.CAPACITY_LOST,
    IncidentName.OUTAGE,
    IncidentName.APP_OUTAGE,
    IncidentName.BAD_DEPLOY,
    IncidentName.AUTOSCALING,
)
"""Incidents in which listeners are dropped."""
KEPT_OUT: Final = (IncidentName.LOGIN_OUTAGE, IncidentName.SLOW_ANSWERS)
"""Incidents in which people cannot get in, and those inside notice nothing."""
AFTERWARDS: Final = tuple(one.after for one in (*DROPPING, *KEPT_OUT))
"""The phases after them, in which everybody comes back at once."""
RUNBOOKS: Final = "docs/runbooks.md"
"""The page the alerts point at, unless ``joinstorm dashboards build --runbooks`` names its address."""
ENGINES: Final = f'engine!="{TRUTH}"'
LOW: Final = 'bound="low"'
PLAYING: Final = 'state="playing"'
OVER: Final = 'state="ended"'
SENT: Final = 'outcome="sent"'


@dataclass(frozen=True)
class RecordingRule:
    """A series recorded for alerts and long ranges; ``name`` is ``level:metric:operation``.

    ``max`` where a single figure is meant: two exporters of one night serve the same values, one of them earlier. No
    recording reads another one, so ``promtool tsdb create-blocks-from rules`` can make them all in one pass.
    """

    name: str
    expr: str


@dataclass(frozen=True)
class Alert:
    """An alert.

    Args:
        name: Its name, also the heading in the runbooks.
        expr: The alert fires while this has a value.
        severity: ``page`` for what listeners notice, ``ticket`` for what an engineer has to investigate.
        summary: One line with labels and the value.
        due: Phases in which it must fire, each an incident, in the nights that have them.
        may: Further phases in which it may fire.
        wait: Wall clock time for which the expression must hold; only for alerts that are not about the night.
    """

    name: str
    expr: str
    severity: Literal["page", "ticket"]
    summary: str
    due: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    wait: str = ""


AUDIENCE = RecordingRule("engine:joinstorm_audience_listeners:sum", total(select(m.AUDIENCE, ENGINES), "engine"))
PEAK = RecordingRule(
    "engine:joinstorm_audience_peak_listeners:max", f"max by (engine) ({select(m.AUDIENCE_PEAK, ENGINES)})"
)
WAITING = RecordingRule("engine:joinstorm_waiting_people:max", f"max by (engine) ({select(m.WAITING, ENGINES)})")
CROWD = RecordingRule("engine:joinstorm_crowd_people:sum", f"{AUDIENCE.expr} + max by (engine) ({select(m.WAITING)})")
GROWTH = RecordingRule(
    "engine:joinstorm_waiting_growth_people:last_minute",
    f"{total(select(m.PRESENCE_MINUTE, ENGINES, kind('arrival', 'drop')), 'engine')}"
    f" - {total(select(m.PRESENCE_MINUTE, kind('join', 'give_up')), 'engine')}",
)
LAG = RecordingRule(
    "engine:joinstorm_engine_lag_seconds:wall",
    in_wall_clock(
        f"max by (engine) ({select(m.LAG, ENGINES)})",
        f"max({select(m.REPLAY_TIME)}) - max({select(m.REPLAY_TIME)} offset 10s)",
    ),
)
RECORDINGS: Final = (AUDIENCE, PEAK, WAITING, CROWD, GROWTH, LAG)


def _events_behind(name: str) -> str:
    """Return a condition: enough events of a kind in the last minute for a meaningful ratio."""
    return f"and on (engine, space) {select(m.PRESENCE_MINUTE, kind(name))} >= {limits.ENOUGH_EVENTS}"


ALERTS: Final = (
    Alert(
        "LaunchMelting",
        f"{select(m.DROP_RATIO, ENGINES)} > {limits.DROP_RATIO} {_events_behind('drop')}",
        "page",
        "{{ $value | humanizePercentage }} of the listeners in {{ $labels.space }} were dropped within a minute",
        due=(PhaseName.MELTING, PhaseName.FIRST_CLOSED, *DROPPING),
        may=(PhaseName.SECOND_ROOM, *AFTERWARDS),
    ),
    Alert(
        "JoinSuccessLow",
        f"{select(m.JOIN_SUCCESS, ENGINES)} < {limits.JOIN_SUCCESS} {_events_behind('fail')}",
        "page",
        "only {{ $value | humanizePercentage }} of the attempts to join {{ $labels.space }} succeed",
        due=(PhaseName.MELTING, PhaseName.FIRST_CLOSED, *DROPPING, *KEPT_OUT),
        may=(PhaseName.SECOND_ROOM, *AFTERWARDS),
    ),
    Alert(
        "AudienceCollapse",
        f"{AUDIENCE.name} < {limits.COLLAPSE} * {PEAK.name} and {AUDIENCE.name} < {WAITING.name}",
        "page",
        "{{ $value | humanize }} listeners are left in the rooms, and more people are waiting outside",
        due=(PhaseName.SECOND_ROOM,),
        may=(PhaseName.FIRST_CLOSED, PhaseName.TALK, *DROPPING, *KEPT_OUT, *AFTERWARDS),
    ),
    Alert(
        "WaitingRoomGrowing",
        f"{WAITING.name} / {CROWD.name} > {limits.WAITING_SHARE}"
        f" and {GROWTH.name} > -{limits.WAITING_FALL} * {WAITING.name}"
        f" and {WAITING.name} >= {limits.ENOUGH_EVENTS}",
        "page",
        "{{ $value | humanizePercentage }} of the crowd are waiting outside, and their number is not falling",
        due=(PhaseName.MELTING, *DROPPING, *KEPT_OUT),
        may=(PhaseName.FIRST_CLOSED, PhaseName.SECOND_ROOM, *AFTERWARDS),
    ),
    Alert(
        "AnnouncementSurge",
        f"{select(m.UPLIFT, ENGINES, LOW)} > {limits.SURGE}"
        f" and on (engine) max by (engine) ({select(m.EXCESS, LOW)}) >= {limits.ENOUGH_EVENTS}",
        "ticket",
        "the announcement draws at least {{ $value | humanize }} times its baseline",
        due=(PhaseName.THREAD,),
        may=(PhaseName.AFTERMATH,),
    ),
    Alert(
        "ProcessorBehind",
        f"{LAG.name} > {limits.LAG_SECONDS:g} and on () {select(m.REPLAY_STATE, PLAYING)} == 1",
        "page",
        "{{ $labels.engine }} is {{ $value | humanizeDuration }} behind the replay",
    ),
    Alert(
        "ProcessorUnfinished",
        f"{select(m.PROGRESS, ENGINES)} and {select(m.ENGINE_ENDED)} == 0"
        f" and on () {select(m.REPLAY_STATE, OVER)} == 1",
        "ticket",
        "the replay is over and {{ $labels.engine }} has counted {{ $value | humanizePercentage }} of it",
        wait=f"{limits.ENGINE_MISSING_MINUTES}m",
    ),
    Alert(
        "EngineWrong",
        f"{total(select(m.ERROR_SUM, ENGINES), 'engine')} > 0",
        "page",
        "the counts of {{ $labels.engine }} are off by {{ $value | humanize }} in total",
    ),
    Alert(
        "DeadLetters",
        f"{select(m.DEAD_LETTERS, ENGINES)} > 0",
        "ticket",
        "{{ $labels.engine }} has found {{ $value | humanize }} dead letters on {{ $labels.topic }}",
    ),
    Alert(
        "ResultsRejected",
        f"{select(m.REJECTED_RECORDS)} > 0",
        "ticket",
        "{{ $value | humanize }} records of {{ $labels.topic }} break the contract ({{ $labels.reason }})",
    ),
    Alert(
        "ReplayOffSchedule",
        f"{select(m.REPLAY_ON_TIME)} < {limits.ON_TIME_RATIO} and {select(m.REPLAY_TARGET_SPEED)} > 0"
        f" and on () {select(m.REPLAY_RECORDS, SENT)} >= {limits.ENOUGH_SENT}",
        "ticket",
        "only {{ $value | humanizePercentage }} of the events were sent on time",
    ),
)


def document(runbooks: str = RUNBOOKS) -> dict[str, Any]:
    """Return the rules in Prometheus's format; ``runbooks`` is the address of the page with the runbooks."""
    recordings = [{"record": rule.name, "expr": rule.expr} for rule in RECORDINGS]
    alerts = [_alert(alert, runbooks) for alert in ALERTS]
    return {"groups": [{"name": GROUP, "interval": INTERVAL, "rules": [*recordings, *alerts]}]}


def _alert(alert: Alert, runbooks: str) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "expr": alert.expr,
        **({"for": alert.wait} if alert.wait else {}),
        "labels": {"severity": alert.severity},
        "annotations": {"summary": alert.summary, "runbook_url": f"{runbooks}#{alert.name.lower()}"},
    }


def text(runbooks: str = RUNBOOKS) -> str:
    """Return the YAML, the same on every machine."""
    head = "# Generated by `joinstorm dashboards build` from dashboards/rules.py; do not edit.\n"
    return head + yaml.safe_dump(document(runbooks), sort_keys=False, width=120, allow_unicode=True)
