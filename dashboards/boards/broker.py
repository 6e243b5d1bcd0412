"""The broker's part of *The pipeline*: Kafka as the exporter sees it from outside."""

from dashboards import palette
from dashboards import queries as q
from dashboards.panels import HALF, THIRD, GraphStyle, Panel, PanelQuery, PanelText, StatStyle, figure, graph


def panels() -> tuple[Panel, ...]:
    """Return the panels that say how the broker is."""
    return _up(), _trouble(), _answer(), _written(), _kept()


def _up() -> Panel:
    text = PanelText(
        "Broker", "Whether Kafka answers the exporter.", "*yes* at all times; *no* after six silent seconds."
    )
    steps = ((None, palette.BAD), (1.0, palette.GOOD))
    return figure(text, "bool_yes_no", PanelQuery(q.BROKER_UP), style=StatStyle(steps=steps), span=HALF)


def _trouble() -> Panel:
    text = PanelText(
        "Partitions in trouble",
        "Partitions of the run's topics without a leader, or with a replica that is not in sync.",
        "zero. With one broker anything else means that nothing can be written there.",
    )
    bad = ((None, palette.GOOD), (1.0, palette.BAD))
    return figure(text, "short", PanelQuery(q.BROKER_UNHEALTHY), style=StatStyle(steps=bad), span=HALF)


def _answer() -> Panel:
    text = PanelText(
        "Answer time of the broker",
        "What Kafka takes to describe the run's topics, asked every two seconds.",
        "milliseconds, also in **melting**; hundreds of them mean a broker, or a machine, at its limit.",
    )
    return graph(
        text, "s", PanelQuery(q.BROKER_RESPONSE, "answer"), style=GraphStyle({"answer": palette.AUDIENCE}), span=THIRD
    )


def _written() -> Panel:
    text = PanelText(
        "Records written a second",
        "Growth of the topics' end offsets, per second of wall clock time; marks and checkpoints included.",
        "the input topics follow the night, the result topics the number of windows; all of them end with the run.",
    )
    return graph(text, "wps", PanelQuery(q.BROKER_WRITTEN, "{{topic}}"), style=GraphStyle(), span=THIRD)


def _kept() -> Panel:
    text = PanelText(
        "Records kept",
        "Offsets each topic spans: what Kafka holds of this run, and of all runs in the result topics.",
        "input topics climb to the size of the night and stay there; a fall to zero is a retention that deletes.",
    )
    return graph(text, "short", PanelQuery(q.BROKER_KEPT, "{{topic}}"), style=GraphStyle(stacked=True), span=THIRD)
