"""Publishes the boards, their folder, data source and the night's phases to a Grafana, any number of times.

Manual changes are shown, and kept unless ``force`` is given. A board is unchanged as long as the message of its newest
version is one of ours: Grafana may store a board's JSON in another form than it received, but saving a board by hand
adds a version with another message.
"""

import difflib
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from dashboards.grafana import Grafana, Json, NameTakenError
from streams.errors import EnvironmentMissingError

FOLDER_UID = "joinstorm"
FOLDER_TITLE = "joinstorm"
DATA_SOURCE_UID = "joinstorm-prometheus"
DATA_SOURCE_NAME = "joinstorm Prometheus"
SECOND_NAME = f"{DATA_SOURCE_NAME} ({DATA_SOURCE_UID})"
"""The data source's name where another one, made by hand, has the first."""
ANNOTATION_TAGS = ("joinstorm", "phase")
_MARK = "joinstorm boards "
_GRAFANAS_OWN = ("id", "version", "iteration")
"""Fields of a board that Grafana maintains itself."""

Kind: TypeAlias = Literal["created", "updated", "unchanged", "kept"]


@dataclass(frozen=True)
class BoardChange:
    """The change of one object; ``kept`` means that it was changed by hand and left alone."""

    kind: Kind
    what: str
    diff: str = field(default="", repr=False)
    """Unified diff from Grafana's state to the published one."""


