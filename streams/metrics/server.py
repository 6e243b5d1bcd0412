"""Serves the metrics of one collector to Prometheus, with its own registry and threads."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.registry import Collector

from streams.errors import EnvironmentMissingError

OPTION = "--metrics-port"


def serve_metrics(
    collector: Collector, port: int, address: str = "127.0.0.1", *, option: str = OPTION
) -> tuple[int, Callable[[], None]]:
    """Serve a collector's metrics.

    Args:
        collector: Called at every scrape.
        port: TCP port; 0 for any free one.
        address: Local address to listen on.
        option: The option that sets the port, for the error.

    Returns:
        The port, and a function that stops the server.

    Raises:
        EnvironmentMissingError: The port is not available; the text names the option to choose another.
    """
    registry = CollectorRegistry()
    registry.register(collector)
    try:
        server, thread = start_http_server(port, addr=address, registry=registry)
    except OSError as error:
        raise EnvironmentMissingError(
            f"cannot serve /metrics at {address}:{port} ({error.strerror}); choose another port with {option}, "
            "0 for any free one"
        ) from error

    def close() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return server.server_port, close
