"""Which versions a result was made with."""

import platform
from importlib import metadata
from typing import Final

from joinstorm.embedded.kafkahome import KAFKA_VERSION

LIBRARIES: Final = ("joinstorm", "faust-streaming", "aiokafka", "kafka-python", "msgspec", "numpy", "polars", "duckdb")


def versions() -> dict[str, str]:
    """Return the versions of Python, Kafka (the embedded one) and the libraries that do the work."""
    return {
        "python": platform.python_version(),
        "kafka": KAFKA_VERSION,
        **{name: metadata.version(name) for name in LIBRARIES},
    }
