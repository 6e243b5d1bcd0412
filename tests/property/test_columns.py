"""The fast way of decoding means what the codec means, whatever the bytes."""

import json
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streams.contract.events import OUT_OF_RANGE, Mark, MarkKind, Presence, decode_presence, encode
from streams.errors import DecodeError
from streams.fold.columns import Bad, Decoded, PresenceColumns, PresenceDecoder, cell_of
from tests.oracle import NUMBERS, event_of, long_night

INFO = long_night()
FAST = PresenceDecoder(INFO, scan_from=0)
SLOW = PresenceDecoder(INFO, scan_from=1 << 60)
EVENT = b'{"event_id":3,"at":1684965600007,"kind":"join","listener":5,"space":"first","client":"web","try":1,"v":1}'
ROW = tuple[int, int, int, str, int]


def _rows(columns: PresenceColumns) -> list[ROW]:
    spaces = [INFO.spaces[code] for code in columns.space.tolist()]
    return list(
        zip(
            columns.event_id.tolist(),
            columns.at.tolist(),
            columns.person.tolist(),
            spaces,
            columns.cell.tolist(),
            strict=True,
        )
    )


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


def _same(decoded: Decoded[PresenceColumns], raws: list[bytes]) -> None:
    rows, marks, bad = _expected(raws)
    assert _rows(decoded.columns) == rows
    assert decoded.marks == marks
    assert sorted((bad.row, bad.reason) for bad in decoded.bad) == bad


def _event(number: int, event_id: int) -> Presence:
    event = event_of(number * 3 + 1, event_id)
    assert isinstance(event, Presence)
    return event


def _mutated(raw: bytes, rng: random.Random) -> bytes:  # noqa: PLR0911 - one way of altering each
    """Return the record with bytes changed, inserted, taken out or repeated, or written another way."""
    fields = json.loads(raw)
    odd = [0, 1, -1, 1.0, 1e3, 1e400, "1", None, True, [], 10**15, 10**19, 1 << 53, "x" * 70, "\u2028", '"\\', "web"]
    match rng.randrange(9):
        case 0:
            at = rng.randrange(len(raw))
            return raw[:at] + bytes([rng.randrange(256)]) + raw[at + 1 :]
        case 1:
            at = rng.randrange(len(raw))
            return raw[:at] + rng.choice((b"0", b" ", b'"', b"\\", b",", b"}", b"1")) + raw[at:]
        case 2:
            at = rng.randrange(len(raw))
            return raw[:at] + raw[at + rng.randrange(1, 9) :]
        case 3:
            return json.dumps(fields).encode()
        case 4:
            names = list(fields)
            rng.shuffle(names)
            return json.dumps({name: fields[name] for name in names}, separators=(",", ":")).encode()
        case 5:
            fields[rng.choice(list(fields))] = rng.choice(odd)
        case 6:
            fields[rng.choice(("reason", "since_drop_ms", "more", "mark", "v"))] = rng.choice(odd)
        case 7:
            del fields[rng.choice(list(fields))]
        case _:
            return raw + rng.choice((b" ", b"\n", b"x", raw, b"\0"))
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=rng.random() < 0.5).encode()


_numbers = st.lists(st.integers(0, NUMBERS // 4), min_size=1, max_size=12)


@given(_numbers)
def test_every_event_of_our_own_encoder_is_scanned(numbers: list[int]) -> None:
    """Canonical records are all taken by the scan, none is left to the slow way, and mean what they mean."""
    raws = [encode(_event(number, row)) for row, number in enumerate(numbers)]
    plain = [b"a-client-of-23" not in raw and b"a reason" not in raw for raw in raws]
    found = FAST._scanner.scan(raws)
    assert [ok or not simple for ok, simple in zip(found.ok.tolist(), plain, strict=True)] == [True] * len(raws)
    _same(FAST.decode(list(raws)), raws)


@given(_numbers, st.randoms(use_true_random=False))
def test_altered_records_mean_what_the_codec_says(numbers: list[int], rng: random.Random) -> None:
    """Whatever is done to a record, both ways say of it, and of its neighbours, what the codec says."""
    raws = [encode(_event(number, row)) for row, number in enumerate(numbers)]
    for row in range(len(raws)):
        while rng.random() < 0.6:
            try:
                raws[row] = _mutated(raws[row], rng)
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


def test_marks_in_any_position() -> None:
    """Marks are recognised first, last and between events; one of another run is put aside."""
    ours = Mark(mark=MarkKind.WATERMARK, at=INFO.start, run=INFO.run, v=1)
    end = Mark(mark=MarkKind.END, at=INFO.end, run=INFO.run, v=1, events=2)
    theirs = Mark(mark=MarkKind.END, at=INFO.end, run="another", v=1, events=2)
    raws: list[bytes | None] = [encode(ours), EVENT, encode(theirs), EVENT, encode(end)]
    decoded = FAST.decode(raws)
    assert decoded.marks == [ours, end]
    assert [(bad.row, bad.reason) for bad in decoded.bad] == [(2, OUT_OF_RANGE)]
    assert len(decoded.columns) == 2


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
    assert len(decoded.columns) == 1
    (bad,) = decoded.bad
    assert (bad.row, bad.reason) == (1, OUT_OF_RANGE)
    assert bad.detail.startswith(field)


def test_a_record_without_a_value_is_put_aside() -> None:
    """A tombstone is no event."""
    assert [bad.reason for bad in FAST.decode([None, EVENT]).bad] == ["not_json"]
    assert FAST.decode([None]).bad == [Bad(0, "not_json", FAST.decode([None]).bad[0].detail)]


def test_an_odd_record_leaves_its_neighbours_to_the_fast_way() -> None:
    """In a chunk of a thousand the one odd record alone is decoded slowly."""
    raws = [EVENT] * 500 + [b"{" + EVENT] + [EVENT] * 500
    assert FAST._scanner.scan(raws).ok.sum() == 1000
