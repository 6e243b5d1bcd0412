"""The folder in which a worker's library keeps state on disk, found again after a crash."""

import shutil
from pathlib import Path
from typing import Final

from streams.engines.abstract import WorkerSettings
from streams.system.privatefolder import require_private, user_folder

OPTION: Final = "state_dir"
"""Engine option: the folder for all workers' state; by default in the system's temporary folder."""


def state_folder(settings: WorkerSettings) -> Path:
    """Return the worker's folder, created if missing; the same for the same run, engine and worker number."""
    given = settings.options.get(OPTION)
    parent = Path(given) if given else require_private(user_folder("joinstorm-state"))
    worker = "worker" if settings.worker is None else f"worker-{settings.worker}"
    names = settings.info.names()  # refuses a run id that is a path: it comes from a record
    folder = parent / f"{names.prefix}{names.run}" / settings.engine / worker
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def forget(folder: Path) -> None:
    """Remove a worker's state folder, once its run is done."""
    shutil.rmtree(folder, ignore_errors=True)
