"""Alertmanager's notifications as types, and as lines of a file that keeps them as they came."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from streams.errors import DecodeError

Labels: TypeAlias = tuple[tuple[str, str], ...]
"""Labels of an alert, sorted by name."""
Status = Literal["firing", "resolved"]
ALERTNAME: Final = "alertname"
SEVERITY: Final = "severity"


class NotifiedAlert(msgspec.Struct, frozen=True, rename="camel"):
    """One alert of a notification."""

    status: Status
    labels: dict[str, str]
    starts_at: datetime
    """When Prometheus fired it."""
    ends_at: datetime
    annotations: dict[str, str] = {}
    fingerprint: str = ""

    @property
    def key(self) -> Labels:
        """Its labels, sorted by name."""
        return tuple(sorted(self.labels.items()))

    @property
    def fired(self) -> int:
        """When Prometheus fired it, in milliseconds since the epoch."""
        return milliseconds(self.starts_at)


class Notification(msgspec.Struct, frozen=True, rename="camel"):
    """What Alertmanager sends to a webhook, version 4."""

    version: str
    status: Status
    alerts: tuple[NotifiedAlert, ...]
    group_key: str = ""


class ReceivedNotification(msgspec.Struct, frozen=True):
    """A notification and when it arrived: one line of the file."""

    at: int
    """Milliseconds since the epoch."""
    notification: Notification


class _Line(msgspec.Struct):
    at: int
    notification: msgspec.Raw


def milliseconds(time: datetime) -> int:
    """Return a time in milliseconds since the epoch, cut as Prometheus cuts the time of a sample."""
    return int(time.timestamp()) * 1000 + time.microsecond // 1000


def decode(body: bytes) -> Notification:
    """Read the body of a webhook request.

    Raises:
        DecodeError: It is not a notification of Alertmanager; the text says what was expected.
    """
    try:
        return msgspec.json.decode(body, type=Notification)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise DecodeError("notification", f"expected a notification of Alertmanager (version 4): {error}") from None


def line_of(at: int, body: bytes) -> bytes:
    """Return the line that keeps a notification as it came."""
    kept = msgspec.json.format(body, indent=-1)  # on one line, its fields in their order
    return msgspec.json.encode(_Line(at, msgspec.Raw(kept))) + b"\n"


def read_lines(path: Path) -> Iterator[ReceivedNotification]:
    """Yield the notifications of a file.

    Raises:
        DecodeError: A line is none; the text names it.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield msgspec.json.decode(line, type=ReceivedNotification)
            except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
                raise DecodeError("notification", str(error), f"{path}:{number}") from None
