"""A formatted data folder for Kafka: made by Kafka's own tool once, copied with new ids for every later broker."""

import contextlib
import hashlib
import re
import shutil
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from joinstorm.embedded.kafkahome import KAFKA_VERSION

PROPERTIES: Final = "meta.properties"
_IDS: Final = re.compile(r"^(node\.id|cluster\.id|directory\.id)=.*$", re.MULTILINE)


class Ids(NamedTuple):
    """The number of a node, and the id of its cluster."""

    node: int
    cluster: str


def new_id() -> str:
    """Return a new id in Kafka's spelling: a UUID in 22 characters."""
    while (made := urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass  # Kafka's tools take it for an option
    return made


class Storage:
    """Formatted data folders for brokers with the same settings; a start of Java less for all but the first.

    Args:
        settings: Kafka's properties, before ports and folders are filled in.
        folder: Where the formatted folder is kept.
    """

    def __init__(self, settings: str, folder: Path) -> None:
        digest = hashlib.sha256(f"{KAFKA_VERSION}\n{settings}".encode()).hexdigest()
        self.kept = folder / f"storage-{digest[:16]}"

    def prepare(self, data: Path, ids: Ids, make: Callable[[], None]) -> None:
        """Make ``data`` a formatted folder with ids of its own; the nodes of a cluster can share one kept folder.

        Args:
            data: The folder; it must not exist.
            ids: What it belongs to.
            make: Formats it with Kafka's tool, for these ids.
        """
        new = {"node.id": str(ids.node), "cluster.id": ids.cluster, "directory.id": new_id()}
        with contextlib.suppress(OSError):
            text = (self.kept / PROPERTIES).read_text()
            shutil.copytree(self.kept, data)
            (data / PROPERTIES).write_text(_IDS.sub(lambda found: f"{found[1]}={new[found[1]]}", text))
            return
        shutil.rmtree(data, ignore_errors=True)
        make()
        with contextlib.suppress(OSError):
            self._keep(data)

    def _keep(self, data: Path) -> None:
        """Keep a formatted folder, whole or not at all; another process may have kept one just before."""
        self.kept.parent.mkdir(parents=True, exist_ok=True)
        part = self.kept.with_name(f".{self.kept.name}.{uuid.uuid4().hex}.part")
        try:
            shutil.copytree(data, part)
            part.rename(self.kept)
        finally:
            shutil.rmtree(part, ignore_errors=True)
