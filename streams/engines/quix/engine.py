"""Engine ``quix``: Quix Streams with its state and changelogs, used as its manual shows; implemented in ``flow``."""

from typing import ClassVar

from streams.engines.environments import OwnEnvironmentEngine


class QuixEngine(OwnEnvironmentEngine):
    """Quix Streams 3."""

    name = "quix"
    library: ClassVar = "quixstreams"
    requirements: ClassVar = ("quixstreams>=3.28,<4", "msgspec>=0.19")
    flow: ClassVar = "streams.engines.quix.flow"
