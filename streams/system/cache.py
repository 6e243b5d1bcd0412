"""The cache folder: files that are fetched once and kept."""

from collections.abc import Iterable, Mapping
from pathlib import Path


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return JOINSTORM_CACHE_DIR, or ``joinstorm`` in the user's cache folder; it may not exist yet."""
    if own := environ.get("JOINSTORM_CACHE_DIR"):
        return Path(own)
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "joinstorm"


def beyond_newest(paths: Iterable[Path], kept: int) -> list[Path]:
    """Return the files that are left when so many are kept: those changed longest ago."""
    return sorted(paths, key=lambda path: path.stat().st_mtime, reverse=True)[kept:]
