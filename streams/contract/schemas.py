"""JSON Schemas of the contract's records, generated from the types that read and write them."""

import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from streams.contract.events import Mark, Presence, Tweet
from streams.contract.fieldtexts import classes_of, field_texts
from streams.contract.results import AudienceResult, Progress, ReactionResult
from streams.contract.runinfo import RunInfo, RunStatus
from streams.contract.topics import (
    PRESENCE,
    RESULTS_AUDIENCE,
    RESULTS_PROGRESS,
    RESULTS_REACTION,
    RUN_INFO,
    RUN_STATUS,
    TWEETS,
)

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_RESULT: Final = "JSON array [run, engine, window, {}, shard]"
RECORDS: Final[Mapping[str, tuple[type[msgspec.Struct], str, str]]] = {
    "presence": (Presence, f"{PRESENCE}.<run>", "listener id, decimal digits"),
    "tweet": (Tweet, f"{TWEETS}.<run>", "author id, decimal digits"),
    "mark": (Mark, f"{PRESENCE}.<run> and {TWEETS}.<run>", "none"),
    "run-info": (RunInfo, RUN_INFO, "run id"),
    "run-status": (RunStatus, RUN_STATUS, "run id"),
    "audience-result": (AudienceResult, RESULTS_AUDIENCE, _RESULT.format("space")),
    "reaction-result": (ReactionResult, RESULTS_REACTION, _RESULT.format("subject")),
    "progress": (Progress, RESULTS_PROGRESS, "JSON array [run, engine, topic, shard]"),
}
"""File name to record type, topic and Kafka key."""


def schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema of one entry of ``RECORDS``."""
    record, topic, key = RECORDS[name]
    out = schema_of(record)
    definitions = out.pop("$defs", None)
    out |= {"x-kafka-topic": topic, "x-kafka-key": key}
    return {**out, "$defs": definitions} if definitions else out


def schema_of(*kinds: Any) -> dict[str, Any]:
    """Return the JSON Schema of any of some types, with what their fields mean."""
    found, definitions = msgspec.json.schema_components(kinds)
    whole: dict[str, Any] = found[0] if len(found) == 1 else {"anyOf": list(found)}
    classes = {one.__name__: one for kind in kinds for one in classes_of(kind)}
    for name, one in definitions.items():
        if "description" in one:  # Python 3.13 strips the indentation of docstrings, 3.11 does not
            one["description"] = inspect.cleandoc(one["description"])
        for field, text in field_texts(classes[name]).items() if name in classes else ():
            if field in one.get("properties", {}):
                one["properties"][field] = {"description": text, **one["properties"][field]}
    reference = whole.pop("$ref", "")
    own = definitions.pop(reference.rpartition("/")[2]) if reference else whole
    return {"$schema": DIALECT, **own, **({"$defs": definitions} if definitions else {})}


def texts() -> dict[str, str]:
    """Return the text of every schema file, by file name."""
    return {f"{name}.json": json.dumps(schema(name), indent=2, ensure_ascii=False) + "\n" for name in RECORDS}


def write(folder: Path) -> list[Path]:
    """Write every schema into ``folder``, created if missing, and return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, text in texts().items():
        (folder / name).write_text(text, encoding="utf-8")
        paths.append(folder / name)
    return paths
