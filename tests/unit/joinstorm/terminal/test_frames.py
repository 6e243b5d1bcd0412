"""From a view of the results to a frame."""

from joinstorm.terminal.frames import FrameSource
from streams.read.runview import RunView


def test_before_the_run_is_known_there_is_nothing_to_show() -> None:
    """An empty view is a frame without values."""
    frame = FrameSource("faust").frame(RunView())
    assert (frame.phase, frame.at, frame.audience, frame.progress) == ("starting", None, {}, 0.0)
