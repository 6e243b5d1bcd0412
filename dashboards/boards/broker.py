"""The broker's part of *The pipeline*: Kafka as the exporter sees it from outside."""

from dashboards import looks
from dashboards import queries as q
from dashboards.panels import HALF, THIRD, Face, Look, Panel, Query, Text, figure, graph


def panels() -> tuple[Panel, ...]:
    """Return the panels that say how the broker is."""
    return _up(), _trouble(), _answer(), _written(), _kept()


def _up() -> Panel:
    text = Text("Broker", "Whether Kafka answers the exporter.", "*yes* at all times; *no* after six silent seconds.")
    steps = ((None, looks.BAD), (1.0, looks.GOOD))
    return figure(text, "bool_yes_no", Query(q.BROKER_UP), face=Face(steps=steps), span=HALF)


def _trouble() -> Panel:
    text = Text(
        "Partitions in trouble",
        "Partitions of the run's topics without a leader, or with a replica that is not in sync.",
        "zero. With one broker anything else means that nothing can be written there.",
    )
    bad = ((None, looks.GOOD), (1.0, looks.BAD))
    return figure(text, "short", Query(q.BROKER_UNHEALTHY), face=Face(steps=bad), span=HALF)


def _answer() -> Panel:
    text = Text(
        "Answer time of the broker",
        "What Kafka takes to describe the run's topics, asked every two seconds.",
        "milliseconds, also in **melting**; hundreds of them mean a broker, or a machine, at its limit.",
    )
    return graph(text, "s", Query(q.BROKER_RESPONSE, "answer"), look=Look({"answer": looks.AUDIENCE}), span=THIRD)


def _written() -> Panel:
    text = Text(
        "Records written a second",
        "Growth of the topics' end offsets, per second of wall clock time; marks and checkpoints included.",
        "the input topics follow the night, the result topics the number of windows; all of them end with the run.",
    )
    return graph(text, "wps", Query(q.BROKER_WRITTEN, "{{topic}}"), look=Look(), span=THIRD)


def _kept() -> Panel:
    text = Text(
        "Records kept",
        "Offsets each topic spans: what Kafka holds of this run, and of all runs in the result topics.",
        "input topics climb to the size of the night and stay there; a fall to zero is a retention that deletes.",
    )
    return graph(text, "short", Query(q.BROKER_KEPT, "{{topic}}"), look=Look(stacked=True), span=THIRD)
