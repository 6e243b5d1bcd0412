"""Prometheus's remote write: series as requests, and the requests to a receiver.

A request is the protobuf message ``prompb.WriteRequest``, compressed with snappy.
"""

import http.client
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import cramjam

from joinstorm.prometheus.remoteread import RemoteSeries, field
from streams.errors import EnvironmentMissingError, UsageError
from streams.system.directhttp import open_directly

PATH: Final = "/api/v1/write"
HOW_TO_RECEIVE: Final = (
    "start Prometheus with --web.enable-remote-write-receiver, --storage.tsdb.retention.time=20y, and "
    "storage: {tsdb: {out_of_order_time_window: 20y}} in its configuration (docs/grafana.md)"
)
_HEADERS: Final = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
_MOST_SAMPLES: Final = 100_000
"""Of one request: some two megabytes before compression."""
_TIMEOUT_SECONDS: Final = 30
_ALL_TIMES: Final = (0, 1 << 62)


def receiver(url: str) -> str:
    """Return the address of a receiver, given itself or by the address of its Prometheus.

    Raises:
        UsageError: It is no HTTP address.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise UsageError(f"{url!r}: expected http://host:port of a Prometheus")
    return url if parts.path.strip("/") else urllib.parse.urlunsplit((*parts[:2], PATH, "", ""))


def requests(series: Iterable[RemoteSeries]) -> Iterator[bytes]:
    """Yield the bodies of requests that write the series; a series without samples is left out."""
    messages: list[bytes] = []
    samples = 0
    for one in series:
        if not len(one.times):
            continue
        messages.append(field(1, one.message(*_ALL_TIMES)))
        samples += len(one.times)
        if samples >= _MOST_SAMPLES:
            yield bytes(cramjam.snappy.compress_raw(b"".join(messages)))
            messages, samples = [], 0
    if messages:
        yield bytes(cramjam.snappy.compress_raw(b"".join(messages)))


class ReceiverAwayError(EnvironmentMissingError):
    """The receiver does not answer, or cannot take anything at the moment."""

    retriable = True


@dataclass(frozen=True)
class RemoteWriter:
    """Writes series to a Prometheus, or to another receiver of remote write.

    Args:
        url: The receiver's address, as ``receiver`` returns it.
    """

    url: str

    def write(self, series: Iterable[RemoteSeries]) -> None:
        """Write series; those already written are written again without harm.

        Raises:
            ReceiverAwayError: The receiver does not answer, or cannot take anything at the moment.
            EnvironmentMissingError: It refuses; the text is its own, with what a Prometheus needs.
        """
        for body in requests(series):
            self._post(body)

    def _post(self, body: bytes) -> None:
        request = urllib.request.Request(self.url, body, _HEADERS)  # noqa: S310 - receiver() checked the scheme
        try:
            with open_directly(request, _TIMEOUT_SECONDS) as answer:
                answer.read()
        except urllib.error.HTTPError as error:
            with error:
                text = f"{self.url}: {error.code} {error.read(500).decode(errors='replace').strip()}"
            if error.code >= http.client.INTERNAL_SERVER_ERROR:
                raise ReceiverAwayError(text) from None
            raise EnvironmentMissingError(f"{text}; {HOW_TO_RECEIVE}") from None
        except (OSError, http.client.HTTPException) as error:
            raise ReceiverAwayError(f"{self.url} does not answer: {getattr(error, 'reason', error)}") from None
