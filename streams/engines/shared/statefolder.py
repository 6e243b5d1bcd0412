"""The folder in which a worker's library keeps state on disk, found again after a crash."""

import shutil
import tempfile
from pathlib import Path
from typing import Final

from streams.engines.abstract import WorkerSettings

OPTION: Final = "state_dir"
"""Engine option: the folder for all workers' state; by default in the system's temporary folder."""


def state_folder(settings: WorkerSettings) -> Path:
    """Return the worker's folder, created if missing; the same for the same run, engine and worker number."""
    parent = settings.options.get(OPTION) or str(Path(tempfile.gettempdir()) / "joinstorm-state")
    worker = "worker" if settings.worker is None else f"worker-{settings.worker}"
    folder = Path(parent) / f"{settings.info.prefix}{settings.info.run}" / settings.engine / worker
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def forget(folder: Path) -> None:
    """Remove a worker's state folder, once its run is done."""
    shutil.rmtree(folder, ignore_errors=True)
