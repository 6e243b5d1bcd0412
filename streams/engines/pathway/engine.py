"""Engine ``pathway``: Pathway's incremental tables; implemented in ``flow``."""

from typing import ClassVar

from streams.engines.environments import OwnEnvironmentEngine


class PathwayEngine(OwnEnvironmentEngine):
    """Pathway 0.33. Its licence (BSL 1.1) is not an open one, so it is installed only in its own environment."""

    name = "pathway"
    library: ClassVar = "pathway"
    requirements: ClassVar = ("pathway>=0.33,<0.34", "confluent-kafka>=2.5,<3", "msgspec>=0.19")
    flow: ClassVar = "streams.engines.pathway.flow"

    def here(self) -> bool:
        """Return False: Pathway depends on more than a hundred packages."""
        return False
