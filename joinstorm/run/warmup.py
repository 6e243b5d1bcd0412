"""Compiles the kernels of worker and producer, where this machine has not yet: run as a process of its own."""

from producers.compose.encode import warm as warm_producer
from streams.fold.warmup import warm as warm_worker

if __name__ == "__main__":
    warm_worker()
    warm_producer()
