"""Every JSON document that a command prints, by command line; and its schema."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from joinstorm.bench.table import Bench
from joinstorm.boardproof.findings import ProofReport
from joinstorm.chaos.campaign import CampaignTotal, RunLine
from joinstorm.compare.scoreboard import ScoreboardFile
from joinstorm.documents import shapes
from joinstorm.facts.whatif import NightFigures
from joinstorm.verdict.verdicts import Verdict
from producers.capture.capturing import CaptureResult
from producers.capture.digest import Digest
from producers.replay.deck import DeckState
from producers.replay.playback import PlaybackResult
from producers.scenario.spec import Scenario
from streams.contract.schemas import schema_of
from streams.engines.abstract import Summary

FOLDER: Final = "commands"
"""Subfolder of docs/schemas."""


@dataclass(frozen=True)
class Document:
    """What a command prints with ``--format json``.

    Args:
        command: The command line without ``joinstorm``.
        kind: Its type, or a tuple of them.
        lines: Whether it is a document per line, and not one document.
        also: Where else the same document is found.
    """

    command: str
    kind: Any
    lines: bool = False
    also: str = ""

    @property
    def path(self) -> str:
        """File of its schema, below docs/schemas."""
        return f"{FOLDER}/{self.command.replace(' --', '-').replace(' ', '-')}.json"

    @property
    def how(self) -> str:
        """How it is printed."""
        return "a document per line" if self.lines else "one document"


DOCUMENTS: Final = (
    Document("alerts score", list[shapes.AlertFigures]),
    Document("alerts tune", shapes.Tuned),
    Document("bench engines", Bench),
    Document("bench producers", Bench),
    Document("capture", CaptureResult),
    Document("capture --digest", dict[str, Digest]),
    Document("capture --verify", list[shapes.TopicComparison]),
    Document("chaos", (RunLine, CampaignTotal), lines=True),
    Document("compare", ScoreboardFile, also="`compare.json`"),
    Document("conform", shapes.CertificateFile, also="`certificate.json`"),
    Document("control", DeckState, also="the deck's `/state`"),
    Document("dashboards check", ProofReport),
    Document("dashboards publish", list[shapes.PublishedChange]),
    Document("dead-letters", shapes.DeadLetterLine, lines=True),
    Document("drill", shapes.DrillBoards | shapes.DrillError | shapes.DrillResult, lines=True),
    Document("explain", shapes.ExplanationFile),
    Document("facts", list[shapes.FactFigures]),
    Document("import", shapes.Imported),
    Document("record", shapes.Recorded),
    Document("rehearse", shapes.Rehearsed, also="`pages.json`"),
    Document("replay", PlaybackResult, lines=True),
    Document("run", Verdict, also="`verdict.json`"),
    Document("scenarios list", list[shapes.ScenarioRow]),
    Document("scenarios show", Scenario),
    Document("stream", Summary),
    Document("truth", shapes.TruthSummary),
    Document("verify", Verdict, also="`verdict.json`"),
    Document("whatif", list[NightFigures]),
)
"""All documents, by command."""


def schema(document: Document) -> dict[str, Any]:
    """Return the JSON Schema of a document; a command prints every field, so all are required."""
    found = schema_of(*document.kind) if isinstance(document.kind, tuple) else schema_of(document.kind)
    for one in (found, *found.get("$defs", {}).values()):
        if "properties" in one:
            one["required"] = list(one["properties"])
    title = f"joinstorm {document.command}" + (" --format json" if "--" not in document.command else "")
    return {"$schema": found.pop("$schema"), "title": title, **{k: v for k, v in found.items() if k != "title"}}


def texts() -> dict[str, str]:
    """Return the text of every schema file, by its path below docs/schemas."""
    return {one.path: json.dumps(schema(one), indent=2, ensure_ascii=False) + "\n" for one in DOCUMENTS}


def write(folder: Path) -> list[Path]:
    """Write every schema below ``folder`` and return the paths."""
    paths = []
    for name, text in texts().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths


def table() -> str:
    """Return the documents as a table in Markdown, for docs/json.md."""
    lines = ["| command | prints | schema | also |", "| --- | --- | --- | --- |"]
    lines += [
        f"| `{one.command}` | {one.how} | [{one.path.partition('/')[2]}](schemas/{one.path}) | {one.also} |"
        for one in DOCUMENTS
    ]
    return "\n".join(lines)
