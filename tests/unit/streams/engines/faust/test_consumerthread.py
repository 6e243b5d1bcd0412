"""A worker's process ends, whatever Faust's consumer thread still waits for."""

import subprocess
import sys
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from streams.engines.faust import consumerthread
from streams.engines.faust.consumerthread import DaemonConsumerThread, DaemonThread
from streams.engines.faust.transport import ChunkConsumerThread

_HANGS = """
import threading
from types import SimpleNamespace
from streams.engines.faust.consumerthread import DaemonThread

begun = threading.Event()
DaemonThread(SimpleNamespace(_start_thread=lambda: begun.set() or threading.Event().wait())).start()
begun.wait()
print("done")
"""


def test_a_thread_that_hangs_keeps_no_process_alive() -> None:
    """Faust's own would: it is no daemon."""
    done = subprocess.run([sys.executable, "-c", _HANGS], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "done\n"


def test_a_thread_that_hangs_is_waited_for_with_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its parent waits in the event loop, where nothing could interrupt it."""
    monkeypatch.setattr(consumerthread, "STOP_SECONDS", 0.01)
    ends = threading.Event()
    service: Any = SimpleNamespace(_start_thread=ends.wait)
    thread = DaemonThread(service)
    thread.start()
    thread.stop()
    assert thread.is_alive()
    ends.set()
    thread.join(30)
    assert thread.is_stopped.is_set()


def test_the_consumers_of_both_engines_live_in_such_a_thread() -> None:
    """The one that brings chunks, and Faust's own in faust-tables."""
    assert ChunkConsumerThread.Worker is DaemonConsumerThread.Worker is DaemonThread
