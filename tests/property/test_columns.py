"""The fast way of decoding means what the codec means, whatever the bytes."""

import json
import random
import re
from typing import Final

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streams.contract.events import OUT_OF_RANGE, Mark, MarkKind, Presence, decode_presence, encode
from streams.errors import DecodeError
from streams.fold.columns import Bad, Decoded, PresenceDecoder, cell_of
from streams.kernels.packed import Packed, packed
from streams.kernels.presence import PresenceOut
from tests.oracle import NUMBERS, event_of, long_night

INFO = long_night()
FAST = PresenceDecoder(INFO, kernels=True)
SLOW = PresenceDecoder(INFO, kernels=False)
EVENT = b'{"event_id":3,"at":1684965600007,"kind":"join","listener":5,"space":"first","client":"web","try":1,"v":1}'
ROW = tuple[int, int, int, str, int]


def _rows(columns: PresenceOut) -> list[ROW]:
    ok = columns.ok
    spaces = [INFO.spaces[code] for code in columns.space[ok].tolist()]
    numbers = [column[ok].tolist() for column in (columns.event_id, columns.at, columns.person)]
    return list(zip(*numbers, spaces, columns.cell[ok].tolist(), strict=True))


def _expected(raws: list[bytes]) -> tuple[list[ROW], list[Mark], list[tuple[int, str]]]:
    """Return what the codec makes of the records, one by one."""
    rows: list[ROW] = []
    marks: list[Mark] = []
    bad: list[tuple[int, str]] = []
    for row, raw in enumerate(raws):
        try:
            event = decode_presence(raw)
        except DecodeError as error:
            bad.append((row, error.reason))
            continue
        if isinstance(event, Mark):
            marks.append(event)
        elif (
            event.event_id < INFO.events
            and event.listener < INFO.people
            and INFO.start <= event.at <= INFO.end
            and event.space in INFO.spaces
        ):
            rows.append((event.event_id, event.at, event.listener, event.space, cell_of(event)))
        else:
            bad.append((row, OUT_OF_RANGE))
    return rows, marks, bad


def _same(decoded: Decoded[PresenceOut], raws: list[bytes]) -> None:
    rows, marks, bad = _expected(raws)
    assert _rows(decoded.columns) == rows
    assert decoded.marks == marks
    assert sorted((bad.row, bad.reason) for bad in decoded.bad) == bad


def _event(number: int, event_id: int) -> Presence:
    event = event_of(number * 3 + 1, event_id)
    assert isinstance(event, Presence)
    return event


def _white(rng: random.Random) -> str:
    return "".join(rng.choices((" ", "\t", "\n", "\r"), k=rng.randrange(3)))


def _spelled(value: object, rng: random.Random) -> str:
    """Return JSON of a value as anybody may write it: white space, escapes, members in any order."""
    if isinstance(value, dict):
        members = [
            f"{_white(rng)}{_spelled(name, rng)}{_white(rng)}:{_spelled(member, rng)}" for name, member in value.items()
        ]
        rng.shuffle(members)
        return _white(rng) + "{" + ",".join(members) + (_white(rng) if not members else "") + "}" + _white(rng)
    if isinstance(value, list):
        return _white(rng) + "[" + ",".join(_spelled(part, rng) for part in value) + "]" + _white(rng)
    if isinstance(value, str) and rng.random() < 0.1:
        units = value.encode("utf-16-be", "surrogatepass")
        return '"' + "".join(f"\\u{units[at]:02x}{units[at + 1]:02X}" for at in range(0, len(units), 2)) + '"'
    return _white(rng) + json.dumps(value, ensure_ascii=rng.random() < 0.5) + _white(rng)


