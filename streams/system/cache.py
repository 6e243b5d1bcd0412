"""The cache folder: files that are fetched once and kept."""

from collections.abc import Mapping
from pathlib import Path


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return JOINSTORM_CACHE_DIR, or ``joinstorm`` in the user's cache folder; it may not exist yet."""
    if own := environ.get("JOINSTORM_CACHE_DIR"):
        return Path(own)
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "joinstorm"
