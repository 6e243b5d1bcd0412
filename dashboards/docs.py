"""docs/boards.md, made from the boards: each panel, what it shows, what to look for, what it reads."""

from collections.abc import Iterator
from typing import Any, Final

from dashboards import build, promql

PATH: Final = "docs/boards.md"
_HEAD: Final = """\
# The boards

<!-- Made by `joinstorm dashboards build` from dashboards/; changes here are lost. -->

Four Grafana boards tell the night; they link to each other and load into Grafana 11 and later.

**Time.** The horizontal axis is the clock on the wall while a replay runs, or the real dates (24-25 May 2023) where the
night was brought in with `joinstorm backfill`. Everything about the night is *as of event time*: the values an engine
had counted up to its watermark, and "a minute" is a minute of the night, the same at every replay speed. Only work done
(events sent, counted, read) is per second of wall clock time. The annotations are the phases of the night.

**Variables.** *Data source*: any Prometheus. *Engine*: whose numbers are shown; `truth` is the oracle. *Room*: which of
the audio rooms. A Prometheus holds one run at a time; the panel *Run* says which.

**Colours** mean the same on every board: blue the audience, orange people waiting, green joins, red drops, grey and
dashed the truth. **"no replay running"** in a panel: this Prometheus has no such data, now.

How the panels are proven: `joinstorm dashboards check` puts a night into a Prometheus and compares every panel's query
at named moments with the oracle; `--mutate` alters every query and every rule, one at a time, and must find each. A
test plays a night through Kafka and an engine and holds what a scrape shows in every phase to the oracle as well. The
boards keep the rules of grafana/dashboard-linter but for those in `dashboards/generated/.lint`, each with its reason.
"""


def text() -> str:
    """Return the page, the same on every machine."""
    return "\n".join((_HEAD, *(line for uid in build.BOARDS for line in _board(build.board(uid)))))


def _board(board: dict[str, Any]) -> Iterator[str]:
    yield f"## {board['title']}\n"
    yield f"{board['description']}\n"
    for panel in board["panels"]:
        if panel["type"] == "row":
            yield f"### {board['title']}: {panel['title']}\n"
        else:
            yield from _panel(panel)


def _panel(panel: dict[str, Any]) -> Iterator[str]:
    shows, _, look = panel["description"].partition("\n\n")
    yield f"**{panel['title']}** ({panel['type']}, unit `{panel['fieldConfig']['defaults']['unit']}`)\n"
    yield f"- Shows: {shows}"
    yield f"- Look for: {look.removeprefix('**Look for:** ')}"
    readings = [promql.read(promql.fill(target["expr"])) for target in panel["targets"]]
    names = dict.fromkeys(selector.metric for reading in readings for selector in reading.selectors)
    yield f"- Reads: {', '.join(f'`{name}`' for name in names)}\n"
