"""Where a worker whose library keeps state on disk keeps it, so that the worker finds it again after a crash."""

import shutil
import tempfile
from pathlib import Path
from typing import Final

from streams.engines.abstract import WorkerSettings

OPTION: Final = "state_dir"
"""Engine option: the folder for the state of all workers; the system's temporary folder if not given."""


def state_folder(settings: WorkerSettings) -> Path:
    """Return this worker's folder, made if missing; the same for the same run, engine and worker number."""
    parent = settings.options.get(OPTION) or str(Path(tempfile.gettempdir()) / "joinstorm-state")
    worker = "worker" if settings.worker is None else f"worker-{settings.worker}"
    folder = Path(parent) / f"{settings.info.prefix}{settings.info.run}" / settings.engine / worker
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def forget(folder: Path) -> None:
    """Remove the state of a worker whose run is done."""
    shutil.rmtree(folder, ignore_errors=True)
