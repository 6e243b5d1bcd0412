"""What the live display is told of a run."""

from joinstorm.terminal.frames import FrameSource
from streams.read.runview import RunView


def test_before_the_run_is_known_there_is_nothing_to_show() -> None:
    """An empty view is a moment without values."""
    moment = FrameSource("faust").moment(RunView())
    assert (moment.phase, moment.at, moment.audience, moment.progress) == ("starting", None, {}, 0.0)