_DEEP: Final = [{"a": [1, -0.5e-3, {"b": None, "é": [True, False, {}]}], "c": []}, "😂", [[[[]]]], -1e5, 10**30]
_ODD_BYTES: Final = (b"0", b" ", b'"', b"\\", b",", b"}", b"1", b"\\u00e9", b"\\ud83d", b"\xc3\xa9", b"\n")
_ODD: Final = [0, 1, -1, 1.0, 1e3, "1", None, True, [], {}, 10**15, 10**19, 1 << 53, (1 << 53) - 1, "x" * 70]
_ODD_TEXTS: Final = ["\u2028", '"\\', "web", "gave_up", "\u00e9\U0001f602", "join", "first", ["a", "b", "a"], "night"]


def mutated(raw: bytes, rng: random.Random) -> bytes:  # noqa: PLR0911 - one way of altering each
    """Return the record with bytes changed, inserted, taken out or repeated, or written another way."""
    at = rng.randrange(len(raw) + 1)
    match rng.randrange(10):
        case 0:
            return raw[:at] + bytes([rng.randrange(256)]) + raw[at + 1 :]
        case 1:
            return raw[:at] + rng.choice(_ODD_BYTES) + raw[at:]
        case 2:
            return raw[:at] + raw[at + rng.randrange(1, 9) :]
        case 3:
            return raw[:at]
        case 4:
            return raw + rng.choice((b" ", b"\n", b"x", raw, b"\0", b"}", b"]"))
        case 5:  # a member twice
            return raw[:-1] + b"," + rng.choice(raw[1:-1].split(b",")) + raw[-1:]
    fields = json.loads(raw)
    match rng.randrange(4):
        case 0:
            fields[rng.choice(list(fields))] = rng.choice((*_ODD, *_ODD_TEXTS))
        case 1:
            fields[rng.choice(("reason", "since_drop_ms", "more", "mark", "v", "ref", "hashtags"))] = rng.choice(
                (*_ODD, *_ODD_TEXTS)
            )
        case 2:
            del fields[rng.choice(list(fields))]
        case _:
            fields[f"x{rng.randrange(3)}"] = rng.choice(_DEEP)
    return _spelled(fields, rng).encode("utf-8", "surrogatepass")


