"""The message for an unknown name."""

from streams.suggest import unknown


def test_a_close_name_is_suggested() -> None:
    """The closest known name comes first, then all of them in the order given."""
    assert unknown("scenario", "lanch", ["control", "launch"]) == (
        "unknown scenario 'lanch'; did you mean 'launch'? Known: control, launch"
    )


def test_a_name_like_no_other_gets_the_list() -> None:
    """Without a close name there is no suggestion; what else may stand there comes last."""
    assert unknown("engine", "zzz", ["faust"], "module:Class") == (
        "unknown engine 'zzz'. Known: faust, or module:Class"
    )
