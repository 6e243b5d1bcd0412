"""Engine ``bytewax``: a Bytewax dataflow with recovery; implemented in ``flow``."""

from typing import ClassVar

from streams.engines.environments import OwnEnvironmentEngine


class BytewaxEngine(OwnEnvironmentEngine):
    """Bytewax 0.21."""

    name = "bytewax"
    library: ClassVar = "bytewax"
    requirements: ClassVar = ("bytewax[kafka]>=0.21,<0.22", "msgspec>=0.19")
    flow: ClassVar = "streams.engines.bytewax.flow"