seeds = st.integers(0, 1 << 32)
_numbers = st.lists(st.integers(0, NUMBERS // 4), min_size=1, max_size=12)


def _taken(raws: list[bytes]) -> list[bool]:
    """Return which records the kernel takes, the codec left out."""
    values = packed(raws)
    out = FAST._room(len(raws)).columns
    FAST._fill(values, out)
    return [bool(taken) for taken in out.ok]


@given(_numbers)
def test_every_event_of_our_own_encoder_is_for_the_kernel(numbers: list[int]) -> None:
    """None of these records is left to the codec."""
    raws = [encode(_event(number, row)) for row, number in enumerate(numbers)]
    assert all(_taken(raws))
    _same(FAST.decode(list(raws)), raws)


@given(_numbers, seeds)
def test_altered_records_mean_what_the_codec_says(numbers: list[int], seed: int) -> None:
    """Whatever is done to a record, both ways say of it, and of its neighbours, what the codec says."""
    rng = random.Random(seed)
    raws = [encode(_event(number, row)) for row, number in enumerate(numbers)]
    for row in range(len(raws)):
        while rng.random() < 0.6:
            try:
                raws[row] = mutated(raws[row], rng)
            except ValueError:
                break
    _same(FAST.decode(list(raws)), raws)
    _same(SLOW.decode(list(raws)), raws)


@given(st.lists(st.binary(max_size=40), max_size=8))
@example([b""])
@example([EVENT[:-1]])
@example([EVENT[:60], EVENT[60:]])
@example([EVENT, b"", EVENT])
@example([EVENT.replace(b"3", b"03", 1)])
@example([EVENT.replace(b"3", b"00", 1)])
@example([EVENT.replace(b'"event_id":3', b'"event_id":-3')])
@example([EVENT.replace(b"first", b"third")])
@example([b"[" * 100_000, EVENT.replace(b'"v":1', b'"v":1,"x":' + b"[" * 5_000 + b"]" * 5_000)])
@example([EVENT.replace(b"web", b"w\xc3\xa9b"), EVENT.replace(b"web", b"w\xffb"), EVENT.replace(b"web", b"w\x1fb")])
def test_any_bytes(raws: list[bytes]) -> None:
    """Arbitrary bytes are put aside with the codec's reason, and nothing is read across the edge of a record."""
    _same(FAST.decode(list(raws)), raws)


@given(_numbers, seeds)
def test_anybodys_json_is_for_the_kernel(numbers: list[int], seed: int) -> None:
    """Members in any order, white space, escapes and further fields of any kind: none is left to the codec."""
    rng = random.Random(seed)
    raws = []
    for row, number in enumerate(numbers):
        fields = json.loads(encode(_event(number, row)))
        raws.append(_spelled({**fields, "reason": fields.get("reason"), "more": rng.choice(_DEEP)}, rng).encode())
    plain = [not re.search(rb'"(\\u[0-9a-fA-F]{4})+"\s*:', raw) for raw in raws]
    assert [taken or not simple for taken, simple in zip(_taken(raws), plain, strict=True)] == [True] * len(raws)
    _same(FAST.decode(list(raws)), raws)


@pytest.mark.parametrize("after", [b"", b"}", b"}" * 20, b" " * 40, EVENT])
def test_nothing_is_read_beyond_a_records_end(after: bytes) -> None:
    """A record that is cut off anywhere is none, whatever lies behind it in the buffer."""
    for text in (EVENT, EVENT[:-1] + b',"reason":"}}}}}}}}}}"X', EVENT[:-1] + b',"since_drop_ms":12}'):
        for end in range(len(text)):
            data = text[:end] + after
            out = FAST._room(1).columns
            FAST._fill(Packed(data, np.array([0]), np.array([end])), out)
            assert not out.ok[0], data


def test_marks_in_any_position() -> None:
    """Marks are recognised first, last and between events; one of another run is put aside."""
    ours = Mark(mark=MarkKind.WATERMARK, at=INFO.start, run=INFO.run, v=1)
    end = Mark(mark=MarkKind.END, at=INFO.end, run=INFO.run, v=1, events=2)
    theirs = Mark(mark=MarkKind.END, at=INFO.end, run="another", v=1, events=2)
    raws: list[bytes | None] = [encode(ours), EVENT, encode(theirs), EVENT, encode(end)]
    decoded = FAST.decode(raws)
    assert decoded.marks == [ours, end]
    assert [(bad.row, bad.reason) for bad in decoded.bad] == [(2, OUT_OF_RANGE)]
    assert decoded.columns.ok.sum() == 2


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        (b'"event_id":3', b'"event_id":60', "event_id"),
        (b'"listener":5', b'"listener":8', "person"),
        (b"1684965600007", b"1684965599999", "at"),
        (b"1684965600007", b"1684968600000", "at"),
        (b'"first"', b'"*"', "space"),
    ],
)
def test_an_event_beyond_what_the_run_announced_is_put_aside(old: bytes, new: bytes, field: str) -> None:
    """The first value beyond each limit is out of range, and the detail names the field."""
    decoded = FAST.decode([EVENT, EVENT.replace(old, new)])
    assert decoded.columns.ok.tolist() == [True, False]
    (bad,) = decoded.bad
    assert (bad.row, bad.reason) == (1, OUT_OF_RANGE)
    assert bad.detail.startswith(field)


def test_a_record_without_a_value_is_put_aside() -> None:
    """A tombstone is no event."""
    assert [bad.reason for bad in FAST.decode([None, EVENT]).bad] == ["not_json"]
    assert FAST.decode([None]).bad == [Bad(0, "not_json", FAST.decode([None]).bad[0].detail)]


def test_an_odd_record_leaves_its_neighbours_to_the_kernel() -> None:
    """In a chunk of a thousand the codec decodes the one odd record alone."""
    raws = [EVENT] * 500 + [b"{" + EVENT] + [EVENT] * 500
    assert sum(_taken(raws)) == 1000
