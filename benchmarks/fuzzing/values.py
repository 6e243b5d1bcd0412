"""Values of an input topic: events and marks of a run, whole, strangely spelled, damaged, or nothing of the kind."""

import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final, TypeAlias

from streams.contract.runinfo import RunInfo
from streams.contract.topics import PRESENCE

Fields: TypeAlias = dict[str, Any]

_CLIENTS: Final = ("web", "ios", "android", "", "a" * 15, "a" * 16, "~}{\x7f", '"\\')
_REASONS: Final = (None, None, None, "gave_up", "room_closed", "overloaded", "gave_up ", "Gave_up", "}" * 15, "")
_SINCE: Final = (None, None, 0, 59_999, 60_000, 60_001, 99_999_999, 100_000_000)
_TAGS: Final = ("night", "room", "caf\u00e9", "a\u2028b", "", "x" * 300, "hashtag:night", "night\0", "NIGHT")
_WORDS: Final = ("launch", "LAUNCH", "la\u00fcnch", "\u212aelvin", "lol", "HAHA", "\u0131", "\U0001f37f", "?", "\0", "")
_ODD: Final[tuple[object, ...]] = (
    *(0, 1, -1, -0.0, 1.0, 1e3, 10**15, 2**53 - 1, 2**53, 2**63 - 1, 2**63, 2**64, -(2**63), 10**40, 10**4_000),
    *("1", "", "x" * 70, "\u2028", "\0", "\ud800", None, True, False, [], {}, [1], {"a": {"b": {"c": 1}}}),
)
_BYTES: Final = (b"0", b" ", b'"', b"\\", b",", b"}", b"{", b'{"', b"\xff", b"\n", b"\0", b"-", b".0", b"e0", b"[")
_NO_EVENTS: Final = (
    *(None, b"", b"null", b"[]", b"{}", b"1", b'"x"', b"NaN", b"\xff\xfe", b"[1", b'{"', b"{", b'{"a"'),
    *(b'{"mark":1}', b'{"v":2}', b'{"v":1}', b'{"v":2,"mark":1}', b"[" * 30_000, b'{"x":{"c":"y"}}', b"\xef\xbb\xbf{}"),
)
_VERSIONS: Final = (b"1.0", b"1e0", b"01", b"2", b'"1"', b"true", b"10", b" 1", b"1 ", b"1e400", b"NaN", b"-1", b"null")


_MARKS: Final = 0.02
_WITH_COUNT: Final = 0.5
_NOTHING: Final = 0.1
_FIELDS: Final = 0.4
"""Shares of records."""


def event(random: Random, info: RunInfo, topic: str) -> Fields:
    """Return the fields of an event of a run, with an id that may have been used before, also by another person."""
    base = {
        "event_id": random.randrange(info.events),
        "at": random.randrange(info.start, info.end + 1),
        "v": 1,
    }
    optional = _presence(random, info) if topic == PRESENCE else _tweet(random, info)
    return base | {name: value for name, value in optional.items() if value is not None}


def _presence(random: Random, info: RunInfo) -> Fields:
    return {
        "kind": random.choice(("attempt", "join", "fail", "leave", "drop")),
        "listener": random.randrange(info.people),
        "space": random.choice(info.spaces),
        "client": random.choice(_CLIENTS),
        "try": random.choice((1, 1, 2, 3, 99_999_999, 10**15)),
        "reason": random.choice(_REASONS),
        "since_drop_ms": random.choice(_SINCE),
    }


def _tweet(random: Random, info: RunInfo) -> Fields:
    return {
        "kind": random.choice(("post", "reply", "quote", "repost")),
        "tweet_id": str(random.getrandbits(62)),
        "author": random.randrange(info.people),
        "conversation": random.choice((info.thread, "9", "")),
        "text": " ".join(random.choices(_WORDS, k=random.randrange(6))),
        "lang": "en",
        "hashtags": random.choice((None, random.choices(_TAGS, k=random.randrange(4)))),
        "ref": random.choice((None, "1")),
    }


def mark(random: Random, info: RunInfo) -> Fields:
    """Return the fields of a mark, of this run or another, with a count that may be none."""
    fields: Fields = {
        "v": 1,
        "mark": random.choice(("watermark", "watermark", "end", "other")),
        "at": random.choice((info.start, info.start + 5_000, info.end, 0, 2**53 - 1, 2**53, -1)),
        "run": random.choice((info.run, info.run, info.run, "other", "")),
    }
    if random.random() < _WITH_COUNT:
        fields["events"] = random.choice((0, 1, 100, -1, 1.0, 2**53, 2**63 - 1, 2**63, 2**64, None))
    return fields