@dataclass(frozen=True)
class PhaseMark:
    """A phase of the night as an annotation; times in milliseconds since the epoch."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Publication:
    """What to publish.

    Args:
        boards: Board JSON by uid.
        prometheus_url: Prometheus's address for Grafana's data source; empty leaves data sources alone.
        data_source: Uid of the data source that the boards select initially.
        phases: Phases of one tape.
        tape: SHA-256 of that tape; its beginning tags the annotations of the tape.
    """

    boards: Mapping[str, Json]
    prometheus_url: str = ""
    data_source: str = DATA_SOURCE_UID
    folder_title: str = FOLDER_TITLE
    scrape_interval: str = "1s"
    phases: tuple[PhaseMark, ...] = ()
    tape: str = ""


def publish(grafana: Grafana, wanted: Publication, *, force: bool = False, dry_run: bool = False) -> list[BoardChange]:
    """Publish to Grafana, and return the change of each object.

    Raises:
        EnvironmentMissingError: Grafana does not answer, refuses the login, or has the boards provisioned from files.
    """
    publisher = _Publisher(grafana, wanted, force=force, dry_run=dry_run)
    changes = [publisher.folder()]
    if wanted.prometheus_url:
        changes.append(publisher.data_source())
    changes += [publisher.board(uid, board) for uid, board in sorted(wanted.boards.items())]
    if wanted.phases:
        changes += publisher.annotations()
    return changes


@dataclass(frozen=True)
class _Publisher:
    grafana: Grafana
    wanted: Publication
    force: bool
    dry_run: bool

    def folder(self) -> BoardChange:
        title = self.wanted.folder_title
        found = self.grafana.folder(FOLDER_UID)
        what = f"folder {title!r}"
        if found is None:
            if not self.dry_run:
                self.grafana.create_folder(FOLDER_UID, title)
            return BoardChange("created", what)
        if found["title"] == title:
            return BoardChange("unchanged", what)
        kind = self._kind_of_overwrite()
        if kind == "updated" and not self.dry_run:
            self.grafana.rename_folder(FOLDER_UID, title)
        return BoardChange(kind, what, difference({"title": found["title"]}, {"title": title}))

    def data_source(self) -> BoardChange:
        model = data_source(self.wanted)
        found = self.grafana.data_source(model["uid"])
        if found is None:
            return self._create_data_source(model)
        if found.get("name") == SECOND_NAME:
            model["name"] = SECOND_NAME
        what = f"data source {model['name']!r}"
        current = {key: found.get(key) for key in model}
        # Grafana adds keys of its own to jsonData; only ours matter.
        current["jsonData"] = {key: (found.get("jsonData") or {}).get(key) for key in model["jsonData"]}
        if current == model:
            return BoardChange("unchanged", what)
        kind = self._kind_of_overwrite()
        if kind == "updated" and not self.dry_run:
            self.grafana.update_data_source(model)
        return BoardChange(kind, what, difference(current, model))

    def _create_data_source(self, model: Json) -> BoardChange:
        """Create the data source; where another one has its name, under a second name."""
        if not self.dry_run:
            try:
                self.grafana.create_data_source(model)
            except NameTakenError:
                model["name"] = SECOND_NAME
                self.grafana.create_data_source(model)
        return BoardChange("created", f"data source {model['name']!r}")

    def board(self, uid: str, board: Json) -> BoardChange:
        wanted = with_data_source(board, self.wanted.data_source)
        what = f"board {wanted['title']!r}"
        found = self.grafana.board(uid)
        if found is None:
            return self._save("created", what, {**wanted, "id": None}, "")
        if found["meta"].get("provisioned"):
            raise EnvironmentMissingError(
                f"{what} is provisioned from files in this Grafana and cannot be overwritten; "
                "change those files, or remove them from its provisioning"
            )
        current = {"folder": found["meta"].get("folderUid", ""), "board": plain(found["dashboard"])}
        diff = difference(current, {"folder": FOLDER_UID, "board": plain(wanted)})
        message = self.grafana.last_message(uid)
        moved = current["folder"] != FOLDER_UID
        if not diff or (message == mark(wanted) and not moved):
            return BoardChange("unchanged", what)
        kind: Kind = "updated" if message.startswith(_MARK) and not moved else self._kind_of_overwrite()
        if kind == "kept":
            return BoardChange(kind, what, diff)
        version = {"id": found["dashboard"].get("id"), "version": found["dashboard"].get("version")}
        return self._save(kind, what, {**wanted, **version}, diff)

    def _save(self, kind: Kind, what: str, model: Json, diff: str) -> BoardChange:
        if not self.dry_run:
            self.grafana.save_board(model, FOLDER_UID, mark(model), overwrite=self.force)
        return BoardChange(kind, what, diff)

    def annotations(self) -> Iterator[BoardChange]:
        ours = f"tape:{self.wanted.tape[:12]}"
        tags = [*ANNOTATION_TAGS, ours]
        current = self.grafana.annotations(list(ANNOTATION_TAGS))
        by_text = {annotation["text"]: annotation for annotation in current if ours in annotation["tags"]}
        for phase in self.wanted.phases:
            yield self._annotation(phase, by_text.get(phase.text), tags)
        others = [annotation for annotation in current if ours not in annotation["tags"]]
        if others:
            for annotation in others:
                if not self.dry_run:
                    self.grafana.delete_annotation(annotation["id"])
            yield BoardChange("updated", f"{len(others)} annotations of another tape: removed")

    def _annotation(self, phase: PhaseMark, found: Json | None, tags: list[str]) -> BoardChange:
        what = f"annotation {phase.text!r}"
        times = {"time": phase.start, "timeEnd": phase.end}
        if found is None:
            if not self.dry_run:
                self.grafana.add_annotation(phase.start, phase.end, tags, phase.text)
            return BoardChange("created", what)
        current = {key: found.get(key) for key in times}
        if current == times:
            return BoardChange("unchanged", what)
        kind = self._kind_of_overwrite()
        if kind == "updated" and not self.dry_run:
            self.grafana.delete_annotation(found["id"])
            self.grafana.add_annotation(phase.start, phase.end, tags, phase.text)
        return BoardChange(kind, what, difference(current, times))

    def _kind_of_overwrite(self) -> Kind:
        return "updated" if self.force else "kept"


def data_source(wanted: Publication) -> Json:
    """Return the data source in Grafana's JSON model, as the provisioning file has it too."""
    return {
        "uid": DATA_SOURCE_UID,
        "name": DATA_SOURCE_NAME,
        "type": "prometheus",
        "access": "proxy",
        "url": wanted.prometheus_url,
        "jsonData": {"httpMethod": "POST", "timeInterval": wanted.scrape_interval},
    }


def with_data_source(board: Json, uid: str) -> Json:
    """Return the board with its data source variable set to ``uid``."""
    copy: Json = json.loads(json.dumps(board))
    for variable in copy["templating"]["list"]:
        if variable["type"] == "datasource":
            variable["current"] = {"selected": False, "text": uid, "value": uid}
    return copy


def plain(board: Json) -> Json:
    """Return a board without the fields that Grafana maintains itself."""
    return {key: value for key, value in board.items() if key not in _GRAFANAS_OWN}


def mark(board: Json) -> str:
    """Return the version message of a board published with this content."""
    text = json.dumps(plain(board), sort_keys=True)
    return f"{_MARK}{hashlib.sha256(text.encode()).hexdigest()}"


def difference(current: Json, wanted: Json) -> str:
    """Return a unified diff of two JSON objects; empty when they are equal."""
    lines: Iterable[str] = difflib.unified_diff(
        _lines(current), _lines(wanted), "in Grafana", "to be published", lineterm="", n=2
    )
    return "\n".join(lines)


def _lines(value: Json) -> list[str]:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).splitlines()
