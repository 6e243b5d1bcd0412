"""Processes take turns, and none waits for ever for one that was stopped."""

import fcntl
import logging
import threading
from pathlib import Path

import pytest

from streams.errors import EnvironmentMissingError
from streams.system import turns
from streams.system.turns import alone, in_turn


def test_a_free_turn_is_taken_and_given_back(tmp_path: Path) -> None:
    """Also when the block raises."""
    lock = tmp_path / "lock"
    with in_turn(lock, 0) as held:
        assert held
    with pytest.raises(ValueError, match="inside"), alone(lock, 0):
        raise ValueError("inside")
    with in_turn(lock, 0) as held:
        assert held


def test_a_turn_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second gets it when the first has ended, and says that it waits."""
    said = threading.Event()
    monkeypatch.setattr(turns, "SAID_SECONDS", 0.0)
    monkeypatch.setattr(turns.log, "warning", lambda *_: said.set())
    seen: list[bool] = []

    def second() -> None:
        with in_turn(tmp_path / "lock", 60) as held:
            seen.append(held)

    waiting = threading.Thread(target=second)
    with in_turn(tmp_path / "lock", 0):
        waiting.start()
        assert said.wait(30)
        assert seen == []
    waiting.join(30)
    assert seen == [True]


def test_what_two_may_do_at_once_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The block runs beside the process that holds the file."""
    lock = tmp_path / "lock"
    with (
        lock.open("w") as other,
        caplog.at_level(logging.WARNING),
    ):
        fcntl.flock(other, fcntl.LOCK_EX)
        with in_turn(lock, 0) as held:
            assert not held
    assert f"another process has held {lock} for 0 s: not waiting any longer" in caplog.text


def test_what_one_may_do_alone_is_refused(tmp_path: Path) -> None:
    """The error names the file that is held."""
    lock = tmp_path / "lock"
    with lock.open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(EnvironmentMissingError, match=f"another process has held {lock} for 0 s"), alone(lock, 0):
            pass