def spelled(
    fields: Mapping[str, object], separators: tuple[str, str] = (",", ":"), *, ascii_only: bool = False
) -> bytes:
    """Return fields as JSON; a lone surrogate becomes the three bytes that no decoder of UTF-8 accepts."""
    return json.dumps(fields, separators=separators, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")


def _byte_changed(random: Random, raw: bytes) -> bytes:
    at = random.randrange(len(raw))
    return raw[:at] + bytes([random.randrange(256)]) + raw[at + 1 :]


def _bytes_added(random: Random, raw: bytes) -> bytes:
    at = random.randrange(len(raw) + 1)
    return raw[:at] + random.choice(_BYTES) + raw[at:]


def _bytes_removed(random: Random, raw: bytes) -> bytes:
    at = random.randrange(len(raw))
    return raw[:at] + raw[at + random.randrange(1, 9) :]


def _cut(random: Random, raw: bytes) -> bytes:
    return raw[: random.randrange(len(raw))]


def _surrounded(random: Random, raw: bytes) -> bytes:
    before, after = random.choices((b"", b" ", b"\n", b"\0", b"[", b"\xef\xbb\xbf", b"}", raw), k=2)
    return before + raw + after


def _version(random: Random, raw: bytes) -> bytes:
    return raw.replace(b'"v":1', b'"v":' + random.choice(_VERSIONS), 1)


def _number(random: Random, raw: bytes) -> bytes:
    name = random.choice((b'"event_id":', b'"at":', b'"try":', b'"listener":', b'"author":'))
    return raw.replace(name, name + random.choice((b"0", b"-", b"+", b"1e", b"9999999999", b" ", b"\t", b"0.")), 1)


def _escaped(random: Random, raw: bytes) -> bytes:
    """Spell some letters as escapes, in names and values: the same event, or none."""
    letter = random.choice(b"aejlotvw")
    return raw.replace(bytes([letter]), b"\\u%04x" % letter, random.randrange(1, 9))


def _more(random: Random, raw: bytes) -> bytes:
    more = random.choice(
        (
            b'"x":' + b"[" * 400 + b"]" * 400,
            b'"x":' + b"[" * 30_000 + b"]" * 30_000,
            b'"big":"' + b"y" * random.choice((50, 900, 9_000, 100_000)) + b'"',
            b'"n":' + b"9" * random.choice((20, 400, 5_000)),
            b'"n":{"c":"' + b"x" * random.randrange(40) + b'"}',
            b'"bad":"\xc0\xaf"',
        )
    )
    return raw[:-1] + b"," + more + b"}"


def _braces(random: Random, raw: bytes) -> bytes:
    return raw[:-1] + b',"reason":"' + b"}" * random.randrange(1, 16) + random.choice((b"X", b"}", b'"}', b'"X'))


_ON_BYTES: Final[tuple[Callable[[Random, bytes], bytes], ...]] = (
    *(_byte_changed, _bytes_added, _bytes_removed, _cut, _surrounded),
    *(_version, _number, _escaped, _more, _braces),
)


def _respelled(random: Random, fields: Fields) -> bytes:
    names = list(fields)
    random.shuffle(names)
    separators = random.choice(((",", ":"), (", ", ": "), (" ,", ":\t")))
    return spelled({name: fields[name] for name in names}, separators, ascii_only=random.choice((False, True)))


def _odd_value(random: Random, fields: Fields) -> bytes:
    names = (*fields, "reason", "since_drop_ms", "hashtags", "ref", "mark", "events", "more", "{")
    return spelled(fields | {random.choice(names): random.choice(_ODD)})


def _missing(random: Random, fields: Fields) -> bytes:
    gone = random.choice(list(fields))
    return spelled({name: value for name, value in fields.items() if name != gone})


def _twice(random: Random, fields: Fields) -> bytes:
    name = random.choice(list(fields))
    again = random.choice((fields[name], random.choice(_ODD)))
    return spelled(fields)[:-1] + b"," + spelled({name: again})[1:]


_ON_FIELDS: Final[tuple[Callable[[Random, Fields], bytes], ...]] = (_respelled, _odd_value, _missing, _twice)


def value(random: Random, info: RunInfo, topic: str, mutated: float) -> bytes | None:
    """Return a record's value; ``mutated`` is the probability that it is not simply an event or a mark of the run."""
    fields = mark(random, info) if random.random() < _MARKS else event(random, info, topic)
    if random.random() >= mutated:
        return spelled(fields)
    if random.random() < _NOTHING:
        return random.choice(_NO_EVENTS)
    raw = random.choice(_ON_FIELDS)(random, fields) if random.random() < _FIELDS else spelled(fields)
    for _ in range(random.choice((0, 1, 1, 2))):
        if raw:
            raw = random.choice(_ON_BYTES)(random, raw)
    return raw
