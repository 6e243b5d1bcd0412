"""Faust's consumer thread, without its hold on the process.

Faust's thread keeps the process alive until it has ended by itself. That may be never: a worker that was away until its
partitions were given to others asks its group to commit when it stops, and the group answers no more.
"""

from typing import Any, Final

from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from mode.threads import WorkerThread

STOP_SECONDS: Final = 5.0


class DaemonThread(WorkerThread):  # type: ignore[misc]  # mode has no usable type information
    """A thread that ends with the process at the latest, and is waited for no longer than ``STOP_SECONDS``."""

    def __init__(self, service: Any, **kwargs: Any) -> None:
        super().__init__(service, **kwargs)
        self.daemon = True

    def stop(self) -> None:
        """Wait until the thread has ended, in the event loop of its parent: for some seconds at most."""
        self.is_stopped.wait(STOP_SECONDS)


class DaemonConsumerThread(AIOKafkaConsumerThread):  # type: ignore[misc]  # Faust has no usable type information
    """Faust's consumer in a ``DaemonThread``."""

    Worker = DaemonThread


class DaemonConsumer(Consumer):  # type: ignore[misc]  # Faust has no usable type information
    """Faust's consumer with a ``DaemonConsumerThread``."""

    def _new_consumer_thread(self) -> DaemonConsumerThread:
        return DaemonConsumerThread(self, loop=self.loop, beacon=self.beacon)


class DaemonTransport(Transport):  # type: ignore[misc]  # Faust has no usable type information
    """Faust's aiokafka transport with a ``DaemonConsumer``."""

    Consumer = DaemonConsumer
