"""Where joinstorm keeps what it has fetched once."""

from collections.abc import Mapping
from pathlib import Path


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return JOINSTORM_CACHE_DIR, else ``joinstorm`` in the user's cache folder; it need not exist yet."""
    if own := environ.get("JOINSTORM_CACHE_DIR"):
        return Path(own)
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "joinstorm"
