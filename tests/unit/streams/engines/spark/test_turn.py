"""One worker works at a time, and not before the processes of the one before it are gone."""

import subprocess
import sys
import threading
from pathlib import Path

from streams.engines.spark.turn import turn


def test_the_second_worker_waits_until_it_is_asked_to_stop(tmp_path: Path) -> None:
    """While the first one has its turn."""
    stop = threading.Event()
    with turn(tmp_path / "lock", stop) as first:
        assert first is not None
        stop.set()
        with turn(tmp_path / "lock", stop) as second:
            assert second is None


def test_the_turn_passes_on(tmp_path: Path) -> None:
    """When the first worker is done."""
    stop = threading.Event()
    for _ in range(2):
        with turn(tmp_path / "lock", stop) as mine:
            assert mine is not None


def test_a_process_that_inherits_the_file_keeps_the_turn(tmp_path: Path) -> None:
    """As the JVM of a killed worker does, until it has ended as well."""
    with turn(tmp_path / "lock", threading.Event()) as mine:
        assert mine is not None
        waits = [sys.executable, "-c", "import sys; sys.stdin.read()"]
        child = subprocess.Popen(waits, stdin=subprocess.PIPE, pass_fds=(mine.fileno(),))
    stop = threading.Event()
    got: list[bool] = []

    def wait_for_turn() -> None:
        with turn(tmp_path / "lock", stop) as next_one:
            got.append(next_one is not None)

    waiting = threading.Thread(target=wait_for_turn)
    waiting.start()
    waiting.join(0.3)
    assert waiting.is_alive()
    child.communicate(b"")
    waiting.join(30)
    assert got == [True]
