"""How a replay ends before the end of its tape, where nothing has failed."""


class StoppedError(Exception):
    """The deck stopped the replay; not a failure."""


class JumpedBackError(Exception):
    """The deck jumped to an earlier moment, which takes a further run.

    Args:
        moment: Event time, ms.
        paused: The replay was paused, and stays so.
    """

    def __init__(self, moment: int, *, paused: bool) -> None:
        super().__init__(moment)
        self.moment = moment
        self.paused = paused
