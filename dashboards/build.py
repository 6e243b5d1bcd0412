"""Generates the committed files from the boards and rules in code, and finds files that differ from the code."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards import rules
from dashboards.boards import announcement, engines, launch, pipeline
from dashboards.stored import GENERATED, RULES

BOARDS: Final[dict[str, Callable[[], Dashboard]]] = {
    launch.UID: launch.build,
    announcement.UID: announcement.build,
    pipeline.UID: pipeline.build,
    engines.UID: engines.build,
}
"""Every board by its uid, in the order of docs/boards.md."""
_PROMETHEUS: Final = {"tagKeys": "", "step": "1s", "useValueForTime": False}
"""Fields of an annotation that the data source uses and the SDK's schema lacks."""


def board(uid: str, runbooks: str = rules.RUNBOOKS) -> dict[str, Any]:
    """Return one board in Grafana's JSON model; ``runbooks`` is the address of the page with the runbooks."""
    model: dict[str, Any] = json.loads(json.dumps(BOARDS[uid]().build(), cls=JSONEncoder))
    for number, panel in enumerate(model["panels"], start=1):
        panel["id"] = number
    for annotation in model["annotations"]["list"]:
        if annotation["datasource"]["type"] == "prometheus":
            text = {"titleFormat": "{{phase}}"}
            if annotation["name"] == "Alerts":
                severity = "{{severity}}: " if annotation["expr"].startswith("ALERTS") else ""
                text = {"titleFormat": "{{alertname}}", "textFormat": f"{severity}{runbooks}"}
            annotation.update({**_PROMETHEUS, **text})
    return model


def boards(runbooks: str = rules.RUNBOOKS) -> dict[str, dict[str, Any]]:
    """Return every board by its uid."""
    return {uid: board(uid, runbooks) for uid in BOARDS}


def text(model: dict[str, Any]) -> str:
    """Return the JSON text of a board, the same on every machine."""
    return json.dumps(model, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def files(runbooks: str = rules.RUNBOOKS) -> dict[str, str]:
    """Return the content of every generated file by its path below ``dashboards/``."""
    made = {f"{GENERATED}/{uid}.json": text(model) for uid, model in boards(runbooks).items()}
    return {**made, RULES: rules.text(runbooks)}


def differing(folder: Path, wanted: dict[str, str]) -> list[str]:
    """Return the paths of the files that differ from the code, including boards the code does not have."""
    existing = {f"{GENERATED}/{path.name}" for path in (folder / GENERATED).glob("*.json")}
    changed = [name for name, content in wanted.items() if _read(folder / name) != content]
    return sorted([*changed, *(existing - set(wanted))])


def write(folder: Path, wanted: dict[str, str]) -> list[str]:
    """Write the files that differ, remove boards the code does not have, and return the paths of both."""
    changed = differing(folder, wanted)
    for name in changed:
        path = folder / name
        if name not in wanted:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[name], encoding="utf-8")
    return changed


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
