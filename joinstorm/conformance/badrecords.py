"""Records with one defect each, made from events of a night: valid in it otherwise, and shaped like their topic.

An engine that overlooks a defect counts the record, because its event id is new. The reasons follow the order of
docs/architecture.md: ``not_json``, ``wrong_version``, ``wrong_shape``, ``out_of_range``; the first that applies.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from streams.contract.events import NOT_JSON, OUT_OF_RANGE, WRONG_SHAPE, WRONG_VERSION
from streams.contract.runinfo import RunInfo
from streams.contract.topics import PRESENCE

Event: TypeAlias = dict[str, Any]
NO_EVENTS: Final = (
    (b"", NOT_JSON),
    (b"\xff\xfe\x00 not even text", NOT_JSON),
    (b"null", WRONG_SHAPE),
    (b"[]", WRONG_SHAPE),
    (b"{}", WRONG_SHAPE),
    (b'{"v":1,"mark":"end","at":1684965600000,"run":"another-run","events":0}', OUT_OF_RANGE),
    (b'{"v":1,"mark":"watermark","at":4000000000000,"run":"another-run"}', OUT_OF_RANGE),
)
"""What has nothing of an event."""


class BadRecord(NamedTuple):
    """A record that is not an event of the run."""

    value: bytes
    reason: str


def bad_records(topic: str, event: Callable[[], Event], info: RunInfo) -> Iterator[BadRecord]:
    """Yield one record for each defect.

    Args:
        topic: The input topic, by base name.
        event: Returns a valid event of it, with an event id that no other record has.
        info: The run.
    """
    yield from (BadRecord(value, reason) for value, reason in NO_EVENTS)
    text = "client" if topic == PRESENCE else "text"
    yield BadRecord(_encoded(event())[:-1], NOT_JSON)
    yield BadRecord(_encoded({**event(), text: "caf?"}).replace(b"caf?", b"caf\xc3"), NOT_JSON)
    for change, reason in _changes(topic, info):
        yield BadRecord(_encoded({**event(), **change}), reason)
    person = _person(topic)
    yield BadRecord(_encoded({**event(), "v": 2}).replace(b'"at"', b'"At"'), WRONG_VERSION)
    for name in ("event_id", "at", "kind", person, "v"):
        yield BadRecord(_encoded({key: value for key, value in event().items() if key != name}), WRONG_SHAPE)
        if name != "v":
            yield BadRecord(
                _encoded(event()).replace(b'"%s"' % name.encode(), b'"%s"' % name.title().encode()), WRONG_SHAPE
            )
    found = event()
    yield BadRecord(_encoded({**found, person: str(found[person])}), WRONG_SHAPE)
    yield BadRecord(_encoded({**found, "kind": found["kind"].title()}), WRONG_SHAPE)


def _changes(topic: str, info: RunInfo) -> Iterator[tuple[Event, str]]:
    """Yield what to change in a valid event, and the reason that follows from it."""
    person = _person(topic)
    yield {"v": 2}, WRONG_VERSION
    yield {"v": "1"}, WRONG_VERSION
    yield {"v": 2, person: info.people}, WRONG_VERSION
    yield {"at": "yesterday"}, WRONG_SHAPE
    yield {"kind": "applaud"}, WRONG_SHAPE
    yield {"kind": "applaud", "at": info.end + 1}, WRONG_SHAPE
    yield {"event_id": -1}, WRONG_SHAPE
    yield ({"space": None} if topic == PRESENCE else {"hashtags": "a"}), WRONG_SHAPE
    yield {"event_id": info.events}, OUT_OF_RANGE
    yield {person: info.people}, OUT_OF_RANGE
    yield {"at": info.start - 1}, OUT_OF_RANGE
    yield {"at": info.end + 1}, OUT_OF_RANGE
    if topic == PRESENCE:
        yield {"space": "no-room"}, OUT_OF_RANGE


def _person(topic: str) -> str:
    return "listener" if topic == PRESENCE else "author"


_encoded = msgspec.json.encode
