"""The broker panels of *The pipeline*: Kafka as seen by the exporter."""

from dashboards import palette
from dashboards import queries as q
from dashboards.panels import HALF, THIRD, GraphStyle, Panel, PanelQuery, PanelText, StatStyle, figure, graph

_NO_BROKER = "no broker is watched"


def panels() -> tuple[Panel, ...]:
    """Return the panels about the broker's health."""
    return _up(), _unhealthy(), _answer(), _written(), _retained()


def _up() -> Panel:
    text = PanelText(
        "Broker",
        "Whether Kafka answers the exporter.",
        "*yes* at all times; *no* appears after six seconds without an answer.",
        empty=_NO_BROKER,
    )
    steps = ((None, palette.BAD), (1.0, palette.GOOD))
    return figure(text, "bool_yes_no", PanelQuery(q.BROKER_UP), style=StatStyle(steps=steps), span=HALF)


def _unhealthy() -> Panel:
    text = PanelText(
        "Unhealthy partitions",
        "Partitions of the run's topics without a leader, or with a replica that is not in sync.",
        "zero. With a single broker, any other value means that nothing can be written to those partitions.",
        empty=_NO_BROKER,
    )
    bad = ((None, palette.GOOD), (1.0, palette.BAD))
    return figure(text, "none", PanelQuery(q.BROKER_UNHEALTHY), style=StatStyle(steps=bad, decimals=0), span=HALF)


def _answer() -> Panel:
    text = PanelText(
        "Broker response time",
        "Time Kafka takes to describe the run's topics, measured every two seconds.",
        "a few milliseconds, also in **melting**; hundreds mean that the broker or its machine is at its limit.",
        empty=_NO_BROKER,
    )
    return graph(
        text, "s", PanelQuery(q.BROKER_RESPONSE, "answer"), style=GraphStyle({"answer": palette.AUDIENCE}), span=THIRD
    )


def _written() -> Panel:
    text = PanelText(
        "Records written per second",
        "Growth of the topics' end offsets per second of wall clock time, marks and checkpoints included.",
        "input topics that follow the night, result topics that follow the number of windows; all end with the run.",
        empty=_NO_BROKER,
    )
    return graph(text, "wps", PanelQuery(q.BROKER_WRITTEN, "{{topic}}"), style=GraphStyle(), span=THIRD)


def _retained() -> Panel:
    text = PanelText(
        "Records retained",
        "Offsets between the start and the end of each topic: of this run, and on the result topics of all runs.",
        "input topics that climb to the size of the night and stay there; a fall to zero means that retention deletes.",
        empty=_NO_BROKER,
    )
    return graph(text, "short", PanelQuery(q.BROKER_KEPT, "{{topic}}"), style=GraphStyle(stacked=True), span=THIRD)
